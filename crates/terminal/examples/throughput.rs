//! How fast output is parsed here against a bare `alacritty_terminal`, in the same process, by turns: one
//! JSON object a line. Run by `cargo xtask bench`.
//!
//! Ours is the whole path of the host: tap, guard, settling after every 64 KiB, and a frame for one client
//! after every MiB (a window draws less often than that while output floods). The peer only parses.
//! Payloads named as arguments are measured alone.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Instant;

use alacritty_terminal::event::VoidListener;
use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::term::{Config, Term};
use alacritty_terminal::vte::ansi::Processor;
use maestro_core::TerminalId;
use maestro_core::screen::Size;
use maestro_terminal::{Options, Outbox, SCROLLBACK, Terminal, View};

const COLS: u16 = 120;
const ROWS: u16 = 40;
/// Bytes of each payload.
const PAYLOAD: usize = 8 * 1024 * 1024;
/// Bytes given at once, as the host's queue does.
const CHUNK: usize = 64 * 1024;
/// Chunks between two frames.
const FRAME_EVERY: usize = 16;
/// Alternating pairs for each payload; the median counts.
const RUNS: usize = 9;
const BAR: f64 = 0.85;

struct Cells;

impl Dimensions for Cells {
    fn total_lines(&self) -> usize {
        usize::from(ROWS)
    }

    fn screen_lines(&self) -> usize {
        usize::from(ROWS)
    }

    fn columns(&self) -> usize {
        usize::from(COLS)
    }
}

fn main() {
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|wanted| wanted == name);
    let mut ratios = Vec::new();
    for (name, payload) in payloads().into_iter().filter(|(name, _)| is_wanted(name)) {
        let _ = (ours(&payload), bare(&payload));
        let mut pairs: Vec<(f64, f64)> = Vec::with_capacity(RUNS);
        for run in 0..RUNS {
            // Who goes first changes, so that neither always has the warmer machine.
            let (a, b) = if run % 2 == 0 {
                let a = ours(&payload);
                (a, bare(&payload))
            } else {
                let b = bare(&payload);
                (ours(&payload), b)
            };
            pairs.push((rate(&payload, a), rate(&payload, b)));
        }
        let ratio = median(pairs.iter().map(|(ours, bare)| ours / bare).collect());
        let ours = median(pairs.iter().map(|pair| pair.0).collect());
        let bare = median(pairs.iter().map(|pair| pair.1).collect());
        let note = format!("{ours:.0} MB/s against {bare:.0} MB/s");
        report(&format!("terminal/throughput/{name}"), ratio, "x", Some(BAR), &note);
        ratios.push(ratio);
    }
    let mean = ratios.iter().map(|ratio| ratio.ln()).sum::<f64>() / ratios.len() as f64;
    report("terminal/throughput", mean.exp(), "x", Some(BAR), "geometric mean over the payloads");
    frames();
}

/// Packing and comparing one screen: nothing changed, everything changed.
fn frames() {
    let mut terminal = Terminal::new(Options::new(Size::new(COLS, ROWS)));
    let mut view = View::new(TerminalId(1));
    let mut out = Outbox::new();
    let screens: Vec<Vec<u8>> = ['a', 'b'].map(|c| screenful(c).into_bytes()).into();
    let mut time = |unchanged: bool| {
        let mut times = Vec::new();
        for round in 0..2000 {
            terminal.advance(&screens[if unchanged { 0 } else { round % 2 }], &mut out);
            let start = Instant::now();
            let _ = black_box(terminal.frame(&mut view));
            times.push(start.elapsed().as_secs_f64() * 1e6);
        }
        median(times)
    };
    let (changed, same) = (time(false), time(true));
    report("terminal/frame/changed", changed, "us", None, "120x40, every row differs");
    report("terminal/frame/same", same, "us", None, "120x40, printed again without a difference");
}

fn ours(payload: &[u8]) -> f64 {
    let mut terminal = Terminal::new(Options::new(Size::new(COLS, ROWS)));
    let mut view = View::new(TerminalId(1));
    let mut out = Outbox::new();
    let start = clock();
    for (index, chunk) in payload.chunks(CHUNK).enumerate() {
        terminal.advance(chunk, &mut out);
        out.clear();
        if index % FRAME_EVERY == 0 {
            let _ = black_box(terminal.frame(&mut view));
        }
    }
    clock() - start
}

fn bare(payload: &[u8]) -> f64 {
    let config =
        Config { kitty_keyboard: true, scrolling_history: SCROLLBACK, ..Config::default() };
    let mut term = Term::new(config, &Cells, VoidListener);
    let mut parser: Processor = Processor::new();
    let start = clock();
    for chunk in payload.chunks(CHUNK) {
        parser.advance(&mut term, chunk);
    }
    let time = clock() - start;
    let _ = black_box(term.grid().cursor.point);
    time
}

fn rate(payload: &[u8], seconds: f64) -> f64 {
    payload.len() as f64 / 1e6 / seconds
}

/// Seconds this thread has had a core, so that other programs on the machine do not count. Asked of the
/// thread's own clock: `/proc/thread-self/schedstat` only moves with the scheduler's tick, four milliseconds
/// of the forty that a run takes.
fn clock() -> f64 {
    #[cfg(unix)]
    {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
    }
    #[cfg(not(unix))]
    {
        static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
        START.get_or_init(Instant::now).elapsed().as_secs_f64()
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn report(name: &str, value: f64, unit: &str, bar: Option<f64>, note: &str) {
    let line = serde_json::json!({
        "name": name,
        "value": (value * 1000.0).round() / 1000.0,
        "unit": unit,
        "bar": bar,
        "holds": bar.map(|bar| value >= bar),
        "peer": bar.map(|_| "alacritty_terminal 0.26, parsing only"),
        "runs": RUNS,
        "note": note,
    });
    println!("{line}");
}

/// What agents, builds and full-screen programs print.
fn payloads() -> Vec<(&'static str, Vec<u8>)> {
    let mut kinds = vec![
        (
            "log",
            fill(|n| format!("{n:>8} compiling unit_{} in debug profile, 0 warnings\r\n", n % 977)),
        ),
        (
            "diff",
            fill(|n| {
                let color = [31, 32, 0][n % 3];
                format!(
                    "\x1b[{color}m{}    let value_{n} = compute(input, {n});\x1b[m\r\n",
                    ['-', '+', ' '][n % 3]
                )
            }),
        ),
        (
            "truecolor",
            fill(|n| {
                let words = ["fn", "main", "let", "match", "=>", "return"];
                (0..8).fold(String::new(), |mut line, word| {
                    let _ = write!(
                        line,
                        "\x1b[38;2;{};{};{}m{} ",
                        n % 256,
                        word * 30,
                        90,
                        words[(n + word) % 6]
                    );
                    line
                }) + "\x1b[0m\r\n"
            }),
        ),
        ("unicode", fill(|n| format!("│ ✓ {n} 検証 完了 — naïve café … ─── ▌▌ ⠋ done │\r\n"))),
        (
            "redraw",
            fill(|n| {
                let mut frame = String::from("\x1b[?2026h\x1b[H");
                for row in 0..12 {
                    let _ = write!(
                        frame,
                        "\x1b[{};3H\x1b[2m│\x1b[22m step {} of {n}\x1b[K",
                        row + 20,
                        row * 7
                    );
                }
                frame + "\x1b[?2026l"
            }),
        ),
        ("cursor", fill(|n| format!("\x1b[{};{}H{}", n % 40 + 1, n * 7 % 118 + 1, n % 10))),
    ];
    let recording =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/gemini/tui/turn-and-exit.raw");
    if let Ok(bytes) = std::fs::read(recording) {
        kinds.push(("recorded", bytes.iter().copied().cycle().take(PAYLOAD).collect()));
    }
    kinds
}

fn fill(mut line: impl FnMut(usize) -> String) -> Vec<u8> {
    let mut text = String::with_capacity(PAYLOAD + 4096);
    let mut n = 0;
    while text.len() < PAYLOAD {
        text.push_str(&line(n));
        n += 1;
    }
    text.into_bytes()
}

fn screenful(c: char) -> String {
    (1..=ROWS).fold(String::new(), |mut text, row| {
        let line: String = std::iter::repeat_n(c, usize::from(COLS)).collect();
        let _ = write!(text, "\x1b[{row};1H\x1b[3{}m{line}", row % 8);
        text
    })
}

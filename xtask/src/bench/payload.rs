//! What runs inside a terminal that is measured: writes the kinds of output that terminals are compared
//! by, and measures how long the terminal takes to have read them.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

pub const COLS: usize = 120;
pub const ROWS: usize = 40;

/// Bytes of a sample, at least.
const SAMPLE: usize = 1 << 20;

/// Samples of each kind that count; one before them does not.
const SAMPLES: usize = 12;

/// Where the answer to a query for the cursor's place ends.
const ANSWERED: u8 = b'R';

/// A child of a benchmark.
#[derive(Debug, Args)]
pub struct Options {
    #[command(subcommand)]
    payload: Payload,
}

#[derive(Debug, Subcommand)]
enum Payload {
    /// Measure every kind and write the times.
    Terminal {
        /// The file for them.
        #[arg(long)]
        out: PathBuf,
    },
    /// Print without an end, every line another one.
    Flood {
        /// Where the number of bytes printed so far is kept, eight bytes.
        #[arg(long)]
        progress: Option<PathBuf>,
    },
    /// Print so many lines that fill every column, as agents and builds print them.
    Lines {
        /// How many.
        count: u32,
    },
}

pub fn run(options: &Options) -> Result<()> {
    match &options.payload {
        Payload::Terminal { out } => {
            let times = terminal()?;
            std::fs::write(out, times.to_string()).context("the file for the times")
        }
        Payload::Flood { progress } => flood(progress.as_deref()),
        Payload::Lines { count } => filled_lines(*count),
    }
}

/// A line as wide as the terminal, no two alike: a number, a word in a colour, text.
fn filled_lines(count: u32) -> Result<()> {
    const WORDS: [&str; 8] =
        ["compiling", "linking", "testing", "reading", "editing", "checking", "done", "waiting"];
    let mut random = Random(u64::from(std::process::id()) + 1);
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for number in 0..count {
        let color = 31 + number % 6;
        let word = WORDS[random.next() as usize % WORDS.len()];
        let mut text = String::new();
        while text.len() < COLS {
            let next = WORDS[random.next() as usize % WORDS.len()];
            let _ = write!(text, "{next} src/part_{:03}.rs ", random.next() % 1000);
        }
        text.truncate(COLS - 17);
        writeln!(out, "{number:>6} \x1b[{color}m{word:<9}\x1b[m {text}")?;
    }
    Ok(out.flush()?)
}

fn flood(progress: Option<&Path>) -> Result<()> {
    let told = progress.map(File::create).transpose().context("the file for the progress")?;
    let mut printed = 0_u64;
    let mut out = std::io::stdout().lock();
    let mut random = Random(u64::from(std::process::id()));
    for count in 0_u64.. {
        let mut lines = String::new();
        for line in 0..32 {
            let color = 31 + random.next() % 6;
            let number = count * 32 + line;
            let noise = random.next();
            let _ = writeln!(lines, "\x1b[{color}m{number:>9}\x1b[m unit {noise:016x} is built");
        }
        if out.write_all(lines.as_bytes()).is_err() {
            break;
        }
        printed += lines.len() as u64;
        if let Some(told) = &told
            && count % 16 == 0
        {
            told.write_all_at(&printed.to_le_bytes(), 0)?;
        }
    }
    Ok(())
}

/// The median time of each kind in milliseconds, and the terminal's size.
fn terminal() -> Result<Value> {
    // Answers must come at once and unseen.
    let raw = Command::new("stty").args(["raw", "-echo"]).stdin(Stdio::inherit()).status();
    if !raw.is_ok_and(|status| status.success()) {
        bail!("there is no terminal here");
    }
    let size = Command::new("stty").arg("size").stdin(Stdio::inherit()).output()?;
    let size = String::from_utf8_lossy(&size.stdout).trim().to_owned();
    // The window has not been drawn yet when its child begins.
    answer()?;
    std::thread::sleep(Duration::from_millis(500));
    let mut times = Map::new();
    for kind in kinds() {
        let mut samples = Vec::with_capacity(SAMPLES);
        write(kind.before.as_bytes())?;
        for sample in 0..=SAMPLES {
            answer()?;
            let begun = Instant::now();
            write(&kind.bytes)?;
            answer()?;
            let took = begun.elapsed().as_secs_f64() * 1e3;
            if sample > 0 {
                samples.push(took);
            }
        }
        write(b"\x1b[r\x1b[m\x1b[2J\x1b[H\x1b[?1049l")?;
        let mean = samples.iter().sum::<f64>() / samples.len() as f64;
        let _ = times.insert(
            kind.name.to_owned(),
            json!({ "median": super::median(&mut samples), "mean": mean, "bytes": kind.bytes.len() }),
        );
    }
    Ok(json!({ "size": size, "times": times }))
}

fn write(bytes: &[u8]) -> Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(bytes)?;
    Ok(out.flush()?)
}

/// Waits until the terminal has come to here: asks where the cursor is.
fn answer() -> Result<()> {
    write(b"\x1b[6n")?;
    let mut input = std::io::stdin().lock();
    let mut byte = [0];
    loop {
        if input.read(&mut byte)? == 0 {
            bail!("the terminal has closed");
        }
        if byte[0] == ANSWERED {
            return Ok(());
        }
    }
}

/// One kind of output.
struct Kind {
    name: &'static str,
    /// Written once before it.
    before: String,
    bytes: Vec<u8>,
}

const ALTERNATE: &str = "\x1b[?1049h\x1b[2J\x1b[H";

fn kinds() -> Vec<Kind> {
    let kind = |name, before: &str, bytes: Vec<u8>| Kind { name, before: before.to_owned(), bytes };
    let lines = |text: &str| fill(|_| format!("{text}\r\n"));
    let wide: String = (0..COLS - 2).map(|col| char::from(b'!' + (col % 90) as u8)).collect();
    let region = |top: usize, bottom: usize, at: usize| {
        format!("{ALTERNATE}\x1b[{top};{bottom}r\x1b[{at};1H")
    };
    let mut random = Random(7);
    let medium = fill(|_| medium_screen(&mut random));
    let sync = fill(|_| format!("\x1b[?2026h{}\x1b[?2026l", medium_screen(&mut random)));
    vec![
        kind("dense_cells", ALTERNATE, fill(dense_screen)),
        kind("light_cells", ALTERNATE, fill(light_screen)),
        kind("medium_cells", ALTERNATE, medium),
        kind("sync_medium_cells", ALTERNATE, sync),
        kind("cursor_motion", ALTERNATE, fill(spiral)),
        kind("unicode", ALTERNATE, fill(unicode_screen)),
        kind("scrolling", "\x1b[2J\x1b[H", lines("y")),
        kind("scrolling_fullscreen", "\x1b[2J\x1b[H", lines(&wide)),
        kind("scrolling_bottom_region", &region(1, ROWS - 1, ROWS - 1), lines("y")),
        kind("scrolling_bottom_small_region", &region(1, ROWS / 2, ROWS / 2), lines("y")),
        kind("scrolling_top_region", &region(2, ROWS, ROWS), lines("y")),
        kind("scrolling_top_small_region", &region(ROWS / 2, ROWS, ROWS), lines("y")),
    ]
}

/// As many pieces as make a sample.
fn fill(mut piece: impl FnMut(usize) -> String) -> Vec<u8> {
    let mut text = String::with_capacity(SAMPLE + SAMPLE / 8);
    let mut number = 0;
    while text.len() < SAMPLE {
        text.push_str(&piece(number));
        number += 1;
    }
    text.into_bytes()
}

/// Every cell in colours of its own, bold, italic and underlined.
fn dense_screen(number: usize) -> String {
    let mut text = String::from("\x1b[H");
    let letter = char::from(b'A' + (number % 26) as u8);
    for row in 0..ROWS {
        for col in 0..COLS {
            let (fg, bg) = ((row + col + number) % 156 + 100, 255 - (row + col + number) % 156);
            let _ = write!(text, "\x1b[38;5;{fg};48;5;{bg};1;3;4m{letter}");
        }
    }
    text
}

/// Every cell the same letter.
fn light_screen(number: usize) -> String {
    let letter = char::from(b'A' + (number % 26) as u8);
    format!("\x1b[H{}", std::iter::repeat_n(letter, ROWS * COLS).collect::<String>())
}

/// Source code in an editor: words of some colours, and space.
fn medium_screen(random: &mut Random) -> String {
    const WORDS: [&str; 10] = [
        "let",
        "match",
        "return",
        "self.state",
        "(index, line)",
        "=>",
        "Some(value)",
        "// what is left",
        "fn",
        "0x1f",
    ];
    let mut text = String::from("\x1b[H");
    for row in 1..=ROWS {
        let indent = random.next() as usize % 6 * 4;
        let _ = write!(text, "\x1b[{row};1H\x1b[38;5;240m{row:>4}\x1b[m {:indent$}", "");
        let mut col = 5 + indent;
        while col < COLS * 2 / 3 {
            let choice = random.next() as usize;
            let word = WORDS[choice % WORDS.len()];
            match choice / 16 % 4 {
                0 => text.push_str(word),
                1 => {
                    let _ = write!(text, "\x1b[1m{word}\x1b[22m");
                }
                color => {
                    let _ = write!(text, "\x1b[38;5;{}m{word}\x1b[39m", 60 + color * 40);
                }
            }
            text.push(' ');
            col += word.len() + 1;
        }
        text.push_str("\x1b[K");
    }
    text
}

/// A letter at every place, the place named each time, from the edges to the middle.
fn spiral(number: usize) -> String {
    let letter = char::from(b'A' + (number % 26) as u8);
    let mut text = String::new();
    let (mut top, mut left, mut bottom, mut right) = (1, 1, ROWS, COLS);
    let mut put = |row: usize, col: usize| {
        let _ = write!(text, "\x1b[{row};{col}H{letter}");
    };
    while top < bottom && left < right {
        (left..=right).for_each(|col| put(top, col));
        (top + 1..=bottom).for_each(|row| put(row, right));
        (left..right).rev().for_each(|col| put(bottom, col));
        (top + 1..bottom).rev().for_each(|row| put(row, left));
        (top, left, bottom, right) = (top + 1, left + 1, bottom - 1, right - 1);
    }
    text
}

/// Characters of many writing systems, a new part of them in each screen.
fn unicode_screen(number: usize) -> String {
    const BLOCKS: [(u32, u32); 8] = [
        (0xa1, 0x17f),
        (0x391, 0x3c9),
        (0x410, 0x44f),
        (0x2190, 0x21ff),
        (0x2500, 0x257f),
        (0x3041, 0x3093),
        (0x4e00, 0x5e00),
        (0x1f600, 0x1f64f),
    ];
    let mut text = String::from("\x1b[H");
    for row in 1..=ROWS {
        let (first, last) = BLOCKS[(row + number) % BLOCKS.len()];
        let span = last - first;
        let _ = write!(text, "\x1b[{row};1H");
        for col in 0..COLS / 2 - 1 {
            let offset = (number * 59 + row * 31 + col) as u32 % span;
            text.extend(char::from_u32(first + offset));
        }
    }
    text
}

/// Enough chance for payloads, and the same in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_a_whole_sample_of_text() {
        for kind in kinds() {
            assert!(kind.bytes.len() >= SAMPLE, "{}", kind.name);
            assert!(std::str::from_utf8(&kind.bytes).is_ok(), "{}", kind.name);
        }
    }

    #[test]
    fn a_spiral_comes_to_every_place() {
        let text = spiral(0);
        let places: std::collections::HashSet<_> = text.split('A').collect();
        // And what follows the last letter, which is nothing.
        assert_eq!(places.len(), ROWS * COLS + 1);
    }
}

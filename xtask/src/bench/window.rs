//! What the window costs: its start, its memory, a key's way through it, and doing nothing.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::display::{self, Display};
use super::host::Host;
use super::{Measure, Setup, median, pairs};

const EMPTY: &str = "an empty window of the toolkit";

/// From the start of the process until text of a terminal is on the screen, the host running, in
/// alternating pairs with an empty window of the toolkit, which also shows text.
pub fn startup(setup: &Setup) -> Result<Vec<Measure>> {
    const BAR: f64 = 1.5;
    const PAIRS: usize = 9;
    if let Some(missing) = Display::missing() {
        return Ok(vec![Measure::skipped("startup", BAR, "×", missing)]);
    }
    let empty = setup.empty_window()?;
    let host = Host::start(setup)?;
    host.new_agents([1])?;
    show_mark(&host, 1)?;
    let display = Display::start()?;
    let (mut our_row, mut their_row) = (None, None);
    let mut ours = || display.time_to_mark(&mut host.maestro(&[]), &mut our_row);
    let mut theirs = || display.time_to_mark(&mut Command::new(&empty), &mut their_row);
    let pairs = pairs(PAIRS, &mut ours, &mut theirs)?;
    let mut ratios: Vec<f64> = pairs.iter().map(|(ours, theirs)| ours / theirs).collect();
    let ours = median(&mut pairs.iter().map(|pair| pair.0).collect::<Vec<_>>());
    let theirs = median(&mut pairs.iter().map(|pair| pair.1).collect::<Vec<_>>());
    let note = format!(
        "{ours:.0} ms against {theirs:.0} ms, from the start of the process to its text on the screen; \
         both windows 1440×900"
    );
    let ratio = median(&mut ratios);
    Ok(vec![Measure::at_most("startup", ratio, "×", BAR, PAIRS).peer(EMPTY).note(note)])
}

/// Prints the mark that the display finds, with text on it.
fn show_mark(host: &Host, number: usize) -> Result<()> {
    let line = format!(
        "printf '{}  text on a mark  \\033[m\\n'; echo IS''THERE",
        display::MARK_BACKGROUND
    );
    host.type_into(number, &line)?;
    host.wait_for_line(number, "ISTHERE")
}

/// Host and window with 20 agents' terminals, each with 10 000 filled lines behind it, beside an empty
/// window of the toolkit.
pub fn memory(setup: &Setup) -> Result<Vec<Measure>> {
    const BAR: f64 = 100.0;
    const COUNT: usize = 20;
    const PAIRS: usize = 5;
    const NAME: &str = "memory/20";
    if !Path::new("/proc/self/smaps_rollup").exists() {
        return Ok(vec![Measure::skipped(NAME, BAR, "MB", "no /proc/PID/smaps_rollup here")]);
    }
    if let Some(missing) = Display::missing() {
        return Ok(vec![Measure::skipped(NAME, BAR, "MB", missing)]);
    }
    let empty = setup.empty_window()?;
    let host = Host::start(setup)?;
    let display = Display::start()?;
    host.new_agents(1..=COUNT)?;
    (1..=COUNT).try_for_each(|number| fill(&host, number))?;
    // Quiet terminals are packed a moment later; that is part of what is promised.
    std::thread::sleep(Duration::from_secs(6));
    let (mut hosts, mut windows, mut empties) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..PAIRS {
        // Together, because they share the pages of the program.
        let weights = weigh(&display, &mut host.maestro(&[]), Some(host.pid()))?;
        windows.push(weights.0);
        hosts.extend(weights.1);
        empties.push(weigh(&display, &mut Command::new(&empty), None)?.0);
    }
    let middle = |weights: &[Weight], part: fn(&Weight) -> f64| {
        median(&mut weights.iter().map(part).collect::<Vec<_>>())
    };
    let beyond = |part: fn(&Weight) -> f64| middle(&windows, part) - middle(&empties, part);
    let proportional = |weight: &Weight| weight.proportional;
    let resident = |weight: &Weight| weight.resident;
    let note = format!(
        "10 000 filled lines of 120 columns each; proportional set size: host {:.1} MB, window {:.1} MB \
         beyond an empty one of {:.1} MB; resident: {:.1}, {:.1}, {:.1} MB; aim 60 MB",
        middle(&hosts, proportional),
        beyond(proportional),
        middle(&empties, proportional),
        middle(&hosts, resident),
        beyond(resident),
        middle(&empties, resident),
    );
    let value = middle(&hosts, proportional) + beyond(proportional);
    Ok(vec![Measure::at_most(NAME, value, "MB", BAR, PAIRS).peer(EMPTY).note(note)])
}

/// Fills a terminal's history with lines as wide as it is.
fn fill(host: &Host, number: usize) -> Result<()> {
    let child = std::env::current_exe().context("this program's own file")?;
    let line = format!("'{}' payload lines 10000; echo FIL''LED", child.display());
    host.type_into(number, &line)?;
    host.wait_for_line(number, "FILLED")
}

/// Memory of a process in megabytes.
#[derive(Debug, Clone, Copy)]
struct Weight {
    resident: f64,
    /// Pages that others have, too, by share.
    proportional: f64,
}

impl Weight {
    fn of(pid: u32) -> Result<Self> {
        let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
        let megabytes = |name: &str| -> Result<f64> {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|line| line.split_whitespace().next());
            Ok(number.context("no such line")?.parse::<f64>()? / 1024.0)
        };
        Ok(Self { resident: megabytes("Rss:")?, proportional: megabytes("Pss:")? })
    }
}

/// Opens a window, leaves it alone for a moment and weighs it, and another process with it.
fn weigh(
    display: &Display,
    command: &mut Command,
    beside: Option<u32>,
) -> Result<(Weight, Option<Weight>)> {
    let mut child = display.show(command).spawn().context("the window's program")?;
    let weights = display.window(&mut child).and_then(|_| {
        std::thread::sleep(Duration::from_secs(5));
        Ok((Weight::of(child.id())?, beside.map(Weight::of).transpose()?))
    });
    display::end(&mut child);
    weights
}

/// A key pressed on the display, from the moment the window has it: until the row with its echo is
/// applied in the window, and until the frame with it is recorded. With 15 other panes, idle or
/// flooding.
pub fn key_latency(setup: &Setup) -> Result<Vec<Measure>> {
    const PANES: usize = 16;
    if let Some(missing) = Display::missing() {
        return Ok(vec![Measure::skipped("key_latency", APPLIED.1, "ms", missing)]);
    }
    let host = Host::start(setup)?;
    let display = Display::start()?;
    host.new_agents(1..=PANES)?;
    // Echoes each byte by itself: a program in the terminal answers, not the terminal's driver.
    host.type_into(1, "stty raw -echo; printf 'RE''ADY\\r\\n'; exec cat")?;
    host.wait_for_line(1, "READY")?;
    let mut measures = typed(&host, &display, "idle")?;
    let flood = std::env::current_exe().context("this program's own file")?;
    for number in 2..=PANES {
        host.type_into(number, &format!("exec '{}' payload flood", flood.display()))?;
    }
    std::thread::sleep(Duration::from_secs(2));
    measures.extend(typed(&host, &display, "flooding")?);
    Ok(measures)
}

/// Bars in milliseconds: half of all keys, all but one in a hundred.
const APPLIED: (f64, f64) = (3.0, 16.0);
/// On a software renderer, which is what a virtual display has.
const RECORDED: (f64, f64) = (5.0, 50.0);

/// Opens the window, types, and says how long it took.
fn typed(host: &Host, display: &Display, others: &str) -> Result<Vec<Measure>> {
    const KEYS: usize = 300;
    /// Milliseconds between two keys, at least; two digits.
    const SPACING: usize = 45;
    /// The first keys find a window that is still being laid out.
    const WARM_UP: usize = 20;
    let window = Window::open(host, display)?;
    std::thread::sleep(Duration::from_secs(4));
    let before = window.steps()?.iter().filter(|step| step.what == "key").count();
    let mut keys: Vec<String> = Vec::with_capacity(4 * KEYS);
    for (number, key) in ('a'..='y').cycle().take(KEYS).enumerate() {
        // Never in step with the frames.
        let pause = SPACING + number * 7 % 20;
        keys.extend(["key".to_owned(), key.to_string(), "sleep".to_owned(), format!("0.0{pause}")]);
    }
    let _ = display.xdotool(&keys.iter().map(String::as_str).collect::<Vec<_>>())?;
    std::thread::sleep(Duration::from_secs(1));
    let steps = window.steps()?;
    drop(window);
    if !host.screen(1)?.replace('\n', "").contains("uvwxyabcdef") {
        bail!("the keys did not come to the agent's terminal");
    }
    let mut applied = Vec::with_capacity(KEYS);
    let mut recorded = Vec::with_capacity(KEYS);
    let keys = steps.iter().enumerate().filter(|(_, step)| step.what == "key");
    for (at, key) in keys.skip(before + WARM_UP) {
        // Threads tell their steps by themselves, so lines are a little out of order.
        let later = &steps[at.saturating_sub(50)..];
        let echo = |what: &str| {
            later.iter().position(|step| {
                step.what == what && step.us >= key.us && step.seq >= key.seq && step.rows != 0
            })
        };
        let (Some(echo), Some(drawn)) = (echo("applied"), echo("drawn")) else { continue };
        let Some(frame) = later[drawn..].iter().find(|step| step.what == "recorded") else {
            continue;
        };
        applied.push((later[echo].us - key.us) / 1e3);
        recorded.push((frame.us - key.us) / 1e3);
    }
    if applied.len() < KEYS / 2 {
        bail!("only {} of {KEYS} keys were followed to the screen", applied.len());
    }
    let frames = steps.iter().filter(|step| step.what == "recorded").count();
    let note = format!("15 other panes {others}; {frames} frames; the window on lavapipe or a GPU");
    let mut measures = Vec::new();
    for (what, times, bars) in
        [("applied", &mut applied, APPLIED), ("submitted", &mut recorded, RECORDED)]
    {
        for (name, share, bar) in [("p50", 0.5, bars.0), ("p99", 0.99, bars.1)] {
            let name = format!("key_latency/{others}/{what}_{name}");
            let value = percentile(times, share);
            measures.push(Measure::at_most(&name, value, "ms", bar, times.len()).note(&note));
        }
    }
    Ok(measures)
}

fn percentile(numbers: &mut [f64], share: f64) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[((numbers.len() - 1) as f64 * share).round() as usize]
}

/// A window with 20 idle agents left alone: frames, rebuilt views, processor time.
pub fn idle(setup: &Setup) -> Result<Vec<Measure>> {
    const AGENTS: usize = 20;
    const BAR: f64 = 0.5;
    /// Longer than the cursor blinks after the last key.
    const SETTLE: Duration = Duration::from_secs(14);
    /// Watched one after the other: half a minute.
    const STRETCHES: usize = 5;
    const STRETCH: Duration = Duration::from_secs(6);
    if let Some(missing) = Display::missing() {
        return Ok(vec![Measure::skipped("idle/cpu", BAR, "%", missing)]);
    }
    let host = Host::start(setup)?;
    let display = Display::start()?;
    host.new_agents(1..=AGENTS)?;
    let window = Window::open(&host, &display)?;
    std::thread::sleep(SETTLE);
    let look = || -> Result<_> {
        let steps = window.steps()?;
        let count = |what: &str| steps.iter().filter(|step| step.what == what).count() as f64;
        Ok((count("frame"), count("view"), count("update")))
    };
    let before = look()?;
    if before.0 < 1.0 || before.1 < 1.0 {
        bail!("the window has drawn nothing at all");
    }
    let (mut ours, mut hosts, mut both) = (Vec::new(), Vec::new(), Vec::new());
    let spent =
        || Ok::<_, anyhow::Error>((cpu_seconds(window.child.id())?, cpu_seconds(host.pid())?));
    for _ in 0..STRETCHES {
        let from = spent()?;
        std::thread::sleep(STRETCH);
        let to = spent()?;
        let share = |seconds: f64| seconds / STRETCH.as_secs_f64() * 100.0;
        ours.push(share(to.0 - from.0));
        hosts.push(share(to.1 - from.1));
        both.push(share(to.0 - from.0 + to.1 - from.1));
    }
    let after = look()?;
    let most = both.iter().copied().fold(0.0, f64::max);
    let note = "20 idle agents, 30 s";
    Ok(vec![
        Measure::at_most("idle/frames", after.0 - before.0, "", 0.0, 1).note(note),
        Measure::at_most("idle/views", after.1 - before.1, "", 0.0, 1)
            .note(format!("{note}; {} updates", after.2 - before.2)),
        Measure::at_most("idle/cpu", median(&mut both), "%", BAR, STRETCHES).note(format!(
            "{note} in stretches of 6 s, at most {most:.3}; of one core: window {:.3}, host {:.3}",
            median(&mut ours),
            median(&mut hosts)
        )),
    ])
}

/// Fifty children that print as fast as they can, and a window that shows them: how far behind the
/// middle one the slowest is, and what a frame costs meanwhile.
pub fn floods(setup: &Setup) -> Result<Vec<Measure>> {
    const CHILDREN: usize = 50;
    const SLOWEST: f64 = 0.5;
    /// Milliseconds, as for any frame.
    const FRAME: f64 = 4.0;
    const STRETCHES: usize = 5;
    const STRETCH: Duration = Duration::from_secs(4);
    const NAME: &str = "floods/slowest_to_middle";
    if let Some(missing) = Display::missing() {
        return Ok(vec![Measure::skipped(NAME, SLOWEST, "×", missing)]);
    }
    let host = Host::start(setup)?;
    let display = Display::start()?;
    host.new_agents(1..=CHILDREN)?;
    let window = Window::open(&host, &display)?;
    let flood = std::env::current_exe().context("this program's own file")?;
    let file = |number: usize| host.home.join(format!("progress-{number}"));
    for number in 1..=CHILDREN {
        let told = file(number);
        let line =
            format!("exec '{}' payload flood --progress '{}'", flood.display(), told.display());
        host.type_into(number, &line)?;
    }
    let progress = || -> Result<Vec<f64>> {
        let printed = (1..=CHILDREN).map(|number| {
            let bytes = std::fs::read(file(number)).unwrap_or_default();
            let bytes = bytes.first_chunk::<8>().context("a flood has not begun")?;
            Ok(u64::from_le_bytes(*bytes) as f64)
        });
        printed.collect()
    };
    std::thread::sleep(Duration::from_secs(4));
    let begun = window.steps()?.len();
    let (mut ratios, mut rates) = (Vec::new(), Vec::new());
    let first = progress()?;
    let mut from = first.clone();
    for _ in 0..STRETCHES {
        std::thread::sleep(STRETCH);
        let to = progress()?;
        let (ratio, rate) = spread(&from, &to);
        ratios.push(ratio);
        rates.push(rate / STRETCH.as_secs_f64() / 1e6);
        from = to;
    }
    let (whole, _) = spread(&first, &from);
    let steps = window.steps()?;
    let ours: Vec<f64> = steps[begun..].iter().filter_map(|step| step.ours).collect();
    let mut frames: Vec<f64> = ours.windows(2).map(|pair| (pair[1] - pair[0]) / 1e3).collect();
    if frames.is_empty() {
        bail!("the window has drawn nothing while output floods");
    }
    let drawn = steps[begun..].iter().filter(|step| step.what == "drawn").count();
    let weight = Weight::of(host.pid()).map_or(f64::NAN, |weight| weight.proportional);
    let seconds = STRETCH.as_secs_f64() * STRETCHES as f64;
    let note = format!(
        "{CHILDREN} children, {:.1} MB/s together, {:.2}× over the whole {seconds:.0} s; host {weight:.0} MB",
        median(&mut rates),
        whole,
    );
    let count = frames.len();
    let cost = format!(
        "encoding, uploading, recording of {:.1} terminals a frame; {:.1} frames a second",
        drawn as f64 / count as f64,
        count as f64 / seconds
    );
    Ok(vec![
        Measure::at_least(NAME, median(&mut ratios), "×", SLOWEST, STRETCHES).note(note),
        Measure::at_most("floods/frame_p99", percentile(&mut frames, 0.99), "ms", FRAME, count)
            .note(cost),
    ])
}

/// How far the slowest came beside the middle one, and how far all came together.
fn spread(from: &[f64], to: &[f64]) -> (f64, f64) {
    let mut way: Vec<f64> = from.iter().zip(to).map(|(from, to)| to - from).collect();
    let middle = median(&mut way);
    (way.first().copied().unwrap_or(0.0) / middle, way.iter().sum())
}

/// Processor time of all threads of a process so far.
fn cpu_seconds(pid: u32) -> Result<f64> {
    let mut nanoseconds = 0.0;
    for task in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        let text = std::fs::read_to_string(task?.path().join("schedstat")).unwrap_or_default();
        let spent = text.split_whitespace().next().and_then(|spent| spent.parse::<f64>().ok());
        nanoseconds += spent.unwrap_or(0.0);
    }
    Ok(nanoseconds / 1e9)
}

/// Our window, as large as the display and with the keyboard, that tells what happens in it.
struct Window {
    child: Child,
    probe: PathBuf,
}

/// Something that happened in the window.
#[derive(Debug, Clone)]
struct Step {
    /// Microseconds.
    us: f64,
    what: String,
    seq: u64,
    /// Rows of an applied frame; another step has none and says so by this number.
    rows: u64,
    /// Processor time of our own work for all frames so far, in microseconds; only of recorded ones.
    ours: Option<f64>,
}

impl Window {
    fn open(host: &Host, display: &Display) -> Result<Self> {
        let probe = host.home.join("probe.jsonl");
        let mut command = host.maestro(&[]);
        let child = display.show(command.env("MAESTRO_PROBE", &probe)).spawn()?;
        let mut opened = Self { child, probe };
        let window = display.window(&mut opened.child)?;
        // There is no window manager.
        let _ = display.xdotool(&["windowmove", &window, "0", "0"])?;
        let _ = display.xdotool(&["windowsize", &window, "1920", "1200"])?;
        let _ = display.xdotool(&["windowfocus", &window])?;
        Ok(opened)
    }

    fn steps(&self) -> Result<Vec<Step>> {
        let text = std::fs::read_to_string(&self.probe).context("the window told nothing")?;
        Ok(text.lines().filter_map(step).collect())
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        display::end(&mut self.child);
    }
}

fn step(line: &str) -> Option<Step> {
    let value: Value = serde_json::from_str(line).ok()?;
    Some(Step {
        us: value["us"].as_f64()?,
        what: value["step"].as_str()?.to_owned(),
        seq: value["seq"].as_u64().unwrap_or(0),
        rows: value["rows"].as_u64().unwrap_or(u64::MAX),
        ours: value["ours"].as_f64(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_the_numbers_is_below_a_percentile() {
        let mut numbers: Vec<f64> = (0..=100).rev().map(f64::from).collect();
        assert!((percentile(&mut numbers, 0.5) - 50.0).abs() < 1e-9);
        assert!((percentile(&mut numbers, 0.99) - 99.0).abs() < 1e-9);
    }

    #[test]
    fn the_slowest_is_compared_with_the_middle() {
        let (ratio, sum) = spread(&[0.0, 10.0, 20.0], &[8.0, 14.0, 36.0]);
        assert!((ratio - 0.5).abs() < 1e-9 && (sum - 28.0).abs() < 1e-9);
    }

    #[test]
    fn a_half_written_line_is_not_a_step() {
        let line = r#"{"us":12,"step":"applied","rows":0,"seq":7}"#;
        let step = step(line).expect("a step");
        assert_eq!((step.us as u64, step.rows, step.seq), (12, 0, 7));
        assert!(super::step(&line[..20]).is_none());
    }
}

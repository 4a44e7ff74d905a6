//! `maestro bench`: what drawing costs on this machine. The rest of the benchmarks is `cargo xtask bench`;
//! this one travels with the program, so that it can be run where the graphics adapter is.

use std::time::Duration;

use maestro_grid::offscreen::{self, Change, Options, Report, Sample};
use maestro_grid::{Faces, Look, Palette};
use maestro_ui::font;
use serde_json::{Value, json};

use super::args;
use super::failure::{Code, Failure, Result};
use super::output::Out;
use crate::window::{bench as windows, conversation_bench as conversation};

/// Milliseconds of our processor time that no more than one frame in a hundred may take.
const BAR: f64 = 4.0;

/// Draws terminals off the screen and says what it cost.
pub fn grid(grid: &args::BenchGrid, out: &mut Out) -> Result<()> {
    if !(1.0..=200.0).contains(&grid.type_size) {
        return Err(Failure::new(Code::Usage, "type has 1 to 200 pixels"));
    }
    let [.., regular, bold, _, _, _] = font::FILES;
    let faces = Faces { bold: Some(bold), ..Faces::regular(regular) };
    let named = || std::env::var("WGPU_ADAPTER_NAME").ok().filter(|name| !name.is_empty());
    let options = Options {
        panes: grid.panes,
        frames: grid.frames,
        size: grid.size,
        look: Look::new(faces, grid.type_size, Palette::NOCTURNE),
        adapter: grid.adapter.clone().or_else(named),
        change: match grid.change {
            args::Change::Everything => Change::Everything,
            args::Change::Row => Change::Row,
        },
    };
    let report = offscreen::measure(&options)
        .map_err(|error| Failure::new(Code::Failed, error.to_string()))?;
    let value = value(grid, &report);
    if out.json { out.json_line(&value) } else { out.facts(&facts(&value)) }
}

/// Milliseconds that no more than one update in a hundred of an answer may take, and one step of
/// scrolling.
const TURNS_BAR: f64 = 8.0;

/// Lets an answer be written and a conversation be scrolled, and says what it cost.
pub fn conversation(options: &args::BenchConversation, out: &mut Out) -> Result<()> {
    let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    let options = conversation::Options {
        lines: count(options.lines),
        turns: count(options.turns),
        steps: count(options.steps),
    };
    let report = conversation::measure(options)
        .ok_or_else(|| Failure::new(Code::Failed, "the software renderer does not work here"))?;
    let times = |times: &[Duration]| {
        shares(times.iter().map(|time| time.as_secs_f64() * 1e3).collect::<Vec<_>>())
    };
    let (updates, scrolls) = (times(&report.updates), times(&report.scrolls));
    let holds = |times: &Value| times["p99"].as_f64().map(|p99| p99 <= TURNS_BAR);
    let value = json!({
        "name": "conversation",
        "lines": options.lines,
        "updates": report.updates.len(),
        "update_ms": updates,
        "turns": options.turns,
        "entries": report.entries,
        "scroll_ms": scrolls,
        "jump_ms": times(&report.jumps),
        "opened_ms": report.opened.as_secs_f64() * 1e3,
        "bar": {
            "update_ms.p99": TURNS_BAR,
            "scroll_ms.p99": TURNS_BAR,
            "holds": holds(&updates) == Some(true) && holds(&scrolls) == Some(true),
        },
    });
    if out.json {
        return out.json_line(&value);
    }
    let said = |name: &str| {
        let [middle, most, worst] =
            ["p50", "p99", "max"].map(|share| value[name][share].as_f64().unwrap_or(f64::NAN));
        format!("{middle:.2} ms p50, {most:.2} ms p99, {worst:.2} ms at most")
    };
    out.facts(&[
        ("answer", format!("{} lines in {} updates", options.lines, report.updates.len())),
        ("update", format!("{}; at most {TURNS_BAR} ms p99", said("update_ms"))),
        ("conversation", format!("{} turns, {} entries", options.turns, report.entries)),
        ("scroll", format!("{}; at most {TURNS_BAR} ms p99", said("scroll_ms"))),
        ("jump", said("jump_ms")),
        ("opened", format!("{:.1} ms", report.opened.as_secs_f64() * 1e3)),
    ])
}

/// What each step of the window may take at most in ms, but for one in a hundred.
const WINDOW_BARS: [(&str, f64); 5] =
    [("view", 4.0), ("agents", 8.0), ("palette", 8.0), ("palette_rows", 8.0), ("sessions", 8.0)];

/// Presses keys in a made-up window, and says what each cost until its frame was recorded.
pub fn window(options: &args::BenchWindow, out: &mut Out) -> Result<()> {
    let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    let measured = windows::measure(windows::Options {
        agents: options.agents,
        entries: count(options.entries),
        steps: count(options.steps),
    })
    .ok_or_else(|| Failure::new(Code::Failed, "the software renderer does not work here"))?;
    let mut value = json!({
        "name": "window",
        "agents": options.agents,
        "entries": options.entries,
        "steps": options.steps,
    });
    for (name, bar) in WINDOW_BARS {
        let times = measured.get(name).into_iter().flatten();
        let mut times = shares(times.map(|time| time.as_secs_f64() * 1e3).collect());
        times["bar"] = json!(bar);
        times["holds"] = json!(times["p99"].as_f64().map(|p99| p99 <= bar));
        value[name] = times;
    }
    if out.json {
        return out.json_line(&value);
    }
    let facts = WINDOW_BARS.map(|(name, bar)| {
        let [middle, most] =
            ["p50", "p99"].map(|share| value[name][share].as_f64().unwrap_or(f64::NAN));
        (name, format!("{middle:.2} ms p50, {most:.2} ms p99; at most {bar} ms p99"))
    });
    out.facts(&facts)
}

fn value(grid: &args::BenchGrid, report: &Report) -> Value {
    let times = |of: fn(&Sample) -> Duration| {
        let times = report.frames.iter().map(of).map(|time| time.as_secs_f64() * 1e3);
        shares(times.collect())
    };
    let gpu: Vec<f64> =
        report.frames.iter().filter_map(|frame| frame.gpu).map(|t| t.as_secs_f64() * 1e3).collect();
    let ours = times(Sample::ours);
    let holds = ours["p99"].as_f64().map(|p99| p99 <= BAR);
    let bytes = shares(report.frames.iter().map(|frame| frame.uploaded_bytes as f64).collect());
    let fill = |(taken, most): (usize, usize)| json!({ "taken": taken, "most": most });
    json!({
        "name": "grid",
        "adapter": report.adapter,
        "driver": report.driver,
        "backend": report.backend,
        "software": report.software,
        "panes": grid.panes,
        "columns": grid.size.cols,
        "rows": grid.size.rows,
        "pixels": [report.pixels.0, report.pixels.1],
        "change": if grid.change == args::Change::Row { "row" } else { "everything" },
        "frames": report.frames.len(),
        "cpu_ms": {
            "ours": ours,
            "encoding": times(|frame| frame.encoding),
            "uploading": times(|frame| frame.uploading),
            "recording": times(|frame| frame.recording),
            "submitting": times(|frame| frame.submitting),
        },
        "gpu_ms": if gpu.is_empty() { Value::Null } else { shares(gpu) },
        "wall_ms": times(|frame| frame.wall),
        "uploaded_bytes": bytes,
        "glyphs": report.frames.iter().map(|frame| frame.glyphs).sum::<u64>(),
        "atlas": { "text": fill(report.atlas[0]), "pictures": fill(report.atlas[1]) },
        "bar": { "cpu_ms.ours.p99": BAR, "holds": holds },
    })
}

/// The middle, all but one in a hundred, the most.
fn shares(mut numbers: Vec<f64>) -> Value {
    numbers.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let index = (numbers.len().saturating_sub(1) as f64 * share).round() as usize;
        numbers.get(index).map(|number| (number * 1e4).round() / 1e4)
    };
    json!({ "p50": at(0.5), "p99": at(0.99), "max": at(1.0) })
}

fn facts(value: &Value) -> Vec<(&'static str, String)> {
    let word = |pointer: &str| match value.pointer(pointer) {
        Some(Value::String(word)) => word.clone(),
        Some(Value::Null) | None => "?".to_owned(),
        Some(other) => other.to_string(),
    };
    let times = |pointer: &str| {
        let [middle, most] = ["p50", "p99"].map(|share| word(&format!("{pointer}/{share}")));
        format!("{middle} ms p50, {most} ms p99")
    };
    let gpu = if value["gpu_ms"].is_null() {
        "the adapter does not tell".to_owned()
    } else {
        times("/gpu_ms")
    };
    vec![
        ("adapter", format!("{} ({}, {})", word("/adapter"), word("/backend"), word("/driver"))),
        (
            "drawn",
            format!(
                "{} frames of {} terminals of {}×{} cells, {}×{} pixels, {} changing",
                word("/frames"),
                word("/panes"),
                word("/columns"),
                word("/rows"),
                word("/pixels/0"),
                word("/pixels/1"),
                word("/change"),
            ),
        ),
        ("ours", format!("{} of processor time; at most {BAR} ms p99", times("/cpu_ms/ours"))),
        ("encoding", times("/cpu_ms/encoding")),
        ("uploading", times("/cpu_ms/uploading")),
        ("recording", times("/cpu_ms/recording")),
        ("submitting", times("/cpu_ms/submitting")),
        ("adapter time", gpu),
        ("whole frame", times("/wall_ms")),
        ("uploaded", format!("{} bytes a frame", word("/uploaded_bytes/p50"))),
        ("atlas", format!("{} of {} slots", word("/atlas/text/taken"), word("/atlas/text/most"))),
    ]
}

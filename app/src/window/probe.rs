//! Tells a benchmark what happens inside the window and when: with `MAESTRO_PROBE=FILE` in the environment
//! one JSON object a line is written there. Without it a step costs one look at a pointer.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::sync::OnceLock;
use std::sync::mpsc::{self, SyncSender};
use std::thread;
use std::time::Instant;

use maestro_grid::{Clock, Moment};
use serde_json::json;

/// Names the file.
const VARIABLE: &str = "MAESTRO_PROBE";

/// Steps that may wait to be written. Beyond it they are lost, rather than the window being slowed.
const WAITING: usize = 1 << 16;

static PROBE: OnceLock<SyncSender<(Instant, Step)>> = OnceLock::new();

/// What happens.
#[derive(Debug, Clone, Copy)]
pub enum Step {
    /// A message was handled.
    Update,
    /// The view was built.
    View,
    /// A key went to the host.
    Key {
        /// The number its echo comes back with.
        seq: u64,
    },
    /// On a frame's way to the screen.
    Frame(Moment),
    /// A frame is recorded.
    Recorded {
        /// Processor time of ours that all frames so far took, in microseconds.
        ours: u64,
    },
}

/// Writes from now on, if somebody asked for it.
pub fn start(clock: &Clock) {
    let Some(path) = std::env::var_os(VARIABLE) else { return };
    let file = match File::create(&path) {
        Ok(file) => file,
        Err(error) => {
            tracing::warn!(%error, "{VARIABLE} names a file that cannot be written");
            return;
        }
    };
    let (sender, steps) = mpsc::sync_channel::<(Instant, Step)>(WAITING);
    let began = Instant::now();
    let written = thread::Builder::new().name("probe".to_owned()).spawn(move || {
        let mut out = BufWriter::new(file);
        let mut next = steps.recv().ok();
        while let Some((at, step)) = next {
            let line = line(at.saturating_duration_since(began).as_micros() as u64, step);
            if writeln!(out, "{line}").is_err() {
                return;
            }
            next = steps.try_recv().ok().or_else(|| {
                let _ = out.flush();
                steps.recv().ok()
            });
        }
    });
    if written.is_ok() && PROBE.set(sender).is_ok() {
        let watched = clock.clone();
        clock.watch(move |moment| {
            note(match moment {
                Moment::Recorded => {
                    let counts = watched.counters().read();
                    let ours = counts.encoding + counts.uploading + counts.recording;
                    Step::Recorded { ours: ours.as_micros() as u64 }
                }
                moment => Step::Frame(moment),
            });
        });
    }
}

/// Takes note of a step.
pub fn note(step: Step) {
    if PROBE.get().is_some() {
        note_at(Instant::now(), step);
    }
}

/// Takes note of a step that began a moment ago.
pub fn note_at(at: Instant, step: Step) {
    if let Some(probe) = PROBE.get() {
        let _ = probe.try_send((at, step));
    }
}

fn line(at: u64, step: Step) -> serde_json::Value {
    match step {
        Step::Update => json!({ "us": at, "step": "update" }),
        Step::View => json!({ "us": at, "step": "view" }),
        Step::Key { seq } => json!({ "us": at, "step": "key", "seq": seq }),
        Step::Frame(Moment::Applied { rows, input_seq }) => {
            json!({ "us": at, "step": "applied", "rows": rows, "seq": input_seq })
        }
        Step::Frame(Moment::Begun) => json!({ "us": at, "step": "frame" }),
        Step::Frame(Moment::Drawn { input_seq }) => {
            json!({ "us": at, "step": "drawn", "seq": input_seq })
        }
        Step::Frame(Moment::Recorded) => json!({ "us": at, "step": "recorded" }),
        Step::Recorded { ours } => json!({ "us": at, "step": "recorded", "ours": ours }),
    }
}

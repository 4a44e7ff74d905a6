//! One turn without a person: the prompt on standard input, JSON lines on standard output.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use maestro_core::turn::{Failure, FailureKind};
use serde_json::{Value, json};

use super::play::{End, Player, Progress};
use super::store::{Record, Session};
use super::{MODEL, Options, script};

/// Longest prompt that is read.
const PROMPT: u64 = 4 << 20;

pub fn run(options: &Options, directory: &Path, home: &Path) -> i32 {
    let mut prompt = String::new();
    if let Err(error) = std::io::stdin().take(PROMPT).read_to_string(&mut prompt) {
        eprintln!("error: the prompt cannot be read: {error}");
        return 1;
    }
    if prompt.trim().is_empty() {
        eprintln!("error: there is no prompt; give it on standard input");
        return 2;
    }
    let model = options.model.as_deref().unwrap_or(MODEL);
    let out = Out { json: options.json };
    let session = match &options.resume {
        Some(id) => Session::resume(home, id).map(|(session, _)| session).ok_or_else(|| Failure {
            kind: FailureKind::SessionMissing,
            message: format!("There is no session {id}."),
        }),
        None => Session::open(home, directory, options.session.as_deref(), model)
            .map(|(session, _)| session)
            .map_err(|error| Failure {
                kind: FailureKind::Other,
                message: format!("The session cannot be kept in {}: {error}.", home.display()),
            }),
    };
    let mut session = match session {
        Ok(session) => session,
        Err(failure) => return out.failed(&failure),
    };
    out.event(&json!({ "type": "session", "id": session.id, "model": model }));
    session.add(&Record::User { text: prompt.clone() });

    let interrupt = AtomicBool::new(false);
    let player = Player {
        directory,
        home,
        interrupt: &interrupt,
        pace: Duration::ZERO,
        ask: None,
        pieces: false,
    };
    let mut call: Option<(&'static str, String)> = None;
    let end = player.play(&script::read(&prompt), |progress| {
        match &progress {
            Progress::Text(text) => session.add(&Record::Assistant { text: text.clone() }),
            Progress::Call { name, summary, .. } => call = Some((*name, summary.clone())),
            Progress::Result { is_error, output, .. } => {
                let (name, summary) = call.take().unwrap_or_default();
                session.add(&Record::Tool {
                    name: name.to_owned(),
                    summary,
                    output: output.clone(),
                    is_error: *is_error,
                });
            }
            _ => {}
        }
        out.progress(progress);
    });
    match end {
        End::Done => {
            out.event(&json!({ "type": "done" }));
            0
        }
        End::Failed(failure) => out.failed(&failure),
        End::Interrupted => 130,
        End::Exit(code) => code,
        End::Crash => super::crash(),
        End::Torn => {
            out.torn();
            1
        }
    }
}

/// Standard output in one of its two forms.
#[derive(Clone, Copy)]
struct Out {
    json: bool,
}

impl Out {
    fn progress(self, progress: Progress) {
        if !self.json {
            if let Progress::Text(text) = progress {
                self.line(&text);
            }
            return;
        }
        let event = match progress {
            Progress::Garbage(line) => return self.line(&line),
            Progress::Text(text) => json!({ "type": "text", "text": text }),
            Progress::Thinking(text) => json!({ "type": "thinking", "text": text }),
            Progress::Call { id, name, summary } => {
                json!({ "type": "tool_call", "id": id, "name": name, "summary": summary })
            }
            Progress::Result { id, is_error, output, .. } => {
                json!({ "type": "tool_result", "id": id, "is_error": is_error, "output": output })
            }
            Progress::Changed(path) => json!({ "type": "file_change", "paths": [path] }),
            Progress::Usage(usage) => json!({
                "type": "usage",
                "input_tokens": usage.input_tokens,
                "cached_tokens": usage.cached_tokens,
                "output_tokens": usage.output_tokens,
                "cost_usd": usage.cost_usd.unwrap_or(0.0),
            }),
            Progress::Retrying { because, .. } => json!({ "type": "retrying", "message": because }),
            // What this stream has no words for.
            Progress::Piece(_)
            | Progress::Edited { .. }
            | Progress::Todo(_)
            | Progress::Title(_)
            | Progress::Context { .. }
            | Progress::Limit { .. } => return,
        };
        self.event(&event);
    }

    fn failed(self, failure: &Failure) -> i32 {
        self.event(&json!({ "type": "failed", "kind": failure.kind, "message": failure.message }));
        if !self.json {
            eprintln!("error: {}", failure.message);
        }
        1
    }

    fn torn(self) {
        if self.json {
            let mut out = std::io::stdout().lock();
            let _ = out.write_all(br#"{"type":"text","te"#);
            let _ = out.flush();
        }
    }

    fn event(self, event: &Value) {
        if self.json {
            self.line(&event.to_string());
        }
    }

    /// Whoever reads us may be gone; the work goes on.
    fn line(self, line: &str) {
        let mut out = std::io::stdout().lock();
        let _ = writeln!(out, "{line}");
        let _ = out.flush();
    }
}

//! What running turns say, for those who watch: the end of it in memory, and new lines to whoever listens.
//! Nothing of it is evidence; that is in the journal.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use maestro_core::RunId;
use maestro_core::playbook::{Heard, HeardKind};
use maestro_core::turn::Event;
use tokio::sync::broadcast;

/// Lines that are kept of a run.
const KEPT: usize = 300;
/// The longest line, in bytes.
const LINE: usize = 2_000;
/// The most lines that one thing said is cut into; what is more is left out.
const LINES: usize = 60;
/// Lines that may wait for a listener. One that is slower misses some.
const WAITING: usize = 1_024;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Hub {
    runs: Mutex<HashMap<RunId, Said>>,
}

#[derive(Debug)]
struct Said {
    lines: VecDeque<Heard>,
    sender: broadcast::Sender<Heard>,
}

impl Default for Said {
    fn default() -> Self {
        Self { lines: VecDeque::new(), sender: broadcast::channel(WAITING).0 }
    }
}

impl Hub {
    fn runs(&self) -> MutexGuard<'_, HashMap<RunId, Said>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was said last, and what will be from here on.
    pub(super) fn listen(&self, run: RunId) -> (Vec<Heard>, broadcast::Receiver<Heard>) {
        let mut runs = self.runs();
        let said = runs.entry(run).or_default();
        (said.lines.iter().cloned().collect(), said.sender.subscribe())
    }

    /// Somebody said something.
    pub(super) fn say(&self, run: RunId, task: u32, kind: HeardKind, text: &str) {
        let mut runs = self.runs();
        let said = runs.entry(run).or_default();
        for line in text.lines().filter(|line| !line.trim().is_empty()).take(LINES) {
            let heard = Heard { task, kind, text: visible(line) };
            if said.lines.len() >= KEPT {
                let _ = said.lines.pop_front();
            }
            said.lines.push_back(heard.clone());
            // Without a listener there is nobody to tell.
            let _ = said.sender.send(heard);
        }
    }

    /// The same for what a turn tells.
    pub(super) fn event(&self, run: RunId, task: u32, event: &Event) {
        match event {
            Event::Text(text) => self.say(run, task, HeardKind::Text, text),
            Event::Thinking(text) => self.say(run, task, HeardKind::Thinking, text),
            Event::ToolCall { name, summary, .. } => {
                self.say(run, task, HeardKind::Tool, &format!("{name} {summary}"));
            }
            Event::ToolResult { is_error: true, output, .. } => {
                self.say(run, task, HeardKind::Tool, &format!("failed: {output}"));
            }
            Event::FileChange(paths) => self.say(run, task, HeardKind::Tool, &paths.join(", ")),
            Event::Retrying(text) | Event::Notice(text) => {
                self.say(run, task, HeardKind::Maestro, text);
            }
            Event::Session { .. } | Event::ToolResult { .. } | Event::Usage(_) | Event::Raw(_) => {}
        }
    }

    /// The run has ended: who listens hears that nothing more comes, and what was said is forgotten.
    pub(super) fn end(&self, run: RunId) {
        let _ = self.runs().remove(&run);
    }
}

/// A line of bounded length in which control characters can be seen.
fn visible(line: &str) -> String {
    let mut shown = String::with_capacity(line.len().min(LINE));
    for c in line.chars() {
        if shown.len() >= LINE {
            shown.push('…');
            break;
        }
        match c {
            '\t' => shown.push_str("    "),
            '\0'..='\u{1f}' => shown.extend(char::from_u32(0x2400 + u32::from(c))),
            c if c.is_control() => {}
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            c => shown.push(c),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_kept_and_listeners_hear_the_rest() {
        let hub = Hub::default();
        let run = RunId(1);
        for n in 0..400 {
            hub.say(run, 0, HeardKind::Text, &format!("line {n}\n\n"));
        }
        let (before, mut listener) = hub.listen(run);
        assert_eq!(before.len(), KEPT);
        assert_eq!(before.first().map(|line| line.text.as_str()), Some("line 100"));
        hub.say(run, 1, HeardKind::Verify, &format!("a\x1b[1m\t{}", "ä".repeat(LINE)));
        let heard = listener.try_recv().expect("a line");
        assert_eq!((heard.task, heard.kind), (1, HeardKind::Verify));
        assert!(heard.text.starts_with("a␛[1m    ä") && heard.text.len() < LINE + 8);
        hub.end(run);
        assert!(matches!(listener.try_recv(), Err(broadcast::error::TryRecvError::Closed)));
    }
}

//! The line at the bottom of a terminal that says how a run goes. It is redrawn in place and gone before
//! anything else is printed, and when the command ends in whatever way.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use maestro_core::run::{Run, State};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::super::output::{self, now_ms};
use super::steps::{cost, title};

/// How often it is drawn anew.
const EVERY: Duration = Duration::from_secs(1);

/// Columns of a terminal that does not tell.
const COLUMNS: usize = 80;

/// To the first column, and everything from there to the end of the line away.
const CLEAR: &str = "\r\x1b[K";

/// The line, on the standard error: what goes to the standard output stays as it is.
#[derive(Debug)]
pub struct Live {
    /// Whether there is a terminal that understands it.
    wanted: bool,
    drawn: Option<Instant>,
}

impl Live {
    pub fn new(json: bool) -> Self {
        let dumb = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
        Self { wanted: !json && !dumb && io::stderr().is_terminal(), drawn: None }
    }

    /// Draws it when it is time to, with how a run stands.
    pub fn show(&mut self, run: &Run) {
        if !self.wanted || self.drawn.is_some_and(|drawn| drawn.elapsed() < EVERY) {
            return;
        }
        let text = line(run, now_ms(), columns());
        // A terminal that is gone takes no harm; the run is what counts.
        let _ = write!(io::stderr(), "{CLEAR}{text}").and_then(|()| io::stderr().flush());
        self.drawn = Some(Instant::now());
    }

    /// Takes it away.
    pub fn clear(&mut self) {
        if self.drawn.take().is_some() {
            let _ = write!(io::stderr(), "{CLEAR}").and_then(|()| io::stderr().flush());
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Columns that stay free: the terminal itself puts `^C` behind the line when it is pressed, once or twice,
/// and what had been pushed into the next row could not be taken away any more.
const FREE: usize = 5;

/// How a run stands, in what is free of so many columns.
fn line(run: &Run, now_ms: u64, columns: usize) -> String {
    let total = run.done.saturating_add(run.open);
    let mut parts = vec![format!("{} {}/{total}", run.id, run.done)];
    let elapsed =
        |since: u64| output::duration(Duration::from_secs(now_ms.saturating_sub(since) / 1000));
    match &run.state {
        State::Queued { because } => {
            parts.push(format!("queued: {}", output::plain(because)));
        }
        State::Waiting { until_ms, because } => {
            parts.push(format!("waiting: {}", output::plain(because)));
            if *until_ms > now_ms {
                let left = Duration::from_secs((until_ms - now_ms) / 1000);
                parts.push(format!("{} left", output::duration(left)));
            }
        }
        State::Paused(_) => parts.push("paused".to_owned()),
        State::Interrupted => parts.push("interrupted".to_owned()),
        State::Running | State::Stopping | State::Ended(_) => {
            if run.state == State::Stopping {
                parts.push("stopping".to_owned());
            }
            if let Some(task) = run.tasks.iter().rev().find(|task| task.state.is_under_way()) {
                parts.push(title(&task.text));
                parts.push(elapsed(task.started_ms));
            } else {
                parts.push(elapsed(run.started_ms));
            }
        }
    }
    // What a task costs is seen while it fills up; so the long text gives way.
    let tail = cost(&run.usage).map(|cost| format!(" · {cost}")).unwrap_or_default();
    let room = columns.saturating_sub(FREE);
    let head = cut(&parts.join(" · "), room.saturating_sub(tail.width()));
    cut(&format!("{head}{tail}"), room)
}

/// A text in at most so many columns.
fn cut(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut left = columns.saturating_sub(1);
    let mut kept = String::new();
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if wide > left {
            break;
        }
        left -= wide;
        kept.push(c);
    }
    if columns > 0 {
        kept.push('…');
    }
    kept
}

#[cfg(unix)]
fn columns() -> usize {
    let size = rustix::termios::tcgetwinsize(io::stderr());
    size.map(|size| usize::from(size.ws_col)).ok().filter(|cols| *cols > 0).unwrap_or(COLUMNS)
}

#[cfg(not(unix))]
fn columns() -> usize {
    COLUMNS
}

#[cfg(test)]
mod tests {
    use maestro_core::run::{Pause, Task};
    use maestro_core::turn::Usage;

    use super::super::steps::tests::run;
    use super::*;

    #[test]
    fn the_line_says_how_far_it_is_and_fits() {
        let mut run = run(3, 1);
        let mut task = Task::new("a.md".into(), "Add a\ttotal\x1b[2J".to_owned(), 3, 1_000);
        task.attempts = 1;
        run.tasks.push(task);
        run.usage = Usage {
            input_tokens: 40_000,
            output_tokens: 5_200,
            cost_usd: Some(0.124),
            ..Usage::default()
        };
        let wide = line(&run, 66_000, 200);
        assert_eq!(wide, "r1 1/4 · Add a total·[2J · 1 min 5 s · $0.12 · 45.2k tokens");
        for columns in 0..80 {
            let text = line(&run, 66_000, columns);
            assert!(text.width() <= columns.saturating_sub(FREE), "{columns}: {text}");
            assert!(!text.chars().any(char::is_control), "{text:?}");
        }
        assert!(line(&run, 66_000, 54).ends_with("… · $0.12 · 45.2k tokens"));
        run.state = State::Waiting { until_ms: 186_000, because: "a limit".to_owned() };
        assert!(line(&run, 66_000, 200).contains("waiting: a limit · 2 min 0 s left"));
        run.state = State::Paused(Pause::User);
        assert!(line(&run, 66_000, 200).starts_with("r1 1/4 · paused"));
    }

    #[test]
    fn texts_are_cut_by_columns_not_by_characters() {
        assert_eq!(cut("日本語", 6), "日本語");
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut("日本語", 4), "日…");
        assert_eq!(cut("ab", 1), "…");
        assert_eq!(cut("ab", 0), "");
    }
}

//! What is said of runs and their tasks, in a line.

use std::path::{Path, PathBuf};

use iced::Color;
use maestro_core::run::{Ending, Run, State, Task, TaskState, Verify};
use maestro_core::text;
use maestro_ui::icon::Icon;
use maestro_ui::status;
use maestro_ui::theme::Tokens;

use super::ago;

/// The first document's name; a number for those after it.
pub fn title(run: &Run) -> String {
    let name = run.spec.documents.first().and_then(|path| path.file_name());
    let name = name.map_or_else(|| run.id.to_string(), |name| name.to_string_lossy().into_owned());
    match run.spec.documents.len() {
        0 | 1 => name,
        count => format!("{name} +{}", count - 1),
    }
}

/// A command in one line: its first, without the sign of a comment.
pub fn command(command: &str) -> String {
    let mut lines = command.trim().lines();
    let first = lines.next().unwrap_or_default().trim();
    let first = first.strip_prefix('#').map_or(first, str::trim);
    if lines.next().is_some() { format!("{first} …") } else { first.to_owned() }
}

/// What a document of a run is called; a working copy by what it is a copy of.
pub fn called(run: &Run, document: &Path) -> String {
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let stem = document.file_stem().unwrap_or_default().to_string_lossy();
    let is_copy = |original: &&PathBuf| {
        let begins = original.file_stem().unwrap_or_default().to_string_lossy();
        let rest = stem.strip_prefix(&*begins);
        rest.is_some_and(|rest| rest.starts_with(&format!("-{}-loop-", run.started_ms)))
    };
    let documents = &run.spec.documents;
    let own = documents.iter().any(|own| own == document);
    match documents.iter().filter(|_| !own).find(is_copy) {
        Some(original) => format!("{} (a copy)", name(original)),
        None => name(document),
    }
}

/// How far a run is: `3 of 5 · 41 min · $1.90`.
pub fn summary(run: &Run, now_ms: u64) -> String {
    let end = run.ended_ms.unwrap_or(now_ms);
    let mut words = format!("{} of {}", run.done, run.done + run.open);
    let took = end.saturating_sub(run.started_ms);
    if took >= 1000 {
        // Whole minutes once there are any: the panel is not rebuilt every second.
        let took = if took >= 60_000 { took / 60_000 * 60_000 } else { took };
        words = format!("{words} · {}", ago::took(took));
    }
    match run.usage.cost_usd {
        Some(cost) if cost >= 0.005 => format!("{words} · ${cost:.2}"),
        _ => words,
    }
}

/// How a run stands, without colour.
pub fn state_words(run: &Run) -> String {
    standing(run, &maestro_ui::theme::NOCTURNE).0
}

/// The shape of how a run stands.
pub fn shape(run: &Run, tokens: &Tokens) -> (Icon, Color) {
    match &run.state {
        State::Running | State::Stopping => status::of_task(tokens, TaskState::Working),
        State::Queued { .. } => (Icon::Clock, tokens.faint),
        State::Waiting { .. } => (Icon::Clock, tokens.purple),
        State::Paused(_) => (Icon::Diamond, tokens.accent),
        State::Interrupted => (Icon::DashedRing, tokens.orange),
        State::Ended(Ending::Completed) => (Icon::Check, tokens.green),
        State::Ended(Ending::WithFailures | Ending::Failed(_)) => (Icon::Failed, tokens.red),
        State::Ended(Ending::Stopped | Ending::Killed) => (Icon::Ring, tokens.faint),
    }
}

/// How a run stands, and in which colour.
pub fn standing(run: &Run, tokens: &Tokens) -> (String, Color) {
    match &run.state {
        State::Queued { because } => (
            format!("Queued. {}", maestro_ui::part::sentence(&text::clean(because, 400))),
            tokens.dim,
        ),
        State::Running => ("working".to_owned(), tokens.blue),
        State::Stopping => ("stops after this task".to_owned(), tokens.dim),
        State::Waiting { because, .. } => (because.clone(), tokens.purple),
        State::Paused(pause) => (
            format!("Paused. {}", maestro_ui::part::sentence(&text::clean(&pause.sentence(), 400))),
            tokens.accent,
        ),
        State::Interrupted => {
            ("interrupted; goes on when the host has recovered".to_owned(), tokens.orange)
        }
        State::Ended(Ending::Completed) => ("every task is done".to_owned(), tokens.green),
        State::Ended(Ending::WithFailures) => ("ended; some tasks failed".to_owned(), tokens.red),
        State::Ended(Ending::Stopped) => ("stopped".to_owned(), tokens.dim),
        State::Ended(Ending::Killed) => ("killed".to_owned(), tokens.dim),
        State::Ended(Ending::Failed(why)) => (why.clone(), tokens.red),
    }
}

/// Open boxes that no attempt was made at yet.
pub fn unvisited(run: &Run) -> usize {
    let open_touched = run.tasks.iter().filter(|task| task.state != TaskState::Done).count();
    (run.open as usize).saturating_sub(open_touched)
}

/// The evidence where its command does not fit: that it was verified, and how long it took.
pub fn short(task: &Task) -> Option<String> {
    let verified = task.state == TaskState::Done && task.verify.is_some();
    verified.then(|| format!("verified{} · {}", again(task), ago::took(task.duration_ms)))
}

fn again(task: &Task) -> String {
    match (task.repairs, task.attempts) {
        (0, 0 | 1) => String::new(),
        (1, 0 | 1) => " after 1 repair".to_owned(),
        (repairs, 0 | 1) => format!(" after {repairs} repairs"),
        (_, attempts) => format!(" in attempt {attempts}"),
    }
}

/// What speaks for a task's state, in a line; whether it is bad news.
pub fn evidence(task: &Task, now_ms: u64) -> (String, bool) {
    let took = ago::took(task.duration_ms);
    let again = again(task);
    let because = task.because.as_deref();
    match (task.state, &task.verify) {
        (TaskState::Done, Some(verify)) => {
            (format!("verified{again}: {} · {took}", command(&verify.command)), false)
        }
        (TaskState::Done, None) => (format!("done{again} · {took}"), false),
        (TaskState::Failed, verify) => (failure(because, verify.as_ref()), true),
        (TaskState::Verifying, Some(verify)) => {
            (format!("verifying: {}", command(&verify.command)), false)
        }
        (TaskState::Verifying, None) => ("verifying".to_owned(), false),
        (TaskState::Committing, _) => ("committing".to_owned(), false),
        (TaskState::Skipped, _) => ("skipped".to_owned(), false),
        (TaskState::Undone, _) => ("undone".to_owned(), false),
        (TaskState::Working, _) => {
            let session = task.session.as_deref().map(|id| {
                let short: String = id.chars().take(8).collect();
                format!("session {short}")
            });
            let attempt = (task.attempts > 1).then(|| format!("attempt {}", task.attempts));
            let since = now_ms.saturating_sub(task.started_ms);
            let since = (task.started_ms > 0 && since >= 1000).then(|| ago::took(since));
            let facts = [session, attempt, because.map(str::to_owned), since];
            let words: Vec<_> = facts.into_iter().flatten().collect();
            (if words.is_empty() { "working".to_owned() } else { words.join(" · ") }, false)
        }
    }
}

fn failure(because: Option<&str>, verify: Option<&Verify>) -> String {
    match (because, verify) {
        (Some(because), _) => because.to_owned(),
        (None, Some(Verify { command, exit_code: Some(code), .. })) => {
            format!("{command} exited with {code}")
        }
        (None, Some(Verify { command, exit_code: None, .. })) => format!("{command} was ended"),
        (None, None) => "failed".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::scene;
    use super::*;

    #[test]
    fn a_run_says_how_far_it_is() {
        let run = &scene::world().runs[0];
        assert_eq!(title(run), "preferences.md");
        let copy = format!("/x/preferences-{}-loop-2.md", run.started_ms);
        assert_eq!(called(run, Path::new(&copy)), "preferences.md (a copy)");
        assert_eq!(called(run, Path::new("/x/preferences-2.md")), "preferences-2.md");
        assert_eq!(command("# the project's own tests\nmake test\n"), "the project's own tests …");
        assert_eq!(command(" make test\n"), "make test");
        assert!(summary(run, scene::NOW_MS).starts_with("3 of 5 · "));
        assert_eq!(unvisited(run), 1);
    }

    #[test]
    fn evidence_names_the_command() {
        let run = &scene::world().runs[0];
        let (words, wrong) = evidence(&run.tasks[0], scene::NOW_MS);
        assert!(words.starts_with("verified: cargo test"), "{words}");
        assert!(!wrong);
    }
}

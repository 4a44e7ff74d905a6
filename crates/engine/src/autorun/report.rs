//! The report of a run: markdown for people, written when it ends.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use maestro_core::run::{Ending, Run, State, Task, TaskState};
use maestro_core::turn::Usage;

/// The folder of reports beside the documents. Whoever lists documents leaves it out.
pub const FOLDER: &str = "reports";

/// Tasks that are told one by one.
const TOLD: usize = 2_000;
/// Bytes that are shown of what a command printed.
const PRINTED: usize = 2_000;

/// The report as markdown. It has no box in it, so that nobody takes it for a checklist.
pub fn render(run: &Run) -> String {
    let mut text = String::new();
    let count = |state| run.tasks.iter().filter(|task| task.state == state).count();
    let (done, failed) = (count(TaskState::Done), count(TaskState::Failed));
    let (skipped, undone) = (count(TaskState::Skipped), count(TaskState::Undone));
    let _ = writeln!(text, "# Run {}\n\n{}\n", run.id, ending(run));
    let _ = writeln!(text, "| | |\n|---|---|");
    let mut row = |name: &str, value: String| {
        if !value.is_empty() {
            let _ = writeln!(text, "| {name} | {} |", cell(&value));
        }
    };
    let mut tasks = format!("{done} done");
    for (count, word) in [(failed, "failed"), (skipped, "skipped"), (undone, "undone")] {
        if count > 0 {
            let _ = write!(tasks, ", {count} {word}");
        }
    }
    if run.open > 0 {
        let word = if run.open == 1 { "box is" } else { "boxes are" };
        let _ = write!(tasks, "; {} {word} open", run.open);
    }
    row("Tasks", tasks);
    row("Started", time(run.started_ms));
    row("Ended", run.ended_ms.map(time).unwrap_or_default());
    row("Worked", duration(run.worked_ms));
    row("Turns", run.turns.to_string());
    row("Passes", if run.pass > 1 { run.pass.to_string() } else { String::new() });
    row("Used", usage(&run.usage));
    row("Agent", run.spec.provider.to_string());
    row("Directory", run.spec.directory.display().to_string());
    row("Pull request", run.pull_request.clone().unwrap_or_default());
    let documents: Vec<String> =
        run.spec.documents.iter().map(|path| path.display().to_string()).collect();
    row("Documents", documents.join(", "));

    let _ = writeln!(text, "\n## Tasks\n");
    for (number, task) in run.tasks.iter().enumerate().take(TOLD) {
        tell(&mut text, number, task);
    }
    if run.tasks.len() > TOLD {
        let _ =
            writeln!(text, "\n… and {} more; the history has them all.", run.tasks.len() - TOLD);
    }
    if run.tasks.is_empty() {
        let _ = writeln!(text, "None was begun.");
    }
    if !run.flags.is_empty() {
        let _ = writeln!(text, "\n## Worth knowing\n");
        for flag in &run.flags {
            let _ = writeln!(text, "- {}: {}", time(flag.at_ms), line(&flag.text));
        }
    }
    text
}

fn ending(run: &Run) -> String {
    match &run.state {
        State::Ended(Ending::Completed) => "Every task is done and verified.".to_owned(),
        State::Ended(Ending::WithFailures) => {
            "It went through, but not every task is done.".to_owned()
        }
        State::Ended(Ending::Stopped) => "It was stopped before it was through.".to_owned(),
        State::Ended(Ending::Killed) => "It was ended in the middle of its work.".to_owned(),
        State::Ended(Ending::Failed(because)) => format!("It could not go on: {}", line(because)),
        _ => "It has not ended yet.".to_owned(),
    }
}

fn tell(text: &mut String, number: usize, task: &Task) {
    let state = match task.state {
        TaskState::Done => "done",
        TaskState::Failed => "FAILED",
        TaskState::Skipped => "skipped",
        TaskState::Undone => "undone",
        TaskState::Working | TaskState::Verifying | TaskState::Committing => "not finished",
    };
    let document = task.document.file_name().unwrap_or_default().to_string_lossy();
    let _ = writeln!(
        text,
        "{}. **{state}**: {} ({}, line {})",
        number + 1,
        line(&task.text),
        line(&document),
        task.line
    );
    let mut facts = Vec::new();
    if task.attempts > 1 {
        facts.push(format!("{} attempts", task.attempts));
    }
    if task.repairs > 0 {
        facts.push(format!("{} repairs", task.repairs));
    }
    if task.duration_ms > 0 {
        facts.push(duration(task.duration_ms));
    }
    let used = usage(&task.usage);
    if !used.is_empty() {
        facts.push(used);
    }
    if !task.commits.is_empty() {
        let short: Vec<&str> = task.commits.iter().map(|id| id.get(..10).unwrap_or(id)).collect();
        facts.push(format!("commits {}", short.join(" ")));
    }
    if !facts.is_empty() {
        let _ = writeln!(text, "   {}", facts.join(", "));
    }
    if let Some(because) = &task.because {
        let _ = writeln!(text, "   {}", line(because));
    }
    if let Some(verify) = &task.verify {
        let code = verify.exit_code.map_or("a signal".to_owned(), |code| code.to_string());
        let _ = writeln!(text, "   `{}` ended with {code}", verify.command.replace('`', "'"));
        if verify.exit_code != Some(0) && !verify.output.is_empty() {
            let begin = verify.output.len().saturating_sub(PRINTED);
            let begin = (begin..=verify.output.len())
                .find(|at| verify.output.is_char_boundary(*at))
                .unwrap_or_default();
            // Indented: it is code, whatever is in it.
            let _ = writeln!(text);
            for printed in verify.output[begin..].lines() {
                let _ = writeln!(text, "       {}", without_boxes(printed));
            }
            let _ = writeln!(text);
        }
    }
}

/// Text that stays on its line, and is no box.
fn line(text: &str) -> String {
    without_boxes(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn without_boxes(text: &str) -> String {
    text.replace("[ ]", "[·]").replace("[x]", "[x·]").replace("[X]", "[X·]")
}

fn cell(text: &str) -> String {
    line(text).replace('|', "\\|")
}

/// A time in the user's time zone.
fn time(at_ms: u64) -> String {
    zoned(at_ms, "%Y-%m-%d %H:%M")
}

fn zoned(at_ms: u64, format: &str) -> String {
    let at = i64::try_from(at_ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    let at = at.unwrap_or_default().to_zoned(jiff::tz::TimeZone::system());
    at.strftime(format).to_string()
}

fn duration(ms: u64) -> String {
    let s = ms / 1000;
    match (s / 3600, s / 60 % 60, s % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, s) => format!("{m} min {s} s"),
        (h, m, _) => format!("{h} h {m} min"),
    }
}

fn usage(usage: &Usage) -> String {
    if *usage == Usage::default() {
        return String::new();
    }
    let tokens = format!("{} tokens in, {} out", usage.input_tokens, usage.output_tokens);
    match usage.cost_usd {
        Some(cost) => format!("{tokens}, ${cost:.2}"),
        None => tokens,
    }
}

/// Writes the report beside the documents, or below `otherwise` where that cannot be written to. Gives
/// where it is.
///
/// # Errors
///
/// When neither can be written, in a sentence.
pub(super) fn write(run: &Run, otherwise: &Path) -> Result<PathBuf, String> {
    let beside = run
        .spec
        .options
        .playbook
        .clone()
        .or_else(|| run.spec.documents.first()?.parent().map(Path::to_owned));
    let name = format!("{}-{}.md", zoned(run.started_ms, "%Y-%m-%d"), run.id);
    let text = render(run);
    let mut problem = String::new();
    for folder in beside.into_iter().chain([otherwise.to_owned()]) {
        let folder = folder.join(FOLDER);
        match place(&folder, &name, &text) {
            Ok(path) => return Ok(path),
            Err(error) => problem = format!("{}: {error}", folder.display()),
        }
    }
    Err(format!("The report of {} could not be written to {problem}.", run.id))
}

fn place(folder: &Path, name: &str, text: &str) -> std::io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let (path, draft) = (folder.join(name), folder.join(format!(".{name}.draft")));
    let written = fs::File::create(&draft).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    if let Err(error) = written.and_then(|()| fs::rename(&draft, &path)) {
        let _ = fs::remove_file(&draft);
        return Err(error);
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use maestro_core::checklist::Document;
    use maestro_core::run::{Options, Spec, Verify};
    use maestro_core::{RunId, agent::Provider};

    use super::*;

    fn run(folder: &Path) -> Run {
        let spec = Spec {
            documents: vec![folder.join("tasks.md")],
            directory: folder.to_owned(),
            provider: Provider::Demo,
            agent: None,
            model: None,
            turn_timeout_s: 0,
            silence_timeout_s: 0,
            verify_timeout_s: 0,
            attempts: 1,
            unattended: true,
            options: Options::default(),
        };
        let mut run = Run::new(RunId(3), spec, 1_773_014_707_000, 1, 1);
        run.state = State::Ended(Ending::WithFailures);
        for (text, state) in [("Write\n- [ ] it", TaskState::Done), ("Test it", TaskState::Failed)]
        {
            let mut task = Task::new(folder.join("tasks.md"), text.to_owned(), 2, 0);
            task.state = state;
            task.verify = Some(Verify {
                command: "make".into(),
                exit_code: Some(i32::from(state != TaskState::Done)),
                output: "- [ ] not a box\n- [x] nor this\nbroken".into(),
            });
            run.tasks.push(task);
        }
        run
    }

    #[test]
    fn a_report_tells_every_task_and_is_no_checklist() {
        let folder = tempfile::tempdir().expect("a folder");
        let text = render(&run(folder.path()));
        for part in [
            "1 done, 1 failed",
            "**done**: Write",
            "**FAILED**: Test it",
            "broken",
            "`make` ended with 1",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let document = Document::parse(text.into_bytes()).expect("markdown");
        assert_eq!(document.tasks().len(), 0);
    }

    #[test]
    fn it_is_written_beside_the_documents_or_elsewhere() {
        let folder = tempfile::tempdir().expect("a folder");
        let run = run(&folder.path().join("plans"));
        let path = write(&run, folder.path()).expect("written");
        assert!(path.starts_with(folder.path().join("plans/reports")), "{}", path.display());
        fs::remove_dir_all(folder.path().join("plans")).expect("removed");
        fs::write(folder.path().join("plans"), "in the way").expect("a file");
        let path = write(&run, folder.path()).expect("written");
        assert!(path.starts_with(folder.path().join("reports")), "{}", path.display());
    }
}

use maestro_core::RunId;
use maestro_core::agent::Provider;
use maestro_core::run::{Spec, Verify};

use super::*;

/// A run with so many open and done boxes and nothing begun.
pub fn run(open: u32, done: u32) -> Run {
    let spec = Spec {
        documents: vec!["/w/a.md".into()],
        directory: "/w".into(),
        provider: Provider::Demo,
        agent: None,
        model: None,
        turn_timeout_s: 0,
        silence_timeout_s: 0,
        verify_timeout_s: 0,
        attempts: 3,
        unattended: true,
        options: maestro_core::run::Options::default(),
    };
    Run::new(RunId(1), spec, 1_000, open, done)
}

fn task(text: &str, state: TaskState, attempts: u32) -> Task {
    let mut task = Task::new("/w/a.md".into(), text.to_owned(), 3, 2_000);
    task.state = state;
    task.attempts = attempts;
    task
}

/// The types of the events.
fn kinds(steps: &[Step], run: &Run) -> Vec<String> {
    let kind = |step: &Step| step.to_json(run)["type"].as_str().unwrap_or_default().to_owned();
    steps.iter().map(kind).collect()
}

#[test]
fn every_step_is_told_once() {
    let mut progress = Progress::default();
    let mut run = run(2, 0);
    assert_eq!(kinds(&progress.steps(&run), &run), ["start"]);
    assert_eq!(progress.steps(&run), []);
    run.tasks.push(task("One", TaskState::Working, 0));
    assert_eq!(kinds(&progress.steps(&run), &run), ["task_start"]);
    run.tasks[0].attempts = 1;
    assert_eq!(progress.steps(&run), []);
    run.tasks[0].state = TaskState::Verifying;
    assert_eq!(kinds(&progress.steps(&run), &run), ["task_verify"]);
    run.tasks[0].state = TaskState::Working;
    run.tasks[0].repairs = 1;
    assert_eq!(kinds(&progress.steps(&run), &run), ["task_repair"]);
    run.tasks[0].state = TaskState::Committing;
    assert_eq!(kinds(&progress.steps(&run), &run), ["task_commit"]);
    run.tasks[0].state = TaskState::Done;
    assert_eq!(kinds(&progress.steps(&run), &run), ["task_complete"]);
    run.tasks[0].state = TaskState::Undone;
    assert_eq!(kinds(&progress.steps(&run), &run), ["task_undone"]);
    run.state = State::Ended(Ending::WithFailures);
    assert_eq!(kinds(&progress.steps(&run), &run), ["complete"]);
    assert_eq!(progress.steps(&run), []);
}

#[test]
fn what_was_skipped_in_between_comes_out_in_order() {
    let mut progress = Progress::default();
    let mut run = run(3, 0);
    run.tasks.push(task("One", TaskState::Done, 2));
    run.tasks.push(task("Passed over", TaskState::Skipped, 0));
    run.tasks.push(task("Two", TaskState::Verifying, 1));
    run.tasks[2].repairs = 1;
    let expected = [
        "start",
        "task_start",
        "task_complete",
        "task_complete",
        "task_start",
        "task_repair",
        "task_verify",
    ];
    assert_eq!(kinds(&progress.steps(&run), &run), expected);
    // The next attempt begins and ends unseen.
    run.tasks[2] = task("Two", TaskState::Failed, 2);
    run.tasks[2].repairs = 1;
    assert_eq!(kinds(&progress.steps(&run), &run), ["task_start", "task_complete"]);
}

#[test]
fn what_was_told_is_not_told_again_when_another_host_knows_less_for_a_moment() {
    let mut progress = Progress::default();
    let mut run = run(3, 0);
    run.tasks.push(task("One", TaskState::Working, 1));
    run.turns = 1;
    let before = run.clone();
    run.tasks[0].state = TaskState::Done;
    let done = run.clone();
    run.tasks.push(task("Two", TaskState::Working, 1));
    run.turns = 2;
    assert_eq!(
        kinds(&progress.steps(&run), &run),
        ["start", "task_start", "task_complete", "task_start"]
    );
    assert_eq!(progress.steps(&before), []);
    assert_eq!(progress.steps(&done), []);
    assert_eq!(progress.steps(&run), []);
    let mut progress = Progress::default();
    let _ = progress.steps(&done);
    assert_eq!(progress.steps(&before), []);
    assert_eq!(progress.steps(&done), []);
}

#[test]
fn a_task_that_is_tried_again_by_its_user_begins_anew() {
    let mut progress = Progress::default();
    let mut run = run(1, 0);
    run.tasks.push(task("One", TaskState::Failed, 1));
    run.turns = 1;
    let _ = progress.steps(&run);
    let mut seen = progress;
    run.tasks[0] = task("One", TaskState::Working, 0);
    assert_eq!(kinds(&seen.steps(&run), &run), ["task_start"]);
    run.tasks[0] = task("One", TaskState::Working, 1);
    run.turns = 2;
    assert_eq!(seen.steps(&run), []);
    // The moment without an attempt was not seen.
    let mut unseen = Progress::default();
    run.tasks[0] = task("One", TaskState::Failed, 1);
    run.turns = 1;
    let _ = unseen.steps(&run);
    run.tasks[0] = task("One", TaskState::Working, 1);
    run.turns = 2;
    assert_eq!(kinds(&unseen.steps(&run), &run), ["task_start"]);
}

#[test]
fn flags_that_were_dropped_in_between_bring_no_old_ones_back() {
    let flag = |at_ms| Flag { at_ms, task: Some(0), text: format!("flag {at_ms}") };
    let mut progress = Progress::default();
    let mut run = run(1, 0);
    let _ = progress.steps(&run);
    run.flags = vec![flag(1), flag(2)];
    assert_eq!(progress.steps(&run), [Step::Flagged(flag(1)), Step::Flagged(flag(2))]);
    run.flags = vec![flag(2), flag(3)];
    assert_eq!(progress.steps(&run), [Step::Flagged(flag(3))]);
    run.flags = vec![flag(8), flag(9)];
    assert_eq!(progress.steps(&run), [Step::Flagged(flag(8)), Step::Flagged(flag(9))]);
    assert_eq!(progress.steps(&run), []);
}

#[test]
fn pauses_and_waits_begin_and_end() {
    let mut progress = Progress::default();
    let mut run = run(1, 0);
    let _ = progress.steps(&run);
    let gate = Pause::Gate {
        document: "/w/plan.md".into(),
        line: 7,
        reason: "Look at the\x1b page".to_owned(),
        artifact: Some("page.html".to_owned()),
    };
    for (state, kind, text) in [
        (
            State::Paused(gate),
            "paused",
            "paused: plan.md, line 7: Look at the· page (look at page.html)",
        ),
        (State::Running, "resumed", "going on"),
        (
            State::Waiting { until_ms: 0, because: "a limit".to_owned() },
            "waiting",
            "waiting: a limit",
        ),
        (
            State::Interrupted,
            "interrupted",
            "interrupted: the host ended, and goes on when it runs again",
        ),
        (State::Running, "resumed", "going on"),
        (State::Stopping, "stopping", "stopping after this task"),
    ] {
        run.state = state;
        let steps = progress.steps(&run);
        assert_eq!(kinds(&steps, &run), [kind]);
        assert_eq!(steps[0].to_text(&run), text);
    }
    // Stopping was taken back: nothing stood still.
    run.state = State::Running;
    assert_eq!(progress.steps(&run), []);
    run.pausing = true;
    let steps = progress.steps(&run);
    assert_eq!(kinds(&steps, &run), ["pausing"]);
    assert_eq!(steps[0].to_text(&run), "pausing after this task");
    assert_eq!(progress.steps(&run), [], "once");
    run.pausing = false;
    assert_eq!(progress.steps(&run), []);
    run.pass = 2;
    assert_eq!(kinds(&progress.steps(&run), &run), ["pass"]);
}

#[test]
fn the_end_says_what_no_command_decided_about() {
    let mut run = run(1, 2);
    let mut verified = task("Verified", TaskState::Done, 1);
    verified.verify =
        Some(Verify { command: "true".to_owned(), exit_code: Some(0), output: String::new() });
    // The same task failed in the first pass and was done in the second.
    let mut again = task("Again", TaskState::Done, 1);
    again.line = 9;
    let mut before = task("Again", TaskState::Failed, 1);
    before.line = 9;
    run.tasks = vec![verified, before, again, task("Failed", TaskState::Failed, 3)];
    assert_eq!(Counts::of(&run), Counts { failed: 1, unverified: 1 });
    let end = Step::Ended { done: 2, open: 1, ending: Ending::WithFailures, elapsed_ms: 65_000 };
    assert_eq!(
        end.to_text(&run),
        "2 done, 1 open · 1 min 5 s · 1 failed · 1 done without a command that verifies"
    );
    let event = end.to_json(&run);
    assert_eq!((&event["failed"], &event["unverified"]), (&json!(1), &json!(1)));
}

#[test]
fn nothing_of_a_task_reaches_the_terminal_as_it_is() {
    let run = run(1, 0);
    let mut evil = task("Do\x1b]0;x\x07 it\u{202e}", TaskState::Failed, 2);
    evil.because = Some("because\r\x1b[2J".to_owned());
    let flag = Flag { at_ms: 1, task: None, text: "a\x1bflag".to_owned() };
    for step in [
        Step::TaskStarted { number: 1, task: evil.clone() },
        Step::Repairing { number: 1, task: evil.clone() },
        Step::TaskEnded { number: 1, task: evil.clone() },
        Step::TaskUndone { number: 1, task: evil },
        Step::Flagged(flag),
        Step::Waiting { until_ms: 1, because: "x\x1b[1m".to_owned() },
        Step::Paused(Pause::Needed("x\x1b[1m".to_owned())),
        Step::Queued { because: "x\x1b[1m".to_owned() },
    ] {
        let text = step.to_text(&run);
        assert!(!text.chars().any(|c| c.is_control() || c == '\u{202e}'), "{text:?}");
    }
    assert_eq!(title(&"é".repeat(200)).chars().count(), TITLE + 1);
}

#[path = "../../../../tests/flow/schema.rs"]
mod schema;

#[test]
fn every_event_is_as_it_is_described() {
    let mut run = run(2, 0);
    run.usage =
        Usage { input_tokens: 10, output_tokens: 2, cost_usd: Some(0.5), ..Usage::default() };
    run.report = Some("/w/report.md".into());
    let mut full = task("One", TaskState::Done, 2);
    full.session = Some("s".to_owned());
    full.model = Some("m".to_owned());
    full.tree_before = Some("t".to_owned());
    full.commits = vec!["c".to_owned()];
    full.because = Some("why".to_owned());
    full.repairs = 1;
    full.verify = Some(Verify { command: "x".to_owned(), exit_code: None, output: String::new() });
    let bare = task("Two", TaskState::Skipped, 0);
    let gate =
        Pause::Gate { document: "/w/a.md".into(), line: 1, reason: String::new(), artifact: None };
    let ended = |ending| Step::Ended { done: 1, open: 1, ending, elapsed_ms: 5 };
    let steps = [
        Step::Queued { because: "x".to_owned() },
        Step::Started { documents: 1, open: 2 },
        Step::Pass(2),
        Step::TaskStarted { number: 1, task: full.clone() },
        Step::TaskStarted { number: 2, task: bare.clone() },
        Step::Repairing { number: 1, task: full.clone() },
        Step::Verifying { number: 1, task: full.clone() },
        Step::Committing { number: 1, task: full.clone() },
        Step::TaskEnded { number: 1, task: full.clone() },
        Step::TaskEnded { number: 2, task: bare },
        Step::TaskUndone { number: 1, task: full },
        Step::Flagged(Flag { at_ms: 1, task: None, text: "x".to_owned() }),
        Step::Flagged(Flag { at_ms: 1, task: Some(0), text: "x".to_owned() }),
        Step::Waiting { until_ms: 0, because: "x".to_owned() },
        Step::Pausing,
        Step::Paused(Pause::User),
        Step::Paused(gate),
        Step::Paused(Pause::Budget("x".to_owned())),
        Step::Paused(Pause::Needed("x".to_owned())),
        Step::GoesOn,
        Step::Interrupted,
        Step::Stopping,
        ended(Ending::Completed),
        ended(Ending::WithFailures),
        ended(Ending::Failed("x".to_owned())),
    ];
    let heard =
        Heard { task: 0, kind: maestro_core::playbook::HeardKind::Tool, text: "x".to_owned() };
    let mut seen: Vec<String> = Vec::new();
    let events = steps.iter().map(|step| step.to_json(&run)).chain([heard_json(&heard, &run)]);
    for event in events {
        assert_eq!(schema::flaw(&event), None, "{event:#}");
        seen.push(event["type"].as_str().unwrap_or_default().to_owned());
    }
    // These two are printed before there is a run.
    let missing: Vec<String> =
        schema::types().into_iter().filter(|kind| !seen.contains(kind)).collect();
    assert_eq!(missing, ["refused", "plan"]);
}

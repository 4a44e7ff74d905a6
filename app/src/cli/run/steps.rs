//! What there is to tell of a run: its steps, as lines for people and as the JSON objects that
//! `docs/run-events.md` describes.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use maestro_core::conversation::export::tokens;
use maestro_core::playbook::Heard;
use maestro_core::run::{Ending, Flag, Pause, Run, State, Task, TaskState};
use maestro_core::turn::Usage;
use serde_json::{Value, json};

use super::super::output::{self, now_ms};

/// The version of the events: one more when a reader would have to change.
const VERSION: u32 = 1;

/// Characters of a task's text in a line for people.
const TITLE: usize = 100;

/// What has been told of a run. The host sends whole runs and may skip some in between; steps come out
/// complete and in order all the same.
#[derive(Debug, Default)]
pub struct Progress {
    started: bool,
    tasks: Vec<Told>,
    flag: Option<Flag>,
    state: Option<State>,
    pass: u32,
    /// Turns it had begun.
    turns: u32,
    /// Whether it was to pause after its task.
    pausing: bool,
}

/// What was told of a task last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Told {
    state: TaskState,
    attempt: u32,
    repairs: u32,
}

/// One thing to tell. Tasks come with their number, from 1.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    Queued { because: String },
    Started { documents: usize, open: u32 },
    Pass(u32),
    TaskStarted { number: usize, task: Task },
    Repairing { number: usize, task: Task },
    Verifying { number: usize, task: Task },
    Committing { number: usize, task: Task },
    TaskEnded { number: usize, task: Task },
    TaskUndone { number: usize, task: Task },
    Flagged(Flag),
    Waiting { until_ms: u64, because: String },
    Paused(Pause),
    GoesOn,
    Interrupted,
    Stopping,
    Pausing,
    Ended { done: u32, open: u32, ending: Ending, elapsed_ms: u64 },
}

impl Progress {
    /// What is new in a run since the last time.
    pub fn steps(&mut self, run: &Run) -> Vec<Step> {
        let mut steps = Vec::new();
        // A host that took over from a dead one may know less for a moment. What was told stays told.
        if run.turns < self.turns && !matches!(run.state, State::Ended(_)) {
            return steps;
        }
        if let State::Queued { because } = &run.state {
            // Nobody has looked yet what it waits for.
            if !because.is_empty() && self.state.as_ref() != Some(&run.state) {
                steps.push(Step::Queued { because: because.clone() });
                self.state = Some(run.state.clone());
            }
            return steps;
        }
        let is_new = run.turns > self.turns;
        self.turns = self.turns.max(run.turns);
        if !self.started {
            self.started = true;
            self.pass = run.pass;
            steps.push(Step::Started { documents: run.spec.documents.len(), open: run.open });
        }
        if run.pass > self.pass {
            self.pass = run.pass;
            steps.push(Step::Pass(run.pass));
        }
        for (index, task) in run.tasks.iter().enumerate() {
            self.task(index, task, is_new, &mut steps);
        }
        self.flags(run, &mut steps);
        self.state(run, &mut steps);
        let was_pausing = std::mem::replace(&mut self.pausing, run.pausing);
        if run.pausing && !was_pausing && run.state == State::Running {
            steps.push(Step::Pausing);
        }
        steps
    }

    fn task(&mut self, index: usize, task: &Task, is_new: bool, steps: &mut Vec<Step>) {
        // A task is there a moment before its first attempt is counted.
        let attempt = task.attempts.max(1);
        let now = Told { state: task.state, attempt, repairs: task.repairs };
        let before = self.tasks.get(index).copied();
        let was_over = before.is_some_and(|before| !before.state.is_under_way());
        let begins_again = was_over && task.state.is_under_way();
        // One that is tried again begins with no attempt, or with another turn; else it is an old story.
        if begins_again
            && task.attempts > 0
            && !is_new
            && before.is_some_and(|b| b.attempt == attempt)
        {
            return;
        }
        match self.tasks.get_mut(index) {
            Some(told) => *told = now,
            None => self.tasks.push(now),
        }
        if before == Some(now) {
            return;
        }
        let number = index + 1;
        let task = task.clone();
        if task.state == TaskState::Undone {
            return steps.push(Step::TaskUndone { number, task });
        }
        // What was passed over before it was begun has never started.
        let is_begun = task.state != TaskState::Skipped || task.attempts > 0;
        if is_begun && (begins_again || before.is_none_or(|before| before.attempt != attempt)) {
            steps.push(Step::TaskStarted { number, task: task.clone() });
        }
        let repaired = before.filter(|_| !begins_again).map_or(0, |before| before.repairs);
        if task.repairs > repaired {
            steps.push(Step::Repairing { number, task: task.clone() });
        }
        match task.state {
            TaskState::Working | TaskState::Undone => {}
            TaskState::Verifying => steps.push(Step::Verifying { number, task }),
            TaskState::Committing => steps.push(Step::Committing { number, task }),
            TaskState::Done | TaskState::Failed | TaskState::Skipped => {
                steps.push(Step::TaskEnded { number, task });
            }
        }
    }

    fn flags(&mut self, run: &Run, steps: &mut Vec<Step>) {
        // Old ones may have been dropped meanwhile: what comes behind the last that was told is new.
        let told = self.flag.as_ref().and_then(|flag| run.flags.iter().rposition(|f| f == flag));
        let new = &run.flags[told.map_or(0, |told| told + 1)..];
        steps.extend(new.iter().cloned().map(Step::Flagged));
        if let Some(last) = run.flags.last() {
            self.flag = Some(last.clone());
        }
    }

    fn state(&mut self, run: &Run, steps: &mut Vec<Step>) {
        let before = self.state.replace(run.state.clone());
        if before.as_ref() == Some(&run.state) {
            return;
        }
        match &run.state {
            State::Queued { .. } => {}
            State::Running => {
                let stood = matches!(before, Some(State::Paused(_) | State::Waiting { .. }));
                if stood || before == Some(State::Interrupted) {
                    steps.push(Step::GoesOn);
                }
            }
            State::Interrupted => steps.push(Step::Interrupted),
            State::Stopping => steps.push(Step::Stopping),
            State::Paused(pause) => steps.push(Step::Paused(pause.clone())),
            State::Waiting { until_ms, because } => {
                steps.push(Step::Waiting { until_ms: *until_ms, because: because.clone() });
            }
            State::Ended(ending) => steps.push(Step::Ended {
                done: run.done,
                open: run.open,
                ending: ending.clone(),
                elapsed_ms: run.ended_ms.unwrap_or_else(now_ms).saturating_sub(run.started_ms),
            }),
        }
    }
}

impl Step {
    /// As an event.
    pub fn to_json(&self, run: &Run) -> Value {
        let object = match self {
            Self::Queued { because } => json!({ "type": "queued", "because": because }),
            Self::Started { documents: _, open } => json!({
                "type": "start",
                "version": VERSION,
                "provider": run.spec.provider,
                "agent": run.spec.agent.map(|id| id.to_string()),
                "directory": run.spec.directory,
                "worktree": run.worktree,
                "playbook": run.options().playbook,
                "documents": run.spec.documents,
                "done": run.done,
                "open": open,
                "pass": run.pass,
            }),
            Self::Pass(pass) => json!({ "type": "pass", "pass": pass, "open": run.open }),
            Self::TaskStarted { number, task } => {
                let mut object = placed("task_start", *number, task);
                object["attempt"] = json!(task.attempts.max(1));
                object["pass"] = json!(task.pass);
                object["because"] = json!(if task.attempts > 1 { &task.because } else { &None });
                object
            }
            Self::Repairing { number, task } => {
                let mut object = placed("task_repair", *number, task);
                object["attempt"] = json!(task.attempts.max(1));
                object["round"] = json!(task.repairs);
                object["because"] = json!(task.because);
                object
            }
            Self::Verifying { number, task } => {
                let mut object = placed("task_verify", *number, task);
                object["attempt"] = json!(task.attempts.max(1));
                object
            }
            Self::Committing { number, task } => placed("task_commit", *number, task),
            Self::TaskEnded { number, task } => ended(*number, task),
            Self::TaskUndone { number, task } => {
                let mut object = placed("task_undone", *number, task);
                object["because"] = json!(task.because);
                object
            }
            Self::Flagged(flag) => json!({
                "type": "flag",
                "number": flag.task.map(|index| index + 1),
                "text": flag.text,
            }),
            Self::Waiting { until_ms, because } => {
                json!({ "type": "waiting", "until_ms": until_ms, "because": because })
            }
            Self::Paused(pause) => paused(pause),
            Self::GoesOn => json!({ "type": "resumed" }),
            Self::Interrupted => json!({ "type": "interrupted" }),
            Self::Stopping => json!({ "type": "stopping" }),
            Self::Pausing => json!({ "type": "pausing" }),
            Self::Ended { done, open, ending, elapsed_ms } => {
                let counts = Counts::of(run);
                json!({
                    "type": "complete",
                    "success": *ending == Ending::Completed,
                    "ending": ending,
                    "done": done,
                    "open": open,
                    "failed": counts.failed,
                    "unverified": counts.unverified,
                    "passes": run.pass,
                    "turns": run.turns,
                    "usage": run.usage,
                    "elapsed_ms": elapsed_ms,
                    "worked_ms": run.worked_ms,
                    "report": run.report,
                    "pull_request": run.pull_request,
                })
            }
        };
        stamped(object, run)
    }

    /// As a line for people.
    pub fn to_text(&self, run: &Run) -> String {
        match self {
            Self::Queued { because } => format!("queued: {}", output::plain(because)),
            Self::Started { documents, open } => {
                let document = if *documents == 1 { "document" } else { "documents" };
                format!("{documents} {document}, {open} open tasks")
            }
            Self::Pass(pass) => format!("pass {pass}, {} open tasks", run.open),
            Self::TaskStarted { task, .. } => {
                let again = match task.attempts {
                    0 | 1 => String::new(),
                    attempt => format!(" (attempt {attempt}{})", because(task)),
                };
                format!("…  {}{again}", title(&task.text))
            }
            Self::Repairing { task, .. } => {
                format!("   sent back to its session ({}){}", task.repairs, because(task))
            }
            Self::Verifying { .. } => "   verifying".to_owned(),
            Self::Committing { .. } => "   committing".to_owned(),
            Self::TaskEnded { task, .. } => {
                let mark = mark(task.state);
                let mut facts = vec![output::duration(Duration::from_millis(task.duration_ms))];
                facts.extend(cost(&task.usage));
                // Of a task that is done, what is worth knowing all the same: that nothing changed, for one.
                format!("{mark}  {} · {}{}", title(&task.text), facts.join(" · "), because(task))
            }
            Self::TaskUndone { task, .. } => {
                format!("{}  undone: {}{}", mark(task.state), title(&task.text), because(task))
            }
            Self::Flagged(flag) => format!("!  {}", output::plain(&flag.text)),
            Self::Waiting { until_ms, because } => match clock(*until_ms) {
                Some(time) => format!("waiting until {time}: {}", output::plain(because)),
                None => format!("waiting: {}", output::plain(because)),
            },
            Self::Paused(pause) => format!("paused: {}", pause_text(pause)),
            Self::GoesOn => "going on".to_owned(),
            Self::Interrupted => {
                "interrupted: the host ended, and goes on when it runs again".to_owned()
            }
            Self::Stopping => "stopping after this task".to_owned(),
            Self::Pausing => "pausing after this task".to_owned(),
            Self::Ended { done, open, elapsed_ms, .. } => {
                let counts = Counts::of(run);
                let mut facts = vec![output::duration(Duration::from_millis(*elapsed_ms))];
                facts.extend(cost(&run.usage));
                if counts.failed > 0 {
                    facts.push(format!("{} failed", counts.failed));
                }
                if counts.unverified > 0 {
                    facts.push(format!(
                        "{} done without a command that verifies",
                        counts.unverified
                    ));
                }
                format!("{done} done, {open} open · {}", facts.join(" · "))
            }
        }
    }
}

/// A line that a turn said, as an event.
pub fn heard_json(line: &Heard, run: &Run) -> Value {
    let object = json!({
        "type": "heard",
        "number": line.task + 1,
        "kind": line.kind,
        "text": line.text,
    });
    stamped(object, run)
}

/// What every event has.
fn stamped(mut object: Value, run: &Run) -> Value {
    object["run"] = json!(run.id.to_string());
    object["timestamp"] = json!(now_ms());
    object
}

fn placed(kind: &str, number: usize, task: &Task) -> Value {
    json!({
        "type": kind,
        "number": number,
        "document": task.document,
        "line": task.line,
        "task": task.text,
    })
}

fn ended(number: usize, task: &Task) -> Value {
    let Value::Object(mut object) = placed("task_complete", number, task) else {
        return Value::Null;
    };
    let Value::Object(more) = json!({
        "success": task.state == TaskState::Done,
        "outcome": task.state,
        "attempts": task.attempts,
        "repairs": task.repairs,
        "pass": task.pass,
        "session": task.session,
        "model": task.model,
        "tree_before": task.tree_before,
        "tree_after": task.tree_after,
        "commits": task.commits,
        "verify": task.verify,
        "usage": task.usage,
        "duration_ms": task.duration_ms,
        "because": task.because,
    }) else {
        return Value::Null;
    };
    object.extend(more);
    Value::Object(object)
}

fn paused(pause: &Pause) -> Value {
    let kind = match pause {
        Pause::User => "user",
        Pause::Gate { .. } => "gate",
        Pause::Budget(_) => "budget",
        Pause::Needed(_) => "needed",
    };
    let mut object = json!({ "type": "paused", "kind": kind, "because": pause.sentence() });
    if let Pause::Gate { document, line, artifact, .. } = pause {
        object["gate"] = json!({ "document": document, "line": line, "artifact": artifact });
    }
    object
}

/// Why a run is paused, with what there is to look at.
pub fn pause_text(pause: &Pause) -> String {
    let artifact = match pause {
        Pause::Gate { artifact: Some(artifact), .. } => format!(" (look at {artifact})"),
        _ => String::new(),
    };
    output::plain(&format!("{}{artifact}", pause.sentence()))
}

/// What a run's tasks came to. A task that was done in several passes counts by its last one.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Tasks that were given up.
    pub failed: usize,
    /// Tasks that are done and that no command decided about.
    pub unverified: usize,
}

impl Counts {
    pub fn of(run: &Run) -> Self {
        let mut latest = std::collections::HashMap::new();
        for task in &run.tasks {
            let _ = latest.insert((&task.document, task.line, &task.text), task);
        }
        let count = |holds: fn(&Task) -> bool| latest.values().filter(|task| holds(task)).count();
        Self {
            failed: count(|task| task.state == TaskState::Failed),
            unverified: count(|task| task.state == TaskState::Done && task.verify.is_none()),
        }
    }
}

/// The mark before a task.
pub fn mark(state: TaskState) -> char {
    match state {
        TaskState::Done => '✓',
        TaskState::Failed => '✗',
        TaskState::Working | TaskState::Verifying | TaskState::Committing => '…',
        TaskState::Skipped | TaskState::Undone => '–',
    }
}

/// A task's text as a title.
pub fn title(text: &str) -> String {
    let text = output::plain(text);
    match text.char_indices().nth(TITLE) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text,
    }
}

fn because(task: &Task) -> String {
    task.because.as_deref().map(|why| format!(": {}", output::plain(why))).unwrap_or_default()
}

/// What something cost, as far as it is known.
pub fn cost(usage: &Usage) -> Option<String> {
    let all = usage.input_tokens.saturating_add(usage.output_tokens);
    let tokens = (all > 0).then(|| format!("{} tokens", tokens(all)));
    let dollars = usage.cost_usd.filter(|cost| *cost > 0.0).map(|cost| format!("${cost:.2}"));
    match (dollars, tokens) {
        (Some(dollars), Some(tokens)) => Some(format!("{dollars} · {tokens}")),
        (one, other) => one.or(other),
    }
}

/// A time of day, with the day where it is another one; nothing for no time.
fn clock(ms: u64) -> Option<String> {
    if ms == 0 {
        return None;
    }
    let zone = TimeZone::system();
    let at = Timestamp::from_millisecond(i64::try_from(ms).ok()?).ok()?.to_zoned(zone.clone());
    let now = Timestamp::now().to_zoned(zone);
    let format = if at.date() == now.date() { "%H:%M" } else { "%Y-%m-%d %H:%M" };
    Some(at.strftime(format).to_string())
}

#[cfg(test)]
pub(super) mod tests;

//! Runs, one run, and what the tick of one task rests on.

use std::time::Duration;

use maestro_core::run::{Ending, Evidence, Loops, Made, Run, State, Task, Verify};
use maestro_protocol::message::World;
use serde_json::{Value, json};

use super::super::failure::Result;
use super::super::find_agent;
use super::super::output::{self, Out, now_ms};
use super::options::{List, Standing};
use super::steps::{cost, mark, title};

/// Tasks ahead that are shown by their text.
const AHEAD: usize = 10;

/// The runs that are asked for.
pub fn matching(runs: Vec<Run>, which: &List, world: &World) -> Vec<Run> {
    let agent = which.agent.as_deref().map(|named| Named::of(named, world));
    let text = which.filter.as_ref().map(|text| text.to_lowercase());
    runs.into_iter()
        .filter(|run| which.state.is_none_or(|state| stands(run, state)))
        .filter(|run| which.since.is_none_or(|since| run.started_ms >= since))
        .filter(|run| agent.as_ref().is_none_or(|agent| agent.has(run)))
        .filter(|run| text.as_ref().is_none_or(|text| mentions(run, text)))
        .collect()
}

/// Whose runs are meant: an agent's, or all of a provider.
enum Named {
    Agent(maestro_core::AgentId),
    Provider(maestro_core::agent::Provider),
    Nobody,
}

impl Named {
    fn of(named: &str, world: &World) -> Self {
        // Runs outlive their agents, which are known by their id only then.
        let agent = find_agent(world.clone(), named).map(|agent| agent.id).ok();
        match (agent.or_else(|| named.parse().ok()), named.parse()) {
            (Some(agent), _) => Self::Agent(agent),
            (None, Ok(provider)) => Self::Provider(provider),
            (None, Err(_)) => Self::Nobody,
        }
    }

    fn has(&self, run: &Run) -> bool {
        match self {
            Self::Agent(agent) => run.spec.agent == Some(*agent),
            Self::Provider(provider) => run.spec.provider == *provider,
            Self::Nobody => false,
        }
    }
}

fn stands(run: &Run, state: Standing) -> bool {
    match (state, &run.state) {
        (Standing::Open, now) => !matches!(now, State::Ended(_)),
        (Standing::Running, State::Running | State::Stopping) => true,
        (Standing::Waiting, State::Waiting { .. } | State::Queued { .. }) => true,
        (Standing::Paused, State::Paused(_)) => true,
        (Standing::Ended, State::Ended(_)) => true,
        (Standing::Completed, State::Ended(Ending::Completed)) => true,
        (Standing::Failed, State::Ended(Ending::WithFailures | Ending::Failed(_))) => true,
        (Standing::Stopped, State::Ended(Ending::Stopped | Ending::Killed)) => true,
        _ => false,
    }
}

fn mentions(run: &Run, text: &str) -> bool {
    let has = |other: &str| other.to_lowercase().contains(text);
    run.spec.documents.iter().any(|document| has(&document.to_string_lossy()))
        || has(&run.spec.directory.to_string_lossy())
        || run.tasks.iter().any(|task| has(&task.text))
}

pub fn print(runs: &[Run], out: &mut Out) -> Result<()> {
    let row = |run: &Run| {
        let documents = run.spec.documents.iter().map(|document| {
            document.file_name().unwrap_or_default().to_string_lossy().into_owned()
        });
        vec![
            run.id.to_string(),
            state(run),
            format!("{}/{}", run.done, run.done.saturating_add(run.open)),
            run.spec.provider.to_string(),
            output::ago(run.started_ms),
            output::duration(took(run)),
            cost(&run.usage).unwrap_or_default(),
            documents.collect::<Vec<_>>().join(" "),
            run.spec.directory.display().to_string(),
        ]
    };
    let rows: Vec<_> = runs.iter().map(row).collect();
    out.table(
        &["RUN", "STATE", "DONE", "PROVIDER", "STARTED", "TOOK", "COST", "DOCUMENTS", "DIRECTORY"],
        &rows,
        "no runs: `maestro run tasks.md --agent NAME` starts one",
    )
}

fn took(run: &Run) -> Duration {
    let until = run.ended_ms.unwrap_or_else(now_ms);
    Duration::from_millis(until.saturating_sub(run.started_ms))
}

/// How a run stands, in a few words.
pub fn state(run: &Run) -> String {
    match &run.state {
        State::Queued { because } => format!("queued: {because}"),
        State::Waiting { because, .. } => format!("waiting: {because}"),
        State::Paused(pause) => format!("paused: {}", pause.sentence()),
        State::Ended(Ending::Failed(why)) => format!("failed: {why}"),
        State::Ended(Ending::WithFailures) => "ended with failures".to_owned(),
        State::Ended(ending) => output::word(ending),
        State::Running if run.pausing => "pausing after this task".to_owned(),
        state @ (State::Running | State::Stopping | State::Interrupted) => output::word(state),
    }
}

pub fn show(run: &Run, out: &mut Out) -> Result<()> {
    let options = run.options();
    let loops = match options.loops {
        Loops::Once => String::new(),
        Loops::Times(times) => format!("{} of at most {times}", run.pass),
        Loops::Forever => format!("{}, until nothing is left to do", run.pass),
    };
    let path = |path: &Option<std::path::PathBuf>| {
        path.as_ref().map(|path| path.display().to_string()).unwrap_or_default()
    };
    out.facts(&[
        ("run", run.id.to_string()),
        ("state", state(run)),
        ("boxes", format!("{} ticked, {} open", run.done, run.open)),
        ("provider", run.spec.provider.title().to_owned()),
        ("agent", run.spec.agent.map(|id| id.to_string()).unwrap_or_default()),
        ("playbook", path(&options.playbook)),
        ("directory", run.spec.directory.display().to_string()),
        ("worktree", path(&run.worktree)),
        ("pass", loops),
        ("started", output::ago(run.started_ms)),
        ("ended", run.ended_ms.map(output::ago).unwrap_or_default()),
        ("took", output::duration(took(run))),
        ("worked", output::duration(Duration::from_millis(run.worked_ms))),
        ("turns", run.turns.to_string()),
        ("cost", cost(&run.usage).unwrap_or_default()),
        ("report", path(&run.report)),
        ("pull request", run.pull_request.clone().unwrap_or_default()),
    ])?;
    for flag in &run.flags {
        let task = flag.task.map(|index| format!("task {}: ", index + 1)).unwrap_or_default();
        out.line(&format!("! {task}{}", output::plain(&flag.text)))?;
    }
    for (index, task) in run.tasks.iter().enumerate() {
        out.line("")?;
        out.line(&format!("{:>4} {} {}", index + 1, mark(task.state), title(&task.text)))?;
        out.facts(&about(task))?;
    }
    if !run.ahead.is_empty() {
        out.line("")?;
        out.line(&format!("{} ahead:", run.ahead.len()))?;
    }
    for ahead in run.ahead.iter().take(AHEAD) {
        out.line(&format!("     · {}", title(&ahead.text)))?;
    }
    if run.ahead.len() > AHEAD {
        out.line(&format!("     · and {} more", run.ahead.len() - AHEAD))?;
    }
    Ok(())
}

fn about(task: &Task) -> [(&'static str, String); 11] {
    let some = |text: &Option<String>| text.clone().unwrap_or_default();
    let tree = match (&task.tree_before, &task.tree_after) {
        (None, None) => String::new(),
        (before, after) => format!("{} → {}", short(before), short(after)),
    };
    let commits: Vec<String> = task.commits.iter().map(|name| short(&Some(name.clone()))).collect();
    [
        ("  where", format!("{}:{}", task.document.display(), task.line)),
        ("  attempts", task.attempts.to_string()),
        ("  repairs", if task.repairs > 0 { task.repairs.to_string() } else { String::new() }),
        ("  session", some(&task.session)),
        ("  model", some(&task.model)),
        ("  tree", tree),
        ("  commits", commits.join(" ")),
        ("  verify", task.verify.as_ref().map(verdict).unwrap_or_default()),
        ("  took", output::duration(Duration::from_millis(task.duration_ms))),
        ("  cost", cost(&task.usage).unwrap_or_default()),
        ("  because", some(&task.because)),
    ]
}

/// The first letters of a name of git's.
fn short(name: &Option<String>) -> String {
    name.as_ref().map_or_else(|| "?".to_owned(), |name| name.chars().take(10).collect())
}

fn verdict(verify: &Verify) -> String {
    let code = match verify.exit_code {
        Some(code) => format!("exit code {code}"),
        None => "did not end".to_owned(),
    };
    format!("{}: {code}", verify.command)
}

/// Evidence as it is printed for programs: with ids and numbers as everywhere on the command line.
pub fn evidence_json(evidence: &Evidence) -> Value {
    // Only a path that is not UTF-8 cannot be written, and the host refuses those.
    let mut object = serde_json::to_value(evidence).unwrap_or(Value::Null);
    object["run"] = json!(evidence.run.to_string());
    object["number"] = json!(evidence.index + 1);
    object["built_on_by"] =
        json!(evidence.built_on_by.iter().map(|index| index + 1).collect::<Vec<_>>());
    if let Some(object) = object.as_object_mut() {
        let _ = object.remove("index");
    }
    object
}

pub fn evidence(evidence: &Evidence, out: &mut Out) -> Result<()> {
    let task = &evidence.task;
    out.line(&format!("{:>4} {} {}", evidence.index + 1, mark(task.state), title(&task.text)))?;
    out.facts(&about(task))?;
    for (index, made) in evidence.turns.iter().enumerate() {
        out.line("")?;
        turn(index + 1, made, out)?;
    }
    for verify in &evidence.verified {
        out.line("")?;
        out.line(&format!("$ {}", output::plain(&verdict(verify))))?;
        quote(&verify.output, out)?;
    }
    if !evidence.built_on_by.is_empty() {
        let tasks: Vec<String> =
            evidence.built_on_by.iter().map(|index| (index + 1).to_string()).collect();
        out.line("")?;
        out.line(&format!("built on by {}", tasks.join(", ")))?;
    }
    match &evidence.diff {
        None => {}
        Some(diff) if diff.is_empty() => {
            out.line("")?;
            out.line("nothing changed")?;
        }
        Some(diff) => {
            out.line("")?;
            out.line(output::printable(diff).trim_end_matches('\n'))?;
            if evidence.diff_cut {
                out.line("(the rest of the changes is left out)")?;
            }
        }
    }
    Ok(())
}

fn turn(number: usize, made: &Made, out: &mut Out) -> Result<()> {
    let mut facts = vec![format!("turn {number}, attempt {}", made.attempt)];
    facts.extend(made.model.clone());
    facts.push(output::duration(Duration::from_millis(made.duration_ms)));
    facts.extend(cost(&made.usage));
    facts.extend(made.session.as_ref().map(|session| format!("session {session}")));
    out.line(&output::plain(&facts.join(" · ")))?;
    quote(&made.prompt, out)?;
    if !made.answer.is_empty() {
        out.line("  it said:")?;
        quote(&made.answer, out)?;
    }
    match &made.failure {
        Some(why) => out.line(&format!("  it failed: {}", output::plain(why))),
        None => Ok(()),
    }
}

fn quote(text: &str, out: &mut Out) -> Result<()> {
    for line in output::printable(text).lines() {
        out.line(&format!("  | {line}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use maestro_core::AgentId;
    use maestro_core::agent::Provider;
    use maestro_core::run::Pause;

    use super::super::steps::tests::run;
    use super::*;

    fn which() -> List {
        List { filter: None, state: None, agent: None, since: None }
    }

    #[test]
    fn runs_are_found_by_state_text_agent_and_time() {
        let mut first = run(1, 0);
        first.id = maestro_core::RunId(1);
        first.tasks.push(Task::new("/w/a.md".into(), "Add a Total".to_owned(), 3, 1_000));
        let mut second = run(0, 2);
        second.id = maestro_core::RunId(2);
        second.state = State::Ended(Ending::WithFailures);
        second.spec.agent = Some(AgentId(4));
        second.spec.provider = Provider::Codex;
        second.started_ms = 9_000;
        let mut third = run(1, 2);
        third.id = maestro_core::RunId(3);
        third.state = State::Paused(Pause::User);
        let found = |which: List| -> Vec<u64> {
            let runs = vec![first.clone(), second.clone(), third.clone()];
            matching(runs, &which, &World::default()).iter().map(|run| run.id.0).collect()
        };
        assert_eq!(found(which()), [1, 2, 3]);
        for (state, expected) in [
            (Standing::Open, vec![1, 3]),
            (Standing::Running, vec![1]),
            (Standing::Paused, vec![3]),
            (Standing::Waiting, vec![]),
            (Standing::Ended, vec![2]),
            (Standing::Failed, vec![2]),
            (Standing::Completed, vec![]),
            (Standing::Stopped, vec![]),
        ] {
            assert_eq!(found(List { state: Some(state), ..which() }), expected, "{state:?}");
        }
        assert_eq!(found(List { filter: Some("TOTAL".to_owned()), ..which() }), [1]);
        assert_eq!(found(List { since: Some(5_000), ..which() }), [2]);
        for (agent, expected) in
            [("a4", vec![2]), ("codex", vec![2]), ("demo", vec![1, 3]), ("x", vec![])]
        {
            assert_eq!(
                found(List { agent: Some(agent.to_owned()), ..which() }),
                expected,
                "{agent}"
            );
        }
    }

    #[test]
    fn evidence_is_numbered_as_on_the_command_line() {
        let evidence = Evidence {
            run: maestro_core::RunId(2),
            index: 0,
            task: Task::new("/w/a.md".into(), "One".to_owned(), 3, 1_000),
            turns: Vec::new(),
            verified: Vec::new(),
            diff: None,
            diff_cut: false,
            built_on_by: vec![2, 4],
        };
        let object = evidence_json(&evidence);
        assert_eq!((&object["run"], &object["number"]), (&json!("r2"), &json!(1)));
        assert_eq!((&object["built_on_by"], &object["index"]), (&json!([3, 5]), &Value::Null));
    }
}

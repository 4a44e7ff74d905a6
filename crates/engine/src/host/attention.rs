//! Whether an agent needs its user: from what its terminal said, from its process, from its runs. What
//! none of these tells stays unknown.

use maestro_core::agent::{Agent, Attention, Provider, Source, State};
use maestro_core::run::{self, Ending, Run, TaskState};
use maestro_core::text::clean;
use maestro_terminal::{Status, StatusState};

use crate::session::News;

/// The longest phrase for an agent's row, in characters.
const PHRASE: usize = 80;

/// A verdict.
pub(crate) fn verdict(
    state: State,
    because: impl Into<String>,
    source: Source,
    now_ms: u64,
) -> Attention {
    let because = clean(&because.into(), PHRASE);
    Attention { state, since_ms: now_ms, because, source, until_ms: None }
}

/// What news from an agent's AI terminal mean for it; `None` when nothing.
pub(crate) fn from_terminal(agent: &Agent, news: &News, now_ms: u64) -> Option<Attention> {
    let known = &agent.attention;
    if known.source == Source::Run && matches!(known.state, State::Working | State::Limited) {
        // A run drives the agent and knows better.
        return None;
    }
    if let Some(code) = news.exit {
        let (state, because) = match code {
            0 => (State::Done, "its program ended".to_owned()),
            130 | 143 | 129 | 137 => (State::Done, "its program was ended".to_owned()),
            code => (State::Failed, format!("its program ended with exit code {code}")),
        };
        return Some(verdict(state, because, Source::Process, now_ms));
    }
    if let Some(Some(status)) = &news.status {
        return Some(from_status(status, now_ms));
    }
    if let Some((title, body)) = news.notifications.back() {
        let because = if body.is_empty() { title } else { body };
        return Some(verdict(State::NeedsYou, because.as_str(), Source::Osc, now_ms));
    }
    if agent.provider == Provider::Claude
        && let Some(title) = &news.title
        && let Some(attention) = from_claude_title(title, known, now_ms)
    {
        return Some(attention);
    }
    if news.status == Some(None) && known.source == Source::Osc {
        // It took back what it had said, and what holds instead nobody knows yet.
        return Some(verdict(State::Unknown, "", Source::None, now_ms));
    }
    // What it asked for was answered, or its work was looked at, as far as anybody can tell.
    let answered = news.typed
        && matches!(known.source, Source::Osc | Source::Run)
        && matches!(known.state, State::NeedsYou | State::Done | State::Failed);
    answered.then(|| match (known.state, known.source) {
        // The program itself said that nothing is open; that its user has now looked changes no more.
        (State::Done, Source::Osc) => verdict(State::Idle, "", Source::Osc, now_ms),
        _ => verdict(State::Unknown, "", Source::None, now_ms),
    })
}

fn from_status(status: &Status, now_ms: u64) -> Attention {
    let state = match status.state {
        StatusState::Idle => State::Idle,
        StatusState::Working => State::Working,
        StatusState::Waiting => State::NeedsYou,
        StatusState::Done => State::Done,
        StatusState::Failed => State::Failed,
    };
    verdict(state, status.text.as_deref().unwrap_or_default(), Source::Osc, now_ms)
}

/// Claude Code shows a braille spinner in its title while it works, and another sign when it does not;
/// whether it waits for an answer then, or for the next prompt, the title does not tell.
fn from_claude_title(title: &str, known: &Attention, now_ms: u64) -> Option<Attention> {
    let first = title.chars().next()?;
    let works = ('\u{2800}'..='\u{28ff}').contains(&first);
    match (works, known.state) {
        (true, _) => Some(verdict(State::Working, "", Source::Osc, now_ms)),
        (false, State::Working) => Some(verdict(State::Unknown, "", Source::None, now_ms)),
        (false, _) => None,
    }
}

/// What a run means for the agent it belongs to.
pub(crate) fn from_run(run: &Run, now_ms: u64) -> Attention {
    let at = |state, because: &str| verdict(state, because, Source::Run, now_ms);
    match &run.state {
        run::State::Running | run::State::Stopping => {
            let current = run
                .tasks
                .iter()
                .rev()
                .find(|task| matches!(task.state, TaskState::Working | TaskState::Verifying));
            at(State::Working, current.map_or("running its checklist", |task| &task.text))
        }
        run::State::Waiting { because, .. } => at(State::Limited, because),
        run::State::Interrupted => at(State::Working, "its run goes on shortly"),
        run::State::Ended(ending) => match ending {
            Ending::Completed => at(State::Done, "its checklist is done"),
            Ending::WithFailures => at(State::Failed, "some tasks of its checklist failed"),
            Ending::Stopped => at(State::Done, "its run was stopped"),
            Ending::Killed => at(State::Done, "its run was killed"),
            Ending::Failed(because) => at(State::Failed, because),
        },
    }
}

#[cfg(test)]
mod tests {
    use maestro_core::AgentId;

    use super::*;

    fn agent(provider: Provider, state: State, source: Source) -> Agent {
        Agent {
            id: AgentId(1),
            name: "a".into(),
            provider,
            directory: "/".into(),
            repository: None,
            branch: None,
            worktree: false,
            ai_terminal: None,
            shell_terminal: None,
            session: None,
            attention: verdict(state, "", source, 0),
            created_ms: 0,
            clipboard: maestro_core::agent::Clipboard::Focused,
        }
    }

    #[test]
    fn what_a_terminal_says_becomes_a_verdict_or_nothing() {
        let check = |provider, known: (State, Source), news: News, expected: Option<State>| {
            let agent = agent(provider, known.0, known.1);
            let state = from_terminal(&agent, &news, 7).map(|attention| attention.state);
            assert_eq!(state, expected, "{news:?}");
        };
        let unknown = (State::Unknown, Source::None);
        let exit = |code| News { exit: Some(code), ..News::default() };
        let title = |title: &str| News { title: Some(title.into()), ..News::default() };
        let typed = || News { typed: true, ..News::default() };
        let note = || News {
            notifications: [(String::new(), "Approve?".to_owned())].into(),
            ..News::default()
        };
        let told = |status| News { status: Some(status), ..News::default() };
        let done = Status { state: StatusState::Done, app: None, text: None };
        check(Provider::Codex, unknown, told(Some(done.clone())), Some(State::Done));
        check(Provider::Codex, (State::Done, Source::Osc), told(None), Some(State::Unknown));
        check(Provider::Codex, (State::Done, Source::Process), told(None), None);
        check(Provider::Codex, (State::Working, Source::Run), told(Some(done)), None);
        check(Provider::Claude, unknown, exit(0), Some(State::Done));
        check(Provider::Claude, unknown, exit(1), Some(State::Failed));
        check(Provider::Claude, unknown, title("⠐ fixing"), Some(State::Working));
        check(Provider::Codex, unknown, title("⠐ fixing"), None);
        check(Provider::Claude, (State::Working, Source::Osc), title("✳ x"), Some(State::Unknown));
        check(Provider::Claude, unknown, title("✳ Claude Code"), None);
        check(Provider::Codex, unknown, note(), Some(State::NeedsYou));
        check(Provider::Codex, (State::Working, Source::Run), note(), None);
        check(Provider::Codex, (State::NeedsYou, Source::Osc), typed(), Some(State::Unknown));
        check(Provider::Codex, (State::Working, Source::Osc), typed(), None);
        check(Provider::Codex, (State::Working, Source::Run), exit(1), None);
        check(Provider::Codex, (State::Done, Source::Run), typed(), Some(State::Unknown));
        check(Provider::Codex, (State::Done, Source::Osc), typed(), Some(State::Idle));
    }
}

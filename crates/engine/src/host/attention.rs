//! Whether an agent needs its user: from its conversations, from what its terminal said, from its process,
//! from its runs. Each of these is known by itself, and the most urgent of them is the verdict. What none of
//! them tells stays unknown.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use maestro_agents::store::tells_ends;
use maestro_core::agent::{Agent, Attention, Evidence, Provider, Source, State};
use maestro_core::conversation::{Ask, Body, Entry, Place, Tab, TabState, ToolState};
use maestro_core::run::{self, Ending, Run};
use maestro_core::text::clean;
use maestro_core::turn::FailureKind;
use maestro_core::{AgentId, TabId};
use maestro_terminal::{Progress, Prompt, Status, StatusState};

use super::{Shared, now_ms};
use crate::index::follow::Standing;
use crate::session::News;

/// When the end of a transcript is looked at, after a terminal showed no work any more.
const TAIL_LOOKS: [Duration; 2] = [Duration::from_millis(400), Duration::from_secs(3)];
/// How much of it is read, in bytes.
const TAIL: u64 = 512 << 10;
/// Pieces of evidence that are kept of one agent.
const EVIDENCE: usize = 40;
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
    if let Some(title) = &news.title
        && let Some(attention) = from_title(agent.provider, title, known, now_ms)
    {
        return Some(attention);
    }
    if let Some(progress) = news.progress
        && let Some(attention) = from_progress(agent.provider, progress, known, now_ms)
    {
        return Some(attention);
    }
    if let Some(prompt) = news.prompt
        && let Some(attention) = from_prompt(agent.provider, prompt, known, now_ms)
    {
        return Some(attention);
    }
    if news.status == Some(None) && known.source == Source::Osc {
        // It took back what it had said, and what holds instead nobody knows yet.
        return Some(verdict(State::Unknown, "", Source::None, now_ms));
    }
    // What it asked for was answered, or its work was looked at, as far as anybody can tell.
    let answered = news.typed
        && matches!(known.source, Source::Osc | Source::Run | Source::Transcript)
        && matches!(known.state, State::NeedsYou | State::Done | State::Failed);
    answered.then(|| match (known.state, known.source) {
        // The program itself said that nothing is open; that its user has now looked changes no more.
        (State::Done, Source::Osc) => verdict(State::Idle, "", Source::Osc, now_ms),
        // The provider itself has stored that the turn is over.
        (State::Done, Source::Transcript) if tells_ends(agent.provider) => {
            verdict(State::Idle, "", Source::Transcript, now_ms)
        }
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

/// What the title of a provider's own interface tells. Claude Code and Codex show a braille spinner in
/// it while they work, and something else when they do not; whether that waits for an answer then, or for
/// the next prompt, the title does not tell. Gemini CLI says all three in words, with a sign before them.
fn from_title(
    provider: Provider,
    title: &str,
    known: &Attention,
    now_ms: u64,
) -> Option<Attention> {
    let title = title.trim();
    let first = title.chars().next()?;
    let at = |state| Some(verdict(state, "", Source::Osc, now_ms));
    match provider {
        Provider::Claude | Provider::Codex => {
            let works = ('\u{2801}'..='\u{28ff}').contains(&first);
            match (works, known.state, known.source) {
                (true, ..) => at(State::Working),
                // Codex tells its state apart from its title, and better.
                (false, State::Working, Source::Osc) if provider == Provider::Claude => {
                    Some(verdict(State::Unknown, "", Source::None, now_ms))
                }
                _ => None,
            }
        }
        Provider::Gemini => match first {
            '◇' if title.contains("Ready") => at(State::Idle),
            '✦' => at(State::Working),
            '✋' => at(State::NeedsYou),
            _ => None,
        },
        _ => None,
    }
}

/// What progress means (OSC 9;4). While there is some, the program works; that there is none any more tells
/// only that, and nothing where the program tells its state in words as well.
fn from_progress(
    provider: Provider,
    progress: Progress,
    known: &Attention,
    now_ms: u64,
) -> Option<Attention> {
    let in_words = matches!(provider, Provider::Codex | Provider::Gemini);
    match progress {
        Progress::Busy | Progress::Normal(_) => {
            Some(verdict(State::Working, "", Source::Osc, now_ms))
        }
        Progress::Error(_) => {
            Some(verdict(State::Failed, "its progress shows an error", Source::Osc, now_ms))
        }
        Progress::None | Progress::Paused(_) => {
            let showed = known.source == Source::Osc
                && matches!(known.state, State::Working | State::Failed);
            (showed && !in_words).then(|| verdict(State::Unknown, "", Source::None, now_ms))
        }
    }
}

/// What prompt marks mean (OSC 133). In a shell they tell all there is. An interface that sends them is at
/// work between the second and the third; what it wants after that, they do not tell.
fn from_prompt(
    provider: Provider,
    prompt: Prompt,
    known: &Attention,
    now_ms: u64,
) -> Option<Attention> {
    let at = |state, because: &str| Some(verdict(state, because, Source::Osc, now_ms));
    let shell = provider == Provider::Shell;
    match prompt {
        Prompt::Output => at(State::Working, if shell { "a command runs" } else { "" }),
        Prompt::Done(Some(code)) if shell && code != 0 => {
            at(State::Failed, &format!("its command ended with exit code {code}"))
        }
        Prompt::Done(_) if shell => match known.state {
            // A prompt without a command in between ends nothing.
            State::Working => at(State::Done, "its command ended"),
            State::Unknown => at(State::Idle, ""),
            _ => None,
        },
        Prompt::Done(_) => {
            let worked = known.source == Source::Osc && known.state == State::Working;
            let in_words = matches!(provider, Provider::Codex | Provider::Gemini);
            (worked && !in_words).then(|| verdict(State::Unknown, "", Source::None, now_ms))
        }
        Prompt::Start | Prompt::Command => (shell
            && matches!(known.state, State::Unknown | State::Working))
        .then(|| verdict(State::Idle, "", Source::Osc, now_ms)),
    }
}

/// What a run means for the agent it belongs to.
pub(crate) fn from_run(run: &Run, now_ms: u64) -> Attention {
    let at = |state, because: &str| verdict(state, because, Source::Run, now_ms);
    match &run.state {
        run::State::Queued { .. } => at(State::Idle, "its run waits for the directory"),
        run::State::Running | run::State::Stopping => {
            let current = run.tasks.iter().rev().find(|task| task.state.is_under_way());
            at(State::Working, current.map_or("running its checklist", |task| &task.text))
        }
        run::State::Waiting { because, .. } => at(State::Limited, because),
        run::State::Paused(run::Pause::User) => at(State::Idle, "its run is paused"),
        run::State::Paused(pause) => at(State::NeedsYou, &pause.sentence()),
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

/// What a conversation means for its agent; `None` when nothing: it is closed, was never used, or is open in
/// a terminal, which tells more.
fn from_tab(tab: &Tab) -> Option<Attention> {
    if tab.closed || (tab.turns == 0 && !tab.state.is_busy()) {
        return None;
    }
    if matches!(tab.place, Place::Terminal(_)) {
        return None;
    }
    let at = |state, because: &str| Some(verdict(state, because, Source::Stream, tab.since_ms));
    match &tab.state {
        TabState::Idle if tab.unread => at(State::Done, "answered"),
        // Its stream said that the turn is over, and that it has been looked at is known, too.
        TabState::Idle => at(State::Idle, ""),
        TabState::Starting => at(State::Working, "starting"),
        TabState::Working(what) => at(State::Working, what),
        TabState::Asking => match tab.requests.first().map(|request| &request.ask) {
            Some(Ask::Command { command, .. }) => {
                at(State::NeedsYou, &format!("may it run {}?", clean(command, 60)))
            }
            Some(Ask::Edit(changes)) => match changes.first() {
                Some(change) if changes.len() == 1 => {
                    at(State::NeedsYou, &format!("may it change {}?", clean(&change.path, 60)))
                }
                _ => at(State::NeedsYou, "may it change files?"),
            },
            Some(Ask::Tool { name, .. }) => {
                at(State::NeedsYou, &format!("may it use {}?", clean(name, 40)))
            }
            Some(Ask::Plan(_)) => at(State::NeedsYou, "its plan waits for you"),
            Some(Ask::Questions(_)) => at(State::NeedsYou, "it has a question"),
            None => at(State::NeedsYou, "it asks something"),
        },
        TabState::Interrupting => at(State::Working, "stopping"),
        TabState::Retrying { because, until_ms, .. } => Some(Attention {
            until_ms: *until_ms,
            ..verdict(
                State::Working,
                format!("tries again: {because}"),
                Source::Stream,
                tab.since_ms,
            )
        }),
        TabState::Limited { until_ms, .. } => Some(Attention {
            until_ms: *until_ms,
            ..verdict(State::Limited, "limited", Source::Stream, tab.since_ms)
        }),
        TabState::Failed(failure) => match failure.kind {
            FailureKind::HumanNeeded | FailureKind::Auth => at(State::NeedsYou, &failure.message),
            _ => at(State::Failed, &failure.message),
        },
    }
}

/// The smaller the more urgent.
fn urgency(state: State) -> u8 {
    match state {
        State::NeedsYou => 0,
        State::Failed => 1,
        State::Limited => 2,
        State::Working => 3,
        State::Done => 4,
        State::Unknown => 5,
        State::Resumable => 6,
        State::Idle => 7,
    }
}

/// What is known of every agent, apart.
#[derive(Debug, Default)]
pub(crate) struct Watched {
    agents: Mutex<HashMap<AgentId, Known>>,
}

/// Where a piece of knowledge comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Slot {
    /// Its run.
    Run,
    /// Its own interface in a terminal.
    Terminal,
    /// A conversation.
    Tab(TabId),
}

#[derive(Debug, Default)]
struct Known {
    slots: BTreeMap<Slot, Attention>,
    seen: VecDeque<(Slot, Evidence)>,
}

impl Known {
    /// The most urgent of what is known. A run that is at work knows better than the terminal beside it,
    /// and so does a conversation that was had since the terminal ended: nobody waits for that any more.
    fn verdict(&self) -> Option<(Slot, &Attention)> {
        let runs = self
            .slots
            .get(&Slot::Run)
            .is_some_and(|run| matches!(run.state, State::Working | State::Limited));
        let ended = self.slots.get(&Slot::Terminal).filter(|at| at.state == State::Resumable);
        let talked = ended.is_some_and(|ended| {
            let mut tabs = self.slots.iter().filter(|(slot, _)| matches!(slot, Slot::Tab(_)));
            tabs.any(|(_, tab)| tab.since_ms > ended.since_ms)
        });
        self.slots
            .iter()
            .filter(|(slot, _)| !((runs || talked) && **slot == Slot::Terminal))
            .min_by_key(|(slot, attention)| (urgency(attention.state), **slot))
            .map(|(slot, attention)| (*slot, attention))
    }
}

impl Watched {
    fn lock(&self) -> MutexGuard<'_, HashMap<AgentId, Known>> {
        self.agents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What one source says by itself.
    pub(crate) fn of(&self, agent: AgentId, slot: Slot) -> Option<Attention> {
        self.lock().get(&agent)?.slots.get(&slot).cloned()
    }

    /// One source says something else, or nothing any more; gives back the verdict, where there is one.
    pub(crate) fn note(
        &self,
        agent: AgentId,
        slot: Slot,
        attention: Option<Attention>,
        seen: &str,
        now_ms: u64,
    ) -> Option<Attention> {
        let mut agents = self.lock();
        let known = agents.entry(agent).or_default();
        let before = known.slots.get(&slot);
        let same = match (before, &attention) {
            (Some(before), Some(attention)) => {
                (before.state, &before.because, before.until_ms)
                    == (attention.state, &attention.because, attention.until_ms)
            }
            (None, None) => true,
            _ => false,
        };
        if !same {
            let (state, source, because) = attention
                .as_ref()
                .map_or((State::Unknown, Source::None, "nothing any more"), |attention| {
                    (attention.state, attention.source, attention.because.as_str())
                });
            let seen = match (seen, because) {
                ("", because) => because.to_owned(),
                (seen, "") => seen.to_owned(),
                (seen, because) => format!("{seen}: {because}"),
            };
            let from = match slot {
                Slot::Run => "its run".to_owned(),
                Slot::Terminal => "its terminal".to_owned(),
                Slot::Tab(tab) => format!("the conversation {tab}"),
            };
            let seen =
                if seen.is_empty() { from } else { format!("{from}: {}", clean(&seen, 200)) };
            if known.seen.len() >= EVIDENCE {
                let _ = known.seen.pop_front();
            }
            let evidence = Evidence { source, state, seen, at_ms: now_ms, decides: false };
            known.seen.push_back((slot, evidence));
        }
        match attention {
            Some(attention) if !same => {
                let _ = known.slots.insert(slot, attention);
            }
            Some(_) => {}
            None => {
                let _ = known.slots.remove(&slot);
            }
        }
        known.verdict().map(|(_, attention)| attention.clone())
    }

    /// What was seen of an agent, the newest first.
    pub(crate) fn evidence(&self, agent: AgentId) -> Vec<Evidence> {
        let agents = self.lock();
        let Some(known) = agents.get(&agent) else { return Vec::new() };
        let decides = known.verdict().map(|(slot, _)| slot);
        let mut told = false;
        known
            .seen
            .iter()
            .rev()
            .map(|(slot, evidence)| {
                // Of what decides only the newest.
                let first = !told && Some(*slot) == decides;
                told |= first;
                Evidence { decides: first, ..evidence.clone() }
            })
            .collect()
    }

    /// An agent is gone.
    pub(crate) fn forget(&self, agent: AgentId) {
        let _ = self.lock().remove(&agent);
    }
}

/// What the end of a transcript means, once the interface of its program shows no work any more. A call
/// without a result then waits for its user; an answer is one.
fn from_entries(entries: &[Entry], now_ms: u64) -> Option<Attention> {
    let last = entries.iter().rev().find(|entry| {
        matches!(
            entry.body,
            Body::Prompt(_)
                | Body::Text(_)
                | Body::Tool(_)
                | Body::Request { .. }
                | Body::Failed(_)
        )
    })?;
    let at = |state, because: String| Some(verdict(state, because, Source::Transcript, now_ms));
    match &last.body {
        Body::Tool(tool) if matches!(tool.state, ToolState::Running | ToolState::Cut) => {
            let what = if tool.title.is_empty() { &tool.name } else { &tool.title };
            at(State::NeedsYou, format!("may it go on with {}?", clean(what, 60)))
        }
        Body::Request { answer: None, .. } => at(State::NeedsYou, "it asks something".to_owned()),
        Body::Text(_) => at(State::Done, "answered".to_owned()),
        Body::Failed(failure) => at(State::Failed, failure.message.clone()),
        _ => None,
    }
}

/// What the stored end of a session means for a program in a terminal.
fn from_session(standing: &Standing, now_ms: u64) -> Attention {
    let (state, because) = match standing {
        Standing::Rests => (State::Idle, String::new()),
        Standing::Works(what) => (State::Working, what.clone()),
        Standing::Asks(what) => {
            (State::NeedsYou, format!("may it go on with {}?", clean(what, 60)))
        }
        Standing::Answered => (State::Done, "answered".to_owned()),
        Standing::Stopped => (State::Done, "was stopped".to_owned()),
        Standing::Failed(why) => (State::Failed, why.clone()),
    };
    verdict(state, because, Source::Transcript, now_ms)
}

impl Shared {
    /// The terminal of an agent has stopped to show work without a word about why: its program's own
    /// transcript may tell.
    pub(crate) fn look_at_transcript(self: &Arc<Self>, id: AgentId) {
        let unknown = move |shared: &Self| {
            let known = shared.watched.of(id, Slot::Terminal);
            known.is_some_and(|known| known.state == State::Unknown)
        };
        if !unknown(self) {
            return;
        }
        let shared = Arc::clone(self);
        super::detach(async move {
            // It is written at about the time at which the title changes.
            for wait in TAIL_LOOKS {
                tokio::time::sleep(wait).await;
                if shared.is_stopping() || !unknown(&shared) {
                    return;
                }
                let Some(agent) = shared.world.agent(id) else { return };
                let Some(session) = agent.session else { return };
                let looks = Arc::clone(&shared);
                let read = super::blocking(move || {
                    maestro_agents::store::tail(
                        agent.provider,
                        &session,
                        TAIL,
                        &looks.environment(),
                        &crate::index::Sqlite,
                    )
                });
                let Ok(Ok(entries)) = read.await else { continue };
                if let Some(attention) = from_entries(&entries, now_ms())
                    && unknown(&shared)
                {
                    let seen = "the end of its transcript";
                    shared.watch(id, Slot::Terminal, Some(attention), seen);
                    return;
                }
            }
        });
    }

    /// One source says something else about an agent, or nothing any more.
    pub(crate) fn watch(
        &self,
        agent: AgentId,
        slot: Slot,
        attention: Option<Attention>,
        seen: &str,
    ) {
        let now = now_ms();
        let verdict = self.watched.note(agent, slot, attention, seen, now);
        let verdict = verdict
            .unwrap_or_else(|| self::verdict(State::Unknown, "not started", Source::None, now));
        self.world.attend(agent, verdict);
    }

    /// The terminal with an agent's own interface has news.
    pub(crate) fn watch_terminal(&self, mut agent: Agent, news: &News) {
        let run = self.watched.of(agent.id, Slot::Run);
        let works = |run: &Attention| matches!(run.state, State::Working | State::Limited);
        let terminal = self.watched.of(agent.id, Slot::Terminal);
        let unknown = || verdict(State::Unknown, "", Source::None, now_ms());
        // What the run left is answered by what its user does in the terminal.
        let after_run = run.clone().filter(|run| !works(run)).filter(|_| news.typed);
        agent.attention = match (run.filter(works), after_run) {
            (Some(run), _) => run,
            (None, Some(run)) => {
                self.watch(agent.id, Slot::Run, None, "its user went on by hand");
                run
            }
            (None, None) => terminal.unwrap_or_else(unknown),
        };
        let Some(attention) = from_terminal(&agent, news, now_ms()) else { return };
        let seen = if news.exit.is_some() {
            "the process ended"
        } else if news.status.is_some() {
            "it told its state (OSC 7501)"
        } else if !news.notifications.is_empty() {
            "it notified"
        } else if news.title.is_some() {
            "its title"
        } else if news.progress.is_some() {
            "its progress (OSC 9;4)"
        } else if news.prompt.is_some() {
            "its prompt marks (OSC 133)"
        } else {
            "its user typed"
        };
        self.watch(agent.id, Slot::Terminal, Some(attention), seen);
    }

    /// The session of a program in a terminal is further, by what its provider has stored.
    pub(crate) fn watch_session(&self, agent: AgentId, standing: Standing) {
        let Some(known) = self.watched.of(agent, Slot::Terminal) else { return };
        if known.source == Source::Process {
            // It has ended.
            return;
        }
        let attention = from_session(&standing, now_ms());
        self.watch(agent, Slot::Terminal, Some(attention), "what its provider has stored");
    }

    /// A conversation is in another state.
    pub(crate) fn watch_tab(&self, tab: &Tab) {
        let attention = from_tab(tab);
        let slot = Slot::Tab(tab.id);
        if attention.is_none() && self.watched.of(tab.agent, slot).is_none() {
            return;
        }
        self.watch(tab.agent, slot, attention, "");
    }

    /// Why an agent is thought to be in its state.
    pub(crate) fn evidence(&self, agent: AgentId) -> Vec<Evidence> {
        let mut seen = self.watched.evidence(agent);
        if !seen.iter().any(|evidence| evidence.decides)
            && let Some(agent) = self.world.agent(agent)
        {
            // Nothing was seen yet, which is a reason, too.
            let attention = agent.attention;
            let seen_then = match attention.because.as_str() {
                "" => "nothing was seen of it since the host started".to_owned(),
                because => because.to_owned(),
            };
            seen.insert(
                0,
                Evidence {
                    source: attention.source,
                    state: attention.state,
                    seen: seen_then,
                    at_ms: attention.since_ms,
                    decides: true,
                },
            );
        }
        seen
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
            group: None,
            bookmarked: false,
        }
    }

    #[test]
    fn a_conversation_since_its_terminal_ended_says_how_an_agent_is() {
        let mut known = Known::default();
        let at = |state, since| verdict(state, "", Source::Stream, since);
        let tab = Slot::Tab(TabId(1));
        let _ = known.slots.insert(Slot::Terminal, at(State::Resumable, 5));
        let _ = known.slots.insert(tab, at(State::Idle, 4));
        assert_eq!(known.verdict().map(|(slot, _)| slot), Some(Slot::Terminal));
        let _ = known.slots.insert(tab, at(State::Idle, 6));
        assert_eq!(known.verdict().map(|(slot, _)| slot), Some(tab));
    }

    #[test]
    fn the_most_urgent_of_what_is_known_is_the_verdict() {
        let watched = Watched::default();
        let agent = AgentId(1);
        let at = |state, source| Some(verdict(state, "", source, 5));
        let tab = |n| Slot::Tab(TabId(n));
        for (slot, attention, expected) in [
            (Slot::Terminal, at(State::Unknown, Source::None), Some(State::Unknown)),
            (tab(1), at(State::Idle, Source::Stream), Some(State::Unknown)),
            (tab(1), at(State::Working, Source::Stream), Some(State::Working)),
            (tab(2), at(State::NeedsYou, Source::Stream), Some(State::NeedsYou)),
            (tab(2), at(State::Done, Source::Stream), Some(State::Working)),
            (tab(1), at(State::Failed, Source::Stream), Some(State::Failed)),
            (tab(1), None, Some(State::Done)),
            (Slot::Terminal, at(State::Failed, Source::Process), Some(State::Failed)),
            (Slot::Run, at(State::Working, Source::Run), Some(State::Working)),
            (Slot::Run, at(State::Done, Source::Run), Some(State::Failed)),
            (Slot::Terminal, None, Some(State::Done)),
            (Slot::Run, None, Some(State::Done)),
            (tab(2), None, None),
        ] {
            let now = watched.note(agent, slot, attention, "seen", 9);
            assert_eq!(now.map(|attention| attention.state), expected, "{slot:?}");
        }
        let _ = watched.note(agent, tab(1), at(State::Idle, Source::Stream), "", 1);
        let evidence = watched.evidence(agent);
        assert!(evidence[0].decides && evidence.iter().filter(|one| one.decides).count() == 1);
        for n in 0..200 {
            let state = if n % 2 == 0 { State::Working } else { State::Done };
            let _ = watched.note(agent, tab(n), at(state, Source::Stream), "", n);
        }
        assert_eq!(watched.evidence(agent).len(), EVIDENCE);
        watched.forget(agent);
        assert!(watched.evidence(agent).is_empty());
    }

    /// What the terminal of an agent tells while a recorded program runs in it, one verdict after another.
    fn played(provider: Provider, recording: &str) -> Vec<State> {
        use maestro_terminal::{Event, Options, Outbox, Terminal};

        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
        let bytes = std::fs::read(root.join(recording)).expect("a recording");
        let mut terminal = Terminal::new(Options::new(maestro_core::screen::Size::new(120, 40)));
        let mut agent = agent(provider, State::Unknown, Source::None);
        let mut states = vec![State::Unknown];
        for piece in bytes.chunks(16) {
            let mut out = Outbox::default();
            terminal.advance(piece, &mut out);
            let mut news = News::default();
            for event in out.events {
                match event {
                    Event::Title(title) => news.title = Some(title.unwrap_or_default()),
                    Event::Status(status) => news.status = Some(status),
                    Event::Progress(progress) => news.progress = Some(progress),
                    Event::Prompt(prompt) => news.mark(prompt),
                    _ => {}
                }
            }
            if let Some(attention) = from_terminal(&agent, &news, 0) {
                agent.attention = attention;
            }
            if states.last() != Some(&agent.attention.state) {
                states.push(agent.attention.state);
            }
        }
        states
    }

    #[test]
    fn recorded_programs_tell_what_they_do_by_their_titles() {
        use State::{Idle, NeedsYou, Unknown, Working};

        for (provider, recording, expected) in [
            (Provider::Claude, "claude/tui/ghostty-and-exit.raw", &[Unknown, Working, Unknown][..]),
            (
                Provider::Claude,
                "claude/tui/trust-and-turn.raw",
                &[Unknown, Working, Unknown, Working, Unknown],
            ),
            (
                Provider::Gemini,
                "gemini/tui/turn-and-exit.raw",
                &[Unknown, Idle, Working, NeedsYou, Working, Idle],
            ),
            // Nothing in theirs tells, so nothing is guessed.
            (Provider::OpenCode, "opencode/tui/turn-and-exit.raw", &[Unknown]),
            (Provider::Copilot, "copilot/tui/turn-and-exit.raw", &[Unknown]),
            (Provider::Droid, "droid/tui/login-screen.raw", &[Unknown]),
        ] {
            assert_eq!(played(provider, recording), expected, "{recording}");
        }
        let codex = played(Provider::Codex, "codex/tui/first-run.raw");
        assert_eq!(codex[..5], [Unknown, Idle, Working, Idle, Working], "{codex:?}");
        assert!(codex.contains(&State::Done), "{codex:?}");
    }

    #[test]
    fn the_end_of_a_transcript_tells_what_a_title_does_not() {
        let entry = |body| Entry { n: 0, turn: 1, at_ms: 0, open: false, body };
        let text = || entry(Body::Text("done".into()));
        let tool = |state| {
            entry(Body::Tool(maestro_core::conversation::Tool {
                call: "t".into(),
                name: "Bash".into(),
                kind: maestro_core::conversation::ToolKind::Shell,
                title: "make".into(),
                input: String::new(),
                output: String::new(),
                state,
                exit: None,
                changes: Vec::new(),
                started_ms: 0,
                ended_ms: None,
                parent: None,
            }))
        };
        for (entries, expected) in [
            (vec![], None),
            (vec![entry(Body::Prompt(maestro_core::conversation::Prompt::default()))], None),
            (vec![tool(ToolState::Done), text()], Some(State::Done)),
            (vec![text(), tool(ToolState::Cut)], Some(State::NeedsYou)),
            (vec![text(), tool(ToolState::Done)], None),
            (vec![text(), entry(Body::Notice("n".into()))], Some(State::Done)),
        ] {
            let state = from_entries(&entries, 0).map(|attention| attention.state);
            assert_eq!(state, expected, "{entries:?}");
        }
    }

    #[test]
    fn what_a_provider_has_stored_becomes_a_verdict_until_its_user_looks() {
        let what = || "make".to_owned();
        for (standing, state, because, typed) in [
            (Standing::Rests, State::Idle, "", None),
            (Standing::Works(what()), State::Working, "make", None),
            (
                Standing::Asks(what()),
                State::NeedsYou,
                "may it go on with make?",
                Some(State::Unknown),
            ),
            (Standing::Answered, State::Done, "answered", Some(State::Idle)),
            (Standing::Stopped, State::Done, "was stopped", Some(State::Idle)),
            (Standing::Failed(what()), State::Failed, "make", Some(State::Unknown)),
        ] {
            let told = from_session(&standing, 7);
            assert_eq!((told.state, told.because.as_str()), (state, because), "{standing:?}");
            let known = agent(Provider::OpenCode, told.state, told.source);
            let news = News { typed: true, ..News::default() };
            let then = from_terminal(&known, &news, 8).map(|attention| attention.state);
            assert_eq!(then, typed, "{standing:?}");
        }
    }

    #[test]
    fn progress_and_prompt_marks_tell_what_they_can() {
        use Provider::{Claude, Codex, Shell};
        use State::{Done, Failed, Idle, Unknown, Working};

        let unknown = (Unknown, Source::None);
        let works = (Working, Source::Osc);
        let progress = |progress| News { progress: Some(progress), ..News::default() };
        let marks = |marks: &[Prompt]| {
            let mut news = News::default();
            marks.iter().for_each(|mark| news.mark(*mark));
            news
        };
        let prompt = [Prompt::Start, Prompt::Command];
        for (provider, known, news, expected) in [
            (Claude, unknown, progress(Progress::Busy), Some(Working)),
            (Claude, unknown, progress(Progress::Normal(3)), Some(Working)),
            (Claude, unknown, progress(Progress::Error(3)), Some(Failed)),
            (Claude, works, progress(Progress::None), Some(Unknown)),
            (Claude, works, progress(Progress::Paused(3)), Some(Unknown)),
            (Claude, (Done, Source::Transcript), progress(Progress::None), None),
            (Claude, (Working, Source::Run), progress(Progress::Error(3)), None),
            (Codex, works, progress(Progress::None), None),
            (Shell, unknown, marks(&prompt), Some(Idle)),
            (Shell, unknown, marks(&[Prompt::Output]), Some(Working)),
            (Shell, works, marks(&[Prompt::Done(Some(0)), Prompt::Start]), Some(Done)),
            (Shell, works, marks(&[Prompt::Done(Some(2)), Prompt::Start]), Some(Failed)),
            (Shell, works, marks(&[Prompt::Done(None), Prompt::Output]), Some(Working)),
            (Shell, (Done, Source::Osc), marks(&prompt), None),
            (Shell, (Idle, Source::Osc), marks(&[Prompt::Done(None)]), None),
            (Claude, unknown, marks(&[Prompt::Output]), Some(Working)),
            (Claude, works, marks(&[Prompt::Done(Some(1))]), Some(Unknown)),
            (Claude, unknown, marks(&prompt), None),
            (Codex, works, marks(&[Prompt::Done(None)]), None),
        ] {
            let agent = agent(provider, known.0, known.1);
            let state = from_terminal(&agent, &news, 7).map(|attention| attention.state);
            assert_eq!(state, expected, "{provider:?} {known:?} {news:?}");
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
        check(Provider::Codex, unknown, title("⠐ fixing"), Some(State::Working));
        check(Provider::OpenCode, unknown, title("OC | fixing"), None);
        check(Provider::Gemini, unknown, title("◇  Ready (shop)   "), Some(State::Idle));
        check(Provider::Gemini, unknown, title("✦  Working… (shop)"), Some(State::Working));
        check(
            Provider::Gemini,
            unknown,
            title("✋  Action Required (shop)"),
            Some(State::NeedsYou),
        );
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

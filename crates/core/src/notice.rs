//! What a user should hear of: agents that need them, are done, failed or limited, and runs that ended or
//! wait. Which of it is told outside the window, and how often.

use serde::{Deserialize, Serialize};

use crate::agent::{Agent, State};
use crate::id::{AgentId, RunId};
use crate::run::{self, Run};
use crate::text;

mod hours;

pub use hours::Hours;

/// Notices that are kept; of more, the oldest go.
pub const MOST: usize = 200;

/// The longest text of a notice, in characters.
const LONGEST: usize = 240;

/// For so long the same thing about the same agent is one notice that counts, in milliseconds.
const SAME_MS: u64 = 60 * 60 * 1000;

/// What a notice is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An agent asks for something and waits.
    NeedsYou,
    /// An agent's work failed.
    Failed,
    /// An agent's provider refuses work for a while.
    Limited,
    /// An agent is done.
    Done,
    /// A run waits for its user.
    RunWaits,
    /// A run ended.
    RunEnded,
    /// A run ended, and not well.
    RunFailed,
}

impl Kind {
    /// The name used in JSON and for programs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NeedsYou => "needs_you",
            Self::Failed => "failed",
            Self::Limited => "limited",
            Self::Done => "done",
            Self::RunWaits => "run_waits",
            Self::RunEnded => "run_ended",
            Self::RunFailed => "run_failed",
        }
    }

    /// What a person reads after the name of whom it is about.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::NeedsYou => "needs you",
            Self::Failed => "failed",
            Self::Limited => "is limited",
            Self::Done => "is done",
            Self::RunWaits => "waits for you",
            Self::RunEnded => "is through",
            Self::RunFailed => "did not get through",
        }
    }

    /// Whether work stands still until the user does something.
    #[must_use]
    pub fn is_urgent(self) -> bool {
        !matches!(self, Self::Done | Self::RunEnded | Self::Limited)
    }

    /// Whether it is over as soon as the agent does something else.
    #[must_use]
    fn passes(self) -> bool {
        matches!(self, Self::NeedsYou | Self::Limited)
    }
}

/// One thing that happened, or the same thing several times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Its number: a later one has a greater number.
    pub id: u64,
    /// When it happened last: milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// What.
    pub kind: Kind,
    /// The agent it is about.
    pub agent: Option<AgentId>,
    /// The run it is about.
    pub run: Option<RunId>,
    /// What that is called.
    pub who: String,
    /// Why, in a few words; may be empty.
    pub text: String,
    /// How often it happened before it was read.
    pub count: u32,
    /// Whether the user has seen it.
    pub read: bool,
}

impl Notice {
    /// "api needs you".
    #[must_use]
    pub fn title(&self) -> String {
        let times = if self.count > 1 { format!(" ({}×)", self.count) } else { String::new() };
        format!("{} {}{times}", self.who, self.kind.title())
    }
}

/// What is to be told, without its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// What.
    pub kind: Kind,
    /// The agent it is about.
    pub agent: Option<AgentId>,
    /// The run it is about.
    pub run: Option<RunId>,
    /// What that is called.
    pub who: String,
    /// Why.
    pub text: String,
}

impl News {
    /// What the present state of an agent is worth telling. What a run of ours does with it, the run tells.
    #[must_use]
    pub fn of_agent(agent: &Agent, driven: bool) -> Option<Self> {
        let kind = match agent.attention.state {
            State::NeedsYou => Kind::NeedsYou,
            State::Failed if !driven => Kind::Failed,
            State::Limited if !driven => Kind::Limited,
            State::Done if !driven => Kind::Done,
            _ => return None,
        };
        Some(Self {
            kind,
            agent: Some(agent.id),
            run: None,
            who: text::clean(&agent.name, 80),
            text: text::clean(&agent.attention.because, LONGEST),
        })
    }

    /// What the present state of a run is worth telling. `name`: of the agent it belongs to.
    #[must_use]
    pub fn of_run(run: &Run, name: Option<&str>) -> Option<Self> {
        let done = format!("{} of {} tasks are ticked", run.done, run.done + run.open);
        let (kind, text) = match &run.state {
            run::State::Paused(run::Pause::User) => return None,
            run::State::Paused(pause) => (Kind::RunWaits, pause.sentence()),
            run::State::Ended(ending) => match ending {
                run::Ending::Completed => (Kind::RunEnded, done),
                run::Ending::WithFailures => (Kind::RunFailed, format!("{done}; some failed")),
                run::Ending::Failed(why) => (Kind::RunFailed, why.clone()),
                // Whoever ended it knows.
                run::Ending::Stopped | run::Ending::Killed => return None,
            },
            _ => return None,
        };
        let folder = run.spec.directory.file_name().map(|name| name.to_string_lossy().into_owned());
        let who = name.map(str::to_owned).or(folder).unwrap_or_default();
        Some(Self {
            kind,
            agent: run.spec.agent,
            run: Some(run.id),
            who: text::clean(&format!("Auto Run in {who}"), 100),
            text: text::clean(&text, LONGEST),
        })
    }
}

/// Which notices are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Which {
    /// All of them.
    All,
    /// The one with this number.
    One(u64),
    /// Those about an agent.
    Agent(AgentId),
}

impl Which {
    fn means(self, notice: &Notice) -> bool {
        match self {
            Self::All => true,
            Self::One(id) => notice.id == id,
            Self::Agent(agent) => notice.agent == Some(agent),
        }
    }
}

/// What can be asked about notices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ask {
    /// All of them, the newest first.
    List,
    /// Some of them were read, or are to count as unread again.
    Mark {
        /// Which.
        which: Which,
        /// Whether they were read.
        read: bool,
    },
    /// Forget all of them.
    Clear,
    /// A window has the user's eyes, or not any more.
    Look(bool),
    /// Tell something outside the window now, as it is set, and say what came of it.
    Try,
}

/// The notices that are kept, the newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    notices: Vec<Notice>,
    last: u64,
}

impl History {
    /// The notices that were kept, in any order.
    #[must_use]
    pub fn new(mut notices: Vec<Notice>) -> Self {
        notices.sort_by_key(|notice| (std::cmp::Reverse(notice.at_ms), notice.id));
        notices.truncate(MOST);
        let last = notices.iter().map(|notice| notice.id).max().unwrap_or(0);
        Self { notices, last }
    }

    /// All of them, the newest first.
    #[must_use]
    pub fn all(&self) -> &[Notice] {
        &self.notices
    }

    /// How many were not read.
    #[must_use]
    pub fn unread(&self) -> usize {
        self.notices.iter().filter(|notice| !notice.read).count()
    }

    /// Something happened. The same about the same, while nobody has read it, is one notice that counts.
    pub fn add(&mut self, news: News, now_ms: u64) -> Notice {
        let is_same = |known: &Notice| {
            !known.read
                && (known.kind, known.agent, known.run) == (news.kind, news.agent, news.run)
                && now_ms.saturating_sub(known.at_ms) < SAME_MS
        };
        let known = self.notices.iter().position(is_same).map(|at| self.notices.remove(at));
        let (id, count) = match known {
            Some(known) => (known.id, known.count.saturating_add(1)),
            None => {
                self.last += 1;
                (self.last, 1)
            }
        };
        let News { kind, agent, run, who, text } = news;
        let read = false;
        let notice = Notice { id, at_ms: now_ms, kind, agent, run, who, text, count, read };
        self.notices.insert(0, notice.clone());
        self.notices.truncate(MOST);
        notice
    }

    /// Takes in a notice that is new or changed.
    pub fn put(&mut self, notice: Notice) {
        self.notices.retain(|known| known.id != notice.id);
        self.last = self.last.max(notice.id);
        let at = self.notices.iter().position(|known| known.at_ms <= notice.at_ms);
        self.notices.insert(at.unwrap_or(self.notices.len()), notice);
        self.notices.truncate(MOST);
    }

    /// Marks notices; says which are different now.
    pub fn mark(&mut self, which: Which, read: bool) -> Vec<u64> {
        self.mark_if(read, |notice| which.means(notice))
    }

    /// An agent does something else now: that it needed its user, or was limited, is over.
    pub fn passed(&mut self, agent: AgentId) -> Vec<u64> {
        self.mark_if(true, |notice| notice.agent == Some(agent) && notice.kind.passes())
    }

    /// Takes in that notices with these numbers were marked.
    pub fn marked(&mut self, ids: &[u64], read: bool) {
        let _ = self.mark_if(read, |notice| ids.contains(&notice.id));
    }

    /// Forgets all of them. No number is given twice.
    pub fn clear(&mut self) {
        self.notices.clear();
    }

    fn mark_if(&mut self, read: bool, means: impl Fn(&Notice) -> bool) -> Vec<u64> {
        let meant = self.notices.iter_mut().filter(|notice| notice.read != read && means(notice));
        meant
            .map(|notice| {
                notice.read = read;
                notice.id
            })
            .collect()
    }
}

/// How much is told in one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Loud {
    /// Nothing.
    Never,
    /// What stands still until the user does something.
    Urgent,
    /// Everything.
    #[default]
    All,
}

impl Loud {
    /// Whether a notice is told.
    #[must_use]
    pub fn tells(self, kind: Kind) -> bool {
        match self {
            Self::Never => false,
            Self::Urgent => kind.is_urgent(),
            Self::All => true,
        }
    }
}

/// What the user has set about notices.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rules {
    /// What is shown in the corner of the window.
    pub toasts: Loud,
    /// What the desktop shows while no window of Maestro is looked at.
    pub desktop: Loud,
    /// What is heard then.
    pub sound: Loud,
    /// The program that is run for each notice, as words.
    pub command: Option<Vec<String>>,
    /// When nothing is told outside the window.
    pub quiet: Option<Hours>,
}

/// What goes at once, and how long it takes until one more may: milliseconds.
const ONE: (u32, u64) = (2, 20_000);
const ALL: (u32, u64) = (6, 5_000);

/// Keeps agents that change their minds all the time from being told outside the window all the time.
#[derive(Debug, Clone, Default)]
pub struct Gate {
    all: Vec<(u64, Option<AgentId>)>,
    held: u32,
}

impl Gate {
    /// Whether something about an agent may be told now, and how many were held back since the last time.
    pub fn pass(&mut self, agent: Option<AgentId>, now_ms: u64) -> Option<u32> {
        let since = |passed: u64, (most, apart): (u32, u64)| {
            now_ms.saturating_sub(passed) < u64::from(most) * apart
        };
        // A clock that was set back forgets.
        self.all.retain(|(at, _)| *at <= now_ms && (since(*at, ONE) || since(*at, ALL)));
        let own = self.all.iter().filter(|(at, who)| *who == agent && since(*at, ONE)).count();
        let all = self.all.iter().filter(|(at, _)| since(*at, ALL)).count();
        if own >= ONE.0 as usize || all >= ALL.0 as usize {
            self.held = self.held.saturating_add(1);
            return None;
        }
        self.all.push((now_ms, agent));
        Some(std::mem::take(&mut self.held))
    }
}

#[cfg(test)]
mod tests;

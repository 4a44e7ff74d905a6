//! What is wrong with a tab, what was kept, and the keys that help.

use maestro_core::command::Id;
use maestro_core::conversation::{Tab, TabState};
use maestro_core::queue::{Held, Queue};
use maestro_core::turn::{Failure, FailureKind};
use maestro_ui::part;

use crate::window::local;

/// Something that is wrong, or is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Help {
    /// What happened.
    pub title: String,
    /// The provider's own words.
    pub words: String,
    /// What was kept, and what happens next.
    pub kept: String,
    /// What helps: commands with what their buttons say.
    pub keys: Vec<(Id, &'static str)>,
    /// What kind of thing it is.
    pub tone: Tone,
}

/// What kind of thing it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Something failed.
    Failed,
    /// A limit is waited for.
    Limited,
    /// It goes on by itself.
    Waiting,
    /// The queue stands still.
    Held,
}

/// What there is to say about a tab, if anything.
#[must_use]
pub fn help(tab: &Tab, queue: Option<&Queue>, now_ms: u64) -> Option<Help> {
    let waiting = queue.map_or(0, |queue| queue.items.len());
    match &tab.state {
        TabState::Failed(failure) if failure.kind != FailureKind::Interrupted => {
            Some(failed(failure, queue, waiting))
        }
        TabState::Limited { until_ms, resumes } => {
            Some(limited(*until_ms, *resumes, waiting, now_ms))
        }
        TabState::Retrying { because, until_ms, attempt } => {
            Some(retrying(because, *until_ms, *attempt, now_ms))
        }
        state if !state.is_busy() => held(queue?, waiting),
        _ => None,
    }
}

fn failed(failure: &Failure, queue: Option<&Queue>, waiting: usize) -> Help {
    let (title, kept, mut keys) = of_kind(failure.kind);
    let mut kept = kept.to_owned();
    if waiting > 0 && queue.is_some_and(|queue| queue.held.is_some()) {
        kept.push_str(&format!(" {} held until you say so.", prompts(waiting)));
        keys.push((Id::CardRelease, "Go on with the queue"));
    }
    let words = part::sentence(&maestro_core::text::clean(&failure.message, 400));
    // A provider that says no more than the title is not repeated.
    let same = words.trim_end_matches('.').eq_ignore_ascii_case(title);
    let words = if same { String::new() } else { words };
    Help { title: title.to_owned(), words, kept, keys, tone: Tone::Failed }
}

/// What happened, what was kept and what helps, kind by kind.
fn of_kind(kind: FailureKind) -> (&'static str, &'static str, Vec<(Id, &'static str)>) {
    const RETRY: (Id, &str) = (Id::CardRetry, "Try again");
    const LOGIN: (Id, &str) = (Id::CardLogin, "Log in");
    const MODEL: (Id, &str) = (Id::CardModel, "Another model");
    const REBUILD: (Id, &str) = (Id::CardRebuild, "Rebuild");
    const COMPACT: (Id, &str) = (Id::CardCompact, "Compact");
    const NEW: (Id, &str) = (Id::CardNewTab, "New tab");
    const OWN: (Id, &str) = (Id::CardTerminal, "Own interface");
    const PROMPT: &str = "Your prompt and everything said before are kept.";
    const PART: &str = "What came until then is kept, and so are the changes in its files.";
    match kind {
        FailureKind::Auth => ("It is not logged in", PROMPT, vec![LOGIN, RETRY]),
        FailureKind::Billing => ("There is no credit left", PROMPT, vec![RETRY, MODEL, LOGIN]),
        FailureKind::Limit { .. } => ("A limit is reached", PROMPT, vec![RETRY, MODEL]),
        FailureKind::Overload => ("The service is overloaded", PROMPT, vec![RETRY, MODEL]),
        FailureKind::Network => ("There is no network", PROMPT, vec![RETRY]),
        FailureKind::Torn => ("The answer broke off", PART, vec![RETRY]),
        FailureKind::HumanNeeded => ("Only you can go on", PROMPT, vec![OWN, LOGIN, RETRY]),
        FailureKind::Context => {
            ("The conversation is too long for its model", PROMPT, vec![COMPACT, NEW, MODEL])
        }
        FailureKind::SessionMissing => (
            "The provider has lost this session",
            "Maestro has all that was said: it can go on from there in a new session.",
            vec![REBUILD, NEW],
        ),
        FailureKind::ModelUnknown => ("There is no such model", PROMPT, vec![MODEL, RETRY]),
        FailureKind::Permission => ("A permission was refused", PART, vec![RETRY, OWN]),
        FailureKind::Interrupted => ("It was interrupted", PART, vec![RETRY]),
        FailureKind::Crashed => ("Its program died", PART, vec![RETRY, OWN]),
        FailureKind::Unusable => ("Its program cannot be started", PROMPT, vec![RETRY]),
        FailureKind::Silent => ("It said nothing for too long and was stopped", PART, vec![RETRY]),
        FailureKind::Other => ("The turn failed", PART, vec![RETRY]),
    }
}

fn limited(until_ms: Option<u64>, resumes: bool, waiting: usize, now_ms: u64) -> Help {
    let title = match until_ms {
        Some(until) => format!("Limited until {}", local::clock(until, now_ms)),
        None => "Limited, until when is not known".to_owned(),
    };
    let words = match until_ms.filter(|until| *until > now_ms) {
        Some(until) => format!("in {}", local::left(until, now_ms)),
        None => String::new(),
    };
    let what = match waiting {
        0 => " waits and goes".to_owned(),
        1 => " and 1 queued prompt wait and go".to_owned(),
        count => format!(" and {count} queued prompts wait and go"),
    };
    let kept = match (resumes, until_ms) {
        (true, Some(_)) => format!("The turn{what} on then, without you."),
        (true, None) => format!("The turn{what} on as soon as it is let."),
        (false, _) => format!("The turn{what} on when you try again."),
    };
    let mut keys = vec![
        (Id::CardRetry, "Try now"),
        (Id::TurnInterrupt, "Stop waiting"),
        (Id::CardModel, "Another model"),
    ];
    if resumes {
        keys.push((Id::CardResumes, "Not without me"));
    } else if until_ms.is_some() {
        keys.push((Id::CardResumes, "Go on without me"));
    }
    Help { title, words, kept, keys, tone: Tone::Limited }
}

fn retrying(because: &str, until_ms: Option<u64>, attempt: Option<u32>, now_ms: u64) -> Help {
    let title = part::sentence(&maestro_core::text::clean(because, 120));
    let title = title.trim_end_matches('.').to_owned();
    let mut words = match until_ms {
        Some(until) if until > now_ms => format!("Next try in {}", local::left(until, now_ms)),
        Some(_) => "It is tried again now".to_owned(),
        None => "It tries again by itself".to_owned(),
    };
    if let Some(attempt) = attempt {
        words.push_str(&format!(" · attempt {attempt}"));
    }
    let keys = vec![(Id::CardRetry, "Try now"), (Id::TurnInterrupt, "Stop")];
    Help { title, words, kept: String::new(), keys, tone: Tone::Waiting }
}

fn held(queue: &Queue, waiting: usize) -> Option<Help> {
    let held = queue.held.as_ref().filter(|_| waiting > 0)?;
    let (title, words) = match held {
        Held::ByUser => ("The queue is held", String::new()),
        Held::AfterRestart => (
            "The queue is held since a restart",
            "Nothing is sent until you have had a look.".to_owned(),
        ),
        Held::AfterFailure(why) => {
            let why = maestro_core::text::clean(why, 300);
            ("The queue is held after a failure", part::sentence(&why))
        }
        Held::AfterInterrupt => (
            "The queue is held since the interrupt",
            "What waits was not meant for what is left.".to_owned(),
        ),
    };
    // What holds by itself lets pass who has seen it; what the user holds is held for all.
    let kept = match held {
        Held::ByUser => format!("What you write now waits, too: {} kept.", prompts(waiting)),
        _ => format!("What you write now is said at once; {} held.", stays(waiting)),
    };
    let keys = vec![(Id::CardRelease, "Go on"), (Id::QueueShow, "Show the queue")];
    Some(Help { title: title.to_owned(), words, kept, keys, tone: Tone::Held })
}

fn stays(count: usize) -> String {
    if count == 1 {
        "the queued prompt stays".to_owned()
    } else {
        format!("the {count} queued prompts stay")
    }
}

fn prompts(count: usize) -> String {
    if count == 1 { "1 queued prompt is".to_owned() } else { format!("{count} queued prompts are") }
}

#[cfg(test)]
mod tests {
    use maestro_core::AgentId;

    use super::super::super::scene;
    use super::*;

    const KINDS: [FailureKind; 15] = [
        FailureKind::Auth,
        FailureKind::Billing,
        FailureKind::Limit { resets_ms: None },
        FailureKind::Overload,
        FailureKind::Network,
        FailureKind::Torn,
        FailureKind::HumanNeeded,
        FailureKind::Context,
        FailureKind::SessionMissing,
        FailureKind::ModelUnknown,
        FailureKind::Permission,
        FailureKind::Crashed,
        FailureKind::Unusable,
        FailureKind::Silent,
        FailureKind::Other,
    ];

    fn tab(state: TabState) -> Tab {
        Tab { state, ..scene::tabs()[0].clone() }
    }

    #[test]
    fn every_failure_says_what_happened_what_was_kept_and_what_helps() {
        for kind in KINDS {
            let failure = Failure { kind, message: "no".to_owned() };
            let help = help(&tab(TabState::Failed(failure)), None, 0).expect("a card");
            assert!(
                !help.title.is_empty() && help.kept.contains("said") || help.kept.contains("kept"),
                "{kind:?}"
            );
            assert!(!help.keys.is_empty(), "{kind:?}");
        }
    }

    #[test]
    fn nothing_is_said_twice() {
        let failure = |message: &str| {
            let message = message.to_owned();
            let failure = Failure { kind: FailureKind::ModelUnknown, message };
            help(&tab(TabState::Failed(failure)), None, 0).expect("a card").words
        };
        assert_eq!(failure("there is no such model."), "");
        assert_eq!(failure("no model opus-9"), "No model opus-9.");
    }

    #[test]
    fn what_one_did_oneself_is_no_failure() {
        let failure = Failure { kind: FailureKind::Interrupted, message: String::new() };
        assert_eq!(help(&tab(TabState::Failed(failure)), None, 0), None);
        assert_eq!(help(&tab(TabState::Idle), None, 0), None);
    }

    #[test]
    fn a_held_queue_says_why_and_can_go_on() {
        let item = scene::queues()[0].items[0].clone();
        let queue = |held, items| Queue { agent: AgentId(1), held, items };
        let idle = tab(TabState::Idle);
        for (held, said) in [
            (Held::ByUser, "held"),
            (Held::AfterRestart, "restart"),
            (Held::AfterInterrupt, "interrupt"),
            (Held::AfterFailure("exit 3".to_owned()), "failure"),
        ] {
            let help =
                help(&idle, Some(&queue(Some(held), vec![item.clone()])), 0).expect("a card");
            assert!(help.title.contains(said), "{}", help.title);
            assert_eq!(help.kept.contains("at once"), said != "held", "{}", help.kept);
            assert!(help.keys.iter().any(|(id, _)| *id == Id::CardRelease));
        }
        assert_eq!(help(&idle, Some(&queue(Some(Held::ByUser), vec![])), 0), None);
        assert_eq!(help(&idle, Some(&queue(None, vec![item])), 0), None);
    }

    #[test]
    fn whether_a_limit_is_waited_for_alone_can_be_changed_where_its_end_is_known() {
        let limited = |until_ms, resumes| {
            let state = TabState::Limited { until_ms, resumes };
            let help = help(&tab(state), None, 0).expect("a card");
            let found = help.keys.into_iter().find(|(id, _)| *id == Id::CardResumes);
            found.map(|(_, label)| label)
        };
        assert_eq!(limited(Some(60_000), true), Some("Not without me"));
        assert_eq!(limited(Some(60_000), false), Some("Go on without me"));
        assert_eq!(limited(None, false), None);
    }

    #[test]
    fn a_countdown_says_when_and_which_attempt() {
        let state = TabState::Retrying {
            because: "waiting for network".to_owned(),
            until_ms: Some(13_000),
            attempt: Some(3),
        };
        let help = help(&tab(state), None, 1000).expect("a card");
        assert_eq!(help.title, "Waiting for network");
        assert_eq!(help.words, "Next try in 12 s · attempt 3");
    }
}

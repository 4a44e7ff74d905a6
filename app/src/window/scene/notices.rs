//! What was told in a made-up world.

use maestro_core::notice::{History, Kind, News, Which};
use maestro_core::{AgentId, RunId};

use super::NOW_MS;

/// Notices, read and unread.
pub fn notices() -> History {
    let mut history = History::default();
    let told = [
        (190, Kind::Failed, 6, "search", "its program ended with exit code 1"),
        (95, Kind::RunWaits, 1, "Auto Run in api", "plan.md, line 12: look at the migration"),
        (52, Kind::Limited, 3, "db", "the usage limit is reached"),
        (40, Kind::Done, 5, "docs", "its changes are committed"),
        (22, Kind::Done, 4, "payments", "14 tests pass"),
        (18, Kind::Done, 4, "payments", "all of them pass now"),
        (9, Kind::RunEnded, 1, "Auto Run in api", "7 of 7 tasks are ticked"),
        (3, Kind::NeedsYou, 2, "web", "may it run npm install --save-dev vitest?"),
    ];
    for (minutes, kind, agent, who, text) in told {
        let run = matches!(kind, Kind::RunWaits | Kind::RunEnded).then_some(RunId(4));
        let news = News {
            kind,
            agent: Some(AgentId(agent)),
            run,
            who: who.to_owned(),
            text: text.to_owned(),
        };
        let _ = history.add(news, NOW_MS - minutes * 60_000);
    }
    for old in 1..=4 {
        let _ = history.mark(Which::One(old), true);
    }
    history
}

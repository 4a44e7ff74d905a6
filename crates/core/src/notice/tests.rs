use std::path::PathBuf;

use super::*;
use crate::agent::{Attention, Clipboard, Provider, Source};
use crate::run::{Ending, Pause};

const MINUTE: u64 = 60_000;

fn agent(id: u64, state: State) -> Agent {
    let because = "run \u{202e}tests".to_owned();
    Agent {
        id: AgentId(id),
        name: format!("agent {id}"),
        provider: Provider::Demo,
        directory: PathBuf::from("/w"),
        repository: None,
        branch: None,
        worktree: false,
        ai_terminal: None,
        shell_terminal: None,
        session: None,
        attention: Attention { state, since_ms: 0, because, source: Source::None, until_ms: None },
        created_ms: 0,
        clipboard: Clipboard::default(),
        group: None,
        bookmarked: false,
    }
}

fn spec() -> run::Spec {
    run::Spec {
        documents: Vec::new(),
        directory: PathBuf::from("/w"),
        provider: Provider::Demo,
        agent: Some(AgentId(1)),
        model: None,
        turn_timeout_s: 0,
        silence_timeout_s: 0,
        verify_timeout_s: 0,
        attempts: 1,
        unattended: false,
        options: run::Options::default(),
    }
}

fn news(id: u64, kind: Kind) -> News {
    let agent = Some(AgentId(id));
    News { kind, agent, run: None, who: format!("agent {id}"), text: String::new() }
}

#[test]
fn what_an_agent_does_is_worth_telling_or_not() {
    for (state, driven, expected) in [
        (State::NeedsYou, false, Some(Kind::NeedsYou)),
        (State::NeedsYou, true, Some(Kind::NeedsYou)),
        (State::Done, false, Some(Kind::Done)),
        (State::Done, true, None),
        (State::Failed, false, Some(Kind::Failed)),
        (State::Failed, true, None),
        (State::Limited, false, Some(Kind::Limited)),
        (State::Working, false, None),
        (State::Idle, false, None),
        (State::Resumable, false, None),
        (State::Unknown, false, None),
    ] {
        let told = News::of_agent(&agent(1, state), driven);
        assert_eq!(told.as_ref().map(|news| news.kind), expected, "{state:?} {driven}");
        assert!(told.is_none_or(|news| news.text == "run tests"), "nothing lies in it");
    }
}

#[test]
fn what_a_run_does_is_worth_telling_or_not() {
    let gate = Pause::Needed("Log in again.".to_owned());
    for (state, expected) in [
        (run::State::Running, None),
        (run::State::Stopping, None),
        (run::State::Interrupted, None),
        (run::State::Paused(Pause::User), None),
        (run::State::Paused(gate), Some((Kind::RunWaits, "Log in again."))),
        (run::State::Ended(Ending::Completed), Some((Kind::RunEnded, "2 of 3 tasks are ticked"))),
        (
            run::State::Ended(Ending::WithFailures),
            Some((Kind::RunFailed, "2 of 3 tasks are ticked; some failed")),
        ),
        (run::State::Ended(Ending::Failed("No git.".into())), Some((Kind::RunFailed, "No git."))),
        (run::State::Ended(Ending::Stopped), None),
        (run::State::Ended(Ending::Killed), None),
    ] {
        let mut run = Run::new(RunId(1), spec(), 0, 1, 2);
        run.state = state;
        let told = News::of_run(&run, Some("api"));
        let short = told.as_ref().map(|news| (news.kind, news.text.as_str()));
        assert_eq!(short, expected, "{:?}", run.state);
        assert!(told.is_none_or(|news| news.who == "Auto Run in api"));
    }
}

#[test]
fn the_same_again_counts_until_it_is_read() {
    let mut history = History::default();
    let first = history.add(news(1, Kind::Done), 0);
    let other = history.add(news(2, Kind::Done), MINUTE);
    let again = history.add(news(1, Kind::Done), 2 * MINUTE);
    assert_eq!((again.id, again.count, other.count), (first.id, 2, 1));
    assert_eq!(again.title(), "agent 1 is done (2×)");
    assert_eq!(history.all().iter().map(|one| one.id).collect::<Vec<_>>(), [first.id, other.id]);
    assert_eq!(history.mark(Which::One(first.id), true), [first.id]);
    assert_eq!(history.mark(Which::One(first.id), true), [0; 0], "once");
    let new = history.add(news(1, Kind::Done), 3 * MINUTE);
    assert!(new.id > other.id && new.count == 1);
    let late = history.add(news(1, Kind::Done), 3 * MINUTE + SAME_MS);
    assert_eq!(late.count, 1, "after an hour it is another one");
    assert_eq!(history.unread(), 3);
}

#[test]
fn what_is_over_by_itself_counts_as_read() {
    let mut history = History::default();
    for kind in [Kind::NeedsYou, Kind::Done, Kind::Limited, Kind::Failed] {
        let _ = history.add(news(1, kind), 0);
    }
    let _ = history.add(news(2, Kind::NeedsYou), 0);
    assert_eq!(history.passed(AgentId(1)).len(), 2);
    assert_eq!(history.unread(), 3);
    assert_eq!(history.mark(Which::Agent(AgentId(1)), true).len(), 2);
    assert_eq!(history.mark(Which::All, true).len(), 1);
    assert_eq!(history.mark(Which::All, false).len(), 5);
}

#[test]
fn a_history_is_bounded_and_read_back_as_it_was() {
    let mut history = History::default();
    for id in 0..3 * MOST as u64 {
        let _ = history.add(news(id, Kind::Done), id);
    }
    assert_eq!(history.all().len(), MOST);
    let mut kept = history.all().to_vec();
    kept.reverse();
    let mut read = History::new(kept);
    assert_eq!(read, history);
    let next = read.add(news(1, Kind::Failed), 5 * SAME_MS);
    assert!(history.all().iter().all(|one| one.id < next.id));
    history.put(next.clone());
    assert_eq!((history.all().len(), history.all()[0].id), (MOST, next.id));
    let text = serde_json::to_string(&next).expect("written");
    assert_eq!(serde_json::from_str::<Notice>(&text).expect("read"), next);
}

#[test]
fn an_agent_that_flutters_is_told_twice_and_the_others_still_are() {
    let mut gate = Gate::default();
    let told = |gate: &mut Gate, id, at| gate.pass(Some(AgentId(id)), at);
    let passed = (0..100).filter(|at| told(&mut gate, 1, at * 10).is_some()).count();
    assert_eq!(passed, 2);
    assert_eq!(told(&mut gate, 2, 1000), Some(98), "and it says how many were held back");
    assert_eq!(told(&mut gate, 2, 1000), Some(0));
    let many = (3..50).filter(|id| told(&mut gate, *id, 1000).is_some()).count();
    assert_eq!(many, 2, "all together are bounded, too");
    assert!(told(&mut gate, 1, 50_000).is_some());
    assert!(told(&mut gate, 1, 0).is_some(), "a clock that was set back holds nothing up");
}

#[test]
fn loudness_is_about_what_stands_still() {
    for (loud, kind, expected) in [
        (Loud::Never, Kind::NeedsYou, false),
        (Loud::Urgent, Kind::NeedsYou, true),
        (Loud::Urgent, Kind::RunWaits, true),
        (Loud::Urgent, Kind::RunFailed, true),
        (Loud::Urgent, Kind::Done, false),
        (Loud::Urgent, Kind::Limited, false),
        (Loud::All, Kind::Done, true),
    ] {
        assert_eq!(loud.tells(kind), expected, "{loud:?} {kind:?}");
    }
}

use maestro_core::AgentId;

use super::super::scene;
use super::*;

fn place() -> Place {
    Place { agent: Some(AgentId(1)), directory: scene::ROOT.into(), repository: None }
}

fn answer(history: &mut History, question: Question, answer: Answer) -> Action {
    history.answered(question, Ok(Reply::Changes(answer)))
}

fn opened() -> History {
    let mut history = History::default();
    let _ = history.opened(&place());
    let question = history.waits_for().expect("a question");
    let _ = answer(&mut history, question, Answer::Log(Box::new(scene::log("log"))));
    history
}

/// What the host is asked in an action.
fn asked(action: &Action) -> Vec<Ask> {
    match action {
        Action::Ask(_, command) => match command.as_ref() {
            Command::Changes(ask) => vec![ask.clone()],
            _ => Vec::new(),
        },
        Action::All(all) => all.iter().flat_map(asked).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn the_mark_stays_with_its_commit() {
    let mut history = opened();
    let _ = history.command(Id::ReviewDown);
    let marked = history.marked().expect("a commit").id.clone();
    let _ = history.refresh();
    let question = history.waits_for().expect("a question");
    let mut log = scene::log("log");
    let mut newest = log.commits[0].clone();
    newest.id = "ff".repeat(20);
    log.commits.insert(0, newest);
    let _ = answer(&mut history, question, Answer::Log(Box::new(log)));
    assert_eq!(history.marked().map(|commit| commit.id.clone()), Some(marked));
    assert_eq!(history.at, 2);
}

#[test]
fn more_is_asked_for_where_the_end_comes_near() {
    let mut history = opened();
    assert_eq!(history.command(Id::ReviewLast), Action::None, "there is no more");
    let _ = history.refresh();
    let question = history.waits_for().expect("a question");
    let more = Log { more: true, ..scene::log("log") };
    let _ = answer(&mut history, question, Answer::Log(Box::new(more)));
    let next = history.command(Id::ReviewLast);
    let asked = asked(&next);
    let [Ask::Log { query, .. }] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!(query.skip, 12);
    assert_eq!(history.command(Id::ReviewLast), Action::None, "once");
    let question = history.waits_for().expect("a question");
    let _ = answer(&mut history, question, Answer::Log(Box::new(scene::log("log"))));
    assert_eq!((history.commits.len(), history.graph.len()), (24, 24));
}

#[test]
fn words_are_looked_for_and_escape_shows_all_again() {
    let mut history = opened();
    let _ = history.command(Id::LogFind);
    assert_eq!(history.input(), Some(INPUT));
    history.typed("references".to_owned());
    let search = history.command(Id::OverlayAccept);
    assert!(
        matches!(asked(&search).as_slice(), [Ask::Log { query, .. }] if query.words == "references"),
        "{search:?}"
    );
    // What was asked before is not taken for the answer.
    let _ = answer(&mut history, Question::Log(1, 0), Answer::Log(Box::new(scene::log("log"))));
    assert!(history.commits.is_empty());
    let again = history.command(Id::ReviewLeave);
    assert!(
        matches!(asked(&again).as_slice(), [Ask::Log { query, .. }] if query.words.is_empty()),
        "{again:?}"
    );
    assert_eq!(history.command(Id::ReviewLeave), Action::Close);
}

#[test]
fn a_branch_is_switched_to_and_a_remote_one_gets_one_of_its_own() {
    let mut history = opened();
    let _ = history.command(Id::LogBranches);
    let question = history.waits_for().expect("a question");
    let _ = answer(&mut history, question, Answer::Branches(Box::new(scene::branches())));
    assert!(matches!(history.command(Id::ReviewAccept), Action::Tell(_)), "it is here already");
    for (down, expected) in [
        (2, ("main", None)),
        // There is a local one of that name.
        (4, ("main", None)),
        (5, ("release/1", Some("origin/release/1"))),
    ] {
        history.branch = down;
        let action = history.command(Id::ReviewAccept);
        let asked = asked(&action);
        let [Ask::Switch { branch, from, .. }] = asked.as_slice() else { panic!("{asked:?}") };
        assert_eq!((branch.as_str(), from.as_deref()), expected);
    }
    let told = history.answered(Question::Switch, Err("src/lib.rs would be lost".into()));
    assert!(matches!(told, Action::Problem(_)));
    assert!(history.branches.is_some(), "another one can be picked");
    let _ = answer(&mut history, Question::Switch, Answer::Done);
    assert!(history.branches.is_none());
}

#[test]
fn what_git_prints_is_shown_and_a_failure_has_a_way_out() {
    let mut history = opened();
    let push = history.command(Id::LogPush);
    let asked_for = asked(&push);
    let [Ask::Sync { token, .. }] = asked_for.as_slice() else { panic!("{asked_for:?}") };
    let token = *token;
    assert!(matches!(history.command(Id::LogFetch), Action::Tell(_)), "one at a time");
    for (line, replaces) in [("Writing 10%", false), ("Writing 100%", true), ("done", false)] {
        history.told(Heard { token, line: line.to_owned(), replaces });
        history.told(Heard { token: token + 1, line: "somebody else's".to_owned(), replaces });
    }
    assert_eq!(history.going.as_ref().map(|going| going.lines.len()), Some(2));
    let cancel = history.command(Id::ReviewLeave);
    assert!(matches!(asked(&cancel).as_slice(), [Ask::Cancel { token: own }] if *own == token));
    let _ = answer(&mut history, Question::Sync(token), Answer::Synced(scene::pushed()));
    // The key takes the first way, or after Tab the other one.
    let _ = history.command(Id::ReviewPart);
    let way = history.command(Id::LogWay);
    assert!(
        matches!(asked(&way).as_slice(), [Ask::Sync { sync: Sync::Pull { how: Pull::Merge }, .. }]),
        "{way:?}"
    );
}

#[test]
fn a_host_that_cannot_says_so() {
    let mut history = opened();
    let _ = history.command(Id::LogFetch);
    let token = history.going.as_ref().expect("going").token;
    let told = history.answered(Question::Sync(token), Err("git is not there".into()));
    assert!(matches!(told, Action::Problem(_)) && history.going.is_none());
}

#[test]
fn output_has_a_bound() {
    let mut history = opened();
    let _ = history.command(Id::LogFetch);
    let token = history.going.as_ref().expect("going").token;
    for number in 0..2000 {
        history.told(Heard { token, line: format!("{number}"), replaces: false });
    }
    assert_eq!(history.going.as_ref().map(|going| going.lines.len()), Some(LINES));
}

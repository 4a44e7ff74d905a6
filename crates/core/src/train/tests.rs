use super::*;
use crate::conflict::{Cell, Hunk, Side};

fn train(branches: &[&str], verify: &[&str]) -> Train {
    let spec = Spec {
        repository: "/r".into(),
        target: "main".into(),
        cars: branches.iter().map(|&name| name.to_owned()).collect(),
        sorted: false,
        how: How::Merge,
        verify: verify.iter().map(|&line| line.to_owned()).collect(),
        limit_s: 60,
        commit: false,
        returns: 2,
    };
    let cars = branches
        .iter()
        .zip(1..)
        .map(|(branch, id)| Car {
            branch: (*branch).to_owned(),
            directory: Some(format!("/{branch}").into()),
            agent: Some(AgentId(id)),
            state: CarState::Waiting,
            returned: 0,
            overtaken: 0,
            checks: Vec::new(),
        })
        .collect();
    Train::new(TrainId(1), spec, cars, 5)
}

fn merged(from: &str, to: &str) -> Fact {
    Fact::Merged { from: from.to_owned(), to: to.to_owned() }
}

fn conflict() -> Loss {
    Loss::Conflict(vec![Clash {
        path: "src/a.rs".into(),
        kind: "CONFLICT (contents)".into(),
        hunks: vec![Hunk { line: 7, ours: "mine ```\n".into(), theirs: "other\n".into() }],
        is_cut: false,
    }])
}

#[test]
fn every_car_is_merged_checked_and_only_then_moves_the_target() {
    let mut train = train(&["a", "b"], &["make"]);
    assert_eq!(train.next(9), Next::Merge(0));
    assert_eq!(train.next(9), Next::Merge(0), "asked again after a crash");
    train.take(0, Fact::Moved);
    assert_eq!(train.cars[0].state, CarState::Merging, "nothing moves that was not checked");
    train.take(0, merged("0", "1"));
    assert_eq!(train.next(9), Next::Verify(0));
    train.take(0, Fact::Moved);
    assert!(train.moves.is_empty(), "nothing moves that was not checked");
    train.take(0, Fact::Verified(Vec::new()));
    assert_eq!(train.next(9), Next::Move(0));
    train.take(0, Fact::Moved);
    assert_eq!(train.next(9), Next::Merge(1));
    train.take(1, Fact::Empty);
    assert_eq!(train.next(9), Next::Nothing);
    assert_eq!((&train.state, train.ended_ms), (&State::Ended(End::Done), Some(9)));
    assert_eq!(train.undo("1"), Ok(("1".into(), "0".into())));
}

#[test]
fn who_does_not_fit_goes_back_when_the_others_are_aboard() {
    let mut train = train(&["a", "b"], &[]);
    assert_eq!(train.next(9), Next::Merge(0));
    train.take(0, Fact::Lost(conflict()));
    assert_eq!(train.next(9), Next::Merge(1), "the others first");
    train.take(1, merged("0", "1"));
    assert_eq!(train.next(9), Next::Move(1), "no commands, so nothing to check");
    train.take(1, Fact::Moved);
    for _ in 0..2 {
        assert_eq!(train.next(9), Next::Return(0));
        train.take(0, Fact::Told(TabId(4)));
        assert_eq!(train.next(9), Next::Await(0));
        train.take(0, Fact::Answered);
        assert_eq!(train.next(9), Next::Merge(0));
        train.take(0, Fact::Lost(conflict()));
    }
    assert_eq!(train.next(9), Next::Nothing, "its tries are used up");
    assert_eq!(train.state, State::Ended(End::Partly));
    assert_eq!(train.cars[0].state, CarState::Left(conflict()));
    // Whoever mends it by hand lets the train go on.
    train.resume().expect("what stayed behind is tried again");
    assert_eq!(train.next(9), Next::Merge(0));
    train.take(0, merged("1", "2"));
    assert_eq!(train.next(9), Next::Move(0));
    train.take(0, Fact::Moved);
    assert_eq!(train.next(9), Next::Nothing);
    assert_eq!(train.state, State::Ended(End::Done));
    assert!(train.resume().is_err());
}

#[test]
fn who_has_no_agent_stays_behind_and_holds_up_nobody() {
    let mut train = train(&["a"], &[]);
    train.cars[0].agent = None;
    assert_eq!(train.next(9), Next::Merge(0));
    train.take(0, Fact::Lost(conflict()));
    assert_eq!(train.next(9), Next::Nothing);
    assert_eq!(train.state, State::Ended(End::Partly));
}

#[test]
fn a_target_that_somebody_else_moved_is_merged_anew_and_not_for_ever() {
    let mut train = train(&["a"], &[]);
    for tried in 1..=OVERTAKEN {
        assert_eq!(train.next(9), Next::Merge(0), "{tried}");
        train.take(0, merged("0", "1"));
        assert_eq!(train.next(9), Next::Move(0));
        train.take(0, Fact::Overtaken);
        assert_eq!(train.cars[0].state, CarState::Waiting);
    }
    assert!(matches!(train.state, State::Stopped(_)));
    assert_eq!(train.next(9), Next::Nothing);
}

#[test]
fn what_holds_it_up_stops_it_and_loses_nothing() {
    let mut train = train(&["a"], &[]);
    assert_eq!(train.next(9), Next::Merge(0));
    train.take(0, merged("0", "1"));
    assert_eq!(train.next(9), Next::Move(0));
    train.take(0, Fact::Held("main is dirty".into()));
    assert_eq!(train.next(9), Next::Nothing);
    train.resume().expect("it stood");
    assert_eq!(train.next(9), Next::Move(0), "from the same commit, or not at all");
    // Given up while it did something: what comes of it is not taken.
    train.end(End::Aborted, 10);
    train.take(0, Fact::Moved);
    assert!(train.moves.is_empty() && train.resume().is_err());
    assert!(train.undo("0").is_err(), "it moved nothing");
}

#[test]
fn a_train_is_undone_only_while_nobody_built_on_it() {
    let step = |from: &str, to: &str| Move {
        branch: "a".into(),
        from: from.to_owned(),
        to: to.to_owned(),
    };
    let check = |moves: Vec<Move>, now: &str, possible: bool| {
        let mut train = train(&["a"], &[]);
        train.moves = moves;
        assert!(train.undo(now).is_err(), "it is under way");
        train.end(End::Done, 1);
        assert_eq!(train.undo(now).is_ok(), possible, "{now}");
    };
    check(vec![step("0", "1"), step("1", "2")], "2", true);
    check(vec![step("0", "1"), step("1", "2")], "3", false);
    check(vec![step("0", "1"), step("1", "2")], "0", false);
    // Somebody else committed in between.
    check(vec![step("0", "1"), step("x", "2")], "2", false);
    check(Vec::new(), "0", false);
}

#[test]
fn an_agent_is_told_what_conflicts_and_what_to_do() {
    let mut train = train(&["a", "b"], &["make test"]);
    train.cars[1].state = CarState::Aboard { commit: "1".into() };
    let text = train.prompt(0, &conflict());
    for part in [
        "`a` is to go into `main`",
        "`git merge main`",
        "Gone in before it: `b`.",
        "src/a.rs (contents)",
        "line 7, yours:",
        // What it has cannot end the fence around it.
        "````\nmine ```\n````",
        "and in `main`:\n\n```\nother\n```",
        "- `make test`",
    ] {
        assert!(text.contains(part), "{part} in\n{text}");
    }
    train.spec.how = How::Rebase;
    assert!(train.prompt(0, &conflict()).contains("`git rebase main`"));
    let check = Check { command: "make".into(), code: Some(2), output: "x".repeat(9_000) + "é" };
    let text = train.prompt(0, &Loss::Check(check));
    assert!(text.contains("`make` ended with 2") && text.len() < 5_500, "{}", text.len());
    assert!(train.prompt(0, &Loss::Uncommitted(vec!["f".into()])).contains("- f"));
    assert!(train.prompt(9, &conflict()).is_empty());
}

#[test]
fn the_order_with_the_fewest_conflicts_is_suggested() {
    let side = |name: &str, touched| Side {
        directory: format!("/{name}").into(),
        branch: Some(name.to_owned()),
        head: None,
        is_dirty: false,
        touched,
        problem: None,
    };
    let clash = |a, b| Cell { a, b, fit: Fit::Conflicts(vec!["f".into()]) };
    let check = |cells: Vec<Cell>, given: &[&str], expected: &[&str]| {
        let matrix = Matrix {
            sides: vec![side("main", 0), side("a", 9), side("b", 1), side("c", 3)],
            cells,
            ..Matrix::default()
        };
        let given: Vec<String> = given.iter().map(|&name| name.to_owned()).collect();
        assert_eq!(order(&matrix, &given), expected);
    };
    // Nothing conflicts: the smaller ones first.
    check(vec![], &["a", "b", "c"], &["b", "c", "a"]);
    // Who meets two others goes last.
    check(vec![clash(1, Some(2)), clash(2, Some(3))], &["a", "b", "c"], &["c", "b", "a"]);
    check(vec![clash(2, Some(3))], &["b", "c", "a"], &["a", "b", "c"]);
    // Who conflicts with the target itself goes after equals.
    check(vec![clash(2, None)], &["a", "b", "c"], &["c", "a", "b"]);
    check(vec![], &["x", "a"], &["a", "x"]);
}

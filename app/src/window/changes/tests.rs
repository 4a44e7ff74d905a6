use maestro_core::changes::Blobs;
use maestro_core::{RunId, TerminalId};

use super::super::scene;
use super::*;

fn place() -> Place {
    Place { agent: Some(AgentId(1)), directory: scene::ROOT.into(), repository: None }
}

fn model() -> Model {
    let mut model = Model::default();
    let mut world = scene::world();
    (world.tabs, world.queues) = (scene::tabs(), scene::queues());
    model.replace(world);
    model
}

fn answer(changes: &mut Changes, question: Question, answer: Answer) -> Action {
    changes.answered(question, Ok(Reply::Changes(answer)))
}

/// Answers everything that is asked, as a scene has it.
fn settle(changes: &mut Changes, scene: &str) {
    while let Some((question, file)) = changes.waits_for() {
        let told = match file {
            None => Answer::List(Box::new(scene::listing(scene))),
            Some((file, first)) => Answer::Lines(Box::new(scene::lines(&file, first))),
        };
        let _ = answer(changes, question, told);
    }
}

fn opened(scene: &str) -> Changes {
    let mut changes = Changes::default();
    let _ = changes.opened(&place());
    settle(&mut changes, scene);
    changes
}

fn press(changes: &mut Changes, scene: &str, ids: &[Id]) -> Action {
    let mut last = Action::None;
    for id in ids {
        last = changes.command(*id, &model());
        settle(changes, scene);
    }
    last
}

/// The question to the host in an action.
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

fn open_name(changes: &Changes) -> String {
    changes.open.as_ref().map(|open| open.file.name.shown().into_owned()).unwrap_or_default()
}

/// Goes to the lines of `src/api/routes.rs`.
fn in_lines(scene: &str) -> Changes {
    let mut changes = opened(scene);
    while open_name(&changes) != "src/api/routes.rs" {
        let before = changes.at;
        let _ = press(&mut changes, scene, &[Id::ChangesNextFile]);
        assert!(changes.at > before, "the file is there");
    }
    let _ = press(&mut changes, scene, &[Id::ReviewAccept]);
    assert!(changes.deep);
    changes
}

#[test]
fn what_was_viewed_and_said_outlives_the_window() {
    let mut changes = opened("changes");
    assert!(changes.take_unkept(1).is_empty());
    let _ = press(&mut changes, "changes", &[Id::ChangesSeen]);
    changes.left.comments.push(Comment {
        source: Source::WorkingTree,
        file: "a".into(),
        lines: Vec::new(),
        text: "Why?".to_owned(),
    });
    // Another agent's changes are looked at while the host is away.
    let _ = changes.opened(&Place { directory: "/elsewhere".into(), ..place() });
    let kept = changes.take_unkept(2);
    assert!(changes.take_unkept(3).is_empty(), "once");
    let [(key, Some(text), true)] = kept.as_slice() else { panic!("{kept:?}") };

    let mut changes = Changes::default();
    assert!(changes.restore(&[(key.clone(), text.clone())]).is_empty());
    let _ = changes.opened(&place());
    settle(&mut changes, "changes");
    assert_eq!(changes.files().iter().filter(|file| changes.is_seen(file)).count(), 1);
    assert_eq!(changes.left.comments[0].text, "Why?");
    changes.left = Left::default();
    changes.said_otherwise();
    assert_eq!(changes.take_unkept(4), [(key.clone(), None, true)], "nothing is left");
}

#[test]
fn it_opens_at_the_first_file_with_its_lines() {
    let changes = opened("changes");
    assert_eq!(open_name(&changes), "Cargo.lock");
    assert_eq!(changes.keys().first(), Some(&("↑↓", "file")));
    let open = changes.open.as_ref().expect("a file");
    assert_eq!(open.hunks().len(), 2);
    assert!(open.line(open.cursor).is_some_and(|line| line.new.is_none()), "the first change");
}

#[test]
fn words_that_differ_are_marked_and_code_has_colours() {
    let changes = in_lines("changes");
    let open = changes.open.as_ref().expect("a file");
    let drawn: Vec<_> = (0..open.rows()).filter_map(|row| open.drawn(row)).collect();
    assert!(drawn.iter().any(|half| !half.line.marks.is_empty()));
    assert!(drawn.iter().any(|half| !half.line.pieces.is_empty()));
}

#[test]
fn every_row_is_a_head_or_the_line_under_it() {
    let changes = in_lines("changes");
    let open = changes.open.as_ref().expect("a file");
    let mut heads = 0;
    for row in 0..open.rows() {
        match open.item(row).expect("a row") {
            open::Item::Head(hunk) => {
                assert_eq!(open.row_of(hunk), row);
                heads += 1;
            }
            open::Item::Line(line) => {
                assert_eq!(line as usize + heads, row);
                assert!(open.line(row).is_some(), "{row}");
            }
        }
    }
    assert_eq!((heads, open.item(open.rows())), (2, None));
}

#[test]
fn two_columns_have_every_line_once_and_in_order() {
    let changes = in_lines("changes");
    let open = changes.open.as_ref().expect("a file");
    let pairs = open.pairs(0, 1000);
    let is_head = |pair: &&open::Pair| pair.head.is_none();
    let mut left: Vec<usize> = pairs.iter().filter(is_head).filter_map(|pair| pair.left).collect();
    let right: Vec<usize> = pairs.iter().filter(is_head).filter_map(|pair| pair.right).collect();
    assert!(left.is_sorted() && right.is_sorted());
    for row in &left {
        assert!(open.line(*row).is_some_and(|line| line.old.is_some()));
    }
    for row in &right {
        assert!(open.line(*row).is_some_and(|line| line.new.is_some()));
    }
    left.extend(&right);
    left.sort_unstable();
    left.dedup();
    assert_eq!(left.len() + open.hunks().len(), open.rows());
    // From wherever one begins, the rows are the same.
    for (at, pair) in pairs.iter().enumerate() {
        for row in [pair.left, pair.right].into_iter().flatten() {
            assert_eq!(open.pairs(row, 5), pairs[at..(at + 5).min(pairs.len())], "{row}");
        }
        let up = open.stepped(pair.row(), -1, true);
        assert_eq!(up, pairs[at.saturating_sub(1)].row(), "above {at}");
        let down = open.stepped(pair.row(), 1, true);
        assert_eq!(down, pairs[(at + 1).min(pairs.len() - 1)].row(), "below {at}");
    }
}

#[test]
fn a_huge_file_is_asked_for_where_it_is_looked_at() {
    let mut changes = opened("changes-large");
    let _ = press(&mut changes, "changes-large", &[Id::ReviewAccept]);
    let action = changes.command(Id::ReviewLast, &model());
    let asked = asked(&action);
    let [Ask::Lines { lines, .. }] = asked.as_slice() else { panic!("{asked:?}") };
    assert!(lines.contains(&49_999), "{lines:?}");
    settle(&mut changes, "changes-large");
    let open = changes.open.as_ref().expect("a file");
    assert_eq!(open.line(open.cursor).and_then(|line| line.new), Some(50_000));
    // Through all of it, at most so many are kept, and what is shown is there.
    for _ in 0..2000 {
        let _ = press(&mut changes, "changes-large", &[Id::ReviewPageUp]);
        let open = changes.open.as_ref().expect("a file");
        assert!(open.line(open.cursor.max(1)).is_some(), "{}", open.cursor);
        assert!(open.kept() <= 24);
    }
    assert_eq!(changes.open.as_ref().map(|open| open.cursor), Some(0));
}

#[test]
fn files_and_hunks_are_staged_by_the_key() {
    let mut changes = opened("changes");
    let action = press(&mut changes, "changes", &[Id::ChangesStage]);
    let staged = asked(&action);
    let [Ask::Change { deed: Deed::Stage, picks, .. }] = staged.as_slice() else {
        panic!("{staged:?}")
    };
    assert_eq!(*picks, [Pick { file: "Cargo.lock".into(), hunks: None }]);
    // One deed at a time; then the list is asked for again.
    assert_eq!(press(&mut changes, "changes", &[Id::ChangesStage]), Action::None);
    let after = answer(&mut changes, Question::Deed(Deed::Stage), Answer::Done);
    assert!(matches!(asked(&after).as_slice(), [Ask::List { .. }]), "{after:?}");
    settle(&mut changes, "changes");

    let mut changes = in_lines("changes");
    let action = press(&mut changes, "changes", &[Id::ChangesNext, Id::ChangesStage]);
    let staged = asked(&action);
    let [Ask::Change { picks, .. }] = staged.as_slice() else { panic!("{staged:?}") };
    assert_eq!(*picks, [Pick { file: "src/api/routes.rs".into(), hunks: Some(vec![2]) }]);
}

#[test]
fn a_folder_is_staged_with_all_that_is_in_it() {
    let mut changes = opened("changes");
    let folder = |row: &Row| matches!(row, Row::Folder { path, .. } if path == "src/");
    changes.at = changes.rows.iter().position(folder).expect("a folder");
    // Folded or not.
    let _ = press(&mut changes, "changes", &[Id::ReviewLeft]);
    let action = press(&mut changes, "changes", &[Id::ChangesStage]);
    let staged = asked(&action);
    let [Ask::Change { picks, .. }] = staged.as_slice() else { panic!("{staged:?}") };
    let names: Vec<_> = picks.iter().map(|pick| pick.file.shown().into_owned()).collect();
    let expected =
        ["src/api/preferences.rs", "src/api/routes.rs", "src/api/session.rs", "src/lib.rs"];
    assert_eq!(names, expected);
}

#[test]
fn what_cannot_be_done_in_a_view_says_where_it_can() {
    let mut changes = opened("changes");
    let action = press(&mut changes, "changes", &[Id::ChangesUnstage]);
    assert!(matches!(&action, Action::Tell(words) if words.contains("i shows")), "{action:?}");
    let action = press(&mut changes, "changes", &[Id::ChangesStaged, Id::ChangesDiscard]);
    assert!(matches!(&action, Action::Tell(words) if words.contains("w shows")), "{action:?}");
    let action = press(&mut changes, "changes", &[Id::ChangesUnstage]);
    let unstaged = asked(&action);
    assert!(
        matches!(unstaged.as_slice(), [Ask::Change { deed: Deed::Unstage, .. }]),
        "{unstaged:?}"
    );
}

#[test]
fn nothing_is_discarded_before_it_was_asked_and_it_comes_back() {
    let mut changes = in_lines("changes");
    assert_eq!(press(&mut changes, "changes", &[Id::ChangesDiscard]), Action::None);
    assert!(changes.asks());
    // Whatever else is pressed does nothing meanwhile, and Escape leaves it.
    assert_eq!(press(&mut changes, "changes", &[Id::ChangesStage]), Action::None);
    assert_eq!(press(&mut changes, "changes", &[Id::OverlayCancel]), Action::None);
    assert!(!changes.asks());
    let action = press(&mut changes, "changes", &[Id::ChangesDiscard, Id::OverlayAccept]);
    let done = asked(&action);
    let [Ask::Change { deed: Deed::Discard, picks, .. }] = done.as_slice() else {
        panic!("{done:?}")
    };
    assert_eq!(*picks, [Pick { file: "src/api/routes.rs".into(), hunks: Some(vec![1]) }]);
    let discard = Discard { id: "d1".into(), at_ms: 1, files: vec!["src/api/routes.rs".into()] };
    let told = answer(&mut changes, Question::Deed(Deed::Discard), Answer::Discarded(discard));
    let Action::All(told) = told else { panic!("{told:?}") };
    assert!(matches!(&told[0], Action::Tell(words) if words.contains("z puts it back")));
    settle(&mut changes, "changes");
    let undo = press(&mut changes, "changes", &[Id::ChangesUndo]);
    assert!(matches!(asked(&undo).as_slice(), [Ask::Undo { discard: None, .. }]), "{undo:?}");
}

#[test]
fn a_refusal_is_told_and_the_list_asked_for_again() {
    let mut changes = opened("changes");
    let _ = press(&mut changes, "changes", &[Id::ChangesStage]);
    let why = "Cargo.lock changed since it was shown".to_owned();
    let told = changes.answered(Question::Deed(Deed::Stage), Err(why.clone()));
    let Action::All(all) = &told else { panic!("{told:?}") };
    assert_eq!(all[0], Action::Problem(why));
    assert!(matches!(asked(&told).as_slice(), [Ask::List { .. }]));
}

#[test]
fn comments_are_kept_and_go_to_the_agent_as_one_message() {
    let mut changes = in_lines("changes");
    for (ids, said) in
        [(&[][..], "First."), (&[Id::ChangesNext, Id::ChangesChooseDown][..], "Second.")]
    {
        let _ = press(&mut changes, "changes", ids);
        let _ = press(&mut changes, "changes", &[Id::ChangesComment]);
        assert_eq!(changes.input(), Some(INPUT));
        changes.typed(said.to_owned());
        let _ = press(&mut changes, "changes", &[Id::OverlayAccept]);
    }
    assert_eq!(changes.left.comments.len(), 2);
    assert_eq!(changes.left.comments[1].lines.len(), 2);
    let model = model();
    let tab = model.tabs.iter().find(|tab| !tab.closed).expect("a tab");
    changes.agent = Some(tab.agent);
    let sent = changes.command(Id::ChangesSend, &model);
    let Action::Ask(review::Question::Changes(Question::Said), command) = &sent else {
        panic!("{sent:?}")
    };
    let Command::Send { prompt, token, typed: false, .. } = command.as_ref() else {
        panic!("{command:?}")
    };
    assert!(prompt.text.contains("src/api/routes.rs:"), "{}", prompt.text);
    assert!(prompt.text.contains("First.") && prompt.text.contains("Second."));
    // It is refused: nothing is lost, and the same is said under the same token.
    let told = changes.answered(Question::Said, Err("the queue is full".into()));
    assert!(matches!(told, Action::Problem(_)));
    let again = changes.command(Id::ChangesSend, &model);
    let Action::Ask(_, command) = &again else { panic!("{again:?}") };
    assert!(matches!(command.as_ref(), Command::Send { token: other, .. } if other == token));
    let told = changes.answered(Question::Said, Ok(Reply::Done));
    assert!(matches!(&told, Action::Tell(words) if words.contains("2 comments")), "{told:?}");
    assert!(changes.left.comments.is_empty());
}

#[test]
fn an_agent_without_a_tab_gets_the_words_into_its_terminal_or_a_new_tab() {
    let mut changes = in_lines("changes");
    let _ = press(&mut changes, "changes", &[Id::ChangesComment]);
    changes.typed("Look.".to_owned());
    let _ = press(&mut changes, "changes", &[Id::OverlayAccept]);
    let mut model = model();
    model.tabs.clear();
    model.agents[0].ai_terminal = None;
    let id = model.agents[0].id;
    changes.agent = Some(id);
    let made = changes.command(Id::ChangesSend, &model);
    let Action::Ask(review::Question::Changes(question), command) = made else { panic!() };
    assert!(matches!(*command, Command::NewTab { agent, .. } if agent == id));
    let tab = scene::tabs().remove(0);
    let said = changes.answered(question, Ok(Reply::Tab(Box::new(tab))));
    assert!(matches!(said, Action::Ask(review::Question::Changes(Question::Said), _)), "{said:?}");
    model.agents[0].ai_terminal = Some(TerminalId(1));
    let pasted = changes.command(Id::ChangesSend, &model);
    let Action::All(all) = &pasted else { panic!("{pasted:?}") };
    assert!(matches!(&all[2], Action::Paste(TerminalId(1), words) if words.contains("Look.")));
}

#[test]
fn a_comment_is_changed_and_taken_back() {
    let mut changes = in_lines("changes");
    let _ = press(&mut changes, "changes", &[Id::ChangesComment]);
    changes.typed("one".to_owned());
    let _ = press(&mut changes, "changes", &[Id::OverlayAccept, Id::ChangesComment]);
    assert_eq!(changes.typing, Some(Typing::Comment("one".into())));
    changes.typed("two".to_owned());
    let _ = press(&mut changes, "changes", &[Id::OverlayAccept]);
    assert_eq!(
        changes.left.comments.iter().map(|said| said.text.as_str()).collect::<Vec<_>>(),
        ["two"]
    );
    let _ = press(&mut changes, "changes", &[Id::ChangesUncomment]);
    assert!(changes.left.comments.is_empty());
    let told = press(&mut changes, "changes", &[Id::ChangesSend]);
    assert!(matches!(told, Action::Tell(_)));
}

#[test]
fn comments_wait_while_another_agent_is_looked_at() {
    let mut changes = in_lines("changes");
    let _ = press(&mut changes, "changes", &[Id::ChangesComment]);
    changes.typed("Keep me.".to_owned());
    let _ = press(&mut changes, "changes", &[Id::OverlayAccept]);
    let other = Place { directory: "/elsewhere".into(), ..place() };
    let _ = changes.opened(&other);
    settle(&mut changes, "changes");
    assert!(changes.left.comments.is_empty());
    let _ = changes.opened(&place());
    assert_eq!(changes.left.comments.len(), 1);
}

#[test]
fn viewed_is_forgotten_when_the_file_is_another_one() {
    let mut changes = opened("changes");
    let _ = press(&mut changes, "changes", &[Id::ChangesSeen]);
    assert_eq!(open_name(&changes), "Cargo.toml", "the next one is shown");
    assert!(changes.is_seen(&changes.files()[0]));
    let _ = changes.refresh();
    let (question, _) = changes.waits_for().expect("a question");
    let mut listing = scene::listing("changes");
    listing.files[0].added = Some(13);
    let _ = answer(&mut changes, question, Answer::List(Box::new(listing)));
    assert!(!changes.is_seen(&changes.files()[0]));
}

#[test]
fn the_mark_stays_with_its_file_while_files_come_and_go() {
    let mut changes = in_lines("changes");
    let row = changes.open.as_ref().map(|open| open.cursor);
    let _ = changes.refresh();
    let (question, _) = changes.waits_for().expect("a question");
    let mut listing = scene::listing("changes");
    let _ = listing.files.remove(0);
    let _ = answer(&mut changes, question, Answer::List(Box::new(listing)));
    assert_eq!(open_name(&changes), "src/api/routes.rs");
    assert!(changes.deep);
    settle(&mut changes, "changes");
    assert_eq!(changes.open.as_ref().map(|open| open.cursor), row);
    // It is gone itself: the keyboard is back in the tree.
    let _ = changes.refresh();
    let (question, _) = changes.waits_for().expect("a question");
    let _ = answer(&mut changes, question, Answer::List(Box::new(scene::listing("changes-none"))));
    assert!(!changes.deep && changes.open.is_none());
}

#[test]
fn the_mark_stays_with_its_folder_when_it_is_looked_at_again() {
    let mut changes = opened("changes");
    let folder = |row: &Row| matches!(row, Row::Folder { path, .. } if path == "src/api/");
    changes.at = changes.rows.iter().position(folder).expect("a folder");
    let _ = press(&mut changes, "changes", &[Id::ReviewRefresh]);
    assert!(folder(&changes.rows[changes.at]));
    assert_eq!(open_name(&changes), "Cargo.lock", "what is shown stays, too");
    assert!(changes.open.as_ref().is_some_and(|open| !open.stale));
}

#[test]
fn a_commit_is_not_what_one_comes_back_to() {
    let mut changes = opened("changes");
    let _ = changes.opened_at(&place(), Source::Commit("4be07d1c0ffee".into()));
    settle(&mut changes, "changes");
    let _ = changes.opened(&place());
    assert_eq!(changes.source, Source::WorkingTree);
    // A view of what one works on stays.
    settle(&mut changes, "changes");
    let _ = press(&mut changes, "changes", &[Id::ChangesStaged]);
    let _ = changes.opened(&place());
    assert_eq!(changes.source, Source::Staged);
}

#[test]
fn a_touchpad_moves_the_tree_by_parts_of_rows() {
    let mut changes = opened("changes-many");
    for _ in 0..10 {
        let _ = changes.update(Message::Files(0.3));
    }
    assert!((2..=3).contains(&changes.tree_top), "{}", changes.tree_top);
}

#[test]
fn late_answers_are_not_taken_for_others() {
    let mut changes = opened("changes");
    let _ = changes.refresh();
    let (question, _) = changes.waits_for().expect("a question");
    let _ = changes.command(Id::ChangesStaged, &model());
    let _ = answer(&mut changes, question, Answer::List(Box::new(scene::listing("changes"))));
    assert!(changes.listing.is_none(), "that was what is not staged");
}

#[test]
fn views_go_round_and_a_commit_is_one_of_them() {
    let mut changes = opened("changes");
    let mut seen = Vec::new();
    for _ in 0..3 {
        let _ = press(&mut changes, "changes", &[Id::ChangesNextSource]);
        seen.push(changes.source.clone());
    }
    assert_eq!(seen, [Source::Staged, Source::Base(None), Source::WorkingTree]);
    let commit = Source::Commit("4be07d1c0ffee".into());
    let _ = changes.opened_at(&place(), commit);
    settle(&mut changes, "changes");
    let _ = press(&mut changes, "changes", &[Id::ChangesPreviousSource]);
    assert_eq!(changes.source, Source::Base(None));
    let task = Source::Task { run: RunId(3), task: 1 };
    assert_eq!(name_of(&task), "Task 2 of r3");
    // Another base is asked for by the same key.
    let _ = press(&mut changes, "changes", &[Id::ChangesBase]);
    changes.typed("release/2".to_owned());
    let _ = press(&mut changes, "changes", &[Id::OverlayAccept]);
    assert_eq!(changes.source, Source::Base(Some("release/2".into())));
}

#[test]
fn a_picture_is_asked_for_as_it_is() {
    let mut changes = opened("changes");
    let _ = press(&mut changes, "changes", &[Id::ChangesNextFile]);
    let _ = changes.command(Id::ChangesNextFile, &model());
    let (question, file) = changes.waits_for().expect("a question");
    let (file, first) = file.expect("lines");
    let lines = Answer::Lines(Box::new(scene::lines(&file, first)));
    let asked_for = answer(&mut changes, question, lines);
    assert!(matches!(asked(&asked_for).as_slice(), [Ask::Blobs { .. }]), "{asked_for:?}");
    let Action::Ask(review::Question::Changes(question), _) = asked_for else { panic!() };
    let blobs = Blobs { before: Some(vec![1]), after: None, is_cut: false };
    let read = answer(&mut changes, question, Answer::Blobs(blobs));
    assert!(matches!(read, Action::Picture(_, [Some(_), None])), "{read:?}");
}

#[test]
fn other_looks_are_other_lines() {
    let mut changes = in_lines("changes");
    let more = changes.command(Id::ChangesContext, &model());
    assert!(
        matches!(asked(&more).as_slice(), [Ask::Lines { look, .. }] if look.context == 15),
        "{more:?}"
    );
    settle(&mut changes, "changes");
    let _ = press(&mut changes, "changes", &[Id::ChangesBlanks]);
    changes.deep = true;
    let told = press(&mut changes, "changes", &[Id::ChangesStage]);
    assert!(matches!(told, Action::Tell(_)), "hunks without white space are no hunks: {told:?}");
}

#[test]
fn a_line_says_where_it_comes_from() {
    let mut changes = in_lines("changes");
    // The first change is a line that is gone.
    let told = press(&mut changes, "changes", &[Id::ChangesBlame]);
    assert!(matches!(told, Action::Tell(_)), "{told:?}");
    let asked_for = press(&mut changes, "changes", &[Id::ReviewDown, Id::ChangesBlame]);
    let Action::Ask(review::Question::Changes(question), _) = asked_for.clone() else { panic!() };
    assert!(
        matches!(asked(&asked_for).as_slice(), [Ask::Blame { at: None, lines, .. }] if lines.len() == 1)
    );
    let origin = Origin {
        line: 13,
        count: 1,
        commit: Some("4be07d1c0ffee".into()),
        author: "Ada".into(),
        at_ms: 1,
        title: "Preferences have a type of their own".into(),
        file: "src/api/routes.rs".into(),
        was_line: 13,
        previous: None,
    };
    let _ = answer(&mut changes, question, Answer::Blame(vec![origin]));
    assert!(changes.blame.is_some());
}

#[test]
fn parts_of_a_runner_are_taken_into_the_target() {
    let mut changes = Changes::default();
    let runner = Runner {
        repository: "/home/ada/shop".into(),
        race: "fix".into(),
        branch: "fix-2".into(),
        target: "main".into(),
    };
    let _ = changes.opened_runner(&place(), runner);
    settle(&mut changes, "changes");
    assert_eq!(changes.source, Source::Base(Some("main".into())));
    let taken = press(&mut changes, "changes", &[Id::ChangesNext, Id::ChangesStage]);
    let Action::Ask(_, command) = &taken else { panic!("{taken:?}") };
    let Command::TakeRace(take) = command.as_ref() else { panic!("{command:?}") };
    assert_eq!((take.name.as_str(), take.target.as_deref()), ("fix", Some("main")));
    let [piece] = take.pieces.as_slice() else { panic!("{:?}", take.pieces) };
    assert_eq!((piece.branch.as_str(), &piece.pick.hunks), ("fix-2", &Some(vec![1])));
    let before = Discard { id: "d".into(), at_ms: 1, files: vec!["Cargo.lock".into()] };
    let told = answer(&mut changes, Question::Deed(Deed::Stage), Answer::Discarded(before));
    let Action::All(told) = told else { panic!("{told:?}") };
    assert!(matches!(&told[0], Action::Tell(words) if words.contains("Taken into main")));
    settle(&mut changes, "changes");
    let undo = press(&mut changes, "changes", &[Id::ChangesUndo]);
    let undo = asked(&undo);
    let [Ask::Undo { directory, .. }] = undo.as_slice() else { panic!("{undo:?}") };
    assert_eq!(*directory, PathBuf::from("/home/ada/shop"));
    // Another view of the same directory is no race any more.
    let _ = press(&mut changes, "changes", &[Id::ChangesWorking]);
    assert_eq!(changes.runner, None);
}

#[test]
fn files_are_looked_at_again_but_not_all_the_time() {
    let mut changes = opened("changes");
    let now = changes.asked_ms;
    assert_eq!(changes.tick(now + 1999), Action::None);
    assert!(matches!(asked(&changes.tick(now + 2000)).as_slice(), [Ask::List { .. }]));
    assert_eq!(changes.tick(now + 9000), Action::None, "while the answer is awaited");
    settle(&mut changes, "changes");
    changes.took_ms = 1000;
    let now = changes.asked_ms;
    assert_eq!(changes.tick(now + 7999), Action::None, "it takes long");
    assert!(matches!(asked(&changes.tick(now + 8000)).as_slice(), [Ask::List { .. }]));
}

#[test]
fn escape_goes_back_one_step_at_a_time() {
    let mut changes = in_lines("changes");
    let _ = press(&mut changes, "changes", &[Id::ChangesChooseDown]);
    assert_eq!(press(&mut changes, "changes", &[Id::ReviewLeave]), Action::None);
    assert!(changes.deep, "first what is chosen");
    assert_eq!(press(&mut changes, "changes", &[Id::ReviewLeave]), Action::None);
    assert!(!changes.deep, "then the lines");
    assert_eq!(press(&mut changes, "changes", &[Id::ReviewLeave]), Action::Close);
}

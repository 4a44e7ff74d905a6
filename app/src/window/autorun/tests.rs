use maestro_core::playbook::{HeardKind, Playbook};

use super::super::scene;
use super::*;

fn model() -> Model {
    let mut model = Model::default();
    model.replace(scene::world());
    model
}

fn asked(action: &Action) -> Vec<Command> {
    match action {
        Action::All(actions) => actions.iter().flat_map(asked).collect(),
        Action::Ask(_, command) => vec![(**command).clone()],
        _ => Vec::new(),
    }
}

fn heard(task: u32, text: &str) -> Heard {
    Heard { task, kind: HeardKind::Tool, text: text.to_owned() }
}

#[test]
fn a_run_in_sight_is_listened_to_and_left_again() {
    let model = model();
    let run = model.runs[0].id;
    let mut autorun = Autorun::default();
    let opened = autorun.open(Page::Live, Some(Path::new("/p")), &model);
    assert!(asked(&opened).contains(&Command::HearRun { run, follow: true }));
    autorun.hear(run, vec![heard(3, "cargo test")]);
    autorun.hear(RunId(99), vec![heard(3, "another run")]);
    assert_eq!(autorun.heard.len(), 1);
    let left = autorun.update(Message::Page(Page::History), &model);
    assert!(asked(&left).contains(&Command::HearRun { run, follow: false }));
    assert!(asked(&left).contains(&Command::ListRuns));
}

#[test]
fn what_a_run_says_is_bounded() {
    let model = model();
    let mut autorun = Autorun::default();
    let _ = autorun.open(Page::Live, None, &model);
    let lines = (0..2 * LINES).map(|number| heard(3, &number.to_string())).collect();
    autorun.hear(model.runs[0].id, lines);
    assert_eq!(autorun.heard.len(), LINES);
    assert_eq!(autorun.heard.back().map(|line| line.text.as_str()), Some("1199"));
}

#[test]
fn the_mark_follows_the_run_until_it_is_moved() {
    let model = model();
    let mut autorun = Autorun::default();
    let _ = autorun.open(Page::Live, None, &model);
    let run = autorun.run(&model).expect("a run");
    assert_eq!(autorun.marked_in(run), 3, "the task it works on");
    let _ = autorun.command(Id::RunsUp, &model);
    assert_eq!(autorun.marked_in(autorun.run(&model).expect("a run")), 2);
    let _ = autorun.command(Id::RunFollow, &model);
    assert_eq!(autorun.marked_in(autorun.run(&model).expect("a run")), 3);
}

#[test]
fn keys_tell_the_host_and_what_destroys_is_asked_about() {
    let model = model();
    let run = model.runs[0].id;
    let mut autorun = Autorun::default();
    let _ = autorun.open(Page::Live, None, &model);
    for (id, expected) in [
        (Id::RunPause, Command::PauseRun { run }),
        (Id::RunSkip, Command::SkipTask { run, task: None }),
        (Id::RunSkipDocument, Command::SkipDocument { run }),
        (Id::RunEndTask, Command::StopRun { run }),
    ] {
        assert_eq!(asked(&autorun.command(id, &model)), [expected]);
    }
    assert_eq!(autorun.command(Id::RunEndNow, &model), Action::None);
    assert_eq!(autorun.context(), Some(Context::Overlay));
    assert_eq!(autorun.command(Id::OverlayCancel, &model), Action::None);
    let _ = autorun.command(Id::RunEndNow, &model);
    assert_eq!(asked(&autorun.command(Id::OverlayAccept, &model)), [Command::KillRun { run }]);
}

#[test]
fn undoing_names_what_builds_on_it_first() {
    let model = model();
    let run = &model.runs[0];
    let mut autorun = Autorun::default();
    let _ = autorun.open(Page::Live, None, &model);
    let _ = autorun.command(Id::RunsFirst, &model);
    let read = Command::ReadEvidence { run: run.id, task: 0 };
    assert_eq!(asked(&autorun.command(Id::RunUndo, &model)), [read]);
    let evidence = scene::evidence(run, 0);
    let later = evidence.built_on_by.clone();
    assert!(!later.is_empty());
    let reply = Ok(Reply::TaskEvidence(Box::new(evidence)));
    let _ = autorun.update(Message::Answered(Question::Evidence(run.id, 0), reply), &model);
    let Some(Confirm::Undo { later: named, .. }) = &autorun.confirm else { panic!("not asked") };
    assert_eq!(named.len(), later.len());
    let undo = Command::UndoTask { run: run.id, task: 0, force: true };
    assert_eq!(asked(&autorun.command(Id::OverlayAccept, &model)), [undo]);
}

#[test]
fn a_document_of_a_run_is_locked() {
    let model = model();
    let path = model.runs[0].spec.documents[0].clone();
    let mut autorun = Autorun::default();
    let _ = autorun.open(Page::Documents, Some(Path::new("/p")), &model);
    autorun.wanted = Some(path.clone());
    let _ = autorun.update(Message::Read(path.clone(), Ok(b"- [ ] a\n".to_vec())), &model);
    for id in [Id::DocumentMark, Id::DocumentEdit] {
        assert!(matches!(autorun.command(id, &model), Action::Tell(_)), "{id}");
    }
    assert_eq!(autorun.open.as_ref().map(Open::text), Some("- [ ] a\n"));
    let free = Model::default();
    let action = autorun.command(Id::DocumentMark, &free);
    assert_eq!(action, Action::Save(path, b"- [x] a\n".to_vec(), b"- [ ] a\n".to_vec()));
}

#[test]
fn documents_are_chosen_in_order_and_run() {
    let model = model();
    let mut autorun = Autorun::default();
    let _ = autorun.open(Page::Documents, Some(Path::new("/home/ada/shop")), &model);
    let folder = autorun.folder.clone().expect("a folder");
    let reply = Ok(Reply::Documents(scene::leaves()));
    let _ = autorun.update(Message::Answered(Question::Documents(folder), reply), &model);
    let documents: Vec<usize> = autorun
        .list()
        .iter()
        .enumerate()
        .filter(
            |(_, row)| matches!(row, Row::Leaf(leaf) if !leaf.is_folder && leaf.problem.is_none()),
        )
        .map(|(at, _)| at)
        .take(2)
        .collect();
    for at in documents.iter().rev() {
        autorun.row = *at;
        let _ = autorun.command(Id::DocumentMark, &model);
    }
    let chosen = autorun.chosen.clone();
    assert_eq!(chosen.len(), 2);
    let _ = autorun.start(&model, None);
    let start = autorun.start.as_ref().expect("a dialog");
    let shown: Vec<_> = start.documents.iter().map(|(path, _)| path.clone()).collect();
    assert_eq!(shown, chosen);
    assert_eq!(start.who().map(|who| who.name.as_str()), Some("api"));
}

#[test]
fn checklists_are_listed_where_the_host_says_they_are() {
    let model = model();
    let mut autorun = Autorun::default();
    let directory = PathBuf::from("/home/ada/shop");
    let opened = autorun.open(Page::Documents, Some(&directory), &model);
    assert!(asked(&opened).contains(&Command::FindPlaybooks { directory: directory.clone() }));
    let folder = PathBuf::from("/home/ada/Auto Run Docs");
    let reply = || Ok(Reply::Text(Some("/home/ada/Auto Run Docs".to_owned())));
    let question = |directory: &Path| Question::Folder(directory.to_owned());
    let other = Message::Answered(question(Path::new("/home/ada/other")), reply());
    assert_eq!(asked(&autorun.update(other, &model)), [], "another project's");
    let list = Command::ListDocuments { folder: folder.clone(), follow: true };
    let found = Message::Answered(question(&directory), reply());
    assert_eq!(asked(&autorun.update(found.clone(), &model)), [list]);
    assert_eq!(asked(&autorun.update(found, &model)), [], "it is listed already");
    // A checklist that is written now lies there, too.
    let _ = autorun.command(Id::DocumentNew, &model);
    let _ = autorun.update(Message::Typed("api/tests".to_owned()), &model);
    let made = autorun.command(Id::OverlayAccept, &model);
    assert!(matches!(made, Action::Create(path, _) if path == folder.join("api/tests.md")));
}

#[test]
fn a_playbook_is_run_by_the_program_it_was_written_for() {
    let model = model();
    let mut autorun = Autorun::default();
    let agent = &model.agents[0];
    let _ = autorun.open(Page::Documents, Some(&agent.directory), &model);
    let mut found = Found {
        folder: agent.directory.join(".maestro/playbooks/night"),
        playbook: Playbook::default(),
        has_file: true,
        shipped: false,
        problem: None,
    };
    let who = |autorun: &Autorun| {
        let start = autorun.start.as_ref().expect("a dialog");
        start.who().cloned().expect("somebody")
    };
    let _ = autorun.start_playbook(&found, &model);
    assert_eq!(who(&autorun).agent, Some(agent.id));
    found.playbook.provider = Some(agent.provider);
    let _ = autorun.start_playbook(&found, &model);
    assert_eq!(who(&autorun).agent, Some(agent.id));
    let other = maestro_core::agent::Provider::Droid;
    found.playbook.provider = Some(other);
    let _ = autorun.start_playbook(&found, &model);
    let who = who(&autorun);
    assert_eq!((who.agent, who.provider, &who.directory), (None, other, &agent.directory));
}

#[test]
fn pausing_is_said_and_can_be_taken_back() {
    let model = model();
    let run = &model.runs[0];
    let mut autorun = Autorun::default();
    let _ = autorun.open(Page::Live, None, &model);
    let pause = Command::PauseRun { run: run.id };
    assert_eq!(asked(&autorun.command(Id::RunPause, &model)), [pause]);
    assert!(autorun.is_pausing(run));
    let resume = Command::ResumeRun { run: run.id };
    assert_eq!(asked(&autorun.command(Id::RunPause, &model)), [resume]);
    assert!(!autorun.is_pausing(run));
    let _ = autorun.command(Id::RunPause, &model);
    let mut paused = run.clone();
    paused.state = maestro_core::run::State::Paused(maestro_core::run::Pause::User);
    let _ = autorun.run_changed(&paused, &model);
    assert!(!autorun.is_pausing(run), "it has paused, and may have gone on since");
    let asked_elsewhere = Run { pausing: true, ..run.clone() };
    assert!(autorun.is_pausing(&asked_elsewhere));
}

#[test]
fn only_what_the_run_has_come_to_is_passed_over() {
    let mut model = model();
    model.runs[0] = scene::running();
    let run = model.runs[0].id;
    let mut autorun = Autorun::default();
    let _ = autorun.open(Page::Live, None, &model);
    let _ = autorun.command(Id::RunsLast, &model);
    assert!(matches!(autorun.command(Id::RunSkip, &model), Action::Tell(_)));
    let _ = autorun.command(Id::RunFollow, &model);
    let skip = Command::SkipTask { run, task: None };
    assert_eq!(asked(&autorun.command(Id::RunSkip, &model)), [skip]);
}

#[test]
fn the_history_goes_on_behind_the_newest_runs() {
    let model = Model::default();
    let mut autorun = Autorun::default();
    let _ = autorun.open(Page::History, None, &model);
    let runs = |ids: std::ops::RangeInclusive<u64>| {
        let run = |id| Run { id: RunId(id), started_ms: id, ..scene::running() };
        Ok(Reply::Runs(ids.rev().map(run).collect()))
    };
    let newest = Message::Answered(Question::Runs, runs(101..=200));
    let older = Command::ListOlderRuns { before: RunId(101) };
    assert_eq!(asked(&autorun.update(newest, &model)), [older]);
    let older = Message::Answered(Question::Older(RunId(101)), runs(1..=100));
    assert_eq!(
        asked(&autorun.update(older, &model)),
        [Command::ListOlderRuns { before: RunId(1) }]
    );
    let end = Message::Answered(Question::Older(RunId(1)), Ok(Reply::Runs(Vec::new())));
    assert_eq!(asked(&autorun.update(end, &model)), []);
    assert_eq!(autorun.past(&model).len(), 200);
    assert_eq!(asked(&autorun.command(Id::RunsLast, &model)), [], "the end is known");
}

#[test]
fn the_history_is_filtered_by_words_of_tasks_and_states() {
    let model = model();
    let mut autorun = Autorun::default();
    let _ = autorun.open(Page::History, None, &model);
    let _ = autorun
        .update(Message::Answered(Question::Runs, Ok(Reply::Runs(scene::past_runs()))), &model);
    let all = autorun.past(&model).len();
    assert!(all > 3);
    let _ = autorun.command(Id::HistoryFilter, &model);
    let _ = autorun.update(Message::Typed("MIGRATION user".to_owned()), &model);
    assert!(!autorun.past(&model).is_empty() && autorun.past(&model).len() < all);
    let _ = autorun.command(Id::OverlayCancel, &model);
    assert_eq!(autorun.past(&model).len(), all);
}

#[test]
fn documents_are_put_in_order_by_the_mouse_as_by_keys() {
    let model = model();
    let paths: Vec<PathBuf> = ["/p/a.md", "/p/b.md", "/p/c.md"].map(PathBuf::from).to_vec();
    let mut autorun = Autorun { chosen: paths, ..Autorun::default() };
    let _ = autorun.start(&model, None);
    let order = |autorun: &Autorun| {
        let start = autorun.start.as_ref().expect("a dialog");
        let names = start.documents.iter().map(|(path, _)| path.display().to_string());
        names.collect::<Vec<_>>()
    };
    // Over others without a hand on one: nothing.
    let _ = autorun.update(Message::Over(2), &model);
    assert_eq!(order(&autorun), ["/p/a.md", "/p/b.md", "/p/c.md"]);
    for message in [Message::Grabbed(0), Message::Over(1), Message::Over(2), Message::Dropped] {
        let _ = autorun.update(message, &model);
    }
    assert_eq!(order(&autorun), ["/p/b.md", "/p/c.md", "/p/a.md"]);
    let _ = autorun.update(Message::Over(0), &model);
    assert_eq!(order(&autorun), ["/p/b.md", "/p/c.md", "/p/a.md"], "it was let go");
    for _ in 0..2 {
        let _ = autorun.command(Id::StartUp, &model);
    }
    assert_eq!(order(&autorun), ["/p/a.md", "/p/b.md", "/p/c.md"]);
}

use super::super::scene;
use super::*;

fn place() -> Place {
    Place { agent: Some(AgentId(1)), directory: scene::ROOT.into(), repository: None }
}

fn answer(files: &mut Files, paths: Vec<String>) {
    let question = files.waits_for().expect("a question");
    let _ = files.answered(&question, Ok(Reply::Files(paths)));
}

fn listed() -> Files {
    let mut files = Files::default();
    let _ = files.opened(&place());
    answer(&mut files, scene::files::paths());
    files
}

/// With an open file.
fn opened(path: &str, text: &str) -> Files {
    let mut files = listed();
    let _ = files.show(path.to_owned());
    read(&mut files, path, text.as_bytes());
    files
}

fn read(files: &mut Files, path: &str, bytes: &[u8]) {
    let loaded = Box::new(Ok(Some(made_up(path, bytes))));
    let _ = files.update(Message::Read(path.to_owned(), loaded));
}

fn rows(files: &Files) -> Vec<String> {
    let drawn = |row: &Row| match row {
        Row::Folder { name, depth, is_folded, .. } => {
            format!("{}{name}/{}", "  ".repeat(*depth), if *is_folded { " +" } else { "" })
        }
        Row::File { name, depth, .. } => format!("{}{name}", "  ".repeat(*depth)),
    };
    files.rows.iter().map(drawn).collect()
}

fn does(files: &mut Files, ids: &[Id]) {
    for id in ids {
        let _ = files.command(*id);
    }
}

/// What is to be written.
fn saves(action: &Action) -> Vec<Vec<u8>> {
    match action {
        Action::SaveFile(_, bytes, _) => vec![bytes.clone()],
        Action::All(all) => all.iter().flat_map(saves).collect(),
        _ => Vec::new(),
    }
}

fn paste(files: &mut Files, text: &str) {
    let _ = files.update(Message::Pasted(Some(text.to_owned())));
}

#[test]
fn folders_are_gone_through_with_the_arrows() {
    let mut files = listed();
    assert_eq!(
        rows(&files)[..4],
        [".github/workflows/ +", "Cargo.lock", "Cargo.toml", "README.md"]
    );
    does(&mut files, &[Id::ReviewRight, Id::ReviewRight]);
    assert_eq!(rows(&files)[..2], [".github/workflows/", "  ci.yml"]);
    assert_eq!(files.at, 1);
    // Out of the folder, and folded.
    does(&mut files, &[Id::ReviewLeft, Id::ReviewLeft]);
    assert_eq!((files.at, rows(&files).len()), (0, 9));
    does(&mut files, &[Id::ReviewDown, Id::ReviewAccept]);
    assert_eq!(files.open.as_ref().map(|open| open.path.as_str()), Some("Cargo.lock"));
    assert_eq!(files.part, Part::File);
}

#[test]
fn a_file_is_found_by_its_letters_and_late_answers_are_passed_over() {
    let mut files = listed();
    does(&mut files, &[Id::FilesFind]);
    assert_eq!((files.input(), files.asks()), (Some(INPUT), true));
    let _ = files.typed("pre".to_owned());
    let late = files.waits_for().expect("a question");
    let _ = files.typed("prefs".to_owned());
    let _ = files.answered(&late, Ok(Reply::Files(vec!["README.md".to_owned()])));
    assert!(files.found.is_none(), "it is no answer to what is typed now");
    answer(&mut files, scene::files::found());
    assert_eq!(rows(&files), scene::files::found());
    does(&mut files, &[Id::OverlayDown, Id::OverlayAccept]);
    assert_eq!(files.open.as_ref().map(|open| open.path.as_str()), Some("tests/preferences.rs"));
    // Back: out of the file, to all files, to the panes.
    assert_eq!(files.command(Id::ReviewLeave), Action::None);
    assert_eq!(files.command(Id::ReviewLeave), Action::None);
    assert_eq!(files.rows[files.at].path(), "tests/preferences.rs", "it is where it lies");
    assert_eq!(rows(&files).len(), 10);
    assert_eq!(files.command(Id::ReviewLeave), Action::Close);
}

#[test]
fn words_are_searched_for_in_the_file() {
    let mut files = opened("src/api/preferences.rs", scene::files::CODE);
    files.lines.set(10);
    does(&mut files, &[Id::FilesSearch]);
    let _ = files.typed("Store".to_owned());
    let hits =
        |files: &Files| files.open.as_ref().map(|open| (open.hit, open.hits.len(), open.top));
    assert_eq!(hits(&files), Some((0, 8, 0)));
    does(&mut files, &[Id::OverlayAccept, Id::FilesPrevious]);
    assert_eq!(hits(&files), Some((7, 8, 41)));
    does(&mut files, &[Id::FilesNext, Id::ReviewLeave]);
    assert_eq!(hits(&files), Some((0, 0, 3)));
}

#[test]
fn what_is_written_is_saved_by_itself() {
    let mut files = opened("src/lib.rs", "mod api;\r\n");
    does(&mut files, &[Id::FilesEdit]);
    assert_eq!(files.input(), Some(EDITOR));
    paste(&mut files, "// So.\n");
    let first = saves(&files.tick());
    assert_eq!(first, [b"// So.\r\nmod api;\r\n"]);
    assert!(saves(&files.tick()).is_empty(), "it is being written");
    let path = files.open.as_ref().and_then(|open| open.writing.as_ref()).map(|w| w.path.clone());
    let _ = files.update(Message::Saved(path.expect("a file"), Ok(())));
    assert!(saves(&files.command(Id::EditorLeave)).is_empty());
    assert_eq!(files.input(), None);
}

#[test]
fn both_sides_are_kept_or_asked_about() {
    let mut files = opened("a.txt", "one\ntwo\nthree\n");
    does(&mut files, &[Id::FilesEdit]);
    paste(&mut files, "zero\n");
    read(&mut files, "a.txt", b"one\ntwo\nthree!\n");
    assert_eq!(saves(&files.save()), [b"zero\none\ntwo\nthree!\n"]);

    for (id, expected) in [
        (Id::OverlayAccept, Some("mine one\n")),
        // What is there already is not written again.
        (Id::OverlayCancel, None),
    ] {
        let mut files = opened("a.txt", "one\n");
        does(&mut files, &[Id::FilesEdit]);
        paste(&mut files, "mine ");
        read(&mut files, "a.txt", b"theirs one\n");
        assert!(files.asks() && saves(&files.tick()).is_empty(), "nothing is written over");
        let saved = saves(&files.command(id));
        assert_eq!(saved.first().map(Vec::as_slice), expected.map(str::as_bytes));
    }
}

#[test]
fn what_is_lost_on_the_disk_is_not_lost_here() {
    let mut files = opened("a.txt", "one\n");
    does(&mut files, &[Id::FilesEdit]);
    paste(&mut files, "mine ");
    let gone = Box::new(Err("a.txt is not there any more.".to_owned()));
    let _ = files.update(Message::Read("a.txt".to_owned(), gone));
    let writing = files.open.as_ref().and_then(|open| open.writing.as_ref()).expect("kept");
    assert_eq!(writing.text(), "mine one\n");
    assert!(writing.problem.is_some());
}

#[test]
fn what_leads_out_is_not_written() {
    let mut files = listed();
    let _ = files.show("out".to_owned());
    let loaded = Loaded { leads: Some("/etc/hosts".into()), ..made_up("out", b"text\n") };
    let _ = files.update(Message::Read("out".to_owned(), Box::new(Ok(Some(loaded)))));
    assert!(matches!(files.command(Id::FilesEdit), Action::Tell(_)));
    assert!(!files.is_writing());
}

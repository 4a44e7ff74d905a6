//! The providers' stores: every session of the recorded ones, and what becomes of files that are torn,
//! rewritten, huge, or nothing that anybody understands.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use maestro_agents::Environment;
use maestro_agents::store::{
    self, Cell, Cursor, Found, LINE_LIMIT, Piece, Place, Progress, Tables, What,
};
use maestro_core::agent::Provider;
use maestro_core::conversation::{Body, ChangeKind, Entry, ToolKind, ToolState};
use proptest::prelude::*;

use crate::root;

/// No database: OpenCode's is read where SQLite is.
struct NoTables;

impl Tables for NoTables {
    fn rows(
        &self,
        _database: &Path,
        _query: &str,
        _values: &[Cell],
        _each: &mut dyn FnMut(&[Cell]) -> bool,
    ) -> io::Result<()> {
        Err(io::Error::other("there are no databases here"))
    }
}

/// The places of the recorded stores.
fn fixtures() -> Vec<Place> {
    let fixtures = root().join("tests/fixtures");
    let mut places = Vec::new();
    for provider in Provider::ALL {
        let home = fixtures.join(provider.name()).join("store");
        let environment = Environment::from_vars([
            ("HOME", home.as_os_str()),
            ("MAESTRO_DEMO_HOME", home.as_os_str()),
        ]);
        places.extend(
            store::stores(&environment)
                .into_iter()
                .filter(|place| place.provider == provider && provider != Provider::OpenCode),
        );
    }
    places
}

fn listed(place: &Place) -> Vec<Found> {
    let mut found = Vec::new();
    store::list(place, &NoTables, &mut |session| found.push(session)).expect("a list");
    found.sort_by(|a, b| a.id.cmp(&b.id));
    found
}

fn sessions() -> Vec<Found> {
    fixtures().iter().flat_map(listed).collect()
}

fn session(id: &str) -> Found {
    sessions().into_iter().find(|found| found.id.starts_with(id)).expect("a recorded session")
}

/// Everything that is read from where a cursor is.
fn read(found: &Found, cursor: Option<Cursor>) -> (Cursor, Vec<Piece>, bool) {
    let (mut pieces, mut anew) = (Vec::new(), false);
    let cursor = store::read(found, cursor, &NoTables, &mut |progress| {
        match progress {
            Progress::Anew => anew = true,
            Progress::Piece { piece, .. } => pieces.push(piece),
            Progress::Bytes(_) => {}
        }
        ControlFlow::Continue(())
    })
    .expect("a session that can be read");
    (cursor, pieces, anew)
}

fn entries(found: &Found) -> Vec<Entry> {
    store::page(found, 0, u64::MAX, &NoTables).expect("entries").entries
}

/// Entries in a few words each.
fn told(entries: &[Entry]) -> String {
    let mut told = String::new();
    for entry in entries {
        let _ = match &entry.body {
            Body::Prompt(prompt) => writeln!(told, "prompt {}", prompt.text),
            Body::Text(text) => writeln!(told, "text {text}"),
            Body::Thinking(text) => writeln!(told, "thinking {text}"),
            Body::Tool(tool) => {
                let changes: String = tool.changes.iter().fold(String::new(), |mut all, change| {
                    let _ = write!(all, " {:?} +{} -{}", change.kind, change.added, change.removed);
                    all
                });
                writeln!(
                    told,
                    "{:?} {} {:?}{}{changes}",
                    tool.kind,
                    tool.title,
                    tool.state,
                    tool.exit.map(|exit| format!(" exit {exit}")).unwrap_or_default()
                )
            }
            Body::Failed(failure) => writeln!(told, "failed {:?}", failure.kind),
            Body::Ended(ended) => writeln!(told, "ended, interrupted: {}", ended.interrupted),
            Body::Notice(text) => writeln!(told, "notice {text}"),
            other => writeln!(told, "{other:?}"),
        };
    }
    told
}

#[test]
fn every_recorded_session_is_found_with_its_facts() {
    let long: String = (0..8).map(|n| format!("/a-rather-long-directory-name-{n:02}")).collect();
    let project = "/home/user/project";
    // Read by hand in the files: id, title, directory, branch, model, prompts, entries.
    let copied = "/home/user/My Proj.v2_ü(1)";
    let (write, slow) = ("[[think I will write a file.]] [[text I will write it.]]", "[[slow 20]]");
    let (opus, sonnet, codex) = ("claude-opus-4-8", "claude-sonnet-5", "gpt-5.2-codex");
    let (gpt, droid, gemini) = ("gpt-5.5", "custom:Fake-0", "gemini-2.5-pro");
    #[rustfmt::skip]
    let expected: &[(&str, &str, &str, &str, &str, u32, u64)] = &[
        // Claude Code: a title that was given, none, and a conversation whose first model is not its last.
        ("11111111", "My session", project, "main", sonnet, 1, 2),
        ("1a74efe0", "Hello there", project, "main", opus, 2, 4),
        ("1b386154", "hi", "long", "", opus, 1, 2),
        ("1fe41405", "[[error plan]]", project, "main", "", 1, 2),
        ("384e6d67", "[[write allowed.txt yes]] [[write refused.txt no]]", project, "main", sonnet, 3, 10),
        ("4c2821ad", "[[write planned.txt hi]] [[bash echo hi", project, "main", opus, 1, 4),
        ("52a47bb6", "[[error 429]]", project, "main", "", 1, 2),
        ("592112cf", slow, project, "main", "", 1, 1),
        ("6a8bc3ec", write, project, "main", opus, 1, 8),
        ("a3785e2e", "hi", copied, "", opus, 1, 2),
        ("a4faa2c3", "hello", project, "main", opus, 1, 2),
        // Codex
        ("01a2022a-17c6", "Hello there", project, "main", codex, 2, 4),
        ("01a2022a-2d4d", write, project, "main", codex, 1, 8),
        ("01a2022a-b949", "[[text I will write it.]]", project, "main", gpt, 1, 6),
        ("01a2022b-a7e8", "[[think Thinking.]] [[slow 2]]", project, "main", codex, 1, 3),
        ("01a2022b-dfeb", "[[error plan]]", project, "main", gpt, 1, 2),
        ("01a2022d-e656", slow, project, "main", gpt, 1, 2),
        // Factory Droid
        ("0f010d8a", "[[write planned.txt hi]]", project, "", droid, 1, 4),
        ("2d3d291f", "hi", copied, "", droid, 1, 2),
        ("58ce9f9c", "Hello", project, "", droid, 1, 2),
        ("5ddb7871", "[[error 401]]", project, "", droid, 1, 2),
        ("6206ebd7", write, project, "", droid, 1, 8),
        // Copilot CLI
        ("03005f67", "[[error 429]]", project, "main", codex, 1, 2),
        ("5367661f", write, project, "main", codex, 1, 8),
        ("73358848", "Hello there", project, "main", codex, 2, 4),
        ("ac13dbf0", write, project, "main", "claude-sonnet-4.5", 1, 8),
        // Gemini CLI
        ("2a7b18c9", "hi", copied, "", gemini, 1, 2),
        ("e6c3d7d1", write, project, "", gemini, 1, 8),
        // The demo agent
        ("7d3b4c1e", "Say hello", project, "", "demo-1", 1, 4),
    ];
    let mut seen = BTreeMap::new();
    for found in sessions() {
        let (cursor, ..) = read(&found, None);
        let facts = cursor.facts().clone();
        assert!(seen.insert(found.id.clone(), (found, facts, cursor)).is_none());
    }
    let mut missing = Vec::new();
    for (id, title, directory, branch, model, prompts, entries) in expected {
        let Some((found, facts, cursor)) =
            seen.iter().find(|(known, _)| known.starts_with(id)).map(|(_, seen)| seen)
        else {
            missing.push(*id);
            continue;
        };
        let at = format!("{id} {}", found.path.display());
        assert!(facts.title().starts_with(title), "{at}: {}", facts.title());
        let directory = if *directory == "long" { long.as_str() } else { directory };
        let given = facts.directory.as_ref().map(|path| path.display().to_string());
        assert!(given.as_ref().is_some_and(|given| given.ends_with(directory)), "{at}: {given:?}");
        assert_eq!(facts.branch.as_deref().unwrap_or_default(), *branch, "{at}");
        assert_eq!(facts.model.as_deref().unwrap_or_default(), *model, "{at}");
        assert_eq!((facts.prompts, cursor.entries()), (*prompts, *entries), "{at}");
        assert!(facts.started_ms > 1_795_330_000_000 && facts.used_ms >= facts.started_ms, "{at}");
        assert_eq!(store::page(found, 0, 0, &NoTables).expect("a page").total, *entries, "{at}");
    }
    assert_eq!(missing, [""; 0]);
    assert_eq!(seen.len(), expected.len(), "{:?}", seen.keys());
}

#[test]
fn a_recorded_session_reads_as_the_conversation_it_was() {
    let text = |id: &str| told(&entries(&session(id)));
    assert_eq!(
        text("384e6d67"),
        "prompt [[write allowed.txt yes]] [[write refused.txt no]] [[text Done.]]\n\
         Edit allowed.txt Done Add +1 -0\n\
         Edit refused.txt Failed\n\
         text Done.\n\
         notice /model haiku\n\
         prompt [[slow 20]] [[text A long slow answer which gets interrupted.]]\n\
         text A long slo\n\
         ended, interrupted: true\n\
         prompt still alive?\n\
         text Echo: [Request interrupted by user] still alive?\n"
    );
    // The same conversation with five programs, each in its own words.
    let common = ["thinking I will write a file.", "text I will write it.", "text All done."];
    for (id, tools) in [
        ("6a8bc3ec", &["Edit notes.txt Done Add +2 -0", "Edit notes.txt Done Update +1 -1"][..]),
        ("01a2022a-2d4d", &["Shell cat notes.txt Done exit 0"]),
        ("6206ebd7", &["Edit notes.txt Done Add +2 -0", "Edit notes.txt Done Update +1 -1"]),
        ("5367661f", &["Edit notes.txt Done Add +3 -0", "Edit notes.txt Done Update +1 -1"]),
        ("e6c3d7d1", &["Edit notes.txt Done Add +2 -0", "Edit notes.txt Done Update +1 -1"]),
    ] {
        let text = text(id);
        let failed = "Shell cat notes.txt; echo oops >&2; exit 3 Failed exit 3";
        for line in common.iter().chain(tools).chain([&failed]) {
            assert!(text.lines().any(|told| told == *line), "{id}: {line}\n{text}");
        }
    }
    let tools: Vec<_> = entries(&session("01a2022a-b949"))
        .into_iter()
        .filter_map(|entry| match entry.body {
            Body::Tool(tool) => Some(tool),
            _ => None,
        })
        .collect();
    assert_eq!(tools[1].changes[0].diff, "@@ -1,2 +1,2 @@\n one\n-two\n+three\n");
    assert_eq!(tools[1].changes[0].kind, ChangeKind::Update);
    assert_eq!((tools[2].output.trim(), tools[2].kind), ("one\nthree", ToolKind::Shell));
    assert_eq!(tools[2].state, ToolState::Done);
    assert!(tools.iter().all(|tool| tool.ended_ms.is_some_and(|end| end >= tool.started_ms)));
}

#[test]
fn pieces_and_entries_have_the_same_numbers_and_pages_fit_together() {
    for found in sessions() {
        let (_, pieces, anew) = read(&found, None);
        let all = entries(&found);
        assert!(anew && !pieces.is_empty(), "{}", found.id);
        for piece in pieces {
            let entry = all.iter().find(|entry| entry.n == piece.entry).expect("an entry");
            match (&entry.body, piece.what) {
                (Body::Prompt(prompt), What::Prompt) => assert_eq!(prompt.text, piece.text),
                (Body::Text(text), What::Answer) => assert_eq!(text, piece.text.trim()),
                other => panic!("{}: {other:?}", found.id),
            }
        }
        let numbers: Vec<u64> = all.iter().map(|entry| entry.n).collect();
        assert_eq!(numbers, (0..all.len() as u64).collect::<Vec<_>>());
        let mut paged = Vec::new();
        for from in (0..all.len() as u64).step_by(2) {
            paged.extend(store::page(&found, from, 2, &NoTables).expect("a page").entries);
        }
        assert_eq!(paged, all, "{}", found.id);
        let mut scanned = 0;
        store::scan(&found, &NoTables, &mut |_| ControlFlow::Continue(true), &mut |piece| {
            scanned += 1;
            assert!(all.iter().any(|entry| entry.n == piece.entry));
            ControlFlow::Continue(())
        })
        .expect("a scan");
        assert!(scanned >= 1);
    }
}

/// A session file of one provider in a folder of its own.
struct Alone {
    _folder: tempfile::TempDir,
    found: Found,
}

impl Alone {
    fn of(found: &Found) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(found.path.file_name().expect("a name"));
        Self { found: Found { path, ..found.clone() }, _folder: folder }
    }

    fn write(&self, bytes: &[u8]) {
        fs::write(&self.found.path, bytes).expect("written");
    }
}

#[test]
fn a_file_may_grow_at_any_byte() {
    for found in sessions() {
        let whole = fs::read(&found.path).expect("a file");
        let alone = Alone::of(&found);
        alone.write(&whole);
        let (expected, pieces, _) = read(&alone.found, None);
        // Every byte of the small ones, and some of the others.
        let step = whole.len() / 60 + 1;
        for cut in (0..whole.len()).step_by(step) {
            alone.write(&whole[..cut]);
            let (cursor, mut first, _) = read(&alone.found, None);
            fs::File::options()
                .append(true)
                .open(&alone.found.path)
                .and_then(|mut file| file.write_all(&whole[cut..]))
                .expect("appended");
            let (cursor, rest, anew) = read(&alone.found, Some(cursor));
            assert_eq!(anew, first.is_empty() && cursor_was_at_the_beginning(&whole[..cut]));
            first.extend(rest);
            assert_eq!(first, pieces, "{} cut at {cut}", found.id);
            assert_eq!(
                (cursor.facts(), cursor.entries(), cursor.offset()),
                (expected.facts(), expected.entries(), expected.offset()),
                "{} cut at {cut}",
                found.id
            );
        }
    }
}

/// Whether there is not one whole line.
fn cursor_was_at_the_beginning(bytes: &[u8]) -> bool {
    !bytes.contains(&b'\n') && serde_json::from_slice::<serde_json::Value>(bytes).is_err()
}

#[test]
fn a_file_that_is_not_the_one_that_was_read_is_read_anew() {
    let found = session("1a74efe0");
    let whole = fs::read(&found.path).expect("a file");
    let alone = Alone::of(&found);
    alone.write(&whole);
    let (cursor, pieces, _) = read(&alone.found, None);
    assert_eq!(pieces.len(), 4);
    let (same, nothing, anew) = read(&alone.found, Some(cursor.clone()));
    assert_eq!((&same, nothing.len(), anew), (&cursor, 0, false));

    // Shorter.
    alone.write(&whole[..whole.len() / 2]);
    assert!(read(&alone.found, Some(cursor.clone())).2);
    // As long, with another beginning; then with another end of what was read.
    for at in [10, whole.len() - 300] {
        let mut other = whole.clone();
        other[at] = other[at].wrapping_add(1);
        other.extend_from_slice(b"{}\n");
        alone.write(&other);
        assert!(read(&alone.found, Some(cursor.clone())).2, "changed at {at}");
    }
    // Another file at the same place.
    alone.write(&whole);
    let beside = alone.found.path.with_extension("new");
    fs::write(&beside, &whole).expect("written");
    fs::rename(&beside, &alone.found.path).expect("moved");
    assert!(read(&alone.found, Some(cursor.clone())).2);
    // What is kept of a cursor survives.
    let kept = serde_json::to_string(&cursor).expect("JSON");
    assert_eq!(serde_json::from_str::<Cursor>(&kept).expect("a cursor"), cursor);
    fs::remove_file(&alone.found.path).expect("removed");
    let gone =
        store::read(&alone.found, Some(cursor), &NoTables, &mut |_| ControlFlow::Continue(()));
    assert!(gone.is_err_and(|error| error.to_string().contains("cannot be read")));
}

/// Credentials and links lie where sessions do. Opening a pipe that nobody writes to would wait for ever,
/// so that this ends shows that none of them was opened.
#[test]
fn what_is_no_session_is_never_opened() {
    let home = tempfile::tempdir().expect("a folder");
    let outside = tempfile::tempdir().expect("a folder");
    let environment = Environment::from_vars([
        ("HOME", home.path().as_os_str()),
        ("MAESTRO_DEMO_HOME", home.path().join("demo").as_os_str()),
    ]);
    let uuid = "99999999-0000-4000-8000-000000000009";
    let secret = outside.path().join(format!("{uuid}.jsonl"));
    fs::write(&secret, "{\"type\":\"user\",\"message\":{\"content\":\"secret\"}}\n")
        .expect("written");
    let mut folders = Vec::new();
    for found in sessions() {
        let root = fixtures().into_iter().find(|place| found.path.starts_with(&place.path));
        let root = root.expect("a place");
        let target = store::stores(&environment)
            .into_iter()
            .find(|place| place.provider == found.provider)
            .expect("the same place");
        let below = found.path.strip_prefix(&root.path).expect("below");
        let path = target.path.join(below);
        let folder = path.parent().expect("a folder").to_owned();
        fs::create_dir_all(&folder).expect("made");
        let _ = fs::copy(&found.path, &path).expect("copied");
        folders.extend([
            folder,
            target.path.clone(),
            target.path.parent().expect("one").to_owned(),
        ]);
    }
    folders.sort();
    folders.dedup();
    for folder in &folders {
        for name in
            [".credentials.json", "auth.json", "oauth_creds.json", "session-x.json", "a.jsonl"]
        {
            pipe(&folder.join(name));
        }
        // A link to a file elsewhere with the name of a session, and to a folder with one in it.
        let _ = std::os::unix::fs::symlink(&secret, folder.join(format!("{uuid}.jsonl")));
        let _ = std::os::unix::fs::symlink(outside.path(), folder.join("linked"));
    }
    let (done, end) = std::sync::mpsc::channel();
    let reader = std::thread::spawn(move || {
        let mut all = Vec::new();
        for place in store::stores(&environment) {
            if place.provider == Provider::OpenCode {
                continue;
            }
            store::list(&place, &NoTables, &mut |found| all.push(found)).expect("a list");
        }
        for found in &all {
            let _ = read(found, None);
            let _ = entries(found);
        }
        let _ = done.send(());
        all
    });
    end.recv_timeout(Duration::from_secs(60)).expect("nothing waits for a pipe");
    let all = reader.join().expect("it ends");
    assert_eq!(all.len(), sessions().len());
    assert!(all.iter().all(|found| found.id != uuid), "links are not followed");
}

fn pipe(path: &Path) {
    let made = std::process::Command::new("mkfifo").arg(path).status().expect("mkfifo");
    assert!(made.success() || path.exists());
}

#[test]
fn a_huge_file_takes_little_memory() {
    let found = session("1a74efe0");
    let alone = Alone::of(&found);
    let mut file = io::BufWriter::new(fs::File::create(&alone.found.path).expect("made"));
    let prompt =
        |text: &str| format!("{{\"type\":\"user\",\"message\":{{\"content\":\"{text}\"}}}}\n");
    file.write_all(prompt("first").as_bytes()).expect("written");
    // Two lines that are too long, and many that are not.
    for _ in 0..2 {
        file.write_all(b"{\"type\":\"user\",\"message\":{\"content\":\"").expect("written");
        for _ in 0..LINE_LIMIT / 1024 + 1 {
            file.write_all(&[b'x'; 1024]).expect("written");
        }
        file.write_all(b"\"}}\n").expect("written");
    }
    let result = format!(
        "{{\"type\":\"user\",\"message\":{{\"content\":[{{\"type\":\"tool_result\",\"tool_use_id\":\"t\",\
         \"content\":\"{}\"}}]}}}}\n",
        "y".repeat(1 << 20)
    );
    for _ in 0..85 {
        file.write_all(result.as_bytes()).expect("written");
    }
    file.write_all(prompt("last").as_bytes()).expect("written");
    drop(file.into_inner().expect("written"));
    let before = peak();
    let (cursor, pieces, _) = read(&alone.found, None);
    assert_eq!(cursor.offset(), fs::metadata(&alone.found.path).expect("a file").len());
    let words: Vec<&str> = pieces.iter().map(|piece| piece.text.as_str()).collect();
    assert_eq!(words, ["first", "last"]);
    let all = entries(&alone.found);
    assert_eq!(all.len(), 2);
    let grown = peak() - before;
    assert!(grown < 48 << 10, "{grown} KB more for a file of 100 MB");
}

/// The most memory that this process ever had, in KB.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse().ok()).unwrap_or_default()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_is_in_a_file_does_harm(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        for found in one_of_each() {
            let alone = Alone::of(&found);
            alone.write(&bytes);
            let (cursor, ..) = read(&alone.found, None);
            prop_assert!(cursor.offset() <= bytes.len() as u64);
            let _ = entries(&alone.found);
        }
    }

    #[test]
    fn records_with_anything_in_them_do_no_harm(
        which in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        with in prop_oneof![
            Just(serde_json::Value::Null), Just(serde_json::json!([])), Just(serde_json::json!({})),
            Just(serde_json::json!(-1)), Just(serde_json::json!("\u{202e}\u{0}😀")),
            Just(serde_json::json!([[[[1]]], {"text": {"text": 3}}])), Just(serde_json::json!(1e300)),
        ],
        cut in any::<prop::sample::Index>(),
    ) {
        let all = sessions();
        let found = &all[which.index(all.len())];
        let text = String::from_utf8(fs::read(&found.path).expect("a file")).expect("UTF-8");
        let mut lines: Vec<serde_json::Value> =
            text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        // One value somewhere in the file is another.
        let mut places = Vec::new();
        for (line, value) in lines.iter().enumerate() {
            pointers(value, String::new(), &mut |pointer| places.push((line, pointer)));
        }
        let (line, pointer) = &places[at.index(places.len())];
        if let Some(place) = lines[*line].pointer_mut(pointer) {
            *place = with;
        }
        let mut text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        text.truncate(text.floor_char_boundary(cut.index(text.len() * 2)));
        let alone = Alone::of(found);
        alone.write(text.as_bytes());
        let (cursor, pieces, _) = read(&alone.found, None);
        let all = entries(&alone.found);
        prop_assert_eq!(all.len() as u64, cursor.entries());
        prop_assert!(pieces.iter().all(|piece| piece.entry < cursor.entries()));
    }
}

fn one_of_each() -> Vec<Found> {
    let mut all: Vec<Found> = sessions();
    all.dedup_by_key(|found| found.provider);
    all
}

/// Every value of a document by its JSON pointer.
fn pointers(value: &serde_json::Value, at: String, each: &mut impl FnMut(String)) {
    match value {
        serde_json::Value::Object(fields) => {
            for (name, value) in fields {
                let name = name.replace('~', "~0").replace('/', "~1");
                pointers(value, format!("{at}/{name}"), each);
            }
        }
        serde_json::Value::Array(items) => {
            for (number, value) in items.iter().enumerate() {
                pointers(value, format!("{at}/{number}"), each);
            }
        }
        _ => {}
    }
    each(at);
}

#[test]
fn of_a_long_document_only_the_end_is_kept() {
    let id = "e6c3d7d1-1111-4111-8111-111111111111";
    let home = tempfile::tempdir().expect("a folder for the test");
    let chats = home.path().join(".gemini/tmp/project/chats");
    fs::create_dir_all(&chats).expect("made");
    let message = |n: usize| {
        let kind = if n.is_multiple_of(2) { "user" } else { "gemini" };
        serde_json::json!({ "id": format!("m{n}"), "type": kind, "content": format!("words {n}") })
    };
    let messages: Vec<serde_json::Value> = (0..1000).map(message).collect();
    let document = serde_json::json!({ "sessionId": id, "messages": messages });
    let file = chats.join("session-2026-11-22T07-41-e6c3d7d1.json");
    fs::write(file, document.to_string()).expect("written");
    let environment = Environment::from_vars([("HOME", home.path().as_os_str())]);
    let tail = store::tail(Provider::Gemini, id, 1 << 20, &environment, &NoTables).expect("read");
    assert_eq!(tail.len(), 200);
    let last = &tail[199].body;
    assert!(matches!(last, Body::Text(text) if text == "words 999"), "{last:?}");
}

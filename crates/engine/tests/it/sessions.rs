//! Stored sessions: found, read, marked, and what becomes of the index when stores change or it is damaged.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use maestro_agents::Environment;
use maestro_core::agent::Provider;
use maestro_core::conversation::Body;
use maestro_core::session::{Filter, Hit, Indexing, Session, SessionKey};
use maestro_engine::host::{Host, HostOptions};
use maestro_protocol::message::{
    Command, Error, ErrorKind, Event, NewAgent, Page, Reply, SessionMark,
};

use crate::harness::{Place, User, stop, within};

/// A user's home with every provider's recorded store in it.
struct Stores {
    place: Place,
}

impl Stores {
    fn new() -> Self {
        let stores = Self::empty();
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
        for provider in ["claude", "codex", "opencode", "droid", "copilot", "gemini", "demo"] {
            let store = fixtures.join(provider).join("store");
            let target = if provider == "demo" { stores.demo() } else { stores.user() };
            copy(&store, &target);
        }
        stores
    }

    fn empty() -> Self {
        let stores = Self { place: Place::new() };
        fs::create_dir_all(stores.user()).expect("a home");
        stores
    }

    fn user(&self) -> PathBuf {
        self.place.path("user")
    }

    fn demo(&self) -> PathBuf {
        self.place.path("demo")
    }

    fn options(&self) -> HostOptions {
        let environment = Environment::from_vars([
            ("PATH", std::env::var_os("PATH").unwrap_or_default()),
            ("HOME", self.user().into_os_string()),
            ("MAESTRO_DEMO_HOME", self.demo().into_os_string()),
            ("SHELL", "/bin/sh".into()),
        ]);
        HostOptions { environment: Some(environment), ..self.place.options() }
    }

    async fn host(&self) -> Host {
        Host::start(self.options()).await.expect("the host starts")
    }

    /// A session of Claude Code with these lines, changed so many seconds ago.
    fn claude(&self, id: &str, lines: &[String], age: u64) -> PathBuf {
        let path = self.user().join(format!(".claude/projects/-p/{id}.jsonl"));
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(&path, lines.concat()).expect("written");
        set_age(&path, age);
        path
    }
}

fn set_age(path: &Path, seconds: u64) {
    let file = fs::File::options().write(true).open(path).expect("opened");
    let time = SystemTime::now() - Duration::from_secs(seconds);
    file.set_modified(time).expect("its time can be set");
}

/// Copies a folder; what is in it is old.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("made");
    for entry in fs::read_dir(from).expect("a folder").map(|entry| entry.expect("an entry")) {
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a kind").is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::write(&target, fs::read(entry.path()).expect("read")).expect("written");
            set_age(&target, 3600);
        }
    }
}

const A: &str = "aaaaaaaa-0000-4000-8000-000000000001";
const B: &str = "bbbbbbbb-0000-4000-8000-000000000002";

fn said(role: &str, text: &str, at: &str) -> String {
    let content = if role == "user" {
        serde_json::json!(text)
    } else {
        serde_json::json!([{ "type": "text", "text": text }])
    };
    let record = serde_json::json!({
        "type": role, "isSidechain": false, "cwd": "/home/user/api", "gitBranch": "main",
        "timestamp": format!("2026-11-2{at}Z"), "message": { "role": role, "content": content },
    });
    format!("{record}\n")
}

fn words(words: &str) -> Filter {
    Filter { words: words.to_owned(), ..Filter::default() }
}

fn key(session: &Session) -> SessionKey {
    SessionKey { provider: session.provider, id: session.id.clone() }
}

async fn find_all(client: &User, filter: Filter) -> (Vec<Hit>, Option<u64>, Indexing) {
    match client.ask(Command::FindSessions { filter, most: 200, skip: 0 }).await {
        Ok(Reply::Sessions { hits, total, indexing }) => (hits, total, indexing),
        other => panic!("not sessions: {other:?}"),
    }
}

async fn find(client: &User, filter: Filter) -> Vec<Hit> {
    find_all(client, filter).await.0
}

/// Asks until the answer is good.
async fn until(
    client: &User,
    what: &str,
    filter: Filter,
    good: impl Fn(&[Hit]) -> bool,
) -> Vec<Hit> {
    let look = async {
        loop {
            let hits = find(client, filter.clone()).await;
            if good(&hits) {
                return hits;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    within(what, look).await
}

async fn indexed(client: &User) -> Indexing {
    let look = async {
        loop {
            let (.., indexing) = find_all(client, Filter::default()).await;
            if indexing.complete {
                return indexing;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    within("the stores are indexed", look).await
}

async fn read(client: &User, session: &Session, from: u64, most: u32) -> Page {
    let command = Command::ReadSession { session: key(session), from, most };
    match client.ask(command).await {
        Ok(Reply::Entries(page)) => *page,
        other => panic!("not entries: {other:?}"),
    }
}

async fn mark(client: &User, session: &Session, mark: SessionMark) -> Result<Session, Error> {
    match client.ask(Command::MarkSession { session: key(session), mark }).await {
        Ok(Reply::Session(session)) => Ok(*session),
        Ok(other) => panic!("not a session: {other:?}"),
        Err(error) => Err(error),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_recorded_session_is_found_and_read() {
    let stores = Stores::new();
    let host = stores.host().await;
    let client = User::of(&host).await;
    let indexing = indexed(&client).await;
    let (hits, total, _) = find_all(&client, Filter::default()).await;
    let count = |provider| hits.iter().filter(|hit| hit.session.provider == provider).count();
    assert_eq!(count(Provider::Claude), 11);
    assert_eq!(count(Provider::Codex), 6);
    assert_eq!(count(Provider::OpenCode), 4);
    assert_eq!(count(Provider::Droid), 5);
    assert_eq!(count(Provider::Copilot), 4);
    assert_eq!(count(Provider::Gemini), 2);
    assert_eq!(count(Provider::Demo), 1);
    assert_eq!((total, indexing.sessions), (Some(33), 33));
    let newest_first = hits.windows(2).all(|two| two[0].session.used_ms >= two[1].session.used_ms);
    assert!(newest_first, "the ones used last come first");
    for hit in &hits {
        let page = read(&client, &hit.session, 0, 1000).await;
        assert!(page.total > 0 && page.entries.len() as u64 == page.total, "{:?}", hit.session);
        let prompts = page.entries.iter().filter(|e| matches!(e.body, Body::Prompt(_))).count();
        assert_eq!(prompts as u32, hit.session.prompts, "{:?}", hit.session);
    }
    // What was found leads to the entry in which it is.
    for hit in find(&client, words("done")).await {
        let Some(entry) = hit.entry else { continue };
        let page = read(&client, &hit.session, entry, 1).await;
        let text = match &page.entries[0].body {
            Body::Prompt(prompt) => prompt.text.clone(),
            Body::Text(text) => text.clone(),
            other => panic!("{other:?}"),
        };
        assert!(text.to_lowercase().contains("done"), "{text}");
        assert!(!hit.marks.is_empty() && !hit.excerpt.is_empty(), "{hit:?}");
    }
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn opencodes_sessions_are_read_from_its_database() {
    let stores = Stores::new();
    let before = fs::read(stores.user().join(".local/share/opencode/opencode.db")).expect("read");
    let host = stores.host().await;
    let client = User::of(&host).await;
    let _ = indexed(&client).await;
    let only = Filter { providers: vec![Provider::OpenCode], ..words("") };
    let hits = find(&client, only).await;
    let titles: Vec<&str> = hits.iter().map(|hit| hit.session.title.as_str()).collect();
    assert_eq!(titles.len(), 4);
    for title in ["Echo: \"Hello there\"", "Echo: \"Hello there\" (fork #1)", "All done."] {
        assert!(titles.contains(&title), "{titles:?}");
    }
    let done = hits.iter().find(|hit| hit.session.title == "All done.").expect("there");
    assert_eq!(done.session.directory.as_deref(), Some(Path::new("/home/user/project")));
    assert_eq!(done.session.model.as_deref(), Some("fake-model"));
    let page = read(&client, &done.session, 0, 100).await;
    let kinds: Vec<String> = page
        .entries
        .iter()
        .map(|entry| match &entry.body {
            Body::Prompt(_) => "prompt".to_owned(),
            Body::Text(text) => text.clone(),
            Body::Thinking(_) => "thinking".to_owned(),
            Body::Tool(tool) => format!(
                "{} {:?} {:?} {}",
                tool.name,
                tool.state,
                tool.exit,
                tool.changes.first().map_or(0, |c| c.added)
            ),
            other => format!("{other:?}"),
        })
        .collect();
    assert_eq!(
        kinds,
        [
            "prompt",
            "thinking",
            "I will write it.",
            "write Done None 2",
            "edit Done None 1",
            "read Done None 0",
            "bash Failed Some(3) 0",
            "All done.",
        ]
    );
    let failed = hits.iter().find(|hit| hit.session.title == "hi").expect("there");
    let page = read(&client, &failed.session, 0, 100).await;
    assert!(matches!(page.entries.last().map(|e| &e.body), Some(Body::Failed(_))), "{page:?}");
    let folder = stores.user().join(".local/share/opencode");
    let files: Vec<_> =
        fs::read_dir(&folder).expect("read").flatten().map(|e| e.file_name()).collect();
    assert_eq!(files, ["opencode.db"], "nothing is left beside another program's database");
    assert_eq!(fs::read(folder.join("opencode.db")).expect("read"), before);
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_typed_is_sought_as_words_and_never_as_operators() {
    let stores = Stores::empty();
    let _ = stores.claude(
        A,
        &[
            said("user", "Fix the snake_case parser (urgent!)", "1T10:00:00"),
            said("assistant", "Done: AND, OR and NOT are words. Le café est fermé.", "1T10:01:00"),
            said("user", "日本語の文書を読む", "1T10:02:00"),
        ],
        600,
    );
    let _ = stores.claude(B, &[said("user", "Nothing of that", "2T10:00:00")], 500);
    let host = stores.host().await;
    let client = User::of(&host).await;
    let _ = indexed(&client).await;
    for (typed, expected) in [
        ("parser", 1),
        ("pars", 1),
        ("PARSER fix", 1),
        ("parser absent", 0),
        ("snake_case", 1),
        ("\"snake_case parser\"", 1),
        ("\"parser snake_case\"", 0),
        ("\"", 0),
        ("\"\"", 0),
        ("AND", 1),
        ("NOT nothing", 0),
        ("OR", 1),
        ("parser*", 1),
        ("text:parser", 0),
        ("NEAR(fix parser)", 0),
        ("(urgent!)", 1),
        ("^fix", 1),
        ("'; DROP TABLE words; --", 0),
        ("cafe", 1),
        ("café", 1),
        ("文書", 1),
        ("書文", 0),
        ("日本", 1),
        ("{}", 0),
        ("-", 0),
        ("fix -parser", 1),
        ("fi", 0),
        ("that", 1),
        ("\u{0}", 0),
        ("%", 0),
        ("a\"b\"c", 0),
    ] {
        let hits = find(&client, words(typed)).await;
        assert_eq!(hits.len(), expected, "{typed}: {hits:?}");
    }
    assert_eq!(find(&client, words("")).await.len(), 2);
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn titles_come_first_and_filters_hold() {
    let stores = Stores::empty();
    let _ = stores.claude(A, &[said("user", "Repair the lexer", "1T10:00:00")], 5000);
    let _ = stores.claude(
        B,
        &[
            said("user", "Something else", "2T10:00:00"),
            said("assistant", "the lexer", "2T10:01:00"),
        ],
        50,
    );
    let host = stores.host().await;
    let client = User::of(&host).await;
    let _ = indexed(&client).await;
    let ids = |hits: &[Hit]| hits.iter().map(|hit| hit.session.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&find(&client, words("")).await), [B, A]);
    assert_eq!(ids(&find(&client, words("lexer")).await), [A, B], "the title counts more");
    let used = find(&client, words("")).await[0].session.used_ms;
    for (filter, expected) in [
        (Filter { since_ms: Some(used), ..words("") }, vec![B]),
        (Filter { until_ms: Some(used), ..words("") }, vec![A]),
        (Filter { directory: Some("/home/user".into()), ..words("lexer") }, vec![A, B]),
        (Filter { directory: Some("/home/us".into()), ..words("") }, vec![]),
        (Filter { branch: Some("main".into()), ..words("repair") }, vec![A]),
        (Filter { branch: Some("other".into()), ..words("") }, vec![]),
        (Filter { providers: vec![Provider::Codex], ..words("") }, vec![]),
    ] {
        assert_eq!(ids(&find(&client, filter.clone()).await), expected, "{filter:?}");
    }
    let page = Command::FindSessions { filter: words(""), most: 1, skip: 1 };
    match client.ask(page).await {
        Ok(Reply::Sessions { hits, total, .. }) => {
            assert_eq!((ids(&hits), total), (vec![A.to_owned()], Some(2)));
        }
        other => panic!("{other:?}"),
    }
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_written_rewritten_or_deleted_is_noticed() {
    let stores = Stores::empty();
    let path = stores.claude(A, &[said("user", "The first words", "1T10:00:00")], 600);
    let host = stores.host().await;
    let client = User::of(&host).await;
    let _ = indexed(&client).await;
    // Appended, first the half of a line.
    let line = said("assistant", "A pterodactyl appears", "1T10:05:00");
    let (half, rest) = line.split_at(40);
    let mut file = fs::File::options().append(true).open(&path).expect("opened");
    file.write_all(half.as_bytes()).expect("written");
    file.flush().expect("written");
    assert_eq!(find(&client, words("pterodactyl")).await.len(), 0);
    file.write_all(rest.as_bytes()).expect("written");
    let hits =
        until(&client, "what was appended", words("pterodactyl"), |hits| hits.len() == 1).await;
    assert_eq!(hits[0].entry, Some(1));
    assert_eq!(find(&client, words("first words")).await.len(), 1, "and what was there stays");
    // A new session, in a folder that was not there.
    let new = stores.user().join(".claude/projects/-q");
    fs::create_dir_all(&new).expect("made");
    fs::write(new.join(format!("{B}.jsonl")), said("user", "A brontosaurus", "2T10:00:00"))
        .expect("written");
    let _ = client.ask(Command::IndexSessions).await.expect("it looks");
    let _ = until(&client, "the new session", words("brontosaurus"), |hits| hits.len() == 1).await;
    // Rewritten: other words of the same length and more.
    fs::write(
        &path,
        said("user", "A triceratops instead of all that was here before", "1T11:00:00"),
    )
    .expect("written");
    let _ =
        until(&client, "what was rewritten", words("triceratops"), |hits| hits.len() == 1).await;
    assert_eq!(find(&client, words("pterodactyl")).await.len(), 0, "what is gone is not found");
    fs::remove_file(&path).expect("removed");
    let _ = client.ask(Command::IndexSessions).await.expect("it looks");
    let _ = until(&client, "the deletion", words("triceratops"), <[Hit]>::is_empty).await;
    assert_eq!(find(&client, words("")).await.len(), 1);
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn marks_outlive_the_index_and_the_host() {
    let stores = Stores::new();
    let host = stores.host().await;
    let client = User::of(&host).await;
    let _ = indexed(&client).await;
    let session = find(&client, words("hello")).await[0].session.clone();
    let _ = mark(&client, &session, SessionMark::Title(Some("My\n own  name".into())))
        .await
        .expect("named");
    let _ =
        mark(&client, &session, SessionMark::Tags(vec!["api".into(), "api".into(), " ".into()]))
            .await
            .expect("tagged");
    let marked = mark(&client, &session, SessionMark::Starred(true)).await.expect("starred");
    assert_eq!(marked.title, "My own name");
    assert_eq!((marked.tags, marked.starred), (vec!["api".to_owned()], true));
    let many = (0..100).map(|n| n.to_string()).collect();
    let error = mark(&client, &session, SessionMark::Tags(many)).await.expect_err("too many");
    assert_eq!(error.kind, ErrorKind::Invalid);
    stop(&host).await;
    for ending in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(stores.place.home().root().join(format!("sessions.db{ending}")));
    }

    let host = stores.host().await;
    let client = User::of(&host).await;
    let _ = indexed(&client).await;
    let starred = find(&client, Filter { starred: true, ..words("") }).await;
    assert_eq!(starred.len(), 1);
    assert_eq!(starred[0].session.title, "My own name");
    assert_eq!(find(&client, Filter { tag: Some("api".into()), ..words("own") }).await.len(), 1);
    let unnamed = mark(&client, &session, SessionMark::Title(None)).await.expect("unnamed");
    assert_eq!(unnamed.title, session.title);
    let unknown = SessionKey { provider: Provider::Claude, id: "nothing".into() };
    let command = Command::MarkSession { session: unknown, mark: SessionMark::Starred(true) };
    assert_eq!(client.ask(command).await.expect_err("unknown").kind, ErrorKind::NotFound);
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_trash_moves_files_and_gives_them_back() {
    let stores = Stores::new();
    let host = stores.host().await;
    let client = User::of(&host).await;
    let _ = indexed(&client).await;
    for provider in Provider::ALL.into_iter().filter(|provider| *provider != Provider::Shell) {
        let only = Filter { providers: vec![provider], ..words("") };
        let all = find(&client, only.clone()).await;
        let session = all[0].session.clone();
        let before = fs::read(&session.path).expect("read");
        let page = read(&client, &session, 0, 100).await;
        let gone = mark(&client, &session, SessionMark::Trashed(true)).await.expect("trashed");
        assert!(gone.trashed_ms.is_some(), "{provider}");
        let moved = provider != Provider::OpenCode;
        assert_eq!(session.path.exists(), !moved, "{provider}");
        assert_eq!(find(&client, only.clone()).await.len(), all.len() - 1, "{provider}");
        let _ = client.ask(Command::IndexSessions).await.expect("it looks");
        let trashed = Filter { trashed: true, ..only.clone() };
        let hits = until(&client, "the trash", trashed, |hits| hits.len() == 1).await;
        assert_eq!(read(&client, &hits[0].session, 0, 100).await, page, "{provider}");
        let back = mark(&client, &session, SessionMark::Trashed(false)).await.expect("restored");
        assert_eq!(back.trashed_ms, None);
        assert_eq!(fs::read(&session.path).expect("read"), before, "{provider}");
        let hits = until(&client, "it is back", only, |hits| hits.len() == all.len()).await;
        assert!(hits.iter().any(|hit| hit.session.id == session.id));
    }
    let trash = stores.place.home().root().join("trash/sessions");
    assert_eq!(fs::read_dir(trash).map_or(0, Iterator::count), 0, "nothing is left in the trash");
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_open_or_written_to_is_not_thrown_away() {
    let stores = Stores::empty();
    let path = stores.claude(A, &[said("user", "In use", "1T10:00:00")], 0);
    let demo = stores.demo().join("sessions");
    fs::create_dir_all(&demo).expect("made");
    let fixture =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/demo/store/sessions");
    copy(&fixture, &demo);
    let host = stores.host().await;
    let client = User::of(&host).await;
    let _ = indexed(&client).await;
    let session = find(&client, words("in use")).await[0].session.clone();
    let error = mark(&client, &session, SessionMark::Trashed(true)).await.expect_err("written to");
    assert_eq!(error.kind, ErrorKind::Busy, "{error}");
    assert!(path.exists());
    // Open in a tab of ours.
    let session = find(&client, words("say hello")).await[0].session.clone();
    let directory = stores.place.folder("work");
    let agent = client
        .agent(Command::NewAgent(NewAgent {
            provider: Provider::Demo,
            name: Some("demo".into()),
            directory,
            branch: None,
            size: maestro_core::screen::Size::new(80, 24),
            start: false,
        }))
        .await
        .expect("an agent");
    let tab = Command::NewTab { agent: agent.id, session: Some(session.id.clone()), title: None };
    let tab = match client.ask(tab).await {
        Ok(Reply::Tab(tab)) => tab,
        other => panic!("{other:?}"),
    };
    let hit = find(&client, words("say hello")).await.remove(0);
    assert_eq!(hit.session.open_in, Some((agent.id, Some(tab.id))));
    let error = mark(&client, &session, SessionMark::Trashed(true)).await.expect_err("it is open");
    assert!(error.kind == ErrorKind::Busy && error.message.contains("demo"), "{error}");
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_index_is_made_again_and_that_is_said() {
    let stores = Stores::new();
    let host = stores.host().await;
    let client = User::of(&host).await;
    let _ = indexed(&client).await;
    stop(&host).await;
    let database = stores.place.home().root().join("sessions.db");
    for garbage in [b"not a database at all".to_vec(), vec![0x5a; 100_000]] {
        fs::write(&database, garbage).expect("written");
        let host = stores.host().await;
        let client = User::of(&host).await;
        let _ = client.world(true).await;
        let _ = indexed(&client).await;
        assert_eq!(find(&client, words("")).await.len(), 33);
        client
            .until("it is said", |state| {
                state.events.iter().find_map(|event| match event {
                    Event::Problem { text, .. } => text.contains("made again").then_some(()),
                    _ => None,
                })
            })
            .await;
        stop(&host).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_tools_printed_is_found_by_a_scan() {
    let stores = Stores::new();
    let host = stores.host().await;
    let client = User::of(&host).await;
    let _ = indexed(&client).await;
    assert_eq!(find(&client, words("threeoops")).await.len(), 0, "the index has no output");
    let scan = |words: &str| Command::ScanSessions {
        filter: Filter { words: words.to_owned(), ..Filter::default() },
        most: 100,
    };
    match client.ask(scan("threeoops")).await {
        Ok(Reply::Sessions { hits, total, .. }) => {
            let providers: Vec<Provider> = hits.iter().map(|hit| hit.session.provider).collect();
            assert!(providers.contains(&Provider::OpenCode), "{providers:?}");
            assert!(providers.contains(&Provider::Codex), "{providers:?}");
            assert_eq!(total, Some(hits.len() as u64));
            for hit in hits {
                assert!(hit.excerpt.contains("threeoops") && !hit.marks.is_empty(), "{hit:?}");
                let entry = hit.entry.expect("an entry");
                let page = read(&client, &hit.session, entry, 1).await;
                assert!(matches!(page.entries[0].body, Body::Tool(_)), "{page:?}");
            }
        }
        other => panic!("{other:?}"),
    }
    let error = client.ask(scan("  ")).await.expect_err("nothing to look for");
    assert_eq!(error.kind, ErrorKind::Invalid);
    stop(&host).await;
}

/// Gemini CLI once wrote a session as one document: it has no place to go on from, and is gone through once.
#[tokio::test]
async fn a_long_document_is_indexed_and_that_ends() {
    let stores = Stores::empty();
    let chats = stores.user().join(".gemini/tmp/project/chats");
    fs::create_dir_all(&chats).expect("made");
    let message = |n: usize| {
        let kind = if n.is_multiple_of(2) { "user" } else { "gemini" };
        let content = format!("words{n} {}", "and more of them ".repeat(600));
        serde_json::json!({ "id": format!("m{n}"), "type": kind, "content": content })
    };
    let messages: Vec<_> = (0..1000).map(message).collect();
    let document =
        serde_json::json!({ "sessionId": A, "messages": messages, "summary": "Of many words" });
    let file = chats.join("session-2026-11-22T07-41-aaaaaaaa.json");
    fs::write(&file, document.to_string()).expect("written");
    set_age(&file, 3600);
    let host = stores.host().await;
    let client = User::of(&host).await;
    let progress = indexed(&client).await;
    assert_eq!((progress.sessions, progress.done_bytes), (1, progress.total_bytes));
    let hits = find(&client, words("words501")).await;
    let [hit] = hits.as_slice() else { panic!("{hits:?}") };
    assert_eq!((hit.session.title.as_str(), hit.entry), ("Of many words", Some(501)));
    assert!(hit.excerpt.starts_with("words501 and more"), "{hit:?}");
    stop(&host).await;
}

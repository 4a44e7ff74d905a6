use std::path::Path;
use std::time::{Duration, SystemTime};

use maestro_agents::{Environment, latest_session};
use maestro_core::agent::Provider;

const A: &str = "6a8bc3ec-26ab-456c-8c0b-cdfafa0d0db5";
const B: &str = "1a74efe0-1c3c-458f-9d61-63c135db1965";

struct Store {
    home: tempfile::TempDir,
    environment: Environment,
}

impl Store {
    fn new() -> Self {
        let home = tempfile::tempdir().expect("a folder for the test");
        let environment = Environment::from_vars([
            ("HOME", home.path().as_os_str()),
            ("MAESTRO_DEMO_HOME", home.path().join("demo").as_os_str()),
        ]);
        Self { home, environment }
    }

    /// A session file that changed so many seconds ago.
    fn add(&self, path: &str, text: &str, age: u64) {
        let path = self.home.path().join(path);
        std::fs::create_dir_all(path.parent().expect("it is in a folder"))
            .expect("a folder for the test");
        std::fs::write(&path, text).expect("the session can be written");
        let time = SystemTime::now() - Duration::from_secs(age);
        let file = std::fs::File::options().write(true).open(&path).expect("it was just written");
        file.set_modified(time).expect("its time can be set");
    }

    fn latest(&self, provider: Provider, directory: &str, within: u64) -> Option<String> {
        let since = SystemTime::now() - Duration::from_secs(within);
        latest_session(provider, Path::new(directory), since, &self.environment)
    }
}

fn claude(cwd: &str) -> String {
    format!("{{\"type\":\"queue-operation\"}}\nnot json\n{{\"type\":\"user\",\"cwd\":\"{cwd}\"}}\n")
}

#[test]
fn claude_code_sessions_are_found_by_directory() {
    let store = Store::new();
    let folder = ".claude/projects/-home-user-My-Proj-v2---1-";
    let directory = "/home/user/My Proj.v2_ü(1)";
    store.add(&format!("{folder}/{A}.jsonl"), &claude(directory), 100);
    store.add(&format!("{folder}/{B}.jsonl"), &claude(directory), 50);
    // The same folder name, another directory; and a subagent's file.
    store.add(
        &format!("{folder}/{}.jsonl", A.replace('6', "7")),
        &claude("/home/user/My Proj_v2.ü(1)"),
        10,
    );
    store.add(&format!("{folder}/agent-1.jsonl"), &claude(directory), 5);
    assert_eq!(store.latest(Provider::Claude, directory, 1000).as_deref(), Some(B));
    assert_eq!(store.latest(Provider::Claude, directory, 20), None);
    assert_eq!(store.latest(Provider::Claude, "/elsewhere", 1000), None);
}

#[test]
fn long_names_of_claude_code_are_found_by_their_beginning() {
    let store = Store::new();
    let directory = format!("/home/user{}", "/a-rather-long-directory-name".repeat(10));
    let name: String =
        directory.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    store.add(
        &format!(".claude/projects/{}-8yy3q8/{A}.jsonl", &name[..200]),
        &claude(&directory),
        1,
    );
    assert_eq!(store.latest(Provider::Claude, &directory, 1000).as_deref(), Some(A));
}

#[test]
fn codex_sessions_are_found_in_the_latest_days() {
    let store = Store::new();
    let meta = |cwd: &str| {
        let instructions = "x".repeat(60_000);
        format!(
            "{{\"type\":\"session_meta\",\"payload\":{{\"cwd\":\"{cwd}\",\"base_instructions\":\"{instructions}\"}}}}\n"
        )
    };
    store.add(
        &format!(".codex/sessions/2026/11/21/rollout-2026-11-21T07-30-42-{A}.jsonl"),
        &meta("/a"),
        300,
    );
    store.add(
        &format!(".codex/sessions/2026/11/22/rollout-2026-11-22T07-30-42-{B}.jsonl"),
        &meta("/b"),
        100,
    );
    assert_eq!(store.latest(Provider::Codex, "/a", 1000).as_deref(), Some(A));
    assert_eq!(store.latest(Provider::Codex, "/b", 1000).as_deref(), Some(B));
    assert_eq!(store.latest(Provider::Codex, "/b", 50), None);
}

#[test]
fn droid_and_demo_sessions_are_found() {
    let store = Store::new();
    let start = "{\"type\":\"session_start\",\"cwd\":\"/home/user/My Proj\"}\n";
    store.add(&format!(".factory/sessions/-home-user-My Proj/{A}.jsonl"), start, 1);
    assert_eq!(store.latest(Provider::Droid, "/home/user/My Proj", 1000).as_deref(), Some(A));
    store.add(
        &format!("demo/sessions/{B}.jsonl"),
        "{\"type\":\"session\",\"directory\":\"/d\"}\n",
        1,
    );
    assert_eq!(store.latest(Provider::Demo, "/d", 1000).as_deref(), Some(B));
    assert_eq!(store.latest(Provider::Demo, "/e", 1000), None);
}

#[test]
fn stores_that_are_missing_or_damaged_have_no_sessions() {
    let store = Store::new();
    for provider in Provider::ALL {
        assert_eq!(store.latest(provider, "/a", 1000), None, "{provider}");
    }
    store.add(&format!(".claude/projects/-a/{A}.jsonl"), "\u{0}\u{1}garbage {", 1);
    store.add(&format!(".codex/sessions/2026/11/22/rollout-x-{A}.jsonl"), "", 1);
    for provider in Provider::ALL {
        assert_eq!(store.latest(provider, "/a", 1000), None, "{provider}");
    }
}

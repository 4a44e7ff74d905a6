//! Stored sessions from the command line, over the recorded stores of every provider.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::place::{Place, until};

/// A place whose user has every provider's recorded store.
fn stored() -> Place {
    let mut place = Place::new();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures");
    for provider in ["claude", "codex", "opencode", "droid", "copilot", "gemini"] {
        copy(&fixtures.join(provider).join("store"), &place.user());
    }
    let demo = place.path("demo-agent");
    copy(&fixtures.join("demo/store"), &demo);
    place.set("MAESTRO_DEMO_HOME", demo);
    let _ = place.ok(&["sessions", "index", "--wait"]);
    place
}

/// Copies a folder; what is in it is old.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("made");
    for entry in fs::read_dir(from).expect("a folder").map(|entry| entry.expect("an entry")) {
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a kind").is_dir() {
            copy(&entry.path(), &target);
            continue;
        }
        fs::write(&target, fs::read(entry.path()).expect("read")).expect("written");
        let file = fs::File::options().write(true).open(&target).expect("opened");
        file.set_modified(SystemTime::now() - Duration::from_secs(3600)).expect("set");
    }
}

fn ids(list: &Value) -> Vec<&str> {
    let sessions = list["sessions"].as_array().expect("a list");
    sessions.iter().filter_map(|session| session["id"].as_str()).collect()
}

#[test]
fn sessions_of_every_provider_are_listed_and_filtered() {
    let place = stored();
    let all = place.json(&["sessions", "list"]);
    assert_eq!((ids(&all).len(), &all["total"], &all["complete"]), (33, &json!(33), &json!(true)));
    let table = place.ok(&["sessions", "list", "--provider", "claude", "--limit", "3"]);
    assert!(table.starts_with("SESSION") && table.contains("3 of 11; --limit"), "{table}");
    for (args, count) in [
        (&["--provider", "gemini"][..], 2),
        (&["--provider", "gemini", "--provider", "droid"], 7),
        (&["--project", "/home/user/project", "--provider", "droid"], 4),
        (&["--branch", "main", "--provider", "copilot"], 4),
        (&["--branch", "other"], 0),
        (&["--since", "2026-11-23"], 0),
        (&["--until", "2026-11-20"], 0),
        (&["--starred"], 0),
        (&["--trashed"], 0),
    ] {
        let list = place.json(&[&["sessions", "list"], args].concat());
        // The demo agent's records tell no times: its file's is used.
        let some = list["sessions"].as_array().expect("a list");
        let some = some.iter().filter(|session| session["provider"] != "demo").count();
        assert_eq!(some, count, "{args:?}");
    }
    assert!(place.ok(&["sessions", "list", "--starred"]).contains("no stored sessions"));
    for (args, says) in
        [(["--since", "yesterday"], "a date"), (["--provider", "nobody"], "copilot")]
    {
        let ended = place.run(&[&["sessions", "list"][..], &args].concat());
        assert_eq!(ended.code, Some(2));
        assert!(ended.stderr.contains(says), "{}", ended.stderr);
    }
}

#[test]
fn words_are_found_in_sessions_and_in_what_tools_printed() {
    let place = stored();
    let found = place.json(&["sessions", "search", "hello", "there"]);
    assert!(ids(&found).contains(&"1a74efe0-1c3c-458f-9d61-63c135db1965"), "{found}");
    assert!(ids(&found).iter().any(|id| id.starts_with("ses_")), "{found}");
    let hit = &found["sessions"][0];
    assert!(hit["excerpt"].as_str().is_some_and(|text| !text.is_empty()) || hit["entry"].is_null());
    let text = place.ok(&["sessions", "search", "still alive"]);
    assert!(text.contains("384e6d67") && text.contains("FOUND"), "{text}");
    assert!(place.ok(&["sessions", "search", "threeoops"]).contains("--tools"));
    let tools = place.json(&["sessions", "search", "--tools", "threeoops"]);
    assert!(ids(&tools).len() >= 3, "{tools}");
    assert_eq!(ids(&place.json(&["sessions", "search", "AND", "OR", "\"", "(", "*"])).len(), 0);
}

#[test]
fn a_session_is_shown_and_exported_by_the_beginning_of_its_id() {
    let place = stored();
    let shown = place.ok(&["sessions", "show", "384e6d67"]);
    for text in ["/home/user/project", "claude-sonnet-5", "still alive?", "allowed.txt"] {
        assert!(shown.contains(text), "{text}\n{shown}");
    }
    let value = place.json(&["sessions", "show", "ses_dfdd13345ffeD7IcTd2Pa3beLe", "--last", "2"]);
    assert_eq!(value["entries"].as_array().map(Vec::len), Some(2));
    assert_eq!(value["entries"][1]["body"]["text"], "All done.");
    let markdown = place.ok(&["sessions", "export", "6a8bc3ec"]);
    assert!(markdown.starts_with("# [[think") && markdown.contains("All done."), "{markdown}");
    let page = place.path("page.html").display().to_string();
    let _ = place.ok(&["sessions", "export", "6a8bc3ec", "--html", "-o", &page]);
    let html = place.read(&page);
    assert!(html.contains("<html") && html.contains("All done.") && !html.contains("<script"));
    let _ =
        place.fails(1, &["cannot be written"], &["sessions", "export", "6a8bc3ec", "-o", &page]);
    let json = place.json(&["sessions", "export", "6a8bc3ec"]);
    assert_eq!(json["entries"].as_array().map(Vec::len), Some(8));
    let _ = place.fails(1, &["no stored session `ffffffff`"], &["sessions", "show", "ffffffff"]);
    let _ = place.fails(1, &["at least 4"], &["sessions", "show", "ff"]);
    let _ = place.fails(1, &["sessions begin with `01a2022a`"], &["sessions", "show", "01a2022a"]);
}

#[test]
fn marks_are_ours_and_outlive_the_host() {
    let place = stored();
    let _ = place.ok(&["sessions", "star", "6a8bc3ec"]);
    let _ = place.ok(&["sessions", "tag", "6a8bc3ec", "parser", "later"]);
    let titled = place.json(&["sessions", "title", "6a8bc3ec", "My own words"]);
    assert_eq!(titled["title"], "My own words");
    assert_eq!(titled["tags"], json!(["parser", "later"]));
    let _ = place.ok(&["host", "stop"]);
    let starred = place.json(&["sessions", "list", "--starred"]);
    assert_eq!(starred["sessions"][0]["title"], "My own words");
    assert_eq!(ids(&place.json(&["sessions", "search", "own words", "--tag", "later"])).len(), 1);
    let _ = place.ok(&["sessions", "star", "6a8bc3ec", "--off"]);
    assert_eq!(ids(&place.json(&["sessions", "list", "--starred"])).len(), 0);

    let file = place
        .user()
        .join(".claude/projects/-home-user-project/6a8bc3ec-26ab-456c-8c0b-cdfafa0d0db5.jsonl");
    let before = fs::read(&file).expect("there");
    let _ = place.ok(&["sessions", "trash", "6a8bc3ec"]);
    assert!(!file.exists());
    assert_eq!(ids(&place.json(&["sessions", "list", "--trashed"])).len(), 1);
    assert!(place.ok(&["sessions", "show", "6a8bc3ec"]).contains("All done."), "from the trash");
    let _ = place.fails(1, &["in the trash", "restore"], &["sessions", "resume", "6a8bc3ec"]);
    let _ = place.ok(&["sessions", "restore", "6a8bc3ec"]);
    assert_eq!(fs::read(&file).expect("back"), before);
    assert_eq!(ids(&place.json(&["sessions", "list", "--trashed"])).len(), 0);
}

#[test]
fn a_session_is_resumed_here_or_in_a_worktree_and_in_one_place_only() {
    let place = stored();
    let repository = place.repository("shop");
    let directory = repository.display().to_string();
    let _ = place.ok(&[
        "agent",
        "new",
        "first",
        "--provider",
        "demo",
        "--dir",
        &directory,
        "--no-start",
    ]);
    // Ours: in a directory that is there.
    let home = place.path("demo-agent/sessions");
    let write = |id: &str, text: &str| {
        let lines = [
            json!({ "type": "session", "id": id, "directory": directory, "model": "demo-1", "created_ms": 1 }),
            json!({ "type": "user", "text": text }),
            json!({ "type": "assistant", "text": "It is so." }),
        ];
        let lines: String = lines.iter().map(|line| format!("{line}\n")).collect();
        fs::write(home.join(format!("{id}.jsonl")), lines).expect("written");
    };
    let (one, two) =
        ("11110000-0000-4000-8000-000000000001", "22220000-0000-4000-8000-000000000002");
    write(one, "Resume me as a conversation");
    write(two, "Resume me elsewhere");
    until("they are found", || {
        let found = place.json(&["sessions", "search", "resume", "me"]);
        (ids(&found).len() == 2).then_some(())
    });
    let made = place.json(&["sessions", "resume", "11110000", "--conversation", "--name", "again"]);
    assert_eq!(made["name"], "again");
    let agents = place.json(&["agent", "list"]);
    let again = agents.as_array().expect("a list").iter().find(|agent| agent["name"] == "again");
    assert_eq!(again.expect("there")["directory"], json!(directory));
    // What was said before is in its conversation.
    let list = place.json(&["sessions", "list", "--provider", "demo"]);
    let open = list["sessions"].as_array().expect("a list").iter().find(|s| s["id"] == one);
    assert_eq!(open.expect("there")["open_in"]["tab"], made["tab"]);
    let _ = place.fails(1, &["open in again"], &["sessions", "resume", "11110000"]);
    let _ = place.fails(1, &["again"], &["sessions", "trash", "11110000"]);

    let made = place.json(&[
        "sessions",
        "resume",
        "22220000",
        "--conversation",
        "--worktree",
        "topic",
        "--name",
        "topic",
    ]);
    let agents = place.json(&["agent", "list"]);
    let topic = agents.as_array().expect("a list").iter().find(|agent| agent["name"] == "topic");
    let topic = topic.expect("there");
    assert_eq!((&topic["branch"], &topic["worktree"]), (&json!("topic"), &json!(true)));
    assert!(made["tab"].is_string());
    let gone = place.fails(1, &["is not there any more"], &["sessions", "resume", "6a8bc3ec"]);
    assert!(gone.contains("/home/user/project"), "{gone}");
}

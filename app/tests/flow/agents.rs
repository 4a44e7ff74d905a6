//! Agents and what is theirs: a worktree, a branch, a terminal.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::place::{Place, until};

#[test]
fn an_agent_lives_in_its_own_worktree_until_it_is_removed() {
    let place = Place::new();
    let repository = place.repository("shop");
    let dir = repository.display().to_string();
    let before = place.git(&repository, &["status", "--porcelain"]);
    let id = place.ok(&["agent", "new", "-p", "demo", "-d", &dir, "-B", "feat/cart"]);
    assert_eq!(id, "a1");
    let agent = place.json(&["agent", "show", "cart"]);
    assert_eq!(agent["id"], "a1");
    assert_eq!(agent["branch"], "feat/cart");
    assert_eq!(agent["worktree"], true);
    assert_eq!(agent["provider"], "demo");
    assert_eq!(agent["repository"], json!(dir));
    let directory = PathBuf::from(agent["directory"].as_str().expect("a path"));
    assert!(directory != repository && directory.join("README.md").exists());
    assert_eq!(place.git(&directory, &["branch", "--show-current"]), "feat/cart");
    assert_eq!(place.git(&repository, &["branch", "--show-current"]), "main");
    assert_eq!(place.git(&repository, &["status", "--porcelain"]), before);
    let terminal = agent["ai_terminal"].as_str().expect("a terminal").to_owned();
    // An agent is named wherever its terminal is.
    for name in [&terminal, "cart", "a1"] {
        let _ = place.shows(name, "emo");
    }
    assert!(place.json(&["terminal", "list"])[0]["pid"].is_u64());

    let shown = place.ok(&["agent", "show", "a1"]);
    assert!(shown.contains("made by Maestro") && shown.contains("feat/cart"), "{shown}");
    let list = place.ok(&["agent", "list"]);
    assert!(list.contains("cart") && list.contains(&directory.display().to_string()), "{list}");
    assert_eq!(place.json(&["agent", "list"])[0]["name"], "cart");

    let again = ["agent", "new", "cart", "-p", "demo", "-d", &dir];
    let _ = place.fails(1, &["already", "cart"], &again);
    let _ = place.fails(1, &["no agent", "agent list"], &["agent", "show", "nobody"]);

    fs::write(directory.join("draft.txt"), "precious").expect("written");
    let _ = place.ok(&["agent", "stop", "cart"]);
    let agent = place.json(&["agent", "show", "cart"]);
    assert_eq!(
        (&agent["ai_terminal"], &agent["attention"]["state"]),
        (&Value::Null, &json!("resumable"))
    );
    until("its processes are gone", || place.children().is_empty().then_some(()));
    let _ = place.fails(1, &["agent open cart"], &["terminal", "show", "cart"]);
    assert_eq!(place.json(&["agent", "list"]).as_array().map(Vec::len), Some(1));

    assert_eq!(place.ok(&["agent", "open", "cart"]), "a1");
    let _ = place.shows("cart", "emo");
    assert!(!place.children().is_empty());

    let _ = place.ok(&["agent", "remove", "cart"]);
    assert_eq!(place.json(&["agent", "list"]), json!([]));
    assert_eq!(place.read(directory.join("draft.txt")), "precious", "its folder stays");
    assert!(place.git(&repository, &["branch"]).contains("feat/cart"), "its branch stays");
    until("its processes are gone", || place.children().is_empty().then_some(()));
    assert!(place.ok(&["agent", "list"]).contains("no agents yet"));
}

#[test]
fn an_agent_types_and_edits_in_its_worktree_only() {
    let place = Place::new();
    let repository = place.repository("shop");
    let dir = repository.display().to_string();
    let _ = place.ok(&["agent", "new", "one", "-p", "demo", "-d", &dir, "-B", "one"]);
    let _ = place.ok(&["agent", "new", "two", "-p", "demo", "-d", &dir, "-B", "two"]);
    for name in ["one", "two"] {
        let _ = place.shows(name, "emo");
        let prompt = format!("[[write {name}.txt by {name}]] [[text Written by {name}.]]");
        let _ = place.ok(&["terminal", "send", name, &prompt]);
        let _ = place.shows(name, "[[write");
        let _ = place.ok(&["terminal", "send", name, "-e", r"\r"]);
    }
    for name in ["one", "two"] {
        let agent = place.json(&["agent", "show", name]);
        let file = format!("{}/{name}.txt", agent["directory"].as_str().expect("a path"));
        let text = until("the file is written", || {
            fs::read_to_string(&file).ok().filter(|text| !text.is_empty())
        });
        assert_eq!(text.trim_end(), format!("by {name}"));
    }
    assert_eq!(place.git(&repository, &["status", "--porcelain"]), "");
}

#[test]
fn a_shell_agent_and_one_that_is_not_started() {
    let place = Place::new();
    let dir = place.repository("shop").display().to_string();
    let _ = place.ok(&["agent", "new", "sh", "-p", "shell", "-d", &dir]);
    let _ = place.ok(&["terminal", "send", "sh", "pwd; echo $((6*7))", "--enter"]);
    let shown = place.shows("sh", "\n42");
    assert!(shown.replace('\n', "").contains(&dir), "{shown}");
    let _ = place.ok(&["agent", "new", "later", "-p", "demo", "-d", &dir, "--no-start"]);
    assert_eq!(place.json(&["agent", "show", "later"])["ai_terminal"], Value::Null);
}

#[test]
fn the_list_shows_everything() {
    let place = Place::new();
    let dir = place.repository("shop").display().to_string();
    let _ = place.ok(&["agent", "new", "web", "-p", "demo", "-d", &dir, "-B", "web"]);
    let _ = place.ok(&["terminal", "new", "--", "sleep", "600"]);
    let list = place.ok(&["list"]);
    for part in ["web", "demo", "TERMINAL", "sleep"] {
        assert!(list.contains(part), "{part} is not in\n{list}");
    }
    let list = place.json(&["list"]);
    assert_eq!(
        (&list["agents"][0]["id"], &list["agents"][0]["name"]),
        (&json!("a1"), &json!("web"))
    );
    assert_eq!(list["terminals"].as_array().map(Vec::len), Some(2));
    assert_eq!(list["terminals"][0]["agent"], "a1");
    assert_eq!(list["runs"], json!([]));
}

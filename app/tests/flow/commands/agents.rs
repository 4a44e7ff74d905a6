//! Agents and their worktrees.

use std::path::Path;

use super::support::{Stage, eventually};

fn text(path: &Path) -> &str {
    path.to_str().expect("text")
}

#[test]
fn an_agent_gets_its_own_worktree_and_its_program_runs_there() {
    let stage = Stage::new();
    let repository = stage.repository("shop");
    let before = stage.git(&repository, &["status", "--porcelain"]);
    let new = ["agent", "new", "api", "-p", "demo", "-d", text(&repository), "-B", "feat/api"];
    let id = stage.ok(&new);
    let agent = stage.json(&["agent", "show", "api"]);
    assert_eq!(agent["id"], id.as_str());
    assert_eq!(agent["provider"], "demo");
    assert_eq!(agent["branch"], "feat/api");
    assert_eq!(agent["worktree"], true);
    assert_eq!(agent["repository"], text(&repository));
    let directory = Path::new(agent["directory"].as_str().expect("text"));
    assert_ne!(directory, repository);
    assert!(directory.join("README.md").exists());
    assert_eq!(stage.git(directory, &["branch", "--show-current"]), "feat/api");
    assert_eq!(stage.git(&repository, &["branch", "--show-current"]), "main");
    assert_eq!(stage.git(&repository, &["status", "--porcelain"]), before);
    let terminal = agent["ai_terminal"].as_str().expect("a terminal");
    let running = || stage.json(&["terminal", "list"])[0]["pid"].is_u64();
    assert!(eventually(running));
    assert!(eventually(|| !stage.screen(terminal).trim().is_empty()), "its TUI draws nothing");
    // An agent is named wherever its terminal is.
    assert_eq!(stage.screen("api").is_empty(), stage.screen(&id).is_empty());
}

#[test]
fn an_agent_is_stopped_opened_and_forgotten_and_its_work_stays() {
    let stage = Stage::new();
    let repository = stage.repository("shop");
    let id = stage.ok(&["agent", "new", "-p", "demo", "-d", text(&repository), "-B", "one"]);
    let show = || stage.json(&["agent", "show", &id]);
    let directory = show()["directory"].as_str().expect("text").to_owned();
    std::fs::write(Path::new(&directory).join("draft.txt"), "precious").expect("written");
    let _ = stage.ok(&["agent", "stop", &id]);
    assert!(eventually(|| stage.marked().is_empty()), "left behind: {:?}", stage.marked());
    assert_eq!(stage.json(&["agent", "list"]).as_array().map(Vec::len), Some(1));
    let _ = stage.ok(&["agent", "open", &id]);
    assert!(eventually(|| !stage.marked().is_empty()), "it does not run again");
    let _ = stage.ok(&["agent", "remove", &id]);
    assert_eq!(stage.json(&["agent", "list"]).as_array().map(Vec::len), Some(0));
    assert!(eventually(|| stage.marked().is_empty()), "left behind: {:?}", stage.marked());
    let draft = std::fs::read_to_string(Path::new(&directory).join("draft.txt"));
    assert_eq!(draft.expect("kept"), "precious");
    assert!(stage.git(&repository, &["branch", "--list", "one"]).contains("one"));
}

#[test]
fn what_cannot_be_is_refused_with_the_reason() {
    let stage = Stage::new();
    let repository = stage.repository("shop");
    let folder = stage.path("plain");
    std::fs::create_dir(&folder).expect("created");
    let new = |directory: &Path, rest: &[&str]| {
        let args = ["agent", "new", "-p", "demo", "--no-start", "-d", text(directory)];
        let came = stage.run(&[&args, rest].concat());
        assert!(came.code == 1 || came.code == 2, "{came:?}");
        assert_eq!(came.err.trim_end().lines().count(), 1, "{came:?}");
        came.err
    };
    assert!(new(&folder, &["-B", "x"]).contains("repository"), "not a repository");
    let busy = new(&repository, &["-b", "main"]);
    assert!(busy.contains("main") && busy.contains(text(&repository)), "where it is: {busy}");
    let invalid = new(&repository, &["-B", "a..b"]);
    assert!(invalid.contains("a..b"), "{invalid}");
    let missing = new(&repository, &["-b", "nowhere"]);
    assert!(missing.contains("nowhere"), "{missing}");
    let _ = stage.ok(&["agent", "new", "twin", "-p", "demo", "--no-start", "-d", text(&folder)]);
    let twice = new(&folder, &["twin"]);
    assert!(twice.contains("twin"), "{twice}");
    let empty = stage.path("empty");
    std::fs::create_dir(&empty).expect("created");
    let _ = stage.git(&empty, &["init", "--quiet"]);
    assert!(new(&empty, &["-B", "x"]).contains("commit"), "no commits yet");
}

#[test]
fn worktrees_are_made_and_listed() {
    let stage = Stage::new();
    let repository = stage.repository("shop");
    let path = stage.path("elsewhere");
    let made = stage.ok(&["worktree", "new", "topic", "-r", text(&repository), "-p", text(&path)]);
    assert_eq!(made, text(&path));
    let list = stage.json(&["worktree", "list", text(&repository)]);
    let branches: Vec<&str> =
        list.as_array().expect("a list").iter().filter_map(|w| w["branch"].as_str()).collect();
    assert_eq!(branches, ["main", "topic"]);
    assert_eq!(list[0]["main"], true);
    let occupied = stage.path("occupied");
    std::fs::create_dir(&occupied).expect("created");
    std::fs::write(occupied.join("file"), "").expect("written");
    let came =
        stage.run(&["worktree", "new", "other", "-r", text(&repository), "-p", text(&occupied)]);
    assert_ne!(came.code, 0);
    assert!(came.err.contains("empty"), "{came:?}");
}

#[test]
fn the_list_shows_everything() {
    let stage = Stage::new();
    let repository = stage.repository("shop");
    let _ = stage.ok(&["agent", "new", "web", "-p", "demo", "-d", text(&repository), "-B", "web"]);
    let _ = stage.ok(&["terminal", "new", "--", "sleep", "600"]);
    let list = stage.ok(&["list"]);
    for part in ["web", "demo", "TERMINAL", "sleep"] {
        assert!(list.contains(part), "{part} is not in\n{list}");
    }
    let list = stage.json(&["list"]);
    assert_eq!(list["agents"][0]["name"], "web");
    assert_eq!(list["terminals"].as_array().map(Vec::len), Some(2));
    assert_eq!(list["runs"].as_array().map(Vec::len), Some(0));
}

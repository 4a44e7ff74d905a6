//! What differs, on the command line: looked at, staged, discarded and had back.

use std::fs;

use serde_json::{Value, json};

use crate::place::Place;

fn names(listing: &Value) -> Vec<String> {
    let files = listing["files"].as_array().cloned().unwrap_or_default();
    let show = |file: &Value| {
        let text = |name: &str| file[name].as_str().unwrap_or_default().to_owned();
        format!("{} {} +{} -{}", text("status"), text("name"), file["added"], file["removed"])
    };
    files.iter().map(show).collect()
}

#[test]
fn changes_are_shown_staged_discarded_and_had_back() {
    let place = Place::new();
    let repository = place.repository("shop");
    let dir = repository.display().to_string();
    let numbered = |changed: &[u32]| -> String {
        (1..=30)
            .map(|n| if changed.contains(&n) { format!("new {n}\n") } else { format!("{n}\n") })
            .collect()
    };
    fs::write(repository.join("list"), numbered(&[])).expect("saved");
    let _ = place.git(&repository, &["add", "--all"]);
    let _ = place.git(&repository, &["commit", "-qm", "List"]);
    assert!(
        place.ok(&["diff", &dir, "--stat"]).contains("nothing differs between index and files")
    );
    fs::write(repository.join("list"), numbered(&[5, 25])).expect("saved");
    fs::write(repository.join("more"), "\x1b[31mred\n").expect("saved");
    let stat = place.json(&["diff", &dir, "--stat"]);
    assert_eq!(names(&stat), ["modified list +2 -2", "untracked more +1 -0"]);
    let text = place.ok(&["diff", &dir]);
    assert!(text.contains("@@ -2,7 +2,7 @@") && text.contains("-5\n+new 5\n"), "{text}");
    assert!(text.contains("+·[31mred") && !text.contains('\x1b'), "{text}");
    let shown = place.json(&["diff", &dir, "list"]);
    assert_eq!(shown["files"][0]["hunks"].as_array().map(Vec::len), Some(2));
    assert_eq!(shown["files"][0]["hunks"][0]["lines"][3]["text"], "5");
    assert_eq!(shown["files"][0]["hunks"][0]["lines"][3]["kind"], "removed");

    // By hunk into the index, and out of it.
    let _ = place.ok(&["diff", &dir, "list", "--stage", "--hunk", "2"]);
    assert_eq!(place.git(&repository, &["show", ":list"]), numbered(&[25]).trim_end());
    assert_eq!(names(&place.json(&["diff", &dir, "--staged"])), ["modified list +1 -1"]);
    let _ = place.ok(&["diff", &dir, "list", "--unstage", "--hunk", "1"]);
    assert_eq!(names(&place.json(&["diff", &dir, "--staged"])), [""; 0]);

    // Away, and back in the next host.
    let _ = place.ok(&["diff", &dir, "list", "--discard", "--hunk", "1"]);
    let told = place.json(&["diff", &dir, "more", "--discard"]);
    assert_eq!(told["files"], json!(["more"]));
    assert_eq!(fs::read_to_string(repository.join("list")).ok(), Some(numbered(&[25])));
    assert!(!repository.join("more").exists());
    place.kill_host();
    assert_eq!(place.json(&["diff", &dir, "--discards"]).as_array().map(Vec::len), Some(2));
    let _ = place.ok(&["diff", &dir, "--undo"]);
    assert_eq!(place.read(repository.join("more")), "\x1b[31mred\n");
    let _ = place.ok(&["diff", &dir, "--undo"]);
    assert_eq!(fs::read_to_string(repository.join("list")).ok(), Some(numbered(&[5, 25])));
    let _ = place.fails(1, &["nothing was discarded"], &["diff", &dir, "--undo"]);
    assert_eq!(place.git(&repository, &["status", "--porcelain"]), " M list\n?? more");

    let _ =
        place.fails(1, &["has 2 hunks, no 7"], &["diff", &dir, "list", "--stage", "--hunk", "7"]);
    let _ = place.fails(2, &["say which files"], &["diff", &dir, "--discard"]);
    let _ = place.fails(1, &["nope"], &["diff", "nope"]);
    let _ = place.fails(1, &["is not in"], &["diff", &dir, "../elsewhere"]);
}

#[test]
fn branches_commits_and_agents_have_differences() {
    let place = Place::new();
    let repository = place.repository("shop");
    let dir = repository.display().to_string();
    let made = place.ok(&["worktree", "new", "topic", "-r", &dir]);
    let _ = place.ok(&["agent", "new", "ada", "-p", "demo", "-d", &made, "--no-start"]);
    fs::write(format!("{made}/one"), "1\n").expect("saved");
    let tree = std::path::Path::new(&made);
    let _ = place.git(tree, &["add", "--all"]);
    let _ = place.git(tree, &["commit", "-qm", "One"]);
    fs::write(format!("{made}/two"), "2\n").expect("saved");
    let expected = ["added one +1 -0", "untracked two +1 -0"];
    assert_eq!(names(&place.json(&["diff", "ada", "--base"])), expected);
    assert_eq!(names(&place.json(&["diff", "ada", "--base", "main", "--stat"])), expected);
    assert_eq!(names(&place.json(&["diff", "ada", "--commit", "topic"])), ["added one +1 -0"]);
    assert_eq!(names(&place.json(&["diff", "ada"])), ["untracked two +1 -0"]);
    let _ = place.fails(1, &["gone"], &["diff", "ada", "--base", "gone"]);
    let _ = place.fails(1, &["no run r7"], &["diff", "ada", "--task", "r7:1"]);
    let wrong = place.run(&["diff", "ada", "--task", "r7"]);
    assert!(wrong.code == Some(2) && wrong.stderr.contains("a run and the number"), "{wrong}");
}

#[test]
fn programs_of_a_repository_run_once_one_agreed_to_them() {
    let place = Place::new();
    let repository = place.repository("shop");
    let dir = repository.display().to_string();
    assert!(place.ok(&["trust", &dir]).contains("no programs"));
    let ran = place.path("ran");
    let clean = place.script("clean", &format!("echo ran >>'{}'\ntr a-z A-Z", ran.display()));
    let clean = clean.display().to_string();
    let _ = place.git(&repository, &["config", "filter.loud.clean", &clean]);
    fs::write(repository.join(".git/info/attributes"), "* filter=loud\n").expect("saved");
    fs::write(repository.join("README.md"), "# Quiet\n").expect("saved");
    assert!(place.ok(&["diff", &dir]).contains("+# Quiet"));
    let refused = place.run(&["diff", &dir, "README.md", "--stage", "--hunk", "1"]);
    assert!(refused.code == Some(1) && refused.stderr.contains("maestro trust"), "{refused}");
    let shown = place.run(&["trust", &dir]);
    assert!(shown.code == Some(8) && shown.stdout.contains(&clean), "{shown}");
    assert!(!ran.exists());
    let _ = place.ok(&["trust", &dir, "--yes"]);
    assert!(place.ok(&["diff", &dir]).contains("+# QUIET"));
    // It is remembered, until it is taken back.
    place.kill_host();
    assert_eq!(place.json(&["trust", &dir])["is_trusted"], true);
    assert_eq!(place.json(&["trust", &dir, "--not"])["is_trusted"], false);
    assert!(place.ok(&["diff", &dir]).contains("+# Quiet"));
}

#[test]
fn history_branches_and_remotes_have_commands() {
    let place = Place::new();
    let repository = place.repository("shop");
    let dir = repository.display().to_string();
    let told = place.fails(1, &["no remote", "git remote add"], &["push", &dir]);
    assert!(!told.contains("maestro push"), "{told}");
    let bare = place.path("remote.git").display().to_string();
    let _ = place.git(&repository, &["clone", "-q", "--bare", ".", &bare]);
    let _ = place.git(&repository, &["remote", "add", "origin", &bare]);
    let _ = place.fails(1, &["follows no branch", "maestro push -u"], &["push", &dir]);
    let pushed = place.run(&["push", &dir, "-u"]);
    assert_eq!(pushed.code, Some(0), "{pushed}");
    let list = place.json(&["branch", "list", &dir]);
    assert_eq!(list["branches"][0]["upstream"], "origin/main");
    let _ = place.ok(&["branch", "switch", &dir, "topic", "--create"]);
    fs::write(repository.join("README.md"), "# A project\n\nmore\n").expect("saved");
    let _ = place.git(&repository, &["commit", "-qam", "More words"]);
    let log = place.ok(&["log", &dir]);
    assert!(log.starts_with("* ") && log.contains("(HEAD, topic) More words"), "{log}");
    assert_eq!(
        place.json(&["log", &dir, "-s", "more"])["commits"].as_array().map(Vec::len),
        Some(1)
    );
    let blame = place.json(&["blame", &dir, "README.md", "1-3"]);
    assert_eq!(blame[0]["title"], "Begin");
    assert_eq!((&blame[1]["title"], &blame[1]["count"]), (&json!("More words"), &json!(2)));
    fs::write(repository.join("README.md"), "not committed\n").expect("saved");
    let refused =
        place.fails(1, &["README.md", "commit or discard"], &["branch", "switch", &dir, "main"]);
    assert!(refused.contains("would be lost"), "{refused}");
    assert_eq!(place.read(repository.join("README.md")), "not committed\n");
}

//! Worktrees that are removed and come back, and snapshots of checkouts, from the command line and over the
//! death of a host.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::place::{Place, until, wait};

#[test]
fn a_worktree_is_removed_and_comes_back_as_it_was() {
    let place = Place::new();
    let repository = place.repository("shop");
    let dir = repository.display().to_string();
    let made = place.json(&["worktree", "new", "side", "-r", &dir]);
    let path = made["path"].as_str().expect("a path").to_owned();
    let tree = std::path::Path::new(&path);
    fs::write(tree.join("notes.md"), "not committed\r\n").expect("written");
    fs::write(tree.join("run"), "#!/bin/sh\n").expect("written");
    fs::set_permissions(tree.join("run"), fs::Permissions::from_mode(0o755)).expect("set");
    symlink("notes.md", tree.join("link")).expect("a link");
    fs::write(tree.join("staged"), "staged").expect("written");
    let _ = place.git(tree, &["add", "staged"]);
    let status = place.git(tree, &["status", "--porcelain"]);

    let removed = place.json(&["worktree", "remove", &path]);
    let id = removed["id"].as_str().expect("an id").to_owned();
    assert_eq!((&removed["removed"], &removed["branch"]), (&json!(true), &json!("side")));
    assert!(!tree.exists());
    assert!(
        place.git(&repository, &["branch", "--list", "side"]).contains("side"),
        "the branch stays"
    );
    assert!(place.ok(&["worktree", "trash", "list", &dir]).contains(&id));
    // Nobody tidies it away, and the next host knows of it.
    let _ = place.git(&repository, &["gc", "--quiet", "--prune=now"]);
    place.kill_host();

    let back = place.json(&["worktree", "trash", "restore", &id]);
    assert_eq!(back["path"], json!(path));
    assert_eq!(fs::read(tree.join("notes.md")).expect("there"), b"not committed\r\n");
    assert_eq!(fs::metadata(tree.join("run")).expect("there").permissions().mode() & 0o111, 0o111);
    assert!(fs::symlink_metadata(tree.join("link")).expect("there").is_symlink());
    assert_eq!(place.git(tree, &["status", "--porcelain"]), status);
    assert_eq!(place.git(tree, &["rev-parse", "--abbrev-ref", "HEAD"]), "side");
    // It is ours again: what was removed once can be removed once more, for good if somebody says so.
    assert_eq!(place.json(&["worktree", "trash", "list", &dir]), json!([]));
    let again = place.json(&["worktree", "remove", &path]);
    let id = again["id"].as_str().expect("an id").to_owned();
    let _ = place.fails(2, &["cannot be undone", "--yes"], &["worktree", "trash", "purge", &id]);
    assert_eq!(place.json(&["worktree", "trash", "purge", &id, "--yes"]), json!({ "purged": 1 }));
    let _ = place.fails(1, &["no snapshot"], &["worktree", "trash", "restore", &id]);
    let left = place.git(&repository, &["for-each-ref", "refs/maestro/trash"]);
    assert_eq!(left, "");
}

#[test]
fn what_another_home_keeps_is_not_written_over_until_it_is_nobodys() {
    let place = Place::new();
    let repository = place.repository("shop");
    let dir = repository.display().to_string();
    // Another Maestro counts from one, too; and what one kept that is no more.
    let made = place.git(&repository, &["commit-tree", "HEAD^{tree}", "-m", "Theirs"]);
    let tree = place.git(&repository, &["rev-parse", "HEAD^{tree}"]);
    let long_ago = format!(
        "tree {tree}\nauthor x <x@x> 1000000000 +0000\ncommitter x <x@x> 1000000000 +0000\n\nx\n"
    );
    fs::write(place.path("old"), long_ago).expect("written");
    let named = place.path("old").display().to_string();
    let old = place.git(&repository, &["hash-object", "-t", "commit", "-w", &named]);
    for (name, id) in [("trash/1", &made), ("snapshots/2", &made), ("trash/77", &old)] {
        let _ = place.git(&repository, &["update-ref", &format!("refs/maestro/{name}"), id]);
    }
    let tree = place.ok(&["worktree", "new", "side", "-r", &dir]);
    let removed = place.json(&["worktree", "remove", tree.trim()]);
    // Before and after its teardown, of which nothing is different.
    assert_eq!(removed["id"], json!("s4"), "{removed}");
    let kept = || place.git(&repository, &["for-each-ref", "--format=%(refname)", "refs/maestro"]);
    assert!(kept().contains("refs/maestro/trash/77"), "its turn comes with the next host");
    place.kill_host();
    let _ = place.ok(&["worktree", "trash", "list", &dir]);
    until("what is nobody's goes", || (!kept().contains("trash/77")).then_some(()));
    let left = kept();
    for name in ["trash/1", "snapshots/2", "trash/4"] {
        assert!(left.contains(name), "{name} of {left}");
    }
}

#[test]
fn what_is_in_use_or_not_ours_stays() {
    let place = Place::new();
    let repository = place.repository("shop");
    let dir = repository.display().to_string();
    let _ = place.fails(2, &["main checkout"], &["worktree", "remove", &dir]);
    let foreign = place.path("foreign");
    let named = foreign.display().to_string();
    let _ = place.git(&repository, &["worktree", "add", "-q", "-b", "foreign", &named]);
    let _ = place.fails(2, &["not made by Maestro"], &["worktree", "remove", &named]);
    assert!(foreign.join(".git").exists());

    let _ = place.ok(&["agent", "new", "api", "-p", "demo", "-d", &dir, "-B", "api"]);
    let _ = place.shows("api", "emo");
    let _ = place.fails(
        1,
        &["is in use", "of agent api is open there"],
        &["worktree", "remove", "api"],
    );
    let _ = place.ok(&["agent", "stop", "api"]);
    let directory = place.json(&["agent", "show", "api"])["directory"].clone();
    let tree = std::path::PathBuf::from(directory.as_str().expect("a path"));
    let _ = place.fails(1, &["--agents"], &["worktree", "remove", "api"]);
    let _ =
        place.ok(&["agent", "send", "api", "[[slow 2000]] [[text A long answer, word by word.]]"]);
    let busy = || !place.json(&["agent", "tabs", "api"])[0]["state"]["working"].is_null();
    until("it works", || busy().then_some(()));
    let _ = place.fails(1, &["is at work there"], &["worktree", "remove", "api", "--agents"]);
    let _ = place.ok(&["agent", "interrupt", "api"]);
    until("it is over", || (!busy()).then_some(()));
    fs::create_dir(tree.join("other")).expect("a folder");
    let _ = place.git(&tree.join("other"), &["init", "-q"]);
    let _ = place.fails(
        2,
        &["other", "repository of its own"],
        &["worktree", "remove", "api", "--agents"],
    );
    assert!(tree.join("other/.git").exists());
    fs::remove_dir_all(tree.join("other")).expect("removed");
    let _ = place.git(&repository, &["worktree", "lock", &tree.display().to_string()]);
    let refused = place.fails(1, &["locked"], &["worktree", "remove", "api", "--agents"]);
    assert!(tree.exists(), "{refused}");
    let _ = place.git(&repository, &["worktree", "unlock", &tree.display().to_string()]);
    let said = place.ok(&["worktree", "remove", "api", "--agents"]);
    assert!(said.contains("with agent api") && said.contains("the branch api stays"), "{said}");
    assert!(!tree.exists());
    assert_eq!(place.json(&["agent", "list"]), json!([]));
}

#[test]
fn a_snapshot_brings_files_back_and_can_be_undone() {
    let place = Place::new();
    let repository = place.repository("shop");
    let dir = repository.display().to_string();
    fs::write(repository.join("draft"), "one").expect("written");
    let id = place.ok(&["worktree", "snapshot", &dir, "-m", "Before the big change"]);
    assert_eq!(place.git(&repository, &["stash", "list"]), "");
    fs::write(repository.join("draft"), "two").expect("written");
    fs::write(repository.join("later"), "x").expect("written");
    assert!(place.ok(&["worktree", "snapshots", &dir]).contains("Before the big change"));
    let back = place.json(&["worktree", "restore", &id]);
    assert_eq!((&back["written"], &back["removed"]), (&json!(1), &json!(1)));
    assert_eq!(fs::read_to_string(repository.join("draft")).expect("there"), "one");
    assert!(!repository.join("later").exists());
    let before = back["before"].as_str().expect("an id").to_owned();
    let _ = place.ok(&["worktree", "restore", &before]);
    assert_eq!(fs::read_to_string(repository.join("draft")).expect("there"), "two");
    assert!(repository.join("later").exists());
    let _ = place.fails(1, &["there is no snapshot s99"], &["worktree", "restore", "s99"]);
}

#[test]
fn a_removal_is_told_before_and_ends_what_stands_idle_if_asked_to() {
    let place = Place::new();
    let repository = place.repository("shop");
    let dir = repository.display().to_string();
    let _ = place.ok(&["agent", "new", "api", "-p", "demo", "-d", &dir, "-B", "api"]);
    let _ = place.shows("api", "emo");
    let tree = place.json(&["agent", "show", "api"])["directory"].clone();
    let tree = std::path::PathBuf::from(tree.as_str().expect("a path"));
    let _ = place.ok(&["agent", "bookmark", "api"]);
    let _ = place.ok(&["agent", "group", "api", "--to", "front"]);
    let session = place.json(&["agent", "show", "api"])["session"].clone();
    fs::write(tree.join("README.md"), "changed\n").expect("written");
    fs::write(tree.join("notes"), "new\n").expect("written");
    let look = place.json(&["worktree", "remove", "api", "--look"]);
    assert_eq!((&look["changed"], &look["untracked"]), (&json!(1), &json!(1)), "{look}");
    assert_eq!((&look["agents"], &look["obstacles"]), (&json!(["api"]), &json!([])), "{look}");
    assert_eq!(look["runs"].as_array().map(Vec::len), Some(1), "{look}");
    let said = place.ok(&["worktree", "remove", &dir, "--look"]);
    assert!(said.contains("main checkout"), "{said}");

    // A terminal of nobody's is not ended by it.
    let named = tree.display().to_string();
    let other = place.ok(&["terminal", "new", "-d", &named]);
    let remove = ["worktree", "remove", "api", "--agents", "--stop"];
    let _ = place.fails(1, &["is open there", &other], &remove);
    assert!(place.json(&["agent", "show", "api"])["ai_terminal"].is_string());
    let _ = place.ok(&["terminal", "close", &other]);
    let gone = place.json(&remove);
    assert_eq!((&gone["agents"], tree.exists()), (&json!(["api"]), false), "{gone}");
    let id = gone["id"].as_str().expect("an id").to_owned();
    assert_eq!(place.json(&["agent", "list"]), json!([]));
    let back = place.json(&["worktree", "trash", "restore", &id]);
    assert_eq!(back["agents"], json!(["api"]), "{back}");
    assert_eq!(place.read(tree.join("README.md")), "changed\n");
    assert_eq!(place.read(tree.join("notes")), "new\n");
    // Its agent is there as it was, and can go on.
    let agent = place.json(&["agent", "show", "api"]);
    assert_eq!(
        (&agent["directory"], &agent["bookmarked"]),
        (&json!(tree), &json!(true)),
        "{agent}"
    );
    assert_eq!((&agent["group"], &agent["worktree"]), (&json!("front"), &json!(true)), "{agent}");
    assert_eq!(agent["session"], session, "{agent}");
    let listed = place.ok(&["worktree", "snapshots", &dir]);
    assert!(listed.contains("What came back of api") && !listed.contains("Removed"), "{listed}");
    assert_eq!(place.json(&["worktree", "trash", "list"]), json!([]));
}

#[test]
fn conversations_come_back_with_what_was_not_said_yet() {
    let place = Place::new();
    let repository = place.repository("shop");
    let dir = repository.display().to_string();
    let _ = place.ok(&["agent", "new", "api", "-p", "demo", "-d", &dir, "-B", "api", "--no-start"]);
    let said = place.ok(&["agent", "send", "api", "-w", "[[text The first answer.]]"]);
    assert!(said.contains("The first answer."), "{said}");
    let _ = place.ok(&["queue", "hold", "api"]);
    for words in ["one", "two"] {
        let _ = place.ok(&["agent", "send", "api", &format!("[[text {words}]]")]);
    }
    let tab = place.json(&["agent", "tabs", "api"])[0].clone();
    let gone = place.json(&["worktree", "remove", "api", "--agents", "--stop"]);
    assert_eq!(place.json(&["agent", "list"]), json!([]));
    place.kill_host();

    let id = gone["id"].as_str().expect("an id");
    assert_eq!(place.json(&["worktree", "trash", "restore", id])["agents"], json!(["api"]));
    let tabs = place.json(&["agent", "tabs", "api"]);
    assert_eq!(tabs.as_array().map(Vec::len), Some(1), "{tabs}");
    assert_eq!(tabs[0]["session"], tab["session"], "{tabs}");
    let queue = place.json(&["queue", "list", "api"])[0].clone();
    assert_eq!(queue["held"], json!("by_user"), "nothing is said by itself: {queue}");
    let texts: Vec<_> = queue["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|item| &item["prompt"]["text"])
        .collect();
    assert_eq!(texts, [&json!("[[text one]]"), &json!("[[text two]]")]);
    let _ = place.ok(&["queue", "release", "api"]);
    until("all of it is said", || {
        (place.json(&["queue", "list"]) == json!([])
            && place.json(&["agent", "tabs", "api"])[0]["state"] == json!("idle"))
        .then_some(())
    });
    assert_eq!(place.json(&["agent", "tabs", "api"])[0]["turns"], json!(3));
}

/// Hosts that are killed while a worktree goes into the trash or comes out of it.
const KILLS: u32 = 20;

#[test]
fn hosts_killed_while_a_worktree_goes_and_comes_lose_nothing() {
    let place = Place::new();
    let repository = place.repository("shop");
    let dir = repository.display().to_string();
    for number in 0..300 {
        fs::write(repository.join(format!("file-{number}")), format!("{number}\n"))
            .expect("written");
    }
    let _ = place.git(&repository, &["add", "--all"]);
    let _ = place.git(&repository, &["commit", "--quiet", "-m", "Many"]);
    let made = ["agent", "new", "api", "-p", "demo", "-d", &dir, "-B", "api", "--no-start"];
    let _ = place.ok(&made);
    let shown = || place.json(&["agent", "list"]).to_string();
    let tree = place.json(&["agent", "show", "api"])["directory"].clone();
    let tree = PathBuf::from(tree.as_str().expect("a path"));
    let named = tree.display().to_string();
    for number in 0..100 {
        fs::write(tree.join(format!("file-{number}")), "changed\r\n").expect("written");
        fs::write(tree.join(format!("new-{number}")), number.to_string()).expect("written");
    }
    let status = || place.git(&tree, &["status", "--porcelain", "--branch"]);
    let (files, before) = (content(&tree), status());
    let in_trash = || {
        let all = place.json(&["worktree", "trash", "list", &dir]);
        let ids = all.as_array().expect("a list").iter();
        ids.map(|one| one["id"].as_str().expect("an id").to_owned()).collect::<Vec<_>>()
    };
    let remove = ["worktree", "remove", &named, "--agents"];
    // How long each takes when nobody kills: that is what is cut somewhere.
    let mut spans = Vec::new();
    let start = Instant::now();
    let _ = place.ok(&remove);
    spans.push(start.elapsed());
    let start = Instant::now();
    let _ = place.ok(&["worktree", "trash", "restore", &in_trash()[0]]);
    spans.push(start.elapsed());

    let (mut cut_off, mut gone) = ([0, 0], 0);
    for number in 0..KILLS {
        let trash = in_trash();
        let is_coming = !tree.exists();
        let restore = ["worktree", "trash", "restore", trash.first().map_or("", String::as_str)];
        let order = if is_coming { place.command(restore) } else { place.command(remove) };
        let mut child =
            { order }.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
        // Each time a little later, from before it was heard to after it was done.
        let part = f64::from(number / 2 + 1) / f64::from(KILLS / 2);
        std::thread::sleep(spans[usize::from(is_coming)].mul_f64(part));
        place.kill_host();
        if wait(&mut child, Duration::from_secs(60)) != Some(0) {
            cut_off[usize::from(is_coming)] += 1;
        }
        // The next host ends what that one had begun; what was coming comes when it is asked for again.
        until("one or the other", || {
            let trash = in_trash();
            match (tree.exists(), trash.as_slice()) {
                (true, []) => {
                    assert_eq!((content(&tree), status()), (files.clone(), before.clone()));
                    assert!(shown().contains("\"api\""), "its agent is with it: {}", shown());
                    Some(())
                }
                (false, [_]) => {
                    gone += 1;
                    Some(())
                }
                (true, [id]) if is_coming => {
                    let _ = place.ok(&["worktree", "trash", "restore", id]);
                    None
                }
                (true, _) if !is_coming => None,
                (_, other) => panic!("kept {other:?} times after {number} kills"),
            }
        });
    }
    if !tree.exists() {
        let _ = place.ok(&["worktree", "trash", "restore", &in_trash()[0]]);
    }
    assert_eq!((content(&tree), status()), (files, before));
    let agents = place.json(&["agent", "list"]);
    assert_eq!(agents.as_array().map(Vec::len), Some(1), "no agent came twice: {agents}");
    assert!(cut_off.iter().all(|count| *count > 0), "kills have to have hit: {cut_off:?}, {gone}");
}

/// What lies in a folder, by name.
fn content(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let all = fs::read_dir(folder).expect("a folder").flatten();
    let files = all.filter(|entry| entry.file_name() != ".git");
    files
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, fs::read(entry.path()).expect("readable"))
        })
        .collect()
}

#[test]
fn what_is_still_being_made_or_brought_home_stays() {
    let place = Place::new();
    let repository = place.repository("shop");
    let dir = repository.display().to_string();
    let go = place.path("go");
    let wait = format!("until test -e '{}'; do sleep 0.05; done", go.display());
    fs::create_dir(repository.join(".maestro")).expect("made");
    fs::write(repository.join(".maestro/worktree.toml"), format!("setup = \"{wait}\"\n"))
        .expect("written");
    let _ = place.git(&repository, &["add", "--all"]);
    let _ = place.git(&repository, &["commit", "-qm", "Setup"]);
    let _ = place.ok(&["worktree", "trust", &dir, "--yes"]);
    let made = place.json(&["worktree", "new", "side", "-r", &dir, "--no-wait"]);
    let path = made["path"].as_str().expect("a path").to_owned();
    let look = place.json(&["worktree", "remove", &path, "--look"]);
    assert!(look["obstacles"][0].as_str().is_some_and(|why| why.contains("still being made")));
    let _ = place.fails(1, &["still being made"], &["worktree", "remove", &path]);
    fs::write(&go, "").expect("written");
    let ready = || place.json(&["worktree", "list", &dir])[1]["stage"] == "ready";
    until("it is ready", || ready().then_some(()));

    fs::remove_file(&go).expect("removed");
    fs::write(format!("{path}/more"), "x\n").expect("written");
    let train = ["train", "run", "side", "-r", &dir, "--commit", "--verify", &wait, "--detach"];
    let id = place.ok(&train);
    let words = ["merge train", id.as_str(), "stop that first"];
    let _ = place.fails(1, &words, &["worktree", "remove", &path]);
    assert!(std::path::Path::new(&path).join("more").exists());
    fs::write(&go, "").expect("written");
    let home = || place.json(&["train", "show", &id])["state"]["ended"] == "done";
    until("it is home", || home().then_some(()));
    let _ = place.ok(&["worktree", "remove", &path]);
}

#[test]
fn what_is_not_committed_is_kept_before_a_run() {
    let place = Place::new();
    let repository = place.repository("shop");
    let dir = repository.display().to_string();
    let tasks = place.document("tasks.md", "- [ ] One\n");
    let run = ["run", &tasks, "--provider", "demo", "--dir", &dir, "--yes"];
    let kept = || place.json(&["worktree", "snapshots", &dir]);
    let _ = place.run(&run);
    assert_eq!(kept(), json!([]), "there is nothing that git does not have");
    fs::write(repository.join("draft"), "mine\n").expect("written");
    let tasks = place.document("more.md", "- [ ] Two\n");
    let _ = place.run(&["run", &tasks, "--provider", "demo", "--dir", &dir, "--yes"]);
    let kept = kept();
    assert_eq!(
        (&kept[0]["message"], &kept[0]["by_itself"]),
        (&json!("Before run r2"), &json!(true))
    );
    assert_eq!(place.git(&repository, &["stash", "list"]), "");
    let id = kept[0]["id"].as_str().expect("an id").to_owned();
    fs::remove_file(repository.join("draft")).expect("removed");
    let _ = place.ok(&["worktree", "restore", &id]);
    assert_eq!(place.read(repository.join("draft")), "mine\n");
}

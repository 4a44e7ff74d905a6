//! Worktrees, made and listed, and refused with the reason.

use std::fs;

use serde_json::json;

use crate::place::Place;

#[test]
fn worktrees_are_made_and_listed() {
    let place = Place::new();
    let repository = place.repository("shop");
    let dir = repository.display().to_string();
    let made = place.ok(&["worktree", "new", "feat/a", "-r", &dir]);
    assert!(fs::exists(format!("{made}/README.md")).expect("looked"), "{made}");
    assert!(!made.starts_with(&format!("{dir}/")), "beside the repository, not in it: {made}");
    let list = place.json(&["worktree", "list", &made]);
    assert_eq!((&list[0]["main"], &list[0]["path"]), (&json!(true), &json!(dir)));
    assert_eq!(list[0]["branch"], "main");
    assert_eq!((&list[1]["branch"], &list[1]["path"]), (&json!("feat/a"), &json!(made)));
    assert!(place.ok(&["worktree", "list", &dir]).contains("feat/a"));

    // Where somebody wants it: of a new branch, of one that is there, and of a tag.
    let chosen = place.path("elsewhere").display().to_string();
    assert_eq!(place.ok(&["worktree", "new", "topic", "-r", &dir, "-p", &chosen]), chosen);
    let _ = place.git(&repository, &["branch", "free"]);
    let chosen = place.path("and-there").display().to_string();
    assert_eq!(place.ok(&["worktree", "new", "free", "-e", "-r", &dir, "-p", &chosen]), chosen);
    let _ = place.git(&repository, &["tag", "start"]);
    let _ = place.ok(&["worktree", "new", "from-tag", "-r", &dir, "--from", "start"]);
    assert_eq!(place.json(&["worktree", "list", &dir]).as_array().map(Vec::len), Some(5));
}

#[test]
fn worktrees_that_cannot_be_are_refused_with_the_reason() {
    let place = Place::new();
    let repository = place.repository("shop");
    let dir = repository.display().to_string();
    let made = place.ok(&["worktree", "new", "feat/a", "-r", &dir]);
    let _ = place.git(&repository, &["branch", "free"]);
    let refused = |code: i32, words: &[&str], args: &[&str]| {
        let before = place.git(&repository, &["worktree", "list"]);
        let _ = place.fails(code, words, &[&["worktree", "new"], args].concat());
        assert_eq!(place.git(&repository, &["worktree", "list"]), before);
    };
    refused(1, &["feat/a", "already"], &["feat/a", "-r", &dir]);
    refused(1, &["feat/a", "checked out", &made], &["feat/a", "-e", "-r", &dir]);
    refused(1, &["main", "checked out", &dir], &["main", "-e", "-r", &dir]);
    refused(1, &["no branch `nowhere`"], &["nowhere", "-e", "-r", &dir]);
    refused(1, &["Did you mean", "free"], &["fre", "-e", "-r", &dir]);
    for bad in ["a..b", "sp ace", "end.lock", "HEAD", "@{x}", "/a", ""] {
        refused(2, &["cannot be a branch's name"], &["-r", &dir, "--", bad]);
    }
    refused(2, &["`feat` cannot exist beside the branch `feat/a`"], &["feat", "-r", &dir]);
    refused(1, &["nonesuch"], &["x", "-r", &dir, "--from", "nonesuch"]);
    let full = place.path("full");
    fs::create_dir(&full).expect("made");
    fs::write(full.join("precious"), "kept").expect("written");
    let full_path = full.display().to_string();
    refused(
        1,
        &["not an empty folder", "nothing there was changed"],
        &["x", "-r", &dir, "-p", &full_path],
    );
    assert_eq!(fs::read_to_string(full.join("precious")).expect("there"), "kept");

    // Whether what was asked for is wrong in itself or only here is not always clear.
    let refuses = |words: &[&str], args: &[&str]| {
        let ended = place.run(args);
        assert!(matches!(ended.code, Some(1 | 2)), "{ended}");
        let _ = ended.fails(ended.code.unwrap_or_default(), words);
    };
    let plain = place.path("plain");
    fs::create_dir(&plain).expect("made");
    let plain = plain.display().to_string();
    refuses(&["not in a git repository"], &["worktree", "new", "x", "-r", &plain]);
    refuses(&["not in a git repository"], &["worktree", "list", &plain]);
    let empty = place.path("empty");
    fs::create_dir(&empty).expect("made");
    let _ = place.git(&empty, &["init", "-q"]);
    let empty = empty.display().to_string();
    refuses(&["no commits yet"], &["worktree", "new", "x", "-r", &empty]);
    refuses(&["cannot be opened"], &["worktree", "new", "x", "-r", "/nonesuch/at/all"]);
    // The same on the way to an agent, which is not there then either.
    let new = ["agent", "new", "-p", "demo", "--no-start"];
    refuses(&["not in a git repository"], &[&new[..], &["-d", &plain, "-B", "x"]].concat());
    refuses(&["no commits yet"], &[&new[..], &["-d", &empty, "-B", "x"]].concat());
    refuses(&["main", &dir], &[&new[..], &["-d", &dir, "-b", "main"]].concat());
    refuses(&["feat/a"], &[&new[..], &["-d", &dir, "-B", "feat/a"]].concat());
    refuses(&["a..b"], &[&new[..], &["-d", &dir, "-B", "a..b"]].concat());
    refuses(&["nowhere"], &[&new[..], &["-d", &dir, "-b", "nowhere"]].concat());
    assert_eq!(place.json(&["agent", "list"]), json!([]));
}

#[test]
fn worktrees_that_collide_are_named_before_they_are_merged() {
    let place = Place::new();
    let shop = place.repository("shop");
    let dir = shop.display().to_string();
    let make = |branch: &str| {
        let made = place.json(&["worktree", "new", branch, "--repository", &dir]);
        std::path::PathBuf::from(made["path"].as_str().expect("a path"))
    };
    let (red, blue, green) = (make("red"), make("blue"), make("green"));
    let matrix = place.json(&["conflicts", "--repository", &dir]);
    assert_eq!(matrix["sides"].as_array().map(Vec::len), Some(4), "{matrix}");
    assert!(place.ok(&["conflicts", "--repository", &dir]).contains("nothing collides"));
    // Saved, not committed.
    for (path, file, text) in [
        (&red, "paint.txt", "red\n"),
        (&blue, "paint.txt", "blue\n"),
        (&green, "leaf.txt", "green\n"),
    ] {
        std::fs::write(path.join(file), text).expect("saved");
    }
    let told = place.ok(&["conflicts", "--repository", &dir]);
    let row = told.lines().find(|line| line.contains("conflict")).expect("a row");
    assert!(row.contains("red *") && row.contains("blue *") && row.contains("paint.txt"), "{told}");
    assert!(!told.contains("green"), "{told}");
    let all = place.ok(&["conflicts", "--all", "--repository", &dir]);
    assert!(all.contains("green *") && all.contains("apart"), "{all}");
    let places = place.json(&["conflicts", "red", "blue", "--repository", &dir]);
    assert_eq!(places[0]["path"], "paint.txt");
    assert_eq!(places[0]["hunks"][0]["ours"], "red\n");
    assert_eq!(places[0]["hunks"][0]["theirs"], "blue\n");
    assert!(
        place.ok(&["conflicts", "red", "green", "--repository", &dir]).contains("fit together")
    );
    assert_eq!(place.run(&["conflicts", "--exit-code", "--repository", &dir]).code, Some(1));
    let _ = place.fails(1, &["nobody"], &["conflicts", "red", "--target", "nobody", "-r", &dir]);
    let _ = place.fails(1, &["pink"], &["conflicts", "pink", "blue", "--repository", &dir]);
}

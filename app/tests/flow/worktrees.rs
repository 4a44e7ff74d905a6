//! Worktrees, made and listed, and refused with the reason.

use std::fs;

use serde_json::json;

use crate::place::{Place, until};

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

#[test]
fn files_come_behind_a_worktree_also_after_the_host_was_killed() {
    let place = Place::new();
    let shop = place.repository("shop");
    let dir = shop.display().to_string();
    // Files that take their time to be written.
    let slow = place.path("slow");
    let filter = format!("while [ -e {} ]; do sleep 0.05; done; cat", slow.display());
    let _ = place.git(&shop, &["config", "filter.slow.smudge", &filter]);
    std::fs::write(shop.join(".git/info/attributes"), "README.md filter=slow\n").expect("written");
    std::fs::write(&slow, "").expect("slow from now on");

    let made = place.json(&["worktree", "new", "feat/a", "-r", &dir, "--no-wait"]);
    let path = std::path::PathBuf::from(made["path"].as_str().expect("a path"));
    assert!(path.join(".git").exists() && !path.join("README.md").exists(), "{made}");
    assert!(made["stage"]["filling"].is_object(), "{made}");
    let shown = place.json(&["worktree", "list", &dir]);
    assert!(shown[1]["stage"]["filling"].is_object(), "{shown}");
    assert_eq!((&shown[0]["origin"], &shown[1]["origin"]), (&json!("main"), &json!("made")));

    place.kill_host();
    let again = place.json(&["worktree", "list", &dir]);
    assert_ne!(again[1]["stage"], "ready", "{again}");
    std::fs::remove_file(&slow).expect("quick from now on");
    let path = path.display().to_string();
    until("its files are there", || {
        (place.json(&["worktree", "list", &dir])[1]["stage"] == json!("ready")).then_some(())
    });
    assert_eq!(place.git(std::path::Path::new(&path), &["status", "--porcelain"]), "");

    // One that is stopped goes away, one in which somebody has written does not.
    std::fs::write(&slow, "").expect("slow again");
    for (branch, written) in [("feat/b", false), ("feat/c", true)] {
        let made = place.json(&["worktree", "new", branch, "-r", &dir, "--no-wait"]);
        let path = made["path"].as_str().expect("a path");
        if written {
            std::fs::write(format!("{path}/mine"), "mine").expect("written");
        }
        let told = place.ok(&["worktree", "stop", path]);
        assert_eq!(std::path::Path::new(path).exists(), written, "{told}");
        if written {
            std::fs::remove_file(&slow).expect("quick");
            let filled = place.json(&["worktree", "fill", path]);
            assert_eq!(filled["stage"], "ready", "{filled}");
            let status = place.git(std::path::Path::new(path), &["status", "--porcelain"]);
            assert_eq!(status.trim(), "?? mine");
        }
    }
}

#[test]
fn a_race_is_begun_with_one_line() {
    let place = Place::new();
    let shop = place.repository("shop");
    let dir = shop.display().to_string();
    let line = ["worktree", "new", "-r", &dir, "-a", "demo", "--race", "3", "--task"];
    let made = place.json(&[&line[..], &["Paint the door red"]].concat());
    let branches: Vec<&str> =
        made.as_array().expect("several").iter().filter_map(|one| one["branch"].as_str()).collect();
    assert_eq!(branches, ["paint-the-door-red-1", "paint-the-door-red-2", "paint-the-door-red-3"]);
    let agents: Vec<String> = (made.as_array().expect("several").iter())
        .filter_map(|one| Some(one["agent"]["id"].as_str()?.to_owned()))
        .collect();
    assert_eq!(agents.len(), 3, "{made}");
    let race = place.json(&["race", "show", "paint-the-door-red", "-r", &dir]);
    assert_eq!(race["runners"].as_array().map(Vec::len), Some(3), "{race}");
    for agent in &agents {
        until("the task was told", || {
            let shown = place.ok(&["agent", "tabs", agent, "--json"]);
            shown.contains("Paint the door red").then_some(())
        });
    }
    // All or nothing.
    let taken = [&line[..], &["x", "paint-the-door-red"]].concat();
    let _ = place.fails(1, &["paint-the-door-red-1", "already"], &taken);
    let _ = place.fails(
        2,
        &["cannot be told"],
        &["worktree", "new", "x", "-r", &dir, "-a", "shell", "--task", "y"],
    );
}

#[test]
fn worktrees_of_others_are_adopted_and_merged_ones_can_go() {
    let place = Place::new();
    let shop = place.repository("shop");
    let dir = shop.display().to_string();
    let foreign = place.path("foreign").display().to_string();
    let _ = place.git(&shop, &["worktree", "add", "-q", &foreign, "-b", "theirs"]);
    let origin = || {
        let list = place.json(&["worktree", "list", &dir]);
        let entry = (list.as_array().expect("a list").iter())
            .find(|entry| entry["branch"] == "theirs")
            .cloned();
        entry.expect("it is listed")["origin"].clone()
    };
    assert_eq!(origin(), "foreign");
    let _ = place.ok(&["worktree", "ignore", &foreign]);
    assert_eq!(origin(), "ignored");
    let adopted = place.json(&["worktree", "adopt", &foreign]);
    assert_eq!((adopted["origin"].clone(), origin()), (json!("adopted"), json!("adopted")));
    let _ = place.ok(&["worktree", "adopt", &foreign, "--undo"]);
    assert_eq!(origin(), "foreign");

    let done = place.ok(&["worktree", "new", "done", "-r", &dir]);
    let open = place.ok(&["worktree", "new", "open", "-r", &dir]);
    let fresh = place.ok(&["worktree", "new", "fresh", "-r", &dir]);
    let squashed = place.ok(&["worktree", "new", "squashed", "-r", &dir]);
    for path in [&done, &open, &squashed] {
        let path = std::path::Path::new(path);
        let name = path.file_name().expect("a name");
        std::fs::write(path.join(name), path.display().to_string()).expect("written");
        let _ = place.git(path, &["add", "--all"]);
        let _ = place.git(path, &["commit", "-q", "-m", "work"]);
    }
    let _ = place.git(&shop, &["merge", "-q", "done"]);
    let _ = place.git(&shop, &["merge", "-q", "--squash", "squashed"]);
    let _ = place.git(&shop, &["commit", "-q", "-m", "As one"]);
    let judged = place.json(&["worktree", "prune", &dir]);
    let stays = |path: &str| {
        let all = judged.as_array().expect("a list").iter();
        let one = all.clone().find(|one| one["path"] == json!(path));
        one.unwrap_or_else(|| panic!("{path}: {judged}"))["stays"].clone()
    };
    for gone in [&done, &squashed] {
        assert_eq!(stays(gone), json!(null), "{judged}");
    }
    assert_eq!(stays(&open), "main lacks one of its commits");
    assert_eq!(stays(&fresh), "nothing was done in it yet");
    assert_eq!(stays(&foreign), "somebody else made it");
    assert!(place.ok(&["worktree", "prune", &dir]).contains("can go"));
    let usage = place.json(&["worktree", "du", &dir]);
    assert_eq!(usage.as_array().map(Vec::len), Some(6), "{usage}");
    assert!(usage[1]["bytes"].as_u64().is_some_and(|bytes| bytes > 0), "{usage}");

    // Moved by git, it is still ours, and its agent goes with it; moved by hand, it can be mended.
    let agent = place.json(&["worktree", "open", &open]);
    let moved = place.path("moved").display().to_string();
    let _ = place.git(&shop, &["worktree", "move", &open, &moved]);
    let list = place.json(&["worktree", "list", &dir]);
    let at = |list: &serde_json::Value, path: &str| {
        let all = list.as_array().cloned().expect("a list");
        all.into_iter().find(|entry| entry["path"] == json!(path))
    };
    assert_eq!(at(&list, &moved).expect("listed")["origin"], "made", "{list}");
    let id = agent["id"].as_str().expect("an id");
    until("the agent follows", || {
        (place.json(&["agent", "show", id])["directory"] == json!(moved)).then_some(())
    });
    let carried = place.path("carried").display().to_string();
    std::fs::rename(&moved, &carried).expect("moved by hand");
    let list = place.json(&["worktree", "list", &dir]);
    let lost = at(&list, &moved).expect("still listed");
    assert_eq!((&lost["missing"], lost["prunable"].is_string()), (&json!(true), true), "{list}");
    let list = place.json(&["worktree", "repair", "-r", &dir, &carried]);
    assert_eq!(at(&list, &carried).expect("mended")["origin"], "made", "{list}");
    let bases = place.json(&["worktree", "bases", "-r", &dir]);
    assert_eq!((&bases[0]["name"], &bases[0]["current"]), (&json!("main"), &json!(true)));
    let some = place.json(&["worktree", "bases", "frs", "-r", &dir]);
    assert_eq!(some.as_array().map(Vec::len), Some(1), "{some}");
}

#[test]
fn a_worktree_is_prepared_as_its_repository_says_once_that_was_agreed_to() {
    let place = Place::new();
    let shop = place.repository("shop");
    let dir = shop.display().to_string();
    std::fs::write(shop.join(".gitignore"), ".env\n").expect("written");
    std::fs::write(shop.join(".worktreeinclude"), ".env\n").expect("written");
    std::fs::create_dir(shop.join(".maestro")).expect("made");
    let recipe = "setup = \"cat .env > made; echo $MAESTRO_PORT $MAESTRO_BRANCH $NAME >> made\"\n\
                  [env]\nNAME = \"shop\"\n";
    std::fs::write(shop.join(".maestro/worktree.toml"), recipe).expect("written");
    let _ = place.git(&shop, &["add", "--all"]);
    let _ = place.git(&shop, &["commit", "-q", "-m", "recipe"]);
    std::fs::write(shop.join(".env"), "secret\n").expect("written");

    // Nothing of it runs before somebody agreed to it; what is no command is done all the same.
    let words = ["not run", "maestro worktree trust"];
    let _ = place.fails(1, &words, &["worktree", "new", "one", "-r", &dir]);
    let one = place.json(&["worktree", "list", &dir])[1].clone();
    let path = std::path::PathBuf::from(one["path"].as_str().expect("a path"));
    assert!(one["stage"]["failed"].is_string() && !path.join("made").exists(), "{one}");
    assert_eq!(place.read(path.join(".env")), "secret\n");
    let shown = place.ok(&["worktree", "trust", &dir]);
    assert!(shown.contains("cat .env") && shown.contains("NAME=shop"), "{shown}");
    assert_eq!(place.json(&["worktree", "trust", &dir, "--yes"])["is_trusted"], true);
    let filled = place.json(&["worktree", "fill", path.to_str().expect("text")]);
    assert_eq!(filled["stage"], "ready", "{filled}");
    let port = |entry: &serde_json::Value| entry["ports"][0].as_u64().expect("a port");
    assert_eq!(place.read(path.join("made")), format!("secret\n{} one shop\n", port(&filled)));

    // The next has other ports, and its agent's terminal knows them.
    let line = ["worktree", "new", "two", "-r", &dir, "-a", "shell"];
    let two = place.json(&line);
    assert_eq!(two["stage"], "ready", "{two}");
    assert_ne!(port(&two), port(&filled));
    let terminal = two["agent"]["ai_terminal"].as_str().expect("a terminal").to_owned();
    let text = "echo at-$MAESTRO_PORT-$NAME";
    let _ = place.ok(&["terminal", "send", &terminal, text, "--enter"]);
    let _ = place.shows(&terminal, &format!("at-{}-shop", port(&two)));

    // A setup that fails is shown, and another text is another agreement.
    let recipe = "setup = \"echo it broke; exit 3\"\n";
    std::fs::write(shop.join(".maestro/worktree.toml"), recipe).expect("written");
    let _ = place.git(&shop, &["commit", "-q", "-a", "-m", "another"]);
    let _ = place.fails(1, &["not run"], &["worktree", "new", "three", "-r", &dir]);
    let _ = place.ok(&["worktree", "trust", &dir, "--yes"]);
    let told = place.fails(1, &["ended with 3"], &["worktree", "new", "four", "-r", &dir]);
    let terminal = told
        .split_whitespace()
        .find(|word| word.strip_prefix('t').is_some_and(|rest| rest.parse::<u64>().is_ok()));
    let _ = place.shows(terminal.expect("a terminal is named"), "it broke");
}

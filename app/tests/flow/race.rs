//! Races: how the branches of one task stand, and taking the best of them.

use std::fs;

use crate::place::Place;

/// Three worktrees of one race, each with its own change.
fn race(place: &Place) -> (std::path::PathBuf, String, Vec<String>) {
    let repository = place.repository("shop");
    let dir = repository.display().to_string();
    let text: String = (1..=30).map(|n| format!("{n}\n")).collect();
    fs::write(repository.join("list"), &text).expect("saved");
    let _ = place.git(&repository, &["add", "--all"]);
    let _ = place.git(&repository, &["commit", "-qm", "List"]);
    let made: Vec<String> = (1..=3)
        .map(|n| {
            let made = place.ok(&["worktree", "new", &format!("fix-{n}"), "-r", &dir]);
            let text = text.replace(&format!("{n}\n{}\n", n + 1), &format!("{n}\nrunner {n}\n"));
            let text = text.replace("25\n", &format!("late {n}\n"));
            fs::write(format!("{made}/list"), text).expect("saved");
            fs::write(format!("{made}/only-{n}"), "x\n").expect("saved");
            made
        })
        .collect();
    (repository, dir, made)
}

#[test]
fn one_is_taken_whole_through_a_train() {
    let place = Place::new();
    let (repository, dir, made) = race(&place);
    let shown = place.json(&["race", "show", "fix", "-r", &dir]);
    assert_eq!(shown["runners"].as_array().map(Vec::len), Some(3), "{shown:#}");
    let refused = place.run(&["race", "take", "fix", "2", "-r", &dir]);
    assert_ne!(refused.code, Some(0), "it is not committed: {refused}");
    let take = ["race", "take", "fix", "2", "-r", &dir, "--commit", "--verify", "test -e only-2"];
    let text = place.ok(&take);
    assert!(text.contains("fix-2"), "{text}");
    assert_eq!(place.read(repository.join("list")), place.read(format!("{}/list", made[1])));
    assert!(!repository.join("only-1").exists());
    assert_eq!(place.git(&repository, &["status", "--porcelain"]), "");
}

#[test]
fn losers_go_to_the_trash_and_come_back() {
    let place = Place::new();
    let (_, dir, made) = race(&place);
    let _ = place.ok(&["agent", "new", "idle", "-p", "demo", "-d", &made[0]]);
    let _ = place.shows("idle", "emo");
    let take = ["race", "take", "fix", "2", "-r", &dir, "--commit", "--trash-others"];
    let said = place.ok(&take);
    assert!(said.contains("with agent idle"), "{said}");
    assert!(!std::path::Path::new(&made[0]).exists() && !std::path::Path::new(&made[2]).exists());
    assert!(std::path::Path::new(&made[1]).exists(), "the winner stays");
    // What was committed for the train was kept before.
    let kept = place.ok(&["worktree", "snapshots", &dir]);
    assert!(kept.contains("Before merge train m1"), "{kept}");
    let trash = place.json(&["worktree", "trash", "list", &dir]);
    assert_eq!(trash.as_array().map(Vec::len), Some(2), "{trash}");
    let id = trash[0]["id"].as_str().expect("an id").to_owned();
    let back = place.json(&["worktree", "trash", "restore", &id]);
    assert_eq!(back["path"], serde_json::json!(made[2]));
    assert_eq!(place.read(format!("{}/only-3", made[2])), "x\n");
}

#[test]
fn files_and_hunks_of_several_are_taken_and_given_back() {
    let place = Place::new();
    let (repository, dir, _) = race(&place);
    let before = place.read(repository.join("list"));
    let take = |pieces: &[&str]| {
        let pieces = pieces.iter().flat_map(|piece| ["--from", piece]);
        let all: Vec<&str> =
            ["race", "take", "fix", "-r", &dir].into_iter().chain(pieces).collect();
        place.run(&all)
    };
    let both = take(&["2:only-2", "1:list:2", "3:list:2"]);
    assert!(both.code == Some(2) && both.stderr.contains("same places"), "{both}");
    assert_eq!(place.git(&repository, &["status", "--porcelain"]), "");
    let taken = take(&["2:only-2", "1:list:1", "3:list:2"]);
    assert_eq!(taken.code, Some(0), "{taken}");
    let now = place.read(repository.join("list"));
    assert!(now.contains("runner 1") && now.contains("late 3") && !now.contains("late 1"), "{now}");
    assert_eq!(place.git(&repository, &["status", "--porcelain"]), " M list\n?? only-2");
    let _ = place.ok(&["diff", &dir, "--undo"]);
    assert_eq!(place.read(repository.join("list")), before);
    assert_eq!(place.git(&repository, &["status", "--porcelain"]), "");
    let _ = place.fails(1, &["no fix-7"], &["race", "take", "fix", "-r", &dir, "--from", "7:list"]);
}

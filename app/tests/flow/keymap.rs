//! Every command of the window, and chords of one's own.

use std::fs;

use serde_json::{Value, json};

use crate::place::Place;

fn named<'a>(all: &'a Value, name: &str) -> &'a Value {
    let all = all.as_array().expect("a list");
    all.iter().find(|command| command["name"] == name).expect(name)
}

#[test]
fn commands_are_listed_with_their_chords() {
    let place = Place::new();
    let all = place.json(&["commands"]);
    let new = named(&all, "agent.new");
    assert_eq!(new["chords"], json!(["Mod+N"]));
    assert_eq!(named(&all, "agent.stop")["needs"], "an agent");
    assert!(all.as_array().is_some_and(|all| all.len() > 200));
    let found = place.ok(&["commands", "new", "agent"]);
    assert!(found.contains("agent.new") && !found.contains("tab.close"), "{found}");
    assert!(!place.home().root().exists(), "asking leaves nothing behind");
}

#[test]
fn a_chord_is_given_taken_and_given_back() {
    let place = Place::new();
    assert_eq!(place.ok(&["keymap", "set", "agent.stop", "F13"]), "agent.stop: F13");
    // What somebody has is not taken by the way.
    let _ = place.fails(
        1,
        &["Ctrl+N", "agent.new", "--take"],
        &["keymap", "set", "agent.stop", "Mod+N"],
    );
    let taken = place.ok(&["keymap", "set", "agent.stop", "Mod+N", "--take"]);
    assert_eq!(taken, "agent.stop: Ctrl+N\nagent.new: no chord");
    assert!(place.ok(&["keymap", "list", "--changed"]).contains("agent.stop"));
    let exported = place.ok(&["keymap", "export"]);
    assert!(exported.contains("agent.stop = \"Mod+N\""), "{exported}");
    assert!(exported.contains("agent.new = []"), "{exported}");

    let file = place.path("mine.toml");
    fs::write(&file, &exported).expect("written");
    let _ = place.ok(&["keymap", "reset", "--all"]);
    assert_eq!(named(&place.json(&["commands"]), "agent.new")["own"], false);
    let _ = place.ok(&["keymap", "import", &file.display().to_string()]);
    assert_eq!(named(&place.json(&["commands"]), "agent.stop")["chords"], json!(["Mod+N"]));
    assert_eq!(place.ok(&["keymap", "reset", "agent.stop"]), "agent.stop: no chord");
    assert_eq!(place.ok(&["keymap", "check"]), "All is well.");
}

#[test]
fn a_wrong_keymap_is_told_with_its_line_and_stays() {
    let place = Place::new();
    let _ = place.ok(&["keymap", "set", "agent.stop", "F13"]);
    let path = place.json(&["keymap", "path"]).as_str().expect("a path").to_owned();
    let text = "# mine\nagent.stop = \"Mod+Oops\"\n";
    fs::write(&path, text).expect("written");
    let _ = place.fails(1, &[":2:", "Oops"], &["keymap", "check"]);
    let _ = place.fails(1, &[":2:"], &["keymap", "set", "agent.new", "F14"]);
    assert_eq!(fs::read_to_string(&path).expect("there"), text);
    let _ = place.fails(2, &["agent.nwe"], &["keymap", "set", "agent.nwe", "F14"]);
    let _ = place.fails(2, &["Oops"], &["keymap", "set", "agent.new", "Oops"]);
    fs::write(&path, "").expect("written");
    let _ = place.fails(1, &["writes something"], &["keymap", "set", "agent.new", "x"]);
    let _ = place.fails(1, &["no keymap"], &["keymap", "import", "/dev/zero"]);
}

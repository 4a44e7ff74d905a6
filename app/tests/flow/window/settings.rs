//! The settings page in the real window: found, set, refused and taken back by keys; saved elsewhere.

use std::fs;

use super::*;

#[test]
fn settings_are_found_set_and_taken_back_by_keys() {
    let mut place = Place::new();
    let Some(display) = Display::new(&place) else { return };
    place.set("XDG_RUNTIME_DIR", place.user());
    let directory = place.repository("shop");
    let dir = directory.display().to_string();
    let _ = place.ok(&["agent", "new", "api", "-p", "demo", "-d", &dir, "--no-start"]);
    let window = Window::open(&place, &display, &directory);
    let _ = display.settled();
    let get = |key: &str| place.json(&["settings", "get", key])["value"].clone();

    window.key_changes("ctrl+comma", 0.05);
    display.types("enter sends");
    let _ = display.settled();
    display.key("Return");
    until("a switch is set", || (get("composer.enter_sends") == false).then_some(()));

    // A number is written; a wrong one is refused and stays in its field.
    display.key("Escape");
    display.types("scrollback");
    let _ = display.settled();
    for key in ["Return", "ctrl+a"] {
        display.key(key);
    }
    display.types("many");
    display.key("Return");
    let _ = display.settled();
    assert_eq!(get("terminal.scrollback"), 10_000);
    display.key("ctrl+a");
    display.types("5000");
    display.key("Return");
    until("a number is set", || (get("terminal.scrollback") == 5000).then_some(()));
    let file = place.ok(&["settings", "path"]);
    let text = fs::read_to_string(file.trim()).expect("the file");
    assert!(
        text.contains("# scrollback = 10000\nscrollback = 5000\n"),
        "beside its comment: {text}"
    );
    display.key("alt+Right");
    until("a step more", || (get("terminal.scrollback") == 6000).then_some(()));
    display.key("alt+BackSpace");
    until("the default again", || (get("terminal.scrollback") == 10_000).then_some(()));

    // What is saved elsewhere is shown here.
    let before = display.settled();
    let _ = place.ok(&["settings", "set", "terminal.scrollback", "77"]);
    until("it is shown", || (different(&before, &display.picture()) > 0.0001).then_some(()));
    // Words, page: two steps back.
    for key in ["Escape", "Escape"] {
        display.key(key);
    }
    let _ = display.settled();
    assert_eq!(get("composer.enter_sends"), false);
}

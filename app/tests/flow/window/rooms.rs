//! Layouts, a workspace and a broadcast in the real window, with three shells.

use super::*;

/// The columns and rows of an agent's terminal.
fn size(place: &Place, agent: &str) -> (u64, u64) {
    let agent = place.json(&["agent", "show", agent]);
    let terminals = place.json(&["terminal", "list"]);
    let mut terminals = terminals.as_array().expect("a list").iter();
    let terminal = terminals.find(|terminal| terminal["id"] == agent["ai_terminal"]);
    let size = &terminal.expect("a terminal")["size"];
    (size["cols"].as_u64().expect("columns"), size["rows"].as_u64().expect("rows"))
}

/// The sizes of all three, once they are as they should be.
fn sizes(place: &Place, what: &str, is_it: impl Fn(&[(u64, u64); 3]) -> bool) -> [(u64, u64); 3] {
    until(what, || {
        let sizes = ["one", "two", "three"].map(|agent| size(place, agent));
        is_it(&sizes).then_some(sizes)
    })
}

#[test]
fn panes_are_arranged_kept_and_spoken_to_by_keys() {
    let mut place = Place::new();
    let Some(display) = Display::new(&place) else { return };
    place.set("XDG_RUNTIME_DIR", place.user());
    place.set("SHELL", "/bin/bash");
    fs::write(place.user().join(".bashrc"), "unset HISTFILE\nPS1='ready> '\n").expect("written");
    let repository = place.repository("shop");
    let dir = repository.display().to_string();
    for agent in ["one", "two", "three"] {
        let _ = place.ok(&["agent", "new", agent, "-p", "shell", "-d", &dir]);
        let _ = place.shows(agent, "ready>");
    }
    let window = Window::open(&place, &display, &repository);
    let _ = display.settled();
    let keys = |keys: &[&str]| {
        for key in keys {
            display.key(key);
        }
        let _ = display.settled();
    };
    keys(&["ctrl+alt+1"]);

    // Side by side, on top of each other, and one edge moved.
    keys(&["ctrl+alt+w", "c"]);
    let beside = sizes(&place, "columns", |[one, two, three]| {
        one.1 == two.1 && two.1 == three.1 && one.0.abs_diff(three.0) <= 1 && one.1 > 30
    });
    keys(&["ctrl+alt+w", "r"]);
    let _ = sizes(&place, "rows", |sizes| sizes.iter().all(|(cols, _)| *cols > 2 * beside[0].0));
    keys(&["ctrl+alt+w", "c"]);
    keys(&["ctrl+alt+shift+l", "ctrl+alt+shift+l"]);
    let resized = sizes(&place, "an edge moved", |[one, two, three]| {
        one.0 > beside[0].0 + 5 && two.0 + 5 < beside[1].0 && *three == beside[2]
    });

    // It is kept under a name, and comes back by key and after a restart.
    keys(&["ctrl+alt+w", "w"]);
    display.types("Night");
    keys(&["Return"]);
    keys(&["ctrl+alt+w", "r"]);
    let _ = sizes(&place, "rows again", |[one, ..]| one.0 > 2 * beside[0].0);
    keys(&["ctrl+alt+w", "1"]);
    let _ = sizes(&place, "the workspace", |sizes| *sizes == resized);
    let _ = display.settled();
    let before = display.inside();
    let _ = place.ok(&["do", "window.quit"]);
    assert_eq!(window.ends(), Some(0));
    let window = Window::open(&place, &display, &repository);
    let _ = sizes(&place, "the same after a restart", |sizes| *sizes == resized);
    until("it looks as before", || (different(&before, &display.inside()) < 0.002).then_some(()));

    // Two of three hear what is typed, until Escape.
    keys(&["ctrl+alt+1", "ctrl+alt+w", "b", "ctrl+alt+2", "ctrl+alt+w", "b"]);
    display.types("echo both-$((40+2))");
    keys(&["Return"]);
    let _ = place.shows("one", "both-42");
    let _ = place.shows("two", "both-42");
    keys(&["Escape"]);
    display.types("echo alone-$((40+3))");
    keys(&["Return"]);
    let _ = place.shows("two", "alone-43");
    let shown = |agent: &str| place.ok(&["terminal", "show", agent]);
    assert!(!shown("one").contains("alone"), "the broadcast is over");
    assert!(!shown("three").contains("both"), "it was not chosen");

    // A broadcast that is on does not outlive the window.
    keys(&["ctrl+alt+w", "shift+b"]);
    window.kill();
    let _window = Window::open(&place, &display, &repository);
    let _ = display.settled();
    keys(&["ctrl+alt+1"]);
    display.types("echo after-$((40+4))");
    keys(&["Return"]);
    let _ = place.shows("one", "after-44");
    assert!(!shown("two").contains("after") && !shown("three").contains("after"));
}

//! `maestro do`: the real window runs commands that are given on the command line.

use super::*;

#[test]
fn the_open_window_does_what_the_command_line_says() {
    let mut place = Place::new();
    let Some(display) = Display::new(&place) else { return };
    place.set("XDG_RUNTIME_DIR", place.user());
    let directory = place.repository("shop");
    let dir = directory.display().to_string();
    // Without a host there is no window; nobody starts one to find that out.
    let _ = place.fails(3, &["host"], &["do", "palette"]);
    for name in ["api", "web"] {
        let _ = place.ok(&["agent", "new", name, "-p", "demo", "-d", &dir, "--no-start"]);
    }
    let _ = place.fails(1, &["no window is open"], &["do", "palette"]);
    let _ = place.fails(2, &["no command `palete`", "palette"], &["do", "palete"]);
    let _window = Window::open(&place, &display, &directory);
    let _ = display.settled();
    let reason = |name: &str| {
        let all = place.json(&["do", "--list"]);
        let all = all.as_array().expect("a list");
        let one = all.iter().find(|one| one["name"] == name).expect("the command");
        one["reason"].clone()
    };
    assert_eq!(reason("agent.new"), Value::Null);
    assert_eq!(reason("tab.close"), "no conversation is shown");

    // The palette of files knows what the host found, and takes keys.
    let before = display.settled();
    let _ = place.ok(&["do", "palette.files"]);
    let opened = display.settled();
    assert!(different(&before, &opened) > 0.01, "the palette is seen");
    assert_eq!(reason("palette.row-1"), Value::Null);
    display.types("readme");
    display.key("Return");
    until("a file is shown", || (reason("files.find") == Value::Null).then_some(()));
    let _ = place.ok(&["do", "review.leave"]);

    // With an argument nothing is asked.
    let _ = place.ok(&["do", "palette.settings", "terminal.scrollback"]);
    let _ = place.fails(1, &["something lies over the window"], &["do", "agent.new"]);
    let _ = place.ok(&["do", "settings.more"]);
    let scrollback = || place.json(&["settings", "get", "terminal.scrollback"])["value"].clone();
    until("the setting is another", || (scrollback() != 10_000).then_some(()));
    for _ in 0..2 {
        let _ = place.ok(&["do", "overlay.cancel"]);
    }
    let _ = place.fails(1, &["no agent `nobody`"], &["do", "agent.stop", "nobody"]);
    let _ = place.fails(2, &["without anything"], &["do", "window.quit", "now"]);
    let _ = place.fails(1, &["it is for the list of agents"], &["do", "list.up"]);
    let _ = place.ok(&["do", "view.focus-agents"]);
    let _ = place.ok(&["do", "list.up"]);
    let _ = place.ok(&["do", "window.quit"]);
    until("the window is gone", || {
        (place.run(&["do", "palette"]).stderr.contains("no window is open")).then_some(())
    });
}

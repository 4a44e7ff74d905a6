//! The window is summoned by a chord, wherever the keyboard is.

use super::terminal::prepared;
use super::*;

/// Whether a window of ours can be seen.
fn is_shown(display: &Display) -> bool {
    !display.xdotool(&["search", "--onlyvisible", "--class", "maestro"]).is_empty()
}

#[test]
fn a_chord_hides_and_summons_the_window_with_its_keyboard() {
    let Some((place, display)) = prepared() else { return };
    let repository = place.repository("shop");
    let dir = repository.display().to_string();
    let _ = place.ok(&["settings", "set", "summon.hotkey", "Ctrl+Alt+Space"]);
    let _ = place.fails(2, &["chord"], &["settings", "set", "summon.hotkey", "M"]);
    let _ = place.ok(&["agent", "new", "sh", "-p", "shell", "-d", &dir]);
    let _window = Window::open(&place, &display, &repository);
    let _ = display.settled();
    display.key("ctrl+alt+space");
    until("it hides", || (!is_shown(&display)).then_some(()));
    for turn in 0..3 {
        let began = Instant::now();
        display.key("ctrl+alt+space");
        until("it is there", || is_shown(&display).then_some(()));
        until("it has the keyboard", || {
            let name = display.xdotool(&["getactivewindow", "getwindowname"]);
            name.contains("Maestro").then_some(())
        });
        eprintln!("summoned after {} ms, xdotool included", began.elapsed().as_millis());
        display.types(&format!("echo it-{turn}"));
        let _ = place.shows("sh", &format!("it-{turn}"));
        display.key("Return");
        if turn < 2 {
            display.key("ctrl+alt+space");
            until("it hides again", || (!is_shown(&display)).then_some(()));
        }
    }

    // Without a chord nothing is heard, as soon as the file says so.
    let _ = place.ok(&["settings", "reset", "summon.hotkey"]);
    until("nobody holds the chord", || {
        display.key("ctrl+alt+space");
        std::thread::sleep(Duration::from_millis(300));
        let hidden = !is_shown(&display);
        if hidden {
            let _ = place.ok(&["show"]);
        }
        (!hidden).then_some(())
    });
}

#[test]
fn the_chord_leads_to_who_waits_and_is_recorded_in_the_settings() {
    let Some((place, display)) = prepared() else { return };
    let repository = place.repository("shop");
    let dir = repository.display().to_string();
    let _ = place.ok(&["agent", "new", "sh", "-p", "shell", "-d", &dir]);
    let _ = place.ok(&["agent", "new", "asks", "-p", "demo", "-d", &dir, "--no-start"]);
    let _ = place.ok(&["settings", "set", "summon.to", "waiting"]);
    let _window = Window::open(&place, &display, &repository);
    let _ = display.settled();
    // Found, recorded, written.
    display.key("ctrl+comma");
    let _ = display.settled();
    display.types("summon.hotkey");
    let _ = display.settled();
    display.key("Return");
    let _ = display.settled();
    display.key("m");
    let _ = display.settled();
    display.key("ctrl+alt+space");
    until("the chord is set", || {
        let set = place.json(&["settings", "get", "summon.hotkey"]);
        set.to_string().contains("Space").then_some(())
    });
    display.key("Escape");
    let _ = display.settled();

    let _ = place.ok(&["agent", "send", "asks", "[[bash true]]"]);
    until("it waits for its user", || {
        let tabs = place.json(&["agent", "tabs", "asks"]);
        (!tabs[0]["requests"][0].is_null()).then_some(())
    });
    let _ = place.ok(&["hide"]);
    until("it hides", || (!is_shown(&display)).then_some(()));
    display.key("ctrl+alt+space");
    until("it is there", || is_shown(&display).then_some(()));
    let _ = display.settled();
    // Its card has the keyboard.
    display.key("y");
    until("it was answered", || {
        let tabs = place.json(&["agent", "tabs", "asks"]);
        tabs[0]["requests"][0].is_null().then_some(())
    });
}

#[test]
fn a_chord_opens_a_small_window_that_says_one_thing_to_one_agent() {
    let Some((place, display)) = prepared() else { return };
    let repository = place.repository("shop");
    let dir = repository.display().to_string();
    let _ = place.ok(&["settings", "set", "summon.prompt", "Ctrl+Alt+Space"]);
    for agent in ["api", "web", "night"] {
        let _ = place.ok(&["agent", "new", agent, "-p", "demo", "-d", &dir, "--no-start"]);
    }
    let _window = Window::open(&place, &display, &repository);
    let _ = display.settled();
    let _ = place.ok(&["hide"]);
    until("the window hides", || (!is_shown(&display)).then_some(()));

    let there = || {
        let name = display.xdotool(&["getactivewindow", "getwindowname"]);
        name.contains("quick prompt").then_some(())
    };
    let comes = |what: &str| {
        display.key("ctrl+alt+space");
        until(what, there);
        let _ = display.settled();
    };
    let goes = |what: &str| until(what, || (!is_shown(&display)).then_some(()));
    let said = |agent: &str| {
        let tabs = place.json(&["agent", "tabs", agent]);
        let titles = tabs.as_array().expect("tabs").iter();
        titles.map(|tab| tab["title"].to_string()).collect::<String>()
    };
    comes("it comes");
    display.types("@ni first words");
    display.key("Return");
    goes("it goes once it is said");
    until("the agent heard it", || said("night").contains("first words").then_some(()));

    // What is not sent is there the next time, for the agent it was for; the chord closes it, too.
    comes("it comes again");
    display.types("kept");
    display.key("ctrl+alt+space");
    goes("the chord closes it");
    comes("it comes a third time");
    display.types(" words");
    display.key("Tab");
    display.key("Return");
    goes("it goes again");
    until("the next agent heard all of it", || said("api").contains("kept words").then_some(()));
    assert_eq!(said("web"), "", "nobody else did");
}

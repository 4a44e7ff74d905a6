//! Hands on a real keyboard and a real mouse: other layouts, dead keys, drags that leave the pane, and a
//! mouse that a program has but its user wants.

use std::thread;

use super::terminal::{APART, Desk, prepared};
use super::*;

/// Keys by their place, as X counts them: what they type is up to the layout. A key that a layout lacks
/// would be given one for a moment, which the window may hear of too late.
mod place {
    pub const A: &str = "38";
    pub const C: &str = "54";
    pub const E: &str = "26";
    pub const F: &str = "41";
    pub const U: &str = "30";
    pub const RIGHT_OF_SS: &str = "21";
    /// `привет` on a Russian keyboard, `ghbdtn` on an American one.
    pub const GREETING: [&str; 6] = ["42", "43", "56", "40", "28", "57"];
}

/// Changes the layout of the display's keyboard, and waits until the window has heard of it: a key of
/// the layout must type what it should.
fn layout(place: &Place, desk: &Desk<'_>, name: &[&str], key: &str, types: &str) {
    let mut setxkbmap = place.program("setxkbmap");
    let set = setxkbmap.env("DISPLAY", &desk.display.name).args(name).status();
    assert!(set.is_ok_and(|status| status.success()), "the layout is set");
    until("the layout is known", || {
        desk.display.key(key);
        thread::sleep(Duration::from_millis(200));
        let shown = place.screen(&desk.terminal);
        shown.trim_end().ends_with(types).then_some(())
    });
    desk.display.key(&format!("ctrl+{}", place::U));
    until("the line is empty", || {
        place.screen(&desk.terminal).trim_end().ends_with("ready>").then_some(())
    });
}

#[test]
fn text_is_by_the_layout_and_shortcuts_by_the_place_of_the_key() {
    let Some((place, display)) = prepared() else { return };
    let desk = Desk::open(&place, &display);
    desk.runs("seq 1 300", "\n300\nready>");
    layout(&place, &desk, &["-layout", "ru"], place::A, "ф");
    for key in place::GREETING {
        display.key(key);
    }
    let _ = place.shows(&desk.terminal, "ready> привет");
    // Ctrl+C gives the line up, wherever `c` is.
    display.key(&format!("ctrl+{}", place::C));
    let _ = place.shows(&desk.terminal, "ready> привет^C");
    // A chord of the window's: its search bar comes, and what is typed into it is looked for.
    let before = display.settled();
    display.key(&format!("ctrl+shift+{}", place::F));
    until("the search bar is there", || {
        (different(&before, &display.picture()) > 0.001).then_some(())
    });
    let text = place.screen(&desk.terminal);
    assert!(!text.contains('а'), "the chord typed nothing: {text}");
    display.key("Escape");
    let _ = display.settled();
    layout(&place, &desk, &["-layout", "gr"], place::A, "α");
    display.key(place::F);
    let _ = place.shows(&desk.terminal, "ready> φ");
    display.key(&format!("ctrl+{}", place::C));
    let _ = place.shows(&desk.terminal, "ready> φ^C");
}

#[test]
fn dead_keys_make_letters_with_marks() {
    let Some((place, display)) = prepared() else { return };
    let desk = Desk::open(&place, &display);
    // `ö` is where `;` is in America.
    layout(&place, &desk, &["-layout", "de"], "47", "ö");
    display.key(place::RIGHT_OF_SS);
    display.key(place::E);
    display.key(place::A);
    let _ = place.shows(&desk.terminal, "ready> éa");
    // Twice is the mark itself; a letter that has none gets it before itself.
    display.key(place::RIGHT_OF_SS);
    display.key(place::RIGHT_OF_SS);
    let _ = place.shows(&desk.terminal, "ready> éa´");
}

#[test]
fn a_drag_beyond_the_edge_scrolls_as_long_as_it_lasts() {
    let Some((place, display)) = prepared() else { return };
    let desk = Desk::open(&place, &display);
    let cells = desk.cells();
    desk.runs("clear; seq 1 500", "\n500\nready>");
    let _ = display.settled();
    desk.moves(cells.end(8, 2));
    let _ = display.xdotool(&["mousedown", "1"]);
    let (x, y) = cells.at(0, 0);
    for up in [0, 20, 40] {
        desk.moves((x, y.saturating_sub(up)));
        thread::sleep(Duration::from_millis(60));
    }
    // The mouse rests there.
    let up = until("older rows come", || Some(desk.offset()).filter(|offset| *offset > 30));
    let further = until("and more", || Some(desk.offset()).filter(|offset| *offset > up + 30));
    let _ = display.xdotool(&["mouseup", "1"]);
    // The release is heard in a moment; then nothing moves any more.
    let _ = display.settled();
    let stands = desk.offset();
    let _ = display.settled();
    assert_eq!(desk.offset(), stands, "it stops with the drag");
    assert!(stands >= further);
    display.key("ctrl+shift+c");
    let copied = until("the rows are copied", || {
        let text = desk.xclip("clipboard");
        (text.lines().count() > 60).then_some(text)
    });
    let numbers: Vec<u32> = copied.lines().filter_map(|line| line.trim().parse().ok()).collect();
    assert!(
        numbers.windows(2).all(|pair| pair[1] == pair[0] + 1),
        "no row is missing: {numbers:?}"
    );
}

#[test]
fn shift_takes_the_mouse_from_a_program_that_has_it() {
    let Some((place, display)) = prepared() else { return };
    let desk = Desk::open(&place, &display);
    let cells = desk.cells();
    let command = "clear; echo pick me; printf '\\033[?1002h\\033[?1006h'; cat -v";
    let _ = place.ok(&["terminal", "send", &desk.terminal, command, "--enter"]);
    until("the program has the mouse", || (desk.shown()["modes"]["mouse"] == true).then_some(()));
    let _ = display.settled();
    let _ = display.xdotool(&["keydown", "shift"]);
    desk.drags(cells.at(0, 0), cells.end(0, 6));
    let _ = display.xdotool(&["keyup", "shift"]);
    display.key("ctrl+shift+c");
    desk.clipboard_becomes("pick me");
    let text = place.screen(&desk.terminal);
    assert!(!text.contains("[<"), "the program was told nothing: {text}");
    thread::sleep(APART);
    // Without Shift it is the program's.
    desk.moves(cells.at(3, 4));
    let _ = display.xdotool(&["click", "1"]);
    let text = place.shows(&desk.terminal, "[<0;5;4M");
    assert!(text.contains("[<0;5;4m"), "{text}");
    display.key("ctrl+c");
}

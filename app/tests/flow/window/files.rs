//! Files in the real window: one is found by its letters and written in, while somebody else writes in it, too.

use std::fs;

use super::*;

#[test]
fn a_file_is_found_and_written_by_keys_beside_another_writer() {
    let mut place = Place::new();
    let Some(display) = Display::new(&place) else { return };
    place.set("XDG_RUNTIME_DIR", place.user());
    let directory = place.repository("shop");
    let file = directory.join("notes.txt");
    fs::write(&file, "one\ntwo\nthree\n").expect("written");
    let dir = directory.display().to_string();
    let _ = place.ok(&["agent", "new", "api", "-p", "demo", "-d", &dir, "--no-start"]);
    let window = Window::open(&place, &display, &directory);
    let _ = display.settled();

    window.key_changes("ctrl+alt+v", 0.002);
    display.key("f");
    display.types("notes");
    let _ = display.settled();
    display.key("Return");
    let _ = display.settled();
    display.key("e");
    let _ = display.settled();
    display.types("zero ");
    let is = |text: &str| until(text, || (place.read(&file) == text).then_some(()));
    is("zero one\ntwo\nthree\n");

    // What another appends is kept beside what is typed.
    fs::write(&file, "zero one\ntwo\nthree\nfour\n").expect("written");
    display.types("and ");
    is("zero and one\ntwo\nthree\nfour\n");
    // Out of the editor, of the file, of the letters, of the page: nothing is lost on the way.
    for _ in 0..4 {
        display.key("Escape");
    }
    let _ = display.settled();
    is("zero and one\ntwo\nthree\nfour\n");
}

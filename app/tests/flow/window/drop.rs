//! Files that are dragged into the window from another program, by the X protocol's own drag and drop.

use super::talk::Talk;
use super::terminal::{Desk, prepared};
use super::*;

/// The other program.
const SOURCE: &str = include_str!("drop.py");

/// Debian's own Python, which has the library that Debian packs.
const PYTHON: &str = "/usr/bin/python3";

/// Lets files go over the window; false, said loudly, where the machine has no program to do it.
fn drop_files(place: &Place, display: &Display, files: &[&Path]) -> bool {
    let knows = Command::new(PYTHON).args(["-c", "import Xlib"]).output();
    if !knows.is_ok_and(|knows| knows.status.success()) {
        eprintln!("SKIPPED: files dropped: Python has no Xlib (apt install python3-xlib)");
        return false;
    }
    let script = place.path("drop.py");
    fs::write(&script, SOURCE).expect("written");
    let found = display.xdotool(&["search", "--onlyvisible", "--class", "maestro"]);
    let window = found.lines().last().expect("a window");
    let dropped = place
        .program(PYTHON)
        .env("DISPLAY", &display.name)
        .arg(script)
        .args([window, "700", "500"])
        .args(files)
        .output()
        .expect("it runs");
    let told = String::from_utf8_lossy(&dropped.stderr);
    assert!(dropped.status.success(), "the window takes what is dropped: {told}");
    true
}

#[test]
fn files_dropped_on_a_terminal_become_quoted_paths() {
    let Some((place, display)) = prepared() else { return };
    let desk = Desk::open(&place, &display);
    let (one, other) = (place.user().join("plain.txt"), place.user().join("with a 'quote'.txt"));
    for file in [&one, &other] {
        fs::write(file, "dropped").expect("written");
    }
    // What they become is read as a shell reads it.
    display.types("printf '<%s>' ");
    let _ = place.shows(&desk.terminal, "printf");
    if !drop_files(&place, &display, &[&one, &other]) {
        return;
    }
    let _ = place.shows(&desk.terminal, "quote");
    display.key("Return");
    let expected = format!("<{}><{}>", one.display(), other.display());
    until("both paths are words of the command", || {
        let shown = place.screen(&desk.terminal).replace('\n', "");
        shown.contains(&expected).then_some(())
    });
}

#[test]
fn an_image_dropped_on_a_conversation_is_sent_and_another_file_is_mentioned() {
    let Some((place, display)) = prepared() else { return };
    let talk = Talk::open(&place, &display);
    let picture = place.user().join("picture.png");
    let made = Command::new("convert").args(["-size", "64x48", "xc:teal"]).arg(&picture).status();
    assert!(made.expect("imagemagick is there").success());
    let notes = place.user().join("notes.txt");
    fs::write(&notes, "dropped").expect("written");
    if !drop_files(&place, &display, &[&picture]) {
        return;
    }
    until("the image is in the composer", || {
        let kept = fs::read_dir(place.home().root().join("images")).ok()?;
        (kept.count() == 1).then_some(())
    });
    let _ = drop_files(&place, &display, &[&notes]);
    let _ = display.settled();
    talk.sends("[[text Seen.]]");
    let _ = talk.turns(1);
    let said = talk.said();
    assert!(said.contains(r#""media":"image/png""#), "{said}");
    assert!(said.contains(&format!("@{} [[text Seen.]]", notes.display())), "{said}");
}

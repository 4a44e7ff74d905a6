//! Conversations in the real window: by keys, with the demo agent.

use std::thread;

use super::*;

/// A window with one agent in it, whose conversation has the keyboard.
pub(super) struct Talk<'a> {
    place: &'a Place,
    display: &'a Display,
    directory: std::path::PathBuf,
    window: Window<'a>,
}

/// A place and a display. Nothing, said loudly, where the machine lacks something.
fn prepared() -> Option<(Place, Display)> {
    let mut place = Place::new();
    let display = Display::new(&place)?;
    place.set("XDG_RUNTIME_DIR", place.user());
    Some((place, display))
}

impl<'a> Talk<'a> {
    pub(super) fn open(place: &'a Place, display: &'a Display) -> Self {
        let directory = place.repository("shop");
        let dir = directory.display().to_string();
        let _ = place.ok(&["agent", "new", "api", "-p", "demo", "-d", &dir]);
        let _ = place.shows("api", "emo");
        let window = Window::open(place, display, &directory);
        let _ = display.settled();
        display.key("ctrl+alt+1");
        let _ = display.settled();
        let talk = Self { place, display, directory, window };
        talk.show();
        talk
    }

    /// The agent's other side, where its conversation is.
    fn show(&self) {
        self.window.key_changes("ctrl+shift+j", 0.01);
    }

    pub(super) fn sends(&self, words: &str) {
        self.display.types(words);
        self.display.key("Return");
    }

    fn tab(&self) -> Value {
        self.place.json(&["agent", "tabs", "api"])[0].clone()
    }

    fn becomes(&self, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        until(what, || {
            thread::sleep(Duration::from_millis(50));
            Some(self.tab()).filter(|tab| holds(tab))
        })
    }

    #[track_caller]
    fn asks(&self) {
        let asked = |tab: &Value| tab["requests"].as_array().is_some_and(|all| !all.is_empty());
        let _ = self.becomes("it asks", asked);
        let _ = self.display.settled();
    }

    pub(super) fn turns(&self, turns: u64) -> Value {
        self.becomes("the turn is over", |tab| tab["turns"] == turns && over(tab))
    }

    fn xclip(&self, selection: &str) -> String {
        self.xclip_as(selection, "UTF8_STRING")
    }

    fn xclip_as(&self, selection: &str, kind: &str) -> String {
        let mut xclip = self.place.program("xclip");
        let _ = xclip.env("DISPLAY", &self.display.name);
        let _ = xclip.args(["-o", "-selection", selection, "-t", kind]);
        String::from_utf8_lossy(&xclip.output().expect("it runs").stdout).into_owned()
    }

    /// Where what was said is on the display: left, top, right and bottom, well within it.
    fn entries(&self) -> (u32, u32, u32, u32) {
        let window = self.display.xdotool(&["search", "--onlyvisible", "--class", "maestro"]);
        let window = window.lines().last().expect("a window").to_owned();
        let told = self.display.xdotool(&["getwindowgeometry", "--shell", &window]);
        let number = |name: &str| -> u32 {
            let line = told.lines().find_map(|line| line.strip_prefix(name)).expect("told");
            line.parse().expect("a number")
        };
        let (x, y) = (number("X="), number("Y="));
        let (width, height) = (number("WIDTH="), number("HEIGHT="));
        // Beside the list of agents and below the tabs; above the composer.
        (x + 270, y + 135, x + width - 30, y + height - 180)
    }

    /// What was said, as its user reads it elsewhere.
    pub(super) fn said(&self) -> String {
        self.place.read(self.place.home().root().join("conversations/c1.jsonl"))
    }
}

fn over(tab: &Value) -> bool {
    tab["state"] == "idle" || tab["state"].get("failed").is_some()
}

#[test]
fn what_is_typed_is_said_and_the_answer_is_to_be_seen() {
    let Some((place, display)) = prepared() else { return };
    let talk = Talk::open(&place, &display);
    let empty = display.settled();
    talk.sends("[[lines 30]] [[text The end of it.]]");
    let _ = talk.turns(1);
    let _ = display.settled();
    let part = different(&empty, &display.picture());
    assert!(part > 0.01, "the answer is to be seen: {part}");
    assert!(talk.said().contains("The end of it."));

    // Shift+Enter is a line of its own, and `@` offers the files of the repository.
    display.types("[[text two]]");
    display.key("shift+Return");
    display.types("see @READ");
    let _ = display.settled();
    display.key("Return");
    let _ = display.settled();
    display.key("Return");
    let _ = talk.turns(2);
    let said = talk.said();
    assert!(said.contains(r"[[text two]]\nsee @README.md"), "{said}");
}

#[test]
fn what_is_asked_is_answered_by_single_keys() {
    let Some((place, display)) = prepared() else { return };
    let talk = Talk::open(&place, &display);
    talk.sends("[[write one.txt first]] [[text Done.]]");
    talk.asks();
    display.key("ctrl+alt+y");
    let _ = display.settled();
    display.key("y");
    let _ = talk.turns(1);
    assert_eq!(place.read(talk.directory.join("one.txt")).trim(), "first");

    // The composer has the keyboard again.
    let _ = display.settled();
    talk.sends("[[write two.txt second]] [[text Done.]]");
    talk.asks();
    display.key("ctrl+alt+y");
    let _ = display.settled();
    display.key("n");
    let _ = display.settled();
    display.types("not that file");
    display.key("Return");
    let _ = talk.turns(2);
    assert!(!talk.directory.join("two.txt").exists());
    assert!(talk.said().contains("not that file"), "the reason is kept: {}", talk.said());
}

#[test]
fn what_is_selected_with_the_mouse_is_copied() {
    let Some((place, display)) = prepared() else { return };
    let talk = Talk::open(&place, &display);
    talk.sends("[[text first words here]]");
    let _ = talk.turns(1);
    talk.sends("[[text second words here]]");
    let _ = talk.turns(2);
    let _ = display.settled();
    let (left, top, right, bottom) = talk.entries();
    let moves = |(x, y): (u32, u32)| {
        let _ = display.xdotool(&["mousemove", &x.to_string(), &y.to_string()]);
        thread::sleep(Duration::from_millis(60));
    };
    moves((left, top));
    let _ = display.xdotool(&["mousedown", "1"]);
    moves(((left + right) / 2, (top + bottom) / 2));
    moves((right, bottom));
    let _ = display.xdotool(&["mouseup", "1"]);
    let whole = |text: &str| {
        let at = |words: &str| text.find(words);
        at("first words here\n").is_some_and(|first| at("\nsecond words here") > Some(first))
    };
    let primary = until("it can be pasted by the middle button", || {
        Some(talk.xclip("primary")).filter(|text| whole(text))
    });
    display.key("ctrl+c");
    let copied = until("it is copied", || Some(talk.xclip("clipboard")).filter(|text| whole(text)));
    assert_eq!(primary, copied);
}

#[test]
fn an_image_is_pasted_and_the_words_after_it_arrive() {
    let Some((place, display)) = prepared() else { return };
    let talk = Talk::open(&place, &display);
    let picture = place.user().join("picture.png");
    let made = Command::new("convert").args(["-size", "64x48", "xc:teal"]).arg(&picture).status();
    assert!(made.expect("imagemagick is there").success());
    let mut holder = place.program("xclip");
    let _ = holder.env("DISPLAY", &display.name);
    let _ = holder.args(["-quiet", "-selection", "clipboard", "-t", "image/png", "-i"]);
    let mut holder = holder.arg(&picture).spawn().expect("it runs");
    until("the image can be had", || {
        let targets = talk.xclip_as("clipboard", "TARGETS");
        targets.contains("image/png").then_some(())
    });
    display.key("ctrl+v");
    until("the image is in the composer", || {
        thread::sleep(Duration::from_millis(50));
        let kept = std::fs::read_dir(place.home().root().join("images")).ok()?;
        (kept.count() == 1).then_some(())
    });
    let _ = display.settled();
    talk.sends("[[text Seen.]]");
    let _ = talk.turns(1);
    let said = talk.said();
    assert!(said.contains(r#""media":"image/png""#), "{said}");
    assert!(said.contains("[[text Seen.]]"), "the input lost the keyboard: {said}");
    let _ = holder.kill();
    let _ = holder.wait();
}

#[test]
fn escape_twice_ends_the_turn() {
    let Some((place, display)) = prepared() else { return };
    let talk = Talk::open(&place, &display);
    talk.sends("[[text Beginning.]] [[hang]]");
    let _ = talk.becomes("it works", |tab| tab["state"].get("working").is_some());
    let _ = display.settled();
    display.key("Escape");
    display.key("Escape");
    let _ = talk.turns(1);
    assert!(talk.said().contains("nterrupted"), "{}", talk.said());
}

#[test]
fn what_was_typed_is_there_after_the_window_was_killed() {
    let Some((place, display)) = prepared() else { return };
    let talk = Talk::open(&place, &display);
    talk.sends("[[text One.]]");
    let _ = talk.turns(1);
    display.types("[[text Two, half typed.]]");
    // A slow machine shows late what was typed; from then on there is little time.
    let _ = display.settled();
    thread::sleep(Duration::from_millis(300));
    let Talk { directory, window, .. } = talk;
    window.kill();
    let window = Window::open(&place, &display, &directory);
    let talk = Talk { place: &place, display: &display, directory, window };
    let _ = display.settled();
    display.key("ctrl+alt+1");
    let _ = display.settled();
    display.key("Return");
    let _ = talk.turns(2);
    assert!(talk.said().contains("Two, half typed."), "{}", talk.said());
}

#[test]
fn a_stored_session_is_found_and_gone_on_with() {
    let Some((place, display)) = prepared() else { return };
    let talk = Talk::open(&place, &display);
    talk.sends("[[text The pelican answers.]]");
    let tab = talk.turns(1);
    let session = tab["session"].as_str().expect("a session").to_owned();
    until("it is found", || {
        let found = place.json(&["sessions", "search", "pelican"]);
        found.to_string().contains(&session).then_some(())
    });
    // Nobody has it any more; the provider's own store does.
    let _ = place.ok(&["agent", "remove", "api"]);
    let before = display.settled();
    display.key("ctrl+shift+l");
    until("the browser is there", || (different(&before, &display.picture()) > 0.02).then_some(()));
    let _ = display.settled();
    display.types("pelican");
    let _ = display.settled();
    display.key("Return");
    let agent = until("an agent has the session", || {
        place.json(&["agent", "list"]).as_array()?.first().cloned()
    });
    let name = agent["name"].as_str().expect("a name");
    until("in its interface or in a conversation", || {
        let shown = place.json(&["agent", "show", name]);
        let tabs = place.json(&["agent", "tabs", name]);
        (shown["session"] == session.as_str() || tabs[0]["session"] == session.as_str())
            .then_some(())
    });
    let _ = display.settled();
}

#[test]
fn a_conversation_is_exported_and_its_tab_taken_elsewhere_with_the_mouse() {
    let Some((place, display)) = prepared() else { return };
    let talk = Talk::open(&place, &display);
    talk.sends("[[text The heron answers.]]");
    let _ = talk.turns(1);
    let _ = display.settled();
    let exported = || -> Vec<std::path::PathBuf> {
        let files = std::fs::read_dir(place.user()).expect("a home").flatten();
        let files = files.map(|file| file.path());
        files.filter(|path| path.extension().is_some_and(|kind| kind == "html")).collect()
    };
    for count in 1..=2 {
        display.key("ctrl+k");
        let _ = display.settled();
        display.types("export conversation as html");
        let _ = display.settled();
        display.key("Return");
        until("it is written", || (exported().len() == count).then_some(()));
        let _ = display.settled();
    }
    for file in exported() {
        let said = until("it is whole", || {
            Some(place.read(file.clone())).filter(|text| text.trim_end().ends_with("</html>"))
        });
        assert!(said.contains("The heron answers."), "{}", file.display());
    }

    display.key("ctrl+t");
    let order = || -> Vec<String> {
        let tabs = place.json(&["agent", "tabs", "api"]);
        let all = tabs.as_array().into_iter().flatten();
        all.filter_map(|tab| tab["id"].as_str().map(str::to_owned)).collect()
    };
    until("there are two", || (order() == ["c1", "c2"]).then_some(()));
    let _ = display.settled();
    let (left, top, right, _) = talk.entries();
    // Within the tabs, whether the frame of the window is counted in or not.
    let bar = top - 50;
    let moves = |x: u32| {
        let _ = display.xdotool(&["mousemove", &x.to_string(), &bar.to_string()]);
        thread::sleep(Duration::from_millis(60));
    };
    moves(left + 30);
    let _ = display.xdotool(&["mousedown", "1"]);
    moves(left + 90);
    moves((left + right) / 2);
    moves(right - 60);
    let _ = display.xdotool(&["mouseup", "1"]);
    until("the first is the last", || (order() == ["c2", "c1"]).then_some(()));
    // By keys, too: the shown one is the new one.
    display.key("ctrl+shift+Next");
    until("it was moved back", || (order() == ["c1", "c2"]).then_some(()));
    let _ = display.settled();
}

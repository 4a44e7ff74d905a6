//! A shell in a pane of the real window, worked with by keys, by the mouse and through the clipboard.

use std::io::Write as _;
use std::thread;

use super::*;

/// What a shell with marks of its prompts (OSC 133) is set up with.
const BASHRC: &str = r#"
unset HISTFILE
PS1='\[\e]133;A\a\]ready> \[\e]133;B\a\]'
PS0='\e]133;C\a'
PROMPT_COMMAND='printf "\e]133;D;%s\a" "$?"'
"#;

/// Tells which reports of the mouse come up to the next release: `clicks MODE FILE`.
const CLICKS: &str = r#"#!/bin/bash
stty raw -echo
printf '\e[?1000h\e[?%sh' "$1"
told=
while IFS= read -rsn1 c; do
    told+=$c
    [ "$c" = m ] && break
done
printf '\e[?1000l\e[?%sl' "$1"
stty sane
printf '%s' "$told" > "$2.new"
mv "$2.new" "$2"
"#;

/// A window with one shell in it.
pub(super) struct Desk<'a> {
    place: &'a Place,
    pub(super) display: &'a Display,
    window: Window<'a>,
    pub(super) terminal: String,
}

/// Where the cells are on the display.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cells {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
}

impl Cells {
    /// In a cell, near its left edge.
    pub(super) fn at(&self, row: u32, col: u32) -> (u32, u32) {
        self.within(row, f64::from(col) + 0.2)
    }

    /// In a cell, near its right edge.
    pub(super) fn end(&self, row: u32, col: u32) -> (u32, u32) {
        self.within(row, f64::from(col) + 0.8)
    }

    fn within(&self, row: u32, col: f64) -> (u32, u32) {
        let down = self.top + self.height * (f64::from(row) + 0.5);
        ((self.left + self.width * col) as u32, down as u32)
    }
}

/// A place for a desk, with everything in it that must be there first.
pub(super) fn prepared() -> Option<(Place, Display)> {
    let mut place = Place::new();
    let display = Display::new(&place)?;
    if !["/usr/bin", "/bin"].iter().any(|dir| Path::new(dir).join("xclip").exists()) {
        eprintln!("SKIPPED: the window's terminal: there is no `xclip` (apt install xclip)");
        return None;
    }
    place.set("XDG_RUNTIME_DIR", place.user());
    place.set("SHELL", "/bin/bash");
    fs::write(place.user().join(".bashrc"), BASHRC).expect("written");
    let _ = place.script("bin/clicks", CLICKS);
    Some((place, display))
}

impl<'a> Desk<'a> {
    pub(super) fn open(place: &'a Place, display: &'a Display) -> Self {
        let repository = place.repository("shop");
        let dir = repository.display().to_string();
        let _ = place.ok(&["agent", "new", "desk", "-p", "shell", "-d", &dir]);
        let _ = place.shows("desk", "ready>");
        let agent = place.json(&["agent", "show", "desk"]);
        let terminal = agent["ai_terminal"].as_str().expect("a terminal").to_owned();
        let window = Window::open(place, display, &repository);
        let desk = Self { place, display, window, terminal };
        let _ = display.settled();
        // The first pane gets the keyboard, whatever had it.
        display.key("ctrl+alt+1");
        let _ = display.settled();
        desk
    }

    pub(super) fn shown(&self) -> Value {
        self.place.json(&["terminal", "show", &self.terminal])
    }

    pub(super) fn offset(&self) -> u64 {
        self.shown()["scroll"]["offset"].as_u64().unwrap_or(0)
    }

    /// Types a command by the command line's way, which is quicker, and waits for what it prints.
    pub(super) fn runs(&self, command: &str, prints: &str) {
        let _ = self.place.ok(&["terminal", "send", &self.terminal, command, "--enter"]);
        let _ = self.place.shows(&self.terminal, prints);
    }

    /// Waits until a file is there, and gives it.
    fn file(&self, name: &str) -> String {
        let path = self.place.path(name);
        until("the file is there", || fs::read_to_string(&path).ok())
    }

    pub(super) fn xclip(&self, selection: &str) -> String {
        let mut xclip = self.place.program("xclip");
        let _ = xclip.env("DISPLAY", &self.display.name).args(["-o", "-selection", selection]);
        let output = xclip.output().expect("it runs");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    #[track_caller]
    pub(super) fn clipboard_becomes(&self, text: &str) {
        let mut last = String::new();
        let limit = Instant::now() + DEADLINE;
        while Instant::now() < limit {
            last = self.xclip("clipboard");
            if last == text {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
        panic!("the clipboard has {last:?}, not {text:?}");
    }

    fn set_clipboard(&self, text: &[u8]) {
        let mut xclip = self.place.program("xclip");
        let _ = xclip.env("DISPLAY", &self.display.name).args(["-i", "-selection", "clipboard"]);
        let mut child = xclip.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("it runs");
        child.stdin.take().expect("piped").write_all(text).expect("it reads");
        assert_eq!(wait(&mut child, DEADLINE), Some(0));
    }

    /// Clicks and gives the two numbers that the program is told.
    fn told_of_click(&self, mode: &str, (x, y): (u32, u32)) -> (f64, f64) {
        let file = self.place.path("told");
        let _ = fs::remove_file(&file);
        let clicks = self.place.path("bin/clicks");
        let command = format!("clear; {} {mode} {}", clicks.display(), file.display());
        let _ = self.place.ok(&["terminal", "send", &self.terminal, &command, "--enter"]);
        until("the program has the mouse", || {
            (self.shown()["modes"]["mouse"] == true).then_some(())
        });
        let _ = self.display.settled();
        self.moves((x, y));
        let _ = self.display.xdotool(&["click", "1"]);
        let told = self.file("told");
        until("the mouse is given back", || {
            (self.shown()["modes"]["mouse"] == false).then_some(())
        });
        let numbers: Vec<f64> = told
            .trim_start_matches("\x1b[<0;")
            .split(|c: char| !c.is_ascii_digit())
            .take(2)
            .filter_map(|number| number.parse().ok())
            .collect();
        assert_eq!(numbers.len(), 2, "{told:?}");
        (numbers[0], numbers[1])
    }

    pub(super) fn moves(&self, (x, y): (u32, u32)) {
        let _ = self.display.xdotool(&["mousemove", &x.to_string(), &y.to_string()]);
    }

    /// Finds out where the cells are, by what a program is told of clicks.
    pub(super) fn cells(&self) -> Cells {
        let window = self.display.xdotool(&["search", "--onlyvisible", "--class", "maestro"]);
        let window = window.lines().last().expect("a window").to_owned();
        let told = self.display.xdotool(&["getwindowgeometry", "--shell", &window]);
        let number = |name: &str| -> u32 {
            let line = told.lines().find_map(|line| line.strip_prefix(name)).expect("told");
            line.parse().expect("a number")
        };
        let (x, y) = (number("X="), number("Y="));
        let (width, height) = (number("WIDTH="), number("HEIGHT="));
        let point = (x + width * 3 / 4, y + height * 3 / 4);
        let (across, down) = self.told_of_click("1016", point);
        let (left, top) = (f64::from(point.0) - across, f64::from(point.1) - down);
        let (col, row) = self.told_of_click("1006", point);
        // The first cell is 1, and the click may be anywhere in its cell.
        let cells = Cells { left, top, width: across / (col - 0.5), height: down / (row - 0.5) };
        assert!(cells.width > 4.0 && cells.height > cells.width, "{cells:?}");
        cells
    }

    pub(super) fn drags(&self, from: (u32, u32), to: (u32, u32)) {
        self.moves(from);
        let _ = self.display.xdotool(&["mousedown", "1"]);
        // A drag is more than two places.
        let middle = (from.0.midpoint(to.0), from.1.midpoint(to.1));
        for point in [middle, to] {
            self.moves(point);
            thread::sleep(Duration::from_millis(60));
        }
        let _ = self.display.xdotool(&["mouseup", "1"]);
    }
}

/// Clicks with more time than this between them are not counted together.
pub(super) const APART: Duration = Duration::from_millis(800);

#[test]
fn every_character_that_is_typed_arrives() {
    let Some((place, display)) = prepared() else { return };
    let desk = Desk::open(&place, &display);
    let typed = place.path("typed").display().to_string();
    desk.runs(&format!("clear; echo go; cat > {typed}"), "go\n");
    let _ = display.settled();
    let ascii: String = (' '..='~').collect();
    display.types(&ascii);
    display.key("Return");
    // No key has these, so one is given a new meaning for each, which the window must hear of first.
    for c in "éüß€好😀".chars() {
        let _ = display.xdotool(&["type", "--delay", "1500", &c.to_string()]);
    }
    display.key("Return");
    until("all of it arrived", || {
        let text = fs::read_to_string(&typed).unwrap_or_default();
        (text.lines().count() == 2).then_some(())
    });
    assert_eq!(place.read("typed"), format!("{ascii}\néüß€好😀\n"));
    display.key("ctrl+d");
    let _ = place.shows(&desk.terminal, "\nready>");

    // Chords: what is not ours, as bytes.
    let file = place.path("bytes");
    let command =
        format!("clear; stty raw -echo; printf g%s o; head -c 21 > {}; stty sane", file.display());
    let _ = place.ok(&["terminal", "send", &desk.terminal, &command, "--enter"]);
    let _ = place.shows(&desk.terminal, "go");
    for chord in ["ctrl+a", "ctrl+c", "ctrl+z", "ctrl+w", "alt+x", "Escape", "Tab", "ctrl+space"] {
        display.key(chord);
    }
    for chord in ["Up", "shift+Tab", "F5", "Delete"] {
        display.key(chord);
    }
    let expected = b"\x01\x03\x1a\x17\x1bx\x1b\t\0\x1b[A\x1b[Z\x1b[15~\x1b[3~";
    until("the bytes are there", || {
        (fs::read(&file).is_ok_and(|bytes| bytes.len() == 21)).then_some(())
    });
    assert_eq!(fs::read(&file).expect("there"), expected[..21]);
}

#[test]
fn the_mouse_selects_scrolls_and_is_reported() {
    let Some((place, display)) = prepared() else { return };
    let desk = Desk::open(&place, &display);
    let cells = desk.cells();

    // Row 0 has the first line after this.
    desk.runs("clear; printf 'alpha beta-gamma delta   \\nsecond line here\\n%s\\n' end", "\nend");
    let _ = display.settled();
    desk.drags(cells.at(0, 6), cells.end(0, 15));
    display.key("ctrl+shift+c");
    desk.clipboard_becomes("beta-gamma");
    until("the primary selection has it", || (desk.xclip("primary") == "beta-gamma").then_some(()));

    // Over two rows; the blanks at the end of the first are left out.
    desk.drags(cells.at(0, 17), cells.end(1, 5));
    display.key("ctrl+shift+c");
    desk.clipboard_becomes("delta\nsecond");

    // A word, a line.
    desk.moves(cells.at(1, 8));
    for (clicks, selects) in [("2", "line"), ("3", "second line here")] {
        until("a word is copied, and a line", || {
            thread::sleep(APART);
            let _ = display.xdotool(&["click", "--repeat", clicks, "--delay", "60", "1"]);
            // On a machine that stands still between them they are clicks apart: the toolkit has no times
            // but its own.
            let _ = display.settled();
            display.key("ctrl+shift+c");
            let _ = display.settled();
            (desk.xclip("clipboard").trim_end() == selects).then_some(())
        });
    }

    // A column of a block.
    thread::sleep(APART);
    // With Alt, window managers move windows.
    let _ = display.xdotool(&["keydown", "ctrl"]);
    desk.drags(cells.at(0, 1), cells.end(1, 3));
    let _ = display.xdotool(&["keyup", "ctrl"]);
    display.key("ctrl+shift+c");
    desk.clipboard_becomes("lph\neco");

    // The wheel goes through the history.
    desk.runs("seq 1 500", "\n500");
    desk.moves(cells.at(5, 5));
    let _ = display.xdotool(&["click", "4"]);
    let up = until("it scrolls up", || Some(desk.offset()).filter(|offset| *offset > 0));
    assert!(up <= 10, "a step of the wheel is a few rows: {up}");
    let _ = display.xdotool(&["click", "--repeat", "12", "--delay", "30", "5"]);
    until("it is back at the bottom", || (desk.offset() == 0).then_some(()));
}

#[test]
fn prompts_are_gone_to_and_their_output_is_copied() {
    let Some((place, display)) = prepared() else { return };
    let desk = Desk::open(&place, &display);
    for last in [150, 151, 152] {
        desk.runs(
            &format!("seq 100 {last}; echo 'that was {last}'"),
            &format!("\nthat was {last}"),
        );
    }
    desk.runs("printf 'two\\nlines\\n'", "\nlines\nready>");
    let _ = display.settled();
    display.key("ctrl+shift+o");
    desk.clipboard_becomes("two\nlines");

    let mut last = 0;
    for _ in 0..2 {
        display.key("alt+shift+Prior");
        last = until("an older prompt", || Some(desk.offset()).filter(|offset| *offset > last));
    }
    display.key("alt+shift+Next");
    until("a newer prompt", || (desk.offset() < last).then_some(()));
}

#[test]
fn the_history_is_searched_as_one_types() {
    let Some((place, display)) = prepared() else { return };
    let desk = Desk::open(&place, &display);
    let print = "seq 1 400; echo needle one; seq 1 400; echo Needle two; seq 1 400";
    desk.runs(print, "\n400\nready>");
    let before = display.settled();
    display.key("ctrl+shift+f");
    until("the search bar is there", || {
        (different(&before, &display.picture()) > 0.001).then_some(())
    });
    display.types("needle");
    let newest = until("the newest match", || Some(desk.offset()).filter(|offset| *offset > 300));
    display.key("Return");
    let oldest = until("the older match", || Some(desk.offset()).filter(|offset| *offset > newest));
    assert!(oldest >= newest + 400, "{oldest} {newest}");
    display.key("shift+Return");
    until("the newer match", || (desk.offset() < oldest).then_some(()));
    // Nothing of it was typed into the shell, and Escape goes back to where one was.
    display.key("Escape");
    until("the bottom", || (desk.offset() == 0).then_some(()));
    display.types("echo $((6*7))");
    display.key("Return");
    let text = place.shows(&desk.terminal, "\n42");
    assert!(!text.contains("needleecho"), "{text}");
}

#[test]
fn vi_mode_selects_and_copies_without_the_program_noticing() {
    let Some((place, display)) = prepared() else { return };
    let desk = Desk::open(&place, &display);
    desk.runs("clear; echo first words here; echo second", "\nsecond\nready>");
    let _ = display.settled();
    let vi = |on: bool| until("vi mode", || (desk.shown()["modes"]["vi"] == on).then_some(()));
    display.key("ctrl+shift+x");
    vi(true);
    for key in ["g", "g", "0", "w", "v", "e"] {
        display.key(key);
    }
    let _ = display.settled();
    display.key("y");
    desk.clipboard_becomes("words");
    vi(false);
    // A count, lines, and out again.
    display.key("ctrl+shift+x");
    vi(true);
    for key in ["2", "k", "V", "j", "y"] {
        display.key(key);
        thread::sleep(Duration::from_millis(100));
    }
    until("two lines", || {
        (desk.xclip("clipboard").trim_end() == "first words here\nsecond").then_some(())
    });
    vi(false);
    display.types("echo $((6*7))");
    display.key("Return");
    let text = place.shows(&desk.terminal, "\n42");
    assert!(text.contains("ready> echo $((6*7))"), "no key of vi mode reached the shell: {text}");
}

#[test]
fn a_paste_with_lines_is_shown_before_a_shell_runs_it() {
    let Some((place, display)) = prepared() else { return };
    let desk = Desk::open(&place, &display);
    desk.set_clipboard(b"echo $((40+1))\necho $((40+2))\n");
    let before = display.settled();
    display.key("ctrl+shift+v");
    until("a question is there", || (different(&before, &display.picture()) > 0.02).then_some(()));
    let _ = display.settled();
    assert!(!place.screen(&desk.terminal).contains("41"));
    display.key("Escape");
    until("it is gone", || (different(&before, &display.picture()) < 0.01).then_some(()));
    assert!(!place.screen(&desk.terminal).contains("echo"), "nothing was pasted");
    display.key("ctrl+shift+v");
    until("a question is there", || (different(&before, &display.picture()) > 0.02).then_some(()));
    let _ = display.settled();
    display.key("Return");
    let _ = place.shows(&desk.terminal, "echo $((40+2))");
    display.key("Return");
    let _ = place.shows(&desk.terminal, "\n42");
    // One line is pasted at once, and runs when the user says so.
    desk.set_clipboard(b"echo $((50+3))");
    display.key("ctrl+shift+v");
    let _ = place.shows(&desk.terminal, "echo $((50+3))");
    display.key("Return");
    let _ = place.shows(&desk.terminal, "\n53");
}

#[test]
fn links_get_letters_and_are_copied_by_them() {
    let Some((place, display)) = prepared() else { return };
    let desk = Desk::open(&place, &display);
    desk.runs("clear; echo see https://example.org/a/b?c=d, it says", "\nready>");
    let before = display.settled();
    display.key("ctrl+shift+e");
    until("letters are there", || (different(&before, &display.picture()) > 0.0001).then_some(()));
    let _ = display.settled();
    // The easiest letter is for the newest link; with Shift it is copied.
    display.key("shift+a");
    desk.clipboard_becomes("https://example.org/a/b?c=d");
    display.types("echo $((6*7))");
    display.key("Return");
    let _ = place.shows(&desk.terminal, "\n42");
}

#[test]
fn the_text_of_one_pane_is_made_larger() {
    let Some((place, display)) = prepared() else { return };
    let desk = Desk::open(&place, &display);
    let columns = || {
        let list = place.json(&["terminal", "list"]);
        list[0]["size"]["cols"].as_u64().expect("a size")
    };
    let usual = columns();
    display.key("ctrl+equal");
    until("fewer columns fit", || (columns() < usual).then_some(()));
    display.key("ctrl+0");
    until("as before", || (columns() == usual).then_some(()));
    display.key("ctrl+minus");
    until("more columns fit", || (columns() > usual).then_some(()));
    drop(desk);
}

#[test]
fn what_a_dead_program_set_is_set_back_at_the_prompt() {
    let Some((place, display)) = prepared() else { return };
    let desk = Desk::open(&place, &display);
    let cells = desk.cells();
    // Mouse, motion, focus, pastes, application keys, kitty keyboard, no wrap, no cursor, a character set
    // of lines, origin and margins, insert, reverse, new line, alternate screen.
    let script = place.script(
        "bin/dies",
        "#!/bin/sh\nprintf '\\033[?1000h\\033[?1002h\\033[?1003h\\033[?1006h\\033[?1016h\\033[?1004h\
         \\033[?2004h\\033[?1h\\033=\\033[>31u\\033[?7l\\033[?25l\\033(0\\033[5;9r\\033[?6h\\033[4h\
         \\033[?5h\\033[20h\\033[?2031h\\033[?2048h\\033[?9001h\\033[?69h\\033[10;20s\\033[?1049h'\n\
         kill -9 $$\n",
    );
    let _ =
        place.ok(&["terminal", "send", &desk.terminal, &script.display().to_string(), "--enter"]);
    until("it is dead and the shell has its prompt", || {
        let modes = desk.shown()["modes"].clone();
        let off = ["mouse", "mouse_motion", "kitty_keyboard", "focus_events", "alt_screen"];
        off.iter().all(|mode| modes[*mode] == false).then_some(())
    });
    let _ = display.settled();
    // It was told its size and has not read it; nobody can take that out of the line again but its user.
    display.key("ctrl+c");
    let _ = display.settled();
    display.types("clear; echo it works: $((6*7))");
    display.key("Return");
    let text = place.shows(&desk.terminal, "it works: 42");
    assert!(text.starts_with("it works: 42\n"), "in letters, from the first column: {text}");
    let _ = display.settled();
    assert!(desk.shown()["cursor"]["row"].is_u64(), "the cursor is shown");
    desk.drags(cells.at(0, 0), cells.end(0, 7));
    display.key("ctrl+shift+c");
    desk.clipboard_becomes("it works");
    // A long line wraps.
    display.types("clear; printf '%0300d' 7");
    display.key("Return");
    let _ = place.shows(&desk.terminal, "07ready>");
}

#[test]
fn a_window_killed_in_the_middle_of_a_paste_leaves_a_host_that_works() {
    let Some((place, display)) = prepared() else { return };
    let desk = Desk::open(&place, &display);
    let size = 16 << 20;
    desk.set_clipboard(&vec![b'x'; size]);
    let got = place.path("got");
    let go = place.path("go");
    let command = format!(
        "clear; stty raw -echo; printf g%s o; while [ ! -e {} ]; do sleep 0.1; done; cat > {}",
        go.display(),
        got.display()
    );
    let _ = place.ok(&["terminal", "send", &desk.terminal, &command, "--enter"]);
    let _ = place.shows(&desk.terminal, "go");
    let _ = display.settled();
    let host = place.host();
    display.key("ctrl+shift+v");
    until("it is being pasted", || {
        let list = place.json(&["terminal", "list"]);
        (!list[0]["pasting"].is_null()).then_some(())
    });
    let Desk { window, terminal, .. } = desk;
    window.kill();
    // Somebody else goes on meanwhile, and the rest of it still arrives.
    let other = place.ok(&["terminal", "new", "--", "sh", "-c", "echo $((40+2)); exec cat"]);
    let _ = place.shows(&other, "42");
    fs::write(&go, "").expect("written");
    until("all of it arrives", || {
        fs::metadata(&got).is_ok_and(|got| got.len() == size as u64).then_some(())
    });
    assert_eq!(place.host(), host);
    let list = place.json(&["terminal", "list"]);
    assert!(list[0]["pasting"].is_null(), "{list}");
    let _ = place.ok(&["terminal", "close", &terminal]);
}

#[test]
fn new_output_is_announced_while_one_reads() {
    let Some((place, display)) = prepared() else { return };
    let desk = Desk::open(&place, &display);
    desk.runs("seq 1 500; read -r _; seq 501 600", "\n500");
    let _ = display.settled();
    display.key("shift+Prior");
    let there = until("it shows older rows", || Some(desk.offset()).filter(|offset| *offset > 0));
    let before = display.settled();
    let _ = place.ok(&["terminal", "send", &desk.terminal, "-e", "\\r"]);
    let unseen = until("new rows are counted", || {
        desk.shown()["scroll"]["unseen"].as_u64().filter(|rows| *rows >= 100)
    });
    assert!(unseen < 110, "{unseen}");
    assert_eq!(desk.offset(), there + unseen, "what one reads stays where it is");
    let after = display.settled();
    let part = different(&before, &after);
    assert!(part > 0.0002 && part < 0.05, "a mark, and nothing else: {part}");
    display.key("ctrl+shift+End");
    until("the bottom", || (desk.offset() == 0).then_some(()));
    drop(desk);
}

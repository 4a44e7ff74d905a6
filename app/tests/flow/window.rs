//! The real window on a display of its own, with a window manager, driven by keys.

mod branches;
mod device;
mod drop;
mod files;
mod hands;
mod orders;
mod rooms;
mod runs;
mod settings;
mod summon;
mod talk;
mod terminal;
mod wayland;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::place::{DEADLINE, Place, kill, lives, until, wait};

/// A display that nobody sees, and the program that manages its windows.
pub struct Display {
    name: String,
    server: Child,
    manager: Child,
}

impl Display {
    /// Nothing, said loudly, where the machine lacks something.
    pub fn new(place: &Place) -> Option<Self> {
        let missing = ["Xvfb", "openbox", "xdotool", "import"].into_iter().find(|tool| {
            !["/usr/bin", "/usr/local/bin", "/bin"]
                .iter()
                .any(|dir| Path::new(dir).join(tool).exists())
        });
        if let Some(missing) = missing {
            eprintln!(
                "SKIPPED: the window: there is no `{missing}` (apt install xvfb openbox xdotool imagemagick)"
            );
            return None;
        }
        let mut server = place
            .program("Xvfb")
            .args([
                "-displayfd",
                "1",
                "-screen",
                "0",
                "1600x1000x24",
                "-nolisten",
                "tcp",
                "-noreset",
            ])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb starts");
        let mut number = String::new();
        let _ = BufReader::new(server.stdout.take().expect("piped"))
            .read_line(&mut number)
            .expect("it says which display it is");
        let name = format!(":{}", number.trim());
        let manager = place
            .program("openbox")
            .env("DISPLAY", &name)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("openbox starts");
        let display = Self { name, server, manager };
        // A manager that is there answers; before that a window would get no keyboard.
        until("the window manager is there", || {
            let root =
                Command::new("xdotool").env("DISPLAY", &display.name).arg("get_desktop").output();
            root.is_ok_and(|output| output.status.success()).then_some(())
        });
        Some(display)
    }

    fn xdotool(&self, args: &[&str]) -> String {
        let output = Command::new("xdotool")
            .env("DISPLAY", &self.name)
            // It reads what it is to type by the locale.
            .env("LC_ALL", "C.UTF-8")
            .args(args)
            .output()
            .expect("it runs");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    pub fn key(&self, key: &str) {
        let _ = self.xdotool(&["key", "--clearmodifiers", key]);
    }

    pub fn types(&self, text: &str) {
        let _ = self.xdotool(&["type", "--clearmodifiers", "--delay", "15", text]);
    }

    /// What is on the display, as bytes of red, green and blue.
    fn picture(&self) -> Vec<u8> {
        self.picture_of("root", "100%x100%+0+0")
    }

    fn picture_of(&self, window: &str, part: &str) -> Vec<u8> {
        let shot = Command::new("import")
            .env("DISPLAY", &self.name)
            .args(["-window", window, "-crop", part, "-depth", "8", "rgb:-"])
            .output()
            .expect("it runs");
        shot.stdout
    }

    /// The larger part of our window, wherever the window manager has put it: all but the right side,
    /// where messages come and go.
    fn inside(&self) -> Vec<u8> {
        let found = self.xdotool(&["search", "--onlyvisible", "--class", "maestro"]);
        found
            .lines()
            .last()
            .map(|window| self.picture_of(window, "1000x900+0+0"))
            .unwrap_or_default()
    }

    /// Waits until nothing but a cursor changes any more, and gives what is to be seen.
    pub fn settled(&self) -> Vec<u8> {
        let mut last = self.picture();
        until("the window settles", || {
            std::thread::sleep(Duration::from_millis(250));
            let now = self.picture();
            let same = !now.is_empty() && different(&last, &now) < 0.002;
            last = now;
            same.then(|| last.clone())
        })
    }

    /// Leaves a picture for whoever looks at a failure.
    pub fn keep(&self, name: &str) {
        let path = std::env::temp_dir().join(format!("flow-{name}.png"));
        let _ = Command::new("import")
            .env("DISPLAY", &self.name)
            .args(["-window", "root"])
            .arg(&path)
            .status();
        eprintln!("what was to be seen: {}", path.display());
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        for child in [&mut self.manager, &mut self.server] {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The part of the pixels that differ visibly.
fn different(one: &[u8], other: &[u8]) -> f64 {
    if one.len() != other.len() || one.is_empty() {
        return 1.0;
    }
    let pairs = one.chunks(3).zip(other.chunks(3));
    let changed = pairs
        .filter(|(one, other)| one.iter().zip(*other).any(|(a, b)| a.abs_diff(*b) > 12))
        .count();
    changed as f64 / (one.len() / 3) as f64
}

/// An open window; killed with the test.
pub struct Window<'a> {
    display: &'a Display,
    child: Child,
}

impl<'a> Window<'a> {
    /// Starts one, and does not wait until it is there.
    pub fn start(place: &Place, display: &'a Display, directory: &Path) -> Self {
        let mut command = place.command(Vec::<&str>::new());
        let _ = command.current_dir(directory);
        Self::begin(place, display, command)
    }

    fn begin(place: &Place, display: &'a Display, mut command: Command) -> Self {
        let log = fs::File::create(place.path("window.log")).expect("made");
        let child = command
            .env("DISPLAY", &display.name)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("started");
        Self { display, child }
    }

    fn open(place: &Place, display: &'a Display, directory: &Path) -> Self {
        let empty = display.picture();
        Self::start(place, display, directory).appears(place, &empty)
    }

    /// One that is started by this, and is there.
    pub fn of(place: &Place, display: &'a Display, command: Command) -> Self {
        let empty = display.picture();
        Self::begin(place, display, command).appears(place, &empty)
    }

    fn appears(mut self, place: &Place, empty: &[u8]) -> Self {
        let display = self.display;
        let window = &mut self;
        until("the window is there", || {
            assert!(matches!(window.child.try_wait(), Ok(None)), "{}", place.read("window.log"));
            let found = display.xdotool(&["search", "--onlyvisible", "--class", "maestro"]);
            (!found.is_empty() && different(empty, &display.picture()) > 0.2).then_some(())
        });
        self
    }

    pub fn kill(mut self) {
        kill(self.child.id() as i32);
        let _ = self.child.wait();
    }

    /// Waits for its own end.
    fn ends(mut self) -> Option<i32> {
        wait(&mut self.child, DEADLINE)
    }

    /// Presses a key until it has changed a good part of what is to be seen.
    fn key_changes(&self, key: &str, part: f64) {
        let before = self.display.settled();
        self.display.key(key);
        until("the key does something", || {
            (different(&before, &self.display.picture()) > part).then_some(())
        });
        let _ = self.display.settled();
    }
}

impl Drop for Window<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.display.keep("window");
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_window_is_worked_with_killed_and_opened_again() {
    let mut place = Place::new();
    let Some(display) = Display::new(&place) else { return };
    let repository = place.repository("shop");
    place.set("XDG_RUNTIME_DIR", place.user());
    let window = Window::open(&place, &display, &repository);
    let _ = until("it has started a host", || place.host());

    // Ctrl+N: the dialog knows the directory; the branch has the keyboard.
    window.key_changes("ctrl+n", 0.05);
    display.types("feat/typed");
    let agents = || place.json(&["agent", "list"]).as_array().cloned().unwrap_or_default();
    let agent = until("an agent is made", || {
        display.key("Return");
        std::thread::sleep(Duration::from_secs(1));
        agents().first().cloned()
    });
    assert_eq!((&agent["provider"], &agent["branch"]), (&json!("demo"), &json!("feat/typed")));
    let name = agent["name"].as_str().expect("a name").to_owned();
    let ai = until("it has a terminal", || {
        place.json(&["agent", "show", &name])["ai_terminal"].as_str().map(str::to_owned)
    });
    let _ = place.shows(&ai, "emo");

    // What is typed arrives, and its echo is on the display.
    let before = display.settled();
    display.types("hello from the keyboard");
    let _ = place.shows(&ai, "hello from the keyboard");
    let after = display.settled();
    let part = different(&before, &after);
    assert!(part > 0.0001 && part < 0.2, "the echo is to be seen, and little else: {part}");

    // Ctrl+J: a shell in the same worktree, and back.
    display.key("ctrl+j");
    let shell = until("it has a shell", || {
        place.json(&["agent", "show", &name])["shell_terminal"].as_str().map(str::to_owned)
    });
    let _ = display.settled();
    display.types("echo $((6*7)); pwd");
    display.key("Return");
    let shown = place.shows(&shell, "\n42");
    assert!(shown.replace('\n', "").contains("feat-typed"), "{shown}");
    display.types("seq 1 900");
    display.key("Return");
    let _ = place.shows(&shell, "\n900");
    let _ = display.settled();

    // Some way up in what scrolled away.
    let offset =
        || place.json(&["terminal", "show", &shell])["scroll"]["offset"].as_u64().unwrap_or(0);
    display.key("ctrl+shift+Home");
    let top = until("it shows the oldest rows", || Some(offset()).filter(|offset| *offset > 500));
    display.key("shift+Next");
    let there = until("it shows newer rows", || Some(offset()).filter(|offset| *offset < top));
    let _ = display.settled();
    let picture = display.inside();

    let pids = || -> Vec<(String, i64)> {
        let list = place.json(&["terminal", "list"]);
        let pair = |info: &Value| Some((info["id"].as_str()?.to_owned(), info["pid"].as_i64()?));
        list.as_array().into_iter().flatten().filter_map(pair).collect()
    };
    let (host, before) = (place.host(), pids());
    assert_eq!(before.len(), 2);
    window.kill();
    assert_eq!((place.host(), pids(), offset()), (host, before.clone(), there));

    let opened = Instant::now();
    let window = Window::open(&place, &display, &repository);
    until("everything is back where it was", || {
        (different(&picture, &display.inside()) < 0.002).then_some(())
    });
    eprintln!("back after {:?}", opened.elapsed());
    assert_eq!((place.host(), pids(), offset()), (host, before.clone(), there));
    // The pane that had the keyboard has it again.
    display.types("echo back $((40+4))");
    display.key("Return");
    let _ = place.shows(&shell, "\nback 44");
    window.key_changes("ctrl+j", 0.001);
    display.types(" and more");
    let _ = place.shows(&ai, "hello from the keyboard and more");

    display.key("ctrl+shift+q");
    assert_eq!(window.ends(), Some(0), "{}", place.read("window.log"));
    assert_eq!((place.host(), pids()), (host, before.clone()));
    assert!(before.iter().all(|(_, pid)| lives(*pid as i32)));
}

#[test]
fn the_window_managers_close_button_closes_it() {
    let mut place = Place::new();
    let Some(display) = Display::new(&place) else { return };
    let repository = place.repository("shop");
    place.set("XDG_RUNTIME_DIR", place.user());
    let window = Window::open(&place, &display, &repository);
    let _ = display.settled();
    display.key("alt+F4");
    assert_eq!(window.ends(), Some(0), "{}", place.read("window.log"));
}

#[test]
fn a_window_with_one_command_ends_with_it() {
    let mut place = Place::new();
    let Some(display) = Display::new(&place) else { return };
    place.set("XDG_RUNTIME_DIR", place.user());
    place.set("DISPLAY", &display.name);
    let mut command =
        place.command(["term", "--", "sh", "-c", "read line; echo \"$line\" > typed; exit 3"]);
    let mut child =
        command.current_dir(place.root()).stderr(Stdio::null()).spawn().expect("started");
    until("the window is there", || {
        let found = display.xdotool(&["search", "--onlyvisible", "--class", "maestro"]);
        (!found.is_empty()).then_some(())
    });
    let _ = display.settled();
    display.types("typed into it");
    display.key("Return");
    assert_eq!(wait(&mut child, DEADLINE), Some(3));
    assert_eq!(place.read("typed"), "typed into it\n");
}

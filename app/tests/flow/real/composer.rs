//! What a user does in a provider's own composer, before anything is sent: a new line by Shift+Enter,
//! pastes of one line, of three and of a million characters, an image. The keys are the events a
//! window sends, so that what reaches the program is what its keyboard mode asks for.

use std::thread;

use maestro_core::TerminalId;
use maestro_core::input::{Action, Code, Input, Key, Mods};
use maestro_protocol::client::{Blocking, Start};
use maestro_protocol::message::{Command, Reply, ToHost};

use super::*;

/// As large as Codex takes a message.
const LARGE: usize = 1 << 20;

/// A provider's program in a terminal, and a connection such as a window has.
struct Composer {
    world: World,
    /// The agent, or the terminal where there is none.
    name: String,
    link: Blocking,
    relay: Child,
    terminal: TerminalId,
    seq: u64,
}

impl Composer {
    /// An agent of a provider. Nothing, said loudly, where the machine lacks something.
    fn agent(provider: &str, ready: &str) -> Option<Self> {
        let world = World::new(provider)?;
        let dir = world.repository().display().to_string();
        let _ = world.ok(&["agent", "new", "it", "-p", provider, "-d", &dir, "--size", "120x40"]);
        let agent = world.json(&["agent", "show", "it"]);
        let terminal = agent["ai_terminal"].as_str().expect("a terminal").to_owned();
        Some(Self::at(world, "it", &terminal, ready))
    }

    /// The same program in a terminal of the user's own, which says no more of itself than any.
    fn in_terminal(provider: &str, ready: &str) -> Option<Self> {
        let world = World::new(provider)?;
        let dir = world.repository().display().to_string();
        let new = ["terminal", "new", "-d", &dir, "--size", "120x40", "-e", "TERM_PROGRAM=xterm"];
        let id = world.ok(&[&new[..], &["--", provider]].concat());
        Some(Self::at(world, &id, &id, ready))
    }

    fn at(world: World, name: &str, terminal: &str, ready: &str) -> Self {
        // Some ask only after they have drawn their first screen.
        let mut since = Instant::now();
        let _ = answering(&world, name, "its interface is drawn", |screen| {
            if question(screen).is_some() || !screen.contains(ready) {
                since = Instant::now();
            }
            since.elapsed() > Duration::from_secs(2)
        });
        let (link, relay) = connect(&world);
        let terminal = terminal.parse().expect("an id");
        let mut composer = Self { world, name: name.to_owned(), link, relay, terminal, seq: 0 };
        composer.input(Input::Focus(true));
        composer
    }

    fn input(&mut self, input: Input) {
        self.seq += 1;
        let message = ToHost::Input { terminal: self.terminal, seq: self.seq, input };
        self.link.send(&message).expect("the host reads");
    }

    fn request(&mut self, command: Command) -> Reply {
        self.link.request(command, STEP).expect("the host does it")
    }

    /// A key goes down and up.
    fn press(&mut self, code: Code, text: &str, mods: Mods) {
        for action in [Action::Press, Action::Release] {
            let text = if action == Action::Press { text.to_owned() } else { String::new() };
            let key = Key { code, mods, text, action, base: None, shifted: None, keypad: false };
            self.input(Input::Key(key));
        }
    }

    fn types(&mut self, text: &str) {
        for c in text.chars() {
            self.press(Code::Char(c), &c.to_string(), Mods::default());
        }
    }

    fn shift_enter(&mut self) {
        let shift = Mods { shift: true, ..Mods::default() };
        let key = |code, mods, action| {
            let text = String::new();
            Input::Key(Key { code, mods, text, action, base: None, shifted: None, keypad: false })
        };
        self.input(key(Code::Shift, Mods::default(), Action::Press));
        self.press(Code::Enter, "\r", shift);
        self.input(key(Code::Shift, shift, Action::Release));
    }

    fn shows(&self, what: &str, mut holds: impl FnMut(&str) -> bool) -> String {
        let limit = Instant::now() + STEP;
        loop {
            let screen = self.world.screen(&self.name);
            if holds(&screen) {
                return screen;
            }
            assert!(Instant::now() < limit, "too late: {what}; the screen:\n{screen}");
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// Presses Enter and waits for the model's answer, told apart from what asked for it.
    fn sends(&mut self, answer: &str) {
        self.press(Code::Enter, "\r", Mods::default());
        let asked = format!("{answer}]]");
        let _ = self.shows("the answer", |screen| told(screen, answer) > told(screen, &asked));
        let mut last = (String::new(), Instant::now());
        let _ = self.shows("nothing moves any more", |screen| {
            if screen != last.0 {
                last = (screen.to_owned(), Instant::now());
            }
            last.1.elapsed() > Duration::from_secs(1)
        });
    }

    /// What the model was asked so far, whole.
    fn asked(&self) -> String {
        fs::read_to_string(self.world.place.path("requests.jsonl")).unwrap_or_default()
    }

    fn modes(&self) -> Value {
        self.world.json(&["terminal", "show", &self.name])["modes"].clone()
    }
}

impl Drop for Composer {
    fn drop(&mut self) {
        let _ = self.relay.kill();
        let _ = self.relay.wait();
    }
}

/// Hands everything on between two sockets, `$1` to `$2`.
const RELAY: &str = r"
import socket, sys, threading

def pump(one, other):
    while data := one.recv(1 << 16):
        other.sendall(data)
    other.shutdown(socket.SHUT_WR)

here = socket.socket(socket.AF_UNIX)
here.bind(sys.argv[1])
here.listen()
client, _ = here.accept()
host = socket.socket(socket.AF_UNIX)
host.connect(sys.argv[2])
threading.Thread(target=pump, args=(host, client), daemon=True).start()
pump(client, host)
";

/// The host listens to its own user only, and only to processes that it can see: somebody in there
/// connects for us.
pub(super) fn connect(world: &World) -> (Blocking, Child) {
    let ours = world.place.path("relay");
    let home = maestro_protocol::Home::at(&ours).expect("absolute");
    let socket = home.socket();
    fs::create_dir_all(socket.parent().expect("a folder")).expect("made");
    give(&ours);
    let mut relay = world.place.program("python3");
    let _ = relay.args(["-c", RELAY]).arg(&socket).arg(world.place.home().socket());
    let relay = relay.spawn().expect("started");
    until("the relay is there", || socket.exists().then_some(()));
    (Blocking::connect(&home, &Start::Never).expect("the host answers"), relay)
}

/// What stands in the composer and elsewhere, line by line without frames, marks and blanks.
fn lines(screen: &str) -> Vec<String> {
    let bare = |line: &str| line.replace(['│', '┃', '❯', '›', '>'], " ").trim().to_owned();
    screen.lines().map(bare).filter(|line| !line.is_empty()).collect()
}

fn stand_below_each_other(screen: &str, words: &[&str]) -> bool {
    lines(screen).windows(words.len()).any(|lines| lines == words)
}

pub(super) fn picture() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 64, 48);
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header().expect("in memory");
    writer.write_image_data(&[200, 30, 30].repeat(64 * 48)).expect("in memory");
    writer.finish().expect("in memory");
    bytes
}

/// What a provider shows, and for what was pasted.
struct Shown<'a> {
    ready: &'a str,
    /// For three lines, where it is not the lines themselves.
    lines: Option<&'a str>,
    large: &'a str,
    image: &'a str,
}

/// Shift+Enter is a new line, and Enter alone sends both.
fn a_new_line(it: &mut Composer) {
    it.types("upper");
    let _ = it.shows("a word", |screen| lines(screen).iter().any(|line| line == "upper"));
    it.shift_enter();
    it.types("lower");
    let _ = it.shows("two lines", |screen| stand_below_each_other(screen, &["upper", "lower"]));
    assert!(!it.asked().contains("upper"), "nothing is sent");
    it.sends("Echo: upper");
    assert!(it.asked().contains("upper\\nlower"), "both lines in one message");
}

fn composes(provider: &str, shown: &Shown<'_>) {
    let Some(mut it) = Composer::agent(provider, shown.ready) else { return };
    assert_eq!(it.modes()["bracketed_paste"], true);
    assert_eq!(it.modes()["kitty_keyboard"], true, "it asks for it because of who we say we are");
    a_new_line(&mut it);

    // Three lines arrive as they are, and wait for Enter.
    it.input(Input::Paste("one of three\ntwo of three\n[[text Three lines came.]]".to_owned()));
    let _ = it.shows("what was pasted", |screen| match shown.lines {
        Some(words) => screen.contains(words),
        None => stand_below_each_other(screen, &["one of three", "two of three"]),
    });
    thread::sleep(Duration::from_millis(500));
    assert!(!it.asked().contains("of three"), "nothing is sent");
    it.sends("Three lines came.");
    let asked = it.asked();
    assert!(asked.contains("one of three\\ntwo of three\\n[[text"), "in one message");

    // An image is handed over the way this program takes one.
    it.types("[[text Saw it.]] ");
    let _ = it.request(Command::PasteImage { terminal: it.terminal, png: picture() });
    let _ = it.shows("a place for the image", |screen| screen.contains(shown.image));
    it.sends("Saw it.");
    let signature = "iVBORw0KGgo";
    assert!(it.asked().contains(signature), "a PNG file in base 64");

    // A million characters: somebody else's terminal goes on meanwhile, and all of them arrive.
    let shell = it.world.ok(&["terminal", "new", "--", "sh"]);
    it.input(Input::Paste(large("[[text All of it came.]]")));
    let _ = it.world.ok(&["terminal", "send", &shell, "echo $((40+2))", "--enter"]);
    until("the other terminal answers", || it.world.screen(&shell).contains("\n42").then_some(()));
    let _ = it.shows("the large paste", |screen| screen.contains(shown.large));
    it.sends("All of it came.");
    let asked = it.asked();
    for line in ["line 0 of", "line 10000 of", "line 20000 of"] {
        assert!(asked.contains(line), "{line}");
    }
}

/// Lines of text as large as the largest message, with this at its end.
fn large(end: &str) -> String {
    let mut text = String::with_capacity(LARGE);
    for number in 0.. {
        let line = format!("line {number} of many, with something to read in it\n");
        if text.len() + line.len() + end.len() > LARGE {
            break;
        }
        text.push_str(&line);
    }
    text + end
}

#[test]
fn claude_code_takes_lines_pastes_and_images() {
    let (large, image) = ("[Pasted text #", "[Image #");
    composes("claude", &Shown { ready: "? for shortcuts", lines: None, large, image });
}

#[test]
fn codex_takes_lines_pastes_and_images() {
    let (large, image) = ("[Pasted Content", "[Image #");
    composes("codex", &Shown { ready: "? for shortcuts", lines: None, large, image });
}

#[test]
fn opencode_takes_lines_pastes_and_images() {
    let (lines, large, image) = (Some("[Pasted ~3 lines]"), "[Pasted ~", "[Image ");
    composes("opencode", &Shown { ready: "Ask anything", lines, large, image });
}

#[test]
fn claude_code_takes_a_new_line_without_the_kitty_keyboard() {
    let Some(mut it) = Composer::in_terminal("claude", "? for shortcuts") else { return };
    assert_eq!(it.modes()["kitty_keyboard"], false);
    a_new_line(&mut it);
}

//! Drives vttest through its menus inside our own terminal and records what it prints, so that the tests
//! replay it without vttest: `apt-get install vttest`, then
//!
//! ```text
//! cargo run -p maestro-terminal --example vttest            # all recordings, into tests/fixtures/vttest
//! cargo run -p maestro-terminal --example vttest -- cursor  # one of them
//! cargo run -p maestro-terminal --example vttest -- --try 11 6   # look around: a menu, shown and not kept
//! ```
//!
//! What vttest waits for decides when it gets more, and no clock does: it has come to a stop when the
//! system says that it is reading its terminal and everything it printed has been read. A recording is
//! `NAME.raw` and `NAME.json`, which has every stop: how many bytes had come, what was sent then, and what
//! the terminal itself had answered up to there.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use maestro_core::screen::Size;
use maestro_pty::{Grace, Marker, Pty, Spawn};
use maestro_terminal::{Options, Outbox, Terminal, text};
use serde_json::{Value, json};

/// Which menus are walked: a recording's name, the way to its menu, and what is chosen there one after
/// the other. Left out are tests of what a person types (keyboard, mouse), of VT52 mode and of
/// double-width lines, which no terminal of today is asked for.
const SCRIPTS: &[(&str, &[&str], &[&str])] = &[
    ("cursor", &[], &["1"]),
    ("screen", &[], &["2"]),
    ("charsets", &[], &["3"]),
    ("reports", &["6"], &["1", "2", "3", "4", "5", "6", "7"]),
    ("insert-delete", &[], &["8"]),
    ("known-bugs", &["9"], &["1", "2", "3", "4", "6", "7", "9"]),
    ("reset", &["10"], &["1", "3"]),
    ("vt220-reports", &["11", "1", "1", "1"], &["1", "2", "3", "4"]),
    ("vt220-screen", &["11", "1", "2"], &["1", "2", "3", "4"]),
    ("vt220-reset", &["11", "1"], &["6"]),
    ("vt320-cursor", &["11", "2", "2"], &["1", "2"]),
    ("vt320-reports", &["11", "2", "5", "2"], &["2", "3", "4", "5", "6"]),
    ("vt320-states", &["11", "2", "5", "3"], &["1", "3", "1", "2", "0", "6", "3", "5", "7", "8"]),
    ("vt420-cursor", &["11", "3", "2"], &["7", "8", "9", "10", "2", "9", "10"]),
    ("vt420-editing", &["11", "3", "3"], &["6", "7", "8", "9", "10", "11", "12", "13"]),
    ("vt520-reports", &["11", "4", "5", "2"], &["2", "1", "2", "0", "3", "8"]),
    ("vt520-cursor-style", &["11", "4", "6"], &["2"]),
    ("iso6429-cursor", &["11", "5"], &["1", "2", "3", "4", "5", "6", "7", "8", "9"]),
    ("iso6429-colors", &["11", "6"], &["2", "3", "4", "5", "8", "9"]),
    ("iso6429-colored-edit", &["11", "6"], &["2", "6", "1", "2", "3", "0", "7", "2", "3", "6"]),
    ("iso6429-other", &["11", "7"], &["1", "2", "0", "2", "3", "4", "5", "6"]),
    ("xterm", &["11", "8"], &["2", "2", "0", "3:A title", "7", "3", "4", "5", "0", "9"]),
];

/// How long vttest may take for one step. Some of its tests take their time on purpose.
const DEADLINE: Duration = Duration::from_secs(90);

/// How long it may take for input to be read that is not thrown away.
const PATIENCE: Duration = Duration::from_secs(1);

/// What vttest prints last before it waits for its user.
const PROMPTS: [&[u8]; 2] = [b"Push <RETURN>", b"): "];

const SIZE: (u16, u16) = (80, 24);

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.first().is_some_and(|first| first == "--try") {
        let path: Vec<&str> = args[1..].iter().map(String::as_str).collect();
        let (items, menu) =
            path.split_last().map_or((None, &[][..]), |(last, menu)| (Some(*last), menu));
        let run = Run::record(menu, items.as_slice(), true)?;
        println!("{} bytes, {} stops", run.bytes.len(), run.stops.len());
        return Ok(());
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/vttest");
    std::fs::create_dir_all(&folder)?;
    for (name, menu, items) in SCRIPTS {
        if args.is_empty() || args.iter().any(|arg| arg == name) {
            let mut run = Run::record(menu, items, std::env::var_os("LOUD").is_some())?;
            run.keep(&folder.join(name))?;
            println!("{name}: {} bytes, {} stops", run.bytes.len(), run.stops.len());
        }
    }
    Ok(())
}

struct Run {
    pty: Pty,
    terminal: Terminal,
    out: Outbox,
    bytes: Vec<u8>,
    /// What the terminal answered since the last stop.
    replies: Vec<u8>,
    /// What vttest had read when it was last given something.
    had_read: Option<u64>,
    given: Instant,
    stops: Vec<Value>,
    loud: bool,
}

impl Run {
    fn record(menu: &[&str], items: &[&str], loud: bool) -> Result<Self, Box<dyn Error>> {
        let size = Size::new(SIZE.0, SIZE.1);
        let spawn = Spawn {
            name: "vttest".to_owned(),
            program: "vttest".into(),
            // Without 132 columns: a window has the width its user gave it.
            args: vec!["24x80.80".into()],
            directory: PathBuf::from("/"),
            env: vec![
                ("PATH".into(), std::env::var_os("PATH").unwrap_or_default()),
                ("TERM".into(), "xterm-256color".into()),
                ("LANG".into(), "C".into()),
            ],
            marker: Marker::default(),
            size,
        };
        let mut run = Self {
            pty: Pty::spawn(spawn, Arc::new(|| {}))?,
            terminal: Terminal::new(Options::new(size)),
            out: Outbox::new(),
            bytes: Vec::new(),
            replies: Vec::new(),
            had_read: None,
            given: Instant::now(),
            stops: Vec::new(),
            loud,
        };
        run.wait()?;
        for choice in menu {
            run.choose(choice)?;
        }
        for item in items {
            run.choose(item)?;
        }
        run.pty.close(Grace { hangup: Duration::ZERO, terminate: Duration::from_secs(1) });
        Ok(run)
    }

    /// Chooses from a menu (`CHOICE`, or `CHOICE:ANSWER` where it asks something) and goes through everything that comes, until there is a menu again.
    fn choose(&mut self, choice: &str) -> Result<(), Box<dyn Error>> {
        let (choice, answer) = choice.split_once(':').unwrap_or((choice, ""));
        self.send(&format!("{choice}\r"))?;
        if !answer.is_empty() {
            self.send(&format!("{answer}\r"))?;
        }
        for _ in 0..200 {
            if self.last_line().trim_start().starts_with("Enter choice number") {
                return Ok(());
            }
            self.send("\r")?;
        }
        Err(format!("choice {choice} leads to no menu").into())
    }

    fn send(&mut self, keys: &str) -> Result<(), Box<dyn Error>> {
        self.stop(keys);
        self.give(keys.as_bytes())?;
        self.wait()
    }

    fn stop(&mut self, sent: &str) {
        let replies = String::from_utf8_lossy(&std::mem::take(&mut self.replies)).into_owned();
        if self.loud {
            println!("=== replies {replies:?}, then sent {sent:?}");
        }
        self.stops.push(json!({ "at": self.bytes.len(), "replies": replies, "sent": sent }));
    }

    /// Until vttest waits for its user.
    fn wait(&mut self) -> Result<(), Box<dyn Error>> {
        let deadline = Instant::now() + DEADLINE;
        let before = self.bytes.len();
        let mut quiet = 0;
        loop {
            if let Some(code) = self.pty.exit() {
                return Err(format!("vttest ended with {code}").into());
            }
            let waits = self.waits();
            let took = self.take()?;
            quiet = if waits && !took { quiet + 1 } else { 0 };
            // The kernel hands on what was written in its own time. The end of a prompt says that all is
            // here; after anything else (a question that got no answer) look for longer.
            let prompted =
                self.bytes.len() > before && PROMPTS.iter().any(|end| self.bytes.ends_with(end));
            if quiet >= if prompted { 2 } else { 100 } {
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
            if Instant::now() > deadline {
                return Err("vttest does not come to a stop".into());
            }
        }
        if self.loud {
            print!("{}", text::plain(&self.terminal.screen(false).rows));
        }
        Ok(())
    }

    /// Writes to vttest and notes how much it had read before.
    fn give(&mut self, bytes: &[u8]) -> Result<(), Box<dyn Error>> {
        self.had_read = self.pty.pid().and_then(bytes_read);
        self.given = Instant::now();
        self.pty.write(bytes)?;
        Ok(())
    }

    /// Whether vttest waits for more than what it was given. What it throws away unread it will never
    /// have read; for that alone there is a time-out.
    fn waits(&self) -> bool {
        let Some(pid) = self.pty.pid() else { return false };
        let took = bytes_read(pid) > self.had_read || self.given.elapsed() > PATIENCE;
        took && reads_its_terminal(pid)
    }

    /// Reads what there is and gives back what the terminal answers.
    fn take(&mut self) -> Result<bool, Box<dyn Error>> {
        let mut took = false;
        while let Some(chunk) = self.pty.take() {
            took = true;
            self.bytes.extend_from_slice(&chunk);
            self.out.clear();
            self.terminal.advance(&chunk, &mut self.out);
            let replies = std::mem::take(&mut self.out.replies);
            if !replies.is_empty() {
                self.give(&replies)?;
                self.replies.extend_from_slice(&replies);
            }
        }
        Ok(took)
    }

    /// The line the cursor is in.
    fn last_line(&mut self) -> String {
        let screen = self.terminal.screen(false);
        let row = screen.cursor.map_or(0, |cursor| usize::from(cursor.row));
        screen.rows[row].text()
    }

    fn keep(&mut self, path: &Path) -> Result<(), Box<dyn Error>> {
        self.stop("");
        let about = json!({
            "program": "vttest 2.7 (20221229)",
            "cols": SIZE.0,
            "rows": SIZE.1,
            "stops": self.stops,
        });
        std::fs::write(path.with_extension("raw"), &self.bytes)?;
        std::fs::write(path.with_extension("json"), format!("{about:#}\n"))?;
        Ok(())
    }
}

/// Whether a process waits in `read` on its standard input.
fn reads_its_terminal(pid: u32) -> bool {
    let read = if cfg!(target_arch = "x86_64") { "0 0x0 " } else { "63 0x0 " };
    std::fs::read_to_string(format!("/proc/{pid}/syscall")).is_ok_and(|call| call.starts_with(read))
}

/// How many bytes a process has read so far.
fn bytes_read(pid: u32) -> Option<u64> {
    let io = std::fs::read_to_string(format!("/proc/{pid}/io")).ok()?;
    io.lines().next()?.strip_prefix("rchar: ")?.parse().ok()
}

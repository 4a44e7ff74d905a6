//! The terminal interface: a transcript, a prompt box and a line of hints, drawn with plain escape
//! sequences. Each frame is a list of rows; only rows that changed are printed, in one synchronized
//! update.

mod editor;
mod view;

use std::io::{IsTerminal, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use super::keys::{Decoder, Key};
use super::play::{End, Player, Progress};
use super::store::{Record, Session};
use super::{MODEL, Options, script};
use editor::Editor;
use view::{Entry, View};

/// How long a step takes, so that one sees something happen.
const PACE: Duration = Duration::from_millis(350);
/// How often the spinner turns.
const SPIN: Duration = Duration::from_millis(90);
/// How soon the second Ctrl+C has to follow.
const AGAIN: Duration = Duration::from_secs(3);

/// What wakes the interface up.
enum Wake {
    Bytes(Vec<u8>),
    Resized,
    Progress(Progress),
    Ended(End),
    Closed,
}

pub fn run(options: &Options, directory: &Path, home: &Path) -> i32 {
    if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        eprintln!(
            "error: the interface needs a terminal; for one turn use `maestro demo-agent exec`"
        );
        return 1;
    }
    let model = options.model.as_deref().unwrap_or(MODEL);
    let opened = match &options.resume {
        Some(id) => Session::resume(home, id)
            .ok_or_else(|| format!("there is no session {id} to go on with")),
        None => Session::open(home, directory, options.session.as_deref(), model)
            .map_err(|error| format!("the session cannot be kept in {}: {error}", home.display())),
    };
    let (session, records) = match opened {
        Ok(opened) => opened,
        Err(problem) => {
            eprintln!("error: {problem}");
            return 1;
        }
    };
    let id = session.id.clone();
    let screen = match Screen::open() {
        Ok(screen) => screen,
        Err(error) => {
            eprintln!("error: the terminal cannot be used: {error}");
            return 1;
        }
    };
    let (sender, wakes) = sync_channel(256);
    listen(&sender);
    let mut interface = Interface {
        session,
        sender,
        directory: directory.to_owned(),
        home: home.to_owned(),
        decoder: Decoder::default(),
        editor: Editor::default(),
        view: View::new(directory, model, &id),
        turn: None,
        asked_to_quit: None,
        call: None,
        screen,
    };
    interface.recall(records);
    interface.follow(&wakes);
    drop(interface);
    println!("Go on with this session by: maestro demo-agent --resume {id}");
    0
}

/// Starts the threads that wake the interface up.
fn listen(sender: &SyncSender<Wake>) {
    let keys = sender.clone();
    let _ = std::thread::Builder::new().name("demo-keys".into()).spawn(move || {
        let mut chunk = [0; 4096];
        while let Ok(count) = std::io::stdin().lock().read(&mut chunk) {
            if count == 0 || keys.send(Wake::Bytes(chunk[..count].to_vec())).is_err() {
                break;
            }
        }
        let _ = keys.send(Wake::Closed);
    });
    #[cfg(unix)]
    {
        let sizes = sender.clone();
        let _ = std::thread::Builder::new().name("demo-resize".into()).spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let Ok(runtime) = runtime else { return };
            runtime.block_on(async {
                use tokio::signal::unix::{SignalKind, signal};
                let Ok(mut changes) = signal(SignalKind::window_change()) else { return };
                while changes.recv().await.is_some() && sizes.send(Wake::Resized).is_ok() {}
            });
        });
    }
}

struct Interface {
    session: Session,
    sender: SyncSender<Wake>,
    directory: std::path::PathBuf,
    home: std::path::PathBuf,
    decoder: Decoder,
    editor: Editor,
    view: View,
    turn: Option<Turn>,
    asked_to_quit: Option<Instant>,
    call: Option<(&'static str, String)>,
    screen: Screen,
}

struct Turn {
    since: Instant,
    interrupt: Arc<AtomicBool>,
}

impl Interface {
    /// Shows what an earlier run of this session left.
    fn recall(&mut self, records: Vec<Record>) {
        for record in records {
            match record {
                Record::User { text } => {
                    self.editor.remember(&text);
                    self.view.entries.push(Entry::User(text));
                }
                Record::Assistant { text } => self.view.entries.push(Entry::Assistant(text)),
                Record::Tool { name, summary, output, is_error } => {
                    self.view.entries.push(Entry::Tool {
                        name,
                        summary,
                        result: Some((is_error, output)),
                        diff: Vec::new(),
                    });
                }
                Record::Session { .. } => {}
            }
        }
    }

    /// Lives until the user leaves or the terminal goes away.
    fn follow(&mut self, wakes: &Receiver<Wake>) {
        self.status("idle");
        loop {
            self.draw();
            let wake = if self.turn.is_some() {
                wakes.recv_timeout(SPIN)
            } else if let Some(asked) = self.asked_to_quit {
                wakes.recv_timeout(AGAIN.saturating_sub(asked.elapsed()))
            } else {
                wakes.recv().map_err(|_| RecvTimeoutError::Disconnected)
            };
            match wake {
                Ok(Wake::Bytes(bytes)) => {
                    for key in self.decoder.feed(&bytes) {
                        if !self.press(key) {
                            return;
                        }
                    }
                }
                Ok(Wake::Progress(progress)) => self.progress(progress),
                Ok(Wake::Ended(end)) => self.ended(end),
                Ok(Wake::Resized) => self.screen.forget(),
                Err(RecvTimeoutError::Timeout) => {
                    if self.asked_to_quit.is_some_and(|asked| asked.elapsed() >= AGAIN) {
                        self.asked_to_quit = None;
                    }
                }
                Ok(Wake::Closed) | Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Handles a key; `false` leaves.
    fn press(&mut self, key: Key) -> bool {
        let asked = self.asked_to_quit.take();
        match key {
            Key::Interrupt => {
                if asked.is_some_and(|asked| asked.elapsed() < AGAIN) {
                    return false;
                }
                self.asked_to_quit = Some(Instant::now());
                self.interrupt();
                self.editor.clear();
            }
            Key::Escape => self.interrupt(),
            Key::EndOfInput if self.editor.is_empty() => return false,
            Key::Redraw => self.screen.forget(),
            Key::PageUp => self.view.scroll_by(self.screen.page()),
            Key::PageDown => self.view.scroll_by(-self.screen.page()),
            Key::Enter if self.turn.is_none() => {
                if let Some(prompt) = self.editor.submit() {
                    match prompt.trim() {
                        "/quit" | "/exit" => return false,
                        _ => self.begin(prompt),
                    }
                }
            }
            Key::Enter => {}
            key => self.editor.press(&key),
        }
        true
    }

    fn interrupt(&self) {
        if let Some(turn) = &self.turn {
            turn.interrupt.store(true, Ordering::Relaxed);
        }
    }

    fn begin(&mut self, prompt: String) {
        self.session.add(&Record::User { text: prompt.clone() });
        self.view.entries.push(Entry::User(prompt.clone()));
        self.view.scroll = 0;
        let interrupt = Arc::new(AtomicBool::new(false));
        self.turn = Some(Turn { since: Instant::now(), interrupt: Arc::clone(&interrupt) });
        self.status("working");
        let (sender, directory, home) =
            (self.sender.clone(), self.directory.clone(), self.home.clone());
        let started = std::thread::Builder::new().name("demo-turn".into()).spawn(move || {
            let player = Player {
                directory: &directory,
                home: &home,
                interrupt: &interrupt,
                pace: PACE,
                ask: None,
                pieces: false,
            };
            let end = player.play(&script::read(&prompt), |progress| {
                let _ = sender.send(Wake::Progress(progress));
            });
            let _ = sender.send(Wake::Ended(end));
        });
        if started.is_err() {
            self.ended(End::Interrupted);
        }
    }

    fn progress(&mut self, progress: Progress) {
        match progress {
            Progress::Text(text) => {
                self.session.add(&Record::Assistant { text: text.clone() });
                self.view.entries.push(Entry::Assistant(text));
            }
            Progress::Thinking(text) => self.view.entries.push(Entry::Thinking(text)),
            Progress::Call { name, summary, .. } => {
                self.call = Some((name, summary.clone()));
                self.view.entries.push(Entry::Tool {
                    name: name.to_owned(),
                    summary,
                    result: None,
                    diff: Vec::new(),
                });
            }
            Progress::Result { is_error, output, diff: changes, .. } => {
                let (name, summary) = self.call.take().unwrap_or_default();
                self.session.add(&Record::Tool {
                    name: name.to_owned(),
                    summary,
                    output: output.clone(),
                    is_error,
                });
                if let Some(Entry::Tool { result, diff, .. }) = self.view.entries.last_mut() {
                    *result = Some((is_error, output));
                    *diff = changes;
                }
            }
            Progress::Garbage(line) => self.view.entries.push(Entry::Notice(line)),
            Progress::Usage(usage) => self.view.tokens = usage.input_tokens + usage.output_tokens,
            Progress::Retrying { because, .. } => {
                self.view.entries.push(Entry::Notice(format!("Waiting: {because}.")));
            }
            Progress::Todo(list) => self.view.entries.push(Entry::Notice(
                list.into_iter().map(|item| item.text).collect::<Vec<_>>().join(" · "),
            )),
            Progress::Changed(_)
            | Progress::Piece(_)
            | Progress::Edited { .. }
            | Progress::Title(_)
            | Progress::Context { .. }
            | Progress::Limit { .. } => {}
        }
    }

    fn ended(&mut self, end: End) {
        self.turn = None;
        match end {
            End::Done => {}
            End::Failed(failure) => self.view.entries.push(Entry::Problem(failure.message)),
            End::Interrupted => self.view.entries.push(Entry::Notice("Interrupted.".to_owned())),
            End::Exit(code) => {
                self.screen.close();
                std::process::exit(code);
            }
            End::Torn => {
                self.screen.close();
                std::process::exit(1);
            }
            End::Crash => super::crash(),
        }
        self.status("done");
    }

    /// Tells the terminal what we are doing: in the title and by OSC 7501, as Codex does.
    fn status(&mut self, state: &str) {
        let sign = if state == "working" { "⠿" } else { "✳" };
        let name = self.directory.file_name().map(|name| name.to_string_lossy().into_owned());
        let name: String = name.unwrap_or_default().chars().filter(|c| !c.is_control()).collect();
        self.screen.print(&format!(
            "\x1b]0;{sign} Demo agent · {name}\x07\x1b]7501;state={state};app=demo\x1b\\"
        ));
    }

    fn draw(&mut self) {
        let size = self.screen.size();
        let working = self.turn.as_ref().map(|turn| turn.since.elapsed());
        let (rows, cursor) =
            self.view.frame(size, &self.editor, working, self.asked_to_quit.is_some());
        self.screen.show(rows, cursor);
    }
}

/// The terminal, in raw mode and on its other screen until dropped.
struct Screen {
    shown: Vec<String>,
    size: (u16, u16),
    #[cfg(unix)]
    before: rustix::termios::Termios,
    open: bool,
}

impl Screen {
    #[cfg(unix)]
    fn open() -> std::io::Result<Self> {
        use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
        let stdin = std::io::stdin();
        let before = tcgetattr(&stdin)?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(&stdin, OptionalActions::Now, &raw)?;
        let screen = Self { shown: Vec::new(), size: (0, 0), before, open: true };
        // Other screen, bracketed paste, and keys that can be told apart (kitty's first flag).
        screen.print("\x1b[?1049h\x1b[?2004h\x1b[>1u\x1b[?25l");
        Ok(screen)
    }

    #[cfg(not(unix))]
    fn open() -> std::io::Result<Self> {
        let screen = Self { shown: Vec::new(), size: (0, 0), open: true };
        screen.print("\x1b[?1049h\x1b[?2004h\x1b[?25l");
        Ok(screen)
    }

    /// Columns and rows.
    #[cfg(unix)]
    fn size(&mut self) -> (u16, u16) {
        let size = rustix::termios::tcgetwinsize(std::io::stdout())
            .map(|size| (size.ws_col, size.ws_row))
            .ok()
            .filter(|(columns, rows)| *columns > 0 && *rows > 0)
            .unwrap_or((80, 24));
        if size != self.size {
            self.size = size;
            self.forget();
        }
        size
    }

    #[cfg(not(unix))]
    fn size(&mut self) -> (u16, u16) {
        self.size = (80, 24);
        self.size
    }

    /// Rows by which a page scrolls.
    fn page(&self) -> isize {
        isize::from(i16::try_from(self.size.1).unwrap_or(24)) / 2
    }

    /// Everything is printed again the next time.
    fn forget(&mut self) {
        self.shown.clear();
    }

    fn show(&mut self, rows: Vec<String>, cursor: (u16, u16)) {
        let mut out = String::from("\x1b[?2026h\x1b[?25l");
        if self.shown.is_empty() {
            out.push_str("\x1b[0m\x1b[2J");
        }
        for (number, row) in rows.iter().enumerate() {
            if self.shown.get(number) != Some(row) {
                out.push_str(&format!("\x1b[{};1H{row}\x1b[0m\x1b[K", number + 1));
            }
        }
        out.push_str(&format!("\x1b[{};{}H\x1b[?25h\x1b[?2026l", cursor.0 + 1, cursor.1 + 1));
        self.shown = rows;
        self.print(&out);
    }

    fn print(&self, text: &str) {
        let mut out = std::io::stdout().lock();
        let _ = out.write_all(text.as_bytes());
        let _ = out.flush();
    }

    fn close(&mut self) {
        if !std::mem::take(&mut self.open) {
            return;
        }
        self.print("\x1b[<u\x1b[?2004l\x1b[?1049l\x1b[?25h\x1b]7501;state=clear\x1b\\\x1b]0;\x07");
        #[cfg(unix)]
        {
            use rustix::termios::{OptionalActions, tcsetattr};
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Drain, &self.before);
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.close();
    }
}

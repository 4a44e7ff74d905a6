//! The window comes when it is called, and goes.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use iced::futures::stream;
use iced::{Subscription, Task, window};
use maestro_core::agent::State;
use maestro_core::keymap::{Chord, Keys, Platform};
use maestro_core::summon::Summon;
use maestro_core::text;
use maestro_platform::hotkey;
use maestro_protocol::home;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::{Notify, mpsc};

use super::{Connection, Message, Overlay, Shell};
use crate::window::toast::{self, Kind};

/// How soon after the window lost the keyboard a chord is heard that took it: X11 is asked every 50 ms.
const GRAB: Duration = Duration::from_millis(200);

/// A chord that is heard everywhere was pressed, and which.
static PRESSED: Notify = Notify::const_new();
static WHICH: AtomicU32 = AtomicU32::new(0);

/// Hears the chords that are heard everywhere.
pub(super) fn called() -> Subscription<Message> {
    static HEARD: Once = Once::new();
    Subscription::run(|| {
        HEARD.call_once(|| {
            hotkey::on_press(|which| {
                WHICH.store(which, Ordering::Relaxed);
                PRESSED.notify_one();
            });
        });
        stream::unfold((), async |()| {
            PRESSED.notified().await;
            Some((Message::Called(WHICH.load(Ordering::Relaxed)), ()))
        })
    })
}

/// A chord that is heard everywhere.
#[derive(Debug, Default)]
struct Heard {
    hotkey: hotkey::Hotkey,
    /// The one that was asked for last.
    wanted: Option<Chord>,
}

/// The chords that are heard everywhere.
#[derive(Debug, Default)]
pub(super) struct Call {
    /// Summons the window.
    window: Heard,
    /// Opens the quick prompt.
    prompt: Heard,
    /// When the window lost the keyboard.
    left: Option<Instant>,
}

impl Call {
    /// The window has the keyboard, or not any more.
    pub(super) fn looked(&mut self, had: bool, has: bool) {
        if had && !has {
            self.left = Some(Instant::now());
        }
    }

    /// Whether the chord itself took the keyboard from the window: X11 does that while it is held.
    fn took_it(&self) -> bool {
        self.left.is_some_and(|left| left.elapsed() < GRAB)
    }
}

impl Shell {
    /// What the window shows as soon as it knows the world.
    #[must_use]
    pub fn showing(self, first: Option<Summon>) -> Self {
        Self { show_first: first, ..self }
    }

    /// The chords that are set are heard, and no other one; while one is recorded, none is.
    pub(super) fn settle_hotkeys(&mut self) -> Task<Message> {
        let recording =
            matches!(&self.overlay, Some(Overlay::Settings(page)) if page.is_recording());
        let chord = |chord: Option<Chord>| chord.filter(|_| !recording);
        let window = (chord(self.settings.hotkey), toast::Source::Summon);
        let prompt = (chord(self.settings.prompt_hotkey), toast::Source::QuickPrompt);
        // A made-up window takes nobody's keys.
        if self.settings_path.is_none() || self.connection != Connection::Up {
            return Task::none();
        }
        Task::batch([window, prompt].map(|(wanted, source)| self.settle_hotkey(wanted, source)))
    }

    fn settle_hotkey(&mut self, wanted: Option<Chord>, source: toast::Source) -> Task<Message> {
        let (heard, does, cannot) = if source == toast::Source::Summon {
            (&mut self.call.window, "summons the window", "The window cannot be summoned")
        } else {
            (&mut self.call.prompt, "opens the quick prompt", "The quick prompt has no chord")
        };
        if wanted == heard.wanted {
            return Task::none();
        }
        heard.wanted = wanted;
        if let Err(error) = heard.hotkey.set(wanted) {
            let title = Some(cannot.to_owned());
            return self.toast(source, Kind::Attention, title, error.to_string());
        }
        let _ = self.toasts.end_source(source);
        let Some(chord) = wanted else { return Task::none() };
        let keys = Keys { first: chord, then: None };
        let mut own = maestro_core::command::ALL.iter().filter(|command| {
            self.keymap
                .chords(command.id)
                .iter()
                .any(|own| own.pressed(Platform::HERE) == keys.pressed(Platform::HERE))
        });
        let Some(own) = own.next() else { return Task::none() };
        let words = format!(
            "{} was “{}” in the window. It {does} now; that command can have another chord.",
            chord.title(Platform::HERE),
            own.title.trim_end_matches('…')
        );
        self.toast(source, Kind::Hint, None, words)
    }

    /// A chord that is heard everywhere was pressed.
    pub(super) fn was_called(&mut self, which: u32) -> Task<Message> {
        if self.call.prompt.hotkey.is(which) {
            return self.quick_prompt();
        }
        let is_here = (self.window.focused || self.call.took_it()) && self.hidden.is_none();
        let to = if self.settings.summons_waiting { Summon::Waiting } else { Summon::Show(None) };
        self.summoned(if is_here { Summon::Hide } else { to })
    }

    /// The quick prompt opens, in a program of its own: it comes and goes without this window.
    pub(super) fn quick_prompt(&mut self) -> Task<Message> {
        let home = self.settings_path.as_deref().and_then(Path::parent).map(Path::to_owned);
        let (Some(home), Ok(program)) = (home, std::env::current_exe()) else {
            return self.problem("there is no program to open the quick prompt with".to_owned());
        };
        // One that is open comes to the front, or goes.
        if self.prompting.as_ref().is_some_and(|call| call.send(()).is_ok()) {
            return Task::none();
        }
        let (call, called) = mpsc::unbounded_channel();
        self.prompting = Some(call);
        Task::perform(prompted(program, home, called), Message::Prompted)
    }

    /// The quick prompt is gone.
    pub(super) fn prompted(&mut self, done: Result<(), String>) -> Task<Message> {
        self.prompting = None;
        done.map_or_else(|why| self.problem(why), |()| Task::none())
    }

    pub(super) fn summoned(&mut self, summon: Summon) -> Task<Message> {
        match summon {
            Summon::Hide => self.hide(),
            Summon::Toggle if self.window.focused && self.hidden.is_none() => self.hide(),
            Summon::Toggle | Summon::Show(None) => self.come(),
            Summon::Show(Some(agent)) => {
                let known = self.model.agent(agent).is_some();
                let shown = if known { self.summon_to(agent) } else { Task::none() };
                Task::batch([self.come(), shown])
            }
            Summon::Waiting => {
                let waits = |state| state == State::NeedsYou;
                let waiting = self.model.agents.iter().filter(|one| waits(one.attention.state));
                let longest = waiting.min_by_key(|agent| agent.attention.since_ms);
                let longest = longest.map(|agent| agent.id);
                let shown = longest.map_or_else(Task::none, |agent| self.summon_to(agent));
                Task::batch([self.come(), shown])
            }
        }
    }

    /// Whatever lies over the window goes: the agent is what was asked for.
    fn summon_to(&mut self, agent: maestro_core::AgentId) -> Task<Message> {
        self.overlay = None;
        self.go_to_waiting(agent)
    }

    fn hide(&mut self) -> Task<Message> {
        let _ = self.hidden.get_or_insert(self.kept.fills());
        window::latest().and_then(|id| window::set_mode(id, window::Mode::Hidden))
    }

    fn come(&mut self) -> Task<Message> {
        let hidden = self.hidden.take();
        window::latest().and_then(move |id| {
            let shown = match hidden {
                // Some window managers forget that it filled the screen.
                Some(filled) => {
                    window::set_mode(id, window::Mode::Windowed).chain(window::maximize(id, filled))
                }
                None => window::minimize(id, false),
            };
            shown.chain(window::gain_focus(id))
        })
    }
}

/// Runs the quick prompt until it is closed, and tells it when it is called once more.
async fn prompted(
    program: PathBuf,
    home: PathBuf,
    mut called: mpsc::UnboundedReceiver<()>,
) -> Result<(), String> {
    let mut command = tokio::process::Command::new(program);
    let _ = command.args(["prompt", "--heed"]).env(home::VARIABLE, home).stdin(Stdio::piped());
    let _ = command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    let mut line = child.stdin.take();
    let calls = async move {
        while let (Some(()), Some(line)) = (called.recv().await, &mut line) {
            // One that is about to end does not hear it any more.
            if line.write_all(b"\n").await.is_err() {
                break;
            }
        }
        std::future::pending::<()>().await;
    };
    let done = tokio::select! {
        done = child.wait_with_output() => done.map_err(|error| error.to_string())?,
        () = calls => return Ok(()),
    };
    if done.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&done.stderr);
    let said = said.lines().last().unwrap_or_default();
    Err(format!("the quick prompt ended with {}: {}", done.status, text::clean(said, 200)))
}

//! What becomes of the window when what draws it goes away, or was never there.

use std::ffi::OsString;

use iced::{Task, window};
use maestro_grid::device::Trouble;
use maestro_ui::backend;
use maestro_ui::theme::duration;

use super::{Message, Shell};
use crate::window::toast::{self, Kind};

/// A device that is lost again within this time is given up, in milliseconds.
const AGAIN_MS: u64 = 60_000;

/// Chooses what draws; see the toolkit.
const BACKEND: &str = "ICED_BACKEND";

/// Says to the program started anew why it draws in software.
const REASON: &str = "MAESTRO_SOFTWARE_BECAUSE";

/// Says to the program started anew when its device was lost, in milliseconds since the epoch.
const LOST_AT: &str = "MAESTRO_DEVICE_LOST_AT";

/// What the user is told once a new device draws.
const LOST: &str = "The graphics device was lost";
const ANEW: &str = "The window was opened anew. Agents and terminals were not touched.";

/// Begins the program anew where the toolkit would end it: a device that goes away while a picture is drawn
/// makes it panic when that is shown, and nobody can keep it from it. To be called by the thread that draws:
/// any other's panic, and any that is not the graphics libraries' own, stays what it is.
pub(in crate::window) fn outlive_devices() {
    let usual = std::panic::take_hook();
    let draws = std::thread::current().id();
    std::panic::set_hook(Box::new(move |panic| {
        usual(panic);
        let here = std::thread::current().id() == draws;
        let file = panic.location().map_or("", std::panic::Location::file);
        if !here || !is_of_graphics(file) {
            return;
        }
        // Whether it is gone may not have been told yet.
        let said = panic.payload().downcast_ref::<String>();
        let is_it = said.is_some_and(|said| said.contains("device is lost"));
        if is_it || maestro_grid::device::is_lost() {
            // What was typed before is on its way to the host, on another thread.
            std::thread::sleep(duration::ARC_STEP);
            let now = crate::window::now_ms();
            let why = lost_before(now).map(|_| "it went away while it drew");
            let again = again(why, now);
            eprintln!("maestro: no graphics device stays usable: {again}");
        }
    }));
}

/// Whether a source file is one of the libraries that draw: `wgpu-27.0.1/src/…`, `wgpu-core-…`,
/// `iced_wgpu-…`.
fn is_of_graphics(file: &str) -> bool {
    let mut folders = file.split(['/', '\\']);
    folders.any(|folder| folder.starts_with("wgpu") || folder.starts_with("iced_wgpu"))
}

/// When the program before this one lost its device, if that was a moment ago.
fn lost_before(now_ms: u64) -> Option<u64> {
    let before: u64 = std::env::var(LOST_AT).ok()?.parse().ok()?;
    (now_ms.saturating_sub(before) < AGAIN_MS).then_some(before)
}

/// What is known about what draws.
#[derive(Debug, Clone, Default)]
pub(super) struct Graphics {
    /// Whether it was said that the program was begun anew.
    begun: bool,
    /// When a device was lost last.
    lost_ms: Option<u64>,
    /// Whether it was said that the processor draws.
    told: bool,
}

impl Shell {
    /// Something is wrong with the graphics device.
    pub(super) fn trouble(&mut self, trouble: Trouble) -> Task<Message> {
        let now = crate::window::now_ms();
        match trouble {
            Trouble::Failed(why) => {
                let words = format!(
                    "The graphics device refused something: {why}. If the window looks wrong, open it again; nothing is lost."
                );
                self.toast(toast::Source::Graphics, Kind::Problem, None, words)
            }
            Trouble::Lost(why) => {
                let before = self.graphics.lost_ms.replace(now);
                if before.is_some_and(|before| now.saturating_sub(before) < AGAIN_MS) {
                    return self.restart(&why);
                }
                let title = Some(LOST.to_owned());
                let told = self.toast(toast::Source::Graphics, Kind::Problem, title, ANEW);
                Task::batch([self.reopen(), told])
            }
        }
    }

    /// Closes the window and opens another one: with the last window the toolkit lets go of the device,
    /// and looks for one again.
    fn reopen(&self) -> Task<Message> {
        let settings = crate::window::settings(self.window.size);
        window::latest().then(move |id| {
            let closed = id.map_or_else(Task::none, window::close::<Message>);
            let (_, opened) = window::open(settings.clone());
            closed.chain(opened.then(window::scale_factor).map(Message::Reopened))
        })
    }

    /// Starts the program anew, drawing on the processor. What the window remembers is saved first.
    fn restart(&mut self, why: &str) -> Task<Message> {
        self.save();
        let why = why.to_owned();
        // The last words have to reach the host.
        let rest = async { tokio::time::sleep(duration::ARC_STEP).await };
        Task::perform(rest, move |()| {
            let now = crate::window::now_ms();
            let words = format!("no graphics device stays usable: {}", again(Some(&why), now));
            Message::Done(Err(words))
        })
    }

    /// Says once that the processor draws, and why that may be slow.
    pub(super) fn settle_graphics(&mut self) -> Task<Message> {
        if !std::mem::replace(&mut self.graphics.begun, true)
            && !backend::is_software()
            && let Some(before) = lost_before(crate::window::now_ms())
        {
            self.graphics.lost_ms = Some(before);
            return self.toast(toast::Source::Graphics, Kind::Problem, Some(LOST.to_owned()), ANEW);
        }
        if self.graphics.told || !backend::is_software() {
            return Task::none();
        }
        self.graphics.told = true;
        let reason = std::env::var(REASON).ok();
        // Whoever asked for it knows.
        if reason.is_none() && std::env::var_os(BACKEND).is_some() {
            return Task::none();
        }
        let title = Some("Drawing without a graphics card".to_owned());
        let why = reason.map_or_else(
            || "None can be used here. Everything works, drawing takes more of the processor.".to_owned(),
            |why| format!("It was lost twice ({why}). Everything works; open the window again to try the card."),
        );
        self.toast(toast::Source::Graphics, Kind::Note, title, why)
    }
}

/// Becomes the same program, with the software renderer where there is a reason for it. Returns only when
/// that fails, and why.
#[cfg(unix)]
fn again(why: Option<&str>, now_ms: u64) -> String {
    use std::os::unix::process::CommandExt as _;
    let program = match std::env::current_exe() {
        Ok(program) => program,
        Err(error) => return error.to_string(),
    };
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let mut command = std::process::Command::new(program);
    let _ = command.args(words).env(LOST_AT, now_ms.to_string());
    if let Some(why) = why {
        let _ = command.env(BACKEND, "tiny-skia");
        let _ = command.env(REASON, maestro_core::text::clean(why, 200));
    }
    command.exec().to_string()
}

/// Where a program cannot become another one, the user starts it.
#[cfg(not(unix))]
fn again(why: Option<&str>, _now_ms: u64) -> String {
    let _: Option<OsString> = None;
    format!("{}; start Maestro with {BACKEND}=tiny-skia", why.unwrap_or(LOST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_graphics_libraries_panics_begin_the_window_anew() {
        let registry = "/home/a/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f";
        for (file, wanted) in [
            (format!("{registry}/wgpu-27.0.1/src/backend/wgpu_core.rs"), true),
            (format!("{registry}/wgpu-core-27.0.3/src/device/global.rs"), true),
            (format!("{registry}/iced_wgpu-0.14.0/src/window/compositor.rs"), true),
            (r"C:\Users\a\.cargo\git\iced_wgpu\src\lib.rs".to_owned(), true),
            (format!("{registry}/iced_winit-0.14.0/src/lib.rs"), false),
            ("app/src/window/shell.rs".to_owned(), false),
            ("crates/grid/src/gpu.rs".to_owned(), false),
            (String::new(), false),
        ] {
            assert_eq!(is_of_graphics(&file), wanted, "{file}");
        }
    }
}

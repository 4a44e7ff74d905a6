//! A chord that is heard wherever the keyboard is: on macOS, Windows and X11.
//!
//! Wayland gives no program the keys of others. There a user binds `maestro toggle` in the desktop's own settings.

use global_hotkey::hotkey::HotKey;
use global_hotkey::{Error as Refusal, GlobalHotKeyEvent, GlobalHotKeyManager, HotKeyState};
use maestro_core::input::{Code, Mods};
use maestro_core::keymap::{Chord, Platform};

/// Why a chord is not heard everywhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The desktop gives no program the keys of others.
    #[error(
        "On Wayland no program hears the keys of others. Bind `maestro toggle` to {0} in your desktop's own \
         keyboard settings."
    )]
    Wayland(String),
    /// Another program has it.
    #[error(
        "{0} belongs to another program, or to another window of Maestro. Choose another one under Settings, \
         Summon."
    )]
    Taken(String),
    /// The system knows no such key.
    #[error("{0} cannot be heard everywhere: the keyboard of this system has no such key.")]
    NoKey(String),
    /// Something else; in the system's words.
    #[error("{chord} cannot be heard everywhere: {why}")]
    Refused {
        /// The chord.
        chord: String,
        /// Why.
        why: String,
    },
}

/// A chord that is heard everywhere, one for each. On macOS and Windows it belongs to the thread of the windows.
#[derive(Default)]
pub struct Hotkey {
    manager: Option<GlobalHotKeyManager>,
    held: Option<HotKey>,
}

impl std::fmt::Debug for Hotkey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hotkey").field("held", &self.held).finish_non_exhaustive()
    }
}

impl Hotkey {
    /// Whether this is the chord that [`on_press`] told of.
    #[must_use]
    pub fn is(&self, pressed: u32) -> bool {
        self.held.is_some_and(|held| held.id() == pressed)
    }

    /// Hears this chord from now on, instead of the one before; none without one.
    ///
    /// # Errors
    ///
    /// With the reason; nothing is heard then.
    pub fn set(&mut self, chord: Option<Chord>) -> Result<(), Error> {
        if let (Some(manager), Some(held)) = (&self.manager, self.held.take())
            && let Err(error) = manager.unregister(held)
        {
            tracing::info!(%error, "a chord was not given back");
        }
        let Some(chord) = chord else {
            // Without a chord nothing is to wake up for it.
            self.manager = None;
            return Ok(());
        };
        let title = chord.title(Platform::HERE);
        // Below XWayland a chord would be heard while a window of X11 has the keyboard, and never else.
        if cfg!(target_os = "linux") && std::env::var_os("WAYLAND_DISPLAY").is_some() {
            return Err(Error::Wayland(title));
        }
        let key = hotkey(chord).ok_or_else(|| Error::NoKey(title.clone()))?;
        let refused = |error: Refusal| match error {
            Refusal::AlreadyRegistered(_) => Error::Taken(title.clone()),
            error => Error::Refused { chord: title.clone(), why: error.to_string() },
        };
        let manager = match self.manager.take() {
            Some(manager) => manager,
            None => GlobalHotKeyManager::new().map_err(refused)?,
        };
        manager.register(key).map_err(refused)?;
        (self.manager, self.held) = (Some(manager), Some(key));
        Ok(())
    }
}

/// Is called whenever such a chord goes down, from a thread of its own, with its number ([`Hotkey::is`]).
/// Only the first one is.
pub fn on_press(heard: impl Fn(u32) + Send + Sync + 'static) {
    GlobalHotKeyEvent::set_event_handler(Some(move |event: GlobalHotKeyEvent| {
        if event.state() == HotKeyState::Pressed {
            heard(event.id());
        }
    }));
}

fn hotkey(chord: Chord) -> Option<HotKey> {
    let (Mods { shift, alt, control, logo }, code) = chord.pressed(Platform::HERE);
    let key = match code {
        Code::Char(' ') => "SPACE".to_owned(),
        Code::Char(c) if c.is_ascii() => c.to_ascii_uppercase().to_string(),
        Code::F(number) => format!("F{number}"),
        Code::Enter => "ENTER".to_owned(),
        Code::Tab => "TAB".to_owned(),
        Code::Backspace => "BACKSPACE".to_owned(),
        Code::Escape => "ESCAPE".to_owned(),
        Code::Left => "ARROWLEFT".to_owned(),
        Code::Right => "ARROWRIGHT".to_owned(),
        Code::Up => "ARROWUP".to_owned(),
        Code::Down => "ARROWDOWN".to_owned(),
        Code::Home => "HOME".to_owned(),
        Code::End => "END".to_owned(),
        Code::PageUp => "PAGEUP".to_owned(),
        Code::PageDown => "PAGEDOWN".to_owned(),
        Code::Insert => "INSERT".to_owned(),
        Code::Delete => "DELETE".to_owned(),
        Code::PrintScreen => "PRINTSCREEN".to_owned(),
        Code::ScrollLock => "SCROLLLOCK".to_owned(),
        Code::Pause => "PAUSE".to_owned(),
        _ => return None,
    };
    let held = [(control, "CONTROL+"), (alt, "ALT+"), (shift, "SHIFT+"), (logo, "SUPER+")];
    let held: String = held.iter().filter(|(on, _)| *on).map(|(_, name)| *name).collect();
    format!("{held}{key}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chord(text: &str) -> Chord {
        text.parse().expect("a chord")
    }

    #[test]
    fn chords_are_the_systems_keys() {
        for (text, expected) in [
            ("Ctrl+Alt+Space", Some("control+alt+Space")),
            ("Alt+Shift+M", Some("shift+alt+KeyM")),
            ("Cmd+F12", Some("meta+F12")),
            ("Ctrl+1", Some("control+Digit1")),
            ("Ctrl+`", Some("control+Backquote")),
            ("Ctrl+PageUp", Some("control+PageUp")),
            ("Ctrl+Ä", None),
        ] {
            let found = hotkey(chord(text)).map(|key| key.to_string());
            assert_eq!(found.as_deref(), expected, "{text}");
        }
    }
}

//! The keyboard and input methods.

use std::time::Instant;

use iced::advanced::{Shell, input_method};
use iced::keyboard::{self, key};
use maestro_core::input::{Action, Code, Input, Key};

use super::{BLINK, Blink, State, Terminal};
use crate::keyboard::{is_modifier, physical, settle_option, translate};
use crate::pane::Preedit;

/// The most keys held at once that are remembered; nobody has more fingers.
const MOST_HELD: usize = 32;

/// A key whose press went to the host.
#[derive(Debug)]
pub(super) struct Held {
    place: key::Physical,
    key: Key,
}

fn released(key: Key) -> Key {
    Key { action: Action::Release, text: String::new(), ..key }
}

impl<Message: Clone> Terminal<'_, Message> {
    pub(super) fn keyboard_event(
        &self,
        state: &mut State,
        event: &keyboard::Event,
        shell: &mut Shell<'_, Message>,
    ) {
        if let keyboard::Event::ModifiersChanged(modifiers) = event {
            state.modifiers = *modifiers;
        }
        if !state.has_keyboard() || shell.is_event_captured() {
            return;
        }
        let pressed = matches!(event, keyboard::Event::KeyPressed { .. });
        if pressed && self.is_command.as_ref().is_some_and(|is_command| is_command(event)) {
            return;
        }
        if pressed && (state.is_composing() || self.surface.modes().vi) {
            // The input method is at it, and what it makes of the key arrives as text; or vi mode has the
            // keys, and those that mean something there are commands. The child hears of neither.
            shell.capture_event();
            return;
        }
        let Some(mut key) = translate(event) else { return };
        settle_option(&mut key, cfg!(target_os = "macos"), self.option_is_alt);
        let place = physical(event);
        if pressed {
            self.key_pressed(state, key, place, shell);
        } else {
            let was_held = state.held.iter().position(|held| Some(held.place) == place);
            if let Some(index) = was_held {
                // The key as it went down: what is held beside it may have changed what it would type.
                let held = state.held.swap_remove(index).key;
                if self.surface.modes().key_releases {
                    self.send(Input::Key(Key { mods: key.mods, ..released(held) }));
                }
                shell.capture_event();
            }
        }
    }

    fn key_pressed(
        &self,
        state: &mut State,
        key: Key,
        place: Option<key::Physical>,
        shell: &mut Shell<'_, Message>,
    ) {
        if is_modifier(key.code) && !self.surface.modes().kitty_keyboard {
            return;
        }
        if let Some(place) = place
            && key.action == Action::Press
            && state.held.len() < MOST_HELD
            && !state.held.iter().any(|held| held.place == place)
        {
            state.held.push(Held { place, key: key.clone() });
        }
        self.surface.key_pressed();
        // A key without a name that types more than one character is only what it types.
        self.send(if key.code == Code::Unknown { Input::Text(key.text) } else { Input::Key(key) });
        shell.capture_event();
        self.show_cursor(state, shell);
    }

    /// The keyboard went elsewhere: whoever wants releases would wait for these for good.
    pub(super) fn release_all(&self, state: &mut State) {
        let wanted = self.surface.modes().key_releases;
        for held in state.held.drain(..).filter(|_| wanted) {
            self.send(Input::Key(released(held.key)));
        }
    }

    /// The cursor is shown right after a key, wherever in its blinking it was.
    fn show_cursor(&self, state: &mut State, shell: &mut Shell<'_, Message>) {
        if !state.blink.shown {
            shell.request_redraw();
        }
        state.blink = Blink { since: Instant::now(), shown: true };
        if self.surface.cursor().is_some_and(|cursor| cursor.blinking) {
            shell.request_redraw_at(Instant::now() + BLINK);
        }
    }

    pub(super) fn input_method_event(
        &self,
        state: &mut State,
        event: &input_method::Event,
        shell: &mut Shell<'_, Message>,
    ) {
        if !state.has_keyboard() {
            return;
        }
        match event {
            input_method::Event::Opened => state.preedit = Some(Preedit::default()),
            input_method::Event::Preedit(text, selection) => {
                state.preedit = Some(Preedit { text: text.clone(), selection: selection.clone() });
            }
            input_method::Event::Commit(text) => {
                state.preedit = Some(Preedit::default());
                let text: String = text.chars().filter(|c| !c.is_control()).collect();
                // In vi mode nothing is typed.
                if !text.is_empty() && !self.surface.modes().vi {
                    self.surface.key_pressed();
                    self.send(Input::Text(text));
                }
            }
            input_method::Event::Closed => state.preedit = None,
        }
        shell.capture_event();
        shell.request_redraw();
    }
}

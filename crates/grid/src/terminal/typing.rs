//! The keyboard and input methods.

use std::time::Instant;

use iced::advanced::{Shell, input_method};
use iced::keyboard::{self, key};
use maestro_core::input::{Action, Input, Key};

use super::{BLINK, Blink, State, Terminal};
use crate::keyboard::{is_modifier, physical, translate};
use crate::pane::Preedit;

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
        if state.is_composing() {
            // The input method is at it; what it makes of the key arrives as text.
            shell.capture_event();
            return;
        }
        let Some(key) = translate(event) else { return };
        let place = physical(event);
        if pressed {
            self.key_pressed(state, key, place, shell);
        } else {
            let was_held = state.held.iter().position(|held| Some(*held) == place);
            if let Some(index) = was_held {
                let _ = state.held.swap_remove(index);
                if self.surface.modes().key_releases {
                    self.send(Input::Key(key));
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
            && !state.held.contains(&place)
        {
            state.held.push(place);
        }
        self.surface.key_pressed();
        self.send(Input::Key(key));
        shell.capture_event();
        self.show_cursor(state, shell);
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
                self.surface.key_pressed();
                self.send(Input::Text(text.clone()));
            }
            input_method::Event::Closed => state.preedit = None,
        }
        shell.capture_event();
        shell.request_redraw();
    }
}

//! Keys as the toolkit reports them become keys as a terminal's host wants them.

use iced::keyboard::key::{self, Named, Physical};
use iced::keyboard::{Event, Key as Logical, Location, Modifiers};
use maestro_core::input::{Action, Code, Key, Mods};

/// The key event for a host, or `None` where there is nothing to tell.
pub fn translate(event: &Event) -> Option<Key> {
    match event {
        Event::KeyPressed {
            key,
            modified_key,
            physical_key,
            location,
            modifiers,
            text,
            repeat,
        } => {
            let action = if *repeat { Action::Repeat } else { Action::Press };
            let text = text.as_deref().unwrap_or_default();
            Some(Key {
                text: printable(text),
                action,
                ..describe(key, modified_key, *physical_key, *location, *modifiers)
            })
            .filter(|key| key.code != Code::Unknown || !key.text.is_empty())
        }
        Event::KeyReleased { key, modified_key, physical_key, location, modifiers } => Some(Key {
            action: Action::Release,
            ..describe(key, modified_key, *physical_key, *location, *modifiers)
        })
        .filter(|key| key.code != Code::Unknown),
        Event::ModifiersChanged(_) => None,
    }
}

/// The physical key of an event, by which a release finds its press.
pub(crate) fn physical(event: &Event) -> Option<Physical> {
    match event {
        Event::KeyPressed { physical_key, .. } | Event::KeyReleased { physical_key, .. } => {
            Some(*physical_key)
        }
        Event::ModifiersChanged(_) => None,
    }
}

/// Modifiers for a host.
pub(crate) fn mods(modifiers: Modifiers) -> Mods {
    Mods {
        shift: modifiers.shift(),
        alt: modifiers.alt(),
        control: modifiers.control(),
        logo: modifiers.logo(),
    }
}

/// Whether a code is a modifier by itself.
pub(crate) fn is_modifier(code: Code) -> bool {
    matches!(
        code,
        Code::Shift
            | Code::Control
            | Code::Alt
            | Code::Super
            | Code::CapsLock
            | Code::NumLock
            | Code::ScrollLock
    )
}

fn describe(
    key: &Logical,
    modified: &Logical,
    physical: Physical,
    location: Location,
    modifiers: Modifiers,
) -> Key {
    let keypad = location == Location::Numpad;
    let code = code(key);
    let (base, shifted) = match code {
        Code::Char(typed) if !keypad => (
            us_layout(physical).filter(|base| *base != typed),
            single(modified).filter(|shifted| modifiers.shift() && *shifted != typed),
        ),
        _ => (None, None),
    };
    Key {
        code,
        mods: mods(modifiers),
        text: String::new(),
        action: Action::Press,
        base,
        shifted,
        keypad,
    }
}

fn code(key: &Logical) -> Code {
    match key {
        Logical::Character(_) => match single(key) {
            // A layout that reports the shifted letter is brought back to the key itself.
            Some(letter) => Code::Char(lowercase(letter)),
            None => Code::Unknown,
        },
        Logical::Named(name) => named(*name),
        Logical::Unidentified => Code::Unknown,
    }
}

fn single(key: &Logical) -> Option<char> {
    let Logical::Character(text) = key else { return None };
    let mut chars = text.chars();
    chars.next().filter(|_| chars.next().is_none())
}

fn lowercase(letter: char) -> char {
    let mut lower = letter.to_lowercase();
    lower.next().filter(|_| lower.next().is_none()).unwrap_or(letter)
}

/// Control characters are how the toolkit spells Ctrl+letter, Enter and the like; a host makes its own.
fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

fn named(name: Named) -> Code {
    if let Some(number) = function_key(name) {
        return Code::F(number);
    }
    match name {
        Named::Enter => Code::Enter,
        Named::Tab => Code::Tab,
        Named::Space => Code::Char(' '),
        Named::Backspace => Code::Backspace,
        Named::Escape => Code::Escape,
        Named::ArrowLeft => Code::Left,
        Named::ArrowRight => Code::Right,
        Named::ArrowUp => Code::Up,
        Named::ArrowDown => Code::Down,
        Named::Home => Code::Home,
        Named::End => Code::End,
        Named::PageUp => Code::PageUp,
        Named::PageDown => Code::PageDown,
        Named::Insert => Code::Insert,
        Named::Delete => Code::Delete,
        Named::CapsLock => Code::CapsLock,
        Named::ScrollLock => Code::ScrollLock,
        Named::NumLock => Code::NumLock,
        Named::PrintScreen => Code::PrintScreen,
        Named::Pause => Code::Pause,
        Named::ContextMenu => Code::Menu,
        Named::Shift => Code::Shift,
        Named::Control => Code::Control,
        Named::Alt | Named::AltGraph => Code::Alt,
        Named::Super | Named::Meta => Code::Super,
        _ => Code::Unknown,
    }
}

fn function_key(name: Named) -> Option<u8> {
    const KEYS: [Named; 35] = [
        Named::F1,
        Named::F2,
        Named::F3,
        Named::F4,
        Named::F5,
        Named::F6,
        Named::F7,
        Named::F8,
        Named::F9,
        Named::F10,
        Named::F11,
        Named::F12,
        Named::F13,
        Named::F14,
        Named::F15,
        Named::F16,
        Named::F17,
        Named::F18,
        Named::F19,
        Named::F20,
        Named::F21,
        Named::F22,
        Named::F23,
        Named::F24,
        Named::F25,
        Named::F26,
        Named::F27,
        Named::F28,
        Named::F29,
        Named::F30,
        Named::F31,
        Named::F32,
        Named::F33,
        Named::F34,
        Named::F35,
    ];
    KEYS.iter().position(|key| *key == name).and_then(|place| u8::try_from(place + 1).ok())
}

/// What a physical key types on a US layout, unshifted.
fn us_layout(physical: Physical) -> Option<char> {
    use key::Code as Place;
    let Physical::Code(place) = physical else { return None };
    Some(match place {
        Place::KeyA => 'a',
        Place::KeyB => 'b',
        Place::KeyC => 'c',
        Place::KeyD => 'd',
        Place::KeyE => 'e',
        Place::KeyF => 'f',
        Place::KeyG => 'g',
        Place::KeyH => 'h',
        Place::KeyI => 'i',
        Place::KeyJ => 'j',
        Place::KeyK => 'k',
        Place::KeyL => 'l',
        Place::KeyM => 'm',
        Place::KeyN => 'n',
        Place::KeyO => 'o',
        Place::KeyP => 'p',
        Place::KeyQ => 'q',
        Place::KeyR => 'r',
        Place::KeyS => 's',
        Place::KeyT => 't',
        Place::KeyU => 'u',
        Place::KeyV => 'v',
        Place::KeyW => 'w',
        Place::KeyX => 'x',
        Place::KeyY => 'y',
        Place::KeyZ => 'z',
        Place::Digit0 => '0',
        Place::Digit1 => '1',
        Place::Digit2 => '2',
        Place::Digit3 => '3',
        Place::Digit4 => '4',
        Place::Digit5 => '5',
        Place::Digit6 => '6',
        Place::Digit7 => '7',
        Place::Digit8 => '8',
        Place::Digit9 => '9',
        Place::Backquote => '`',
        Place::Minus => '-',
        Place::Equal => '=',
        Place::BracketLeft => '[',
        Place::BracketRight => ']',
        Place::Backslash => '\\',
        Place::Semicolon => ';',
        Place::Quote => '\'',
        Place::Comma => ',',
        Place::Period => '.',
        Place::Slash => '/',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(key: Logical, modified: &str, place: key::Code, modifiers: Modifiers) -> Event {
        Event::KeyPressed {
            key,
            modified_key: Logical::Character(modified.into()),
            physical_key: Physical::Code(place),
            location: Location::Standard,
            modifiers,
            text: Some(modified.into()),
            repeat: false,
        }
    }

    fn letter(text: &str) -> Logical {
        Logical::Character(text.into())
    }

    #[test]
    fn letters_carry_their_layout() {
        let plain = translate(&press(letter("a"), "a", key::Code::KeyA, Modifiers::empty()));
        let plain = plain.expect("a key");
        assert_eq!((plain.code, plain.text.as_str()), (Code::Char('a'), "a"));
        assert_eq!((plain.base, plain.shifted), (None, None));

        let shifted = translate(&press(letter("a"), "A", key::Code::KeyA, Modifiers::SHIFT));
        let shifted = shifted.expect("a key");
        assert_eq!((shifted.code, shifted.shifted), (Code::Char('a'), Some('A')));

        let cyrillic = translate(&press(letter("ф"), "ф", key::Code::KeyA, Modifiers::empty()));
        assert_eq!(cyrillic.expect("a key").base, Some('a'));
    }

    #[test]
    fn control_characters_are_no_text() {
        let event = press(letter("c"), "\u{3}", key::Code::KeyC, Modifiers::CTRL);
        let key = translate(&event).expect("a key");
        assert_eq!((key.code, key.text.as_str()), (Code::Char('c'), ""));
        assert!(key.mods.control);
    }

    #[test]
    fn named_keys_translate() {
        let cases = [
            (Named::Enter, Code::Enter),
            (Named::Space, Code::Char(' ')),
            (Named::F1, Code::F(1)),
            (Named::F35, Code::F(35)),
            (Named::ArrowUp, Code::Up),
            (Named::AltGraph, Code::Alt),
        ];
        for (name, expected) in cases {
            assert_eq!(named(name), expected, "{name:?}");
        }
        assert_eq!(
            translate(&press(
                Logical::Named(Named::AudioVolumeUp),
                "",
                key::Code::AudioVolumeUp,
                Modifiers::empty()
            )),
            None
        );
    }
}

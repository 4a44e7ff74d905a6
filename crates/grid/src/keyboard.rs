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
            let text = printable(text.as_deref().unwrap_or_default());
            let mut key = describe(key, modified_key, *physical_key, *location, *modifiers);
            if key.code == Code::Unknown {
                // Keys without a name type all the same: those of a programmable keyboard, those that
                // another program makes up to type for the user.
                key.code = only(&text).map_or(Code::Unknown, |typed| Code::Char(lowercase(typed)));
            }
            Some(Key { text, action, ..key })
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

/// Whether a code changes what others do and types nothing: only who asked for every key hears of it.
pub(crate) fn is_modifier(code: Code) -> bool {
    code.is_modifier() || matches!(code, Code::NumLock | Code::ScrollLock)
}

/// What the Option key of a Mac means. It types signs (`å`), unless the user wants it to be Alt; then the
/// key's own letter counts. Elsewhere Alt is Alt, and nothing changes.
pub(crate) fn settle_option(key: &mut Key, mac: bool, option_is_alt: bool) {
    if !mac || !key.mods.alt || key.mods.control || key.mods.logo {
        return;
    }
    if option_is_alt {
        key.text = match key.code {
            Code::Char(c) if !key.text.is_empty() => {
                key.shifted.filter(|_| key.mods.shift).unwrap_or(c).to_string()
            }
            _ => String::new(),
        };
    } else if !key.text.is_empty() && only(&key.text).map(Code::Char) != Some(key.code) {
        key.mods.alt = false;
    }
}

fn describe(
    key: &Logical,
    modified: &Logical,
    physical: Physical,
    location: Location,
    modifiers: Modifiers,
) -> Key {
    let keypad = location == Location::Numpad;
    let code = sided(code(key), location);
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

/// Modifiers on the right have names of their own.
fn sided(code: Code, location: Location) -> Code {
    match (code, location) {
        (Code::Shift, Location::Right) => Code::ShiftRight,
        (Code::Control, Location::Right) => Code::ControlRight,
        (Code::Alt, Location::Right) => Code::AltRight,
        (Code::Super, Location::Right) => Code::SuperRight,
        (code, _) => code,
    }
}

fn single(key: &Logical) -> Option<char> {
    let Logical::Character(text) = key else { return None };
    only(text)
}

/// The only character of a text.
fn only(text: &str) -> Option<char> {
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
        Named::Alt => Code::Alt,
        Named::AltGraph => Code::AltGraph,
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
    fn the_keypad_and_the_right_side_are_told_apart() {
        let at = |key: Logical, text: &str, place, location| {
            let event = press(key, text, place, Modifiers::empty());
            let Event::KeyPressed {
                key, modified_key, physical_key, modifiers, text, repeat, ..
            } = event
            else {
                panic!("a press")
            };
            translate(&Event::KeyPressed {
                key,
                modified_key,
                physical_key,
                location,
                modifiers,
                text,
                repeat,
            })
            .expect("a key")
        };
        let five = at(letter("5"), "5", key::Code::Numpad5, Location::Numpad);
        assert_eq!((five.code, five.keypad, five.text.as_str()), (Code::Char('5'), true, "5"));
        let enter = at(Logical::Named(Named::Enter), "", key::Code::NumpadEnter, Location::Numpad);
        assert_eq!((enter.code, enter.keypad), (Code::Enter, true));
        for (name, left, right) in [
            (Named::Shift, Code::Shift, Code::ShiftRight),
            (Named::Control, Code::Control, Code::ControlRight),
            (Named::Alt, Code::Alt, Code::AltRight),
            (Named::Super, Code::Super, Code::SuperRight),
            (Named::AltGraph, Code::AltGraph, Code::AltGraph),
        ] {
            for (location, expected) in [(Location::Left, left), (Location::Right, right)] {
                let key = at(Logical::Named(name), "", key::Code::ShiftLeft, location);
                assert_eq!(key.code, expected, "{name:?} {location:?}");
                assert!(is_modifier(key.code));
            }
        }
    }

    #[test]
    fn keys_that_nobody_knows_type_all_the_same() {
        let unknown = |text: &str| Event::KeyPressed {
            key: Logical::Unidentified,
            modified_key: Logical::Unidentified,
            physical_key: Physical::Unidentified(key::NativeCode::Xkb(249)),
            location: Location::Standard,
            modifiers: Modifiers::empty(),
            text: Some(text.into()),
            repeat: false,
        };
        for (text, code) in
            [("好", Code::Char('好')), ("👍", Code::Char('👍')), ("👍🏽", Code::Unknown)]
        {
            let key = translate(&unknown(text)).expect("a key");
            assert_eq!((key.code, key.text.as_str()), (code, text));
        }
        assert_eq!(translate(&unknown("")), None);
        assert_eq!(translate(&unknown("\u{1b}")), None);
    }

    #[test]
    fn a_dead_key_is_silent_and_what_it_makes_is_text() {
        let dead = Event::KeyPressed {
            key: Logical::Unidentified,
            modified_key: Logical::Unidentified,
            physical_key: Physical::Code(key::Code::Quote),
            location: Location::Standard,
            modifiers: Modifiers::empty(),
            text: None,
            repeat: false,
        };
        assert_eq!(translate(&dead), None);
        let made = translate(&press(letter("e"), "é", key::Code::KeyE, Modifiers::empty()));
        let made = made.expect("a key");
        assert_eq!((made.code, made.text.as_str()), (Code::Char('e'), "é"));
    }

    #[test]
    fn option_types_signs_unless_it_is_alt() {
        let key = |letter: &'static str, text, shift| {
            let mods = Modifiers::ALT | if shift { Modifiers::SHIFT } else { Modifiers::empty() };
            let event = press(self::letter(letter), text, key::Code::KeyA, mods);
            translate(&event).expect("a key")
        };
        for (mac, option_is_alt, shift, expected) in [
            (false, false, false, (true, "å")),
            (true, false, false, (false, "å")),
            (true, true, false, (true, "a")),
        ] {
            let mut key = key("a", "å", shift);
            settle_option(&mut key, mac, option_is_alt);
            assert_eq!((key.mods.alt, key.text.as_str()), expected, "{mac} {option_is_alt}");
        }
        // A key that types itself with Option is Alt and the key.
        let mut plain = key("a", "a", false);
        settle_option(&mut plain, true, false);
        assert!(plain.mods.alt);
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
            (Named::AltGraph, Code::AltGraph),
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

//! Keys as bytes: the way of the VT terminals and xterm, and the kitty keyboard protocol with all five
//! of its flags.

use std::fmt::Write as _;

use alacritty_terminal::term::TermMode;
use maestro_core::input::{Action, Code, Key, Mods};

use crate::emulator::kitty_flags;
use crate::options::ShiftEnter;

const DISAMBIGUATE: u8 = 1;
const EVENT_TYPES: u8 = 2;
const ALTERNATES: u8 = 4;
const ALL_KEYS: u8 = 8;
const TEXT: u8 = 16;

/// The bytes of a key event; none where the child is not to see it.
pub(crate) fn encode(key: &Key, mode: TermMode, shift_enter: ShiftEnter) -> Vec<u8> {
    let kitty = kitty_flags(mode);
    let encoded = if kitty == 0 { None } else { extended(key, kitty, mode) };
    match encoded {
        Some(bytes) => bytes,
        None if key.action == Action::Release => Vec::new(),
        None => plain(key, mode, shift_enter),
    }
}

/// Text that no key stands behind (an input method's).
pub(crate) fn text(text: &str, mode: TermMode) -> Vec<u8> {
    let text: String = text.chars().filter(|c| !c.is_control()).collect();
    let wanted = ALL_KEYS | TEXT;
    if !text.is_empty() && kitty_flags(mode) & wanted == wanted {
        return format!("\x1b[0;;{}u", codepoints(&text)).into_bytes();
    }
    text.into_bytes()
}

/// The kitty protocol's form of a key, where it has one under these flags; otherwise the plain one holds.
fn extended(key: &Key, kitty: u8, mode: TermMode) -> Option<Vec<u8>> {
    let has = |flag| kitty & flag != 0;
    let released = key.action == Action::Release;
    if released && !has(EVENT_TYPES) {
        return Some(Vec::new());
    }
    let lone_modifier = matches!(key.code, Code::Shift | Code::Control | Code::Alt | Code::Super);
    if (lone_modifier || key.code == Code::CapsLock || key.code == Code::NumLock) && !has(ALL_KEYS)
    {
        return Some(Vec::new());
    }
    // These stay what they are without modifiers, so that a shell survives a program that crashed.
    let homely = matches!(key.code, Code::Enter | Code::Tab | Code::Backspace) && !key.keypad;
    if homely && !has(ALL_KEYS) && (key.mods == Mods::default() || released) {
        return if released { Some(Vec::new()) } else { None };
    }
    let types = types_text(key);
    let only_shift = Mods { shift: false, ..key.mods } == Mods::default();
    if types && only_shift && !has(ALL_KEYS) && !released && !(key.keypad && has(DISAMBIGUATE)) {
        return None;
    }
    // Without "disambiguate" only releases and repeats have a form of their own.
    if !has(DISAMBIGUATE) && !has(ALL_KEYS) && key.action == Action::Press {
        return None;
    }
    let form = form(key)?;
    let plain_press = key.action != Action::Repeat || !has(EVENT_TYPES);
    let event = match key.action {
        Action::Release => ":3",
        Action::Repeat if has(EVENT_TYPES) => ":2",
        _ => "",
    };
    let mods = modifier_number(key.mods);
    let text = if has(ALL_KEYS) && has(TEXT) && !released && types {
        codepoints(&key.text)
    } else {
        String::new()
    };
    // Arrows and the like keep their SS3 form in application mode as long as nothing else is to be said.
    if let Form::Letter(letter) = form
        && mods == 1
        && plain_press
        && !released
        && text.is_empty()
    {
        return Some(letter_key(letter, mode));
    }
    let mut out = String::from("\x1b[");
    match form {
        Form::Unicode(number) => {
            let _ = write!(out, "{number}");
            if has(ALTERNATES) {
                let shifted = key.shifted.filter(|c| key.mods.shift && *c as u32 != number);
                let base = key.base.filter(|c| *c as u32 != number);
                if let Some(shifted) = shifted {
                    let _ = write!(out, ":{}", shifted as u32);
                }
                if let Some(base) = base {
                    let gap = if shifted.is_some() { "" } else { ":" };
                    let _ = write!(out, "{gap}:{}", base as u32);
                }
            }
        }
        Form::Tilde(number) => {
            let _ = write!(out, "{number}");
        }
        Form::Letter(_) => out.push('1'),
    }
    if mods != 1 || !event.is_empty() {
        let _ = write!(out, ";{mods}{event}");
    } else if !text.is_empty() {
        out.push(';');
    }
    if !text.is_empty() {
        out.push(';');
        out.push_str(&text);
    }
    out.push(match form {
        Form::Unicode(_) => 'u',
        Form::Tilde(_) => '~',
        Form::Letter(letter) => letter,
    });
    Some(out.into_bytes())
}

/// How a key is named in a control sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `CSI number u`.
    Unicode(u32),
    /// `CSI number ~`.
    Tilde(u8),
    /// `CSI 1 ; … letter`.
    Letter(char),
}

/// The kitty protocol's name of a key.
fn form(key: &Key) -> Option<Form> {
    if key.keypad
        && let Some(number) = keypad_number(key.code)
    {
        return Some(Form::Unicode(number));
    }
    Some(match key.code {
        Code::Char(c) => Form::Unicode(unshifted(c) as u32),
        Code::Escape => Form::Unicode(27),
        Code::Enter => Form::Unicode(13),
        Code::Tab => Form::Unicode(9),
        Code::Backspace => Form::Unicode(127),
        Code::CapsLock => Form::Unicode(57358),
        Code::ScrollLock => Form::Unicode(57359),
        Code::NumLock => Form::Unicode(57360),
        Code::PrintScreen => Form::Unicode(57361),
        Code::Pause => Form::Unicode(57362),
        Code::Menu => Form::Unicode(57363),
        Code::Shift => Form::Unicode(57441),
        Code::Control => Form::Unicode(57442),
        Code::Alt => Form::Unicode(57443),
        Code::Super => Form::Unicode(57444),
        // `CSI R` would read as a cursor position.
        Code::F(3) => Form::Tilde(13),
        Code::F(n @ 13..=35) => Form::Unicode(57376 + u32::from(n) - 13),
        code => return legacy_form(code),
    })
}

/// xterm's name of a key that types nothing.
fn legacy_form(code: Code) -> Option<Form> {
    Some(match code {
        Code::Up => Form::Letter('A'),
        Code::Down => Form::Letter('B'),
        Code::Right => Form::Letter('C'),
        Code::Left => Form::Letter('D'),
        Code::End => Form::Letter('F'),
        Code::Home => Form::Letter('H'),
        Code::Insert => Form::Tilde(2),
        Code::Delete => Form::Tilde(3),
        Code::PageUp => Form::Tilde(5),
        Code::PageDown => Form::Tilde(6),
        Code::F(n @ 1..=4) => Form::Letter(['P', 'Q', 'R', 'S'][usize::from(n) - 1]),
        Code::F(5) => Form::Tilde(15),
        Code::F(n @ 6..=10) => Form::Tilde(11 + n),
        Code::F(n @ 11..=14) => Form::Tilde(12 + n),
        Code::F(n @ 15..=16) => Form::Tilde(13 + n),
        Code::F(n @ 17..=20) => Form::Tilde(14 + n),
        _ => return None,
    })
}

fn keypad_number(code: Code) -> Option<u32> {
    Some(match code {
        Code::Char(c @ '0'..='9') => 57399 + (c as u32 - '0' as u32),
        Code::Char('.') => 57409,
        Code::Char('/') => 57410,
        Code::Char('*') => 57411,
        Code::Char('-') => 57412,
        Code::Char('+') => 57413,
        Code::Enter => 57414,
        Code::Char('=') => 57415,
        Code::Char(',') => 57416,
        Code::Left => 57417,
        Code::Right => 57418,
        Code::Up => 57419,
        Code::Down => 57420,
        Code::PageUp => 57421,
        Code::PageDown => 57422,
        Code::Home => 57423,
        Code::End => 57424,
        Code::Insert => 57425,
        Code::Delete => 57426,
        _ => return None,
    })
}

/// The way of terminals without the kitty protocol.
fn plain(key: &Key, mode: TermMode, shift_enter: ShiftEnter) -> Vec<u8> {
    let mods = key.mods;
    let number = modifier_number(mods);
    if let Some(form) = legacy_form(key.code) {
        return match form {
            Form::Letter(letter @ ('P'..='S')) if number == 1 => {
                format!("\x1bO{letter}").into_bytes()
            }
            Form::Letter(letter) if number == 1 => letter_key(letter, mode),
            Form::Letter(letter) => format!("\x1b[1;{number}{letter}").into_bytes(),
            Form::Tilde(code) if number == 1 => format!("\x1b[{code}~").into_bytes(),
            Form::Tilde(code) => format!("\x1b[{code};{number}~").into_bytes(),
            Form::Unicode(_) => Vec::new(),
        };
    }
    let bytes: Vec<u8> = match key.code {
        Code::Enter if mods == (Mods { shift: true, ..Mods::default() }) => {
            return match shift_enter {
                ShiftEnter::EscapeReturn => b"\x1b\r".to_vec(),
                ShiftEnter::LineFeed => b"\n".to_vec(),
                ShiftEnter::Return => b"\r".to_vec(),
                ShiftEnter::Kitty => b"\x1b[13;2u".to_vec(),
            };
        }
        Code::Enter => b"\r".to_vec(),
        Code::Escape => b"\x1b".to_vec(),
        Code::Tab if mods.shift => b"\x1b[Z".to_vec(),
        Code::Tab => b"\t".to_vec(),
        Code::Backspace if mods.control => b"\x08".to_vec(),
        Code::Backspace => b"\x7f".to_vec(),
        Code::Char(c) => match application_keypad(key, c, mode) {
            Some(bytes) => return bytes,
            None => character(key, c),
        },
        _ if types_text(key) => key.text.clone().into_bytes(),
        _ => Vec::new(),
    };
    prefixed(bytes, mods.alt)
}

/// Alt is an escape before the key.
fn prefixed(mut bytes: Vec<u8>, alt: bool) -> Vec<u8> {
    if alt && !bytes.is_empty() {
        bytes.insert(0, 0x1b);
    }
    bytes
}

/// What a character key types, Alt left aside.
fn character(key: &Key, c: char) -> Vec<u8> {
    let mods = key.mods;
    if mods.logo {
        return Vec::new();
    }
    if mods.control {
        // On a layout without Latin letters the key counts by its place.
        let control = control_byte(c).or_else(|| key.base.and_then(control_byte));
        if let Some(byte) = control {
            return vec![byte];
        }
    }
    // With Alt or Control some platforms give no text, or a control character.
    if types_text(key) {
        return key.text.clone().into_bytes();
    }
    let typed = if mods.shift { key.shifted.or_else(|| upper(c)).unwrap_or(c) } else { c };
    typed.to_string().into_bytes()
}

fn upper(c: char) -> Option<char> {
    let mut upper = c.to_uppercase();
    upper.next().filter(|_| upper.next().is_none())
}

/// The byte of Control with a character, by the old table.
fn control_byte(c: char) -> Option<u8> {
    Some(match c {
        ' ' | '@' | '2' | '`' => 0,
        'a'..='z' | 'A'..='Z' => c as u8 & 0x1f,
        '[' | '3' => 0x1b,
        '\\' | '4' => 0x1c,
        ']' | '5' => 0x1d,
        '^' | '6' | '~' => 0x1e,
        '_' | '7' | '/' | '-' => 0x1f,
        '8' | '?' => 0x7f,
        _ => return None,
    })
}

/// A keypad key in application mode, unless Num Lock makes it type.
fn application_keypad(key: &Key, c: char, mode: TermMode) -> Option<Vec<u8>> {
    let applies = key.keypad
        && key.text.is_empty()
        && key.mods == Mods::default()
        && mode.contains(TermMode::APP_KEYPAD);
    let letter = match c {
        _ if !applies => return None,
        '0'..='9' => (b'p' + (c as u8 - b'0')) as char,
        '*' => 'j',
        '+' => 'k',
        ',' => 'l',
        '-' => 'm',
        '.' => 'n',
        '/' => 'o',
        '=' => 'X',
        _ => return None,
    };
    Some(format!("\x1bO{letter}").into_bytes())
}

/// An arrow, Home or End without modifiers; F1 to F4 always take SS3.
fn letter_key(letter: char, mode: TermMode) -> Vec<u8> {
    let application = mode.contains(TermMode::APP_CURSOR) || matches!(letter, 'P'..='S');
    format!("\x1b{}{letter}", if application { 'O' } else { '[' }).into_bytes()
}

/// One more than the modifiers as bits.
fn modifier_number(mods: Mods) -> u8 {
    1 + u8::from(mods.shift)
        + 2 * u8::from(mods.alt)
        + 4 * u8::from(mods.control)
        + 8 * u8::from(mods.logo)
}

/// Whether a key types something that is not a control character.
fn types_text(key: &Key) -> bool {
    !key.text.is_empty() && !key.text.chars().any(char::is_control)
}

/// The kitty protocol names a key by its character without Shift.
fn unshifted(c: char) -> char {
    let mut lower = c.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(lower), None) => lower,
        _ => c,
    }
}

fn codepoints(text: &str) -> String {
    let numbers: Vec<String> = text.chars().map(|c| (c as u32).to_string()).collect();
    numbers.join(":")
}

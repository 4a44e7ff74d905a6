//! Keys as bytes: the way of the VT terminals and xterm, xterm's modifyOtherKeys, and the kitty keyboard
//! protocol with all five of its flags.
//!
//! Sources: kitty's "Comprehensive keyboard handling in terminals" (the tables of legacy text and
//! functional keys are there, too), xterm's ctlseqs and "modifyOtherKeys" pages. Not told, because no
//! toolkit tells us: the lock modifiers, Hyper and Meta, and the 5 in the middle of the keypad without Num
//! Lock.

use std::borrow::Cow;
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

const SHIFT: Mods = Mods { shift: true, alt: false, control: false, logo: false };

/// What decides the bytes of a key besides the key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    pub(crate) mode: TermMode,
    /// The level of modifyOtherKeys: 0, 1 or 2.
    pub(crate) other_keys: u8,
    pub(crate) shift_enter: ShiftEnter,
    pub(crate) alt_is_meta: bool,
}

/// The bytes of a key event; none where the child is not to see it.
pub(crate) fn encode(key: &Key, rules: &Rules) -> Vec<u8> {
    let key = composed(key, rules.alt_is_meta);
    let kitty = kitty_flags(rules.mode);
    let encoded = if kitty == 0 { None } else { extended(&key, kitty) };
    match encoded {
        Some(bytes) => bytes,
        None if key.action == Action::Release => Vec::new(),
        None => plain(&key, rules),
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

/// A key whose modifiers have made another character than its own: then they were spent on it.
///
/// AltGr is Control with Alt on Windows, and Option composes on macOS. Where Alt is Meta it composes
/// nothing, and what it would have typed is forgotten. A modifier by itself is told with what holds after
/// the event, which toolkits tell afterwards.
fn composed(key: &Key, alt_is_meta: bool) -> Cow<'_, Key> {
    let mods = key.mods;
    if key.code.is_modifier() {
        let held = key.action != Action::Release;
        let mut key = key.clone();
        match key.code {
            Code::Shift | Code::ShiftRight => key.mods.shift = held,
            Code::Control | Code::ControlRight => key.mods.control = held,
            Code::Alt | Code::AltRight => key.mods.alt = held,
            Code::Super | Code::SuperRight => key.mods.logo = held,
            _ => {}
        }
        return Cow::Owned(key);
    }
    if !mods.alt || !prints(key) || types_its_own(key) {
        return Cow::Borrowed(key);
    }
    let mut key = key.clone();
    if mods.control {
        key.mods.control = false;
        key.mods.alt = false;
    } else if alt_is_meta {
        key.text.clear();
    } else {
        key.mods.alt = false;
    }
    Cow::Owned(key)
}

/// Whether what a key types is its own character, of whatever case.
fn types_its_own(key: &Key) -> bool {
    let Code::Char(own) = key.code else { return true };
    let mut typed = key.text.chars();
    match (typed.next(), typed.next()) {
        (Some(c), None) => {
            c == own || Some(c) == key.shifted || c.to_lowercase().eq(own.to_lowercase())
        }
        _ => false,
    }
}

/// The kitty protocol's form of a key, where it has one under these flags; otherwise the plain one holds.
fn extended(key: &Key, kitty: u8) -> Option<Vec<u8>> {
    let has = |flag| kitty & flag != 0;
    let all = has(ALL_KEYS);
    let released = key.action == Action::Release;
    if released && !has(EVENT_TYPES) {
        return Some(Vec::new());
    }
    let is_lock = matches!(key.code, Code::CapsLock | Code::NumLock);
    if (key.code.is_modifier() || is_lock) && !all {
        return Some(Vec::new());
    }
    // These stay what they are without modifiers, so that a shell survives a program that crashed.
    let homely = matches!(key.code, Code::Enter | Code::Tab | Code::Backspace) && !key.keypad;
    if homely && !all && (key.mods == Mods::default() || released) {
        return if released { Some(Vec::new()) } else { None };
    }
    // Text is sent as text, from the keypad, too.
    if types(key) && !all && !released {
        return None;
    }
    // Without "disambiguate" only releases and repeats have a form of their own.
    if !has(DISAMBIGUATE) && !all && key.action == Action::Press {
        return None;
    }
    let form = form(key, has(DISAMBIGUATE) || all, has(TEXT))?;
    let mut out = String::from("\x1b[");
    let text = if all && has(TEXT) && !released && types(key) { &key.text } else { "" };
    let event = match key.action {
        Action::Release => ":3",
        Action::Repeat if has(EVENT_TYPES) => ":2",
        _ => "",
    };
    let mods = modifier_number(key.mods);
    let more = mods != 1 || !event.is_empty() || !text.is_empty();
    match form {
        Form::Unicode(number) => {
            let _ = write!(out, "{number}");
            if has(ALTERNATES) && matches!(key.code, Code::Char(_)) && number != 0 {
                alternates(key, number, &mut out);
            }
        }
        Form::Tilde(number) => {
            let _ = write!(out, "{number}");
        }
        Form::Letter(_) if more => out.push('1'),
        Form::Letter(_) => {}
    }
    if mods != 1 || !event.is_empty() {
        let _ = write!(out, ";{mods}{event}");
    } else if !text.is_empty() {
        out.push(';');
    }
    if !text.is_empty() {
        let _ = write!(out, ";{}", codepoints(text));
    }
    out.push(match form {
        Form::Unicode(_) => 'u',
        Form::Tilde(_) => '~',
        Form::Letter(letter) => letter,
    });
    Some(out.into_bytes())
}

/// `:shifted:base`, each only where it differs.
fn alternates(key: &Key, number: u32, out: &mut String) {
    if key.keypad {
        return;
    }
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

/// The kitty protocol's name of a key. Under these flags its letters never take the SS3 form, whatever
/// the cursor key mode.
fn form(key: &Key, keypad: bool, text: bool) -> Option<Form> {
    if key.keypad
        && keypad
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
        Code::ShiftRight => Form::Unicode(57447),
        Code::ControlRight => Form::Unicode(57448),
        Code::AltRight => Form::Unicode(57449),
        Code::SuperRight => Form::Unicode(57450),
        Code::AltGraph => Form::Unicode(57453),
        // `CSI R` would read as a cursor position.
        Code::F(3) => Form::Tilde(13),
        Code::F(n @ 13..=35) => Form::Unicode(57376 + u32::from(n) - 13),
        // A key without a name that typed something: zero stands for it, beside its text.
        Code::Unknown if text && types(key) => Form::Unicode(0),
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
        Code::Menu => Form::Tilde(29),
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
fn plain(key: &Key, rules: &Rules) -> Vec<u8> {
    let mods = key.mods;
    let number = modifier_number(mods);
    if let Some(form) = legacy_form(key.code) {
        return match form {
            Form::Letter(letter) if number == 1 => letter_key(letter, rules.mode),
            Form::Letter(letter) => format!("\x1b[1;{number}{letter}").into_bytes(),
            Form::Tilde(code) if number == 1 => format!("\x1b[{code}~").into_bytes(),
            Form::Tilde(code) => format!("\x1b[{code};{number}~").into_bytes(),
            Form::Unicode(_) => Vec::new(),
        };
    }
    if let Some(code) = other_key(key, rules.other_keys) {
        return format!("\x1b[27;{number};{code}~").into_bytes();
    }
    let bytes: Vec<u8> = match key.code {
        Code::Enter if mods == SHIFT => {
            return match rules.shift_enter {
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
        Code::Char(c) => match application_keypad(key, c, rules.mode) {
            Some(bytes) => return bytes,
            None => character(key, c),
        },
        _ if types(key) => key.text.clone().into_bytes(),
        _ => Vec::new(),
    };
    prefixed(bytes, mods.alt)
}

/// The code of a key that modifyOtherKeys has a form for. Level 1 are those that have no form otherwise,
/// level 2 all that are modified by more than Shift.
fn other_key(key: &Key, level: u8) -> Option<u32> {
    let mods = key.mods;
    if level == 0 || mods.logo || !(mods.shift || mods.alt || mods.control) {
        return None;
    }
    let beyond_alt = mods.shift || mods.control;
    match key.code {
        Code::Enter if beyond_alt || level == 2 => Some(13),
        Code::Escape if beyond_alt || level == 2 => Some(27),
        Code::Tab if mods.control || level == 2 => Some(9),
        Code::Backspace if level == 2 => Some(127),
        Code::Char(c) => {
            let typed = if mods.shift { shifted(key, c) } else { c };
            let has_control = control(key, c).is_some() && !(mods.shift && c.is_alphabetic());
            let lacks_form = mods.control && !has_control;
            let is_space = mods == SHIFT && c == ' ';
            let wanted = if level == 2 { mods != SHIFT || is_space } else { lacks_form };
            wanted.then_some(typed as u32)
        }
        _ => None,
    }
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
    if key.mods.logo {
        return Vec::new();
    }
    if key.mods.control
        && let Some(byte) = control(key, c)
    {
        return vec![byte];
    }
    // With Alt or Control some platforms give no text, or a control character.
    if prints(key) {
        return key.text.clone().into_bytes();
    }
    let typed = if key.mods.shift { shifted(key, c) } else { c };
    typed.to_string().into_bytes()
}

/// The character a key has with Shift.
fn shifted(key: &Key, c: char) -> char {
    let mut upper = c.to_uppercase();
    let upper = upper.next().filter(|_| upper.next().is_none());
    key.shifted.or(upper).unwrap_or(c)
}

/// The byte of a key with Control: of what it has with Shift where that has one (Control with an
/// underscore), else of its own character, else of its place on a layout with Latin letters.
fn control(key: &Key, c: char) -> Option<u8> {
    let shifted = key.shifted.filter(|_| key.mods.shift);
    shifted.and_then(control_byte).or_else(|| control_byte(c)).or_else(|| {
        // Only where the layout has nothing of ASCII there, as kitty does.
        key.base.filter(|_| !c.is_ascii()).and_then(control_byte)
    })
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
        '_' | '7' | '/' => 0x1f,
        '8' | '?' => 0x7f,
        _ => return None,
    })
}

/// A keypad key in application mode (DECKPAM), unless Num Lock makes it type. Enter stays what it is:
/// terminfo's `smkx` turns this mode on for every line editor, and not all of them know `SS3 M`.
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

/// Whether a key types something: text that is not a control character, and no modifier but Shift.
fn types(key: &Key) -> bool {
    prints(key) && Mods { shift: false, ..key.mods } == Mods::default()
}

/// Whether a key carries text that is not a control character.
fn prints(key: &Key) -> bool {
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

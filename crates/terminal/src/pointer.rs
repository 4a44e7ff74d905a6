//! The mouse as bytes.

use alacritty_terminal::term::TermMode;
use maestro_core::input::{Button, Mods, Mouse, MouseKind};

use crate::emulator::{Encoding, Protocol, kitty_flags};

/// The most wheel steps one event counts for; a flick sends no more.
const STEPS_LIMIT: i16 = 100;

/// The last coordinate, counted from one, that the old encoding can name.
const LAST_PLAIN: u32 = 223;

/// The last one of the UTF-8 encoding.
const LAST_UTF8: u32 = 2015;

/// The bytes of a mouse event for a child that wants it; none for one that does not, or when it cannot
/// be said in the child's encoding. `last` is the place of the last report, in cells or pixels as they are
/// told: motion within it is no news.
pub(crate) fn encode(
    mouse: &Mouse,
    protocol: Protocol,
    encoding: Encoding,
    last: &mut Option<(u32, u32)>,
) -> Vec<u8> {
    let place = match encoding {
        Encoding::Pixels => (mouse.x, mouse.y),
        _ => (u32::from(mouse.col), u32::from(mouse.row)),
    };
    let report = Report { place, mods: mods(mouse.mods, protocol), encoding };
    let mut out = Vec::new();
    match (mouse.kind, protocol) {
        (_, Protocol::None) | (MouseKind::Release(_) | MouseKind::Wheel { .. }, Protocol::X10) => {
            return out;
        }
        (MouseKind::Press(button), _) => report.write(&mut out, number(Some(button)), true),
        (MouseKind::Release(button), _) => report.write(&mut out, number(Some(button)), false),
        (MouseKind::Move(button), _) => {
            let wanted = match protocol {
                Protocol::Motion => true,
                Protocol::Drags => button.is_some(),
                _ => false,
            };
            if !wanted || *last == Some(place) {
                return out;
            }
            report.write(&mut out, 32 + number(button), true);
        }
        (MouseKind::Wheel { lines, columns }, _) => {
            for (steps, forward, back) in [(lines, 64, 65), (columns, 66, 67)] {
                let button = if steps > 0 { forward } else { back };
                for _ in 0..steps.saturating_abs().min(STEPS_LIMIT) {
                    report.write(&mut out, button, true);
                }
            }
        }
    }
    *last = Some(place);
    out
}

fn number(button: Option<Button>) -> u8 {
    match button {
        Some(Button::Left) => 0,
        Some(Button::Middle) => 1,
        Some(Button::Right) => 2,
        None => 3,
    }
}

/// Modifiers as bits of a button's number.
fn mods(mods: Mods, protocol: Protocol) -> u8 {
    if protocol == Protocol::X10 {
        return 0;
    }
    4 * u8::from(mods.shift) + 8 * u8::from(mods.alt) + 16 * u8::from(mods.control)
}

struct Report {
    /// Counted from zero.
    place: (u32, u32),
    mods: u8,
    encoding: Encoding,
}

impl Report {
    fn write(&self, out: &mut Vec<u8>, button: u8, pressed: bool) {
        let (col, row) = (self.place.0.saturating_add(1), self.place.1.saturating_add(1));
        // All but the newer encodings do not say which button was released.
        let plain = if pressed { button } else { 3 } + self.mods;
        match self.encoding {
            Encoding::Sgr | Encoding::Pixels => {
                let last = if pressed { 'M' } else { 'm' };
                let button = button + self.mods;
                out.extend_from_slice(format!("\x1b[<{button};{col};{row}{last}").as_bytes());
            }
            Encoding::Urxvt => {
                let button = u16::from(plain) + 32;
                out.extend_from_slice(format!("\x1b[{button};{col};{row}M").as_bytes());
            }
            Encoding::Utf8 if col.max(row) <= LAST_UTF8 => {
                out.extend_from_slice(b"\x1b[M");
                for value in [u32::from(plain), col, row] {
                    // Never beyond two bytes, so always a character.
                    let c = char::from_u32(32 + value).unwrap_or(' ');
                    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                }
            }
            Encoding::Plain if col.max(row) <= LAST_PLAIN => {
                out.extend_from_slice(b"\x1b[M");
                out.extend([32 + plain, 32 + col as u8, 32 + row as u8]);
            }
            Encoding::Utf8 | Encoding::Plain => {}
        }
    }
}

/// The wheel as arrow keys, for a full-screen program that does not listen to the mouse (mode 1007).
pub(crate) fn alternate_scroll(lines: i16, mode: TermMode) -> Vec<u8> {
    let application = mode.contains(TermMode::APP_CURSOR) && kitty_flags(mode) == 0;
    let opener = if application { "\x1bO" } else { "\x1b[" };
    let letter = if lines > 0 { "A" } else { "B" };
    let steps = lines.saturating_abs().min(STEPS_LIMIT) as usize;
    [opener, letter].concat().repeat(steps).into_bytes()
}

//! The mouse as bytes.

use alacritty_terminal::term::TermMode;
use maestro_core::input::{Button, Mods, Mouse, MouseKind};

/// The most wheel steps one event counts for; a flick sends no more.
const STEPS_LIMIT: i16 = 100;

/// The last cell a coordinate of the old mouse encoding can name.
const LAST_PLAIN: u16 = 222;

/// The last one of the UTF-8 encoding.
const LAST_UTF8: u16 = 2014;

/// The bytes of a mouse event for a child that wants it; none for one that does not, or when it cannot
/// be said in the child's encoding. `last` is the cell of the last report: motion within it is no news.
pub(crate) fn encode(mouse: &Mouse, mode: TermMode, last: &mut Option<(u16, u16)>) -> Vec<u8> {
    let drag = mode.intersects(TermMode::MOUSE_DRAG | TermMode::MOUSE_MOTION);
    let cell = (mouse.row, mouse.col);
    let number = |button: Option<Button>| match button {
        Some(Button::Left) => 0,
        Some(Button::Middle) => 1,
        Some(Button::Right) => 2,
        None => 3,
    };
    let mut out = Vec::new();
    if !mode.intersects(TermMode::MOUSE_MODE) {
        return out;
    }
    match mouse.kind {
        MouseKind::Press(button) => report(&mut out, number(Some(button)), true, mouse, mode),
        MouseKind::Release(button) => report(&mut out, number(Some(button)), false, mouse, mode),
        MouseKind::Move(button) => {
            let wanted =
                if button.is_some() { drag } else { mode.contains(TermMode::MOUSE_MOTION) };
            if !wanted || *last == Some(cell) {
                return out;
            }
            report(&mut out, 32 + number(button), true, mouse, mode);
        }
        MouseKind::Wheel { lines, columns } => {
            for (steps, forward, back) in [(lines, 64, 65), (columns, 66, 67)] {
                let button = if steps > 0 { forward } else { back };
                for _ in 0..steps.saturating_abs().min(STEPS_LIMIT) {
                    report(&mut out, button, true, mouse, mode);
                }
            }
        }
    }
    *last = Some(cell);
    out
}

fn report(out: &mut Vec<u8>, button: u8, pressed: bool, mouse: &Mouse, mode: TermMode) {
    let Mods { shift, alt, control, .. } = mouse.mods;
    let mods = 4 * u8::from(shift) + 8 * u8::from(alt) + 16 * u8::from(control);
    if mode.contains(TermMode::SGR_MOUSE) {
        let last = if pressed { 'M' } else { 'm' };
        let (col, row) = (u32::from(mouse.col) + 1, u32::from(mouse.row) + 1);
        out.extend_from_slice(format!("\x1b[<{};{col};{row}{last}", button + mods).as_bytes());
        return;
    }
    let utf8 = mode.contains(TermMode::UTF8_MOUSE);
    let last = if utf8 { LAST_UTF8 } else { LAST_PLAIN };
    if mouse.col > last || mouse.row > last {
        return;
    }
    // Here a release does not say of which button.
    let button = if pressed { button } else { 3 };
    out.extend_from_slice(b"\x1b[M");
    out.push(32 + button + mods);
    for position in [mouse.col, mouse.row] {
        let value = 33 + position;
        match char::from_u32(u32::from(value)) {
            Some(c) if utf8 => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            _ => out.push(value as u8),
        }
    }
}

/// The wheel as arrow keys, for a full-screen program that does not listen to the mouse (mode 1007).
pub(crate) fn alternate_scroll(lines: i16, mode: TermMode) -> Vec<u8> {
    let opener = if mode.contains(TermMode::APP_CURSOR) { "\x1bO" } else { "\x1b[" };
    let letter = if lines > 0 { "A" } else { "B" };
    let steps = lines.saturating_abs().min(STEPS_LIMIT) as usize;
    [opener, letter].concat().repeat(steps).into_bytes()
}

//! The mouse in every mode and encoding. [X] is xterm's control sequences, "Mouse Tracking".

use maestro_core::input::{Button, Input, Mods, Mouse, MouseKind};
use maestro_core::screen::{Pointer, Size};
use maestro_terminal::{Options, Outbox, Terminal};

use super::{give, print, shown, terminal, view, with};

const LEFT: Button = Button::Left;

fn at(kind: MouseKind, row: u16, col: u16) -> Mouse {
    let (x, y) = (u32::from(col) * 9 + 4, u32::from(row) * 20 + 7);
    Mouse { kind, row, col, x, y, mods: Mods::default() }
}

fn drawn(cols: u16, rows: u16) -> Terminal {
    let size = Size { cell_width: 9, cell_height: 20, ..Size::new(cols, rows) };
    Terminal::new(Options::new(size))
}

#[track_caller]
fn check(modes: &str, events: &[Mouse], wanted: &str) {
    let mut terminal = drawn(300, 100);
    let _ = print(&mut terminal, modes);
    let sent: String =
        events.iter().map(|event| give(&mut terminal, Input::Mouse(*event))).collect();
    assert_eq!(sent, wanted, "{modes:?}");
}

#[test]
fn modes_choose_what_is_told() {
    let all = [
        at(MouseKind::Move(None), 1, 1),
        at(MouseKind::Press(LEFT), 1, 2),
        at(MouseKind::Move(Some(LEFT)), 1, 3),
        at(MouseKind::Release(LEFT), 1, 3),
        at(MouseKind::Wheel { lines: 1, columns: 0 }, 1, 3),
    ];
    let told = |modes: &str, wanted: &str| check(&format!("{modes}\x1b[?1006h"), &all, wanted);
    told("", "");
    told("\x1b[?9h", "\x1b[<0;3;2M");
    told("\x1b[?1000h", "\x1b[<0;3;2M\x1b[<0;4;2m\x1b[<64;4;2M");
    told("\x1b[?1002h", "\x1b[<0;3;2M\x1b[<32;4;2M\x1b[<0;4;2m\x1b[<64;4;2M");
    told("\x1b[?1003h", "\x1b[<35;2;2M\x1b[<0;3;2M\x1b[<32;4;2M\x1b[<0;4;2m\x1b[<64;4;2M");
    // One takes the other's place, as in xterm.
    told("\x1b[?1003h\x1b[?9h", "\x1b[<0;3;2M");
    told("\x1b[?9h\x1b[?1000h\x1b[?1000l", "");
    told("\x1b[?9h\x1b[?9l", "");
}

#[test]
fn encodings_choose_how() {
    let click = [at(MouseKind::Press(LEFT), 1, 2), at(MouseKind::Release(LEFT), 1, 2)];
    let told = |modes: &str, wanted: &str| check(&format!("\x1b[?1000h{modes}"), &click, wanted);
    told("", "\x1b[M #\"\x1b[M##\"");
    told("\x1b[?1005h", "\x1b[M #\"\x1b[M##\"");
    told("\x1b[?1006h", "\x1b[<0;3;2M\x1b[<0;3;2m");
    told("\x1b[?1015h", "\x1b[32;3;2M\x1b[35;3;2M");
    told("\x1b[?1016h", "\x1b[<0;23;28M\x1b[<0;23;28m");
    // The last one set counts; resetting another changes nothing.
    told("\x1b[?1006h\x1b[?1015h", "\x1b[32;3;2M\x1b[35;3;2M");
    told("\x1b[?1006h\x1b[?1005l", "\x1b[<0;3;2M\x1b[<0;3;2m");
    told("\x1b[?1006h\x1b[?1006l", "\x1b[M #\"\x1b[M##\"");
}

#[test]
fn motion_in_pixels_is_news_within_a_cell() {
    let near = |x: u32| Mouse { x, ..at(MouseKind::Move(None), 0, 0) };
    check("\x1b[?1003h\x1b[?1016h", &[near(1), near(1), near(2)], "\x1b[<35;2;8M\x1b[<35;3;8M");
    check("\x1b[?1003h\x1b[?1006h", &[near(1), near(1), near(2)], "\x1b[<35;1;1M");
    let mut terminal = drawn(10, 5);
    let _ = print(&mut terminal, "\x1b[?1003h");
    assert!(!terminal.modes().mouse_pixels);
    let _ = print(&mut terminal, "\x1b[?1016h");
    assert!(terminal.modes().mouse_pixels);
    // Beyond the last cell is its last pixel.
    let far = Mouse { x: 9999, y: 9999, ..at(MouseKind::Move(None), 99, 99) };
    assert_eq!(give(&mut terminal, Input::Mouse(far)), "\x1b[<35;90;100M");
}

#[test]
fn modifiers_and_buttons_are_told() {
    let mods = Mods { alt: true, control: true, ..Mods::default() };
    let held = [Mouse { mods, ..at(MouseKind::Press(Button::Middle), 0, 0) }];
    check("\x1b[?1000h\x1b[?1015h", &held, "\x1b[57;1;1M");
    check("\x1b[?1000h\x1b[?1016h", &held, "\x1b[<25;5;8M");
    check("\x1b[?9h", &held, "\x1b[M!!!");
}

#[test]
fn the_wheel_turns_sideways_and_scrolls_where_presses_alone_are_wanted() {
    let left = [at(MouseKind::Wheel { lines: 0, columns: 2 }, 0, 0)];
    let right = [at(MouseKind::Wheel { lines: 0, columns: -1 }, 0, 0)];
    check("\x1b[?1000h\x1b[?1006h", &left, "\x1b[<66;1;1M\x1b[<66;1;1M");
    check("\x1b[?1000h\x1b[?1006h", &right, "\x1b[<67;1;1M");
    let mut terminal = with(10, 3, &super::numbers(0..20));
    let _ = print(&mut terminal, "\x1b[?9h");
    let wheel = at(MouseKind::Wheel { lines: 2, columns: 0 }, 0, 0);
    assert_eq!(give(&mut terminal, Input::Mouse(wheel)), "");
    assert_eq!(terminal.scroll().offset, 2);
}

#[test]
fn a_pointer_is_shown_in_frames() {
    let mut terminal = terminal(10, 3);
    let mut view = view();
    assert_eq!(terminal.frame(&mut view).expect("first").pointer, Pointer::Default);
    let _ = print(&mut terminal, "\x1b]22;pointer\x07");
    assert_eq!(terminal.frame(&mut view).expect("news").pointer, Pointer::Hand);
    // Each screen has its own.
    let _ = print(&mut terminal, "\x1b[?1049h");
    assert_eq!(shown(&mut terminal).pointer, Pointer::Default);
    let _ = print(&mut terminal, "\x1b]22;>wait\x1b\\\x1b[?1049l");
    assert_eq!(shown(&mut terminal).pointer, Pointer::Hand);
    let out = print(&mut terminal, "\x1b]22;?__current__,text,evil\x1b\\");
    assert_eq!(out.replies, b"\x1b]22;pointer,1,0\x1b\\");
    let mut out = Outbox::new();
    terminal.reset_modes(&mut out);
    assert_eq!(shown(&mut terminal).pointer, Pointer::Default);
}

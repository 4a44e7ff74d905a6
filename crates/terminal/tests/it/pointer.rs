use maestro_core::input::{Button, Input, Mods, Mouse, MouseKind};

use super::{give, print, terminal, with};

const NONE: Mods = Mods { shift: false, alt: false, control: false, logo: false };

fn mouse(kind: MouseKind, row: u16, col: u16) -> Mouse {
    Mouse { kind, row, col, x: 0, y: 0, mods: NONE }
}

fn wheel(lines: i16) -> MouseKind {
    MouseKind::Wheel { lines, columns: 0 }
}

/// With the modes set by some output, mouse events send some bytes.
#[track_caller]
fn check(modes: &str, events: &[Mouse], wanted: &str) {
    let mut terminal = terminal(300, 100);
    let _ = print(&mut terminal, modes);
    let sent: String =
        events.iter().map(|event| give(&mut terminal, Input::Mouse(*event))).collect();
    assert_eq!(sent, wanted, "{events:?} in {modes:?}");
}

#[test]
fn nobody_asked() {
    check(
        "",
        &[mouse(MouseKind::Press(Button::Left), 1, 1), mouse(MouseKind::Move(None), 2, 2)],
        "",
    );
}

#[test]
fn clicks() {
    let click = [
        mouse(MouseKind::Press(Button::Left), 1, 2),
        mouse(MouseKind::Move(Some(Button::Left)), 1, 3),
        mouse(MouseKind::Release(Button::Left), 1, 3),
    ];
    check("\x1b[?1000h", &click, "\x1b[M #\"\x1b[M#$\"");
    check("\x1b[?1000h\x1b[?1006h", &click, "\x1b[<0;3;2M\x1b[<0;4;2m");
    check("\x1b[?1002h\x1b[?1006h", &click, "\x1b[<0;3;2M\x1b[<32;4;2M\x1b[<0;4;2m");
    check("\x1b[?1000h\x1b[?1006h\x1b[?1000l", &click, "");
    let right = [mouse(MouseKind::Press(Button::Right), 0, 0)];
    check("\x1b[?1000h\x1b[?1006h", &right, "\x1b[<2;1;1M");
    let mods = Mods { alt: true, control: true, ..NONE };
    let held = [Mouse { mods, ..mouse(MouseKind::Press(Button::Middle), 0, 0) }];
    check("\x1b[?1000h\x1b[?1006h", &held, "\x1b[<25;1;1M");
}

#[test]
fn motion_is_reported_once_per_cell() {
    let moves = [(5, 5), (5, 5), (5, 6)].map(|(row, col)| mouse(MouseKind::Move(None), row, col));
    check("\x1b[?1003h\x1b[?1006h", &moves, "\x1b[<35;6;6M\x1b[<35;7;6M");
    check("\x1b[?1002h\x1b[?1006h", &moves, "");
}

#[test]
fn far_cells() {
    let far = [mouse(MouseKind::Press(Button::Left), 50, 250)];
    check("\x1b[?1000h", &far, "");
    check("\x1b[?1000h\x1b[?1005h", &far, "\x1b[M \u{11b}S");
    check("\x1b[?1000h\x1b[?1006h", &far, "\x1b[<0;251;51M");
    // Beyond the screen is at its edge.
    let beyond = [mouse(MouseKind::Press(Button::Left), 999, 999)];
    check("\x1b[?1000h\x1b[?1006h", &beyond, "\x1b[<0;300;100M");
}

#[test]
fn the_wheel_counts() {
    let up = [mouse(wheel(3), 0, 0)];
    let down = [mouse(wheel(-2), 0, 0)];
    let left = [mouse(MouseKind::Wheel { lines: 0, columns: 1 }, 0, 0)];
    check("\x1b[?1000h\x1b[?1006h", &up, &"\x1b[<64;1;1M".repeat(3));
    check("\x1b[?1000h\x1b[?1006h", &down, &"\x1b[<65;1;1M".repeat(2));
    check("\x1b[?1000h\x1b[?1006h", &left, "\x1b[<66;1;1M");
    check("\x1b[?1049h", &up, "\x1b[A\x1b[A\x1b[A");
    check("\x1b[?1049h\x1b[?1h", &down, "\x1bOB\x1bOB");
    check("\x1b[?1049h\x1b[?1007l", &down, "");
    check("\x1b[?1000h\x1b[?1006h", &[mouse(wheel(i16::MIN), 0, 0)], &"\x1b[<65;1;1M".repeat(100));
}

#[test]
fn the_wheel_scrolls_where_nobody_listens() {
    let mut terminal = with(10, 3, &super::numbers(0..20));
    let _ = give(&mut terminal, Input::Mouse(mouse(wheel(2), 0, 0)));
    assert_eq!(terminal.scroll().offset, 2);
    let _ = give(&mut terminal, Input::Mouse(mouse(wheel(-1), 0, 0)));
    assert_eq!(terminal.scroll().offset, 1);
    // With Shift it scrolls although somebody listens.
    let _ = print(&mut terminal, "\x1b[?1000h");
    let shifted = Mouse { mods: Mods { shift: true, ..NONE }, ..mouse(wheel(2), 0, 0) };
    assert_eq!(give(&mut terminal, Input::Mouse(shifted)), "");
    assert_eq!(terminal.scroll().offset, 3);
}

#[test]
fn pastes_cannot_press_keys() {
    let paste = |modes: &str, text: &str| {
        let mut terminal = with(80, 24, modes);
        give(&mut terminal, Input::Paste(text.to_owned()))
    };
    assert_eq!(paste("", "a\r\nb\nc\rd\te"), "a\rb\rc\rd\te");
    assert_eq!(paste("", "a\x1b[A\x03\u{9b}31m\x7fb"), "a[A31mb");
    assert_eq!(paste("\x1b[?2004h", "a\r\nb\tü"), "\x1b[200~a\nb\tü\x1b[201~");
    assert_eq!(paste("\x1b[?2004h", "x\x1b[201~rm -rf /\r"), "\x1b[200~x[201~rm -rf /\n\x1b[201~");
}

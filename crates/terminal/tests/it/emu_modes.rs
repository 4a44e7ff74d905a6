//! A child that sets every mode and dies: by the shell's marks, and by a reset of ours.

use maestro_core::input::{Action, Button, Code, Input, Key, Mods, Mouse, MouseKind};
use maestro_terminal::{Outbox, Terminal};

use super::{give, lines, print, screen, terminal};

/// Everything a program may leave behind.
const EVERYTHING: &str = "\x1b[?1049h\x1b[?1h\x1b=\x1b[?6h\x1b[4h\x1b[20h\x1b[?7l\x1b[?25l\x1b[?12h\
    \x1b[?1000h\x1b[?1003h\x1b[?1004h\x1b[?1006h\x1b[?1016h\x1b[?2004h\x1b[?2031h\x1b[?2048h\
    \x1b[>31u\x1b[>1u\x1b[=15u\x1b[>4;2m\x1b[5;9r\x1b(0\x0e\x1b]22;wait\x07\x1b[?1007l";

/// What holds before and must hold after: what the modes are, asked one by one.
fn modes(terminal: &mut Terminal) -> String {
    let mut asked: String = [
        1, 6, 7, 9, 25, 66, 1000, 1002, 1003, 1004, 1005, 1006, 1007, 1015, 1016, 1042, 1049, 2004,
        2031, 2048,
    ]
    .iter()
    .map(|mode| format!("\x1b[?{mode}$p"))
    .collect();
    asked.push_str("\x1b[4$p\x1b[20$p\x1b[?u\x1b[?4m\x1bP$qr\x1b\\");
    String::from_utf8(print(terminal, &asked).replies).expect("text")
}

fn press(terminal: &mut Terminal, code: Code, text: &str, control: bool) -> String {
    let mods = Mods { control, ..Mods::default() };
    let text = text.to_owned();
    let key =
        Key { code, mods, text, action: Action::Press, base: None, shifted: None, keypad: false };
    give(terminal, Input::Key(key))
}

/// A prompt at which one can type.
#[track_caller]
fn is_usable(terminal: &mut Terminal) {
    assert_eq!(press(terminal, Code::Char('l'), "l", false), "l");
    assert_eq!(press(terminal, Code::Enter, "", false), "\r");
    assert_eq!(press(terminal, Code::Char('c'), "", true), "\x03");
    assert_eq!(press(terminal, Code::Up, "", false), "\x1b[A");
    let kind = MouseKind::Press(Button::Left);
    let click = Mouse { kind, row: 1, col: 1, x: 0, y: 0, mods: Mods::default() };
    assert_eq!(give(terminal, Input::Mouse(click)), "");
    assert_eq!(give(terminal, Input::Focus(true)), "");
    assert_eq!(give(terminal, Input::Focus(false)), "");
    let _ = print(terminal, "\x1b[Hjqk|");
    assert!(screen(terminal)[0].starts_with("jqk|"), "letters are letters");
    assert!(terminal.screen(false).cursor.is_some());
}

#[test]
fn a_reset_brings_every_mode_back_and_keeps_the_screen() {
    let mut fresh = terminal(40, 10);
    let wanted = modes(&mut fresh);
    let mut terminal = terminal(40, 10);
    let _ = print(&mut terminal, "kept\r\n$ ");
    let colors =
        "\x1b[3g\x1b[6 q\x1b]10;#ff0000\x07\x1b]4;1;#00ff00\x07\x1b[31;1m\x1b]8;;http://a\x07";
    let _ = print(&mut terminal, &format!("{colors}{EVERYTHING}\x1b]0;never ended"));
    let mut out = Outbox::new();
    terminal.reset_modes(&mut out);
    assert_eq!(String::from_utf8_lossy(&out.replies), "");
    assert_eq!(modes(&mut terminal), wanted);
    assert_eq!(screen(&mut terminal)[..2], ["kept", "$"]);
    assert_eq!(print(&mut terminal, "\x1b7\t\x1b[6n\x1b8").replies, b"\x1b[2;9R");
    let _ = print(&mut terminal, "x");
    let frame = super::shown(&mut terminal);
    assert!(frame.colors.is_empty());
    assert_eq!(frame.cursor, super::shown(&mut super::with(40, 10, "kept\r\n$ x")).cursor);
    assert_eq!(frame.rows[1].1, super::shown(&mut super::with(40, 10, "kept\r\n$ x")).rows[1].1);
    is_usable(&mut terminal);
    // Both screens' keyboards: the next program there begins anew.
    assert_eq!(print(&mut terminal, "\x1b[?1049h\x1b[?u").replies, b"\x1b[?0u");
}

#[test]
fn a_reset_keeps_the_cursor_and_a_mode_stack_of_the_main_screen_goes() {
    let mut terminal = terminal(40, 10);
    let _ = print(&mut terminal, "\x1b[>5u\x1b[2;8r\x1b[?6h\x1b[3;3H");
    let before = terminal.screen(false).cursor;
    terminal.reset_modes(&mut Outbox::new());
    assert_eq!(terminal.screen(false).cursor, before);
    assert_eq!(print(&mut terminal, "\x1b[?u\x1b[<u\x1b[?u").replies, b"\x1b[?0u\x1b[?0u");
    terminal.reset_modes(&mut Outbox::new());
    assert_eq!(terminal.screen(false).cursor, before);
}

/// In one piece, and byte by byte.
#[test]
fn a_reset_ends_every_sequence_that_was_begun() {
    for begun in [
        "\x1b",
        "\x1b[",
        "\x1b[3",
        "\x1b[31;1",
        "\x1b[58:2::1:",
        "\x1b[?1049",
        "\x1b[48;2;1;2;3;58;5;",
        "\x1b#",
        "\x1b(",
        "\x1b]0;title",
        "\x1b]8;;https://a",
        "\x1bP$q",
        "\x1bPq#0",
        "\x1b_G",
        "\x1b[?2026h\x1b[1;2",
    ] {
        for step in [1, begun.len()] {
            let mut terminal = terminal(40, 2);
            for piece in begun.as_bytes().chunks(step) {
                terminal.advance(piece, &mut Outbox::new());
            }
            terminal.reset_modes(&mut Outbox::new());
            terminal.advance(b"m\xff\xffH", &mut Outbox::new());
            assert_eq!(screen(&mut terminal)[0], "m\u{fffd}\u{fffd}H", "{begun:?} by {step}");
        }
    }
}

/// A shell with marks as bash, zsh and fish print them; between them a program that dies.
#[track_caller]
fn survives(prompt: &str, begins: &str, ends: &str) {
    let mut terminal = terminal(40, 10);
    let _ = print(&mut terminal, &format!("{prompt}run\r\n"));
    let at_first = modes(&mut terminal);
    let _ = print(&mut terminal, begins);
    let _ = print(&mut terminal, EVERYTHING);
    let _ = print(&mut terminal, &format!("{ends}{prompt}"));
    assert_eq!(modes(&mut terminal), at_first, "{prompt:?}");
    assert_eq!(terminal.screen(false).cursor.map(|cursor| cursor.row), Some(1));
}

#[test]
fn a_prompt_is_usable_after_a_program_that_died() {
    // zsh: all marks; nothing is set while they are printed.
    survives("\x1b]133;A\x07$ \x1b]133;B\x07", "\x1b]133;C\x07", "\x1b]133;D;1\x07");
    // bash: line editing turns bracketed paste on before it prints the prompt, and off at Enter.
    survives(
        "\x1b[?2004h\x1b]133;A\x07$ \x1b]133;B\x07",
        "\x1b[?2004l\x1b]133;C\x07",
        "\x1b]133;D;1\x07",
    );
    // fish: its own keyboard modes hold at the prompt, and not while others run.
    survives(
        "\x1b[=5u\x1b[?2004h\x1b]133;A\x07$ \x1b]133;B\x07",
        "\x1b[=0u\x1b[?2004l\x1b]133;C\x07",
        "\x1b]133;D;1\x07",
    );
    // A shell that tells of prompts only.
    survives("\x1b]133;A\x07$ ", "", "");
    survives("\x1b[>1u\x1b]133;A\x07$ ", "\x1b[<u", "");
    let mut terminal = terminal(40, 10);
    let marks = "\x1b]133;D;1\x07\x1b]133;A\x07$ \x1b]133;B\x07";
    let _ = print(&mut terminal, &format!("\x1b]133;A\x07$ \x1b]133;C\x07{EVERYTHING}{marks}"));
    is_usable(&mut terminal);
}

#[test]
fn an_update_that_never_ended_hides_nothing_from_the_next_prompt() {
    let mut terminal = terminal(40, 4);
    let _ = print(&mut terminal, "\x1b]133;A\x07$ run\r\n\x1b]133;C\x07");
    let _ = print(&mut terminal, "\x1b[?2026h\x1b[?1003h\x1b[?25l\x1b]133;D\x07\x1b]133;A\x07$ ");
    assert_eq!(terminal.sync_deadline(), None);
    assert!(!terminal.modes().mouse);
    assert_eq!(lines(&terminal.screen(false).rows)[1], "$");
    assert!(terminal.screen(false).cursor.is_some());
}

/// A program that marks its own prompts keeps its modes, and loses them when its shell says that it ended.
#[test]
fn a_program_with_prompts_of_its_own_keeps_its_modes() {
    let mut terminal = terminal(40, 10);
    let _ = print(&mut terminal, "\x1b]133;A\x07$ true\r\n\x1b]133;C\x07\x1b]133;D;0\x07");
    let _ = print(&mut terminal, "\x1b]133;A\x07$ agent\r\n\x1b]133;C\x07");
    let at_first = modes(&mut terminal);
    let _ = print(&mut terminal, "\x1b[>1u\x1b[?1003h\x1b[?1006h\x1b[?25l");
    let in_there = modes(&mut terminal);
    for _ in 0..3 {
        let _ = print(&mut terminal, "\x1b]133;A\x07> \x1b]133;B\x07ask\r\nanswer\r\n");
        assert_eq!(modes(&mut terminal), in_there);
    }
    let _ = print(&mut terminal, "\x1b]133;D;0\x07\x1b]133;A\x07$ ");
    assert_eq!(modes(&mut terminal), at_first);
}

/// What a command means to leave: colours of the palette, a title.
#[test]
fn a_prompt_takes_no_colours_back() {
    let mut terminal = terminal(40, 10);
    let _ = print(&mut terminal, "\x1b]133;A\x07$ \x1b]133;C\x07\x1b]4;1;#00ff00\x07\x1b]0;t\x07");
    let _ = print(&mut terminal, "\x1b]133;D\x07\x1b]133;A\x07$ ");
    assert_eq!(super::shown(&mut terminal).colors.len(), 1);
    assert_eq!(terminal.info().title.as_deref(), Some("t"));
}

/// [X] 47 and 1047 share the cursor between the screens; 1048 saves it; 1049 does all.
#[test]
fn screens_by_their_older_names() {
    for mode in [47, 1047] {
        let mut terminal = terminal(20, 5);
        let _ = print(&mut terminal, &format!("main\x1b[?{mode}hother\x1b[3;3H"));
        assert!(terminal.modes().alt_screen);
        let _ = print(&mut terminal, &format!("\x1b[?{mode}l"));
        assert!(!terminal.modes().alt_screen);
        assert_eq!(screen(&mut terminal)[0], "main");
        assert_eq!(print(&mut terminal, "\x1b[6n").replies, b"\x1b[3;3R");
        let _ = print(&mut terminal, &format!("\x1b[?{mode}l\x1b[?{mode}l"));
    }
    let mut terminal = terminal(20, 5);
    let _ = print(&mut terminal, "\x1b[2;3H\x1b[?1048h\x1b[5;5H\x1b[?1048l");
    assert_eq!(print(&mut terminal, "\x1b[6n").replies, b"\x1b[2;3R");
}

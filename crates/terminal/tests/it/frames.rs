use maestro_core::input::{Input, ScrollTo, SelectBy};
use maestro_core::screen::{
    Color, Cursor, CursorShape, Frame, OVERRIDE_BACKGROUND, Row, Size, Underline, flags,
};
use maestro_terminal::Terminal;

use super::{Random, give, print, select, shown, terminal, view, with};

fn row(output: &str) -> Row {
    shown(&mut with(20, 2, output)).rows[0].1.clone()
}

#[test]
fn the_first_frame_is_full_then_only_changes_come() {
    let mut terminal = with(20, 3, "one\r\ntwo");
    let mut view = view();
    let first = terminal.frame(&mut view).expect("first");
    assert!(first.full);
    assert_eq!((first.generation, first.rows.len()), (1, 3));
    assert_eq!(terminal.frame(&mut view), None);

    let _ = print(&mut terminal, "!");
    let second = terminal.frame(&mut view).expect("changed");
    assert!(!second.full);
    assert_eq!(second.generation, 2);
    assert_eq!(second.rows.len(), 1);
    assert_eq!((second.rows[0].0, second.rows[0].1.text()), (1, "two!".to_owned()));

    // Printing what is there already is no change but for the cursor.
    let _ = print(&mut terminal, "\r");
    let third = terminal.frame(&mut view).expect("the cursor moved");
    assert!(third.rows.is_empty());
    let _ = print(&mut terminal, "two!\r");
    assert_eq!(terminal.frame(&mut view), None);
}

#[test]
fn another_size_makes_a_full_frame() {
    let mut terminal = with(20, 3, "one");
    let mut view = view();
    let _ = terminal.frame(&mut view);
    let _ = give(&mut terminal, Input::Resize(Size::new(30, 2)));
    let frame = terminal.frame(&mut view).expect("resized");
    assert!(frame.full);
    assert_eq!((frame.size, frame.rows.len()), (Size::new(30, 2), 2));
    view.reset();
    assert!(terminal.frame(&mut view).expect("reset").full);
}

#[test]
fn attributes() {
    let row = row("a\x1b[1;3;31;48;5;200mb\x1b[0;4:3;58;2;1;2;3;38;2;9;8;7mc\x1b[0;7;9;2;8md");
    let [a, b, c, d] = row.cells[..] else { panic!("four cells, not {}", row.cells.len()) };
    assert_eq!((a.glyph, a.fg, a.bg, a.flags), ('a' as u32, Color::DEFAULT, Color::DEFAULT, 0));
    assert_eq!((b.fg, b.bg), (Color::indexed(1), Color::indexed(200)));
    assert_eq!(b.flags, flags::BOLD | flags::ITALIC);
    assert_eq!(c.fg, Color::rgb(9, 8, 7));
    assert_eq!(Underline::of(c.flags), Underline::Curl);
    assert_eq!(row.extras[usize::from(c.extra) - 1].underline, Some(Color::rgb(1, 2, 3)));
    assert_eq!(d.flags, flags::INVERSE | flags::STRIKE | flags::DIM | flags::HIDDEN);
}

#[test]
fn wide_characters_and_marks() {
    let row = row("好e\u{301}x");
    assert_eq!(row.text(), "好e\u{301}x");
    assert!(row.cells[0].has(flags::WIDE) && row.cells[1].has(flags::SPACER));
    assert!(row.cells[2].has(flags::CLUSTER));
    assert_eq!(row.clusters, ["e\u{301}"]);
}

#[test]
fn links() {
    let row = row("\x1b]8;;https://a\x07ab\x1b]8;;\x07c");
    assert_eq!(row.extras.len(), 1);
    assert_eq!(row.extras[0].link.as_deref(), Some("https://a"));
    assert_eq!((row.cells[0].extra, row.cells[1].extra, row.cells[2].extra), (1, 1, 0));
}

#[test]
fn wrapping_is_told() {
    let mut terminal = with(5, 3, "abcdefg\r\nx");
    let wrapped: Vec<bool> = shown(&mut terminal).rows.iter().map(|(_, row)| row.wrapped).collect();
    assert_eq!(wrapped, [true, false, false]);
}

#[test]
fn the_cursor_shows_where_it_can_be_seen() {
    let cursor = |output: &str| shown(&mut with(10, 3, output)).cursor;
    let at = |row, col, shape, blinking| Some(Cursor { row, col, shape, blinking });
    assert_eq!(cursor("ab"), at(0, 2, CursorShape::Block, false));
    assert_eq!(cursor("\x1b[?25l"), None);
    assert_eq!(cursor("\x1b[5 q"), at(0, 0, CursorShape::Beam, true));
    assert_eq!(cursor("\x1b[4 q"), at(0, 0, CursorShape::Underline, false));
    // On the second half of a wide character it stands on the first.
    assert_eq!(cursor("好\x1b[1;2H"), at(0, 0, CursorShape::Block, false));
    let mut terminal = with(10, 3, "1\r\n2\r\n3\r\n4\x1b[2;1H");
    assert_eq!(shown(&mut terminal).cursor, at(1, 0, CursorShape::Block, false));
    let _ = give(&mut terminal, Input::Scroll(ScrollTo::Lines(1)));
    assert_eq!(shown(&mut terminal).cursor, at(2, 0, CursorShape::Block, false));
    let _ = print(&mut terminal, "\x1b[3;1H");
    assert_eq!(shown(&mut terminal).cursor, None);
}

#[test]
fn modes_and_colours_are_told() {
    let frame = shown(&mut with(10, 3, "\x1b[?1049h\x1b[?1003h\x1b[?2004h\x1b[?1004h\x1b[>3u"));
    let modes = frame.modes;
    assert!(modes.alt_screen && modes.mouse && modes.mouse_motion && modes.bracketed_paste);
    assert!(modes.focus_events && modes.kitty_keyboard && modes.key_releases);
    let frame = shown(&mut with(10, 3, "\x1b]11;#102030\x07\x1b]4;3;#ffffff\x07"));
    assert_eq!(frame.colors, [(3, [255; 3]), (OVERRIDE_BACKGROUND, [16, 32, 48])]);
    assert!(shown(&mut with(10, 3, "\x1b]11;#102030\x07\x1b]111\x07")).colors.is_empty());
}

#[test]
fn the_selection_is_marked() {
    let mut terminal = with(6, 2, "ab\r\ncd");
    select(&mut terminal, SelectBy::Cell, (0, 1), (1, 0));
    let frame = shown(&mut terminal);
    let marked =
        |row: &Row| -> Vec<bool> { row.cells.iter().map(|c| c.has(flags::SELECTED)).collect() };
    assert_eq!(marked(&frame.rows[0].1), [false, true, true, true, true, true]);
    assert_eq!(marked(&frame.rows[1].1), [true, false]);
}

/// Puts frames together as a client does.
#[derive(Default)]
struct Client {
    rows: Vec<Row>,
    last: Option<Frame>,
}

impl Client {
    fn apply(&mut self, frame: Frame) {
        if frame.full {
            self.rows = vec![Row::default(); usize::from(frame.size.rows)];
        }
        for (index, row) in &frame.rows {
            self.rows[usize::from(*index)] = row.clone();
        }
        self.last = Some(frame);
    }
}

fn step(terminal: &mut Terminal, random: &mut Random) {
    let outputs = [
        "x",
        "\r\n",
        "\x1b[2J",
        "\x1b[H",
        "\x1b[31m好",
        "\x1b[0m",
        "\x1b[5;1Hhello",
        "\t",
        "\x1b[L",
    ];
    match random.below(12) {
        0 => drop(give(terminal, Input::Scroll(ScrollTo::Lines(random.below(9) as i32 - 4)))),
        1 => drop(give(
            terminal,
            Input::Resize(Size::new(10 + random.below(9) as u16, 4 + random.below(4) as u16)),
        )),
        2 => select(terminal, SelectBy::Word, (1, random.below(9) as u16), (3, 4)),
        _ => {
            let _ = print(terminal, outputs[random.below(outputs.len())]);
        }
    }
}

#[test]
fn changes_add_up_to_the_whole() {
    let mut terminal = terminal(15, 6);
    let mut random = Random(7);
    let (mut view, mut client) = (view(), Client::default());
    for _ in 0..3000 {
        for _ in 0..random.below(4) {
            step(&mut terminal, &mut random);
        }
        if let Some(frame) = terminal.frame(&mut view) {
            client.apply(frame);
        }
        let whole = shown(&mut terminal);
        let rows: Vec<Row> = whole.rows.into_iter().map(|(_, row)| row).collect();
        assert_eq!(client.rows, rows);
        let last = client.last.as_ref().expect("a frame");
        assert_eq!(
            (last.cursor, last.scroll, last.modes),
            (whole.cursor, whole.scroll, whole.modes)
        );
    }
}

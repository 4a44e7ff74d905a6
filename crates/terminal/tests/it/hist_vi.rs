//! Vi mode.

use maestro_core::input::{Input, Motion, ScrollTo, Select, SelectBy, Vi};
use maestro_core::screen::{CursorShape, Size};
use maestro_core::search::Query;
use maestro_terminal::Terminal;

use super::{give, numbers, print, shown, shown_lines, with};

fn vi(terminal: &mut Terminal, what: Vi) {
    assert_eq!(give(terminal, Input::Vi(what)), "", "the child sees nothing of it");
}

fn go(terminal: &mut Terminal, motions: &[Motion]) -> (u16, u16) {
    motions.iter().for_each(|motion| vi(terminal, Vi::Move(*motion)));
    at(terminal)
}

fn at(terminal: &mut Terminal) -> (u16, u16) {
    let cursor = shown(terminal).cursor.expect("always shown");
    (cursor.row, cursor.col)
}

fn entered(cols: u16, rows: u16, output: &str) -> Terminal {
    let mut terminal = with(cols, rows, output);
    vi(&mut terminal, Vi::Enter);
    terminal
}

fn compact(terminal: &mut Terminal) {
    while terminal.compact(100) {}
}

#[test]
fn it_begins_at_the_cursor_and_ends_at_the_bottom() {
    let mut terminal = with(20, 4, "one\r\ntwo\x1b[4 q\x1b[?25l");
    assert_eq!(shown(&mut terminal).cursor, None);
    vi(&mut terminal, Vi::Enter);
    let frame = shown(&mut terminal);
    assert!(frame.modes.vi);
    let cursor = frame.cursor.expect("it is vi mode's");
    assert_eq!((cursor.row, cursor.col, cursor.shape), (1, 3, CursorShape::Block));
    vi(&mut terminal, Vi::Leave);
    assert_eq!(shown(&mut terminal).cursor, None);
    assert!(!shown(&mut terminal).modes.vi);
    // Scrolled up, it begins at the bottom of what is seen.
    let mut terminal = with(20, 4, &numbers(0..50));
    let _ = give(&mut terminal, Input::Scroll(ScrollTo::Offset(20)));
    vi(&mut terminal, Vi::Enter);
    assert_eq!(at(&mut terminal), (3, 0));
    vi(&mut terminal, Vi::Leave);
    assert_eq!(terminal.scroll().offset, 0);
}

#[test]
fn output_moves_nothing_that_is_looked_at() {
    let mut terminal = entered(20, 4, &numbers(0..50));
    let before = shown_lines(&mut terminal);
    assert_eq!(before, ["47", "48", "49", ""]);
    for round in 0..10 {
        let _ = print(&mut terminal, &numbers(100..200));
        if round == 5 {
            compact(&mut terminal);
        }
        // The last row was the one the child goes on in.
        assert_eq!(shown_lines(&mut terminal), ["47", "48", "49", "100"]);
        assert_eq!(at(&mut terminal), (3, 0));
    }
    assert_eq!(terminal.scroll().unseen, 1000);
    vi(&mut terminal, Vi::Leave);
    assert_eq!(shown_lines(&mut terminal), ["197", "198", "199", ""]);
}

#[test]
fn motions() {
    use Motion::*;
    let text = "foo.bar(baz)  qux\r\n\r\n  two words\r\n好 x\r\n\x1b[H";
    for (from, motions, wanted) in [
        ((0, 0), &[Right][..], (0, 1)),
        ((0, 0), &[Left], (0, 0)),
        ((0, 0), &[Down], (1, 0)),
        ((0, 0), &[Up], (0, 0)),
        ((0, 5), &[First], (0, 0)),
        ((0, 5), &[Last], (0, 16)),
        ((2, 9), &[FirstFilled], (2, 2)),
        ((0, 0), &[WordRight], (0, 7)),
        ((0, 0), &[WordRight, WordRight], (0, 8)),
        ((0, 0), &[WordRight, WordRight, WordRight], (0, 11)),
        ((0, 11), &[WordRight], (0, 14)),
        ((0, 14), &[WordRight], (2, 2)),
        ((0, 0), &[WordRightEnd], (0, 6)),
        ((0, 6), &[WordRightEnd], (0, 7)),
        ((0, 16), &[WordRightEnd], (2, 4)),
        ((2, 2), &[WordLeft], (0, 14)),
        ((0, 16), &[WordLeft], (0, 14)),
        ((0, 14), &[WordLeft], (0, 11)),
        ((0, 14), &[WordLeftEnd], (0, 11)),
        ((0, 16), &[WordLeftEnd], (0, 11)),
        ((0, 0), &[SpaceRight], (0, 14)),
        ((0, 0), &[SpaceRightEnd], (0, 11)),
        ((0, 16), &[SpaceLeft, SpaceLeft], (0, 0)),
        ((0, 0), &[Bracket], (0, 11)),
        ((0, 11), &[Bracket], (0, 7)),
        ((0, 13), &[Bracket], (0, 13)),
        ((0, 0), &[ParagraphDown], (1, 0)),
        ((3, 0), &[ParagraphUp], (1, 0)),
        ((0, 0), &[Low], (5, 0)),
        ((5, 0), &[High], (0, 0)),
        ((0, 0), &[Middle], (2, 2)),
        ((3, 0), &[Right], (3, 2)),
        ((3, 0), &[Right, Left], (3, 0)),
        ((3, 0), &[Right, Right, Right, Left, Left, Left], (3, 0)),
        ((2, 1), &[Down], (3, 0)),
        ((3, 3), &[Top], (0, 0)),
        ((0, 3), &[Bottom], (3, 0)),
        // Not beyond the ends.
        ((0, 0), &[WordLeft, WordLeftEnd, SpaceLeft, ParagraphUp, PageUp], (0, 0)),
        ((3, 3), &[WordRight], (3, 3)),
    ] {
        let mut terminal = with(24, 6, text);
        let _ = print(&mut terminal, &format!("\x1b[{};{}H", from.0 + 1, from.1 + 1));
        vi(&mut terminal, Vi::Enter);
        assert_eq!(go(&mut terminal, motions), wanted, "{motions:?} from {from:?}");
    }
}

#[test]
fn wrapped_rows_are_one_line() {
    use Motion::*;
    for (from, motion, wanted) in [
        ((0, 0), WordRight, (1, 2)),
        ((0, 0), WordRightEnd, (1, 0)),
        ((1, 2), WordLeft, (0, 0)),
        ((0, 3), Right, (1, 0)),
        ((1, 0), Left, (0, 3)),
        ((0, 3), Last, (1, 3)),
        ((1, 0), First, (0, 0)),
    ] {
        let mut terminal = with(4, 4, "abcde fg\r\nx");
        let _ = print(&mut terminal, &format!("\x1b[{};{}H", from.0 + 1, from.1 + 1));
        vi(&mut terminal, Vi::Enter);
        assert_eq!(go(&mut terminal, &[motion]), wanted, "{motion:?} from {from:?}");
    }
}

#[test]
fn motions_scroll_over_hot_and_cold_rows() {
    use Motion::*;
    for compacted in [false, true] {
        let mut terminal = with(10, 5, &numbers(0..2000));
        if compacted {
            compact(&mut terminal);
        }
        vi(&mut terminal, Vi::Enter);
        assert_eq!(go(&mut terminal, &[Up; 7]), (0, 0));
        assert_eq!(shown_lines(&mut terminal)[0], "1993");
        let _ = go(&mut terminal, &[Down; 5]);
        assert_eq!(shown_lines(&mut terminal), ["1994", "1995", "1996", "1997", "1998"]);
        assert_eq!(go(&mut terminal, &[PageUp; 100]), (4, 0));
        assert_eq!(shown_lines(&mut terminal)[4], "1498");
        let _ = go(&mut terminal, &[HalfPageUp, HalfPageDown, PageDown]);
        assert_eq!(shown_lines(&mut terminal)[4], "1503");
        let _ = go(&mut terminal, &[Top]);
        assert_eq!(shown_lines(&mut terminal)[0], "0");
        assert_eq!(go(&mut terminal, &[WordLeft, Up]), (0, 0));
        let _ = go(&mut terminal, &[Bottom]);
        assert_eq!((terminal.scroll().offset, at(&mut terminal)), (0, (4, 0)));
    }
}

#[test]
fn selections_hold_both_ends() {
    use Motion::*;
    let text = "abc def\r\nghi jkl\r\nmno pqr\x1b[1;5H";
    for (by, motions, wanted) in [
        (SelectBy::Cell, &[][..], "d"),
        (SelectBy::Cell, &[Right, Right], "def"),
        (SelectBy::Cell, &[Left, Left], "c d"),
        (SelectBy::Cell, &[Down], "def\nghi j"),
        (SelectBy::Line, &[Down], "abc def\nghi jkl"),
        (SelectBy::Block, &[Down, Right], "de\njk"),
        (SelectBy::Block, &[Down, Left, Left], "c d\ni j"),
        (SelectBy::Word, &[Right, Down], "def\nghi jkl"),
    ] {
        let mut terminal = entered(20, 4, text);
        vi(&mut terminal, Vi::Select(by));
        let _ = go(&mut terminal, motions);
        assert_eq!(terminal.selection_text().as_deref(), Some(wanted), "{by:?} {motions:?}");
    }
}

#[test]
fn a_selection_changes_its_kind_and_its_end() {
    let mut terminal = entered(20, 4, "abc def\r\nghi jkl\x1b[1;5H");
    vi(&mut terminal, Vi::Select(SelectBy::Cell));
    let _ = go(&mut terminal, &[Motion::Right]);
    vi(&mut terminal, Vi::Select(SelectBy::Line));
    assert_eq!(terminal.selection_text().as_deref(), Some("abc def"));
    vi(&mut terminal, Vi::Select(SelectBy::Line));
    assert_eq!(terminal.selection_text(), None);
    vi(&mut terminal, Vi::Select(SelectBy::Cell));
    let _ = go(&mut terminal, &[Motion::Down]);
    vi(&mut terminal, Vi::Swap);
    assert_eq!(at(&mut terminal), (0, 5));
    let _ = go(&mut terminal, &[Motion::Left, Motion::Left]);
    assert_eq!(terminal.selection_text().as_deref(), Some(" def\nghi jk"));
    // The mouse takes over.
    let start = Select::Start { row: 1, col: 4, right_half: false, by: SelectBy::Word };
    let _ = give(&mut terminal, Input::Select(start));
    assert_eq!((at(&mut terminal), terminal.selection_text().as_deref()), ((1, 4), Some("jkl")));
}

#[test]
fn a_selection_reaches_over_everything() {
    let mut terminal = with(10, 5, &numbers(0..3000));
    compact(&mut terminal);
    vi(&mut terminal, Vi::Enter);
    let _ = go(&mut terminal, &[Motion::Up]);
    vi(&mut terminal, Vi::Select(SelectBy::Line));
    let _ = go(&mut terminal, &[Motion::Top]);
    let wanted: Vec<String> = (0..3000).map(|n| n.to_string()).collect();
    assert_eq!(terminal.selection_text(), Some(wanted.join("\n")));
}

#[test]
fn the_viewport_takes_the_cursor_along() {
    let mut terminal = entered(10, 5, &numbers(0..100));
    let _ = give(&mut terminal, Input::Scroll(ScrollTo::Lines(30)));
    assert_eq!(at(&mut terminal), (4, 0));
    let _ = give(&mut terminal, Input::Scroll(ScrollTo::Bottom));
    assert_eq!(at(&mut terminal), (0, 0));
    assert!(terminal.modes().vi);
}

#[test]
fn matches_and_prompts_are_motions() {
    let mut terminal = with(20, 4, &numbers(0..1000));
    compact(&mut terminal);
    vi(&mut terminal, Vi::Enter);
    terminal.search(Some(Query { text: "77".to_owned(), ..Query::default() }));
    while terminal.search_step(1000) {}
    let line = |terminal: &mut Terminal| {
        let (row, _) = at(terminal);
        shown_lines(terminal)[usize::from(row)].clone()
    };
    assert_eq!(line(&mut terminal), "977");
    let _ = go(&mut terminal, &[Motion::MatchUp]);
    assert_eq!(line(&mut terminal), "877");
    // From wherever its cursor is.
    let _ = go(&mut terminal, &[Motion::Top, Motion::MatchDown]);
    assert_eq!((line(&mut terminal), at(&mut terminal).1), ("77".to_owned(), 0));
    let _ = go(&mut terminal, &[Motion::MatchUp]);
    assert_eq!(line(&mut terminal), "977");
    let mut terminal =
        with(20, 4, "\x1b]133;A\x07$ a\r\n\x1b]133;C\x071\r\n2\r\n3\r\n\x1b]133;A\x07$ ");
    vi(&mut terminal, Vi::Enter);
    let _ = go(&mut terminal, &[Motion::PromptUp]);
    assert_eq!(line(&mut terminal), "$ a");
    let _ = go(&mut terminal, &[Motion::PromptDown]);
    assert_eq!(line(&mut terminal), "$");
}

#[test]
fn the_cursor_stays_at_its_text() {
    let text: String = (0..500).map(|n| format!("<{n}> some more words\r\n")).collect();
    for compacted in [false, true] {
        let mut terminal = with(30, 6, &text);
        if compacted {
            compact(&mut terminal);
        }
        let _ = give(&mut terminal, Input::Scroll(ScrollTo::Offset(300)));
        vi(&mut terminal, Vi::Enter);
        let _ = go(&mut terminal, &[Motion::High]);
        let before = shown_lines(&mut terminal)[0].clone();
        for cols in [8, 50, 11, 30] {
            terminal.resize(Size::new(cols, 6));
            assert_eq!(at(&mut terminal), (0, 0), "{cols}");
            let number = before.split(' ').next().expect("a number");
            assert!(shown_lines(&mut terminal)[0].starts_with(number));
        }
    }
}

#[test]
fn another_screen_keeps_the_cursor_in_it() {
    let mut terminal = entered(10, 5, &numbers(0..2000));
    compact(&mut terminal);
    let _ = go(&mut terminal, &[Motion::Top]);
    let _ = print(&mut terminal, "\x1b[?1049h\x1b[Halt");
    let _ = go(&mut terminal, &[Motion::High, Motion::Up]);
    assert_eq!(at(&mut terminal), (0, 0));
    let _ = print(&mut terminal, "\x1b[?1049l");
    assert!(shown(&mut terminal).cursor.is_some());
    let _ = print(&mut terminal, "\x1bc");
    assert!(shown(&mut terminal).cursor.is_some());
    assert_eq!(go(&mut terminal, &[Motion::Up, Motion::WordRight, Motion::Bottom]), (0, 0));
}

#[test]
fn a_word_without_end_is_left_somewhere() {
    let mut terminal = with(2, 5, &format!("begin {} end", "x".repeat(60_000)));
    vi(&mut terminal, Vi::Enter);
    for motion in [Motion::Top, Motion::WordRight, Motion::WordRight] {
        vi(&mut terminal, Vi::Move(motion));
    }
    let passed = terminal.scroll().history - terminal.scroll().offset;
    assert!((9_000..11_000).contains(&passed), "{passed}");
}

#[test]
fn a_selection_that_is_given_up_does_not_come_back() {
    let mut terminal = entered(20, 4, "one two three\x1b[H");
    vi(&mut terminal, Vi::Select(SelectBy::Cell));
    vi(&mut terminal, Vi::Move(Motion::WordRight));
    assert_eq!(terminal.selection_text().as_deref(), Some("one t"));
    let _ = give(&mut terminal, Input::Select(Select::Clear));
    vi(&mut terminal, Vi::Move(Motion::WordRight));
    assert_eq!(terminal.selection_text(), None);
    // The next one begins at the cursor.
    vi(&mut terminal, Vi::Select(SelectBy::Cell));
    vi(&mut terminal, Vi::Move(Motion::WordRightEnd));
    assert_eq!(terminal.selection_text().as_deref(), Some("three"));
}

#[test]
fn the_cursor_is_seen_whatever_happens_to_the_screen() {
    let up = |terminal: &mut Terminal| {
        for _ in 0..30 {
            vi(terminal, Vi::Move(Motion::Up));
        }
    };
    let seen = |terminal: &mut Terminal| assert!(shown(terminal).cursor.is_some());
    for history in [false, true] {
        let mut terminal = entered(20, 6, &numbers(0..50));
        up(&mut terminal);
        terminal.clear(history);
        seen(&mut terminal);
    }
    let mut terminal = entered(20, 6, &numbers(0..50));
    up(&mut terminal);
    let before = shown_lines(&mut terminal);
    // Somebody else types and pastes.
    let _ = give(&mut terminal, Input::Text("x".to_owned()));
    let _ = terminal.begin_paste();
    assert_eq!(shown_lines(&mut terminal), before);
    let _ = print(&mut terminal, "\x1b[?1049h");
    seen(&mut terminal);
    terminal.resize(Size::new(20, 2));
    let _ = print(&mut terminal, "\x1b[H\x1b[?1049l");
    seen(&mut terminal);
    // It never stands on the second half of a character.
    let mut terminal = entered(20, 4, "好\x1b[1;2H");
    assert_eq!(at(&mut terminal), (0, 0));
}

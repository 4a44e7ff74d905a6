use maestro_core::input::{Input, Select, SelectBy};

use super::{give, numbers, print, select, with};

#[track_caller]
fn check(output: &str, by: SelectBy, from: (u16, u16), to: (i32, u16), wanted: &str) {
    let mut terminal = with(10, 4, output);
    select(&mut terminal, by, from, to);
    assert_eq!(terminal.selection_text().as_deref(), Some(wanted), "{output:?}");
}

#[test]
fn cells() {
    check("hello", SelectBy::Cell, (0, 1), (0, 3), "ell");
    check("hello", SelectBy::Cell, (0, 3), (0, 0), "el");
    check("one  \r\ntwo", SelectBy::Cell, (0, 1), (1, 1), "ne\ntw");
    check("one\r\n\r\ntwo", SelectBy::Cell, (0, 0), (2, 2), "one\n\ntwo");
    check("ab", SelectBy::Cell, (0, 0), (0, 9), "ab");
    // Lines that were wrapped are one.
    check("0123456789abc", SelectBy::Cell, (0, 8), (1, 1), "89ab");
    check("012345678 abc", SelectBy::Cell, (0, 8), (1, 1), "8 ab");
    check("012345678好b", SelectBy::Cell, (0, 8), (1, 2), "8好b");
    // Half a wide character is the whole.
    check("a好b", SelectBy::Cell, (0, 2), (0, 3), "好b");
    check("a好b", SelectBy::Cell, (0, 0), (0, 1), "a好");
    check("e\u{301}x", SelectBy::Cell, (0, 0), (0, 0), "e\u{301}");
}

#[test]
fn words() {
    check("foo bar(baz)", SelectBy::Word, (0, 5), (0, 5), "bar");
    check("foo bar", SelectBy::Word, (0, 1), (0, 5), "foo bar");
    check("a/b-c.d x", SelectBy::Word, (0, 3), (0, 3), "a/b-c.d");
    check("(x)", SelectBy::Word, (0, 0), (0, 0), "(");
    check("x 0123456789abc y", SelectBy::Word, (1, 0), (1, 0), "0123456789abc");
    check("好好 x", SelectBy::Word, (0, 3), (0, 3), "好好");
}

#[test]
fn whole_lines() {
    check("  one two\r\nthree", SelectBy::Line, (0, 4), (0, 4), "  one two");
    check("one\r\ntwo\r\nthree", SelectBy::Line, (1, 1), (2, 0), "two\nthree");
    check(
        "0123456789abcdefghijxyz\r\nno",
        SelectBy::Line,
        (1, 3),
        (1, 3),
        "0123456789abcdefghijxyz",
    );
}

#[test]
fn blocks() {
    check("abcd\r\nefgh\r\nijkl", SelectBy::Block, (0, 1), (2, 2), "bc\nfg\njk");
    check("abcd\r\ne\r\nijkl", SelectBy::Block, (0, 2), (2, 3), "cd\n\nkl");
}

#[test]
fn nothing() {
    let mut terminal = with(10, 3, "hello");
    assert_eq!(terminal.selection_text(), None);
    let start = Select::Start { row: 0, col: 2, right_half: false, by: SelectBy::Cell };
    let _ = give(&mut terminal, Input::Select(start));
    assert_eq!(terminal.selection_text(), None);
    select(&mut terminal, SelectBy::Cell, (0, 1), (0, 3));
    let _ = give(&mut terminal, Input::Select(Select::Clear));
    assert_eq!(terminal.selection_text(), None);
    let update = Select::Update { row: 0, col: 3, right_half: true };
    let _ = give(&mut terminal, Input::Select(update));
    assert_eq!(terminal.selection_text(), None);
}

#[test]
fn everything() {
    let mut terminal = with(10, 3, &numbers(0..5));
    let _ = give(&mut terminal, Input::Select(Select::All));
    assert_eq!(terminal.selection_text().as_deref().map(str::trim_end), Some("0\n1\n2\n3\n4"));
}

#[test]
fn dragging_beyond_the_edge_scrolls() {
    let mut terminal = with(10, 3, &numbers(0..20));
    select(&mut terminal, SelectBy::Cell, (1, 0), (-2, 0));
    assert_eq!(terminal.scroll().offset, 2);
    let _ =
        give(&mut terminal, Input::Select(Select::Update { row: -3, col: 0, right_half: false }));
    assert_eq!(terminal.scroll().offset, 5);
    assert_eq!(terminal.selection_text().as_deref(), Some("13\n14\n15\n16\n17\n18"));
    let _ =
        give(&mut terminal, Input::Select(Select::Update { row: 4, col: 0, right_half: false }));
    assert_eq!(terminal.scroll().offset, 3);
}

#[test]
fn a_selection_moves_with_its_text() {
    let mut terminal = with(10, 3, &numbers(0..5));
    select(&mut terminal, SelectBy::Line, (0, 0), (1, 0));
    let _ = print(&mut terminal, &numbers(5..500));
    assert_eq!(terminal.selection_text().as_deref(), Some("3\n4"));
}

#[test]
fn a_selection_ends_when_its_text_changes() {
    let mut terminal = with(10, 3, "one\r\ntwo");
    select(&mut terminal, SelectBy::Cell, (0, 0), (0, 2));
    // Elsewhere, or the same text again: nothing happened to it.
    let _ = print(&mut terminal, "!\x1b[Hone");
    assert_eq!(terminal.selection_text().as_deref(), Some("one"));
    let _ = print(&mut terminal, "\x1b[Hons");
    assert_eq!(terminal.selection_text(), None);
    for change in ["\x1b[2J", "\x1b[?1049h", "\x1bc"] {
        let mut terminal = with(10, 3, "one\r\ntwo");
        select(&mut terminal, SelectBy::Cell, (0, 0), (0, 2));
        let _ = print(&mut terminal, change);
        let text = terminal.selection_text();
        assert!(
            text.is_none() || change == "\x1b[2J" && text.as_deref() == Some("one"),
            "{change:?}"
        );
    }
}

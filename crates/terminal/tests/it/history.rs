use maestro_core::input::{Code, Input, Key, ScrollTo, SelectBy};
use maestro_core::screen::Size;
use maestro_terminal::{Options, Terminal};

use super::{give, lines, numbers, print, screen, select, shown_lines, terminal, with};

fn scroll(terminal: &mut Terminal, to: ScrollTo) {
    let _ = give(terminal, Input::Scroll(to));
}

/// Compacts as far as it goes.
fn compact(terminal: &mut Terminal) {
    while terminal.compact(100) {}
}

fn history(terminal: &mut Terminal) -> Vec<String> {
    lines(&terminal.screen(true).history)
}

fn counted(range: std::ops::Range<u32>) -> Vec<String> {
    range.map(|n| n.to_string()).collect()
}

#[test]
fn scrolling_shows_older_rows() {
    let mut terminal = with(10, 3, &numbers(0..10));
    assert_eq!(shown_lines(&mut terminal), ["8", "9", ""]);
    scroll(&mut terminal, ScrollTo::Lines(2));
    assert_eq!(shown_lines(&mut terminal), ["6", "7", "8"]);
    scroll(&mut terminal, ScrollTo::Pages(1));
    assert_eq!(shown_lines(&mut terminal), ["3", "4", "5"]);
    scroll(&mut terminal, ScrollTo::Top);
    assert_eq!(shown_lines(&mut terminal), ["0", "1", "2"]);
    scroll(&mut terminal, ScrollTo::Lines(i32::MAX));
    assert_eq!(terminal.scroll().offset, 8);
    scroll(&mut terminal, ScrollTo::Offset(1));
    assert_eq!(shown_lines(&mut terminal), ["7", "8", "9"]);
    scroll(&mut terminal, ScrollTo::Lines(i32::MIN));
    assert_eq!(terminal.scroll().offset, 0);
}

#[test]
fn a_reading_position_stays_while_output_arrives() {
    let mut terminal = with(10, 3, &numbers(0..10));
    scroll(&mut terminal, ScrollTo::Lines(4));
    for n in 10..1000 {
        let _ = print(&mut terminal, &numbers(n..n + 1));
        assert_eq!(shown_lines(&mut terminal), ["4", "5", "6"]);
    }
    assert_eq!(terminal.scroll().offset, 994);
    // Scrolling a part of the screen moves nothing in history.
    let _ = print(&mut terminal, "\x1b[2;3r\x1b[3;1H\n\n\n\x1b[r");
    assert_eq!(shown_lines(&mut terminal), ["4", "5", "6"]);
}

#[test]
fn a_key_goes_back_to_the_bottom() {
    let mut terminal = with(10, 3, &numbers(0..10));
    scroll(&mut terminal, ScrollTo::Top);
    let key = |code, text: &str| Key {
        code,
        mods: Default::default(),
        text: text.to_owned(),
        action: Default::default(),
        base: None,
        shifted: None,
        keypad: false,
    };
    let _ = give(&mut terminal, Input::Key(key(Code::Shift, "")));
    assert_eq!(terminal.scroll().offset, 8);
    assert_eq!(give(&mut terminal, Input::Key(key(Code::Char('x'), "x"))), "x");
    assert_eq!(terminal.scroll().offset, 0);
}

#[test]
fn history_is_limited() {
    let mut terminal = Terminal::new(Options { scrollback: 100, ..Options::new(Size::new(10, 3)) });
    let _ = print(&mut terminal, &numbers(0..5000));
    assert_eq!(terminal.scroll().history, 100);
    assert_eq!(history(&mut terminal), counted(4898..4998));
    scroll(&mut terminal, ScrollTo::Top);
    // What was read is dropped: the position moves to the oldest row there is.
    let _ = print(&mut terminal, &numbers(5000..9000));
    assert_eq!(shown_lines(&mut terminal), ["8898", "8899", "8900"]);
    let mut none = Terminal::new(Options { scrollback: 0, ..Options::new(Size::new(10, 3)) });
    let _ = print(&mut none, &numbers(0..5000));
    assert_eq!(none.scroll().history, 0);
    assert_eq!(screen(&mut none), ["4998", "4999", ""]);
}

#[test]
fn a_child_can_wipe_history() {
    let mut terminal = with(10, 3, &numbers(0..1000));
    compact(&mut terminal);
    scroll(&mut terminal, ScrollTo::Top);
    let _ = print(&mut terminal, "\x1b[3J");
    assert_eq!((terminal.scroll().history, terminal.scroll().offset), (0, 0));
    let mut terminal = with(10, 3, &numbers(0..1000));
    compact(&mut terminal);
    let _ = print(&mut terminal, "\x1bc");
    assert_eq!(terminal.scroll().history, 0);
    assert_eq!(screen(&mut terminal), ["", "", ""]);
}

#[test]
fn the_alternate_screen_has_none() {
    let mut terminal = with(10, 3, &numbers(0..1000));
    compact(&mut terminal);
    scroll(&mut terminal, ScrollTo::Top);
    let _ = print(&mut terminal, "\x1b[?1049h\x1b[Halt");
    assert_eq!((terminal.scroll().history, terminal.scroll().offset), (0, 0));
    assert_eq!(shown_lines(&mut terminal), ["alt", "", ""]);
    assert!(!terminal.compact(1000));
    let _ = print(&mut terminal, "\x1b[?1049l");
    assert_eq!(history(&mut terminal), counted(0..998));
}

#[test]
fn compacting_changes_nothing_that_can_be_seen() {
    let output: String = (0..3000)
        .map(|n| format!("\x1b[{}m{n} 好 \x1b[4:3;58;5;9mx\x1b[0m e\u{301}\r\n", 31 + n % 7))
        .collect();
    let mut plain = with(30, 5, &output);
    let mut terminal = with(30, 5, &output);
    scroll(&mut terminal, ScrollTo::Lines(1500));
    scroll(&mut plain, ScrollTo::Lines(1500));
    let hot = terminal.hot_bytes();
    compact(&mut terminal);
    assert!(terminal.hot_bytes() * 5 < hot);
    assert_eq!(terminal.screen(true), plain.screen(true));
    for offset in [1500, 2000, 460, 330, 300, 201, 200, 199, 2996] {
        scroll(&mut terminal, ScrollTo::Offset(offset));
        scroll(&mut plain, ScrollTo::Offset(offset));
        assert_eq!(super::shown(&mut terminal), super::shown(&mut plain), "offset {offset}");
    }
}

#[test]
fn output_after_compacting_goes_on_below() {
    let mut terminal = terminal(10, 3);
    for round in 0..12 {
        let _ = print(&mut terminal, &numbers(round * 700..(round + 1) * 700));
        compact(&mut terminal);
    }
    assert_eq!(history(&mut terminal), counted(0..8398));
    let _ = print(&mut terminal, &numbers(8400..13_000));
    compact(&mut terminal);
    assert_eq!(terminal.scroll().history, 10_000);
    assert_eq!(history(&mut terminal), counted(2998..12_998));
    // A flood leaves nothing of what was before.
    let _ = print(&mut terminal, &numbers(13_000..40_000));
    assert_eq!(history(&mut terminal), counted(29_998..39_998));
}

#[test]
fn selections_reach_over_the_border() {
    let mut terminal = with(10, 3, &numbers(0..2000));
    let _ = give(&mut terminal, Input::Select(maestro_core::input::Select::All));
    let wanted = counted(0..2000).join("\n");
    assert_eq!(terminal.selection_text().map(|t| t.trim_end().to_owned()), Some(wanted.clone()));
    compact(&mut terminal);
    assert_eq!(terminal.selection_text().map(|t| t.trim_end().to_owned()), Some(wanted));
    scroll(&mut terminal, ScrollTo::Top);
    select(&mut terminal, SelectBy::Line, (0, 0), (1, 0));
    assert_eq!(terminal.selection_text().as_deref(), Some("0\n1"));
}

#[test]
fn resizing_keeps_the_text() {
    let long: String = (0..600).map(|n| format!("line {n} with some words\r\n")).collect();
    for compacted in [false, true] {
        let mut terminal = with(30, 5, &long);
        if compacted {
            compact(&mut terminal);
        }
        for cols in [12, 7, 60, 30] {
            terminal.resize(Size::new(cols, 5));
            let all = terminal.screen(true);
            let mut text = String::new();
            for row in all.history.iter().chain(&all.rows) {
                text.push_str(&row.text());
                if !row.wrapped {
                    text.truncate(text.trim_end().len());
                    text.push('\n');
                } else {
                    let missing = usize::from(cols) - row.cells.len();
                    text.extend(std::iter::repeat_n(' ', missing));
                }
            }
            assert_eq!(text.trim_end(), long.replace('\r', "").trim_end(), "{cols} columns");
        }
    }
}

#[test]
fn a_reading_position_survives_another_width() {
    let long: String = (0..2000).map(|n| format!("{n} with words after it\r\n")).collect();
    for compacted in [false, true] {
        for offset in [100, 1000] {
            let mut terminal = with(30, 5, &long);
            if compacted {
                compact(&mut terminal);
            }
            scroll(&mut terminal, ScrollTo::Offset(offset));
            let before = shown_lines(&mut terminal)[0].clone();
            terminal.resize(Size::new(10, 5));
            let narrow = shown_lines(&mut terminal).join("");
            let number = before.split(' ').next().expect("a number").to_owned();
            assert!(narrow.contains(&number), "{number} in {narrow:?}, {compacted} {offset}");
            terminal.resize(Size::new(30, 5));
            let wide = shown_lines(&mut terminal);
            assert!(wide.contains(&before), "{before} in {wide:?}, {compacted} {offset}");
        }
    }
}

#[test]
fn another_height_keeps_position_and_selection() {
    let mut terminal = with(10, 5, &numbers(0..100));
    scroll(&mut terminal, ScrollTo::Offset(20));
    select(&mut terminal, SelectBy::Line, (0, 0), (0, 0));
    let before = terminal.selection_text();
    for rows in [9, 2, 5] {
        terminal.resize(Size::new(10, rows));
        assert_eq!(terminal.selection_text(), before);
        assert_eq!(shown_lines(&mut terminal)[0], "76");
    }
}

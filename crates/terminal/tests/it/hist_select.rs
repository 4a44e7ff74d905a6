//! Selections over screen and history.

use maestro_core::input::{Input, ScrollTo, Select, SelectBy};
use maestro_core::screen::{Row, Size, flags};
use maestro_terminal::Terminal;

use super::{Random, give, numbers, print, select, terminal, with};

fn compact(terminal: &mut Terminal) {
    while terminal.compact(100) {}
}

fn double_click(terminal: &mut Terminal, row: u16, col: u16) -> String {
    let start = Select::Start { row, col, right_half: false, by: SelectBy::Word };
    let _ = give(terminal, Input::Select(start));
    terminal.selection_text().unwrap_or_default()
}

#[test]
fn a_double_click_takes_a_word_or_an_address() {
    let line = "see https://example.org/a(b)?q=1,2#x. (http://x.y/z) file:///etc/hosts a:b";
    let mut terminal = with(90, 3, line);
    let at = |text: &str| line.find(text).expect("in the line") as u16;
    for (text, wanted) in [
        ("see", "see"),
        ("example", "https://example.org/a(b)?q=1,2#x"),
        ("https", "https://example.org/a(b)?q=1,2#x"),
        ("http:", "http://x.y/z"),
        ("hosts", "file:///etc/hosts"),
        ("a:b", "a"),
    ] {
        assert_eq!(double_click(&mut terminal, 0, at(text)), wanted, "{text}");
    }
    // Wrapped, and not from its last row only.
    let mut terminal = with(10, 12, line);
    assert_eq!(double_click(&mut terminal, 1, 3), "https://example.org/a(b)?q=1,2#x");
}

#[test]
fn a_triple_click_takes_the_whole_line() {
    let long = "word ".repeat(400);
    let mut terminal = with(10, 4, &format!("before\r\n{long}end\r\nafter\r\n\r\n\r\n"));
    compact(&mut terminal);
    let _ = give(&mut terminal, Input::Scroll(ScrollTo::Offset(100)));
    let start = Select::Start { row: 1, col: 3, right_half: false, by: SelectBy::Line };
    let _ = give(&mut terminal, Input::Select(start));
    assert_eq!(terminal.selection_text(), Some(format!("{long}end")));
}

#[test]
fn dragging_beyond_the_edge_scrolls() {
    let mut terminal = with(10, 4, &numbers(0..3000));
    compact(&mut terminal);
    let _ = give(&mut terminal, Input::Scroll(ScrollTo::Offset(1000)));
    select(&mut terminal, SelectBy::Line, (1, 0), (-300, 0));
    assert_eq!(terminal.scroll().offset, 1300);
    let text = terminal.selection_text().expect("rows");
    assert_eq!(text.lines().count(), 302);
    let update = Select::Update { row: 3 + 900, col: 0, right_half: true };
    let _ = give(&mut terminal, Input::Select(update));
    assert_eq!(terminal.scroll().offset, 400);
    let text = terminal.selection_text().expect("rows");
    assert_eq!((text.lines().next(), text.lines().last()), (Some("1998"), Some("2600")));
}

#[test]
fn a_selection_moves_with_its_text() {
    for compacted in [false, true] {
        let text: String = (0..900).map(|n| format!("line {n} of words\r\n")).collect();
        let mut terminal = with(30, 5, &text);
        if compacted {
            compact(&mut terminal);
        }
        let _ = give(&mut terminal, Input::Scroll(ScrollTo::Offset(500)));
        select(&mut terminal, SelectBy::Cell, (1, 5), (3, 7));
        let before = terminal.selection_text().expect("selected");
        for cols in [9, 60, 13, 30] {
            terminal.resize(Size::new(cols, 5));
            assert_eq!(terminal.selection_text().as_deref(), Some(&*before), "{cols}");
        }
    }
}

#[test]
fn slices_copy_what_one_piece_does() {
    let mut terminal = with(10, 4, &numbers(0..3000));
    compact(&mut terminal);
    let _ = give(&mut terminal, Input::Select(Select::All));
    let whole = terminal.selection_text().expect("everything");
    for slice in [1, 7, 1000, 5000] {
        let mut text = String::new();
        let mut from = None;
        loop {
            from = terminal.selection_slice(from, slice, &mut text);
            if from.is_none() {
                break;
            }
        }
        assert_eq!(text, whole, "{slice}");
    }
}

/// What a selection of cells reads, by the rows alone.
fn naive(rows: &[Row], cols: u16, from: (usize, u16), to: (usize, u16), block: bool) -> String {
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate().take(to.0 + 1).skip(from.0) {
        let mut first = if block || number == from.0 { from.1 } else { 0 };
        let last = if block || number == to.0 { to.1 } else { cols - 1 };
        let cell = |col: u16| row.cells.get(usize::from(col)).copied().unwrap_or_default();
        if cell(first).has(flags::SPACER) && first > 0 && cell(first - 1).has(flags::WIDE) {
            first -= 1;
        }
        let mut part = String::new();
        for col in first..=last {
            if !cell(col).has(flags::SPACER) {
                row.write_cell(&cell(col), &mut part);
            }
        }
        let goes_on = row.wrapped && last == cols - 1;
        text.push_str(if goes_on { &part } else { part.trim_end_matches(' ') });
        if number < to.0 && (block || !goes_on) {
            text.push('\n');
        }
    }
    text
}

#[test]
fn selections_read_what_a_naive_model_reads() {
    let words = ["ab", "好", "e\u{301}", " ", "   ", "x", "🙂"];
    let mut random = Random(0xfeed);
    for round in 0..150 {
        let (cols, rows) = (2 + random.below(12) as u16, 2 + random.below(6) as u16);
        let mut terminal = terminal(cols, rows);
        for _ in 0..random.below(800) {
            let text: String = (0..random.below(8)).map(|_| words[random.below(7)]).collect();
            let _ = print(&mut terminal, &text);
            if random.below(3) > 0 {
                let _ = print(&mut terminal, "\r\n");
            }
        }
        if random.below(2) == 0 {
            compact(&mut terminal);
        }
        let all = terminal.screen(true);
        let history = all.history.len();
        let all: Vec<Row> = all.history.into_iter().chain(all.rows).collect();
        let offset = random.below(history + 1);
        let _ = give(&mut terminal, Input::Scroll(ScrollTo::Offset(offset as u32)));
        let top = history - offset;
        let mut from = (random.below(rows.into()), random.below(cols.into()) as u16);
        let down = random.below(history - top + usize::from(rows) - from.0).min(300);
        let mut to = (from.0 + down, random.below(cols.into()) as u16);
        if to < from {
            std::mem::swap(&mut from, &mut to);
        }
        let block = random.below(4) == 0;
        let by = if block { SelectBy::Block } else { SelectBy::Cell };
        if block && to.1 < from.1 {
            (from.1, to.1) = (to.1, from.1);
        }
        let start = Select::Start { row: from.0 as u16, col: from.1, right_half: false, by };
        let _ = give(&mut terminal, Input::Select(start));
        // Beyond the lower edge it scrolls, by no more than there is.
        let scrolled = (to.0 + 1).saturating_sub(rows.into());
        let _ = give(
            &mut terminal,
            Input::Select(Select::Update { row: to.0 as i32, col: to.1, right_half: true }),
        );
        assert_eq!(terminal.scroll().offset as usize, offset - scrolled, "round {round}");
        let wanted = naive(&all, cols, (top + from.0, from.1), (top + to.0, to.1), block);
        let wanted = Some(wanted).filter(|text| !text.is_empty());
        assert_eq!(terminal.selection_text(), wanted, "round {round}, {cols} columns");
    }
}

#[test]
fn selected_text_on_the_screen_stays_selected_at_another_width() {
    let mut terminal = with(20, 6, "first\r\nsome words that wrap here\r\nlast");
    select(&mut terminal, SelectBy::Cell, (1, 5), (2, 4));
    let wanted = terminal.selection_text();
    assert_eq!(wanted.as_deref(), Some("words that wrap here"));
    for cols in [12, 7, 40, 20] {
        terminal.resize(Size::new(cols, 6));
        assert_eq!(terminal.selection_text(), wanted, "{cols} columns");
    }
}

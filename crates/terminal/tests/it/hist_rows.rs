//! Rows far back: kept, read, exported, and what a reader looks at while things change.

use maestro_core::input::{Input, Motion, ScrollTo, Select, SelectBy, Vi};
use maestro_core::screen::Size;
use maestro_core::search::Query;
use maestro_terminal::{Options, Terminal};

use super::{Random, give, numbers, print, shown, shown_lines, terminal, with};

fn compact(terminal: &mut Terminal) {
    while terminal.compact(100) {}
}

fn scroll(terminal: &mut Terminal, to: ScrollTo) {
    let _ = give(terminal, Input::Scroll(to));
}

fn exported(terminal: &mut Terminal, ansi: bool, slice: usize) -> String {
    let mut text = String::new();
    let mut from = None;
    loop {
        from = terminal.export(ansi, from, slice, &mut text);
        if from.is_none() {
            return text;
        }
    }
}

#[test]
fn no_row_within_the_limit_is_lost() {
    let options = Options { scrollback: 50_000, ..Options::new(Size::new(12, 3)) };
    let mut terminal = Terminal::new(options);
    // In one piece, far more than stays in the emulator.
    let _ = print(&mut terminal, &numbers(0..45_000));
    assert_eq!(terminal.scroll().history, 44_998);
    assert!(terminal.hot_bytes() < 12_000 * 12 * 32);
    let wanted: String = (0..45_000).map(|n| format!("{n}\n")).collect();
    assert_eq!(exported(&mut terminal, false, 1000).trim_end(), wanted.trim_end());
    let mut next = 45_000;
    let mut random = Random(3);
    for round in 0..30 {
        let count = random.below(9000) as u32;
        let _ = print(&mut terminal, &numbers(next..next + count));
        next += count;
        if round % 4 == 0 {
            compact(&mut terminal);
        }
        let history = terminal.scroll().history;
        assert_eq!(history, 50_000.min(next - 2));
        scroll(&mut terminal, ScrollTo::Top);
        let top = next - 2 - history;
        assert_eq!(shown_lines(&mut terminal)[0], top.to_string());
        scroll(&mut terminal, ScrollTo::Bottom);
    }
}

#[test]
fn rows_survive_a_wipe_in_the_same_piece() {
    let options = Options { scrollback: 50_000, ..Options::new(Size::new(12, 3)) };
    let mut terminal = Terminal::new(options);
    let _ = print(&mut terminal, &numbers(0..20_000));
    let _ = print(&mut terminal, &format!("\x1b[H\x1b[2J\x1b[3J{}", numbers(0..20_000)));
    assert_eq!(terminal.scroll().history, 19_998);
    assert!(exported(&mut terminal, false, 7000).starts_with("0\n1\n2\n"));
}

#[test]
fn rows_that_come_while_one_reads_are_counted() {
    let mut terminal = with(10, 3, &numbers(0..1000));
    assert_eq!(terminal.scroll().unseen, 0);
    scroll(&mut terminal, ScrollTo::Lines(5));
    assert_eq!(terminal.scroll().unseen, 0);
    let _ = print(&mut terminal, &numbers(0..7));
    assert_eq!((terminal.scroll().unseen, terminal.scroll().offset), (7, 12));
    scroll(&mut terminal, ScrollTo::Lines(50));
    compact(&mut terminal);
    let _ = print(&mut terminal, &numbers(0..3));
    assert_eq!(terminal.scroll().unseen, 10);
    terminal.resize(Size::new(20, 5));
    assert_eq!(terminal.scroll().unseen, 10);
    scroll(&mut terminal, ScrollTo::Bottom);
    assert_eq!(terminal.scroll().unseen, 0);
    let _ = print(&mut terminal, &numbers(0..3));
    assert_eq!(terminal.scroll().unseen, 0);
}

#[test]
fn what_is_read_stays_when_rows_become_cold() {
    let mut terminal = with(10, 3, &numbers(0..5000));
    for offset in [30, 220, 3000] {
        scroll(&mut terminal, ScrollTo::Offset(offset));
        let before = shown_lines(&mut terminal);
        for round in 0..6 {
            let _ = print(&mut terminal, &numbers(0..300));
            if round % 2 == 0 {
                compact(&mut terminal);
            }
            assert_eq!(shown_lines(&mut terminal), before, "{offset}");
        }
    }
}

/// A terminal whose history holds all of some output however narrow it gets.
fn roomy(cols: u16, rows: u16, output: &str) -> Terminal {
    let options = Options { scrollback: 200_000, ..Options::new(Size::new(cols, rows)) };
    let mut terminal = Terminal::new(options);
    let _ = print(&mut terminal, output);
    terminal
}

/// Wrapped rows at any width, an unmistakable word in each line.
fn wrapping(lines: u32) -> String {
    let words = |n: u32| "ab 好 x ".repeat((n % 9) as usize);
    (0..lines).map(|n| format!("<{n}> {}\r\n", words(n))).collect()
}

#[test]
fn old_rows_are_wrapped_in_slices_where_one_goes_far() {
    let filled = || {
        let options = Options { scrollback: 100_000, ..Options::new(Size::new(40, 5)) };
        let mut terminal = Terminal::new(options);
        for number in 0..20_000 {
            let _ = print(&mut terminal, &format!("{number} a line that is wrapped by and by\r\n"));
        }
        while terminal.compact(10_000) {}
        terminal.resize(Size::new(20, 5));
        terminal
    };
    let (top, all) = (Input::Scroll(ScrollTo::Top), Input::Select(Select::All));
    let mut terminal = filled();
    assert!(terminal.is_far(&top) && terminal.is_far(&all) && terminal.is_far_to_the_top());
    assert!(!terminal.is_far(&Input::Scroll(ScrollTo::Lines(100))));
    assert!(terminal.is_far(&Input::Scroll(ScrollTo::Lines(15_000))));
    let mut slices = 1;
    while terminal.wrap_slice(256) {
        slices += 1;
    }
    assert!(slices > 50, "{slices}");
    assert!(!terminal.is_far(&top) && !terminal.is_far_to_the_top());
    // Who does not wait gets the same.
    let mut at_once = filled();
    for terminal in [&mut terminal, &mut at_once] {
        let _ = give(terminal, top.clone());
    }
    assert_eq!(shown_lines(&mut terminal)[0], "0 a line that is wra");
    assert_eq!(shown_lines(&mut terminal), shown_lines(&mut at_once));
    // A search goes far, too, and does not do it at once.
    let mut terminal = filled();
    let query = Query { text: "0 a line".to_owned(), ..Query::default() };
    terminal.search(Some(query));
    let mut steps = 0;
    terminal.search_move(true);
    while terminal.search_step(256) {
        steps += 1;
    }
    let state = terminal.search_state().expect("a search is on");
    assert!(state.done && steps > 100, "{steps} {state:?}");
    assert_eq!(state.current, Some(1), "around to the first");
}

#[test]
fn a_reading_position_survives_many_widths() {
    for (compacted, offset) in [(false, 150), (false, 2500), (true, 150), (true, 260), (true, 4000)]
    {
        let mut terminal = roomy(40, 6, &wrapping(3000));
        if compacted {
            compact(&mut terminal);
        }
        scroll(&mut terminal, ScrollTo::Offset(offset));
        // The viewport's first row begins a line.
        while !shown_lines(&mut terminal)[0].starts_with('<') {
            scroll(&mut terminal, ScrollTo::Lines(1));
        }
        let before = shown_lines(&mut terminal)[0].clone();
        let number = before.split(' ').next().expect("a number").to_owned();
        let mut random = Random(u64::from(offset) + u64::from(compacted));
        for _ in 0..40 {
            let cols = 7 + random.below(80) as u16;
            let rows = 2 + random.below(20) as u16;
            terminal.resize(Size::new(cols, rows));
            assert_eq!(shown_lines(&mut terminal)[0].split(' ').next(), Some(&*number), "{cols}");
            if random.below(4) == 0 {
                let _ = print(&mut terminal, "more\r\nand more\r\n");
                assert!(shown_lines(&mut terminal)[0].starts_with(&number));
            }
            if random.below(5) == 0 {
                compact(&mut terminal);
                assert!(shown_lines(&mut terminal)[0].starts_with(&number));
            }
        }
        terminal.resize(Size::new(40, 6));
        assert_eq!(shown_lines(&mut terminal)[0], before, "{compacted} {offset}");
    }
}

/// Rows that one look, or one step, may wrap where others lie between what is looked at and the screen.
const LITTLE: u64 = 4096;

/// The number of the line that the viewport begins in.
fn number_shown(terminal: &mut Terminal) -> String {
    let mut out = String::new();
    for line in shown_lines(terminal) {
        if let Some(rest) = line.strip_prefix('<') {
            out = rest.split('>').next().unwrap_or_default().to_owned();
            break;
        }
    }
    out
}

/// The viewport goes up to where a line begins.
fn to_a_line(terminal: &mut Terminal) {
    while !shown_lines(terminal)[0].starts_with('<') {
        scroll(terminal, ScrollTo::Lines(1));
    }
}

#[test]
fn what_is_looked_at_far_up_makes_no_resize_wrap_all_of_the_way_there() {
    let mut terminal = roomy(40, 6, &wrapping(20_000));
    compact(&mut terminal);
    scroll(&mut terminal, ScrollTo::Offset(22_000));
    to_a_line(&mut terminal);
    let number = number_shown(&mut terminal);
    super::select(&mut terminal, SelectBy::Cell, (0, 0), (3, 20));
    let selected = |terminal: &mut Terminal| {
        let text = terminal.selection_text().expect("something is selected");
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let wanted = selected(&mut terminal);
    assert!(wanted.starts_with(&format!("<{number}>")), "{wanted}");
    let marked = |terminal: &mut Terminal| {
        let frame = shown(terminal);
        let cells = frame.rows.iter().flat_map(|(_, row)| &row.cells);
        cells.filter(|cell| cell.has(maestro_core::screen::flags::SELECTED)).count()
    };
    assert!(marked(&mut terminal) > 60);
    for cols in [23, 57, 12, 80, 31] {
        let before = terminal.wrapped_rows();
        terminal.resize(Size::new(cols, 6));
        let first = shown_lines(&mut terminal)[0].clone();
        assert!(first.starts_with(&format!("<{number}>")), "{cols}: {first}");
        assert!(marked(&mut terminal) > 30, "{cols}");
        assert!(terminal.is_far_to_copy());
        assert!(terminal.is_far(&Input::Vi(Vi::Move(Motion::Up))));
        // What is near is no way, there and back.
        let (up, down) = (ScrollTo::Lines(40), ScrollTo::Lines(-40));
        assert!(!terminal.is_far(&Input::Scroll(up)));
        scroll(&mut terminal, up);
        let above = shown_lines(&mut terminal)[0].clone();
        assert_ne!(above, first);
        scroll(&mut terminal, down);
        assert_eq!(shown_lines(&mut terminal)[0], first, "{cols}");
        // Output does not wait, and what it does changes nothing that is looked at.
        let _ = print(&mut terminal, "more\r\n");
        assert_eq!(shown_lines(&mut terminal)[0], first, "{cols}");
        let wrapped = terminal.wrapped_rows() - before;
        assert!(wrapped < LITTLE, "{cols}: {wrapped} rows were wrapped");
    }
    // Slices do the rest, and what is looked at stays all the time.
    let first = shown_lines(&mut terminal)[0].clone();
    let mut slices = 0;
    while terminal.wrap_slice(256) {
        assert_eq!(shown_lines(&mut terminal)[0], first);
        slices += 1;
    }
    assert!(slices > 40, "{slices}");
    assert!(!terminal.is_far_to_copy());
    assert_eq!(selected(&mut terminal), wanted);
    assert_eq!(shown_lines(&mut terminal)[0], first);
    // Who asks at once gets the same.
    terminal.resize(Size::new(40, 6));
    assert!(terminal.is_far_to_copy());
    assert_eq!(selected(&mut terminal), wanted);
}

#[test]
fn whatever_happens_while_the_way_to_a_reader_is_wrapped_keeps_the_place() {
    for seed in 1..10_u64 {
        let mut random = Random(seed * 104_729);
        let mut terminal = roomy(40, 6, &wrapping(9000));
        compact(&mut terminal);
        scroll(&mut terminal, ScrollTo::Offset(7000 + random.below(3000) as u32));
        to_a_line(&mut terminal);
        let vi = seed % 3 == 0;
        if vi {
            let _ = give(&mut terminal, Input::Vi(Vi::Enter));
            let _ = give(&mut terminal, Input::Vi(Vi::Move(Motion::High)));
            let _ = give(&mut terminal, Input::Vi(Vi::Select(SelectBy::Cell)));
        } else {
            super::select(&mut terminal, SelectBy::Word, (0, 1), (0, 2));
        }
        let number = number_shown(&mut terminal);
        let mut searched = None;
        for step in 0..60 {
            match random.below(8) {
                0 | 1 => {
                    let size = Size::new(9 + random.below(90) as u16, 3 + random.below(20) as u16);
                    terminal.resize(size);
                }
                2 => {
                    let _ = terminal.wrap_slice(random.below(3000));
                }
                3 => {
                    let _ = terminal.compact(random.below(3000));
                }
                4 => {
                    let _ = print(&mut terminal, &wrapping(random.below(50) as u32));
                }
                5 => {
                    let by = random.below(200) as i32 - 100;
                    if !vi {
                        scroll(&mut terminal, ScrollTo::Lines(by));
                        scroll(&mut terminal, ScrollTo::Lines(-by));
                    }
                }
                6 if searched.is_none() => {
                    let text = format!("<{}>", random.below(9000));
                    searched = Some(text.clone());
                    terminal.search(Some(Query { text, ..Query::default() }));
                }
                _ => {
                    if searched.is_some() && terminal.search_step(random.below(800)) {
                        continue;
                    }
                    // The search has gone where it found something; back to the place.
                    if searched.take().is_some() {
                        terminal.search(None);
                        let text = terminal.selection_text().unwrap_or_default();
                        assert!(vi || text.contains(&number), "seed {seed} step {step}: {text}");
                        break;
                    }
                }
            }
            let on_its_way = terminal.search_state().is_none_or(|state| state.current.is_none());
            if on_its_way {
                assert_eq!(number_shown(&mut terminal), number, "seed {seed} step {step}");
            }
        }
        let text = terminal.selection_text().unwrap_or_default();
        assert!(vi || text.contains(&number), "seed {seed}: {text}");
        assert_eq!(terminal.restarts(), 0);
    }
}

#[test]
fn many_widths_change_no_text() {
    let mut terminal = roomy(40, 6, &wrapping(2000));
    let text = |terminal: &mut Terminal| exported(terminal, false, 77);
    let before = text(&mut terminal);
    let mut random = Random(99);
    for _ in 0..25 {
        terminal.resize(Size::new(3 + random.below(90) as u16, 6));
        if random.below(3) == 0 {
            compact(&mut terminal);
        }
        if random.below(3) == 0 {
            assert_eq!(text(&mut terminal).trim_end(), before.trim_end());
        }
    }
    assert_eq!(text(&mut terminal).trim_end(), before.trim_end());
}

#[test]
fn slices_export_what_one_piece_does() {
    let output: String =
        (0..1500).map(|n| format!("\x1b[3{}m{n} 好\x1b[0m and\r\n", n % 8)).collect();
    let mut terminal = with(8, 5, &output);
    compact(&mut terminal);
    for ansi in [false, true] {
        let whole = exported(&mut terminal, ansi, usize::MAX);
        for slice in [1, 10, 333] {
            assert_eq!(exported(&mut terminal, ansi, slice), whole);
        }
    }
    let plain = exported(&mut terminal, false, 100);
    assert!(plain.starts_with("0 好 and\n1 好 and\n"), "{:?}", &plain[..40]);
}

#[test]
fn memory_is_told() {
    let mut terminal = with(100, 5, &"a line of some text\r\n".repeat(9000));
    let before = terminal.memory();
    assert_eq!(before.cold, 0);
    compact(&mut terminal);
    let after = terminal.memory();
    assert!(after.cold > 0 && after.cold < 9000 * 20, "{after:?}");
    assert!(after.hot < before.hot / 10, "{before:?} {after:?}");
}

#[test]
fn a_line_without_end_is_kept_whole() {
    let mut terminal = terminal(10, 3);
    let text: String = (0..40_000).map(|n| char::from(b'a' + (n % 26) as u8)).collect();
    let _ = print(&mut terminal, &text);
    compact(&mut terminal);
    assert_eq!(exported(&mut terminal, false, 999).trim_end(), text);
    terminal.resize(Size::new(7, 3));
    assert_eq!(exported(&mut terminal, false, 999).trim_end(), text);
    let _ = print(&mut terminal, "\r\nend\r\n");
    compact(&mut terminal);
    terminal.resize(Size::new(12, 3));
    assert_eq!(exported(&mut terminal, false, 999).trim_end(), text + "\nend");
}

#[test]
fn whatever_a_reader_does_changes_no_text() {
    let pieces = [
        "some words (and [brackets]) ",
        "好好",
        "e\u{301}",
        "\r\n",
        "\r\n",
        "\r\n",
        "    ",
        "\x1b]133;A\x07$ ",
        "\x1b]133;C\x07",
        "\x1b]133;D;1\x07",
        "\x1b[44m  \x1b[m",
        "\t",
    ];
    let kinds = [SelectBy::Cell, SelectBy::Word, SelectBy::Line, SelectBy::Block];
    for seed in 1..17 {
        let mut random = Random(seed * 7919);
        let widths = seed % 2 == 0;
        let size = Size::new(3 + random.below(40) as u16, 2 + random.below(10) as u16);
        let options = Options { scrollback: 100_000, ..Options::new(size) };
        let mut plain = Terminal::new(options.clone());
        let mut terminal = Terminal::new(options);
        for _ in 0..150 {
            match random.below(12) {
                0..=4 => {
                    let text: String = (0..random.below(600))
                        .map(|_| pieces[random.below(pieces.len())])
                        .collect();
                    let _ = (print(&mut plain, &text), print(&mut terminal, &text));
                }
                5 => {
                    let cols = 2 + random.below(50) as u16;
                    let cols = if widths { cols } else { size.cols };
                    let size = Size::new(cols, 1 + random.below(12) as u16);
                    plain.resize(size);
                    terminal.resize(size);
                }
                6 => compact(&mut terminal),
                7 => {
                    let count = random.below(400) as i32 - 200;
                    let to = [ScrollTo::Lines(count), ScrollTo::Prompts(count / 40), ScrollTo::Top];
                    scroll(&mut terminal, to[random.below(3)]);
                }
                8 => {
                    let what = [Vi::Enter, Vi::Leave, Vi::Swap, Vi::Select(kinds[random.below(4)])];
                    let _ = give(&mut terminal, Input::Vi(what[random.below(4)]));
                }
                9 => {
                    for _ in 0..20 {
                        let motion = Motion::ALL[random.below(Motion::ALL.len())];
                        let _ = give(&mut terminal, Input::Vi(Vi::Move(motion)));
                    }
                }
                10 => {
                    let text = ["word", "好", ".", "", "x"][random.below(5)].to_owned();
                    let query = Query { text, regex: true, ..Query::default() };
                    terminal.search(Some(query).filter(|query| query.text != "x"));
                    let _ = terminal.search_step(random.below(2000));
                    terminal.search_move(random.below(2) == 0);
                }
                _ => {
                    let (row, col) = (random.below(12) as u16, random.below(50) as u16);
                    let by = kinds[random.below(4)];
                    let start = Select::Start { row, col, right_half: false, by };
                    let _ = give(&mut terminal, Input::Select(start));
                    let row = random.below(300) as i32 - 150;
                    let update = Select::Update { row, col: col / 2, right_half: true };
                    let _ = give(&mut terminal, Input::Select(update));
                    let _ = (terminal.selection_text(), terminal.output_text());
                }
            }
            let frame = super::shown(&mut terminal);
            assert_eq!(frame.rows.len(), usize::from(frame.size.rows));
            assert!(!frame.modes.vi || frame.cursor.is_some(), "seed {seed}");
            assert!(frame.scroll.offset <= frame.scroll.history);
        }
        assert_eq!((terminal.restarts(), plain.restarts()), (0, 0));
        let (text, wanted) =
            (exported(&mut terminal, false, 500), exported(&mut plain, false, 500));
        for (number, (line, wanted)) in text.lines().zip(wanted.lines()).enumerate() {
            // Blanks at the end of a line that were wrapped by themselves come and go.
            assert_eq!(line.trim_end(), wanted.trim_end(), "seed {seed}, line {number}");
        }
        assert_eq!(text.trim_end().lines().count(), wanted.trim_end().lines().count());
    }
}

#[test]
fn a_child_wipes_what_lies_behind_a_tall_screen() {
    let mut terminal = with(20, 5, &numbers(0..1000));
    compact(&mut terminal);
    // The screen takes all rows that were not compressed.
    terminal.resize(Size::new(20, 200));
    assert!(terminal.scroll().history > 0);
    let _ = give(&mut terminal, Input::Scroll(ScrollTo::Top));
    let _ = print(&mut terminal, "\x1b[3J");
    assert_eq!((terminal.scroll().history, terminal.scroll().offset), (0, 0));
    assert_eq!(terminal.memory().cold, 0);
    assert!(exported(&mut terminal, false, 500).contains("\n999\n"));
}

#[test]
fn a_row_that_lost_its_end_is_not_joined_with_the_next() {
    let mut terminal = with(10, 4, "abcdefghijkl\x1b[A\x1b[1G\x1b[3P");
    assert_eq!(super::screen(&mut terminal), ["defghij", "kl", "", ""]);
    terminal.resize(Size::new(7, 4));
    terminal.resize(Size::new(20, 4));
    assert_eq!(super::screen(&mut terminal), ["defghij", "kl", "", ""]);
}

#[test]
fn a_wider_screen_cuts_no_line_and_loses_none() {
    // The cursor is in the first row, and its line begins in the history.
    let mut terminal = with(6, 4, "1\r\n2\r\nabcdefghijklmnop\r\n3\r\n4\x1b[H");
    assert_eq!(super::screen(&mut terminal), ["ghijkl", "mnop", "3", "4"]);
    terminal.resize(Size::new(20, 4));
    assert_eq!(joined(&mut terminal), ["1", "2", "abcdefghijklmnop", "3", "4"]);
    // Part of the cursor's row goes to the one above, and the lowest row is not empty.
    let mut terminal = with(10, 4, "abcdefghijklmnop\r\n3\r\n4\x1b[2;1H");
    terminal.resize(Size::new(12, 4));
    assert_eq!(joined(&mut terminal), ["abcdefghijklmnop", "3", "4"]);
    let mut terminal = with(10, 4, "0\r\nabcdefghijklmnop\r\n4\x1b[3;1H");
    terminal.resize(Size::new(12, 4));
    assert_eq!(joined(&mut terminal), ["0", "abcdefghijklmnop", "4"]);
    // What was typed goes where the cursor was.
    let _ = print(&mut terminal, "X");
    assert_eq!(joined(&mut terminal), ["0", "abcdefghijXlmnop", "4"]);
}

/// The lines on the screen and in the history, wrapped rows joined.
fn joined(terminal: &mut Terminal) -> Vec<String> {
    let mut lines: Vec<String> =
        exported(terminal, false, 1000).lines().map(|line| line.trim_end().to_owned()).collect();
    while lines.last().is_some_and(String::is_empty) {
        let _ = lines.pop();
    }
    lines
}

/// Two things are left, in one of thousands of cases that are made for them: a full screen cannot keep all
/// of its lines where its first row, with the cursor, takes cells from the next ones; and blanks inserted
/// into a row that ends before a wide character that did not fit may end a line there.
#[test]
fn lines_are_what_they_were_at_another_width() {
    let pieces = [
        "word ",
        "好",
        "abcdefghijklmnop",
        "\r\n",
        "\r\n",
        "\r\n",
        "\x1b[2P",
        "\x1b[3@",
        "\x1b[A",
        "\x1b[5G",
        "\x1b[K",
        "\x1b[2X",
        "\t",
        "e\u{301}",
        "\x1b[41m  \x1b[m",
        "\x1b[2;3H",
    ];
    for seed in 1..1500_u64 {
        let mut random = Random(seed * 7919);
        let (cols, rows) = (4 + random.below(30) as u16, 3 + random.below(8) as u16);
        let mut terminal = terminal(cols, rows);
        let mut printed = String::new();
        for _ in 0..random.below(40) {
            printed.push_str(pieces[random.below(pieces.len())]);
        }
        let _ = print(&mut terminal, &printed);
        let mut before = joined(&mut terminal);
        for _ in 0..4 {
            let to = 3 + random.below(50) as u16;
            terminal.resize(Size::new(to, rows));
            let after = joined(&mut terminal);
            assert_eq!(after, before, "seed {seed}: {printed:?} at {cols}, then {to}");
            before = after;
        }
    }
}

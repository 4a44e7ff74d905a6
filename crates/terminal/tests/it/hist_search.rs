//! Searching screen and history.

use maestro_core::input::{Input, ScrollTo};
use maestro_core::screen::{Row, Size, flags};
use maestro_core::search::{Case, Query, Search};
use maestro_terminal::{Options, Terminal};

use super::{Random, give, numbers, print, shown, terminal, with};

fn query(text: &str) -> Query {
    Query { text: text.to_owned(), ..Query::default() }
}

fn expression(text: &str) -> Query {
    Query { text: text.to_owned(), regex: true, ..Query::default() }
}

fn compact(terminal: &mut Terminal) {
    while terminal.compact(100) {}
}

/// Searches all there is.
fn finish(terminal: &mut Terminal) -> Search {
    for _ in 0..100_000 {
        if !terminal.search_step(700) {
            break;
        }
    }
    let state = terminal.search_state().expect("a search is on");
    assert!(state.done, "{state:?}");
    state
}

fn search(terminal: &mut Terminal, query: Query) -> Search {
    terminal.search(Some(query));
    finish(terminal)
}

/// The viewport's found text: the current match, and all there are.
fn marked(terminal: &mut Terminal) -> (String, String) {
    let of = |flag: u16, rows: &[(u16, Row)]| {
        let mut text = String::new();
        for (_, row) in rows {
            for cell in row.cells.iter().filter(|cell| cell.has(flag) && !cell.has(flags::SPACER)) {
                row.write_cell(cell, &mut text);
            }
        }
        text
    };
    let rows = shown(terminal).rows;
    (of(flags::CURRENT, &rows), of(flags::MATCH, &rows))
}

/// What a search would find that knows nothing but the rows: for each match the line, and its text.
fn naive(terminal: &mut Terminal, cols: u16, matches: impl Fn(&str) -> usize) -> usize {
    lines(terminal, cols).iter().map(|line| matches(line)).sum()
}

fn lines(terminal: &mut Terminal, cols: u16) -> Vec<String> {
    let all = terminal.screen(true);
    let mut lines = vec![String::new()];
    for row in all.history.iter().chain(&all.rows) {
        let line = lines.last_mut().expect("never empty");
        if row.wrapped {
            line.push_str(&row.text());
            let missing = usize::from(cols) - row.cells.len();
            line.extend(std::iter::repeat_n(' ', missing));
        } else {
            line.push_str(row.text().trim_end_matches(' '));
            lines.push(String::new());
        }
    }
    lines
}

#[test]
fn the_screen_is_searched_at_once_from_the_bottom() {
    let mut terminal = with(20, 5, "one\r\ntwo one\r\nthree\r\none");
    terminal.search(Some(query("one")));
    let state = terminal.search_state().expect("a search");
    assert_eq!((state.matches, state.current, state.done), (3, Some(3), true));
    assert_eq!(marked(&mut terminal), ("one".to_owned(), "oneoneone".to_owned()));
    terminal.search_move(false);
    assert_eq!(terminal.search_state().expect("on").current, Some(2));
    terminal.search_move(false);
    assert_eq!(terminal.search_state().expect("on").current, Some(1));
    terminal.search_move(false);
    assert_eq!(terminal.search_state().expect("on").current, Some(3));
    terminal.search_move(true);
    assert_eq!(terminal.search_state().expect("on").current, Some(1));
    terminal.search(None);
    assert_eq!(terminal.search_state(), None);
    assert_eq!(marked(&mut terminal).1, "");
}

#[test]
fn hot_and_cold_rows_are_found_alike() {
    for compacted in [false, true] {
        let mut terminal = with(20, 4, &numbers(0..5000));
        if compacted {
            compact(&mut terminal);
        }
        let state = search(&mut terminal, query("77"));
        let wanted = (0..5000).map(|n| n.to_string().matches("77").count()).sum::<usize>();
        assert_eq!(state.matches, wanted as u64);
        assert_eq!(state.current, Some(state.matches));
        assert_eq!(marked(&mut terminal).0, "77");
        // All of them backwards, then the first again.
        let mut seen = Vec::new();
        for _ in 0..wanted {
            seen.push(terminal.search_state().expect("on").current);
            assert_eq!(marked(&mut terminal).0, "77");
            terminal.search_move(false);
        }
        let backwards: Vec<_> = (1..=wanted as u64).rev().map(Some).collect();
        assert_eq!(seen, backwards);
        assert_eq!(terminal.search_state().expect("on").current, Some(wanted as u64));
        for n in 1..20 {
            terminal.search_move(true);
            assert_eq!(terminal.search_state().expect("on").current, Some(n));
        }
    }
}

#[test]
fn the_first_match_is_the_nearest_above_the_viewport() {
    let mut terminal = with(20, 4, &numbers(0..3000));
    compact(&mut terminal);
    let _ = give(&mut terminal, Input::Scroll(ScrollTo::Offset(1500)));
    let state = search(&mut terminal, expression("^[0-9]*00$"));
    // 1497 to 1500 are shown.
    assert_eq!(state.current, Some(15));
    // While the query is typed, the place where it began stays.
    terminal.search(Some(expression("^[0-9]*000$")));
    assert_eq!(finish(&mut terminal).current, Some(1));
    terminal.search(Some(expression("^[0-9]*00$")));
    assert_eq!(finish(&mut terminal).current, Some(15));
}

#[test]
fn a_search_far_back_begins_where_one_reads() {
    let mut terminal = with(20, 4, &numbers(0..9000));
    compact(&mut terminal);
    let _ = give(&mut terminal, Input::Scroll(ScrollTo::Offset(7000)));
    terminal.search(Some(expression("^[0-9]*00$")));
    // The emulator's rows, then a chunk: the newest ones are not on the way.
    let mut steps = 0;
    while terminal.search_state().expect("on").current.is_none() {
        assert!(terminal.search_step(300));
        steps += 1;
    }
    assert!(steps < 6, "{steps}");
    assert_eq!(shown_line_of_match(&mut terminal), "2000");
    terminal.search_move(true);
    steps = 0;
    while shown_line_of_match(&mut terminal) != "2100" {
        assert!(terminal.search_step(300));
        steps += 1;
    }
    assert!(steps < 3, "{steps}");
    assert_eq!(finish(&mut terminal).current, Some(21));
}

fn shown_line_of_match(terminal: &mut Terminal) -> String {
    let rows = shown(terminal).rows;
    let is = |row: &Row| row.cells.iter().any(|cell| cell.has(flags::CURRENT));
    rows.iter().find(|(_, row)| is(row)).map(|(_, row)| row.text()).unwrap_or_default()
}

#[test]
fn rows_that_wrap_are_one_line() {
    let mut terminal = with(4, 3, "abcdefghij\r\nxy\r\n好好好\r\ne\u{301}fg");
    for (text, count, shown) in [
        ("cdef", 1, "cdef"),
        ("好好好", 1, "好好好"),
        ("e\u{301}f", 1, "e\u{301}f"),
        ("jxy", 0, ""),
        ("hij", 1, "hij"),
    ] {
        let state = search(&mut terminal, query(text));
        assert_eq!((state.matches, state.current.is_some()), (count, count > 0), "{text}");
        assert_eq!(marked(&mut terminal).0, shown, "{text}");
        terminal.search(None);
    }
}

#[test]
fn a_wrong_expression_is_explained() {
    let mut terminal = with(20, 4, "one");
    let state = search(&mut terminal, expression("o(ne"));
    assert_eq!(state.matches, 0);
    assert!(state.error.is_some_and(|error| error.contains("unclosed group")));
    assert!(search(&mut terminal, query("")).error.is_none());
}

#[test]
fn new_output_is_searched_and_lost_rows_leave() {
    let mut terminal = Terminal::new(Options { scrollback: 600, ..Options::new(Size::new(20, 4)) });
    let mut random = Random(7);
    terminal.search(Some(query("7")));
    let mut next = 0;
    for round in 0..60 {
        let count = random.below(150) as u32;
        let _ = print(&mut terminal, &numbers(next..next + count));
        next += count;
        if round % 3 == 0 {
            compact(&mut terminal);
        }
        let state = finish(&mut terminal);
        let wanted = naive(&mut terminal, 20, |line| line.matches('7').count());
        assert_eq!(state.matches, wanted as u64, "round {round}");
    }
}

#[test]
fn the_current_match_stays_while_output_flows() {
    let mut terminal = with(20, 4, &numbers(0..1000));
    let _ = search(&mut terminal, query("77"));
    terminal.search_move(false);
    let before = terminal.search_state().expect("on").current;
    for round in 0..20 {
        let _ = print(&mut terminal, &numbers(2000 + round * 100..2100 + round * 100));
        if round % 4 == 0 {
            compact(&mut terminal);
        }
        assert_eq!(finish(&mut terminal).current, before, "round {round}");
        assert_eq!(marked(&mut terminal).0, "77");
    }
}

#[test]
fn another_width_keeps_count_and_current() {
    let text: String =
        (0..3000).map(|n| format!("{n} needle in a line that wraps soon\r\n")).collect();
    for compacted in [false, true] {
        let options = Options { scrollback: 200_000, ..Options::new(Size::new(60, 6)) };
        let mut terminal = Terminal::new(options);
        let _ = print(&mut terminal, &text);
        if compacted {
            compact(&mut terminal);
        }
        let _ = search(&mut terminal, query("needle"));
        for _ in 0..700 {
            terminal.search_move(false);
        }
        let before = finish(&mut terminal);
        assert_eq!((before.matches, before.current), (3000, Some(2300)));
        for cols in [7, 33, 120, 10, 60] {
            terminal.resize(Size::new(cols, 6));
            let state = finish(&mut terminal);
            assert_eq!(state, before, "{cols} columns, {compacted}");
            terminal.search_move(true);
            terminal.search_move(false);
            assert_eq!(marked(&mut terminal).0, "needle");
        }
    }
}

#[test]
fn the_alternate_screen_is_searched_by_itself() {
    let mut terminal = with(20, 4, &numbers(0..2000));
    compact(&mut terminal);
    let _ = search(&mut terminal, query("1"));
    let before = terminal.search_state().expect("on").matches;
    let _ = print(&mut terminal, "\x1b[?1049h\x1b[H1 and 1");
    assert_eq!(finish(&mut terminal).matches, 2);
    let _ = print(&mut terminal, "\x1b[?1049l");
    assert_eq!(finish(&mut terminal).matches, before);
    let _ = print(&mut terminal, "\x1b[H\x1b[2J\x1b[3J");
    assert_eq!(finish(&mut terminal).matches, 0);
}

#[test]
fn work_done_elsewhere_counts_the_same() {
    let mut terminal = with(20, 4, &numbers(0..9000));
    compact(&mut terminal);
    let wanted = search(&mut terminal, query("123"));
    terminal.search(None);
    terminal.search(Some(query("123")));
    let mut work = Vec::new();
    while let Some(piece) = terminal.search_work(1000) {
        work.push(piece);
    }
    assert!(work.len() > 4);
    // Answers in any order, one after other rows were printed.
    while terminal.search_step(1000) {}
    let mut found: Vec<_> = work.into_iter().map(maestro_terminal::SearchWork::run).collect();
    let last = found.remove(3);
    for piece in found {
        assert!(!terminal.search_state().expect("on").done);
        terminal.search_found(piece);
    }
    let _ = print(&mut terminal, "123\r\n");
    compact(&mut terminal);
    terminal.search_found(last);
    let state = finish(&mut terminal);
    assert_eq!(state.matches, wanted.matches + 1);
    // An answer to a search that is over.
    let stale = {
        terminal.search(Some(query("5")));
        terminal.search_work(500).expect("rows")
    };
    terminal.search(Some(query("123")));
    terminal.search_found(stale.run());
    assert_eq!(finish(&mut terminal).matches, wanted.matches + 1);
}

#[test]
fn every_character_of_many_rows_can_be_found() {
    let mut terminal = with(40, 4, &"0123456789\r\n".repeat(9000));
    compact(&mut terminal);
    let state = search(&mut terminal, expression("."));
    assert_eq!((state.matches, state.current), (90_000, Some(90_000)));
    terminal.search_move(true);
    assert_eq!(terminal.search_state().expect("on").current, Some(1));
}

#[test]
fn a_search_finds_what_a_naive_one_finds() {
    let words = ["ab", "b", "好", "e\u{301}", " ", "  ", "ABA", "a", "\x1b[41m \x1b[m", "🙂"];
    let queries = [
        query("ab"),
        query("b a"),
        query("好"),
        query("e\u{301}"),
        expression("a+b"),
        expression(r"^\s*a"),
        expression(r"b\W*$"),
        expression(r"[^a]{2,5}"),
        expression(r"\bA?b"),
        Query { case: Case::Sensitive, ..query("aba") },
    ];
    let mut random = Random(0x5eed_1234);
    for round in 0..120 {
        let cols = 2 + random.below(14) as u16;
        let mut terminal = terminal(cols, 1 + random.below(6) as u16);
        let query = &queries[round % queries.len()];
        let begun = random.below(2) == 0;
        if begun {
            terminal.search(Some(query.clone()));
        }
        for _ in 0..random.below(900) {
            let mut text = String::new();
            for _ in 0..random.below(9) {
                text.push_str(words[random.below(words.len())]);
            }
            text.push_str(if random.below(3) > 0 { "\r\n" } else { "" });
            let _ = print(&mut terminal, &text);
            match random.below(60) {
                0 => compact(&mut terminal),
                1 if begun => {
                    let _ = terminal.search_step(random.below(50));
                }
                _ => {}
            }
        }
        if !begun {
            terminal.search(Some(query.clone()));
        }
        let state = finish(&mut terminal);
        let pattern = if query.regex { query.text.clone() } else { regex::escape(&query.text) };
        let insensitive = query.case == Case::Smart && !pattern.contains("A?");
        let pattern = regex::RegexBuilder::new(&pattern)
            .case_insensitive(insensitive)
            .build()
            .expect("a right one");
        let count = |line: &str| pattern.find_iter(line).filter(|found| !found.is_empty()).count();
        let wanted = naive(&mut terminal, cols, count);
        assert_eq!(state.matches, wanted as u64, "round {round}, {query:?}, {cols} columns");
        // Every match can be gone to, and shows what was looked for.
        let mut number = state.current;
        for _ in 0..state.matches.min(40) {
            terminal.search_move(false);
            let state = terminal.search_state().expect("on");
            let before = number.map(|number| if number == 1 { state.matches } else { number - 1 });
            assert!(before.is_none() || state.current == before, "round {round}, {query:?}");
            assert!(state.current.is_some(), "round {round}, {query:?}");
            number = state.current;
            let text = marked(&mut terminal).0;
            // What goes on below the viewport is not seen.
            assert!(!text.is_empty(), "{query:?}");
        }
    }
}

#[test]
fn moves_made_before_the_first_match_is_known_count() {
    for (moves, expected) in [
        (vec![], "needle 3"),
        (vec![false], "needle 2"),
        (vec![false, false], "needle 1"),
        (vec![false, false, true], "needle 2"),
        (vec![false, false, false], "needle 3"),
    ] {
        let mut terminal = with(40, 5, "");
        for number in 1..=3 {
            let _ = print(&mut terminal, &format!("needle {number}\r\n"));
            let _ = print(&mut terminal, &numbers(0..500));
        }
        compact(&mut terminal);
        terminal.search(Some(query("needle")));
        for forward in &moves {
            terminal.search_move(*forward);
        }
        assert_eq!(finish(&mut terminal).matches, 3);
        let rows = shown(&mut terminal).rows;
        let found =
            rows.iter().find(|(_, row)| row.cells.iter().any(|cell| cell.has(flags::CURRENT)));
        let text = found.map(|(_, row)| row.text()).unwrap_or_default();
        assert_eq!(text.trim_end(), expected, "{moves:?}");
    }
}

#[test]
fn a_move_that_is_on_its_way_goes_on_when_the_query_is_refined() {
    for (moves, expected) in [(vec![false], "needle 2"), (vec![false, false], "needle 1")] {
        let mut terminal = with(40, 5, "");
        for number in 1..=3 {
            let _ = print(&mut terminal, &format!("needle {number}\r\n"));
            let _ = print(&mut terminal, &numbers(0..500));
        }
        compact(&mut terminal);
        terminal.search(Some(query("need")));
        while terminal.search_state().is_some_and(|state| state.current.is_none()) {
            assert!(terminal.search_step(10), "there is a match");
        }
        // The next one is far away, and not known yet.
        for forward in &moves {
            terminal.search_move(*forward);
        }
        terminal.search(Some(query("needle")));
        assert_eq!(finish(&mut terminal).matches, 3);
        let (current, _) = marked(&mut terminal);
        let rows = shown(&mut terminal).rows;
        let found =
            rows.iter().find(|(_, row)| row.cells.iter().any(|cell| cell.has(flags::CURRENT)));
        let text = found.map(|(_, row)| row.text()).unwrap_or_default();
        assert_eq!((current.as_str(), text.trim_end()), ("needle", expected), "{moves:?}");
    }
}

#[test]
fn what_was_found_for_a_terminal_that_failed_counts_in_no_other() {
    let filled = || {
        let mut terminal = with(40, 5, &numbers(0..3000));
        compact(&mut terminal);
        terminal
    };
    let (mut failed, mut fresh) = (filled(), filled());
    failed.search(Some(query("1")));
    let late = failed.search_work(100_000).expect("cold rows").run();
    fresh.search(Some(query("2999")));
    let work = fresh.search_work(100_000).expect("cold rows");
    fresh.search_found(work.run());
    fresh.search_found(late);
    assert_eq!(finish(&mut fresh).matches, 1);
}

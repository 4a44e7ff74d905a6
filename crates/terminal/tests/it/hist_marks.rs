//! Prompt marks (OSC 133).

use maestro_core::input::{Input, OutputOf, ScrollTo, Select};
use maestro_core::screen::{Mark, Size};
use maestro_terminal::Terminal;

use super::{give, print, shown, shown_lines, with};

/// A command at a prompt, as a shell with marks shows it.
fn command(name: &str, output: &str, code: i32) -> String {
    let begin = format!("\x1b]133;A\x07$ \x1b]133;B\x07{name}\r\n\x1b]133;C\x07");
    format!("{begin}{output}\x1b]133;D;{code}\x07")
}

const PROMPT: &str = "\x1b]133;A\x07$ \x1b]133;B\x07";

fn session(commands: u32) -> String {
    let output = |n: u32| (0..n % 5).map(|line| format!("{n}-{line}\r\n")).collect::<String>();
    let all: String =
        (0..commands).map(|n| command(&format!("run {n}"), &output(n), (n % 3) as i32)).collect();
    all + PROMPT
}

fn compact(terminal: &mut Terminal) {
    while terminal.compact(100) {}
}

fn jump(terminal: &mut Terminal, count: i32) -> String {
    let _ = give(terminal, Input::Scroll(ScrollTo::Prompts(count)));
    shown_lines(terminal)[0].clone()
}

fn marks(terminal: &mut Terminal) -> Vec<Mark> {
    shown(terminal).rows.iter().map(|(_, row)| row.mark).collect()
}

#[test]
fn prompts_show_how_their_command_ended() {
    let text = command("a", "1\r\n", 0) + &command("b", "2\r\n", 7) + PROMPT;
    let mut terminal = with(20, 6, &text);
    let (n, d, f, p) = (Mark::None, Mark::Done, Mark::Failed, Mark::Prompt);
    assert_eq!(marks(&mut terminal), [d, n, f, n, p, n]);
    // A line that was left ran nothing, whatever its shell says then.
    let _ = print(&mut terminal, &format!("^C\r\n\x1b]133;D\x07{PROMPT}"));
    assert_eq!(marks(&mut terminal), [d, n, f, n, p, p]);
}

#[test]
fn jumping_between_prompts() {
    for compacted in [false, true] {
        let mut terminal = with(20, 5, &session(900));
        if compacted {
            compact(&mut terminal);
        }
        assert_eq!(jump(&mut terminal, 1), "$ run 899");
        assert_eq!(jump(&mut terminal, 1), "$ run 898");
        assert_eq!(jump(&mut terminal, 500), "$ run 398");
        assert_eq!(jump(&mut terminal, -1), "$ run 399");
        assert_eq!(jump(&mut terminal, -400), "$ run 799");
        assert_eq!(jump(&mut terminal, 100_000), "$ run 0");
        assert_eq!(jump(&mut terminal, 1), "$ run 0");
        let _ = jump(&mut terminal, -100_000);
        assert_eq!(terminal.scroll().offset, 0);
    }
}

#[test]
fn marks_stay_with_their_rows_when_lines_are_wrapped_anew() {
    for compacted in [false, true] {
        let mut terminal = with(20, 5, &session(300));
        if compacted {
            compact(&mut terminal);
        }
        for cols in [3, 7, 50, 4, 20] {
            terminal.resize(Size::new(cols, 5));
            if cols == 7 && compacted {
                compact(&mut terminal);
            }
            let all = terminal.screen(true);
            let prompts = |row: &&maestro_core::screen::Row| row.text().starts_with('$');
            let rows = all.history.iter().chain(&all.rows);
            let (mut count, mut failed) = (0, 0);
            for row in rows {
                let mark = row.mark;
                assert_eq!(mark != Mark::None, prompts(&row), "{:?} at {cols}", row.text());
                count += u32::from(mark != Mark::None);
                failed += u32::from(mark == Mark::Failed);
            }
            assert_eq!((count, failed), (301, 200), "{cols} columns");
        }
        assert_eq!(jump(&mut terminal, 1), "$ run 299");
    }
}

#[test]
fn marks_survive_a_resize_behind_a_full_screen_program() {
    let mut terminal = with(20, 5, &session(30));
    let _ = print(&mut terminal, "\x1b[?1049hvi");
    terminal.resize(Size::new(8, 5));
    terminal.resize(Size::new(30, 7));
    let _ = print(&mut terminal, "\x1b[?1049l");
    assert_eq!(jump(&mut terminal, 1), "$ run 28");
    assert_eq!(jump(&mut terminal, 20), "$ run 8");
}

#[test]
fn the_last_output_is_text() {
    let mut terminal = with(10, 4, "no marks at all\r\n");
    assert_eq!(terminal.output_text(), None);
    for (text, wanted) in [
        (command("a", "one\r\ntwo  \r\n", 0) + PROMPT, Some("one\ntwo")),
        // The last one that has any.
        (command("a", "one\r\n", 0) + &command("cd", "", 0) + PROMPT, Some("one")),
        // Without a line break at its end, longer than a row.
        (command("a", "a long one that wraps", 0) + PROMPT, Some("a long one that wraps")),
        // Still running.
        ("\x1b]133;A\x07$ x\r\n\x1b]133;C\x07half".to_owned(), Some("half")),
        // A shell that does not say when commands end.
        ("\x1b]133;A\x07$ x\r\n\x1b]133;C\x07out\r\n\x1b]133;A\x07$ ".to_owned(), Some("out")),
        // A prompt of two lines, and one at the right.
        (
            command("a", "one\r\n", 0)
                + "\x1b]133;A\x07~/src\r\n\x1b]133;P;k=r\x07$ \x1b]133;B\x07",
            Some("one"),
        ),
    ] {
        let mut terminal = with(10, 4, &text);
        assert_eq!(terminal.output_text().as_deref(), wanted, "{text:?}");
    }
}

#[test]
fn the_output_of_any_command_is_selected() {
    for compacted in [false, true] {
        let mut terminal = with(20, 5, &session(900));
        if compacted {
            compact(&mut terminal);
        }
        let _ = jump(&mut terminal, 500);
        assert_eq!(jump(&mut terminal, 1), "$ run 399");
        for row in [0, 1, 3] {
            let _ = give(&mut terminal, Input::Select(Select::Output(OutputOf::At(row))));
            let text = terminal.selection_text();
            assert_eq!(text.as_deref(), Some("399-0\n399-1\n399-2\n399-3"), "row {row}");
        }
        let _ = give(&mut terminal, Input::Select(Select::Output(OutputOf::Last)));
        assert_eq!(terminal.selection_text().as_deref(), Some("899-0\n899-1\n899-2\n899-3"));
    }
}

#[test]
fn long_output_reaches_over_the_border() {
    let long: String = (0..3000).map(|n| format!("{n}\r\n")).collect();
    let mut terminal = with(20, 5, &(command("seq", &long, 0) + PROMPT));
    compact(&mut terminal);
    let text = terminal.output_text().expect("output");
    assert_eq!(text.lines().count(), 3000);
    assert!(text.starts_with("0\n1\n") && text.ends_with("2998\n2999"));
    // Its prompt is in the cold rows, and still learns how the next one ends.
    let _ = print(&mut terminal, &format!("sleep\r\n\x1b]133;C\x07{long}"));
    compact(&mut terminal);
    let _ = print(&mut terminal, "\x1b]133;D;1\x07");
    assert_eq!(jump(&mut terminal, 1), "$ sleep");
    assert_eq!(marks(&mut terminal)[0], Mark::Failed);
}

#[test]
fn clearing_keeps_the_prompt() {
    let mut terminal = with(20, 6, &(session(20) + "half a\x1b]133;X\x07"));
    let before = terminal.screen(true).history.len();
    terminal.clear(false);
    assert_eq!(shown_lines(&mut terminal), ["$ half a", "", "", "", "", ""]);
    assert_eq!(marks(&mut terminal)[0], Mark::Prompt);
    assert!(terminal.screen(true).history.len() > before);
    assert_eq!(terminal.screen(false).cursor.map(|cursor| cursor.row), Some(0));
    assert_eq!(jump(&mut terminal, 1), "$ run 19");
    terminal.clear(true);
    assert_eq!(terminal.scroll().history, 0);
    assert_eq!(shown_lines(&mut terminal)[0], "$ half a");
    let _ = print(&mut terminal, "\r\nmore");
    assert_eq!(shown_lines(&mut terminal)[1], "more");
    // A prompt of two lines stays whole; a running command's output goes.
    let mut terminal = with(20, 6, "old\r\n\x1b]133;A\x07~/src\r\n$ \x1b]133;B\x07ab");
    terminal.clear(false);
    assert_eq!(shown_lines(&mut terminal)[..2], ["~/src", "$ ab"]);
    let mut terminal = with(20, 6, &(PROMPT.to_owned() + "x\r\n\x1b]133;C\x071\r\n2\r\n3"));
    terminal.clear(false);
    assert_eq!(shown_lines(&mut terminal)[..2], ["3", ""]);
}

#[test]
fn marks_are_forgotten_with_their_rows() {
    let mut terminal = with(20, 5, &session(100));
    compact(&mut terminal);
    let _ = print(&mut terminal, "\x1b[H\x1b[2J\x1b[3J");
    let _ = jump(&mut terminal, 1);
    assert_eq!(terminal.scroll().offset, 0);
    assert_eq!(terminal.output_text(), None);
    let _ = print(&mut terminal, &session(3));
    let _ = print(&mut terminal, "\x1bc");
    assert_eq!(terminal.output_text(), None);
    assert!(marks(&mut terminal).iter().all(|mark| *mark == Mark::None));
}

#[test]
fn the_prompt_of_a_command_is_not_looked_for_without_end() {
    // What prints marks and never a prompt would have all of them looked through for each.
    for compacted in [false, true] {
        let mut terminal = with(20, 5, "\x1b]133;A\x07$ \r\n");
        let _ = print(&mut terminal, &"\x1b]133;B\x07\r\n".repeat(2000));
        if compacted {
            compact(&mut terminal);
        }
        let _ = print(&mut terminal, "\x1b]133;D;1\x07");
        let _ = give(&mut terminal, Input::Scroll(ScrollTo::Top));
        assert_eq!(marks(&mut terminal)[0], Mark::Prompt);
        // The next command is told as ever.
        let _ = print(&mut terminal, &command("b", "1\r\n", 1));
        let _ = give(&mut terminal, Input::Scroll(ScrollTo::Bottom));
        assert_eq!(marks(&mut terminal)[2..4], [Mark::Failed, Mark::None]);
    }
}

#[test]
fn a_prompt_that_was_emptied_shows_no_mark_old_or_new() {
    for compacted in [false, true] {
        let lines = "a line\r\n".repeat(400);
        let mut terminal = with(20, 5, &format!("\x1b]133;A\x07$ \x1b[2K\r\n{lines}"));
        if compacted {
            compact(&mut terminal);
        }
        let _ = give(&mut terminal, Input::Scroll(ScrollTo::Top));
        assert_eq!(shown_lines(&mut terminal)[..2], ["", "a line"]);
        assert_eq!(marks(&mut terminal), [Mark::None; 5], "compacted: {compacted}");
    }
}

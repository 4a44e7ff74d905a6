//! vttest, recorded once by `examples/vttest.rs` and replayed here to reference screens, which were read
//! by eye: `tests/reference/vttest/REVIEW.md` says what each shows and what is known to be wrong.
//!
//! After a wanted change of what the terminal answers, record again (vttest shows the answers); after any
//! other: `UPDATE_SCREENS=1 cargo nextest run -p maestro-terminal vttest`, then read the difference.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use maestro_core::screen::{Cell, Color, ColorKind, Row, Size, Underline, flags};
use maestro_terminal::{Options, Outbox, Terminal};
use serde_json::Value;

struct Session {
    name: String,
    bytes: Vec<u8>,
    size: Size,
    stops: Vec<Stop>,
}

/// Where vttest waited.
struct Stop {
    at: usize,
    /// What the terminal had answered since the stop before.
    replies: String,
    /// What vttest was given then.
    sent: String,
}

fn sessions() -> Vec<Session> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/vttest");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("recordings")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "raw"))
        .collect();
    paths.sort();
    assert!(paths.len() >= 20, "the recordings are in the repository");
    paths.iter().map(|path| session(path)).collect()
}

fn session(path: &Path) -> Session {
    let about = std::fs::read_to_string(path.with_extension("json")).expect("its description");
    let about: Value = serde_json::from_str(&about).expect("JSON");
    let number = |value: &Value| value.as_u64().expect("a number") as usize;
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let stops = about["stops"].as_array().expect("stops").iter();
    Session {
        name: path.file_stem().expect("a name").to_string_lossy().into_owned(),
        bytes: std::fs::read(path).expect("a recording"),
        size: Size::new(number(&about["cols"]) as u16, number(&about["rows"]) as u16),
        stops: stops
            .map(|stop| Stop {
                at: number(&stop["at"]),
                replies: text(&stop["replies"]),
                sent: text(&stop["sent"]),
            })
            .collect(),
    }
}

/// A screen as people read it: a line for each row, and beneath it what is not plain text in it.
fn describe(rows: &[Row], out: &mut String) {
    for row in rows {
        let text = row.text();
        let _ = writeln!(out, "|{}", text.trim_end());
        let mut runs: Vec<(usize, usize, String)> = Vec::new();
        for (col, cell) in row.cells.iter().enumerate() {
            let look = look(cell);
            match runs.last_mut() {
                Some((_, last, same)) if *same == look && *last + 1 == col => *last = col,
                _ => runs.push((col, col, look)),
            }
        }
        let shown: Vec<String> = runs
            .into_iter()
            .filter(|(_, _, look)| !look.is_empty())
            .map(|(first, last, look)| format!("{}-{}{look}", first + 1, last + 1))
            .collect();
        if !shown.is_empty() {
            let _ = writeln!(out, "    ~ {}", shown.join("; "));
        }
    }
}

fn look(cell: &Cell) -> String {
    let mut look = String::new();
    for (flag, name) in [
        (flags::BOLD, " bold"),
        (flags::DIM, " dim"),
        (flags::ITALIC, " italic"),
        (flags::INVERSE, " reverse"),
        (flags::HIDDEN, " hidden"),
        (flags::STRIKE, " strike"),
    ] {
        if cell.has(flag) {
            look.push_str(name);
        }
    }
    match Underline::of(cell.flags) {
        Underline::None => {}
        style => look.push_str(&format!(" {style:?}").to_lowercase()),
    }
    for (name, color) in [("fg", cell.fg), ("bg", cell.bg)] {
        if color != Color::DEFAULT {
            let _ = match color.kind() {
                ColorKind::Indexed(index) => write!(look, " {name} {index}"),
                kind => write!(look, " {name} {kind:?}"),
            };
        }
    }
    look
}

fn is_menu(rows: &[Row]) -> bool {
    rows.iter().any(|row| row.text().trim_start().starts_with("Enter choice number"))
}

#[test]
fn recorded_vttest_ends_in_its_reference_screens() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/vttest");
    let mut wrong = Vec::new();
    for session in sessions() {
        let mut terminal = Terminal::new(Options::new(session.size));
        let (mut seen, mut from, mut sent) = (String::new(), 0, "");
        for stop in &session.stops {
            let mut out = Outbox::new();
            terminal.advance(&session.bytes[from..stop.at], &mut out);
            assert_eq!(
                String::from_utf8_lossy(&out.replies),
                stop.replies,
                "{} was recorded with other answers (byte {}): record it again",
                session.name,
                stop.at
            );
            let screen = terminal.screen(false);
            // Menus are a way to the tests and show nothing.
            if !is_menu(&screen.rows) {
                let cursor =
                    screen.cursor.map_or("hidden".to_owned(), |c| format!("{},{}", c.row, c.col));
                let _ = writeln!(seen, "=== byte {}, after {sent:?}, cursor {cursor}", stop.at);
                if !stop.replies.is_empty() {
                    let _ = writeln!(seen, "answered {:?}", stop.replies);
                }
                describe(&screen.rows, &mut seen);
            }
            (from, sent) = (stop.at, &stop.sent);
        }
        assert_eq!(terminal.restarts(), 0);
        let reference = folder.join(format!("{}.txt", session.name));
        if std::env::var_os("UPDATE_SCREENS").is_some() {
            std::fs::write(&reference, &seen).expect("write the reference");
        } else if std::fs::read_to_string(&reference).ok().as_ref() != Some(&seen) {
            wrong.push(format!("{}:\n{seen}", reference.display()));
        }
    }
    assert!(wrong.is_empty(), "these screens differ from their references:\n{}", wrong.join("\n"));
}

//! Sessions recorded from the real agent programs, replayed to reference screens.
//!
//! A reference (`X.screen.txt` beside `X.raw`) holds the screen at every point at which the recorded user
//! typed something, and at the end. After a wanted change: `UPDATE_SCREENS=1 cargo nextest run -p
//! maestro-terminal replay`, then read the difference before committing it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use maestro_core::screen::Size;
use maestro_terminal::{Options, Outbox, Terminal, text};

use super::{Random, view};

pub(crate) struct Recording {
    pub(crate) path: PathBuf,
    pub(crate) size: Size,
    pub(crate) bytes: Vec<u8>,
    stops: Vec<usize>,
}

pub(crate) fn recordings() -> Vec<Recording> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
    let mut paths: Vec<PathBuf> = ["claude", "codex", "copilot", "droid", "gemini", "opencode"]
        .iter()
        .flat_map(|name| std::fs::read_dir(root.join(name).join("tui")).expect("fixtures"))
        .map(|entry| entry.expect("entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "raw"))
        .collect();
    paths.sort();
    assert!(paths.len() >= 8, "the recordings are in the repository");
    paths.into_iter().map(read).collect()
}

fn read(path: PathBuf) -> Recording {
    let bytes = std::fs::read(&path).expect("recording");
    let meta = std::fs::read_to_string(path.with_extension("meta.json")).expect("its description");
    let meta: serde_json::Value = serde_json::from_str(&meta).expect("JSON");
    let number = |value: &serde_json::Value| value.as_u64().expect("a number") as usize;
    let mut stops: Vec<usize> = meta["sent"]
        .as_array()
        .expect("what was typed")
        .iter()
        .map(|sent| number(&sent[1]).min(bytes.len()))
        .collect();
    stops.push(bytes.len());
    stops.dedup();
    let size = Size::new(number(&meta["cols"]) as u16, number(&meta["rows"]) as u16);
    Recording { path, size, bytes, stops }
}

fn describe(terminal: &mut Terminal, at: usize, out: &mut String) {
    let screen = terminal.screen(true);
    let info = terminal.info();
    let cursor =
        screen.cursor.map_or("hidden".to_owned(), |c| format!("{},{} {:?}", c.row, c.col, c.shape));
    let modes = screen.modes;
    let modes: Vec<&str> = [
        (modes.alt_screen, "alternate"),
        (modes.mouse, "mouse"),
        (modes.mouse_motion, "motion"),
        (modes.bracketed_paste, "paste"),
        (modes.kitty_keyboard, "kitty"),
        (modes.key_releases, "releases"),
        (modes.focus_events, "focus"),
    ]
    .into_iter()
    .filter_map(|(on, name)| on.then_some(name))
    .collect();
    let status = info.status.map_or("none".to_owned(), |status| format!("{:?}", status.state));
    let _ = writeln!(out, "=== byte {at}");
    let _ = writeln!(out, "title: {}", info.title.unwrap_or_default());
    let _ =
        writeln!(out, "status: {status}   cursor: {cursor}   history: {}", screen.scroll.history);
    let _ = writeln!(out, "modes: {}", modes.join(" "));
    for line in text::plain(&screen.rows).lines() {
        let _ = writeln!(out, "|{line}");
    }
}

#[test]
fn recorded_sessions_end_in_their_reference_screens() {
    let mut wrong = Vec::new();
    for recording in recordings() {
        let mut terminal = Terminal::new(Options::new(recording.size));
        let (mut seen, mut from) = (String::new(), 0);
        for stop in recording.stops {
            terminal.advance(&recording.bytes[from..stop], &mut Outbox::new());
            describe(&mut terminal, stop, &mut seen);
            from = stop;
        }
        let reference = recording.path.with_extension("screen.txt");
        if std::env::var_os("UPDATE_SCREENS").is_some() {
            std::fs::write(&reference, &seen).expect("write the reference");
        } else if std::fs::read_to_string(&reference).ok() != Some(seen.clone()) {
            wrong.push(format!("{}:\n{seen}", reference.display()));
        }
    }
    assert!(wrong.is_empty(), "these screens differ from their references:\n{}", wrong.join("\n"));
}

#[test]
fn how_the_bytes_are_cut_changes_nothing() {
    let mut random = Random(11);
    for recording in recordings() {
        let replay = |cut: &mut dyn FnMut() -> usize| {
            let mut terminal = Terminal::new(Options::new(recording.size));
            let mut out = Outbox::new();
            let mut rest = recording.bytes.as_slice();
            while !rest.is_empty() {
                let (now, after) = rest.split_at(cut().clamp(1, rest.len()));
                terminal.advance(now, &mut out);
                rest = after;
            }
            (terminal.screen(true), terminal.info(), terminal.frame(&mut view()), out)
        };
        let whole = replay(&mut || usize::MAX);
        assert_eq!(replay(&mut || 1), whole, "{}", recording.path.display());
        for limit in [3, 17, 200, 4096] {
            assert_eq!(
                replay(&mut || 1 + random.below(limit)),
                whole,
                "{}",
                recording.path.display()
            );
        }
    }
}

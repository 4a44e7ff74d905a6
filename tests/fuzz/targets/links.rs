//! Links found in what a terminal shows: every one lies in the rows, is bounded, and is found again at
//! each of its cells.

use maestro_core::link::{self, Kind};
use maestro_core::screen::{Row, Size};
use maestro_terminal::{Options, Outbox, Terminal};

pub fn run(data: &[u8]) {
    let [width, output @ ..] = data else { return };
    let size = Size::new(2 + u16::from(*width) % 120, 24);
    let mut terminal = Terminal::new(Options { scrollback: 200, ..Options::new(size) });
    terminal.advance(output, &mut Outbox::new());
    let size = terminal.size();
    let screen = terminal.screen(true);
    let rows: Vec<&Row> = screen.history.iter().chain(&screen.rows).collect();
    let links = link::links(&rows, size.cols);
    assert!(links.len() <= link::MOST);
    for found in &links {
        assert!(!found.spans.is_empty() && !found.target.is_empty(), "{found:?}");
        // A program's own may be as long as the terminal keeps them.
        let longest = if found.kind == Kind::Named { 4096 } else { link::LONGEST };
        assert!(found.target.chars().count() <= longest, "{found:?}");
        for span in &found.spans {
            assert!(usize::from(span.row) < rows.len(), "{found:?}");
            assert!(span.from < span.to && span.to <= size.cols, "{found:?} in {size:?}");
        }
        let first = found.spans[0];
        let again = link::link_at(&rows, size.cols, first.row, first.from);
        assert!(again.is_some_and(|again| again.covers(first.row, first.from)), "{found:?}");
        let scheme = link::scheme(&found.target);
        assert!(!link::may_open(&found.target) || scheme.is_some(), "{found:?}");
    }
    let _ = link::link_at(&rows, size.cols, u16::from(*width), u16::from(*width));
    let _ = link::link_at(&rows, size.cols, u16::MAX, u16::MAX);
}

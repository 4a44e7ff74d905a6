//! What a terminal must read, by other means than its own: lines as they were printed, a bare emulator's
//! grid, and a search that looks at every place.

use alacritty_terminal::event::VoidListener;
use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::index::{Column, Line};
use alacritty_terminal::term::cell::{Cell as BareCell, Flags};
use alacritty_terminal::term::{Config, Term};
use alacritty_terminal::vte::ansi::{Color as BareColor, NamedColor, Processor};
use maestro_core::screen::{Cell, Color, Row, Size, Underline, flags};

/// A cell as it looks, whoever tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// What it shows; nothing for the other half of a wide character.
    pub text: String,
    pub fg: Color,
    pub bg: Color,
    /// Attributes, without what only frames have.
    pub flags: u16,
    pub line: Option<Color>,
    pub link: Option<String>,
}

const BLANK: Look = Look {
    text: String::new(),
    fg: Color::DEFAULT,
    bg: Color::DEFAULT,
    flags: 0,
    line: None,
    link: None,
};

impl Look {
    /// Whether it may be left out at the end of a line: what nobody sees there is not kept by everybody.
    fn is_blank(&self) -> bool {
        let seen = flags::INVERSE | flags::STRIKE | flags::UNDERLINE_MASK;
        let colors = (self.fg, self.bg);
        self.text.trim().is_empty()
            && self.flags & seen == 0
            && colors == (Color::DEFAULT, Color::DEFAULT)
    }
}

const SHOWN: u16 = flags::BOLD
    | flags::ITALIC
    | flags::DIM
    | flags::INVERSE
    | flags::HIDDEN
    | flags::STRIKE
    | flags::WIDE
    | flags::SPACER;

/// A row's cell as it looks.
fn look(row: &Row, cell: &Cell) -> Look {
    let mut text = String::new();
    if !cell.has(flags::SPACER) {
        row.write_cell(cell, &mut text);
    }
    let extra = cell.extra.checked_sub(1).and_then(|at| row.extras.get(usize::from(at)));
    Look {
        text,
        fg: cell.fg,
        bg: cell.bg,
        flags: cell.flags & SHOWN | Underline::of(cell.flags).bits(),
        line: extra.and_then(|extra| extra.underline),
        link: extra.and_then(|extra| extra.link.clone()),
    }
}

/// A row of so many cells.
pub fn looks(row: &Row, cols: u16) -> Vec<Look> {
    let cell = |col: u16| row.cells.get(usize::from(col)).copied().unwrap_or(Cell::BLANK);
    (0..cols).map(|col| look(row, &cell(col))).collect()
}

// Lines as they were printed.

/// Lines of cells, halves of wide characters left out, blanks at their ends, too.
pub type Lines = Vec<Vec<Look>>;

fn trimmed(mut lines: Lines) -> Lines {
    for line in &mut lines {
        while line.last().is_some_and(Look::is_blank) {
            let _ = line.pop();
        }
    }
    while lines.last().is_some_and(Vec::is_empty) {
        let _ = lines.pop();
    }
    lines
}

/// The lines that rows are.
pub fn lines_of<'a>(rows: impl IntoIterator<Item = &'a Row>, cols: u16) -> Lines {
    let mut lines = vec![Vec::new()];
    for row in rows {
        let cells = if row.wrapped { usize::from(cols) } else { row.cells.len() };
        let all = looks(row, cells as u16);
        let line = lines.last_mut().expect("there is one");
        line.extend(all.into_iter().filter(|look| look.flags & flags::SPACER == 0));
        if !row.wrapped {
            lines.push(Vec::new());
        }
    }
    trimmed(lines)
}

/// Keeps what was printed, where nothing but text, line ends and colours is.
pub struct Printed {
    lines: Lines,
    attributes: Look,
}

impl Printed {
    pub fn new() -> Self {
        Self { lines: vec![Vec::new()], attributes: BLANK }
    }

    pub fn text(&mut self, text: &str) {
        let line = self.lines.last_mut().expect("there is one");
        for c in text.chars() {
            if c == '\u{301}' {
                let last: &mut Look = line.last_mut().expect("a mark follows a letter");
                last.text.push(c);
            } else {
                let wide = if c == '好' { flags::WIDE } else { 0 };
                let flags = self.attributes.flags | wide;
                line.push(Look { text: c.to_string(), flags, ..self.attributes.clone() });
            }
        }
    }

    pub fn end_line(&mut self) {
        self.lines.push(Vec::new());
    }

    pub fn attribute(&mut self, change: impl FnOnce(&mut Look)) {
        change(&mut self.attributes);
    }

    /// Compares the newest of them with what a terminal reads.
    pub fn must_be<'a>(&self, rows: impl IntoIterator<Item = &'a Row>, cols: u16) {
        let (seen, wanted) = (lines_of(rows, cols), trimmed(self.lines.clone()));
        assert!(seen.len() <= wanted.len(), "{} lines of {}", seen.len(), wanted.len());
        // The oldest may be in part beyond the limit.
        let whole = if seen.len() == wanted.len() { seen.len() } else { seen.len() - 1 };
        let pairs = seen.iter().rev().zip(wanted.iter().rev()).take(whole);
        for (number, (seen, wanted)) in pairs.enumerate() {
            let blank = |look: &Look| Look {
                text: if look.text.trim().is_empty() { String::new() } else { look.text.clone() },
                ..look.clone()
            };
            let (seen, wanted): (Vec<_>, Vec<_>) =
                (seen.iter().map(blank).collect(), wanted.iter().map(blank).collect());
            assert_eq!(seen, wanted, "line {number} from the end");
        }
    }
}

/// A sequence that changes colours or attributes, and what it does to [`Printed`].
type Style = (&'static str, fn(&mut Look));

/// The styles that are printed.
pub const STYLES: [Style; 24] = [
    ("\x1b[m", |look| *look = Look { link: look.link.take(), ..BLANK }),
    ("\x1b[1m", |look| look.flags |= flags::BOLD),
    ("\x1b[2m", |look| look.flags |= flags::DIM),
    ("\x1b[3m", |look| look.flags |= flags::ITALIC),
    ("\x1b[7m", |look| look.flags |= flags::INVERSE),
    ("\x1b[8m", |look| look.flags |= flags::HIDDEN),
    ("\x1b[9m", |look| look.flags |= flags::STRIKE),
    ("\x1b[29m", |look| look.flags &= !flags::STRIKE),
    ("\x1b[4m", |look| underline(look, Underline::Single)),
    ("\x1b[4:2m", |look| underline(look, Underline::Double)),
    ("\x1b[4:3m", |look| underline(look, Underline::Curl)),
    ("\x1b[4:4m", |look| underline(look, Underline::Dotted)),
    ("\x1b[4:5m", |look| underline(look, Underline::Dashed)),
    ("\x1b[24m", |look| underline(look, Underline::None)),
    ("\x1b[31m", |look| look.fg = Color::indexed(1)),
    ("\x1b[97m", |look| look.fg = Color::indexed(15)),
    ("\x1b[38;5;200m", |look| look.fg = Color::indexed(200)),
    ("\x1b[38:2::1:2:3m", |look| look.fg = Color::rgb(1, 2, 3)),
    ("\x1b[39m", |look| look.fg = Color::DEFAULT),
    ("\x1b[58;5;9m", |look| look.line = Some(Color::indexed(9))),
    ("\x1b[58:2::3:4:5m", |look| look.line = Some(Color::rgb(3, 4, 5))),
    ("\x1b[59m", |look| look.line = None),
    ("\x1b]8;;https://a.b\x07", |look| look.link = Some("https://a.b".to_owned())),
    ("\x1b]8;;\x07", |look| look.link = None),
];

fn underline(look: &mut Look, underline: Underline) {
    look.flags = look.flags & !Underline::of(look.flags).bits() | underline.bits();
}

// A bare emulator.

/// The emulator without anything around it.
pub struct Bare {
    term: Term<VoidListener>,
    parser: Processor,
}

struct Cells(Size);

impl Dimensions for Cells {
    fn total_lines(&self) -> usize {
        usize::from(self.0.rows)
    }

    fn screen_lines(&self) -> usize {
        usize::from(self.0.rows)
    }

    fn columns(&self) -> usize {
        usize::from(self.0.cols)
    }
}

impl Bare {
    pub fn new(size: Size, history: usize) -> Self {
        let config = Config { scrolling_history: history, ..Config::default() };
        Self { term: Term::new(config, &Cells(size), VoidListener), parser: Processor::new() }
    }

    pub fn print(&mut self, bytes: &[u8]) {
        self.parser.advance(&mut self.term, bytes);
    }

    /// Compares its rows with those that ours reads, from the lowest up.
    pub fn must_be(&self, rows: &[&Row], cols: u16) {
        let grid = self.term.grid();
        let lines = grid.topmost_line().0..=grid.bottommost_line().0;
        for (line, row) in lines.rev().zip(rows.iter().rev()) {
            let cells = (0..usize::from(cols)).map(|col| bare_look(&grid[Line(line)][Column(col)]));
            let (seen, wanted) = (looks(row, cols), cells.collect::<Vec<_>>());
            assert_eq!(seen, wanted, "line {line}");
            let last = &grid[Line(line)][Column(usize::from(cols) - 1)];
            assert_eq!(row.wrapped, last.flags.contains(Flags::WRAPLINE), "the end of line {line}");
        }
    }
}

fn bare_look(cell: &BareCell) -> Look {
    let half = cell.flags.intersects(Flags::WIDE_CHAR_SPACER | Flags::LEADING_WIDE_CHAR_SPACER);
    let mut text = String::new();
    if !half {
        text.push(if cell.c == '\t' { ' ' } else { cell.c });
        text.extend(cell.zerowidth().into_iter().flatten().take(8));
    }
    let pairs = [
        (Flags::BOLD, flags::BOLD),
        (Flags::ITALIC, flags::ITALIC),
        (Flags::DIM, flags::DIM),
        (Flags::INVERSE, flags::INVERSE),
        (Flags::HIDDEN, flags::HIDDEN),
        (Flags::STRIKEOUT, flags::STRIKE),
        (Flags::WIDE_CHAR, flags::WIDE),
        (Flags::UNDERLINE, Underline::Single.bits()),
        (Flags::DOUBLE_UNDERLINE, Underline::Double.bits()),
        (Flags::UNDERCURL, Underline::Curl.bits()),
        (Flags::DOTTED_UNDERLINE, Underline::Dotted.bits()),
        (Flags::DASHED_UNDERLINE, Underline::Dashed.bits()),
    ];
    let has = pairs.iter().filter(|(flag, _)| cell.flags.contains(*flag));
    let flags = has.fold(if half { flags::SPACER } else { 0 }, |all, (_, bit)| all | bit);
    Look {
        text,
        fg: bare_color(cell.fg),
        bg: bare_color(cell.bg),
        flags,
        line: cell.underline_color().map(bare_color),
        link: cell.hyperlink().map(|link| link.uri().to_owned()),
    }
}

fn bare_color(color: BareColor) -> Color {
    match color {
        BareColor::Spec(rgb) => Color::rgb(rgb.r, rgb.g, rgb.b),
        BareColor::Indexed(index) => Color::indexed(index),
        BareColor::Named(NamedColor::Foreground | NamedColor::Background) => Color::DEFAULT,
        BareColor::Named(name) => Color::indexed(name as u8),
    }
}

// A search that looks at every place.

/// Where a word is: the row it begins in and its cells, as row and column, counted from the oldest row.
pub fn places(rows: &[&Row], cols: u16, word: &str) -> Vec<Vec<(usize, u16)>> {
    let mut found = Vec::new();
    let mut text = String::new();
    // The cell that each byte belongs to, and how many columns that takes.
    let mut cells: Vec<(usize, u16, u16)> = Vec::new();
    for (number, row) in rows.iter().enumerate() {
        let end = if row.wrapped { usize::from(cols) } else { row.cells.len() };
        for (col, look) in looks(row, end as u16).into_iter().enumerate() {
            if look.flags & flags::SPACER == 0 {
                let wide = 1 + u16::from(look.flags & flags::WIDE != 0);
                cells.extend(std::iter::repeat_n((number, col as u16, wide), look.text.len()));
                text.push_str(&look.text);
            }
        }
        if row.wrapped && number + 1 < rows.len() {
            continue;
        }
        for (begin, _) in text.match_indices(word) {
            let mut all = Vec::new();
            for &(row, col, wide) in &cells[begin..begin + word.len()] {
                all.extend((col..col + wide).map(|col| (row, col)));
            }
            all.sort_unstable();
            all.dedup();
            found.push(all);
        }
        text.clear();
        cells.clear();
    }
    found
}

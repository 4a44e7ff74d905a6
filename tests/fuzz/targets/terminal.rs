//! A terminal under output and under whatever its owner and its users do between two pieces of it: tap,
//! emulator, frames, cold rows, selection, search, vi mode.
//!
//! The data is output; 0xFE begins something else: a byte that says what, and a byte or two for it. 0xFD and
//! a byte are output, too: one of many sequences that chance would seldom put together, or lines.
//!
//! Beside it stands a plain terminal that gets the same output byte by byte, of which nothing is ever
//! compressed, scrolled, selected, searched or sent to clients. Both must read the same.
//!
//! The first byte says what the output is made of. Up to 0x7F it is the data itself. Up to 0xBF each byte is
//! a sequence that a bare emulator understands as ours does: cell by cell both must look the same. Beyond,
//! each byte is text, a line's end or a style: lines must read as they were printed, at any width.

use maestro_core::TerminalId;
use maestro_core::input::{Input, Motion, OutputOf, ScrollTo, Select, SelectBy, Vi};
use maestro_core::screen::{Frame, Row, Size, flags};
use maestro_core::search::{Case, Query};
use maestro_terminal::{Options, Outbox, Terminal, View};

#[path = "terminal/model.rs"]
mod model;

use model::{Bare, Printed};

/// What begins something else than output. It is in no UTF-8.
pub const MARK: u8 = 0xfe;

/// What begins output from a table. It is in no UTF-8 either.
pub const WORD: u8 = 0xfd;

/// Sequences that mean something, to be put together by chance.
const WORDS: [&[u8]; 72] = [
    b"a",
    b"word ",
    b"x\r\n",
    b"\r\n",
    b"\t",
    b"\x08",
    "好".as_bytes(),
    "e\u{301}".as_bytes(),
    "👩\u{200d}🚀".as_bytes(),
    "❤\u{fe0f}".as_bytes(),
    b"\xe5",
    b"\xa5\xbd",
    b"\xff",
    b"https://a.b/c ",
    b"src/a.rs:7 ",
    b"\x1b[2J",
    b"\x1b[3J",
    b"\x1b[J",
    b"\x1b[1J",
    b"\x1b[H",
    b"\x1b[3;5H",
    b"\x1b[99;99H",
    b"\x1b[K",
    b"\x1b[1K",
    b"\x1b[2K",
    b"\x1b[3X",
    b"\x1b[2@",
    b"\x1b[2P",
    b"\x1b[2L",
    b"\x1b[2M",
    b"\x1b[3S",
    b"\x1b[3T",
    b"a\x1b[70b",
    b"\x1b[2;4r",
    b"\x1b[r",
    b"\x1b[?6h",
    b"\x1b[?6l",
    b"\x1b[4h",
    b"\x1b[4l",
    b"\x1b[20h",
    b"\x1b[?7l",
    b"\x1b[?7h",
    b"\x1b[?25l",
    b"\x1b[?1049h",
    b"\x1b[?1049l",
    b"\x1b[?47h",
    b"\x1b[?47l",
    b"\x1b7",
    b"\x1b8",
    b"\x1bM",
    b"\x1bD",
    b"\x1b#8",
    b"\x1bc",
    b"\x1b[!p",
    b"\x1b(0",
    b"\x1b[31;1;4:3m",
    b"\x1b[48;2;1;2;3;58;5;9m",
    b"\x1b[m",
    b"\x1b[?2026h",
    b"\x1b[?2026l",
    b"\x1b]133;A\x07$ ",
    b"\x1b]133;B\x07",
    b"\x1b]133;C\x1b\\",
    b"\x1b]133;D;1\x07",
    b"\x1b]8;;https://a\x07",
    b"\x1b]8;;\x07",
    b"\x1b]4;1;#123456\x07",
    b"\x1b[6n\x1b[?6n",
    b"\x1bP$qr\x1b\\",
    b"\x1b[?2048h",
    b"\x1b[",
    b"\x18",
];

/// What a bare emulator makes the same of as ours, besides the styles.
const AGREED: [&[u8]; 41] = [
    b"a",
    b"word ",
    b"line 1 a",
    "好".as_bytes(),
    "e\u{301}".as_bytes(),
    b"   ",
    b"\r\n",
    b"\r\n",
    b"\n\n\n",
    b"\t",
    b"\x1b[2J",
    b"\x1b[J",
    b"\x1b[H",
    b"\x1b[3;5H",
    b"\x1b[99;99H",
    b"\x1b[2A",
    b"\x1b[3C",
    b"\x1b[K",
    b"\x1b[2K",
    b"\x1b[2L",
    b"\x1b[2M",
    b"\x1b[3S",
    b"\x1b[3T",
    b"\x1bM",
    b"\x1bD",
    b"\x1b(0",
    b"\x1b(B",
    b"\x1b[?1049h",
    b"\x1b[?1049l",
    b"\x1b[41m",
    b"\x1b[102m",
    b"\x1b[48;2;1;2;3m",
    b"\x1b[48;5;77m",
    b"\x1b[49m",
    b"\x1b[7m",
    b"\x1b[27m",
    b"\x1b[22;23m",
    b"\x1b]9;note\x07",
    b"\x1b]7501;state=idle\x1b\\",
    b"\x1b]2;title\x07",
    b"\x1b[6n",
];

/// The rows of history where lines are compared with what was printed, and otherwise.
const SCROLLBACK: [usize; 2] = [5000, 700];

/// The bytes from here on are so many lines.
const LINES: u8 = 200;

/// A byte that ends a line where [`Output::Lines`] are printed.
const LINE_END: u8 = 0xf0;

/// Cells that are marked in the rows in sight.
struct Marked {
    rows: std::ops::Range<usize>,
    cells: Vec<(usize, u16)>,
}

/// A client that puts its screen together from frames.
struct Client {
    view: View,
    rows: Vec<Row>,
    last: Option<Frame>,
    /// A frame that is on its way: the host gives the next one when this one has arrived.
    coming: Option<Frame>,
}

impl Client {
    fn new(terminal: u64) -> Self {
        Self { view: View::new(TerminalId(terminal)), rows: Vec::new(), last: None, coming: None }
    }

    fn ask(&mut self, terminal: &mut Terminal) {
        if self.coming.is_none() {
            self.coming = terminal.frame(&mut self.view);
        }
    }

    fn arrive(&mut self) {
        let Some(frame) = self.coming.take() else { return };
        if frame.full {
            self.rows = vec![Row::default(); usize::from(frame.size.rows)];
        }
        let mut before = None;
        for (index, row) in &frame.rows {
            assert!(before < Some(*index), "rows ascend");
            before = Some(*index);
            self.rows[usize::from(*index)] = row.clone();
        }
        if let Some(last) = &self.last {
            assert!(frame.generation > last.generation, "generations ascend");
            assert!(frame.full || frame.size == last.size, "another size makes a full frame");
        }
        self.last = Some(frame);
    }

    /// After everything has arrived, what the client has is what a new client would get.
    fn must_match(&mut self, terminal: &mut Terminal) {
        self.arrive();
        self.ask(terminal);
        self.arrive();
        let whole = terminal.frame(&mut View::new(TerminalId(0))).expect("a first frame is full");
        let last = self.last.as_ref().expect("a frame came");
        assert_eq!(
            (last.size, last.cursor, last.modes, last.scroll, &last.colors, last.pointer),
            (whole.size, whole.cursor, whole.modes, whole.scroll, &whole.colors, whole.pointer)
        );
        for (index, row) in &whole.rows {
            assert_eq!(&self.rows[usize::from(*index)], row, "row {index}");
        }
        assert_eq!(self.rows.len(), whole.rows.len());
        check(&whole);
    }
}

/// What holds for every frame.
fn check(frame: &Frame) {
    let Size { cols, rows, .. } = frame.size;
    assert!(cols >= 2 && rows >= 1);
    assert!(frame.scroll.offset <= frame.scroll.history, "{:?}", frame.scroll);
    if let Some(cursor) = frame.cursor {
        assert!(cursor.row < rows && cursor.col < cols, "{cursor:?} in {cols}x{rows}");
    }
    for (index, row) in &frame.rows {
        assert!(*index < rows);
        assert!(row.cells.len() <= usize::from(cols), "{} cells in {cols}", row.cells.len());
        for cell in &row.cells {
            assert!(usize::from(cell.extra) <= row.extras.len(), "an extra that is not there");
            if cell.has(flags::CLUSTER) {
                let cluster = &row.clusters[cell.glyph as usize];
                assert!(cluster.chars().count() <= 9, "marks are bounded: {cluster:?}");
            } else {
                assert!(char::from_u32(cell.glyph).is_some(), "no character: {:x}", cell.glyph);
            }
            assert!(!cell.has(flags::CURRENT) || cell.has(flags::MATCH));
        }
    }
}

/// What every end is searched for, at every place.
const WORDS_SOUGHT: [&str; 6] = ["a", "line 1", "word", "好", "e\u{301}", "x"];

const QUERIES: [(&str, bool); 8] = [
    ("a", false),
    ("x", false),
    ("好", false),
    ("[a-z]+", true),
    ("e\u{301}", false),
    (".*", true),
    ("(", true),
    ("", false),
];

const KINDS: [SelectBy; 4] = [SelectBy::Cell, SelectBy::Word, SelectBy::Line, SelectBy::Block];

/// What the output is made of, and what it is compared with.
enum Output {
    Any,
    Agreed(Box<Bare>),
    Lines(Printed),
}

struct Scene {
    output: Output,
    terminal: Terminal,
    near: Client,
    /// Takes frames seldom.
    far: Client,
    out: Outbox,
    /// The one that only prints.
    plain: Terminal,
    plain_out: Outbox,
    /// Whether both still have to read the same: where lines of the emulator were wrapped anew and some
    /// were old in one of them only, they may be cut in other places.
    comparable: bool,
    /// Lines that were counted.
    lines: u32,
}

impl Scene {
    fn new(cols: u8, rows: u8) -> Self {
        let size = Size::new(2 + u16::from(cols & 0x3f) % 60, 1 + u16::from(rows) % 20);
        let scrollback = SCROLLBACK[usize::from(cols < 0xc0)];
        let options = Options { scrollback, ..Options::new(size) };
        let output = match cols {
            0..0x80 => Output::Any,
            0x80..0xc0 => Output::Agreed(Box::new(Bare::new(size, scrollback))),
            _ => Output::Lines(Printed::new()),
        };
        Self {
            output,
            plain: Terminal::new(options.clone()),
            plain_out: Outbox::new(),
            comparable: true,
            lines: 0,
            terminal: Terminal::new(options),
            near: Client::new(1),
            far: Client::new(2),
            out: Outbox::new(),
        }
    }

    fn input(&mut self, input: Input) {
        self.terminal.input(&input, &mut self.out);
    }

    fn act(&mut self, what: u8, a: u8, b: u8) {
        // What the other one is not told of would be no fault.
        let apart = match (&self.output, what % 24) {
            (Output::Agreed(_), 0) => true,
            (Output::Any, _) => false,
            (_, what) => matches!(what, 10 | 22 | 23),
        };
        if apart {
            return;
        }
        let (row, col) = (u16::from(a) % 24, u16::from(b) % 64);
        let kind = KINDS[usize::from(a >> 6)];
        match what % 24 {
            0 => self.resize(Size::new(2 + u16::from(a) % 90, 1 + u16::from(b) % 40)),
            1 => self.input(Input::Scroll(ScrollTo::Lines(i32::from(a as i8)))),
            2 => self.input(Input::Scroll(ScrollTo::Pages(i32::from(a as i8) % 5))),
            3 => self.input(Input::Scroll(ScrollTo::Prompts(i32::from(a as i8) % 3))),
            4 => {
                self.input(Input::Scroll(if a.is_multiple_of(2) {
                    ScrollTo::Top
                } else {
                    ScrollTo::Bottom
                }));
            }
            5 => {
                let right_half = b.is_multiple_of(2);
                self.input(Input::Select(Select::Start { row, col, right_half, by: kind }));
            }
            6 => {
                let row = i32::from(a as i8) / 2;
                self.input(Input::Select(Select::Update {
                    row,
                    col,
                    right_half: a.is_multiple_of(2),
                }));
            }
            7 => {
                let of = if a.is_multiple_of(2) { OutputOf::Last } else { OutputOf::At(col) };
                self.input(Input::Select(if b.is_multiple_of(4) {
                    Select::All
                } else {
                    Select::Output(of)
                }));
            }
            8 => drop(self.terminal.selection_text()),
            9 => drop(self.terminal.compact(usize::from(a) * 4)),
            10 => {
                self.terminal.end_sync(&mut self.out);
                self.plain.end_sync(&mut self.plain_out);
            }
            11 | 12 => self.near.ask(&mut self.terminal),
            13 => self.near.arrive(),
            14 => self.far.ask(&mut self.terminal),
            15 => self.far.arrive(),
            16 => {
                let (text, regex) = QUERIES[usize::from(a) % QUERIES.len()];
                let case = [Case::Smart, Case::Sensitive, Case::Insensitive][usize::from(b) % 3];
                let query = Query { text: text.to_owned(), regex, case };
                self.terminal.search((b < 224).then_some(query));
            }
            17 => drop(self.terminal.search_step(usize::from(a) * 8)),
            18 => self.terminal.search_move(a.is_multiple_of(2)),
            19 => self.input(Input::Vi(match a % 4 {
                0 => Vi::Enter,
                1 => Vi::Leave,
                2 => Vi::Select(KINDS[usize::from(b) % 4]),
                _ => Vi::Swap,
            })),
            20 | 21 => {
                let motion = Motion::ALL[usize::from(a) % Motion::ALL.len()];
                self.input(Input::Vi(Vi::Move(motion)));
            }
            22 => {
                self.terminal.clear(a.is_multiple_of(2));
                self.plain.clear(a.is_multiple_of(2));
            }
            _ => match a % 4 {
                0 => drop(self.terminal.output_text()),
                1 => {
                    self.terminal.reset_modes(&mut self.out);
                    self.plain.reset_modes(&mut self.plain_out);
                }
                2 => self.near.view.reset(),
                _ => drop(self.terminal.screen(true)),
            },
        }
        if let Some(search) = self.terminal.search_state() {
            assert!(search.current.is_none_or(|current| (1..=search.matches).contains(&current)));
        }
    }

    fn resize(&mut self, size: Size) {
        // Where a line that goes on is wrapped anew, the cursor is a thing of its own.
        if let Output::Lines(_) = self.output {
            self.printed(LINE_END);
        }
        let before = self.terminal.size();
        self.comparable &= before.cols == size.cols;
        self.terminal.resize(size);
        self.plain.resize(size);
    }

    fn print(&mut self, bytes: &[u8]) {
        self.terminal.advance(bytes, &mut self.out);
        for byte in bytes {
            self.plain.advance(&[*byte], &mut self.plain_out);
        }
        assert!(self.out.events.len() <= maestro_terminal::EVENTS_LIMIT + 8);
    }

    /// A byte of output that has a meaning.
    fn meant(&mut self, what: u8) {
        let count = AGREED.len() + model::STYLES.len();
        match &self.output {
            Output::Any => {}
            Output::Lines(_) => self.printed(what),
            Output::Agreed(_) => {
                let lines = u32::from(what.saturating_sub(0xf0));
                let words = match usize::from(what) % count {
                    _ if lines > 0 => (0..lines * 8).map(|n| format!("line {n} a\r\n")).collect(),
                    at if at < AGREED.len() => String::from_utf8_lossy(AGREED[at]).into_owned(),
                    at => model::STYLES[at - AGREED.len()].0.to_owned(),
                };
                self.print(words.as_bytes());
                if let Output::Agreed(bare) = &mut self.output {
                    bare.print(words.as_bytes());
                }
            }
        }
    }

    /// Text, a line's end, or a style.
    fn printed(&mut self, what: u8) {
        const TEXTS: [&str; 8] = ["a", "word ", "x", "好", "e\u{301}", "   ", "line 1 a", "好好a"];
        let Output::Lines(printed) = &mut self.output else { return };
        let at = usize::from(what) % (TEXTS.len() + model::STYLES.len() + 8);
        let mut words = String::new();
        if what > 0xf0 {
            for _ in 0..u32::from(what - 0xf0) * 12 {
                self.lines += 1;
                let line = format!("line {} a and some words", self.lines);
                printed.text(&line);
                printed.end_line();
                words.push_str(&line);
                words.push_str("\r\n");
            }
        } else if what == LINE_END || at >= TEXTS.len() + model::STYLES.len() {
            printed.end_line();
            words.push_str("\r\n");
        } else if let Some((sequence, change)) =
            at.checked_sub(TEXTS.len()).map(|at| model::STYLES[at])
        {
            printed.attribute(change);
            words.push_str(sequence);
        } else {
            printed.text(TEXTS[at]);
            words.push_str(TEXTS[at]);
        }
        self.print(words.as_bytes());
    }

    fn word(&mut self, what: u8) {
        match what.checked_sub(LINES) {
            None => self.print(WORDS[usize::from(what) % WORDS.len()]),
            Some(lines) => {
                for _ in 0..=u32::from(lines) * 8 {
                    self.lines += 1;
                    let line = format!("line {} a\r\n", self.lines);
                    self.terminal.advance(line.as_bytes(), &mut self.out);
                    self.plain.advance(line.as_bytes(), &mut self.plain_out);
                }
            }
        }
    }

    /// What the child was told, and what can be read, is the same however the output was cut and whatever
    /// users did meanwhile.
    fn must_read_the_same(&mut self) {
        if self.comparable {
            assert_eq!(
                String::from_utf8_lossy(&self.out.replies),
                String::from_utf8_lossy(&self.plain_out.replies)
            );
            let (ours, plain) = (self.terminal.screen(true), self.plain.screen(true));
            assert_eq!(ours.history.len(), plain.history.len(), "rows of history");
            for (number, (ours, plain)) in ours.history.iter().zip(&plain.history).enumerate() {
                assert_eq!(ours, plain, "row {number} of the history");
            }
            assert_eq!(ours.rows, plain.rows);
            assert_eq!(ours.cursor, plain.cursor);
            let (ours, plain) = (self.terminal.info(), self.plain.info());
            assert_eq!((&ours.title, &ours.directory), (&plain.title, &plain.directory));
        }
        self.out.clear();
        self.plain_out.clear();
    }

    /// What others say that was printed is what reads.
    fn must_be_as_told(&mut self) {
        if matches!(self.output, Output::Any) {
            return;
        }
        let all = self.terminal.screen(true);
        let rows: Vec<&Row> = all.history.iter().chain(&all.rows).collect();
        let cols = self.terminal.size().cols;
        match &self.output {
            Output::Any => {}
            Output::Agreed(bare) => bare.must_be(&rows, cols),
            Output::Lines(printed) => printed.must_be(rows, cols),
        }
    }

    /// A search finds what reading finds, where it is.
    fn must_find_what_is_there(&mut self, seed: usize) {
        let word = WORDS_SOUGHT[seed % WORDS_SOUGHT.len()];
        // Reading comes first: it gives old rows the width of now, and takes those beyond the limit away.
        let all = self.terminal.screen(true);
        let rows: Vec<&Row> = all.history.iter().chain(&all.rows).collect();
        let places = model::places(&rows, self.terminal.size().cols, word);
        let query = Query { text: word.to_owned(), regex: false, case: Case::Sensitive };
        self.terminal.search(Some(query));
        while self.terminal.search_step(1000) {}
        let found = self.terminal.search_state().expect("a search is on");
        assert!(found.done, "{found:?}");
        assert_eq!(found.matches, places.len() as u64, "{word:?}");
        for forward in [true, false, false] {
            self.terminal.search_move(forward);
            while self.terminal.search_step(1000) {}
            let found = self.terminal.search_state().expect("a search is on");
            let Some(current) = found.current else {
                assert_eq!(found.matches, 0);
                return;
            };
            let (seen, current_seen) = self.marked(all.history.len());
            let shown = |place: &(usize, u16)| seen.rows.contains(&place.0);
            let wanted: Vec<_> = places.iter().flatten().copied().filter(shown).collect();
            let mut wanted = wanted;
            wanted.sort_unstable();
            wanted.dedup();
            assert_eq!(seen.cells, wanted, "what is marked as {word:?}");
            let place = &places[current as usize - 1];
            let place: Vec<_> = place.iter().copied().filter(shown).collect();
            assert!(!place.is_empty(), "match {current} is in sight");
            assert_eq!(current_seen, place, "match {current} of {word:?}");
        }
    }

    /// The cells in sight that are marked as found, and those of the match one is at.
    fn marked(&mut self, history: usize) -> (Marked, Vec<(usize, u16)>) {
        let frame =
            self.terminal.frame(&mut View::new(TerminalId(0))).expect("a first frame is full");
        let top = history - frame.scroll.offset as usize;
        let with = |flag: u16| {
            let cells = frame.rows.iter().flat_map(|(index, row)| {
                let found = row.cells.iter().enumerate().filter(move |(_, cell)| cell.has(flag));
                found.map(move |(col, _)| (top + usize::from(*index), col as u16))
            });
            cells.collect::<Vec<_>>()
        };
        let rows = top..top + frame.rows.len();
        (Marked { rows, cells: with(flags::MATCH) }, with(flags::CURRENT))
    }

    fn finish(mut self, seed: usize) {
        self.near.must_match(&mut self.terminal);
        self.far.must_match(&mut self.terminal);
        self.must_read_the_same();
        self.must_be_as_told();
        self.must_find_what_is_there(seed);
        let scroll = self.terminal.scroll();
        assert!(scroll.history <= 5000, "{scroll:?}");
        self.output = Output::Any;
        // A reset gives a terminal that prints, whatever came before.
        self.resize(Size::new(80, 24));
        self.print(b"\x18\x1b[?2026l\x1bcstill here");
        let screen = self.terminal.screen(false);
        assert_eq!(screen.rows[0].text().trim_end(), "still here");
        assert_eq!(self.terminal.restarts(), 0, "the emulator panicked");
    }
}

pub fn run(data: &[u8]) {
    let [cols, rows, rest @ ..] = data else { return };
    let mut scene = Scene::new(*cols, *rows);
    let mut rest = rest;
    while let Some(first) = rest.first() {
        if *first == MARK {
            let at = |index: usize| rest.get(index).copied().unwrap_or(0);
            // A client that has everything before must have everything after.
            let close = at(1) >= 0x80;
            if close {
                scene.near.must_match(&mut scene.terminal);
            }
            scene.act(at(1), at(2), at(3));
            if close {
                scene.near.must_match(&mut scene.terminal);
            }
            rest = rest.get(4..).unwrap_or_default();
        } else if !matches!(scene.output, Output::Any) {
            scene.meant(*first);
            rest = &rest[1..];
        } else if *first == WORD {
            scene.word(rest.get(1).copied().unwrap_or(0));
            rest = rest.get(2..).unwrap_or_default();
        } else {
            let end =
                rest.iter().position(|byte| [MARK, WORD].contains(byte)).unwrap_or(rest.len());
            scene.print(&rest[..end]);
            rest = &rest[end..];
        }
    }
    scene.finish(data.len());
}

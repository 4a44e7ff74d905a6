//! The emulator with everything around it: the tap before it, the cold rows behind it, the viewport and
//! the selection over both.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::Instant;

use alacritty_terminal::grid::{Dimensions, Grid};
use alacritty_terminal::index::{Column, Line};
use alacritty_terminal::term::TermMode;
use alacritty_terminal::term::cell::{Cell as TermCell, Flags};
use alacritty_terminal::vte::ansi::CursorShape as TermCursorShape;
use maestro_core::input::{Action, Code, Input, Mouse, MouseKind, ScrollTo, Select, SelectBy};
use maestro_core::screen::{
    ColorOverride, Cursor, CursorShape, Frame, Modes, OVERRIDE_CURSOR, Row, Scroll, Size,
};

use crate::cold::{CHUNK, Cold};
use crate::emulator::Emulator;
use crate::event::{Event, Outbox, Progress, Status};
use crate::options::{Options, Palette};
use crate::osc;
use crate::pack::pack;
use crate::select::{self, Class, Place, Range, Selection};
use crate::tap::{self, Found, Tap};
use crate::view::View;
use crate::{keys, pointer};

/// Rows of history that stay in the emulator when a terminal is compacted: enough for a few pages back,
/// few enough that twenty terminals fit the memory budget.
const HOT: usize = 200;

/// How far a word goes on over wrapped rows.
const WORD_ROWS: u64 = 64;

/// A terminal without its PTY. Owned by one place at a time; may move between threads.
#[derive(Debug)]
pub struct Terminal {
    options: Options,
    emulator: Emulator,
    tap: Tap,
    reader: osc::Reader,
    held: Held,
    cold: Cold,
    /// The number of the viewport's first row while it does not follow the output.
    top: Option<u64>,
    selection: Option<Selection>,
    /// What the selected part of the screen read when last looked at.
    selected: Option<Selected>,
    title: Option<String>,
    directory: Option<PathBuf>,
    progress: Progress,
    status: Option<Status>,
    focused: Option<bool>,
    mouse_cell: Option<(u16, u16)>,
    /// Raised by whatever may change a frame.
    version: u64,
    restarts: u32,
    /// Output came since the emulator last gave spare rows back.
    loose: bool,
    scratch: Row,
}

/// A terminal's screen for reading.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Contents {
    /// History rows, oldest first; empty when not asked for.
    pub history: Vec<Row>,
    /// Rows of the screen (not of the viewport), from the top; always as many as the screen has.
    pub rows: Vec<Row>,
    /// Cursor on the screen; `None` when hidden.
    pub cursor: Option<Cursor>,
    /// Modes.
    pub modes: Modes,
    /// Where the viewport is.
    pub scroll: Scroll,
}

/// What is known about a terminal besides its screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Info {
    /// Its size.
    pub size: Size,
    /// The title the child set, stripped and length-limited.
    pub title: Option<String>,
    /// The directory the child reported.
    pub directory: Option<PathBuf>,
    /// Progress it reported.
    pub progress: Progress,
    /// The status it told by OSC 7501.
    pub status: Option<Status>,
    /// Modes.
    pub modes: Modes,
    /// Where the viewport is.
    pub scroll: Scroll,
}

/// The first bytes of a character whose others have not come yet. The parser (vte 0.15) may lose the
/// character after one that was cut in two, so it is never given such a piece.
#[derive(Debug, Default)]
struct Held {
    bytes: [u8; 4],
    len: usize,
}

/// A look at the selected rows that a child could still change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Selected {
    from: u64,
    to: u64,
    hash: u64,
}

impl Terminal {
    /// An empty screen.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let options = Options { size: options.size.clamped(), ..options };
        Self {
            emulator: Emulator::new(options.size, options.scrollback, options.palette),
            options,
            tap: Tap::default(),
            reader: osc::Reader::default(),
            held: Held::default(),
            cold: Cold::default(),
            top: None,
            selection: None,
            selected: None,
            title: None,
            directory: None,
            progress: Progress::None,
            status: None,
            focused: None,
            mouse_cell: None,
            version: 1,
            restarts: 0,
            loose: false,
            scratch: Row::default(),
        }
    }

    /// Takes bytes the child printed. Replies and events are added to `out`. The same bytes give the same
    /// screen and the same events however they are cut into calls.
    pub fn advance(&mut self, bytes: &[u8], out: &mut Outbox) {
        if bytes.is_empty() {
            return;
        }
        self.guarded(|terminal| terminal.parse(bytes));
        self.loose = true;
        self.settle();
        self.deliver(out);
    }

    /// When a synchronized update that has begun must be shown whether or not its end was printed
    /// (150 ms after its begin). The owner calls [`Self::end_sync`] then. This one instant is the only
    /// thing read from a clock in this crate: the parser takes it when the update begins.
    #[must_use]
    pub fn sync_deadline(&self) -> Option<Instant> {
        self.emulator.sync_deadline()
    }

    /// Shows what was printed since a synchronized update began.
    pub fn end_sync(&mut self, out: &mut Outbox) {
        if self.sync_deadline().is_some() {
            self.guarded(|terminal| terminal.emulator.end_sync());
            self.settle();
            self.deliver(out);
        }
    }

    /// Another size; brought into the allowed range. Lines are wrapped anew, a reading position stays at
    /// its text. The owner resizes the PTY.
    pub fn resize(&mut self, size: Size) {
        let size = size.clamped();
        let before = std::mem::replace(&mut self.options.size, size);
        if before == size {
            return;
        }
        let offset = self.offset();
        self.guarded(|terminal| {
            if before.cols == size.cols || offset == 0 {
                terminal.emulator.resize(size);
            } else {
                terminal.reflow_at(size, offset);
            }
        });
        if before.cols != size.cols {
            self.clear_selection();
        }
        self.mouse_cell = None;
        self.settle();
    }

    /// The size.
    #[must_use]
    pub fn size(&self) -> Size {
        self.options.size
    }

    /// Something a user did: keys, text, pastes, the mouse and focus become bytes in `out.replies`,
    /// scrolling, selecting and resizing happen here.
    pub fn input(&mut self, input: &Input, out: &mut Outbox) {
        let mode = self.emulator.mode();
        match input {
            Input::Key(key) => {
                let bytes = keys::encode(key, mode, self.options.shift_enter);
                let silent =
                    matches!(key.code, Code::Shift | Code::Control | Code::Alt | Code::Super);
                if silent || key.action == Action::Release {
                    send(out, &bytes);
                } else {
                    self.typed(&bytes, out);
                }
            }
            Input::Text(text) => self.typed(&keys::text(text, mode), out),
            Input::Paste(text) => self.typed(&pointer::paste(text, mode), out),
            Input::Mouse(mouse) => self.mouse(mouse, mode, out),
            Input::Focus(focused) => {
                let news = self.focused.replace(*focused) != Some(*focused);
                if news && mode.contains(TermMode::FOCUS_IN_OUT) {
                    send(out, if *focused { b"\x1b[I" } else { b"\x1b[O" });
                }
            }
            Input::Resize(size) => self.resize(*size),
            Input::Scroll(to) => self.scroll_to(*to),
            Input::Select(select) => self.select(*select),
        }
    }

    /// The selected text: trailing blanks trimmed, wrapped lines joined. `None` for an empty selection.
    pub fn selection_text(&mut self) -> Option<String> {
        let range = self.selected_range()?;
        let cols = self.options.size.cols;
        let mut text = String::new();
        let mut row = std::mem::take(&mut self.scratch);
        for number in range.first.0.max(self.oldest())..=range.last.0 {
            let Some((from, to)) = range.columns(number, cols) else { continue };
            if !self.fetch(number, &mut row) {
                continue;
            }
            let from = if range.block { self.whole(&row, from) } else { from };
            text.push_str(&select::text(&row, from, to, cols));
            let goes_on = row.wrapped && !range.block && to + 1 >= cols;
            if number < range.last.0 && !goes_on {
                text.push('\n');
            }
        }
        self.scratch = row;
        self.cold.forget_cache();
        Some(text).filter(|text| !text.is_empty())
    }

    /// What changed since the client's last frame, or everything if it has none of this size; `None`
    /// when nothing did. `input_seq` and `flooding` are 0 and false: the caller, who knows, sets them.
    pub fn frame(&mut self, view: &mut View) -> Option<Frame> {
        let size = self.options.size;
        let full = view.size != Some(size);
        if !full && view.version == self.version {
            return None;
        }
        view.version = self.version;
        if full {
            view.rows.clear();
            view.rows.resize_with(usize::from(size.rows), Row::default);
        }
        let offset = self.offset();
        let rows = self.changed_rows(view, full, offset);
        let cursor = self.cursor(offset);
        let modes = self.modes();
        let scroll = self.scroll();
        let colors = self.color_overrides();
        let same = rows.is_empty()
            && (cursor, modes, scroll) == (view.cursor, view.modes, view.scroll)
            && colors == view.colors;
        if !full && same {
            return None;
        }
        view.size = Some(size);
        view.generation += 1;
        view.cursor = cursor;
        view.modes = modes;
        view.scroll = scroll;
        view.colors.clone_from(&colors);
        Some(Frame {
            terminal: view.terminal,
            generation: view.generation,
            size,
            full,
            rows,
            cursor,
            modes,
            scroll,
            colors,
            flooding: false,
            input_seq: 0,
        })
    }

    /// The screen for reading, with the history above it when asked for.
    pub fn screen(&mut self, history: bool) -> Contents {
        self.wrap_cold();
        let base = self.emulator.base();
        let first = if history { self.oldest() } else { base };
        let rows = usize::from(self.options.size.rows);
        let mut all: Vec<Row> = Vec::with_capacity((base - first) as usize + rows);
        for number in first..base + rows as u64 {
            let mut row = Row::default();
            let _ = self.fetch(number, &mut row);
            all.push(row);
        }
        let rows = all.split_off(all.len() - rows);
        let history = all;
        self.cold.forget_cache();
        Contents {
            history,
            rows,
            cursor: self.cursor(0),
            modes: self.modes(),
            scroll: self.scroll(),
        }
    }

    /// The theme's colours. A child that asked to be told (mode 2031) is told when dark and light
    /// change places.
    pub fn set_palette(&mut self, palette: Palette, out: &mut Outbox) {
        let news = self.options.palette.dark != palette.dark;
        self.options.palette = palette;
        self.emulator.state.palette = palette;
        if news && self.emulator.state.scheme_updates {
            self.emulator.reply(color_scheme(palette).as_bytes());
        }
        self.deliver(out);
    }

    /// What is known besides the screen.
    #[must_use]
    pub fn info(&self) -> Info {
        Info {
            size: self.options.size,
            title: self.title.clone(),
            directory: self.directory.clone(),
            progress: self.progress,
            status: self.status.clone(),
            modes: self.modes(),
            scroll: self.scroll(),
        }
    }

    /// The modes a client needs.
    #[must_use]
    pub fn modes(&self) -> Modes {
        let mode = self.emulator.mode();
        Modes {
            alt_screen: mode.contains(TermMode::ALT_SCREEN),
            mouse: mode.intersects(TermMode::MOUSE_MODE),
            mouse_motion: mode.contains(TermMode::MOUSE_MOTION),
            bracketed_paste: mode.contains(TermMode::BRACKETED_PASTE),
            kitty_keyboard: mode.intersects(TermMode::KITTY_KEYBOARD_PROTOCOL),
            key_releases: mode.contains(TermMode::REPORT_EVENT_TYPES),
            focus_events: mode.contains(TermMode::FOCUS_IN_OUT),
        }
    }

    /// Where the viewport is.
    #[must_use]
    pub fn scroll(&self) -> Scroll {
        Scroll { offset: self.offset() as u32, history: self.history() as u32 }
    }

    /// Moves up to about `max_rows` rows of history into the compressed store; `true` when there is more
    /// to do. Meant for a quiet terminal, in slices: about half a microsecond a row.
    pub fn compact(&mut self, max_rows: usize) -> bool {
        // While the alternate screen is shown the main one's rows are out of reach.
        if self.emulator.is_alt() {
            return false;
        }
        let mut done = 0;
        while self.emulator.native_history() >= HOT + CHUNK {
            if done >= max_rows {
                return true;
            }
            done += self.compact_chunk();
        }
        self.cold.forget_cache();
        if std::mem::take(&mut self.loose) {
            self.emulator.release_spare();
        }
        false
    }

    /// How often the emulator panicked on what the child printed and was started anew with an empty
    /// screen: a defect worth a line in the log.
    #[must_use]
    pub fn restarts(&self) -> u32 {
        self.restarts
    }

    /// Bytes the uncompressed rows take, roughly: what a budget over all terminals adds up.
    #[must_use]
    pub fn hot_bytes(&self) -> usize {
        let rows = self.emulator.native_history() + usize::from(self.options.size.rows);
        rows * usize::from(self.options.size.cols) * size_of::<TermCell>()
    }

    #[cfg(test)]
    pub(crate) fn cursor_point(&self) -> (i32, usize) {
        let point = self.emulator.grid().cursor.point;
        (point.line.0, point.column.0)
    }

    // Output.

    fn parse(&mut self, bytes: &[u8]) {
        let mut rest = self.complete_held(bytes);
        while !rest.is_empty() {
            let (used, found) = self.tap.scan(rest);
            let (mut now, after) = rest.split_at(used);
            rest = after;
            if found.is_none() && self.tap.in_ground() {
                now = self.held.take_tail(now);
            }
            self.emulator.feed(now);
            match found {
                None | Some(Found::SyncEnd) => {}
                Some(Found::Osc) => self.osc(),
                Some(Found::Version) => {
                    let identity = &self.options.identity;
                    let name = osc::clean(&format!("{} {}", identity.name, identity.version), 64);
                    self.emulator.reply(format!("\x1bP>|{name}\x1b\\").as_bytes());
                }
                Some(Found::UnitId) => self.emulator.reply(b"\x1bP!|00000000\x1b\\"),
                Some(Found::ColorScheme) => {
                    self.emulator.reply(color_scheme(self.options.palette).as_bytes());
                }
                Some(Found::TooLong) => self.emulator.feed(b"\x18"),
                Some(Found::Repeat) => {
                    self.emulator.feed(b"\x18");
                    self.emulator.feed(tap::REPEAT);
                    rest = rest.get(1..).unwrap_or_default();
                }
            }
        }
    }

    /// An OSC that the emulator does not know has ended.
    fn osc(&mut self) {
        let osc = self.tap.osc();
        if osc::clears_status(osc) {
            self.status = None;
        }
        if let Some(event) = self.reader.read(osc, self.options.hostname.as_deref()) {
            if let Event::Status(status) = &event {
                self.status = Some(status.clone());
            }
            self.emulator.event(event);
        }
    }

    /// Adds what is missing to a character that was cut by the end of the last call.
    fn complete_held<'a>(&mut self, mut bytes: &'a [u8]) -> &'a [u8] {
        while self.held.len > 0 {
            let Some((&byte, rest)) = bytes.split_first() else { break };
            let goes_on = byte & 0xc0 == 0x80;
            if goes_on {
                self.held.bytes[self.held.len] = byte;
                self.held.len += 1;
                bytes = rest;
            }
            if !goes_on || !is_cut(&self.held.bytes[..self.held.len]) {
                self.emulator.feed(&self.held.bytes[..self.held.len]);
                self.held.len = 0;
            }
        }
        bytes
    }

    /// Runs something that goes through the emulator. Should the emulator ever panic on what a child
    /// printed, this terminal starts anew with an empty screen, and nothing else notices.
    fn guarded(&mut self, run: impl FnOnce(&mut Self)) {
        if catch_unwind(AssertUnwindSafe(|| run(&mut *self))).is_err() {
            let Options { size, scrollback, palette, .. } = self.options;
            let shed = self.emulator.base() + u64::from(size.rows);
            self.restarts += 1;
            self.emulator = Emulator::new(size, scrollback, palette);
            self.emulator.state.shed = shed;
            self.tap = Tap::default();
            self.held = Held::default();
            self.cold.clear();
            self.top = None;
            self.clear_selection();
        }
    }

    /// Draws the conclusions from whatever the emulator did.
    fn settle(&mut self) {
        self.version += 1;
        let state = &mut self.emulator.state;
        let dropped = std::mem::take(&mut state.dropped);
        let wiped = std::mem::take(&mut state.wiped);
        let swapped = std::mem::take(&mut state.swapped);
        if dropped || wiped {
            self.cold.clear();
        }
        if wiped || swapped {
            self.top = None;
            self.clear_selection();
        }
        if !self.emulator.is_alt() {
            let native = self.emulator.native_history();
            self.cold.shorten(self.options.scrollback.saturating_sub(native));
        }
        if self.top.is_some() && self.offset() == 0 {
            self.top = None;
        }
        self.check_selection();
    }

    fn deliver(&mut self, out: &mut Outbox) {
        let Self { emulator, title, directory, progress, .. } = self;
        emulator.deliver(out, |event| match event {
            Event::Title(new) => title.clone_from(new),
            Event::Directory(new) => *directory = Some(new.clone()),
            Event::Progress(new) => *progress = *new,
            _ => {}
        });
    }

    // Rows.

    /// Rows of history that can be read.
    fn history(&self) -> usize {
        if self.emulator.is_alt() {
            return 0;
        }
        (self.emulator.native_history() + self.cold.len()).min(self.options.scrollback)
    }

    /// The number of the oldest row that can be read.
    fn oldest(&self) -> u64 {
        self.emulator.base() - self.history() as u64
    }

    /// Rows between the viewport's bottom and the screen's.
    fn offset(&self) -> usize {
        let base = self.emulator.base();
        self.top.map_or(0, |top| base.saturating_sub(top.max(self.oldest())) as usize)
    }

    /// Reads a row by its number; `false`, and an empty row, when it is not there.
    fn fetch(&mut self, number: u64, out: &mut Row) -> bool {
        let base = self.emulator.base();
        let native = self.emulator.native_history() as u64;
        let line = number as i64 - base as i64;
        if line >= i64::from(self.options.size.rows) || number < self.oldest() {
            *out = Row::default();
            return false;
        }
        if number >= base - native {
            pack(&self.emulator.grid()[Line(line as i32)], out);
            return true;
        }
        self.wrap_cold();
        match self.cold.row((base - native - 1 - number) as usize) {
            Some(row) => out.clone_from(row),
            None => *out = Row::default(),
        }
        true
    }

    /// Brings the cold rows to the terminal's width, which is put off until somebody reads them.
    fn wrap_cold(&mut self) {
        let cols = self.options.size.cols;
        if self.cold.cols().is_some_and(|old| old != cols) {
            let _ = self.cold.rewrap(cols, 0);
        }
    }

    /// Packs the viewport, keeps what differs from what the client has.
    fn changed_rows(&mut self, view: &mut View, full: bool, offset: usize) -> Vec<(u16, Row)> {
        let size = self.options.size;
        let range = self.selected_range();
        let top = self.emulator.base() - offset as u64;
        let mut changed = Vec::new();
        if full {
            changed.reserve(usize::from(size.rows));
        }
        let mut row = std::mem::take(&mut view.scratch);
        for index in 0..size.rows {
            let number = top + u64::from(index);
            let _ = self.fetch(number, &mut row);
            if let Some((from, to)) = range.and_then(|range| range.columns(number, size.cols)) {
                select::mark(&mut row, from, to, size.cols);
            }
            let seen = &mut view.rows[usize::from(index)];
            if full || *seen != row {
                std::mem::swap(seen, &mut row);
                changed.push((index, seen.clone()));
            }
        }
        view.scratch = row;
        changed
    }

    /// The cursor in a viewport that is `offset` rows up.
    fn cursor(&self, offset: usize) -> Option<Cursor> {
        let grid = self.emulator.grid();
        let point = grid.cursor.point;
        let row = usize::try_from(point.line.0).ok()? + offset;
        let style = self.emulator.term.cursor_style();
        let shape = match style.shape {
            TermCursorShape::Hidden => return None,
            TermCursorShape::Block | TermCursorShape::HollowBlock => CursorShape::Block,
            TermCursorShape::Underline => CursorShape::Underline,
            TermCursorShape::Beam => CursorShape::Beam,
        };
        let hidden = !self.emulator.mode().contains(TermMode::SHOW_CURSOR);
        if hidden || row >= usize::from(self.options.size.rows) {
            return None;
        }
        let cell = &grid[point.line][point.column.min(Column(grid.columns() - 1))];
        let half = cell.flags.contains(Flags::WIDE_CHAR_SPACER);
        let col = point.column.0.saturating_sub(usize::from(half));
        Some(Cursor { row: row as u16, col: col as u16, shape, blinking: style.blinking })
    }

    fn color_overrides(&self) -> Vec<ColorOverride> {
        let colors = self.emulator.term.colors();
        (0..=OVERRIDE_CURSOR)
            .filter_map(|index| colors[usize::from(index)].map(|c| (index, [c.r, c.g, c.b])))
            .collect()
    }

    // Scrolling.

    fn scroll_to(&mut self, to: ScrollTo) {
        self.wrap_cold();
        let (offset, history) = (self.offset() as i64, self.history() as i64);
        let rows = i64::from(self.options.size.rows);
        let wanted = match to {
            ScrollTo::Lines(lines) => offset + i64::from(lines),
            ScrollTo::Pages(pages) => offset + i64::from(pages) * rows,
            ScrollTo::Top => history,
            ScrollTo::Bottom => 0,
            ScrollTo::Offset(offset) => i64::from(offset),
        };
        self.set_offset(wanted.clamp(0, history));
    }

    fn set_offset(&mut self, offset: i64) {
        let top = self.emulator.base() - offset as u64;
        let top = (offset > 0).then_some(top);
        if self.top != top {
            self.top = top;
            self.version += 1;
        }
        if top.is_none() {
            self.cold.forget_cache();
        }
    }

    /// Resizes with another width while the viewport is up in the history, and finds its text again.
    fn reflow_at(&mut self, size: Size, offset: usize) {
        let native = self.emulator.native_history();
        if offset <= native {
            // Upstream would keep the viewport's last row in place; a reader's eye is at its first.
            let place = ReadingPlace::of(self.emulator.grid(), offset);
            self.emulator.resize(size);
            self.set_offset(place.find(self.emulator.grid()));
        } else {
            self.emulator.resize(size);
            let above = self.cold.rewrap(size.cols, offset - native - 1);
            let offset = (self.emulator.native_history() + above + 1).min(self.history());
            self.set_offset(offset as i64);
        }
    }

    fn compact_chunk(&mut self) -> usize {
        self.wrap_cold();
        let native = self.emulator.native_history();
        let most = (native - HOT).min(2 * CHUNK);
        let grid = self.emulator.grid();
        let mut rows: Vec<Row> = Vec::with_capacity(CHUNK);
        // A line that wraps is not cut unless it is longer than a chunk, so that it can be wrapped anew.
        while rows.len() < CHUNK.min(most)
            || rows.len() < most && rows.last().is_some_and(|row| row.wrapped)
        {
            let mut row = Row::default();
            pack(&grid[Line(rows.len() as i32 - native as i32)], &mut row);
            rows.push(row);
        }
        self.cold.push(&rows, self.options.size.cols);
        self.emulator.shed(rows.len());
        rows.len()
    }

    // Input.

    /// Sends what the user typed; the viewport goes where it will be seen.
    fn typed(&mut self, bytes: &[u8], out: &mut Outbox) {
        if bytes.is_empty() {
            return;
        }
        send(out, bytes);
        self.set_offset(0);
        self.clear_selection();
    }

    fn mouse(&mut self, mouse: &Mouse, mode: TermMode, out: &mut Outbox) {
        let wanted = mode.intersects(TermMode::MOUSE_MODE);
        match mouse.kind {
            // Shift keeps the mouse for the user.
            MouseKind::Wheel { lines, .. } if !wanted || mouse.mods.shift => {
                let full_screen = TermMode::ALT_SCREEN | TermMode::ALTERNATE_SCROLL;
                if mode.contains(full_screen) && !mouse.mods.shift {
                    send(out, &pointer::alternate_scroll(lines, mode));
                } else {
                    self.scroll_to(ScrollTo::Lines(i32::from(lines)));
                }
            }
            _ if wanted && self.offset() == 0 => {
                let last = self.options.size;
                let inside = Mouse {
                    row: mouse.row.min(last.rows - 1),
                    col: mouse.col.min(last.cols - 1),
                    ..*mouse
                };
                send(out, &pointer::encode(&inside, mode, &mut self.mouse_cell));
            }
            MouseKind::Wheel { lines, .. } => self.scroll_to(ScrollTo::Lines(i32::from(lines))),
            _ => {}
        }
    }

    // Selection.

    fn select(&mut self, select: Select) {
        let size = self.options.size;
        match select {
            Select::Start { row, col, right_half, by } => {
                let place = self.place(i32::from(row), col, right_half);
                self.set_selection(Some(Selection { anchor: place, head: place, by }));
            }
            Select::Update { row, col, right_half } => {
                let last = i32::from(size.rows) - 1;
                if row < 0 {
                    self.scroll_to(ScrollTo::Lines(row.saturating_neg()));
                } else if row > last {
                    self.scroll_to(ScrollTo::Lines(last - row));
                }
                if let Some(selection) = self.selection {
                    let head = self.place(row, col, right_half);
                    self.set_selection(Some(Selection { head, ..selection }));
                }
            }
            Select::All => {
                self.wrap_cold();
                let last = self.emulator.base() + u64::from(size.rows) - 1;
                self.set_selection(Some(Selection {
                    anchor: Place { row: self.oldest(), col: 0, right: false },
                    head: Place { row: last, col: size.cols - 1, right: true },
                    by: SelectBy::Cell,
                }));
            }
            Select::Clear => self.clear_selection(),
        }
    }

    /// A place in the viewport, brought into it.
    fn place(&self, row: i32, col: u16, right: bool) -> Place {
        let size = self.options.size;
        let row = row.clamp(0, i32::from(size.rows) - 1) as u64;
        let top = self.emulator.base() - self.offset() as u64;
        let beyond = col >= size.cols;
        Place { row: top + row, col: col.min(size.cols - 1), right: right || beyond }
    }

    fn clear_selection(&mut self) {
        self.set_selection(None);
    }

    fn set_selection(&mut self, selection: Option<Selection>) {
        if self.selection != selection {
            self.selection = selection;
            self.version += 1;
        }
        self.selected = None;
        self.selected = self.look_at_selected();
    }

    /// A child that changes selected text takes the selection away: what is copied is what was seen.
    fn check_selection(&mut self) {
        if self.selection.is_none() {
            return;
        }
        let gone = self.selected_range().is_some_and(|range| range.last.0 < self.oldest());
        let same =
            self.selected.is_none_or(|seen| self.hash_selected(seen.from, seen.to) == seen.hash);
        if gone || !same {
            self.clear_selection();
        } else {
            self.selected = self.look_at_selected();
        }
    }

    /// The part of the selection that is on the screen, where a child can change it.
    fn look_at_selected(&mut self) -> Option<Selected> {
        let range = self.selected_range()?;
        let from = range.first.0.max(self.emulator.base());
        let to = range.last.0;
        (from <= to).then(|| Selected { from, to, hash: self.hash_selected(from, to) })
    }

    fn hash_selected(&mut self, from: u64, to: u64) -> u64 {
        let mut hasher = DefaultHasher::new();
        let Some(range) = self.selected_range() else { return 0 };
        let cols = self.options.size.cols;
        let mut row = std::mem::take(&mut self.scratch);
        for number in from..=to {
            let found = self.fetch(number, &mut row);
            if let Some((from, to)) = range.columns(number, cols).filter(|_| found) {
                select::text(&row, from, to, cols).hash(&mut hasher);
            }
        }
        self.scratch = row;
        hasher.finish()
    }

    /// The selected cells, words and lines whole.
    fn selected_range(&mut self) -> Option<Range> {
        let selection = self.selection?;
        let range = selection.raw(self.options.size.cols)?;
        Some(match selection.by {
            SelectBy::Cell | SelectBy::Block => range,
            SelectBy::Word => Range {
                first: self.word_end(range.first, true),
                last: self.word_end(range.last, false),
                ..range
            },
            SelectBy::Line => Range {
                first: (self.line_end(range.first.0, true), 0),
                last: (self.line_end(range.last.0, false), self.options.size.cols - 1),
                ..range
            },
        })
    }

    /// The first or last row of the line a row belongs to.
    fn line_end(&mut self, mut row: u64, backwards: bool) -> u64 {
        for _ in 0..WORD_ROWS {
            let wraps = if backwards {
                row.checked_sub(1).is_some_and(|above| self.wraps(above))
            } else {
                self.wraps(row)
            };
            if !wraps {
                break;
            }
            row = if backwards { row - 1 } else { row + 1 };
        }
        row
    }

    fn wraps(&mut self, row: u64) -> bool {
        let mut scratch = Row::default();
        self.fetch(row, &mut scratch) && scratch.wrapped
    }

    /// The first or last cell of the word a cell belongs to.
    fn word_end(&mut self, from: (u64, u16), backwards: bool) -> (u64, u16) {
        let cols = self.options.size.cols;
        let mut row = Row::default();
        if !self.fetch(from.0, &mut row) {
            return from;
        }
        let class = select::class(&row, from.1);
        if class == Class::Separator {
            return from;
        }
        let (mut number, mut col) = from;
        loop {
            let edge = if backwards { col == 0 } else { col + 1 == cols };
            let (next_number, next_col) = match (edge, backwards) {
                (false, true) => (number, col - 1),
                (false, false) => (number, col + 1),
                (true, true) => match number.checked_sub(1) {
                    Some(above) if self.wraps(above) => (above, cols - 1),
                    _ => break,
                },
                (true, false) if row.wrapped => (number + 1, 0),
                (true, false) => break,
            };
            if next_number.abs_diff(from.0) > WORD_ROWS {
                break;
            }
            if next_number != number && !self.fetch(next_number, &mut row) {
                break;
            }
            if select::class(&row, next_col) != class {
                break;
            }
            (number, col) = (next_number, next_col);
        }
        (number, col)
    }

    /// A column brought to the first half of a wide character.
    fn whole(&self, row: &Row, col: u16) -> u16 {
        let at = usize::from(col);
        let half =
            row.cells.get(at).is_some_and(|cell| cell.has(maestro_core::screen::flags::SPACER));
        col - u16::from(half && col > 0)
    }
}

/// A row as people find it again after lines were wrapped anew: so many lines above the cursor's, so many
/// cells into its line.
#[derive(Debug, Clone, Copy)]
struct ReadingPlace {
    lines: usize,
    cells: usize,
}

impl ReadingPlace {
    fn of(grid: &Grid<TermCell>, offset: usize) -> Self {
        let top = -(offset as i32);
        let cursor = grid.cursor.point.line.0;
        let lines = (top..cursor).filter(|line| !wraps(grid, *line)).count();
        let first = grid.topmost_line().0;
        let before = (first..top).rev().take_while(|line| wraps(grid, *line)).count();
        Self { lines, cells: before * grid.columns() }
    }

    /// The offset at which the row is the viewport's first.
    fn find(self, grid: &Grid<TermCell>) -> i64 {
        let first = grid.topmost_line().0;
        let mut line = grid.cursor.point.line.0;
        let mut lines = 0;
        while line > first {
            if !wraps(grid, line - 1) {
                if lines == self.lines {
                    break;
                }
                lines += 1;
            }
            line -= 1;
        }
        for _ in 0..self.cells / grid.columns() {
            if line >= 0 || !wraps(grid, line) {
                break;
            }
            line += 1;
        }
        i64::from(-line).max(0)
    }
}

/// Whether a line of the emulator goes on in the next one.
fn wraps(grid: &Grid<TermCell>, line: i32) -> bool {
    grid[Line(line)][Column(grid.columns() - 1)].flags.contains(Flags::WRAPLINE)
}

impl Held {
    /// Keeps a character that is cut by the end, returns what is before it.
    fn take_tail<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        for len in 1..=bytes.len().min(3) {
            let (before, tail) = bytes.split_at(bytes.len() - len);
            match tail[0] {
                0x80..=0xbf => {}
                0xc2..=0xf4 if is_cut(tail) => {
                    self.bytes[..len].copy_from_slice(tail);
                    self.len = len;
                    return before;
                }
                _ => break,
            }
        }
        bytes
    }
}

/// Whether these bytes begin a character and do not end it.
fn is_cut(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes)
        .is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
}

/// What the user typed is never left out for its size.
fn send(out: &mut Outbox, bytes: &[u8]) {
    out.replies.extend_from_slice(bytes);
}

fn color_scheme(palette: Palette) -> String {
    format!("\x1b[?997;{}n", if palette.dark { 1 } else { 2 })
}

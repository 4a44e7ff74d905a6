//! The emulator with everything around it: the tap before it, the cold rows behind it, the viewport and
//! the selection over both.

mod exporting;
mod marking;
mod output;
mod rows;
mod searching;
mod selecting;
mod vi;

use std::path::PathBuf;
use std::time::Instant;

use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::index::Column;
use alacritty_terminal::term::TermMode;
use alacritty_terminal::term::cell::{Cell as TermCell, Flags};
use alacritty_terminal::vte::ansi::CursorShape as TermCursorShape;
use maestro_core::input::{Action, Input, Key, Mods, Mouse, MouseKind, ScrollTo};
use maestro_core::screen::{
    ColorOverride, Cursor, CursorShape, Frame, Modes, OVERRIDE_CURSOR, Row, Scroll, Size, flags,
};

pub use self::exporting::Memory;
use self::output::{Held, Shell};
use self::selecting::Selected;
use self::vi::Vi;
use crate::emulator::{Emulator, Encoding, Protocol};
use crate::event::{Outbox, Progress, Status};
use crate::marks::Marks;
use crate::options::{Options, Palette};
use crate::osc;
use crate::search::Finder;
use crate::select::{self, Selection};
use crate::tap::Tap;
use crate::view::View;
use crate::{keys, paste, pointer};

/// Rows of history that stay in the emulator when a terminal is compacted: enough for a few pages back,
/// few enough that twenty terminals fit the memory budget.
const HOT: usize = 128;

/// The fewest rows that are compressed at once: with fewer, a chunk is not worth it, with more, rows wait
/// that take a hundred times as much memory as they will.
const LEAST: usize = 64;

/// The most keys held at once that are remembered; nobody has more fingers.
const MOST_PRESSED: usize = 32;

/// A terminal without its PTY. Owned by one place at a time; may move between threads.
#[derive(Debug)]
pub struct Terminal {
    options: Options,
    emulator: Emulator,
    tap: Tap,
    reader: osc::Reader,
    held: Held,
    marks: Marks,
    /// The number of the viewport's first row while it does not follow the output.
    top: Option<u64>,
    /// The number of the screen's first row when the viewport left the bottom.
    seen: u64,
    vi: Option<Vi>,
    selection: Option<Selection>,
    /// What the selected part of the screen read when last looked at.
    selected: Option<Selected>,
    finder: Option<Finder>,
    title: Option<String>,
    directory: Option<PathBuf>,
    progress: Progress,
    status: Option<Status>,
    focused: Option<bool>,
    /// Keys that are down, as far as the child was told of them and wants to hear the rest.
    pressed: Vec<Key>,
    mouse_cell: Option<(u32, u32)>,
    shell: Shell,
    /// Raised by whatever may change a frame.
    version: u64,
    restarts: u32,
    /// Output came since the emulator last gave spare rows back.
    loose: bool,
    /// Raised by whatever may change rows.
    changes: u64,
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

impl Terminal {
    /// An empty screen.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let options = Options { size: options.size.clamped(), ..options };
        Self {
            emulator: Emulator::new(
                options.size,
                options.scrollback,
                options.palette,
                options.budget.clone(),
            ),
            options,
            tap: Tap::default(),
            reader: osc::Reader::default(),
            held: Held::default(),
            marks: Marks::default(),
            top: None,
            seen: 0,
            vi: None,
            selection: None,
            selected: None,
            finder: None,
            title: None,
            directory: None,
            progress: Progress::None,
            status: None,
            focused: None,
            pressed: Vec::new(),
            mouse_cell: None,
            shell: Shell::default(),
            version: 1,
            restarts: 0,
            loose: false,
            changes: 1,
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
        let before = self.options.size;
        if before == size {
            return;
        }
        if size.cols < before.cols / 2 {
            // Many rows would become very many; as cold ones they are wrapped when somebody reads them.
            self.compress_history();
        }
        self.options.size = size;
        let unseen = self.scroll().unseen;
        self.guarded(|terminal| {
            if before.cols == size.cols {
                terminal.emulator.resize(size);
            } else {
                terminal.reflow(size);
            }
        });
        self.seen = self.emulator.base().saturating_sub(u64::from(unseen));
        self.mouse_cell = None;
        // Not the child's doing: what is selected reads otherwise, row by row, and stays.
        self.selected = None;
        // More rows on the screen, or more of them after wrapping, leave spare ones behind.
        self.loose = true;
        self.settle();
        self.show_vi();
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
                self.hold(key);
                let bytes = keys::encode(key, &self.key_rules());
                if key.code.is_modifier() || key.action == Action::Release {
                    send(out, &bytes);
                } else {
                    self.typed(&bytes, out);
                }
            }
            Input::Text(text) => self.typed(&keys::text(text, mode), out),
            Input::Paste(text) => {
                let bracketed = mode.contains(TermMode::BRACKETED_PASTE);
                self.typed(&paste::encode(text, bracketed), out);
            }
            Input::Mouse(mouse) => self.mouse(mouse, mode, out),
            Input::Focus(focused) => {
                if !focused {
                    self.release_held(out);
                }
                let news = self.focused.replace(*focused) != Some(*focused);
                if news && mode.contains(TermMode::FOCUS_IN_OUT) {
                    send(out, if *focused { b"\x1b[I" } else { b"\x1b[O" });
                }
            }
            Input::Resize(size) => {
                self.resize(*size);
                // A child may have asked to be told.
                self.deliver(out);
            }
            Input::Scroll(to) => self.scroll_to(*to),
            Input::Select(select) => {
                self.wrap_view(0, 0);
                self.select(*select);
            }
            Input::Vi(vi) => {
                self.wrap_view(0, 0);
                self.vi(*vi);
            }
        }
        self.update_parked();
    }

    /// Begins a paste that its owner streams: the encoder makes its bytes piece by piece, with or without
    /// brackets as the child wants them now. The viewport goes where the text will be seen, except in vi
    /// mode.
    pub fn begin_paste(&mut self) -> paste::Encoder {
        self.show_typed();
        paste::Encoder::new(self.emulator.mode().contains(TermMode::BRACKETED_PASTE))
    }

    /// Brings every mode a child can set back to what a new terminal has, as far as the child's next reader
    /// is concerned. What the screen shows stays.
    pub fn reset_modes(&mut self, out: &mut Outbox) {
        self.guarded(Self::reset_all_modes);
        self.settle();
        self.deliver(out);
    }

    /// The selected text: trailing blanks trimmed, wrapped lines joined. `None` for an empty selection.
    pub fn selection_text(&mut self) -> Option<String> {
        let mut text = String::new();
        let rest = self.selection_slice(None, usize::MAX, &mut text);
        debug_assert!(rest.is_none());
        Some(text).filter(|text| !text.is_empty())
    }

    /// What changed since the client's last frame, or everything if it has none of this size; `None`
    /// when nothing did. `input_seq` and `flooding` are 0 and false: the caller, who knows, sets them.
    pub fn frame(&mut self, view: &mut View) -> Option<Frame> {
        self.wrap_view(0, 0);
        let size = self.options.size;
        let full = view.size != Some(size);
        // How many rows there are above changes by itself when old ones get the width of now.
        if !full && view.version == self.version && view.scroll == self.scroll() {
            return None;
        }
        view.version = self.version;
        if full {
            view.rows.clear();
            view.rows.resize_with(usize::from(size.rows), Row::default);
        }
        let offset = self.offset();
        let rows = self.changed_rows(view, full, offset);
        let cursor = self.shown_cursor(offset);
        let modes = self.modes();
        let scroll = self.scroll();
        let colors = self.color_overrides();
        let pointer = self.emulator.pointer();
        let same = rows.is_empty()
            && (cursor, modes, scroll) == (view.cursor, view.modes, view.scroll)
            && colors == view.colors
            && pointer == view.pointer;
        if !full && same {
            return None;
        }
        view.size = Some(size);
        view.generation += 1;
        view.cursor = cursor;
        view.modes = modes;
        view.scroll = scroll;
        view.colors.clone_from(&colors);
        view.pointer = pointer;
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
            pointer,
            flooding: false,
            input_seq: 0,
        })
    }

    /// The screen for reading, with the history above it when asked for.
    pub fn screen(&mut self, history: bool) -> Contents {
        if history {
            self.wrap_cold(0);
        }
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
        self.emulator.state.cold.forget_cache();
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
        if news && self.emulator.own().scheme_updates {
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
            mouse: self.emulator.mouse() != Protocol::None,
            mouse_motion: mode.contains(TermMode::MOUSE_MOTION),
            bracketed_paste: mode.contains(TermMode::BRACKETED_PASTE),
            kitty_keyboard: mode.intersects(TermMode::KITTY_KEYBOARD_PROTOCOL),
            mouse_pixels: self.emulator.own().encoding == Encoding::Pixels,
            key_releases: mode.contains(TermMode::REPORT_EVENT_TYPES),
            focus_events: mode.contains(TermMode::FOCUS_IN_OUT),
            vi: self.vi.is_some(),
        }
    }

    /// Where the viewport is.
    #[must_use]
    pub fn scroll(&self) -> Scroll {
        let base = self.emulator.base();
        let unseen = self.top.map_or(0, |_| base.saturating_sub(self.seen));
        Scroll {
            offset: self.offset() as u32,
            history: self.history() as u32,
            unseen: u32::try_from(unseen).unwrap_or(u32::MAX),
        }
    }

    /// Moves up to about `max_rows` rows of history into the compressed store; `true` when there is more
    /// to do. Meant for a quiet terminal, in slices: about half a microsecond a row.
    pub fn compact(&mut self, max_rows: usize) -> bool {
        // The main screen's rows lie behind the alternate one while that is shown.
        let fresh = self.emulator.state.cold.is_fresh();
        if self.emulator.main_history() < HOT + LEAST && !self.loose && fresh {
            return false;
        }
        let hidden = self.emulator.show_main();
        let more = self.compact_main(max_rows);
        self.emulator.hide_main(hidden);
        self.update_parked();
        more
    }

    /// Moves all history that can be into the compressed store, and leaves what is there alone.
    fn compress_history(&mut self) {
        let hidden = self.emulator.show_main();
        let _ = self.compress_rows(usize::MAX);
        self.emulator.hide_main(hidden);
    }

    /// Compresses about so many rows; returns how many are left to be.
    fn compress_rows(&mut self, max_rows: usize) -> usize {
        let mut left = max_rows;
        while left > 0 && self.emulator.native_history() >= HOT + LEAST {
            match self.emulator.compact_chunk(HOT) {
                0 => break,
                rows => left = left.saturating_sub(rows),
            }
        }
        self.settle_cold(false);
        left
    }

    fn compact_main(&mut self, max_rows: usize) -> bool {
        let left = self.compress_rows(max_rows);
        self.emulator.state.cold.forget_cache();
        if left == 0 || self.with_points(|cold, points| cold.wrap_some(left, points)) {
            return true;
        }
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

    /// Bytes the uncompressed rows take, roughly, with the marks and links of their cells: what a budget
    /// over all terminals adds up.
    #[must_use]
    pub fn hot_bytes(&self) -> usize {
        let rows = self.emulator.main_history() + usize::from(self.options.size.rows);
        let cells = rows * usize::from(self.options.size.cols) * size_of::<TermCell>();
        cells + self.emulator.extra_bytes()
    }

    #[cfg(test)]
    pub(crate) fn cursor_cell(&self) -> (i32, usize) {
        let point = self.emulator.grid().cursor.point;
        (point.line.0, point.column.0)
    }

    // Frames.

    /// Packs the viewport, keeps what differs from what the client has.
    fn changed_rows(&mut self, view: &mut View, full: bool, offset: usize) -> Vec<(u16, Row)> {
        let size = self.options.size;
        let range = self.selected_range();
        let top = self.emulator.base() - offset as u64;
        let matches = self.visible_matches(top);
        let mut changed = Vec::new();
        if full {
            changed.reserve(usize::from(size.rows));
        }
        let mut row = std::mem::take(&mut view.scratch);
        for index in 0..size.rows {
            let number = top + u64::from(index);
            let _ = self.fetch(number, &mut row);
            let found = matches.partition_point(|found| found.row < number);
            for found in matches[found..].iter().take_while(|found| found.row == number) {
                select::mark(&mut row, found.from, found.to, size.cols, found.flags);
            }
            if let Some((from, to)) = range.and_then(|range| range.columns(number, size.cols)) {
                select::mark(&mut row, from, to, size.cols, flags::SELECTED);
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

    // Input.

    /// Sends what the user typed; the viewport goes where it will be seen.
    fn typed(&mut self, bytes: &[u8], out: &mut Outbox) {
        if !bytes.is_empty() {
            send(out, bytes);
            self.show_typed();
        }
    }

    /// Whoever is in vi mode reads, and typed nothing: it came from elsewhere.
    fn show_typed(&mut self) {
        if self.vi.is_none() {
            self.set_offset(0);
            self.clear_selection();
        }
    }

    /// Remembers a key that is down, for a child that wants to hear of its release.
    fn hold(&mut self, key: &Key) {
        if key.action == Action::Release {
            self.pressed.retain(|pressed| pressed.code != key.code);
        } else if self.emulator.mode().contains(TermMode::REPORT_EVENT_TYPES)
            && self.pressed.len() < MOST_PRESSED
            && !self.pressed.iter().any(|pressed| pressed.code == key.code)
        {
            self.pressed.push(key.clone());
        }
    }

    /// Whoever had the keyboard has it no more, and may be gone: the child would wait for these releases
    /// for good.
    fn release_held(&mut self, out: &mut Outbox) {
        for key in std::mem::take(&mut self.pressed) {
            let released =
                Key { action: Action::Release, text: String::new(), mods: Mods::default(), ..key };
            send(out, &keys::encode(&released, &self.key_rules()));
        }
    }

    fn key_rules(&self) -> keys::Rules {
        keys::Rules {
            mode: self.emulator.mode(),
            other_keys: self.emulator.own().other_keys,
            shift_enter: self.options.shift_enter,
            alt_is_meta: self.options.alt_is_meta,
        }
    }

    fn mouse(&mut self, mouse: &Mouse, mode: TermMode, out: &mut Outbox) {
        let protocol = self.emulator.mouse();
        let is_wheel = matches!(mouse.kind, MouseKind::Wheel { .. });
        let wanted = protocol != Protocol::None && !(protocol == Protocol::X10 && is_wheel);
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
                    x: mouse.x.min(edge(last.cols, last.cell_width)),
                    y: mouse.y.min(edge(last.rows, last.cell_height)),
                    ..*mouse
                };
                let encoding = self.emulator.own().encoding;
                send(out, &pointer::encode(&inside, protocol, encoding, &mut self.mouse_cell));
            }
            MouseKind::Wheel { lines, .. } => self.scroll_to(ScrollTo::Lines(i32::from(lines))),
            _ => {}
        }
    }
}

/// What the user typed is never left out for its size.
fn send(out: &mut Outbox, bytes: &[u8]) {
    out.replies.extend_from_slice(bytes);
}

/// The last pixel of so many cells; where nobody draws them, no edge is known.
fn edge(cells: u16, size: u16) -> u32 {
    (u32::from(cells) * u32::from(size)).checked_sub(1).unwrap_or(u32::MAX)
}

fn color_scheme(palette: Palette) -> String {
    format!("\x1b[?997;{}n", if palette.dark { 1 } else { 2 })
}

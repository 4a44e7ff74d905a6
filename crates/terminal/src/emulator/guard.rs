//! What the parser talks to: between it and the emulator.

use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::index::{Column, Line};
use alacritty_terminal::term::cell::Flags;
use alacritty_terminal::term::{Term, TermMode};
use alacritty_terminal::vte::ansi::{
    Attr, CharsetIndex, ClearMode, CursorShape, CursorStyle, Handler, Hyperlink, KeyboardModes,
    KeyboardModesApplyBehavior, LineClearMode, Mode, ModifyOtherKeys, NamedPrivateMode,
    PrivateMode, Rgb, StandardCharset, TabulationClearMode,
};
use maestro_core::screen::Size;
use maestro_core::text::{clean, is_harmful};
use unicode_width::UnicodeWidthChar;

use super::{
    Encoding, LOOK_EVERY, Listener, Own, SLACK, Shapes, State, UNLIMITED, extras, kitty_flags, open,
};
use crate::cold::CHUNK;
use crate::event::Event;
use crate::hot;
use crate::osc;
use crate::tap::CLIPBOARD_LIMIT;

/// The most combining marks kept on a cell. Eight is more than any writing system stacks.
const MARKS_LIMIT: usize = 8;

/// The longest link target; longer ones are dropped. What browsers accept at least.
const LINK_LIMIT: usize = 2083;

/// The longest link id; a longer one is dropped, the link stays.
const LINK_ID_LIMIT: usize = 256;

/// The deepest keyboard mode stack. Upstream's own limit of 4 096 panics when it is reached with an
/// empty title stack (0.26: it removes from the wrong stack).
const KEYBOARD_STACK_LIMIT: usize = 32;

/// The deepest title stack; at its limit the oldest title goes.
const TITLE_STACK_LIMIT: usize = 16;

/// Another name of the alternate screen, from before it had a cursor of its own.
const OLD_ALT_SCREEN: u16 = 47;
/// Application keypad, as a private mode.
const KEYPAD: u16 = 66;
/// The alternate screen without its own saved cursor.
const ALT_SCREEN: u16 = 1047;
/// The saved cursor by itself.
const SAVED_CURSOR: u16 = 1048;
/// Presses of mouse buttons alone.
const X10_MOUSE: u16 = 9;
/// The child is told when the colour scheme changes.
const COLOR_SCHEME_UPDATES: u16 = 2031;
/// The child is told every size.
const SIZE_REPORTS: u16 = 2048;

pub(super) struct Guard<'a> {
    pub(super) term: &'a mut Term<Listener>,
    pub(super) state: &'a mut State,
}

impl Guard<'_> {
    /// Removes history beyond its limit once it is `slack` rows beyond. One row more, and upstream would
    /// allocate rows only to free them again.
    #[inline]
    pub(super) fn shorten(&mut self, slack: usize) {
        let history = self.term.grid().history_size();
        let limit = self.state.scrollback.min(hot::MOST);
        if history >= limit.saturating_add(slack) && history > limit {
            self.shorten_to_limit(history);
        }
    }

    #[cold]
    fn shorten_to_limit(&mut self, history: usize) {
        let limit = self.state.scrollback;
        if limit > hot::MOST {
            while self.term.grid().history_size() >= hot::MOST
                && self.compact_chunk(hot::MOST - CHUNK) > 0
            {}
            return;
        }
        self.state.cold.clear();
        self.shed(history - limit);
    }

    /// Rows before a number are gone.
    fn wiped(&mut self, gone: u64) {
        self.state.cold.clear();
        self.state.gone = self.state.gone.max(gone);
        self.state.wiped = true;
    }

    pub(super) fn compact_chunk(&mut self, keep: usize) -> usize {
        let rows = hot::oldest_chunk(self.term.grid(), keep);
        self.state.cold.push(&rows, self.state.size.cols, self.state.shed);
        self.shed(rows.len());
        rows.len()
    }

    /// Removes the oldest rows of the emulator's history.
    pub(super) fn shed(&mut self, count: usize) {
        let grid = self.term.grid_mut();
        let keep = grid.history_size() - count;
        self.state.shed += count as u64;
        grid.update_history(keep);
        grid.update_history(UNLIMITED);
    }

    #[cold]
    fn look(&mut self) {
        self.state.until_look = LOOK_EVERY;
        self.shorten(SLACK);
    }

    pub(super) fn is_alt(&self) -> bool {
        self.term.mode().contains(TermMode::ALT_SCREEN)
    }

    /// Runs something that may wipe the history or show the other screen, and notes it.
    fn watch(&mut self, run: impl FnOnce(&mut Term<Listener>)) {
        let history = self.term.grid().history_size();
        let alt = self.is_alt();
        run(self.term);
        if alt != self.is_alt() {
            self.state.swapped = true;
            if !alt {
                self.state.alt_base = self.state.shed + history as u64;
                self.state.behind = history;
            }
            self.state.extras.forget(true);
        } else if !alt && history > self.term.grid().history_size() {
            self.state.shed += history as u64;
            self.wiped(self.state.shed);
        }
    }

    /// Forgets the rows behind the emulator's when there are no others, which nobody would notice: a screen
    /// that became tall has taken all that upstream had.
    fn wipe_cold(&mut self) {
        if !self.is_alt() && self.state.cold.len() > 0 {
            self.wiped(self.state.shed);
        }
    }

    /// Whether the cells may hold so many bytes more; if so, they are counted.
    fn takes(&mut self, bytes: usize) -> bool {
        let alt = self.is_alt();
        self.state.extras.take(bytes, alt, self.term.grid())
    }

    /// Whether the cell a zero-width character would go to can take one more.
    #[cold]
    fn takes_mark(&mut self) -> bool {
        let grid = self.term.grid();
        let cursor = &grid.cursor;
        let mut column = cursor.point.column.0;
        if !cursor.input_needs_wrap {
            column = column.saturating_sub(1);
        }
        let row = &grid[cursor.point.line];
        if row[Column(column)].flags.contains(Flags::WIDE_CHAR_SPACER) {
            column = column.saturating_sub(1);
        }
        let marks = row[Column(column)].zerowidth().map_or(0, <[char]>::len);
        let bytes = if marks == 0 { extras::TABLE + extras::MARK } else { extras::MARK };
        marks < MARKS_LIMIT && self.takes(bytes)
    }

    /// Whether an attribute makes the cells to come hold a table of their own.
    #[inline]
    fn makes_table(&self, attr: &Attr) -> bool {
        match attr {
            Attr::UnderlineColor(color) => color.is_some() || self.has_table(),
            Attr::Reset => self.has_table(),
            _ => false,
        }
    }

    #[inline]
    fn has_table(&self) -> bool {
        self.term.grid().cursor.template.extra.is_some()
    }

    /// An attribute without the colour of the underline, and without a link.
    #[cold]
    fn without_table(&mut self, attr: Attr) {
        self.term.grid_mut().cursor.template.extra = None;
        if matches!(attr, Attr::Reset) {
            self.term.terminal_attribute(attr);
        }
    }

    pub(super) fn depth(&mut self) -> &mut usize {
        let alt = self.is_alt();
        &mut self.state.keyboard_depth[usize::from(alt)]
    }

    pub(super) fn reply(&self, text: &str) {
        open(&self.state.mailbox).reply(text.as_bytes());
    }

    /// Mode 2048: rows, columns, height and width in pixels.
    pub(super) fn report_size(&self) {
        let Size { cols, rows, .. } = self.state.size;
        let (width, height) = self.pixels();
        self.reply(&format!("\x1b[48;{rows};{cols};{height};{width}t"));
    }

    /// Width and height of the screen in pixels; 0 where nobody draws it.
    fn pixels(&self) -> (u32, u32) {
        let Size { cols, rows, cell_width, cell_height } = self.state.size;
        (u32::from(cols) * u32::from(cell_width), u32::from(rows) * u32::from(cell_height))
    }

    /// The cursor's row and column from 1; in origin mode the row is counted from the margin, which
    /// upstream does not do.
    pub(super) fn place(&self) -> (i32, usize) {
        let point = self.term.grid().cursor.point;
        let origin = self.term.mode().contains(TermMode::ORIGIN);
        let top = self.state.own.margins.map_or(0, |(top, _)| top as i32);
        let line = if origin { (point.line.0 - top).max(0) } else { point.line.0 };
        (line + 1, point.column.0 + 1)
    }

    fn column(&self) -> usize {
        self.term.grid().cursor.point.column.0
    }

    /// Whether rows are counted from the top of the screen and no margin stops the cursor.
    #[inline]
    fn has_plain_rows(&self) -> bool {
        self.state.own.margins.is_none() && !self.term.mode().contains(TermMode::ORIGIN)
    }

    /// Moves the cursor by rows to a column. A margin that it has not passed stops it (VT510, CUU and CUD),
    /// which upstream does not know; nor does it know that rows count from the margin in origin mode.
    fn move_rows(&mut self, rows: i32, column: usize) {
        let last = i32::from(self.state.size.rows) - 1;
        let (top, bottom) = match self.state.own.margins {
            Some((top, bottom)) => (top as i32, bottom as i32 - 1),
            None => (0, last),
        };
        let line = self.term.grid().cursor.point.line.0;
        let first = if line >= top { top } else { 0 };
        let last = if line <= bottom { bottom } else { last };
        let line = line.saturating_add(rows).clamp(first, last.max(first));
        let origin = self.term.mode().contains(TermMode::ORIGIN);
        self.term.goto(if origin { line - top } else { line }, column);
    }

    /// Makes blanks of a wide character whose second half is at a column, because its halves part.
    fn part_wide(&mut self, column: usize) {
        let grid = self.term.grid_mut();
        if column == 0 || column >= grid.columns() {
            return;
        }
        let line = grid.cursor.point.line;
        let row = &mut grid[line];
        if row[Column(column)].flags.contains(Flags::WIDE_CHAR_SPACER) {
            row[Column(column - 1)].clear_wide();
            row[Column(column)].flags.remove(Flags::WIDE_CHAR_SPACER);
        }
    }

    /// Margins as upstream will take them.
    fn note_margins(&mut self, top: usize, bottom: Option<usize>) {
        let rows = usize::from(self.state.size.rows);
        let bottom = bottom.unwrap_or(rows);
        if top < bottom {
            let (top, bottom) = ((top - 1).min(rows), bottom.min(rows));
            self.state.own.margins = Some((top, bottom)).filter(|margins| *margins != (0, rows));
        }
    }

    /// Sets or resets a mode that upstream does not have, or has in another way; `false` where it is to
    /// be asked, too.
    fn own_mode(&mut self, mode: PrivateMode, on: bool) -> bool {
        let number = mode.raw();
        if let Some(encoding) = Encoding::of_mode(number) {
            let own = &mut self.state.own;
            if on {
                own.encoding = encoding;
            } else if own.encoding == encoding {
                own.encoding = Encoding::Plain;
            }
        }
        match number {
            X10_MOUSE => {
                self.state.own.x10_mouse = on;
                if on {
                    for clicks in [
                        NamedPrivateMode::ReportMouseClicks,
                        NamedPrivateMode::ReportCellMouseMotion,
                        NamedPrivateMode::ReportAllMouseMotion,
                    ] {
                        self.term.unset_private_mode(clicks.into());
                    }
                }
                true
            }
            1000 | 1002 | 1003 => {
                self.state.own.x10_mouse = false;
                false
            }
            // Leaving origin mode homes the cursor as entering it does, which upstream leaves out.
            6 if !on => {
                self.term.unset_private_mode(mode);
                self.term.goto(0, 0);
                true
            }
            // 132 columns: upstream keeps the columns and does the rest.
            3 => {
                self.state.own.margins = None;
                false
            }
            OLD_ALT_SCREEN | ALT_SCREEN => {
                self.show_alt(on);
                true
            }
            SAVED_CURSOR if on => {
                self.term.save_cursor_position();
                true
            }
            SAVED_CURSOR => {
                self.term.restore_cursor_position();
                true
            }
            KEYPAD if on => {
                self.term.set_keypad_application_mode();
                true
            }
            KEYPAD => {
                self.term.unset_keypad_application_mode();
                true
            }
            COLOR_SCHEME_UPDATES => {
                self.state.own.scheme_updates = on;
                true
            }
            SIZE_REPORTS => {
                self.state.own.size_reports = on;
                if on {
                    self.report_size();
                }
                true
            }
            _ => false,
        }
    }

    /// The modes 47 and 1047: both screens have one cursor, and each one that was saved there, which
    /// upstream forgets.
    fn show_alt(&mut self, on: bool) {
        if on == self.is_alt() {
            return;
        }
        let mode = PrivateMode::Named(NamedPrivateMode::SwapScreenAndSetRestoreCursor);
        if on {
            self.state.main_saved = Some(Box::new(self.term.grid().saved_cursor.clone()));
            self.watch(|term| term.set_private_mode(mode));
        } else {
            let point = self.term.grid().cursor.point;
            self.watch(|term| term.unset_private_mode(mode));
            let saved = self.state.main_saved.take();
            let grid = self.term.grid_mut();
            grid.cursor.point = point;
            grid.cursor.input_needs_wrap = false;
            if let Some(mut saved) = saved {
                // The screen may have become smaller meanwhile.
                saved.point.line = saved.point.line.min(grid.bottommost_line());
                saved.point.column = saved.point.column.min(grid.last_column());
                grid.saved_cursor = *saved;
            }
        }
    }

    /// Whether a mode is set, where it is one of those that upstream does not answer for.
    fn is_set(&self, mode: u16) -> Option<bool> {
        let own = &self.state.own;
        if let Some(encoding) = Encoding::of_mode(mode) {
            return Some(own.encoding == encoding);
        }
        Some(match mode {
            X10_MOUSE => own.x10_mouse,
            OLD_ALT_SCREEN | ALT_SCREEN => self.is_alt(),
            SAVED_CURSOR => false,
            KEYPAD => self.term.mode().contains(TermMode::APP_KEYPAD),
            COLOR_SCHEME_UPDATES => own.scheme_updates,
            SIZE_REPORTS => own.size_reports,
            _ => return None,
        })
    }
}

/// A number of rows as it can be added and taken away.
fn rows_to_move(rows: usize) -> i32 {
    i32::try_from(rows).unwrap_or(i32::MAX)
}

/// Whether a character may have no width. Asking the tables costs as much as the rest of printing it, so
/// the common blocks without such characters are left out.
#[inline]
fn may_be_mark(c: char) -> bool {
    const SOFT_HYPHEN: u32 = 0xad;
    let code = c as u32;
    code >= SOFT_HYPHEN
        && (code >= 0x300 || code == SOFT_HYPHEN)
        && !matches!(code, 0x2100..=0x2bff | 0x3400..=0x9fff | 0xac00..=0xd7a3)
}

impl Handler for Guard<'_> {
    #[inline]
    fn input(&mut self, c: char) {
        if may_be_mark(c) && c.width() == Some(0) && !self.takes_mark() {
            return;
        }
        self.term.input(c);
        self.state.until_look -= 1;
        if self.state.until_look == 0 {
            self.look();
        }
    }

    #[inline]
    fn linefeed(&mut self) {
        self.term.linefeed();
        if self.term.mode().contains(TermMode::LINE_FEED_NEW_LINE) {
            self.term.carriage_return();
        }
        self.shorten(SLACK);
    }

    #[inline]
    fn newline(&mut self) {
        self.term.newline();
        self.shorten(SLACK);
    }

    fn scroll_up(&mut self, lines: usize) {
        self.term.scroll_up(lines);
        self.shorten(SLACK);
    }

    fn delete_lines(&mut self, lines: usize) {
        self.term.delete_lines(lines);
        self.shorten(SLACK);
    }

    fn clear_screen(&mut self, mode: ClearMode) {
        if matches!(mode, ClearMode::Above) && self.term.grid().cursor.point.line == 1 {
            // Upstream (0.26) forgets the first row when the cursor is in the second.
            self.term.grid_mut().reset_region(..Line(1));
        }
        let saved = matches!(mode, ClearMode::Saved);
        self.watch(|term| term.clear_screen(mode));
        if saved {
            self.wipe_cold();
        }
        self.shorten(SLACK);
    }

    fn reset_state(&mut self) {
        if self.is_alt() {
            self.state.shed = self.state.shed.max(self.state.alt_base);
        }
        self.watch(Term::reset_state);
        // From the alternate screen the main one's history goes unseen.
        self.wiped(u64::MAX);
        self.state.main_saved = None;
        self.state.keyboard_depth = [0; 2];
        self.state.own = Own::default();
        self.state.shapes = Shapes::default();
        self.state.title = None;
        self.state.titles.clear();
        self.state.extras.forget(false);
        self.state.extras.forget(true);
        // The tabs, titles and stacks are gone; the colours are not, as far as upstream goes.
        for index in 0..=258 {
            self.term.reset_color(index);
        }
        open(&self.state.mailbox).event(Event::Title(None));
    }

    fn set_private_mode(&mut self, mode: PrivateMode) {
        if !self.own_mode(mode, true) {
            self.watch(|term| term.set_private_mode(mode));
        }
    }

    fn unset_private_mode(&mut self, mode: PrivateMode) {
        if !self.own_mode(mode, false) {
            self.watch(|term| term.unset_private_mode(mode));
        }
    }

    fn report_private_mode(&mut self, mode: PrivateMode) {
        match self.is_set(mode.raw()) {
            Some(set) => {
                let state = if set { 1 } else { 2 };
                self.reply(&format!("\x1b[?{};{state}$y", mode.raw()));
            }
            None => self.term.report_private_mode(mode),
        }
    }

    fn set_title(&mut self, title: Option<String>) {
        let title = title.map(|title| clean(&title, osc::TITLE_LIMIT));
        self.state.title.clone_from(&title);
        self.term.set_title(title);
    }

    fn push_title(&mut self) {
        if self.state.titles.len() == TITLE_STACK_LIMIT {
            let _ = self.state.titles.pop_front();
        }
        self.state.titles.push_back(self.state.title.clone());
    }

    fn pop_title(&mut self) {
        if let Some(title) = self.state.titles.pop_back() {
            self.state.title.clone_from(&title);
            self.term.set_title(title);
        }
    }

    fn set_hyperlink(&mut self, link: Option<Hyperlink>) {
        let link = link.filter(|link| {
            link.uri.len() <= LINK_LIMIT
                && !link.uri.chars().any(is_harmful)
                && self.takes(extras::TABLE + extras::LINK + link.uri.len())
        });
        let link = link.map(|mut link| {
            link.id = link.id.filter(|id| id.len() <= LINK_ID_LIMIT);
            link
        });
        self.term.set_hyperlink(link);
    }

    fn push_keyboard_mode(&mut self, mode: KeyboardModes) {
        if *self.depth() >= KEYBOARD_STACK_LIMIT {
            // The newest entry gives way: the stack keeps its depth, and what is active is right.
            self.term.pop_keyboard_modes(1);
        } else {
            *self.depth() += 1;
        }
        self.term.push_keyboard_mode(mode);
    }

    fn pop_keyboard_modes(&mut self, count: u16) {
        *self.depth() = self.depth().saturating_sub(usize::from(count));
        self.term.pop_keyboard_modes(count);
    }

    fn report_keyboard_mode(&mut self) {
        // Upstream reports the top of the stack, which is not what `CSI = n u` has set.
        let flags = kitty_flags(*self.term.mode());
        self.reply(&format!("\x1b[?{flags}u"));
    }

    fn set_modify_other_keys(&mut self, mode: ModifyOtherKeys) {
        self.state.own.other_keys = match mode {
            ModifyOtherKeys::Reset => 0,
            ModifyOtherKeys::EnableExceptWellDefined => 1,
            ModifyOtherKeys::EnableAll => 2,
        };
    }

    fn report_modify_other_keys(&mut self) {
        self.reply(&format!("\x1b[>4;{}m", self.state.own.other_keys));
    }

    fn dynamic_color_sequence(&mut self, prefix: String, index: usize, terminator: &str) {
        let changed = self.term.colors()[index].map(|color| [color.r, color.g, color.b]);
        let palette = &self.state.palette;
        let [r, g, b] = changed.unwrap_or_else(|| match index {
            0..=255 => palette.indexed(index as u8),
            257 => palette.background,
            258 => palette.cursor,
            _ => palette.foreground,
        });
        self.reply(&format!(
            "\x1b]{prefix};rgb:{r:02x}{r:02x}/{g:02x}{g:02x}/{b:02x}{b:02x}{terminator}"
        ));
    }

    fn clipboard_store(&mut self, clipboard: u8, base64: &[u8]) {
        // One that was ended for its length is not whole.
        if base64.len() + 16 < CLIPBOARD_LIMIT {
            self.term.clipboard_store(clipboard, base64);
        }
    }

    fn text_area_size_pixels(&mut self) {
        let (width, height) = self.pixels();
        self.reply(&format!("\x1b[4;{height};{width}t"));
    }

    // The rest goes through as it is.

    fn set_cursor_style(&mut self, style: Option<CursorStyle>) {
        self.term.set_cursor_style(style);
    }

    fn set_cursor_shape(&mut self, shape: CursorShape) {
        self.term.set_cursor_shape(shape);
    }

    #[inline]
    fn goto(&mut self, line: i32, col: usize) {
        self.term.goto(line, col);
    }

    #[inline]
    fn goto_line(&mut self, line: i32) {
        self.term.goto_line(line);
    }

    #[inline]
    fn goto_col(&mut self, col: usize) {
        if self.has_plain_rows() {
            self.term.goto_col(col);
        } else {
            self.move_rows(0, col);
        }
    }

    fn insert_blank(&mut self, count: usize) {
        self.term.insert_blank(count);
    }

    fn move_up(&mut self, rows: usize) {
        if self.has_plain_rows() {
            self.term.move_up(rows);
        } else {
            self.move_rows(-rows_to_move(rows), self.column());
        }
    }

    fn move_down(&mut self, rows: usize) {
        if self.has_plain_rows() {
            self.term.move_down(rows);
        } else {
            self.move_rows(rows_to_move(rows), self.column());
        }
    }

    fn identify_terminal(&mut self, intermediate: Option<char>) {
        self.term.identify_terminal(intermediate);
    }

    fn device_status(&mut self, status: usize) {
        if status == 6 {
            let (row, column) = self.place();
            self.reply(&format!("\x1b[{row};{column}R"));
        } else {
            self.term.device_status(status);
        }
    }

    #[inline]
    fn move_forward(&mut self, cols: usize) {
        self.term.move_forward(cols);
    }

    #[inline]
    fn move_backward(&mut self, cols: usize) {
        self.term.move_backward(cols);
    }

    fn move_down_and_cr(&mut self, rows: usize) {
        if self.has_plain_rows() {
            self.term.move_down_and_cr(rows);
        } else {
            self.move_rows(rows_to_move(rows), 0);
        }
    }

    fn move_up_and_cr(&mut self, rows: usize) {
        if self.has_plain_rows() {
            self.term.move_up_and_cr(rows);
        } else {
            self.move_rows(-rows_to_move(rows), 0);
        }
    }

    fn put_tab(&mut self, count: u16) {
        self.term.put_tab(count);
    }

    fn backspace(&mut self) {
        self.term.backspace();
    }

    #[inline]
    fn carriage_return(&mut self) {
        self.term.carriage_return();
    }

    fn bell(&mut self) {
        self.term.bell();
    }

    fn substitute(&mut self) {
        self.term.substitute();
    }

    fn set_horizontal_tabstop(&mut self) {
        self.term.set_horizontal_tabstop();
    }

    fn scroll_down(&mut self, rows: usize) {
        self.term.scroll_down(rows);
    }

    fn insert_blank_lines(&mut self, rows: usize) {
        self.term.insert_blank_lines(rows);
    }

    fn erase_chars(&mut self, count: usize) {
        self.part_wide(self.column());
        self.part_wide(self.column().saturating_add(count));
        self.term.erase_chars(count);
    }

    fn delete_chars(&mut self, count: usize) {
        // Upstream (0.26) deletes to the left, too, when there is not as much to the right.
        let count = count.min(self.term.grid().columns() - self.column());
        self.part_wide(self.column());
        self.part_wide(self.column() + count);
        self.term.delete_chars(count);
    }

    fn move_backward_tabs(&mut self, count: u16) {
        self.term.move_backward_tabs(count);
    }

    fn move_forward_tabs(&mut self, count: u16) {
        self.term.move_forward_tabs(count);
    }

    fn save_cursor_position(&mut self) {
        self.term.save_cursor_position();
    }

    fn restore_cursor_position(&mut self) {
        self.term.restore_cursor_position();
    }

    #[inline]
    fn clear_line(&mut self, mode: LineClearMode) {
        self.term.clear_line(mode);
    }

    fn clear_tabs(&mut self, mode: TabulationClearMode) {
        self.term.clear_tabs(mode);
    }

    fn set_tabs(&mut self, interval: u16) {
        self.term.clear_tabs(TabulationClearMode::All);
        self.in_place(|guard| {
            for column in (0..guard.term.grid().columns()).step_by(usize::from(interval.max(1))) {
                guard.term.grid_mut().cursor.point.column = Column(column);
                guard.term.set_horizontal_tabstop();
            }
        });
    }

    fn reverse_index(&mut self) {
        self.term.reverse_index();
    }

    #[inline]
    fn terminal_attribute(&mut self, attr: Attr) {
        if self.makes_table(&attr) && !self.takes(extras::TABLE) {
            self.without_table(attr);
        } else if attr == Attr::CancelBold {
            // SGR 21, which ECMA-48 and nearly every terminal but the Linux console take for this.
            self.term.terminal_attribute(Attr::DoubleUnderline);
        } else {
            self.term.terminal_attribute(attr);
        }
    }

    fn set_mode(&mut self, mode: Mode) {
        self.term.set_mode(mode);
    }

    fn unset_mode(&mut self, mode: Mode) {
        self.term.unset_mode(mode);
    }

    fn report_mode(&mut self, mode: Mode) {
        self.term.report_mode(mode);
    }

    fn set_scrolling_region(&mut self, top: usize, bottom: Option<usize>) {
        self.note_margins(top, bottom);
        self.term.set_scrolling_region(top, bottom);
    }

    fn set_keypad_application_mode(&mut self) {
        self.term.set_keypad_application_mode();
    }

    fn unset_keypad_application_mode(&mut self) {
        self.term.unset_keypad_application_mode();
    }

    fn set_active_charset(&mut self, index: CharsetIndex) {
        self.term.set_active_charset(index);
    }

    fn configure_charset(&mut self, index: CharsetIndex, charset: StandardCharset) {
        self.term.configure_charset(index, charset);
    }

    fn set_color(&mut self, index: usize, color: Rgb) {
        self.term.set_color(index, color);
    }

    fn reset_color(&mut self, index: usize) {
        self.term.reset_color(index);
    }

    fn clipboard_load(&mut self, clipboard: u8, terminator: &str) {
        self.term.clipboard_load(clipboard, terminator);
    }

    fn decaln(&mut self) {
        self.term.decaln();
    }

    fn text_area_size_chars(&mut self) {
        self.term.text_area_size_chars();
    }

    fn set_keyboard_mode(&mut self, mode: KeyboardModes, behavior: KeyboardModesApplyBehavior) {
        Handler::set_keyboard_mode(self.term, mode, behavior);
    }
}

//! The emulator with everything around it.

use std::path::PathBuf;
use std::time::Instant;

use maestro_core::input::Input;
use maestro_core::screen::{Cursor, Frame, Modes, Row, Scroll, Size};

use crate::event::{Outbox, Progress, Status};
use crate::options::{Options, Palette};
use crate::view::View;

/// A terminal without its PTY. Owned by one place at a time; may move between threads.
#[derive(Debug)]
pub struct Terminal {
    options: Options,
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
        Self { options }
    }

    /// Takes bytes the child printed. Replies and events are added to `out`.
    pub fn advance(&mut self, _bytes: &[u8], _out: &mut Outbox) {}

    /// When a synchronized update that has begun must be shown whether or not its end was printed
    /// (150 ms after its begin). The owner calls [`Self::end_sync`] then.
    #[must_use]
    pub fn sync_deadline(&self) -> Option<Instant> {
        None
    }

    /// Shows what was printed since a synchronized update began.
    pub fn end_sync(&mut self, _out: &mut Outbox) {}

    /// Another size; brought into the allowed range. The owner resizes the PTY.
    pub fn resize(&mut self, size: Size) {
        self.options.size = size.clamped();
    }

    /// The size.
    #[must_use]
    pub fn size(&self) -> Size {
        self.options.size
    }

    /// Something a user did: keys, text, pastes, the mouse and focus become bytes in `out.replies`,
    /// scrolling and selecting happen here.
    pub fn input(&mut self, _input: &Input, _out: &mut Outbox) {}

    /// The selected text: trailing blanks trimmed, wrapped lines joined. `None` for an empty selection.
    pub fn selection_text(&mut self) -> Option<String> {
        None
    }

    /// What changed since the client's last frame, or everything if it has none of this size; `None`
    /// when nothing did. `input_seq` and `flooding` are 0 and false: the caller, who knows, sets them.
    pub fn frame(&mut self, _view: &mut View) -> Option<Frame> {
        None
    }

    /// The screen for reading, with the history above it when asked for.
    pub fn screen(&mut self, _history: bool) -> Contents {
        Contents::default()
    }

    /// The theme's colours. A child that asked to be told (mode 2031) is told when dark and light
    /// change places.
    pub fn set_palette(&mut self, palette: Palette, _out: &mut Outbox) {
        self.options.palette = palette;
    }

    /// What is known besides the screen.
    #[must_use]
    pub fn info(&self) -> Info {
        Info {
            size: self.options.size,
            title: None,
            directory: None,
            progress: Progress::None,
            status: None,
            modes: Modes::default(),
            scroll: Scroll::default(),
        }
    }

    /// Moves up to `max_rows` rows of history into the compressed store; `true` when there is more to
    /// do. Meant for a quiet terminal, in slices: about half a microsecond a row.
    pub fn compact(&mut self, _max_rows: usize) -> bool {
        false
    }

    /// Bytes the uncompressed rows take, roughly: what a budget over all terminals adds up.
    #[must_use]
    pub fn hot_bytes(&self) -> usize {
        0
    }
}

//! What one client has seen of a terminal.

use maestro_core::TerminalId;
use maestro_core::screen::{ColorOverride, Cursor, Modes, Pointer, Row, Scroll, Size};

/// What one client has seen of a terminal: the rows it was sent, so that the next frame holds only
/// those that differ. One for each client and terminal; a new one makes the next frame full.
#[derive(Debug, Clone)]
pub struct View {
    pub(crate) terminal: TerminalId,
    pub(crate) generation: u64,
    /// The terminal's version at the last look; nothing changed while it stays.
    pub(crate) version: u64,
    pub(crate) size: Option<Size>,
    pub(crate) rows: Vec<Row>,
    pub(crate) cursor: Option<Cursor>,
    pub(crate) modes: Modes,
    pub(crate) scroll: Scroll,
    pub(crate) colors: Vec<ColorOverride>,
    pub(crate) pointer: Pointer,
    pub(crate) scratch: Row,
}

impl View {
    /// A client that has seen nothing yet.
    #[must_use]
    pub fn new(terminal: TerminalId) -> Self {
        Self {
            terminal,
            generation: 0,
            version: 0,
            size: None,
            rows: Vec::new(),
            cursor: None,
            modes: Modes::default(),
            scroll: Scroll::default(),
            colors: Vec::new(),
            pointer: Pointer::default(),
            scratch: Row::default(),
        }
    }

    /// Whose screen it shows.
    #[must_use]
    pub fn terminal(&self) -> TerminalId {
        self.terminal
    }

    /// Forgets what was seen: the next frame is full.
    pub fn reset(&mut self) {
        self.size = None;
    }
}

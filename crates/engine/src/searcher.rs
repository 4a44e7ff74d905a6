//! The thread that looks through compressed history for searches: off the terminals' locks and below
//! everybody else who wants the processor.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Weak};

use maestro_terminal::SearchWork;

use crate::session::Session;

/// The way to the thread; it ends when this is dropped. What waits is bounded: a terminal gives out two
/// pieces at a time.
#[derive(Debug)]
pub(crate) struct Searcher {
    work: Sender<Piece>,
}

type Piece = (Weak<Session>, SearchWork);

impl Searcher {
    pub(crate) fn start() -> std::io::Result<Self> {
        let (work, pieces) = mpsc::channel();
        let _detached =
            std::thread::Builder::new().name("search".to_owned()).spawn(move || serve(&pieces))?;
        Ok(Self { work })
    }

    /// Looks through a piece; the terminal gets what was found.
    pub(crate) fn look(&self, session: &Arc<Session>, work: SearchWork) {
        if self.work.send((Arc::downgrade(session), work)).is_err() {
            session.found(None);
        }
    }
}

fn serve(pieces: &Receiver<Piece>) {
    crate::nice::behind_everybody();
    for (session, work) in pieces {
        // Nobody waits for an answer of a terminal that is closed.
        if session.strong_count() == 0 {
            continue;
        }
        let found = catch_unwind(AssertUnwindSafe(|| work.run()));
        if let Some(session) = session.upgrade() {
            if found.is_err() {
                tracing::error!(terminal = %session.id, "a search panicked");
            }
            session.found(found.ok());
        }
    }
}

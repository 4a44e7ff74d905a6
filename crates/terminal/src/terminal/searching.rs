//! The search over screen and history.

use maestro_core::search::{Query, Search};

use super::Terminal;
use crate::search::{Finder, SearchFound, SearchWork};

impl Terminal {
    /// Begins a search, changes what is looked for, or ends it with `None`. What is on the screen is
    /// found at once; the rest by [`Self::search_step`], or by [`Self::search_work`] elsewhere.
    pub fn search(&mut self, query: Option<Query>) {
        self.finder = query.map(Finder::new);
        self.version += 1;
    }

    /// Looks through up to about `rows` more rows; `true` when there is more to do. Needed again after
    /// new output, which is looked through, too.
    pub fn search_step(&mut self, rows: usize) -> bool {
        let _ = rows;
        false
    }

    /// Hands out up to about `rows` compressed rows to be looked through elsewhere, newest first; `None`
    /// when no such rows are left. May be called again before the first answer came, so that several
    /// threads work. Every piece must come back by [`Self::search_found`]; the search is not done before.
    pub fn search_work(&mut self, rows: usize) -> Option<SearchWork> {
        let _ = rows;
        None
    }

    /// Takes what was found elsewhere. Answers to an older search, or about rows that are gone, change
    /// nothing.
    pub fn search_found(&mut self, found: SearchFound) {
        let _ = found;
    }

    /// How far the search is; `None` without one.
    #[must_use]
    pub fn search_state(&self) -> Option<Search> {
        self.finder.as_ref().map(|finder| finder.state.clone())
    }

    /// Goes to the next match towards newer rows (`forward`) or older ones; beyond the last one comes
    /// the first. The viewport goes where the match can be seen.
    pub fn search_move(&mut self, forward: bool) {
        let _ = forward;
    }
}

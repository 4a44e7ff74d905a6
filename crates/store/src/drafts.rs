//! What is being written in tabs and was not sent yet.

use maestro_core::TabId;
use maestro_core::conversation::Prompt;
use rusqlite::OptionalExtension as _;

use crate::error::Error;
use crate::{Result, Store};

impl Store {
    /// Keeps what is being written in a tab. An empty draft is forgotten.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub fn set_draft(&self, tab: TabId, draft: &Prompt) -> Result<()> {
        let id = tab.0.cast_signed();
        if draft.text.is_empty() && draft.images.is_empty() {
            return self.call(move |connection| {
                let forget = "DELETE FROM drafts WHERE tab = ?1";
                let _ = connection.prepare_cached(forget)?.execute([id])?;
                Ok(())
            });
        }
        let json = serde_json::to_string(draft)
            .map_err(|error| Error::unsaved(format!("what is being written in {tab}"), error))?;
        self.call(move |connection| {
            let keep = "INSERT OR REPLACE INTO drafts (tab, draft) VALUES (?1, ?2)";
            let _ = connection.prepare_cached(keep)?.execute((id, json))?;
            Ok(())
        })
    }

    /// What is being written in a tab.
    ///
    /// # Errors
    ///
    /// When the database cannot be read, or the draft not understood.
    pub fn draft(&self, tab: TabId) -> Result<Option<Prompt>> {
        let json: Option<String> = self.call(move |connection| {
            Ok(connection
                .prepare_cached("SELECT draft FROM drafts WHERE tab = ?1")?
                .query_row([tab.0.cast_signed()], |row| row.get(0))
                .optional()?)
        })?;
        json.map(|json| {
            serde_json::from_str(&json)
                .map_err(|error| Error::unread(format!("what is being written in {tab}"), error))
        })
        .transpose()
    }

    /// The tabs in which something is being written.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn drafted_tabs(&self) -> Result<Vec<TabId>> {
        self.call(|connection| {
            let mut statement = connection.prepare_cached("SELECT tab FROM drafts ORDER BY tab")?;
            let rows = statement.query_map((), |row| row.get::<_, i64>(0))?;
            rows.map(|id| Ok(TabId(id?.cast_unsigned()))).collect()
        })
    }
}

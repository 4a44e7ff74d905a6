//! Commands that the user has agreed to, by their hash.

use maestro_core::playbook::Commands;
use rusqlite::OptionalExtension as _;

use crate::error::Error;
use crate::{Result, Store};

impl Store {
    /// The commands of a hash, if the user has agreed to them.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn trusted(&self, hash: &str) -> Result<Option<Commands>> {
        let hash = hash.to_owned();
        self.call(move |connection| {
            let json: Option<String> = connection
                .prepare_cached("SELECT commands FROM trusted WHERE hash = ?1")?
                .query_row([hash], |row| row.get(0))
                .optional()?;
            Ok(json.and_then(|json| read(&json)))
        })
    }

    /// Everything the user has agreed to, the latest first. Rows that cannot be understood are left out:
    /// what they held is asked again.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn all_trusted(&self) -> Result<Vec<(String, Commands)>> {
        self.call(|connection| {
            let mut statement = connection
                .prepare_cached("SELECT hash, commands FROM trusted ORDER BY at_ms DESC, hash")?;
            let rows = statement
                .query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
            let mut all = Vec::new();
            for row in rows {
                let (hash, json) = row?;
                all.extend(read(&json).map(|commands| (hash, commands)));
            }
            Ok(all)
        })
    }

    /// Keeps that the user has agreed to these commands at a time (milliseconds since the Unix epoch).
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub fn trust(&self, hash: &str, commands: &Commands, at_ms: u64) -> Result<()> {
        let hash = hash.to_owned();
        let json = serde_json::to_string(commands)
            .map_err(|source| Error::unsaved("commands that were agreed to", source))?;
        self.call(move |connection| {
            let _ = connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO trusted (hash, at_ms, commands) VALUES (?1, ?2, ?3)",
                )?
                .execute((hash, i64::try_from(at_ms).unwrap_or(i64::MAX), json))?;
            Ok(())
        })
    }

    /// Takes it back. Gives whether there was something to take back.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub fn distrust(&self, hash: &str) -> Result<bool> {
        let hash = hash.to_owned();
        self.call(move |connection| {
            let removed = connection
                .prepare_cached("DELETE FROM trusted WHERE hash = ?1")?
                .execute([hash])?;
            Ok(removed > 0)
        })
    }
}

fn read(json: &str) -> Option<Commands> {
    serde_json::from_str(json)
        .inspect_err(|error| tracing::warn!(%error, "what was agreed to cannot be read"))
        .ok()
}

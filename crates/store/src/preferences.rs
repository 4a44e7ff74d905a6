//! Preferences: opaque text by key.

use crate::error::Error;
use crate::{Result, Store};

/// Longest key, in bytes.
pub const MAX_KEY_BYTES: usize = 64;

/// Longest value, in bytes: a layout of many panes is some kilobytes.
pub const MAX_VALUE_BYTES: usize = 64 << 10;

impl Store {
    /// All preferences, by key.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn preferences(&self) -> Result<Vec<(String, String)>> {
        self.call(|connection| {
            let mut statement =
                connection.prepare_cached("SELECT key, value FROM preferences ORDER BY key")?;
            let rows = statement.query_map([], |row| row.try_into())?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// Sets a preference; `None` removes it.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`] beyond [`MAX_KEY_BYTES`] or [`MAX_VALUE_BYTES`].
    pub fn set_preference(&self, key: &str, value: Option<&str>) -> Result<()> {
        within(key, key.len(), MAX_KEY_BYTES)?;
        within(key, value.map_or(0, str::len), MAX_VALUE_BYTES)?;
        let (key, value) = (key.to_owned(), value.map(str::to_owned));
        self.call(move |connection| {
            let _ = match value {
                Some(value) => connection
                    .prepare_cached(
                        "INSERT OR REPLACE INTO preferences (key, value) VALUES (?1, ?2)",
                    )?
                    .execute((key, value))?,
                None => connection
                    .prepare_cached("DELETE FROM preferences WHERE key = ?1")?
                    .execute([key])?,
            };
            Ok(())
        })
    }
}

fn within(key: &str, size: usize, limit: usize) -> Result<()> {
    if size > limit {
        let key = key.chars().take(MAX_KEY_BYTES).collect();
        return Err(Error::TooLarge { key, size, limit });
    }
    Ok(())
}

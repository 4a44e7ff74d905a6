//! Programs of repositories that the user has agreed to, by the hash of their lines.

use crate::{Result, Store};

impl Store {
    /// Every hash that the user has agreed to.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn agreed_programs(&self) -> Result<Vec<String>> {
        self.call(|connection| {
            let mut statement =
                connection.prepare_cached("SELECT hash FROM agreed_programs ORDER BY hash")?;
            let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
            Ok(rows.collect::<std::result::Result<Vec<_>, _>>()?)
        })
    }

    /// Keeps that the user has agreed to programs at a time (milliseconds since the Unix epoch), or not any
    /// more when that is absent.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub fn agree_to_programs(&self, hash: &str, at_ms: Option<u64>) -> Result<()> {
        let hash = hash.to_owned();
        self.call(move |connection| {
            let _ = match at_ms {
                Some(at_ms) => connection
                    .prepare_cached(
                        "INSERT OR REPLACE INTO agreed_programs (hash, at_ms) VALUES (?1, ?2)",
                    )?
                    .execute((hash, i64::try_from(at_ms).unwrap_or(i64::MAX)))?,
                None => connection
                    .prepare_cached("DELETE FROM agreed_programs WHERE hash = ?1")?
                    .execute([hash])?,
            };
            Ok(())
        })
    }
}

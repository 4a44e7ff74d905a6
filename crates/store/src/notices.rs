//! What the user was told of agents and runs.

use maestro_core::notice::{MOST, Notice};

use crate::error::Error;
use crate::{Result, Store, rows};

impl Store {
    /// The notices that are kept, the newest first. Those that cannot be read are left out.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn notices(&self) -> Result<Vec<Notice>> {
        let rows = self.call(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT id, notice FROM notices ORDER BY at_ms DESC, id LIMIT ?1",
            )?;
            rows(&mut statement, [MOST as i64])
        })?;
        Ok(self.readable(rows, "notice "))
    }

    /// Keeps a notice as it is now; of more than are kept, the oldest go.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub fn put_notice(&self, notice: &Notice) -> Result<()> {
        let json = serde_json::to_string(notice)
            .map_err(|source| Error::unsaved(format!("notice {}", notice.id), source))?;
        let (id, at_ms) = (notice.id.cast_signed(), notice.at_ms.cast_signed());
        self.call(move |connection| {
            let _ = connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO notices (id, at_ms, notice) VALUES (?1, ?2, ?3)",
                )?
                .execute((id, at_ms, json))?;
            let _ = connection
                .prepare_cached(
                    "DELETE FROM notices WHERE id NOT IN
                     (SELECT id FROM notices ORDER BY at_ms DESC, id LIMIT ?1)",
                )?
                .execute([MOST as i64])?;
            Ok(())
        })
    }

    /// Notices were read, or are to count as unread.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub fn mark_notices(&self, ids: &[u64], read: bool) -> Result<()> {
        let ids: Vec<i64> = ids.iter().map(|id| id.cast_signed()).collect();
        self.call(move |connection| {
            let transaction = connection.transaction()?;
            {
                let mut statement = transaction.prepare_cached(
                    "UPDATE notices SET notice = json_set(notice, '$.read', json(?2)) WHERE id = ?1",
                )?;
                for id in ids {
                    let _ = statement.execute((id, if read { "true" } else { "false" }))?;
                }
            }
            transaction.commit()?;
            Ok(())
        })
    }

    /// Forgets all notices.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub fn clear_notices(&self) -> Result<()> {
        self.call(|connection| {
            let _ = connection.execute("DELETE FROM notices", [])?;
            Ok(())
        })
    }
}

//! What we keep about stored sessions: the providers' files are left alone.

use maestro_core::agent::Provider;
use maestro_core::session::SessionKey;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::{Result, Store};

/// What we keep about a stored session.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Marks {
    /// Our own name for it.
    pub title: Option<String>,
    /// Marked by the user.
    pub starred: bool,
    /// Words the user gave it.
    pub tags: Vec<String>,
    /// In the trash since then: milliseconds since the Unix epoch.
    pub trashed_ms: Option<u64>,
}

impl Marks {
    /// Whether there is nothing to keep.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Store {
    /// What is kept of all sessions.
    ///
    /// # Errors
    ///
    /// When the database cannot be read. Rows that cannot be understood are left out.
    pub fn marks(&self) -> Result<Vec<(SessionKey, Marks)>> {
        self.call(|connection| {
            let mut statement =
                connection.prepare_cached("SELECT provider, session, marks FROM marks")?;
            let rows = statement.query_map([], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
            })?;
            let mut marks = Vec::new();
            for row in rows {
                let (provider, id, json) = row?;
                match (provider.parse::<Provider>(), serde_json::from_str(&json)) {
                    (Ok(provider), Ok(kept)) => marks.push((SessionKey { provider, id }, kept)),
                    _ => tracing::warn!(%provider, %id, "what is kept of a session cannot be read"),
                }
            }
            Ok(marks)
        })
    }

    /// Keeps this of a session, in place of what was kept.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub fn set_marks(&self, key: &SessionKey, marks: &Marks) -> Result<()> {
        let (provider, id) = (key.provider.name(), key.id.clone());
        if marks.is_empty() {
            return self.call(move |connection| {
                let forget = "DELETE FROM marks WHERE provider = ?1 AND session = ?2";
                let _ = connection.prepare_cached(forget)?.execute((provider, id))?;
                Ok(())
            });
        }
        let json = serde_json::to_string(marks)
            .map_err(|error| Error::unsaved("what is kept of a session", error))?;
        self.call(move |connection| {
            let keep =
                "INSERT OR REPLACE INTO marks (provider, session, marks) VALUES (?1, ?2, ?3)";
            let _ = connection.prepare_cached(keep)?.execute((provider, id, json))?;
            Ok(())
        })
    }
}

//! Merge trains. A train is one value, written whole before each of its steps.

use maestro_core::TrainId;
use maestro_core::train::{State, Train};
use rusqlite::OptionalExtension as _;

use crate::error::Error;
use crate::{Counter, Result, Store};

impl Store {
    /// The next train's id.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub fn next_train_id(&self) -> Result<TrainId> {
        self.next_id(Counter::Train).map(TrainId)
    }

    /// Keeps a train as it is now.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub fn put_train(&self, train: &Train) -> Result<()> {
        let json = serde_json::to_string(train)
            .map_err(|source| Error::unsaved(format!("train {}", train.id), source))?;
        let state = match train.state {
            State::Running => "running",
            State::Stopped(_) => "stopped",
            State::Ended(_) => "ended",
        };
        let (id, started_ms) = (train.id.0.cast_signed(), train.started_ms.cast_signed());
        self.call(move |connection| {
            let _ = connection
                .prepare_cached(
                    "INSERT INTO trains (id, state, started_ms, train) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT (id) DO UPDATE SET state = ?2, train = ?4",
                )?
                .execute((id, state, started_ms, json))?;
            Ok(())
        })
    }

    /// One train.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn train(&self, train: TrainId) -> Result<Option<Train>> {
        self.call(move |connection| {
            let json: Option<String> = connection
                .prepare_cached("SELECT train FROM trains WHERE id = ?1")?
                .query_row([train.0.cast_signed()], |row| row.get(0))
                .optional()?;
            Ok(json.and_then(|json| read(&json)))
        })
    }

    /// The newest trains, newest first, at most so many. Those that cannot be read are left out.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn trains(&self, limit: u32) -> Result<Vec<Train>> {
        self.some_trains("SELECT train FROM trains ORDER BY id DESC LIMIT ?1", limit)
    }

    /// The trains that are not over, the oldest first: what a host finds after a crash.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn open_trains(&self) -> Result<Vec<Train>> {
        let open = "SELECT train FROM trains WHERE state != 'ended' ORDER BY id LIMIT ?1";
        self.some_trains(open, u32::MAX)
    }

    fn some_trains(&self, sql: &'static str, limit: u32) -> Result<Vec<Train>> {
        self.call(move |connection| {
            let mut statement = connection.prepare_cached(sql)?;
            let rows = statement.query_map([limit], |row| row.get::<_, String>(0))?;
            let mut trains = Vec::new();
            for json in rows {
                trains.extend(read(&json?));
            }
            Ok(trains)
        })
    }
}

fn read(json: &str) -> Option<Train> {
    serde_json::from_str(json)
        .inspect_err(|error| tracing::warn!(%error, "a train cannot be read"))
        .ok()
}

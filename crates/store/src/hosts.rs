//! Hosts and the terminals they started: how processes of a dead host are recognised.

use maestro_core::{AgentId, TerminalId};
use rusqlite::Row;

use crate::{Counter, Result, Store};

/// Hosts that are remembered. Enough to recognise whatever is left of the last ones.
const HOSTS_KEPT: i64 = 32;

/// One life of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// Its instance id, which its children carry in their environment.
    pub instance: String,
    /// Its process id.
    pub pid: u32,
    /// When that process started, in the platform's own unit.
    pub process_start: u64,
    /// When it started: milliseconds since the Unix epoch.
    pub started_ms: u64,
    /// When it stopped in good order; `None` while it lives and after a crash.
    pub stopped_ms: Option<u64>,
}

/// A process in a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terminal {
    /// The terminal.
    pub id: TerminalId,
    /// The agent it belongs to.
    pub agent: Option<AgentId>,
    /// The instance id of the host that started it.
    pub host: String,
    /// The child's process id.
    pub pid: u32,
    /// When that process started, in the platform's own unit.
    pub process_start: u64,
    /// The environment marker its whole family carries.
    pub marker: String,
    /// When it was started: milliseconds since the Unix epoch.
    pub started_ms: u64,
}

impl Store {
    /// Notes that a host started.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub fn host_started(&self, host: &Host) -> Result<()> {
        let host = host.clone();
        self.call(move |connection| {
            let _ = connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO hosts
                     (instance, pid, process_start, started_ms, stopped_ms)
                     VALUES (?1, ?2, ?3, ?4, ?5)",
                )?
                .execute((
                    &host.instance,
                    host.pid,
                    host.process_start.cast_signed(),
                    host.started_ms.cast_signed(),
                    host.stopped_ms.map(u64::cast_signed),
                ))?;
            let _ = connection
                .prepare_cached(
                    "DELETE FROM hosts WHERE instance NOT IN
                     (SELECT instance FROM hosts ORDER BY started_ms DESC, rowid DESC LIMIT ?1)",
                )?
                .execute([HOSTS_KEPT])?;
            Ok(())
        })
    }

    /// Notes that a host stopped in good order.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub fn host_stopped(&self, instance: &str, at_ms: u64) -> Result<()> {
        let instance = instance.to_owned();
        self.call(move |connection| {
            let _ = connection
                .prepare_cached("UPDATE hosts SET stopped_ms = ?2 WHERE instance = ?1")?
                .execute((instance, at_ms.cast_signed()))?;
            Ok(())
        })
    }

    /// The last hosts, newest first.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn hosts(&self) -> Result<Vec<Host>> {
        self.call(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT instance, pid, process_start, started_ms, stopped_ms FROM hosts
                 ORDER BY started_ms DESC, rowid DESC",
            )?;
            let hosts = statement.query_map([], |row| {
                Ok(Host {
                    instance: row.get(0)?,
                    pid: row.get(1)?,
                    process_start: unsigned(row, 2)?,
                    started_ms: unsigned(row, 3)?,
                    stopped_ms: row.get::<_, Option<i64>>(4)?.map(i64::cast_unsigned),
                })
            })?;
            Ok(hosts.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// Notes the process of a terminal.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub fn put_terminal(&self, terminal: &Terminal) -> Result<()> {
        let terminal = terminal.clone();
        self.call(move |connection| {
            let transaction = connection.transaction()?;
            let _ = transaction
                .prepare_cached(
                    "INSERT OR REPLACE INTO terminals
                     (id, agent, host, pid, process_start, marker, started_ms)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                )?
                .execute((
                    terminal.id.0.cast_signed(),
                    terminal.agent.map(|agent| agent.0.cast_signed()),
                    &terminal.host,
                    terminal.pid,
                    terminal.process_start.cast_signed(),
                    &terminal.marker,
                    terminal.started_ms.cast_signed(),
                ))?;
            Counter::Terminal.used(&transaction, terminal.id.0)?;
            Ok(transaction.commit()?)
        })
    }

    /// Forgets a terminal's process. `false` when there was none.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub fn remove_terminal(&self, terminal: TerminalId) -> Result<bool> {
        self.call(move |connection| {
            let removed = connection
                .prepare_cached("DELETE FROM terminals WHERE id = ?1")?
                .execute([terminal.0.cast_signed()])?;
            Ok(removed > 0)
        })
    }

    /// Every terminal whose end was not noted, this host's and dead ones'.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn terminals(&self) -> Result<Vec<Terminal>> {
        self.call(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT id, agent, host, pid, process_start, marker, started_ms FROM terminals
                 ORDER BY id",
            )?;
            let terminals = statement.query_map([], |row| {
                Ok(Terminal {
                    id: TerminalId(unsigned(row, 0)?),
                    agent: row.get::<_, Option<i64>>(1)?.map(|id| AgentId(id.cast_unsigned())),
                    host: row.get(2)?,
                    pid: row.get(3)?,
                    process_start: unsigned(row, 4)?,
                    marker: row.get(5)?,
                    started_ms: unsigned(row, 6)?,
                })
            })?;
            Ok(terminals.collect::<rusqlite::Result<_>>()?)
        })
    }
}

/// SQLite counts with a sign; ids and times go in and out bit by bit.
fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(i64::cast_unsigned)
}

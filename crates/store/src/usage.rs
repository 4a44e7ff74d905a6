//! What turns consumed: one row for each, added up when it is asked for.

use maestro_core::turn::Usage;
use maestro_core::usage::By;
use maestro_core::{AgentId, RunId, TabId};
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior};

use crate::{Result, Store};

/// Sums by day are made of quarters of an hour, because every time zone begins its day at one: whoever
/// asks puts them together to days of its own.
const QUARTER: i64 = 15 * 60 * 1000;

/// What one turn consumed.
#[derive(Debug, Clone, PartialEq)]
pub struct Used {
    /// When it ended: milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// By whose agent.
    pub agent: Option<AgentId>,
    /// What that agent was called.
    pub agent_name: Option<String>,
    /// In which conversation, and which of its turns. A turn that is noted again replaces itself.
    pub turn: Option<(TabId, u64)>,
    /// In which run.
    pub run: Option<RunId>,
    /// The program, by name.
    pub provider: String,
    /// The model, where told.
    pub model: Option<String>,
    /// What it consumed: this turn alone.
    pub usage: Usage,
}

/// What is added up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A quarter of an hour, by its beginning in milliseconds since the Unix epoch.
    Quarter(u64),
    /// An agent, with what it was called last.
    Agent(Option<AgentId>, Option<String>),
    /// A conversation.
    Tab(Option<TabId>),
    /// A model.
    Model(Option<String>),
    /// A program.
    Provider(String),
}

/// A sum for one subject, one program and one model.
#[derive(Debug, Clone, PartialEq)]
pub struct UsedSum {
    /// Of what.
    pub of: Subject,
    /// The program.
    pub provider: String,
    /// The model.
    pub model: Option<String>,
    /// Turns.
    pub turns: u64,
    /// What they consumed; the cost is the sum of the provider's own figures, `None` if there is none.
    pub usage: Usage,
    /// Of this, what turns without a figure of the provider's consumed.
    pub unpriced: Usage,
}

impl Store {
    /// Notes what a turn consumed.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub fn record_usage(&self, used: &Used) -> Result<()> {
        let used = used.clone();
        self.call(move |connection| put(connection, used))
    }

    /// Notes what the tasks of a run have consumed so far, in their order. A figure that is smaller than
    /// what is noted already is out of date and changes nothing; a task without any has no row.
    ///
    /// # Errors
    ///
    /// When the database cannot be written; then what was noted before stays.
    pub fn record_usage_of_run(&self, run: RunId, tasks: Vec<Used>) -> Result<()> {
        self.call(move |connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            for (task, number) in tasks.into_iter().zip(1_i64..) {
                put_task(&transaction, run, number, task)?;
            }
            Ok(transaction.commit()?)
        })
    }

    /// Sums of turns that ended at or after a time (milliseconds since the Unix epoch), in the order of
    /// what they are sums of. [`By::Day`] gives quarters of an hour.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn usage(&self, by: By, since_ms: u64) -> Result<Vec<UsedSum>> {
        let subject = match by {
            By::Day => "at_ms - at_ms % ?2",
            By::Agent => "agent",
            By::Tab => "tab",
            By::Model => "model",
            By::Provider => "provider",
        };
        // Sums of tokens are taken as numbers with a fraction, which never overflow.
        let select = format!(
            "SELECT {subject} AS subject, max(agent_name) FILTER (WHERE agent IS NOT NULL), provider,
                 model, count(*), total(input), total(cached), total(output), sum(cost),
                 total(input) FILTER (WHERE cost IS NULL), total(cached) FILTER (WHERE cost IS NULL),
                 total(output) FILTER (WHERE cost IS NULL)
             FROM usage WHERE at_ms >= ?1 AND ?2 > 0 GROUP BY subject, provider, model
             ORDER BY subject, provider, model"
        );
        self.call(move |connection| {
            let mut statement = connection.prepare_cached(&select)?;
            let rows = statement.query_map((bounded(since_ms), QUARTER), |row| {
                let number = |at: usize| row.get::<_, f64>(at).map(|number| number as u64);
                let id = || row.get::<_, Option<i64>>(0).map(|id| id.map(i64::cast_unsigned));
                let of = match by {
                    By::Day => Subject::Quarter(row.get::<_, i64>(0)?.cast_unsigned()),
                    By::Agent => Subject::Agent(id()?.map(AgentId), row.get(1)?),
                    By::Tab => Subject::Tab(id()?.map(TabId)),
                    By::Model => Subject::Model(row.get(0)?),
                    By::Provider => Subject::Provider(row.get(0)?),
                };
                let tokens = |from: usize, cost_usd| {
                    Ok::<_, rusqlite::Error>(Usage {
                        input_tokens: number(from)?,
                        cached_tokens: number(from + 1)?,
                        output_tokens: number(from + 2)?,
                        cost_usd,
                    })
                };
                Ok(UsedSum {
                    of,
                    provider: row.get(2)?,
                    model: row.get(3)?,
                    turns: row.get::<_, i64>(4)?.cast_unsigned(),
                    usage: tokens(5, row.get(8)?)?,
                    unpriced: tokens(9, None)?,
                })
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }
}

/// A run's task has a row by its number, where a conversation's turn has one by its own.
fn put_task(connection: &Connection, run: RunId, number: i64, used: Used) -> Result<()> {
    let tokens = used.usage.input_tokens.saturating_add(used.usage.output_tokens);
    if tokens == 0 {
        return Ok(());
    }
    let known: Option<(i64, i64)> = connection
        .prepare_cached(
            "SELECT id, input + output FROM usage WHERE run = ?1 AND turn = ?2 AND tab IS NULL",
        )?
        .query_row((run.0.cast_signed(), number), |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    match known {
        Some((_, noted)) if noted >= bounded(tokens) => return Ok(()),
        Some((id, _)) => {
            let _ = connection.prepare_cached("DELETE FROM usage WHERE id = ?1")?.execute([id])?;
        }
        None => {}
    }
    put(connection, Used { turn: None, run: Some(run), ..used })?;
    let id = connection.last_insert_rowid();
    let _ = connection
        .prepare_cached("UPDATE usage SET turn = ?2 WHERE id = ?1")?
        .execute((id, number))?;
    Ok(())
}

fn put(connection: &Connection, used: Used) -> Result<()> {
    let id = |id: Option<u64>| id.map(u64::cast_signed);
    // A figure that is no number would be NULL in one place and an error in another.
    let cost = used.usage.cost_usd.filter(|cost| cost.is_finite());
    let _ = connection
        .prepare_cached(
            "INSERT OR REPLACE INTO usage (at_ms, agent, agent_name, tab, turn, run, provider,
                 model, input, cached, output, cost)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        )?
        .execute((
            bounded(used.at_ms),
            id(used.agent.map(|agent| agent.0)),
            used.agent_name,
            id(used.turn.map(|(tab, _)| tab.0)),
            id(used.turn.map(|(_, turn)| turn)),
            id(used.run.map(|run| run.0)),
            used.provider,
            used.model,
            bounded(used.usage.input_tokens),
            bounded(used.usage.cached_tokens),
            bounded(used.usage.output_tokens),
            cost,
        ))?;
    Ok(())
}

/// A number as the database has them: what does not fit is a provider's mistake and becomes the largest.
fn bounded(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

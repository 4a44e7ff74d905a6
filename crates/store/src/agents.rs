//! Agents, in the order of the left panel.

use maestro_core::AgentId;
use maestro_core::agent::Agent;
use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};

use crate::error::Error;
use crate::{Counter, Result, Store, rows};

impl Store {
    /// All agents, in order. Those that cannot be read are left out; [`Store::unread`] names them.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn agents(&self) -> Result<Vec<Agent>> {
        let rows = self.call(|connection| {
            let select = "SELECT id, agent FROM agents ORDER BY position, id";
            rows(&mut *connection.prepare_cached(select)?, ())
        })?;
        Ok(self.readable(rows, "agent a"))
    }

    /// Saves an agent: a new one at the end of the list, a known one in its place.
    ///
    /// # Errors
    ///
    /// [`Error::NameTaken`] when another agent has its name.
    pub fn put_agent(&self, agent: &Agent) -> Result<()> {
        let (id, name) = (agent.id, agent.name.clone());
        let json = serde_json::to_string(agent)
            .map_err(|error| Error::unsaved(format!("agent {id}"), error))?;
        self.call(move |connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            put(&transaction, id, name, &json)?;
            Ok(transaction.commit()?)
        })
    }

    /// Forgets an agent with its tabs, their drafts and its queue. What it consumed stays counted. `false`
    /// when there was none.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub fn remove_agent(&self, agent: AgentId) -> Result<bool> {
        self.call(move |connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let id = agent.0.cast_signed();
            for belongs in [
                "DELETE FROM drafts WHERE tab IN (SELECT id FROM tabs WHERE agent = ?1)",
                "DELETE FROM tabs WHERE agent = ?1",
                "DELETE FROM items WHERE agent = ?1",
                "DELETE FROM queues WHERE agent = ?1",
            ] {
                let _ = transaction.prepare_cached(belongs)?.execute([id])?;
            }
            let removed =
                transaction.prepare_cached("DELETE FROM agents WHERE id = ?1")?.execute([id])?;
            transaction.commit()?;
            Ok(removed > 0)
        })
    }

    /// Puts the agents into another order: those named first, in this order, the others after them as
    /// they were.
    ///
    /// # Errors
    ///
    /// [`Error::NoAgent`] when one of them does not exist; then nothing changed.
    pub fn order_agents(&self, order: &[AgentId]) -> Result<()> {
        let order = order.to_vec();
        self.call(move |connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            reorder(&transaction, &order)?;
            Ok(transaction.commit()?)
        })
    }
}

fn put(transaction: &Transaction<'_>, id: AgentId, name: String, json: &str) -> Result<()> {
    let saved = transaction
        .prepare_cached(
            "INSERT INTO agents (id, position, name, agent)
             VALUES (?1, (SELECT coalesce(max(position), 0) + 1 FROM agents), ?2, ?3)
             ON CONFLICT (id) DO UPDATE SET name = excluded.name, agent = excluded.agent",
        )?
        .execute((id.0.cast_signed(), &name, json));
    match saved {
        // The only constraint the user can break is the unique name.
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
            return Err(Error::NameTaken { name });
        }
        other => drop(other?),
    }
    Counter::Agent.used(transaction, id.0)
}

fn reorder(connection: &Connection, order: &[AgentId]) -> Result<()> {
    // The others move behind the named ones in one step; their own order is kept.
    let _ = connection
        .execute("UPDATE agents SET position = position + ?1", [order.len() as i64 + 1])?;
    let mut place = connection.prepare_cached("UPDATE agents SET position = ?2 WHERE id = ?1")?;
    for (position, id) in order.iter().enumerate() {
        if place.execute((id.0.cast_signed(), position as i64 + 1))? == 0 {
            return Err(Error::NoAgent(*id));
        }
    }
    Ok(())
}

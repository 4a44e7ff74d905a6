//! Tabs, by agent in the order in which they are shown.

use maestro_core::conversation::Tab;
use maestro_core::{AgentId, TabId};
use rusqlite::{Transaction, TransactionBehavior};

use crate::error::Error;
use crate::{Counter, Result, Store, rows};

impl Store {
    /// All tabs, by agent and in order. Those that cannot be read are left out; [`Store::unread`] names them.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn tabs(&self) -> Result<Vec<Tab>> {
        let rows = self.call(|connection| {
            let select = "SELECT id, tab FROM tabs ORDER BY agent, position, id";
            rows(&mut *connection.prepare_cached(select)?, ())
        })?;
        Ok(self.readable(rows, "tab c"))
    }

    /// Saves a tab: a new one after its agent's others, a known one in its place.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub fn put_tab(&self, tab: &Tab) -> Result<()> {
        let (id, agent) = (tab.id, tab.agent);
        let json = serde_json::to_string(tab)
            .map_err(|error| Error::unsaved(format!("tab {id}"), error))?;
        self.call(move |connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let _ = transaction
                .prepare_cached(
                    "INSERT INTO tabs (id, agent, position, tab)
                     VALUES (?1, ?2,
                         (SELECT coalesce(max(position), 0) + 1 FROM tabs WHERE agent = ?2), ?3)
                     ON CONFLICT (id) DO UPDATE SET tab = excluded.tab",
                )?
                .execute((id.0.cast_signed(), agent.0.cast_signed(), json))?;
            Counter::Tab.used(&transaction, id.0)?;
            Ok(transaction.commit()?)
        })
    }

    /// Forgets a tab, with its draft and what waited for it. `false` when there was none.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub fn remove_tab(&self, tab: TabId) -> Result<bool> {
        self.call(move |connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let id = tab.0.cast_signed();
            for belongs in ["DELETE FROM drafts WHERE tab = ?1", "DELETE FROM items WHERE tab = ?1"]
            {
                let _ = transaction.prepare_cached(belongs)?.execute([id])?;
            }
            let removed =
                transaction.prepare_cached("DELETE FROM tabs WHERE id = ?1")?.execute([id])?;
            transaction.commit()?;
            Ok(removed > 0)
        })
    }

    /// Puts an agent's tabs into another order: those named first, in this order, the others after them as
    /// they were.
    ///
    /// # Errors
    ///
    /// [`Error::NoTab`] when one of them is not a tab of this agent; then nothing changed.
    pub fn order_tabs(&self, agent: AgentId, order: &[TabId]) -> Result<()> {
        let order = order.to_vec();
        self.call(move |connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            reorder(&transaction, agent, &order)?;
            Ok(transaction.commit()?)
        })
    }
}

fn reorder(transaction: &Transaction<'_>, agent: AgentId, order: &[TabId]) -> Result<()> {
    let agent = agent.0.cast_signed();
    // The others move behind the named ones in one step; their own order is kept.
    let _ = transaction.execute(
        "UPDATE tabs SET position = position + ?1 WHERE agent = ?2",
        (order.len() as i64 + 1, agent),
    )?;
    let mut place =
        transaction.prepare_cached("UPDATE tabs SET position = ?3 WHERE id = ?1 AND agent = ?2")?;
    for (position, id) in order.iter().enumerate() {
        if place.execute((id.0.cast_signed(), agent, position as i64 + 1))? == 0 {
            return Err(Error::NoTab(*id));
        }
    }
    Ok(())
}

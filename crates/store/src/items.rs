//! What waits to be said: the items of queues, and why a queue is held.
//!
//! An item is *waiting*, then *dispatched* with the number of the turn it becomes, then *done*. The step to
//! *dispatched* is written before its tab hears of it, so an item that is found *dispatched* after a crash
//! may have been said, and one that is found *waiting* was not. A *removed* item can be put back.

use std::collections::BTreeMap;

use maestro_core::conversation::Prompt;
use maestro_core::queue::{Held, Item};
use maestro_core::{AgentId, ItemId, TabId};
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior};

use crate::error::Error;
use crate::{Counter, Result, Store};

/// How many items that were said are remembered, for a client that asks again by its token. It asks
/// within seconds; this is days.
const SAID: u32 = 10_000;

/// How many removed items can be put back.
const REMOVED: u32 = 200;

/// What is put into a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewItem {
    /// Whose queue.
    pub agent: AgentId,
    /// Where it is said.
    pub tab: TabId,
    /// What.
    pub prompt: Prompt,
    /// Names this request: the same token again puts nothing into a queue.
    pub token: String,
    /// Now: milliseconds since the Unix epoch.
    pub added_ms: u64,
    /// How many items may wait in this queue.
    pub most: usize,
    /// Whether it was the tab's draft, which is forgotten in the same transaction.
    pub draft: bool,
}

/// What came of a [`NewItem`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Added {
    /// The item.
    pub id: ItemId,
    /// Whether it is new; otherwise the token was known.
    pub fresh: bool,
}

/// An item as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredItem {
    /// Whose queue.
    pub agent: AgentId,
    /// The item.
    pub item: Item,
    /// How far it is.
    pub state: ItemState,
}

/// How far an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemState {
    /// It waits.
    Waiting,
    /// It was or is handed to its tab.
    Dispatched {
        /// The turn it becomes.
        turn: u64,
    },
    /// It was said.
    Done {
        /// The turn it became.
        turn: u64,
    },
    /// Its user took it out.
    Removed,
}

impl Store {
    /// Puts something at the end of a queue, once for each token.
    ///
    /// # Errors
    ///
    /// [`Error::QueueFull`]; [`Error::TokenTaken`] when the token was used for another tab.
    pub fn add_item(&self, new: NewItem) -> Result<Added> {
        let prompt = json(&new.prompt)?;
        self.call(move |connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            if let Some((id, tab)) = by_token(&transaction, &new.token)? {
                if tab != new.tab {
                    return Err(Error::TokenTaken(id));
                }
                forget_draft(&transaction, &new)?;
                transaction.commit()?;
                return Ok(Added { id, fresh: false });
            }
            let waiting: i64 = transaction
                .prepare_cached(
                    "SELECT count(*) FROM items WHERE agent = ?1 AND state = 'waiting'",
                )?
                .query_row([new.agent.0.cast_signed()], |row| row.get(0))?;
            let waiting = waiting.cast_unsigned() as usize;
            if waiting >= new.most {
                return Err(Error::QueueFull { waiting });
            }
            let id = Counter::Item.next(&transaction)?;
            let _ = transaction
                .prepare_cached(
                    "INSERT INTO items
                     (id, agent, tab, position, state, token, added_ms, changed_ms, prompt)
                     VALUES (?1, ?2, ?3, (SELECT coalesce(max(position), 0) + 1 FROM items
                             WHERE agent = ?2 AND state != 'done'),
                         'waiting', ?4, ?5, ?5, ?6)",
                )?
                .execute((
                    id.cast_signed(),
                    new.agent.0.cast_signed(),
                    new.tab.0.cast_signed(),
                    &new.token,
                    new.added_ms.cast_signed(),
                    prompt,
                ))?;
            forget_draft(&transaction, &new)?;
            transaction.commit()?;
            Ok(Added { id: ItemId(id), fresh: true })
        })
    }

    /// The item that has a token.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn item_of_token(&self, token: &str) -> Result<Option<ItemId>> {
        let token = token.to_owned();
        self.call(move |connection| Ok(by_token(connection, &token)?.map(|(id, _)| id)))
    }

    /// The items that wait or are being said, by agent and in order. Those that cannot be read are left
    /// out; [`Store::unread`] names them.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn items(&self) -> Result<Vec<StoredItem>> {
        self.open_items(None)
    }

    /// The same of one agent.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn items_of(&self, agent: AgentId) -> Result<Vec<StoredItem>> {
        self.open_items(Some(agent))
    }

    fn open_items(&self, agent: Option<AgentId>) -> Result<Vec<StoredItem>> {
        let found = self.call(move |connection| {
            let of = if agent.is_some() { "agent = ?1" } else { "?1 IS NULL" };
            let select = format!(
                "{SELECT} WHERE {of} AND state IN ('waiting', 'dispatched') AND state != 'done'
                 ORDER BY agent, position, id"
            );
            let mut statement = connection.prepare_cached(&select)?;
            let found =
                statement.query_map([agent.map(|agent| agent.0.cast_signed())], Row::read)?;
            Ok(found.collect::<rusqlite::Result<Vec<_>>>()?)
        })?;
        let prompts = found.iter().map(|row| (row.id, row.prompt.clone())).collect();
        let mut prompts: BTreeMap<i64, Prompt> =
            self.readable_by_id(prompts, "item q").into_iter().collect();
        Ok(found.into_iter().filter_map(|row| Some(row.item(prompts.remove(&row.id)?))).collect())
    }

    /// An item, however far it is.
    ///
    /// # Errors
    ///
    /// When the database cannot be read, or the item not understood.
    pub fn item(&self, item: ItemId) -> Result<Option<StoredItem>> {
        let found = self.call(move |connection| {
            let select = format!("{SELECT} WHERE id = ?1");
            let mut statement = connection.prepare_cached(&select)?;
            Ok(statement.query_row([item.0.cast_signed()], Row::read).optional()?)
        })?;
        let Some(row) = found else { return Ok(None) };
        let prompt = serde_json::from_str(row.prompt.as_deref().unwrap_or_default())
            .map_err(|error| Error::unread(format!("item {item}"), error))?;
        Ok(Some(row.item(prompt)))
    }

    /// Notes that an item is about to be handed to its tab, where it becomes this turn. `false` when it does
    /// not wait; then nothing may be said.
    ///
    /// # Errors
    ///
    /// When the database cannot be written; then nothing may be said either.
    pub fn dispatch_item(&self, item: ItemId, turn: u64, at_ms: u64) -> Result<bool> {
        self.step(
            "UPDATE items SET state = 'dispatched', turn = ?2, changed_ms = ?3, unsure = 0
             WHERE id = ?1 AND state = 'waiting'",
            item,
            Some(turn),
            at_ms,
        )
    }

    /// Notes that an item was said. Its words are in the transcript now and are forgotten here. `false` when
    /// it was not being said.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub fn finish_item(&self, item: ItemId, at_ms: u64) -> Result<bool> {
        let nothing = json(&Prompt::default())?;
        self.call(move |connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let finished = transaction
                .prepare_cached(
                    "UPDATE items SET state = 'done', changed_ms = ?2, held = 0, unsure = 0,
                         position = 0, prompt = ?3
                     WHERE id = ?1 AND state = 'dispatched'",
                )?
                .execute((item.0.cast_signed(), at_ms.cast_signed(), nothing))?;
            forget_old(&transaction, "done", SAID)?;
            transaction.commit()?;
            Ok(finished > 0)
        })
    }

    /// Notes that an item was not said after all, or, if `unsure`, that nobody knows: then it is held. It
    /// waits where it was. `false` when it was not being said.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub fn return_item(&self, item: ItemId, unsure: bool, at_ms: u64) -> Result<bool> {
        self.step(
            "UPDATE items SET state = 'waiting', held = held OR ?2, unsure = ?2, changed_ms = ?3
             WHERE id = ?1 AND state = 'dispatched'",
            item,
            Some(u64::from(unsure)),
            at_ms,
        )
    }

    /// Takes an item out of its queue; [`Self::restore_item`] puts it back. `false` when it does not wait.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub fn remove_item(&self, item: ItemId, at_ms: u64) -> Result<bool> {
        self.call(move |connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let removed = transaction
                .prepare_cached(
                    "UPDATE items SET state = 'removed', changed_ms = ?2
                     WHERE id = ?1 AND state = 'waiting'",
                )?
                .execute((item.0.cast_signed(), at_ms.cast_signed()))?;
            forget_old(&transaction, "removed", REMOVED)?;
            transaction.commit()?;
            Ok(removed > 0)
        })
    }

    /// Puts an item back where it was, after [`Self::remove_item`]. `false` when it was not removed.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub fn restore_item(&self, item: ItemId, at_ms: u64) -> Result<bool> {
        self.step(
            "UPDATE items SET state = 'waiting', changed_ms = ?3
             WHERE id = ?1 AND state = 'removed' AND ?2 IS NULL",
            item,
            None,
            at_ms,
        )
    }

    /// Other words, another tab and whether it is passed over, for an item that waits. `false` when it
    /// does not wait.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub fn change_item(&self, item: &Item, at_ms: u64) -> Result<bool> {
        let prompt = json(&item.prompt)?;
        let (id, tab, held, unsure) = (item.id, item.tab, item.held, item.unsure);
        self.call(move |connection| {
            let changed = connection
                .prepare_cached(
                    "UPDATE items SET prompt = ?2, tab = ?3, held = ?4, unsure = ?5, changed_ms = ?6
                     WHERE id = ?1 AND state = 'waiting'",
                )?
                .execute((
                    id.0.cast_signed(),
                    prompt,
                    tab.0.cast_signed(),
                    held,
                    unsure,
                    at_ms.cast_signed(),
                ))?;
            Ok(changed > 0)
        })
    }

    /// Moves an item before another one of its queue, or to the end. `false` when it does not wait.
    ///
    /// # Errors
    ///
    /// [`Error::NoItem`] when the other one does not wait in the same queue; then nothing changed.
    pub fn move_item(&self, item: ItemId, before: Option<ItemId>, at_ms: u64) -> Result<bool> {
        self.call(move |connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let moved = reorder(&transaction, item, before, at_ms)?;
            transaction.commit()?;
            Ok(moved)
        })
    }

    /// Why queues are held, by agent. A reason that cannot be read counts as the user's wish.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn holds(&self) -> Result<Vec<(AgentId, Held)>> {
        self.call(|connection| {
            let mut statement = connection.prepare_cached("SELECT agent, held FROM queues")?;
            let rows = statement
                .query_map((), |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))?;
            rows.map(|row| {
                let (agent, held) = row?;
                // Held for a reason nobody understands is still held.
                let held = serde_json::from_str(&held).unwrap_or(Held::ByUser);
                Ok((AgentId(agent.cast_unsigned()), held))
            })
            .collect()
        })
    }

    /// Holds an agent's queue for a reason, or lets it go on.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub fn hold_queue(&self, agent: AgentId, held: Option<&Held>) -> Result<()> {
        let id = agent.0.cast_signed();
        let held = held
            .map(|held| {
                serde_json::to_string(held).map_err(|error| {
                    Error::unsaved(format!("why the queue of {agent} is held"), error)
                })
            })
            .transpose()?;
        self.call(move |connection| {
            let _ = match held {
                Some(held) => connection
                    .prepare_cached("INSERT OR REPLACE INTO queues (agent, held) VALUES (?1, ?2)")?
                    .execute((id, held))?,
                None => connection
                    .prepare_cached("DELETE FROM queues WHERE agent = ?1")?
                    .execute([id])?,
            };
            Ok(())
        })
    }

    fn step(
        &self,
        sql: &'static str,
        item: ItemId,
        value: Option<u64>,
        at_ms: u64,
    ) -> Result<bool> {
        self.call(move |connection| {
            let value = value.map(u64::cast_signed);
            let changed = connection.prepare_cached(sql)?.execute((
                item.0.cast_signed(),
                value,
                at_ms.cast_signed(),
            ))?;
            Ok(changed > 0)
        })
    }
}

const SELECT: &str =
    "SELECT id, agent, tab, state, held, unsure, turn, added_ms, prompt FROM items";

/// An item's row.
struct Row {
    id: i64,
    agent: i64,
    tab: i64,
    state: String,
    held: bool,
    unsure: bool,
    turn: Option<i64>,
    added_ms: i64,
    prompt: Option<String>,
}

impl Row {
    fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            agent: row.get(1)?,
            tab: row.get(2)?,
            state: row.get(3)?,
            held: row.get(4)?,
            unsure: row.get(5)?,
            turn: row.get(6)?,
            added_ms: row.get(7)?,
            prompt: row.get_ref(8)?.as_str().ok().map(str::to_owned),
        })
    }

    fn item(&self, prompt: Prompt) -> StoredItem {
        let turn = self.turn.unwrap_or_default().cast_unsigned();
        StoredItem {
            agent: AgentId(self.agent.cast_unsigned()),
            item: Item {
                id: ItemId(self.id.cast_unsigned()),
                tab: TabId(self.tab.cast_unsigned()),
                prompt,
                held: self.held,
                unsure: self.unsure,
                added_ms: self.added_ms.cast_unsigned(),
            },
            state: match self.state.as_str() {
                "dispatched" => ItemState::Dispatched { turn },
                "done" => ItemState::Done { turn },
                "removed" => ItemState::Removed,
                _ => ItemState::Waiting,
            },
        }
    }
}

fn json(prompt: &Prompt) -> Result<String> {
    serde_json::to_string(prompt).map_err(|error| Error::unsaved("this prompt", error))
}

fn by_token(connection: &Connection, token: &str) -> Result<Option<(ItemId, TabId)>> {
    Ok(connection
        .prepare_cached("SELECT id, tab FROM items WHERE token = ?1")?
        .query_row([token], |row| {
            let (id, tab): (i64, i64) = (row.get(0)?, row.get(1)?);
            Ok((ItemId(id.cast_unsigned()), TabId(tab.cast_unsigned())))
        })
        .optional()?)
}

fn forget_draft(transaction: &Transaction<'_>, new: &NewItem) -> Result<()> {
    if new.draft {
        let _ = transaction
            .prepare_cached("DELETE FROM drafts WHERE tab = ?1")?
            .execute([new.tab.0.cast_signed()])?;
    }
    Ok(())
}

/// Forgets the oldest items of a state, so that so many stay.
fn forget_old(transaction: &Transaction<'_>, state: &str, stay: u32) -> Result<()> {
    let _ = transaction
        .prepare_cached(
            "DELETE FROM items WHERE state = ?1 AND id <=
             (SELECT id FROM items WHERE state = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
        )?
        .execute((state, stay))?;
    Ok(())
}

fn reorder(
    transaction: &Transaction<'_>,
    item: ItemId,
    before: Option<ItemId>,
    at_ms: u64,
) -> Result<bool> {
    let waiting = |id: ItemId| {
        transaction
            .prepare_cached(
                "SELECT agent, position FROM items WHERE id = ?1 AND state = 'waiting'",
            )?
            .query_row([id.0.cast_signed()], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
            })
            .optional()
    };
    let Some((agent, _)) = waiting(item)? else { return Ok(false) };
    if before == Some(item) {
        return Ok(true);
    }
    let position = match before {
        Some(other) => {
            let place = waiting(other)?.filter(|(owner, _)| *owner == agent);
            let (_, position) = place.ok_or(Error::NoItem(other))?;
            // Those that were removed move, too: put back, they are where they were.
            let _ = transaction
                .prepare_cached(
                    "UPDATE items SET position = position + 1
                     WHERE agent = ?1 AND position >= ?2 AND state != 'done'",
                )?
                .execute((agent, position))?;
            position
        }
        None => transaction
            .prepare_cached(
                "SELECT coalesce(max(position), 0) + 1 FROM items
                 WHERE agent = ?1 AND state != 'done'",
            )?
            .query_row([agent], |row| row.get(0))?,
    };
    let _ = transaction
        .prepare_cached("UPDATE items SET position = ?2, changed_ms = ?3 WHERE id = ?1")?
        .execute((item.0.cast_signed(), position, at_ms.cast_signed()))?;
    Ok(true)
}

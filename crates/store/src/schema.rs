//! The tables, and the way from every older version of them to the newest.
//!
//! `user_version` counts the migrations that were applied. Each runs in a transaction of its own, so a
//! crash leaves a database at one of the versions, never between two. A migration that was released is
//! never edited; a change is a new one at the end.

use rusqlite::{Connection, TransactionBehavior};

use crate::Result;

/// Marks a SQLite file as ours: "Maes".
pub(crate) const APPLICATION_ID: i32 = 0x4d61_6573;

/// The version this program writes.
pub(crate) const VERSION: u32 = MIGRATIONS.len() as u32;

pub(crate) const MIGRATIONS: &[&str] = &[
    // 1: agents, terminals, runs with their journal and leases, hosts, preferences.
    //
    // What the program knows as one type is one JSON column; what is searched, ordered or must be
    // unique has a column of its own beside it.
    "
    CREATE TABLE counters (
        name TEXT PRIMARY KEY,
        next INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    INSERT INTO counters (name, next) VALUES ('agent', 1), ('terminal', 1), ('run', 1);

    CREATE TABLE agents (
        id INTEGER PRIMARY KEY,
        position INTEGER NOT NULL,
        name TEXT NOT NULL UNIQUE,
        agent TEXT NOT NULL CHECK (json_valid(agent))
    ) STRICT;
    CREATE INDEX agents_by_position ON agents (position);

    CREATE TABLE hosts (
        instance TEXT PRIMARY KEY,
        pid INTEGER NOT NULL,
        process_start INTEGER NOT NULL,
        started_ms INTEGER NOT NULL,
        stopped_ms INTEGER
    ) STRICT;

    CREATE TABLE terminals (
        id INTEGER PRIMARY KEY,
        agent INTEGER,
        host TEXT NOT NULL,
        pid INTEGER NOT NULL,
        process_start INTEGER NOT NULL,
        marker TEXT NOT NULL,
        started_ms INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE runs (
        id INTEGER PRIMARY KEY,
        state TEXT NOT NULL,
        started_ms INTEGER NOT NULL,
        run TEXT NOT NULL CHECK (json_valid(run))
    ) STRICT;
    CREATE INDEX runs_by_state ON runs (state);

    CREATE TABLE run_journal (
        run INTEGER NOT NULL REFERENCES runs (id),
        n INTEGER NOT NULL,
        at_ms INTEGER NOT NULL,
        entry TEXT NOT NULL CHECK (json_valid(entry)),
        PRIMARY KEY (run, n)
    ) STRICT, WITHOUT ROWID;
    CREATE TRIGGER run_journal_is_append_only_update BEFORE UPDATE ON run_journal
        BEGIN SELECT RAISE(ABORT, 'the journal of a run is only appended to'); END;
    CREATE TRIGGER run_journal_is_append_only_delete BEFORE DELETE ON run_journal
        BEGIN SELECT RAISE(ABORT, 'the journal of a run is only appended to'); END;

    CREATE TABLE leases (
        directory TEXT PRIMARY KEY,
        run INTEGER NOT NULL,
        host TEXT NOT NULL,
        pid INTEGER NOT NULL,
        process_start INTEGER NOT NULL,
        since_ms INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE preferences (
        key TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    ",
    // 2: conversations, what is written in them, queues, usage.
    "
    INSERT INTO counters (name, next) VALUES ('tab', 1), ('item', 1);

    CREATE TABLE tabs (
        id INTEGER PRIMARY KEY,
        agent INTEGER NOT NULL,
        position INTEGER NOT NULL,
        tab TEXT NOT NULL CHECK (json_valid(tab))
    ) STRICT;
    CREATE INDEX tabs_by_agent ON tabs (agent, position);

    CREATE TABLE drafts (
        tab INTEGER PRIMARY KEY,
        draft TEXT NOT NULL CHECK (json_valid(draft))
    ) STRICT;

    -- `turn` is set before the item is handed to its tab and stays: with the state it is the journal of
    -- what was said. A row stays when its item was said, without the words, for its token's sake.
    CREATE TABLE items (
        id INTEGER PRIMARY KEY,
        agent INTEGER NOT NULL,
        tab INTEGER NOT NULL,
        position INTEGER NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('waiting', 'dispatched', 'done', 'removed')),
        held INTEGER NOT NULL DEFAULT 0,
        unsure INTEGER NOT NULL DEFAULT 0,
        token TEXT NOT NULL UNIQUE,
        turn INTEGER,
        added_ms INTEGER NOT NULL,
        changed_ms INTEGER NOT NULL,
        prompt TEXT NOT NULL CHECK (json_valid(prompt))
    ) STRICT;
    CREATE INDEX items_open ON items (agent, position) WHERE state != 'done';
    CREATE INDEX items_over ON items (state, id) WHERE state IN ('done', 'removed');

    CREATE TABLE queues (
        agent INTEGER PRIMARY KEY,
        held TEXT NOT NULL CHECK (json_valid(held))
    ) STRICT;

    -- One row for each turn. `cost` is the provider's own figure, where it has one; what others would have
    -- cost is worked out from the tokens when it is asked for, by the prices known then.
    CREATE TABLE usage (
        id INTEGER PRIMARY KEY,
        at_ms INTEGER NOT NULL,
        agent INTEGER,
        agent_name TEXT,
        tab INTEGER,
        turn INTEGER,
        run INTEGER,
        provider TEXT NOT NULL,
        model TEXT,
        input INTEGER NOT NULL,
        cached INTEGER NOT NULL,
        output INTEGER NOT NULL,
        cost REAL
    ) STRICT;
    CREATE INDEX usage_by_time ON usage (at_ms);
    CREATE UNIQUE INDEX usage_of_a_turn ON usage (tab, turn) WHERE tab IS NOT NULL;
    ",
    // 3: what is kept of stored sessions. The index of them is a database of its own.
    "
    CREATE TABLE marks (
        provider TEXT NOT NULL,
        session TEXT NOT NULL,
        marks TEXT NOT NULL CHECK (json_valid(marks)),
        PRIMARY KEY (provider, session)
    ) STRICT, WITHOUT ROWID;
    ",
    // 4: commands of documents and playbooks that the user has agreed to; old runs can be thrown away as a
    // whole.
    "
    DROP TRIGGER run_journal_is_append_only_delete;
    CREATE TRIGGER run_journal_is_append_only_delete BEFORE DELETE ON run_journal
        WHEN (SELECT state FROM runs WHERE id = OLD.run) != 'thrown away'
        BEGIN SELECT RAISE(ABORT, 'the journal of a run is only appended to'); END;
    CREATE INDEX runs_by_time ON runs (started_ms);

    CREATE TABLE trusted (
        hash TEXT PRIMARY KEY,
        at_ms INTEGER NOT NULL,
        commands TEXT NOT NULL CHECK (json_valid(commands))
    ) STRICT, WITHOUT ROWID;
    ",
    // 5: merge trains, the worktrees that are looked after, and checkouts that are kept.
    "
    INSERT INTO counters (name, next) VALUES ('train', 1), ('snapshot', 1);

    CREATE TABLE trains (
        id INTEGER PRIMARY KEY,
        state TEXT NOT NULL,
        started_ms INTEGER NOT NULL,
        train TEXT NOT NULL CHECK (json_valid(train))
    ) STRICT;
    CREATE INDEX trains_by_state ON trains (state);

    CREATE TABLE agreed_programs (
        hash TEXT PRIMARY KEY,
        at_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE worktrees (
        git_dir TEXT PRIMARY KEY,
        common_dir TEXT NOT NULL,
        kept TEXT NOT NULL CHECK (json_valid(kept))
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX worktrees_by_repository ON worktrees (common_dir);

    CREATE TABLE checkouts (
        id INTEGER PRIMARY KEY,
        snapshot TEXT NOT NULL CHECK (json_valid(snapshot))
    ) STRICT;
    ",
    // 6: what the user was told of.
    "
    CREATE TABLE notices (
        id INTEGER PRIMARY KEY,
        at_ms INTEGER NOT NULL,
        notice TEXT NOT NULL CHECK (json_valid(notice))
    ) STRICT;
    CREATE INDEX notices_by_time ON notices (at_ms);
    ",
];

/// The version of an open database.
pub(crate) fn version(connection: &Connection) -> Result<u32> {
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    // A negative number was written by nobody we know; it reads as "newer than anything".
    Ok(u32::try_from(version).unwrap_or(u32::MAX))
}

/// Applies what is missing of `migrations`.
pub(crate) fn migrate(connection: &mut Connection, migrations: &[&str]) -> Result<()> {
    let from = version(connection)?;
    for (index, migration) in migrations.iter().enumerate().skip(from as usize) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Two processes may have begun at once; the lock decides, and the second finds it done.
        if version(&transaction)? as usize != index {
            continue;
        }
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "user_version", index as i64 + 1)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.commit()?;
    }
    Ok(())
}

//! Files that must not be used, and what is kept beside the good one.

use std::fs;
use std::path::Path;

use maestro_core::AgentId;
use maestro_core::run::State;
use maestro_store::{Error, Store};
use rusqlite::Connection;
use rusqlite::config::DbConfig;

use crate::{Home, agent, new_run};

/// Opens what must be refused, and checks that the refusal changed no byte.
fn refused(home: &Home) -> Error {
    let before = contents(home);
    let error = Store::open(home.path()).expect_err("this must be refused");
    assert!(contents(home) == before, "something changed: {error} {:?}", home.files());
    error
}

/// Every file with its bytes. `-shm` is SQLite's scratch memory between processes, not data.
fn contents(home: &Home) -> Vec<(String, Vec<u8>)> {
    let read = |name: String| {
        let bytes = fs::read(home.path().with_file_name(&name)).expect("a file");
        (name, bytes)
    };
    home.files().into_iter().filter(|name| !name.ends_with("-shm")).map(read).collect()
}

#[test]
fn a_newer_database_is_refused_and_left_alone() {
    let home = Home::new();
    home.store().close();
    let newer = Connection::open(home.path()).expect("the database");
    newer.pragma_update(None, "user_version", 99).expect("another version");
    newer.close().expect("closed");

    let error = refused(&home);
    let Error::Newer { found: 99, known, .. } = error else { panic!("{error:?}") };
    let (text, known) = (error.to_string(), format!("up to {known}:"));
    assert!(text.contains("has format 99") && text.contains(&known), "{text}");
    assert_eq!(home.files(), ["maestro.db"]);
}

#[test]
fn a_newer_version_in_the_log_counts_too() {
    let home = Home::new();
    home.store().close();
    let newer = Connection::open(home.path()).expect("the database");
    let _ = newer.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).expect("no fold");
    newer.pragma_update(None, "user_version", 99).expect("another version");
    newer.close().expect("closed");
    assert!(home.files().contains(&"maestro.db-wal".to_owned()), "{:?}", home.files());

    assert!(matches!(refused(&home), Error::Newer { found: 99, .. }));
}

#[test]
fn another_programs_database_is_refused() {
    let home = Home::new();
    let other = Connection::open(home.path()).expect("a database");
    other.execute_batch("CREATE TABLE bookmarks (url)").expect("a table");
    other.close().expect("closed");
    assert!(matches!(refused(&home), Error::Foreign { .. }));
}

#[test]
fn damaged_files_are_refused_and_the_snapshot_is_named() {
    let good = Home::new();
    let store = good.store();
    for id in 1..200 {
        store.put_agent(&agent(id, &format!("agent {id}"))).expect("an agent");
    }
    store.close();
    let bytes = fs::read(good.path()).expect("the database");
    assert!(bytes.len() > 5 * 4096, "large enough to be damaged in the middle");

    let mut scribbled = bytes.clone();
    scribbled[2 * 4096..bytes.len() - 4096].fill(0xa5);
    let cases: [(&str, &[u8]); 3] = [
        ("text", b"this is not a database, it is a letter to the reader of this test"),
        ("scribbled", &scribbled),
        ("half", &bytes[..bytes.len() / 2]),
    ];
    for (what, bytes) in cases {
        let home = Home::new();
        fs::write(home.path(), bytes).expect("a damaged file");
        let error = refused(&home);
        assert!(matches!(error, Error::Damaged { snapshot: None, .. }), "{what}: {error:?}");

        let snapshot = home.path().with_file_name("maestro.db.bak");
        let _ = fs::copy(good.path(), snapshot).expect("a snapshot");
        let text = refused(&home).to_string();
        assert!(text.contains("Nothing was overwritten"), "{what}: {text}");
        assert!(text.contains("maestro.db.bak"), "{what}: {text}");
    }
}

#[test]
fn an_empty_file_is_a_new_database() {
    let home = Home::new();
    fs::write(home.path(), b"").expect("a file a crash left");
    home.store().put_agent(&agent(1, "api")).expect("an agent");
}

#[test]
fn a_folder_in_the_way_is_named() {
    let home = Home::new();
    fs::create_dir(home.path()).expect("a folder");
    let error = Store::open(home.path()).expect_err("a folder is no database");
    assert!(matches!(error, Error::Io { .. }), "{error:?}");
    assert!(error.to_string().contains("maestro.db"), "{error}");
}

#[test]
fn the_snapshot_changes_only_when_a_restore_is_declared_good() {
    let home = Home::new();
    let store = home.store();
    assert!(!store.snapshot_path().exists());
    store.put_agent(&agent(1, "api")).expect("an agent");
    store.snapshot().expect("a snapshot");
    let _ = store.remove_agent(AgentId(1)).expect("a loss");
    store.close();

    home.store().close();
    let restored = home.path().with_file_name("copy.db");
    let _ = fs::copy(home.path().with_file_name("maestro.db.bak"), &restored).expect("a copy");
    let store = Store::open(&restored).expect("the snapshot opens");
    assert_eq!(store.agents().expect("agents"), [agent(1, "api")]);
    assert_eq!(store.next_agent_id().expect("an id"), AgentId(2), "counters are part of it");
    store.close();

    home.store().snapshot().expect("the next restore is declared good");
    let _ = fs::copy(home.path().with_file_name("maestro.db.bak"), &restored).expect("a copy");
    assert_eq!(Store::open(&restored).expect("it opens").agents().expect("agents"), []);
}

#[test]
fn a_row_that_cannot_be_read_costs_only_itself() {
    let home = Home::new();
    let store = home.store();
    for (id, name) in [(1, "api"), (2, "web"), (3, "docs")] {
        store.put_agent(&agent(id, name)).expect("an agent");
    }
    store.put_run(&new_run(1, State::Interrupted)).expect("a run");
    store.put_run(&new_run(2, State::Interrupted)).expect("a run");
    store.close();
    let other = Connection::open(home.path()).expect("the database");
    for damage in [
        "UPDATE agents SET agent = '{\"id\":2,\"name\":\"web\"}' WHERE id = 2",
        "UPDATE agents SET agent = '42' WHERE id = 3",
        "UPDATE runs SET run = '[]' WHERE id = 1",
    ] {
        assert_eq!(other.execute(damage, []).expect("damaged"), 1, "{damage}");
    }
    other.close().expect("closed");

    let store = home.store();
    assert_eq!(store.agents().expect("the others"), [agent(1, "api")]);
    let ids =
        |runs: Vec<maestro_core::run::Run>| runs.iter().map(|run| run.id.0).collect::<Vec<_>>();
    assert_eq!(ids(store.runs(10).expect("the other")), [2]);
    // Asked for by name, it is said what is wrong.
    assert!(store.run(maestro_core::RunId(1)).is_err());
    let _ = store.agents().expect("again");
    let unread = store.unread();
    assert_eq!(unread.len(), 3, "{unread:?}");
    for (sentence, begin) in unread.iter().zip(["agent a2", "agent a3", "run r1"]) {
        assert!(sentence.starts_with(begin), "{sentence}");
        assert!(sentence.contains("cannot be read and is left out"), "{sentence}");
    }
    assert_eq!(store.next_agent_id().expect("an id"), AgentId(4), "its id is not given out again");
}

#[test]
fn closing_ends_a_snapshot_and_nothing_touches_the_files_afterwards() {
    for _ in 0..20 {
        let home = Home::new();
        let store = home.store();
        for number in 0..50 {
            store.set_preference(&format!("key {number}"), Some("value")).expect("written");
        }
        let snapshots = std::thread::spawn({
            let store = store.clone();
            move || loop {
                if let Err(error) = store.snapshot() {
                    break error;
                }
            }
        });
        while !store.snapshot_path().exists() {
            std::thread::yield_now();
        }
        store.close();
        let log = home.path().with_file_name("maestro.db-wal");
        assert!(!log.exists(), "the log was folded in");
        let bytes = fs::read(home.path()).expect("the database");
        let error = snapshots.join().expect("no panic");
        assert!(matches!(error, Error::Closed), "{error:?}");
        assert_eq!(fs::read(home.path()).expect("the database"), bytes);
    }
}

#[cfg(unix)]
#[test]
fn only_the_user_can_read_the_files() {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |path: &Path| fs::metadata(path).expect("a file").permissions().mode() & 0o777;
    let home = Home::new();
    let store = home.store();
    store.put_agent(&agent(1, "api")).expect("an agent");
    store.snapshot().expect("a snapshot");
    for name in ["maestro.db", "maestro.db-wal", "maestro.db.bak"] {
        assert_eq!(mode(&home.path().with_file_name(name)), 0o600, "{name}");
    }
    store.close();
    fs::set_permissions(home.path(), fs::Permissions::from_mode(0o644)).expect("a careless copy");
    home.store().close();
    assert_eq!(mode(&home.path()), 0o600);
}

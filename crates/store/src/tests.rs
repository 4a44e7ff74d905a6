//! What needs the inside: migrations, a full disk, a panicking request.

use rusqlite::Connection;

use super::*;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn tables(connection: &Connection) -> Vec<String> {
    connection
        .prepare(
            "SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_schema ORDER BY 1",
        )
        .and_then(|mut statement| statement.query_map([], |row| row.get(0))?.collect())
        .expect("the schema")
}

#[test]
fn every_older_version_becomes_the_newest_and_is_kept_aside() {
    let folder = folder();
    let fresh = folder.path().join("fresh.db");
    let newest = tables(&open::open(&fresh).expect("a new database"));

    for version in 0..schema::VERSION {
        let path = folder.path().join(format!("v{version}.db"));
        let mut old = Connection::open(&path).expect("a database");
        schema::migrate(&mut old, &schema::MIGRATIONS[..version as usize]).expect("migrations");
        drop(old);

        let connection = open::open(&path).expect("an older database");
        assert_eq!(schema::version(&connection).expect("a version"), schema::VERSION);
        assert_eq!(tables(&connection), newest, "from version {version}");
        let kept = open::with_suffix(&path, &format!(".v{version}.bak"));
        assert_eq!(kept.exists(), version > 0);
    }
}

#[test]
fn a_migration_is_done_whole_or_not_at_all() {
    let mut connection = Connection::open_in_memory().expect("a database");
    let steps = ["CREATE TABLE a (x)", "CREATE TABLE b (x); CREATE TABLE a (y)"];
    assert!(schema::migrate(&mut connection, &steps).is_err());
    assert_eq!(schema::version(&connection).expect("a version"), 1);
    assert_eq!(tables(&connection), ["table a CREATE TABLE a (x)"]);

    schema::migrate(&mut connection, &[steps[0], "CREATE TABLE b (x)"]).expect("the mended step");
    assert_eq!(schema::version(&connection).expect("a version"), 2);
}

#[test]
fn an_older_database_is_copied_before_it_is_changed() {
    let folder = folder();
    let path = folder.path().join("m.db");
    let connection = open::open(&path).expect("a database");
    let copy = folder.path().join("copy.db");
    open::snapshot(&connection, &path, &copy).expect("a copy");
    assert_eq!(tables(&open::open(&copy).expect("the copy opens")), tables(&connection));
}

#[test]
fn a_full_disk_is_named_and_later_writes_work() {
    let folder = folder();
    let path = folder.path().join("m.db");
    let store = Store::open(&path).expect("a database");
    store.set_preference("before", Some("kept")).expect("room is left");
    let pages: i64 = store
        .call(|connection| {
            let pages = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
            connection.pragma_update(None, "max_page_count", pages)?;
            Ok(pages)
        })
        .expect("a limit");

    let large = "x".repeat(MAX_VALUE_BYTES);
    let error = store.set_preference("large", Some(&large)).expect_err("the disk is full");
    assert!(matches!(error, Error::Full { .. }), "{error:?}");
    assert!(error.to_string().contains("was not saved"), "{error}");
    assert_eq!(store.preferences().expect("reading"), [("before".into(), "kept".into())]);

    store
        .call(move |connection| {
            Ok(connection.pragma_update(None, "max_page_count", pages + 1000)?)
        })
        .expect("more room");
    store.set_preference("large", Some(&large)).expect("room again");
    assert_eq!(store.preferences().expect("reading").len(), 2);
}

#[test]
fn an_id_that_could_not_be_noted_is_not_handed_out() {
    let folder = folder();
    let store = Store::open(folder.path().join("m.db")).expect("a database");
    store
        .call(|connection| {
            Ok(connection.execute_batch(
                "CREATE TEMP TRIGGER full BEFORE UPDATE ON counters
                 BEGIN SELECT RAISE(ABORT, 'no room'); END",
            )?)
        })
        .expect("a trigger");
    assert!(store.next_run_id().is_err());
    store.call(|connection| Ok(connection.execute_batch("DROP TRIGGER full")?)).expect("room");
    assert_eq!(store.next_run_id().expect("an id"), RunId(1));
}

#[test]
fn a_panicking_request_leaves_nothing_behind_and_the_store_goes_on() {
    let folder = folder();
    let store = Store::open(folder.path().join("m.db")).expect("a database");
    let answer = store.call::<(), _>(|connection| {
        let transaction = connection.transaction()?;
        transaction.execute_batch("INSERT INTO preferences VALUES ('half', 'done')")?;
        panic!("a bug");
    });
    assert!(matches!(answer, Err(Error::Closed)));
    assert_eq!(store.preferences().expect("the store lives"), []);
}

#[test]
fn the_journal_cannot_be_rewritten() {
    let folder = folder();
    let store = Store::open(folder.path().join("m.db")).expect("a database");
    store
        .call(|connection| {
            connection.execute_batch(
                "INSERT INTO runs VALUES (1, 'running', 0, '{}');
                 INSERT INTO run_journal VALUES (1, 1, 0, '{}');",
            )?;
            for statement in ["UPDATE run_journal SET at_ms = 1", "DELETE FROM run_journal"] {
                assert!(connection.execute(statement, []).is_err(), "{statement}");
            }
            Ok(())
        })
        .expect("an entry");
}

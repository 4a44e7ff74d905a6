//! Databases of other programs: their programs must not notice that they are read.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use maestro_store::foreign::{Cell, rows};
use rusqlite::Connection;
use rusqlite::config::DbConfig;

/// What is in a folder, with all that would show that it was touched.
fn looks(folder: &Path) -> BTreeMap<String, (u64, Option<SystemTime>)> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    entries
        .map(|entry| {
            let entry = entry.expect("an entry");
            let about = entry.metadata().expect("there");
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, (about.len(), about.modified().ok()))
        })
        .collect()
}

fn count(database: &Path) -> std::io::Result<i64> {
    let mut counted = -1;
    rows(database, "SELECT count(*) FROM said", &[], &mut |row| {
        if let [Cell::Number(number)] = row {
            counted = *number;
        }
        true
    })?;
    Ok(counted)
}

/// A program that wants its database at once, and fails where it is locked.
fn program(database: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(database)?;
    connection.busy_timeout(std::time::Duration::ZERO)?;
    let _: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    Ok(connection)
}

#[test]
fn what_is_only_in_the_log_is_read_and_the_folder_stays_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = folder.path().join("other ?#%.db");
    let writer = program(&database).expect("opened");
    writer
        .execute_batch("CREATE TABLE said (words TEXT); INSERT INTO said VALUES ('a')")
        .expect("said");
    let before = looks(folder.path());
    assert_eq!(count(&database).expect("read"), 1);
    assert_eq!(looks(folder.path()), before);
    writer.execute_batch("INSERT INTO said VALUES ('b')").expect("said");
    assert_eq!(count(&database).expect("read"), 2, "the newest is in the log");

    // A program that died leaves its log; nobody but itself puts that in order.
    let left = tempfile::tempdir().expect("a folder");
    let dead = left.path().join("dead.db");
    for ending in ["", "-wal"] {
        let from = folder.path().join(format!("other ?#%.db{ending}"));
        let _ = std::fs::copy(from, left.path().join(format!("dead.db{ending}"))).expect("copied");
    }
    let before = looks(left.path());
    assert_eq!(count(&dead).expect("read"), 2);
    assert_eq!(looks(left.path()), before, "no file is made, changed or removed");

    drop(writer);
    let before = looks(folder.path());
    assert_eq!(before.len(), 1, "its log goes when it ends in order");
    assert_eq!(count(&database).expect("read"), 2);
    assert_eq!(looks(folder.path()), before);

    let empty = folder.path().join("empty.db");
    std::fs::write(&empty, "").expect("written");
    std::fs::write(folder.path().join("empty.db-wal"), [1; 64]).expect("written");
    let before = looks(folder.path());
    assert!(count(&empty).is_err());
    assert_eq!(looks(folder.path()), before);
}

#[test]
fn a_program_never_finds_its_database_locked_and_what_is_read_belongs_together() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = folder.path().join("other.db");
    program(&database)
        .and_then(|one| {
            one.execute_batch(
                "CREATE TABLE said (n INTEGER, words TEXT); PRAGMA wal_autocheckpoint = 4",
            )
        })
        .expect("made");
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let (mut read, mut last) = (0, 0);
                    while !over.load(Ordering::SeqCst) {
                        let mut numbers = Vec::new();
                        let result =
                            rows(&database, "SELECT n FROM said ORDER BY n", &[], &mut |row| {
                                if let [Cell::Number(number)] = row {
                                    numbers.push(*number);
                                }
                                true
                            });
                        let Ok(()) = result else { continue };
                        // Each transaction writes ten of them.
                        assert!(
                            numbers.len() % 10 == 0 && numbers.len() >= last,
                            "{}",
                            numbers.len()
                        );
                        assert!(numbers.iter().copied().eq(0..numbers.len() as i64));
                        last = numbers.len();
                        read += 1;
                    }
                    read
                })
            })
            .collect();
        // It is started and ended again and again, as one that is asked one thing at a time.
        let words = "x".repeat(600);
        let mut n = 0;
        let told: rusqlite::Result<()> = (0..50).try_for_each(|_| {
            let mut one = program(&database)?;
            one.execute_batch("PRAGMA wal_autocheckpoint = 4")?;
            for _ in 0..3 {
                let all = one.transaction()?;
                for _ in 0..10 {
                    let _ = all.execute("INSERT INTO said VALUES (?1, ?2)", (n, &words))?;
                    n += 1;
                }
                all.commit()?;
            }
            Ok(())
        });
        over.store(true, Ordering::SeqCst);
        let read: Vec<i32> =
            readers.into_iter().map(|reader| reader.join().expect("reads")).collect();
        assert_eq!(told, Ok(()), "locked by who only reads");
        assert_eq!(count(&database).expect("read"), 1_500);
        assert!(read.iter().all(|read| *read > 0), "{read:?}");
    });
}

#[test]
fn while_it_is_read_its_program_can_have_it_to_itself() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = folder.path().join("first.db");
    let writer = program(&first).expect("opened");
    writer.execute_batch("CREATE TABLE said (words TEXT)").expect("made");
    // More than is kept back: the reading goes on while rows are given.
    let words = "x".repeat(64 << 10);
    for _ in 0..100 {
        let _ = writer.execute("INSERT INTO said VALUES (?1)", [&words]).expect("said");
    }
    // As its program leaves it that does not close it: with its log, and with nobody who has it open.
    let database = folder.path().join("other.db");
    for ending in ["", "-wal"] {
        let (from, to) = (format!("first.db{ending}"), format!("other.db{ending}"));
        let _ = std::fs::copy(folder.path().join(from), folder.path().join(to)).expect("copied");
    }
    let alone = || {
        let one = Connection::open(&database)?;
        one.busy_timeout(std::time::Duration::ZERO)?;
        let _ = one.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        one.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        let _: String = one.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
        one.execute_batch("BEGIN EXCLUSIVE")?;
        one.query_row("SELECT count(*) FROM said", [], |row| row.get::<_, i64>(0))
    };
    let (mut told, mut count) = (None, 0);
    rows(&database, "SELECT words FROM said", &[], &mut |_| {
        count += 1;
        if count == 90 {
            told = Some(alone());
        }
        true
    })
    .expect("read");
    assert_eq!((told, count), (Some(Ok(100)), 100));
}

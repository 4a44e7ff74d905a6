//! A disk that is really full: a small file system of its own. It takes root to mount one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use maestro_core::RunId;
use maestro_core::run::State;
use maestro_store::{Error, Store};

use crate::new_run;

/// A mounted file system of a few hundred kilobytes.
struct Small {
    folder: tempfile::TempDir,
}

impl Small {
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=700k,mode=700", "tmpfs"])
            .arg(folder.path())
            .output()
            .is_ok_and(|output| output.status.success());
        if !mounted {
            eprintln!("SKIPPED: no file system can be mounted here (this needs root)");
        }
        mounted.then_some(Self { folder })
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("maestro.db")
    }

    /// Takes all that is left; `free` gives it back.
    fn fill(&self) {
        let file = self.filler();
        let mut size = fs::metadata(&file).map_or(0, |file| file.len()) as usize;
        for step in [64 << 10, 4 << 10] {
            while fs::write(&file, vec![1; size + step]).is_ok() {
                size += step;
            }
        }
        fs::write(&file, vec![1; size]).expect("what has fitted before");
    }

    fn free(&self) {
        fs::remove_file(self.filler()).expect("removed");
    }

    fn filler(&self) -> PathBuf {
        self.folder.path().join("filler")
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.folder.path()).status();
    }
}

/// Appends until it fails; says how many entries were acknowledged, and the failure.
fn append_until_full(store: &Store, run: RunId) -> (u64, Error) {
    let entry = "x".repeat(3000);
    for number in 1..10_000 {
        match store.append(run, number, &entry) {
            Ok(n) => assert_eq!(n, number, "entries are counted without gaps"),
            Err(error) => return (number - 1, error),
        }
    }
    panic!("the disk has no end");
}

fn entries(store: &Store, run: RunId) -> u64 {
    store.journal::<String>(run).expect("reading needs no room").len() as u64
}

#[test]
fn a_full_disk_loses_nothing_that_was_acknowledged() {
    let Some(small) = Small::mount() else { return };
    let store = Store::open(small.path()).expect("a database");
    let run = new_run(1, State::Running);
    store.put_run(&run).expect("there is room");
    let (acknowledged, error) = append_until_full(&store, run.id);
    assert!(acknowledged > 0);
    assert!(matches!(error, Error::Full { .. }), "{error:?}");
    assert!(error.to_string().contains("Free some space"), "{error}");
    assert_eq!(entries(&store, run.id), acknowledged);

    // As after a crash: another handle, nothing folded, and the disk as full as it was.
    small.fill();
    let copy = tempfile::tempdir().expect("a temporary folder");
    for name in ["maestro.db", "maestro.db-wal"] {
        let _ = fs::copy(Path::new(&small.path()).with_file_name(name), copy.path().join(name));
    }
    let crashed = Store::open(copy.path().join("maestro.db")).expect("it opens");
    assert_eq!(entries(&crashed, run.id), acknowledged);
    small.free();
}

#[test]
fn with_room_again_everything_goes_on() {
    let Some(small) = Small::mount() else { return };
    let store = Store::open(small.path()).expect("a database");
    let run = new_run(1, State::Running);
    store.put_run(&run).expect("there is room");
    small.fill();
    let (acknowledged, error) = append_until_full(&store, run.id);
    assert!(matches!(error, Error::Full { .. }), "{error:?}");
    for refused in [
        store.set_preference("k", Some(&"v".repeat(9000))).err(),
        store.put_run(&new_run(2, State::Running)).err(),
        store.snapshot().err(),
    ] {
        assert!(
            refused.as_ref().is_none_or(|error| matches!(error, Error::Full { .. })),
            "{refused:?}"
        );
    }
    small.free();
    let n = store.append(run.id, 1, &"after").expect("there is room again");
    assert_eq!(n, acknowledged + 1);
    store.snapshot().expect("there is room for a copy");
    store.close();
    let store = Store::open(small.path()).expect("it opens");
    assert_eq!(entries(&store, run.id), acknowledged + 1);
}

#[test]
fn a_database_that_cannot_even_begin_says_so() {
    let Some(small) = Small::mount() else { return };
    small.fill();
    let error = Store::open(small.path()).expect_err("there is no room");
    assert!(matches!(error, Error::Full { .. }), "{error:?}");
    small.free();
    let store = Store::open(small.path()).expect("what was left behind is no obstacle");
    assert_eq!(store.agents().expect("readable"), []);
}

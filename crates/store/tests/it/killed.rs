//! `kill -9` of the writer loses nothing that was acknowledged.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use maestro_core::RunId;
use maestro_core::run::State;

use crate::{Home, new_run};

/// Tells the re-executed test binary where to write.
const DATABASE: &str = "MAESTRO_TEST_STORE_WRITER";

#[test]
fn what_was_acknowledged_survives_kill_9() {
    let home = Home::new();
    home.store().put_run(&new_run(1, State::Running)).expect("a run");
    let mut last_id = 0;
    let mut acknowledged = 0;
    for round in 1..=8 {
        let (n, id) = write_and_kill(&home, round * 7);
        acknowledged = n.max(acknowledged);
        let store = home.store();
        let journal = store.journal::<u64>(RunId(1)).expect("a journal");
        assert!(journal.len() as u64 >= acknowledged, "round {round}: {acknowledged} acknowledged");
        assert!(journal.iter().map(|entry| entry.n).eq(1..=journal.len() as u64), "without gaps");
        let next = store.next_agent_id().expect("an id").0;
        assert!(next > id && next > last_id, "round {round}: {next} after {id} and {last_id}");
        last_id = next;
        store.close();
    }
    assert!(acknowledged > 8, "the writer wrote: {acknowledged}");
}

/// Starts a writer, kills it after it acknowledged `lines` entries, and gives the last acknowledged
/// entry and id.
fn write_and_kill(home: &Home, lines: usize) -> (u64, u64) {
    let mut writer = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "killed::writer_to_be_killed", "--nocapture"])
        .env(DATABASE, home.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a writer");
    let stdout = BufReader::new(writer.stdout.take().expect("its output"));
    let mut last = (0, 0);
    let mut seen = 0;
    for line in stdout.lines() {
        let line = line.expect("a line");
        let Some((_, numbers)) = line.split_once("acknowledged ") else { continue };
        let (n, id) = numbers.split_once(' ').expect("two numbers");
        last = (n.parse().expect("a number"), id.parse().expect("an id"));
        seen += 1;
        if seen == lines {
            // The rest of its output up to the kill counts as well.
            writer.kill().expect("a kill");
        }
    }
    let status = writer.wait().expect("its end");
    assert!(!status.success(), "it was killed, it did not end by itself");
    last
}

/// The writer: does nothing unless it was started by the test above.
#[test]
fn writer_to_be_killed() {
    let Some(path) = std::env::var_os(DATABASE) else { return };
    let store = maestro_store::Store::open(path).expect("the database");
    let mut out = std::io::stdout();
    for at in 0..1_000_000_u64 {
        let n = store.append(RunId(1), at, &at).expect("an entry");
        let id = store.next_agent_id().expect("an id");
        writeln!(out, "acknowledged {n} {}", id.0).expect("a reader");
        out.flush().expect("a reader");
    }
}

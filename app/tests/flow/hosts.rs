//! The host's life: on demand, once, and gone when told; and what is at its place instead.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::Stdio;
use std::sync::mpsc;

use maestro_protocol::codec::Hello;
use maestro_protocol::message;
use rustix::process::{Pid, Signal, kill_process};

use crate::place::{DEADLINE, Place, collect, until, wait};

#[test]
fn a_host_starts_on_demand_and_stops_when_told() {
    let place = Place::new();
    assert_eq!(place.ok(&["terminal", "new", "--", "sleep", "600"]), "t1");
    let status = place.json(&["host", "status"]);
    assert_eq!(status["pid"].as_i64().map(|pid| pid as i32), place.host());
    assert_eq!(status["terminals"], 1);
    assert_eq!(status["home"].as_str(), place.home().root().to_str());
    assert!(place.ok(&["host", "status"]).contains("socket"));
    assert!(!place.children().is_empty(), "the terminal's child carries no marker");
    assert_eq!(place.json(&["host", "stop"])["stopped"], true);
    assert_eq!(place.host(), None);
    for args in [&["host", "status"], &["terminal", "list"]] {
        let _ = place.fails(3, &["no host runs"], args);
    }
    until("its children have ended", || place.children().is_empty().then_some(()));
}

#[test]
fn of_many_hosts_that_start_at_once_one_runs() {
    let place = Place::new();
    let clients: Vec<_> = (0..8)
        .map(|_| {
            let mut command = place.command(["terminal", "new", "--", "sleep", "600"]);
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started")
        })
        .collect();
    let mut ids: Vec<String> = clients
        .into_iter()
        .map(|mut client| {
            let (out, error) = (client.stdout.take(), client.stderr.take());
            let (out, error) = (collect(out.expect("piped")), collect(error.expect("piped")));
            let code = wait(&mut client, DEADLINE);
            let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).trim().to_owned();
            let error = text(error.recv().expect("read"));
            assert_eq!((code, error.as_str()), (Some(0), ""));
            text(out.recv().expect("read"))
        })
        .collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 8, "{ids:?}");
    let hosts = || {
        let all = place.processes();
        all.into_iter().filter(|(_, line)| line.contains("host --detached")).collect::<Vec<_>>()
    };
    until("the others have ended", || (hosts().len() == 1).then_some(()));
    assert_eq!(place.json(&["terminal", "list"]).as_array().map(Vec::len), Some(8));
    // One more is told who is there, and takes nothing away.
    let pid = place.running_host();
    let _ = place.fails(1, &["already runs", "host stop", &pid.to_string()], &["host"]);
    assert_eq!(place.host(), Some(pid));
}

#[test]
fn a_killed_host_leaves_a_socket_that_stops_nobody() {
    let place = Place::new();
    let _ = place.ok(&["terminal", "new", "--", "sleep", "600"]);
    let first = place.running_host();
    place.kill_host();
    assert!(place.home().socket().exists(), "the socket of the dead host is still there");
    // Nothing is started for somebody who only looks; what there was and how it goes on is said.
    for args in [&["list"][..], &["run", "list"], &["run", "show", "r1"], &["agent", "list"]] {
        let process = format!("process {first}");
        let words = ["ended unexpectedly", &process, "are kept and go on at the next start"];
        let _ = place.fails(3, &words, args);
    }
    let id = place.ok(&["terminal", "new", "--", "sleep", "600"]);
    assert_ne!(id, "t1", "ids are never used again");
    assert_ne!(place.running_host(), first);
    until("the dead host's terminal is ended", || (place.children().len() == 1).then_some(()));
    // Something that is no socket at all.
    let _ = place.ok(&["host", "stop"]);
    let _ = fs::remove_file(place.home().socket());
    fs::write(place.home().socket(), "not a socket").expect("written");
    let _ = place.ok(&["terminal", "new", "--", "true"]);
}

#[test]
fn a_terminated_host_takes_its_children_with_it() {
    let place = Place::new();
    let stubborn = "trap '' HUP TERM; while :; do sleep 1; done";
    let _ = place.ok(&["terminal", "new", "--", "sh", "-c", stubborn]);
    let host = Pid::from_raw(place.running_host()).expect("a process");
    kill_process(host, Signal::TERM).expect("it is ours");
    until("the host ends", || place.host().is_none().then_some(()));
    until("its children have ended", || place.children().is_empty().then_some(()));
}

#[test]
fn a_host_started_inside_a_terminal_is_no_part_of_it() {
    let place = Place::new();
    let mut command = place.command(["host"]);
    for (name, value) in [("HOST", "h"), ("AGENT", "a1"), ("TERMINAL", "t1"), ("RUN", "r1")] {
        let _ = command.env(format!("MAESTRO_{name}"), value);
    }
    let mut host = command.spawn().expect("it starts");
    let pid = host.id() as i32;
    until("it is the host", || (place.host() == Some(pid)).then_some(()));
    until("it answers", || (place.run(&["host", "status"]).code == Some(0)).then_some(()));
    let environ = fs::read(format!("/proc/{pid}/environ")).expect("ours");
    let environ = String::from_utf8_lossy(&environ).into_owned();
    for mark in ["MAESTRO_HOST=", "MAESTRO_AGENT=", "MAESTRO_TERMINAL=", "MAESTRO_RUN="] {
        assert!(!environ.contains(mark), "{mark}");
    }
    assert!(environ.contains("MAESTRO_HOME="), "the rest stays");
    let _ = place.ok(&["host", "stop"]);
    assert_eq!(wait(&mut host, DEADLINE), Some(0));
}

#[test]
fn a_newer_database_is_refused_and_left_alone() {
    let place = Place::new();
    let dir = place.repository("shop").display().to_string();
    let _ = place.ok(&["agent", "new", "kept", "-p", "demo", "-d", &dir, "--no-start"]);
    let _ = place.ok(&["host", "stop"]);
    let database = place.home().database();
    let original = fs::read(&database).expect("there");
    // The format's own field for the version of what is in it.
    let mut newer = original.clone();
    newer[60..64].copy_from_slice(&900_u32.to_be_bytes());
    fs::write(&database, &newer).expect("written");
    let _ = place.fails(1, &["newer"], &["terminal", "new", "--", "true"]);
    assert_eq!(fs::read(&database).expect("there"), newer);
    fs::write(&database, &original).expect("written");
    assert_eq!(place.ok(&["agent", "open", "kept"]), "a1");
}

/// Something that listens where the host would.
fn impostor(place: &Place, serve: impl Fn(UnixStream) + Send + 'static) {
    place.home().create().expect("made");
    let listener = UnixListener::bind(place.home().socket()).expect("bound");
    let _ = std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            serve(stream);
        }
    });
}

#[test]
fn another_version_is_refused_with_both_versions() {
    let place = Place::new();
    let other = message::VERSION + 7;
    let (heard, hear) = mpsc::channel();
    impostor(&place, move |mut stream| {
        let _ = heard.send(Hello::read_blocking(&mut stream).map(|hello| hello.protocol).ok());
        let hello = Hello { protocol: other, program: "9.9.9".into(), verdict: String::new() };
        let _ = stream.write_all(&hello.to_bytes());
        let _ = stream.read(&mut [0; 256]);
    });
    let protocol = format!("protocol {other}");
    let words = ["9.9.9", &protocol, env!("CARGO_PKG_VERSION"), "update this one"];
    for args in [&["list"][..], &["terminal", "new", "--", "true"]] {
        let _ = place.fails(1, &words, args);
        assert_eq!(hear.recv_timeout(DEADLINE), Ok(Some(message::VERSION)));
    }
}

#[test]
fn what_is_no_host_is_recognised() {
    let place = Place::new();
    impostor(&place, |mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        let _ = stream.read(&mut [0; 256]);
    });
    let _ = place.fails(1, &["not Maestro"], &["list"]);
}

#[test]
fn a_host_that_never_answers_is_given_up() {
    let place = Place::new();
    impostor(&place, |mut stream| {
        let _ = stream.write_all(&Hello::ours().to_bytes());
        let _ = stream.read(&mut [0; 256]);
        // Held open, and silent.
        std::mem::forget(stream);
    });
    let _ = place.fails(5, &["did not answer"], &["list"]);
}

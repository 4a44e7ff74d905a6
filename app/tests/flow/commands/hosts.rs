//! The host's life: on demand, once, and gone when told.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixListener;

use maestro_protocol::codec::Hello;
use maestro_protocol::message;

use super::support::{Stage, eventually, finish};

#[test]
fn a_host_starts_on_demand_and_stops_when_told() {
    let stage = Stage::new();
    let terminal = stage.ok(&["terminal", "new", "--", "sleep", "600"]);
    let status = stage.json(&["host", "status"]);
    assert_eq!(status["terminals"], 1);
    assert_eq!(status["home"], stage.home().to_str().expect("text"));
    assert!(!stage.marked().is_empty(), "the terminal's child carries no marker");
    assert_eq!(stage.json(&["terminal", "list"])[0]["id"], terminal.as_str());
    let _ = stage.ok(&["host", "stop"]);
    let _ = stage.refused(3, &["host", "status"]);
    assert!(eventually(|| stage.marked().is_empty()), "left behind: {:?}", stage.marked());
}

#[test]
fn a_second_host_is_refused_with_who_has_the_first() {
    let stage = Stage::new();
    let _ = stage.ok(&["terminal", "new", "--", "sleep", "600"]);
    let pid = stage.host_pid().expect("a host").to_string();
    let sentence = stage.refused(1, &["host"]);
    assert!(sentence.contains(&pid) && sentence.contains("already runs"), "{sentence}");
    assert_eq!(stage.host_pid().expect("still there").to_string(), pid);
}

#[test]
fn clients_that_start_a_host_at_the_same_moment_get_the_same_one() {
    let stage = Stage::new();
    let clients: Vec<_> = (0..6)
        .map(|_| {
            let command = stage.maestro(&["terminal", "new", "--", "sleep", "600"]);
            std::thread::spawn(move || finish(command))
        })
        .collect();
    for client in clients {
        let came = client.join().expect("ended");
        assert_eq!(came.code, 0, "{came:?}");
    }
    let terminals = stage.json(&["terminal", "list"]);
    assert_eq!(terminals.as_array().map(Vec::len), Some(6), "{terminals}");
}

#[test]
fn a_killed_host_leaves_a_socket_that_stops_nobody() {
    let stage = Stage::new();
    let _ = stage.ok(&["terminal", "new", "--", "sleep", "600"]);
    let first = stage.host_pid().expect("a host");
    kill("-KILL", first);
    assert!(eventually(|| stage.host_pid().is_none()));
    // Nothing is started for somebody who only looks; what there was and how it goes on is said.
    for args in [&["list"][..], &["run", "list"], &["run", "show", "r1"], &["agent", "list"]] {
        let sentence = stage.refused(3, args);
        assert!(sentence.contains(&format!("process {first}")), "{sentence}");
        assert!(sentence.contains("are kept and go on at the next start"), "{sentence}");
    }
    let _ = stage.ok(&["terminal", "new", "--", "sleep", "600"]);
    let second = stage.host_pid().expect("another host");
    assert_ne!(first, second);
    // What the first one started is gone or taken care of: one marker is left, the second's.
    let clean = eventually(|| {
        let mut markers: Vec<String> = stage.marked().into_iter().map(|(_, m)| m).collect();
        markers.dedup();
        markers.len() == 1
    });
    assert!(clean, "{:?}", stage.marked());
}

#[test]
fn a_terminated_host_takes_its_children_with_it() {
    let stage = Stage::new();
    let stubborn = "trap '' HUP TERM; while :; do sleep 1; done";
    let _ = stage.ok(&["terminal", "new", "--", "sh", "-c", stubborn]);
    kill("-TERM", stage.host_pid().expect("a host"));
    assert!(eventually(|| stage.host_pid().is_none()));
    assert!(eventually(|| stage.marked().is_empty()), "left behind: {:?}", stage.marked());
}

#[test]
fn a_host_with_another_protocol_is_said_in_a_sentence() {
    let stage = Stage::new();
    let run = stage.home().join("run");
    std::fs::create_dir_all(&run).expect("a folder");
    let socket = UnixListener::bind(run.join("host.sock")).expect("bound");
    let other = std::thread::spawn(move || {
        let (mut client, _) = socket.accept().expect("a client");
        let heard = Hello::read_blocking(&mut client).expect("a hello");
        let hello = Hello {
            protocol: message::VERSION + 7,
            program: "12.0.0".to_owned(),
            verdict: String::new(),
        };
        client.write_all(&hello.to_bytes()).expect("answered");
        let _ = client.read(&mut [0; 16]);
        heard
    });
    let sentence = stage.refused(1, &["list"]);
    assert!(sentence.contains("12.0.0") && sentence.contains("update this one"), "{sentence}");
    assert_eq!(other.join().expect("ended").protocol, message::VERSION);
}

#[test]
#[cfg(target_os = "linux")]
fn a_host_started_inside_a_terminal_is_no_part_of_it() {
    let stage = Stage::new();
    let mut command = stage.maestro(&["host"]);
    for (name, value) in [("HOST", "h"), ("AGENT", "a1"), ("TERMINAL", "t1"), ("RUN", "r1")] {
        let _ = command.env(format!("MAESTRO_{name}"), value);
    }
    let mut host = command.spawn().expect("it starts");
    assert!(eventually(|| stage.host_pid() == Some(host.id())), "{}", stage.log());
    let environ = std::fs::read(format!("/proc/{}/environ", host.id())).expect("ours");
    let environ = String::from_utf8_lossy(&environ).into_owned();
    for mark in ["MAESTRO_HOST=", "MAESTRO_AGENT=", "MAESTRO_TERMINAL=", "MAESTRO_RUN="] {
        assert!(!environ.contains(mark), "{mark}");
    }
    assert!(environ.contains("MAESTRO_HOME="), "the rest stays");
    let _ = stage.ok(&["host", "stop"]);
    let ended = super::support::wait(&mut host, super::support::LONG);
    assert_eq!(ended, Some(0));
}

pub fn kill(signal: &str, pid: u32) {
    let status = std::process::Command::new("kill").args([signal, &pid.to_string()]).status();
    assert!(status.expect("kill runs").success());
}

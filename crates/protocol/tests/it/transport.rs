//! Connections: in process and over the socket, the polite and the rude.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use maestro_core::TerminalId;
use maestro_core::screen::{Frame, Modes, Scroll, Size};
use maestro_protocol::client::{self, Blocking, Start};
use maestro_protocol::codec::{self, Hello, MAX_TO_CLIENT, MAX_TO_HOST};
use maestro_protocol::home::Lock;
use maestro_protocol::message::{self, Command, ErrorKind, Event, Reply, ToClient, ToHost};
use maestro_protocol::server::{Listener, Peer};
use maestro_protocol::{Home, Incoming};

/// What a test may take at most; only a test that fails comes near it.
const LONG: Duration = Duration::from_secs(30);

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime")
}

fn within<T>(work: impl Future<Output = T>) -> T {
    runtime().block_on(async { tokio::time::timeout(LONG, work).await.expect("in time") })
}

/// A home folder with a host that answers every request with its own number, as text.
struct Echo {
    home: Home,
    _lock: Lock,
    _runtime: tokio::runtime::Runtime,
    _folder: tempfile::TempDir,
}

impl Echo {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home::at(folder.path()).expect("absolute");
        let lock = home.lock().expect("the lock");
        let runtime = runtime();
        let listener =
            runtime.block_on(async { Listener::bind(&home, &lock) }).expect("the socket");
        let serving = runtime.spawn(async move {
            loop {
                let connection = listener.accept().await.expect("a connection");
                let echoing = tokio::spawn(async move {
                    if let Ok(peer) = connection.handshake(None).await {
                        echo(peer).await;
                    }
                });
                drop(echoing);
            }
        });
        drop(serving);
        Self { home, _lock: lock, _runtime: runtime, _folder: folder }
    }

    fn blocking(&self) -> Blocking {
        Blocking::connect(&self.home, &Start::Never).expect("connected")
    }
}

async fn echo(mut peer: Peer) {
    while let Ok(Some(message)) = peer.receiver.recv().await {
        if let ToHost::Request { id, command } = message {
            let event = ToClient::Event { seq: id, event: Event::HostStopping };
            let _ = peer.sender.send(&event).await;
            let text = match command {
                Command::SendBytes { bytes, .. } => "x".repeat(bytes.len()),
                Command::World { .. } => "x".repeat(MAX_TO_CLIENT),
                _ => id.to_string(),
            };
            let _ = peer
                .sender
                .send(&ToClient::Reply { id, result: Ok(Reply::Text(Some(text))) })
                .await;
        }
        if peer.sender.flush().await.is_err() {
            return;
        }
    }
}

fn frame(generation: u64) -> Frame {
    Frame {
        terminal: TerminalId(1),
        generation,
        size: Size::new(80, 24),
        full: true,
        rows: Vec::new(),
        cursor: None,
        modes: Modes::default(),
        scroll: Scroll::default(),
        colors: Vec::new(),
        pointer: maestro_core::screen::Pointer::Default,
        flooding: false,
        input_seq: 0,
    }
}

#[test]
fn requests_are_answered_each_with_its_own_answer() {
    within(async {
        let ((client, _incoming), peer) = maestro_protocol::in_process().await.expect("connected");
        drop(tokio::spawn(echo(peer)));
        let (first, second) =
            tokio::join!(client.request(Command::HostStatus), client.request(Command::ListRuns));
        assert_eq!(first, Ok(Reply::Text(Some("1".to_owned()))));
        assert_eq!(second, Ok(Reply::Text(Some("2".to_owned()))));
    });
}

#[test]
fn requests_are_sent_in_the_order_they_were_made_in_whoever_waits_first() {
    within(async {
        let ((client, _incoming), peer) = maestro_protocol::in_process().await.expect("connected");
        drop(tokio::spawn(echo(peer)));
        let first = client.request(Command::HostStatus);
        let second = client.request(Command::ListRuns);
        assert_eq!(second.await, Ok(Reply::Text(Some("2".to_owned()))));
        assert_eq!(first.await, Ok(Reply::Text(Some("1".to_owned()))));
    });
}

#[test]
fn events_and_frames_arrive_in_order_and_then_the_end() {
    within(async {
        let ((client, mut incoming), mut peer) =
            maestro_protocol::in_process().await.expect("connected");
        let sender = async {
            for seq in 1..=3 {
                let event = Event::Bell(TerminalId(seq));
                peer.sender.send(&ToClient::Event { seq, event }).await.expect("sent");
            }
            peer.sender.send(&ToClient::Frame(Box::new(frame(7)))).await.expect("sent");
            peer.sender.close().await.expect("closed");
        };
        let receiver = async {
            for expected in 1..=3 {
                let next = incoming.recv().await;
                assert!(matches!(next, Some(Incoming::Event { seq, .. }) if seq == expected));
            }
            assert!(
                matches!(incoming.recv().await, Some(Incoming::Frame(frame)) if frame.generation == 7)
            );
            assert!(matches!(incoming.recv().await, Some(Incoming::Closed(_))));
            assert!(incoming.recv().await.is_none());
        };
        let ((), ()) = tokio::join!(sender, receiver);
        assert!(client.is_closed());
        let refused = client.request(Command::ListRuns).await.expect_err("closed");
        assert!(refused.message.contains("connect again"), "{refused}");
    });
}

#[test]
fn whoever_waits_for_an_answer_learns_that_the_host_is_gone() {
    within(async {
        let ((client, _incoming), peer) = maestro_protocol::in_process().await.expect("connected");
        let (answer, ()) = tokio::join!(client.request(Command::HostStatus), async move {
            let mut peer = peer;
            let _ = peer.receiver.recv().await.expect("a request");
            drop(peer);
        });
        assert_eq!(answer.expect_err("gone").kind, ErrorKind::Failed);
    });
}

#[test]
fn a_host_that_reads_nothing_costs_the_connection_not_the_window() {
    within(async {
        let ((client, _incoming), _peer) = maestro_protocol::in_process().await.expect("connected");
        let lost = (0..2_000_000).find(|_| client.credit(TerminalId(u64::MAX)).is_err());
        assert!(lost.is_some(), "the queue has no bound");
        assert!(client.is_closed());
    });
}

#[test]
fn input_is_numbered_in_the_order_in_which_it_is_sent() {
    within(async {
        let ((client, _incoming), mut peer) =
            maestro_protocol::in_process().await.expect("connected");
        for expected in 1..=3 {
            let sent = client.input(TerminalId(1), maestro_core::input::Input::Focus(true));
            assert_eq!(sent, Ok(expected));
        }
        for expected in 1..=3 {
            let message = peer.receiver.recv().await.expect("readable");
            assert!(matches!(message, Some(ToHost::Input { seq, .. }) if seq == expected));
        }
    });
}

#[test]
fn what_is_too_large_is_refused_on_both_sides() {
    within(async {
        let ((client, _incoming), peer) = maestro_protocol::in_process().await.expect("connected");
        drop(tokio::spawn(echo(peer)));
        let bytes = vec![0; MAX_TO_HOST + 1];
        let refused = client.request(Command::SendBytes { terminal: TerminalId(1), bytes }).await;
        assert_eq!(refused.expect_err("too large").kind, ErrorKind::Invalid);
        let refused = client.request(Command::World { follow: false }).await;
        assert!(refused.expect_err("too large").message.contains("ask for less"));
        assert!(client.request(Command::ListRuns).await.is_ok());
    });
}

#[test]
fn a_blocking_client_asks_and_hears() {
    let host = Echo::start();
    let mut client = host.blocking();
    let answer = client.request(Command::HostStatus, LONG).expect("answered");
    assert_eq!(answer, Reply::Text(Some("1".to_owned())));
    let heard = client.next(Some(LONG)).expect("an event");
    assert!(matches!(heard, Incoming::Event { seq: 1, .. }), "{heard:?}");
    let silent = client.next(Some(Duration::from_millis(20)));
    assert!(matches!(silent, Err(client::Error::TimedOut(_))), "{silent:?}");
}

#[test]
fn the_window_s_client_works_over_the_socket_too() {
    let host = Echo::start();
    within(async {
        let (client, _incoming) =
            client::connect(&host.home, &Start::Never).await.expect("connected");
        let bytes = vec![0; 1 << 20];
        let answer = client.request(Command::SendBytes { terminal: TerminalId(1), bytes }).await;
        assert_eq!(answer, Ok(Reply::Text(Some("x".repeat(1 << 20)))));
    });
}

#[test]
fn nobody_there_is_said_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::at(folder.path().join("none")).expect("absolute");
    let error = Blocking::connect(&home, &Start::Never).expect_err("nobody");
    assert!(matches!(error, client::Error::NoHost(_)), "{error}");
    assert!(!home.root().exists(), "asking must not create anything");
}

#[test]
fn a_program_that_is_no_host_is_reported_with_its_last_words() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::at(folder.path().join("home")).expect("absolute");
    let program = folder.path().join("broken");
    std::fs::write(&program, "#!/bin/sh\necho 'maestro: the disk is full' >&2\nexit 1\n")
        .expect("written");
    let status = std::process::Command::new("chmod").arg("+x").arg(&program).status();
    assert!(status.expect("chmod runs").success());
    let start = Start::OnDemand { program: Some(program) };
    let error = Blocking::connect(&home, &start).expect_err("broken").to_string();
    assert!(error.contains("the disk is full"), "{error}");
    let start = Start::OnDemand { program: Some(folder.path().join("missing")) };
    let error = Blocking::connect(&home, &start).expect_err("missing").to_string();
    assert!(error.contains("missing cannot be run"), "{error}");
}

#[test]
fn a_socket_nobody_answers_on_is_replaced_and_a_live_one_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::at(folder.path()).expect("absolute");
    let lock = home.lock().expect("the lock");
    // Dropping the standard library's listener leaves the file: what a killed host leaves.
    let stale = std::os::unix::net::UnixListener::bind(home.socket()).expect("bound");
    drop(stale);
    assert!(home.socket().exists());
    runtime().block_on(async {
        let listener = Listener::bind(&home, &lock).expect("replaced");
        let refused = Listener::bind(&home, &lock).expect_err("it is answered");
        assert!(refused.to_string().contains("already answers"), "{refused}");
        drop(listener);
    });
}

#[test]
fn rude_clients_cost_nobody_else_anything() {
    let host = Echo::start();
    let path = host.home.socket();
    let connect = || UnixStream::connect(&path).expect("connected");
    let mut silent = connect();
    silent.write_all(b"maes").expect("written");
    connect().write_all(b"GET / HTTP/1.1\r\n\r\n").expect("written");
    let mut garbage = connect();
    garbage.write_all(&Hello::ours().to_bytes()).expect("written");
    let greeted = Hello::read_blocking(&mut garbage).expect("greeted");
    assert_eq!(greeted, Hello::ours());
    garbage.write_all(&[0xff; 64]).expect("written");
    let mut rest = Vec::new();
    let _ = garbage.read_to_end(&mut rest);
    assert!(rest.is_empty(), "garbage was answered with {rest:?}");
    // Asks and never reads the answers.
    let mut deaf = host.blocking();
    let request = |id| ToHost::Request {
        id,
        command: Command::SendBytes { terminal: TerminalId(1), bytes: vec![0; 1 << 19] },
    };
    deaf.send(&request(1)).expect("sent");
    let answer = host.blocking().request(Command::HostStatus, LONG);
    assert!(answer.is_ok(), "{answer:?}");
}

#[test]
fn versions_that_differ_refuse_each_other_with_a_sentence() {
    let host = Echo::start();
    let mut stream = UnixStream::connect(host.home.socket()).expect("connected");
    let old =
        Hello { protocol: message::VERSION + 1, program: "9.9.9".to_owned(), ..Hello::ours() };
    stream.write_all(&old.to_bytes()).expect("written");
    // The host still answers in the format that never changes, so that the client can tell its user.
    let answer = Hello::read_blocking(&mut stream).expect("answered");
    assert_eq!(answer.protocol, message::VERSION);
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    assert!(rest.is_empty());
}

#[test]
fn a_refused_client_is_told_why() {
    within(async {
        let (client, connection) = maestro_protocol::in_process_halves();
        let (client, peer) =
            tokio::join!(client, connection.handshake(Some("the host is stopping")));
        let error = client.map(drop).expect_err("refused").to_string();
        assert!(error.contains("the host is stopping"), "{error}");
        assert!(peer.is_err());
    });
}

#[test]
fn a_host_of_another_version_is_named_with_what_to_do_about_it() {
    for (theirs, advice) in
        [(message::VERSION + 1, "update this one"), (message::VERSION - 1, "`maestro host stop`")]
    {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home::at(folder.path()).expect("absolute");
        home.create().expect("made");
        let socket = std::os::unix::net::UnixListener::bind(home.socket()).expect("bound");
        let host = std::thread::spawn(move || {
            for _ in 0..2 {
                let (mut stream, _) = socket.accept().expect("a client");
                let hello =
                    Hello { protocol: theirs, program: "9.9.9".to_owned(), ..Hello::ours() };
                stream.write_all(&hello.to_bytes()).expect("written");
                let client = Hello::read_blocking(&mut stream).expect("it said hello, too");
                assert_eq!(client, Hello::ours());
            }
        });
        // Also one that may start a host: this one is there and must not be replaced.
        let blocking = Blocking::connect(&home, &Start::ON_DEMAND).expect_err("another version");
        let window =
            within(client::connect(&home, &Start::ON_DEMAND)).expect_err("another version");
        for error in [blocking, window] {
            let text = error.to_string();
            assert!(text.contains("9.9.9") && text.contains(advice), "{text}");
        }
        host.join().expect("no panic");
    }
}

#[test]
fn a_host_that_did_not_end_by_itself_is_spoken_of() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::at(folder.path().join("home")).expect("absolute");
    drop(home.lock().expect("the lock"));
    let error = Blocking::connect(&home, &Start::Never).expect_err("nobody");
    assert!(matches!(error, client::Error::NoHost(_)), "{error}");
    // Killed: its number stays in the file that nobody holds.
    std::fs::write(home.lock_file(), "4711\n").expect("written");
    for error in [
        Blocking::connect(&home, &Start::Never).expect_err("nobody"),
        within(client::connect(&home, &Start::Never)).expect_err("nobody"),
    ] {
        let text = error.to_string();
        assert!(matches!(error, client::Error::Died { pid: 4711, .. }), "{text}");
        assert!(text.contains("are kept") && text.contains("`maestro host`"), "{text}");
    }
}

/// A host that is ending turns newcomers away; one that may start a host waits for the end instead of
/// telling its user to try again.
#[test]
fn whoever_comes_while_a_host_ends_waits_for_the_next() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::at(folder.path()).expect("absolute");
    let lock = home.lock().expect("the lock");
    let (runtime, turned_away) = (runtime(), std::sync::Arc::new(tokio::sync::Notify::new()));
    let told = std::sync::Arc::clone(&turned_away);
    let (place, listener) =
        (home.clone(), runtime.block_on(async { Listener::bind(&home, &lock) }).expect("bound"));
    let serving = runtime.spawn(async move {
        for _ in 0..2 {
            let connection = listener.accept().await.expect("a connection");
            let _ = connection.handshake(Some(codec::STOPPING)).await;
        }
        told.notify_one();
        // Its place is taken by another; to the client it is one that somebody else started.
        drop(listener);
        let listener = Listener::bind(&place, &lock).expect("bound again");
        loop {
            if let Ok(peer) = listener.accept().await.expect("a connection").handshake(None).await {
                echo(peer).await;
            }
        }
    });
    let nobody = Start::OnDemand { program: Some("/bin/false".into()) };
    let mut client = Blocking::connect(&home, &nobody).expect("it waited");
    assert!(client.request(Command::HostStatus, LONG).is_ok());
    // And it was turned away before.
    runtime.block_on(turned_away.notified());
    serving.abort();
}

#[test]
#[cfg(target_os = "linux")]
fn a_start_that_met_the_lock_of_a_host_at_its_end_is_tried_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::at(folder.path().join("home")).expect("absolute");
    let lock = home.lock().expect("the lock");
    let starts = folder.path().join("starts");
    let program = folder.path().join("program");
    let script = format!("#!/bin/sh\necho $$ >> {}\nexit 1\n", starts.display());
    std::fs::write(&program, script).expect("written");
    let status = std::process::Command::new("chmod").arg("+x").arg(&program).status();
    assert!(status.expect("chmod runs").success());
    let (place, start) = (home.clone(), Start::OnDemand { program: Some(program) });
    let client = std::thread::spawn(move || Blocking::connect(&place, &start).map(drop));
    let started = || std::fs::read_to_string(&starts).unwrap_or_default();
    let wait = |what: &str, done: &dyn Fn() -> bool| {
        let deadline = std::time::Instant::now() + LONG;
        while !done() {
            assert!(std::time::Instant::now() < deadline, "{what}: {}", started());
            std::thread::sleep(Duration::from_millis(2));
        }
    };
    // It is out of the process table once the client has asked for it, and seen whose the lock is.
    let gone = |pid: &str| !std::path::Path::new("/proc").join(pid).exists();
    wait("the first start ends", &|| started().lines().next().is_some_and(gone));
    assert!(Blocking::connect(&home, &Start::Never).is_err());
    drop(lock);
    wait("the second start", &|| started().lines().count() == 2);
    // That one met nobody's lock, so the start has failed.
    let failed = client.join().expect("no panic").expect_err("it is no host");
    assert!(matches!(failed, client::Error::Start { .. }), "{failed}");
    assert_eq!(started().lines().count(), 2);
}

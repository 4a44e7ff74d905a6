//! The host's own life: one per home, a stop with a bound, no life without work.

use std::time::{Duration, Instant};

use maestro_core::agent::Provider;
use maestro_engine::host::{Error, Host};
use maestro_protocol::client::{self, Start};
use maestro_protocol::message::{Command, Event, Reply};
use maestro_pty::Marker;

use crate::harness::{DEADLINE, Place, User, stop, wait, within};

#[tokio::test(flavor = "multi_thread")]
async fn of_many_hosts_racing_for_one_home_one_wins() {
    let place = Place::new();
    let mut starts = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let mut options = place.options();
        options.listen = true;
        let _ = starts.spawn(Host::start(options));
    }
    let mut winners = Vec::new();
    while let Some(result) = starts.join_next().await {
        match result.expect("no panic") {
            Ok(host) => winners.push(host),
            Err(error) => {
                assert!(error.to_string().contains("already runs"), "{error}");
            }
        }
    }
    assert_eq!(winners.len(), 1);
    let (client, _incoming) =
        client::connect(&place.home(), &Start::Never).await.expect("the winner answers");
    assert!(matches!(client.request(Command::HostStatus).await, Ok(Reply::HostStatus(_))));
    stop(&winners[0]).await;
    // And once it has stopped, the next may start at once.
    let next = place.host_with(|options| options.listen = true).await;
    stop(&next).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_that_nobody_answers_on_is_no_obstacle() {
    let place = Place::new();
    place.home().create().expect("made");
    let left_behind = std::os::unix::net::UnixListener::bind(place.home().socket()).expect("bound");
    drop(left_behind);
    assert!(place.home().socket().exists());
    let host = place.host_with(|options| options.listen = true).await;
    let (client, _incoming) =
        client::connect(&place.home(), &Start::Never).await.expect("it answers");
    assert!(client.request(Command::World { follow: false }).await.is_ok());
    stop(&host).await;
    wait("the socket is gone", || !place.home().socket().exists()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_database_is_refused_and_left_alone() {
    let place = Place::new();
    let host = place.host().await;
    stop(&host).await;
    let path = place.home().database();
    // The format's number lies at byte 60 of every SQLite file.
    let mut bytes = std::fs::read(&path).expect("read");
    bytes[60..64].copy_from_slice(&9999_u32.to_be_bytes());
    std::fs::write(&path, &bytes).expect("written");
    let error = Host::start(place.options()).await.expect_err("newer");
    assert!(matches!(error, Error::Store(_)), "{error:?}");
    assert!(error.to_string().contains("newer Maestro"), "{error}");
    assert_eq!(std::fs::read(&path).expect("read"), bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_cannot_be_read_costs_nobody_the_others() {
    let place = Place::new();
    let host = place.host().await;
    let user = User::of(&host).await;
    for name in ["first", "second"] {
        let _ = user.new_agent(Provider::Shell, &place.folder(name), name).await;
    }
    host.recovered().await;
    stop(&host).await;
    let path = place.home().database();
    let mut bytes = std::fs::read(&path).expect("read");
    let name = b"\"name\":\"first\"";
    let at = bytes.windows(name.len()).position(|part| part == name).expect("it is there");
    // Still JSON, and no agent any more.
    bytes[at + 2] = b'o';
    std::fs::write(&path, &bytes).expect("written");
    let copy = std::fs::read(path.with_file_name("maestro.db.bak")).expect("a copy");

    let host = place.host().await;
    within("recovery", host.recovered()).await;
    let user = User::of(&host).await;
    let agents = user.world(true).await.agents;
    assert_eq!(agents.iter().map(|agent| agent.name.as_str()).collect::<Vec<_>>(), ["second"]);
    user.until("the problem", |state| {
        state.events.iter().find_map(|event| match event {
            Event::Problem { text, .. } => {
                (text.contains("agent a1 cannot be read") && text.contains(".bak")).then_some(())
            }
            _ => None,
        })
    })
    .await;
    stop(&host).await;
    let kept = std::fs::read(path.with_file_name("maestro.db.bak")).expect("a copy");
    assert!(kept == copy, "the last good copy was replaced");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_is_bounded_and_leaves_nothing_running() {
    let place = Place::new();
    let host = place.host_with(|options| options.listen = true).await;
    let (client, _incoming) =
        client::connect(&place.home(), &Start::Never).await.expect("it answers");
    let user = User::of(&host).await;
    for _ in 0..4 {
        let terminal = user.sh("trap '' HUP TERM; echo ready; while :; do sleep 1; done").await.id;
        user.until_read(terminal, "ready").await;
    }
    let marker = Marker::new([("MAESTRO_HOST".to_owned(), host.instance().to_owned())]);
    assert!(marker.processes().len() >= 4);
    let begin = Instant::now();
    assert_eq!(client.request(Command::StopHost).await, Ok(Reply::Done));
    user.until("the goodbye", |state| state.events.contains(&Event::HostStopping).then_some(()))
        .await;
    within("the host stops", host.stopped()).await;
    assert!(begin.elapsed() < DEADLINE / 2, "{:?}", begin.elapsed());
    assert_eq!(marker.processes(), []);
    let _ = user.until("the connection's end", |state| state.closed.clone()).await;
    assert!(client.request(Command::HostStatus).await.is_err());
    assert!(place.home().lock().is_ok(), "the lock is free");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_work_and_clients_it_ends_by_itself_and_never_with_a_terminal() {
    let place = Place::new();
    let idle = Duration::from_millis(600);
    let host = place.host_with(|options| options.idle = Some(idle)).await;
    let user = User::of(&host).await;
    let done = place.path("done");
    let script = format!("sleep 2; touch {}", done.display());
    let _ = user.sh(&script).await;
    user.leave();
    // It outlives its clients for as long as the terminal works, and no longer.
    within("it ends", host.stopped()).await;
    assert!(done.exists(), "it ended before its terminal did");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_world_and_the_events_after_it_fit_together() {
    let place = Place::new();
    let host = place.host().await;
    let busy = User::of(&host).await;
    let writer = tokio::spawn(async move {
        for number in 0..200 {
            let value = Some(number.to_string());
            busy.done(Command::SetPreference { key: "n".into(), value }).await;
        }
    });
    let (client, mut incoming) = host.connect().await.expect("connected");
    let Ok(Reply::World(world)) = client.request(Command::World { follow: true }).await else {
        panic!("no world")
    };
    let mut preference = world.preferences.first().map(|(_, value)| value.clone());
    let mut seq = world.seq;
    while preference.as_deref() != Some("199") {
        match within("an event", incoming.recv()).await {
            Some(client::Incoming::Event { seq: next, event }) => {
                assert_eq!(next, seq + 1, "no event is missing or told twice");
                seq = next;
                if let Event::Preference { value, .. } = event {
                    preference = value;
                }
            }
            other => panic!("unexpected: {other:?}"),
        }
    }
    writer.await.expect("no panic");
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_said_and_costs_nothing_that_was_acknowledged() {
    let place = Place::new();
    let Some(disk) = place.small_home("900k") else {
        eprintln!("SKIPPED: no file system can be mounted here (this needs root)");
        return;
    };
    let host = place.host().await;
    let user = User::of(&host).await;
    let terminal = user.sh("echo ready; read x; echo \"got <$x>\"").await.id;
    user.watch(terminal, true).await;
    let _ = user.until_shown(terminal, "ready").await;
    disk.fill();
    let set = |number: u32, size: usize| Command::SetPreference {
        key: format!("k{number}"),
        value: Some("v".repeat(size)),
    };
    let mut kept = 0;
    let refused = loop {
        match user.ask(set(kept, 20_000)).await {
            Ok(_) => kept += 1,
            Err(error) => break error,
        }
        assert!(kept < 1000, "the disk has no end");
    };
    assert!(refused.message.contains("full"), "{refused}");
    // What runs goes on, and nothing new is begun that could not be found again.
    let _ = user.type_text(terminal, "on\n");
    let _ = user.until_shown(terminal, "got <on>").await;
    disk.free();
    user.done(set(kept, 20_000)).await;
    user.done(Command::CloseTerminal { terminal }).await;
    let again = user.sh("echo still").await.id;
    user.until_read(again, "still").await;
    stop(&host).await;
    let host = place.host().await;
    let preferences = User::of(&host).await.world(false).await.preferences;
    assert_eq!(preferences.len() as u32, kept + 1);
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_host_may_begin_the_moment_the_lock_is_free() {
    let place = Place::new();
    let mut host = place.host_with(|options| options.listen = true).await;
    for _ in 0..25 {
        host.stop();
        let next = async {
            loop {
                let mut options = place.options();
                options.listen = true;
                match Host::start(options).await {
                    Ok(host) => return host,
                    Err(Error::Home(_)) => tokio::task::yield_now().await,
                    Err(error) => panic!("the lock was free and yet: {error}"),
                }
            }
        };
        host = within("the next host", next).await;
        // The one before may take away its own socket only.
        let (client, _incoming) =
            client::connect(&place.home(), &Start::Never).await.expect("it answers");
        assert!(matches!(client.request(Command::HostStatus).await, Ok(Reply::HostStatus(_))));
    }
    stop(&host).await;
}

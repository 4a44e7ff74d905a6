//! Clients that vanish, lie, flood or never read, while another one works on.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use maestro_core::TerminalId;
use maestro_protocol::message::{Command, ErrorKind, Reply, ToHost};
use maestro_protocol::{Home, client, codec};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::{DEADLINE, Place, User, stop, within};

async fn works_on(user: &User) {
    let terminal = user.sh("echo alive; read x; echo \"got <$x>\"").await.id;
    user.watch(terminal, true).await;
    let _ = user.type_text(terminal, "it\n");
    let _ = user.until_shown(terminal, "got <it>").await;
    user.done(Command::CloseTerminal { terminal }).await;
}

/// Waits until the host knows of no other client.
async fn until_alone(user: &User) {
    let count = async {
        loop {
            match user.ask(Command::HostStatus).await {
                Ok(Reply::HostStatus(status)) if status.clients == 1 => return,
                _ => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    };
    within("the others are forgotten", count).await;
}

fn raw(home: &Home) -> UnixStream {
    let stream = UnixStream::connect(home.socket()).expect("it listens");
    stream.set_read_timeout(Some(DEADLINE)).expect("set");
    stream
}

/// A connection that has shaken hands and speaks bytes from there on.
async fn shaken(home: &Home) -> tokio::net::UnixStream {
    let mut stream = tokio::net::UnixStream::connect(home.socket()).await.expect("it listens");
    stream.write_all(&codec::Hello::ours().to_bytes()).await.expect("sent");
    let host = within("hand-shake", codec::Hello::read(&mut stream)).await.expect("greeted");
    host.check().expect("the same version");
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_costs_its_sender_the_connection_and_nobody_else_anything() {
    let place = Place::new();
    let host = place.host_with(|options| options.listen = true).await;
    let (client, _incoming) =
        client::connect(&place.home(), &client::Start::Never).await.expect("connected");
    let user = User::of(&host).await;
    for garbage in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0xff; 4096], &[0; 64], b""] {
        let mut stream = raw(&place.home());
        let _ = stream.write_all(garbage);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        // Closed or reset, but not hanging.
        let _ = stream.read_to_end(&mut answer);
    }
    for bytes in
        [&[0xff, 0xff, 0xff, 0xff][..], &[8, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255]]
    {
        let mut stream = shaken(&place.home()).await;
        stream.write_all(bytes).await.expect("sent");
        let mut rest = Vec::new();
        let _ = within("cut off", stream.read_to_end(&mut rest)).await;
    }
    works_on(&user).await;
    assert!(matches!(client.request(Command::HostStatus).await, Ok(Reply::HostStatus(_))));
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_requests_that_nobody_reads_the_answers_of() {
    let place = Place::new();
    let host = place.host_with(|options| options.listen = true).await;
    let user = User::of(&host).await;
    let mut stream = shaken(&place.home()).await;
    let mut bytes = Vec::new();
    for id in 0..10_000 {
        // Neither the requests nor the answers fit into what the system keeps of a connection.
        let command = Command::SendBytes { terminal: TerminalId(4711), bytes: vec![7; 1000] };
        let request = ToHost::Request { id, command };
        codec::encode(&request, codec::MAX_TO_HOST, &mut bytes).expect("it fits");
    }
    // At some point the host stops reading: then this stops, too.
    let writing = tokio::spawn(async move {
        let _ = stream.write_all(&bytes).await;
        stream
    });
    works_on(&user).await;
    assert!(!writing.is_finished(), "everything was read, although nobody reads the answers");
    writing.abort();
    until_alone(&user).await;
    works_on(&user).await;
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_requests_are_all_answered() {
    let place = Place::new();
    let host = place.host().await;
    let user = User::of(&host).await;
    let other = User::of(&host).await;
    let mut asked = tokio::task::JoinSet::new();
    // A client's own queue takes some four thousand at once.
    let room = std::sync::Arc::new(tokio::sync::Semaphore::new(3000));
    for number in 0..10_000_u64 {
        let (client, room) = (user.client.clone(), std::sync::Arc::clone(&room));
        let _ = asked.spawn(async move {
            let _room = room.acquire().await.expect("never closed");
            let terminal = TerminalId(1_000_000 + number);
            client.request(Command::ReadTerminal { terminal, history: true }).await
        });
    }
    works_on(&other).await;
    let mut answers = 0;
    while let Some(answer) = within("answers", asked.join_next()).await {
        let answer = answer.expect("no panic").expect_err("there is no such terminal");
        assert_eq!(answer.kind, ErrorKind::NotFound);
        answers += 1;
    }
    assert_eq!(answers, 10_000);
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_may_watch_only_so_much_and_name_only_what_is_there() {
    let place = Place::new();
    let host = place.host().await;
    let user = User::of(&host).await;
    let nothing = TerminalId(4711);
    let refused = user.ask(Command::Subscribe { terminal: nothing, focused: true }).await;
    assert_eq!(refused.expect_err("there is none").kind, ErrorKind::NotFound);
    // Input and credit for nothing are not even an error.
    user.client.credit(nothing).expect("connected");
    let _ = user.type_text(nothing, "x");
    let key = "k".repeat(65);
    let refused = user.ask(Command::SetPreference { key, value: None }).await;
    assert_eq!(refused.expect_err("too long").kind, ErrorKind::Invalid);
    works_on(&user).await;
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_vanishes_in_the_middle_of_a_flood_leaves_nothing() {
    let place = Place::new();
    let host = place.host().await;
    let user = User::of(&host).await;
    let terminal = user.run(&["yes", "flood"]).await.expect("it starts").id;
    for _ in 0..10 {
        let (client, mut incoming) = host.connect().await.expect("connected");
        let _ = client.request(Command::Subscribe { terminal, focused: true }).await;
        let _ = within("a frame", incoming.recv()).await;
        drop((client, incoming));
    }
    until_alone(&user).await;
    works_on(&user).await;
    user.done(Command::CloseTerminal { terminal }).await;
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_message_holds_up_nobody_and_not_the_stop() {
    let place = Place::new();
    let host = place.host_with(|options| options.listen = true).await;
    let user = User::of(&host).await;
    let mut bytes = Vec::new();
    let request = ToHost::Request { id: 1, command: Command::World { follow: true } };
    codec::encode(&request, codec::MAX_TO_HOST, &mut bytes).expect("it fits");
    // Every place where a message can be cut, and a length that promises the most there may be.
    let mut sleepers = Vec::new();
    for end in 1..bytes.len() {
        let mut stream = shaken(&place.home()).await;
        stream.write_all(&bytes[..end]).await.expect("sent");
        sleepers.push(stream);
    }
    let mut stream = shaken(&place.home()).await;
    stream.write_all(&(codec::MAX_TO_HOST as u32).to_le_bytes()).await.expect("sent");
    stream.write_all(&[7; 1000]).await.expect("sent");
    sleepers.push(stream);
    // Nor does one that says nothing at all, or half a hello.
    let mut silent = raw(&place.home());
    silent.write_all(b"maest").expect("sent");
    works_on(&user).await;
    stop(&host).await;
    for mut stream in sleepers {
        let mut rest = Vec::new();
        let _ = within("the end", stream.read_to_end(&mut rest)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn themes_and_subscriptions_without_end_are_not_kept_one_by_one() {
    let place = Place::new();
    let host = place.host().await;
    let user = User::of(&host).await;
    let rude = User::of(&host).await;
    let terminal = user.sh("echo ready; read x").await.id;
    for number in 0..3000_u32 {
        let [_, red, green, blue] = number.to_be_bytes();
        let theme = Command::SetTheme {
            foreground: [red, green, blue],
            background: [0; 3],
            cursor: [0; 3],
            ansi: [[0; 3]; 16],
            dark: true,
        };
        rude.client.tell(theme).expect("connected");
        rude.client.tell(Command::Subscribe { terminal, focused: true }).expect("connected");
        rude.client.tell(Command::Unsubscribe { terminal }).expect("connected");
        if number % 500 == 499 {
            // What was asked before is done by the time of this answer.
            let _ = rude.world(false).await;
        }
    }
    works_on(&user).await;
    stop(&host).await;
}

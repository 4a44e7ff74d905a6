//! Clients that vanish, lie, flood or never read, while another one works on.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use maestro_core::TerminalId;
use maestro_protocol::message::{Command, ErrorKind, Reply, ToHost};
use maestro_protocol::{Home, client, codec};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::{DEADLINE, Place, User, stop, wait, within};

async fn works_on(user: &User) {
    let terminal = user.sh("echo alive; read x; echo \"got <$x>\"").await.id;
    user.watch(terminal, true).await;
    let _ = user.type_text(terminal, "it\n");
    let _ = user.until_shown(terminal, "got <it>").await;
    user.done(Command::CloseTerminal { terminal }).await;
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
        let request = ToHost::Request { id, command: Command::World { follow: id % 2 == 0 } };
        codec::encode(&request, codec::MAX_TO_HOST, &mut bytes).expect("it fits");
    }
    // At some point the host stops reading: then this stops, too.
    let writing = tokio::spawn(async move {
        let _ = stream.write_all(&bytes).await;
        stream
    });
    works_on(&user).await;
    writing.abort();
    wait("it is forgotten", || true).await;
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
    for number in 0..4000_u64 {
        let client = user.client.clone();
        let _ = asked.spawn(async move {
            let terminal = TerminalId(1_000_000 + number);
            client.request(Command::ReadTerminal { terminal, history: true }).await
        });
    }
    works_on(&other).await;
    while let Some(answer) = within("answers", asked.join_next()).await {
        let answer = answer.expect("no panic").expect_err("there is no such terminal");
        assert_eq!(answer.kind, ErrorKind::NotFound);
    }
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
    let count = async {
        loop {
            match user.ask(Command::HostStatus).await {
                Ok(Reply::HostStatus(status)) if status.clients == 1 => return,
                _ => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    };
    within("they are forgotten", count).await;
    works_on(&user).await;
    user.done(Command::CloseTerminal { terminal }).await;
    stop(&host).await;
}

//! Large pastes: whole, in order, in nobody's way.

use std::path::Path;
use std::time::Duration;

use maestro_core::TerminalId;
use maestro_core::input::Input;
use maestro_protocol::message::{Command, Event, Pasting, Reply, TerminalStats};

use crate::harness::{Place, User, stop, wait};

/// Lines that tell where they are, so that a hole or a repetition shows.
fn text(bytes: usize) -> String {
    let mut text = String::with_capacity(bytes + 40);
    let mut line = 0;
    while text.len() < bytes {
        text.push_str(&format!("{line:07} grün 好 and some more\n"));
        line += 1;
    }
    text
}

/// A child in raw mode that does something once it has said that it is ready.
async fn child(user: &User, bracketed: bool, script: &str) -> TerminalId {
    let mode = if bracketed { "h" } else { "l" };
    let all = format!("stty raw -echo; printf '\\033[?2004{mode}ready\\r\\n'; {script}");
    let terminal = user.sh(&all).await.id;
    user.until_read(terminal, "ready").await;
    terminal
}

fn pasting(user: &User, terminal: TerminalId) -> Vec<Option<Pasting>> {
    user.look(|state| {
        let infos = state.events.iter().filter_map(|event| match event {
            Event::Terminal(info) if info.id == terminal => Some(info.pasting),
            _ => None,
        });
        infos.collect()
    })
}

async fn until_pasted(user: &User, terminal: TerminalId) {
    user.until("the paste is over", |state| {
        let last = state.events.iter().rev().find_map(|event| match event {
            Event::Terminal(info) if info.id == terminal => Some(info.pasting),
            _ => None,
        });
        (last == Some(None)).then_some(())
    })
    .await;
}

async fn until_pasting(user: &User, terminal: TerminalId) {
    user.until("the paste goes on", |state| {
        state.events.iter().find_map(|event| match event {
            Event::Terminal(info) if info.id == terminal => info.pasting.map(|_| ()),
            _ => None,
        })
    })
    .await;
}

async fn stats(user: &User, terminal: TerminalId) -> TerminalStats {
    match user.ask(Command::TerminalStats).await {
        Ok(Reply::TerminalStats(all)) => {
            all.into_iter().find(|stats| stats.terminal == terminal).expect("it is there")
        }
        other => panic!("no stats: {other:?}"),
    }
}

#[track_caller]
fn same(file: &Path, expected: &[u8]) {
    let got = std::fs::read(file).expect("written");
    let first = got.iter().zip(expected).position(|(one, other)| one != other);
    assert_eq!((got.len(), first), (expected.len(), None), "it came out different");
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_two_megabytes_arrive_whole_and_what_is_typed_comes_after_them() {
    let place = Place::new();
    let host = place.host().await;
    let user = User::of(&host).await;
    let text = text(32 << 20);
    for bracketed in [true, false] {
        let expected = if bracketed {
            format!("\x1b[200~{text}\x1b[201~after")
        } else {
            text.replace('\n', "\r") + "after"
        };
        let file = place.path(&format!("got-{bracketed}"));
        let take = format!("head -c {} > {}", expected.len(), file.display());
        let terminal = child(&user, bracketed, &take).await;
        let _ = user.client.input(terminal, Input::Paste(text.clone())).expect("connected");
        let _ = user.type_text(terminal, "after");
        assert_eq!(user.until_exit(terminal).await, 0);
        same(&file, expected.as_bytes());
        until_pasted(&user, terminal).await;
        let told = pasting(&user, terminal);
        let total = text.len() as u64;
        assert!(told.iter().flatten().any(|pasting| pasting.total == total), "{told:?}");
        let written: Vec<u64> = told.iter().flatten().map(|pasting| pasting.written).collect();
        assert!(written.is_sorted() && written.iter().all(|written| *written < total), "{told:?}");
    }
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paste_that_nobody_reads_is_in_nobody_s_way() {
    let place = Place::new();
    let host = place.host().await;
    let user = User::of(&host).await;
    let terminal = child(&user, true, "sleep 600").await;
    user.watch(terminal, true).await;
    let text = text(32 << 20);
    let _ = user.client.input(terminal, Input::Paste(text.clone())).expect("connected");
    until_pasting(&user, terminal).await;
    let held = stats(&user, terminal).await;
    assert!(held.unwritten > 31 << 20, "{held:?}");

    let _ = user.client.input(terminal, Input::Paste(text.clone())).expect("connected");
    user.until("the second is refused", |state| {
        state.events.iter().find_map(|event| match event {
            Event::Problem { text, .. } => text.contains("another large paste").then_some(()),
            _ => None,
        })
    })
    .await;
    // A small one waits its turn, as a key does.
    let _ = user.client.input(terminal, Input::Paste("small".into())).expect("connected");
    let other = user.sh("read x; echo \"got <$x>\"").await.id;
    user.watch(other, true).await;
    let _ = user.type_text(other, "it\n");
    let _ = user.until_shown(other, "got <it>").await;

    user.done(Command::CancelPaste { terminal }).await;
    until_pasted(&user, terminal).await;
    let left = stats(&user, terminal).await;
    assert!(left.unwritten < 128 << 10, "{left:?}");
    // There is room for another now.
    let _ = user.client.input(terminal, Input::Paste(text)).expect("connected");
    user.until("it begins", |state| {
        let mut told = state.events.iter().filter_map(|event| match event {
            Event::Terminal(info) if info.id == terminal => Some(info.pasting),
            _ => None,
        });
        let _ = told.find(Option::is_some)?;
        let _ = told.find(Option::is_none)?;
        told.find(Option::is_some).map(|_| ())
    })
    .await;
    user.done(Command::CloseTerminal { terminal }).await;
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_paste_is_closed_and_replies_wait_behind_it() {
    let place = Place::new();
    let host = place.host().await;
    let user = User::of(&host).await;
    let (ask, go, file) = (place.path("ask"), place.path("go"), place.path("got"));
    let script = format!(
        "while [ ! -e {} ]; do sleep 0.02; done; printf '\\033[5nasked\\r\\n'; \
         while [ ! -e {} ]; do sleep 0.02; done; cat > {}",
        ask.display(),
        go.display(),
        file.display()
    );
    let terminal = child(&user, true, &script).await;
    let _ = user.client.input(terminal, Input::Paste(text(8 << 20))).expect("connected");
    until_pasting(&user, terminal).await;
    std::fs::write(&ask, "").expect("written");
    user.until_read(terminal, "asked").await;
    user.done(Command::CancelPaste { terminal }).await;
    // Nothing is left to cancel, which is no mistake.
    user.done(Command::CancelPaste { terminal }).await;
    let _ = user.type_text(terminal, "q");
    std::fs::write(&go, "").expect("written");
    let end = b"\x1b[201~\x1b[0nq";
    wait("the end arrives", || std::fs::read(&file).is_ok_and(|got| got.ends_with(end))).await;
    let got = std::fs::read(&file).expect("read");
    assert!(got.len() < 1 << 20, "{} bytes were written all the same", got.len());
    let inner = got.strip_prefix(b"\x1b[200~").and_then(|got| got.strip_suffix(&end[..]));
    let inner = String::from_utf8(inner.expect("in brackets").to_vec()).expect("whole characters");
    assert!(text(8 << 20).starts_with(&inner));
    user.done(Command::CloseTerminal { terminal }).await;
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_that_ends_in_the_middle_of_a_paste_ends_it() {
    let place = Place::new();
    let host = place.host().await;
    let user = User::of(&host).await;
    let terminal = child(&user, false, "head -c 100000 > /dev/null; exit 3").await;
    let _ = user.client.input(terminal, Input::Paste(text(32 << 20))).expect("connected");
    assert_eq!(user.until_exit(terminal).await, 3);
    until_pasted(&user, terminal).await;
    assert!(stats(&user, terminal).await.unwritten < 128 << 10);
    user.done(Command::CloseTerminal { terminal }).await;
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_screen_goes_on_while_a_paste_is_read_slowly() {
    let place = Place::new();
    let host = place.host().await;
    let user = User::of(&host).await;
    let script = "while :; do dd bs=4096 count=1 of=/dev/null 2>/dev/null; i=$((i+1)); \
                  printf 'piece %s\\r\\n' $i; sleep 0.05; done";
    let terminal = child(&user, true, script).await;
    user.watch(terminal, true).await;
    let _ = user.client.input(terminal, Input::Paste(text(32 << 20))).expect("connected");
    let _ = user.until_shown(terminal, "piece 5").await;
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert!(stats(&user, terminal).await.unwritten > 16 << 20);
    user.done(Command::CloseTerminal { terminal }).await;
    stop(&host).await;
}

//! Programs that hang: what their user wants holds at once all the same.

use std::time::{Duration, Instant};

use maestro_agents::drive::{Order, Taken};
use maestro_core::conversation::{Event, Place, Tab, TabState};
use maestro_core::turn::FailureKind;
use maestro_protocol::message::{Command, ErrorKind};

use crate::driver::Theatre;

/// Less than an order, or a host that stops, would wait for a program.
const SOON: Duration = Duration::from_secs(15);

#[tokio::test]
async fn a_start_that_hangs_is_interrupted_at_once() {
    let mut theatre = Theatre::new().await;
    let tab = theatre.new_tab().await;
    theatre.hang_starts(true);
    let _ = theatre.send(tab, "go").await.expect("kept");
    let mut player = theatre.player().await;
    // What was said can be looked at meanwhile.
    assert_eq!(theatre.said(tab).await, ["> go"]);
    let reply = theatre.tab_reply(Command::Interrupt { tab }).await;
    assert_eq!(reply.map(|tab| tab.state), Ok(TabState::Interrupting));
    theatre.until_said(tab, "interrupted").await;
    assert!(player.orders.recv().await.is_none(), "the start was dropped");
    theatre.hang_starts(false);
    let _ = theatre.send(tab, "again").await.expect("kept");
    let _ = theatre.user.ask(Command::HoldQueue { agent: theatre.agent, held: false }).await;
    let mut player = theatre.player().await;
    assert_eq!(player.answers("here").await.text, "again");
    theatre.until_said(tab, "ended").await;
}

#[tokio::test]
async fn a_prompt_that_is_not_taken_is_interrupted_at_once_and_killed_at_the_second() {
    let mut theatre = Theatre::new().await;
    let tab = theatre.new_tab().await;
    let _ = theatre.send(tab, "go").await.expect("kept");
    let mut player = theatre.player().await;
    let (said, never) = player.order().await;
    assert!(matches!(said, Order::Say(_)), "{said:?}");
    let interrupt = || theatre.tab_reply(Command::Interrupt { tab });
    assert_eq!(interrupt().await.map(|tab| tab.state), Ok(TabState::Interrupting));
    let _ = interrupt().await;
    player.until_killed().await;
    theatre.until_said(tab, "interrupted").await;
    drop(never);
    player.tells(Event::Gone { stderr: String::new() }).await;
    let after = theatre.until(tab, "it is gone", |tab| tab.place == Place::Nowhere).await;
    assert_eq!(after.state, TabState::Idle);
}

#[tokio::test]
async fn a_prompt_that_is_taken_late_is_interrupted_then() {
    let mut theatre = Theatre::new().await;
    let tab = theatre.new_tab().await;
    let _ = theatre.send(tab, "go").await.expect("kept");
    let mut player = theatre.player().await;
    let (_, late) = player.order().await;
    let reply = theatre.tab_reply(Command::Interrupt { tab }).await;
    assert_eq!(reply.map(|tab| tab.state), Ok(TabState::Interrupting));
    let _ = late.send(Ok(Taken::Now));
    // It was not in time for a slow machine when it was killed.
    if player.takes().await == Order::Interrupt {
        player.ends(Err(FailureKind::Interrupted)).await;
    }
    theatre.until_said(tab, "interrupted").await;
}

#[tokio::test]
async fn a_host_stops_although_a_program_takes_no_orders() {
    let mut theatre = Theatre::new().await;
    let tab = theatre.new_tab().await;
    let _ = theatre.send(tab, "go").await.expect("kept");
    let mut player = theatre.player().await;
    let (_, _never) = player.order().await;
    let began = Instant::now();
    let Theatre { host, .. } = theatre;
    host.stop();
    host.stopped().await;
    player.until_closed().await;
    assert!(began.elapsed() < SOON);
}

#[tokio::test]
async fn a_turn_that_its_program_tries_again_later_is_said_again_now() {
    let mut theatre = Theatre::new().await;
    let tab = theatre.new_tab().await;
    let _ = theatre.send(tab, "go").await.expect("kept");
    let mut player = theatre.player().await;
    let _ = player.hears().await;
    let retrying =
        || Event::Retrying { because: "overloaded".into(), attempt: Some(1), until_ms: None };
    player.tells(retrying()).await;
    let waits = |tab: &Tab| matches!(tab.state, TabState::Retrying { .. });
    let _ = theatre.until(tab, "it tries again", waits).await;
    let _ = theatre.tab_reply(Command::TryAgain { tab }).await.expect("said again");
    player.until_killed().await;
    let mut player = theatre.player().await;
    assert_eq!(player.hears().await.text, "go");
    player.writes("m", "half").await;
    player.tells(retrying()).await;
    let _ = theatre.until(tab, "it tries again", waits).await;
    let refused = theatre.tab_reply(Command::TryAgain { tab }).await.map_err(|error| error.kind);
    assert_eq!(refused, Err(ErrorKind::Busy), "a part of it was done");
    player.ends(Ok(())).await;
    theatre.until_said(tab, "ended").await;
}

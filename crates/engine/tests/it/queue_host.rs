//! Queues within a whole host, with drivers that the test plays and a clock that it sets.

use std::sync::Arc;

use maestro_core::agent::Provider;
use maestro_core::conversation::{Prompt, TabState};
use maestro_core::queue::{Held, Queue};
use maestro_core::turn::FailureKind;
use maestro_core::{AgentId, TabId};
use maestro_engine::queue::{Clock, Later};
use maestro_protocol::message::{Command, ErrorKind, ItemChange, Reply};
use tokio::sync::watch;

use crate::driver::Theatre;
use crate::harness::{Place, stop, within};

/// Hours of a test's own: it begins now and moves only when it is told to.
#[derive(Debug, Clone)]
struct Hands(Arc<watch::Sender<u64>>);

impl Hands {
    fn new() -> Self {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let now = since.expect("after 1970").as_millis() as u64;
        Self(Arc::new(watch::Sender::new(now)))
    }

    fn set(&self, now_ms: u64) {
        let _ = self.0.send_replace(now_ms);
    }
}

impl Clock for Hands {
    fn now_ms(&self) -> u64 {
        *self.0.borrow()
    }

    fn sleep_until(&self, at_ms: u64) -> Later<'static, ()> {
        let mut time = self.0.subscribe();
        Box::pin(async move {
            let _ = time.wait_for(|now| *now >= at_ms).await;
        })
    }
}

async fn theatre(place: Place, hands: &Hands) -> Theatre {
    let clock = Arc::new(hands.clone());
    Theatre::with(place, Provider::Claude, move |options| options.clock = Some(clock)).await
}

async fn queue(theatre: &Theatre) -> Queue {
    let world = theatre.user.world(false).await;
    let agent = theatre.agent;
    let found = world.queues.into_iter().find(|queue| queue.agent == agent);
    found.unwrap_or(Queue { agent, held: None, items: Vec::new() })
}

async fn waits(theatre: &Theatre) -> Vec<String> {
    queue(theatre).await.items.into_iter().map(|item| item.prompt.text).collect()
}

async fn held(theatre: &Theatre, wanted: &Held) {
    let look = async {
        while queue(theatre).await.held.as_ref() != Some(wanted) {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    within(&format!("{wanted:?}"), look).await;
}

async fn let_go(theatre: &Theatre, agent: AgentId) {
    let reply = theatre.user.ask(Command::HoldQueue { agent, held: false }).await;
    assert!(matches!(reply, Ok(Reply::Queue(_))), "{reply:?}");
}

#[tokio::test]
async fn prompts_follow_each_other_and_a_failure_stops_them() {
    let mut theatre = theatre(Place::new(), &Hands::new()).await;
    let tab = theatre.new_tab().await;
    for text in ["one", "two", "three"] {
        let _ = theatre.send(tab, text).await.expect("kept");
    }
    let mut player = theatre.player().await;
    assert_eq!(player.answers("first").await.text, "one");
    assert_eq!(player.hears().await.text, "two");
    assert_eq!(waits(&theatre).await, ["three"]);
    player.ends(Err(FailureKind::Auth)).await;
    held(&theatre, &Held::AfterFailure("so it ended".into())).await;
    assert_eq!(waits(&theatre).await, ["three"]);
    let_go(&theatre, theatre.agent).await;
    assert_eq!(player.answers("third").await.text, "three");
    theatre.until_said(tab, "ended").await;
    assert_eq!(
        theatre.said(tab).await,
        ["> one", "first", "ended", "> two", "failed Auth", "> three", "third", "ended"]
    );
    stop(&theatre.host).await;
}

#[tokio::test]
async fn an_interrupt_holds_what_waits() {
    let mut theatre = theatre(Place::new(), &Hands::new()).await;
    let tab = theatre.new_tab().await;
    for text in ["one", "two"] {
        let _ = theatre.send(tab, text).await.expect("kept");
    }
    let mut player = theatre.player().await;
    assert_eq!(player.hears().await.text, "one");
    let held_first = async {
        // Before the program has answered.
        held(&theatre, &Held::AfterInterrupt).await;
        player.takes().await
    };
    let (asked, _) = tokio::join!(theatre.tab_reply(Command::Interrupt { tab }), held_first);
    let _ = asked.expect("asked");
    player.ends(Err(FailureKind::Interrupted)).await;
    let _ = theatre.until(tab, "it is over", |tab| !tab.state.is_busy()).await;
    assert_eq!(waits(&theatre).await, ["two"]);
    // With what waited goes the reason, and what comes then is said at once.
    let item = queue(&theatre).await.items[0].id;
    let change = ItemChange::Remove;
    let _ = theatre.user.ask(Command::ChangeItem { item, change }).await.expect("removed");
    let _ = theatre.send(tab, "three").await.expect("kept");
    assert_eq!(player.hears().await.text, "three");
    stop(&theatre.host).await;
}

#[tokio::test]
async fn a_limit_is_waited_for_over_a_restart_and_its_queue_goes_on() {
    let hands = Hands::new();
    let mut first = theatre(Place::new(), &hands).await;
    let tab = first.new_tab().await;
    for text in ["one", "two"] {
        let _ = first.send(tab, text).await.expect("kept");
    }
    let mut player = first.player().await;
    assert_eq!(player.hears().await.text, "one");
    let resets = hands.now_ms() + 3_600_000;
    player.ends(Err(FailureKind::Limit { resets_ms: Some(resets) })).await;
    let limited = TabState::Limited { until_ms: Some(resets), resumes: true };
    let _ = first.until(tab, "it is limited", |tab| tab.state == limited).await;
    assert_eq!(queue(&first).await.held, None);
    stop(&first.host).await;
    let place = first.place;

    let mut next = theatre(place, &hands).await;
    let _ = next.until(tab, "it is limited", |tab| tab.state == limited).await;
    hands.set(resets);
    assert_eq!(waits(&next).await, ["two"]);
    assert!(!next.started_another(), "a little later than that");
    hands.set(resets + 80_000);
    let mut player = next.player().await;
    let mut heard = vec![player.answers("x").await.text];
    if heard == ["one"] {
        heard.push(player.answers("y").await.text);
    }
    assert_eq!(heard.last().map(String::as_str), Some("two"), "{heard:?}");
    stop(&next.host).await;
}

#[tokio::test]
async fn a_lost_network_is_tried_again_with_a_countdown_that_can_be_stopped() {
    let hands = Hands::new();
    let mut theatre = theatre(Place::new(), &hands).await;
    let tab = theatre.new_tab().await;
    for text in ["one", "two"] {
        let _ = theatre.send(tab, text).await.expect("kept");
    }
    let mut player = theatre.player().await;
    assert_eq!(player.hears().await.text, "one");
    player.ends(Err(FailureKind::Network)).await;
    let until = hands.now_ms() + 5_000;
    let counts = |state: &TabState, number: u32| match state {
        TabState::Retrying { until_ms, attempt, .. } => {
            until_ms.is_some() && *attempt == Some(number)
        }
        _ => false,
    };
    let shown = theatre.until(tab, "it counts down", |tab| counts(&tab.state, 1)).await;
    assert!(matches!(shown.state, TabState::Retrying { until_ms, .. } if until_ms == Some(until)));
    hands.set(until);
    assert_eq!(player.hears().await.text, "one", "again");
    player.ends(Err(FailureKind::Network)).await;
    let _ = theatre.until(tab, "it counts again", |tab| counts(&tab.state, 2)).await;
    let _ = theatre.tab_reply(Command::Interrupt { tab }).await.expect("stopped");
    let _ = theatre.until(tab, "it waits no more", |tab| !tab.state.is_busy()).await;
    held(&theatre, &Held::AfterInterrupt).await;
    hands.set(until + 3_600_000);
    let_go(&theatre, theatre.agent).await;
    assert_eq!(player.answers("x").await.text, "two", "and not the one that was stopped");
    stop(&theatre.host).await;
}

#[tokio::test]
async fn after_a_restart_the_setting_decides() {
    let hands = Hands::new();
    let mut first = theatre(Place::new(), &hands).await;
    let tab = first.new_tab().await;
    for text in ["one", "two"] {
        let _ = first.send(tab, text).await.expect("kept");
    }
    let mut player = first.player().await;
    assert_eq!(player.hears().await.text, "one");
    stop(&first.host).await;

    let next = theatre(first.place, &hands).await;
    held(&next, &Held::AfterRestart).await;
    next.place.set("queue.send_after_restart", "on");
    stop(&next.host).await;

    let mut last = theatre(next.place, &hands).await;
    let mut player = last.player().await;
    assert_eq!(player.answers("x").await.text, "two");
    stop(&last.host).await;
}

#[tokio::test]
async fn a_full_disk_refuses_with_a_sentence_and_loses_nothing() {
    let place = Place::new();
    let Some(disk) = place.small_home("6m") else {
        eprintln!("SKIPPED: no file system can be mounted here (this needs root)");
        return;
    };
    let mut theatre = theatre(place, &Hands::new()).await;
    let tab = theatre.new_tab().await;
    let _ = theatre.user.ask(Command::HoldQueue { agent: theatre.agent, held: true }).await;
    let _ = theatre.send(tab, "one").await.expect("kept");
    disk.fill();
    let large = "x".repeat(200_000);
    let prompt = |text: &str| Prompt { text: text.to_owned(), ..Prompt::default() };
    // What was free in the file itself may still take one or two.
    let mut refused = None;
    for n in 0..40 {
        let token = format!("full {n}");
        let sent = Command::Send { tab, prompt: prompt(&large), token, typed: false };
        if let Err(error) = theatre.user.ask(sent).await {
            refused = Some(error);
            break;
        }
        if n == 4 {
            disk.fill();
        }
    }
    let error = refused.expect("a disk has an end");
    assert!(matches!(error.kind, ErrorKind::Failed | ErrorKind::Busy), "{error:?}");
    assert!(error.message.contains("is full"), "{error}");
    disk.free();
    let _ = theatre.send(tab, "two").await.expect("there is room again");
    let kept = waits(&theatre).await;
    assert_eq!(
        (kept.first().map(String::as_str), kept.last().map(String::as_str)),
        (Some("one"), Some("two"))
    );
    let_go(&theatre, theatre.agent).await;
    let mut player = theatre.player().await;
    assert_eq!(player.hears().await.text, "one");
    stop(&theatre.host).await;
}

#[tokio::test]
async fn with_its_agent_goes_what_waits() {
    let theatre = theatre(Place::new(), &Hands::new()).await;
    let tab = theatre.new_tab().await;
    let agent = theatre.agent;
    let _ = theatre.user.ask(Command::HoldQueue { agent, held: true }).await.expect("held");
    let _ = theatre.send(tab, "one").await.expect("kept");
    let item = queue(&theatre).await.items[0].id;
    let _ = theatre.user.ask(Command::RemoveAgent { agent }).await.expect("removed");
    assert_eq!(theatre.user.world(false).await.queues, []);
    let error = theatre.send(tab, "two").await.expect_err("no tab");
    assert_eq!(error.kind, ErrorKind::NotFound);
    for (what, command) in [
        ("the item", Command::ChangeItem { item, change: ItemChange::Now }),
        ("the queue", Command::HoldQueue { agent, held: false }),
        (
            "a tab",
            Command::Send {
                tab: TabId(99),
                prompt: Prompt::default(),
                token: "t".into(),
                typed: false,
            },
        ),
    ] {
        let error = theatre.user.ask(command).await.expect_err(what);
        assert_eq!(error.kind, ErrorKind::NotFound, "{what}: {error}");
    }
    stop(&theatre.host).await;
}

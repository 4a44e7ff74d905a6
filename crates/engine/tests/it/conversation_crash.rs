//! The host dies in the middle of a turn: between every two steps its folder is copied, and another host is
//! started on the copy, as after `kill -9`.

use std::path::Path;
use std::sync::{Arc, Mutex};

use maestro_core::ItemId;
use maestro_core::agent::{Provider, State};
use maestro_core::conversation::{
    Answer, Body, Event, Place as Open, Prompt, TabState, Todo, TodoState, ToolState,
};
use maestro_core::turn::FailureKind;
use maestro_engine::conversation::drivers::Step;
use maestro_protocol::message::{Command, ItemChange};

use crate::driver::{Theatre, tool};
use crate::harness::{Place, stop, wait, within};

/// A copy of a host's folder as it is at this moment.
fn copied(from: &Place) -> Place {
    copied_home(&from.path("home"))
}

fn copied_home(from: &Path) -> Place {
    fn copy(from: &Path, to: &Path) {
        std::fs::create_dir_all(to).expect("made");
        for entry in std::fs::read_dir(from).expect("read").flatten() {
            let (kind, target) = (entry.file_type().expect("known"), to.join(entry.file_name()));
            // What is shared between processes is not what a dead one leaves: the next makes it anew.
            let shared = entry.file_name().to_string_lossy().ends_with("-shm");
            if kind.is_dir() {
                copy(&entry.path(), &target);
            } else if kind.is_file() && !shared {
                match std::fs::copy(entry.path(), target) {
                    // A file that was only there for a moment: another one took its place.
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                    copied => assert!(copied.is_ok(), "{copied:?}"),
                }
            }
        }
    }
    let place = Place::new();
    copy(from, &place.path("home"));
    place
}

/// Another host, after the first one died with its folder like this: what it shows, and that nothing is said
/// by itself and the user can go on.
async fn after(copy: Place, expected: &[&str], resumes: Option<&str>) {
    let mut theatre = Theatre::at(copy, Provider::Claude).await;
    within("it has recovered", theatre.host.recovered()).await;
    let tab = theatre.user.world(false).await.tabs.remove(0);
    assert_eq!((tab.place, tab.requests.len()), (Open::Nowhere, 0), "{expected:?}");
    assert!(!tab.state.is_busy(), "{expected:?}: {:?}", tab.state);
    assert_eq!(theatre.said(tab.id).await, expected);
    assert!(theatre.entries(tab.id).await.iter().all(|entry| !entry.open));
    assert_eq!(tab.entries, expected.len() as u64);
    let cut = expected.last().is_some_and(|last| last.starts_with("failed"));
    let agent = theatre.user.world(false).await.agents.remove(0);
    if cut {
        assert!(matches!(tab.state, TabState::Failed(_)), "{expected:?}: {:?}", tab.state);
        assert_eq!(agent.attention.state, State::Failed, "{expected:?}");
    }
    assert!(!theatre.started_another(), "{expected:?}: something was said by itself");
    if !expected.is_empty() {
        let _ = theatre.tab_reply(Command::TryAgain { tab: tab.id }).await.expect("again");
        let mut player = theatre.player().await;
        assert_eq!(player.launch.resume.as_deref(), resumes, "{expected:?}");
        assert_eq!(player.answers("done").await.text, "go");
        theatre.until_said(tab.id, "ended").await;
        assert_eq!(theatre.tab(tab.id).await.turns, 2);
    }
    stop(&theatre.host).await;
}

#[tokio::test]
async fn a_turn_that_was_cut_is_shown_as_such_wherever_the_host_died() {
    let mut theatre = Theatre::new().await;
    let tab = theatre.new_tab().await;
    let before = copied(&theatre.place);
    let _ = theatre.send(tab, "go").await.expect("kept");
    let mut player = theatre.player().await;
    // Its program was started and has not heard the prompt: the answer to the order is owed.
    let (_, answer) = player.order().await;
    let written = copied(&theatre.place);
    let _ = answer.send(Ok(maestro_agents::drive::Taken::Now));
    player.tells(Event::Session { id: "s-1".into(), model: None }).await;
    let _ = theatre.until(tab, "its session is known", |tab| tab.session.is_some()).await;
    player.writes("m", "half an ").await;
    player.writes("m", "answer").await;
    theatre.until_said(tab, "half an answer").await;
    let half = copied(&theatre.place);
    let body = Body::Tool(tool(ToolState::Running, ""));
    player.tells(Event::Item { key: "t".into(), open: true, body }).await;
    player.asks("r", None).await;
    theatre.until_said(tab, "? None").await;
    let asking = copied(&theatre.place);
    let (_, order) = tokio::join!(theatre.tab_reply(Command::Interrupt { tab }), player.takes());
    assert_eq!(order, maestro_agents::drive::Order::Interrupt);
    let interrupted = copied(&theatre.place);
    player.ends(Err(FailureKind::Interrupted)).await;
    theatre.until_said(tab, "interrupted").await;
    let _ = theatre.until(tab, "it is over", |tab| tab.state == TabState::Idle).await;
    let over = copied(&theatre.place);

    after(before, &[], None).await;
    after(written, &["> go", "failed Crashed"], None).await;
    let half_said = ["> go", "half an answer", "failed Crashed"];
    after(half, &half_said, Some("s-1")).await;
    let asked = ["> go", "half an answer", "cargo test Cut", "? None", "failed Crashed"];
    after(asking, &asked, Some("s-1")).await;
    after(interrupted, &asked, Some("s-1")).await;
    let whole = ["> go", "half an answer", "cargo test Cut", "? None", "interrupted"];
    after(over, &whole, Some("s-1")).await;
}

#[tokio::test]
async fn a_program_that_outlived_its_host_is_ended_by_the_next() {
    let mut theatre = Theatre::new().await;
    let tab = theatre.new_tab().await;
    let _ = theatre.send(tab, "go").await.expect("kept");
    let mut player = theatre.player().await;
    let _ = player.hears().await;
    let mut orphan = std::process::Command::new("sleep")
        .arg("1000")
        .envs(player.marks.iter().map(|(name, value)| (name, value)))
        .spawn()
        .expect("it starts");
    let copy = copied(&theatre.place);
    let next = copy.host().await;
    within("it has recovered", next.recovered()).await;
    wait("the program was ended", || orphan.try_wait().is_ok_and(|exit| exit.is_some())).await;
    stop(&next).await;
}

#[tokio::test]
async fn a_host_that_stops_ends_its_drivers_and_keeps_what_came() {
    let mut theatre = Theatre::new().await;
    let tab = theatre.new_tab().await;
    let _ = theatre.send(tab, "go").await.expect("kept");
    let mut player = theatre.player().await;
    let _ = player.hears().await;
    player.writes("m", "half").await;
    theatre.until_said(tab, "half").await;
    stop(&theatre.host).await;
    player.until_closed().await;
    let draft = Prompt::default();
    assert!(theatre.user.ask(Command::SetDraft { tab, draft }).await.is_err());
    let theatre = Theatre::at(copied(&theatre.place), Provider::Claude).await;
    assert_eq!(theatre.said(tab).await, ["> go", "half", "failed Crashed"]);
    assert!(matches!(theatre.tab(tab).await.state, TabState::Failed(_)));
}

#[tokio::test]
async fn what_a_stranger_did_to_a_transcript_costs_no_more_than_its_lines() {
    let mut theatre = Theatre::new().await;
    let tab = theatre.new_tab().await;
    let _ = theatre.send(tab, "go").await.expect("kept");
    let mut player = theatre.player().await;
    let _ = player.answers("done").await;
    theatre.until_said(tab, "ended").await;
    stop(&theatre.host).await;
    let copy = copied(&theatre.place);
    let file = copy.home().root().join(format!("conversations/{tab}.jsonl"));
    let text = std::fs::read_to_string(&file).expect("it is there");
    let mangled =
        format!("not json\n{text}\u{0}\u{1}garbage\n{{\"entry\":{{\"n\":1e99}}}}\n{{\"en");
    std::fs::write(&file, mangled).expect("written");
    let theatre = Theatre::at(copy, Provider::Claude).await;
    assert_eq!(theatre.said(tab).await, ["> go", "done", "ended"]);
}

/// What a host leaves that dies before a step: the prompt is somewhere, and nowhere twice; what came is there
/// as far as it came; and nothing is done by itself.
async fn nothing_is_lost_or_said_twice(copy: Place, step: &str, acknowledged: bool) {
    let mut theatre = Theatre::at(copy, Provider::Claude).await;
    within("it has recovered", theatre.host.recovered()).await;
    // Commands about queues wait until what the dead host had in hand is looked at.
    let nothing = Command::ChangeItem { item: ItemId(9999), change: ItemChange::Restore };
    assert!(theatre.user.ask(nothing).await.is_err(), "{step}");
    let world = theatre.user.world(false).await;
    let tab = world.tabs.first().cloned().expect("the tab");
    assert_eq!((tab.place, tab.requests.len()), (Open::Nowhere, 0), "{step}");
    assert!(!tab.state.is_busy(), "{step}: {:?}", tab.state);
    let entries = theatre.entries(tab.id).await;
    assert!(entries.iter().all(|entry| !entry.open), "{step}: {entries:#?}");
    assert!((0..).zip(&entries).all(|(n, entry)| entry.n == n), "{step}: {entries:#?}");
    let said = theatre.said(tab.id).await;
    let whole = ["> go", "(hm)", "half an answer", "cargo test", "? ", "3 items", "after", "ended"];
    let cut = said.last().is_some_and(|last| last.starts_with("failed"));
    let came = &said[..said.len() - usize::from(cut)];
    for (said, whole) in came.iter().zip(whole) {
        let both = [said.as_str(), whole];
        assert!(both[0].starts_with(whole) || whole.starts_with(both[0]), "{step}: {came:?}");
    }
    assert!(came.len() <= whole.len(), "{step}: {said:?}");
    let ended = came.last().is_some_and(|last| last == "ended");
    assert_eq!(cut, !came.is_empty() && !ended, "{step}: {said:?}");
    let waits = world.queues.iter().flat_map(|queue| &queue.items).count();
    if acknowledged {
        assert!(
            waits == 1 || !came.is_empty(),
            "{step}: the prompt is lost: {said:?} {:#?}",
            world.queues
        );
    }
    assert!(waits == 0 || came.len() <= 1, "{step}: it would be said again: {said:?}");
    assert!(waits == 0 || world.queues.iter().all(|queue| queue.held.is_some()), "{step}");
    assert!(!theatre.started_another(), "{step}: something was said by itself");

    // Its user goes on: by what waits, or by saying the last again.
    if waits == 1 {
        let agent = theatre.agent;
        let item = world.queues[0].items[0].clone();
        let _ = theatre.user.ask(Command::HoldQueue { agent, held: false }).await.expect("let go");
        if item.unsure {
            // Only a user can know whether that was said.
            assert!(!theatre.started_another(), "{step}");
            let _ = theatre
                .user
                .ask(Command::ChangeItem { item: item.id, change: ItemChange::Remove })
                .await
                .expect("removed");
        }
        if item.unsure {
            let _ = theatre.tab_reply(Command::TryAgain { tab: tab.id }).await.expect("again");
        }
    } else if cut {
        let _ = theatre.tab_reply(Command::TryAgain { tab: tab.id }).await.expect("again");
    }
    if waits == 1 || cut {
        let mut player = theatre.player().await;
        assert_eq!(player.answers("done").await.text, "go", "{step}");
        theatre.until_said(tab.id, "ended").await;
        let prompts = theatre.said(tab.id).await.iter().filter(|said| *said == "> go").count();
        assert_eq!(prompts, 1 + usize::from(!came.is_empty()), "{step}");
        let world = theatre.user.world(false).await;
        assert!(world.queues.iter().all(|queue| queue.items.is_empty()), "{step}");
    }
    stop(&theatre.host).await;
}

#[tokio::test]
async fn a_host_may_die_before_every_step_of_a_turn() {
    let mut theatre = Theatre::new().await;
    let tab = theatre.new_tab().await;
    let left: Arc<Mutex<Vec<(Step, Place)>>> = Arc::default();
    let (kept, home) = (Arc::clone(&left), theatre.place.path("home"));
    theatre.before_steps(move |_, step| {
        let copy = copied_home(&home);
        kept.lock().expect("no panic").push((step, copy));
    });
    let _ = theatre.send(tab, "go").await.expect("kept");
    let mut player = theatre.player().await;
    let _ = player.hears().await;
    player.tells(Event::Session { id: "s-1".into(), model: None }).await;
    player
        .tells(Event::Item { key: "h".into(), open: false, body: Body::Thinking("hm".into()) })
        .await;
    player.writes("m", "half an ").await;
    theatre.until_said(tab, "half an ").await;
    player.writes("m", "answer").await;
    player.tells(Event::Doing("looking".into())).await;
    for (open, state) in [(true, ToolState::Running), (false, ToolState::Done)] {
        let body = Body::Tool(tool(state, ""));
        player.tells(Event::Item { key: "t".into(), open, body }).await;
    }
    player.asks("r", None).await;
    theatre.until_said(tab, "? None").await;
    let allow = Command::Answer { tab, request: "r".into(), answer: Answer::Once };
    let (allowed, _) = tokio::join!(theatre.tab_reply(allow), player.takes());
    assert!(allowed.is_ok(), "{allowed:?}");
    let todo = Todo { text: "test it".into(), state: TodoState::Open };
    let body = Body::Todo(vec![todo.clone(), todo.clone(), todo]);
    player.tells(Event::Item { key: "l".into(), open: false, body }).await;
    player.tells(Event::Usage(maestro_core::turn::Usage::default())).await;
    player.writes("n", "after").await;
    player.ends(Ok(())).await;
    theatre.until_said(tab, "ended").await;
    let _ = theatre.until(tab, "it is over", |tab| tab.state == TabState::Idle).await;
    stop(&theatre.host).await;
    let left = std::mem::take(&mut *left.lock().expect("no panic"));
    let steps: std::collections::BTreeSet<Step> = left.iter().map(|(step, _)| *step).collect();
    let all = [
        Step::Journal,
        Step::Tab,
        Step::Prompt,
        Step::Began,
        Step::Start,
        Step::Say,
        Step::Event,
        Step::Write,
        Step::Over,
        Step::Usage,
        Step::Save,
        Step::Free,
    ];
    assert!(all.iter().all(|step| steps.contains(step)), "{steps:?}");
    for (number, (step, copy)) in left.into_iter().enumerate() {
        // It was acknowledged before the first of them: an item is kept before its client hears of it.
        nothing_is_lost_or_said_twice(copy, &format!("{step:?} (step {number})"), true).await;
    }
}

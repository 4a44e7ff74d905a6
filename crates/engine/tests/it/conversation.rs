//! Turns, approvals, interrupts, policies, several tabs, followers; with drivers that the test plays.

use maestro_agents::drive::{Order, Taken};
use maestro_core::agent::State;
use maestro_core::conversation::{
    Answer, Body, Context, Event, Menu, Model, Place, Policy, Prompt, Tab, TabState, ToolState,
};
use maestro_core::turn::FailureKind;
use maestro_protocol::message::{Command, ErrorKind, Event as Told, ItemChange, Reply, TabChange};

use crate::driver::{Theatre, copy, tool};
use crate::harness::within;

#[tokio::test]
async fn a_turn_is_told_kept_and_counted() {
    let mut theatre = Theatre::new().await;
    let tab = theatre.new_tab().await;
    let page = theatre.page(tab, 50, true).await;
    assert_eq!(page.total, 0);
    let _ = theatre.send(tab, "Fix the cart").await.expect("kept");
    let mut player = theatre.player().await;
    assert_eq!(player.launch.directory, theatre.place.folder("work").canonicalize().expect("it"));
    assert_eq!((player.launch.policy, player.launch.resume.clone()), (Policy::Ask, None));
    assert!(player.launch.new_session.is_some(), "Claude Code lets its session be chosen");
    let marks: Vec<_> = player.marks.iter().map(|(name, _)| name.to_string_lossy()).collect();
    assert_eq!(marks, ["MAESTRO_HOST", "MAESTRO_AGENT", "MAESTRO_TAB"]);
    assert_eq!(player.hears().await.text, "Fix the cart");
    player.tells(Event::Session { id: "s-1".into(), model: Some("m".into()) }).await;
    player.tells(Event::Context(Context { used: 50, window: Some(100) })).await;
    for n in 0..200 {
        player.writes("m", &format!("word{n} ")).await;
    }
    let body = Body::Tool(tool(ToolState::Done, "ok"));
    player.tells(Event::Item { key: "t".into(), open: false, body }).await;
    player.ends(Ok(())).await;
    let state =
        theatre.until(tab, "the turn ends", |tab| tab.state == TabState::Idle && tab.turns == 1);
    let state = state.await;
    assert_eq!((state.title.as_str(), state.session.as_deref()), ("Fix the cart", Some("s-1")));
    assert_eq!((state.place, state.unread, state.entries), (Place::Conversation, true, 4));
    assert_eq!(state.usage.input_tokens, 100);
    let entries = theatre.entries(tab).await;
    // What a follower put together is what is kept.
    let followed = theatre
        .user
        .until("everything was told", |seen| {
            let copy = copy(page.clone(), tab, &seen.said);
            (copy.len() == 4).then(|| copy.iter().cloned().collect::<Vec<_>>())
        })
        .await;
    assert_eq!(followed, entries);
    let Body::Text(text) = &entries[1].body else { panic!("{entries:?}") };
    assert!(text.starts_with("word0 word1") && text.ends_with("word199 "), "{text}");
    // Few messages for many pieces, and few events of the tab.
    let (said, events) = theatre.user.look(|seen| {
        let events = seen.events.iter().filter(|event| matches!(event, Told::Tab(_))).count();
        (seen.said.len(), events)
    });
    assert!(said < 150 && events < 60, "{said} {events}");
    // And the next turn goes to the same program.
    let _ = theatre.send(tab, "and now").await.expect("kept");
    assert_eq!(player.answers("done").await.text, "and now");
    theatre.until_said(tab, "ended").await;
    assert!(!theatre.started_another());
    let agent = theatre.user.world(false).await.agents.remove(0);
    assert_eq!(agent.attention.state, State::Done, "{:?}", agent.attention);
    let read =
        theatre.tab_reply(Command::ChangeTab { tab, change: TabChange::Unread(false) }).await;
    assert!(read.is_ok_and(|tab| !tab.unread));
    let agent = theatre.user.world(false).await.agents.remove(0);
    assert_eq!(agent.attention.state, State::Idle);
    match theatre.user.ask(Command::Why { agent: agent.id }).await {
        Ok(Reply::Evidence(evidence)) => {
            assert!(evidence[0].decides && evidence.len() > 3, "{evidence:?}");
            assert!(evidence.iter().any(|one| one.state == State::Working));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn requests_are_answered_both_ways() {
    let mut theatre = Theatre::new().await;
    let tab = theatre.new_tab().await;
    let _ = theatre.send(tab, "go").await.expect("kept");
    let mut player = theatre.player().await;
    let _ = player.hears().await;
    player.asks("r1", None).await;
    player.asks("r2", Some("rm in this session")).await;
    let asking = theatre.until(tab, "it asks", |tab| tab.requests.len() == 2).await;
    assert_eq!(asking.state, TabState::Asking);
    let agent = theatre.user.world(false).await.agents.remove(0);
    assert_eq!(agent.attention.state, State::NeedsYou);
    assert_eq!(agent.attention.because, "may it run rm -r build?");
    let answer = |request: &str, answer| Command::Answer { tab, request: request.into(), answer };
    let refused = theatre.tab_reply(answer("r1", Answer::Always)).await;
    assert_eq!(refused.map_err(|error| error.kind), Err(ErrorKind::Invalid));
    let command = answer("r1", Answer::Deny("use cargo clean".into()));
    let (reply, order) = tokio::join!(theatre.tab_reply(command), player.takes());
    assert_eq!(reply.map(|tab| tab.requests.len()), Ok(1));
    let Order::Answer { request, answer: Answer::Deny(reason) } = order else {
        panic!("{order:?}")
    };
    assert_eq!((request.as_str(), reason.as_str()), ("r1", "use cargo clean"));
    let command = answer("r2", Answer::Always);
    let (reply, _) = tokio::join!(theatre.tab_reply(command), player.takes());
    assert!(reply.is_ok_and(|tab| tab.requests.is_empty()));
    let again = theatre.tab_reply(answer("r2", Answer::Once)).await;
    assert_eq!(again.map_err(|error| error.kind), Err(ErrorKind::NotFound));
    player.asks("r3", None).await;
    let _ = theatre.until(tab, "it asks again", |tab| tab.requests.len() == 1).await;
    player.ends(Ok(())).await;
    theatre.until_said(tab, "ended").await;
    let said = theatre.said(tab).await;
    assert_eq!(said[1], "? Some(Deny(\"use cargo clean\"))");
    assert_eq!(said[2], "? Some(Always)");
    assert_eq!(said[3], "? None");
}

#[tokio::test]
async fn the_second_interrupt_ends_the_program() {
    let mut theatre = Theatre::new().await;
    let tab = theatre.new_tab().await;
    let _ = theatre.send(tab, "go").await.expect("kept");
    let mut player = theatre.player().await;
    let _ = player.hears().await;
    player.writes("m", "half an ans").await;
    let interrupt = || theatre.tab_reply(Command::Interrupt { tab });
    let (reply, order) = tokio::join!(interrupt(), player.takes());
    assert_eq!((reply.map(|tab| tab.state), order), (Ok(TabState::Interrupting), Order::Interrupt));
    // It does not.
    player.writes("m", "wer").await;
    let _ = interrupt().await;
    player.until_killed().await;
    player.ends(Err(FailureKind::Crashed)).await;
    player.tells(Event::Gone { stderr: "Killed".into() }).await;
    theatre.until_said(tab, "interrupted").await;
    let after = theatre.until(tab, "it is gone", |tab| tab.place == Place::Nowhere).await;
    assert_eq!((after.state, after.unread), (TabState::Idle, false));
    assert_eq!(theatre.said(tab).await[1], "half an answer");
    // Nothing to interrupt is no failure.
    assert!(interrupt().await.is_ok());
}

#[tokio::test]
async fn a_policy_holds_at_once_or_from_the_next_turn_on() {
    let mut theatre = Theatre::new().await;
    let tab = theatre.new_tab().await;
    let change = |policy| Command::ChangeTab { tab, change: TabChange::Policy(policy) };
    // Before there is a program it is what that is started with.
    let changed = theatre.tab_reply(change(Policy::AcceptEdits)).await;
    assert_eq!(changed.map(|tab| tab.policy), Ok(Policy::AcceptEdits));
    let _ = theatre.send(tab, "one").await.expect("kept");
    let mut player = theatre.player().await;
    assert_eq!(player.launch.policy, Policy::AcceptEdits);
    let _ = player.hears().await;
    let (reply, order) = tokio::join!(theatre.tab_reply(change(Policy::Ask)), player.takes());
    assert_eq!((reply.map(|tab| tab.policy), order), (Ok(Policy::Ask), Order::Policy(Policy::Ask)));
    // A program that has to be started anew for more rights is, after the turn.
    let (reply, ()) = tokio::join!(theatre.tab_reply(change(Policy::Bypass)), async {
        let (order, answer) = player.order().await;
        assert_eq!(order, Order::Policy(Policy::Bypass));
        let _ = answer.send(Ok(Taken::Restart));
    });
    assert!(reply.is_ok());
    assert!(!*player.closed.borrow());
    player.tells(Event::Session { id: "s-9".into(), model: None }).await;
    player.ends(Ok(())).await;
    player.until_closed().await;
    // With rights that it must not have any more, a turn is stopped, which is told, and nothing goes on.
    let _ = theatre.send(tab, "and more").await.expect("kept");
    let mut player = theatre.player().await;
    assert_eq!(player.launch.policy, Policy::Bypass);
    let _ = player.hears().await;
    let _ = theatre.send(tab, "waits").await.expect("kept");
    let (reply, ()) = tokio::join!(theatre.tab_reply(change(Policy::ReadOnly)), async {
        let (order, answer) = player.order().await;
        assert_eq!(order, Order::Policy(Policy::ReadOnly));
        let _ = answer.send(Ok(Taken::Restart));
        assert_eq!(player.takes().await, Order::Interrupt);
    });
    assert_eq!(reply.map(|tab| tab.state), Ok(TabState::Interrupting));
    let said = theatre.said(tab).await;
    assert!(
        said.last().is_some_and(|last| last.contains("cannot be held to “read-only”")),
        "{said:?}"
    );
    player.ends(Err(FailureKind::Interrupted)).await;
    player.until_closed().await;
    let world = theatre.user.world(false).await;
    assert_eq!(world.queues[0].items.len(), 1, "it is its user who goes on");
    assert!(!theatre.started_another());
    let waiting = world.queues[0].items[0].id;
    let removed =
        theatre.user.ask(Command::ChangeItem { item: waiting, change: ItemChange::Remove }).await;
    assert!(removed.is_ok(), "{removed:?}");
    let _ = theatre.send(tab, "two").await.expect("kept");
    let mut player = theatre.player().await;
    assert_eq!(
        (player.launch.policy, player.launch.resume.as_deref()),
        (Policy::ReadOnly, Some("s-9"))
    );
    let _ = player.hears().await;
    // What cannot be had is not claimed.
    let (reply, ()) = tokio::join!(theatre.tab_reply(change(Policy::Bypass)), async {
        let (_, answer) = player.order().await;
        let _ = answer.send(Err(crate::driver::failure(FailureKind::Permission, "not as root")));
    });
    assert_eq!(reply.map_err(|error| error.message), Err("not as root".to_owned()));
    assert_eq!(theatre.tab(tab).await.policy, Policy::ReadOnly);
}

#[tokio::test]
async fn a_turn_may_be_read_only_by_itself() {
    let mut theatre = Theatre::new().await;
    let tab = theatre.new_tab().await;
    let prompt = Prompt { text: "look".into(), read_only: true, ..Prompt::default() };
    let _ = theatre.send_prompt(tab, prompt).await.expect("kept");
    let mut player = theatre.player().await;
    assert_eq!(player.launch.policy, Policy::ReadOnly);
    player.tells(Event::Policy(Policy::ReadOnly)).await;
    assert!(player.answers("seen").await.read_only);
    theatre.until_said(tab, "ended").await;
    assert_eq!(theatre.tab(tab).await.policy, Policy::Ask);
    // What changes meanwhile is the next turn's.
    let prompt = Prompt { text: "look again".into(), read_only: true, ..Prompt::default() };
    let _ = theatre.send_prompt(tab, prompt).await.expect("kept");
    assert!(player.hears().await.read_only);
    let change = TabChange::Policy(Policy::AcceptEdits);
    let changed = theatre.tab_reply(Command::ChangeTab { tab, change }).await;
    assert_eq!(changed.map(|tab| tab.policy), Ok(Policy::AcceptEdits));
    player.ends(Ok(())).await;
    let change = TabChange::Policy(Policy::Ask);
    let ended = |tab: &Tab| tab.state == TabState::Idle;
    let _ = theatre.until(tab, "it is over", ended).await;
    let (changed, order) =
        tokio::join!(theatre.tab_reply(Command::ChangeTab { tab, change }), player.takes());
    assert_eq!(
        (changed.map(|tab| tab.policy), order),
        (Ok(Policy::Ask), Order::Policy(Policy::Ask))
    );
    let _ = theatre.send(tab, "now write").await.expect("kept");
    assert_eq!(player.hears().await.text, "now write");
}

#[tokio::test]
async fn a_program_that_cannot_take_a_prompt_is_started_anew_once() {
    let mut theatre = Theatre::new().await;
    let tab = theatre.new_tab().await;
    let _ = theatre.send(tab, "go").await.expect("kept");
    for attempt in 0..2 {
        let mut player = theatre.player().await;
        let (order, answer) = player.order().await;
        assert!(matches!(order, Order::Say(_)), "{attempt}: {order:?}");
        let _ = answer.send(Ok(Taken::Restart));
    }
    theatre.until_said(tab, "failed Unusable").await;
    theatre.refuse_starts(true);
    let other = theatre.new_tab().await;
    let tried = theatre.tab_reply(Command::TryAgain { tab: other }).await;
    assert_eq!(tried.map_err(|error| error.kind), Err(ErrorKind::Invalid));
    let tried = theatre.tab_reply(Command::TryAgain { tab }).await;
    assert!(tried.is_ok(), "{tried:?}");
    let failed =
        theatre.until(tab, "it failed again", |tab| tab.turns == 2 && !tab.state.is_busy());
    let TabState::Failed(why) = failed.await.state else { panic!("it runs") };
    assert_eq!(why.message, "it is not installed");
}

#[tokio::test]
async fn several_tabs_work_at_once_and_are_ordered_named_and_closed() {
    let mut theatre = Theatre::new().await;
    let one = theatre.new_tab().await;
    let two = theatre.new_tab().await;
    let read_only = |text: &str| Prompt { text: text.into(), read_only: true, ..Prompt::default() };
    let _ = theatre.send_prompt(one, read_only("one")).await.expect("kept");
    let mut first = theatre.player().await;
    assert_eq!(first.hears().await.text, "one");
    let _ = theatre.send_prompt(two, read_only("two")).await.expect("kept");
    let mut second = theatre.player().await;
    assert_eq!(second.answers("from two").await.text, "two");
    theatre.until_said(two, "ended").await;
    assert!(theatre.tab(one).await.state.is_busy());
    first.writes("m", "from one").await;
    first.ends(Ok(())).await;
    theatre.until_said(one, "ended").await;

    let change = |tab, change| theatre.tab_reply(Command::ChangeTab { tab, change });
    let _ = change(two, TabChange::Before(Some(one))).await.expect("moved");
    let order: Vec<_> = theatre.user.world(false).await.tabs.iter().map(|tab| tab.id).collect();
    assert_eq!(order, [two, one]);
    let named = change(one, TabChange::Title(Some("  The\ncart ".into()))).await.expect("named");
    assert_eq!((named.title.as_str(), named.named), ("The cart", true));
    let unnamed = change(one, TabChange::Title(None)).await.expect("unnamed");
    assert_eq!((unnamed.title.as_str(), unnamed.named), ("one", false));
    assert!(change(one, TabChange::Title(Some(" ".into()))).await.is_err());
    assert!(change(one, TabChange::Starred(true)).await.is_ok_and(|tab| tab.starred));
    assert!(change(one, TabChange::Closed(true)).await.is_ok_and(|tab| tab.closed));
    first.until_closed().await;
    assert!(change(one, TabChange::Closed(false)).await.is_ok_and(|tab| !tab.closed));
    assert_eq!(theatre.said(one).await, ["> one", "from one", "ended"]);

    match theatre.user.ask(Command::SearchTabs { words: "FROM".into(), agent: None, most: 9 }).await
    {
        Ok(Reply::TabHits(hits)) => {
            let mut found: Vec<_> =
                hits.iter().map(|hit| (hit.tab, hit.excerpt.as_str())).collect();
            found.sort_unstable();
            assert_eq!(found, [(one, "from one"), (two, "from two")]);
        }
        other => panic!("{other:?}"),
    }
    let removed = theatre.user.ask(Command::RemoveAgent { agent: theatre.agent }).await;
    assert!(removed.is_ok(), "{removed:?}");
    second.until_closed().await;
    assert!(theatre.user.world(false).await.tabs.is_empty());
    let folder = theatre.place.home().root().join("conversations");
    assert_eq!(std::fs::read_dir(folder).map_or(0, Iterator::count), 0);
}

#[tokio::test]
async fn what_floods_is_bounded_and_a_slow_follower_lags() {
    let mut theatre = Theatre::new().await;
    let tab = theatre.new_tab().await;
    // Who reads nothing: its queue fills, and nobody waits for it.
    let (slow, mut unread) = within("a connection", theatre.host.connect()).await.expect("it");
    let opened = slow.request(Command::OpenTab { tab, last: 1, follow: true });
    assert!(matches!(within("a reply", opened).await, Ok(Reply::Entries(_))));
    let _ = theatre.send(tab, "flood").await.expect("kept");
    let mut player = theatre.player().await;
    let _ = player.hears().await;
    let piece = "0123456789abcdef".repeat(4096);
    for n in 0..40 {
        let key = format!("t{n}");
        let body = Body::Tool(tool(ToolState::Running, ""));
        player.tells(Event::Item { key: key.clone(), open: true, body }).await;
        for _ in 0..16 {
            let part = maestro_core::conversation::Part::ToolOutput;
            player.tells(Event::Delta { key: key.clone(), part, text: piece.clone() }).await;
        }
    }
    for n in 0..2_000 {
        let body = Body::Raw(format!("{{\"n\":{n}}}"));
        player.tells(Event::Item { key: format!("raw{n}"), open: false, body }).await;
    }
    player.ends(Ok(())).await;
    theatre.until_said(tab, "ended").await;
    let state = theatre.tab(tab).await;
    assert!(state.entries < 300, "{}", state.entries);
    let page = theatre.page(tab, 5_000, false).await;
    let bytes: usize = page
        .entries
        .iter()
        .map(|entry| match &entry.body {
            Body::Tool(tool) => tool.output.len(),
            _ => 0,
        })
        .sum();
    assert!(bytes < 9 << 20, "a page is bounded: {bytes}");
    let first = page.entries.first().expect("entries").n;
    let read = Command::ReadTab { tab, before: first, most: 10 };
    match theatre.user.ask(read).await {
        Ok(Reply::Entries(older)) => {
            assert_eq!(older.entries.last().map(|entry| entry.n + 1), Some(first));
        }
        other => panic!("{other:?}"),
    }
    // Whoever was too slow is told so, or has it all.
    let mut copy = maestro_core::conversation::Transcript::default();
    let mut lagged = false;
    while let Ok(Some(heard)) =
        tokio::time::timeout(std::time::Duration::from_millis(300), unread.recv()).await
    {
        match heard {
            maestro_protocol::Incoming::Said { updates, .. } => {
                for update in updates {
                    let _ = copy.apply(update);
                }
            }
            maestro_protocol::Incoming::Lagged => lagged = true,
            _ => {}
        }
    }
    assert!(lagged || copy.next() == Some(state.entries), "{:?}", copy.next());
}

#[tokio::test]
async fn a_program_that_dies_in_the_middle_fails_its_turn_and_the_next_one_resumes() {
    let mut theatre = Theatre::new().await;
    let tab = theatre.new_tab().await;
    let _ = theatre.send(tab, "go").await.expect("kept");
    let mut player = theatre.player().await;
    let _ = player.hears().await;
    player.tells(Event::Session { id: "s-7".into(), model: None }).await;
    let body = Body::Tool(tool(ToolState::Running, ""));
    player.tells(Event::Item { key: "t".into(), open: true, body }).await;
    // Without a word, as a driver that panicked would go.
    drop(player);
    theatre.until_said(tab, "failed Crashed").await;
    assert_eq!(theatre.said(tab).await[1], "cargo test Cut");
    assert_eq!(theatre.user.world(false).await.agents[0].attention.state, State::Failed);
    let _ = theatre.tab_reply(Command::TryAgain { tab }).await.expect("again");
    let mut player = theatre.player().await;
    assert_eq!(player.launch.resume.as_deref(), Some("s-7"));
    let _ = player.answers("done").await;
    theatre.until_said(tab, "ended").await;
}

#[tokio::test]
async fn a_lost_session_is_rebuilt_from_what_was_said() {
    let mut theatre = Theatre::new().await;
    let tab = theatre.new_tab().await;
    let _ = theatre.send(tab, "remember 42").await.expect("kept");
    let mut player = theatre.player().await;
    let _ = player.answers("I remember").await;
    theatre.until_said(tab, "ended").await;
    let rebuild = || theatre.tab_reply(Command::Rebuild { tab });
    assert_eq!(rebuild().await.map_err(|error| error.kind), Err(ErrorKind::Invalid));
    let _ = theatre.send(tab, "what was it?").await.expect("kept");
    let _ = player.hears().await;
    player.ends(Err(FailureKind::SessionMissing)).await;
    theatre.until_said(tab, "failed SessionMissing").await;
    let _ = rebuild().await.expect("begun");
    player.until_closed().await;
    let mut player = theatre.player().await;
    assert_eq!(player.launch.resume, None);
    let prompt = player.hears().await.text;
    assert!(prompt.contains("remember 42") && prompt.contains("I remember"), "{prompt}");
    assert!(prompt.ends_with("what was it?"), "{prompt}");
    player.tells(Event::Session { id: "s-new".into(), model: None }).await;
    player.ends(Ok(())).await;
    theatre.until_said(tab, "ended").await;
    // What is shown is what was said, not what was wrapped around it.
    let said = theatre.said(tab).await;
    assert_eq!(said.iter().filter(|said| *said == "> what was it?").count(), 2, "{said:?}");
    assert_eq!(theatre.tab(tab).await.session.as_deref(), Some("s-new"));
}

#[tokio::test]
async fn a_run_that_has_the_directory_lets_only_readers_in() {
    let mut theatre = Theatre::new().await;
    let tab = theatre.new_tab().await;
    let _ = theatre.send(tab, "one").await.expect("kept");
    let mut player = theatre.player().await;
    let _ = player.answers("done").await;
    theatre.until_said(tab, "ended").await;
    // A run whose turn does not end.
    let _ = theatre.place.script("agent", "sleep 1000");
    let work = theatre.place.folder("work").canonicalize().expect("there");
    let document = work.join("todo.md");
    std::fs::write(&document, "- [ ] something\n").expect("written");
    let spec = maestro_core::run::Spec {
        documents: vec![document],
        directory: work,
        provider: maestro_core::agent::Provider::Claude,
        agent: None,
        model: None,
        turn_timeout_s: 0,
        silence_timeout_s: 0,
        verify_timeout_s: 10,
        attempts: 1,
        unattended: true,
        options: maestro_core::run::Options::default(),
    };
    let run = match theatre.user.ask(Command::StartRun(spec)).await {
        Ok(Reply::Run(run)) => run.id,
        other => panic!("{other:?}"),
    };
    let again = || theatre.tab_reply(Command::TryAgain { tab });
    let refused = again().await.expect_err("somebody works there");
    assert_eq!(refused.kind, ErrorKind::Busy);
    assert!(refused.message.contains(&run.to_string()), "{refused}");
    let read_only = TabChange::Policy(Policy::ReadOnly);
    let change = Command::ChangeTab { tab, change: read_only };
    let (changed, _) = tokio::join!(theatre.tab_reply(change), player.takes());
    assert!(changed.is_ok(), "{changed:?}");
    let (begun, heard) = tokio::join!(again(), player.hears());
    assert!(begun.is_ok() && heard.text == "one", "{begun:?}");
    let killed = theatre.user.ask(Command::KillRun { run }).await;
    assert!(killed.is_ok(), "{killed:?}");
}

#[tokio::test]
async fn menus_drafts_files_and_images() {
    let mut theatre = Theatre::new().await;
    let tab = theatre.new_tab().await;
    let model = Model { id: "m1".into(), name: "M".into(), efforts: vec!["high".into()] };
    let menu = Menu { models: vec![model], ..Menu::default() };
    let user = theatre.user.clone();
    let (reply, mut player) = tokio::join!(user.ask(Command::ReadMenu { tab }), async {
        let player = theatre.player().await;
        player.tells(Event::Menu(menu.clone())).await;
        player
    });
    assert_eq!(reply, Ok(Reply::Menu(Box::new(menu.clone()))));
    assert!(!*player.closed.borrow());
    assert_eq!(theatre.user.ask(Command::ReadMenu { tab }).await, Ok(Reply::Menu(Box::new(menu))));
    let draft = Prompt { text: "half a thou".into(), ..Prompt::default() };
    theatre.user.done(Command::SetDraft { tab, draft: draft.clone() }).await;
    assert_eq!(theatre.page(tab, 1, false).await.draft, Some(draft));

    let work = theatre.place.folder("work");
    std::fs::write(work.join("cart.rs"), "x").expect("written");
    let find = Command::FindFiles { agent: theatre.agent, letters: "crt".into(), most: 5 };
    assert_eq!(theatre.user.ask(find).await, Ok(Reply::Files(vec!["cart.rs".into()])));
    let list = Command::ListFiles { agent: theatre.agent };
    match theatre.user.ask(list).await {
        Ok(Reply::Files(files)) => assert!(files.is_sorted() && files.contains(&"cart.rs".into())),
        other => panic!("{other:?}"),
    }

    let keep = |bytes: &[u8]| Command::KeepImage { bytes: bytes.to_vec() };
    match theatre.user.ask(keep(b"GIF89a and more")).await {
        Ok(Reply::Image(image)) => {
            assert_eq!(image.media, "image/gif");
            assert_eq!(std::fs::read(&image.path).expect("there"), b"GIF89a and more");
            // Such an image goes with a prompt, and no other file.
            let prompt = |image| Prompt { images: vec![image], ..Prompt::default() };
            let _ = theatre.send_prompt(tab, prompt(image.clone())).await.expect("kept");
            assert_eq!(player.answers("seen").await.images, std::slice::from_ref(&image));
            theatre.until_said(tab, "ended").await;
            let mut other = image;
            other.path = theatre.place.path("home").join("maestro.db");
            let _ = theatre.send_prompt(tab, prompt(other)).await;
            let user = theatre.user.clone();
            let held = user.until("it is held", |seen| {
                seen.events.iter().rev().find_map(|event| match event {
                    Told::Queue(queue) => queue.held.clone(),
                    _ => None,
                })
            });
            let held = format!("{:?}", held.await);
            assert!(held.contains("no image that Maestro keeps"), "{held}");
            assert_eq!(theatre.tab(tab).await.turns, 1);
        }
        other => panic!("{other:?}"),
    }
    let refused = theatre.user.ask(keep(b"#!/bin/sh")).await.map_err(|error| error.kind);
    assert_eq!(refused, Err(ErrorKind::Invalid));
}

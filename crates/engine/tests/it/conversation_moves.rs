//! One session in two views: in the provider's own interface or in a conversation, never in both.

use maestro_core::agent::Provider;
use maestro_core::conversation::{Place as Open, TabState};
use maestro_core::screen::Size;
use maestro_protocol::message::{Command, ErrorKind, TabChange};

use crate::driver::Theatre;
use crate::harness::User;

const SIZE: Size = Size { cols: 80, rows: 24, cell_width: 0, cell_height: 0 };
const SESSION: &str = "6a8bc3ec-26ab-456c-8c0b-cdfafa0d0db5";

#[tokio::test]
async fn a_session_moves_into_the_terminal_and_back() {
    let mut theatre = Theatre::new().await;
    let tab = theatre.new_tab().await;
    let _ = theatre.send(tab, "go").await.expect("kept");
    let mut player = theatre.player().await;
    let _ = player.hears().await;
    let to_terminal = || theatre.tab_reply(Command::ToTerminal { tab, size: SIZE });
    let refused = to_terminal().await.expect_err("a turn runs");
    assert_eq!(refused.kind, ErrorKind::Busy);
    assert!(refused.message.contains("turn"), "{refused}");
    let id = SESSION.to_owned();
    player.tells(maestro_core::conversation::Event::Session { id, model: None }).await;
    player.writes("m", "hello").await;
    player.ends(Ok(())).await;
    theatre.until_said(tab, "ended").await;

    let moved = to_terminal().await.expect("it moves");
    player.until_closed().await;
    let Open::Terminal(terminal) = moved.place else { panic!("{moved:?}") };
    let agent = theatre.user.world(false).await.agents.remove(0);
    assert_eq!((agent.ai_terminal, agent.session.as_deref()), (Some(terminal), Some(SESSION)));
    // The place where it is busy is told, and what is sent waits.
    let item = theatre.send(tab, "later").await;
    assert!(item.is_ok(), "{item:?}");
    let again = theatre.tab_reply(Command::TryAgain { tab }).await.expect_err("it is elsewhere");
    assert_eq!(again.kind, ErrorKind::Busy);
    assert!(again.message.contains(&terminal.to_string()), "{again}");
    assert!(!theatre.started_another());

    // What was said there, as its provider stored it.
    let work = agent.directory.to_string_lossy().replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    let folder = theatre.place.path("user").join(".claude/projects").join(work);
    std::fs::create_dir_all(&folder).expect("made");
    let line = |kind: &str, uuid: &str, content: &str| {
        format!(
            "{{\"type\":\"{kind}\",\"uuid\":\"{uuid}\",\"sessionId\":\"{SESSION}\",\
             \"cwd\":{:?},\"timestamp\":\"2026-11-22T08:00:00.000Z\",\
             \"message\":{{\"role\":\"{kind}\",\"content\":{content}}}}}\n",
            agent.directory
        )
    };
    let said = [
        line("user", "u1", "\"go\""),
        line("assistant", "u2", "[{\"type\":\"text\",\"text\":\"hello\"}]"),
        line("user", "u3", "\"in the terminal\""),
        line("assistant", "u4", "[{\"type\":\"text\",\"text\":\"also here\"}]"),
    ]
    .concat();
    std::fs::write(folder.join(format!("{SESSION}.jsonl")), said).expect("written");
    let back = theatre.tab_reply(Command::ToConversation { agent: agent.id }).await.expect("back");
    assert_eq!((back.id, back.session.as_deref()), (tab, Some(SESSION)));
    let said = theatre.said(tab).await;
    let place = said.iter().position(|said| said == "> in the terminal");
    let place = place.unwrap_or_else(|| panic!("{said:?}"));
    assert_eq!(said[place + 1], "also here");
    assert_eq!(said.iter().filter(|said| *said == "> go").count(), 1, "{said:?}");
    assert_eq!(theatre.user.world(false).await.agents[0].ai_terminal, None);

    // Now what waited is said, in the same session.
    let mut player = theatre.player().await;
    assert_eq!(player.launch.resume.as_deref(), Some(SESSION));
    assert_eq!(player.hears().await.text, "later");
    // And no terminal opens what a conversation has.
    let open = Command::OpenAgent { agent: agent.id, resume: true };
    let refused = theatre.user.ask(open).await.expect_err("it is open");
    assert_eq!(refused.kind, ErrorKind::Busy);
    assert!(refused.message.contains(&tab.to_string()), "{refused}");
}

#[tokio::test]
async fn a_terminal_that_ends_gives_its_session_back() {
    let mut theatre = Theatre::new().await;
    let tab = theatre.new_tab().await;
    let moved = theatre.tab_reply(Command::ToTerminal { tab, size: SIZE }).await.expect("moved");
    let Open::Terminal(terminal) = moved.place else { panic!("{moved:?}") };
    let session = theatre.user.world(false).await.agents[0].session.clone();
    assert!(session.is_some(), "one was chosen for it");
    let bytes = b"\x04".to_vec();
    theatre.user.done(Command::SendBytes { terminal, bytes }).await;
    let back = theatre.until(tab, "it is back", |tab| tab.place == Open::Nowhere).await;
    assert_eq!((back.session, back.state), (session, TabState::Idle));
    let _ = theatre.send(tab, "go").await.expect("kept");
    let mut player = theatre.player().await;
    let _ = player.answers("here").await;
    theatre.until_said(tab, "ended").await;
}

#[tokio::test]
async fn two_tabs_do_not_share_a_session() {
    let mut theatre = Theatre::new().await;
    let new = |session: &str| Command::NewTab {
        agent: theatre.agent,
        session: Some(session.into()),
        title: None,
    };
    let bad = theatre.tab_reply(new("--danger")).await.map_err(|error| error.kind);
    assert_eq!(bad, Err(ErrorKind::Invalid));
    let one = theatre.tab_reply(new(SESSION)).await.expect("a tab").id;
    let same = theatre.tab_reply(new(SESSION)).await.expect("a tab").id;
    assert_eq!(one, same, "it has a tab already");
    let closed = Command::ChangeTab { tab: one, change: TabChange::Closed(true) };
    assert!(theatre.tab_reply(closed).await.is_ok_and(|tab| tab.closed));
    assert!(theatre.tab_reply(new(SESSION)).await.is_ok_and(|tab| tab.id == one && !tab.closed));
    let _ = theatre.send(one, "go").await.expect("kept");
    let player = theatre.player().await;
    assert_eq!(player.launch.resume.as_deref(), Some(SESSION));
}

#[tokio::test]
async fn a_shell_has_nobody_to_talk_to() {
    let theatre = Theatre::at(crate::harness::Place::new(), Provider::Shell).await;
    let new = Command::NewTab { agent: theatre.agent, session: None, title: None };
    let refused = theatre.tab_reply(new).await.map_err(|error| error.kind);
    assert_eq!(refused, Err(ErrorKind::Unsupported));
}

/// The driver has the session, although it takes its time to be there.
#[tokio::test]
async fn no_terminal_opens_what_a_conversation_is_about_to() {
    let mut theatre = Theatre::new().await;
    let tab = theatre.new_tab().await;
    let moved = theatre.tab_reply(Command::ToTerminal { tab, size: SIZE }).await.expect("moved");
    let Open::Terminal(terminal) = moved.place else { panic!("{moved:?}") };
    let bytes = b"\x04".to_vec();
    theatre.user.done(Command::SendBytes { terminal, bytes }).await;
    let back = theatre.until(tab, "it is back", |tab| tab.place == Open::Nowhere).await;
    assert!(back.session.is_some());

    theatre.hang_starts(true);
    let _ = theatre.send(tab, "go").await.expect("kept");
    let player = theatre.player().await;
    assert_eq!(player.launch.resume, back.session, "it starts, and does not come up");
    let open = || Command::OpenAgent { agent: theatre.agent, resume: true };
    let refused = theatre.user.ask(open()).await.expect_err("it is being opened");
    assert_eq!(refused.kind, ErrorKind::Busy);
    assert!(refused.message.contains("being opened"), "{refused}");
    // Who does not want it any more gives it up.
    let _ = theatre.tab_reply(Command::Interrupt { tab }).await.expect("stopped");
    let _ = theatre.until(tab, "it is over", |tab| !tab.state.is_busy()).await;
    let opened = theatre.user.ask(open()).await;
    assert!(opened.is_ok(), "{opened:?}");
}

/// A program that does not come up is only waited for by who wants to know what can be chosen in it.
#[tokio::test]
async fn a_menu_that_does_not_come_keeps_no_session() {
    let mut theatre = Theatre::new().await;
    let tab = theatre.new_tab().await;
    theatre.hang_starts(true);
    let other = User::of(&theatre.host).await;
    let menu = tokio::spawn(async move { other.ask(Command::ReadMenu { tab }).await });
    let _player = theatre.player().await;
    let moved = theatre.tab_reply(Command::ToTerminal { tab, size: SIZE }).await.expect("moved");
    assert!(matches!(moved.place, Open::Terminal(_)), "{moved:?}");
    let told = menu.await.expect("answered");
    assert!(told.is_err(), "{told:?}");
}

/// Its terminal gave the session back, and what waited is being said: whoever takes it back, too, is told so at
/// once, and not when the program has come up.
#[tokio::test]
async fn what_a_turn_has_already_is_not_waited_for() {
    let mut theatre = Theatre::new().await;
    let tab = theatre.new_tab().await;
    let moved = theatre.tab_reply(Command::ToTerminal { tab, size: SIZE }).await.expect("moved");
    let Open::Terminal(terminal) = moved.place else { panic!("{moved:?}") };
    assert!(theatre.send(tab, "later").await.is_ok());
    theatre.hang_starts(true);
    let bytes = b"\x04".to_vec();
    theatre.user.done(Command::SendBytes { terminal, bytes }).await;
    let _player = theatre.player().await;
    let back = Command::ToConversation { agent: theatre.agent };
    let back = theatre.tab_reply(back).await.expect("it is there");
    assert!(back.id == tab && back.state.is_busy(), "its program does not come up: {back:?}");
    let refused = theatre.tab_reply(Command::ToTerminal { tab, size: SIZE }).await;
    let refused = refused.expect_err("a turn runs");
    assert_eq!(refused.kind, ErrorKind::Busy);
    assert!(refused.message.contains("turn"), "{refused}");
}

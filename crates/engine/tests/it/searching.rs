//! Searching a terminal, as its clients see it.

use std::sync::Arc;

use maestro_core::TerminalId;
use maestro_core::screen::flags;
use maestro_core::search::{QUERY_LIMIT, Query, Search};
use maestro_protocol::message::{Command, ErrorKind, Event, Reply};
use tokio::sync::watch;

use crate::harness::{Place, User, stop};

fn query(text: &str) -> Query {
    Query { text: text.to_owned(), ..Query::default() }
}

fn search(terminal: TerminalId, text: &str) -> Command {
    Command::Search { terminal, query: Some(query(text)) }
}

/// Every state of a terminal's search that a user was told, in order.
fn told(user: &User, terminal: TerminalId) -> Vec<Option<Search>> {
    user.look(|state| {
        let all = state.events.iter().filter_map(|event| match event {
            Event::Search { terminal: of, search } if *of == terminal => Some(search.clone()),
            _ => None,
        });
        all.collect()
    })
}

async fn until_searched(
    user: &User,
    terminal: TerminalId,
    what: &str,
    is: impl Fn(&Search) -> bool,
) -> Search {
    user.until(what, |state| {
        state.events.iter().rev().find_map(|event| match event {
            Event::Search { terminal: of, search: Some(search) } if *of == terminal => {
                is(search).then(|| search.clone())
            }
            _ => None,
        })
    })
    .await
}

async fn until_ended(user: &User, terminal: TerminalId) {
    user.until("the search is over", |state| {
        let last = state.events.iter().rev().find_map(|event| match event {
            Event::Search { terminal: of, search } if *of == terminal => Some(search.is_none()),
            _ => None,
        });
        (last == Some(true)).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_looked_through_and_every_client_sees_the_same() {
    let place = Place::new();
    let host = place.host().await;
    let (user, other) = (User::of(&host).await, User::of(&host).await);
    let terminal = user.sh("seq 1 9000; read x").await.id;
    user.watch(terminal, true).await;
    let _ = user.until_shown(terminal, "9000").await;
    user.done(search(terminal, "77")).await;
    let expected = (1..=9000).map(|n: u32| n.to_string().matches("77").count()).sum::<usize>();
    for client in [&user, &other] {
        let found = until_searched(client, terminal, "all is found", |search| search.done).await;
        assert_eq!((found.matches, found.current), (expected as u64, Some(expected as u64)));
        assert_eq!(found.query, query("77"));
    }
    // The newest match is shown, and marked as the one.
    user.until("the match is in sight", |state| {
        let shown = state.screens.get(&terminal)?;
        let row = shown.rows.iter().find(|row| row.text().trim_end() == "8977")?;
        let cell = row.cells.iter().find(|cell| cell.has(flags::CURRENT))?;
        cell.has(flags::MATCH).then_some(())
    })
    .await;
    user.done(Command::SearchMove { terminal, forward: false }).await;
    let before = until_searched(&other, terminal, "the one before", |search| {
        search.current == Some(expected as u64 - 1)
    })
    .await;
    assert!(before.done);
    for _ in 0..2 {
        other.done(Command::SearchMove { terminal, forward: true }).await;
    }
    let _ =
        until_searched(&user, terminal, "around to the first", |search| search.current == Some(1))
            .await;
    user.done(Command::Search { terminal, query: None }).await;
    for client in [&user, &other] {
        until_ended(client, terminal).await;
    }
    user.until("nothing is marked", |state| {
        let shown = state.screens.get(&terminal)?;
        let marked =
            shown.rows.iter().flat_map(|row| &row.cells).any(|cell| cell.has(flags::MATCH));
        (!marked).then_some(())
    })
    .await;
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_query_takes_the_place_of_the_one_before_and_new_output_is_found() {
    let place = Place::new();
    let host = place.host().await;
    let user = User::of(&host).await;
    let terminal = user.sh("seq 1 9000; read x; echo needle; read x").await.id;
    user.until_read(terminal, "9000").await;
    for text in ["1", "2", "3", "nothing like this", "needle"] {
        user.done(search(terminal, text)).await;
    }
    let _ = until_searched(&user, terminal, "nothing is found", |search| {
        search.done && search.query.text == "needle" && search.matches == 0
    })
    .await;
    user.done(Command::SendBytes { terminal, bytes: b"\n".to_vec() }).await;
    let _ = until_searched(&user, terminal, "it came", |search| search.matches == 1).await;
    user.done(Command::CloseTerminal { terminal }).await;
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_ends_with_its_client_and_with_its_terminal() {
    let place = Place::new();
    let host = place.host().await;
    let (user, other) = (User::of(&host).await, User::of(&host).await);
    let terminal = user.sh("seq 1 100; read x").await.id;
    user.until_read(terminal, "100").await;
    other.done(search(terminal, "5")).await;
    let _ = until_searched(&user, terminal, "all is found", |search| search.done).await;
    other.leave();
    until_ended(&user, terminal).await;

    user.done(search(terminal, "5")).await;
    user.done(Command::CloseTerminal { terminal }).await;
    let gone = user.ask(search(terminal, "5")).await.expect_err("it is gone");
    assert_eq!(gone.kind, ErrorKind::NotFound);
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_looked_for_is_told() {
    let place = Place::new();
    let host = place.host().await;
    let user = User::of(&host).await;
    let terminal = user.sh("echo here; read x").await.id;
    user.until_read(terminal, "here").await;
    let wrong = Query { text: "a(b".into(), regex: true, ..Query::default() };
    user.done(Command::Search { terminal, query: Some(wrong) }).await;
    let told = until_searched(&user, terminal, "what is wrong", |search| search.error.is_some());
    assert_eq!(told.await.matches, 0);
    let long = user.ask(search(terminal, &"x".repeat(QUERY_LIMIT + 1))).await;
    assert_eq!(long.expect_err("too long").kind, ErrorKind::Invalid);
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_in_a_flood_is_told_a_few_times_a_second_and_holds_nobody_up() {
    let place = Place::new();
    let host = place.host().await;
    let user = User::of(&host).await;
    let terminal = user.sh("yes needle in a haystack").await.id;
    user.until_read(terminal, "needle").await;
    let begin = std::time::Instant::now();
    user.done(search(terminal, "needle")).await;
    let other = user.sh("seq 1 2000; echo end; read x; echo \"got <$x>\"").await.id;
    user.watch(other, true).await;
    let _ = user.until_shown(other, "end").await;
    let _ = user.type_text(other, "it\n");
    let _ = user.until_shown(other, "got <it>").await;
    let _ =
        until_searched(&user, terminal, "something is found", |search| search.matches > 0).await;
    user.done(Command::Search { terminal, query: None }).await;
    until_ended(&user, terminal).await;
    let took = begin.elapsed().as_secs_f64();
    let events = told(&user, terminal).len();
    assert!((events as f64) < took * 5.0 + 6.0, "{events} events in {took} s");
    user.done(Command::CloseTerminal { terminal }).await;
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_output_is_copied_the_screen_emptied_and_modes_set_back() {
    let place = Place::new();
    let host = place.host().await;
    let user = User::of(&host).await;
    let script = "printf '\\033]133;A\\007$ \\033]133;B\\007ls\\r\\n\\033]133;C\\007'; \
                  printf 'one\\r\\ntwo\\r\\n\\033]133;D;0\\007\\033]133;A\\007$ '; \
                  printf '\\033[?1000h\\033[?2004h'; read x";
    let terminal = user.sh(script).await.id;
    user.until_read(terminal, "two").await;
    let text = user.ask(Command::CopyOutput { terminal }).await;
    let Ok(Reply::Text(Some(text))) = text else { panic!("no text: {text:?}") };
    assert_eq!(text.trim_end(), "one\ntwo");
    let modes = user.read(terminal).await.modes;
    assert!(modes.mouse && modes.bracketed_paste, "{modes:?}");
    user.done(Command::ResetTerminal { terminal }).await;
    let modes = user.read(terminal).await.modes;
    assert!(!modes.mouse && !modes.bracketed_paste, "{modes:?}");
    user.done(Command::ClearTerminal { terminal, history: true }).await;
    let screen = user.read(terminal).await;
    assert_eq!(screen.rows[0].text().trim_end(), "$");
    assert_eq!(screen.scroll.history, 0);
    stop(&host).await;
}

/// How far a terminal's reader is that stops at `hold`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gate {
    NotReached,
    Holds,
    Open,
}

fn gate() -> (watch::Sender<Gate>, maestro_engine::Fault) {
    let gate = watch::Sender::new(Gate::NotReached);
    let ours = gate.clone();
    let fault = Arc::new(move |bytes: &[u8]| {
        if bytes.windows(4).any(|part| part == b"hold") {
            let _ = ours.send_replace(Gate::Holds);
            while *ours.borrow() != Gate::Open {
                std::thread::yield_now();
            }
        }
    });
    (gate, fault)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_counts_although_the_query_is_refined_right_after_it() {
    let place = Place::new();
    let (gate, fault) = gate();
    let host = place.host_with(|options| options.fault = Some(fault)).await;
    let user = User::of(&host).await;
    let terminal = user.sh("for n in 1 2 3; do echo needle $n; done; read x; echo hold; read x");
    let terminal = terminal.await.id;
    user.watch(terminal, true).await;
    let _ = user.until_shown(terminal, "needle 3").await;
    user.done(search(terminal, "need")).await;
    let _ = until_searched(&user, terminal, "the newest", |search| search.current == Some(3)).await;
    // Nobody reads the orders meanwhile: they wait beside each other.
    user.done(Command::SendBytes { terminal, bytes: b"\n".to_vec() }).await;
    let _ = gate.subscribe().wait_for(|gate| *gate == Gate::Holds).await.expect("it holds");
    user.done(Command::SearchMove { terminal, forward: false }).await;
    for text in ["needl", "needle"] {
        user.done(search(terminal, text)).await;
    }
    let _ = gate.send_replace(Gate::Open);
    let found = until_searched(&user, terminal, "the refined one", |search| {
        search.query.text == "needle" && search.done
    });
    assert_eq!(found.await.current, Some(2));
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_see_a_terminal_does_not_end_a_search_in_it() {
    let place = Place::new();
    let host = place.host().await;
    let (user, counter) = (User::of(&host).await, User::of(&host).await);
    let terminal = user.sh("seq 1 100; read x").await.id;
    user.watch(terminal, true).await;
    user.until_read(terminal, "100").await;
    user.done(search(terminal, "5")).await;
    let _ = until_searched(&user, terminal, "all is found", |search| search.done).await;
    let refused = counter.ask(search(terminal, "7")).await.expect_err("it is searched");
    assert_eq!(refused.kind, ErrorKind::Busy);
    // Another window is looked at by its user, who means it.
    let window = User::of(&host).await;
    window.watch(terminal, false).await;
    window.done(search(terminal, "9")).await;
    let _ = until_searched(&user, terminal, "the other query", |search| {
        search.query.text == "9" && search.done
    })
    .await;
    window.done(Command::Search { terminal, query: None }).await;
    until_ended(&window, terminal).await;
    counter.done(search(terminal, "7")).await;
    stop(&host).await;
}

//! Terminals: what is typed, printed, seen and ended.

use std::time::{Duration, Instant};

use maestro_core::input::{Input, ScrollTo, Select, SelectBy};
use maestro_core::screen::{Row, Size};
use maestro_protocol::message::{Command, ErrorKind, Event, NewTerminal, Reply};
use maestro_pty::Marker;

use crate::harness::{Place, User, stop, wait};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_is_echoed_and_counted() {
    let place = Place::new();
    let host = place.host().await;
    let user = User::of(&host).await;
    let terminal = user.sh("echo ready; read line; echo \"got <$line>\"").await.id;
    user.watch(terminal, true).await;
    let _ = user.until_shown(terminal, "ready").await;
    let seq = user.type_text(terminal, "hello\n");
    let _ = user.until_shown(terminal, "got <hello>").await;
    user.until("the input's number", |state| {
        (state.screens.get(&terminal)?.input_seq == seq).then_some(())
    })
    .await;
    assert_eq!(user.until_exit(terminal).await, 0);
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn exits_are_told_and_the_last_screen_stays() {
    let place = Place::new();
    let host = place.host().await;
    let user = User::of(&host).await;
    for (script, code) in [("echo bye; exit 7", 7), ("echo bye; kill -TERM $$", 143)] {
        let terminal = user.sh(script).await.id;
        assert_eq!(user.until_exit(terminal).await, code);
        let screen = user.read(terminal).await;
        assert!(screen.rows[0].text().starts_with("bye"));
        assert_eq!((screen.info.exit, screen.info.pid), (Some(code), None));
        user.done(Command::CloseTerminal { terminal }).await;
        let gone = user.ask(Command::ReadTerminal { terminal, history: false }).await;
        assert_eq!(gone.expect_err("closed").kind, ErrorKind::NotFound);
    }
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_takes_no_frames_slows_nothing() {
    let place = Place::new();
    let host = place.host().await;
    let user = User::of(&host).await;
    let slow = User::without_credit(&host).await;
    // 8 MB: many times what may wait anywhere.
    let script = "i=0; while [ $i -lt 40 ]; do head -c 200000 /dev/zero | tr '\\0' x; \
                  i=$((i+1)); done; echo; echo all-of-it";
    let terminal = user.sh(script).await.id;
    slow.watch(terminal, true).await;
    assert_eq!(user.until_exit(terminal).await, 0);
    let frames = slow.look(|state| state.screens.get(&terminal).map_or(0, |shown| shown.frames));
    assert!(frames <= 1, "{frames} frames without credit");
    // With a credit it sees the present and nothing of what it skipped.
    slow.client.credit(terminal).expect("connected");
    let _ = slow.until_shown(terminal, "all-of-it").await;
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_does_not_keep_others_from_working() {
    let place = Place::new();
    let host = place.host_with(|options| options.parsers = Some(1)).await;
    let user = User::of(&host).await;
    let flood = user.run(&["yes", "flood"]).await.expect("it starts").id;
    user.watch(flood, true).await;
    let _ = user.until_shown(flood, "flood").await;
    let hidden = user.sh("echo ready; read x; echo \"got <$x>\"").await.id;
    user.until_read(hidden, "ready").await;
    user.watch(hidden, false).await;
    let _ = user.type_text(hidden, "on\n");
    let _ = user.until_shown(hidden, "got <on>").await;
    user.done(Command::CloseTerminal { terminal: flood }).await;
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resize_reaches_the_child_and_makes_a_full_frame() {
    let place = Place::new();
    let host = place.host().await;
    let user = User::of(&host).await;
    let terminal =
        user.sh("trap 'stty size' WINCH; echo ready; while :; do sleep 0.05; done").await.id;
    user.watch(terminal, false).await;
    let _ = user.until_shown(terminal, "ready").await;
    let _ = user.client.input(terminal, Input::Resize(Size::new(61, 17))).expect("connected");
    let shown = user.until_shown(terminal, "17 61").await;
    assert_eq!(shown.size, Some(Size::new(61, 17)));
    user.done(Command::ResizeTerminal {
        terminal,
        size: Size { cols: 5000, rows: 3, cell_width: 0, cell_height: 0 },
    })
    .await;
    let _ = user.until_shown(terminal, "3 1000").await;
    stop(&host).await;
}

/// Whoever had the keyboard and shows something else, or dies, says no goodbye.
#[tokio::test(flavor = "multi_thread")]
async fn keys_are_let_go_when_the_last_with_the_keyboard_goes() {
    let place = Place::new();
    let host = place.host().await;
    let reader = User::of(&host).await;
    let script = "stty raw -echo; printf '\\033[>10u\\033[?1004hready\\r\\n'; cat -v";
    for (dies, others) in [(false, false), (true, false), (false, true)] {
        let user = User::of(&host).await;
        let terminal = user.sh(script).await.id;
        user.watch(terminal, true).await;
        let _ = user.until_shown(terminal, "ready").await;
        let _ = user.client.input(terminal, Input::Focus(true)).expect("connected");
        let _ = user.type_text(terminal, "a");
        let _ = user.until_shown(terminal, "^[[I^[[97u").await;
        // One who looks on has not got the keyboard; another who has it keeps the key down.
        reader.watch(terminal, others).await;
        if dies {
            user.leave();
        } else {
            user.done(Command::Unsubscribe { terminal }).await;
        }
        if others {
            let _ = reader.type_text(terminal, "b");
            let shown = reader.until_shown(terminal, "^[[98u").await;
            assert!(shown.text().contains("^[[I^[[97u^[[98u"), "{}", shown.text());
            reader.watch(terminal, false).await;
            let _ = reader.until_shown(terminal, "^[[98u^[[97;1:3u^[[98;1:3u^[[O").await;
        } else {
            let _ = reader.until_shown(terminal, "^[[97u^[[97;1:3u^[[O").await;
        }
    }
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_child_says_besides_drawing_is_told() {
    let place = Place::new();
    let host = place.host().await;
    let user = User::of(&host).await;
    let script = "printf '\\033]0;my title\\007\\033]9;please look\\007\\033]9;4;1;40\\007\\007'; \
                  printf '\\033]7;file://localhost/usr/share\\007'; read x";
    let terminal = user.sh(script).await.id;
    user.until("the facts", |state| {
        state.events.iter().find_map(|event| match event {
            Event::Terminal(info) if info.id == terminal && info.title == "my title" => {
                let whole = info.progress == Some(40) && info.directory.ends_with("usr/share");
                whole.then_some(())
            }
            _ => None,
        })
    })
    .await;
    user.until("the notification", |state| {
        state.events.iter().find_map(|event| match event {
            Event::Notification { body, .. } => (body == "please look").then_some(()),
            _ => None,
        })
    })
    .await;
    user.until("the bell", |state| state.events.contains(&Event::Bell(terminal)).then_some(()))
        .await;
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn facts_of_a_busy_terminal_are_told_a_few_times_a_second() {
    let place = Place::new();
    let host = place.host().await;
    let user = User::of(&host).await;
    let begin = Instant::now();
    let script = "i=0; while [ $i -lt 20000 ]; do printf '\\033]0;t%s\\007' $i; i=$((i+1)); done";
    let terminal = user.sh(script).await.id;
    let _ = user.until_exit(terminal).await;
    let took = begin.elapsed().as_secs_f64();
    let told = user.look(|state| {
        state.events.iter().filter(|event| matches!(event, Event::Terminal(_))).count()
    });
    assert!((told as f64) < took * 4.0 + 4.0, "{told} events in {took} s");
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_selection_can_be_copied() {
    let place = Place::new();
    let host = place.host().await;
    let user = User::of(&host).await;
    let terminal = user.sh("echo one two three; read x").await.id;
    user.until_read(terminal, "three").await;
    assert_eq!(user.ask(Command::CopySelection { terminal }).await, Ok(Reply::Text(None)));
    let word = Select::Start { row: 0, col: 5, right_half: false, by: SelectBy::Word };
    let _ = user.client.input(terminal, Input::Select(word)).expect("connected");
    let text = user.ask(Command::CopySelection { terminal }).await;
    assert_eq!(text, Ok(Reply::Text(Some("two".into()))));
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ignores_every_polite_signal_is_gone_after_closing() {
    let place = Place::new();
    let host = place.host().await;
    let user = User::of(&host).await;
    let script = "trap '' HUP TERM INT; setsid sh -c 'trap \"\" HUP TERM; while :; do sleep 1; done' & \
                  echo ready; while :; do sleep 1; done";
    let terminal = user.sh(script).await.id;
    user.until_read(terminal, "ready").await;
    let marker = Marker::new([("MAESTRO_HOST".to_owned(), host.instance().to_owned())]);
    wait("both run", || marker.processes().len() >= 2).await;
    user.done(Command::CloseTerminal { terminal }).await;
    assert_eq!(marker.processes(), []);
    user.until("the closing", |state| {
        state.events.contains(&Event::TerminalClosed(terminal)).then_some(())
    })
    .await;
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_subscription_begins_with_everything() {
    let place = Place::new();
    let host = place.host().await;
    let user = User::of(&host).await;
    let terminal = user.sh("echo ready; read x").await.id;
    user.watch(terminal, false).await;
    let _ = user.until_shown(terminal, "ready").await;
    user.watch(terminal, true).await;
    user.until("another full frame", |state| {
        (state.screens.get(&terminal)?.full == 2).then_some(())
    })
    .await;
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn input_that_nobody_reads_is_refused_with_a_sentence() {
    let place = Place::new();
    let host = place.host().await;
    let user = User::of(&host).await;
    let terminal = user.sh("stty raw -echo; echo ready; sleep 600").await.id;
    user.until_read(terminal, "ready").await;
    for _ in 0..8 {
        let bytes = vec![b'x'; 1 << 20];
        let _ = user.ask(Command::SendBytes { terminal, bytes }).await;
    }
    user.until("the problem", |state| {
        state.events.iter().find_map(|event| match event {
            Event::Problem { text, .. } => text.contains("not reading").then_some(()),
            _ => None,
        })
    })
    .await;
    // Nothing else waits for it.
    let other = user.sh("echo alive").await.id;
    assert_eq!(user.until_exit(other).await, 0);
    user.done(Command::CloseTerminal { terminal }).await;
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_started_says_why() {
    let place = Place::new();
    let host = place.host().await;
    let user = User::of(&host).await;
    let missing = user.run(&["/nowhere/program"]).await.expect_err("there is none");
    assert!(missing.message.contains("/nowhere/program"), "{missing}");
    let new = |directory: &str, env: Vec<(String, String)>| {
        Command::NewTerminal(NewTerminal {
            command: vec!["true".into()],
            directory: Some(directory.into()),
            env,
            size: Size::new(80, 24),
        })
    };
    let gone = user.ask(new("/nowhere/at/all", Vec::new())).await.expect_err("there is none");
    assert_eq!(gone.kind, ErrorKind::NotFound);
    assert!(gone.message.contains("/nowhere/at/all does not exist"), "{gone}");
    let relative = user.ask(new("here", Vec::new())).await.expect_err("relative");
    assert_eq!(relative.kind, ErrorKind::Invalid);
    let nul = user.ask(new("/", vec![("A".into(), "b\0c".into())])).await.expect_err("NUL");
    assert_eq!(nul.kind, ErrorKind::Invalid);
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn children_get_their_marks_and_a_terminal_they_know() {
    let place = Place::new();
    let host = place.host().await;
    let user = User::of(&host).await;
    let terminal =
        user.sh("echo $TERM $COLORTERM; echo $MAESTRO_HOST $MAESTRO_TERMINAL; tty").await.id;
    let _ = user.until_exit(terminal).await;
    let rows = user.read(terminal).await.rows;
    assert_eq!(rows[0].text().trim_end(), "xterm-256color truecolor");
    assert_eq!(rows[1].text().trim_end(), format!("{} {terminal}", host.instance()));
    assert!(rows[2].text().starts_with("/dev/"), "{}", rows[2].text());
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_emulator_is_replaced_and_its_child_lives_on() {
    let place = Place::new();
    let host = place
        .host_with(|options| {
            options.fault = Some(std::sync::Arc::new(|bytes: &[u8]| {
                assert!(!bytes.windows(4).any(|part| part == b"boom"), "cannot show this");
            }));
        })
        .await;
    let user = User::of(&host).await;
    let terminal = user.sh("read x; echo boom; read x; echo after").await.id;
    user.watch(terminal, true).await;
    user.done(Command::SendBytes { terminal, bytes: b"\n".to_vec() }).await;
    user.until("the problem", |state| {
        state.events.iter().find_map(|event| match event {
            Event::Problem { text, .. } => text.contains("cannot show this").then_some(()),
            _ => None,
        })
    })
    .await;
    user.done(Command::SendBytes { terminal, bytes: b"\n".to_vec() }).await;
    let _ = user.until_shown(terminal, "after").await;
    assert_eq!(user.until_exit(terminal).await, 0);
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn colours_of_the_theme_answer_a_child_that_asks() {
    let place = Place::new();
    let host = place.host().await;
    let user = User::of(&host).await;
    let ansi = [[0; 3]; 16];
    user.done(Command::SetTheme {
        foreground: [1, 2, 3],
        background: [0x12, 0x34, 0x56],
        cursor: [0; 3],
        ansi,
        dark: true,
    })
    .await;
    let script = "stty raw -echo min 1; printf '\\033]11;?\\007'; \
                  head -c 23 | od -An -c | tr -d ' \\n'; stty sane; echo";
    let terminal = user.sh(script).await.id;
    user.until_read(terminal, "rgb:1212/3434/5656").await;
    user.done(Command::CloseTerminal { terminal }).await;
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_synchronized_update_that_never_ends_is_shown_all_the_same() {
    let place = Place::new();
    let host = place.host().await;
    let user = User::of(&host).await;
    let terminal = user.sh("printf '\\033[?2026hhalf of it'; read x").await.id;
    user.watch(terminal, false).await;
    let _ = user.until_shown(terminal, "half of it").await;
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn history_is_whole_however_it_is_kept() {
    let place = Place::new();
    let host = place.host().await;
    let user = User::of(&host).await;
    let terminal = user.sh("seq 1 6000").await.id;
    let _ = user.until_exit(terminal).await;
    for _ in 0..2 {
        let read = Command::ReadTerminal { terminal, history: true };
        let Ok(Reply::Screen(screen)) = user.ask(read).await else { panic!("no screen") };
        let lines: Vec<String> = screen
            .history
            .iter()
            .chain(&screen.rows)
            .map(|row| row.text().trim_end().to_owned())
            .filter(|line| !line.is_empty())
            .collect();
        assert_eq!(lines, (1..=6000).map(|n| n.to_string()).collect::<Vec<_>>());
        // The second time it has been quiet for long enough to be compressed.
        tokio::time::sleep(Duration::from_millis(2500)).await;
    }
    stop(&host).await;
}

/// What needs old rows at another width waits until they have it; what comes after it waits, too, and keys
/// do not.
#[tokio::test(flavor = "multi_thread")]
async fn old_rows_are_wrapped_before_anybody_sees_them_and_keys_do_not_wait() {
    let place = Place::new();
    let host = place.host().await;
    let user = User::of(&host).await;
    place.set("terminal.scrollback", "100000");
    let script = "seq -f '<%g> is a line that is cut in two once it is narrow' 20000; \
                  echo ready; read x; echo \"got <$x>\"; read x";
    let terminal = user.sh(script).await.id;
    user.watch(terminal, true).await;
    let _ = user.until_shown(terminal, "ready").await;
    let give = |input| {
        let _ = user.client.input(terminal, input).expect("connected");
    };
    for cols in [30, 24, 28] {
        give(Input::Resize(Size::new(cols, 10)));
        give(Input::Scroll(ScrollTo::Top));
        let top = "<1> is a line that is cut in two once it is narrow\n";
        let first = &top[..usize::from(cols)];
        let shown = user.until_shown(terminal, first.trim_end()).await;
        assert!(shown.text().starts_with(first.trim_end()), "{}", shown.text());
        give(Input::Scroll(ScrollTo::Bottom));
        let _ = user.until_shown(terminal, "ready").await;
        give(Input::Resize(Size::new(80, 10)));
        let read = user.ask(Command::ReadTerminal { terminal, history: true }).await;
        let Ok(Reply::Screen(screen)) = read else { panic!("no screen") };
        let all: Vec<String> = screen.history.iter().chain(&screen.rows).map(Row::text).collect();
        for (row, number) in all.iter().zip(1..=20_000) {
            let wanted = format!("<{number}> is a line that is cut in two once it is narrow");
            assert_eq!(row.trim_end(), wanted);
        }
    }
    give(Input::Resize(Size::new(30, 10)));
    give(Input::Scroll(ScrollTo::Top));
    give(Input::Select(Select::All));
    let _ = user.type_text(terminal, "on\n");
    let _ = user.until_shown(terminal, "got <on>").await;
    let copied = user.ask(Command::CopySelection { terminal }).await;
    let Ok(Reply::Text(Some(text))) = copied else { panic!("nothing selected: {copied:?}") };
    assert!(text.starts_with("<1> is a line that is cut in two once it is narrow\n<2> is"));
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_does_not_wait_longer_than_it_must() {
    let place = Place::new();
    let host = place
        .host_with(|options| {
            options.grace.hangup = Duration::from_secs(3600);
            options.grace.terminate = Duration::from_secs(3600);
        })
        .await;
    let user = User::of(&host).await;
    let terminal = user.sh("echo ready; sleep 600").await.id;
    user.until_read(terminal, "ready").await;
    user.done(Command::CloseTerminal { terminal }).await;
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_theme_s_colours_are_told_to_children_also_by_the_next_host() {
    // Asks for the background and prints the answer with its control characters made visible.
    const ASK: &str =
        "stty raw -echo; printf '\\033]11;?\\007'; head -c 23 | tr '\\033' '^'; read x";
    let place = Place::new();
    let host = place.host().await;
    let user = User::of(&host).await;
    user.done(Command::SetTheme {
        foreground: [1, 2, 3],
        background: [0x12, 0x34, 0x56],
        cursor: [4, 5, 6],
        ansi: [[7; 3]; 16],
        dark: false,
    })
    .await;
    let terminal = user.sh(ASK).await.id;
    user.until_read(terminal, "rgb:1212/3434/5656").await;
    assert_eq!(user.world(false).await.preferences, [], "it is no preference of a client's");
    stop(&host).await;

    let host = place.host().await;
    let user = User::of(&host).await;
    let terminal = user.sh(ASK).await.id;
    user.until_read(terminal, "rgb:1212/3434/5656").await;
    let key = "host.palette".to_owned();
    let refused = user.ask(Command::SetPreference { key, value: None }).await;
    assert_eq!(refused.expect_err("the host's own").kind, ErrorKind::Invalid);
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_that_flood_at_once_stay_within_the_memory_that_all_may_have() {
    const MANY: usize = 6;
    const ROWS: u64 = 10_000;
    // What all may hold, and what the largest chunk of each may add before it is compressed.
    const MOST: u64 = (96 << 20) + MANY as u64 * (8 << 20);
    let place = Place::new();
    let host = place.host().await;
    let user = User::of(&host).await;
    let line = "x".repeat(119);
    for number in 0..MANY {
        let new = NewTerminal {
            command: vec!["yes".into(), line.clone()],
            directory: None,
            env: Vec::new(),
            size: Size::new(120, 40),
        };
        let Ok(Reply::Terminal(info)) = user.ask(Command::NewTerminal(new)).await else {
            panic!("no terminal")
        };
        // Some are seen, some are not.
        if number % 2 == 0 {
            user.watch(info.id, false).await;
        }
    }
    let look = async {
        loop {
            let Ok(Reply::TerminalStats(all)) = user.ask(Command::TerminalStats).await else {
                panic!("no stats")
            };
            let hot: u64 = all.iter().map(|stats| stats.hot_bytes).sum();
            assert!(hot <= MOST, "{} MiB", hot >> 20);
            if all.len() == MANY && all.iter().all(|stats| stats.history == ROWS) {
                assert!(all.iter().all(|stats| stats.cold_bytes > 0), "{all:?}");
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    crate::harness::within("all histories are full", look).await;
    stop(&host).await;
}

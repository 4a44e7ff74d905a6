//! The executor against processes that misbehave on purpose.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use maestro_agents::{Cancel, CommandLine, Limits, turn};
use maestro_core::agent::Provider;
use maestro_core::turn::{Event, FailureKind, Outcome};

/// Generous: the machine may be busy with other tests.
const DEADLINE: Duration = Duration::from_secs(60);

const DONE: &str = r#"echo '{"type":"text","text":"hi"}'; echo '{"type":"done"}'"#;

fn shell(script: &str) -> CommandLine {
    CommandLine {
        provider: Provider::Demo,
        program: PathBuf::from("/bin/sh"),
        args: vec!["-c".into(), script.into()],
        directory: std::env::temp_dir(),
        env: vec![("PATH".into(), "/usr/bin:/bin".into())],
        stdin: Some(b"the prompt".to_vec()),
        before: None,
    }
}

/// A mark that only this test's processes carry.
fn mark() -> (OsString, OsString) {
    let value =
        maestro_agents::new_session_id(Provider::Demo).expect("the demo agent's ids are ours");
    ("MAESTRO_TEST".into(), value.into())
}

fn carriers(mark: &(OsString, OsString)) -> Vec<String> {
    let wanted = format!("{}={}", mark.0.to_string_lossy(), mark.1.to_string_lossy());
    std::fs::read_dir("/proc")
        .expect("there is /proc")
        .flatten()
        .filter(|entry| {
            entry.file_name().to_string_lossy().bytes().all(|byte| byte.is_ascii_digit())
        })
        .filter(|entry| {
            std::fs::read(entry.path().join("environ")).is_ok_and(|environ| {
                environ.split(|&byte| byte == 0).any(|var| var == wanted.as_bytes())
            })
        })
        .map(|entry| std::fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default())
        .collect()
}

fn limits() -> Limits {
    Limits { grace: Duration::from_millis(300), ..Limits::default() }
}

/// Runs a turn to its end, and sees to it that it ends and leaves nobody behind.
async fn play(command: CommandLine, limits: Limits, cancel: Cancel) -> (Vec<Event>, Outcome) {
    let mark = mark();
    let mut events = Vec::new();
    let marks = [mark.clone()];
    let turn = turn::run(command, limits, &marks, &cancel, |event| events.push(event));
    let outcome = tokio::time::timeout(DEADLINE, turn).await.expect("a turn always ends");
    assert_eq!(carriers(&mark), Vec::<String>::new(), "nobody is left");
    (events, outcome)
}

async fn run(script: &str, limits: Limits) -> (Vec<Event>, Outcome) {
    play(shell(script), limits, Cancel::new()).await
}

fn kind(outcome: &Outcome) -> Option<FailureKind> {
    outcome.result.as_ref().err().map(|failure| failure.kind)
}

#[tokio::test]
async fn a_prompt_goes_in_and_an_answer_comes_out() {
    let script = r#"p=$(cat); printf '{"type":"text","text":"got %s"}\n{"type":"done"}' "$p""#;
    let (events, outcome) = run(script, limits()).await;
    assert_eq!(outcome.result, Ok(()));
    assert_eq!(outcome.text, "got the prompt");
    assert_eq!(events, [Event::Text("got the prompt".to_owned())]);
}

#[tokio::test]
async fn what_does_nothing_is_no_success() {
    for (script, message) in [
        ("exit 0", "without doing anything"),
        ("exit 3", "exit code 3"),
        ("echo broken >&2; exit 1", "broken"),
        ("kill -9 $$", "signal 9"),
        (r#"echo '{"type":"text","text":"hi"}'"#, "without saying how the turn went"),
    ] {
        let (_, outcome) = run(script, limits()).await;
        let failure = outcome.result.expect_err(script);
        assert_eq!(failure.kind, FailureKind::Crashed, "{script}");
        assert!(failure.message.contains(message), "{script}: {failure}");
    }
}

#[tokio::test]
async fn what_cannot_be_started_says_why() {
    let missing = CommandLine { program: "/nonexistent/agent".into(), ..shell("") };
    let gone = CommandLine { directory: "/nonexistent/worktree".into(), ..shell("exit 0") };
    for (command, word) in [(missing, "cannot be started"), (gone, "does not exist any more")] {
        let (_, outcome) = play(command, limits(), Cancel::new()).await;
        let failure = outcome.result.expect_err("it cannot be started");
        assert_eq!(failure.kind, FailureKind::Unusable);
        assert!(failure.message.contains(word), "{failure}");
    }
}

#[tokio::test]
async fn silence_and_overtime_end_a_turn() {
    let short = Some(Duration::from_millis(400));
    let silent = Limits { silence: short, ..limits() };
    assert_eq!(kind(&run("sleep 600", silent).await.1), Some(FailureKind::Silent));
    // It is not silent, and it has no end.
    let late = Limits { total: short, silence: Some(DEADLINE), ..limits() };
    let (_, outcome) = run("while :; do echo x; sleep 0.02; done", late).await;
    assert_eq!(kind(&outcome), Some(FailureKind::Interrupted));
    // Words on standard error count as a sign of life.
    let chatty = "for i in 1 2 3 4 5 6; do echo x >&2; sleep 0.1; done; ".to_owned() + DONE;
    let patient = Limits { silence: Some(Duration::from_secs(5)), ..limits() };
    assert_eq!(run(&chatty, patient).await.1.result, Ok(()));
}

#[tokio::test]
async fn a_process_that_ignores_every_request_is_killed() {
    let script = "trap '' INT TERM HUP; while :; do sleep 0.1; done";
    let limits = Limits { silence: Some(Duration::from_millis(300)), ..limits() };
    assert_eq!(kind(&run(script, limits).await.1), Some(FailureKind::Silent));
}

#[tokio::test]
async fn cancelling_asks_first() {
    // It says goodbye when asked by SIGINT, which counts.
    let script = r#"trap 'echo "{\"type\":\"done\"}"; exit 0' INT; echo '{"type":"notice","message":"ready"}'; while :; do sleep 0.05; done"#;
    let cancel = Cancel::new();
    let trigger = cancel.clone();
    let limits = Limits { grace: DEADLINE, ..limits() };
    let marks = [mark()];
    let turn = turn::run(shell(script), limits, &marks, &cancel, |event| {
        assert_eq!(event, Event::Notice("ready".to_owned()));
        trigger.cancel();
    });
    let outcome = tokio::time::timeout(DEADLINE, turn).await.expect("a turn always ends");
    assert_eq!(outcome.result, Ok(()));
    assert!(carriers(&marks[0]).is_empty());
}

#[tokio::test]
async fn killing_does_not_ask() {
    let script = "trap '' INT TERM; echo '{\"type\":\"notice\",\"message\":\"ready\"}'; while :; do sleep 0.1; done";
    let cancel = Cancel::new();
    let trigger = cancel.clone();
    // With this grace a polite end would miss the deadline.
    let limits = Limits { grace: DEADLINE * 2, ..limits() };
    let marks = [mark()];
    let turn = turn::run(shell(script), limits, &marks, &cancel, |_| {
        trigger.cancel();
        trigger.kill();
    });
    let outcome = tokio::time::timeout(DEADLINE, turn).await.expect("a turn always ends");
    assert_eq!(kind(&outcome), Some(FailureKind::Interrupted));
    assert!(carriers(&marks[0]).is_empty());
}

#[tokio::test]
async fn a_turn_cancelled_before_it_began_starts_nothing() {
    let dir = tempfile::tempdir().expect("a folder for the test");
    let cancel = Cancel::new();
    cancel.cancel();
    let script = format!("touch {}/started", dir.path().display());
    let (_, outcome) = play(shell(&script), limits(), cancel).await;
    assert_eq!(kind(&outcome), Some(FailureKind::Interrupted));
    assert!(!dir.path().join("started").exists());
}

#[tokio::test]
async fn children_left_behind_neither_hold_the_turn_up_nor_survive_it() {
    for left in [
        "sleep 600 &",
        "setsid sleep 600 &",
        "(trap '' TERM HUP INT; while :; do sleep 0.1; done) &",
        "setsid sh -c 'trap \"\" TERM; while :; do sleep 0.1; done' >/dev/null 2>&1 &",
    ] {
        let started = Instant::now();
        let (_, outcome) = run(&format!("{left} {DONE}"), limits()).await;
        assert_eq!(outcome.result, Ok(()), "{left}");
        assert!(started.elapsed() < DEADLINE, "{left}");
    }
}

#[tokio::test]
async fn dropping_a_turn_leaves_nobody() {
    let mark = mark();
    let marks = [mark.clone()];
    let (told, mut ready) = tokio::sync::mpsc::unbounded_channel();
    let cancel = Cancel::new();
    let script =
        "setsid sleep 600 & sleep 600 & echo '{\"type\":\"notice\",\"message\":\"ready\"}'; wait";
    let turn = turn::run(shell(script), limits(), &marks, &cancel, move |_| {
        let _ = told.send(());
    });
    tokio::select! {
        _ = turn => panic!("it does not end by itself"),
        ready = ready.recv() => assert_eq!(ready, Some(())),
        () = tokio::time::sleep(DEADLINE) => panic!("it does not begin"),
    }
    let end = Instant::now() + DEADLINE;
    while !carriers(&mark).is_empty() {
        assert!(Instant::now() < end, "left: {:?}", carriers(&mark));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_huge_line_and_a_flood_do_not_grow_us() {
    let before = peak_memory();
    let line = "head -c 100000000 /dev/zero | tr '\\0' x; echo; ".to_owned() + DONE;
    let (events, outcome) = run(&line, limits()).await;
    assert_eq!(outcome.result, Ok(()));
    assert_eq!(events.len(), 2, "the line's beginning, and the text");

    let flood = Limits { output: 50 << 20, ..limits() };
    let (events, outcome) = run("yes 'a line of a flood'", flood).await;
    assert_eq!(kind(&outcome), Some(FailureKind::Other));
    assert!(events.len() <= 500, "{}", events.len());

    let noisy = "yes 'a line of a flood' | head -c 30000000 >&2; ".to_owned() + DONE;
    assert_eq!(run(&noisy, limits()).await.1.result, Ok(()));
    let grown = peak_memory().saturating_sub(before);
    assert!(grown < 64 << 20, "grew by {} MiB", grown >> 20);
}

/// Most memory this process ever had, in bytes.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("there is /proc");
    let line = status.lines().find(|line| line.starts_with("VmHWM")).expect("the kernel tells");
    let kibibytes: u64 = line
        .split_whitespace()
        .nth(1)
        .and_then(|number| number.parse().ok())
        .expect("it is a number");
    kibibytes << 10
}

#[tokio::test]
async fn a_prompt_that_nobody_reads_holds_nothing_up() {
    let command = CommandLine { stdin: Some(vec![b'x'; 10 << 20]), ..shell(DONE) };
    assert_eq!(play(command, limits(), Cancel::new()).await.1.result, Ok(()));
    let command = CommandLine { stdin: None, ..shell(&format!("cat; {DONE}")) };
    assert_eq!(play(command, limits(), Cancel::new()).await.1.result, Ok(()));
}

#[tokio::test]
async fn children_get_exactly_the_environment_and_the_marks() {
    let script = r#"printf '{"type":"text","text":"%s %s %s"}\n{"type":"done"}\n' "$MAESTRO_RUN" "${HOME:-none}" "$PWD""#;
    let directory = tempfile::tempdir().expect("a folder for the test");
    let directory = directory.path().canonicalize().expect("it exists");
    let command = CommandLine { directory: directory.clone(), ..shell(script) };
    let marks = [("MAESTRO_RUN".into(), "r7".into())];
    let outcome = turn::run(command, limits(), &marks, &Cancel::new(), |_| {}).await;
    assert_eq!(outcome.text, format!("r7 none {}", directory.display()));
}

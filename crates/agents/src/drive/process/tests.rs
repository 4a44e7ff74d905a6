//! The task against programs that misbehave on purpose.

use maestro_core::conversation::{Body, Prompt};

use super::*;

/// Generous: the machine may be busy with other tests.
const DEADLINE: Duration = Duration::from_secs(60);

/// `end` ends the turn, everything else is reported as it came; what is said goes in as it is.
#[derive(Debug, Default)]
struct Plain {
    open: bool,
    /// What is to be said again to a program that did not hear it.
    said: Vec<String>,
    lines: u64,
}

impl Dialect for Plain {
    fn begin(&mut self, _now_ms: u64, out: &mut Out) {
        out.lines.push("begin".to_owned());
        out.lines.extend(self.said.iter().cloned());
    }

    fn order(&mut self, order: Order, _now: u64, out: &mut Out) -> Result<Taken, Failure> {
        match order {
            Order::Say(prompt) => {
                self.open = true;
                self.said.push(prompt.text.clone());
                out.lines.push(prompt.text);
            }
            Order::Interrupt => out.lines.push("interrupt".to_owned()),
            _ => return Ok(Taken::Restart),
        }
        Ok(Taken::Now)
    }

    fn line(&mut self, line: &str, _now: u64, out: &mut Out) {
        self.lines += 1;
        out.events.push(match line {
            "end" => Event::Ended(outcome(Ok(()))),
            line => Event::Item {
                key: self.lines.to_string(),
                open: false,
                body: Body::Raw(line.to_owned()),
            },
        });
    }

    fn was_kept_out(&self, stderr: &str) -> bool {
        stderr.contains("locked")
    }

    fn gone(&mut self, exit: &Exit, _now: u64, out: &mut Out) {
        let message = format!("{:?} {:?}", exit.code, exit.signal);
        out.events.push(Event::Ended(outcome(Err(fail(FailureKind::Crashed, message)))));
    }
}

fn outcome(result: Result<(), Failure>) -> Outcome {
    Outcome { session: None, text: String::new(), usage: Usage::default(), result }
}

fn shell(script: &str) -> CommandLine {
    CommandLine {
        provider: maestro_core::agent::Provider::Demo,
        program: "/bin/sh".into(),
        args: vec!["-c".into(), script.into()],
        directory: std::env::temp_dir(),
        env: vec![("PATH".into(), "/usr/bin:/bin".into())],
        stdin: None,
        before: None,
    }
}

struct Play {
    driver: Driver,
    events: mpsc::Receiver<Event>,
    mark: String,
}

fn play(script: &str, room: usize) -> Play {
    let (sender, events) = mpsc::channel(room);
    let mark = crate::session::uuid();
    let marks = [("MAESTRO_TEST".into(), mark.clone().into())];
    let grace = Duration::from_millis(300);
    let driver = Driver::with(&shell(script), Box::<Plain>::default(), &marks, sender, grace)
        .expect("a shell can be started");
    Play { driver, events, mark }
}

impl Play {
    async fn next(&mut self) -> Event {
        tokio::time::timeout(DEADLINE, self.events.recv())
            .await
            .expect("it comes")
            .expect("there is more")
    }

    async fn line(&mut self) -> String {
        match self.next().await {
            Event::Item { body: Body::Raw(line), .. } => line,
            event => format!("{event:?}"),
        }
    }

    async fn say(&self, text: &str) -> Result<Taken, Failure> {
        let prompt = Prompt { text: text.to_owned(), ..Prompt::default() };
        let taken = self.driver.order(Order::Say(prompt));
        tokio::time::timeout(DEADLINE, taken).await.expect("an order is always answered")
    }

    /// What comes until the end, and that the end is one.
    async fn rest(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        loop {
            let event = self.next().await;
            let last = matches!(event, Event::Gone { .. });
            events.push(event);
            if last {
                break;
            }
        }
        assert_eq!(self.events.recv().await, None, "nothing comes after that");
        events
    }
}

fn ends(events: &[Event]) -> usize {
    events.iter().filter(|event| matches!(event, Event::Ended(_))).count()
}

async fn nobody_carries(mark: &str) {
    let wanted = format!("MAESTRO_TEST={mark}");
    let is_left = || {
        std::fs::read_dir("/proc").expect("there is /proc").flatten().any(|entry| {
            std::fs::read(entry.path().join("environ")).is_ok_and(|environ| {
                environ.split(|&byte| byte == 0).any(|var| var == wanted.as_bytes())
            })
        })
    };
    let end = Instant::now() + DEADLINE;
    while is_left() {
        assert!(Instant::now() < end, "somebody is left");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

const ECHO: &str = r#"while read -r line; do echo "got $line"; case $line in
        say*) echo end;; quit) exit 3;; esac; done"#;

#[tokio::test]
async fn several_turns_go_through_one_process() {
    let mut play = play(ECHO, 64);
    assert_eq!(play.line().await, "got begin");
    for text in ["say one", "say two"] {
        assert_eq!(play.say(text).await, Ok(Taken::Now));
        assert_eq!(play.line().await, format!("got {text}"));
        assert_eq!(play.next().await, Event::Ended(outcome(Ok(()))));
    }
    assert_eq!(play.driver.order(Order::Model(None)).await, Ok(Taken::Restart));
    assert!(play.driver.pid().is_some());
    let Play { driver, mut events, mark } = play;
    driver.close().await;
    nobody_carries(&mark).await;
    assert_eq!(events.recv().await, Some(Event::Gone { stderr: String::new() }));
    assert_eq!(events.recv().await, None);
}

#[tokio::test]
async fn a_turn_ends_once_whatever_happens() {
    for (script, word) in [
        ("read a; read b; exit 3", "Some(3)"),
        ("read a; read b; echo oops >&2; kill -9 $$", "Some(9)"),
        ("read a; read b; exec <&-; sleep 600", "None"),
    ] {
        let mut play = play(script, 64);
        assert_eq!(play.say("say").await, Ok(Taken::Now), "{script}");
        if script.contains("sleep") {
            // It reads nothing any more; what is written to it next shows that.
            while play.driver.order(Order::Interrupt).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        let events = play.rest().await;
        assert_eq!(ends(&events), 1, "{script}: {events:?}");
        assert!(format!("{events:?}").contains(word), "{script}: {events:?}");
        let refused = play.say("more").await.expect_err("it is gone");
        assert_eq!(refused.kind, FailureKind::Crashed);
        nobody_carries(&play.mark).await;
    }
}

#[tokio::test]
async fn an_end_without_a_turn_is_none_and_one_turn_runs_at_a_time() {
    let mut play = play("read a; echo end; echo up; read b; echo is; read c; echo end; read d", 64);
    assert_eq!(play.line().await, "up");
    assert_eq!(play.say("one").await, Ok(Taken::Now));
    assert_eq!(play.line().await, "is");
    let refused = play.say("two").await.expect_err("one is running");
    assert!(refused.message.contains("still running"), "{refused}");
    assert_eq!(play.driver.order(Order::Interrupt).await, Ok(Taken::Now));
    assert!(matches!(play.next().await, Event::Ended(_)));
    play.driver.kill();
    let events = play.rest().await;
    assert_eq!(ends(&events), 0, "{events:?}");
}

#[tokio::test]
async fn a_slow_receiver_loses_nothing_and_stops_no_order() {
    // Far more than the pipe holds.
    let script = r#"read a; read b; i=0; while [ $i -lt 20000 ]; do echo "line $i of many"; i=$((i+1)); done;
            read c; echo "got $c"; echo end; read d"#;
    let mut play = play(script, 1);
    assert_eq!(play.say("go").await, Ok(Taken::Now));
    // Nobody receives; orders are taken all the same.
    for _ in 0..5 {
        assert_eq!(play.driver.order(Order::Interrupt).await, Ok(Taken::Now));
    }
    for i in 0..20_000 {
        assert_eq!(play.line().await, format!("line {i} of many"));
    }
    assert_eq!(play.line().await, "got interrupt");
    assert!(matches!(play.next().await, Event::Ended(_)));
}

#[tokio::test]
async fn whoever_does_not_go_is_made_to() {
    // Neither the end of its input nor a polite signal moves it, and it has left children: one that
    // holds its output open, and one in a session of its own.
    let script =
        "trap '' INT TERM; sleep 600 & setsid sleep 600 & echo up; while :; do sleep 1; done";
    for slow in [false, true] {
        let mut play = play(script, if slow { 1 } else { 64 });
        assert_eq!(play.line().await, "up");
        assert_eq!(play.say("x").await, Ok(Taken::Now));
        let Play { driver, mut events, mark } = play;
        tokio::time::timeout(DEADLINE, driver.close()).await.expect("it is closed");
        nobody_carries(&mark).await;
        let first = events.recv().await;
        assert!(matches!(first, Some(Event::Ended(_))), "{first:?}");
    }
}

#[tokio::test]
async fn a_dropped_driver_leaves_nobody() {
    let mut play = play("setsid sleep 600 & echo up; sleep 600", 64);
    assert_eq!(play.line().await, "up");
    let Play { driver, mut events, mark } = play;
    drop(driver);
    nobody_carries(&mark).await;
    let last = tokio::time::timeout(DEADLINE, events.recv()).await.expect("it comes");
    assert!(matches!(last, Some(Event::Gone { .. })), "{last:?}");
}

#[tokio::test]
async fn standard_error_is_told_at_the_end() {
    let mut play = play("read a; echo line; echo broken >&2; exit 1", 64);
    assert_eq!(play.line().await, "line");
    assert_eq!(play.rest().await, [Event::Gone { stderr: "broken\n".to_owned() }]);
}

#[tokio::test]
async fn a_program_that_was_kept_from_starting_is_started_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let tries = folder.path().join("tries");
    let script = |times: u32, more: &str| {
        format!(
            "echo x >> {0}; {more} if [ $(wc -l < {0}) -le {times} ]; then echo it is locked >&2; exit 1; fi; \
             while read line; do echo got $line; [ $line = a ] && echo end; done",
            tries.display()
        )
    };
    let again = |script: &str| play(script, 16);
    let mut play = again(&script(2, ""));
    let first = play.driver.pid();
    assert_eq!(play.say("a").await, Ok(Taken::Now));
    for expected in ["got begin", "got a"] {
        assert_eq!(play.line().await, expected);
    }
    assert!(matches!(play.next().await, Event::Ended(Outcome { result: Ok(()), .. })));
    assert_ne!(play.driver.pid(), first);
    play.driver.close().await;
    assert_eq!(std::fs::read_to_string(&tries).expect("there").lines().count(), 3);

    // Not when it has said something: it may have done something, too.
    std::fs::remove_file(&tries).expect("there");
    let mut play = again(&script(9, "echo hello;"));
    assert_eq!(play.line().await, "hello");
    let _ = play.rest().await;
    assert_eq!(std::fs::read_to_string(&tries).expect("there").lines().count(), 1);

    // And who does not want it any more does not wait for the next attempt.
    std::fs::remove_file(&tries).expect("there");
    let mut play = again(&script(9, ""));
    until_there(&tries).await;
    play.driver.kill();
    let _ = play.rest().await;
    assert!(std::fs::read_to_string(&tries).expect("there").lines().count() < 6);
}

async fn until_there(path: &std::path::Path) {
    let deadline = Instant::now() + DEADLINE;
    while !path.exists() && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

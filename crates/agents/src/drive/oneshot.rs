//! Providers of which every turn is a program of its own. Nobody can be asked anything during such a
//! turn, so that it may either do everything or only read, where the provider holds itself to that.

use std::collections::HashMap;
use std::ffi::OsString;

use maestro_core::conversation::{
    Body, Change, ChangeKind, Event, Menu, Policy, Prompt, Tool, ToolKind, ToolState,
};
use maestro_core::turn::{self as core, Failure, FailureKind, Outcome};
use tokio::sync::mpsc;

use super::process::{Driver, Ends, Level, now_ms};
use super::{Launch, Order, Taken, parts};
use crate::command::{CommandLine, TurnOptions, turn_command};
use crate::stream::fail;
use crate::turn::{Cancel, Limits};

/// Bytes that one turn may print. What it prints is not slowed down by a slow receiver, so that this is
/// also what may wait for one.
const OUTPUT: u64 = 64 << 20;

/// A driver that starts a program when something is said.
pub(super) fn start(
    launch: Launch,
    marks: &[(OsString, OsString)],
    events: mpsc::Sender<Event>,
) -> Driver {
    let (driver, ends) = Driver::ends(None, events);
    let worker = Worker { launch, marks: marks.to_vec(), turns: 0 };
    drop(tokio::spawn(worker.run(ends)));
    driver
}

struct Worker {
    launch: Launch,
    marks: Vec<(OsString, OsString)>,
    turns: u64,
}

impl Worker {
    async fn run(mut self, mut ends: Ends) {
        let policies = vec![Policy::ReadOnly, Policy::Bypass];
        let _ = ends.events.send(Event::Menu(Menu { policies, ..Menu::default() })).await;
        while *ends.level.borrow() == Level::Stay {
            tokio::select! {
                told = ends.orders.recv() => {
                    let Some(told) = told else { break };
                    match self.take(told.order) {
                        Ok((taken, command)) => {
                            let _ = told.answer.send(Ok(taken));
                            if let Some(command) = command {
                                self.turn(command, &mut ends).await;
                            }
                        }
                        Err(failure) => {
                            let _ = told.answer.send(Err(failure));
                        }
                    }
                }
                Ok(()) = ends.level.changed() => {}
            }
        }
        let _ = ends.gone.send_replace(true);
        let _ = ends.events.send(Event::Gone { stderr: String::new() }).await;
    }

    /// What becomes of an order between turns; with the program of the turn that it begins.
    fn take(&mut self, order: Order) -> Result<(Taken, Option<CommandLine>), Failure> {
        match order {
            Order::Say(prompt) => return Ok((Taken::Now, Some(self.command(prompt)?))),
            Order::Interrupt => {}
            Order::Answer { .. } => return Err(nothing_asked()),
            Order::Policy(policy) => self.launch.policy = self.allowed(policy)?,
            Order::Model(model) => self.launch.model = model,
            Order::Effort(None) => self.launch.effort = None,
            Order::Effort(Some(_)) => {
                return Err(fail(
                    FailureKind::Unusable,
                    format!("{} cannot be told how hard to think.", self.title()),
                ));
            }
        }
        Ok((Taken::Now, None))
    }

    fn title(&self) -> &'static str {
        self.launch.detected.provider.title()
    }

    fn allowed(&self, policy: Policy) -> Result<Policy, Failure> {
        match policy {
            Policy::ReadOnly | Policy::Bypass => Ok(policy),
            Policy::Ask | Policy::AcceptEdits => Err(fail(
                FailureKind::Unusable,
                format!(
                    "{} cannot ask for permission here; choose read-only or bypass for it.",
                    self.title()
                ),
            )),
        }
    }

    fn command(&self, prompt: Prompt) -> Result<CommandLine, Failure> {
        let policy = if prompt.read_only { Policy::ReadOnly } else { self.launch.policy };
        let policy = self.allowed(policy)?;
        if !prompt.images.is_empty() {
            return Err(fail(
                FailureKind::Unusable,
                format!("{} takes no images here; name their files instead.", self.title()),
            ));
        }
        let Launch { detected, environment, directory, resume, new_session, model, .. } =
            &self.launch;
        let options = TurnOptions {
            directory: directory.clone(),
            prompt: prompt.text,
            resume: resume.clone(),
            new_session: new_session.clone(),
            model: model.clone(),
            unattended: policy == Policy::Bypass,
            read_only: policy == Policy::ReadOnly,
        };
        turn_command(detected, environment, &options)
    }

    async fn turn(&mut self, command: CommandLine, ends: &mut Ends) {
        self.turns += 1;
        let cancel = Cancel::new();
        let limits = Limits { output: OUTPUT, ..Limits::default() };
        let mut fold = Fold { turn: self.turns, ..Fold::default() };
        let (said, mut hears) = mpsc::unbounded_channel();
        let run = crate::turn::run(command, limits, &self.marks, &cancel, move |event| {
            let _ = said.send(event);
        });
        let mut run = std::pin::pin!(run);
        let mut outcome = None;
        // Until the end is known and everything before it was passed on.
        loop {
            let event = tokio::select! {
                ended = &mut run, if outcome.is_none() => {
                    outcome = Some(ended);
                    continue;
                }
                event = hears.recv() => match event {
                    Some(event) => event,
                    None if outcome.is_some() => break,
                    None => continue,
                },
                told = ends.orders.recv(), if !ends.orders.is_closed() => {
                    match told {
                        Some(told) => {
                            let _ = told.answer.send(during(&told.order, &cancel));
                        }
                        // The driver was dropped. The turn still has its end.
                        None => cancel.kill(),
                    }
                    continue;
                }
                Ok(()) = ends.level.changed() => {
                    match *ends.level.borrow_and_update() {
                        Level::Kill => cancel.kill(),
                        Level::Close => cancel.cancel(),
                        Level::Stay => {}
                    }
                    continue;
                }
            };
            for event in fold.event(event) {
                // A receiver that has gone must not keep the turn from its end.
                let _ = pass(event, ends, &cancel).await;
            }
        }
        let Some(outcome) = outcome else { return };
        if let Some(session) = &outcome.session {
            self.launch.resume = Some(session.clone());
        }
        for event in fold.end(outcome) {
            let _ = pass(event, ends, &cancel).await;
        }
    }
}

/// Hands an event over; orders are taken while the receiver is slow.
async fn pass(event: Event, ends: &mut Ends, cancel: &Cancel) -> Option<()> {
    loop {
        tokio::select! {
            permit = ends.events.reserve() => {
                permit.ok()?.send(event);
                return Some(());
            }
            told = ends.orders.recv(), if !ends.orders.is_closed() => match told {
                Some(told) => {
                    let _ = told.answer.send(during(&told.order, cancel));
                }
                None => cancel.kill(),
            },
            Ok(()) = ends.level.changed() => match *ends.level.borrow_and_update() {
                Level::Kill => cancel.kill(),
                Level::Close => cancel.cancel(),
                Level::Stay => {}
            },
        }
    }
}

/// What becomes of an order while a turn runs.
fn during(order: &Order, cancel: &Cancel) -> Result<Taken, Failure> {
    match order {
        Order::Interrupt => {
            cancel.cancel();
            Ok(Taken::Now)
        }
        Order::Say(_) => Err(fail(
            FailureKind::Other,
            "A turn is still running in this conversation; wait for its end or stop it first.",
        )),
        Order::Answer { .. } => Err(nothing_asked()),
        Order::Policy(_) | Order::Model(_) | Order::Effort(_) => Ok(Taken::Restart),
    }
}

fn nothing_asked() -> Failure {
    fail(FailureKind::Other, "Nothing was asked, so there is nothing to answer.")
}

/// Makes the events of a one-shot turn into those of a conversation.
#[derive(Debug, Default)]
struct Fold {
    turn: u64,
    items: u64,
    tools: HashMap<String, Tool>,
    last_tool: Option<String>,
}

/// Tool calls that are remembered at most: later ones are reported, but their results stand alone.
const TOOLS: usize = 10_000;

impl Fold {
    fn event(&mut self, event: core::Event) -> Vec<Event> {
        let body = match event {
            core::Event::Session { id, model } => return vec![Event::Session { id, model }],
            core::Event::Retrying(because) => {
                return vec![Event::Retrying { because, until_ms: None, attempt: None }];
            }
            core::Event::Usage(usage) => return vec![Event::Usage(usage)],
            core::Event::ToolCall { id, name, summary } => {
                let tool = tool(id, name, summary);
                return vec![self.tool(tool)];
            }
            core::Event::ToolResult { id, is_error, output } => {
                let mut tool = self
                    .tools
                    .get(&id)
                    .cloned()
                    .unwrap_or_else(|| tool(id, String::new(), String::new()));
                tool.state = if is_error { ToolState::Failed } else { ToolState::Done };
                tool.ended_ms = Some(now_ms());
                tool.output = output;
                return vec![self.tool(tool)];
            }
            core::Event::FileChange(paths) => {
                let changes: Vec<Change> = paths.into_iter().map(change).collect();
                let last = self.last_tool.as_ref().and_then(|last| self.tools.get(last)).cloned();
                let mut tool = match last {
                    Some(tool) if tool.kind == ToolKind::Edit => tool,
                    _ => {
                        self.items += 1;
                        let title =
                            changes.first().map(|change| change.path.clone()).unwrap_or_default();
                        let mut tool =
                            tool(format!("change-{}", self.items), "edit".to_owned(), title);
                        tool.state = ToolState::Done;
                        tool.ended_ms = Some(now_ms());
                        tool
                    }
                };
                tool.changes = changes;
                return vec![self.tool(tool)];
            }
            core::Event::Text(text) => Body::Text(text),
            core::Event::Thinking(text) => Body::Thinking(text),
            core::Event::Notice(text) => Body::Notice(text),
            core::Event::Raw(line) => Body::Raw(line),
        };
        self.items += 1;
        vec![Event::Item { key: self.key(&self.items.to_string()), open: false, body }]
    }

    fn key(&self, name: &str) -> String {
        format!("{}/{name}", self.turn)
    }

    fn tool(&mut self, tool: Tool) -> Event {
        let key = self.key(&tool.call);
        self.last_tool = Some(tool.call.clone());
        if self.tools.len() < TOOLS || self.tools.contains_key(&tool.call) {
            let _ = self.tools.insert(tool.call.clone(), tool.clone());
        }
        Event::Item { key, open: tool.state == ToolState::Running, body: Body::Tool(tool) }
    }

    fn end(mut self, outcome: Outcome) -> Vec<Event> {
        let running: Vec<Tool> =
            self.tools.values().filter(|tool| tool.state == ToolState::Running).cloned().collect();
        let cut = running.into_iter().map(|mut tool| {
            tool.state = ToolState::Cut;
            tool.ended_ms = Some(now_ms());
            self.tool(tool)
        });
        let mut events: Vec<Event> = cut.collect();
        events.push(Event::Ended(outcome));
        events
    }
}

fn change(path: String) -> Change {
    Change { path, kind: ChangeKind::Update, diff: String::new(), added: 0, removed: 0 }
}

fn tool(call: String, name: String, title: String) -> Tool {
    Tool {
        kind: parts::kind_of(&name),
        call,
        name,
        title,
        input: String::new(),
        output: String::new(),
        state: ToolState::Running,
        exit: None,
        changes: Vec::new(),
        started_ms: now_ms(),
        ended_ms: None,
        parent: None,
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;
    use std::time::Duration;

    use maestro_core::agent::Provider;

    use super::*;
    use crate::detect::Detected;
    use crate::environment::Environment;

    /// Generous: the machine may be busy with other tests.
    const DEADLINE: Duration = Duration::from_secs(60);

    struct Play {
        driver: Driver,
        events: mpsc::Receiver<Event>,
        _dir: tempfile::TempDir,
    }

    /// A driver of a Factory Droid that is this script.
    fn play(script: &str, policy: Policy) -> Play {
        let dir = tempfile::tempdir().expect("a folder for the test");
        let program = dir.path().join("droid");
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).expect("written");
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755))
            .expect("it can be made executable");
        let launch = Launch {
            detected: Detected {
                provider: Provider::Droid,
                program: Some(program),
                version: None,
                unusable: None,
            },
            environment: Environment::from_vars([("PATH", "/usr/bin:/bin"), ("HOME", "/nowhere")]),
            directory: dir.path().to_owned(),
            resume: None,
            new_session: None,
            policy,
            model: None,
            effort: None,
        };
        let (sender, events) = mpsc::channel(1);
        Play { driver: start(launch, &[], sender), events, _dir: dir }
    }

    impl Play {
        async fn next(&mut self) -> Option<Event> {
            tokio::time::timeout(DEADLINE, self.events.recv()).await.expect("it comes")
        }

        async fn say(&self, text: &str) -> Result<Taken, Failure> {
            let prompt = Prompt { text: text.to_owned(), ..Prompt::default() };
            let taken = self.driver.order(Order::Say(prompt));
            tokio::time::timeout(DEADLINE, taken).await.expect("an order is always answered")
        }

        /// What comes until the turn has ended.
        async fn turn(&mut self) -> (Vec<Event>, Outcome) {
            let mut events = Vec::new();
            loop {
                match self.next().await.expect("a turn ends") {
                    Event::Ended(outcome) => return (events, outcome),
                    event => events.push(event),
                }
            }
        }
    }

    fn fixture() -> String {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../tests/fixtures/droid/stream/tools.jsonl")
            .display()
            .to_string()
    }

    #[tokio::test]
    async fn every_turn_is_a_program_of_its_own() {
        let script = format!("echo \"$@\" >> args; cat > said; cat {}", fixture());
        let mut play = play(&script, Policy::Bypass);
        assert!(matches!(play.next().await, Some(Event::Menu(_))));
        for said in ["one", "two"] {
            assert_eq!(play.say(said).await, Ok(Taken::Now));
            let (events, outcome) = play.turn().await;
            assert_eq!(outcome.result, Ok(()));
            assert_eq!(outcome.text, "All done.");
            let tools = events.iter().filter(|event| {
                matches!(event, Event::Item { open: false, body: Body::Tool(tool), .. }
                    if tool.state != ToolState::Running)
            });
            assert!(tools.count() >= 4, "{events:#?}");
        }
        let args = std::fs::read_to_string(play._dir.path().join("args")).expect("written");
        let second = args.lines().nth(1).unwrap_or_default().to_owned();
        assert!(second.contains("-s 6206ebd7-734c-42f1-aec4-a9cb175070cd"), "resumed: {args}");
        let Play { driver, mut events, .. } = play;
        driver.close().await;
        assert!(matches!(events.recv().await, Some(Event::Gone { .. })));
        assert_eq!(events.recv().await, None);
    }

    #[tokio::test]
    async fn nobody_can_be_asked() {
        let play = play("exit 1", Policy::Ask);
        let refused = play.say("hi").await.expect_err("it cannot ask");
        assert!(refused.message.contains("cannot ask"), "{refused}");
        assert_eq!(play.driver.order(Order::Policy(Policy::Bypass)).await, Ok(Taken::Now));
        assert!(play.driver.order(Order::Policy(Policy::AcceptEdits)).await.is_err());
    }

    #[tokio::test]
    async fn a_turn_ends_once_when_stopped_killed_or_dropped() {
        for how in ["stopped", "killed", "dropped"] {
            let mut play = play("echo up >&2; sleep 600", Policy::Bypass);
            assert!(matches!(play.next().await, Some(Event::Menu(_))));
            assert_eq!(play.say("hi").await, Ok(Taken::Now));
            let refused = play.say("more").await.expect_err("one is running");
            assert!(refused.message.contains("still running"), "{refused}");
            let Play { driver, mut events, .. } = play;
            let kept = match how {
                "stopped" => {
                    assert_eq!(driver.order(Order::Interrupt).await, Ok(Taken::Now));
                    Some(driver)
                }
                "killed" => {
                    driver.kill();
                    Some(driver)
                }
                _ => {
                    drop(driver);
                    None
                }
            };
            let ended = tokio::time::timeout(DEADLINE, events.recv()).await.expect("it comes");
            let Some(Event::Ended(outcome)) = ended else { panic!("{how}: {ended:?}") };
            let kind = outcome.result.expect_err("it was not done").kind;
            assert_eq!(kind, FailureKind::Interrupted, "{how}");
            drop(kept);
            assert!(matches!(events.recv().await, Some(Event::Gone { .. })), "{how}");
            assert_eq!(events.recv().await, None, "{how}");
        }
    }
}

//! Running one turn to its end, whatever that is, and leaving no process behind.

use std::ffi::OsString;
use std::time::Duration;

use maestro_core::turn::{Event, Failure, FailureKind, Outcome, Usage};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::child::{LINGER, Lines, Pipes, Running, Tail};
use crate::command::CommandLine;
use crate::process::{Signal, read, until};
use crate::stream::{Ended, Exit, Parser};

/// What a turn may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long it may run; `None` for ever.
    pub total: Option<Duration>,
    /// How long it may print nothing; `None` for ever.
    pub silence: Option<Duration>,
    /// How long a process has to go after each of SIGINT and SIGTERM before the next signal.
    pub grace: Duration,
    /// How many bytes it may print before it is ended.
    pub output: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { total: None, silence: None, grace: Duration::from_secs(5), output: 1 << 30 }
    }
}

/// Ends a turn from elsewhere. Clones end the same turn.
#[derive(Debug, Clone)]
pub struct Cancel {
    level: watch::Sender<Level>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    None,
    Interrupt,
    Kill,
}

impl Default for Cancel {
    fn default() -> Self {
        Self::new()
    }
}

impl Cancel {
    /// Not cancelled yet.
    #[must_use]
    pub fn new() -> Self {
        Self { level: watch::Sender::new(Level::None) }
    }

    /// Asks the agent to stop: SIGINT, then SIGTERM, then SIGKILL, with the grace between them.
    pub fn cancel(&self) {
        self.raise(Level::Interrupt);
    }

    /// Ends it at once.
    pub fn kill(&self) {
        self.raise(Level::Kill);
    }

    /// Whether either was called.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        *self.level.borrow() != Level::None
    }

    fn raise(&self, to: Level) {
        let _ = self.level.send_if_modified(|level| {
            let raised = to > *level;
            *level = (*level).max(to);
            raised
        });
    }
}

/// Runs one turn: starts `command` in a session of its own with `marks` added to its environment,
/// hands over the prompt, gives every event to `on_event` as it is printed, and comes back with how
/// the turn ended. Always comes back: a process that cannot be started, is killed, falls silent or
/// leaves children holding its output open is an [`Outcome`], too. No process that the turn started is
/// left when it does, nor when the future is dropped.
pub async fn run(
    command: CommandLine,
    limits: Limits,
    marks: &[(OsString, OsString)],
    cancel: &Cancel,
    mut on_event: impl FnMut(Event) + Send,
) -> Outcome {
    if cancel.is_cancelled() {
        return failed(
            FailureKind::Interrupted,
            "The turn was stopped before it began.".to_owned(),
        );
    }
    let mut parser = Parser::new(command.provider).after(command.before);
    let mut turn = match Turn::start(&command, marks) {
        Ok(turn) => turn,
        Err(message) => return failed(FailureKind::Unusable, message),
    };
    let ended = turn
        .follow(limits, cancel, |line| parser.line(line).into_iter().for_each(&mut on_event))
        .await;
    let exit = turn.end(ended, limits.grace).await;
    parser.finish(&exit)
}

fn failed(kind: FailureKind, message: String) -> Outcome {
    Outcome {
        session: None,
        text: String::new(),
        usage: Usage::default(),
        result: Err(Failure { kind, message }),
    }
}

/// A process that works on a turn.
struct Turn {
    running: Running,
    pipes: Pipes,
    prompt: tokio::task::JoinHandle<()>,
    stderr: Tail,
}

/// What is being done about a process that has to go.
#[derive(Debug, Clone, Copy)]
struct Escalation {
    sent: Signal,
    /// When the next, harder signal is due.
    until: Instant,
}

impl Turn {
    fn start(command: &CommandLine, marks: &[(OsString, OsString)]) -> Result<Self, String> {
        let (running, mut pipes) = Running::start(command, marks)?;
        let stdin = pipes.stdin.take();
        let text = command.stdin.clone().unwrap_or_default();
        let prompt = tokio::spawn(async move {
            if let Some(mut stdin) = stdin {
                // A program that ends or fails before it has read everything tells us in other ways.
                let _ = stdin.write_all(&text).await;
                // Closed even without a prompt: a program that waits for one would wait for ever.
                let _ = stdin.shutdown().await;
            }
        });
        Ok(Self { running, pipes, prompt, stderr: Tail::default() })
    }

    /// Reads the output until the process has ended and its output is closed, or until it had to be
    /// given up. Says who ended it.
    async fn follow(
        &mut self,
        limits: Limits,
        cancel: &Cancel,
        mut on_line: impl FnMut(&str),
    ) -> Ended {
        let mut stdout = self.pipes.stdout.take();
        let mut stderr = self.pipes.stderr.take();
        let (mut out, mut err) = (vec![0; 64 << 10], vec![0; 8 << 10]);
        let mut lines = Lines::default();
        let mut level = cancel.level.subscribe();
        let started = Instant::now();
        let (mut heard, mut bytes) = (started, 0_u64);
        let (mut has_exited, mut ended) = (false, Ended::ByItself);
        let mut escalation: Option<Escalation> = None;

        while !has_exited || stdout.is_some() || stderr.is_some() {
            let due = match escalation {
                Some(escalation) => Some(escalation.until),
                None => [
                    limits.total.and_then(|limit| started.checked_add(limit)),
                    limits.silence.and_then(|limit| heard.checked_add(limit)),
                ]
                .into_iter()
                .flatten()
                .min(),
            };
            tokio::select! {
                count = read(&mut stdout, &mut out) => {
                    heard = Instant::now();
                    if count == 0 {
                        lines.finish(&mut on_line);
                    } else {
                        bytes = bytes.saturating_add(count as u64);
                        lines.feed(&out[..count], &mut on_line);
                    }
                    if bytes > limits.output && escalation.is_none() && !has_exited {
                        ended = Ended::Flooded(limits.output);
                        escalation = Some(self.signal(Signal::Interrupt, limits.grace));
                    }
                }
                count = read(&mut stderr, &mut err) => {
                    heard = Instant::now();
                    self.stderr.feed(&err[..count]);
                }
                () = self.running.exited(), if !has_exited => {
                    has_exited = true;
                    // What is in the pipe is read in no time; who still holds it open then was left
                    // behind.
                    escalation = Some(Escalation { sent: Signal::None, until: Instant::now() + LINGER });
                }
                Ok(()) = level.changed() => {
                    if ended == Ended::ByItself && !has_exited {
                        ended = Ended::Cancelled;
                    }
                    let harder = match *level.borrow_and_update() {
                        Level::Kill => Signal::Kill,
                        Level::Interrupt | Level::None => Signal::Interrupt,
                    };
                    if escalation.is_none_or(|escalation| harder > escalation.sent) {
                        escalation = Some(self.signal(harder, limits.grace));
                    }
                }
                () = until(due) => {
                    let Some(now) = escalation else {
                        ended = overdue(limits, started);
                        escalation = Some(self.signal(Signal::Interrupt, limits.grace));
                        continue;
                    };
                    let next = match now.sent {
                        // Nothing survives SIGKILL but a process that hangs in the kernel, and
                        // nothing of ours holds the pipes open: there is nothing left to wait for.
                        Signal::Kill => break,
                        // Those who were left behind have had their chance to finish.
                        Signal::None | Signal::Interrupt => Signal::Terminate,
                        Signal::Terminate => Signal::Kill,
                    };
                    let grace = if has_exited { limits.grace.min(LINGER) } else { limits.grace };
                    escalation = Some(self.signal(next, grace));
                }
            }
        }
        lines.finish(&mut on_line);
        ended
    }

    fn signal(&self, signal: Signal, grace: Duration) -> Escalation {
        self.running.signal(signal);
        Escalation { sent: signal, until: Instant::now() + grace }
    }

    /// Ends what is left of the process and of all it started, and collects it.
    async fn end(self, ended: Ended, grace: Duration) -> Exit {
        self.prompt.abort();
        self.running.end(ended, grace, self.stderr.text()).await
    }
}

/// Which limit has passed.
fn overdue(limits: Limits, started: Instant) -> Ended {
    match (limits.total, limits.silence) {
        (Some(total), _) if started.elapsed() >= total => Ended::TimedOut(total),
        (_, Some(silence)) => Ended::Silent(silence),
        (total, None) => Ended::TimedOut(total.unwrap_or_default()),
    }
}

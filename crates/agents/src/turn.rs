//! Running one turn to its end, whatever that is, and leaving no process behind.

use std::ffi::OsString;
use std::process::Stdio;
use std::time::Duration;

use maestro_core::turn::{Event, Failure, FailureKind, Outcome, Usage};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Child;
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use crate::command::CommandLine;
use crate::probe::own_session;
use crate::process::{Group, Signal, read, until};
use crate::stream::{Ended, Exit, Parser};

/// Longest line that is read whole. The longest real ones carry a picture of a few MiB; of a longer
/// one the rest is thrown away as it comes.
const LINE: usize = 8 << 20;

/// How much of the end of standard error is kept.
const STDERR: usize = 16 << 10;

/// How long the output of a process that has ended may stay open before what holds it open is ended.
const LINGER: Duration = Duration::from_millis(500);

/// The variable by which everything a turn starts can be found again, whatever session it moves to.
const MARK: &str = "MAESTRO_TURN";

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
    child: Child,
    group: Group,
    /// Answers when the process has ended; it is not collected by that, so that the number of its
    /// group stays its own until everybody in it is gone.
    exited: oneshot::Receiver<()>,
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
        if !command.directory.is_dir() {
            return Err(format!(
                "The directory {} does not exist any more; make it again or choose another one.",
                command.directory.display()
            ));
        }
        let mark = crate::session::uuid();
        let mut process = std::process::Command::new(&command.program);
        let _ = process
            .args(&command.args)
            .current_dir(&command.directory)
            .env_clear()
            .envs(command.env.iter().map(|(name, value)| (name, value)))
            .env("PWD", &command.directory)
            .envs(marks.iter().map(|(name, value)| (name, value)))
            .env(MARK, &mark)
            // A pipe even without a prompt: one that is closed at once.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        own_session(&mut process);
        let mut process = tokio::process::Command::from(process);
        let _ = process.kill_on_drop(true);
        let mut child = process.spawn().map_err(|error| {
            format!("{} cannot be started: {error}.", command.program.display())
        })?;
        let group = Group::new(child.id(), format!("{MARK}={mark}"));
        let exited = group.watch();
        let stdin = child.stdin.take();
        let text = command.stdin.clone().unwrap_or_default();
        let prompt = tokio::spawn(async move {
            if let Some(mut stdin) = stdin {
                // A program that ends or fails before it has read everything tells us in other ways.
                let _ = stdin.write_all(&text).await;
                let _ = stdin.shutdown().await;
            }
        });
        Ok(Self { child, group, exited, prompt, stderr: Tail::default() })
    }

    /// Reads the output until the process has ended and its output is closed, or until it had to be
    /// given up. Says who ended it.
    async fn follow(
        &mut self,
        limits: Limits,
        cancel: &Cancel,
        mut on_line: impl FnMut(&str),
    ) -> Ended {
        let mut stdout = self.child.stdout.take();
        let mut stderr = self.child.stderr.take();
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
                () = self.exited(), if !has_exited => {
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

    #[cfg(unix)]
    async fn exited(&mut self) {
        let _ = (&mut self.exited).await;
    }

    #[cfg(not(unix))]
    async fn exited(&mut self) {
        let _ = self.child.wait().await;
    }

    fn signal(&self, signal: Signal, grace: Duration) -> Escalation {
        self.group.signal(signal);
        Escalation { sent: signal, until: Instant::now() + grace }
    }

    /// Ends what is left of the process and of all it started, and collects it.
    async fn end(mut self, ended: Ended, grace: Duration) -> Exit {
        self.prompt.abort();
        self.group.end(grace).await;
        // Dead by now, or hanging in the kernel: then it is not waited for.
        let status = tokio::time::timeout(grace.max(LINGER), self.child.wait()).await;
        let status = status.ok().and_then(Result::ok);
        self.group.disarm();
        Exit {
            code: status.and_then(|status| status.code()),
            signal: status.and_then(signal_of),
            stderr: self.stderr.text(),
            ended,
        }
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

#[cfg(unix)]
fn signal_of(status: std::process::ExitStatus) -> Option<i32> {
    std::os::unix::process::ExitStatusExt::signal(&status)
}

#[cfg(not(unix))]
fn signal_of(_status: std::process::ExitStatus) -> Option<i32> {
    None
}

/// Splits output into lines of bounded length.
#[derive(Debug, Default)]
struct Lines {
    line: Vec<u8>,
}

impl Lines {
    fn feed(&mut self, mut bytes: &[u8], on_line: &mut impl FnMut(&str)) {
        while let Some(end) = bytes.iter().position(|&byte| byte == b'\n') {
            self.keep(&bytes[..end]);
            self.finish(on_line);
            bytes = &bytes[end + 1..];
        }
        self.keep(bytes);
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = LINE.saturating_sub(self.line.len());
        self.line.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn finish(&mut self, on_line: &mut impl FnMut(&str)) {
        if !self.line.is_empty() {
            on_line(&String::from_utf8_lossy(&self.line));
            self.line.clear();
            // One huge line must not hold its memory for the rest of the turn.
            self.line.shrink_to(64 << 10);
        }
    }
}

/// The end of a text.
#[derive(Debug, Default)]
struct Tail {
    bytes: Vec<u8>,
}

impl Tail {
    fn feed(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() > 2 * STDERR {
            let _ = self.bytes.drain(..self.bytes.len() - STDERR);
        }
    }

    fn text(&self) -> String {
        let begin = self.bytes.len().saturating_sub(STDERR);
        String::from_utf8_lossy(&self.bytes[begin..]).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_split_anywhere_and_cut_when_too_long() {
        let long = "x".repeat(LINE + 10);
        let text = format!("a\n\nb\r\n{long}\nü\nend");
        for chunk in [1 << 20, 4097] {
            let (mut lines, mut got) = (Lines::default(), Vec::new());
            for bytes in text.as_bytes().chunks(chunk) {
                lines.feed(bytes, &mut |line| got.push(line.to_owned()));
            }
            lines.finish(&mut |line| got.push(line.to_owned()));
            let lengths: Vec<usize> = got.iter().map(String::len).collect();
            assert_eq!(lengths, [1, 2, LINE, 2, 3]);
        }
    }

    #[test]
    fn the_tail_is_bounded() {
        let mut tail = Tail::default();
        for _ in 0..1000 {
            tail.feed(&[b'x'; 1000]);
        }
        tail.feed(b"the end");
        assert!(tail.bytes.len() <= 2 * STDERR + 1000);
        assert!(tail.text().len() <= STDERR && tail.text().ends_with("the end"));
    }
}

//! A child process in a session of its own, with everything it starts: how one is started, how its
//! output becomes lines, and how nobody of it is left. Shared by one-shot turns and long-lived drivers.

use std::ffi::OsString;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout};
use tokio::sync::oneshot;

use crate::command::CommandLine;
use crate::probe::own_session;
use crate::process::{Group, Signal};
use crate::stream::{Ended, Exit};

/// Longest line that is read whole. The longest real ones carry a picture of a few MiB; of a longer
/// one the rest is thrown away as it comes.
pub(crate) const LINE: usize = 8 << 20;

/// How much of the end of standard error is kept.
const STDERR: usize = 16 << 10;

/// How long the output of a process that has ended may stay open before what holds it open is ended.
pub(crate) const LINGER: Duration = Duration::from_millis(500);

/// The variable by which everything that was started can be found again, whatever session it moves to.
const MARK: &str = "MAESTRO_TURN";

/// A process that works for us.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    group: Group,
    /// Answers when the process has ended; it is not collected by that, so that the number of its
    /// group stays its own until everybody in it is gone.
    #[cfg_attr(not(unix), allow(dead_code, reason = "only Unix can wait without collecting"))]
    exited: oneshot::Receiver<()>,
    pid: Option<u32>,
}

/// The ends of its pipes that are ours.
#[derive(Debug)]
pub(crate) struct Pipes {
    pub stdin: Option<ChildStdin>,
    pub stdout: Option<ChildStdout>,
    pub stderr: Option<ChildStderr>,
}

impl Running {
    /// Starts `command` with `marks` added to its environment. The error is a sentence for people.
    pub fn start(
        command: &CommandLine,
        marks: &[(OsString, OsString)],
    ) -> Result<(Self, Pipes), String> {
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
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        own_session(&mut process);
        let mut process = tokio::process::Command::from(process);
        let _ = process.kill_on_drop(true);
        let mut child = process.spawn().map_err(|error| {
            format!("{} cannot be started: {error}.", command.program.display())
        })?;
        let pipes = Pipes {
            stdin: child.stdin.take(),
            stdout: child.stdout.take(),
            stderr: child.stderr.take(),
        };
        let pid = child.id();
        let group = Group::new(pid, format!("{MARK}={mark}"));
        let exited = group.watch();
        Ok((Self { child, group, exited, pid }, pipes))
    }

    /// Its process id, which leads its group.
    pub fn pid(&self) -> Option<u32> {
        self.pid
    }

    /// Comes back when the process itself has ended. Not to be called again after that.
    #[cfg(unix)]
    pub async fn exited(&mut self) {
        let _ = (&mut self.exited).await;
    }

    #[cfg(not(unix))]
    pub async fn exited(&mut self) {
        let _ = self.child.wait().await;
    }

    pub fn signal(&self, signal: Signal) {
        self.group.signal(signal);
    }

    /// Ends what is left of the process and of all it started, and collects it.
    pub async fn end(mut self, ended: Ended, grace: Duration, stderr: String) -> Exit {
        self.group.end(grace).await;
        // Dead by now, or hanging in the kernel: then it is not waited for.
        let status = tokio::time::timeout(grace.max(LINGER), self.child.wait()).await;
        let status = status.ok().and_then(Result::ok);
        self.group.disarm();
        Exit {
            code: status.and_then(|status| status.code()),
            signal: status.and_then(signal_of),
            stderr,
            ended,
        }
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
pub(crate) struct Lines {
    line: Vec<u8>,
}

impl Lines {
    pub fn feed(&mut self, mut bytes: &[u8], on_line: &mut impl FnMut(&str)) {
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

    pub fn finish(&mut self, on_line: &mut impl FnMut(&str)) {
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
pub(crate) struct Tail {
    bytes: Vec<u8>,
}

impl Tail {
    pub fn feed(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() > 2 * STDERR {
            let _ = self.bytes.drain(..self.bytes.len() - STDERR);
        }
    }

    pub fn text(&self) -> String {
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

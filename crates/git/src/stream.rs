//! A git whose words are heard as it says them.

use std::io::{self, Read};
use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::Result;
use crate::error::Error;
use crate::process::{Call, Group, floor, is_bidi};

/// How often it is looked whether it is to stop.
const LOOK: Duration = Duration::from_millis(100);
/// How long git may clean up after it was asked to end.
const GRACE: Duration = Duration::from_secs(3);
/// How long words are waited for after git itself ended: a hook may have left a process behind.
const TRAILING: Duration = Duration::from_millis(500);
/// Bytes of what it said that are kept: the end.
const KEPT: usize = 64 << 10;
/// Bytes of one line.
const LINE: usize = 1000;
/// Lines that wait to be heard; who says more waits.
const WAITING: usize = 1000;

/// How it went.
#[derive(Debug)]
pub(crate) struct Streamed {
    pub(crate) code: Option<i32>,
    /// What it said, lines of progress left out, bounded.
    pub(crate) output: String,
}

enum Said {
    Line(String, bool),
    Closed,
    Ended(io::Result<std::process::ExitStatus>),
}

impl Call<'_> {
    /// Runs git and tells each line as it comes; the flag says that it takes the place of the one before,
    /// as progress does.
    pub(crate) fn streamed(
        self,
        heard: &mut dyn FnMut(&str, bool),
        stop: &Arc<AtomicBool>,
        within: Duration,
    ) -> Result<Streamed> {
        let name = self.name();
        let broken = |source| Error::Process { command: name.into(), source: Arc::new(source) };
        let mut child = self.spawn()?;
        let group = Group::of(&child);
        let (said, words) = sync_channel(WAITING);
        let listening = listen(&mut child, &said)
            .and_then(|()| wait(child, said))
            .inspect_err(|_| group.kill());
        listening.map_err(broken)?;
        let mut streamed = Streamed { code: None, output: String::new() };
        let (mut open, mut status) = (2, None);
        let mut ends = Instant::now() + within;
        let mut failure = None;
        while open > 0 || status.is_none() {
            match words.recv_timeout(LOOK.min(ends.saturating_duration_since(Instant::now()))) {
                Ok(Said::Line(line, replaces)) => {
                    heard(&line, replaces);
                    if !replaces {
                        streamed.output.push_str(&line);
                        streamed.output.push('\n');
                        let over = streamed.output.len().saturating_sub(KEPT);
                        if over > 0 {
                            let cut = floor(&streamed.output, over);
                            let _ = streamed.output.drain(..cut);
                        }
                    }
                }
                Ok(Said::Closed) => open -= 1,
                Ok(Said::Ended(ended)) => {
                    status = Some(ended);
                    ends = ends.min(Instant::now() + TRAILING);
                }
                Err(RecvTimeoutError::Timeout) => {
                    let is_late = Instant::now() >= ends;
                    if is_late && (status.is_some() || failure.is_some()) {
                        group.kill();
                        break;
                    }
                    let is_stopped = stop.load(Ordering::Relaxed) && failure.is_none();
                    if is_late || is_stopped {
                        let command = name.into();
                        failure = Some(if is_stopped {
                            Error::Stopped { command }
                        } else {
                            Error::TimedOut { command, after: within }
                        });
                        group.end();
                        ends = Instant::now() + GRACE;
                    }
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        if let Some(failure) = failure {
            return Err(failure);
        }
        let status = status.transpose().map_err(broken)?;
        streamed.code = status.and_then(|status| status.code());
        Ok(streamed)
    }
}

fn listen(child: &mut Child, said: &SyncSender<Said>) -> io::Result<()> {
    drop(child.stdin.take());
    let streams: [Option<Box<dyn Read + Send>>; 2] = [
        child.stdout.take().map(|stream| Box::new(stream) as Box<dyn Read + Send>),
        child.stderr.take().map(|stream| Box::new(stream) as Box<dyn Read + Send>),
    ];
    for stream in streams {
        let said = said.clone();
        let Some(mut stream) = stream else {
            let _ = said.send(Said::Closed);
            continue;
        };
        let _ = thread::Builder::new().name("git-hear".into()).spawn(move || {
            let mut lines = Lines::default();
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = stream.read(&mut bytes) {
                for (line, replaces) in lines.take(&bytes[..count]) {
                    if said.send(Said::Line(line, replaces)).is_err() {
                        return;
                    }
                }
            }
            if let Some(line) = lines.rest() {
                let _ = said.send(Said::Line(line, false));
            }
            let _ = said.send(Said::Closed);
        })?;
    }
    Ok(())
}

fn wait(mut child: Child, said: SyncSender<Said>) -> io::Result<()> {
    let _ = thread::Builder::new().name("git-wait".into()).spawn(move || {
        let _ = said.send(Said::Ended(child.wait()));
    })?;
    Ok(())
}

/// Words cut into lines: a carriage return ends one that the next takes the place of.
#[derive(Debug, Default)]
struct Lines {
    line: Vec<u8>,
    /// Whether the line before ended with a carriage return alone.
    replaces: bool,
    returned: bool,
}

impl Lines {
    fn take(&mut self, bytes: &[u8]) -> Vec<(String, bool)> {
        let mut lines = Vec::new();
        for byte in bytes {
            match byte {
                b'\n' if self.returned && self.line.is_empty() => self.returned = false,
                b'\n' => {
                    self.returned = false;
                    lines.extend(self.ended(false));
                }
                b'\r' => {
                    lines.extend(self.ended(true));
                    self.returned = true;
                }
                byte => {
                    self.returned = false;
                    if self.line.len() < LINE {
                        self.line.push(*byte);
                    }
                }
            }
        }
        lines
    }

    fn ended(&mut self, is_progress: bool) -> Option<(String, bool)> {
        let text = String::from_utf8_lossy(&self.line);
        let text: String =
            text.chars().filter(|c| *c == '\t' || (!c.is_control() && !is_bidi(*c))).collect();
        let text = text.trim_end().to_owned();
        self.line.clear();
        let replaces = is_progress || self.replaces;
        self.replaces = is_progress;
        (!text.is_empty()).then_some((text, replaces))
    }

    fn rest(&mut self) -> Option<String> {
        self.ended(false).map(|(line, _)| line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_told_whole_and_progress_as_such() {
        let mut lines = Lines::default();
        let mut all = Vec::new();
        for part in
            ["one\ntw", "o\nCounting: 1%\rCounting: 9%\rCounting: 100%, done.\nlast\x1b[31m\n", "x"]
        {
            all.extend(lines.take(part.as_bytes()));
        }
        let all: Vec<_> = all.iter().map(|(line, replaces)| (line.as_str(), *replaces)).collect();
        assert_eq!(
            all,
            [
                ("one", false),
                ("two", false),
                ("Counting: 1%", true),
                ("Counting: 9%", true),
                ("Counting: 100%, done.", true),
                ("last[31m", false)
            ]
        );
        assert_eq!(lines.rest().as_deref(), Some("x"));
        let long = "y".repeat(5000);
        assert_eq!(lines.take(format!("{long}\n").as_bytes())[0].0.len(), LINE);
        assert!(lines.take(b"\r\n\r\n\n").is_empty());
    }
}

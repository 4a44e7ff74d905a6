//! Running a `verify:` command: in its own process group, with a time limit, its output bounded, and
//! nothing of it left when it is over.

use std::ffi::OsString;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use maestro_agents::process::{Group, Signal, own_session, read, until};
use maestro_core::run::Verify;
use tokio::sync::watch;
use tokio::time::Instant;

/// Bytes of output that are kept: the end, where the failure is.
const KEPT: usize = 8 * 1024;
/// How long the output of a command that has ended is read on, when something it started holds it open.
const LINGER: Duration = Duration::from_millis(300);
/// Between SIGTERM and SIGKILL, when a command takes too long.
const GRACE: Duration = Duration::from_secs(2);

/// What to run.
#[derive(Debug)]
pub(crate) struct Command<'a> {
    /// For `sh -c`.
    pub(crate) line: &'a str,
    pub(crate) directory: &'a Path,
    /// Complete.
    pub(crate) env: Vec<(OsString, OsString)>,
    /// Variables by which what it starts is recognised.
    pub(crate) marks: Vec<(String, String)>,
    /// One that nothing else has.
    pub(crate) mark: (&'static str, String),
    pub(crate) limit: Option<Duration>,
}

/// Runs it to its end, whatever that is.
/// `heard` is told what it prints, line by line, a part of it when it prints much.
pub(crate) async fn run(
    command: Command<'_>,
    mut cancelled: watch::Receiver<bool>,
    heard: &(dyn Fn(&str) + Sync),
) -> Verify {
    let verify =
        |exit_code, output: String| Verify { command: command.line.to_owned(), exit_code, output };
    let mut child = match spawn(&command) {
        Ok(child) => child,
        Err(error) => return verify(None, format!("It could not be started: {error}.")),
    };
    let mut group = Group::new(child.id(), format!("{}={}", command.mark.0, command.mark.1));
    let mut exited = group.watch();
    let mut tail = Tail::default();
    let mut told = Told::default();
    let (mut out, mut err) = (child.stdout.take(), child.stderr.take());
    let (mut out_buffer, mut err_buffer) = (vec![0; 16 * 1024], vec![0; 16 * 1024]);
    let mut has_exited = false;
    let mut ended_by = None;
    // When the next thing is due: the limit, a harder signal, or giving up the output.
    let mut due = command.limit.and_then(|limit| Instant::now().checked_add(limit));
    let mut sent = Signal::None;
    while !has_exited || out.is_some() || err.is_some() {
        tokio::select! {
            count = read(&mut out, &mut out_buffer) => {
                tail.feed(&out_buffer[..count]);
                told.feed(&out_buffer[..count], heard);
            }
            count = read(&mut err, &mut err_buffer) => {
                tail.feed(&err_buffer[..count]);
                told.feed(&err_buffer[..count], heard);
            }
            _ = &mut exited, if !has_exited => {
                has_exited = true;
                due = Some(Instant::now() + LINGER);
            }
            Ok(()) = cancelled.changed(), if sent == Signal::None && !has_exited => {
                if *cancelled.borrow_and_update() {
                    ended_by = Some("It was stopped.".to_owned());
                    sent = Signal::Terminate;
                    group.signal(sent);
                    due = Some(Instant::now() + GRACE);
                }
            }
            () = until(due) => {
                // Its output is held open by something it left behind, or it hangs in the kernel.
                if has_exited || sent == Signal::Kill {
                    break;
                }
                sent = match sent {
                    Signal::None => {
                        let limit = command.limit.unwrap_or_default();
                        ended_by = Some(format!("It took longer than {} s.", limit.as_secs()));
                        Signal::Terminate
                    }
                    _ => Signal::Kill,
                };
                group.signal(sent);
                due = Some(Instant::now() + GRACE);
            }
        }
    }
    group.end(Duration::ZERO).await;
    // Dead by now, or hanging in the kernel: then it is not waited for.
    let status = tokio::time::timeout(GRACE, child.wait()).await;
    group.disarm();
    let exit_code = status.ok().and_then(Result::ok).and_then(|status| status.code());
    let mut output = tail.text();
    match ended_by {
        Some(why) => {
            if !output.is_empty() {
                output.push('\n');
            }
            output.push_str(&why);
            verify(None, output)
        }
        None => verify(exit_code, output),
    }
}

fn spawn(command: &Command<'_>) -> std::io::Result<tokio::process::Child> {
    let mut process = std::process::Command::new("/bin/sh");
    let _ = process
        .arg("-c")
        .arg(command.line)
        .current_dir(command.directory)
        .env_clear()
        .envs(command.env.iter().map(|(name, value)| (name, value)))
        .env("PWD", command.directory)
        .envs(command.marks.iter().map(|(name, value)| (name, value)))
        .env(command.mark.0, &command.mark.1)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    // Without a terminal of the host's, where it could ask somebody.
    own_session(&mut process);
    let mut process = tokio::process::Command::from(process);
    let _ = process.kill_on_drop(true);
    process.spawn()
}

/// Lines for those who watch: at most so many in a second, however much is printed.
#[derive(Default)]
struct Told {
    line: Vec<u8>,
    second: Option<Instant>,
    lines: u32,
}

impl Told {
    fn feed(&mut self, bytes: &[u8], heard: &(dyn Fn(&str) + Sync)) {
        const LINES: u32 = 50;
        const LINE: usize = 4 * 1024;
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            if self.line.len() < LINE {
                self.line.extend_from_slice(&part[..part.len().min(LINE)]);
            }
            if !part.ends_with(b"\n") {
                continue;
            }
            let line = std::mem::take(&mut self.line);
            if self.second.is_none_or(|since| since.elapsed() >= Duration::from_secs(1)) {
                (self.second, self.lines) = (Some(Instant::now()), 0);
            }
            if self.lines < LINES {
                self.lines += 1;
                heard(&plain(&String::from_utf8_lossy(&line)));
            }
        }
    }
}

/// The end of an output.
#[derive(Default)]
struct Tail {
    bytes: Vec<u8>,
    cut: bool,
}

impl Tail {
    fn feed(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() > 2 * KEPT {
            let _ = self.bytes.drain(..self.bytes.len() - KEPT);
            self.cut = true;
        }
    }

    fn text(&self) -> String {
        let begin = self.bytes.len().saturating_sub(KEPT);
        let text = String::from_utf8_lossy(&self.bytes[begin..]);
        // A line that was cut in the middle says nothing.
        let text = match text.split_once('\n') {
            Some((_, rest)) if self.cut || begin > 0 => rest,
            _ => &text,
        };
        plain(text).trim_end().to_owned()
    }
}

/// Text without escape sequences and other control characters. A line that was overwritten by carriage
/// returns keeps its last state.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => match chars.next() {
                // CSI: up to its final byte.
                Some('[') => while chars.next().is_some_and(|c| !matches!(c, '@'..='~')) {},
                // OSC and its like: up to BEL or ST.
                Some(']' | 'P' | '^' | '_' | 'X') => {
                    while let Some(c) = chars.next() {
                        if c == '\u{7}' || (c == '\u{1b}' && chars.next_if_eq(&'\\').is_some()) {
                            break;
                        }
                    }
                }
                _ => {}
            },
            '\r' if chars.peek().is_some_and(|c| !matches!(c, '\n' | '\r')) => {
                let line = plain.rfind('\n').map_or(0, |at| at + 1);
                plain.truncate(line);
            }
            '\n' | '\t' => plain.push(c),
            c if c.is_control() => {}
            c => plain.push(c),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARK: &str = "MAESTRO_TEST_VERIFY";

    fn check(line: &str, limit: Duration, stop: bool) -> Verify {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let (stopper, cancelled) = watch::channel(false);
        if stop {
            let _ = stopper.send(true);
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        let command = Command {
            line,
            directory: Path::new("/"),
            env: vec![("PATH".into(), path)],
            marks: Vec::new(),
            mark: (MARK, std::process::id().to_string()),
            limit: Some(limit),
        };
        runtime.expect("a runtime").block_on(run(command, cancelled, &|_| {}))
    }

    #[test]
    fn control_characters_are_taken_out() {
        for (text, expected) in [
            ("\x1b[31mred\x1b[0m\n", "red\n"),
            ("10%\r50%\r100%\nok", "100%\nok"),
            ("a\r\nb", "a\nb"),
            ("\x1b]0;title\x07text\x1b]0;t\x1b\\x", "textx"),
            ("\u{0}\u{8}\u{9b}a\tb", "a\tb"),
            ("end\x1b", "end"),
        ] {
            assert_eq!(plain(text), expected, "{text:?}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn a_command_is_run_to_its_end_whatever_that_is() {
        let minute = Duration::from_secs(60);
        let verify = check("echo out; echo err >&2; pwd; exit 3", minute, false);
        assert_eq!(verify.exit_code, Some(3));
        for part in ["out", "err", "/"] {
            assert!(verify.output.contains(part), "{verify:?}");
        }
        assert_eq!(check("true", minute, false).exit_code, Some(0));
        let verify = check(
            "trap '' TERM; echo begun; sleep 100 & wait; sleep 100",
            Duration::from_millis(200),
            false,
        );
        assert_eq!(verify.exit_code, None);
        assert!(verify.output.contains("took longer"), "{verify:?}");
        let verify = check("kill -9 $$", minute, false);
        assert_eq!(verify.exit_code, None);
        let verify = check("sleep 100", minute, true);
        assert_eq!((verify.exit_code, verify.output.as_str()), (None, "It was stopped."));
    }

    #[test]
    #[cfg(unix)]
    fn nothing_is_left_and_output_is_bounded() {
        let minute = Duration::from_secs(60);
        // Something in the background holds the output open, in a session of its own.
        let verify = check("setsid sleep 1000 & exit 0", minute, false);
        assert_eq!(verify.exit_code, Some(0));
        let mark = (MARK.to_owned(), std::process::id().to_string());
        assert!(maestro_pty::Marker::new([mark]).processes().is_empty());
        let verify = check("yes line | head -c 3000000; echo last", minute, false);
        assert!(
            verify.output.len() <= KEPT && verify.output.ends_with("line\nlast"),
            "the end is kept"
        );
    }
}

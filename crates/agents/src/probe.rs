//! Asking a program a short question: its own session, no input, a time limit, bounded output.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use crate::environment::{Environment, find};

/// A question to a program.
pub(crate) struct Probe<'a> {
    pub program: &'a Path,
    pub args: &'a [&'a str],
    pub env: &'a Environment,
    /// Where it is asked; where we are when `None`.
    pub directory: Option<&'a Path>,
    pub limit: Duration,
    /// Bytes after which the rest of the output is not read.
    pub most: usize,
}

/// What came back.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub stdout: Vec<u8>,
    /// Whether it ended by itself, and well.
    pub success: bool,
    /// Why it could not even be started.
    pub error: Option<std::io::Error>,
    /// Whether it was ended because it took too long.
    pub late: bool,
}

impl Probe<'_> {
    /// Runs to the end of the output.
    pub fn whole(&self) -> Answer {
        self.run(None)
    }

    /// Runs until `mark` was printed: something the program left running may hold its output open.
    pub fn until(&self, mark: &[u8]) -> Answer {
        self.run(Some(mark))
    }

    fn run(&self, mark: Option<&[u8]>) -> Answer {
        let mut command = Command::new(self.program);
        let _ = command
            .args(self.args)
            .env_clear()
            .envs(self.env.vars())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        if let Some(directory) = self.directory {
            let _ = command.current_dir(directory).env("PWD", directory);
        }
        own_session(&mut command);
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => return Answer { error: Some(error), ..Answer::default() },
        };
        let mut answer = Answer::default();
        let deadline = Instant::now() + self.limit;

        let (sender, receiver) = sync_channel::<Vec<u8>>(8);
        if let Some(mut stdout) = child.stdout.take() {
            // The thread ends with the output, which ends with the group at the latest.
            let _ = std::thread::Builder::new().name("probe-output".into()).spawn(move || {
                let mut chunk = vec![0; 16 << 10];
                while let Ok(count) = stdout.read(&mut chunk) {
                    if count == 0 || sender.send(chunk[..count].to_vec()).is_err() {
                        return;
                    }
                }
            });
        } else {
            drop(sender);
        }
        loop {
            match receiver.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(chunk) => {
                    answer.stdout.extend_from_slice(&chunk);
                    if answer.stdout.len() > self.most {
                        answer.stdout.truncate(self.most);
                        break;
                    }
                    // Only where it can have appeared by this piece.
                    let fresh = |mark: &[u8]| {
                        let begin = answer.stdout.len().saturating_sub(chunk.len() + mark.len());
                        find(&answer.stdout[begin..], mark).is_some()
                    };
                    if mark.is_some_and(fresh) {
                        break;
                    }
                }
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    answer.late = true;
                    break;
                }
            }
        }
        drop(receiver);
        // It has closed its output: give it a moment to exit by itself, whose status we want.
        while mark.is_none() && !answer.late && !has_exited(&mut child) {
            answer.late = Instant::now() >= deadline;
            std::thread::sleep(Duration::from_millis(2));
        }
        kill_session(child.id());
        let _ = child.kill();
        answer.success = child.wait().is_ok_and(|status| status.success());
        answer
    }
}

/// Makes the child the leader of a session of its own: it gets no terminal to wait on (an interactive
/// shell in our own session would stop us), and all it starts can be signalled together.
#[cfg(unix)]
#[allow(unsafe_code, reason = "`setsid` has to be called between fork and exec")]
pub fn own_session(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    // SAFETY: the closure only makes the `setsid` system call, which is async-signal-safe, and
    // allocates nothing.
    let _ = unsafe {
        command.pre_exec(|| rustix::process::setsid().map(|_| ()).map_err(std::io::Error::from))
    };
}

#[cfg(not(unix))]
pub fn own_session(_command: &mut Command) {}

/// Whether a child has ended, without collecting it: until then its number is not given out again.
#[cfg(unix)]
fn has_exited(child: &mut Child) -> bool {
    use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    pid.is_none_or(|pid| !matches!(waitid(WaitId::Pid(pid), options), Ok(None)))
}

#[cfg(not(unix))]
fn has_exited(child: &mut Child) -> bool {
    !matches!(child.try_wait(), Ok(None))
}

/// Kills a process group whose leader has not been waited for, so that its number is still its own.
#[cfg(unix)]
fn kill_session(leader: u32) {
    let leader = i32::try_from(leader).ok().and_then(rustix::process::Pid::from_raw);
    if let Some(leader) = leader {
        let _ = rustix::process::kill_process_group(leader, rustix::process::Signal::KILL);
    }
}

#[cfg(not(unix))]
fn kill_session(_leader: u32) {}

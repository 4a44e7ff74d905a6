//! The processes of one turn or one command: a group, and whatever left the group but still carries its
//! mark.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::sync::oneshot;
use tokio::time::Instant;

pub use crate::probe::own_session;

/// How often it is looked whether everybody has gone.
const LOOK: Duration = Duration::from_millis(20);

/// What a group is told, in order of hardness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Signal {
    /// Nothing.
    None,
    /// SIGINT: stop what you do.
    Interrupt,
    /// SIGTERM: end.
    Terminate,
    /// SIGKILL.
    Kill,
}

/// Kills everybody in it when dropped, unless disarmed.
#[derive(Debug)]
pub struct Group {
    /// The leader's process id; `None` once there is nobody left to signal.
    leader: Option<u32>,
    /// `NAME=VALUE` in the environment of everybody who was started.
    mark: String,
}

impl Group {
    /// The group of a process that leads one, and everybody with this `NAME=VALUE` in the environment.
    #[must_use]
    pub fn new(leader: Option<u32>, mark: String) -> Self {
        Self { leader, mark }
    }

    /// Tells when the leader has ended, without collecting it: as long as it is not collected its number
    /// is nobody else's, and the group can be signalled.
    #[must_use]
    pub fn watch(&self) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        let leader = self.leader;
        // A thread of its own rather than the runtime's SIGCHLD handling, which would collect it. If
        // it cannot be started the sender is dropped, which reads as ended.
        let _ = std::thread::Builder::new().name("turn-exit".into()).stack_size(64 << 10).spawn(
            move || {
                wait_without_collecting(leader);
                let _ = sender.send(());
            },
        );
        receiver
    }

    /// Signals the group. The kill also reaches those who have left it.
    pub fn signal(&self, signal: Signal) {
        let Some(leader) = self.leader else { return };
        signal_group(leader, signal);
        if signal == Signal::Kill {
            for pid in marked(&self.mark) {
                signal_one(pid, signal);
            }
        }
    }

    /// Sees to it that nobody is left: asks first, then kills.
    pub async fn end(&self, grace: Duration) {
        let left = marked(&self.mark);
        if !left.is_empty() {
            for pid in left {
                signal_one(pid, Signal::Terminate);
            }
            let deadline = Instant::now() + grace;
            while Instant::now() < deadline && !marked(&self.mark).is_empty() {
                tokio::time::sleep(LOOK).await;
            }
        }
        self.signal(Signal::Kill);
        // A process that is being killed may have started one more that was not listed yet.
        for _ in 0..50 {
            if marked(&self.mark).is_empty() {
                break;
            }
            tokio::time::sleep(LOOK).await;
            self.signal(Signal::Kill);
        }
    }

    /// Everybody is gone and the leader was collected: its number may be somebody else's.
    pub fn disarm(&mut self) {
        self.leader = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::Kill);
    }
}

/// Reads what there is; 0, once, at the end. Never comes back when there is nothing to read from, so
/// that it can stand in a `select!`. Loses nothing when dropped.
pub async fn read<R: AsyncRead + Unpin>(from: &mut Option<R>, into: &mut [u8]) -> usize {
    let Some(reader) = from else { return std::future::pending().await };
    let count = reader.read(into).await.unwrap_or(0);
    if count == 0 {
        *from = None;
    }
    count
}

/// Waits until an instant; for ever without one.
pub async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

#[cfg(unix)]
fn pid(number: u32) -> Option<rustix::process::Pid> {
    i32::try_from(number).ok().and_then(rustix::process::Pid::from_raw)
}

#[cfg(unix)]
fn real(signal: Signal) -> Option<rustix::process::Signal> {
    use rustix::process::Signal as Real;
    match signal {
        Signal::None => None,
        Signal::Interrupt => Some(Real::INT),
        Signal::Terminate => Some(Real::TERM),
        Signal::Kill => Some(Real::KILL),
    }
}

#[cfg(unix)]
fn signal_group(leader: u32, signal: Signal) {
    if let (Some(leader), Some(signal)) = (pid(leader), real(signal)) {
        let _ = rustix::process::kill_process_group(leader, signal);
    }
}

#[cfg(unix)]
fn signal_one(number: u32, signal: Signal) {
    if let (Some(pid), Some(signal)) = (pid(number), real(signal)) {
        let _ = rustix::process::kill_process(pid, signal);
    }
}

#[cfg(unix)]
fn wait_without_collecting(leader: Option<u32>) {
    use rustix::process::{WaitId, WaitIdOptions, waitid};
    let Some(leader) = leader.and_then(pid) else { return };
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    while matches!(waitid(WaitId::Pid(leader), options), Err(rustix::io::Errno::INTR)) {}
}

// Elsewhere the runtime's own `kill_on_drop` ends the process itself; job objects will end the rest.
#[cfg(not(unix))]
fn signal_group(_leader: u32, _signal: Signal) {}
#[cfg(not(unix))]
fn signal_one(_number: u32, _signal: Signal) {}
#[cfg(not(unix))]
fn wait_without_collecting(_leader: Option<u32>) {}

/// Everybody alive who carries the mark. A process that has ended but was not collected has no
/// environment any more and is not among them.
#[cfg(target_os = "linux")]
fn marked(mark: &str) -> Vec<u32> {
    let ourselves = std::process::id();
    let Ok(processes) = std::fs::read_dir("/proc") else { return Vec::new() };
    processes
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(|&pid| pid != ourselves)
        .filter(|pid| {
            std::fs::read(format!("/proc/{pid}/environ")).is_ok_and(|environ| {
                environ.split(|&byte| byte == 0).any(|variable| variable == mark.as_bytes())
            })
        })
        .collect()
}

#[cfg(not(target_os = "linux"))]
fn marked(_mark: &str) -> Vec<u32> {
    Vec::new()
}

//! Processes by what identifies them for certain: their start time beside their id, and variables in
//! their environment. A process id alone is never trusted, because the system gives it out again.
//!
//! Environments can be read on Linux only; elsewhere the searches here find nothing, and a terminal's
//! process group is all that is ended.

use std::collections::HashSet;
use std::fs;
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags};

pub use rustix::process::Signal;

/// Variables that mark our children and everything they start.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Marker {
    variables: Vec<(String, String)>,
}

/// A process with the time it started, in the system's own unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Process {
    /// Its id.
    pub pid: u32,
    /// When it started: clock ticks since the machine did.
    pub started: u64,
}

impl Marker {
    /// A marker of variables that must all be there with these values. One without variables matches
    /// nothing.
    pub fn new(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { variables: variables.into_iter().collect() }
    }

    /// Whether a process's environment (as in `/proc/PID/environ`) has all variables.
    #[must_use]
    pub fn matches(&self, environ: &[u8]) -> bool {
        !self.variables.is_empty()
            && self.variables.iter().all(|(name, value)| {
                environ.split(|byte| *byte == 0).any(|entry| {
                    entry.strip_prefix(name.as_bytes()).and_then(|rest| rest.strip_prefix(b"="))
                        == Some(value.as_bytes())
                })
            })
    }

    /// Every living process that has the marker, ourselves excepted.
    #[must_use]
    pub fn processes(&self) -> Vec<Process> {
        if self.variables.is_empty() {
            return Vec::new();
        }
        all_processes()
            .filter(|pid| *pid != std::process::id())
            .filter(|pid| {
                fs::read(format!("/proc/{pid}/environ")).is_ok_and(|environ| self.matches(&environ))
            })
            .filter_map(Process::find)
            .collect()
    }

    /// Sends a signal to every process that has the marker; says how many there were.
    pub fn signal(&self, signal: Signal) -> usize {
        let processes = self.processes();
        for process in &processes {
            process.signal(signal);
        }
        processes.len()
    }

    /// Ends every process that has the marker, harder after each grace time. Blocks until none is
    /// left, or a second after SIGKILL; says whether none is left.
    #[must_use]
    pub fn end(&self, grace: crate::Grace) -> bool {
        let stages = [
            (Signal::HUP, grace.hangup),
            (Signal::TERM, grace.terminate),
            (Signal::KILL, Duration::from_secs(1)),
        ];
        for (signal, wait) in stages {
            let deadline = Instant::now() + wait;
            // Again and again: what is ended may start something on its way out.
            while self.signal(signal) > 0 {
                if Instant::now() >= deadline {
                    break;
                }
                std::thread::sleep(Duration::from_millis(50).min(wait));
            }
        }
        self.processes().is_empty()
    }
}

impl Process {
    /// The living process with an id; a zombie is none.
    #[must_use]
    pub fn find(pid: u32) -> Option<Self> {
        let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
        let fields = fields_after_name(&stat)?;
        if matches!(fields.first(), Some(&"Z" | &"X")) {
            return None;
        }
        // The name is field 2, so the start time, field 22, is the twentieth after it.
        Some(Self { pid, started: fields.get(19)?.parse().ok()? })
    }

    /// Ourselves.
    #[must_use]
    pub fn current() -> Option<Self> {
        Self::find(std::process::id())
    }

    /// Whether it still is the same process.
    #[must_use]
    pub fn is_alive(self) -> bool {
        Self::find(self.pid) == Some(self)
    }

    /// Sends a signal, to this very process or to none.
    pub fn signal(self, signal: Signal) {
        let Some(pid) = i32::try_from(self.pid).ok().and_then(Pid::from_raw) else { return };
        // The descriptor pins the process: if the start time still fits after opening it, nothing
        // else can have got the id in between.
        match rustix::process::pidfd_open(pid, PidfdFlags::empty()) {
            Ok(descriptor) if self.is_alive() => {
                let _ = rustix::process::pidfd_send_signal(descriptor, signal);
            }
            Ok(_) | Err(rustix::io::Errno::SRCH) => {}
            // A kernel before 5.3.
            Err(_) => {
                if self.is_alive() {
                    let _ = rustix::process::kill_process(pid, signal);
                }
            }
        }
    }
}

/// Whether any process has an id, a zombie included.
pub(crate) fn exists(pid: u32) -> bool {
    fs::symlink_metadata(format!("/proc/{pid}")).is_ok()
}

/// The values that a variable has in the environments of living processes, ourselves excepted: which
/// of many markers are worth looking for, in one look.
#[must_use]
pub fn values_of(name: &str) -> HashSet<String> {
    let value = |environ: Vec<u8>| {
        environ.split(|byte| *byte == 0).find_map(|entry| {
            let value = entry.strip_prefix(name.as_bytes())?.strip_prefix(b"=")?;
            Some(String::from_utf8_lossy(value).into_owned())
        })
    };
    all_processes()
        .filter(|pid| *pid != std::process::id())
        .filter_map(|pid| value(fs::read(format!("/proc/{pid}/environ")).ok()?))
        .collect()
}

/// Living processes of a session (`setsid`), by the session leader's id.
pub(crate) fn in_session(leader: u32) -> Vec<Process> {
    let session = leader.to_string();
    all_processes()
        .filter(|pid| {
            fs::read(format!("/proc/{pid}/stat")).is_ok_and(|stat| {
                // State, parent, group, session.
                fields_after_name(&stat).and_then(|fields| fields.get(3).copied())
                    == Some(session.as_str())
            })
        })
        .filter_map(Process::find)
        .collect()
}

fn all_processes() -> impl Iterator<Item = u32> {
    fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

/// The fields of `/proc/PID/stat` after the name, which is in brackets and may hold brackets itself.
fn fields_after_name(stat: &[u8]) -> Option<Vec<&str>> {
    let end = stat.iter().rposition(|byte| *byte == b')')?;
    let rest = std::str::from_utf8(stat.get(end + 1..)?).ok()?;
    Some(rest.split_ascii_whitespace().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marker(variables: &[(&str, &str)]) -> Marker {
        Marker::new(variables.iter().map(|(name, value)| ((*name).into(), (*value).into())))
    }

    #[test]
    fn a_marker_matches_whole_variables_only() {
        let environ = b"PATH=/bin\0MAESTRO_HOST=h1\0MAESTRO_TERMINAL=t12\0";
        let cases: [(&[(&str, &str)], bool); 6] = [
            (&[("MAESTRO_HOST", "h1")], true),
            (&[("MAESTRO_HOST", "h1"), ("MAESTRO_TERMINAL", "t12")], true),
            (&[("MAESTRO_HOST", "h1"), ("MAESTRO_TERMINAL", "t1")], false),
            (&[("HOST", "h1")], false),
            (&[("MAESTRO_HOST", "h")], false),
            (&[], false),
        ];
        for (variables, expected) in cases {
            assert_eq!(marker(variables).matches(environ), expected, "{variables:?}");
        }
    }

    #[test]
    fn a_name_with_brackets_does_not_confuse_the_fields() {
        let stat = b"7 (a) b (c) S 1 7 7 0 -1 4194560 0 0 0 0 1 2 3 4 20 0 1 0 4711 0";
        let fields = fields_after_name(stat).expect("fields");
        assert_eq!((fields[0], fields[3], fields[19]), ("S", "7", "4711"));
    }

    #[test]
    fn an_id_with_another_start_time_is_another_process() {
        let own = Process::current().expect("we are alive");
        assert!(own.is_alive());
        assert!(!Process { started: own.started + 1, ..own }.is_alive());
    }
}

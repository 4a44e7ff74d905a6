//! Keeping the machine awake while runs work, by a program of the system's.

use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};

/// Holds the machine awake while at least one run wants it.
#[derive(Debug, Default)]
pub(super) struct Awake {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    wanted: usize,
    child: Option<Child>,
    /// It was told that it cannot be done.
    told: bool,
}

/// A run's wish; given up on drop.
#[derive(Debug)]
pub(super) struct Wish<'a>(&'a Awake);

impl Awake {
    /// Wants the machine awake. Gives why that cannot be had, in a sentence, once.
    pub(super) fn want(&self, program: fn() -> Option<Command>) -> (Wish<'_>, Option<String>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.wanted += 1;
        // One that ended by itself does nothing any more.
        let lives = state.child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)));
        let mut problem = None;
        if !lives {
            state.child = None;
            match start(program) {
                Ok(child) => state.child = Some(child),
                Err(because) if !state.told => {
                    state.told = true;
                    problem = Some(because);
                }
                Err(_) => {}
            }
        }
        (Wish(self), problem)
    }
}

impl Drop for Wish<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.wanted = state.wanted.saturating_sub(1);
        if state.wanted == 0
            && let Some(mut child) = state.child.take()
        {
            // It ends with its input; a signal to the holder alone could leave what it started.
            drop(child.stdin.take());
            let _ = std::thread::Builder::new().name("awake-end".into()).spawn(move || {
                let _ = child.wait();
            });
        }
    }
}

fn start(program: fn() -> Option<Command>) -> Result<Child, String> {
    let because = |why: &dyn std::fmt::Display| {
        format!(
            "The machine cannot be kept awake while runs work: {why}. They go on when it wakes up."
        )
    };
    let mut command =
        program().ok_or_else(|| because(&"this system has no program for that that is known"))?;
    let _ = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().map_err(|error| because(&error))
}

/// A program that holds the machine awake for as long as its input is open, so that it never outlives the
/// host.
pub(super) fn program() -> Option<Command> {
    if cfg!(target_os = "linux") {
        let mut command = Command::new("systemd-inhibit");
        let _ = command.args([
            "--what=idle:sleep",
            "--who=Maestro",
            "--why=A run is at work",
            "--mode=block",
            "cat",
        ]);
        Some(command)
    } else if cfg!(target_os = "macos") {
        let mut command = Command::new("/usr/bin/caffeinate");
        let _ = command.args(["-i", "/bin/cat"]);
        Some(command)
    } else {
        None
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn it_is_held_while_somebody_wants_it_and_told_once_when_it_cannot_be() {
        let awake = Awake::default();
        let (first, problem) = awake.want(|| Some(Command::new("cat")));
        assert_eq!(problem, None);
        let (second, _) = awake.want(|| None);
        let lives = |awake: &Awake| awake.state.lock().expect("no panic").child.is_some();
        assert!(lives(&awake), "the second needs no other");
        drop(first);
        assert!(lives(&awake));
        drop(second);
        assert!(!lives(&awake));
        let (_wish, problem) = awake.want(|| Some(Command::new("/nowhere/at/all")));
        assert!(problem.expect("a sentence").contains("kept awake"));
        let (_wish, problem) = awake.want(|| None);
        assert_eq!(problem, None, "told once");
    }
}

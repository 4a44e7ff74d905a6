//! Following a run to its end, or until it waits for a person: every step is told, and the ending
//! decides the exit code.

use std::io::{IsTerminal as _, stderr, stdin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use maestro_core::RunId;
use maestro_core::playbook::{Heard, HeardKind};
use maestro_core::run::{Ending, Pause, Run, State};
use maestro_protocol::Incoming;
use maestro_protocol::client;
use maestro_protocol::message::{Command, Event};

use super::super::failure::{Code, Failure, Result};
use super::super::output::{self, Out};
use super::super::talk::interrupts;
use super::super::{Host, complain};
use super::get;
use super::live::Live;
use super::options::Following;
use super::steps::{Progress, heard_json, pause_text};

/// How often it looks whether Ctrl+C was pressed.
const LOOK: Duration = Duration::from_millis(150);

/// How often a host that died is started again without any step in between.
const REVIVALS: u32 = 3;

/// What Ctrl+C is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Interrupt {
    /// Ends the run: whoever started it here wants that.
    Stops,
    /// Ends only the watching.
    Leaves,
}

/// Follows a run that was started here, and has heard Ctrl+C since before that.
pub fn started(
    host: &mut Host,
    run: Run,
    pressed: Arc<AtomicU32>,
    following: Following,
    out: &mut Out,
) -> Result<()> {
    let id = run.id;
    if !following.jsonl && !out.json {
        complain(&format!(
            "run {id} goes on if this command ends; `maestro run stop {id}` ends it after its task"
        ));
    }
    Follower::new(host, id, following, (Interrupt::Stops, pressed), out).follow(run, out)
}

/// Follows a run that was started anywhere.
pub fn watch(run: RunId, following: Following, out: &mut Out) -> Result<()> {
    let mut host = Host::running()?;
    let _ = host.world(true)?;
    let now = get(&mut host, run)?;
    let interrupt = (Interrupt::Leaves, interrupts()?);
    Follower::new(&mut host, run, following, interrupt, out).follow(now, out)
}

struct Follower<'a> {
    host: &'a mut Host,
    id: RunId,
    following: Following,
    json: bool,
    /// Whether it goes on while the run is paused.
    stays: bool,
    interrupt: Interrupt,
    pressed: Arc<AtomicU32>,
    presses: u32,
    progress: Progress,
    live: Live,
    revived: u32,
}

impl<'a> Follower<'a> {
    fn new(
        host: &'a mut Host,
        id: RunId,
        following: Following,
        (interrupt, pressed): (Interrupt, Arc<AtomicU32>),
        out: &Out,
    ) -> Self {
        let json = following.jsonl || out.json;
        // A person who sees that it is paused can do something about it; a script would hang for ever.
        let stays = following.stay || (!json && stdin().is_terminal() && stderr().is_terminal());
        Self {
            host,
            id,
            following,
            json,
            stays,
            interrupt,
            pressed,
            presses: 0,
            progress: Progress::default(),
            live: Live::new(json),
            revived: 0,
        }
    }

    fn follow(mut self, mut run: Run, out: &mut Out) -> Result<()> {
        self.hear(true)?;
        loop {
            self.tell(&run, out)?;
            match &run.state {
                State::Ended(ending) => return ended(ending),
                State::Paused(pause) if !self.stays => return Err(paused(self.id, pause)),
                _ => run = self.next(run, out)?,
            }
        }
    }

    /// Tells what is new.
    fn tell(&mut self, run: &Run, out: &mut Out) -> Result<()> {
        let steps = self.progress.steps(run);
        if !steps.is_empty() {
            self.live.clear();
            self.revived = 0;
        }
        for step in steps {
            if self.json {
                out.json_line(&step.to_json(run))
            } else {
                out.line(&step.to_text(run))
            }?;
        }
        Ok(())
    }

    /// Waits until the run has changed.
    fn next(&mut self, run: Run, out: &mut Out) -> Result<Run> {
        loop {
            self.interrupted()?;
            self.live.show(&run);
            match self.host.client.next(Some(LOOK)) {
                Ok(Incoming::Event { event: Event::Run(changed), .. }) if changed.id == self.id => {
                    return Ok(*changed);
                }
                Ok(Incoming::Heard { run: id, lines }) if id == self.id => {
                    self.live.clear();
                    for line in lines {
                        if self.json {
                            out.json_line(&heard_json(&line, &run))
                        } else {
                            out.line(&heard_text(&line))
                        }?;
                    }
                }
                Ok(Incoming::Lagged) => return get(self.host, self.id),
                Ok(Incoming::Event { event: Event::HostStopping, .. }) => {
                    return Err(Failure::failed(format!(
                        "the host is stopping; run {id} goes on when it starts again: follow it \
                         with `maestro run watch {id}`",
                        id = self.id
                    )));
                }
                Ok(Incoming::Closed(_)) | Err(client::Error::Codec(_)) => return self.revive(),
                Ok(_) | Err(client::Error::TimedOut(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// What Ctrl+C asks for.
    fn interrupted(&mut self) -> Result<()> {
        let presses = self.pressed.load(Ordering::Relaxed);
        if presses == self.presses {
            return Ok(());
        }
        self.presses = presses;
        self.live.clear();
        let run = self.id;
        if self.interrupt == Interrupt::Leaves {
            let sentence = format!("run {run} goes on; `maestro run stop {run}` ends it");
            return Err(Failure::new(Code::Left, sentence));
        }
        match presses {
            1 => {
                complain("stopping after this task; Ctrl+C once more stops now");
                self.ask_to_end(Command::StopRun { run })
            }
            2 => {
                complain("stopping now");
                self.ask_to_end(Command::KillRun { run })
            }
            // Whoever still presses wants to be gone.
            _ => Err(Failure::new(Code::Left, format!("left; run {run} is being ended"))),
        }
    }

    fn ask_to_end(&mut self, command: Command) -> Result<()> {
        match self.host.client.request(command, super::super::PATIENCE) {
            // It may have ended meanwhile; then that is told next.
            Ok(_) | Err(client::Error::Host(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// The host died. The run goes on in the next one, so that is started.
    fn revive(&mut self) -> Result<Run> {
        self.live.clear();
        self.revived += 1;
        if self.revived > REVIVALS {
            return Err(Failure::failed(format!(
                "the host ends again and again: see `maestro doctor`; run {} is kept",
                self.id
            )));
        }
        complain("the host ended unexpectedly; it is started again, and the run goes on");
        *self.host = Host::on_demand()?;
        let _ = self.host.world(true)?;
        self.hear(true)?;
        get(self.host, self.id)
    }

    fn hear(&mut self, follow: bool) -> Result<()> {
        if !self.following.hear {
            return Ok(());
        }
        self.host.tell(Command::HearRun { run: self.id, follow })
    }
}

fn heard_text(line: &Heard) -> String {
    let mark = match line.kind {
        HeardKind::Text => "│",
        HeardKind::Thinking => "┊",
        HeardKind::Tool => "├",
        HeardKind::Verify => "$",
        HeardKind::Maestro => "·",
    };
    format!("   {mark} {}", output::plain(&line.text))
}

fn ended(ending: &Ending) -> Result<()> {
    match ending {
        Ending::Completed => Ok(()),
        // The last line of the output has said it.
        Ending::WithFailures => Err(Failure::silent()),
        Ending::Stopped => Err(Failure::new(Code::Stopped, "the run was stopped before its end")),
        Ending::Killed => Err(Failure::new(Code::Stopped, "the run was killed")),
        Ending::Failed(why) => Err(Failure::failed(why.clone())),
    }
}

fn paused(run: RunId, pause: &Pause) -> Failure {
    let why = pause_text(pause);
    let why = why.trim_end_matches('.');
    Failure::new(
        Code::Paused,
        format!("run {run} is paused: {why}. `maestro run resume {run}` lets it go on"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_decides_the_exit_code() {
        let code = |ending: Ending| ended(&ending).err().map(|failure| failure.code as u8);
        for (ending, expected) in [
            (Ending::Completed, None),
            (Ending::WithFailures, Some(1)),
            (Ending::Failed("x".to_owned()), Some(1)),
            (Ending::Stopped, Some(7)),
            (Ending::Killed, Some(7)),
        ] {
            assert_eq!(code(ending.clone()), expected, "{ending:?}");
        }
        let failure = paused(RunId(3), &Pause::Needed("Log in again.".to_owned()));
        assert_eq!(failure.code as u8, 6);
        assert_eq!(
            failure.message,
            "run r3 is paused: Log in again. `maestro run resume r3` lets it go on"
        );
    }

    #[test]
    fn what_is_heard_moves_no_cursor() {
        let line = Heard { task: 0, kind: HeardKind::Tool, text: "sh\x1b[2J\r".to_owned() };
        assert_eq!(heard_text(&line), "   ├ sh·[2J ");
    }
}

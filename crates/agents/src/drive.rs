//! Long-lived drivers: one process that holds one conversation over many turns, asks for approval, can be
//! interrupted and told another policy or model. Three dialects cover every provider: Claude Code's control
//! protocol, Codex's app-server, and the Agent Client Protocol.
//!
//! A dialect has no process and no clock: orders and lines go in, lines for the process and
//! [`Event`]s come out, so that recorded streams test it. [`Driver`] has the process.

use std::path::PathBuf;

mod acp;
mod claude;
mod codex;
mod diff;
mod image;
mod oneshot;
mod parts;
mod process;

pub(crate) use acp::{opencode_config, opencode_configured};
pub use process::Driver;

use maestro_core::agent::Provider;
use maestro_core::conversation::{Answer, Event, Policy, Prompt};
use maestro_core::turn::{Failure, FailureKind};

use crate::command::CommandLine;
use crate::detect::Detected;
use crate::environment::Environment;
use crate::stream::{Exit, fail};

/// How a conversation is started.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The program.
    pub detected: Detected,
    /// What it inherits.
    pub environment: Environment,
    /// Where it works, absolute.
    pub directory: PathBuf,
    /// The session to go on with.
    pub resume: Option<String>,
    /// The id its new session gets, where [`crate::command::can_choose_session`]; ignored with `resume`.
    pub new_session: Option<String>,
    /// What it may do without asking.
    pub policy: Policy,
    /// The model, as the provider names it.
    pub model: Option<String>,
    /// How hard it is to think, as the provider names it.
    pub effort: Option<String>,
}

/// What a driver is told.
#[derive(Debug, Clone, PartialEq)]
pub enum Order {
    /// Begin a turn. One at a time: the caller waits for [`Event::Ended`] before the next.
    Say(Prompt),
    /// Stop the turn.
    Interrupt,
    /// Answer an [`Event::Request`].
    Answer {
        /// Which.
        request: String,
        /// How.
        answer: Answer,
    },
    /// Another policy, from now on.
    Policy(Policy),
    /// Another model; `None` for the provider's own choice.
    Model(Option<String>),
    /// Another effort; `None` for the provider's own choice.
    Effort(Option<String>),
}

/// What came of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It holds.
    Now,
    /// The program can only do it when it is started anew: the caller closes the driver when no turn is open,
    /// and starts another one that resumes the session.
    Restart,
}

/// How a provider's conversations are driven.
pub(crate) enum Plan {
    /// By one process for all of its turns, which speaks this dialect.
    Lasting(CommandLine, Box<dyn Dialect>),
    /// By a process for each turn: nothing can be asked then.
    PerTurn,
}

/// How this conversation is driven.
fn plan(launch: &Launch) -> Result<Plan, Failure> {
    match launch.detected.provider {
        Provider::Claude => {
            let dialect = Box::new(claude::Claude::new(launch));
            Ok(Plan::Lasting(claude::command(launch)?, dialect))
        }
        Provider::OpenCode | Provider::Copilot | Provider::Gemini | Provider::Demo => {
            Ok(Plan::Lasting(acp::command(launch)?, Box::new(acp::Acp::new(launch))))
        }
        Provider::Codex => {
            let dialect = Box::new(codex::Codex::new(launch));
            Ok(Plan::Lasting(codex::command(launch)?, dialect))
        }
        // Its ACP wants a login of its vendor's for every prompt, also with a model of one's own.
        Provider::Droid => Ok(Plan::PerTurn),
        Provider::Shell => Err(fail(
            FailureKind::Unusable,
            "A shell is not an agent: there is nothing to talk to in it.",
        )),
    }
}

/// What a dialect wants done.
#[derive(Debug, Default)]
pub(crate) struct Out {
    /// Lines for the process, without their line ends.
    pub lines: Vec<String>,
    /// What to report.
    pub events: Vec<Event>,
}

/// A provider's two-way protocol, without process and clock.
pub(crate) trait Dialect: std::fmt::Debug + Send {
    /// The process was started.
    fn begin(&mut self, now_ms: u64, out: &mut Out);

    /// The caller wants something.
    fn order(&mut self, order: Order, now_ms: u64, out: &mut Out) -> Result<Taken, Failure>;

    /// The process printed a line.
    fn line(&mut self, line: &str, now_ms: u64, out: &mut Out);

    /// Whether a process that ended with these last words, before it said anything else, was only kept from
    /// starting by another one of its kind. It is started again then, and [`Self::begin`] is called again:
    /// what it was told before, it has not heard.
    fn was_kept_out(&self, _stderr: &str) -> bool {
        false
    }

    /// The process is gone. Ends the turn that was open.
    fn gone(&mut self, exit: &Exit, now_ms: u64, out: &mut Out);
}

#[cfg(test)]
mod tests;

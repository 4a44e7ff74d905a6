//! One adapter per agent program: is it there, how is it started, what does its stream mean.
//!
//! The way through this crate: [`Environment::login`] is what the user's own shell would give a
//! program; [`detect()`] finds a provider in it; [`tui_command`] and [`turn_command`] say how to start
//! one; a [`Parser`] turns the lines of a turn into [`maestro_core::turn::Event`]s and its end into an
//! [`maestro_core::turn::Outcome`]; [`turn::run`] does all of that for one turn and leaves no process
//! behind. [`latest_session`] looks into a provider's own store for the session of a TUI that does not
//! let its session be chosen.
//!
//! Terminals are not started here (see `maestro-pty`), and nothing here decides whether a turn should
//! be tried again.

pub mod command;
pub mod detect;
pub mod drive;
pub mod environment;
pub mod process;
pub mod session;
pub mod store;
pub mod stream;
pub mod tui;
pub mod turn;

mod child;
mod probe;

pub use command::{CommandLine, TuiOptions, TurnOptions, tui_command, turn_command};
pub use detect::{Detected, detect, install_hint};
pub use environment::Environment;
pub use session::{latest_session, new_session_id};
pub use stream::{Ended, Exit, Parser};
pub use turn::{Cancel, Limits};

//! The host: what owns agents, terminals and runs, and brings them back after a crash.
//!
//! [`host::Host`] is one per home folder. Clients reach it through `maestro-protocol` and through
//! nothing else: tests connect in process, everybody else by the socket. What a client asks for is
//! decided here and in `maestro-core`; clients have no rules of their own.

pub mod autorun;
pub mod conversation;
pub mod host;
pub mod keymap;
pub mod log;
pub mod playbooks;
pub mod prepare;
pub mod queue;
pub mod settings;
pub mod train;

mod client;
mod heap;
mod index;
mod nice;
mod pool;
mod pulls;
mod searcher;
mod session;
mod trees;

pub use session::Fault;

//! The command line as its users meet it: real processes, a real host in a home folder of its own,
//! real repositories. The demo agent plays the agents.
#![cfg(unix)]
#![allow(missing_docs)]

mod agents;
mod hosts;
mod killed;
mod runs;
mod support;
mod terminals;
mod usage;

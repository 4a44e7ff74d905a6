//! The command line as its users meet it, by its own commands. The demo agent plays the agents.

mod agents;
mod hosts;
mod runs;
mod support;
mod terminals;
mod usage;

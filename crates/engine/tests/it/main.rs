//! The host as its clients see it: over the protocol, in process, with tiny shell commands as children.

mod agents;
mod autorun;
mod harness;
mod hostile;
mod lifecycle;
mod terminals;

//! The host as its clients see it: over the protocol, in process, with tiny shell commands as children.

mod agents;
mod autorun;
mod files;
mod frames;
mod harness;
mod hostile;
mod lifecycle;
mod paste;
mod searching;
mod terminals;

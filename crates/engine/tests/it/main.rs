//! The host as its clients see it: over the protocol, in process, with tiny shell commands as children.

mod agents;
mod autorun;
mod collisions;
mod conversation;
mod conversation_crash;
mod conversation_moves;
mod conversation_waits;
mod driver;
mod files;
mod frames;
mod harness;
mod hostile;
mod lifecycle;
mod notices;
mod paste;
mod playbooks;
mod queue;
mod queue_host;
mod searching;
mod sessions;
mod standing;
mod terminals;
mod train;

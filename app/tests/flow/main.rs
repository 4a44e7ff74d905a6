//! Maestro from outside, as a user has it: the real program, real hosts, real repositories.
//!
//! - `cli`: every command of the command line, its refusals and its exit codes.
//! - `commands`: what the commands promise, one group of them at a time.
//! - `kill`: hosts and clients that die at any point of a run.
//! - `real`: the real Claude Code, Codex, OpenCode and Droid against a fake model.
//! - `bad_input`: what is broken, hostile, full or gone.
//! - `window`: the real window on a virtual display, driven by keys.
//!
//! Every test has its own `MAESTRO_HOME`, `HOME` and git configuration, and ends every host it
//! started, also when it fails. What a machine lacks is said in a line that begins with `SKIPPED:`.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod bad_input;
mod cli;
mod commands;
mod kill;
mod place;
mod real;
mod window;

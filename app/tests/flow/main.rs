//! Maestro from outside, as a user has it: the real program, real hosts, real repositories.
//!
//! - `usage`: what every command keeps to: exit codes, one sentence, output that may be cut off.
//! - `hosts`, `terminals`, `agents`, `worktrees`, `runs`: the commands, by what they are about.
//! - `conflicts`, `train`, `pr`: branches that collide, and their way home.
//! - `steering`: runs that are followed, paused, undone, refused and asked about from elsewhere.
//! - `rules`: what a run is told to go by on the command line.
//! - `schema`: what events of runs look like.
//! - `queue`: what waits to be said, and what turns consumed.
//! - `sessions`: stored conversations of every provider: found, shown, marked, resumed.
//! - `terminal_commands`: searching, exporting, pasting and the like.
//! - `conversations`: what is said to agents, and what is asked and answered.
//! - `keymap`: every command of the window, and chords of one's own.
//! - `import`: what comes over from the Electron program of the same name.
//! - `kill`: hosts and clients that die at any point of a run.
//! - `real`: the real Claude Code, Codex, OpenCode and Droid against a fake model.
//! - `bad_input`: what is broken, hostile, full or gone.
//! - `bench`: the benchmark that travels with the program.
//! - `window`: the real window on a virtual display, driven by keys.
//!
//! Every test has its own `MAESTRO_HOME`, `HOME` and git configuration, and everything it started
//! ends with it, also when it fails or is killed (`place`). What a machine lacks is said in a line
//! that begins with `SKIPPED:`.

#![cfg(target_os = "linux")]

mod agents;
mod bad_input;
mod bench;
mod conflicts;
mod conversations;
mod diff;
mod hosts;
mod import;
mod keymap;
mod kill;
mod place;
mod playbooks;
mod pr;
mod queue;
mod race;
mod real;
mod rules;
mod runs;
mod schema;
mod sessions;
mod steering;
mod terminal_commands;
mod terminals;
mod train;
mod trash;
mod usage;
mod window;
mod worktrees;

//! What Maestro decides: ids, agents, terminals as data, checklists, runs, commands and keys.
//!
//! Nothing here reads a file, a clock or an environment variable, starts a process or waits. Time and
//! ids are handed in, which is why every rule in this crate can be tested by a table.

pub mod agent;
pub mod changes;
pub mod checklist;
pub mod command;
pub mod conflict;
pub mod conversation;
pub mod diff;
pub mod fuzzy;
pub mod group;
pub mod highlight;
pub mod id;
pub mod input;
pub mod keymap;
pub mod layout;
pub mod link;
pub mod log;
pub mod markdown;
pub mod mastery;
pub mod notice;
pub mod order;
pub mod playbook;
pub mod pull;
pub mod queue;
pub mod race;
pub mod recent;
pub mod run;
pub mod screen;
pub mod search;
pub mod session;
pub mod settings;
pub mod summon;
pub mod text;
pub mod tour;
pub mod train;
pub mod trash;
pub mod turn;
pub mod usage;
pub mod worktree;

pub use id::{AgentId, ItemId, RunId, SnapshotId, TabId, TerminalId, TrainId};

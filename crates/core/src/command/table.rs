//! The table of commands, by what they are about.

mod agents;
mod autorun;
mod cards;
mod changes;
mod keys;
mod list;
mod notices;
mod panes;
mod sessions;
mod settings;
mod talk;
mod terminal;
mod turns;
mod vi;
mod view;

use super::Command;

/// The parts of the table, in the order in which they are listed.
const PARTS: [&[Command]; 15] = [
    agents::COMMANDS,
    sessions::COMMANDS,
    talk::COMMANDS,
    panes::COMMANDS,
    autorun::COMMANDS,
    changes::COMMANDS,
    terminal::COMMANDS,
    view::COMMANDS,
    settings::COMMANDS,
    keys::COMMANDS,
    turns::COMMANDS,
    vi::COMMANDS,
    cards::COMMANDS,
    notices::COMMANDS,
    list::COMMANDS,
];

const fn count() -> usize {
    let (mut part, mut count) = (0, 0);
    while part < PARTS.len() {
        count += PARTS[part].len();
        part += 1;
    }
    count
}

static TABLE: [Command; count()] = {
    let mut table = [PARTS[0][0]; count()];
    let (mut part, mut at) = (0, 0);
    while part < PARTS.len() {
        let mut command = 0;
        while command < PARTS[part].len() {
            table[at] = PARTS[part][command];
            (command, at) = (command + 1, at + 1);
        }
        part += 1;
    }
    table
};

/// Every command, in the order in which the palette lists them without a query.
///
/// Chords that a terminal's program could want are ours only where this table says so. Control with
/// a letter alone is left to the programs, but for `Ctrl+N`, `Ctrl+J` and `Ctrl+K`: what one does all
/// day has to be short. Everything else takes Shift or Alt with it, which programs in terminals can
/// hardly see.
pub const ALL: &[Command] = &TABLE;

//! What a task's tick rests on, folded from the journal of its run.

use maestro_core::run::journal::{self, Entry};
use maestro_core::run::{Evidence, Run};

/// Turns and verifications that are given of one task: the latest.
const MOST: usize = 100;

/// The evidence of a task without its difference; `None` when the run has no such task.
pub(super) fn of(run: &Run, index: u32, entries: &[(u64, Entry)]) -> Option<Evidence> {
    let number = index as usize;
    let task = run.tasks.get(number)?.clone();
    let (mut turns, mut verified) = journal::made(entries, number);
    let _ = turns.drain(..turns.len().saturating_sub(MOST));
    let _ = verified.drain(..verified.len().saturating_sub(MOST));
    Some(Evidence {
        run: run.id,
        index,
        task,
        turns,
        verified,
        diff: None,
        diff_cut: false,
        built_on_by: Vec::new(),
    })
}

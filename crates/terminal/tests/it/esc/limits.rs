//! What the emulator does otherwise than its sources say, and what that is. A case here fails when the
//! emulator is mended: it moves to its subject then, and out of the list in
//! `tests/reference/vttest/REVIEW.md`.

use super::{Case, failure};

/// What the sources say.
const LIMITS: &[Case] = &[];

#[test]
fn known_limits_are_still_there() {
    let mended: Vec<&str> = LIMITS
        .iter()
        .filter(|case| failure(case, usize::MAX).is_none())
        .map(|case| case.what)
        .collect();
    assert!(mended.is_empty(), "no longer wrong: {mended:?}");
}

//! What the emulator does otherwise than its sources say, and what that is. A case here fails when the
//! emulator is mended: it moves to its subject then, and out of the list in
//! `tests/reference/vttest/REVIEW.md`.

use super::{Case, case, failure, moves};

/// What the sources say.
const LIMITS: &[Case] = &[
    case("SL moves everything left", "ECMA-48 8.3.121", "abcdef⎋[2 @", &["cdef"], (1, 7)),
    case("SR moves everything right", "ECMA-48 8.3.135", "abcdef⎋[2 A", &["  abcdef"], (1, 7)),
    case("DECIC inserts columns", "VT510 DECIC", "abcdef⎋[1;3H⎋[2'}", &["ab  cdef"], (1, 3)),
    case("DECDC deletes columns", "VT510 DECDC", "abcdef⎋[1;3H⎋[2'~", &["abef"], (1, 3)),
    case("DECBI at the left edge moves right", "VT510 DECBI", "abc⎋[1;1H⎋6", &[" abc"], (1, 1)),
    case("DECFI at the right edge moves left", "VT510 DECFI", "abc⎋[1;10H⎋9", &["bc"], (1, 10)),
    case("DECSLRM wraps", "VT510 DECSLRM", "⎋[?69h⎋[3;6s⎋[1;3Habcdef", &["  abcd", "  ef"], (2, 5)),
    case("DECSED leaves protected cells", "VT510 DECSED", "⎋[1\"qab⎋[0\"qcd⎋[?2J", &["ab"], (1, 5)),
    case("DECSEL leaves protected cells", "VT510 DECSEL", "⎋[1\"qab⎋[0\"qcd⎋[?2K", &["ab"], (1, 5)),
    moves("HPB moves left", "ECMA-48 8.3.58", "⎋[5;7H⎋[2j", (5, 5)),
    moves("VPB moves up", "ECMA-48 8.3.159", "⎋[5;7H⎋[2k", (3, 7)),
    case("the British set has a pound", "VT510 SCS", "⎋(A#", &["£"], (1, 2)),
    case(
        "EL erases the last cell while a wrap waits",
        "xterm",
        "abcdefghij⎋[K",
        &["abcdefghi"],
        (1, 10),
    ),
    moves("DECALN homes", "VT510 DECALN", "⎋[4;4H⎋#8", (1, 1)),
    moves("DECSC saves origin mode", "VT510 DECSC", "⎋[3;5r⎋[?6h⎋7⎋[?6l⎋8⎋[1;1H", (3, 1)),
];

#[test]
fn known_limits_are_still_there() {
    let mended: Vec<&str> = LIMITS
        .iter()
        .filter(|case| failure(case, usize::MAX).is_none())
        .map(|case| case.what)
        .collect();
    assert!(mended.is_empty(), "no longer wrong: {mended:?}");
}

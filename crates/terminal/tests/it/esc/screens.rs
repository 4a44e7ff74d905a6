//! The alternate screens, the saved cursor, and what is synchronized.

use super::{Case, asks, case, check, moves};

const SAVED: &[Case] = &[
    moves("DECSC and DECRC", "VT510 DECSC, DECRC", "⎋[3;4H⎋7⎋[6;6H⎋8", (3, 4)),
    moves("SCOSC and SCORC", "xterm ctlseqs SCOSC", "⎋[3;4H⎋[s⎋[6;6H⎋[u", (3, 4)),
    moves("DECRC without DECSC goes home", "VT510 DECRC", "⎋[3;4H⎋8", (1, 1)),
    moves("DECRC twice goes to the same place", "VT510 DECRC", "⎋[3;4H⎋7⎋8⎋[6;6H⎋8", (3, 4)),
    case(
        "the waiting wrap is saved, too",
        "VT510 DECSC: wrap flag",
        "abcdefghij⎋7⎋[3;3H⎋8k",
        &["abcdefghij", "k"],
        (2, 2),
    ),
];

const ALTERNATE: &[Case] = &[
    case("1049 shows an empty screen", "xterm ctlseqs 1049", "main⎋[?1049h", &[], (1, 5)),
    case(
        "1049 shows the main one again, with its cursor",
        "xterm ctlseqs 1049",
        "main⎋[?1049h⎋[4;4Halt⎋[?1049l",
        &["main"],
        (1, 5),
    ),
    case("1049 clears each time", "xterm ctlseqs 1049", "⎋[?1049halt⎋[?1049l⎋[?1049h", &[], (1, 1)),
    case(
        "1049 twice changes nothing",
        "xterm ctlseqs 1049",
        "main⎋[?1049halt⎋[?1049h⎋[?1049l",
        &["main"],
        (1, 5),
    ),
    case(
        "1049 reset on the main screen changes nothing",
        "xterm ctlseqs 1049",
        "main⎋[?1049l",
        &["main"],
        (1, 5),
    ),
    case("47 shows another screen", "xterm ctlseqs 47", "main⎋[?47h⎋[2Jx", &["    x"], (1, 6)),
    case(
        "47 reset shows the main one",
        "xterm ctlseqs 47",
        "main⎋[?47h⎋[2Jx⎋[?47l⎋[1;1H",
        &["main"],
        (1, 1),
    ),
    case(
        "1047 shows another screen",
        "xterm ctlseqs 1047",
        "main⎋[?1047h⎋[2Jx",
        &["    x"],
        (1, 6),
    ),
    case(
        "1047 reset shows the main one",
        "xterm ctlseqs 1047",
        "main⎋[?1047h⎋[2Jx⎋[?1047l⎋[1;1H",
        &["main"],
        (1, 1),
    ),
    moves(
        "each screen keeps its saved cursor in 47",
        "xterm ctlseqs 47, DECSC; vttest 11.8.7.3",
        "⎋[2;3H⎋7⎋[?47h⎋[4;5H⎋7⎋[6;6H⎋[?47l⎋8",
        (2, 3),
    ),
    moves(
        "and in 1047",
        "xterm ctlseqs 1047, DECSC; vttest 11.8.7.4",
        "⎋[2;3H⎋7⎋[?1047h⎋[4;5H⎋7⎋[6;6H⎋[?1047l⎋8",
        (2, 3),
    ),
    moves("1048 saves the cursor", "xterm ctlseqs 1048", "⎋[3;4H⎋[?1048h⎋[6;6H⎋[?1048l", (3, 4)),
];

const SYNCHRONIZED: &[Case] = &[
    case(
        "nothing shows before the end",
        "contour: synchronized output",
        "a⎋[?2026hbcd",
        &["a"],
        (1, 2),
    ),
    case(
        "everything shows at the end",
        "contour: synchronized output",
        "a⎋[?2026hbcd⎋[?2026le",
        &["abcde"],
        (1, 6),
    ),
    asks(
        "questions within are answered at the end",
        "contour: synchronized output",
        "⎋[?2026h⎋[5n⎋[?2026l",
        "⎋[0n",
    ),
];

#[test]
fn the_saved_cursor() {
    check(SAVED);
}

#[test]
fn alternate_screens() {
    check(ALTERNATE);
}

#[test]
fn synchronized_output() {
    check(SYNCHRONIZED);
}

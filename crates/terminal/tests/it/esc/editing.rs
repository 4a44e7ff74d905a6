//! Erasing, inserting, deleting, scrolling, repeating.

use maestro_core::screen::Color;

use super::{Case, case, check, printed};

const ERASING: &[Case] = &[
    case(
        "ED erases from the cursor on",
        "ECMA-48 8.3.39; VT510 ED",
        "1111\r\n2222\r\n3333⎋[2;3H⎋[J",
        &["1111", "22"],
        (2, 3),
    ),
    case(
        "ED 0 does the same",
        "ECMA-48 8.3.39",
        "1111\r\n2222\r\n3333⎋[2;3H⎋[0J",
        &["1111", "22"],
        (2, 3),
    ),
    case(
        "ED 1 erases up to the cursor",
        "ECMA-48 8.3.39",
        "1111\r\n2222\r\n3333⎋[3;2H⎋[1J",
        &["", "", "  33"],
        (3, 2),
    ),
    case(
        "ED 1 in the second row",
        "ECMA-48 8.3.39",
        "1111\r\n2222\r\n3333⎋[2;2H⎋[1J",
        &["", "  22", "3333"],
        (2, 2),
    ),
    case(
        "ED 1 in the first row",
        "ECMA-48 8.3.39",
        "1111\r\n2222⎋[1;2H⎋[1J",
        &["  11", "2222"],
        (1, 2),
    ),
    case(
        "ED 2 erases all and moves nothing",
        "ECMA-48 8.3.39",
        "1111\r\n2222⎋[2;3H⎋[2J",
        &[],
        (2, 3),
    ),
    case("ED 9 is none", "ECMA-48 8.3.39", "1111⎋[9J", &["1111"], (1, 5)),
    case(
        "EL erases from the cursor on",
        "ECMA-48 8.3.41; VT510 EL",
        "1234567⎋[1;4H⎋[K",
        &["123"],
        (1, 4),
    ),
    case(
        "EL 1 erases up to the cursor",
        "ECMA-48 8.3.41",
        "1234567⎋[1;4H⎋[1K",
        &["    567"],
        (1, 4),
    ),
    case("EL 2 erases the line", "ECMA-48 8.3.41", "x\r\n1234567⎋[2;4H⎋[2K", &["x"], (2, 4)),
    case(
        "EL goes no further than its row",
        "VT510 EL",
        "abcdefghijklm⎋[1;5H⎋[K",
        &["abcd", "klm"],
        (1, 5),
    ),
    case("ECH erases some", "ECMA-48 8.3.38; VT510 ECH", "1234567⎋[1;3H⎋[3X", &["12   67"], (1, 3)),
    case(
        "ECH without a number erases one",
        "ECMA-48 8.3.38",
        "1234567⎋[1;3H⎋[X",
        &["12 4567"],
        (1, 3),
    ),
    case("ECH 0 erases one", "VT510 ECH", "1234567⎋[1;3H⎋[0X", &["12 4567"], (1, 3)),
    case(
        "ECH stops at the right edge",
        "VT510 ECH",
        "abcdefghijk⎋[1;9H⎋[99X",
        &["abcdefgh", "k"],
        (1, 9),
    ),
    case(
        "DECALN fills the screen",
        "VT510 DECALN",
        "⎋#8",
        &["EEEEEEEEEE", "EEEEEEEEEE", "EEEEEEEEEE", "EEEEEEEEEE", "EEEEEEEEEE", "EEEEEEEEEE"],
        (1, 1),
    ),
];

const INSERTING: &[Case] = &[
    case(
        "ICH inserts blanks",
        "ECMA-48 8.3.64; VT510 ICH",
        "1234567⎋[1;3H⎋[2@",
        &["12  34567"],
        (1, 3),
    ),
    case(
        "ICH without a number inserts one",
        "ECMA-48 8.3.64",
        "1234567⎋[1;3H⎋[@",
        &["12 34567"],
        (1, 3),
    ),
    case(
        "ICH loses what goes beyond the edge",
        "VT510 ICH",
        "abcdefghij⎋[1;9H⎋[5@",
        &["abcdefgh"],
        (1, 9),
    ),
    case("DCH deletes some", "ECMA-48 8.3.26; VT510 DCH", "1234567⎋[1;3H⎋[2P", &["12567"], (1, 3)),
    case(
        "DCH without a number deletes one",
        "ECMA-48 8.3.26",
        "1234567⎋[1;3H⎋[P",
        &["124567"],
        (1, 3),
    ),
    case(
        "DCH deletes no more than there is",
        "VT510 DCH",
        "abcdefghijk⎋[1;3H⎋[99P",
        &["ab", "k"],
        (1, 3),
    ),
    case(
        "IL inserts lines",
        "ECMA-48 8.3.67; VT510 IL",
        "1\r\n2\r\n3⎋[2;1H⎋[2L",
        &["1", "", "", "2", "3"],
        (2, 1),
    ),
    case(
        "IL loses what goes beyond the bottom",
        "VT510 IL",
        "1\r\n2\r\n3\r\n4\r\n5\r\n6⎋[2;1H⎋[4L",
        &["1", "", "", "", "", "2"],
        (2, 1),
    ),
    case("IL more than there are", "VT510 IL", "1\r\n2\r\n3⎋[2;1H⎋[99L", &["1"], (2, 1)),
    case(
        "DL deletes lines",
        "ECMA-48 8.3.32; VT510 DL",
        "1\r\n2\r\n3\r\n4⎋[2;1H⎋[2M",
        &["1", "4"],
        (2, 1),
    ),
    case("DL more than there are", "VT510 DL", "1\r\n2\r\n3⎋[2;1H⎋[99M", &["1"], (2, 1)),
    case("SU scrolls up", "ECMA-48 8.3.147; VT510 SU", "1\r\n2\r\n3⎋[2;2H⎋[S", &["2", "3"], (2, 2)),
    case("SU by more than there is", "VT510 SU", "1\r\n2\r\n3⎋[99S", &[], (3, 2)),
    case(
        "SD scrolls down",
        "ECMA-48 8.3.113; VT510 SD",
        "1\r\n2\r\n3⎋[2;2H⎋[2T",
        &["", "", "1", "2", "3"],
        (2, 2),
    ),
    case("SD by more than there is", "VT510 SD", "1\r\n2\r\n3⎋[99T", &[], (3, 2)),
    case("IRM inserts", "ECMA-48 7.2.10; VT510 IRM", "1234⎋[1;2H⎋[4hab", &["1ab234"], (1, 4)),
    case(
        "IRM loses what goes beyond the edge",
        "VT510 IRM",
        "abcdefghij⎋[1;2H⎋[4hX",
        &["aXbcdefghi"],
        (1, 3),
    ),
    case("IRM reset replaces", "ECMA-48 7.2.10", "1234⎋[1;2H⎋[4h⎋[4lab", &["1ab4"], (1, 4)),
    case(
        "IRM with a wide character",
        "ECMA-48 7.2.10; xterm",
        "1234⎋[1;2H⎋[4h好",
        &["1好234"],
        (1, 4),
    ),
    case("REP repeats the last character", "ECMA-48 8.3.103", "ab⎋[3b", &["abbbb"], (1, 6)),
    case("REP without a number repeats once", "ECMA-48 8.3.103", "ab⎋[b", &["abb"], (1, 4)),
    case("REP wraps", "ECMA-48 8.3.103; xterm", "abcdefgh⎋[4b", &["abcdefghhh", "hh"], (2, 3)),
    case("REP of a wide character", "xterm", "好⎋[2b", &["好好好"], (1, 7)),
    case("REP without anything before does nothing", "ECMA-48 8.3.103", "⎋[3b", &[], (1, 1)),
    case(
        "DCH of half a wide character",
        "xterm: the other half is erased",
        "好ab⎋[1;2H⎋[P",
        &[" ab"],
        (1, 2),
    ),
    case(
        "ECH of half a wide character",
        "xterm: the other half is erased",
        "好ab⎋[1;1H⎋[X",
        &["  ab"],
        (1, 1),
    ),
];

#[test]
fn erasing() {
    check(ERASING);
}

#[test]
fn inserting_and_deleting() {
    check(INSERTING);
}

/// Erased cells have the background that is set: xterm ctlseqs "back color erase", terminfo `bce`.
#[test]
fn erasing_colours() {
    let background = |output: &str, row: usize, col: usize| {
        let (mut terminal, _) = printed(output, usize::MAX);
        terminal.screen(false).rows[row].cells.get(col).map_or(Color::DEFAULT, |cell| cell.bg)
    };
    let blue = Color::indexed(4);
    for (what, output, row, col) in [
        ("ED", "⎋[44m⎋[2J", 3, 3),
        ("ED 0", "⎋[44m⎋[J", 5, 9),
        ("EL", "⎋[44m⎋[K", 0, 9),
        ("EL 2", "⎋[44m⎋[2K", 0, 0),
        ("ECH", "abc⎋[44m⎋[1;2H⎋[X", 0, 1),
        ("ICH", "abc⎋[44m⎋[1;2H⎋[@", 0, 1),
        ("DCH", "abc⎋[44m⎋[1;2H⎋[P", 0, 9),
        ("IL", "a⎋[44m⎋[L", 0, 5),
        ("DL", "a⎋[44m⎋[M", 5, 5),
        ("SU", "a⎋[44m⎋[S", 5, 5),
        ("SD", "a⎋[44m⎋[T", 0, 5),
        ("LF at the bottom", "⎋[6;1H⎋[44m\n", 5, 5),
        ("RI at the top", "⎋[44m⎋M", 0, 5),
    ] {
        assert_eq!(background(output, row, col), blue, "{what}");
    }
    // Reverse is no colour: cells stay as they were.
    assert_eq!(background("⎋[7m⎋[2J", 0, 0), Color::DEFAULT);
}

//! Where the cursor goes: alone, with margins, by tabulators.

use super::{Case, case, check, moves};

const CURSOR: &[Case] = &[
    moves("CUU moves up", "ECMA-48 8.3.22", "⎋[4;3H⎋[2A", (2, 3)),
    moves("CUU without a number moves by one", "ECMA-48 8.3.22", "⎋[4;3H⎋[A", (3, 3)),
    moves("CUU 0 moves by one", "VT510 CUU; ECMA-48 annex F.4.2 (ZDM)", "⎋[4;3H⎋[0A", (3, 3)),
    moves("CUU stops at the top", "VT510 CUU", "⎋[4;3H⎋[99A", (1, 3)),
    moves("CUD moves down", "ECMA-48 8.3.19", "⎋[2;3H⎋[2B", (4, 3)),
    moves("CUD without a number moves by one", "ECMA-48 8.3.19", "⎋[2;3H⎋[B", (3, 3)),
    moves("CUD stops at the bottom and scrolls nothing", "VT510 CUD", "⎋[2;3H⎋[99B", (6, 3)),
    moves("CUF moves right", "ECMA-48 8.3.20", "⎋[2;3H⎋[4C", (2, 7)),
    moves("CUF 0 moves by one", "VT510 CUF", "⎋[2;3H⎋[0C", (2, 4)),
    moves("CUF stops at the right edge", "VT510 CUF", "⎋[2;3H⎋[99C", (2, 10)),
    moves("CUB moves left", "ECMA-48 8.3.18", "⎋[2;8H⎋[4D", (2, 4)),
    moves("CUB 0 moves by one", "VT510 CUB", "⎋[2;8H⎋[0D", (2, 7)),
    moves("CUB stops at the left edge", "VT510 CUB", "⎋[2;8H⎋[99D", (2, 1)),
    moves("CUP takes row and column", "ECMA-48 8.3.21", "⎋[5;7H", (5, 7)),
    moves("CUP without numbers goes home", "ECMA-48 8.3.21", "⎋[5;7H⎋[H", (1, 1)),
    moves("CUP with only a row", "ECMA-48 8.3.21", "⎋[5H", (5, 1)),
    moves("CUP with only a column", "ECMA-48 8.3.21", "⎋[;5H", (1, 5)),
    moves("CUP 0;0 goes home", "VT510 CUP", "⎋[5;5H⎋[0;0H", (1, 1)),
    moves("CUP beyond the screen stops in its corner", "VT510 CUP", "⎋[99;99H", (6, 10)),
    moves("CUP with numbers beyond 16 bits", "xterm ctlseqs CUP", "⎋[99999;99999H", (6, 10)),
    moves("HVP does as CUP", "ECMA-48 8.3.63; VT510 HVP", "⎋[5;7f", (5, 7)),
    moves("HVP without numbers goes home", "ECMA-48 8.3.63", "⎋[5;7H⎋[f", (1, 1)),
    moves("CHA goes to a column", "ECMA-48 8.3.9", "⎋[3;3H⎋[7G", (3, 7)),
    moves("CHA without a number goes to the first", "ECMA-48 8.3.9", "⎋[3;3H⎋[G", (3, 1)),
    moves("CHA stops at the right edge", "VT510 CHA", "⎋[3;3H⎋[99G", (3, 10)),
    moves("HPA goes to a column", "ECMA-48 8.3.57", "⎋[3;3H⎋[7`", (3, 7)),
    moves("VPA goes to a row", "ECMA-48 8.3.158", "⎋[3;3H⎋[5d", (5, 3)),
    moves("VPA without a number goes to the first", "ECMA-48 8.3.158", "⎋[3;3H⎋[d", (1, 3)),
    moves("VPA stops at the bottom", "VT510 VPA", "⎋[3;3H⎋[99d", (6, 3)),
    moves("HPR moves right", "ECMA-48 8.3.59", "⎋[3;3H⎋[2a", (3, 5)),
    moves("HPR stops at the right edge", "VT510 HPR", "⎋[3;3H⎋[99a", (3, 10)),
    moves("VPR moves down", "ECMA-48 8.3.160", "⎋[3;3H⎋[2e", (5, 3)),
    moves("VPR stops at the bottom", "VT510 VPR", "⎋[3;3H⎋[99e", (6, 3)),
    moves("CNL goes to the first column below", "ECMA-48 8.3.12", "⎋[2;5H⎋[2E", (4, 1)),
    moves("CNL stops at the bottom", "VT510 CNL", "⎋[2;5H⎋[99E", (6, 1)),
    moves("CPL goes to the first column above", "ECMA-48 8.3.13", "⎋[5;5H⎋[2F", (3, 1)),
    moves("CPL stops at the top", "VT510 CPL", "⎋[5;5H⎋[99F", (1, 1)),
    moves("BS moves left", "ECMA-48 8.3.5", "abc\x08", (1, 3)),
    moves("BS stops at the left edge", "VT510 BS", "a\x08\x08\x08", (1, 1)),
    moves("CR goes to the first column", "ECMA-48 8.3.15", "abc\r", (1, 1)),
    moves("LF keeps the column", "ECMA-48 8.3.74; VT510 LNM reset", "abc\n", (2, 4)),
    moves("VT does as LF", "VT510 VT", "abc\x0b", (2, 4)),
    moves("FF does as LF", "VT510 FF", "abc\x0c", (2, 4)),
    moves("IND keeps the column", "VT510 IND", "abc⎋D", (2, 4)),
    moves("NEL goes to the first column", "ECMA-48 8.3.86", "abc⎋E", (2, 1)),
    moves("RI moves up", "ECMA-48 8.3.104; VT510 RI", "⎋[3;4H⎋M", (2, 4)),
    case(
        "LF at the bottom scrolls",
        "VT510 LF",
        "1\r\n2\r\n3\r\n4\r\n5\r\n6\n7",
        &["2", "3", "4", "5", "6", " 7"],
        (6, 3),
    ),
    case(
        "RI at the top scrolls back",
        "VT510 RI",
        "1\r\n2\r\n3\r\n4\r\n5\r\n6⎋[1;4H⎋Mx",
        &["   x", "1", "2", "3", "4", "5"],
        (1, 5),
    ),
    case(
        "C0 within a sequence is executed",
        "DEC STD 070 3.5.4.5; ECMA-35",
        "ab⎋[\x082C*",
        &["ab *"],
        (1, 5),
    ),
    case("CAN ends a sequence", "VT510 CAN; ECMA-48 8.3.6", "ab⎋[2\x18*", &["ab*"], (1, 4)),
    case("ESC within a sequence begins anew", "DEC STD 070", "ab⎋[2⎋[1D*", &["a*"], (1, 3)),
    moves("leading zeros mean nothing", "ECMA-48 5.4.1; vttest 1", "⎋[00000003;0000004H", (3, 4)),
];

const MARGINS: &[Case] = &[
    moves("DECSTBM homes the cursor", "VT510 DECSTBM", "⎋[4;4H⎋[2;5r", (1, 1)),
    moves(
        "DECSTBM with one line is ignored",
        "VT510 DECSTBM: top < bottom",
        "⎋[4;4H⎋[3;3r",
        (4, 4),
    ),
    moves("DECSTBM upside down is ignored", "VT510 DECSTBM: top < bottom", "⎋[4;4H⎋[5;2r", (4, 4)),
    case(
        "LF at the bottom margin scrolls the region",
        "VT510 DECSTBM",
        "1\r\n2\r\n3\r\n4\r\n5\r\n6⎋[2;4r⎋[4;1H\nx",
        &["1", "3", "4", "x", "5", "6"],
        (4, 2),
    ),
    case(
        "LF below the region stops at the bottom",
        "VT510 LF",
        "1\r\n2\r\n3\r\n4\r\n5\r\n6⎋[2;4r⎋[6;3H\nx",
        &["1", "2", "3", "4", "5", "6 x"],
        (6, 4),
    ),
    case(
        "RI at the top margin scrolls the region",
        "VT510 RI",
        "1\r\n2\r\n3\r\n4\r\n5\r\n6⎋[2;4r⎋[2;1H⎋Mx",
        &["1", "x", "2", "3", "5", "6"],
        (2, 2),
    ),
    case(
        "RI above the region stops at the top",
        "VT510 RI",
        "1\r\n2⎋[2;4r⎋[1;3H⎋Mx",
        &["1 x", "2"],
        (1, 4),
    ),
    case(
        "wrapping at the bottom margin scrolls the region",
        "VT510 DECAWM, DECSTBM",
        "1\r\n2\r\n3\r\n4\r\n5\r\n6⎋[2;4r⎋[4;1Habcdefghijk",
        &["1", "3", "abcdefghij", "k", "5", "6"],
        (4, 2),
    ),
    case(
        "SU scrolls the region only",
        "ECMA-48 8.3.147; VT510 SU",
        "1\r\n2\r\n3\r\n4\r\n5\r\n6⎋[2;4r⎋[S",
        &["1", "3", "4", "", "5", "6"],
        (1, 1),
    ),
    case(
        "SD scrolls the region only",
        "ECMA-48 8.3.113; VT510 SD",
        "1\r\n2\r\n3\r\n4\r\n5\r\n6⎋[2;4r⎋[T",
        &["1", "", "2", "3", "5", "6"],
        (1, 1),
    ),
    case(
        "IL moves lines up to the bottom margin",
        "ECMA-48 8.3.67; VT510 IL",
        "1\r\n2\r\n3\r\n4\r\n5\r\n6⎋[2;4r⎋[3;1H⎋[L",
        &["1", "2", "", "3", "5", "6"],
        (3, 1),
    ),
    case(
        "DL fills up from the bottom margin",
        "ECMA-48 8.3.32; VT510 DL",
        "1\r\n2\r\n3\r\n4\r\n5\r\n6⎋[2;4r⎋[2;1H⎋[M",
        &["1", "3", "4", "", "5", "6"],
        (2, 1),
    ),
    case(
        "IL outside the region does nothing",
        "VT510 IL",
        "1\r\n2\r\n3\r\n4\r\n5\r\n6⎋[2;4r⎋[6;1H⎋[L",
        &["1", "2", "3", "4", "5", "6"],
        (6, 1),
    ),
    case(
        "DL outside the region does nothing",
        "VT510 DL",
        "1\r\n2\r\n3\r\n4\r\n5\r\n6⎋[2;4r⎋[1;1H⎋[M",
        &["1", "2", "3", "4", "5", "6"],
        (1, 1),
    ),
    case(
        "ED does not care for margins",
        "VT510 ED",
        "1\r\n2\r\n3\r\n4\r\n5\r\n6⎋[2;4r⎋[1;1H⎋[J",
        &[],
        (1, 1),
    ),
    moves("CUU stops at the top margin", "VT510 CUU", "⎋[3;5r⎋[4;2H⎋[9A", (3, 2)),
    moves("CUU above the region stops at the top", "VT510 CUU", "⎋[3;5r⎋[2;2H⎋[9A", (1, 2)),
    moves("CUD stops at the bottom margin", "VT510 CUD", "⎋[2;4r⎋[3;2H⎋[9B", (4, 2)),
    moves("CUD below the region stops at the bottom", "VT510 CUD", "⎋[2;4r⎋[5;2H⎋[9B", (6, 2)),
    moves(
        "VPR stops at the bottom",
        "VT510 VPR: not limited by margins",
        "⎋[2;4r⎋[5;2H⎋[9e",
        (6, 2),
    ),
];

const ORIGIN: &[Case] = &[
    moves("DECOM set homes to the region", "VT510 DECOM", "⎋[3;5r⎋[6;6H⎋[?6h", (3, 1)),
    moves("DECOM reset homes to the screen", "VT510 DECOM", "⎋[3;5r⎋[?6h⎋[2;2H⎋[?6l", (1, 1)),
    moves("CUP counts from the top margin", "VT510 DECOM", "⎋[3;5r⎋[?6h⎋[2;4H", (4, 4)),
    moves("CUP does not leave the region", "VT510 DECOM", "⎋[3;5r⎋[?6h⎋[9;4H", (5, 4)),
    moves("HVP counts from the top margin", "VT510 DECOM", "⎋[3;5r⎋[?6h⎋[2;4f", (4, 4)),
    moves("VPA counts from the top margin", "VT510 DECOM, VPA", "⎋[3;5r⎋[?6h⎋[2d", (4, 1)),
    moves("CUU moves up in the region", "VT510 DECOM, CUU", "⎋[3;5r⎋[?6h⎋[3;4H⎋[A", (4, 4)),
    moves("CUU does not leave the region", "VT510 DECOM, CUU", "⎋[3;5r⎋[?6h⎋[3;4H⎋[9A", (3, 4)),
    moves("CUD moves down in the region", "VT510 DECOM, CUD", "⎋[3;5r⎋[?6h⎋[1;4H⎋[B", (4, 4)),
    moves("CUD does not leave the region", "VT510 DECOM, CUD", "⎋[3;5r⎋[?6h⎋[1;4H⎋[9B", (5, 4)),
    moves("CHA keeps the row", "VT510 DECOM, CHA", "⎋[3;5r⎋[?6h⎋[2;4H⎋[7G", (4, 7)),
    moves("CNL moves down in the region", "VT510 DECOM, CNL", "⎋[3;5r⎋[?6h⎋[1;4H⎋[E", (4, 1)),
    moves("CPL moves up in the region", "VT510 DECOM, CPL", "⎋[3;5r⎋[?6h⎋[3;4H⎋[F", (4, 1)),
    moves("DECSTBM homes to the region", "VT510 DECSTBM, DECOM", "⎋[?6h⎋[3;5r", (3, 1)),
];

const TABS: &[Case] = &[
    moves("HT goes to the next of every eight", "ECMA-48 8.3.60; VT510 HT", "a\t", (1, 9)),
    moves("HT stops at the right edge", "VT510 HT", "\t\t\t", (1, 10)),
    case("HT erases nothing", "VT510 HT", "abcdefghij\r\t*", &["abcdefgh*j"], (1, 10)),
    moves("HTS sets one", "ECMA-48 8.3.62; VT510 HTS", "⎋[1;4H⎋H\r\t", (1, 4)),
    moves("TBC 0 clears the one here", "ECMA-48 8.3.154; VT510 TBC", "⎋[1;9H⎋[g\r\t", (1, 10)),
    moves("TBC 3 clears all", "ECMA-48 8.3.154; VT510 TBC", "⎋[1;4H⎋H⎋[3g\r\t", (1, 10)),
    moves("CHT goes on by some", "ECMA-48 8.3.10", "⎋[1;3H⎋H⎋[1;5H⎋H\r⎋[2I", (1, 5)),
    moves("CHT without a number goes on by one", "ECMA-48 8.3.10", "⎋[I", (1, 9)),
    moves("CBT goes back", "ECMA-48 8.3.7", "⎋[1;10H⎋[Z", (1, 9)),
    moves("CBT goes back by some", "ECMA-48 8.3.7", "⎋[1;3H⎋H⎋[1;10H⎋[2Z", (1, 3)),
    moves("CBT stops at the left edge", "VT510 CBT", "⎋[1;10H⎋[9Z", (1, 1)),
    moves("DECST8C sets every eighth again", "VT510 DECST8C", "⎋[3g⎋[?5W\t", (1, 9)),
];

const WRAP: &[Case] = &[
    case(
        "the last column waits to wrap",
        "VT510 DECAWM; DEC STD 070 last column flag",
        "abcdefghij",
        &["abcdefghij"],
        (1, 10),
    ),
    case("the next character wraps", "VT510 DECAWM", "abcdefghijk", &["abcdefghij", "k"], (2, 2)),
    case(
        "CR forgets the wrap",
        "DEC STD 070 last column flag",
        "abcdefghij\rX",
        &["Xbcdefghij"],
        (1, 2),
    ),
    case(
        "BS forgets the wrap",
        "DEC STD 070 last column flag",
        "abcdefghij\x08X",
        &["abcdefghXj"],
        (1, 10),
    ),
    case(
        "CUB forgets the wrap",
        "DEC STD 070 last column flag",
        "abcdefghij⎋[DX",
        &["abcdefghXj"],
        (1, 10),
    ),
    case(
        "CUP forgets the wrap",
        "DEC STD 070 last column flag",
        "abcdefghij⎋[1;10HX",
        &["abcdefghiX"],
        (1, 10),
    ),
    case(
        "without DECAWM the last column is overwritten",
        "VT510 DECAWM",
        "⎋[?7labcdefghijkl",
        &["abcdefghil"],
        (1, 10),
    ),
    case(
        "DECAWM again wraps",
        "VT510 DECAWM",
        "⎋[?7l⎋[?7habcdefghijk",
        &["abcdefghij", "k"],
        (2, 2),
    ),
    case(
        "a wide character that does not fit wraps whole",
        "xterm; Unicode UAX 11",
        "abcdefghi好",
        &["abcdefghi", "好"],
        (2, 3),
    ),
    case(
        "half a wide character is none",
        "xterm: the other half is erased",
        "好x⎋[1;1Ha",
        &["a x"],
        (1, 2),
    ),
    case("its second half, too", "xterm: the other half is erased", "好x⎋[1;2Ha", &[" ax"], (1, 3)),
];

#[test]
fn the_cursor_moves() {
    check(CURSOR);
}

#[test]
fn margins() {
    check(MARGINS);
}

#[test]
fn origin_mode() {
    check(ORIGIN);
}

#[test]
fn tabulators() {
    check(TABS);
}

#[test]
fn wrapping() {
    check(WRAP);
}

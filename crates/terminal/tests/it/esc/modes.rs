//! Modes: set, reset, asked for; and what takes all of them back.

use maestro_core::screen::Modes;

use super::{Case, asks, case, check, moves, printed};

const MODES: &[Case] = &[
    moves("LNM makes LF a new line", "VT510 LNM; ECMA-48 (4th edition) 7.2.", "⎋[20habc\n", (2, 1)),
    moves("LNM reset", "VT510 LNM", "⎋[20h⎋[20labc\n", (2, 4)),
    case(
        "several modes at once",
        "ECMA-48 8.3.125",
        "⎋[?7;25h⎋[?7;66labcdefghijk",
        &["abcdefghik"],
        (1, 10),
    ),
    moves("a mode nobody knows changes nothing", "ECMA-48 8.3.125", "ab⎋[?4711h⎋[4711h", (1, 3)),
];

const ASKED: &[Case] = &[
    asks("DECRQM of DECAWM", "VT510 DECRQM", "⎋[?7$p", "⎋[?7;1$y"),
    asks("DECRQM of DECAWM reset", "VT510 DECRQM", "⎋[?7l⎋[?7$p", "⎋[?7;2$y"),
    asks("DECRQM of DECTCEM", "VT510 DECRQM", "⎋[?25$p⎋[?25l⎋[?25$p", "⎋[?25;1$y⎋[?25;2$y"),
    asks("DECRQM of DECOM", "VT510 DECRQM", "⎋[?6$p⎋[?6h⎋[?6$p", "⎋[?6;2$y⎋[?6;1$y"),
    asks("DECRQM of DECCKM", "VT510 DECRQM", "⎋[?1$p⎋[?1h⎋[?1$p", "⎋[?1;2$y⎋[?1;1$y"),
    asks("DECRQM of IRM", "VT510 DECRQM", "⎋[4$p⎋[4h⎋[4$p", "⎋[4;2$y⎋[4;1$y"),
    asks("DECRQM of LNM", "VT510 DECRQM", "⎋[20$p⎋[20h⎋[20$p", "⎋[20;2$y⎋[20;1$y"),
    asks(
        "DECRQM of the mouse",
        "xterm ctlseqs 1000",
        "⎋[?1000$p⎋[?1000h⎋[?1000$p",
        "⎋[?1000;2$y⎋[?1000;1$y",
    ),
    asks("DECRQM of dragging", "xterm ctlseqs 1002", "⎋[?1002h⎋[?1002$p", "⎋[?1002;1$y"),
    asks("DECRQM of motion", "xterm ctlseqs 1003", "⎋[?1003h⎋[?1003$p", "⎋[?1003;1$y"),
    asks(
        "DECRQM of focus",
        "xterm ctlseqs 1004",
        "⎋[?1004$p⎋[?1004h⎋[?1004$p",
        "⎋[?1004;2$y⎋[?1004;1$y",
    ),
    asks("DECRQM of SGR reports", "xterm ctlseqs 1006", "⎋[?1006h⎋[?1006$p", "⎋[?1006;1$y"),
    asks("DECRQM of alternate scroll", "xterm ctlseqs 1007", "⎋[?1007l⎋[?1007$p", "⎋[?1007;2$y"),
    asks(
        "DECRQM of the alternate screen",
        "xterm ctlseqs 1049",
        "⎋[?1049$p⎋[?1049h⎋[?1049$p",
        "⎋[?1049;2$y⎋[?1049;1$y",
    ),
    asks(
        "DECRQM of bracketed paste",
        "xterm ctlseqs 2004",
        "⎋[?2004$p⎋[?2004h⎋[?2004$p",
        "⎋[?2004;2$y⎋[?2004;1$y",
    ),
    asks(
        "DECRQM of synchronized output",
        "contour: synchronized output",
        "⎋[?2026$p",
        "⎋[?2026;2$y",
    ),
    asks(
        "DECRQM of colour scheme updates",
        "contour: dark and light mode",
        "⎋[?2031$p⎋[?2031h⎋[?2031$p",
        "⎋[?2031;2$y⎋[?2031;1$y",
    ),
    asks(
        "DECRQM of a mode nobody knows",
        "VT510 DECRPM: 0, not recognised",
        "⎋[?4711$p⎋[4711$p",
        "⎋[?4711;0$y⎋[4711;0$y",
    ),
];

const RESETS: &[Case] = &[
    case("RIS clears and homes", "ECMA-48 8.3.105; VT510 RIS", "abc\r\ndef⎋c", &[], (1, 1)),
    case(
        "RIS takes margins back",
        "VT510 RIS",
        "⎋[2;3r⎋c⎋[6;1Ha\nb",
        &["", "", "", "", "a", " b"],
        (6, 3),
    ),
    moves("RIS takes DECOM back", "VT510 RIS", "⎋[3;5r⎋[?6h⎋c⎋[2;2H", (2, 2)),
    case("RIS takes IRM back", "VT510 RIS", "⎋[4h⎋cab\rc", &["cb"], (1, 2)),
    moves("RIS sets tabulators", "VT510 RIS", "⎋[3g⎋c\t", (1, 9)),
    case("RIS takes sets back", "VT510 RIS", "⎋(0⎋cq", &["q"], (1, 2)),
    case("RIS leaves the alternate screen", "xterm ctlseqs RIS", "main⎋[?1049h⎋cx", &["x"], (1, 2)),
    asks("RIS takes DECCKM back", "VT510 RIS", "⎋[?1h⎋c⎋[?1$p", "⎋[?1;2$y"),
    asks(
        "RIS takes the mouse back",
        "xterm ctlseqs RIS",
        "⎋[?1003;1006h⎋c⎋[?1003;1006$p⎋[?1006$p",
        "⎋[?1003;2$y⎋[?1006;2$y",
    ),
    asks("RIS takes the kitty keyboard back", "kitty keyboard protocol", "⎋[>31u⎋c⎋[?u", "⎋[?0u"),
    case("DECSTR keeps what is shown", "VT510 DECSTR", "abc⎋[!p", &["abc"], (1, 4)),
    case(
        "DECSTR takes margins back",
        "VT510 DECSTR",
        "⎋[2;3r⎋[!p⎋[6;1Ha\nb",
        &["", "", "", "", "a", " b"],
        (6, 3),
    ),
    moves("DECSTR takes DECOM back", "VT510 DECSTR", "⎋[3;5r⎋[?6h⎋[!p⎋[2;2H", (2, 2)),
    case("DECSTR takes IRM back", "VT510 DECSTR", "⎋[4h⎋[!pab\rc", &["cb"], (1, 2)),
    asks("DECSTR shows the cursor", "VT510 DECSTR", "⎋[?25l⎋[!p⎋[?25$p", "⎋[?25;1$y"),
    asks("DECSTR takes DECCKM back", "VT510 DECSTR", "⎋[?1h⎋[!p⎋[?1$p", "⎋[?1;2$y"),
    case("DECSTR takes sets back", "VT510 DECSTR", "⎋(0⎋[!pq", &["q"], (1, 2)),
    moves("DECSTR forgets the saved cursor", "VT510 DECSTR", "⎋[3;3H⎋7⎋[!p⎋[5;5H⎋8", (1, 1)),
];

#[test]
fn modes() {
    check(MODES);
}

#[test]
fn modes_are_told() {
    check(ASKED);
}

#[test]
fn resets() {
    check(RESETS);
}

/// A program that sets everything there is and dies; whoever owns the terminal takes it back.
#[test]
fn a_child_that_sets_every_mode_and_dies() {
    let mut output = String::from("shown⎋7⎋=⎋(0⎋[4h⎋[20h⎋[2;4r⎋[1;3;4;7;8;9;31;44m⎋[5 q⎋[>31u");
    for mode in (0..=100).chain(1000..=1100).chain(2000..=2100) {
        // Not the one that holds everything back until it is over.
        if mode != 2026 {
            output.push_str(&format!("⎋[?{mode}h⎋[{mode}h"));
        }
    }
    output.push_str("⎋[>31u⎋[?25l⎋[?1049h⎋[?2026hdying\u{1b}]8;;http://x\x07");
    let (mut terminal, mut out) = printed(&output, usize::MAX);
    out.clear();
    terminal.reset_modes(&mut out);
    terminal.advance("\r\n$ ".as_bytes(), &mut out);
    assert_eq!(terminal.modes(), Modes::default());
    let screen = terminal.screen(false);
    assert!(screen.cursor.is_some(), "the cursor is shown");
    // Plain text goes to the left, in plain letters, and Enter is what it was.
    terminal.advance(b"\r\nqx\r\n", &mut out);
    let screen = terminal.screen(false);
    let row = screen.rows.iter().find(|row| row.text().starts_with("qx")).expect("plain text");
    assert_eq!((row.cells[0].flags, row.cells[0].extra), (0, 0));
    assert_eq!(row.cells[0].fg, maestro_core::screen::Color::DEFAULT);
    out.clear();
    for mode in
        ["?1", "?6", "?1000", "?1003", "?1006", "?1049", "?2004", "?2026", "?2031", "4", "20"]
    {
        terminal.advance(format!("\x1b[{mode}$p").as_bytes(), &mut out);
    }
    let answers = String::from_utf8(out.replies).expect("text");
    assert_eq!(answers.matches(";2$y").count(), 11, "{answers:?}");
}

//! What a program is answered when it asks. Nothing of what it printed is ever in an answer.

use maestro_core::screen::Size;
use maestro_terminal::{Options, Outbox, Terminal};

use super::{Case, asks, check, escaped};

const REPORTS: &[Case] = &[
    asks("DSR 5: fine", "ECMA-48 8.3.35; VT510 DSR", "⎋[5n", "⎋[0n"),
    asks("DSR 6: CPR", "ECMA-48 8.3.14, 8.3.35", "⎋[3;4H⎋[6n", "⎋[3;4R"),
    asks("CPR at the edge", "ECMA-48 8.3.14", "⎋[99;99H⎋[6n", "⎋[6;10R"),
    asks("CPR while a wrap waits", "xterm", "abcdefghij⎋[6n", "⎋[1;10R"),
    asks(
        "CPR counts from the top margin in origin mode",
        "VT510 CPR, DECOM",
        "⎋[3;5r⎋[?6h⎋[2;4H⎋[6n",
        "⎋[2;4R",
    ),
    asks("DECXCPR", "VT510 DECXCPR", "⎋[3;4H⎋[?6n", "⎋[?3;4;1R"),
    asks("DA3: the unit id", "VT510 DA3, DECRPTUI", "⎋[=c", "⎋P!|00000000⎋\\"),
    asks("kitty keyboard flags", "kitty keyboard protocol", "⎋[>5u⎋[?u", "⎋[?5u"),
    asks(
        "kitty keyboard flags set in place",
        "kitty keyboard protocol",
        "⎋[>1u⎋[=8;2u⎋[?u",
        "⎋[?9u",
    ),
    asks("kitty keyboard flags taken away", "kitty keyboard protocol", "⎋[>3u⎋[=1;3u⎋[?u", "⎋[?2u"),
    asks(
        "kitty keyboard stacks are two",
        "kitty keyboard protocol: one for each screen",
        "⎋[>1u⎋[?1049h⎋[?u⎋[?1049l⎋[?u",
        "⎋[?0u⎋[?1u",
    ),
    asks(
        "colour of the palette",
        "xterm ctlseqs OSC 4",
        "⎋]4;1;?\x07",
        "⎋]4;1;rgb:cccc/4444/4444\x07",
    ),
    asks(
        "colour that was set",
        "xterm ctlseqs OSC 4",
        "⎋]4;1;#102030⎋\\⎋]4;1;?⎋\\",
        "⎋]4;1;rgb:1010/2020/3030⎋\\",
    ),
    asks("foreground", "xterm ctlseqs OSC 10", "⎋]10;?\x07", "⎋]10;rgb:d8d8/d8d8/d8d8\x07"),
    asks("background", "xterm ctlseqs OSC 11", "⎋]11;?\x07", "⎋]11;rgb:1818/1818/1818\x07"),
    asks("cursor", "xterm ctlseqs OSC 12", "⎋]12;?\x07", "⎋]12;rgb:d8d8/d8d8/d8d8\x07"),
    asks(
        "colour taken back",
        "xterm ctlseqs OSC 104, 111",
        "⎋]11;#fff\x07⎋]111\x07⎋]11;?\x07",
        "⎋]11;rgb:1818/1818/1818\x07",
    ),
    asks("text area in cells", "xterm ctlseqs XTWINOPS 18", "⎋[18t", "⎋[8;6;10t"),
    asks("colour scheme", "contour: dark and light mode", "⎋[?996n", "⎋[?997;1n"),
    asks("DSR nobody knows", "ECMA-48 8.3.35", "⎋[77n⎋[?77n", ""),
    asks("DA with an argument is a report, not a question", "ECMA-48 8.3.24", "⎋[?62;1c⎋[1c", ""),
];

/// Answers that would carry text of the child's back to it, and so to a shell: never given. The causes:
/// CVE-2003-0063 (titles), CVE-2008-2383 (DECRQSS), CVE-2022-45063 (fonts), CVE-2021-27135.
const SILENT: &[Case] = &[
    asks("the title is not told", "xterm ctlseqs XTWINOPS 21", "⎋]2;rm -rf\x07⎋[21t", "⎋]l⎋\\"),
    asks(
        "the icon's title is not told",
        "xterm ctlseqs XTWINOPS 20",
        "⎋]1;rm -rf\x07⎋[20t",
        "⎋]L⎋\\",
    ),
    asks("the clipboard is not told", "xterm ctlseqs OSC 52", "⎋]52;c;cm0=\x07⎋]52;c;?\x07", ""),
    asks("the font is not told", "xterm ctlseqs OSC 50", "⎋]50;rm\x07⎋]50;?\x07", ""),
    asks("no answer to ENQ", "VT510 ENQ", "\x05", ""),
    asks("no macro, no printing", "VT510 DECDMAC, MC", "⎋P1;0;0!zrm⎋\\⎋[1*z⎋[5i⎋[4i", ""),
    asks("what is not known is not told", "xterm ctlseqs XTGETTCAP", "⎋P+q726d⎋\\", "⎋P0+r⎋\\"),
];

#[test]
fn reports() {
    check(REPORTS);
}

#[test]
fn nothing_is_echoed() {
    check(SILENT);
}

fn answers(output: &str, size: Size) -> String {
    let mut terminal = Terminal::new(Options::new(size));
    let mut out = Outbox::new();
    terminal.advance(escaped(output).as_bytes(), &mut out);
    String::from_utf8(out.replies).expect("text").replace('\x1b', "⎋")
}

/// VT510 DA1, DA2; xterm ctlseqs XTVERSION. What exactly is claimed is the terminal's choice; the form is
/// not.
#[test]
fn who_it_is() {
    let size = Size::new(80, 24);
    for question in ["⎋[c", "⎋[0c", "⎋Z"] {
        let primary = answers(question, size);
        assert!(primary.starts_with("⎋[?6") && primary.ends_with('c'), "{primary}");
        assert!(
            primary[6..].chars().all(|c| c.is_ascii_digit() || c == ';' || c == 'c' || c == '?')
        );
        // No sixel, no ReGIS, no soft fonts: what is not there is not claimed.
        let claims: Vec<&str> =
            primary.trim_start_matches("⎋[?").trim_end_matches('c').split(';').skip(1).collect();
        assert!(!["3", "4", "7"].iter().any(|claim| claims.contains(claim)), "{primary}");
    }
    let secondary = answers("⎋[>c", size);
    assert!(secondary.starts_with("⎋[>") && secondary.ends_with('c'), "{secondary}");
    assert_eq!(secondary.matches(';').count(), 2, "{secondary}");
    let version = answers("⎋[>q", size);
    assert!(version.starts_with("⎋P>|maestro ") && version.ends_with("⎋\\"), "{version}");
}

/// xterm ctlseqs XTWINOPS 14.
#[test]
fn pixels() {
    let size = Size { cell_width: 8, cell_height: 17, ..Size::new(80, 24) };
    assert_eq!(answers("⎋[14t", size), "⎋[4;408;640t");
}

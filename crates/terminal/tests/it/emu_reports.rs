//! What a program is told that asks. [X] is xterm's control sequences, [V] the VT510 reference, [K] kitty's
//! protocol extensions. No answer has a word of the asker's in it.

use maestro_core::input::Input;
use maestro_core::screen::{Mark, Row, Size, Underline, flags};
use maestro_terminal::{Outbox, Terminal};
use proptest::collection::vec;
use proptest::prelude::*;

use super::{give, print, shown, terminal};

fn told(output: &str) -> String {
    let mut terminal = terminal(80, 24);
    terminal.resize(Size { cell_width: 9, cell_height: 20, ..Size::new(80, 24) });
    String::from_utf8(print(&mut terminal, output).replies).expect("text")
}

#[track_caller]
fn check(rows: &[(&str, &str)]) {
    for (asked, wanted) in rows {
        assert_eq!(told(asked), *wanted, "{asked:?}");
    }
}

/// [V] DECRQM: 0 not known, 1 set, 2 reset. Every mode we have, off and on.
#[test]
fn every_mode_is_told_truly() {
    let on_by_default = [7, 25, 1007, 1042];
    for mode in [
        1, 6, 7, 9, 12, 25, 47, 66, 1000, 1002, 1003, 1004, 1005, 1006, 1007, 1015, 1016, 1042,
        1047, 1049, 2004, 2031, 2048,
    ] {
        let first = if on_by_default.contains(&mode) { 1 } else { 2 };
        let ask = format!("\x1b[?{mode}$p");
        let size = if mode == 2048 { "\x1b[48;24;80;480;720t" } else { "" };
        let (set, reset) = (format!("\x1b[?{mode}h"), format!("\x1b[?{mode}l"));
        assert_eq!(
            told(&format!("{ask}{set}{ask}{reset}{ask}")),
            format!("\x1b[?{mode};{first}$y{size}\x1b[?{mode};1$y\x1b[?{mode};2$y"),
        );
    }
    check(&[
        // An update shows the moment it ends, so whoever is answered is outside of one.
        ("\x1b[?2026$p", "\x1b[?2026;2$y"),
        // Grapheme clusters are not what cells hold here, and nobody shall count on it: not known.
        ("\x1b[?2027$p\x1b[?2027h\x1b[?2027$p", "\x1b[?2027;0$y\x1b[?2027;0$y"),
        // Neither 132 columns, nor reverse video, nor margins at the sides, nor kitty's paste events.
        ("\x1b[?3$p\x1b[?5$p", "\x1b[?3;0$y\x1b[?5;0$y"),
        ("\x1b[?69$p\x1b[?5522$p", "\x1b[?69;0$y\x1b[?5522;0$y"),
        // ANSI modes: insert, line feed as new line, and one that is not there.
        ("\x1b[4$p\x1b[4h\x1b[4$p\x1b[20$p\x1b[12$p", "\x1b[4;2$y\x1b[4;1$y\x1b[20;2$y\x1b[12;0$y"),
    ]);
}

/// [V] DECRQSS.
#[test]
fn settings_are_told() {
    check(&[
        ("\x1bP$qm\x1b\\", "\x1bP1$r0m\x1b\\"),
        (
            "\x1b[1;2;3;4:3;7;8;9;31;48;5;200;58:2::1:2:3m\x1bP$qm\x1b\\",
            "\x1bP1$r0;1;2;3;4:3;7;8;9;31;48:5:200;58:2::1:2:3m\x1b\\",
        ),
        ("\x1b[21;95;48:2::9:8:7m\x1bP$qm\x1b\\", "\x1bP1$r0;4:2;95;48:2::9:8:7m\x1b\\"),
        ("\x1b[38;5;3m\x1bP$qm\x1b\\", "\x1bP1$r0;33m\x1b\\"),
        ("\x1bP$qr\x1b\\", "\x1bP1$r1;24r\x1b\\"),
        ("\x1b[3;7r\x1bP$qr\x1b\\", "\x1bP1$r3;7r\x1b\\"),
        ("\x1b[3;7r\x1b[9;2r\x1bP$qr\x1b\\", "\x1bP1$r3;7r\x1b\\"),
        ("\x1b[3;7r\x1b[r\x1bP$qr\x1b\\", "\x1bP1$r1;24r\x1b\\"),
        ("\x1b[5;99r\x1bP$qr\x1b\\", "\x1bP1$r5;24r\x1b\\"),
        ("\x1bP$q q\x1b\\", "\x1bP1$r2 q\x1b\\"),
        ("\x1b[5 q\x1bP$q q\x1b\\", "\x1bP1$r5 q\x1b\\"),
        ("\x1b[4 q\x1bP$q q\x1b\\", "\x1bP1$r4 q\x1b\\"),
        ("\x1bP$q\"p\x1b\\", "\x1bP1$r61\"p\x1b\\"),
        ("\x1bP$q\"q\x1b\\", "\x1bP1$r0\"q\x1b\\"),
        ("\x1bP$qt\x1b\\", "\x1bP1$r24t\x1b\\"),
        ("\x1bP$qrm -rf\x1b\\", "\x1bP0$r\x1b\\"),
    ]);
}

/// [X] XTGETTCAP.
#[test]
fn capabilities_are_told_by_our_own_words() {
    check(&[
        ("\x1bP+q544e\x1b\\", "\x1bP1+r544E=787465726D2D323536636F6C6F72\x1b\\"),
        ("\x1bP+q5463\x1b\\", "\x1bP1+r5463\x1b\\"),
        (
            "\x1bP+q524742;6c73;436F\x1b\\",
            "\x1bP1+r524742=382F382F38\x1b\\\x1bP0+r\x1b\\\x1bP1+r436F=323536\x1b\\",
        ),
        ("\x1bP+q\x1b\\", "\x1bP0+r\x1b\\"),
        ("\x1bP+qzz;5\x1b\\", "\x1bP0+r\x1b\\\x1bP0+r\x1b\\"),
    ]);
    let flood = format!("\x1bP+q{}\x1b\\", "5463;".repeat(800));
    assert!(told(&flood).len() < 1024);
}

/// [X] XTWINOPS.
#[test]
fn windows_are_told_by_numbers() {
    check(&[
        ("\x1b[14t", "\x1b[4;480;720t"),
        ("\x1b[16t", "\x1b[6;20;9t"),
        ("\x1b[18t", "\x1b[8;24;80t"),
        // Titles never come back.
        ("\x1b]2;rm -rf /\x07\x1b[21t", "\x1b]l\x1b\\"),
        ("\x1b]1;rm -rf /\x07\x1b[20t", "\x1b]L\x1b\\"),
        ("\x1b[11t\x1b[13t\x1b[15t\x1b[19t\x1b[8;10;10t", ""),
    ]);
}

#[test]
fn sizes_are_told_to_who_asked() {
    let mut terminal = terminal(80, 24);
    let wide = Size { cell_width: 10, cell_height: 20, ..Size::new(100, 30) };
    assert_eq!(give(&mut terminal, Input::Resize(wide)), "");
    assert_eq!(print(&mut terminal, "\x1b[?2048h").replies, b"\x1b[48;30;100;600;1000t");
    assert_eq!(give(&mut terminal, Input::Resize(Size::new(80, 24))), "\x1b[48;24;80;0;0t");
    assert_eq!(give(&mut terminal, Input::Resize(Size::new(80, 24))), "");
    let _ = print(&mut terminal, "\x1b[?2048l");
    assert_eq!(give(&mut terminal, Input::Resize(wide)), "");
}

#[test]
fn keyboards_notifications_and_origins_are_told() {
    check(&[
        ("\x1b[?4m\x1b[>4;2m\x1b[?4m", "\x1b[>4;0m\x1b[>4;2m"),
        ("\x1b]99;i=3:p=?;\x1b\\", "\x1b]99;i=3:p=?;o=always:p=title,body\x1b\\"),
        ("\x1b]99;i=reboot:p=?;\x1b\\", "\x1b]99;i=0:p=?;o=always:p=title,body\x1b\\"),
        // [V] With origin mode the cursor's place is counted from the margin.
        ("\x1b[5;10r\x1b[?6h\x1b[3;4H\x1b[6n", "\x1b[3;4R"),
        ("\x1b[5;10r\x1b[7;4H\x1b[6n", "\x1b[7;4R"),
    ]);
}

/// What a child says in any words; whatever it is, none of them comes back.
#[test]
fn nothing_a_child_says_comes_back() {
    const EVIL: &str = "EVIL";
    let hex = "4556494c";
    for asked in [
        format!("\x1b]0;{EVIL}\x07\x1b[21t\x1b[20t\x1b[22t\x1b[23t\x1b[21t"),
        format!("\x1b]7;file:///{EVIL}\x07\x1b]9;{EVIL}\x07\x1b]777;notify;{EVIL};{EVIL}\x07"),
        format!("\x1b]99;i={EVIL}:p=?;{EVIL}\x07\x1b]99;i={EVIL};{EVIL}\x07"),
        format!("\x1b]22;?{EVIL}\x07\x1b]22;>{EVIL}\x07\x1b]22;?__current__\x07"),
        format!("\x1b]4;{EVIL};?\x07\x1b]10;{EVIL}\x07\x1b]10;?\x07\x1b]1337;{EVIL}\x07"),
        format!("\x1b]52;c;{EVIL}\x07\x1b]52;c;?\x07\x1b]52;{EVIL};?\x07\x1b]66;w=1;{EVIL}\x07"),
        format!("\x1bP$q{EVIL}\x1b\\\x1bP+q{hex}\x1b\\\x1bP+q{EVIL}\x1b\\\x1bP{EVIL}\x1b\\"),
        format!("\x1b_G{EVIL}\x1b\\\x1b^{EVIL}\x1b\\\x1bX{EVIL}\x1b\\\x1b]7501;state={EVIL}\x07"),
        format!("{EVIL}\x1b[6n\x1b[c\x1b[>c\x1b[=c\x1b[5n\x1b[>q\x1b[?u\x1b[2;1$w\x05\x1b[0x"),
    ] {
        let reply = told(&asked);
        assert!(!reply.contains(EVIL), "{asked:?} was answered with {reply:?}");
        assert!(!reply.to_ascii_lowercase().contains(hex), "{asked:?}: {reply:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is asked, what comes back holds no line break: it can run nothing in a shell that reads it.
    #[test]
    fn no_answer_presses_enter(pieces in vec(piece(), 0..40)) {
        let mut terminal = terminal(20, 5);
        let mut out = Outbox::new();
        terminal.advance(&pieces.concat(), &mut out);
        prop_assert!(!out.replies.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 3 | 4)));
    }
}

fn piece() -> impl Strategy<Value = Vec<u8>> {
    let known: Vec<&'static [u8]> = vec![
        b"\x1b]", b"\x1bP", b"\x1b[", b"$q", b"+q", b"\x1b\\", b"\x07", b"99;i=", b":p=?;",
        b"22;?", b"4;1;?", b"10;?", b"\r", b"\n", b"m", b"?", b"$p", b"c", b"n", b"6", b"t", b"21",
        b"q", b">", b"=", b"text", b"\x18",
    ];
    prop_oneof![
        5 => proptest::sample::select(known).prop_map(<[u8]>::to_vec),
        1 => vec(any::<u8>(), 0..5),
    ]
}

fn first_row(terminal: &mut Terminal) -> Row {
    shown(terminal).rows[0].1.clone()
}

/// [X] SGR: every attribute reaches the frame. There is none for blink (steady) and for overline.
#[test]
fn attributes_go_through() {
    for (sgr, flag) in [
        ("1", flags::BOLD),
        ("2", flags::DIM),
        ("3", flags::ITALIC),
        ("4", Underline::Single.bits()),
        ("4:1", Underline::Single.bits()),
        ("4:2", Underline::Double.bits()),
        ("21", Underline::Double.bits()),
        ("4:3", Underline::Curl.bits()),
        ("4:4", Underline::Dotted.bits()),
        ("4:5", Underline::Dashed.bits()),
        ("5", 0),
        ("6", 0),
        ("7", flags::INVERSE),
        ("8", flags::HIDDEN),
        ("9", flags::STRIKE),
        ("53", 0),
        ("1;3;4:3;9", flags::BOLD | flags::ITALIC | Underline::Curl.bits() | flags::STRIKE),
        ("4:3;4:0", 0),
        ("4;24", 0),
    ] {
        let mut terminal = terminal(10, 2);
        let _ = print(&mut terminal, &format!("\x1b[{sgr}mx"));
        assert_eq!(first_row(&mut terminal).cells[0].flags, flag, "{sgr}");
    }
}

/// [V] DECSTR keeps what is on the screen and brings back how text is written; RIS clears all.
#[test]
fn resets() {
    let mut terminal = terminal(10, 5);
    let set = "ab\x1b[1;31m\x1b[4h\x1b[?1h\x1b=\x1b[?25l\x1b(0\x1b[2;4r\x1b[?6h\x1b7";
    let _ = print(&mut terminal, &format!("{set}\x1b[3;3H\x1b[!p"));
    assert_eq!(print(&mut terminal, "\x1b[6n").replies, b"\x1b[4;3R", "the cursor stays");
    let ask = "\x1bP$qm\x1b\\\x1bP$qr\x1b\\\x1b[4$p\x1b[?1$p\x1b[?6$p\x1b[?25$p\x1b[?66$p";
    let wanted = "\x1bP1$r0m\x1b\\\x1bP1$r1;5r\x1b\\\x1b[4;2$y\x1b[?1;2$y\x1b[?6;2$y\x1b[?25;1$y\x1b[?66;2$y";
    assert_eq!(String::from_utf8_lossy(&print(&mut terminal, ask).replies), wanted);
    let _ = print(&mut terminal, "q\x1b8\x1b[6n");
    assert_eq!(super::screen(&mut terminal)[0], "ab");
    assert_eq!(super::screen(&mut terminal)[3], "  q");
    assert_eq!(print(&mut terminal, "\x1b[6n").replies, b"\x1b[1;1R", "nothing is saved");
    let _ = print(&mut terminal, &format!("{set}\x1bc"));
    assert_eq!(super::screen(&mut terminal), ["", "", "", "", ""]);
    assert_eq!(String::from_utf8_lossy(&print(&mut terminal, ask).replies), wanted);
}

/// [X] What asks about the screen, sets it back or marks a place on it comes after all that was printed
/// before, in a synchronized update, too. The update goes on behind it.
#[test]
fn what_is_about_the_screen_keeps_its_place_in_a_synchronized_update() {
    let begun = || {
        let mut terminal = terminal(20, 6);
        let _ = print(&mut terminal, "\x1b[?2026h");
        terminal
    };
    for (asked, answer) in
        [("\x1b[5;7H\x1b[?6n", "\x1b[?5;7;1R"), ("\x1b[2;4r\x1bP$qr\x1b\\", "\x1bP1$r2;4r\x1b\\")]
    {
        let replies = print(&mut begun(), asked).replies;
        assert_eq!(String::from_utf8_lossy(&replies), answer);
    }
    let mut terminal = begun();
    let _ = print(&mut terminal, "\x1b[4mab\x1b[!pcd");
    assert!(terminal.sync_deadline().is_some(), "it goes on");
    assert_eq!(super::screen(&mut terminal)[0], "ab", "and shows no more");
    let _ = print(&mut terminal, "\x1b[?2026l");
    let flags: Vec<u16> =
        first_row(&mut terminal).cells.iter().take(4).map(|cell| cell.flags).collect();
    let underlined = Underline::Single.bits();
    assert_eq!(flags, [underlined, underlined, 0, 0]);

    for end in ["\x07", "\x1b\\"] {
        let mut terminal = begun();
        let _ = print(&mut terminal, &format!("one\r\ntwo\r\n\x1b]133;A{end}$ \x1b[?2026l"));
        let marks: Vec<Mark> = shown(&mut terminal).rows.iter().map(|(_, row)| row.mark).collect();
        assert_eq!(marks[..3], [Mark::None, Mark::None, Mark::Prompt], "{end:?}");
        assert_eq!(super::screen(&mut terminal)[..3], ["one", "two", "$"], "{end:?}");
    }
}

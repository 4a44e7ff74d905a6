//! How characters look: SGR, character sets.

use maestro_core::screen::{Cell, Color, Underline, flags};

use super::{Case, case, check, printed};

/// The cell of an `x` printed after a sequence.
fn x(output: &str) -> Cell {
    let (mut terminal, _) = printed(&format!("{output}x"), usize::MAX);
    let row = terminal.screen(false).rows.swap_remove(0);
    *row.cells.iter().find(|cell| cell.glyph == u32::from('x')).expect("an x")
}

/// ECMA-48 8.3.117; underline styles and colours: kitty's "colored and styled underlines"; 38 and 48 with
/// colons: ISO 8613-6.
#[test]
fn attributes() {
    let set = |sgr: &str| x(sgr).flags & !flags::UNDERLINE_MASK;
    for (sgr, wanted) in [
        ("⎋[1m", flags::BOLD),
        ("⎋[2m", flags::DIM),
        ("⎋[3m", flags::ITALIC),
        ("⎋[7m", flags::INVERSE),
        ("⎋[8m", flags::HIDDEN),
        ("⎋[9m", flags::STRIKE),
        ("⎋[1;2;3;7;8;9m⎋[m", 0),
        ("⎋[1;2;3;7;8;9m⎋[0m", 0),
        ("⎋[1;3m⎋[22m", flags::ITALIC),
        ("⎋[2;3m⎋[22m", flags::ITALIC),
        ("⎋[1;3m⎋[23m", flags::BOLD),
        ("⎋[1;7m⎋[27m", flags::BOLD),
        ("⎋[1;8m⎋[28m", flags::BOLD),
        ("⎋[1;9m⎋[29m", flags::BOLD),
        // Blink is shown as steady.
        ("⎋[1;5;6m", flags::BOLD),
        ("⎋[1;25m", flags::BOLD),
        // What is not known changes nothing, and what follows it counts.
        ("⎋[99;1m", flags::BOLD),
        ("⎋[>1m", 0),
    ] {
        assert_eq!(set(sgr), wanted, "{sgr}");
    }
}

#[test]
fn underlines() {
    for (sgr, wanted) in [
        ("⎋[4m", Underline::Single),
        ("⎋[4:1m", Underline::Single),
        ("⎋[4:2m", Underline::Double),
        ("⎋[4:3m", Underline::Curl),
        ("⎋[4:4m", Underline::Dotted),
        ("⎋[4:5m", Underline::Dashed),
        ("⎋[4:3m⎋[4:0m", Underline::None),
        ("⎋[4:3m⎋[24m", Underline::None),
        ("⎋[4:3m⎋[4m", Underline::Single),
        ("⎋[4m⎋[0m", Underline::None),
    ] {
        assert_eq!(Underline::of(x(sgr).flags), wanted, "{sgr}");
    }
}

#[test]
fn colours() {
    for (sgr, fg, bg) in [
        ("⎋[31m", Color::indexed(1), Color::DEFAULT),
        ("⎋[37;40m", Color::indexed(7), Color::indexed(0)),
        // aixterm's bright ones: xterm ctlseqs "SGR 90-97, 100-107".
        ("⎋[91;104m", Color::indexed(9), Color::indexed(12)),
        ("⎋[31;44m⎋[39m", Color::DEFAULT, Color::indexed(4)),
        ("⎋[31;44m⎋[49m", Color::indexed(1), Color::DEFAULT),
        ("⎋[31;44m⎋[m", Color::DEFAULT, Color::DEFAULT),
        ("⎋[38;5;200m", Color::indexed(200), Color::DEFAULT),
        ("⎋[48;5;0m", Color::DEFAULT, Color::indexed(0)),
        ("⎋[38;2;1;2;3m", Color::rgb(1, 2, 3), Color::DEFAULT),
        ("⎋[48;2;255;0;9m", Color::DEFAULT, Color::rgb(255, 0, 9)),
        ("⎋[38:5:200m", Color::indexed(200), Color::DEFAULT),
        ("⎋[38:2:1:2:3m", Color::rgb(1, 2, 3), Color::DEFAULT),
        ("⎋[38:2::1:2:3m", Color::rgb(1, 2, 3), Color::DEFAULT),
        ("⎋[38;5;1;48;5;2m", Color::indexed(1), Color::indexed(2)),
        ("⎋[38;2;1;2;3;44m", Color::rgb(1, 2, 3), Color::indexed(4)),
    ] {
        let cell = x(sgr);
        assert_eq!((cell.fg, cell.bg), (fg, bg), "{sgr}");
    }
}

#[test]
fn colours_of_underlines() {
    for (sgr, wanted) in [
        ("⎋[4;58;5;9m", Some(Color::indexed(9))),
        ("⎋[4;58:5:9m", Some(Color::indexed(9))),
        ("⎋[4;58;2;1;2;3m", Some(Color::rgb(1, 2, 3))),
        ("⎋[4;58:2::1:2:3m", Some(Color::rgb(1, 2, 3))),
        ("⎋[4;58;5;9m⎋[59m", None),
    ] {
        let (mut terminal, _) = printed(&format!("{sgr}x"), usize::MAX);
        let row = terminal.screen(false).rows.swap_remove(0);
        let color = usize::from(row.cells[0].extra)
            .checked_sub(1)
            .and_then(|extra| row.extras[extra].underline);
        assert_eq!(color, wanted, "{sgr}");
    }
}

const SETS: &[Case] = &[
    case("SCS 0 draws lines", "VT510 SCS, DEC Special Graphic", "⎋(0lqkx", &["┌─┐│"], (1, 5)),
    case("SCS B is ASCII again", "VT510 SCS", "⎋(0q⎋(Bq", &["─q"], (1, 3)),
    case(
        "SO and SI change between G1 and G0",
        "ECMA-48 8.3.119, 8.3.126; VT510 SO, SI",
        "⎋)0q\x0eq\x0fq",
        &["q─q"],
        (1, 4),
    ),
    case("UTF-8 is not changed by a set", "xterm ctlseqs", "⎋(0ä好", &["ä好"], (1, 4)),
    case("a set is saved with the cursor", "VT510 DECSC", "⎋(0⎋7⎋(Bq⎋8q", &["─"], (1, 2)),
];

#[test]
fn character_sets() {
    check(SETS);
}

/// What cannot be a character is U+FFFD, once for each ill-formed part: Unicode 15, 3.9 "U+FFFD
/// Substitution of Maximal Subparts".
#[test]
fn invalid_utf8() {
    let mut wrong = Vec::new();
    for (bytes, wanted) in [
        (&b"a\xffb"[..], "a\u{fffd}b"),
        (b"a\xc3b", "a\u{fffd}b"),
        (b"a\xe5\xa5b", "a\u{fffd}b"),
        (b"a\xf0\x9f\x91b", "a\u{fffd}b"),
        (b"\xa0\xbf", "\u{fffd}\u{fffd}"),
        (b"\xc0\xaf", "\u{fffd}\u{fffd}"),
        (b"\xed\xa0\xa0", "\u{fffd}\u{fffd}\u{fffd}"),
        (b"\xf8\xa8", "\u{fffd}\u{fffd}"),
        // A limit: these bytes alone are taken for the C1 controls they are in other encodings.
        (b"\x80\x85\x9f", ""),
    ] {
        for step in [1, 2, 9] {
            let mut terminal = super::super::terminal(20, 2);
            for piece in bytes.chunks(step) {
                terminal.advance(piece, &mut maestro_terminal::Outbox::new());
            }
            terminal.advance(b".", &mut maestro_terminal::Outbox::new());
            let shown = super::super::screen(&mut terminal).swap_remove(0);
            if shown != format!("{wanted}.") {
                wrong.push(format!("{bytes:x?} in pieces of {step}: {shown:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

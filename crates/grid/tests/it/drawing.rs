//! What is drawn. The pictures are written to the target folder's `tmp`; look at them.

use iced::advanced::input_method;
use maestro_core::screen::{Cell, Color, Cursor, CursorShape, Extra, Underline, flags};
use maestro_grid::{Look, Palette};

use crate::stage::{FACES, Picture, Script, Stage};

const PLAIN: Cell = Cell::BLANK;

fn with(flags: u16) -> Cell {
    Cell { flags, ..PLAIN }
}

fn ink(color: Color) -> Cell {
    Cell { fg: color, ..PLAIN }
}

/// Everything a terminal can show, on one screen.
fn demo() -> Script {
    let mut script = Script::new(84, 30);
    let _ = script
        .put(0, 0, "Maestro  ", with(flags::BOLD))
        .put(0, 9, "plain ", PLAIN)
        .put(0, 15, "bold ", with(flags::BOLD))
        .put(0, 20, "italic fjf", with(flags::ITALIC))
        .put(0, 31, "both fjf", with(flags::BOLD | flags::ITALIC))
        .put(0, 40, "dim ", with(flags::DIM))
        .put(0, 44, "inverse", with(flags::INVERSE))
        .put(0, 52, "hidden", with(flags::HIDDEN))
        .put(0, 59, "strike", with(flags::STRIKE))
        .put(1, 0, "0O 1lI {}[]() <=> != -> :: @#$%&*  fijlt ÄÖÜß éèñ ΑΒΓ АБВ", PLAIN);
    let styles = [
        Underline::Single,
        Underline::Double,
        Underline::Curl,
        Underline::Dotted,
        Underline::Dashed,
    ];
    let red = script.extra(2, Extra { underline: Some(Color::indexed(1)), link: None });
    for (place, style) in (0..).zip(styles) {
        let text = format!("{style:?}ly gpq");
        let _ = script.put(2, place * 16, &text, Cell { extra: red, ..with(style.bits()) });
    }
    let link =
        script.extra(3, Extra { underline: None, link: Some("https://example.org".to_owned()) });
    let _ = script
        .put(3, 0, "a link", Cell { extra: link, ..PLAIN })
        .put(3, 10, "selected text", with(flags::SELECTED))
        .put(3, 25, "found text", with(flags::MATCH));
    for index in 0..16u8 {
        let cell = Cell { bg: Color::indexed(index), ..PLAIN };
        let _ = script.put(4, u16::from(index) * 3, "   ", cell);
        let _ = script.put(
            5,
            u16::from(index) * 3,
            &format!("{index:>2} "),
            ink(Color::indexed(index)),
        );
    }
    for step in 0..84u16 {
        let level = (step * 3) as u8;
        let cell = Cell { bg: Color::rgb(level, 96, 255 - level), ..PLAIN };
        let _ = script.put(6, step, " ", cell);
    }
    let _ = script
        .put(8, 0, "┌──────┬──────┐ ┏━━━━━━┳━━━━━━┓ ╔══════╦══════╗ ╭──────┬──────╮ ╓──────╥──╖ ╒═══╤══╕", PLAIN)
        .put(9, 0, "│ agent│ api  │ ┃ heavy┃      ┃ ║double║      ║ │ round│      │ ║      ║  ║ │   │  │", PLAIN)
        .put(10, 0, "├──────┼──────┤ ┣━━━━━━╋━━━━━━┫ ╠══════╬══════╣ ├──────┼──────┤ ╟──────╫──╢ ╞═══╪══╡", PLAIN)
        .put(11, 0, "│      │      │ ┃      ┃      ┃ ║      ║      ║ │      │      │ ║      ║  ║ │   │  │", PLAIN)
        .put(12, 0, "└──────┴──────┘ ┗━━━━━━┻━━━━━━┛ ╚══════╩══════╝ ╰──────┴──────╯ ╙──────╨──╜ ╘═══╧══╛", PLAIN)
        .put(13, 0, "┄┄┄┄ ┅┅┅┅ ┈┈┈┈ ┉┉┉┉ ╌╌╌╌ ╍╍╍╍ ┆┇┊┋╎╏ ╱╲╳╱╲╳ ╴╵╶╷╸╹╺╻╼╽╾╿ ┍┎┑┒┕┖┙┚ ┝┞┟┠┡┢ ┭┮┯┰┱┲", PLAIN)
        .put(14, 0, "▁▂▃▄▅▆▇█ ▏▎▍▌▋▊▉█ ░░▒▒▓▓██ ▀▄▀▄▀▄ ▌▐▌▐ ▔▕ ▖▗▘▙▚▛▜▝▞▟ 🬀🬁🬂🬃🬄🬅🬆🬇🬞🬟🬠🬭🬹🬻", PLAIN)
        .put(15, 0, "⠁⠃⠇⡇⣇⣧⣷⣿ ⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ ⢀⣠⣴⣾⣿⣷⣦⣄⡀ ⣿⣿⣿", ink(Color::indexed(4)))
        .put(16, 0, " main ", Cell { bg: Color::indexed(4), fg: Color::indexed(0), ..PLAIN })
        .put(16, 6, "\u{e0b0}", Cell { fg: Color::indexed(4), bg: Color::indexed(2), ..PLAIN })
        .put(16, 7, " clean ", Cell { bg: Color::indexed(2), fg: Color::indexed(0), ..PLAIN })
        .put(16, 14, "\u{e0b0}", ink(Color::indexed(2)))
        .put(16, 16, "\u{e0b1} \u{e0b3} \u{e0b2}", PLAIN)
        .put(18, 0, "好 世界 日本語 한국어 全角ＡＢＣ  wide|wide|", PLAIN)
        .put(18, 45, "太字", with(flags::BOLD))
        .put(18, 51, "斜体", with(flags::ITALIC))
        .put(18, 57, "下線", with(Underline::Curl.bits()))
        .put(18, 63, "選択", with(flags::SELECTED))
        .put(19, 0, "🎼🚀✅❌⚡🔥👍🙂🦀 ⚠\u{fe0f} ❤\u{fe0f} ✔ ✗ ● ○ ◐ ◆ ◇ ▶ ■ □ → ⇒ ✻ ✳ ⏺ ⎿ ❯ › … • ☐ ☑ ⏴⏵⏵⏶⏷ ⏸ ⏹", PLAIN)
        .put(20, 0, "e\u{301} a\u{308}\u{332} n\u{303} o\u{302}\u{323} Z\u{351}\u{360}\u{334}", PLAIN)
        .put(20, 14, "\u{10fffd} ក្ខ ไทย עברית العربية", PLAIN)
        .put(22, 0, "Underlined words in a row, gjpqy", with(Underline::Single.bits()))
        .put(23, 0, "Curls in a row without a seam, gjpqy", with(Underline::Curl.bits()))
        .put(24, 0, "████████████████", ink(Color::indexed(3)))
        .put(25, 0, "▀▀▀▀▀▀▀▀▄▄▄▄▄▄▄▄", ink(Color::indexed(3)))
        .put(27, 0, "The quick brown fox jumps over the lazy dog. 0123456789", PLAIN)
        .put(28, 0, "The quick brown fox jumps over the lazy dog. 0123456789", with(flags::ITALIC))
        .put(29, 0, "The quick brown fox jumps over the lazy dog. 0123456789", with(flags::BOLD));
    script.cursor = Some(Cursor { row: 27, col: 4, shape: CursorShape::Block, blinking: false });
    script
}

const CELL: (f32, f32) = (8.5, 19.0);

fn picture(backend: &str, script: &Script, scale: f32) -> Option<Picture> {
    let width = ((f32::from(script.size.cols) * CELL.0 + 20.0) * scale) as u32;
    let height = ((f32::from(script.size.rows) * CELL.1 + 20.0) * scale) as u32;
    let Some(mut stage) = Stage::try_new(backend, width, height, scale) else {
        eprintln!("SKIPPED: this machine has no `{backend}` renderer; nothing was compared");
        return None;
    };
    let _ = stage.surface.apply(script.frame());
    stage.focus();
    Some(stage.screenshot())
}

#[test]
fn both_renderers_draw_the_same_pixels() {
    for scale in [1.0, 1.25, 2.0] {
        let script = demo();
        let software = picture("tiny-skia", &script, scale).expect("built in");
        software.save(&format!("demo-software-{scale}.png"));
        let Some(wgpu) = picture("wgpu", &script, scale) else { return };
        wgpu.save(&format!("demo-wgpu-{scale}.png"));
        // Both mix in eight bits, one of them through floating point.
        let (most, off) = software.compare(&wgpu, 2);
        assert_eq!(off, 0, "{off} pixels differ, by up to {most}, at scale {scale}");
    }
}

#[test]
fn cursors_have_their_shapes() {
    for backend in ["tiny-skia", "wgpu"] {
        let mut script = Script::new(20, 4);
        let _ = script.put(1, 0, "a好b", PLAIN);
        let mut pictures = Vec::new();
        for (shape, focused) in [
            (CursorShape::Block, true),
            (CursorShape::Underline, true),
            (CursorShape::Beam, true),
            (CursorShape::Block, false),
        ] {
            let Some(mut stage) = Stage::try_new(backend, 200, 100, 1.0) else {
                eprintln!("SKIPPED: this machine has no `{backend}` renderer");
                return;
            };
            script.cursor = Some(Cursor { row: 1, col: 1, shape, blinking: false });
            let _ = stage.surface.apply(script.frame());
            if focused {
                stage.focus();
            }
            let picture = stage.screenshot();
            let [r, g, b] = Palette::NOCTURNE.cursor;
            let inked = picture.pixels.chunks_exact(4).filter(|p| **p == [r, g, b, 255]).count();
            picture.save(&format!("cursor-{backend}-{shape:?}-{focused}.png"));
            pictures.push(inked);
        }
        let [block, underline, beam, hollow] = pictures[..] else { panic!("four pictures") };
        // Cells of 8 by 18, two of them: a wide character has a wide cursor.
        assert!(block > 150 && block < 16 * 19, "{backend}: {pictures:?}");
        assert_eq!(underline, 16 * 2, "{backend}: {pictures:?}");
        assert!(beam > 30 && beam < 44, "{backend}: {pictures:?}");
        assert!(hollow > 60 && hollow < 72, "{backend}: {pictures:?}");
    }
}

#[test]
fn only_what_changed_is_encoded() {
    for backend in ["tiny-skia", "wgpu"] {
        let Some(mut stage) = Stage::try_new(backend, 400, 200, 1.0) else {
            eprintln!("SKIPPED: this machine has no `{backend}` renderer");
            return;
        };
        let mut script = Script::new(40, 8);
        let _ = script.put(0, 0, "first", PLAIN).put(3, 0, "second", PLAIN);
        let _ = stage.surface.apply(script.frame());
        let _ = stage.screenshot();
        let counters = stage.surface.clock().counters().read();

        let _ = stage.screenshot();
        assert_eq!(stage.surface.clock().counters().read().encoded_rows, counters.encoded_rows);

        let _ = script.put(3, 0, "changed", PLAIN);
        let mut frame = script.frame();
        frame.full = false;
        frame.rows.retain(|(place, _)| *place == 3);
        let _ = stage.surface.apply(frame);
        let picture = stage.screenshot();
        let after = stage.surface.clock().counters().read();
        assert_eq!(after.encoded_rows, counters.encoded_rows + 1, "{backend}");

        // What was drawn in steps is what would have been drawn at once.
        let mut fresh = Stage::try_new(backend, 400, 200, 1.0).expect("as before");
        let _ = fresh.surface.apply(script.frame());
        assert_eq!(fresh.screenshot().compare(&picture, 0), (0, 0), "{backend}");
    }
}

#[test]
fn text_being_composed_is_drawn_in_its_place() {
    let mut stage = Stage::software(200, 100);
    let mut script = Script::new(20, 4);
    let _ = script.put(1, 0, "a", PLAIN);
    script.cursor = Some(Cursor { row: 1, col: 2, ..script.cursor.expect("a cursor") });
    let _ = stage.surface.apply(script.frame());
    stage.focus();
    let _ = stage.screenshot();
    let preedit = input_method::Event::Preedit("にx".to_owned(), Some(3..4));
    let _ = stage.event(preedit);
    let composed = stage.screenshot();

    let mut expected = Stage::software(200, 100);
    let line = Underline::Single.bits();
    let _ = script.put(1, 2, "に", with(line)).put(1, 4, "x", with(line | flags::INVERSE));
    script.cursor = None;
    let _ = expected.surface.apply(script.frame());
    assert_eq!(composed.compare(&expected.screenshot(), 0), (0, 0));

    let _ = stage.event(input_method::Event::Closed);
    assert_ne!(stage.screenshot().compare(&composed, 0), (0, 0));
}

#[test]
fn a_theme_reaches_every_cell() {
    let mut stage = Stage::software(200, 100);
    let mut script = Script::new(20, 4);
    let _ = script.put(0, 0, "text", PLAIN);
    let _ = stage.surface.apply(script.frame());
    assert_eq!(stage.screenshot().at(150, 80), Palette::NOCTURNE.background);
    stage.set_look(Look::new(FACES, 14.0, Palette::MATINEE));
    let light = stage.screenshot();
    assert_eq!(light.at(150, 80), Palette::MATINEE.background);
    assert_eq!(light.at(2, 2), Palette::MATINEE.background);
}

#[test]
fn a_screen_of_another_size_than_the_widget_is_drawn_as_far_as_it_goes() {
    for (cols, rows) in [(2, 1), (200, 100)] {
        let mut stage = Stage::software(200, 100);
        let mut script = Script::new(cols, rows);
        let _ = script.put(0, 0, "██", PLAIN).put(rows - 1, 0, "██", PLAIN);
        let _ = stage.surface.apply(script.frame());
        assert_eq!(stage.screenshot().at(8, 8), Palette::NOCTURNE.foreground);
        // A smaller screen after a larger one leaves nothing of it behind.
        let _ = stage.surface.apply(Script::new(3, 2).frame());
        assert_eq!(stage.screenshot().at(8 + 8, 8 + 19), Palette::NOCTURNE.background);
    }
}

//! What is drawn. The pictures are written to the target folder's `tmp`; look at them.

use iced::advanced::input_method;
use maestro_core::screen::{
    Cell, Color, Cursor, CursorShape, Extra, Mark, Scroll, Underline, flags,
};
use maestro_grid::{Hint, Look, Palette};

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
        .put(3, 25, "found text", with(flags::MATCH))
        .put(3, 37, "current", with(flags::MATCH | flags::CURRENT))
        .put(3, 46, "🚀👍", with(flags::DIM))
        .put(3, 51, "🚀👍", with(flags::HIDDEN))
        .mark(1, Mark::Prompt)
        .mark(3, Mark::Done)
        .mark(5, Mark::Failed);
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
    stage.hints = vec![
        Hint { row: 18, col: 4, label: "as".to_owned(), typed: 1 },
        Hint { row: 27, col: 20, label: "df".to_owned(), typed: 0 },
    ]
    .into();
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
fn both_renderers_keep_contrast_in_both_themes() {
    for (name, palette) in [("dark", Palette::NOCTURNE), ("light", Palette::MATINEE)] {
        let pictures = ["tiny-skia", "wgpu"].map(|backend| {
            let mut stage = Stage::try_new(backend, 760, 400, 1.0)?;
            let mut look = Look::clone(&Look::new(FACES, 14.0, palette.clone()));
            look.minimum_contrast = 4.5;
            stage.set_look(look.into());
            let _ = stage.surface.apply(demo().frame());
            stage.focus();
            let picture = stage.screenshot();
            picture.save(&format!("contrast-{backend}-{name}.png"));
            Some(picture)
        });
        let [Some(software), wgpu] = pictures else { panic!("the software renderer is built in") };
        match wgpu {
            Some(wgpu) => assert_eq!(software.compare(&wgpu, 2).1, 0, "{name}"),
            None => eprintln!("SKIPPED: this machine has no `wgpu` renderer"),
        }
    }
}

#[test]
fn marks_stand_beside_their_rows_and_nowhere_else() {
    for backend in ["tiny-skia", "wgpu"] {
        let Some(mut stage) = Stage::try_new(backend, 200, 100, 1.0) else {
            eprintln!("SKIPPED: this machine has no `{backend}` renderer");
            return;
        };
        let mut script = Script::new(20, 4);
        script.cursor = None;
        let _ = script.mark(0, Mark::Prompt).mark(1, Mark::Done).mark(2, Mark::Failed);
        let _ = stage.surface.apply(script.frame());
        let picture = stage.screenshot();
        let marks = Palette::NOCTURNE.marks;
        let expected = [Some(marks[0]), Some(marks[1]), Some(marks[2]), None];
        for (row, mark) in (0..).zip(expected) {
            // Padding of 6, cells of 8 by 18 or 19: the tick is two pixels wide, two beside the cells.
            let y = 6 + row * 19 + 9;
            let background = Palette::NOCTURNE.background;
            assert_eq!(picture.at(3, y), mark.unwrap_or(background), "{backend} {row}");
            for x in [1, 5, 6] {
                assert_eq!(picture.at(x, y), background, "{backend} {row} {x}");
            }
        }
        // A theme changes them, too.
        stage.set_look(Look::new(FACES, 14.0, Palette::MATINEE));
        assert_eq!(stage.screenshot().at(3, 15), Palette::MATINEE.marks[0], "{backend}");
    }
}

#[test]
fn hidden_pictures_are_hidden_and_faint_ones_faint() {
    let picture = |flags| {
        let mut stage = Stage::software(200, 100);
        let mut script = Script::new(20, 4);
        script.cursor = None;
        let _ = script.put(0, 0, "🚀", with(flags));
        let _ = stage.surface.apply(script.frame());
        let picture = stage.screenshot();
        let background = Palette::NOCTURNE.background;
        let differs = |p: &[u8]| -> u32 {
            p.iter().zip(background).map(|(a, b)| u32::from(a.abs_diff(b))).sum()
        };
        picture.pixels.chunks_exact(4).map(|pixel| differs(&pixel[..3])).sum::<u32>()
    };
    let (plain, dim) = (picture(0), picture(flags::DIM));
    assert!(dim < plain && dim > 0, "{dim} of {plain}");
    assert_eq!(picture(flags::HIDDEN), 0);
}

#[test]
fn the_link_under_the_pointer_is_underlined() {
    let draw = |held, style: u16| {
        let mut stage = Stage::software(200, 100);
        let mut script = Script::new(20, 4);
        script.cursor = None;
        let _ = script.put(0, 0, "see ", PLAIN).put(0, 4, "https://a.b/c", with(style));
        let _ = stage.surface.apply(script.frame());
        stage.pointer = iced::Point::new(60.0, 12.0);
        let _ = stage.event(iced::mouse::Event::CursorMoved { position: stage.pointer });
        let _ = stage.event(iced::keyboard::Event::ModifiersChanged(held));
        stage.screenshot()
    };
    let (none, ctrl) = (iced::keyboard::Modifiers::empty(), iced::keyboard::Modifiers::CTRL);
    let expected = draw(none, Underline::Single.bits());
    assert_eq!(draw(ctrl, 0).compare(&expected, 0), (0, 0));
    assert_ne!(draw(none, 0).compare(&expected, 0).1, 0);
}

#[test]
fn a_scrolled_terminal_shows_where_it_is() {
    for backend in ["tiny-skia", "wgpu"] {
        let Some(mut stage) = Stage::try_new(backend, 200, 100, 1.0) else {
            eprintln!("SKIPPED: this machine has no `{backend}` renderer");
            return;
        };
        let mut script = Script::new(20, 4);
        script.cursor = None;
        let bar = |picture: &Picture| {
            let background = Palette::NOCTURNE.background;
            (0..100).filter(|y| picture.at(197, *y) != background).collect::<Vec<_>>()
        };
        let _ = stage.surface.apply(script.frame());
        assert_eq!(bar(&stage.screenshot()), [] as [u32; 0], "{backend}");
        script.scroll = Scroll { offset: 50, history: 100, unseen: 0 };
        let _ = stage.surface.apply(script.frame());
        let rows = bar(&stage.screenshot());
        let (first, last) = (rows[0], rows[rows.len() - 1]);
        assert!(first > 20 && last < 80 && last - first >= 20, "{backend}: {rows:?}");
    }
}

#[test]
fn grids_of_every_size_and_frames_that_lie_are_drawn() {
    for backend in ["tiny-skia", "wgpu"] {
        for (width, height) in [(1, 1), (3, 900), (900, 3), (12, 12), (400, 200)] {
            let Some(mut stage) = Stage::try_new(backend, width, height, 1.0) else {
                eprintln!("SKIPPED: this machine has no `{backend}` renderer");
                return;
            };
            for (cols, rows) in [(1, 1), (2, 1), (1000, 500), (1000, 1000), (5, 5)] {
                let mut script = Script::new(cols, rows);
                let _ = script.put(0, 0, "x好", PLAIN).mark(0, Mark::Failed);
                script.scroll = Scroll { offset: u32::MAX, history: 1, unseen: u32::MAX };
                let mut frame = script.frame();
                let wild = Cell { glyph: u32::MAX, flags: u16::MAX, extra: u16::MAX, ..PLAIN };
                frame.size.cols = if cols == 5 { 0 } else { cols };
                let row = maestro_core::screen::Row {
                    cells: vec![wild; usize::from(cols) + 7],
                    ..Default::default()
                };
                frame.rows.push((rows - 1, row));
                frame.cursor = Some(Cursor {
                    row: rows - 1,
                    col: cols.saturating_sub(1),
                    shape: CursorShape::Beam,
                    blinking: true,
                });
                frame.colors = vec![(u16::MAX, [1, 2, 3]), (255, [0; 3])];
                let _ = stage.surface.apply(frame);
                stage.hints =
                    vec![Hint { row: u16::MAX, col: u16::MAX, label: "x".repeat(99), typed: 7 }]
                        .into();
                stage.pointer = iced::Point::new(2.0, 2.0);
                let held = iced::keyboard::Modifiers::CTRL;
                let _ = stage.event(iced::keyboard::Event::ModifiersChanged(held));
                let _ = stage.screenshot();
            }
        }
    }
}

#[test]
fn more_glyphs_than_there_is_room_for_are_drawn_all_the_same() {
    // Type so large that the atlas has room for a few hundred glyphs: braille and octants are 486.
    let glyphs: Vec<char> = ('\u{2801}'..='\u{28ff}').chain('\u{1cd00}'..='\u{1cde5}').collect();
    for backend in ["tiny-skia", "wgpu"] {
        let Some(mut stage) = Stage::try_new(backend, 1600, 700, 1.0) else {
            eprintln!("SKIPPED: this machine has no `{backend}` renderer");
            return;
        };
        let look = Look::new(FACES, 250.0, Palette::NOCTURNE);
        stage.set_look(look.clone());
        for (step, glyphs) in glyphs.chunks(20).enumerate() {
            let mut script = Script::new(10, 2);
            script.cursor = None;
            for (row, glyphs) in (0..).zip(glyphs.chunks(10)) {
                let _ = script.put(row, 0, &glyphs.iter().collect::<String>(), PLAIN);
            }
            let _ = stage.surface.apply(script.frame());
            let _ = stage.screenshot();
            if step % 8 == 0 || step > 22 {
                // What found no room is drawn in the next frame.
                let picture = stage.screenshot();
                let mut fresh = Stage::try_new(backend, 1600, 700, 1.0).expect("as before");
                fresh.set_look(look.clone());
                let _ = fresh.surface.apply(script.frame());
                assert_eq!(fresh.screenshot().compare(&picture, 0), (0, 0), "{backend} {step}");
            }
        }
        if backend == "wgpu" {
            let counts = stage.surface.clock().counters().read();
            assert!(counts.evictions > 0 && counts.atlas.masks.1 < 480, "{counts:?}");
        }
    }
}

#[test]
fn zooming_through_many_sizes_shows_what_a_fresh_window_shows() {
    for backend in ["tiny-skia", "wgpu"] {
        let Some(mut stage) = Stage::try_new(backend, 300, 120, 1.0) else {
            eprintln!("SKIPPED: this machine has no `{backend}` renderer");
            return;
        };
        let mut script = Script::new(20, 4);
        let _ = script.put(0, 0, "Ag好┼", PLAIN);
        let _ = stage.surface.apply(script.frame());
        // Twice through more sizes than are kept: the second time some were given up before.
        for size in (6..30).chain(6..30) {
            stage.set_look(Look::new(FACES, size as f32, Palette::NOCTURNE));
            let picture = stage.screenshot();
            if size % 11 == 0 {
                let mut fresh = Stage::try_new(backend, 300, 120, 1.0).expect("as before");
                fresh.set_look(Look::new(FACES, size as f32, Palette::NOCTURNE));
                let _ = fresh.surface.apply(script.frame());
                assert_eq!(fresh.screenshot().compare(&picture, 0), (0, 0), "{backend} {size}");
            }
        }
        if backend == "wgpu" {
            let atlas = stage.surface.clock().counters().read().atlas;
            assert!((1..=9).contains(&atlas.sizes), "{atlas:?}");
        }
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

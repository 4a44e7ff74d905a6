//! What the typeface does not have.

use cosmic_text::fontdb::{Database, Source};
use maestro_glyph::{FontSystem, Fonts, Raster, Style};

use crate::fonts;

/// A system with these font files and no others.
fn system(files: &[&'static [u8]]) -> FontSystem {
    let mut fonts = Database::new();
    for file in files {
        let _ = fonts.load_font_source(Source::Binary(std::sync::Arc::new(*file)));
    }
    FontSystem::new_with_locale_and_db("en".to_owned(), fonts)
}

fn draw(fonts: &mut Fonts, system: &mut FontSystem, text: &str, columns: u32) -> Raster {
    let style = Style::default();
    fonts
        .raster(text, style, columns)
        .unwrap_or_else(|| fonts.raster_from(system, text, style, columns))
}

#[test]
fn without_any_font_there_are_boxes_and_our_own_letters() {
    let mut fonts = fonts(16.0);
    let mut none = system(&[]);
    let missing = draw(&mut fonts, &mut none, "\u{10fffd}", 1);
    assert!(!missing.is_blank());
    for text in ["好", "🚀", "ก", "⚠\u{fe0f}", "👩\u{200d}💻"] {
        assert!(!draw(&mut fonts, &mut none, text, 2).is_blank(), "{text}");
    }
    // A letter whose mark nobody has can still be read, and so can one with marks the face has.
    let plain = draw(&mut fonts, &mut none, "Z", 1);
    assert_eq!(draw(&mut fonts, &mut none, "Z\u{1ab0}", 1), plain);
    assert_ne!(draw(&mut fonts, &mut none, "e\u{301}", 1), draw(&mut fonts, &mut none, "e", 1));
}

#[test]
fn a_mark_our_face_lacks_comes_with_its_letter_from_a_font_that_has_both() {
    // The interface's own font has marks that the terminal's has not.
    const OTHER: &[u8] = include_bytes!("../../../../resources/fonts/Inter-Regular.otf");
    let mut fonts = fonts(16.0);
    let mut system = system(&[OTHER]);
    let has = |c: char| {
        swash::FontRef::from_index(OTHER, 0).is_some_and(|font| font.charmap().map(c) != 0)
    };
    let own =
        |fonts: &mut Fonts, c: char| fonts.raster(&format!("a{c}"), Style::default(), 1).is_some();
    let mark = ('\u{300}'..'\u{370}').find(|c| has(*c) && !own(&mut fonts, *c));
    let Some(mark) = mark else { panic!("the two fonts have the same marks: choose others") };
    let letter = draw(&mut fonts, &mut system, "a", 1);
    let marked = draw(&mut fonts, &mut system, &format!("a{mark}"), 1);
    assert!(!marked.is_blank());
    assert_ne!(marked, letter, "U+{:04X} is drawn", mark as u32);
}

#[test]
fn flags_are_drawn_from_fonts_whose_glyphs_are_programs() {
    // Fonts of this kind have a name that nobody looks for: it is the only font here.
    let mut fonts = fonts(16.0);
    let mut system = system(&[font_test_data::NOTO_COLOR_EMOJI_FLAGS]);
    let flag = draw(&mut fonts, &mut system, "\u{1f1f8}\u{1f1ea}", 2);
    let metrics = fonts.metrics();
    assert!(flag.color && flag.width <= 2 * metrics.width + 2, "{} wide", flag.width);
    let blue = flag.pixels.chunks_exact(4).filter(|p| p[3] > 200 && p[2] > p[0]).count();
    let yellow =
        flag.pixels.chunks_exact(4).filter(|p| p[3] > 200 && p[0] > 200 && p[2] < 99).count();
    assert!(blue > yellow && yellow > 5, "{blue} and {yellow}");
}

#[test]
fn files_that_are_no_fonts_draw_boxes() {
    const CUT: &[u8] = include_bytes!("../../../../resources/fonts/Inter-Regular.otf");
    let mut fonts = fonts(16.0);
    for file in [&b"not a font"[..], &CUT[..4096], &CUT[..CUT.len() / 2]] {
        let mut system = system(&[file]);
        for text in ["好", "Z\u{1ab0}", "🚀"] {
            assert!(!draw(&mut fonts, &mut system, text, 2).is_blank(), "{text}");
        }
    }
}

#[test]
fn no_text_makes_a_glyph_too_large() {
    let mut fonts = fonts(13.0);
    let metrics = fonts.metrics();
    let mut none = system(&[]);
    let marks: String = ('\u{300}'..'\u{360}').cycle().take(5000).collect();
    for text in [format!("a{marks}"), "x".repeat(5000), "\u{200d}".repeat(100), String::new()] {
        let raster = draw(&mut fonts, &mut none, &text, 1);
        assert!(raster.width < 64 * metrics.width && raster.height < 64 * metrics.height);
    }
}

//! The way from text to pixels, with the real typeface.

mod fallback;
mod seams;

use maestro_glyph::{Faces, Fonts};

const FACES: Faces = Faces {
    regular: include_bytes!("../../../../resources/fonts/JetBrainsMono-Regular.ttf"),
    bold: Some(include_bytes!("../../../../resources/fonts/JetBrainsMono-Bold.ttf")),
    italic: Some(include_bytes!("../../../../resources/fonts/JetBrainsMono-Italic.ttf")),
    bold_italic: Some(include_bytes!("../../../../resources/fonts/JetBrainsMono-BoldItalic.ttf")),
};

fn fonts(size: f32) -> Fonts {
    Fonts::new(&FACES, size, 1.0).expect("the typeface can be read")
}

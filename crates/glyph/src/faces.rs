//! The typeface, as files.

use std::fmt;

/// The four faces of a typeface as the contents of font files. Missing ones are made up from the
/// regular one: slanted, emboldened.
#[derive(Clone, Copy)]
pub struct Faces {
    /// Upright, normal weight. Its metrics decide the size of a cell.
    pub regular: &'static [u8],
    /// Upright, heavy.
    pub bold: Option<&'static [u8]>,
    /// Slanted, normal weight.
    pub italic: Option<&'static [u8]>,
    /// Slanted, heavy.
    pub bold_italic: Option<&'static [u8]>,
}

impl Faces {
    /// A typeface with one face only.
    #[must_use]
    pub const fn regular(regular: &'static [u8]) -> Self {
        Self { regular, bold: None, italic: None, bold_italic: None }
    }

    /// The face for a style, and whether it has the weight and the slant asked for.
    pub(crate) fn all(&self) -> [Option<&'static [u8]>; 4] {
        [Some(self.regular), self.bold, self.italic, self.bold_italic]
    }

    /// Where the files are in memory: embedded files differ by address, so none is compared in full.
    fn addresses(&self) -> [Option<usize>; 4] {
        self.all().map(|file| file.map(|file| file.as_ptr() as usize))
    }
}

impl PartialEq for Faces {
    fn eq(&self, other: &Self) -> bool {
        self.addresses() == other.addresses()
    }
}

impl Eq for Faces {}

impl std::hash::Hash for Faces {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.addresses().hash(state);
    }
}

impl fmt::Debug for Faces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.all().iter().flatten().count();
        write!(f, "Faces({count} of 4)")
    }
}

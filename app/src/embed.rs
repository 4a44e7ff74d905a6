//! Images in what is exported: as much of them as a page can carry.

use std::fs::File;
use std::io::Read as _;

use base64::Engine as _;
use maestro_core::conversation::Image;

/// A larger file is named instead of embedded: bytes.
const FILE: usize = 8 << 20;

/// No more is embedded in one page: bytes.
const PAGE: usize = 32 << 20;

/// Reads images for one page, until there are too many: what each file holds, in base64.
pub fn pictures() -> impl FnMut(&Image) -> Option<String> {
    let mut left = PAGE;
    move |image| {
        let bytes = read(image, FILE.min(left))?;
        left -= bytes.len();
        Some(base64::engine::general_purpose::STANDARD.encode(bytes))
    }
}

/// What an image's file holds. A transcript may name any file: one that is no image stays where it is.
fn read(image: &Image, most: usize) -> Option<Vec<u8>> {
    if !std::fs::metadata(&image.path).ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    let file = File::open(&image.path).ok()?;
    let _ = file.take(most as u64 + 1).read_to_end(&mut bytes).ok()?;
    let kind = image::guess_format(&bytes).ok()?;
    (bytes.len() <= most && kind.to_mime_type() == image.media).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_images_are_embedded() {
        let dir = tempfile::tempdir().expect("a folder");
        let image = |name: &str, bytes: &[u8], media: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, bytes).expect("written");
            Image { path, media: media.to_owned() }
        };
        let mut read = pictures();
        let png = b"\x89PNG\r\n\x1a\n";
        assert_eq!(read(&image("a.png", png, "image/png")).as_deref(), Some("iVBORw0KGgo="));
        assert_eq!(read(&image("b.png", png, "image/gif")), None, "another kind");
        assert_eq!(read(&image("key", b"-----BEGIN KEY", "image/png")), None, "no image");
        let mut large = png.to_vec();
        large.resize(FILE + 1, 0);
        assert_eq!(read(&image("c.png", &large, "image/png")), None, "too large");
        let mut most = png.to_vec();
        most.resize(FILE, 0);
        let many = (0..8).filter(|_| read(&image("d.png", &most, "image/png")).is_some());
        assert_eq!(many.count(), PAGE / FILE - 1, "the page is full");
    }
}

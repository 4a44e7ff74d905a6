//! Pictures that were said: small ones, decoded beside the window.

use std::fs::File;
use std::io::{Cursor, Read as _};
use std::path::{Path, PathBuf};

use iced::advanced::image::Handle;
use image::ImageDecoder as _;

/// Larger files are not decoded.
const FILE: u64 = 24 << 20;

/// Larger pictures are not decoded: four bytes a pixel.
const PIXELS: u64 = 24 << 20;

/// Longer sides are not decoded.
const LONGEST: u32 = 16_384;

/// The longest side of what is kept.
const SIDE: u32 = 480;

/// A picture that can be shown, or not.
#[derive(Debug, Clone)]
pub enum Shown {
    /// It is being looked at.
    Awaited,
    /// It cannot be shown; its name has to do.
    Not,
    /// Here it is.
    Here { handle: Handle, width: u32, height: u32 },
}

/// Decodes a picture and makes it small; of one that moves its first image.
#[must_use]
pub fn read(path: &Path) -> Shown {
    // What a decoder makes of a broken file is its own business, and ends nobody else's picture.
    let decoded = std::panic::catch_unwind(|| decoded(path)).ok().flatten();
    let Some((rgba, width, height)) = decoded else { return Shown::Not };
    let (rgba, width, height) = small(rgba, width, height);
    let handle = Handle::from_rgba(width, height, rgba);
    Shown::Here { handle, width, height }
}

/// Decodes a picture that is in memory already, and makes it small.
#[must_use]
pub fn read_bytes(bytes: Vec<u8>) -> Shown {
    let decoded = std::panic::catch_unwind(|| decoded_bytes(bytes)).ok().flatten();
    let Some((rgba, width, height)) = decoded else { return Shown::Not };
    let (rgba, width, height) = small(rgba, width, height);
    Shown::Here { handle: Handle::from_rgba(width, height, rgba), width, height }
}

/// Reads pictures, away from the window's thread.
pub async fn read_all(paths: Vec<PathBuf>) -> Vec<(PathBuf, Shown)> {
    let read = move || {
        let read = |path: PathBuf| {
            let shown = read(&path);
            (path, shown)
        };
        paths.into_iter().map(read).collect()
    };
    tokio::task::spawn_blocking(read).await.unwrap_or_default()
}

fn decoded(path: &Path) -> Option<(Vec<u8>, u32, u32)> {
    // A pipe would hold whoever opens it.
    if !std::fs::metadata(path).ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    let _ = File::open(path).ok()?.take(FILE).read_to_end(&mut bytes).ok()?;
    decoded_bytes(bytes)
}

fn decoded_bytes(bytes: Vec<u8>) -> Option<(Vec<u8>, u32, u32)> {
    let mut reader = image::ImageReader::new(Cursor::new(bytes)).with_guessed_format().ok()?;
    let mut limits = image::Limits::default();
    (limits.max_image_width, limits.max_image_height) = (Some(LONGEST), Some(LONGEST));
    limits.max_alloc = Some(PIXELS * 8);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().ok()?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > PIXELS || width == 0 || height == 0 {
        return None;
    }
    let turned = decoder.orientation().ok();
    let mut picture = image::DynamicImage::from_decoder(decoder).ok()?;
    if let Some(turned) = turned {
        picture.apply_orientation(turned);
    }
    let rgba = picture.into_rgba8();
    let (width, height) = rgba.dimensions();
    Some((rgba.into_raw(), width, height))
}

/// A picture whose longest side is at most [`SIDE`]: each pixel is the mean of those it stands for.
fn small(rgba: Vec<u8>, width: u32, height: u32) -> (Vec<u8>, u32, u32) {
    let factor = width.max(height).div_ceil(SIDE);
    if factor <= 1 {
        return (rgba, width, height);
    }
    let (new_width, new_height) = ((width / factor).max(1), (height / factor).max(1));
    let mut out = Vec::with_capacity(new_width as usize * new_height as usize * 4);
    for y in 0..new_height {
        for x in 0..new_width {
            let mut sums = [0_u32; 4];
            let mut count = 0;
            for dy in (y * factor)..((y + 1) * factor).min(height) {
                for dx in (x * factor)..((x + 1) * factor).min(width) {
                    let at = (dy as usize * width as usize + dx as usize) * 4;
                    for (sum, byte) in sums.iter_mut().zip(&rgba[at..at + 4]) {
                        *sum += u32::from(*byte);
                    }
                    count += 1;
                }
            }
            out.extend(sums.map(|sum| (sum / count.max(1)) as u8));
        }
    }
    (out, new_width, new_height)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(picture: &image::DynamicImage, kind: image::ImageFormat) -> tempfile::TempPath {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, kind).expect("a picture");
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        std::io::Write::write_all(&mut file, bytes.get_ref()).expect("written");
        file.into_temp_path()
    }

    #[test]
    fn pictures_of_every_kind_become_small() {
        use image::ImageFormat::{Gif, Jpeg, Png, WebP};
        let gray = image::DynamicImage::ImageLuma8(image::GrayImage::new(960, 2));
        let deep = image::DynamicImage::new_rgba16(960, 2);
        let plain = image::DynamicImage::new_rgb8(960, 2);
        for (picture, kind) in [
            (&gray, Png),
            (&deep, Png),
            (&plain, Png),
            (&plain, Jpeg),
            (&plain, Gif),
            (&plain, WebP),
        ] {
            let path = file(picture, kind);
            let Shown::Here { width, height, .. } = read(&path) else { panic!("{kind:?}") };
            assert_eq!((width, height), (480, 1), "{kind:?}");
        }
        let (rgba, ..) = small([[0; 4], [100; 4]].concat().repeat(500), 1000, 1);
        assert_eq!(&rgba[..4], &[33; 4], "the mean of 0, 100 and 0");
    }

    #[test]
    fn a_picture_that_claims_to_be_huge_is_not_decoded() {
        let path = file(&image::DynamicImage::new_luma8(1, 1), image::ImageFormat::Png);
        let mut bytes = std::fs::read(&path).expect("read");
        bytes[16..24].copy_from_slice(&[0, 0, 0x3f, 0xff, 0, 0, 0x3f, 0xff]);
        std::fs::write(&path, bytes).expect("written");
        assert!(matches!(read(&path), Shown::Not));
    }

    #[test]
    fn what_is_no_picture_is_not_shown() {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        std::io::Write::write_all(&mut file, b"\x89PNG\r\n\x1a\nnonsense").expect("written");
        assert!(matches!(read(file.path()), Shown::Not));
        std::fs::write(file.path(), b"GIF89a\xff\xff\xff\xff\xf0\0\0").expect("written");
        assert!(matches!(read(file.path()), Shown::Not));
        assert!(matches!(read(Path::new("/nowhere/at/all.png")), Shown::Not));
        assert!(matches!(read(Path::new("/")), Shown::Not));
    }
}

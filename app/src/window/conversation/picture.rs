//! Pictures that were said: small ones, decoded beside the window.

use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::{Path, PathBuf};

use iced::advanced::image::Handle;

/// Larger files are not decoded.
const FILE: u64 = 24 << 20;

/// Larger pictures are not decoded: four bytes a pixel.
const PIXELS: u64 = 24 << 20;

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

/// Decodes a picture and makes it small. Only PNG is understood: it is what prompts' images are kept as.
#[must_use]
pub fn read(path: &Path) -> Shown {
    let Some((rgba, width, height)) = decoded(path) else { return Shown::Not };
    let (rgba, width, height) = small(rgba, width, height);
    let handle = Handle::from_rgba(width, height, rgba);
    Shown::Here { handle, width, height }
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
    let file = File::open(path).ok()?;
    let mut decoder = png::Decoder::new(BufReader::new(file.take(FILE)));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().ok()?;
    let (width, height) = (reader.info().width, reader.info().height);
    if u64::from(width) * u64::from(height) > PIXELS || width == 0 || height == 0 {
        return None;
    }
    let mut bytes = vec![0; reader.output_buffer_size()?];
    let frame = reader.next_frame(&mut bytes).ok()?;
    bytes.truncate(frame.buffer_size());
    let rgba = match frame.color_type {
        png::ColorType::Rgba => bytes,
        png::ColorType::Rgb => {
            bytes.chunks_exact(3).flat_map(|p| [p[0], p[1], p[2], 255]).collect()
        }
        png::ColorType::Grayscale => bytes.iter().flat_map(|g| [*g, *g, *g, 255]).collect(),
        png::ColorType::GrayscaleAlpha => {
            bytes.chunks_exact(2).flat_map(|p| [p[0], p[0], p[0], p[1]]).collect()
        }
        png::ColorType::Indexed => return None,
    };
    let whole = width as usize * height as usize * 4;
    (rgba.len() == whole).then_some((rgba, width, height))
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

    fn file(width: u32, height: u32, color: png::ColorType, bytes: &[u8]) -> tempfile::TempPath {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        let mut encoder = png::Encoder::new(&mut file, width, height);
        encoder.set_color(color);
        let mut writer = encoder.write_header().expect("a header");
        writer.write_image_data(bytes).expect("a picture");
        writer.finish().expect("a file");
        file.into_temp_path()
    }

    #[test]
    fn pictures_become_small() {
        let path = file(960, 2, png::ColorType::Rgb, &[200; 960 * 2 * 3]);
        let Shown::Here { width, height, .. } = read(&path) else { panic!("not shown") };
        assert_eq!((width, height), (480, 1));
        let (rgba, ..) = small([[0; 4], [100; 4]].concat().repeat(500), 1000, 1);
        assert_eq!(&rgba[..4], &[33; 4], "the mean of 0, 100 and 0");
    }

    #[test]
    fn what_is_no_picture_is_not_shown() {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        std::io::Write::write_all(&mut file, b"\x89PNG\r\n\x1a\nnonsense").expect("written");
        assert!(matches!(read(file.path()), Shown::Not));
        assert!(matches!(read(Path::new("/nowhere/at/all.png")), Shown::Not));
        assert!(matches!(read(Path::new("/")), Shown::Not));
    }
}

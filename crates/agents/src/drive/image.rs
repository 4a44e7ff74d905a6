//! Images that go with a prompt, for the protocols that take them inline.

use std::fs::File;
use std::io::Read as _;

use base64::Engine as _;
use maestro_core::conversation::Image;
use maestro_core::turn::{Failure, FailureKind};

use crate::stream::fail;

/// The bytes of an image's file as base64. Reads at most `limit` bytes of an ordinary file.
///
/// # Errors
///
/// When the file is not there, is no ordinary file, is empty, is larger than `limit`, or is of a kind
/// that no model takes; the sentence says what can be done.
pub(super) fn base64(image: &Image, limit: usize) -> Result<String, Failure> {
    let path = image.path.display();
    let refuse = |why: String| Err(fail(FailureKind::Unusable, why));
    if !matches!(image.media.as_str(), "image/png" | "image/jpeg" | "image/gif" | "image/webp") {
        return refuse(format!(
            "{path} is {}, which no model reads; make it a PNG, JPEG, GIF or WebP.",
            if image.media.is_empty() { "no known image" } else { &image.media }
        ));
    }
    // A pipe or a device could be read for ever.
    match std::fs::metadata(&image.path) {
        Ok(found) if found.is_file() => {}
        Ok(_) => return refuse(format!("{path} is no file; attach the image again.")),
        Err(error) => {
            return refuse(format!("{path} cannot be read ({error}); attach the image again."));
        }
    }
    let mut bytes = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let read = File::open(&image.path).and_then(|file| file.take(most).read_to_end(&mut bytes));
    if let Err(error) = read {
        return refuse(format!("{path} cannot be read ({error}); attach the image again."));
    }
    if bytes.is_empty() {
        return refuse(format!("{path} is empty; attach the image again."));
    }
    if bytes.len() > limit {
        return refuse(format!(
            "{path} is larger than {} KiB, which is more than this model takes; make it smaller.",
            limit >> 10
        ));
    }
    Ok(base64::engine::general_purpose::STANDARD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_read_within_bounds_or_refused_with_a_reason() {
        let dir = tempfile::tempdir().expect("a folder for the test");
        let file = |name: &str, bytes: &[u8]| {
            let path = dir.path().join(name);
            std::fs::write(&path, bytes).expect("written");
            path
        };
        let check = |path: std::path::PathBuf, media: &str, expected: Result<&str, &str>| {
            let image = Image { path, media: media.to_owned() };
            match (base64(&image, 8), expected) {
                (Ok(text), Ok(expected)) => assert_eq!(text, expected),
                (Err(failure), Err(word)) => assert!(failure.message.contains(word), "{failure}"),
                (result, _) => panic!("{result:?} is not {expected:?}"),
            }
        };
        check(file("a.png", b"12345678"), "image/png", Ok("MTIzNDU2Nzg="));
        check(file("b.png", b"123456789"), "image/png", Err("larger"));
        check(file("c.png", b""), "image/png", Err("empty"));
        check(file("d.svg", b"<svg/>"), "image/svg+xml", Err("no model"));
        check(dir.path().join("none.png"), "image/png", Err("cannot be read"));
        check(dir.path().to_owned(), "image/png", Err("no file"));
    }
}

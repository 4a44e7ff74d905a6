//! What is pasted: when it is shown first, how it looks then, and how file names are written so that a
//! shell takes them for what they are.

use std::path::Path;

use maestro_core::text;
use maestro_protocol::message::IMAGE_LIMIT;

use maestro_core::settings::ConfirmPaste;

/// Lines of a paste that are shown before it is typed.
const SHOWN: usize = 8;

/// Characters of a shown line.
const WIDTH: usize = 160;

/// Where a paste goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Into {
    /// Whether a shell reads there.
    pub shell: bool,
    /// Whether what reads there can tell a paste from typing.
    pub bracketed: bool,
}

/// Whether a text is shown before it is typed: line breaks would run commands unseen.
#[must_use]
pub fn is_asked_about(text: &str, into: Into, when: ConfirmPaste) -> bool {
    let breaks = text.contains(['\n', '\r']);
    match when {
        ConfirmPaste::Never => false,
        ConfirmPaste::Always => breaks,
        ConfirmPaste::Shell => breaks && (into.shell || !into.bracketed),
    }
}

/// How many lines a text has.
#[must_use]
pub fn line_count(text: &str) -> usize {
    lines(text).count()
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    let ended = text.strip_suffix('\n').map(|text| text.strip_suffix('\r').unwrap_or(text));
    let body = ended.or_else(|| text.strip_suffix('\r')).unwrap_or(text);
    let pieces = body.split('\n').filter(|_| !text.is_empty());
    pieces.flat_map(|piece| piece.strip_suffix('\r').unwrap_or(piece).split('\r'))
}

/// The first lines of a text as they are shown, and how many more there are.
#[must_use]
pub fn preview(text: &str) -> (Vec<String>, usize) {
    let shown = lines(text).take(SHOWN).map(|line| {
        let line: String = line.chars().take(WIDTH + 1).collect::<String>().replace('\t', "    ");
        let kept: String = line.chars().take(WIDTH).map(visible).collect();
        if line.chars().count() > WIDTH { format!("{kept}…") } else { kept }
    });
    (shown.collect(), line_count(text).saturating_sub(SHOWN))
}

/// A character that would do something, as one that shows it.
fn visible(c: char) -> char {
    match c {
        '\0'..='\u{1f}' => char::from_u32(0x2400 + c as u32).unwrap_or('\u{fffd}'),
        '\u{7f}' => '\u{2421}',
        c if text::is_harmful(c) => '\u{fffd}',
        c => c,
    }
}

/// A text on one line: line breaks and the blanks around them become one blank.
#[must_use]
pub fn one_line(text: &str) -> String {
    let lines = text.split(['\n', '\r']).map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(" ")
}

/// A file's name as one word for a shell.
#[must_use]
pub fn quoted(path: &Path) -> String {
    if cfg!(windows) {
        return format!("\"{}\"", path.display());
    }
    quoted_bytes(path.as_os_str().as_encoded_bytes())
}

fn quoted_bytes(name: &[u8]) -> String {
    match std::str::from_utf8(name) {
        Ok(name) if !name.chars().any(char::is_control) => text::shell_word(name),
        // Line breaks and bytes that are no text: bash, zsh and ksh read this, and nothing else can.
        _ => {
            let mut written = String::from("$'");
            for byte in name {
                match byte {
                    b'\'' | b'\\' => written.extend(['\\', char::from(*byte)]),
                    0x20..=0x7e => written.push(char::from(*byte)),
                    byte => written.push_str(&format!("\\x{byte:02x}")),
                }
            }
            written.push('\'');
            written
        }
    }
}

/// The clipboard's image as a PNG file, `None` where it has none. Waits for other programs: not for the
/// window's thread.
pub fn image() -> Result<Option<Vec<u8>>, String> {
    let said = |error: &dyn std::fmt::Display| format!("the clipboard cannot be read: {error}");
    let mut clipboard = arboard::Clipboard::new().map_err(|error| said(&error))?;
    match clipboard.get_image() {
        Ok(image) => {
            let too_large = || {
                let most = IMAGE_LIMIT / 1024 / 1024;
                format!("the image in the clipboard is too large: a PNG file of {most} MB at most")
            };
            let (Ok(width), Ok(height)) = (image.width.try_into(), image.height.try_into()) else {
                return Err(too_large());
            };
            let png = encode(width, height, &image.bytes)?;
            if png.len() > IMAGE_LIMIT { Err(too_large()) } else { Ok(Some(png)) }
        }
        Err(arboard::Error::ContentNotAvailable) => Ok(None),
        Err(error) => Err(said(&error)),
    }
}

fn encode(width: u32, height: u32, rgba: &[u8]) -> Result<Vec<u8>, String> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    let written = encoder.write_header().and_then(|mut writer| {
        writer.write_image_data(rgba)?;
        writer.finish()
    });
    written.map_err(|error| format!("the image in the clipboard cannot be read: {error}"))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paste_is_shown_where_line_breaks_would_run_something() {
        let agent = Into { shell: false, bracketed: true };
        let plain = Into { shell: false, bracketed: false };
        let shell = Into { shell: true, bracketed: true };
        for (text, into, when, expected) in [
            ("a\nb", agent, ConfirmPaste::Shell, false),
            ("a\nb", plain, ConfirmPaste::Shell, true),
            ("a\nb", shell, ConfirmPaste::Shell, true),
            ("rm -rf x\n", shell, ConfirmPaste::Shell, true),
            ("rm -rf x\r", shell, ConfirmPaste::Shell, true),
            ("rm -rf x", shell, ConfirmPaste::Shell, false),
            ("a\nb", agent, ConfirmPaste::Always, true),
            ("a", shell, ConfirmPaste::Always, false),
            ("a\nb", plain, ConfirmPaste::Never, false),
        ] {
            assert_eq!(is_asked_about(text, into, when), expected, "{text:?} {into:?} {when:?}");
        }
    }

    #[test]
    fn lines_are_counted_however_they_end() {
        for (text, count) in [
            ("", 0),
            ("a", 1),
            ("a\n", 1),
            ("a\nb", 2),
            ("a\r\nb\r\n", 2),
            ("a\rb", 2),
            ("\n\n", 2),
        ] {
            assert_eq!(line_count(text), count, "{text:?}");
        }
    }

    #[test]
    fn what_is_shown_hides_nothing() {
        let (lines, more) = preview("echo \u{1b}[31m\u{202e}x\tend\nnext\n");
        assert_eq!(lines, ["echo ␛[31m\u{fffd}x    end", "next"]);
        assert_eq!(more, 0);
        let (lines, more) = preview(&"line\n".repeat(100));
        assert_eq!((lines.len(), more), (SHOWN, 100 - SHOWN));
        assert!(preview(&"x".repeat(10_000)).0[0].chars().count() <= WIDTH + 1);
    }

    #[test]
    fn a_text_is_made_one_line() {
        for (text, expected) in
            [("a\n  b\r\n\r\nc\n", "a b c"), ("a", "a"), ("\n", ""), (" a b ", "a b")]
        {
            assert_eq!(one_line(text), expected, "{text:?}");
        }
    }

    #[test]
    fn file_names_are_one_word_for_a_shell() {
        for (name, expected) in [
            (&b"/tmp/a.png"[..], "/tmp/a.png"),
            (b"/tmp/two words", "'/tmp/two words'"),
            (b"/tmp/it's", r"/tmp/it\'s"),
            (b"/tmp/$(reboot)", "'/tmp/$(reboot)'"),
            (b"/tmp/`x`;&|<>*?!#\"", "'/tmp/`x`;&|<>*?!#\"'"),
            ("/tmp/ä好".as_bytes(), "'/tmp/ä好'"),
            (b"-rf", "'-rf'"),
            (b"~root", "'~root'"),
            (b"", "''"),
            (b"/a\nb'\\", r"$'/a\x0ab\'\\'"),
            (b"/\xff", r"$'/\xff'"),
        ] {
            assert_eq!(quoted_bytes(name), expected, "{name:?}");
        }
    }
}

//! Control strings a child sends, as payloads: what comes out as events is bounded and clean, and no
//! answer carries the child's own text.
//!
//! 0xFF separates one from the next; the first byte of each says how it ends and how it is cut.

use maestro_core::screen::Size;
use maestro_core::text::is_harmful;
use maestro_terminal::{Event, Options, Outbox, Terminal};

/// In every title and clipboard; in no answer.
const SECRET: &str = "zqzqz";

fn clean(text: &str, limit: usize) {
    assert!(text.chars().count() <= limit, "{} characters", text.chars().count());
    assert!(!text.contains(is_harmful), "{text:?}");
}

pub fn run(data: &[u8]) {
    let options = Options { hostname: Some("here".to_owned()), ..Options::new(Size::new(40, 6)) };
    let mut terminal = Terminal::new(options);
    let mut out = Outbox::new();
    let secret = format!("\x1b]0;{SECRET}\x07\x1b]2;{SECRET}\x07\x1b]52;c;enF6cXo=\x07");
    terminal.advance(secret.as_bytes(), &mut out);
    for piece in data.split(|byte| *byte == 0xff) {
        let [how, payload @ ..] = piece else { continue };
        let mut stream = match how % 6 {
            4 => b"\x1bP".to_vec(),
            5 => b"\x1b_".to_vec(),
            _ => b"\x1b]".to_vec(),
        };
        stream.extend_from_slice(payload);
        stream.extend_from_slice(match how / 6 % 4 {
            0 => b"\x07".as_slice(),
            1 | 2 => b"\x1b\\",
            _ => b"\x18",
        });
        for part in stream.chunks(usize::from(how / 24) * 3 + 1) {
            terminal.advance(part, &mut out);
        }
        for event in out.events.drain(..) {
            match event {
                Event::Title(title) => clean(title.as_deref().unwrap_or(""), 256),
                Event::Directory(path) => {
                    assert!(path.is_absolute(), "{path:?}");
                    clean(&path.to_string_lossy(), 4096);
                }
                Event::Notification { title, body } => {
                    clean(&title, 256);
                    clean(&body, 2048);
                    assert!(!title.is_empty() || !body.is_empty());
                }
                Event::Progress(progress) => {
                    assert!(progress.percent().is_none_or(|percent| percent <= 100));
                }
                Event::Clipboard(text) => assert!(text.len() <= 256 * 1024),
                Event::Status(Some(status)) => {
                    clean(status.app.as_deref().unwrap_or(""), 64);
                    clean(status.text.as_deref().unwrap_or(""), 256);
                }
                _ => {}
            }
        }
        let replies = String::from_utf8_lossy(&out.replies).into_owned();
        assert!(!replies.contains(SECRET) && !replies.contains("enF6cXo"), "{replies:?}");
        assert!(replies.is_empty() || replies.starts_with('\x1b'), "{replies:?}");
        assert!(!replies.contains(['\r', '\n']), "an answer that presses Enter: {replies:?}");
        out.clear();
    }
    assert!(terminal.info().title.is_none_or(|title| title.chars().count() <= 256));
    assert_eq!(terminal.restarts(), 0, "the emulator panicked");
}

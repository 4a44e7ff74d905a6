//! Bytes from a terminal as keys, in the old encoding and in the kitty protocol's.

/// One key, by what it does here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    Char(char),
    Paste(String),
    Enter,
    Newline,
    Backspace,
    Delete,
    Left,
    Right,
    WordLeft,
    WordRight,
    Up,
    Down,
    Home,
    End,
    PageUp,
    PageDown,
    Escape,
    Interrupt,
    EndOfInput,
    Redraw,
    KillLine,
    KillWord,
}

/// Longest paste that is kept.
const PASTE: usize = 1 << 20;
const PASTE_END: &[u8] = b"\x1b[201~";

/// Turns bytes into keys, however they are cut into pieces.
#[derive(Debug, Default)]
pub struct Decoder {
    bytes: Vec<u8>,
    pasting: bool,
}

impl Decoder {
    /// The keys that are complete now. An ESC that nothing follows in the same piece is the key.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Key> {
        self.bytes.extend_from_slice(bytes);
        let mut keys = Vec::new();
        while !self.bytes.is_empty() {
            if self.pasting {
                let Some(end) = find(&self.bytes, PASTE_END) else {
                    self.bytes.truncate(PASTE);
                    break;
                };
                let text = String::from_utf8_lossy(&self.bytes[..end])
                    .replace("\r\n", "\n")
                    .replace('\r', "\n");
                keys.push(Key::Paste(
                    text.chars().filter(|c| !c.is_control() || *c == '\n').collect(),
                ));
                self.pasting = false;
                let _ = self.bytes.drain(..end + PASTE_END.len());
                continue;
            }
            match first(&self.bytes) {
                Some((Token::Key(key), length)) => {
                    keys.push(key);
                    let _ = self.bytes.drain(..length);
                }
                Some((Token::PasteBegins, length)) => {
                    self.pasting = true;
                    let _ = self.bytes.drain(..length);
                }
                Some((Token::Unknown, length)) => {
                    let _ = self.bytes.drain(..length);
                }
                None => break,
            }
        }
        keys
    }
}

enum Token {
    Key(Key),
    PasteBegins,
    Unknown,
}

/// The first token and its length; `None` while it is incomplete.
fn first(bytes: &[u8]) -> Option<(Token, usize)> {
    let key = |key| Some((Token::Key(key), 1));
    match *bytes.first()? {
        0x1b => escape(bytes),
        b'\r' => key(Key::Enter),
        b'\n' => key(Key::Newline),
        0x7f | 0x08 => key(Key::Backspace),
        0x01 => key(Key::Home),
        0x03 => key(Key::Interrupt),
        0x04 => key(Key::EndOfInput),
        0x05 => key(Key::End),
        0x0c => key(Key::Redraw),
        0x15 => key(Key::KillLine),
        0x17 => key(Key::KillWord),
        byte if byte < 0x20 => Some((Token::Unknown, 1)),
        _ => character(bytes),
    }
}

fn character(bytes: &[u8]) -> Option<(Token, usize)> {
    let length = match bytes[0] {
        ..0x80 => 1,
        0xc0..0xe0 => 2,
        0xe0..0xf0 => 3,
        0xf0..0xf8 => 4,
        _ => return Some((Token::Unknown, 1)),
    };
    let text = std::str::from_utf8(bytes.get(..length)?).ok().and_then(|text| text.chars().next());
    Some(text.map_or((Token::Unknown, 1), |c| (Token::Key(Key::Char(c)), length)))
}

fn escape(bytes: &[u8]) -> Option<(Token, usize)> {
    match bytes.get(1) {
        None => Some((Token::Key(Key::Escape), 1)),
        Some(b'\r' | b'\n') => Some((Token::Key(Key::Newline), 2)),
        Some(0x7f) => Some((Token::Key(Key::KillWord), 2)),
        Some(b'b') => Some((Token::Key(Key::WordLeft), 2)),
        Some(b'f') => Some((Token::Key(Key::WordRight), 2)),
        Some(b'[') => {
            let end = bytes[2..].iter().position(|byte| (0x40..=0x7e).contains(byte))? + 2;
            let parameters = String::from_utf8_lossy(&bytes[2..end]).into_owned();
            Some((control_sequence(&parameters, bytes[end]), end + 1))
        }
        Some(b'O') => Some((control_sequence("", *bytes.get(2)?), 3)),
        Some(_) => Some((Token::Unknown, 2)),
    }
}

fn control_sequence(parameters: &str, last: u8) -> Token {
    let mut numbers = parameters.split(';').map(|part| {
        part.split(':').next().and_then(|number| number.parse::<u32>().ok()).unwrap_or(1)
    });
    let (number, modifiers) =
        (numbers.next().unwrap_or(1), numbers.next().unwrap_or(1).saturating_sub(1));
    let released = parameters.split(';').nth(1).is_some_and(|part| part.ends_with(":3"));
    let (shift, alt, control) = (modifiers & 1 != 0, modifiers & 2 != 0, modifiers & 4 != 0);
    if released {
        return Token::Unknown;
    }
    Token::Key(match (last, number) {
        (b'A', _) => Key::Up,
        (b'B', _) => Key::Down,
        (b'C', _) if control || alt => Key::WordRight,
        (b'D', _) if control || alt => Key::WordLeft,
        (b'C', _) => Key::Right,
        (b'D', _) => Key::Left,
        (b'H', _) | (b'~', 1 | 7) => Key::Home,
        (b'F', _) | (b'~', 4 | 8) => Key::End,
        (b'~', 3) => Key::Delete,
        (b'~', 5) => Key::PageUp,
        (b'~', 6) => Key::PageDown,
        (b'~', 200) => return Token::PasteBegins,
        (b'u', 13 | 57414) if shift || alt || control => Key::Newline,
        (b'u', 13 | 57414) => Key::Enter,
        (b'u', 27) => Key::Escape,
        (b'u', 127) if alt || control => Key::KillWord,
        (b'u', 127) => Key::Backspace,
        (b'u', letter) if control => match char::from_u32(letter) {
            Some('c') => Key::Interrupt,
            Some('d') => Key::EndOfInput,
            Some('j') => Key::Newline,
            Some('l') => Key::Redraw,
            Some('u') => Key::KillLine,
            Some('w') => Key::KillWord,
            Some('a') => Key::Home,
            Some('e') => Key::End,
            _ => return Token::Unknown,
        },
        (b'u', letter) if !alt => match char::from_u32(letter).filter(|c| !c.is_control()) {
            Some(c) => Key::Char(c),
            None => return Token::Unknown,
        },
        _ => return Token::Unknown,
    })
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_in_both_encodings() {
        let check = |bytes: &[u8], keys: &[Key]| {
            assert_eq!(Decoder::default().feed(bytes), keys, "{}", bytes.escape_ascii());
        };
        check(b"a\xc3\xbc\r", &[Key::Char('a'), Key::Char('ü'), Key::Enter]);
        check(
            b"\x1b[13;2u\x1b[13u\x1b\r\n",
            &[Key::Newline, Key::Enter, Key::Newline, Key::Newline],
        );
        check(
            b"\x03\x1b[99;5u\x1b[27u\x1b",
            &[Key::Interrupt, Key::Interrupt, Key::Escape, Key::Escape],
        );
        check(b"\x1b[A\x1bOB\x1b[1;5C\x1b[3~", &[Key::Up, Key::Down, Key::WordRight, Key::Delete]);
        check(b"\x1b[200~a\r\nb\x1b[201~c", &[Key::Paste("a\nb".into()), Key::Char('c')]);
        check(b"\x1b[99;5:3u\x1b[?1;2c", &[]);
        check(b"\xff\x00x", &[Key::Char('x')]);
    }

    #[test]
    fn keys_may_come_in_pieces() {
        let mut decoder = Decoder::default();
        assert!(decoder.feed(b"\xc3").is_empty());
        assert_eq!(decoder.feed(b"\xbc\x1b["), [Key::Char('ü')]);
        assert_eq!(decoder.feed(b"A"), [Key::Up]);
        assert!(decoder.feed(b"\x1b[200~hi\x1b[20").is_empty());
        assert_eq!(decoder.feed(b"1~"), [Key::Paste("hi".into())]);
    }
}

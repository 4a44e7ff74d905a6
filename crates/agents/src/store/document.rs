//! A session that is one JSON document, as records: each message of its list, and what is around the list.
//! Only one of them is in memory at a time, however long the document is.

use std::io::{self, BufRead};

use super::lines::{LINE_LIMIT, Line};

/// The key of the list, as it is written.
const LIST: &[u8] = b"\"messages\"";

/// Reads a document.
#[derive(Debug)]
pub(super) struct Document<R> {
    from: R,
    /// What is around the list.
    frame: Vec<u8>,
    in_list: bool,
    place: Place,
}

/// Where in a document a byte is.
#[derive(Debug, Default)]
struct Place {
    depth: u64,
    in_string: bool,
    escaped: bool,
}

impl<R: BufRead> Document<R> {
    pub fn new(from: R) -> Self {
        Self { from, frame: Vec::new(), in_list: false, place: Place::default() }
    }

    /// Reads the next record. What is before the list comes first, and again with all that is around it at the
    /// end. What lies between messages is passed over as what is too long.
    pub fn next(&mut self, record: &mut Vec<u8>) -> io::Result<Line> {
        record.clear();
        let (mut bytes, mut inside, mut long) = (0, false, false);
        loop {
            let part = match self.from.fill_buf() {
                Ok(part) => part,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if part.is_empty() {
                return Ok(match (bytes, inside && !long, self.in_list) {
                    (0, ..) => Line::End,
                    (_, true, _) => Line::Open(bytes),
                    (_, false, true) => Line::Long(bytes),
                    (_, false, false) => {
                        *record = std::mem::take(&mut self.frame);
                        Line::Whole(bytes)
                    }
                });
            }
            let mut used = 0;
            let mut told = None;
            for &byte in part {
                let bare = !self.place.in_string;
                if self.in_list {
                    let between = bare
                        && self.place.depth == 2
                        && (byte.is_ascii_whitespace() || matches!(byte, b',' | b']'));
                    let so_far = bytes + used;
                    if inside && between {
                        told = Some(if long { Line::Long(so_far) } else { Line::Whole(so_far) });
                        break;
                    }
                    if !between && !inside {
                        if so_far > 0 {
                            told = Some(Line::Long(so_far));
                            break;
                        }
                        inside = true;
                    }
                }
                used += 1;
                let begins = bare && byte == b'[' && self.place.depth == 1 && is_key(&self.frame);
                self.place.step(byte);
                if inside {
                    long = long || record.len() >= LINE_LIMIT;
                    if long {
                        *record = Vec::new();
                    } else {
                        record.push(byte);
                    }
                    continue;
                }
                if self.in_list && self.place.depth == 1 {
                    self.in_list = false;
                }
                // One that is too long is cut, and then it is no JSON.
                if !self.in_list && self.frame.len() < LINE_LIMIT {
                    self.frame.push(byte);
                }
                if begins {
                    self.in_list = true;
                    record.extend_from_slice(&self.frame);
                    record.extend_from_slice(b"]}");
                    told = Some(Line::Whole(bytes + used));
                    break;
                }
            }
            self.from.consume(usize::try_from(used).unwrap_or_default());
            bytes += used;
            if let Some(told) = told {
                return Ok(told);
            }
        }
    }
}

impl Place {
    fn step(&mut self, byte: u8) {
        if self.in_string {
            let ends = byte == b'"' && !self.escaped;
            self.escaped = byte == b'\\' && !self.escaped;
            self.in_string = !ends;
            return;
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }
}

/// Whether what was read ends with the key of the list.
fn is_key(frame: &[u8]) -> bool {
    let key = frame.trim_ascii_end().strip_suffix(b":").map(<[u8]>::trim_ascii_end);
    key.and_then(|key| key.strip_suffix(LIST)).is_some_and(|before| !before.ends_with(b"\\"))
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    /// The records of a document, with the bytes of each, whatever the buffer of its reader holds.
    fn records(text: &str) -> Vec<String> {
        let read = |room: usize| {
            let mut document = Document::new(BufReader::with_capacity(room, text.as_bytes()));
            let (mut record, mut told, mut at) = (Vec::new(), Vec::new(), 0);
            loop {
                let bytes = match document.next(&mut record).expect("read") {
                    Line::End => break,
                    Line::Long(bytes) => bytes,
                    Line::Whole(bytes) | Line::Open(bytes) => {
                        told.push(String::from_utf8_lossy(&record).into_owned());
                        if told.len() > 1 && record.starts_with(b"{\"id") {
                            assert!(text[at as usize..].starts_with(&told[told.len() - 1]));
                        }
                        bytes
                    }
                };
                at += bytes;
            }
            assert_eq!(at, text.len() as u64, "{text}");
            told
        };
        let told = read(1);
        for room in [2, 3, 7, 4096] {
            assert_eq!(read(room), told, "{room}: {text}");
        }
        told
    }

    #[test]
    fn a_document_is_its_messages_and_what_is_around_them() {
        for (text, expected) in [
            ("", &[][..]),
            ("{\"a\": [1]}", &["{\"a\": [1]}"]),
            (
                "{\"a\":1,\"messages\" : [ {\"id\":\"]},\\\"[\"} ,\n{\"id\":{\"messages\":[2]}}],\"b\":2}",
                &[
                    "{\"a\":1,\"messages\" : []}",
                    "{\"id\":\"]},\\\"[\"}",
                    "{\"id\":{\"messages\":[2]}}",
                    "{\"a\":1,\"messages\" : [],\"b\":2}",
                ],
            ),
            // Not the list: deeper, in a string, another key.
            ("{\"x\":{\"messages\":[{}]}}", &["{\"x\":{\"messages\":[{}]}}"]),
            ("{\"x\":\"messages\",\"y\":[{}]}", &["{\"x\":\"messages\",\"y\":[{}]}"]),
            ("{\"x\\\"messages\":[{}]}", &["{\"x\\\"messages\":[{}]}"]),
            // While it is being written.
            ("{\"messages\":[{\"id\":1},", &["{\"messages\":[]}", "{\"id\":1}"]),
            ("{\"messages\":[{\"id\":1},{\"id", &["{\"messages\":[]}", "{\"id\":1}", "{\"id"]),
            ("{\"messages\":[]}", &["{\"messages\":[]}", "{\"messages\":[]}"]),
            (
                "]]}}{\"messages\":[3 4]}",
                &["]]}}{\"messages\":[]}", "3", "4", "]]}}{\"messages\":[]}"],
            ),
        ] {
            assert_eq!(records(text), expected, "{text}");
        }
    }

    #[test]
    fn a_message_that_is_too_long_is_passed_over() {
        let long = "x".repeat(LINE_LIMIT);
        let text = format!("{{\"messages\":[{{\"id\":\"{long}\"}},{{\"id\":2}}],\"{long}\":1}}");
        let mut document = Document::new(text.as_bytes());
        let (mut record, mut told) = (Vec::new(), Vec::new());
        loop {
            match document.next(&mut record).expect("read") {
                Line::End => break,
                Line::Long(_) => {}
                _ => told.push(record.len()),
            }
            assert!(record.capacity() <= 2 * LINE_LIMIT);
        }
        assert_eq!(told, ["{\"messages\":[]}".len(), "{\"id\":2}".len(), LINE_LIMIT]);
    }
}

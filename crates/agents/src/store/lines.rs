//! Lines of a file that another program may be writing at this moment.

use std::io::{self, BufRead};

/// The longest line that is looked at, in bytes; longer ones are passed over.
pub const LINE_LIMIT: usize = 8 << 20;

/// What was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A line, with its end: so many bytes of the file.
    Whole(u64),
    /// Something that has no end yet: the last line, while it is being written.
    Open(u64),
    /// A line that is too long: so many bytes were passed over.
    Long(u64),
    /// The file ends here.
    End,
}

/// Reads the next line into `line`, without its end.
pub(super) fn next(from: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Line> {
    line.clear();
    let mut bytes = 0u64;
    let mut long = false;
    loop {
        let part = match from.fill_buf() {
            Ok(part) => part,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if part.is_empty() {
            return Ok(match (bytes, long) {
                (0, _) => Line::End,
                (_, true) => {
                    line.clear();
                    Line::Open(bytes)
                }
                _ => Line::Open(bytes),
            });
        }
        let end = memchr(part);
        let kept = end.unwrap_or(part.len());
        if line.len() + kept > LINE_LIMIT {
            long = true;
            *line = Vec::new();
        }
        if !long {
            line.extend_from_slice(&part[..kept]);
        }
        let used = end.map_or(part.len(), |end| end + 1);
        from.consume(used);
        bytes += used as u64;
        if end.is_some() {
            return Ok(if long { Line::Long(bytes) } else { Line::Whole(bytes) });
        }
    }
}

fn memchr(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|byte| *byte == b'\n')
}

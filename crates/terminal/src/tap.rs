//! Listens to a child's output on its way to the emulator: it finds the control strings the emulator
//! does not know (OSC 7, 9, 99, 133, 777, 1337, 7501), the queries nobody else answers, and the ends of
//! strings that would never end. It keeps its place across chunks by following the same states as the
//! emulator's parser (vte 0.15), so that an OSC inside a DCS stays data.
//!
//! It changes nothing of what the emulator sees but two things: a string longer than its limit is ended,
//! and a repeat count beyond any screen's width is lowered.

use memchr::{memchr, memchr3};

/// The longest OSC, DCS, APC, PM or SOS string; beyond it the string is ended, so that a stray opener
/// does not swallow everything that follows, and the parser's buffer stays bounded.
pub(crate) const STRING_LIMIT: usize = 1024 * 1024;

/// The longest OSC 52 (clipboard) string: 192 KiB of text in base64.
pub(crate) const CLIPBOARD_LIMIT: usize = 256 * 1024;

/// How much of an OSC is kept for reading. None of those read here needs more.
const CAPTURE_LIMIT: usize = 4096;

/// The largest repeat count (`CSI n b`) with four digits or more that goes through: as many as a row can
/// have columns. vte would do 65 535 for seven bytes.
pub(crate) const REPEAT: &[u8] = b"\x1b[1000b";

/// How much of a CSI is kept across chunks.
const CSI_LIMIT: usize = 24;

/// What was found where a scan stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// An OSC ended; [`Tap::osc`] has it.
    Osc,
    /// `CSI > q`: who are you?
    Version,
    /// `CSI = c`: the unit id.
    UnitId,
    /// `CSI ? 996 n`: dark or light?
    ColorScheme,
    /// `CSI ? 6 n`: where is the cursor, and on which page?
    Place,
    /// `CSI 16 t`: how large is a cell?
    CellSize,
    /// `CSI 20 t`: what is the icon's title?
    IconTitle,
    /// `CSI 21 t`: what is the window's title?
    WindowTitle,
    /// `CSI ! p`: a soft reset.
    SoftReset,
    /// `DCS $ q … ST`: a setting; [`Tap::osc`] has which.
    Setting,
    /// `DCS + q … ST`: terminfo's words; [`Tap::osc`] has which.
    Capabilities,
    /// `CSI ? 2026 l`: a synchronized update ended. The parser must not have more before it has shown that:
    /// what it does with the rest of a chunk otherwise depends on where the chunk ends.
    SyncEnd,
    /// A string has reached its limit: the emulator needs a CAN before it sees more.
    TooLong,
    /// A repeat count is too large. The scan stopped before its final byte, which must be replaced by a
    /// CAN and [`REPEAT`], and skipped.
    Repeat,
}

impl Found {
    /// Whether what is answered or done depends on everything that was printed before.
    pub(crate) fn is_about_the_screen(self) -> bool {
        matches!(self, Self::Place | Self::SoftReset | Self::Setting)
    }
}

/// Where in the parser's states the stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Ground,
    Escape,
    EscapeIntermediate,
    Csi,
    Osc,
    /// The head of a DCS, before its final byte.
    DcsEntry,
    DcsParam,
    DcsIntermediate,
    /// A DCS whose head is malformed.
    DcsIgnore,
    DcsData,
    /// The data of a DCS that asks something.
    Request,
    /// SOS, PM or APC.
    Ignored,
}

/// The listener.
#[derive(Debug, Default)]
pub(crate) struct Tap {
    state: State,
    /// Bytes of the current string so far.
    length: usize,
    /// The beginning of the current OSC, or of what a DCS asks.
    osc: Vec<u8>,
    /// The intermediate byte of the current DCS; 0 for none, or several.
    intermediate: u8,
    /// The current CSI as far as it came in earlier chunks.
    csi: Vec<u8>,
}

impl Tap {
    /// Reads on. Returns how many bytes the emulator may have now, and what stopped the scan there;
    /// without a stop, all of them.
    pub(crate) fn scan(&mut self, bytes: &[u8]) -> (usize, Option<Found>) {
        let mut at = 0;
        while at < bytes.len() {
            let (used, found) = match self.state {
                State::Ground => {
                    let Some(quiet) = quiet(&bytes[at..]) else {
                        return (bytes.len(), None);
                    };
                    self.state = State::Escape;
                    (quiet, None)
                }
                State::Csi => self.csi(&bytes[at..]),
                State::Osc | State::Request => self.kept_string(&bytes[at..]),
                State::DcsData | State::DcsIgnore | State::Ignored => self.string(&bytes[at..]),
                _ => {
                    self.head(bytes[at]);
                    (1, None)
                }
            };
            at += used;
            if found.is_some() {
                return (at, found);
            }
        }
        (at, None)
    }

    /// The OSC or request that just ended: everything between its opener and its terminator, cut at 4 KiB.
    pub(crate) fn osc(&self) -> &[u8] {
        &self.osc
    }

    /// Whether plain text comes next, or the rest of a CSI that asks nothing: those are not followed to
    /// their end. Where something was just found, it is text.
    pub(crate) fn in_ground(&self) -> bool {
        self.state == State::Ground
    }

    /// One byte of an escape sequence's or a DCS's head.
    fn head(&mut self, byte: u8) {
        self.state = match (self.state, byte) {
            (_, 0x18 | 0x1a) => State::Ground,
            (_, 0x1b) => State::Escape,
            (State::Escape, b'[') => {
                self.csi.clear();
                State::Csi
            }
            (State::Escape, b']') => {
                self.osc.clear();
                self.length = 0;
                State::Osc
            }
            (State::Escape, b'P') => {
                self.length = 0;
                self.intermediate = 0;
                State::DcsEntry
            }
            (State::Escape, b'X' | b'^' | b'_') => {
                self.length = 0;
                State::Ignored
            }
            (State::Escape, 0x20..=0x2f) => State::EscapeIntermediate,
            (State::Escape | State::EscapeIntermediate, 0x30..=0x7e) => State::Ground,
            (State::DcsIntermediate, b'q') if matches!(self.intermediate, b'$' | b'+') => {
                self.osc.clear();
                State::Request
            }
            (State::DcsEntry | State::DcsParam | State::DcsIntermediate, 0x40..=0x7e) => {
                State::DcsData
            }
            (State::DcsEntry, 0x20..=0x2f) => {
                self.intermediate = byte;
                State::DcsIntermediate
            }
            (State::DcsParam | State::DcsIntermediate, 0x20..=0x2f) => {
                self.intermediate = 0;
                State::DcsIntermediate
            }
            (State::DcsEntry, 0x30..=0x3f) | (State::DcsParam, 0x30..=0x3b) => State::DcsParam,
            (State::DcsParam, 0x3c..=0x3f) | (State::DcsIntermediate, 0x30..=0x3f) => {
                State::DcsIgnore
            }
            (state, _) => state,
        };
    }

    /// A CSI up to its final byte.
    fn csi(&mut self, bytes: &[u8]) -> (usize, Option<Found>) {
        for (at, &byte) in bytes.iter().enumerate() {
            match byte {
                0x40..=0x7e => {
                    self.state = State::Ground;
                    if !asks(byte) {
                        return (at + 1, None);
                    }
                    let found = self.question(&bytes[..at], byte);
                    let used = if found == Some(Found::Repeat) { at } else { at + 1 };
                    return (used, found);
                }
                0x18 | 0x1a => {
                    self.state = State::Ground;
                    return (at + 1, None);
                }
                0x1b => {
                    self.state = State::Escape;
                    return (at + 1, None);
                }
                _ => {}
            }
        }
        let room = CSI_LIMIT - self.csi.len();
        self.csi.extend_from_slice(&bytes[..room.min(bytes.len())]);
        (bytes.len(), None)
    }

    /// What a CSI with these bytes before its final one asks.
    #[cold]
    fn question(&mut self, rest: &[u8], last: u8) -> Option<Found> {
        let room = CSI_LIMIT - self.csi.len();
        self.csi.extend_from_slice(&rest[..room.min(rest.len())]);
        match (self.csi.as_slice(), last) {
            (b">" | b">0", b'q') => Some(Found::Version),
            (b"=" | b"=0", b'c') => Some(Found::UnitId),
            (b"?996", b'n') => Some(Found::ColorScheme),
            (b"?2026", b'l') => Some(Found::SyncEnd),
            (b"?6", b'n') => Some(Found::Place),
            (b"16", b't') => Some(Found::CellSize),
            (b"20", b't') => Some(Found::IconTitle),
            (b"21", b't') => Some(Found::WindowTitle),
            (b"!", b'p') => Some(Found::SoftReset),
            (count, b'b') => is_huge(count).then_some(Found::Repeat),
            _ => None,
        }
    }

    /// A string that is read, up to its end.
    fn kept_string(&mut self, bytes: &[u8]) -> (usize, Option<Found>) {
        let (limit, end) = self.string_end(bytes, self.state == State::Osc);
        let data = &bytes[..end.unwrap_or(bytes.len()).min(limit)];
        let room = CAPTURE_LIMIT - self.osc.len();
        self.osc.extend_from_slice(&data[..room.min(data.len())]);
        self.finish_string(bytes, limit, end)
    }

    /// A string nobody reads, up to its end.
    fn string(&mut self, bytes: &[u8]) -> (usize, Option<Found>) {
        let (limit, end) = self.string_end(bytes, false);
        self.finish_string(bytes, limit, end)
    }

    /// How much more the current string may have, and where it ends within that.
    fn string_end(&self, bytes: &[u8], osc: bool) -> (usize, Option<usize>) {
        let total = if osc && self.is_clipboard(bytes) { CLIPBOARD_LIMIT } else { STRING_LIMIT };
        let limit = total.saturating_sub(self.length).min(bytes.len());
        let within = &bytes[..limit];
        let end = memchr3(0x1b, 0x18, 0x1a, within);
        let within = &within[..end.unwrap_or(limit)];
        // BEL ends only an OSC, 0x9c only a DCS's data: so it is in vte.
        let other = match self.state {
            State::Osc => memchr(0x07, within),
            State::DcsData | State::Request => memchr(0x9c, within),
            _ => None,
        };
        (limit, other.or(end))
    }

    fn is_clipboard(&self, bytes: &[u8]) -> bool {
        let mut head = self.osc.iter().chain(bytes).take(3);
        [b'5', b'2', b';'].iter().all(|wanted| head.next() == Some(wanted))
    }

    fn finish_string(
        &mut self,
        bytes: &[u8],
        limit: usize,
        end: Option<usize>,
    ) -> (usize, Option<Found>) {
        let Some(end) = end else {
            self.length += limit;
            if limit < bytes.len() {
                self.state = State::Ground;
                return (limit, Some(Found::TooLong));
            }
            return (limit, None);
        };
        let last = bytes[end];
        let next = if last == 0x1b { State::Escape } else { State::Ground };
        let found = match (std::mem::replace(&mut self.state, next), last) {
            (State::Osc, 0x07 | 0x1b) => Some(Found::Osc),
            (State::Request, 0x1b | 0x9c) if self.intermediate == b'$' => Some(Found::Setting),
            (State::Request, 0x1b | 0x9c) => Some(Found::Capabilities),
            _ => None,
        };
        (end + 1, found)
    }
}

/// How much comes before the next sequence to look at, its escape included; nothing where there is none.
/// Nearly every sequence is told by its first bytes to be none, and needs no state: should the chunk end
/// within it, the rest reads like text, which holds nothing to look at either.
#[inline]
fn quiet(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += escape(&bytes[at..])? + 1;
        let after = &bytes[at..];
        if is_plain_csi(after) {
            at += 2;
            continue;
        }
        match quiet_csi(after) {
            0 => return Some(at),
            length => at += length,
        }
    }
}

/// Where the next escape is. Where there are many they are close together, closer than a vector search
/// pays for: the first bytes are looked at in words.
#[inline]
fn escape(bytes: &[u8]) -> Option<usize> {
    const WORDS: usize = 4;
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    let (words, _) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().take(WORDS).enumerate() {
        // Zero where the byte is an escape; then the lowest borrow marks the first zero.
        let other = u64::from_le_bytes(*word) ^ (ONES * 0x1b);
        let marks = other.wrapping_sub(ONES) & !other & (ONES * 0x80);
        if marks != 0 {
            return Some(index * 8 + marks.trailing_zeros() as usize / 8);
        }
    }
    let near = words.len().min(WORDS) * 8;
    memchr(0x1b, &bytes[near..]).map(|at| near + at)
}

/// Whether this is a CSI (without its escape) without a private marker whose first number is small: what
/// it is then needs no look, and where it ends does not matter.
#[inline]
fn is_plain_csi(bytes: &[u8]) -> bool {
    let [b'[', rest @ ..] = bytes else { return false };
    for (at, byte) in rest.iter().take(4).enumerate() {
        match byte {
            b'0'..=b'9' => {}
            b'<'..=b'?' => return at > 0,
            b't' | b'!' => return false,
            0x20..=0x7e => return true,
            // What the parser skips or executes within a sequence, or what ends it.
            _ => return false,
        }
    }
    false
}

/// The length of a CSI (without its escape) that is whole and asks nothing, or 0.
#[inline]
fn quiet_csi(bytes: &[u8]) -> usize {
    let [b'[', rest @ ..] = bytes else { return 0 };
    for (at, byte) in rest.iter().enumerate() {
        match byte {
            0x20..0x40 => {}
            b'q' | b'c' | b'n' | b'b' | b'l' | b't' | b'p' => return 0,
            0x40..0x7f => return at + 2,
            _ => return 0,
        }
    }
    0
}

/// Whether a CSI with this final byte may be one to look at.
fn asks(last: u8) -> bool {
    matches!(last, b'q' | b'c' | b'n' | b'b' | b'l' | b't' | b'p')
}

/// Whether the first number of a repeat is 1 000 or more. C0 bytes within are executed by the parser and
/// do not end the number; anything but numbers makes it another sequence.
fn is_huge(parameters: &[u8]) -> bool {
    let mut bytes = parameters.iter().copied().filter(|b| *b >= 0x20);
    let plain = bytes.clone().all(|b| matches!(b, b'0'..=b';'));
    let digits = bytes.by_ref().take_while(u8::is_ascii_digit).skip_while(|b| *b == b'0').count();
    // A number longer than what was kept is taken for a huge one.
    let cut = parameters.len() == CSI_LIMIT && bytes.next().is_none();
    plain && (digits >= 4 || cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything found in a stream given in pieces of `step` bytes.
    fn found(stream: &[u8], step: usize) -> Vec<(Found, Vec<u8>)> {
        let mut tap = Tap::default();
        let mut all = Vec::new();
        for piece in stream.chunks(step) {
            let mut rest = piece;
            while !rest.is_empty() {
                let (used, found) = tap.scan(rest);
                rest = &rest[used..];
                if let Some(found) = found {
                    let kept = matches!(found, Found::Osc | Found::Setting | Found::Capabilities);
                    let osc = if kept { tap.osc().to_vec() } else { Vec::new() };
                    all.push((found, osc));
                    if found == Found::Repeat {
                        rest = &rest[1..];
                    }
                }
            }
        }
        all
    }

    #[track_caller]
    fn check(stream: &[u8], wanted: &[(Found, &str)]) {
        let wanted: Vec<(Found, Vec<u8>)> =
            wanted.iter().map(|(found, osc)| (*found, osc.as_bytes().to_vec())).collect();
        for step in [1, 2, 3, 5, stream.len().max(1)] {
            assert_eq!(found(stream, step), wanted, "in pieces of {step}");
        }
    }

    #[test]
    fn strings_end_where_the_parser_ends_them() {
        check(b"a\x1b]9;hi\x07b", &[(Found::Osc, "9;hi")]);
        check(b"\x1b]9;hi\x1b\\", &[(Found::Osc, "9;hi")]);
        check("\x1b]9;\u{9c}ü\x07".as_bytes(), &[(Found::Osc, "9;\u{9c}ü")]);
        // Cancelled strings say nothing.
        check(b"\x1b]9;hi\x18", &[]);
        check(b"\x1b]9;hi\x1a\x1b]9;b\x07", &[(Found::Osc, "9;b")]);
        // An OSC inside other strings is data until they end.
        check(b"\x1bPq]9;no\x07\x1b\\\x1b]9;yes\x07", &[(Found::Osc, "9;yes")]);
        check(b"\x1b_G]9;no\x07\x1b]9;yes\x07", &[(Found::Osc, "9;yes")]);
        // A designation's final byte opens nothing.
        check(b"\x1b(]9;no\x07", &[]);
        check(b"\x1b[38;2;1;2;3m\x1b]9;a\x07", &[(Found::Osc, "9;a")]);
        check(b"\x1b[1\x1b]9;a\x07", &[(Found::Osc, "9;a")]);
    }

    #[test]
    fn queries_are_found() {
        check(b"\x1b[>q\x1b[>0q", &[(Found::Version, ""), (Found::Version, "")]);
        check(b"\x1b[=c\x1b[?996n", &[(Found::UnitId, ""), (Found::ColorScheme, "")]);
        check(b"\x1b[?2026h\x1b[?25l\x1b[?2026l", &[(Found::SyncEnd, "")]);
        check(b"\x1b[q\x1b[2 q\x1b[c\x1b[>c\x1b[6n\x1b[?5n\x1b[>1q", &[]);
        check(
            b"\x1b[?6n\x1b[16t\x1b[20t\x1b[21t\x1b[!p",
            &[
                (Found::Place, ""),
                (Found::CellSize, ""),
                (Found::IconTitle, ""),
                (Found::WindowTitle, ""),
                (Found::SoftReset, ""),
            ],
        );
        check(b"\x1b[14t\x1b[22;0t\x1b[t\x1b[8;1;2t\x1b[61\"p\x1b[?2026$p\x1b[!q", &[]);
    }

    #[test]
    fn requests_are_read_to_their_end() {
        check(b"\x1bP$qm\x1b\\", &[(Found::Setting, "m")]);
        check(b"\x1bP$q q\x9cx", &[(Found::Setting, " q")]);
        check(b"\x1bP+q524742;544e\x1b\\", &[(Found::Capabilities, "524742;544e")]);
        check(b"\x1bP$qm\x18\x1bP1$qm\x1b\\\x1bP$$qm\x1b\\\x1bPq#0\x1b\\\x1bP$pm\x1b\\", &[]);
        check(b"\x1bP$q\x1b]9;a\x07", &[(Found::Setting, ""), (Found::Osc, "9;a")]);
    }

    /// What is skipped without being followed must be nothing: a stream given byte by byte is followed
    /// through every state.
    #[test]
    fn nothing_is_overlooked_by_not_following() {
        const PIECES: [&[u8]; 24] = [
            b"\x1b[",
            b"\x1b[",
            b"\x1b[",
            b"\x1b]9;a",
            b"\x1bP",
            b"\x1b_",
            b"\x1b(",
            b"\x1b",
            b"\x07",
            b"\x18",
            b"1",
            b"12",
            b"996",
            b"2026",
            b"00",
            b"9999",
            b";",
            b":",
            b">",
            b"=",
            b"?",
            b"\0",
            b"\xff",
            b" ",
        ];
        const FINALS: &[u8] = b"bqcnlhmHK\\A";
        let mut seed = 7_u64;
        let mut random = |below: usize| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            (seed >> 20) as usize % below
        };
        for _ in 0..4000 {
            let mut stream = Vec::new();
            for _ in 0..random(40) {
                stream.extend_from_slice(PIECES[random(PIECES.len())]);
                if random(3) == 0 {
                    stream.push(FINALS[random(FINALS.len())]);
                }
            }
            let followed = found(&stream, 1);
            for step in [3, 8, 17, stream.len().max(1)] {
                assert_eq!(found(&stream, step), followed, "{step}: {}", stream.escape_ascii());
            }
        }
    }

    #[test]
    fn only_huge_repeats_are_lowered() {
        check(b"x\x1b[999b\x1b[b\x1b[00012b\x1b[1;9999b\x1b[9999 b\x1b[?9999b", &[]);
        check(b"x\x1b[65535b", &[(Found::Repeat, "")]);
        check(b"x\x1b[0000065535b", &[(Found::Repeat, "")]);
        check(b"x\x1b[00000000000000000000000000000065535b", &[(Found::Repeat, "")]);
    }

    #[test]
    fn a_string_without_end_is_ended() {
        let mut stream = b"\x1b]0;".to_vec();
        stream.resize(STRING_LIMIT + 100, b'x');
        stream.extend_from_slice(b"\x1b]9;after\x07");
        for step in [1000, 4096, stream.len()] {
            let found: Vec<Found> =
                found(&stream, step).into_iter().map(|(found, _)| found).collect();
            assert_eq!(found, [Found::TooLong, Found::Osc]);
        }
        let mut stream = b"\x1b]52;c;".to_vec();
        stream.resize(CLIPBOARD_LIMIT + 100, b'x');
        assert_eq!(found(&stream, 333).len(), 1);
    }
}

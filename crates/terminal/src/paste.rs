//! Pastes made safe, in pieces: a clipboard can neither end the bracket nor press keys, nor carry what
//! nobody sees.
//!
//! What is left out: control characters except tab and line break (C0, DEL and C1, so also ESC and ETX), the
//! controls that only change how the text around them looks (bidirectional embeddings, overrides and
//! isolates: U+202A to U+202E, U+2066 to U+2069), and tag characters (U+E0000 to U+E007F) anywhere but in
//! the flag emoji they are made for, because a program reads them and its user does not. Joiners, direction
//! marks and variation selectors are part of what people write and stay.

/// What begins a bracketed paste.
const OPENER: &str = "\x1b[200~";

/// What ends it.
const CLOSER: &str = "\x1b[201~";

/// The emoji that tag characters follow in the flags of regions.
const FLAG: char = '\u{1f3f4}';

/// Encodes one paste as it goes to the child, in pieces of any size: the pieces' bytes together are the
/// same however the text was cut. From the first piece on, nothing else may be written to the child until
/// [`Encoder::finish`].
#[derive(Debug, Clone)]
pub struct Encoder {
    bracketed: bool,
    begun: bool,
    /// The last character was a carriage return: a line feed after it is the same line break.
    after_return: bool,
    /// The text so far ends in a flag, or in a flag and tags.
    in_flag: bool,
}

impl Encoder {
    /// A paste begins. `bracketed` says whether the child asked for brackets (mode 2004) at this moment.
    #[must_use]
    pub fn new(bracketed: bool) -> Self {
        Self { bracketed, begun: false, after_return: false, in_flag: false }
    }

    /// Whether the paste is between brackets.
    #[must_use]
    pub fn is_bracketed(&self) -> bool {
        self.bracketed
    }

    /// Adds the bytes of the next piece to `out`: at most as many as the piece has, and six for the opening
    /// bracket.
    pub fn push(&mut self, piece: &str, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.begun, true) && self.bracketed {
            out.extend_from_slice(OPENER.as_bytes());
        }
        out.reserve(piece.len());
        let mut rest = piece;
        while !rest.is_empty() {
            // Nearly everything is plain ASCII and goes in runs.
            let plain = rest.bytes().take_while(|byte| matches!(byte, b'\t' | b' '..=b'~')).count();
            if plain > 0 {
                out.extend_from_slice(&rest.as_bytes()[..plain]);
                self.after_return = false;
                self.in_flag = false;
                rest = &rest[plain..];
                continue;
            }
            let Some(c) = rest.chars().next() else { break };
            self.character(c, out);
            rest = &rest[c.len_utf8()..];
        }
    }

    /// The paste ends, whole or not: the closing bracket, if there was an opening one. Nothing more may be
    /// pushed.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        if std::mem::take(&mut self.begun) && self.bracketed {
            out.extend_from_slice(CLOSER.as_bytes());
        }
    }

    fn character(&mut self, c: char, out: &mut Vec<u8>) {
        let after_return = std::mem::replace(&mut self.after_return, c == '\r');
        let in_flag = self.in_flag;
        let is_tag = matches!(c, '\u{e0000}'..='\u{e007f}');
        self.in_flag = c == FLAG || in_flag && is_tag;
        match c {
            '\n' if after_return => {}
            // Without brackets a line break is what Enter sends.
            '\r' | '\n' => out.push(if self.bracketed { b'\n' } else { b'\r' }),
            c if c.is_control() => {}
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            _ if is_tag && !in_flag => {}
            c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

/// A paste that is there as a whole.
pub(crate) fn encode(text: &str, bracketed: bool) -> Vec<u8> {
    let mut encoder = Encoder::new(bracketed);
    let mut out = Vec::with_capacity(text.len() + OPENER.len() + CLOSER.len());
    encoder.push(text, &mut out);
    encoder.finish(&mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text comes out as wanted, whole and cut anywhere.
    #[track_caller]
    fn check(bracketed: bool, text: &str, wanted: &str) {
        let whole = String::from_utf8(encode(text, bracketed)).expect("text");
        assert_eq!(whole, wanted, "{text:?}");
        let chars: Vec<char> = text.chars().collect();
        for step in 1..4 {
            let mut encoder = Encoder::new(bracketed);
            let mut out = Vec::new();
            for piece in chars.chunks(step) {
                encoder.push(&piece.iter().collect::<String>(), &mut out);
            }
            encoder.finish(&mut out);
            if !text.is_empty() {
                assert_eq!(String::from_utf8_lossy(&out), wanted, "{text:?} by {step}");
            }
        }
    }

    #[test]
    fn line_breaks_have_one_form() {
        check(false, "a\r\nb\nc\rd\te", "a\rb\rc\rd\te");
        check(true, "a\r\nb\nc\rd\te", "\x1b[200~a\nb\nc\nd\te\x1b[201~");
        check(true, "\r\r\n\n", "\x1b[200~\n\n\n\x1b[201~");
        check(true, "", "\x1b[200~\x1b[201~");
        check(false, "", "");
    }

    #[test]
    fn a_paste_presses_no_key() {
        check(false, "a\x1b[A\x03\u{9b}31m\x7fb\0", "a[A31mb");
        check(true, "x\x1b[201~rm -rf /\r", "\x1b[200~x[201~rm -rf /\n\x1b[201~");
        check(true, "x\x1b\x1b[20\u{8}1~\x04\x1a", "\x1b[200~x[201~\x1b[201~");
    }

    #[test]
    fn what_nobody_sees_is_left_out_and_what_people_write_stays() {
        check(false, "a\u{202e}b\u{2066}c\u{2069}", "abc");
        check(false, "hi\u{e0001}\u{e0068}\u{e0069}", "hi");
        let england = "\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}";
        check(false, england, england);
        check(false, "\u{1f3f4}a\u{e0067}", "\u{1f3f4}a");
        for kept in ["👩\u{200d}💻", "e\u{301}", "\u{5d0}\u{200f}!", "❤\u{fe0f}", "好ü\u{a0}"]
        {
            check(false, kept, kept);
        }
    }

    #[test]
    fn a_cancelled_paste_closes_its_bracket_once() {
        let mut encoder = Encoder::new(true);
        let mut out = Vec::new();
        encoder.finish(&mut out);
        assert!(out.is_empty(), "nothing was opened");
        encoder.push("half", &mut out);
        encoder.finish(&mut out);
        encoder.finish(&mut out);
        assert_eq!(out, b"\x1b[200~half\x1b[201~");
    }
}

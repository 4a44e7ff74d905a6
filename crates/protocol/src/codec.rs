//! Bytes on the wire: a hand-shake in a format that never changes, then messages as a length and
//! postcard. Nothing a peer sends can panic us, and no length it claims reserves memory before its
//! bytes have arrived.

use std::io::{self, Read, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use crate::message::{Command, IMAGE_LIMIT, PASTE_LIMIT, ToHost};
use maestro_core::input::Input;

/// The most bytes one message to the host may have, unless [`limit_of`] says more; decoded, the worst
/// message of this size takes some ten times as much for a moment.
pub const MAX_TO_HOST: usize = 4 << 20;

/// What stands around the text of a paste or the bytes of an image in its message, at most.
const AROUND: usize = 64;

/// The most bytes any message to the host may have: a paste.
const MAX_PASTE: usize = PASTE_LIMIT + AROUND;

/// The most bytes of a message with an image.
const MAX_IMAGE: usize = IMAGE_LIMIT + AROUND;

/// Bytes at the beginning of a message to the host in which it stands what kind it is: two variants and
/// two numbers of ten bytes at most.
const KIND: usize = 32;

/// The most bytes one message to a client may have: a screen of 1000×1000 cells with 16 bytes each, or
/// a long history, fits several times.
pub const MAX_TO_CLIENT: usize = 128 << 20;

/// What every connection begins with, in both directions.
const MAGIC: [u8; 8] = *b"maestro\0";

/// What a host that is ending says to whoever comes still. A client that may start a host waits for the
/// end then, instead of telling its user.
pub const STOPPING: &str = "it is stopping; try again in a moment";

/// The longest program version and the longest sentence a hand-shake may carry, in bytes.
const MAX_TEXT: usize = 512;

/// A message that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The transport failed or ended in the middle of a message.
    #[error("the connection broke: {0}")]
    Io(#[from] io::Error),
    /// A message is larger than its direction allows.
    #[error("a message is larger than the {limit} bytes allowed")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// A message is no value of its type.
    #[error("a message makes no sense: {0}")]
    Malformed(#[from] postcard::Error),
    /// A message has bytes after its value.
    #[error("a message has {0} bytes too many")]
    Trailing(usize),
    /// The peer does not speak our language at all.
    #[error("what answers is not Maestro")]
    NotMaestro,
    /// The peer speaks another version of the protocol.
    #[error("{}", mismatch(*.ours, *.theirs, .program))]
    Version {
        /// Our version.
        ours: u32,
        /// Theirs.
        theirs: u32,
        /// Their program's version.
        program: String,
    },
    /// The host refused the connection.
    #[error("the host refused: {0}")]
    Refused(String),
}

fn mismatch(ours: u32, theirs: u32, program: &str) -> String {
    let (this, other) = (env!("CARGO_PKG_VERSION"), program);
    let advice = if theirs < ours {
        "stop the older one: with `maestro host stop` if it is the host, or by closing its window"
    } else {
        "update this one, or use the program that the other was started with"
    };
    format!(
        "Maestro {this} (protocol {ours}) cannot talk to Maestro {other} (protocol {theirs}): {advice}"
    )
}

/// Appends a message with its length to a buffer. Nothing is appended when it fails.
pub fn encode<T: Serialize>(message: &T, limit: usize, into: &mut Vec<u8>) -> Result<(), Error> {
    let start = into.len();
    into.extend_from_slice(&[0; 4]);
    let body = start + 4;
    let written = postcard::serialize_with_flavor(message, Bounded { into, end: body + limit });
    if let Err(error) = written {
        into.truncate(start);
        return Err(match error {
            postcard::Error::SerializeBufferFull => Error::TooLarge { limit },
            other => Error::Malformed(other),
        });
    }
    // The limits are far below 4 GiB.
    let size = (into.len() - body) as u32;
    into[start..body].copy_from_slice(&size.to_le_bytes());
    Ok(())
}

/// Writes whole slices into a buffer and stops at a limit, instead of building what is thrown away.
struct Bounded<'a> {
    into: &'a mut Vec<u8>,
    end: usize,
}

impl postcard::ser_flavors::Flavor for Bounded<'_> {
    type Output = ();

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.try_extend(&[byte])
    }

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        if self.end - self.into.len() < bytes.len() {
            return Err(postcard::Error::SerializeBufferFull);
        }
        self.into.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

/// Reads a message from its bytes, without their length.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    let (message, rest) = postcard::take_from_bytes(bytes)?;
    if rest.is_empty() { Ok(message) } else { Err(Error::Trailing(rest.len())) }
}

/// Reads the next message; `None` at a clean end. `buffer` is reused between calls.
///
/// Not safe to cancel: a dropped future may have taken half a message.
pub async fn read<T: DeserializeOwned, R: AsyncRead + Unpin>(
    from: &mut R,
    limit: usize,
    buffer: &mut Vec<u8>,
) -> Result<Option<T>, Error> {
    let Some(head) = read_head(from).await? else { return Ok(None) };
    let size = checked_size(head, limit)?;
    begin(buffer);
    // Grows as bytes arrive, however much the head claims.
    let _ = from.take(size as u64).read_to_end(buffer).await?;
    finish(size, buffer)
}

/// [`read`] for the host: what a message is allowed to have depends on what it is.
///
/// Not safe to cancel: a dropped future may have taken half a message.
pub async fn read_to_host<R: AsyncRead + Unpin>(
    from: &mut R,
    buffer: &mut Vec<u8>,
) -> Result<Option<ToHost>, Error> {
    let Some(head) = read_head(from).await? else { return Ok(None) };
    let size = checked_size(head, MAX_PASTE)?;
    begin(buffer);
    let mut from = from.take(size as u64);
    if size > MAX_TO_HOST {
        // Before the rest is taken.
        let _ = (&mut from).take(KIND as u64).read_to_end(buffer).await?;
        let limit = claimed_limit(buffer);
        if size > limit {
            return Err(Error::TooLarge { limit });
        }
    }
    let _ = from.read_to_end(buffer).await?;
    finish(size, buffer)
}

/// The bytes with a message's length; `None` at a clean end.
async fn read_head<R: AsyncRead + Unpin>(from: &mut R) -> Result<Option<[u8; 4]>, Error> {
    let mut head = [0; 4];
    let mut have = 0;
    while have < head.len() {
        match from.read(&mut head[have..]).await? {
            0 if have == 0 => return Ok(None),
            0 => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            count => have += count,
        }
    }
    Ok(Some(head))
}

/// The most bytes that a message to the host may have.
#[must_use]
pub fn limit_of(message: &ToHost) -> usize {
    match message {
        ToHost::Input { input: Input::Paste(_), .. } => MAX_PASTE,
        ToHost::Request {
            command: Command::PasteImage { .. } | Command::KeepImage { .. }, ..
        } => MAX_IMAGE,
        ToHost::Request { .. } | ToHost::Input { .. } | ToHost::Credit { .. } => MAX_TO_HOST,
    }
}

/// [`limit_of`] a message of which the first [`KIND`] bytes have come. Variants are numbered from 0 in
/// the order in which they are declared; a test holds the numbers here to that.
fn claimed_limit(bytes: &[u8]) -> usize {
    fn number(bytes: &mut &[u8]) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = bytes.split_first()?;
            *bytes = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }
    let kind = |mut bytes: &[u8]| {
        Some(match number(&mut bytes)? {
            REQUEST => {
                let _id = number(&mut bytes)?;
                match number(&mut bytes)? {
                    PASTE_IMAGE | KEEP_IMAGE => MAX_IMAGE,
                    _ => MAX_TO_HOST,
                }
            }
            INPUT => {
                let (_terminal, _seq) = (number(&mut bytes)?, number(&mut bytes)?);
                if number(&mut bytes)? == PASTE { MAX_PASTE } else { MAX_TO_HOST }
            }
            _ => MAX_TO_HOST,
        })
    };
    kind(bytes).unwrap_or(MAX_TO_HOST)
}

const REQUEST: u64 = 0;
const INPUT: u64 = 1;
const PASTE: u64 = 2;
const PASTE_IMAGE: u64 = 19;
const KEEP_IMAGE: u64 = 71;

/// [`read`] for a blocking transport.
pub fn read_blocking<T: DeserializeOwned, R: Read>(
    from: &mut R,
    limit: usize,
    buffer: &mut Vec<u8>,
) -> Result<Option<T>, Error> {
    let mut head = [0; 4];
    let mut have = 0;
    while have < head.len() {
        match from.read(&mut head[have..]) {
            Ok(0) if have == 0 => return Ok(None),
            Ok(0) => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            Ok(count) => have += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    let size = checked_size(head, limit)?;
    begin(buffer);
    let _ = from.take(size as u64).read_to_end(buffer)?;
    finish(size, buffer)
}

fn checked_size(head: [u8; 4], limit: usize) -> Result<usize, Error> {
    let size = u32::from_le_bytes(head) as usize;
    if size > limit { Err(Error::TooLarge { limit }) } else { Ok(size) }
}

/// Memory of a buffer that is kept for the next message, in bytes: a usual frame fits, one huge
/// message is not carried around for ever.
const KEPT: usize = 256 << 10;

fn begin(buffer: &mut Vec<u8>) {
    buffer.clear();
    buffer.shrink_to(KEPT);
}

fn finish<T: DeserializeOwned>(size: usize, buffer: &mut Vec<u8>) -> Result<Option<T>, Error> {
    if buffer.len() < size {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    let message = decode(buffer).map(Some);
    if buffer.capacity() > KEPT {
        // Now: the next message may be long in coming.
        *buffer = Vec::new();
    }
    message
}

/// The opening words of one side. This format stays the same in every version:
/// magic, protocol version (u32), program version, verdict; texts are a u16 length and UTF-8, numbers
/// little-endian. The verdict is empty when all is well, else a sentence; a client's is always empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// [`crate::message::VERSION`] of the one who speaks.
    pub protocol: u32,
    /// Its program's version, for people.
    pub program: String,
    /// Why the connection is refused; empty when it is not.
    pub verdict: String,
}

impl Hello {
    /// What this program says.
    #[must_use]
    pub fn ours() -> Self {
        Self {
            protocol: crate::message::VERSION,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            verdict: String::new(),
        }
    }

    /// What this program says to refuse a peer.
    #[must_use]
    pub fn refusing(sentence: &str) -> Self {
        Self { verdict: sentence.to_owned(), ..Self::ours() }
    }

    /// Whether this peer and we can talk.
    pub fn check(&self) -> Result<(), Error> {
        let ours = Self::ours().protocol;
        if self.protocol != ours {
            return Err(Error::Version {
                ours,
                theirs: self.protocol,
                program: self.program.clone(),
            });
        }
        if self.verdict.is_empty() { Ok(()) } else { Err(Error::Refused(self.verdict.clone())) }
    }

    /// The words as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&self.protocol.to_le_bytes());
        for text in [&self.program, &self.verdict] {
            let end = (0..=text.len().min(MAX_TEXT)).rev().find(|&end| text.is_char_boundary(end));
            let end = end.unwrap_or(0);
            // At most 512.
            bytes.extend_from_slice(&(end as u16).to_le_bytes());
            bytes.extend_from_slice(&text.as_bytes()[..end]);
        }
        bytes
    }

    /// Reads the peer's words.
    pub async fn read<R: AsyncRead + Unpin>(from: &mut R) -> Result<Self, Error> {
        let mut head = [0; 12];
        let _ = from.read_exact(&mut head).await?;
        let protocol = checked_head(head)?;
        let mut texts = [String::new(), String::new()];
        for text in &mut texts {
            let mut size = [0; 2];
            let _ = from.read_exact(&mut size).await?;
            let mut bytes = vec![0; checked_text(size)?];
            let _ = from.read_exact(&mut bytes).await?;
            *text = plain_text(bytes)?;
        }
        let [program, verdict] = texts;
        Ok(Self { protocol, program, verdict })
    }

    /// [`Hello::read`] for a blocking transport.
    pub fn read_blocking<R: Read>(from: &mut R) -> Result<Self, Error> {
        let mut head = [0; 12];
        from.read_exact(&mut head)?;
        let protocol = checked_head(head)?;
        let mut texts = [String::new(), String::new()];
        for text in &mut texts {
            let mut size = [0; 2];
            from.read_exact(&mut size)?;
            let mut bytes = vec![0; checked_text(size)?];
            from.read_exact(&mut bytes)?;
            *text = plain_text(bytes)?;
        }
        let [program, verdict] = texts;
        Ok(Self { protocol, program, verdict })
    }
}

fn checked_head(head: [u8; 12]) -> Result<u32, Error> {
    let (magic, protocol) = head.split_at(MAGIC.len());
    if magic != MAGIC {
        return Err(Error::NotMaestro);
    }
    Ok(u32::from_le_bytes([protocol[0], protocol[1], protocol[2], protocol[3]]))
}

fn checked_text(size: [u8; 2]) -> Result<usize, Error> {
    match usize::from(u16::from_le_bytes(size)) {
        size if size <= MAX_TEXT => Ok(size),
        _ => Err(Error::NotMaestro),
    }
}

/// Texts of a hand-shake are shown to people by programs that could not check anything else yet.
fn plain_text(bytes: Vec<u8>) -> Result<String, Error> {
    let text = String::from_utf8(bytes).map_err(|_| Error::NotMaestro)?;
    if text.chars().any(char::is_control) { Err(Error::NotMaestro) } else { Ok(text) }
}

/// The client's side of the hand-shake.
pub(crate) async fn greet_host<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
) -> Result<Hello, Error> {
    stream.write_all(&Hello::ours().to_bytes()).await?;
    stream.flush().await?;
    let host = Hello::read(stream).await?;
    host.check()?;
    Ok(host)
}

/// [`greet_host`] for a blocking transport.
pub(crate) fn greet_host_blocking<S: Read + Write>(stream: &mut S) -> Result<Hello, Error> {
    stream.write_all(&Hello::ours().to_bytes())?;
    stream.flush()?;
    let host = Hello::read_blocking(stream)?;
    host.check()?;
    Ok(host)
}

/// The host's side of the hand-shake: it answers whatever the client's version is, so that both can
/// tell their user.
pub(crate) async fn greet_client<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    refuse: Option<&str>,
) -> Result<Hello, Error> {
    let client = Hello::read(stream).await?;
    let answer = refuse.map_or_else(Hello::ours, Hello::refusing);
    stream.write_all(&answer.to_bytes()).await?;
    stream.flush().await?;
    client.check()?;
    refuse.map_or(Ok(client), |sentence| Err(Error::Refused(sentence.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hand_shake_reads_back() {
        let hello = Hello::refusing("too many clients");
        assert_eq!(Hello::read_blocking(&mut hello.to_bytes().as_slice()).expect("read"), hello);
    }

    #[test]
    fn a_long_sentence_is_cut_at_a_character() {
        let bytes = Hello::refusing(&"é".repeat(MAX_TEXT)).to_bytes();
        let read = Hello::read_blocking(&mut bytes.as_slice()).expect("read");
        assert_eq!(read.verdict, "é".repeat(MAX_TEXT / 2));
    }

    #[test]
    fn other_programs_are_recognised() {
        for bytes in [
            b"HTTP/1.1 200 OK\r\n".as_slice(),
            b"maestro\0\x01\0\0\0\xff\xff".as_slice(),
            b"maestro\0\x01\0\0\0\x02\0\xff\xfe\0\0".as_slice(),
            b"maestro\0\x01\0\0\0\x02\0\x1b[\0\0".as_slice(),
        ] {
            let read = Hello::read_blocking(&mut &bytes[..]);
            assert!(matches!(read, Err(Error::NotMaestro)), "{bytes:?}: {read:?}");
        }
    }

    #[test]
    fn both_sides_of_a_mismatch_are_told_what_to_do() {
        let peer = |protocol| Hello { protocol, program: "9.9.9".to_owned(), ..Hello::ours() };
        let ours = crate::message::VERSION;
        let newer = peer(ours + 1).check().expect_err("newer").to_string();
        let older = peer(ours - 1).check().expect_err("older").to_string();
        assert!(newer.contains("9.9.9") && newer.contains("update this one"), "{newer}");
        assert!(older.contains("9.9.9") && older.contains("maestro host stop"), "{older}");
    }

    #[test]
    fn a_message_over_its_limit_leaves_the_buffer_as_it_was() {
        let mut buffer = b"before".to_vec();
        let error = encode(&vec![0u8; 100], 50, &mut buffer).expect_err("too large");
        assert!(matches!(error, Error::TooLarge { limit: 50 }), "{error}");
        assert_eq!(buffer, b"before");
    }

    #[test]
    fn a_claimed_length_reserves_nothing() {
        let mut bytes = (MAX_TO_CLIENT as u32).to_le_bytes().to_vec();
        bytes.extend_from_slice(&[0; 10]);
        let mut buffer = Vec::new();
        let read = read_blocking::<Vec<u8>, _>(&mut bytes.as_slice(), MAX_TO_CLIENT, &mut buffer);
        assert!(matches!(read, Err(Error::Io(_))), "{read:?}");
        assert!(buffer.capacity() < 4096, "{}", buffer.capacity());
    }

    #[test]
    fn what_may_be_large_is_known_by_its_first_bytes() {
        let bytes = |message: &ToHost| {
            let mut bytes = Vec::new();
            encode(message, limit_of(message), &mut bytes).expect("written");
            bytes.split_off(4)
        };
        let terminal = maestro_core::TerminalId(u64::MAX);
        let input = |input| ToHost::Input { terminal, seq: u64::MAX, input };
        let request = |command| ToHost::Request { id: u64::MAX, command };
        for message in [
            input(Input::Paste("text".to_owned())),
            input(Input::Text("text".to_owned())),
            input(Input::Focus(true)),
            request(Command::PasteImage { terminal, png: vec![1, 2, 3] }),
            request(Command::CancelPaste { terminal }),
            request(Command::SetClipboard {
                agent: maestro_core::AgentId(1),
                clipboard: maestro_core::agent::Clipboard::Deny,
            }),
            request(Command::KeepImage { bytes: vec![1; 100] }),
            request(Command::SendBytes { terminal, bytes: vec![2; 100] }),
            ToHost::Credit { terminal },
        ] {
            let bytes = bytes(&message);
            let begin = &bytes[..bytes.len().min(KIND)];
            assert_eq!(claimed_limit(begin), limit_of(&message), "{message:?}");
        }
        for bytes in [&[][..], &[0xff; KIND], &[1], &[1, 0xff, 0xff], &[7, 7, 7, 7]] {
            assert_eq!(claimed_limit(bytes), MAX_TO_HOST, "{bytes:?}");
        }
    }

    #[tokio::test]
    async fn only_pastes_and_images_may_be_large() {
        let terminal = maestro_core::TerminalId(7);
        let text = "x".repeat(MAX_TO_HOST + 1);
        let paste = ToHost::Input { terminal, seq: 1, input: Input::Paste(text.clone()) };
        let mut bytes = Vec::new();
        encode(&paste, limit_of(&paste), &mut bytes).expect("written");
        let mut buffer = Vec::new();
        let read = read_to_host(&mut bytes.as_slice(), &mut buffer).await.expect("read");
        assert!(read == Some(paste), "it came out different");
        assert!(buffer.capacity() <= KEPT, "{} bytes are kept", buffer.capacity());

        let typed = ToHost::Input { terminal, seq: 1, input: Input::Text(text) };
        assert!(matches!(
            encode(&typed, limit_of(&typed), &mut Vec::new()),
            Err(Error::TooLarge { limit: MAX_TO_HOST })
        ));
        bytes.clear();
        encode(&typed, MAX_PASTE, &mut bytes).expect("written");
        let read = read_to_host(&mut bytes.as_slice(), &mut buffer).await;
        assert!(matches!(read, Err(Error::TooLarge { limit: MAX_TO_HOST })));

        let mut huge = (MAX_PASTE as u32 + 1).to_le_bytes().to_vec();
        huge.extend_from_slice(&[1, 7, 1, 2]);
        let read = read_to_host(&mut huge.as_slice(), &mut buffer).await;
        assert!(matches!(read, Err(Error::TooLarge { limit: MAX_PASTE })));
    }

    #[test]
    fn bytes_after_a_message_are_an_error() {
        assert!(matches!(decode::<u8>(&[1, 2, 3]), Err(Error::Trailing(2))));
    }
}

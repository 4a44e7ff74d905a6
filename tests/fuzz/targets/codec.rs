//! Messages from a peer that may be anybody: what can be read can be written, and reads back the same.

use maestro_protocol::codec::{self, Hello};
use maestro_protocol::message::{ToClient, ToHost};

/// More than any message from this much data can have.
const LIMIT: usize = 64 << 20;

macro_rules! round {
    ($type:ty, $bytes:expr) => {
        if let Ok(message) = codec::decode::<$type>($bytes) {
            let mut written = Vec::new();
            codec::encode(&message, LIMIT, &mut written).expect("what was read can be written");
            let again =
                codec::decode::<$type>(&written[4..]).expect("what was written can be read");
            let mut twice = Vec::new();
            codec::encode(&again, LIMIT, &mut twice).expect("what was read can be written");
            assert!(written == twice, "it reads back as something else: {message:?}");
        }
    };
}

pub fn run(data: &[u8]) {
    let [kind, bytes @ ..] = data else { return };
    match kind % 4 {
        0 => round!(ToHost, bytes),
        1 => round!(ToClient, bytes),
        2 => {
            let mut rest = bytes;
            if let Ok(hello) = Hello::read_blocking(&mut rest) {
                let _ = hello.check();
                let again = Hello::read_blocking(&mut hello.to_bytes().as_slice());
                assert_eq!(
                    again.expect("what was written can be read").to_bytes(),
                    hello.to_bytes()
                );
            }
        }
        _ => {
            // As it comes over a socket: with a length, and cut anywhere.
            let (mut rest, mut buffer) = (bytes, Vec::new());
            while let Ok(Some(message)) =
                codec::read_blocking::<ToClient, _>(&mut rest, LIMIT, &mut buffer)
            {
                drop(message);
            }
            assert!(
                buffer.capacity() <= 2 * bytes.len() + (1 << 20),
                "memory for what only was claimed"
            );
        }
    }
}

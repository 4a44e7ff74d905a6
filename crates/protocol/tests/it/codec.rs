//! Every message reads back as it was written, and nothing else a peer sends does any harm.

use std::collections::BTreeMap;
use std::fmt::Debug;

use maestro_core::screen::{Cell, Color, Row, flags};
use maestro_protocol::codec::{self, MAX_TO_CLIENT, MAX_TO_HOST};
use maestro_protocol::message::{ToClient, ToHost};
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::arbitrary::Chance;
use crate::memory;

/// What a message of a few hundred bytes may make us hold at once: the cautious first reservations of
/// serde, one for each level of nesting.
const SMALL: usize = 8 << 20;

fn reads_back<T: Serialize + DeserializeOwned + PartialEq + Debug>(message: &T, limit: usize) {
    let mut bytes = Vec::new();
    codec::encode(message, limit, &mut bytes).expect("written");
    let mut buffer = Vec::new();
    let mut from = bytes.as_slice();
    let read: Option<T> = codec::read_blocking(&mut from, limit, &mut buffer).expect("read");
    assert_eq!(read.as_ref(), Some(message));
    let end: Option<T> = codec::read_blocking(&mut from, limit, &mut buffer).expect("the end");
    assert_eq!(end, None);
}

fn survives<T: DeserializeOwned>(bytes: &[u8]) {
    let (_, peak) = memory::peak(|| codec::decode::<T>(bytes).map(drop));
    assert!(peak < SMALL, "{peak} bytes for a message of {}", bytes.len());
}

#[test]
fn every_message_reads_back() {
    let mut met: BTreeMap<&str, usize> = BTreeMap::new();
    let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..20_000 {
        let mut chance = Chance::new(seed);
        if seed % 2 == 0 {
            reads_back::<ToHost>(&chance.value(), MAX_TO_HOST);
        } else {
            reads_back::<ToClient>(&chance.value(), MAX_TO_CLIENT);
        }
        sizes.extend(chance.enums.iter().copied());
        seen.append(&mut chance.seen);
    }
    for (name, _) in seen {
        *met.entry(name).or_default() += 1;
    }
    for name in ["ToHost", "ToClient", "Command", "Reply", "Event", "Input", "Code"] {
        assert_eq!(met.get(name), sizes.get(name), "not every variant of {name} was tried");
    }
}

proptest! {
    #[test]
    fn random_bytes_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        survives::<ToHost>(&bytes);
        survives::<ToClient>(&bytes);
    }

    #[test]
    fn random_messages_read_back(seed: u64) {
        let mut chance = Chance::new(seed);
        reads_back::<ToHost>(&chance.value(), MAX_TO_HOST);
        reads_back::<ToClient>(&chance.value(), MAX_TO_CLIENT);
    }
}

#[test]
fn damaged_messages_do_no_harm() {
    let mut bytes = Vec::new();
    for seed in 0..30_000 {
        let mut chance = Chance::new(seed);
        bytes.clear();
        if seed % 2 == 0 {
            codec::encode(&chance.value::<ToHost>(), MAX_TO_HOST, &mut bytes).expect("written");
        } else {
            codec::encode(&chance.value::<ToClient>(), MAX_TO_CLIENT, &mut bytes).expect("written");
        }
        let _ = bytes.drain(..4);
        for _ in 0..=chance.below(4) {
            let at = chance.below(bytes.len());
            match chance.below(4) {
                0 if !bytes.is_empty() => bytes[at] = chance.next() as u8,
                1 if !bytes.is_empty() => bytes[at] |= 0x80,
                2 => bytes.truncate(at),
                // A length of its own choice: five bytes of varint.
                _ => {
                    let _ = bytes.splice(at..at, [0xff, 0xff, 0xff, 0xff, 0x0f]);
                }
            }
        }
        survives::<ToHost>(&bytes);
        survives::<ToClient>(&bytes);
    }
}

#[test]
fn streams_of_rubbish_end_in_an_error() {
    for seed in 0..2_000 {
        let mut chance = Chance::new(seed);
        let bytes: Vec<u8> = (0..chance.below(64)).map(|_| chance.next() as u8).collect();
        let mut buffer = Vec::new();
        let mut from = bytes.as_slice();
        let (_, peak) = memory::peak(|| {
            while let Ok(Some(_)) =
                codec::read_blocking::<ToHost, _>(&mut from, MAX_TO_HOST, &mut buffer)
            {}
        });
        assert!(peak < SMALL, "{peak}");
        let _ = codec::Hello::read_blocking(&mut bytes.as_slice());
    }
}

#[test]
fn the_largest_screen_fits_into_a_message() {
    let cell = Cell {
        glyph: 'x' as u32,
        fg: Color::rgb(1, 2, 3),
        bg: Color::indexed(4),
        flags: flags::BOLD,
        extra: 0,
    };
    let row = Row { cells: vec![cell; 1000], ..Row::default() };
    let rows = vec![row; 1000];
    let mut bytes = Vec::new();
    codec::encode(&rows, MAX_TO_CLIENT, &mut bytes).expect("written");
    assert!(bytes.len() < 17 << 20, "{}", bytes.len());
    let read: Vec<Row> = codec::decode(&bytes[4..]).expect("read");
    assert_eq!(read, rows);
}

#[test]
fn half_a_cell_is_refused() {
    let mut bytes = postcard::to_stdvec(&Row { cells: vec![Cell::BLANK; 2], ..Row::default() })
        .expect("written");
    // 32 bytes of cells become 31.
    bytes[0] -= 1;
    let _ = bytes.remove(1);
    assert!(codec::decode::<Row>(&bytes).is_err());
}

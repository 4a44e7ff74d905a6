//! What a frame costs on the wire: a full screen of 120×40 cells, written and read back.
//!
//! Prints one measurement in the form of `cargo xtask bench`.

use std::time::{Duration, Instant};

use maestro_core::TerminalId;
use maestro_core::screen::{Cell, Color, Frame, Modes, Row, Scroll, Size, flags};
use maestro_protocol::codec::{self, MAX_TO_CLIENT};
use maestro_protocol::message::ToClient;

/// Sixteen panes that all change cost the window a millisecond in all: a quarter of its budget for a
/// frame, on a thread that draws nothing.
const BAR: Duration = Duration::from_micros(64);

const RUNS: usize = 2_000;

fn main() {
    let message = ToClient::Frame(Box::new(frame()));
    let mut bytes = Vec::new();
    let mut times: Vec<Duration> = (0..RUNS)
        .map(|_| {
            bytes.clear();
            let begun = Instant::now();
            codec::encode(&message, MAX_TO_CLIENT, &mut bytes).expect("it fits");
            let read: ToClient = codec::decode(&bytes[4..]).expect("it reads back");
            let took = begun.elapsed();
            assert!(matches!(read, ToClient::Frame(_)));
            took
        })
        .collect();
    times.sort_unstable();
    let median = times[RUNS / 2];
    println!(
        "{{\"name\":\"codec_cost\",\"value\":{:.1},\"unit\":\"µs\",\"bar\":\"≤ {} µs\",\"holds\":{},\
         \"peer\":null,\"runs\":{RUNS},\"note\":\"full frame of 120×40, {} bytes, written and read\"}}",
        median.as_secs_f64() * 1e6,
        BAR.as_micros(),
        median <= BAR,
        bytes.len(),
    );
}

fn frame() -> Frame {
    let cell = |col: u16| Cell {
        glyph: u32::from(b'a') + u32::from(col % 26),
        fg: Color::indexed((col % 16) as u8),
        bg: Color::DEFAULT,
        flags: if col.is_multiple_of(7) { flags::BOLD } else { 0 },
        extra: 0,
    };
    let row = Row { cells: (0..120).map(cell).collect(), ..Row::default() };
    Frame {
        terminal: TerminalId(1),
        generation: 1,
        size: Size::new(120, 40),
        full: true,
        rows: (0..40).map(|place| (place, row.clone())).collect(),
        cursor: None,
        modes: Modes::default(),
        scroll: Scroll::default(),
        colors: Vec::new(),
        pointer: maestro_core::screen::Pointer::Default,
        flooding: true,
        input_seq: 0,
    }
}

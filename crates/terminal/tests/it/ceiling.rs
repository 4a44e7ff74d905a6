//! How much memory a terminal takes under whatever its child prints. What is counted is what this test's
//! own thread allocates and has not given back, so that tests beside each other do not disturb it; the
//! ceilings are generous, the floods are not.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use maestro_core::screen::Size;
use maestro_terminal::{Options, Outbox, Terminal, View};

use super::view;

thread_local! {
    static NOW: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

struct Counting;

fn count(change: isize) {
    // The thread's own storage may be gone while it ends.
    let _ = NOW.try_with(|now| {
        now.set(now.get() + change);
        let _ = PEAK.try_with(|peak| peak.set(peak.get().max(now.get())));
    });
}

// SAFETY: every call goes to the system's allocator with the arguments it came with; counting touches
// only constant-initialised cells and never allocates.
#[allow(unsafe_code, reason = "an allocator cannot be written without")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller's promise about the layout is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: the caller's promise about pointer and layout is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size as isize - layout.size() as isize);
        // SAFETY: the caller's promise about pointer, layout and size is passed on.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The most bytes that were held at once during a piece of work, beyond what was held before.
fn peak(work: impl FnOnce()) -> usize {
    let before = NOW.get();
    PEAK.set(before);
    work();
    (PEAK.get() - before).max(0) as usize
}

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// A terminal as an agent has it, with a client that looks now and then.
struct Flooded {
    terminal: Terminal,
    view: View,
    out: Outbox,
    printed: usize,
}

impl Flooded {
    fn new() -> Self {
        let options = Options { scrollback: 2000, ..Options::new(Size::new(120, 40)) };
        Self { terminal: Terminal::new(options), view: view(), out: Outbox::new(), printed: 0 }
    }

    /// What a host does with a chunk: parse, deliver, now and then a frame, and compact when quiet.
    fn print(&mut self, bytes: &[u8]) {
        self.terminal.advance(bytes, &mut self.out);
        self.out.clear();
        self.printed += bytes.len();
        if self.printed % (256 * KIB) < bytes.len() {
            let _ = self.terminal.frame(&mut self.view);
        }
    }

    fn still_works(&mut self) {
        assert_eq!(self.terminal.restarts(), 0, "the emulator panicked");
        self.print(b"\x18\x1b[?2026l\x1bcstill here");
        assert_eq!(super::screen(&mut self.terminal)[0], "still here");
    }
}

/// Prints a piece until there was enough of it, in chunks of 64 KiB.
#[track_caller]
fn flood(
    what: &str,
    total: usize,
    ceiling: usize,
    head: &[u8],
    mut piece: impl FnMut(usize, &mut Vec<u8>),
) {
    let held = peak(|| {
        let mut flooded = Flooded::new();
        flooded.print(head);
        let mut chunk = Vec::with_capacity(80 * KIB);
        let (mut printed, mut number) = (0, 0);
        while printed < total {
            chunk.clear();
            while chunk.len() < 64 * KIB {
                piece(number, &mut chunk);
                number += 1;
            }
            flooded.print(&chunk);
            printed += chunk.len();
        }
        flooded.still_works();
    });
    assert!(
        held <= ceiling,
        "{what}: {} KiB were held, {} are the ceiling",
        held / KIB,
        ceiling / KIB
    );
}

/// 2 000 rows of 120 cells of 24 bytes are 6 MiB, spare rows and frames are as much again.
const USUAL: usize = 20 * MIB;

#[test]
fn yes() {
    flood("yes", 4 * MIB, USUAL, b"", |_, chunk| chunk.extend_from_slice(b"y\r\n"));
}

#[test]
fn a_line_without_end() {
    flood("a line", 4 * MIB, USUAL, b"", |_, chunk| chunk.extend_from_slice(b"0123456789"));
}

#[test]
fn strings_without_end() {
    for opener in [
        &b"\x1b]0;"[..],
        b"\x1b]52;c;",
        b"\x1b]8;;http://",
        b"\x1b]7501;",
        b"\x1bPq",
        b"\x1bP+q",
        b"\x1b_G",
        b"\x1b^",
        b"\x1bX",
    ] {
        let what = String::from_utf8_lossy(opener).escape_default().to_string();
        flood(&what, 2 * MIB, USUAL, opener, |_, chunk| {
            chunk.extend_from_slice(b"0123456789abcdef");
        });
    }
}

#[test]
fn marks_of_no_width() {
    flood("marks", 2 * MIB, USUAL, b"e", |_, chunk| {
        chunk.extend_from_slice("\u{301}\u{200d}\u{fe0f}".as_bytes());
    });
    // Eight on each of them is what a screen full of them may cost, over the whole history.
    flood("a letter with marks", 2 * MIB, 64 * MIB, b"", |_, chunk| {
        chunk.push(b'e');
        chunk.extend_from_slice("\u{301}".repeat(12).as_bytes());
    });
}

#[test]
fn a_million_links() {
    flood("links", 24 * MIB, 48 * MIB, b"", |number, chunk| {
        chunk.extend_from_slice(format!("\x1b]8;id={number};http://a/{number}\x07x").as_bytes());
    });
}

#[test]
fn the_alternate_screen_back_and_forth() {
    flood("flapping", 4 * MIB, USUAL, b"", |_, chunk| {
        chunk.extend_from_slice(b"\x1b[?1049halt\r\n\x1b[?1049lmain\r\n\x1b[?47h\x1b[?47l");
    });
}

#[test]
fn stacks() {
    for push in [
        &b"\x1b[>31u"[..],
        b"\x1b[22t",
        b"\x1b[22;0t",
        b"\x1b]22;>text\x07",
        b"\x1b7",
        b"\x1b[?1s",
        b"\x1b[#{",
    ] {
        let what = String::from_utf8_lossy(push).escape_default().to_string();
        let title = [b"\x1b]0;".as_slice(), &[b't'; 4000], b"\x07"].concat();
        flood(&what, MIB, USUAL, &title, |_, chunk| chunk.extend_from_slice(push));
    }
}

#[test]
fn notifications_and_other_events() {
    for event in [
        &b"\x1b]9;a notification\x07"[..],
        b"\x1b]99;i=1:d=0;part \x07",
        b"\x1b]777;notify;title;body\x07",
        b"\x1b]133;A\x07\x1b]133;B\x07\x1b]133;C\x07\x1b]133;D;1\x07\r\n",
        b"\x1b]7501;state=working:text=abc\x07",
        b"\x07",
        b"\x1b]4;1;#123456\x07\x1b]4;1;?\x07",
    ] {
        let what = String::from_utf8_lossy(event).escape_default().to_string();
        let held = peak(|| {
            let mut flooded = Flooded::new();
            // Nobody takes the events away.
            for _ in 0..16 {
                flooded.terminal.advance(&event.repeat(64 * KIB / event.len()), &mut flooded.out);
            }
            flooded.still_works();
        });
        assert!(held <= USUAL, "{what}: {} KiB", held / KIB);
    }
}

#[test]
fn sizes_back_and_forth() {
    let held = peak(|| {
        let mut flooded = Flooded::new();
        flooded.print("some words that wrap 好 ".repeat(4000).as_bytes());
        for round in 0..120_u16 {
            let size = match round % 4 {
                0 => Size::new(1000, 500),
                1 => Size::new(1, 1),
                2 => Size::new(7, 300),
                _ => Size::new(120, 40),
            };
            flooded.terminal.resize(size);
            flooded.print(b"more\r\n");
            let _ = flooded.terminal.frame(&mut flooded.view);
        }
        flooded.still_works();
    });
    // 500 rows of 1 000 cells are 12 MiB, on two screens; the rows behind them grow with the width.
    assert!(held <= 160 * MIB, "{} MiB", held / MIB);
}

#[test]
fn fifty_floods_at_once() {
    let held = peak(|| {
        let mut all: Vec<Flooded> = (0..50).map(|_| Flooded::new()).collect();
        let flood = "\x1b[31mred\x1b[0m plain text 好 and so on\r\n".repeat(1500);
        for round in 0..4 {
            for flooded in &mut all {
                flooded.print(flood.as_bytes());
                // The host takes its turn when a terminal is quiet.
                if round % 2 == 1 {
                    while flooded.terminal.compact(1000) {}
                }
            }
        }
        let after: isize = NOW.get();
        assert!(after > 0);
    });
    // 4 MiB each: hot rows of a flood between two turns, the rest compressed.
    assert!(held <= 50 * 12 * MIB, "{} MiB", held / MIB);
}

#[test]
fn after_a_flood_little_is_left() {
    let before = NOW.get();
    let mut all: Vec<Flooded> = (0..20).map(|_| Flooded::new()).collect();
    for flooded in &mut all {
        flooded
            .print("0123456789 a line of output that says something\r\n".repeat(10_000).as_bytes());
        while flooded.terminal.compact(1000) {}
    }
    let each = (NOW.get() - before) as usize / all.len();
    // 2 MiB of it are the parser's buffer for synchronized updates, which nobody has touched.
    assert!(each <= 4 * MIB, "{} KiB for a quiet terminal with 2 000 rows", each / KIB);
}

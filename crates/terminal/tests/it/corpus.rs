//! What the fuzzer has found worth keeping, and every input that ever broke something, through the same
//! checks without a fuzzer; and streams with more structure than chance would give them.

use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;

#[path = "../../../../tests/fuzz/targets/input.rs"]
mod input;
#[path = "../../../../tests/fuzz/targets/links.rs"]
mod links;
#[path = "../../../../tests/fuzz/targets/osc.rs"]
mod osc;
#[path = "../../../../tests/fuzz/targets/terminal.rs"]
mod terminal;

#[track_caller]
fn replay(target: &str, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/corpus").join(target);
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("the corpus is in the repository") {
        let path = entry.expect("an entry").path();
        let data = std::fs::read(&path).expect("a file");
        if std::panic::catch_unwind(|| run(&data)).is_err() {
            panic!("{} breaks something", path.display());
        }
        count += 1;
    }
    assert!(count > 0, "the corpus is not empty");
}

#[test]
fn corpus_of_the_terminal() {
    replay("terminal", terminal::run);
}

#[test]
fn corpus_of_input() {
    replay("input", input::run);
}

#[test]
fn corpus_of_links() {
    replay("links", links::run);
}

#[test]
fn corpus_of_control_strings() {
    replay("osc", osc::run);
}

/// Pieces of output, and things that are done between them.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let known: Vec<&'static [u8]> = vec![
        b"text ",
        b"one two (three)\r\n",
        b"\r\n",
        b"\n\n\n\n\n\n\n\n",
        "好".as_bytes(),
        "e\u{301}".as_bytes(),
        "👩\u{200d}🚀".as_bytes(),
        "❤\u{fe0f}".as_bytes(),
        b"\xe5",
        b"\xa5\xbd",
        b"\xff",
        b"\t",
        b"\x08",
        b"\x1b[2J",
        b"\x1b[3J",
        b"\x1b[H",
        b"\x1b[3;5H",
        b"\x1b[99;99H",
        b"\x1b[K",
        b"\x1b[1K",
        b"\x1b[1J",
        b"\x1b[3X",
        b"\x1b[2@",
        b"\x1b[2P",
        b"\x1b[99P",
        b"\x1b[2L",
        b"\x1b[2M",
        b"\x1b[3S",
        b"\x1b[3T",
        b"x\x1b[9b",
        b"\x1b[2;4r",
        b"\x1b[r",
        b"\x1b[?6h",
        b"\x1b[?6l",
        b"\x1b[4h",
        b"\x1b[4l",
        b"\x1b[20h",
        b"\x1b[?7l",
        b"\x1b[?7h",
        b"\x1b[?25l",
        b"\x1b[?25h",
        b"\x1b[?1049h",
        b"\x1b[?1049l",
        b"\x1b[?47h",
        b"\x1b[?47l",
        b"\x1b7",
        b"\x1b8",
        b"\x1bM",
        b"\x1b#8",
        b"\x1bc",
        b"\x1b[!p",
        b"\x1b[31;1;4:3m",
        b"\x1b[48;2;1;2;3m",
        b"\x1b[0m",
        b"\x1b[?2026h",
        b"\x1b[?2026l",
        b"\x1b]133;A\x07$ ",
        b"\x1b]133;B\x07",
        b"\x1b]133;C\x07",
        b"\x1b]133;D;1\x07",
        b"\x1b]8;;https://a\x07",
        b"\x1b]8;;\x07",
        b"\x1b]0;title\x07",
        b"\x1b]4;1;#123456\x07",
        b"\x1b]104\x07",
        b"\x1b]22;text\x07",
        b"\x1b[>1u",
        b"\x1b[<u",
        b"\x1b[5 q",
        b"\x1bP+q\x1b\\",
        b"\x1b_G",
        b"\x18",
    ];
    prop_oneof![
        6 => proptest::sample::select(known).prop_map(<[u8]>::to_vec),
        5 => any::<[u8; 3]>().prop_map(|[what, a, b]| vec![terminal::MARK, what, a, b]),
        3 => any::<u8>().prop_map(|what| vec![terminal::WORD, what]),
        1 => (1_usize..60).prop_map(|lines| "a line\r\n".repeat(lines).into_bytes()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is printed and done: what clients put together from the frames they took, however
    /// seldom, is the host's screen; nothing panics; nothing exceeds its bounds.
    #[test]
    fn clients_end_with_the_screen_whatever_happens(
        size in any::<[u8; 2]>(),
        pieces in vec(piece(), 0..80),
    ) {
        let mut data = size.to_vec();
        data.extend(pieces.concat());
        terminal::run(&data);
    }
}

//! The fuzzer's corpus of messages, without a fuzzer.

#[path = "../../../../tests/fuzz/targets/codec.rs"]
mod codec;

#[test]
fn corpus_of_messages() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fuzz/corpus/codec");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("the corpus is in the repository") {
        let path = entry.expect("an entry").path();
        codec::run(&std::fs::read(&path).expect("a file"));
        count += 1;
    }
    assert!(count > 0, "the corpus is not empty");
}

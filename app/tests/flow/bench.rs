//! `maestro bench`: that it measures at all, and what it prints. Never how fast anything is.

use serde_json::Value;

use crate::place::Place;

#[test]
fn the_grid_is_measured_off_the_screen() {
    let place = Place::new();
    let tiny = ["bench", "grid", "--headless", "--panes", "3", "--frames", "4", "--size", "20x5"];
    let ended = place.run(&[&tiny[..], &["--json"]].concat());
    if ended.stderr.contains("no graphics adapter") {
        eprintln!("SKIPPED: the grid's benchmark: {}", ended.stderr.trim());
        return;
    }
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let value: Value = serde_json::from_str(&ended.stdout).expect("one JSON object");
    let number = |pointer: &str| value.pointer(pointer).and_then(Value::as_f64);
    assert_eq!((number("/panes"), number("/frames")), (Some(3.0), Some(4.0)), "{value}");
    for part in ["ours", "encoding", "uploading", "recording", "submitting"] {
        for share in ["p50", "p99", "max"] {
            let pointer = format!("/cpu_ms/{part}/{share}");
            assert!(number(&pointer).is_some_and(|time| time >= 0.0), "{pointer}: {value}");
        }
    }
    assert!(value["adapter"].as_str().is_some_and(|name| !name.is_empty()), "{value}");
    assert!(value["bar"]["holds"].is_boolean(), "{value}");
    // Every cell of every terminal goes over in every frame, sixteen bytes each, and new glyphs do.
    let all = f64::from(3 * 20 * 5 * 16);
    assert!(number("/uploaded_bytes/p50").is_some_and(|bytes| bytes >= all), "{value}");
    assert!(number("/atlas/text/taken").is_some_and(|taken| taken > 0.0), "{value}");

    let row = place.run(&[&tiny[..], &["--change", "row", "--json"]].concat());
    let value: Value = serde_json::from_str(&row.stdout).expect("one JSON object");
    let bytes = value.pointer("/uploaded_bytes/p50").and_then(Value::as_f64);
    assert!(bytes.is_some_and(|bytes| (20.0 * 16.0..all).contains(&bytes)), "one row: {value}");
    assert!(place.ok(&tiny).contains("adapter"), "people are told the same");
}

#[test]
fn what_cannot_be_measured_is_said_in_a_sentence() {
    let mut place = Place::new();
    // Graphics libraries complain on the standard error where there is none.
    place.set("XDG_RUNTIME_DIR", place.user());
    for (word, args) in [
        ("--headless", &["bench", "grid"][..]),
        ("panes", &["bench", "grid", "--headless", "--panes", "0"]),
    ] {
        let ended = place.run(args);
        assert_eq!(ended.code, Some(2), "{ended}");
        assert!(ended.stderr.contains(word), "{ended}");
    }
    let _ = place.fails(
        1,
        &["graphics adapter"],
        &["bench", "grid", "--headless", "--adapter", "a card that nobody has", "--frames", "1"],
    );
}

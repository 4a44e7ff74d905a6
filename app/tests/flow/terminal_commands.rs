//! What else can be done to a terminal from the command line: search, copy, empty, set back, export,
//! paste into, count.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use crate::place::{Place, end, until};

#[test]
fn a_terminal_is_searched_and_its_last_output_printed() {
    let place = Place::new();
    let script = r"printf '\033]133;A\007$ \033]133;B\007seq\r\n\033]133;C\007'; seq 1 5000; \
                   printf '\033]133;D;0\007\033]133;A\007$ '; sleep 600";
    let id = place.ok(&["terminal", "new", "--size", "60x10", "--", "sh", "-c", script]);
    let _ = place.shows(&id, "5000");
    assert_eq!(place.json(&["terminal", "search", &id, "4999"]), json!({ "matches": 1 }));
    assert_eq!(place.ok(&["terminal", "search", &id, "nothing like this"]), "0");
    let regex = ["terminal", "search", &id, "-E", "^49.9$"];
    assert_eq!(place.ok(&regex), "10");
    assert_eq!(place.ok(&["terminal", "search", &id, "SEQ"]), "0");
    assert_eq!(place.ok(&["terminal", "search", &id, "SEQ", "--case", "insensitive"]), "1");
    let _ = place.fails(2, &[], &["terminal", "search", &id, "-E", "a(b"]);
    let _ = place.fails(1, &["t99"], &["terminal", "search", "t99", "x"]);

    let output = place.ok(&["terminal", "copy-output", &id]);
    let lines: Vec<String> = (1..=5000).map(|number| number.to_string()).collect();
    assert!(
        output.lines().eq(lines.iter().map(String::as_str)),
        "{} lines",
        output.lines().count()
    );
    let other = place.ok(&["terminal", "new", "--", "sh", "-c", "echo plain; sleep 600"]);
    let _ = place.shows(&other, "plain");
    let _ = place.fails(1, &["OSC 133"], &["terminal", "copy-output", &other]);
}

#[test]
fn a_terminal_is_emptied_and_set_back() {
    let place = Place::new();
    let script = r"seq 1 500; printf '\033[?2004h\033[?1003hlast'; sleep 600";
    let id = place.ok(&["terminal", "new", "--size", "60x10", "--", "sh", "-c", script]);
    let _ = place.shows(&id, "last");
    let modes = place.json(&["terminal", "show", &id])["modes"].clone();
    assert_eq!((&modes["mouse"], &modes["bracketed_paste"]), (&json!(true), &json!(true)));
    let _ = place.ok(&["terminal", "reset", &id]);
    let shown = place.json(&["terminal", "show", &id]);
    let modes = &shown["modes"];
    assert_eq!((&modes["mouse"], &modes["bracketed_paste"]), (&json!(false), &json!(false)));
    assert_eq!(shown["rows"][9]["text"], "last", "what it shows stays");

    let _ = place.ok(&["terminal", "clear", &id]);
    let shown = place.json(&["terminal", "show", &id, "--history"]);
    assert_eq!(shown["rows"][0]["text"], "last");
    assert_ne!(shown["history"], json!([]));
    let _ = place.ok(&["terminal", "clear", &id, "--history"]);
    assert_eq!(place.json(&["terminal", "show", &id, "--history"])["history"], json!([]));
}

#[test]
fn a_terminal_is_exported_into_a_file_that_was_not_there() {
    let place = Place::new();
    let script = r"seq 1 3000; printf '\033[31mred\033[0m\n'; sleep 600";
    let id = place.ok(&["terminal", "new", "--size", "60x10", "--", "sh", "-c", script]);
    let _ = place.shows(&id, "red");
    let file = place.path("export.txt");
    let name = file.display().to_string();
    let _ = place.ok(&["terminal", "export", &id, &name]);
    let text = fs::read_to_string(&file).expect("written");
    let lines: String = (1..=3000).map(|number| format!("{number}\n")).collect();
    assert_eq!(text.trim_end(), lines + "red");
    assert_eq!(fs::metadata(&file).expect("there").permissions().mode() & 0o777, 0o600);
    let _ = place.fails(2, &["is there already"], &["terminal", "export", &id, &name]);
    assert_eq!(fs::read_to_string(&file).expect("read"), text);
    // Relative to where the command runs, not to where the host does.
    let told = place.json(&["terminal", "export", &id, "coloured.txt", "--ansi"]);
    let coloured = place.user().join("coloured.txt");
    assert_eq!(told, json!({ "file": coloured }));
    assert!(fs::read_to_string(&coloured).expect("written").contains("\x1b["));
    let _ = place.fails(1, &["there is no folder"], &["terminal", "export", &id, "no/such/file"]);
}

#[test]
fn text_and_images_are_pasted() {
    let place = Place::new();
    let got = place.path("got");
    let script =
        format!(r"stty raw -echo; printf '\033[?2004hready'; exec cat > '{}'", got.display());
    let id = place.ok(&["terminal", "new", "--", "sh", "-c", &script]);
    let _ = place.shows(&id, "ready");
    let text: String = (0..200_000).map(|line| format!("line {line}\n")).collect();
    let file = place.path("text");
    fs::write(&file, &text).expect("written");
    let _ = place.ok(&["terminal", "paste", &id, &file.display().to_string()]);
    let wanted = format!("\x1b[200~{text}\x1b[201~");
    until("the text arrives", || {
        (fs::metadata(&got).is_ok_and(|got| got.len() >= wanted.len() as u64)).then_some(())
    });
    assert!(fs::read(&got).expect("read") == wanted.as_bytes(), "it came out different");
    let _ = end(place.command(["terminal", "paste", &id, "-"]), b"a\x1b[201~b").ok();
    until("the input arrives", || {
        fs::read(&got).is_ok_and(|got| got.ends_with(b"\x1b[200~a[201~b\x1b[201~")).then_some(())
    });

    let image = place.path("image.png");
    fs::write(&image, b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR").expect("written");
    let _ = place.ok(&["terminal", "paste", &id, "--image", &image.display().to_string()]);
    until("the path arrives", || {
        fs::read(&got).is_ok_and(|got| got.ends_with(b".png\x1b[201~")).then_some(())
    });
    let text = file.display().to_string();
    let _ = place.fails(2, &["PNG"], &["terminal", "paste", &id, "--image", &text]);
    let _ = place.fails(1, &["cannot be read"], &["terminal", "paste", &id, "/no/such/file"]);
    fs::write(&file, [0xff, 0xfe]).expect("written");
    let _ = place.fails(2, &["UTF-8"], &["terminal", "paste", &id, &text]);
}

#[test]
fn a_paste_that_nobody_reads_is_cancelled() {
    let place = Place::new();
    let script = "stty raw -echo; echo ready; sleep 600";
    let id = place.ok(&["terminal", "new", "--", "sh", "-c", script]);
    let _ = place.shows(&id, "ready");
    let file = place.path("text");
    fs::write(&file, "x".repeat(8 << 20)).expect("written");
    let name = file.display().to_string();
    let mut pasting = place.command(["terminal", "paste", &id, &name]);
    let mut pasting = pasting.spawn().expect("started");
    until("it goes on", || {
        let info = &place.json(&["terminal", "list"])[0];
        (info["pasting"]["total"] == json!(8 << 20)).then_some(())
    });
    let stats = place.json(&["terminal", "stats"]);
    assert_eq!(stats[0]["terminal"], json!(id));
    assert!(stats[0]["unwritten"].as_u64().is_some_and(|bytes| bytes > 7 << 20), "{stats}");
    let table = place.ok(&["terminal", "stats"]);
    assert!(table.starts_with("TERMINAL") && table.contains("MiB"), "{table}");
    let _ = place.fails(1, &["another large paste"], &["terminal", "paste", &id, &name]);
    let _ = place.ok(&["terminal", "paste", &id, "--cancel"]);
    assert!(pasting.wait().expect("ended").success());
    assert_eq!(place.json(&["terminal", "list"])[0]["pasting"], json!(null));
}

#[test]
fn an_agent_is_told_whether_it_may_write_to_the_clipboard() {
    let place = Place::new();
    let _ = place.ok(&["agent", "new", "api", "-p", "shell", "--no-start"]);
    for (policy, words) in [("deny", "may not be written"), ("ask", "after asking")] {
        let told = place.json(&["agent", "clipboard", "api", policy]);
        assert_eq!(told["clipboard"], json!(policy));
        let shown = place.ok(&["agent", "show", "api"]);
        assert!(shown.contains(words), "{shown}");
    }
    let _ = place.fails(1, &["nobody"], &["agent", "clipboard", "nobody", "allow"]);
}

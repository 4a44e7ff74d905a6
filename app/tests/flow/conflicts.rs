//! Branches that collide, told while they are being written.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::place::Place;

/// How long anything may take; far more than it needs.
const DEADLINE: Duration = Duration::from_secs(60);

/// Which pairs of branches conflict, in order.
fn clashes(matrix: &Value) -> Vec<(String, String)> {
    let name = |at: &Value| match at.as_u64() {
        Some(at) => matrix["sides"][at as usize]["branch"].as_str().unwrap_or_default().to_owned(),
        None => "target".to_owned(),
    };
    let cells = matrix["cells"].as_array().cloned().unwrap_or_default();
    let clashing = cells.into_iter().filter(|cell| cell["fit"]["conflicts"].is_array());
    clashing.map(|cell| (name(&cell["a"]), name(&cell["b"]))).collect()
}

#[test]
fn a_save_that_collides_is_told_and_so_is_its_end() {
    let place = Place::new();
    let repository = place.repository("shop");
    let dir = repository.display().to_string();
    let [a, b] = ["a", "b"].map(|name| place.ok(&["worktree", "new", name, "-r", &dir]));
    let mut watching = place.command(["conflicts", "--watch", "--jsonl", "-r", &dir]);
    let mut watching = watching.stdout(Stdio::piped()).spawn().expect("it starts");
    let lines = BufReader::new(watching.stdout.take().expect("piped")).lines();
    let (sender, told) = mpsc::channel::<Value>();
    let reader = std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            let value = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line}"));
            if sender.send(value).is_err() {
                return;
            }
        }
    });
    let until = |what: &str, wanted: &[(&str, &str)]| {
        let limit = Instant::now() + DEADLINE;
        loop {
            let rest = limit.saturating_duration_since(Instant::now());
            let matrix = told.recv_timeout(rest).unwrap_or_else(|_| panic!("too late: {what}"));
            let found = clashes(&matrix);
            let found: Vec<_> = found.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
            if found == wanted {
                return;
            }
        }
    };
    until("nothing collides at first", &[]);
    fs::write(format!("{a}/README.md"), "# Of a\n").expect("saved");
    fs::write(format!("{b}/README.md"), "# Of b\n").expect("saved");
    until("two saves collide", &[("a", "b")]);
    let text = place.ok(&["conflicts", "-r", &dir]);
    assert!(text.contains("conflict") && text.contains("README.md"), "{text}");
    assert_eq!(place.run(&["conflicts", "-r", &dir, "--exit-code"]).code, Some(1));
    // In a folder that was not there, and with the target itself, by a commit.
    fs::create_dir_all(format!("{a}/new/inner")).expect("made");
    fs::create_dir_all(format!("{b}/new/inner")).expect("made");
    fs::write(format!("{b}/README.md"), "# A project\n").expect("saved");
    until("it is taken back", &[]);
    fs::write(format!("{a}/new/inner/file"), "a\n").expect("saved");
    fs::write(format!("{b}/new/inner/file"), "b\n").expect("saved");
    until("new folders are watched", &[("a", "b")]);
    fs::write(repository.join("README.md"), "# Of main\n").expect("saved");
    let _ = place.git(&repository, &["commit", "-qam", "Main went on"]);
    until("a commit is seen", &[("main", "a"), ("a", "target"), ("a", "b")]);
    let _ = watching.kill();
    let _ = watching.wait();
    drop(told);
    let _ = reader.join();
}

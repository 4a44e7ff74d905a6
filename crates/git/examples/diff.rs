//! What showing a large change costs: `cargo run --release -p maestro-git --example diff`.
//!
//! 50 000 lines changed in a repository of 2 000 files, once in a single file and once in 500. Prints one JSON
//! object a line: the time to the first screen (the list of files, and 200 lines of the first one), and to a screen
//! in the middle of a file that was shown, beside what `git diff` alone takes in the same run.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use maestro_core::changes::{Look, Source};
use maestro_git::Git;

const FILES: usize = 2_000;
/// Lines of the file that is changed as a whole.
const LARGE: usize = 25_000;
/// Looks that are measured.
const LOOKS: usize = 9;
/// Lines of a screen.
const SCREEN: u32 = 200;
/// What the first screen may take, in milliseconds.
const BAR: f64 = 100.0;

fn main() {
    let root = tempfile::tempdir().expect("a folder");
    let app = root.path().canonicalize().expect("it is there");
    let _ = git(&app, &["init", "--quiet", "-b", "main"]);
    for n in 0..FILES {
        let folder = app.join(format!("d{}", n % 50));
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join(format!("f{n}")), text("line", 100)).expect("a file");
    }
    fs::write(app.join("large"), text("line", LARGE)).expect("a file");
    let _ = git(&app, &["add", "--all"]);
    let _ = git(&app, &["commit", "--quiet", "-m", "First"]);

    // Every line gone and another one come: 50 000 in all.
    fs::write(app.join("large"), text("other", LARGE)).expect("a file");
    measure("diff_one_file", &app, "50 000 lines of one file");
    let _ = git(&app, &["checkout", "--quiet", "large"]);
    for n in 0..500 {
        let path = app.join(format!("d{}/f{n}", n % 50));
        fs::write(path, text("other", 50) + &text("line", 50)).expect("a file");
    }
    measure("diff_many_files", &app, "50 000 lines of 500 files");
}

fn measure(name: &str, app: &Path, note: &str) {
    let handle = Git::new(std::env::vars_os());
    let mut first = Vec::new();
    let mut middle = Vec::new();
    for _ in 0..LOOKS {
        let began = Instant::now();
        let sides = handle.sides(app, &Source::WorkingTree).expect("sides");
        let listing = handle.changes(app, &sides, &[]).expect("a list");
        let file = listing.files.first().expect("something differs");
        let patch = handle.patch(app, &sides, file, Look::default()).expect("lines");
        assert!(!patch.lines(0..SCREEN).is_empty());
        first.push(milliseconds(began));
        let began = Instant::now();
        let half = patch.total() / 2;
        assert!(!patch.lines(half..half + SCREEN).is_empty());
        middle.push(milliseconds(began));
    }
    let mut alone: Vec<f64> = (0..LOOKS)
        .map(|_| {
            let began = Instant::now();
            let status =
                command(app).args(["diff"]).stdout(Stdio::null()).status().expect("git runs");
            assert!(status.success());
            milliseconds(began)
        })
        .collect();
    let note = format!("{note}; median of {LOOKS}");
    line(name, median(&mut first), Some(BAR), median(&mut alone), &note);
    line(&format!("{name}_scroll"), median(&mut middle), None, 0.0, &note);
}

fn text(word: &str, lines: usize) -> String {
    (0..lines).map(|n| format!("    let {word}_{n} = compute({n}, \"{word}\");\n")).collect()
}

fn line(name: &str, value: f64, bar: Option<f64>, peer: f64, note: &str) {
    let shown = bar.map_or("null".to_owned(), |bar| bar.to_string());
    let holds = bar.map_or("null".to_owned(), |bar| (value <= bar).to_string());
    let peer = if peer > 0.0 { format!("{peer:.1}") } else { "null".to_owned() };
    println!(
        "{{\"name\":\"{name}\",\"value\":{value:.1},\"unit\":\"ms\",\"bar\":{shown},\"holds\":{holds},\
         \"peer\":{peer},\"runs\":{LOOKS},\"note\":\"{note}; peer: git diff\"}}"
    );
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn milliseconds(began: Instant) -> f64 {
    began.elapsed().as_secs_f64() * 1_000.0
}

fn command(directory: &Path) -> Command {
    let mut command = Command::new("git");
    for role in ["AUTHOR", "COMMITTER"] {
        let _ = command.env(format!("GIT_{role}_NAME"), "T");
        let _ = command.env(format!("GIT_{role}_EMAIL"), "t@example.org");
    }
    let _ = command.current_dir(directory);
    command
}

fn git(directory: &Path, arguments: &[&str]) -> String {
    let output = command(directory).args(arguments).output().expect("git runs");
    assert!(output.status.success(), "git {arguments:?}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

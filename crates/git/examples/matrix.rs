//! What the conflict matrix costs: `cargo run --release -p maestro-git --example matrix`.
//!
//! A repository of 2 000 files with 20 worktrees, each with a commit and work that is not committed. Prints one
//! JSON object a line: the first look at all 190 pairs, and the look after a save in one worktree, with
//! what git alone takes for the same merges in the same run.

use std::collections::HashSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use maestro_git::Git;

const FILES: usize = 2_000;
const WORKTREES: usize = 20;
/// Saves that are measured.
const SAVES: usize = 9;
/// What a look after a save may take, in milliseconds.
const BAR: f64 = 1_000.0;

fn main() {
    let root = tempfile::tempdir().expect("a folder");
    let root = root.path().canonicalize().expect("it is there");
    let app = root.join("app");
    fs::create_dir(&app).expect("a folder");
    let _ = git(&app, &["init", "--quiet", "-b", "main"]);
    for n in 0..FILES {
        let folder = app.join(format!("d{}", n % 50));
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join(format!("f{n}")), text(n, None)).expect("a file");
    }
    commit(&app, "First");
    let trees: Vec<PathBuf> = (0..WORKTREES).map(|n| worktree(&root, &app, n)).collect();

    let handle = Git::new(std::env::vars_os());
    let mut rehearsal = handle.rehearsal(&app, &root.join("place")).expect("prepared");
    let began = Instant::now();
    let matrix = rehearsal.matrix(None).expect("a matrix");
    let first = milliseconds(began);
    let mut saves: Vec<f64> = (0..SAVES)
        .map(|n| {
            let tree = &trees[n % WORKTREES];
            fs::write(tree.join("d0/f0"), format!("saved {n}\n")).expect("saved");
            let began = Instant::now();
            let _ = rehearsal.renewed(None, &HashSet::from([tree.clone()])).expect("a matrix");
            milliseconds(began)
        })
        .collect();
    saves.sort_by(f64::total_cmp);

    let heads: Vec<String> = trees.iter().map(|tree| git(tree, &["rev-parse", "HEAD"])).collect();
    let pairs = |at: usize| {
        let others = heads.iter().enumerate().filter(move |(other, _)| *other > at);
        others.map(move |(_, other)| (at, other.clone()))
    };
    let all: Vec<(usize, String)> = (0..WORKTREES).flat_map(pairs).collect();
    let one: Vec<(usize, String)> = heads[1..].iter().map(|other| (0, other.clone())).collect();
    let (all_of_git, one_of_git) = (alone(&app, &heads, &all), alone(&app, &heads, &one));
    let sides = matrix.sides.len();
    line("matrix_first", first, None, all_of_git, &format!("{sides} sides, {} pairs", all.len()));
    let note = format!("median of {SAVES}; slowest {:.0} ms", saves[SAVES - 1]);
    line("matrix_after_save", saves[SAVES / 2], Some(BAR), one_of_git, &note);
}

/// A worktree with a commit of its own and work on top of it. Every third meets the one before.
fn worktree(root: &Path, app: &Path, n: usize) -> PathBuf {
    let path = root.join(format!("w{n}"));
    let name = format!("b{n}");
    let place = path.display().to_string();
    let _ = git(app, &["worktree", "add", "--quiet", "-b", &name, &place]);
    let file = n - n % 3;
    fs::write(path.join(format!("d{}/f{file}", file % 50)), text(file, Some(n))).expect("a file");
    commit(&path, "Work");
    fs::write(path.join("d1/f1"), text(1, Some(n))).expect("a file");
    path
}

fn text(n: usize, changed: Option<usize>) -> String {
    (0..40)
        .map(|line| match changed {
            Some(by) if line == 20 => format!("changed by {by}\n"),
            _ => format!("line {line} of {n}\n"),
        })
        .collect()
}

/// What git takes to merge pairs of commits, in milliseconds.
fn alone(app: &Path, heads: &[String], pairs: &[(usize, String)]) -> f64 {
    let orders: String =
        pairs.iter().map(|(one, other)| format!("{} {other}\n", heads[*one])).collect();
    let began = Instant::now();
    let mut child = command(app)
        .args(["merge-tree", "--write-tree", "--stdin", "--name-only", "--no-messages"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("git runs");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(orders.as_bytes()).expect("it reads");
    drop(stdin);
    assert!(child.wait().is_ok_and(|status| status.success()), "git failed");
    milliseconds(began)
}

fn line(name: &str, value: f64, bar: Option<f64>, peer: f64, note: &str) {
    let shown = bar.map_or("null".to_owned(), |bar| bar.to_string());
    let holds = bar.map_or("null".to_owned(), |bar| (value <= bar).to_string());
    println!(
        "{{\"name\":\"{name}\",\"value\":{value:.1},\"unit\":\"ms\",\"bar\":{shown},\"holds\":{holds},\
         \"peer\":{peer:.1},\"runs\":1,\"note\":\"{note}; peer: git merge-tree of the commits\"}}"
    );
}

fn milliseconds(began: Instant) -> f64 {
    began.elapsed().as_secs_f64() * 1_000.0
}

fn commit(directory: &Path, message: &str) {
    let _ = git(directory, &["add", "--all"]);
    let _ = git(directory, &["commit", "--quiet", "-m", message]);
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

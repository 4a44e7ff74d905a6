//! Merges that are rehearsed: every pair of worktrees, uncommitted work included.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use maestro_core::conflict::{Fit, Matrix};
use maestro_git::Other;

use crate::{Sandbox, script};

/// A repository whose file has forty lines, with worktrees `a`, `b`, …
fn sandbox(worktrees: &[&str]) -> (Sandbox, PathBuf, Vec<PathBuf>) {
    let sandbox = Sandbox::new();
    let app = sandbox.init("app");
    fs::write(app.join("other"), "x\n").expect("a file");
    sandbox.commit(&app, "file", &lines(&[]), "First");
    let worktrees = worktrees
        .iter()
        .map(|name| {
            let path = sandbox.root().join(name);
            let _ = sandbox.git(
                &app,
                &["worktree", "add", "--quiet", "-b", name, path.to_str().expect("text")],
            );
            path
        })
        .collect();
    (sandbox, app, worktrees)
}

fn lines(changed: &[(usize, &str)]) -> String {
    (0..40)
        .map(|n| {
            let own = changed.iter().find(|(line, _)| *line == n).map(|(_, text)| *text);
            format!("{}\n", own.map_or_else(|| format!("line {n}"), str::to_owned))
        })
        .collect()
}

fn fit<'a>(matrix: &'a Matrix, a: &str, b: &str) -> &'a Fit {
    let at = |name: &str| {
        let at = matrix.sides.iter().position(|side| side.branch.as_deref() == Some(name));
        u32::try_from(at.expect(name)).expect("few")
    };
    &matrix.cell(at(a), Some(at(b))).expect("a cell").fit
}

#[test]
fn uncommitted_work_collides_and_nothing_is_left_in_the_repository() {
    let (sandbox, app, paths) = sandbox(&["a", "b", "c", "d"]);
    let place = sandbox.root().join("place");
    let [a, b, c, d] = &paths[..] else { panic!("four") };
    // Committed, only saved, elsewhere in the same file, and a file of its own.
    sandbox.commit(a, "file", &lines(&[(5, "five of a")]), "A");
    fs::write(b.join("file"), lines(&[(5, "five of b")])).expect("saved");
    fs::write(c.join("file"), lines(&[(30, "thirty of c")])).expect("saved");
    fs::write(d.join("new"), "d\n").expect("saved");
    let objects = |path: &Path| sandbox.git(path, &["count-objects", "-v"]);
    let index = |path: &Path| sandbox.git(path, &["status", "--porcelain=v2"]);
    let before = (objects(&app), index(b));
    let mut rehearsal = sandbox.handle().rehearsal(b, &place).expect("prepared");
    let matrix = rehearsal.matrix(None).expect("a matrix");
    assert_eq!(matrix.target.as_deref(), Some("main"));
    assert_eq!(fit(&matrix, "a", "b"), &Fit::Conflicts(vec!["file".into()]));
    assert_eq!(fit(&matrix, "a", "c"), &Fit::SameFiles(vec!["file".into()]));
    assert_eq!(fit(&matrix, "b", "d"), &Fit::Apart);
    let dirty: Vec<bool> = matrix.sides.iter().map(|side| side.is_dirty).collect();
    assert_eq!(dirty, [false, false, true, true, true]);
    let touched: Vec<u32> = matrix.sides.iter().map(|side| side.touched).collect();
    assert_eq!(touched, [0, 1, 1, 1, 1]);
    assert_eq!(matrix.cells.len(), 4 + 3 + 2 + 1 + 5, "each pair, and each with the target");
    let clashes = rehearsal.clashes(a, &Other::Worktree(b.clone())).expect("told");
    assert_eq!(clashes.len(), 1);
    assert_eq!(clashes[0].kind, "CONFLICT (contents)");
    let hunk = &clashes[0].hunks[0];
    assert_eq!((hunk.line, &*hunk.ours, &*hunk.theirs), (6, "five of a\n", "five of b\n"));
    assert!(rehearsal.clashes(a, &Other::Revision("main".into())).expect("told").is_empty());
    assert_eq!((objects(&app), index(b)), before, "the repository has nothing of it");
    // A save is noticed, and undone again.
    fs::write(b.join("file"), lines(&[(20, "twenty of b")])).expect("saved");
    let matrix = rehearsal.matrix(None).expect("a matrix");
    assert_eq!(fit(&matrix, "a", "b"), &Fit::SameFiles(vec!["file".into()]));
    fs::write(b.join("file"), lines(&[])).expect("saved");
    assert_eq!(fit(&rehearsal.matrix(None).expect("a matrix"), "a", "b"), &Fit::Apart);
    // Somebody threw our folder away.
    fs::remove_dir_all(&place).expect("gone");
    let mut anew = sandbox.handle().rehearsal(&app, &place).expect("prepared");
    assert_eq!(fit(&anew.matrix(None).expect("a matrix"), "a", "b"), &Fit::Apart);
}

#[test]
fn worktrees_that_cannot_be_compared_say_why_and_hold_up_nobody() {
    let (sandbox, app, paths) = sandbox(&["gone", "fine"]);
    fs::remove_dir_all(&paths[0]).expect("gone");
    let orphan = sandbox.root().join("orphan");
    let _ = sandbox.git(
        &app,
        &["worktree", "add", "--quiet", "--orphan", "-b", "empty", orphan.to_str().expect("text")],
    );
    // A history of its own.
    let _ = sandbox.git(&paths[1], &["checkout", "--quiet", "--orphan", "unrelated"]);
    sandbox.commit(&paths[1], "file", "all new\n", "Another root");
    let mut rehearsal =
        sandbox.handle().rehearsal(&app, &sandbox.root().join("place: 1")).expect("prepared");
    let matrix = rehearsal.matrix(Some("main")).expect("a matrix");
    assert!(matches!(fit(&matrix, "main", "unrelated"), Fit::Conflicts(_)));
    assert_eq!(fit(&matrix, "main", "gone"), &Fit::Apart, "its commits are there");
    let side = matrix.sides.iter().find(|side| side.branch.as_deref() == Some("empty"));
    assert!(side.expect("listed").problem.is_some());
    // A target that is not there is no reason to know nothing about the pairs.
    let matrix = rehearsal.matrix(Some("nowhere")).expect("a matrix");
    assert!(matrix.cells.iter().all(|cell| cell.b.is_some()));
}

#[test]
fn looking_for_conflicts_runs_nothing_of_the_repository() {
    let (sandbox, app, paths) = sandbox(&["a", "b"]);
    let proof = sandbox.root().join("proof");
    let touch = format!("touch '{}'", proof.display());
    for hook in ["pre-commit", "post-checkout", "fsmonitor", "reference-transaction"] {
        script(&app.join(".git/hooks").join(hook), &touch);
    }
    let _ = sandbox.git(
        &app,
        &["config", "core.fsmonitor", &format!("{}/.git/hooks/fsmonitor", app.display())],
    );
    fs::write(paths[0].join("file"), "a\n").expect("saved");
    fs::write(paths[1].join("file"), "b\n").expect("saved");
    let mut rehearsal =
        sandbox.handle().rehearsal(&app, &sandbox.root().join("place")).expect("prepared");
    assert!(matches!(fit(&rehearsal.matrix(None).expect("a matrix"), "a", "b"), Fit::Conflicts(_)));
    assert!(!proof.exists(), "a program of the repository was run");
}

/// What the matrix says is what git says when the two are really merged.
#[test]
fn generated_histories_agree_with_real_merges() {
    for seed in [0x2545_f491_4f6c_dd1d, 0x9e37_79b9_7f4a_7c15] {
        agree(seed);
    }
}

/// Histories with changed lines, renames, binaries, modes, removals, new files and submodules.
fn agree(mut seed: u64) {
    let (sandbox, app, paths) = sandbox(&["a", "b", "c", "d", "e"]);
    let commits = [sandbox.git(&app, &["rev-parse", "HEAD"]), "1".repeat(40), "2".repeat(40)];
    let mut next = |below: u64| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed % below
    };
    for path in &paths {
        for step in 0..4 {
            let mut staged = false;
            match next(7) {
                // A submodule that is not checked out: an empty folder, and a commit in the index.
                6 => {
                    fs::create_dir_all(path.join("sub")).expect("a folder");
                    let commit = &commits[usize::try_from(next(3)).expect("small")];
                    let _ = sandbox.git(path, &["add", "--all"]);
                    let link = format!("160000,{commit},sub");
                    let _ = sandbox.git(path, &["update-index", "--add", "--cacheinfo", &link]);
                    staged = true;
                }
                0 | 1 => {
                    let line = usize::try_from(next(40)).expect("small");
                    let text = fs::read_to_string(path.join("file")).unwrap_or_default();
                    let mut all: Vec<String> = text.lines().map(str::to_owned).collect();
                    if let Some(line) = all.get_mut(line) {
                        *line = format!("changed to {}", next(3));
                    }
                    fs::write(path.join("file"), all.join("\n") + "\n").expect("a file");
                }
                2 if path.join("other").exists() && next(2) == 0 => {
                    fs::rename(path.join("other"), path.join(format!("moved{}", next(2))))
                        .expect("moved");
                }
                2 => fs::write(path.join("other"), [0, u8::try_from(next(3)).expect("small")])
                    .expect("binary"),
                3 => {
                    use std::os::unix::fs::PermissionsExt as _;
                    let mode = if next(2) == 0 { 0o755 } else { 0o644 };
                    if path.join("file").exists() {
                        fs::set_permissions(path.join("file"), fs::Permissions::from_mode(mode))
                            .expect("a mode");
                    }
                }
                4 => {
                    let _ = fs::remove_file(path.join(if next(2) == 0 { "file" } else { "other" }));
                }
                _ => fs::write(path.join(format!("new{}", next(3))), format!("{}\n", next(2)))
                    .expect("a file"),
            }
            if !staged {
                let _ = sandbox.git(path, &["add", "--all"]);
            }
            let _ = sandbox
                .git(path, &["commit", "--quiet", "--allow-empty", "-m", &format!("step {step}")]);
        }
    }
    let mut rehearsal =
        sandbox.handle().rehearsal(&app, &sandbox.root().join("place")).expect("prepared");
    let matrix = rehearsal.matrix(Some("main")).expect("a matrix");
    let scratch = sandbox.root().join("scratch");
    let _ = sandbox
        .git(&app, &["worktree", "add", "--quiet", "--detach", scratch.to_str().expect("text")]);
    let names = ["a", "b", "c", "d", "e"];
    let (mut clean, mut conflicting) = (0, 0);
    for (at, a) in names.iter().enumerate() {
        for b in &names[at + 1..] {
            let _ = sandbox.git(&scratch, &["checkout", "--quiet", "--detach", "--force", a]);
            let merged = Command::new("git")
                .args(["merge", "--quiet", "--no-edit", b])
                .current_dir(&scratch)
                .env_clear()
                .envs(sandbox.environment())
                .output()
                .expect("git runs");
            let really = !merged.status.success();
            if really {
                let _ = sandbox.git(&scratch, &["merge", "--abort"]);
            }
            let said = matches!(fit(&matrix, a, b), Fit::Conflicts(_));
            assert_eq!(said, really, "{a} with {b}: {:?}", fit(&matrix, a, b));
            if really { conflicting += 1 } else { clean += 1 }
        }
    }
    let links = sandbox.git(&app, &["log", "--all", "--raw", "--format="]);
    assert!(links.contains("160000"), "no history has a submodule");
    assert!(clean > 0 && conflicting > 0, "the histories say nothing: {clean} {conflicting}");
}

#[test]
fn only_what_changed_is_looked_at_again() {
    let (sandbox, app, paths) = sandbox(&["a", "b", "c"]);
    let place = sandbox.root().join("place");
    let mut rehearsal = sandbox.handle().rehearsal(&app, &place).expect("prepared");
    let first = rehearsal.matrix(None).expect("a matrix");
    assert_eq!(fit(&first, "a", "b"), &Fit::Apart);
    fs::write(paths[0].join("file"), lines(&[(5, "a")])).expect("saved");
    fs::write(paths[1].join("file"), lines(&[(5, "b")])).expect("saved");
    // Only b is said to be another one: what is in a is not known yet.
    let said = [paths[1].clone()].into();
    let renewed = rehearsal.renewed(None, &said).expect("a matrix");
    assert_eq!(fit(&renewed, "a", "b"), &Fit::Apart);
    assert!(renewed.sides.iter().any(|side| side.branch.as_deref() == Some("b") && side.is_dirty));
    let said = [paths[0].clone()].into();
    let renewed = rehearsal.renewed(None, &said).expect("a matrix");
    assert!(matches!(fit(&renewed, "a", "b"), Fit::Conflicts(_)));
    // A commit is seen without being told.
    sandbox.commit(&paths[2], "file", &lines(&[(5, "c")]), "C");
    let renewed = rehearsal.renewed(None, &[].into()).expect("a matrix");
    assert!(matches!(fit(&renewed, "a", "c"), Fit::Conflicts(_)));
    assert!(renewed.says_the_same(&rehearsal.matrix(None).expect("a matrix")));
    // A place of ours is nobody's work.
    let mut rehearsal =
        sandbox.handle().rehearsal(&app, &place).expect("prepared").leaving_out(paths[2].clone());
    assert_eq!(rehearsal.matrix(None).expect("a matrix").sides.len(), 3);
}

#[test]
fn files_are_merged_as_the_checkouts_attributes_say() {
    let (sandbox, app) = Sandbox::with_app();
    let git = sandbox.handle();
    std::fs::write(app.join(".gitattributes"), "notes merge=union\n").expect("written");
    sandbox.commit(&app, "notes", "one\n", "Notes");
    let tree = sandbox.root().join("tree");
    let _ = sandbox.git(&app, &["worktree", "add", "-qb", "side", &tree.display().to_string()]);
    sandbox.commit(&app, "notes", "one\nmain\n", "Main");
    sandbox.commit(&tree, "notes", "one\nside\n", "Side");
    let mut rehearsal = git.rehearsal(&app, &sandbox.root().join("place")).expect("a rehearsal");
    let matrix = rehearsal.matrix(None).expect("a matrix");
    let fits: Vec<_> = matrix.cells.iter().map(|cell| &cell.fit).collect();
    assert!(!fits.iter().any(|fit| matches!(fit, Fit::Conflicts(_))), "{fits:?}");
}

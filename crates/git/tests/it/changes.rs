//! What is different, and staging, unstaging and discarding it, held against git itself.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use maestro_core::changes::{
    Body, Deed, Discard, EntryKind, File, Listing, Look, Name, Pick, Source, Status,
};
use maestro_git::{Error, Git};

use super::Sandbox;

const NOW: u64 = 1_700_000_000_000;

fn list(git: &Git, directory: &Path, source: &Source) -> Listing {
    let sides = git.sides(directory, source).expect("sides");
    git.changes(directory, &sides, &[]).expect("a list")
}

fn shown(listing: &Listing) -> Vec<String> {
    let number = |n: Option<u32>| n.map_or_else(|| "-".to_owned(), |n| n.to_string());
    let show = |f: &File| {
        let old = f.old_name.as_ref().map(|old| format!("{old}→")).unwrap_or_default();
        format!("{:?} {old}{} +{} -{}", f.status, f.name, number(f.added), number(f.removed))
    };
    listing.files.iter().map(show).collect()
}

fn pick(name: &str, hunks: Option<Vec<u64>>) -> Pick {
    Pick { file: Name::from(name), hunks }
}

fn hunks(git: &Git, directory: &Path, source: &Source, name: &str) -> Vec<u64> {
    let sides = git.sides(directory, source).expect("sides");
    let listing = git.changes(directory, &sides, &[]).expect("a list");
    let file = listing.files.iter().find(|file| file.name == Name::from(name)).expect("the file");
    let patch = git.patch(directory, &sides, file, Look::default()).expect("a patch");
    patch.hunks().iter().map(|hunk| hunk.id).collect()
}

fn change(
    git: &Git,
    directory: &Path,
    deed: Deed,
    picks: &[Pick],
) -> Result<Option<Discard>, Error> {
    git.change(directory, deed, picks, Look::default(), NOW)
}

/// Numbered lines, some of them changed.
fn lines(changed: &[u32]) -> String {
    let line =
        |n| if changed.contains(&n) { format!("changed {n}\n") } else { format!("line {n}\n") };
    (1..=40).map(line).collect()
}

#[test]
fn everything_that_differs_is_listed() {
    let (sandbox, app) = Sandbox::with_app();
    let git = sandbox.handle();
    for name in ["gone", "moved", "mode", "link", "both sides"] {
        fs::write(app.join(name), format!("{name}\n{}", lines(&[]))).expect("a file");
    }
    fs::write(app.join("picture"), b"\x89PNG\0\0").expect("a file");
    fs::create_dir(app.join("folder")).expect("a folder");
    fs::write(app.join("folder/kept"), "kept\n").expect("a file");
    sandbox.commit(&app, "file", "one\ntwo\n", "Second");
    fs::write(app.join("file"), "one\nzwei\ndrei").expect("a file");
    fs::remove_file(app.join("gone")).expect("removed");
    fs::remove_file(app.join("link")).expect("removed");
    symlink("file", app.join("link")).expect("a link");
    fs::set_permissions(app.join("mode"), fs::Permissions::from_mode(0o755)).expect("a mode");
    fs::write(app.join("picture"), b"\x89PNG\0\x01\x02").expect("a file");
    fs::write(app.join("new one"), "a\nb").expect("a file");
    let odd = std::ffi::OsStr::from_bytes(b"caf\xe9\n");
    fs::write(app.join(odd), "x\n").expect("a file");
    fs::write(app.join(".git/info/exclude"), "ignored\n").expect("a file");
    fs::write(app.join("ignored"), "x\n").expect("a file");
    let working = list(&git, &app.join("folder"), &Source::WorkingTree);
    assert_eq!(
        shown(&working),
        [
            "Untracked caf\\xE9\\x0A +1 -0",
            "Modified file +2 -1",
            "Deleted gone +0 -41",
            "TypeChanged link +1 -41",
            "Modified mode +0 -0",
            "Untracked new one +2 -0",
            "Modified picture +- --"
        ]
    );
    let at = |name: &str| working.files.iter().find(|f| f.name == Name::from(name)).expect("there");
    assert_eq!((at("picture").before.size, at("picture").after.size), (Some(6), Some(7)));
    assert_eq!(at("mode").after.kind, EntryKind::Executable);
    assert_eq!(at("link").after.kind, EntryKind::Link);
    assert_eq!(
        (working.branch.as_deref(), &*working.from, &*working.to),
        (Some("main"), "index", "files")
    );

    let _ = sandbox.git(&app, &["mv", "moved", "folder/moved"]);
    let _ = sandbox.git(&app, &["add", "file"]);
    assert_eq!(
        shown(&list(&git, &app, &Source::Staged)),
        ["Modified file +2 -1", "Renamed moved→folder/moved +0 -0"]
    );
    assert!(!shown(&list(&git, &app, &Source::WorkingTree)).iter().any(|f| f.contains("file +")));
    let sides = git.sides(&app, &Source::WorkingTree).expect("sides");
    let some = git.changes(&app, &sides, &["mode".into(), "folder".into()]).expect("a list");
    assert_eq!(shown(&some), ["Modified mode +0 -0"]);
    assert!(git.changes(&app, &sides, &["../x".into()]).is_err());

    let picture = some_file(&working, "picture");
    let blobs = git.blobs(&app, &sides, &picture).expect("blobs");
    assert_eq!(blobs.before.as_deref(), Some(&b"\x89PNG\0\0"[..]));
    assert_eq!(blobs.after.as_deref(), Some(&b"\x89PNG\0\x01\x02"[..]));
    let body = |name| git.patch(&app, &sides, &some_file(&working, name), Look::default());
    assert_eq!(body("picture").expect("a patch").body(), Body::Binary);
    assert_eq!(body("mode").expect("a patch").body(), Body::Same);
    assert_eq!(body("new one").expect("a patch").total(), 2);
}

fn some_file(listing: &Listing, name: &str) -> File {
    listing.files.iter().find(|f| f.name == Name::from(name)).expect("the file").clone()
}

#[test]
fn a_branch_is_held_against_what_it_came_from() {
    let (sandbox, app) = Sandbox::with_app();
    let git = sandbox.handle();
    let tree = sandbox.root().join("tree");
    let _ =
        sandbox.git(&app, &["worktree", "add", "-q", "-b", "topic", &tree.display().to_string()]);
    sandbox.commit(&app, "elsewhere", "x\n", "On main");
    sandbox.commit(&tree, "mine", "a\nb\n", "On topic");
    fs::write(tree.join("file"), "uno\n").expect("a file");
    let expected = ["Modified file +1 -1", "Added mine +2 -0"];
    for base in [None, Some("main".to_owned())] {
        let listing = list(&git, &tree, &Source::Base(base));
        assert_eq!(shown(&listing), expected);
        assert_eq!(listing.from, "main");
    }
    assert_eq!(shown(&list(&git, &tree, &Source::Commit("topic".into()))), ["Added mine +2 -0"]);
    assert_eq!(shown(&list(&git, &tree, &Source::Commit("main~1".into()))), ["Added file +1 -0"]);
    assert!(git.sides(&tree, &Source::Base(Some("--output=x".into()))).is_err());
    let alone = git.sides(&app, &Source::Base(None)).expect_err("nothing to be held against");
    assert!(alone.to_string().contains("what this branch was made from"), "{alone}");
}

#[test]
fn before_the_first_commit_everything_is_new() {
    let sandbox = Sandbox::new();
    let app = sandbox.init("app");
    let git = sandbox.handle();
    fs::write(app.join("a"), "one\n").expect("a file");
    fs::write(app.join("b"), "two\n").expect("a file");
    let _ = change(&git, &app, Deed::Stage, &[pick("a", None)]).expect("staged");
    assert_eq!(shown(&list(&git, &app, &Source::Staged)), ["Added a +1 -0"]);
    assert_eq!(shown(&list(&git, &app, &Source::WorkingTree)), ["Untracked b +1 -0"]);
    let _ = change(&git, &app, Deed::Unstage, &[pick("a", None)]).expect("unstaged");
    assert_eq!(shown(&list(&git, &app, &Source::Staged)), [""; 0]);
    assert_eq!(fs::read_to_string(app.join("a")).ok().as_deref(), Some("one\n"));
}

#[test]
fn hunks_are_staged_and_unstaged_as_git_would() {
    let (sandbox, app) = Sandbox::with_app();
    let git = sandbox.handle();
    sandbox.commit(&app, "file", &lines(&[]), "Lines");
    let all = [3, 12, 13, 25, 40];
    fs::write(app.join("file"), lines(&all)).expect("a file");
    let ids = hunks(&git, &app, &Source::WorkingTree, "file");
    assert_eq!(ids.len(), 4);
    // All sixteen sets: what is staged is what the chosen hunks make, what is left is the others.
    let of = [&[3][..], &[12, 13], &[25], &[40]];
    for set in 0..16_usize {
        let chosen: Vec<usize> = (0..4).filter(|at| set & (1 << at) != 0).collect();
        let picked: Vec<u64> = chosen.iter().map(|at| ids[*at]).collect();
        let expected: Vec<u32> = chosen.iter().flat_map(|at| of[*at]).copied().collect();
        if picked.is_empty() {
            continue;
        }
        let _ = change(&git, &app, Deed::Stage, &[pick("file", Some(picked))]).expect("staged");
        assert_eq!(
            format!("{}\n", sandbox.git(&app, &["show", ":file"])),
            lines(&expected),
            "{set}"
        );
        let staged = hunks(&git, &app, &Source::Staged, "file");
        assert_eq!(staged.len(), chosen.len());
        let first = vec![staged[0]];
        let _ = change(&git, &app, Deed::Unstage, &[pick("file", Some(first))]).expect("unstaged");
        let left: Vec<u32> = chosen.iter().skip(1).flat_map(|at| of[*at]).copied().collect();
        assert_eq!(format!("{}\n", sandbox.git(&app, &["show", ":file"])), lines(&left), "{set}");
        let _ = sandbox.git(&app, &["reset", "-q"]);
        assert_eq!(fs::read_to_string(app.join("file")).ok(), Some(lines(&all)), "never touched");
    }
    // What was shown is not there any more.
    fs::write(app.join("file"), lines(&[4])).expect("a file");
    let error = change(&git, &app, Deed::Stage, &[pick("file", Some(ids))]).expect_err("another");
    assert!(matches!(error, Error::ChangedMeanwhile { .. }), "{error}");
    let error = change(&git, &app, Deed::Stage, &[pick("none", None)]).expect_err("no such file");
    assert!(matches!(error, Error::ChangedMeanwhile { .. }), "{error}");
    assert_eq!(sandbox.git(&app, &["diff", "--cached", "--name-only"]), "");
}

#[test]
fn odd_files_are_staged_whole_and_in_part() {
    let (sandbox, app) = Sandbox::with_app();
    let git = sandbox.handle();
    // No end of line, carriage returns, a name that git quotes.
    let name = "a \"b\"\té";
    sandbox.commit(&app, name, "one\r\ntwo\r\nthree", "Odd");
    fs::write(app.join(name), "uno\r\ntwo\r\nthree").expect("a file");
    let ids = hunks(&git, &app, &Source::WorkingTree, name);
    let _ = change(&git, &app, Deed::Stage, &[pick(name, Some(ids))]).expect("staged");
    assert_eq!(sandbox.git(&app, &["diff", "--name-only"]), "");
    assert_eq!(
        shown(&list(&git, &app, &Source::Staged)),
        [format!("Modified {} +1 -1", Name::from(name))]
    );
    // A file that is there, one that is gone, one that is new and one that moved.
    let _ = sandbox.git(&app, &["reset", "-q", "--hard"]);
    fs::remove_file(app.join("file")).expect("removed");
    fs::write(app.join("new"), "n\n").expect("a file");
    let picks = [pick("file", None), pick("new", None)];
    let _ = change(&git, &app, Deed::Stage, &picks).expect("staged");
    assert_eq!(sandbox.git(&app, &["status", "--porcelain"]), "D  file\nA  new");
    let _ = change(&git, &app, Deed::Unstage, &picks).expect("unstaged");
    assert_eq!(sandbox.git(&app, &["status", "--porcelain"]), "D file\n?? new");
    let _ = sandbox.git(&app, &["add", "--all"]);
    let _ = sandbox.git(&app, &["commit", "-qm", "Next"]);
    let _ = sandbox.git(&app, &["mv", "new", "moved"]);
    let _ = change(&git, &app, Deed::Unstage, &[pick("moved", None)]).expect("unstaged");
    assert_eq!(sandbox.git(&app, &["status", "--porcelain"]), "D new\n?? moved");
    // A repository in it is no file.
    let _ = sandbox.init("app/inner");
    sandbox.commit(&app.join("inner"), "x", "x\n", "Inner");
    let error = change(&git, &app, Deed::Stage, &[pick("inner", None)]).expect_err("refused");
    assert!(error.to_string().contains("a repository of its own"), "{error}");
}

#[test]
fn what_is_discarded_comes_back_byte_by_byte() {
    let (sandbox, app) = Sandbox::with_app();
    let git = sandbox.handle();
    fs::write(app.join("gone"), "gone\n").expect("a file");
    sandbox.commit(&app, "file", &lines(&[]), "Lines");
    let mine: &[u8] = b"mine\r\n\xff\0and more";
    fs::write(app.join("file"), mine).expect("a file");
    fs::set_permissions(app.join("file"), fs::Permissions::from_mode(0o755)).expect("a mode");
    fs::remove_file(app.join("gone")).expect("removed");
    fs::create_dir_all(app.join("deep/er")).expect("folders");
    fs::write(app.join("deep/er/new"), "never committed\n").expect("a file");
    symlink("/nowhere", app.join("deep/link")).expect("a link");
    fs::write(app.join("deep/li\nne"), "odd\n").expect("a file");
    let _ = sandbox.git(&app, &["add", "deep/er/new"]);
    let index = sandbox.git(&app, &["ls-files", "--stage"]);
    let picks: Vec<Pick> =
        ["file", "gone", "deep/link", "deep/li\nne"].map(|n| pick(n, None)).into();
    let discard = change(&git, &app, Deed::Discard, &picks).expect("discarded").expect("told");
    assert_eq!(fs::read_to_string(app.join("file")).ok(), Some(lines(&[])));
    assert_eq!(fs::metadata(app.join("file")).expect("there").permissions().mode() & 0o111, 0);
    assert_eq!(fs::read_to_string(app.join("gone")).ok().as_deref(), Some("gone\n"));
    assert!(app.join("deep/link").symlink_metadata().is_err());
    assert!(app.join("deep/er/new").exists(), "not meant");
    assert_eq!(sandbox.git(&app, &["ls-files", "--stage"]), index, "the index is as it was");
    let known = git.discards(&app).expect("discards");
    assert_eq!(known.len(), 1);
    assert_eq!((&known[0].id, known[0].files.len()), (&discard.id, 4));
    assert_eq!(git.undo_discard(&app, None, NOW).expect("undone").id, discard.id);
    assert_eq!(fs::read(app.join("file")).ok().as_deref(), Some(mine));
    assert_eq!(fs::metadata(app.join("file")).expect("there").permissions().mode() & 0o111, 0o111);
    assert!(!app.join("gone").exists());
    assert_eq!(fs::read_link(app.join("deep/link")).ok().as_deref(), Some(Path::new("/nowhere")));
    assert_eq!(fs::read_to_string(app.join("deep/li\nne")).ok().as_deref(), Some("odd\n"));
    assert!(matches!(git.undo_discard(&app, None, NOW), Err(Error::NoDiscard)));
}

#[test]
fn hunks_are_discarded_and_come_back_into_what_was_written_since() {
    let (sandbox, app) = Sandbox::with_app();
    let git = sandbox.handle();
    for (ends, config) in [("\n", "false"), ("\r\n", "true")] {
        let _ = sandbox.git(&app, &["config", "core.autocrlf", config]);
        let text = |changed: &[u32]| lines(changed).replace('\n', ends);
        fs::write(app.join("file"), text(&[])).expect("a file");
        let _ = sandbox.git(&app, &["add", "--all"]);
        let _ = sandbox.git(&app, &["commit", "-q", "--allow-empty", "-m", "Lines"]);
        fs::write(app.join("file"), text(&[3, 20, 38])).expect("a file");
        let ids = hunks(&git, &app, &Source::WorkingTree, "file");
        assert_eq!(ids.len(), 3);
        let discard = || change(&git, &app, Deed::Discard, &[pick("file", Some(vec![ids[1]]))]);
        let _ = discard().expect("discarded");
        assert_eq!(fs::read_to_string(app.join("file")).ok(), Some(text(&[3, 38])));
        // Somebody writes elsewhere in it: both come together.
        fs::write(app.join("file"), text(&[3, 30, 38])).expect("a file");
        let _ = git.undo_discard(&app, None, NOW).expect("undone");
        assert_eq!(fs::read_to_string(app.join("file")).ok(), Some(text(&[3, 20, 30, 38])));
        // In the same place: refused, and what was written stays.
        fs::write(app.join("file"), text(&[3, 20, 38])).expect("a file");
        let _ = discard().expect("discarded");
        let other = text(&[3, 38]).replace("line 20", "other");
        fs::write(app.join("file"), &other).expect("a file");
        let error = git.undo_discard(&app, None, NOW).expect_err("does not fit");
        assert!(matches!(error, Error::CannotChange { .. }), "{error}");
        assert_eq!(fs::read_to_string(app.join("file")).ok(), Some(other));
        assert_eq!(git.discards(&app).expect("discards").len(), 1, "kept");
        fs::write(app.join("file"), text(&[3, 38])).expect("a file");
        let _ = git.undo_discard(&app, None, NOW).expect("undone");
        assert_eq!(fs::read_to_string(app.join("file")).ok(), Some(text(&[3, 20, 38])));
    }
}

#[test]
fn nothing_is_discarded_that_could_not_come_back() {
    let (sandbox, app) = Sandbox::with_app();
    let git = sandbox.handle();
    let outside = sandbox.root().join("outside");
    fs::create_dir(&outside).expect("a folder");
    fs::write(outside.join("f"), "outside\n").expect("a file");
    fs::create_dir(app.join("d")).expect("a folder");
    fs::write(app.join("d/f"), "inside\n").expect("a file");
    sandbox.commit(&app, "file", "one\n", "Folder");
    // A folder became a link to elsewhere, a file became a folder.
    fs::remove_dir_all(app.join("d")).expect("removed");
    symlink(&outside, app.join("d")).expect("a link");
    fs::remove_file(app.join("file")).expect("removed");
    fs::create_dir(app.join("file")).expect("a folder");
    fs::write(app.join("file/precious"), "only here\n").expect("a file");
    for name in ["d/f", "file"] {
        let error = change(&git, &app, Deed::Discard, &[pick(name, None)]).expect_err("refused");
        assert!(matches!(error, Error::CannotChange { .. }), "{error}");
    }
    assert_eq!(fs::read_to_string(outside.join("f")).ok().as_deref(), Some("outside\n"));
    assert_eq!(fs::read_to_string(app.join("file/precious")).ok().as_deref(), Some("only here\n"));
    assert!(git.discards(&app).expect("discards").is_empty());
}

#[test]
fn files_with_conflicts_are_shown_and_staged_as_a_whole() {
    let (sandbox, app) = Sandbox::with_app();
    let git = sandbox.handle();
    let _ = sandbox.git(&app, &["checkout", "-qb", "side"]);
    sandbox.commit(&app, "file", "side\n", "Side");
    let _ = sandbox.git(&app, &["checkout", "-q", "main"]);
    sandbox.commit(&app, "file", "main\n", "Main");
    let merge = std::process::Command::new("git")
        .args(["merge", "-q", "side"])
        .current_dir(&app)
        .env_clear()
        .envs(sandbox.environment())
        .output()
        .expect("git runs");
    assert!(!merge.status.success());
    let listing = list(&git, &app, &Source::WorkingTree);
    assert_eq!(listing.under_way.as_deref(), Some("merge"));
    assert_eq!((listing.files.len(), listing.files[0].status), (1, Status::Conflicted));
    let sides = git.sides(&app, &Source::WorkingTree).expect("sides");
    let patch = git.patch(&app, &sides, &listing.files[0], Look::default()).expect("a patch");
    let text: Vec<String> = patch.lines(0..9).into_iter().map(|line| line.text).collect();
    assert!(text.iter().any(|line| line.starts_with("<<<<<<<")), "{text:?}");
    let error = change(&git, &app, Deed::Discard, &[pick("file", None)]).expect_err("refused");
    assert!(error.to_string().contains("conflicts"), "{error}");
    fs::write(app.join("file"), "both\n").expect("a file");
    let _ = change(&git, &app, Deed::Stage, &[pick("file", None)]).expect("staged");
    assert_eq!(sandbox.git(&app, &["status", "--porcelain"]), "M  file");
}

#[test]
fn submodules_are_told_by_their_commits() {
    let (sandbox, app) = Sandbox::with_app();
    let git = sandbox.handle();
    let inner = sandbox.init("inner");
    sandbox.commit(&inner, "inside", "one\n", "Inner");
    let url = inner.display().to_string();
    let add = ["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", &url, "part"];
    let _ = sandbox.git(&app, &add);
    sandbox.commit(&app, "file", "two\n", "With a part");
    sandbox.commit(&app.join("part"), "inside", "two\n", "Further");
    let listing = list(&git, &app, &Source::WorkingTree);
    assert_eq!(shown(&listing), ["Modified part +- --"]);
    assert_eq!(listing.files[0].after.kind, EntryKind::Submodule);
    let sides = git.sides(&app, &Source::WorkingTree).expect("sides");
    let patch = git.patch(&app, &sides, &listing.files[0], Look::default()).expect("a patch");
    assert!(patch.lines(0..9).iter().all(|line| line.text.starts_with("Subproject commit ")));
    let error = change(&git, &app, Deed::Discard, &[pick("part", None)]).expect_err("refused");
    assert!(error.to_string().contains("submodule"), "{error}");
}

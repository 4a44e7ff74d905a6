//! Repositories of every odd kind go the whole way: looked at, changed, snapshotted, removed, put back byte for
//! byte, and brought home.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};

use maestro_core::changes::{Name, Source};
use maestro_core::train::How;
use maestro_git::{Branch, Bring, Brought, Error, Git, NewWorktree, Place};

use crate::trash::content;
use crate::{Sandbox, script};

/// Makes a repository, and a worktree of it at `tree`.
type Maker = fn(&Sandbox, &Path) -> PathBuf;

/// The kinds, and whether a commit of everything is let through.
const KINDS: [(&str, Maker, Commits); 13] = [
    ("plain", plain, Commits::Yes),
    ("bare", bare, Commits::Yes),
    ("a file instead of .git", apart, Commits::Yes),
    ("detached", detached, Commits::Yes),
    ("with a submodule", with_a_submodule, Commits::Yes),
    ("LFS pointers", pointers, Commits::Yes),
    ("sparse", sparse, Commits::Yes),
    ("partial clone", partial, Commits::Yes),
    ("names that differ by case, and of bytes", names, Commits::Yes),
    ("links out of the tree", links, Commits::Yes),
    ("rules for the ends of lines", ends_of_lines, Commits::Yes),
    ("a hook that refuses", refusing, Commits::Refused),
    ("hooks that change files", changing, Commits::Yes),
];

#[derive(Clone, Copy, PartialEq)]
enum Commits {
    Yes,
    Refused,
}

fn add(sandbox: &Sandbox, repository: &Path, tree: &Path) {
    let wanted = NewWorktree {
        repository: repository.to_owned(),
        branch: Branch::New { name: "topic".into(), base: None },
        path: Some(tree.to_owned()),
        place: Place::Beside,
    };
    let _ = sandbox.handle().add_worktree(&wanted).expect("a worktree");
}

fn plain(sandbox: &Sandbox, tree: &Path) -> PathBuf {
    let app = sandbox.init("app");
    sandbox.commit(&app, "file", "one\n", "First");
    add(sandbox, &app, tree);
    app
}

fn bare(sandbox: &Sandbox, tree: &Path) -> PathBuf {
    let app = sandbox.init("app");
    sandbox.commit(&app, "file", "one\n", "First");
    let _ = sandbox.git(&sandbox.root(), &["clone", "-q", "--bare", "app", "bare.git"]);
    let bare = sandbox.root().join("bare.git");
    add(sandbox, &bare, tree);
    bare
}

fn apart(sandbox: &Sandbox, tree: &Path) -> PathBuf {
    let app = sandbox.root().join("app");
    fs::create_dir(&app).expect("a folder");
    let _ = sandbox.git(&app, &["init", "-q", "--separate-git-dir", "../elsewhere"]);
    assert!(app.join(".git").is_file());
    sandbox.commit(&app, "file", "one\n", "First");
    add(sandbox, &app, tree);
    app
}

fn detached(sandbox: &Sandbox, tree: &Path) -> PathBuf {
    let app = plain(sandbox, tree);
    let _ = sandbox.git(tree, &["checkout", "-q", "--detach"]);
    sandbox.commit(tree, "file", "nowhere else\n", "On no branch");
    app
}

fn with_a_submodule(sandbox: &Sandbox, tree: &Path) -> PathBuf {
    let library = sandbox.init("library");
    sandbox.commit(&library, "l", "l\n", "L");
    let app = sandbox.init("app");
    let url = library.display().to_string();
    let add_it = ["-c", "protocol.file.allow=always", "submodule", "-q", "add", &url, "lib"];
    let _ = sandbox.git(&app, &add_it);
    sandbox.commit(&app, "file", "one\n", "First");
    add(sandbox, &app, tree);
    app
}

fn pointers(sandbox: &Sandbox, tree: &Path) -> PathBuf {
    let app = sandbox.init("app");
    fs::write(app.join(".gitattributes"), "*.bin filter=lfs diff=lfs merge=lfs -text\n")
        .expect("attributes");
    let pointer = "version https://git-lfs.github.com/spec/v1\n\
                   oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\n\
                   size 12345\n";
    fs::write(app.join("large.bin"), pointer).expect("a pointer");
    sandbox.commit(&app, "file", "one\n", "First");
    add(sandbox, &app, tree);
    assert_eq!(fs::read_to_string(tree.join("large.bin")).expect("there"), pointer);
    app
}

fn sparse(sandbox: &Sandbox, tree: &Path) -> PathBuf {
    let app = sandbox.init("app");
    for folder in ["near", "far"] {
        fs::create_dir(app.join(folder)).expect("a folder");
        fs::write(app.join(folder).join("one"), folder).expect("a file");
    }
    sandbox.commit(&app, "file", "one\n", "First");
    let _ = sandbox.git(&app, &["sparse-checkout", "set", "near"]);
    add(sandbox, &app, tree);
    assert!(tree.join("near/one").exists() && !tree.join("far").exists());
    app
}

fn partial(sandbox: &Sandbox, tree: &Path) -> PathBuf {
    let origin = sandbox.init("origin");
    sandbox.commit(&origin, "file", "zero\n", "Before");
    sandbox.commit(&origin, "file", "one\n", "First");
    let _ = sandbox.git(&origin, &["config", "uploadpack.allowFilter", "true"]);
    let url = format!("file://{}", origin.display());
    let _ = sandbox.git(&sandbox.root(), &["clone", "-q", "--filter=blob:none", &url, "app"]);
    let app = sandbox.root().join("app");
    add(sandbox, &app, tree);
    app
}

fn names(sandbox: &Sandbox, tree: &Path) -> PathBuf {
    let app = sandbox.init("app");
    for name in [&b"READ"[..], b"read", b"\xff\xfe", b"two\nlines", b"-n", b":(glob)*", b"tab\t\""]
    {
        fs::write(app.join(OsStr::from_bytes(name)), name).expect("a file");
    }
    sandbox.commit(&app, "file", "one\n", "First");
    add(sandbox, &app, tree);
    app
}

fn links(sandbox: &Sandbox, tree: &Path) -> PathBuf {
    let app = sandbox.init("app");
    fs::create_dir(sandbox.root().join("outside")).expect("a folder");
    fs::write(sandbox.root().join("outside/precious"), "not ours").expect("a file");
    symlink("../outside", app.join("out")).expect("a link");
    symlink("/nowhere/at/all", app.join("broken")).expect("a link");
    sandbox.commit(&app, "file", "one\n", "First");
    add(sandbox, &app, tree);
    app
}

fn ends_of_lines(sandbox: &Sandbox, tree: &Path) -> PathBuf {
    let app = sandbox.init("app");
    let _ = sandbox.git(&app, &["config", "core.autocrlf", "true"]);
    fs::write(app.join(".gitattributes"), "*.sh eol=lf\n*.bat eol=crlf\nfile -text\n")
        .expect("attributes");
    for name in ["run.sh", "run.bat", "words"] {
        fs::write(app.join(name), "one\ntwo\n").expect("a file");
    }
    sandbox.commit(&app, "file", "one\n", "First");
    add(sandbox, &app, tree);
    assert_eq!(fs::read(tree.join("run.bat")).expect("there"), b"one\r\ntwo\r\n");
    app
}

fn refusing(sandbox: &Sandbox, tree: &Path) -> PathBuf {
    let app = plain(sandbox, tree);
    for hook in ["pre-commit", "post-checkout"] {
        script(&app.join(".git/hooks").join(hook), "echo 'the hook says no' >&2; exit 1");
    }
    app
}

fn changing(sandbox: &Sandbox, tree: &Path) -> PathBuf {
    let app = plain(sandbox, tree);
    for hook in ["pre-commit", "post-checkout"] {
        script(&app.join(".git/hooks").join(hook), "echo changed >>by-a-hook");
    }
    app
}

/// What somebody does there.
fn work(tree: &Path) {
    fs::write(tree.join("file"), b"one\r\n\0two\n").expect("a file");
    fs::write(tree.join("new"), "new\r\n").expect("a file");
    fs::write(tree.join(OsStr::from_bytes(b"odd \xfe")), "x").expect("a file");
    fs::write(tree.join("run me"), "#!/bin/sh\n").expect("a file");
    fs::set_permissions(tree.join("run me"), fs::Permissions::from_mode(0o755)).expect("a mode");
    symlink("/etc/hostname", tree.join("to a host")).expect("a link");
}

#[test]
fn every_kind_goes_the_whole_way() {
    for (kind, make, commits) in KINDS {
        eprintln!("{kind}");
        whole_way(make, commits);
    }
}

fn whole_way(make: Maker, commits: Commits) {
    let sandbox = Sandbox::new();
    let tree = sandbox.root().join("tree");
    let repository = make(&sandbox, &tree);
    let git = sandbox.handle();
    // A bare one has nobody else's files.
    let others = |repository: &Path| repository.join(".git").exists().then(|| content(repository));
    let theirs = others(&repository);
    let outside = sandbox.root().join("outside/precious");
    work(&tree);

    let status = git.status(&tree).expect("a status");
    assert_eq!((status.modified, status.deleted, status.unmerged), (1, 0, 0), "{status:?}");
    assert!(status.untracked >= 4, "{status:?}");
    let sides = git.sides(&tree, &Source::WorkingTree).expect("sides");
    let listing = git.changes(&tree, &sides, &[]).expect("a list");
    for name in [&b"file"[..], b"new", b"odd \xfe", b"run me", b"to a host"] {
        let is_it = |name: &[u8], other: &Name| other.as_bytes() == name;
        assert!(listing.files.iter().any(|file| is_it(name, &file.name)), "{listing:?}");
    }

    let said = |tree: &Path| sandbox.git(tree, &["status", "--porcelain", "-z", "--branch"]);
    let before = (content(&tree), said(&tree), sandbox.git(&tree, &["rev-parse", "HEAD"]));
    let snapshot = git.keep_checkout(&tree, "snapshots/1", "x", false).expect("a snapshot");
    assert_eq!((content(&tree), said(&tree)), (before.0.clone(), before.1.clone()), "untouched");
    fs::remove_file(tree.join("file")).expect("removed");
    fs::write(tree.join("new"), "spoilt").expect("a file");
    let _ = git.put_back_files(&tree, &snapshot.commit).expect("brought back");
    assert_eq!(content(&tree), before.0);

    let kept = git.keep_checkout(&tree, "trash/1", "x", true).expect("it is kept");
    git.remove_worktree(&repository, &tree).expect("it is removed");
    assert!(!tree.exists());
    let _ = sandbox.git(&repository, &["reflog", "expire", "--expire=now", "--all"]);
    let _ = sandbox.git(&repository, &["gc", "--quiet", "--prune=now"]);
    let back = git.put_back_worktree(&repository, &tree, &kept).expect("it comes back");
    assert_eq!(back.notice, None);
    let now = (content(&tree), said(&tree), sandbox.git(&tree, &["rev-parse", "HEAD"]));
    assert_eq!(now, before);
    assert_eq!(others(&repository), theirs, "nobody else's files are touched");
    assert!(!outside.exists() || fs::read(&outside).expect("there") == b"not ours");

    match (git.commit_all(&tree, "Work"), commits) {
        (Ok(Some(tip)), Commits::Yes) => brought_home(&sandbox, &git, &repository, &tip),
        (Err(error), Commits::Refused) => {
            assert!(error.to_string().contains("the hook says no"), "{error}");
            assert_eq!(content(&tree), before.0, "what was refused is as it was");
        }
        (other, _) => panic!("{other:?}"),
    }
}

fn brought_home(sandbox: &Sandbox, git: &Git, repository: &Path, tip: &str) {
    let scratch = sandbox.root().join("scratch");
    let onto = sandbox.git(repository, &["rev-parse", "main"]);
    git.scratch(repository, &scratch, &onto).expect("a scratch");
    let bring = Bring { how: How::Merge, onto: &onto, tip, message: "Home" };
    let Brought::Commit(made) = git.bring(&scratch, bring).expect("git runs") else {
        panic!("it fits");
    };
    let show = |revision: &str| sandbox.git(repository, &["ls-tree", "-r", "-z", revision]);
    assert_eq!(show(&made), show(tip), "all of it came");
    git.remove_scratch(repository, &scratch);
}

#[test]
fn what_has_no_commit_or_no_files_is_said() {
    let sandbox = Sandbox::new();
    let git = sandbox.handle();
    let empty = sandbox.init("empty");
    fs::write(empty.join("file"), "x").expect("a file");
    assert_eq!(git.status(&empty).expect("a status").untracked, 1);
    let sides = git.sides(&empty, &Source::Staged).expect("sides");
    assert!(git.changes(&empty, &sides, &[]).expect("a list").files.is_empty());
    for all in [true, false] {
        let error = git.keep_checkout(&empty, "trash/1", "x", all).expect_err("nothing");
        assert!(matches!(error, Error::NoCommits { .. }), "{error}");
    }
    let _ = sandbox.git(&sandbox.root(), &["init", "-q", "--bare", "bare.git"]);
    let bare = sandbox.root().join("bare.git");
    assert!(matches!(git.status(&bare), Err(Error::Bare { .. })));
    assert!(matches!(git.sides(&bare, &Source::Staged), Err(Error::Bare { .. })));
    assert!(matches!(git.keep_checkout(&bare, "x/1", "x", false), Err(Error::Bare { .. })));
}

#[test]
fn somebody_elses_repository_is_refused_with_the_way_out() {
    let (sandbox, app) = Sandbox::with_app();
    // Only who may do everything can give files away.
    for path in [app.join(".git"), app.clone()] {
        if let Err(error) = chown(&path, Some(4242), None) {
            eprintln!("nothing is tried: {} cannot be given away: {error}", path.display());
            return;
        }
    }
    let (git, before) = (sandbox.handle(), content(&app));
    let sides = git.sides(&app, &Source::WorkingTree).map(drop);
    let kept = git.keep_checkout(&app, "trash/1", "x", false).map(drop);
    for refused in [git.status(&app).map(drop), sides, kept, git.worktrees(&app).map(drop)] {
        let error = refused.expect_err("not the user's").to_string();
        assert!(error.contains("git config --global --add safe.directory"), "{error}");
    }
    assert_eq!(content(&app), before);
}

//! A checkout is kept byte for byte, removed, and put back as it was: files, links, modes, folders, index,
//! branch. What cannot be kept is refused by its name.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use maestro_git::{Branch, Error, Git, Kept, NewWorktree, Place};

use crate::Sandbox;

/// What lies in a folder: names, kinds, modes and bytes.
pub(crate) fn content(root: &Path) -> BTreeMap<PathBuf, String> {
    fn walk(root: &Path, folder: &Path, found: &mut BTreeMap<PathBuf, String>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let about = fs::symlink_metadata(&path).expect("it is there");
            let name = path.strip_prefix(root).expect("below").to_owned();
            if name.as_os_str() == ".git" {
                continue;
            }
            let what = if about.is_symlink() {
                format!("link {:?}", fs::read_link(&path).expect("a link"))
            } else if about.is_dir() {
                walk(root, &path, found);
                "folder".to_owned()
            } else {
                let bytes = fs::read(&path).expect("readable");
                format!("{:o} {bytes:?}", about.mode() & 0o777)
            };
            let _ = found.insert(name, what);
        }
    }
    let mut found = BTreeMap::new();
    walk(root, root, &mut found);
    found
}

fn worktree(git: &Git, app: &Path, name: &str) -> PathBuf {
    let branch = Branch::New { name: name.into(), base: None };
    let wanted =
        NewWorktree { repository: app.to_owned(), branch, path: None, place: Place::Beside };
    git.add_worktree(&wanted).expect("a worktree").worktree.path
}

/// A worktree with everything odd in it.
fn odd(sandbox: &Sandbox) -> (PathBuf, PathBuf) {
    let app = sandbox.init("app");
    let config = "[user]\nname = Test\nemail = test@example.org\n[init]\ndefaultBranch = main\n\
                  [core]\nautocrlf = true\n[filter \"loud\"]\nclean = tr a-z A-Z\nsmudge = tr A-Z a-z\n";
    fs::write(sandbox.root().join("home/gitconfig"), config).expect("a configuration");
    fs::write(app.join(".gitattributes"), "*.loud filter=loud\n*.txt text\n").expect("attributes");
    fs::write(app.join(".gitignore"), ".env\ntarget/\n*.big\nchosen/\n").expect("patterns");
    fs::write(app.join(".worktreeinclude"), "chosen\n").expect("patterns");
    fs::create_dir_all(app.join("src/deep")).expect("folders");
    for (name, text) in [
        ("crlf.txt", &b"one\r\ntwo\r\n"[..]),
        ("mixed.txt", b"one\r\ntwo\nthree\r"),
        ("words.loud", b"Some Words"),
        ("src/deep/file", b"1\n"),
        ("src/gone", b"will be gone\n"),
        ("swap/inside", b"a folder that becomes a link\n"),
    ] {
        fs::create_dir_all(app.join(name).parent().expect("one")).expect("folders");
        fs::write(app.join(name), text).expect("a file");
    }
    fs::write(app.join("run"), "#!/bin/sh\n").expect("a file");
    fs::set_permissions(app.join("run"), fs::Permissions::from_mode(0o755)).expect("a mode");
    let _ = sandbox.git(&app, &["add", "--all"]);
    let _ = sandbox.git(&app, &["commit", "--quiet", "-m", "First"]);
    let tree = worktree(&sandbox.handle(), &app, "topic");
    // Staged, staged and changed again, deleted, moved, links, names, folders, ignored.
    fs::write(tree.join("staged"), "in the index alone\n").expect("a file");
    let _ = sandbox.git(&tree, &["add", "staged"]);
    fs::write(tree.join("staged"), "and another on the disk\r\n").expect("a file");
    fs::write(tree.join("words.loud"), "NEW words\r\n").expect("a file");
    fs::remove_file(tree.join("src/gone")).expect("removed");
    fs::remove_dir_all(tree.join("swap")).expect("removed");
    symlink("/etc", tree.join("swap")).expect("a link");
    symlink("src/nowhere", tree.join("broken")).expect("a link");
    fs::set_permissions(tree.join("src/deep/file"), fs::Permissions::from_mode(0o755))
        .expect("set");
    fs::write(tree.join(OsStr::from_bytes(b"odd \xff\nname")), b"bytes\0\xff").expect("a file");
    fs::write(tree.join("CASE"), "upper").expect("a file");
    fs::write(tree.join("case"), "lower").expect("a file");
    fs::create_dir_all(tree.join("empty/er")).expect("folders");
    fs::create_dir_all(tree.join("new/empty")).expect("folders");
    fs::write(tree.join("new/file"), "x").expect("a file");
    fs::write(tree.join(".env"), "SECRET=1\n").expect("a file");
    fs::create_dir_all(tree.join("chosen")).expect("a folder");
    fs::write(tree.join("chosen/data.bin"), vec![7; 2 << 20]).expect("a file");
    (app, tree)
}

#[test]
fn a_worktree_comes_back_byte_for_byte() {
    let sandbox = Sandbox::new();
    let (app, tree) = odd(&sandbox);
    let git = sandbox.handle();
    let main = content(&app);
    // Commits that nothing but the reflog knows.
    let _ = sandbox.git(&tree, &["commit", "--quiet", "--allow-empty", "-m", "Amended away"]);
    let lost = sandbox.git(&tree, &["rev-parse", "HEAD"]);
    let _ = sandbox.git(&tree, &["reset", "--quiet", "--soft", "HEAD~"]);
    let status = |tree: &Path| sandbox.git(tree, &["status", "--porcelain", "--ignored"]);
    fs::set_permissions(tree.join(".env"), fs::Permissions::from_mode(0o600)).expect("a secret");
    let before = (content(&tree), status(&tree), sandbox.git(&tree, &["diff", "--cached"]));
    let index = fs::read(git.repository(&tree).expect("it is one").git_dir.join("index"));

    let kept = git.keep_checkout(&tree, "trash/1", "Removed", true).expect("it is kept");
    assert_eq!((kept.branch.as_deref(), kept.left.1), (Some("topic"), 0), "{kept:?}");
    assert_eq!(
        (content(&tree), status(&tree)),
        (before.0.clone(), before.1.clone()),
        "looked at only"
    );
    let after = fs::read(git.repository(&tree).expect("it is one").git_dir.join("index"));
    assert_eq!(after.expect("an index"), index.expect("an index"), "the index, too");
    assert_eq!(sandbox.git(&tree, &["stash", "list"]), "");

    git.remove_worktree(&app, &tree).expect("it is removed");
    assert!(!tree.exists());
    let _ = sandbox.git(&app, &["reflog", "expire", "--expire=now", "--all"]);
    let _ = sandbox.git(&app, &["gc", "--quiet", "--prune=now"]);
    assert_eq!(sandbox.git(&app, &["cat-file", "-t", &lost]), "commit", "nothing is lost");
    assert_eq!(content(&app), main, "nobody else's checkout is touched");

    let back = git.put_back_worktree(&app, &tree, &kept).expect("it comes back");
    assert_eq!(back.notice, None);
    assert_eq!(content(&tree), before.0);
    assert_eq!(sandbox.git(&tree, &["rev-parse", "--abbrev-ref", "HEAD"]), "topic");
    assert_eq!(sandbox.git(&tree, &["diff", "--cached"]), before.2, "what was staged is staged");
    assert_eq!(status(&tree), before.1);
    let again = git.put_back_worktree(&app, &tree, &kept).expect_err("it is there");
    assert!(matches!(again, Error::TargetNotEmpty { .. }), "{again}");
    assert!(git.is_back(&tree, &kept) && !git.is_back(&app, &kept));
    assert!(!git.is_back(&tree, &Kept { commit: kept.tree.clone(), ..kept.clone() }));
    // Somebody was killed before it was through.
    let own = git.repository(&tree).expect("it is one").git_dir;
    fs::remove_file(tree.join("case")).expect("removed");
    fs::write(own.join("maestro-restoring"), &kept.commit).expect("written");
    let _ = git.put_back_worktree(&app, &tree, &kept).expect("it goes on");
    assert_eq!(content(&tree), before.0);
    // A removal that was cut off: half of the files are gone, and then all but git's knowing of it.
    fs::remove_dir_all(tree.join("src")).expect("removed");
    fs::remove_file(tree.join("case")).expect("removed");
    let _ = git.put_back_worktree(&app, &tree, &kept).expect("it is a part of what is kept");
    assert_eq!(content(&tree), before.0);
    fs::remove_file(tree.join("case")).expect("removed");
    fs::write(tree.join("run"), "somebody was here").expect("written");
    let error = git.put_back_worktree(&app, &tree, &kept).expect_err("that would be lost");
    assert!(matches!(error, Error::TargetNotEmpty { .. }), "{error}");
    fs::remove_dir_all(&tree).expect("removed");
    let _ = git.put_back_worktree(&app, &tree, &kept).expect("git still knew it");
    assert_eq!(content(&tree), before.0);
}

#[test]
fn a_branch_that_went_on_is_left_alone() {
    let (sandbox, app) = Sandbox::with_app();
    let git = sandbox.handle();
    let tree = worktree(&git, &app, "topic");
    fs::write(tree.join("mine"), "x").expect("a file");
    let kept = git.keep_checkout(&tree, "trash/1", "Removed", true).expect("it is kept");
    git.remove_worktree(&app, &tree).expect("it is removed");
    let _ = sandbox.git(&app, &["checkout", "--quiet", "topic"]);
    let back = git.put_back_worktree(&app, &tree, &kept).expect("it comes back");
    assert!(back.notice.expect("something").contains("is checked out in"));
    assert_eq!(sandbox.git(&tree, &["rev-parse", "HEAD"]), kept.head);
    let kept = git.keep_checkout(&tree, "trash/2", "Again", true).expect("a detached one");
    assert_eq!(kept.branch, None);
    git.remove_worktree(&app, &tree).expect("it is removed");
    let _ = sandbox.git(&app, &["checkout", "--quiet", "main"]);
    let _ = sandbox.git(&app, &["branch", "-D", "topic"]);
    let first = maestro_git::Kept { branch: Some("topic".into()), ..kept };
    let back = git.put_back_worktree(&app, &tree, &first).expect("the branch is made again");
    assert_eq!(back.notice, None);
    assert_eq!(sandbox.git(&tree, &["rev-parse", "topic"]), first.head);
    assert_eq!(fs::read_to_string(tree.join("mine")).expect("it is there"), "x");
}

#[test]
fn what_git_knows_of_one_worktree_alone_comes_back_too() {
    let (sandbox, app) = Sandbox::with_app();
    let git = sandbox.handle();
    for text in ["two", "three", "four", "five", "six"] {
        sandbox.commit(&app, "file", text, text);
    }
    let tree = worktree(&git, &app, "topic");
    let run = |arguments: &[&str]| sandbox.git(&tree, arguments);
    // A search that goes on, references that nobody else sees, and files that are left out here alone.
    let _ = run(&["sparse-checkout", "set", "--no-cone", "/*", "!/nothing"]);
    let _ = run(&["config", "--worktree", "test.mine", "yes"]);
    let lost = run(&["commit-tree", "HEAD^{tree}", "-m", "No branch has it"]);
    fs::write(tree.join("note"), "only a reference knows this").expect("a file");
    let note = run(&["hash-object", "-w", "note"]);
    fs::remove_file(tree.join("note")).expect("removed");
    for (name, id) in [("refs/worktree/lost", &lost), ("refs/worktree/deep/note", &note)] {
        let _ = run(&["update-ref", name, id]);
    }
    let _ = run(&["bisect", "start", "HEAD", "HEAD~4"]);
    let said = || {
        let refs = run(&["for-each-ref", "refs/worktree", "refs/bisect"]);
        let search = (run(&["bisect", "log"]), run(&["rev-parse", "HEAD"]), run(&["reflog"]));
        (refs, search, run(&["sparse-checkout", "list"]), run(&["config", "test.mine"]))
    };
    let before = said();
    assert!(before.0.lines().count() >= 4, "{before:?}");

    let kept = git.keep_checkout(&tree, "trash/1", "Removed", true).expect("it is kept");
    git.remove_worktree(&app, &tree).expect("it is removed");
    let _ = sandbox.git(&app, &["reflog", "expire", "--expire=now", "--all"]);
    let _ = sandbox.git(&app, &["gc", "--quiet", "--prune=now"]);
    let _ = git.put_back_worktree(&app, &tree, &kept).expect("it comes back");
    assert_eq!(said(), before);
    assert_eq!(run(&["cat-file", "-p", "refs/worktree/deep/note"]), "only a reference knows this");
    let _ = run(&["bisect", "good"]);
    let _ = sandbox.git(&app, &["fsck", "--strict"]);

    let _ = run(&["bisect", "reset"]);
    let _ = run(&["tag", "-a", "-m", "x", "signed"]);
    let _ = run(&["update-ref", "refs/worktree/tag", "signed"]);
    let error = git.keep_checkout(&tree, "trash/2", "x", true).expect_err("a tag").to_string();
    assert!(error.contains("refs/worktree/tag is a reference"), "{error}");
    let _ = git.keep_checkout(&tree, "snapshots/2", "x", false).expect("its files can be kept");
}

#[test]
fn what_cannot_be_kept_is_refused_by_name() {
    let (sandbox, app) = Sandbox::with_app();
    let git = sandbox.handle();
    let tree = worktree(&git, &app, "topic");
    let refused = |said: &str| {
        let error = git.keep_checkout(&tree, "trash/1", "x", true).expect_err(said).to_string();
        assert!(error.contains(said), "{error}");
        assert!(git.kept(&app, "trash").expect("readable").is_empty(), "nothing is kept by half");
    };
    fs::create_dir(tree.join("other")).expect("a folder");
    let _ = sandbox.git(&tree.join("other"), &["init", "--quiet"]);
    fs::write(tree.join("other/file"), "x").expect("a file");
    refused("other is a repository of its own");
    let soft =
        git.keep_checkout(&tree, "snapshots/1", "x", false).expect("a snapshot leaves it out");
    assert_eq!(soft.left, (vec!["other".to_owned()], 1));
    fs::write(tree.join(".gitignore"), "other/\n").expect("patterns");
    refused("other is a repository of its own");
    // Deep in an ignored folder, where git does not look; and one that is broken.
    fs::create_dir_all(tree.join("other/x/y")).expect("folders");
    fs::rename(tree.join("other/.git"), tree.join("other/x/y/.git")).expect("moved");
    refused("other/x/y is a repository of its own");
    fs::remove_dir_all(tree.join("other")).expect("removed");
    fs::create_dir_all(tree.join("broken/.git")).expect("folders");
    fs::write(tree.join("broken/.git/precious"), "x").expect("a file");
    fs::write(tree.join("broken/file"), "x").expect("a file");
    refused("broken is a repository of its own");
    fs::remove_dir_all(tree.join("broken")).expect("removed");
    let _ = sandbox.git(&tree, &["update-index", "--split-index"]);
    refused("split-index");
    let _ = sandbox.git(&tree, &["update-index", "--no-split-index"]);
    for left in
        fs::read_dir(git.repository(&tree).expect("one").git_dir).expect("a folder").flatten()
    {
        if left.file_name().to_string_lossy().starts_with("sharedindex.") {
            fs::remove_file(left.path()).expect("removed");
        }
    }

    sandbox.commit(&app, "file", "theirs\n", "Theirs");
    fs::write(tree.join("file"), "ours\n").expect("a file");
    let _ = sandbox.git(&tree, &["commit", "--quiet", "--all", "-m", "Ours"]);
    let merged = std::process::Command::new("git")
        .args(["merge", "main"])
        .current_dir(&tree)
        .env_clear()
        .envs(sandbox.environment())
        .output()
        .expect("git runs");
    assert!(!merged.status.success());
    refused("merge is under way");
    // A snapshot has every side of the conflict.
    let soft = git.keep_checkout(&tree, "snapshots/2", "x", false).expect("it is kept");
    let stages = sandbox.git(&app, &["ls-tree", "-r", "--name-only", &soft.commit, "stages/"]);
    assert_eq!(stages.lines().filter(|line| line.ends_with("/file")).count(), 3, "{stages}");
    let _ = sandbox.git(&tree, &["merge", "--abort"]);

    let empty = sandbox.init("unborn");
    let error = git.keep_checkout(&empty, "trash/1", "x", true).expect_err("nothing");
    assert!(matches!(error, Error::NoCommits { .. }), "{error}");
    let _ = sandbox.git(&sandbox.root(), &["clone", "--quiet", "--bare", "app", "bare"]);
    let bare = git.keep_checkout(&sandbox.root().join("bare"), "trash/1", "x", true);
    assert!(matches!(bare, Err(Error::Bare { .. })), "{bare:?}");
    // Git's own refusals stay: the main checkout, and a locked one.
    let main = git.remove_worktree(&app, &app).expect_err("the main one");
    assert!(main.to_string().contains("main working tree"), "{main}");
    let _ = sandbox
        .git(&app, &["worktree", "lock", "--reason", "on a stick", &tree.display().to_string()]);
    let locked = git.remove_worktree(&app, &tree).expect_err("locked");
    assert!(locked.to_string().contains("locked"), "{locked}");
    assert!(tree.join("file").exists());
}

#[test]
fn a_submodule_is_no_part_of_what_can_be_kept() {
    let (sandbox, app) = Sandbox::with_app();
    let library = sandbox.init("library");
    sandbox.commit(&library, "l", "l\n", "L");
    let url = library.display().to_string();
    let allow = ["-c", "protocol.file.allow=always"];
    let _ =
        sandbox.git(&app, &[&allow[..], &["submodule", "--quiet", "add", &url, "lib"]].concat());
    let _ = sandbox.git(&app, &["commit", "--quiet", "-m", "With a library"]);
    let git = sandbox.handle();
    let tree = worktree(&git, &app, "topic");
    let kept =
        git.keep_checkout(&tree, "trash/1", "x", true).expect("not checked out: nothing there");
    let _ =
        sandbox.git(&tree, &[&allow[..], &["submodule", "--quiet", "update", "--init"]].concat());
    let error = git.keep_checkout(&tree, "trash/2", "x", true).expect_err("it is now").to_string();
    assert!(error.contains("lib is a repository of its own or a submodule"), "{error}");
    let _ = sandbox.git(&tree, &["submodule", "--quiet", "deinit", "--all", "--force"]);
    let _ = kept;
}

#[test]
fn files_are_brought_back_and_what_came_since_goes() {
    let (sandbox, app) = Sandbox::with_app();
    let outside = sandbox.root().join("outside");
    fs::create_dir(&outside).expect("a folder");
    fs::create_dir(app.join("src")).expect("a folder");
    sandbox.commit(&app, "src/a", "a\n", "More");
    let git = sandbox.handle();
    fs::write(app.join("note"), "n").expect("a file");
    let before = content(&app);
    let index = sandbox.git(&app, &["ls-files", "--stage"]);
    let kept = git.keep_checkout(&app, "snapshots/1", "Before", false).expect("it is kept");
    fs::remove_dir_all(app.join("src")).expect("removed");
    symlink(&outside, app.join("src")).expect("a way out");
    fs::write(app.join("file"), "changed").expect("a file");
    fs::remove_file(app.join("note")).expect("removed");
    fs::create_dir(app.join("note")).expect("a folder");
    fs::write(app.join("note/inside"), "x").expect("a file");
    fs::write(app.join("later"), "x").expect("a file");
    let put = git.put_back_files(&app, &kept.commit).expect("brought back");
    assert_eq!((put.written, put.removed), (3, 3), "{put:?}");
    assert_eq!(content(&app), before);
    assert_eq!(fs::read_dir(&outside).expect("a folder").count(), 0, "nothing left the checkout");
    assert_eq!(sandbox.git(&app, &["ls-files", "--stage"]), index);
    // What is ignored and too large to be kept before is not written over.
    fs::remove_file(app.join("note")).expect("removed");
    fs::write(app.join(".git/info/exclude"), "note\n").expect("patterns");
    fs::write(app.join("note"), vec![b'x'; 2 << 20]).expect("a file");
    let error = git.put_back_files(&app, &kept.commit).expect_err("it would be lost").to_string();
    assert!(error.contains("note is in the way"), "{error}");
    assert_eq!(fs::metadata(app.join("note")).expect("there").len(), 2 << 20);
    fs::write(app.join("note"), "n").expect("as it was");
    let again = git.put_back_files(&app, &kept.commit).expect("nothing to do");
    assert_eq!((again.written, again.removed), (0, 0));
}

/// A small generator of numbers, the same on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }
}

/// Worktrees are made, written in, committed in, run in, kept, removed, put back, and moved by somebody else, in
/// any order; a removal is cut off somewhere, as the death of a host would. Whatever was written is there as it
/// was, on the disk or in what is kept, and the main checkout and a foreign worktree never change.
/// `MAESTRO_INTERLEAVINGS` says how many such stories of some 25 deeds, `MAESTRO_SEED` which is the first.
#[test]
fn nothing_that_was_written_is_lost_in_any_order_of_deeds() {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let count = number("MAESTRO_INTERLEAVINGS").unwrap_or(300);
    let first = number("MAESTRO_SEED").unwrap_or(1);
    let next = AtomicU64::new(first);
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let _ = scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + count {
                        return;
                    }
                    story(seed);
                }
            });
        }
    });
}

/// A worktree that is gone, what is kept of it, and what was in it.
type Gone = (PathBuf, Kept, BTreeMap<PathBuf, String>);

fn story(seed: u64) {
    let (sandbox, app) = Sandbox::in_memory();
    let git = sandbox.handle();
    let foreign = sandbox.root().join("foreign");
    let named = foreign.display().to_string();
    let _ = sandbox.git(&app, &["worktree", "add", "-q", "-b", "foreign", &named]);
    fs::write(foreign.join("precious"), "not ours").expect("a file");
    let others = (content(&app), content(&foreign));
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut here: Vec<PathBuf> = Vec::new();
    let mut gone: Vec<Gone> = Vec::new();
    let mut commits: Vec<String> = Vec::new();
    let mut told: Vec<(usize, Option<usize>)> = Vec::new();
    let back = |(path, kept, was): &Gone, told: &[(usize, Option<usize>)]| {
        let put = git.put_back_worktree(&app, path, kept);
        let _ = put.unwrap_or_else(|error| panic!("{seed}: {told:?}: {error}"));
        assert_eq!(content(path), *was, "{seed}: {told:?}");
    };
    for number in 0..25 {
        let deed = dice.roll(12);
        let at = (!here.is_empty()).then(|| dice.roll(here.len()));
        told.push((deed, at));
        match (deed, at) {
            (0 | 1, _) if here.len() < 3 => {
                here.push(worktree(&git, &app, &format!("topic-{number}")));
            }
            (2 | 3, Some(at)) => {
                let name = ["new", "deep/er/file", "file", "deep", ".env"][dice.roll(5)];
                let path = here[at].join(name);
                if path.is_dir() {
                    fs::remove_dir_all(&path).expect("removed");
                }
                for folder in path.ancestors().skip(1) {
                    if folder.is_file() {
                        fs::remove_file(folder).expect("removed");
                    }
                }
                fs::create_dir_all(path.parent().expect("one")).expect("folders");
                fs::write(&path, format!("{number}\r\n\0{seed}")).expect("a file");
            }
            (4, Some(at)) => {
                let _ = sandbox.git(&here[at], &["add", "--all"]);
                let _ = sandbox.git(&here[at], &["commit", "-q", "--allow-empty", "-m", "x"]);
                commits.push(sandbox.git(&here[at], &["rev-parse", "HEAD"]));
            }
            // Its commit is what only the reflog knows then.
            (5, Some(at)) => {
                let _ = sandbox.git(&here[at], &["reset", "-q", "--soft", "main"]);
            }
            (6 | 7, Some(at)) => {
                let path = here.swap_remove(at);
                let was = content(&path);
                let kept = git.keep_checkout(&path, &format!("trash/{number}"), "x", true);
                let kept = kept.unwrap_or_else(|error| panic!("{seed}: {told:?}: {error}"));
                git.remove_worktree(&app, &path).expect("removed");
                gone.push((path, kept, was));
            }
            (8, _) if !gone.is_empty() => {
                let one = gone.swap_remove(dice.roll(gone.len()));
                back(&one, &told);
                here.push(one.0);
            }
            // Somebody else's git in between.
            (9, Some(at)) => {
                let to = sandbox.root().join(format!("moved-{number}"));
                let (from, named) = (here[at].display().to_string(), to.display().to_string());
                let _ = sandbox.git(&app, &["worktree", "move", &from, &named]);
                here[at] = to;
            }
            // A removal that ends in its middle: some files are gone, perhaps all, perhaps what git knows of it.
            (10, Some(at)) => {
                let path = here[at].clone();
                let was = content(&path);
                let own = git.repository(&path).expect("it is one").git_dir;
                let kept = git.keep_checkout(&path, &format!("trash/{number}"), "x", true);
                let kept = kept.unwrap_or_else(|error| panic!("{seed}: {told:?}: {error}"));
                let mut removed = 0;
                for name in was.keys().take(dice.roll(was.len() + 1)) {
                    let path = path.join(name);
                    if fs::symlink_metadata(&path).is_ok_and(|about| !about.is_dir()) {
                        fs::remove_file(&path).expect("removed");
                        removed += 1;
                    }
                }
                // One that is whole is refused, as it ought to be.
                let how = if removed == 0 { dice.roll(2) } else { dice.roll(4) };
                if how < 2 {
                    fs::remove_dir_all(&path).expect("removed");
                }
                if how == 1 {
                    fs::remove_dir_all(&own).expect("removed");
                }
                if how == 3 {
                    fs::remove_file(path.join(".git")).expect("removed");
                }
                back(&(path, kept, was), &told);
            }
            // A run: what is not committed is kept before, every task's files are, and its work is committed.
            (11, Some(at)) => {
                let path = &here[at];
                let was = content(path);
                let before = git.keep_checkout(path, &format!("snapshots/{number}"), "x", false);
                let before = before.unwrap_or_else(|error| panic!("{seed}: {told:?}: {error}"));
                let start = git.tree_of(path).expect("a tree");
                fs::write(path.join("task"), format!("{number}")).expect("a file");
                let end = git.tree_of(path).expect("a tree");
                let task = format!("runs/{number}/1");
                git.keep(path, &[(format!("{task}/start"), start), (format!("{task}/end"), end)])
                    .expect("kept");
                match dice.roll(3) {
                    0 => {
                        let _ = git.put_back_files(path, &before.commit).expect("taken back");
                        assert_eq!(content(path), was, "{seed}: {told:?}");
                    }
                    1 => commits.extend(git.commit_all(path, "A task").expect("a commit")),
                    _ => {}
                }
            }
            _ => {
                let _ = sandbox.git(&app, &["worktree", "prune"]);
            }
        }
        assert_eq!((content(&app), content(&foreign)), others, "{seed}: {told:?}");
    }
    // All of them go, and git tidies up as thoroughly as it can.
    for path in here {
        let was = content(&path);
        let kept = git.keep_checkout(&path, &format!("trash/end-{}", gone.len()), "x", true);
        gone.push((path.clone(), kept.expect("kept"), was));
        git.remove_worktree(&app, &path).expect("removed");
    }
    let _ = sandbox.git(&app, &["reflog", "expire", "--expire=now", "--all"]);
    // Packing is the dear part, and is the same every time.
    if seed.is_multiple_of(8) {
        let _ = sandbox.git(&app, &["gc", "--quiet", "--prune=now"]);
    } else {
        let _ = sandbox.git(&app, &["prune", "--expire=now"]);
    }
    for one in &gone {
        back(one, &told);
    }
    if !commits.is_empty() {
        // Fails when one of them is not there.
        let _ = sandbox.git(&app, &[&["show", "--no-patch"], &names(&commits)[..]].concat());
    }
}

fn names(all: &[String]) -> Vec<&str> {
    all.iter().map(String::as_str).collect()
}

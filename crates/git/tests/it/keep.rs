//! What runs do with a repository: trees that stay, commits of one task's work, taking it back.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use maestro_git::{Error, Git};

use crate::{Sandbox, script};

fn write(root: &Path, name: &str, text: &str) {
    let path = root.join(name);
    fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
    fs::write(path, text).expect("a file");
}

fn names(paths: &[PathBuf]) -> Vec<String> {
    let mut names: Vec<String> =
        paths.iter().map(|path| path.to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_tree_through_a_lasting_index_is_the_same_tree() {
    let (sandbox, app) = Sandbox::with_app();
    let git = sandbox.handle();
    let index = sandbox.root().join("kept-index");
    let same = |what: &str| {
        let (fast, slow) = (git.tree_with(&app, &index), git.tree_of(&app));
        assert_eq!(fast.expect("a tree"), slow.expect("a tree"), "{what}");
    };
    write(&app, ".gitignore", "ignored\n");
    for round in 0..3 {
        same("nothing new");
        write(&app, "file", &format!("{round}{round}\n"));
        same("the same size a moment later");
        write(&app, &format!("sub/new {round} ü\n"), "x");
        same("a new file");
        write(&app, "ignored", &format!("{round}"));
        same("an ignored file");
        let _ = sandbox.git(&app, &["add", "--force", "ignored"]);
        same("an ignored file that is tracked now");
        let _ = sandbox.git(&app, &["rm", "-q", "--cached", "ignored"]);
        same("and is no more");
        sandbox.commit(&app, "other", &format!("{round}\n"), "Other");
        same("a commit");
    }
    fs::write(&index, "rubbish").expect("a write");
    same("an index of no use");
    fs::write(sandbox.root().join("kept-index.lock"), "").expect("a write");
    same("a lock that a dead process left");
}

#[test]
fn kept_trees_survive_and_are_forgotten() {
    let (sandbox, app) = Sandbox::with_app();
    let git = sandbox.handle();
    write(&app, "file", "never committed\n");
    let tree = git.tree_of(&app).expect("a tree");
    let name = |n: u32| format!("runs/r1/t{n}-before");
    git.keep(&app, &[(name(1), tree.clone()), (name(2), tree.clone())]).expect("kept");
    git.keep(&app, &[("runs/r10/t1-before".to_owned(), tree.clone())]).expect("kept");
    fs::write(app.join("file"), "one\n").expect("a file");
    let _ = sandbox.git(&app, &["gc", "-q", "--prune=now"]);
    assert_eq!(sandbox.git(&app, &["cat-file", "-t", &tree]), "tree");
    let kept = git.kept(&app, "runs/r1").expect("names");
    assert_eq!(kept, [(name(1), tree.clone()), (name(2), tree.clone())]);
    assert_eq!(git.forget(&app, "runs/r1").expect("forgotten"), 2);
    assert_eq!(git.forget(&app, "runs/r1").expect("nothing"), 0);
    assert_eq!(git.kept(&app, "runs").expect("names").len(), 1);
    for name in ["../heads/main", "", "a b", "a//b", "-x/\n"] {
        let refused = git.keep(&app, &[(name.to_owned(), tree.clone())]);
        assert!(matches!(refused, Err(Error::InvalidName { .. })), "{name:?}: {refused:?}");
    }
    // Neither branches nor tags are ours.
    assert_eq!(
        sandbox.git(&app, &["for-each-ref", "refs/heads", "--format=%(refname)"]),
        "refs/heads/main"
    );
    assert!(git.keep(&app, &[(name(3), "0".repeat(39) + "1")]).is_err());
}

#[test]
fn differences_are_bounded_and_run_nothing() {
    let (sandbox, app) = Sandbox::with_app();
    let git = sandbox.handle();
    let ran = sandbox.root().join("ran");
    script(&sandbox.root().join("tool"), &format!("touch '{}'", ran.display()));
    let tool = sandbox.root().join("tool").display().to_string();
    let _ = sandbox.git(&app, &["config", "diff.external", &tool]);
    let _ = sandbox.git(&app, &["config", "diff.x.textconv", &tool]);
    let _ = sandbox.git(&app, &["config", "diff.x.command", &tool]);
    let _ = sandbox.git(&app, &["config", "diff.noprefix", "true"]);
    write(&app, ".gitattributes", "* diff=x\n");
    let before = git.tree_of(&app).expect("a tree");
    write(&app, "file", "one\n\u{1b}[31mtwo\n");
    write(&app, "sub/ü", "new\n");
    let after = git.tree_of(&app).expect("a tree");
    let difference = git.difference(&app, &before, &after, 1 << 20).expect("a difference");
    assert!(!difference.cut);
    for part in ["--- a/file", "+++ b/file", "+␛[31mtwo", "+++ b/sub/ü"] {
        assert!(difference.text.contains(part), "{part}: {}", difference.text);
    }
    assert_eq!(names(&git.differing(&app, &before, &after).expect("names")), ["file", "sub/ü"]);
    write(&app, "large", &"line\n".repeat(100_000));
    let large = git.tree_of(&app).expect("a tree");
    let difference = git.difference(&app, &before, &large, 10_000).expect("a part");
    assert!(difference.cut && difference.text.len() <= 10_100, "{}", difference.text.len());
    assert!(git.difference(&app, &before, &"1".repeat(40), 100).is_err());
    assert!(!ran.exists());
}

/// Everything below a folder but git's own: path, kind and contents.
fn files(root: &Path) -> Vec<(Vec<u8>, String)> {
    fn walk(folder: &Path, root: &Path, found: &mut Vec<(Vec<u8>, String)>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let file = fs::symlink_metadata(&path).expect("a file");
            if path.file_name() == Some(OsStr::new(".git")) {
                continue;
            }
            if file.is_dir() {
                walk(&path, root, found);
                continue;
            }
            let contents = if file.is_symlink() {
                format!("-> {}", fs::read_link(&path).expect("a link").display())
            } else {
                let text = String::from_utf8_lossy(&fs::read(&path).expect("a file")).into_owned();
                format!("{:o} {text}", file.permissions().mode() & 0o111)
            };
            let name = path.strip_prefix(root).expect("below").as_os_str().as_bytes().to_vec();
            found.push((name, contents));
        }
    }
    let mut found = Vec::new();
    walk(root, root, &mut found);
    found.sort();
    found
}

#[test]
fn everything_is_put_back_as_it_was() {
    let (sandbox, app) = Sandbox::with_app();
    let git = sandbox.handle();
    let _ = sandbox.git(&app, &["config", "core.autocrlf", "false"]);
    let ran = sandbox.root().join("ran");
    for hook in ["post-checkout", "post-index-change", "reference-transaction"] {
        script(&app.join(".git/hooks").join(hook), &format!("touch '{}'", ran.display()));
    }
    write(&app, ".gitignore", "target\n");
    write(&app, "crlf", "a\r\nb\r\n");
    write(&app, "untracked ü", "mine\n");
    write(&app, "was/folder/x", "x");
    write(&app, "was-file", "x");
    let odd = app.join(OsStr::from_bytes(b"odd \xff name"));
    fs::write(&odd, "odd").expect("a file");
    symlink("/etc/passwd", app.join("link")).expect("a link");
    script(&app.join("run.sh"), "true");
    let before = git.tree_of(&app).expect("a tree");
    let was = files(&app);
    let (head, staged) =
        (sandbox.git(&app, &["rev-parse", "HEAD"]), fs::read(app.join(".git/index")));

    write(&app, "file", "changed");
    write(&app, "crlf", "c\n");
    fs::remove_file(&odd).expect("a loss");
    fs::write(app.join(OsStr::from_bytes(b"\xfe new")), "").expect("a file");
    fs::remove_file(app.join("link")).expect("a loss");
    symlink("file", app.join("link")).expect("a link");
    fs::remove_dir_all(app.join("was")).expect("a loss");
    write(&app, "was", "now a file");
    fs::remove_file(app.join("was-file")).expect("a loss");
    write(&app, "was-file/now/a folder", "x");
    fs::set_permissions(app.join("run.sh"), fs::Permissions::from_mode(0o644)).expect("a mode");
    write(&app, "target/kept", "ignored");
    let changed = git.tree_of(&app).expect("a tree");

    let restored = git.restore(&app, &before, None, "undo/1").expect("it is put back");
    assert_eq!(restored.before, changed);
    assert_eq!(restored.left, Vec::<PathBuf>::new());
    let now: Vec<_> = files(&app).into_iter().filter(|(name, _)| name != b"target/kept").collect();
    assert_eq!(now, was);
    assert!(app.join("target/kept").exists(), "what is ignored stays");
    assert!(!ran.exists(), "no hook ran");
    assert_eq!(sandbox.git(&app, &["rev-parse", "HEAD"]), head);
    assert_eq!(fs::read(app.join(".git/index")).ok(), staged.ok());
    // And the other way round, from what was kept.
    assert_eq!(git.kept(&app, "undo").expect("names"), [("undo/1".to_owned(), changed.clone())]);
    let _ = git.restore(&app, &changed, None, "undo/2").expect("it is put back again");
    assert_eq!(git.tree_of(&app).expect("a tree"), changed);
}

#[test]
fn only_what_is_meant_is_put_back() {
    let (sandbox, app) = Sandbox::with_app();
    let git = sandbox.handle();
    let inner = sandbox.init("app/inner");
    sandbox.commit(&inner, "x", "1", "First");
    write(&app, "sub/a", "1");
    write(&app, "sub/b", "1");
    let before = git.tree_of(&app).expect("a tree");
    write(&app, "file", "2");
    write(&app, "sub/a", "2");
    write(&app, "sub/b", "2");
    sandbox.commit(&inner, "x", "2", "Second");
    let only = [PathBuf::from("sub/a"), PathBuf::from("file")];
    let restored =
        git.restore(&app.join("sub"), &before, Some(&only), "undo/1").expect("it is put back");
    assert_eq!(names(&restored.changed), ["sub/a"], "below the directory, and asked for");
    assert_eq!(fs::read_to_string(app.join("sub/b")).expect("a file"), "2");
    let restored = git.restore(&app, &before, None, "undo/1").expect("it is put back");
    assert_eq!(names(&restored.left), ["inner"], "a repository of its own is left alone");
    assert_eq!(fs::read_to_string(inner.join("x")).expect("a file"), "2");
    assert!(git.restore(&app, &"1".repeat(40), None, "undo/1").is_err());
}

fn committed(git: &Git, sandbox: &Sandbox, app: &Path, since: &str) -> String {
    let index = sandbox.root().join("kept-index");
    let made = git.commit_since(app, Some(since), "Do it\n\n# Body ü", &index);
    let made = made.expect("a commit").expect("something to commit");
    assert_eq!(sandbox.git(app, &["log", "-1", "--format=%H"]), made.id);
    assert_eq!(sandbox.git(app, &["log", "-1", "--format=%B"]), "Do it\n\n# Body ü");
    sandbox.git(app, &["show", "--no-renames", "--name-status", "--format="]).replace('\t', " ")
}

#[test]
fn one_tasks_work_is_committed_and_nothing_else() {
    let (sandbox, app) = Sandbox::with_app();
    let git = sandbox.handle();
    for name in ["gone", "removed", "staged", "mine", "was/x"] {
        sandbox.commit(&app, name.trim_end_matches("/x"), "1\n", name);
    }
    write(&app, "mine", "the user's own\n");
    write(&app, "staged", "the user's own\n");
    let _ = sandbox.git(&app, &["add", "staged"]);
    write(&app, "untracked", "the user's own\n");
    let since = git.tree_of(&app).expect("a tree");
    write(&app, "file", "two\n");
    write(&app, "sub/new [a]*", "new\n");
    fs::remove_file(app.join("gone")).expect("a loss");
    let _ = sandbox.git(&app, &["rm", "-q", "removed"]);
    fs::remove_file(app.join("was")).expect("a loss");
    write(&app, "was/x", "now a folder\n");
    let shown = committed(&git, &sandbox, &app, &since);
    assert_eq!(
        shown.lines().collect::<Vec<_>>(),
        ["M file", "D gone", "D removed", "A sub/new [a]*", "D was", "A was/x"]
    );
    let status = sandbox.git(&app, &["status", "--porcelain"]);
    assert_eq!(
        status.lines().map(str::trim).collect::<Vec<_>>(),
        ["M mine", "M  staged", "?? untracked"].map(str::trim)
    );
    let index = sandbox.root().join("kept-index");
    assert_eq!(git.commit_since(&app, Some(&since), "x", &index).expect("nothing"), None);
    // What the agent committed itself is listed.
    let head = git.head(&app).expect("a head");
    sandbox.commit(&app, "by-agent", "1", "By the agent");
    sandbox.commit(&app, "by-agent", "2", "By the agent");
    let commits = git.commits_since(&app, head.as_deref()).expect("commits");
    assert_eq!(commits.len(), 2);
    assert_eq!(commits.last().map(String::as_str), git.head(&app).expect("a head").as_deref());
}

#[test]
fn the_first_commit_and_odd_names() {
    let sandbox = Sandbox::new();
    let git = sandbox.handle();
    let app = sandbox.init("app");
    fs::write(app.join(OsStr::from_bytes(b"\xff\n-name")), "x").expect("a file");
    let index = sandbox.root().join("kept-index");
    let made = git.commit_since(&app, None, "First", &index).expect("a commit").expect("a file");
    assert_eq!(made.files, 1);
    assert_eq!(sandbox.git(&app, &["status", "--porcelain"]), "");
    assert!(matches!(git.commit_since(&app, None, " \n", &index), Err(Error::EmptyMessage)));
}

#[test]
fn hooks_decide_about_a_commit() {
    let (sandbox, app) = Sandbox::with_app();
    let git = sandbox.handle();
    let index = sandbox.root().join("kept-index");
    let since = git.tree_of(&app).expect("a tree");
    write(&app, "file", "two\n");
    let hook = app.join(".git/hooks/pre-commit");
    script(&hook, "echo first line; printf '\\033[31msecond\\033[0m\\n' >&2; exit 3");
    let refused = git.commit_since(&app, Some(&since), "Do it", &index);
    let Err(Error::CommitRefused { words }) = refused else { panic!("{refused:?}") };
    assert_eq!(words, "first line\n[31msecond[0m");
    script(&hook, "exit 3");
    let refused = git.commit_since(&app, Some(&since), "Do it", &index);
    assert!(
        matches!(&refused, Err(Error::CommitRefused { words }) if words.contains("code 1")),
        "{refused:?}"
    );
    script(&hook, "yes this is a long line | head -c 3000000; exit 1");
    let refused = git.commit_since(&app, Some(&since), "Do it", &index);
    let Err(Error::CommitRefused { words }) = refused else { panic!("{refused:?}") };
    assert!(words.len() < 20_000, "{}", words.len());

    // A formatter: it changes what is committed, and says no the first time.
    script(&hook, "grep -q formatted file && exit 0; echo formatted >>file; exit 1");
    let shown = committed(&git, &sandbox, &app, &since);
    assert_eq!(shown, "M file");
    assert_eq!(sandbox.git(&app, &["show", "HEAD:file"]), "two\nformatted");
    assert_eq!(sandbox.git(&app, &["status", "--porcelain"]), "");
}

#[test]
fn a_commit_says_what_stands_in_its_way() {
    let (sandbox, app) = Sandbox::with_app();
    let git = sandbox.handle();
    let index = sandbox.root().join("kept-index");
    write(&app, "file", "two\n");
    fs::write(sandbox.root().join("home/gitconfig"), "[user]\nuseConfigOnly = true\n")
        .expect("a configuration");
    let refused = git.commit_since(&app, None, "Do it", &index);
    assert!(matches!(refused, Err(Error::NoIdentity)), "{refused:?}");
    fs::write(app.join(".git/MERGE_HEAD"), "").expect("a file");
    let refused = git.commit_since(&app, None, "Do it", &index);
    assert!(matches!(refused, Err(Error::UnderWay { what: "merge", .. })), "{refused:?}");
}

#[test]
fn a_branch_is_pushed_to_its_remote() {
    let (sandbox, app) = Sandbox::with_app();
    let git = sandbox.handle();
    assert!(git.push(&app).expect_err("no remote").to_string().contains("no remote"));
    let remote = sandbox.root().join("remote.git");
    let _ = sandbox.git(&sandbox.root(), &["init", "-q", "--bare", "remote.git"]);
    let _ = sandbox.git(&app, &["remote", "add", "there", &remote.display().to_string()]);
    let _ = sandbox.git(&app, &["checkout", "-q", "-b", "topic/x"]);
    let pushed = git.push(&app).expect("pushed");
    assert_eq!((pushed.remote.as_str(), pushed.branch.as_str()), ("there", "topic/x"));
    assert_eq!(pushed.address, remote.display().to_string());
    assert_eq!(
        sandbox.git(&remote, &["rev-parse", "topic/x"]),
        sandbox.git(&app, &["rev-parse", "HEAD"])
    );
    assert_eq!(sandbox.git(&app, &["rev-parse", "--abbrev-ref", "@{u}"]), "there/topic/x");
    script(&app.join(".git/hooks/pre-push"), "echo not so >&2; exit 1");
    sandbox.commit(&app, "file", "2", "More");
    assert!(git.push(&app).expect_err("the hook refuses").to_string().contains("not so"));
}

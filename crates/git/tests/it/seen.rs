//! Looks at a tree that do without git, held against those by git.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use maestro_git::{Git, Seen};

use crate::Sandbox;

/// A checkout that is looked at again and again.
struct Looked {
    sandbox: Sandbox,
    app: PathBuf,
    git: Git,
    seen: Seen,
}

impl Looked {
    fn new() -> Self {
        let (sandbox, app) = Sandbox::with_app();
        for folder in ["src", "src/deep/er", "docs"] {
            fs::create_dir_all(app.join(folder)).expect("a folder");
            for file in 0..4 {
                let text = format!("{folder} {file}\n");
                fs::write(app.join(folder).join(format!("f{file} ü")), text).expect("a file");
            }
        }
        let _ = sandbox.git(&app, &["add", "--all"]);
        let _ = sandbox.git(&app, &["commit", "-qm", "files"]);
        let git = sandbox.handle();
        Self { sandbox, app, git, seen: Seen::default() }
    }

    fn index(&self) -> PathBuf {
        self.sandbox.root().join("kept-index")
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.app.join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    /// Looks until the next look may do without git: times have to be older than a tick for that.
    fn settle(&mut self) {
        let since = Instant::now();
        while !self.seen.is_known() {
            assert!(since.elapsed() < Duration::from_secs(60), "it is never known");
            std::thread::sleep(Duration::from_millis(20));
            let _ = self.look();
        }
    }

    fn look(&mut self) -> String {
        let index = self.index();
        self.git.tree_again(&self.app, &index, &mut self.seen).expect("a tree")
    }

    /// Whether a look is git's, and whether it was made without it: git leaves its mark in the index.
    fn check(&mut self, what: &str) -> bool {
        let mark = |path: &Path| fs::metadata(path).and_then(|file| file.modified()).ok();
        let before = (self.seen.is_known(), mark(&self.index()));
        let tree = self.look();
        let is_quick = before.0 && self.seen.is_known() && before.1 == mark(&self.index());
        assert_eq!(tree, self.git.tree_of(&self.app).expect("a tree"), "{what}");
        is_quick
    }
}

#[test]
fn what_changes_in_tracked_files_is_seen_without_git() {
    let mut looked = Looked::new();
    looked.settle();
    assert!(looked.check("nothing"), "nothing changed");
    for round in 0..6 {
        looked.write("src/f1 ü", &format!("{round}\n"));
        assert!(looked.check("the same size, moments later"));
        looked.write("src/deep/er/f2 ü", &"x".repeat(round));
        looked.write("file", &format!("{round}"));
        assert!(looked.check("two files"));
        // As editors do: the folder changes, its names do not.
        fs::write(looked.app.join("docs/.new"), format!("{round}")).expect("a file");
        fs::rename(looked.app.join("docs/.new"), looked.app.join("docs/f3 ü")).expect("renamed");
        assert!(looked.check("a file in the place of another"));
        let mode = if round % 2 == 0 { 0o755 } else { 0o644 };
        let path = looked.app.join("docs/f0 ü");
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
        assert!(looked.check("the execute bit"));
        looked.write("src/f1 ü", &format!("{round}\r\n"));
        assert!(looked.check("other ends of lines"));
    }
}

#[test]
fn only_what_was_written_is_looked_at_where_that_is_known() {
    let mut looked = Looked::new();
    looked.settle();
    let elsewhere = looked.sandbox.root().join("elsewhere");
    fs::write(&elsewhere, "outside the checkout").expect("a file");
    let written = [looked.app.join("src/f1 ü"), elsewhere];
    let index = looked.index();
    let look = |looked: &mut Looked, written: &[PathBuf]| {
        let (git, app) = (looked.git.clone(), looked.app.clone());
        git.tree_after_writing(&app, &index, &mut looked.seen, written).expect("a tree")
    };
    for round in 0..4 {
        looked.write(
            "src/f1 ü",
            &format!(
                "{round}
"
            ),
        );
        let tree = look(&mut looked, &written);
        assert_eq!(tree, looked.git.tree_of(&looked.app).expect("a tree"));
        assert!(looked.seen.is_known(), "without git");
    }
    let before = looked.look();
    looked.write("file", "by somebody else");
    assert_eq!(look(&mut looked, &written), before, "nobody looked there");
    assert!(looked.check("a look at everything finds it"));
    // What is not known is git's business.
    looked.write("new", "new");
    let new = [looked.app.join("new")];
    assert_eq!(look(&mut looked, &new), looked.git.tree_of(&looked.app).expect("a tree"));
}

#[test]
fn times_that_are_set_back_hide_nothing() {
    let mut looked = Looked::new();
    looked.settle();
    let path = looked.app.join("src/f1 ü");
    let old = fs::metadata(&path).and_then(|file| file.modified()).expect("a time");
    for text in ["one!\n", "two!\n", "one!\n"] {
        fs::write(&path, text).expect("a file");
        fs::File::options()
            .write(true)
            .open(&path)
            .and_then(|file| file.set_modified(old))
            .expect("set");
        let _ = looked.check("the same size and time");
    }
}

#[test]
fn what_only_git_can_tell_is_left_to_git() {
    type Change = (&'static str, fn(&Looked));
    let changes: [Change; 16] = [
        ("a new file", |looked| looked.write("src/new", "x")),
        ("a new file in a new folder", |looked| looked.write("a/b/c", "x")),
        ("a file less", |looked| fs::remove_file(looked.app.join("src/f1 ü")).expect("gone")),
        ("a folder less", |looked| fs::remove_dir_all(looked.app.join("docs")).expect("gone")),
        ("a link for a file", |looked| {
            fs::remove_file(looked.app.join("file")).expect("gone");
            symlink("src", looked.app.join("file")).expect("a link");
        }),
        ("a folder for a file", |looked| {
            fs::remove_file(looked.app.join("file")).expect("gone");
            looked.write("file/x", "x");
        }),
        ("what is ignored now", |looked| looked.write(".gitignore", "new*\n")),
        ("what is ignored elsewhere", |looked| {
            looked.write(".git/info/exclude", "f2*\n");
            looked.write("docs/f2new", "x");
        }),
        ("other ends of lines", |looked| {
            looked.write(".gitattributes", "f* text\n");
            looked.write("file", "a\r\nb\r\n");
        }),
        ("a filter", |looked| {
            let _ = looked.sandbox.git(&looked.app, &["config", "filter.up.clean", "tr a-z A-Z"]);
            looked.write(".gitattributes", "file filter=up\n");
            looked.write("file", "loud\n");
        }),
        ("ends of lines by the configuration", |looked| {
            let _ = looked.sandbox.git(&looked.app, &["config", "core.autocrlf", "input"]);
            looked.write("file", "a\r\nb\r\n");
        }),
        ("a repository in the repository", |looked| {
            let _ = looked.sandbox.git(&looked.app, &["init", "-q", "src/deep"]);
        }),
        ("an index that was written", |looked| {
            looked.write("src/f1 ü", "staged\n");
            let _ = looked.sandbox.git(&looked.app, &["add", "--all"]);
        }),
        ("a file that is not to be looked at", |looked| {
            let _ =
                looked.sandbox.git(&looked.app, &["update-index", "--assume-unchanged", "file"]);
            looked.write("file", "unseen\n");
        }),
        ("a commit", |looked| looked.sandbox.commit(&looked.app, "file", "9\n", "Other")),
        ("another branch", |looked| {
            let _ = looked.sandbox.git(&looked.app, &["checkout", "-q", "HEAD~1"]);
        }),
    ];
    let mut looked = Looked::new();
    for (what, change) in changes {
        looked.settle();
        change(&looked);
        let _ = looked.check(what);
        looked.write("src/deep/er/f0 ü", what);
        let _ = looked.check(what);
        looked = Looked::new();
    }
}

#[test]
fn what_is_ignored_and_what_is_empty_stays_out_until_it_does_not() {
    let mut looked = Looked::new();
    looked.write(".gitignore", "out/\n*.o\n");
    looked.write("out/big", "x");
    looked.write("src/a.o", "x");
    fs::create_dir_all(looked.app.join("empty/er")).expect("a folder");
    looked.settle();
    looked.write("out/other", "x");
    looked.write("src/a.o", "other");
    assert!(looked.check("what is ignored"), "git is asked about what is ignored");
    looked.write("empty/er/file", "x");
    let before = looked.look();
    assert_eq!(before, looked.git.tree_of(&looked.app).expect("a tree"), "no longer empty");
    looked.settle();
    fs::remove_dir_all(looked.app.join("out")).expect("gone");
    looked.write("out", "a file is not a folder\n");
    let _ = looked.check("a file where an ignored folder was");
}

#[test]
fn attributes_do_not_keep_other_files_from_being_seen() {
    let mut looked = Looked::new();
    let _ = looked.sandbox.git(&looked.app, &["config", "filter.up.clean", "tr a-z A-Z"]);
    looked.write(".gitattributes", "*.up filter=up\n");
    looked.write("src/loud.up", "loud\n");
    looked.settle();
    looked.write("file", "plain\n");
    assert!(looked.check("a file without attributes"));
    looked.write("src/loud.up", "louder\n");
    assert!(!looked.check("a file with a filter"), "filters are git's");
}

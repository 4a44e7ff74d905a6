//! Ignored files are copied into a worktree as `.worktreeinclude` says, and nothing else is touched.

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use maestro_git::{Branch, NewWorktree, Place};

use crate::Sandbox;

#[test]
fn ignored_files_that_are_named_are_copied_and_no_others() {
    let (sandbox, app) = Sandbox::with_app();
    let outside = sandbox.root().join("outside");
    fs::create_dir(&outside).expect("a folder");
    fs::write(app.join(".gitignore"), ".env*\nmodules/\nsecret\nlink*\ndeep/\n").expect("patterns");
    fs::write(app.join(".worktreeinclude"), ".env\nmodules\n# no\nnotes\nlink*\ndeep\n")
        .expect("some");
    // A link that the commit has, where a folder is to be copied.
    symlink(&outside, app.join("deep")).expect("a link");
    let _ = sandbox.git(&app, &["add", "--force", "deep", ".gitignore", ".worktreeinclude"]);
    sandbox.commit(&app, "x", "", "Patterns");
    fs::remove_file(app.join("deep")).expect("removed");
    fs::create_dir_all(app.join("deep/er")).expect("folders");
    for (name, text) in [
        (".env", "A=1"),
        (".env.local", "not named"),
        ("secret", "not named"),
        ("notes", "not ignored"),
        ("modules/a/index.js", "a"),
        ("modules/run", "#!/bin/sh"),
        ("deep/er/file", "below a link of the other tree"),
        (".more", "by a setting"),
    ] {
        let path = app.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    }
    fs::write(app.join(".git/info/exclude"), ".more\n").expect("ignored, too");
    symlink("a/index.js", app.join("modules/inside")).expect("a link");
    symlink("../../..", app.join("modules/out")).expect("a link");
    symlink("/etc/passwd", app.join("link-out")).expect("a link");
    let git = sandbox.handle();
    let branch = Branch::New { name: "topic".into(), base: None };
    let wanted = NewWorktree { repository: app.clone(), branch, path: None, place: Place::Beside };
    let to = git.add_worktree(&wanted).expect("a worktree").worktree.path;
    fs::create_dir_all(to.join("modules/a")).expect("made");
    fs::write(to.join("modules/a/index.js"), "mine").expect("somebody was here");

    let never: Arc<AtomicBool> = Arc::default();
    let copied =
        git.copy_ignored(&app, &to, &[".more".to_owned()], &never).expect("they are copied");
    let read = |name: &str| fs::read_to_string(to.join(name)).ok();
    assert_eq!(read(".env").as_deref(), Some("A=1"));
    assert_eq!(read(".more").as_deref(), Some("by a setting"));
    assert_eq!(read("modules/run").as_deref(), Some("#!/bin/sh"));
    assert_eq!(read("modules/a/index.js").as_deref(), Some("mine"), "what is there stays");
    assert_eq!(
        fs::read_link(to.join("modules/inside")).expect("a link").to_str(),
        Some("a/index.js")
    );
    for name in [".env.local", "secret", "notes", "modules/out", "link-out"] {
        assert!(fs::symlink_metadata(to.join(name)).is_err(), "{name}");
    }
    assert!(fs::read_dir(&outside).expect("there").next().is_none(), "nothing leaves the tree");
    assert!(copied.passed >= 2 && copied.files >= 4, "{copied:?}");
    let again = git.copy_ignored(&app, &to, &[], &never).expect("again");
    assert_eq!(again.files, 0, "{again:?}");
}

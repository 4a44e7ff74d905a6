//! What only looks runs no program that a repository's own configuration names.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use maestro_core::changes::{Deed, Look, Name, Pick, Source};
use maestro_core::conflict::Fit;
use maestro_git::{Error, Git};

use super::{Sandbox, script};

/// Hooks that a command which looks could run.
const HOOKS: [&str; 9] = [
    "fsmonitor-watchman",
    "post-checkout",
    "post-commit",
    "post-index-change",
    "pre-commit",
    "pre-push",
    "query-watchman",
    "reference-transaction",
    "update",
];

/// Sets a trap wherever a configuration or a hook can name a program; each writes its name down.
fn traps(sandbox: &Sandbox, repository: &Path, git_dir: &Path, ran: &Path) {
    let tool = sandbox.root().join("home/tool");
    script(&tool, &format!("echo \"$1\" >>'{}'\ncat 2>/dev/null\nexit 0", ran.display()));
    for hook in HOOKS {
        script(&git_dir.join("hooks").join(hook), &format!("echo {hook} >>'{}'", ran.display()));
    }
    for name in [
        "core.fsmonitor",
        "core.pager",
        "core.editor",
        "core.askPass",
        "core.sshCommand",
        "core.gitProxy",
        "core.alternateRefsCommand",
        "credential.helper",
        "diff.external",
        "diff.trap.command",
        "diff.trap.textconv",
        "filter.trap.clean",
        "filter.trap.process",
        "filter.trap.smudge",
        "gpg.program",
        "pager.status",
        "pager.log",
        "sequence.editor",
    ] {
        let value = format!("'{}' {name}", tool.display());
        let _ = sandbox.git(repository, &["config", name, &value]);
    }
    for alias in ["status", "worktree", "diff", "log", "add"] {
        let value = format!("!'{}' alias.{alias}", tool.display());
        let _ = sandbox.git(repository, &["config", &format!("alias.{alias}"), &value]);
    }
    let _ = sandbox.git(repository, &["config", "log.showSignature", "true"]);
}

/// The traps that went off, which are set again.
fn sprung(ran: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(ran).unwrap_or_default();
    let _ = fs::remove_file(ran);
    text.lines().map(str::to_owned).collect()
}

/// Everything that is asked about a repository without changing a branch or a file of it.
fn look(git: &Git, sandbox: &Sandbox, directory: &Path) {
    let _ = git.repository(directory).expect("a repository");
    let _ = git.worktrees(directory).expect("worktrees");
    let _ = git.branches(directory).expect("branches");
    let _ = git.status(directory).expect("a status");
    for source in [
        Source::WorkingTree,
        Source::Staged,
        Source::Base(Some("side".into())),
        Source::Commit("main".into()),
    ] {
        let sides = git.sides(directory, &source).expect("sides");
        for file in git.changes(directory, &sides, &[]).expect("a list").files {
            let _ = git.patch(directory, &sides, &file, Look::default()).expect("lines");
            let _ = git.blobs(directory, &sides, &file).expect("contents");
        }
    }
    let _ = git.discards(directory).expect("discards");
    let _ = git.changed_lines(directory).expect("lines");
    let _ = git.commits_between(directory, "main~1", "main").expect("commits");
    let _ = git.ahead_behind(directory, "main~1", "main").expect("counts");
    let _ = git.conflicts_between(directory, "main", "side").expect("conflicts");
    let after = git.tree_of(directory).expect("a tree");
    let index = sandbox.root().join("kept-index");
    assert_eq!(git.tree_with(directory, &index).expect("the tree"), after);
    let first = git.commit(directory, "main~1").expect("a commit");
    let _ = git.difference(directory, &first, &after, 1 << 16).expect("a difference");
    let _ = git.differing(directory, &first, &after).expect("names");
    git.keep(directory, &[("trap/one".into(), after)]).expect("kept");
    assert_eq!(git.kept(directory, "trap").expect("what is kept").len(), 1);
    assert_eq!(git.forget(directory, "trap").expect("forgotten"), 1);
}

#[test]
fn looking_at_a_repository_runs_no_program_it_names() {
    let (sandbox, app) = Sandbox::with_app();
    let _ = sandbox.git(&app, &["branch", "side"]);
    fs::write(app.join(".gitattributes"), "* diff=trap filter=trap merge=trap\n")
        .expect("attributes");
    sandbox.commit(&app, "file", "two\n", "Second");
    let ran = sandbox.root().join("home/ran");
    traps(&sandbox, &app, &app.join(".git"), &ran);
    fs::write(app.join("file"), "three\n").expect("a file");
    fs::write(app.join("untracked"), "new\n").expect("a file");
    // The traps are real: what the user types runs them.
    let _ = sandbox.git(&app, &["status"]);
    let _ = sandbox.git(&app, &["diff"]);
    let by_user = sprung(&ran);
    assert!(by_user.contains("core.fsmonitor"), "{by_user:?}");
    assert!(by_user.iter().any(|name| name.starts_with("diff.")), "{by_user:?}");
    assert!(by_user.iter().any(|name| name.starts_with("filter.")), "{by_user:?}");
    look(&sandbox.handle(), &sandbox, &app);
    assert_eq!(sprung(&ran), BTreeSet::new());
}

#[test]
fn looking_runs_no_program_that_a_submodule_names() {
    let (sandbox, app) = Sandbox::with_app();
    let inner = sandbox.init("inner");
    sandbox.commit(&inner, "inside", "one\n", "Inner");
    let _ = sandbox.git(&app, &["branch", "side"]);
    let url = inner.display().to_string();
    let _ = sandbox.git(
        &app,
        &["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", &url, "part"],
    );
    sandbox.commit(&app, "file", "two\n", "With a part");
    let ran = sandbox.root().join("home/ran");
    let part = app.join("part");
    traps(&sandbox, &part, &app.join(".git/modules/part"), &ran);
    fs::write(part.join(".gitattributes"), "* filter=trap diff=trap\n").expect("attributes");
    // As long as what it was: git has to read it to see that it is another.
    fs::write(part.join("inside"), "two\n").expect("a file");
    let _ = sandbox.git(&app, &["status"]);
    let by_user = sprung(&ran);
    assert!(by_user.contains("core.fsmonitor"), "{by_user:?}");
    assert!(by_user.iter().any(|name| name.starts_with("filter.")), "{by_user:?}");
    look(&sandbox.handle(), &sandbox, &app);
    assert_eq!(sprung(&ran), BTreeSet::new());
}

/// A script that writes a word down, and behaves as a filter that changes nothing.
fn trap(sandbox: &Sandbox, word: &str, then: &str) -> (String, std::path::PathBuf) {
    let ran = sandbox.root().join("home/ran");
    let tool = sandbox.root().join("home").join(word);
    script(&tool, &format!("echo {word} >>'{}'\n{then}", ran.display()));
    (format!("'{}'", tool.display()), ran)
}

#[test]
fn merges_that_are_only_tried_run_no_driver_until_it_is_agreed_to() {
    let (sandbox, app) = Sandbox::with_app();
    let git = sandbox.handle();
    fs::write(app.join(".gitattributes"), "* merge=trap.x=y\n").expect("attributes");
    sandbox.commit(&app, "file", "one\n", "Attributes");
    let tree = sandbox.root().join("tree");
    let _ = sandbox.git(&app, &["worktree", "add", "-qb", "side", &tree.display().to_string()]);
    sandbox.commit(&app, "file", "main\n", "Main");
    sandbox.commit(&tree, "file", "side\n", "Side");
    let (driver, ran) = trap(&sandbox, "driver", "exit 0");
    let _ = sandbox.git(&app, &["config", "merge.trap.x=y.driver", &driver]);
    let place = sandbox.root().join("rehearsal");
    let mut rehearsal = git.rehearsal(&app, &place).expect("a rehearsal");
    let matrix = rehearsal.matrix(None).expect("a matrix");
    assert_eq!(sprung(&ran), BTreeSet::new());
    let conflicts = |fit: &Fit| matches!(fit, Fit::Conflicts(_));
    assert!(matrix.cells.iter().any(|cell| conflicts(&cell.fit)), "{matrix:?}");
    assert!(matrix.notes.iter().any(|note| note.contains("`trap.x=y`")), "{:?}", matrix.notes);
    assert_eq!(git.conflicts_between(&app, "main", "side").expect("tried").len(), 1);
    assert_eq!(sprung(&ran), BTreeSet::new());
    // Agreed to exactly this line, it runs; to another one, it does not.
    let programs = git.programs(&app).expect("programs");
    assert_eq!(programs.programs.len(), 1);
    assert!(!programs.is_trusted && programs.programs[0].key == "merge.trap.x=y.driver");
    git.agree(&programs.hash, true);
    let mut rehearsal = git.rehearsal(&app, &sandbox.root().join("again")).expect("a rehearsal");
    let matrix = rehearsal.matrix(None).expect("a matrix");
    assert_eq!(sprung(&ran), BTreeSet::from(["driver".to_owned()]));
    assert!(!matrix.cells.iter().any(|cell| conflicts(&cell.fit)) && matrix.notes.is_empty());
    let _ = sandbox.git(&app, &["config", "merge.trap.x=y.driver", &format!("{driver} %A")]);
    let _ = git.conflicts_between(&app, "main", "side").expect("tried");
    assert_eq!(sprung(&ran), BTreeSet::new());
    assert!(!git.programs(&app).expect("programs").is_trusted);
}

#[test]
fn filters_run_where_the_user_says_so() {
    let (sandbox, app) = Sandbox::with_app();
    let git = sandbox.handle();
    fs::write(app.join(".gitattributes"), "file filter=trap\n").expect("attributes");
    let (clean, ran) = trap(&sandbox, "clean", "tr a-z A-Z");
    let _ = sandbox.git(&app, &["add", "--all"]);
    let _ = sandbox.git(&app, &["commit", "-qm", "Attributes"]);
    // Through a file that the configuration includes under a condition.
    let more = sandbox.root().join("more");
    fs::write(&more, format!("[filter \"trap\"]\nclean = {clean}\nrequired\n")).expect("written");
    let name = format!("includeIf.gitdir:{}/.path", app.display());
    let _ = sandbox.git(&app, &["config", &name, &more.display().to_string()]);
    fs::write(app.join("file"), "changed\n").expect("a file");
    let tree = git.tree_of(&app).expect("a tree");
    assert_eq!(sprung(&ran), BTreeSet::new());
    assert_eq!(sandbox.git(&app, &["show", &format!("{tree}:file")]), "changed");
    // What would leave other bytes behind than the user's git does is refused.
    let pick = |hunks| Pick { file: Name::from("file"), hunks };
    let sides = git.sides(&app, &Source::WorkingTree).expect("sides");
    let listing = git.changes(&app, &sides, &[]).expect("a list");
    let patch = git.patch(&app, &sides, &listing.files[0], Look::default()).expect("lines");
    let ids: Vec<u64> = patch.hunks().iter().map(|hunk| hunk.id).collect();
    let stage = |hunks| git.change(&app, Deed::Stage, &[pick(hunks)], Look::default(), 1);
    assert!(matches!(stage(Some(ids)), Err(Error::Untrusted { .. })));
    assert!(matches!(git.restore(&app, "HEAD^{tree}", None, "x"), Err(Error::Untrusted { .. })));
    let committed = git.commit_since(&app, None, "No", &sandbox.root().join("index"));
    assert!(matches!(committed, Err(Error::Untrusted { .. })), "{committed:?}");
    assert_eq!(sprung(&ran), BTreeSet::new());
    // What the user does himself runs as the user's own git.
    let _ = stage(None).expect("staged");
    assert_eq!(sandbox.git(&app, &["show", ":file"]), "CHANGED");
    assert_eq!(sprung(&ran), BTreeSet::from(["clean".to_owned()]));
    // The user's own configuration says the same: it is the user's.
    let own = sandbox.root().join("home/gitconfig");
    let text = fs::read_to_string(&own).expect("read");
    fs::write(&own, format!("{text}[filter \"trap\"]\nclean = {clean}\n")).expect("written");
    assert!(git.programs(&app).expect("programs").programs.is_empty());
    fs::write(app.join("file"), "again\n").expect("a file");
    let tree = git.tree_of(&app).expect("a tree");
    assert_eq!(sandbox.git(&app, &["show", &format!("{tree}:file")]), "AGAIN");
}

#[test]
fn nothing_is_fetched_on_demand_by_a_program_the_repository_names() {
    let (sandbox, app) = Sandbox::with_app();
    let git = sandbox.handle();
    sandbox.commit(&app, "file", "two\n", "Second");
    let _ = sandbox.git(&app, &["config", "uploadpack.allowFilter", "true"]);
    let part = sandbox.root().join("part");
    let url = format!("file://{}", app.display());
    let clone =
        ["clone", "-q", "--no-checkout", "--filter=blob:none", &url, &part.display().to_string()];
    let _ = sandbox.git(&app, &clone);
    let (pack, ran) = trap(&sandbox, "pack", "exec git-upload-pack \"$@\"");
    let _ = sandbox.git(&part, &["config", "remote.origin.uploadpack", &pack]);
    let looked = |git: &Git| git.difference(&part, "main~1", "main", 1 << 16);
    assert!(looked(&git).is_err(), "it is not there");
    assert_eq!(sprung(&ran), BTreeSet::new());
    let programs = git.programs(&part).expect("programs");
    git.agree(&programs.hash, true);
    assert!(looked(&git).is_ok());
    assert_eq!(sprung(&ran), BTreeSet::from(["pack".to_owned()]));
}

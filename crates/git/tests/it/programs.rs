//! What only looks runs no program that a repository's own configuration names.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use maestro_git::Git;

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
    fs::write(app.join(".gitattributes"), "* diff=trap\n").expect("attributes");
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
    fs::write(part.join("inside"), "changed\n").expect("a file");
    let _ = sandbox.git(&app, &["status"]);
    let by_user = sprung(&ran);
    assert!(by_user.contains("core.fsmonitor"), "{by_user:?}");
    look(&sandbox.handle(), &sandbox, &app);
    assert_eq!(sprung(&ran), BTreeSet::new());
}

//! A pull request at the end of a run, opened like any other: see [`crate::pulls`].

use std::ffi::OsString;
use std::path::PathBuf;

use maestro_core::pull::Create;
use maestro_core::run::{Run, TaskState};
use maestro_git::Git;

use crate::pulls;

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Opened {
    /// The address of the request, or of the page where it can be opened.
    pub(super) address: Option<String>,
    /// What the user has to do or know, in a sentence.
    pub(super) notice: Option<String>,
}

/// Pushes the branch and opens the request. Blocks.
///
/// # Errors
///
/// When the branch cannot be pushed, in a sentence.
pub(super) fn open(
    git: &Git,
    environment: &[(OsString, OsString)],
    run: &Run,
    report: &str,
) -> Result<Opened, String> {
    let wanted = run.options().pull_request.clone().unwrap_or_default();
    let base = || run.options().worktree.as_ref().and_then(|worktree| worktree.base.clone());
    let request = pulls::create(
        git,
        environment,
        &Create {
            directory: run.spec.directory.clone(),
            target: wanted.target.or_else(base),
            title: Some(title(run)),
            body: Some(report.to_owned()),
            draft: wanted.draft,
            reviewers: Vec::new(),
        },
    )?;
    Ok(Opened { address: request.address, notice: request.notice })
}

fn title(run: &Run) -> String {
    let name = run
        .options()
        .playbook
        .as_deref()
        .or_else(|| run.spec.documents.first().map(PathBuf::as_path))
        .and_then(|path| path.file_stem())
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let done = run.tasks.iter().filter(|task| task.state == TaskState::Done).count();
    match run.tasks.first() {
        Some(only) if run.tasks.len() == 1 => only.text.clone(),
        _ => format!("{name}: {done} tasks"),
    }
}

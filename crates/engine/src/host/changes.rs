//! What is different in the checkouts of agents, asked for by clients.

mod cache;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(super) use maestro_core::changes::Ask;
use maestro_core::changes::{
    Answer, Body, EntryKind, File, FileLines, Heard, MAX_CONTEXT, MAX_PICKS, Name, Source, Sync,
};
use maestro_git::{Git, Side, Sides};
use maestro_protocol::message::{Error, ErrorKind, Event};

pub(super) use self::cache::Changes;
use super::commands::{git_error, store_error};
use super::tools::failed;
use super::{Shared, blocking, check_path, now_ms, refuse};

/// Files and folders that a list can be about.
const MAX_PATHS: usize = 1000;

/// Bytes of what a history is searched for.
const MAX_TEXT: usize = 16 << 10;
/// How often progress is told.
const PROGRESS: Duration = Duration::from_millis(100);

/// Does what a client asks about changes.
pub(super) async fn run(shared: &Arc<Shared>, ask: Ask) -> Result<Answer, Error> {
    if let Some(directory) = directory(&ask) {
        check_path(directory)?;
    }
    let git = shared.tools().await?.git.clone();
    match ask {
        Ask::List { directory, source, paths } => {
            if paths.len() > MAX_PATHS {
                let text = format!("a list is about at most {MAX_PATHS} files and folders");
                return Err(refuse(ErrorKind::Invalid, text));
            }
            let sides = sides(shared, &git, &directory, &source).await?;
            let kept = Arc::clone(shared);
            let listed = at_work(move || {
                let listing = git.changes(&directory, &sides, &paths)?;
                if paths.is_empty() {
                    kept.changes.keep_list(&directory, &source, &sides, &listing);
                }
                Ok(listing)
            });
            Ok(Answer::List(Box::new(listed.await?)))
        }
        Ask::Lines { directory, source, file, look, lines } => {
            if look.context > MAX_CONTEXT {
                let text = format!("at most {MAX_CONTEXT} lines are shown around a change");
                return Err(refuse(ErrorKind::Invalid, text));
            }
            let (sides, file) = found(shared, &git, &directory, &source, file).await?;
            let kept = Arc::clone(shared);
            let shown = at_work(move || {
                let patch = kept.changes.patch(&git, &directory, &sides, &file, look)?;
                let is_submodule = file.before.kind == EntryKind::Submodule
                    || file.after.kind == EntryKind::Submodule;
                Ok(FileLines {
                    body: if is_submodule { Body::Submodule } else { patch.body() },
                    hunks: patch.hunks().to_vec(),
                    first: lines.start.min(patch.total()),
                    lines: patch.lines(lines),
                    total: patch.total(),
                    is_cut: patch.is_cut(),
                    file,
                })
            });
            Ok(Answer::Lines(Box::new(shown.await?)))
        }
        Ask::Blobs { directory, source, file } => {
            let (sides, file) = found(shared, &git, &directory, &source, file).await?;
            let blobs = at_work(move || git.blobs(&directory, &sides, &file));
            Ok(Answer::Blobs(blobs.await?))
        }
        Ask::Change { directory, deed, picks, look } => {
            if picks.len() > MAX_PICKS {
                let text = format!("at most {MAX_PICKS} files are taken at once");
                return Err(refuse(ErrorKind::Invalid, text));
            }
            let _one = shared.changes.one_at_a_time().await;
            let _writing = shared.writing.read().await;
            let done = at_work(move || git.change(&directory, deed, &picks, look, now_ms()));
            Ok(done.await?.map_or(Answer::Done, Answer::Discarded))
        }
        Ask::Undo { directory, discard } => {
            let _one = shared.changes.one_at_a_time().await;
            let _writing = shared.writing.read().await;
            let undone =
                at_work(move || git.undo_discard(&directory, discard.as_deref(), now_ms()));
            Ok(Answer::Discarded(undone.await?))
        }
        Ask::Discards { directory } => {
            Ok(Answer::Discards(at_work(move || git.discards(&directory)).await?))
        }
        Ask::Programs { directory } => {
            Ok(Answer::Programs(at_work(move || git.programs(&directory)).await?))
        }
        Ask::TrustPrograms { directory, hash, trust } => {
            let place = directory.clone();
            let asked = git.clone();
            let now = at_work(move || asked.programs(&place)).await?;
            if now.hash.is_empty() || now.hash != hash {
                let text = "the programs are others now; look at them again";
                return Err(refuse(ErrorKind::Busy, text));
            }
            let store = shared.store.clone();
            let at = trust.then(now_ms);
            let kept = blocking(move || store.agree_to_programs(&hash, at).map(|()| hash));
            let hash = kept.await.map_err(failed)?.map_err(store_error)?;
            git.agree(&hash, trust);
            shared.changes.forget();
            Ok(Answer::Programs(at_work(move || git.programs(&directory)).await?))
        }
        Ask::Log { directory, query } => {
            let text = query.words.len() + query.from.iter().map(String::len).sum::<usize>();
            if query.paths.len() > MAX_PATHS || query.from.len() > MAX_PATHS || text > MAX_TEXT {
                let text = "a history is not searched for that much at once";
                return Err(refuse(ErrorKind::Invalid, text));
            }
            Ok(Answer::Log(Box::new(at_work(move || git.log(&directory, &query)).await?)))
        }
        Ask::Blame { directory, file, at, lines } => {
            let found = at_work(move || git.blame(&directory, &file, at.as_deref(), lines));
            Ok(Answer::Blame(found.await?))
        }
        Ask::Branches { directory } => {
            let found = at_work(move || git.all_branches(&directory));
            Ok(Answer::Branches(Box::new(found.await?)))
        }
        Ask::Switch { directory, branch, from } => {
            idle(shared, &directory)?;
            let _one = shared.changes.one_at_a_time().await;
            let _writing = shared.writing.read().await;
            let switched = at_work(move || git.switch(&directory, &branch, from.as_deref()));
            Ok(Answer::Synced(switched.await?))
        }
        Ask::Sync { directory, sync, token } => {
            if matches!(sync, Sync::Pull { .. }) {
                idle(shared, &directory)?;
            }
            let stop = shared.changes.begin_sync(token)?;
            let hears = Arc::clone(shared);
            let mut last = None;
            let work = at_work(move || {
                let mut heard = |line: &str, replaces: bool| {
                    // Progress is told as often as anybody can see.
                    let now = Instant::now();
                    if replaces && last.is_some_and(|last| now.duration_since(last) < PROGRESS) {
                        return;
                    }
                    last = Some(now);
                    let heard = Heard { token, line: line.to_owned(), replaces };
                    hears.world.tell(Event::SyncHeard(heard));
                };
                git.sync(&directory, &sync, &mut heard, &stop)
            });
            let synced = work.await;
            shared.changes.end_sync(token);
            Ok(Answer::Synced(synced?))
        }
        Ask::Cancel { token } => {
            shared.changes.cancel_sync(token);
            Ok(Answer::Done)
        }
    }
}

/// Refuses where somebody is at work whose files would change under him.
fn idle(shared: &Arc<Shared>, directory: &Path) -> Result<(), Error> {
    let because = shared.writer_in(directory).map(|because| {
        format!("in {} {because}; wait for it, or stop it first", directory.display())
    });
    because.map_or(Ok(()), |text| Err(refuse(ErrorKind::Busy, text)))
}

/// Git's work, away from everybody else.
async fn at_work<T: Send + 'static>(
    work: impl FnOnce() -> maestro_git::Result<T> + Send + 'static,
) -> Result<T, Error> {
    blocking(work).await.map_err(failed)?.map_err(git_error)
}

fn directory(ask: &Ask) -> Option<&PathBuf> {
    match ask {
        Ask::List { directory, .. }
        | Ask::Lines { directory, .. }
        | Ask::Blobs { directory, .. }
        | Ask::Change { directory, .. }
        | Ask::Undo { directory, .. }
        | Ask::Discards { directory }
        | Ask::Log { directory, .. }
        | Ask::Blame { directory, .. }
        | Ask::Branches { directory }
        | Ask::Switch { directory, .. }
        | Ask::Sync { directory, .. }
        | Ask::Programs { directory }
        | Ask::TrustPrograms { directory, .. } => Some(directory),
        Ask::Cancel { .. } => None,
    }
}

/// A file of the list that the client was shown, or of a new one.
async fn found(
    shared: &Arc<Shared>,
    git: &Git,
    directory: &Path,
    source: &Source,
    name: Name,
) -> Result<(Sides, File), Error> {
    if let Some(found) = shared.changes.listed(directory, source, &name) {
        return Ok(found);
    }
    let sides = sides(shared, git, directory, source).await?;
    let (git, place, held, kept) =
        (git.clone(), directory.to_owned(), sides.clone(), Arc::clone(shared));
    let what = source.clone();
    let listing = at_work(move || {
        let listing = git.changes(&place, &held, &[])?;
        kept.changes.keep_list(&place, &what, &held, &listing);
        Ok(listing)
    });
    let file = listing.await?.files.into_iter().find(|file| file.name == name);
    let gone = || refuse(ErrorKind::NotFound, format!("{name} does not differ any more"));
    Ok((sides, file.ok_or_else(gone)?))
}

/// What is held against what.
async fn sides(
    shared: &Arc<Shared>,
    git: &Git,
    directory: &Path,
    source: &Source,
) -> Result<Sides, Error> {
    if let Source::Task { run, task } = source {
        let found = shared.tools().await?.runs.get(*run).await?;
        let number = task.saturating_add(1);
        let missing = || {
            let text = format!("{run} has no task {number} whose files were kept");
            refuse(ErrorKind::NotFound, text)
        };
        let task = found.tasks.get(*task as usize).ok_or_else(missing)?;
        let old = Side::Tree(task.tree_before.clone().ok_or_else(missing)?);
        let (new, to) = match &task.tree_after {
            Some(tree) => (Side::Tree(tree.clone()), format!("after task {number}")),
            None => (Side::Files, "files".to_owned()),
        };
        return Ok(Sides { old, new, from: format!("before task {number} of {run}"), to });
    }
    let (git, directory, source) = (git.clone(), directory.to_owned(), source.clone());
    at_work(move || git.sides(&directory, &source)).await
}

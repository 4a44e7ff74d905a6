//! Worktrees in the window: removed after asking, put back by undo, kept as they are.

use std::path::PathBuf;

use iced::Task;
use maestro_core::SnapshotId;
use maestro_core::command::Id;
use maestro_core::trash::{Answer, Ask as Trash, Back, Prospect, Snapshot};
use maestro_protocol::message::{Command, Reply};

use super::{Message, Overlay, Shell};
use crate::window::ask::Ask;
use crate::window::review::Page;
use crate::window::toast::{self, Kind};
use crate::window::worktrees::{self, Deed};

/// What is under way.
#[derive(Debug, Default)]
pub struct Leaving {
    /// The directories that are wanted gone, and what is known of them so far.
    wanted: Vec<PathBuf>,
    looked: Vec<Prospect>,
    /// What went by the last deed.
    gone: Vec<Snapshot>,
}

/// What the host says about it.
#[derive(Debug, Clone)]
pub enum Heard {
    /// What a removal would do.
    Looked(PathBuf, Result<Prospect, String>),
    /// A worktree was removed, or not.
    Removed(Result<Snapshot, String>),
    /// One is kept as it is.
    Kept(Result<Snapshot, String>),
    /// Something was put back.
    Back(Result<Back, String>),
    /// So many were forgotten.
    Purged(Result<u32, String>),
}

/// What an answer of the trash has for a question.
fn answer<T>(
    reply: Result<Reply, String>,
    take: impl Fn(Answer) -> Option<T>,
) -> Result<T, String> {
    match reply? {
        Reply::Trash(answer) => take(answer),
        _ => None,
    }
    .ok_or_else(|| "the host answered something else".to_owned())
}

fn one(answer: Answer) -> Option<Snapshot> {
    match answer {
        Answer::One(one) => Some(*one),
        _ => None,
    }
}

impl Shell {
    /// A command about the worktree of the agent that is chosen.
    pub(super) fn worktree_command(&mut self, id: Id) -> Task<Message> {
        let directory = self.chosen_agent().map(|agent| agent.directory.clone());
        match (id, directory) {
            (Id::WorktreeUndo, _) => self.worktree_deed(Deed::Undo),
            (Id::WorktreeRemove, Some(directory)) => {
                self.worktree_deed(Deed::Remove(vec![directory]))
            }
            (Id::WorktreeKeep, Some(directory)) => {
                self.worktree_deed(Deed::Keep(directory, String::new()))
            }
            _ => Task::none(),
        }
    }

    /// Does something with worktrees; what cannot be taken back asks before.
    pub(super) fn worktree_deed(&mut self, deed: Deed) -> Task<Message> {
        match deed {
            Deed::Remove(paths) => {
                self.leaving.wanted.clone_from(&paths);
                self.leaving.looked.clear();
                let looks = paths.into_iter().map(|directory| {
                    let path = directory.clone();
                    let look = Command::Trash(Trash::Look { directory });
                    self.request(look, move |reply| {
                        let take = |answer| match answer {
                            Answer::Prospect(prospect) => Some(*prospect),
                            _ => None,
                        };
                        let found = answer(reply, take);
                        Message::Worktrees(Box::new(Heard::Looked(path.clone(), found)))
                    })
                });
                Task::batch(looks.collect::<Vec<_>>())
            }
            Deed::Keep(directory, message) => {
                let keep = Command::Trash(Trash::Snapshot { directory, message });
                self.request(keep, |reply| {
                    Message::Worktrees(Box::new(Heard::Kept(answer(reply, one))))
                })
            }
            Deed::Restore(snapshot) if snapshot.removed => self.put_worktree_back(snapshot.id),
            Deed::Restore(snapshot) => {
                self.overlay = Some(Overlay::Ask(Ask::restore_files(&snapshot)));
                Task::none()
            }
            Deed::Purge(all) => {
                self.overlay = Some(Overlay::Ask(Ask::purge(&all)));
                Task::none()
            }
            Deed::Undo => {
                let gone = std::mem::take(&mut self.leaving.gone);
                if gone.is_empty() {
                    let words = "No worktree was removed here. What is in the trash can be put back \
                                 under “Worktrees, snapshots and trash”.";
                    return self.toast(toast::Source::Window, Kind::Hint, None, words);
                }
                let source = toast::Source::Trash(worktrees::ids(&gone).into_iter().max());
                let _ = self.toasts.end_source(source);
                let back = gone.into_iter().map(|one| self.put_worktree_back(one.id));
                Task::batch(back.collect::<Vec<_>>())
            }
            Deed::Agent(directory) => self.open_new_agent_at(Some(directory)),
        }
    }

    /// Removes worktrees that were asked about.
    pub(super) fn remove_worktrees(&mut self, paths: Vec<PathBuf>) -> Task<Message> {
        self.leaving.gone.clear();
        let all = paths.into_iter().map(|directory| {
            let remove = Command::Trash(Trash::Remove { directory, agents: true, stop: true });
            self.request(remove, |reply| {
                Message::Worktrees(Box::new(Heard::Removed(answer(reply, one))))
            })
        });
        Task::batch(all.collect::<Vec<_>>())
    }

    /// Puts a removed worktree, or a checkout's files, back.
    pub(super) fn put_worktree_back(&self, snapshot: SnapshotId) -> Task<Message> {
        let restore = Command::Trash(Trash::Restore { snapshot, to: None });
        self.request(restore, |reply| {
            let take = |answer| match answer {
                Answer::Back(back) => Some(*back),
                _ => None,
            };
            Message::Worktrees(Box::new(Heard::Back(answer(reply, take))))
        })
    }

    /// Forgets for good.
    pub(super) fn purge_snapshots(&self, snapshots: Vec<SnapshotId>) -> Task<Message> {
        self.request(Command::Trash(Trash::Purge { snapshots }), |reply| {
            let take = |answer| match answer {
                Answer::Purged(count) => Some(count),
                _ => None,
            };
            Message::Worktrees(Box::new(Heard::Purged(answer(reply, take))))
        })
    }

    pub(super) fn worktrees_heard(&mut self, heard: Heard) -> Task<Message> {
        let told = match heard {
            Heard::Looked(path, found) => return self.looked_at(path, found),
            Heard::Removed(Ok(snapshot)) => {
                self.leaving.gone.push(snapshot);
                let gone = self.leaving.gone.clone();
                let title = match gone.len() {
                    1 => "The worktree is in the trash".to_owned(),
                    count => format!("{count} worktrees are in the trash"),
                };
                let source = toast::Source::Trash(worktrees::ids(&gone).into_iter().max());
                self.toast(source, Kind::Note, Some(title), worktrees::removed(&gone))
            }
            Heard::Kept(Ok(snapshot)) => {
                let words = format!("{}, as it is now: {}.", snapshot.path.display(), snapshot.id);
                let title = Some("A snapshot was made".to_owned());
                self.toast(toast::Source::Window, Kind::Note, title, words)
            }
            Heard::Back(Ok(back)) => {
                self.leaving.gone.retain(|one| one.path != back.path);
                let mut words = back.path.display().to_string();
                if !back.agents.is_empty() {
                    words += &format!(", with {}", back.agents.join(", "));
                }
                words += &back.notice.map(|notice| format!(". {notice}")).unwrap_or_default();
                let title = Some("It is back".to_owned());
                match back.before {
                    Some(before) => {
                        words += " Press here to have what was there before.";
                        self.toast(toast::Source::Trash(Some(before)), Kind::Note, title, words)
                    }
                    None => self.toast(toast::Source::Window, Kind::Note, title, words),
                }
            }
            Heard::Purged(Ok(count)) => {
                let words = if count == 1 {
                    "1 was forgotten for good.".to_owned()
                } else {
                    format!("{count} were forgotten for good.")
                };
                self.toast(toast::Source::Window, Kind::Note, None, words)
            }
            Heard::Removed(Err(why))
            | Heard::Kept(Err(why))
            | Heard::Back(Err(why))
            | Heard::Purged(Err(why)) => self.problem(why),
        };
        Task::batch([told, self.read_worktrees()])
    }

    fn looked_at(&mut self, path: PathBuf, found: Result<Prospect, String>) -> Task<Message> {
        if !self.leaving.wanted.contains(&path) {
            return Task::none();
        }
        match found {
            Ok(prospect) => self.leaving.looked.push(prospect),
            Err(why) => {
                self.leaving.wanted.clear();
                return self.problem(why);
            }
        }
        if self.leaving.looked.len() < self.leaving.wanted.len() || self.overlay.is_some() {
            return Task::none();
        }
        self.leaving.wanted.clear();
        let looked = std::mem::take(&mut self.leaving.looked);
        self.question(Ask::remove_worktrees(&looked))
    }

    /// What a toast about something kept leads to.
    pub(super) fn trash_toast(&mut self, snapshot: Option<SnapshotId>) -> Task<Message> {
        if self.leaving.gone.iter().any(|one| Some(one.id) == snapshot) {
            return self.worktree_deed(Deed::Undo);
        }
        snapshot.map_or_else(Task::none, |id| self.put_worktree_back(id))
    }

    /// What is shown of worktrees is read again.
    fn read_worktrees(&mut self) -> Task<Message> {
        if !self.review.shown || self.review.page != Page::Worktrees {
            return Task::none();
        }
        self.review_command(Id::ReviewRefresh)
    }
}

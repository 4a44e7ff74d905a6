//! What the host and the disk answered, and what a second that went by brings.

use std::path::PathBuf;

use iced::widget::text_editor;
use maestro_core::markdown;
use maestro_core::run::{Run, State};
use maestro_protocol::message::{Command, Reply};

use super::changes::changes;
use super::document::{Open, Seen};
use super::start::{self, Start};
use super::view::FORM;
use super::{
    Action, Autorun, Confirm, Detail, Known, Older, Page, Part, Question, Typing, ask, deed, save,
};
use crate::window::model::Model;

/// Runs of the past that are asked for without anybody asking for them: totals are those of all of them.
const AT_ONCE: usize = 1_000;

impl Autorun {
    /// Asks for older runs while fewer than this many are known.
    pub(super) fn look_back(&mut self, model: &Model, enough: usize) -> Action {
        let runs = self.all_runs(model);
        let Some(before) = runs.iter().map(|run: &&Run| run.id).min() else { return Action::None };
        if self.older != Older::Unknown || self.page != Page::History || runs.len() >= enough {
            return Action::None;
        }
        self.older = Older::Asked;
        ask(Question::Older(before), Command::ListOlderRuns { before })
    }

    pub(super) fn list_again(&self) -> Action {
        self.folder.clone().map_or(Action::None, |folder| {
            ask(
                Question::Documents(folder.clone()),
                Command::ListDocuments { folder, follow: true },
            )
        })
    }

    /// A second went by: what was written and rested is saved, what others wrote is looked for.
    pub(super) fn second(&mut self) -> Action {
        let Some(open) = &mut self.open else { return Action::None };
        let rested = self.rested.as_deref() == Some(open.text());
        self.rested = Some(open.text().to_owned());
        let save = if rested { save(open) } else { Action::None };
        Action::All(vec![save, Action::Read(open.path.clone())])
    }

    pub(super) fn leave_editor(&mut self) -> Action {
        let Some(open) = &mut self.open else { return Action::None };
        open.leave();
        save(open)
    }

    pub(super) fn read(&mut self, path: PathBuf, read: Result<Vec<u8>, String>) -> Action {
        if let Some(open) = self.open.as_mut().filter(|open| open.path == path) {
            let wanted = self.wanted.take_if(|wanted| *wanted == path).is_some();
            return match read {
                Ok(bytes) => {
                    let seen = open.seen(bytes);
                    if wanted { Action::None } else { self.told(seen) }
                }
                Err(why) => {
                    open.problem = Some(format!("{why}; what you see is kept until it is back"));
                    Action::None
                }
            };
        }
        if self.wanted.as_ref() != Some(&path) {
            return Action::None;
        }
        self.wanted = None;
        match read {
            Ok(bytes) => {
                let save = self.leave_editor();
                let fresh = bytes.is_empty() || bytes.ends_with(b"- [ ] \n");
                let mut open = Open::new(path, bytes);
                if fresh {
                    let _ = open.edit();
                    open.act(text_editor::Action::Move(text_editor::Motion::DocumentEnd));
                    open.act(text_editor::Action::Move(text_editor::Motion::End));
                }
                self.open = Some(open);
                self.part = Part::Detail;
                Action::All(vec![save, Action::Snap(0.0)])
            }
            Err(why) => Action::Problem(why),
        }
    }

    pub(super) fn told(&mut self, seen: Seen) -> Action {
        match seen {
            Seen::Same | Seen::Taken => Action::None,
            Seen::Merged => {
                Action::Tell("Changes made elsewhere were put together with yours.".to_owned())
            }
            Seen::Conflict => {
                self.confirm = Some(Confirm::Conflict { theirs: false });
                Action::None
            }
        }
    }

    pub(super) fn typed(&mut self, text: String) -> Action {
        match self.typing {
            Some(Typing::Filter) => {
                (self.filter, self.marked_run) = (text, 0);
                Action::None
            }
            Some(Typing::Find) => {
                self.text.clone_from(&text);
                if let Some(open) = &mut self.open {
                    open.find = Some(text);
                }
                Action::None
            }
            _ => {
                self.text = text;
                Action::None
            }
        }
    }

    pub(super) fn in_start(&mut self, change: impl FnOnce(&mut Start) -> start::Action) -> Action {
        let Some(start) = &mut self.start else { return Action::None };
        match change(start) {
            start::Action::None => Action::None,
            start::Action::Close => {
                self.start = None;
                Action::None
            }
            start::Action::Plan(question, spec) => {
                // What is run is what is on the disk.
                let save = self.open.as_mut().map_or(Action::None, save);
                Action::All(vec![save, ask(Question::Plan(question), Command::PlanRun(*spec))])
            }
            start::Action::Start { spec, waits, agreed } => {
                let start = if waits { Command::QueueRun } else { Command::StartRun };
                let remember = agreed.map(|hash| Command::TrustCommands { hash, trusted: true });
                let remember = remember.map_or(Action::None, deed);
                Action::All(vec![remember, ask(Question::Start, start(*spec))])
            }
        }
    }

    pub(super) fn answered(
        &mut self,
        question: Question,
        reply: Result<Reply, String>,
        model: &Model,
    ) -> Action {
        let odd = || "the host answered with something else than was asked for".to_owned();
        match question {
            Question::Documents(folder) => {
                if self.folder.as_ref() == Some(&folder) {
                    self.leaves = Some(match reply {
                        Ok(Reply::Documents(leaves)) => Ok(leaves),
                        Ok(_) => Err(odd()),
                        Err(why) => Err(why),
                    });
                    self.row = self.row.min(self.list().len().saturating_sub(1));
                }
                Action::None
            }
            Question::Folder(directory) => {
                let Ok(Reply::Text(Some(folder))) = reply else { return Action::None };
                let folder = PathBuf::from(folder);
                if self.directory.as_ref() != Some(&directory)
                    || self.folder.as_ref() == Some(&folder)
                {
                    return Action::None;
                }
                self.show_folder(Some(folder));
                self.list_again()
            }
            Question::Playbooks => {
                if let Ok(Reply::Playbooks(playbooks)) = reply {
                    self.playbooks = playbooks;
                }
                Action::None
            }
            Question::Evidence(run, task) => {
                if self.asked != Some((run, task)) {
                    return Action::None;
                }
                self.known = Some(match reply {
                    Ok(Reply::TaskEvidence(evidence)) => Ok(Known {
                        changes: changes(evidence.diff.as_deref().unwrap_or_default()),
                        evidence,
                    }),
                    Ok(_) => Err(odd()),
                    Err(why) => Err(why),
                });
                if std::mem::take(&mut self.undoing) { self.ask_undo() } else { Action::None }
            }
            Question::Report(run) => {
                let report = match reply {
                    Ok(Reply::Text(text)) => {
                        let text = text.as_deref().map(markdown::Document::new);
                        text.ok_or_else(|| "there is no report yet".to_owned())
                    }
                    Ok(_) => Err(odd()),
                    Err(why) => Err(why),
                };
                self.report = Some((run, report));
                Action::None
            }
            Question::Plan(question) => {
                let plan = match reply {
                    Ok(Reply::Plan(plan)) => Ok(*plan),
                    Ok(_) => Err(odd()),
                    Err(why) => Err(why),
                };
                if let Some(start) = &mut self.start {
                    start.planned(question, plan);
                }
                // What is to be agreed to stands first, wherever the form was scrolled to.
                Action::Scroll(FORM, 0.0)
            }
            Question::Start => match reply {
                Ok(reply) => {
                    self.start = None;
                    self.chosen.clear();
                    let mut words = "The run has begun.";
                    if let Reply::Run(run) = reply {
                        if matches!(run.state, State::Queued { .. }) {
                            words = "The run waits until its directory is free.";
                        }
                        self.look_at_run(run.id);
                    }
                    (self.detail, self.part) = (Detail::Said, Part::List);
                    if self.full {
                        self.page = Page::Live;
                    }
                    let told =
                        if self.full { Action::None } else { Action::Tell(words.to_owned()) };
                    Action::All(vec![told, self.settle(model)])
                }
                Err(why) => match &mut self.start {
                    Some(start) => {
                        start.refused(&why);
                        Action::None
                    }
                    None => Action::Problem(why),
                },
            },
            Question::Runs => {
                self.runs = Some(match reply {
                    Ok(Reply::Runs(runs)) => Ok(runs),
                    Ok(_) => Err(odd()),
                    Err(why) => Err(why),
                });
                self.older = Older::Unknown;
                self.look_back(model, AT_ONCE)
            }
            Question::Older(before) => {
                self.older = Older::None;
                if let (Ok(Reply::Runs(older)), Some(Ok(runs))) = (reply, &mut self.runs)
                    && !older.is_empty()
                {
                    runs.extend(older.into_iter().filter(|run| run.id < before));
                    self.older = Older::Unknown;
                }
                self.look_back(model, AT_ONCE)
            }
            Question::Retry => match reply {
                Ok(Reply::Run(run)) => {
                    self.look_at_run(run.id);
                    self.settle(model)
                }
                Ok(_) => Action::None,
                Err(why) => Action::Problem(why),
            },
            Question::Deed => reply.map_or_else(Action::Problem, |_| Action::None),
        }
    }
}

//! What keys and buttons do, wherever in the view the keyboard is.

use std::path::PathBuf;

use maestro_core::command::Id;
use maestro_core::playbook::Found;
use maestro_protocol::message::Command;

use super::start::{self, Start};
use super::view::{self, DETAIL, FORM, LIST, PREVIEW};
use super::{
    Action, Autorun, Confirm, Detail, Message, Page, Part, Row, Typing, deed, document, save,
};
use crate::window::model::Model;

/// So many rows before the end of the history older runs are asked for.
const NEAR: usize = 20;

impl Autorun {
    /// Does a command.
    pub fn command(&mut self, id: Id, model: &Model) -> Action {
        if self.confirm.is_some() {
            return self.confirmed(id);
        }
        if self.start.is_some() {
            let done = self.in_start(|start| start.command(id));
            let sight = self
                .start
                .as_ref()
                .map_or(Action::None, |start| Action::Scroll(FORM, start.depth()));
            return Action::All(vec![done, sight]);
        }
        if self.typing.is_some()
            && matches!(
                id,
                Id::OverlayAccept
                    | Id::OverlayCancel
                    | Id::OverlayUp
                    | Id::OverlayDown
                    | Id::OverlayNext
                    | Id::OverlayPrevious
            )
        {
            return self.typing_command(id, model);
        }
        match id {
            Id::RunsPage(number) => {
                let pages = [Page::Documents, Page::Live, Page::History];
                let page = pages[usize::from(number.clamp(1, 3)) - 1];
                self.update(Message::Page(page), model)
            }
            Id::RunsUp => self.step(-1, model),
            Id::RunsDown => self.step(1, model),
            Id::RunsFirst => self.step(isize::MIN / 2, model),
            Id::RunsLast => self.step(isize::MAX / 2, model),
            Id::RunsPageUp => self.page_by(-1, model),
            Id::RunsPageDown => self.page_by(1, model),
            Id::RunsPart => {
                self.part = if self.part == Part::List { Part::Detail } else { Part::List };
                if self.page == Page::Documents && self.open.is_none() {
                    self.part = Part::List;
                }
                Action::None
            }
            Id::RunsAccept => self.accept(model),
            Id::RunsLeave => self.leave(),
            Id::DocumentMark
            | Id::DocumentNew
            | Id::DocumentEdit
            | Id::DocumentFind
            | Id::DocumentNext
            | Id::DocumentUndo => self.document_command(id, model),
            Id::EditorSave
            | Id::EditorLeave
            | Id::EditorTask
            | Id::EditorTick
            | Id::EditorFind
            | Id::EditorUndo
            | Id::EditorRedo
            | Id::EditorPaste => self.editor_command(id),
            Id::HistoryFilter => {
                self.typing = Some(Typing::Filter);
                Action::None
            }
            Id::RunPrevious | Id::RunNext => self.other_run(id == Id::RunNext, model),
            id => self.run_command(id, model),
        }
    }

    pub(super) fn confirmed(&mut self, id: Id) -> Action {
        let Some(confirm) = &mut self.confirm else { return Action::None };
        match (id, confirm) {
            (Id::OverlayCancel, _) => {
                self.confirm = None;
                Action::None
            }
            (
                Id::OverlayUp | Id::OverlayDown | Id::OverlayNext | Id::OverlayPrevious,
                Confirm::Conflict { theirs },
            ) => {
                *theirs = !*theirs;
                Action::None
            }
            (Id::OverlayAccept, _) => match self.confirm.take() {
                Some(Confirm::Undo { run, task, later, .. }) => {
                    // Those that build on it were named.
                    deed(Command::UndoTask { run, task, force: !later.is_empty() })
                }
                Some(Confirm::EndNow(run)) => deed(Command::KillRun { run }),
                Some(Confirm::Conflict { theirs }) => match &mut self.open {
                    Some(open) => {
                        open.resolve(!theirs);
                        save(open)
                    }
                    None => Action::None,
                },
                None => Action::None,
            },
            _ => Action::None,
        }
    }

    pub(super) fn typing_command(&mut self, id: Id, model: &Model) -> Action {
        match (self.typing, id) {
            (Some(Typing::Filter), Id::OverlayUp) => self.step(-1, model),
            (Some(Typing::Filter), Id::OverlayDown) => self.step(1, model),
            (Some(Typing::Filter), Id::OverlayCancel) => {
                self.typing = None;
                self.filter.clear();
                Action::None
            }
            (Some(Typing::Filter), Id::OverlayAccept) => {
                self.typing = None;
                Action::None
            }
            (Some(Typing::Find), Id::OverlayAccept) => self.find(),
            (Some(Typing::Name), Id::OverlayAccept) => self.create(),
            (_, Id::OverlayCancel) => {
                self.typing = None;
                Action::None
            }
            _ => Action::None,
        }
    }

    pub(super) fn find(&mut self) -> Action {
        let Some(open) = &mut self.open else { return Action::None };
        if !open.find_next() {
            return Action::Tell("It is nowhere in the document.".to_owned());
        }
        self.sight()
    }

    /// Makes a document in the folder of the marked row.
    pub(super) fn create(&mut self) -> Action {
        let name = self.text.trim();
        let Some(folder) = self.folder.clone() else { return Action::None };
        let parts: Vec<_> = name.split('/').filter(|part| !part.is_empty()).collect();
        let wrong = |part: &&str| part.starts_with('.') || part.contains(['\\', ':', '\0']);
        if parts.is_empty() || parts.iter().any(wrong) {
            return Action::Problem(
                "a document needs a name such as release or api/tests".to_owned(),
            );
        }
        let mut path = parts.iter().fold(folder, |path, part| path.join(part));
        if path.extension().is_none_or(|extension| !extension.eq_ignore_ascii_case("md")) {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            path.set_file_name(format!("{name}.md"));
        }
        let text = document::template(&path);
        Action::Create(path, text)
    }

    pub(super) fn step(&mut self, by: isize, model: &Model) -> Action {
        let to =
            |at: usize, count: usize| at.saturating_add_signed(by).min(count.saturating_sub(1));
        match (self.page, self.part) {
            _ if self.panel && !self.full => self.step_task(by, model),
            (Page::Documents, Part::List) => {
                self.row = to(self.row, self.list().len());
                Action::Scroll(LIST, view::ROW * self.row as f32)
            }
            (Page::Documents, Part::Detail) => {
                if let Some(open) = &mut self.open {
                    open.step(by);
                }
                self.sight()
            }
            (Page::Live, Part::List) => self.step_task(by, model),
            (Page::Live, Part::Detail) => Action::Move(DETAIL, by.clamp(-1000, 1000) as f32 * 40.0),
            (Page::History, _) => {
                self.marked_run = to(self.marked_run, self.past(model).len());
                let sight = Action::Scroll(LIST, view::TALL * self.marked_run as f32);
                let near = self.marked_run + NEAR >= self.past(model).len();
                let more = if near { self.look_back(model, usize::MAX) } else { Action::None };
                Action::All(vec![sight, more])
            }
        }
    }

    pub(super) fn step_task(&mut self, by: isize, model: &Model) -> Action {
        let Some(run) = self.run(model) else { return Action::None };
        let last = Self::rows(run).saturating_sub(1);
        let at = self.marked_in(run).saturating_add_signed(by).min(last);
        (self.marked, self.away) = (at, true);
        Action::All(vec![Action::Scroll(LIST, view::TALL * at as f32), self.settle(model)])
    }

    /// Brings the marked task of the document into sight.
    pub(super) fn sight(&self) -> Action {
        let Some(open) = &self.open else { return Action::None };
        let is_marked = |part: &document::Part| matches!(part, document::Part::Task(at, _) if *at == open.marked);
        let at = open.parts().iter().position(is_marked).unwrap_or(0);
        let last = open.parts().len().saturating_sub(1).max(1);
        Action::Snap(at as f32 / last as f32)
    }

    pub(super) fn page_by(&mut self, by: isize, model: &Model) -> Action {
        match (self.page, self.part) {
            (Page::Live, _) => Action::Move(DETAIL, by as f32 * 320.0),
            (Page::Documents, Part::Detail) if self.open.is_some() => {
                Action::Move(PREVIEW, by as f32 * 320.0)
            }
            _ => self.step(by * 10, model),
        }
    }

    pub(super) fn accept(&mut self, model: &Model) -> Action {
        if self.panel && !self.full {
            self.full = true;
            self.panel = false;
            self.page = Page::Live;
            self.detail = Detail::Evidence;
            return self.settle(model);
        }
        match self.page {
            Page::Documents if self.part == Part::Detail => {
                let at = self.open.as_ref().map_or(0, |open| open.marked);
                self.tick(at, model)
            }
            Page::Documents => match self.list().get(self.row) {
                Some(Row::Leaf(leaf)) if leaf.is_playbook => {
                    let folder = self.path_of(leaf);
                    let found = self.playbooks.iter().find(|f| Some(&f.folder) == folder.as_ref());
                    match found.cloned() {
                        Some(found) => self.start_playbook(&found, model),
                        None => Action::Tell("The playbook is not read yet.".to_owned()),
                    }
                }
                Some(Row::Playbook(found)) => {
                    let found = (*found).clone();
                    self.start_playbook(&found, model)
                }
                Some(Row::Leaf(leaf)) if !leaf.is_folder => {
                    let Some(path) = self.path_of(leaf) else { return Action::None };
                    let save = self.leave_editor();
                    if self.open.as_ref().is_some_and(|open| open.path == path) {
                        self.part = Part::Detail;
                        return save;
                    }
                    self.wanted = Some(path.clone());
                    Action::All(vec![save, Action::Read(path)])
                }
                // A folder leads to what is in it.
                Some(Row::Leaf(_)) => self.step(1, model),
                _ => Action::None,
            },
            Page::Live => {
                let next =
                    if self.detail == Detail::Evidence { Detail::Said } else { Detail::Evidence };
                self.show(next, model)
            }
            Page::History => {
                let Some(run) = self.past(model).get(self.marked_run).map(|run| run.id) else {
                    return Action::None;
                };
                self.look_at_run(run);
                self.page = Page::Live;
                self.part = Part::List;
                self.detail = Detail::Evidence;
                self.settle(model)
            }
        }
    }

    /// Asks how to run a playbook of a project, from wherever one is.
    pub fn offer_playbook(
        &mut self,
        directory: Option<PathBuf>,
        found: &Found,
        model: &Model,
    ) -> Action {
        if !self.full && self.directory != directory {
            // The view of it is read when it is opened.
            (self.directory, self.folder) = (directory, None);
        }
        self.start_playbook(found, model)
    }

    pub(super) fn start_playbook(&mut self, found: &Found, model: &Model) -> Action {
        if let Some(problem) = &found.problem {
            return Action::Problem(problem.clone());
        }
        let mut agents = start::everybody(&model.agents);
        let mut at = self.agent_at(&agents);
        if let Some(provider) = found.playbook.provider
            && agents.get(at).is_none_or(|who| who.provider != provider)
            && let Some(directory) = self.directory.clone()
        {
            // It was written for another program than that of the agent here.
            let fits = |who: &start::Who| who.provider == provider && who.directory == directory;
            at = agents.iter().position(fits).unwrap_or(agents.len());
            if at == agents.len() {
                let name = "without an agent".to_owned();
                agents.push(start::Who { agent: None, name, provider, directory });
            }
        }
        self.start = Some(Box::new(Start::playbook(agents, at, found)));
        Action::None
    }

    /// The agent that works where the checklists belong to.
    pub(super) fn agent_at(&self, agents: &[start::Who]) -> usize {
        let here = |who: &start::Who| Some(&who.directory) == self.directory.as_ref();
        let folder = self.folder.as_deref();
        let above =
            |who: &start::Who| folder.is_some_and(|folder| folder.starts_with(&who.directory));
        let at = agents.iter().position(here).or_else(|| agents.iter().position(above));
        at.unwrap_or(0)
    }

    /// Asks how to run what is chosen.
    pub fn start(&mut self, model: &Model, agent: Option<maestro_core::AgentId>) -> Action {
        let agents = start::everybody(&model.agents);
        let at = agents
            .iter()
            .position(|who| agent.is_some() && who.agent == agent)
            .unwrap_or_else(|| self.agent_at(&agents));
        let mut documents = self.chosen.clone();
        if documents.is_empty() && self.full && self.page == Page::Documents {
            let marked = match self.list().get(self.row) {
                Some(Row::Leaf(leaf)) if !leaf.is_folder => self.path_of(leaf),
                _ => None,
            };
            let open = self.open.as_ref().map(|open| open.path.clone());
            let here = if self.part == Part::Detail { open.or(marked) } else { marked.or(open) };
            documents.extend(here);
        }
        self.start = Some(Box::new(Start::new(agents, at, documents)));
        Action::None
    }

    pub(super) fn leave(&mut self) -> Action {
        match (self.page, self.part) {
            _ if !self.full => Action::Close,
            (Page::Documents | Page::Live, Part::Detail) => {
                self.part = Part::List;
                Action::None
            }
            (Page::History, _) if !self.filter.is_empty() => {
                self.filter.clear();
                Action::None
            }
            _ => Action::Close,
        }
    }
}

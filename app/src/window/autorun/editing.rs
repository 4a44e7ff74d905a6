//! What keys do with a checklist: as it reads, and as it is written.

use maestro_core::command::Id;
use maestro_core::run::Run;

use super::document::Open;
use super::{Action, Autorun, Part, Row, Typing, save, view};
use crate::window::model::Model;

impl Autorun {
    pub(super) fn document_command(&mut self, id: Id, model: &Model) -> Action {
        let in_document = self.part == Part::Detail && self.open.is_some();
        match id {
            Id::DocumentMark if in_document => {
                let at = self.open.as_ref().map_or(0, |open| open.marked);
                self.tick(at, model)
            }
            Id::DocumentMark => {
                if let Some(Row::Leaf(leaf)) = self.list().get(self.row)
                    && !leaf.is_folder
                    && leaf.problem.is_none()
                    && let Some(path) = self.path_of(leaf)
                {
                    match self.chosen.iter().position(|chosen| *chosen == path) {
                        Some(at) => drop(self.chosen.remove(at)),
                        None => self.chosen.push(path),
                    }
                }
                Action::None
            }
            Id::DocumentNew if in_document => {
                let edit = self.edit(model);
                if let Some(open) = self.open.as_mut().filter(|open| open.editor.is_some()) {
                    open.insert_task();
                }
                edit
            }
            Id::DocumentNew => {
                self.text.clear();
                self.typing = Some(Typing::Name);
                Action::None
            }
            Id::DocumentEdit => {
                if self.open.is_none() {
                    return self.accept(model);
                }
                self.edit(model)
            }
            Id::DocumentFind if self.open.is_some() => {
                self.text.clear();
                self.typing = Some(Typing::Find);
                self.part = Part::Detail;
                Action::None
            }
            Id::DocumentNext => self.find(),
            Id::DocumentUndo => {
                let Some(open) = &mut self.open else { return Action::None };
                if open.undo() { save(open) } else { Action::None }
            }
            _ => Action::None,
        }
    }

    pub(super) fn edit(&mut self, model: &Model) -> Action {
        let locked = self.open.as_ref().and_then(|open| self.locked_by(model, &open.path));
        if let Some(run) = locked {
            return Action::Tell(locked_words(run));
        }
        self.part = Part::Detail;
        match self.open.as_mut().map(Open::edit) {
            Some(Err(why)) => Action::Problem(why),
            _ => Action::None,
        }
    }

    pub(super) fn tick(&mut self, index: usize, model: &Model) -> Action {
        let Some(open) = &self.open else { return Action::None };
        if let Some(run) = self.locked_by(model, &open.path) {
            return Action::Tell(locked_words(run));
        }
        self.part = Part::Detail;
        let Some(open) = &mut self.open else { return Action::None };
        open.tick(index);
        save(open)
    }

    pub(super) fn editor_command(&mut self, id: Id) -> Action {
        let Some(open) = &mut self.open else { return Action::None };
        match id {
            Id::EditorSave => return save(open),
            Id::EditorLeave => {
                open.leave();
                let save = save(open);
                return Action::All(vec![save, self.sight(), self.list_again()]);
            }
            Id::EditorTask => open.insert_task(),
            Id::EditorTick => open.tick_here(),
            Id::EditorFind => {
                self.text.clear();
                self.typing = Some(Typing::Find);
            }
            Id::EditorUndo => open.again(true),
            Id::EditorRedo => open.again(false),
            Id::EditorPaste => return Action::Paste(open.path.clone()),
            _ => {}
        }
        Action::None
    }
}

fn locked_words(run: &Run) -> String {
    format!("The run of {} works on it: it can be changed when that has ended.", view::title(run))
}

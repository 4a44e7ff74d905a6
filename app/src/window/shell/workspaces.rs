//! Workspaces, by commands.

use iced::Task;
use maestro_core::command::Id;
use maestro_core::text;
use maestro_protocol::message::Command;

use super::{Connection, Message, Overlay, Shell};
use crate::window::panes::Pane;
use crate::window::prompt::Prompt;
use crate::window::workspaces::{Workspace, Workspaces};

/// The key under which the host keeps them.
pub(super) const PREFERENCE: &str = "workspaces";

impl Shell {
    pub(super) fn workspace_command(&mut self, id: Id) -> Task<Message> {
        let next = match id {
            Id::WorkspaceSave => {
                let name = self.kept.workspace.clone().unwrap_or_default();
                self.overlay = Some(Overlay::Prompt(Prompt::workspace(name)));
                return Task::none();
            }
            Id::PanesAll => {
                self.kept.closed.clear();
                self.kept.maximised = false;
                self.kept.workspace = None;
                return Task::none();
            }
            Id::WorkspaceNumber(number) => {
                self.workspaces.all().nth(usize::from(number).saturating_sub(1))
            }
            _ => self.workspaces.after(self.kept.workspace.as_deref()),
        };
        match next.map(|workspace| workspace.name.clone()) {
            Some(name) => self.go_to_workspace(&name),
            None => self.said(self.no_workspace()),
        }
    }

    fn no_workspace(&self) -> String {
        match self.workspaces.all().count() {
            0 => {
                let chord = self.keymap.title(Id::WorkspaceSave).unwrap_or_default();
                format!("There is no workspace yet: {chord} saves one.")
            }
            1 => "There is 1 workspace.".to_owned(),
            count => format!("There are {count} workspaces."),
        }
    }

    /// Keeps the panes that are open under a name.
    pub(super) fn save_workspace(&mut self, name: &str) -> Result<Task<Message>, String> {
        let (layout, tree) = (self.kept.arrangement.clone(), self.kept.tree.clone());
        let workspace = Workspace::new(name, layout, tree, self.all_panes());
        let mut workspace = workspace.ok_or("a workspace needs a name")?;
        workspace.focused = self.focused();
        let name = workspace.name.clone();
        self.keep_workspaces(self.workspaces.with(workspace))?;
        self.kept.workspace = Some(name.clone());
        let number = self.workspaces.all().position(|it| it.name == name).unwrap_or(0) + 1;
        let number = u8::try_from(number).ok().filter(|number| *number <= 9);
        let chord = number.and_then(|number| self.keymap.title(Id::WorkspaceNumber(number)));
        let chord = chord.map(|chord| format!(": {chord} brings it back")).unwrap_or_default();
        Ok(self.said(format!("Saved “{name}”{chord}.")))
    }

    pub(super) fn delete_workspace(&mut self, name: &str) -> Task<Message> {
        match self.keep_workspaces(self.workspaces.without(name)) {
            Ok(()) => {
                let _ = self.kept.workspace.take_if(|workspace| workspace == name);
                self.said(format!("“{name}” is deleted; its agents stay as they are."))
            }
            Err(why) => self.problem(why),
        }
    }

    fn keep_workspaces(&mut self, workspaces: Workspaces) -> Result<(), String> {
        if self.connection != Connection::Up {
            return Err("there is no host that could keep it".to_owned());
        }
        let text = workspaces.written()?;
        self.workspaces = workspaces;
        self.link.tell(Command::SetPreference { key: PREFERENCE.to_owned(), value: Some(text) });
        Ok(())
    }

    /// Shows the panes of a workspace. Those that are gone are left out; where all are, nothing changes.
    pub(super) fn go_to_workspace(&mut self, name: &str) -> Task<Message> {
        let Some(workspace) = self.workspaces.named(name).cloned() else {
            return self.problem(format!("there is no workspace `{}`", text::clean(name, 60)));
        };
        let agents = self.model.agents.iter().map(|agent| Pane::Agent(agent.id));
        let terminals = self.kept.terminals.iter().copied().map(Pane::Terminal);
        let all: Vec<Pane> = agents.chain(terminals).collect();
        let here = |pane: &Pane| workspace.panes.contains(pane);
        let count = all.iter().filter(|pane| here(pane)).count();
        if count == 0 {
            return self.problem(format!("nothing of “{}” is there any more", workspace.name));
        }
        self.kept.closed = all.into_iter().filter(|pane| !here(pane)).collect();
        self.kept.arrangement.clone_from(&workspace.layout);
        self.kept.tree.clone_from(&workspace.tree);
        self.kept.focused = workspace.focused;
        self.kept.maximised = false;
        self.kept.workspace = Some(workspace.name.clone());
        self.marked = None;
        let gone = workspace.panes.len().saturating_sub(count);
        let gone = match gone {
            0 => String::new(),
            1 => " · 1 of its panes is gone".to_owned(),
            gone => format!(" · {gone} of its panes are gone"),
        };
        self.said(format!("{}{gone}", workspace.name))
    }

    /// Takes in what the host kept.
    pub(super) fn restore_workspaces(&mut self, preferences: &[(String, String)]) -> Task<Message> {
        let kept = preferences.iter().find(|(key, _)| key == PREFERENCE);
        kept.map_or_else(Task::none, |(_, text)| self.workspaces_heard(Some(text)))
    }

    /// They are others now.
    pub(super) fn workspaces_heard(&mut self, text: Option<&str>) -> Task<Message> {
        match text.map_or_else(|| Ok(Workspaces::default()), Workspaces::read) {
            Ok(workspaces) => {
                self.workspaces = workspaces;
                Task::none()
            }
            Err(why) => {
                tracing::warn!(%why, "the saved workspaces cannot be read");
                self.problem(
                    "the saved workspaces cannot be read, and stay as they are until one is saved"
                        .to_owned(),
                )
            }
        }
    }
}

//! Small dialogs: one question, one answer.

use iced::widget::{column, row, text_input};
use iced::{Alignment, Element, Length};
use maestro_core::agent::Agent;
use maestro_core::conversation::Tab;
use maestro_core::layout::{Grid, Kind, NoGrid};
use maestro_core::{AgentId, TabId};
use maestro_ui::theme::{Tokens, space, type_scale};
use maestro_ui::{font, line, part, style};

/// The input's id.
pub const INPUT: &str = "prompt-input";

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Question {
    /// Another name.
    Rename { name: String, before: String },
    /// Another title of a tab.
    RenameTab { tab: TabId, title: String, before: String },
    /// The group of some agents.
    Group { agents: Vec<AgentId>, name: String, before: String },
    /// How many columns and rows of panes.
    Grid { text: String },
    /// What a workspace is to be called.
    Workspace { name: String },
    /// Whether to forget it.
    Remove { name: String, directory: String },
}

/// An open question about an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    agent: AgentId,
    question: Question,
    error: Option<String>,
}

/// What happens in it.
#[derive(Debug, Clone)]
pub enum Message {
    /// The text is another one.
    Edited(String),
    /// The main button, or Enter.
    Accepted,
    /// The other button.
    Cancelled,
}

/// What the shell is to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Nothing.
    None,
    /// Close it.
    Close,
    /// Give the agent another name; the prompt stays open until that is done.
    Rename(AgentId, String),
    /// Give the tab another title, or let it be made from the conversation again.
    RenameTab(TabId, Option<String>),
    /// Put agents into a group, or back to their repositories.
    Group(Vec<AgentId>, Option<String>),
    /// Lay the panes out in columns and rows.
    Grid(Grid),
    /// Keep the panes under a name; the prompt stays open until that is done.
    Workspace(String),
    /// Forget the agent.
    Remove(AgentId),
}

impl Prompt {
    /// Asks for another name.
    #[must_use]
    pub fn rename(agent: &Agent) -> Self {
        let (name, before) = (agent.name.clone(), agent.name.clone());
        Self { agent: agent.id, question: Question::Rename { name, before }, error: None }
    }

    /// Asks for another title of a tab.
    #[must_use]
    pub fn rename_tab(tab: &Tab) -> Self {
        let before = super::tabs::title(tab);
        let question = Question::RenameTab { tab: tab.id, title: before.clone(), before };
        Self { agent: tab.agent, question, error: None }
    }

    /// Asks for the group of some agents.
    #[must_use]
    pub fn group(agents: Vec<AgentId>, before: String) -> Self {
        let agent = agents.first().copied().unwrap_or(AgentId(0));
        let question = Question::Group { agents, name: before.clone(), before };
        Self { agent, question, error: None }
    }

    /// Asks for how many columns and rows of panes.
    #[must_use]
    pub fn grid(kind: Kind) -> Self {
        let text = match kind {
            Kind::Grid(grid) => grid.to_string(),
            _ => "2x2".to_owned(),
        };
        Self { agent: AgentId(0), question: Question::Grid { text }, error: None }
    }

    /// Asks for the name of a workspace.
    #[must_use]
    pub fn workspace(name: String) -> Self {
        Self { agent: AgentId(0), question: Question::Workspace { name }, error: None }
    }

    /// Asks whether to forget an agent.
    #[must_use]
    pub fn remove(agent: &Agent) -> Self {
        let question = Question::Remove {
            name: agent.name.clone(),
            directory: agent.directory.display().to_string(),
        };
        Self { agent: agent.id, question, error: None }
    }

    /// Takes in what happened.
    pub fn update(&mut self, message: Message) -> Action {
        match (message, &mut self.question) {
            (Message::Cancelled, _) => Action::Close,
            (
                Message::Edited(text),
                Question::Rename { name, .. }
                | Question::RenameTab { title: name, .. }
                | Question::Group { name, .. }
                | Question::Grid { text: name }
                | Question::Workspace { name },
            ) => {
                *name = text;
                self.error = None;
                Action::None
            }
            (Message::Edited(_), Question::Remove { .. }) => Action::None,
            (Message::Accepted, Question::Remove { .. }) => Action::Remove(self.agent),
            (Message::Accepted, Question::RenameTab { tab, title, before }) => {
                let title = title.trim();
                if title == before {
                    return Action::Close;
                }
                Action::RenameTab(*tab, (!title.is_empty()).then(|| title.to_owned()))
            }
            (Message::Accepted, Question::Workspace { name }) => Action::Workspace(name.clone()),
            (Message::Accepted, Question::Grid { text }) => match text.parse() {
                Ok(grid) => Action::Grid(grid),
                Err(NoGrid) => {
                    self.error = Some(part::sentence(&NoGrid.to_string()));
                    Action::None
                }
            },
            (Message::Accepted, Question::Group { name, before, .. }) if name == before => {
                Action::Close
            }
            (Message::Accepted, Question::Group { agents, name, .. }) => {
                Action::Group(agents.clone(), maestro_core::group::name(name))
            }
            (Message::Accepted, Question::Rename { name, before }) => {
                let name = name.trim();
                if name.is_empty() {
                    self.error = Some("An agent needs a name.".to_owned());
                    Action::None
                } else if name == before {
                    Action::Close
                } else {
                    Action::Rename(self.agent, name.to_owned())
                }
            }
        }
    }

    /// The host refused.
    pub fn refused(&mut self, why: String) {
        self.error = Some(part::sentence(&why));
    }

    /// The dialog.
    pub fn view(&self, tokens: &'static Tokens) -> Element<'_, Message> {
        let (title, body, label) = match &self.question {
            Question::Rename { name, before } => {
                let input = text_input(before, name)
                    .id(INPUT)
                    .on_input(Message::Edited)
                    .size(type_scale::BASE.0)
                    .font(font::REGULAR)
                    .padding([6.0, 10.0])
                    .style(style::input(tokens, self.error.is_some()));
                let below = self.error.clone().map(|error| (error, true));
                (
                    format!("Rename {before}"),
                    part::field(tokens, "Name", input.into(), below),
                    "Rename",
                )
            }
            Question::RenameTab { title, before, .. } => {
                let input = text_input(before, title)
                    .id(INPUT)
                    .on_input(Message::Edited)
                    .size(type_scale::BASE.0)
                    .font(font::REGULAR)
                    .padding([6.0, 10.0])
                    .style(style::input(tokens, self.error.is_some()));
                let hint = "Empty: it is named after the conversation again.".to_owned();
                let below = self.error.clone().map_or((hint, false), |error| (error, true));
                let field = part::field(tokens, "Title", input.into(), Some(below));
                ("Rename the tab".to_owned(), field, "Rename")
            }
            Question::Group { agents, name, .. } => {
                let input = text_input("such as Night shift", name)
                    .id(INPUT)
                    .on_input(Message::Edited)
                    .size(type_scale::BASE.0)
                    .font(font::REGULAR)
                    .padding([6.0, 10.0])
                    .style(style::input(tokens, self.error.is_some()));
                let hint = "Empty: listed with its repository again.".to_owned();
                let below = self.error.clone().map_or((hint, false), |error| (error, true));
                let field = part::field(tokens, "Group", input.into(), Some(below));
                let title = match agents.len() {
                    1 => "Group of the agent".to_owned(),
                    count => format!("Group of {count} agents"),
                };
                (title, field, "Put there")
            }
            Question::Grid { text } => {
                let input = text_input("such as 3x2", text)
                    .id(INPUT)
                    .on_input(Message::Edited)
                    .size(type_scale::BASE.0)
                    .font(font::REGULAR)
                    .padding([6.0, 10.0])
                    .style(style::input(tokens, self.error.is_some()));
                let hint = "Panes for which there is no place are named in a strip below.";
                let below = self.error.clone().map_or((hint.to_owned(), false), |it| (it, true));
                let field = part::field(tokens, "Columns x rows", input.into(), Some(below));
                ("Panes in columns and rows".to_owned(), field, "Lay out")
            }
            Question::Workspace { name } => {
                let input = text_input("such as Review", name)
                    .id(INPUT)
                    .on_input(Message::Edited)
                    .size(type_scale::BASE.0)
                    .font(font::REGULAR)
                    .padding([6.0, 10.0])
                    .style(style::input(tokens, self.error.is_some()));
                let hint =
                    "The panes that are open, and their layout. One of that name is replaced.";
                let below = self.error.clone().map_or((hint.to_owned(), false), |it| (it, true));
                let field = part::field(tokens, "Name", input.into(), Some(below));
                ("Save as workspace".to_owned(), field, "Save")
            }
            Question::Remove { name, directory } => {
                let words = format!(
                    "Its processes are ended and Maestro forgets it. The directory {directory} and \
                     its branch stay as they are."
                );
                let words = part::paragraph(words, type_scale::BASE, font::REGULAR, tokens.dim);
                let error = self.error.clone().map(|error| {
                    part::paragraph(error, type_scale::SMALL, font::REGULAR, tokens.red)
                });
                (format!("Remove {name}?"), column![words].push(error).into(), "Remove")
            }
        };
        let buttons = row![
            line("", type_scale::SMALL, font::REGULAR, tokens.faint).fill(),
            part::action(tokens, "Cancel", false, false, Some(Message::Cancelled)),
            part::chord(tokens, "Esc"),
            part::action(tokens, label, true, false, Some(Message::Accepted)),
            part::chord(tokens, "↵"),
        ]
        .spacing(space::S)
        .align_y(Alignment::Center);
        column![line(title, type_scale::TITLE, font::SEMIBOLD, tokens.text).fill(), body, buttons]
            .spacing(space::L)
            .padding(space::XL)
            .width(Length::Fill)
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::super::scene;
    use super::*;

    fn rename(text: &str) -> (Prompt, Action) {
        let world = scene::world();
        let mut prompt = Prompt::rename(&world.agents[0]);
        let _ = prompt.update(Message::Edited(text.to_owned()));
        let action = prompt.update(Message::Accepted);
        (prompt, action)
    }

    #[test]
    fn a_name_is_asked_for_and_trimmed() {
        let id = scene::world().agents[0].id;
        assert_eq!(rename(" server ").1, Action::Rename(id, "server".to_owned()));
    }

    #[test]
    fn an_empty_name_is_refused_in_place() {
        let (prompt, action) = rename("  ");
        assert_eq!(action, Action::None);
        assert!(prompt.error.is_some());
    }

    #[test]
    fn the_same_name_changes_nothing() {
        let name = scene::world().agents[0].name.clone();
        assert_eq!(rename(&name).1, Action::Close);
    }
}

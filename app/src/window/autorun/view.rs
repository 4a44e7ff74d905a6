//! What Auto Run looks like.

mod documents;
mod history;
mod live;
mod start;

use iced::widget::{Column, Space, button, column, container, row, text_input};
use iced::{Alignment, Color, Element, Length, Padding};
use maestro_core::command::Id;
use maestro_core::keymap::Keymap;
use maestro_core::run::Run;
use maestro_core::text;
use maestro_ui::theme::{Tokens, extent, space, type_scale};
use maestro_ui::{font, line, part, style};

use super::start::Field;
use super::{Autorun, Confirm, Message, Page, Part, Typing};
use crate::window::model::Model;
use crate::window::page::{self, boxed, empty, hint, pressable, scrolled, trouble};

pub use live::panel;
pub use start::WIDTH;

/// Ids of what is scrolled, and of inputs.
pub const LIST: &str = "autorun-list";
/// See [`LIST`].
pub const DETAIL: &str = "autorun-detail";
/// See [`LIST`].
pub const PREVIEW: &str = "autorun-preview";
/// See [`LIST`].
pub const EDITOR: &str = "autorun-editor";
/// See [`LIST`].
pub const FORM: &str = "autorun-form";
/// See [`LIST`].
pub const FIND: &str = "autorun-find";
/// See [`LIST`].
pub const NAME: &str = "autorun-name";

/// Height of a row of one line.
pub const ROW: f32 = extent::ROW;
/// Height of a row of two.
pub const TALL: f32 = extent::AGENT_ROW;

/// Below this width a page shows one of its halves.
const BOTH: f32 = 860.0;

/// What it is seen with.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    /// Colours.
    pub tokens: &'static Tokens,
    /// Chords to teach.
    pub keymap: &'a Keymap,
    /// The time.
    pub now_ms: u64,
    /// Whether arcs turn.
    pub turning: bool,
    /// Width of the place.
    pub width: f32,
    /// Height of the window.
    pub height: f32,
    /// The project's directory.
    pub directory: Option<&'a std::path::Path>,
}

impl Look<'_> {
    /// Whether the window is so low that only the main things have a place.
    fn is_low(&self) -> bool {
        self.height < 520.0
    }
}

impl Autorun {
    /// Everything, in the whole window.
    pub fn view<'a>(&'a self, model: &'a Model, look: Look<'a>) -> Element<'a, Message> {
        let tokens = look.tokens;
        let body = match self.page {
            Page::Documents => self.documents(model, look),
            Page::Live => self.live(model, look),
            Page::History => self.history(model, look),
        };
        let body = container(body).width(Length::Fill).height(Length::Fill);
        let page = column![
            self.head(look),
            part::rule(tokens),
            body,
            part::rule(tokens),
            self.foot(model, look)
        ];
        container(page).style(move |_| style::surface(tokens.base)).height(Length::Fill).into()
    }

    fn head<'a>(&'a self, look: Look<'a>) -> Element<'a, Message> {
        let tokens = look.tokens;
        let tab = |page: Page, key: &'static str, name: &'static str| {
            let on = self.page == page;
            let ink = if on { tokens.text } else { tokens.dim };
            let under = if on { tokens.accent } else { Color::TRANSPARENT };
            let face = if on { font::MEDIUM } else { font::REGULAR };
            let words = row![
                line(name, type_scale::BASE, face, ink),
                line(key, type_scale::TINY, font::MONO, tokens.faint)
            ]
            .spacing(6.0)
            .align_y(Alignment::Center);
            let words = container(words).center_y(Length::Fill).padding([0.0, space::M]);
            button(
                column![words, part::filled(under, Length::Fill, Length::Fixed(2.0))]
                    .width(Length::Shrink),
            )
            .padding(0)
            .style(style::row(tokens, false))
            .on_press(Message::Page(page))
        };
        let project = look.directory.and_then(|d| d.file_name()).map(|name| {
            line(
                text::clean(&name.to_string_lossy(), 60),
                type_scale::SMALL,
                font::REGULAR,
                tokens.faint,
            )
        });
        let tabs = row![
            tab(Page::Documents, "1", "Checklists"),
            tab(Page::Live, "2", "Live"),
            tab(Page::History, "3", "History"),
        ]
        .height(Length::Fill);
        let title = line("Auto Run", type_scale::BASE, font::SEMIBOLD, tokens.text);
        row![container(title).padding([0.0, space::M]), tabs, Space::new().width(Length::Fill)]
            .push(project)
            .push(part::word(tokens, "Back to the panes", Message::Command(Id::RunsLeave)))
            .push(look.keymap.title(Id::RunsOpen).map(|chord| part::chord(tokens, &chord)))
            .spacing(space::S)
            .align_y(Alignment::Center)
            .height(extent::TABS)
            .padding(Padding::ZERO.left(space::XS).right(space::M))
            .into()
    }

    /// The keys that mean something here.
    fn foot<'a>(&'a self, model: &'a Model, look: Look<'a>) -> Element<'a, Message> {
        let keys: Vec<(&str, &str)> = match (self.page, self.part, self.typing) {
            (_, _, Some(Typing::Filter)) => {
                vec![("↵", "keep"), ("↑↓", "mark"), ("Esc", "all runs")]
            }
            (_, _, Some(Typing::Find)) => vec![("↵", "next"), ("Esc", "close")],
            (_, _, Some(Typing::Name)) => vec![("↵", "make it"), ("Esc", "leave it")],
            (Page::Documents, Part::List, _) => vec![
                ("↵", "open"),
                ("Space", "choose"),
                ("g", "run…"),
                ("n", "new document"),
                ("Tab", "document"),
            ],
            (Page::Documents, Part::Detail, _) if self.is_editing() => {
                let title = |id| look.keymap.title(id).unwrap_or_default();
                return foot(
                    look,
                    [
                        (title(Id::EditorLeave), "done"),
                        (title(Id::EditorTask), "insert task"),
                        (title(Id::EditorTick), "tick"),
                        (title(Id::EditorPaste), "paste text or image"),
                        (title(Id::EditorFind), "find"),
                        (title(Id::EditorUndo), "undo"),
                        (title(Id::EditorSave), "save"),
                    ]
                    .into_iter(),
                );
            }
            (Page::Documents, Part::Detail, _) => vec![
                ("↑↓", "task"),
                ("Space", "tick"),
                ("e", "edit"),
                ("n", "insert task"),
                ("/", "find"),
                ("u", "undo"),
                ("g", "run…"),
                ("Tab", "list"),
            ],
            (Page::Live, ..) => live::keys(self.run(model)),
            (Page::History, ..) => vec![
                ("↵", "open"),
                ("/", "filter"),
                ("o", "report"),
                ("e", "evidence"),
                ("g", "new run…"),
                ("Esc", "back"),
            ],
        };
        foot(look, keys.into_iter().map(|(key, words)| (key.to_owned(), words)))
    }

    /// What lies over the window: how to start a run, or a question.
    pub fn over<'a>(&'a self, look: Look<'a>) -> Option<Element<'a, Message>> {
        if let Some(confirm) = &self.confirm {
            return Some(confirmation(look.tokens, confirm));
        }
        self.start.as_ref().map(|start| start::view(start, look))
    }

    /// An input for what is asked for.
    fn asking<'a>(&'a self, tokens: &'static Tokens) -> Option<Element<'a, Message>> {
        let (id, placeholder, value) = match self.typing? {
            Typing::Name => {
                (NAME, "Name of the document, such as release or api/tests", &self.text)
            }
            Typing::Find => (FIND, "Find in the document", &self.text),
            Typing::Filter => (FIND, "Documents, tasks, folders, states, providers", &self.filter),
        };
        let input = text_input(placeholder, value)
            .id(id)
            .on_input(Message::Typed)
            .size(type_scale::BASE.0)
            .font(font::REGULAR)
            .padding([5.0, 9.0])
            .style(style::input(tokens, false));
        let input = maestro_ui::still(input);
        Some(container(input).padding([space::S, space::M]).width(Length::Fill).into())
    }
}

fn foot<'a>(look: Look<'a>, keys: impl Iterator<Item = (String, &'a str)>) -> Element<'a, Message> {
    page::foot(look.tokens, look.is_low(), keys)
}

/// The id of a field's input.
pub fn field_id(field: Field) -> String {
    format!("autorun-{field:?}")
}

fn confirmation<'a>(tokens: &'static Tokens, confirm: &Confirm) -> Element<'a, Message> {
    let paragraph =
        |words: String| part::paragraph(words, type_scale::BASE, font::REGULAR, tokens.dim);
    let (title, words, label): (String, Element<'a, Message>, &str) = match confirm {
        Confirm::Undo { text: task, later, .. } => {
            let task = text::clean(task, 120);
            let mut words = vec![paragraph(format!(
                "The files that “{task}” changed become what they were before it, and its box is \
                 open again. What they are now is kept in the repository under a private name."
            ))];
            if !later.is_empty() {
                let one = later.len() == 1;
                let which = format!(
                    "{} {} built on it and {} taken back with it.",
                    if one { "Task" } else { "Tasks" },
                    later.join(", "),
                    if one { "is" } else { "are" },
                );
                words.push(part::paragraph(which, type_scale::BASE, font::MEDIUM, tokens.orange));
            }
            (
                "Undo this task?".to_owned(),
                Column::with_children(words).spacing(space::S).into(),
                "Undo",
            )
        }
        Confirm::EndNow(_) => (
            "Stop the run now?".to_owned(),
            paragraph(
                "The agent's processes are ended in the middle of their task. What they wrote so \
                 far stays; the task's box stays open."
                    .to_owned(),
            ),
            "Stop now",
        ),
        Confirm::Conflict { theirs } => {
            let choices = column![
                part::choice(
                    tokens,
                    "Keep mine",
                    "Your text is written over the other one.",
                    !theirs,
                    Message::Accepted(true)
                ),
                part::choice(
                    tokens,
                    "Take theirs",
                    "Yours comes back with undo.",
                    *theirs,
                    Message::Accepted(true)
                ),
            ];
            let words = paragraph(
                "Somebody else changed the same lines while you wrote. Nothing is saved until you \
                 say which it is to be."
                    .to_owned(),
            );
            (
                "The document was changed elsewhere".to_owned(),
                column![words, choices].spacing(space::M).into(),
                "This one",
            )
        }
    };
    let buttons = row![
        Space::new().width(Length::Fill),
        part::action(tokens, "Cancel", false, false, Some(Message::Accepted(false))),
        part::chord(tokens, "Esc"),
        part::action(tokens, label, true, false, Some(Message::Accepted(true))),
        part::chord(tokens, "↵"),
    ]
    .spacing(space::S)
    .align_y(Alignment::Center);
    column![line(title, type_scale::TITLE, font::SEMIBOLD, tokens.text).fill(), words, buttons]
        .spacing(space::L)
        .padding(space::XL)
        .into()
}

/// A name with what it is.
fn fact<'a>(tokens: &'static Tokens, name: &str, value: String) -> Element<'a, Message> {
    row![
        container(line(name, type_scale::SMALL, font::REGULAR, tokens.faint)).width(92.0),
        container(part::paragraph(value, type_scale::SMALL, font::MONO, tokens.dim))
            .width(Length::Fill),
    ]
    .spacing(space::S)
    .into()
}

/// What a run is called.
#[must_use]
pub fn title(run: &Run) -> String {
    crate::window::runs::title(run)
}

/// Everything a run is found by, in small letters.
#[must_use]
pub fn words_of(model: &Model, run: &Run) -> String {
    let mut words = vec![
        run.id.to_string(),
        run.spec.directory.display().to_string(),
        run.spec.provider.title().to_owned(),
        crate::window::runs::state_words(run),
    ];
    words.extend(run.spec.documents.iter().take(50).map(|path| path.display().to_string()));
    words.extend(run.spec.agent.and_then(|id| model.agent(id)).map(|agent| agent.name.clone()));
    words.extend(run.tasks.iter().take(500).map(|task| task.text.clone()));
    words.join("\n").to_lowercase()
}

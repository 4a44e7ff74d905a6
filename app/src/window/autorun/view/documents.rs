//! Checklists of a project, and the open one: as it reads, or as it is written.

use iced::widget::{Column, Space, column, container, mouse_area, row};
use iced::{Alignment, Background, Border, Color, Element, Length, Padding};
use maestro_core::command::Id;
use maestro_core::markdown::{self, Body};
use maestro_core::playbook::{Found, Leaf};
use maestro_core::text;
use maestro_ui::icon::{Icon, icon};
use maestro_ui::theme::{Tokens, extent, radius, space, type_scale};
use maestro_ui::{font, line, part, style};

use super::{BOTH, EDITOR, LIST, Look, PREVIEW, empty, hint, pressable, scrolled, trouble};
use crate::window::autorun::document::{self, Open};
use crate::window::autorun::{Autorun, Message, Part, Row, Typing};
use crate::window::editor;
use crate::window::model::Model;
use crate::window::prose::{READABLE, prose, spoken};

/// Width of the list beside a document.
const WIDTH: f32 = 320.0;

impl Autorun {
    pub(super) fn documents<'a>(
        &'a self,
        model: &'a Model,
        look: Look<'a>,
    ) -> Element<'a, Message> {
        let tokens = look.tokens;
        if self.folder.is_none() {
            return empty(
                tokens,
                Icon::Panes,
                "There is no project yet",
                "Checklists belong to an agent's directory. Make an agent first.",
                &[],
            );
        }
        let list = self.tree(look);
        let document = match &self.open {
            Some(open) => self.document(open, model, look),
            None => empty(
                tokens,
                Icon::Check,
                "No document is open",
                "A checklist is a markdown file. Each box is a task for a fresh session, and a box \
                 is ticked only when what it asks for was verified.",
                &[("↵", "open the marked one"), ("n", "new document")],
            ),
        };
        if look.width >= BOTH {
            let list = container(list).width(WIDTH).style(move |_| style::surface(tokens.panel));
            return row![list, part::upright(tokens), document].into();
        }
        if self.part == Part::Detail { document } else { list }
    }

    fn tree<'a>(&'a self, look: Look<'a>) -> Element<'a, Message> {
        let tokens = look.tokens;
        let naming = self.asking(tokens).filter(|_| self.typing == Some(Typing::Name));
        let rows = self.list();
        let body: Element<'a, Message> = match &self.leaves {
            Some(Err(why)) if rows.is_empty() => trouble(tokens, why),
            None if rows.is_empty() => Space::new().height(Length::Fill).into(),
            _ => {
                let mut list = Column::new().width(Length::Fill);
                let mut shipped = false;
                let own = rows.iter().any(|row| matches!(row, Row::Leaf(_)));
                if !own {
                    list = list.push(nothing(tokens, naming.is_some()));
                }
                for (at, entry) in rows.iter().enumerate() {
                    let marked = (self.row == at, self.part == Part::List);
                    list = match entry {
                        Row::Leaf(leaf) => list.push(self.leaf(look, leaf, at, marked)),
                        Row::Playbook(found) => {
                            if !std::mem::replace(&mut shipped, true) {
                                list =
                                    list.push(part::section(tokens, "Playbooks", rows.len() - at));
                            }
                            list.push(playbook(tokens, found, at, marked))
                        }
                    };
                }
                scrolled(tokens, LIST, list)
            }
        };
        let count = rows.iter().filter(|row| matches!(row, Row::Leaf(l) if !l.is_folder)).count();
        column![part::section(tokens, "Checklists", count)]
            .push(naming)
            .push(body)
            .push(self.chosen_bar(tokens))
            .height(Length::Fill)
            .into()
    }

    fn leaf<'a>(
        &self,
        look: Look<'a>,
        leaf: &Leaf,
        at: usize,
        marked: (bool, bool),
    ) -> Element<'a, Message> {
        let tokens = look.tokens;
        let name = leaf.path.rsplit('/').next().unwrap_or(&leaf.path);
        let path = self.path_of(leaf);
        let chosen = path.as_ref().and_then(|path| self.chosen.iter().position(|c| c == path));
        let is_open = path.is_some() && self.open.as_ref().map(|open| &open.path) == path.as_ref();
        let (shape, ink) = match (leaf, chosen) {
            (Leaf { problem: Some(_), .. }, _) => (Icon::Warning, tokens.red),
            (_, Some(_)) => (Icon::Check, tokens.accent),
            (Leaf { is_playbook: true, .. }, _) => (Icon::Resume, tokens.dim),
            (Leaf { is_folder: true, .. }, _) => (Icon::Chevron, tokens.faint),
            (Leaf { open: 0, done: 1.., .. }, _) => (Icon::Check, tokens.green),
            _ => (Icon::Ring, tokens.faint),
        };
        let face = if leaf.is_folder || is_open { font::MEDIUM } else { font::REGULAR };
        let ink_of_name = if is_open { tokens.accent } else { tokens.text };
        let count: Element<'a, Message> = match &leaf.problem {
            Some(_) => line("cannot be read", type_scale::TINY, font::REGULAR, tokens.red).into(),
            None if leaf.open + leaf.done == 0 => Space::new().into(),
            None => {
                let words = format!("{}/{}", leaf.done, leaf.open + leaf.done);
                line(words, type_scale::SMALL, font::REGULAR, tokens.faint).into()
            }
        };
        let order = chosen
            .map(|at| line(format!("{}.", at + 1), type_scale::SMALL, font::MONO, tokens.accent));
        let indent = f32::from(leaf.depth.min(8)) * 16.0;
        let content = row![
            Space::new().width(indent),
            icon(shape, extent::GLYPH, ink),
            line(text::clean(name, 120), type_scale::BASE, face, ink_of_name).fill(),
        ]
        .push(order)
        .push(count)
        .spacing(space::S)
        .align_y(Alignment::Center);
        pressable(tokens, super::ROW, marked, content, Message::Row(at))
    }

    /// What is chosen for a run.
    fn chosen_bar<'a>(&self, tokens: &'static Tokens) -> Option<Element<'a, Message>> {
        let words = match self.chosen.len() {
            0 => return None,
            1 => "1 document chosen".to_owned(),
            count => format!("{count} documents chosen"),
        };
        let bar = row![
            line(words, type_scale::SMALL, font::REGULAR, tokens.dim).fill(),
            part::action(tokens, "Run…", true, false, Some(Message::Command(Id::RunsStart))),
            part::chord(tokens, "g"),
        ]
        .spacing(space::S)
        .align_y(Alignment::Center)
        .padding([space::S, space::M]);
        Some(column![part::rule(tokens), bar].into())
    }

    fn document<'a>(
        &'a self,
        open: &'a Open,
        model: &'a Model,
        look: Look<'a>,
    ) -> Element<'a, Message> {
        let tokens = look.tokens;
        let run = self.locked_by(model, &open.path);
        let done = open.tasks().iter().filter(|task| task.checked).count();
        let count = format!("{done} of {}", open.tasks().len());
        let unsaved = open.is_dirty();
        let state = match (&run, unsaved) {
            (Some(_), _) => Some(part::pill(tokens, "live · locked by the run", true)),
            (None, true) => Some(part::pill(tokens, "not saved yet", false)),
            (None, false) => None,
        };
        let edit: Option<Element<'a, Message>> = match (&open.editor, run) {
            (_, Some(run)) => Some(part::word(tokens, "Watch the run", Message::Run(run.id))),
            (None, None) => Some(part::word(tokens, "Edit", Message::Command(Id::DocumentEdit))),
            (Some(_), None) => Some(part::word(tokens, "Done", Message::Command(Id::EditorLeave))),
        };
        let head = row![
            line(open.name(), type_scale::BASE, font::SEMIBOLD, tokens.text),
            line(count, type_scale::SMALL, font::REGULAR, tokens.dim).fill(),
        ]
        .push(state)
        .push(edit)
        .spacing(space::S)
        .align_y(Alignment::Center)
        .height(extent::TABS)
        .padding([0.0, space::L]);
        let problem = open.problem.as_ref().map(|why| trouble(tokens, why));
        let asking = self.asking(tokens).filter(|_| self.typing == Some(Typing::Find));
        let body = match &open.editor {
            Some(editor) => {
                let needle = open.find.as_deref().filter(|_| self.typing == Some(Typing::Find));
                let needle = needle.unwrap_or_default();
                editor::editor(tokens, EDITOR, &editor.content, needle, None, Message::Acted)
            }
            None => self.reading(open, tokens, run.is_some()),
        };
        column![head, part::rule(tokens)]
            .push(problem)
            .push(asking)
            .push(body)
            .width(Length::Fill)
            .height(Length::Fill)
            .into()
    }

    fn reading<'a>(
        &'a self,
        open: &'a Open,
        tokens: &'static Tokens,
        locked: bool,
    ) -> Element<'a, Message> {
        if open.text().trim().is_empty() {
            let about = "Write what is to be done, a box for each task: e begins.";
            return empty(tokens, Icon::Check, "The document is empty", about, &[("e", "edit")]);
        }
        let mut column = Column::new().spacing(2.0).max_width(READABLE);
        for piece in open.parts() {
            column = match piece {
                document::Part::Prose(blocks) => {
                    blocks.iter().fold(column, |column, block| column.push(prose(tokens, block)))
                }
                document::Part::Task(at, below) => {
                    let focused = self.part == Part::Detail;
                    column.push(task(
                        tokens,
                        open,
                        *at,
                        below,
                        (open.marked == *at, focused),
                        locked,
                    ))
                }
            };
        }
        if open.cut > 0 {
            let words = format!("{} more lines are not shown here; e shows them all.", open.cut);
            column = column.push(line(words, type_scale::SMALL, font::REGULAR, tokens.faint));
        }
        scrolled(tokens, PREVIEW, container(column).padding([space::M, space::L]))
    }
}

fn nothing<'a>(tokens: &'static Tokens, naming: bool) -> Element<'a, Message> {
    let words = "No checklists yet. They are markdown files in .maestro/playbooks of the project.";
    let words = part::paragraph(words.to_owned(), type_scale::SMALL, font::REGULAR, tokens.dim);
    let key = (!naming).then(|| hint(tokens, "n", "make the first one"));
    column![words].push(key).spacing(space::S).padding([space::XS, space::M]).into()
}

fn playbook<'a>(
    tokens: &'static Tokens,
    found: &Found,
    at: usize,
    marked: (bool, bool),
) -> Element<'a, Message> {
    let folder = found.folder.file_name().unwrap_or_default().to_string_lossy();
    let name = if found.playbook.name.is_empty() { &*folder } else { &found.playbook.name };
    let (about, ink) = match &found.problem {
        Some(problem) => (problem.as_str(), tokens.red),
        None => (found.playbook.description.as_str(), tokens.faint),
    };
    let content = column![
        line(text::clean(name, 80), type_scale::BASE, font::MEDIUM, tokens.text).fill(),
        line(text::clean(about, 160), type_scale::TINY, font::REGULAR, ink).fill(),
    ];
    let content = row![icon(Icon::Resume, extent::GLYPH, tokens.dim), content]
        .spacing(space::S)
        .align_y(Alignment::Center);
    pressable(tokens, super::TALL, marked, content, Message::Row(at))
}

fn task<'a>(
    tokens: &'static Tokens,
    open: &'a Open,
    at: usize,
    below: &[String],
    (marked, focused): (bool, bool),
    locked: bool,
) -> Element<'a, Message> {
    let Some(task) = open.tasks().get(at) else { return Space::new().into() };
    let (shape, ink) =
        if task.checked { (Icon::Check, tokens.green) } else { (Icon::Ring, tokens.dim) };
    let box_ink = if locked { tokens.faint } else { ink };
    let check = mouse_area(container(icon(shape, 16.0, box_ink)).padding(Padding::ZERO.top(2.0)))
        .interaction(iced::mouse::Interaction::Pointer)
        .on_press(Message::Ticked(at));
    let text_ink = if task.checked { tokens.dim } else { tokens.text };
    let document = markdown::Document::new(&task.text);
    let spoken = match document.blocks().first().map(|block| &block.body) {
        Some(Body::Paragraph(spans)) => spoken(tokens, spans, font::REGULAR, text_ink),
        _ => part::paragraph(task.text.clone(), type_scale::BASE, font::REGULAR, text_ink),
    };
    let mut content = Column::new().push(spoken).width(Length::Fill);
    for words in below.iter().take(40) {
        let field = ["verify:", "needs:", "files:", "agent:", "model:", "timeout:", "retries:"];
        let words = text::clean(words, 400);
        let is_field = field.iter().any(|field| {
            words.get(..field.len()).is_some_and(|start| start.eq_ignore_ascii_case(field))
        });
        let face = if is_field { font::MONO } else { font::REGULAR };
        content = content.push(part::paragraph(words, type_scale::SMALL, face, tokens.faint));
    }
    let bar = match (marked, focused) {
        (true, true) => tokens.accent,
        (true, false) => tokens.border,
        _ => Color::TRANSPARENT,
    };
    let fill = if marked { tokens.hover } else { Color::TRANSPARENT };
    let indent = task.indent.min(24) as f32 * 6.0;
    let inner = row![check, content].spacing(space::S).padding([3.0, space::S]);
    let inner =
        container(inner).width(Length::Fill).style(move |_| iced::widget::container::Style {
            background: Some(Background::Color(fill)),
            border: Border {
                color: bar,
                width: if bar.a > 0.0 { 1.0 } else { 0.0 },
                radius: radius::BUTTON.into(),
            },
            ..Default::default()
        });
    row![Space::new().width(indent), inner].into()
}

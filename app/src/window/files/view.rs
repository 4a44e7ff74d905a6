//! What the files of a directory look like.

use std::sync::Arc;

use iced::widget::{Column, Space, column, container, mouse_area, responsive, row, text_input};
use iced::{Alignment, Color, Element, Length, Padding};
use maestro_core::highlight::Language;
use maestro_core::text;
use maestro_ui::code::{self, Line};
use maestro_ui::icon::{Icon, icon};
use maestro_ui::theme::{Tokens, extent, radius, space, type_scale};
use maestro_ui::{font, line, part, style};

use super::{Body, EDITOR, Files, INPUT, Loaded, Message as Own, Open, Part, Row, Typing, WORDS};
use crate::window::autorun::document;
use crate::window::conversation::Shown;
use crate::window::prose::{READABLE, prose};
use crate::window::review::{Look, Message};
use crate::window::{editor, page};

/// From this width on the file is beside the list.
const BESIDE: f32 = 760.0;
/// Width of the list.
const LIST: f32 = 300.0;
/// How far in a row is for each folder it lies in.
const INDENT: f32 = 14.0;
/// The most folders that a row is put in for.
const DEEPEST: usize = 8;

impl Files {
    /// The page.
    pub fn view<'a>(&'a self, look: Look<'a>) -> Element<'a, Message> {
        let tokens = look.tokens;
        let list = self.tree(look);
        if look.width < BESIDE {
            return if self.part == Part::File { self.file(look) } else { list };
        }
        let list = container(list).width(LIST).style(move |_| style::surface(tokens.panel));
        row![list, part::upright(tokens), self.file(look)].into()
    }

    fn tree<'a>(&'a self, look: Look<'a>) -> Element<'a, Message> {
        let tokens = look.tokens;
        let body: Element<'a, Message> = if let Some(why) = &self.problem {
            page::trouble(tokens, why)
        } else if self.all.is_none() {
            page::empty(tokens, Icon::Clock, "Looking at the files…", "", &[])
        } else if self.rows.is_empty() && self.found.is_some() {
            let keys: &[(&str, &str)] = &[("Esc", "all files")];
            page::empty(tokens, Icon::Search, "No file has these letters", "", keys)
        } else if self.rows.is_empty() {
            let about = "Files that the repository ignores are left out.";
            page::empty(tokens, Icon::Ring, "There are no files", about, &[])
        } else {
            let list = responsive(move |size| {
                let page = ((size.height / extent::ROW) as usize).max(1);
                self.page.set(page);
                let shown = self.rows.iter().enumerate().skip(self.top).take(page + 1);
                let rows = shown.map(|(at, row)| self.row(tokens, at, row));
                wheel(Part::List, extent::ROW, Column::with_children(rows))
            });
            container(list).height(Length::Fill).into()
        };
        let count = self.all.as_ref().map_or(0, Vec::len);
        let head: Element<'a, Message> = match self.typing {
            Some(Typing::Letters) => self.field(tokens, "letters of a file's path"),
            _ if self.letters.is_empty() => part::section(tokens, "Files", count),
            _ => {
                let words = format!("With “{}”", text::clean(&self.letters, 40));
                row![
                    icon(Icon::Search, 12.0, tokens.accent),
                    line(words, type_scale::SMALL, font::REGULAR, tokens.dim).fill(),
                    page::hint(tokens, "Esc", "all files")
                ]
                .spacing(space::S)
                .align_y(Alignment::Center)
                .padding([space::XS, space::M])
                .into()
            }
        };
        column![head, body].height(Length::Fill).into()
    }

    fn field<'a>(&'a self, tokens: &'static Tokens, about: &'a str) -> Element<'a, Message> {
        let input = text_input(about, &self.typed)
            .id(INPUT)
            .on_input(Message::Typed)
            .size(type_scale::BASE.0)
            .padding([5.0, 9.0])
            .style(style::input(tokens, false));
        container(maestro_ui::still(input)).padding([space::XS, space::S]).into()
    }

    fn row<'a>(&'a self, tokens: &'static Tokens, at: usize, row: &'a Row) -> Element<'a, Message> {
        let marked = self.at == at;
        let focused = self.part == Part::List;
        let is_open = self.open.as_ref().is_some_and(|open| open.path == row.path());
        let indent = Space::new().width(row.depth().min(DEEPEST) as f32 * INDENT);
        let content: Element<'a, Message> = match row {
            Row::Folder { name, files, is_folded, .. } => {
                let sign = if *is_folded { "▸" } else { "▾" };
                iced::widget::row![
                    indent,
                    container(line(sign, type_scale::SMALL, font::REGULAR, tokens.faint))
                        .width(INDENT),
                    line(text::clean(name, 160), type_scale::BASE, font::MEDIUM, tokens.text)
                        .fill(),
                    line(files.to_string(), type_scale::SMALL, font::REGULAR, tokens.faint),
                ]
                .align_y(Alignment::Center)
                .into()
            }
            Row::File { name, hits, .. } => {
                let (face, ink) =
                    if is_open { (font::MEDIUM, tokens.text) } else { (font::REGULAR, tokens.dim) };
                let name: Element<'a, Message> = if hits.is_empty() {
                    line(text::clean(name, 160), type_scale::BASE, face, ink).fill().into()
                } else {
                    part::marked(tokens, name, hits, face)
                };
                iced::widget::row![indent, Space::new().width(INDENT), name]
                    .align_y(Alignment::Center)
                    .into()
            }
        };
        let press = Message::Files(Own::Row(at));
        page::pressable(tokens, extent::ROW, (marked, focused), content, press)
    }

    fn file<'a>(&'a self, look: Look<'a>) -> Element<'a, Message> {
        let tokens = look.tokens;
        let Some(open) = &self.open else {
            return page::empty(
                tokens,
                Icon::Panes,
                "No file is open",
                "Find one by a few letters of its path, or go through the folders.",
                &[("f", "find a file"), ("↵", "open the marked one")],
            );
        };
        let asking =
            (self.typing == Some(Typing::Words)).then(|| self.field(tokens, "words in this file"));
        let body: Element<'a, Message> = match &open.loaded {
            None => Space::new().height(Length::Fill).into(),
            Some(Err(why)) => page::trouble(tokens, why),
            Some(Ok(loaded)) => self.body(open, loaded, look),
        };
        let body = container(body).width(Length::Fill).height(Length::Fill);
        column![self.head(open, look), part::rule(tokens)]
            .push(asking)
            .push(torn(tokens, open))
            .push(body)
            .width(Length::Fill)
            .height(Length::Fill)
            .into()
    }

    fn head<'a>(&'a self, open: &'a Open, look: Look<'a>) -> Element<'a, Message> {
        let tokens = look.tokens;
        let (folder, name) = open.path.rsplit_once('/').unwrap_or(("", &open.path));
        let focused = self.part == Part::File;
        let ink = if focused { tokens.text } else { tokens.dim };
        let facts = match &open.loaded {
            Some(Ok(loaded)) => facts(loaded),
            _ => String::new(),
        };
        let count = open.hits.len();
        let found = (!open.words.is_empty()).then(|| {
            let words = match count {
                0 => "found nowhere".to_owned(),
                _ => format!("place {} of {count}", open.hit + 1),
            };
            line(words, type_scale::SMALL, font::REGULAR, tokens.accent)
        });
        let is_unsaved = open.writing.as_ref().is_some_and(document::Open::is_dirty);
        let folder = text::clean(folder, 120);
        let content = row![
            line(text::clean(name, 120), type_scale::BASE, font::SEMIBOLD, ink),
            line(folder, type_scale::SMALL, font::REGULAR, tokens.faint).fill(),
        ]
        .push(is_unsaved.then(|| part::pill(tokens, "not saved yet", false)))
        .push(found)
        .push(
            (look.width >= BESIDE)
                .then(|| line(facts, type_scale::SMALL, font::REGULAR, tokens.dim)),
        )
        .spacing(space::S)
        .align_y(Alignment::Center)
        .height(extent::TABS)
        .padding([0.0, space::L]);
        mouse_area(content).on_press(Message::Files(Own::Pressed)).into()
    }

    fn body<'a>(
        &'a self,
        open: &'a Open,
        loaded: &'a Loaded,
        look: Look<'a>,
    ) -> Element<'a, Message> {
        let tokens = look.tokens;
        if let Some(writing) = &open.writing
            && let Some(content) = writing.editor.as_ref().map(|editor| &editor.content)
        {
            let needle = match self.typing {
                Some(Typing::Words) => self.typed.as_str(),
                _ => "",
            };
            let language = Language::of_path(&open.path);
            let acted = |act| Message::Files(Own::Acted(act));
            let problem = writing.problem.as_ref().map(|why| page::trouble(tokens, why));
            let editor = editor::editor(tokens, EDITOR, content, needle, language, acted);
            return Column::new().push(problem).push(editor).into();
        }
        match &loaded.body {
            Body::Words(blocks, _) if self.shows_words() => {
                if blocks.is_empty() {
                    let keys: &[(&str, &str)] = &[("e", "edit")];
                    return page::empty(tokens, Icon::Ring, "The file is empty", "", keys);
                }
                let blocks = blocks.iter().map(|block| prose(tokens, block));
                let words = Column::with_children(blocks).spacing(2.0).max_width(READABLE);
                let words = container(words).padding([space::M, space::L]);
                page::scrolled(tokens, WORDS, words)
            }
            Body::Words(_, lines) => self.code(open, lines, false, look),
            Body::Code(lines, is_cut) => self.code(open, lines, *is_cut, look),
            Body::Picture(Shown::Here { handle, width, .. }) => {
                let image = iced::widget::image(handle.clone())
                    .width((*width as f32).min(480.0))
                    .height(Length::Shrink);
                let framed = container(image)
                    .padding(space::S)
                    .style(move |_| style::bordered(tokens.raised, tokens.border, radius::PANE));
                container(framed).center(Length::Fill).into()
            }
            Body::Picture(_) => nothing(tokens, "This picture cannot be shown."),
            Body::Other(what) => nothing(tokens, what),
        }
    }

    /// Those lines that have a place.
    fn code<'a>(
        &'a self,
        open: &'a Open,
        lines: &'a Arc<[Line]>,
        is_cut: bool,
        look: Look<'a>,
    ) -> Element<'a, Message> {
        let tokens = look.tokens;
        let digits = lines.len().to_string().len();
        let drawn = responsive(move |size| {
            let page = ((size.height / code::line_height()) as usize).max(1);
            self.lines.set(page);
            let top = open.top.min(lines.len());
            let mut shown = lines[top..(top + page + 1).min(lines.len())].to_vec();
            for (at, found) in &open.hits {
                if let Some(line) = at.checked_sub(top).and_then(|at| shown.get_mut(at)) {
                    line.found.clone_from(found);
                }
            }
            let code = maestro_ui::code(tokens, &shown.into(), digits, false);
            let code = container(code).padding(Padding::ZERO.right(space::M));
            wheel(Part::File, code::line_height(), column![code].width(Length::Fill))
        });
        let cut = is_cut.then(|| {
            let words = "The file goes on; it is too long to be shown here whole.";
            container(line(words, type_scale::SMALL, font::REGULAR, tokens.orange))
                .padding([space::XS, space::L])
        });
        let ground = tokens.terminal.background();
        let drawn = container(drawn)
            .padding(Padding::ZERO.top(space::S))
            .height(Length::Fill)
            .style(move |_| style::surface(ground));
        column![drawn].push(cut).into()
    }
}

fn nothing<'a>(tokens: &'static Tokens, what: &str) -> Element<'a, Message> {
    page::empty(tokens, Icon::Ring, what, "", &[("o", "open elsewhere")])
}

/// What is to be known of a file.
fn facts(loaded: &Loaded) -> String {
    let mut facts = Vec::new();
    match &loaded.body {
        Body::Code(lines, is_cut) => {
            let more = if *is_cut { " and more" } else { "" };
            facts.push(format!("{}{more} lines", lines.len()));
        }
        Body::Words(_, lines) => facts.push(format!("{} lines", lines.len())),
        Body::Picture(_) | Body::Other(_) => {}
    }
    facts.push(text::size(loaded.stamp.size()));
    if loaded.leads.is_some() {
        facts.push("leads out of the directory".to_owned());
    }
    facts.join(" · ")
}

/// Two sides wrote into the same lines.
fn torn<'a>(tokens: &'static Tokens, open: &'a Open) -> Option<Element<'a, Message>> {
    let _ = open.writing.as_ref()?.theirs.as_ref()?;
    let words = "Somebody else wrote into the same lines. What gives way comes back with Undo.";
    let content = row![
        icon(Icon::Warning, extent::GLYPH, tokens.orange),
        container(part::paragraph(words.to_owned(), type_scale::BASE, font::REGULAR, tokens.text))
            .width(Length::Fill),
        page::hint(tokens, "↵", "keep yours"),
        page::hint(tokens, "Esc", "take the other"),
    ]
    .spacing(space::S)
    .align_y(Alignment::Center)
    .padding([space::S, space::L]);
    let edge = Color { a: 0.4, ..tokens.orange };
    let content = container(content)
        .width(Length::Fill)
        .style(move |_| style::bordered(tokens.raised, edge, 0.0));
    Some(content.into())
}

/// Something that the wheel moves, by rows of this height.
fn wheel<'a>(part: Part, height: f32, rows: Column<'a, Message>) -> Element<'a, Message> {
    let area = mouse_area(container(rows).height(Length::Fill).clip(true));
    let area = match part {
        Part::List => area,
        Part::File => area.on_press(Message::Files(Own::Pressed)),
    };
    area.on_scroll(move |delta| Message::Files(Own::Wheel(part, page::rows_turned(delta, height))))
        .into()
}

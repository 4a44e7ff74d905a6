//! What the session browser looks like.

use std::ops::Range;

use iced::widget::{button, column, container, mouse_area, rich_text, row, span, text, text_input};
use iced::{Alignment, Color, Element, Font, Length, Padding, Size};
use maestro_core::keymap::Keymap;
use maestro_core::session::{Hit, Session};
use maestro_core::text::{clean, is_harmful};
use maestro_ui::icon::{Icon, icon};
use maestro_ui::theme::{Tokens, extent, radius, space, type_scale};
use maestro_ui::{font, line, part, style};

use super::said::{Said, Who};
use super::{Browser, Deed, EDIT, Field, INPUT, Message, Preview, Toggle};
use crate::window::ago;

/// Height of a row of the list.
const ROW: f32 = 50.0;

/// A font that no letter is drawn in. A word whose end has its paragraph's own font is drawn as it begins
/// (cosmic-text 0.15 passes over such ends), so no part of a text may have that one.
const NONE: Font = font::ICONS;

/// Width of the browser, at most.
pub const WIDTH: f32 = 1180.0;

/// Below this width there is no preview.
const BOTH: f32 = 860.0;

/// How wide the words are that stand in place of a list.
const NOTHING: f32 = 480.0;

/// Below this width not all keys have place.
const NARROW: f32 = 720.0;

/// Below this width what is needed least has no place.
const ALL: f32 = 1_120.0;

/// What is above and below the list: input, filters, footer and the lines between.
const FRAME: f32 = 46.0 + 38.0 + 40.0 + 3.0;

impl Browser {
    /// How many rows fit into a window.
    #[must_use]
    pub fn rows(window: Size) -> usize {
        ((height(window) - FRAME) / ROW).floor().max(1.0) as usize
    }

    /// The browser, in a window of this size.
    #[must_use]
    pub fn view(
        &self,
        tokens: &'static Tokens,
        keymap: &Keymap,
        window: Size,
    ) -> Element<'_, Message> {
        let shown = Self::rows(window);
        // The marked row is in sight, and as little as possible moves.
        let top =
            self.top.clamp((self.marked + 1).saturating_sub(shown), self.marked.max(self.top));
        let top = if self.marked < top { self.marked } else { top };
        let rows = self.hits.iter().enumerate().skip(top).take(shown);
        let rows = rows.map(|(at, hit)| self.row(tokens, at, hit));
        let list = mouse_area(column(rows)).on_scroll(|delta| Message::Scrolled(wheel(delta)));
        let list = container(list).width(Length::Fill);
        let width = (window.width - 2.0 * space::XL).min(WIDTH);
        let body: Element<'_, Message> = if self.hits.is_empty() {
            let nothing = container(self.nothing(tokens)).max_width(NOTHING);
            container(nothing).padding(space::L).center(Length::Fill).clip(true).into()
        } else if width >= BOTH {
            let list = container(list).width(width * 0.42).height(Length::Fill);
            row![list, part::upright(tokens), self.preview(tokens)].into()
        } else {
            container(list).height(Length::Fill).into()
        };
        column![
            self.head(tokens),
            self.filters(tokens, keymap, width),
            part::rule(tokens),
            body,
            part::rule(tokens),
            self.foot(tokens, keymap, width),
        ]
        .height(height(window))
        .into()
    }

    fn head(&self, tokens: &'static Tokens) -> Element<'_, Message> {
        let (size, line_height) = type_scale::LARGE;
        let placeholder = "Find a conversation by what was said in it…";
        let input = text_input(placeholder, &self.query)
            .id(INPUT)
            .on_input(Message::Queried)
            .size(size)
            .line_height(text::LineHeight::Absolute(line_height.into()))
            .font(font::REGULAR)
            .padding([12.0, space::S])
            .style(style::bare_input(tokens));
        let glass = icon(Icon::Search, extent::GLYPH, tokens.faint);
        row![glass, input, line(self.count(), type_scale::SMALL, font::REGULAR, tokens.faint)]
            .spacing(space::S)
            .padding([0.0, space::L])
            .height(46.0)
            .align_y(Alignment::Center)
            .into()
    }

    /// How many there are, and how far the index is.
    fn count(&self) -> String {
        let found = match self.total.unwrap_or(self.hits.len() as u64) {
            1 => "1 session".to_owned(),
            count => format!("{} sessions", grouped(count)),
        };
        let (done, total) = (self.indexing.done_bytes, self.indexing.total_bytes);
        match done.saturating_mul(100).checked_div(total) {
            Some(percent) if !self.indexing.complete => {
                format!("{found} so far · reading {} %", percent.min(99))
            }
            _ => found,
        }
    }

    fn filters(
        &self,
        tokens: &'static Tokens,
        keymap: &Keymap,
        width: f32,
    ) -> Element<'_, Message> {
        use maestro_core::command::Id;
        let filter = &self.asked.filter;
        let provider = match &filter.providers[..] {
            [] => "every provider".to_owned(),
            [one] => one.title().to_owned(),
            several => format!("{} providers", several.len()),
        };
        let here = match (&filter.directory, &self.place.here) {
            (Some(directory), Some(here)) if directory == here => "this directory".to_owned(),
            (Some(directory), _) => directory.file_name().map_or_else(
                || directory.display().to_string(),
                |name| clean(&name.to_string_lossy(), 40),
            ),
            (None, _) => "everywhere".to_owned(),
        };
        let chip = |label: String, on: bool, toggle: Toggle, id: Id| {
            let (ink, edge) =
                if on { (tokens.accent, tokens.accent) } else { (tokens.dim, tokens.strong) };
            let chord = keymap.title(id).filter(|_| width >= BOTH).map(|chord| {
                line(part::spaced(&chord), type_scale::TINY, font::MONO, tokens.faint)
            });
            let content = row![line(label, type_scale::SMALL, font::REGULAR, ink)]
                .push(chord)
                .spacing(6.0)
                .align_y(Alignment::Center);
            button(
                container(content)
                    .padding([1.0, 8.0])
                    .style(move |_| style::bordered(Color::TRANSPARENT, edge, radius::PALETTE)),
            )
            .padding(0)
            .style(style::row(tokens, false))
            .on_press(Message::Toggled(toggle))
        };
        // What can only be typed.
        let typed = (width >= ALL).then(|| {
            let words = "also  branch:  tag:  since:7d  until:2026-01-31";
            container(line(words, type_scale::SMALL, font::REGULAR, tokens.faint))
                .padding([2.0, space::XS])
        });
        let chips = row![
            chip(provider, !filter.providers.is_empty(), Toggle::Provider, Id::SessionProvider),
            chip(here, filter.directory.is_some(), Toggle::Here, Id::SessionHere),
            chip("starred".to_owned(), filter.starred, Toggle::Starred, Id::SessionStarred),
            chip("tool output".to_owned(), self.asked.tools, Toggle::Tools, Id::SessionTools),
            chip("trash".to_owned(), filter.trashed, Toggle::Trashed, Id::SessionTrashed),
        ]
        .push(typed)
        .spacing(space::S);
        container(chips.wrap())
            .height(38.0)
            .padding(Padding::ZERO.left(space::L).right(space::L).top(2.0))
            .clip(true)
            .into()
    }

    fn nothing(&self, tokens: &'static Tokens) -> Element<'_, Message> {
        let (title, words) = if let Some(error) = &self.error {
            ("That did not work".to_owned(), part::sentence(error))
        } else if let Some(wrong) = self.asked.wrong.first() {
            let words = "Try provider:codex, in:~/src, branch:main, tag:x, since:7d, \
                         until:2026-01-31, is:starred, is:trashed or tools:yes.";
            (format!("“{}” narrows nothing", clean(wrong, 60)), words.to_owned())
        } else if !self.answered {
            ("Looking…".to_owned(), String::new())
        } else if self.asked.filter.trashed {
            let words = "What you move there can be brought back at any time.";
            ("The trash is empty".to_owned(), words.to_owned())
        } else if self.query.trim().is_empty() {
            let words = "Every conversation that Claude Code, Codex, OpenCode, Droid, Copilot or \
                         Gemini stores on this machine is listed here, also from before Maestro.";
            ("No conversations yet".to_owned(), words.to_owned())
        } else {
            let words = "Fewer words find more. Tool output is looked through only when asked for.";
            ("Nobody said that".to_owned(), words.to_owned())
        };
        let said = |words: String, (size, height): type_scale::Step, face, ink| {
            text(words)
                .size(size)
                .line_height(text::LineHeight::Absolute(height.into()))
                .font(face)
                .color(ink)
                .center()
        };
        let glyph = if self.asked.filter.trashed { Icon::Check } else { Icon::Search };
        column![
            icon(glyph, 28.0, tokens.faint),
            said(title, type_scale::LARGE, font::MEDIUM, tokens.text),
            said(words, type_scale::BASE, font::REGULAR, tokens.dim),
        ]
        .spacing(space::M)
        .align_x(Alignment::Center)
        .into()
    }

    fn row<'a>(&self, tokens: &'static Tokens, at: usize, hit: &'a Hit) -> Element<'a, Message> {
        let (session, marked) = (&hit.session, at == self.marked);
        let face = if marked { font::SEMIBOLD } else { font::MEDIUM };
        let title = line(clean(&session.title, 200), type_scale::BASE, face, tokens.text).fill();
        let about: Element<'a, Message> = if hit.excerpt.is_empty() {
            line(about(session), type_scale::SMALL, font::REGULAR, tokens.faint).fill().into()
        } else {
            excerpt(tokens, hit)
        };
        let star =
            session.starred.then(|| line("★", type_scale::SMALL, font::REGULAR, tokens.accent));
        let open = session.open_in.is_some().then(|| part::pill(tokens, "open", false));
        let when = ago::since(session.used_ms, self.now_ms);
        // Without an excerpt the second line says where it was.
        let project = project(session).filter(|_| !hit.excerpt.is_empty());
        let when = line(
            project.map_or_else(|| when.clone(), |project| format!("{project} · {when}")),
            type_scale::SMALL,
            font::REGULAR,
            tokens.faint,
        );
        let first = row![title].push(star).push(open).push(when).spacing(space::S);
        let tags = (!session.tags.is_empty()).then(|| {
            let tags: Vec<String> = session.tags.iter().map(|tag| format!("#{tag}")).collect();
            let words = clean(&tags.join(" "), 60);
            container(line(words, type_scale::TINY, font::REGULAR, tokens.blue)).max_width(140.0)
        });
        let second = row![about].push(tags).spacing(space::S).align_y(Alignment::Center);
        let content = container(column![first, second])
            .width(Length::Fill)
            .height(Length::Fill)
            .align_y(Alignment::Center)
            .padding(Padding::ZERO.left(space::L - extent::BAR).right(space::M));
        let bar = if marked { tokens.accent } else { Color::TRANSPARENT };
        button(row![part::filled(bar, Length::Fixed(extent::BAR), Length::Fill), content])
            .padding(0)
            .height(ROW)
            .width(Length::Fill)
            .style(style::row(tokens, marked))
            .on_press(Message::Picked(at))
            .into()
    }

    fn preview(&self, tokens: &'static Tokens) -> Element<'_, Message> {
        let Some(hit) = self.hits.get(self.marked) else {
            return container("").width(Length::Fill).height(Length::Fill).into();
        };
        let session = &hit.session;
        let facts = [
            Some(session.provider.title().to_owned()),
            session.model.as_deref().map(|model| clean(model, 40)),
            session.branch.as_deref().map(|branch| clean(branch, 60)),
            Some(prompts(session.prompts)),
        ];
        let facts: Vec<String> = facts.into_iter().flatten().collect();
        let place = session.directory.as_deref().map(|path| clean(&path.to_string_lossy(), 200));
        let head = column![
            line(clean(&session.title, 200), type_scale::LARGE, font::SEMIBOLD, tokens.text).fill(),
            line(facts.join(" · "), type_scale::SMALL, font::REGULAR, tokens.dim).fill(),
            line(place.unwrap_or_default(), type_scale::SMALL, font::REGULAR, tokens.faint).fill(),
        ];
        let said: Element<'_, Message> = match &self.preview {
            Some(preview) => self.said(tokens, preview, hit.entry),
            None => container("").into(),
        };
        let said = mouse_area(container(said).width(Length::Fill).height(Length::Fill).clip(true))
            .on_scroll(|delta| Message::Leafed(wheel(delta)));
        column![container(head).padding([space::M, space::L]), part::rule(tokens), said]
            .width(Length::Fill)
            .height(Length::Fill)
            .into()
    }

    fn said<'a>(
        &self,
        tokens: &'static Tokens,
        preview: &'a Preview,
        here: Option<u64>,
    ) -> Element<'a, Message> {
        let parts = preview.said.iter().skip(self.below);
        let parts = parts.map(|part| said(tokens, part, here == Some(part.n)));
        let more = (preview.end < preview.total).then(|| {
            let words = format!("{} more", grouped(preview.total - preview.end));
            line(words, type_scale::SMALL, font::REGULAR, tokens.faint)
        });
        column(parts).push(more).spacing(space::M).padding([space::M, space::L]).into()
    }

    fn foot(&self, tokens: &'static Tokens, keymap: &Keymap, width: f32) -> Element<'_, Message> {
        use maestro_core::command::Id;
        let quiet = |words: String, ink| line(words, type_scale::SMALL, font::REGULAR, ink);
        if let Some(editing) = &self.editing {
            let (label, placeholder) = match editing.what {
                Field::Title => ("Title", "the provider's own"),
                Field::Tags => ("Tags", "flaky payments"),
            };
            let input = text_input(placeholder, &editing.text)
                .id(EDIT)
                .on_input(Message::Edited)
                .size(type_scale::BASE.0)
                .font(font::REGULAR)
                .padding([4.0, 8.0])
                .style(style::input(tokens, false));
            return row![
                quiet(label.to_owned(), tokens.dim),
                input,
                part::chord(tokens, "↵"),
                quiet("keep".to_owned(), tokens.faint),
                part::chord(tokens, "Esc"),
            ]
            .spacing(space::S)
            .padding([0.0, space::L])
            .height(40.0)
            .align_y(Alignment::Center)
            .into();
        }
        if let Some(error) = self.error.as_ref().filter(|_| !self.hits.is_empty()) {
            return container(quiet(part::sentence(error), tokens.red).fill())
                .padding([0.0, space::L])
                .height(40.0)
                .align_y(Alignment::Center)
                .into();
        }
        let key = |deed: Deed, id: Option<Id>, chord: &str, label: &str| {
            let title = id.map_or_else(|| Some(chord.to_owned()), |id| keymap.title(id));
            title.map(|title| {
                let content =
                    row![part::chord(tokens, &title), quiet(label.to_owned(), tokens.faint)];
                mouse_area(content.spacing(space::XS).align_y(Alignment::Center))
                    .on_press(Message::Do(deed))
            })
        };
        if let Some((_, title)) = &self.trashed {
            let words = format!("“{title}” is in the trash.");
            return row![quiet(words, tokens.text).fill()]
                .push(key(Deed::Undo, Some(Id::SessionUndo), "", "bring it back"))
                .spacing(space::L)
                .padding([0.0, space::L])
                .height(40.0)
                .align_y(Alignment::Center)
                .into();
        }
        if self.hits.is_empty() {
            return container(
                row![part::chord(tokens, "Esc"), quiet("close".to_owned(), tokens.faint)]
                    .spacing(space::XS),
            )
            .padding([10.0, space::L])
            .height(40.0)
            .into();
        }
        let wide = width >= BOTH;
        let trash = if self.asked.filter.trashed { "bring back" } else { "trash" };
        let keys = [
            key(Deed::Resume, None, "↵", "resume"),
            key(Deed::Converse, Some(Id::SessionConverse), "", "as conversation"),
            key(Deed::Branch, Some(Id::SessionBranch), "", "in a worktree"),
            key(Deed::Star, Some(Id::SessionStar), "", "star").filter(|_| width >= NARROW),
            key(Deed::Title, Some(Id::SessionTitle), "", "title").filter(|_| wide),
            key(Deed::Tags, Some(Id::SessionTags), "", "tags").filter(|_| wide),
            key(Deed::CopyId, Some(Id::SessionCopy), "", "copy id").filter(|_| wide),
            key(Deed::Trash, Some(Id::SessionTrash), "", trash),
            key(Deed::Open, Some(Id::SessionOpen), "", "file").filter(|_| width >= ALL),
        ];
        let keys = keys.into_iter().flatten().map(Element::from);
        container(row(keys).spacing(space::L).align_y(Alignment::Center))
            .padding([0.0, space::L])
            .height(40.0)
            .width(Length::Fill)
            .align_y(Alignment::Center)
            .clip(true)
            .into()
    }
}

fn height(window: Size) -> f32 {
    (window.height - 96.0).clamp(FRAME + ROW, 900.0)
}

fn wheel(delta: iced::mouse::ScrollDelta) -> i32 {
    match delta {
        iced::mouse::ScrollDelta::Lines { y, .. } => -y.round() as i32,
        iced::mouse::ScrollDelta::Pixels { y, .. } => -(y / ROW).round() as i32,
    }
}

/// `12345` as people write it: `12 345`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

fn prompts(count: u32) -> String {
    match count {
        1 => "1 prompt".to_owned(),
        count => format!("{} prompts", grouped(u64::from(count))),
    }
}

/// The last part of the directory it worked in.
fn project(session: &Session) -> Option<String> {
    let name = session.directory.as_deref()?.file_name()?;
    Some(clean(&name.to_string_lossy(), 40))
}

/// Where a session belongs, in one line.
fn about(session: &Session) -> String {
    let parts = [
        Some(session.provider.title().to_owned()),
        project(session),
        session.branch.as_deref().map(|branch| clean(branch, 60)),
        Some(prompts(session.prompts)),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// The text around a match, with the match in the accent.
fn excerpt<'a>(tokens: &'static Tokens, hit: &'a Hit) -> Element<'a, Message> {
    let marks = hit.marks.iter().map(|(from, to)| *from as usize..*to as usize);
    container(
        rich_text(marked(tokens, &hit.excerpt, marks, tokens.dim, font::REGULAR))
            .size(type_scale::SMALL.0)
            .line_height(text::LineHeight::Absolute(type_scale::SMALL.1.into()))
            .wrapping(text::Wrapping::None)
            .font(NONE),
    )
    .width(Length::Fill)
    .height(type_scale::SMALL.1)
    .clip(true)
    .into()
}

/// A text whose marked ranges stand out. Ranges that are none of this text are passed over.
fn marked(
    tokens: &'static Tokens,
    words: &str,
    marks: impl Iterator<Item = Range<usize>>,
    ink: Color,
    face: Font,
) -> Vec<text::Span<'static, ()>> {
    let mut spans = Vec::new();
    let mut at = 0;
    for mark in marks {
        let (Some(before), Some(inside)) = (words.get(at..mark.start), words.get(mark.clone()))
        else {
            continue;
        };
        if !before.is_empty() {
            spans.push(span(clean_keeping(before)).color(ink).font(face));
        }
        spans.push(span(clean_keeping(inside)).color(tokens.accent).font(font::SEMIBOLD));
        at = mark.end;
    }
    if let Some(rest) = words.get(at..).filter(|rest| !rest.is_empty()) {
        spans.push(span(clean_keeping(rest)).color(ink).font(face));
    }
    spans
}

/// Without what could make it look other than it is; blanks at its ends stay.
fn clean_keeping(words: &str) -> String {
    words.chars().filter(|c| *c == '\n' || !is_harmful(*c)).collect()
}

/// An entry of a preview.
fn said<'a>(tokens: &'static Tokens, said: &'a Said, here: bool) -> Element<'a, Message> {
    let ink = match said.who {
        Who::You | Who::Agent => tokens.text,
        Who::Tool | Who::Note => tokens.dim,
        Who::Failed => tokens.red,
    };
    let marks = said.marks.iter().cloned();
    let face = if said.who == Who::Tool { font::MONO } else { font::REGULAR };
    let step = if said.who == Who::Tool { type_scale::SMALL } else { type_scale::BASE };
    let words = rich_text(marked(tokens, &said.text, marks, ink, face))
        .size(step.0)
        .line_height(text::LineHeight::Absolute(step.1.into()))
        .wrapping(text::Wrapping::WordOrGlyph)
        .font(NONE);
    let label = line(said.label.as_str(), type_scale::TINY, font::MEDIUM, tokens.faint).fill();
    let ground = if said.who == Who::You { tokens.hover } else { Color::TRANSPARENT };
    let edge = if here { tokens.accent } else { Color::TRANSPARENT };
    container(column![label, words])
        .width(Length::Fill)
        .padding([space::S, space::M])
        .style(move |_| style::bordered(ground, edge, radius::CARD))
        .into()
}

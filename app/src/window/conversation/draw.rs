//! Pieces of entries as widgets.

use iced::widget::{Space, button, column, container, image, mouse_area, row};
use iced::{Alignment, Border, Color, Element, Length, Padding, mouse};
use maestro_core::conversation::export::{answered, asked, duration, end, lines_changed};
use maestro_core::conversation::{
    Answer, Body, ChangeKind, Entry, Prompt, Request, TabState, Todo, TodoState, Tool, ToolKind,
    ToolState,
};
use maestro_core::text as foreign;
use maestro_core::turn::{Failure, FailureKind};
use maestro_ui::icon::{Icon, icon};
use maestro_ui::select::Seat;
use maestro_ui::slice::{Look, slice};
use maestro_ui::theme::{Tokens, extent, radius, space, type_scale};
use maestro_ui::words::Word;
use maestro_ui::{aside, code, font, line, part, status, style};

use super::item::{Code, Fold, Lines, Piece};
use super::picture::Shown;
use super::words::{self, Pen};
use super::{Context, Message, View, texts};

/// Between the marker of the entry that is gone to and what it says.
pub const MARK: f32 = 8.0;

/// How far what an agent's own agent does is moved in.
const CHILD: f32 = 18.0;

/// The side of a small picture.
const THUMB: f32 = 84.0;

/// Draws pieces of one entry.
pub struct Drawer<'a> {
    pub view: &'a View,
    pub context: Context<'a>,
    pub entry: &'a Entry,
    pub fold: Fold,
    /// Which of its pieces.
    pub part: usize,
    /// Whether it is the one that the keyboard is on.
    pub marked: bool,
    /// Whether it is the first that is here.
    pub first: bool,
}

impl<'a> Drawer<'a> {
    fn tokens(&self) -> &'static Tokens {
        self.context.tokens
    }

    fn pen(&self, ink: Color) -> Pen<'a> {
        let place = (self.view, self.entry.n, self.part);
        Pen { tokens: self.tokens(), ink, find: self.view.looked_for(), place }
    }

    /// A piece, with the marker at its left and the distance to what is above.
    pub fn piece(&self, piece: &Piece) -> Element<'a, Message> {
        let (tokens, part) = (self.tokens(), self.part);
        let above = self.above(part, piece);
        let content = self.content(piece);
        let child = match &self.entry.body {
            Body::Tool(tool) if tool.parent.is_some() => CHILD,
            _ => 0.0,
        };
        let bar = if self.marked { tokens.accent } else { Color::TRANSPARENT };
        // Between the pieces of an entry its marker has no gaps.
        let (outside, inside) = if part == 0 { (above, 0.0) } else { (0.0, above) };
        let content =
            container(content).padding(Padding::ZERO.top(inside).left(child)).width(Length::Fill);
        let content = aside(content, bar, extent::BAR, MARK - extent::BAR);
        container(content).padding(Padding::ZERO.top(outside)).into()
    }

    fn above(&self, part: usize, piece: &Piece) -> f32 {
        if part == 0 {
            return match &self.entry.body {
                Body::Prompt(_) if self.first => 0.0,
                Body::Prompt(_) => space::XL,
                Body::Ended(_) => space::S,
                Body::Notice(_) | Body::Request { .. } => space::S,
                _ => space::M,
            };
        }
        match piece {
            // Blocks bring their own.
            Piece::Code(code) if code.ends.0 => space::S,
            Piece::Rows(_, rows) if rows.start == 0 => space::S,
            _ => 0.0,
        }
    }

    /// The place of a text of this piece among those that can be selected.
    fn seat(&self, index: usize) -> Option<Seat> {
        Some(self.view.seat(self.entry.n, self.part, index))
    }

    fn content(&self, piece: &Piece) -> Element<'a, Message> {
        match (piece, &self.entry.body) {
            (Piece::Prompt(words, more), Body::Prompt(prompt)) => self.prompt(prompt, words, *more),
            (Piece::Block(block), Body::Thinking(_)) => {
                let words = self.pen(self.tokens().dim).block(block);
                aside(words, self.tokens().border, extent::BAR, space::M)
            }
            (Piece::Block(block), _) => self.pen(self.tokens().text).block(block),
            (Piece::Rows(block, rows), _) => {
                let pen = self.pen(self.tokens().text);
                match &block.body {
                    maestro_core::markdown::Body::Table(table) => pen.table(table, rows.clone()),
                    _ => Space::new().into(),
                }
            }
            (Piece::Code(code), _) => self.code(code),
            (Piece::Thought(lines), _) => self.thought(*lines),
            (Piece::Head(more), Body::Tool(tool)) => self.tool(tool, *more),
            (Piece::Head(_), _) => self.raw(),
            (Piece::Path(at), Body::Tool(tool)) => self.path(tool, *at),
            (Piece::Lines(lines), _) => self.lines(lines),
            (Piece::More(count), _) => self.more(*count),
            (Piece::Filtered(lines), _) => self.filtered(lines),
            (_, Body::Todo(todos)) => self.todo(todos),
            (_, Body::Request { request, answer }) => self.request(request, answer.as_ref()),
            (_, Body::Notice(words)) => self.notice(words),
            (_, Body::Failed(failure)) => self.failed(failure),
            (_, Body::Ended(ended)) => {
                let words = line(end(ended), type_scale::TINY, font::REGULAR, self.tokens().faint);
                row![words, words::hairline(self.tokens())]
                    .spacing(space::M)
                    .align_y(Alignment::Center)
                    .into()
            }
            _ => Space::new().into(),
        }
    }

    /// A prompt in a bubble at the right, where what oneself said is.
    fn prompt(&self, prompt: &Prompt, words: &str, more: usize) -> Element<'a, Message> {
        let (tokens, part) = (self.tokens(), self.part);
        let said = mentioned(tokens, words, self.view.looked_for());
        let words = maestro_ui::words(tokens, said, type_scale::BASE).seat(self.seat(0));
        let n = self.entry.n;
        let more = (more > 0)
            .then(|| part::word(tokens, &format!("Show {more} more lines"), Message::Toggled(n)));
        let read_only = (prompt.read_only && part == 0)
            .then(|| line("read-only", type_scale::TINY, font::MEDIUM, tokens.dim));
        let images = (part == 0 && !prompt.images.is_empty()).then(|| self.images(prompt));
        let content =
            column![].push(read_only).push(words).push(images).push(more).spacing(space::XS);
        let edge = Color { a: 0.28, ..tokens.accent };
        let bubble = container(content)
            .padding([space::S, space::M])
            .max_width(640.0)
            .style(move |_| style::bordered(tokens.accent_background, edge, radius::CARD));
        container(bubble)
            .align_right(Length::Fill)
            .padding(Padding::ZERO.left(space::XXL * 2.0))
            .into()
    }

    fn images(&self, prompt: &Prompt) -> Element<'a, Message> {
        let tokens = self.tokens();
        let picture = |kept: &maestro_core::conversation::Image| -> Element<'a, Message> {
            match self.view.picture(&kept.path) {
                Some(Shown::Here { handle, width, height }) => {
                    let (width, height) = (*width as f32, *height as f32);
                    let scale =
                        (THUMB / height.max(1.0)).min(2.4 * THUMB / width.max(1.0)).min(1.0);
                    let picture = image(handle.clone())
                        .width(width * scale)
                        .height(height * scale)
                        .border_radius(radius::CHORD);
                    picture.into()
                }
                _ => {
                    let name = kept.path.file_name().unwrap_or_default().to_string_lossy();
                    part::pill(tokens, foreign::clean(&name, 40), false)
                }
            }
        };
        let pictures = prompt.images.iter().take(12).map(picture);
        row(pictures).spacing(space::S).align_y(Alignment::End).wrap().into()
    }

    fn look(&self, top: bool, bottom: bool, fill: Color) -> Look {
        let tokens = self.tokens();
        Look { fill, line: tokens.border, radius: radius::CARD, top, bottom }
    }

    /// Lines of a code block; above the first what language it is, and how it is copied.
    fn code(&self, piece: &Code) -> Element<'a, Message> {
        let tokens = self.tokens();
        let (first, last) = piece.ends;
        let number = piece.number;
        let head = first.then(|| {
            let language = match &piece.block.body {
                maestro_core::markdown::Body::Code { language, .. } => foreign::clean(language, 24),
                _ => String::new(),
            };
            let language = if language.is_empty() { "text".to_owned() } else { language };
            let n = self.entry.n;
            let key = (self.marked && self.context.focused && number <= 9)
                .then(|| part::chord(tokens, &number.to_string()));
            let copy = button(line("Copy", type_scale::TINY, font::MEDIUM, tokens.dim))
                .padding([1.0, 6.0])
                .style(style::row(tokens, false))
                .on_press(Message::CodeCopied(n, number));
            row![line(language, type_scale::TINY, font::MONO, tokens.faint).fill()]
                .push(key)
                .push(copy)
                .spacing(space::XS)
                .align_y(Alignment::Center)
                .height(26.0)
                .padding(Padding::ZERO.left(space::M).right(space::XS))
        });
        let lines = code(tokens, &piece.lines, 0, false).seat(self.seat(0));
        let room = Padding::ZERO.bottom(if last { space::S } else { 0.0 });
        let body = column![].push(head).push(container(lines).padding(room));
        let body = slice(body, self.look(first, last, tokens.terminal.background()));
        let mut block = maestro_core::markdown::Block::clone(&piece.block);
        if block.inside.is_empty() {
            return body;
        }
        // The distance is there already, and the marker stands at the first lines only.
        block.body = maestro_core::markdown::Body::Rule;
        block.apart = false;
        block.marker = block.marker.filter(|_| first);
        self.pen(tokens.text).inside(&block, body)
    }

    fn thought(&self, lines: usize) -> Element<'a, Message> {
        let tokens = self.tokens();
        let words = match lines {
            1 => "Thought · 1 line".to_owned(),
            _ => format!("Thought · {lines} lines"),
        };
        let words = row![
            icon(Icon::Ring, 10.0, tokens.faint),
            line(words, type_scale::SMALL, font::REGULAR, tokens.faint),
            line("▸", type_scale::SMALL, font::REGULAR, tokens.faint),
        ]
        .push(self.folded_away())
        .spacing(space::S)
        .align_y(Alignment::Center);
        self.pressable(words.into())
    }

    /// How many matches are in a card that are not marked in it; the next step of the search unfolds it.
    fn folded_away(&self) -> Option<Element<'a, Message>> {
        let tokens = self.tokens();
        let count = self.view.folded_away(self.entry);
        let words = match count {
            0 => return None,
            1 => "1 match".to_owned(),
            count => format!("{count} matches"),
        };
        let words = line(words, type_scale::TINY, font::MEDIUM, tokens.text);
        let fill = Color { a: 0.38, ..tokens.accent };
        let pill = container(words).padding([1.0, 6.0]).style(move |_| {
            let border = Border { radius: radius::CHORD.into(), ..Border::default() };
            iced::widget::container::Style { border, ..style::surface(fill) }
        });
        Some(pill.into())
    }

    /// Something that unfolds its entry when it is pressed.
    fn pressable(&self, content: Element<'a, Message>) -> Element<'a, Message> {
        mouse_area(content)
            .interaction(mouse::Interaction::Pointer)
            .on_press(Message::Toggled(self.entry.n))
            .into()
    }

    /// The header of a tool's card: how far it is, what it is, what it works on, what came of it.
    fn tool(&self, tool: &Tool, more: bool) -> Element<'a, Message> {
        let tokens = self.tokens();
        let (shape, ink) = state(tokens, tool);
        let glyph = status::glyph(tokens, (shape, ink), 12.0, self.context.turning);
        let title = foreign::clean(&tool.title, 400);
        let mut content = row![
            glyph,
            line(kind(tool), type_scale::BASE, font::SEMIBOLD, tokens.text),
            words::mono(title, tokens.dim),
        ];
        let (added, removed) = lines_changed(tool);
        for (sign, count, ink) in [("+", added, tokens.green), ("−", removed, tokens.red)] {
            if count > 0 {
                let words = format!("{sign}{count}");
                content = content.push(line(words, type_scale::SMALL, font::REGULAR, ink));
            }
        }
        content = content.push(self.folded_away());
        if let Some((words, ink)) = outcome(tokens, tool) {
            content = content.push(line(words, type_scale::SMALL, font::REGULAR, ink));
        }
        if let Some(took) = took(tool, self.context.now_ms) {
            content = content.push(line(took, type_scale::SMALL, font::REGULAR, tokens.faint));
        }
        let open = more && self.fold != Fold::Folded;
        if more {
            let arrow = if open { "▾" } else { "▸" };
            content = content.push(line(arrow, type_scale::SMALL, font::REGULAR, tokens.faint));
        }
        let content = content
            .spacing(space::S)
            .align_y(Alignment::Center)
            .height(extent::CARD_HEADER)
            .padding([0.0, space::M]);
        let alone = self.view.pieces(self.entry) <= self.part + 1;
        let card = slice(content, self.look(true, alone, tokens.raised));
        if more { self.pressable(card) } else { card }
    }

    fn raw(&self) -> Element<'a, Message> {
        let tokens = self.tokens();
        let words = match &self.entry.body {
            Body::Raw(raw) => foreign::clean(raw, 200),
            _ => String::new(),
        };
        let open = self.fold == Fold::Open;
        let content = row![
            icon(Icon::DashedRing, 12.0, tokens.faint),
            line("Not understood", type_scale::SMALL, font::MEDIUM, tokens.faint),
            words::mono(words, tokens.faint),
            line(if open { "▾" } else { "▸" }, type_scale::SMALL, font::REGULAR, tokens.faint),
        ]
        .spacing(space::S)
        .align_y(Alignment::Center)
        .height(extent::ROW)
        .padding([0.0, space::M]);
        let alone = self.view.pieces(self.entry) <= 1;
        self.pressable(slice(content, self.look(true, alone, tokens.panel)))
    }

    fn path(&self, tool: &Tool, at: usize) -> Element<'a, Message> {
        let tokens = self.tokens();
        let Some(change) = tool.changes.get(at) else { return Space::new().into() };
        let word = match change.kind {
            ChangeKind::Add => "new",
            ChangeKind::Update => "changed",
            ChangeKind::Delete => "deleted",
        };
        let content = row![
            words::mono(foreign::clean(&change.path, 400), tokens.text),
            line(word, type_scale::TINY, font::REGULAR, tokens.faint),
            line(format!("+{}", change.added), type_scale::TINY, font::REGULAR, tokens.green),
            line(format!("−{}", change.removed), type_scale::TINY, font::REGULAR, tokens.red),
        ]
        .spacing(space::S)
        .align_y(Alignment::Center)
        .height(26.0)
        .padding([0.0, space::M]);
        let content = column![part::rule(tokens), content];
        slice(content, self.look(false, false, tokens.panel))
    }

    fn lines(&self, lines: &Lines) -> Element<'a, Message> {
        let tokens = self.tokens();
        let content = code(tokens, &lines.lines, lines.digits, lines.signs).seat(self.seat(0));
        let room = Padding::ZERO
            .top(if lines.begins { space::S - 2.0 } else { 0.0 })
            .bottom(if lines.last { space::S } else { 0.0 });
        let rule = lines.begins.then(|| part::rule(tokens));
        let content = column![].push(rule).push(container(content).padding(room));
        slice(content, self.look(false, lines.last, tokens.terminal.background()))
    }

    /// The end of a card of which there is more.
    fn more(&self, count: usize) -> Element<'a, Message> {
        let tokens = self.tokens();
        let fill = tokens.terminal.background();
        if count == 0 {
            return slice(Space::new().height(space::XS), self.look(false, true, fill));
        }
        let words = match count {
            1 => "Show 1 more line".to_owned(),
            _ => format!("Show {count} more lines"),
        };
        let words = part::word(tokens, &words, Message::Toggled(self.entry.n));
        let content = container(words).padding(Padding {
            top: space::XS,
            right: space::M,
            bottom: space::S - 2.0,
            left: space::S + 2.0,
        });
        slice(content, self.look(false, true, fill))
    }

    /// Lines that fit a filter, under what they are from.
    fn filtered(&self, lines: &Lines) -> Element<'a, Message> {
        let tokens = self.tokens();
        let label = lines.begins.then(|| {
            let words = match &self.entry.body {
                Body::Prompt(_) => "You".to_owned(),
                Body::Text(_) => "Answer".to_owned(),
                Body::Thinking(_) => "Thinking".to_owned(),
                Body::Tool(tool) => format!("{} {}", kind(tool), foreign::clean(&tool.title, 80)),
                _ => "Note".to_owned(),
            };
            container(line(words, type_scale::TINY, font::MEDIUM, tokens.faint).fill())
                .padding(Padding::ZERO.left(space::M).bottom(2.0))
        });
        column![].push(label).push(code(tokens, &lines.lines, 0, false).seat(self.seat(0))).into()
    }

    fn todo(&self, todos: &[Todo]) -> Element<'a, Message> {
        let tokens = self.tokens();
        let done = todos.iter().filter(|todo| todo.state == TodoState::Done).count();
        let head = row![
            line("To do", type_scale::BASE, font::SEMIBOLD, tokens.text).fill(),
            line(
                format!("{done} of {}", todos.len()),
                type_scale::SMALL,
                font::REGULAR,
                tokens.dim
            ),
        ]
        .align_y(Alignment::Center)
        .height(extent::CARD_HEADER)
        .padding([0.0, space::M]);
        let item = |todo: &Todo| -> Element<'a, Message> {
            let (shape, color, ink) = match todo.state {
                TodoState::Done => (Icon::Check, tokens.green, tokens.dim),
                TodoState::Doing => (Icon::Arc(0), tokens.blue, tokens.text),
                TodoState::Open => (Icon::Ring, tokens.faint, tokens.text),
            };
            let turning = self.context.turning && self.context.tab.state.is_busy();
            let glyph = status::glyph(tokens, (shape, color), 12.0, turning);
            let words = foreign::clean(&todo.text, 500);
            row![
                container(glyph).padding(Padding::ZERO.top(4.0)),
                part::paragraph(words, type_scale::BASE, font::REGULAR, ink),
            ]
            .spacing(space::S)
            .into()
        };
        let items = column(todos.iter().take(200).map(item)).spacing(2.0).padding(Padding {
            top: space::S,
            right: space::M,
            bottom: space::S,
            left: space::M,
        });
        let content = column![head, part::rule(tokens), items];
        slice(content, self.look(true, true, tokens.raised))
    }

    fn request(&self, request: &Request, answer: Option<&Answer>) -> Element<'a, Message> {
        let tokens = self.tokens();
        let (shape, ink) = match answer {
            None => (Icon::Ring, tokens.faint),
            Some(Answer::Deny(_)) => (Icon::Cross, tokens.red),
            Some(_) => (Icon::Check, tokens.green),
        };
        row![
            icon(shape, 10.0, ink),
            line(answered(answer), type_scale::SMALL, font::REGULAR, tokens.dim),
            words::mono(foreign::clean(&asked(&request.ask), 300), tokens.dim),
        ]
        .spacing(space::S)
        .align_y(Alignment::Center)
        .into()
    }

    fn notice(&self, words: &str) -> Element<'a, Message> {
        let tokens = self.tokens();
        let words = vec![Word::new(texts::notice(words))];
        row![
            container(icon(Icon::Dot, 8.0, tokens.faint)).padding(Padding::ZERO.top(5.0)),
            maestro_ui::words(tokens, words, type_scale::SMALL)
                .ink(tokens.faint)
                .seat(self.seat(0)),
        ]
        .spacing(space::S)
        .into()
    }

    /// A turn that failed: what happened, in the provider's words, and what was kept. What can be done
    /// about it stands in the card below, with its keys, as long as it can be done.
    fn failed(&self, failure: &Failure) -> Element<'a, Message> {
        let tokens = self.tokens();
        let (title, kept) = explained(failure.kind);
        let last = self.context.transcript.next() == Some(self.entry.n + 1);
        let state = &self.context.tab.state;
        let acted_on = matches!(
            state,
            TabState::Failed(_) | TabState::Limited { .. } | TabState::Retrying { .. }
        );
        if last && acted_on {
            // The card below says the rest.
            return row![
                icon(Icon::Failed, 12.0, tokens.red),
                line(title, type_scale::SMALL, font::REGULAR, tokens.dim),
                words::hairline(tokens),
            ]
            .spacing(space::S)
            .align_y(Alignment::Center)
            .into();
        }
        let message = vec![Word::new(texts::failure(&failure.message))];
        let message = maestro_ui::words(tokens, message, type_scale::BASE);
        let content = column![
            row![
                icon(Icon::Failed, 13.0, tokens.red),
                line(title, type_scale::BASE, font::SEMIBOLD, tokens.text).fill(),
            ]
            .spacing(space::S)
            .align_y(Alignment::Center),
            message.ink(tokens.dim).seat(self.seat(0)),
            part::paragraph(kept, type_scale::SMALL, font::REGULAR, tokens.faint),
        ]
        .spacing(space::XS);
        let edge = Color { a: 0.55, ..tokens.red };
        container(content)
            .padding([10.0, space::M])
            .width(Length::Fill)
            .style(move |_| iced::widget::container::Style {
                border: Border { color: edge, width: extent::LINE, radius: radius::CARD.into() },
                ..style::surface(tokens.raised)
            })
            .into()
    }
}

/// What a call is called.
fn kind(tool: &Tool) -> String {
    let words = match tool.kind {
        ToolKind::Shell => "Shell",
        ToolKind::Edit => {
            let all = |kind| {
                !tool.changes.is_empty() && tool.changes.iter().all(|change| change.kind == kind)
            };
            if all(ChangeKind::Add) {
                "Create"
            } else if all(ChangeKind::Delete) {
                "Delete"
            } else {
                "Update"
            }
        }
        ToolKind::Read => "Read",
        ToolKind::Search => "Search",
        ToolKind::Fetch => "Fetch",
        ToolKind::Agent => "Agent",
        ToolKind::Mcp | ToolKind::Other => return foreign::clean(&tool.name, 40),
    };
    words.to_owned()
}

fn state(tokens: &Tokens, tool: &Tool) -> (Icon, Color) {
    match tool.state {
        ToolState::Running => (Icon::Arc(0), tokens.blue),
        ToolState::Done if tool.exit.is_some_and(|exit| exit != 0) => (Icon::Cross, tokens.red),
        ToolState::Done => (Icon::Check, tokens.green),
        ToolState::Failed => (Icon::Failed, tokens.red),
        ToolState::Denied => (Icon::Cross, tokens.orange),
        ToolState::Cut => (Icon::DashedRing, tokens.faint),
    }
}

fn outcome(tokens: &Tokens, tool: &Tool) -> Option<(String, Color)> {
    match (tool.state, tool.exit) {
        (ToolState::Denied, _) => Some(("denied".to_owned(), tokens.orange)),
        (ToolState::Cut, _) => Some(("cut off".to_owned(), tokens.faint)),
        (_, Some(0)) => Some(("exit 0".to_owned(), tokens.green)),
        (_, Some(exit)) => Some((format!("exit {exit}"), tokens.red)),
        (ToolState::Failed, None) => Some(("failed".to_owned(), tokens.red)),
        (ToolState::Running | ToolState::Done, None) => None,
    }
}

/// How long a call took, or takes until now.
fn took(tool: &Tool, now_ms: u64) -> Option<String> {
    let until = match tool.state {
        ToolState::Running => now_ms,
        _ => tool.ended_ms?,
    };
    let ms = until.checked_sub(tool.started_ms).filter(|_| tool.started_ms > 0)?;
    // What still grows is not read to the tenth of a second.
    if tool.state == ToolState::Running && ms < 10_000 {
        return Some(format!("{} s", ms / 1000));
    }
    Some(duration(ms))
}

/// What a failure is called, and what was kept.
fn explained(kind: FailureKind) -> (&'static str, &'static str) {
    let said = "Everything said so far is kept; the prompt can be sent again.";
    match kind {
        FailureKind::Auth => ("Not logged in", said),
        FailureKind::Billing => ("No credit", said),
        FailureKind::Limit { .. } => ("Limit reached", said),
        FailureKind::Overload => ("The service is overloaded", said),
        FailureKind::Network => ("No network", said),
        FailureKind::Torn => ("The answer broke off", "What arrived of it is above, and kept."),
        FailureKind::HumanNeeded => ("A person is needed", said),
        FailureKind::Context => (
            "The conversation no longer fits the model",
            "Everything is kept here; it has to be summed up, or begun anew.",
        ),
        FailureKind::SessionMissing => (
            "The provider no longer has this session",
            "What was said is kept here, and a new session can be given it.",
        ),
        FailureKind::ModelUnknown => ("There is no such model", said),
        FailureKind::Permission => ("Not permitted", said),
        FailureKind::Interrupted => ("Interrupted", "What was done until then is kept."),
        FailureKind::Crashed => ("Its program ended unexpectedly", said),
        FailureKind::Unusable => ("Its program cannot be started", said),
        FailureKind::Silent => ("It went silent", said),
        FailureKind::Other => ("The turn failed", said),
    }
}

/// Words of a prompt, with the files and the command in them in the accent, and what is found marked.
fn mentioned(tokens: &'static Tokens, words: &str, find: Option<&regex::Regex>) -> Vec<Word> {
    let mut spans: Vec<Word> = Vec::new();
    let mut plain = |text: &str, ink: Option<Color>| {
        let mut at = 0;
        let found = find.into_iter().flat_map(|find| find.find_iter(text));
        for found in found.filter(|found| !found.is_empty()) {
            spans.push(Word::new(text[at..found.start()].to_owned()).color_maybe(ink));
            let hit = Word::new(found.as_str().to_owned()).color_maybe(ink);
            spans.push(hit.background(Color { a: 0.38, ..tokens.accent }));
            at = found.end();
        }
        spans.push(Word::new(text[at..].to_owned()).color_maybe(ink));
    };
    let mut rest = words;
    let mut at_start = true;
    while !rest.is_empty() {
        let begins = |(at, c): &(usize, char)| {
            let before = rest[..*at].chars().next_back();
            let apart = before.is_none_or(|c| c.is_whitespace() || "([\"'".contains(c));
            apart && (*c == '@' || (*c == '/' && at_start && *at == 0))
        };
        let Some((start, _)) = rest.char_indices().find(begins) else {
            plain(rest, None);
            break;
        };
        let word = &rest[start..];
        let end = word.find(char::is_whitespace).unwrap_or(word.len());
        let word = word[..end].trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']']);
        plain(&rest[..start], None);
        let end = start + word.len().max(1);
        plain(&rest[start..end], (word.len() > 1).then_some(tokens.accent));
        rest = &rest[end..];
        at_start = false;
    }
    spans.retain(|span| !span.text.is_empty());
    spans
}

#[cfg(test)]
mod tests {
    use maestro_ui::theme::NOCTURNE;

    use super::*;

    #[test]
    fn mentions_have_the_accent() {
        let check = |words: &str, expected: &[&str]| {
            let spans = mentioned(&NOCTURNE, words, None);
            let accented = spans.iter().filter(|span| span.color.is_some());
            let accented: Vec<_> = accented.map(|span| span.text.to_string()).collect();
            assert_eq!(accented, expected, "{words}");
            let whole: String = spans.iter().map(|span| span.text.to_string()).collect();
            assert_eq!(whole, words);
        };
        check("see @src/a.rs, and (@b) x@y @", &["@src/a.rs", "@b"]);
        check("/review this /not", &["/review"]);
        check("ä @ö", &["@ö"]);
        check("", &[]);
    }
}

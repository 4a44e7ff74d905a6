//! What the cards look like.

use iced::widget::{Column, Row, button, column, container, row, scrollable, text, text_input};
use iced::{Alignment, Color, Element, Length, Padding};
use maestro_core::agent::Agent;
use maestro_core::command::Id;
use maestro_core::conversation::{Ask, Change, ChangeKind, Question, Request, Tab};
use maestro_core::keymap::Keymap;
use maestro_core::{diff, text as foreign};
use maestro_ui::code::advance;
use maestro_ui::icon::{Icon, icon};
use maestro_ui::theme::{Tokens, extent, radius, space, type_scale};
use maestro_ui::{font, line, part, style};

use super::help::{Help, Tone};
use super::{Cards, INPUT, Message, Writing};
use crate::window::ago;

/// The most lines of a command, an input or a diff that are laid out; the card says when there are more.
const MOST_LINES: usize = 400;

/// The most characters of one line.
const LONGEST_LINE: usize = 2000;

/// How high what is asked about may be before it scrolls.
const HEIGHT: f32 = 220.0;

/// What is shown beside the cards.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// Colours.
    pub tokens: &'static Tokens,
    /// Chords to teach.
    pub keymap: &'a Keymap,
    /// Whose.
    pub agent: &'a Agent,
    /// Which tab.
    pub tab: &'a Tab,
    /// Whether they have the keyboard.
    pub focused: bool,
    /// Whether there is little place beside each other.
    pub narrow: bool,
    /// Now.
    pub now_ms: u64,
}

impl Cards {
    /// The card in front, or what is wrong.
    #[must_use]
    pub fn view<'a>(
        &'a self,
        help: Option<Help>,
        context: Context<'a>,
    ) -> Option<Element<'a, Message>> {
        match self.front(&context.tab.requests) {
            Some(request) => Some(self.request(request, context)),
            None => help.map(|help| trouble(help, context)),
        }
    }

    fn request<'a>(&'a self, request: &'a Request, context: Context<'a>) -> Element<'a, Message> {
        let tokens = context.tokens;
        let title = match &request.ask {
            Ask::Command { .. } => "Approve this command?".to_owned(),
            Ask::Edit(changes) if changes.len() == 1 => "Approve this change?".to_owned(),
            Ask::Edit(changes) => format!("Approve these {} changes?", changes.len()),
            Ask::Tool { name, .. } => format!("Let it use {}?", foreign::clean(name, 60)),
            Ask::Plan(_) => "Approve this plan?".to_owned(),
            Ask::Questions(questions) if questions.len() == 1 => "It asks".to_owned(),
            Ask::Questions(questions) => {
                format!("It asks · {} of {}", self.question + 1, questions.len())
            }
        };
        let minutes = context.now_ms.saturating_sub(request.asked_ms) / 60_000;
        let waits = if minutes == 0 {
            "just now".to_owned()
        } else {
            format!("waits {}", ago::took(minutes * 60_000))
        };
        let others = context.tab.requests.len().saturating_sub(1);
        let others = (others > 0).then(|| {
            let words = format!("{others} more");
            row![
                line(words, type_scale::SMALL, font::REGULAR, tokens.dim),
                part::chord(tokens, "⇥")
            ]
            .spacing(space::XS)
            .align_y(Alignment::Center)
        });
        let header = row![
            icon(Icon::Diamond, extent::GLYPH, tokens.accent),
            line(title, type_scale::BASE, font::SEMIBOLD, tokens.text),
            line(waits, type_scale::BASE, font::REGULAR, tokens.dim).fill(),
        ]
        .push(others)
        .spacing(space::S)
        .align_y(Alignment::Center);
        let body = match &request.ask {
            Ask::Command { command, .. } => exactly(tokens, command),
            Ask::Edit(changes) => scrolled(tokens, changes_of(tokens, changes)),
            Ask::Tool { input, .. } => exactly(tokens, input),
            Ask::Plan(plan) => exactly_in(tokens, plan, font::REGULAR),
            Ask::Questions(questions) => self.questions(tokens, questions),
        };
        let about = about(request, context);
        let about = (!about.is_empty())
            .then(|| part::paragraph(about, type_scale::SMALL, font::REGULAR, tokens.dim));
        let foot = match &self.writing {
            Some((writing, written)) => self.writing(tokens, *writing, written),
            None => self.buttons(request, context),
        };
        let content = column![header, body].push(about).push(foot).spacing(space::M);
        // The border says who has the keyboard, the ground that somebody is wanted.
        let edge = if context.focused { tokens.accent } else { tokens.strong };
        container(content)
            .padding([space::M, space::L])
            .width(Length::Fill)
            .style(move |_| style::bordered(tokens.accent_background, edge, radius::CARD))
            .into()
    }

    fn questions<'a>(
        &'a self,
        tokens: &'static Tokens,
        questions: &'a [Question],
    ) -> Element<'a, Message> {
        let Some(question) = questions.get(self.question) else { return row![].into() };
        let asked = foreign::clean(&question.text, LONGEST_LINE);
        let asked = part::paragraph(asked, type_scale::BASE, font::REGULAR, tokens.text);
        let chosen = self.chosen.get(self.question);
        let options = question.options.iter().enumerate().map(|(at, (label, about))| {
            let on = chosen.is_some_and(|chosen| chosen.contains(&at));
            let number = u8::try_from(at + 1).unwrap_or(u8::MAX);
            let key = (number <= 9).then(|| part::chord(tokens, &number.to_string()));
            let mark = question.several.then(|| {
                if on {
                    icon(Icon::Check, 12.0, tokens.accent)
                } else {
                    icon(Icon::Ring, 12.0, tokens.faint)
                }
            });
            let label = foreign::clean(label, 160);
            let ink = if on { tokens.accent } else { tokens.text };
            let content = row![]
                .push(key)
                .push(mark)
                .push(line(label, type_scale::BASE, font::MEDIUM, ink))
                .push(
                    line(foreign::clean(about, 200), type_scale::SMALL, font::REGULAR, tokens.dim)
                        .fill(),
                )
                .spacing(space::S)
                .align_y(Alignment::Center)
                .height(Length::Fill)
                .padding([0.0, space::S]);
            button(content)
                .padding(0)
                .height(extent::ROW)
                .width(Length::Fill)
                .style(style::row(tokens, self.marked == at))
                .on_press(Message::Pressed(Id::RequestOption(number)))
                .into()
        });
        let written = self.written.get(self.question).and_then(Option::as_ref).map(|written| {
            line(format!("“{written}”"), type_scale::BASE, font::MEDIUM, tokens.accent).fill()
        });
        column![asked, Column::with_children(options)].push(written).spacing(space::S).into()
    }

    fn writing<'a>(
        &self,
        tokens: &'static Tokens,
        writing: Writing,
        written: &'a str,
    ) -> Element<'a, Message> {
        let (hint, label) = match writing {
            Writing::Reason => ("What is it to do instead? (may be empty)", "Deny"),
            Writing::Answer => ("Your own answer", "Answer"),
        };
        let input = text_input(hint, written)
            .id(INPUT)
            .on_input(Message::Written)
            .size(type_scale::BASE.0)
            .font(font::REGULAR)
            .padding([6.0, 10.0])
            .style(style::input(tokens, false));
        let submit = Message::Pressed(Id::RequestSubmit);
        row![
            input,
            part::action(tokens, label, true, false, Some(submit)),
            part::chord(tokens, "↵"),
            part::action(tokens, "Back", false, false, Some(Message::Pressed(Id::RequestLeave))),
            part::chord(tokens, "Esc"),
        ]
        .spacing(space::S)
        .align_y(Alignment::Center)
        .into()
    }

    fn buttons<'a>(&self, request: &Request, context: Context<'a>) -> Element<'a, Message> {
        let tokens = context.tokens;
        let (once, no) = match &request.ask {
            Ask::Plan(_) => ("Begin", "Go on planning…"),
            _ => ("Allow once", "Deny…"),
        };
        let always = request.always.as_ref().map(|always| {
            let always = foreign::clean(always, 60);
            if always.is_empty() || always.chars().count() > 44 {
                "Always".to_owned()
            } else if always.to_lowercase().starts_with("always") {
                always
            } else {
                format!("Always: {always}")
            }
        });
        let keys: Vec<(Id, String)> = match &request.ask {
            Ask::Questions(questions) => {
                let last = self.question + 1 == questions.len();
                let several = questions.get(self.question).is_some_and(|one| one.several);
                let submit = if last { "Answer" } else { "Next" };
                [
                    several.then(|| (Id::RequestSubmit, submit.to_owned())),
                    Some((Id::RequestWrite, "In own words…".to_owned())),
                    Some((Id::RequestDeny, "Do not answer…".to_owned())),
                ]
                .into_iter()
                .flatten()
                .collect()
            }
            _ => [
                Some((Id::RequestOnce, once.to_owned())),
                always.map(|always| (Id::RequestAlways, always)),
                Some((Id::RequestDeny, no.to_owned())),
            ]
            .into_iter()
            .flatten()
            .collect(),
        };
        let main = keys.first().map(|(id, _)| *id).filter(|id| *id != Id::RequestWrite);
        let buttons = keys.into_iter().map(|(id, label)| {
            let chord = context.keymap.title(id).map(|chord| lower(&chord));
            let press = Message::Pressed(id);
            // It has to be there for a moment before it can be pressed by mistake.
            let button =
                part::action(tokens, &label, main == Some(id), false, self.seen.then_some(press));
            row![button]
                .push(chord.map(|chord| part::chord(tokens, &chord)))
                .spacing(space::S)
                .align_y(Alignment::Center)
                .into()
        });
        let focus = (!context.focused).then(|| {
            let chord = context.keymap.title(Id::RequestFocus);
            let hint = line("keys", type_scale::SMALL, font::REGULAR, tokens.faint);
            row![]
                .push(chord.map(|chord| part::chord(tokens, &chord)))
                .push(hint)
                .spacing(space::XS)
                .align_y(Alignment::Center)
                .into()
        });
        Row::with_children(buttons.chain(focus))
            .spacing(space::M)
            .align_y(Alignment::Center)
            .wrap()
            .into()
    }
}

/// What follows from a yes: the provider's own reason, where it happens, what *always* means.
fn about(request: &Request, context: Context<'_>) -> String {
    let mut said = Vec::new();
    let why = foreign::clean(&request.why, 400);
    if !why.is_empty() {
        said.push(part::sentence(&why));
    }
    if let Ask::Command { directory, .. } = &request.ask {
        let place = match directory {
            Some(directory) => foreign::clean(directory, 200),
            None => context.agent.directory.display().to_string(),
        };
        said.push(format!("In {place}."));
    }
    if let Some(always) = request.always.as_ref().filter(|always| always.chars().count() > 44) {
        said.push(format!("Always means: {}", part::sentence(&foreign::clean(always, 300))));
    }
    said.join(" ")
}

/// What is wrong, what was kept, what helps.
fn trouble<'a>(help: Help, context: Context<'a>) -> Element<'a, Message> {
    let tokens = context.tokens;
    let (shape, ink) = match help.tone {
        Tone::Failed => (Icon::Failed, tokens.red),
        Tone::Limited => (Icon::Clock, tokens.purple),
        Tone::Waiting => (Icon::Clock, tokens.blue),
        Tone::Held => (Icon::Ring, tokens.dim),
    };
    let short = matches!(help.tone, Tone::Waiting);
    let words = |words: String| {
        (!words.is_empty())
            .then(|| part::paragraph(words, type_scale::SMALL, font::REGULAR, tokens.dim))
    };
    let buttons = help.keys.into_iter().map(|(id, label)| {
        let chord = context.keymap.title(id).map(|chord| {
            if id.command().context == maestro_core::command::Context::Request {
                lower(&chord)
            } else {
                chord
            }
        });
        let main = false;
        let message = Message::Command(id);
        row![part::action(tokens, label, main, false, Some(message))]
            .push(chord.map(|chord| part::chord(tokens, &chord)))
            .spacing(space::S)
            .align_y(Alignment::Center)
            .into()
    });
    let focus = (!context.focused).then(|| {
        let chord = context.keymap.title(Id::RequestFocus);
        let hint = line("keys", type_scale::SMALL, font::REGULAR, tokens.faint);
        row![]
            .push(chord.map(|chord| part::chord(tokens, &chord)))
            .push(hint)
            .spacing(space::XS)
            .align_y(Alignment::Center)
    });
    // Beside a long title there is no place for it.
    let (focus, last) = if context.narrow { (None, focus) } else { (focus, None) };
    let buttons = Row::with_children(buttons.chain(last.map(Into::into)))
        .spacing(space::M)
        .align_y(Alignment::Center)
        .wrap();
    let title = line(help.title, type_scale::BASE, font::SEMIBOLD, tokens.text);
    let glyph = icon(shape, extent::GLYPH, ink);
    let content: Element<'a, Message> = if short {
        let said = line(help.words, type_scale::BASE, font::REGULAR, tokens.dim).fill();
        let header = row![glyph, title, said].push(focus);
        let header = header.spacing(space::S).align_y(Alignment::Center);
        column![header, buttons].spacing(space::S).into()
    } else {
        // How long a limit still holds belongs to until when.
        let (beside, below) = match help.tone {
            Tone::Limited => (help.words, String::new()),
            _ => (String::new(), help.words),
        };
        let beside = line(beside, type_scale::BASE, font::REGULAR, tokens.dim).fill();
        let header = row![glyph, title, beside].push(focus);
        let header = header.spacing(space::S).align_y(Alignment::Center);
        column![header]
            .push(words(below))
            .push(words(help.kept))
            .push(container(buttons).padding(Padding::ZERO.top(space::XS)))
            .spacing(space::XS)
            .into()
    };
    let edge = if context.focused { tokens.accent } else { tokens.strong };
    container(content)
        .padding([space::M, space::L])
        .width(Length::Fill)
        .style(move |_| style::bordered(tokens.raised, edge, radius::CARD))
        .into()
}

/// Single letters are shown as one types them.
fn lower(chord: &str) -> String {
    if chord.chars().count() == 1 { chord.to_lowercase() } else { chord.to_owned() }
}

/// A text exactly as it is, with what could not be seen made visible.
fn exactly<'a>(tokens: &'static Tokens, said: &str) -> Element<'a, Message> {
    exactly_in(tokens, said, font::MONO)
}

fn exactly_in<'a>(tokens: &'static Tokens, said: &str, face: iced::Font) -> Element<'a, Message> {
    let count = said.lines().count();
    let mut lines: Vec<String> = said.lines().take(MOST_LINES).map(visible).collect();
    if count > MOST_LINES {
        lines.push(format!("… and {} more lines", count - MOST_LINES));
    }
    let rows = lines.into_iter().map(|shown| code(tokens, shown, tokens.text, face));
    scrolled(tokens, Column::with_children(rows).width(Length::Fill).into())
}

fn code<'a>(
    _: &'static Tokens,
    shown: String,
    ink: Color,
    face: iced::Font,
) -> Element<'a, Message> {
    let (size, height) = type_scale::SMALL;
    text(shown)
        .size(size)
        .line_height(text::LineHeight::Absolute(height.into()))
        .font(face)
        .color(ink)
        .wrapping(text::Wrapping::WordOrGlyph)
        .into()
}

/// A line with controls, direction marks and what nobody sees written out.
fn visible(said: &str) -> String {
    let mut shown = String::with_capacity(said.len());
    for (count, c) in said.chars().enumerate() {
        if count >= LONGEST_LINE {
            shown.push('…');
            break;
        }
        match c {
            '\t' => shown.push_str("    "),
            c if foreign::is_harmful(c) => shown.extend(c.escape_default()),
            c => shown.push(c),
        }
    }
    shown
}

fn scrolled<'a>(tokens: &'static Tokens, content: Element<'a, Message>) -> Element<'a, Message> {
    let bar = scrollable::Scrollbar::new().width(4.0).scroller_width(4.0).margin(1.0);
    let content = container(content).width(Length::Fill).padding(Padding::ZERO.right(space::S));
    let scrolled = scrollable(content)
        .direction(scrollable::Direction::Vertical(bar))
        .style(style::scroll(tokens));
    container(scrolled).max_height(HEIGHT).into()
}

/// What is to be changed, file by file.
fn changes_of<'a>(tokens: &'static Tokens, changes: &[Change]) -> Element<'a, Message> {
    let mut rows: Vec<Element<'a, Message>> = Vec::new();
    let mut left = MOST_LINES;
    let count = |sign, lines, ink| {
        (lines > 0).then(|| line(format!("{sign}{lines}"), type_scale::SMALL, font::REGULAR, ink))
    };
    for change in changes {
        let (kind, ink) = match change.kind {
            ChangeKind::Add => ("new", tokens.dim),
            ChangeKind::Update => ("", tokens.dim),
            ChangeKind::Delete => ("is deleted", tokens.red),
        };
        let counts = row![
            line(foreign::clean(&change.path, 200), type_scale::SMALL, font::MONO, tokens.text)
                .fill(),
            line(kind, type_scale::SMALL, font::REGULAR, ink),
        ]
        .push(count("+", change.added, tokens.green))
        .push(count("−", change.removed, tokens.red))
        .spacing(space::S);
        rows.push(counts.into());
        let lines = diff::lines(&change.diff);
        let largest = lines.iter().filter_map(|line| line.number).max();
        let digits = largest.map_or(0, |number| number.to_string().len());
        for said in lines {
            if left == 0 {
                break;
            }
            left -= 1;
            rows.push(changed(tokens, &said, digits));
        }
    }
    if left == 0 {
        let more = "… there is more than is shown here";
        rows.push(line(more, type_scale::SMALL, font::REGULAR, tokens.orange).into());
    }
    Column::with_children(rows).width(Length::Fill).into()
}

/// A line of a change: its number, what happens to it, and all of it, on as many lines as it takes.
fn changed<'a>(tokens: &'static Tokens, said: &diff::Line, digits: usize) -> Element<'a, Message> {
    let (sign, ink) = match said.kind {
        diff::Kind::Added => ("+", tokens.green),
        diff::Kind::Removed => ("−", tokens.red),
        diff::Kind::Same => ("", tokens.dim),
        diff::Kind::Gap => {
            let about = if said.text.is_empty() { "⋯".to_owned() } else { visible(&said.text) };
            return code(tokens, about, tokens.faint, font::MONO);
        }
    };
    let narrow = |shown: String, ink, wide: usize| {
        container(code(tokens, shown, ink, font::MONO)).width(wide as f32 * advance())
    };
    let number = said.number.map(|number| format!("{number:>digits$}")).unwrap_or_default();
    let (edge, text) = match said.kind {
        diff::Kind::Same => (tokens.faint, tokens.dim),
        _ => (ink, tokens.text),
    };
    let content = row![
        narrow(number, edge, digits + 1),
        narrow(sign.to_owned(), ink, 2),
        container(code(tokens, visible(&said.text), text, font::MONO)).width(Length::Fill),
    ];
    let ground = Color { a: if tokens.dark { 0.09 } else { 0.07 }, ..ink };
    let ground = (said.kind != diff::Kind::Same).then_some(ground);
    container(content)
        .padding([0.0, space::XS])
        .width(Length::Fill)
        .style(move |_| container::Style {
            background: ground.map(Into::into),
            ..container::Style::default()
        })
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_deceive_is_written_out() {
        for (said, expected) in [
            ("ls\t-l", "ls    -l"),
            ("rm \u{202e}fr-", "rm \\u{202e}fr-"),
            ("a\u{200b}b\u{1b}[m", "a\\u{200b}b\\u{1b}[m"),
            ("C:\\x é", "C:\\x é"),
        ] {
            assert_eq!(visible(said), expected);
        }
    }
}

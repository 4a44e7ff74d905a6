//! The dialog that starts a run: how, and then what would be done.

use iced::widget::{Column, Space, button, column, container, mouse_area, row, text_input};
use iced::{Alignment, Color, Element, Length, Padding};
use maestro_core::playbook::Plan;
use maestro_core::text;
use maestro_ui::icon::{Icon, icon};
use maestro_ui::theme::{Tokens, extent, radius, space, type_scale};
use maestro_ui::{font, line, part, style};

use super::{FORM, Look, field_id, hint, scrolled};
use crate::window::autorun::Message;
use crate::window::autorun::start::{COMMANDS, Field, Stage, Start, shown};
use crate::window::prose::printed;
use crate::window::runs;

/// Width of the dialog.
pub const WIDTH: f32 = 760.0;

/// The most tasks of a plan that are listed.
const TASKS: usize = 200;

pub(super) fn view<'a>(start: &'a Start, look: Look<'a>) -> Element<'a, Message> {
    let tokens = look.tokens;
    let (title, body) = match &start.stage {
        Stage::Form | Stage::Planning => ("Start a run", form(start, look)),
        Stage::Plan(plan, marked) => {
            ("This is what would be done", planned(start, plan, *marked, look))
        }
        Stage::Starting(plan) => ("Starting…", planned(start, plan, 0, look)),
    };
    let who = start.who().map(|who| {
        let place = format!("{} · {}", who.name, who.directory.display());
        line(place, type_scale::SMALL, font::REGULAR, tokens.faint).fill()
    });
    let error = start.error.as_ref().map(|why| {
        container(part::paragraph(why.clone(), type_scale::SMALL, font::MEDIUM, tokens.red))
            .padding(Padding::ZERO.left(space::XL).right(space::XL).bottom(space::S))
    });
    let head = column![line(title, type_scale::TITLE, font::SEMIBOLD, tokens.text)]
        .push(who)
        .padding(Padding::new(space::XL).bottom(space::M));
    column![head, part::rule(tokens), body]
        .push(part::rule(tokens))
        .push(Space::new().height(space::S))
        .push(error)
        .push(buttons(start, look))
        .into()
}

fn form<'a>(start: &'a Start, look: Look<'a>) -> Element<'a, Message> {
    let tokens = look.tokens;
    let mut column = Column::new().padding([space::S, 0.0]);
    let wide = look.width >= 820.0;
    for field in start.fields() {
        if let Some(title) = section(field) {
            let title = line(title.to_uppercase(), type_scale::TINY, font::MEDIUM, tokens.faint);
            column = column.push(
                container(title)
                    .padding(Padding::ZERO.top(space::M).bottom(space::XS).left(space::XL)),
            );
        }
        column = column.push(match field {
            Field::Document(at) => document(start, at, tokens),
            field => choice(start, field, tokens, wide),
        });
    }
    let rows = start.fields().len() as f32 * 33.0 + 3.0 * 31.0 + 2.0 * space::S;
    container(scrolled(tokens, FORM, column)).height(rows.min(room(start, look))).into()
}

/// The height there is for what a dialog is about.
fn room(start: &Start, look: Look<'_>) -> f32 {
    let error = if start.error.is_some() { 36.0 } else { 0.0 };
    (look.height - 260.0 - error).max(160.0)
}

/// The heading that stands before a field.
fn section(field: Field) -> Option<&'static str> {
    match field {
        Field::Branch => Some("Where"),
        Field::Loops => Some("How"),
        Field::Cost => Some("At most"),
        _ => None,
    }
}

/// What a field is called, and what belongs into it.
fn named(field: Field) -> (&'static str, &'static str) {
    match field {
        Field::Agent => ("Agent", ""),
        Field::Document(_) => ("", ""),
        Field::Add => ("Add a document", "path of a markdown file, then Enter"),
        Field::Branch => ("New worktree", "branch; empty: it runs where the agent is"),
        Field::PullRequest => ("Pull request", ""),
        Field::Loops => ("Passes", ""),
        Field::Mode => ("Sessions", ""),
        Field::Attempts => ("Attempts a task", ""),
        Field::OnFailure => ("After a failure", ""),
        Field::Commit => ("Commit each task", ""),
        Field::Dirty => ("Uncommitted changes", ""),
        Field::Verify => ("Verify by default", "command for tasks that name none"),
        Field::Model => ("Model", "the provider's own choice"),
        Field::Cost => ("Cost in US$", "no limit"),
        Field::Tokens => ("Tokens", "no limit"),
        Field::Minutes => ("Minutes of work", "no limit"),
        Field::Turns => ("Turns", "no limit"),
        Field::Tasks => ("Tasks", "no limit"),
        Field::Then => ("When used up", ""),
        Field::KeepAwake => ("Keep awake", ""),
        Field::Prompt => ("Prompt", "Maestro's own; {{task}} stands for the task"),
    }
}

fn document<'a>(start: &Start, at: usize, tokens: &'static Tokens) -> Element<'a, Message> {
    let Some((path, reset)) = start.documents.get(at) else { return Space::new().into() };
    let focused = start.field == Field::Document(at);
    let directory = start.who().map(|who| who.directory.clone()).unwrap_or_default();
    let held = start.held == Some(at);
    let content = row![
        line(format!("{}.", at + 1), type_scale::SMALL, font::MONO, tokens.faint),
        line(
            text::clean(&shown(path, &directory), 200),
            type_scale::BASE,
            font::MEDIUM,
            tokens.text
        )
        .fill(),
        part::toggle(
            tokens,
            if *reset { "fresh copy" } else { "itself" },
            *reset,
            Message::Reset(at)
        ),
        button(icon(Icon::Cross, 12.0, tokens.faint))
            .padding(4)
            .style(style::row(tokens, false))
            .on_press(Message::Removed(at)),
    ]
    .spacing(space::S)
    .align_y(Alignment::Center)
    .height(Length::Fill)
    .padding(Padding::ZERO.left(space::XL - extent::BAR).right(space::XL));
    let bar = if focused { tokens.accent } else { Color::TRANSPARENT };
    let fill = match (held, focused) {
        (true, _) => tokens.accent_background,
        (_, true) => tokens.hover,
        _ => Color::TRANSPARENT,
    };
    let row = container(row![part::filled(bar, Length::Fixed(extent::BAR), Length::Fill), content])
        .height(extent::ROW)
        .width(Length::Fill)
        .style(move |_| style::surface(fill));
    mouse_area(row)
        .interaction(iced::mouse::Interaction::Grab)
        .on_press(Message::Grabbed(at))
        .on_enter(Message::Over(at))
        .on_release(Message::Dropped)
        .into()
}

fn choice<'a>(
    start: &'a Start,
    field: Field,
    tokens: &'static Tokens,
    wide: bool,
) -> Element<'a, Message> {
    let (name, placeholder) = named(field);
    let focused = start.field == field;
    let wrong = focused && start.error.is_some();
    let control: Element<'a, Message> = match start.text(field) {
        Some(value) => maestro_ui::still(
            text_input(placeholder, value)
                .id(field_id(field))
                .on_input(move |text| Message::Field(field, text))
                .size(type_scale::BASE.0)
                .font(if field == Field::Verify { font::MONO } else { font::REGULAR })
                .padding([3.0, 8.0])
                .style(style::input(tokens, wrong)),
        ),
        None => {
            let words = start.choice(field).unwrap_or_else(|| "nobody yet".to_owned());
            let turn = |forward, shape: &'static str| {
                button(line(shape, type_scale::BASE, font::MONO, tokens.dim))
                    .padding([0.0, 6.0])
                    .style(style::row(tokens, false))
                    .on_press(Message::Chosen(field, forward))
            };
            let ink = if focused { tokens.accent } else { tokens.text };
            row![
                turn(false, "‹"),
                line(words, type_scale::BASE, font::REGULAR, ink).fill(),
                turn(true, "›")
            ]
            .align_y(Alignment::Center)
            .into()
        }
    };
    let name_width = if wide { 168.0 } else { 132.0 };
    let ink = if focused { tokens.text } else { tokens.dim };
    let content = row![
        container(line(name, type_scale::BASE, font::REGULAR, ink)).width(name_width),
        container(control).width(Length::Fill)
    ]
    .spacing(space::S)
    .align_y(Alignment::Center)
    .height(Length::Fill)
    .padding(Padding::ZERO.left(space::XL - extent::BAR).right(space::XL));
    let bar = if focused { tokens.accent } else { Color::TRANSPARENT };
    let fill = if focused { tokens.hover } else { Color::TRANSPARENT };
    container(row![part::filled(bar, Length::Fixed(extent::BAR), Length::Fill), content])
        .height(32.0)
        .width(Length::Fill)
        .style(move |_| style::surface(fill))
        .into()
}

/// What would be done.
fn planned<'a>(
    start: &'a Start,
    plan: &'a Plan,
    marked: usize,
    look: Look<'a>,
) -> Element<'a, Message> {
    let tokens = look.tokens;
    let mut column = Column::new().spacing(space::S).padding([space::M, space::XL]);
    let directory = start.who().map(|who| who.directory.clone()).unwrap_or_default();
    for obstacle in plan.obstacles.iter().take(10) {
        column = column.push(note(Icon::Warning, tokens.red, &part::sentence(obstacle)));
    }
    for holder in plan.in_use.iter().take(10) {
        let words = format!("It waits: {}", part::sentence(holder));
        column = column.push(note(Icon::Clock, tokens.purple, &words));
    }
    if plan.dirty > 0 {
        let files = if plan.dirty == 1 {
            "1 file has".to_owned()
        } else {
            format!("{} files have", plan.dirty)
        };
        let words = format!("{files} uncommitted changes in the directory.");
        column = column.push(note(Icon::Warning, tokens.orange, &words));
    }
    for finding in plan.findings.iter().take(20) {
        let ink = if finding.kind.is_error() { tokens.red } else { tokens.orange };
        let place = shown(&finding.document, &directory);
        let words = format!("{place}, line {}: {}", finding.line, part::sentence(&finding.text));
        column = column.push(note(Icon::Warning, ink, &text::clean(&words, 400)));
    }
    if !plan.unknown.is_empty() {
        let names: Vec<String> =
            plan.unknown.iter().take(5).map(|path| shown(path, &directory)).collect();
        let more = if plan.unknown.len() > names.len() { ", …" } else { "" };
        let words = format!(
            "Nobody has agreed to what this playbook says ({}{more}). An agent that acts as you is told \
             all of it: read it first.",
            names.join(", ")
        );
        column = column.push(note(Icon::Warning, tokens.orange, &text::clean(&words, 600)));
    }
    if !plan.commands.is_empty() {
        column = column.push(commands(plan, tokens));
    }
    let count = plan.tasks.len();
    let count = if count == 1 { "1 open task".to_owned() } else { format!("{count} open tasks") };
    column = column.push(line(count, type_scale::BASE, font::SEMIBOLD, tokens.text));
    for (at, task) in plan.tasks.iter().enumerate().take(TASKS) {
        let verify = task.verify.as_ref().map(|command| {
            line(
                text::clean(&runs::command(command), 120),
                type_scale::TINY,
                font::MONO,
                tokens.faint,
            )
        });
        let here = at == marked;
        let ink = if here { tokens.accent } else { tokens.faint };
        let head = row![
            line(format!("{}.", at + 1), type_scale::SMALL, font::MONO, ink),
            line(text::clean(&task.text, 300), type_scale::BASE, font::REGULAR, tokens.text).fill(),
        ]
        .push(verify)
        .spacing(space::S)
        .align_y(Alignment::Center);
        let head = button(head)
            .padding([2.0, space::XS])
            .width(Length::Fill)
            .style(style::row(tokens, here))
            .on_press(Message::Planned(at));
        column = column.push(head);
        if here {
            let cut: String = task.prompt.chars().take(6_000).collect();
            column = column.push(printed(tokens, &cut));
        }
    }
    if plan.tasks.len() > TASKS {
        let words = format!("… and {} more", plan.tasks.len() - TASKS);
        column = column.push(line(words, type_scale::SMALL, font::REGULAR, tokens.faint));
    }
    container(scrolled(tokens, FORM, column)).height(room(start, look)).into()
}

fn note<'a>(shape: Icon, ink: Color, words: &str) -> Element<'a, Message> {
    row![
        container(icon(shape, extent::GLYPH, ink)).padding(Padding::ZERO.top(2.0)),
        part::paragraph(words.to_owned(), type_scale::SMALL, font::REGULAR, ink),
    ]
    .spacing(space::S)
    .into()
}

/// The commands that would run: to be agreed to where nobody has.
fn commands<'a>(plan: &Plan, tokens: &'static Tokens) -> Element<'a, Message> {
    let (title, fill, edge) = if plan.is_trusted {
        ("Commands it runs to verify: you agreed to them before", tokens.raised, tokens.border)
    } else {
        (
            "It runs these commands on this machine. Start only what you would type yourself; it is asked again \
             when something of it changes.",
            tokens.accent_background,
            tokens.accent,
        )
    };
    let mut column =
        column![part::paragraph(title.to_owned(), type_scale::SMALL, font::MEDIUM, tokens.text)]
            .spacing(2.0);
    for command in plan.commands.iter().take(COMMANDS) {
        let words = text::escaped(command, 8_000);
        column = column.push(part::paragraph(words, type_scale::CODE, font::MONO, tokens.text));
    }
    container(column)
        .padding(space::M)
        .width(Length::Fill)
        .style(move |_| style::bordered(fill, edge, radius::CARD))
        .into()
}

fn buttons<'a>(start: &'a Start, look: Look<'a>) -> Element<'a, Message> {
    let tokens = look.tokens;
    let (label, back) = match &start.stage {
        Stage::Form => ("See what it does", "Cancel"),
        Stage::Planning => ("Looking…", "Back"),
        Stage::Plan(plan, _) => {
            let label = match (plan.is_trusted, plan.in_use.is_empty()) {
                (true, true) => "Start",
                (true, false) => "Queue",
                (false, true) => "Agree and start",
                (false, false) => "Agree and queue",
            };
            (label, "Back")
        }
        Stage::Starting(_) => ("Starting…", "Close"),
    };
    let busy = matches!(start.stage, Stage::Planning | Stage::Starting(_));
    let main = (!busy).then_some(Message::Accepted(true));
    let keys: &[(&str, &str)] = match (&start.stage, start.field) {
        (Stage::Form, Field::Document(_)) => {
            &[("⇧ ↑↓", "order"), ("Space", "fresh copy"), ("x", "leave out")]
        }
        (Stage::Form, field) if start.text(field).is_none() => {
            &[("‹ ›", "choose"), ("↑↓", "fields")]
        }
        (Stage::Form, _) => &[("↑↓", "fields")],
        (Stage::Plan(..), _) => &[("↑↓", "prompts")],
        _ => &[],
    };
    let keys = keys.iter().filter(|_| look.width >= 720.0);
    let keys = keys.map(|(key, words)| hint(tokens, key, words));
    row![
        iced::widget::Row::with_children(keys).spacing(space::M),
        Space::new().width(Length::Fill),
        part::action(tokens, back, false, false, Some(Message::Accepted(false))),
        part::chord(tokens, "Esc"),
        part::action(tokens, label, true, false, main),
        part::chord(tokens, "↵"),
    ]
    .spacing(space::S)
    .align_y(Alignment::Center)
    .padding(Padding::new(space::M).left(space::XL).right(space::XL))
    .into()
}

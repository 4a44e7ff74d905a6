//! Every run there was: found by words, added up, and drawn by day.

use iced::widget::{Column, Row as Line, Space, column, container, row};
use iced::{Alignment, Element, Length, Padding};
use maestro_core::run::{Run, TaskState};
use maestro_core::text;
use maestro_ui::icon::Icon;
use maestro_ui::theme::{Tokens, extent, space, type_scale};
use maestro_ui::{font, line, part, status};

use super::{LIST, Look, TALL, empty, pressable, scrolled, trouble};
use crate::window::autorun::{Autorun, Message, Older};
use crate::window::model::Model;
use crate::window::{ago, runs};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// Days in the drawing.
const DAYS: usize = 56;

/// Height of its tallest bar.
const TALLEST: f32 = 48.0;

/// The most rows that are built.
const SHOWN: usize = 300;

/// What runs come to.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Totals {
    /// Runs.
    pub runs: usize,
    /// Tasks that were done.
    pub done: usize,
    /// Of these, those that a command decided about.
    pub verified: usize,
    /// Tasks that failed.
    pub failed: usize,
    /// Milliseconds of work.
    pub worked_ms: u64,
    /// US dollars, where they are known.
    pub cost_usd: f64,
}

/// What runs come to.
#[must_use]
pub fn totals(runs: &[&Run]) -> Totals {
    let mut totals = Totals { runs: runs.len(), ..Totals::default() };
    for run in runs {
        for task in &run.tasks {
            let done = task.state == TaskState::Done;
            totals.done += usize::from(done);
            let passed = task.verify.as_ref().is_some_and(|verify| verify.exit_code == Some(0));
            totals.verified += usize::from(done && passed);
            totals.failed += usize::from(task.state == TaskState::Failed);
        }
        let worked = run.tasks.iter().map(|task| task.duration_ms).sum();
        totals.worked_ms += if run.worked_ms > 0 { run.worked_ms } else { worked };
        totals.cost_usd += run.usage.cost_usd.unwrap_or(0.0);
    }
    totals
}

/// Tasks that were done and that failed, for each of the last days, the oldest first. A day has 24 hours
/// and ends now.
#[must_use]
pub fn days(runs: &[&Run], now_ms: u64) -> Vec<(u32, u32)> {
    let mut days = vec![(0, 0); DAYS];
    for task in runs.iter().flat_map(|run| &run.tasks) {
        let at = task.ended_ms.unwrap_or(task.started_ms + task.duration_ms);
        let ago = (now_ms.saturating_sub(at) / DAY_MS) as usize;
        if let Some(day) = days.len().checked_sub(ago + 1).and_then(|day| days.get_mut(day)) {
            match task.state {
                TaskState::Done => day.0 += 1,
                TaskState::Failed => day.1 += 1,
                _ => {}
            }
        }
    }
    days
}

impl Autorun {
    pub(super) fn history<'a>(&'a self, model: &'a Model, look: Look<'a>) -> Element<'a, Message> {
        let tokens = look.tokens;
        if let (Some(Err(why)), true) = (&self.runs, model.runs.is_empty()) {
            return trouble(tokens, why);
        }
        if self.all_runs(model).is_empty() {
            return empty(
                tokens,
                Icon::Clock,
                "Nothing has run yet",
                "Every run stays here with its tasks, its evidence and what it cost.",
                &[("1", "checklists"), ("g", "new run…")],
            );
        }
        let past = self.past(model);
        let mut list = Column::new().width(Length::Fill);
        let marked = self.marked_run.min(past.len().saturating_sub(1));
        // Of very many only those around the marked one are built; the others have their place.
        let first = marked.saturating_sub(SHOWN / 2).min(past.len().saturating_sub(SHOWN));
        let last = past.len().min(first + SHOWN);
        list = list.push(Space::new().height(first as f32 * TALL));
        for (at, run) in past.iter().enumerate().take(last).skip(first) {
            list = list.push(past_row(model, run, look, at, marked == at));
        }
        list = list.push(Space::new().height((past.len() - last) as f32 * TALL));
        if self.older != Older::None && self.filter.is_empty() {
            let words = "There may be older ones: End asks for them.";
            list = list.push(
                container(line(words, type_scale::SMALL, font::REGULAR, tokens.faint))
                    .padding(space::M),
            );
        }
        let list: Element<'a, Message> = if past.is_empty() {
            empty(tokens, Icon::Search, "No run has these words", "Esc shows all of them.", &[])
        } else {
            scrolled(tokens, LIST, list)
        };
        let filter = self.asking(tokens).or_else(|| {
            let words = format!("Runs with “{}”", self.filter);
            let words = line(words, type_scale::SMALL, font::REGULAR, tokens.accent).fill();
            (!self.filter.is_empty()).then(|| {
                row![words, part::chord(tokens, "Esc")].padding([space::S, space::M]).into()
            })
        });
        column![overview(&past, look), part::rule(tokens)].push(filter).push(list).into()
    }
}

/// Totals and the drawing.
fn overview<'a>(runs: &[&Run], look: Look<'a>) -> Element<'a, Message> {
    let tokens = look.tokens;
    let sums = totals(runs);
    let number = |value: String, name: &'static str| {
        column![
            line(value, type_scale::TITLE, font::SEMIBOLD, tokens.text),
            line(name, type_scale::SMALL, font::REGULAR, tokens.faint),
        ]
    };
    let numbers = row![
        number(sums.runs.to_string(), "runs"),
        number(sums.done.to_string(), "tasks done"),
        number(sums.verified.to_string(), "verified"),
        number(sums.failed.to_string(), "failed"),
        number(ago::took(sums.worked_ms / 60_000 * 60_000), "of work"),
        number(format!("${:.2}", sums.cost_usd), "spent"),
    ]
    .spacing(space::XL);
    let content = Line::new().push(numbers).push(Space::new().width(Length::Fill));
    let content = if look.width >= 900.0 {
        content.push(graph(tokens, &days(runs, look.now_ms)))
    } else {
        content
    };
    container(content.align_y(Alignment::End))
        .padding([space::M, space::L])
        .width(Length::Fill)
        .into()
}

fn graph<'a>(tokens: &'static Tokens, days: &[(u32, u32)]) -> Element<'a, Message> {
    let most = days.iter().map(|(done, failed)| done + failed).max().unwrap_or(0).max(1) as f32;
    let bars = days.iter().map(|(done, failed)| {
        let height = |count: u32| match count {
            0 => 0.0,
            count => (count as f32 / most * TALLEST).max(2.0),
        };
        let (done, failed) = (height(*done), height(*failed));
        let rest = (TALLEST - done - failed).max(0.0);
        let ground = if done + failed == 0.0 { tokens.border } else { iced::Color::TRANSPARENT };
        column![
            Space::new().height(rest),
            part::filled(tokens.red, Length::Fixed(5.0), Length::Fixed(failed)),
            part::filled(tokens.green, Length::Fixed(5.0), Length::Fixed(done)),
            part::filled(ground, Length::Fixed(5.0), Length::Fixed(1.0)),
        ]
        .into()
    });
    let about = row![
        line("8 weeks ago", type_scale::TINY, font::REGULAR, tokens.faint),
        Space::new().width(Length::Fill),
        line("tasks a day", type_scale::TINY, font::REGULAR, tokens.faint),
        Space::new().width(Length::Fill),
        line("today", type_scale::TINY, font::REGULAR, tokens.faint),
    ]
    .width(DAYS as f32 * 7.0);
    column![Line::with_children(bars).spacing(2.0), about].spacing(space::XS).into()
}

fn past_row<'a>(
    model: &Model,
    run: &'a Run,
    look: Look<'a>,
    at: usize,
    marked: bool,
) -> Element<'a, Message> {
    let tokens = look.tokens;
    let (words, ink) = runs::standing(run, tokens);
    let who = run.spec.agent.and_then(|id| model.agent(id)).map(|agent| agent.name.clone());
    let who = who.unwrap_or_else(|| run.spec.provider.title().to_owned());
    let shape = runs::shape(run, tokens);
    let about = format!("{who} · {}", text::clean(&words, 200));
    let ink = if ink == tokens.red { ink } else { tokens.faint };
    let content = row![
        status::glyph(tokens, shape, extent::GLYPH, look.turning),
        column![
            line(runs::title(run), type_scale::BASE, font::MEDIUM, tokens.text).fill(),
            line(about, type_scale::SMALL, font::REGULAR, ink).fill(),
        ]
        .width(Length::Fill),
        line(runs::summary(run, look.now_ms), type_scale::SMALL, font::REGULAR, tokens.dim),
        container(line(
            ago::since(run.started_ms, look.now_ms),
            type_scale::SMALL,
            font::REGULAR,
            tokens.faint
        ))
        .width(44.0)
        .align_right(44.0),
    ]
    .spacing(space::M)
    .align_y(Alignment::Center)
    .padding(Padding::ZERO.right(space::S));
    pressable(tokens, TALL, (marked, true), content, Message::Past(at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::window::scene;

    #[test]
    fn runs_are_added_up_and_drawn_by_day() {
        let mut run = scene::world().runs[0].clone();
        for task in &mut run.tasks {
            task.ended_ms = Some(scene::NOW_MS - 3 * DAY_MS);
        }
        run.tasks[1].state = TaskState::Failed;
        let sums = totals(&[&run]);
        assert_eq!((sums.runs, sums.done, sums.verified, sums.failed), (1, 2, 2, 1));
        let days = days(&[&run], scene::NOW_MS);
        assert_eq!(days[DAYS - 4], (2, 1));
        assert_eq!(days.iter().map(|day| day.0 + day.1).sum::<u32>(), 3);
    }
}

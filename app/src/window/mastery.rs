//! The page about one's keys: the level, what to learn next, how it went, and the rank as a conductor.

use iced::widget::{column, container, row};
use iced::{Alignment, Element, Length};
use maestro_core::command::Id;
use maestro_core::keymap::Keymap;
use maestro_core::mastery::{self, ACHIEVEMENTS, Day, Level, Mastery, Progress};
use maestro_ui::theme::{Tokens, space, type_scale};
use maestro_ui::{font, line, part};

/// Width of the page.
pub const WIDTH: f32 = 860.0;

/// Height of the page: the picture of it has a size of its own.
pub const HEIGHT: f32 = 560.0;

/// What is worth learning: so many rows.
const NEXT: usize = 6;

/// Days of the graph.
const DAYS: u64 = 42;

/// The graph: its height, and the width of a day.
const GRAPH: (f32, f32) = (64.0, 6.0);

/// Width of a bar that fills.
const BAR: f32 = 150.0;

/// What is shown, as the page was opened.
#[derive(Debug, Clone)]
pub struct View {
    level: Level,
    sum: (usize, usize),
    progress: Vec<Progress>,
    next: Vec<(Id, u32, String)>,
    days: Vec<Day>,
    streak: (u64, u64),
    achieved: Vec<bool>,
    verified_ms: u64,
}

impl View {
    /// The page on a day.
    #[must_use]
    pub fn new(mastery: &Mastery, keymap: &Keymap, day: u64) -> Self {
        let next = mastery.next(keymap, NEXT).into_iter();
        let next = next.map(|(id, others)| (id, others, keymap.title(id).unwrap_or_default()));
        Self {
            level: mastery.level(keymap),
            sum: mastery.sum(keymap),
            progress: mastery.progress(keymap),
            next: next.collect(),
            days: mastery.last_days(day, DAYS),
            streak: (mastery.streak(day), mastery.longest_streak()),
            achieved: ACHIEVEMENTS.iter().map(|one| mastery.has(one)).collect(),
            verified_ms: mastery.verified_ms(),
        }
    }

    /// How many commands were fired by their chords.
    #[cfg(test)]
    #[must_use]
    pub fn known(&self) -> usize {
        self.sum.0
    }

    /// The page.
    pub fn view<'a, Message: Clone + 'a>(
        &'a self,
        tokens: &'static Tokens,
        keymap: &Keymap,
    ) -> Element<'a, Message> {
        let left = column![self.groups(tokens), self.achievements(tokens)].spacing(space::L);
        let right = column![self.learn(tokens), self.history(tokens), self.conductor(tokens)]
            .spacing(space::L);
        let body = row![container(left).width(Length::Fill), container(right).width(Length::Fill)]
            .spacing(space::XL);
        let export = keymap.title(Id::MasteryExport).map(|chord| part::chord(tokens, &chord));
        let foot = row![]
            .push(export)
            .push(quiet(tokens, "keep it as a picture"))
            .push(part::chord(tokens, "Esc"))
            .push(quiet(tokens, "close"))
            .spacing(space::S)
            .align_y(Alignment::Center);
        column![
            container(column![self.heading(tokens), body].spacing(space::L))
                .padding(space::L)
                .height(Length::Fill),
            part::rule(tokens),
            container(foot).padding([8.0, space::L]),
        ]
        .height(HEIGHT)
        .into()
    }

    fn heading<'a, Message: 'a>(&self, tokens: &'static Tokens) -> Element<'a, Message> {
        let (played, all) = self.sum;
        let next = Level::ALL.into_iter().find(|level| *level > self.level);
        let words = match next {
            Some(next) => {
                let needed = (all * next.from_percent()).div_ceil(100);
                format!("{} more chords to {}", needed.saturating_sub(played), next.title())
            }
            None => "every chord there is".to_owned(),
        };
        let percent = played as f32 / all.max(1) as f32;
        let title = line(self.level.title(), type_scale::TITLE, font::SEMIBOLD, tokens.text).fill();
        let counted = format!("{played} of {all} commands by their chords · {words}");
        column![
            row![title, quiet(tokens, counted)].align_y(Alignment::Center),
            bar(tokens, percent, WIDTH - 2.0 * space::L, tokens.accent),
        ]
        .spacing(space::S)
        .into()
    }

    fn groups<'a, Message: 'a>(&self, tokens: &'static Tokens) -> Element<'a, Message> {
        let rows = self.progress.iter().map(|one| {
            let done = one.played == one.all;
            let ink = if done { tokens.green } else { tokens.accent };
            let percent = one.played as f32 / one.all.max(1) as f32;
            row![
                line(one.group.title(), type_scale::SMALL, font::REGULAR, tokens.text).fill(),
                bar(tokens, percent, BAR, ink),
                container(quiet(tokens, format!("{} / {}", one.played, one.all))).width(52.0),
            ]
            .spacing(space::M)
            .align_y(Alignment::Center)
            .into()
        });
        section(tokens, "By what they are about", column(rows).spacing(2.0).into())
    }

    fn learn<'a, Message: 'a>(&self, tokens: &'static Tokens) -> Element<'a, Message> {
        let rows = self.next.iter().map(|(id, others, chord)| {
            let title = id.command().title.trim_end_matches('…');
            let often = match others {
                0 => String::new(),
                1 => "once by mouse or palette".to_owned(),
                times => format!("{times} times by mouse or palette"),
            };
            row![
                line(title, type_scale::SMALL, font::REGULAR, tokens.text).fill(),
                quiet(tokens, often),
                part::chord(tokens, chord),
            ]
            .spacing(space::S)
            .align_y(Alignment::Center)
            .into()
        });
        let body = if self.next.is_empty() {
            quiet(tokens, "Nothing is left to learn.")
        } else {
            column(rows).spacing(2.0).into()
        };
        section(tokens, "To learn next", body)
    }

    /// A bar for each day: chords, and what was done otherwise on top.
    fn history<'a, Message: 'a>(&self, tokens: &'static Tokens) -> Element<'a, Message> {
        let most =
            self.days.iter().map(|day| day.keys + day.others).max().unwrap_or_default().max(1);
        let (height, width) = GRAPH;
        let bars = self.days.iter().map(|day| {
            let high = |count: u32| (height * count as f32 / most as f32).round();
            let (others, keys) = (high(day.others), high(day.keys));
            let empty = (height - others - keys).max(0.0);
            let block = |ink, high: f32| {
                part::filled(ink, Length::Fixed(width), Length::Fixed(high.max(0.0)))
            };
            let ground = if day.keys + day.others == 0 { tokens.border } else { tokens.accent };
            column![
                block(iced::Color::TRANSPARENT, empty),
                block(tokens.strong, others),
                block(ground, keys.max(1.0)),
            ]
            .into()
        });
        let (streak, longest) = self.streak;
        let words = match streak {
            0 => format!("no chord today · longest: {longest} days in a row"),
            1 => format!("1 day in a row · longest {longest}"),
            days => format!("{days} days in a row · longest {longest}"),
        };
        let body = column![row(bars).spacing(3.0), quiet(tokens, words)].spacing(space::S);
        section(tokens, "Six weeks of chords, and of the rest", body.into())
    }

    fn conductor<'a, Message: 'a>(&self, tokens: &'static Tokens) -> Element<'a, Message> {
        let (rank, next) = mastery::rank(self.verified_ms);
        let minutes = self.verified_ms / 60_000;
        let title = rank.unwrap_or("No rank yet");
        let words = match next {
            Some((next, from)) => format!("{} of {} to {next}", long(minutes), long(from)),
            None => long(minutes),
        };
        let from = next.map_or(minutes.max(1), |(_, from)| from);
        let body = column![
            line(title, type_scale::BASE, font::MEDIUM, tokens.text),
            bar(tokens, minutes as f32 / from as f32, 2.0 * BAR, tokens.green),
            quiet(tokens, format!("{words} of Auto Run whose checks succeeded")),
        ]
        .spacing(space::XS);
        section(tokens, "Conductor", body.into())
    }

    fn achievements<'a, Message: 'a>(&self, tokens: &'static Tokens) -> Element<'a, Message> {
        let rows = ACHIEVEMENTS.iter().zip(&self.achieved).map(|(one, has)| {
            let (mark, ink) = if *has { ("◆", tokens.accent) } else { ("◇", tokens.faint) };
            let title = if *has { tokens.text } else { tokens.dim };
            row![
                line(mark, type_scale::SMALL, font::REGULAR, ink),
                line(one.title, type_scale::SMALL, font::MEDIUM, title),
                line(one.about, type_scale::SMALL, font::REGULAR, tokens.faint).fill(),
            ]
            .spacing(space::S)
            .into()
        });
        section(tokens, "Achievements", column(rows).spacing(2.0).into())
    }
}

/// Minutes as people say them.
fn long(minutes: u64) -> String {
    match minutes {
        0..60 => format!("{minutes} min"),
        60..2880 => format!("{} h", minutes / 60),
        _ => format!("{} days", minutes / 1440),
    }
}

fn quiet<'a, Message: 'a>(
    tokens: &'static Tokens,
    words: impl Into<String>,
) -> Element<'a, Message> {
    line(words, type_scale::SMALL, font::REGULAR, tokens.faint).into()
}

fn section<'a, Message: 'a>(
    tokens: &'static Tokens,
    title: &'static str,
    body: Element<'a, Message>,
) -> Element<'a, Message> {
    let title = line(title, type_scale::TINY, font::SEMIBOLD, tokens.faint);
    column![title, body].spacing(space::S).into()
}

/// A bar that is full to this part.
fn bar<'a, Message: 'a>(
    tokens: &'static Tokens,
    part: f32,
    width: f32,
    ink: iced::Color,
) -> Element<'a, Message> {
    let full = (part.clamp(0.0, 1.0) * width).round();
    let high = Length::Fixed(4.0);
    row![
        part::filled(ink, Length::Fixed(full), high),
        part::filled(tokens.border, Length::Fixed(width - full), high),
    ]
    .into()
}

#[cfg(test)]
mod tests {
    use maestro_core::keymap::Platform;
    use maestro_core::mastery::By;

    use super::*;

    #[test]
    fn the_page_shows_what_was_counted() {
        let (mut mastery, keymap) = (Mastery::default(), Keymap::new(Platform::Other));
        for _ in 0..4 {
            let _ = mastery.note(Id::AgentNew, By::Mouse, 7, &keymap);
        }
        let _ = mastery.note(Id::Palette, By::Keyboard, 7, &keymap);
        let page = View::new(&mastery, &keymap, 7);
        assert_eq!((page.level, page.sum.0), (Level::Beginner, 1));
        assert_eq!(page.next[0], (Id::AgentNew, 4, "Ctrl+N".to_owned()));
        assert_eq!(page.days.last().map(|day| (day.keys, day.others)), Some((1, 4)));
        assert_eq!((page.streak, page.achieved[0]), ((1, 1), true));
    }

    #[test]
    fn times_are_said_in_whole_units() {
        for (minutes, expected) in
            [(0, "0 min"), (59, "59 min"), (60, "1 h"), (2879, "47 h"), (2880, "2 days")]
        {
            assert_eq!(long(minutes), expected);
        }
    }
}

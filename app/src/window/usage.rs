//! What turns consumed: sums by day, agent, tab, model or provider.

use iced::widget::{column, container, row};
use iced::{Alignment, Element, Length};
use maestro_core::conversation::export;
use maestro_core::usage::{By, Sum};
use maestro_protocol::message::Command;
use maestro_ui::theme::{Tokens, extent, space, type_scale};
use maestro_ui::{font, line, part};

/// Width of the page.
pub const WIDTH: f32 = 760.0;

/// Rows shown at once.
const SHOWN: usize = 14;

/// A day in milliseconds.
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// What the sums are by, in the order of the page.
const BYS: [(By, &str); 5] = [
    (By::Day, "Day"),
    (By::Agent, "Agent"),
    (By::Tab, "Tab"),
    (By::Model, "Model"),
    (By::Provider, "Provider"),
];

/// How far back it looks, in days.
const RANGES: [(Option<u64>, &str); 4] =
    [(Some(7), "7 days"), (Some(30), "30 days"), (Some(365), "a year"), (None, "all time")];

/// The open page.
#[derive(Debug, Clone)]
pub struct Usage {
    by: usize,
    range: usize,
    now_ms: u64,
    sums: Option<Result<Vec<Sum>, String>>,
    top: usize,
    question: u64,
}

/// What happens on it.
#[derive(Debug, Clone)]
pub enum Message {
    /// Sums by something else.
    By(usize),
    /// Another span of time.
    Range(usize),
    /// The host answered a question.
    Heard(u64, Result<Vec<Sum>, String>),
}

/// What is to be asked of the host, and the question's number.
pub type Question = (u64, Command);

impl Usage {
    /// An open page, and its question.
    #[must_use]
    pub fn new(now_ms: u64) -> (Self, Question) {
        let mut page = Self { by: 0, range: 0, now_ms, sums: None, top: 0, question: 0 };
        let question = page.ask();
        (page, question)
    }

    /// Takes in what happened.
    pub fn update(&mut self, message: Message) -> Option<Question> {
        match message {
            Message::By(by) => {
                self.by = by.min(BYS.len() - 1);
                Some(self.ask())
            }
            Message::Range(range) => {
                self.range = range.min(RANGES.len() - 1);
                Some(self.ask())
            }
            Message::Heard(question, sums) => {
                if question == self.question {
                    self.sums = Some(sums);
                }
                None
            }
        }
    }

    /// Sums by the next thing, or the one before.
    pub fn step_by(&mut self, by: isize) -> Option<Question> {
        let next = (self.by as isize + by).rem_euclid(BYS.len() as isize);
        self.update(Message::By(next as usize))
    }

    /// Looks further back, and from all time to the last days again.
    pub fn step_range(&mut self) -> Option<Question> {
        self.update(Message::Range((self.range + 1) % RANGES.len()))
    }

    /// Moves the rows.
    pub fn scroll(&mut self, by: isize) {
        let last = self.rows().len().saturating_sub(SHOWN);
        self.top = self.top.saturating_add_signed(by).min(last);
    }

    fn ask(&mut self) -> Question {
        self.question += 1;
        self.top = 0;
        let since_ms = RANGES[self.range].0.map(|days| self.now_ms.saturating_sub(days * DAY_MS));
        (self.question, Command::ReadUsage { by: BYS[self.by].0, since_ms })
    }

    fn rows(&self) -> &[Sum] {
        match &self.sums {
            Some(Ok(sums)) => sums,
            _ => &[],
        }
    }

    /// The page.
    pub fn view(&self, tokens: &'static Tokens) -> Element<'_, Message> {
        let title = row![
            line("Usage", type_scale::TITLE, font::SEMIBOLD, tokens.text).fill(),
            line(self.total(), type_scale::LARGE, font::REGULAR, tokens.dim),
        ]
        .align_y(Alignment::Center);
        let bys = BYS
            .iter()
            .enumerate()
            .map(|(at, (_, label))| part::toggle(tokens, label, at == self.by, Message::By(at)));
        let ranges = RANGES.iter().enumerate().map(|(at, (_, label))| {
            part::toggle(tokens, label, at == self.range, Message::Range(at))
        });
        let choices = row![
            row(bys).spacing(space::XS),
            line("", type_scale::SMALL, font::REGULAR, tokens.faint).fill(),
            row(ranges).spacing(space::XS),
        ];
        let quiet = |words: &str| line(words, type_scale::SMALL, font::REGULAR, tokens.faint);
        let foot = row![
            part::chord(tokens, "Tab"),
            quiet("by something else"),
            part::chord(tokens, "↵"),
            quiet("other days"),
            part::chord(tokens, "Esc"),
            quiet("close"),
            quiet("").fill(),
        ]
        .push(self.rows().iter().any(is_estimated).then(|| quiet("≈ from list prices")))
        .spacing(space::S)
        .align_y(Alignment::Center);
        column![title, choices, part::rule(tokens), self.table(tokens), part::rule(tokens), foot]
            .spacing(space::M)
            .padding(space::XL)
            .into()
    }

    fn table(&self, tokens: &'static Tokens) -> Element<'_, Message> {
        let words = match &self.sums {
            None => "Adding up…".to_owned(),
            Some(Err(why)) => part::sentence(why),
            Some(Ok(sums)) if sums.is_empty() => {
                "Nothing was said in a conversation in this time. \
                 Turns in an agent's own interface are counted by that agent."
                    .to_owned()
            }
            Some(Ok(sums)) => return rows(tokens, sums, self.top),
        };
        let ink = if matches!(self.sums, Some(Err(_))) { tokens.red } else { tokens.dim };
        container(part::paragraph(words, type_scale::BASE, font::REGULAR, ink))
            .padding([space::XL, 0.0])
            .into()
    }

    /// What it is all together.
    fn total(&self) -> String {
        let sums = self.rows();
        // A sum of nothing is −0 in floating point, which would be shown as it is.
        let cost = sums.iter().filter_map(dollars).fold(0.0, |all: f64, cost| all + cost);
        let turns: u64 = sums.iter().map(|sum| sum.turns).sum();
        let about = if sums.iter().any(is_estimated) { "≈ " } else { "" };
        match turns {
            0 => String::new(),
            1 => format!("{about}${cost:.2} · 1 turn"),
            turns => format!("{about}${cost:.2} · {turns} turns"),
        }
    }
}

fn is_estimated(sum: &Sum) -> bool {
    sum.estimated_usd.is_some_and(|cost| cost > 0.0)
}

/// What a sum cost: the providers' figures, and list prices for what they did not tell.
fn dollars(sum: &Sum) -> Option<f64> {
    match (sum.usage.cost_usd, sum.estimated_usd) {
        (None, None) => None,
        (told, estimated) => Some(told.unwrap_or(0.0) + estimated.unwrap_or(0.0)),
    }
}

fn rows<'a>(tokens: &'static Tokens, sums: &'a [Sum], top: usize) -> Element<'a, Message> {
    let size = |sum: &Sum| sum.usage.input_tokens + sum.usage.output_tokens;
    let most = sums.iter().map(size).max().unwrap_or(1).max(1);
    let cell = |words: String, width: f32, ink| {
        container(line(words, type_scale::SMALL, font::REGULAR, ink))
            .width(width)
            .align_x(Alignment::End)
    };
    let head = row![
        line("", type_scale::SMALL, font::REGULAR, tokens.faint).fill(),
        cell("turns".to_owned(), 56.0, tokens.faint),
        cell("in".to_owned(), 72.0, tokens.faint),
        cell("cached".to_owned(), 72.0, tokens.faint),
        cell("out".to_owned(), 72.0, tokens.faint),
        cell("cost".to_owned(), 84.0, tokens.faint),
    ];
    let shown = sums.iter().skip(top).take(SHOWN).map(|sum| {
        let share = (u128::from(size(sum)) * 1000 / u128::from(most)) as u32;
        let bar = container(part::progress(tokens, share, 1000, tokens.blue)).max_width(150.0);
        // In a narrow window the name and the bar share what is left.
        let bar = container(bar).width(Length::Fill);
        let cost = match dollars(sum) {
            Some(cost) if is_estimated(sum) => format!("≈ ${cost:.2}"),
            Some(cost) => format!("${cost:.2}"),
            None => "—".to_owned(),
        };
        let name = maestro_core::text::clean(&sum.of, 80);
        row![
            line(name, type_scale::BASE, font::MEDIUM, tokens.text).fill(),
            bar,
            cell(sum.turns.to_string(), 56.0, tokens.dim),
            cell(export::tokens(sum.usage.input_tokens), 72.0, tokens.dim),
            cell(export::tokens(sum.usage.cached_tokens), 72.0, tokens.dim),
            cell(export::tokens(sum.usage.output_tokens), 72.0, tokens.dim),
            cell(cost, 84.0, tokens.text),
        ]
        .height(extent::ROW)
        .align_y(Alignment::Center)
        .into()
    });
    let below = sums.len().saturating_sub(top + SHOWN);
    let more = (below > 0)
        .then(|| line(format!("{below} more"), type_scale::SMALL, font::REGULAR, tokens.faint));
    column![head].extend(shown).push(more).width(Length::Fill).into()
}

#[cfg(test)]
mod tests {
    use maestro_core::turn;

    use super::*;

    fn sum(told: Option<f64>, estimated: Option<f64>) -> Sum {
        let usage = turn::Usage { cost_usd: told, ..turn::Usage::default() };
        Sum { of: "x".into(), turns: 1, usage, estimated_usd: estimated }
    }

    #[test]
    fn a_cost_is_what_was_told_and_what_prices_say_of_the_rest() {
        for (told, estimated, expected, about) in [
            (None, None, None, false),
            (Some(1.0), None, Some(1.0), false),
            (Some(1.0), Some(0.5), Some(1.5), true),
            (None, Some(0.5), Some(0.5), true),
            (Some(1.0), Some(0.0), Some(1.0), false),
        ] {
            let sum = sum(told, estimated);
            assert_eq!((dollars(&sum), is_estimated(&sum)), (expected, about));
        }
    }

    #[test]
    fn late_answers_are_dropped() {
        let (mut page, (first, _)) = Usage::new(10 * DAY_MS);
        let (second, command) = page.step_by(1).expect("another question");
        let since_ms = Some(3 * DAY_MS);
        assert_eq!(command, Command::ReadUsage { by: By::Agent, since_ms });
        let _ = page.update(Message::Heard(first, Ok(vec![sum(None, None)])));
        assert!(page.sums.is_none());
        let _ = page.update(Message::Heard(second, Ok(vec![sum(None, None)])));
        assert_eq!(page.total(), "$0.00 · 1 turn");
        let _ = page.update(Message::Heard(second, Ok(vec![sum(Some(0.5), None)])));
        assert_eq!(page.total(), "$0.50 · 1 turn");
    }

    #[test]
    fn the_choices_go_round() {
        let (mut page, _) = Usage::new(0);
        for _ in RANGES {
            let _ = page.step_range();
        }
        let _ = page.step_by(-1);
        assert_eq!((page.range, page.by), (0, BYS.len() - 1));
    }

    #[test]
    fn tokens_are_short() {
        for (tokens, expected) in
            [(999, "999"), (38_249, "38.2k"), (999_960, "1.0M"), (1_250_000, "1.2M")]
        {
            assert_eq!(export::tokens(tokens), expected);
        }
    }
}

//! What drawing costs, in a corner: counted all the time for next to nothing, added up only while somebody
//! looks.

use std::time::Duration;

use iced::widget::{Column, column, container, row};
use iced::{Element, Length};
use maestro_grid::Counts;
use maestro_protocol::message::TerminalStats;
use maestro_ui::theme::{Tokens, radius, space, type_scale};
use maestro_ui::{font, line, style};

/// How often it looks.
pub const PERIOD: Duration = Duration::from_millis(500);

/// More terminals than these are only added up.
const SHOWN: usize = 12;

/// The open overlay.
#[derive(Debug, Clone, Default)]
pub struct Debug {
    before: Option<Sample>,
    now: Option<Sample>,
    terminals: Vec<TerminalStats>,
    /// Why the host told nothing.
    silent: Option<String>,
}

/// What had been counted at an instant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// Milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// Of the terminals' drawing.
    pub counts: Counts,
    /// How often the view was built.
    pub views: u64,
    /// Events and frames that wait in the connection.
    pub waiting: usize,
}

impl Debug {
    /// Takes in what has been counted.
    pub fn sampled(&mut self, sample: Sample) {
        self.before = self.now.replace(sample);
    }

    /// The host told what its terminals cost, or why it does not.
    pub fn heard(&mut self, stats: Result<Vec<TerminalStats>, String>) {
        match stats {
            Ok(mut stats) => {
                stats.sort_by_key(|stats| std::cmp::Reverse(stats.hot_bytes + stats.cold_bytes));
                (self.terminals, self.silent) = (stats, None);
            }
            Err(why) => self.silent = Some(why),
        }
    }

    /// What is shown: names and values.
    fn rows(&self) -> Vec<(&'static str, String)> {
        let (Some(before), Some(now)) = (self.before, self.now) else {
            return vec![("counting", "…".to_owned())];
        };
        let seconds = (now.at_ms.saturating_sub(before.at_ms)).max(1) as f64 / 1000.0;
        let (b, n) = (&before.counts, &now.counts);
        let rate = |before: u64, now: u64| {
            let per_second = now.saturating_sub(before) as f64 / seconds;
            if per_second < 10.0 {
                format!("{per_second:.1}/s")
            } else {
                format!("{per_second:.0}/s")
            }
        };
        let drawn = n.frames.saturating_sub(b.frames).max(1) as f64;
        let per_frame = |before: Duration, now: Duration| {
            format!("{:.0} µs", now.saturating_sub(before).as_secs_f64() * 1e6 / drawn)
        };
        let uploaded = n.uploaded_bytes.saturating_sub(b.uploaded_bytes);
        vec![
            ("frames drawn", format!("{} · {} in all", rate(b.frames, n.frames), n.frames)),
            ("redraws asked for", rate(b.requests, n.requests)),
            ("views built", format!("{} · {} in all", rate(before.views, now.views), now.views)),
            (
                "frames received",
                format!(
                    "{} · {} rows",
                    rate(b.applied_frames, n.applied_frames),
                    rate(b.applied_rows, n.applied_rows)
                ),
            ),
            (
                "rows encoded",
                format!(
                    "{} · {}",
                    rate(b.encoded_rows, n.encoded_rows),
                    per_frame(b.encoding, n.encoding)
                ),
            ),
            (
                "uploaded",
                format!(
                    "{}/s · {}",
                    bytes((uploaded as f64 / seconds) as u64),
                    per_frame(b.uploading, n.uploading)
                ),
            ),
            ("recording", per_frame(b.recording, n.recording)),
            (
                "atlas",
                format!("{} of {} · {}", n.atlas.masks.0, n.atlas.masks.1, bytes(n.atlas.bytes)),
            ),
            ("news waiting", now.waiting.to_string()),
        ]
    }

    /// The overlay.
    pub fn view<'a, Message: 'a>(&self, tokens: &'static Tokens) -> Element<'a, Message> {
        let cell = |words: String, width: f32, ink| {
            container(line(words, type_scale::TINY, font::MONO, ink)).width(width).clip(true)
        };
        let facts = self.rows().into_iter().map(|(name, value)| {
            row![cell(name.to_owned(), 130.0, tokens.faint), cell(value, 260.0, tokens.text)].into()
        });
        let columns = [72.0, 72.0, 72.0, 58.0, 58.0, 58.0];
        let table = |cells: [String; 6], ink| -> Element<'a, Message> {
            let cells = cells.into_iter().zip(columns);
            row(cells.map(|(words, width)| cell(words, width, ink).into())).into()
        };
        let heading = ["terminal", "hot", "cold", "rows", "unread", "unsent"].map(str::to_owned);
        let terminals = self.terminals.iter().take(SHOWN).map(|stats| {
            let cells = [
                stats.terminal.to_string(),
                bytes(stats.hot_bytes),
                bytes(stats.cold_bytes),
                count(stats.history),
                bytes(stats.waiting),
                bytes(stats.unwritten),
            ];
            table(cells, tokens.text)
        });
        let sum = |of: fn(&TerminalStats) -> u64| self.terminals.iter().map(of).sum::<u64>();
        let all = [
            format!("all {}", self.terminals.len()),
            bytes(sum(|stats| stats.hot_bytes)),
            bytes(sum(|stats| stats.cold_bytes)),
            count(sum(|stats| stats.history)),
            bytes(sum(|stats| stats.waiting)),
            bytes(sum(|stats| stats.unwritten)),
        ];
        let silent = self.silent.clone().map(|why| {
            container(line(why, type_scale::TINY, font::REGULAR, tokens.red))
                .width(Length::Fixed(390.0))
        });
        let content = column![
            Column::with_children(facts),
            Column::with_children(
                std::iter::once(table(heading, tokens.faint))
                    .chain(terminals)
                    .chain([table(all, tokens.dim)])
            ),
        ]
        .push(silent)
        .spacing(space::S);
        container(content)
            .padding(space::M)
            .style(move |_| style::floating(tokens, radius::CARD))
            .into()
    }
}

/// Bytes as a person reads them.
fn bytes(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} B"),
        10_000..10_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.0} MB", bytes as f64 / 1e6),
    }
}

fn count(count: u64) -> String {
    match count {
        0..10_000 => count.to_string(),
        10_000..1_000_000 => format!("{:.0} k", count as f64 / 1e3),
        _ => format!("{:.1} M", count as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_of_the_time_between() {
        let mut debug = Debug::default();
        assert_eq!(debug.rows().len(), 1);
        let sample = |at_ms, frames, views| Sample {
            at_ms,
            counts: Counts { frames, ..Counts::default() },
            views,
            waiting: 0,
        };
        debug.sampled(sample(1000, 10, 4));
        debug.sampled(sample(1500, 40, 5));
        let rows = debug.rows();
        assert_eq!(rows[0], ("frames drawn", "60/s · 40 in all".to_owned()));
        assert_eq!(rows[2], ("views built", "2.0/s · 5 in all".to_owned()));
    }

    #[test]
    fn numbers_are_short() {
        for (number, expected) in
            [(0, "0 B"), (9_999, "9999 B"), (1_540_000, "1.5 MB"), (64_000_000, "64 MB")]
        {
            assert_eq!(bytes(number), expected);
        }
        assert_eq!((count(9_999), count(512_300)), ("9999".to_owned(), "512 k".to_owned()));
    }
}

//! How well somebody plays the keyboard: which commands were fired by their chords, which ones still by
//! the mouse or the palette, day by day; and how long runs worked on what was verified.
//!
//! Everything here is a count. What is known stays on this machine.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::command::{self, Command, Group, Id};
use crate::keymap::Keymap;

/// Days that are remembered one by one.
const DAYS: usize = 400;

/// So often the mouse or the palette is used for something before its chord is shown.
const TAUGHT_AFTER: u32 = 3;

/// A day in milliseconds.
pub const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// How a command was fired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// By its chord.
    Keyboard,
    /// From the palette or from help.
    Palette,
    /// By the mouse.
    Mouse,
}

/// A level, by the part of all commands with a chord that were fired by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// From the first day.
    Beginner,
    /// From a quarter.
    Student,
    /// From a half.
    Performer,
    /// From three quarters.
    Virtuoso,
    /// All of them.
    KeyboardMaestro,
}

impl Level {
    /// Every level, the lowest first.
    pub const ALL: [Self; 5] =
        [Self::Beginner, Self::Student, Self::Performer, Self::Virtuoso, Self::KeyboardMaestro];

    /// The level of so many out of all.
    #[must_use]
    pub fn of(played: usize, all: usize) -> Self {
        match played * 4 / all.max(1) {
            0 => Self::Beginner,
            1 => Self::Student,
            2 => Self::Performer,
            3 => Self::Virtuoso,
            _ => Self::KeyboardMaestro,
        }
    }

    /// What it is called.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Beginner => "Beginner",
            Self::Student => "Student",
            Self::Performer => "Performer",
            Self::Virtuoso => "Virtuoso",
            Self::KeyboardMaestro => "Keyboard Maestro",
        }
    }

    /// From which percentage it is reached.
    #[must_use]
    pub fn from_percent(self) -> usize {
        self as usize * 25
    }
}

/// Ranks of conductors, each with the minutes of verified work from which it is reached.
pub const RANKS: [(&str, u64); 11] = [
    ("Apprentice Conductor", 15),
    ("Assistant Conductor", 60),
    ("Associate Conductor", 8 * 60),
    ("Resident Conductor", 24 * 60),
    ("Principal Guest Conductor", 7 * 24 * 60),
    ("Chief Conductor", 30 * 24 * 60),
    ("Music Director", 90 * 24 * 60),
    ("Maestro Emeritus", 180 * 24 * 60),
    ("World Maestro", 365 * 24 * 60),
    ("Grand Maestro", 5 * 365 * 24 * 60),
    ("Titan of the Baton", 10 * 365 * 24 * 60),
];

/// The rank that so much verified work has reached, and the next one.
#[must_use]
pub fn rank(verified_ms: u64) -> (Option<&'static str>, Option<(&'static str, u64)>) {
    let minutes = verified_ms / 60_000;
    let reached = RANKS.iter().take_while(|(_, from)| minutes >= *from).count();
    let now = reached.checked_sub(1).and_then(|at| RANKS.get(at)).map(|(title, _)| *title);
    (now, RANKS.get(reached).copied())
}

/// How long it is that one or more of these spans cover, in milliseconds: what ran side by side counts
/// once.
#[must_use]
pub fn covered_ms(mut spans: Vec<(u64, u64)>) -> u64 {
    spans.retain(|(begin, end)| begin < end);
    spans.sort_unstable();
    let (mut covered, mut until) = (0, 0);
    for (begin, end) in spans {
        covered += end.saturating_sub(begin.max(until));
        until = until.max(end);
    }
    covered
}

/// What is known of one command.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Played {
    keys: u32,
    others: u32,
    /// How often it was fired by other ways since it was last fired by its chord or shown.
    since: u32,
    /// Whether its chord was shown.
    taught: bool,
}

/// What is known of one day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Day {
    /// Commands that were fired by their chords.
    pub keys: u32,
    /// Commands that were fired otherwise.
    pub others: u32,
    /// How many were fired by their chords for the first time.
    pub learned: u32,
}

/// Everything that is counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Mastery {
    commands: BTreeMap<String, Played>,
    /// By the number of the day since 1970.
    days: BTreeMap<u64, Day>,
    /// Achievements that were told.
    told: BTreeSet<String>,
    /// Verified work of runs, by their ids, in milliseconds.
    verified: BTreeMap<u64, Vec<(u64, u64)>>,
}

/// What came of something that was counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// A level was reached.
    Level(Level),
    /// An achievement.
    Achieved(&'static Achievement),
    /// A chord is worth showing.
    Teach(Id),
}

/// Something that can be achieved.
#[derive(Debug, PartialEq, Eq)]
pub struct Achievement {
    /// The name under which it is kept.
    pub name: &'static str,
    /// What it is called.
    pub title: &'static str,
    /// What it is for.
    pub about: &'static str,
}

/// Every achievement, in the order of the page.
pub const ACHIEVEMENTS: [Achievement; 8] = [
    Achievement { name: "first", title: "First note", about: "One command by its chord" },
    Achievement { name: "hundred", title: "Études", about: "100 commands by their chords" },
    Achievement { name: "thousand", title: "Repertoire", about: "1000 commands by their chords" },
    Achievement {
        name: "day",
        title: "Hands off the mouse",
        about: "50 chords in a day, and nothing else",
    },
    Achievement {
        name: "week",
        title: "A week of practice",
        about: "Chords on seven days in a row",
    },
    Achievement { name: "month", title: "A season", about: "Chords on thirty days in a row" },
    Achievement { name: "group", title: "A section by heart", about: "Every chord of one group" },
    Achievement { name: "five", title: "Five at once", about: "Five new chords in a day" },
];

/// How far one is in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The group.
    pub group: Group,
    /// Commands that were fired by their chords.
    pub played: usize,
    /// Commands that have one.
    pub all: usize,
}

/// Whether a command is one that can be mastered: it is looked up by people, and has a chord.
fn counts(command: &Command, keymap: &Keymap) -> bool {
    command.listed && !keymap.chords(command.id).is_empty()
}

impl Mastery {
    /// A command was fired on a day. What comes of it is told once.
    pub fn note(&mut self, id: Id, by: By, day: u64, keymap: &Keymap) -> Vec<News> {
        let command = id.command();
        if !counts(command, keymap) {
            return Vec::new();
        }
        let before = self.level(keymap);
        let played = self.commands.entry(command.name.to_owned()).or_default();
        let today = self.days.entry(day).or_default();
        let mut news = Vec::new();
        if by == By::Keyboard {
            today.learned += u32::from(played.keys == 0);
            today.keys = today.keys.saturating_add(1);
            (played.keys, played.since) = (played.keys.saturating_add(1), 0);
        } else {
            today.others = today.others.saturating_add(1);
            played.others = played.others.saturating_add(1);
            played.since = played.since.saturating_add(1);
            if played.since >= TAUGHT_AFTER && !played.taught && played.keys == 0 {
                played.taught = true;
                news.push(News::Teach(id));
            }
        }
        while self.days.len() > DAYS {
            let _ = self.days.pop_first();
        }
        let level = self.level(keymap);
        if level > before && self.told.insert(format!("level {}", level.title())) {
            news.push(News::Level(level));
        }
        let new: Vec<&'static Achievement> = ACHIEVEMENTS
            .iter()
            .filter(|one| !self.told.contains(one.name) && self.achieved(one.name, day, keymap))
            .collect();
        for achievement in new {
            let _ = self.told.insert(achievement.name.to_owned());
            news.push(News::Achieved(achievement));
        }
        news
    }

    fn achieved(&self, name: &str, day: u64, keymap: &Keymap) -> bool {
        let keys: u64 = self.commands.values().map(|played| u64::from(played.keys)).sum();
        let today = self.days.get(&day).copied().unwrap_or_default();
        match name {
            "first" => keys >= 1,
            "hundred" => keys >= 100,
            "thousand" => keys >= 1000,
            "day" => today.keys >= 50 && today.others == 0,
            "week" => self.streak(day) >= 7,
            "month" => self.streak(day) >= 30,
            "group" => {
                self.progress(keymap).iter().any(|one| one.all >= 3 && one.played == one.all)
            }
            "five" => today.learned >= 5,
            _ => false,
        }
    }

    /// Whether an achievement was reached.
    #[must_use]
    pub fn has(&self, achievement: &Achievement) -> bool {
        self.told.contains(achievement.name)
    }

    /// How many commands were fired by their chords, and how many have one.
    #[must_use]
    pub fn sum(&self, keymap: &Keymap) -> (usize, usize) {
        let progress = self.progress(keymap);
        (progress.iter().map(|one| one.played).sum(), progress.iter().map(|one| one.all).sum())
    }

    /// The level.
    #[must_use]
    pub fn level(&self, keymap: &Keymap) -> Level {
        let (played, all) = self.sum(keymap);
        Level::of(played, all)
    }

    fn keys(&self, command: &Command) -> u32 {
        self.commands.get(command.name).map_or(0, |played| played.keys)
    }

    /// How far one is in each group that has chords.
    #[must_use]
    pub fn progress(&self, keymap: &Keymap) -> Vec<Progress> {
        let of = |group: Group| {
            let all = command::ALL.iter().filter(|it| it.group == group && counts(it, keymap));
            let all: Vec<&Command> = all.collect();
            let played = all.iter().filter(|it| self.keys(it) > 0).count();
            Progress { group, played, all: all.len() }
        };
        Group::ALL.into_iter().map(of).filter(|one| one.all > 0).collect()
    }

    /// What is worth learning: never fired by its chord; what is done otherwise the most comes first, then
    /// the order of the registry. With how often it was.
    #[must_use]
    pub fn next(&self, keymap: &Keymap, count: usize) -> Vec<(Id, u32)> {
        let mut next: Vec<(Id, u32)> = command::ALL
            .iter()
            .filter(|command| counts(command, keymap) && self.keys(command) == 0)
            .map(|it| (it.id, self.commands.get(it.name).map_or(0, |played| played.others)))
            .collect();
        next.sort_by_key(|(_, others)| std::cmp::Reverse(*others));
        next.truncate(count);
        next
    }

    /// The last days up to one, the oldest first.
    #[must_use]
    pub fn last_days(&self, day: u64, count: u64) -> Vec<Day> {
        let first = (day + 1).saturating_sub(count);
        (first..=day).map(|day| self.days.get(&day).copied().unwrap_or_default()).collect()
    }

    /// On how many days in a row chords were used, today or up to yesterday.
    #[must_use]
    pub fn streak(&self, day: u64) -> u64 {
        let played = |day: &u64| self.days.get(day).is_some_and(|day| day.keys > 0);
        let last = if played(&day) { Some(day) } else { day.checked_sub(1) };
        let Some(last) = last else { return 0 };
        (0..=last).rev().take_while(played).count() as u64
    }

    /// The longest that `streak` ever was, of the days that are known.
    #[must_use]
    pub fn longest_streak(&self) -> u64 {
        let (mut longest, mut now, mut before) = (0, 0, None);
        for (day, _) in self.days.iter().filter(|(_, day)| day.keys > 0) {
            now = if before.is_some_and(|before| before + 1 == *day) { now + 1 } else { 1 };
            before = Some(*day);
            longest = longest.max(now);
        }
        longest
    }

    /// When a run's verified tasks were worked on. What is known of a run is replaced, so it counts once.
    pub fn verified(&mut self, run: u64, spans: Vec<(u64, u64)>) -> bool {
        if spans.is_empty() || self.verified.get(&run) == Some(&spans) {
            return false;
        }
        let _ = self.verified.insert(run, spans);
        true
    }

    /// How long runs worked on tasks whose check succeeded; what ran side by side counts once.
    #[must_use]
    pub fn verified_ms(&self) -> u64 {
        covered_ms(self.verified.values().flatten().copied().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keymap::Platform;

    const DAY: u64 = 20_000;

    fn keymap() -> Keymap {
        Keymap::new(Platform::Other)
    }

    fn all() -> Vec<Id> {
        let keymap = keymap();
        command::ALL.iter().filter(|it| counts(it, &keymap)).map(|it| it.id).collect()
    }

    #[test]
    fn levels_are_quarters_of_all_chords() {
        for (played, all, level) in [
            (0, 80, Level::Beginner),
            (19, 80, Level::Beginner),
            (20, 80, Level::Student),
            (40, 80, Level::Performer),
            (60, 80, Level::Virtuoso),
            (79, 80, Level::Virtuoso),
            (80, 80, Level::KeyboardMaestro),
            (0, 0, Level::Beginner),
        ] {
            assert_eq!(Level::of(played, all), level, "{played} of {all}");
        }
        let percents = Level::ALL.map(Level::from_percent);
        assert_eq!(percents, [0, 25, 50, 75, 100]);
    }

    #[test]
    fn only_chords_of_different_commands_count_and_a_level_is_told_once() {
        let (mut mastery, keymap) = (Mastery::default(), keymap());
        let mut levels = Vec::new();
        for id in all() {
            for by in [By::Palette, By::Mouse] {
                let _ = mastery.note(id, by, DAY, &keymap);
            }
            assert!(mastery.next(&keymap, 500).iter().any(|(next, _)| *next == id));
            for _ in 0..2 {
                let news = mastery.note(id, By::Keyboard, DAY, &keymap);
                levels.extend(news.into_iter().filter_map(|news| match news {
                    News::Level(level) => Some(level),
                    _ => None,
                }));
            }
        }
        assert_eq!(levels, Level::ALL[1..]);
        assert_eq!(mastery.sum(&keymap), (all().len(), all().len()));
        assert_eq!(mastery.next(&keymap, 5), []);
        // What nobody looks up counts nothing.
        assert_eq!(mastery.note(Id::ListUp, By::Keyboard, DAY, &keymap), []);
    }

    #[test]
    fn a_chord_is_taught_once_after_the_third_time() {
        let (mut mastery, keymap) = (Mastery::default(), keymap());
        let taught = |mastery: &mut Mastery, by| {
            let news = mastery.note(Id::AgentNew, by, DAY, &keymap);
            news.contains(&News::Teach(Id::AgentNew))
        };
        let told: Vec<bool> =
            [By::Mouse, By::Palette, By::Mouse, By::Mouse, By::Palette, By::Mouse, By::Mouse]
                .map(|by| taught(&mut mastery, by))
                .to_vec();
        assert_eq!(told, [false, false, true, false, false, false, false]);
        // Who knows the chord is not taught it.
        let mut mastery = Mastery::default();
        let ways = [By::Keyboard, By::Mouse, By::Mouse, By::Mouse, By::Mouse];
        assert!(ways.into_iter().all(|by| !taught(&mut mastery, by)));
        // A command without a chord has none to teach.
        assert_eq!(mastery.note(Id::AgentRename, By::Mouse, DAY, &keymap), []);
    }

    #[test]
    fn what_the_mouse_does_most_is_learned_next() {
        let (mut mastery, keymap) = (Mastery::default(), keymap());
        for (id, times) in [(Id::Palette, 2), (Id::AgentNew, 5), (Id::ToggleShell, 9)] {
            for _ in 0..times {
                let _ = mastery.note(id, By::Mouse, DAY, &keymap);
            }
        }
        let _ = mastery.note(Id::ToggleShell, By::Keyboard, DAY, &keymap);
        assert_eq!(mastery.next(&keymap, 2), [(Id::AgentNew, 5), (Id::Palette, 2)]);
    }

    #[test]
    fn days_in_a_row_are_counted_up_to_yesterday() {
        let (mut mastery, keymap) = (Mastery::default(), keymap());
        for day in [1, 2, 3, 4, 5, 6, 7, 10, 11] {
            let _ = mastery.note(Id::Palette, By::Keyboard, day, &keymap);
        }
        let _ = mastery.note(Id::Palette, By::Mouse, 12, &keymap);
        for (day, streak) in [(7, 7), (8, 7), (9, 0), (11, 2), (12, 2), (13, 0), (0, 0)] {
            assert_eq!(mastery.streak(day), streak, "{day}");
        }
        assert_eq!(mastery.longest_streak(), 7);
        assert!(mastery.has(&ACHIEVEMENTS[0]) && mastery.has(&ACHIEVEMENTS[4]));
        let days = mastery.last_days(12, 3);
        assert_eq!(
            days.iter().map(|day| (day.keys, day.others)).collect::<Vec<_>>(),
            [(1, 0), (1, 0), (0, 1)]
        );
        for day in 0..1000 {
            let _ = mastery.note(Id::Palette, By::Keyboard, day, &keymap);
        }
        assert_eq!(mastery.days.len(), DAYS);
    }

    #[test]
    fn ranks_go_by_time_that_is_counted_once() {
        for (spans, covered) in [
            (vec![], 0),
            (vec![(0, 10), (20, 30)], 20),
            (vec![(5, 15), (0, 10), (10, 12)], 15),
            (vec![(0, 100), (10, 20), (30, 5)], 100),
        ] {
            assert_eq!(covered_ms(spans.clone()), covered, "{spans:?}");
        }
        let mut mastery = Mastery::default();
        assert!(mastery.verified(1, vec![(0, 10 * 60_000)]));
        assert!(!mastery.verified(1, vec![(0, 10 * 60_000)]), "known already");
        assert!(mastery.verified(2, vec![(5 * 60_000, 16 * 60_000)]));
        assert_eq!(mastery.verified_ms(), 16 * 60_000);
        assert_eq!(rank(mastery.verified_ms()).0, Some("Apprentice Conductor"));
        assert_eq!(rank(0), (None, Some(RANKS[0])));
        assert_eq!(rank(u64::MAX), (Some("Titan of the Baton"), None));
    }

    #[test]
    fn what_is_kept_is_read_again() {
        let (mut mastery, keymap) = (Mastery::default(), keymap());
        let _ = mastery.note(Id::Palette, By::Keyboard, DAY, &keymap);
        let text = serde_json::to_string(&mastery).expect("written");
        assert_eq!(serde_json::from_str::<Mastery>(&text).expect("read"), mastery);
        assert_eq!(serde_json::from_str::<Mastery>("{}").expect("read"), Mastery::default());
    }
}

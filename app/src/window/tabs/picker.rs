//! A list to choose one thing from, found by a few letters: policies, models, tabs that were closed.

use iced::widget::{Column, button, column, container, row, text_input};
use iced::{Alignment, Color, Element, Length, Padding};
use maestro_core::conversation::{Menu, Policy, Tab};
use maestro_core::{ItemId, TabId, fuzzy};
use maestro_protocol::message::{ItemChange, TabChange, TabHit};
use maestro_ui::theme::{Tokens, extent, space, type_scale};
use maestro_ui::{font, line, part, style};

use super::title;
use crate::window::ago;

/// The input's id.
pub const INPUT: &str = "picker-input";

/// Rows shown at once; more scroll.
const SHOWN: usize = 9;

/// Height of a row.
const ROW: f32 = 40.0;

/// What is above and below the rows in a low window: its edges, heading and input, the keys.
const AROUND: f32 = 160.0;

/// What a choice does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pick {
    /// Changes a tab.
    Change(TabId, TabChange),
    /// Opens a closed tab again and shows it.
    Reopen(TabId),
    /// Shows an entry of a tab.
    Entry(TabId, u64),
    /// Changes something that waits.
    Item(ItemId, ItemChange),
}

/// A row.
#[derive(Debug, Clone)]
struct Row {
    pick: Pick,
    title: String,
    about: String,
    now: bool,
    matched: Vec<usize>,
}

/// An open list.
#[derive(Debug, Clone)]
pub struct Picker {
    heading: String,
    hint: &'static str,
    query: String,
    all: Vec<Row>,
    rows: Vec<Row>,
    marked: usize,
    /// Words are looked for in all tabs as they are typed, by the host.
    pub searches: bool,
    /// Whether what can be chosen is still on its way.
    waits: bool,
}

/// What happens in it.
#[derive(Debug, Clone)]
pub enum Message {
    /// What is looked for is something else.
    Queried(String),
    /// A row was pressed.
    Picked(usize),
}

/// What the shell is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    None,
    /// Close it and do this.
    Go(Pick),
    /// Look for words in all tabs.
    Search(String),
}

impl Picker {
    fn new(heading: impl Into<String>, hint: &'static str, all: Vec<Row>) -> Self {
        let marked = all.iter().position(|row| row.now).unwrap_or(0);
        Self {
            heading: heading.into(),
            hint,
            query: String::new(),
            rows: all.clone(),
            all,
            marked,
            searches: false,
            waits: false,
        }
    }

    /// What an agent may do without asking; those that its provider can enforce.
    #[must_use]
    pub fn policy(tab: &Tab, menu: Option<&Menu>) -> Self {
        let can = |policy: &Policy| {
            menu.is_none_or(|menu| menu.policies.is_empty() || menu.policies.contains(policy))
        };
        let rows = Policy::ALL.into_iter().filter(can).map(|policy| Row {
            pick: Pick::Change(tab.id, TabChange::Policy(policy)),
            title: capital(policy.title()),
            about: meaning(policy).to_owned(),
            now: policy == tab.policy,
            matched: Vec::new(),
        });
        Self::new("Policy of this tab", "What may it do without asking?", rows.collect())
    }

    /// Which model answers.
    #[must_use]
    pub fn model(tab: &Tab, menu: Option<&Menu>) -> Self {
        let row = |pick: Option<String>, title: String, about: String| Row {
            now: tab.model == pick,
            pick: Pick::Change(tab.id, TabChange::Model(pick)),
            title,
            about,
            matched: Vec::new(),
        };
        let own = row(None, "The provider's own choice".to_owned(), String::new());
        let models = menu.into_iter().flat_map(|menu| &menu.models).map(|model| {
            let name = if model.name.is_empty() { &model.id } else { &model.name };
            let about = if model.name == model.id { String::new() } else { model.id.clone() };
            row(Some(model.id.clone()), name.clone(), about)
        });
        let rows = [own].into_iter().chain(models).collect();
        let picker = Self::new("Model of this tab", "Which model?", rows);
        Self { waits: menu.is_none(), ..picker }
    }

    /// How hard the model is to think.
    #[must_use]
    pub fn effort(tab: &Tab, menu: Option<&Menu>) -> Self {
        let row = |pick: Option<String>, title: String| Row {
            now: tab.effort == pick,
            pick: Pick::Change(tab.id, TabChange::Effort(pick)),
            title,
            about: String::new(),
            matched: Vec::new(),
        };
        let models = menu.into_iter().flat_map(|menu| &menu.models);
        // Without a model asked for, what any of them can is offered.
        let mine = models.filter(|model| tab.model.as_ref().is_none_or(|id| *id == model.id));
        let mut efforts: Vec<&String> = Vec::new();
        for effort in mine.flat_map(|model| &model.efforts) {
            if !efforts.contains(&effort) {
                efforts.push(effort);
            }
        }
        let known = efforts.into_iter().map(|effort| row(Some(effort.clone()), capital(effort)));
        let rows = [row(None, "The provider's own choice".to_owned())].into_iter().chain(known);
        let picker = Self::new("Effort of this tab", "How hard is it to think?", rows.collect());
        Self { waits: menu.is_none(), ..picker }
    }

    /// Tabs that were closed.
    #[must_use]
    pub fn closed<'a>(tabs: impl Iterator<Item = &'a Tab>, now_ms: u64) -> Self {
        let mut tabs: Vec<&Tab> = tabs.collect();
        tabs.sort_by_key(|tab| std::cmp::Reverse(tab.used_ms));
        let rows = tabs.into_iter().map(|tab| Row {
            pick: Pick::Reopen(tab.id),
            title: title(tab),
            about: format!("{} · {}", turns(tab.turns), ago::since(tab.used_ms, now_ms)),
            now: false,
            matched: Vec::new(),
        });
        Self::new("Open a closed tab", "Which one?", rows.collect())
    }

    /// The tabs of an agent, for something that waits.
    #[must_use]
    pub fn target<'a>(item: ItemId, now: TabId, tabs: impl Iterator<Item = &'a Tab>) -> Self {
        let rows = tabs.map(|tab| Row {
            pick: Pick::Item(item, ItemChange::Tab(tab.id)),
            title: title(tab),
            about: String::new(),
            now: tab.id == now,
            matched: Vec::new(),
        });
        Self::new("Say it in", "Which tab?", rows.collect())
    }

    /// Words in all tabs.
    #[must_use]
    pub fn search() -> Self {
        let picker = Self::new("Search all tabs", "Words that were said", Vec::new());
        Self { searches: true, ..picker }
    }

    /// Whether what can be chosen is still on its way.
    #[must_use]
    pub fn waits(&self) -> bool {
        self.waits
    }

    /// What was found; each with the title of its tab.
    pub fn found(&mut self, words: &str, hits: Vec<(String, TabHit)>) {
        if !self.searches || self.query != words {
            return;
        }
        self.rows = hits
            .into_iter()
            .map(|(title, hit)| {
                let (excerpt, matched) = around(&hit);
                Row {
                    pick: Pick::Entry(hit.tab, hit.entry),
                    title: excerpt,
                    about: title,
                    now: false,
                    matched,
                }
            })
            .collect();
        self.marked = 0;
    }

    /// Takes in what happened.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::Queried(query) => {
                self.query = query;
                self.marked = 0;
                if self.searches {
                    if self.query.trim().is_empty() {
                        self.rows.clear();
                        return Action::None;
                    }
                    return Action::Search(self.query.clone());
                }
                let mut found: Vec<(i32, Row)> = Vec::new();
                for row in &self.all {
                    if let Some(matched) = fuzzy::find(&self.query, &row.title) {
                        let row = Row { matched: matched.positions, ..row.clone() };
                        found.push((matched.score, row));
                    }
                }
                found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
                self.rows = found.into_iter().map(|(_, row)| row).collect();
                Action::None
            }
            Message::Picked(index) => {
                self.marked = index;
                self.accept()
            }
        }
    }

    /// Marks another row; the ends are joined.
    pub fn step(&mut self, by: isize) {
        let count = self.rows.len() as isize;
        if count > 0 {
            self.marked = (self.marked as isize + by).rem_euclid(count) as usize;
        }
    }

    /// Does what the marked row says.
    #[must_use]
    pub fn accept(&self) -> Action {
        self.rows.get(self.marked).map_or(Action::None, |row| Action::Go(row.pick.clone()))
    }

    /// The list.
    pub fn view(&self, tokens: &'static Tokens, window: f32) -> Element<'_, Message> {
        let fits = (((window - AROUND) / ROW).max(2.0) as usize).min(SHOWN);
        let (size, height) = type_scale::LARGE;
        let input = text_input(self.hint, &self.query)
            .id(INPUT)
            .on_input(Message::Queried)
            .size(size)
            .line_height(iced::widget::text::LineHeight::Absolute(height.into()))
            .font(font::REGULAR)
            .padding([11.0, space::L])
            .style(style::bare_input(tokens));
        let top = (self.marked + 1).saturating_sub(fits);
        let rows = self.rows.iter().enumerate().skip(top).take(fits);
        let rows = rows.map(|(index, row)| row.view(tokens, index, index == self.marked));
        let list: Element<'_, Message> = if self.rows.is_empty() {
            let words = match (self.searches, self.query.is_empty(), self.all.is_empty()) {
                (true, true, _) => "Type a word that was said.".to_owned(),
                (true, false, _) => format!("Nothing was said with “{}”.", self.query),
                (false, _, true) => "There is nothing to choose from.".to_owned(),
                (false, _, false) => format!("Nothing is called “{}”.", self.query),
            };
            container(part::paragraph(words, type_scale::BASE, font::REGULAR, tokens.dim))
                .padding(space::L)
                .into()
        } else {
            Column::with_children(rows).into()
        };
        let quiet = |words: &str| line(words, type_scale::SMALL, font::REGULAR, tokens.faint);
        let below = self.rows.len().saturating_sub(top + fits);
        let more = (below > 0).then(|| quiet(&format!("{below} more")));
        let waits = self.waits.then(|| quiet("asking the provider…"));
        let footer =
            row![quiet("↑↓ choose"), quiet("↵ take"), quiet("Esc close"), quiet("").fill()]
                .push(waits)
                .push(more)
                .spacing(space::L)
                .padding([8.0, space::L]);
        let heading = line(&*self.heading, type_scale::SMALL, font::MEDIUM, tokens.faint).fill();
        let heading = container(heading).padding(Padding::from([0.0, space::L]).top(space::M));
        column![heading, input, part::rule(tokens), list, part::rule(tokens), footer].into()
    }
}

impl Row {
    fn view<'a>(
        &'a self,
        tokens: &'static Tokens,
        index: usize,
        marked: bool,
    ) -> Element<'a, Message> {
        let bar = if marked { tokens.accent } else { Color::TRANSPARENT };
        let title = part::marked(tokens, &self.title, &self.matched, font::MEDIUM);
        let about = line(&*self.about, type_scale::SMALL, font::REGULAR, tokens.dim);
        let now = self.now.then(|| part::pill(tokens, "now", false));
        let content = if matches!(self.pick, Pick::Entry(..)) {
            // What was said takes what the name of its tab leaves.
            row![container(title).width(Length::Fill).clip(true), about]
        } else {
            row![title, about.fill()]
        };
        let content = content
            .push(now)
            .push(marked.then(|| part::chord(tokens, "↵")))
            .spacing(space::M)
            .align_y(Alignment::Center)
            .height(Length::Fill)
            .padding(Padding::ZERO.left(space::L - extent::BAR).right(space::L));
        let bar = part::filled(bar, Length::Fixed(extent::BAR), Length::Fill);
        button(row![bar, content])
            .padding(0)
            .height(ROW)
            .width(Length::Fill)
            .style(style::row(tokens, marked))
            .on_press(Message::Picked(index))
            .into()
    }
}

fn capital(word: &str) -> String {
    let mut characters = word.chars();
    let first = characters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}", characters.as_str())
}

fn meaning(policy: Policy) -> &'static str {
    match policy {
        Policy::Ask => "asks before it changes files or runs commands",
        Policy::AcceptEdits => "changes files in its directory without asking; asks for commands",
        Policy::ReadOnly => "may read and nothing else, its own shell included",
        Policy::Bypass => "does everything without asking",
    }
}

fn turns(count: u64) -> String {
    if count == 1 { "1 turn".to_owned() } else { format!("{count} turns") }
}

/// What is said before the first hit, at most: it has to be in sight in a narrow list, too.
const BEFORE: usize = 24;

/// The excerpt of a hit from shortly before it, and which of its characters are one.
fn around(hit: &TabHit) -> (String, Vec<usize>) {
    let (mut said, mut matched, mut end) = (String::new(), Vec::new(), 0);
    let clean = |text: &str| maestro_core::text::clean(text, 300);
    let mut count = 0;
    let mut push = |said: &mut String, text: &str| {
        said.push_str(text);
        count += text.chars().count();
        count
    };
    for (from, to) in hit.marks.iter().map(|(from, to)| (*from as usize, *to as usize)) {
        let (Some(before), Some(found)) = (hit.excerpt.get(end..from), hit.excerpt.get(from..to))
        else {
            continue;
        };
        let space = |text: &str| text.starts_with(char::is_whitespace);
        let (edge, last) = (space(before), before.ends_with(char::is_whitespace));
        let mut before = clean(before);
        if end == 0 {
            let long = before.chars().count().saturating_sub(BEFORE);
            if long > 0 {
                let near: String = before.chars().skip(long).collect();
                // From the next word on.
                before = format!("…{}", near.split_once(' ').map_or(&*near, |(_, words)| words));
            }
        } else if edge {
            before.insert(0, ' ');
        }
        if last && !before.ends_with(' ') {
            before.push(' ');
        }
        let start = push(&mut said, &before);
        let until = push(&mut said, &clean(found));
        matched.extend(start..until);
        end = to;
    }
    let rest = hit.excerpt.get(end..).unwrap_or_default();
    if end > 0 && rest.starts_with(char::is_whitespace) {
        said.push(' ');
    }
    said.push_str(&clean(rest));
    (said, matched)
}

#[cfg(test)]
mod tests {
    use super::super::super::scene;
    use super::*;

    #[test]
    fn the_policy_of_now_is_marked_and_another_can_be_found() {
        let tab = Tab { policy: Policy::ReadOnly, ..scene::tabs()[0].clone() };
        let mut picker = Picker::policy(&tab, None);
        let go = |policy| Action::Go(Pick::Change(tab.id, TabChange::Policy(policy)));
        assert_eq!(picker.accept(), go(Policy::ReadOnly));
        let _ = picker.update(Message::Queried("edit".to_owned()));
        assert_eq!(picker.accept(), go(Policy::AcceptEdits));
        let menu = Menu { policies: vec![Policy::Ask, Policy::Bypass], ..Menu::default() };
        assert_eq!(Picker::policy(&tab, Some(&menu)).rows.len(), 2, "what cannot be enforced");
    }

    #[test]
    fn words_are_looked_for_by_the_host_and_late_answers_are_dropped() {
        let mut picker = Picker::search();
        let asked = picker.update(Message::Queried("currency".to_owned()));
        assert_eq!(asked, Action::Search("currency".to_owned()));
        let hit = |entry| TabHit {
            tab: TabId(1),
            entry,
            excerpt: "the currency".into(),
            marks: Vec::new(),
        };
        picker.found("curr", vec![("a".to_owned(), hit(1))]);
        assert_eq!(picker.accept(), Action::None);
        picker.found("currency", vec![("a".to_owned(), hit(2))]);
        assert_eq!(picker.accept(), Action::Go(Pick::Entry(TabId(1), 2)));
    }

    #[test]
    fn a_hit_is_shown_from_shortly_before_it() {
        let check = |excerpt: &str, words: &str, expected: &str| {
            let from = excerpt.find(words).expect("in it");
            let marks = vec![(from as u32, (from + words.len()) as u32)];
            let hit = TabHit { tab: TabId(1), entry: 1, excerpt: excerpt.to_owned(), marks };
            let (said, matched) = around(&hit);
            let found: String = matched.iter().filter_map(|at| said.chars().nth(*at)).collect();
            assert_eq!((said.as_str(), found.as_str()), (expected, words));
        };
        check("the currency first", "currency", "the currency first");
        check("currency", "currency", "currency");
        check(
            "one two three four five six seven ü eight currency",
            "currency",
            "…five six seven ü eight currency",
        );
        let none = TabHit { tab: TabId(1), entry: 1, excerpt: "said".into(), marks: vec![(9, 12)] };
        assert_eq!(around(&none), ("said".to_owned(), Vec::new()));
    }
}

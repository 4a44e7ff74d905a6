//! The search bar of a pane: what is looked for, how far the host is, how to go from match to match.

use iced::widget::{button, column, container, row, text_input};
use iced::{Alignment, Element, Length};
use maestro_core::TerminalId;
use maestro_core::command::Id;
use maestro_core::keymap::Keymap;
use maestro_core::screen::Scroll;
use maestro_core::search::{Case, QUERY_LIMIT, Query, Search};
use maestro_ui::icon::{Icon, icon};
use maestro_ui::theme::{Tokens, extent, radius, space, type_scale};
use maestro_ui::{font, keys, line, part, style};

/// The input's id.
pub const INPUT: &str = "find-input";

/// A longer selection is not what somebody looks for.
const LONGEST_SELECTION: usize = 200;

/// An open search bar.
#[derive(Debug, Clone, PartialEq)]
pub struct Find {
    /// Where it looks.
    pub terminal: TerminalId,
    /// Whether it has the keyboard.
    pub active: bool,
    query: Query,
    /// Whether the user has typed since it opened.
    edited: bool,
    /// Whether it is not known yet what was selected when it opened.
    opening: bool,
    /// Whether the host is about to be asked.
    due: bool,
    /// What the host has been asked for.
    asked: Option<Query>,
    found: Option<Search>,
    /// Where the viewport was when it opened.
    from: Scroll,
}

/// What happens in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// The query is another one.
    Edited(String),
    /// It was clicked.
    Focused,
    /// A button was pressed.
    Pressed(Id),
}

impl Find {
    /// A search bar over a terminal, with what was looked for last.
    #[must_use]
    pub fn new(terminal: TerminalId, last: &Query, from: Scroll) -> Self {
        Self {
            terminal,
            active: true,
            query: last.clone(),
            edited: false,
            opening: true,
            due: false,
            asked: None,
            found: None,
            from,
        }
    }

    /// The query.
    #[must_use]
    pub fn query(&self) -> &Query {
        &self.query
    }

    /// The text is another one. Tells whether the host has to be asked in a moment.
    pub fn edit(&mut self, text: String) -> bool {
        self.edited = true;
        self.opening = false;
        let end = (0..=QUERY_LIMIT.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
        self.query.text = text[..end.unwrap_or(0)].to_owned();
        self.is_news()
    }

    /// Whether the user has typed since it opened.
    #[must_use]
    pub fn is_edited(&self) -> bool {
        self.edited
    }

    /// Whether it is about to get the selected text: what is typed takes that one's place, and waits for it.
    #[must_use]
    pub fn is_opening(&self) -> bool {
        self.opening
    }

    /// The selected text takes the place of the last query, unless the user was quicker.
    pub fn prefill(&mut self, selected: &str) -> bool {
        self.opening = false;
        let fits = !selected.trim().is_empty()
            && !selected.trim_end().contains('\n')
            && selected.chars().count() <= LONGEST_SELECTION;
        if self.edited || !fits {
            return false;
        }
        self.query =
            Query { text: selected.trim_end().to_owned(), regex: false, ..self.query.clone() };
        self.is_news()
    }

    /// Reads the query as a regular expression, or as text.
    pub fn toggle_regex(&mut self) -> bool {
        self.query.regex = !self.query.regex;
        self.is_news()
    }

    /// The next way of looking at upper and lower case.
    pub fn toggle_case(&mut self) -> bool {
        self.query.case = match self.query.case {
            Case::Smart => Case::Sensitive,
            Case::Sensitive => Case::Insensitive,
            Case::Insensitive => Case::Smart,
        };
        self.is_news()
    }

    /// Whether the host has to be asked, and nobody is on the way to do it.
    fn is_news(&mut self) -> bool {
        let wanted = self.asked.as_ref().unwrap_or(&Query::default()) != &self.query;
        wanted && !std::mem::replace(&mut self.due, true)
    }

    /// The moment has passed: what to ask the host for, if it is not asked for already.
    pub fn ask(&mut self) -> Option<Option<Query>> {
        self.due = false;
        if self.asked.as_ref() == Some(&self.query) {
            return None;
        }
        self.asked = Some(self.query.clone());
        if self.query.text.is_empty() {
            self.found = None;
            return Some(None);
        }
        Some(Some(self.query.clone()))
    }

    /// The host tells how far it is.
    pub fn heard(&mut self, search: Option<Search>) {
        // What it says about an older query would flicker.
        if search.as_ref().is_none_or(|search| Some(&search.query) == self.asked.as_ref()) {
            self.found = search;
        }
    }

    /// How far from the bottom the viewport was, while the rows below it have become `now`.
    #[must_use]
    pub fn came_from(&self, now: Scroll) -> u32 {
        match self.from.offset {
            0 => 0,
            offset => {
                let grown = now.history.saturating_sub(self.from.history);
                offset.saturating_add(grown).min(now.history)
            }
        }
    }

    /// How many matches there are, as a person reads it, and whether it is bad news.
    fn count(&self) -> (String, bool) {
        if self.query.text.is_empty() {
            return (String::new(), false);
        }
        let Some(found) = self.found.as_ref().filter(|found| found.query == self.query) else {
            return ("…".to_owned(), false);
        };
        match (found.current, found.matches, found.done) {
            _ if found.error.is_some() => (String::new(), true),
            (_, 0, true) => ("nothing found".to_owned(), true),
            (_, 0, false) => ("looking…".to_owned(), false),
            (Some(at), all, true) => (format!("{at} of {all}"), false),
            (None, all, true) => (format!("{all} found"), false),
            // Counted from the oldest, which has not been looked at yet.
            (_, all, false) => (format!("at least {all}"), false),
        }
    }

    fn error(&self) -> Option<&str> {
        let found = self.found.as_ref().filter(|found| found.query == self.query)?;
        found.error.as_deref()
    }

    /// The bar.
    pub fn view<'a>(&'a self, tokens: &'static Tokens, keymap: &Keymap) -> Element<'a, Message> {
        let (size, height) = type_scale::BASE;
        let error = self.error();
        let (count, bad) = self.count();
        let input = text_input("Search screen and history…", &self.query.text)
            .id(INPUT)
            .on_input(Message::Edited)
            .size(size)
            .line_height(iced::widget::text::LineHeight::Absolute(height.into()))
            .font(font::MONO)
            .padding([1.0, space::XS])
            .style(style::bare_input(tokens));
        let case = match self.query.case {
            Case::Smart | Case::Sensitive => "Aa",
            Case::Insensitive => "aa",
        };
        let press = |label: &str, id| {
            button(line(label, type_scale::BASE, font::MEDIUM, tokens.dim))
                .padding([0.0, 6.0])
                .style(style::row(tokens, false))
                .on_press(Message::Pressed(id))
        };
        let ink = if bad { tokens.red } else { tokens.dim };
        let bar = row![
            icon(Icon::Search, 12.0, tokens.faint),
            input,
            line(count, type_scale::SMALL, font::REGULAR, ink),
            part::toggle(tokens, ".*", self.query.regex, Message::Pressed(Id::SearchRegex)),
            part::toggle(
                tokens,
                case,
                self.query.case != Case::Smart,
                Message::Pressed(Id::SearchCase)
            ),
            press("↑", Id::SearchOlder),
            press("↓", Id::SearchNewer),
            button(icon(Icon::Cross, 10.0, tokens.dim))
                .padding([5.0, 6.0])
                .style(style::row(tokens, false))
                .on_press(Message::Pressed(Id::SearchClose)),
        ]
        .spacing(space::XS)
        .align_y(Alignment::Center);
        let below = match error {
            Some(error) => {
                let words = part::sentence(error);
                Some(part::paragraph(words, type_scale::SMALL, font::REGULAR, tokens.red))
            }
            // It is there for whoever wonders what to do; whoever types wants to see what is found.
            None if self.active && self.query.text.is_empty() => Some(hints(tokens, keymap)),
            None => None,
        };
        let edge = match (error.is_some(), self.active) {
            (true, _) => tokens.red,
            (false, true) => tokens.accent,
            (false, false) => tokens.strong,
        };
        let content = column![bar].push(below.map(|below| {
            container(below).padding(iced::Padding::ZERO.left(space::XS).bottom(space::XS))
        }));
        let card =
            container(content).padding([0.0, space::S]).max_width(extent::FIND).style(move |_| {
                iced::widget::container::Style {
                    border: iced::Border {
                        color: edge,
                        width: extent::LINE,
                        radius: radius::CARD.into(),
                    },
                    ..style::floating(tokens, radius::CARD)
                }
            });
        let card = keys::pressed(iced::widget::opaque(card), Message::Focused);
        // At the right, where lines end and there is the least to hide.
        container(card).align_right(Length::Fill).into()
    }
}

/// The keys, as long as they are needed.
fn hints<'a>(tokens: &'static Tokens, keymap: &Keymap) -> Element<'a, Message> {
    let words = [
        (Id::SearchOlder, "older"),
        (Id::SearchNewer, "newer"),
        (Id::SearchRegex, "regex"),
        (Id::SearchCase, "case"),
        (Id::SearchKeep, "stay"),
    ];
    let words = words.into_iter().filter_map(|(id, what)| {
        let chord = keymap.title(id)?.replace("Enter", "↵");
        Some(format!("{} {what}", part::spaced(&chord)))
    });
    let words = words.collect::<Vec<_>>().join("   ");
    line(words, type_scale::TINY, font::REGULAR, tokens.faint).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find() -> Find {
        Find::new(TerminalId(1), &Query::default(), Scroll::default())
    }

    fn query(text: &str) -> Query {
        Query { text: text.to_owned(), ..Query::default() }
    }

    fn found(text: &str, matches: u64, current: Option<u64>, done: bool) -> Option<Search> {
        Some(Search { query: query(text), matches, current, done, error: None })
    }

    #[test]
    fn the_host_is_asked_once_for_what_was_typed_quickly() {
        let mut find = find();
        assert!(find.edit("f".to_owned()));
        assert!(!find.edit("fo".to_owned()), "one is on the way already");
        assert_eq!(find.ask(), Some(Some(query("fo"))));
        assert!(!find.edit("fo".to_owned()));
        assert_eq!(find.ask(), None);
        assert!(find.edit(String::new()));
        assert_eq!(find.ask(), Some(None));
    }

    #[test]
    fn the_count_says_how_far_it_is() {
        let mut find = find();
        let _ = find.edit("x".to_owned());
        let _ = find.ask();
        assert_eq!(find.count().0, "…");
        for (heard, expected) in [
            (found("x", 0, None, false), "looking…"),
            (found("x", 7, Some(7), false), "at least 7"),
            (found("x", 9, Some(3), true), "3 of 9"),
            (found("x", 0, None, true), "nothing found"),
        ] {
            find.heard(heard);
            assert_eq!(find.count().0, expected);
        }
    }

    #[test]
    fn news_of_an_older_query_is_not_shown() {
        let mut find = find();
        let _ = find.edit("new".to_owned());
        let _ = find.ask();
        find.heard(found("old", 5, Some(1), true));
        assert_eq!(find.count().0, "…");
        find.heard(found("new", 2, Some(1), true));
        let _ = find.edit("newer".to_owned());
        assert_eq!(find.count().0, "…");
    }

    #[test]
    fn the_selection_is_looked_for_unless_the_user_was_quicker() {
        let mut find = find();
        assert!(!find.prefill("two\nlines"));
        assert!(!find.prefill("  "));
        assert!(find.prefill("needle\n"));
        assert_eq!(find.query().text, "needle");
        let _ = find.edit("typed".to_owned());
        assert!(!find.prefill("late"));
        assert_eq!(find.query().text, "typed");
    }

    #[test]
    fn closing_goes_back_to_the_same_rows() {
        let at = |offset, history| Scroll { offset, history, unseen: 0 };
        for (from, now, expected) in [
            (at(0, 100), at(40, 150), 0),
            (at(10, 100), at(40, 150), 60),
            (at(10, 100), at(40, 5), 5),
        ] {
            let find = Find::new(TerminalId(1), &Query::default(), from);
            assert_eq!(find.came_from(now), expected, "{from:?} {now:?}");
        }
    }

    #[test]
    fn a_query_is_bounded() {
        let mut find = find();
        let _ = find.edit("ä".repeat(QUERY_LIMIT));
        assert!(find.query().text.len() <= QUERY_LIMIT);
    }
}

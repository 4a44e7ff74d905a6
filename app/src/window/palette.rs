//! The palette: every command and every agent, found by a few letters.

use iced::widget::{button, column, container, mouse_area, rich_text, row, span, text_input};
use iced::{Alignment, Element, Length, Padding};
use maestro_core::agent::{Agent, State};
use maestro_core::command::{self, Id};
use maestro_core::conversation::Tab;
use maestro_core::keymap::Keymap;
use maestro_core::{AgentId, TabId, fuzzy};
use maestro_ui::theme::{Tokens, extent, space, type_scale};
use maestro_ui::{font, line, part, status, style};

/// Rows shown at once; more scroll.
const SHOWN: usize = 8;

/// Height of a two-line row.
const ROW: f32 = 50.0;

/// What is above and below the rows in a low window: its edges, the input, the keys.
const AROUND: f32 = 140.0;

/// The input's id, for the `focus` operation and for tests.
pub const INPUT: &str = "palette-input";

/// What a row does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Runs a command.
    Command(Id),
    /// Goes to an agent.
    Agent(AgentId),
    /// Shows a tab.
    Tab(TabId),
}

/// A row.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    target: Target,
    title: String,
    about: String,
    /// What is going on at the moment: an agent's state.
    live: Option<(State, String)>,
    chord: Option<String>,
    matched: Vec<usize>,
}

/// The open palette.
#[derive(Debug, Clone)]
pub struct Palette {
    query: String,
    /// Every row, in the order without a query.
    all: Vec<Row>,
    /// The rows that match, the best first.
    rows: Vec<Row>,
    marked: usize,
    /// The first row shown.
    top: usize,
    /// How many rows fit.
    shown: usize,
}

/// What happens in the palette.
#[derive(Debug, Clone)]
pub enum Message {
    /// The query is another one.
    Queried(String),
    /// A row was pressed.
    Picked(usize),
    /// The wheel was turned: positive is down.
    Scrolled(i32),
}

/// What the shell is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    None,
    /// Close the palette and do this.
    Go(Target),
}

impl Palette {
    /// An open palette over the agents there are.
    #[must_use]
    pub fn new(agents: &[Agent], tabs: &[Tab], keymap: &Keymap) -> Self {
        let (waiting, others): (Vec<_>, Vec<_>) =
            agents.iter().partition(|agent| agent.attention.state == State::NeedsYou);
        let commands = command::ALL.iter().filter(|command| command.listed);
        let all: Vec<Row> = waiting
            .into_iter()
            .map(agent_row)
            .chain(commands.map(|command| command_row(command, keymap)))
            .chain(others.into_iter().map(agent_row))
            .chain(tabs.iter().filter(|tab| !tab.closed).map(|tab| tab_row(tab, agents)))
            .collect();
        Self { query: String::new(), rows: all.clone(), all, marked: 0, top: 0, shown: SHOWN }
    }

    /// The window has this height: no more rows than fit, and the marked one among them.
    pub fn fit(&mut self, height: f32) {
        let shown = (((height - AROUND) / ROW).max(2.0) as usize).min(SHOWN);
        if shown != self.shown {
            self.shown = shown;
            self.step(0);
        }
    }

    /// Takes in what happened.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::Queried(query) => {
                self.rows = matching(&self.all, &query);
                self.query = query;
                (self.marked, self.top) = (0, 0);
            }
            Message::Picked(index) => {
                self.marked = index;
                return self.accept();
            }
            Message::Scrolled(rows) => {
                let last = self.rows.len().saturating_sub(self.shown);
                self.top = self.top.saturating_add_signed(rows as isize).min(last);
            }
        }
        Action::None
    }

    /// Marks another row; the ends are joined.
    pub fn step(&mut self, by: isize) {
        let count = self.rows.len() as isize;
        if count > 0 {
            self.marked = (self.marked as isize + by).rem_euclid(count) as usize;
            self.top = self.top.clamp((self.marked + 1).saturating_sub(self.shown), self.marked);
        }
    }

    /// Does what the marked row offers.
    #[must_use]
    pub fn accept(&self) -> Action {
        self.rows.get(self.marked).map_or(Action::None, |row| Action::Go(row.target))
    }

    /// The palette.
    pub fn view(&self, tokens: &'static Tokens) -> Element<'_, Message> {
        let (size, height) = type_scale::LARGE;
        let input = text_input("Run a command, go to an agent…", &self.query)
            .id(INPUT)
            .on_input(Message::Queried)
            .size(size)
            .line_height(iced::widget::text::LineHeight::Absolute(height.into()))
            .font(font::REGULAR)
            .padding([11.0, space::L])
            .style(style::bare_input(tokens));
        let shown = self.rows.iter().enumerate().skip(self.top).take(self.shown);
        let rows = shown.map(|(index, row)| row.view(tokens, index, index == self.marked));
        let list: Element<'_, Message> = if self.rows.is_empty() {
            let words = format!("Nothing is called “{}”. Fewer letters find more.", self.query);
            container(part::paragraph(words, type_scale::BASE, font::REGULAR, tokens.dim))
                .padding(space::L)
                .into()
        } else {
            mouse_area(column(rows)).on_scroll(|delta| Message::Scrolled(wheel(delta))).into()
        };
        column![input, part::rule(tokens), list, part::rule(tokens), self.footer(tokens)].into()
    }

    fn footer(&self, tokens: &'static Tokens) -> Element<'_, Message> {
        let quiet = |words: &str| line(words, type_scale::SMALL, font::REGULAR, tokens.faint);
        let below = self.rows.len().saturating_sub(self.top + self.shown);
        let more = (below > 0).then(|| quiet(&format!("{below} more")));
        row![quiet("↑↓ choose"), quiet("↵ run"), quiet("Esc close"), quiet("").fill()]
            .push(more)
            .spacing(space::L)
            .padding([8.0, space::L])
            .into()
    }
}

fn wheel(delta: iced::mouse::ScrollDelta) -> i32 {
    match delta {
        iced::mouse::ScrollDelta::Lines { y, .. } => -y.round() as i32,
        iced::mouse::ScrollDelta::Pixels { y, .. } => -(y / ROW).round() as i32,
    }
}

/// The rows whose titles match, the best first, then those that say the query in their second line.
fn matching(all: &[Row], query: &str) -> Vec<Row> {
    let words = query.trim().to_lowercase();
    let (mut found, mut told) = (Vec::new(), Vec::new());
    for row in all {
        if let Some(matched) = fuzzy::find(query, &row.title) {
            found.push((matched.score, Row { matched: matched.positions, ..row.clone() }));
        } else if row.about.to_lowercase().contains(&words) {
            told.push(row.clone());
        }
    }
    // Stable: among equals the order without a query stays.
    found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    found.into_iter().map(|(_, row)| row).chain(told).collect()
}

fn command_row(command: &command::Command, keymap: &Keymap) -> Row {
    let prefix = command.group.title();
    Row {
        target: Target::Command(command.id),
        title: command.title.to_owned(),
        about: format!("{prefix} · {}", command.description.trim_end_matches('.')),
        live: None,
        chord: keymap.title(command.id),
        matched: Vec::new(),
    }
}

fn agent_row(agent: &Agent) -> Row {
    let place = agent.branch.clone().unwrap_or_else(|| agent.directory.display().to_string());
    Row {
        target: Target::Agent(agent.id),
        title: format!("Go to agent: {}", agent.name),
        about: format!("{} · {place}", agent.provider.title()),
        live: Some((agent.attention.state, agent.attention.because.clone())),
        chord: None,
        matched: Vec::new(),
    }
}

fn tab_row(tab: &Tab, agents: &[Agent]) -> Row {
    let agent = agents.iter().find(|agent| agent.id == tab.agent);
    let agent = agent.map(|agent| agent.name.clone()).unwrap_or_default();
    Row {
        target: Target::Tab(tab.id),
        title: format!("Go to tab: {}", super::tabs::title(tab)),
        about: format!("{agent} · {} turns", tab.turns),
        live: None,
        chord: None,
        matched: Vec::new(),
    }
}

impl Row {
    fn view(&self, tokens: &'static Tokens, index: usize, marked: bool) -> Element<'_, Message> {
        let title = rich_text(self.spans(tokens))
            .size(type_scale::BASE.0)
            .line_height(iced::widget::text::LineHeight::Absolute(type_scale::BASE.1.into()));
        let about = line(&*self.about, type_scale::SMALL, font::REGULAR, tokens.faint).fill();
        let live = self.live.as_ref().map(|(state, because)| {
            let (_, color) = status::of_agent(tokens, *state);
            container(line(&**because, type_scale::SMALL, font::REGULAR, color)).max_width(240.0)
        });
        let chord = self.chord.as_deref().map(|chord| part::chord(tokens, chord));
        let content = row![column![title, about].width(Length::Fill)]
            .push(live)
            .push(chord)
            .spacing(space::M)
            .align_y(Alignment::Center)
            .height(Length::Fill)
            .padding(Padding::ZERO.left(space::L - extent::BAR).right(space::L));
        let bar = if marked { tokens.accent } else { iced::Color::TRANSPARENT };
        let bar = part::filled(bar, Length::Fixed(extent::BAR), Length::Fill);
        button(row![bar, content])
            .padding(0)
            .height(ROW)
            .width(Length::Fill)
            .style(style::row(tokens, marked))
            .on_press(Message::Picked(index))
            .into()
    }

    /// The title, with what matches in the accent.
    fn spans(&self, tokens: &Tokens) -> Vec<iced::widget::text::Span<'_, ()>> {
        let mut spans = Vec::new();
        let mut start = 0;
        let mut run = None;
        let ends = self.title.char_indices().map(|(at, _)| at).chain([self.title.len()]);
        for (number, at) in ends.enumerate() {
            let here = (at < self.title.len()).then(|| self.matched.contains(&number));
            if run.is_some() && run != here {
                let matched = run == Some(true);
                let face = if matched { font::SEMIBOLD } else { font::MEDIUM };
                let ink = if matched { tokens.accent } else { tokens.text };
                spans.push(span(&self.title[start..at]).font(face).color(ink));
                start = at;
            }
            run = here;
        }
        spans
    }
}

#[cfg(test)]
mod tests {
    use maestro_core::keymap::Platform;

    use super::super::scene;
    use super::*;

    fn palette() -> Palette {
        Palette::new(&scene::world().agents, &[], &Keymap::new(Platform::Other))
    }

    fn queried(query: &str) -> Palette {
        let mut palette = palette();
        assert_eq!(palette.update(Message::Queried(query.to_owned())), Action::None);
        palette
    }

    #[test]
    fn agents_that_need_the_user_come_first() {
        let first = &palette().rows[0];
        assert!(matches!(first.live, Some((State::NeedsYou, _))), "{first:?}");
    }

    #[test]
    fn every_listed_command_has_a_row() {
        let palette = palette();
        for command in command::ALL.iter().filter(|command| command.listed) {
            let target = Target::Command(command.id);
            assert!(palette.rows.iter().any(|row| row.target == target), "{}", command.name);
        }
    }

    #[test]
    fn a_few_letters_find_a_command_and_enter_runs_it() {
        let palette = queried("new ag");
        assert_eq!(palette.accept(), Action::Go(Target::Command(Id::AgentNew)));
        assert_eq!(palette.rows[0].matched, [0, 1, 2, 4, 5]);
    }

    #[test]
    fn what_a_command_says_about_itself_finds_it_too() {
        let theme = Action::Go(Target::Command(Id::ThemeToggle));
        assert_eq!(queried("theme").accept(), theme);
        assert_eq!(queried("Matinee").accept(), theme);
    }

    #[test]
    fn nothing_is_run_when_nothing_matches() {
        assert_eq!(queried("qqqq").accept(), Action::None);
    }

    #[test]
    fn the_marked_row_stays_in_sight_and_the_ends_are_joined() {
        let mut palette = palette();
        palette.step(-1);
        assert_eq!(palette.marked, palette.rows.len() - 1);
        assert_eq!(palette.top, palette.rows.len() - SHOWN);
        palette.step(1);
        assert_eq!((palette.marked, palette.top), (0, 0));
    }

    #[test]
    fn a_low_window_shows_fewer_rows_and_still_the_marked_one() {
        let mut palette = palette();
        (0..6).for_each(|_| palette.step(1));
        assert_eq!(palette.top, 0);
        palette.fit(400.0);
        assert_eq!((palette.shown, palette.marked, palette.top), (5, 6, 2));
        palette.fit(900.0);
        assert_eq!(palette.shown, SHOWN);
    }

    #[test]
    fn what_matches_is_in_the_accent() {
        let tokens = &maestro_ui::theme::NOCTURNE;
        let palette = queried("new ag");
        let inks: Vec<_> = palette.rows[0]
            .spans(tokens)
            .into_iter()
            .map(|span| (span.text.to_string(), span.color == Some(tokens.accent)))
            .collect();
        let expected = [("New", true), (" ", false), ("ag", true), ("ent…", false)]
            .map(|(t, a)| (t.to_owned(), a));
        assert_eq!(inks, expected);
    }
}

//! The palette: every command and every agent, found by a few letters.

use iced::widget::{button, column, container, mouse_area, rich_text, row, span, text_input};
use iced::{Alignment, Element, Length, Padding};
use maestro_core::agent::{Agent, State};
use maestro_core::command::{self, Id, Place};
use maestro_core::conversation::Tab;
use maestro_core::input::{Code, Mods};
use maestro_core::keymap::{Chord, Keymap, Platform};
use maestro_core::recent::Recent;
use maestro_core::{AgentId, TabId, fuzzy};
use maestro_ui::theme::{self, Tokens, extent, space, type_scale};
use maestro_ui::{font, line, part, status, style};

use super::themes::Themes;

/// Rows shown at once; more scroll.
const SHOWN: usize = 8;

/// Height of a two-line row.
const ROW: f32 = 50.0;

/// What is above and below the rows in a low window: its edges, the input, the keys.
const AROUND: f32 = 140.0;

/// The input's id, for the `focus` operation and for tests.
pub const INPUT: &str = "palette-input";

/// What a row does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Target {
    /// Runs a command.
    Command(Id),
    /// Goes to an agent.
    Agent(AgentId),
    /// Shows a tab.
    Tab(TabId),
    /// Shows the window in a theme.
    Theme(&'static Tokens),
    /// Lets the theme follow the desktop.
    System,
}

impl Target {
    /// The name under which it is remembered that it was used.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Command(id) => id.name().to_owned(),
            Self::Agent(id) => format!("agent {id}"),
            Self::Tab(id) => format!("tab {id}"),
            Self::Theme(tokens) => format!("theme {}", tokens.name),
            Self::System => "theme system".to_owned(),
        }
    }
}

/// What a palette lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Commands, agents and tabs.
    All,
    /// Agents alone.
    Agents,
    /// What can be done with the agent that is chosen.
    Agent,
    /// Themes alone.
    Themes,
}

/// What the window knows about its user and about what is shown, as far as the palette's order and its
/// reasons go by it.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// What is shown beneath it.
    pub place: Place,
    /// What was used.
    pub recent: &'a Recent,
    /// The time.
    pub now_ms: u64,
    /// The chords.
    pub keymap: &'a Keymap,
    /// The themes.
    pub themes: &'a Themes,
}

/// What the row is about that lets the theme follow the desktop.
const SYSTEM: &str =
    "dark or light, as the desktop is: appearance.dark and appearance.light say which";

/// What was used last and most comes first: so many rows.
const RECENT: usize = 5;

/// How much what is used all day counts beside how well letters match.
const USED: f64 = 4.0;

/// Nothing counts more than so much by being used: a better match stays one.
const MOST_USED: f64 = 12.0;

/// A row.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    target: Target,
    title: String,
    about: String,
    /// The second line in small letters, to be found by.
    sought: String,
    /// What is going on at the moment: an agent's state.
    live: Option<(State, String)>,
    chord: Option<String>,
    /// Why it cannot be run here.
    reason: Option<&'static str>,
    /// What its uses count.
    used: f64,
}

/// A row that matches.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Found {
    /// Which of all rows.
    row: usize,
    /// The letters of its title that match.
    matched: Vec<usize>,
}

/// The open palette.
#[derive(Debug, Clone)]
pub struct Palette {
    kind: Kind,
    query: String,
    /// Every row, in the order without a query.
    all: Vec<Row>,
    /// The rows that match, the best first.
    rows: Vec<Found>,
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
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Action {
    /// Nothing.
    None,
    /// Close the palette and do this.
    Go(Target),
}

impl Palette {
    /// An open palette over what there is.
    #[must_use]
    pub fn new(kind: Kind, agents: &[Agent], tabs: &[Tab], about: About<'_>) -> Self {
        let mut all: Vec<Row> = match kind {
            Kind::All => everything(agents, tabs, about),
            Kind::Agent => {
                let of_agents = |row: &Row| match row.target {
                    Target::Command(id) => id.command().group == command::Group::Agents,
                    _ => false,
                };
                let all = everything(&[], &[], about);
                all.into_iter().filter(|row| of_agents(row) && row.reason.is_none()).collect()
            }
            Kind::Agents => {
                let (waiting, others) = waiting_first(agents);
                waiting.into_iter().chain(others).map(agent_row).collect()
            }
            Kind::Themes => {
                let system =
                    row_of(Target::System, "Follow the desktop".to_owned(), SYSTEM.to_owned());
                about.themes.all().map(theme_row).chain([system]).collect()
            }
        };
        for row in &mut all {
            row.used = about.recent.weight(&row.target.name(), about.now_ms);
        }
        if kind == Kind::All {
            recent_first(&mut all, about);
        }
        let rows = matching(&all, "");
        Self { kind, query: String::new(), rows, all, marked: 0, top: 0, shown: SHOWN }
    }

    /// The theme that is marked, to be looked at before it is chosen.
    #[must_use]
    pub fn preview(&self) -> Option<&'static Tokens> {
        match self.row(self.marked)?.target {
            Target::Theme(tokens) => Some(tokens),
            _ => None,
        }
    }

    /// Marks what does this.
    #[must_use]
    pub fn at(mut self, target: Target) -> Self {
        let at = self.rows.iter().position(|found| self.all[found.row].target == target);
        self.marked = at.unwrap_or_default();
        self.step(0);
        self
    }

    fn row(&self, number: usize) -> Option<&Row> {
        self.all.get(self.rows.get(number)?.row)
    }

    /// Does what the row offers that is shown at this place, from 1.
    #[must_use]
    pub fn accept_shown(&mut self, number: usize) -> Action {
        let at = self.top + number.saturating_sub(1);
        if number == 0 || number > self.shown || at >= self.rows.len() {
            return Action::None;
        }
        self.marked = at;
        self.accept()
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
        match self.row(self.marked) {
            Some(row) if row.reason.is_none() => Action::Go(row.target),
            // Why not stands in the row.
            _ => Action::None,
        }
    }

    /// The palette.
    pub fn view(&self, tokens: &'static Tokens) -> Element<'_, Message> {
        let (size, height) = type_scale::LARGE;
        let input = text_input(self.kind.hint(), &self.query)
            .id(INPUT)
            .on_input(Message::Queried)
            .size(size)
            .line_height(iced::widget::text::LineHeight::Absolute(height.into()))
            .font(font::REGULAR)
            .padding([11.0, space::L])
            .style(style::bare_input(tokens));
        let shown = self.rows.iter().enumerate().skip(self.top).take(self.shown);
        let rows = shown.filter_map(|(index, found)| {
            let row = self.all.get(found.row)?;
            Some(row.view(tokens, index, index == self.marked, &found.matched))
        });
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
        let digits = Chord { primary: true, mods: Mods::default(), code: Code::Char('1') };
        let digits = format!("{}–{} run a row", digits.title(Platform::HERE), self.shown);
        let run = if self.kind == Kind::All { "↵ run" } else { "↵ choose" };
        row![quiet("↑↓ mark"), quiet(run), quiet(&digits), quiet("Esc close"), quiet("").fill()]
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

impl Kind {
    fn hint(self) -> &'static str {
        match self {
            Self::All => "Run a command, go to an agent…",
            Self::Agents => "Go to an agent…",
            Self::Agent => "What to do with it…",
            Self::Themes => "Choose a theme…",
        }
    }
}

fn waiting_first(agents: &[Agent]) -> (Vec<&Agent>, Vec<&Agent>) {
    agents.iter().partition(|agent| agent.attention.state == State::NeedsYou)
}

fn everything(agents: &[Agent], tabs: &[Tab], about: About<'_>) -> Vec<Row> {
    let (waiting, others) = waiting_first(agents);
    let commands = command::ALL.iter().filter(|command| command.listed);
    waiting
        .into_iter()
        .map(agent_row)
        .chain(commands.map(|command| command_row(command, about)))
        .chain(others.into_iter().map(agent_row))
        .chain(tabs.iter().filter(|tab| !tab.closed).map(|tab| tab_row(tab, agents)))
        .collect()
}

/// Who needs the user stays first; then what was used last and most; what cannot be run here is at the
/// end.
fn recent_first(all: &mut [Row], about: About<'_>) {
    let first = about.recent.first(RECENT, about.now_ms);
    all.sort_by_cached_key(|row| {
        let waits = matches!(row.live, Some((State::NeedsYou, _)));
        let name = row.target.name();
        let at = first.iter().position(|used| **used == name).unwrap_or(RECENT);
        (row.reason.is_some(), !waits, at)
    });
}

/// The rows whose titles match, the best first, then those that say the query in their second line; of
/// both, what cannot be run here comes last.
fn matching(all: &[Row], query: &str) -> Vec<Found> {
    let words = query.trim().to_lowercase();
    let mut found = Vec::new();
    for (row, it) in all.iter().enumerate() {
        let cannot = it.reason.is_some();
        if let Some(matched) = fuzzy::find(query, &it.title) {
            let used = if words.is_empty() { 0.0 } else { (USED * it.used).min(MOST_USED) };
            let key = (cannot, false, -(matched.score + used as i32));
            found.push((key, Found { row, matched: matched.positions }));
        } else if it.sought.contains(&words) {
            found.push(((cannot, true, 0), Found { row, matched: Vec::new() }));
        }
    }
    // Stable: among equals the order without a query stays.
    found.sort_by_key(|(key, _)| *key);
    found.into_iter().map(|(_, found)| found).collect()
}

fn row_of(target: Target, title: String, about: String) -> Row {
    let sought = about.to_lowercase();
    Row { target, title, about, sought, live: None, chord: None, reason: None, used: 0.0 }
}

fn command_row(command: &command::Command, about: About<'_>) -> Row {
    let prefix = command.group.title();
    let words = format!("{prefix} · {}", command.description.trim_end_matches('.'));
    Row {
        chord: about.keymap.title(command.id),
        reason: command.unavailable(about.place),
        ..row_of(Target::Command(command.id), command.title.to_owned(), words)
    }
}

fn theme_row(tokens: &'static Tokens) -> Row {
    let kind = if tokens.dark { "dark" } else { "light" };
    let about = match tokens.about {
        "" => kind.to_owned(),
        about => format!("{kind} · {about}"),
    };
    row_of(Target::Theme(tokens), tokens.name.to_owned(), about)
}

/// A theme in small: what it is made of, on what it is drawn on.
fn swatch<'a>(of: &'static Tokens) -> Element<'a, Message> {
    let inks = [of.text, of.accent, of.blue, of.green, of.red, of.purple, of.orange];
    let dots = inks.map(|ink| {
        let side = Length::Fixed(space::S);
        container("").width(side).height(side).style(move |_| style::surface(ink)).into()
    });
    container(row(dots).spacing(space::XS))
        .padding([5.0, space::S])
        .style(move |_| style::bordered(of.base, of.strong, theme::radius::CHORD))
        .into()
}

fn agent_row(agent: &Agent) -> Row {
    let place = agent.branch.clone().unwrap_or_else(|| agent.directory.display().to_string());
    let title = format!("Go to agent: {}", agent.name);
    let about = format!("{} · {place}", agent.provider.title());
    let live = Some((agent.attention.state, agent.attention.because.clone()));
    Row { live, ..row_of(Target::Agent(agent.id), title, about) }
}

fn tab_row(tab: &Tab, agents: &[Agent]) -> Row {
    let agent = agents.iter().find(|agent| agent.id == tab.agent);
    let agent = agent.map(|agent| agent.name.clone()).unwrap_or_default();
    let title = format!("Go to tab: {}", super::tabs::title(tab));
    row_of(Target::Tab(tab.id), title, format!("{agent} · {} turns", tab.turns))
}

impl Row {
    fn view<'a>(
        &'a self,
        tokens: &'static Tokens,
        index: usize,
        marked: bool,
        matched: &[usize],
    ) -> Element<'a, Message> {
        let title = rich_text(self.spans(tokens, matched))
            .size(type_scale::BASE.0)
            .line_height(iced::widget::text::LineHeight::Absolute(type_scale::BASE.1.into()));
        let about = line(&*self.about, type_scale::SMALL, font::REGULAR, tokens.faint).fill();
        let live = self.live.as_ref().map(|(state, because)| {
            let (_, color) = status::of_agent(tokens, *state);
            container(line(&**because, type_scale::SMALL, font::REGULAR, color)).max_width(240.0)
        });
        let swatch = match self.target {
            Target::Theme(of) => Some(swatch(of)),
            _ => None,
        };
        let chord = self.chord.as_deref().map(|chord| part::chord(tokens, chord));
        let reason = self.reason.map(|why| line(why, type_scale::SMALL, font::REGULAR, tokens.dim));
        let content = row![column![title, about].width(Length::Fill)]
            .push(live)
            .push(reason)
            .push(swatch)
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
    fn spans(&self, tokens: &Tokens, matched: &[usize]) -> Vec<iced::widget::text::Span<'_, ()>> {
        let mut spans = Vec::new();
        let mut start = 0;
        let mut run = None;
        let ends = self.title.char_indices().map(|(at, _)| at).chain([self.title.len()]);
        for (number, at) in ends.enumerate() {
            let here = (at < self.title.len()).then(|| matched.contains(&number));
            if run.is_some() && run != here {
                let hit = run == Some(true);
                let face = if hit { font::SEMIBOLD } else { font::MEDIUM };
                let plain = if self.reason.is_some() { tokens.dim } else { tokens.text };
                let ink = if hit { tokens.accent } else { plain };
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
    use super::super::scene;
    use super::*;

    fn of(kind: Kind, place: Place, recent: &Recent) -> Palette {
        let keymap = Keymap::new(Platform::Other);
        let themes = Themes::default();
        let about = About { place, recent, now_ms: 0, keymap: &keymap, themes: &themes };
        Palette::new(kind, &scene::world().agents, &[], about)
    }

    fn palette() -> Palette {
        of(Kind::All, Place::FULL, &Recent::default())
    }

    #[test]
    fn what_cannot_be_run_here_says_why_comes_last_and_does_nothing() {
        let mut palette = of(Kind::All, Place::default(), &Recent::default());
        let last = palette.row(palette.rows.len() - 1).expect("a row");
        assert!(last.reason.is_some(), "{last:?}");
        let _ = palette.update(Message::Queried("clear the screen".to_owned()));
        let row = palette.row(0).expect("a row");
        assert_eq!(row.reason, Some("no terminal has the keyboard"), "{row:?}");
        assert_eq!(palette.accept(), Action::None);
    }

    #[test]
    fn what_is_used_comes_first() {
        let mut recent = Recent::default();
        recent.note(Id::Quit.name(), 0);
        let place = Place { waiting: true, ..Place::FULL };
        let palette = of(Kind::All, place, &recent);
        let waiting = |row: &&Row| matches!(row.live, Some((State::NeedsYou, _)));
        let rows: Vec<&Row> = palette.rows.iter().map(|found| &palette.all[found.row]).collect();
        let first = rows.iter().find(|row| !waiting(row)).expect("a row");
        assert_eq!(first.target, Target::Command(Id::Quit));
    }

    #[test]
    fn a_digit_runs_the_row_that_is_shown_there() {
        let mut palette = palette();
        let third = palette.row(2).expect("a row").target;
        assert_eq!(palette.accept_shown(3), Action::Go(third));
        (0..20).for_each(|_| palette.step(1));
        let second = palette.row(palette.top + 1).expect("a row").target;
        assert_eq!(palette.accept_shown(2), Action::Go(second));
        assert_eq!(palette.accept_shown(SHOWN + 1), Action::None);
        let mut none = queried("qqqq");
        assert_eq!(none.accept_shown(1), Action::None);
    }

    #[test]
    fn agents_and_themes_have_palettes_of_their_own() {
        let agents = of(Kind::Agents, Place::FULL, &Recent::default());
        assert_eq!(agents.rows.len(), scene::world().agents.len());
        assert!(matches!(agents.row(0).expect("a row").live, Some((State::NeedsYou, _))));
        let themes = of(Kind::Themes, Place::FULL, &Recent::default());
        let mut themes = themes.at(Target::Theme(theme::ALL[1]));
        assert_eq!(themes.preview(), Some(theme::ALL[1]));
        themes.step(1);
        assert_eq!(themes.preview(), Some(theme::ALL[2]));
        themes.step(-3);
        assert_eq!(themes.preview(), None, "that of the desktop is seen when it is chosen");
        assert_eq!(themes.accept(), Action::Go(Target::System));
    }

    fn queried(query: &str) -> Palette {
        let mut palette = palette();
        assert_eq!(palette.update(Message::Queried(query.to_owned())), Action::None);
        palette
    }

    #[test]
    fn agents_that_need_the_user_come_first() {
        let palette = palette();
        let first = palette.row(0).expect("a row");
        assert!(matches!(first.live, Some((State::NeedsYou, _))), "{first:?}");
    }

    #[test]
    fn every_listed_command_has_a_row() {
        let palette = palette();
        for command in command::ALL.iter().filter(|command| command.listed) {
            let target = Target::Command(command.id);
            assert!(palette.all.iter().any(|row| row.target == target), "{}", command.name);
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
        let inks: Vec<_> = palette
            .row(0)
            .expect("a row")
            .spans(tokens, &palette.rows[0].matched)
            .into_iter()
            .map(|span| (span.text.to_string(), span.color == Some(tokens.accent)))
            .collect();
        let expected = [("New", true), (" ", false), ("ag", true), ("ent…", false)]
            .map(|(t, a)| (t.to_owned(), a));
        assert_eq!(inks, expected);
    }
}

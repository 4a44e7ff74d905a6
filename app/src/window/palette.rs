//! The palette: every command and every agent, found by a few letters.
//!
//! Behind a prefix, and under chords of their own, it lists one kind of thing alone. What only the host
//! knows comes when it answers; nobody waits for it.

pub mod rows;

use iced::widget::{button, column, container, mouse_area, rich_text, row, span, text_input};
use iced::{Alignment, Element, Length, Padding};
use maestro_core::agent::{Agent, State};
use maestro_core::command::{self, Id, Place};
use maestro_core::conversation::Tab;
use maestro_core::input::{Code, Mods};
use maestro_core::keymap::{Chord, Keymap, Platform};
use maestro_core::playbook::Found;
use maestro_core::recent::Recent;
use maestro_core::session::Session;
use maestro_core::{AgentId, TabId, fuzzy, layout};
use maestro_ui::theme::{self, Tokens, extent, space, type_scale};
use maestro_ui::{font, line, part, status, style};

use super::themes::Themes;
use super::workspaces::Workspaces;

/// Rows shown at once; more scroll.
const SHOWN: usize = 8;

/// Height of a two-line row.
const ROW: f32 = 50.0;

/// What is above and below the rows in a low window: its edges, the input, the keys.
const AROUND: f32 = 140.0;

/// The input's id, for the `focus` operation and for tests.
pub const INPUT: &str = "palette-input";

/// What a row does.
#[derive(Debug, Clone, PartialEq)]
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
    /// Opens the settings page at a setting.
    Setting(&'static str),
    /// Shows a file of the agent's directory.
    File(String),
    /// Checks out a branch for the agent, which may have to be made from a remote's first.
    Branch {
        /// Its name.
        name: String,
        /// The remote's.
        from: Option<String>,
    },
    /// Lays the panes out in another way.
    Layout(layout::Kind),
    /// Shows the panes of a workspace.
    Workspace(String),
    /// Forgets a workspace.
    WorkspaceDelete(String),
    /// Goes on with a stored conversation.
    Session(Box<Session>),
    /// Asks how to run a playbook.
    Playbook(Box<Found>),
}

impl Target {
    /// The name under which it is remembered that it was used.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Setting(key) => format!("setting {key}"),
            Self::File(path) => format!("file {path}"),
            Self::Branch { name, .. } => format!("branch {name}"),
            Self::Layout(kind) => format!("layout {kind}"),
            Self::Workspace(name) => format!("workspace {name}"),
            Self::WorkspaceDelete(name) => format!("delete workspace {name}"),
            Self::Session(session) => format!("session {} {}", session.provider.name(), session.id),
            Self::Playbook(found) => format!("playbook {}", found.folder.display()),
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
    /// Tabs alone.
    Tabs,
    /// Files of the agent that is chosen.
    Files,
    /// Branches of its repository.
    Branches,
    /// Stored conversations.
    Sessions,
    /// Playbooks.
    Playbooks,
    /// What can be set.
    Settings,
    /// Workspaces.
    Workspaces,
    /// Workspaces, to delete one.
    WorkspacesDeleted,
}

/// What the palette lists behind a first letter.
const PREFIXES: [(char, Kind); 8] = [
    ('@', Kind::Agents),
    ('#', Kind::Tabs),
    ('/', Kind::Files),
    ('*', Kind::Branches),
    ('~', Kind::Sessions),
    ('!', Kind::Playbooks),
    (':', Kind::Settings),
    ('%', Kind::Workspaces),
];

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
    /// The workspaces.
    pub workspaces: &'a Workspaces,
}

/// What the row is about that lets the theme follow the desktop.
const SYSTEM: &str =
    "dark or light, as the desktop is: appearance.dark and appearance.light say which";

/// How many letters that are taken back find at once what they found before.
const PAST: usize = 16;

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
    reason: Option<String>,
    /// What its uses count.
    used: f64,
}

/// A row that matches: what it is sorted by, and which of all rows it is.
type Hit = ((bool, bool, i32), usize);

/// The open palette.
#[derive(Debug, Clone)]
pub struct Palette {
    kind: Kind,
    query: String,
    /// Every row, in the order without a query.
    all: Vec<Row>,
    /// The rows that match, the best first.
    rows: Vec<Hit>,
    /// What was found by fewer letters, for when one is taken back.
    past: Vec<(String, Vec<Hit>)>,
    /// Why there is nothing to list, or that it is on its way.
    pending: Option<Pending>,
    /// Whether it was opened in the palette of everything, which it leads back to.
    below: bool,
    /// The question to the host whose answer it waits for.
    pub question: u64,
    marked: usize,
    /// The first row shown.
    top: usize,
    /// How many rows fit.
    shown: usize,
}

/// What the host has not said.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Pending {
    /// It was asked.
    Asked,
    /// It cannot say it.
    Refused(String),
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
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Nothing.
    None,
    /// List one kind of thing in its place, and look for this in it.
    List(Kind, String),
    /// Close the palette and do this.
    Go(Target),
}

impl Palette {
    /// An open palette over what there is.
    #[must_use]
    pub fn new(kind: Kind, agents: &[Agent], tabs: &[Tab], about: About<'_>) -> Self {
        let mut all: Vec<Row> = match kind {
            Kind::All => rows::everything(agents, tabs, about),
            Kind::Tabs => rows::of_tabs(tabs, agents),
            Kind::Settings => rows::of_settings(),
            Kind::Workspaces => rows::of_workspaces(about.workspaces, agents),
            Kind::WorkspacesDeleted => rows::of_workspaces_deleted(about.workspaces),
            Kind::Files | Kind::Branches | Kind::Sessions | Kind::Playbooks => Vec::new(),
            Kind::Agent => {
                let of_agents = |row: &Row| match row.target {
                    Target::Command(id) => id.command().group == command::Group::Agents,
                    _ => false,
                };
                let all = rows::everything(&[], &[], about);
                all.into_iter().filter(|row| of_agents(row) && row.reason.is_none()).collect()
            }
            Kind::Agents => {
                let (waiting, others) = rows::waiting_first(agents);
                waiting.into_iter().chain(others).map(rows::agent_row).collect()
            }
            Kind::Themes => {
                let system = rows::row_of(
                    Target::System,
                    "Follow the desktop".to_owned(),
                    SYSTEM.to_owned(),
                );
                about.themes.all().map(rows::theme_row).chain([system]).collect()
            }
        };
        weigh(&mut all, about);
        if kind == Kind::All {
            recent_first(&mut all, about);
        }
        let rows = matching(&all, "", None);
        let pending = kind.is_asked_for().then_some(Pending::Asked);
        Self {
            kind,
            query: String::new(),
            rows,
            past: Vec::new(),
            all,
            pending,
            below: false,
            question: 0,
            marked: 0,
            top: 0,
            shown: SHOWN,
        }
    }

    /// Opened in the palette of everything, looking for something.
    #[must_use]
    pub fn below(mut self, query: String) -> Self {
        self.below = true;
        let _ = self.update(Message::Queried(query));
        self
    }

    /// Whether Escape leads back to the palette of everything.
    #[must_use]
    pub fn is_below(&self) -> bool {
        self.below
    }

    #[cfg(test)]
    pub fn for_tests(&self) -> (String, usize) {
        (self.query.clone(), self.marked)
    }

    /// What it lists.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The host said what there is, or why it cannot: what was typed meanwhile is looked for in it.
    pub fn heard(&mut self, rows: Result<Vec<Row>, String>, about: About<'_>) {
        match rows {
            Ok(mut rows) => {
                weigh(&mut rows, about);
                if !about.recent.is_empty() {
                    recent_first(&mut rows, about);
                }
                self.all = rows;
                self.pending = None;
            }
            Err(why) => self.pending = Some(Pending::Refused(why)),
        }
        self.rows = matching(&self.all, &self.query, None);
        self.past.clear();
        (self.marked, self.top) = (0, 0);
    }

    /// The theme that is marked, to be looked at before it is chosen.
    #[must_use]
    pub fn preview(&self) -> Option<&'static Tokens> {
        match &self.row(self.marked)?.target {
            Target::Theme(tokens) => Some(*tokens),
            _ => None,
        }
    }

    /// Marks what does this.
    #[must_use]
    pub fn at(mut self, target: &Target) -> Self {
        let at = self.rows.iter().position(|(_, row)| self.all[*row].target == *target);
        self.marked = at.unwrap_or_default();
        self.step(0);
        self
    }

    fn row(&self, number: usize) -> Option<&Row> {
        self.all.get(self.rows.get(number)?.1)
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
                if self.kind == Kind::All
                    && let Some(first) = query.chars().next()
                    && let Some((_, kind)) = PREFIXES.iter().find(|(prefix, _)| *prefix == first)
                {
                    return Action::List(*kind, query[first.len_utf8()..].to_owned());
                }
                self.look_for(query);
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

    /// What one more letter finds is among what was found, and what one letter less found is known.
    fn look_for(&mut self, query: String) {
        (self.marked, self.top) = (0, 0);
        self.past.retain(|(fewer, _)| query.starts_with(fewer.as_str()));
        if self.past.last().is_some_and(|(known, _)| *known == query)
            && let Some((_, rows)) = self.past.pop()
        {
            (self.query, self.rows) = (query, rows);
            return;
        }
        let more = query.starts_with(&self.query);
        let rows = matching(&self.all, &query, more.then_some(self.rows.as_slice()));
        let found = std::mem::replace(&mut self.rows, rows);
        let before = std::mem::replace(&mut self.query, query);
        if more && before != self.query {
            if self.past.len() == PAST {
                let _ = self.past.remove(0);
            }
            self.past.push((before, found));
        }
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
            Some(row) if row.reason.is_none() => Action::Go(row.target.clone()),
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
        let rows = shown.filter_map(|(index, (_, row))| {
            let row = self.all.get(*row)?;
            Some(row.view(tokens, index, index == self.marked, &self.matched(row)))
        });
        let list: Element<'_, Message> = if self.rows.is_empty() {
            let words = self.nothing();
            container(part::paragraph(words, type_scale::BASE, font::REGULAR, tokens.dim))
                .padding(space::L)
                .into()
        } else {
            mouse_area(column(rows)).on_scroll(|delta| Message::Scrolled(wheel(delta))).into()
        };
        column![input, part::rule(tokens), list, part::rule(tokens), self.footer(tokens)].into()
    }

    /// The letters of a row's title that match.
    fn matched(&self, row: &Row) -> Vec<usize> {
        fuzzy::find(&self.query, &row.title).map(|found| found.positions).unwrap_or_default()
    }

    /// What stands there where no row does.
    fn nothing(&self) -> String {
        match &self.pending {
            Some(Pending::Asked) => "Looking…".to_owned(),
            Some(Pending::Refused(why)) => part::sentence(why),
            None if self.all.is_empty() => self.kind.none().to_owned(),
            None => {
                let query = maestro_core::text::clean(&self.query, 60);
                format!("Nothing is called “{query}”. Fewer letters find more.")
            }
        }
    }

    fn footer(&self, tokens: &'static Tokens) -> Element<'_, Message> {
        let quiet = |words: &str| line(words, type_scale::SMALL, font::REGULAR, tokens.faint);
        let below = self.rows.len().saturating_sub(self.top + self.shown);
        let more = (below > 0).then(|| quiet(&format!("{below} more")));
        let digits = Chord { primary: true, mods: Mods::default(), code: Code::Char('1') };
        let digits = format!("{}–{} run a row", digits.title(Platform::HERE), self.shown);
        let run = if self.kind == Kind::All { "↵ run" } else { "↵ choose" };
        let leave = if self.below { "Esc back" } else { "Esc close" };
        row![quiet("↑↓ mark"), quiet(run), quiet(&digits), quiet(leave), quiet("").fill()]
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
            Self::Tabs => "Go to a tab…",
            Self::Files => "Open a file of the agent…",
            Self::Branches => "Switch to a branch…",
            Self::Sessions => "Resume a stored conversation…",
            Self::Playbooks => "Run a playbook…",
            Self::Settings => "Find a setting…",
            Self::Workspaces => "Go to a workspace…",
            Self::WorkspacesDeleted => "Delete a workspace…",
        }
    }

    /// What is said where there is none.
    fn none(self) -> &'static str {
        match self {
            Self::Agents => "There is no agent yet.",
            Self::Tabs => "No conversation is open.",
            Self::Files => "There is no file here, but perhaps ignored ones.",
            Self::Branches => "There is no branch yet: the first commit makes one.",
            Self::Sessions => "No provider has stored a conversation here yet.",
            Self::Playbooks => "There is no playbook here.",
            Self::Workspaces | Self::WorkspacesDeleted => "No workspace was saved yet.",
            Self::All | Self::Agent | Self::Themes | Self::Settings => "There is nothing here.",
        }
    }

    /// Whether the host knows what there is.
    fn is_asked_for(self) -> bool {
        matches!(self, Self::Files | Self::Branches | Self::Sessions | Self::Playbooks)
    }

    /// What a command lists.
    #[must_use]
    pub fn of_command(id: Id) -> Option<Self> {
        Some(match id {
            Id::AgentsSwitch => Self::Agents,
            Id::ThemeChoose => Self::Themes,
            Id::TabsGo => Self::Tabs,
            Id::FilesGo => Self::Files,
            Id::BranchesGo => Self::Branches,
            Id::SessionsGo => Self::Sessions,
            Id::PlaybooksGo => Self::Playbooks,
            Id::SettingsGo => Self::Settings,
            Id::WorkspacesGo => Self::Workspaces,
            Id::WorkspaceDelete => Self::WorkspacesDeleted,
            _ => return None,
        })
    }
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

/// How much each row was used.
fn weigh(all: &mut [Row], about: About<'_>) {
    let weights = about.recent.weights(about.now_ms);
    for row in all {
        row.used = weights.get(row.target.name().as_str()).copied().unwrap_or_default();
    }
}

/// The rows whose titles match, the best first, then those that say the query in their second line; of
/// both, what cannot be run here comes last. Where it is known that no others match, only these are
/// looked at.
fn matching(all: &[Row], query: &str, among: Option<&[Hit]>) -> Vec<Hit> {
    let words = query.trim().to_lowercase();
    let mut matcher = fuzzy::Matcher::new(query);
    let mut of = |number: usize| {
        let row = all.get(number)?;
        let cannot = row.reason.is_some();
        if let Some(score) = matcher.score(&row.title) {
            let used = if words.is_empty() { 0.0 } else { (USED * row.used).min(MOST_USED) };
            return Some(((cannot, false, -(score + used as i32)), number));
        }
        row.sought.contains(&words).then_some(((cannot, true, 0), number))
    };
    let mut found: Vec<Hit> = match among {
        Some(among) => among.iter().filter_map(|(_, number)| of(*number)).collect(),
        None => (0..all.len()).filter_map(of).collect(),
    };
    // Among equals the order without a query stays.
    found.sort_unstable();
    found
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
        let reason = self
            .reason
            .as_deref()
            .map(|why| line(why, type_scale::SMALL, font::REGULAR, tokens.dim));
        let about = (!self.about.is_empty()).then_some(about);
        let content = row![column![title].push(about).width(Length::Fill)]
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
        let workspaces = Workspaces::default();
        let (now_ms, keymap, themes, workspaces) = (0, &keymap, &themes, &workspaces);
        let about = About { place, recent, now_ms, keymap, themes, workspaces };
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
        assert_eq!(row.reason.as_deref(), Some("no terminal has the keyboard"), "{row:?}");
        assert_eq!(palette.accept(), Action::None);
    }

    #[test]
    fn letters_that_are_taken_back_find_what_they_found() {
        let mut palette = palette();
        for query in
            ["p", "pa", "pan", "pa", "pane", "pa", "p", "", "t", "th", "te", "t", "pa", "p"]
        {
            let _ = palette.update(Message::Queried(query.to_owned()));
            assert_eq!(palette.rows, matching(&palette.all, query, None), "{query}");
        }
        for letters in (1..40).chain((0..40).rev()) {
            let query = "e".repeat(letters);
            let _ = palette.update(Message::Queried(query.clone()));
            assert_eq!(palette.rows, matching(&palette.all, &query, None), "{query}");
            assert!(palette.past.len() <= PAST);
        }
    }

    #[test]
    fn what_is_used_comes_first() {
        let mut recent = Recent::default();
        recent.note(Id::Quit.name(), 0);
        let place = Place { waiting: true, ..Place::FULL };
        let palette = of(Kind::All, place, &recent);
        let waiting = |row: &&Row| matches!(row.live, Some((State::NeedsYou, _)));
        let rows: Vec<&Row> = palette.rows.iter().map(|(_, row)| &palette.all[*row]).collect();
        let first = rows.iter().find(|row| !waiting(row)).expect("a row");
        assert_eq!(first.target, Target::Command(Id::Quit));
    }

    #[test]
    fn a_digit_runs_the_row_that_is_shown_there() {
        let mut palette = palette();
        let third = palette.row(2).expect("a row").target.clone();
        assert_eq!(palette.accept_shown(3), Action::Go(third));
        (0..20).for_each(|_| palette.step(1));
        let second = palette.row(palette.top + 1).expect("a row").target.clone();
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
        let mut themes = themes.at(&Target::Theme(theme::ALL[1]));
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
        assert_eq!(palette.matched(palette.row(0).expect("a row")), [0, 1, 2, 4, 5]);
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
        let row = palette.row(0).expect("a row");
        let inks: Vec<_> = row
            .spans(tokens, &palette.matched(row))
            .into_iter()
            .map(|span| (span.text.to_string(), span.color == Some(tokens.accent)))
            .collect();
        let expected = [("New", true), (" ", false), ("ag", true), ("ent…", false)]
            .map(|(t, a)| (t.to_owned(), a));
        assert_eq!(inks, expected);
    }
}

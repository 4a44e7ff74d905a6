//! The left panel: who needs the user, what is bookmarked, then every agent by group. Only what is in
//! sight is built: 200 agents cost what twenty cost.

use std::collections::BTreeSet;

use iced::widget::{
    Column, Space, button, column, container, mouse_area, row, scrollable, text_input,
};
use iced::{Alignment, Color, Element, Length, Padding};
use maestro_core::agent::{Agent, State};
use maestro_core::command::Id;
use maestro_core::conflict::Collision;
use maestro_core::keymap::Keymap;
use maestro_core::worktree::{Stage, Standing};
use maestro_core::{AgentId, TerminalId, text};
use maestro_ui::icon::{Icon, icon};
use maestro_ui::theme::{Tokens, extent, space, type_scale};
use maestro_ui::{font, line, part, status, style};

use super::model::Model;
use super::{ago, local};

/// The id of the list, which scrolls.
pub const LIST: &str = "agents-list";

/// The id of the field that filters.
pub const INPUT: &str = "agents-filter";

/// How wide the panel is when it shows shapes alone.
pub const RAIL: f32 = 48.0;

/// Height of the label over a group.
const SECTION: f32 = 36.0;

/// So much is built above and below what is in sight, for a wheel that is faster than the next picture.
const BEYOND: f32 = 400.0;

/// What the user does with the list beside looking at it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct List {
    /// What is looked for; `None` without a field.
    pub filter: Option<String>,
    /// Whether the field has the keyboard.
    pub writing: bool,
    /// Only agents that have something new.
    pub news: bool,
    /// Agents that were chosen for the next command.
    pub chosen: BTreeSet<AgentId>,
    /// How far it is scrolled.
    pub top: f32,
}

/// What the panel shows beside the model.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// Colours.
    pub tokens: &'static Tokens,
    /// Chords to teach.
    pub keymap: &'a Keymap,
    /// The agent whose pane has the keyboard.
    pub focused: Option<AgentId>,
    /// The agent the list's own cursor is on, while the list has the keyboard.
    pub marked: Option<AgentId>,
    /// Now.
    pub now_ms: u64,
    /// Whether the working arc turns.
    pub turning: bool,
    /// How wide the panel is.
    pub width: f32,
    /// How high the window is.
    pub height: f32,
    /// Terminals that rang and were not looked at since.
    pub bells: &'a BTreeSet<TerminalId>,
    /// What the user does with it.
    pub list: &'a List,
    /// Groups of which only the label is shown.
    pub folded: &'a BTreeSet<String>,
}

/// What was done.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// An agent was pressed.
    Picked(AgentId),
    /// An agent was pressed with the other button.
    Menu(AgentId),
    /// *New agent*.
    New,
    /// The label of a group.
    Folded(String),
    /// Another filter.
    Filtered(String),
    /// It was scrolled to there.
    Scrolled(f32),
}

/// The agents in the order in which the panel lists them, without the groups on top.
#[must_use]
pub fn order(model: &Model) -> Vec<AgentId> {
    let groups = model.groups();
    groups.iter().flat_map(|group| group.agents.iter().map(|agent| agent.id)).collect()
}

/// The agents that can be marked, in their order: those in folded groups, and what the filter leaves out,
/// cannot.
#[must_use]
pub fn listed(model: &Model, list: &List, folded: &BTreeSet<String>) -> Vec<AgentId> {
    let rows = rows(model, list, folded);
    let own = rows.iter().filter_map(|row| match row {
        Row::Agent { agent, above: false, .. } => Some(agent.id),
        _ => None,
    });
    own.collect()
}

/// Where the row of an agent begins and ends.
#[must_use]
pub fn place(
    model: &Model,
    list: &List,
    folded: &BTreeSet<String>,
    id: AgentId,
) -> Option<(f32, f32)> {
    let mut y = 0.0;
    for row in rows(model, list, folded) {
        let height = row.height();
        if matches!(row, Row::Agent { agent, above: false, .. } if agent.id == id) {
            return Some((y, y + height));
        }
        y += height;
    }
    None
}

/// How much of the list is in sight in a window of this height.
#[must_use]
pub fn sight(height: f32) -> f32 {
    (height - 2.0 * extent::TOP_BAR - extent::STATUS_BAR - 3.0 * extent::LINE).max(0.0)
}

/// A row of the list.
#[derive(Debug)]
enum Row<'a> {
    Section { title: String, count: usize, key: Option<String>, folded: bool },
    Agent { agent: &'a Agent, child: bool, above: bool },
    Nothing,
}

impl Row<'_> {
    fn height(&self) -> f32 {
        match self {
            Self::Section { .. } | Self::Nothing => SECTION,
            Self::Agent { .. } => extent::AGENT_ROW,
        }
    }
}

fn rows<'a>(model: &'a Model, list: &List, folded: &BTreeSet<String>) -> Vec<Row<'a>> {
    let words = list.filter.as_deref().unwrap_or_default().to_lowercase();
    let words: Vec<&str> = words.split_whitespace().collect();
    let filters = list.news || !words.is_empty();
    let fits = |agent: &Agent, group: &str| {
        let text = || {
            let branch = agent.branch.as_deref().unwrap_or_default();
            let provider = agent.provider.title();
            format!("{} {branch} {provider} {group} {}", agent.name, reason(agent)).to_lowercase()
        };
        (!list.news || has_news(model, agent))
            && (words.is_empty() || words.iter().all(|word| text().contains(word)))
    };
    let mut rows = Vec::new();
    let mut above = |title: &str, agents: Vec<&'a Agent>| {
        if !agents.is_empty() && !filters {
            let (title, count) = (title.to_owned(), agents.len());
            rows.push(Row::Section { title, count, key: None, folded: false });
            let agents = agents.into_iter();
            rows.extend(agents.map(|agent| Row::Agent { agent, child: false, above: true }));
        }
    };
    let waits = |agent: &&Agent| agent.attention.state == State::NeedsYou;
    above("Needs you", model.agents.iter().filter(waits).collect());
    above("Bookmarks", model.agents.iter().filter(|agent| agent.bookmarked).collect());
    for group in model.groups() {
        let (title, key) = (group.title(), group.key());
        let own: Vec<&Agent> =
            group.agents.iter().copied().filter(|agent| fits(agent, &title)).collect();
        if own.is_empty() {
            continue;
        }
        let is_folded = !filters && folded.contains(&key);
        let (count, key) = (own.len(), Some(key));
        rows.push(Row::Section { title, count, key, folded: is_folded });
        if !is_folded {
            rows.extend(own.into_iter().map(|agent| {
                let child = group.is_child(agent);
                Row::Agent { agent, child, above: false }
            }));
        }
    }
    if rows.is_empty() {
        rows.push(Row::Nothing);
    }
    rows
}

/// Whether something happened with an agent that the user has not seen.
fn has_news(model: &Model, agent: &Agent) -> bool {
    let unread =
        |notice: &maestro_core::notice::Notice| !notice.read && notice.agent == Some(agent.id);
    matches!(agent.attention.state, State::NeedsYou | State::Done | State::Failed)
        || model.notices.all().iter().any(unread)
}

/// The panel.
pub fn view<'a>(model: &'a Model, context: Context<'a>) -> Element<'a, Message> {
    let tokens = context.tokens;
    let rail = context.width <= RAIL;
    let rows = rows(model, context.list, context.folded);
    let (from, until) =
        (context.list.top - BEYOND, context.list.top + sight(context.height) + BEYOND);
    let (mut before, mut after, mut y) = (0.0, 0.0, 0.0);
    let mut shown = Column::new().width(Length::Fill);
    for row in &rows {
        let height = row.height();
        if y + height < from {
            before += height;
        } else if y > until {
            after += height;
        } else {
            shown = shown.push(container(row_view(model, row, context, rail)).height(height));
        }
        y += height;
    }
    let space = |height: f32| Space::new().height(height);
    let rows = column![space(before), shown, space(after)];
    let bar = scrollable::Scrollbar::new().width(4.0).scroller_width(4.0).margin(1.0);
    let list = scrollable(rows.padding(Padding::ZERO.bottom(space::M)))
        .id(LIST)
        .direction(scrollable::Direction::Vertical(bar))
        .on_scroll(|viewport| Message::Scrolled(viewport.absolute_offset().y))
        .height(Length::Fill)
        .style(style::scroll(tokens));
    let head = (!rail).then(|| filter(context)).flatten();
    container(
        column![].push(head).push(list).push(part::rule(tokens)).push(new_agent(context, rail)),
    )
    .width(context.width)
    .height(Length::Fill)
    .style(move |_| style::surface(tokens.panel))
    .into()
}

/// The field that filters, and what is left out beside.
fn filter<'a>(context: Context<'a>) -> Option<Element<'a, Message>> {
    let (tokens, list) = (context.tokens, context.list);
    let field = list.filter.as_deref().map(|filter| {
        text_input("Name, branch, group, reason…", filter)
            .id(INPUT)
            .on_input(Message::Filtered)
            .size(type_scale::BASE.0)
            .font(font::REGULAR)
            .padding([5.0, space::S])
            .style(style::input(tokens, false))
    });
    let news = list.news.then(|| {
        let words = line("only with news", type_scale::SMALL, font::REGULAR, tokens.accent).fill();
        let chord = context.keymap.title(Id::ListNews).map(|chord| part::chord(tokens, &chord));
        row![words].push(chord).align_y(Alignment::Center)
    });
    (field.is_some() || news.is_some()).then(|| {
        let head = column![].push(field).push(news).spacing(space::XS);
        container(head).padding(Padding::new(space::S).bottom(0.0)).into()
    })
}

fn row_view<'a>(
    model: &'a Model,
    row: &Row<'a>,
    context: Context<'a>,
    rail: bool,
) -> Element<'a, Message> {
    let tokens = context.tokens;
    match row {
        Row::Nothing => {
            let words = "No agent fits.";
            container(line(words, type_scale::SMALL, font::REGULAR, tokens.faint))
                .padding([space::S, space::M])
                .into()
        }
        Row::Section { .. } if rail => {
            container(part::rule(tokens)).center_y(Length::Fill).padding([0.0, space::S]).into()
        }
        Row::Section { title, count, key: None, .. } => part::section(tokens, title, *count),
        Row::Section { title, count, key: Some(key), folded } => {
            let title = if *folded { format!("› {title}") } else { title.clone() };
            let label = part::section(tokens, &title, *count);
            mouse_area(label).on_press(Message::Folded(key.clone())).into()
        }
        Row::Agent { agent, child, above } => {
            // The same agent again further down: only there is it the selected one.
            let context = match above {
                true => Context { focused: None, marked: None, ..context },
                false => context,
            };
            let row = match rail {
                true => rail_row(agent, context),
                false => agent_row(model, agent, context, *child, *above),
            };
            mouse_area(row).on_right_press(Message::Menu(agent.id)).into()
        }
    }
}

/// An agent as a shape alone.
fn rail_row<'a>(agent: &Agent, context: Context<'_>) -> Element<'a, Message> {
    let tokens = context.tokens;
    let shape = status::of_agent(tokens, agent.attention.state);
    let glyph = status::glyph(tokens, shape, extent::GLYPH, context.turning);
    let here = context.focused == Some(agent.id) || context.marked == Some(agent.id);
    let bar = if here { tokens.accent } else { Color::TRANSPARENT };
    let initials: String = agent.name.chars().take(2).collect();
    let name = line(initials, type_scale::TINY, font::MEDIUM, tokens.dim);
    let content = column![glyph, name].spacing(1.0).align_x(Alignment::Center);
    button(row![
        part::filled(bar, Length::Fixed(extent::BAR), Length::Fill),
        container(content).center(Length::Fill)
    ])
    .padding(0)
    .width(Length::Fill)
    .height(extent::AGENT_ROW)
    .style(style::row(tokens, here))
    .on_press(Message::Picked(agent.id))
    .into()
}

fn agent_row<'a>(
    model: &Model,
    agent: &Agent,
    context: Context<'_>,
    child: bool,
    above: bool,
) -> Element<'a, Message> {
    let tokens = context.tokens;
    let shape = status::of_agent(tokens, agent.attention.state);
    let parts = part::AgentRow {
        glyph: status::glyph(tokens, shape, extent::GLYPH, context.turning),
        name: agent.name.clone(),
        reason: making(model, agent)
            .or_else(|| limited(agent, context.now_ms))
            .or_else(|| met(model, agent).map(|met| collision(&met[0], met.len() - 1)))
            .unwrap_or_else(|| standing(model, agent, queued(model, agent, reason(agent)))),
        short: met(model, agent).map(|met| with(&met[0])).or_else(|| short(agent)),
        pill: badged(model, agent, pill(model, agent, context), context),
        selected: context.focused == Some(agent.id)
            || (!above && context.list.chosen.contains(&agent.id)),
        marked: context.marked == Some(agent.id),
        child,
    };
    part::agent_row(tokens, parts, Message::Picked(agent.id))
}

/// Why the agent is as it is: what was found out, or else where it works.
pub fn reason(agent: &Agent) -> String {
    let because = agent.attention.because.trim();
    let branch = agent.branch.as_deref();
    match (agent.attention.state, because, branch) {
        (_, "", Some(branch)) => branch.to_owned(),
        (_, "", None) => agent.directory.display().to_string(),
        (State::Idle | State::Done, because, Some(branch)) => {
            format!("{branch} · {because}")
        }
        (_, because, _) => because.to_owned(),
    }
}

/// How far the agent's worktree is, while it is being made.
fn making(model: &Model, agent: &Agent) -> Option<String> {
    let one = model.worktrees.iter().find(|one| one.path == agent.directory)?;
    match &one.stage {
        Stage::Ready => None,
        Stage::Filling { total: 0, .. } => Some("its files are being written".to_owned()),
        Stage::Filling { done, total } => {
            Some(format!("{} % of {total} files", done.saturating_mul(100) / total))
        }
        Stage::Preparing(what) => Some(text::clean(what, 100)),
        Stage::Failed(why) => Some(text::clean(why, 200)),
    }
}

/// The reason, and how much waits to be said.
fn queued(model: &Model, agent: &Agent, reason: String) -> String {
    match model.queues.get(&agent.id).map_or(0, |queue| queue.items.len()) {
        0 => reason,
        count => format!("{reason} · queue {count}"),
    }
}

/// The reason, and how the checkout stands where nothing about the agent itself matters more.
fn standing(model: &Model, agent: &Agent, reason: String) -> String {
    let rests = !matches!(agent.attention.state, State::Working | State::NeedsYou | State::Failed);
    let words = model.standings.get(&agent.id).filter(|_| rests).map(Standing::words);
    match words.filter(|words| !words.is_empty()) {
        Some(words) => format!("{reason} · {words}"),
        None => reason,
    }
}

/// Until when a limit holds, by the user's own clock, where that is known.
#[must_use]
pub fn limited(agent: &Agent, now_ms: u64) -> Option<String> {
    let until = agent.attention.until_ms.filter(|_| agent.attention.state == State::Limited)?;
    Some(format!("limited until {}", local::clock(until, now_ms)))
}

/// What is left of the reason where it does not fit: where an agent works is in its pane, too; why it
/// is as it is, is not.
fn short(agent: &Agent) -> Option<String> {
    let because = agent.attention.because.trim();
    match agent.attention.state {
        State::Resumable => Some("can be resumed".to_owned()),
        State::Idle | State::Done if !because.is_empty() => Some(because.to_owned()),
        _ => None,
    }
}

/// With what an agent's work conflicts, where nothing about the agent itself matters more.
fn met<'a>(model: &'a Model, agent: &Agent) -> Option<&'a [Collision]> {
    let rests = matches!(agent.attention.state, State::Idle | State::Done | State::Resumable);
    let met = model.collisions.get(&agent.id).filter(|_| rests)?;
    Some(met.as_slice()).filter(|met| !met.is_empty())
}

fn with(met: &Collision) -> String {
    format!("conflicts with {}", text::clean(&met.with, 100))
}

/// A collision in words: with what, and in which files. `more`: how many others there are.
#[must_use]
pub fn collision(met: &Collision, more: usize) -> String {
    let mut words = with(met);
    if let Some(file) = met.files.first() {
        words.push_str(": ");
        words.push_str(&text::clean(&file.to_string_lossy(), 200));
    }
    if met.files.len() > 1 {
        words.push_str(&format!(" and {} more", met.files.len() - 1));
    }
    match more {
        0 => {}
        1 => words.push_str("; with one other, too"),
        more => words.push_str(&format!("; with {more} others, too")),
    }
    words
}

/// The pill, and before it that a bell rang in one of the agent's terminals, and that its work conflicts.
fn badged<'a, M: 'a>(
    model: &Model,
    agent: &Agent,
    pill: Option<Element<'a, M>>,
    context: Context<'_>,
) -> Option<Element<'a, M>> {
    let rings = |terminal: Option<TerminalId>| {
        terminal.is_some_and(|terminal| context.bells.contains(&terminal))
    };
    let bell = (rings(agent.ai_terminal) || rings(agent.shell_terminal))
        .then(|| icon(Icon::Bell, extent::GLYPH, context.tokens.accent));
    let clash = (model.collisions.contains_key(&agent.id))
        .then(|| icon(Icon::Warning, extent::GLYPH, context.tokens.orange));
    if bell.is_none() && clash.is_none() {
        return pill;
    }
    let marks = row![].push(clash).push(bell).push(pill);
    Some(marks.spacing(space::XS).align_y(Alignment::Center).into())
}

/// The one fact that matters now.
pub fn pill<'a, M: 'a>(
    model: &Model,
    agent: &Agent,
    context: Context<'_>,
) -> Option<Element<'a, M>> {
    let tokens = context.tokens;
    let since = || ago::since(agent.attention.since_ms, context.now_ms);
    let label = match (agent.attention.state, model.run_of(agent)) {
        (State::NeedsYou, _) => since(),
        (State::Failed, _) => "!".to_owned(),
        (_, Some(run)) => format!("{}/{}", run.done, run.done + run.open),
        (State::Done, None) => "new".to_owned(),
        _ => return None,
    };
    Some(part::pill(tokens, label, false))
}

fn new_agent<'a>(context: Context<'_>, rail: bool) -> Element<'a, Message> {
    let tokens = context.tokens;
    let chord = context.keymap.title(Id::AgentNew);
    let words = row![
        icon(Icon::Plus, 11.0, tokens.dim),
        line("New agent", type_scale::BASE, font::REGULAR, tokens.dim).fill(),
    ]
    .push(chord.map(|chord| part::chord(tokens, &chord)))
    .spacing(space::S)
    .align_y(Alignment::Center)
    .height(Length::Fill);
    let content: Element<'a, Message> = match rail {
        true => container(icon(Icon::Plus, 11.0, tokens.dim)).center(Length::Fill).into(),
        false => words.into(),
    };
    button(content)
        .padding([0.0, space::M])
        .height(extent::TOP_BAR)
        .width(Length::Fill)
        .style(style::row(tokens, false))
        .on_press(Message::New)
        .into()
}

#[cfg(test)]
mod tests {
    use super::super::scene;
    use super::*;

    #[test]
    fn every_row_says_why() {
        for agent in scene::world().agents {
            assert!(!reason(&agent).is_empty(), "{}", agent.name);
        }
    }

    #[test]
    fn where_both_do_not_fit_the_reason_stays_and_the_branch_goes() {
        let mut agent = scene::world().agents[3].clone();
        agent.branch = Some("docs/preferences".to_owned());
        agent.attention.because = "its changes are committed".to_owned();
        assert_eq!(reason(&agent), "docs/preferences · its changes are committed");
        assert_eq!(short(&agent).as_deref(), Some("its changes are committed"));
    }

    #[test]
    fn the_list_has_every_agent_once() {
        let mut model = Model::default();
        model.replace(scene::world());
        let order = order(&model);
        assert_eq!(order.len(), model.agents.len());
    }

    fn shown(model: &Model, list: &List, folded: &BTreeSet<String>) -> Vec<u64> {
        listed(model, list, folded).iter().map(|id| id.0).collect()
    }

    #[test]
    fn what_is_folded_or_left_out_cannot_be_marked() {
        let mut model = Model::default();
        model.replace(scene::world());
        let all = shown(&model, &List::default(), &BTreeSet::new());
        assert_eq!(all.len(), model.agents.len());
        let key = model.groups()[0].key();
        let folded = BTreeSet::from([key]);
        let rest = shown(&model, &List::default(), &folded);
        assert!(rest.len() < all.len() && !rest.contains(&all[0]));
        let find = |words: &str| List { filter: Some(words.to_owned()), ..List::default() };
        let name = model.agents[1].name.to_uppercase();
        let found = shown(&model, &find(&name), &folded);
        assert!(found.contains(&model.agents[1].id.0), "a folded group is looked through, too");
        assert_eq!(shown(&model, &find("nobody is called that"), &folded), [0; 0]);
        let news = List { news: true, ..List::default() };
        let found = shown(&model, &news, &BTreeSet::new());
        assert!(!found.is_empty() && found.len() < all.len());
    }

    #[test]
    fn of_many_agents_those_in_sight_have_a_place() {
        let mut model = Model::default();
        model.replace(scene::world());
        let one = model.agents[0].clone();
        model.agents = (1..=200)
            .map(|id| Agent { id: AgentId(id), bookmarked: id == 7, ..one.clone() })
            .collect();
        let (list, folded) = (List::default(), BTreeSet::new());
        let place = |id| place(&model, &list, &folded, AgentId(id)).expect("it is listed");
        let (first, last) = (place(1), place(200));
        assert!(last.0 - first.0 >= 199.0 * extent::AGENT_ROW);
        assert!((first.1 - first.0 - extent::AGENT_ROW).abs() < f32::EPSILON);
    }

    #[test]
    fn a_row_tells_how_far_a_worktree_is_and_how_it_stands() {
        let mut model = Model::default();
        model.replace(scene::world());
        let mut agent = model.agents[0].clone();
        agent.attention.state = State::Idle;
        assert_eq!(standing(&model, &agent, "main".to_owned()), "main");
        let stands = Standing { changed: 2, ahead_behind: Some((1, 0)), ..Standing::default() };
        let _ = model.standings.insert(agent.id, stands);
        assert_eq!(standing(&model, &agent, "main".to_owned()), "main · 2 changed · ↑1");
        agent.attention.state = State::NeedsYou;
        assert_eq!(standing(&model, &agent, "asks".to_owned()), "asks");
        assert_eq!(making(&model, &agent), None);
        model.worktrees.push(maestro_core::worktree::Entry {
            path: agent.directory.clone(),
            branch: None,
            head: None,
            main: false,
            locked: None,
            missing: false,
            prunable: None,
            origin: maestro_core::worktree::Origin::Made,
            stage: Stage::Filling { done: 25_000, total: 100_000 },
            agents: vec![agent.id],
            ports: None,
        });
        assert_eq!(making(&model, &agent).as_deref(), Some("25 % of 100000 files"));
    }
}

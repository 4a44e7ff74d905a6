//! The left panel: who needs the user, then every agent by repository.

use std::collections::BTreeSet;

use iced::widget::{Column, button, column, container, row, scrollable};
use iced::{Alignment, Element, Length, Padding};
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
    /// Terminals that rang and were not looked at since.
    pub bells: &'a BTreeSet<TerminalId>,
}

/// What was pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Message {
    /// An agent.
    Picked(AgentId),
    /// *New agent*.
    New,
}

/// The agents in the order in which the panel lists them, without the group on top.
#[must_use]
pub fn order(model: &Model) -> Vec<AgentId> {
    let groups = model.groups();
    groups.iter().flat_map(|group| group.agents.iter().map(|agent| agent.id)).collect()
}

/// The panel.
pub fn view<'a>(model: &'a Model, context: Context<'a>) -> Element<'a, Message> {
    let tokens = context.tokens;
    let mut rows = Column::new().width(Length::Fill);
    let waiting: Vec<_> =
        model.agents.iter().filter(|agent| agent.attention.state == State::NeedsYou).collect();
    if !waiting.is_empty() {
        rows = rows.push(part::section(tokens, "Needs you", waiting.len()));
        for agent in waiting {
            // The same agent again further down: only there is it the selected one.
            let above = Context { focused: None, marked: None, ..context };
            rows = rows.push(agent_row(model, agent, above, false));
        }
    }
    for group in model.groups() {
        rows = rows.push(part::section(tokens, &group.title(), group.agents.len()));
        for agent in &group.agents {
            rows = rows.push(agent_row(model, agent, context, group.is_child(agent)));
        }
    }
    let bar = scrollable::Scrollbar::new().width(4.0).scroller_width(4.0).margin(1.0);
    let list = scrollable(rows.padding(Padding::ZERO.bottom(space::M)))
        .direction(scrollable::Direction::Vertical(bar))
        .height(Length::Fill)
        .style(style::scroll(tokens));
    container(column![list, part::rule(tokens), new_agent(context)])
        .width(context.width)
        .height(Length::Fill)
        .style(move |_| style::surface(tokens.panel))
        .into()
}

fn agent_row<'a>(
    model: &Model,
    agent: &Agent,
    context: Context<'_>,
    child: bool,
) -> Element<'a, Message> {
    let tokens = context.tokens;
    let shape = status::of_agent(tokens, agent.attention.state);
    let parts = part::AgentRow {
        glyph: status::glyph(tokens, shape, extent::GLYPH, context.turning),
        name: agent.name.clone(),
        reason: making(model, agent)
            .or_else(|| limited(agent, context.now_ms))
            .or_else(|| met(model, agent).map(|met| collision(&met[0], met.len() - 1)))
            .unwrap_or_else(|| standing(model, agent, reason(agent))),
        short: met(model, agent).map(|met| with(&met[0])).or_else(|| short(agent)),
        pill: badged(model, agent, pill(model, agent, context), context),
        selected: context.focused == Some(agent.id),
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

fn new_agent<'a>(context: Context<'_>) -> Element<'a, Message> {
    let tokens = context.tokens;
    let chord = context.keymap.title(Id::AgentNew);
    let content = row![
        icon(Icon::Plus, 11.0, tokens.dim),
        line("New agent", type_scale::BASE, font::REGULAR, tokens.dim).fill(),
    ]
    .push(chord.map(|chord| part::chord(tokens, &chord)))
    .spacing(space::S)
    .align_y(Alignment::Center)
    .height(Length::Fill);
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

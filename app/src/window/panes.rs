//! The grid: one pane per agent, each with a live terminal, or with what to do when there is none.

pub mod strip;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use iced::widget::{Row, Space, column, container, row};
use iced::{Alignment, Element, Length, Padding, Rectangle, Size};
use maestro_core::agent::{Agent, State};
use maestro_core::command::Id;
use maestro_core::input::Input;
use maestro_core::keymap::Keymap;
use maestro_core::layout::Rect;
use maestro_core::link::Link;
use maestro_core::settings::Settings;
use maestro_core::text;
use maestro_core::{AgentId, TabId, TerminalId};
use maestro_grid::{Look, Surface};
use maestro_protocol::message::{Pasting, TerminalInfo};
use maestro_ui::icon::{Icon, icon};
use maestro_ui::live::Said;
use maestro_ui::style;
use maestro_ui::theme::{Tokens, extent, radius, space, type_scale};
use maestro_ui::tiles::tiles;
use maestro_ui::{font, line, live, part, pile, status};
use serde::{Deserialize, Serialize};

use super::agents;
use super::ago;
use super::find::{self, Find};
use super::hints::Hints;
use super::link;
use super::model::Model;
use super::talk::{self, Talks};
use super::toast::Toasts;
use super::vi::Vi;

/// The gap between panes; each has a ring of one pixel around it, which is part of the 8 one sees.
pub const GAP: f32 = space::S - 2.0 * extent::LINE;

/// Space around all panes.
pub const MARGIN: f32 = space::S - extent::LINE;

/// Space between a pane's edge and its cells.
pub const PADDING: f32 = 7.0;

/// What a pane shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Pane {
    /// An agent, by one of its two terminals.
    Agent(AgentId),
    /// A terminal that belongs to no agent.
    Terminal(TerminalId),
}

impl Pane {
    fn key(self) -> u64 {
        match self {
            Self::Agent(id) => id.0 << 1,
            Self::Terminal(id) => id.0 << 1 | 1,
        }
    }
}

/// Which of an agent's terminals its pane shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Side {
    /// The provider's own interface.
    #[default]
    Agent,
    /// A shell in the same directory.
    Shell,
    /// One of its conversations, if it has any.
    Conversation(Option<TabId>),
}

/// What the grid shows beside the model.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// Colours.
    pub tokens: &'static Tokens,
    /// How terminals look.
    pub look: &'a Arc<Look>,
    /// Where input goes and frames come from.
    pub link: &'a link::Link,
    /// Chords to teach.
    pub keymap: &'a Keymap,
    /// The pane with the keyboard.
    pub focused: Option<Pane>,
    /// The area that their places were planned for.
    pub planned: Size,
    /// Whether the panes reach to the left and to the right edge of the window.
    pub open: (bool, bool),
    /// Physical pixels per logical one.
    pub scale: f32,
    /// Now.
    pub now_ms: u64,
    /// Whether the working arc turns.
    pub turning: bool,
    /// What lies over the terminals.
    pub over: Over<'a>,
}

/// What lies over the terminals of the grid, and what their headers say beside the model.
#[derive(Debug, Clone, Copy)]
pub struct Over<'a> {
    /// How terminals look whose text has a size of its own.
    pub looks: &'a BTreeMap<Pane, Arc<Look>>,
    /// What the user has set.
    pub settings: &'a Settings,
    /// The open search bar.
    pub find: Option<&'a Find>,
    /// Vi mode.
    pub vi: &'a Vi,
    /// Labels over links.
    pub hints: Option<&'a Hints>,
    /// The link under the mouse.
    pub hovered: Option<&'a (TerminalId, String)>,
    /// What programs want to put into the clipboard.
    pub wanted: &'a BTreeMap<TerminalId, String>,
    /// Terminals that rang and were not looked at since.
    pub bells: &'a BTreeSet<TerminalId>,
    /// Whether files are held over the window.
    pub dropping: bool,
    /// The conversations.
    pub talks: &'a Talks,
    /// Panes in which there is little place.
    pub narrow: &'a BTreeSet<Pane>,
    /// How high panes are that are low.
    pub low: &'a BTreeMap<Pane, f32>,
    /// Panes that were chosen to hear what is typed into one of them.
    pub broadcast: &'a BTreeSet<Pane>,
    /// The terminals that hear what is typed into the pane with the keyboard, where there are several.
    pub hearing: &'a Arc<[TerminalId]>,
    /// What the program tells, where the conversation with the keyboard shows it.
    pub toasts: Option<&'a Toasts>,
}

/// The panes, as they were laid out.
#[derive(Debug, Clone, PartialEq)]
pub struct Tiled {
    /// Those on the screen, and where.
    pub shown: Vec<(Pane, Side, Rect)>,
    /// Those that are only named, in a strip below.
    pub rest: Vec<Pane>,
}

/// What was done.
#[derive(Debug, Clone)]
pub enum Message {
    /// A pane was given the keyboard by the mouse.
    Focused(Pane),
    /// A pane without a terminal was asked for one.
    Resumed(Pane),
    /// A selection was finished.
    Selected(TerminalId),
    /// A link was clicked.
    Followed(TerminalId, Link),
    /// The mouse is over a link, or not any more.
    Hovered(TerminalId, Option<Link>),
    /// Text was pasted by the mouse.
    Pasted(TerminalId, String),
    /// The newest output is wanted.
    Caught(TerminalId),
    /// The rest of a paste is not wanted.
    PasteCancelled(TerminalId),
    /// What a program wants to do with the clipboard is looked at.
    Answering(TerminalId),
    /// In the search bar.
    Find(find::Message),
    /// In a conversation.
    Talk(talk::Message),
}

/// The id of a terminal's widget.
#[must_use]
pub fn widget_id(terminal: TerminalId) -> String {
    format!("terminal-{terminal}")
}

/// The terminal a pane shows.
#[must_use]
pub fn terminal_of(model: &Model, pane: Pane, side: Side) -> Option<TerminalId> {
    match pane {
        Pane::Terminal(id) => model.terminals.contains_key(&id).then_some(id),
        Pane::Agent(id) => {
            let agent = model.agent(id)?;
            match side {
                Side::Agent => agent.ai_terminal,
                Side::Shell => agent.shell_terminal,
                Side::Conversation(_) => None,
            }
        }
    }
}

/// The grid with these panes.
pub fn view<'a>(model: &'a Model, tiled: Tiled, context: Context<'a>) -> Element<'a, Message> {
    let panes = tiled.shown.iter().map(|(pane, side, place)| {
        let element = match pane {
            Pane::Agent(id) => {
                model.agent(*id).map(|agent| agent_pane(model, agent, *side, context))
            }
            Pane::Terminal(id) => {
                model.terminals.get(id).map(|info| free_pane(model, info, context))
            }
        };
        let Rect { x, y, width, height } = *place;
        let place = Rectangle { x, y, width, height };
        (pane.key(), place, element.unwrap_or_else(|| container("").into()))
    });
    // Beside a panel its edge is the margin.
    let margin = |open: bool| if open { MARGIN } else { 0.0 };
    let (left, right) = (margin(context.open.0), margin(context.open.1));
    let grid = tiles(context.planned, panes);
    let strip = (!tiled.rest.is_empty())
        .then(|| strip::view(model, &tiled.rest, context.planned.width, context));
    container(column![grid].push(strip).spacing(MARGIN))
        .padding(Padding { top: MARGIN, right, bottom: MARGIN, left })
        .width(Length::Fill)
        .height(Length::Fill)
        .into()
}

fn agent_pane<'a>(
    model: &'a Model,
    agent: &'a Agent,
    side: Side,
    context: Context<'a>,
) -> Element<'a, Message> {
    let tokens = context.tokens;
    let pane = Pane::Agent(agent.id);
    let terminal = terminal_of(model, pane, side);
    let info = terminal.and_then(|id| model.terminals.get(&id));
    let header = match side {
        Side::Agent | Side::Conversation(_) => {
            let shape = status::of_agent(tokens, agent.attention.state);
            let glyph = status::glyph(tokens, shape, extent::GLYPH, context.turning);
            let branch = agent.branch.as_deref().map(|branch| format!(" · {branch}"));
            let about = format!("{}{}", agent.provider.title(), branch.unwrap_or_default());
            let pill = pill(model, agent, info, context);
            part::pane_header(
                tokens,
                glyph,
                &*agent.name,
                about,
                badged(pane, terminal, pill, context),
            )
        }
        Side::Shell => {
            let glyph = icon(Icon::Shell, extent::GLYPH, tokens.dim);
            let about = info.map_or_else(|| agent.directory.display().to_string(), about_terminal);
            let pill =
                badged(pane, terminal, info.and_then(|info| exit_pill(tokens, info)), context);
            part::pane_header(tokens, glyph, format!("{} · shell", agent.name), about, pill)
        }
    };
    let body = match terminal {
        _ if matches!(side, Side::Conversation(_)) => {
            conversation_body(model, agent, side, context)
        }
        Some(terminal) => terminal_body(pane, terminal, info, context),
        None => nothing_here(agent, side, context),
    };
    framed(context, pane, header, body)
}

fn conversation_body<'a>(
    model: &'a Model,
    agent: &'a Agent,
    side: Side,
    context: Context<'a>,
) -> Element<'a, Message> {
    let Side::Conversation(tab) = side else { return Space::new().into() };
    let pane = Pane::Agent(agent.id);
    let shown = talk::Context {
        tokens: context.tokens,
        keymap: context.keymap,
        settings: context.over.settings,
        focused: context.focused == Some(pane),
        narrow: context.over.narrow.contains(&pane),
        height: context.over.low.get(&pane).copied().unwrap_or(f32::INFINITY),
        toasts: context.over.toasts.filter(|_| context.focused == Some(pane)),
        now_ms: context.now_ms,
        turning: context.turning,
    };
    talk::view(model, context.over.talks, agent, tab, shown).map(Message::Talk)
}

fn free_pane<'a>(
    _model: &'a Model,
    info: &'a TerminalInfo,
    context: Context<'a>,
) -> Element<'a, Message> {
    let tokens = context.tokens;
    let pane = Pane::Terminal(info.id);
    let glyph = icon(Icon::Shell, extent::GLYPH, tokens.dim);
    let pill = badged(pane, Some(info.id), exit_pill(tokens, info), context);
    let (title, place) = (text::clean(&info.title, 80), shown_path(&info.directory));
    let header = part::pane_header(tokens, glyph, title, place, pill);
    framed(context, pane, header, terminal_body(pane, info.id, Some(info), context))
}

fn framed<'a>(
    context: Context<'a>,
    pane: Pane,
    header: Element<'a, Message>,
    body: Element<'a, Message>,
) -> Element<'a, Message> {
    let header = iced::widget::mouse_area(header).on_press(Message::Focused(pane)).into();
    let ring = context.over.broadcast.contains(&pane).then_some(context.tokens.orange);
    part::pane(context.tokens, header, body, context.focused == Some(pane), ring)
}

fn about_terminal(info: &TerminalInfo) -> String {
    let directory = info.directory.file_name().unwrap_or(info.directory.as_os_str());
    let directory = text::clean(&directory.to_string_lossy(), 80);
    format!("{} · {directory}", text::clean(&info.title, 80))
}

/// A folder that a program named: nothing in it can make it look other than it is.
fn shown_path(path: &Path) -> String {
    text::clean(&path.to_string_lossy(), 200)
}

fn exit_pill<'a>(tokens: &'static Tokens, info: &TerminalInfo) -> Option<Element<'a, Message>> {
    info.exit.map(|exit| part::pill(tokens, format!("ended with {exit}"), false))
}

/// The one fact about an agent that matters now.
fn pill<'a>(
    model: &Model,
    agent: &Agent,
    info: Option<&TerminalInfo>,
    context: Context<'_>,
) -> Option<Element<'a, Message>> {
    let tokens = context.tokens;
    if let Some(exit) = info.and_then(|info| exit_pill(tokens, info)) {
        return Some(exit);
    }
    let because = agent.attention.because.trim();
    let (label, wants_the_eye) = match (agent.attention.state, model.run_of(agent)) {
        (State::NeedsYou, _) => {
            let short = because.split(':').next().filter(|word| word.len() <= 20);
            (short.filter(|word| !word.is_empty()).unwrap_or("needs you").to_owned(), true)
        }
        (State::Limited, _) => {
            let reason = agents::limited(agent, context.now_ms);
            (reason.unwrap_or(because.to_owned()).trim_start_matches("limited ").to_owned(), false)
        }
        (_, Some(run)) => (format!("{}/{}", run.done, run.done + run.open), false),
        (State::Working, None) => match info.and_then(|info| info.progress) {
            Some(percent) => (format!("{percent} %"), false),
            None => (ago::since(agent.attention.since_ms, context.now_ms), false),
        },
        (State::Failed, None) => ("failed".to_owned(), false),
        _ => return None,
    };
    (!label.is_empty()).then(|| part::pill(tokens, label, wants_the_eye))
}

/// The pill of a header, and before it that a bell rang, and that the pane hears what is typed in others.
fn badged<'a>(
    pane: Pane,
    terminal: Option<TerminalId>,
    pill: Option<Element<'a, Message>>,
    context: Context<'_>,
) -> Option<Element<'a, Message>> {
    let rang = terminal.is_some_and(|terminal| context.over.bells.contains(&terminal));
    let hears = context.over.broadcast.contains(&pane);
    if !rang && !hears {
        return pill;
    }
    let bell = rang.then(|| icon(Icon::Bell, extent::GLYPH, context.tokens.accent));
    let mark = hears.then(|| part::loud(context.tokens, Icon::Warning, "broadcast"));
    Some(
        Row::new()
            .push(mark)
            .push(bell)
            .push(pill)
            .spacing(space::S)
            .align_y(Alignment::Center)
            .into(),
    )
}

fn terminal_body<'a>(
    pane: Pane,
    terminal: TerminalId,
    info: Option<&TerminalInfo>,
    context: Context<'a>,
) -> Element<'a, Message> {
    let (link, over) = (context.link, context.over);
    let surface = link.surface(terminal);
    let look = over.looks.get(&pane).unwrap_or(context.look);
    let spoken = context.focused == Some(pane) && over.hearing.contains(&terminal);
    let others: Arc<[TerminalId]> = if spoken { Arc::clone(over.hearing) } else { Arc::new([]) };
    let mut widget = maestro_grid::terminal(&surface, look)
        .id(widget_id(terminal))
        .scale(context.scale)
        .padding(PADDING)
        .keeps_focus(true)
        .on_input(move |input| {
            if matches!(input, Input::Key(_) | Input::Text(_)) {
                for other in others.iter().filter(|other| **other != terminal) {
                    link.input(*other, input.clone());
                }
            }
            link.input(terminal, input);
        })
        .on_focus(Message::Focused(pane))
        .on_select(Message::Selected(terminal))
        .on_link(move |link| Message::Followed(terminal, link))
        .on_hover(move |link| Message::Hovered(terminal, link))
        .on_paste(move |text| Message::Pasted(terminal, text))
        .wheel_rows(over.settings.wheel_rows)
        .option_is_alt(over.settings.option_is_alt);
    if let Some(hints) = over.hints.filter(|hints| hints.terminal == terminal) {
        widget = widget.hints(Arc::clone(hints.labels()));
    }
    let ended = info.is_some_and(|info| info.exit.is_some()) && matches!(pane, Pane::Agent(_));
    let strip = ended.then(|| ended_strip(pane, context));
    let (above, shown) = lying_over(pane, terminal, &surface, info, context);
    // Always of the same shape, so that the terminal keeps its state when something comes.
    column![pile(widget, above, shown)].push(strip).into()
}

/// What lies over a terminal: the search bar at the top; at the bottom what is going on, and the way
/// back to the newest output. Tells whether it needs a layer.
fn lying_over<'a>(
    pane: Pane,
    terminal: TerminalId,
    surface: &Surface,
    info: Option<&TerminalInfo>,
    context: Context<'a>,
) -> (Element<'a, Message>, bool) {
    let (tokens, over) = (context.tokens, context.over);
    let focused = context.focused == Some(pane);
    let find = over.find.filter(|find| find.terminal == terminal);
    let find = find.map(|find| find.view(tokens, context.keymap).map(Message::Find));
    let note = note(terminal, info, focused, context);
    let shown = find.is_some() || note.is_some();
    let vi = over.vi;
    let modes = surface.clone();
    let mode = live(
        tokens,
        move || vi.is_on(terminal, modes.modes().vi),
        move |on| on.then(|| Said { words: vi.words(), loud: true }),
        None,
    );
    let scrolled = surface.clone();
    let chord = context.keymap.title(Id::ScrollBottom).filter(|_| focused);
    let unseen = live(
        tokens,
        move || {
            let scroll = scrolled.scroll();
            (scroll.offset.min(LARGEST), scroll.unseen.min(LARGEST))
        },
        move |(offset, unseen)| held(offset, unseen, chord.as_deref()),
        Some(Message::Caught(terminal)),
    );
    // At the right, where lines end: prompts and what was printed last stand at the left. What has nothing
    // to say takes no place, so each brings its own gap.
    let note = note.map(|note| container(note).padding(Padding::ZERO.left(space::S)));
    let bottom = row![Space::new().width(Length::Fill)].push(note).push(mode).push(unseen);
    let content = column![]
        .push(find)
        .push(Space::new().height(Length::Fill))
        .push(bottom.align_y(Alignment::End));
    // The scrollbar has the right edge.
    let room = Padding::new(space::XS).right(space::S);
    (container(content).padding(room).width(Length::Fill).height(Length::Fill).into(), shown)
}

/// Counts beyond this are not told apart.
const LARGEST: u32 = 99_999;

/// That the viewport holds, and how much came since.
fn held(offset: u32, unseen: u32, chord: Option<&str>) -> Option<Said> {
    if offset == 0 {
        return None;
    }
    let chord = chord.map(|chord| format!("  {}", part::spaced(chord))).unwrap_or_default();
    let more = if unseen >= LARGEST { "+" } else { "" };
    let (words, loud) = match unseen {
        0 => (format!("Holds ↓{chord}"), false),
        1 => (format!("1 new line ↓{chord}"), true),
        count => (format!("{count}{more} new lines ↓{chord}"), true),
    };
    Some(Said { words, loud })
}

/// The one thing about a terminal that has to be said in it now.
fn note<'a>(
    terminal: TerminalId,
    info: Option<&TerminalInfo>,
    focused: bool,
    context: Context<'a>,
) -> Option<Element<'a, Message>> {
    let (tokens, over) = (context.tokens, context.over);
    let said = |words: String| line(words, type_scale::SMALL, font::REGULAR, tokens.text);
    let card = |content: Element<'a, Message>| {
        container(content)
            .padding([0.0, space::S])
            .style(move |_| style::bordered(tokens.raised, tokens.strong, radius::CARD))
            .into()
    };
    if over.hints.is_some_and(|hints| hints.terminal == terminal) {
        let words = "Type a label · ⇧ copies · Alt inserts";
        return Some(card(said(words.to_owned()).into()));
    }
    if let Some((_, target)) = over.hovered.filter(|(hovered, _)| *hovered == terminal) {
        return Some(card(said(target.clone()).into()));
    }
    if over.dropping && focused {
        return Some(card(said("Let go to insert the file's name".to_owned()).into()));
    }
    if let Some(Pasting { written, total }) = info.and_then(|info| info.pasting) {
        let percent = written.saturating_mul(100) / total.max(1);
        let words = said(format!("Pasting {:.1} MB · {percent} %", total as f64 / 1e6));
        let stop = part::word(tokens, "Stop", Message::PasteCancelled(terminal));
        let content = row![words, stop].spacing(space::S).align_y(Alignment::Center);
        return Some(iced::widget::opaque(card(content.into())));
    }
    let wanted = over.wanted.get(&terminal)?;
    let count = wanted.chars().count();
    let words = said(format!("Wants to copy {count} characters"));
    let look = part::word(tokens, "Answer…", Message::Answering(terminal));
    let chord = context.keymap.title(Id::ClipboardAnswer).filter(|_| focused);
    let content = row![words, look]
        .push(chord.map(|chord| part::chord(tokens, &chord)))
        .spacing(space::S)
        .align_y(Alignment::Center);
    Some(iced::widget::opaque(card(content.into())))
}

/// Under a terminal whose program has ended.
fn ended_strip<'a>(pane: Pane, context: Context<'_>) -> Element<'a, Message> {
    let tokens = context.tokens;
    let words = line("The program has ended.", type_scale::SMALL, font::REGULAR, tokens.dim).fill();
    let chord = context.keymap.title(Id::AgentResume);
    let content = row![words]
        .push(part::action(tokens, "Start again", false, false, Some(Message::Resumed(pane))))
        .push(chord.map(|chord| part::chord(tokens, &chord)))
        .spacing(space::S)
        .align_y(Alignment::Center)
        .padding([space::XS, space::M]);
    column![part::rule(tokens), content].into()
}

/// A pane without a terminal: why, and what to do.
fn nothing_here<'a>(agent: &Agent, side: Side, context: Context<'_>) -> Element<'a, Message> {
    let tokens = context.tokens;
    let pane = Pane::Agent(agent.id);
    let resumable = agent.attention.state == State::Resumable && agent.session.is_some();
    let (title, words, label) = match side {
        Side::Shell => {
            ("No shell yet", "A shell in the agent's directory.".to_owned(), "Start shell")
        }
        Side::Conversation(_) => ("", String::new(), ""),
        Side::Agent if resumable => (
            "Its program is gone, its session is not",
            agent.directory.display().to_string(),
            "Resume",
        ),
        Side::Agent => ("It is not running", agents::reason(agent), "Start"),
    };
    let (shape, color) = match side {
        Side::Agent => status::of_agent(tokens, agent.attention.state),
        Side::Shell | Side::Conversation(_) => (Icon::Shell, tokens.faint),
    };
    let focused = context.focused == Some(pane);
    let button = row![part::action(tokens, label, true, false, Some(Message::Resumed(pane)))]
        .push(focused.then(|| part::chord(tokens, "↵")))
        .spacing(space::S)
        .align_y(Alignment::Center);
    let content = column![
        icon(shape, 28.0, color),
        line(title, type_scale::LARGE, font::MEDIUM, tokens.text),
        line(words, type_scale::BASE, font::REGULAR, tokens.dim),
        button,
    ]
    .spacing(space::M)
    .align_x(Alignment::Center);
    let area = container(content).padding(space::L).center(Length::Fill);
    iced::widget::mouse_area(area).on_press(Message::Focused(pane)).into()
}

/// A grid whose panes were all closed: how to see one again.
pub fn all_closed<'a, M: 'a>(tokens: &'static Tokens, keymap: &Keymap) -> Element<'a, M> {
    let words = "Every pane is closed. Choose an agent at the left to see it again.";
    let words = line(words, type_scale::LARGE, font::REGULAR, tokens.dim);
    let chord = keymap.title(Id::FocusAgents).map(|chord| part::chord(tokens, &chord));
    let content = column![words].push(chord).spacing(space::M).align_x(Alignment::Center);
    container(content).padding(space::XL).center(Length::Fill).into()
}

/// A window without a host, and what to do about it.
pub fn no_host<'a, M: Clone + 'a>(
    tokens: &'static Tokens,
    title: &str,
    words: String,
    start: Option<M>,
) -> Element<'a, M> {
    let action = start.map(|message| {
        row![
            part::action(tokens, "Start it again", true, false, Some(message)),
            part::chord(tokens, "↵")
        ]
        .spacing(space::S)
        .align_y(Alignment::Center)
    });
    let content = column![
        line(title, type_scale::TITLE, font::SEMIBOLD, tokens.text),
        container(part::paragraph(words, type_scale::BASE, font::REGULAR, tokens.dim))
            .max_width(520.0),
    ]
    .push(action)
    .spacing(space::M)
    .align_x(Alignment::Center);
    container(content).padding(space::XL).center(Length::Fill).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_viewport_that_holds_says_so_and_what_it_misses() {
        let check = |offset, unseen, expected: Option<(&str, bool)>| {
            let said = held(offset, unseen, None);
            let expected = expected.map(|(words, loud)| Said { words: words.to_owned(), loud });
            assert_eq!(said, expected, "{offset} {unseen}");
        };
        check(0, 0, None);
        check(12, 0, Some(("Holds ↓", false)));
        check(12, 1, Some(("1 new line ↓", true)));
        check(12, 480, Some(("480 new lines ↓", true)));
        check(12, LARGEST, Some(("99999+ new lines ↓", true)));
    }
}

//! What waits to be said, agent by agent: one list over all queues, or the queue of one agent.

use iced::widget::text_editor::{Action as Act, Content, Motion};
use iced::widget::{Column, button, column, container, row, scrollable, text_editor};
use iced::{Alignment, Background, Border, Color, Element, Length, Padding};
use maestro_core::agent::Agent;
use maestro_core::command::Id;
use maestro_core::keymap::Keymap;
use maestro_core::queue::{Held, Item, Queue};
use maestro_core::text;
use maestro_core::{AgentId, ItemId, TabId};
use maestro_protocol::message::ItemChange;
use maestro_ui::icon::{Icon, icon};
use maestro_ui::theme::{Tokens, extent, radius, space, type_scale};
use maestro_ui::{font, line, part, style};

use crate::window::model::Model;
use crate::window::{agents, ago, tabs};

/// The id of the input in which a prompt is edited.
pub const INPUT: &str = "queue-input";

/// The id of the list, which scrolls.
pub const LIST: &str = "queue-list";

/// How wide the view is.
pub const WIDTH: f32 = 760.0;

/// What is around the list in a low window: the window's edges, the head, keys in two rows.
const AROUND: f32 = 176.0;

/// Height of a prompt's row.
const ROW: f32 = 42.0;

/// The open view of what waits.
#[derive(Debug)]
pub struct View {
    /// The one agent it is about; all of them when absent.
    pub agent: Option<AgentId>,
    /// The agent it was opened at.
    here: Option<AgentId>,
    marked: Option<ItemId>,
    editing: Option<(Item, Content)>,
    /// What was taken out, the last one last.
    removed: Vec<ItemId>,
}

/// What happens in it.
#[derive(Debug, Clone)]
pub enum Message {
    /// A prompt was pressed.
    Picked(ItemId),
    /// The edited text is to change.
    Acted(Act),
    /// The button of an agent's queue.
    Held(AgentId, bool),
}

/// What the shell is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    None,
    /// Change a prompt.
    Change(ItemId, ItemChange),
    /// Hold an agent's queue, or let it go on.
    Hold(AgentId, bool),
    /// Choose another tab for it.
    Target(ItemId, TabId),
    /// Show a tab.
    Open(TabId),
    /// Close it.
    Close,
}

impl View {
    /// What waits for all agents; opened at one.
    #[must_use]
    pub fn new(model: &Model, here: Option<AgentId>) -> Self {
        let mut view = Self { agent: None, here, marked: None, editing: None, removed: Vec::new() };
        let mine =
            here.and_then(|here| model.queues.get(&here)).and_then(|queue| queue.items.first());
        view.marked = mine.map(|item| item.id);
        view.settle(model);
        view
    }

    /// Whether a prompt is being edited.
    #[must_use]
    pub fn is_editing(&self) -> bool {
        self.editing.is_some()
    }

    /// The queues it shows, in the order of the agents.
    fn queues<'a>(&self, model: &'a Model) -> Vec<(&'a Agent, &'a Queue)> {
        let order = agents::order(model);
        let shown = |id: &AgentId| self.agent.is_none_or(|agent| agent == *id);
        let queue = |id: &AgentId| Some((model.agent(*id)?, model.queues.get(id)?));
        order.iter().filter(|id| shown(id)).filter_map(queue).collect()
    }

    fn items<'a>(&self, model: &'a Model) -> Vec<(&'a Queue, &'a Item)> {
        let queues = self.queues(model).into_iter();
        queues.flat_map(|(_, queue)| queue.items.iter().map(move |item| (queue, item))).collect()
    }

    /// There is a marked prompt whenever there is a prompt.
    pub fn settle(&mut self, model: &Model) {
        let items = self.items(model);
        if !items.iter().any(|(_, item)| Some(item.id) == self.marked) {
            self.marked = items.first().map(|(_, item)| item.id);
        }
        if let Some((edited, _)) = &self.editing
            && !items.iter().any(|(_, item)| item.id == edited.id)
        {
            // It was sent meanwhile: there is nothing left to edit.
            self.editing = None;
        }
    }

    /// Takes in what happened.
    pub fn update(&mut self, message: Message, model: &Model) -> Action {
        match message {
            Message::Picked(id) if self.marked == Some(id) && self.editing.is_none() => {
                self.command(Id::OverlayAccept, model)
            }
            Message::Picked(id) => {
                self.marked = Some(id);
                Action::None
            }
            Message::Acted(act) => {
                if let Some((_, content)) = &mut self.editing {
                    content.perform(act);
                }
                Action::None
            }
            Message::Held(agent, held) => Action::Hold(agent, held),
        }
    }

    /// Does a command.
    pub fn command(&mut self, id: Id, model: &Model) -> Action {
        if self.editing.is_some() {
            return self.edit(id);
        }
        let items = self.items(model);
        let at = items.iter().position(|(_, item)| Some(item.id) == self.marked);
        let marked = at.map(|at| items[at]);
        match (id, marked) {
            (Id::OverlayCancel, _) => Action::Close,
            (Id::QueueAll | Id::OverlayNext | Id::OverlayPrevious, _) => {
                let agent = marked.map(|(queue, _)| queue.agent).or(self.here);
                self.agent = if self.agent.is_some() { None } else { agent };
                Action::None
            }
            (Id::QueueUndo, _) => match self.removed.pop() {
                Some(item) => Action::Change(item, ItemChange::Restore),
                None => Action::None,
            },
            (Id::QueueHoldAll, marked) => {
                let shown = self.queues(model);
                let queue =
                    marked.map(|(queue, _)| queue).or(shown.first().map(|(_, queue)| *queue));
                queue.map_or(Action::None, |queue| Action::Hold(queue.agent, queue.held.is_none()))
            }
            (_, None) => Action::None,
            (Id::OverlayUp | Id::OverlayDown, Some(_)) => {
                let by = if id == Id::OverlayUp { -1 } else { 1 };
                let at = at.unwrap_or(0) as isize + by;
                let at = at.clamp(0, items.len() as isize - 1) as usize;
                self.marked = Some(items[at].1.id);
                Action::None
            }
            (Id::OverlayAccept, Some((_, item))) => {
                let mut content = Content::with_text(&item.prompt.text);
                content.perform(Act::Move(Motion::DocumentEnd));
                self.editing = Some((item.clone(), content));
                Action::None
            }
            (Id::QueueUp | Id::QueueDown, Some((queue, item))) => {
                moved(queue, item.id, id == Id::QueueDown).map_or(Action::None, |before| {
                    Action::Change(item.id, ItemChange::Before(before))
                })
            }
            (Id::QueueRowHold, Some((_, item))) => {
                Action::Change(item.id, ItemChange::Held(!item.held))
            }
            (Id::QueueRowNow, Some((_, item))) => Action::Change(item.id, ItemChange::Now),
            (Id::QueueRowRemove, Some((_, item))) => {
                let next = at.and_then(|at| items.get(at + 1).or(items.get(at.wrapping_sub(1))));
                self.marked = next.map(|(_, item)| item.id);
                self.removed.push(item.id);
                Action::Change(item.id, ItemChange::Remove)
            }
            (Id::QueueRowTab, Some((_, item))) => Action::Target(item.id, item.tab),
            (Id::QueueRowOpen, Some((_, item))) => Action::Open(item.tab),
            _ => Action::None,
        }
    }

    fn edit(&mut self, id: Id) -> Action {
        match (id, self.editing.take()) {
            (Id::OverlayAccept, Some((item, content))) => {
                let text = content.text();
                if text.trim().is_empty() && item.prompt.images.is_empty() {
                    // Nothing is nothing to say; taking it out is another key.
                    self.editing = Some((item, content));
                    return Action::None;
                }
                if text == item.prompt.text {
                    return Action::None;
                }
                let prompt = maestro_core::conversation::Prompt { text, ..item.prompt };
                Action::Change(item.id, ItemChange::Prompt(prompt))
            }
            (Id::OverlayCancel, _) => Action::None,
            (_, editing) => {
                self.editing = editing;
                Action::None
            }
        }
    }

    /// The view, in a window of a height.
    pub fn view<'a>(
        &'a self,
        model: &'a Model,
        tokens: &'static Tokens,
        keymap: &'a Keymap,
        (height, now_ms): (f32, u64),
    ) -> Element<'a, Message> {
        let queues = self.queues(model);
        let waiting: usize = queues.iter().map(|(_, queue)| queue.items.len()).sum();
        let one = self.agent.and_then(|id| model.agent(id));
        let title = match one {
            Some(agent) => format!("Queue of {}", agent.name),
            None => "Queues of all agents".to_owned(),
        };
        let count = if waiting == 1 { "1 waits".to_owned() } else { format!("{waiting} wait") };
        let header = row![
            line(title, type_scale::LARGE, font::SEMIBOLD, tokens.text),
            line(count, type_scale::BASE, font::REGULAR, tokens.dim).fill(),
            line(
                if one.is_some() { "all agents" } else { "this agent" },
                type_scale::SMALL,
                font::REGULAR,
                tokens.dim
            ),
            part::chord(tokens, "f"),
        ]
        .spacing(space::S)
        .align_y(Alignment::Center)
        .padding([space::M, space::L]);
        let mut rows = Column::new().width(Length::Fill);
        for (agent, queue) in &queues {
            rows = rows.push(heading(tokens, keymap, agent, queue));
            for item in &queue.items {
                rows = rows.push(self.row(model, tokens, item, now_ms));
            }
        }
        let list: Element<'_, Message> = if queues.is_empty() {
            empty(tokens, one)
        } else {
            let bar = scrollable::Scrollbar::new().width(4.0).scroller_width(4.0).margin(1.0);
            let list = scrollable(rows)
                .id(LIST)
                .direction(scrollable::Direction::Vertical(bar))
                .style(style::scroll(tokens));
            container(list).max_height((height - AROUND).clamp(96.0, 440.0)).into()
        };
        column![header, part::rule(tokens), list, part::rule(tokens), self.footer(tokens, waiting)]
            .into()
    }

    fn row<'a>(
        &'a self,
        model: &'a Model,
        tokens: &'static Tokens,
        item: &'a Item,
        now_ms: u64,
    ) -> Element<'a, Message> {
        if let Some((_, content)) = self.editing.as_ref().filter(|(edited, _)| edited.id == item.id)
        {
            return editor(tokens, content);
        }
        let marked = self.marked == Some(item.id);
        let tab = model.tabs.iter().find(|tab| tab.id == item.tab);
        let ink = if item.held { tokens.faint } else { tokens.text };
        let shown = text::clean(&item.prompt.text, 300);
        let shown = if shown.is_empty() { "(images)".to_owned() } else { shown };
        let mut about = vec![tab.map_or_else(|| "a tab".to_owned(), tabs::title)];
        about.push(ago::since(item.added_ms, now_ms));
        if item.prompt.read_only {
            about.push("read-only".to_owned());
        }
        match item.prompt.images.len() {
            0 => {}
            1 => about.push("1 image".to_owned()),
            count => about.push(format!("{count} images")),
        }
        let lines = column![
            line(shown, type_scale::BASE, font::REGULAR, ink).fill(),
            line(about.join(" · "), type_scale::TINY, font::REGULAR, tokens.faint).fill(),
        ]
        .width(Length::Fill);
        let held = match (item.unsure, item.held) {
            (true, _) => Some(part::pill(tokens, "may have been said", true)),
            (false, true) => Some(part::pill(tokens, "held", false)),
            (false, false) => None,
        };
        let content = row![lines]
            .push(held)
            .spacing(space::S)
            .align_y(Alignment::Center)
            .height(Length::Fill)
            .padding(Padding::ZERO.left(space::XL).right(space::L));
        let bar = if marked { tokens.accent } else { Color::TRANSPARENT };
        button(row![part::filled(bar, Length::Fixed(extent::BAR), Length::Fill), content])
            .padding(0)
            .height(ROW)
            .width(Length::Fill)
            .style(style::row(tokens, marked))
            .on_press(Message::Picked(item.id))
            .into()
    }

    fn footer<'a>(&self, tokens: &'static Tokens, waiting: usize) -> Element<'a, Message> {
        let hint = |key: &str, words: &str| {
            row![
                part::chord(tokens, key),
                line(words.to_owned(), type_scale::SMALL, font::REGULAR, tokens.faint)
            ]
            .spacing(space::XS)
            .align_y(Alignment::Center)
            .into()
        };
        let keys: &[(&str, &str)] = if self.editing.is_some() {
            &[("↵", "keep"), ("⇧ ↵", "new line"), ("Esc", "leave it as it was")]
        } else if waiting == 0 {
            &[("u", "put back"), ("Esc", "close")]
        } else {
            &[
                ("↵", "edit"),
                ("⇧ ↑↓", "move"),
                ("h", "hold"),
                ("s", "send now"),
                ("t", "other tab"),
                ("o", "go to"),
                ("d", "remove"),
                ("u", "put back"),
                ("⇧ H", "hold all"),
            ]
        };
        let shown = keys.iter().filter(|(key, _)| *key != "u" || !self.removed.is_empty());
        let keys = shown.map(|(key, words)| hint(key, words));
        container(iced::widget::Row::with_children(keys).spacing(space::M).wrap())
            .padding([space::S, space::L])
            .width(Length::Fill)
            .into()
    }
}

/// Before which prompt one comes when it moves up or down; `None` at the end it is at already.
fn moved(queue: &Queue, id: ItemId, down: bool) -> Option<Option<ItemId>> {
    let at = queue.items.iter().position(|item| item.id == id)?;
    if down {
        let _ = queue.items.get(at + 1)?;
        Some(queue.items.get(at + 2).map(|item| item.id))
    } else {
        Some(Some(queue.items.get(at.checked_sub(1)?)?.id))
    }
}

fn heading<'a>(
    tokens: &'static Tokens,
    keymap: &Keymap,
    agent: &Agent,
    queue: &Queue,
) -> Element<'a, Message> {
    let held = queue.held.as_ref().map(|held| {
        let why = match held {
            Held::ByUser => "held".to_owned(),
            Held::AfterRestart => "held since a restart".to_owned(),
            Held::AfterInterrupt => "held since the interrupt".to_owned(),
            Held::AfterFailure(why) => format!("held: {}", text::clean(why, 120)),
        };
        line(why, type_scale::SMALL, font::REGULAR, tokens.orange)
    });
    let label = if queue.held.is_some() { "Go on" } else { "Hold" };
    let press = Message::Held(agent.id, queue.held.is_none());
    let chord = keymap.title(Id::QueueHoldAll);
    let held: Element<'_, Message> = match held {
        Some(held) => held.fill().into(),
        None => line("", type_scale::SMALL, font::REGULAR, tokens.dim).fill().into(),
    };
    let shape = maestro_ui::status::of_agent(tokens, agent.attention.state);
    row![
        maestro_ui::status::glyph(tokens, shape, 12.0, false),
        line(agent.name.clone(), type_scale::BASE, font::MEDIUM, tokens.text),
        held,
        part::word(tokens, label, press),
    ]
    .push(chord.map(|chord| part::chord(tokens, &chord)))
    .spacing(space::S)
    .align_y(Alignment::Center)
    .padding(Padding { top: space::M, right: space::L, bottom: space::XS, left: space::L })
    .into()
}

fn editor<'a>(tokens: &'static Tokens, content: &'a Content) -> Element<'a, Message> {
    let (size, height) = type_scale::BASE;
    let input = text_editor(content)
        .id(INPUT)
        .on_action(Message::Acted)
        .size(size)
        .line_height(iced::widget::text::LineHeight::Absolute(height.into()))
        .font(font::REGULAR)
        .padding(space::S)
        .max_height(160.0)
        .style(move |_: &iced::Theme, _| text_editor::Style {
            background: Background::Color(tokens.base),
            border: Border {
                color: tokens.accent,
                width: extent::LINE,
                radius: radius::BUTTON.into(),
            },
            placeholder: tokens.faint,
            value: tokens.text,
            selection: Color { a: 0.35, ..tokens.accent },
        });
    container(input).padding([space::XS, space::L]).width(Length::Fill).into()
}

/// Nothing waits: what a queue is for.
fn empty<'a>(tokens: &'static Tokens, one: Option<&Agent>) -> Element<'a, Message> {
    let words = match one {
        Some(agent) => format!("Nothing waits for {}.", agent.name),
        None => "Nothing waits for anybody.".to_owned(),
    };
    let about = "What you send while an agent works waits here, and is said when its turn is over.";
    let content = column![
        icon(Icon::Check, 28.0, tokens.faint),
        line(words, type_scale::LARGE, font::MEDIUM, tokens.text),
        line(about, type_scale::BASE, font::REGULAR, tokens.dim),
    ]
    .spacing(space::M)
    .align_x(Alignment::Center);
    container(content).padding(space::XXL).center_x(Length::Fill).into()
}

#[cfg(test)]
mod tests;

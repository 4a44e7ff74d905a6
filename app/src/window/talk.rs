//! The conversations of the window: for each tab what was said, what is written next, and what is asked;
//! and how the pane of an agent shows one of them.

use std::collections::HashMap;

use iced::widget::{Space, column, container, responsive, row, scrollable, stack};
use iced::{Alignment, Element, Length, Padding};
use maestro_core::agent::{Agent, Evidence};
use maestro_core::command::Id;
use maestro_core::conversation::{
    Applied, Body, Image, Menu, Prompt, Tab, TabState, Transcript, Update,
};
use maestro_core::keymap::Keymap;
use maestro_core::queue::Held;
use maestro_core::settings::Settings;
use maestro_core::{AgentId, TabId};
use maestro_protocol::message::{Page, TabHit};
use maestro_ui::icon::{Icon, icon};
use maestro_ui::theme::{Tokens, extent, space, type_scale};
use maestro_ui::{font, line, part, style};

use super::composer::{self, Composer, command::Own};
use super::conversation::{self, View};
use super::model::Model;
use super::requests::{self, Cards};
use super::tabs;
use super::toast::Toasts;

/// Entries that are asked for when a tab is shown, and when older ones are wanted.
pub const PAGE: u32 = 200;

/// The most entries of a tab that are kept in the window; older ones are read again when they are wanted.
pub const MOST: usize = 12_000;

/// Updates that may wait for the page that they follow.
const WAITING: usize = 4096;

/// Older prompts that an arrow key brings back.
const PAST: usize = 200;

/// Below this width of a pane words are left out.
pub const NARROW: f32 = 560.0;

/// Below this height of a pane a card and what is being written do not both have place.
pub const LOW: f32 = 330.0;

/// Below this height the line below what is being written goes to what was said.
pub const LOWEST: f32 = 220.0;

/// The widest what is said is: longer lines are hard to read.
pub const WIDEST: f32 = 860.0;

/// Which part of a conversation has the keyboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Region {
    /// What is written next.
    #[default]
    Composer,
    /// What was said.
    Entries,
    /// What is asked, or what is wrong.
    Cards,
}

/// All conversations the window knows more of than their names.
#[derive(Debug, Default)]
pub struct Talks {
    /// By tab.
    pub open: HashMap<TabId, Talk>,
    /// Which part has the keyboard, in the pane that has it.
    pub region: Region,
    /// The user's own commands.
    pub own: Vec<Own>,
    /// In which tab Escape was pressed once.
    pub armed: Option<TabId>,
    /// Tells one wait for the second Escape from another.
    pub armings: u64,
    /// Agents for which a tab is being made.
    pub making: Vec<AgentId>,
    /// Agents whose session is being taken out of its own interface, which ends by that.
    pub taking: Vec<AgentId>,
    /// Which tabs were brought into sight last, and among how many in what width.
    pub revealed: Vec<(TabId, usize, u32)>,
    /// How many prompts were sent: part of their tokens.
    pub sent: u64,
    /// For which tab something is offered in a list, and what.
    pub offered: Option<(TabId, Id)>,
}

/// A conversation.
#[derive(Debug)]
pub struct Talk {
    /// What was said.
    pub transcript: Transcript,
    /// How that is shown.
    pub view: View,
    /// What is written next.
    pub composer: Composer,
    /// What is asked.
    pub cards: Cards,
    /// What can be chosen.
    pub menu: Option<Menu>,
    /// How far it is with the host.
    pub following: Following,
    /// What came before the page that it follows.
    waiting: Vec<Update>,
    /// Whether older entries are on their way.
    pub reading: bool,
    /// Whether the host was told that it was looked at.
    pub told_read: bool,
    /// The input that has the keyboard among the entries.
    pub input: Option<&'static str>,
    /// How often something was written, and whether that is a while ago.
    pub edits: u64,
    /// Whether nothing was written for a while.
    pub rests: bool,
}

/// What came of what was said.
#[derive(Debug, Default)]
pub struct Heard {
    /// Entries that are to be read anew.
    pub stale: Vec<u64>,
    /// What the view wants done.
    pub actions: Vec<conversation::Action>,
}

impl Default for Talk {
    fn default() -> Self {
        Self {
            transcript: Transcript::default(),
            view: View::new(),
            composer: Composer::default(),
            cards: Cards::default(),
            menu: None,
            following: Following::No,
            waiting: Vec::new(),
            reading: false,
            told_read: false,
            input: None,
            edits: 0,
            rests: true,
        }
    }
}

/// How far a tab is with the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Following {
    /// Nobody asked for it.
    #[default]
    No,
    /// It was asked for.
    Asked,
    /// What is said comes.
    Yes,
}

/// What happens in conversations.
#[derive(Debug, Clone)]
pub enum Message {
    /// In the bar of an agent's tabs.
    Bar(AgentId, tabs::Message),
    /// In what was said.
    View(TabId, conversation::Message),
    /// In the cards.
    Cards(TabId, requests::Message),
    /// In the composer.
    Composer(TabId, composer::Message),
    /// A list to choose from.
    Picker(tabs::picker::Message),
    /// What waits.
    Queue(super::queue::Message),
    /// Something was typed while a card had the keyboard.
    Typed(String),
    /// A tab was opened.
    Opened(TabId, Result<Box<Page>, String>),
    /// Older entries were read.
    Older(TabId, Result<Box<Page>, String>),
    /// An entry was read anew.
    Reread(TabId, Result<Box<Page>, String>),
    /// A prompt was sent, or not.
    Sent(TabId, String, Prompt, Result<(), String>),
    /// A draft is to be kept.
    DraftDue(TabId),
    /// A draft was kept, or not.
    DraftKept(TabId, Prompt, Result<(), String>),
    /// Files were found for some letters.
    Files(TabId, String, Result<Vec<String>, String>),
    /// What can be chosen.
    Menu(TabId, Result<Box<Menu>, String>),
    /// The user's own commands were read.
    Own(Vec<Own>),
    /// The clipboard's text.
    Pasted(TabId, Option<String>),
    /// The clipboard's image, and whether it was asked for by name.
    ImageRead(TabId, Result<Option<Vec<u8>>, String>, bool),
    /// A file's image.
    FileRead(TabId, Result<Vec<u8>, String>),
    /// The host keeps an image.
    ImageKept(TabId, Result<Image, String>),
    /// A card was there for a while.
    CardSeen(TabId, u64),
    /// An answer was given, or not.
    Answered(TabId, String, Result<(), String>),
    /// Nothing was written for a while.
    Rested(TabId, u64),
    /// The second Escape did not come.
    Disarmed(u64),
    /// A tab was made, or a session is in a conversation now.
    Made(AgentId, Result<Box<Tab>, String>),
    /// A session is in its own interface now.
    Moved(AgentId, Result<(), String>),
    /// Why an agent is as it is.
    Why(AgentId, Result<Vec<Evidence>, String>),
    /// Words were found in tabs.
    Found(String, Result<Vec<TabHit>, String>),
    /// A message of the program's was pressed.
    ToastPressed(u64),
    /// A tab was written into a file, or not.
    Exported(Result<std::path::PathBuf, String>),
}

/// What a pane's conversation is drawn with.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// Colours.
    pub tokens: &'static Tokens,
    /// Chords to teach.
    pub keymap: &'a Keymap,
    /// What the user has set.
    pub settings: &'a Settings,
    /// Whether its pane has the keyboard.
    pub focused: bool,
    /// Whether there is little place beside each other.
    pub narrow: bool,
    /// How high its pane is, where that is little.
    pub height: f32,
    /// Now.
    pub now_ms: u64,
    /// Whether what works turns.
    pub turning: bool,
    /// What the program tells: over what was said, so that it never lies on what is being written.
    pub toasts: Option<&'a Toasts>,
}

impl Talks {
    /// A tab's conversation, made where there is none.
    pub fn of(&mut self, tab: TabId) -> &mut Talk {
        self.open.entry(tab).or_default()
    }

    /// The connection was lost or told that it missed something: all that is in sight is read again.
    pub fn forget_following(&mut self) {
        for talk in self.open.values_mut() {
            talk.following = Following::No;
        }
    }
}

impl Talk {
    /// The page that was asked for is there.
    pub fn opened(&mut self, page: Page) -> Heard {
        self.transcript = Transcript::new(page.entries);
        self.following = Following::Yes;
        if let Some(draft) = page.draft {
            self.composer.restore(draft);
        }
        let replaced = self.view.replaced(&self.transcript);
        let waiting = std::mem::take(&mut self.waiting);
        let mut heard = self.said(waiting);
        heard.actions.insert(0, replaced);
        heard
    }

    /// Something was said.
    pub fn said(&mut self, updates: Vec<Update>) -> Heard {
        let mut heard = Heard::default();
        if self.following != Following::Yes {
            self.waiting.extend(updates);
            if self.waiting.len() > WAITING {
                self.waiting.clear();
                self.following = Following::No;
            }
            return heard;
        }
        for update in updates {
            let applied = self.transcript.apply(update);
            match applied {
                Applied::Gap => {
                    // It settles by being opened anew.
                    self.following = Following::No;
                    return heard;
                }
                Applied::Stale(n) if !heard.stale.contains(&n) => heard.stale.push(n),
                Applied::Stale(_) => {}
                applied => heard.actions.push(self.view.heard(applied, &self.transcript)),
            }
        }
        if self.transcript.len() > MOST + PAGE as usize {
            self.transcript.keep_last(MOST);
            heard.actions.push(self.view.replaced(&self.transcript));
        }
        heard
    }

    /// Nobody looks at it: what was said is read again when somebody does.
    pub fn left(&mut self) {
        self.transcript = Transcript::default();
        self.following = Following::No;
        self.waiting.clear();
        self.reading = false;
    }

    /// What was said by its user before, the newest first, each once.
    #[must_use]
    pub fn past(&self) -> Vec<String> {
        let mut past: Vec<String> = Vec::new();
        for entry in self.transcript.iter().rev() {
            if let Body::Prompt(prompt) = &entry.body
                && !prompt.text.trim().is_empty()
                && past.last() != Some(&prompt.text)
            {
                past.push(prompt.text.clone());
                if past.len() >= PAST {
                    break;
                }
            }
        }
        past
    }
}

/// Whether what is sent to a tab now has to wait.
#[must_use]
pub fn waits(model: &Model, tab: &Tab) -> bool {
    let queue = model.queues.get(&tab.agent);
    tab.state.is_busy()
        || matches!(tab.state, TabState::Limited { .. })
        || queue.is_some_and(|queue| match queue.held {
            // What is typed passes by a hold that came by itself.
            Some(Held::ByUser) => true,
            Some(_) => false,
            None => !queue.items.is_empty(),
        })
        || model.tabs.iter().any(|other| other.agent == tab.agent && other.state.is_busy())
}

/// The conversation of a pane: tabs, what was said, what is asked, what is written next.
pub fn view<'a>(
    model: &'a Model,
    talks: &'a Talks,
    agent: &'a Agent,
    tab: Option<TabId>,
    context: Context<'a>,
) -> Element<'a, Message> {
    let narrow = context.narrow;
    let shown: Vec<&Tab> =
        model.tabs.iter().filter(|tab| tab.agent == agent.id && !tab.closed).collect();
    let bar = tabs::view(
        agent.id,
        &shown,
        tabs::Context { tokens: context.tokens, shown: tab, turning: context.turning, narrow },
    );
    let bar = bar.map(move |message| Message::Bar(agent.id, message));
    let tab = tab.and_then(|id| shown.iter().copied().find(|tab| tab.id == id));
    let body = match (tab, tab.and_then(|tab| talks.open.get(&tab.id))) {
        (Some(tab), Some(talk)) => body(model, talks, talk, agent, tab, (context, narrow)),
        (Some(_), None) => Space::new().width(Length::Fill).height(Length::Fill).into(),
        (None, _) => none(agent, context),
    };
    let ground = context.tokens.base;
    let body = container(body)
        .width(Length::Fill)
        .height(Length::Fill)
        .style(move |_| style::surface(ground));
    column![bar, body].into()
}

fn body<'a>(
    model: &'a Model,
    talks: &'a Talks,
    talk: &'a Talk,
    agent: &'a Agent,
    tab: &'a Tab,
    (context, narrow): (Context<'a>, bool),
) -> Element<'a, Message> {
    let (tokens, keymap, id) = (context.tokens, context.keymap, tab.id);
    let region = |region| context.focused && talks.region == region;
    let queue = model.queues.get(&agent.id);
    let composer = talk.composer.view(composer::Context {
        tokens,
        keymap,
        tab,
        agent,
        focused: region(Region::Composer),
        queued: queue.map_or(0, |queue| queue.items.len()),
        waits: waits(model, tab),
        enter_sends: context.settings.enter_sends,
        armed: talks.armed == Some(id),
        narrow,
        bare: context.height < LOWEST && !talk.composer.full,
    });
    let composer = composer.map(move |message| Message::Composer(id, message));
    let popup = move |height: f32| {
        let popup = composer::popup(&talk.composer, tokens, height);
        popup.map(|popup| popup.map(move |message| Message::Composer(id, message)))
    };
    let edge = if narrow { space::S } else { space::L };
    let aligned = move |content: Element<'a, Message>, bottom: f32| {
        let content = container(content).max_width(WIDEST).width(Length::Fill);
        container(content).center_x(Length::Fill).padding(Padding {
            top: 0.0,
            right: edge,
            bottom,
            left: edge,
        })
    };
    if talk.composer.full {
        let popup = popup(f32::INFINITY).map(|popup| aligned(popup, space::S));
        return column![]
            .push(Space::new().height(edge))
            .push(aligned(composer, 0.0).height(Length::Fill))
            .push(Space::new().height(space::S))
            .push(popup)
            .push(Space::new().height(space::S))
            .height(Length::Fill)
            .into();
    }
    let said: Element<'a, Message> = if tab.entries == 0 && talk.transcript.is_empty() {
        nothing_said(agent, tab, context)
    } else {
        let view = talk.view.view(conversation::Context {
            tokens,
            keymap,
            tab,
            transcript: &talk.transcript,
            focused: region(Region::Entries),
            now_ms: context.now_ms,
            turning: context.turning,
        });
        view.map(move |message| Message::View(id, message))
    };
    let over: Element<'a, Message> = if composer::has_popup(&talk.composer) {
        responsive(move |size| match popup(size.height) {
            Some(popup) => aligned(popup, space::XS).align_bottom(Length::Fill).into(),
            None => Space::new().into(),
        })
        .into()
    } else {
        Space::new().into()
    };
    let help = requests::help(tab, queue, context.now_ms);
    let cards = talk.cards.view(
        help,
        requests::Context {
            tokens,
            keymap,
            agent,
            tab,
            focused: region(Region::Cards),
            narrow,
            now_ms: context.now_ms,
        },
    );
    // The composer is always there; in a low pane the cards scroll.
    let cards = cards.map(|cards| {
        let bar = scrollable::Scrollbar::new().width(4.0).scroller_width(4.0).margin(1.0);
        scrollable(aligned(cards.map(move |message| Message::Cards(id, message)), space::S))
            .direction(scrollable::Direction::Vertical(bar))
            .style(style::scroll(tokens))
            .width(Length::Fill)
    });
    let told = context.toasts.filter(|toasts| !toasts.is_empty()).map(|toasts| {
        container(toasts.view(tokens, Message::ToastPressed))
            .align_right(Length::Fill)
            .align_bottom(Length::Fill)
            .padding(space::M)
    });
    let said = stack![container(said).width(Length::Fill).height(Length::Fill)].push(told);
    let above = column![said.width(Length::Fill).height(Length::Fill)]
        .push(cards)
        .width(Length::Fill)
        .height(Length::Fill);
    let above = stack![above, over].width(Length::Fill).height(Length::Fill);
    // Whoever answers in a low pane writes nothing, and a card wants to be seen with its buttons.
    let answering = context.height < LOW && region(Region::Cards) && talk.composer.is_empty();
    column![above].push((!answering).then(|| aligned(composer, space::M))).into()
}

/// A tab in which nothing was said: what it is for, and what can be done with the keyboard.
fn nothing_said<'a>(agent: &Agent, tab: &Tab, context: Context<'_>) -> Element<'a, Message> {
    let tokens = context.tokens;
    let place = agent.branch.clone().unwrap_or_else(|| agent.directory.display().to_string());
    let words = format!("{} on {place} · policy: {}", agent.provider.title(), tab.policy.title());
    let keys = [
        (Some("@".to_owned()), "mention a file"),
        (Some("/".to_owned()), "a command"),
        (context.keymap.title(Id::TabPolicy), "what it may do without asking"),
        (context.keymap.title(Id::ConversationMove), "the same session in its own interface"),
    ];
    responsive(move |size| {
        let hint = |(chord, words): &(Option<String>, &'static str)| -> Element<'a, Message> {
            let chord = chord.as_ref().map(|chord| part::chord(tokens, chord));
            let words = line(*words, type_scale::SMALL, font::REGULAR, tokens.dim);
            row![].push(chord).push(words).spacing(space::S).align_y(Alignment::Center).into()
        };
        let picture =
            stack![icon(Icon::Panes, 96.0, tokens.strong), icon(Icon::Baton, 96.0, tokens.accent)];
        let hints = column(keys.iter().map(hint)).spacing(space::S);
        // In a low pane the words are worth more than the picture.
        let content = column![]
            .push((size.height >= 330.0).then_some(picture))
            .push(line("A new conversation", type_scale::LARGE, font::MEDIUM, tokens.text))
            .push(line(words.clone(), type_scale::BASE, font::REGULAR, tokens.dim))
            .push((size.height >= 200.0).then_some(hints))
            .spacing(space::M)
            .align_x(Alignment::Center);
        container(content).padding(space::L).center(Length::Fill).clip(true).into()
    })
    .into()
}

/// An agent without a tab.
fn none<'a>(agent: &Agent, context: Context<'_>) -> Element<'a, Message> {
    let tokens = context.tokens;
    let press = Message::Bar(agent.id, tabs::Message::Command(Id::TabNew));
    let chord = context.focused.then(|| part::chord(tokens, "↵"));
    let button = row![part::action(tokens, "New conversation", true, false, Some(press))]
        .push(chord)
        .spacing(space::S)
        .align_y(Alignment::Center);
    let words = "Every tab is closed; what was said is kept.";
    let content = column![
        icon(Icon::Ring, extent::GLYPH * 2.0, tokens.faint),
        line("No conversation is open", type_scale::LARGE, font::MEDIUM, tokens.text),
        line(words, type_scale::BASE, font::REGULAR, tokens.dim),
        button,
    ]
    .spacing(space::M)
    .align_x(Alignment::Center);
    container(content).padding(space::L).center(Length::Fill).clip(true).into()
}

//! What the window looks like.

use std::time::Duration;

use iced::widget::{Space, column, container, mouse_area, opaque, row, stack};
use iced::{Element, Length, Padding, Subscription, mouse, window};
use maestro_core::agent::State;
use maestro_core::command::Id;
use maestro_ui::theme::{Tokens, extent, space};
use maestro_ui::{keys, part, style};

use super::layout::Panel;
use super::{Connection, Message, Overlay, Shell};
#[cfg(target_os = "linux")]
use crate::window::themes;
use crate::window::{
    agents, autorun, bars, chords, debug, mastery, notices, panes, queue, review, sessions,
    settings, talk, usage, welcome,
};

/// How often times such as "2m" are brought up to date, while the window is looked at.
const TICK: Duration = Duration::from_secs(20);

/// How often it is seen whether files that are looked at are to be looked at again.
const FILES: Duration = Duration::from_secs(2);

impl Shell {
    /// The title of the window.
    #[must_use]
    pub fn title(&self) -> String {
        match self.model.count(State::NeedsYou) {
            0 => "Maestro".to_owned(),
            1 => "1 needs you · Maestro".to_owned(),
            count => format!("{count} need you · Maestro"),
        }
    }

    /// The theme for what the toolkit draws by itself.
    #[must_use]
    pub fn theme(&self) -> iced::Theme {
        self.tokens.iced()
    }

    /// How large everything is drawn, beside what the desktop asks for.
    #[must_use]
    pub fn ui_scale(&self) -> f32 {
        self.settings.scale
    }

    /// Pixels of the screen in one of the window's.
    pub(super) fn scale(&self) -> f32 {
        self.window.scale * self.settings.scale
    }

    /// Whether what moves by itself moves.
    pub(super) fn turns(&self) -> bool {
        self.window.focused && self.settings.motion
    }

    /// The colours.
    #[must_use]
    pub fn tokens(&self) -> &'static Tokens {
        self.tokens
    }

    /// What the window listens to.
    pub fn subscription(&self) -> Subscription<Message> {
        let events = iced::event::listen_with(|event, _, _| match event {
            iced::Event::Window(window::Event::Resized(size)) => Some(Message::Resized(size)),
            iced::Event::Window(window::Event::Rescaled(scale)) => Some(Message::Rescaled(scale)),
            iced::Event::Window(window::Event::Focused) => Some(Message::Looked(true)),
            iced::Event::Window(window::Event::Unfocused) => Some(Message::Looked(false)),
            iced::Event::Window(window::Event::CloseRequested) => Some(Message::CloseRequested),
            iced::Event::Window(window::Event::FileHovered(_)) => Some(Message::Dropping(true)),
            iced::Event::Window(window::Event::FilesHoveredLeft) => Some(Message::Dropping(false)),
            iced::Event::Window(window::Event::FileDropped(path)) => Some(Message::Dropped(path)),
            _ => None,
        });
        let shows_times = self.window.focused
            && (self.runs_width().is_some()
                || self.model.agents.iter().any(|agent| {
                    matches!(
                        agent.attention.state,
                        State::NeedsYou | State::Working | State::Limited
                    )
                }));
        let ticks = if shows_times {
            iced::time::every(TICK).map(|_| Message::Ticked(crate::window::now_ms()))
        } else {
            Subscription::none()
        };
        let counts = if self.debug.is_some() {
            iced::time::every(debug::PERIOD).map(|_| Message::DebugTicked(crate::window::now_ms()))
        } else {
            Subscription::none()
        };
        let seconds = if self.window.focused && self.counts_down() {
            iced::time::every(Duration::from_secs(1))
                .map(|_| Message::Ticked(crate::window::now_ms()))
        } else {
            Subscription::none()
        };
        let runs = if self.window.focused && self.autorun.ticks() {
            iced::time::every(Duration::from_secs(1))
                .map(|_| Message::Autorun(autorun::Message::Second(crate::window::now_ms())))
        } else {
            Subscription::none()
        };
        let files = if self.window.focused && self.review.ticks() {
            iced::time::every(FILES)
                .map(|_| Message::Review(review::Message::Tick(crate::window::now_ms())))
        } else {
            Subscription::none()
        };
        let desktop = if self.follows_desktop() { desktop() } else { Subscription::none() };
        let has_hotkey = self.settings.hotkey.is_some() || self.settings.prompt_hotkey.is_some();
        let called = if has_hotkey { super::summon::called() } else { Subscription::none() };
        let chosen = super::menu::chosen();
        Subscription::batch([events, ticks, seconds, counts, runs, files, desktop, called, chosen])
    }

    /// The window.
    pub fn view(&self, _: window::Id) -> Element<'_, Message> {
        self.screen()
    }

    /// The window's content.
    pub fn screen(&self) -> Element<'_, Message> {
        self.views.set(self.views.get() + 1);
        let tokens = self.tokens;
        let top = bars::top(
            &self.model,
            tokens,
            &self.keymap,
            self.window.size.width,
            Message::Command(Id::Palette),
            Message::NextWaiting,
            Message::Command(Id::NoticesOpen),
        );
        let bottom = bars::bottom(
            &self.model,
            tokens,
            &self.keymap,
            self.status(),
            Message::Command(Id::ConflictsOpen),
        );
        let middle: Element<'_, Message> = if self.review.shown {
            let list = self.review_has_list().then(|| self.left());
            row![].push(list).push(self.review_view()).height(Length::Fill).into()
        } else if self.autorun.full {
            container(self.autorun_view()).height(Length::Fill).into()
        } else {
            row![self.left(), self.middle(), self.right()].height(Length::Fill).into()
        };
        let window =
            container(column![top, part::rule(tokens), middle, part::rule(tokens), bottom])
                .style(move |_| style::surface(tokens.base));
        // Always the same layers, so that nothing under them loses its state when one comes.
        let layers = stack![window, self.over(), self.corner(), self.costs()];
        keys::before(layers, |event| self.key(event), || self.is_deaf())
    }

    pub(super) fn left(&self) -> Element<'_, Message> {
        let Some(width) = self.agents_width() else { return Space::new().into() };
        let context = agents::Context {
            tokens: self.tokens,
            keymap: &self.keymap,
            focused: self.focused_agent().map(|(agent, _)| agent.id),
            marked: self.marked,
            now_ms: self.now_ms,
            turning: self.turns(),
            width,
            height: self.window.size.height,
            bells: &self.bells,
            list: &self.list,
            folded: &self.kept.folded,
        };
        let panel = agents::view(&self.model, context).map(Message::Agents);
        let edge = (!self.is_rail()).then(|| self.edge(Panel::Agents));
        row![panel, part::upright(self.tokens)].push(edge).into()
    }

    /// What a side panel is made wider or narrower by: the strip between it and the panes.
    fn edge(&self, panel: Panel) -> Element<'_, Message> {
        let held = self.held == Some(panel);
        let ink = if held { self.tokens.strong } else { self.tokens.base };
        let strip = part::filled(ink, Length::Fixed(panes::MARGIN), Length::Fill);
        mouse_area(strip)
            .interaction(mouse::Interaction::ResizingHorizontally)
            .on_press(Message::Held(Some(panel)))
            .into()
    }

    pub(super) fn middle(&self) -> Element<'_, Message> {
        let tokens = self.tokens;
        let plan = self.plan();
        let words = "Everything is kept: agents can be resumed where they were.";
        match &self.connection {
            Connection::Stopped => {
                let start = Some(Message::HostWanted);
                return panes::no_host(tokens, "The host was stopped", words.to_owned(), start);
            }
            Connection::Unreachable(why) => {
                return panes::no_host(tokens, "There is no host", again(why), None);
            }
            Connection::Connecting if self.model.agents.is_empty() => {
                return container(Space::new()).center(Length::Fill).into();
            }
            _ if self.model.agents.is_empty() && plan.shown.is_empty() => {
                let size = self.window.size;
                let press = Message::Command;
                return welcome::view(tokens, &self.keymap, &self.providers, size, press);
            }
            _ if plan.shown.is_empty() => return panes::all_closed(tokens, &self.keymap),
            _ => {}
        }
        let context = panes::Context {
            tokens,
            look: &self.look,
            link: &self.link,
            keymap: &self.keymap,
            focused: self.focused().filter(|_| self.marked.is_none()),
            planned: self.planned(&plan),
            open: (self.agents_width().is_none(), self.runs_width().is_none()),
            scale: self.scale(),
            now_ms: self.now_ms,
            turning: self.turns(),
            over: panes::Over {
                looks: &self.looks,
                settings: &self.settings,
                find: self.find.as_ref(),
                vi: &self.vi,
                hints: self.hints.as_ref(),
                hovered: self.hovered.as_ref(),
                wanted: &self.wanted,
                bells: &self.bells,
                dropping: self.dropping,
                talks: &self.talks,
                narrow: &self.narrow,
                low: &self.low,
                toasts: Some(&self.toasts).filter(|_| self.tells_in_pane()),
                broadcast: &self.broadcast,
                hearing: &self.hearing,
            },
        };
        let tiled = panes::Tiled {
            shown: plan.shown.iter().map(|(pane, at)| (*pane, self.side(*pane), *at)).collect(),
            rest: plan.rest,
        };
        panes::view(&self.model, tiled, context).map(Message::Panes)
    }

    pub(super) fn right(&self) -> Element<'_, Message> {
        let Some(width) = self.runs_width() else { return Space::new().into() };
        let look = self.autorun_look(width);
        let panel = autorun::panel(&self.autorun, &self.model, look).map(Message::Autorun);
        let tokens = self.tokens;
        let panel = container(panel)
            .width(width)
            .height(Length::Fill)
            .style(move |_| style::surface(tokens.panel));
        row![self.edge(Panel::Runs), part::upright(tokens), panel].into()
    }

    pub(super) fn status(&self) -> bars::Status<'_> {
        let trouble = match &self.connection {
            Connection::Lost(_) => Some("The host is gone: starting a new one…"),
            Connection::Unreachable(_) => Some("No host"),
            Connection::Stopped => Some("The host was stopped"),
            Connection::Connecting | Connection::Up => None,
        };
        bars::Status {
            agent: self.focused_agent(),
            trouble,
            hearing: self.hearing.len(),
            maximised: self.kept.maximised,
            width: self.window.size.width,
        }
    }

    /// Whether there is little room above and below a dialog.
    fn is_low(&self) -> bool {
        self.window.size.height < 760.0
    }

    /// Where what lies over the window begins.
    pub(super) fn overlay_top(&self) -> f32 {
        if self.is_low() { space::XL } else { extent::PALETTE_TOP }
    }

    pub(super) fn over(&self) -> Element<'_, Message> {
        let tokens = self.tokens;
        let low = self.is_low();
        let top = self.overlay_top();
        let (content, width) = match &self.overlay {
            None if self.held.is_some() => return holding(),
            None if self.autorun_has_overlay() => {
                let look = self.autorun_look(self.window.size.width);
                match self.autorun.over(look) {
                    Some(content) => (content.map(Message::Autorun), autorun::WIDTH),
                    None => return Space::new().into(),
                }
            }
            None => return Space::new().into(),
            Some(Overlay::Palette(palette)) => {
                (palette.view(tokens).map(Message::Palette), extent::PALETTE)
            }
            Some(Overlay::NewAgent(dialog)) => {
                (dialog.view(tokens, !low, self.now_ms).map(Message::NewAgent), extent::DIALOG)
            }
            Some(Overlay::Prompt(prompt)) => {
                (prompt.view(tokens).map(Message::Prompt), extent::DIALOG)
            }
            Some(Overlay::Sessions(browser)) => {
                let content = browser.view(tokens, &self.keymap, self.window.size);
                let content = content.map(Message::Sessions);
                return part::over(tokens, content, sessions::WIDTH, space::XXL, Message::Outside);
            }
            Some(Overlay::Usage(page)) => (page.view(tokens).map(Message::Usage), usage::WIDTH),
            Some(Overlay::Settings(page)) => {
                (page.view(tokens, &self.keymap).map(Message::Settings), settings::WIDTH)
            }
            Some(Overlay::Notices(page)) => {
                let place = (self.window.size.height, self.now_ms);
                let content = page.view(&self.model.notices, tokens, &self.keymap, place);
                (content.map(Message::Notices), notices::WIDTH)
            }
            Some(Overlay::Mastery(page)) => {
                (page.view::<Message>(tokens, &self.keymap), mastery::WIDTH)
            }
            Some(Overlay::Chords(page)) => (page.view(tokens).map(Message::Chords), chords::WIDTH),
            Some(Overlay::Picker(picker)) => {
                let content = picker.view(tokens, self.window.size.height);
                let content = content.map(talk::Message::Picker).map(Message::Talk);
                (content, extent::PALETTE)
            }
            Some(Overlay::Queue(queue)) => {
                let content = queue.view(
                    &self.model,
                    tokens,
                    &self.keymap,
                    (self.window.size.height, self.now_ms),
                );
                (content.map(talk::Message::Queue).map(Message::Talk), queue::WIDTH)
            }
            Some(Overlay::Why(why)) => {
                let agent = self.model.agent(why.agent);
                let met = self.model.collisions.get(&why.agent).map_or(&[][..], Vec::as_slice);
                (why.view(tokens, agent, met, self.now_ms), extent::PALETTE)
            }
            Some(Overlay::Ask(ask)) => (ask.view(tokens).map(Message::Ask), extent::DIALOG),
        };
        part::over(tokens, content, width, top, Message::Outside)
    }

    /// What drawing costs, while somebody wants to know.
    fn costs(&self) -> Element<'_, Message> {
        let Some(debug) = &self.debug else { return Space::new().into() };
        container(debug.view(self.tokens))
            .align_right(Length::Fill)
            .padding(Padding::new(space::L).top(extent::TOP_BAR + space::L))
            .into()
    }

    /// Whether messages stand in a conversation, above what is being written there.
    fn tells_in_pane(&self) -> bool {
        let talk = self.focused_tab().and_then(|tab| self.talks.open.get(&tab.id));
        let shown = self.visible_panes().iter().any(|(pane, _)| Some(*pane) == self.focused());
        let up = matches!(self.connection, Connection::Up | Connection::Lost(_));
        up && shown && self.overlay.is_none() && talk.is_some_and(|talk| !talk.composer.full)
    }

    pub(super) fn corner(&self) -> Element<'_, Message> {
        if let Some(hint) = self.prefix_hint() {
            return hint;
        }
        let toasts = (!self.toasts.is_empty() && !self.tells_in_pane())
            .then(|| self.toasts.view(self.tokens, Message::ToastPressed));
        let tour = self.tour_card();
        if toasts.is_none() && tour.is_none() {
            return Space::new().into();
        }
        container(column![].push(toasts).push(tour).spacing(space::S))
            .align_right(Length::Fill)
            .align_bottom(Length::Fill)
            .padding(Padding::new(space::L).bottom(extent::STATUS_BAR + space::L))
            .into()
    }
}

/// Whether the desktop is dark, and whenever that changes.
#[cfg(target_os = "linux")]
fn desktop() -> Subscription<Message> {
    Subscription::run(themes::desktop).map(Message::Desktop)
}

/// Whether the desktop is dark, whenever that changes.
#[cfg(not(target_os = "linux"))]
fn desktop() -> Subscription<Message> {
    iced::system::theme_changes().map(super::desktop_mode)
}

/// Over the whole window while the edge of a panel is held, so that no pane sees the mouse.
fn holding<'a>() -> Element<'a, Message> {
    let everywhere = Space::new().width(Length::Fill).height(Length::Fill);
    let area = mouse_area(everywhere)
        .interaction(mouse::Interaction::ResizingHorizontally)
        .on_move(Message::Dragged)
        .on_release(Message::Held(None))
        .on_exit(Message::Held(None));
    opaque(area)
}

/// Why there is no host, and that it is tried again.
fn again(why: &str) -> String {
    format!("{} It is tried again every few seconds.", part::sentence(why))
}

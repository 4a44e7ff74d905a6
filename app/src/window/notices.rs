//! What was told of agents and runs: every notice that is kept, read or not.

use iced::widget::{Column, button, column, container, row, scrollable};
use iced::{Alignment, Color, Element, Length, Padding};
use maestro_core::command::Id;
use maestro_core::keymap::Keymap;
use maestro_core::notice::{Ask, History, Kind, Notice, Which};
use maestro_core::{AgentId, RunId, text};
use maestro_ui::icon::{Icon, icon};
use maestro_ui::theme::{Tokens, extent, space, type_scale};
use maestro_ui::{font, line, part, style};

use super::ago;

/// How wide the page is.
pub const WIDTH: f32 = 680.0;

/// The id of the list, which scrolls.
pub const LIST: &str = "notices-list";

/// Height of a notice's row.
pub const ROW: f32 = 44.0;

/// What is around the list: the head and the keys.
const AROUND: f32 = 200.0;

/// The open page.
#[derive(Debug, Clone, Default)]
pub struct View {
    only_unread: bool,
    marked: Option<u64>,
}

/// What happens on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Message {
    /// A notice was pressed.
    Pressed(u64),
    /// All of them, or those that were not read.
    OnlyUnread(bool),
}

/// What is to be done for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    None,
    /// The host is asked for something.
    Ask(Ask),
    /// What a notice is about is shown, and the notice is read.
    Go(u64, Option<AgentId>, Option<RunId>),
    /// The marked row, at this place, is to be in sight.
    Reveal(usize),
    /// The page is closed.
    Close,
}

/// The shape and the colour of what a notice is about.
#[must_use]
pub fn shape(tokens: &Tokens, kind: Kind) -> (Icon, Color) {
    match kind {
        Kind::NeedsYou | Kind::RunWaits => (Icon::Diamond, tokens.accent),
        Kind::Failed | Kind::RunFailed => (Icon::Failed, tokens.red),
        Kind::Limited => (Icon::Clock, tokens.purple),
        Kind::Done | Kind::RunEnded => (Icon::Check, tokens.green),
    }
}

impl View {
    fn shown<'a>(&self, history: &'a History) -> Vec<&'a Notice> {
        // What is read while one looks at it stays until one looks at something else.
        let shown = |one: &&Notice| !self.only_unread || !one.read || self.marked == Some(one.id);
        history.all().iter().filter(shown).collect()
    }

    /// The place of the marked notice; the first one where it is gone.
    fn place(&self, shown: &[&Notice]) -> usize {
        shown.iter().position(|one| Some(one.id) == self.marked).unwrap_or(0)
    }

    /// Takes in what happened.
    pub fn update(&mut self, message: Message, history: &History) -> Action {
        match message {
            Message::Pressed(id) => {
                self.marked = Some(id);
                self.command(Id::OverlayAccept, history)
            }
            Message::OnlyUnread(only) => {
                self.only_unread = only;
                self.marked = None;
                Action::Reveal(0)
            }
        }
    }

    /// Does a command.
    pub fn command(&mut self, id: Id, history: &History) -> Action {
        let shown = self.shown(history);
        let at = self.place(&shown);
        let marked = shown.get(at).copied();
        match (id, marked) {
            (Id::OverlayCancel, _) => Action::Close,
            (Id::OverlayNext | Id::OverlayPrevious, _) => {
                self.update(Message::OnlyUnread(!self.only_unread), history)
            }
            (Id::NoticesRead, _) => Action::Ask(Ask::Mark { which: Which::All, read: true }),
            (Id::NoticesForget, _) => Action::Ask(Ask::Clear),
            (_, None) => Action::None,
            (Id::OverlayUp | Id::OverlayDown, Some(_)) => {
                let next = if id == Id::OverlayUp { at.saturating_sub(1) } else { at + 1 };
                let next = next.min(shown.len() - 1);
                self.marked = Some(shown[next].id);
                Action::Reveal(next)
            }
            (Id::OverlayAccept, Some(one)) => Action::Go(one.id, one.agent, one.run),
            (Id::NoticeRead, Some(one)) => {
                self.marked = Some(one.id);
                Action::Ask(Ask::Mark { which: Which::One(one.id), read: !one.read })
            }
            _ => Action::None,
        }
    }

    /// The page, in a window of a height.
    pub fn view<'a>(
        &self,
        history: &History,
        tokens: &'static Tokens,
        keymap: &Keymap,
        (height, now_ms): (f32, u64),
    ) -> Element<'a, Message> {
        let shown = self.shown(history);
        let at = self.place(&shown);
        let unread = match history.unread() {
            0 => "all read".to_owned(),
            count => format!("{count} unread"),
        };
        let only = self.only_unread;
        let header = row![
            line("Notices", type_scale::TITLE, font::SEMIBOLD, tokens.text),
            line(unread, type_scale::BASE, font::REGULAR, tokens.dim).fill(),
            part::toggle(tokens, "All", !only, Message::OnlyUnread(false)),
            part::toggle(tokens, "Unread", only, Message::OnlyUnread(true)),
        ]
        .spacing(space::S)
        .align_y(Alignment::Center)
        .padding([space::M, space::L]);
        let list: Element<'a, Message> = if shown.is_empty() {
            empty(tokens, only)
        } else {
            let rows = shown.iter().enumerate();
            let rows = rows.map(|(place, one)| notice_row(tokens, one, place == at, now_ms));
            let bar = scrollable::Scrollbar::new().width(4.0).scroller_width(4.0).margin(1.0);
            let list = scrollable(Column::with_children(rows).width(Length::Fill))
                .id(LIST)
                .direction(scrollable::Direction::Vertical(bar))
                .style(style::scroll(tokens));
            container(list).max_height((height - AROUND).clamp(ROW * 2.0, ROW * 11.0)).into()
        };
        let footer = footer(tokens, keymap, !shown.is_empty());
        column![header, part::rule(tokens), list, part::rule(tokens), footer].into()
    }
}

fn notice_row<'a>(
    tokens: &'static Tokens,
    notice: &Notice,
    marked: bool,
    now_ms: u64,
) -> Element<'a, Message> {
    let (glyph, color) = shape(tokens, notice.kind);
    let (ink, weight, color) = if notice.read {
        (tokens.dim, font::REGULAR, tokens.faint)
    } else {
        (tokens.text, font::MEDIUM, color)
    };
    let about = text::clean(&notice.text, 200);
    let lines = column![line(notice.title(), type_scale::BASE, weight, ink).fill()]
        .push(
            (!about.is_empty())
                .then(|| line(about, type_scale::SMALL, font::REGULAR, tokens.dim).fill()),
        )
        .width(Length::Fill);
    let when = ago::since(notice.at_ms, now_ms);
    let dot = if notice.read { Color::TRANSPARENT } else { tokens.accent };
    let content = row![
        icon(glyph, extent::GLYPH, color),
        lines,
        line(when, type_scale::SMALL, font::REGULAR, tokens.faint),
        icon(Icon::Dot, 10.0, dot),
    ]
    .spacing(space::M)
    .align_y(Alignment::Center)
    .height(Length::Fill)
    .padding(Padding::ZERO.left(space::L).right(space::M));
    let bar = if marked { tokens.accent } else { Color::TRANSPARENT };
    button(row![part::filled(bar, Length::Fixed(extent::BAR), Length::Fill), content])
        .padding(0)
        .height(ROW)
        .width(Length::Fill)
        .style(style::row(tokens, marked))
        .on_press(Message::Pressed(notice.id))
        .into()
}

fn footer<'a>(tokens: &'static Tokens, keymap: &Keymap, some: bool) -> Element<'a, Message> {
    let words = |words: &'static str| line(words, type_scale::SMALL, font::REGULAR, tokens.faint);
    let hint = |chord: Option<String>, label: &'static str| {
        chord.map(|chord| {
            let chord = part::chord(tokens, &chord);
            row![chord, words(label)].spacing(space::XS).align_y(Alignment::Center).into()
        })
    };
    let keys = [
        (Some("↵".to_owned()), "go to it", true),
        (keymap.title(Id::NoticeRead), "read or unread", true),
        (keymap.title(Id::NoticesRead), "all read", true),
        (keymap.title(Id::NoticesForget), "forget all", true),
        (Some("Tab".to_owned()), "only unread", false),
        (Some("Esc".to_owned()), "close", false),
    ];
    let keys = keys.into_iter().filter(|(_, _, needs)| some || !needs);
    let keys = keys.filter_map(|(chord, label, _)| hint(chord, label));
    container(iced::widget::Row::with_children(keys).spacing(space::M).wrap())
        .padding([space::S, space::L])
        .width(Length::Fill)
        .into()
}

fn empty<'a>(tokens: &'static Tokens, only_unread: bool) -> Element<'a, Message> {
    let (words, about) = if only_unread {
        ("Nothing is unread.", "Tab shows what was read, too.")
    } else {
        (
            "Nothing has happened yet.",
            "When an agent needs you, is done, fails or is limited, and when a run ends, it is here.",
        )
    };
    let content = column![
        icon(Icon::Bell, 28.0, tokens.faint),
        line(words, type_scale::LARGE, font::MEDIUM, tokens.text),
        line(about, type_scale::BASE, font::REGULAR, tokens.dim),
    ]
    .spacing(space::M)
    .align_x(Alignment::Center);
    container(content).padding(space::XXL).center_x(Length::Fill).into()
}

#[cfg(test)]
mod tests {
    use maestro_core::notice::News;

    use super::*;

    fn history() -> History {
        let mut history = History::default();
        for id in 1..=3 {
            let news = News {
                kind: Kind::Done,
                agent: Some(AgentId(id)),
                run: None,
                who: format!("a{id}"),
                text: String::new(),
            };
            let _ = history.add(news, id);
        }
        history
    }

    #[test]
    fn the_newest_is_marked_and_the_list_ends_where_it_ends() {
        let history = history();
        let mut view = View::default();
        let go = |id: u64| Action::Go(id, Some(AgentId(id)), None);
        assert_eq!(view.command(Id::OverlayAccept, &history), go(3));
        assert_eq!(view.command(Id::OverlayUp, &history), Action::Reveal(0));
        for expected in [1, 2, 2] {
            assert_eq!(view.command(Id::OverlayDown, &history), Action::Reveal(expected));
        }
        assert_eq!(view.command(Id::OverlayAccept, &history), go(1));
        assert_eq!(view.update(Message::Pressed(2), &history), go(2));
    }

    #[test]
    fn what_is_read_under_the_eyes_stays_until_they_move() {
        let mut history = history();
        let mut view = View::default();
        let _ = view.command(Id::OverlayNext, &history);
        let read = Ask::Mark { which: Which::One(3), read: true };
        assert_eq!(view.command(Id::NoticeRead, &history), Action::Ask(read));
        let _ = history.mark(Which::One(3), true);
        assert_eq!(view.shown(&history).len(), 3);
        assert_eq!(view.command(Id::OverlayDown, &history), Action::Reveal(1));
        assert_eq!(view.shown(&history).len(), 2);
        history.clear();
        assert_eq!(view.command(Id::OverlayAccept, &history), Action::None);
        assert_eq!(view.command(Id::OverlayCancel, &history), Action::Close);
    }
}

//! What a composer looks like.

use iced::widget::{Column, Row as Line, button, column, container, row, text_editor};
use iced::{Alignment, Background, Border, Color, Element, Length, Padding};
use maestro_core::agent::Agent;
use maestro_core::command::Id;
use maestro_core::conversation::{Place, Tab, TabState};
use maestro_core::keymap::Keymap;
use maestro_ui::icon::{Icon, icon};
use maestro_ui::theme::{Tokens, extent, radius, space, type_scale};
use maestro_ui::{font, line, part, style};

use super::{Composer, Kind, Mentions, Message, Row, SHOWN, widget_id};

/// Height of the text at rest, and the most it grows to before it scrolls.
const HEIGHT: (f32, f32) = (type_scale::BASE.1, 8.0 * type_scale::BASE.1);

/// Height of what stands below a list, and of the lines around it.
const FOOTER: f32 = 44.0;

/// How full a context may be before it is said, and before it is said loudly, in percent.
pub const FULL: (u8, u8) = (60, 80);

/// What is shown beside the composer itself.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// Colours.
    pub tokens: &'static Tokens,
    /// Chords to teach.
    pub keymap: &'a Keymap,
    /// Where it is said.
    pub tab: &'a Tab,
    /// To whom.
    pub agent: &'a Agent,
    /// Whether it has the keyboard.
    pub focused: bool,
    /// How much waits in the agent's queue.
    pub queued: usize,
    /// Whether what is sent now has to wait.
    pub waits: bool,
    /// Whether Enter sends.
    pub enter_sends: bool,
    /// Whether one more Escape interrupts.
    pub armed: bool,
    /// Whether there is little place.
    pub narrow: bool,
    /// Whether there is no place for more than what is written.
    pub bare: bool,
}

impl Composer {
    /// The composer.
    pub fn view<'a>(&'a self, context: Context<'a>) -> Element<'a, Message> {
        let tokens = context.tokens;
        let blocked = matches!(context.tab.place, Place::Terminal(_));
        let (size, height) = type_scale::BASE;
        let mut editor = text_editor(&self.content)
            .id(widget_id(context.tab.id))
            .placeholder(placeholder(context))
            .size(size)
            .line_height(iced::widget::text::LineHeight::Absolute(height.into()))
            .font(font::REGULAR)
            .padding(0.0)
            .min_height(HEIGHT.0)
            .style(move |_: &iced::Theme, _| text_editor::Style {
                background: Background::Color(Color::TRANSPARENT),
                border: Border::default(),
                placeholder: tokens.faint,
                value: if blocked { tokens.faint } else { tokens.text },
                selection: Color { a: 0.35, ..tokens.accent },
            });
        editor = if self.full { editor.height(Length::Fill) } else { editor.max_height(HEIGHT.1) };
        if !blocked {
            editor = editor.on_action(Message::Acted);
        }
        let editor = editor.highlight_with::<Mentions>((), |(), theme: &iced::Theme| {
            let color = Some(theme.palette().primary);
            iced::advanced::text::highlighter::Format { color, font: None }
        });
        let problem = self.problem.as_ref().map(|problem| {
            part::paragraph(part::sentence(problem), type_scale::SMALL, font::REGULAR, tokens.red)
        });
        let footer = !context.bare || context.armed;
        let below =
            if blocked { Some(taken(context)) } else { footer.then(|| self.footer(context)) };
        // Always there, also without images: an input that moves to another place among its neighbours
        // loses the keyboard.
        let room = if self.images.is_empty() { 0.0 } else { space::S };
        let chips = container(column![].push(self.chips(tokens)))
            .padding(Padding::ZERO.bottom(room))
            .width(Length::Fill);
        let written =
            column![maestro_ui::still(editor)].push(problem).push(below).spacing(space::S);
        let content = column![chips, written].padding(Padding {
            top: space::M,
            right: space::M,
            bottom: space::S,
            left: space::M,
        });
        let line = if context.focused { tokens.accent } else { tokens.strong };
        let card = container(content)
            .width(Length::Fill)
            .style(move |_| style::bordered(tokens.raised, line, radius::CARD));
        if self.full { card.height(Length::Fill).into() } else { card.into() }
    }

    /// The images, each with a way to take it out.
    fn chips<'a>(&self, tokens: &'static Tokens) -> Option<Element<'a, Message>> {
        if self.images.is_empty() {
            return None;
        }
        let chips = self.images.iter().enumerate().map(|(index, image)| {
            let kind = image.media.strip_prefix("image/").unwrap_or(&image.media).to_uppercase();
            let name = line(
                format!("Image {} · {kind}", index + 1),
                type_scale::SMALL,
                font::REGULAR,
                tokens.text,
            );
            let cross = button(icon(Icon::Cross, 10.0, tokens.dim))
                .padding([3.0, 3.0])
                .style(style::row(tokens, false))
                .on_press(Message::ImageRemoved(index));
            container(row![name, cross].spacing(space::XS).align_y(Alignment::Center))
                .padding([1.0, space::S])
                .style(move |_| style::bordered(tokens.base, tokens.strong, radius::BUTTON))
                .into()
        });
        Some(Line::with_children(chips).spacing(space::S).wrap().into())
    }

    /// What can be done, what waits, how full the context is, what it cost.
    fn footer<'a>(&self, context: Context<'_>) -> Element<'a, Message> {
        let (tokens, tab) = (context.tokens, context.tab);
        let mut left = Line::new().spacing(space::M).align_y(Alignment::Center);
        if context.armed {
            let words = if tab.state == TabState::Interrupting {
                "Esc again ends its processes"
            } else {
                "Esc again interrupts"
            };
            left = left.push(said(words, tokens.accent));
        } else if !context.narrow {
            left = left
                .push(quiet(tokens, "@ files", Message::Begun('@')))
                .push(quiet(tokens, "/ commands", Message::Begun('/')))
                .push(quiet(tokens, "image", Message::ImageWanted));
        } else {
            left = left.push(quiet(tokens, "@", Message::Begun('@'))).push(quiet(
                tokens,
                "/",
                Message::Begun('/'),
            ));
        }
        if context.queued > 0 {
            let words = format!("{} queued", context.queued);
            left = left.push(quiet(tokens, &words, Message::QueueShown));
        }
        if self.read_only {
            left = left.push(loud(tokens, "read-only", Message::ReadOnly));
        }
        let mut right = Line::new().spacing(space::M).align_y(Alignment::Center);
        right = right.push(gauge(tokens, tab, context.narrow));
        if let Some(cost) = tab.usage.cost_usd.filter(|cost| *cost >= 0.005) {
            right = right.push(said(&format!("${cost:.2}"), tokens.dim));
        }
        right = right.push(send(context, self.is_empty()));
        row![container(left).width(Length::Fill).clip(true), right]
            .spacing(space::M)
            .align_y(Alignment::Center)
            .into()
    }
}

fn placeholder(context: Context<'_>) -> String {
    let name = &context.agent.name;
    match &context.tab.state {
        TabState::Limited { .. } => format!("Say something to {name} for when its limit is over"),
        _ if context.waits => format!("Say something to {name} after this"),
        _ if context.tab.entries == 0 => format!("What is {name} to do?"),
        _ => format!("Say something to {name}"),
    }
}

/// Where the session is, while it is somewhere else.
fn taken<'a>(context: Context<'_>) -> Element<'a, Message> {
    let tokens = context.tokens;
    let provider = context.agent.provider.title();
    let words = format!("The session is open in {provider}'s own interface.");
    let chord = context.keymap.title(Id::ConversationMove);
    row![line(words, type_scale::SMALL, font::REGULAR, tokens.dim).fill()]
        .push(part::action(tokens, "Take it back", false, false, Some(Message::TakenBack)))
        .push(chord.map(|chord| part::chord(tokens, &chord)))
        .spacing(space::S)
        .align_y(Alignment::Center)
        .into()
}

/// How full the context is.
fn gauge<'a>(tokens: &'static Tokens, tab: &Tab, narrow: bool) -> Option<Element<'a, Message>> {
    let percent = tab.context?.percent()?;
    let ink = match percent {
        percent if percent >= FULL.1 => tokens.red,
        percent if percent >= FULL.0 => tokens.orange,
        _ => tokens.dim,
    };
    let words = match percent {
        percent if narrow => format!("{percent} %"),
        percent if percent >= FULL.1 => format!("context {percent} % · compact soon"),
        percent => format!("context {percent} %"),
    };
    let warning = (percent >= FULL.0).then(|| icon(Icon::Warning, 11.0, ink));
    Some(
        row![]
            .push(warning)
            .push(said(&words, ink))
            .spacing(space::XS)
            .align_y(Alignment::Center)
            .into(),
    )
}

/// The button, with the key that does the same.
fn send<'a>(context: Context<'_>, empty: bool) -> Element<'a, Message> {
    let tokens = context.tokens;
    let chord = if context.enter_sends {
        "↵".to_owned()
    } else {
        context.keymap.title(Id::ComposerSend).map(|chord| part::spaced(&chord)).unwrap_or_default()
    };
    let what = if context.waits { "queue" } else { "send" };
    let ink = if empty { tokens.faint } else { tokens.text };
    let label = line(format!("{chord} {what}"), type_scale::TINY, font::MONO, ink);
    button(label)
        .padding([1.0, 6.0])
        .style(move |_, status| {
            let over = matches!(status, button::Status::Hovered | button::Status::Pressed);
            let fill = if over { tokens.hover } else { tokens.base };
            button::Style {
                background: Some(Background::Color(fill)),
                border: Border {
                    color: tokens.strong,
                    width: extent::LINE,
                    radius: radius::CHORD.into(),
                },
                ..button::Style::default()
            }
        })
        .on_press_maybe((!empty).then_some(Message::Sent))
        .into()
}

fn said<'a>(words: &str, ink: Color) -> Element<'a, Message> {
    line(words, type_scale::SMALL, font::REGULAR, ink).into()
}

fn quiet<'a>(tokens: &'static Tokens, words: &str, message: Message) -> Element<'a, Message> {
    pressable(tokens, words, tokens.dim, message)
}

fn loud<'a>(tokens: &'static Tokens, words: &str, message: Message) -> Element<'a, Message> {
    pressable(tokens, words, tokens.accent, message)
}

fn pressable<'a>(
    tokens: &'static Tokens,
    words: &str,
    ink: Color,
    message: Message,
) -> Element<'a, Message> {
    button(line(words, type_scale::SMALL, font::REGULAR, ink))
        .padding([0.0, 2.0])
        .style(style::row(tokens, false))
        .on_press(message)
        .into()
}

/// Whether there is a list of files or commands.
#[must_use]
pub fn has_popup(composer: &Composer) -> bool {
    composer
        .popup
        .as_ref()
        .is_some_and(|popup| !popup.rows.is_empty() || !(popup.waits || popup.letters.is_empty()))
}

/// The list of files or commands that lies over what was said, where there is so much height for it.
#[must_use]
pub fn popup<'a>(
    composer: &'a Composer,
    tokens: &'static Tokens,
    height: f32,
) -> Option<Element<'a, Message>> {
    let popup = composer.popup.as_ref().filter(|_| has_popup(composer))?;
    let fits = ((height - FOOTER) / extent::ROW).floor().clamp(1.0, SHOWN as f32) as usize;
    let none = match popup.kind {
        Kind::Files => "No file has these letters.",
        Kind::Commands => "No command is called that.",
    };
    let top = (popup.marked + 1).saturating_sub(fits);
    let rows = popup.rows.iter().enumerate().skip(top).take(fits);
    let rows = rows.map(|(index, row)| row.view(tokens, index, index == popup.marked));
    let list: Element<'_, Message> = if popup.rows.is_empty() {
        container(line(none, type_scale::SMALL, font::REGULAR, tokens.dim))
            .padding([space::S, space::M])
            .into()
    } else {
        container(Column::with_children(rows)).padding([space::XS, extent::LINE]).into()
    };
    let hint = |words: &str| line(words, type_scale::TINY, font::REGULAR, tokens.faint);
    let more = popup.rows.len().saturating_sub(top + fits);
    let footer = row![hint("↑↓ choose"), hint("⇥ insert"), hint("Esc close"), hint("").fill()]
        .push((more > 0).then(|| hint(&format!("{more} more"))))
        .spacing(space::M)
        .padding([space::XS, space::M]);
    let card = container(column![list, part::rule(tokens), footer])
        .width(Length::Fill)
        .max_width(560.0)
        .style(move |_| style::floating(tokens, radius::CARD));
    Some(iced::widget::opaque(card))
}

impl Row {
    fn view<'a>(
        &'a self,
        tokens: &'static Tokens,
        index: usize,
        marked: bool,
    ) -> Element<'a, Message> {
        let bar = if marked { tokens.accent } else { Color::TRANSPARENT };
        let name = part::marked(tokens, &self.insert, &self.matched, font::MONO);
        let hint = (!self.hint.is_empty())
            .then(|| line(&*self.hint, type_scale::SMALL, font::MONO, tokens.faint));
        let content = row![name]
            .push(hint)
            .push(line(&*self.about, type_scale::SMALL, font::REGULAR, tokens.dim).fill())
            .spacing(space::M)
            .align_y(Alignment::Center)
            .height(Length::Fill)
            .padding([0.0, space::M - extent::BAR]);
        let bar = part::filled(bar, Length::Fixed(extent::BAR), Length::Fill);
        button(row![bar, content])
            .padding(0)
            .height(extent::ROW)
            .width(Length::Fill)
            .style(style::row(tokens, marked))
            .on_press(Message::Picked(index))
            .into()
    }
}

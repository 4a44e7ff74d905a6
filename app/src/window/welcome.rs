//! A window without agents: what it is for, the keys to press, and the programs that are on this machine.

use iced::widget::{Space, column, container, row, scrollable, stack};
use iced::{Alignment, Element, Length, Size};
use maestro_agents::install_hint;
use maestro_core::agent::Provider;
use maestro_core::command::Id;
use maestro_core::keymap::Keymap;
use maestro_protocol::message::ProviderInfo;
use maestro_ui::icon::{Icon, icon};
use maestro_ui::theme::{Tokens, extent, space, type_scale};
use maestro_ui::{font, line, part, style};

/// Width of the list of programs.
const WIDTH: f32 = 560.0;

/// Where there is less height, the drawing is left out.
const ROOMY: f32 = 700.0;

/// The page. Its buttons yield `on_press` of a command.
pub fn view<'a, M: Clone + 'a>(
    tokens: &'static Tokens,
    keymap: &Keymap,
    providers: &'a [ProviderInfo],
    size: Size,
    on_press: impl Fn(Id) -> M,
) -> Element<'a, M> {
    let side = 176.0;
    let drawing = (size.height >= ROOMY).then(|| {
        stack![icon(Icon::Panes, side, tokens.strong), icon(Icon::Baton, side, tokens.accent)]
    });
    let button = |id: Id, words: &'static str, primary| {
        let chord = keymap.title(id).map(|chord| part::chord(tokens, &chord));
        row![part::action(tokens, words, primary, false, Some(on_press(id)))]
            .push(chord)
            .spacing(space::S)
            .align_y(Alignment::Center)
    };
    let actions = row![
        button(Id::AgentNew, "New agent", true),
        button(Id::TourToggle, "Tour of ten keys", false),
    ]
    .spacing(space::XL)
    .wrap()
    .vertical_spacing(space::S);
    let words = "Each agent works in a worktree of its own, side by side with the others.";
    let content = column![]
        .push(drawing)
        .push(line("Bring in your first agent", type_scale::DISPLAY, font::SEMIBOLD, tokens.text))
        .push(part::paragraph(words, type_scale::LARGE, font::REGULAR, tokens.dim))
        .push(actions)
        .push(programs(tokens, providers))
        .spacing(space::L)
        .padding(space::XL)
        .width(Length::Fill)
        .align_x(Alignment::Center);
    // What is higher than the window is reached by the wheel, and what is lower stands in its middle.
    let scrolled = scrollable(content).width(Length::Fill).style(style::scroll(tokens));
    container(scrolled).center_y(Length::Fill).into()
}

/// The agents' programs, with their versions or with what is missing.
fn programs<'a, M: 'a>(tokens: &'static Tokens, providers: &'a [ProviderInfo]) -> Element<'a, M> {
    let real = |it: &&ProviderInfo| !matches!(it.provider, Provider::Demo | Provider::Shell);
    let rows: Vec<_> = providers.iter().filter(real).map(|it| program(tokens, it)).collect();
    let lacks = providers.iter().any(|it| it.unusable.is_some());
    let about = match (rows.is_empty(), lacks) {
        (true, _) => "looking for programs…",
        (false, false) => "No agent needs more than its own login.",
        (false, true) => {
            "What was installed since is found when you make an agent. The demo agent is always there."
        }
    };
    let about = line(about, type_scale::SMALL, font::REGULAR, tokens.faint).fill();
    let list = column![
        line("ON THIS MACHINE", type_scale::TINY, font::MEDIUM, tokens.faint),
        column(rows).spacing(space::XS),
        about,
    ]
    .spacing(space::S);
    container(list)
        .padding(space::L)
        .width(Length::Fill)
        .max_width(WIDTH)
        .style(move |_| style::bordered(tokens.panel, tokens.border, 8.0))
        .into()
}

fn program<'a, M: 'a>(tokens: &'static Tokens, it: &'a ProviderInfo) -> Element<'a, M> {
    let (shape, ink, name) = match it.unusable {
        None => (Icon::Check, tokens.green, tokens.text),
        Some(_) => (Icon::Ring, tokens.faint, tokens.dim),
    };
    let missing = it.unusable.is_some() && it.program.is_none();
    let fact = match &it.version {
        _ if missing => install_hint(it.provider),
        Some(version) if it.unusable.is_none() => version.as_str(),
        _ => "",
    };
    let head = row![
        line(it.provider.title(), type_scale::BASE, font::MEDIUM, name),
        Space::new().width(Length::Fill),
        line(fact, type_scale::SMALL, font::MONO, tokens.dim),
    ]
    .align_y(Alignment::Center);
    // That it is not there shows already.
    let why = it.unusable.as_deref().filter(|_| !missing).map(|why| {
        part::paragraph(part::sentence(why), type_scale::SMALL, font::REGULAR, tokens.faint)
    });
    row![
        container(icon(shape, extent::GLYPH, ink)).padding([3.0, 0.0]),
        column![head].push(why).width(Length::Fill),
    ]
    .spacing(space::M)
    .into()
}

//! Why an agent is thought to be in its state: what was seen, the newest first.

use iced::widget::{Column, column, container, row};
use iced::{Alignment, Element, Length};
use maestro_core::AgentId;
use maestro_core::agent::{Agent, Evidence, Source};
use maestro_core::conflict::Collision;
use maestro_ui::icon::{Icon, icon};
use maestro_ui::theme::{Tokens, extent, space, type_scale};
use maestro_ui::{font, line, part, status};

use crate::window::{agents, ago};

/// What is shown at once.
const SHOWN: usize = 12;

/// The evidence about an agent.
#[derive(Debug, Clone)]
pub struct Why {
    /// About whom.
    pub agent: AgentId,
    seen: Option<Result<Vec<Evidence>, String>>,
}

impl Why {
    /// A question that was just asked.
    #[must_use]
    pub fn new(agent: AgentId) -> Self {
        Self { agent, seen: None }
    }

    /// The answer.
    pub fn heard(&mut self, seen: Result<Vec<Evidence>, String>) {
        self.seen = Some(seen);
    }

    /// The answer, as it is shown.
    pub fn view<'a, M: 'a>(
        &'a self,
        tokens: &'static Tokens,
        agent: Option<&'a Agent>,
        collisions: &'a [Collision],
        now_ms: u64,
    ) -> Element<'a, M> {
        let Some(agent) = agent else {
            return part::paragraph("It is gone.", type_scale::BASE, font::REGULAR, tokens.dim);
        };
        let shape = status::of_agent(tokens, agent.attention.state);
        let since = ago::since(agent.attention.since_ms, now_ms);
        let title = row![
            status::glyph(tokens, shape, extent::GLYPH, false),
            line(&*agent.name, type_scale::LARGE, font::SEMIBOLD, tokens.text),
            line(agents::reason(agent), type_scale::BASE, font::REGULAR, tokens.dim).fill(),
            line(since, type_scale::SMALL, font::REGULAR, tokens.faint),
        ]
        .spacing(space::S)
        .align_y(Alignment::Center);
        let quiet = |words: &str| {
            part::paragraph(words.to_owned(), type_scale::SMALL, font::REGULAR, tokens.dim)
        };
        let seen: Element<'_, M> = match &self.seen {
            None => quiet("Looking…"),
            Some(Err(why)) => quiet(&part::sentence(why)),
            Some(Ok(seen)) if seen.is_empty() => {
                quiet("Nothing was seen of it: so nothing is known, and nothing is guessed.")
            }
            Some(Ok(seen)) => {
                let rows = seen.iter().take(SHOWN).map(|seen| one(tokens, seen, now_ms));
                Column::with_children(rows).spacing(space::XS).into()
            }
        };
        let met = collisions.iter().map(|met| {
            let words = part::sentence(&agents::collision(met, 0));
            let mark = icon(Icon::Warning, 12.0, tokens.orange);
            let words = part::paragraph(words, type_scale::SMALL, font::REGULAR, tokens.text);
            row![mark, words].spacing(space::S).align_y(Alignment::Center).into()
        });
        let met = Column::with_children(met.take(SHOWN)).spacing(space::XS);
        let seen = column![seen].push((!collisions.is_empty()).then_some(met)).spacing(space::M);
        let footer = row![
            line("The marked line decides.", type_scale::SMALL, font::REGULAR, tokens.faint).fill(),
        ]
        .push((!collisions.is_empty()).then(|| part::chord(tokens, "↵")))
        .push(
            (!collisions.is_empty())
                .then(|| line("where they conflict", type_scale::SMALL, font::REGULAR, tokens.dim)),
        )
        .push(part::chord(tokens, "Esc"))
        .spacing(space::S)
        .align_y(Alignment::Center);
        column![
            container(title).padding(space::L),
            part::rule(tokens),
            container(seen).padding(space::L).width(Length::Fill),
            part::rule(tokens),
            container(footer).padding([space::S, space::L]),
        ]
        .into()
    }
}

fn one<'a, M: 'a>(tokens: &'static Tokens, seen: &'a Evidence, now_ms: u64) -> Element<'a, M> {
    let shape = status::of_agent(tokens, seen.state);
    let ink = if seen.decides { tokens.text } else { tokens.dim };
    let mark: Element<'_, M> = if seen.decides {
        icon(Icon::Dot, 9.0, tokens.accent)
    } else {
        iced::widget::Space::new().width(9.0).into()
    };
    let words = maestro_core::text::clean(&seen.seen, 200);
    row![
        mark,
        status::glyph(tokens, shape, 12.0, false),
        container(line(source(seen.source), type_scale::SMALL, font::MEDIUM, ink)).width(92.0),
        line(words, type_scale::SMALL, font::REGULAR, ink).fill(),
        line(ago::since(seen.at_ms, now_ms), type_scale::SMALL, font::REGULAR, tokens.faint),
    ]
    .spacing(space::S)
    .align_y(Alignment::Center)
    .into()
}

fn source(source: Source) -> &'static str {
    match source {
        Source::Run => "its run",
        Source::Stream => "its stream",
        Source::Transcript => "its transcript",
        Source::Osc => "its terminal",
        Source::Process => "its process",
        Source::None => "nothing",
    }
}

//! The grid of pairs, and where the marked one conflicts.

use std::sync::Arc;

use iced::widget::{Column, Row, Space, button, column, container, row, scrollable};
use iced::{Alignment, Background, Border, Color, Element, Length, Padding};
use maestro_core::conflict::{Clash, Fit, Hunk, Side};
use maestro_core::text;
use maestro_ui::code::{self, Ink};
use maestro_ui::icon::{Icon, icon};
use maestro_ui::theme::{Tokens, extent, radius, space, type_scale};
use maestro_ui::{font, line, part, status, style};

use super::{DETAIL, GRID, Matrix, agent_of, word};
use crate::window::ago;
use crate::window::model::Model;
use crate::window::page;
use crate::window::review::{Look, Message};

/// Width of the names at the left.
const NAMES: f32 = 176.0;

/// The widest and the narrowest that a pair gets.
const CELL: (f32, f32) = (112.0, 34.0);

/// Below this width a pair has its shape and a number, and no word.
const WORDY: f32 = 84.0;

/// Below this width a column has a number in place of a name, which its row has, too.
const NAMED: f32 = 56.0;

/// Between pairs.
const GAP: f32 = 4.0;

/// Lines of one side of a hunk, and hunks of a file, that are shown.
const LINES: usize = 40;
const HUNKS: usize = 20;

impl Matrix {
    /// The page.
    pub fn view<'a>(&'a self, model: &'a Model, look: Look<'a>) -> Element<'a, Message> {
        let tokens = look.tokens;
        let known = match &self.known {
            None => {
                return page::empty(
                    tokens,
                    Icon::Clock,
                    "Looking at every pair…",
                    "Each branch is merged with each other one in memory, what is not committed \
                     included. Nothing in a checkout is touched.",
                    &[],
                );
            }
            Some(Err(why)) => return page::trouble(tokens, why),
            Some(Ok(known)) => known,
        };
        let rows = self.rows();
        if rows.is_empty() || self.columns() < 2 {
            return page::empty(
                tokens,
                Icon::Ring,
                "There is nothing to hold against each other",
                "Conflicts are between worktrees of one repository: give the next agent a worktree of \
                 its own, and its branch stands here beside the others.",
                &[("Ctrl N", "new agent")],
            );
        }
        let pairs = self.pairs().len();
        let clashing = known.cells.iter().filter(|cell| matches!(cell.fit, Fit::Conflicts(_)));
        let clashing = clashing.count();
        let title = match clashing {
            0 => "Everything fits".to_owned(),
            1 => "1 conflict".to_owned(),
            count => format!("{count} conflicts"),
        };
        let ink = if clashing == 0 { tokens.text } else { tokens.orange };
        let about = format!(
            "{pairs} pairs, uncommitted work included · looked at in {}, {}",
            ago::took(known.took_ms),
            match ago::since(self.heard_ms, look.now_ms).as_str() {
                "now" => "just now".to_owned(),
                since => format!("{since} ago"),
            }
        );
        let head = row![
            line(title, type_scale::LARGE, font::SEMIBOLD, ink),
            line(about, type_scale::SMALL, font::REGULAR, tokens.faint).fill(),
        ]
        .spacing(space::M)
        .align_y(Alignment::Center)
        .padding(Padding::from([0.0, space::L]).top(space::M).bottom(space::S));
        let notes = (!known.notes.is_empty()).then(|| {
            let words = text::clean(&known.notes.join(" "), 600);
            let words = line(words, type_scale::SMALL, font::REGULAR, tokens.orange).fill();
            container(words).padding(Padding::from([0.0, space::L]).bottom(space::S))
        });
        let head = Column::new().push(head).push(notes);
        let low = look.is_low();
        if low && self.deep {
            return column![self.detail(model, look, true)].height(Length::Fill).into();
        }
        // Beside each other where there are many rows and there is place for both.
        let beside = look.width >= 1240.0 && rows.len() > 9;
        let width = if beside { look.width * 0.62 } else { look.width };
        let grid = self.grid(model, look, width);
        let detail = self.detail(model, look, false);
        if beside {
            let grid = container(grid).width(Length::FillPortion(62)).height(Length::Fill);
            let detail = container(detail).width(Length::FillPortion(38)).height(Length::Fill);
            return column![head, row![grid, part::upright(tokens), detail]].into();
        }
        let height = self.height(rows.len());
        let most = (look.height - 220.0) * if low { 0.72 } else { 0.6 };
        let grid = container(grid).width(Length::Fill).height(height.min(most.max(96.0)));
        column![head, grid, detail].into()
    }

    fn height(&self, rows: usize) -> f32 {
        // Names over the columns, the rows, and room below for the scrollbar.
        28.0 + rows as f32 * (row_height(rows) + GAP) + space::M
    }

    fn grid<'a>(&'a self, model: &'a Model, look: Look<'a>, width: f32) -> Element<'a, Message> {
        let tokens = look.tokens;
        let (rows, columns) = (self.rows().len(), self.columns());
        let names = if width < 760.0 { 120.0 } else { NAMES };
        let room = width - names - 2.0 * space::L - columns as f32 * GAP;
        let cell = (room / columns as f32).clamp(CELL.1, CELL.0);
        let height = row_height(rows);
        let target = self.known().and_then(|known| known.target.clone()).unwrap_or_default();
        let mut head = Row::new().spacing(GAP).push(Space::new().width(names));
        for column in 0..columns {
            let on = column == self.at.1;
            let (ink, face) =
                if on { (tokens.text, font::MEDIUM) } else { (tokens.dim, font::REGULAR) };
            let name = match self.side(column) {
                Some(_) if cell < NAMED => (column + 1).to_string(),
                Some(side) => side_name(model, side),
                None => target.clone(),
            };
            let name = text::clean(&name, 100);
            head = head.push(
                container(line(name, type_scale::SMALL, face, ink).fill())
                    .width(cell)
                    .height(24.0)
                    .padding([0.0, space::XS]),
            );
        }
        let mut lines = Column::new().spacing(GAP).push(head);
        for at in 0..rows {
            let Some(side) = self.side(at) else { continue };
            let mut cells = Row::new().spacing(GAP).push(self.name(
                model,
                look,
                (at, cell < NAMED),
                side,
                names,
            ));
            for column in 0..columns {
                cells = cells.push(self.cell(look, at, column, (cell, height)));
            }
            lines = lines.push(cells.align_y(Alignment::Center));
        }
        let bar = || scrollable::Scrollbar::new().width(4.0).scroller_width(4.0).margin(1.0);
        scrollable(container(lines).padding(Padding::from([0.0, space::L])))
            .id(GRID)
            .direction(scrollable::Direction::Both { vertical: bar(), horizontal: bar() })
            .width(Length::Fill)
            .height(Length::Fill)
            .style(style::scroll(tokens))
            .into()
    }

    /// Whose row it is.
    fn name<'a>(
        &'a self,
        model: &'a Model,
        look: Look<'a>,
        (at, is_numbered): (usize, bool),
        side: &'a Side,
        width: f32,
    ) -> Element<'a, Message> {
        let tokens = look.tokens;
        let agent = agent_of(model, side);
        let on = at == self.at.0 || at == self.at.1;
        let (ink, face) =
            if on { (tokens.text, font::MEDIUM) } else { (tokens.dim, font::REGULAR) };
        let glyph: Element<'a, Message> = match agent {
            Some(agent) => status::glyph(
                tokens,
                status::of_agent(tokens, agent.attention.state),
                12.0,
                look.turning,
            ),
            None => icon(Icon::DashedRing, 12.0, tokens.faint),
        };
        let name = text::clean(&side_name(model, side), 100);
        let dirty = side.is_dirty.then(|| icon(Icon::Dot, 8.0, tokens.blue));
        let number = is_numbered.then(|| {
            let number = line((at + 1).to_string(), type_scale::SMALL, font::REGULAR, tokens.faint);
            container(number).width(16.0).align_x(Alignment::End)
        });
        let content = Row::new()
            .push(number)
            .push(glyph)
            .push(line(name, type_scale::BASE, face, ink).fill())
            .push(dirty)
            .spacing(space::S)
            .align_y(Alignment::Center)
            .height(Length::Fill)
            .padding([0.0, space::S]);
        let press = agent.map(|agent| Message::Matrix(super::Message::Agent(agent.id)));
        button(content)
            .padding(0)
            .width(width)
            .height(row_height(self.rows().len()))
            .style(style::row(tokens, false))
            .on_press_maybe(press)
            .into()
    }

    fn cell<'a>(
        &'a self,
        look: Look<'a>,
        at: usize,
        column: usize,
        (width, height): (f32, f32),
    ) -> Element<'a, Message> {
        let tokens = look.tokens;
        if column < at {
            return Space::new().width(width).height(height).into();
        }
        if column == at {
            let faint = Color { a: 0.45, ..tokens.raised };
            return container(Space::new())
                .width(width)
                .height(height)
                .style(move |_| style::bordered(faint, Color::TRANSPARENT, radius::CHORD))
                .into();
        }
        let marked = (at, column) == self.at;
        let target = column == self.rows().len();
        let Some(fit) = self.fit(at, column) else {
            // Why is said at its row.
            return container(Space::new()).width(width).height(height).into();
        };
        let (shape, ink) = shape(tokens, fit, target);
        let fill = match fit {
            Fit::Conflicts(_) => {
                Color { a: if tokens.dark { 0.18 } else { 0.12 }, ..tokens.orange }
            }
            _ => tokens.raised,
        };
        let wordy = width >= WORDY;
        let words = match fit {
            _ if wordy => word(fit),
            Fit::Conflicts(files) | Fit::SameFiles(files) => files.len().to_string(),
            Fit::Apart | Fit::Unknown(_) => String::new(),
        };
        let glyph = icon(shape, if wordy { 12.0 } else { 11.0 }, ink);
        let mut content = row![glyph].spacing(6.0).align_y(Alignment::Center);
        if !words.is_empty() {
            content = content.push(line(words, type_scale::SMALL, font::REGULAR, ink));
        }
        let content = container(content)
            .padding([0.0, if wordy { 10.0 } else { 4.0 }])
            .center_y(Length::Fill)
            .width(Length::Fill)
            .clip(true);
        let edge = match (marked, self.deep) {
            (true, false) => tokens.accent,
            (true, true) => tokens.strong,
            (false, _) => Color::TRANSPARENT,
        };
        button(content)
            .padding(0)
            .width(width)
            .height(height)
            .style(move |_, status| {
                let over = matches!(status, button::Status::Hovered | button::Status::Pressed);
                let edge = if over && !marked { tokens.strong } else { edge };
                button::Style {
                    background: Some(Background::Color(fill)),
                    text_color: ink,
                    border: Border {
                        color: edge,
                        width: if marked { 2.0 } else { extent::LINE },
                        radius: radius::CHORD.into(),
                    },
                    ..button::Style::default()
                }
            })
            .on_press(Message::Matrix(super::Message::Cell(at, column)))
            .into()
    }

    /// What is known of the marked pair.
    fn detail<'a>(&'a self, model: &'a Model, look: Look<'a>, alone: bool) -> Element<'a, Message> {
        let tokens = look.tokens;
        let Some(side) = self.side(self.at.0) else { return Space::new().into() };
        let target = self.known().and_then(|known| known.target.clone()).unwrap_or_default();
        let one = text::clean(&side_name(model, side), 60);
        let other = self.side(self.at.1).map_or(target, |side| side_name(model, side));
        let other = text::clean(&other, 60);
        let Some(fit) = self.marked() else {
            let why = [Some(side), self.side(self.at.1)]
                .into_iter()
                .flatten()
                .find_map(|side| side.problem.clone())
                .unwrap_or_else(|| "nothing is known of this pair".to_owned());
            return page::trouble(tokens, &why);
        };
        let (shape, ink) = shape(tokens, fit, self.at.1 == self.rows().len());
        let sentence = match fit {
            Fit::Apart => "they change different files".to_owned(),
            Fit::SameFiles(files) if files.len() == 1 => {
                "the changes in one file go together".to_owned()
            }
            Fit::SameFiles(files) => {
                format!("the changes in {} files go together", files.len())
            }
            Fit::Conflicts(_) => format!("conflict in {}", word(fit)),
            Fit::Unknown(why) => why.clone(),
        };
        let title = row![
            icon(shape, 12.0, ink),
            line(format!("{one} × {other}"), type_scale::BASE, font::SEMIBOLD, tokens.text),
            line(text::clean(&sentence, 300), type_scale::BASE, font::REGULAR, ink).fill(),
        ]
        .spacing(space::S)
        .align_y(Alignment::Center)
        .height(extent::CARD_HEADER)
        .padding([0.0, space::M]);
        let body: Element<'a, Message> = match fit {
            Fit::Apart | Fit::Unknown(_) => {
                return container(title).padding([space::S, space::S]).into();
            }
            Fit::SameFiles(files) => {
                let rows = files.iter().map(|file| {
                    let name = text::clean(&file.to_string_lossy(), 300);
                    line(name, type_scale::SMALL, font::MONO, tokens.dim).fill().into()
                });
                Column::with_children(rows).into()
            }
            Fit::Conflicts(files) => match &self.clashes {
                Some((pair, Ok(clashes))) if self.pair().as_ref() == Some(pair) => {
                    let names = (one, other);
                    let rows = clashes.iter().map(|clash| clash_view(tokens, clash, &names));
                    Column::with_children(rows).spacing(space::M).into()
                }
                Some((pair, Err(why))) if self.pair().as_ref() == Some(pair) => {
                    page::trouble(tokens, why)
                }
                _ => {
                    let rows = files.iter().map(|file| {
                        let name = text::clean(&file.to_string_lossy(), 300);
                        line(name, type_scale::SMALL, font::MONO, tokens.dim).fill().into()
                    });
                    Column::with_children(rows).into()
                }
            },
        };
        let edge = if self.deep { tokens.accent } else { tokens.border };
        let body = page::scrolled(tokens, DETAIL, container(body).padding(space::M));
        let card = container(column![title, part::rule(tokens), body])
            .width(Length::Fill)
            .height(Length::Fill)
            .padding(extent::LINE)
            .style(move |_| style::bordered(tokens.panel, edge, radius::CARD));
        let around = if alone { space::S } else { space::L };
        container(card).padding(around).width(Length::Fill).height(Length::Fill).into()
    }
}

fn row_height(rows: usize) -> f32 {
    match rows {
        0..=8 => 38.0,
        9..=14 => 32.0,
        _ => 26.0,
    }
}

/// What a worktree is called: its agent's name where it has one, its branch, or its folder.
fn side_name(model: &Model, side: &Side) -> String {
    agent_of(model, side).map_or_else(|| side.name(), |agent| agent.name.clone())
}

/// The shape and colour of how a pair fits.
fn shape(tokens: &Tokens, fit: &Fit, target: bool) -> (Icon, Color) {
    match fit {
        Fit::Apart if target => (Icon::Check, tokens.green),
        Fit::Apart => (Icon::Check, tokens.faint),
        Fit::SameFiles(_) => (Icon::Ring, tokens.blue),
        Fit::Conflicts(_) => (Icon::Warning, tokens.orange),
        Fit::Unknown(_) => (Icon::DashedRing, tokens.faint),
    }
}

/// A file in which two branches conflict, with the places.
pub fn clash_view<'a, M: 'a>(
    tokens: &'static Tokens,
    clash: &Clash,
    (ours, theirs): &(String, String),
) -> Element<'a, M> {
    let kind = clash.kind.trim_start_matches("CONFLICT").trim().trim_matches(['(', ')']);
    let count = match clash.hunks.len() {
        0 => String::new(),
        1 => "1 place".to_owned(),
        count => format!("{count} places"),
    };
    let head = row![
        line(
            text::clean(&clash.path.to_string_lossy(), 300),
            type_scale::SMALL,
            font::MONO,
            tokens.text
        ),
        line(text::clean(kind, 80), type_scale::SMALL, font::REGULAR, tokens.faint).fill(),
        line(count, type_scale::SMALL, font::REGULAR, tokens.orange),
    ]
    .spacing(space::M)
    .align_y(Alignment::Center);
    let mut lines = Vec::new();
    for hunk in clash.hunks.iter().take(HUNKS) {
        push_hunk(&mut lines, hunk, (ours, theirs));
    }
    let cut = clash.is_cut || clash.hunks.len() > HUNKS;
    let cut = cut.then(|| {
        line("There is more than is shown.", type_scale::SMALL, font::REGULAR, tokens.faint)
    });
    let digits = clash.hunks.iter().map(|hunk| hunk.line.to_string().len()).max().unwrap_or(0);
    let lines: Arc<[code::Line]> = lines.into();
    let body: Option<Element<'a, M>> = (!lines.is_empty())
        .then(|| page::boxed(tokens, maestro_ui::code(tokens, &lines, digits, false)));
    column![head].push(body).push(cut).spacing(space::XS).into()
}

fn push_hunk(lines: &mut Vec<code::Line>, hunk: &Hunk, (ours, theirs): (&str, &str)) {
    if !lines.is_empty() {
        lines.push(code::Line { sign: code::Sign::Gap, ..code::Line::default() });
    }
    for (name, said, ink) in [(ours, &hunk.ours, Ink::Blue), (theirs, &hunk.theirs, Ink::Purple)] {
        let count = said.lines().count();
        let head = match count {
            0 => format!("{name} has nothing here"),
            _ => name.to_owned(),
        };
        lines.push(code::Line {
            number: Some(hunk.line),
            pieces: vec![(0..head.len(), Ink::Faint)],
            text: head,
            ..code::Line::default()
        });
        for words in said.lines().take(LINES) {
            let text = format!("  {}", text::escaped(words, 2_000));
            let all = 0..text.len();
            lines.push(code::Line { text, pieces: vec![(all, ink)], ..code::Line::default() });
        }
        if count > LINES {
            let text = format!("  … {} more lines", count - LINES);
            let all = 0..text.len();
            lines.push(code::Line {
                text,
                pieces: vec![(all, Ink::Faint)],
                ..code::Line::default()
            });
        }
    }
}

//! What the commits and branches of a repository look like.

use iced::widget::{
    Column, Row as Line, column, container, mouse_area, responsive, row, text_input,
};
use iced::{Alignment, Element, Length, Padding};
use maestro_core::changes::{Branch, Commit};
use maestro_core::text;
use maestro_ui::icon::{Icon, icon};
use maestro_ui::theme::{Tokens, extent, space, type_scale};
use maestro_ui::{font, graph, line, part, style};

use super::{Going, History, INPUT, Message as Own};
use crate::window::review::{Look, Message};
use crate::window::{ago, page};

/// From this width on the marked commit is told beside the list.
const BESIDE: f32 = 1000.0;

/// Lines of git's output that have a place.
const PRINTED: usize = 8;

/// Names that are shown of one commit.
const NAMES: usize = 3;

impl History {
    /// The page.
    pub fn view<'a>(&'a self, look: Look<'a>) -> Element<'a, Message> {
        let tokens = look.tokens;
        let body = if let Some(branches) = &self.branches {
            match branches {
                None => page::empty(tokens, Icon::Clock, "Looking at the branches…", "", &[]),
                Some(Err(why)) => page::trouble(tokens, why),
                Some(Ok(known)) if known.branches.is_empty() => page::empty(
                    tokens,
                    Icon::Ring,
                    "There is no branch yet",
                    "The first commit makes one.",
                    &[("b", "back")],
                ),
                Some(Ok(_)) => self.branch_list(look),
            }
        } else if let Some(why) = &self.problem {
            page::trouble(tokens, why)
        } else if !self.is_known {
            page::empty(tokens, Icon::Clock, "Reading the history…", "", &[])
        } else if self.commits.is_empty() {
            let (title, keys): (_, &[(&str, &str)]) = if self.words.is_empty() {
                ("There is no commit yet", &[])
            } else {
                ("No commit has these words", &[("/", "other words"), ("Esc", "all commits")])
            };
            page::empty(tokens, Icon::Ring, title, "", keys)
        } else {
            self.log(look)
        };
        let body = container(body).width(Length::Fill).height(Length::Fill);
        column![body].push(self.searching(tokens)).push(self.remote(tokens, look)).into()
    }

    fn searching<'a>(&'a self, tokens: &'static Tokens) -> Option<Element<'a, Message>> {
        let content: Element<'a, Message> = match &self.typing {
            Some(typed) => {
                let input = text_input("words of a message, an author or an id", typed)
                    .id(INPUT)
                    .on_input(Message::Typed)
                    .size(type_scale::BASE.0)
                    .padding([5.0, 9.0])
                    .style(style::input(tokens, false));
                let label = line("Search", type_scale::BASE, font::MEDIUM, tokens.text);
                row![label, maestro_ui::still(input)]
                    .spacing(space::M)
                    .align_y(Alignment::Center)
                    .into()
            }
            None if !self.words.is_empty() => {
                let words = format!("Only commits with “{}”", text::clean(&self.words, 80));
                row![
                    icon(Icon::Search, 12.0, tokens.accent),
                    line(words, type_scale::SMALL, font::REGULAR, tokens.dim).fill(),
                    page::hint(tokens, "Esc", "all commits")
                ]
                .spacing(space::S)
                .align_y(Alignment::Center)
                .into()
            }
            None => return None,
        };
        Some(lower(tokens, content))
    }

    // Commits.

    fn log<'a>(&'a self, look: Look<'a>) -> Element<'a, Message> {
        let tokens = look.tokens;
        let list = responsive(move |size| {
            let page = ((size.height / extent::ROW) as usize).max(1);
            self.page.set(page);
            let shown = self.commits.iter().enumerate().skip(self.top).take(page + 1);
            let graphs = self.graph.iter().skip(self.top).take(page + 1);
            let lanes = graphs.map(|row| row.width).max().unwrap_or(0);
            let rows = shown.map(|(at, commit)| self.commit(look, at, commit, lanes, size.width));
            wheel(Column::with_children(rows))
        });
        if look.width < BESIDE {
            return list.into();
        }
        let detail = self.commits.get(self.at).map(|commit| detail(tokens, look.now_ms, commit));
        let list = container(list).width(Length::FillPortion(64)).height(Length::Fill);
        row![list, part::upright(tokens)]
            .push(detail.map(|detail| {
                container(detail).width(Length::FillPortion(36)).height(Length::Fill)
            }))
            .into()
    }

    fn commit<'a>(
        &'a self,
        look: Look<'a>,
        at: usize,
        commit: &'a Commit,
        lanes: u16,
        width: f32,
    ) -> Element<'a, Message> {
        let tokens = look.tokens;
        let drawn = self.graph.get(at).map(|row| graph(tokens, row, lanes));
        let names = commit.names.iter().take(NAMES).map(|name| {
            let is_here = name == "HEAD" || name.starts_with("HEAD ->");
            part::pill(tokens, text::clean(name, 40), is_here)
        });
        let wide = width >= 620.0;
        let id = text::beginning_of(&commit.id, 8).to_owned();
        let author = text::clean(&commit.author, 40);
        let content = Line::new()
            .push(drawn)
            .push(Line::with_children(names).spacing(space::XS))
            .push(
                line(text::clean(&commit.title, 300), type_scale::BASE, font::REGULAR, tokens.text)
                    .fill(),
            )
            .push(wide.then(|| line(author, type_scale::SMALL, font::REGULAR, tokens.dim)))
            .push(wide.then(|| line(id, type_scale::SMALL, font::MONO, tokens.faint)))
            .push(
                container(line(
                    since(commit.at_ms, look.now_ms),
                    type_scale::SMALL,
                    font::REGULAR,
                    tokens.faint,
                ))
                .width(34.0)
                .align_x(Alignment::End),
            )
            .spacing(space::S)
            .align_y(Alignment::Center)
            .height(Length::Fill);
        let press = Message::History(Own::Row(at));
        page::pressable(tokens, extent::ROW, (at == self.at, true), content, press)
    }

    // Branches.

    fn branch_list<'a>(&'a self, look: Look<'a>) -> Element<'a, Message> {
        responsive(move |size| {
            let page = ((size.height / extent::ROW) as usize).max(1);
            self.page.set(page);
            let shown = self.branches().iter().enumerate().skip(self.branch_top).take(page + 1);
            let rows = shown.map(|(at, branch)| self.branch_row(look, at, branch, size.width));
            wheel(Column::with_children(rows))
        })
        .into()
    }

    fn branch_row<'a>(
        &'a self,
        look: Look<'a>,
        at: usize,
        branch: &'a Branch,
        width: f32,
    ) -> Element<'a, Message> {
        let tokens = look.tokens;
        let here = match &self.branches {
            Some(Some(Ok(known))) => known.current.as_ref() == Some(&branch.name),
            _ => false,
        };
        let (face, ink) = if here {
            (font::MEDIUM, tokens.text)
        } else if branch.is_remote {
            (font::REGULAR, tokens.dim)
        } else {
            (font::REGULAR, tokens.text)
        };
        let shape = if here {
            icon(Icon::Check, 12.0, tokens.green)
        } else {
            icon(Icon::Ring, 12.0, tokens.faint)
        };
        let apart = branch.ahead_behind.map(|(ahead, behind)| {
            let word = |sign: &str, count: u32| (count > 0).then(|| format!("{sign}{count}"));
            let words: Vec<_> =
                [word("↑", ahead), word("↓", behind)].into_iter().flatten().collect();
            line(words.join(" "), type_scale::SMALL, font::REGULAR, tokens.dim)
        });
        let elsewhere = branch
            .worktree
            .as_ref()
            .filter(|_| !here)
            .map(|_| line("in a worktree", type_scale::SMALL, font::REGULAR, tokens.orange));
        let gone = branch
            .is_upstream_gone
            .then(|| line("gone at the remote", type_scale::SMALL, font::REGULAR, tokens.orange));
        let name =
            container(line(text::clean(&branch.name, 120), type_scale::BASE, face, ink).fill())
                .width(Length::FillPortion(4));
        let title = container(
            line(text::clean(&branch.title, 200), type_scale::SMALL, font::REGULAR, tokens.faint)
                .fill(),
        )
        .width(Length::FillPortion(5));
        let state = Line::new().push(apart).push(gone).push(elsewhere).spacing(space::S);
        let content = Line::new()
            .push(shape)
            .push(name)
            .push(container(state).width(if width >= 620.0 { 190.0 } else { 120.0 }).clip(true))
            .push((width >= 620.0).then_some(title))
            .push(line(
                since(branch.at_ms, look.now_ms),
                type_scale::SMALL,
                font::REGULAR,
                tokens.faint,
            ))
            .spacing(space::M)
            .align_y(Alignment::Center)
            .height(Length::Fill);
        let press = Message::History(Own::Row(at));
        page::pressable(tokens, extent::ROW, (at == self.branch, true), content, press)
    }

    // Remotes.

    /// What git prints, and the way out where it fails.
    fn remote<'a>(
        &'a self,
        tokens: &'static Tokens,
        look: Look<'a>,
    ) -> Option<Element<'a, Message>> {
        let Going { title, lines, end, way, .. } = self.going.as_ref()?;
        let (shape, ink, words) = match end {
            None => (Icon::Clock, tokens.blue, format!("{title}…")),
            Some(None) => (Icon::Check, tokens.green, format!("{title}: done")),
            Some(Some(failure)) => (Icon::Warning, tokens.orange, part::sentence(&failure.text)),
        };
        let head = row![
            icon(shape, 12.0, ink),
            part::paragraph(text::clean(&words, 600), type_scale::BASE, font::MEDIUM, tokens.text)
        ]
        .spacing(space::S)
        .align_y(Alignment::Center);
        let ways = match end {
            Some(Some(failure)) => failure.ways.as_slice(),
            _ => &[],
        };
        let ways = ways.iter().enumerate().map(|(at, one)| {
            let title = text::clean(&one.title, 80);
            if at == *way {
                return page::hint(tokens, "y", &title);
            }
            line(title, type_scale::SMALL, font::REGULAR, tokens.faint).into()
        });
        let ways: Vec<_> = ways.collect();
        let ways = (!ways.is_empty()).then(|| Line::with_children(ways).spacing(space::M));
        let most = if look.is_low() { 2 } else { PRINTED };
        let printed = lines.iter().skip(lines.len().saturating_sub(most)).map(|words| {
            line(words.clone(), type_scale::SMALL, font::MONO, tokens.dim).fill().into()
        });
        let printed = (!lines.is_empty())
            .then(|| page::boxed(tokens, Column::with_children(printed).width(Length::Fill)));
        Some(lower(tokens, column![head].push(ways).push(printed).spacing(space::S)))
    }
}

/// A list that the wheel moves.
fn wheel<'a>(rows: Column<'a, Message>) -> Element<'a, Message> {
    mouse_area(container(rows).height(Length::Fill).clip(true))
        .on_scroll(|delta| Message::History(Own::Wheel(page::rows_turned(delta, extent::ROW))))
        .into()
}

/// A commit in full.
fn detail<'a>(tokens: &'static Tokens, now_ms: u64, commit: &'a Commit) -> Element<'a, Message> {
    let fact = |name: &'static str, value: String| -> Element<'a, Message> {
        let name = line(name, type_scale::SMALL, font::REGULAR, tokens.faint);
        let value = line(value, type_scale::SMALL, font::REGULAR, tokens.dim).fill();
        row![container(name).width(64.0), value].into()
    };
    let parents: Vec<_> = commit.parents.iter().map(|id| text::beginning_of(id, 8)).collect();
    let mut facts = vec![
        fact("commit", text::beginning_of(&commit.id, 40).to_owned()),
        fact("author", text::clean(&format!("{} <{}>", commit.author, commit.email), 120)),
        fact(
            "written",
            format!("{} ago", since(commit.at_ms, now_ms)).replace("now ago", "just now"),
        ),
    ];
    if !parents.is_empty() {
        facts.push(fact(if parents.len() > 1 { "parents" } else { "parent" }, parents.join("  ")));
    }
    if !commit.names.is_empty() {
        facts.push(fact("names", text::clean(&commit.names.join("  "), 200)));
    }
    let (body, _) = text::printed(&commit.body, 60);
    let body = (!commit.body.trim().is_empty())
        .then(|| part::paragraph(body.join("\n"), type_scale::BASE, font::REGULAR, tokens.dim));
    let title = text::clean(&commit.title, 500);
    let content = column![
        part::paragraph(title, type_scale::LARGE, font::SEMIBOLD, tokens.text),
        Column::with_children(facts).spacing(2.0),
    ]
    .push(body)
    .spacing(space::M)
    .padding(space::L);
    page::scrolled(tokens, "log-detail", content)
}

fn since(at_ms: i64, now_ms: u64) -> String {
    ago::since(u64::try_from(at_ms).unwrap_or(0), now_ms)
}

fn lower<'a>(
    tokens: &'static Tokens,
    content: impl Into<Element<'a, Message>>,
) -> Element<'a, Message> {
    let content = container(content)
        .padding(Padding::from([space::S, space::L]))
        .width(Length::Fill)
        .style(move |_| style::surface(tokens.panel));
    column![part::rule(tokens), content].into()
}

//! What the changes of an agent look like.

use std::borrow::Cow;

use iced::widget::{
    Column, Row as Line, Space, column, container, mouse_area, responsive, row, text_input,
};
use iced::{Alignment, Color, Element, Length, Padding, mouse};
use maestro_core::changes::{Body, EntryKind, File, Listing, Source, Status};
use maestro_core::text;
use maestro_ui::code::line_height;
use maestro_ui::diff::{Mark, Row as Drawn, diff};
use maestro_ui::icon::{Icon, icon};
use maestro_ui::theme::{Tokens, extent, radius, space, type_scale};
use maestro_ui::{font, line, part, style};

use super::open::{Item, Opened};
use super::tree::Row;
use super::{Changes, INPUT, Typing, name_of, word};
use crate::window::conversation::Shown;
use crate::window::review::{Look, Message};
use crate::window::{ago, page};

/// From this width on the tree stands beside the lines.
const BESIDE: f32 = 860.0;

/// Width of the tree.
const TREE: f32 = 300.0;

/// By how much a row of the tree is moved to the right for each folder it lies in.
const INDENT: f32 = 14.0;

/// Height of a row of the tree.
const ROW: f32 = 26.0;

/// The longest name that is shown.
const NAME: usize = 300;

impl Changes {
    /// The page.
    pub fn view<'a>(&'a self, look: Look<'a>) -> Element<'a, Message> {
        let tokens = look.tokens;
        let body = match &self.listing {
            None => page::empty(
                tokens,
                Icon::Clock,
                "Looking at the files…",
                "Every file that differs, with the lines that came and went.",
                &[],
            ),
            Some(Err(why)) => page::trouble(tokens, why),
            Some(Ok(listing)) if listing.files.is_empty() => self.nothing(tokens),
            Some(Ok(listing)) => self.body(look, listing),
        };
        let body = container(body).width(Length::Fill).height(Length::Fill);
        column![self.head(look), part::rule(tokens)]
            .push(self.under_way(tokens))
            .push(body)
            .push(self.strip(tokens))
            .into()
    }

    fn nothing<'a>(&'a self, tokens: &'static Tokens) -> Element<'a, Message> {
        let (title, about): (&str, &str) = match &self.source {
            Source::WorkingTree => {
                ("Everything is staged or committed", "No file differs from the index.")
            }
            Source::Staged => ("Nothing is staged", "The index is what the last commit is."),
            Source::Base(_) => {
                ("Nothing is different yet", "The branch has what it came from, and no more.")
            }
            Source::Commit(_) => ("Nothing is different", "This commit changed no file."),
            Source::Task { .. } => ("Nothing is different", "This task changed no file."),
        };
        let keys: &[(&str, &str)] = match &self.source {
            Source::WorkingTree => &[("i", "what is staged"), ("m", "since the branch parted")],
            Source::Staged => &[("w", "what is not staged"), ("m", "since the branch parted")],
            _ => &[("w", "what is not staged"), ("i", "what is staged")],
        };
        page::empty(tokens, Icon::Check, title, about, keys)
    }

    /// The views, and what there is in all.
    fn head<'a>(&'a self, look: Look<'a>) -> Element<'a, Message> {
        let tokens = look.tokens;
        let key = |source: &Source| match source {
            Source::WorkingTree => "w",
            Source::Staged => "i",
            Source::Base(_) => "m",
            Source::Commit(_) | Source::Task { .. } => "",
        };
        let narrow = look.width < 760.0;
        let views = self.sources().into_iter().map(|source| {
            let on = source == self.source;
            let (ink, face) =
                if on { (tokens.text, font::MEDIUM) } else { (tokens.dim, font::REGULAR) };
            let name = match (&source, &self.listing) {
                (Source::Base(None), Some(Ok(listing))) if on => {
                    format!("Since {}", text::clean(&listing.from, 30))
                }
                _ => name_of(&source),
            };
            let mut words = row![line(name, type_scale::SMALL, face, ink)]
                .spacing(space::XS)
                .align_y(Alignment::Center);
            if !key(&source).is_empty() && !narrow {
                words = words.push(line(key(&source), type_scale::TINY, font::MONO, tokens.faint));
            }
            let (fill, edge) = if on {
                (tokens.hover, tokens.strong)
            } else {
                (Color::TRANSPARENT, tokens.border)
            };
            let words = container(words)
                .padding([2.0, space::S])
                .style(move |_| style::bordered(fill, edge, radius::BUTTON));
            mouse_area(words)
                .interaction(mouse::Interaction::Pointer)
                .on_press(Message::Changes(super::Message::Source(source)))
                .into()
        });
        let mut all = Line::new()
            .push(Line::with_children(views).spacing(space::XS))
            .push(Space::new().width(Length::Fill))
            .spacing(space::M)
            .align_y(Alignment::Center);
        if let Some(Ok(listing)) = &self.listing {
            let added: u64 =
                listing.files.iter().filter_map(|file| file.added).map(u64::from).sum();
            let removed: u64 =
                listing.files.iter().filter_map(|file| file.removed).map(u64::from).sum();
            let seen = listing.files.iter().filter(|file| self.is_seen(file)).count();
            let total = listing.total.max(listing.files.len() as u32);
            let mut words = match total {
                1 => "1 file".to_owned(),
                total => format!("{total} files"),
            };
            if seen > 0 {
                words.push_str(&format!(" · {seen} viewed"));
            }
            if self.look.ignore_blanks {
                words.push_str(" · without white space");
            }
            if !narrow {
                let branch = listing.branch.clone().unwrap_or_else(|| "detached".to_owned());
                let branch = text::clean(&branch, 60);
                all = all.push(line(branch, type_scale::SMALL, font::REGULAR, tokens.faint));
            }
            all = all.push(line(words, type_scale::SMALL, font::REGULAR, tokens.dim));
            all = all.push(counts(tokens, Some(added), Some(removed)));
        }
        container(all).padding([6.0, space::L]).width(Length::Fill).into()
    }

    fn under_way<'a>(&'a self, tokens: &'static Tokens) -> Option<Element<'a, Message>> {
        let Some(Ok(listing)) = &self.listing else { return None };
        let what = listing.under_way.as_ref()?;
        let words = format!("A {what} is half done here.");
        let words = line(words, type_scale::SMALL, font::REGULAR, tokens.orange).fill();
        let banner = row![icon(Icon::Warning, 12.0, tokens.orange), words]
            .spacing(space::S)
            .align_y(Alignment::Center);
        Some(container(banner).padding([space::XS, space::L]).width(Length::Fill).into())
    }

    fn body<'a>(&'a self, look: Look<'a>, listing: &'a Listing) -> Element<'a, Message> {
        let tokens = look.tokens;
        let lines = || {
            container(column![self.file_head(look), part::rule(tokens), self.lines(tokens)])
                .width(Length::Fill)
                .height(Length::Fill)
        };
        if look.width >= BESIDE {
            let width = TREE.max(look.width * 0.22).min(420.0);
            let tree = container(self.tree(tokens, listing)).width(width).height(Length::Fill);
            return row![tree, part::upright(tokens), lines()].into();
        }
        if self.deep { lines().into() } else { self.tree(tokens, listing) }
    }

    // Files.

    fn tree<'a>(&'a self, tokens: &'static Tokens, listing: &'a Listing) -> Element<'a, Message> {
        let rows = responsive(move |size| {
            let page = ((size.height / ROW) as usize).max(1);
            self.tree_page.set(page);
            let shown = self.rows.iter().enumerate().skip(self.tree_top).take(page + 1);
            let rows = shown.map(|(at, row)| self.tree_row(tokens, listing, at, row));
            let rows = container(Column::with_children(rows)).height(Length::Fill).clip(true);
            mouse_area(rows)
                .on_scroll(|delta| {
                    Message::Changes(super::Message::Files(page::rows_turned(delta, ROW)))
                })
                .into()
        });
        let more = (listing.total as usize).checked_sub(listing.files.len());
        let more = more.filter(|more| *more > 0).map(|more| {
            let words = format!("{more} more files are not listed");
            container(line(words, type_scale::SMALL, font::REGULAR, tokens.orange))
                .padding([space::XS, space::M])
        });
        column![rows].push(more).height(Length::Fill).into()
    }

    fn tree_row<'a>(
        &'a self,
        tokens: &'static Tokens,
        listing: &'a Listing,
        at: usize,
        row: &'a Row,
    ) -> Element<'a, Message> {
        let marked = at == self.at;
        let press = Message::Changes(super::Message::File(at));
        let content: Element<'a, Message> = match row {
            Row::Folder { name, depth, files, is_folded, .. } => {
                let count = line(files.to_string(), type_scale::TINY, font::REGULAR, tokens.faint);
                let mut content = Line::new()
                    .push(Space::new().width(*depth as f32 * INDENT))
                    .push(line(
                        if *is_folded { "▸" } else { "▾" },
                        type_scale::SMALL,
                        font::MONO,
                        tokens.faint,
                    ))
                    .push(
                        line(text::clean(name, NAME), type_scale::SMALL, font::REGULAR, tokens.dim)
                            .fill(),
                    );
                if *is_folded {
                    content = content.push(count);
                }
                content.spacing(space::XS).align_y(Alignment::Center).into()
            }
            Row::File { at, name, depth } => match listing.files.get(*at) {
                Some(file) => self.file_row(tokens, file, name, *depth, marked),
                None => Space::new().into(),
            },
        };
        page::pressable(tokens, ROW, (marked, !self.deep), content, press)
    }

    fn file_row<'a>(
        &'a self,
        tokens: &'static Tokens,
        file: &'a File,
        name: &'a str,
        depth: usize,
        marked: bool,
    ) -> Element<'a, Message> {
        let seen = self.is_seen(file);
        let (letter, ink) = letter(tokens, file.status);
        let face = if marked { font::MEDIUM } else { font::REGULAR };
        let ink_of_name = if seen { tokens.faint } else { tokens.text };
        let said = self
            .left
            .comments
            .iter()
            .filter(|said| said.file == file.name && said.source == self.source)
            .count();
        let said = (said > 0).then(|| part::pill(tokens, said.to_string(), true));
        let last: Element<'a, Message> = if seen {
            icon(Icon::Check, 12.0, tokens.green)
        } else {
            counts(tokens, file.added.map(u64::from), file.removed.map(u64::from))
        };
        Line::new()
            .push(Space::new().width(depth as f32 * INDENT))
            .push(line(letter, type_scale::SMALL, font::MONO, ink))
            .push(line(text::clean(name, NAME), type_scale::SMALL, face, ink_of_name).fill())
            .push(said)
            .push(last)
            .spacing(space::S)
            .align_y(Alignment::Center)
            .into()
    }

    // Lines.

    fn file_head<'a>(&'a self, look: Look<'a>) -> Element<'a, Message> {
        let tokens = look.tokens;
        let Some(open) = &self.open else { return Space::new().into() };
        let file = &open.file;
        let folder = text::clean(&file.name.folder().shown(), NAME);
        let name = text::clean(&file.name.file().shown(), NAME);
        let mut facts = vec![Cow::Borrowed(word(file.status))];
        if let Some(old) = &file.old_name {
            facts.push(format!("from {}", text::clean(&old.shown(), 120)).into());
        }
        if let Some(mode) = mode(file) {
            facts.push(mode.into());
        }
        if let Some(Ok(info)) = &open.info {
            match info.hunks.len() {
                0 => {}
                1 => facts.push("1 hunk".into()),
                hunks => facts.push(format!("{hunks} hunks").into()),
            }
            if info.is_cut {
                facts.push("too large: the end is not shown".into());
            }
        }
        let low = look.width < 560.0;
        let names = row![
            line(folder, type_scale::SMALL, font::REGULAR, tokens.faint),
            line(name, type_scale::SMALL, font::MEDIUM, tokens.text)
        ]
        .align_y(Alignment::Center);
        let facts = (!low)
            .then(|| line(facts.join(" · "), type_scale::SMALL, font::REGULAR, tokens.dim).fill());
        let position = (open.rows() > 0).then(|| {
            let hunk = open.hunk_of(open.cursor).map_or(0, |hunk| hunk + 1);
            let words = format!("{hunk}/{}", open.hunks().len());
            line(words, type_scale::SMALL, font::REGULAR, tokens.faint)
        });
        let content = Line::new()
            .push(names)
            .push(facts)
            .push(low.then(|| Space::new().width(Length::Fill)))
            .push(position)
            .push(counts(tokens, file.added.map(u64::from), file.removed.map(u64::from)))
            .spacing(space::M)
            .align_y(Alignment::Center);
        container(content).padding([0.0, space::M]).center_y(extent::PANE_HEADER).into()
    }

    fn lines<'a>(&'a self, tokens: &'static Tokens) -> Element<'a, Message> {
        let Some(open) = &self.open else {
            return page::empty(
                tokens,
                Icon::Ring,
                "A folder is marked",
                "The lines of the file that is marked are shown here.",
                &[("↓", "next file")],
            );
        };
        let info = match &open.info {
            None => return Space::new().width(Length::Fill).height(Length::Fill).into(),
            Some(Err(why)) => return page::trouble(tokens, why),
            Some(Ok(info)) => info,
        };
        match info.body {
            Body::Text | Body::Submodule if info.total > 0 => {}
            Body::Binary => return self.binary(tokens, open),
            body => {
                let (title, about) = match body {
                    Body::Same => {
                        ("The lines are the same", "Only its name or its permissions are others.")
                    }
                    _ if self.look.ignore_blanks => {
                        ("Only white space differs", "It is left out; Shift+O shows it.")
                    }
                    _ => ("It has no lines", "The file is empty, or was."),
                };
                return page::empty(tokens, Icon::Ring, title, about, &[]);
            }
        }
        let rows = responsive(move |size| {
            let page = ((size.height / line_height()) as usize).max(1);
            self.page.set(page);
            let rows = self.drawn(open, page + 1);
            let last = open.hunks().last();
            let digits = last.map_or(1, |hunk| {
                (hunk.new + hunk.new_lines).max(hunk.old + hunk.old_lines).to_string().len()
            });
            diff(tokens, rows, digits, open.shift, self.deep)
                .on_press(|at, right| Message::Changes(super::Message::Line(at, right)))
                .on_wheel(|by| Message::Changes(super::Message::Lines(by)))
                .into()
        });
        let background = tokens.terminal.background();
        container(rows)
            .width(Length::Fill)
            .height(Length::Fill)
            .style(move |_| style::surface(background))
            .into()
    }

    /// The rows from the first one that is shown.
    fn drawn(&self, open: &Opened, count: usize) -> Vec<(Drawn, Mark)> {
        let chosen = open.chosen();
        let head = |hunk: usize| {
            let Some(hunk) = open.hunks().get(hunk) else { return String::new() };
            let about = text::clean(&hunk.about, 200);
            let numbers =
                format!("−{},{} +{},{}", hunk.old, hunk.old_lines, hunk.new, hunk.new_lines);
            if about.is_empty() { numbers } else { format!("{numbers}  {about}") }
        };
        let half = |row: usize| {
            let mut half = open.drawn(row)?.clone();
            half.is_noted = self.comment_at(row).is_some();
            Some(half)
        };
        if self.split {
            return open
                .pairs(open.top, count)
                .into_iter()
                .map(|pair| {
                    let mark = if pair.has(open.cursor) {
                        Mark::Cursor
                    } else if chosen.len() > 1
                        && [pair.left, pair.right]
                            .into_iter()
                            .flatten()
                            .any(|row| chosen.contains(&row))
                    {
                        Mark::Chosen
                    } else {
                        Mark::None
                    };
                    let drawn = match pair.head {
                        Some(hunk) => Drawn::Head(head(hunk)),
                        None => match (pair.left.map(half), pair.right.map(half)) {
                            (Some(None), _) | (_, Some(None)) => Drawn::Awaited,
                            (left, right) => {
                                let mut left = left.flatten();
                                // The left column has the numbers of what was.
                                if let Some(left) = &mut left {
                                    left.line.number = left.old;
                                }
                                Drawn::Two(left, right.flatten())
                            }
                        },
                    };
                    (drawn, mark)
                })
                .collect();
        }
        (open.top..(open.top + count).min(open.rows()))
            .map(|row| {
                let drawn = match open.item(row) {
                    Some(Item::Head(hunk)) => Drawn::Head(head(hunk)),
                    _ => half(row).map_or(Drawn::Awaited, Drawn::One),
                };
                let mark = if row == open.cursor {
                    Mark::Cursor
                } else if chosen.len() > 1 && chosen.contains(&row) {
                    Mark::Chosen
                } else {
                    Mark::None
                };
                (drawn, mark)
            })
            .collect()
    }

    fn binary<'a>(&'a self, tokens: &'static Tokens, open: &'a Opened) -> Element<'a, Message> {
        let size = |size: Option<u64>| size.map_or_else(|| "nothing".to_owned(), text::size);
        let is_there = |kind: EntryKind| kind != EntryKind::Nothing;
        let known = self.files().iter().find(|file| file.name == open.file.name);
        let file = known.unwrap_or(&open.file);
        let sides = [("before", &file.before), ("now", &file.after)];
        let pictures = sides.iter().zip(&open.pictures).filter_map(|((name, entry), picture)| {
            let Some(Shown::Here { handle, width, height }) = picture else { return None };
            let image = iced::widget::image(handle.clone())
                .width((*width as f32).min(480.0))
                .height(Length::Shrink);
            let words = format!("{name} · {width} × {height} · {}", size(entry.size));
            let words = line(words, type_scale::SMALL, font::REGULAR, tokens.dim);
            let framed = container(image)
                .padding(space::S)
                .style(move |_| style::bordered(tokens.raised, tokens.border, radius::PANE));
            Some(column![words, framed].spacing(space::S).into())
        });
        let pictures: Vec<Element<'a, Message>> = pictures.collect();
        if !pictures.is_empty() {
            let pictures = Line::with_children(pictures).spacing(space::XL).wrap();
            return container(pictures).padding(space::L).into();
        }
        let about = match (is_there(file.before.kind), is_there(file.after.kind)) {
            (false, true) => format!("It is new and has {}.", size(file.after.size)),
            (true, false) => format!("It had {} and is gone.", size(file.before.size)),
            _ => format!("{} before, {} now.", size(file.before.size), size(file.after.size)),
        };
        page::empty(tokens, Icon::Ring, "No text", &about, &[])
    }

    // The lower edge.

    /// What is asked, typed or said about the line the keyboard is at.
    fn strip<'a>(&'a self, tokens: &'static Tokens) -> Option<Element<'a, Message>> {
        if let Some(confirm) = &self.confirm {
            let words =
                line(text::clean(&confirm.words, 300), type_scale::BASE, font::MEDIUM, tokens.text);
            let after = line(
                "What it was is kept, and z puts it back.",
                type_scale::SMALL,
                font::REGULAR,
                tokens.dim,
            );
            let content = row![
                icon(Icon::Diamond, 12.0, tokens.accent),
                words,
                after.fill(),
                page::hint(tokens, "↵", "discard"),
                page::hint(tokens, "Esc", "leave it")
            ]
            .spacing(space::M)
            .align_y(Alignment::Center);
            return Some(lower(tokens, content, true));
        }
        if let Some(typing) = &self.typing {
            let (label, placeholder, typed) = match typing {
                Typing::Comment(typed) => {
                    ("Comment", "what the agent is to know about this", typed)
                }
                Typing::Base(typed) => {
                    ("Since", "a branch or commit; empty for the one it came from", typed)
                }
            };
            let input = text_input(placeholder, typed)
                .id(INPUT)
                .on_input(Message::Typed)
                .size(type_scale::BASE.0)
                .padding([5.0, 9.0])
                .style(style::input(tokens, false));
            let label = match (typing, &self.open) {
                (Typing::Comment(_), Some(open)) => {
                    let rows = open.chosen().filter(|row| open.line(*row).is_some()).count();
                    if rows > 1 { format!("{label} on {rows} lines") } else { label.to_owned() }
                }
                _ => label.to_owned(),
            };
            let label = line(label, type_scale::BASE, font::MEDIUM, tokens.text);
            let content =
                row![label, maestro_ui::still(input)].spacing(space::M).align_y(Alignment::Center);
            return Some(lower(tokens, content, true));
        }
        let open = self.open.as_ref().filter(|_| self.deep);
        if let Some(at) = open.and_then(|open| self.comment_at(open.cursor)) {
            let said = text::clean(&self.left.comments[at].text, 400);
            let content = row![
                icon(Icon::Dot, 8.0, tokens.accent),
                line(said, type_scale::BASE, font::REGULAR, tokens.text).fill(),
                page::hint(tokens, "↵", "change"),
                page::hint(tokens, "Del", "take back")
            ]
            .spacing(space::S)
            .align_y(Alignment::Center);
            return Some(lower(tokens, content, false));
        }
        let blame =
            self.blame.as_ref().filter(|(row, _)| open.is_some_and(|open| open.cursor == *row));
        if let Some((_, origin)) = blame {
            let commit =
                origin.commit.as_deref().map_or("not committed", |id| text::beginning_of(id, 8));
            let content = row![
                line(commit.to_owned(), type_scale::SMALL, font::MONO, tokens.blue),
                line(text::clean(&origin.title, 200), type_scale::BASE, font::REGULAR, tokens.text)
                    .fill(),
                line(text::clean(&origin.author, 60), type_scale::SMALL, font::REGULAR, tokens.dim),
                line(
                    ago::since(u64::try_from(origin.at_ms).unwrap_or(0), crate::window::now_ms()),
                    type_scale::SMALL,
                    font::REGULAR,
                    tokens.faint
                )
            ]
            .spacing(space::M)
            .align_y(Alignment::Center);
            return Some(lower(tokens, content, false));
        }
        if self.left.comments.is_empty() {
            return None;
        }
        let count = self.left.comments.len();
        let words = if count == 1 {
            "1 comment is kept here until it is sent".to_owned()
        } else {
            format!("{count} comments are kept here until they are sent")
        };
        let content = row![
            icon(Icon::Dot, 8.0, tokens.accent),
            line(words, type_scale::SMALL, font::REGULAR, tokens.dim).fill(),
            page::hint(tokens, "g", "send to the agent")
        ]
        .spacing(space::S)
        .align_y(Alignment::Center);
        Some(lower(tokens, content, false))
    }
}

fn lower<'a>(
    tokens: &'static Tokens,
    content: impl Into<Element<'a, Message>>,
    wants: bool,
) -> Element<'a, Message> {
    let fill = if wants { tokens.accent_background } else { tokens.panel };
    let content = container(content)
        .padding(Padding::from([6.0, space::L]))
        .width(Length::Fill)
        .style(move |_| style::surface(fill));
    column![part::rule(tokens), content].into()
}

/// How many lines came and went.
fn counts<'a>(
    tokens: &'static Tokens,
    added: Option<u64>,
    removed: Option<u64>,
) -> Element<'a, Message> {
    let word = |sign: &str, count: Option<u64>, ink: Color| {
        let count = count.filter(|count| *count > 0)?;
        Some(line(format!("{sign}{count}"), type_scale::SMALL, font::REGULAR, ink))
    };
    Line::new()
        .push(word("+", added, tokens.green))
        .push(word("−", removed, tokens.red))
        .spacing(space::XS)
        .into()
}

fn letter(tokens: &Tokens, status: Status) -> (&'static str, Color) {
    match status {
        Status::Added => ("A", tokens.green),
        Status::Untracked => ("U", tokens.green),
        Status::Deleted => ("D", tokens.red),
        Status::Modified => ("M", tokens.blue),
        Status::Renamed => ("R", tokens.purple),
        Status::Copied => ("C", tokens.purple),
        Status::TypeChanged => ("T", tokens.purple),
        Status::Conflicted => ("!", tokens.orange),
    }
}

/// What changed about a file besides its lines.
fn mode(file: &File) -> Option<&'static str> {
    use EntryKind::{Executable, File as Plain, Link, Submodule};
    match (file.before.kind, file.after.kind) {
        (Plain, Executable) => Some("may be run now"),
        (Executable, Plain) => Some("may not be run any more"),
        (Link, Plain | Executable) => Some("was a link"),
        (Plain | Executable, Link) => Some("is a link now"),
        (_, Submodule) => Some("submodule"),
        _ => None,
    }
}

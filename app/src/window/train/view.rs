//! What the merge train looks like: the plan of the next one, or one that goes.

use std::path::Path;
use std::sync::Arc;

use iced::widget::{Column, Row, Space, column, container, row, text_input};
use iced::{Alignment, Color, Element, Length, Padding};
use maestro_core::command::Id;
use maestro_core::conflict::Fit;
use maestro_core::text;
use maestro_core::train::{Car, CarState, End, How, Loss, State, Train};
use maestro_ui::icon::{Icon, icon};
use maestro_ui::theme::{Tokens, extent, radius, space, type_scale};
use maestro_ui::{code, font, line, part, status, style};

use super::{Confirm, DETAIL, INPUT, LIST, ROW, Typing, Yard};
use crate::window::matrix;
use crate::window::model::Model;
use crate::window::review::{Look, Message};
use crate::window::{ago, page};

/// From this width on the marked branch is told beside the list.
const BESIDE: f32 = 980.0;

/// Lines of a check's output that are shown.
const LINES: usize = 200;

impl Yard {
    /// The page.
    pub fn view<'a>(
        &'a self,
        root: &Path,
        model: &'a Model,
        look: Look<'a>,
    ) -> Element<'a, Message> {
        match (self.train, self.train(model)) {
            (_, Some(train)) => self.going(train, model, look),
            (Some(_), None) => {
                page::trouble(look.tokens, "the host does not know this train any more")
            }
            (None, _) => self.plan(root, model, look),
        }
    }

    fn plan<'a>(&'a self, root: &Path, model: &'a Model, look: Look<'a>) -> Element<'a, Message> {
        let tokens = look.tokens;
        let plan = match &self.plan {
            None => {
                return page::empty(
                    tokens,
                    Icon::Clock,
                    "Looking at the branches…",
                    "The order in which the fewest conflict is found first.",
                    &[],
                );
            }
            Some(Err(why)) if self.choices.is_empty() && self.typing.is_none() => {
                let tell = page::trouble(tokens, why);
                return column![tell, self.settings(root, look)].into();
            }
            Some(plan) => plan,
        };
        if self.choices.is_empty() {
            return page::empty(
                tokens,
                Icon::Ring,
                "There is nothing to bring home",
                "A train takes the branches of worktrees that have commits, or work that is not committed, \
                 which the target does not have.",
                &[("[", "trains before"), ("3", "conflicts"), ("t", "another target")],
            );
        }
        let order = self.choices.iter().filter(|choice| choice.chosen).count();
        let title = match order {
            0 => "No branch is chosen".to_owned(),
            1 => format!("1 branch to {}", text::clean(self.target_name(), 60)),
            count => format!("{count} branches to {}", text::clean(self.target_name(), 60)),
        };
        let looking = (!self.is_planned())
            .then(|| line("looking…", type_scale::SMALL, font::REGULAR, tokens.faint));
        let head = row![line(title, type_scale::LARGE, font::SEMIBOLD, tokens.text).fill()]
            .push(looking)
            .align_y(Alignment::Center)
            .padding(Padding::from([0.0, space::L]).top(space::M).bottom(space::XS));
        let mut number = 0;
        let rows = self.choices.iter().enumerate().map(|(at, choice)| {
            number += u32::from(choice.chosen);
            self.choice(model, look, at, number)
        });
        let list = page::scrolled(tokens, LIST, Column::with_children(rows));
        let obstacles = match plan {
            Ok(plan) => plan.obstacles.clone(),
            Err(why) => vec![why.clone()],
        };
        let wrong = obstacles.into_iter().chain(self.refused.clone());
        let wrong: Vec<_> = wrong.map(|why| obstacle(tokens, &why)).collect();
        let stands = !wrong.is_empty() || order == 0 || self.starting;
        let label = if self.starting { "It goes…" } else { "Let it go" };
        let press = (!stands).then_some(Message::Command(Id::TrainStart));
        let start = row![
            part::action(tokens, label, true, false, press),
            part::chord(tokens, "g"),
            line(self.said(), type_scale::SMALL, font::REGULAR, tokens.dim).fill(),
        ]
        .spacing(space::M)
        .align_y(Alignment::Center)
        .padding([space::S, space::L]);
        let wrong = Column::with_children(wrong).padding([0.0, space::L]).spacing(space::XS);
        column![head, self.settings(root, look), list, wrong, start].into()
    }

    /// In words what is going to happen.
    fn said(&self) -> String {
        let how = match self.how {
            How::Merge => "by a merge commit",
            How::Squash => "as one commit",
            How::Rebase => "rebased",
        };
        let checked = if self.verify.trim().is_empty() { "unchecked" } else { "checked" };
        format!("each {how} in a scratch worktree, {checked}; only then {} moves", {
            let target = self.target_name();
            if target.is_empty() { "the target".to_owned() } else { text::clean(target, 40) }
        })
    }

    /// How it is to go: each with its key.
    fn settings<'a>(&'a self, _: &Path, look: Look<'a>) -> Element<'a, Message> {
        let tokens = look.tokens;
        if let Some((typing, typed)) = &self.typing {
            let (label, placeholder) = match typing {
                Typing::Target => ("To the branch", "main"),
                Typing::Verify => {
                    ("Check each result by", "a command that has to end with 0, such as cargo test")
                }
            };
            let input = text_input(placeholder, typed)
                .id(INPUT)
                .on_input(Message::Typed)
                .size(type_scale::BASE.0)
                .font(if *typing == Typing::Verify { font::MONO } else { font::REGULAR })
                .padding([5.0, 9.0])
                .style(style::input(tokens, false));
            let label = line(label, type_scale::BASE, font::MEDIUM, tokens.text);
            return row![label, maestro_ui::still(input)]
                .spacing(space::M)
                .align_y(Alignment::Center)
                .padding([space::XS, space::L])
                .into();
        }
        let how = match self.how {
            How::Merge => "merge commits",
            How::Squash => "one commit each",
            How::Rebase => "rebased",
        };
        let check = match self.verify.trim() {
            "" => "no check".to_owned(),
            command => text::clean(command, 60),
        };
        let commit = if self.commit { "what is not committed, too" } else { "commits only" };
        let tries = match self.returns {
            0 => "losers stay behind".to_owned(),
            1 => "losers go back once".to_owned(),
            2 => "losers go back twice".to_owned(),
            count => format!("losers go back {count} times"),
        };
        let target = text::clean(self.target_name(), 40);
        let facts = [
            (Id::TrainTarget, "t", format!("to {target}"), true),
            (Id::TrainHow, "m", how.to_owned(), true),
            (Id::TrainVerify, "v", check, !self.verify.trim().is_empty()),
            (Id::TrainCommit, "c", commit.to_owned(), self.commit),
            (Id::TrainReturns, "i", tries, self.returns > 0),
        ];
        let facts = facts.into_iter().map(|(id, key, words, on)| {
            let ink = if on { tokens.text } else { tokens.dim };
            let words = line(words, type_scale::SMALL, font::REGULAR, ink);
            let content =
                row![part::chord(tokens, key), words].spacing(6.0).align_y(Alignment::Center);
            iced::widget::button(content)
                .padding([2.0, 4.0])
                .style(style::row(tokens, false))
                .on_press(Message::Command(id))
                .into()
        });
        container(Row::with_children(facts).spacing(space::S).wrap())
            .padding(Padding::from([0.0, space::M]).bottom(space::S))
            .into()
    }

    fn choice<'a>(
        &'a self,
        model: &'a Model,
        look: Look<'a>,
        at: usize,
        number: u32,
    ) -> Element<'a, Message> {
        let tokens = look.tokens;
        let choice = &self.choices[at];
        let prospect = self.prospect(&choice.branch).filter(|_| choice.chosen);
        let place = if choice.chosen { number.to_string() } else { String::new() };
        let boxed = tick(tokens, choice.chosen);
        let ink = if choice.chosen { tokens.text } else { tokens.dim };
        let name = text::clean(&choice.branch, 100);
        let about = prospect.map_or_else(String::new, |car| {
            let agent = car.agent.and_then(|id| model.agent(id)).map(|agent| agent.name.clone());
            let commits = match car.ahead {
                0 => None,
                1 => Some("1 commit".to_owned()),
                ahead => Some(format!("{ahead} commits")),
            };
            let more = match car.uncommitted {
                0 => None,
                1 => Some("1 file not committed".to_owned()),
                files => Some(format!("{files} files not committed")),
            };
            let facts: Vec<_> = agent.into_iter().chain(commits).chain(more).collect();
            facts.join(" · ")
        });
        let (shape, color, fits) = match prospect {
            None => (Icon::Ring, tokens.faint, String::new()),
            Some(car) => match &car.fit {
                Fit::Conflicts(_) => {
                    let words = format!("conflicts in {}", matrix::word(&car.fit));
                    (Icon::Warning, tokens.orange, words)
                }
                Fit::Unknown(why) => (Icon::DashedRing, tokens.faint, text::clean(why, 200)),
                Fit::Apart | Fit::SameFiles(_) if car.collides.is_empty() => {
                    (Icon::Check, tokens.green, "fits".to_owned())
                }
                Fit::Apart | Fit::SameFiles(_) => {
                    let names = text::clean(&car.collides.join(", "), 200);
                    (Icon::Warning, tokens.orange, format!("fits until {names} is in"))
                }
            },
        };
        let fits = prospect.map(|_| {
            let words = line(fits, type_scale::SMALL, font::REGULAR, color);
            row![icon(shape, 12.0, color), words].spacing(6.0).align_y(Alignment::Center)
        });
        let lines = column![
            line(name, type_scale::BASE, font::MEDIUM, ink).fill(),
            line(about, type_scale::SMALL, font::REGULAR, tokens.dim).fill(),
        ]
        .width(Length::Fill);
        let place = container(line(place, type_scale::SMALL, font::MONO, tokens.faint))
            .width(18.0)
            .align_x(Alignment::End);
        let content =
            row![place, boxed, lines].push(fits).spacing(space::M).align_y(Alignment::Center);
        let marked = (at == self.marked, !self.deep && self.typing.is_none());
        page::pressable(tokens, ROW, marked, content, Message::Train(at))
    }

    fn going<'a>(
        &'a self,
        train: &'a Train,
        model: &'a Model,
        look: Look<'a>,
    ) -> Element<'a, Message> {
        let tokens = look.tokens;
        let is_in = |car: &&Car| matches!(car.state, CarState::Aboard { .. } | CarState::Empty);
        let aboard = train.cars.iter().filter(is_in).count();
        let all = train.cars.len();
        let (words, ink) = state_words(tokens, train);
        let took = train.ended_ms.unwrap_or(look.now_ms).saturating_sub(train.started_ms);
        let target = text::clean(&train.spec.target, 60);
        let head = row![
            line(
                format!("Train {} to {target}", train.id),
                type_scale::LARGE,
                font::SEMIBOLD,
                tokens.text
            ),
            line(words, type_scale::BASE, font::REGULAR, ink).fill(),
            line(
                format!("{aboard} of {all} · {}", ago::took(took)),
                type_scale::SMALL,
                font::REGULAR,
                tokens.dim
            ),
        ]
        .spacing(space::M)
        .align_y(Alignment::Center)
        .padding(Padding::from([0.0, space::L]).top(space::M).bottom(space::S));
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let bar = part::progress(tokens, count(aboard), count(all), tokens.green);
        let bar = container(bar).padding(Padding::from([0.0, space::L]).bottom(space::S));
        let reason = match &train.state {
            State::Stopped(why) => Some(banner(
                tokens,
                Icon::Warning,
                tokens.orange,
                part::sentence(&text::clean(why, 1_000)),
                Some("r goes on when that is done; what is aboard stays."),
            )),
            _ => None,
        };
        let confirm = self.confirm.map(|confirm| self.asked_once_more(tokens, train, confirm));
        let rows = train.cars.iter().enumerate().map(|(at, car)| self.car(model, look, at, car));
        let list = page::scrolled(tokens, LIST, Column::with_children(rows));
        let detail = train.cars.get(self.marked).map(|car| self.detail(train, car, look));
        let body: Element<'a, Message> = if look.width >= BESIDE {
            let list = container(list).width(Length::FillPortion(45)).height(Length::Fill);
            row![list, part::upright(tokens)]
                .push(detail.map(|detail| container(detail).width(Length::FillPortion(55))))
                .into()
        } else if self.deep {
            detail.unwrap_or_else(|| Space::new().into())
        } else {
            list
        };
        let body = container(body).height(Length::Fill);
        column![head, bar].push(reason).push(confirm).push(part::rule(tokens)).push(body).into()
    }

    fn asked_once_more<'a>(
        &self,
        tokens: &'static Tokens,
        train: &Train,
        confirm: Confirm,
    ) -> Element<'a, Message> {
        let target = text::clean(&train.spec.target, 60);
        let (words, after) = match confirm {
            Confirm::Abort(id) => (
                format!("Give train {id} up?"),
                "What is aboard stays in the target; u takes it back afterwards.".to_owned(),
            ),
            Confirm::Undo(id) => (
                format!("Put {target} back to where it was before train {id}?"),
                format!(
                    "Only if nobody built on it. What {target} has now stays in the repository under a \
                     private name."
                ),
            ),
        };
        banner(tokens, Icon::Diamond, tokens.accent, words, Some(&after))
    }

    fn car<'a>(
        &'a self,
        model: &'a Model,
        look: Look<'a>,
        at: usize,
        car: &'a Car,
    ) -> Element<'a, Message> {
        let tokens = look.tokens;
        let (shape, color, words) = car_state(tokens, car);
        let agent = car.agent.and_then(|id| model.agent(id)).map(|agent| agent.name.clone());
        let about = match agent {
            Some(agent) => format!("{agent} · {words}"),
            None => words,
        };
        let lines = column![
            line(text::clean(&car.branch, 100), type_scale::BASE, font::MEDIUM, tokens.text).fill(),
            line(about, type_scale::SMALL, font::REGULAR, tokens.dim).fill(),
        ]
        .width(Length::Fill);
        let pill = (car.returned > 0).then(|| {
            let words = if car.returned == 1 {
                "back once".to_owned()
            } else {
                format!("back {}×", car.returned)
            };
            part::pill(tokens, words, false)
        });
        let glyph = status::glyph(tokens, (shape, color), extent::GLYPH, look.turning);
        let content = row![glyph, lines].push(pill).spacing(space::M).align_y(Alignment::Center);
        page::pressable(tokens, ROW, (at == self.marked, !self.deep), content, Message::Train(at))
    }

    /// Why the marked branch is where it is.
    fn detail<'a>(
        &'a self,
        train: &'a Train,
        car: &'a Car,
        look: Look<'a>,
    ) -> Element<'a, Message> {
        let tokens = look.tokens;
        let mut content = Column::new().spacing(space::M);
        let quiet =
            |words: String| part::paragraph(words, type_scale::BASE, font::REGULAR, tokens.dim);
        let loss = match &car.state {
            CarState::Lost(loss) | CarState::Returning(loss) | CarState::Left(loss) => Some(loss),
            CarState::Returned { loss, .. } => Some(loss),
            _ => None,
        };
        let (_, _, words) = car_state(tokens, car);
        content = content.push(part::paragraph(
            part::sentence(&words),
            type_scale::BASE,
            font::MEDIUM,
            tokens.text,
        ));
        if let CarState::Returned { .. } = &car.state {
            content = content.push(quiet(
                "Its agent was told what is in the way, and works on it in its own worktree. The train goes \
                 on with it when the agent is done. a goes to the agent."
                    .to_owned(),
            ));
        }
        match loss {
            Some(Loss::Conflict(clashes)) => {
                let names = (text::clean(&car.branch, 60), text::clean(&train.spec.target, 60));
                for clash in clashes {
                    content = content.push(matrix::clash_view(tokens, clash, &names));
                }
            }
            Some(Loss::Uncommitted(files)) => {
                for file in files {
                    let name = text::clean(&file.to_string_lossy(), 300);
                    content =
                        content.push(line(name, type_scale::SMALL, font::MONO, tokens.dim).fill());
                }
                content = content.push(quiet(
                    "Commit them there, or let the next train commit them (c).".to_owned(),
                ));
            }
            Some(Loss::Refused(words)) => content = content.push(printed(tokens, words)),
            Some(Loss::Check(_)) | None => {}
        }
        for check in &car.checks {
            let ended = match check.code {
                Some(0) => ("passed", tokens.green),
                Some(_) => ("failed", tokens.red),
                None => ("was ended", tokens.red),
            };
            let head = row![
                line(text::clean(&check.command, 300), type_scale::SMALL, font::MONO, tokens.text)
                    .fill(),
                line(ended.0, type_scale::SMALL, font::MEDIUM, ended.1),
            ]
            .spacing(space::M);
            content = content.push(head);
            if !check.output.trim().is_empty() {
                content = content.push(printed(tokens, &check.output));
            }
        }
        if let CarState::Aboard { commit } = &car.state {
            let short: String = commit.chars().take(10).collect();
            let target = text::clean(&train.spec.target, 60);
            content = content.push(quiet(format!("{target} has it as {short}.")));
        }
        let edge = if self.deep { tokens.accent } else { Color::TRANSPARENT };
        let body = page::scrolled(tokens, DETAIL, container(content).padding(space::L));
        container(body)
            .width(Length::Fill)
            .height(Length::Fill)
            .padding(extent::LINE)
            .style(move |_| style::bordered(tokens.base, edge, 0.0))
            .into()
    }
}

/// A box that is ticked or not.
fn tick<'a>(tokens: &'static Tokens, on: bool) -> Element<'a, Message> {
    let edge = if on { tokens.accent } else { tokens.strong };
    let mark: Element<'a, Message> =
        if on { icon(Icon::Check, 11.0, tokens.accent) } else { Space::new().into() };
    container(mark)
        .center(16.0)
        .style(move |_| style::bordered(Color::TRANSPARENT, edge, radius::CHORD))
        .into()
}

fn obstacle<'a>(tokens: &'static Tokens, why: &str) -> Element<'a, Message> {
    let why = part::sentence(&text::clean(why, 1_000));
    let words = part::paragraph(why, type_scale::BASE, font::REGULAR, tokens.red);
    let mark = container(icon(Icon::Warning, 12.0, tokens.red)).padding(Padding::ZERO.top(4.0));
    row![mark, words].spacing(space::S).into()
}

/// Something that has to be known or answered, across the page.
fn banner<'a>(
    tokens: &'static Tokens,
    shape: Icon,
    ink: Color,
    words: String,
    after: Option<&str>,
) -> Element<'a, Message> {
    let after = after.map(|after| {
        part::paragraph(after.to_owned(), type_scale::SMALL, font::REGULAR, tokens.dim)
    });
    let lines =
        column![part::paragraph(words, type_scale::BASE, font::MEDIUM, tokens.text)].push(after);
    let mark = container(icon(shape, 12.0, ink)).padding(Padding::ZERO.top(4.0));
    let content = container(row![mark, lines].spacing(space::S))
        .padding([space::S, space::M])
        .width(Length::Fill)
        .style(move |_| style::bordered(tokens.accent_background, ink, radius::BUTTON));
    container(content).padding(Padding::from([0.0, space::L]).bottom(space::S)).into()
}

/// The end of what a program printed.
fn printed<'a>(tokens: &'static Tokens, words: &str) -> Element<'a, Message> {
    let (lines, _) = text::printed(words, LINES);
    let lines: Arc<[code::Line]> =
        lines.into_iter().map(|text| code::Line { text, ..Default::default() }).collect();
    page::boxed(tokens, maestro_ui::code(tokens, &lines, 0, false).ink(tokens.dim))
}

fn state_words(tokens: &Tokens, train: &Train) -> (String, Color) {
    match &train.state {
        State::Running => {
            let at = train.cars.iter().find_map(|car| match car.state {
                CarState::Merging => Some("merging"),
                CarState::Verifying { .. } => Some("checking"),
                CarState::Moving { .. } => Some("moving the target"),
                CarState::Returning(_) => Some("telling an agent"),
                CarState::Returned { .. } => Some("an agent resolves"),
                _ => None,
            });
            (at.unwrap_or("going").to_owned(), tokens.blue)
        }
        State::Stopped(_) => ("stands".to_owned(), tokens.orange),
        State::Ended(End::Done) => ("all aboard".to_owned(), tokens.green),
        State::Ended(End::Partly) => ("some stayed behind".to_owned(), tokens.orange),
        State::Ended(End::Aborted) => ("given up".to_owned(), tokens.dim),
        State::Ended(End::Undone) => ("undone".to_owned(), tokens.dim),
    }
}

/// Where a branch is: shape, colour, words.
fn car_state(tokens: &Tokens, car: &Car) -> (Icon, Color, String) {
    let lost = |loss: &Loss| match loss {
        Loss::Conflict(clashes) if clashes.len() == 1 => "conflicts in 1 file".to_owned(),
        Loss::Conflict(clashes) => format!("conflicts in {} files", clashes.len()),
        Loss::Check(_) => "its check fails".to_owned(),
        Loss::Uncommitted(_) => "not all of it is committed".to_owned(),
        Loss::Refused(_) => "git refuses it".to_owned(),
    };
    match &car.state {
        CarState::Waiting => (Icon::Ring, tokens.faint, "waits".to_owned()),
        CarState::Merging => (Icon::Arc(0), tokens.blue, "is being merged".to_owned()),
        CarState::Verifying { .. } => (Icon::Arc(0), tokens.blue, "is being checked".to_owned()),
        CarState::Moving { .. } => (Icon::Arc(0), tokens.blue, "the target moves".to_owned()),
        CarState::Aboard { .. } => (Icon::Check, tokens.green, "aboard".to_owned()),
        CarState::Empty => (Icon::Check, tokens.faint, "the target had all of it".to_owned()),
        CarState::Lost(loss) => {
            let words = format!("{}; goes back when the others are in", lost(loss));
            (Icon::Warning, tokens.orange, words)
        }
        CarState::Returning(loss) => {
            (Icon::Arc(0), tokens.blue, format!("{}; its agent is being told", lost(loss)))
        }
        CarState::Returned { loss, .. } => {
            (Icon::Arc(0), tokens.blue, format!("{}; its agent works on it", lost(loss)))
        }
        CarState::Left(loss) => {
            (Icon::Failed, tokens.red, format!("stayed behind: {}", lost(loss)))
        }
    }
}

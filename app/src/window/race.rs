//! The branches of one task side by side, so that one can be taken.

use std::collections::BTreeMap;
use std::path::Path;

use iced::widget::{Column, column, container, row, text_input};
use iced::{Alignment, Color, Element, Length, Padding};
use maestro_core::command::Id;
use maestro_core::conflict::Matrix;
use maestro_core::race::{Race, Runner};
use maestro_core::text;
use maestro_protocol::message::Command;
use maestro_ui::icon::Icon;
use maestro_ui::theme::{Tokens, extent, space, type_scale};
use maestro_ui::{font, line, part, status, style};

use super::model::Model;
use super::review::{Action, Look, Message, Question, ask};
use super::worktrees::Deed;
use super::{ago, page};

/// The id of the input for the check.
pub const INPUT: &str = "race-input";

/// The id of what scrolls.
const LIST: &str = "race-list";

/// The state.
#[derive(Debug, Default)]
pub struct Track {
    /// The races of the repository by their names, with how many run.
    races: Vec<(String, usize)>,
    /// The one that is looked at.
    name: Option<String>,
    verify: String,
    typing: Option<String>,
    race: Option<Result<Race, String>>,
    asked: u64,
    waiting: bool,
    marked: usize,
}

/// The races among branches: a name, a dash and a number, at least two of them.
fn races(matrix: &Matrix) -> Vec<(String, usize)> {
    let mut found: BTreeMap<&str, usize> = BTreeMap::new();
    for branch in matrix.sides.iter().filter_map(|side| side.branch.as_deref()) {
        let Some((name, digits)) = branch.rsplit_once('-') else { continue };
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        if is_number && !name.is_empty() {
            *found.entry(name).or_default() += 1;
        }
    }
    let runs = found.into_iter().filter(|(_, runners)| *runners > 1);
    runs.map(|(name, runners)| (name.to_owned(), runners)).collect()
}

impl Track {
    /// It is looked at, or the branches changed.
    pub fn opened(&mut self, root: &Path, matrix: Option<&Matrix>) -> Action {
        self.races = matrix.map(races).unwrap_or_default();
        let known = |name: &String| self.races.iter().any(|(race, _)| race == name);
        if !self.name.as_ref().is_some_and(known) {
            self.name = self.races.first().map(|(name, _)| name.clone());
            (self.race, self.marked) = (None, 0);
        }
        // A check takes as long as it takes: with one the race is looked at when that is asked for.
        if self.verify.trim().is_empty() || self.race.is_none() {
            self.read(root)
        } else {
            Action::None
        }
    }

    fn read(&mut self, root: &Path) -> Action {
        let Some(name) = self.name.clone().filter(|_| !self.waiting) else { return Action::None };
        self.asked += 1;
        self.waiting = true;
        let verify = Some(self.verify.trim().to_owned()).filter(|command| !command.is_empty());
        let repository = root.to_owned();
        let command = Command::ReadRace { repository, name, target: None, verify };
        ask(Question::Race(self.asked), command)
    }

    /// The host says how it stands.
    pub fn heard(&mut self, number: u64, race: Result<Race, String>) {
        if number != self.asked {
            return;
        }
        self.waiting = false;
        self.race = Some(race);
        self.marked = self.marked.min(self.runners().len().saturating_sub(1));
    }

    fn runners(&self) -> &[Runner] {
        match &self.race {
            Some(Ok(race)) => &race.runners,
            _ => &[],
        }
    }

    /// The input that is open.
    #[must_use]
    pub fn input(&self) -> Option<&'static str> {
        self.typing.as_ref().map(|_| INPUT)
    }

    /// Something is typed.
    pub fn typed(&mut self, text: String) {
        if let Some(typed) = &mut self.typing {
            *typed = text;
        }
    }

    /// A runner was pressed.
    pub fn pressed(&mut self, at: usize) -> Action {
        self.marked = at;
        Action::None
    }

    /// The race that is looked at: its name, and the branch it is held against.
    #[must_use]
    pub fn known(&self) -> Option<(&str, &str)> {
        match &self.race {
            Some(Ok(race)) => Some((&race.name, &race.target)),
            _ => None,
        }
    }

    /// All but the marked runner go into the trash, after asking.
    pub fn others(&self) -> Action {
        let others = self.runners().iter().enumerate().filter(|(at, _)| *at != self.marked);
        let others: Vec<_> = others.map(|(_, runner)| runner.directory.clone()).collect();
        if others.is_empty() {
            return Action::Tell("There are no others.".to_owned());
        }
        Action::Worktree(Deed::Remove(others))
    }

    /// The marked runner.
    #[must_use]
    pub fn marked(&self) -> Option<&Runner> {
        self.runners().get(self.marked)
    }

    fn step(&mut self, by: isize) -> Action {
        let last = self.runners().len().saturating_sub(1);
        self.marked = self.marked.saturating_add_signed(by).min(last);
        Action::Scroll(LIST, 0.0, self.marked as f32 * extent::AGENT_ROW)
    }

    /// Does a command.
    pub fn command(&mut self, id: Id, root: &Path, matrix: Option<&Matrix>) -> Action {
        if self.typing.is_some() {
            return match id {
                Id::OverlayAccept => {
                    self.verify = self.typing.take().unwrap_or_default();
                    (self.race, self.waiting) = (None, false);
                    self.read(root)
                }
                Id::OverlayCancel => {
                    self.typing = None;
                    Action::None
                }
                _ => Action::None,
            };
        }
        match id {
            Id::ReviewUp => self.step(-1),
            Id::ReviewDown => self.step(1),
            Id::ReviewFirst | Id::ReviewPageUp => self.step(isize::MIN / 2),
            Id::ReviewLast | Id::ReviewPageDown => self.step(isize::MAX / 2),
            Id::RaceVerify => {
                self.typing = Some(self.verify.clone());
                Action::None
            }
            Id::RaceNext => {
                let here = self.races.iter().position(|(name, _)| Some(name) == self.name.as_ref());
                let next = here.map_or(0, |at| (at + 1) % self.races.len().max(1));
                self.name = self.races.get(next).map(|(name, _)| name.clone());
                (self.race, self.marked, self.waiting) = (None, 0, false);
                self.read(root)
            }
            Id::ReviewRefresh => {
                let _ = matrix;
                self.read(root)
            }
            Id::ReviewAgent | Id::ReviewAccept => match self.marked().and_then(|one| one.agent) {
                Some(agent) => Action::Go(agent),
                None => Action::Tell("No agent works there.".to_owned()),
            },
            Id::ReviewLeave => Action::Close,
            _ => Action::None,
        }
    }

    /// The keys that mean something.
    #[must_use]
    pub fn keys(&self) -> Vec<(&'static str, &'static str)> {
        if self.typing.is_some() {
            return vec![("↵", "run it in each"), ("Esc", "as before")];
        }
        let mut keys = vec![("↑↓", "runner"), ("v", "check by"), ("F5", "look again")];
        keys.extend((self.races.len() > 1).then_some(("n", "another race")));
        if self.marked().is_some() {
            keys.extend([("t", "take it"), ("d", "its changes, to take parts")]);
        }
        keys.extend((self.runners().len() > 1).then_some(("x", "the others to the trash")));
        keys.extend([("a", "go to the agent"), ("Esc", "back")]);
        keys
    }

    /// The page.
    pub fn view<'a>(&'a self, model: &'a Model, look: Look<'a>) -> Element<'a, Message> {
        let tokens = look.tokens;
        let Some(name) = &self.name else {
            return page::empty(
                tokens,
                Icon::Panes,
                "There is no race here",
                "A race is one task given to several agents, each in a worktree whose branch is the same \
                 name with a number: fix-1, fix-2, fix-3. They stand here side by side.",
                &[("Ctrl N", "new agent"), ("3", "conflicts")],
            );
        };
        let race = match &self.race {
            None => {
                return page::empty(
                    tokens,
                    Icon::Clock,
                    &format!("Looking at {}…", text::clean(name, 60)),
                    "What each changed, what it cost, and whether the check succeeds there.",
                    &[],
                );
            }
            Some(Err(why)) => return page::trouble(tokens, why),
            Some(Ok(race)) => race,
        };
        let check: Element<'a, Message> = match &self.typing {
            Some(typed) => {
                let input =
                    text_input("a command that has to end with 0, such as cargo test", typed)
                        .id(INPUT)
                        .on_input(Message::Typed)
                        .size(type_scale::BASE.0)
                        .font(font::MONO)
                        .padding([5.0, 9.0])
                        .style(style::input(tokens, false));
                maestro_ui::still(input)
            }
            None => {
                let words = match self.verify.trim() {
                    "" => "not checked: v runs a command in each".to_owned(),
                    command => format!("checked by {}", text::clean(command, 80)),
                };
                line(words, type_scale::SMALL, font::REGULAR, tokens.dim).fill().into()
            }
        };
        let waiting =
            self.waiting.then(|| line("looking…", type_scale::SMALL, font::REGULAR, tokens.faint));
        let title = format!("{} to {}", text::clean(&race.name, 60), text::clean(&race.target, 60));
        let head = row![line(title, type_scale::LARGE, font::SEMIBOLD, tokens.text), check]
            .push(waiting)
            .spacing(space::M)
            .align_y(Alignment::Center)
            .padding(Padding::from([0.0, space::L]).top(space::M).bottom(space::S));
        let wide = look.width >= 760.0;
        let best = best(&race.runners);
        let rows = race
            .runners
            .iter()
            .enumerate()
            .map(|(at, runner)| self.runner(model, look, wide, (at, runner), best == Some(at)));
        let list = page::scrolled(tokens, LIST, Column::with_children(rows));
        column![head, header(tokens, wide), part::rule(tokens), list].into()
    }

    fn runner<'a>(
        &'a self,
        model: &'a Model,
        look: Look<'a>,
        wide: bool,
        (at, runner): (usize, &'a Runner),
        best: bool,
    ) -> Element<'a, Message> {
        let tokens = look.tokens;
        let agent = runner.agent.and_then(|id| model.agent(id));
        let shape = match (&runner.problem, runner.is_busy, agent) {
            (Some(_), ..) => (Icon::Warning, tokens.red),
            (None, true, _) => (Icon::Arc(0), tokens.blue),
            (None, false, Some(agent)) => status::of_agent(tokens, agent.attention.state),
            (None, false, None) => (Icon::Ring, tokens.faint),
        };
        let about = match (&runner.problem, agent) {
            (Some(why), _) => text::clean(why, 200),
            (None, Some(agent)) if runner.is_busy => format!("{} works on it", agent.name),
            (None, Some(agent)) => format!("{} · {}", agent.name, agent.provider.title()),
            (None, None) => text::clean(&runner.directory.to_string_lossy(), 200),
        };
        let lines = column![
            line(text::clean(&runner.branch, 100), type_scale::BASE, font::MEDIUM, tokens.text)
                .fill(),
            line(about, type_scale::SMALL, font::REGULAR, tokens.dim).fill(),
        ]
        .width(Length::Fill);
        let (verified, ink) = match &runner.check {
            None => ("—".to_owned(), tokens.faint),
            Some(check) => match check.code {
                Some(0) => ("passed".to_owned(), tokens.green),
                Some(code) => (format!("failed ({code})"), tokens.red),
                None => ("was ended".to_owned(), tokens.red),
            },
        };
        let cost = runner.cost.map_or_else(|| "—".to_owned(), |cost| format!("${cost:.2}"));
        let worked = runner.worked_ms.map_or_else(|| "—".to_owned(), ago::took);
        let mut cells = row![status::glyph(tokens, shape, extent::GLYPH, look.turning), lines]
            .spacing(space::M)
            .align_y(Alignment::Center);
        cells = cells.push(best.then(|| part::pill(tokens, "smallest that passes", true)));
        cells = cells.push(cell(verified, 84.0, ink, true));
        cells = cells.push(cell(format!("+{}", runner.added), 60.0, tokens.green, true));
        cells = cells.push(cell(format!("−{}", runner.removed), 60.0, tokens.red, true));
        cells = cells.push(cell(runner.files.to_string(), 48.0, tokens.dim, wide));
        cells = cells.push(cell(runner.commits.to_string(), 64.0, tokens.dim, wide));
        cells = cells.push(cell(cost, 64.0, tokens.dim, wide));
        cells = cells.push(cell(worked, 84.0, tokens.dim, wide));
        let marked = (at == self.marked, self.typing.is_none());
        page::pressable(tokens, extent::AGENT_ROW, marked, cells, Message::Race(at))
    }
}

/// The runner whose check succeeded with the fewest changed lines, where checks were run.
fn best(runners: &[Runner]) -> Option<usize> {
    let passed = |runner: &Runner| {
        runner.check.as_ref().is_some_and(|check| check.code == Some(0)) && runner.files > 0
    };
    let found = runners.iter().enumerate().filter(|(_, runner)| passed(runner));
    found.min_by_key(|(_, runner)| runner.added.saturating_add(runner.removed)).map(|(at, _)| at)
}

fn cell<'a>(words: String, width: f32, ink: Color, shown: bool) -> Option<Element<'a, Message>> {
    shown.then(|| {
        container(line(words, type_scale::SMALL, font::REGULAR, ink))
            .width(width)
            .align_x(Alignment::End)
            .into()
    })
}

fn header<'a>(tokens: &'static Tokens, wide: bool) -> Element<'a, Message> {
    let head = |words: &str, width, shown| cell(words.to_owned(), width, tokens.faint, shown);
    let mut cells = row![line("", type_scale::SMALL, font::REGULAR, tokens.faint).fill()]
        .spacing(space::M)
        .padding(Padding::from([0.0, space::M]).bottom(space::XS));
    for (words, width, shown) in [
        ("check", 84.0, true),
        ("added", 60.0, true),
        ("removed", 60.0, true),
        ("files", 48.0, wide),
        ("commits", 64.0, wide),
        ("cost", 64.0, wide),
        ("worked", 84.0, wide),
    ] {
        cells = cells.push(head(words, width, shown));
    }
    cells.into()
}

#[cfg(test)]
mod tests {
    use maestro_core::conflict::Side;
    use maestro_core::train::Check;

    use super::*;

    fn runner(added: u32, code: Option<i32>) -> Runner {
        Runner {
            branch: "fix-1".to_owned(),
            directory: "/r".into(),
            agent: None,
            is_busy: false,
            commits: 1,
            files: u32::from(added > 0),
            added,
            removed: 0,
            cost: None,
            worked_ms: None,
            check: Some(Check { command: "t".to_owned(), code, output: String::new() }),
            problem: None,
        }
    }

    #[test]
    fn races_are_found_among_branches() {
        let side = |branch: &str| Side {
            directory: branch.into(),
            branch: Some(branch.to_owned()),
            head: None,
            is_dirty: false,
            touched: 0,
            problem: None,
        };
        let names =
            ["main", "fix-1", "fix-2", "alone-1", "feat/x-10", "feat/x-2", "v-a", "-1", "-2"];
        let matrix = Matrix { sides: names.map(side).to_vec(), ..Matrix::default() };
        assert_eq!(races(&matrix), [("feat/x".to_owned(), 2), ("fix".to_owned(), 2)]);
    }

    #[test]
    fn the_smallest_that_passes_is_pointed_out() {
        let all = [
            runner(9, Some(0)),
            runner(3, Some(1)),
            runner(5, Some(0)),
            runner(0, Some(0)),
            runner(1, None),
        ];
        assert_eq!(best(&all), Some(2));
        assert_eq!(best(&all[1..2]), None);
    }
}

//! How the live branches of a repository fit together: every pair, what is not committed included.

mod view;

pub use view::clash_view;

use std::path::PathBuf;

use maestro_core::AgentId;
use maestro_core::command::Id;
use maestro_core::conflict::{self, Clash, Fit, Side};
use maestro_protocol::message::{Against, Command};

use super::model::Model;
use super::review::{Action, Place, Question, ask};

/// Ids of what scrolls.
pub const GRID: &str = "matrix-grid";
/// See [`GRID`].
pub const DETAIL: &str = "matrix-detail";

/// Two worktrees by their directories; without the second one, a worktree and the target.
pub type Pair = (PathBuf, Option<PathBuf>);

/// The state.
#[derive(Debug, Default)]
pub struct Matrix {
    known: Option<Result<conflict::Matrix, String>>,
    heard_ms: u64,
    /// The worktree it was opened at, until it is seen.
    wanted: Option<PathBuf>,
    /// The marked pair: places among [`Matrix::rows`]; the column after the last one is the target.
    at: (usize, usize),
    /// Whether what the pair conflicts in has the keyboard.
    deep: bool,
    clashes: Option<(Pair, Result<Vec<Clash>, String>)>,
    /// The pair that the host was asked about last and did not answer for yet.
    asked: Option<Pair>,
}

/// What was pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Message {
    /// A pair, by row and column.
    Cell(usize, usize),
    /// The agent of a row.
    Agent(AgentId),
}

impl Matrix {
    /// It is looked at: the marked pair is one of the place's worktree.
    pub fn opened(&mut self, place: &Place) {
        self.wanted = Some(place.directory.clone());
        self.deep = false;
        self.settle();
    }

    /// What is known.
    #[must_use]
    pub fn known(&self) -> Option<&conflict::Matrix> {
        self.known.as_ref()?.as_ref().ok()
    }

    /// The host says how they fit.
    pub fn heard(&mut self, matrix: Result<conflict::Matrix, String>, now_ms: u64) -> Action {
        let marked = self.pair();
        // A question that fails once does not take away what was seen.
        if matrix.is_err() && self.known().is_some() {
            return Action::Problem(matrix.err().unwrap_or_default());
        }
        self.known = Some(matrix);
        self.heard_ms = now_ms;
        // The mark stays with its worktrees, wherever they are now.
        if let Some((row, column)) = marked.and_then(|pair| self.place_of(&pair)) {
            self.at = (row, column);
        }
        self.settle();
        // The places of a conflict may be others than before.
        self.clashes = None;
        self.look()
    }

    /// The host says where a pair conflicts.
    pub fn answered(&mut self, pair: Pair, clashes: Result<Vec<Clash>, String>) -> Action {
        if self.asked.as_ref() == Some(&pair) {
            self.asked = None;
        }
        self.clashes = Some((pair, clashes));
        self.look()
    }

    /// The worktrees that are shown: not the target's own checkout while it has nothing but the target.
    #[must_use]
    pub fn rows(&self) -> Vec<u32> {
        let Some(known) = self.known() else { return Vec::new() };
        let is_target =
            |side: &Side| side.branch.is_some() && side.branch == known.target && !side.is_dirty;
        let shown = |(at, side): (usize, &Side)| {
            (!is_target(side)).then(|| u32::try_from(at).ok()).flatten()
        };
        known.sides.iter().enumerate().filter_map(shown).collect()
    }

    /// Whether there is a column for the target.
    fn has_target(&self) -> bool {
        self.known().is_some_and(|known| known.target.is_some())
    }

    /// The columns: one for each row, and one for the target.
    fn columns(&self) -> usize {
        self.rows().len() + usize::from(self.has_target())
    }

    fn side(&self, row: usize) -> Option<&Side> {
        let at = *self.rows().get(row)?;
        self.known()?.sides.get(at as usize)
    }

    /// How a pair fits.
    fn fit(&self, row: usize, column: usize) -> Option<&Fit> {
        let rows = self.rows();
        let (a, b) = (*rows.get(row)?, rows.get(column).copied());
        Some(&self.known()?.cell(a, b)?.fit)
    }

    fn pair_at(&self, row: usize, column: usize) -> Option<Pair> {
        let one = self.side(row)?.directory.clone();
        let other = self.side(column).map(|side| side.directory.clone());
        Some((one, other))
    }

    /// The marked pair.
    #[must_use]
    pub fn pair(&self) -> Option<Pair> {
        self.pair_at(self.at.0, self.at.1)
    }

    fn place_of(&self, (one, other): &Pair) -> Option<(usize, usize)> {
        let rows = self.rows();
        let sides = &self.known()?.sides;
        let find = |directory: &PathBuf| {
            rows.iter().position(|at| sides[*at as usize].directory == *directory)
        };
        let row = find(one)?;
        match other {
            None => Some((row, rows.len())),
            Some(other) => {
                let column = find(other)?;
                Some((row.min(column), row.max(column)))
            }
        }
    }

    /// Whether there is a pair in a place: above the diagonal, or with the target.
    fn is_pair(&self, row: usize, column: usize) -> bool {
        row < self.rows().len() && column > row && column < self.columns()
    }

    fn settle(&mut self) {
        let rows = self.rows().len();
        if rows == 0 {
            return;
        }
        if let Some(wanted) = self.wanted.take() {
            let own = (0..rows).find(|row| {
                self.side(*row).is_some_and(|side| wanted.starts_with(&side.directory))
            });
            if let Some(own) = own {
                // Rather one of its conflicts than any of its pairs.
                let pairs = self.pairs();
                let of_it = |(row, column): &&(usize, usize)| *row == own || *column == own;
                let clash = pairs.iter().filter(of_it).find(|(row, column)| {
                    matches!(self.fit(*row, *column), Some(Fit::Conflicts(_)))
                });
                let first = || pairs.iter().find(of_it);
                self.at = clash.or_else(first).copied().unwrap_or(self.at);
            }
        }
        if !self.is_pair(self.at.0, self.at.1) {
            let row = self.at.0.min(rows - 1);
            let last = self.columns().saturating_sub(1);
            self.at = (row, self.at.1.clamp((row + 1).min(last), last));
        }
        if !self.is_pair(self.at.0, self.at.1) {
            self.at = (0, 1);
        }
        self.deep &= matches!(self.marked(), Some(Fit::Conflicts(_)));
    }

    /// All pairs, row by row.
    fn pairs(&self) -> Vec<(usize, usize)> {
        let (rows, columns) = (self.rows().len(), self.columns());
        (0..rows).flat_map(|row| (row + 1..columns).map(move |column| (row, column))).collect()
    }

    /// How the marked pair fits.
    fn marked(&self) -> Option<&Fit> {
        self.fit(self.at.0, self.at.1)
    }

    /// Asks where the marked pair conflicts, one question at a time.
    fn look(&mut self) -> Action {
        let conflicts = matches!(self.marked(), Some(Fit::Conflicts(_)));
        let Some(pair) = self.pair().filter(|_| conflicts && self.asked.is_none()) else {
            return Action::None;
        };
        if self.clashes.as_ref().is_some_and(|(known, _)| *known == pair) {
            return Action::None;
        }
        let Some(known) = self.known() else { return Action::None };
        let other = match (&pair.1, &known.target) {
            (Some(directory), _) => Against::Worktree(directory.clone()),
            (None, Some(target)) => Against::Revision(target.clone()),
            (None, None) => return Action::None,
        };
        let one = pair.0.clone();
        self.asked = Some(pair.clone());
        ask(Question::Clashes(pair), Command::ReadClashes { one, other })
    }

    fn mark(&mut self, row: usize, column: usize) -> Action {
        self.at = (row, column);
        self.deep = false;
        let sight = Action::Scroll(GRID, column as f32 * 100.0, row as f32 * 40.0);
        Action::All(vec![sight, Action::Scroll(DETAIL, 0.0, 0.0), self.look()])
    }

    fn step(&mut self, down: isize, right: isize) -> Action {
        let (rows, last) = (self.rows().len(), self.columns().saturating_sub(1));
        if rows == 0 {
            return Action::None;
        }
        let (row, column) = self.at;
        let row = row.saturating_add_signed(down).min(rows - 1);
        let column = column.saturating_add_signed(right).clamp((row + 1).min(last), last);
        if !self.is_pair(row, column) {
            return Action::None;
        }
        self.mark(row, column)
    }

    /// Marks the next pair that conflicts, round and round.
    fn next(&mut self, forward: bool) -> Action {
        let mut pairs = self.pairs();
        if !forward {
            pairs.reverse();
        }
        let here = pairs.iter().position(|pair| *pair == self.at).map_or(0, |at| at + 1);
        let next = pairs
            .iter()
            .cycle()
            .skip(here)
            .take(pairs.len())
            .find(|(row, column)| matches!(self.fit(*row, *column), Some(Fit::Conflicts(_))));
        match next.copied() {
            Some((row, column)) => self.mark(row, column),
            None => Action::Tell("Nothing conflicts.".to_owned()),
        }
    }

    /// Does a command.
    pub fn command(&mut self, id: Id, model: &Model) -> Action {
        if self.deep {
            let by = match id {
                Id::ReviewUp => -40.0,
                Id::ReviewDown => 40.0,
                Id::ReviewPageUp => -320.0,
                Id::ReviewPageDown => 320.0,
                Id::ReviewFirst => -1e6,
                Id::ReviewLast => 1e6,
                _ => 0.0,
            };
            if by != 0.0 {
                return Action::Move(DETAIL, by);
            }
        }
        match id {
            Id::ReviewUp => self.step(-1, 0),
            Id::ReviewDown => self.step(1, 0),
            Id::ReviewLeft => self.step(0, -1),
            Id::ReviewRight => self.step(0, 1),
            Id::ReviewPageUp | Id::ReviewFirst => self.step(isize::MIN / 2, 0),
            Id::ReviewPageDown | Id::ReviewLast => self.step(isize::MAX / 2, 0),
            Id::MatrixNext => self.next(true),
            Id::MatrixPrevious => self.next(false),
            Id::ReviewAccept => {
                self.deep = matches!(self.marked(), Some(Fit::Conflicts(_)));
                self.look()
            }
            Id::ReviewPart => {
                self.deep = !self.deep && matches!(self.marked(), Some(Fit::Conflicts(_)));
                Action::None
            }
            Id::ReviewAgent => match self.agent(model) {
                Some(agent) => Action::Go(agent),
                None => Action::Tell("No agent works there.".to_owned()),
            },
            Id::ReviewLeave if self.deep => {
                self.deep = false;
                Action::None
            }
            Id::ReviewLeave => Action::Close,
            _ => Action::None,
        }
    }

    /// The worktree of the marked row.
    #[must_use]
    pub fn row_place(&self, model: &Model) -> Option<Place> {
        let side = self.side(self.at.0)?;
        Some(super::review::place_at(&side.directory, model))
    }

    /// The agent that works on the marked row.
    fn agent(&self, model: &Model) -> Option<AgentId> {
        let side = self.side(self.at.0)?;
        agent_of(model, side).map(|agent| agent.id)
    }

    /// Takes in what was pressed.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::Cell(row, column) if self.at == (row, column) => {
                self.deep = matches!(self.marked(), Some(Fit::Conflicts(_)));
                self.look()
            }
            Message::Cell(row, column) if self.is_pair(row, column) => self.mark(row, column),
            Message::Cell(..) => Action::None,
            Message::Agent(agent) => Action::Go(agent),
        }
    }

    /// The keys that mean something.
    #[must_use]
    pub fn keys(&self) -> Vec<(&'static str, &'static str)> {
        if self.deep {
            return vec![("↑↓", "read"), ("Esc", "back to the pairs")];
        }
        let mut keys = vec![("↑↓←→", "pair")];
        if self.known().is_some_and(|known| {
            known.cells.iter().any(|cell| matches!(cell.fit, Fit::Conflicts(_)))
        }) {
            keys.extend([("n", "next conflict"), ("↵", "where they conflict")]);
        }
        keys.extend([
            ("d", "its changes"),
            ("a", "go to the agent"),
            ("4", "merge train"),
            ("Esc", "back"),
        ]);
        keys
    }
}

/// The agent that works in a worktree: the first one in its root, or below it.
#[must_use]
pub fn agent_of<'a>(model: &'a Model, side: &Side) -> Option<&'a maestro_core::agent::Agent> {
    let root = model.agents.iter().find(|agent| agent.directory == side.directory);
    root.or_else(|| model.agents.iter().find(|agent| agent.directory.starts_with(&side.directory)))
}

/// How a pair fits, in one word or two.
#[must_use]
pub fn word(fit: &Fit) -> String {
    let files = |count: usize| if count == 1 { "file" } else { "files" };
    match fit {
        Fit::Apart => "clean".to_owned(),
        Fit::SameFiles(same) => format!("same {}", same.len()),
        Fit::Conflicts(clash) if clash.len() >= conflict::MAX_FILES => {
            format!("{}+ files", conflict::MAX_FILES)
        }
        Fit::Conflicts(clash) => format!("{} {}", clash.len(), files(clash.len())),
        Fit::Unknown(_) => "unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::scene;
    use super::*;

    fn matrix() -> Matrix {
        let mut matrix = Matrix::default();
        let _ = matrix.heard(Ok(scene::matrix()), 0);
        matrix
    }

    fn place(directory: &str) -> Place {
        let repository = Some(PathBuf::from("/home/ada/shop"));
        Place { agent: None, directory: directory.into(), repository }
    }

    #[test]
    fn the_mark_stays_above_the_diagonal() {
        let mut matrix = matrix();
        let model = Model::default();
        let (rows, columns) = (matrix.rows().len(), matrix.columns());
        assert_eq!(columns, rows + 1, "one for the target");
        for id in [
            Id::ReviewLeft,
            Id::ReviewUp,
            Id::ReviewDown,
            Id::ReviewDown,
            Id::ReviewRight,
            Id::ReviewLast,
            Id::ReviewLeft,
            Id::ReviewDown,
            Id::ReviewFirst,
            Id::MatrixNext,
            Id::MatrixPrevious,
        ] {
            for _ in 0..9 {
                let _ = matrix.command(id, &model);
                assert!(matrix.is_pair(matrix.at.0, matrix.at.1), "{id} {:?}", matrix.at);
                assert!(matrix.marked().is_some(), "{id} {:?}", matrix.at);
            }
        }
    }

    #[test]
    fn it_opens_at_a_conflict_of_the_agent() {
        let mut matrix = matrix();
        matrix.opened(&place("/home/ada/shop-worktrees/e2e"));
        let (one, other) = matrix.pair().expect("a pair");
        let own = PathBuf::from("/home/ada/shop-worktrees/e2e");
        assert!(one == own || other.as_ref() == Some(&own));
        assert!(matches!(matrix.marked(), Some(Fit::Conflicts(_))));
    }

    #[test]
    fn the_mark_stays_with_its_worktrees() {
        let mut matrix = matrix();
        matrix.opened(&place("/home/ada/shop-worktrees/e2e"));
        let before = matrix.pair();
        let mut fewer = scene::matrix();
        // The first worktree is gone: every number is another one.
        let gone = fewer.sides.remove(1);
        assert!(before.as_ref().is_some_and(|(one, _)| *one != gone.directory));
        fewer.cells.retain(|cell| cell.a != 1 && cell.b != Some(1));
        for cell in &mut fewer.cells {
            let down = |at: u32| if at > 1 { at - 1 } else { at };
            (cell.a, cell.b) = (down(cell.a), cell.b.map(down));
        }
        let _ = matrix.heard(Ok(fewer), 1);
        assert_eq!(matrix.pair(), before);
    }

    #[test]
    fn one_question_is_asked_at_a_time() {
        let mut matrix = matrix();
        let model = Model::default();
        matrix.asked = None;
        matrix.opened(&place("/home/ada/shop-worktrees/e2e"));
        let first = matrix.look();
        assert!(matches!(first, Action::Ask(Question::Clashes(_), _)), "{first:?}");
        assert_eq!(matrix.look(), Action::None);
        let asked = matrix.asked.clone().expect("a question");
        let _ = matrix.command(Id::MatrixNext, &model);
        let next = matrix.answered(asked, Ok(Vec::new()));
        assert!(
            matches!(next, Action::Ask(Question::Clashes(_), _)),
            "the pair that is marked now"
        );
    }

    #[test]
    fn every_fit_has_its_word() {
        for (fit, expected) in [
            (Fit::Apart, "clean"),
            (Fit::SameFiles(vec!["a".into(), "b".into()]), "same 2"),
            (Fit::Conflicts(vec!["a".into()]), "1 file"),
            (Fit::Conflicts(vec!["a".into(), "b".into()]), "2 files"),
            (Fit::Conflicts(vec!["a".into(); 100]), "100+ files"),
            (Fit::Unknown("why".into()), "unknown"),
        ] {
            assert_eq!(word(&fit), expected);
        }
    }
}

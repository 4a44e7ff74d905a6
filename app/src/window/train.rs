//! The merge train: which branches come home, in which order, and how those that go are getting on.

mod view;

use std::path::Path;

use maestro_core::TrainId;
use maestro_core::command::Id;
use maestro_core::conflict::Matrix;
use maestro_core::train::{Ask, CarState, How, Plan, Prospect, Spec, State, Train};
use maestro_protocol::message::Command;

use super::model::Model;
use super::review::{Action, Question, ask};

/// The id of the input for what is typed.
pub const INPUT: &str = "train-input";

/// Ids of what scrolls.
pub const LIST: &str = "train-list";
/// See [`LIST`].
pub const DETAIL: &str = "train-detail";

/// Height of a branch's row.
pub const ROW: f32 = 44.0;

/// How long a check may take, in seconds, as on the command line.
const LIMIT_S: u64 = 1800;

/// How often a loser may go back at most, where keys choose.
const MOST_RETURNS: u32 = 5;

/// What is being typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Typing {
    Target,
    Verify,
}

/// What is asked once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirm {
    /// Whether to give a train up.
    Abort(TrainId),
    /// Whether to put the target back.
    Undo(TrainId),
}

/// A branch that could go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choice {
    branch: String,
    chosen: bool,
}

/// The state: the plan of the next train, or a train that is looked at.
#[derive(Debug)]
pub struct Yard {
    /// The train that is looked at; without one, the plan of the next.
    train: Option<TrainId>,
    /// The branches in their order.
    choices: Vec<Choice>,
    /// Where everything goes; the main checkout's branch when empty.
    target: String,
    how: How,
    verify: String,
    commit: bool,
    returns: u32,
    plan: Option<Result<Plan, String>>,
    /// The number of the last question for a plan, and whether it was answered.
    asked: (u64, bool),
    /// Whether something was changed since.
    stale: bool,
    /// Whether the order is to be suggested by the answer.
    suggest: bool,
    marked: usize,
    /// Whether the detail of the marked branch has the keyboard.
    deep: bool,
    typing: Option<(Typing, String)>,
    /// What is asked once more.
    pub confirm: Option<Confirm>,
    /// Whether it is just being started.
    starting: bool,
    /// Why it was refused.
    refused: Option<String>,
}

impl Default for Yard {
    fn default() -> Self {
        Self {
            train: None,
            choices: Vec::new(),
            target: String::new(),
            how: How::Merge,
            verify: String::new(),
            commit: false,
            returns: 2,
            plan: None,
            asked: (0, true),
            stale: false,
            suggest: true,
            marked: 0,
            deep: false,
            typing: None,
            confirm: None,
            starting: false,
            refused: None,
        }
    }
}

/// The trains of a repository, the oldest first.
fn trains<'a>(model: &'a Model, root: &Path) -> Vec<&'a Train> {
    let mut trains: Vec<_> =
        model.trains.values().filter(|train| train.spec.repository == root).collect();
    trains.sort_by_key(|train| train.id);
    trains
}

impl Yard {
    /// It is looked at: the train that goes, or what the next one would do.
    pub fn opened(&mut self, root: &Path, model: &Model) -> Action {
        (self.typing, self.confirm, self.deep) = (None, None, false);
        if self.train.is_none()
            && let Some(open) = trains(model, root).into_iter().rev().find(|train| train.is_open())
        {
            self.train = Some(open.id);
        }
        if self.train.is_some() { Action::None } else { self.ask_plan(root) }
    }

    /// One branch is to be brought home, and no other.
    pub fn only(&mut self, branch: &str, target: &str, root: &Path) -> Action {
        (self.train, self.plan, self.refused) = (None, None, None);
        self.choices = vec![Choice { branch: branch.to_owned(), chosen: true }];
        (self.target, self.suggest, self.marked) = (target.to_owned(), false, 0);
        self.ask_plan(root)
    }

    /// The branches changed.
    pub fn branches_changed(&mut self, root: &Path, matrix: Option<&Matrix>) -> Action {
        self.take_branches(matrix);
        if self.train.is_none() { self.ask_plan(root) } else { Action::None }
    }

    /// Branches that are new stand at the end, and are not chosen; those that are gone are gone.
    fn take_branches(&mut self, matrix: Option<&Matrix>) {
        let (Some(matrix), Some(_)) = (matrix, &self.plan) else { return };
        let target = self.target_name().to_owned();
        let branches: Vec<&String> = (matrix.sides.iter())
            .filter_map(|side| side.branch.as_ref())
            .filter(|branch| **branch != target)
            .collect();
        self.choices.retain(|choice| choice.chosen || branches.contains(&&choice.branch));
        for branch in branches {
            if !self.choices.iter().any(|choice| choice.branch == *branch) {
                self.choices.push(Choice { branch: branch.clone(), chosen: false });
            }
        }
    }

    /// The target's name, as far as it is known.
    fn target_name(&self) -> &str {
        match &self.plan {
            Some(Ok(plan)) if self.target.is_empty() => &plan.spec.target,
            _ => &self.target,
        }
    }

    fn spec(&self, root: &Path) -> Spec {
        Spec {
            repository: root.to_owned(),
            target: self.target.clone(),
            cars: self.chosen(),
            sorted: self.suggest,
            how: self.how,
            verify: Some(self.verify.trim())
                .filter(|command| !command.is_empty())
                .map(str::to_owned)
                .into_iter()
                .collect(),
            limit_s: LIMIT_S,
            commit: self.commit,
            returns: self.returns,
        }
    }

    fn chosen(&self) -> Vec<String> {
        let chosen = self.choices.iter().filter(|choice| choice.chosen);
        chosen.map(|choice| choice.branch.clone()).collect()
    }

    /// Whether the plan is of what is chosen now.
    fn is_planned(&self) -> bool {
        self.asked.1 && !self.stale
    }

    /// Asks what the train would do, one question at a time.
    fn ask_plan(&mut self, root: &Path) -> Action {
        // Without a choice the host would take every branch.
        let none = self.plan.is_some() && self.chosen().is_empty() && !self.suggest;
        self.stale = !none;
        if !self.asked.1 || none {
            return Action::None;
        }
        self.stale = false;
        self.asked = (self.asked.0 + 1, false);
        let command = Command::Train(Ask::Plan(self.spec(root)));
        ask(Question::Plan(self.asked.0), command)
    }

    /// The host says what the train would do.
    pub fn planned(
        &mut self,
        number: u64,
        plan: Result<Plan, String>,
        root: Option<&Path>,
        matrix: Option<&Matrix>,
    ) -> Action {
        if number != self.asked.0 {
            return Action::None;
        }
        self.asked.1 = true;
        if let Ok(plan) = &plan
            && self.suggest
            && !self.stale
        {
            // The chosen ones in the order of the answer, the others behind them.
            let rest = std::mem::take(&mut self.choices).into_iter();
            let left = rest.filter(|choice| !plan.spec.cars.contains(&choice.branch));
            let left: Vec<_> = left.map(|choice| Choice { chosen: false, ..choice }).collect();
            let cars = plan.spec.cars.iter().cloned();
            self.choices = cars.map(|branch| Choice { branch, chosen: true }).chain(left).collect();
            self.suggest = false;
        }
        self.plan = Some(plan);
        self.take_branches(matrix);
        self.marked = self.marked.min(self.choices.len().saturating_sub(1));
        match root {
            Some(root) if self.stale => self.ask_plan(root),
            _ => Action::None,
        }
    }

    fn prospect(&self, branch: &str) -> Option<&Prospect> {
        let plan = self.plan.as_ref()?.as_ref().ok()?;
        plan.cars.iter().find(|car| car.branch == branch)
    }

    /// It goes.
    pub fn started(&mut self, train: TrainId) {
        (self.starting, self.refused) = (false, None);
        (self.train, self.marked, self.deep) = (Some(train), 0, false);
    }

    /// It does not.
    pub fn refused(&mut self, why: String) -> Action {
        self.starting = false;
        self.refused = Some(why);
        Action::None
    }

    /// The train that is looked at.
    fn train<'a>(&self, model: &'a Model) -> Option<&'a Train> {
        model.trains.get(&self.train?)
    }

    /// The input that is open.
    #[must_use]
    pub fn input(&self) -> Option<&'static str> {
        self.typing.as_ref().map(|_| INPUT)
    }

    /// Something is typed.
    pub fn typed(&mut self, text: String) {
        if let Some((_, typed)) = &mut self.typing {
            *typed = text;
        }
    }

    /// A branch was pressed.
    pub fn pressed(&mut self, at: usize, model: &Model) -> Action {
        let again = self.marked == at;
        self.marked = at;
        if again && self.train(model).is_none() {
            self.toggle();
        }
        Action::None
    }

    fn toggle(&mut self) {
        if let Some(choice) = self.choices.get_mut(self.marked) {
            choice.chosen = !choice.chosen;
        }
    }

    fn shift(&mut self, by: isize) {
        let to = self.marked.saturating_add_signed(by);
        if to < self.choices.len() && self.marked < self.choices.len() {
            self.choices.swap(self.marked, to);
            self.marked = to;
        }
    }

    fn step(&mut self, by: isize, count: usize) -> Action {
        self.marked = self.marked.saturating_add_signed(by).min(count.saturating_sub(1));
        Action::Scroll(LIST, 0.0, self.marked as f32 * ROW)
    }

    /// Does a command.
    pub fn command(&mut self, id: Id, root: &Path, model: &Model) -> Action {
        if let Some(confirm) = self.confirm {
            return self.confirmed(id, confirm);
        }
        if self.typing.is_some() {
            return self.typing_command(id, root);
        }
        let count = self.train(model).map_or(self.choices.len(), |train| train.cars.len());
        if self.deep {
            let by = match id {
                Id::ReviewUp => -40.0,
                Id::ReviewDown => 40.0,
                Id::ReviewPageUp => -320.0,
                Id::ReviewPageDown => 320.0,
                _ => 0.0,
            };
            if by != 0.0 {
                return Action::Move(DETAIL, by);
            }
        }
        match id {
            Id::ReviewUp => self.step(-1, count),
            Id::ReviewDown => self.step(1, count),
            Id::ReviewPageUp => self.step(-8, count),
            Id::ReviewPageDown => self.step(8, count),
            Id::ReviewFirst => self.step(isize::MIN / 2, count),
            Id::ReviewLast => self.step(isize::MAX / 2, count),
            Id::TrainPrevious | Id::TrainNext => self.other(id == Id::TrainNext, root, model),
            Id::TrainNew => {
                (self.train, self.suggest, self.marked) = (None, true, 0);
                self.choices.clear();
                self.ask_plan(root)
            }
            Id::ReviewPart => {
                self.deep = !self.deep;
                Action::None
            }
            Id::ReviewLeave if self.deep => {
                self.deep = false;
                Action::None
            }
            Id::ReviewLeave => Action::Close,
            Id::ReviewAgent => self.agent(model),
            id if self.train(model).is_some() => self.train_command(id, model),
            id => self.plan_command(id, root),
        }
    }

    fn agent(&self, model: &Model) -> Action {
        let agent = match self.train(model) {
            Some(train) => train.cars.get(self.marked).and_then(|car| car.agent),
            None => {
                let choice = self.choices.get(self.marked);
                choice.and_then(|choice| self.prospect(&choice.branch)).and_then(|car| car.agent)
            }
        };
        agent.map_or_else(|| Action::Tell("No agent works there.".to_owned()), Action::Go)
    }

    /// The train before or after; after the last one comes the plan of the next.
    fn other(&mut self, after: bool, root: &Path, model: &Model) -> Action {
        let trains = trains(model, root);
        let here = self.train.and_then(|id| trains.iter().position(|train| train.id == id));
        let at = here.unwrap_or(trains.len());
        let to = at.saturating_add_signed(if after { 1 } else { -1 }).min(trains.len());
        (self.marked, self.deep) = (0, false);
        self.train = trains.get(to).map(|train| train.id);
        if self.train.is_none() && at != to { self.ask_plan(root) } else { Action::None }
    }

    fn plan_command(&mut self, id: Id, root: &Path) -> Action {
        self.refused = None;
        match id {
            Id::TrainMark => self.toggle(),
            Id::TrainEarlier => self.shift(-1),
            Id::TrainLater => self.shift(1),
            Id::TrainSuggest => self.suggest = true,
            Id::TrainHow => {
                self.how = match self.how {
                    How::Merge => How::Squash,
                    How::Squash => How::Rebase,
                    How::Rebase => How::Merge,
                };
            }
            Id::TrainCommit => self.commit = !self.commit,
            Id::TrainReturns => self.returns = (self.returns + 1) % (MOST_RETURNS + 1),
            Id::TrainTarget => {
                self.typing = Some((Typing::Target, self.target_name().to_owned()));
                return Action::None;
            }
            Id::TrainVerify => {
                self.typing = Some((Typing::Verify, self.verify.clone()));
                return Action::None;
            }
            Id::ReviewAccept => {
                self.deep = true;
                return Action::None;
            }
            Id::TrainStart => return self.start(root),
            _ => return Action::None,
        }
        let sight = Action::Scroll(LIST, 0.0, self.marked as f32 * ROW);
        Action::All(vec![sight, self.ask_plan(root)])
    }

    fn start(&mut self, root: &Path) -> Action {
        if self.chosen().is_empty() {
            let words = "No branch is chosen: Space chooses the marked one.";
            return Action::Tell(words.to_owned());
        }
        if !self.is_planned() || self.starting {
            return Action::Tell("It is still being looked at.".to_owned());
        }
        match &self.plan {
            Some(Ok(plan)) if plan.obstacles.is_empty() => {}
            // What stands in the way is on the page already.
            _ => return Action::None,
        }
        self.starting = true;
        // In the order that was seen, whatever the host would suggest by now.
        let spec = Spec { sorted: false, ..self.spec(root) };
        ask(Question::Start, Command::Train(Ask::Start(spec)))
    }

    fn train_command(&mut self, id: Id, model: &Model) -> Action {
        let Some(train) = self.train(model) else { return Action::None };
        let (number, is_open) = (train.id, train.is_open());
        let deed = |ask_for| ask(Question::Deed, Command::Train(ask_for));
        match id {
            Id::TrainStop if train.state == State::Running => deed(Ask::Stop(number)),
            Id::TrainResume if train.state != State::Running => deed(Ask::Resume(number)),
            Id::TrainAbort if is_open => {
                self.confirm = Some(Confirm::Abort(number));
                Action::None
            }
            Id::TrainUndo if train.state != State::Running && !train.moves.is_empty() => {
                self.confirm = Some(Confirm::Undo(number));
                Action::None
            }
            Id::ReviewAccept => {
                self.deep = true;
                Action::None
            }
            Id::TrainStop => Action::Tell("It does not go.".to_owned()),
            Id::TrainResume => Action::Tell("It goes already.".to_owned()),
            Id::TrainUndo if train.state == State::Running => {
                Action::Tell("Stop it first, with s.".to_owned())
            }
            Id::TrainUndo => Action::Tell("It moved nothing.".to_owned()),
            Id::TrainAbort => Action::Tell("It is over.".to_owned()),
            _ => Action::None,
        }
    }

    fn confirmed(&mut self, id: Id, confirm: Confirm) -> Action {
        match id {
            Id::OverlayAccept => {
                self.confirm = None;
                let ask_for = match confirm {
                    Confirm::Abort(train) => Ask::Abort(train),
                    Confirm::Undo(train) => Ask::Undo(train),
                };
                ask(Question::Deed, Command::Train(ask_for))
            }
            Id::OverlayCancel => {
                self.confirm = None;
                Action::None
            }
            _ => Action::None,
        }
    }

    fn typing_command(&mut self, id: Id, root: &Path) -> Action {
        match id {
            Id::OverlayCancel => {
                self.typing = None;
                Action::None
            }
            Id::OverlayAccept => {
                match self.typing.take() {
                    Some((Typing::Target, text)) => {
                        text.trim().clone_into(&mut self.target);
                        // What is brought to one branch may not be what is brought to another.
                        let target = self.target.clone();
                        self.choices.retain(|choice| choice.branch != target);
                    }
                    Some((Typing::Verify, text)) => self.verify = text,
                    None => {}
                }
                self.refused = None;
                self.ask_plan(root)
            }
            _ => Action::None,
        }
    }

    /// The keys that mean something.
    #[must_use]
    pub fn keys(&self, model: &Model) -> Vec<(&'static str, &'static str)> {
        if self.confirm.is_some() {
            return vec![("↵", "do it"), ("Esc", "leave it")];
        }
        if self.typing.is_some() {
            return vec![("↵", "take it"), ("Esc", "as before")];
        }
        if self.deep {
            return vec![("↑↓", "read"), ("Esc", "back to the branches")];
        }
        let Some(train) = self.train(model) else {
            return vec![
                ("g", "let it go"),
                ("Space", "choose"),
                ("⇧↑↓", "order"),
                ("o", "suggested order"),
                ("t", "target"),
                ("m", "merge, squash, rebase"),
                ("v", "check by"),
                ("c", "commit first"),
                ("i", "tries"),
                ("[", "trains before"),
                ("Esc", "back"),
            ];
        };
        let mut keys = match train.state {
            State::Running => vec![("s", "stop"), ("x", "give up")],
            State::Stopped(_) => vec![("r", "go on"), ("x", "give up")],
            State::Ended(_) => {
                let behind = train.cars.iter().any(|car| matches!(car.state, CarState::Left(_)));
                let mut keys = vec![("n", "another train")];
                keys.extend(behind.then_some(("r", "try again what stayed behind")));
                keys
            }
        };
        if train.state != State::Running && !train.moves.is_empty() {
            keys.push(("u", "undo"));
        }
        keys.extend([
            ("↵", "why"),
            ("a", "go to the agent"),
            ("[ ]", "other trains"),
            ("Esc", "back"),
        ]);
        keys
    }
}

#[cfg(test)]
mod tests {
    use maestro_core::conflict::Fit;
    use maestro_core::train::{Car, End, Move};

    use super::*;

    const ROOT: &str = "/r";

    fn plan(spec: &Spec) -> Plan {
        let car = |branch: &String| Prospect {
            branch: branch.clone(),
            directory: None,
            agent: None,
            ahead: 1,
            uncommitted: 0,
            fit: Fit::Apart,
            collides: Vec::new(),
        };
        let mut spec = spec.clone();
        if spec.cars.is_empty() {
            spec.cars = ["b", "a", "c"].map(str::to_owned).to_vec();
        }
        if spec.sorted {
            spec.cars.sort();
        }
        if spec.target.is_empty() {
            spec.target = "main".to_owned();
        }
        Plan {
            cars: spec.cars.iter().map(car).collect(),
            spec,
            target_at: "1".to_owned(),
            checked_out: None,
            obstacles: Vec::new(),
        }
    }

    /// What the host would be asked by an action.
    fn asked(action: &Action) -> Option<(Question, Ask)> {
        match action {
            Action::Ask(question, command) => match &**command {
                Command::Train(asked) => Some((question.clone(), asked.clone())),
                _ => None,
            },
            Action::All(actions) => actions.iter().find_map(asked),
            _ => None,
        }
    }

    /// Answers every question for a plan until there is none.
    fn answer(yard: &mut Yard, action: Action) {
        let mut action = action;
        while let Some((Question::Plan(number), Ask::Plan(spec))) = asked(&action) {
            action = yard.planned(number, Ok(plan(&spec)), Some(Path::new(ROOT)), None);
        }
    }

    fn does(yard: &mut Yard, model: &Model, id: Id) -> Action {
        yard.command(id, Path::new(ROOT), model)
    }

    fn ready() -> (Yard, Model) {
        let (mut yard, model) = (Yard::default(), Model::default());
        let action = yard.opened(Path::new(ROOT), &model);
        answer(&mut yard, action);
        (yard, model)
    }

    #[test]
    fn the_order_is_suggested_then_chosen_and_goes_as_it_is_seen() {
        let (mut yard, model) = ready();
        assert_eq!(yard.chosen(), ["a", "b", "c"]);
        for (id, expected) in [
            (Id::TrainLater, vec!["b", "a", "c"]),
            (Id::TrainLater, vec!["b", "c", "a"]),
            (Id::TrainLater, vec!["b", "c", "a"]),
            (Id::TrainMark, vec!["b", "c"]),
            (Id::TrainSuggest, vec!["b", "c"]),
        ] {
            let action = does(&mut yard, &model, id);
            answer(&mut yard, action);
            assert_eq!(yard.chosen(), expected, "{id}");
        }
        let started = asked(&does(&mut yard, &model, Id::TrainStart)).expect("it starts");
        let (Question::Start, Ask::Start(spec)) = started else { panic!("{started:?}") };
        assert_eq!((spec.cars, spec.sorted), (vec!["b".to_owned(), "c".to_owned()], false));
    }

    #[test]
    fn nothing_goes_before_it_was_looked_at_as_it_is() {
        let (mut yard, model) = ready();
        let first = does(&mut yard, &model, Id::TrainCommit);
        let second = does(&mut yard, &model, Id::TrainHow);
        assert!(asked(&second).is_none(), "one question at a time");
        assert!(asked(&does(&mut yard, &model, Id::TrainStart)).is_none());
        answer(&mut yard, first);
        let started = asked(&does(&mut yard, &model, Id::TrainStart));
        let Some((_, Ask::Start(spec))) = started else { panic!("{started:?}") };
        assert_eq!((spec.commit, spec.how), (true, How::Squash));
        // And only once.
        assert!(asked(&does(&mut yard, &model, Id::TrainStart)).is_none());
    }

    #[test]
    fn what_stands_in_the_way_is_not_started() {
        let (mut yard, model) = ready();
        if let Some(Ok(plan)) = &mut yard.plan {
            plan.obstacles.push("main is checked out and dirty".to_owned());
        }
        assert!(asked(&does(&mut yard, &model, Id::TrainStart)).is_none());
        let (mut yard, model) = ready();
        for _ in 0..3 {
            let action = does(&mut yard, &model, Id::TrainMark);
            answer(&mut yard, action);
            let _ = does(&mut yard, &model, Id::ReviewDown);
        }
        assert_eq!(yard.chosen(), Vec::<String>::new());
        assert!(asked(&does(&mut yard, &model, Id::TrainStart)).is_none());
    }

    #[test]
    fn a_train_is_given_up_and_undone_only_when_asked_twice() {
        let (mut yard, mut model) = ready();
        let cars = vec![Car {
            branch: "a".to_owned(),
            directory: None,
            agent: None,
            state: CarState::Waiting,
            returned: 0,
            overtaken: 0,
            checks: Vec::new(),
        }];
        let mut train = Train::new(TrainId(3), yard.spec(Path::new(ROOT)), cars, 0);
        let _ = model.trains.insert(train.id, train.clone());
        yard.started(train.id);
        let _ = does(&mut yard, &model, Id::TrainAbort);
        assert!(yard.confirm.is_some());
        assert_eq!(does(&mut yard, &model, Id::OverlayCancel), Action::None);
        assert!(yard.confirm.is_none());
        let _ = does(&mut yard, &model, Id::TrainAbort);
        let action = does(&mut yard, &model, Id::OverlayAccept);
        assert_eq!(asked(&action), Some((Question::Deed, Ask::Abort(TrainId(3)))));
        train.end(End::Done, 1);
        let moved = Move { branch: "a".into(), from: "1".into(), to: "2".into() };
        train.moves.push(moved);
        let _ = model.trains.insert(train.id, train);
        let _ = does(&mut yard, &model, Id::TrainUndo);
        let action = does(&mut yard, &model, Id::OverlayAccept);
        assert_eq!(asked(&action), Some((Question::Deed, Ask::Undo(TrainId(3)))));
    }
}

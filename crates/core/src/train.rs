//! The merge train: branches that come home one after the other. Each is brought onto its target in a
//! scratch worktree and checked there, and only then does the target move. What does not fit goes back to
//! its agent, described, when everybody else is aboard.
//!
//! [`Train`] is the whole state, and the host writes it down before it does what [`Train::next`] says. So
//! whatever step its death cuts off is done again by the next host, and every step can be done twice.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::conflict::{Clash, Fit, Matrix};
use crate::id::{AgentId, TabId, TrainId};

/// The most branches of one train.
pub const MAX_CARS: usize = 64;
/// The most commands that check each car.
pub const MAX_VERIFY: usize = 16;
/// The longest command, in bytes.
pub const MAX_COMMAND: usize = 4 << 10;
/// How often a car may find that the target has moved under it before the train stops and says so.
const OVERTAKEN: u32 = 5;
/// Conflicts that are written down in full for an agent, and bytes of one side of a hunk.
const TOLD: usize = 20;
const HUNK: usize = 1_500;
/// Bytes of a check's output that an agent is told: the end.
const OUTPUT: usize = 4_000;

/// What a train is to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// Any directory in the repository; the host makes it the main checkout's root.
    pub repository: PathBuf,
    /// The local branch that everything goes to; the main checkout's when empty.
    pub target: String,
    /// The branches, in order; every worktree's that has something to bring when empty.
    pub cars: Vec<String>,
    /// Whether they may be put into the order in which the fewest conflict.
    pub sorted: bool,
    /// How each is brought onto the target.
    pub how: How,
    /// Shell commands, each of which has to end with 0 in the scratch worktree before the target moves.
    pub verify: Vec<String>,
    /// How long one of them may take, in seconds.
    pub limit_s: u64,
    /// Commit what is not committed in a car's worktree, as the user would.
    pub commit: bool,
    /// How often what does not fit goes back to its agent.
    pub returns: u32,
}

/// How a branch is brought onto its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// By a merge commit.
    #[default]
    Merge,
    /// As one commit.
    Squash,
    /// Its commits, anew, on top of the target.
    Rebase,
}

/// A train as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Train {
    /// Its identity.
    pub id: TrainId,
    /// What it is to do, with nothing left open.
    pub spec: Spec,
    /// The cars, in their order.
    pub cars: Vec<Car>,
    /// Whether it goes.
    pub state: State,
    /// Every move of the target, in order.
    pub moves: Vec<Move>,
    /// When it began: milliseconds since the Unix epoch.
    pub started_ms: u64,
    /// When it ended.
    pub ended_ms: Option<u64>,
}

/// A branch of a train.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Car {
    /// The branch.
    pub branch: String,
    /// The worktree that has it checked out.
    pub directory: Option<PathBuf>,
    /// The agent that works there.
    pub agent: Option<AgentId>,
    /// Where it is.
    pub state: CarState,
    /// How often it went back to its agent.
    pub returned: u32,
    /// How often the target moved under it.
    pub overtaken: u32,
    /// What its last check printed, one for each command that ran.
    pub checks: Vec<Check>,
}

/// A command that checked a car.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// The command.
    pub command: String,
    /// Its exit code; `None` when it was ended.
    pub code: Option<i32>,
    /// The end of what it printed.
    pub output: String,
}

/// Where a car is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CarState {
    /// Its turn has not come.
    #[default]
    Waiting,
    /// It is being brought onto the target, in the scratch worktree.
    Merging,
    /// It is being checked there.
    Verifying {
        /// Where the target was.
        from: String,
        /// What is checked.
        to: String,
    },
    /// The target is being moved.
    Moving {
        /// From this commit, and from no other.
        from: String,
        /// To this one.
        to: String,
    },
    /// The target has it.
    Aboard {
        /// By this commit.
        commit: String,
    },
    /// The target had all of it.
    Empty,
    /// It does not fit, and waits until the others are aboard.
    Lost(Loss),
    /// Its agent is being told.
    Returning(Loss),
    /// Its agent works on it.
    Returned {
        /// In this conversation.
        tab: TabId,
        /// Why.
        loss: Loss,
    },
    /// It stays behind.
    Left(Loss),
}

/// Why a car does not come along.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// It conflicts with the target.
    Conflict(Vec<Clash>),
    /// A command did not end with 0 on the result.
    Check(Check),
    /// Its worktree has work that is not committed: these files, the first of them.
    Uncommitted(Vec<PathBuf>),
    /// A hook or git itself refuses, in their words.
    Refused(String),
}

/// A move of the target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// The branch by which it moved.
    pub branch: String,
    /// From this commit.
    pub from: String,
    /// To this one.
    pub to: String,
}

/// Whether a train goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It goes.
    Running,
    /// It stands and can go on, for a reason that is a sentence.
    Stopped(String),
    /// It is over.
    Ended(End),
}

/// How a train ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// Every car is aboard, or had nothing to bring.
    Done,
    /// Some stayed behind.
    Partly,
    /// It was given up; what was aboard stays.
    Aborted,
    /// The target was put back.
    Undone,
}

/// What a client asks about trains.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ask {
    /// What a train would do.
    Plan(Spec),
    /// Let one go.
    Start(Spec),
    /// All of them, the newest first.
    List,
    /// One.
    Show(TrainId),
    /// Let it stand after what it does now.
    Stop(TrainId),
    /// Let it go on; what stayed behind is tried again.
    Resume(TrainId),
    /// Give it up. What is aboard stays.
    Abort(TrainId),
    /// Put the target back to where it was before the train.
    Undo(TrainId),
}

/// What a train would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// What it is to do, with the order that is suggested.
    pub spec: Spec,
    /// The commit that the target is at.
    pub target_at: String,
    /// Where the target is checked out.
    pub checked_out: Option<PathBuf>,
    /// What is known of each car.
    pub cars: Vec<Prospect>,
    /// Why it would not begin, in sentences.
    pub obstacles: Vec<String>,
}

/// What is known of a car before it goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prospect {
    /// The branch.
    pub branch: String,
    /// The worktree that has it checked out.
    pub directory: Option<PathBuf>,
    /// The agent that works there.
    pub agent: Option<AgentId>,
    /// Commits that the target does not have.
    pub ahead: u32,
    /// Files that are changed in its worktree and not committed.
    pub uncommitted: u32,
    /// How it fits onto the target as that is now.
    pub fit: Fit,
    /// The cars before it with which it conflicts.
    pub collides: Vec<String>,
}

/// What is to be done next. Done twice it changes nothing more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Bring a car onto the target in the scratch worktree.
    Merge(usize),
    /// Run the commands there.
    Verify(usize),
    /// Move the target.
    Move(usize),
    /// Tell a car's agent.
    Return(usize),
    /// Wait until its agent is done.
    Await(usize),
    /// Nothing: the train stands or is over.
    Nothing,
}

/// What happened, for the step that [`Train::next`] named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// The result of a merge, made on the commit `from`.
    Merged {
        /// Where the target was.
        from: String,
        /// The result.
        to: String,
    },
    /// The target has all of it.
    Empty,
    /// It does not fit.
    Lost(Loss),
    /// Every command ended with 0.
    Verified(Vec<Check>),
    /// The target is where it was to be.
    Moved,
    /// The target is at neither commit: somebody else moved it.
    Overtaken,
    /// The agent was told.
    Told(TabId),
    /// There is nobody who could be told, for this reason.
    Nobody(String),
    /// The agent's turn is over.
    Answered,
    /// It cannot go on until its user has done something, which is a sentence.
    Held(String),
}

impl Train {
    /// A train that has not begun.
    #[must_use]
    pub fn new(id: TrainId, spec: Spec, cars: Vec<Car>, started_ms: u64) -> Self {
        Self {
            id,
            spec,
            cars,
            state: State::Running,
            moves: Vec::new(),
            started_ms,
            ended_ms: None,
        }
    }

    /// Whether it may still do something.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !matches!(self.state, State::Ended(_))
    }

    /// Decides what is next and notes it in the state, which has to be written down before it is done.
    pub fn next(&mut self, now_ms: u64) -> Next {
        if self.state != State::Running {
            return Next::Nothing;
        }
        // One car at a time: what has begun is brought to its end.
        for (at, car) in self.cars.iter().enumerate() {
            match car.state {
                CarState::Merging => return Next::Merge(at),
                CarState::Verifying { .. } => return Next::Verify(at),
                CarState::Moving { .. } => return Next::Move(at),
                CarState::Returning(_) => return Next::Return(at),
                CarState::Returned { .. } => return Next::Await(at),
                _ => {}
            }
        }
        if let Some(at) = self.cars.iter().position(|car| car.state == CarState::Waiting) {
            self.cars[at].state = CarState::Merging;
            return Next::Merge(at);
        }
        let returns = self.spec.returns;
        for (at, car) in self.cars.iter_mut().enumerate() {
            let CarState::Lost(loss) = &car.state else { continue };
            let loss = loss.clone();
            if car.returned < returns && car.agent.is_some() {
                car.returned += 1;
                car.state = CarState::Returning(loss);
                return Next::Return(at);
            }
            car.state = CarState::Left(loss);
        }
        let is_behind = |car: &Car| matches!(car.state, CarState::Left(_));
        let end = if self.cars.iter().any(is_behind) { End::Partly } else { End::Done };
        self.end(end, now_ms);
        Next::Nothing
    }

    /// Takes what came of a car's step. What does not fit the state, because it was stopped or given up
    /// meanwhile, changes nothing.
    pub fn take(&mut self, at: usize, fact: Fact) {
        let has_checks = !self.spec.verify.is_empty();
        let is_open = self.is_open();
        let Some(car) = self.cars.get_mut(at).filter(|_| is_open) else { return };
        let state = car.state.clone();
        car.state = match (state, fact) {
            (CarState::Merging, Fact::Merged { from, to }) if has_checks => {
                CarState::Verifying { from, to }
            }
            (CarState::Merging, Fact::Merged { from, to }) => CarState::Moving { from, to },
            (CarState::Merging, Fact::Empty) => CarState::Empty,
            (CarState::Merging | CarState::Verifying { .. }, Fact::Lost(loss)) => {
                if let Loss::Check(check) = &loss {
                    car.checks = vec![check.clone()];
                }
                CarState::Lost(loss)
            }
            (CarState::Verifying { from, to }, Fact::Verified(checks)) => {
                car.checks = checks;
                CarState::Moving { from, to }
            }
            (CarState::Moving { from, to }, Fact::Moved) => {
                let branch = car.branch.clone();
                self.moves.push(Move { branch, from, to: to.clone() });
                CarState::Aboard { commit: to }
            }
            (CarState::Moving { .. }, Fact::Overtaken) => {
                car.overtaken += 1;
                if car.overtaken >= OVERTAKEN {
                    let text = format!(
                        "{} is moved by somebody else again and again; resume when it is quiet.",
                        self.spec.target
                    );
                    car.overtaken = 0;
                    self.state = State::Stopped(text);
                }
                CarState::Waiting
            }
            (CarState::Returning(loss), Fact::Told(tab)) => CarState::Returned { tab, loss },
            (CarState::Returning(loss) | CarState::Returned { loss, .. }, Fact::Nobody(_)) => {
                CarState::Left(loss)
            }
            (CarState::Returned { .. }, Fact::Answered) => CarState::Waiting,
            (state, Fact::Held(because)) => {
                if self.state == State::Running {
                    self.state = State::Stopped(because);
                }
                // A move that could not be made is made from a fresh look: much may be different then.
                match state {
                    CarState::Merging | CarState::Verifying { .. } => CarState::Waiting,
                    state => state,
                }
            }
            (state, _) => state,
        };
    }

    /// Lets it stand.
    pub fn stop(&mut self, because: &str) {
        if self.state == State::Running {
            self.state = State::Stopped(because.to_owned());
        }
    }

    /// Lets it go on: what stayed behind is tried again, with all its tries.
    ///
    /// # Errors
    ///
    /// Why not, in a sentence.
    pub fn resume(&mut self) -> Result<(), String> {
        match self.state {
            State::Running => return Err(format!("train {} is under way", self.id)),
            State::Ended(End::Aborted | End::Undone) => {
                return Err(format!("train {} was given up; start another one", self.id));
            }
            State::Ended(End::Done) => return Err(format!("train {} is done", self.id)),
            State::Ended(End::Partly) | State::Stopped(_) => {}
        }
        for car in &mut self.cars {
            if matches!(car.state, CarState::Left(_)) {
                car.state = CarState::Waiting;
                car.returned = 0;
            }
        }
        self.state = State::Running;
        self.ended_ms = None;
        Ok(())
    }

    /// It is over.
    pub fn end(&mut self, end: End, now_ms: u64) {
        self.state = State::Ended(end);
        self.ended_ms = Some(now_ms);
    }

    /// From where to where the target would have to be put to undo the train, if nobody built on it:
    /// `(now, before)`.
    ///
    /// # Errors
    ///
    /// Why not, in a sentence. `now`: the commit that the target is at.
    pub fn undo(&self, now: &str) -> Result<(String, String), String> {
        if self.state == State::Running {
            return Err(format!("train {} is under way; stop it first", self.id));
        }
        let (Some(first), Some(last)) = (self.moves.first(), self.moves.last()) else {
            return Err(format!("train {} moved nothing", self.id));
        };
        if self.state == State::Ended(End::Undone) || now == first.from {
            return Err(format!("train {} is undone already", self.id));
        }
        let together = self.moves.windows(2).all(|pair| pair[0].to == pair[1].from);
        if now != last.to || !together {
            return Err(format!(
                "somebody built on train {}, so {} stays as it is",
                self.id, self.spec.target
            ));
        }
        Ok((last.to.clone(), first.from.clone()))
    }

    /// What a car's agent is told about why its work does not come along.
    #[must_use]
    pub fn prompt(&self, at: usize, loss: &Loss) -> String {
        let Some(car) = self.cars.get(at) else { return String::new() };
        let (branch, target) = (&car.branch, &self.spec.target);
        let bring = match self.spec.how {
            How::Rebase => format!("`git rebase {target}`"),
            How::Merge | How::Squash => format!("`git merge {target}`"),
        };
        let mut text = format!("Your branch `{branch}` is to go into `{target}`, but ");
        match loss {
            Loss::Conflict(clashes) => {
                let _ = writeln!(
                    text,
                    "it conflicts with what is there by now. Run {bring} in this worktree, resolve the \
                     conflicts so that the intent of both sides is kept, and commit the result."
                );
                self.tell_others(at, clashes, &mut text);
                tell_clashes(clashes, target, &mut text);
            }
            Loss::Check(check) => {
                let _ = writeln!(
                    text,
                    "on top of what is there by now a check fails. Run {bring} in this worktree, make the \
                     check pass without weakening it, and commit the result."
                );
                let ended =
                    check.code.map_or("was ended".to_owned(), |code| format!("ended with {code}"));
                let _ = writeln!(text, "\n`{}` {ended}:\n", check.command);
                fenced(tail(&check.output, OUTPUT), &mut text);
            }
            Loss::Uncommitted(files) => {
                let _ = writeln!(
                    text,
                    "not all of its work is committed. Look at what is there, commit what belongs to your \
                     task, and leave nothing else behind. Not committed:\n"
                );
                for file in files.iter().take(TOLD) {
                    let _ = writeln!(text, "- {}", file.display());
                }
            }
            Loss::Refused(words) => {
                let _ = writeln!(
                    text,
                    "git or a hook of the repository refuses it. Mend what it says, and commit the result.\n"
                );
                fenced(tail(words, OUTPUT), &mut text);
            }
        }
        if !self.spec.verify.is_empty() {
            let _ = writeln!(text, "\nThis has to succeed afterwards:\n");
            for command in &self.spec.verify {
                let _ = writeln!(text, "- `{command}`");
            }
        }
        let _ = write!(
            text,
            "\nDo not touch `{target}` itself and do not push: that is done when your branch fits."
        );
        text
    }

    /// Whose work it is that a car conflicts with, as far as it came with this train.
    fn tell_others(&self, at: usize, clashes: &[Clash], text: &mut String) {
        if clashes.is_empty() {
            return;
        }
        let aboard: Vec<&str> = self
            .cars
            .iter()
            .enumerate()
            .filter(|(other, car)| *other != at && matches!(car.state, CarState::Aboard { .. }))
            .map(|(_, car)| car.branch.as_str())
            .collect();
        if !aboard.is_empty() {
            let _ = writeln!(text, "\nGone in before it: `{}`.", aboard.join("`, `"));
        }
    }
}

fn tell_clashes(clashes: &[Clash], target: &str, text: &mut String) {
    for clash in clashes.iter().take(TOLD) {
        let kind = clash.kind.trim_start_matches("CONFLICT").trim().trim_matches(['(', ')']);
        let kind = if kind.is_empty() { String::new() } else { format!(" ({kind})") };
        let _ = writeln!(text, "\n{}{kind}", clash.path.display());
        for hunk in &clash.hunks {
            let _ = writeln!(text, "\nline {}, yours:\n", hunk.line);
            fenced(head(&hunk.ours, HUNK), text);
            let _ = writeln!(text, "\nand in `{target}`:\n");
            fenced(head(&hunk.theirs, HUNK), text);
        }
    }
    if clashes.len() > TOLD {
        let _ = writeln!(text, "\nand {} more files", clashes.len() - TOLD);
    }
}

/// Text between fences that it cannot close.
pub(crate) fn fenced(inner: &str, text: &mut String) {
    let mut longest = 0;
    let mut run = 0;
    for c in inner.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat((longest + 1).max(3));
    let _ = writeln!(text, "{fence}\n{}\n{fence}", inner.trim_end_matches('\n'));
}

fn head(text: &str, bytes: usize) -> &str {
    let end = (0..=bytes.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    &text[..end.unwrap_or(0)]
}

fn tail(text: &str, bytes: usize) -> &str {
    let from = text.len().saturating_sub(bytes);
    let from = (from..=text.len()).find(|at| text.is_char_boundary(*at));
    &text[from.unwrap_or(text.len())..]
}

/// The order in which the fewest branches conflict: first who meets the fewest of the others, and of
/// those who changes the fewest files. Branches that the matrix does not know stay where they are, behind.
#[must_use]
pub fn order(matrix: &Matrix, branches: &[String]) -> Vec<String> {
    let side =
        |branch: &String| matrix.sides.iter().position(|side| side.branch.as_ref() == Some(branch));
    let mut left: Vec<(Option<u32>, &String)> = branches
        .iter()
        .map(|branch| (side(branch).and_then(|at| u32::try_from(at).ok()), branch))
        .collect();
    let conflicts = |a: u32, b: Option<u32>| matches!(matrix.cell(a, b), Some(cell) if matches!(cell.fit, Fit::Conflicts(_)));
    let mut ordered = Vec::with_capacity(branches.len());
    while !left.is_empty() {
        let weight = |(own, _): &(Option<u32>, &String)| {
            let Some(own) = own else { return (usize::MAX, false, u32::MAX) };
            let meets = left
                .iter()
                .filter_map(|(other, _)| *other)
                .filter(|other| other != own && conflicts(*own, Some(*other)))
                .count();
            let touched = matrix.sides.get(*own as usize).map_or(0, |side| side.touched);
            (meets, conflicts(*own, None), touched)
        };
        // The first of equals, so that what was given is kept where nothing speaks against it.
        let best = (0..left.len()).min_by_key(|at| weight(&left[*at])).unwrap_or(0);
        ordered.push(left.remove(best).1.clone());
    }
    ordered
}

#[cfg(test)]
mod tests;

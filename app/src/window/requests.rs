//! What an agent asks, and what is wrong with it: cards between what was said and what is said next.
//!
//! The keys of a card answer it only when it was there long enough to be read: what was typed for
//! something else approves nothing.

mod help;
mod view;

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use maestro_core::command::Id;
use maestro_core::conversation::{Answer, Ask, Request};

pub use help::help;
pub use view::Context;

/// How long a card has to be there before a key answers it.
pub const SEEN: Duration = Duration::from_millis(500);

/// The id of the input for a reason or an answer in own words.
pub const INPUT: &str = "request-input";

/// The most characters of a reason or an answer.
const LONGEST: usize = 4000;

/// What happens in the cards of a tab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// A button of a request, or its key.
    Pressed(Id),
    /// What is being written is another text.
    Written(String),
    /// A button that does the same as a command.
    Command(Id),
}

/// What the shell is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    None,
    /// Give the keyboard to it.
    Focus,
    /// Give the keyboard back to the composer.
    Leave,
    /// It was too early: look again after [`SEEN`].
    Wait(u64),
    /// Answer this.
    Answer(String, Answer),
    /// Do a command.
    Command(Id),
}

/// The state of a tab's cards.
#[derive(Debug, Default)]
pub struct Cards {
    /// The request in front.
    front: Option<String>,
    /// Whether it was there long enough.
    seen: bool,
    /// Tells one wait from another.
    wait: u64,
    /// The question in front, from 0, and the marked answer.
    question: usize,
    marked: usize,
    /// What is chosen, question by question.
    chosen: Vec<BTreeSet<usize>>,
    /// What was written, question by question.
    written: Vec<Option<String>>,
    /// What is being written.
    writing: Option<(Writing, String)>,
    /// Whether it was given the keyboard by itself; that happens once.
    offered: bool,
    /// What was answered, and is still there because the host has not said otherwise.
    answered: HashSet<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Writing {
    /// Why not.
    Reason,
    /// An answer that is not in the list.
    Answer,
}

impl Cards {
    /// Takes note of what is asked now. `Some` when another request is in front: it is to be looked at again
    /// after [`SEEN`].
    pub fn settle(&mut self, requests: &[Request]) -> Option<u64> {
        self.answered.retain(|id| requests.iter().any(|request| request.id == *id));
        let open = |id: &String| {
            !self.answered.contains(id) && requests.iter().any(|request| request.id == *id)
        };
        if self.front.as_ref().is_some_and(open) {
            return None;
        }
        let next = requests.iter().find(|request| !self.answered.contains(&request.id));
        if next.is_none() && self.front.is_none() {
            return None;
        }
        self.bring(next);
        next.map(|_| self.wait)
    }

    fn bring(&mut self, request: Option<&Request>) {
        let questions = match request.map(|request| &request.ask) {
            Some(Ask::Questions(questions)) => questions.len(),
            _ => 0,
        };
        *self = Self {
            front: request.map(|request| request.id.clone()),
            wait: self.wait + 1,
            chosen: vec![BTreeSet::new(); questions],
            written: vec![None; questions],
            answered: std::mem::take(&mut self.answered),
            ..Self::default()
        };
    }

    /// Gives it the keyboard by itself, once: then it has to be there for a while again before a key
    /// answers it. `None` when that has happened already.
    pub fn offer(&mut self) -> Option<u64> {
        if self.front.is_none() || std::mem::replace(&mut self.offered, true) {
            return None;
        }
        self.seen = false;
        self.wait += 1;
        Some(self.wait)
    }

    /// It was there for a while.
    pub fn look(&mut self, wait: u64) {
        self.seen |= self.wait == wait;
    }

    /// Whether there is something to answer.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.front.is_some()
    }

    /// Whether something is being written.
    #[must_use]
    pub fn is_writing(&self) -> bool {
        self.writing.is_some()
    }

    /// The answer could not be given: it is asked again.
    pub fn refused(&mut self, id: &str) {
        let _ = self.answered.remove(id);
    }

    /// The request in front.
    #[must_use]
    pub fn front<'a>(&self, requests: &'a [Request]) -> Option<&'a Request> {
        let id = self.front.as_ref()?;
        requests.iter().find(|request| request.id == *id)
    }

    /// Takes in what happened.
    pub fn update(&mut self, message: Message, requests: &[Request]) -> Action {
        match message {
            Message::Command(id) => Action::Command(id),
            Message::Written(text) => {
                if let Some((_, written)) = &mut self.writing {
                    *written = text.chars().take(LONGEST).collect();
                }
                Action::None
            }
            Message::Pressed(id) => self.command(id, requests),
        }
    }

    /// A key that was not meant for it came too early: it takes as long again until it is answered.
    pub fn disturbed(&mut self) -> Action {
        if self.seen {
            return Action::None;
        }
        self.wait += 1;
        Action::Wait(self.wait)
    }

    /// Does a command of a card.
    pub fn command(&mut self, id: Id, requests: &[Request]) -> Action {
        let Some(request) = self.front(requests) else {
            return if id == Id::RequestLeave { Action::Leave } else { Action::Command(id) };
        };
        if id == Id::RequestLeave {
            // What is being written is taken back first.
            return if self.writing.take().is_some() { Action::Focus } else { Action::Leave };
        }
        let answers = matches!(
            id,
            Id::RequestOnce
                | Id::RequestAlways
                | Id::RequestDeny
                | Id::RequestOption(_)
                | Id::RequestSubmit
                | Id::RequestMark
                | Id::RequestWrite
        );
        if answers && !self.seen {
            return self.disturbed();
        }
        let questions = match &request.ask {
            Ask::Questions(questions) => questions.as_slice(),
            _ => &[],
        };
        let is_question = !questions.is_empty();
        match id {
            Id::RequestSubmit if self.writing.is_some() => self.submit_writing(request),
            Id::RequestOnce if !is_question => self.answer(request, Answer::Once),
            Id::RequestAlways if !is_question && request.always.is_some() => {
                self.answer(request, Answer::Always)
            }
            Id::RequestDeny => {
                self.writing = Some((Writing::Reason, String::new()));
                Action::Focus
            }
            Id::RequestWrite if is_question => {
                let before = self.written.get(self.question).cloned().flatten();
                self.writing = Some((Writing::Answer, before.unwrap_or_default()));
                Action::Focus
            }
            Id::RequestOption(number) if is_question => {
                self.choose(request, usize::from(number).saturating_sub(1))
            }
            Id::RequestMark if is_question => self.choose(request, self.marked),
            Id::RequestSubmit if is_question => {
                let nothing = self.is_unanswered(self.question);
                if nothing {
                    return self.choose(request, self.marked);
                }
                self.next_or_answer(request)
            }
            Id::RequestUp | Id::RequestDown if is_question => {
                let options = questions.get(self.question).map_or(0, |one| one.options.len());
                let by = if id == Id::RequestUp { -1 } else { 1 };
                if options > 0 {
                    self.marked = (self.marked as isize + by).rem_euclid(options as isize) as usize;
                }
                Action::None
            }
            Id::RequestNext | Id::RequestPrevious if questions.len() > 1 => {
                let by = if id == Id::RequestPrevious { -1 } else { 1 };
                let count = questions.len() as isize;
                self.question = (self.question as isize + by).rem_euclid(count) as usize;
                self.marked = 0;
                Action::None
            }
            Id::RequestNext | Id::RequestPrevious => {
                self.turn(requests, id == Id::RequestNext);
                Action::Wait(self.wait)
            }
            Id::CardRetry
            | Id::CardLogin
            | Id::CardRebuild
            | Id::CardModel
            | Id::CardCompact
            | Id::CardNewTab
            | Id::CardRelease
            | Id::CardResumes
            | Id::CardTerminal => Action::Command(id),
            _ => Action::None,
        }
    }

    /// Brings another request to the front.
    fn turn(&mut self, requests: &[Request], forward: bool) {
        let open: Vec<&Request> =
            requests.iter().filter(|request| !self.answered.contains(&request.id)).collect();
        let at = open.iter().position(|request| Some(&request.id) == self.front.as_ref());
        if let Some(at) = at.filter(|_| open.len() > 1) {
            let by = if forward { 1 } else { open.len() - 1 };
            self.bring(Some(open[(at + by) % open.len()]));
        }
    }

    fn answer(&mut self, request: &Request, answer: Answer) -> Action {
        let _ = self.answered.insert(request.id.clone());
        self.writing = None;
        Action::Answer(request.id.clone(), answer)
    }

    fn submit_writing(&mut self, request: &Request) -> Action {
        match self.writing.take() {
            Some((Writing::Reason, reason)) => {
                self.answer(request, Answer::Deny(reason.trim().to_owned()))
            }
            Some((Writing::Answer, text)) => {
                let text = text.trim().to_owned();
                if let Some(written) = self.written.get_mut(self.question) {
                    *written = (!text.is_empty()).then_some(text);
                }
                if self.is_unanswered(self.question) {
                    return Action::Focus;
                }
                self.next_or_answer(request)
            }
            None => Action::None,
        }
    }

    fn is_unanswered(&self, question: usize) -> bool {
        self.chosen.get(question).is_none_or(BTreeSet::is_empty)
            && self.written.get(question).is_none_or(Option::is_none)
    }

    /// Chooses an answer of the question in front, or takes it back where several may be chosen.
    fn choose(&mut self, request: &Request, option: usize) -> Action {
        let Ask::Questions(questions) = &request.ask else { return Action::None };
        let Some(question) = questions.get(self.question) else { return Action::None };
        let Some(chosen) = self.chosen.get_mut(self.question) else { return Action::None };
        if option >= question.options.len() {
            return Action::None;
        }
        self.marked = option;
        if question.several {
            if !chosen.remove(&option) {
                let _ = chosen.insert(option);
            }
            return Action::None;
        }
        *chosen = BTreeSet::from([option]);
        if let Some(written) = self.written.get_mut(self.question) {
            *written = None;
        }
        self.next_or_answer(request)
    }

    /// The next question without an answer, or the answer to all of them.
    fn next_or_answer(&mut self, request: &Request) -> Action {
        let Ask::Questions(questions) = &request.ask else { return Action::None };
        if let Some(next) = (0..questions.len()).find(|at| self.is_unanswered(*at)) {
            (self.question, self.marked) = (next, 0);
            return Action::Focus;
        }
        let choices = questions.iter().enumerate().map(|(at, question)| {
            let chosen = self.chosen.get(at).into_iter().flatten();
            let labels = chosen.filter_map(|option| question.options.get(*option));
            let written = self.written.get(at).cloned().flatten();
            labels.map(|(label, _)| label.clone()).chain(written).collect()
        });
        let choices = choices.collect();
        self.answer(request, Answer::Choices(choices))
    }
}

#[cfg(test)]
mod tests;

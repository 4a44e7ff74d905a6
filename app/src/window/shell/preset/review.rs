//! Made-up windows that show branches.

use maestro_core::changes::Answer;
use maestro_core::command::Id;
use maestro_core::{trash, worktree};
use maestro_protocol::message::Reply;

use super::Shell;
use crate::window::ask::Ask;
use crate::window::files;
use crate::window::history;
use crate::window::matrix;
use crate::window::review::{Message, Question};
use crate::window::scene;
use crate::window::worktrees;

impl Shell {
    pub(super) fn prepare_review(&mut self, name: &str) {
        if scene::files::FILES.contains(&name) {
            self.prepare_files(name);
        }
        if scene::CHANGES.contains(&name) {
            self.prepare_changes(name);
        }
        if !scene::REVIEW.contains(&name) {
            return;
        }
        self.model.trains = match name {
            "train-going" => vec![scene::returned(scene::train())],
            "train-stopped" => vec![scene::stopped_train()],
            "train-undo" => vec![scene::past_train()],
            _ => Vec::new(),
        }
        .into_iter()
        .map(|train| (train.id, train))
        .collect();
        let opens = match name {
            "race" => Id::RaceOpen,
            name if name.starts_with("worktrees") => Id::WorktreesOpen,
            name if name.starts_with("train") => Id::TrainOpen,
            _ => Id::ConflictsOpen,
        };
        let _ = self.review_command(opens);
        let root = std::path::PathBuf::from(scene::ROOT);
        let matrix = match name {
            "conflicts-clean" => Ok(scene::clean_matrix()),
            "conflicts-many" => Ok(scene::large_matrix()),
            "conflicts-none" => Ok(maestro_core::conflict::Matrix {
                cells: Vec::new(),
                sides: Vec::new(),
                ..scene::matrix()
            }),
            "conflicts-error" => {
                Err("git 2.34 cannot merge in memory; 2.38 or newer is needed for this view"
                    .to_owned())
            }
            "race" => Ok(scene::race_matrix()),
            _ => Ok(scene::matrix()),
        };
        let matrix = matrix.map(|matrix| Reply::Conflicts(Box::new(matrix)));
        self.tell_review(Message::Answered(Question::Conflicts(root), matrix));
        match name {
            "conflicts" => {
                let _ = self.review_command(Id::MatrixNext);
                let pair: Option<matrix::Pair> = self.review.matrix.pair();
                if let Some(pair) = pair {
                    let clashes = Ok(Reply::Clashes(scene::clashes()));
                    self.tell_review(Message::Answered(Question::Clashes(pair), clashes));
                }
            }
            "train" | "train-target" | "train-obstacle" => {
                let plan = Box::new(scene::train_plan(name == "train-obstacle"));
                self.tell_review(Message::Answered(Question::Plan(1), Ok(Reply::TrainPlan(plan))));
                let plan = Box::new(scene::train_plan(name == "train-obstacle"));
                self.tell_review(Message::Answered(Question::Plan(2), Ok(Reply::TrainPlan(plan))));
                let _ = self.review_command(Id::ReviewLast);
                if name == "train-target" {
                    let _ = self.review_command(Id::TrainVerify);
                    self.tell_review(Message::Typed("cargo test --workspace".to_owned()));
                }
            }
            "train-going" | "train-stopped" => {
                let _ = self.review_command(Id::ReviewLast);
            }
            "train-undo" => {
                let _ = self.review_command(Id::TrainPrevious);
                let _ = self.review_command(Id::ReviewLast);
                let _ = self.review_command(Id::TrainUndo);
            }
            name if name.starts_with("worktrees") => self.prepare_worktrees(name),
            "race" => {
                let race = Ok(Reply::Race(Box::new(scene::race())));
                self.tell_review(Message::Answered(Question::Race(1), race));
            }
            _ => {}
        }
    }

    fn prepare_changes(&mut self, name: &str) {
        if name.starts_with("log") {
            return self.prepare_log(name);
        }
        let _ = self.review_command(Id::ChangesOpen);
        self.answer_changes(name);
        match name {
            "changes" | "changes-split" | "changes-comment" | "changes-discard" => {
                self.press_in_changes(name, &[Id::ChangesNextFile; 5]);
                self.press_in_changes(name, &[Id::ReviewAccept, Id::ReviewDown]);
            }
            "changes-large" => {
                self.press_in_changes(name, &[Id::ReviewAccept, Id::ReviewLast]);
            }
            "changes-many" => self.press_in_changes(name, &[Id::ReviewPageDown; 3]),
            "changes-folder" => self.press_in_changes(name, &[Id::ReviewUp, Id::ReviewFirst]),
            _ => {}
        }
        match name {
            "changes-split" => self.press_in_changes(name, &[Id::ChangesSplit, Id::ChangesNext]),
            "changes-comment" => {
                self.press_in_changes(name, &[Id::ReviewAccept]);
                self.tell_review(Message::Typed("Why not `use super::*` here?".to_owned()));
                self.press_in_changes(name, &[Id::OverlayAccept, Id::ChangesNext]);
                self.press_in_changes(name, &[Id::ChangesChooseDown, Id::ChangesComment]);
                let words = "Say what a missing row means in the documentation, too.";
                self.tell_review(Message::Typed(words.to_owned()));
            }
            "changes-discard" => {
                self.press_in_changes(name, &[Id::ChangesNext, Id::ChangesDiscard]);
            }
            _ => {}
        }
    }

    fn prepare_files(&mut self, name: &str) {
        let _ = self.review_command(Id::FilesOpen);
        let all = if name == "files-none" { Vec::new() } else { scene::files::paths() };
        self.answer_files(all);
        let read = |path: &str, bytes: &[u8]| {
            let loaded = Box::new(Ok(Some(files::made_up(path, bytes))));
            Message::Files(files::Message::Read(path.to_owned(), loaded))
        };
        let open = |shell: &mut Self, letters: &str, found: &str, text: &str| {
            let _ = shell.review_command(Id::FilesFind);
            shell.tell_review(Message::Typed(letters.to_owned()));
            shell.answer_files(vec![found.to_owned()]);
            let _ = shell.review_command(Id::OverlayAccept);
            shell.tell_review(read(found, text.as_bytes()));
            let _ = shell.review_command(Id::ReviewPart);
            let _ = shell.review_command(Id::ReviewLeave);
            let _ = shell.review_command(Id::ReviewPart);
        };
        let code = "src/api/preferences.rs";
        match name {
            "files" => {
                open(self, "prefs", code, scene::files::CODE);
                let _ = self.review_command(Id::FilesSearch);
                self.tell_review(Message::Typed("store".to_owned()));
                let _ = self.review_command(Id::OverlayAccept);
            }
            "files-find" => {
                open(self, "prefs", code, scene::files::CODE);
                let _ = self.review_command(Id::FilesFind);
                self.tell_review(Message::Typed("prefs".to_owned()));
                self.answer_files(scene::files::found());
            }
            "files-words" => {
                open(self, "pref", "docs/api/preferences.md", scene::files::WORDS);
            }
            "files-editing" | "files-torn" => {
                open(self, "prefs", code, scene::files::CODE);
                let _ = self.review_command(Id::FilesEdit);
                let paste = "/// Goes with every answer.\n".to_owned();
                self.tell_review(Message::Files(files::Message::Pasted(Some(paste))));
            }
            _ => {}
        }
        if name == "files-torn" {
            let other = format!("//! Another first line.\n{}", scene::files::CODE);
            self.tell_review(read(code, other.as_bytes()));
        }
    }

    fn answer_files(&mut self, paths: Vec<String>) {
        if let Some(question) = self.review.files.waits_for() {
            let reply = Ok(Reply::Files(paths));
            self.tell_review(Message::Answered(Question::Files(question), reply));
        }
    }

    fn prepare_log(&mut self, name: &str) {
        let _ = self.review_command(Id::LogOpen);
        self.answer_log("log");
        match name {
            "log-branches" => {
                let _ = self.review_command(Id::LogBranches);
            }
            "log-push" => {
                let _ = self.review_command(Id::LogPush);
            }
            "log-search" => {
                let _ = self.review_command(Id::LogFind);
                self.tell_review(Message::Typed("preferences".to_owned()));
                let _ = self.review_command(Id::OverlayAccept);
            }
            "log-none" => {
                let _ = self.review_command(Id::LogAll);
            }
            _ => {}
        }
        self.answer_log(name);
    }

    /// Answers everything that the log asks, as a scene has it.
    pub(in crate::window::shell) fn answer_log(&mut self, name: &str) {
        for _ in 0..4 {
            let Some(question) = self.review.history.waits_for() else { return };
            let answer = match &question {
                history::Question::Log(..) => Answer::Log(Box::new(scene::log(name))),
                history::Question::Branches(_) => Answer::Branches(Box::new(scene::branches())),
                _ => Answer::Synced(scene::pushed()),
            };
            let question = Question::History(question);
            self.tell_review(Message::Answered(question, Ok(Reply::Changes(answer))));
        }
    }

    /// Commands in changes, each after what the one before asked for was answered.
    pub(in crate::window::shell) fn press_in_changes(&mut self, scene: &str, ids: &[Id]) {
        for id in ids {
            let _ = self.review_command(*id);
            self.answer_changes(scene);
        }
    }

    /// Answers everything that changes ask, as a scene has it.
    pub(in crate::window::shell) fn answer_changes(&mut self, name: &str) {
        while let Some((question, file)) = self.review.changes.waits_for() {
            let answer = match file {
                _ if name == "changes-error" => {
                    Err("git could not read the index of /home/ada/shop; run `git status` there to see why"
                        .to_owned())
                }
                None => Ok(Answer::List(Box::new(scene::listing(name)))),
                Some((file, first)) => Ok(Answer::Lines(Box::new(scene::lines(&file, first)))),
            };
            let question = Question::Changes(question);
            self.tell_review(Message::Answered(question, answer.map(Reply::Changes)));
        }
    }

    fn prepare_worktrees(&mut self, name: &str) {
        let there = Reply::OfWorktrees(worktree::Answer::List(scene::worktrees()));
        let kept = Reply::Trash(trash::Answer::List(scene::kept()));
        let _ = self.review_command(Id::ReviewRefresh);
        for number in 1..9 {
            for (question, reply) in [
                (worktrees::Question::There(number), there.clone()),
                (worktrees::Question::Kept(number), kept.clone()),
            ] {
                self.tell_review(Message::Answered(Question::Worktrees(question), Ok(reply)));
            }
        }
        let _ = self.review_command(Id::ReviewDown);
        if name != "worktrees" {
            let ask = Ask::remove_worktrees(&[scene::prospect(name == "worktrees-busy")]);
            self.overlay = Some(super::Overlay::Ask(ask));
        }
    }

    fn tell_review(&mut self, message: Message) {
        let _ = self.review_message(message);
    }
}

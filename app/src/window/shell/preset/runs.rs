//! Made-up states of Auto Run.

use std::path::PathBuf;

use maestro_core::command::Id;
use maestro_protocol::message::Reply;

use super::super::Shell;
use crate::window::autorun::start::Field;
use crate::window::autorun::{Detail, Message, Page, Question};
use crate::window::scene;

impl Shell {
    /// What scenes show of Auto Run.
    pub(super) fn prepare_runs(&mut self, name: &str) {
        if !scene::RUNS.contains(&name) {
            return;
        }
        self.model.runs = match name {
            "runs-gate" => vec![scene::gated()],
            "runs-nothing" | "runs-none" => Vec::new(),
            _ => vec![scene::running()],
        };
        let page = match name {
            "runs-live" | "runs-evidence" | "runs-changes" | "runs-gate" | "runs-nothing"
            | "runs-undo" => Page::Live,
            "runs-history" => Page::History,
            "runs-panel" => {
                self.kept.runs_shown = true;
                let _ = self.autorun_command(Id::RunsFocus);
                return;
            }
            _ => Page::Documents,
        };
        let _ = self.open_autorun(page);
        let folder = PathBuf::from("/home/ada/shop/.maestro/playbooks");
        if name != "runs-none" {
            self.answer(Question::Documents(folder.clone()), Reply::Documents(scene::leaves()));
        } else {
            self.answer(Question::Documents(folder.clone()), Reply::Documents(Vec::new()));
        }
        self.answer(Question::Playbooks, Reply::Playbooks(scene::playbooks()));
        self.answer(Question::Runs, Reply::Runs(scene::past_runs()));
        if let Some(run) = self.model.runs.first().cloned() {
            self.autorun.hear(run.id, scene::heard());
            if matches!(name, "runs-evidence" | "runs-changes" | "runs-undo") {
                let at = if name == "runs-undo" { 0 } else { 2 };
                self.say(Message::Task(at));
                let detail =
                    if name == "runs-changes" { Detail::Changes } else { Detail::Evidence };
                self.say(Message::Detail(detail));
                let evidence = Box::new(scene::evidence(&run, at));
                let question = Question::Evidence(run.id, at as u32);
                self.answer(question, Reply::TaskEvidence(evidence));
            }
        }
        if name == "runs-undo" {
            let _ = self.autorun_command(Id::RunUndo);
        }
        let documents =
            ["runs-document", "runs-editing", "runs-locked", "runs-conflict"].contains(&name);
        if documents {
            let path = match name {
                "runs-locked" => PathBuf::from("/home/ada/shop/preferences.md"),
                _ => folder.join("preferences.md"),
            };
            self.autorun.want(path.clone());
            self.say(Message::Read(path.clone(), Ok(scene::DOCUMENT.as_bytes().to_vec())));
            if name == "runs-editing" {
                let _ = self.autorun_command(Id::DocumentEdit);
                let _ = self.autorun_command(Id::EditorTask);
            }
            if name == "runs-conflict" {
                self.say(Message::Ticked(3));
                let theirs = scene::DOCUMENT.replace("Write integration tests", "Write tests");
                // What is being saved comes back as refused, because somebody else was faster.
                let changed = crate::window::autorun::files::Unsaved::Changed(theirs.into_bytes());
                self.say(Message::Saved(path, Err(changed)));
            }
        }
        if matches!(name, "runs-start" | "runs-plan" | "runs-trust") {
            let row = scene::leaves().iter().position(|leaf| leaf.path == "preferences.md");
            for at in [row.unwrap_or(0), 4] {
                self.say(Message::Row(at));
                let _ = self.autorun_command(Id::DocumentMark);
            }
            let _ = self.autorun_command(Id::RunsStart);
            self.say(Message::Field(Field::Branch, "night/preferences".to_owned()));
            self.say(Message::Field(Field::Cost, "5.00".to_owned()));
            self.say(Message::Reset(1));
        }
        if matches!(name, "runs-plan" | "runs-trust") {
            let _ = self.autorun_command(Id::OverlayAccept);
            let plan = scene::plan(name == "runs-plan");
            self.answer(Question::Plan(1), Reply::Plan(Box::new(plan)));
        }
    }

    fn say(&mut self, message: Message) {
        let _ = self.autorun_message(message);
    }

    fn answer(&mut self, question: Question, reply: Reply) {
        self.say(Message::Answered(question, Ok(reply)));
    }
}

//! Palettes of one kind of thing: what the host is asked for them, and what follows from a choice.

use std::path::PathBuf;

use iced::Task;
use maestro_core::agent::Agent;
use maestro_core::changes::{Answer, Ask};
use maestro_core::mastery::By;
use maestro_core::playbook::Found;
use maestro_core::session::Filter;
use maestro_protocol::message::{Command, Reply};

use super::{Message, Overlay, Shell};
use crate::window::palette::{self, About, Kind, Palette, Target, rows};
use crate::window::review::{Page, Place};
use crate::window::scene;
use crate::window::sessions::Resume;
use crate::window::settings as settings_page;
use crate::window::themes;
use crate::window::toast::{self, Kind as Matter};

/// Stored conversations that are listed: the newest.
const SESSIONS: u32 = 500;

impl Shell {
    pub(super) fn open_palette(&mut self, kind: Kind) -> Task<Message> {
        let palette = self.palette_of(kind);
        self.show_palette(palette)
    }

    /// The palette of one kind of thing, in place of that of everything.
    fn open_palette_below(&mut self, kind: Kind, query: String) -> Task<Message> {
        let palette = self.palette_of(kind).below(query);
        self.show_palette(palette)
    }

    fn palette_of(&self, kind: Kind) -> Palette {
        let palette = Palette::new(kind, &self.model.agents, &self.model.tabs, self.about());
        match kind {
            Kind::Themes if self.follows_desktop() => palette.at(&Target::System),
            Kind::Themes => palette.at(&Target::Theme(self.tokens)),
            _ => palette,
        }
    }

    fn about(&self) -> About<'_> {
        About {
            place: self.place(),
            recent: &self.kept.recent,
            now_ms: self.now_ms,
            keymap: &self.keymap,
            themes: &self.themes,
            workspaces: &self.workspaces,
        }
    }

    fn show_palette(&mut self, mut palette: Palette) -> Task<Message> {
        self.palettes += 1;
        palette.question = self.palettes;
        let asked = self.asked_for(palette.kind());
        if let Some(Err(why)) = &asked {
            palette.heard(Err(why.clone()), self.about());
        }
        self.overlay = Some(Overlay::Palette(palette));
        let Some(Ok(command)) = asked else { return Task::none() };
        let question = self.palettes;
        self.request(command, move |reply| Message::PaletteHeard(question, reply))
    }

    /// What the host is asked for what a palette lists, or why it cannot be.
    fn asked_for(&self, kind: Kind) -> Option<Result<Command, String>> {
        let agent = || self.chosen_agent().ok_or_else(|| "no agent is chosen".to_owned());
        Some(match kind {
            Kind::Files => agent().map(|agent| Command::ListFiles { agent: agent.id }),
            Kind::Branches => agent().map(|agent| {
                Command::Changes(Ask::Branches { directory: agent.directory.clone() })
            }),
            Kind::Sessions => {
                Ok(Command::FindSessions { filter: Filter::default(), most: SESSIONS, skip: 0 })
            }
            Kind::Playbooks => self
                .project()
                .map(|directory| Command::ListPlaybooks { directory })
                .ok_or_else(|| "no agent says which project it is about".to_owned()),
            _ => return None,
        })
    }

    /// The host said what there is.
    pub(super) fn palette_heard(&mut self, question: u64, reply: Result<Reply, String>) {
        let heard = match reply {
            Ok(Reply::Files(files)) => Ok(rows::of_files(files)),
            Ok(Reply::Changes(Answer::Branches(branches))) => {
                Ok(rows::of_branches(&branches, &self.model.agents))
            }
            Ok(Reply::Sessions { hits, .. }) => Ok(rows::of_sessions(hits, self.now_ms)),
            Ok(Reply::Playbooks(found)) => Ok(rows::of_playbooks(found)),
            Ok(_) => Err("the host said something else".to_owned()),
            Err(why) => Err(why),
        };
        let Some(Overlay::Palette(mut palette)) = self.overlay.take() else { return };
        if palette.question == question {
            palette.heard(heard, self.about());
        }
        self.overlay = Some(Overlay::Palette(palette));
    }

    /// Escape: a palette of one kind of thing leads back to the one it was opened in.
    pub(super) fn leave_palette(&mut self) -> Task<Message> {
        match &self.overlay {
            Some(Overlay::Palette(palette)) if palette.is_below() => self.open_palette(Kind::All),
            _ => {
                self.overlay = None;
                Task::none()
            }
        }
    }

    pub(super) fn palette_message(&mut self, message: palette::Message) -> Task<Message> {
        let Some(Overlay::Palette(palette)) = &mut self.overlay else { return Task::none() };
        let action = palette.update(message);
        self.palette_action(action)
    }

    pub(super) fn palette_action(&mut self, action: palette::Action) -> Task<Message> {
        let target = match action {
            palette::Action::None => return Task::none(),
            palette::Action::List(kind, query) => return self.open_palette_below(kind, query),
            palette::Action::Go(target) => target,
        };
        self.kept.recent.note(&target.name(), self.now_ms);
        if let Target::Command(id) = target
            && let Some(kind) = Kind::of_command(id)
        {
            let below = self.open_palette_below(kind, String::new());
            return Task::batch([below, self.played(id, By::Palette)]);
        }
        self.overlay = None;
        self.go_to_target(target)
    }

    /// Does what a row offers.
    pub(super) fn go_to_target(&mut self, target: Target) -> Task<Message> {
        match target {
            Target::Theme(tokens) => self.choose_theme(tokens.name),
            Target::System => self.choose_theme(themes::SYSTEM),
            Target::Command(id) => {
                let done = self.command(id);
                Task::batch([done, self.played(id, By::Palette)])
            }
            Target::Agent(id) => self.go_to(id),
            Target::Tab(id) => {
                self.show_tab(id);
                Task::none()
            }
            Target::Layout(kind) => {
                self.arrange(kind);
                Task::none()
            }
            Target::Workspace(name) => self.go_to_workspace(&name),
            Target::WorkspaceDelete(name) => self.delete_workspace(&name),
            Target::Setting(key) => self.open_setting(key),
            Target::File(path) => self.open_file(path),
            Target::Branch { name, from } => self.switch_branch(name, from),
            Target::Session(session) => self.resume_session(*session, Resume::Terminal),
            Target::Playbook(found) => self.run_playbook(&found),
        }
    }

    fn open_setting(&mut self, key: &str) -> Task<Message> {
        let open = self.open_settings_page();
        let query = settings_page::Message::Queried(key.to_owned());
        Task::batch([open, self.settings_page(|page| page.update(query))])
    }

    /// Shows a file of the chosen agent's directory.
    pub(super) fn open_file(&mut self, path: String) -> Task<Message> {
        let Some(place) = self.chosen_agent().map(Place::of) else { return Task::none() };
        let save = self.autorun.close();
        let save = self.autorun_action(save);
        self.marked = None;
        let page = self.review.open(Page::Files, Some(place), &self.model);
        let file = self.review.files.show(path);
        Task::batch([save, self.review_action(page), self.review_action(file)])
    }

    fn switch_branch(&mut self, branch: String, from: Option<String>) -> Task<Message> {
        let Some(Agent { directory, name: agent, .. }) = self.chosen_agent() else {
            return Task::none();
        };
        let (words, directory) = (format!("{agent} is on {branch} now."), directory.clone());
        let words = maestro_core::text::clean(&words, 200);
        self.request(Command::Changes(Ask::Switch { directory, branch, from }), move |reply| {
            match reply {
                Ok(Reply::Changes(Answer::Synced(synced))) => match synced.failure {
                    None => Message::Said(words.clone()),
                    Some(failure) => Message::Done(Err(failure.text)),
                },
                Ok(_) => Message::Done(Err("the host did not say what became of it".to_owned())),
                Err(why) => Message::Done(Err(why)),
            }
        })
    }

    /// Something was done that cannot be seen.
    pub(super) fn said(&mut self, words: String) -> Task<Message> {
        self.toast(toast::Source::Window, Matter::Note, None, words)
    }

    fn run_playbook(&mut self, found: &Found) -> Task<Message> {
        let action = self.autorun.offer_playbook(self.project(), found, &self.model);
        self.autorun_action(action)
    }

    /// The directory whose checklists are shown.
    pub(super) fn project(&self) -> Option<PathBuf> {
        let agent = self.chosen_agent().or_else(|| self.model.agents.first());
        agent.map(|agent| agent.directory.clone()).or_else(|| self.started_in.clone())
    }

    /// The palette of a made-up window, with one kind of thing.
    pub(super) fn prepare_palette(&mut self, name: &str) {
        let _ = self.open_palette(Kind::All);
        let (prefix, reply) = match name {
            "palette-files" => ("/sr", Ok(Reply::Files(scene::paths()))),
            "palette-branches" => {
                let branches = Box::new(scene::branches());
                ("*", Ok(Reply::Changes(Answer::Branches(branches))))
            }
            _ => {
                let (hits, indexing) = (scene::hits(), scene::indexed(4_812));
                ("~", Ok(Reply::Sessions { hits, total: None, indexing }))
            }
        };
        let _ = self.palette_message(palette::Message::Queried(prefix.to_owned()));
        self.palette_heard(self.palettes, reply);
    }

    /// Lists so many made-up files in the palette.
    pub fn list_files(&mut self, count: usize) {
        let _ = self.open_palette(Kind::Files);
        let path = |at: usize| {
            let part = ["parser", "view", "store", "net", "layout"][at % 5];
            format!("crates/part-{}/src/{part}/module_{at}.rs", at / 100)
        };
        self.palette_heard(self.palettes, Ok(Reply::Files((0..count).map(path).collect())));
    }

    /// What is looked for in the palette, and which row is marked.
    #[cfg(test)]
    pub fn palette_for_tests(&self) -> Option<(String, usize)> {
        match &self.overlay {
            Some(Overlay::Palette(palette)) => Some(palette.for_tests()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use iced::Size;
    use maestro_core::command::{Context, Id};
    use maestro_ui::font;
    use maestro_ui::theme::NOCTURNE;

    use super::*;

    fn shell() -> Shell {
        font::load();
        Shell::scene("grid", Size::new(1440.0, 900.0), 1.0, &NOCTURNE).expect("a scene")
    }

    fn kind(shell: &Shell) -> Option<Kind> {
        match &shell.overlay {
            Some(Overlay::Palette(palette)) => Some(palette.kind()),
            _ => None,
        }
    }

    fn types(shell: &mut Shell, query: &str) {
        let query = palette::Message::Queried(query.to_owned());
        let _ = shell.update(Message::Palette(query));
    }

    fn does(shell: &mut Shell, id: Id) {
        let _ = shell.update(Message::Command(id));
    }

    #[test]
    fn each_kind_is_reached_by_its_command_its_prefix_and_its_row_and_escape_leads_back() {
        for (id, prefix, expected) in [
            (Id::AgentsSwitch, "@", Kind::Agents),
            (Id::TabsGo, "#", Kind::Tabs),
            (Id::FilesGo, "/", Kind::Files),
            (Id::BranchesGo, "*", Kind::Branches),
            (Id::SessionsGo, "~", Kind::Sessions),
            (Id::PlaybooksGo, "!", Kind::Playbooks),
            (Id::SettingsGo, ":", Kind::Settings),
            (Id::WorkspacesGo, "%", Kind::Workspaces),
        ] {
            let mut shell = shell();
            does(&mut shell, id);
            assert_eq!(kind(&shell), Some(expected), "{id}");
            assert_eq!(shell.context(), Context::Palette);
            does(&mut shell, Id::OverlayCancel);
            assert_eq!(kind(&shell), None, "{id} was opened by itself");

            does(&mut shell, Id::Palette);
            types(&mut shell, prefix);
            assert_eq!(kind(&shell), Some(expected), "{prefix}");
            does(&mut shell, Id::OverlayCancel);
            assert_eq!(kind(&shell), Some(Kind::All), "{prefix}");

            let row = palette::Action::Go(Target::Command(id));
            let _ = shell.palette_action(row);
            assert_eq!(kind(&shell), Some(expected), "the row of {id}");
            does(&mut shell, Id::OverlayCancel);
            assert_eq!(kind(&shell), Some(Kind::All), "the row of {id}");
        }
    }

    #[test]
    fn the_host_is_asked_once_and_a_late_answer_to_another_question_changes_nothing() {
        let mut shell = shell();
        let agent = shell.chosen_agent().expect("an agent").id;
        let _ = shell.link.asked();
        does(&mut shell, Id::FilesGo);
        types(&mut shell, "lib");
        assert_eq!(shell.link.asked(), [Command::ListFiles { agent }]);
        let before = shell.palettes;
        does(&mut shell, Id::OverlayCancel);
        does(&mut shell, Id::FilesGo);
        let files = |names: &[&str]| {
            Ok(Reply::Files(names.iter().map(|name| (*name).to_owned()).collect()))
        };
        shell.palette_heard(before, files(&["old/lib.rs"]));
        shell.palette_heard(shell.palettes, files(&["README.md", "src/lib.rs"]));
        types(&mut shell, "lib");
        does(&mut shell, Id::OverlayAccept);
        assert!(shell.overlay.is_none());
        assert_eq!(shell.context(), Context::Files);
    }

    #[test]
    fn what_the_host_cannot_say_stands_in_the_palette() {
        let mut shell = shell();
        does(&mut shell, Id::BranchesGo);
        shell.palette_heard(shell.palettes, Err("this is no repository".to_owned()));
        does(&mut shell, Id::OverlayAccept);
        assert_eq!(kind(&shell), Some(Kind::Branches), "there is nothing to choose");
    }

    #[test]
    fn a_branch_leads_to_who_has_it_and_is_checked_out_otherwise() {
        let mut shell = shell();
        let here = shell.chosen_agent().expect("an agent").directory.clone();
        let _ = shell.link.asked();
        for (query, expected) in [
            ("fix/old", Some(("fix/old", None))),
            ("release", Some(("release/1", Some("origin/release/1")))),
            // An agent has it checked out.
            ("settings-page", None),
        ] {
            does(&mut shell, Id::BranchesGo);
            let reply = Answer::Branches(Box::new(scene::branches()));
            shell.palette_heard(shell.palettes, Ok(Reply::Changes(reply)));
            let _ = shell.link.asked();
            types(&mut shell, query);
            does(&mut shell, Id::OverlayAccept);
            let expected = expected.map(|(branch, from)| {
                let (branch, from) = (branch.to_owned(), from.map(str::to_owned));
                Command::Changes(Ask::Switch { directory: here.clone(), branch, from })
            });
            assert_eq!(shell.link.asked().first().cloned(), expected, "{query}");
        }
        does(&mut shell, Id::BranchesGo);
        let reply = Answer::Branches(Box::new(scene::branches()));
        shell.palette_heard(shell.palettes, Ok(Reply::Changes(reply)));
        types(&mut shell, "preferences");
        does(&mut shell, Id::OverlayAccept);
        assert_eq!(kind(&shell), Some(Kind::Branches), "it is checked out here");
    }
}

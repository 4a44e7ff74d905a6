//! Writing: drafts, sending, pasting, commands of the user's own.

use std::path::{Path, PathBuf};
use std::time::Duration;

use iced::{Task, clipboard};
use maestro_core::TabId;
use maestro_core::command::Id;
use maestro_core::conversation::{Place, Prompt, Tab, TabState};
use maestro_protocol::message::{Command, IMAGE_LIMIT, ItemChange, Reply, TabChange};

use super::super::{Message, Shell};
use super::{ODD, said};
use crate::window::composer::{self, Facts, command};
use crate::window::talk::{self, Region};
use crate::window::toast::{self, Kind};
use crate::window::{local, paste, tabs};

/// How long a draft may be on its way to the host after a change: less than the 300 ms after which it has
/// to be on the disk, and one write for what is typed meanwhile.
const DRAFT: Duration = Duration::from_millis(200);

/// After this long without a key somebody is not writing any more.
const REST: Duration = Duration::from_millis(1500);

impl Shell {
    /// What is being written is another text: it is kept soon.
    pub(super) fn drafted(&mut self, id: TabId) -> Task<Message> {
        let talk = self.talks.of(id);
        if talk.composer.saving || talk.composer.unsaved().is_none() {
            return Task::none();
        }
        talk.composer.saving = true;
        let rest = async { tokio::time::sleep(DRAFT).await };
        Task::perform(rest, move |()| said(talk::Message::DraftDue(id)))
    }

    pub(super) fn keep_draft(&mut self, tab: TabId) -> Task<Message> {
        let talk = self.talks.of(tab);
        talk.composer.saving = false;
        let Some(draft) = talk.composer.unsaved() else { return Task::none() };
        self.request(Command::SetDraft { tab, draft: draft.clone() }, move |reply| {
            said(talk::Message::DraftKept(tab, draft.clone(), reply.map(|_| ())))
        })
    }

    /// Drafts that the host does not have, for the moment before the window closes, or after a connection is
    /// there again.
    pub(in super::super) fn keep_all_drafts(&mut self) -> Task<Message> {
        let ids: Vec<TabId> = self.talks.open.keys().copied().collect();
        Task::batch(ids.into_iter().map(|id| self.keep_draft(id)))
    }

    /// Somebody writes: what comes meanwhile does not take the keyboard.
    pub(super) fn wrote(&mut self, id: TabId) -> Task<Message> {
        let talk = self.talks.of(id);
        talk.edits += 1;
        talk.rests = false;
        let edits = talk.edits;
        let rest = async { tokio::time::sleep(REST).await };
        Task::perform(rest, move |()| said(talk::Message::Rested(id, edits)))
    }

    /// A command of the composer.
    pub(super) fn composer_command(&mut self, tab: &Tab, id: Id) -> Task<Message> {
        let talk = self.talks.of(tab.id);
        let action = match id {
            Id::ConversationLeave => return self.escape(tab),
            Id::ComposerSend => return self.send(tab.id),
            Id::ComposerUndo => talk.composer.undo(),
            Id::ComposerRedo => talk.composer.redo(),
            Id::ComposerOlder | Id::ComposerNewer => {
                let past = talk.past();
                talk.composer.step_past(id == Id::ComposerOlder, &past)
            }
            Id::ComposerPaste => {
                let tab = tab.id;
                return clipboard::read().map(move |text| said(talk::Message::Pasted(tab, text)));
            }
            Id::ImageRemove => talk.composer.remove_image(),
            Id::ComposerFull => {
                self.talks.region = Region::Composer;
                self.talks.of(tab.id).composer.update(composer::Message::Full)
            }
            Id::ComposerReadOnly => talk.composer.update(composer::Message::ReadOnly),
            Id::PopupUp | Id::PopupDown => {
                talk.composer.step_row(if id == Id::PopupUp { -1 } else { 1 });
                composer::Action::None
            }
            Id::PopupAccept => talk.composer.accept_row(),
            Id::PopupClose => {
                talk.composer.close_popup();
                composer::Action::None
            }
            Id::QueueEditLast => return self.take_last(tab),
            _ => composer::Action::None,
        };
        self.composer_action(tab.id, action)
    }

    /// Says what is written.
    pub(super) fn send(&mut self, id: TabId) -> Task<Message> {
        let Some(tab) = self.model.tab(id).cloned() else { return Task::none() };
        let facts = self.facts(&tab);
        let fresh = self.fresh_token(id);
        let own = std::mem::take(&mut self.talks.own);
        let talk = self.talks.of(id);
        let blocked = matches!(tab.place, Place::Terminal(_)) || talk.composer.is_empty();
        if blocked {
            self.talks.own = own;
            return Task::none();
        }
        let (token, written) = talk.composer.take(fresh);
        let mut prompt = written.clone();
        if let Some(text) = command::expanded(&prompt.text, &own, &facts) {
            prompt.text = text;
        }
        self.talks.own = own;
        self.talks.region = Region::Composer;
        let sent = token.clone();
        let command = Command::Send { tab: id, prompt, token, typed: true };
        let sending = self.request(command, move |reply| {
            let done = match reply {
                Ok(Reply::Sent(_)) => Ok(()),
                Ok(_) => Err(ODD.to_owned()),
                Err(why) => Err(why),
            };
            said(talk::Message::Sent(id, sent.clone(), written.clone(), done))
        });
        let bottom = self.view_command(id, Id::TurnsBottom);
        Task::batch([sending, bottom])
    }

    /// Tells one prompt from every other, those of other windows included.
    fn fresh_token(&mut self, id: TabId) -> String {
        self.talks.sent += 1;
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let now = now.unwrap_or_default().as_nanos();
        format!("window-{}-{id}-{now:x}-{}", std::process::id(), self.talks.sent)
    }

    pub(super) fn sent(
        &mut self,
        id: TabId,
        token: String,
        prompt: Prompt,
        result: Result<(), String>,
    ) -> Task<Message> {
        match result {
            // What was kept as a draft was said: only now is it none any more.
            Ok(()) => self.drafted(id),
            Err(why) => {
                let back = self.talks.of(id).composer.refuse(token, prompt, why.clone());
                let told = if back { Task::none() } else { self.problem(why) };
                Task::batch([told, self.drafted(id)])
            }
        }
    }

    /// The last thing that waits goes back into the composer.
    fn take_last(&mut self, tab: &Tab) -> Task<Message> {
        let queue = self.model.queues.get(&tab.agent);
        let items = queue.map(|queue| queue.items.as_slice()).unwrap_or_default();
        let Some(item) = items.iter().rev().find(|item| item.tab == tab.id).cloned() else {
            let words = "Nothing waits to be said in this tab.";
            return self.toast(toast::Source::Window, Kind::Hint, None, words);
        };
        let talk = self.talks.of(tab.id);
        if !talk.composer.is_empty() {
            let words = "Something is written already: send it or clear it first.";
            return self.toast(toast::Source::Window, Kind::Hint, None, words);
        }
        let action = talk.composer.take_in(item.prompt);
        self.talks.region = Region::Composer;
        let change = ItemChange::Remove;
        let removed = self.ask(Command::ChangeItem { item: item.id, change });
        Task::batch([removed, self.composer_action(tab.id, action)])
    }

    /// Asks the provider to sum up.
    pub(super) fn compact(&mut self, tab: &Tab) -> Task<Message> {
        let menu = self.talks.open.get(&tab.id).and_then(|talk| talk.menu.as_ref());
        let can = menu.is_some_and(|menu| menu.commands.iter().any(|one| one.name == "compact"));
        if !can {
            let words = "This provider has no command that sums up: a new tab begins afresh.";
            return self.toast(toast::Source::Window, Kind::Hint, None, words);
        }
        let prompt = Prompt { text: "/compact".to_owned(), ..Prompt::default() };
        let token = self.fresh_token(tab.id);
        self.ask(Command::Send { tab: tab.id, prompt, token, typed: false })
    }

    /// Whether a limit's end is waited for without the user: the other way round from now on.
    pub(super) fn turn_resumes(&mut self, tab: &Tab) -> Task<Message> {
        let words = match tab.state {
            TabState::Limited { resumes, until_ms } if resumes || until_ms.is_some() => {
                return self.change_tab(tab.id, TabChange::Resumes(!resumes));
            }
            TabState::Limited { .. } => {
                "Nobody knows when this limit ends: go on with “Try now” when it has."
            }
            _ => "This tab waits for no limit.",
        };
        self.toast(toast::Source::Window, Kind::Hint, None, words)
    }

    // What is pasted and dropped.

    pub(super) fn pasted_into(&mut self, id: TabId, text: Option<String>) -> Task<Message> {
        match text.filter(|text| !text.is_empty()) {
            Some(text) => {
                let action = self.talks.of(id).composer.paste(text);
                self.composer_action(id, action)
            }
            None => read_image(id, false),
        }
    }

    pub(super) fn image_into(
        &mut self,
        id: TabId,
        image: Result<Option<Vec<u8>>, String>,
        wanted: bool,
    ) -> Task<Message> {
        match image {
            Ok(Some(png)) => self.keep_image(id, png),
            Ok(None) => {
                let words = if wanted {
                    "There is no image in the clipboard. A file can be dropped into the window."
                } else {
                    "There is neither text nor an image in the clipboard."
                };
                self.toast(toast::Source::Window, Kind::Hint, None, words)
            }
            Err(why) => self.problem(why),
        }
    }

    pub(super) fn keep_image(&mut self, id: TabId, bytes: Vec<u8>) -> Task<Message> {
        self.request(Command::KeepImage { bytes }, move |reply| {
            said(talk::Message::ImageKept(
                id,
                match reply {
                    Ok(Reply::Image(image)) => Ok(image),
                    Ok(_) => Err(ODD.to_owned()),
                    Err(why) => Err(why),
                },
            ))
        })
    }

    /// A file was let go over a conversation: an image becomes a part of the prompt, another file a mention.
    pub(in super::super) fn dropped_into(&mut self, id: TabId, path: &Path) -> Task<Message> {
        if is_image(path) {
            let path = path.to_owned();
            let read = async move { tokio::task::spawn_blocking(move || read_file(&path)).await };
            return Task::perform(read, move |read| {
                let read = read.map_err(|error| error.to_string()).and_then(|read| read);
                said(talk::Message::FileRead(id, read))
            });
        }
        let agent = self.model.tab(id).and_then(|tab| self.model.agent(tab.agent));
        let place = agent.map(|agent| agent.directory.clone()).unwrap_or_default();
        let shown = path.strip_prefix(&place).unwrap_or(path).display().to_string();
        let action = self.talks.of(id).composer.paste(format!("@{shown} "));
        self.composer_action(id, action)
    }

    // Commands.

    /// Where the user's own commands are.
    fn commands_folder(&self) -> Option<PathBuf> {
        Some(self.settings_path.as_ref()?.parent()?.join("commands"))
    }

    pub(in super::super) fn read_own(&self) -> Task<Message> {
        let Some(folder) = self.commands_folder() else { return Task::none() };
        let read = async move { tokio::task::spawn_blocking(move || command::read(&folder)).await };
        Task::perform(read, |own| said(talk::Message::Own(own.unwrap_or_default())))
    }

    pub(super) fn read_menu(&self, tab: TabId) -> Task<Message> {
        self.request(Command::ReadMenu { tab }, move |reply| {
            said(talk::Message::Menu(
                tab,
                match reply {
                    Ok(Reply::Menu(menu)) => Ok(menu),
                    Ok(_) => Err(ODD.to_owned()),
                    Err(why) => Err(why),
                },
            ))
        })
    }

    /// Offers what commands are known.
    pub(in super::super) fn offer(&mut self, id: TabId) {
        let own = std::mem::take(&mut self.talks.own);
        let talk = self.talks.of(id);
        talk.composer.offered(talk.menu.as_ref(), &own);
        self.talks.own = own;
    }

    /// What words in a command of the user's own stand for.
    fn facts(&self, tab: &Tab) -> Facts {
        let Some(agent) = self.model.agent(tab.agent) else { return Facts::default() };
        let project = agent.repository.as_ref().unwrap_or(&agent.directory);
        let project = project.file_name().map(|name| name.to_string_lossy().into_owned());
        let context = tab.context.and_then(maestro_core::conversation::Context::percent);
        let facts = Facts::default()
            .with(&["AGENT_NAME"], &agent.name)
            .with(&["AGENT_ID"], agent.id.to_string())
            .with(&["AGENT_PATH", "CWD", "PROJECT_PATH"], agent.directory.display().to_string())
            .with(&["PROJECT_NAME"], project.unwrap_or_default())
            .with(&["TOOL_TYPE"], agent.provider.name())
            .with(&["TAB_NAME", "SESSION_NAME"], tabs::title(tab))
            .with(&["AGENT_SESSION_ID", "SESSION_ID"], tab.session.clone().unwrap_or_default())
            .with(&["GIT_BRANCH"], agent.branch.clone().unwrap_or_default())
            .with(&["IS_GIT_REPO"], agent.repository.is_some().to_string())
            .with(
                &["CONTEXT_USAGE"],
                context.map(|percent| percent.to_string()).unwrap_or_default(),
            )
            .with(&["TIMESTAMP"], crate::window::now_ms().to_string());
        let Some((date, time, day)) = local::date_time_weekday(crate::window::now_ms()) else {
            return facts;
        };
        let part = |from: usize, to: usize| date.get(from..to).unwrap_or_default().to_owned();
        facts
            .with(&["YEAR"], part(0, 4))
            .with(&["MONTH"], part(5, 7))
            .with(&["DAY"], part(8, 10))
            .with(&["DATETIME"], format!("{date} {time}"))
            .with(&["DATE"], date.clone())
            .with(&["TIME"], time)
            .with(&["WEEKDAY"], day)
    }
}

/// Reads the clipboard's image on a thread of its own.
pub(super) fn read_image(id: TabId, wanted: bool) -> Task<Message> {
    let read = async { tokio::task::spawn_blocking(paste::image).await };
    Task::perform(read, move |read| {
        let read = read.map_err(|error| error.to_string()).and_then(|read| read);
        said(talk::Message::ImageRead(id, read, wanted))
    })
}

fn is_image(path: &Path) -> bool {
    let known = |kind: &str| matches!(kind, "png" | "jpg" | "jpeg" | "gif" | "webp");
    path.extension().and_then(|kind| kind.to_str()).is_some_and(|kind| known(&kind.to_lowercase()))
}

fn read_file(path: &Path) -> Result<Vec<u8>, String> {
    let about =
        std::fs::metadata(path).map_err(|error| format!("the image cannot be read: {error}"))?;
    if !about.is_file() || about.len() > IMAGE_LIMIT as u64 {
        return Err(format!("the image is larger than {} MB", IMAGE_LIMIT >> 20));
    }
    std::fs::read(path).map_err(|error| format!("the image cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_known_by_their_names() {
        for (path, expected) in
            [("/a/b.PNG", true), ("x.webp", true), ("x.svg", false), ("png", false)]
        {
            assert_eq!(is_image(Path::new(path)), expected, "{path}");
        }
    }
}

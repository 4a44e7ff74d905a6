//! What the world may know about a terminal without asking it, and what happened in it since somebody
//! last asked.

use std::collections::VecDeque;
use std::path::PathBuf;

use maestro_core::search::Search;
use maestro_protocol::message::TerminalInfo;
use maestro_terminal::{Event, Progress, Prompt, Status};

/// Notifications that may wait to be told.
const NOTIFICATIONS: usize = 3;
/// The most bytes a child may write to the clipboard at once.
const CLIPBOARD: usize = 1 << 20;

/// What is known about a terminal and not yet told.
pub(super) struct Facts {
    pub(super) info: TerminalInfo,
    pub(super) name: String,
    pub(super) started_in: PathBuf,
    pub(super) news: News,
    /// How far its search is, as last told.
    pub(super) search: Option<Search>,
}

/// What happened in a terminal since somebody last asked.
#[derive(Debug, Default)]
pub(crate) struct News {
    /// Title, directory, size, exit or progress changed.
    pub(crate) info: bool,
    pub(crate) notifications: VecDeque<(String, String)>,
    pub(crate) bell: bool,
    pub(crate) clipboard: Option<String>,
    pub(crate) status: Option<Option<Status>>,
    pub(crate) title: Option<String>,
    pub(crate) progress: Option<Progress>,
    /// The last mark, but that a command ended is not forgotten over the prompt after it.
    pub(crate) prompt: Option<Prompt>,
    pub(crate) exit: Option<i32>,
    /// The user typed.
    pub(crate) typed: bool,
}

impl Facts {
    pub(super) fn note(&mut self, event: Event) {
        match event {
            Event::Title(title) => {
                self.news.title = Some(title.clone().unwrap_or_default());
                self.info.title = title.unwrap_or_else(|| self.name.clone());
                self.news.info = true;
            }
            Event::Directory(directory) => {
                let known = directory.is_absolute();
                self.info.directory = if known { directory } else { self.started_in.clone() };
                self.news.info = true;
            }
            Event::Notification { title, body } => {
                if self.news.notifications.len() < NOTIFICATIONS {
                    self.news.notifications.push_back((title, body));
                }
            }
            Event::Progress(progress) => {
                self.info.progress = progress.percent();
                self.news.progress = Some(progress);
                self.news.info = true;
            }
            Event::Bell => self.news.bell = true,
            Event::Clipboard(text) if text.len() > CLIPBOARD => {}
            Event::Clipboard(text) => self.news.clipboard = Some(text),
            Event::Status(status) => self.news.status = Some(status),
            Event::Prompt(prompt) => self.news.mark(prompt),
        }
    }
}

impl News {
    pub(crate) fn mark(&mut self, prompt: Prompt) {
        let over = matches!(self.prompt, Some(Prompt::Done(_)));
        if !(over && matches!(prompt, Prompt::Start | Prompt::Command)) {
            self.prompt = Some(prompt);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        !(self.info || self.bell || self.typed)
            && self.notifications.is_empty()
            && self.clipboard.is_none()
            && self.status.is_none()
            && self.progress.is_none()
            && self.prompt.is_none()
    }
}

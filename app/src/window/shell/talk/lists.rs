//! Lists over the window: policies, models, tabs that were closed, words in all tabs, what waits.

use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use iced::Task;
use maestro_core::TabId;
use maestro_core::command::Id;
use maestro_core::conversation::export::{Head, html, markdown};
use maestro_core::conversation::{Entry, Tab};
use maestro_core::link;
use maestro_protocol::message::{Command, ItemChange, Reply, TabHit};

use super::super::{Message, Overlay, Shell};
use super::{ODD, said};
use crate::window::conversation::Format;
use crate::window::tabs::picker::{self, Pick, Picker};
use crate::window::talk;
use crate::window::target;
use crate::window::toast::{self, Kind};
use crate::window::{local, queue, tabs};

/// Names that are tried for an export.
const MOST_NAMES: u32 = 1000;

/// Entries that are read at once for an export.
const LEAVES: u32 = 1000;

/// Hits that are asked for.
const HITS: u32 = 60;

impl Shell {
    /// Offers what can be chosen for a tab.
    pub(super) fn offer_menu(&mut self, tab: &Tab, id: Id) -> Task<Message> {
        let menu = self.talks.open.get(&tab.id).and_then(|talk| talk.menu.as_ref());
        let picker = match id {
            Id::TabPolicy => Picker::policy(tab, menu),
            Id::TabEffort => Picker::effort(tab, menu),
            _ => Picker::model(tab, menu),
        };
        let unknown = menu.is_none();
        self.talks.offered = Some((tab.id, id));
        self.overlay = Some(Overlay::Picker(picker));
        if unknown { self.read_menu(tab.id) } else { Task::none() }
    }

    /// What can be chosen came while the list was open.
    pub(super) fn refresh_picker(&mut self, id: TabId) {
        let Some((tab, command)) = self.talks.offered.filter(|(tab, _)| *tab == id) else { return };
        let Some(Overlay::Picker(picker)) = &self.overlay else { return };
        if !picker.waits() {
            return;
        }
        if let Some(tab) = self.model.tab(tab).cloned() {
            let _ = self.offer_menu(&tab, command);
        }
    }

    pub(super) fn offer_closed(&mut self) -> Task<Message> {
        let Some(agent) = self.chosen_agent().map(|agent| agent.id) else { return Task::none() };
        let closed: Vec<&Tab> =
            self.model.tabs.iter().filter(|tab| tab.agent == agent && tab.closed).collect();
        if closed.is_empty() {
            let words = "No tab of this agent is closed.";
            return self.toast(toast::Source::Window, Kind::Hint, None, words);
        }
        let picker = Picker::closed(closed.into_iter(), self.now_ms);
        self.overlay = Some(Overlay::Picker(picker));
        Task::none()
    }

    pub(in super::super) fn picker(
        &mut self,
        change: impl FnOnce(&mut Picker) -> picker::Action,
    ) -> Task<Message> {
        let Some(Overlay::Picker(picker)) = &mut self.overlay else { return Task::none() };
        match change(picker) {
            picker::Action::None => Task::none(),
            picker::Action::Go(pick) => {
                self.overlay = None;
                self.picked(pick)
            }
            picker::Action::Search(words) => {
                let command = Command::SearchTabs { words: words.clone(), agent: None, most: HITS };
                self.request(command, move |reply| {
                    let hits = match reply {
                        Ok(Reply::TabHits(hits)) => Ok(hits),
                        Ok(_) => Err(ODD.to_owned()),
                        Err(why) => Err(why),
                    };
                    said(talk::Message::Found(words.clone(), hits))
                })
            }
        }
    }

    fn picked(&mut self, pick: Pick) -> Task<Message> {
        match pick {
            Pick::Change(tab, change) => self.change_tab(tab, change),
            Pick::Reopen(tab) => self.reopen_tab(tab),
            Pick::Entry(tab, entry) => {
                let closed = self.model.tab(tab).is_some_and(|tab| tab.closed);
                let opened = if closed { self.reopen_tab(tab) } else { Task::none() };
                self.show_tab(tab);
                self.talks.region = talk::Region::Entries;
                self.talks.of(tab).view.go_to(entry);
                opened
            }
            Pick::Item(item, change) => {
                // It was opened from what waits, and goes back there.
                let here = self.focused_agent().map(|(agent, _)| agent.id);
                let view = queue::View::new(&self.model, here);
                self.overlay = Some(Overlay::Queue(Box::new(view)));
                self.ask(Command::ChangeItem { item, change })
            }
        }
    }

    pub(super) fn found(
        &mut self,
        words: &str,
        hits: Result<Vec<TabHit>, String>,
    ) -> Task<Message> {
        let hits = match hits {
            Ok(hits) => hits,
            Err(why) => return self.problem(why),
        };
        let named = hits.into_iter().map(|hit| {
            let tab = self.model.tab(hit.tab);
            let agent = tab.and_then(|tab| self.model.agent(tab.agent));
            let agent = agent.map(|agent| agent.name.clone()).unwrap_or_default();
            let title = tab.map(tabs::title).unwrap_or_default();
            (format!("{agent} · {title}"), hit)
        });
        let named = named.collect();
        if let Some(Overlay::Picker(picker)) = &mut self.overlay {
            picker.found(words, named);
        }
        Task::none()
    }

    // What waits.

    pub(in super::super) fn queue_command(&mut self, id: Id) -> Task<Message> {
        let Some(Overlay::Queue(queue)) = &mut self.overlay else { return Task::none() };
        let action = queue.command(id, &self.model);
        self.queue_action(action)
    }

    pub(super) fn queue_action(&mut self, action: queue::Action) -> Task<Message> {
        match action {
            queue::Action::None => Task::none(),
            queue::Action::Close => {
                self.overlay = None;
                Task::none()
            }
            queue::Action::Change(item, change) => {
                let removed = change == ItemChange::Remove;
                let change = self.ask(Command::ChangeItem { item, change });
                if !removed {
                    return change;
                }
                let title = Some("Taken out of the queue".to_owned());
                let words = "Press here, or u in the queue, to put it back.";
                let told = self.toast(toast::Source::Queue(item), Kind::Note, title, words);
                Task::batch([change, told])
            }
            queue::Action::Hold(agent, held) => self.ask(Command::HoldQueue { agent, held }),
            queue::Action::Target(item, now) => {
                let agent = self.model.tab(now).map(|tab| tab.agent);
                let tabs = self.model.tabs.iter();
                let tabs = tabs.filter(|tab| Some(tab.agent) == agent && !tab.closed);
                let picker = Picker::target(item, now, tabs);
                self.overlay = Some(Overlay::Picker(picker));
                Task::none()
            }
            queue::Action::Open(tab) => {
                self.overlay = None;
                self.show_tab(tab);
                Task::none()
            }
        }
    }

    /// Puts back what a toast says was taken out.
    pub(in super::super) fn put_back(&mut self, item: maestro_core::ItemId) -> Task<Message> {
        self.ask(Command::ChangeItem { item, change: ItemChange::Restore })
    }

    // What was said.

    /// An address in what an agent said: it is asked about, as in a terminal.
    pub(super) fn open_address(&self, id: TabId, address: &str) -> Task<Message> {
        let agent = self.model.tab(id).and_then(|tab| self.model.agent(tab.agent));
        let place = agent.map(|agent| agent.directory.clone()).unwrap_or_default();
        let home = std::env::var_os("HOME").map(std::path::PathBuf::from);
        let read = target::read(address, link::Kind::Url, &place, home.as_deref());
        let examined =
            async move { tokio::task::spawn_blocking(move || target::examined(read)).await.ok() };
        Task::perform(examined, Message::Examined)
    }

    /// Writes a tab into a new file in the user's home folder.
    pub(super) fn export_tab(&self, id: TabId, format: Format) -> Task<Message> {
        let Some(tab) = self.model.tab(id) else { return Task::none() };
        let agent = self.model.agent(tab.agent);
        let fact = |name: &str, value: String| (name.to_owned(), value);
        let facts = [
            agent.map(|agent| fact("Agent", agent.name.clone())),
            agent.map(|agent| fact("Program", agent.provider.title().to_owned())),
            tab.model.clone().map(|model| fact("Model", model)),
            agent.and_then(|agent| agent.branch.clone()).map(|branch| fact("Branch", branch)),
        ];
        let title = tabs::title(tab);
        let head = Head { title: title.clone(), facts: facts.into_iter().flatten().collect() };
        let link = self.link.clone();
        let path = export_path(&title, format, self.now_ms);
        let written = async move {
            let mut entries: Vec<Entry> = Vec::new();
            let mut before = u64::MAX;
            while before > 0 {
                let read = Command::ReadTab { tab: id, before, most: LEAVES };
                let page = match link.request(read).await {
                    Ok(Reply::Entries(page)) => page.entries,
                    Ok(_) => return Err(ODD.to_owned()),
                    Err(error) => return Err(error.message),
                };
                let Some(first) = page.first().map(|entry| entry.n).filter(|n| *n < before) else {
                    break;
                };
                before = first;
                let _ = entries.splice(0..0, page);
            }
            let path = path.ok_or("there is no home folder to write into")?;
            let write = move || {
                let said = match format {
                    Format::Html => html(&head, &entries, crate::embed::pictures()),
                    Format::Markdown => markdown(&head, &entries),
                };
                write_new(&path, said.as_bytes())
                    .map_err(|error| format!("{} cannot be written: {error}", path.display()))
            };
            let written = tokio::task::spawn_blocking(write).await;
            written.unwrap_or_else(|error| Err(error.to_string()))
        };
        Task::perform(written, |path| said(talk::Message::Exported(path)))
    }
}

/// Where a conversation is written: a new file in the home folder, named after it.
fn export_path(title: &str, format: Format, now_ms: u64) -> Option<PathBuf> {
    let home = std::env::home_dir().filter(|home| home.is_absolute())?;
    let word: String =
        title.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).take(60).collect();
    let word = word.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-");
    let (date, time, _) = local::date_time_weekday(now_ms)?;
    let kind = match format {
        Format::Html => "html",
        Format::Markdown => "md",
    };
    Some(home.join(format!("maestro-{word}-{date}-{}.{kind}", time.replace(':', ""))))
}

/// Writes a file that was not there before, for its owner alone: a conversation may hold secrets. A name that
/// is taken gets a number. What could not be written whole is removed.
fn write_new(path: &Path, bytes: &[u8]) -> std::io::Result<PathBuf> {
    let mut options = std::fs::OpenOptions::new();
    let _ = options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        let _ = options.mode(0o600);
    }
    let mut number = 1;
    let (mut file, path) = loop {
        let candidate = numbered(path, number);
        match options.open(&candidate) {
            Ok(file) => break (file, candidate),
            Err(error) if error.kind() == ErrorKind::AlreadyExists && number < MOST_NAMES => {
                number += 1;
            }
            Err(error) => return Err(error),
        }
    };
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    if let Err(error) = written {
        drop(file);
        let _ = std::fs::remove_file(&path);
        return Err(error);
    }
    Ok(path)
}

/// `talk.html` is `talk-2.html` the second time.
fn numbered(path: &Path, number: u32) -> PathBuf {
    if number < 2 {
        return path.to_owned();
    }
    let part =
        |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
    let (stem, kind) = (part(path.file_stem()), part(path.extension()));
    path.with_file_name(format!("{stem}-{number}.{kind}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_takes_no_other_files_place() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let path = folder.path().join("maestro-talk-2026-11-23-0705.html");
        let names = ["", "-2", "-3"].map(|n| format!("maestro-talk-2026-11-23-0705{n}.html"));
        for (n, name) in names.iter().enumerate() {
            let said = format!("the {n}. time");
            let written = write_new(&path, said.as_bytes()).expect("written");
            assert_eq!(written, folder.path().join(name));
            assert_eq!(std::fs::read_to_string(&written).expect("read"), said);
        }
        let first = std::fs::read_to_string(&path).expect("it is still there");
        assert_eq!(first, "the 0. time");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(&path).expect("it is there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "nobody else reads it");
        }
        let nowhere = folder.path().join("gone/talk.html");
        let error = write_new(&nowhere, b"x").expect_err("there is no such folder");
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
}

//! A question with a few answers, about one terminal: what is to be pasted, where a link leads, what a
//! program wants. The first answer is the one under Enter.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use iced::widget::{Column, column, container, row, text_input};
use iced::{Alignment, Element, Length};
use maestro_core::agent::{Agent, Clipboard};
use maestro_core::text;
use maestro_core::trash::{Prospect, Snapshot};
use maestro_core::{AgentId, SnapshotId, TerminalId};
use maestro_ui::theme::{Tokens, space, type_scale};
use maestro_ui::{font, line, part, style};

use super::paste;
use super::target::{File, Is, Target};

/// The input's id.
pub const INPUT: &str = "ask-input";

/// How long a question that comes by itself takes no key for an answer: nobody reads faster.
pub const UNSEEN: Duration = Duration::from_millis(250);

/// An open question.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    title: String,
    /// What it is about, in words.
    words: Option<String>,
    /// What a program or the clipboard holds, shown as it is.
    quoted: Vec<String>,
    /// What is to be typed, under a label.
    input: Option<(&'static str, String)>,
    choices: Vec<Choice>,
    marked: usize,
    error: Option<String>,
    /// Whether the user cannot have seen it yet.
    unseen: bool,
}

#[derive(Debug, Clone, PartialEq)]
struct Choice {
    title: &'static str,
    about: String,
    deed: Deed,
}

fn choice(title: &'static str, about: impl Into<String>, deed: Deed) -> Choice {
    Choice { title, about: about.into(), deed }
}

/// What an answer does.
#[derive(Debug, Clone, PartialEq)]
pub enum Deed {
    /// Nothing.
    Nothing,
    /// Forgets a terminal's screen and history.
    ClearHistory(TerminalId),
    /// Writes a terminal's text into the file that was typed.
    Export {
        /// Which.
        terminal: TerminalId,
        /// With colours.
        ansi: bool,
        /// The file, as typed.
        file: String,
    },
    /// Types a text.
    Paste {
        /// Where.
        terminal: TerminalId,
        /// The text; it may be large.
        text: Arc<str>,
        /// As one line.
        flat: bool,
        /// Without asking again there until the window is closed.
        always: bool,
    },
    /// Opens a page.
    Open(String),
    /// Opens a page, and those of its host from now on.
    OpenAlways(String, String),
    /// Opens a file in the editor, or what the desktop has for it.
    OpenFile(File),
    /// Shows a folder.
    OpenFolder(PathBuf),
    /// Puts a text into the clipboard.
    Copy(String),
    /// Puts what a program wrote into the clipboard.
    Allow(TerminalId, String),
    /// Does not.
    Refuse(TerminalId),
    /// Says what an agent's programs may from now on; what one wants at the moment is settled by it.
    SetClipboard(AgentId, Clipboard),
    /// Removes worktrees into the trash, with what stands idle there.
    RemoveWorktrees(Vec<PathBuf>),
    /// Looks again whether worktrees can be removed.
    LookAgain(Vec<PathBuf>),
    /// Brings a checkout's files back to a snapshot.
    RestoreFiles(SnapshotId),
    /// Forgets snapshots for good.
    Purge(Vec<SnapshotId>),
    /// Closes the question, and nothing else.
    Leave,
}

/// What happens in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// What was typed is another text.
    Edited(String),
    /// An answer was pressed.
    Picked(usize),
    /// The way out was pressed.
    Cancelled,
}

impl Ask {
    fn new(title: impl Into<String>, choices: Vec<Choice>) -> Self {
        Self {
            title: title.into(),
            words: None,
            quoted: Vec::new(),
            input: None,
            choices,
            marked: 0,
            error: None,
            unseen: false,
        }
    }

    /// The question comes by itself, later than what made it come: a key pressed in that moment was meant
    /// for the terminal under it.
    #[must_use]
    pub fn unseen(self) -> Self {
        Self { unseen: true, ..self }
    }

    /// Whether the user cannot have seen it yet.
    #[must_use]
    pub fn is_unseen(&self) -> bool {
        self.unseen
    }

    /// It was there long enough to be seen.
    pub fn seen(&mut self) {
        self.unseen = false;
    }

    /// Whether it is about where a text is written.
    #[must_use]
    pub fn is_export(&self) -> bool {
        self.choices.iter().any(|choice| matches!(choice.deed, Deed::Export { .. }))
    }

    /// Without the answers that hold for good, where nothing is remembered.
    #[must_use]
    pub fn once(mut self) -> Self {
        self.choices.retain(|choice| !matches!(choice.deed, Deed::OpenAlways(..)));
        self
    }

    fn words(self, words: impl Into<String>) -> Self {
        Self { words: Some(words.into()), ..self }
    }

    fn quoted(self, quoted: Vec<String>) -> Self {
        Self { quoted, ..self }
    }

    /// Whether a terminal's history is to be forgotten.
    #[must_use]
    pub fn clear_history(terminal: TerminalId, name: &str) -> Self {
        let clear =
            choice("Clear", "what was printed is gone for good", Deed::ClearHistory(terminal));
        Self::new(format!("Clear the history of {name}?"), vec![clear]).words(
            "The screen is emptied and everything above it is forgotten. There is no way back; \
             “Export as text…” keeps a copy.",
        )
    }

    /// Where a terminal's text goes.
    #[must_use]
    pub fn export(terminal: TerminalId, name: &str, file: String) -> Self {
        let deed = |ansi| Deed::Export { terminal, ansi, file: String::new() };
        let choices = vec![
            choice("Write text", "as one reads it", deed(false)),
            choice("Write with colours", "with escape sequences, for cat and less -R", deed(true)),
        ];
        let ask = Self::new(format!("Export {name}"), choices);
        Self { input: Some(("File", file)), ..ask }
    }

    /// Whether a text with line breaks is to be typed.
    #[must_use]
    pub fn paste(terminal: TerminalId, name: &str, text: String) -> Self {
        let count = paste::line_count(&text);
        let (mut quoted, more) = paste::preview(&text);
        if more > 0 {
            quoted.push(format!("… and {more} more {}", if more == 1 { "line" } else { "lines" }));
        }
        let title = match count {
            1 => format!("Paste a line and Enter into {name}?"),
            count => format!("Paste {count} lines into {name}?"),
        };
        let text: Arc<str> = text.into();
        let deed = |flat, always| Deed::Paste { terminal, text: Arc::clone(&text), flat, always };
        let choices = vec![
            choice("Paste", "every line break runs what stands before it", deed(false, false)),
            choice("Paste as one line", "runs nothing", deed(true, false)),
            choice(
                "Paste, and do not ask again here",
                "until the window is closed",
                deed(false, true),
            ),
        ];
        Self::new(title, choices).quoted(quoted)
    }

    /// Whether a link is to be followed. `editor` is the program that files are opened with.
    #[must_use]
    pub fn link(target: &Target, editor: Option<&str>) -> Self {
        let shown = target.shown();
        let copy = |text: String| choice("Copy", "put it into the clipboard", Deed::Copy(text));
        let ask = match target {
            Target::Web { url, host } => {
                let host = text::clean(host, 80);
                let choices = vec![
                    choice("Open", "in the browser", Deed::Open(url.clone())),
                    choice(
                        "Open, and always for this host",
                        host.clone(),
                        Deed::OpenAlways(url.clone(), host.clone()),
                    ),
                    copy(url.clone()),
                ];
                let ask = Self::new(format!("Open a page of {host}?"), choices);
                if host.is_ascii() {
                    ask
                } else {
                    ask.words("The host's name has letters that can look like others. Look twice.")
                }
            }
            Target::Mail { url } => {
                let open = choice("Write", "in the mail program", Deed::Open(url.clone()));
                Self::new("Write a letter?", vec![open, copy(url.clone())])
            }
            Target::Refused { target, why } => {
                Self::new("This link is not opened", vec![copy(target.clone())]).words(why.clone())
            }
            Target::File(file) => Self::file(file, editor),
        };
        ask.quoted(vec![shown])
    }

    fn file(file: &File, editor: Option<&str>) -> Self {
        let path = file.path.to_string_lossy().into_owned();
        let copy = choice("Copy", "put its name into the clipboard", Deed::Copy(path));
        let folder = file
            .path
            .parent()
            .map(|folder| choice("Show its folder", "", Deed::OpenFolder(folder.to_owned())));
        let open = |about: String| choice("Open", about, Deed::OpenFile(file.clone()));
        match (file.is, editor) {
            (Is::Missing, _) => Self::new("There is no such file", vec![copy])
                .words("It was moved or deleted, or it is in another folder than the terminal."),
            (Is::Folder, _) => {
                let open = choice("Open", "with the desktop", Deed::OpenFolder(file.path.clone()));
                Self::new("Open a folder?", vec![open, copy])
            }
            (Is::Program, None) => {
                let choices = folder.into_iter().chain([copy]).collect();
                Self::new("This file is a program", choices).words(
                    "The desktop would run it, so it is not opened. With an editor in settings.toml \
                     it can be read.",
                )
            }
            (_, Some(editor)) => {
                let choices = [open(format!("with {editor}"))].into_iter().chain(folder);
                Self::new("Open a file?", choices.chain([copy]).collect())
            }
            (_, None) => {
                let choices =
                    [open("with the desktop's program".to_owned())].into_iter().chain(folder);
                Self::new("Open a file?", choices.chain([copy]).collect())
            }
        }
    }

    /// Whether a program may write to the clipboard.
    #[must_use]
    pub fn clipboard(terminal: TerminalId, name: &str, agent: Option<AgentId>, text: &str) -> Self {
        let (mut quoted, more) = paste::preview(text);
        if more > 0 {
            quoted.push(format!("… and {more} more lines"));
        }
        let mut choices =
            vec![choice("Allow this once", "", Deed::Allow(terminal, text.to_owned()))];
        if let Some(agent) = agent {
            choices.push(choice(
                "Always allow",
                "for this agent",
                Deed::SetClipboard(agent, Clipboard::Allow),
            ));
        }
        choices.push(choice("Refuse", "the clipboard stays as it is", Deed::Refuse(terminal)));
        if let Some(agent) = agent {
            choices.push(choice(
                "Never allow",
                "for this agent",
                Deed::SetClipboard(agent, Clipboard::Deny),
            ));
        }
        let count = text.chars().count();
        Self::new(format!("{name} wants to put this into the clipboard"), choices)
            .words(format!("{count} characters."))
            .quoted(quoted)
    }

    /// What an agent's programs may do with the clipboard.
    #[must_use]
    pub fn clipboard_access(agent: &Agent) -> Self {
        let set = |title, about: &str, clipboard| {
            let now = if clipboard == agent.clipboard { " · now" } else { "" };
            choice(title, format!("{about}{now}"), Deed::SetClipboard(agent.id, clipboard))
        };
        let choices = vec![
            set("While it has the keyboard", "what you work in may copy", Clipboard::Focused),
            set("Ask each time", "nothing is written unseen", Clipboard::Ask),
            set("Always", "even in the background", Clipboard::Allow),
            set("Never", "its requests are dropped", Clipboard::Deny),
        ];
        let all = [Clipboard::Focused, Clipboard::Ask, Clipboard::Allow, Clipboard::Deny];
        let marked = all.iter().position(|one| *one == agent.clipboard).unwrap_or(0);
        let ask = Self::new(format!("Clipboard access of {}", agent.name), choices)
            .words("Programs in a terminal can write to the clipboard. They can never read it.");
        Self { marked, ..ask }
    }

    /// Whether worktrees are to be removed, what becomes of what is in them, and what is in the way.
    #[must_use]
    pub fn remove_worktrees(all: &[Prospect]) -> Self {
        let name = |one: &Prospect| {
            let path = || one.path.to_string_lossy().into_owned();
            text::clean(&one.branch.clone().unwrap_or_else(path), 80)
        };
        let paths: Vec<PathBuf> = all.iter().map(|one| one.path.clone()).collect();
        let what = match all {
            [one] => name(one),
            all => format!("{} worktrees", all.len()),
        };
        let lines = |of: fn(&Prospect) -> &Vec<String>| -> Vec<String> {
            let named = all.iter().flat_map(|one| of(one).iter().map(move |line| (one, line)));
            named
                .map(|(one, line)| match all {
                    [_] => part::sentence(&text::clean(line, 300)),
                    _ => format!("{}: {}", name(one), text::clean(line, 300)),
                })
                .collect()
        };
        let obstacles = lines(|one| &one.obstacles);
        if !obstacles.is_empty() {
            let again = choice("Look again", "when that is over", Deed::LookAgain(paths));
            let words = "Nothing was touched. This is in the way:";
            return Self::new(format!("{what} cannot be removed now"), vec![again])
                .words(words)
                .quoted(obstacles);
        }
        let words = match all {
            [one] => text::clean(&one.words(), 600),
            all => {
                let changed: u32 = all.iter().map(|one| one.changed + one.untracked).sum();
                let open = match changed {
                    0 => String::new(),
                    count => format!(", {count} that are not committed included"),
                };
                format!(
                    "Every file in them is kept for 30 days{open}. Their branches stay; agents that work \
                     there go with them."
                )
            }
        };
        let runs = lines(|one| &one.runs);
        let about = if runs.is_empty() {
            "it can be undone for 30 days"
        } else {
            "and end what stands there idle; it can be undone for 30 days"
        };
        let remove = choice("Remove", about, Deed::RemoveWorktrees(paths));
        let mut quoted = if all.len() > 1 { all.iter().map(name).collect() } else { Vec::new() };
        quoted.extend(runs);
        Self::new(format!("Remove {what}?"), vec![remove]).words(words).quoted(quoted)
    }

    /// Whether a checkout's files go back to what a snapshot has.
    #[must_use]
    pub fn restore_files(snapshot: &Snapshot) -> Self {
        let path = text::clean(&snapshot.path.to_string_lossy(), 200);
        let back = choice("Put them back", "", Deed::RestoreFiles(snapshot.id));
        let leave = choice("Leave them", "", Deed::Leave);
        let title = format!("Put the files back to “{}”?", text::clean(&snapshot.message, 80));
        Self::new(title, vec![back, leave])
            .words(
                "What is there now is kept as a snapshot before, so this can be undone. The branch and its \
                 commits stay where they are.",
            )
            .quoted(vec![path])
    }

    /// Whether snapshots are to be forgotten for good.
    #[must_use]
    pub fn purge(all: &[Snapshot]) -> Self {
        let named = all.iter().take(8).map(|one| {
            let branch = one.branch.as_deref().unwrap_or("no branch");
            text::clean(&format!("{} · {branch} · {}", one.id, one.message), 120)
        });
        let mut quoted: Vec<String> = named.collect();
        if all.len() > quoted.len() {
            quoted.push(format!("… and {} more", all.len() - quoted.len()));
        }
        let ids = all.iter().map(|one| one.id).collect();
        let what = if all.len() == 1 { "this".to_owned() } else { format!("these {}", all.len()) };
        let leave = choice("Keep", "", Deed::Leave);
        let purge = choice("Forget for good", "there is no way back", Deed::Purge(ids));
        Self::new(format!("Forget {what} for good?"), vec![leave, purge])
            .words("Files that were not committed are in nothing else. This cannot be undone.")
            .quoted(quoted)
    }

    /// The id of the input, where something is to be typed.
    #[must_use]
    pub fn input(&self) -> Option<&'static str> {
        self.input.as_ref().map(|_| INPUT)
    }

    /// Marks another answer; the ends are joined.
    pub fn step(&mut self, by: isize) {
        let count = self.choices.len() as isize;
        if count > 0 {
            self.marked = (self.marked as isize + by).rem_euclid(count) as usize;
        }
    }

    /// Takes in what happened; `None` for the way out.
    pub fn update(&mut self, message: Message) -> Option<Deed> {
        match message {
            Message::Edited(text) => {
                if let Some((_, typed)) = &mut self.input {
                    *typed = text;
                    self.error = None;
                }
                Some(Deed::Nothing)
            }
            Message::Picked(index) => {
                self.marked = index;
                Some(self.accept())
            }
            Message::Cancelled => None,
        }
    }

    /// What the marked answer does.
    pub fn accept(&mut self) -> Deed {
        let deed =
            self.choices.get(self.marked).map_or(Deed::Nothing, |choice| choice.deed.clone());
        let typed = self.input.as_ref().map(|(_, typed)| typed.trim().to_owned());
        match deed {
            Deed::Export { .. } if typed.as_ref().is_none_or(String::is_empty) => {
                self.error = Some("Say which file.".to_owned());
                Deed::Nothing
            }
            Deed::Export { terminal, ansi, .. } => {
                Deed::Export { terminal, ansi, file: typed.unwrap_or_default() }
            }
            deed => deed,
        }
    }

    /// It could not be done.
    pub fn refused(&mut self, why: &str) {
        self.error = Some(part::sentence(why));
    }

    /// The dialog.
    pub fn view(&self, tokens: &'static Tokens) -> Element<'_, Message> {
        let title = line(&*self.title, type_scale::TITLE, font::SEMIBOLD, tokens.text).fill();
        let words = self
            .words
            .as_ref()
            .map(|words| part::paragraph(words, type_scale::BASE, font::REGULAR, tokens.dim));
        let quoted = (!self.quoted.is_empty()).then(|| part::quote(tokens, self.quoted.clone()));
        let input = self.input.as_ref().map(|(label, typed)| {
            let input = text_input("", typed)
                .id(INPUT)
                .on_input(Message::Edited)
                .size(type_scale::BASE.0)
                .font(font::MONO)
                .padding([6.0, 10.0])
                .style(style::input(tokens, self.error.is_some()));
            part::field(tokens, label, input.into(), None)
        });
        let error = self
            .error
            .as_ref()
            .map(|error| part::paragraph(error, type_scale::SMALL, font::REGULAR, tokens.red));
        let about = column![title]
            .push(words)
            .push(quoted)
            .push(input)
            .push(error)
            .spacing(space::M)
            .padding(space::L);
        let choices = self.choices.iter().enumerate().map(|(index, choice)| {
            let marked = index == self.marked;
            part::choice(tokens, choice.title, &choice.about, marked, Message::Picked(index))
        });
        let hint = |words: &str| line(words, type_scale::SMALL, font::REGULAR, tokens.faint);
        let more = (self.choices.len() > 1).then(|| hint("↑↓ choose"));
        let footer = row![]
            .push(more)
            .push(hint("").fill())
            .push(part::action(tokens, "Cancel", false, false, Some(Message::Cancelled)))
            .push(part::chord(tokens, "Esc"))
            .spacing(space::S)
            .align_y(Alignment::Center);
        column![
            about,
            part::rule(tokens),
            Column::with_children(choices),
            part::rule(tokens),
            container(footer).padding([space::S, space::L]).width(Length::Fill),
        ]
        .into()
    }
}

#[cfg(test)]
mod tests {
    use super::super::scene;
    use super::*;

    const HERE: TerminalId = TerminalId(1);

    #[test]
    fn a_paste_can_be_made_one_line() {
        let mut ask = Ask::paste(HERE, "zsh", "one\ntwo\n".to_owned());
        assert_eq!(ask.title, "Paste 2 lines into zsh?");
        let deed =
            |flat, always| Deed::Paste { terminal: HERE, text: "one\ntwo\n".into(), flat, always };
        assert_eq!(ask.accept(), deed(false, false));
        ask.step(1);
        assert_eq!(ask.accept(), deed(true, false));
        ask.step(-2);
        assert_eq!(ask.accept(), deed(false, true));
    }

    #[test]
    fn a_program_is_never_opened_by_the_desktop() {
        let file = |is| File { path: "/a/run.sh".into(), line: None, column: None, is };
        let opens = |is, editor| {
            let ask = Ask::link(&Target::File(file(is)), editor);
            ask.choices.iter().any(|choice| matches!(choice.deed, Deed::OpenFile(_)))
        };
        assert!(opens(Is::Document, None));
        assert!(!opens(Is::Program, None));
        assert!(opens(Is::Program, Some("code")), "an editor only shows it");
        assert!(!opens(Is::Missing, Some("code")));
    }

    #[test]
    fn what_is_refused_can_still_be_copied() {
        let target = Target::Refused { target: "x:y".to_owned(), why: "No.".to_owned() };
        let mut ask = Ask::link(&target, None);
        assert_eq!(ask.accept(), Deed::Copy("x:y".to_owned()));
    }

    #[test]
    fn a_file_has_to_be_named() {
        let mut ask = Ask::export(HERE, "api", " ".to_owned());
        assert_eq!(ask.accept(), Deed::Nothing);
        assert!(ask.error.is_some());
        let _ = ask.update(Message::Edited(" /a.txt ".to_owned()));
        ask.step(1);
        let expected = Deed::Export { terminal: HERE, ansi: true, file: "/a.txt".to_owned() };
        assert_eq!(ask.accept(), expected);
    }

    #[test]
    fn a_worktree_goes_only_when_nothing_is_in_the_way() {
        let free = Prospect {
            path: "/w/fix".into(),
            branch: Some("fix".to_owned()),
            changed: 2,
            runs: vec!["terminal t1 of agent api is open there".to_owned()],
            ..Prospect::default()
        };
        let mut ask = Ask::remove_worktrees(std::slice::from_ref(&free));
        assert_eq!(ask.title, "Remove fix?");
        assert_eq!(ask.quoted, ["Terminal t1 of agent api is open there."]);
        assert_eq!(ask.accept(), Deed::RemoveWorktrees(vec!["/w/fix".into()]));
        let held = Prospect { obstacles: vec!["run r1 is not over".to_owned()], ..free.clone() };
        let mut ask = Ask::remove_worktrees(&[free, held]);
        assert_eq!(ask.title, "2 worktrees cannot be removed now");
        assert_eq!(ask.quoted, ["fix: run r1 is not over"]);
        assert!(matches!(ask.accept(), Deed::LookAgain(paths) if paths.len() == 2));
        assert!(ask.choices.iter().all(|one| !matches!(one.deed, Deed::RemoveWorktrees(_))));
    }

    #[test]
    fn nothing_is_forgotten_by_enter_alone() {
        let kept = scene::kept();
        let mut ask = Ask::purge(&kept);
        assert_eq!(ask.accept(), Deed::Leave);
        ask.step(1);
        assert_eq!(ask.accept(), Deed::Purge(kept.iter().map(|one| one.id).collect()));
    }

    #[test]
    fn the_access_an_agent_has_is_marked() {
        let mut agent = scene::world().agents[0].clone();
        agent.clipboard = Clipboard::Deny;
        let mut ask = Ask::clipboard_access(&agent);
        assert_eq!(ask.accept(), Deed::SetClipboard(agent.id, Clipboard::Deny));
    }
}

//! The worktrees of a repository, snapshots of its checkouts, and what is in the trash.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use iced::widget::{Column, column, row, text_input};
use iced::{Alignment, Color, Element, Length, Padding};
use maestro_core::SnapshotId;
use maestro_core::command::Id;
use maestro_core::text;
use maestro_core::trash::{self, KEPT_MS, Snapshot};
use maestro_core::worktree::{self, Entry, Origin, Stage};
use maestro_protocol::message::{Command, Reply};
use maestro_ui::icon::Icon;
use maestro_ui::theme::{Tokens, extent, space, type_scale};
use maestro_ui::{font, line, part, status, style};

use super::model::Model;
use super::review::{self, Action, Look, Message, ask};
use super::{ago, page};

/// The id of the input for what a snapshot is for.
pub const INPUT: &str = "worktrees-input";

/// The id of what scrolls.
const LIST: &str = "worktrees-list";

/// What the host was asked, with the number of the question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// The worktrees there are.
    There(u64),
    /// What is kept of checkouts.
    Kept(u64),
    /// To adopt, to ignore or to mend; what comes of it is read again.
    Done,
    /// Which branches are in the target already.
    Merged,
    /// What each takes on the disk.
    Sizes,
}

/// What something is typed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Typing {
    /// What a snapshot is for.
    Snapshot,
    /// Where a worktree is now.
    Place,
}

/// Something to be done with worktrees and what is kept of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// Remove these into the trash, after asking.
    Remove(Vec<PathBuf>),
    /// Keep one as it is now; what for.
    Keep(PathBuf, String),
    /// Put a removed one back, or, after asking, the files of one that is there.
    Restore(Box<Snapshot>),
    /// Forget for good, after asking.
    Purge(Vec<Snapshot>),
    /// Bring back what was removed last.
    Undo,
    /// Make an agent there.
    Agent(PathBuf),
}

/// A row.
#[derive(Debug, Clone, Copy)]
enum Row<'a> {
    There(&'a Entry),
    Kept(&'a Snapshot),
}

/// The state.
#[derive(Debug, Default)]
pub struct Trees {
    there: Option<Result<Vec<Entry>, String>>,
    kept: Vec<Snapshot>,
    /// Why that is not known.
    trouble: Option<String>,
    marked: usize,
    /// What is typed.
    typing: Option<(Typing, String)>,
    /// What each takes on the disk, where that was asked; bytes, and whether there is more.
    sizes: HashMap<PathBuf, (u64, bool)>,
    /// What it is about.
    root: PathBuf,
    asked: u64,
}

impl Trees {
    /// It is looked at, or something is different.
    pub fn read(&mut self, root: &Path) -> Action {
        self.asked += 1;
        let repository = root.to_owned();
        self.root.clone_from(&repository);
        let there = Command::Worktrees(worktree::Ask::List { repository: repository.clone() });
        let kept = Command::Trash(trash::Ask::List { repository: Some(repository) });
        let question = |question| review::Question::Worktrees(question);
        Action::All(vec![
            ask(question(Question::There(self.asked)), there),
            ask(question(Question::Kept(self.asked)), kept),
        ])
    }

    /// The host answered.
    pub fn answered(&mut self, question: Question, reply: Result<Reply, String>) -> Action {
        if let Question::There(number) | Question::Kept(number) = question
            && number != self.asked
        {
            return Action::None;
        }
        match (question, reply) {
            (Question::Done, Ok(_)) => return self.read(&self.root.clone()),
            (Question::Merged, Ok(Reply::OfWorktrees(worktree::Answer::Merged(all)))) => {
                let gone = all.into_iter().filter(|one| one.stays.is_none());
                let gone: Vec<PathBuf> = gone.map(|one| one.path).collect();
                if gone.is_empty() {
                    return Action::Tell(NONE_CAN_GO.to_owned());
                }
                return Action::Worktree(Deed::Remove(gone));
            }
            (Question::Sizes, Ok(Reply::OfWorktrees(worktree::Answer::Usage(all)))) => {
                let sizes = all.into_iter().map(|one| (one.path, (one.bytes, one.partial)));
                self.sizes = sizes.collect();
            }
            (Question::Done | Question::Merged | Question::Sizes, reply) => {
                let odd = "the host answered something else".to_owned();
                return Action::Problem(reply.err().unwrap_or(odd));
            }
            (_, Ok(Reply::OfWorktrees(worktree::Answer::List(there)))) => {
                self.there = Some(Ok(there));
            }
            (_, Ok(Reply::Trash(trash::Answer::List(kept)))) => {
                (self.kept, self.trouble) = (kept, None);
            }
            (Question::There(_), reply) => {
                let odd = "the host did not say which worktrees there are".to_owned();
                self.there = Some(Err(reply.err().unwrap_or(odd)));
            }
            (Question::Kept(_), reply) => {
                let odd = "the host did not say what is kept".to_owned();
                self.trouble = Some(reply.err().unwrap_or(odd));
            }
        }
        self.marked = self.marked.min(self.rows().len().saturating_sub(1));
        Action::None
    }

    fn entries(&self) -> &[Entry] {
        match &self.there {
            Some(Ok(entries)) => entries,
            _ => &[],
        }
    }

    fn snapshots(&self, removed: bool) -> impl Iterator<Item = &Snapshot> {
        self.kept.iter().filter(move |one| one.removed == removed)
    }

    /// Worktrees, then snapshots, then the trash.
    fn rows(&self) -> Vec<Row<'_>> {
        let kept = self.snapshots(false).chain(self.snapshots(true));
        self.entries().iter().map(Row::There).chain(kept.map(Row::Kept)).collect()
    }

    fn row(&self) -> Option<Row<'_>> {
        self.rows().get(self.marked).copied()
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

    /// A row was pressed.
    pub fn pressed(&mut self, at: usize) -> Action {
        self.marked = at;
        Action::None
    }

    fn step(&mut self, by: isize) -> Action {
        let last = self.rows().len().saturating_sub(1);
        self.marked = self.marked.saturating_add_signed(by).min(last);
        Action::Scroll(LIST, 0.0, self.marked as f32 * extent::AGENT_ROW)
    }

    /// Does a command.
    pub fn command(&mut self, id: Id, root: &Path) -> Action {
        if let Some((what, typed)) = self.typing.take() {
            return match (id, self.row()) {
                (Id::OverlayAccept, Some(Row::There(entry))) if what == Typing::Snapshot => {
                    Action::Worktree(Deed::Keep(entry.path.clone(), typed))
                }
                (Id::OverlayAccept, Some(_)) if !typed.trim().is_empty() => {
                    self.mend(vec![PathBuf::from(typed.trim())])
                }
                (Id::OverlayAccept | Id::OverlayCancel, _) => Action::None,
                _ => {
                    self.typing = Some((what, typed));
                    Action::None
                }
            };
        }
        let tell = |words: &str| Action::Tell(words.to_owned());
        match (id, self.row()) {
            (Id::ReviewUp, _) => self.step(-1),
            (Id::ReviewDown, _) => self.step(1),
            (Id::ReviewFirst | Id::ReviewPageUp, _) => self.step(isize::MIN / 2),
            (Id::ReviewLast | Id::ReviewPageDown, _) => self.step(isize::MAX / 2),
            (Id::ReviewRefresh, _) => self.read(root),
            (Id::ReviewLeave, _) => Action::Close,
            (Id::TreesUndo, _) => Action::Worktree(Deed::Undo),
            (Id::TreesRemove, Some(Row::There(entry))) => {
                Action::Worktree(Deed::Remove(vec![entry.path.clone()]))
            }
            (Id::TreesRemove, Some(Row::Kept(one))) => {
                Action::Worktree(Deed::Purge(vec![one.clone()]))
            }
            (Id::TreesEmpty, _) => {
                let all: Vec<Snapshot> = self.snapshots(true).cloned().collect();
                if all.is_empty() {
                    return tell("Nothing is in the trash.");
                }
                Action::Worktree(Deed::Purge(all))
            }
            (Id::TreesKeep, Some(Row::There(entry))) if entry.missing => {
                tell("Its directory is not there.")
            }
            (Id::TreesKeep, Some(Row::There(_))) => {
                self.typing = Some((Typing::Snapshot, String::new()));
                Action::None
            }
            (Id::TreesAdopt | Id::TreesIgnore, Some(Row::There(entry))) => claim(id, entry),
            (Id::TreesAdopt | Id::TreesIgnore, _) => tell("That is no worktree any more."),
            (Id::TreesClean, _) => {
                let merged = worktree::Ask::Merged { repository: root.to_owned(), target: None };
                question(Question::Merged, merged)
            }
            (Id::TreesUsage, _) => {
                question(Question::Sizes, worktree::Ask::Usage { repository: root.to_owned() })
            }
            (Id::TreesMend, Some(Row::There(entry))) if entry.missing => {
                self.typing = Some((Typing::Place, String::new()));
                Action::None
            }
            (Id::TreesMend, _) => self.mend(Vec::new()),
            (Id::TreesKeep, _) => tell("That is a snapshot already. A worktree can be kept."),
            (Id::TreesRestore | Id::ReviewAccept, Some(Row::Kept(one))) => {
                Action::Worktree(Deed::Restore(Box::new(one.clone())))
            }
            (Id::TreesRestore, _) => tell("What is in the trash, or a snapshot, can be put back."),
            (Id::ReviewAccept | Id::ReviewAgent, Some(Row::There(entry))) => {
                match entry.agents.first() {
                    Some(agent) => Action::Go(*agent),
                    None if id == Id::ReviewAccept && !entry.missing => {
                        Action::Worktree(Deed::Agent(entry.path.clone()))
                    }
                    None => tell("No agent works there."),
                }
            }
            (Id::ReviewAgent, _) => tell("No agent works there."),
            _ => Action::None,
        }
    }

    /// Has git find worktrees again; these are where they are now.
    fn mend(&self, moved: Vec<PathBuf>) -> Action {
        question(Question::Done, worktree::Ask::Repair { repository: self.root.clone(), moved })
    }

    /// The keys that mean something.
    #[must_use]
    pub fn keys(&self) -> Vec<(&'static str, &'static str)> {
        match self.typing {
            Some((Typing::Snapshot, _)) => {
                return vec![("↵", "keep it as it is now"), ("Esc", "not now")];
            }
            Some((Typing::Place, _)) => return vec![("↵", "it is there"), ("Esc", "not now")],
            None => {}
        }
        let mut keys = vec![("↑↓", "mark")];
        match self.row() {
            Some(Row::There(entry)) => {
                let agent = if entry.agents.is_empty() { "new agent there" } else { "its agent" };
                keys.extend([("↵", agent), ("s", "snapshot")]);
                keys.extend(match entry.origin {
                    Origin::Main => Vec::new(),
                    Origin::Made => vec![("x", "remove")],
                    Origin::Adopted => vec![("x", "remove"), ("t", "give back")],
                    Origin::Foreign => vec![("t", "adopt"), ("i", "ignore")],
                    Origin::Ignored => vec![("t", "adopt"), ("i", "do not ignore")],
                });
                keys.extend(entry.missing.then_some(("m", "it is elsewhere")));
            }
            Some(Row::Kept(one)) => {
                let back = if one.removed { "put it back" } else { "put its files back" };
                keys.extend([("↵", back), ("x", "forget for good")]);
            }
            None => {}
        }
        keys.extend(self.snapshots(true).next().map(|_| ("e", "empty the trash")));
        keys.extend([("c", "clean up"), ("d", "sizes")]);
        keys.extend([("u", "undo the last removal"), ("F5", "look again"), ("Esc", "back")]);
        keys
    }

    /// The page.
    pub fn view<'a>(&'a self, model: &'a Model, look: Look<'a>) -> Element<'a, Message> {
        let tokens = look.tokens;
        match &self.there {
            None => {
                return page::empty(
                    tokens,
                    Icon::Clock,
                    "Looking…",
                    "Which worktrees there are, and what is kept of them.",
                    &[],
                );
            }
            Some(Err(why)) => return page::trouble(tokens, why),
            Some(Ok(_)) => {}
        }
        let mut at = 0;
        let mut list = Column::new();
        let mut group = |title: &'static str, empty: &'static str, rows: Vec<Row<'a>>| {
            let mut part = column![part::section(tokens, title, rows.len())];
            if rows.is_empty() {
                let words = line(empty, type_scale::SMALL, font::REGULAR, tokens.faint);
                part = part.push(row![words].padding([space::XS, space::L]));
            }
            for one in rows {
                part = part.push(self.row_view(model, look, at, one));
                at += 1;
            }
            part
        };
        list = list.push(group("Worktrees", "", self.entries().iter().map(Row::There).collect()));
        let empty = "None: s keeps the marked worktree as it is now. Runs and merge trains do it before \
                     they begin.";
        let kept = self.snapshots(false).map(Row::Kept).collect();
        list = list.push(group("Snapshots", empty, kept));
        let empty = "Nothing: what is removed lies here for 30 days.";
        list = list.push(group("Trash", empty, self.snapshots(true).map(Row::Kept).collect()));
        let trouble = self.trouble.as_ref().map(|why| page::trouble(tokens, why));
        let typing = self.typing.as_ref().map(|(what, typed)| {
            let (label, example) = match what {
                Typing::Snapshot => ("What it is for", "Before the big change"),
                Typing::Place => ("Where it is now", "/home/me/work/elsewhere"),
            };
            let input = text_input(example, typed)
                .id(INPUT)
                .on_input(Message::Typed)
                .size(type_scale::BASE.0)
                .padding([5.0, 9.0])
                .style(style::input(tokens, false));
            let label = line(label, type_scale::BASE, font::MEDIUM, tokens.text);
            row![label, maestro_ui::still(input)]
                .spacing(space::M)
                .align_y(Alignment::Center)
                .padding([space::S, space::L])
        });
        column![]
            .push(trouble)
            .push(typing)
            .push(page::scrolled(tokens, LIST, list.padding(Padding::ZERO.bottom(space::M))))
            .into()
    }

    fn row_view<'a>(
        &'a self,
        model: &'a Model,
        look: Look<'a>,
        at: usize,
        row: Row<'a>,
    ) -> Element<'a, Message> {
        let tokens = look.tokens;
        let (shape, title, about, end) = match row {
            Row::There(entry) => there(tokens, model, entry, self.sizes.get(&entry.path).copied()),
            Row::Kept(one) => kept(tokens, one, look.now_ms),
        };
        let lines = column![
            line(text::clean(&title, 100), type_scale::BASE, font::MEDIUM, tokens.text).fill(),
            line(text::clean(&about, 300), type_scale::SMALL, font::REGULAR, tokens.dim).fill(),
        ]
        .width(Length::Fill);
        let end = line(end, type_scale::SMALL, font::REGULAR, tokens.faint);
        let cells = iced::widget::row![
            status::glyph(tokens, shape, extent::GLYPH, look.turning),
            lines,
            end
        ]
        .spacing(space::M)
        .align_y(Alignment::Center);
        let marked = (at == self.marked, self.typing.is_none());
        page::pressable(tokens, extent::AGENT_ROW, marked, cells, Message::Worktree(at))
    }
}

const NONE_CAN_GO: &str =
    "Nothing can go: `maestro worktree prune` says of each worktree why it stays.";

fn question(question: Question, asked: worktree::Ask) -> Action {
    ask(review::Question::Worktrees(question), Command::Worktrees(asked))
}

/// Adopts or ignores a worktree that somebody else made, or takes that back.
fn claim(id: Id, entry: &Entry) -> Action {
    let directory = entry.path.clone();
    let asked = match (entry.origin, id) {
        (Origin::Main, _) => {
            return Action::Tell("The main checkout is the repository's own.".to_owned());
        }
        (Origin::Made, _) => return Action::Tell("Maestro made that one.".to_owned()),
        (origin, Id::TreesAdopt) => {
            worktree::Ask::Adopt { directory, adopted: origin != Origin::Adopted }
        }
        (origin, _) => worktree::Ask::Ignore { directory, ignored: origin != Origin::Ignored },
    };
    question(Question::Done, asked)
}

type Words = ((Icon, Color), String, String, String);

/// How a worktree is shown: its shape, its name, what there is to say, and what stands at the end.
fn there(
    tokens: &'static Tokens,
    model: &Model,
    entry: &Entry,
    size: Option<(u64, bool)>,
) -> Words {
    let agents: Vec<_> = entry.agents.iter().filter_map(|id| model.agent(*id)).collect();
    let shape = match (&entry.stage, agents.first()) {
        (Stage::Failed(_), _) => (Icon::Warning, tokens.red),
        _ if entry.missing => (Icon::DashedRing, tokens.faint),
        (Stage::Filling { .. } | Stage::Preparing(_), _) => (Icon::Arc(0), tokens.blue),
        (Stage::Ready, Some(agent)) => status::of_agent(tokens, agent.attention.state),
        (Stage::Ready, None) => (Icon::Ring, tokens.faint),
    };
    let title = entry.branch.clone().unwrap_or_else(|| "no branch".to_owned());
    let mut about: Vec<String> = agents.iter().map(|agent| agent.name.clone()).collect();
    match &entry.stage {
        Stage::Failed(why) => about.push(why.clone()),
        Stage::Filling { done, total } if *total > 0 => {
            about.push(format!("{done} of {total} files"));
        }
        Stage::Filling { .. } => about.push("its files are being written".to_owned()),
        Stage::Preparing(what) => about.push(what.clone()),
        Stage::Ready => {}
    }
    if let Some(why) = &entry.locked {
        about.push(format!("locked {why}").trim().to_owned());
    }
    if entry.missing {
        about.push("its directory is not there".to_owned());
        // Git would forget it, but a disk may only be away.
        about.extend(entry.prunable.as_ref().map(|_| "git would prune it".to_owned()));
    }
    let standing = agents.first().and_then(|agent| model.standings.get(&agent.id));
    about.extend(standing.map(worktree::Standing::words).filter(|words| !words.is_empty()));
    about.push(entry.path.display().to_string());
    let whose = match entry.origin {
        Origin::Main => "main checkout",
        Origin::Made => "",
        Origin::Adopted => "adopted",
        Origin::Ignored => "ignored",
        Origin::Foreign => "not Maestro's",
    };
    let size = size.map(|(bytes, more)| {
        let size = text::size(bytes);
        if more { format!("more than {size}") } else { size }
    });
    let end: Vec<String> = size.into_iter().chain([whose.to_owned()]).collect();
    (shape, title, about.join(" · "), end.join(" · ").trim_end_matches(" · ").to_owned())
}

/// How something kept is shown.
fn kept(tokens: &'static Tokens, one: &Snapshot, now_ms: u64) -> Words {
    let branch = one.branch.clone().unwrap_or_else(|| "no branch".to_owned());
    let files = if one.files == 1 { "1 file".to_owned() } else { format!("{} files", one.files) };
    let mut about = vec![files, one.path.display().to_string()];
    if !one.agents.is_empty() {
        about.insert(0, format!("with {}", one.agents.join(", ")));
    }
    let age = ago::since(one.made_ms, now_ms);
    let left = KEPT_MS.saturating_sub(now_ms.saturating_sub(one.made_ms)) / 86_400_000;
    if one.removed {
        let end = format!("{age} · {left} days left");
        return ((Icon::Cross, tokens.faint), branch, about.join(" · "), end);
    }
    about.insert(0, branch);
    ((Icon::Clock, tokens.faint), one.message.clone(), about.join(" · "), age)
}

/// What undoes a removal, in words.
#[must_use]
pub fn removed(all: &[Snapshot]) -> String {
    let names: Vec<String> = all
        .iter()
        .map(|one| one.branch.clone().unwrap_or_else(|| one.path.display().to_string()))
        .collect();
    let names = text::clean(&names.join(", "), 120);
    format!("{names}: everything is kept for 30 days. Press here to have it back.")
}

/// The identities of what is kept.
#[must_use]
pub fn ids(all: &[Snapshot]) -> Vec<SnapshotId> {
    all.iter().map(|one| one.id).collect()
}

#[cfg(test)]
mod tests {
    use super::super::scene;
    use super::*;

    fn trees() -> Trees {
        let mut trees = Trees::default();
        let _ = trees.read(Path::new(scene::ROOT));
        let there = Reply::OfWorktrees(worktree::Answer::List(scene::worktrees()));
        let _ = trees.answered(Question::There(1), Ok(there));
        let kept = Reply::Trash(trash::Answer::List(scene::kept()));
        let _ = trees.answered(Question::Kept(1), Ok(kept));
        trees
    }

    fn does(trees: &mut Trees, id: Id) -> Action {
        trees.command(id, Path::new(scene::ROOT))
    }

    #[test]
    fn what_a_key_does_follows_from_the_row() {
        let mut trees = trees();
        let path = scene::worktrees()[1].path.clone();
        let _ = does(&mut trees, Id::ReviewDown);
        assert_eq!(does(&mut trees, Id::TreesRemove), Action::Worktree(Deed::Remove(vec![path])));
        assert!(matches!(does(&mut trees, Id::TreesRestore), Action::Tell(_)));
        let _ = does(&mut trees, Id::ReviewLast);
        let last = scene::kept().last().cloned().expect("something is kept");
        assert!(last.removed);
        assert_eq!(
            does(&mut trees, Id::ReviewAccept),
            Action::Worktree(Deed::Restore(Box::new(last.clone())))
        );
        assert_eq!(does(&mut trees, Id::TreesRemove), Action::Worktree(Deed::Purge(vec![last])));
        assert!(matches!(does(&mut trees, Id::TreesKeep), Action::Tell(_)));
    }

    #[test]
    fn a_snapshot_is_made_with_its_reason() {
        let mut trees = trees();
        assert_eq!(does(&mut trees, Id::TreesKeep), Action::None);
        assert_eq!(trees.input(), Some(INPUT));
        trees.typed("Before lunch".to_owned());
        let path = scene::worktrees()[0].path.clone();
        assert_eq!(
            does(&mut trees, Id::OverlayAccept),
            Action::Worktree(Deed::Keep(path, "Before lunch".to_owned()))
        );
        assert_eq!(trees.input(), None);
    }

    #[test]
    fn worktrees_of_others_are_adopted_or_ignored_and_given_back() {
        let mut trees = trees();
        let mut entries = scene::worktrees();
        let asked = |asked| question(Question::Done, asked);
        let directory = entries[1].path.clone();
        let adopt = |adopted| worktree::Ask::Adopt { directory: directory.clone(), adopted };
        let ignore = |ignored| worktree::Ask::Ignore { directory: directory.clone(), ignored };
        for (origin, adopts, ignores) in [
            (Origin::Foreign, Some(true), Some(true)),
            (Origin::Ignored, Some(true), Some(false)),
            (Origin::Adopted, Some(false), Some(true)),
            (Origin::Made, None, None),
            (Origin::Main, None, None),
        ] {
            entries[1].origin = origin;
            trees.there = Some(Ok(entries.clone()));
            trees.marked = 1;
            for (id, expected) in [
                (Id::TreesAdopt, adopts.map(|yes| asked(adopt(yes)))),
                (Id::TreesIgnore, ignores.map(|yes| asked(ignore(yes)))),
            ] {
                let did = does(&mut trees, id);
                match expected {
                    Some(expected) => assert_eq!(did, expected, "{origin:?}"),
                    None => assert!(matches!(did, Action::Tell(_)), "{origin:?}"),
                }
            }
        }
    }

    #[test]
    fn what_is_in_the_target_is_asked_about_before_it_goes() {
        let mut trees = trees();
        let merged = |stays: Option<&str>| worktree::Merged {
            path: scene::worktrees()[1].path.clone(),
            branch: None,
            stays: stays.map(str::to_owned),
        };
        let answer = |all| Ok(Reply::OfWorktrees(worktree::Answer::Merged(all)));
        let gone = Action::Worktree(Deed::Remove(vec![scene::worktrees()[1].path.clone()]));
        let both = vec![merged(None), merged(Some("it is locked"))];
        assert_eq!(trees.answered(Question::Merged, answer(both)), gone);
        let none = trees.answered(Question::Merged, answer(vec![merged(Some("it is locked"))]));
        assert_eq!(none, Action::Tell(NONE_CAN_GO.to_owned()));
        let failed = trees.answered(Question::Sizes, Err("no".to_owned()));
        assert_eq!(failed, Action::Problem("no".to_owned()));
    }

    #[test]
    fn of_one_that_is_gone_it_is_asked_where_it_is() {
        let mut trees = trees();
        let mut entries = scene::worktrees();
        entries[0].missing = true;
        trees.there = Some(Ok(entries));
        assert_eq!(does(&mut trees, Id::TreesMend), Action::None);
        trees.typed(" /elsewhere ".to_owned());
        let moved = vec![PathBuf::from("/elsewhere")];
        assert_eq!(does(&mut trees, Id::OverlayAccept), trees.mend(moved));
        assert_eq!(trees.input(), None);
    }

    #[test]
    fn an_answer_to_an_older_question_is_not_taken() {
        let mut trees = trees();
        let _ = trees.read(Path::new(scene::ROOT));
        let none = Reply::Trash(trash::Answer::List(Vec::new()));
        let _ = trees.answered(Question::Kept(1), Ok(none));
        assert_eq!(trees.kept.len(), scene::kept().len());
        let _ = trees.answered(Question::There(2), Err("git is gone".to_owned()));
        assert!(trees.entries().is_empty());
    }
}

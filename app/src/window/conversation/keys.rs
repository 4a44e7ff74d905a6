//! What the keyboard does in a conversation.

use maestro_core::command::Id;
use maestro_core::conversation::export::{entry_markdown, entry_text};
use maestro_core::conversation::{Body, Entry, Transcript};
use maestro_core::markdown::{self, Document};
use maestro_ui::list::{Place, Where};

use super::find::Bar;
use super::item::Fold;
use super::{Action, Format, Keyboard, View, Which, id_of};

impl View {
    /// Does a command; `None` when it is not one of a conversation's.
    pub fn command(&mut self, id: Id, transcript: &Transcript) -> Option<Action> {
        let action = match id {
            Id::TurnsFocus => {
                if self.cursor.is_none() {
                    self.cursor = self.last_shown();
                }
                self.unfocus_bars();
                Action::Keyboard(Keyboard::Entries)
            }
            Id::EntryLeave => {
                self.unselect();
                Action::Keyboard(Keyboard::Composer)
            }
            Id::TurnsFind | Id::EntryFind => self.open(Which::Find),
            Id::TurnsFilter | Id::EntryFilter => self.open(Which::Filter),
            Id::TurnsFindOlder => self.step(true, transcript),
            Id::TurnsFindNewer => self.step(false, transcript),
            Id::SearchOlder | Id::SearchNewer => match self.active()? {
                Which::Find => self.step(id == Id::SearchOlder, transcript),
                Which::Filter => self.keep(),
            },
            Id::SearchRegex | Id::SearchCase => {
                let which = self.active()?;
                if let Some(bar) = self.bar_mut(which) {
                    if id == Id::SearchRegex { bar.toggle_regex() } else { bar.toggle_case() }
                }
                self.asked_anew(which, transcript)
            }
            Id::FilterTurn => {
                let _ = self.filter.as_ref()?;
                self.filter_keeps.set(!self.filter_keeps.get());
                self.asked_anew(Which::Filter, transcript)
            }
            Id::SearchKeep => {
                let _ = self.active()?;
                self.keep()
            }
            Id::SearchClose => self.close()?,
            Id::TurnsThinking => {
                self.thinking = self.thinking.next();
                self.folds.retain(|n, _| {
                    let body = transcript.get(*n).map(|entry| &entry.body);
                    !matches!(body, Some(Body::Thinking(_)))
                });
                self.place.change(Place::forget);
                self.asked_anew(Which::Find, transcript)
            }
            Id::TurnsExpandAll => {
                self.all = if self.all.is_some() { None } else { Some(Fold::Open) };
                self.folds.clear();
                self.made_anew();
                self.place.change(Place::forget);
                Action::None
            }
            Id::TurnsPageUp => self.scrolled(|place| place.page(-1.0)),
            Id::TurnsPageDown => self.scrolled(|place| place.page(1.0)),
            Id::TurnsTop => {
                self.place.change(Place::to_start);
                older(transcript)
            }
            Id::TurnsBottom => self.scrolled(Place::to_end),
            Id::EntryFirst => {
                self.cursor = transcript.first();
                self.place.change(Place::to_start);
                older(transcript)
            }
            Id::EntryLast => {
                self.cursor = self.visible(transcript, None, false);
                self.scrolled(Place::to_end)
            }
            Id::EntryNext => self.walk(transcript, false),
            Id::EntryPrevious => self.walk(transcript, true),
            Id::TurnsPromptPrevious | Id::EntryPromptPrevious => {
                self.walk_prompts(transcript, true)
            }
            Id::TurnsPromptNext | Id::EntryPromptNext => self.walk_prompts(transcript, false),
            Id::EntryToggle => {
                self.toggle(self.cursor?, transcript);
                Action::None
            }
            Id::EntryCopy | Id::EntryCopyText if self.has_selected() => {
                Action::Copy(self.selected(transcript)?, "Copied")
            }
            Id::EntryCopy => {
                Action::Copy(entry_markdown(transcript.get(self.cursor?)?), "Copied as Markdown")
            }
            Id::EntryCopyText => {
                Action::Copy(entry_text(transcript.get(self.cursor?)?), "Copied as text")
            }
            Id::EntryCode(number) => self.copy_code(self.cursor?, usize::from(number), transcript),
            Id::TurnsCopyAnswer => last_answer(transcript),
            Id::TurnsCopyCode => last_code(transcript),
            Id::TurnsExportHtml => Action::Export(Format::Html),
            Id::TurnsExportMarkdown => Action::Export(Format::Markdown),
            _ => return None,
        };
        Some(action)
    }

    fn scrolled(&self, change: impl FnOnce(&mut Place)) -> Action {
        self.place.change(change);
        Action::None
    }

    fn open(&mut self, which: Which) -> Action {
        self.from_entries = self.focused.get();
        let slot = match which {
            Which::Find => &mut self.find,
            Which::Filter => &mut self.filter,
        };
        let _ = slot.get_or_insert_with(Bar::default);
        self.focus_bar(which);
        Action::Keyboard(Keyboard::Input(id_of(which)))
    }

    /// What is hidden or found stays, and the keyboard goes to the entries.
    fn keep(&mut self) -> Action {
        self.unfocus_bars();
        if self.cursor.is_none() {
            self.cursor = self.last_shown();
        }
        Action::Keyboard(Keyboard::Entries)
    }

    fn close(&mut self) -> Option<Action> {
        match self.active()? {
            Which::Find => {
                self.find = None;
                self.found = super::Found::default();
            }
            Which::Filter => {
                self.filter = None;
                self.place.change(Place::forget);
            }
        }
        self.made_anew();
        let back = if self.from_entries { Keyboard::Entries } else { Keyboard::Composer };
        Some(Action::Keyboard(back))
    }

    fn last_shown(&self) -> Option<u64> {
        self.place.read(|place| place.shown().last().map(|shown| shown.section))
    }

    /// The next entry of which something is shown, after one or, from none, from an end on.
    fn visible(&self, transcript: &Transcript, from: Option<u64>, down: bool) -> Option<u64> {
        let (first, next) = (transcript.first()?, transcript.next()?);
        let shows = |n: &u64| transcript.get(*n).is_some_and(|entry| self.pieces(entry) > 0);
        if down {
            (from.map_or(first, |n| n + 1)..next).find(shows)
        } else {
            (first..from.unwrap_or(next).min(next)).rev().find(shows)
        }
    }

    /// Marks the next entry. One that reaches beyond what is in sight is read first.
    fn walk(&mut self, transcript: &Transcript, up: bool) -> Action {
        let Some(cursor) = self.cursor else {
            self.cursor = self.last_shown();
            return Action::None;
        };
        let parts = transcript.get(cursor).map_or(0, |entry| self.pieces(entry));
        let beyond = self.place.read(|place| {
            let mut mine = place.shown().iter().filter(|shown| shown.section == cursor);
            let edge = |at: &maestro_ui::list::Placed| (at.part, at.y, at.y + at.height);
            match (up, mine.next().map(edge), mine.next_back().map(edge)) {
                (_, None, _) => false,
                (true, Some((part, top, _)), _) => part > 0 || top < -1.0,
                (false, first, last) => last.or(first).is_some_and(|(part, _, bottom)| {
                    part + 1 < parts || bottom > place.height() + 1.0
                }),
            }
        });
        if beyond {
            return self.scrolled(|place| place.page(if up { -0.5 } else { 0.5 }));
        }
        match self.visible(transcript, Some(cursor), !up) {
            Some(n) => {
                self.cursor = Some(n);
                let last = transcript.next().is_some_and(|next| n + 1 == next);
                self.scrolled(
                    |place| if last { place.to_end() } else { place.show(n, 0, Where::Nearest) },
                )
            }
            None if up => older(transcript),
            None => self.scrolled(Place::to_end),
        }
    }

    fn walk_prompts(&mut self, transcript: &Transcript, up: bool) -> Action {
        let at_top = self.place.read(|place| {
            let shown = place.shown().iter().find(|shown| shown.y + shown.height > 30.0);
            shown.map(|shown| (shown.section, shown.part, shown.y))
        });
        let (Some(first), Some(next)) = (transcript.first(), transcript.next()) else {
            return Action::None;
        };
        let from = match (self.cursor.filter(|_| self.focused.get()), at_top) {
            (Some(cursor), _) => cursor,
            (None, Some((section, part, y))) if up && (part > 0 || y < -1.0) => section + 1,
            (None, Some((section, ..))) => section,
            (None, None) => return Action::None,
        };
        let asks =
            |n: &u64| transcript.get(*n).is_some_and(|entry| matches!(entry.body, Body::Prompt(_)));
        let found =
            if up { (first..from.min(next)).rev().find(asks) } else { (from + 1..next).find(asks) };
        match found {
            Some(n) => {
                self.cursor = Some(n);
                self.scrolled(|place| place.show(n, 0, Where::Top))
            }
            None if up => older(transcript),
            None => self.scrolled(Place::to_end),
        }
    }

    pub(super) fn copy_code(&self, n: u64, number: usize, transcript: &Transcript) -> Action {
        let Some(entry) = transcript.get(n) else { return Action::None };
        match codes(entry).into_iter().nth(number.saturating_sub(1)) {
            Some(code) => Action::Copy(code, "Code copied"),
            None => Action::None,
        }
    }
}

fn older(transcript: &Transcript) -> Action {
    match transcript.first() {
        Some(first) if first > 0 => Action::Older(first),
        _ => Action::None,
    }
}

/// The code blocks of an entry; of a tool call what it printed.
fn codes(entry: &Entry) -> Vec<String> {
    match &entry.body {
        Body::Text(text) | Body::Thinking(text) => {
            let document = Document::new(text);
            let code = |block: &std::sync::Arc<markdown::Block>| match &block.body {
                markdown::Body::Code { text, .. } => Some(text.clone()),
                _ => None,
            };
            document.blocks().iter().filter_map(code).collect()
        }
        Body::Tool(_) => vec![entry_text(entry)],
        _ => Vec::new(),
    }
}

fn last_answer(transcript: &Transcript) -> Action {
    let mut turn = None;
    let mut texts = Vec::new();
    for entry in transcript.iter().rev() {
        let Body::Text(text) = &entry.body else { continue };
        if *turn.get_or_insert(entry.turn) != entry.turn {
            break;
        }
        texts.push(text.trim());
    }
    texts.reverse();
    if texts.is_empty() {
        return Action::None;
    }
    Action::Copy(texts.join("\n\n"), "Answer copied")
}

fn last_code(transcript: &Transcript) -> Action {
    let answers = transcript.iter().rev().filter(|entry| matches!(entry.body, Body::Text(_)));
    match answers.filter_map(|entry| codes(entry).pop()).next() {
        Some(code) => Action::Copy(code, "Code copied"),
        None => Action::None,
    }
}

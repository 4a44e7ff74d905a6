//! From what a driver reports to what a tab shows. A [`Conversation`] takes events in order and gives
//! [`Update`]s and changes of its [`Tab`]; it remembers only what may still change.

use std::collections::{BTreeMap, HashMap};

use super::transcript::growing;
use super::{
    Answer, Body, Ended, Entry, Event, OUTPUT_LIMIT, Part, Policy, Prompt, Request, TEXT_LIMIT,
    Tab, TabState, Tool, ToolKind, ToolState, Update, bounds,
};
use crate::text::{clean, end_of};
use crate::turn::{Failure, FailureKind, Outcome, Usage};

/// The longest title, in characters.
const TITLE: usize = 80;
/// Unknown lines that are kept of one turn; the others are counted.
const RAW: u32 = 200;
/// Entries that one turn may have.
const ENTRIES: u64 = 50_000;
/// Entries that may be open at once; the oldest is closed for another.
const OPEN: usize = 256;
/// Requests that may be open at once: a provider asks one after the other, or a few for parallel calls.
const REQUESTS: usize = 64;
/// What of a limit has to be used that it is mentioned, in percent.
const MENTIONED: [u8; 2] = [80, 95];
/// The longest phrase about what an agent does, in characters.
const DOING: usize = 120;

/// The state of one tab's conversation that is needed to go on with it.
#[derive(Debug)]
pub struct Conversation {
    /// The number of the next entry.
    next: u64,
    /// The open turn, or the last one.
    turn: u64,
    /// While a turn is open.
    running: Option<Running>,
    /// The number, turn and beginning of every entry that the driver may replace, by the driver's key.
    keys: HashMap<String, Known>,
    /// Entries of which more may come, as they are.
    open: BTreeMap<u64, Open>,
    /// The entry of each request that is not answered.
    asked: HashMap<String, u64>,
    /// What the tab's turns before this one consumed.
    before: Usage,
    /// The limit that was told last, with its reset.
    limit: Option<u64>,
    /// The largest of [`MENTIONED`] that was mentioned, by the limit's name.
    mentioned: HashMap<String, u8>,
    raw: u32,
    /// A policy that holds for the open turn alone.
    for_turn: Option<Policy>,
}

#[derive(Debug)]
struct Running {
    since_ms: u64,
    first: u64,
    usage: Usage,
    said: bool,
    retry: Option<u64>,
    full: bool,
}

#[derive(Debug, Clone, Copy)]
struct Known {
    n: u64,
    turn: u64,
    at_ms: u64,
}

#[derive(Debug)]
struct Open {
    entry: Entry,
    /// What came beyond the limit: how many bytes, and the last of them.
    beyond: Option<(usize, String)>,
}

impl Conversation {
    /// The conversation of a tab that has so many entries and turns already.
    #[must_use]
    pub fn new(tab: &Tab) -> Self {
        Self {
            next: tab.entries,
            turn: tab.turns,
            running: None,
            keys: HashMap::new(),
            open: BTreeMap::new(),
            asked: HashMap::new(),
            before: tab.usage,
            limit: None,
            mentioned: HashMap::new(),
            raw: 0,
            for_turn: None,
        }
    }

    /// Whether a turn is open.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// The open turn, or the last one; 0 before the first.
    #[must_use]
    pub fn turn(&self) -> u64 {
        self.turn
    }

    /// What the open turn has consumed so far.
    #[must_use]
    pub fn usage(&self) -> Usage {
        self.running.as_ref().map(|running| running.usage).unwrap_or_default()
    }

    /// Entries that are open, as they are now, in order.
    pub fn open_entries(&self) -> impl Iterator<Item = &Entry> {
        self.open.values().map(|open| &open.entry)
    }

    /// An open entry as it is now.
    #[must_use]
    pub fn open_entry(&self, n: u64) -> Option<&Entry> {
        self.open.get(&n).map(|open| &open.entry)
    }

    /// Another process drives the conversation from here on: it names its entries anew.
    pub fn new_driver(&mut self) {
        self.keys.clear();
    }

    /// Begins a turn: its prompt becomes an entry. A turn that is open ends as cut.
    pub fn begin(&mut self, prompt: &Prompt, now_ms: u64, tab: &mut Tab, out: &mut Vec<Update>) {
        self.cut("a new turn began before this one had ended", now_ms, tab, out);
        self.turn += 1;
        self.raw = 0;
        self.keys.clear();
        self.running = Some(Running {
            since_ms: now_ms,
            first: self.next,
            usage: Usage::default(),
            said: false,
            retry: None,
            full: false,
        });
        tab.turns = self.turn;
        tab.used_ms = now_ms;
        if tab.title.is_empty() && !tab.named {
            tab.title = title_of(prompt);
        }
        self.add(Body::Prompt(prompt.clone()), now_ms, tab, out);
        set(tab, TabState::Starting, now_ms);
    }

    /// From here on, and until its end, the open turn has another policy than its tab.
    pub fn for_this_turn(&mut self, policy: Option<Policy>) {
        self.for_turn = policy;
    }

    /// Puts an entry of our own at the end.
    pub fn note(
        &mut self,
        text: impl Into<String>,
        now_ms: u64,
        tab: &mut Tab,
        out: &mut Vec<Update>,
    ) {
        self.add(Body::Notice(text.into()), now_ms, tab, out);
    }

    /// Puts entries at the end that were said elsewhere (in the provider's own interface), with the numbers
    /// that come next here.
    pub fn merge(&mut self, entries: Vec<Entry>, tab: &mut Tab, out: &mut Vec<Update>) {
        for entry in entries {
            if matches!(entry.body, Body::Prompt(_)) {
                self.turn += 1;
            }
            let at_ms = entry.at_ms;
            self.push(Entry { turn: self.turn, open: false, ..entry }, out);
            tab.used_ms = tab.used_ms.max(at_ms);
        }
        tab.turns = self.turn;
        tab.entries = self.next;
    }

    /// A request was answered by our user. `false` when there is none of that name.
    pub fn answered(
        &mut self,
        id: &str,
        answer: Answer,
        now_ms: u64,
        tab: &mut Tab,
        out: &mut Vec<Update>,
    ) -> bool {
        let known = tab.requests.iter().any(|request| request.id == id);
        if known {
            self.close_request(id, Some(answer), now_ms, tab, out);
        }
        known
    }

    /// Ends the open turn for a reason of ours (its program or host is gone).
    pub fn cut(&mut self, why: &str, now_ms: u64, tab: &mut Tab, out: &mut Vec<Update>) {
        if self.running.is_some() {
            let failure = Failure { kind: FailureKind::Crashed, message: why.to_owned() };
            self.end(
                Outcome {
                    session: None,
                    text: String::new(),
                    usage: Usage::default(),
                    result: Err(failure),
                },
                now_ms,
                tab,
                out,
            );
        }
    }

    /// Something that the driver reported.
    pub fn take(&mut self, event: Event, now_ms: u64, tab: &mut Tab, out: &mut Vec<Update>) {
        match event {
            Event::Session { id, model: _ } => {
                tab.session = Some(id);
                self.works("", now_ms, tab);
            }
            Event::Menu(_) => {}
            Event::Title(title) => {
                let title = clean(&title, TITLE);
                if !tab.named && !title.is_empty() {
                    tab.title = title;
                }
            }
            Event::Item { key, open, body } => self.item(key, open, body, now_ms, tab, out),
            Event::Delta { key, part, text } => self.delta(key, part, &text, now_ms, tab, out),
            Event::Request(request) => self.request(request, now_ms, tab, out),
            Event::RequestGone { id } => self.close_request(&id, None, now_ms, tab, out),
            Event::Usage(usage) => {
                if let Some(running) = &mut self.running {
                    running.usage = usage;
                    tab.usage = sum(self.before, usage);
                }
            }
            Event::Context(context) => tab.context = Some(context),
            Event::Limit { resets_ms, percent, name } => {
                self.limited(resets_ms, percent, &name, now_ms, tab, out);
            }
            Event::Retrying { because, until_ms, attempt } => {
                self.retrying(&because, until_ms, attempt, now_ms, tab, out);
            }
            Event::Policy(policy) => {
                if self.for_turn != Some(policy) && tab.policy != policy {
                    tab.policy = policy;
                    let text = format!("The policy is now: {}.", policy.title());
                    self.note(text, now_ms, tab, out);
                }
            }
            Event::Doing(what) => self.works(&clean(&what, DOING), now_ms, tab),
            Event::Ended(outcome) => self.end(outcome, now_ms, tab, out),
            Event::Gone { stderr } => {
                let last = clean(end_of(&stderr, 400), 400);
                let why = match last.as_str() {
                    "" => "its program ended in the middle of the turn".to_owned(),
                    last => format!("its program ended in the middle of the turn: {last}"),
                };
                self.cut(&why, now_ms, tab, out);
                self.close_all(now_ms, tab, out);
                self.keys.clear();
            }
        }
    }

    fn item(
        &mut self,
        key: String,
        open: bool,
        body: Body,
        now_ms: u64,
        tab: &mut Tab,
        out: &mut Vec<Update>,
    ) {
        if matches!(body, Body::Raw(_)) && !self.keys.contains_key(&key) {
            self.raw += 1;
            if self.raw == RAW + 1 {
                let text = "More lines that this version does not know came in this turn; they \
                            are not kept.";
                self.note(text, now_ms, tab, out);
            }
            if self.raw > RAW {
                return;
            }
        }
        if !matches!(body, Body::Raw(_) | Body::Notice(_)) {
            self.works(&doing(&body), now_ms, tab);
        }
        self.note_text(&body);
        let mut body = bounds::body(body);
        let known = self.keys.get(&key).copied();
        if let Body::Tool(tool) = &mut body {
            complete(tool, known, open, now_ms);
        }
        let place = match known {
            Some(known) => known,
            None if self.is_full(now_ms, tab, out) => return,
            None => {
                let known = Known { n: self.next, turn: self.turn, at_ms: now_ms };
                self.next += 1;
                let _ = self.keys.insert(key, known);
                known
            }
        };
        let entry = Entry { n: place.n, turn: place.turn, at_ms: place.at_ms, open, body };
        if open {
            let _ = self.open.insert(place.n, Open { entry: entry.clone(), beyond: None });
        } else {
            let _ = self.open.remove(&place.n);
        }
        tab.entries = self.next;
        out.push(Update::Entry(entry));
        self.close_oldest(out);
    }

    fn delta(
        &mut self,
        key: String,
        part: Part,
        text: &str,
        now_ms: u64,
        tab: &mut Tab,
        out: &mut Vec<Update>,
    ) {
        let Some(known) = self.keys.get(&key).copied() else {
            let body = match part {
                Part::Text => Body::Text(text.to_owned()),
                Part::Thinking => Body::Thinking(text.to_owned()),
                Part::ToolOutput => Body::Tool(unknown_tool(&key, text, now_ms)),
            };
            self.item(key, true, body, now_ms, tab, out);
            return;
        };
        self.works(
            match part {
                Part::Text => "writing",
                Part::Thinking => "thinking",
                Part::ToolOutput => "",
            },
            now_ms,
            tab,
        );
        let Some(open) = self.open.get_mut(&known.n) else { return };
        let limit = match (&open.entry.body, part) {
            (Body::Text(_), Part::Text) | (Body::Thinking(_), Part::Thinking) => TEXT_LIMIT,
            (Body::Tool(_), Part::ToolOutput) => OUTPUT_LIMIT,
            _ => return,
        };
        if part == Part::Text
            && let Some(running) = &mut self.running
        {
            running.said = true;
        }
        let Some(kept) = growing(&mut open.entry.body) else { return };
        let n = known.n;
        let mut append = |kept: &mut String, text: &str| {
            if !text.is_empty() {
                out.push(Update::Append { n, at: kept.len() as u64, text: text.to_owned() });
                kept.push_str(text);
            }
        };
        if let Some((bytes, last)) = &mut open.beyond {
            *bytes += text.len();
            keep_end(last, text, limit / 2);
        } else if kept.len() + text.len() <= limit {
            append(kept, text);
        } else {
            let fits = bounds::floor(text, limit.saturating_sub(kept.len()));
            append(kept, &text[..fits]);
            append(kept, "\n[… more follows than is kept]");
            let mut last = String::new();
            keep_end(&mut last, &text[fits..], limit / 2);
            open.beyond = Some((text.len() - fits, last));
        }
    }

    fn request(&mut self, request: Request, now_ms: u64, tab: &mut Tab, out: &mut Vec<Update>) {
        let request = bounds::request(request);
        if let Some(n) = self.asked.get(&request.id).copied() {
            // The same question in other words.
            if let Some(open) = self.open.get_mut(&n) {
                open.entry.body = Body::Request { request: request.clone(), answer: None };
                out.push(Update::Entry(open.entry.clone()));
            }
            if let Some(known) = tab.requests.iter_mut().find(|known| known.id == request.id) {
                *known = request;
            }
            return;
        }
        if tab.requests.len() >= REQUESTS {
            let text = "It asks for more at once than can be kept; interrupt it.";
            self.note(text, now_ms, tab, out);
            return;
        }
        let n = self.next;
        self.next += 1;
        let entry = Entry {
            n,
            turn: self.turn,
            at_ms: now_ms,
            open: true,
            body: Body::Request { request: request.clone(), answer: None },
        };
        let _ = self.asked.insert(request.id.clone(), n);
        let _ = self.open.insert(n, Open { entry: entry.clone(), beyond: None });
        tab.requests.push(request);
        tab.entries = self.next;
        tab.unread = true;
        out.push(Update::Entry(entry));
        if tab.state != TabState::Interrupting {
            set(tab, TabState::Asking, now_ms);
        }
    }

    fn close_request(
        &mut self,
        id: &str,
        answer: Option<Answer>,
        now_ms: u64,
        tab: &mut Tab,
        out: &mut Vec<Update>,
    ) {
        tab.requests.retain(|request| request.id != id);
        if let Some(n) = self.asked.remove(id)
            && let Some(mut open) = self.open.remove(&n)
        {
            if let Body::Request { answer: place, .. } = &mut open.entry.body {
                *place = answer;
            }
            open.entry.open = false;
            out.push(Update::Entry(open.entry));
        }
        if tab.requests.is_empty() && tab.state == TabState::Asking {
            set(tab, TabState::Working(String::new()), now_ms);
        }
    }

    fn limited(
        &mut self,
        resets_ms: Option<u64>,
        percent: Option<u8>,
        name: &str,
        now_ms: u64,
        tab: &mut Tab,
        out: &mut Vec<Update>,
    ) {
        if percent.is_none_or(|percent| percent >= 100) {
            self.limit = resets_ms.or(self.limit);
        }
        let Some(percent) = percent else { return };
        let Some(step) = MENTIONED.into_iter().rev().find(|step| percent >= *step) else {
            let _ = self.mentioned.remove(name);
            return;
        };
        // The name comes from outside: a few are known at once, not thousands.
        if self.mentioned.len() < 32 && self.mentioned.get(name).is_none_or(|known| *known < step) {
            let _ = self.mentioned.insert(name.to_owned(), step);
            let name = clean(&name.replace('_', " "), 40);
            self.note(format!("{percent} % of the limit is used ({name})."), now_ms, tab, out);
        }
    }

    fn retrying(
        &mut self,
        because: &str,
        until_ms: Option<u64>,
        attempt: Option<u32>,
        now_ms: u64,
        tab: &mut Tab,
        out: &mut Vec<Update>,
    ) {
        let because = clean(because, 200);
        let Some(running) = &self.running else { return };
        let text = match attempt {
            Some(attempt) => format!("Trying again (attempt {attempt}): {because}"),
            None => format!("Trying again: {because}"),
        };
        // One entry for all attempts of a turn in a row, not hundreds.
        match running.retry.filter(|n| n + 1 == self.next) {
            Some(n) => out.push(Update::Entry(Entry {
                n,
                turn: self.turn,
                at_ms: now_ms,
                open: false,
                body: Body::Notice(text),
            })),
            None => {
                let n = self.next;
                self.note(text, now_ms, tab, out);
                if let Some(running) = &mut self.running {
                    running.retry = Some(n);
                }
            }
        }
        if tab.state != TabState::Interrupting {
            let state = TabState::Retrying { because, until_ms, attempt };
            set(tab, state, now_ms);
        }
    }

    /// The provider does something: whatever it waited for, or was being started for, is over.
    fn works(&self, what: &str, now_ms: u64, tab: &mut Tab) {
        if self.running.is_none() {
            return;
        }
        match &tab.state {
            TabState::Asking | TabState::Interrupting => {}
            TabState::Working(known) if what.is_empty() || known == what => {}
            TabState::Working(_) => tab.state = TabState::Working(what.to_owned()),
            _ => set(tab, TabState::Working(what.to_owned()), now_ms),
        }
    }

    fn end(&mut self, outcome: Outcome, now_ms: u64, tab: &mut Tab, out: &mut Vec<Update>) {
        let Some(mut running) = self.running.take() else { return };
        if let Some(session) = outcome.session {
            tab.session = Some(session);
        }
        let went_well = outcome.result.is_ok();
        let failed = match outcome.result {
            Err(failure) if failure.kind != FailureKind::Interrupted => {
                Some(bounds::failure(failure))
            }
            _ => None,
        };
        let interrupted = failed.is_none() && !went_well;
        self.close_all(now_ms, tab, out);
        if !running.said && !outcome.text.is_empty() && failed.is_none() {
            self.add(Body::Text(outcome.text), now_ms, tab, out);
        }
        if outcome.usage != Usage::default() {
            running.usage = outcome.usage;
        }
        self.before = sum(self.before, running.usage);
        tab.usage = self.before;
        tab.used_ms = now_ms;
        // Who stops a turn knows how far it came.
        tab.unread = !interrupted;
        self.for_turn = None;
        match failed {
            Some(mut failure) => {
                if let FailureKind::Limit { resets_ms } = &mut failure.kind {
                    // What was told before counts while it lies ahead.
                    *resets_ms = resets_ms.or(self.limit.filter(|at| *at > now_ms));
                }
                self.add(Body::Failed(failure.clone()), now_ms, tab, out);
                let state = match failure.kind {
                    FailureKind::Limit { resets_ms } => {
                        TabState::Limited { until_ms: resets_ms, resumes: false }
                    }
                    _ => TabState::Failed(failure),
                };
                set(tab, state, now_ms);
            }
            None => {
                let ended = Ended {
                    interrupted,
                    usage: running.usage,
                    duration_ms: now_ms.saturating_sub(running.since_ms),
                };
                self.add(Body::Ended(ended), now_ms, tab, out);
                set(tab, TabState::Idle, now_ms);
            }
        }
    }

    /// Closes what is open: nothing more comes.
    fn close_all(&mut self, now_ms: u64, tab: &mut Tab, out: &mut Vec<Update>) {
        tab.requests.clear();
        self.asked.clear();
        for (_, open) in std::mem::take(&mut self.open) {
            out.push(Update::Entry(closed(open, now_ms)));
        }
    }

    fn close_oldest(&mut self, out: &mut Vec<Update>) {
        while self.open.len() > OPEN {
            let Some((_, open)) = self.open.pop_first() else { return };
            let at_ms = open.entry.at_ms;
            out.push(Update::Entry(closed(open, at_ms)));
        }
    }

    fn note_text(&mut self, body: &Body) {
        if let (Body::Text(text), Some(running)) = (body, &mut self.running) {
            running.said |= !text.is_empty();
        }
    }

    /// Whether the open turn has as many entries as it may.
    fn is_full(&mut self, now_ms: u64, tab: &mut Tab, out: &mut Vec<Update>) -> bool {
        let next = self.next;
        let Some(running) = &mut self.running else { return false };
        if next - running.first < ENTRIES {
            return false;
        }
        if !std::mem::replace(&mut running.full, true) {
            let text = "This turn has more entries than are kept; what follows is left out.";
            self.note(text, now_ms, tab, out);
        }
        true
    }

    fn add(&mut self, body: Body, now_ms: u64, tab: &mut Tab, out: &mut Vec<Update>) {
        let body = bounds::body(body);
        self.push(Entry { n: 0, turn: self.turn, at_ms: now_ms, open: false, body }, out);
        tab.entries = self.next;
    }

    fn push(&mut self, entry: Entry, out: &mut Vec<Update>) {
        let n = self.next;
        self.next += 1;
        out.push(Update::Entry(Entry { n, ..entry }));
    }
}

/// A title from what was said first: its first line with words in it.
#[must_use]
pub fn title_of(prompt: &Prompt) -> String {
    let mut lines = prompt.text.lines().map(|line| clean(line, TITLE + 1));
    let line = lines.find(|line| line.chars().any(char::is_alphanumeric)).unwrap_or_default();
    let line = line.trim_start_matches(['#', '>', '-', '*', ' ']);
    if line.is_empty() {
        return if prompt.images.is_empty() { String::new() } else { "Image".to_owned() };
    }
    if line.chars().count() <= TITLE {
        return line.to_owned();
    }
    let cut: String = line.chars().take(TITLE - 1).collect();
    let cut = cut.rsplit_once(' ').map_or(cut.as_str(), |(words, _)| words);
    format!("{cut}…")
}

/// An entry that was open when its host died, as the next host shows it.
#[must_use]
pub fn cut_entry(mut entry: Entry) -> Entry {
    let at_ms = entry.at_ms;
    if entry.open {
        entry = closed(Open { entry, beyond: None }, at_ms);
    }
    entry
}

fn closed(open: Open, now_ms: u64) -> Entry {
    let Open { mut entry, beyond } = open;
    entry.open = false;
    if let Some((bytes, last)) = beyond
        && let Some(kept) = growing(&mut entry.body)
    {
        let half = bounds::floor(kept, kept.len() / 2);
        let cut = kept.len() - half + bytes - last.len();
        *kept = bounds::joined(&kept[..half], cut, &last);
    }
    if let Body::Tool(tool) = &mut entry.body
        && tool.state == ToolState::Running
    {
        tool.state = ToolState::Cut;
        tool.ended_ms = tool.ended_ms.or(Some(now_ms));
    }
    entry
}

/// Keeps the last bytes of a text that grows.
fn keep_end(last: &mut String, text: &str, most: usize) {
    last.push_str(text);
    // Not at each piece: moving what is kept costs as much as it has.
    if last.len() > most * 2 {
        let from = bounds::ceil(last, last.len() - most);
        let _ = last.drain(..from);
    }
}

/// Fills in when a tool began and ended, where the driver does not say.
fn complete(tool: &mut Tool, known: Option<Known>, open: bool, now_ms: u64) {
    if tool.started_ms == 0 {
        tool.started_ms = known.map_or(now_ms, |known| known.at_ms);
    }
    if tool.ended_ms.is_none() && tool.state != ToolState::Running && !open {
        tool.ended_ms = Some(now_ms);
    }
}

fn doing(body: &Body) -> String {
    match body {
        Body::Text(_) => "writing".to_owned(),
        Body::Thinking(_) => "thinking".to_owned(),
        Body::Tool(tool) if tool.state == ToolState::Running => {
            let title = if tool.title.is_empty() { &tool.name } else { &tool.title };
            clean(title, DOING)
        }
        _ => String::new(),
    }
}

fn unknown_tool(key: &str, output: &str, now_ms: u64) -> Tool {
    Tool {
        call: key.to_owned(),
        name: "tool".to_owned(),
        kind: ToolKind::Other,
        title: String::new(),
        input: String::new(),
        output: output.to_owned(),
        state: ToolState::Running,
        exit: None,
        changes: Vec::new(),
        started_ms: now_ms,
        ended_ms: None,
        parent: None,
    }
}

/// What several turns consumed together.
#[must_use]
pub fn sum(one: Usage, other: Usage) -> Usage {
    Usage {
        input_tokens: one.input_tokens.saturating_add(other.input_tokens),
        cached_tokens: one.cached_tokens.saturating_add(other.cached_tokens),
        output_tokens: one.output_tokens.saturating_add(other.output_tokens),
        cost_usd: match (one.cost_usd, other.cost_usd) {
            (None, None) => None,
            (one, other) => Some(one.unwrap_or(0.0) + other.unwrap_or(0.0)),
        },
    }
}

fn set(tab: &mut Tab, state: TabState, now_ms: u64) {
    if tab.state != state {
        tab.state = state;
        tab.since_ms = now_ms;
    }
}

#[cfg(test)]
mod tests;

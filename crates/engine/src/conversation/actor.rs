//! The actor of one tab: what it is, and the order in which it does things.

mod program;
mod tab;
mod telling;
mod turn;

use std::collections::VecDeque;
use std::ffi::OsString;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use maestro_agents::drive::{Launch, Order, Taken};
use maestro_agents::new_session_id;
use maestro_core::TabId;
use maestro_core::agent::{Agent, Provider};
use maestro_core::conversation::fold::title_of;
use maestro_core::conversation::{
    Answer, Body, Conversation, Entry, Event, Menu, Place, Policy, Prompt, Tab, TabState, Update,
};
use maestro_core::text::clean;
use maestro_core::turn::{Failure, FailureKind, Outcome, Usage};
use maestro_protocol::message::{Error, ErrorKind, Page, Reply, TabChange};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::drivers::{Driven, Step};
use super::log::{Log, coalesced};
use super::{Ask, Journal, WAITING, block, elsewhere, mend, path, rebuild};
use crate::client::Client;
use crate::host::{Shared, marks, now_ms, refuse, store_error};
use crate::host::{queues, usage};
use crate::queue::{Over, Said};

/// Between two messages to those who follow.
const TELL: Duration = Duration::from_millis(33);
/// Between two events about the tab.
const SHOW: Duration = Duration::from_millis(120);
/// A driver without a turn lives on for so long, so that the next prompt need not wait for its start.
const IDLE: Duration = Duration::from_secs(300);
/// How long a driver may take to take an order. It answers at once, unless it hangs.
const ORDER: Duration = Duration::from_secs(20);
/// The same once its user wants the turn to stop.
const HURRY: Duration = Duration::from_secs(5);
/// How long a program that was killed may take to be gone.
const KILLED: Duration = Duration::from_secs(10);
/// How long a session may be on its way into a terminal.
const MOVE: Duration = Duration::from_secs(60);
/// How long a program may take to tell what can be chosen.
const MENU: Duration = Duration::from_secs(8);
/// Events that wait for the actor.
const EVENTS: usize = 256;
/// Bytes of updates after which those who follow are told without waiting.
const PENDING: usize = 1 << 20;
/// Entries of one page, and their bytes in the file.
const PAGE: (usize, u64) = (2_000, 6 << 20);
/// The most bytes of a prompt, and its images.
const PROMPT: (usize, usize) = (1 << 20, 20);
/// The longest title, in characters.
const TITLE: usize = 120;

/// Serves one tab until its host stops or its agent is removed.
pub(super) async fn run(shared: Arc<Shared>, id: TabId, asked: mpsc::Receiver<Ask>) {
    let mut actor = match Actor::new(&shared, id, asked).await {
        Ok(actor) => actor,
        Err(error) => {
            let agent = shared.world.tab(id).map(|tab| tab.agent);
            shared.problem(agent, format!("The conversation {id} cannot be opened: {error}"));
            return;
        }
    };
    loop {
        let tell = actor.tell_at;
        let show = actor.show_at;
        let rest = actor.rest_at();
        let far = Instant::now() + Duration::from_secs(3600);
        tokio::select! {
            ask = next_ask(&mut actor.put_off, &mut actor.asked) => {
                let Some(ask) = ask else { return };
                if let Some(done) = actor.ask(ask).await {
                    let _ = done.send(());
                    return;
                }
                actor.pressed().await;
            }
            event = next(&mut actor.driver) => actor.event(event).await,
            () = tokio::time::sleep_until(tell.unwrap_or(far)), if tell.is_some() => {
                actor.flush().await;
            }
            () = tokio::time::sleep_until(show.unwrap_or(far)), if show.is_some() => actor.show(),
            () = tokio::time::sleep_until(rest.unwrap_or(far)), if rest.is_some() => {
                actor.rest().await;
            }
        }
    }
}

/// What was put off while something else was waited for, and then what is asked next.
async fn next_ask(put_off: &mut VecDeque<Ask>, asked: &mut mpsc::Receiver<Ask>) -> Option<Ask> {
    match put_off.pop_front() {
        Some(ask) => Some(ask),
        None => asked.recv().await,
    }
}

/// The next event of a driver, where there is one; waits for ever where there is none.
async fn next(driver: &mut Option<Running>) -> Event {
    match driver {
        Some(running) => {
            // A channel that ends without the last event is a driver that panicked.
            running.events.recv().await.unwrap_or(Event::Gone { stderr: String::new() })
        }
        None => std::future::pending().await,
    }
}

/// A driver that lives.
struct Running {
    driver: Box<dyn Driven>,
    events: mpsc::Receiver<Event>,
    policy: Policy,
    /// It is to be started anew before the next turn.
    stale: bool,
    since: Instant,
    killed: Option<Instant>,
}

struct Actor {
    shared: Arc<Shared>,
    asked: mpsc::Receiver<Ask>,
    /// What was asked while a program was waited for, in order; at most [`WAITING`].
    put_off: VecDeque<Ask>,
    /// How often an interrupt was asked for while a program was waited for.
    presses: u8,
    /// Whether the session is wanted elsewhere, while a program is waited for that nobody has said anything to.
    yields: bool,
    /// The same for the end of the actor.
    ending: bool,
    /// Until when nothing is said, because the session is about to be somewhere else.
    moving: Option<Instant>,
    agent: Agent,
    tab: Tab,
    fold: Conversation,
    log: Option<Log>,
    driver: Option<Running>,
    /// What was not told yet.
    pending: Vec<Update>,
    pending_bytes: usize,
    tell_at: Option<Instant>,
    show_at: Option<Instant>,
    shown_at: Option<Instant>,
    followers: Vec<Arc<Client>>,
    /// Who waits for the menu.
    menus: Vec<(Instant, oneshot::Sender<Result<Menu, Error>>)>,
    /// The prompt of the open turn, or of the last one, and what was sent for it.
    last: Option<Prompt>,
    model: Option<String>,
    touched: bool,
}

impl Actor {
    async fn new(
        shared: &Arc<Shared>,
        id: TabId,
        asked: mpsc::Receiver<Ask>,
    ) -> Result<Self, Error> {
        let missing = || refuse(ErrorKind::NotFound, format!("there is no tab {id}"));
        let mut tab = shared.world.tab(id).ok_or_else(missing)?;
        let agent = shared.world.agent(tab.agent).ok_or_else(missing)?;
        let (path, title) = (path(shared, id), tab.title.clone());
        let (tab, log, fold, last, touched) = block(move || {
            let found = Log::open(&path).map_err(|error| {
                let shown = path.display();
                refuse(ErrorKind::Failed, format!("{shown} cannot be used: {error}"))
            })?;
            let (log, fold) = mend(found, &mut tab, now_ms());
            let last = log.prompts().next().and_then(|n| {
                match log.read(n + 1, 1, u64::MAX).ok()?.pop()?.body {
                    Body::Prompt(prompt) => Some(prompt),
                    _ => None,
                }
            });
            tab.title = title;
            let touched = was_touched(&log, tab.turns);
            Ok((tab, log, fold, last, touched))
        })
        .await?;
        let mut actor = Self {
            shared: Arc::clone(shared),
            asked,
            put_off: VecDeque::new(),
            presses: 0,
            yields: false,
            ending: false,
            moving: None,
            agent,
            tab,
            fold,
            log: Some(log),
            driver: None,
            pending: Vec::new(),
            pending_bytes: 0,
            tell_at: None,
            show_at: None,
            shown_at: None,
            followers: Vec::new(),
            menus: Vec::new(),
            last,
            model: None,
            touched,
        };
        actor.show();
        Ok(actor)
    }

    /// Gives back whom to tell when it is over.
    async fn ask(&mut self, ask: Ask) -> Option<oneshot::Sender<()>> {
        match ask {
            Ask::Say { prompt, journal, done } => {
                match self.begin(prompt.clone(), journal, false).await {
                    Ok(turn) => {
                        self.speak(prompt).await;
                        // Not before the program has it: whoever keeps the prompt keeps it until then, so
                        // that a host that dies in between leaves one of which nobody knows, not none.
                        let _ = done.send(Ok(turn));
                    }
                    Err(refused) => {
                        let _ = done.send(Err(refused));
                    }
                }
            }
            Ask::Again(done) => self.again(done).await,
            Ask::Interrupt(done) => {
                let result = self.interrupt().await;
                let _ = done.send(result);
            }
            Ask::Answer { request, answer, done } => {
                let result = self.answer(&request, answer).await;
                let _ = done.send(result);
            }
            Ask::Change { change, done } => {
                let result = self.change(change).await;
                let _ = done.send(result);
            }
            ask @ (Ask::Open { .. } | Ask::Read { .. }) => self.look(ask).await,
            Ask::Menu(done) => self.menu(done).await,
            Ask::Retry(done) => self.retry(done).await,
            Ask::Rebuild(done) => self.rebuild(done).await,
            Ask::Release { place, moving, done } => {
                self.yields = false;
                let result = self.release(place).await;
                self.moving = (moving && result.is_ok()).then(|| Instant::now() + MOVE);
                let _ = done.send(result);
            }
            Ask::Back { session, stored, done } => {
                self.yields = false;
                let result = self.back(session, stored).await;
                let _ = done.send(result);
            }
            Ask::Said(turn, done) => {
                let _ = done.send(self.said(turn).await);
            }
            Ask::Stop(done) => {
                self.stop().await;
                return Some(done);
            }
        }
        self.show_soon();
        None
    }

    /// Shows what was said. Also while a program is waited for: it needs none.
    async fn look(&mut self, ask: Ask) {
        match ask {
            Ask::Open { client, id, last, follow, permit } => {
                self.flush().await;
                let page = self.page(u64::MAX, last).await;
                let page = page.map(|page| Reply::Entries(Box::new(page)));
                // First, so that nothing that comes after the page is missed: what is told is only flushed
                // from here.
                if follow && page.is_ok() {
                    if client.open_tab(self.tab.id) {
                        if !self.followers.iter().any(|known| known.id == client.id) {
                            self.followers.push(Arc::clone(&client));
                        }
                    } else {
                        let text = "this client follows too many tabs; leave some first";
                        client.reply(id, Err(refuse(ErrorKind::Busy, text)), Some(permit));
                        return;
                    }
                }
                client.reply(id, page, Some(permit));
            }
            Ask::Read { before, most, page } => {
                self.flush().await;
                let _ = page.send(self.page(before, most).await);
            }
            other => self.put_off.push_back(other),
        }
    }
}

/// Whether a host before this one saw something of the last turn's work. What cannot be read counts as work.
fn was_touched(log: &Log, turn: u64) -> bool {
    let Some(prompt) = log.prompts().next() else { return true };
    let Ok(entries) = log.read(u64::MAX, PAGE.0, PAGE.1) else { return true };
    let whole = entries.first().is_some_and(|first| first.n <= prompt)
        && entries.iter().any(|entry| entry.n == prompt && entry.turn == turn);
    !whole || entries.iter().any(|entry| entry.n > prompt && works(&entry.body))
}

fn works(body: &Body) -> bool {
    matches!(body, Body::Text(_) | Body::Tool(_) | Body::Todo(_) | Body::Request { .. })
}

/// Whether something of the turn's work was done by then: to say its prompt again would do it twice.
fn touches(event: &Event) -> bool {
    match event {
        Event::Item { body, .. } => works(body),
        Event::Delta { part, .. } => *part != maestro_core::conversation::Part::Thinking,
        Event::Request(_) => true,
        _ => false,
    }
}

/// How much a policy allows.
fn rights(policy: Policy) -> u8 {
    match policy {
        Policy::ReadOnly => 0,
        Policy::Ask => 1,
        Policy::AcceptEdits => 2,
        Policy::Bypass => 3,
    }
}

fn plain_menu() -> Menu {
    Menu { models: Vec::new(), commands: Vec::new(), policies: Policy::ALL.to_vec() }
}

fn interrupted() -> Failure {
    Failure { kind: FailureKind::Interrupted, message: "It was interrupted.".to_owned() }
}

fn unusable(message: String) -> Failure {
    Failure { kind: FailureKind::Unusable, message }
}

fn lost() -> Error {
    refuse(ErrorKind::Failed, "the transcript is not there any more; restart the host")
}

fn unwritten(error: &std::io::Error) -> Error {
    refuse(ErrorKind::Failed, format!("the prompt cannot be written down: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_tells_whether_something_of_the_last_turn_was_done() {
        let prompt = || Body::Prompt(Prompt { text: "do".into(), ..Prompt::default() });
        let failed = || Body::Failed(interrupted());
        let said = || Body::Text("a".into());
        for (bodies, touched) in [
            (vec![(1, prompt()), (1, failed())], false),
            (vec![(1, prompt()), (1, Body::Thinking("hm".into())), (1, failed())], false),
            (vec![(1, prompt()), (1, said()), (1, failed())], true),
            (vec![(1, prompt()), (1, said()), (2, prompt()), (2, failed())], false),
            (vec![(1, said())], true),
            (vec![], true),
        ] {
            let folder = tempfile::tempdir().expect("a folder");
            let mut found = Log::open(&folder.path().join("c1.jsonl")).expect("made");
            let turn = bodies.last().map_or(0, |(turn, _)| *turn);
            let updates: Vec<Update> = (0..)
                .zip(bodies)
                .map(|(n, (turn, body))| {
                    Update::Entry(Entry { n, turn, at_ms: 0, open: false, body })
                })
                .collect();
            found.log.write(&updates, false).expect("written");
            assert_eq!(was_touched(&found.log, turn), touched, "{updates:?}");
        }
    }
}

//! Queues over a real store and conversations of the test's own, which remember across the deaths of hosts
//! what was written into transcripts and what reached a program.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use maestro_core::conversation::{Place, Policy, Prompt, Tab, TabState, limits};
use maestro_core::queue::{Held, MOST_ITEMS, PROMPT_LIMIT, Queue};
use maestro_core::turn::{Failure, FailureKind, Usage};
use maestro_core::{AgentId, ItemId, RunId, TabId};
use maestro_engine::queue::{
    Clock, Deps, Hook, Later, Over, Queues, Refused, Said, Settings, Step, Tabs,
};
use maestro_protocol::message::{ErrorKind, Event, ItemChange};
use maestro_store::Store;
use tokio::sync::watch;

use crate::harness::DEADLINE;

const AGENT: AgentId = AgentId(1);
const ONE: TabId = TabId(1);
const TWO: TabId = TabId(2);
const BEGIN: u64 = 1_790_000_000_000;

/// What outlives a host: the database, transcripts, the providers' programs, the clock.
struct Machine {
    folder: tempfile::TempDir,
    store: Store,
    world: Arc<Mutex<World>>,
    time: watch::Sender<u64>,
    /// Of the newest host, whether it is dead.
    dead: Mutex<Arc<AtomicBool>>,
}

#[derive(Default)]
struct World {
    tabs: BTreeMap<TabId, Tab>,
    /// Prompts in our own transcripts.
    written: Vec<(TabId, u64, String)>,
    /// What reached a program, in order.
    reached: Vec<String>,
    /// Turns of which something came back.
    answered: BTreeSet<(TabId, u64)>,
    /// How often tabs went on by themselves.
    again: Vec<TabId>,
    run: Option<RunId>,
    refuse: Option<Refused>,
}

/// What a conversation is cut off before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    Transcript,
    Program,
    Answer,
}

/// Where a host dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Death {
    At(Step),
    In(Cut),
}

/// The conversations of one host.
struct Fake {
    world: Arc<Mutex<World>>,
    cut: Option<(Cut, AtomicUsize)>,
    dead: Arc<AtomicBool>,
}

impl Fake {
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().expect("no panic")
    }

    async fn cut(&self, here: Cut) {
        let Some((cut, left)) = &self.cut else { return };
        if *cut == here && left.fetch_sub(1, Ordering::SeqCst) == 0 {
            self.dead.store(true, Ordering::SeqCst);
        }
        if self.dead.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
    }

    async fn begin(&self, tab: TabId, turn: u64, text: String) -> Result<(), Refused> {
        if self.dead.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        {
            let world = self.world();
            if let Some(refused) = world.refuse.clone() {
                return Err(refused);
            }
            let known = world.tabs.get(&tab).expect("a tab");
            assert_eq!(turn, known.turns + 1, "turns are counted without gaps");
            assert!(!known.state.is_busy(), "one turn at a time");
        }
        self.cut(Cut::Transcript).await;
        {
            let mut world = self.world();
            world.written.push((tab, turn, text.clone()));
            let tab = world.tabs.get_mut(&tab).expect("a tab");
            tab.turns = turn;
            tab.state = TabState::Working("it".into());
        }
        self.cut(Cut::Program).await;
        self.world().reached.push(text);
        self.cut(Cut::Answer).await;
        let _ = self.world().answered.insert((tab, turn));
        Ok(())
    }
}

impl Tabs for Fake {
    fn tab(&self, tab: TabId) -> Option<Tab> {
        self.world().tabs.get(&tab).cloned()
    }

    fn tabs_of(&self, agent: AgentId) -> Vec<Tab> {
        self.world().tabs.values().filter(|tab| tab.agent == agent).cloned().collect()
    }

    fn run_in(&self, _: AgentId) -> Option<RunId> {
        self.world().run
    }

    fn say(
        &self,
        tab: TabId,
        turn: u64,
        prompt: Prompt,
        _: ItemId,
    ) -> Later<'_, Result<(), Refused>> {
        Box::pin(self.begin(tab, turn, prompt.text))
    }

    fn again(&self, tab: TabId) -> Later<'_, Result<(), Refused>> {
        Box::pin(async move {
            if self.dead.load(Ordering::SeqCst) {
                std::future::pending::<()>().await;
            }
            let mut world = self.world();
            world.again.push(tab);
            world.tabs.get_mut(&tab).expect("a tab").state = TabState::Working("again".into());
            Ok(())
        })
    }

    fn said(&self, tab: TabId, turn: u64) -> Later<'_, Said> {
        let world = self.world();
        let written = world.written.iter().any(|(at, n, _)| (*at, *n) == (tab, turn));
        let said = match (written, world.answered.contains(&(tab, turn))) {
            (_, true) => Said::Yes,
            (true, false) => Said::Maybe,
            (false, false) => Said::No,
        };
        Box::pin(async move { said })
    }
}

struct Hands(watch::Receiver<u64>);

impl Clock for Hands {
    fn now_ms(&self) -> u64 {
        *self.0.borrow()
    }

    fn sleep_until(&self, at_ms: u64) -> Later<'static, ()> {
        let mut time = self.0.clone();
        Box::pin(async move {
            let _ = time.wait_for(|now| *now >= at_ms).await;
        })
    }
}

/// One host.
struct Host {
    queues: Queues,
    world: Arc<Mutex<World>>,
    events: Arc<Mutex<Vec<Event>>>,
    dead: Arc<AtomicBool>,
}

impl Machine {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path().join("maestro.db")).expect("a store");
        let tabs = [ONE, TWO].map(|id| (id, tab(id)));
        let world = World { tabs: tabs.into_iter().collect(), ..World::default() };
        let world = Arc::new(Mutex::new(world));
        Self { folder, store, world, time: watch::Sender::new(BEGIN), dead: Mutex::default() }
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().expect("no panic")
    }

    /// Begins a host and lets it look at what the one before left.
    async fn host(&self) -> Host {
        let host = self.host_with(Settings::default(), None).await;
        host.queues.recover(&[AGENT]).await.expect("it recovers");
        host
    }

    /// A host that dies at a point when it comes there for the `nth` time, from 0.
    async fn host_with(&self, settings: Settings, death: Option<(Death, usize)>) -> Host {
        let dead = Arc::new(AtomicBool::new(false));
        // There is one at a time: the one before would say what its tabs are free for from here on.
        let before =
            std::mem::replace(&mut *self.dead.lock().expect("no panic"), Arc::clone(&dead));
        before.store(true, Ordering::SeqCst);
        // What conversations do with turns that a dead host had open.
        for tab in self.world().tabs.values_mut() {
            tab.state = limits::after_restart(&tab.state);
        }
        let cut = match death {
            Some((Death::In(cut), nth)) => Some((cut, AtomicUsize::new(nth))),
            _ => None,
        };
        let fake = Fake { world: Arc::clone(&self.world), cut, dead: Arc::clone(&dead) };
        let hook: Hook = {
            let (dead, left) = (Arc::clone(&dead), AtomicUsize::new(death.map_or(0, |(_, n)| n)));
            Arc::new(move |step, _| {
                if matches!(death, Some((Death::At(at), _)) if at == step)
                    && left.fetch_sub(1, Ordering::SeqCst) == 0
                {
                    dead.store(true, Ordering::SeqCst);
                }
                dead.load(Ordering::SeqCst)
            })
        };
        let events: Arc<Mutex<Vec<Event>>> = Arc::default();
        let told = Arc::clone(&events);
        let deps = Deps {
            store: self.store.clone(),
            tabs: Arc::new(fake),
            clock: Arc::new(Hands(self.time.subscribe())),
            events: Arc::new(move |event| told.lock().expect("no panic").push(event)),
            settings: Arc::new(move || settings),
        };
        let queues = Queues::with(deps, Some(hook));
        Host { queues, world: Arc::clone(&self.world), events, dead }
    }

    fn reached(&self) -> Vec<String> {
        self.world().reached.clone()
    }

    fn set_time(&self, at_ms: u64) {
        let _ = self.time.send_replace(at_ms);
    }
}

impl Host {
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().expect("no panic")
    }

    async fn send(&self, tab: TabId, text: &str) -> ItemId {
        self.queues.send(tab, prompt(text), format!("t-{text}"), false).await.expect("it is kept")
    }

    /// Ends the turn of a tab the way conversations do.
    fn end(&self, tab: TabId, over: Over, state: TabState) {
        let agent = self.world().tabs[&tab].agent;
        self.queues.turn_ended(agent, tab, over);
        self.set(tab, state);
        self.queues.freed(agent);
    }

    fn fail(&self, tab: TabId, kind: FailureKind) -> TabState {
        let failure = Failure { kind, message: "it went wrong".into() };
        let state = self.queues.judge(tab, &failure, true);
        let over = match &state {
            TabState::Failed(failure) => Over::Failed(failure.clone()),
            _ => Over::Waits,
        };
        self.end(tab, over, state.clone());
        state
    }

    fn set(&self, tab: TabId, state: TabState) {
        self.world().tabs.get_mut(&tab).expect("a tab").state = state;
    }

    fn ends_well(&self, tab: TabId) {
        self.end(tab, Over::Well, TabState::Idle);
    }

    fn busy(&self) -> Vec<TabId> {
        let world = self.world();
        world.tabs.values().filter(|tab| tab.state.is_busy()).map(|tab| tab.id).collect()
    }

    async fn queue(&self) -> Queue {
        self.queues.queue(AGENT).await
    }

    async fn waiting(&self) -> Vec<String> {
        self.queue().await.items.into_iter().map(|item| item.prompt.text).collect()
    }

    async fn reached(&self, texts: &[&str]) {
        let said = async || {
            let world = self.world();
            world.reached == texts && world.answered.len() >= world.reached.len()
        };
        until(&format!("{texts:?} is said"), said).await;
    }

    /// Gives everything a chance that might be said, and makes sure that nothing is.
    async fn nothing_more(&self) {
        let before = self.world().reached.clone();
        for _ in 0..5 {
            self.queues.freed(AGENT);
            let _ = self.queues.queue(AGENT).await;
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        assert_eq!(self.world().reached, before);
    }

    async fn held(&self, held: &Held) {
        until(&format!("{held:?}"), async || self.queue().await.held.as_ref() == Some(held)).await;
    }

    fn problems(&self) -> Vec<String> {
        let events = self.events.lock().expect("no panic");
        let text = |event: &Event| match event {
            Event::Problem { text, .. } => Some(text.clone()),
            _ => None,
        };
        events.iter().filter_map(text).collect()
    }
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !holds().await {
        assert!(Instant::now() < deadline, "{what}: not within {DEADLINE:?}");
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
}

fn prompt(text: &str) -> Prompt {
    let read_only = text.starts_with("read");
    Prompt { text: text.into(), read_only, ..Prompt::default() }
}

fn tab(id: TabId) -> Tab {
    Tab {
        id,
        agent: AGENT,
        title: String::new(),
        named: false,
        session: None,
        place: Place::Nowhere,
        policy: Policy::Ask,
        model: None,
        effort: None,
        starred: false,
        unread: false,
        closed: false,
        state: TabState::Idle,
        since_ms: 0,
        requests: Vec::new(),
        context: None,
        usage: Usage::default(),
        entries: 0,
        turns: 0,
        created_ms: 0,
        used_ms: 0,
    }
}

const DEATHS: [Death; 9] = [
    Death::At(Step::Keep),
    Death::At(Step::Acknowledge),
    Death::At(Step::Dispatch),
    Death::At(Step::Say),
    Death::In(Cut::Transcript),
    Death::In(Cut::Program),
    Death::In(Cut::Answer),
    Death::At(Step::Finish),
    Death::At(Step::Settle),
];

const TEXTS: [&str; 3] = ["a", "b", "c"];

/// One host's life: the client sends everything (again), the user lets go on what is held as a whole, turns
/// end well. Until it dies or nothing is left to do.
async fn live(machine: &Machine, death: Option<(Death, usize)>) -> bool {
    let host = machine.host_with(Settings::default(), death).await;
    let dead = Arc::clone(&host.dead);
    let work = async {
        if host.queues.recover(&[AGENT]).await.is_err() {
            return;
        }
        for text in TEXTS {
            if host.queues.send(ONE, prompt(text), format!("t-{text}"), false).await.is_err() {
                return;
            }
        }
        let _ = host.queues.hold(AGENT, false).await;
        loop {
            for tab in host.busy() {
                host.ends_well(tab);
            }
            let queue = host.queue().await;
            let still = queue.items.iter().all(|item| item.held);
            let said = machine.reached();
            let kept = |text: &&str| {
                said.iter().any(|said| said == text)
                    || queue.items.iter().any(|item| item.prompt.text == *text)
            };
            if still && host.busy().is_empty() && TEXTS.iter().all(kept) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    };
    let died = async {
        while !dead.load(Ordering::SeqCst) {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    };
    let over = async {
        tokio::select! { () = work => {}, () = died => {} }
    };
    tokio::time::timeout(DEADLINE, over)
        .await
        .unwrap_or_else(|_| panic!("{death:?}: {:?}", machine.reached()));
    // The dead say nothing; of the living nothing is wanted any more.
    let died = dead.swap(true, Ordering::SeqCst);
    host.queues.stop();
    died
}

/// Each was said exactly once, or is shown as one of which nobody knows.
async fn check(machine: &Machine, what: &str) {
    let host = machine.host().await;
    let queue = host.queue().await;
    let reached = machine.reached();
    for text in TEXTS {
        let said = reached.iter().filter(|said| *said == text).count();
        let item = queue.items.iter().find(|item| item.prompt.text == text);
        let shown = item.is_some_and(|item| item.held && item.unsure);
        assert!(said <= 1, "{what}: {text} was said {said} times");
        assert!(
            if said == 0 { shown } else { item.is_none() || shown },
            "{what}: {text} was said {said} times and is shown as {item:?}"
        );
    }
    let items: BTreeSet<&str> = queue.items.iter().map(|item| item.prompt.text.as_str()).collect();
    assert_eq!(items.len(), queue.items.len(), "{what}: nothing is there twice");
    host.queues.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn wherever_the_host_dies_everything_is_said_once_or_shown_as_unsure() {
    let mut deaths = 0;
    for death in DEATHS {
        for nth in 0..3 {
            let machine = Machine::new();
            let died = live(&machine, Some((death, nth))).await;
            deaths += usize::from(died);
            // There is something to look at only after another death.
            assert_eq!(died, death != Death::At(Step::Settle), "{death:?} {nth}");
            let _ = live(&machine, None).await;
            check(&machine, &format!("{death:?}, time {nth}")).await;
        }
    }
    assert_eq!(deaths, 24);
}

#[tokio::test(flavor = "multi_thread")]
async fn so_it_is_when_hosts_die_again_and_again() {
    for first in DEATHS {
        for second in DEATHS {
            for third in [Death::At(Step::Dispatch), Death::In(Cut::Program)] {
                let machine = Machine::new();
                for death in [first, second, third] {
                    let _ = live(&machine, Some((death, 0))).await;
                }
                let _ = live(&machine, None).await;
                check(&machine, &format!("{first:?}, {second:?}, {third:?}")).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_not_to_have_been_said_waits_and_what_is_not_known_is_held() {
    for (death, unsure) in [(Death::At(Step::Say), false), (Death::In(Cut::Program), true)] {
        let machine = Machine::new();
        let host = machine.host_with(Settings::default(), Some((death, 0))).await;
        host.queues.recover(&[AGENT]).await.expect("recovered");
        let id = host.send(ONE, "a").await;
        until("it dies", async || host.dead.load(Ordering::SeqCst)).await;

        let host = machine.host().await;
        let queue = host.queue().await;
        assert_eq!(queue.held, Some(Held::AfterRestart));
        assert_eq!((queue.items[0].held, queue.items[0].unsure), (unsure, unsure));
        let _ = host.queues.hold(AGENT, false).await.expect("let go");
        if unsure {
            host.nothing_more().await;
            assert_eq!(machine.reached(), Vec::<String>::new());
            // Its user has looked.
            let queue = host.queues.change(id, ItemChange::Held(false)).await.expect("let go");
            assert!(queue.items.iter().all(|item| !item.unsure));
        }
        host.reached(&["a"]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_token_says_it_once() {
    let machine = Machine::new();
    let host = machine.host().await;
    let first = host.send(ONE, "a").await;
    host.reached(&["a"]).await;
    assert_eq!(host.send(ONE, "a").await, first);
    host.ends_well(ONE);
    assert_eq!(host.send(ONE, "a").await, first, "also when it is over");
    let host = machine.host().await;
    assert_eq!(host.send(ONE, "a").await, first, "also for another host");
    host.nothing_more().await;
    let error =
        host.queues.send(TWO, prompt("a"), "t-a".into(), false).await.expect_err("another tab");
    assert_eq!(error.kind, ErrorKind::Invalid);
}

#[tokio::test(flavor = "multi_thread")]
async fn turns_follow_each_other_in_order_over_all_tabs() {
    let machine = Machine::new();
    let host = machine.host().await;
    let _ = host.send(ONE, "a").await;
    host.reached(&["a"]).await;
    for (tab, text) in [(TWO, "b"), (ONE, "c"), (TWO, "read d"), (TWO, "read e")] {
        let _ = host.send(tab, text).await;
    }
    host.nothing_more().await;
    assert_eq!(host.waiting().await, ["b", "c", "read d", "read e"]);
    host.ends_well(ONE);
    host.reached(&["a", "b"]).await;
    host.ends_well(TWO);
    host.reached(&["a", "b", "c", "read d"]).await;
    host.ends_well(ONE);
    host.nothing_more().await;
    host.ends_well(TWO);
    host.reached(&["a", "b", "c", "read d", "read e"]).await;
    assert_eq!(host.queue().await.held, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_lets_through_only_what_reads() {
    let machine = Machine::new();
    machine.world().run = Some(RunId(1));
    let host = machine.host().await;
    let _ = host.send(ONE, "a").await;
    let _ = host.send(TWO, "read b").await;
    host.reached(&["read b"]).await;
    host.nothing_more().await;
    machine.world().run = None;
    host.queues.all_freed();
    host.reached(&["read b", "a"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_nothing_is_sent_until_somebody_says_so() {
    let machine = Machine::new();
    let host = machine.host().await;
    for text in ["a", "b", "c"] {
        let _ = host.send(ONE, text).await;
    }
    host.reached(&["a"]).await;
    host.queues.stop();

    let host = machine.host().await;
    host.held(&Held::AfterRestart).await;
    host.nothing_more().await;
    assert_eq!(host.waiting().await, ["b", "c"]);
    host.queues.stop();

    // Another restart changes nothing, and neither does something new.
    let host = machine.host().await;
    let _ = host.send(ONE, "d").await;
    host.nothing_more().await;
    let queue = host.queues.hold(AGENT, false).await.expect("let go");
    assert_eq!(queue.held, None);
    host.reached(&["a", "b"]).await;
    host.queues.stop();

    let send = Settings { send_after_restart: true, ..Settings::default() };
    let host = machine.host_with(send, None).await;
    host.queues.recover(&[AGENT]).await.expect("recovered");
    host.reached(&["a", "b", "c"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_stops_the_queue_and_says_why() {
    let machine = Machine::new();
    let host = machine.host().await;
    for text in ["a", "b"] {
        let _ = host.send(ONE, text).await;
    }
    host.reached(&["a"]).await;
    let state = host.fail(ONE, FailureKind::Auth);
    assert!(matches!(state, TabState::Failed(_)));
    let why = Held::AfterFailure("it went wrong".into());
    host.held(&why).await;
    host.nothing_more().await;
    host.queues.stop();

    let host = machine.host().await;
    host.held(&why).await;
    // The way it is held is kept, and so is what waits; the user lets it go on.
    let _ = host.queues.hold(AGENT, false).await.expect("let go");
    host.reached(&["a", "b"]).await;
    // Where nothing waits there is nothing to hold, and what comes then is said at once.
    let _ = host.fail(ONE, FailureKind::Billing);
    host.nothing_more().await;
    assert_eq!(host.queue().await.held, None);
    let _ = host.send(ONE, "c").await;
    host.reached(&["a", "b", "c"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_slips_in_between_a_failure_and_its_hold() {
    for _ in 0..50 {
        let machine = Machine::new();
        let host = machine.host().await;
        for text in ["a", "b"] {
            let _ = host.send(ONE, text).await;
        }
        host.reached(&["a"]).await;
        // Somebody else wakes the queue at the same time.
        let waker = host.queues.clone();
        let waking = tokio::spawn(async move {
            for _ in 0..100 {
                waker.freed(AGENT);
                tokio::task::yield_now().await;
            }
        });
        let _ = host.fail(ONE, FailureKind::Other);
        waking.await.expect("no panic");
        host.held(&Held::AfterFailure("it went wrong".into())).await;
        host.nothing_more().await;
        assert_eq!(machine.reached(), ["a"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_queue_does_not_fire_into_the_wreck() {
    let machine = Machine::new();
    let host = machine.host().await;
    for text in ["a", "b"] {
        let _ = host.send(ONE, text).await;
    }
    host.reached(&["a"]).await;
    host.queues.interrupted(AGENT);
    host.set(ONE, TabState::Interrupting);
    host.held(&Held::AfterInterrupt).await;
    host.end(ONE, Over::Interrupted, TabState::Idle);
    host.nothing_more().await;
    // It goes with what it was for.
    let id = host.queue().await.items[0].id;
    let queue = host.queues.change(id, ItemChange::Remove).await.expect("removed");
    assert_eq!((queue.held, queue.items), (None, vec![]));

    // What is sent after the stop is meant for what is left.
    let _ = host.send(ONE, "c").await;
    host.reached(&["a", "c"]).await;
    host.queues.interrupted(AGENT);
    host.set(ONE, TabState::Interrupting);
    let _ = host.send(ONE, "d").await;
    host.end(ONE, Over::Interrupted, TabState::Idle);
    host.reached(&["a", "c", "d"]).await;
    // Without a word before (the program was killed), what waits is held, too.
    let _ = host.send(ONE, "e").await;
    host.end(ONE, Over::Interrupted, TabState::Idle);
    host.held(&Held::AfterInterrupt).await;
    host.nothing_more().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_after_a_hold_is_said_and_what_waited_stays_held() {
    let machine = Machine::new();
    let host = machine.host().await;
    let typed = async |host: &Host, tab, text: &str| {
        let token = format!("t-{text}");
        let _ = host.queues.send(tab, prompt(text), token, true).await.expect("it is kept");
    };
    for text in ["a", "b"] {
        let _ = host.send(ONE, text).await;
    }
    host.reached(&["a"]).await;
    // Interrupted: whoever says something now knows of it, a script as well.
    host.queues.interrupted(AGENT);
    host.set(ONE, TabState::Interrupting);
    host.held(&Held::AfterInterrupt).await;
    let _ = host.send(ONE, "c").await;
    host.nothing_more().await;
    host.end(ONE, Over::Interrupted, TabState::Idle);
    host.reached(&["a", "c"]).await;
    assert_eq!(host.queue().await.held, Some(Held::AfterInterrupt));
    // Stopped again: what was written before that is held, too.
    let _ = host.send(ONE, "d").await;
    host.queues.interrupted(AGENT);
    host.end(ONE, Over::Interrupted, TabState::Idle);
    host.nothing_more().await;
    assert_eq!(host.waiting().await, ["b", "d"]);

    // In another tab it goes when nobody writes.
    typed(&host, ONE, "e").await;
    host.reached(&["a", "c", "e"]).await;
    typed(&host, TWO, "f").await;
    host.nothing_more().await;
    host.ends_well(ONE);
    host.reached(&["a", "c", "e", "f"]).await;
    host.ends_well(TWO);
    assert_eq!(host.waiting().await, ["b", "d"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_or_a_failure_only_what_is_written_passes_by() {
    let machine = Machine::new();
    let typed = async |host: &Host, text: &str| {
        let token = format!("t-{text}");
        let _ = host.queues.send(ONE, prompt(text), token, true).await.expect("it is kept");
    };
    let host = machine.host().await;
    for text in ["a", "b"] {
        let _ = host.send(ONE, text).await;
    }
    host.reached(&["a"]).await;
    // Somebody at the composer sees that a host began anew, a script does not.
    let host = machine.host().await;
    host.held(&Held::AfterRestart).await;
    let _ = host.send(ONE, "c").await;
    host.nothing_more().await;
    typed(&host, "d").await;
    host.reached(&["a", "d"]).await;
    assert_eq!(host.waiting().await, ["b", "c"]);
    host.ends_well(ONE);
    // What its user holds is held for all.
    let _ = host.queues.hold(AGENT, true).await.expect("held");
    typed(&host, "e").await;
    host.nothing_more().await;
    // After a failure as after a restart.
    let _ = host.queues.hold(AGENT, false).await.expect("let go");
    host.reached(&["a", "d", "b"]).await;
    let _ = host.fail(ONE, FailureKind::Other);
    host.held(&Held::AfterFailure("it went wrong".into())).await;
    let _ = host.send(ONE, "f").await;
    host.nothing_more().await;
    typed(&host, "g").await;
    host.reached(&["a", "d", "b", "g"]).await;
    assert_eq!(host.waiting().await, ["c", "e", "f"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_said_goes_back_to_where_it_was() {
    let machine = Machine::new();
    let host = machine.host().await;
    machine.world().refuse = Some(Refused::Busy("it is open in t4".into()));
    for text in ["a", "b"] {
        let _ = host.send(ONE, text).await;
    }
    host.nothing_more().await;
    assert_eq!(host.waiting().await, ["a", "b"]);
    assert_eq!(host.queue().await.held, None, "it is tried again when something is different");
    machine.world().refuse = Some(Refused::Failed("the program is not installed".into()));
    host.queues.freed(AGENT);
    host.held(&Held::AfterFailure("the program is not installed".into())).await;
    assert_eq!(host.waiting().await, ["a", "b"]);
    assert_eq!(host.problems(), ["the program is not installed"]);
    machine.world().refuse = None;
    let _ = host.queues.hold(AGENT, false).await.expect("let go");
    host.reached(&["a"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn items_are_changed_moved_and_put_back() {
    let machine = Machine::new();
    let host = machine.host().await;
    let _ = host.queues.hold(AGENT, true).await.expect("held");
    let mut ids = Vec::new();
    for text in ["a", "b", "c"] {
        ids.push(host.send(ONE, text).await);
    }
    let change = async |id: ItemId, change| host.queues.change(id, change).await;
    let queue = change(ids[2], ItemChange::Before(Some(ids[0]))).await.expect("moved");
    let texts =
        |queue: &Queue| queue.items.iter().map(|item| item.prompt.text.clone()).collect::<Vec<_>>();
    assert_eq!(texts(&queue), ["c", "a", "b"]);
    let queue = change(ids[0], ItemChange::Remove).await.expect("removed");
    assert_eq!(texts(&queue), ["c", "b"]);
    let error = change(ids[0], ItemChange::Held(true)).await.expect_err("it is gone");
    assert!(error.message.contains("queue restore q1"), "{error}");
    let queue = change(ids[0], ItemChange::Restore).await.expect("put back");
    assert_eq!(texts(&queue), ["c", "a", "b"]);
    let _ = change(ids[0], ItemChange::Restore).await.expect("it is where it is");
    let queue = change(ids[0], ItemChange::Prompt(prompt("other"))).await.expect("edited");
    assert_eq!(texts(&queue), ["c", "other", "b"]);
    let queue = change(ids[0], ItemChange::Tab(TWO)).await.expect("retargeted");
    assert_eq!(queue.items[1].tab, TWO);
    let _ = change(ids[2], ItemChange::Held(true)).await.expect("held");

    for (what, id, wrong, kind) in [
        ("no item", ItemId(99), ItemChange::Remove, ErrorKind::NotFound),
        ("no tab", ids[0], ItemChange::Tab(TabId(99)), ErrorKind::NotFound),
        ("nothing to say", ids[0], ItemChange::Prompt(prompt(" ")), ErrorKind::Invalid),
        ("before nothing", ids[0], ItemChange::Before(Some(ItemId(99))), ErrorKind::NotFound),
    ] {
        let error = host.queues.change(id, wrong).await.expect_err(what);
        assert_eq!(error.kind, kind, "{what}: {error}");
    }
    let foreign = TabId(7);
    let other = Tab { agent: AgentId(2), ..tab(foreign) };
    let _ = machine.world().tabs.insert(foreign, other);
    let error = change(ids[0], ItemChange::Tab(foreign)).await.expect_err("another agent's");
    assert_eq!(error.kind, ErrorKind::Invalid);

    // Now: although the queue is held, and before all others.
    let _ = change(ids[1], ItemChange::Now).await.expect("now");
    host.reached(&["b"]).await;
    let error = change(ids[1], ItemChange::Remove).await.expect_err("too late");
    assert_eq!((error.kind, error.message.contains("was sent already")), (ErrorKind::Busy, true));
    host.ends_well(ONE);
    host.nothing_more().await;
    let _ = host.queues.hold(AGENT, false).await.expect("let go");
    host.reached(&["b", "other"]).await;
    host.ends_well(TWO);
    host.nothing_more().await;
    assert_eq!(host.waiting().await, ["c"], "one that is held is stepped over");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limited_agent_goes_on_when_its_limit_is_over() {
    let machine = Machine::new();
    let host = machine.host().await;
    for (tab, text) in [(ONE, "a"), (TWO, "b")] {
        let _ = host.send(tab, text).await;
    }
    host.reached(&["a"]).await;
    let resets = BEGIN + 3_600_000;
    let state = host.fail(ONE, FailureKind::Limit { resets_ms: Some(resets) });
    assert_eq!(state, TabState::Limited { until_ms: Some(resets), resumes: true });
    host.nothing_more().await;
    assert_eq!(host.queue().await.held, None, "it waits, it is not held");
    machine.set_time(resets);
    host.nothing_more().await;
    assert_eq!(machine.world().again, [], "a little later than that");
    host.queues.stop();

    // Another host waits for the same moment, and for its queue, too.
    let host = machine.host().await;
    host.nothing_more().await;
    machine.set_time(resets + 80_000);
    until("it goes on", async || machine.world().again == [ONE]).await;
    host.ends_well(ONE);
    host.reached(&["a", "b"]).await;
    assert_eq!(machine.world().again, [ONE], "once");
}

#[tokio::test(flavor = "multi_thread")]
async fn whether_it_goes_on_after_a_limit_can_be_changed_while_it_waits() {
    let machine = Machine::new();
    let host = machine.host().await;
    for text in ["a", "b"] {
        let _ = host.send(ONE, text).await;
    }
    host.reached(&["a"]).await;
    let resets = BEGIN + 3_600_000;
    let switch = |host: &Host, resumes| {
        let state = TabState::Limited { until_ms: Some(resets), resumes };
        host.queues.resumes(AGENT, ONE, &state, resumes);
        host.set(ONE, state);
        host.queues.freed(AGENT);
    };
    let _ = host.fail(ONE, FailureKind::Limit { resets_ms: Some(resets) });
    switch(&host, false);
    let by_hand = "It does not go on by itself when the limit ends.";
    host.held(&Held::AfterFailure(by_hand.into())).await;
    machine.set_time(resets + 80_000);
    host.nothing_more().await;
    assert_eq!(machine.world().again, []);
    assert!(!host.queues.is_waiting());

    // And on again, before and over a restart: it and its queue go on.
    machine.set_time(BEGIN);
    switch(&host, true);
    until("it is held no more", async || host.queue().await.held.is_none()).await;
    assert!(host.queues.is_waiting());
    let host = machine.host().await;
    host.nothing_more().await;
    machine.set_time(resets + 80_000);
    until("it goes on", async || machine.world().again == [ONE]).await;
    host.ends_well(ONE);
    host.reached(&["a", "b"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_can_be_stopped_and_tried_now() {
    let machine = Machine::new();
    let host = machine.host().await;
    for text in ["a", "b"] {
        let _ = host.send(ONE, text).await;
    }
    host.reached(&["a"]).await;
    let resets = BEGIN + 3_600_000;
    let limit = FailureKind::Limit { resets_ms: Some(resets) };
    let _ = host.fail(ONE, limit);
    // Stop: what waits is held, and the moment passes.
    host.queues.interrupted(AGENT);
    host.end(ONE, Over::Interrupted, TabState::Idle);
    host.held(&Held::AfterInterrupt).await;
    machine.set_time(resets + 80_000);
    host.nothing_more().await;
    assert_eq!(machine.world().again, []);

    // Now: although a tab is limited.
    let _ = host.queues.hold(AGENT, false).await.expect("let go");
    host.reached(&["a", "b"]).await;
    let _ = host.fail(ONE, FailureKind::Limit { resets_ms: Some(resets + 900_000) });
    let id = host.send(ONE, "c").await;
    host.nothing_more().await;
    let _ = host.queues.change(id, ItemChange::Now).await.expect("now");
    host.reached(&["a", "b", "c"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn going_on_by_itself_can_be_switched_off() {
    let machine = Machine::new();
    let off = Settings { resume_after_limit: false, ..Settings::default() };
    let host = machine.host_with(off, None).await;
    host.queues.recover(&[AGENT]).await.expect("recovered");
    for text in ["a", "b"] {
        let _ = host.send(ONE, text).await;
    }
    host.reached(&["a"]).await;
    let resets = BEGIN + 1000;
    let state = host.fail(ONE, FailureKind::Limit { resets_ms: Some(resets) });
    assert_eq!(state, TabState::Limited { until_ms: Some(resets), resumes: false });
    host.held(&Held::AfterFailure("it went wrong".into())).await;
    machine.set_time(resets + 80_000);
    host.nothing_more().await;
    assert_eq!(machine.world().again, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overloaded_service_is_tried_again_a_bounded_number_of_times() {
    let machine = Machine::new();
    let host = machine.host().await;
    for text in ["a", "b"] {
        let _ = host.send(ONE, text).await;
    }
    host.reached(&["a"]).await;
    let mut tried = 0;
    let mut now = BEGIN;
    loop {
        match host.fail(ONE, FailureKind::Overload) {
            TabState::Retrying { until_ms: Some(until), attempt: Some(attempt), .. } => {
                tried += 1;
                assert_eq!(attempt, tried);
                assert!(until > now);
                machine.set_time(until - 1);
                host.nothing_more().await;
                assert_eq!(machine.world().again.len(), tried as usize - 1);
                machine.set_time(until);
                now = until;
                until_len(&machine, tried as usize).await;
            }
            TabState::Failed(_) => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(tried, 6);
    host.held(&Held::AfterFailure("it went wrong".into())).await;
    assert_eq!(machine.reached(), ["a"]);
    // Somebody says something: it counts from the beginning.
    let _ = host.queues.hold(AGENT, false).await.expect("let go");
    host.reached(&["a", "b"]).await;
    let state = host.fail(ONE, FailureKind::Network);
    assert!(matches!(state, TabState::Retrying { attempt: Some(1), .. }), "{state:?}");
}

async fn until_len(machine: &Machine, tried: usize) {
    until("it is tried again", async || machine.world().again.len() == tried).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_refused_with_a_sentence() {
    let machine = Machine::new();
    let host = machine.host().await;
    let _ = host.queues.hold(AGENT, true).await.expect("held");
    let long = "x".repeat(PROMPT_LIMIT);
    let token = "y".repeat(129);
    for (what, tab, text, token, kind) in [
        ("no tab", TabId(99), "x", "1", ErrorKind::NotFound),
        ("no words", ONE, " \n", "1", ErrorKind::Invalid),
        ("no token", ONE, "x", "", ErrorKind::Invalid),
        ("a long token", ONE, "x", token.as_str(), ErrorKind::Invalid),
        ("too long", ONE, &format!("{long}x"), "1", ErrorKind::Invalid),
    ] {
        let error = host.queues.send(tab, prompt(text), token.into(), false).await.expect_err(what);
        assert_eq!(error.kind, kind, "{what}: {error}");
    }
    assert_eq!(host.waiting().await, Vec::<String>::new());
    let send = async |token: &str| {
        host.queues
            .send(ONE, prompt(&long), token.into(), false)
            .await
            .expect("it fits, or is known")
    };
    let (first, _) = (send("first").await, send("second").await);
    let error = host.queues.send(ONE, prompt("x"), "1".into(), false).await.expect_err("no room");
    assert_eq!(error.kind, ErrorKind::Busy);
    assert_eq!(send("first").await, first, "what is kept is known, room or not");
    let edited = host.queues.change(first, ItemChange::Prompt(prompt("short"))).await;
    assert_eq!(edited.expect("there is room for less").items.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_has_an_end() {
    let machine = Machine::new();
    let host = machine.host().await;
    let _ = host.queues.hold(AGENT, true).await.expect("held");
    for n in 0..MOST_ITEMS {
        let _ = host.send(ONE, &format!("{n}")).await;
    }
    let error = host.queues.send(ONE, prompt("x"), "x".into(), false).await.expect_err("full");
    assert_eq!(error.kind, ErrorKind::Busy);
    assert!(error.message.contains("1000 prompts wait"), "{error}");
    let id = host.queue().await.items[500].id;
    let _ = host.queues.change(id, ItemChange::Remove).await.expect("removed");
    let _ = host.send(ONE, "x").await;
    let error = host.queues.change(id, ItemChange::Restore).await.expect_err("full again");
    assert_eq!(error.kind, ErrorKind::Busy);
    host.queues.stop();
    let host = machine.host().await;
    assert_eq!(host.waiting().await.len(), MOST_ITEMS);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_cannot_be_written_says_so_and_nothing_is_sent() {
    let machine = Machine::new();
    let host = machine.host().await;
    let _ = host.queues.hold(AGENT, true).await.expect("held");
    let id = host.send(ONE, "a").await;
    let path = machine.folder.path().join("maestro.db");
    // Another process keeps it locked: for a test that is quicker than a full disk, and the same to us.
    machine.store.clone().close();
    for result in [
        host.queues.send(ONE, prompt("b"), "b".into(), false).await.map(|_| ()),
        host.queues.change(id, ItemChange::Now).await.map(|_| ()),
        host.queues.hold(AGENT, false).await.map(|_| ()),
    ] {
        let error = result.expect_err("it cannot be written");
        assert!(error.message.contains("database is closed"), "{error}");
    }
    host.nothing_more().await;
    assert_eq!(host.waiting().await, ["a"]);
    assert!(path.exists());
    assert_eq!(machine.reached(), Vec::<String>::new());
}

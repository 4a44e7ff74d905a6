//! A day of Auto Run in seconds: a clock of our own, real turns, a real store.

use std::sync::atomic::AtomicU64;

use maestro_core::run::Loops;
use maestro_engine::queue::{Clock, Later};

use super::*;

const SECOND: u64 = 1_000;
const HOUR: u64 = 3_600 * SECOND;
const MORNING: u64 = 1_800_000_000_000;
/// Tasks of the document, and how often it is gone through.
const TASKS: usize = 125;
const PASSES: u32 = 4;
/// How long an agent works on one.
const TURN: u64 = 130 * SECOND;
/// The turns, counted from zero, that end at a limit, which is lifted an hour later.
const LIMITED: [usize; 4] = [40, 170, 290, 430];
/// Milliseconds after a wait is due that the machine is still closed, wait by wait.
const ASLEEP: [u64; 4] = [0, 5 * HOUR / 2, 0, 0];
/// The turn in the middle of which the machine is closed for an hour, and the one in which its clock is set
/// back.
const CLOSED_IN: usize = 350;
const SET_BACK_IN: usize = 220;
/// What is allowed for one task in the journal, and what one may need more at the end than at first.
const BYTES_A_TASK: u64 = 4_096;
const MEMORY_KB: u64 = 96 * 1_024;

/// Time passes when an agent works, and when one waits.
#[derive(Debug)]
struct Day {
    now_ms: AtomicU64,
    waits: Mutex<Vec<(u64, u64)>>,
}

impl Day {
    fn now(&self) -> u64 {
        self.now_ms.load(Ordering::SeqCst)
    }

    fn pass(&self, by_ms: u64) {
        let _ = self.now_ms.fetch_add(by_ms, Ordering::SeqCst);
    }
}

struct Watch(Arc<Day>);

impl Clock for Watch {
    fn now_ms(&self) -> u64 {
        self.0.now()
    }

    fn sleep_until(&self, at_ms: u64) -> Later<'static, ()> {
        let day = Arc::clone(&self.0);
        Box::pin(async move {
            tokio::task::yield_now().await;
            let mut waits = day.waits.lock().expect("no panic");
            let asleep = ASLEEP.get(waits.len()).copied().unwrap_or_default();
            let since = day.now();
            let _ = day.now_ms.fetch_max(at_ms + asleep, Ordering::SeqCst);
            waits.push((since, at_ms));
        })
    }
}

struct Workers {
    day: Arc<Day>,
    turns: AtomicUsize,
    /// When each began.
    begun: Mutex<Vec<u64>>,
}

impl Providers for Workers {
    fn check(&self, _: Provider) -> Result<(), String> {
        Ok(())
    }

    fn turn(&self, provider: Provider, options: &TurnOptions) -> Result<CommandLine, Failure> {
        let turn = self.turns.fetch_add(1, Ordering::SeqCst);
        self.begun.lock().expect("no panic").push(self.day.now());
        let says = if LIMITED.contains(&turn) {
            let resets_ms = self.day.now() + HOUR;
            format!(
                r#"{{"type":"failed","kind":{{"limit":{{"resets_ms":{resets_ms}}}}},"message":"the limit of the plan"}}"#
            )
        } else {
            self.day.pass(TURN);
            match turn {
                CLOSED_IN => self.day.pass(HOUR),
                SET_BACK_IN => {
                    let _ = self.day.now_ms.fetch_sub(TURN + 5 * SECOND, Ordering::SeqCst);
                }
                _ => {}
            }
            r#"{"type":"usage","input_tokens":7,"output_tokens":3}
{"type":"text","text":"It is done."}
{"type":"done"}"#
                .to_owned()
        };
        let script = "read -r prompt; printf '%s\\n' \"$1\"";
        Ok(CommandLine {
            provider,
            program: "/bin/sh".into(),
            args: vec!["-c".into(), script.into(), "agent".into(), says.into()],
            directory: options.directory.clone(),
            env: self.environment(),
            stdin: Some(options.prompt.clone().into_bytes()),
            before: None,
        })
    }

    fn environment(&self) -> Vec<(OsString, OsString)> {
        vec![("PATH".into(), std::env::var_os("PATH").unwrap_or_default())]
    }
}

/// Resident memory of this process: kilobytes; 0 where it cannot be told.
fn memory_kb() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}

/// Bytes of the journal that each task took, in their order.
fn bytes_by_task(journal: &[maestro_store::Journaled<Entry>]) -> Vec<u64> {
    let mut tasks: Vec<u64> = Vec::new();
    for entry in journal {
        if matches!(&entry.entry, Entry::Picked { attempt: 1, task, .. } if *task == tasks.len()) {
            tasks.push(0);
        }
        if let Some(task) = tasks.last_mut() {
            *task += serde_json::to_vec(&entry.entry).expect("an entry").len() as u64;
        }
    }
    tasks
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_of_five_hundred_tasks_ends_as_small_as_it_began() {
    let list: String = (0..TASKS).map(|task| format!("- [ ] task {task}\n")).collect();
    let world = World::new(&[("tasks.md", &list)]);
    let day = Arc::new(Day { now_ms: AtomicU64::new(MORNING), waits: Mutex::default() });
    let workers = Arc::new(Workers {
        day: Arc::clone(&day),
        turns: AtomicUsize::new(0),
        begun: Mutex::default(),
    });
    let store = world.store("home/maestro.db");
    let deps = Deps {
        store: store.clone(),
        git: Git::new(workers.environment()),
        providers: Arc::clone(&workers) as Arc<dyn Providers>,
        events: Arc::new(|_| {}),
        instance: world.folder.path().display().to_string(),
        locks: world.path("locks"),
    };
    let runs = Runs::with_clock(deps, Policy::default(), None, Arc::new(Watch(Arc::clone(&day))));
    let mut spec = world.spec(&["tasks.md"]);
    spec.options.loops = Loops::Times(PASSES);
    spec.options.reset = spec.documents.clone();
    let run = runs.start(spec).await.expect("it starts");
    let early = TASKS.min(100);
    until("a hundred tasks are through", async || {
        workers.turns.load(Ordering::SeqCst) > early || runs.active() == 0
    })
    .await;
    let early_kb = memory_kb();
    let run = ended(&runs, &run).await;
    let late_kb = memory_kb();

    assert_eq!(run.state, State::Ended(Ending::Completed), "{:?}", run.state);
    let hours = (day.now() - MORNING) as f64 / HOUR as f64;
    let turns = workers.turns.load(Ordering::SeqCst);
    assert!(hours >= 24.0, "{hours} hours");
    assert_eq!(turns, TASKS * PASSES as usize + LIMITED.len(), "no turn too many, none too few");

    // Nobody is asked between a limit and its end, however long the machine was closed in between.
    let waits = day.waits.lock().expect("no panic").clone();
    assert_eq!(waits.len(), LIMITED.len(), "{waits:?}");
    let begun = workers.begun.lock().expect("no panic").clone();
    for ((turn, (since, until)), asleep) in LIMITED.iter().zip(&waits).zip(ASLEEP) {
        assert!(*until >= begun[*turn] + HOUR, "turn {turn}");
        assert!(*until <= begun[*turn] + HOUR + 60 * SECOND, "turn {turn} waited too long");
        assert!(*since >= begun[*turn], "turn {turn}");
        assert_eq!(begun[turn + 1], until + asleep, "turn {turn}");
    }

    // A limit is no fault of the task's, and every task of every pass was done once.
    let done = run.tasks.iter().filter(|task| task.state == TaskState::Done).count();
    assert_eq!(done, run.tasks.len());
    assert!(run.tasks.iter().all(|task| task.attempts == 1), "{:?}", states(&run));
    assert_eq!(
        world.text("tasks.md"),
        list,
        "a document that is gone through again stays as it is"
    );

    let journal = store.journal::<Entry>(run.id).expect("a journal");
    let tasks = bytes_by_task(&journal);
    assert_eq!(tasks.len(), TASKS * PASSES as usize);
    let mean = |part: &[u64]| part.iter().sum::<u64>() / part.len() as u64;
    let (first, last) = (mean(&tasks[..100]), mean(&tasks[tasks.len() - 100..]));
    let (entries, bytes) = store.journal_size(run.id).expect("its size");
    println!(
        "{hours:.1} hours, {turns} turns, {} tasks; journal: {entries} entries, {bytes} bytes, first 100 tasks \
         {first} each, last 100 {last}; memory: {early_kb} kB after 100 tasks, {late_kb} kB after all",
        tasks.len()
    );
    assert!(last * 10 <= first * 12, "{first} bytes a task at first, {last} in the end");
    assert!(bytes <= BYTES_A_TASK * tasks.len() as u64, "{bytes} bytes");
    assert!(late_kb.saturating_sub(early_kb) <= MEMORY_KB, "{early_kb} kB, then {late_kb} kB");
}

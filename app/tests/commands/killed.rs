//! The host killed again and again in the middle of a run: nothing is lost, nothing is done twice.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{LONG, Stage, eventually};

/// How often the host dies.
const KILLS: usize = 50;

/// Tasks in one document; when a run ends before the host has died often enough, another begins.
const TASKS: usize = 40;

/// A small generator with a seed that a failure names (xorshift64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// A checklist whose tasks leave a line in a log each time they are worked on.
struct Course {
    document: PathBuf,
    log: PathBuf,
    run: String,
}

impl Course {
    fn start(stage: &Stage, repository: &Path, number: usize) -> Self {
        let log = stage.path(&format!("work-{number}.log"));
        let task = |task: usize| {
            format!(
                "- [ ] Task {task} [[bash echo {task} >> {log}; echo {number} > f{number}-{task}]]\n  \
                 - verify: `grep -qx {task} {log}`\n",
                log = log.display()
            )
        };
        let text: String = (1..=TASKS).map(task).collect();
        let document = stage.write(&format!("tasks-{number}.md"), &text);
        let args = [
            "run",
            document.to_str().expect("text"),
            "-p",
            "demo",
            "-d",
            repository.to_str().expect("text"),
            "--attempts",
            "20",
            "--detach",
        ];
        let run = stage.ok(&args);
        Self { document, log, run }
    }

    /// The tasks whose box is ticked.
    fn ticked(&self) -> Vec<usize> {
        let text = std::fs::read_to_string(&self.document).expect("the document is whole");
        let boxes: Vec<&str> = text.lines().filter(|line| line.starts_with("- [")).collect();
        assert_eq!(boxes.len(), TASKS, "the document lost boxes: {text}");
        let number = |line: &str| line.split_whitespace().nth(3).and_then(|n| n.parse().ok());
        boxes
            .into_iter()
            .filter(|line| line.starts_with("- [x]"))
            .map(|line| number(line).unwrap_or_else(|| panic!("a damaged line: {line}")))
            .collect()
    }

    /// How often each task was worked on.
    fn worked(&self) -> BTreeMap<usize, usize> {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let mut counts = BTreeMap::new();
        for line in text.lines() {
            *counts.entry(line.parse().expect("a number")).or_default() += 1;
        }
        counts
    }

    /// No ticked box without evidence, and no evidence twice. The boxes are read first: the run goes on
    /// meanwhile, and what it shows may only be ahead of them. A box is ticked a moment before its task
    /// is told as done, so that a death in between ticks nothing twice.
    fn is_honest(&self, stage: &Stage) -> Value {
        let ticked = self.ticked();
        let mut shown = Value::Null;
        let mut missing = Vec::new();
        let all = eventually(|| {
            shown = stage.json(&["run", "show", &self.run]);
            let proven = proven(&shown);
            missing = ticked.iter().filter(|task| !proven.contains(task)).collect();
            missing.is_empty()
        });
        assert!(all, "ticked without evidence: {missing:?} in {shown:#}");
        shown
    }
}

/// The tasks that a run shows as done, each of which must have its evidence.
fn proven(shown: &Value) -> Vec<usize> {
    let tasks = shown["tasks"].as_array().expect("tasks");
    let mut proven = Vec::new();
    for task in tasks.iter().filter(|task| task["state"] == "done") {
        let evidence = task["verify"]["exit_code"] == 0
            && task["session"].is_string()
            && task["tree_after"].is_string();
        assert!(evidence, "done without evidence: {task:#}");
        let words = task["text"].as_str().expect("text");
        let number = words.split_whitespace().nth(1).and_then(|number| number.parse().ok());
        proven.push(number.unwrap_or_else(|| panic!("{words}")));
    }
    let count = proven.len();
    proven.sort_unstable();
    proven.dedup();
    assert_eq!(proven.len(), count, "a task is done twice: {shown:#}");
    proven
}

fn start_host(stage: &Stage) -> Child {
    let host = stage
        .maestro(&["host"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("started");
    let up = eventually(|| stage.run(&["host", "status"]).code == 0);
    assert!(up, "the host does not come up again:\n{}", stage.log());
    host
}

fn has_ended(shown: &Value) -> bool {
    shown["state"].get("ended").is_some()
}

#[test]
fn a_run_survives_a_host_that_is_killed_fifty_times() {
    let seed = 0x5eed_0f0a_5e11_u64;
    let mut chance = Chance(seed);
    let stage = Stage::new();
    let repository = stage.repository("shop");
    let mut host = start_host(&stage);
    let mut courses = vec![Course::start(&stage, &repository, 0)];
    let mut kills = 0;
    // For each task that was ticked when the host died: how often it had been worked on by then.
    let mut settled: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    let begun = Instant::now();
    while kills < KILLS {
        assert!(begun.elapsed() < LONG * 12, "{kills} kills took too long");
        std::thread::sleep(Duration::from_millis(chance.below(700)));
        host.kill().expect("killed");
        let _ = host.wait().expect("reaped");
        let place = courses.len() - 1;
        let course = &courses[place];
        let worked = course.worked();
        for task in course.ticked() {
            let count = worked.get(&task).copied().unwrap_or(0);
            assert!(count > 0, "task {task} is ticked and was never worked on (seed {seed:#x})");
            let _ = settled.entry((place, task)).or_insert(count);
        }
        host = start_host(&stage);
        let shown = course.is_honest(&stage);
        // What the dead host had started is gone: at most one host's marker is about.
        let clean = eventually(|| {
            let mut markers: Vec<String> =
                stage.marked().into_iter().map(|(_, marker)| marker).collect();
            markers.sort_unstable();
            markers.dedup();
            markers.len() <= 1
        });
        assert!(clean, "orphans after {kills} kills: {:?}\n{}", stage.marked(), stage.log());
        // Only a death in the middle of a run counts.
        if !has_ended(&shown) {
            kills += 1;
        } else {
            courses.push(Course::start(&stage, &repository, courses.len()));
        }
    }
    let last = courses.last().expect("a course");
    let mut shown = Value::Null;
    let deadline = Instant::now() + LONG * 4;
    while !has_ended(&shown) && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(100));
        shown = stage.json(&["run", "show", &last.run]);
    }
    assert!(has_ended(&shown), "the run never ends: {shown:#}\n{}", stage.log());
    for (place, course) in courses.iter().enumerate() {
        let shown = course.is_honest(&stage);
        assert_eq!(shown["state"]["ended"], "completed", "{shown:#}\n{}", stage.log());
        assert_eq!(course.ticked().len(), TASKS);
        let worked = course.worked();
        for ((_, task), count) in settled.iter().filter(|((of, _), _)| *of == place) {
            assert_eq!(
                worked.get(task),
                Some(count),
                "task {task} was ticked and then worked on again (seed {seed:#x})"
            );
        }
    }
    let _ = stage.ok(&["host", "stop"]);
    let _ = host.wait();
    assert!(eventually(|| stage.marked().is_empty()), "orphans: {:?}", stage.marked());
}

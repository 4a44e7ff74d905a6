//! Death at any point: of hosts in the middle of runs, and of those who watch them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use maestro_core::checklist::Document;
use serde_json::{Value, json};

use crate::place::{Place, kill, lives, until};
use crate::window::{Display, Window};

/// Hosts that are killed in the one test, each after a window that watched it.
const KILLS: usize = 54;

/// How long nothing may get done while nobody kills.
const PATIENCE: Duration = Duration::from_secs(120);

/// Numbers that look random and are the same every time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        // xorshift64*: the same everywhere, without a dependency.
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % end
    }
}

/// A run and what its tasks are to leave behind.
struct Work {
    run: String,
    directory: PathBuf,
    documents: Vec<PathBuf>,
    tasks: usize,
}

impl Work {
    /// Two documents with tasks of two kinds: one whose agent is told that it was cut short and does
    /// nothing twice by itself, and one that would do its work again, whose command tells whether it
    /// is done. Outside a repository nobody can see whether a directory changed, so there all tasks
    /// are of the first kind.
    fn start(place: &Place, directory: &Path, name: &str, tasks: usize) -> Self {
        let is_repository = directory.join(".git").exists();
        let documents =
            [directory.join(format!("{name}-1.md")), place.path(&format!("{name}-2.md"))];
        let mut texts = [format!("# {name}, one\n\n"), format!("# {name}, two\n\n")];
        for number in 0..tasks {
            let text = &mut texts[number * 2 / tasks];
            let file = format!("out/{name}-{number}.txt");
            if is_repository && number % 2 == 1 {
                text.push_str(&format!(
                    "- [ ] Task {number} [[bash sleep 0.1; echo done >> {file}]]\n  \
                     - verify: grep -qx done {file}\n"
                ));
            } else {
                text.push_str(&format!(
                    "- [ ] Task {number} [[slow 0.15]] [[append {file} done]]\n"
                ));
            }
        }
        fs::create_dir_all(directory.join("out")).expect("a folder");
        for (document, text) in documents.iter().zip(texts) {
            fs::write(document, text).expect("written");
        }
        let [one, two] = documents.each_ref().map(|path| path.display().to_string());
        let dir = directory.display().to_string();
        let start = ["run", &one, &two, "-p", "demo", "-d", &dir, "--attempts", "20"];
        let run = place.ok(&[&start[..], &["--yes", "--detach"]].concat());
        Self { run, directory: directory.to_owned(), documents: documents.to_vec(), tasks }
    }

    fn boxes(&self) -> Vec<(String, bool)> {
        let read = |path: &PathBuf| {
            let bytes =
                fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let document = Document::parse(bytes).expect("a document stays one");
            let boxes = document.tasks().iter().map(|task| (task.text.clone(), task.checked));
            boxes.collect::<Vec<_>>()
        };
        self.documents.iter().flat_map(read).collect()
    }

    fn ticked(&self) -> usize {
        self.boxes().iter().filter(|(_, ticked)| *ticked).count()
    }

    /// What each task's file holds. A task's own words name the file.
    fn output(&self, task: &str) -> String {
        let start = task.find("out/").expect("a file");
        let name: String = task[start..].chars().take_while(|c| !" ]".contains(*c)).collect();
        fs::read_to_string(self.directory.join(name)).unwrap_or_default()
    }

    /// No box is ticked whose work is not there, and no work is there twice.
    fn check(&self) {
        let boxes = self.boxes();
        assert_eq!(boxes.len(), self.tasks, "{}: boxes are lost: {boxes:?}", self.run);
        for (task, ticked) in boxes {
            let output = self.output(&task);
            assert!(output.is_empty() || output == "done\n", "{task}: done twice: {output:?}");
            assert!(!ticked || output == "done\n", "{task}: ticked without its work");
        }
    }
}

#[test]
fn windows_and_hosts_killed_anywhere_in_runs_do_no_task_twice_and_tick_nothing_unproved() {
    let place = Place::new();
    let mut numbers = Numbers(0x6d61_6573_7472_6f21);
    let first = place.repository("first");
    let second = place.repository("second");
    let plain = place.path("plain");
    fs::create_dir(&plain).expect("a folder");
    let start = |name: &str| {
        vec![
            Work::start(&place, &first, &format!("{name}-a"), 12),
            Work::start(&place, &second, &format!("{name}-b"), 12),
            Work::start(&place, &plain, &format!("{name}-c"), 8),
        ]
    };
    let awake = || {
        // Any question that starts a host; this one leaves nothing behind.
        let _ = place.ok(&["worktree", "list", &first.display().to_string()]);
    };
    // Without a display, said loudly, hosts alone are killed.
    let display = Display::new(&place);
    let open = || display.as_ref().map(|display| Window::start(&place, display, &plain));
    let mut all = start("g0");
    let mut window = open();
    let mut ended = 0;
    let mut since_progress = 0;
    for number in 0..KILLS {
        if all[ended..].iter().all(|work| work.ticked() == work.tasks) {
            // All done before all were killed: more work. What is done stays to be checked.
            all[ended..].iter().for_each(|work| finish(&place, work));
            ended = all.len();
            all.extend(start(&format!("g{ended}")));
        }
        let before: usize = all.iter().map(Work::ticked).sum();
        // Mostly some way into whatever comes next, so that there is a next; else at once, as often
        // as not while the host is still recovering from the last time.
        if since_progress >= 2 || numbers.below(10) < 6 {
            let deadline = Instant::now() + PATIENCE;
            while all.iter().map(Work::ticked).sum::<usize>() == before {
                assert!(
                    Instant::now() < deadline,
                    "no task gets done: {}",
                    place.ok(&["run", "list"])
                );
                std::thread::sleep(Duration::from_millis(2));
            }
        }
        std::thread::sleep(Duration::from_millis(numbers.below(450)));
        let now: usize = all.iter().map(Work::ticked).sum();
        since_progress = if now > before { 0 } else { since_progress + 1 };
        // First, because it would start the next host by itself.
        if let Some(window) = window.take() {
            window.kill();
        }
        let host = place.host().expect("a host runs");
        place.kill_host();
        let left: Vec<i32> = place.children().into_iter().map(|(pid, _)| pid).collect();
        all.iter().for_each(Work::check);
        awake();
        assert_ne!(place.host(), Some(host));
        window = open();
        if number % 3 == 0 {
            until("what the dead host left is ended", || {
                (!left.iter().any(|pid| lives(*pid))).then_some(())
            });
        }
    }
    for work in &all {
        finish(&place, work);
    }
    if let Some(window) = window {
        window.kill();
    }
    until("no process is left", || place.children().is_empty().then_some(()));
    let runs = place.json(&["run", "list"]);
    let runs = runs.as_array().expect("a list");
    assert_eq!(runs.len(), all.len(), "no run is lost, none is there twice");
    // The test itself: kills have to have hit turns, and what goes on has to have been told.
    let told = sessions_with(&place.user(), "An attempt before this one was cut short");
    eprintln!("{} runs, {KILLS} kills, {told} turns told that one before was cut short", all.len());
    assert!(told > 3, "hardly any turn was ever cut short: {told}");
}

/// What a user says to a run while its host dies.
#[test]
fn hosts_killed_while_a_run_is_steered_keep_what_was_ordered() {
    const ROUNDS: usize = 30;
    let place = Place::new();
    let mut numbers = Numbers(0x6f72_6465_7273_2121);
    let directory = place.repository("shop");
    let dir = directory.display().to_string();
    let tasks = 40;
    let text: String = (1..=tasks)
        .map(|n| format!("- [ ] Task {n} [[slow 0.1]] [[write out/{n}.txt done]]\n"))
        .collect();
    let document = place.document("tasks.md", &text);
    let start = ["run", &document, "-p", "demo", "-d", &dir, "--attempts", "20", "--detach"];
    let _ = place.ok(&start);
    let run = || place.json(&["run", "show", "r1"]);
    let states = |run: &Value| -> Vec<String> {
        let tasks = run["tasks"].as_array().expect("tasks").iter();
        tasks.map(|task| task["state"].as_str().unwrap_or_default().to_owned()).collect()
    };
    // A host that dies while it takes a task back leaves that to the next one: the files are as they were
    // before, and the box follows.
    let honest = || {
        until("nothing is ticked whose work is not there", || {
            let parsed = Document::parse(fs::read(&document).ok()?).ok()?;
            assert_eq!(parsed.tasks().len(), tasks, "boxes are lost");
            let is_there = |(number, ticked): (usize, bool)| {
                let file = directory.join(format!("out/{number}.txt"));
                !ticked || fs::read_to_string(&file).is_ok_and(|words| words == "done")
            };
            let boxes = parsed.tasks().iter().map(|task| task.checked);
            (1..).zip(boxes).all(is_there).then_some(())
        });
    };
    let mut kept = BTreeMap::new();
    for round in 0..ROUNDS {
        let before = run();
        if before["state"]["ended"] != Value::Null {
            break;
        }
        let known = states(&before);
        let among = |wanted: &[&str]| -> Option<String> {
            let fit =
                known.iter().enumerate().filter(|(_, state)| wanted.contains(&state.as_str()));
            fit.map(|(at, _)| (at + 1).to_string()).next_back()
        };
        let (done, open) = (among(&["done"]), among(&["failed", "skipped", "undone"]));
        let order: Vec<&str> = match numbers.below(5) {
            0 => vec!["run", "pause", "r1"],
            1 => vec!["run", "skip", "r1"],
            2 if done.is_some() => vec!["run", "undo", "r1", done.as_deref().unwrap_or("1")],
            3 if open.is_some() => vec!["run", "retry", "r1", open.as_deref().unwrap_or("1")],
            _ => vec!["run", "resume", "r1"],
        };
        let pid = place.host().expect("a host runs");
        let wait = Duration::from_millis(numbers.below(90));
        let answered = std::thread::scope(|scope| {
            let killer = scope.spawn(move || {
                std::thread::sleep(wait);
                kill(pid);
            });
            let answered = place.run(&order);
            killer.join().expect("a kill");
            answered
        });
        until("the host is dead", || (!lives(pid)).then_some(()));
        // Any question that starts a host.
        let _ = place.ok(&["worktree", "list", &dir]);
        until("the run goes on, or stands", || (run()["state"] != "interrupted").then_some(()));
        honest();
        if answered.code == Some(0) {
            *kept.entry(order[1].to_owned()).or_insert(0) += 1;
            // What was answered was written down before. A host that has not read the journal yet shows
            // what was saved last.
            match order[1] {
                "pause" => until(&format!("round {round}: the run pauses"), || {
                    let run = run();
                    let over = run["state"]["ended"] != Value::Null;
                    let stands = run["state"]["paused"] == "user" || run["pausing"] == true;
                    (stands || over).then_some(())
                }),
                "undo" => {
                    let task: usize = order[3].parse().expect("a number");
                    until(&format!("round {round}: task {task} is undone"), || {
                        (states(&run())[task - 1] == "undone").then_some(())
                    });
                    assert!(!directory.join(format!("out/{task}.txt")).exists(), "round {round}");
                }
                _ => {}
            }
        }
        // It goes on until something more is done, so that there is something to steer.
        let _ = place.run(&["run", "resume", "r1"]);
        std::thread::sleep(Duration::from_millis(150 + numbers.below(300)));
    }
    let _ = place.run(&["run", "resume", "r1"]);
    let ended = until("it ends", || {
        let run = run();
        if run["state"]["paused"] != Value::Null {
            let _ = place.run(&["run", "resume", "r1"]);
        }
        (run["state"]["ended"] != Value::Null).then_some(run)
    });
    honest();
    let finals = states(&ended);
    assert_eq!(finals.len(), tasks, "{ended:#}");
    let over = |state: &String| matches!(state.as_str(), "done" | "skipped" | "undone" | "failed");
    assert!(finals.iter().all(over), "{ended:#}");
    eprintln!("orders that were answered before the host died: {kept:?}");
    assert!(kept.len() >= 3, "hardly any order was ever heard: {kept:?}");
}

/// How many of the demo agent's sessions hold these words.
fn sessions_with(folder: &Path, words: &str) -> usize {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.path() {
            path if path.is_dir() => sessions_with(&path, words),
            path => usize::from(fs::read_to_string(path).is_ok_and(|text| text.contains(words))),
        })
        .sum()
}

/// Waits for a run's end and checks that it is an honest one.
fn finish(place: &Place, work: &Work) {
    let mut last = (usize::MAX, Instant::now());
    let run = loop {
        let run = place.json(&["run", "show", &work.run]);
        if run["state"]["ended"] != Value::Null {
            break run;
        }
        let ticked = work.ticked();
        if ticked != last.0 {
            last = (ticked, Instant::now());
        }
        assert!(last.1.elapsed() < PATIENCE, "{} does not go on: {run:#}", work.run);
        std::thread::sleep(Duration::from_millis(50));
    };
    work.check();
    assert_eq!(run["state"], json!({ "ended": "completed" }), "{run:#}");
    assert_eq!((&run["done"], &run["open"]), (&json!(work.tasks), &json!(0)));
    assert_eq!(work.ticked(), work.tasks);
    let tasks = run["tasks"].as_array().expect("a list");
    let lines: BTreeSet<(String, u64)> = tasks
        .iter()
        .map(|task| (task["document"].to_string(), task["line"].as_u64().unwrap_or(0)))
        .collect();
    assert_eq!((tasks.len(), lines.len()), (work.tasks, work.tasks), "{run:#}");
    for task in tasks {
        assert_eq!(task["state"], "done", "{task:#}");
        assert!(task["session"].is_string(), "no session: {task:#}");
        if task["text"].as_str().is_some_and(|text| text.contains("[[bash")) {
            assert_eq!(task["verify"]["exit_code"], 0, "{task:#}");
        }
        if work.directory.join(".git").exists() {
            assert!(task["tree_before"].is_string(), "{task:#}");
            assert_ne!(task["tree_before"], task["tree_after"], "{task:#}");
        }
    }
}

#[test]
fn an_agent_of_a_dead_host_is_offered_back_with_its_conversation() {
    let place = Place::new();
    let dir = place.repository("shop").display().to_string();
    let _ = place.ok(&["agent", "new", "api", "-p", "demo", "-d", &dir, "-B", "api"]);
    let _ = place.ok(&["agent", "new", "idle", "-p", "demo", "-d", &dir, "--no-start"]);
    let _ = place.shows("api", "emo");
    let _ =
        place.ok(&["terminal", "send", "api", "[[write kept.txt yes]] [[text I remember this.]]"]);
    let _ = place.shows("api", "[[write");
    let _ = place.ok(&["terminal", "send", "api", "-e", r"\r"]);
    let _ = place.shows("api", "I remember this.\n");
    let session = place.json(&["agent", "show", "api"])["session"].clone();
    assert!(session.is_string());
    let left = place.children();
    assert!(!left.is_empty());

    // What git needed for a moment stays behind a killed host, and no longer than it is dead.
    let scratch = place.home().root().join("scratch");
    let folders = || fs::read_dir(&scratch).expect("a folder").count();
    assert_eq!(folders(), 1, "its own");
    place.kill_host();
    assert_eq!(folders(), 1, "it could not clear it");
    let _ = place.ok(&["worktree", "list", &dir]);
    until("what was left is cleared", || (folders() == 1).then_some(()));
    let own = place.host().expect("a host").to_string();
    assert!(scratch.join(own).is_dir());
    let agent = place.json(&["agent", "show", "api"]);
    assert_eq!(agent["attention"]["state"], "resumable");
    assert_eq!((&agent["ai_terminal"], &agent["session"]), (&Value::Null, &session));
    assert_ne!(place.json(&["agent", "show", "idle"])["attention"]["state"], "resumable");
    until("the dead host's agent has ended", || {
        (!left.iter().any(|(pid, _)| lives(*pid))).then_some(())
    });

    let _ = place.ok(&["agent", "open", "api"]);
    let _ = place.shows("api", "I remember this.");
    assert_eq!(place.json(&["agent", "show", "api"])["session"], session);
}

#[test]
fn terminals_and_runs_outlive_those_who_watch_them() {
    let place = Place::new();
    let repository = place.repository("shop");
    let dir = repository.display().to_string();
    let count = "i=0; while :; do i=$((i+1)); echo count $i; sleep 0.05; done";
    let id = place.ok(&["terminal", "new", "--", "sh", "-c", count]);
    let _ = place.ok(&["agent", "new", "api", "-p", "demo", "-d", &dir, "-B", "api"]);
    let _ = place.shows("api", "emo");
    let tasks: String = (0..8)
        .map(|number| format!("- [ ] {number} [[slow 0.2]] [[append log.txt {number}]]\n"))
        .collect();
    let tasks = place.document("tasks.md", &tasks);
    let mut watcher = place.command(["run", &tasks, "-p", "demo", "-d", &dir, "--jsonl"]);
    let mut watchers = vec![watcher.stdout(Stdio::null()).spawn().expect("started")];
    until("the run works", || place.read(&tasks).contains("[x] 0").then_some(()));
    let pids = || -> BTreeMap<String, i64> {
        let list = place.json(&["terminal", "list"]);
        let list = list.as_array().expect("a list").clone();
        let pair = |info: Value| Some((info["id"].as_str()?.to_owned(), info["pid"].as_i64()?));
        list.into_iter().filter_map(pair).collect()
    };
    let (host, before) = (place.host(), pids());
    assert_eq!(before.len(), 2);
    // Some are in the middle of a question.
    for _ in 0..6 {
        let mut command = place.command(["terminal", "show", &id, "--history"]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("started");
        watchers.push(child);
    }
    for watcher in &mut watchers {
        kill(watcher.id() as i32);
        let _ = watcher.wait();
    }
    assert_eq!((place.host(), pids()), (host, before));
    let seen = |screen: &str| -> Option<u64> {
        screen.lines().rev().find_map(|line| line.strip_prefix("count ")?.trim().parse().ok())
    };
    let then = seen(&place.screen(&id)).expect("it counts");
    let _ = until("it goes on counting", || seen(&place.screen(&id)).filter(|now| *now > then + 5));
    until("the run ends", || {
        let run = place.json(&["run", "show", "r1"]);
        (run["state"] == json!({ "ended": "completed" })).then_some(())
    });
    let expected: String = (0..8).map(|number| format!("{number}\n")).collect();
    assert_eq!(fs::read_to_string(repository.join("log.txt")).expect("written"), expected);
}

/// Hosts that are killed while agents answer.
const TALK_KILLS: usize = 20;

/// The entries of every conversation, as they are after a host that died was followed by another.
fn transcripts(place: &Place) -> BTreeMap<String, Vec<Value>> {
    let files = fs::read_dir(place.home().root().join("conversations")).expect("a folder");
    let pages = files.flatten().map(|file| {
        let id = file.file_name().to_string_lossy().into_owned();
        let file = file.path();
        let text = fs::read_to_string(&file).unwrap_or_default();
        let mut entries: BTreeMap<u64, Value> = BTreeMap::new();
        for line in text.lines() {
            // What a kill tore is one line, and costs nothing but itself.
            let Ok(record) = serde_json::from_str::<Value>(line) else { continue };
            if let Some(n) = record["entry"]["n"].as_u64() {
                let _ = entries.insert(n, record["entry"].clone());
            }
        }
        (id, entries.into_values().collect())
    });
    pages.collect()
}

#[test]
fn hosts_killed_anywhere_in_conversations_lose_nothing_and_say_nothing_twice() {
    let place = Place::new();
    let names = ["one", "two", "three"];
    for name in names {
        let dir = place.repository(name).display().to_string();
        let _ = place.ok(&["agent", "new", name, "-p", "demo", "-d", &dir, "--no-start"]);
    }
    let mut numbers = Numbers(0x7461_6c6b_7461_6c6b);
    let words = |round: usize, name: &str| format!("answer {round} of {name}");
    let mut kept: Vec<String> = Vec::new();
    for round in 0..TALK_KILLS {
        for name in names {
            // What an earlier death holds goes on, but for what nobody knows of.
            let _ = place.run(&["queue", "release", name]);
            let words = words(round, name);
            let prompt = format!("[[slow 0.2]] [[text {words} to its end.]]");
            if place.run(&["agent", "send", name, &prompt]).code == Some(0) {
                kept.push(words);
            }
        }
        std::thread::sleep(Duration::from_millis(numbers.below(500)));
        place.kill_host();
    }
    let queues = || place.json(&["queue", "list"]).as_array().cloned().unwrap_or_default();
    let unsure = until("only what nobody knows of is left", || {
        for name in names {
            let _ = place.run(&["queue", "release", name]);
        }
        let items: Vec<Value> = queues()
            .iter()
            .flat_map(|queue| queue["items"].as_array().cloned().unwrap_or_default())
            .collect();
        let quiet = names.iter().all(|name| {
            let tabs = place.json(&["agent", "tabs", name]);
            let states = tabs.as_array().into_iter().flatten().map(|tab| &tab["state"]);
            states.into_iter().all(|state| *state == "idle" || state["failed"].is_object())
        });
        (quiet && items.iter().all(|item| item["unsure"] == true)).then_some(items)
    });
    let unsure: Vec<String> = unsure
        .iter()
        .map(|item| item["prompt"]["text"].as_str().unwrap_or_default().to_owned())
        .collect();
    // By the transcripts: each prompt once, each turn with its end, entries without a gap.
    let transcripts = transcripts(&place);
    assert!(transcripts.len() >= names.len(), "{:?}", transcripts.keys());
    let mut whole = 0;
    for (tab, entries) in &transcripts {
        let mut open = false;
        for (n, entry) in entries.iter().enumerate() {
            assert_eq!(entry["n"], n, "{tab}: a gap: {entries:#?}");
            let body = &entry["body"];
            let ends = body["failed"].is_object() || body["ended"].is_object();
            if body["prompt"].is_object() {
                assert!(!open, "{tab}: a turn has no end: {entries:#?}");
                open = true;
            } else if ends {
                open = false;
                whole += usize::from(body["ended"].is_object());
            }
        }
        assert!(!open, "{tab}: the last turn has no end: {entries:#?}");
    }
    let shown: Vec<&str> = transcripts
        .values()
        .flatten()
        .filter_map(|entry| entry["body"]["prompt"]["text"].as_str())
        .collect();
    // By what the agents themselves heard.
    let heard = heard(&place);
    for words in &kept {
        let count = |texts: &[&str]| texts.iter().filter(|text| text.contains(words)).count();
        let waits = unsure.iter().filter(|text| text.contains(words)).count();
        assert!(count(&shown) + waits >= 1, "{words} is lost");
        assert!(count(&shown) <= 1 && waits <= 1, "{words} is there twice");
        let heard: Vec<&str> = heard.iter().map(String::as_str).collect();
        assert!(count(&heard) <= 1, "{words} was said twice");
        assert!(count(&heard) <= count(&shown), "{words} was said and is not shown");
    }
    assert!(kept.len() >= TALK_KILLS, "most are kept: {kept:?}");
    // What was left at the end is said undisturbed.
    assert!(heard.len() >= names.len(), "{heard:?}");
    assert!(whole > 0, "no turn came to its end: {transcripts:#?}");
}

/// What reached the agents, by their own account.
fn heard(place: &Place) -> Vec<String> {
    let sessions = place.user().join(".local/share/maestro/demo-agent/sessions");
    let mut heard = Vec::new();
    for file in fs::read_dir(sessions).expect("a folder").flatten() {
        let text = fs::read_to_string(file.path()).expect("readable");
        let records = text.lines().filter_map(|line| serde_json::from_str(line).ok());
        let users = records.filter(|record: &Value| record["type"] == "user");
        heard.extend(users.filter_map(|user| Some(user["text"].as_str()?.to_owned())));
    }
    heard
}

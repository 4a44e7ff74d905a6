//! Runs on disks that are full or read-only, hosts that die in the middle of a step, clocks that jump, and
//! providers that have enough to do.

use std::sync::atomic::{AtomicBool, AtomicU64};

use maestro_core::playbook::HeardKind;
use maestro_engine::queue::{Clock, Later};

use super::effects::{committed, git};
use super::*;

/// A small disk in the place of a folder.
struct Disk {
    folder: PathBuf,
}

impl Disk {
    /// None, said loudly, where none can be mounted.
    fn over(folder: &Path) -> Option<Self> {
        let aside = folder.with_extension("aside");
        fs::rename(folder, &aside).expect("put aside");
        fs::create_dir(folder).expect("a folder");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"])
            .arg(folder)
            .output();
        let is_mounted = mounted.is_ok_and(|output| output.status.success());
        let copied = Command::new("cp").arg("-a").arg(aside.join(".")).arg(folder).status();
        assert!(copied.expect("cp runs").success());
        if !is_mounted {
            eprintln!("SKIPPED: a full disk: mounting a small one needs root");
            return None;
        }
        Some(Self { folder: folder.to_owned() })
    }
}

fn mount(folder: &Path, how: &str) {
    let status = Command::new("mount").args(["-o", how]).arg(folder).status();
    assert!(status.expect("mount runs").success());
}

/// How a disk is of no use, and is again.
#[derive(Debug, Clone, Copy)]
enum Trouble {
    Full,
    ReadOnly,
}

impl Trouble {
    fn begin(self, folder: &Path) {
        match self {
            // Until nothing more goes on it.
            Self::Full => {
                let filled = fs::write(folder.join("filler"), vec![0_u8; 2 << 20]);
                assert!(filled.is_err(), "it is full");
            }
            Self::ReadOnly => mount(folder, "remount,ro"),
        }
    }

    fn end(self, folder: &Path) {
        match self {
            Self::Full => fs::remove_file(folder.join("filler")).expect("room"),
            Self::ReadOnly => mount(folder, "remount,rw"),
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.folder).status();
    }
}

/// Makes a disk useless before a step, and useful again when the run waits for it. Counts the waits.
fn trouble(
    folder: &Path,
    trouble: Trouble,
    before: fn(&Effect) -> bool,
) -> (Hook, Arc<AtomicUsize>) {
    let waits = Arc::new(AtomicUsize::new(0));
    let (folder, seen, begun) = (folder.to_owned(), Arc::clone(&waits), AtomicBool::new(false));
    let hook: Hook = Arc::new(move |effect| {
        if before(effect) && !begun.swap(true, Ordering::SeqCst) {
            trouble.begin(&folder);
        }
        if matches!(effect, Effect::Sleep { .. }) && seen.fetch_add(1, Ordering::SeqCst) == 1 {
            trouble.end(&folder);
        }
        false
    });
    (hook, waits)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_journal_is_not_understood_is_left_as_it_is() {
    let world = World::new(&[("tasks.md", "- [ ] hang\n- [ ] write b\n")]);
    let store = world.store("home/maestro.db");
    let runs = world.host(store.clone(), None);
    let run = runs.start(world.spec(&["tasks.md"])).await.expect("it starts");
    until("a turn hangs", async || !world.text("hanging").is_empty()).await;
    runs.suspend().await;
    let entry = serde_json::json!({ "step": "thought_ahead", "by": 2 });
    let _ = store.append(run.id, 1, &entry).expect("written");
    let before = world.text("tasks.md");

    let runs = world.host(store.clone(), None);
    assert_eq!(runs.recover().await.expect("it recovers"), []);
    let left = runs.get(run.id).await.expect("known");
    let State::Paused(maestro_core::run::Pause::Needed(why)) = &left.state else {
        panic!("{:?}", left.state)
    };
    assert!(why.contains("does not know") && why.contains("a newer one"), "{why}");
    assert_eq!(world.text("tasks.md"), before);
    assert_eq!(store.journal::<serde_json::Value>(run.id).expect("whole").len(), {
        let all = store.journal_size(run.id).expect("counted").0;
        usize::try_from(all).expect("few")
    });
    // It can be ended all the same, and the directory is free.
    let killed = runs.kill(run.id).await.expect("known");
    assert_eq!(killed.state, State::Ended(Ending::Killed));
    fs::remove_file(world.path("work/hanging")).expect("it was there");
    let other = runs.start(world.spec(&["tasks.md"])).await.expect("nobody has the directory");
    let _ = runs.kill(other.id).await.expect("known");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_at_work_has_the_directory_before_who_waits_for_it() {
    let world = World::new(&[
        ("tasks.md", "- [ ] hang\n"),
        ("b.md", "- [ ] write b\n"),
        ("c.md", "- [ ] write c\n"),
    ]);
    let store = world.store("home/maestro.db");
    let runs = world.host(store.clone(), None);
    let first = runs.start(world.spec(&["tasks.md"])).await.expect("it starts");
    let waits = runs.queue(world.spec(&["b.md"])).await.expect("it waits");
    let State::Queued { because } = &waits.state else { panic!("{:?}", waits.state) };
    assert!(because.contains(&first.id.to_string()), "{because}");
    // Somebody starts another one as soon as the directory is free, and before the host looks.
    runs.suspend().await;
    let mut killed = runs.get(first.id).await.expect("known");
    killed.state = State::Ended(Ending::Killed);
    store.put_run(&killed).expect("saved");
    let _ = store.release_leases(first.id).expect("free");
    let _ = fs::remove_file(world.path("work/hanging"));
    let dies: Hook = Arc::new(|effect: &Effect| matches!(effect, Effect::Turn(_)));
    let runs = world.host(store.clone(), Some(dies));
    let later = runs.start(world.spec(&["c.md"])).await.expect("it starts");
    assert!(later.id > waits.id);
    until("the host dies", async || runs.active() == 0).await;

    let runs = world.host(store, None);
    assert_eq!(runs.recover().await.expect("it recovers"), [later.id, waits.id]);
    assert_eq!(ended(&runs, &later).await.state, State::Ended(Ending::Completed));
    // Between the two nothing is at work.
    let ends =
        async || matches!(runs.get(waits.id).await.map(|run| run.state), Ok(State::Ended(_)));
    until("the one that waits ends", ends).await;
    assert_eq!(ended(&runs, &waits).await.state, State::Ended(Ending::Completed));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_waits_for_its_disk() {
    for how in [Trouble::Full, Trouble::ReadOnly] {
        let world = committed(&[("tasks.md", "- [ ] write a\n- [ ] write b\n")]);
        let work = world.path("work");
        let objects = work.join(".git/objects");
        let Some(_disk) = Disk::over(&objects) else { return };
        let (hook, waits) = trouble(&objects, how, |effect| matches!(effect, Effect::Commit(_)));
        let runs = world.host(world.store("home/maestro.db"), Some(hook));
        let mut spec = world.spec(&["tasks.md"]);
        spec.options.commit = Some(true);
        let run = runs.start(spec).await.expect("it starts");
        let run = ended(&runs, &run).await;
        assert_eq!(waits.load(Ordering::SeqCst), 2, "{how:?}: {run:#?}");
        assert_eq!(run.state, State::Ended(Ending::Completed), "{how:?}: {run:#?}");
        assert_eq!(
            states(&run),
            [("write a", TaskState::Done, 1), ("write b", TaskState::Done, 1)]
        );
        assert_eq!(git(&work, &["rev-list", "--count", "HEAD"]), "3", "{how:?}");
        assert_eq!(git(&work, &["status", "--porcelain"]), "", "{how:?}");
        assert_eq!(world.text("tasks.md"), "- [x] write a\n- [x] write b\n");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn working_copies_wait_for_their_disk() {
    for how in [Trouble::Full, Trouble::ReadOnly] {
        let text = "- [x] write a\n- [ ] write b\n";
        let world = World::new(&[("tasks.md", text)]);
        let copies = world.path("work/runs");
        fs::create_dir(&copies).expect("a folder");
        let Some(_disk) = Disk::over(&copies) else { return };
        let (hook, waits) = trouble(&copies, how, |effect| matches!(effect, Effect::Copy(_)));
        let runs = world.host(world.store("home/maestro.db"), Some(hook));
        let mut spec = world.spec(&["tasks.md"]);
        spec.options.reset = spec.documents.clone();
        let run = runs.start(spec).await.expect("it starts");
        let run = ended(&runs, &run).await;
        assert_eq!(waits.load(Ordering::SeqCst), 2, "{how:?}: {run:#?}");
        assert_eq!(run.state, State::Ended(Ending::Completed), "{how:?}: {run:#?}");
        assert_eq!(
            states(&run),
            [("write a", TaskState::Done, 1), ("write b", TaskState::Done, 1)]
        );
        assert_eq!(world.text("tasks.md"), text, "the document is as it was");
        let left: Vec<PathBuf> =
            fs::read_dir(&copies).expect("a folder").flatten().map(|entry| entry.path()).collect();
        assert!(left.iter().all(|path| path.extension().is_some_and(|e| e == "md")), "{left:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_dies_in_the_middle_of_a_copy_is_followed() {
    let text = "- [ ] write a\n- [ ] write b\n";
    let world = World::new(&[("tasks.md", text)]);
    let store = world.store("home/maestro.db");
    // What is there when the power goes: a part of the copy, and the draft of another try.
    let dies: Hook = Arc::new(|effect| {
        let Effect::Copy(pairs) = effect else { return false };
        for (_, copy) in pairs {
            fs::create_dir_all(copy.parent().expect("a folder")).expect("a folder");
            fs::write(copy, "- [x] wri").expect("a part");
            fs::write(copy.with_extension("md.1.draft"), "- [ ]").expect("a draft");
        }
        true
    });
    let runs = world.host(store.clone(), Some(dies));
    let mut spec = world.spec(&["tasks.md"]);
    spec.options.reset = spec.documents.clone();
    let run = runs.start(spec).await.expect("it starts");
    until("the host dies", async || runs.active() == 0).await;
    let runs = world.host(store, None);
    assert_eq!(runs.recover().await.expect("it recovers"), [run.id]);
    let run = ended(&runs, &run).await;
    assert_eq!(run.state, State::Ended(Ending::Completed), "{run:#?}");
    assert_eq!(states(&run), [("write a", TaskState::Done, 1), ("write b", TaskState::Done, 1)]);
    assert_eq!(world.text("tasks.md"), text);
    assert_eq!(world.text("turns.log"), "write a\nwrite b\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_dies_in_the_middle_of_taking_back_is_followed() {
    let world = committed(&[("tasks.md", "- [ ] both a b\n")]);
    let store = world.store("home/maestro.db");
    let runs = world.host(store.clone(), None);
    let run = runs.start(world.spec(&["tasks.md"])).await.expect("it starts");
    let run = ended(&runs, &run).await;
    assert_eq!((world.text("a"), world.text("b")), ("b\n".to_owned(), "a\n".to_owned()));
    drop(runs);
    let file = world.path("work/a");
    let dies: Hook = Arc::new(move |effect| {
        let is_restore = matches!(effect, Effect::Restore { .. });
        if is_restore {
            fs::remove_file(&file).expect("the first of two");
        }
        is_restore
    });
    let runs = world.host(store.clone(), Some(dies));
    let _ = runs.undo(run.id, 0, false).await.expect_err("the host dies");
    assert_eq!(world.text("tasks.md"), "- [x] both a b\n");
    let runs = world.host(store, None);
    let _ = runs.recover().await.expect("it recovers");
    let undone = runs.undo(run.id, 0, false).await.expect("without force: nobody else was there");
    assert_eq!(undone.tasks[0].state, TaskState::Undone);
    assert!(!world.path("work/a").exists() && !world.path("work/b").exists());
    assert_eq!(world.text("tasks.md"), "- [ ] both a b\n");
}

/// A clock that says what it is told to say.
struct Jumping(Arc<AtomicU64>);

impl Clock for Jumping {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    fn sleep_until(&self, at_ms: u64) -> Later<'static, ()> {
        let now = Arc::clone(&self.0);
        Box::pin(async move {
            while now.load(Ordering::SeqCst) < at_ms {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_sleeps_through_a_turn_takes_nothing_from_its_time() {
    const HOURS: u64 = 10 * 3_600_000;
    let world = World::new(&[("tasks.md", "- [ ] write a\n- [ ] write b\n")]);
    // An agent that is at work until it is let go.
    let script = fs::read_to_string(world.path("agent.sh")).expect("the agent");
    let script = script.replace(
        "set -- $task\n",
        "set -- $task\ntouch begun-$2; while [ ! -e go-$2 ]; do sleep 0.02; done\n",
    );
    fs::write(world.path("agent.sh"), script).expect("an agent");
    let now = Arc::new(AtomicU64::new(1_800_000_000_000));
    let script = Script { program: world.path("agent.sh"), home: world.path("home") };
    let runs = Runs::with_clock(
        Deps {
            store: world.store("home/maestro.db"),
            git: Git::new(script.environment()),
            providers: Arc::new(script),
            events: Arc::new(|_| {}),
            instance: "sleeps".into(),
            locks: world.path("locks"),
        },
        Policy::default(),
        None,
        Arc::new(Jumping(Arc::clone(&now))),
    );
    let mut spec = world.spec(&["tasks.md"]);
    // Of its own limits the machine's clock knows; the wall's may say what it likes.
    (spec.turn_timeout_s, spec.silence_timeout_s) = (600, 600);
    spec.options.budgets.time_s = Some(1_200);
    let run = runs.start(spec).await.expect("it starts");
    let work = world.path("work");
    for (file, jump) in [("a", HOURS), ("b", 0)] {
        until("the turn begins", async || work.join(format!("begun-{file}")).exists()).await;
        let _ = now.fetch_add(jump, Ordering::SeqCst);
        if jump == 0 {
            // Set back, as by a time server.
            let _ = now.fetch_sub(HOURS / 2, Ordering::SeqCst);
        }
        fs::write(work.join(format!("go-{file}")), "").expect("a file");
    }
    let run = ended(&runs, &run).await;
    assert_eq!(run.state, State::Ended(Ending::Completed), "{run:#?}");
    assert_eq!(states(&run), [("write a", TaskState::Done, 1), ("write b", TaskState::Done, 1)]);
    assert!(run.worked_ms < 1_200_000, "sleep is no work: {} ms", run.worked_ms);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_has_so_many_sessions_and_no_more() {
    let most = maestro_engine::autorun::SESSIONS;
    let world = World::new(&[]);
    let runs = world.host(world.store("home/maestro.db"), None);
    let place = |number: usize| world.path(&format!("work/{number}"));
    let mut started = Vec::new();
    for number in 0..=most {
        fs::create_dir(place(number)).expect("a folder");
        // No repository: each is a place of its own.
        fs::write(place(number).join("tasks.md"), "- [ ] wait\n").expect("a document");
        let mut spec = world.spec(&[&format!("{number}/tasks.md")]);
        spec.directory = place(number);
        started.push(runs.start(spec).await.expect("it starts"));
    }
    let at_work = || (0..=most).filter(|number| place(*number).join("hanging").exists()).count();
    until("all that may are at work", async || at_work() == most).await;
    let mut held = None;
    until("the last one says what it waits for", async || {
        for run in &started {
            let now = runs.get(run.id).await.expect("known");
            if let State::Waiting { because, .. } = &now.state {
                held = Some((run.id, because.clone()));
            }
        }
        held.is_some()
    })
    .await;
    let (held, because) = held.expect("one waits");
    assert!(because.contains(&most.to_string()) && because.contains("sessions"), "{because}");
    assert_eq!(at_work(), most, "and is not at work");
    let other = started.iter().find(|run| run.id != held).expect("another one");
    let _ = runs.kill(other.id).await.expect("known");
    until("it begins when another one has ended", async || at_work() == most + 1).await;
    for run in &started {
        let _ = runs.kill(run.id).await.expect("known");
    }
    until("all have ended", async || runs.active() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_turns_and_commands_say_is_heard_in_order() {
    let list = "- [ ] write a\n  - verify: echo looking; echo at it >&2; test -s a\n";
    let world = World::new(&[("tasks.md", list)]);
    // Its turn begins when somebody listens.
    let (listens, gate) = std::sync::mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let waits: Hook = Arc::new(move |effect| {
        if matches!(effect, Effect::Turn(_)) {
            let _ = gate.lock().expect("no panic").recv();
        }
        false
    });
    let runs = world.host(world.store("home/maestro.db"), Some(waits));
    let run = runs.start(world.spec(&["tasks.md"])).await.expect("it starts");
    let (before, receiver) = runs.hear(run.id).await.expect("known");
    let mut receiver = receiver.expect("it is at work");
    drop(listens);
    let mut lines = before;
    while let Ok(line) = receiver.recv().await {
        lines.push(line);
    }
    let _ = ended(&runs, &run).await;
    let at = |kind: HeardKind, text: &str| {
        let found = lines.iter().position(|line| line.kind == kind && line.text.contains(text));
        found.unwrap_or_else(|| panic!("{kind:?} {text:?} was not heard: {lines:#?}"))
    };
    let order = [
        at(HeardKind::Text, "It is done."),
        at(HeardKind::Maestro, "$ echo looking"),
        at(HeardKind::Verify, "looking"),
        at(HeardKind::Maestro, "it ended with 0"),
    ];
    assert!(order.is_sorted(), "{order:?}: {lines:#?}");
    let _ = at(HeardKind::Verify, "at it");
}

#[tokio::test(flavor = "multi_thread")]
async fn old_runs_go_with_what_was_kept_for_them() {
    let world = committed(&[("tasks.md", "- [ ] write a\n")]);
    let work = world.path("work");
    let store = world.store("home/maestro.db");
    let runs = world.host(store.clone(), None);
    let mut spec = world.spec(&["tasks.md"]);
    spec.options.reset = spec.documents.clone();
    let old = runs.start(spec).await.expect("it starts");
    let old = ended(&runs, &old).await;
    let refs = || git(&work, &["for-each-ref", "--format=%(refname)", "refs/maestro"]);
    let copy = old.tasks[0].document.clone();
    until("its trees are kept", async || refs().contains("t0-after")).await;
    assert!(copy.exists(), "{}", copy.display());
    assert_eq!(runs.prune().await.expect("pruned"), [], "it is new");

    // It becomes old, and two hundred others are newer.
    let mut aged = old.clone();
    aged.started_ms = 1_000;
    store.put_run(&aged).expect("saved");
    for _ in 0..200 {
        let id = store.next_run_id().expect("an id");
        let mut other = maestro_core::run::Run::new(id, old.spec.clone(), old.started_ms, 0, 1);
        other.state = State::Ended(Ending::Completed);
        store.put_run(&other).expect("saved");
    }
    assert_eq!(runs.prune().await.expect("pruned"), [old.id]);
    assert_eq!(refs(), "", "no tree is kept for it");
    assert!(!copy.exists(), "nor a working copy");
    assert!(work.join("tasks.md").exists(), "the document is the user's");
    assert_eq!(world.text("a").lines().count(), 1, "and so is the work");
    let report = old.report.expect("a report");
    assert!(report.exists(), "reports stay");
    assert_eq!(runs.get(old.id).await.expect_err("gone").kind, ErrorKind::NotFound);
    assert_eq!(runs.prune().await.expect("pruned"), [], "once");
}

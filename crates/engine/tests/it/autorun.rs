//! Auto Run with real processes: a provider that is a small shell script, real files, a real store.

mod day;
mod effects;
mod troubles;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use maestro_agents::{CommandLine, TurnOptions};
use maestro_core::agent::Provider;
use maestro_core::run::journal::Entry;
use maestro_core::run::machine::{Effect, Policy};
use maestro_core::run::{Ending, Pause, Run, Spec, State, TaskState};
use maestro_core::turn::Failure;
use maestro_engine::autorun::{Deps, Hook, Providers, Runs};
use maestro_engine::playbooks;
use maestro_git::Git;
use maestro_protocol::message::{ErrorKind, Event};
use maestro_pty::Marker;
use maestro_store::Store;
use tempfile::TempDir;

/// Long enough for the slowest machine; a test that meets it has failed.
const DEADLINE: Duration = Duration::from_secs(120);

/// The agent. The task, on the third line of the prompt, says what it does; everything it does leaves
/// a line in a file, so that what is done twice shows.
const AGENT: &str = r#"
prompt=$(cat)
task=$(printf '%s\n' "$prompt" | sed -n 3p)
echo '{"type":"session","id":"s-'$$'"}'
echo '{"type":"usage","input_tokens":7,"output_tokens":3}'
echo "$task" >>turns.log
set -- $task
case $1 in
write) echo "$MAESTRO_HOST $MAESTRO_RUN" >>"$2" ;;
cheat) sed 's/\[ \]/[x]/' tasks.md >t.tmp && cat t.tmp >tasks.md && rm t.tmp ;;
vanish) rm tasks.md ;;
both) echo "$3" >>"$2"; echo "$2" >>"$3" ;;
add) printf -- '- [ ] write added\n' >>tasks.md ;;
lie) ;;
garbage) head -c 100000 /dev/urandom; exit 0 ;;
nothing) exit 0 ;;
limited) [ -e asked ] || { touch asked; echo '{"type":"failed","kind":{"limit":{"resets_ms":null}},"message":"too many requests"}'; exit 1; }; echo done >>"$2" ;;
wait) echo begun >hanging; exec sleep 1000 ;;
hang) echo begun >hanging; setsid sleep 1000 & trap '' INT TERM HUP; sleep 1000 ;;
esac
echo '{"type":"text","text":"It is done."}'
echo '{"type":"done"}'
"#;

struct Script {
    program: PathBuf,
    home: PathBuf,
}

impl Providers for Script {
    fn check(&self, provider: Provider) -> Result<(), String> {
        match provider {
            Provider::Demo => Ok(()),
            other => Err(format!("{other} is not installed.")),
        }
    }

    fn turn(&self, provider: Provider, options: &TurnOptions) -> Result<CommandLine, Failure> {
        Ok(CommandLine {
            provider,
            program: "/bin/sh".into(),
            args: vec![self.program.clone().into()],
            directory: options.directory.clone(),
            env: self.environment(),
            stdin: Some(options.prompt.clone().into_bytes()),
            before: None,
        })
    }

    fn environment(&self) -> Vec<(OsString, OsString)> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        // What a test puts there comes first.
        let mut own = self.home.with_file_name("bin").into_os_string();
        own.push(":");
        own.push(path);
        vec![("PATH".into(), own), ("HOME".into(), self.home.clone().into())]
    }
}

/// A machine with one user.
struct World {
    folder: TempDir,
    hosts: AtomicUsize,
    events: Arc<Mutex<Vec<Event>>>,
}

impl World {
    fn new(documents: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let world = Self { folder, hosts: AtomicUsize::new(0), events: Arc::default() };
        for name in ["home", "work"] {
            fs::create_dir(world.path(name)).expect("a folder");
        }
        fs::write(world.path("agent.sh"), AGENT).expect("a script");
        for (name, text) in documents {
            fs::write(world.path("work").join(name), text).expect("a document");
        }
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path("work").join(name)).unwrap_or_default()
    }

    fn with_repository(self) -> Self {
        let git = Command::new("git").args(["init", "-q"]).current_dir(self.path("work")).status();
        assert!(git.expect("git runs").success());
        self
    }

    fn store(&self, name: &str) -> Store {
        Store::open(self.path(name)).expect("a store")
    }

    /// Another life of the host.
    fn host(&self, store: Store, hook: Option<Hook>) -> Runs {
        let script = Script { program: self.path("agent.sh"), home: self.path("home") };
        let events = Arc::clone(&self.events);
        let life = self.hosts.fetch_add(1, Ordering::Relaxed);
        let deps = Deps {
            store,
            git: Git::new(script.environment()),
            providers: Arc::new(script),
            events: Arc::new(move |event| events.lock().expect("no panic").push(event)),
            instance: format!("{}-{life}", self.folder.path().display()),
            locks: self.path("locks"),
        };
        let policy = Policy { waits_s: vec![0; 8], ..Policy::default() };
        Runs::with(deps, policy, hook)
    }

    /// How to run documents, with the commands they have now agreed to.
    fn spec(&self, documents: &[&str]) -> Spec {
        let mut spec = Spec {
            documents: documents.iter().map(|name| self.path("work").join(name)).collect(),
            directory: self.path("work"),
            provider: Provider::Demo,
            agent: None,
            model: None,
            turn_timeout_s: 60,
            silence_timeout_s: 0,
            verify_timeout_s: 60,
            attempts: 2,
            unattended: true,
            options: maestro_core::run::Options::default(),
        };
        let commands = playbooks::commands_of(&spec).unwrap_or_default();
        spec.options.trusted = Some(playbooks::hash(&commands));
        spec
    }

    /// Works documents off in one go.
    async fn run(&self, documents: &[&str]) -> Run {
        let runs = self.host(self.store("home/maestro.db"), None);
        let run = runs.start(self.spec(documents)).await.expect("it starts");
        ended(&runs, &run).await
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
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn ended(runs: &Runs, run: &Run) -> Run {
    until("the run ends", async || runs.active() == 0).await;
    let run = runs.get(run.id).await.expect("it is known");
    assert!(matches!(run.state, State::Ended(_)), "{:?}", run.state);
    run
}

fn states(run: &Run) -> Vec<(&str, TaskState, u32)> {
    run.tasks.iter().map(|task| (task.text.as_str(), task.state, task.attempts)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_documents_are_worked_off_with_evidence() {
    let world = World::new(&[
        ("tasks.md", "# One\r\n- [ ] write a\r\n  - verify: `test -s a`\r\n- [ ] write b"),
        ("more.md", "* [x] old\n* [ ] limited c\n  verify: echo checked; test -s c\n"),
    ])
    .with_repository();
    let run = world.run(&["tasks.md", "more.md", "tasks.md"]).await;
    assert_eq!(run.state, State::Ended(Ending::Completed));
    assert_eq!(
        states(&run),
        [
            ("write a", TaskState::Done, 1),
            ("write b", TaskState::Done, 1),
            ("limited c", TaskState::Done, 1)
        ]
    );
    assert_eq!(
        world.text("tasks.md"),
        "# One\r\n- [x] write a\r\n  - verify: `test -s a`\r\n- [x] write b"
    );
    assert_eq!(
        world.text("more.md"),
        "* [x] old\n* [x] limited c\n  verify: echo checked; test -s c\n"
    );
    // A limit is not the task's fault: the attempt was made again and did not count.
    assert_eq!(world.text("turns.log"), "write a\nwrite b\nlimited c\nlimited c\n");
    let last = &run.tasks[2];
    let verify = last.verify.as_ref().expect("evidence");
    assert_eq!((verify.exit_code, verify.output.as_str()), (Some(0), "checked"));
    assert!(last.tree_before.is_some() && last.tree_before != last.tree_after);
    assert!(last.session.as_ref().is_some_and(|session| session.starts_with("s-")));
    assert_eq!(run.usage.input_tokens, 4 * 7);
    assert_eq!((run.open, run.done), (0, 4));
    assert!(run.ended_ms.is_some());
    // Its processes could be recognised.
    assert!(world.text("a").ends_with("-0 r1\n"), "{}", world.text("a"));
    // A fresh session each.
    let mut sessions: Vec<_> = run.tasks.iter().map(|task| task.session.clone()).collect();
    sessions.dedup();
    assert_eq!(sessions.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_done_is_not_ticked() {
    let world = World::new(&[(
        "tasks.md",
        "- [ ] cheat\n  verify: false\n- [ ] lie\n  verify: test -e nowhere\n- [ ] garbage\n\
         - [ ] nothing\n- [ ] add\n",
    )]);
    let run = world.run(&["tasks.md"]).await;
    assert_eq!(run.state, State::Ended(Ending::WithFailures));
    assert_eq!(
        states(&run),
        [
            // A command that fails goes back to the session of the attempt.
            ("cheat", TaskState::Failed, 1),
            ("lie", TaskState::Failed, 1),
            ("garbage", TaskState::Failed, 2),
            ("nothing", TaskState::Failed, 2),
            ("add", TaskState::Done, 1),
            ("write added", TaskState::Done, 1),
        ]
    );
    assert_eq!(
        world.text("tasks.md"),
        "- [ ] cheat\n  verify: false\n- [ ] lie\n  verify: test -e nowhere\n- [ ] garbage\n\
         - [ ] nothing\n- [x] add\n- [x] write added\n"
    );
    assert!(world.problems().iter().any(|text| text.contains("ticked without evidence")));
    for task in &run.tasks[..4] {
        assert!(task.because.as_ref().is_some_and(|why| why.len() > 10), "{task:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_dies_before_any_step_is_followed_by_one_that_goes_on() {
    sweep(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_in_a_repository() {
    sweep(true).await;
}

/// Kills the host before every effect in turn. With a command that decides, no turn whose work is done
/// is made again, and no box is ticked without its evidence.
async fn sweep(repository: bool) {
    let list = "- [ ] write a\n  verify: test -s a\n- [ ] write b\n  verify: test -s b\n";
    for dies_before in 0.. {
        let mut world = World::new(&[("tasks.md", list)]);
        if repository {
            world = world.with_repository();
        }
        let count = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&count);
        let hook: Hook =
            Arc::new(move |_: &Effect| counted.fetch_add(1, Ordering::SeqCst) == dies_before);
        let store = world.store("home/maestro.db");
        let runs = world.host(store.clone(), Some(hook));
        let run = runs.start(world.spec(&["tasks.md"])).await.expect("it starts");
        until("the host dies", async || runs.active() == 0).await;
        let at = format!("death before effect {dies_before}");
        no_box_without_evidence(&world, &at);
        let survived = count.load(Ordering::SeqCst) <= dies_before;
        drop(runs);

        let runs = world.host(store, None);
        let recovered = runs.recover().await.expect("it recovers");
        assert_eq!(recovered.len(), usize::from(!survived), "{at}");
        let run = ended(&runs, &run).await;
        assert_eq!(run.state, State::Ended(Ending::Completed), "{at}");
        assert_eq!(
            states(&run),
            [("write a", TaskState::Done, 1), ("write b", TaskState::Done, 1)],
            "{at}"
        );
        assert_eq!(world.text("a").lines().count(), 1, "done once: {at}");
        assert_eq!(world.text("b").lines().count(), 1, "done once: {at}");
        assert_eq!(world.text("tasks.md"), list.replace("[ ]", "[x]"), "{at}");
        if survived {
            assert!(dies_before > 20, "only {dies_before} effects");
            return;
        }
    }
}

fn no_box_without_evidence(world: &World, at: &str) {
    for (line, file) in [("- [x] write a", "a"), ("- [x] write b", "b")] {
        if world.text("tasks.md").contains(line) {
            assert!(!world.text(file).is_empty(), "{line} without evidence: {at}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_stopped_killed_and_suspended() {
    let list = "- [ ] hang\n- [ ] write b\n";
    let world = World::new(&[("tasks.md", list)]);
    let store = world.store("home/maestro.db");
    let runs = world.host(store.clone(), None);
    let run = runs.start(world.spec(&["tasks.md"])).await.expect("it starts");
    until("the turn hangs", async || !world.text("hanging").is_empty()).await;
    let marker = Marker::new([
        ("MAESTRO_RUN".to_owned(), run.id.to_string()),
        ("MAESTRO_HOST".to_owned(), format!("{}-0", world.folder.path().display())),
    ]);
    assert!(!marker.processes().is_empty());

    // The host stops in good order: nothing is left running, the run goes on with the next one.
    runs.suspend().await;
    until("nothing is left", async || marker.processes().is_empty()).await;
    assert_eq!(runs.active(), 0);
    assert_eq!(runs.get(run.id).await.expect("known").state, State::Interrupted);

    let runs = world.host(store.clone(), None);
    fs::remove_file(world.path("work/hanging")).expect("it was there");
    assert_eq!(runs.recover().await.expect("it recovers"), [run.id]);
    until("the turn hangs again", async || !world.text("hanging").is_empty()).await;
    let stopping = runs.stop(run.id).await.expect("known");
    assert_eq!((stopping.id, stopping.state), (run.id, State::Stopping));
    let journal = store.journal::<Entry>(run.id).expect("a journal");
    assert!(journal.iter().any(|entry| entry.entry == Entry::StopAsked), "{journal:?}");
    let _ = runs.kill(run.id).await.expect("known");
    let run = ended(&runs, &run).await;
    assert_eq!(run.state, State::Ended(Ending::Killed));
    let marker = Marker::new([
        ("MAESTRO_RUN".to_owned(), run.id.to_string()),
        ("MAESTRO_HOST".to_owned(), format!("{}-1", world.folder.path().display())),
    ]);
    assert!(marker.processes().is_empty());
    assert_eq!(world.text("tasks.md"), list);
    assert_eq!(runs.list().await.expect("a list"), std::slice::from_ref(&run));
    // Ordering an ended run about changes nothing.
    assert_eq!(runs.kill(run.id).await, Ok(run));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_host_left_running_is_ended_before_the_run_goes_on() {
    let world = World::new(&[("tasks.md", "- [ ] write a\n  verify: test -s a\n")]);
    let store = world.store("home/maestro.db");
    let dies: Hook = Arc::new(|effect: &Effect| matches!(effect, Effect::Turn(_)));
    let runs = world.host(store.clone(), Some(dies));
    let run = runs.start(world.spec(&["tasks.md"])).await.expect("it starts");
    until("the host dies", async || runs.active() == 0).await;
    // What its turn would be: deaf to everything but SIGKILL.
    let mut orphan = Command::new("/bin/sh")
        .args(["-c", "trap '' HUP TERM INT; while :; do sleep 0.1; done"])
        .env("MAESTRO_HOST", format!("{}-0", world.folder.path().display()))
        .env("MAESTRO_RUN", run.id.to_string())
        .spawn()
        .expect("an orphan");
    let runs = world.host(store, None);
    assert_eq!(runs.recover().await.expect("it recovers"), [run.id]);
    let run = ended(&runs, &run).await;
    assert_eq!(run.state, State::Ended(Ending::Completed));
    assert!(orphan.try_wait().expect("a child").is_some(), "the orphan is gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_has_one_run() {
    let world = World::new(&[("tasks.md", "- [ ] hang\n"), ("b.md", "- [ ] write b\n")]);
    let runs = world.host(world.store("home/maestro.db"), None);
    let run = runs.start(world.spec(&["tasks.md"])).await.expect("it starts");
    let refused = runs.start(world.spec(&["b.md"])).await.expect_err("it is in use");
    assert_eq!(refused.kind, ErrorKind::Busy);
    assert!(refused.message.contains("run r1 (process "), "{}", refused.message);
    // By another path, from another home.
    fs::create_dir(world.path("other")).expect("a folder");
    std::os::unix::fs::symlink(world.path("work"), world.path("link")).expect("a link");
    let others = world.host(world.store("other/maestro.db"), None);
    let spec = Spec { directory: world.path("link"), ..world.spec(&["b.md"]) };
    let refused = others.start(spec.clone()).await.expect_err("it is in use");
    assert_eq!(refused.kind, ErrorKind::Busy);
    assert!(
        refused.message.contains(&world.path("home").display().to_string()),
        "{}",
        refused.message
    );
    let _ = runs.kill(run.id).await.expect("known");
    let _ = ended(&runs, &run).await;
    // Free again.
    let run = others.start(spec).await.expect("it is free");
    assert_eq!(ended(&others, &run).await.state, State::Ended(Ending::Completed));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_vanishes_ends_the_run_with_its_sentence() {
    let because = |run: &Run| match &run.state {
        State::Ended(Ending::Failed(because)) => because.clone(),
        other => panic!("{other:?}"),
    };
    // A document that is gone can be put back: the run waits for that.
    let world = World::new(&[("tasks.md", "- [ ] vanish\n- [ ] write b\n")]);
    let runs = world.host(world.store("home/maestro.db"), None);
    let run = runs.start(world.spec(&["tasks.md"])).await.expect("it starts");
    let needed = async || match runs.get(run.id).await.expect("known").state {
        State::Paused(Pause::Needed(sentence)) => Some(sentence),
        _ => None,
    };
    until("it waits for the user", async || needed().await.is_some()).await;
    let sentence = needed().await.expect("a sentence");
    assert!(sentence.contains("put it back"), "{sentence}");
    fs::write(world.path("work/tasks.md"), "- [x] vanish\n- [ ] write b\n").expect("put back");
    let _ = runs.resume(run.id).await.expect("it goes on");
    until("the other task is done", async || !world.text("b").is_empty()).await;
    let _ = runs.stop(run.id).await.expect("known");
    let _ = ended(&runs, &run).await;

    // The repository, and then the whole directory, go while the turn runs.
    for (what, sentence) in [(".git", "git repository"), ("", "bring it back")] {
        let world = World::new(&[("tasks.md", "- [ ] wait\n")]).with_repository();
        fs::rename(world.path("work/tasks.md"), world.path("tasks.md")).expect("moved");
        let runs = world.host(world.store("home/maestro.db"), None);
        let spec =
            Spec { documents: vec![world.path("tasks.md")], turn_timeout_s: 1, ..world.spec(&[]) };
        let run = runs.start(spec).await.expect("it starts");
        until("the turn hangs", async || world.path("work/hanging").exists()).await;
        fs::remove_dir_all(world.path("work").join(what)).expect("it was there");
        let run = ended(&runs, &run).await;
        assert!(because(&run).contains(sentence), "{what}: {run:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_cannot_work_is_refused_with_its_reason() {
    let world = World::new(&[
        ("done.md", "- [x] a\n"),
        ("none.md", "text\n"),
        ("open.md", "- [ ] write a\n"),
    ]);
    fs::write(world.path("work/latin.md"), b"- [ ] caf\xe9\n").expect("a document");
    let runs = world.host(world.store("home/maestro.db"), None);
    let spec = |documents: &[&str]| world.spec(documents);
    for (spec, kind, part) in [
        (spec(&[]), ErrorKind::Invalid, "name one or more"),
        (spec(&["done.md"]), ErrorKind::Invalid, "all 1 tasks are ticked"),
        (spec(&["none.md"]), ErrorKind::Invalid, "no task"),
        (spec(&["latin.md"]), ErrorKind::Invalid, "not UTF-8"),
        (spec(&["gone.md"]), ErrorKind::NotFound, "cannot be read"),
        (
            Spec { directory: world.path("nowhere"), ..spec(&["open.md"]) },
            ErrorKind::NotFound,
            "cannot be used",
        ),
        (
            Spec { provider: Provider::Codex, ..spec(&["open.md"]) },
            ErrorKind::Unsupported,
            "not installed",
        ),
        (Spec { provider: Provider::Shell, ..spec(&["open.md"]) }, ErrorKind::Invalid, "agent"),
        (
            Spec { documents: vec![Path::new("open.md").into()], ..spec(&[]) },
            ErrorKind::Invalid,
            "not absolute",
        ),
    ] {
        let refused = runs.start(spec).await.expect_err(part);
        assert_eq!(refused.kind, kind, "{}", refused.message);
        assert!(refused.message.contains(part), "{}", refused.message);
    }
    assert_eq!(runs.list().await, Ok(Vec::new()));
    assert_eq!(runs.active(), 0);
}

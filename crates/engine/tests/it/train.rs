//! Merge trains on real repositories, with agents that the test plays, killed before and after every step.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use maestro_core::train::{Ask, CarState, End, How, Loss, Plan, Spec, State, Train};
use maestro_core::{AgentId, TabId, TrainId};
use maestro_engine::queue::Later;
use maestro_engine::train::{Agents, Deps, Hook, Progress, Trains};
use maestro_git::{Git, Rehearsal};
use maestro_protocol::message::{Error, ErrorKind, Event, Reply};
use maestro_store::Store;
use tokio::sync::watch;

use crate::harness::within;

/// What an agent does when it is told something.
type Resolve = Arc<dyn Fn(&Yard, &Path, &str) + Send + Sync>;

/// A repository on `main` with the worktrees `a`, `b` and `c`, each with one commit: `a` and `b` change the
/// same line, `c` a file of its own.
struct Yard {
    root: tempfile::TempDir,
    /// What agents were told, by token.
    told: Mutex<BTreeMap<String, String>>,
    resolve: Mutex<Resolve>,
    /// A directory that somebody writes in.
    writes: Mutex<Option<PathBuf>>,
}

impl Yard {
    fn new() -> Arc<Self> {
        let root = tempfile::tempdir().expect("a folder");
        let yard = Self {
            root,
            told: Mutex::default(),
            resolve: Mutex::new(Arc::new(|_, _, _| {})),
            writes: Mutex::default(),
        };
        std::fs::create_dir(yard.path("app")).expect("a folder");
        std::fs::create_dir(yard.path("home")).expect("a folder");
        let app = yard.path("app");
        let _ = yard.git(&app, &["init", "--quiet", "-b", "main"]);
        yard.commit(&app, "file", "one\n", "First");
        for name in ["a", "b", "c"] {
            let path = yard.path(name);
            let path = path.to_str().expect("text");
            let _ = yard.git(&app, &["worktree", "add", "--quiet", "-b", name, path]);
        }
        yard.commit(&yard.path("a"), "file", "from a\n", "A");
        yard.commit(&yard.path("b"), "file", "from b\n", "B");
        yard.commit(&yard.path("c"), "other", "from c\n", "C");
        Arc::new(yard)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().canonicalize().expect("it is there").join(name)
    }

    fn environment(&self) -> Vec<(std::ffi::OsString, std::ffi::OsString)> {
        let name = |name: &str| std::ffi::OsString::from(name);
        vec![
            (name("PATH"), std::env::var_os("PATH").unwrap_or_default()),
            (name("HOME"), self.path("home").into_os_string()),
            (name("GIT_CONFIG_NOSYSTEM"), name("1")),
            (name("GIT_AUTHOR_NAME"), name("T")),
            (name("GIT_AUTHOR_EMAIL"), name("t@example.org")),
            (name("GIT_COMMITTER_NAME"), name("T")),
            (name("GIT_COMMITTER_EMAIL"), name("t@example.org")),
        ]
    }

    /// Runs git as a user would; it may fail.
    fn try_git(&self, directory: &Path, arguments: &[&str]) -> (bool, String) {
        let output = Command::new("git")
            .args(arguments)
            .current_dir(directory)
            .env_clear()
            .envs(self.environment())
            .output()
            .expect("git runs");
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        (output.status.success(), text)
    }

    fn git(&self, directory: &Path, arguments: &[&str]) -> String {
        let (done, text) = self.try_git(directory, arguments);
        assert!(done, "git {arguments:?}: {text}");
        text
    }

    fn commit(&self, directory: &Path, file: &str, text: &str, message: &str) {
        std::fs::write(directory.join(file), text).expect("a file");
        let _ = self.git(directory, &["add", "--all"]);
        let _ = self.git(directory, &["commit", "--quiet", "-m", message]);
    }

    fn main(&self) -> String {
        self.git(&self.path("app"), &["rev-parse", "main"])
    }

    fn on_main(&self, file: &str) -> String {
        self.git(&self.path("app"), &["show", &format!("main:{file}")])
    }

    fn spec(&self, cars: &[&str]) -> Spec {
        Spec {
            repository: self.path("app"),
            target: String::new(),
            cars: cars.iter().map(|&name| name.to_owned()).collect(),
            sorted: false,
            how: How::Merge,
            verify: Vec::new(),
            limit_s: 60,
            commit: false,
            returns: 2,
        }
    }

    fn told(&self) -> Vec<String> {
        self.told.lock().expect("no panic").values().cloned().collect()
    }

    fn resolve(&self, how: impl Fn(&Self, &Path, &str) + Send + Sync + 'static) {
        *self.resolve.lock().expect("no panic") = Arc::new(how);
    }

    /// What must hold at any time: the user's checkout is whole.
    fn is_whole(&self) {
        let app = self.path("app");
        assert_eq!(self.git(&app, &["status", "--porcelain"]), "", "a half checkout");
        assert_eq!(self.git(&app, &["symbolic-ref", "--short", "HEAD"]), "main");
    }
}

/// The test's agents.
struct Cast(Arc<Yard>);

impl Agents for Cast {
    fn in_worktree(&self, directory: &Path) -> Option<AgentId> {
        let names = ["a", "b", "c"];
        let at = names.iter().position(|name| self.0.path(name) == directory)?;
        Some(AgentId(at as u64 + 1))
    }

    fn writer_in(&self, directory: &Path) -> Option<String> {
        let writes = self.0.writes.lock().expect("no panic").clone()?;
        (writes == directory).then(|| "Somebody writes there.".to_owned())
    }

    fn say(&self, agent: AgentId, text: String, token: String) -> Later<'_, Result<TabId, String>> {
        let yard = Arc::clone(&self.0);
        Box::pin(async move {
            let new = yard.told.lock().expect("no panic").insert(token, text.clone()).is_none();
            if new {
                let resolve = Arc::clone(&yard.resolve.lock().expect("no panic"));
                let name = ["a", "b", "c"][agent.0 as usize - 1];
                resolve(&yard, &yard.path(name), &text);
            }
            Ok(TabId(agent.0))
        })
    }

    fn progress(&self, _: TabId, token: &str) -> Later<'_, Progress> {
        let known = self.0.told.lock().expect("no panic").contains_key(token);
        Box::pin(async move { if known { Progress::Over } else { Progress::Open } })
    }

    fn rehearsal(&self, repository: &Path) -> Later<'_, Result<Arc<Mutex<Rehearsal>>, Error>> {
        let home = self.0.path("maestro");
        let made = Git::new(self.0.environment())
            .rehearsal(repository, &home.join("conflicts"))
            .map(|made| Arc::new(Mutex::new(made.leaving_out(home.join("trains")))))
            .map_err(|error| Error { kind: ErrorKind::Failed, message: error.to_string() });
        Box::pin(async move { made })
    }
}

/// A host's trains; dropping it and making another is the death of the host.
struct Station {
    trains: Trains,
    last: watch::Receiver<Option<Train>>,
    store: Store,
}

impl Station {
    fn open(yard: &Arc<Yard>, instance: &str, hook: Option<Hook>) -> Self {
        let store = Store::open(yard.path("maestro.db")).expect("a store");
        let (sender, last) = watch::channel(None);
        let deps = Deps {
            store: store.clone(),
            git: Git::new(yard.environment()),
            agents: Arc::new(Cast(Arc::clone(yard))),
            events: Arc::new(move |event| {
                if let Event::Train(train) = event {
                    let _ = sender.send_replace(Some(*train));
                }
            }),
            home: yard.path("maestro"),
            instance: instance.to_owned(),
            environment: yard.environment(),
        };
        Self { trains: Trains::new(deps, hook), last, store }
    }

    async fn ask(&self, ask: Ask) -> Result<Train, Error> {
        match within("a train", self.trains.ask(ask)).await? {
            Reply::Train(train) => Ok(*train),
            other => panic!("{other:?}"),
        }
    }

    async fn plan(&self, spec: Spec) -> Plan {
        match within("a plan", self.trains.ask(Ask::Plan(spec))).await {
            Ok(Reply::TrainPlan(plan)) => *plan,
            other => panic!("{other:?}"),
        }
    }

    async fn until(&mut self, what: &str, is: impl Fn(&Train) -> bool) -> Train {
        let seen = self.last.wait_for(|train| train.as_ref().is_some_and(&is));
        within(what, seen).await.expect("told").clone().expect("a train")
    }

    async fn until_it_stands(&mut self) -> Train {
        let train = self.until("it stands", |train| train.state != State::Running).await;
        within("its task ends", async {
            while self.trains.active() > 0 {
                tokio::task::yield_now().await;
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        })
        .await;
        train
    }
}

fn states(train: &Train) -> Vec<(&str, &CarState)> {
    train.cars.iter().map(|car| (car.branch.as_str(), &car.state)).collect()
}

/// An agent that merges the target and keeps both sides.
fn keeps_both(yard: &Yard, place: &Path, _: &str) {
    let _ = yard.try_git(place, &["merge", "--quiet", "main"]);
    yard.commit(place, "file", "from a\nfrom b\n", "Both");
}

#[tokio::test]
async fn three_come_home_and_the_loser_resolves() {
    let yard = Yard::new();
    yard.resolve(keeps_both);
    let mut station = Station::open(&yard, "one", None);
    let mut spec = yard.spec(&[]);
    spec.sorted = true;
    let plan = station.plan(spec.clone()).await;
    assert_eq!(plan.spec.cars, ["c", "a", "b"], "the fewest conflicts first");
    assert_eq!((plan.spec.target.as_str(), plan.obstacles.len()), ("main", 0));
    assert_eq!(plan.cars[2].collides, ["a"]);
    spec.verify = vec!["test -f file && echo checked".to_owned()];
    let before = yard.main();
    let begun = station.ask(Ask::Start(spec)).await.expect("it begins");
    let train = station.until_it_stands().await;
    assert_eq!(train.state, State::Ended(End::Done), "{:?}", states(&train));
    assert_eq!(
        (yard.on_main("file"), yard.on_main("other")),
        ("from a\nfrom b".into(), "from c".into())
    );
    assert_eq!(yard.git(&yard.path("app"), &["show", "HEAD:file"]), "from a\nfrom b");
    yard.is_whole();
    let told = yard.told();
    assert_eq!(told.len(), 1);
    assert!(told[0].contains("from b") && told[0].contains("`git merge main`"), "{}", told[0]);
    assert_eq!(train.moves.len(), 3);
    assert_eq!(train.cars[0].checks[0].output.trim(), "checked");
    assert!(!yard.path("maestro/trains/m1").exists(), "the scratch is gone");
    let listed = yard.git(&yard.path("app"), &["worktree", "list"]);
    assert_eq!(listed.lines().count(), 4, "{listed}");

    // Somebody builds on it: it stays, and it is said who.
    let app = yard.path("app");
    yard.commit(&app, "mine", "x\n", "On top");
    let refused = station.ask(Ask::Undo(begun.id)).await.expect_err("somebody built on it");
    assert!(refused.message.contains("On top (T)"), "{refused}");
    let _ = yard.git(&app, &["reset", "--quiet", "--hard", "HEAD^"]);
    let undone = station.ask(Ask::Undo(begun.id)).await.expect("undone");
    assert_eq!((undone.state, yard.main()), (State::Ended(End::Undone), before));
    yard.is_whole();
    assert!(station.ask(Ask::Undo(begun.id)).await.is_err(), "once");

    // Where the target had been is kept for as long as was said.
    let kept = || yard.git(&app, &["for-each-ref", "refs/maestro/trains"]).lines().count();
    let (ended, names) = (undone.ended_ms.expect("it ended"), kept());
    assert!(names > 0);
    let day = 24 * 3_600_000;
    assert_eq!(station.trains.prune(ended + 89 * day, 90).await.expect("looked"), 0);
    assert_eq!(kept(), names);
    assert_eq!(station.trains.prune(ended + 91 * day, 90).await.expect("looked"), names);
    assert_eq!(kept(), 0);
    assert_eq!(station.trains.prune(ended + 91 * day, 90).await.expect("looked"), 0);
}

#[tokio::test]
async fn a_death_at_any_step_ends_with_the_target_old_or_new() {
    let mut kills = 0;
    loop {
        let yard = Yard::new();
        yard.resolve(keeps_both);
        let old = yard.main();
        let steps = AtomicUsize::new(0);
        let dead = watch::Sender::new(false);
        let death = dead.clone();
        let hook: Hook = Arc::new(move |_| {
            let kill = steps.fetch_add(1, Ordering::Relaxed) == kills;
            let _ = kill && death.send_replace(true);
            kill
        });
        let mut station = Station::open(&yard, "one", Some(hook));
        let mut spec = yard.spec(&["a", "b", "c"]);
        spec.verify = vec!["test -f file".to_owned()];
        let begun = station.ask(Ask::Start(spec)).await.expect("it begins");
        let mut dead = dead.subscribe();
        let killed = tokio::select! {
            _ = within("it dies", dead.wait_for(|dead| *dead)) => true,
            _ = station.until("it ends", |train| !train.is_open()) => false,
        };
        within("its task ends", async {
            while station.trains.active() > 0 {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        })
        .await;
        let train = station.store.train(begun.id).expect("read").expect("kept");
        yard.is_whole();
        let now = yard.main();
        let moved = train.moves.iter().map(|one| one.to.clone());
        let moving = train.cars.iter().filter_map(|car| match &car.state {
            CarState::Moving { to, .. } => Some(to.clone()),
            _ => None,
        });
        let known: Vec<String> = std::iter::once(old).chain(moved).chain(moving).collect();
        assert!(known.contains(&now), "killed at {kills}: {:?}", states(&train));
        station.store.close();
        if killed {
            let mut next = Station::open(&yard, "two", None);
            assert_eq!(next.trains.recover().await.expect("read").len(), 1);
            let train = next.until_it_stands().await;
            assert_eq!(train.state, State::Ended(End::Done), "{kills}: {:?}", states(&train));
            next.store.close();
        }
        yard.is_whole();
        assert_eq!(yard.on_main("file"), "from a\nfrom b", "killed at {kills}");
        assert_eq!(yard.on_main("other"), "from c", "killed at {kills}");
        assert_eq!(yard.told().len(), 1, "killed at {kills}: told once");
        let merges = yard.git(&yard.path("app"), &["rev-list", "--merges", "--count", "main"]);
        assert!(["3", "4"].contains(&merges.as_str()), "killed at {kills}: {merges} merges");
        let listed = yard.git(&yard.path("app"), &["worktree", "list"]);
        assert_eq!(listed.lines().count(), 4, "killed at {kills}: {listed}");
        if !killed {
            break;
        }
        kills += 1;
    }
    assert!(kills > 20, "only {kills} steps");
}

#[tokio::test]
async fn a_target_that_is_dirty_is_left_alone_and_said() {
    let yard = Yard::new();
    let app = yard.path("app");
    let mut station = Station::open(&yard, "one", None);
    std::fs::write(app.join("file"), "mine\n").expect("a file");
    let plan = station.plan(yard.spec(&["c"])).await;
    assert!(plan.obstacles[0].contains("1 file that is not committed"), "{:?}", plan.obstacles);
    let refused = station.ask(Ask::Start(yard.spec(&["c"]))).await.expect_err("it is in the way");
    assert_eq!(refused.kind, ErrorKind::Busy);
    std::fs::write(app.join("file"), "one\n").expect("a file");
    // It becomes dirty while the check runs: the train stands, and nothing is touched.
    let mut spec = yard.spec(&["c"]);
    spec.verify = vec![format!("echo mine > '{}'", app.join("file").display())];
    let before = yard.main();
    let begun = station.ask(Ask::Start(spec)).await.expect("it begins");
    let train = station.until_it_stands().await;
    let State::Stopped(because) = &train.state else { panic!("{train:?}") };
    assert!(because.contains("not committed"), "{because}");
    assert_eq!(yard.main(), before);
    assert_eq!(std::fs::read_to_string(app.join("file")).expect("read"), "mine\n");
    // Put aside, it goes on where it stood.
    std::fs::write(app.join("file"), "one\n").expect("a file");
    let _ = station.ask(Ask::Resume(begun.id)).await.expect("it goes on");
    let _ = station.until("it ends", |train| !train.is_open()).await;
    assert_eq!(yard.on_main("other"), "from c");
}

#[tokio::test]
async fn a_check_that_fails_moves_nothing_and_goes_back() {
    let yard = Yard::new();
    let mut station = Station::open(&yard, "one", None);
    let mut spec = yard.spec(&["c", "a"]);
    spec.verify = vec!["test ! -f other || { echo no other wanted; exit 3; }".to_owned()];
    spec.returns = 1;
    let _ = station.ask(Ask::Start(spec)).await.expect("it begins");
    let train = station.until_it_stands().await;
    assert_eq!(train.state, State::Ended(End::Partly));
    let CarState::Left(Loss::Check(check)) = &train.cars[0].state else { panic!("{train:?}") };
    assert_eq!((check.code, check.output.trim()), (Some(3), "no other wanted"));
    assert_eq!(yard.on_main("file"), "from a", "the other came home");
    assert!(!yard.try_git(&yard.path("app"), &["show", "main:other"]).0);
    assert!(yard.told()[0].contains("no other wanted"), "{:?}", yard.told());
}

#[tokio::test]
async fn what_is_not_committed_is_committed_only_when_asked() {
    let yard = Yard::new();
    let mut station = Station::open(&yard, "one", None);
    std::fs::write(yard.path("c").join("more"), "x\n").expect("a file");
    let mut spec = yard.spec(&["c"]);
    spec.returns = 0;
    assert_eq!(station.plan(spec.clone()).await.cars[0].uncommitted, 1);
    let _ = station.ask(Ask::Start(spec.clone())).await.expect("it begins");
    let train = station.until_it_stands().await;
    assert_eq!(
        train.cars[0].state,
        CarState::Left(Loss::Uncommitted(vec!["more".into()])),
        "{train:?}"
    );
    spec.commit = true;
    *yard.writes.lock().expect("no panic") = Some(yard.path("c"));
    assert!(station.ask(Ask::Start(spec.clone())).await.is_err(), "somebody writes there");
    *yard.writes.lock().expect("no panic") = None;
    let second = station.ask(Ask::Start(spec)).await.expect("it begins");
    let train = station.until("it ends", |train| train.id == second.id && !train.is_open()).await;
    assert_eq!(train.state, State::Ended(End::Done), "{train:?}");
    assert_eq!(yard.on_main("more"), "x");
}

#[tokio::test]
async fn a_train_is_stopped_resumed_and_given_up() {
    let yard = Yard::new();
    let mut station = Station::open(&yard, "one", None);
    let mut spec = yard.spec(&["a", "c"]);
    let flag = yard.path("go");
    spec.verify = vec![format!("until test -e '{}'; do sleep 0.05; done", flag.display())];
    let before = yard.main();
    let begun = station.ask(Ask::Start(spec.clone())).await.expect("it begins");
    let verifies = |train: &Train| matches!(train.cars[0].state, CarState::Verifying { .. });
    let _ = station.until("it checks", verifies).await;
    let second = station.ask(Ask::Start(spec.clone())).await.expect_err("one at a time");
    assert!(second.message.contains("m1 is under way"), "{second}");
    let stopped = station.ask(Ask::Stop(begun.id)).await.expect("it stands");
    assert!(matches!(stopped.state, State::Stopped(_)) && yard.main() == before);
    assert_eq!(station.trains.active(), 0);
    let _ = station.ask(Ask::Resume(begun.id)).await.expect("it goes on");
    let goes = |train: &Train| train.state == State::Running && verifies(train);
    let _ = station.until("it checks again", goes).await;
    let aborted = station.ask(Ask::Abort(begun.id)).await.expect("given up");
    assert_eq!((aborted.state, yard.main()), (State::Ended(End::Aborted), before));
    assert!(station.ask(Ask::Resume(begun.id)).await.is_err());
    assert!(!yard.path("maestro/trains/m1").exists());
    yard.is_whole();
    // Unknown names and what nobody can mean.
    for (spec, kind) in [
        (yard.spec(&["nothing"]), ErrorKind::NotFound),
        (Spec { verify: vec![" ".to_owned()], ..yard.spec(&["a"]) }, ErrorKind::Invalid),
        (Spec { target: "nothing".to_owned(), ..yard.spec(&["a"]) }, ErrorKind::NotFound),
        (yard.spec(&["main"]), ErrorKind::Busy),
    ] {
        let refused = station.ask(Ask::Start(spec)).await.expect_err("refused");
        assert_eq!(refused.kind, kind, "{refused}");
    }
    let missing = station.ask(Ask::Show(TrainId(99))).await.expect_err("there is none");
    assert_eq!(missing.kind, ErrorKind::NotFound);
}

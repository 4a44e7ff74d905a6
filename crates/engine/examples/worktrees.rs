//! What worktrees cost: `cargo run --release -p maestro-engine --example worktrees -- [FILES]`.
//!
//! A repository of so many files (100 000 unless told). Prints one JSON object a line: how long it takes
//! from asking for a worktree with a shell in it to the shell's prompt, beside `git worktree add`; what it
//! costs to know how twenty checkouts stand while nothing happens; and how soon a save is known.

use std::path::{Path, PathBuf};
use std::process::Command as Process;
use std::time::{Duration, Instant};

use maestro_agents::Environment;
use maestro_core::agent::Provider;
use maestro_core::screen::Size;
use maestro_core::worktree::{Answer, Ask, Made, Make, Stage, Standing};
use maestro_engine::host::{Host, HostOptions};
use maestro_protocol::client::Incoming;
use maestro_protocol::message::{Command, Event, Reply};
use maestro_protocol::{Client, Home};
use tokio::sync::mpsc::Receiver;

const RUNS: usize = 3;
/// How often git does the same: every checkout of 100 000 files is a minute for a disk.
const GIT_RUNS: usize = 1;
const TREES: usize = 20;
const SAVES: usize = 15;
/// How long nothing is done while the cost of that is measured.
const IDLE: Duration = Duration::from_secs(20);
const LIMIT: Duration = Duration::from_secs(300);

fn git(directory: &Path, arguments: &[&str]) {
    let output = Process::new("git")
        .args(["-c", "user.name=T", "-c", "user.email=t@example.org"])
        .args(arguments)
        .current_dir(directory)
        .output()
        .expect("git");
    assert!(output.status.success(), "git {arguments:?}: {output:?}");
}

fn repository(place: &Path, files: usize) -> PathBuf {
    let app = place.join("app");
    for folder in 0..files.div_ceil(100) {
        let folder_path = app.join(format!("d{}/s{folder}", folder / 50));
        std::fs::create_dir_all(&folder_path).expect("a folder");
        for file in 0..100.min(files - folder * 100) {
            let text = format!("{folder} {file}\n").repeat(10);
            std::fs::write(folder_path.join(format!("f{file}")), text).expect("a file");
        }
    }
    git(&app, &["init", "--quiet", "-b", "main"]);
    git(&app, &["add", "."]);
    git(&app, &["commit", "--quiet", "-m", "First"]);
    app
}

fn median(numbers: &mut [f64]) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}

fn line(name: &str, value: f64, unit: &str, bar: Option<f64>, runs: usize, note: &str) {
    let line = serde_json::json!({
        "name": name,
        "value": (value * 1000.0).round() / 1000.0,
        "unit": unit,
        "bar": bar,
        "holds": bar.map(|bar| value <= bar),
        "peer": null,
        "runs": runs,
        "note": note,
    });
    println!("{line}");
}

/// Seconds of processor time of this process and of what it has waited for.
fn processor() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("a process");
    let fields: Vec<&str> =
        stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    // User and system time, own and of children, in hundredths of a second.
    fields[11..15].iter().filter_map(|field| field.parse::<f64>().ok()).sum::<f64>() / 100.0
}

struct User {
    client: Client,
    incoming: Receiver<Incoming>,
}

impl User {
    async fn ask(&self, ask: Ask) -> Answer {
        match self.client.request(Command::Worktrees(ask)).await {
            Ok(Reply::OfWorktrees(answer)) => answer,
            other => panic!("{other:?}"),
        }
    }

    async fn make(&self, app: &Path, branch: String, start: bool, wait: bool) -> Made {
        let make = Make {
            repository: app.to_owned(),
            branch,
            existing: false,
            base: None,
            path: None,
            location: None,
            race: 0,
            agent: Some(Provider::Shell),
            name: None,
            task: None,
            start,
            size: Size::new(120, 40),
            wait,
        };
        match self.ask(Ask::Make(Box::new(make))).await {
            Answer::Made(mut made) => made.remove(0),
            other => panic!("{other:?}"),
        }
    }

    async fn until<T>(&mut self, mut find: impl FnMut(Incoming) -> Option<T>) -> T {
        let found = async {
            loop {
                let message = self.incoming.recv().await.expect("a host");
                if let Some(found) = find(message) {
                    return found;
                }
            }
        };
        tokio::time::timeout(LIMIT, found).await.expect("in time")
    }
}

#[tokio::main(flavor = "multi_thread")]
async fn main() {
    let files = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(100_000);
    let place = tempfile::tempdir().expect("a folder");
    let root = place.path().canonicalize().expect("a folder");
    let app = repository(&root, files);
    let environment = Environment::from_vars([
        ("PATH", std::env::var_os("PATH").unwrap_or_default()),
        ("HOME", root.clone().into_os_string()),
        ("SHELL", "/bin/sh".into()),
    ]);
    let home = Home::at(root.join("home")).expect("a home");
    let options = HostOptions {
        listen: false,
        idle: None,
        environment: Some(environment),
        ..HostOptions::new(home)
    };
    let host = Host::start(options).await.expect("a host");
    let (client, incoming) = host.connect().await.expect("a client");
    let mut user = User { client, incoming };
    let _ = user.client.request(Command::World { follow: true }).await.expect("the world");
    host.recovered().await;
    prompts(&mut user, &app, &root, files).await;
    standings(&mut user, &app).await;
    host.stop();
    host.stopped().await;
}

/// How long it takes until somebody can type.
async fn prompts(user: &mut User, app: &Path, root: &Path, files: usize) {
    let (mut ours, mut whole, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
    // One that fills caches and does not count.
    for run in 0..=RUNS {
        let began = Instant::now();
        let made = user.make(app, format!("prompt{run}"), true, false).await;
        let terminal = made.agent.as_ref().and_then(|agent| agent.ai_terminal).expect("a shell");
        let subscribe = Command::Subscribe { terminal, focused: true };
        let _ = user.client.request(subscribe).await.expect("frames");
        let path = made.worktree.path.clone();
        let (mut prompt, mut is_ready) = (None, made.worktree.stage == Stage::Ready);
        let client = user.client.clone();
        user.until(|message| {
            match message {
                Incoming::Frame(frame) if frame.terminal == terminal => {
                    let shows = |row: &maestro_core::screen::Row| !row.text().trim().is_empty();
                    if prompt.is_none() && frame.rows.iter().any(|(_, row)| shows(row)) {
                        prompt = Some(began.elapsed());
                    }
                    // The first frame may come before the prompt, and the next one has to be asked for.
                    client.credit(terminal).expect("connected");
                }
                Incoming::Event { event: Event::Worktree(one), .. } if one.path == path => {
                    is_ready |= one.stage == Stage::Ready;
                }
                _ => {}
            }
            (prompt.is_some() && is_ready).then_some(())
        })
        .await;
        let prompt = prompt.unwrap_or_default();
        let all = began.elapsed();
        let _ = user.client.request(Command::Unsubscribe { terminal }).await;
        if run > 0 {
            ours.push(prompt.as_secs_f64() * 1e3);
            whole.push(all.as_secs_f64() * 1e3);
        }
        let id = made.agent.expect("an agent").id;
        let _ = user.client.request(Command::RemoveAgent { agent: id }).await;
        git(app, &["worktree", "remove", "--force", &path.to_string_lossy()]);
        eprintln!("{run} of {RUNS}: a prompt after {prompt:?}, everything after {all:?}");
    }
    for run in 0..GIT_RUNS {
        let beside = root.join(format!("git{run}"));
        let beside = beside.to_string_lossy();
        let began = Instant::now();
        git(app, &["worktree", "add", "--quiet", &beside]);
        theirs.push(began.elapsed().as_secs_f64() * 1e3);
        git(app, &["worktree", "remove", "--force", &beside]);
    }
    let note = format!(
        "{files} files; all of them there after {:.0} ms; `git worktree add` takes {:.0} ms",
        median(&mut whole),
        median(&mut theirs)
    );
    line("worktree_to_prompt", median(&mut ours), "ms", Some(100.0), RUNS, &note);
}

/// What it costs to know how checkouts stand.
async fn standings(user: &mut User, app: &Path) {
    // Not as many files: twenty of these would be two million.
    let small = app.with_file_name("small");
    let _ = repository(&small, 2_000);
    let small = small.join("app");
    let mut trees = Vec::new();
    for tree in 0..TREES {
        let made = user.make(&small, format!("tree{tree}"), false, true).await;
        trees.push((made.agent.expect("an agent").id, made.worktree.path));
    }
    // Everything was looked at once.
    tokio::time::sleep(Duration::from_secs(10)).await;
    while user.incoming.try_recv().is_ok() {}
    let before = processor();
    tokio::time::sleep(IDLE).await;
    let idle = (processor() - before) / IDLE.as_secs_f64() * 100.0;
    let note = format!("{TREES} checkouts of 2 000 files, of one core, {} s", IDLE.as_secs());
    line("standing_idle", idle, "%", Some(0.5), 1, &note);

    let (mut known, mut theirs) = (Vec::new(), Vec::new());
    for save in 0..SAVES {
        let (agent, path) = &trees[save % trees.len()];
        let began = Instant::now();
        std::fs::write(path.join(format!("saved{save}")), "x").expect("saved");
        let is_new = |standing: &Standing| standing.untracked > 0;
        user.until(|message| match message {
            Incoming::Event { event: Event::Standing(one, standing), .. } if one == *agent => {
                is_new(&standing).then_some(())
            }
            _ => None,
        })
        .await;
        known.push(began.elapsed().as_secs_f64() * 1e3);
        let began = Instant::now();
        git(path, &["status", "--porcelain=v2", "--branch"]);
        theirs.push(began.elapsed().as_secs_f64() * 1e3);
    }
    let note = format!("of it 100 ms are waited; `git status` takes {:.1} ms", median(&mut theirs));
    line("standing_after_save", median(&mut known), "ms", Some(1000.0), SAVES, &note);
}

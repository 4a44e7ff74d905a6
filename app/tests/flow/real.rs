//! The real agent programs at their pinned versions, driven by the real host, against a model that
//! does what the prompt says. Everything runs as an ordinary user in a network namespace with nothing
//! but loopback. `cargo xtask agents` installs the programs.

mod attention;
mod autorun;
mod composer;
mod talk;
mod train;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::place::{PROGRAM, Place, collect, end, kill, until, wait};

/// How long one step may take. The slowest takes half a minute on an idle machine.
const STEP: Duration = Duration::from_secs(100);

/// How long a whole checklist may take.
const LONG: Duration = Duration::from_secs(240);

/// Nobody's number but that of the user inside.
const USER: u32 = 1000;

/// A namespace with the fake model in it, and a user who has every program set up for it.
struct World {
    place: Place,
    /// What the namespaces live by.
    holder: Child,
}

impl World {
    /// Nothing, said loudly, where the machine lacks something.
    fn new(provider: &str) -> Option<Self> {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let agents = repository.join("target/agents");
        let missing = if !agents.join("bin").join(provider).exists() {
            Some(format!("{provider} is not installed (cargo xtask agents)"))
        } else if !rustix::process::geteuid().is_root() {
            Some("a network namespace of its own needs root".to_owned())
        } else {
            let is_there = |tool: &&str| {
                !["/usr/bin", "/usr/sbin", "/bin", "/sbin"]
                    .iter()
                    .any(|folder| Path::new(folder).join(tool).exists())
            };
            let tools = ["unshare", "nsenter", "setpriv", "ip", "python3", "git"];
            tools.into_iter().find(is_there).map(|tool| format!("there is no `{tool}`"))
        };
        if let Some(missing) = missing {
            eprintln!("SKIPPED: real {provider}: {missing}");
            return None;
        }
        let place = Place::new();
        let homes = repository.join("tests/fake_model/homes");
        for name in ["claude", "codex", "opencode", "droid"] {
            let copied =
                Command::new("cp").arg("-rT").arg(homes.join(name)).arg(place.user()).status();
            assert!(copied.is_ok_and(|status| status.success()), "the home is copied");
        }
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin", place.path("agents/bin").display());
        place.profile(
            &path,
            &[
                ("ANTHROPIC_BASE_URL", "http://127.0.0.1:4010"),
                ("ANTHROPIC_API_KEY", "sk-ant-fake-key"),
                ("CLAUDE_CODE_MAX_RETRIES", "1"),
                ("DISABLE_AUTOUPDATER", "1"),
                ("FAKE_API_KEY", "sk-fake"),
                ("OPENCODE_DISABLE_AUTOUPDATE", "1"),
                ("TMPDIR", &place.path("tmp").display().to_string()),
            ],
        );
        let passwd = format!(
            "root:x:0:0:root:/root:/bin/bash\nuser:x:{USER}:{USER}:User:{}:/bin/sh\n",
            place.user().display()
        );
        fs::write(place.path("passwd"), passwd).expect("written");
        for folder in ["agents", "bin", "work", "maestro"] {
            fs::create_dir(place.path(folder)).expect("a folder");
        }
        fs::write(place.path("bin/maestro"), "").expect("written");
        give(place.root());
        let script = r#"
            set -e
            ip link set lo up
            mount --bind "$1" "$ROOT/agents"
            mount --bind "$2" "$ROOT/bin/maestro"
            mount --bind "$ROOT/passwd" /etc/passwd
            cd "$3"
            PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 -m fake_model --port 4010 \
                --bodies --log "$ROOT/requests.jsonl" >"$ROOT/server.log" 2>&1 &
            for _ in $(seq 200); do
                (exec 3<>/dev/tcp/127.0.0.1/4010) 2>/dev/null && break
                sleep 0.1
            done
            touch "$ROOT/ready"
            exec sleep 100000
        "#;
        // It ends with us, however we end.
        let holder = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "unshare"])
            .args(["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--"])
            .args(["bash", "-c", script, "namespace"])
            .arg(&agents)
            .arg(PROGRAM)
            .arg(repository.join("tests/fake_model"))
            .env_clear()
            .env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin")
            .env("HOME", place.user())
            .env("ROOT", place.root())
            .stdin(Stdio::null())
            .spawn()
            .expect("started");
        let mut world = Self { place, holder };
        let ready = world.place.path("ready");
        until("the fake model answers", || ready.exists().then_some(()));
        let outer = world.holder.id();
        let inner = fs::read_to_string(format!("/proc/{outer}/task/{outer}/children"))
            .expect("the kernel lists children");
        let user = USER.to_string();
        let home = world.place.user();
        let mut prefix: Vec<std::ffi::OsString> = Vec::new();
        prefix.extend(["nsenter", "-t", inner.trim(), "-n", "-m", "-p", "--"].map(Into::into));
        prefix.extend(["setpriv", "--reuid", &user, "--regid", &user].map(Into::into));
        prefix.extend(["--clear-groups", "sh", "-c", "cd \"$0\" && exec \"$@\""].map(Into::into));
        prefix.push(home.into());
        world.place.enter(prefix);
        Some(world)
    }

    fn ok(&self, args: &[&str]) -> String {
        end(self.maestro(args), b"").ok()
    }

    fn json(&self, args: &[&str]) -> Value {
        let text = self.ok(&[&["--json"], args].concat());
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// The program is where the user inside can see it, whoever may see the build folder.
    fn maestro(&self, args: &[&str]) -> Command {
        let mut command = self.place.program(self.place.path("bin/maestro"));
        let _ = command.args(args);
        command
    }

    fn screen(&self, terminal: &str) -> String {
        end(self.maestro(&["terminal", "show", terminal]), b"").stdout
    }

    fn repository(&self) -> PathBuf {
        let path = self.place.path("work/shop");
        let mut shell = self.place.program("sh");
        let _ = shell.args(["-ec", "mkdir \"$0\"; cd \"$0\"; git init -q -b main; echo '# A shop' > README.md; git add .; git commit -qm Begin"]);
        let _ = shell.arg(&path);
        let _ = end(shell, b"").ok();
        path
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.place.path("work").join(name);
        fs::write(&path, text).expect("written");
        give(&path);
        path.display().to_string()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let requests =
                fs::read_to_string(self.place.path("requests.jsonl")).unwrap_or_default();
            eprintln!("--- {} requests to the model", requests.lines().count());
            eprintln!("{}", fs::read_to_string(self.place.path("server.log")).unwrap_or_default());
        }
        // The place ends its host first; with the namespace everything else in it ends.
        if self.place.host().is_some() {
            let _ = end(self.maestro(&["host", "stop"]), b"");
        }
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

/// Makes a folder and everything in it the inner user's.
fn give(path: &Path) {
    chown(path, Some(USER), Some(USER)).expect("given");
    if path.is_dir() && !path.is_symlink() {
        fs::read_dir(path).expect("read").flatten().for_each(|entry| give(&entry.path()));
    }
}

/// Every file of a checkout with its bytes; git's own folder is another matter.
fn contents(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![directory.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("read").flatten() {
            let path = entry.path();
            match path.is_dir() {
                true if entry.file_name() == ".git" => {}
                true => folders.push(path),
                false => drop(found.insert(path.clone(), fs::read(&path).expect("read"))),
            }
        }
    }
    found
}

/// What the programs ask before they begin, or before they write, and what a user answers who wants to
/// go on as things are.
const QUESTIONS: &[(&str, &str)] = &[
    ("Yes, I trust this folder", r"\r"),
    ("Trust this folder?", r"\r"),
    ("Do you want to create", r"\r"),
    ("Do you want to make this edit", r"\r"),
    ("Would you like to make the following edits", r"\r"),
    ("Allow once", r"\r"),
    ("Use existing model", "2"),
];

fn question(screen: &str) -> Option<&'static str> {
    QUESTIONS.iter().find(|(question, _)| screen.contains(question)).map(|(_, answer)| *answer)
}

/// Looks at a terminal until something is true of it, and answers what the program asks meanwhile.
fn answering(
    world: &World,
    agent: &str,
    what: &str,
    mut holds: impl FnMut(&str) -> bool,
) -> String {
    let limit = Instant::now() + STEP;
    let mut answered = String::new();
    loop {
        let screen = world.screen(agent);
        if holds(&screen) {
            return screen;
        }
        assert!(Instant::now() < limit, "{agent}: too late: {what}; its screen:\n{screen}");
        if let Some(answer) = question(&screen).filter(|_| screen != answered) {
            let _ = world.ok(&["terminal", "send", agent, "-e", answer]);
            answered = screen;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// A program's own interface, from its first screen to an edited file and back after a host's death.
fn interface(provider: &str, ready: &[&str]) {
    let Some(world) = World::new(provider) else { return };
    let repository = world.repository();
    let dir = repository.display().to_string();
    let before = contents(&repository);
    let new =
        ["agent", "new", "it", "-p", provider, "-d", &dir, "-B", "feat/it", "--size", "120x40"];
    let _ = world.ok(&new);
    let agent = world.json(&["agent", "show", "it"]);
    assert_eq!(agent["branch"], "feat/it");
    let worktree = PathBuf::from(agent["directory"].as_str().expect("a path"));
    assert_ne!(worktree, repository);

    // Some ask only after they have drawn their first screen.
    let mut since = Instant::now();
    let _ = answering(&world, "it", "its interface is drawn", |screen| {
        if question(screen).is_some() || !ready.iter().any(|words| screen.contains(words)) {
            since = Instant::now();
        }
        since.elapsed() > Duration::from_secs(2)
    });
    type_in(&world, "it", "[[write made.txt by the agent]] [[text All of it is done.]]");
    let _ = answering(&world, "it", "the file is there", |_| worktree.join("made.txt").exists());
    let _ = answering(&world, "it", "it says so", |screen| told(screen, "All of it is done.") > 1);
    let text = fs::read_to_string(worktree.join("made.txt")).expect("written");
    assert_eq!(text.trim_end(), "by the agent");
    assert_eq!(contents(&repository), before, "the main checkout is as it was");
    let mut git = world.place.program("git");
    let _ = git.arg("-C").arg(&repository).args(["status", "--porcelain"]);
    assert_eq!(end(git, b"").ok(), "");
    let shown = world.json(&["terminal", "show", "it"]);
    assert!(
        shown["rows"]
            .as_array()
            .is_some_and(|rows| rows.iter().any(|row| row["runs"] != json!([]))),
        "it is drawn with colours"
    );
    let session = until("its session is known", || {
        world.json(&["agent", "show", "it"])["session"].as_str().map(str::to_owned)
    });

    // The host dies; the next one offers the agent back in the same conversation.
    let hosts = world.place.processes();
    let host = hosts.iter().find(|(_, line)| line.contains("host --detached")).expect("a host");
    let left: Vec<i32> = world.place.children().into_iter().map(|(pid, _)| pid).collect();
    kill(host.0);
    until("the host is gone", || world.place.host().is_none().then_some(()));
    let _ = world.ok(&["worktree", "list", &dir]);
    let agent = world.json(&["agent", "show", "it"]);
    assert_eq!(
        (&agent["attention"]["state"], &agent["session"]),
        (&json!("resumable"), &json!(session))
    );
    until("its processes are gone", || {
        (!left.iter().any(|pid| crate::place::lives(*pid))).then_some(())
    });
    let _ = world.ok(&["agent", "open", "it"]);
    let _ = answering(&world, "it", "the conversation is back", |screen| {
        screen.contains("All of it is done.")
    });
    assert_eq!(world.json(&["agent", "show", "it"])["session"], json!(session));

    let _ = world.ok(&["agent", "remove", "it"]);
    until("its processes are gone", || world.place.children().is_empty().then_some(()));
    assert_eq!(contents(&repository), before, "the main checkout is as it was");
}

/// Types as a user does: looks at the text before pressing Enter, and types again what a question
/// that came up in between has swallowed.
fn type_in(world: &World, agent: &str, text: &str) {
    let squeeze = |text: &str| text.replace(['\n', ' ', '│', '┃'], "");
    let limit = Instant::now() + STEP;
    let mut typed: Option<Instant> = None;
    loop {
        let screen = world.screen(agent);
        if squeeze(&screen).contains(&squeeze(text)) {
            break;
        }
        assert!(Instant::now() < limit, "{agent}: what was typed is not shown:\n{screen}");
        if let Some(answer) = question(&screen) {
            let _ = world.ok(&["terminal", "send", agent, "-e", answer]);
        } else if typed.is_none_or(|typed| typed.elapsed() > Duration::from_secs(15)) {
            // Ctrl+U: whatever of it is there already.
            let _ = world.ok(&["terminal", "send", agent, "-e", r"\x15"]);
            let _ = world.ok(&["terminal", "send", agent, text]);
            typed = Some(Instant::now());
        }
        std::thread::sleep(Duration::from_millis(500));
    }
    let _ = world.ok(&["terminal", "send", agent, "-e", r"\r"]);
}

#[test]
fn claude_code_edits_in_its_worktree() {
    interface("claude", &["? for shortcuts", "Try \"", "│ >", "❯"]);
}

#[test]
fn codex_edits_in_its_worktree() {
    interface("codex", &["? for shortcuts", "context left", "›"]);
}

#[test]
fn opencode_edits_in_its_worktree() {
    interface("opencode", &["Ask anything"]);
}

/// How often a screen has some words, however they are wrapped: once as typed, once as answered.
fn told(screen: &str, words: &str) -> usize {
    let squeeze = |text: &str| text.split_whitespace().collect::<String>().replace(['│', '┃'], "");
    squeeze(screen).matches(&squeeze(words)).count()
}

/// Two documents with everything in them that can go wrong, to their end.
fn checklists(provider: &str, model: Option<&str>) {
    let Some(world) = World::new(provider) else { return };
    let repository = world.repository();
    let dir = repository.display().to_string();
    let before = contents(&repository);
    let new = ["agent", "new", "it", "-p", provider, "-d", &dir, "-B", "run", "--no-start"];
    let _ = world.ok(&new);
    let agent = world.json(&["agent", "show", "it"]);
    let worktree = PathBuf::from(agent["directory"].as_str().expect("a path"));
    let first = world.write(
        "first.md",
        "# One\n\n\
         - [ ] Write [[write one.txt hello]] [[text Wrote it.]]\n  - verify: grep -q hello one.txt\n\
         - [ ] Run [[bash echo two > two.txt]] [[text Ran it.]]\n\
         - [ ] Wrong [[write three.txt wrong]] [[text Wrote the wrong thing.]]\n  \
           - verify: grep -q right three.txt\n",
    );
    // The program kills itself once, in the middle of its work.
    let second = world.write(
        "second.md",
        "# Two\n\n\
         - [ ] Limited [[error 429 x2]] [[write four.txt four]] [[text Wrote it at last.]]\n\
         - [ ] Dies [[bash test -e died || { touch died; kill -9 $PPID; }]] [[write five.txt five]] [[text Lives.]]\n\
         - [x] Done before\n",
    );
    let mut run =
        vec!["run", &first, &second, "--agent", "it", "--attempts", "2", "--yes", "--jsonl"];
    run.extend(model.iter().flat_map(|model| ["--model", *model]));
    let mut child =
        world.maestro(&run).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started");
    let out = collect(child.stdout.take().expect("piped"));
    let error = collect(child.stderr.take().expect("piped"));
    let code = wait(&mut child, LONG);
    let read = |from: std::sync::mpsc::Receiver<Vec<u8>>| {
        String::from_utf8_lossy(&from.recv().unwrap_or_default()).into_owned()
    };
    let (out, error) = (read(out), read(error));
    let said = format!("{out}\n{error}");
    assert_eq!(code, Some(1), "one task is open: {said}");
    let text = |path: &str| fs::read_to_string(path).expect("there");
    let (one, two) = (text(&first), text(&second));
    for (ticked, text, task) in [
        (true, &one, "Write"),
        (true, &one, "Run"),
        (false, &one, "Wrong"),
        (true, &two, "Limited"),
        (true, &two, "Dies"),
        (true, &two, "Done before"),
    ] {
        let mark = if ticked { 'x' } else { ' ' };
        assert!(text.contains(&format!("- [{mark}] {task}")), "{task}: {text}\n{said}");
    }
    for (file, expected) in
        [("one.txt", "hello"), ("two.txt", "two"), ("four.txt", "four"), ("five.txt", "five")]
    {
        let found = fs::read_to_string(worktree.join(file)).unwrap_or_default();
        assert_eq!(found.trim_end(), expected, "{file}: {said}");
    }
    let run = world.json(&["run", "show", "r1"]);
    assert_eq!(run["state"], json!({ "ended": "with_failures" }));
    let tasks = run["tasks"].as_array().expect("a list");
    let of = |word: &str| {
        let task = tasks
            .iter()
            .find(|task| task["text"].as_str().is_some_and(|text| text.starts_with(word)));
        task.unwrap_or_else(|| panic!("no {word}: {run:#}"))
    };
    assert_eq!(
        (&of("Write")["verify"]["exit_code"], &of("Write")["attempts"]),
        (&json!(0), &json!(1))
    );
    // Its session was told once.
    assert_eq!((&of("Wrong")["state"], &of("Wrong")["repairs"]), (&json!("failed"), &json!(1)));
    let why = of("Wrong")["because"].as_str().unwrap_or_default();
    assert!(why.contains("grep -q right"), "{why}");
    let sessions: std::collections::BTreeSet<String> =
        tasks.iter().filter_map(|task| task["session"].as_str().map(str::to_owned)).collect();
    assert_eq!(sessions.len(), tasks.len(), "a fresh session for each: {run:#}");
    for word in ["Write", "Run", "Limited", "Dies"] {
        assert_ne!(of(word)["tree_before"], of(word)["tree_after"], "{word}");
    }
    assert!(run["usage"]["output_tokens"].as_u64().is_some_and(|tokens| tokens > 0));
    assert_eq!(contents(&repository), before, "the main checkout is as it was");

    // A connection that always breaks ends nothing and ticks nothing: the run waits, and is stopped.
    let broken = world.write("broken.md", "- [ ] Torn [[drop]]\n");
    // Tried once: the programs try again themselves, Droid for half a minute.
    let mut start = vec!["run", &broken, "--agent", "it", "--attempts", "1", "--detach"];
    start.extend(model.iter().flat_map(|model| ["--model", *model]));
    let id = world.ok(&start);
    let limit = Instant::now() + LONG;
    let run = loop {
        let run = world.json(&["run", "show", &id]);
        let state = &run["state"];
        if state["waiting"].is_object() || state["ended"] != Value::Null {
            break run;
        }
        assert!(Instant::now() < limit, "it neither waits nor ends: {run:#}");
        std::thread::sleep(Duration::from_millis(200));
    };
    assert!(text(&broken).contains("- [ ] Torn"), "{run:#}");
    assert_ne!(run["state"], json!({ "ended": "completed" }), "{run:#}");
    if run["state"]["waiting"].is_object() {
        let because = run["state"]["waiting"]["because"].as_str().unwrap_or_default();
        assert!(!because.is_empty(), "{run:#}");
        let _ = world.ok(&["run", "stop", &id]);
        until("it is stopped", || {
            (world.json(&["run", "show", &id])["state"] == json!({ "ended": "stopped" }))
                .then_some(())
        });
    }
    until("no process is left", || world.place.children().is_empty().then_some(()));
}

#[test]
fn claude_code_works_checklists() {
    checklists("claude", None);
}

#[test]
fn codex_works_checklists() {
    checklists("codex", None);
}

#[test]
fn opencode_works_checklists() {
    checklists("opencode", None);
}

#[test]
fn droid_works_checklists() {
    checklists("droid", Some("custom:fake-model"));
}

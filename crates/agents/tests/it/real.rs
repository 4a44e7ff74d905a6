//! The real programs at their pinned versions, against the fake model server, in a network namespace
//! with nothing but loopback. `cargo xtask agents` installs them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use maestro_core::agent::Provider;
use serde_json::Value;

use crate::root;

/// The slowest of them takes ten seconds on an idle machine.
const DEADLINE: Duration = Duration::from_secs(240);

/// One provider with a home folder of its own.
pub(crate) struct Real {
    pub provider: Provider,
    pub home: tempfile::TempDir,
    /// Variables that are another than usual, or not there.
    changed: Vec<(String, Option<String>)>,
    logs: bool,
}

impl Real {
    /// Sets up a home; says loudly why not where the machine lacks something.
    pub fn new(provider: Provider) -> Option<Self> {
        let program = root().join("target/agents/bin").join(provider.name());
        let missing = if !program.exists() {
            Some(format!("{} is not installed (cargo xtask agents)", provider.name()))
        } else if !rustix::process::geteuid().is_root() {
            Some("a network namespace needs root".to_owned())
        } else if let Some(driver) = ["turn", "drive"].map(driver).iter().find(|it| !it.exists()) {
            Some(format!(
                "{} is not built (cargo build -p maestro-agents --examples)",
                driver.display()
            ))
        } else {
            ["unshare", "setpriv", "ip", "python3", "git"]
                .into_iter()
                .find(|tool| !has(tool))
                .map(|tool| format!("there is no `{tool}`"))
        };
        if let Some(missing) = missing {
            eprintln!("SKIPPED: real {}: {missing}", provider.name());
            return None;
        }
        let home = tempfile::tempdir().expect("a folder for the test");
        let template = root().join("tests/fake_model/homes").join(provider.name());
        let copied = Command::new("cp").arg("-rT").arg(template).arg(home.path()).status();
        assert!(copied.is_ok_and(|status| status.success()), "the home is copied");
        let project = home.path().join("project");
        std::fs::create_dir_all(&project).expect("a folder for the test");
        let made = Command::new("git").args(["init", "-q", "-b", "main"]).arg(&project).status();
        assert!(made.is_ok_and(|status| status.success()), "the repository is made");
        std::fs::write(project.join("README.md"), "# demo\n").expect("a file for the test");
        for name in ["turn", "drive"] {
            let copied = std::fs::copy(driver(name), home.path().join(name));
            let _ = copied.expect("the driver is copied");
        }
        Some(Self { provider, home, changed: Vec::new(), logs: false })
    }

    /// Gives a variable another value for the program, or none.
    pub fn set(&mut self, name: &str, value: Option<&str>) {
        self.changed.push((name.to_owned(), value.map(str::to_owned)));
    }

    /// What the model is asked is written to the file `requests` in the home folder.
    pub fn log_requests(&mut self) {
        self.logs = true;
    }

    pub fn project(&self) -> PathBuf {
        self.home.path().join("project")
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("bash");
        let url = "http://127.0.0.1:4010";
        let env: &[String] = &match self.provider {
            Provider::Claude => vec![
                format!("ANTHROPIC_BASE_URL={url}"),
                "ANTHROPIC_API_KEY=sk-ant-fake-key".to_owned(),
                "DISABLE_AUTOUPDATER=1".to_owned(),
                "CLAUDE_CODE_MAX_RETRIES=1".to_owned(),
            ],
            Provider::Codex => vec!["FAKE_API_KEY=sk-fake".to_owned()],
            Provider::OpenCode => {
                vec!["FAKE_API_KEY=sk-fake".to_owned(), "OPENCODE_DISABLE_AUTOUPDATE=1".to_owned()]
            }
            _ => Vec::new(),
        };
        let mut env = env.to_vec();
        for (name, value) in &self.changed {
            env.retain(|variable| !variable.starts_with(&format!("{name}=")));
            env.extend(value.as_ref().map(|value| format!("{name}={value}")));
        }
        if self.logs {
            let _ = command
                .env("FAKE_LOG", self.home.path().join("requests"))
                .env("FAKE_ARGS", "--bodies");
        }
        let _ = command
            .arg(root().join("tests/fake_model/isolated.sh"))
            .arg(root().join("target/agents"))
            .arg(self.home.path())
            .args(env)
            .args(args);
        command
    }

    /// Runs the driver next to the server and gives back what it printed.
    fn drive(&self, args: &[&str], prompt: &str) -> Vec<Value> {
        self.run("/home/user/turn", args, prompt)
    }

    /// Runs one of our programs next to the server and gives back what it printed.
    pub fn run(&self, program: &str, args: &[&str], prompt: &str) -> Vec<Value> {
        let mut words = vec![program];
        words.extend(args);
        if self.provider == Provider::Droid && args[0] == "run" {
            words.extend(["--model", "custom:fake-model"]);
        }
        let input = self.home.path().join("prompt");
        std::fs::write(&input, prompt).expect("the prompt can be written");
        let output = self.home.path().join("output");
        let mut child = self
            .command(&words)
            .stdin(std::fs::File::open(&input).expect("it was just written"))
            .stdout(std::fs::File::create(&output).expect("the output can be written"))
            .stderr(Stdio::inherit())
            .spawn()
            .expect("bash can be started");
        let end = Instant::now() + DEADLINE;
        while child.try_wait().expect("it is our child").is_none() {
            if Instant::now() > end {
                let _ = child.kill();
                panic!("{} {args:?} did not end: {}", self.provider, text(&output));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        text(&output).lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Runs one turn and gives back its events and its outcome.
    fn turn(&self, args: &[&str], prompt: &str) -> (Vec<Value>, Value) {
        let words: Vec<&str> =
            ["run", self.provider.name()].into_iter().chain(args.iter().copied()).collect();
        let mut lines = self.drive(&words, prompt);
        let last = lines.pop().expect("the driver prints the outcome");
        assert_eq!(last["left"], 0, "{} leaves processes behind", self.provider);
        (lines, last["outcome"].clone())
    }
}

fn driver(name: &str) -> PathBuf {
    let exe = std::env::current_exe().expect("we have a file");
    exe.parent().and_then(Path::parent).expect("it is in deps").join("examples").join(name)
}

fn has(tool: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| {
        std::env::split_paths(&path).chain(["/usr/sbin".into()]).any(|dir| dir.join(tool).exists())
    })
}

pub(crate) fn text(path: &Path) -> String {
    std::fs::read(path)
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default()
}

fn edits_a_file_and_resumes(provider: Provider, version: &str) {
    let Some(real) = Real::new(provider) else { return };
    let found = real.drive(&["detect", provider.name()], "");
    assert_eq!(found[0]["version"], version, "{found:?}");

    let (events, outcome) = real.turn(&[], "[[write notes.txt one\\ntwo]] [[text It is written.]]");
    assert_eq!(outcome["result"], serde_json::json!({ "Ok": null }), "{outcome} {events:#?}");
    assert_eq!(outcome["text"], "It is written.");
    assert_eq!(text(&real.project().join("notes.txt")).trim_end(), "one\ntwo");
    assert!(outcome["usage"]["input_tokens"].as_u64() > Some(0), "{outcome}");
    let raw: Vec<&Value> = events.iter().filter(|line| line["event"]["Raw"].is_string()).collect();
    assert!(raw.is_empty(), "not understood: {raw:#?}");

    let session = outcome["session"].as_str().expect("the session is told").to_owned();
    let latest = real.drive(&["latest", provider.name()], "");
    assert_eq!(latest[0]["session"], session.as_str());
    if provider == Provider::Droid {
        // Going on with a session asks the vendor's service, which is not there.
        return;
    }
    let (_, again) = real.turn(&["--resume", &session], "[[text And again.]]");
    assert_eq!(again["result"], serde_json::json!({ "Ok": null }), "{again}");
    assert_eq!(again["session"], session.as_str());
    assert_eq!(again["text"], "And again.");
    // One short answer, not the whole session's total.
    let (first, second) = (&outcome["usage"]["output_tokens"], &again["usage"]["output_tokens"]);
    assert!(second.as_u64() < first.as_u64(), "{first} {second}");
}

#[test]
fn claude_code_edits_a_file_and_resumes() {
    edits_a_file_and_resumes(Provider::Claude, "2.1.197");
}

#[test]
fn codex_edits_a_file_and_resumes() {
    edits_a_file_and_resumes(Provider::Codex, "0.169.0");
}

#[test]
fn opencode_edits_a_file_and_resumes() {
    edits_a_file_and_resumes(Provider::OpenCode, "1.18.33");
}

#[test]
fn droid_edits_a_file() {
    edits_a_file_and_resumes(Provider::Droid, "0.225.2");
}

fn fails(provider: Provider, args: &[&str], prompt: &str, kind: &str) {
    let Some(real) = Real::new(provider) else { return };
    let (_, outcome) = real.turn(args, prompt);
    let told = &outcome["result"]["Err"]["kind"];
    let name = told.as_str().or_else(|| told.as_object()?.keys().next().map(String::as_str));
    assert_eq!(name, Some(kind), "{outcome}");
}

#[test]
fn claude_code_tells_a_limit() {
    fails(Provider::Claude, &[], "[[error 429]]", "limit");
}

#[test]
fn codex_tells_a_limit() {
    fails(Provider::Codex, &[], "[[error 429]]", "limit");
}

#[test]
fn opencode_tells_a_limit() {
    fails(Provider::OpenCode, &[], "[[error 429]]", "limit");
}

#[test]
fn droid_tells_a_refused_key() {
    fails(Provider::Droid, &[], "[[error 401]]", "auth");
}

#[test]
fn claude_code_with_a_cut_connection_is_no_success() {
    fails(Provider::Claude, &[], "[[text The beginning of an answer]] [[drop]]", "torn");
}

#[test]
fn sessions_that_do_not_exist_are_told() {
    let nobody = "00000000-0000-4000-8000-000000000000";
    fails(Provider::Claude, &["--resume", nobody], "hi", "session_missing");
    fails(Provider::Codex, &["--resume", nobody], "hi", "session_missing");
    fails(Provider::OpenCode, &["--resume", "ses_nonexistent"], "hi", "session_missing");
}

#[test]
fn a_turn_in_the_middle_of_an_answer_can_be_stopped() {
    for provider in [Provider::Claude, Provider::Codex, Provider::OpenCode, Provider::Droid] {
        fails(
            provider,
            &["--cancel", "6"],
            "[[slow 200]] [[text A long slow answer.]]",
            "interrupted",
        );
    }
}

/// Starts the provider's own interface in a terminal and waits until it has drawn `words`.
fn draws(provider: Provider, words: &str) {
    let Some(real) = Real::new(provider) else { return };
    if !has("script") {
        eprintln!("SKIPPED: there is no `script`");
        return;
    }
    let typescript = real.home.path().join("screen");
    std::fs::write(&typescript, "").expect("a file for the test");
    let line = format!("stty cols 120 rows 40; exec /home/user/turn tui {}", provider.name());
    let mut child = real
        .command(&["script", "-q", "-f", "-e", "-c", &line, "/home/user/screen"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .spawn()
        .expect("bash can be started");
    let end = Instant::now() + DEADLINE;
    let drawn = loop {
        if text(&typescript).contains(words) {
            break true;
        }
        if Instant::now() > end || child.try_wait().expect("it is our child").is_some() {
            break text(&typescript).contains(words);
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    let _ = child.kill();
    let _ = child.wait();
    assert!(drawn, "{provider} did not draw {words:?}: {}", text(&typescript).escape_debug());
}

#[test]
fn claude_code_draws_its_interface() {
    draws(Provider::Claude, "Claude");
}

#[test]
fn codex_draws_its_interface() {
    draws(Provider::Codex, "OpenAI Codex");
}

#[test]
fn opencode_draws_its_interface() {
    draws(Provider::OpenCode, "Ask anything");
}

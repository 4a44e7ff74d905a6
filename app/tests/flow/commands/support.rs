//! A stage for one test: its own home folders, its own repositories, its own host; nothing of the user
//! who runs the tests is read, and nothing is left behind.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// What anything may take at most; only a test that fails comes near it.
pub const LONG: Duration = Duration::from_secs(60);

pub struct Stage {
    folder: tempfile::TempDir,
}

/// What a command came to.
#[derive(Debug)]
pub struct Came {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Stage {
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("maestro-flow-").tempdir().expect("a folder");
        std::fs::create_dir_all(folder.path().join("user")).expect("a folder");
        Self { folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn home(&self) -> PathBuf {
        self.path("maestro")
    }

    /// The home of the user whom the test plays.
    pub fn user(&self) -> PathBuf {
        self.path("user")
    }

    /// A command with nothing in its environment but what the test says.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        let _ = command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.user())
            .env("SHELL", "/bin/sh")
            .env("USER", "tester")
            .env("LANG", "C.UTF-8")
            .env("TMPDIR", std::env::temp_dir())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("MAESTRO_HOME", self.home())
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command
    }

    pub fn maestro(&self, args: &[&str]) -> Command {
        let mut command = self.command(env!("CARGO_BIN_EXE_maestro"));
        let _ = command.args(args);
        command
    }

    /// Runs a command of ours to its end.
    pub fn run(&self, args: &[&str]) -> Came {
        finish(self.maestro(args))
    }

    /// Runs a command of ours that has to succeed, and gives what it printed.
    pub fn ok(&self, args: &[&str]) -> String {
        let came = self.run(args);
        assert_eq!(came.code, 0, "maestro {}: {came:?}", args.join(" "));
        came.out.trim_end().to_owned()
    }

    /// The same with `--json`.
    pub fn json(&self, args: &[&str]) -> Value {
        let text = self.ok(&[args, &["--json"]].concat());
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// Runs a command of ours that has to fail with an exit code and one sentence.
    pub fn refused(&self, code: i32, args: &[&str]) -> String {
        let came = self.run(args);
        assert_eq!(came.code, code, "maestro {}: {came:?}", args.join(" "));
        let sentence = came.err.trim_end().to_owned();
        assert!(sentence.starts_with("maestro: "), "{sentence}");
        assert!(!sentence.contains('\n'), "more than one line: {sentence}");
        sentence
    }

    pub fn git(&self, directory: &Path, args: &[&str]) -> String {
        let mut command = self.command("git");
        let _ = command.arg("-C").arg(directory).args(args);
        let came = finish(command);
        assert_eq!(came.code, 0, "git {}: {came:?}", args.join(" "));
        came.out.trim_end().to_owned()
    }

    /// A repository with one commit.
    pub fn repository(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(&path).expect("a folder");
        let _ = self.git(&path, &["init", "--quiet", "--initial-branch=main"]);
        for (key, value) in [("user.name", "Tester"), ("user.email", "tester@example.invalid")] {
            let _ = self.git(&path, &["config", key, value]);
        }
        std::fs::write(path.join("README.md"), "# Test\n").expect("written");
        let _ = self.git(&path, &["add", "--all"]);
        let _ = self.git(&path, &["commit", "--quiet", "--message=Begin"]);
        path
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).expect("written");
        path
    }

    /// What a terminal shows.
    pub fn screen(&self, terminal: &str) -> String {
        self.ok(&["terminal", "show", terminal])
    }

    /// Waits until a terminal shows something.
    pub fn shows(&self, terminal: &str, wanted: &str) {
        let mut last = String::new();
        let shown = eventually(|| {
            last = self.screen(terminal);
            last.contains(wanted)
        });
        assert!(shown, "`{wanted}` never showed in {terminal}:\n{last}\n{}", self.log());
    }

    /// The end of the host's log, for a test that fails.
    pub fn log(&self) -> String {
        let text = std::fs::read(self.home().join("host.log")).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }

    /// Processes that some host of this stage started, by the marker in their environment, with the
    /// marker's value.
    pub fn marked(&self) -> Vec<(u32, String)> {
        let user = format!("HOME={}", self.user().display());
        let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        processes
            .filter_map(|entry| {
                let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
                // Another user's process, or one that is gone by now.
                let environ = std::fs::read(entry.path().join("environ")).ok()?;
                let variables: Vec<&[u8]> = environ.split(|byte| *byte == 0).collect();
                let ours = variables.contains(&user.as_bytes());
                let marker =
                    variables.iter().find_map(|entry| entry.strip_prefix(b"MAESTRO_HOST="))?;
                ours.then(|| (pid, String::from_utf8_lossy(marker).into_owned()))
            })
            .collect()
    }

    pub fn host_pid(&self) -> Option<u32> {
        let came = self.run(&["host", "status", "--json"]);
        let status: Value = serde_json::from_str(&came.out).ok()?;
        u32::try_from(status["pid"].as_u64()?).ok()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if self.home().exists() {
            let _ = finish(self.maestro(&["host", "stop"]));
        }
        for (pid, _) in self.marked() {
            let _ = Command::new("kill").args(["-KILL", &pid.to_string()]).status();
        }
    }
}

/// Runs a command to its end, within a bound.
pub fn finish(mut command: Command) -> Came {
    let shown = format!("{command:?}");
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{shown}: {error}"));
    let read = |mut from: Box<dyn std::io::Read + Send>| {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = from.read_to_end(&mut bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        })
    };
    let out = read(Box::new(child.stdout.take().expect("piped")));
    let err = read(Box::new(child.stderr.take().expect("piped")));
    let code = wait(&mut child, LONG * 3).unwrap_or_else(|| panic!("{shown} did not end"));
    Came { code, out: out.join().expect("read"), err: err.join().expect("read") }
}

/// Waits for a child's end; kills it when it takes too long.
pub fn wait(child: &mut Child, limit: Duration) -> Option<i32> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait().expect("a child of ours") {
            return Some(status.code().unwrap_or(-1));
        }
        if Instant::now() > deadline {
            let _ = child.kill();
            let _ = child.wait();
            return None;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Whether something comes true within [`LONG`].
pub fn eventually(mut holds: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + LONG;
    loop {
        if holds() {
            return true;
        }
        if Instant::now() > deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

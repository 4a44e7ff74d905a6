//! A place of its own for one test: a user's folder, Maestro's folder, repositories, and the program.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use maestro_protocol::Home;
use serde_json::Value;

/// How long anything may take before a test gives up. Far more than it needs.
pub const DEADLINE: Duration = Duration::from_secs(90);

/// The program under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_maestro");

/// What ends everything of a place and removes its folder once nobody holds its standard input any
/// more, which is so when the test ends in whatever way. `$0` is the folder.
const GUARD: &str = r#"
    read -r _
    for _ in 1 2 3 4 5; do
        left=$(grep -slzxF "HOME=$0/user" /proc/[0-9]*/environ | tr -dc '0-9\n')
        [ -n "$left" ] || break
        kill -KILL $left
    done 2>/dev/null
    grep -so " $0/[^ ]*" /proc/self/mounts | while read -r disk; do umount -l "$disk"; done
    rm -rf --one-file-system "$0"
"#;

/// Where things are, and how the program is started there. Whatever was started is ended when it is
/// dropped, and when the test's process is killed.
pub struct Place {
    /// Ends with us, and what is ours with it.
    guard: Child,
    /// Small disks of its own.
    disks: Vec<PathBuf>,
    root: tempfile::TempDir,
    /// What every command line begins with: enters a namespace, for tests that need one.
    prefix: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    home: PathBuf,
}

/// How a program ended.
#[derive(Debug)]
pub struct Ended {
    pub line: String,
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Place {
    pub fn new() -> Self {
        let root = tempfile::Builder::new().prefix("flow-").tempdir().expect("a folder");
        // Where the namespaces of other users lead, too.
        fs::set_permissions(root.path(), fs::Permissions::from_mode(0o755)).expect("opened");
        let home = root.path().join("maestro");
        let guard = Command::new("sh")
            .args(["-c", GUARD])
            .arg(root.path())
            .env_clear()
            .env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin")
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Out of the group of processes that a runner kills.
            .process_group(0)
            .spawn()
            .expect("a shell starts");
        let (prefix, env, disks) = (Vec::new(), Vec::new(), Vec::new());
        let place = Self { guard, disks, root, prefix, env, home };
        fs::create_dir(place.user()).expect("a folder");
        fs::create_dir(place.path("tmp")).expect("a folder");
        fs::set_permissions(place.path("tmp"), fs::Permissions::from_mode(0o1777)).expect("opened");
        let git =
            "[user]\n\tname = Test\n\temail = test@example.org\n[init]\n\tdefaultBranch = main\n";
        fs::write(place.user().join(".gitconfig"), git).expect("written");
        place.profile("/usr/local/bin:/usr/bin:/bin", &[]);
        place
    }

    /// What the login shell sets up: the environment of agents and terminals comes from there.
    pub fn profile(&self, path: &str, variables: &[(&str, &str)]) {
        let mut text = format!("export PATH='{path}'\n");
        for (name, value) in variables {
            text.push_str(&format!("export {name}='{value}'\n"));
        }
        fs::write(self.user().join(".profile"), text).expect("written");
    }

    /// Starts everything behind this command line.
    pub fn enter(&mut self, prefix: Vec<OsString>) {
        self.prefix = prefix;
    }

    /// Sets a variable for the programs that are started directly.
    pub fn set(&mut self, name: &str, value: impl Into<OsString>) {
        self.env.push((name.into(), value.into()));
    }

    pub fn root(&self) -> &Path {
        self.root.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    /// The user's home folder.
    pub fn user(&self) -> PathBuf {
        self.path("user")
    }

    /// Maestro's folder.
    pub fn home(&self) -> Home {
        Home::at(&self.home).expect("absolute")
    }

    /// Moves Maestro's folder.
    pub fn lives_at(&mut self, home: PathBuf) {
        self.home = home;
    }

    /// Any program, with this place's environment and nothing else.
    pub fn program(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = match self.prefix.split_first() {
            Some((first, rest)) => {
                let mut command = Command::new(first);
                let _ = command.args(rest).arg(program);
                command
            }
            None => Command::new(program),
        };
        let _ = command
            .env_clear()
            .envs(self.environment())
            .current_dir(self.user())
            .stdin(Stdio::null());
        command
    }

    fn environment(&self) -> Vec<(OsString, OsString)> {
        let mut env: Vec<(OsString, OsString)> = vec![
            ("HOME".into(), self.user().into()),
            ("MAESTRO_HOME".into(), self.home().root().into()),
            ("PATH".into(), "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin".into()),
            ("SHELL".into(), "/bin/sh".into()),
            ("USER".into(), "user".into()),
            ("LANG".into(), "C.UTF-8".into()),
            ("TMPDIR".into(), self.path("tmp").into()),
            ("GIT_CONFIG_NOSYSTEM".into(), "1".into()),
            ("RUST_BACKTRACE".into(), "1".into()),
        ];
        env.extend(self.env.iter().cloned());
        env
    }

    /// The program under test.
    pub fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = self.program(PROGRAM);
        let _ = command.args(args);
        command
    }

    /// Runs the program under test to its end.
    pub fn run(&self, args: &[&str]) -> Ended {
        end(self.command(args), b"")
    }

    /// The same where it has to succeed; gives its output without the last line break.
    #[track_caller]
    pub fn ok(&self, args: &[&str]) -> String {
        self.run(args).ok()
    }

    /// The same for output in JSON.
    #[track_caller]
    pub fn json(&self, args: &[&str]) -> Value {
        let ended = self.run(&[&["--json"], args].concat());
        let text = ended.ok();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{args:?}: {error}: {text}"))
    }

    /// The same where it has to fail: with this code, and one sentence on stderr that has these words.
    #[track_caller]
    pub fn fails(&self, code: i32, words: &[&str], args: &[&str]) -> String {
        self.run(args).fails(code, words)
    }

    /// A repository with one commit.
    pub fn repository(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(&path).expect("a folder");
        let _ = self.git(&path, &["init", "-q", "-b", "main"]);
        fs::write(path.join("README.md"), "# A project\n").expect("written");
        let _ = self.git(&path, &["add", "."]);
        let _ = self.git(&path, &["commit", "-qm", "Begin"]);
        path
    }

    #[track_caller]
    pub fn git(&self, directory: &Path, args: &[&str]) -> String {
        let mut git = self.program("git");
        let _ = git.arg("-C").arg(directory).args(args);
        end(git, b"").ok()
    }

    /// A checklist beside the repositories.
    pub fn document(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        fs::write(&path, text).expect("written");
        path.display().to_string()
    }

    /// A disk of a few megabytes, gone with the place. Nothing, said loudly, where none can be mounted.
    pub fn disk(&mut self, name: &str, megabytes: u32) -> Option<PathBuf> {
        let path = self.path(name);
        fs::create_dir(&path).expect("a folder");
        let size = format!("size={megabytes}m");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(&path).output();
        if !mounted.is_ok_and(|output| output.status.success()) {
            eprintln!("SKIPPED: a full disk: mounting a small one needs root");
            return None;
        }
        self.disks.push(path.clone());
        Some(path)
    }

    pub fn read(&self, path: impl AsRef<Path>) -> String {
        let path = self.root().join(path);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// An executable script.
    pub fn script(&self, path: &str, text: &str) -> PathBuf {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(&path, text).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("executable");
        path
    }

    /// The host's process while it lives.
    pub fn host(&self) -> Option<i32> {
        self.home().lock_holder().and_then(|pid| i32::try_from(pid).ok())
    }

    /// The host's process where there has to be one.
    #[track_caller]
    pub fn running_host(&self) -> i32 {
        self.host().unwrap_or_else(|| panic!("no host runs\n{}", self.log()))
    }

    /// Kills the host without a word and waits until it is gone.
    pub fn kill_host(&self) {
        if let Some(pid) = self.host() {
            kill(pid);
            until("the killed host is gone", || (self.host() != Some(pid)).then_some(()));
        }
    }

    /// Every process that belongs to this place by its environment, the host and programs that were
    /// started directly included: id and command line.
    pub fn processes(&self) -> Vec<(i32, String)> {
        let home = format!("HOME={}", self.user().display());
        self.processes_with(home.as_bytes())
    }

    /// Every process that a host of this place started, however far down.
    pub fn children(&self) -> Vec<(i32, String)> {
        let mut all = self.processes();
        all.retain(|(pid, _)| {
            variables(*pid).iter().any(|variable| variable.starts_with(b"MAESTRO_HOST="))
        });
        all
    }

    fn processes_with(&self, variable: &[u8]) -> Vec<(i32, String)> {
        let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
        entries
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
            .filter(|pid| variables(*pid).iter().any(|found| found == variable))
            .map(|pid| {
                let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
                (pid, String::from_utf8_lossy(&line).replace('\0', " "))
            })
            .collect()
    }

    /// The text of a terminal, or nothing while there is none.
    pub fn screen(&self, terminal: &str) -> String {
        self.run(&["terminal", "show", terminal]).stdout
    }

    /// Waits until a terminal's screen shows something.
    #[track_caller]
    pub fn shows(&self, terminal: &str, text: &str) -> String {
        let mut last = String::new();
        let end = Instant::now() + DEADLINE;
        while Instant::now() < end {
            last = self.screen(terminal);
            if last.contains(text) {
                return last;
            }
            std::thread::sleep(Duration::from_millis(30));
        }
        panic!("{terminal} never shows {text:?}; it shows:\n{last}\n{}", self.log());
    }

    /// The end of the host's log, for the message of a test that fails.
    pub fn log(&self) -> String {
        let log = fs::read_to_string(self.home().log()).unwrap_or_default();
        let said = fs::read_to_string(self.home().stderr()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let end = lines[lines.len().saturating_sub(40)..].join("\n");
        format!("--- the host's log:\n{end}\n--- its stderr:\n{said}")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.log());
        }
        if self.host().is_some() {
            let mut stop = self.command(["host", "stop"]);
            if let Ok(mut child) = stop.stdout(Stdio::null()).stderr(Stdio::null()).spawn() {
                let end = Instant::now() + Duration::from_secs(30);
                while Instant::now() < end && matches!(child.try_wait(), Ok(None)) {
                    std::thread::sleep(Duration::from_millis(20));
                }
                let _ = child.kill();
                let _ = child.wait();
            }
        }
        // Whatever is left after that is no business of the machine's next test.
        for (pid, _) in self.processes() {
            kill(pid);
        }
        for disk in &self.disks {
            let _ = Command::new("umount").arg("-l").arg(disk).output();
        }
        // Nothing is left for it to do.
        let _ = self.guard.kill();
        let _ = self.guard.wait();
    }
}

impl Ended {
    #[track_caller]
    pub fn ok(&self) -> String {
        assert!(self.code == Some(0), "{self}");
        self.stdout.strip_suffix('\n').unwrap_or(&self.stdout).to_owned()
    }

    /// What it printed, where every line is JSON.
    #[track_caller]
    pub fn events(&self) -> Vec<Value> {
        let line =
            |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {self}"));
        self.stdout.lines().map(line).collect()
    }

    /// That it failed with this code and one sentence that has these words; gives the sentence.
    #[track_caller]
    pub fn fails(&self, code: i32, words: &[&str]) -> String {
        assert_eq!(self.code, Some(code), "{self}");
        let sentence = self.stderr.trim_end();
        assert!(sentence.starts_with("maestro: "), "{self}");
        assert_eq!(sentence.lines().count(), 1, "{self}");
        for word in words {
            assert!(sentence.contains(word), "no {word:?}: {self}");
        }
        sentence.to_owned()
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { line, code, stdout, stderr } = self;
        write!(f, "{line}\nexit code {code:?}\n--- stdout\n{stdout}\n--- stderr\n{stderr}")
    }
}

/// Runs a program to its end with this on its standard input. One that does not end is killed, and
/// the test with it.
#[track_caller]
pub fn end(mut command: Command, input: &[u8]) -> Ended {
    let line = format!("{command:?}");
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{line}: {error}"));
    let mut stdin = child.stdin.take().expect("piped");
    // It may have ended without reading all of it.
    let _ = stdin.write_all(input);
    drop(stdin);
    let stdout = collect(child.stdout.take().expect("piped"));
    let stderr = collect(child.stderr.take().expect("piped"));
    let code = wait(&mut child, DEADLINE);
    let text = |from: mpsc::Receiver<Vec<u8>>| {
        let bytes = from.recv_timeout(Duration::from_secs(10)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let ended = Ended { line, code, stdout: text(stdout), stderr: text(stderr) };
    assert!(ended.code.is_some(), "it did not end: {ended}");
    ended
}

/// Reads to the end on a thread: something that was left running may hold the pipe open.
pub fn collect(mut from: impl Read + Send + 'static) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    let _ = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = from.read_to_end(&mut bytes);
        let _ = sender.send(bytes);
    });
    receiver
}

/// Waits for a child; kills it when it takes too long. A signal gives 128 and more, as in a shell.
pub fn wait(child: &mut Child, within: Duration) -> Option<i32> {
    use std::os::unix::process::ExitStatusExt;
    let end = Instant::now() + within;
    while Instant::now() < end {
        if let Ok(Some(status)) = child.try_wait() {
            return status.code().or_else(|| status.signal().map(|signal| 128 + signal));
        }
        std::thread::sleep(Duration::from_millis(3));
    }
    let _ = child.kill();
    let _ = child.wait();
    None
}

/// Waits until something is there.
#[track_caller]
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + DEADLINE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "too late: {what}");
        std::thread::sleep(Duration::from_millis(15));
    }
}

/// Sends what Ctrl+C sends.
pub fn interrupt(pid: u32) {
    let status = Command::new("kill").args(["-INT", &pid.to_string()]).status();
    assert!(status.is_ok_and(|status| status.success()), "{pid} was not there");
}

/// SIGKILL.
pub fn kill(pid: i32) {
    if let Some(pid) = rustix::process::Pid::from_raw(pid) {
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
    }
}

/// Whether a process lives; one that only waits to be reaped does not.
pub fn lives(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

fn variables(pid: i32) -> Vec<Vec<u8>> {
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    environment.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect()
}

#[test]
fn a_place_whose_test_is_killed_is_cleared() {
    let mut place = Place::new();
    let stubborn = "trap '' HUP TERM; while :; do sleep 1; done";
    let _ = place.ok(&["terminal", "new", "--", "sh", "-c", stubborn]);
    let root = place.root().to_owned();
    assert!(!place.children().is_empty());
    // What the kernel does for a process that is killed.
    drop(place.guard.stdin.take());
    until("everything is ended", || place.processes().is_empty().then_some(()));
    until("its folder is gone", || (!root.exists()).then_some(()));
}

//! Runs git: argument vectors, a cleaned environment, its own process group, bounded time and output.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::error::Error;
use crate::{Git, Result};

/// The oldest git that works at all.
const OLDEST: Version = Version { major: 2, minor: 31 };

/// How long git may clean up after SIGTERM before it is killed.
const GRACE: Duration = Duration::from_secs(3);

/// How long output is waited for after git itself ended: a hook may have left a process behind that
/// holds the pipe.
const TRAILING: Duration = Duration::from_millis(500);

/// How often it is looked whether a process is to be ended.
const STOP_LOOK: Duration = Duration::from_millis(100);

/// What is kept of stderr.
const STDERR: usize = 16 << 10;

/// What is shown of stderr.
const SHOWN: usize = 600;

/// Bounds for every git process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest time for a process that only reads.
    pub read: Duration,
    /// Longest time for one that writes: hooks and filters run in it, and large checkouts.
    pub write: Duration,
    /// Most bytes read from stdout.
    pub output: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            read: Duration::from_secs(30),
            write: Duration::from_secs(10 * 60),
            output: 32 << 20,
        }
    }
}

/// A version of git, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// 2 in `2.47.3`.
    pub major: u32,
    /// 47 in `2.47.3`.
    pub minor: u32,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// What a process may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// It only looks: takes no locks a user could notice, runs no code of the repository's.
    Read,
    /// It changes the repository as the user would, hooks included.
    Write,
    /// It changes what is Maestro's own (private references) or puts files back: runs no hook, and may
    /// take as long as a write.
    Own,
}

/// One call of git, built up and then run.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    git: &'a Git,
    directory: PathBuf,
    access: Access,
    /// Shown in errors.
    name: &'static str,
    options: Vec<OsString>,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    stdin: Vec<u8>,
    /// Most bytes of stdout that are wanted; more is left out without being an error.
    enough: Option<usize>,
    /// Whether programs that the repository names are kept from running (see [`crate::programs`]).
    is_guarded: bool,
    /// The longest time, where it is another than the usual one.
    within: Option<Duration>,
    /// Ended as soon as this is set.
    stop: Option<Arc<AtomicBool>>,
}

/// How git ended and what it said.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    /// Whether there was more than [`Call::enough`].
    pub(crate) cut: bool,
    stderr: Vec<u8>,
    name: &'static str,
}

impl Output {
    pub(crate) fn failed(&self) -> Error {
        Error::Git { command: self.name.into(), code: self.code, message: self.message() }
    }

    /// The stdout of a process that had to succeed.
    pub(crate) fn success(self) -> Result<Vec<u8>> {
        if self.code == Some(0) { Ok(self.stdout) } else { Err(self.failed()) }
    }

    /// What it printed on stderr, line by line, without anything a terminal would obey.
    pub(crate) fn words(&self) -> String {
        let text = String::from_utf8_lossy(&self.stderr);
        let lines = text.lines().map(|line| {
            line.chars().filter(|c| *c == '\t' || (!c.is_control() && !is_bidi(*c))).collect()
        });
        let lines: Vec<String> = lines.collect();
        lines.join("\n").trim().to_owned()
    }

    /// What it printed on stderr, fit to be shown.
    pub(crate) fn message(&self) -> String {
        shown(&self.stderr, self.code)
    }
}

impl Git {
    /// A call that only looks.
    pub(crate) fn reading(&self, directory: &Path, name: &'static str) -> Call<'_> {
        Call::new(self, directory, Access::Read, name)
    }

    /// A call that changes the repository.
    pub(crate) fn writing(&self, directory: &Path, name: &'static str) -> Call<'_> {
        Call::new(self, directory, Access::Write, name)
    }

    /// A call that changes what is Maestro's own, or puts files back.
    pub(crate) fn owning(&self, directory: &Path, name: &'static str) -> Call<'_> {
        Call::new(self, directory, Access::Own, name)
    }

    /// Refuses when git is older than `needed`.
    pub(crate) fn needs(&self, needed: Version, feature: &'static str) -> Result<()> {
        let found = self.version()?;
        if found < needed {
            return Err(Error::GitTooOld { found, needed, feature });
        }
        Ok(())
    }
}

impl<'a> Call<'a> {
    fn new(git: &'a Git, directory: &Path, access: Access, name: &'static str) -> Self {
        Self {
            git,
            directory: directory.to_owned(),
            access,
            name,
            options: Vec::new(),
            arguments: vec![name.into()],
            environment: Vec::new(),
            stdin: Vec::new(),
            enough: None,
            // Asking for the configuration itself runs nothing.
            is_guarded: access != Access::Write && !matches!(name, "config" | "version"),
            within: None,
            stop: None,
        }
    }

    /// Does what the user asked for: filters of the repository run, as for the user's own git.
    pub(crate) fn unguarded(mut self) -> Self {
        self.is_guarded = false;
        self
    }

    /// Runs another subcommand, as one that needs no guard.
    pub(crate) fn instead(mut self, name: &str) -> Self {
        self.arguments = vec![name.into()];
        self
    }

    /// Takes only so many bytes of the answer; what is more is left out.
    pub(crate) fn enough(mut self, bytes: usize) -> Self {
        self.enough = Some(bytes);
        self
    }

    /// Gives it this long instead of the usual time.
    pub(crate) fn within(mut self, time: Duration) -> Self {
        self.within = Some(time);
        self
    }

    /// Ends it as soon as this is set: [`Error::Stopped`].
    pub(crate) fn until(mut self, stop: &Arc<AtomicBool>) -> Self {
        self.stop = Some(Arc::clone(stop));
        self
    }

    /// Sets a configuration value for this call.
    pub(crate) fn config(mut self, value: &str) -> Self {
        self.options.extend(["-c".into(), value.into()]);
        self
    }

    pub(crate) fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    pub(crate) fn args<'s>(mut self, arguments: impl IntoIterator<Item = &'s str>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Names of files as git has them. Left out are those that this system cannot have.
    pub(crate) fn names(mut self, names: &[maestro_core::changes::Name]) -> Self {
        self.arguments
            .extend(names.iter().filter_map(maestro_core::changes::Name::to_path).map(Into::into));
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.environment.push((name.into(), value.as_ref().to_owned()));
        self
    }

    pub(crate) fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// Runs git and gives its stdout; anything but exit code 0 is an error.
    pub(crate) fn output(self) -> Result<Vec<u8>> {
        self.run()?.success()
    }

    /// The subcommand.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// Starts git, with pipes for all it says.
    pub(crate) fn spawn(&self) -> Result<Child> {
        self.command()?.spawn().map_err(|source| self.not_started(source))
    }

    /// Runs git; the caller judges the exit code.
    pub(crate) fn run(self) -> Result<Output> {
        // Before a place at the gate is taken: it may have to ask git for the configuration, and two that
        // hold places and wait for further ones would wait for ever.
        let mut command = self.command()?;
        let _slot = (self.access == Access::Read).then(|| self.git.shared.readers.enter());
        let limits = self.git.shared.limits;
        let after = match self.access {
            Access::Read => limits.read,
            Access::Write | Access::Own => limits.write,
        };
        let after = self.within.unwrap_or(after);
        let (name, stdin) = (self.name, self.stdin.clone());
        let child = command.spawn().map_err(|source| self.not_started(source))?;
        exchange(
            child,
            stdin,
            name,
            after,
            self.enough.unwrap_or(limits.output),
            self.enough.is_some(),
            self.stop.as_deref(),
        )
    }

    fn command(&self) -> Result<Command> {
        let program = program(&self.git.shared.environment).ok_or(Error::GitMissing)?;
        let mut command = Command::new(program);
        let _ = command
            .env_clear()
            .envs(self.git.shared.environment.iter().map(|(name, value)| (name, value)))
            .env("LC_ALL", "C")
            .env("GIT_TERMINAL_PROMPT", "0")
            // Nobody is there to answer an editor.
            .env("GIT_EDITOR", ":")
            .args(["-c", "core.quotepath=off", "-c", "advice.addEmbeddedRepo=false"])
            .current_dir(&self.directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if self.access != Access::Write {
            // What only looks must neither disturb the user's own git nor run the repository's code.
            let null = if cfg!(windows) { "NUL" } else { "/dev/null" };
            let _ = command.env("GIT_OPTIONAL_LOCKS", "0").args([
                "-c",
                &format!("core.hooksPath={null}"),
                "-c",
                "core.fsmonitor=false",
            ]);
            if self.is_guarded {
                let guard = self.git.guard(&self.directory)?;
                let count = guard.settings.len();
                for (number, (key, value)) in guard.settings.into_iter().enumerate() {
                    let _ = command
                        .env(format!("GIT_CONFIG_KEY_{number}"), key)
                        .env(format!("GIT_CONFIG_VALUE_{number}"), value);
                }
                if count > 0 {
                    let _ = command.env("GIT_CONFIG_COUNT", count.to_string());
                }
                if guard.is_offline {
                    let _ = command.env("GIT_ALLOW_PROTOCOL", "none").env("GIT_NO_LAZY_FETCH", "1");
                }
            }
        }
        let _ = command
            .args(&self.options)
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        #[cfg(unix)]
        {
            use std::os::unix::process::CommandExt as _;
            let _ = command.process_group(0);
        }
        Ok(command)
    }

    /// The operating system names neither the program nor the directory it did not find.
    fn not_started(&self, source: io::Error) -> Error {
        match std::fs::read_dir(&self.directory) {
            Err(source) => {
                Error::NoDirectory { path: self.directory.clone(), source: Arc::new(source) }
            }
            Ok(_) => Error::Process { command: self.name.into(), source: Arc::new(source) },
        }
    }
}

/// Which git it is, refusing one that is too old for anything.
pub(crate) fn version(git: &Git) -> Result<Version> {
    let text = git.reading(&std::env::temp_dir(), "version").output()?;
    let text = String::from_utf8_lossy(&text);
    let found = parse_version(&text).ok_or_else(|| Error::Git {
        command: "version".into(),
        code: Some(0),
        message: format!("it does not tell its version: {}", shown(text.as_bytes(), Some(0))),
    })?;
    if found < OLDEST {
        return Err(Error::GitTooOld { found, needed: OLDEST, feature: "Maestro" });
    }
    Ok(found)
}

/// Reads `git version 2.47.3`, `git version 2.39.5 (Apple Git-154)`.
fn parse_version(text: &str) -> Option<Version> {
    let mut numbers = text.strip_prefix("git version ")?.trim().split('.');
    let major = numbers.next()?.parse().ok()?;
    let minor: String = numbers.next()?.chars().take_while(char::is_ascii_digit).collect();
    Some(Version { major, minor: minor.parse().ok()? })
}

/// The environment without what would point git at another repository, index, configuration or
/// way of reading arguments, and without traces mixed into its output.
pub(crate) fn cleaned(
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Vec<(OsString, OsString)> {
    const DROPPED: &[&str] = &[
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_ATTR_SOURCE",
        "GIT_COMMON_DIR",
        "GIT_CONFIG",
        "GIT_CONFIG_COUNT",
        "GIT_CONFIG_PARAMETERS",
        "GIT_DEFAULT_HASH",
        "GIT_DIR",
        "GIT_EXEC_PATH",
        "GIT_EXTERNAL_DIFF",
        "GIT_DIFF_OPTS",
        "GIT_GLOB_PATHSPECS",
        "GIT_GRAFT_FILE",
        "GIT_ICASE_PATHSPECS",
        "GIT_IMPLICIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_INDEX_VERSION",
        "GIT_INTERNAL_SUPER_PREFIX",
        "GIT_LITERAL_PATHSPECS",
        "GIT_NAMESPACE",
        "GIT_NOGLOB_PATHSPECS",
        "GIT_NO_REPLACE_OBJECTS",
        "GIT_OBJECT_DIRECTORY",
        "GIT_OPTIONAL_LOCKS",
        "GIT_PREFIX",
        "GIT_QUARANTINE_PATH",
        "GIT_REFLOG_ACTION",
        "GIT_REPLACE_REF_BASE",
        "GIT_SHALLOW_FILE",
        "GIT_WORK_TREE",
    ];
    environment
        .into_iter()
        .filter(|(name, _)| {
            name.to_str().is_none_or(|name| {
                !DROPPED.contains(&name)
                    && !name.starts_with("GIT_TRACE")
                    && !name.starts_with("GIT_CONFIG_KEY_")
                    && !name.starts_with("GIT_CONFIG_VALUE_")
            })
        })
        .collect()
}

/// Looks `git` up in the environment's own `PATH`: this process's may be another, and a name that the
/// system resolves could be a file in the repository.
fn program(environment: &[(OsString, OsString)]) -> Option<PathBuf> {
    let (_, path) = environment.iter().find(|(name, _)| name.eq_ignore_ascii_case("PATH"))?;
    let name = if cfg!(windows) { "git.exe" } else { "git" };
    std::env::split_paths(path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|program| runnable(program))
}

#[cfg(unix)]
fn runnable(program: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    program.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn runnable(program: &Path) -> bool {
    program.is_file()
}

enum Said {
    Stdout(io::Result<Capture>),
    Stderr(io::Result<Capture>),
    Ended(io::Result<ExitStatus>),
}

/// What was read of a stream, and whether there was more than allowed.
struct Capture {
    bytes: Vec<u8>,
    cut: bool,
}

/// Feeds, drains and awaits a child. Three short-lived threads, because a pipe that nobody reads and a
/// child that nobody awaits would each block the other.
fn exchange(
    child: Child,
    stdin: Vec<u8>,
    name: &'static str,
    after: Duration,
    limit: usize,
    enough: bool,
    stop: Option<&AtomicBool>,
) -> Result<Output> {
    let group = Group::of(&child);
    let broken = |source| Error::Process { command: name.into(), source: Arc::new(source) };
    let (said, heard) = channel();
    // Without a thread for each nobody would feed, hear or await it.
    converse(child, stdin, limit, said).inspect_err(|_| group.kill()).map_err(broken)?;

    let mut talk = Talk::default();
    let mut cut = false;
    match talk.hear(&heard, after, limit, stop) {
        Heard::All => {}
        Heard::TooMuch if enough => {
            group.kill();
            let _ = talk.hear(&heard, GRACE, usize::MAX, None);
            cut = true;
        }
        late @ (Heard::Late | Heard::Stopped) => {
            group.end();
            let _ = talk.hear(&heard, GRACE, usize::MAX, None);
            // Git may have obeyed while its hook did not.
            group.kill();
            if talk.status.is_none() {
                let _ = talk.hear(&heard, GRACE, usize::MAX, None);
            }
            let command = name.into();
            return Err(match late {
                Heard::Stopped => Error::Stopped { command },
                _ => Error::TimedOut { command, after },
            });
        }
        Heard::TooMuch => {
            group.kill();
            let _ = talk.hear(&heard, GRACE, usize::MAX, None);
            return Err(Error::TooMuch { command: name.into(), limit });
        }
    }
    let status = talk.status.transpose().map_err(broken)?;
    Ok(Output {
        code: status.and_then(|status| status.code()),
        stdout: talk.stdout.map_err(broken)?,
        cut,
        stderr: talk.stderr,
        name,
    })
}

/// Starts the three threads.
fn converse(mut child: Child, stdin: Vec<u8>, limit: usize, said: Sender<Said>) -> io::Result<()> {
    if let Some(stream) = child.stdout.take() {
        listen(stream, limit, said.clone(), Said::Stdout)?;
    }
    if let Some(stream) = child.stderr.take() {
        listen(stream, STDERR, said.clone(), Said::Stderr)?;
    }
    let _ = thread::Builder::new().name("git-wait".into()).spawn(move || {
        if let Some(mut stream) = child.stdin.take() {
            // A git that ends without reading is judged by its exit code.
            let _ = stream.write_all(&stdin);
        }
        let _ = said.send(Said::Ended(child.wait()));
    })?;
    Ok(())
}

#[derive(Debug, PartialEq, Eq)]
enum Heard {
    All,
    Late,
    Stopped,
    TooMuch,
}

struct Talk {
    stdout: io::Result<Vec<u8>>,
    stderr: Vec<u8>,
    open: u32,
    status: Option<io::Result<ExitStatus>>,
}

impl Default for Talk {
    fn default() -> Self {
        Self { stdout: Ok(Vec::new()), stderr: Vec::new(), open: 2, status: None }
    }
}

impl Talk {
    /// Listens until git ended and both streams closed, or `within` is over.
    fn hear(
        &mut self,
        heard: &Receiver<Said>,
        within: Duration,
        limit: usize,
        stop: Option<&AtomicBool>,
    ) -> Heard {
        let deadline = std::time::Instant::now() + within;
        while self.open > 0 || self.status.is_none() {
            let left = deadline.saturating_duration_since(std::time::Instant::now());
            let patience = if self.status.is_some() { left.min(TRAILING) } else { left };
            let may_stop = stop.is_some() && self.status.is_none();
            let patience = if may_stop { patience.min(STOP_LOOK) } else { patience };
            match heard.recv_timeout(patience) {
                Ok(Said::Stdout(Ok(capture))) => {
                    self.open -= 1;
                    self.stdout = Ok(capture.bytes);
                    if capture.cut && limit != usize::MAX {
                        return Heard::TooMuch;
                    }
                }
                Ok(Said::Stdout(Err(error))) => {
                    self.open -= 1;
                    self.stdout = Err(error);
                }
                Ok(Said::Stderr(capture)) => {
                    self.open -= 1;
                    self.stderr = capture.map_or_else(|_| Vec::new(), |capture| capture.bytes);
                }
                Ok(Said::Ended(status)) => self.status = Some(status),
                // Something a hook left behind holds a pipe; git itself is done. Only writes run
                // hooks, and no answer of a write is read from stdout.
                Err(RecvTimeoutError::Timeout) if self.status.is_some() => return Heard::All,
                Err(RecvTimeoutError::Timeout) if left > patience => {
                    if stop.is_some_and(|stop| stop.load(Ordering::Relaxed)) {
                        return Heard::Stopped;
                    }
                }
                Err(RecvTimeoutError::Timeout) => return Heard::Late,
                Err(RecvTimeoutError::Disconnected) => return Heard::All,
            }
        }
        Heard::All
    }
}

fn listen(
    stream: impl Read + Send + 'static,
    limit: usize,
    said: Sender<Said>,
    wrap: fn(io::Result<Capture>) -> Said,
) -> io::Result<()> {
    let _ = thread::Builder::new().name("git-read".into()).spawn(move || {
        let _ = said.send(wrap(drain(stream, limit)));
    })?;
    Ok(())
}

fn drain(mut stream: impl Read, limit: usize) -> io::Result<Capture> {
    let mut bytes = Vec::new();
    let _ = stream.by_ref().take(limit as u64).read_to_end(&mut bytes)?;
    if bytes.len() < limit {
        return Ok(Capture { bytes, cut: false });
    }
    let cut = stream.read(&mut [0])? > 0;
    Ok(Capture { bytes, cut })
}

/// The child's process group, to end what it started with it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Group(u32);

impl Group {
    pub(crate) fn of(child: &Child) -> Self {
        Self(child.id())
    }

    #[cfg(unix)]
    fn signal(self, signal: rustix::process::Signal) {
        let pid = i32::try_from(self.0).ok().and_then(rustix::process::Pid::from_raw);
        if let Some(pid) = pid {
            // It may have ended by itself in this instant.
            let _ = rustix::process::kill_process_group(pid, signal);
        }
    }

    /// Asks it to end: git removes its locks and half-made worktrees then.
    pub(crate) fn end(self) {
        #[cfg(unix)]
        self.signal(rustix::process::Signal::TERM);
        #[cfg(not(unix))]
        self.kill();
    }

    pub(crate) fn kill(self) {
        #[cfg(unix)]
        self.signal(rustix::process::Signal::KILL);
        #[cfg(windows)]
        {
            let _ =
                Command::new("taskkill").args(["/T", "/F", "/PID", &self.0.to_string()]).output();
        }
    }
}

/// Lets as many readers run as there are cores: forty worktrees asked at once must not start forty
/// processes.
#[derive(Debug)]
pub(crate) struct Gate {
    free: Mutex<usize>,
    freed: Condvar,
}

/// A place at the gate; given back on drop.
#[derive(Debug)]
pub(crate) struct Slot<'a>(&'a Gate);

impl Gate {
    pub(crate) fn new() -> Self {
        let cores = thread::available_parallelism().map_or(2, std::num::NonZero::get);
        Self { free: Mutex::new(cores.max(2)), freed: Condvar::new() }
    }

    fn enter(&self) -> Slot<'_> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        while *free == 0 {
            free = self.freed.wait(free).unwrap_or_else(PoisonError::into_inner);
        }
        *free -= 1;
        Slot(self)
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.freed.notify_one();
    }
}

/// The end of what a process printed, on one line, without anything a terminal would obey.
fn shown(stderr: &[u8], code: Option<i32>) -> String {
    let text = String::from_utf8_lossy(stderr);
    let words = text
        .lines()
        .map(|line| line.trim_start_matches("fatal: ").trim_start_matches("error: ").trim())
        .filter(|line| !line.is_empty() && !line.starts_with("hint:"))
        .collect::<Vec<_>>()
        .join(" ");
    let clean: String = words.chars().filter(|c| !c.is_control() && !is_bidi(*c)).collect();
    if clean.is_empty() {
        return code.map_or_else(
            || "it was ended by a signal.".into(),
            |code| format!("it exited with code {code} and said nothing."),
        );
    }
    let skipped = clean.chars().count().saturating_sub(SHOWN);
    if skipped == 0 {
        clean
    } else {
        format!("…{}", clean.chars().skip(skipped).collect::<String>())
    }
}

/// The last place at or before a number of bytes at which text can be cut.
pub(crate) fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Characters that change the order in which others are shown.
pub(crate) fn is_bidi(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_distributions_print() {
        let check = |text, expected: Option<(u32, u32)>| {
            let expected = expected.map(|(major, minor)| Version { major, minor });
            assert_eq!(parse_version(text), expected, "{text}");
        };
        check("git version 2.47.3\n", Some((2, 47)));
        check("git version 2.39.5 (Apple Git-154)\n", Some((2, 39)));
        check("git version 2.51.0.windows.1", Some((2, 51)));
        check("git version 3.0-rc0", Some((3, 0)));
        check("hub 1", None);
        check("git version", None);
    }

    #[test]
    fn what_git_says_is_shown_without_control_characters() {
        let check = |text: &[u8], code, expected| assert_eq!(shown(text, code), expected);
        check(b"fatal: it broke\nhint: do that\n", Some(128), "it broke");
        check(b"error: \x1b[31mred\x07\nmore\n", Some(1), "[31mred more");
        check(b"", Some(3), "it exited with code 3 and said nothing.");
        check(b"", None, "it was ended by a signal.");
        check(b"\xff\xfe", Some(1), "\u{fffd}\u{fffd}");
    }

    #[test]
    fn variables_that_redirect_git_are_dropped() {
        let given =
            ["GIT_DIR", "GIT_INDEX_FILE", "GIT_TRACE", "GIT_CONFIG_KEY_0", "HOME", "GIT_SSH"];
        let kept: Vec<_> = cleaned(given.map(|name| (name.into(), "x".into())))
            .into_iter()
            .map(|(n, _)| n)
            .collect();
        assert_eq!(kept, ["HOME", "GIT_SSH"]);
    }
}

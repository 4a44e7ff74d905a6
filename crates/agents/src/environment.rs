//! The environment in which agents run: that of the user's login shell, not that of whatever started
//! Maestro. A window started from a desktop menu has neither the user's PATH nor their keys.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::probe;

/// How long the login shell may take to start. Heavy shell set-ups need one or two seconds; longer
/// than this a window would seem to hang.
const SHELL_LIMIT: Duration = Duration::from_secs(5);

/// Most bytes a login shell may print: an environment is limited to about 2 MiB by the kernel.
const SHELL_OUTPUT: usize = 4 << 20;

/// Set to `none` in our own environment to skip the login shell, for tests and for machines where
/// starting it has side effects.
const SKIP: &str = "MAESTRO_LOGIN_SHELL";

/// Variables of the terminal, desktop launch or agent that we were started from. They would tell an
/// agent lies about where it runs.
const FOREIGN: &[&str] = &[
    "_",
    "CLAUDECODE",
    "CLAUDE_CODE_ENTRYPOINT",
    "CLAUDE_CODE_SSE_PORT",
    "COLORTERM",
    "COLUMNS",
    "DESKTOP_STARTUP_ID",
    "INSIDE_EMACS",
    "LC_TERMINAL",
    "LC_TERMINAL_VERSION",
    "LINES",
    "OLDPWD",
    "PWD",
    "SHLVL",
    "STY",
    "TERM",
    "TERMCAP",
    "TERM_FEATURES",
    "TERM_PROGRAM",
    "TERM_PROGRAM_VERSION",
    "TERM_SESSION_ID",
    "TMUX",
    "TMUX_PANE",
    "VTE_VERSION",
    "WINDOWID",
    "WT_PROFILE_ID",
    "WT_SESSION",
    "XDG_ACTIVATION_TOKEN",
    "ZELLIJ",
    "ZELLIJ_SESSION_NAME",
];

/// The same by prefix; `MAESTRO_` is our own.
const FOREIGN_PREFIXES: &[&str] =
    &["MAESTRO_", "ALACRITTY_", "GHOSTTY_", "ITERM_", "KITTY_", "KONSOLE_", "VSCODE_", "WEZTERM_"];

/// Variables for a child: complete, not a difference to ours.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Environment {
    vars: BTreeMap<OsString, OsString>,
}

impl Environment {
    /// The environment of the user's login shell, asked once and then remembered. Blocks for at most
    /// five seconds the first time; a shell that fails or is too slow leaves us with our own.
    #[must_use]
    pub fn login() -> Arc<Self> {
        let mut known = LOGIN.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.get_or_insert_with(|| Arc::new(Self::ask_login_shell())))
    }

    /// Asks the login shell again, for a user who has just installed something.
    #[must_use]
    pub fn refresh_login() -> Arc<Self> {
        let fresh = Arc::new(Self::ask_login_shell());
        *LOGIN.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&fresh));
        fresh
    }

    /// Our own environment without what must not be handed on.
    #[must_use]
    pub fn own() -> Self {
        Self::from_vars(std::env::vars_os()).cleaned()
    }

    /// Exactly these variables.
    #[must_use]
    pub fn from_vars<K: Into<OsString>, V: Into<OsString>>(
        vars: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        Self { vars: vars.into_iter().map(|(k, v)| (k.into(), v.into())).collect() }
    }

    /// One variable.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        self.vars.get(OsStr::new(name)).map(OsString::as_os_str)
    }

    /// Sets a variable.
    pub fn set(&mut self, name: impl Into<OsString>, value: impl Into<OsString>) {
        let _ = self.vars.insert(name.into(), value.into());
    }

    /// Removes a variable.
    pub fn remove(&mut self, name: &str) {
        let _ = self.vars.remove(OsStr::new(name));
    }

    /// Every variable, by name.
    pub fn vars(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.vars.iter().map(|(k, v)| (k.as_os_str(), v.as_os_str()))
    }

    /// Every variable as owned pairs, the form in which processes are started.
    #[must_use]
    pub fn to_vec(&self) -> Vec<(OsString, OsString)> {
        self.vars.iter().map(|(k, v)| (k.clone(), v.clone())).collect()
    }

    /// The user's home directory, if there is one.
    #[must_use]
    pub fn home(&self) -> Option<PathBuf> {
        let name = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
        self.get(name).filter(|home| !home.is_empty()).map(PathBuf::from)
    }

    /// The user's shell: `SHELL`, else what the account says, else one that every system has.
    #[must_use]
    pub fn shell(&self) -> PathBuf {
        if cfg!(windows) {
            return self.get("COMSPEC").map_or_else(|| "cmd.exe".into(), PathBuf::from);
        }
        self.get("SHELL")
            .map(PathBuf::from)
            .filter(|shell| is_program(shell))
            .or_else(|| account().map(|account| account.shell).filter(|shell| is_program(shell)))
            .unwrap_or_else(|| {
                ["/bin/bash", "/bin/sh"]
                    .into_iter()
                    .map(PathBuf::from)
                    .find(|shell| is_program(shell))
                    .unwrap_or_else(|| "/bin/sh".into())
            })
    }

    /// Where a program of that name is: in PATH first, then in the places where installers put agent
    /// programs without adding them to PATH.
    #[must_use]
    pub fn find(&self, program: &str) -> Option<PathBuf> {
        self.path().chain(self.usual_places(program)).find_map(|dir| program_in(&dir, program))
    }

    /// The directories of PATH.
    fn path(&self) -> impl Iterator<Item = PathBuf> {
        let path = self.get("PATH").map(OsStr::to_owned).unwrap_or_default();
        // A relative entry would find programs in whatever repository an agent works in.
        std::env::split_paths(&path).filter(|dir| dir.is_absolute()).collect::<Vec<_>>().into_iter()
    }

    fn usual_places(&self, program: &str) -> Vec<PathBuf> {
        if cfg!(windows) {
            return self.usual_places_on_windows();
        }
        let mut places: Vec<PathBuf> = Vec::new();
        if let Some(home) = self.home() {
            places.extend(
                [
                    ".local/bin",
                    "bin",
                    ".npm-global/bin",
                    ".bun/bin",
                    ".volta/bin",
                    ".asdf/shims",
                    ".local/share/mise/shims",
                    ".local/share/pnpm",
                    "Library/pnpm",
                ]
                .map(|dir| home.join(dir)),
            );
            places.push(home.join(format!(".{program}/local")));
            places.push(home.join(format!(".{program}/bin")));
            places.push(home.join("go/bin"));
            places.extend(newest_first(&home.join(".nvm/versions/node"), "bin"));
            for fnm in [".local/share/fnm", ".fnm", "Library/Application Support/fnm"] {
                let versions = home.join(fnm).join("node-versions");
                places.extend(newest_first(&versions, "installation/bin"));
            }
        }
        places
            .extend(["/usr/local/bin", "/opt/homebrew/bin", "/usr/bin", "/bin"].map(PathBuf::from));
        places
    }

    fn usual_places_on_windows(&self) -> Vec<PathBuf> {
        [
            ("APPDATA", "npm"),
            ("LOCALAPPDATA", "npm"),
            ("USERPROFILE", ".local\\bin"),
            ("LOCALAPPDATA", "Microsoft\\WinGet\\Links"),
            ("LOCALAPPDATA", "Microsoft\\WindowsApps"),
            ("USERPROFILE", "scoop\\shims"),
            ("ChocolateyInstall", "bin"),
            ("ProgramFiles", "nodejs"),
        ]
        .into_iter()
        .filter_map(|(variable, dir)| Some(Path::new(self.get(variable)?).join(dir)))
        .collect()
    }

    /// Puts a directory at the end of PATH unless it is there: a Node script found outside PATH needs
    /// the `node` beside it.
    pub(crate) fn add_to_path(&mut self, dir: &Path) {
        let mut dirs: Vec<PathBuf> =
            self.get("PATH").map(|path| std::env::split_paths(path).collect()).unwrap_or_default();
        if dirs.iter().any(|known| known == dir) {
            return;
        }
        dirs.push(dir.to_owned());
        if let Ok(path) = std::env::join_paths(dirs) {
            self.set("PATH", path);
        }
    }

    fn ask_login_shell() -> Self {
        let own = Self::own();
        if cfg!(windows) || std::env::var_os(SKIP).is_some_and(|value| value == "none") {
            return own.completed();
        }
        let shell = own.shell();
        let asked = Self::of_shell(&shell, &own.clone().completed(), SHELL_LIMIT);
        if asked.is_none() {
            tracing::warn!(
                shell = %shell.display(),
                "the login shell did not tell its environment in time; using Maestro's own"
            );
        }
        asked.map_or_else(|| own.clone(), |login| login.cleaned().with_path_of(&own)).completed()
    }

    /// What `shell`, started as an interactive login shell in the environment `base`, has exported;
    /// `None` when it fails, is too slow or does not understand the usual options.
    #[must_use]
    pub fn of_shell(shell: &Path, base: &Self, limit: Duration) -> Option<Self> {
        // What start-up files print comes before the first mark and is skipped. The mark is cut in
        // two so that a shell that echoes its command line does not print it.
        let script = "printf '\\0%s%s\\0' MAESTRO- ENV-BEGINS; command env -0; \
                      printf '\\0%s%s\\0' MAESTRO- ENV-ENDS";
        let mut env = base.clone();
        env.set("TERM", "dumb");
        env.set("MAESTRO_RESOLVING_ENVIRONMENT", "1");
        let output = probe::Probe {
            program: shell,
            args: &["-l", "-i", "-c", script],
            env: &env,
            directory: None,
            limit,
            most: SHELL_OUTPUT,
        }
        .until(END);
        parse_shell(&output.stdout)
    }

    fn cleaned(mut self) -> Self {
        self.vars.retain(|name, _| {
            let name = name.to_string_lossy();
            !FOREIGN.contains(&&*name)
                && !FOREIGN_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        });
        self
    }

    /// Adds the PATH entries of `other` that are missing here, at the end: a login shell's start-up
    /// files often set PATH anew and forget the virtual environment we were started from.
    fn with_path_of(mut self, other: &Self) -> Self {
        for dir in other.path() {
            self.add_to_path(&dir);
        }
        self
    }

    /// Adds what every program may rely on: HOME, a PATH, a UTF-8 locale, the shell.
    fn completed(mut self) -> Self {
        if !cfg!(windows) {
            if self.home().is_none()
                && let Some(account) = account()
            {
                self.set("HOME", account.home);
            }
            if self.get("PATH").is_none_or(OsStr::is_empty) {
                self.set("PATH", "/usr/local/bin:/usr/bin:/bin");
            }
            if self.get("SHELL").is_none() {
                let shell = self.shell();
                self.set("SHELL", shell);
            }
            let spoken = |name| self.get(name).is_some_and(|value: &OsStr| !value.is_empty());
            if !["LC_ALL", "LC_CTYPE", "LANG"].into_iter().any(spoken) {
                self.set("LANG", if cfg!(target_os = "macos") { "en_US.UTF-8" } else { "C.UTF-8" });
            }
        }
        self
    }
}

static LOGIN: Mutex<Option<Arc<Environment>>> = Mutex::new(None);

const BEGIN: &[u8] = b"\0MAESTRO-ENV-BEGINS\0";
const END: &[u8] = b"\0MAESTRO-ENV-ENDS\0";

fn parse_shell(output: &[u8]) -> Option<Environment> {
    let begin = find(output, BEGIN)? + BEGIN.len();
    let rest = &output[begin..];
    let vars = rest[..find(rest, END)?]
        .split(|&byte| byte == 0)
        .filter_map(|entry| {
            let split = entry.iter().position(|&byte| byte == b'=').filter(|&at| at > 0)?;
            Some((os_string(&entry[..split]), os_string(&entry[split + 1..])))
        })
        .collect::<BTreeMap<_, _>>();
    (!vars.is_empty()).then_some(Environment { vars })
}

pub(crate) fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

#[cfg(unix)]
fn os_string(bytes: &[u8]) -> OsString {
    use std::os::unix::ffi::OsStrExt;
    OsStr::from_bytes(bytes).to_owned()
}

#[cfg(not(unix))]
fn os_string(bytes: &[u8]) -> OsString {
    String::from_utf8_lossy(bytes).into_owned().into()
}

/// What the account database says about us.
struct Account {
    home: PathBuf,
    shell: PathBuf,
}

#[cfg(unix)]
fn account() -> Option<Account> {
    let uid = rustix::process::getuid().as_raw().to_string();
    let accounts = std::fs::read_to_string("/etc/passwd").ok()?;
    accounts.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        (fields.len() >= 7 && fields[2] == uid)
            .then(|| Account { home: fields[5].into(), shell: fields[6].trim().into() })
    })
}

#[cfg(not(unix))]
fn account() -> Option<Account> {
    None
}

/// `DIR/VERSION/below` for every version a node version manager has, the newest first.
fn newest_first(dir: &Path, below: &str) -> Vec<PathBuf> {
    let mut versions: Vec<(Vec<u64>, PathBuf)> = std::fs::read_dir(dir)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| {
            let numbers = entry
                .file_name()
                .to_string_lossy()
                .split(|c: char| !c.is_ascii_digit())
                .filter_map(|part| part.parse().ok())
                .collect();
            (numbers, entry.path().join(below))
        })
        .collect();
    versions.sort_by(|a, b| b.cmp(a));
    versions.into_iter().map(|(_, path)| path).collect()
}

fn program_in(dir: &Path, program: &str) -> Option<PathBuf> {
    // On Windows npm programs are `.cmd` shims; a real program beside one is the better choice.
    let endings: &[&str] = if cfg!(windows) { &[".exe", ".cmd"] } else { &[""] };
    endings
        .iter()
        .map(|ending| dir.join(format!("{program}{ending}")))
        .find(|path| is_program(path))
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}

//! How each provider is started, as data: the program, its arguments, its complete environment and
//! what goes to its standard input.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use maestro_core::agent::Provider;
use maestro_core::conversation::Policy;
use maestro_core::turn::{Failure, FailureKind, Usage};

use crate::detect::Detected;
use crate::environment::Environment;
use crate::session;

/// A program ready to be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLine {
    /// Whose program it is: decides how its output is read.
    pub provider: Provider,
    /// The program, absolute.
    pub program: PathBuf,
    /// Its arguments, without the program itself.
    pub args: Vec<OsString>,
    /// Where it starts, absolute.
    pub directory: PathBuf,
    /// Its complete environment.
    pub env: Vec<(OsString, OsString)>,
    /// What is written to its standard input, which is then closed; `None` for a terminal.
    pub stdin: Option<Vec<u8>>,
    /// Tokens the session had consumed before this turn, for providers that report the session's total.
    pub before: Option<Tokens>,
}

/// Token counts of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "as in `Usage`")]
pub struct Tokens {
    pub input: u64,
    pub cached: u64,
    pub output: u64,
}

impl From<Tokens> for Usage {
    fn from(tokens: Tokens) -> Self {
        Self {
            input_tokens: tokens.input,
            cached_tokens: tokens.cached,
            output_tokens: tokens.output,
            cost_usd: None,
        }
    }
}

/// How to start a provider's own TUI.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TuiOptions {
    /// Where it works, absolute.
    pub directory: PathBuf,
    /// The session to go on with.
    pub resume: Option<String>,
    /// The id its new session gets, where [`can_choose_session`]; ignored with `resume`.
    pub new_session: Option<String>,
}

/// How to run one turn.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TurnOptions {
    /// Where it works, absolute.
    pub directory: PathBuf,
    /// What the agent is told.
    pub prompt: String,
    /// The session to go on with.
    pub resume: Option<String>,
    /// The id its new session gets, where [`can_choose_session`]; ignored with `resume`.
    pub new_session: Option<String>,
    /// The model to ask for, as the provider names it.
    pub model: Option<String>,
    /// Whether it may act without asking. Nobody can be asked during such a turn, so without this
    /// most work is refused; with it the provider's own sandbox is off.
    pub unattended: bool,
    /// Whether it may only read, enforced by the provider, also against its own shell. Fails where the
    /// provider has no such thing; not together with `unattended`.
    pub read_only: bool,
}

/// Whether a provider takes an id for a new session; see [`crate::new_session_id`].
#[must_use]
pub fn can_choose_session(provider: Provider) -> bool {
    matches!(provider, Provider::Claude | Provider::Copilot | Provider::Gemini | Provider::Demo)
}

/// The command line of a provider's own TUI in a terminal. Fails when the program cannot be used.
pub fn tui_command(
    detected: &Detected,
    environment: &Environment,
    options: &TuiOptions,
) -> Result<CommandLine, Failure> {
    let resume = checked(options.resume.as_deref())?;
    let new = checked(options.new_session.as_deref())?
        .filter(|_| resume.is_none() && can_choose_session(detected.provider));
    let mut args = Args::default();
    match detected.provider {
        Provider::Claude => {
            let resume = resume
                .map(|session| session::claude_resume(session, &options.directory, environment));
            args.option("--resume", resume);
            args.option("--session-id", new);
        }
        // Its background server would copy the whole program (some 400 MB) into the user's home.
        Provider::Codex => {
            args.word("--no-daemon");
            if let Some(thread) = resume {
                args.words(&["resume", thread]);
            }
        }
        Provider::OpenCode => args.option("--session", resume),
        Provider::Droid => args.option("--resume", resume),
        // An id in a word of its own would be taken for a prompt, and the list of sessions opened.
        Provider::Copilot => {
            if let Some(session) = resume {
                args.word(&format!("--resume={session}"));
            }
            args.option("--session-id", new);
        }
        Provider::Gemini => {
            args.option("--resume", resume);
            args.option("--session-id", new);
        }
        Provider::Demo => {
            args.word("demo-agent");
            args.option("--resume", resume);
            args.option("--session-id", new);
        }
        // The environment is a login shell's already; only macOS users expect a login shell.
        Provider::Shell if cfg!(target_os = "macos") => args.word("-l"),
        Provider::Shell => {}
    }
    let mut env = child_environment(detected, environment)?;
    for (name, value) in identity(detected.provider) {
        env.set(*name, *value);
    }
    Ok(CommandLine {
        provider: detected.provider,
        program: program(detected)?,
        args: args.0,
        directory: options.directory.clone(),
        env: env.to_vec(),
        stdin: None,
        before: None,
    })
}

/// What a provider's TUI is told about the terminal it runs in.
///
/// `xterm-256color` is known on every machine. Claude Code draws with synchronized output and asks
/// for the kitty keyboard protocol only in terminals whose name it knows; ours has what it wants.
#[must_use]
pub fn identity(provider: Provider) -> &'static [(&'static str, &'static str)] {
    match provider {
        Provider::Claude => &[
            ("TERM", "xterm-256color"),
            ("COLORTERM", "truecolor"),
            ("TERM_PROGRAM", "ghostty"),
            ("TERM_PROGRAM_VERSION", "1.2.3"),
        ],
        _ => &[
            ("TERM", "xterm-256color"),
            ("COLORTERM", "truecolor"),
            ("TERM_PROGRAM", "maestro"),
            ("TERM_PROGRAM_VERSION", env!("CARGO_PKG_VERSION")),
        ],
    }
}

/// The command line of one turn without a person: prints a stream that [`crate::Parser`] reads, and
/// ends. Fails when the program cannot be used that way. To be held to reading, OpenCode is asked first what is
/// configured for it, which blocks.
pub fn turn_command(
    detected: &Detected,
    environment: &Environment,
    options: &TurnOptions,
) -> Result<CommandLine, Failure> {
    let resume = checked(options.resume.as_deref())?;
    let new = checked(options.new_session.as_deref())?
        .filter(|_| resume.is_none() && can_choose_session(detected.provider));
    let model = checked(options.model.as_deref())?;
    if options.read_only && detected.provider == Provider::Demo {
        return Err(unusable(format!(
            "{} cannot be held to reading in a single turn.",
            detected.provider.title()
        )));
    }
    if options.read_only && detected.provider == Provider::Codex {
        // Servers of tools are no part of its sandbox, and which there are only a conversation can ask.
        return Err(unusable(
            "Codex is held to reading in conversations, not in a single turn: servers of tools (MCP) that you \
             configured could write there."
                .to_owned(),
        ));
    }
    let unattended = options.unattended && !options.read_only;
    let mut env = child_environment(detected, environment)?;
    env.set("TERM", "dumb");
    env.set("NO_COLOR", "1");
    let mut before = None;
    let mut args = Args::default();
    match detected.provider {
        Provider::Claude => {
            // With the parts of messages as they come: they show that it is alive during a long answer,
            // and whether an answer was cut off, which nothing else tells.
            args.words(&["-p", "--verbose", "--output-format", "stream-json"]);
            args.word("--include-partial-messages");
            if options.read_only {
                args.option("--permission-mode", Some("plan"));
            }
            if unattended {
                refuse_root(&env)?;
                args.word("--dangerously-skip-permissions");
            }
            let resume = resume
                .map(|session| session::claude_resume(session, &options.directory, environment));
            args.option("--resume", resume);
            args.option("--session-id", new);
            args.option("--model", model);
            // A turn ends with its process: nothing in the background would be waited for.
            env.set("CLAUDE_CODE_DISABLE_BACKGROUND_TASKS", "1");
        }
        Provider::Codex => {
            args.words(&["exec", "--json", "--skip-git-repo-check"]);
            if unattended {
                args.word("--dangerously-bypass-approvals-and-sandbox");
            }
            args.option("-m", model);
            if let Some(thread) = resume {
                args.words(&["resume", thread]);
                before = session::codex_total(thread, environment);
            }
            args.word("-");
        }
        Provider::OpenCode => {
            args.words(&["run", "--format", "json"]);
            if unattended {
                args.word("--auto");
            }
            args.option("-m", model);
            args.option("--session", resume);
            let users = env.get("OPENCODE_CONFIG_CONTENT").and_then(|text| text.to_str());
            // Its plan agent alone would not do: that one's shell still writes.
            let reading = if options.read_only {
                let all = crate::drive::opencode_configured(detected, &options.directory, &env)?;
                Some(crate::drive::opencode_config(users, Policy::ReadOnly, &all))
            } else {
                None
            };
            let config = opencode_config(reading.as_deref().or(users));
            env.set("OPENCODE_CONFIG_CONTENT", config);
        }
        Provider::Droid => {
            args.words(&["exec", "-o", "stream-json"]);
            if unattended {
                args.word("--skip-permissions-unsafe");
            }
            // What it calls read-only runs every command that the model itself calls harmless.
            if options.read_only {
                args.option("--only-tools", Some(DROID_READS));
            }
            args.option("-m", model);
            args.option("-s", resume);
        }
        Provider::Demo => {
            args.words(&["demo-agent", "exec", "--json"]);
            args.option("--resume", resume);
            args.option("--session-id", new);
            args.option("--model", model);
        }
        Provider::Copilot | Provider::Gemini => {
            return Err(unusable(format!(
                "{} cannot do single tasks in Maestro yet, only conversations; choose another agent \
                 for this.",
                detected.provider.title()
            )));
        }
        Provider::Shell => {
            return Err(unusable(
                "A shell is not an agent: it cannot be given a prompt.".to_owned(),
            ));
        }
    }
    Ok(CommandLine {
        provider: detected.provider,
        program: program(detected)?,
        args: args.0,
        directory: options.directory.clone(),
        env: env.to_vec(),
        stdin: Some(options.prompt.clone().into_bytes()),
        before,
    })
}

/// Factory Droid's tools that only look.
const DROID_READS: &str = "Read,LS,Grep,Glob";

/// What the user configured for OpenCode, without its question tool: it would wait for an answer that
/// nobody can give.
fn opencode_config(users: Option<&str>) -> String {
    let mut config = users
        .and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok())
        .filter(serde_json::Value::is_object)
        .unwrap_or_else(|| serde_json::json!({}));
    // The user may have one word there for all tools.
    if let Some(word) = config["permission"].as_str().map(str::to_owned) {
        config["permission"] = serde_json::json!({ "*": word });
    } else if !config["permission"].is_object() {
        config["permission"] = serde_json::json!({});
    }
    config["permission"]["question"] = "deny".into();
    config.to_string()
}

/// Claude Code refuses its unattended mode to root, on stderr and with exit code 1, unless it is told
/// that the machine is a sandbox.
pub(crate) fn refuse_root(env: &Environment) -> Result<(), Failure> {
    let sandbox = env.get("IS_SANDBOX").is_some_and(|value| value == "1");
    if is_root() && !sandbox {
        return Err(unusable(
            "Claude Code refuses to work unattended as root; run Maestro as an ordinary user, or set \
             IS_SANDBOX=1 in your shell's start-up files if this machine is a throwaway sandbox."
                .to_owned(),
        ));
    }
    Ok(())
}

#[cfg(unix)]
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[cfg(not(unix))]
fn is_root() -> bool {
    false
}

pub(crate) fn child_environment(
    detected: &Detected,
    environment: &Environment,
) -> Result<Environment, Failure> {
    let mut env = environment.clone();
    if detected.provider == Provider::Demo
        && let Some(home) = session::demo_home(environment)
    {
        env.set(session::DEMO_HOME, home);
    }
    // Where a provider was found outside PATH, what its script needs (`node`) is beside it.
    if let Some(dir) = program(detected)?.parent().filter(|_| detected.provider != Provider::Demo) {
        env.add_to_path(dir);
    }
    Ok(env)
}

pub(crate) fn program(detected: &Detected) -> Result<PathBuf, Failure> {
    detected.usable().map(Path::to_owned).map_err(unusable)
}

pub(crate) fn unusable(message: String) -> Failure {
    Failure { kind: FailureKind::Unusable, message }
}

/// An id or model name goes on a command line; one that looks like an option must not get there.
pub(crate) fn checked(word: Option<&str>) -> Result<Option<&str>, Failure> {
    match word {
        Some(word)
            if word.is_empty() || word.starts_with('-') || word.contains(char::is_control) =>
        {
            Err(unusable(format!("`{}` is neither a session nor a model.", word.escape_debug())))
        }
        word => Ok(word),
    }
}

/// A command line in the making.
#[derive(Default)]
pub(crate) struct Args(pub Vec<OsString>);

impl Args {
    pub fn word(&mut self, word: &str) {
        self.0.push(word.into());
    }

    pub fn words(&mut self, words: &[&str]) {
        self.0.extend(words.iter().map(OsString::from));
    }

    pub fn option(&mut self, name: &str, value: Option<impl Into<OsString>>) {
        if let Some(value) = value {
            self.0.extend([name.into(), value.into()]);
        }
    }
}

//! Whether a provider's program is there and can be used, and if not, what the user can do.

use std::path::{Path, PathBuf};
use std::time::Duration;

use maestro_core::agent::Provider;

use crate::environment::Environment;
use crate::probe::Probe;

/// How long `--version` may take. Node programs on a busy machine need a few seconds.
const VERSION_LIMIT: Duration = Duration::from_secs(10);

/// What is known about a provider's program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detected {
    /// Which provider.
    pub provider: Provider,
    /// Where its program is, where found.
    pub program: Option<PathBuf>,
    /// What it says its version is: numbers and dots.
    pub version: Option<String>,
    /// Why it cannot be used, in a sentence that says what to do; `None` when it can.
    pub unusable: Option<String>,
}

impl Detected {
    /// The program, or the sentence that says why there is none.
    pub fn usable(&self) -> Result<&Path, String> {
        match (&self.unusable, &self.program) {
            (None, Some(program)) => Ok(program),
            (Some(reason), _) => Err(reason.clone()),
            (None, None) => Err(missing(self.provider)),
        }
    }

    /// The demo agent inside the program at `maestro`: for tests, which are another program.
    #[must_use]
    pub fn demo(maestro: impl Into<PathBuf>) -> Self {
        Self {
            provider: Provider::Demo,
            program: Some(maestro.into()),
            version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            unusable: None,
        }
    }
}

/// The name of a provider's program.
#[must_use]
pub fn program_name(provider: Provider) -> &'static str {
    match provider {
        Provider::Claude => "claude",
        Provider::Codex => "codex",
        Provider::OpenCode => "opencode",
        Provider::Droid => "droid",
        Provider::Copilot => "copilot",
        Provider::Gemini => "gemini",
        Provider::Demo => "maestro",
        Provider::Shell => "sh",
    }
}

/// How a user installs a provider's program.
#[must_use]
pub fn install_hint(provider: Provider) -> &'static str {
    match provider {
        Provider::Claude => "npm install -g @anthropic-ai/claude-code",
        Provider::Codex => "npm install -g @openai/codex",
        Provider::OpenCode => "npm install -g opencode-ai",
        Provider::Droid => "npm install -g droid",
        Provider::Copilot => "npm install -g @github/copilot",
        Provider::Gemini => "npm install -g @google/gemini-cli",
        Provider::Demo | Provider::Shell => "",
    }
}

/// Looks for a provider's program and asks it for its version. Blocks for at most ten seconds; starts
/// nothing but `PROGRAM --version`, which touches no network.
#[must_use]
pub fn detect(provider: Provider, environment: &Environment) -> Detected {
    match provider {
        Provider::Demo => own_program().map_or_else(
            || Detected {
                unusable: Some(
                    "The demo agent is part of the maestro program, which is not where this one is; \
                     start maestro itself or build it with `cargo build`."
                        .to_owned(),
                ),
                program: None,
                ..Detected::demo("")
            },
            Detected::demo,
        ),
        Provider::Shell => Detected {
            provider,
            program: Some(environment.shell()),
            version: None,
            unusable: None,
        },
        Provider::Claude
        | Provider::Codex
        | Provider::OpenCode
        | Provider::Droid
        | Provider::Copilot
        | Provider::Gemini => {
            environment.find(program_name(provider)).map_or_else(
                || Detected {
                    provider,
                    program: None,
                    version: None,
                    unusable: Some(missing(provider)),
                },
                |program| ask(provider, program, environment),
            )
        }
    }
}

fn ask(provider: Provider, program: PathBuf, environment: &Environment) -> Detected {
    let mut env = environment.clone();
    if let Some(dir) = program.parent() {
        env.add_to_path(dir);
    }
    let answer = Probe {
        program: &program,
        args: &["--version"],
        env: &env,
        directory: None,
        limit: VERSION_LIMIT,
        most: 64 << 10,
    }
    .whole();
    let text = String::from_utf8_lossy(&answer.stdout).into_owned();
    let version = first_version(&text);
    let (title, path) = (provider.title(), program.display());
    let unusable = if let Some(error) = &answer.error {
        Some(format!(
            "{title} at {path} cannot be started ({error}); install it again: {}.",
            install_hint(provider)
        ))
    } else if answer.late {
        Some(format!(
            "{title} at {path} did not answer `--version` within {} seconds; run it once in a terminal \
             to see what it waits for.",
            VERSION_LIMIT.as_secs()
        ))
    } else if version.is_none() {
        Some(format!(
            "{title} at {path} does not work: `--version` printed no version; run `{path} --version` \
             in a terminal to see why, or install it again: {}.",
            install_hint(provider)
        ))
    } else {
        None
    };
    Detected { provider, program: Some(program), version, unusable }
}

fn missing(provider: Provider) -> String {
    format!(
        "{} is not installed: there is no `{}` in the PATH of your login shell or where installers \
         usually put it; install it with `{}`.",
        provider.title(),
        program_name(provider),
        install_hint(provider)
    )
}

/// The first `N.N.N` of the first line that is not blank.
fn first_version(output: &str) -> Option<String> {
    let line = output.lines().find(|line| !line.trim().is_empty())?;
    let pattern = regex::Regex::new(r"\d+\.\d+\.\d+").ok()?;
    pattern.find(line).map(|found| found.as_str().to_owned())
}

/// The maestro program: ourselves, or the one beside us when we are a test or another tool of the
/// same build.
fn own_program() -> Option<PathBuf> {
    let name = if cfg!(windows) { "maestro.exe" } else { "maestro" };
    let ourselves = std::env::current_exe().ok()?;
    // While we run, an update may have replaced our file; Linux then reports the old one like this.
    let ourselves = PathBuf::from(
        ourselves
            .to_string_lossy()
            .strip_suffix(" (deleted)")
            .map_or_else(|| ourselves.clone().into_os_string(), std::ffi::OsString::from),
    );
    let beside = ourselves.parent()?;
    if ourselves.file_name().is_some_and(|file| file == name) {
        return Some(ourselves);
    }
    [Some(beside), beside.parent()]
        .into_iter()
        .flatten()
        .map(|dir| dir.join(name))
        .find(|program| program.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_the_first_three_numbers() {
        let check = |output: &str, version: Option<&str>| {
            assert_eq!(first_version(output).as_deref(), version, "{output:?}");
        };
        check("2.1.197 (Claude Code)\n", Some("2.1.197"));
        check("codex-cli 0.169.0\n", Some("0.169.0"));
        check("\n1.18.33\n", Some("1.18.33"));
        check("GitHub Copilot CLI 1.0.102.\nRun update", Some("1.0.102"));
        check("Update available!\n9.9.9", None);
        check("", None);
    }
}

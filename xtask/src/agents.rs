//! `cargo xtask agents`: installs the real agent programs that the tests drive, at pinned versions,
//! into `target/agents`. They are proprietary or differently licensed programs: used on this machine
//! only, never committed, never shipped.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

/// One program that can be installed.
struct Agent {
    name: &'static str,
    package: &'static str,
    version: &'static str,
    licence: &'static str,
    /// Whether the package's name ends in the platform: it has no package that picks one.
    per_platform: bool,
    /// Where the program is below `node_modules`; `PLATFORM` stands for npm's word for ours.
    program: &'static str,
    /// What is there on processors without AVX2, if that is another program.
    baseline: Option<&'static str>,
}

/// The versions that the adapters were written and tested against.
const AGENTS: &[Agent] = &[
    Agent {
        name: "claude",
        package: "@anthropic-ai/claude-code",
        version: "2.1.197",
        licence: "commercial",
        per_platform: false,
        program: "@anthropic-ai/claude-code-PLATFORM/claude",
        baseline: None,
    },
    Agent {
        name: "codex",
        package: "@openai/codex",
        version: "0.169.0",
        licence: "Apache-2.0",
        per_platform: false,
        program: ".bin/codex",
        baseline: None,
    },
    Agent {
        name: "opencode",
        package: "opencode-ai",
        version: "1.18.33",
        licence: "MIT",
        per_platform: false,
        program: "opencode-PLATFORM/bin/opencode",
        baseline: Some("opencode-PLATFORM-baseline/bin/opencode"),
    },
    Agent {
        name: "droid",
        package: "@factory/cli",
        version: "0.225.2",
        licence: "unlicensed",
        per_platform: true,
        program: "@factory/cli-PLATFORM/bin/droid",
        baseline: None,
    },
];

/// Runs `cargo xtask agents [--list] [--json] [NAME…]`.
pub fn run(args: &[String]) -> Result<()> {
    let (flags, names): (Vec<String>, Vec<String>) =
        args.iter().cloned().partition(|arg| arg.starts_with('-'));
    if let Some(flag) = flags.iter().find(|flag| !["--list", "--json"].contains(&flag.as_str())) {
        bail!("unknown option {flag}; there are --list and --json");
    }
    if !flags.iter().any(|flag| flag == "--list") {
        install(&names)?;
    }
    report(&names, flags.iter().any(|flag| flag == "--json"))
}

/// Installs the named programs, or all of them; what is there already is left alone.
pub fn install(names: &[String]) -> Result<()> {
    let chosen = chosen(names)?;
    for agent in chosen {
        if agent.installed().as_deref() == Some(agent.version) && agent.link().exists() {
            continue;
        }
        eprintln!("installing {} {} from npm (some 250 MB)…", agent.package(), agent.version);
        agent.install().with_context(|| format!("{} could not be installed", agent.name))?;
    }
    Ok(())
}

/// The folder with the programs' links, for a PATH.
pub fn programs() -> PathBuf {
    folder().join("bin")
}

fn chosen(names: &[String]) -> Result<Vec<&'static Agent>> {
    if names.is_empty() {
        return Ok(AGENTS.iter().collect());
    }
    names
        .iter()
        .map(|name| {
            AGENTS.iter().find(|agent| agent.name == name).with_context(|| {
                let known: Vec<&str> = AGENTS.iter().map(|agent| agent.name).collect();
                format!("there is no agent `{name}` to install; there are {}", known.join(", "))
            })
        })
        .collect()
}

fn report(names: &[String], as_json: bool) -> Result<()> {
    for agent in chosen(names)? {
        let installed = agent.installed();
        if as_json {
            println!(
                "{}",
                serde_json::json!({
                    "name": agent.name,
                    "package": agent.package(),
                    "version": agent.version,
                    "licence": agent.licence,
                    "installed": installed,
                    "program": agent.link().exists().then(|| agent.link()),
                })
            );
        } else {
            let state = installed.map_or_else(
                || "not installed".to_owned(),
                |version| format!("{version} in {}", agent.link().display()),
            );
            println!("{:<9} {:<9} {:<11} {state}", agent.name, agent.version, agent.licence);
        }
    }
    Ok(())
}

impl Agent {
    fn package(&self) -> String {
        if self.per_platform {
            format!("{}-{}", self.package, platform())
        } else {
            self.package.to_owned()
        }
    }

    fn folder(&self) -> PathBuf {
        folder().join(self.name)
    }

    fn link(&self) -> PathBuf {
        programs().join(self.name)
    }

    /// The version that lies in our folder.
    fn installed(&self) -> Option<String> {
        let manifest = self.folder().join("node_modules").join(self.package()).join("package.json");
        let manifest: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(manifest).ok()?).ok()?;
        manifest.get("version")?.as_str().map(str::to_owned)
    }

    fn install(&self) -> Result<()> {
        let folder = self.folder();
        fs::create_dir_all(&folder)?;
        // No install script of a package is run: the program is linked instead.
        let npm = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" })
            .args(["install", "--no-audit", "--no-fund", "--loglevel=error", "--ignore-scripts"])
            .arg("--prefix")
            .arg(&folder)
            .arg(format!("{}@{}", self.package(), self.version))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .status()
            .context(
                "npm cannot be started; install Node.js (Debian: apt-get install nodejs npm)",
            )?;
        ensure!(npm.success(), "npm ended with {npm}");
        let program = self.program_path();
        let program = Path::new("..").join(self.name).join("node_modules").join(program);
        fs::create_dir_all(programs())?;
        link(&program, &self.link())?;
        ensure!(self.link().exists(), "the package has no program at {}", program.display());
        Ok(())
    }

    fn program_path(&self) -> String {
        let program = self.baseline.filter(|_| !has_avx2()).unwrap_or(self.program);
        program.replace("PLATFORM", &platform())
    }
}

#[cfg(unix)]
fn link(program: &Path, link: &Path) -> Result<()> {
    if link.symlink_metadata().is_ok() {
        fs::remove_file(link)?;
    }
    std::os::unix::fs::symlink(program, link)?;
    Ok(())
}

#[cfg(not(unix))]
fn link(_program: &Path, _link: &Path) -> Result<()> {
    bail!("the real agents are only installed for tests on Linux and macOS")
}

/// npm's words for this system and processor.
fn platform() -> String {
    let system = match std::env::consts::OS {
        "macos" => "darwin",
        "windows" => "win32",
        other => other,
    };
    let processor = match std::env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => other,
    };
    format!("{system}-{processor}")
}

fn has_avx2() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        std::arch::is_x86_feature_detected!("avx2")
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        true
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join("target").join("agents")
}

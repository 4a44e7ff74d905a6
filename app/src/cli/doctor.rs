//! `maestro doctor`: what is installed, what is missing, and what to do about it. Works without a host,
//! because that is one of the things that may be wrong.

use maestro_agents::{Environment, detect};
use maestro_core::agent::Provider;
use maestro_protocol::Home;
use maestro_protocol::client::{Blocking, Start};
use serde_json::{Value, json};

use super::failure::{Failure, Result};
use super::output::{self, Out};

/// The oldest git that has everything used here: `merge-tree --write-tree` is the newest.
const GIT: (u32, u32) = (2, 38);

/// One thing that was looked at.
#[derive(Debug)]
struct Finding {
    name: &'static str,
    /// What was found.
    found: String,
    /// What is wrong, in a sentence that says what to do.
    problem: Option<String>,
    /// Whether Maestro is of no use like this.
    fatal: bool,
}

pub fn run(out: &mut Out) -> Result<()> {
    let environment = Environment::login();
    let mut findings = vec![home(), host(), git(&environment)];
    findings.extend(Provider::ALL.into_iter().map(|provider| {
        let detected = detect(provider, &environment);
        let version = detected.version.unwrap_or_default();
        let program = detected.program.map(|path| path.display().to_string()).unwrap_or_default();
        Finding {
            name: provider.title(),
            found: format!("{version} {program}").trim().to_owned(),
            problem: detected.unusable,
            fatal: false,
        }
    }));
    if out.json {
        out.value(&json!(findings.iter().map(Finding::to_json).collect::<Vec<_>>()))?;
    } else {
        let row = |finding: &Finding| {
            let mark = match (&finding.problem, finding.fatal) {
                (None, _) => "✓",
                (Some(_), false) => "–",
                (Some(_), true) => "✗",
            };
            let text = finding.problem.as_ref().unwrap_or(&finding.found);
            vec![mark.to_owned(), finding.name.to_owned(), text.clone()]
        };
        let rows: Vec<_> = findings.iter().map(row).collect();
        out.table(&["", "WHAT", "FOUND"], &rows, "")?;
    }
    if findings.iter().any(|finding| finding.fatal && finding.problem.is_some()) {
        return Err(Failure::silent());
    }
    Ok(())
}

impl Finding {
    fn to_json(&self) -> Value {
        json!({
            "name": self.name,
            "found": self.found,
            "ok": self.problem.is_none(),
            "problem": self.problem,
            "fatal": self.fatal,
        })
    }
}

fn home() -> Finding {
    let home = Home::from_env();
    let found = home.as_ref().map(|home| home.root().display().to_string()).unwrap_or_default();
    // Nothing is created by looking; what exists must be usable.
    let problem = match home {
        Ok(home) if home.root().exists() => home.create().err().map(|error| error.to_string()),
        Ok(_) => None,
        Err(error) => Some(error.to_string()),
    };
    Finding { name: "Home", found, problem, fatal: true }
}

fn host() -> Finding {
    let state = Home::from_env().map_err(Failure::from).and_then(|home| {
        let pid = home.lock_holder();
        match (Blocking::connect(&home, &Start::Never), pid) {
            (Ok(client), _) => Ok(format!(
                "runs, version {}{}",
                output::plain(client.host_version()),
                pid.map(|pid| format!(", process {pid}")).unwrap_or_default()
            )),
            (Err(maestro_protocol::client::Error::NoHost(_)), None) => {
                Ok("not running; it is started when it is needed".to_owned())
            }
            (Err(error @ maestro_protocol::client::Error::Died { .. }), None) => {
                Ok(error.to_string())
            }
            (Err(error), _) => Err(error.into()),
        }
    });
    match state {
        Ok(found) => Finding { name: "Host", found, problem: None, fatal: true },
        Err(failure) => Finding {
            name: "Host",
            found: String::new(),
            problem: Some(failure.message),
            fatal: true,
        },
    }
}

fn git(environment: &Environment) -> Finding {
    let finding = |found: String, problem: Option<String>| Finding {
        name: "git",
        found,
        problem,
        fatal: true,
    };
    let (major, minor) = GIT;
    let missing = format!("git is missing: install git {major}.{minor} or newer");
    let Some(program) = environment.find("git") else {
        return finding(String::new(), Some(missing));
    };
    let output = std::process::Command::new(&program).arg("--version").output();
    let said = output.ok().and_then(|output| String::from_utf8(output.stdout).ok());
    let version = said.as_deref().and_then(|said| said.split_whitespace().nth(2)).unwrap_or("?");
    let mut numbers = version.split('.').map_while(|number| number.parse::<u32>().ok());
    let found = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    let problem = (found < GIT)
        .then(|| format!("git {version} is too old: install git {major}.{minor} or newer"));
    finding(format!("{version} {}", program.display()), problem)
}

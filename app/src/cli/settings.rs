//! `maestro settings`: what can be set, what is, and setting it. The file alone is read and written; a
//! host is asked only for the name of an agent.

use std::path::Path;

use clap::Subcommand;
use maestro_core::AgentId;
use maestro_core::settings::{self, Setting, Value};
use maestro_engine::settings as file;
use maestro_protocol::Home;
use serde_json::json;

use super::Host;
use super::failure::{Code, Failure, Result};
use super::output::{self, Out};

/// The settings.
#[derive(Debug, Subcommand)]
pub enum Settings {
    /// Print every setting with what holds.
    List {
        /// Only those in whose key, title or description these words are.
        words: Vec<String>,
        /// Only those that are set.
        #[arg(long)]
        changed: bool,
        /// What holds for this agent: its name or id.
        #[arg(long, value_name = "AGENT")]
        agent: Option<String>,
    },
    /// Print what holds for one setting.
    Get {
        /// Its key, such as `terminal.scrollback`.
        key: String,
        /// What holds for this agent: its name or id.
        #[arg(long, value_name = "AGENT")]
        agent: Option<String>,
    },
    /// Set something. It holds at once, also in windows that are open.
    Set {
        /// Its key, such as `terminal.scrollback`.
        key: String,
        /// What it is set to; `maestro settings list` tells what it can be.
        #[arg(allow_hyphen_values = true)]
        value: String,
        /// For this agent alone: its name or id.
        #[arg(long, value_name = "AGENT")]
        agent: Option<String>,
    },
    /// Take out what is set, so that the default holds again.
    Reset {
        /// Which; several can be named.
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        keys: Vec<String>,
        /// Everything that is set.
        #[arg(long)]
        all: bool,
        /// What this agent alone has: its name or id.
        #[arg(long, value_name = "AGENT")]
        agent: Option<String>,
    },
    /// Print where the file is.
    Path,
    /// Say what is wrong with the file, and in which line.
    Check,
}

pub fn run(command: Settings, out: &mut Out) -> Result<()> {
    let home = Home::from_env()?;
    let path = file::path(&home);
    if matches!(command, Settings::Set { .. }) {
        home.create()?;
    }
    match command {
        Settings::List { words, changed, agent } => list(&path, &words, changed, who(agent)?, out),
        Settings::Get { key, agent } => get(&path, known(&key)?, who(agent)?, out),
        Settings::Set { key, value, agent } => {
            let setting = known(&key)?;
            let value =
                setting.parse(&value).map_err(|why| Failure::new(Code::Usage, why + "."))?;
            set(&path, setting, who(agent)?, Some(&value), out)
        }
        Settings::Reset { keys, all, agent } => {
            let keys: Vec<&Setting> = keys.iter().map(|key| known(key)).collect::<Result<_>>()?;
            reset(&path, &keys, all, who(agent)?, out)
        }
        Settings::Path => {
            if out.json {
                return out.value(&json!(path));
            }
            out.line(&path.display().to_string())
        }
        Settings::Check => check(&path, out),
    }
}

/// The setting with this key; otherwise the one that was perhaps meant.
fn known(key: &str) -> Result<&'static Setting> {
    settings::find(key).ok_or_else(|| {
        let key = output::plain(key);
        let text = match settings::nearest(&key) {
            Some(meant) => format!("There is no setting \"{key}\". Did you mean {meant}?"),
            None => format!("There is no setting \"{key}\": `maestro settings list` has all."),
        };
        Failure::new(Code::Usage, text)
    })
}

/// The agent that was named. An id is taken as it is, whether it is there or not.
fn who(named: Option<String>) -> Result<Option<AgentId>> {
    let Some(named) = named else { return Ok(None) };
    if let Ok(id) = named.parse() {
        return Ok(Some(id));
    }
    Host::on_demand()?.agent(&named).map(|agent| Some(agent.id))
}

fn read(path: &Path) -> Result<file::Content> {
    file::read(path).map_err(|problem| Failure::failed(format!("{problem}.")))
}

fn value(content: &file::Content, setting: &Setting, agent: Option<AgentId>) -> serde_json::Value {
    let values = &content.values;
    let own = agent.and_then(|agent| values.own(setting.key, Some(agent)));
    json!({
        "key": setting.key,
        "value": values.get(setting, agent),
        "default": setting.default.value(),
        "set": own.or_else(|| values.own(setting.key, None)).is_some(),
        "own": own.is_some(),
        "per_agent": setting.per_agent,
        "title": setting.title,
        "about": setting.about,
        "allowed": setting.allowed(),
    })
}

/// What holds, as a person reads it.
fn shown(content: &file::Content, setting: &Setting, agent: Option<AgentId>) -> String {
    let value = content.values.get(setting, agent);
    value.map_or_else(|| setting.default.to_string(), |value| value.to_string())
}

fn list(
    path: &Path,
    words: &[String],
    changed: bool,
    agent: Option<AgentId>,
    out: &mut Out,
) -> Result<()> {
    let content = read(path)?;
    let is_set = |setting: &Setting| {
        let own = agent.and_then(|agent| content.values.own(setting.key, Some(agent)));
        own.or_else(|| content.values.own(setting.key, None)).is_some()
    };
    let found: Vec<&Setting> = settings::ALL
        .iter()
        .filter(|setting| setting.is_about(words) && (!changed || is_set(setting)))
        .filter(|setting| agent.is_none() || setting.per_agent || !changed)
        .collect();
    if out.json {
        let found = found.iter().map(|setting| value(&content, setting, agent));
        return out.value(&found.collect());
    }
    let row = |setting: &&Setting| {
        let mark = if is_set(setting) { "*" } else { "" };
        vec![
            setting.key.to_owned(),
            format!("{}{mark}", shown(&content, setting, agent)),
            setting.allowed().into_owned(),
            setting.title.to_owned(),
        ]
    };
    let rows: Vec<Vec<String>> = found.iter().map(row).collect();
    let empty =
        if changed { "Nothing is set: everything has its default." } else { "No such setting." };
    out.table(&["KEY", "VALUE", "CAN BE", "WHAT"], &rows, empty)?;
    if found.iter().any(|setting| is_set(setting)) {
        out.line("* set by you")?;
    }
    Ok(())
}

fn get(path: &Path, setting: &Setting, agent: Option<AgentId>, out: &mut Out) -> Result<()> {
    let content = read(path)?;
    if out.json {
        return out.value(&value(&content, setting, agent));
    }
    out.line(&output::plain(&shown(&content, setting, agent)))
}

fn set(
    path: &Path,
    setting: &'static Setting,
    agent: Option<AgentId>,
    value: Option<&Value>,
    out: &mut Out,
) -> Result<()> {
    let before = file::set(path, setting, agent, value)
        .map_err(|problem| Failure::failed(format!("{problem}.")))?;
    if out.json {
        let now = read(path)?;
        return out.value(&json!({
            "key": setting.key,
            "agent": agent,
            "before": before,
            "value": now.values.get(setting, agent),
        }));
    }
    let was = before.map_or_else(|| "not set".to_owned(), |before| before.to_string());
    let now = shown(&read(path)?, setting, agent);
    out.line(&output::plain(&format!("{}: {now} (it was {was})", setting.key)))
}

fn reset(
    path: &Path,
    keys: &[&'static Setting],
    all: bool,
    agent: Option<AgentId>,
    out: &mut Out,
) -> Result<()> {
    let content = read(path)?;
    let set = |setting: &&&Setting| content.values.own(setting.key, agent).is_some();
    let all: Vec<&Setting> = if all { settings::ALL.iter().collect() } else { Vec::new() };
    let which: Vec<&'static Setting> = match keys {
        [] => all.iter().filter(set).copied().collect(),
        keys => keys.to_vec(),
    };
    for setting in &which {
        let _ = file::set(path, setting, agent, None)
            .map_err(|problem| Failure::failed(format!("{problem}.")))?;
    }
    if out.json {
        let keys: Vec<&str> = which.iter().map(|setting| setting.key).collect();
        return out.value(&json!({ "reset": keys, "agent": agent }));
    }
    if which.is_empty() {
        return out.line("Nothing was set.");
    }
    let content = read(path)?;
    for setting in which {
        let now = shown(&content, setting, agent);
        out.line(&output::plain(&format!("{}: {now}", setting.key)))?;
    }
    Ok(())
}

fn check(path: &Path, out: &mut Out) -> Result<()> {
    let checked = file::read(path);
    if out.json {
        let (line, why) = match &checked {
            Ok(_) => (None, None),
            Err(problem) => (problem.line, Some(&problem.why)),
        };
        let unknown = checked.iter().flat_map(|content| &content.unknown);
        let unknown: Vec<_> =
            unknown.map(|it| json!({ "line": it.line, "problem": it.why })).collect();
        out.value(&json!({ "path": path, "line": line, "problem": why, "unknown": unknown }))?;
        return checked.map(|_| ()).map_err(|_| Failure::silent());
    }
    match checked {
        Ok(content) => {
            for problem in &content.unknown {
                out.line(&output::plain(&format!("{problem}.")))?;
            }
            match (path.exists(), content.unknown.len()) {
                (false, _) => out.line("There is no such file: everything has its default."),
                (true, 0) => out.line("All is well."),
                (true, _) => out.line("Everything else holds."),
            }
        }
        Err(problem) => Err(Failure::failed(format!("{problem}."))),
    }
}

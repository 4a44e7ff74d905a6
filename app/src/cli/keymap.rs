//! `maestro commands` and `maestro keymap`: everything the window can be made to do, and the chords that
//! do it. The file alone is read and written; windows that are open read it again by themselves.

use std::path::Path;

use clap::{Args, Subcommand};
use maestro_core::command::{self, Command, Id};
use maestro_core::fuzzy;
use maestro_core::keymap::{Keymap, Keys as Chords, Platform};
use maestro_engine::keymap as file;
use maestro_protocol::Home;
use serde_json::{Value, json};

use super::failure::{Code, Failure, Result};
use super::output::{self, Out};

/// A larger keymap is none, in bytes.
const LARGEST: u64 = 256 * 1024;

/// Every command of the window.
#[derive(Debug, Args)]
pub struct Commands {
    /// Only those in whose name, title or description these words are.
    words: Vec<String>,
}

/// The chords.
#[derive(Debug, Subcommand)]
pub enum Keys {
    /// Print every command that has a chord, with it.
    List {
        /// Only those in whose name, title or description these words are.
        words: Vec<String>,
        /// Only those whose chords are your own.
        #[arg(long)]
        changed: bool,
    },
    /// Give a command other chords; without any it has none. They hold at once, also in open windows.
    Set {
        /// Its name, such as `agent.new`: `maestro commands` has all.
        command: String,
        /// Its chords, such as `Mod+Shift+N`; two that are pressed one after the other as one word:
        /// `"Alt+Mod+X N"`.
        chords: Vec<String>,
        /// Take the chords from the commands that have them.
        #[arg(long)]
        take: bool,
    },
    /// Take out what is set, so that the default chords hold again.
    Reset {
        /// Which; several can be named.
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        commands: Vec<String>,
        /// All that is set.
        #[arg(long)]
        all: bool,
    },
    /// Print your own chords as a file.
    Export,
    /// Take over the chords of a file, beside those that are set here.
    Import {
        /// The file.
        file: std::path::PathBuf,
    },
    /// Print where the file is.
    Path,
    /// Say what is wrong with the file, and in which line.
    Check,
}

pub fn commands(arguments: &Commands, out: &mut Out) -> Result<()> {
    let content = read(&file::path(&Home::from_env()?))?;
    list(&content, &arguments.words, false, true, out)
}

pub fn run(keys: Keys, out: &mut Out) -> Result<()> {
    let home = Home::from_env()?;
    let path = file::path(&home);
    if matches!(keys, Keys::Set { .. } | Keys::Import { .. }) {
        home.create()?;
    }
    match keys {
        Keys::List { words, changed } => list(&read(&path)?, &words, changed, false, out),
        Keys::Set { command, chords, take } => {
            let id = known(&command)?;
            let chords = chords.iter().map(|chord| parsed(chord)).collect::<Result<Vec<_>>>()?;
            set(&path, id, &chords, take, out)
        }
        Keys::Reset { commands, all } => {
            let named = commands.iter().map(|name| known(name)).collect::<Result<Vec<_>>>()?;
            let own = read(&path)?.own;
            let which = if all { own.into_iter().map(|(id, _)| id).collect() } else { named };
            for id in &which {
                file::set(&path, *id, None, Platform::HERE).map_err(refused)?;
            }
            shown(&path, &which, out)
        }
        Keys::Export => {
            let content = read(&path)?;
            if out.json {
                let own = content
                    .own
                    .iter()
                    .map(|(id, chords)| (id.name().to_owned(), json!(texts(chords))));
                return out.value(&Value::Object(own.collect()));
            }
            out.bytes(file::own_text(&content.own).as_bytes())
        }
        Keys::Import { file } => import(&path, &file, out),
        Keys::Path => {
            if out.json {
                return out.value(&json!(path));
            }
            out.line(&path.display().to_string())
        }
        Keys::Check => check(&path, out),
    }
}

fn refused(problem: file::Problem) -> Failure {
    Failure::failed(output::plain(&format!("{problem}.")))
}

fn read(path: &Path) -> Result<file::Content> {
    file::read(path, Platform::HERE).map_err(refused)
}

fn parsed(text: &str) -> Result<Chords> {
    text.parse().map_err(|error| Failure::new(Code::Usage, output::plain(&format!("{error}."))))
}

/// The command with this name; otherwise the one that was perhaps meant.
pub fn known(name: &str) -> Result<Id> {
    name.parse().map_err(|_| {
        let name = output::plain(name);
        let near = command::ALL.iter().filter_map(|it| Some((fuzzy::find(&name, it.name)?, it)));
        let text = match near.max_by_key(|(found, _)| found.score) {
            Some((_, meant)) => {
                format!("There is no command `{name}`. Did you mean {}?", meant.name)
            }
            None => format!("There is no command `{name}`: `maestro commands` has all."),
        };
        Failure::new(Code::Usage, text)
    })
}

fn texts(chords: &[Chords]) -> Vec<String> {
    chords.iter().map(ToString::to_string).collect()
}

fn titles(keymap: &Keymap, id: Id) -> String {
    let titles = keymap.chords(id).iter().map(|chord| chord.title(Platform::HERE));
    titles.collect::<Vec<_>>().join(", ")
}

fn value(command: &Command, content: &file::Content, keymap: &Keymap) -> Value {
    json!({
        "name": command.name,
        "title": command.title,
        "about": command.description,
        "group": command.group.title(),
        "where": command.context.title(),
        "needs": Some(command.need().title()).filter(|title| !title.is_empty()),
        "takes": command.argument().map(command::Argument::title),
        "listed": command.listed,
        "chords": texts(keymap.chords(command.id)),
        "default": command.default_chords(Platform::HERE),
        "own": content.own.iter().any(|(id, _)| *id == command.id),
    })
}

fn is_about(command: &Command, words: &[String]) -> bool {
    let text = format!("{} {} {}", command.name, command.title, command.description).to_lowercase();
    words.iter().all(|word| text.contains(&word.to_lowercase()))
}

fn list(
    content: &file::Content,
    words: &[String],
    changed: bool,
    all: bool,
    out: &mut Out,
) -> Result<()> {
    let keymap = content.keymap(Platform::HERE);
    let own = |id: Id| content.own.iter().any(|(own, _)| *own == id);
    let found: Vec<&Command> = command::ALL
        .iter()
        .filter(|command| is_about(command, words) && (!changed || own(command.id)))
        .filter(|command| all || own(command.id) || !keymap.chords(command.id).is_empty())
        .collect();
    if out.json {
        return out.value(&found.iter().map(|it| value(it, content, &keymap)).collect());
    }
    let row = |command: &&Command| {
        let mark = if own(command.id) { "*" } else { "" };
        vec![
            command.name.to_owned(),
            format!("{}{mark}", titles(&keymap, command.id)),
            command.context.title().to_owned(),
            command.title.trim_end_matches('…').to_owned(),
        ]
    };
    let rows: Vec<Vec<String>> = found.iter().map(row).collect();
    let empty = if changed { "All chords are the default ones." } else { "No such command." };
    out.table(&["COMMAND", "CHORDS", "WHERE", "WHAT"], &rows, empty)?;
    if found.iter().any(|command| own(command.id)) {
        out.line("* your own")?;
    }
    Ok(())
}

fn set(path: &Path, id: Id, chords: &[Chords], take: bool, out: &mut Out) -> Result<()> {
    let mut changed = vec![id];
    let context = id.command().context;
    // What cannot be had is refused before anything is taken for it.
    if let Some(chord) = chords.iter().find(|chord| context.is_written_in() && chord.writes()) {
        let text = format!(
            "{chord} writes something where `{}` holds ({}): hold Mod, Ctrl or Alt with it.",
            id.name(),
            context.title()
        );
        return Err(Failure::failed(text));
    }
    let content = read(path)?;
    let keymap = content.keymap(Platform::HERE);
    let mut left: Vec<(Id, Vec<Chords>)> = Vec::new();
    for chord in chords {
        for (holder, own) in keymap.in_the_way(context, *chord) {
            if holder == id {
                continue;
            }
            if !take {
                let text = format!(
                    "{} is `{}` ({}) already. `--take` takes it from there.",
                    own.title(Platform::HERE),
                    holder.name(),
                    holder.command().title.trim_end_matches('…'),
                );
                return Err(Failure::failed(text));
            }
            let known = left.iter().position(|(other, _)| *other == holder);
            let at = known.unwrap_or_else(|| {
                left.push((holder, keymap.chords(holder).to_vec()));
                left.len() - 1
            });
            left[at].1.retain(|other| *other != own);
        }
    }
    for (holder, left) in left {
        file::set(path, holder, Some(&left), Platform::HERE).map_err(refused)?;
        changed.push(holder);
    }
    file::set(path, id, Some(chords), Platform::HERE).map_err(refused)?;
    shown(path, &changed, out)
}

/// The chords that these commands have now.
fn shown(path: &Path, which: &[Id], out: &mut Out) -> Result<()> {
    let content = read(path)?;
    let keymap = content.keymap(Platform::HERE);
    if out.json {
        let which = which.iter().map(|id| value(id.command(), &content, &keymap));
        return out.value(&which.collect());
    }
    if which.is_empty() {
        return out.line("Nothing was set.");
    }
    for id in which {
        let titles = titles(&keymap, *id);
        let titles = if titles.is_empty() { "no chord" } else { &titles };
        out.line(&format!("{}: {titles}", id.name()))?;
    }
    Ok(())
}

fn import(path: &Path, from: &Path, out: &mut Out) -> Result<()> {
    if std::fs::metadata(from).is_ok_and(|about| about.len() > LARGEST) || !from.is_file() {
        let from = output::plain(&from.display().to_string());
        return Err(Failure::failed(format!("{from} is no keymap.")));
    }
    let wanted = read(from)?.own;
    let before = file::own_text(&read(path)?.own);
    for (id, chords) in &wanted {
        if let Err(problem) = file::set(path, *id, Some(chords), Platform::HERE) {
            let kept = if before == file::own_text(&read(path)?.own) {
                "nothing was taken over"
            } else {
                "what comes before it was taken over"
            };
            return Err(Failure::failed(output::plain(&format!("{problem}; {kept}."))));
        }
    }
    let which: Vec<Id> = wanted.iter().map(|(id, _)| *id).collect();
    shown(path, &which, out)
}

fn check(path: &Path, out: &mut Out) -> Result<()> {
    let checked = file::read(path, Platform::HERE);
    if out.json {
        let (line, why) = match &checked {
            Ok(_) => (None, None),
            Err(problem) => (problem.line, Some(&problem.why)),
        };
        let unknown = checked.iter().flat_map(|content| &content.unknown);
        let unknown: Vec<_> =
            unknown.map(|it| json!({ "line": it.line, "problem": it.why })).collect();
        let lost = checked.iter().flat_map(|content| &content.lost).map(|lost| {
            json!({ "chord": lost.chord, "now": lost.first.name(), "was": lost.second.name() })
        });
        let lost: Vec<_> = lost.collect();
        out.value(&json!({
            "path": path, "line": line, "problem": why, "unknown": unknown, "lost": lost,
        }))?;
        return checked.map(|_| ()).map_err(|_| Failure::silent());
    }
    let content = checked.map_err(refused)?;
    for problem in &content.unknown {
        out.line(&output::plain(&format!("{problem}.")))?;
    }
    for lost in &content.lost {
        let (now, was) = (lost.first.name(), lost.second.name());
        out.line(&format!("{} is `{now}` now, and not `{was}` any more.", lost.chord))?;
    }
    match (path.exists(), content.unknown.len() + content.lost.len()) {
        (false, _) => out.line("There is no such file: every command has its default chords."),
        (true, 0) => out.line("All is well."),
        (true, _) => out.line("Everything else holds."),
    }
}

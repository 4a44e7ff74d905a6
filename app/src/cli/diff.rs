//! `maestro diff`.

use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use maestro_core::RunId;
use maestro_core::changes::{
    Answer, Ask, Body, Deed, Discard, EntryKind, File, FileLines, Hunk, Line, LineEnd, Listing,
    Look, MAX_LINES, Name, Pick, Source, Status,
};
use maestro_core::diff::Kind;
use maestro_protocol::message::{Command, Reply};
use serde_json::{Value, json};

use super::Host;
use super::agent::absolute;
use super::failure::{Code, Failure, Result, unexpected};
use super::output::{self, Out};

/// The arguments of `maestro diff`.
#[derive(Debug, clap::Args)]
pub struct Diff {
    /// An agent (by name or id) or a directory; where this is run when absent.
    #[arg(value_name = "NAME|DIR", default_value = ".", hide_default_value = true)]
    place: String,
    /// Only these files and folders.
    paths: Vec<PathBuf>,
    #[command(flatten)]
    which: Which,
    /// Only the files, with how many lines of each came and went.
    #[arg(long)]
    stat: bool,
    /// Lines around each change.
    #[arg(long, short = 'U', value_name = "LINES", default_value_t = 3)]
    unified: u32,
    /// Leave out changes of nothing but white space.
    #[arg(long, short = 'w')]
    ignore_blanks: bool,
    #[command(flatten)]
    deed: Deeds,
    /// With one path: only these hunks of it, counted from 1 as they are shown.
    #[arg(long, value_name = "NUMBER")]
    hunk: Vec<usize>,
}

/// What is held against what.
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
struct Which {
    /// What is staged, against the last commit.
    #[arg(long)]
    staged: bool,
    /// Everything since the work parted from a branch, what is not committed included.
    #[arg(long, value_name = "BRANCH", num_args = 0..=1, default_missing_value = "")]
    base: Option<String>,
    /// What a commit changed.
    #[arg(long, value_name = "COMMIT")]
    commit: Option<String>,
    /// What a task of a run changed: `r3:2` is the second one of run r3.
    #[arg(long, value_name = "RUN:NUMBER", value_parser = task)]
    task: Option<(RunId, u32)>,
}

/// What is done with the changes.
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
struct Deeds {
    /// Stage the named files.
    #[arg(long, conflicts_with_all = ["staged", "base", "commit", "task"])]
    stage: bool,
    /// Take the named files out of the index again; they stay as they are.
    #[arg(long, conflicts_with_all = ["base", "commit", "task"])]
    unstage: bool,
    /// Put the named files back to what the index has; `--undo` brings the changes back.
    #[arg(long, conflicts_with_all = ["staged", "base", "commit", "task"])]
    discard: bool,
    /// Bring back what was discarded: the latest, or the one with this id.
    #[arg(long, value_name = "ID", num_args = 0..=1, default_missing_value = "")]
    undo: Option<String>,
    /// What was discarded here and can be brought back.
    #[arg(long)]
    discards: bool,
}

fn task(text: &str) -> std::result::Result<(RunId, u32), String> {
    let wrong = || "expected a run and the number of a task, such as r3:2".to_owned();
    let (run, number) = text.split_once(':').ok_or_else(wrong)?;
    let run = run.parse::<RunId>().map_err(|error| error.to_string())?;
    let number: u32 = number.parse().map_err(|_| wrong())?;
    Ok((run, number.checked_sub(1).ok_or_else(wrong)?))
}

pub fn run(arguments: &Diff, out: &mut Out) -> Result<()> {
    let mut host = Host::on_demand()?;
    let place = place(&mut host, &arguments.place)?;
    let look = Look { context: arguments.unified, ignore_blanks: arguments.ignore_blanks };
    let deeds = &arguments.deed;
    if deeds.discards {
        return discards(&mut host, place, out);
    }
    if let Some(id) = &deeds.undo {
        let discard = Some(id.clone()).filter(|id| !id.is_empty());
        return match ask(&mut host, Ask::Undo { directory: place, discard })? {
            Answer::Discarded(discard) => told(&discard, "brought back", out),
            _ => Err(Failure::failed("the host answered something else")),
        };
    }
    let source = source(arguments);
    let deed = match (deeds.stage, deeds.unstage, deeds.discard) {
        (true, ..) => Some(Deed::Stage),
        (_, true, _) => Some(Deed::Unstage),
        (.., true) => Some(Deed::Discard),
        _ => None,
    };
    if deed.is_none() && !arguments.hunk.is_empty() {
        return Err(Failure::new(
            Code::Usage,
            "--hunk says of which hunks --stage, --unstage or --discard is",
        ));
    }
    let mut listing = list(&mut host, &place, &source)?;
    let wanted = wanted(&arguments.paths, &place, &listing.checkout)?;
    let all = listing.files.len();
    listing.files.retain(|file| is_wanted(file, &wanted));
    if let Some(deed) = deed {
        let at = At { place: &place, source: &source, look };
        return change(&mut host, deed, at, &listing, arguments, out);
    }
    let more = u64::from(listing.total).saturating_sub(all as u64);
    if arguments.stat {
        return if out.json { out.value(&json!(listing)) } else { stat(&listing, more, out) };
    }
    let at = At { place: &place, source: &source, look };
    let colour = Colour(!out.json && std::io::stdout().is_terminal());
    let mut files = Vec::new();
    for file in &listing.files {
        let (shown, lines) = read(&mut host, at, file)?;
        if out.json {
            files.push(file_json(file, &shown, &lines));
        } else {
            show(file, &shown, &lines, colour, out)?;
        }
    }
    if out.json {
        let mut value = json!(listing);
        value["files"] = Value::Array(files);
        return out.value(&value);
    }
    if more > 0 {
        super::complain(&format!("{more} more files differ and are not shown"));
    }
    Ok(())
}

/// The directory that a user means: an agent's, or one that is named.
pub fn place(host: &mut Host, named: &str) -> Result<PathBuf> {
    let is_path = named == "." || named.contains(['/', '\\']);
    if !is_path && let Ok(agent) = host.agent(named) {
        return Ok(agent.directory);
    }
    let path = Path::new(named);
    if path.is_dir() {
        return absolute(path);
    }
    let text = format!(
        "there is no agent and no directory `{named}`; files come after the place: `maestro diff . FILE`"
    );
    Err(Failure::failed(text))
}

/// Asks about changes.
pub fn ask(host: &mut Host, ask: Ask) -> Result<Answer> {
    match host.ask(Command::Changes(ask))? {
        Reply::Changes(answer) => Ok(answer),
        other => Err(unexpected(&other)),
    }
}

fn source(arguments: &Diff) -> Source {
    let which = &arguments.which;
    if let Some(base) = &which.base {
        return Source::Base(Some(base.clone()).filter(|base| !base.is_empty()));
    }
    if let Some(commit) = &which.commit {
        return Source::Commit(commit.clone());
    }
    if let Some((run, task)) = which.task {
        return Source::Task { run, task };
    }
    if which.staged || arguments.deed.unstage { Source::Staged } else { Source::WorkingTree }
}

fn list(host: &mut Host, place: &Path, source: &Source) -> Result<Listing> {
    let asked =
        Ask::List { directory: place.to_owned(), source: source.clone(), paths: Vec::new() };
    match ask(host, asked)? {
        Answer::List(listing) => Ok(*listing),
        _ => Err(Failure::failed("the host answered something else")),
    }
}

/// Paths as git has them: below the place, relative to the checkout.
fn wanted(paths: &[PathBuf], place: &Path, checkout: &Path) -> Result<Vec<Name>> {
    let place = place.canonicalize().unwrap_or_else(|_| place.to_owned());
    paths
        .iter()
        .map(|path| {
            // A file that is gone cannot be looked up, only its name can be tidied.
            let mut full = PathBuf::new();
            for part in place.join(path).components() {
                match part {
                    std::path::Component::ParentDir => {
                        let _ = full.pop();
                    }
                    std::path::Component::CurDir => {}
                    part => full.push(part),
                }
            }
            let inside = full.strip_prefix(checkout).map_err(|_| {
                let (path, checkout) = (path.display(), checkout.display());
                Failure::failed(format!("{path} is not in {checkout}"))
            })?;
            Ok(Name::of_path(inside))
        })
        .collect()
}

fn is_wanted(file: &File, wanted: &[Name]) -> bool {
    let is_below = |name: &Name, wanted: &Name| {
        let (name, wanted) = (name.as_bytes(), wanted.as_bytes());
        wanted.is_empty()
            || name.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
    };
    wanted.is_empty()
        || wanted.iter().any(|wanted| {
            is_below(&file.name, wanted)
                || file.old_name.as_ref().is_some_and(|old| is_below(old, wanted))
        })
}

/// What is looked at, and how.
#[derive(Debug, Clone, Copy)]
pub struct At<'a> {
    pub place: &'a Path,
    pub source: &'a Source,
    pub look: Look,
}

/// The ids of hunks of a file, by their numbers as they are shown.
pub fn hunks(host: &mut Host, at: At<'_>, file: &Name, numbers: &[usize]) -> Result<Vec<u64>> {
    let asked = Ask::Lines {
        directory: at.place.to_owned(),
        source: at.source.clone(),
        file: file.clone(),
        look: at.look,
        lines: 0..0,
    };
    let Answer::Lines(shown) = ask(host, asked)? else {
        return Err(Failure::failed("the host answered something else"));
    };
    let id = |number: &usize| {
        let hunk = number.checked_sub(1).and_then(|at| shown.hunks.get(at));
        let text = || format!("{file} has {} hunks, no {number}", shown.hunks.len());
        hunk.map(|hunk| hunk.id).ok_or_else(|| Failure::failed(text()))
    };
    numbers.iter().map(id).collect()
}

/// All lines of a file.
fn read(host: &mut Host, at: At<'_>, file: &File) -> Result<(FileLines, Vec<Line>)> {
    let mut lines = Vec::new();
    loop {
        let first = lines.len() as u32;
        let asked = Ask::Lines {
            directory: at.place.to_owned(),
            source: at.source.clone(),
            file: file.name.clone(),
            look: at.look,
            lines: first..first.saturating_add(MAX_LINES),
        };
        let Answer::Lines(mut shown) = ask(host, asked)? else {
            return Err(Failure::failed("the host answered something else"));
        };
        let came = shown.lines.len();
        lines.append(&mut shown.lines);
        if came == 0 || lines.len() as u32 >= shown.total {
            return Ok((*shown, lines));
        }
    }
}

fn change(
    host: &mut Host,
    deed: Deed,
    at: At<'_>,
    listing: &Listing,
    arguments: &Diff,
    out: &mut Out,
) -> Result<()> {
    if arguments.paths.is_empty() {
        return Err(Failure::new(
            Code::Usage,
            "say which files: a place first (`.`), then files and folders",
        ));
    }
    if listing.files.is_empty() {
        return Err(Failure::failed("nothing of that differs"));
    }
    let mut picks = Vec::new();
    for file in &listing.files {
        let mut hunks = None;
        if !arguments.hunk.is_empty() {
            if listing.files.len() > 1 {
                return Err(Failure::new(Code::Usage, "--hunk is of one file; name that"));
            }
            hunks = Some(self::hunks(host, at, &file.name, &arguments.hunk)?);
        }
        picks.push(Pick { file: file.name.clone(), hunks });
    }
    let asked = Ask::Change { directory: at.place.to_owned(), deed, picks, look: at.look };
    match ask(host, asked)? {
        Answer::Discarded(discard) => told(&discard, "discarded", out),
        Answer::Done => {
            let files: Vec<&Name> = listing.files.iter().map(|file| &file.name).collect();
            if out.json {
                return out.value(&json!({ "files": files }));
            }
            let word = if deed == Deed::Stage { "staged" } else { "unstaged" };
            out.line(&format!("{word} {}", counted(files.len())))
        }
        _ => Err(Failure::failed("the host answered something else")),
    }
}

pub fn told(discard: &Discard, word: &str, out: &mut Out) -> Result<()> {
    if out.json {
        return out.value(&json!(discard));
    }
    let back = if word == "discarded" {
        format!("; `maestro diff --undo {}` brings it back", discard.id)
    } else {
        String::new()
    };
    out.line(&format!("{word} {}{back}", counted(discard.files.len())))
}

fn discards(host: &mut Host, place: PathBuf, out: &mut Out) -> Result<()> {
    let Answer::Discards(discards) = ask(host, Ask::Discards { directory: place })? else {
        return Err(Failure::failed("the host answered something else"));
    };
    if out.json {
        return out.value(&json!(discards));
    }
    let row = |discard: &Discard| {
        let names: Vec<PathBuf> =
            discard.files.iter().map(|name| name.shown().into_owned().into()).collect();
        vec![discard.id.clone(), output::ago(discard.at_ms), super::conflicts::named(&names)]
    };
    let rows: Vec<_> = discards.iter().map(row).collect();
    out.table(&["ID", "WHEN", "FILES"], &rows, "nothing was discarded here")
}

fn counted(files: usize) -> String {
    if files == 1 { "1 file".to_owned() } else { format!("{files} files") }
}

fn stat(listing: &Listing, more: u64, out: &mut Out) -> Result<()> {
    let number = |sign, count: Option<u32>| count.map(|n| format!("{sign}{n}")).unwrap_or_default();
    let row = |file: &File| {
        vec![
            word(file).to_owned(),
            number('+', file.added),
            number('-', file.removed),
            named(file) + &note(file),
        ]
    };
    let rows: Vec<_> = listing.files.iter().map(row).collect();
    let empty = format!("nothing differs between {} and {}", listing.from, listing.to);
    out.table(&["WHAT", "CAME", "WENT", "FILE"], &rows, &output::plain(&empty))?;
    if let Some(what) = &listing.under_way {
        out.line(&format!("a {what} is under way"))?;
    }
    if more > 0 {
        out.line(&format!("and {more} more files"))?;
    }
    Ok(())
}

fn word(file: &File) -> &'static str {
    match file.status {
        Status::Added => "new",
        Status::Untracked => "untracked",
        Status::Deleted => "deleted",
        Status::Modified => "changed",
        Status::Renamed => "renamed",
        Status::Copied => "copied",
        Status::TypeChanged => "another type",
        Status::Conflicted => "conflict",
    }
}

fn named(file: &File) -> String {
    let name = output::plain(&file.name.shown());
    match &file.old_name {
        Some(old) => format!("{} → {name}", output::plain(&old.shown())),
        None => name,
    }
}

/// What is to be said of a file beside its lines.
fn note(file: &File) -> String {
    let (before, after) = (&file.before, &file.after);
    let word = |kind| match kind {
        EntryKind::Executable => "a program",
        EntryKind::Link => "a link",
        EntryKind::Submodule => "a repository",
        EntryKind::File | EntryKind::Nothing => "a plain file",
    };
    let mut notes = Vec::new();
    let is_there = |kind| kind != EntryKind::Nothing;
    if before.kind != after.kind && is_there(before.kind) && is_there(after.kind) {
        notes.push(format!("now {}", word(after.kind)));
    } else if matches!(after.kind, EntryKind::Link | EntryKind::Submodule) {
        notes.push(word(after.kind).to_owned());
    }
    if !file.is_text() {
        let size = |size: Option<u64>| size.map(|size| format!("{size} bytes"));
        match (size(before.size), size(after.size)) {
            (Some(before), Some(after)) => notes.push(format!("{before} → {after}")),
            (Some(one), None) | (None, Some(one)) => notes.push(one),
            (None, None) => {}
        }
    }
    if notes.is_empty() { String::new() } else { format!(" ({})", notes.join(", ")) }
}

/// Colours for a terminal, or none.
#[derive(Debug, Clone, Copy)]
struct Colour(bool);

impl Colour {
    fn paint(self, code: &str, text: &str) -> String {
        if self.0 && !text.is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.into() }
    }
}

fn show(
    file: &File,
    shown: &FileLines,
    lines: &[Line],
    colour: Colour,
    out: &mut Out,
) -> Result<()> {
    let counts = match (file.added, file.removed) {
        (Some(added), Some(removed)) => format!("  +{added} -{removed}"),
        _ => String::new(),
    };
    let head = format!("{} {}{}{counts}", word(file), named(file), note(file));
    let mut text = colour.paint("1", &head) + "\n";
    if shown.body == Body::Binary {
        text += "no text\n";
    }
    for hunk in &shown.hunks {
        let Hunk { old, old_lines, new, new_lines, about, .. } = hunk;
        let place = format!("@@ -{old},{old_lines} +{new},{new_lines} @@");
        let _ = writeln!(text, "{} {}", colour.paint("36", &place), output::plain(about));
        let range = hunk.at as usize..(hunk.at + hunk.len) as usize;
        for line in lines.get(range).unwrap_or_default() {
            show_line(line, colour, &mut text);
        }
    }
    if shown.is_cut {
        text += "and more than is looked at\n";
    }
    out.bytes(text.as_bytes())
}

fn show_line(line: &Line, colour: Colour, text: &mut String) {
    let (sign, code) = match line.kind {
        Kind::Added => ("+", "32"),
        Kind::Removed => ("-", "31"),
        Kind::Same | Kind::Gap => (" ", ""),
    };
    text.push_str(&if code.is_empty() { sign.to_owned() } else { colour.paint(code, sign) });
    let mut at = 0;
    let visible = |part: Option<&str>| part.map(tabs_stay).unwrap_or_default();
    let paint = |code: &str, part: &str| {
        if code.is_empty() { part.to_owned() } else { colour.paint(code, part) }
    };
    for mark in &line.marks {
        let (start, end) = (mark.start as usize, mark.end as usize);
        text.push_str(&paint(code, &visible(line.text.get(at..start))));
        let strong = if code.is_empty() { String::new() } else { format!("{code};7") };
        text.push_str(&paint(&strong, &visible(line.text.get(start..end))));
        at = end;
    }
    text.push_str(&paint(code, &visible(line.text.get(at..))));
    text.push('\n');
    match line.end {
        LineEnd::Nothing => text.push_str("\\ No line feed at the end of the file\n"),
        LineEnd::Cut => text.push_str("\\ The line goes on\n"),
        LineEnd::Lf | LineEnd::CrLf => {}
    }
}

/// A part of a line in which nothing moves the cursor but tabs.
fn tabs_stay(text: &str) -> String {
    text.split('\t').map(output::plain).collect::<Vec<_>>().join("\t")
}

fn file_json(file: &File, shown: &FileLines, lines: &[Line]) -> Value {
    let mut value = json!(file);
    value["body"] = json!(shown.body);
    value["is_cut"] = json!(shown.is_cut);
    let hunk = |hunk: &Hunk| {
        let mut value = json!(hunk);
        // More than a number of JSON holds exactly.
        value["id"] = json!(format!("{:016x}", hunk.id));
        let range = hunk.at as usize..(hunk.at + hunk.len) as usize;
        value["lines"] = json!(lines.get(range).unwrap_or_default());
        value
    };
    value["hunks"] = Value::Array(shown.hunks.iter().map(hunk).collect());
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_are_counted_from_one() {
        assert_eq!(task("r3:2"), Ok((RunId(3), 1)));
        for wrong in ["r3", "r3:0", "3:1", "r3:x", ":", "r3:-1"] {
            assert!(task(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn paths_are_taken_from_the_place() {
        let (place, checkout) = (Path::new("/app/src"), Path::new("/app"));
        let wanted = |path: &str| {
            let found = wanted(&[path.into()], place, checkout).ok()?;
            found.into_iter().next().map(|name| name.shown().into_owned())
        };
        for (path, expected) in [
            ("a", Some("src/a")),
            ("./b/../a", Some("src/a")),
            ("..", Some("")),
            ("../x", Some("x")),
            ("/app/y", Some("y")),
            ("../../z", None),
        ] {
            assert_eq!(wanted(path).as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn nothing_in_a_line_moves_the_cursor() {
        let line = Line {
            kind: Kind::Added,
            old: None,
            new: Some(1),
            text: "a\tb\x1b[2J c".into(),
            marks: std::iter::once(0..1).collect(),
            end: LineEnd::Nothing,
        };
        let mut plain = String::new();
        show_line(&line, Colour(false), &mut plain);
        assert_eq!(plain, "+a\tb·[2J c\n\\ No line feed at the end of the file\n");
        let mut coloured = String::new();
        show_line(&line, Colour(true), &mut coloured);
        assert!(coloured.starts_with("\x1b[32m+\x1b[0m\x1b[32;7ma\x1b[0m"), "{coloured:?}");
    }
}

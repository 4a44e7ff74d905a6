//! Starting a run: which documents, who works on them, and the user's agreement to the commands that
//! would decide about them.

use std::fs::File;
use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use maestro_core::AgentId;
use maestro_core::agent::Provider;
use maestro_core::playbook::{Found, Plan};
use maestro_core::run::{Branching, Options, Run, Spec};
use maestro_protocol::client;
use maestro_protocol::message::{Command, ErrorKind, Reply, World};
use serde_json::json;

use super::super::agent::absolute;
use super::super::failure::{Code, Failure, Result, unexpected};
use super::super::output::{self, Out, now_ms};
use super::super::talk::interrupts;
use super::super::{Host, find_agent};
use super::options::Start;
use super::steps::title;
use super::{follow, plan};

/// Longest template of a prompt, in bytes. Every session would be sent it.
const PROMPT: u64 = 256 << 10;

pub fn run(arguments: Start, out: &mut Out) -> Result<()> {
    let programs_read = arguments.following.jsonl || out.json;
    let started = begin(&arguments, out);
    if let (true, Err(failure)) = (programs_read && !arguments.dry_run, &started)
        && failure.code == Code::Refused
    {
        out.json_line(&json!({
            "type": "refused",
            "run": null,
            "timestamp": now_ms(),
            "because": failure.message,
        }))?;
    }
    let Some(Started { mut host, run, pressed }) = started? else { return Ok(()) };
    if arguments.detach {
        return if out.json {
            out.value(&output::run(&run))
        } else {
            out.line(&run.id.to_string())
        };
    }
    follow::started(&mut host, run, pressed, arguments.following, out)
}

/// A run that was started.
struct Started {
    host: Host,
    run: Run,
    /// How often Ctrl+C was pressed since before it began.
    pressed: Arc<AtomicU32>,
}

/// Starts it; nothing when it was only asked what would be done.
fn begin(arguments: &Start, out: &mut Out) -> Result<Option<Started>> {
    // What no host could do is said before one is started.
    let work = Work::of(&arguments.files)?;
    let prompt = arguments.rules.prompt_file.as_deref().map(read_prompt).transpose()?;
    let mut host = Host::on_demand()?;
    // Followed from before it starts, so that no step is missed.
    let world = host.world(!arguments.detach)?;
    let (documents, found) = match work {
        Work::Documents(documents) => (documents, None),
        Work::Folder(folder) => {
            let found = by_folder(&mut host, &folder)?;
            (found.documents(), Some(found))
        }
        Work::Named(name) => {
            let found = by_name(&mut host, &name, arguments.dir.as_deref())?;
            (found.documents(), Some(found))
        }
    };
    let who = who(arguments, found.as_ref(), world)?;
    let directory = match (&arguments.dir, &who.directory) {
        (Some(directory), _) => absolute(directory)?,
        (None, Some(directory)) => directory.clone(),
        (None, None) => absolute(Path::new("."))?,
    };
    let model = arguments.model.clone();
    let mut spec = Spec {
        options: options(arguments, found.as_ref(), &documents, prompt),
        documents,
        directory,
        provider: who.provider,
        agent: who.agent,
        model: model.or_else(|| found.and_then(|found| found.playbook.model)),
        turn_timeout_s: arguments.turn_timeout,
        silence_timeout_s: arguments.silence_timeout,
        verify_timeout_s: arguments.verify_timeout,
        attempts: arguments.attempts,
        unattended: !arguments.ask,
    };
    let plan = match host.client.request(Command::PlanRun(spec.clone()), super::super::PATIENCE) {
        Ok(Reply::Plan(plan)) => *plan,
        Ok(other) => return Err(unexpected(&other)),
        Err(client::Error::Host(error)) if is_refusal(error.kind) => {
            return Err(Failure::new(Code::Refused, error.to_string()));
        }
        Err(error) => return Err(error.into()),
    };
    if arguments.dry_run {
        return plan::tell(&plan, &spec, arguments, out).map(|()| None);
    }
    if arguments.require_verify
        && let Some(task) = plan.tasks.iter().find(|task| task.verify.is_none())
    {
        let sentence = format!(
            "no command decides about “{}” ({}:{}): give it a `verify:` field, or --verify one for all",
            output::plain(&task.text),
            task.document.display(),
            task.line
        );
        return Err(Failure::new(Code::Refused, sentence));
    }
    agree(&mut host, &plan, &spec, arguments)?;
    spec.options.trusted = Some(plan.hash);
    // From here on Ctrl+C is about the run: one that has begun must not lose its follower.
    let pressed = if arguments.detach { Arc::default() } else { interrupts()? };
    let run = start(&mut host, &spec, arguments.queue)?;
    Ok(Some(Started { host, run, pressed }))
}

/// What was asked to be run.
#[derive(Debug, PartialEq, Eq)]
enum Work {
    Documents(Vec<PathBuf>),
    /// A playbook by its folder, absolute.
    Folder(PathBuf),
    /// A playbook by its name.
    Named(String),
}

impl Work {
    fn of(files: &[PathBuf]) -> Result<Self> {
        if let [one] = files {
            if one.is_dir() {
                return absolute(one).map(Self::Folder);
            }
            if let Some(name) = one.to_str().filter(|name| could_be_a_name(name) && !one.exists()) {
                return Ok(Self::Named(name.to_owned()));
            }
        }
        let document = |file: &PathBuf| {
            if file.is_dir() {
                let sentence = format!(
                    "{} is a folder: a playbook is run by itself, without other documents",
                    file.display()
                );
                return Err(Failure::new(Code::Usage, sentence));
            }
            readable(file).map_err(|error| {
                Failure::failed(format!("{} cannot be read: {error}", file.display()))
            })?;
            straight(file)
        };
        files.iter().map(document).collect::<Result<Vec<_>>>().map(Self::Documents)
    }
}

/// The path of a file without detours, so that it reads well and is the same from everywhere. A link stays
/// one: what it leads to may change.
fn straight(file: &Path) -> Result<PathBuf> {
    let path = absolute(file)?;
    let folder = path.parent().and_then(|folder| folder.canonicalize().ok());
    Ok(match (folder, path.file_name()) {
        (Some(folder), Some(name)) => folder.join(name),
        _ => path,
    })
}

/// Whether a text is rather the name of a playbook than the path of a file that is not there.
fn could_be_a_name(text: &str) -> bool {
    let is_markdown = Path::new(text).extension().is_some_and(|end| end.eq_ignore_ascii_case("md"));
    !text.is_empty() && !text.contains(['/', '\\']) && !is_markdown
}

/// Whether a document can be opened at all.
fn readable(file: &Path) -> io::Result<()> {
    // Opening a pipe would wait for its other end.
    if !std::fs::metadata(file)?.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    File::open(file).map(drop)
}

fn read_prompt(file: &Path) -> Result<String> {
    let unreadable =
        |error: io::Error| Failure::failed(format!("{} cannot be read: {error}", file.display()));
    let mut text = String::new();
    let _ = if file == Path::new("-") {
        io::stdin().take(PROMPT + 1).read_to_string(&mut text)
    } else {
        readable(file).map_err(unreadable)?;
        File::open(file).map_err(unreadable)?.take(PROMPT + 1).read_to_string(&mut text)
    }
    .map_err(unreadable)?;
    if text.len() as u64 > PROMPT {
        let sentence = format!("a prompt can have at most {} KiB", PROMPT >> 10);
        return Err(Failure::new(Code::Usage, sentence));
    }
    if text.trim().is_empty() {
        let sentence = format!("{} is empty: sessions would be told nothing", file.display());
        return Err(Failure::new(Code::Usage, sentence));
    }
    Ok(text)
}

fn playbooks(host: &mut Host, directory: PathBuf) -> Result<Vec<Found>> {
    match host.ask(Command::ListPlaybooks { directory })? {
        Reply::Playbooks(found) => Ok(found),
        other => Err(unexpected(&other)),
    }
}

fn by_folder(host: &mut Host, folder: &Path) -> Result<Found> {
    let same = |found: &Found| {
        found.folder == folder
            || std::fs::canonicalize(folder).is_ok_and(|folder| found.folder == folder)
    };
    let found = playbooks(host, folder.to_owned())?.into_iter().find(same);
    let found = found.ok_or_else(|| {
        Failure::failed(format!("{} has no documents and is no playbook", folder.display()))
    })?;
    usable(found)
}

fn by_name(host: &mut Host, name: &str, dir: Option<&Path>) -> Result<Found> {
    let all = playbooks(host, absolute(dir.unwrap_or(Path::new(".")))?)?;
    usable(named(all, name)?)
}

/// The playbook of that name. The project's own goes before one that came with Maestro.
fn named(all: Vec<Found>, name: &str) -> Result<Found> {
    let is_meant = |found: &&Found| {
        let folder = found.folder.file_name().map(|name| name.to_string_lossy());
        found.playbook.name.eq_ignore_ascii_case(name)
            || folder.is_some_and(|folder| folder.eq_ignore_ascii_case(name))
    };
    let meant = all.iter().filter(is_meant).min_by_key(|found| found.shipped);
    meant.cloned().ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|found| found.playbook.name.as_str()).collect();
        let known = match names.is_empty() {
            true => String::new(),
            false => format!("; there are {}", names.join(", ")),
        };
        Failure::failed(format!("`{name}` is neither a document nor a playbook{known}"))
    })
}

fn usable(found: Found) -> Result<Found> {
    match &found.problem {
        Some(problem) => Err(Failure::failed(format!(
            "the playbook in {} cannot be used: {problem}",
            found.folder.display()
        ))),
        None if found.playbook.documents.is_empty() => {
            Err(Failure::failed(format!("{} has no documents", found.folder.display())))
        }
        None => Ok(found),
    }
}

/// Who works, and where if that follows from it.
#[derive(Debug)]
struct Who {
    provider: Provider,
    agent: Option<AgentId>,
    directory: Option<PathBuf>,
}

impl Who {
    fn just(provider: Provider) -> Self {
        Self { provider, agent: None, directory: None }
    }
}

fn who(arguments: &Start, found: Option<&Found>, world: World) -> Result<Who> {
    let written_for = found.and_then(|found| found.playbook.provider);
    match (&arguments.agent, arguments.provider.or(written_for)) {
        // An agent before a provider by name: a user who calls an agent `claude` means it.
        (Some(named), _) => match (find_agent(world, named), named.parse::<Provider>()) {
            (Ok(agent), _) => Ok(Who {
                provider: agent.provider,
                agent: Some(agent.id),
                directory: Some(agent.directory),
            }),
            (Err(_), Ok(provider)) => Ok(Who::just(provider)),
            (Err(failure), Err(_)) => Err(failure),
        },
        (None, Some(provider)) => Ok(Who::just(provider)),
        (None, None) => {
            let sentence = "say who works, with --agent NAME or --provider claude";
            Err(Failure::new(Code::Usage, sentence))
        }
    }
}

/// The rules: what the playbook says, and over it what the command line says.
fn options(
    arguments: &Start,
    found: Option<&Found>,
    documents: &[PathBuf],
    prompt: Option<String>,
) -> Options {
    let mut options = found.map(Found::options).unwrap_or_default();
    arguments.rules.apply(&mut options);
    arguments.budgets.apply(&mut options.budgets);
    if arguments.rules.reset {
        options.reset = documents.to_vec();
    }
    options.prompt = prompt.or(options.prompt);
    if let Some(branch) = arguments.new_worktree.clone() {
        options.worktree = Some(Branching { branch, base: arguments.base.clone() });
    }
    options
}

/// Gets the user's agreement to the commands and to what a playbook says, where they have not agreed already.
fn agree(host: &mut Host, plan: &Plan, spec: &Spec, arguments: &Start) -> Result<()> {
    let remember = |host: &mut Host| {
        host.tell(Command::TrustCommands { hash: plan.hash.clone(), trusted: true })
    };
    if plan.is_trusted || (arguments.yes && !arguments.trust) {
        return Ok(());
    }
    if arguments.trust {
        return remember(host);
    }
    // The standard input may hold the prompt, which is no answer.
    let took_input = arguments.rules.prompt_file.as_deref() == Some(Path::new("-"));
    if !took_input && io::stdin().is_terminal() && io::stderr().is_terminal() {
        return if ask(plan, spec)? {
            remember(host)
        } else {
            Err(Failure::new(Code::Refused, "nothing was started"))
        };
    }
    Err(Failure::new(Code::Refused, refusal(plan, spec)))
}

/// Whether a playbook brings its own words for every session.
fn has_words(spec: &Spec) -> bool {
    spec.options.playbook.is_some() && spec.options.prompt.is_some()
}

/// What nobody agreed to, in one sentence.
fn refusal(plan: &Plan, spec: &Spec) -> String {
    const NAMED: usize = 5;
    let some = |all: Vec<String>| {
        let more = all.len().saturating_sub(NAMED);
        let mut named: Vec<String> = all.into_iter().take(NAMED).collect();
        if more > 0 {
            named.push(format!("{more} more (--dry-run shows them)"));
        }
        named.join(", ")
    };
    let quoted = |command: &String| format!("`{}`", output::plain(command));
    let path = |path: &PathBuf| output::plain(&path.display().to_string());
    let mut parts = Vec::new();
    if !plan.unknown.is_empty() {
        let documents = some(plan.unknown.iter().map(path).collect());
        parts.push(format!("what this playbook tells agents to do ({documents})"));
    }
    if has_words(spec) {
        parts.push("its own words for every session (--dry-run --hear shows them)".to_owned());
    }
    if !plan.commands.is_empty() {
        let commands = some(plan.commands.iter().map(quoted).collect());
        parts.push(format!("the commands of these documents: {commands}"));
    }
    format!(
        "nobody has agreed yet to {}. Read them, then add --trust, or --yes for this time only",
        parts.join("; to ")
    )
}

/// What is to be agreed to, as it is shown before the question.
fn shown(plan: &Plan, spec: &Spec) -> String {
    /// Tasks of one document that are shown; all that it says is in the file.
    const TASKS: usize = 12;
    let mut text = String::new();
    if !plan.unknown.is_empty() {
        text.push_str("Agents that act as you are told everything that these documents say:\n");
    }
    for document in &plan.unknown {
        text.push_str(&format!("  {}\n", output::plain(&document.display().to_string())));
        let tasks = || plan.tasks.iter().filter(|task| task.document == *document);
        for task in tasks().take(TASKS) {
            text.push_str(&format!("    - {}\n", title(&task.text)));
        }
        let more = tasks().count().saturating_sub(TASKS);
        if more > 0 {
            text.push_str(&format!("    … and {more} more\n"));
        }
    }
    if has_words(spec) {
        text.push_str(
            "This playbook has its own words for every session; --dry-run --hear shows them.\n",
        );
    }
    if !plan.commands.is_empty() {
        text.push_str("These commands decide whether a task is done:\n");
    }
    for command in &plan.commands {
        text.push_str(&format!("  {}\n", output::plain(command)));
    }
    text.push_str("You are asked again only when something of this changes. Run it? [y/N] ");
    text
}

/// Shows what is to be agreed to and waits for an answer.
fn ask(plan: &Plan, spec: &Spec) -> Result<bool> {
    let mut screen = io::stderr().lock();
    let text = shown(plan, spec);
    screen.write_all(text.as_bytes()).and_then(|()| screen.flush())?;
    let mut answer = String::new();
    let read = io::stdin().lock().take(1024).read_line(&mut answer);
    let _ = read.map_err(|error| Failure::failed(format!("no answer can be read: {error}")))?;
    Ok(is_yes(&answer))
}

fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
}

/// Starts it, as soon as the directory is free if that is wanted.
fn start(host: &mut Host, spec: &Spec, queue: bool) -> Result<Run> {
    let command = if queue { Command::QueueRun } else { Command::StartRun };
    match host.client.request(command(spec.clone()), super::super::PATIENCE) {
        Ok(Reply::Run(run)) => Ok(*run),
        Ok(other) => Err(unexpected(&other)),
        Err(client::Error::Host(error)) if is_refusal(error.kind) => {
            Err(Failure::new(Code::Refused, error.to_string()))
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether the host had reasons, rather than trouble.
fn is_refusal(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Busy | ErrorKind::Invalid | ErrorKind::Untrusted)
}

#[cfg(test)]
mod tests {
    use maestro_core::playbook::{Listed, Playbook};
    use maestro_core::run::{Loops, PullRequest};

    use super::super::options::{Budgets, Rules};
    use super::super::steps::tests::run;
    use super::*;

    fn found(name: &str, folder: &str, shipped: bool) -> Found {
        Found {
            folder: folder.into(),
            playbook: Playbook { name: name.to_owned(), ..Playbook::default() },
            has_file: true,
            shipped,
            problem: None,
        }
    }

    #[test]
    fn names_of_playbooks_are_told_from_paths() {
        for (text, expected) in [
            ("refactoring", true),
            ("Test coverage", true),
            ("tasks.md", false),
            ("TASKS.MD", false),
            ("./refactoring", false),
            ("a/b", false),
            ("", false),
        ] {
            assert_eq!(could_be_a_name(text), expected, "{text}");
        }
    }

    #[test]
    fn the_projects_own_playbook_goes_before_a_shipped_one() {
        let all = vec![
            found("Refactoring", "/shipped/refactoring", true),
            found("Refactoring", "/w/.maestro/playbooks/refactoring", false),
            found("Nightly", "/w/.maestro/playbooks/every-night", false),
        ];
        let meant = |name: &str| named(all.clone(), name).map(|found| found.folder);
        assert!(meant("refactoring").is_ok_and(|folder| folder.starts_with("/w")));
        assert!(meant("every-night").is_ok_and(|folder| folder.ends_with("every-night")));
        let failure = meant("weekly").expect_err("there is none");
        assert!(failure.message.contains("Nightly"), "{failure}");
    }

    #[test]
    fn a_playbook_gives_the_rules_and_the_command_line_changes_them() {
        let mut nightly = found("Nightly", "/w/nightly", false);
        nightly.playbook.documents = vec![
            Listed { path: "1.md".to_owned(), reset: true },
            Listed { path: "2.md".to_owned(), reset: false },
        ];
        nightly.playbook.loops = Loops::Times(3);
        nightly.playbook.worktree = Some("nightly-{{date}}".to_owned());
        nightly.playbook.pull_request = Some(PullRequest::default());
        nightly.playbook.prompt = Some("Do {{task}}.".to_owned());
        let documents = nightly.documents();
        let mut start = bare();
        let plain = options(&start, Some(&nightly), &documents, None);
        assert_eq!((plain.loops, plain.reset.len()), (Loops::Times(3), 1));
        assert_eq!(plain.worktree.map(|tree| tree.branch).as_deref(), Some("nightly-{{date}}"));
        assert_eq!(plain.prompt.as_deref(), Some("Do {{task}}."));
        start.rules = Rules { loops: Some(Loops::Once), reset: true, ..Rules::default() };
        start.new_worktree = Some("mine".to_owned());
        start.budgets = Budgets { budget_tasks: Some(2), ..Budgets::default() };
        let changed = options(&start, Some(&nightly), &documents, Some("Mine.".to_owned()));
        assert_eq!((changed.loops, changed.reset), (Loops::Once, documents));
        assert_eq!(changed.worktree.map(|tree| tree.branch).as_deref(), Some("mine"));
        assert_eq!((changed.prompt.as_deref(), changed.budgets.tasks), (Some("Mine."), Some(2)));
    }

    fn bare() -> Start {
        use clap::Parser;

        #[derive(Parser)]
        struct Bare {
            #[command(flatten)]
            start: Start,
        }
        Bare::try_parse_from(["maestro", "nightly"]).expect("it is enough").start
    }

    #[test]
    fn only_a_yes_is_a_yes() {
        for (answer, expected) in [
            ("y\n", true),
            (" YES \r\n", true),
            ("\n", false),
            ("", false),
            ("no\n", false),
            ("yy", false),
        ] {
            assert_eq!(is_yes(answer), expected, "{answer:?}");
        }
    }

    #[test]
    fn a_refusal_names_the_commands_in_one_line() {
        let spec = run(1, 0).spec;
        let commands: Vec<String> = (0..8).map(|n| format!("make {n}\n\x1b[2J")).collect();
        let plan = Plan { commands, unknown: vec!["/w/a\x1b.md".into()], ..Plan::default() };
        let sentence = refusal(&plan, &spec);
        for words in ["`make 4 ·[2J`", "3 more", "(/w/a·.md)", "--trust"] {
            assert!(sentence.contains(words), "no {words:?} in {sentence}");
        }
        assert!(!sentence.chars().any(char::is_control));
    }
}

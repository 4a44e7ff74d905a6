//! What a run would do, without doing it, and what template variables stand for.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use maestro_agents::Environment;
use maestro_core::RunId;
use maestro_core::agent::Provider;
use maestro_core::checklist::{Document, Needs, Task};
use maestro_core::playbook::variables::Moment;
use maestro_core::playbook::{Commands, Finding, FindingKind, Plan, Planned, Variables};
use maestro_core::run::{Spec, prompt};
use maestro_git::Git;
use maestro_protocol::message::{Error, ErrorKind};

use super::check;
use super::trust::{self, Trust};
use crate::autorun::{documents_of, read_document};

/// Bytes of prompts that a plan carries: 8 MiB. A person reads the first ones.
const MAX_PROMPTS: usize = 8 << 20;
/// Tasks that wait for others and are looked at for each that is planned. A document in which more of them
/// wait is told in another order than it is done in.
const MAX_WAITING: usize = 1_000;

/// What the names in templates stand for now. `agent`: the name of the agent the run belongs to. Blocks.
#[must_use]
pub fn variables(
    spec: &Spec,
    run: Option<RunId>,
    agent: &str,
    git: &Git,
    now_ms: u64,
) -> Variables {
    let repository = git.repository(&spec.directory).ok();
    Variables {
        agent: spec.agent,
        agent_name: agent.to_owned(),
        provider: spec.provider,
        model: spec.model.clone().unwrap_or_default(),
        directory: spec.directory.clone(),
        run,
        document: spec.documents.first().cloned().unwrap_or_default(),
        is_repository: repository.is_some(),
        branch: repository.and_then(|repository| repository.branch).unwrap_or_default(),
        now_ms,
        local: moment(now_ms, TimeZone::system()),
        utc: moment(now_ms, TimeZone::UTC),
        program: std::env::current_exe().unwrap_or_else(|_| PathBuf::from("maestro")),
        ..Variables::default()
    }
}

fn moment(now_ms: u64, zone: TimeZone) -> Moment {
    let at = i64::try_from(now_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let Some(at) = at else { return Moment::EPOCH };
    let at = at.to_zoned(zone);
    // Each of these is in its range, and none is below zero.
    let small = |number: i8| u8::try_from(number).unwrap_or_default();
    Moment {
        year: at.year(),
        month: small(at.month()),
        day: small(at.day()),
        hour: small(at.hour()),
        minute: small(at.minute()),
        second: small(at.second()),
        weekday: small(at.weekday().to_monday_one_offset()),
    }
}

/// What a run needs to be known for its plan.
pub(crate) struct Facts<'a> {
    pub(crate) spec: &'a Spec,
    /// The name of its agent.
    pub(crate) agent: &'a str,
    /// Every agent, by which a task can be done.
    pub(crate) agents: Vec<(String, Provider)>,
    pub(crate) git: &'a Git,
    pub(crate) environment: &'a Environment,
    pub(crate) trust: &'a Trust,
    /// What stands in the way that is known already.
    pub(crate) obstacles: Vec<String>,
    /// Who works in the directory.
    pub(crate) in_use: Vec<String>,
    pub(crate) now_ms: u64,
}

/// What a run would do. Nothing is written, nothing is started. Blocks.
pub(crate) fn plan(facts: Facts<'_>) -> Result<Plan, Error> {
    let spec = facts.spec;
    let mut obstacles = facts.obstacles;
    let mut findings = Vec::new();
    let mut documents = Vec::new();
    for path in documents_of(&spec.documents)? {
        match read_document(&path) {
            Ok(document) => documents.push((path, document)),
            Err(text) => {
                obstacles.push(text.clone());
                findings.push(Finding {
                    document: path,
                    line: 1,
                    kind: FindingKind::Document,
                    text,
                });
            }
        }
    }
    findings.extend(check::of_documents(&documents, facts.environment));
    let commands = commands(spec, documents.iter().map(|(_, document)| document));
    let mut unknown = Vec::new();
    for (path, document) in &documents {
        if spec.options.playbook.is_some() && !facts.trust.knows(&trust::digest(document))? {
            unknown.push(path.clone());
        }
    }
    let hash = facts.trust.show(&commands);
    let is_trusted =
        spec.options.trusted.as_deref() == Some(&hash) || facts.trust.is_trusted(&commands)?;
    let variables = variables(spec, None, facts.agent, facts.git, facts.now_ms);
    Ok(Plan {
        tasks: tasks(spec, &facts.agents, &documents, &variables),
        findings,
        commands: commands.lines().map(str::to_owned).collect(),
        unknown,
        hash,
        is_trusted,
        dirty: dirty(facts.git, &spec.directory),
        obstacles,
        in_use: facts.in_use,
    })
}

/// The commands of a run. Whoever names documents one by one has read them; a playbook's are told to an agent
/// as they are found, so they count as well.
fn commands<'a>(spec: &Spec, documents: impl Iterator<Item = &'a Document> + Clone) -> Commands {
    let mut commands = Commands::of(&spec.options, documents.clone());
    if spec.options.playbook.is_some() {
        documents.map(trust::digest).for_each(|digest| commands.add_document(digest));
    }
    commands
}

/// The commands of a run as its documents are now. Blocks.
///
/// # Errors
///
/// When a document cannot be read.
pub fn commands_of(spec: &Spec) -> Result<Commands, Error> {
    let documents = spec
        .documents
        .iter()
        .map(|path| read_document(path))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|message| Error { kind: ErrorKind::Invalid, message })?;
    Ok(commands(spec, documents.iter()))
}

/// The open tasks in the order in which a run that succeeds at everything would do them.
fn tasks(
    spec: &Spec,
    agents: &[(String, Provider)],
    documents: &[(PathBuf, Document)],
    variables: &Variables,
) -> Vec<Planned> {
    // A fresh copy has every box open.
    let documents: Vec<(&Path, Cow<'_, Document>)> = documents
        .iter()
        .map(|(path, document)| {
            let reset = spec.options.reset.contains(path);
            let document = if reset { fresh(document) } else { Cow::Borrowed(document) };
            (path.as_path(), document)
        })
        .collect();
    let writer = Writer {
        spec,
        agents,
        variables,
        prose: documents.iter().map(|(_, document)| document.prose()).collect(),
        left: MAX_PROMPTS,
        documents,
    };
    writer.planned()
}

fn fresh(document: &Document) -> Cow<'_, Document> {
    Document::parse(document.reset().into_bytes()).map_or(Cow::Borrowed(document), Cow::Owned)
}

/// A task by its document and its place there.
type Place = (usize, usize);

struct Writer<'a> {
    spec: &'a Spec,
    agents: &'a [(String, Provider)],
    variables: &'a Variables,
    documents: Vec<(&'a Path, Cow<'a, Document>)>,
    prose: Vec<String>,
    /// Bytes of prompts that may still be told.
    left: usize,
}

impl Writer<'_> {
    fn task(&self, (document, place): Place) -> &Task {
        &self.documents[document].1.tasks()[place]
    }

    fn planned(mut self) -> Vec<Planned> {
        let needs = self.needs();
        let mut done: HashSet<Place> = HashSet::new();
        let mut open = Vec::new();
        for (at, (_, document)) in self.documents.iter().enumerate() {
            for (place, task) in document.tasks().iter().enumerate() {
                if task.checked {
                    let _ = done.insert((at, place));
                } else {
                    open.push((at, place));
                }
            }
        }
        let mut planned = Vec::with_capacity(open.len());
        let mut waiting: Vec<Place> = Vec::new();
        let mut coming = open.into_iter();
        let is_ready = |task: &Place, done: &HashSet<Place>| {
            needs.get(task).is_none_or(|needs| needs.iter().all(|need| done.contains(need)))
        };
        loop {
            let waited = waiting.iter().take(MAX_WAITING).position(|task| is_ready(task, &done));
            let next = match waited {
                Some(at) => waiting.remove(at),
                None => match coming.next() {
                    Some(task) if is_ready(&task, &done) => task,
                    Some(task) => {
                        waiting.push(task);
                        continue;
                    }
                    None => break,
                },
            };
            let _ = done.insert(next);
            planned.push(next);
        }
        // What needs something that never comes is told all the same.
        planned.extend(waiting);
        planned.into_iter().map(|task| self.plan(task, &needs)).collect()
    }

    /// The needs of the tasks that have any, as far as they name a task.
    fn needs(&self) -> HashMap<Place, Vec<Place>> {
        let known = Needs::new(self.documents.iter().map(|(_, document)| &**document));
        let mut all = HashMap::new();
        for (at, (_, document)) in self.documents.iter().enumerate() {
            for (place, task) in document.tasks().iter().enumerate() {
                let needs = task.fields.needs.iter();
                let needs: Vec<Place> =
                    needs.filter_map(|need| known.resolve(at, place, need).ok()).collect();
                if !needs.is_empty() {
                    let _ = all.insert((at, place), needs);
                }
            }
        }
        all
    }

    fn plan(&mut self, at: Place, needs: &HashMap<Place, Vec<Place>>) -> Planned {
        let path = self.documents[at.0].0;
        let needs = needs.get(&at).map(|needs| {
            let place = |need: &Place| (self.documents[need.0].0.to_owned(), self.task(*need).line);
            needs.iter().map(place).collect()
        });
        let prompt = self.prompt(at);
        self.left = self.left.saturating_sub(prompt.len());
        let (spec, task) = (self.spec, self.task(at));
        Planned {
            document: path.to_owned(),
            line: task.line,
            text: task.title().to_owned(),
            provider: self.provider(task),
            model: task.fields.model.clone().or_else(|| spec.model.clone()),
            verify: verify(spec, task),
            needs: needs.unwrap_or_default(),
            prompt,
        }
    }

    /// Who does a task: a provider or an agent by its name.
    fn provider(&self, task: &Task) -> Provider {
        let Some(named) = &task.fields.agent else { return self.spec.provider };
        let agent = || {
            let is_meant = |(name, _): &&(String, Provider)| name == named;
            self.agents.iter().find(is_meant).map(|(_, provider)| *provider)
        };
        named.parse().ok().or_else(agent).unwrap_or(self.spec.provider)
    }

    /// What its session would be told. Empty when enough was told.
    fn prompt(&self, at: Place) -> String {
        if self.left == 0 {
            return String::new();
        }
        let (path, task) = (self.documents[at.0].0, self.task(at));
        let verify = verify(self.spec, task);
        let facts = prompt::Facts {
            task: task.title(),
            details: &task.details,
            document: &path.to_string_lossy(),
            line: task.line,
            section: task.section.as_deref(),
            prose: &self.prose[at.0],
            verify: verify.as_deref(),
            interrupted: false,
            previous: None,
        };
        let variables = self.variables.for_document(path, 1);
        let own = self.spec.options.prompt.as_deref().filter(|own| !own.trim().is_empty());
        match own {
            Some(own) => prompt::render(&prompt::naming_the_task(own), &facts, &variables),
            None => prompt::render(prompt::TEMPLATE, &facts, &variables),
        }
    }
}

/// The command that decides about a task.
fn verify(spec: &Spec, task: &Task) -> Option<String> {
    task.fields.verify_command().or_else(|| spec.options.verify.clone())
}

/// How many files are not as they were committed.
fn dirty(git: &Git, directory: &Path) -> u32 {
    git.status(directory).map_or(0, |status| status.changed() + status.untracked)
}

#[cfg(test)]
mod tests {
    use maestro_core::run::Options;
    use maestro_store::Store;

    use super::*;

    struct World {
        folder: tempfile::TempDir,
    }

    impl World {
        fn plan(&self, documents: &[(&str, &str)], change: impl FnOnce(&mut Spec)) -> Plan {
            let path = |name: &str| self.folder.path().join(name);
            for (name, text) in documents {
                std::fs::write(path(name), text).expect("a document");
            }
            let mut spec = Spec {
                documents: documents.iter().map(|(name, _)| path(name)).collect(),
                directory: self.folder.path().to_owned(),
                provider: Provider::Demo,
                agent: None,
                model: None,
                turn_timeout_s: 0,
                silence_timeout_s: 0,
                verify_timeout_s: 0,
                attempts: 1,
                unattended: true,
                options: Options::default(),
            };
            change(&mut spec);
            plan(Facts {
                spec: &spec,
                agent: "api",
                agents: vec![("reviewer".to_owned(), Provider::Codex)],
                git: &Git::new(Vec::new()),
                environment: &Environment::from_vars([("PATH", "/usr/bin:/bin")]),
                trust: &Trust::new(Store::open(path("db")).expect("a store")),
                obstacles: Vec::new(),
                in_use: Vec::new(),
                now_ms: 0,
            })
            .expect("a plan")
        }
    }

    fn world() -> World {
        World { folder: tempfile::tempdir().expect("a folder") }
    }

    fn texts(plan: &Plan) -> Vec<&str> {
        plan.tasks.iter().map(|task| task.text.as_str()).collect()
    }

    #[test]
    fn tasks_are_told_in_the_order_in_which_they_are_ready() {
        let first = "- [ ] A {#a}\n  - needs: c\n- [ ] B\n- [x] Done\n- [ ] C {#c}\n- [ ] D\n  \
                     - needs: a\n";
        let second = "- [ ] E\n  - needs: gone\n";
        let plan = world().plan(&[("1.md", first), ("2.md", second)], |_| {});
        assert_eq!(texts(&plan), ["B", "C", "A", "D", "E"]);
        let needs: Vec<u32> = plan.tasks[2].needs.iter().map(|(_, line)| *line).collect();
        assert_eq!(needs, [5]);
        assert!(plan.findings.iter().any(|finding| finding.kind == FindingKind::UnknownNeed));
    }

    #[test]
    fn a_plan_has_who_does_it_what_decides_and_what_is_told() {
        let text = "# Part\n\nFor {{agent_name}}.\n\n- [ ] Look {#x}\n  at {{document_name}}\n  \
                    - agent: reviewer\n  - verify: grep a b\n- [ ] Go\n  - agent: claude\n  \
                    - model: opus\n";
        let plan = world().plan(&[("todo.md", text)], |spec| {
            spec.options.verify = Some("make {{agent_name}}".to_owned());
        });
        let told: Vec<_> = plan
            .tasks
            .iter()
            .map(|task| (task.provider, task.model.as_deref(), task.verify.as_deref()))
            .collect();
        assert_eq!(
            told,
            [
                (Provider::Codex, None, Some("grep a b")),
                (Provider::Claude, Some("opus"), Some("make {{agent_name}}")),
            ]
        );
        let prompt = &plan.tasks[0].prompt;
        for words in ["Look", "at todo", "For api.", "grep a b"] {
            assert!(prompt.contains(words), "no {words:?} in {prompt}");
        }
        assert_eq!(plan.commands, ["grep a b", "make {{agent_name}}"]);
        assert!(!plan.is_trusted && plan.hash.len() == 64);
        assert!(plan.unknown.is_empty(), "who names a document has read it");
    }

    #[test]
    fn a_fresh_copy_has_every_task_open() {
        let world = world();
        let path = world.folder.path().join("a.md");
        let plan = world.plan(&[("a.md", "- [x] one\n- [x] two\n")], |spec| {
            spec.options.reset = vec![path];
        });
        assert_eq!(texts(&plan), ["one", "two"]);
        assert!(plan.is_trusted, "nothing to agree to");
    }

    #[test]
    fn a_huge_document_has_a_plan_of_bounded_size() {
        let text: String = (0..50_000).map(|n| format!("- [ ] task {n}\r\n")).collect();
        let plan = world().plan(&[("a.md", &text)], |_| {});
        assert_eq!(plan.tasks.len(), 50_000);
        let told: usize = plan.tasks.iter().map(|task| task.prompt.len()).sum();
        assert!(told < MAX_PROMPTS + (64 << 10) && !plan.tasks[0].prompt.is_empty(), "{told}");
    }

    #[test]
    fn what_a_playbook_says_is_to_be_agreed_to_even_without_commands() {
        let world = world();
        let playbook = |spec: &mut Spec| spec.options.playbook = Some("/p".into());
        let plan = world.plan(&[("a.md", "- [ ] one\n"), ("b.md", "- [ ] two\n")], playbook);
        assert!(!plan.is_trusted && plan.commands.is_empty(), "{plan:?}");
        let names: Vec<_> = plan.unknown.iter().filter_map(|path| path.file_name()).collect();
        assert_eq!(names, ["a.md", "b.md"]);
        let shipped = include_str!("../../../../playbooks/feature/1-plan.md");
        let plan = world.plan(&[("a.md", shipped)], playbook);
        assert!(plan.is_trusted && plan.unknown.is_empty(), "it came with Maestro: {plan:?}");
    }

    #[test]
    fn a_document_that_cannot_be_read_is_told_and_the_others_planned() {
        let world = world();
        let bad = world.folder.path().join("bad.md");
        std::fs::write(&bad, b"- [ ] \xff\n").expect("a document");
        let plan = world.plan(&[("a.md", "- [ ] one\n")], |spec| spec.documents.push(bad));
        assert_eq!(texts(&plan), ["one"]);
        assert!(plan.obstacles.iter().any(|text| text.contains("bad.md")), "{plan:?}");
    }

    #[test]
    fn a_moment_is_told_in_a_time_zone() {
        let ms = 1_773_014_707_000;
        let utc = moment(ms, TimeZone::UTC);
        assert_eq!((utc.year, utc.month, utc.day, utc.weekday), (2026, 3, 9, 1));
        let east = TimeZone::fixed(jiff::tz::offset(9));
        let there = moment(ms, east);
        assert_eq!((there.hour, there.minute), ((utc.hour + 9) % 24, utc.minute));
        assert_eq!(moment(u64::MAX, TimeZone::UTC), Moment::EPOCH);
    }
}

//! What a run would do, without doing it, and what template variables stand for.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use maestro_agents::Environment;
use maestro_core::RunId;
use maestro_core::checklist::Document;
use maestro_core::playbook::variables::Moment;
use maestro_core::playbook::{Commands, Finding, FindingKind, Plan, Planned, Variables};
use maestro_core::run::Spec;
use maestro_core::run::machine::Policy;
use maestro_git::Git;
use maestro_protocol::message::{Error, ErrorKind};

use super::check;
use super::trust::Trust;
use crate::autorun::{documents_of, read_document};

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
    pub(crate) git: &'a Git,
    pub(crate) environment: &'a Environment,
    pub(crate) trust: &'a Trust,
    /// What stands in the way that is known already.
    pub(crate) obstacles: Vec<String>,
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
    let commands = commands(spec, &documents);
    let hash = facts.trust.show(&commands);
    let is_trusted =
        spec.options.trusted.as_deref() == Some(&hash) || facts.trust.is_trusted(&commands)?;
    let variables = variables(spec, None, facts.agent, facts.git, facts.now_ms);
    Ok(Plan {
        tasks: tasks(spec, &documents, &variables),
        findings,
        commands: commands.lines().map(str::to_owned).collect(),
        hash,
        is_trusted,
        dirty: dirty(facts.git, &spec.directory),
        obstacles,
    })
}

fn commands(spec: &Spec, documents: &[(PathBuf, Document)]) -> Commands {
    Commands::of(&spec.options, documents.iter().map(|(_, document)| document))
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
    Ok(Commands::of(&spec.options, &documents))
}

fn tasks(spec: &Spec, documents: &[(PathBuf, Document)], variables: &Variables) -> Vec<Planned> {
    let borrowed: Vec<(PathBuf, &Document)> =
        documents.iter().map(|(path, document)| (path.clone(), document)).collect();
    let _ = (&borrowed, Policy::default());
    interim(spec, documents, variables)
}

fn interim(spec: &Spec, documents: &[(PathBuf, Document)], variables: &Variables) -> Vec<Planned> {
    let mut planned = Vec::new();
    for (path, document) in documents {
        for task in document.tasks().iter().filter(|task| !task.checked) {
            let verify = task.fields.verify_command().or_else(|| spec.options.verify.clone());
            planned.push(Planned {
                document: path.clone(),
                line: task.line,
                text: task.text.clone(),
                provider: spec.provider,
                model: spec.model.clone(),
                verify,
                needs: Vec::new(),
                prompt: variables.expand(&task.text),
            });
        }
    }
    planned
}

/// How many files are not as they were committed.
fn dirty(git: &Git, directory: &Path) -> u32 {
    git.status(directory).map_or(0, |status| status.changed() + status.untracked)
}

#[cfg(test)]
mod tests {
    use super::*;

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

//! The store through its public API, on real files.

mod conversations;
mod damage;
mod foreign;
mod full;
mod killed;
mod notices;
mod search;
mod values;

use std::path::PathBuf;

use maestro_core::agent::{Agent, Attention, Provider, Source, State};
use maestro_core::run::{self, Run, Spec};
use maestro_core::{AgentId, RunId};
use maestro_store::{Lease, Store};
use tempfile::TempDir;

/// A folder with a database in it.
struct Home {
    folder: TempDir,
}

impl Home {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("maestro.db")
    }

    fn store(&self) -> Store {
        Store::open(self.path()).expect("the database opens")
    }

    /// The names in the folder.
    fn files(&self) -> Vec<String> {
        let mut names: Vec<_> = std::fs::read_dir(self.folder.path())
            .expect("the folder")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}

fn agent(id: u64, name: &str) -> Agent {
    Agent {
        id: AgentId(id),
        name: name.into(),
        provider: Provider::Claude,
        directory: "/code/app wörk".into(),
        repository: Some("/code/app".into()),
        branch: Some("feat/x".into()),
        worktree: true,
        ai_terminal: Some(maestro_core::TerminalId(4)),
        shell_terminal: None,
        session: Some("c0ffee".into()),
        attention: Attention {
            until_ms: None,
            state: State::NeedsYou,
            since_ms: 17,
            because: "asks".into(),
            source: Source::Osc,
        },
        created_ms: u64::MAX,
        clipboard: maestro_core::agent::Clipboard::Focused,
        group: None,
        bookmarked: false,
    }
}

fn new_run(id: u64, state: run::State) -> Run {
    let spec = Spec {
        documents: vec!["/code/app/tasks.md".into()],
        directory: "/code/app".into(),
        provider: Provider::Demo,
        agent: None,
        model: None,
        turn_timeout_s: 0,
        silence_timeout_s: 0,
        verify_timeout_s: 60,
        attempts: 3,
        unattended: true,
        options: maestro_core::run::Options::default(),
    };
    Run { state, ..Run::new(RunId(id), spec, id, 2, 0) }
}

fn lease(run: u64, directory: &str) -> Lease {
    Lease {
        directory: directory.into(),
        run: RunId(run),
        host: "h1".into(),
        pid: 42,
        process_start: 99,
        since_ms: 7,
    }
}

//! What needs the environment of the user's login shell: git, the providers, the runs. The shell may
//! take seconds, so this is made in the background, once, and whoever needs it waits.

use std::ffi::OsString;
use std::path::Path;
use std::sync::{Arc, PoisonError, Weak};

use maestro_agents::{CommandLine, Detected, Environment, TurnOptions, detect, turn_command};
use maestro_core::agent::Provider;
use maestro_core::run::machine::Policy;
use maestro_core::turn::{Failure, FailureKind};
use maestro_core::{AgentId, RunId};
use maestro_git::Git;
use maestro_protocol::message::{Error, ErrorKind, Event, ProviderInfo};

use super::attention::Slot;
use super::{Shared, attention, blocking, now_ms, refuse, usage};
use crate::autorun::{self, Runs};
use crate::queue::WallClock;
use crate::train::Trains;

/// See the module.
#[derive(Debug)]
pub(crate) struct Tools {
    pub(crate) git: Git,
    pub(crate) runs: Runs,
    pub(crate) trains: Trains,
}

impl Shared {
    /// The tools, waiting for the login shell the first time.
    pub(crate) async fn tools(self: &Arc<Self>) -> Result<&Tools, Error> {
        let make = || async {
            let shared = Arc::clone(self);
            blocking(move || shared.make_tools()).await.map_err(failed)
        };
        self.tools.get_or_try_init(make).await
    }

    fn make_tools(self: &Arc<Self>) -> Tools {
        let git = Git::new(self.environment().to_vec());
        match self.store.agreed_programs() {
            Ok(agreed) => agreed.iter().for_each(|hash| git.agree(hash, true)),
            Err(error) => tracing::warn!(%error, "programs of repositories are asked about anew"),
        }
        let weak = Arc::downgrade(self);
        let deps = autorun::Deps {
            store: self.store.clone(),
            git: git.clone(),
            providers: Arc::new(Resolver { shared: Weak::clone(&weak) }),
            events: Arc::new(move |event| {
                if let Some(shared) = weak.upgrade() {
                    shared.take_run_event(event);
                }
            }),
            instance: self.instance.clone(),
            locks: autorun::locks_folder(),
        };
        let clock = self.options.clock.clone().unwrap_or_else(|| Arc::new(WallClock));
        let trains = super::train::trains(self, git.clone());
        Tools { git, runs: Runs::with_clock(deps, Policy::default(), None, clock), trains }
    }

    /// What children inherit. Blocks the first time.
    pub(crate) fn environment(&self) -> Arc<Environment> {
        self.options
            .environment
            .as_ref()
            .map_or_else(Environment::login, |environment| Arc::new(environment.clone()))
    }

    /// A provider on this machine. Blocks.
    pub(crate) fn detect(&self, provider: Provider) -> Detected {
        if let Some(found) = self.known(provider) {
            return found;
        }
        let found = detect(provider, &self.environment());
        // What cannot be used may have been installed a moment later: only a success is remembered.
        if found.unusable.is_none() {
            let _ = self
                .detected
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(provider, found.clone());
        }
        found
    }

    /// Every provider, all looked for at once.
    pub(crate) async fn detect_all(
        self: &Arc<Self>,
        refresh: bool,
    ) -> Result<Vec<ProviderInfo>, Error> {
        if refresh {
            let given = self.options.environment.is_some();
            self.forget_detected();
            if !given {
                let _ = blocking(Environment::refresh_login).await.map_err(failed)?;
            }
        }
        let looks = Provider::ALL.map(|provider| {
            let shared = Arc::clone(self);
            tokio::task::spawn_blocking(move || shared.detect(provider))
        });
        let mut providers = Vec::with_capacity(looks.len());
        for look in looks {
            let found = look.await.map_err(failed)?;
            providers.push(ProviderInfo {
                provider: found.provider,
                program: found.program,
                version: found.version,
                unusable: found.unusable,
            });
        }
        Ok(providers)
    }

    fn known(&self, provider: Provider) -> Option<Detected> {
        self.detected.lock().unwrap_or_else(PoisonError::into_inner).get(&provider).cloned()
    }

    fn forget_detected(&self) {
        let given: Vec<Provider> =
            self.options.detected.iter().map(|found| found.provider).collect();
        let mut known = self.detected.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|provider, _| given.contains(provider));
    }

    /// A run gave a directory back: what waited for that may be said now.
    fn gave_back(self: &Arc<Self>, directory: &std::path::Path) {
        for agent in self.world.agents() {
            if agent.directory.starts_with(directory) || directory.starts_with(&agent.directory) {
                super::queues::freed(self, agent.id);
            }
        }
    }

    fn take_run_event(self: &Arc<Self>, event: Event) {
        match event {
            Event::Run(run) => {
                if let Some(agent) = run.spec.agent {
                    let attention = attention::from_run(&run, now_ms());
                    self.watch(agent, Slot::Run, Some(attention), "");
                }
                let ended = matches!(run.state, maestro_core::run::State::Ended(_));
                let directory = run.spec.directory.clone();
                usage::run_changed(self, &run);
                self.world.set_run(*run);
                if ended {
                    self.gave_back(&directory);
                }
            }
            other => self.world.tell(other),
        }
    }
}

/// The providers as runs see them.
#[derive(Debug)]
struct Resolver {
    shared: Weak<Shared>,
}

impl Resolver {
    fn shared(&self) -> Result<Arc<Shared>, String> {
        self.shared.upgrade().ok_or_else(|| "The host is stopping.".to_owned())
    }
}

impl autorun::Providers for Resolver {
    fn check(&self, provider: Provider) -> Result<(), String> {
        self.shared()?.detect(provider).usable().map(|_| ())
    }

    fn turn(&self, provider: Provider, options: &TurnOptions) -> Result<CommandLine, Failure> {
        let shared =
            self.shared().map_err(|message| Failure { kind: FailureKind::Interrupted, message })?;
        turn_command(&shared.detect(provider), &shared.environment(), options)
    }

    fn environment(&self) -> Vec<(OsString, OsString)> {
        self.shared().map(|shared| shared.environment().to_vec()).unwrap_or_default()
    }

    fn variables(&self, directory: &Path) -> Vec<(String, String)> {
        self.shared().map(|shared| shared.worktrees.variables(directory)).unwrap_or_default()
    }

    fn agents(&self) -> Vec<(String, AgentId, Provider)> {
        self.shared().map(|shared| shared.agents_for_runs()).unwrap_or_default()
    }

    fn writer_in(&self, directory: &Path) -> Option<String> {
        self.shared().ok()?.writer_in(directory)
    }

    fn begins(&self, git: &Git, run: RunId, directory: &Path) {
        if let Ok(shared) = self.shared() {
            super::trash::before(git, &shared.store, directory, format!("Before run {run}"));
        }
    }

    fn most_sessions(&self) -> usize {
        self.shared().map_or(autorun::SESSIONS, |shared| shared.settings.of(None).sessions)
    }

    fn days_kept(&self) -> u64 {
        self.shared().map_or(autorun::DAYS, |shared| shared.settings.of(None).history_days)
    }
}

/// Work that panicked, for a client.
pub(crate) fn failed(error: tokio::task::JoinError) -> Error {
    if !error.is_panic() {
        return refuse(ErrorKind::Stopping, "the host is stopping");
    }
    let reason = crate::pool::panic_text(&*error.into_panic());
    refuse(ErrorKind::Failed, format!("this failed inside Maestro, which is a bug: {reason}"))
}

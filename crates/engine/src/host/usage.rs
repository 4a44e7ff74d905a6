//! What turns consumed: noted when they end, added up when somebody asks.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use maestro_core::TabId;
use maestro_core::conversation::Tab;
use maestro_core::run::{Run, Task};
use maestro_core::turn::Usage;
use maestro_core::usage::prices::Prices;
use maestro_core::usage::{By, Sum, sum};
use maestro_protocol::message::{Command, Error, ErrorKind, Reply};
use maestro_store::{Subject, Used, UsedSum};

use super::tools::failed;
use super::{Shared, blocking, detach, now_ms, refuse, store_error};

/// Does what is asked for; `command` is one of those that [`super::commands`] hands to this module.
pub(super) async fn run(shared: &Arc<Shared>, command: Command) -> Result<Reply, Error> {
    let Command::ReadUsage { by, since_ms } = command else {
        return Err(refuse(ErrorKind::Unsupported, "this is no command about usage"));
    };
    read(shared, by, since_ms.unwrap_or_default()).await.map(Reply::Usage)
}

/// What turns consumed since a time, added up.
pub(super) async fn read(shared: &Arc<Shared>, by: By, since_ms: u64) -> Result<Vec<Sum>, Error> {
    let store = shared.store.clone();
    let found =
        blocking(move || store.usage(by, since_ms)).await.map_err(failed)?.map_err(store_error)?;
    let names = Names::of(shared);
    let zone = TimeZone::system();
    Ok(sums(found, by, prices(), &zone, &names))
}

/// Notes what the last turn of a tab consumed, that turn alone. Does not wait.
pub(crate) fn turn_ended(shared: &Arc<Shared>, tab: &Tab, usage: &Usage, model: Option<&str>) {
    let agent = shared.world.agent(tab.agent);
    let Some(provider) = agent.as_ref().map(|agent| agent.provider) else { return };
    let used = Used {
        at_ms: now_ms(),
        agent: Some(tab.agent),
        agent_name: agent.map(|agent| agent.name),
        turn: Some((tab.id, tab.turns)),
        run: None,
        provider: provider.name().to_owned(),
        model: model.map(str::to_owned).or_else(|| tab.model.clone()),
        usage: *usage,
    };
    note(shared, used);
}

/// Notes what the tasks of a run have consumed so far. Does not wait.
pub(crate) fn run_changed(shared: &Arc<Shared>, run: &Run) {
    let agent = run.spec.agent;
    let name = agent.and_then(|agent| shared.world.agent(agent)).map(|agent| agent.name);
    let used = |task: &Task| Used {
        at_ms: now_ms(),
        agent,
        agent_name: name.clone(),
        turn: None,
        run: Some(run.id),
        provider: run.spec.provider.name().to_owned(),
        model: run.spec.model.clone(),
        usage: task.usage,
    };
    let (id, tasks): (_, Vec<Used>) = (run.id, run.tasks.iter().map(used).collect());
    let store = shared.store.clone();
    detach(async move {
        if let Ok(Err(error)) = blocking(move || store.record_usage_of_run(id, tasks)).await {
            tracing::warn!(run = %id, %error, "usage is not counted");
        }
    });
}

/// Notes what a turn consumed, in the background: a turn is over whether this can be written or not.
fn note(shared: &Arc<Shared>, used: Used) {
    let shared = Arc::clone(shared);
    detach(async move {
        let (store, agent) = (shared.store.clone(), used.agent);
        let written = blocking(move || store.record_usage(&used)).await;
        match written.map_err(failed) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                shared.problem(agent, format!("What this turn consumed is not counted: {error}"));
            }
            Err(error) => tracing::warn!(%error, "usage is not counted"),
        }
    });
}

fn prices() -> &'static Prices {
    static PRICES: OnceLock<Prices> = OnceLock::new();
    PRICES.get_or_init(Prices::bundled)
}

/// What agents and tabs are called now.
#[derive(Debug, Default)]
struct Names {
    agents: BTreeMap<maestro_core::AgentId, String>,
    tabs: BTreeMap<TabId, String>,
}

impl Names {
    fn of(shared: &Shared) -> Self {
        let agents = shared.world.agents().into_iter().map(|agent| (agent.id, agent.name));
        let tabs = shared.world.tabs().into_iter().map(|tab| (tab.id, tab.title));
        Self { agents: agents.collect(), tabs: tabs.collect() }
    }
}

/// What the store has, put together to what was asked for: days in their order, everything else with what
/// cost most first.
fn sums(found: Vec<UsedSum>, by: By, prices: &Prices, zone: &TimeZone, names: &Names) -> Vec<Sum> {
    let mut sums: BTreeMap<String, Sum> = BTreeMap::new();
    for part in found {
        let of = subject(&part.of, zone, names);
        let estimate = prices.estimate(part.model.as_deref(), &part.unpriced);
        let entry = sums.entry(of.clone()).or_insert_with(|| Sum {
            of,
            turns: 0,
            usage: Usage::default(),
            estimated_usd: Some(0.0),
        });
        entry.turns += part.turns;
        entry.usage = sum(&entry.usage, &part.usage);
        entry.estimated_usd =
            entry.estimated_usd.zip(estimate).map(|(known, estimate)| known + estimate);
    }
    let mut sums: Vec<Sum> = sums.into_values().collect();
    if by != By::Day {
        let cost = |sum: &Sum| {
            sum.usage.cost_usd.unwrap_or_default() + sum.estimated_usd.unwrap_or_default()
        };
        sums.sort_by(|one, other| {
            cost(other)
                .total_cmp(&cost(one))
                .then_with(|| other.usage.input_tokens.cmp(&one.usage.input_tokens))
        });
    }
    sums
}

/// What a person calls it.
fn subject(subject: &Subject, zone: &TimeZone, names: &Names) -> String {
    match subject {
        Subject::Quarter(at_ms) => i64::try_from(*at_ms)
            .ok()
            .and_then(|at_ms| Timestamp::from_millisecond(at_ms).ok())
            .map_or_else(
                || "unknown".to_owned(),
                |at| at.to_zoned(zone.clone()).date().to_string(),
            ),
        Subject::Agent(Some(id), last) => {
            names.agents.get(id).or(last.as_ref()).cloned().unwrap_or_else(|| id.to_string())
        }
        Subject::Agent(None, _) => "without an agent".to_owned(),
        // Titles are not unique, and two conversations are two.
        Subject::Tab(Some(id)) => match names.tabs.get(id).map(String::as_str) {
            None | Some("") => id.to_string(),
            Some(title) => format!("{title} ({id})"),
        },
        Subject::Tab(None) => "without a conversation".to_owned(),
        Subject::Model(model) => model.clone().unwrap_or_else(|| "unknown".to_owned()),
        Subject::Provider(provider) => provider.clone(),
    }
}

#[cfg(test)]
mod tests {
    use maestro_core::AgentId;

    use super::*;

    fn part(of: Subject, model: &str, cost_usd: Option<f64>, unpriced: u64) -> UsedSum {
        let tokens = |input_tokens, cost_usd| Usage { input_tokens, cost_usd, ..Usage::default() };
        UsedSum {
            of,
            provider: "claude".into(),
            model: (!model.is_empty()).then(|| model.to_owned()),
            turns: 1,
            usage: tokens(unpriced + 10, cost_usd),
            unpriced: tokens(unpriced, None),
        }
    }

    /// Each as `of turns cost estimated`.
    fn check(found: Vec<UsedSum>, by: By, zone: &str, expected: &[&str]) {
        let zone = TimeZone::posix(zone).expect("a zone");
        let names = Names {
            agents: [(AgentId(1), "api".to_owned())].into(),
            tabs: [(TabId(1), "Fix it".to_owned()), (TabId(2), String::new())].into(),
        };
        let shown: Vec<String> = sums(found, by, &Prices::bundled(), &zone, &names)
            .into_iter()
            .map(|sum| {
                let usd = |usd: Option<f64>| usd.map_or("?".to_owned(), |usd| format!("{usd}"));
                let (cost, estimated) = (usd(sum.usage.cost_usd), usd(sum.estimated_usd));
                format!("{} {} {cost} {estimated}", sum.of, sum.turns)
            })
            .collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn days_are_those_of_the_user() {
        // 2026-11-21 23:45 and 2026-11-22 00:00, UTC.
        let quarters = || {
            [1_795_304_700_000, 1_795_305_600_000]
                .map(|at| part(Subject::Quarter(at), "", Some(0.5), 0))
                .into()
        };
        check(quarters(), By::Day, "UTC0", &["2026-11-21 1 0.5 0", "2026-11-22 1 0.5 0"]);
        check(quarters(), By::Day, "CET-1", &["2026-11-22 2 1 0"]);
        check(quarters(), By::Day, "EST5", &["2026-11-21 2 1 0"]);
        // Nepal: three quarters of an hour.
        check(quarters(), By::Day, "NPT-5:45", &["2026-11-22 2 1 0"]);
        let mad = vec![part(Subject::Quarter(u64::MAX), "", None, 0)];
        check(mad, By::Day, "UTC0", &["unknown 1 ? 0"]);
    }

    #[test]
    fn what_is_known_is_added_and_what_is_not_is_not_guessed() {
        let agent = |id: u64| Subject::Agent(Some(AgentId(id)), Some("was".to_owned()));
        check(
            vec![
                part(agent(1), "claude-opus-4-8", Some(0.5), 0),
                part(agent(1), "claude-sonnet-4-5", None, 1_000_000),
                part(agent(2), "claude-opus-4-8", None, 1_000_000),
                part(agent(2), "secret-model", None, 1),
                part(Subject::Agent(None, None), "", None, 0),
            ],
            By::Agent,
            "UTC0",
            &["api 2 0.5 3", "was 2 ? ?", "without an agent 1 ? 0"],
        );
        check(
            vec![
                part(Subject::Tab(Some(TabId(1))), "", Some(0.25), 0),
                part(Subject::Tab(Some(TabId(2))), "", Some(0.5), 0),
                part(Subject::Tab(Some(TabId(3))), "", None, 0),
                part(Subject::Tab(None), "", Some(0.125), 0),
            ],
            By::Tab,
            "UTC0",
            &["c2 1 0.5 0", "Fix it (c1) 1 0.25 0", "without a conversation 1 0.125 0", "c3 1 ? 0"],
        );
    }
}

//! What is put in comes out, and what must not be is refused.

use std::collections::BTreeSet;
use std::path::Path;
use std::thread;

use maestro_core::checklist::Document;
use maestro_core::playbook::Commands;
use maestro_core::run::{self, Ending, State};
use maestro_core::{AgentId, RunId, TerminalId};
use maestro_store::{Error, Host, Journaled, MAX_VALUE_BYTES, Terminal};

use crate::{Home, agent, lease, new_run};

#[test]
fn agents_come_back_whole_and_in_order() {
    let home = Home::new();
    let store = home.store();
    for (id, name) in [(1, "api"), (2, "web"), (3, "docs")] {
        store.put_agent(&agent(id, name)).expect("an agent");
    }
    store.order_agents(&[AgentId(3), AgentId(1)]).expect("another order");
    let mut renamed = agent(1, "api 2");
    renamed.session = None;
    store.put_agent(&renamed).expect("a change keeps its place");
    store.close();

    let store = home.store();
    assert_eq!(store.agents().expect("agents"), [agent(3, "docs"), renamed, agent(2, "web")]);
    assert!(store.remove_agent(AgentId(3)).expect("removal"));
    assert!(!store.remove_agent(AgentId(3)).expect("nothing to remove"));
    assert_eq!(store.agents().expect("agents").len(), 2);
}

#[test]
fn an_agents_name_is_its_own() {
    let home = Home::new();
    let store = home.store();
    store.put_agent(&agent(1, "api")).expect("an agent");
    let error = store.put_agent(&agent(2, "api")).expect_err("a taken name");
    assert!(matches!(&error, Error::NameTaken { name } if name == "api"), "{error:?}");
    assert_eq!(store.agents().expect("agents"), [agent(1, "api")]);
}

#[test]
fn an_order_with_an_unknown_agent_changes_nothing() {
    let home = Home::new();
    let store = home.store();
    store.put_agent(&agent(1, "api")).expect("an agent");
    store.put_agent(&agent(2, "web")).expect("an agent");
    let error = store.order_agents(&[AgentId(2), AgentId(9)]).expect_err("an unknown agent");
    assert!(matches!(error, Error::NoAgent(AgentId(9))));
    assert_eq!(store.agents().expect("agents")[0].id, AgentId(1));
}

#[test]
fn ids_are_never_given_out_twice() {
    let home = Home::new();
    let store = home.store();
    let first = store.next_agent_id().expect("an id");
    store.put_agent(&agent(first.0, "api")).expect("an agent");
    let _ = store.remove_agent(first).expect("removal");
    store.close();

    let store = home.store();
    assert_eq!(first, AgentId(1));
    assert_eq!(store.next_agent_id().expect("an id"), AgentId(2));
    store.put_agent(&agent(40, "copied")).expect("an agent from elsewhere");
    assert_eq!(store.next_agent_id().expect("an id"), AgentId(41));
    assert_eq!(store.next_terminal_id().expect("an id"), TerminalId(1));
    assert_eq!(store.next_run_id().expect("an id"), RunId(1));
    assert_eq!(store.next_run_id().expect("an id"), RunId(2));
}

#[test]
fn runs_and_journals_come_back() {
    let home = Home::new();
    let store = home.store();
    let first = new_run(1, State::Running);
    store.start_run(&first, lease(1, "/code/app"), 5, &["begun", "task 1"]).expect("a run");
    assert_eq!(store.append(RunId(1), 6, &"turn ended").expect("an entry"), 3);
    let ended = new_run(1, State::Ended(Ending::Completed));
    assert_eq!(store.record(&ended, 7, &["ended"]).expect("an end"), 4);
    store.put_run(&new_run(2, State::Interrupted)).expect("a run");
    store.close();

    let store = home.store();
    assert_eq!(store.run(RunId(1)).expect("a run"), Some(ended));
    assert_eq!(store.run(RunId(3)).expect("no run"), None);
    let ids = |runs: Vec<maestro_core::run::Run>| runs.iter().map(|r| r.id.0).collect::<Vec<_>>();
    assert_eq!(ids(store.runs(10).expect("runs")), [2, 1]);
    assert_eq!(ids(store.runs_before(RunId(2), 10).expect("runs")), [1]);
    assert_eq!(ids(store.runs_before(RunId(3), 1).expect("runs")), [2]);
    assert!(store.runs_before(RunId(1), 10).expect("runs").is_empty());
    assert_eq!(ids(store.runs(1).expect("runs")), [2]);
    assert_eq!(ids(store.open_runs().expect("runs")), [2]);
    let journal = store.journal::<String>(RunId(1)).expect("a journal");
    let entry = |n, at_ms, entry: &str| Journaled { n, at_ms, entry: entry.to_owned() };
    let expected = [
        entry(1, 5, "begun"),
        entry(2, 5, "task 1"),
        entry(3, 6, "turn ended"),
        entry(4, 7, "ended"),
    ];
    assert_eq!(journal, expected);
    assert_eq!(store.journal_after::<String>(RunId(1), 2).expect("its end"), expected[2..]);
    assert!(store.append(RunId(9), 1, &"x").is_err(), "a journal belongs to a run");
    let wrong = store.journal::<u32>(RunId(1)).expect_err("entries of another kind");
    assert!(
        wrong.to_string().starts_with("entry 1 of the journal of r1 cannot be read"),
        "{wrong}"
    );
}

#[test]
fn a_directory_has_one_holder() {
    let home = Home::new();
    let store = home.store();
    store.take_lease(lease(1, "/code/app")).expect("a free directory");
    let run = new_run(2, State::Running);
    let error = store.start_run(&run, lease(2, "/code/app"), 1, &["begun"]).expect_err("held");
    assert!(matches!(&error, Error::Leased(holder) if **holder == lease(1, "/code/app")));
    assert!(error.to_string().contains("run r1 (process 42)"), "{error}");
    assert_eq!(store.run(RunId(2)).expect("nothing was started"), None);

    let mut renewed = lease(1, "/code/app");
    renewed.host = "h2".into();
    store.take_lease(renewed.clone()).expect("its own run goes on under another host");
    assert_eq!(store.leases().expect("leases"), [renewed.clone()]);
    assert_eq!(store.lease(Path::new("/code/app")).expect("a lease"), Some(renewed));
    assert!(store.release_leases(RunId(1)).expect("release"));
    assert!(!store.release_leases(RunId(1)).expect("nothing to release"));
    store.take_lease(lease(2, "/code/app")).expect("free again");
}

#[test]
fn hosts_and_terminals_come_back() {
    let home = Home::new();
    let store = home.store();
    let host = |n: u64| Host {
        instance: format!("h{n}"),
        pid: 7,
        process_start: u64::MAX - n,
        started_ms: n,
        stopped_ms: None,
    };
    for n in 0..40 {
        store.host_started(&host(n)).expect("a host");
    }
    store.host_stopped("h39", 50).expect("a stop");
    let hosts = store.hosts().expect("hosts");
    assert_eq!(hosts.len(), 32);
    assert_eq!(hosts[0], Host { stopped_ms: Some(50), ..host(39) });
    assert_eq!(hosts[1], host(38));

    let terminal = Terminal {
        id: TerminalId(6),
        agent: Some(AgentId(2)),
        host: "h39".into(),
        pid: 1234,
        process_start: 55,
        marker: "h39/t6".into(),
        started_ms: 8,
    };
    store.put_terminal(&terminal).expect("a terminal");
    assert_eq!(store.terminals().expect("terminals"), [terminal]);
    assert_eq!(store.next_terminal_id().expect("an id"), TerminalId(7));
    assert!(store.remove_terminal(TerminalId(6)).expect("removal"));
    assert_eq!(store.terminals().expect("terminals"), []);
}

#[test]
fn preferences_are_kept_within_limits() {
    let home = Home::new();
    let store = home.store();
    store.set_preference("theme", Some("dark")).expect("a preference");
    store.set_preference("theme", Some("light")).expect("another value");
    store.set_preference("layout", Some("")).expect("an empty value");
    store.set_preference("gone", Some("x")).expect("a preference");
    store.set_preference("gone", None).expect("removal");
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    assert_eq!(store.preferences().expect("all"), [pair("layout", ""), pair("theme", "light")]);

    let large = "x".repeat(MAX_VALUE_BYTES + 1);
    assert!(matches!(store.set_preference("k", Some(&large)), Err(Error::TooLarge { .. })));
    assert!(matches!(store.set_preference(&"k".repeat(65), None), Err(Error::TooLarge { .. })));
}

#[cfg(unix)]
#[test]
fn a_path_that_is_not_unicode_is_refused() {
    use std::os::unix::ffi::OsStrExt as _;
    let home = Home::new();
    let store = home.store();
    let mut strange = agent(1, "api");
    strange.directory = std::ffi::OsStr::from_bytes(b"/code/\xff").into();
    assert!(matches!(store.put_agent(&strange), Err(Error::Json { verb: "saved", .. })));
    assert_eq!(store.agents().expect("agents"), []);
}

#[test]
fn handles_on_many_threads_share_one_journal() {
    let home = Home::new();
    let store = home.store();
    store.put_run(&new_run(1, State::Running)).expect("a run");
    let ids: Vec<u64> = thread::scope(|scope| {
        let writers: Vec<_> = (0..8)
            .map(|_| {
                let store = store.clone();
                scope.spawn(move || {
                    (0..50)
                        .map(|at| {
                            let _ = store.append(RunId(1), at, &at).expect("an entry");
                            store.next_agent_id().expect("an id").0
                        })
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        writers.into_iter().flat_map(|writer| writer.join().expect("a writer")).collect()
    });
    assert_eq!(ids.into_iter().collect::<BTreeSet<_>>(), (1..=400).collect());
    let journal = store.journal::<u64>(RunId(1)).expect("a journal");
    assert!(journal.iter().map(|entry| entry.n).eq(1..=400));
}

#[test]
fn a_closed_store_says_so() {
    let home = Home::new();
    let store = home.store();
    let other = store.clone();
    store.close();
    assert!(matches!(other.agents(), Err(Error::Closed)));
    other.close();
    assert_eq!(home.files(), ["maestro.db"], "closed in good order, nothing is left beside it");
}

#[test]
fn what_was_agreed_to_is_kept_by_its_hash_until_it_is_taken_back() {
    let home = Home::new();
    let store = home.store();
    let commands = |text: &str| {
        let document = Document::parse(text.into()).expect("a document");
        Commands::of(&run::Options::default(), [&document])
    };
    let (first, second) = (commands("- [ ] a\n  - verify: x\n"), Commands::default());
    assert_eq!(store.trusted("aa").expect("an answer"), None);
    store.trust("aa", &first, 1).expect("trust");
    store.trust("bb", &second, 2).expect("trust");
    assert_eq!(store.trusted("aa").expect("an answer"), Some(first.clone()));
    store.close();

    let store = home.store();
    let all = store.all_trusted().expect("all");
    assert_eq!(all, [("bb".to_owned(), second), ("aa".to_owned(), first)]);
    assert!(store.distrust("aa").expect("taken back"));
    assert!(!store.distrust("aa").expect("nothing to take back"));
    assert_eq!(store.trusted("aa").expect("an answer"), None);
}

#[test]
fn trains_are_kept_as_they_were_last() {
    use maestro_core::train::{End, How, Spec, State, Train};

    let home = Home::new();
    let store = home.store();
    let spec = Spec {
        repository: "/r".into(),
        target: "main".into(),
        cars: Vec::new(),
        sorted: false,
        how: How::Rebase,
        verify: vec!["make".into()],
        limit_s: 1,
        commit: true,
        returns: 2,
    };
    let ids: Vec<_> = (0..2).map(|_| store.next_train_id().expect("an id")).collect();
    let mut train = Train::new(ids[0], spec.clone(), Vec::new(), 5);
    store.put_train(&train).expect("kept");
    store.put_train(&Train::new(ids[1], spec, Vec::new(), 6)).expect("kept");
    train.end(End::Done, 7);
    store.put_train(&train).expect("kept");
    store.close();
    let store = home.store();
    assert_eq!(store.train(ids[0]).expect("read"), Some(train.clone()));
    let found = |trains: Vec<Train>| trains.iter().map(|train| train.id).collect::<Vec<_>>();
    assert_eq!(found(store.trains(9).expect("read")), [ids[1], ids[0]]);
    assert_eq!(found(store.open_trains().expect("read")), [ids[1]]);
    assert_eq!(train.state, State::Ended(End::Done));
}

//! Tabs, drafts, queues and usage.

use maestro_core::conversation::{Image, Place, Policy, Prompt, Tab, TabState};
use maestro_core::queue::{Held, Item};
use maestro_core::turn::{Failure, FailureKind, Usage};
use maestro_core::usage::By;
use maestro_core::{AgentId, ItemId, RunId, TabId};
use maestro_store::{Added, Error, ItemState, NewItem, Store, Subject, Used};

use crate::{Home, agent};

fn tab(id: u64, agent: u64) -> Tab {
    Tab {
        id: TabId(id),
        agent: AgentId(agent),
        title: format!("tab {id}"),
        named: false,
        session: Some("5e55".into()),
        place: Place::Conversation,
        policy: Policy::ReadOnly,
        model: Some("opus".into()),
        effort: None,
        starred: true,
        unread: false,
        closed: false,
        state: TabState::Failed(Failure { kind: FailureKind::Network, message: "gone".into() }),
        since_ms: 5,
        requests: Vec::new(),
        context: None,
        usage: Usage { cost_usd: Some(0.25), ..Usage::default() },
        entries: 7,
        turns: 2,
        created_ms: 1,
        used_ms: 2,
    }
}

fn prompt(text: &str) -> Prompt {
    let image = Image { path: "/images/1.png".into(), media: "image/png".into() };
    Prompt { text: text.into(), images: vec![image], read_only: true }
}

fn new(agent: u64, tab: u64, text: &str) -> NewItem {
    NewItem {
        agent: AgentId(agent),
        tab: TabId(tab),
        prompt: prompt(text),
        token: format!("token of {text}"),
        added_ms: 10,
        most: 100,
        draft: false,
    }
}

#[test]
fn what_is_said_is_no_draft_any_more() {
    let home = Home::new();
    let store = home.store();
    let drafts = |tab: u64, text: &str| store.set_draft(TabId(tab), &prompt(text)).expect("kept");
    drafts(1, "a");
    drafts(2, "b");
    let _ = store.add_item(new(1, 1, "from a script")).expect("kept");
    assert_eq!(store.drafted_tabs().expect("read"), [TabId(1), TabId(2)], "it was not that");
    let said = NewItem { draft: true, ..new(1, 1, "a") };
    let first = store.add_item(said.clone()).expect("kept");
    assert_eq!(store.drafted_tabs().expect("read"), [TabId(2)]);
    // Asked again, because the answer was lost: the draft that came back with it goes, too.
    drafts(1, "a");
    let again = store.add_item(said).expect("known");
    assert_eq!((again.id, again.fresh), (first.id, false));
    assert_eq!(store.drafted_tabs().expect("read"), [TabId(2)]);
    // What is not taken stays a draft.
    drafts(1, "c");
    let full = NewItem { most: 2, ..NewItem { draft: true, ..new(1, 1, "c") } };
    assert!(store.add_item(full).is_err());
    assert_eq!(store.drafted_tabs().expect("read"), [TabId(1), TabId(2)]);
}

fn put(store: &Store, agent: u64, tab: u64, text: &str) -> ItemId {
    let added = store.add_item(new(agent, tab, text)).expect("an item");
    assert!(added.fresh);
    added.id
}

/// What waits or is being said in an agent's queue, in order.
fn texts(store: &Store, agent: u64) -> Vec<String> {
    let items = store.items().expect("items");
    items
        .into_iter()
        .filter(|stored| stored.agent == AgentId(agent))
        .map(|stored| stored.item.prompt.text)
        .collect()
}

#[test]
fn a_database_of_the_first_version_is_brought_up_to_date_with_all_that_is_in_it() {
    let home = Home::new();
    let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/v1.db");
    let _ = std::fs::copy(fixture, home.path()).expect("a copy");
    let store = home.store();
    let names: Vec<_> = store.agents().expect("agents").into_iter().map(|a| a.name).collect();
    assert_eq!(names, ["web", "api"]);
    assert_eq!(store.preferences().expect("all"), [("layout".to_owned(), "{}".to_owned())]);
    assert_eq!(store.next_agent_id().expect("an id"), AgentId(3));
    assert_eq!(store.next_tab_id().expect("an id"), TabId(1));
    assert_eq!(put(&store, 1, 1, "first"), ItemId(1));
    assert!(home.files().contains(&"maestro.db.v1.bak".to_owned()), "{:?}", home.files());
}

#[test]
fn tabs_come_back_whole_and_in_order() {
    let home = Home::new();
    let store = home.store();
    for id in [1, 2, 3] {
        store.put_tab(&tab(id, 1)).expect("a tab");
    }
    store.put_tab(&tab(9, 2)).expect("a tab of another agent");
    store.order_tabs(AgentId(1), &[TabId(3), TabId(1)]).expect("another order");
    let mut renamed = tab(1, 1);
    renamed.title = "renamed".into();
    store.put_tab(&renamed).expect("a change keeps its place");
    store.close();

    let store = home.store();
    assert_eq!(store.tabs().expect("tabs"), [tab(3, 1), renamed, tab(2, 1), tab(9, 2)]);
    let error = store.order_tabs(AgentId(1), &[TabId(2), TabId(9)]).expect_err("another's tab");
    assert!(matches!(error, Error::NoTab(TabId(9))));
    assert_eq!(store.tabs().expect("tabs")[0].id, TabId(3), "nothing changed");
    assert_eq!(store.next_tab_id().expect("an id"), TabId(10));

    let _ = put(&store, 1, 2, "for it");
    store.set_draft(TabId(2), &prompt("half a")).expect("a draft");
    assert!(store.remove_tab(TabId(2)).expect("removal"));
    assert!(!store.remove_tab(TabId(2)).expect("nothing to remove"));
    assert_eq!((texts(&store, 1), store.draft(TabId(2)).expect("no draft")), (vec![], None));
}

#[test]
fn drafts_come_back_and_an_empty_one_is_none() {
    let home = Home::new();
    let store = home.store();
    store.set_draft(TabId(1), &prompt("half a sen")).expect("a draft");
    store.set_draft(TabId(2), &prompt("x")).expect("a draft");
    store.set_draft(TabId(2), &Prompt::default()).expect("nothing");
    store.close();
    let store = home.store();
    assert_eq!(store.draft(TabId(1)).expect("a draft"), Some(prompt("half a sen")));
    assert_eq!(store.draft(TabId(2)).expect("none"), None);
    assert_eq!(store.drafted_tabs().expect("tabs"), [TabId(1)]);
}

#[test]
fn an_item_is_put_into_a_queue_once_for_each_token() {
    let home = Home::new();
    let store = home.store();
    let id = put(&store, 1, 1, "a");
    store.close();
    let store = home.store();
    let again = store.add_item(new(1, 1, "a")).expect("known");
    assert_eq!(again, Added { id, fresh: false });
    assert_eq!(store.item_of_token("token of a").expect("known"), Some(id));
    assert_eq!(store.item_of_token("another").expect("not known"), None);
    let elsewhere = store.add_item(new(1, 2, "a")).expect_err("another tab");
    assert!(matches!(elsewhere, Error::TokenTaken(taken) if taken == id), "{elsewhere:?}");

    assert!(store.dispatch_item(id, 4, 11).expect("it waits"));
    assert!(store.finish_item(id, 12).expect("it is said"));
    assert_eq!(store.add_item(new(1, 1, "a")).expect("said"), Added { id, fresh: false });
    assert_eq!(texts(&store, 1), Vec::<String>::new());
    let said = store.item(id).expect("readable").expect("remembered");
    assert_eq!((said.state, said.item.prompt), (ItemState::Done { turn: 4 }, Prompt::default()));
}

#[test]
fn a_queue_has_an_end() {
    let home = Home::new();
    let store = home.store();
    let within = |text| NewItem { most: 2, ..new(1, 1, text) };
    let first = store.add_item(within("a")).expect("room").id;
    let _ = store.add_item(within("b")).expect("room");
    let error = store.add_item(within("c")).expect_err("no room");
    assert!(matches!(error, Error::QueueFull { waiting: 2 }), "{error:?}");
    assert!(error.to_string().contains("2 prompts wait for this agent"), "{error}");
    let _ = store.add_item(NewItem { most: 2, ..new(2, 1, "c") }).expect("another queue");
    assert!(store.remove_item(first, 1).expect("removed"));
    let _ = store.add_item(within("d")).expect("room again");
}

#[test]
fn each_step_of_an_item_is_taken_once() {
    let home = Home::new();
    let store = home.store();
    let id = put(&store, 1, 1, "a");
    assert!(!store.finish_item(id, 1).expect("it was not handed over"));
    assert!(!store.return_item(id, true, 1).expect("nor that"));
    assert!(!store.restore_item(id, 1).expect("it was not removed"));
    assert!(store.dispatch_item(id, 3, 1).expect("it waits"));
    assert!(!store.dispatch_item(id, 4, 1).expect("once"));
    assert!(!store.remove_item(id, 1).expect("too late"));
    let stored = store.items().expect("items").remove(0);
    assert_eq!(stored.state, ItemState::Dispatched { turn: 3 });
    assert!(!store.change_item(&stored.item, 2).expect("too late"));
    assert!(!store.move_item(id, None, 2).expect("too late"));

    assert!(store.return_item(id, true, 5).expect("nobody knows"));
    let stored = store.items().expect("items").remove(0);
    assert_eq!(stored.state, ItemState::Waiting);
    assert!(stored.item.held && stored.item.unsure);
    assert!(store.dispatch_item(id, 4, 6).expect("its user said so"));
    assert!(store.return_item(id, false, 7).expect("it was refused"));
    let stored = store.items().expect("items").remove(0);
    assert!(!stored.item.unsure, "it is known again");
    for unknown in [store.dispatch_item(ItemId(99), 1, 1), store.remove_item(ItemId(99), 1)] {
        assert!(!unknown.expect("nothing to change"));
    }
    assert_eq!(store.item(ItemId(99)).expect("none"), None);
}

#[test]
fn items_change_move_and_come_back_where_they_were() {
    let home = Home::new();
    let store = home.store();
    let [a, b, c] = ["a", "b", "c"].map(|text| put(&store, 1, 1, text));
    let other = put(&store, 2, 5, "other");
    assert!(store.move_item(c, Some(a), 1).expect("moved"));
    assert_eq!(texts(&store, 1), ["c", "a", "b"]);
    assert!(store.move_item(c, None, 1).expect("moved"));
    assert_eq!(texts(&store, 1), ["a", "b", "c"]);
    assert!(store.move_item(b, Some(b), 1).expect("where it is"));
    assert!(matches!(store.move_item(a, Some(other), 1), Err(Error::NoItem(_))));
    assert_eq!(texts(&store, 1), ["a", "b", "c"]);

    assert!(store.remove_item(b, 2).expect("removed"));
    assert!(store.move_item(c, Some(a), 3).expect("moved"));
    assert_eq!(texts(&store, 1), ["c", "a"]);
    assert!(store.restore_item(b, 4).expect("put back"));
    assert_eq!(texts(&store, 1), ["c", "a", "b"]);

    let edited = Item {
        id: a,
        tab: TabId(7),
        prompt: prompt("other words"),
        held: true,
        unsure: false,
        added_ms: 10,
    };
    assert!(store.change_item(&edited, 5).expect("changed"));
    store.close();
    assert_eq!(home.store().item(a).expect("readable").expect("there").item, edited);
}

#[test]
fn why_a_queue_is_held_is_kept() {
    let home = Home::new();
    let store = home.store();
    let failed = Held::AfterFailure("the network is gone".into());
    store.hold_queue(AgentId(1), Some(&Held::ByUser)).expect("held");
    store.hold_queue(AgentId(1), Some(&failed)).expect("held for another reason");
    store.hold_queue(AgentId(2), Some(&Held::AfterInterrupt)).expect("held");
    store.hold_queue(AgentId(2), None).expect("goes on");
    store.close();
    assert_eq!(home.store().holds().expect("holds"), [(AgentId(1), failed)]);
}

#[test]
fn with_an_agent_go_its_tabs_drafts_and_queue() {
    let home = Home::new();
    let store = home.store();
    store.put_agent(&agent(1, "api")).expect("an agent");
    store.put_tab(&tab(1, 1)).expect("a tab");
    store.put_tab(&tab(2, 2)).expect("a tab of another");
    store.set_draft(TabId(1), &prompt("x")).expect("a draft");
    let _ = put(&store, 1, 1, "a");
    store.hold_queue(AgentId(1), Some(&Held::ByUser)).expect("held");
    assert!(store.remove_agent(AgentId(1)).expect("removal"));
    assert_eq!(store.tabs().expect("tabs"), [tab(2, 2)]);
    assert_eq!(store.drafted_tabs().expect("none"), []);
    assert_eq!(store.items().expect("none"), []);
    assert_eq!(store.holds().expect("none"), []);
}

fn used(at_ms: u64, tab: u64, turn: u64, model: Option<&str>, cost_usd: Option<f64>) -> Used {
    let usage = Usage { input_tokens: 100, cached_tokens: 40, output_tokens: 7, cost_usd };
    Used {
        at_ms,
        agent: Some(AgentId(1)),
        agent_name: Some("api".into()),
        turn: Some((TabId(tab), turn)),
        run: None,
        provider: "claude".into(),
        model: model.map(Into::into),
        usage,
    }
}

#[test]
fn usage_is_added_up_by_whatever_is_asked_for() {
    const HOUR: u64 = 3_600_000;
    let home = Home::new();
    let store = home.store();
    store.record_usage(&used(HOUR, 1, 1, Some("opus"), Some(0.5))).expect("a turn");
    store.record_usage(&used(HOUR + 1, 1, 2, Some("opus"), None)).expect("a turn");
    store.record_usage(&used(2 * HOUR, 2, 1, None, Some(0.25))).expect("a turn");
    let task = Used {
        agent: None,
        agent_name: None,
        turn: None,
        ..used(2 * HOUR, 0, 0, Some("opus"), None)
    };
    let mut less = task.clone();
    less.usage.input_tokens = 1;
    store.record_usage_of_run(RunId(3), vec![less.clone()]).expect("a task of a run");
    store.record_usage_of_run(RunId(3), vec![task.clone(), task.clone()]).expect("more of it");
    store.record_usage_of_run(RunId(3), vec![less, task]).expect("what is out of date");

    let sums = |by, since| {
        let sums = store.usage(by, since).expect("sums");
        sums.into_iter()
            .map(|sum| (sum.of, sum.turns, sum.usage.cost_usd, sum.unpriced.input_tokens))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        sums(By::Day, 0),
        [
            (Subject::Quarter(HOUR), 2, Some(0.5), 100),
            (Subject::Quarter(2 * HOUR), 1, Some(0.25), 0),
            (Subject::Quarter(2 * HOUR), 2, None, 200),
        ]
    );
    assert_eq!(
        sums(By::Agent, HOUR + 1),
        [
            (Subject::Agent(None, None), 2, None, 200),
            (Subject::Agent(Some(AgentId(1)), Some("api".into())), 1, Some(0.25), 0),
            (Subject::Agent(Some(AgentId(1)), Some("api".into())), 1, None, 100),
        ]
    );
    assert_eq!(sums(By::Tab, 0).len(), 3);
    assert_eq!(
        sums(By::Model, 0),
        [
            (Subject::Model(None), 1, Some(0.25), 0),
            (Subject::Model(Some("opus".into())), 4, Some(0.5), 300),
        ]
    );
    assert_eq!(sums(By::Provider, 2 * HOUR + 1), []);
}

#[test]
fn a_turn_that_is_noted_again_counts_once() {
    let home = Home::new();
    let store = home.store();
    store.record_usage(&used(1, 1, 1, Some("opus"), None)).expect("a turn");
    store.record_usage(&used(1, 1, 1, Some("opus"), Some(0.1))).expect("the same one");
    let sums = store.usage(By::Provider, 0).expect("sums");
    assert_eq!(sums.len(), 1);
    assert_eq!((sums[0].turns, sums[0].usage.cost_usd), (1, Some(0.1)));
}

#[test]
fn figures_that_cannot_be_are_bounded() {
    let home = Home::new();
    let store = home.store();
    for turn in 1..=3 {
        let mut mad = used(u64::MAX, 1, turn, None, Some(f64::NAN));
        mad.usage.input_tokens = u64::MAX;
        store.record_usage(&mad).expect("a turn");
    }
    let sums = store.usage(By::Tab, u64::MAX).expect("sums");
    assert!(sums[0].usage.input_tokens >= i64::MAX as u64);
    assert_eq!((sums[0].turns, sums[0].usage.cost_usd), (3, None));
}

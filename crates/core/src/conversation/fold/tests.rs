//! Tables: events in, entries and tab out.

use super::*;
use crate::conversation::{Ask, Place, Transcript};
use crate::id::{AgentId, TabId};

fn tab() -> Tab {
    Tab {
        id: TabId(1),
        agent: AgentId(1),
        title: String::new(),
        named: false,
        session: None,
        place: Place::Nowhere,
        policy: Policy::Ask,
        model: None,
        effort: None,
        starred: false,
        unread: false,
        closed: false,
        state: TabState::Idle,
        since_ms: 0,
        requests: Vec::new(),
        context: None,
        usage: Usage::default(),
        entries: 0,
        turns: 0,
        created_ms: 0,
        used_ms: 0,
    }
}

struct Bench {
    tab: Tab,
    fold: Conversation,
    copy: Transcript,
    now: u64,
}

impl Bench {
    fn new() -> Self {
        let tab = tab();
        let fold = Conversation::new(&tab);
        Self { tab, fold, copy: Transcript::default(), now: 1000 }
    }

    fn said(text: &str) -> Self {
        let mut bench = Self::new();
        bench.say(text);
        bench
    }

    fn apply(&mut self, work: impl FnOnce(&mut Conversation, u64, &mut Tab, &mut Vec<Update>)) {
        let mut out = Vec::new();
        self.now += 10;
        work(&mut self.fold, self.now, &mut self.tab, &mut out);
        for update in out {
            let applied = self.copy.apply(update.clone());
            assert!(
                matches!(applied, Applied::Added(_) | Applied::Changed(_)),
                "{applied:?}: {update:?}"
            );
        }
        assert_eq!(self.tab.entries, self.copy.len() as u64);
    }

    fn say(&mut self, text: &str) {
        let prompt = Prompt { text: text.into(), ..Prompt::default() };
        self.apply(|fold, now, tab, out| fold.begin(&prompt, now, tab, out));
    }

    fn take(&mut self, event: Event) {
        self.apply(|fold, now, tab, out| fold.take(event, now, tab, out));
    }

    fn item(&mut self, key: &str, open: bool, body: Body) {
        self.take(Event::Item { key: key.into(), open, body });
    }

    fn delta(&mut self, key: &str, part: Part, text: &str) {
        self.take(Event::Delta { key: key.into(), part, text: text.into() });
    }

    fn end(&mut self, result: Result<(), FailureKind>) {
        self.take(Event::Ended(Outcome {
            session: None,
            text: "last".into(),
            usage: Usage { input_tokens: 10, output_tokens: 2, ..Usage::default() },
            result: result.map_err(|kind| Failure { kind, message: "why".into() }),
        }));
    }

    fn last(&self) -> &Entry {
        self.copy.iter().next_back().expect("an entry")
    }

    fn bodies(&self) -> Vec<&Body> {
        self.copy.iter().map(|entry| &entry.body).collect()
    }
}

use crate::conversation::Applied;

fn running_tool() -> Tool {
    Tool { title: "cargo test".into(), ..unknown_tool("t1", "", 0) }
}

fn asks(id: &str) -> Request {
    Request {
        id: id.into(),
        call: None,
        ask: Ask::Command { command: "rm -r x".into(), directory: None },
        why: String::new(),
        always: None,
        asked_ms: 0,
    }
}

#[test]
fn a_turn_is_folded_into_entries() {
    let mut bench = Bench::said("# Fix the  cart\nplease");
    assert_eq!((bench.tab.title.as_str(), bench.tab.turns), ("Fix the  cart", 1));
    assert_eq!(bench.tab.state, TabState::Starting);
    bench.take(Event::Session { id: "s1".into(), model: None });
    assert_eq!(bench.tab.state, TabState::Working(String::new()));
    bench.delta("m1", Part::Thinking, "hm");
    bench.delta("m2", Part::Text, "I ");
    bench.delta("m2", Part::Text, "see.");
    assert_eq!(bench.tab.state, TabState::Working("writing".into()));
    bench.item("t1", true, Body::Tool(running_tool()));
    assert_eq!(bench.tab.state, TabState::Working("cargo test".into()));
    bench.delta("t1", Part::ToolOutput, "ok\n");
    bench.item("m2", false, Body::Text("I see!".into()));
    let done = Tool { state: ToolState::Done, output: "ok\ndone".into(), ..running_tool() };
    bench.item("t1", false, Body::Tool(done));
    bench.end(Ok(()));
    assert_eq!(bench.tab.state, TabState::Idle);
    assert!(bench.tab.unread && bench.copy.iter().all(|entry| !entry.open && entry.turn == 1));
    let bodies = bench.bodies();
    assert_eq!(bodies.len(), 5, "{bodies:?}");
    assert_eq!(bodies[1], &Body::Thinking("hm".into()));
    assert_eq!(bodies[2], &Body::Text("I see!".into()));
    let Body::Tool(tool) = bodies[3] else { panic!("{bodies:?}") };
    assert!(tool.started_ms > 0 && tool.ended_ms > Some(tool.started_ms));
    let Body::Ended(ended) = bodies[4] else { panic!("{bodies:?}") };
    assert_eq!((ended.interrupted, ended.usage.input_tokens), (false, 10));
    assert!(ended.duration_ms > 0);
}

#[test]
fn turns_and_usage_are_counted() {
    let mut bench = Bench::said("one");
    let usage = |tokens| Usage { input_tokens: tokens, cost_usd: Some(0.5), ..Usage::default() };
    bench.take(Event::Usage(usage(3)));
    bench.take(Event::Usage(usage(7)));
    assert_eq!(bench.tab.usage, usage(7));
    bench.end(Ok(()));
    assert_eq!(bench.tab.usage.input_tokens, 10, "the outcome's own figure counts");
    bench.say("two");
    bench.take(Event::Usage(usage(4)));
    assert_eq!(bench.tab.usage.input_tokens, 14);
    assert_eq!((bench.tab.turns, bench.tab.title.as_str()), (2, "one"));
}

#[test]
fn an_answer_that_was_told_only_at_the_end_is_shown() {
    let mut bench = Bench::said("x");
    bench.end(Ok(()));
    assert_eq!(bench.bodies()[1], &Body::Text("last".into()));
}

#[test]
fn endings() {
    for (result, state, interrupted) in [
        (Ok(()), TabState::Idle, Some(false)),
        (Err(FailureKind::Interrupted), TabState::Idle, Some(true)),
        (
            Err(FailureKind::Limit { resets_ms: Some(9) }),
            TabState::Limited { until_ms: Some(9), resumes: false },
            None,
        ),
        (
            Err(FailureKind::Auth),
            TabState::Failed(Failure { kind: FailureKind::Auth, message: "why".into() }),
            None,
        ),
    ] {
        let mut bench = Bench::said("x");
        bench.item("t1", true, Body::Tool(running_tool()));
        bench.take(Event::Request(asks("r1")));
        assert_eq!(bench.tab.state, TabState::Asking);
        bench.end(result);
        assert_eq!(bench.tab.state, state);
        assert_eq!(bench.tab.unread, interrupted != Some(true));
        assert!(bench.tab.requests.is_empty() && !bench.fold.is_running());
        let Body::Tool(tool) = bench.bodies()[1] else { panic!() };
        assert_eq!(tool.state, ToolState::Cut);
        match (&bench.last().body, interrupted) {
            (Body::Ended(ended), Some(expected)) => assert_eq!(ended.interrupted, expected),
            (Body::Failed(_), None) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_reset_that_was_told_before_counts() {
    let mut bench = Bench::said("x");
    let name = || "five_hour".to_owned();
    bench.take(Event::Limit { resets_ms: Some(5000), percent: None, name: name() });
    bench.end(Err(FailureKind::Limit { resets_ms: None }));
    assert_eq!(bench.tab.state, TabState::Limited { until_ms: Some(5000), resumes: false });
    bench.say("y");
    for percent in [10, 81, 85, 96, 97] {
        bench.take(Event::Limit { resets_ms: None, percent: Some(percent), name: name() });
    }
    let notices: Vec<_> =
        bench.bodies().into_iter().filter(|body| matches!(body, Body::Notice(_))).collect();
    assert_eq!(notices.len(), 2, "{notices:?}");
}

#[test]
fn requests_are_open_answered_or_taken_back() {
    let mut bench = Bench::said("x");
    bench.take(Event::Request(asks("r1")));
    bench.take(Event::Request(asks("r1")));
    bench.take(Event::Request(asks("r2")));
    assert_eq!(bench.tab.requests.len(), 2);
    bench.take(Event::Doing("nothing new".into()));
    assert_eq!(bench.tab.state, TabState::Asking);
    let mut known = false;
    bench.apply(|fold, now, tab, out| known = fold.answered("r1", Answer::Once, now, tab, out));
    assert!(known);
    bench.apply(|fold, now, tab, out| known = fold.answered("r1", Answer::Once, now, tab, out));
    assert!(!known, "an answer counts once");
    assert_eq!(bench.tab.state, TabState::Asking);
    bench.take(Event::RequestGone { id: "r2".into() });
    assert_eq!(bench.tab.state, TabState::Working(String::new()));
    let answers: Vec<_> = bench
        .bodies()
        .into_iter()
        .filter_map(|body| match body {
            Body::Request { answer, .. } => Some(answer.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(answers, [Some(Answer::Once), None]);
}

#[test]
fn retries_are_one_entry_and_a_state() {
    let mut bench = Bench::said("x");
    for attempt in 1..=5 {
        bench.take(Event::Retrying {
            because: "overloaded".into(),
            until_ms: Some(99),
            attempt: Some(attempt),
        });
    }
    assert_eq!(bench.copy.len(), 2);
    assert!(matches!(bench.tab.state, TabState::Retrying { attempt: Some(5), .. }));
    bench.delta("m", Part::Text, "at last");
    assert_eq!(bench.tab.state, TabState::Working("writing".into()));
}

#[test]
fn unknown_lines_are_kept_up_to_a_number() {
    let mut bench = Bench::said("x");
    for n in 0..1000 {
        bench.item(&format!("raw{n}"), false, Body::Raw("{}".into()));
    }
    assert_eq!(bench.copy.len() as u32, 1 + RAW + 1);
    bench.end(Ok(()));
    bench.say("y");
    bench.item("again", false, Body::Raw("{}".into()));
    assert_eq!(bench.last().body, Body::Raw("{}".into()));
}

#[test]
fn what_is_too_long_is_cut_and_says_so() {
    let mut bench = Bench::said("x");
    bench.item("t1", true, Body::Tool(running_tool()));
    let line = "0123456789".repeat(100);
    for _ in 0..2_000 {
        bench.delta("t1", Part::ToolOutput, &line);
    }
    bench.delta("t1", Part::ToolOutput, "the very end");
    for _ in 0..2_000 {
        bench.delta("m1", Part::Text, &line);
    }
    bench.item("m2", false, Body::Text("y".repeat(TEXT_LIMIT * 2)));
    bench.end(Ok(()));
    let lengths: Vec<usize> = bench
        .bodies()
        .into_iter()
        .filter_map(|body| match body {
            Body::Tool(tool) => {
                assert!(tool.output.contains("bytes are not kept"));
                assert!(tool.output.ends_with("the very end"));
                Some(tool.output.len() / OUTPUT_LIMIT)
            }
            Body::Text(text) => {
                assert!(text.contains("not kept"));
                Some(text.len() / (TEXT_LIMIT + TEXT_LIMIT / 2))
            }
            _ => None,
        })
        .collect();
    assert_eq!(lengths, [1, 0, 0]);
}

#[test]
fn a_program_that_is_gone_cuts_its_turn() {
    let mut bench = Bench::said("x");
    bench.delta("m", Part::Text, "half an ans");
    bench.take(Event::Gone { stderr: "panic\nat the end".into() });
    let TabState::Failed(failure) = &bench.tab.state else { panic!("{:?}", bench.tab.state) };
    assert_eq!(failure.kind, FailureKind::Crashed);
    assert!(failure.message.ends_with("at the end"), "{}", failure.message);
    assert_eq!(bench.bodies()[1], &Body::Text("half an ans".into()));
    // Between turns it is nothing.
    let entries = bench.copy.len();
    bench.take(Event::Gone { stderr: String::new() });
    assert_eq!(bench.copy.len(), entries);
}

#[test]
fn deltas_that_fit_nothing_change_nothing() {
    let mut bench = Bench::said("x");
    bench.item("t1", false, Body::Tool(running_tool()));
    bench.delta("t1", Part::ToolOutput, "late");
    bench.delta("m1", Part::Text, "text");
    bench.delta("m1", Part::Thinking, "no text");
    bench.delta("new", Part::ToolOutput, "of a tool nobody told of");
    assert_eq!(bench.copy.len(), 4);
    assert_eq!(bench.bodies()[2], &Body::Text("text".into()));
}

#[test]
fn policies_are_told_and_a_turns_own_is_not() {
    let mut bench = Bench::said("x");
    bench.fold.for_this_turn(Some(Policy::ReadOnly));
    bench.take(Event::Policy(Policy::ReadOnly));
    assert_eq!((bench.tab.policy, bench.copy.len()), (Policy::Ask, 1));
    bench.end(Ok(()));
    bench.take(Event::Policy(Policy::AcceptEdits));
    assert_eq!(bench.tab.policy, Policy::AcceptEdits);
    assert!(matches!(&bench.last().body, Body::Notice(_)));
}

#[test]
fn what_was_said_elsewhere_gets_the_next_numbers() {
    let mut bench = Bench::said("x");
    bench.end(Ok(()));
    let entry = |body| Entry { n: 70, turn: 9, at_ms: 5, open: true, body };
    let prompt = Prompt { text: "there".into(), ..Prompt::default() };
    let elsewhere = vec![entry(Body::Prompt(prompt)), entry(Body::Text("yes".into()))];
    bench.apply(|fold, _, tab, out| fold.merge(elsewhere, tab, out));
    assert_eq!((bench.tab.turns, bench.last().n, bench.last().turn), (2, 4, 2));
    assert!(!bench.last().open);
}

#[test]
fn titles_come_from_the_first_words() {
    let long = "word ".repeat(40);
    for (text, expected) in [
        ("fix it", "fix it"),
        ("\n\n  ---\n## Fix *it*\nmore", "Fix *it*"),
        ("", ""),
        ("\u{202e}abc", "abc"),
    ] {
        assert_eq!(title_of(&Prompt { text: text.into(), ..Prompt::default() }), expected);
    }
    let title = title_of(&Prompt { text: long, ..Prompt::default() });
    assert!(title.chars().count() <= TITLE && title.ends_with("word…"), "{title}");
    let mut bench = Bench::said("first");
    bench.take(Event::Title("  Better\n title ".into()));
    assert_eq!(bench.tab.title, "Better  title");
    bench.tab.named = true;
    bench.take(Event::Title("other".into()));
    assert_eq!(bench.tab.title, "Better  title");
}

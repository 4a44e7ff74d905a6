use super::*;
use crate::turn::{Failure, FailureKind, Usage};

/// Items in a line of words: `c1` waits for tab 1, `c1r` only reads, `(c1)` is held, `c1!` is wanted now.
/// They are numbered from 1.
fn line(text: &str) -> (Vec<Item>, Vec<ItemId>) {
    let mut now = Vec::new();
    let items = text.split_whitespace().zip(1..).map(|(word, n)| {
        let id = ItemId(n);
        if word.contains('!') {
            now.push(id);
        }
        let tab = word.trim_matches(|c: char| !c.is_ascii_digit()).parse().expect("a number");
        Item {
            id,
            tab: TabId(tab),
            prompt: Prompt { text: "x".into(), read_only: word.contains('r'), ..Prompt::default() },
            held: word.starts_with('('),
            unsure: false,
            added_ms: 0,
        }
    });
    (items.collect(), now)
}

/// Tabs 1, 2 and so on: `free`, `writes`, `reads`, `limited`, `away`; `free/r` is a tab in which nothing
/// can write.
fn seats(text: &str) -> Vec<Seat> {
    let seat = |(word, n): (&str, u64)| {
        let (work, reads) = match word.split_once('/') {
            Some((work, _)) => (work, true),
            None => (word, false),
        };
        let work = match work {
            "free" => Work::Free,
            "writes" => Work::Writes,
            "reads" => Work::Reads,
            "limited" => Work::Limited,
            "away" => Work::Away,
            other => panic!("{other}"),
        };
        Seat { tab: TabId(n), work, reads }
    };
    text.split_whitespace().zip(1..).map(seat).collect()
}

#[test]
fn what_goes_next() {
    for (items, tabs, expected) in [
        ("", "free", 0),
        ("c1", "free", 1),
        ("c1 c1", "free", 1),
        ("c9", "free", 0),
        // Held ones are stepped over.
        ("(c1) c1", "free", 2),
        ("(c1)", "free", 0),
        ("(c1)! c1", "free", 1),
        // One turn writes at a time, and the order holds over all tabs.
        ("c1", "writes", 0),
        ("c2", "writes free", 0),
        ("c1 c2", "writes free", 0),
        ("c2 c1", "free writes", 0),
        // Beside a turn that only reads another one may write.
        ("c2", "reads free", 1),
        ("c1 c2", "reads free", 0),
        // What reads waits for its own tab only, and overtakes what writes.
        ("c2r", "writes free", 1),
        ("c1 c2r", "writes free", 2),
        ("c2", "writes free/r", 1),
        ("c1r", "writes free", 0),
        ("c1r c2", "reads free", 2),
        // But not within a tab.
        ("c2 c2r", "writes free", 0),
        ("c2 c2r c3r", "writes free free", 3),
        // Now: waits for its own tab only.
        ("c1 c2!", "writes free", 2),
        ("c1!", "writes", 0),
        ("c1!", "away", 0),
        ("c1 c1!", "free", 1),
        ("(c1) c1 c1!", "free", 2),
        ("c1 c2!", "limited limited", 2),
        // One who is limited is so in all of its tabs.
        ("c1", "limited", 0),
        ("c2", "limited free", 0),
        ("c2r", "limited free", 0),
        // What is shown elsewhere is waited for, in order.
        ("c1 c2", "away free", 0),
        ("c1 c2r", "away free", 2),
    ] {
        let ((items_, now), seats) = (line(items), seats(tabs));
        let facts =
            Facts { items: &items_, held: false, now: &now, after: &[], seats: &seats, run: false };
        let found = next(facts).map_or(0, |id| id.0);
        assert_eq!(found, expected, "`{items}` with tabs `{tabs}`");
    }
}

#[test]
fn a_held_queue_says_only_what_is_wanted_now() {
    let seats = seats("free");
    for (items, expected) in [("c1", None), ("c1 c1!", Some(ItemId(2))), ("(c1)!", Some(ItemId(1)))]
    {
        let (items, now) = line(items);
        let facts =
            Facts { items: &items, held: true, now: &now, after: &[], seats: &seats, run: false };
        assert_eq!(next(facts), expected, "{items:?}");
    }
}

#[test]
fn beside_a_run_only_what_reads_is_said() {
    for (items, tabs, expected) in [
        ("c1", "free", None),
        ("c1r", "free", Some(ItemId(1))),
        ("c1 c2r", "free free", Some(ItemId(2))),
        ("c1", "free/r", Some(ItemId(1))),
        ("c1!", "free", None),
        ("c1r!", "free", Some(ItemId(1))),
    ] {
        let ((items_, now), seats) = (line(items), seats(tabs));
        let facts =
            Facts { items: &items_, held: false, now: &now, after: &[], seats: &seats, run: true };
        assert_eq!(next(facts), expected, "`{items}` with tabs `{tabs}`");
    }
}

#[test]
fn everything_that_waits_is_said_in_the_end() {
    // One tab, always free after a turn: the order is the order.
    let (mut items, now) = line("c1 c1r c1 c1r");
    let seats = seats("free");
    let mut said = Vec::new();
    while let Some(id) =
        next(Facts { items: &items, held: false, now: &now, after: &[], seats: &seats, run: false })
    {
        items.retain(|item| item.id != id);
        said.push(id.0);
    }
    assert_eq!(said, [1, 2, 3, 4]);
}

#[test]
fn a_restart_holds_what_waits() {
    use Held::{AfterFailure, AfterInterrupt, AfterRestart, ByUser};
    let failed = || AfterFailure("so".into());
    for (held, limited, send, expected) in [
        (None, false, false, Some(AfterRestart)),
        (None, false, true, None),
        // It waited for a limit, and still does.
        (None, true, false, None),
        (Some(AfterRestart), false, false, Some(AfterRestart)),
        (Some(AfterRestart), true, false, Some(AfterRestart)),
        (Some(AfterRestart), false, true, None),
        (Some(ByUser), true, true, Some(ByUser)),
        (Some(failed()), true, true, Some(failed())),
        (Some(AfterInterrupt), false, true, Some(AfterInterrupt)),
    ] {
        assert_eq!(after_restart(held.clone(), limited, send), expected, "{held:?}");
    }
}

#[test]
fn prompts_have_bounds() {
    let prompt = |text: &str| Prompt { text: text.into(), ..Prompt::default() };
    let image = crate::conversation::Image { path: "/x.png".into(), media: "image/png".into() };
    let with = |images: usize| Prompt { images: vec![image.clone(); images], ..Prompt::default() };
    let waits = |bytes: usize| {
        let mut item = line("c1").0.remove(0);
        item.prompt = prompt(&"x".repeat(bytes));
        vec![item]
    };
    let largest = "x".repeat(PROMPT_LIMIT);
    assert_eq!(check(&prompt("x"), &[]), Ok(()));
    assert_eq!(check(&prompt(&largest), &[]), Ok(()));
    assert_eq!(check(&with(MOST_IMAGES), &[]), Ok(()), "images alone are something to say");
    assert_eq!(check(&prompt(" \n"), &[]), Err(Unfit::Empty));
    let bytes = PROMPT_LIMIT + 1;
    assert_eq!(check(&prompt(&(largest.clone() + "x")), &[]), Err(Unfit::TooLong { bytes }));
    let images = MOST_IMAGES + 1;
    assert_eq!(check(&with(images), &[]), Err(Unfit::TooManyImages { images }));
    assert_eq!(check(&prompt(&largest), &waits(MOST_BYTES - PROMPT_LIMIT)), Ok(()));
    let waiting = MOST_BYTES - PROMPT_LIMIT + 1;
    assert_eq!(check(&prompt(&largest), &waits(waiting)), Err(Unfit::NoRoom { waiting }));
}

#[test]
fn a_tab_has_a_seat() {
    let failed =
        TabState::Failed(Failure { kind: FailureKind::Auth, message: "log in".to_owned() });
    let retrying = TabState::Retrying { because: String::new(), until_ms: None, attempt: None };
    let limited = |resumes| TabState::Limited { until_ms: None, resumes };
    let terminal = Place::Terminal(crate::id::TerminalId(1));
    for (state, place, policy, reading, expected) in [
        (TabState::Idle, Place::Nowhere, Policy::Ask, false, Work::Free),
        (TabState::Idle, Place::Conversation, Policy::ReadOnly, true, Work::Free),
        (TabState::Idle, terminal, Policy::Ask, false, Work::Away),
        (failed, Place::Conversation, Policy::Ask, false, Work::Free),
        (TabState::Asking, Place::Conversation, Policy::Ask, false, Work::Writes),
        (TabState::Starting, Place::Conversation, Policy::Ask, true, Work::Reads),
        (TabState::Starting, Place::Conversation, Policy::ReadOnly, false, Work::Reads),
        (retrying, Place::Conversation, Policy::Ask, false, Work::Writes),
        (limited(true), Place::Conversation, Policy::Ask, false, Work::Limited),
        (limited(false), Place::Conversation, Policy::Ask, false, Work::Free),
    ] {
        let tab = Tab {
            id: TabId(1),
            agent: AgentId(1),
            title: String::new(),
            named: false,
            session: None,
            place,
            policy,
            model: None,
            effort: None,
            starred: false,
            unread: false,
            closed: false,
            state,
            since_ms: 0,
            requests: Vec::new(),
            context: None,
            usage: Usage::default(),
            entries: 0,
            turns: 0,
            created_ms: 0,
            used_ms: 0,
        };
        let seat = Seat::of(&tab, reading);
        assert_eq!(seat.work, expected, "{tab:?}");
        assert_eq!(seat.reads, policy == Policy::ReadOnly);
    }
}

#[test]
fn what_is_written_after_a_hold_passes_by_it_and_nothing_else() {
    for (items, tabs, after, expected) in [
        ("c1 c1", "free", &[2][..], 2),
        ("c1 c1", "free", &[], 0),
        // In its turn: it is not wanted *now*.
        ("c1 c2", "writes free", &[2], 0),
        ("c1 c2r", "writes free", &[2], 2),
        ("c1 c1 c1", "free", &[2, 3], 2),
        ("c1 c1", "limited", &[2], 0),
        ("c1 (c1)", "free", &[2], 0),
    ] {
        let (items_, now) = line(items);
        let (seats, after) = (seats(tabs), after.iter().copied().map(ItemId).collect::<Vec<_>>());
        let facts = Facts {
            items: &items_,
            held: true,
            now: &now,
            after: &after,
            seats: &seats,
            run: false,
        };
        assert_eq!(next(facts).map_or(0, |id| id.0), expected, "{items} | {tabs} | {after:?}");
    }
}

//! Conversations as a user meets them: tabs, composer, cards, queues.

use maestro_core::TabId;
use maestro_core::conversation::{Answer, Place, Policy, Prompt, TabState, Update};
use maestro_protocol::message::{ItemChange, TabChange};

use super::*;
use crate::window::composer::Message as Composer;
use crate::window::link::News;
use crate::window::queue::Message as Queue;
use crate::window::requests::Message as Cards;
use crate::window::shell::Message as Said;
use crate::window::talk::Message as Talk;

const TAB: TabId = TabId(1);

fn typed(text: &str) -> Event {
    let c = text.to_owned();
    Event::Keyboard(keyboard::Event::KeyPressed {
        key: Key::Character(c.as_str().into()),
        modified_key: Key::Character(c.as_str().into()),
        physical_key: key::Physical::Unidentified(key::NativeCode::Unidentified),
        location: Location::Standard,
        modifiers: Modifiers::empty(),
        text: Some(c.as_str().into()),
        repeat: false,
    })
}

/// Types into what has the keyboard: the window itself must leave every letter to it.
fn type_in(shell: &mut Shell, text: &str) {
    use iced::widget::text_editor::{Action, Edit};
    let mut written = String::new();
    for c in text.chars() {
        let taken = apply(shell, typed(&c.to_string()));
        assert!(taken.is_empty(), "{c} in {}: {taken:?}", shell.keyboard());
        written.push(c);
        let act = Action::Edit(Edit::Insert(c));
        let message = match shell.keyboard() {
            "request-input" => Talk::Cards(TAB, Cards::Written(written.clone())),
            "queue-input" => Talk::Queue(Queue::Acted(act)),
            keyboard => {
                assert!(keyboard.starts_with("composer-"), "{keyboard} has the keyboard");
                Talk::Composer(TAB, Composer::Acted(act))
            }
        };
        let _ = shell.update(Said::Talk(message));
    }
}

fn asked(shell: &Shell) -> Vec<Command> {
    shell.link().asked()
}

/// What was asked for last, apart from drafts and from what is looked at.
fn done(shell: &Shell) -> Vec<Command> {
    let quiet = |command: &Command| {
        matches!(
            command,
            Command::SetDraft { .. }
                | Command::OpenTab { .. }
                | Command::ReadMenu { .. }
                | Command::FindFiles { .. }
                | Command::DetectProviders { .. }
        )
    };
    asked(shell).into_iter().filter(|command| !quiet(command)).collect()
}

fn chord(text: &str, modifiers: Modifiers) -> Event {
    press(Key::Character(text.into()), modifiers)
}

const CTRL_ALT: Modifiers = Modifiers::CTRL.union(Modifiers::ALT);
const CTRL_SHIFT: Modifiers = Modifiers::CTRL.union(Modifiers::SHIFT);

#[test]
fn what_is_written_is_sent_by_enter_and_shift_enter_begins_a_line() {
    let mut shell = shell("conversation-empty");
    assert_eq!(shell.keyboard(), "composer-c1");
    type_in(&mut shell, "fix it");
    let _ = asked(&shell);
    let _ = apply(&mut shell, named(key::Named::Enter));
    let sent = done(&shell);
    let [Command::Send { tab: TAB, prompt, token, typed: true }] = sent.as_slice() else {
        panic!("{sent:?}")
    };
    assert_eq!(prompt.text, "fix it");
    assert!(!token.is_empty());
    let _ = apply(&mut shell, named(key::Named::Enter));
    assert!(done(&shell).is_empty(), "nothing is nothing to say");
}

#[test]
fn what_could_not_be_sent_comes_back() {
    let mut shell = shell("conversation-empty");
    type_in(&mut shell, "fix it");
    let _ = apply(&mut shell, named(key::Named::Enter));
    let prompt = Prompt { text: "fix it".to_owned(), ..Prompt::default() };
    let why = Err("the host is stopping".to_owned());
    let _ = shell.update(Said::Talk(Talk::Sent(TAB, "token".to_owned(), prompt, why)));
    assert!(shows(&shell, "The host is stopping."));
    let _ = asked(&shell);
    let _ = apply(&mut shell, named(key::Named::Enter));
    let again = done(&shell);
    let [Command::Send { token, prompt, .. }] = again.as_slice() else { panic!("{again:?}") };
    assert_eq!((token.as_str(), prompt.text.as_str()), ("token", "fix it"));
}

#[test]
fn a_draft_goes_to_the_host_and_only_what_changed_does() {
    let mut shell = shell("conversation-empty");
    type_in(&mut shell, "abc");
    let _ = asked(&shell);
    let _ = shell.update(Said::Talk(Talk::DraftDue(TAB)));
    let kept = asked(&shell);
    let [Command::SetDraft { tab: TAB, draft }] = kept.as_slice() else { panic!("{kept:?}") };
    assert_eq!(draft.text, "abc");
    let _ = shell.update(Said::Talk(Talk::DraftKept(TAB, draft.clone(), Ok(()))));
    let _ = shell.update(Said::Talk(Talk::DraftDue(TAB)));
    assert!(asked(&shell).is_empty());
}

#[test]
fn a_card_is_answered_by_its_keys_once_it_was_seen() {
    for (key, expected) in [("y", Answer::Once), ("a", Answer::Always)] {
        let mut shell = shell("approval");
        let _ = asked(&shell);
        let _ = apply(&mut shell, typed(key));
        let answered = done(&shell);
        let [Command::Answer { tab: TAB, request, answer }] = answered.as_slice() else {
            panic!("{key}: {answered:?}")
        };
        assert_eq!((request.as_str(), answer), ("r1", &expected));
        let _ = apply(&mut shell, typed(key));
        assert!(done(&shell).is_empty(), "answered twice");
    }
}

#[test]
fn a_refusal_carries_its_reason() {
    let mut shell = shell("approval");
    let _ = asked(&shell);
    let _ = apply(&mut shell, typed("n"));
    assert_eq!(shell.keyboard(), "request-input");
    type_in(&mut shell, "use y");
    assert!(done(&shell).is_empty(), "a letter of the reason answered");
    let _ = apply(&mut shell, named(key::Named::Enter));
    let answered = done(&shell);
    let [Command::Answer { answer: Answer::Deny(why), .. }] = answered.as_slice() else {
        panic!("{answered:?}")
    };
    assert_eq!(why, "use y");
}

#[test]
fn a_card_that_just_came_takes_no_key() {
    let mut shell = shell("approval");
    // Another request takes its place.
    let mut tab = crate::window::scene::tabs()[0].clone();
    tab.requests[0].id = "r2".to_owned();
    shell.hear(HostEvent::Tab(Box::new(tab)));
    let _ = asked(&shell);
    let _ = apply(&mut shell, typed("y"));
    assert!(done(&shell).is_empty());
}

#[test]
fn who_is_writing_is_not_interrupted_by_a_card() {
    let mut shell = shell("conversation-empty");
    type_in(&mut shell, "sa");
    let tab = crate::window::scene::tabs()[0].clone();
    shell.hear(HostEvent::Tab(Box::new(tab)));
    assert_eq!(shell.keyboard(), "composer-c1");
    let _ = asked(&shell);
    type_in(&mut shell, "y");
    assert!(done(&shell).is_empty());
    // A command brings the keyboard there.
    let _ = apply(&mut shell, chord("y", CTRL_ALT));
    assert_eq!(shell.keyboard(), "nobody");
    let _ = apply(&mut shell, named(key::Named::Escape));
    assert_eq!(shell.keyboard(), "composer-c1");
}

#[test]
fn a_letter_that_no_card_knows_goes_to_the_composer() {
    let mut shell = shell("approval");
    let _ = asked(&shell);
    let _ = apply(&mut shell, typed("w"));
    let _ = apply(&mut shell, typed("x"));
    assert_eq!(shell.keyboard(), "composer-c1");
    assert!(done(&shell).is_empty());
}

#[test]
fn escape_twice_interrupts_and_once_does_not() {
    let mut shell = shell("conversation");
    let _ = asked(&shell);
    let _ = apply(&mut shell, named(key::Named::Escape));
    assert!(done(&shell).is_empty());
    assert!(shows(&shell, "Esc again interrupts"));
    let _ = apply(&mut shell, named(key::Named::Escape));
    assert_eq!(done(&shell), [Command::Interrupt { tab: TAB }]);
    // What is typed in between takes it back.
    let _ = apply(&mut shell, named(key::Named::Escape));
    type_in(&mut shell, "x");
    let _ = apply(&mut shell, named(key::Named::Escape));
    assert!(done(&shell).is_empty());
}

#[test]
fn control_c_interrupts_without_a_selection() {
    let mut shell = shell("conversation");
    let _ = asked(&shell);
    let _ = apply(&mut shell, ctrl("c"));
    assert_eq!(done(&shell), [Command::Interrupt { tab: TAB }]);
}

#[test]
fn tabs_are_moved_through_renamed_starred_and_closed_by_keys() {
    let mut shell = shell("conversation");
    let _ = asked(&shell);
    let _ = apply(&mut shell, press(Key::Named(key::Named::PageDown), Modifiers::CTRL));
    assert_eq!(shell.keyboard(), "composer-c2");
    let _ = apply(&mut shell, ctrl("3"));
    assert_eq!(shell.keyboard(), "composer-c3");
    let _ = apply(&mut shell, press(Key::Named(key::Named::PageUp), Modifiers::CTRL));
    assert_eq!(shell.keyboard(), "composer-c2");
    let change = |tab, change| vec![Command::ChangeTab { tab, change }];
    let _ = done(&shell);
    let _ = apply(&mut shell, chord("s", CTRL_SHIFT));
    assert_eq!(done(&shell), change(TabId(2), TabChange::Starred(true)));
    let _ = apply(&mut shell, press(Key::Named(key::Named::PageUp), CTRL_SHIFT));
    assert_eq!(done(&shell), change(TabId(2), TabChange::Before(Some(TAB))));
    let _ = apply(&mut shell, named(key::Named::F2));
    assert_eq!(shell.keyboard(), "prompt-input");
    let _ = apply(&mut shell, named(key::Named::Escape));
    let _ = apply(&mut shell, ctrl("w"));
    assert_eq!(done(&shell), change(TabId(2), TabChange::Closed(true)));
    assert_eq!(shell.keyboard(), "composer-c3", "the next one is shown");
    let _ = apply(&mut shell, chord("t", CTRL_SHIFT));
    assert!(shows(&shell, "Open a closed tab"));
    let _ = apply(&mut shell, named(key::Named::Enter));
    assert_eq!(done(&shell), change(TabId(6), TabChange::Closed(false)));
    assert_eq!(shell.keyboard(), "composer-c6");
}

#[test]
fn a_new_tab_is_made_once_and_shown_when_it_is_there() {
    let mut shell = shell("conversation");
    let _ = asked(&shell);
    let _ = apply(&mut shell, ctrl("t"));
    let _ = apply(&mut shell, ctrl("t"));
    let new = Command::NewTab { agent: AgentId(1), session: None, title: None };
    assert_eq!(done(&shell), [new]);
    let tab =
        maestro_core::conversation::Tab { id: TabId(9), ..crate::window::scene::tabs()[1].clone() };
    let _ = shell.update(Said::Talk(Talk::Made(AgentId(1), Ok(Box::new(tab)))));
    assert_eq!(shell.keyboard(), "composer-c9");
}

#[test]
fn a_policy_is_changed_in_the_middle_of_a_turn() {
    let mut shell = shell("conversation");
    let _ = asked(&shell);
    let _ = apply(&mut shell, chord("p", CTRL_ALT));
    assert_eq!(shell.keyboard(), "picker-input");
    assert!(shows(&shell, "Policy of this tab"));
    let _ = apply(&mut shell, named(key::Named::ArrowDown));
    let _ = apply(&mut shell, named(key::Named::ArrowDown));
    let _ = apply(&mut shell, named(key::Named::Enter));
    let change = TabChange::Policy(Policy::ReadOnly);
    assert_eq!(done(&shell), [Command::ChangeTab { tab: TAB, change }]);
    assert_eq!(shell.keyboard(), "composer-c1");
}

#[test]
fn a_session_moves_to_its_own_interface_and_back() {
    let mut shell = shell("conversation");
    let _ = asked(&shell);
    let _ = apply(&mut shell, chord("j", CTRL_ALT));
    let moved = done(&shell);
    assert!(matches!(moved[..], [Command::ToTerminal { tab: TAB, .. }]), "{moved:?}");
    let _ = shell.update(Said::Talk(Talk::Moved(AgentId(1), Ok(()))));
    assert_eq!(shell.keyboard(), "terminal-t1");
    let _ = apply(&mut shell, chord("j", CTRL_ALT));
    assert_eq!(done(&shell), [Command::ToConversation { agent: AgentId(1) }]);
    let tab = crate::window::scene::tabs()[0].clone();
    let _ = shell.update(Said::Talk(Talk::Made(AgentId(1), Ok(Box::new(tab)))));
    assert_eq!(shell.keyboard(), "composer-c1");
}

#[test]
fn nothing_is_written_to_a_session_that_is_open_elsewhere() {
    let mut shell = shell("conversation-taken");
    assert_eq!(shell.keyboard(), "nobody");
    assert!(shows(&shell, "Take it back"));
    let _ = asked(&shell);
    let _ = apply(&mut shell, named(key::Named::Enter));
    assert!(done(&shell).is_empty());
    click(&mut shell, "Take it back");
    assert_eq!(done(&shell), [Command::ToConversation { agent: AgentId(1) }]);
    let mut tab = crate::window::scene::tabs()[0].clone();
    tab.place = Place::Conversation;
    tab.requests.clear();
    tab.state = TabState::Idle;
    shell.hear(HostEvent::Tab(Box::new(tab)));
    assert_eq!(shell.keyboard(), "composer-c1");
}

#[test]
fn a_mention_is_chosen_by_keys() {
    let mut shell = shell("mentions");
    assert!(shows(&shell, "↑↓ choose"));
    let _ = apply(&mut shell, named(key::Named::ArrowDown));
    let _ = asked(&shell);
    let _ = apply(&mut shell, named(key::Named::Enter));
    assert!(done(&shell).is_empty(), "Enter sent what it was to insert into");
    assert!(!shows(&shell, "↑↓ choose"));
    let _ = apply(&mut shell, named(key::Named::Enter));
    let sent = done(&shell);
    let [Command::Send { prompt, .. }] = sent.as_slice() else { panic!("{sent:?}") };
    assert_eq!(prompt.text, "compare @src/web/preferences.tsx ");
}

#[test]
fn a_key_of_another_card_does_nothing_but_type() {
    for letter in ["o", "l", "r", "c", "t"] {
        let mut shell = shell("approval");
        let _ = asked(&shell);
        let _ = apply(&mut shell, typed(letter));
        assert_eq!(shell.keyboard(), "composer-c1", "{letter}");
        assert!(done(&shell).is_empty(), "{letter}");
    }
}

#[test]
fn the_keys_of_a_failure_help() {
    let mut shell = shell("failed");
    assert!(shows(&shell, "It is not logged in"));
    let _ = asked(&shell);
    let _ = apply(&mut shell, typed("l"));
    let login = done(&shell);
    assert!(matches!(login[..], [Command::Login { agent: AgentId(1), .. }]), "{login:?}");
    let _ = apply(&mut shell, typed("r"));
    assert_eq!(done(&shell), [Command::TryAgain { tab: TAB }]);
}

#[test]
fn a_limit_can_be_tried_now_and_stopped() {
    let mut shell = shell("limited");
    let _ = asked(&shell);
    let _ = apply(&mut shell, typed("r"));
    let _ = apply(&mut shell, ctrl("c"));
    assert_eq!(done(&shell), [Command::TryAgain { tab: TAB }, Command::Interrupt { tab: TAB }]);
}

#[test]
fn the_queue_is_worked_on_by_keys() {
    let mut shell = shell("queue");
    let _ = asked(&shell);
    let _ = apply(&mut shell, typed("h"));
    let _ = apply(&mut shell, typed("s"));
    let _ = apply(&mut shell, typed("d"));
    let _ = apply(&mut shell, typed("u"));
    let change = |change| Command::ChangeItem { item: maestro_core::ItemId(1), change };
    assert_eq!(
        done(&shell),
        [
            change(ItemChange::Held(true)),
            change(ItemChange::Now),
            change(ItemChange::Remove),
            change(ItemChange::Restore),
        ]
    );
    let _ = apply(&mut shell, named(key::Named::Enter));
    assert_eq!(shell.keyboard(), "queue-input");
    type_in(&mut shell, "d");
    assert!(done(&shell).is_empty(), "a letter of the text did something");
    let _ = apply(&mut shell, named(key::Named::Escape));
    let _ = apply(&mut shell, named(key::Named::Escape));
    assert_eq!(shell.keyboard(), "composer-c1");
}

#[test]
fn what_was_removed_is_put_back_by_its_toast() {
    let mut shell = shell("queue");
    let _ = apply(&mut shell, typed("d"));
    let _ = asked(&shell);
    let _ = apply(&mut shell, named(key::Named::Escape));
    click(&mut shell, "Taken out of the queue");
    let change = ItemChange::Restore;
    assert_eq!(done(&shell), [Command::ChangeItem { item: maestro_core::ItemId(1), change }]);
}

#[test]
fn the_regions_are_gone_through_by_f6() {
    let mut shell = shell("approval");
    let forward = || named(key::Named::F6);
    assert_eq!(shell.context_for_tests(), Context::Request);
    let all =
        [Context::Composer, Context::Run, Context::Agents, Context::Entries, Context::Request];
    for expected in all {
        let _ = apply(&mut shell, forward());
        assert_eq!(shell.context_for_tests(), expected);
    }
    let back = || press(Key::Named(key::Named::F6), Modifiers::SHIFT);
    for expected in [Context::Entries, Context::Agents, Context::Run] {
        let _ = apply(&mut shell, back());
        assert_eq!(shell.context_for_tests(), expected);
    }
}

#[test]
fn who_needs_the_user_is_reached_by_a_chord() {
    let mut shell = shell("conversation");
    let _ = apply(&mut shell, chord("a", CTRL_ALT));
    assert_eq!(shell.context_for_tests(), Context::Request);
    assert!(shows(&shell, "It asks"));
}

#[test]
fn what_is_said_while_a_tab_is_opened_is_not_lost() {
    let mut shell = shell("conversation-grid");
    let entries = crate::window::scene::said();
    let last = entries.len() as u64;
    let more = maestro_core::conversation::Entry { n: last, ..entries[0].clone() };
    shell.lose_host_for_tests();
    shell.find_host_for_tests();
    let _ = asked(&shell);
    shell.hear_news(News::Said { tab: TAB, updates: vec![Update::Entry(more)] });
    let page = maestro_protocol::message::Page { entries, total: last, draft: None };
    let _ = shell.update(Said::Talk(Talk::Opened(TAB, Ok(Box::new(page)))));
    assert_eq!(shell.transcript_for_tests(TAB), Some((0, last + 1)));
}

#[test]
fn the_bar_that_finds_in_a_conversation_has_its_keys() {
    let mut shell = shell("conversation-find");
    assert_eq!(shell.keyboard(), "turns-find");
    let _ = apply(&mut shell, named(key::Named::Escape));
    assert_eq!(shell.keyboard(), "composer-c1", "Escape closes it");
    let _ = apply(&mut shell, ctrl("f"));
    assert_eq!(shell.keyboard(), "turns-find");
    let _ = apply(&mut shell, press(Key::Named(key::Named::Enter), Modifiers::CTRL));
    assert_eq!(shell.keyboard(), "nobody", "the entry with the match has it");
}

#[test]
fn a_tab_that_is_let_go_elsewhere_is_moved_there() {
    let mut shell = shell("conversation");
    let agent = crate::window::scene::tabs()[0].agent;
    let _ = asked(&shell);
    let moved = crate::window::tabs::Message::Moved(TAB, None);
    let _ = shell.update(Said::Talk(Talk::Bar(agent, moved)));
    assert_eq!(done(&shell), [Command::ChangeTab { tab: TAB, change: TabChange::Before(None) }],);
}

#[test]
fn an_export_says_where_the_file_is_or_why_there_is_none() {
    let mut shell = shell("conversation");
    let written = Ok("/home/you/maestro-talk-2026-11-23-0705.html".into());
    let _ = shell.update(Said::Talk(Talk::Exported(written)));
    assert!(shows(&shell, "/home/you/maestro-talk-2026-11-23-0705.html"));
    let why = "/home/you/talk.html cannot be written: there is no space left".to_owned();
    let _ = shell.update(Said::Talk(Talk::Exported(Err(why))));
    assert!(shows(&shell, "/home/you/talk.html cannot be written: there is no space left."));
}

#[test]
fn what_was_thrown_away_comes_back_in_a_browser_that_is_opened_later() {
    use maestro_protocol::message::SessionMark;
    let mut shell = shell("sessions");
    let _ = asked(&shell);
    let _ = shell.update(Said::Command(Id::SessionTrash));
    let marked = |commands: Vec<Command>| {
        commands.into_iter().find_map(|command| match command {
            Command::MarkSession { session, mark } => Some((session, mark)),
            _ => None,
        })
    };
    let Some((session, SessionMark::Trashed(true))) = marked(asked(&shell)) else { panic!() };
    let _ = shell.update(Said::Command(Id::OverlayCancel));
    let _ = shell.update(Said::Command(Id::SessionsOpen));
    let _ = asked(&shell);
    let _ = shell.update(Said::Command(Id::SessionUndo));
    let back = (session, SessionMark::Trashed(false));
    assert_eq!(marked(asked(&shell)), Some(back));
}

#[test]
fn a_tab_is_taken_elsewhere_with_the_mouse() {
    use iced::mouse;
    let mut shell = shell("conversation");
    let _ = asked(&shell);
    let messages: Vec<Said> = {
        let mut simulator = simulator(&shell);
        let from = simulator.find("Flaky test hunt").expect("a tab").bounds().center();
        let to = simulator.find("Docs").expect("another tab").bounds();
        let to = iced::Point::new(to.x + to.width, from.y + 200.0);
        let moved = |position| Event::Mouse(mouse::Event::CursorMoved { position });
        let left = mouse::Button::Left;
        for (at, then) in [
            (from, Some(mouse::Event::ButtonPressed(left))),
            (iced::Point::new(from.x + 20.0, from.y), None),
            (to, Some(mouse::Event::ButtonReleased(left))),
        ] {
            simulator.point_at(at);
            let _ = simulator.simulate([moved(at)].into_iter().chain(then.map(Event::Mouse)));
        }
        simulator.into_messages().collect()
    };
    for message in messages {
        let _ = shell.update(message);
    }
    let last = TabChange::Before(None);
    assert_eq!(done(&shell), [Command::ChangeTab { tab: TabId(2), change: last }]);
}

#[test]
fn tabs_beside_one_are_closed_at_once() {
    let closed = |id: Id| {
        let mut shell = shell("conversation");
        let asked = super::asked(&mut shell, Message::Command(id));
        let closed = asked.into_iter().filter_map(|command| match command {
            Command::ChangeTab { tab, change: TabChange::Closed(true) } => Some(tab),
            _ => None,
        });
        closed.collect::<Vec<_>>()
    };
    let others = closed(Id::TabsCloseOthers);
    let (left, right) = (closed(Id::TabsCloseLeft), closed(Id::TabsCloseRight));
    assert!(others.len() > 1, "{others:?}");
    assert_eq!([left, right].concat(), others);
    let mut shell = shell("conversation");
    let moved = super::asked(&mut shell, Message::Command(Id::TabToEnd));
    assert!(
        matches!(moved[..], [Command::ChangeTab { change: TabChange::Before(None), .. }]),
        "{moved:?}"
    );
}

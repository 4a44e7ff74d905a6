//! Conversations as their reader meets them.

use iced::{Element, Event, Point, Settings, Size, mouse};
use iced_test::Simulator;
use maestro_core::command::Id;
use maestro_core::conversation::{Entry, TabState, Update};
use maestro_core::keymap::Platform;
use maestro_ui::font;
use maestro_ui::theme::NOCTURNE;

use super::*;

const SIZE: Size = Size::new(900.0, 700.0);

/// A conversation on a screen of its own.
struct Screen {
    view: View,
    transcript: Transcript,
    tab: Tab,
    keymap: Keymap,
    focused: bool,
}

impl Screen {
    fn new(transcript: Transcript) -> Self {
        font::load();
        let tab = scene::tab(&transcript, TabState::Idle);
        let keymap = Keymap::new(Platform::Other);
        let screen = Self { view: View::new(), transcript, tab, keymap, focused: true };
        drop(screen.simulator());
        screen
    }

    fn element(&self) -> Element<'_, Message> {
        self.view.view(Context {
            tokens: &NOCTURNE,
            keymap: &self.keymap,
            tab: &self.tab,
            transcript: &self.transcript,
            focused: self.focused,
            now_ms: crate::window::scene::NOW_MS,
            turning: false,
        })
    }

    fn simulator(&self) -> Simulator<'_, Message> {
        let settings = Settings { default_font: font::REGULAR, ..Settings::default() };
        Simulator::with_size(settings, SIZE, self.element())
    }

    /// Whether some text is in sight. The toolkit's rich text does not tell what it says, so what is laid
    /// out is looked at, too.
    fn shows(&self, text: &str) -> bool {
        use iced_test::selector::Candidate;
        let wanted = text.to_owned();
        let found = self.simulator().find(move |candidate: Candidate<'_>| match candidate {
            Candidate::Text { content, .. } if content.contains(wanted.as_str()) => Some(()),
            _ => None,
        });
        let said = |at: &maestro_ui::list::Placed| {
            let entry = self.transcript.get(at.section)?;
            let item = self.view.item(entry);
            let words = texts::texts(item.pieces.get(at.part)?, entry);
            words.iter().any(|words| words.text.contains(text)).then_some(())
        };
        found.is_ok() || self.view.place.read(|place| place.shown().iter().find_map(said).is_some())
    }

    fn command(&mut self, id: Id) -> Action {
        let action = self.view.command(id, &self.transcript).expect("a command of a conversation");
        // What a command wishes happens when it is laid out.
        drop(self.simulator());
        action
    }

    fn tell(&mut self, message: Message) -> Action {
        let action = self.view.update(message, &self.transcript);
        drop(self.simulator());
        action
    }

    fn hear(&mut self, update: Update) {
        let applied = self.transcript.apply(update);
        let _ = self.view.heard(applied, &self.transcript);
        drop(self.simulator());
    }

    fn click(&mut self, text: &str) -> Vec<Message> {
        let mut simulator = self.simulator();
        let _ = simulator.click(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let messages: Vec<Message> = simulator.into_messages().collect();
        for message in &messages {
            let _ = self.tell(message.clone());
        }
        messages
    }

    /// Draws the mouse from the beginning of one text to the end of another.
    fn select(&self, from: &str, to: &str) -> Option<String> {
        let mut simulator = self.simulator();
        let from = simulator.find(from).unwrap_or_else(|error| panic!("{from}: {error}")).bounds();
        let to = simulator.find(to).unwrap_or_else(|error| panic!("{to}: {error}")).bounds();
        let position = Point::new(to.x + to.width - 0.5, to.y + to.height - 2.0);
        let moved = |position| Event::Mouse(mouse::Event::CursorMoved { position });
        let start = Point::new(from.x + 0.5, from.y + 2.0);
        // On a busy machine all of it comes at once, with the place where the mouse is at last.
        simulator.point_at(position);
        let _ = simulator.simulate([moved(start), pressed(), moved(position), released()]);
        let told = simulator.into_messages().any(|message| matches!(message, Message::Selected));
        assert_eq!(told, self.view.has_selected());
        self.view.selected(&self.transcript)
    }

    fn shown(&self) -> Vec<u64> {
        let mut shown: Vec<u64> =
            self.view.place.read(|place| place.shown().iter().map(|at| at.section).collect());
        shown.dedup();
        shown
    }

    fn find(&mut self, text: &str) {
        let _ = self.command(Id::TurnsFind);
        let mut action = self.tell(Message::Edited(Which::Find, text.to_owned()));
        // A task that goes on is done by whoever runs the window.
        while matches!(action, Action::Run(_)) {
            action = self.tell(Message::Looking);
        }
    }
}

fn pressed() -> Event {
    Event::Mouse(mouse::Event::ButtonPressed(mouse::Button::Left))
}

fn released() -> Event {
    Event::Mouse(mouse::Event::ButtonReleased(mouse::Button::Left))
}

#[test]
fn one_of_everything_is_shown() {
    let mut screen = Screen::new(scene::everything());
    let _ = screen.command(Id::TurnsTop);
    let check = |screen: &Screen, texts: &[&str]| {
        for text in texts {
            assert!(screen.shows(text), "{text}");
        }
    };
    check(
        &screen,
        &["To do", "1 of 3", "Thought · 3 lines", "What I found", "src/checkout/refund.rs"],
    );
    let _ = screen.command(Id::TurnsBottom);
    check(&screen, &["exit 101", "denied", "Denied (keep the cache):", "Not understood", "12 s"]);
    check(&screen, &["2 min 10 s · 38.2k in · 6.1k out · $0.61"]);
}

#[test]
fn a_card_unfolds_and_folds() {
    let mut screen = Screen::new(scene::endpoint());
    assert!(!screen.shows("test result: ok."), "a command that went well is one line");
    let _ = screen.click("cargo test -p api");
    assert!(screen.shows("test result: ok."));
    let _ = screen.click("cargo test -p api");
    assert!(!screen.shows("test result: ok."));
}

#[test]
fn what_is_long_shows_some_lines_first() {
    let mut lines = String::new();
    for line in 1..=200 {
        lines.push_str(&format!("line {line} of it\n"));
    }
    let mut screen = Screen::new(scene::transcript_of(vec![scene::shell("make", &lines, 2, 10)]));
    assert!(screen.shows("line 200 of it") && !screen.shows("line 20 of it"));
    let _ = screen.click("Show 190 more lines");
    assert!(screen.shows("line 1 of it") || screen.shows("line 3 of it"));
}

#[test]
fn only_what_is_in_sight_is_built() {
    let screen = Screen::new(scene::turns(2000));
    assert!(screen.view.items.borrow().len() < 60, "{}", screen.view.items.borrow().len());
    assert!(screen.view.is_following());
    assert_eq!(screen.shown().last(), Some(&9999));
}

#[test]
fn scrolling_needs_no_message_and_stays() {
    let mut screen = Screen::new(scene::turns(50));
    let mut simulator = screen.simulator();
    simulator.point_at(Point::new(300.0, 300.0));
    let wheel = Event::Mouse(mouse::Event::WheelScrolled {
        delta: mouse::ScrollDelta::Lines { x: 0.0, y: 5.0 },
    });
    let _ = simulator.simulate([wheel]);
    assert!(simulator.into_messages().next().is_none(), "scrolling became a message");
    assert!(!screen.view.is_following());
    let before = screen.shown();
    let n = screen.transcript.next().expect("entries");
    let body = scene::said("something new");
    screen.hear(Update::Entry(Entry { n, turn: 51, at_ms: 0, open: false, body }));
    assert_eq!(screen.shown(), before, "it moved by itself");
    let _ = screen.tell(Message::Caught);
    assert!(screen.shows("something new"));
}

#[test]
fn an_answer_that_is_written_stays_in_sight() {
    let mut screen = Screen::new(scene::streaming(400, 0));
    let text = scene::long_answer(400);
    let (mut at, mut last) = (0, 0);
    while at < text.len() {
        let end = (at + 700..=text.len()).find(|end| text.is_char_boundary(*end));
        let end = end.unwrap_or(text.len());
        let part = text[at..end].to_owned();
        screen.hear(Update::Append { n: 1, at: at as u64, text: part });
        let parts = screen.view.pieces(screen.transcript.get(1).expect("the answer"));
        assert!(parts >= last, "pieces were lost");
        (at, last) = (end, parts);
    }
    assert!(screen.view.is_following());
    assert!(screen.shows("Part 24"), "the end is not in sight");
    let whole =
        Item::new(screen.transcript.get(1).expect("the answer"), screen.view.manner_of(1), None);
    assert_eq!(whole.pieces.len(), last, "growing and reading at once differ");
}

#[test]
fn thinking_is_hidden_folded_or_kept() {
    let mut screen = Screen::new(scene::everything());
    let _ = screen.command(Id::TurnsTop);
    assert!(screen.shows("Thought · 3 lines") && !screen.shows("zero decimals"));
    let _ = screen.click("Thought · 3 lines");
    assert!(screen.view.folds.get(&1) == Some(&Fold::Open));
    let _ = screen.command(Id::TurnsThinking);
    assert_eq!(screen.view.thinking(), Thinking::Sticky);
    let _ = screen.command(Id::TurnsThinking);
    assert_eq!(screen.view.thinking(), Thinking::Off);
    assert!(!screen.shows("Thought · 3 lines"));
}

#[test]
fn the_keyboard_goes_from_entry_to_entry() {
    let mut screen = Screen::new(scene::endpoint());
    let action = screen.command(Id::TurnsFocus);
    assert!(matches!(action, Action::Keyboard(Keyboard::Entries)));
    let _ = screen.command(Id::EntryFirst);
    assert_eq!(screen.view.cursor, Some(0));
    let _ = screen.command(Id::EntryNext);
    let _ = screen.command(Id::EntryNext);
    assert_eq!(screen.view.cursor, Some(2));
    let Action::Copy(text, _) = screen.command(Id::EntryCopy) else { panic!("nothing copied") };
    assert!(text.starts_with("**Edit** `src/api/routes.rs`"), "{text}");
    let _ = screen.command(Id::EntryToggle);
    assert_eq!(screen.view.folds.get(&2), Some(&Fold::Folded));
    let _ = screen.command(Id::EntryPromptPrevious);
    assert_eq!(screen.view.cursor, Some(0));
    assert!(matches!(screen.command(Id::EntryLeave), Action::Keyboard(Keyboard::Composer)));
}

#[test]
fn a_long_entry_is_read_before_the_next_is_marked() {
    let mut screen = Screen::new(scene::transcript_of(vec![
        scene::prompt("a"),
        scene::said(&scene::long_answer(200)),
        scene::prompt("b"),
    ]));
    let _ = screen.command(Id::EntryFirst);
    let _ = screen.command(Id::EntryNext);
    assert_eq!(screen.view.cursor, Some(1));
    let mut steps = 0;
    while screen.view.cursor == Some(1) && steps < 100 {
        let _ = screen.command(Id::EntryNext);
        steps += 1;
    }
    assert_eq!(screen.view.cursor, Some(2));
    assert!(steps > 5, "it was jumped over");
}

#[test]
fn a_failure_says_what_was_kept_unless_a_card_does() {
    let mut screen = Screen::new(scene::failed());
    assert!(screen.shows("Not logged in"));
    assert!(screen.shows("API Error: 401 authentication_error: invalid x-api-key."));
    assert!(screen.shows("Everything said so far is kept; the prompt can be sent again."));
    let failure = maestro_core::turn::Failure {
        kind: maestro_core::turn::FailureKind::Auth,
        message: "no".to_owned(),
    };
    screen.tab.state = TabState::Failed(failure);
    assert!(screen.shows("Not logged in"));
    assert!(!screen.shows("Everything said so far is kept; the prompt can be sent again."));
}

#[test]
fn code_is_copied_by_its_number() {
    let mut screen = Screen::new(scene::transcript_of(vec![scene::said(
        "```sh\nfirst\n```\n\n```sh\nsecond\nline\n```",
    )]));
    let _ = screen.command(Id::EntryFirst);
    let Action::Copy(code, _) = screen.command(Id::EntryCode(2)) else { panic!("nothing copied") };
    assert_eq!(code, "second\nline");
    assert!(matches!(screen.command(Id::EntryCode(3)), Action::None));
    let Action::Copy(code, _) = screen.command(Id::TurnsCopyCode) else { panic!("nothing copied") };
    assert_eq!(code, "second\nline");
    let messages = screen.click("Copy");
    assert!(matches!(messages[..], [Message::CodeCopied(0, 1)]), "{messages:?}");
}

#[test]
fn what_is_found_is_unfolded_and_shown() {
    let mut screen = Screen::new(scene::everything());
    screen.find("panicked at");
    assert_eq!(screen.view.found.matches.len(), 1);
    assert!(screen.shows("1 of 1"));
    assert!(screen.shows("panicked at tests/checkout.rs"));
    screen.find("round");
    let first = screen.view.cursor;
    let _ = screen.command(Id::SearchOlder);
    let _ = screen.command(Id::SearchOlder);
    assert!(screen.view.cursor <= first);
    assert!(matches!(screen.command(Id::SearchClose), Action::Keyboard(_)));
    assert!(!screen.view.is_finding());
}

#[test]
fn what_is_not_shown_is_not_found() {
    let mut screen = Screen::new(scene::everything());
    screen.find("zero decimals");
    assert_eq!(screen.view.found.matches.len(), 1);
    assert!(screen.shows("zero decimals"), "it was not unfolded");
    let _ = screen.command(Id::TurnsThinking);
    assert_eq!(screen.view.found.matches.len(), 1);
    let _ = screen.command(Id::TurnsThinking);
    assert!(screen.view.found.matches.is_empty());
    assert!(screen.shows("nothing found"));
}

#[test]
fn finding_reaches_for_what_is_not_here() {
    let all: Vec<Entry> = scene::turns(40).iter().cloned().collect();
    let mut screen = Screen::new(Transcript::new(all[150..].to_vec()));
    screen.find("step 3 of the plan");
    assert!(screen.view.found.matches.is_empty());
    let Action::Older(150) = screen.command(Id::SearchOlder) else { panic!("nothing is read") };
    assert_eq!(screen.transcript.prepend(all[..150].to_vec()), 150);
    let _ = screen.view.prepended(&screen.transcript);
    while screen.view.found.current.is_none() && !screen.view.found.done {
        let _ = screen.tell(Message::Looking);
    }
    drop(screen.simulator());
    assert_eq!(screen.view.cursor, Some(15));
    assert!(screen.shows("do step 3 of the plan"));
}

#[test]
fn the_filter_leaves_lines_that_fit() {
    let mut screen = Screen::new(scene::everything());
    let _ = screen.command(Id::TurnsFilter);
    let _ = screen.tell(Message::Edited(Which::Filter, "FAILED".to_owned()));
    assert!(screen.shows("test result: FAILED"));
    assert!(!screen.shows("What I found") && !screen.shows("test checkout::pays ... ok"));
    let _ = screen.command(Id::FilterTurn);
    let _ = screen.command(Id::TurnsTop);
    assert!(screen.shows("## What I found") && !screen.shows("test result: FAILED"));
    let _ = screen.command(Id::SearchClose);
    assert!(screen.shows("What I found"));
}

#[test]
fn the_beginning_asks_for_older_entries_once() {
    let all: Vec<Entry> = scene::turns(40).iter().cloned().collect();
    let mut screen = Screen::new(Transcript::new(all[190..].to_vec()));
    assert!(matches!(screen.command(Id::TurnsTop), Action::Older(190)));
    assert!(matches!(screen.tell(Message::Started), Action::Older(190)));
    let before = screen.shown();
    assert_eq!(screen.transcript.prepend(all[..190].to_vec()), 190);
    let _ = screen.view.prepended(&screen.transcript);
    drop(screen.simulator());
    assert!(screen.shown().contains(&before[0]), "it moved");
    assert!(matches!(screen.tell(Message::Started), Action::None));
}

#[test]
fn a_link_is_handed_on_and_never_opened() {
    let mut screen = Screen::new(scene::transcript_of(vec![scene::said("https://example.org/x")]));
    let Action::Open(address) = screen.tell(Message::Followed("https://example.org/x".to_owned()))
    else {
        panic!("nothing to ask about")
    };
    assert_eq!(address, "https://example.org/x");
}

#[test]
fn a_narrow_pane_shows_everything() {
    let screen = Screen::new(scene::everything());
    for width in [400.0, 560.0, 1400.0] {
        let settings = Settings { default_font: font::REGULAR, ..Settings::default() };
        let simulator = Simulator::with_size(settings, Size::new(width, 600.0), screen.element());
        drop(simulator);
        let shown = screen.view.place.read(|place| place.shown().len());
        assert!(shown > 0, "{width}");
    }
}

#[test]
fn text_is_selected_over_entries_and_copied_as_it_is_read() {
    let mut screen = Screen::new(scene::transcript_of(vec![
        scene::prompt("first @a.rs"),
        scene::said(
            "see `b.rs`:1, **then**\n\n- one\n  - two\n\n```sh\nls\ncd\n```\n\n|a|b|\n|-|-|\n|c|d|",
        ),
        scene::shell("ls", "x.rs\ny.rs", 1, 3),
        scene::said("the end"),
    ]));
    let all = "first @a.rs\n\nsee b.rs:1, then\n\n- one\n  - two\n\nls\ncd\n\na\tb\nc\td\n\n\
               Bash ls\nx.rs\ny.rs\n\nthe end";
    assert_eq!(screen.select("first @a.rs", "the end").as_deref(), Some(all));
    assert_eq!(
        screen.select("the end", "first @a.rs").as_deref(),
        Some(all[11..all.len() - 7].trim())
    );
    assert_eq!(screen.select("one", "one").as_deref(), Some("one"), "no bullet within a text");
    assert_eq!(screen.select("ls", "cd").as_deref(), Some("ls\ncd"));
    let Action::Copy(words, _) = screen.command(Id::EntryCopy) else { panic!("nothing copied") };
    assert_eq!(words, "ls\ncd");
    let _ = screen.command(Id::EntryLeave);
    assert_eq!(screen.view.selected(&screen.transcript), None);
}

#[test]
fn words_are_selected_by_two_presses_and_a_text_by_three() {
    let screen = Screen::new(scene::transcript_of(vec![scene::said("one two_3 four")]));
    let mut seen = Vec::new();
    // How quickly presses follow each other is up to the machine.
    for _ in 0..50 {
        let mut simulator = screen.simulator();
        let text = simulator.find("one two_3 four").expect("the text").bounds();
        simulator.point_at(Point::new(text.x + 40.0, text.y + 5.0));
        for presses in 1..=3 {
            let _ = simulator.simulate([pressed(), released()]);
            seen.push((presses, screen.view.selected(&screen.transcript)));
        }
        let expected = [None, Some("two_3"), Some("one two_3 four")];
        let tail = &seen[seen.len() - 3..];
        if tail.iter().map(|(_, text)| text.as_deref()).eq(expected) {
            return;
        }
    }
    panic!("{seen:?}");
}

#[test]
fn selecting_beyond_the_edge_scrolls_and_keeps_what_is_out_of_sight() {
    let screen = Screen::new(scene::turns(50));
    let mut simulator = screen.simulator();
    let before = screen.shown();
    let last = simulator
        .find("do step 49 of the plan in @docs/plan.md")
        .expect("the last prompt")
        .bounds();
    simulator.point_at(Point::new(last.x + 5.0, last.y + 5.0));
    let beyond = Point::new(450.0, -400.0);
    let _ = simulator
        .simulate([pressed(), Event::Mouse(mouse::Event::CursorMoved { position: beyond })]);
    let mut now = std::time::Instant::now();
    for _ in 0..40 {
        now += std::time::Duration::from_millis(50);
        let redraw = iced::window::Event::RedrawRequested(now);
        let _ = simulator.simulate([Event::Window(redraw)]);
    }
    let _ = simulator.simulate([released()]);
    drop(simulator);
    assert!(screen.shown().iter().all(|n| !before.contains(n)), "it was not scrolled");
    let text = screen.view.selected(&screen.transcript).expect("a selection");
    assert!(text.len() > 2000, "{} bytes are selected", text.len());
}

#[test]
fn a_link_is_followed_by_a_press_and_not_by_selecting_it() {
    let screen = Screen::new(scene::transcript_of(vec![scene::said("https://example.org/x")]));
    let follow = |to: f32| {
        let mut simulator = screen.simulator();
        let link = simulator.find("https://example.org/x").expect("the link").bounds();
        simulator.point_at(Point::new(link.x + 5.0, link.y + 5.0));
        let _ = simulator.simulate([pressed()]);
        let position = Point::new(link.x + to, link.y + 5.0);
        simulator.point_at(position);
        let _ =
            simulator.simulate([Event::Mouse(mouse::Event::CursorMoved { position }), released()]);
        simulator.into_messages().any(|message| matches!(message, Message::Followed(_)))
    };
    assert!(follow(6.0));
    assert!(!follow(60.0));
}

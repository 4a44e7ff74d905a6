//! What a child may hold, for itself and together with others.

use maestro_core::screen::Size;
use maestro_terminal::{Budget, Event, Options, Outbox, Terminal};

use super::{numbers, print, screen, shown, terminal};

fn sharing(budget: &Budget) -> Terminal {
    Terminal::new(Options { budget: budget.clone(), ..Options::new(Size::new(80, 24)) })
}

fn mib(count: usize) -> usize {
    count * 1024 * 1024
}

/// Floods of things that cells hold besides their characters.
fn floods() -> [String; 4] {
    let marks = "e\u{301}\u{302}\u{303}\u{304}\u{ad}".repeat(4000);
    let links: String = (0..2000).map(|n| format!("\x1b]8;;http://a/{n:0>200}\x07x")).collect();
    let lines: String = (0..4000).map(|n| format!("\x1b[4;58:5:{}mx", n % 256)).collect();
    let resets = "\x1b]8;;http://a\x07".to_owned() + &"x\x1b[58:5:1mx\x1b[0m".repeat(3000);
    [marks, links, lines, resets]
}

#[test]
fn one_terminal_has_a_limit() {
    for flood in floods() {
        let budget = Budget::new(mib(1024));
        let mut terminal = sharing(&budget);
        for _ in 0..60 {
            let _ = print(&mut terminal, &flood);
            assert!(budget.used() <= mib(33));
        }
        let cells = (10_000 + 1100 + 24) * 80 * 24;
        assert!(terminal.hot_bytes() <= cells + mib(33));
        let _ = print(&mut terminal, "\x1bcstill e\u{301}");
        assert_eq!(screen(&mut terminal)[0], "still e\u{301}");
    }
}

#[test]
fn many_terminals_have_one_together() {
    let budget = Budget::new(mib(8));
    let mut terminals: Vec<Terminal> = (0..16).map(|_| sharing(&budget)).collect();
    for flood in floods() {
        for terminal in &mut terminals {
            for _ in 0..4 {
                let _ = print(terminal, &flood);
            }
            assert!(budget.used() <= mib(8));
        }
    }
    // Characters go on where marks and links no longer do.
    for terminal in &mut terminals {
        let _ = print(terminal, "\x1b[2J\x1b[Hplain \x1b]8;;http://b\x07e\u{301}");
        assert!(screen(terminal)[0].starts_with("plain e"));
    }
    let full = budget.used();
    assert!(full > mib(6));
    // Whoever goes makes room.
    terminals.truncate(1);
    assert!(budget.used() < full / 2);
    let mut late = sharing(&budget);
    let _ = print(&mut late, "e\u{301}");
    assert_eq!(screen(&mut late)[0], "e\u{301}");
    drop((terminals, late));
    assert_eq!(budget.used(), 0);
}

#[test]
fn what_scrolled_away_makes_room_again() {
    let budget = Budget::new(mib(1024));
    let options = Options { budget: budget.clone(), ..Options::new(Size::new(80, 24)) };
    let mut terminal = Terminal::new(Options { scrollback: 100, ..options });
    let marks = "e\u{301}".repeat(10_000);
    for _ in 0..200 {
        let _ = print(&mut terminal, &marks);
    }
    assert!(budget.used() < mib(9), "{}", budget.used());
    let _ = print(&mut terminal, "\r\nlast e\u{301}");
    let rows = screen(&mut terminal);
    assert_eq!(rows[23], "last e\u{301}");
    assert!(rows[22].contains('\u{301}') || rows[21].contains('\u{301}'), "marks are kept");
}

#[test]
fn the_bytes_of_marks_are_counted_until_they_are_compressed() {
    let mut plain = terminal(80, 24);
    let mut marked = terminal(80, 24);
    for _ in 0..3000 {
        let _ = print(&mut plain, &"e".repeat(80));
        let _ = print(&mut marked, &"e\u{301}".repeat(80));
    }
    assert!(marked.hot_bytes() > plain.hot_bytes() + 3000 * 80 * 60);
    while marked.compact(1000) {}
    while plain.compact(1000) {}
    // Some four hundred rows stay as they are.
    assert!(marked.hot_bytes() < plain.hot_bytes() + mib(4));
}

#[test]
fn history_behind_the_alternate_screen_can_be_compressed() {
    let mut straight = terminal(40, 10);
    let mut behind = terminal(40, 10);
    let before = format!("{}\x1b[?1h\x1b[>5u\x1b[=7u\x1b[3;3H\x1b7\x1b[9;1Hmain", numbers(0..5000));
    let full_screen = "\x1b[?1049h\x1b[>3u\x1b[=15u\x1b[31mother \x1b]8;;http://a\x07link\x1b[4;4H";
    for terminal in [&mut straight, &mut behind] {
        let _ = print(terminal, &before);
        let _ = print(terminal, full_screen);
    }
    let shown_before = shown(&mut behind);
    let hot = behind.hot_bytes();
    while behind.compact(500) {}
    assert!(behind.hot_bytes() * 4 < hot, "{} of {hot}", behind.hot_bytes());
    assert_eq!(shown(&mut behind), shown_before);
    let rest = "more\x1b[?u\x1b[?1$p\x1b[6n";
    assert_eq!(print(&mut behind, rest).replies, print(&mut straight, rest).replies);
    assert_eq!(behind.screen(true), straight.screen(true));
    for terminal in [&mut straight, &mut behind] {
        let _ = print(terminal, "\x1b[?1049l");
    }
    let rest = "\x1b[?u\x1b[6n";
    assert_eq!(print(&mut behind, rest).replies, print(&mut straight, rest).replies);
    assert_eq!(behind.screen(true), straight.screen(true));
    let _ = (print(&mut behind, "\x1b8here"), print(&mut straight, "\x1b8here"));
    assert_eq!(behind.screen(true), straight.screen(true));
}

#[test]
fn flapping_between_screens_grows_nothing() {
    let mut terminal = terminal(80, 24);
    let _ = print(&mut terminal, &numbers(0..2000));
    let once =
        "\x1b[?1049h\x1b[>1u\x1b]22;>wait\x07\x1b[22te\u{301}\x1b]8;;http://a\x07x\x1b[?1049l";
    let _ = print(&mut terminal, once);
    let (hot, history) = (terminal.hot_bytes(), terminal.scroll().history);
    for _ in 0..200 {
        let out = print(&mut terminal, &once.repeat(100));
        assert!(out.events.len() < 3 && out.replies.is_empty());
    }
    assert!(terminal.hot_bytes() <= hot + 64 * 1024);
    assert_eq!(terminal.scroll().history, history);
    assert_eq!(terminal.restarts(), 0);
}

#[test]
fn a_soft_hyphen_is_a_mark_like_others() {
    let mut terminal = terminal(80, 24);
    let _ = print(&mut terminal, &format!("a{}", "\u{ad}".repeat(10_000)));
    assert_eq!(shown(&mut terminal).rows[0].1.clusters[0].chars().count(), 9);
}

#[test]
fn titles_come_back_as_far_as_the_stack_goes() {
    let mut terminal = terminal(80, 24);
    for n in 0..1000 {
        let _ = print(&mut terminal, &format!("\x1b]0;t{n}\x07\x1b[22;0t"));
    }
    let mut titles = Vec::new();
    for _ in 0..20 {
        let out = print(&mut terminal, "\x1b[23;0t");
        titles.extend(out.events);
    }
    let wanted: Vec<Event> =
        (984..1000).rev().map(|n| Event::Title(Some(format!("t{n}")))).collect();
    assert_eq!(titles, wanted);
}

#[test]
fn links_with_hidden_characters_are_none() {
    let mut terminal = terminal(80, 24);
    let _ = print(&mut terminal, "\x1b]8;;http://a/\u{202e}gpj.exe\x07x\x1b]8;;http://b\x07y");
    let extras = shown(&mut terminal).rows[0].1.extras.clone();
    assert_eq!(extras.len(), 1);
    assert_eq!(extras[0].link.as_deref(), Some("http://b"));
}

#[test]
fn notifications_of_one_reading_are_few() {
    let mut terminal = terminal(80, 24);
    let mut out = Outbox::new();
    for n in 0..10_000 {
        terminal.advance(format!("\x1b]9;n{n}\x07\x07").as_bytes(), &mut out);
    }
    let bells = out.events.iter().filter(|event| **event == Event::Bell).count();
    assert_eq!(bells, 1);
    assert_eq!(out.events.len(), 1 + maestro_terminal::NOTIFICATIONS_LIMIT);
}

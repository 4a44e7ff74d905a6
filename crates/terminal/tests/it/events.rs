use std::path::PathBuf;

use maestro_core::screen::Size;
use maestro_terminal::{
    EVENTS_LIMIT, Event, NOTIFICATIONS_LIMIT, Options, Outbox, Palette, Progress, Prompt, Terminal,
};

use super::{print, screen, terminal, with};

#[track_caller]
fn check_events(output: &str, wanted: &[Event]) {
    assert_eq!(print(&mut terminal(80, 24), output).events, wanted, "{output:?}");
}

#[track_caller]
fn check_reply(output: &str, wanted: &str) {
    let mut terminal =
        Terminal::new(Options::new(Size { cell_width: 9, cell_height: 20, ..Size::new(80, 24) }));
    let replies = print(&mut terminal, output).replies;
    assert_eq!(String::from_utf8_lossy(&replies), wanted, "{output:?}");
}

fn title(text: &str) -> Event {
    Event::Title(Some(text.to_owned()))
}

fn note(body: &str) -> Event {
    Event::Notification { title: String::new(), body: body.to_owned() }
}

#[test]
fn titles() {
    check_events("\x1b]0;hello\x07", &[title("hello")]);
    check_events("\x1b]2;a;b\x1b\\", &[title("a;b")]);
    check_events("\x1b]0;first\x07\x1b]0;second\x07", &[title("second")]);
    check_events("\x1b]0;\x07", &[Event::Title(None)]);
    check_events("\x1b]0;\u{202e}evil\u{200b}\x07", &[title("evil")]);
    check_events("\x1b]0;one\x07\x1b[22t\x1b]0;two\x07\x1b[23t", &[title("one")]);
    let mut terminal = with(80, 24, "\x1b]0;kept\x07");
    assert_eq!(terminal.info().title.as_deref(), Some("kept"));
    let _ = print(&mut terminal, "\x1bc");
    assert_eq!(terminal.info().title, None);
}

#[test]
fn a_status_is_told_and_taken_back() {
    check_events(
        "\x1b]7501;state=working:app=codex\x1b\\\x1b]7501;state=clear\x1b\\",
        &[Event::Status(None)],
    );
    let mut terminal = with(80, 24, "\x1b]7501;state=done\x07");
    assert!(terminal.info().status.is_some());
    assert_eq!(print(&mut terminal, "\x1b]7501;state=clear\x07").events, [Event::Status(None)]);
    assert_eq!(terminal.info().status, None);
}

#[test]
fn a_flood_of_notifications_crowds_nothing_else_out() {
    let flood = "\x1b]9;x\x07".repeat(EVENTS_LIMIT + 10);
    let mut terminal = terminal(80, 24);
    let events =
        print(&mut terminal, &format!("{flood}\x1b]0;t\x07\x1b]7501;state=clear\x07")).events;
    assert_eq!(events[NOTIFICATIONS_LIMIT..], [title("t"), Event::Status(None)]);
    assert_eq!(terminal.info().title.as_deref(), Some("t"));
}

#[test]
fn events_come_in_order() {
    check_events(
        "\x1b]133;A\x07$ \x1b]133;B\x07ls\x1b]133;C\x07\x07\x1b]9;done\x07\x1b]133;D;0\x07",
        &[
            Event::Prompt(Prompt::Start),
            Event::Prompt(Prompt::Command),
            Event::Prompt(Prompt::Output),
            Event::Bell,
            note("done"),
            Event::Prompt(Prompt::Done(Some(0))),
        ],
    );
}

#[test]
fn what_is_known_is_kept() {
    let terminal =
        with(80, 24, "\x1b]7;file:///tmp\x07\x1b]9;4;1;30\x07\x1b]7501;state=working\x07");
    let info = terminal.info();
    assert_eq!(info.directory, Some(PathBuf::from("/tmp")));
    assert_eq!(info.progress, Progress::Normal(30));
    assert!(info.status.is_some());
    let cleared = "\x1b]7501;state=working\x07\x1b]7501;state=clear\x07";
    assert_eq!(with(80, 24, cleared).info().status, None);
}

#[test]
fn the_clipboard_is_written_and_never_read() {
    check_events("\x1b]52;c;aGVsbG8=\x07", &[Event::Clipboard("hello".to_owned())]);
    // "a\n\x1b[Ab"
    check_events("\x1b]52;c;YQobW0Fi\x07", &[Event::Clipboard("a\n[Ab".to_owned())]);
    check_events("\x1b]52;c;?\x07", &[]);
    check_reply("\x1b]52;c;?\x07", "");
    let huge = format!("\x1b]52;c;{}\x07", "QUFB".repeat(80_000));
    let events = print(&mut terminal(80, 24), &huge).events;
    assert!(!events.iter().any(|event| matches!(event, Event::Clipboard(_))));
}

#[test]
fn events_are_bounded() {
    let mut terminal = terminal(80, 24);
    let mut out = Outbox::new();
    for _ in 0..10_000 {
        terminal.advance(b"\x1b]9;again\x07\x07\x1b]0;title\x07", &mut out);
    }
    assert!(out.events.len() <= EVENTS_LIMIT);
    assert!(out.events.contains(&title("title")));
    assert!(out.events.contains(&Event::Bell));
}

#[test]
fn a_string_inside_another_says_nothing() {
    check_events("\x1bP1$r\x1b]9;yes\x07", &[note("yes")]);
    check_events("\x1bPq]9;no\x07\x1b\\", &[]);
    check_events("\x1b_]9;no\x07\x1b\\", &[]);
    check_events("\x1b]9;no\x18", &[]);
}

#[test]
fn queries_are_answered() {
    let version = format!("\x1bP>|maestro {}\x1b\\", env!("CARGO_PKG_VERSION"));
    check_reply("\x1b[>q", &version);
    check_reply("\x1b[>0q", &version);
    check_reply("\x1b[c", "\x1b[?6c");
    check_reply("\x1b[=c", "\x1bP!|00000000\x1b\\");
    check_reply("\x1b[5n", "\x1b[0n");
    check_reply("ab\x1b[6n", "\x1b[1;3R");
    check_reply("\x1b[?u", "\x1b[?0u");
    check_reply("\x1b[14t", "\x1b[4;480;720t");
    check_reply("\x1b[18t", "\x1b[8;24;80t");
    check_reply("\x1b[?996n", "\x1b[?997;1n");
    check_reply("\x1b[?2026$p", "\x1b[?2026;2$y");
    check_reply("\x1b[?2004$p\x1b[?2004h\x1b[?2004$p", "\x1b[?2004;2$y\x1b[?2004;1$y");
    check_reply("\x1b[?2031$p\x1b[?2031h\x1b[?2031$p", "\x1b[?2031;2$y\x1b[?2031;1$y");
    // In the order in which they were asked.
    check_reply("\x1b[c\x1b[>q\x1b[5n", &format!("\x1b[?6c{version}\x1b[0n"));
}

#[test]
fn colours_are_told() {
    check_reply("\x1b]10;?\x07", "\x1b]10;rgb:d8d8/d8d8/d8d8\x07");
    check_reply("\x1b]11;?\x1b\\", "\x1b]11;rgb:1818/1818/1818\x1b\\");
    check_reply("\x1b]4;1;?\x07", "\x1b]4;1;rgb:cccc/4444/4444\x07");
    check_reply("\x1b]4;196;?\x07", "\x1b]4;196;rgb:ffff/0000/0000\x07");
    check_reply("\x1b]4;232;?\x07", "\x1b]4;232;rgb:0808/0808/0808\x07");
    // What the child set is what it is told, at that instant.
    check_reply(
        "\x1b]11;#010203\x07\x1b]11;?\x07\x1b]111\x07\x1b]11;?\x07",
        "\x1b]11;rgb:0101/0202/0303\x07\x1b]11;rgb:1818/1818/1818\x07",
    );
}

#[test]
fn a_change_of_theme_is_told_to_who_asks() {
    let light = Palette { dark: false, ..Palette::default() };
    let mut terminal = terminal(80, 24);
    let mut out = Outbox::new();
    terminal.set_palette(light, &mut out);
    assert!(out.replies.is_empty());
    let _ = print(&mut terminal, "\x1b[?2031h");
    terminal.set_palette(light, &mut out);
    assert!(out.replies.is_empty());
    terminal.set_palette(Palette::default(), &mut out);
    assert_eq!(out.replies, b"\x1b[?997;1n");
}

#[test]
fn a_synchronized_update_shows_at_its_end() {
    let mut terminal = with(20, 2, "before");
    assert_eq!(terminal.sync_deadline(), None);
    let _ = print(&mut terminal, "\x1b[?2026h\x1b[2J\x1b[Hafter\x1b[6n");
    assert!(terminal.sync_deadline().is_some());
    assert_eq!(screen(&mut terminal)[0], "before");
    let out = print(&mut terminal, "\x1b[?2026l");
    assert_eq!(out.replies, b"\x1b[1;6R");
    assert_eq!(terminal.sync_deadline(), None);
    assert_eq!(screen(&mut terminal)[0], "after");
    // Or when its owner has waited long enough.
    let _ = print(&mut terminal, "\x1b[?2026h!");
    terminal.end_sync(&mut Outbox::new());
    assert_eq!(terminal.sync_deadline(), None);
    assert_eq!(screen(&mut terminal)[0], "after!");
}

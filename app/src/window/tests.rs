//! Screens as a user meets them: keys and clicks go in, messages come out, the next screen is looked at.

mod focus;
mod long;
mod names;
mod order;
mod rooms;
mod talk;

use iced::keyboard::{self, Key, Location, Modifiers, key};
use iced::{Event, Point, Settings, Size, mouse};
use iced_test::Simulator;
use maestro_core::command::{self, Context, Id};
use maestro_core::input::{Code, Input, Motion, ScrollTo, Select, SelectBy, Vi};
use maestro_core::keymap::{Chord, Keys, Platform};
use maestro_core::search::Search;
use maestro_core::{AgentId, TerminalId};
use maestro_protocol::message::{Command, Event as HostEvent};
use maestro_ui::font;
use maestro_ui::theme::{self, Tokens};

use super::chords;
use super::picture::{self, Renderer};
use super::scene;
use super::shell::{Message, Shell};

const SIZE: Size = Size::new(1440.0, 900.0);

fn shell(name: &str) -> Shell {
    font::load();
    Shell::scene(name, SIZE, 1.0, &theme::NOCTURNE).expect("a scene")
}

fn simulator(shell: &Shell) -> Simulator<'_, Message> {
    let settings = Settings { default_font: font::REGULAR, ..Settings::default() };
    Simulator::with_size(settings, SIZE, shell.screen())
}

fn press(key: Key, modifiers: Modifiers) -> Event {
    Event::Keyboard(keyboard::Event::KeyPressed {
        modified_key: key.clone(),
        physical_key: key::Physical::Unidentified(key::NativeCode::Unidentified),
        location: Location::Standard,
        modifiers,
        text: None,
        repeat: false,
        key,
    })
}

fn ctrl(c: &str) -> Event {
    press(Key::Character(c.into()), Modifiers::CTRL)
}

fn named(name: key::Named) -> Event {
    press(Key::Named(name), Modifiers::empty())
}

/// What the window makes of an event, taken in at once.
fn apply(shell: &mut Shell, event: Event) -> Vec<Message> {
    let mut simulator = simulator(shell);
    let _ = simulator.simulate([event]);
    let messages: Vec<_> = simulator.into_messages().collect();
    for message in &messages {
        let _ = shell.update(message.clone());
    }
    messages
}

fn click(shell: &mut Shell, text: &'static str) {
    let mut simulator = simulator(shell);
    let _ = simulator.click(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    for message in simulator.into_messages().collect::<Vec<_>>() {
        let _ = shell.update(message);
    }
}

fn shows(shell: &Shell, text: &'static str) -> bool {
    simulator(shell).find(text).is_ok()
}

#[test]
fn a_command_that_has_nothing_to_work_on_says_so() {
    let mut shell = shell("conversation");
    let _ = shell.update(Message::Command(Id::Export));
    assert!(shows(&shell, "“Export as text” is for a terminal: Ctrl+J shows one."));
}

#[test]
fn an_agent_whose_work_conflicts_says_with_what() {
    let mut shell = shell("collisions");
    let words = "docs/preferences.md and 1 more";
    let said = format!("Conflicts with feat/preferences: {words}.");
    assert!(simulator(&shell).find(said.as_str()).is_ok(), "the toast");
    let row = format!("conflicts with feat/preferences: {words}");
    assert!(simulator(&shell).find(row.as_str()).is_ok(), "the row of an agent at rest");
    assert!(shows(&shell, "running tests"), "the row of one that works");
    let _ = shell.update(Message::Command(Id::AgentWhy));
    let said = format!("Conflicts with docs/preferences: {words}.");
    assert!(simulator(&shell).find(said.as_str()).is_ok(), "why it is as it is");
}

#[test]
fn an_empty_window_says_what_to_do() {
    let mut shell = shell("empty");
    assert!(shows(&shell, "Bring in your first agent"));
    assert!(shows(&shell, "Ctrl N"));
    assert!(shows(&shell, "Tour of ten keys"));
    assert!(shows(&shell, "Codex") && shows(&shell, "0.63.0"), "what is installed");
    assert!(simulator(&shell).find("Factory Droid").is_ok(), "what is missing");
    assert!(!shows(&shell, "Create agent"));
    let _ = apply(&mut shell, named(key::Named::Enter));
    assert!(shows(&shell, "Create agent"));
}

#[test]
fn the_tour_goes_on_by_its_keys() {
    let mut shell = shell("grid");
    let _ = shell.update(Message::Command(Id::TourToggle));
    assert!(shows(&shell, "Bring in an agent"));
    let _ = shell.update(Message::Command(Id::AgentNew));
    let _ = apply(&mut shell, named(key::Named::Escape));
    assert!(shows(&shell, "That was it. Now by its keys."));
    let _ = apply(&mut shell, ctrl("n"));
    assert!(!shows(&shell, "Find anything"), "a dialog has the place to itself");
    let _ = apply(&mut shell, named(key::Named::Escape));
    assert!(shows(&shell, "Find anything"));
    let _ = shell.update(Message::Command(Id::TourSkip));
    assert!(shows(&shell, "A shell beside it"));
    let _ = shell.update(Message::Command(Id::TourToggle));
    assert!(!shows(&shell, "A shell beside it"));
}

#[test]
fn a_larger_scale_leaves_less_room_inside_the_window() {
    let mut shell = shell("grid");
    let before = shell.ui_scale();
    let mut values = maestro_core::settings::Values::default();
    let setting = maestro_core::settings::ALL.iter().find(|it| it.key == "appearance.scale");
    values.set(setting.expect("a setting"), None, maestro_core::settings::Value::Number(2.0));
    let content = maestro_engine::settings::Content { values, unknown: Vec::new() };
    assert!(shell.panels().1.is_some());
    let _ = shell.update(Message::SettingsRead(Ok(content)));
    assert!((shell.ui_scale() - 2.0 * before).abs() < f32::EPSILON);
    assert_eq!(shell.panels().1, None, "there is no room for it any more");
}

#[test]
fn the_new_agent_dialog_opens_and_closes_by_keys() {
    let mut shell = shell("grid");
    let _ = apply(&mut shell, ctrl("n"));
    assert!(shows(&shell, "Create agent"));
    assert_eq!(shell.keyboard(), "new-agent-branch");
    let _ = apply(&mut shell, named(key::Named::Tab));
    assert_eq!(shell.keyboard(), "new-agent-base");
    let _ = apply(&mut shell, named(key::Named::Escape));
    assert!(!shows(&shell, "Create agent"));
    assert_eq!(shell.keyboard(), "terminal-t1");
}

#[test]
fn creating_without_a_branch_is_refused_in_place() {
    let mut shell = shell("grid");
    let _ = apply(&mut shell, ctrl("n"));
    let _ = apply(&mut shell, named(key::Named::Enter));
    assert!(shows(&shell, "Create agent"), "the dialog is gone");
    assert_eq!(shell.keyboard(), "new-agent-branch");
}

#[test]
fn a_chord_never_reaches_the_terminal() {
    let shell = shell("grid");
    let mut simulator = simulator(&shell);
    let _ = simulator.simulate([ctrl("k")]);
    let messages: Vec<_> = simulator.into_messages().collect();
    assert!(matches!(messages[..], [Message::Command(Id::Palette)]), "{messages:?}");
}

#[test]
fn the_palette_filters_and_runs() {
    let mut shell = shell("grid");
    let _ = apply(&mut shell, ctrl("k"));
    assert!(shows(&shell, "↵ run"));
    assert_eq!(shell.keyboard(), "palette-input");
    let query = super::palette::Message::Queried("rename".to_owned());
    let _ = shell.update(Message::Palette(query));
    let _ = apply(&mut shell, named(key::Named::Enter));
    assert!(shows(&shell, "Rename api"), "the command was not run");
}

#[test]
fn the_keyboard_moves_between_panes() {
    let mut shell = shell("grid");
    assert_eq!(shell.keyboard(), "terminal-t1");
    let right = Modifiers::CTRL | Modifiers::SHIFT;
    let _ = apply(&mut shell, press(Key::Named(key::Named::ArrowRight), right));
    assert_eq!(shell.keyboard(), "terminal-t2");
    let _ = apply(&mut shell, press(Key::Named(key::Named::ArrowDown), right));
    assert_eq!(shell.keyboard(), "terminal-t105", "the pane below shows a shell");
    let _ = apply(&mut shell, press(Key::Named(key::Named::Tab), Modifiers::CTRL));
    assert_eq!(shell.keyboard(), "terminal-t1");
}

#[test]
fn the_shell_is_one_key_away_and_back() {
    let mut shell = shell("grid");
    let _ = apply(&mut shell, ctrl("j"));
    assert_eq!(shell.keyboard(), "terminal-t101");
    assert!(shows(&shell, "api · shell"));
    let _ = apply(&mut shell, ctrl("j"));
    assert_eq!(shell.keyboard(), "terminal-t1");
}

#[test]
fn a_maximised_pane_is_alone_until_it_is_not() {
    let mut shell = shell("grid");
    let chord = press(Key::Named(key::Named::Enter), Modifiers::CTRL | Modifiers::ALT);
    let _ = apply(&mut shell, chord.clone());
    assert!(!shows(&shell, "Codex · feat/settings-page"));
    let _ = apply(&mut shell, chord);
    assert!(shows(&shell, "Codex · feat/settings-page"));
}

#[test]
fn the_list_of_agents_is_walked_by_keys() {
    let mut shell = shell("grid");
    let _ =
        apply(&mut shell, press(Key::Character("a".into()), Modifiers::CTRL | Modifiers::SHIFT));
    assert_eq!(shell.keyboard(), "nobody", "a terminal still has the keyboard");
    let _ = apply(&mut shell, named(key::Named::ArrowDown));
    let _ = apply(&mut shell, named(key::Named::Enter));
    assert_eq!(shell.keyboard(), "terminal-t2");
}

#[test]
fn one_key_goes_from_region_to_region_and_escape_goes_back() {
    let mut shell = shell("grid");
    // The runs at the right, the list of agents, the panes; from each, Escape leads back.
    for parts in [1, 2] {
        for back in [key::Named::F6, key::Named::Escape] {
            for expected in &[Context::Run, Context::Agents][..parts] {
                let _ = apply(&mut shell, named(key::Named::F6));
                assert_eq!(shell.context_for_tests(), *expected);
                assert_eq!(shell.keyboard(), "nobody", "a terminal still has the keyboard");
            }
            if parts == 1 && back == key::Named::F6 {
                let _ = apply(&mut shell, named(back));
            }
            let _ = apply(&mut shell, named(back));
            assert_eq!(shell.keyboard(), "terminal-t1", "{back:?}");
        }
    }
}

#[test]
fn escape_belongs_to_the_program_while_a_terminal_has_the_keyboard() {
    let mut shell = shell("single");
    assert!(apply(&mut shell, named(key::Named::Escape)).is_empty());
}

#[test]
fn side_panels_are_made_wider_by_keys_and_by_the_mouse() {
    let mut shell = shell("grid");
    let width = |shell: &Shell| shell.panels();
    let (agents, runs) = width(&shell);
    let _ = shell.update(Message::Command(Id::AgentsWider));
    let _ = shell.update(Message::Command(Id::RunsNarrower));
    let now = width(&shell);
    assert!(now.0 > agents && now.1 < runs, "{now:?}");

    let edge = Point::new(now.0.unwrap_or_default() + 4.0, 400.0);
    let moved = Point::new(301.0, 420.0);
    let left = Event::Mouse(mouse::Event::ButtonReleased(mouse::Button::Left));
    for (at, event) in [
        (edge, Event::Mouse(mouse::Event::ButtonPressed(mouse::Button::Left))),
        (moved, Event::Mouse(mouse::Event::CursorMoved { position: moved })),
        (moved, left),
    ] {
        let mut simulator = simulator(&shell);
        simulator.point_at(at);
        let _ = simulator.simulate([event]);
        for message in simulator.into_messages().collect::<Vec<_>>() {
            let _ = shell.update(message);
        }
    }
    assert_eq!(width(&shell).0, Some(301.0));
    assert!(
        apply(&mut shell, Event::Mouse(mouse::Event::CursorMoved { position: edge })).is_empty()
    );
}

#[test]
fn a_side_panel_leaves_room_for_the_panes() {
    let mut shell = shell("grid");
    for _ in 0..100 {
        let _ = shell.update(Message::Command(Id::AgentsWider));
    }
    let widest = shell.panels().0.expect("a panel");
    assert!(widest <= SIZE.width * 0.4);
    for _ in 0..100 {
        let _ = shell.update(Message::Command(Id::AgentsNarrower));
    }
    assert!(shell.panels().0.expect("a panel") >= 150.0);
}

#[test]
fn panes_that_were_all_closed_can_be_had_back_by_keys() {
    let mut shell = shell("grid");
    for _ in 0..4 {
        let _ = shell.update(Message::Command(Id::PaneClose));
    }
    assert!(shows(&shell, "Ctrl ⇧ A"));
    let _ = shell.update(Message::Command(Id::FocusAgents));
    let _ = apply(&mut shell, named(key::Named::Enter));
    assert_eq!(shell.keyboard(), "terminal-t1");
}

#[test]
fn auto_run_can_be_put_out_of_sight_and_back() {
    let mut shell = shell("grid");
    let _ = shell.update(Message::Command(Id::ToggleRuns));
    assert_eq!(shell.panels().1, None);
    let _ = shell.update(Message::Command(Id::ToggleRuns));
    assert!(shell.panels().1.is_some());
}

#[test]
fn what_was_opened_meanwhile_stays_open() {
    let mut shell = shell("grid");
    let _ = apply(&mut shell, ctrl("k"));
    let agent = scene::world().agents[0].clone();
    let _ = shell.update(Message::Created(Ok(agent)));
    let _ = shell.update(Message::Answered(Ok(())));
    assert_eq!(shell.keyboard(), "palette-input", "an old answer closed the palette");
}

#[test]
fn an_agent_in_the_list_is_one_click_away() {
    let mut shell = shell("grid");
    click(&mut shell, "parser");
    assert_eq!(shell.keyboard(), "terminal-t7", "its pane was closed and comes back");
}

#[test]
fn after_a_crash_every_agent_offers_itself() {
    let shell = shell("resume");
    assert!(shows(&shell, "Its program is gone, its session is not"));
    assert!(shows(&shell, "Resume"));
}

#[test]
fn a_stopped_host_stays_stopped_until_it_is_wanted() {
    let mut shell = shell("grid");
    shell.lose_host_for_tests();
    assert!(shows(&shell, "The host was stopped"));
    let _ = apply(&mut shell, named(key::Named::Enter));
    assert!(!shows(&shell, "The host was stopped"));
}

/// Draws a scene and checks what any picture of it must have.
fn picture(name: &str, size: Size, scale: f32, tokens: &'static Tokens) {
    font::load();
    let mut shell = Shell::scene(name, size, scale, tokens).expect("a scene");
    let pixels = picture::draw(&mut shell, size, scale, Renderer::Software).expect("a picture");
    let expected = ((size.width * scale) as u32, (size.height * scale) as u32);
    assert_eq!((pixels.width, pixels.height), expected, "{name}");
    let colors: std::collections::HashSet<&[u8]> = pixels.rgba.chunks(4).collect();
    // A screen with text has hundreds of shades; an empty one a handful.
    assert!(colors.len() > 50, "{name} in {}: {} colours", tokens.name, colors.len());
    let corner = &pixels.rgba[..3];
    let panel = [tokens.panel.r, tokens.panel.g, tokens.panel.b].map(|v| (v * 255.0).round() as u8);
    assert_eq!(corner, panel, "{name}");
}

#[test]
fn every_scene_can_be_drawn() {
    for name in scene::NAMES {
        let dimmed = matches!(
            name,
            "palette"
                | "palette-files"
                | "palette-branches"
                | "palette-sessions"
                | "workspaces"
                | "new-agent"
                | "rename"
                | "new-agent-base"
                | "worktrees-remove"
                | "worktrees-busy"
                | "paste"
                | "link"
                | "clipboard"
                | "export"
                | "policy"
                | "queue"
                | "queue-empty"
                | "why"
                | "sessions"
                | "sessions-empty"
                | "usage"
                | "notices"
                | "notices-empty"
                | "settings"
                | "settings-found"
                | "themes"
                | "help"
                | "help-found"
                | "chords"
                | "chords-taken"
                | "mastery"
                | "models"
                | "runs-conflict"
                | "runs-undo"
                | "runs-start"
                | "runs-plan"
                | "runs-trust"
        );
        if !dimmed {
            picture(name, SIZE, 1.0, &theme::NOCTURNE);
        }
        assert!(Shell::scene(name, SIZE, 1.0, &theme::MATINEE).is_some(), "{name}");
    }
    assert!(Shell::scene("mauve", SIZE, 1.0, &theme::MATINEE).is_none());
}

#[test]
fn pictures_come_in_any_size_scale_and_theme() {
    picture("grid", Size::new(1000.0, 640.0), 1.0, &theme::MATINEE);
    picture("grid", Size::new(800.0, 500.0), 2.0, &theme::NOCTURNE);
    picture("grid", Size::new(800.0, 500.0), 1.25, &theme::MATINEE);
}

/// The terminal with the keyboard in most scenes.
const HERE: TerminalId = TerminalId(1);

fn ctrl_shift(c: &str) -> Event {
    press(Key::Character(c.into()), Modifiers::CTRL | Modifiers::SHIFT)
}

fn typed(c: &str) -> Event {
    let mut event = press(Key::Character(c.into()), Modifiers::empty());
    if let Event::Keyboard(keyboard::Event::KeyPressed { text, .. }) = &mut event {
        *text = Some(c.into());
    }
    event
}

/// What goes to terminals because of an event, without what only moves the keyboard.
fn sent(shell: &mut Shell, event: Event) -> Vec<Input> {
    let _ = shell.link().sent();
    let _ = apply(shell, event);
    let inputs = shell.link().sent().into_iter().map(|(_, input)| input);
    inputs.filter(|input| !matches!(input, Input::Focus(_) | Input::Resize(_))).collect()
}

/// What the host is asked for because of a command, without what keeps the window's own state.
fn asked(shell: &mut Shell, message: Message) -> Vec<Command> {
    let _ = shell.link().asked();
    let _ = shell.update(message);
    let asked = shell.link().asked().into_iter();
    asked.filter(|command| !matches!(command, Command::SetPreference { .. })).collect()
}

/// A chord as iced tells of it.
fn pressed(chord: Chord) -> Event {
    let (mods, code) = chord.pressed(Platform::HERE);
    let mut modifiers = Modifiers::empty();
    for (on, flag) in [
        (mods.shift, Modifiers::SHIFT),
        (mods.alt, Modifiers::ALT),
        (mods.control, Modifiers::CTRL),
        (mods.logo, Modifiers::LOGO),
    ] {
        modifiers.set(flag, on);
    }
    let key = match code {
        Code::Char(' ') => Key::Named(key::Named::Space),
        Code::Char(c) => Key::Character(c.to_string().into()),
        Code::Enter => Key::Named(key::Named::Enter),
        Code::Tab => Key::Named(key::Named::Tab),
        Code::Left => Key::Named(key::Named::ArrowLeft),
        Code::Right => Key::Named(key::Named::ArrowRight),
        Code::Up => Key::Named(key::Named::ArrowUp),
        Code::Down => Key::Named(key::Named::ArrowDown),
        Code::Home => Key::Named(key::Named::Home),
        Code::End => Key::Named(key::Named::End),
        Code::PageUp => Key::Named(key::Named::PageUp),
        Code::PageDown => Key::Named(key::Named::PageDown),
        Code::Insert => Key::Named(key::Named::Insert),
        Code::F(6) => Key::Named(key::Named::F6),
        Code::F(12) => Key::Named(key::Named::F12),
        other => panic!("no key for {other:?}"),
    };
    press(key, modifiers)
}

#[test]
fn no_chord_of_ours_reaches_the_child() {
    for command in command::ALL.iter().filter(|command| command.context.covers_terminal()) {
        for text in command.default_chords(Platform::HERE) {
            let shell = shell("grid");
            let _ = shell.link().sent();
            let mut simulator = simulator(&shell);
            let keys: Keys = text.parse().expect(text);
            let _ = simulator.simulate([pressed(keys.first)]);
            let messages: Vec<_> = simulator.into_messages().collect();
            let is_it = |message: &Message| match message {
                Message::Command(id) => keys.then.is_none() && *id == command.id,
                Message::Prefix(_) => keys.then.is_some(),
                _ => false,
            };
            assert!(messages.iter().any(is_it), "{text}: {messages:?}");
            let typed = shell.link().sent();
            assert!(
                !typed.iter().any(|(_, input)| matches!(input, Input::Key(_))),
                "{text}: {typed:?}"
            );
        }
    }
}

#[test]
fn the_second_of_two_chords_runs_the_command_and_the_child_sees_none() {
    let prefix = || pressed("Alt+Mod+X".parse().expect("a chord"));
    let mut shell = shell("grid");
    assert!(sent(&mut shell, prefix()).is_empty());
    assert!(!shows(&shell, "Choose a theme"), "who knows it needs no hint");
    let _ = shell.update(Message::PrefixDue(1));
    assert!(shows(&shell, "Choose a theme") && shows(&shell, "Chords"));
    assert!(sent(&mut shell, typed("t")).is_empty());
    assert!(shows(&shell, "dark · Night-blue grey with brass"));
    let _ = apply(&mut shell, named(key::Named::Escape));
    // A key that follows nothing is no letter for the program, and says so.
    assert!(sent(&mut shell, prefix()).is_empty());
    assert!(sent(&mut shell, typed("x")).is_empty());
    assert!(shows(
        &shell,
        "Nothing has that key behind Ctrl+Alt+X. There are B, C, F, K, M, N, O, P, Q, S, T, U, W."
    ));
    // Escape and time leave it.
    for leave in [false, true] {
        assert!(sent(&mut shell, prefix()).is_empty());
        if leave {
            let _ = shell.update(Message::PrefixOver(4));
        } else {
            assert!(sent(&mut shell, named(key::Named::Escape)).is_empty());
        }
        let messages = apply(&mut shell, typed("t"));
        assert!(messages.is_empty(), "the program's again: {messages:?}");
    }
}

#[test]
fn what_the_mouse_did_three_times_is_told_with_its_chord() {
    let told = "“Show or hide the list of agents” is Ctrl+Alt+B.";
    let mut by_mouse = shell("grid");
    for _ in 0..2 {
        let _ = by_mouse.update(Message::Command(Id::ToggleAgents));
    }
    assert!(!shows(&by_mouse, told));
    let _ = by_mouse.update(Message::Command(Id::ToggleAgents));
    assert!(shows(&by_mouse, told));
    let mut by_key = shell("grid");
    for _ in 0..4 {
        let _ = apply(&mut by_key, pressed("Alt+Mod+B".parse().expect("a chord")));
    }
    assert!(!shows(&by_key, told));
}

#[test]
fn a_chord_is_recorded_and_holds_at_once() {
    let mut shell = shell("grid");
    let _ = shell.update(Message::Command(Id::ChordsOpen));
    let _ = shell.update(Message::Chords(chords::Message::Queried("rename agent".to_owned())));
    let _ = apply(&mut shell, named(key::Named::Enter));
    assert!(shows(&shell, "press the keys…"));
    let _ = apply(&mut shell, ctrl("k"));
    assert!(shows(&shell, "Ctrl K"), "it is recorded, not run");
    let _ = apply(&mut shell, named(key::Named::Enter));
    assert!(shows(
        &shell,
        "Ctrl+K is “Command palette”. Enter takes it from there, Esc leaves all as it is."
    ));
    let _ = apply(&mut shell, named(key::Named::Enter));
    let _ = apply(&mut shell, named(key::Named::Escape));
    let _ = apply(&mut shell, named(key::Named::Escape));
    let messages = apply(&mut shell, ctrl("k"));
    assert!(matches!(messages.as_slice(), [Message::Command(Id::AgentRename)]), "{messages:?}");
}

#[test]
fn what_is_the_childs_reaches_it() {
    let keys = [
        ctrl("c"),
        ctrl("r"),
        ctrl("w"),
        typed("q"),
        named(key::Named::Escape),
        named(key::Named::F3),
    ];
    for event in keys {
        let mut live = order::Live::new(shell("grid"));
        let messages = live.handle(std::slice::from_ref(&event));
        assert!(messages.is_empty(), "{event:?}: {messages:?}");
        let sent = live.shell.link().sent();
        assert!(
            sent.iter().any(|(_, input)| matches!(input, Input::Key(_))),
            "{event:?}: {sent:?}"
        );
    }
}

#[test]
fn search_opens_over_its_pane_and_goes_back_where_one_was() {
    let mut shell = shell("grid");
    let _ = apply(&mut shell, ctrl_shift("f"));
    assert_eq!(shell.keyboard(), "find-input");
    assert!(shows(&shell, "↑"));
    let find = |message| Message::Panes(super::panes::Message::Find(message));
    let _ = shell.update(find(super::find::Message::Edited("spec".to_owned())));
    let commands = asked(&mut shell, Message::FindDue);
    let query = match &commands[..] {
        [Command::Search { terminal: HERE, query: Some(query) }] => query.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(query.text, "spec");
    let search = Search { query, matches: 12, current: Some(12), done: true, error: None };
    shell.hear(HostEvent::Search { terminal: HERE, search: Some(search.clone()) });
    assert!(shows(&shell, "12 of 12"));
    let error =
        Search { error: Some("unclosed group".to_owned()), matches: 0, current: None, ..search };
    shell.hear(HostEvent::Search { terminal: HERE, search: Some(error) });
    assert!(shows(&shell, "Unclosed group."));

    let older = asked(&mut shell, Message::Command(Id::SearchOlder));
    assert_eq!(older, [Command::SearchMove { terminal: HERE, forward: false }]);
    let back = sent(&mut shell, named(key::Named::Escape));
    assert_eq!(back, [Input::Scroll(ScrollTo::Bottom)]);
    assert_eq!(shell.keyboard(), "terminal-t1");
    assert!(!shows(&shell, "↑"));
}

#[test]
fn the_next_search_begins_with_the_last_query() {
    let mut shell = shell("grid");
    let find = |message| Message::Panes(super::panes::Message::Find(message));
    let _ = shell.update(Message::Command(Id::Search));
    let _ = shell.update(find(super::find::Message::Edited("needle".to_owned())));
    let _ = shell.update(Message::FindDue);
    let _ = shell.update(Message::Command(Id::SearchKeep));
    let _ = shell.update(Message::Command(Id::Search));
    let elsewhere = Message::FindPrefilled(TerminalId(2), "elsewhere".to_owned());
    assert_eq!(asked(&mut shell, elsewhere), [], "the selection of another terminal");
    let commands = asked(&mut shell, Message::FindPrefilled(HERE, String::new()));
    assert!(
        matches!(&commands[..], [Command::Search { query: Some(query), .. }] if query.text == "needle"),
        "{commands:?}"
    );
}

#[test]
fn what_was_typed_before_the_selection_was_known_stays() {
    let mut shell = shell("grid");
    let find = |message| Message::Panes(super::panes::Message::Find(message));
    let _ = shell.update(Message::Command(Id::Search));
    let _ = shell.update(find(super::find::Message::Edited("a".to_owned())));
    let _ = shell.update(Message::FindPrefilled(HERE, "selected".to_owned()));
    let commands = asked(&mut shell, Message::FindDue);
    assert!(
        matches!(&commands[..], [Command::Search { query: Some(query), .. }] if query.text == "a"),
        "{commands:?}"
    );
}

#[test]
fn in_vi_mode_keys_move_and_never_type() {
    let mut shell = shell("grid");
    let entered = sent(&mut shell, ctrl_shift("x"));
    assert_eq!(entered, [Input::Vi(Vi::Enter)]);
    // No frame has come yet, and a key is typed already.
    for (event, expected) in [
        (typed("j"), vec![Input::Vi(Vi::Move(Motion::Down))]),
        (typed("x"), vec![]),
        (typed("2"), vec![]),
        (typed("k"), vec![Input::Vi(Vi::Move(Motion::Up)); 2]),
        (typed("v"), vec![Input::Vi(Vi::Select(SelectBy::Cell))]),
        (typed("o"), vec![Input::Vi(Vi::Swap)]),
        (named(key::Named::Escape), vec![Input::Select(Select::Clear)]),
        (named(key::Named::Escape), vec![Input::Vi(Vi::Leave)]),
    ] {
        assert_eq!(sent(&mut shell, event.clone()), expected, "{event:?}");
    }
    assert!(apply(&mut shell, typed("j")).is_empty(), "the program gets it again");
}

#[test]
fn an_input_method_types_nothing_into_a_program_that_is_not_typed_into() {
    let commit =
        || Event::InputMethod(iced::advanced::input_method::Event::Commit("好".to_owned()));
    for (name, typed) in [("grid", true), ("vi", false), ("hints", false)] {
        let mut live = order::Live::new(shell(name));
        let _ = live.handle(&[commit()]);
        let sent = live.shell.link().sent();
        let texts = sent.iter().any(|(_, input)| matches!(input, Input::Text(_)));
        assert_eq!(texts, typed, "{name}: {sent:?}");
    }
}

#[test]
fn copying_in_vi_mode_ends_it_at_once() {
    let mut shell = shell("grid");
    let _ = apply(&mut shell, ctrl_shift(" "));
    let _ = shell.link().sent();
    let commands = asked(&mut shell, Message::Command(Id::ViCopy));
    assert_eq!(commands, [Command::CopySelection { terminal: HERE }]);
    let ended = [Input::Select(Select::Clear), Input::Vi(Vi::Leave)];
    assert_eq!(shell.link().sent(), ended.map(|input| (HERE, input)));
    assert!(!shows(&shell, "y copy · Esc back"));
}

#[test]
fn vi_mode_says_where_one_is() {
    let mut shell = shell("grid");
    shell.reframe(HERE, |frame| frame.modes.vi = true);
    assert!(shows(&shell, "VI · v select · / search · Esc leave"));
    let _ = apply(&mut shell, typed("v"));
    assert!(shows(&shell, "VI · SELECT · y copy · Esc back"));
}

#[test]
fn links_are_chosen_by_letters() {
    let mut shell = shell("hints");
    let none = sent(&mut shell, typed("1"));
    assert!(none.is_empty(), "{none:?}");
    let messages = apply(&mut shell, typed("a"));
    assert!(matches!(messages[..], [Message::HintTyped('a', _)]), "{messages:?}");
    assert!(!shows(&shell, "Type a label · ⇧ copies · Alt inserts"));
}

#[test]
fn a_label_whose_link_has_moved_does_nothing() {
    let mut shell = shell("hints");
    shell.reframe(HERE, |frame| {
        super::scene::dress("hints", frame);
        // A line more was printed.
        frame.rows.iter_mut().for_each(|(place, _)| *place += 1);
    });
    let alt = press(Key::Character("d".into()), Modifiers::ALT);
    assert_eq!(sent(&mut shell, alt.clone()), [], "the link of another label was inserted");
    assert_eq!(sent(&mut shell, alt).len(), 1, "there are new labels");
}

#[test]
fn a_chosen_file_name_is_inserted_as_one_word() {
    let mut shell = shell("hints");
    let alt = press(Key::Character("d".into()), Modifiers::ALT);
    let inserted = sent(&mut shell, alt);
    let [Input::Paste(text)] = &inserted[..] else { panic!("{inserted:?}") };
    assert!(text.ends_with(' ') && !text.contains('\n'), "{text:?}");
}

#[test]
fn what_comes_late_does_not_take_the_place_of_a_dialog() {
    let mut shell = shell("grid");
    let _ = shell.update(Message::Command(Id::Palette));
    let target = super::target::Target::Mail { url: "mailto:a@b.org".to_owned() };
    let _ = shell.update(Message::Examined(Some(target)));
    assert_eq!(shell.keyboard(), super::palette::INPUT);
    let _ = shell.update(Message::Pasted(HERE, Some("one\ntwo\n".to_owned())));
    assert_eq!(shell.keyboard(), super::palette::INPUT);
    let _ = shell.link().sent();
    let _ = shell.update(Message::Dropped("/tmp/a.png".into()));
    assert_eq!(shell.link().sent(), [], "a dialog has the keyboard");
}

#[test]
fn an_export_that_is_done_closes_no_other_question() {
    let mut shell = shell("grid");
    let _ = shell.update(Message::Command(Id::Export));
    let _ = apply(&mut shell, named(key::Named::Escape));
    let _ = shell.update(Message::Command(Id::ClearHistory));
    let _ = shell.update(Message::Exported(Ok("/tmp/a.txt".into())));
    assert!(shows(&shell, "Clear the history of api?"));
}

#[test]
fn a_paste_into_a_terminal_that_is_gone_is_told() {
    let mut shell = shell("grid");
    let _ = shell.update(Message::Pasted(HERE, Some("one\ntwo\n".to_owned())));
    let _ = shell.update(Message::AskSeen);
    shell.hear(HostEvent::TerminalClosed(HERE));
    let _ = shell.link().sent();
    let pasted = sent(&mut shell, named(key::Named::Enter));
    assert!(!pasted.iter().any(|input| matches!(input, Input::Paste(_))), "{pasted:?}");
    assert!(shows(&shell, "Nothing was pasted: the terminal is gone."));
}

#[test]
fn a_link_asks_before_it_is_opened() {
    let mut shell = shell("grid");
    let target = super::target::Target::Web {
        url: "https://docs.rs/iced".to_owned(),
        host: "docs.rs".to_owned(),
    };
    let _ = shell.update(Message::Examined(Some(target)));
    assert!(shows(&shell, "Open a page of docs.rs?"));
    assert!(shows(&shell, "https://docs.rs/iced"));
    let _ = apply(&mut shell, named(key::Named::Escape));
    assert!(!shows(&shell, "Open a page of docs.rs?"));
    assert_eq!(shell.keyboard(), "terminal-t1");
}

#[test]
fn lines_are_shown_before_they_are_pasted_where_they_would_run() {
    let mut shell = shell("grid");
    let paste = |text: &str| Message::Pasted(HERE, Some(text.to_owned()));
    let pastes = |shell: &Shell| {
        let sent = shell.link().sent().into_iter();
        sent.filter(|(_, input)| matches!(input, Input::Paste(_))).count()
    };
    shell.reframe(HERE, |frame| frame.modes.bracketed_paste = true);
    let _ = shell.update(paste("one\ntwo"));
    assert_eq!(pastes(&shell), 1, "an agent takes a paste as one");
    shell.reframe(HERE, |frame| frame.modes.bracketed_paste = false);
    let _ = shell.update(paste("one\ntwo\n"));
    assert_eq!(pastes(&shell), 0);
    assert!(shows(&shell, "Paste 2 lines into api?"));
    let typed_on = sent(&mut shell, named(key::Named::Enter));
    assert_eq!(typed_on, [], "a key on its way to the terminal was taken for an answer");
    let _ = shell.update(Message::AskSeen);
    let one_line = apply(&mut shell, named(key::Named::ArrowDown));
    assert_eq!(one_line.len(), 1);
    let pasted = sent(&mut shell, named(key::Named::Enter));
    assert_eq!(pasted, [Input::Paste("one two".to_owned())]);
    assert!(!shows(&shell, "Paste 2 lines into api?"));

    let _ = shell.update(paste("one\ntwo\n"));
    let _ = shell.update(Message::AskSeen);
    let _ = apply(&mut shell, named(key::Named::ArrowUp));
    let _ = apply(&mut shell, named(key::Named::Enter));
    let _ = shell.link().sent();
    let _ = shell.update(paste("three\nfour\n"));
    assert_eq!(pastes(&shell), 1, "asked again although it was not wanted");
}

#[test]
fn what_is_dropped_becomes_a_word() {
    let mut shell = shell("grid");
    let _ = shell.update(Message::Dropping(true));
    assert!(shows(&shell, "Let go to insert the file's name"));
    let _ = shell.link().sent();
    let _ = shell.update(Message::Dropped("/tmp/two words.png".into()));
    assert_eq!(shell.link().sent(), [(HERE, Input::Paste("'/tmp/two words.png' ".to_owned()))]);
    assert!(!shows(&shell, "Let go to insert the file's name"));
}

#[test]
fn a_program_that_has_to_ask_for_the_clipboard_takes_no_key() {
    use maestro_core::agent::Clipboard;
    let mut shell = shell("grid");
    let text = "x".repeat(34);
    shell.hear(HostEvent::Clipboard { terminal: HERE, text, policy: Clipboard::Ask });
    assert_eq!(shell.keyboard(), "terminal-t1", "a program took the keyboard");
    assert!(shows(&shell, "Wants to copy 34 characters"));
    let _ = apply(&mut shell, ctrl_shift("y"));
    assert!(shows(&shell, "api wants to put this into the clipboard"));
    let refuse = super::ask::Deed::SetClipboard(AgentId(1), Clipboard::Deny);
    let commands = {
        let _ = shell.link().asked();
        for _ in 0..3 {
            let _ = apply(&mut shell, named(key::Named::ArrowDown));
        }
        let _ = apply(&mut shell, named(key::Named::Enter));
        shell.link().asked()
    };
    let expected = Command::SetClipboard { agent: AgentId(1), clipboard: Clipboard::Deny };
    assert!(commands.contains(&expected), "{refuse:?}: {commands:?}");
    assert!(!shows(&shell, "Wants to copy 34 characters"));
}

#[test]
fn a_bell_stays_until_it_is_looked_at() {
    let mut shell = shell("grid");
    let _ = shell.update(Message::Looked(true));
    shell.hear(HostEvent::Bell(HERE));
    assert!(!shell.rings(HERE), "one looks at it already");
    let other = TerminalId(2);
    shell.hear(HostEvent::Bell(other));
    assert!(shell.rings(other));
    let _ = shell.update(Message::Looked(false));
    let _ = shell.update(Message::Command(Id::FocusRight));
    assert!(shell.rings(other), "nobody looks at the window");
    let _ = shell.update(Message::Looked(true));
    assert!(!shell.rings(other));
}

#[test]
fn a_viewport_that_holds_says_what_it_misses() {
    let mut shell = shell("output");
    assert!(shows(&shell, "128 new lines ↓  Ctrl ⇧ End"));
    assert!(shows(&shell, "Holds ↓"));
    let _ = shell.link().sent();
    click(&mut shell, "128 new lines ↓  Ctrl ⇧ End");
    assert!(shell.link().sent().contains(&(HERE, Input::Scroll(ScrollTo::Bottom))));
}

#[test]
fn forgetting_a_history_is_asked_about() {
    let mut shell = shell("grid");
    assert!(asked(&mut shell, Message::Command(Id::ClearHistory)).is_empty());
    assert!(shows(&shell, "Clear the history of api?"));
    let _ = shell.link().asked();
    let _ = apply(&mut shell, named(key::Named::Enter));
    let expected = Command::ClearTerminal { terminal: HERE, history: true };
    assert!(shell.link().asked().contains(&expected));
}

#[test]
fn an_export_that_fails_keeps_what_was_typed() {
    let mut shell = shell("export");
    assert_eq!(shell.keyboard(), "ask-input");
    let _ = shell.update(Message::Exported(Err("there is such a file".to_owned())));
    assert!(shows(&shell, "There is such a file."));
    let _ = shell.update(Message::Exported(Ok("/tmp/a.txt".into())));
    assert!(!shows(&shell, "Export api"));
    assert!(shows(&shell, "/tmp/a.txt"));
}

#[test]
fn a_pane_has_a_text_size_of_its_own() {
    let mut shell = shell("grid");
    let before = shell.type_sizes();
    let _ = apply(&mut shell, ctrl("="));
    let now = shell.type_sizes();
    assert!(now[0] > before[0] && now[1..] == before[1..], "{before:?} {now:?}");
    let _ = apply(&mut shell, press(Key::Character("=".into()), Modifiers::CTRL | Modifiers::ALT));
    assert!(shell.type_sizes()[1] > now[1]);
    let _ = apply(&mut shell, press(Key::Character("0".into()), Modifiers::CTRL | Modifiers::ALT));
    assert_eq!(shell.type_sizes(), before);
}

#[test]
fn what_drawing_costs_is_counted_only_while_it_is_shown() {
    let mut shell = shell("grid");
    assert!(asked(&mut shell, Message::DebugTicked(0)).is_empty());
    let chord = Modifiers::CTRL | Modifiers::SHIFT;
    let _ = apply(&mut shell, press(Key::Named(key::Named::F12), chord));
    assert_eq!(asked(&mut shell, Message::DebugTicked(500)), [Command::TerminalStats]);
    assert!(shows(&shell, "counting"));
}

#[test]
fn settings_that_cannot_be_read_change_nothing() {
    let mut shell = shell("grid");
    let mut content = maestro_engine::settings::Content::default();
    let contrast = maestro_core::settings::find("terminal.minimum_contrast").expect("a setting");
    content.values.set(contrast, None, maestro_core::settings::Value::Number(7.0));
    let _ = shell.update(Message::SettingsRead(Ok(content)));
    let problem = maestro_engine::settings::Problem {
        path: "/home/ada/settings.toml".into(),
        line: Some(3),
        why: "minimum_contrast is a number from 1 to 21".to_owned(),
    };
    let _ = shell.update(Message::SettingsRead(Err(problem)));
    assert!(shows(&shell, "Settings are not read"));
    assert!((shell.minimum_contrast() - 7.0).abs() < f32::EPSILON);
    let _ = shell.update(Message::SettingsRead(Ok(Default::default())));
    assert!(!shows(&shell, "Settings are not read"));
}

#[test]
fn dialogs_fit_into_the_smallest_window() {
    font::load();
    let size = Size::new(640.0, 300.0);
    for name in ["paste", "new-agent", "clipboard"] {
        let shell = Shell::scene(name, size, 1.0, &theme::NOCTURNE).expect("a scene");
        let settings = Settings { default_font: font::REGULAR, ..Settings::default() };
        let mut simulator = Simulator::with_size(settings, size, shell.screen());
        let cancel = simulator.find("Cancel").expect("a way out");
        let bottom = simulator.find("Cancel").map(|_| cancel.bounds().y).unwrap_or_default();
        // It is below the edge, or near it, and the wheel brings it into sight.
        simulator.point_at(Point::new(320.0, 150.0));
        let delta = mouse::ScrollDelta::Pixels { x: 0.0, y: -2000.0 };
        let _ = simulator.simulate([Event::Mouse(mouse::Event::WheelScrolled { delta })]);
        let cancel = simulator.find("Cancel").expect("a way out");
        let seen = cancel.visible_bounds().expect("in sight");
        assert!(seen.y + seen.height <= size.height, "{name}: {bottom} {seen:?}");
    }
}

#[test]
fn every_context_is_one_a_window_can_be_in() {
    for (name, expected) in [
        ("grid", Context::Terminal),
        ("palette", Context::Palette),
        ("paste", Context::Overlay),
        ("search", Context::Search),
        ("hints", Context::Hints),
        ("vi", Context::Vi),
        ("empty", Context::Main),
    ] {
        assert_eq!(shell(name).context_for_tests(), expected, "{name}");
    }
}

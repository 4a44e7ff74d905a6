//! Screens as a user meets them: keys and clicks go in, messages come out, the next screen is looked at.

use iced::keyboard::{self, Key, Location, Modifiers, key};
use iced::{Event, Point, Settings, Size, mouse};
use iced_test::Simulator;
use maestro_core::command::Id;
use maestro_ui::font;
use maestro_ui::theme::{self, Tokens};

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
fn an_empty_window_says_what_to_do() {
    let mut shell = shell("empty");
    assert!(shows(&shell, "Bring in your first agent"));
    assert!(shows(&shell, "Ctrl N"));
    assert!(!shows(&shell, "Create agent"));
    let _ = apply(&mut shell, named(key::Named::Enter));
    assert!(shows(&shell, "Create agent"));
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
    for (to, back) in [(key::Named::F6, key::Named::F6), (key::Named::F6, key::Named::Escape)] {
        let _ = apply(&mut shell, named(to));
        assert_eq!(shell.keyboard(), "nobody", "a terminal still has the keyboard");
        let _ = apply(&mut shell, named(back));
        assert_eq!(shell.keyboard(), "terminal-t1", "{back:?}");
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
        let dimmed = matches!(name, "palette" | "new-agent" | "rename");
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

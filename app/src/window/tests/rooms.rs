//! Layouts, as one goes through them by commands.

use maestro_core::layout::{Direction, Kind, Rect};

use super::*;
use crate::window::panes::Pane;

fn command(shell: &mut Shell, id: Id) {
    let _ = shell.update(Message::Command(id));
}

fn agent(id: u64) -> Pane {
    Pane::Agent(AgentId(id))
}

/// Where a pane is, while it is shown.
fn place(shell: &Shell, pane: Pane) -> Option<Rect> {
    let plan = shell.plan_for_tests();
    plan.shown.into_iter().find(|(own, _)| *own == pane).map(|(_, place)| place)
}

#[test]
fn every_layout_shows_or_names_every_pane() {
    let mut shell = shell("grid");
    let all = shell.plan_for_tests().shown.len();
    assert!(all > 2);
    for (id, shown, named) in [
        // A fourth column would be too narrow to read.
        (Id::LayoutColumns, 3, all - 3),
        (Id::LayoutRows, all, 0),
        (Id::LayoutMain, all, 0),
        (Id::LayoutStrip, 1, all - 1),
        (Id::LayoutFocus, 1, 0),
        (Id::LayoutFree, all, 0),
        (Id::LayoutAuto, all, 0),
    ] {
        command(&mut shell, id);
        let plan = shell.plan_for_tests();
        assert_eq!((plan.shown.len(), plan.rest.len()), (shown, named), "{id}");
    }
    command(&mut shell, Id::LayoutGrid);
    assert!(shows(&shell, "Panes in columns and rows"));
    let say = |text: &str| Message::Prompt(super::super::prompt::Message::Edited(text.to_owned()));
    let _ = shell.update(say("2 by 1"));
    let _ = apply(&mut shell, named(key::Named::Enter));
    assert!(shows(&shell, "Panes in columns and rows"), "it stays open and says what it wants");
    let _ = shell.update(say("2x1"));
    let _ = apply(&mut shell, named(key::Named::Enter));
    let plan = shell.plan_for_tests();
    assert_eq!((plan.shown.len(), plan.rest.len()), (2, all - 2));
}

#[test]
fn a_pane_in_the_strip_comes_by_key_and_by_mouse() {
    let mut shell = shell("strip");
    assert!(place(&shell, agent(1)).is_some() && place(&shell, agent(2)).is_none());
    command(&mut shell, Id::FocusRight);
    assert!(place(&shell, agent(1)).is_none(), "it has gone into the strip");
    command(&mut shell, Id::FocusLeft);
    assert!(place(&shell, agent(1)).is_some());
    command(&mut shell, Id::AgentsRail);
    click(&mut shell, "web");
    assert!(place(&shell, agent(2)).is_some(), "its name was pressed");
}

#[test]
fn panes_are_resized_and_moved_by_keys() {
    let mut shell = shell("grid");
    command(&mut shell, Id::LayoutColumns);
    let before = place(&shell, agent(1)).expect("shown");
    command(&mut shell, Id::PaneResize(Direction::Right));
    let wider = place(&shell, agent(1)).expect("shown");
    assert!(wider.width > before.width + 20.0, "{wider:?}");
    assert_eq!(shell.layout_for_tests(), Kind::Free.to_string(), "it is the user's own layout now");
    let other = place(&shell, agent(2)).expect("shown");
    command(&mut shell, Id::PaneSwap(Direction::Right));
    assert_eq!(place(&shell, agent(1)), Some(other));
    assert_eq!(place(&shell, agent(2)), Some(wider));
    command(&mut shell, Id::PaneMove(Direction::Left));
    let (one, two) = (place(&shell, agent(1)), place(&shell, agent(2)));
    let (one, two) = (one.expect("shown"), two.expect("shown"));
    assert!(one.x == two.x && one.y > two.y, "it is below the pane at whose side it was");
    command(&mut shell, Id::LayoutColumns);
    command(&mut shell, Id::LayoutFree);
    assert_eq!(place(&shell, agent(1)), Some(one), "the user's own layout is remembered");
    for _ in 0..200 {
        command(&mut shell, Id::PaneResize(Direction::Up));
    }
    let least = place(&shell, agent(2)).expect("still shown");
    command(&mut shell, Id::PaneResize(Direction::Down));
    assert!(
        place(&shell, agent(2)).expect("shown").height > least.height,
        "one key back is enough"
    );
}

#[test]
fn an_agent_that_comes_or_goes_leaves_the_others_where_they_are() {
    let mut shell = shell("tiles");
    let gone = place(&shell, agent(2)).expect("shown");
    let kept = place(&shell, agent(1)).expect("shown");
    command(&mut shell, Id::FocusNumber(1));
    let news = |event| super::super::link::News::Event { seq: 1000, event };
    shell.hear_news(news(HostEvent::AgentRemoved(AgentId(2))));
    assert_eq!(place(&shell, agent(2)), None);
    let all = shell.plan_for_tests();
    assert!(all.rest.is_empty() && !all.shown.is_empty());
    let (now, was) = (place(&shell, agent(1)).expect("shown"), kept);
    let grown = now.width * now.height >= was.width * was.height;
    assert!(grown && gone.width > 0.0, "its neighbours have its place");
}

fn panes(shell: &Shell) -> Vec<Pane> {
    shell.plan_for_tests().shown.into_iter().map(|(pane, _)| pane).collect()
}

fn save(shell: &mut Shell, name: &str) {
    command(shell, Id::WorkspaceSave);
    assert!(shows(shell, "Save as workspace"));
    let _ = shell.update(Message::Prompt(super::super::prompt::Message::Edited(name.to_owned())));
    let _ = apply(shell, named(key::Named::Enter));
}

#[test]
fn a_workspace_brings_its_panes_and_its_layout_back() {
    let mut shell = shell("grid");
    let everything = panes(&shell);
    save(&mut shell, "All\u{202e} of it");
    assert!(!shows(&shell, "Save as workspace"), "it is saved");
    command(&mut shell, Id::LayoutColumns);
    command(&mut shell, Id::PaneResize(Direction::Right));
    command(&mut shell, Id::PaneClose);
    let two = shell.plan_for_tests();
    save(&mut shell, "Two");
    command(&mut shell, Id::WorkspaceNumber(1));
    assert_eq!(panes(&shell), everything);
    assert_eq!(shell.layout_for_tests(), Kind::Automatic.to_string());
    command(&mut shell, Id::WorkspaceNext);
    assert_eq!(shell.plan_for_tests(), two, "to the pixel");
    command(&mut shell, Id::WorkspaceNumber(9));
    assert_eq!(shell.plan_for_tests(), two, "there is none");
    save(&mut shell, " \u{1b} ");
    assert!(shows(&shell, "A workspace needs a name."));
    command(&mut shell, Id::OverlayCancel);
    command(&mut shell, Id::PanesAll);
    assert!(panes(&shell).len() > everything.len(), "agents of no workspace, too");
    command(&mut shell, Id::WorkspacesGo);
    let _ = apply(&mut shell, named(key::Named::Enter));
    assert_eq!(panes(&shell), everything, "the palette lists them, too");
}

#[test]
fn a_workspace_goes_on_without_agents_that_are_gone() {
    let mut shell = shell("grid");
    save(&mut shell, "Both");
    let gone = panes(&shell)[0];
    let Pane::Agent(id) = gone else { panic!("an agent") };
    let event = HostEvent::AgentRemoved(id);
    shell.hear_news(super::super::link::News::Event { seq: 1000, event });
    command(&mut shell, Id::LayoutRows);
    command(&mut shell, Id::WorkspaceNumber(1));
    assert!(!panes(&shell).contains(&gone) && !panes(&shell).is_empty());
    let of = |value: &str| HostEvent::Preference {
        key: "workspaces".to_owned(),
        value: Some(value.to_owned()),
    };
    let told = [
        (1001, r#"[{"name":"Ghosts","layout":"spiral","panes":[{"Agent":999}]}]"#),
        (1002, r#"[{"name":"Later","layout":"spiral","tree":{"Spiral":3},"panes":[{"Agent":2}]}]"#),
        (1003, "not a list"),
    ];
    for (seq, value) in told {
        let before = panes(&shell);
        shell.hear_news(super::super::link::News::Event { seq, event: of(value) });
        command(&mut shell, Id::WorkspaceNumber(1));
        assert_eq!(panes(&shell), before, "{value}");
    }
}

/// What went to which terminal since the last time, as far as it was typed or pasted.
fn heard(shell: &Shell) -> Vec<(TerminalId, Input)> {
    let typed = |input: &Input| matches!(input, Input::Key(_) | Input::Text(_) | Input::Paste(_));
    shell.link().sent().into_iter().filter(|(_, input)| typed(input)).collect()
}

#[test]
fn what_is_typed_goes_to_the_chosen_panes_until_escape() {
    let mut shell = shell("grid");
    let (api, web) = (TerminalId(1), TerminalId(2));
    // A window that is drawn anew has the keyboard where it should be.
    let to = |shell: &mut Shell| {
        let taken = std::mem::replace(shell, super::shell("empty"));
        let mut live = order::Live::new(taken);
        let _ = live.shell.link().sent();
        let _ = live.handle(&[typed("a")]);
        *shell = live.shell;
        heard(shell).into_iter().map(|(terminal, _)| terminal).collect::<Vec<_>>()
    };
    command(&mut shell, Id::FocusNumber(1));
    command(&mut shell, Id::BroadcastPane);
    assert_eq!(to(&mut shell), [api], "one pane alone");
    command(&mut shell, Id::FocusNumber(2));
    assert_eq!(to(&mut shell), [web], "it was not chosen");
    command(&mut shell, Id::BroadcastPane);
    assert!(shows(&shell, "broadcast") && shows(&shell, "Typing goes to 2 panes"));
    let mut both = to(&mut shell);
    both.sort();
    assert_eq!(both, [api, web]);
    assert_eq!(shell.context_for_tests(), Context::Broadcast);
    command(&mut shell, Id::PaneMaximise);
    assert_eq!(to(&mut shell), [web], "who is not seen hears nothing");
    command(&mut shell, Id::PaneMaximise);

    let paste = |text: &str| Message::Pasted(web, Some(text.to_owned()));
    let _ = shell.link().sent();
    let _ = shell.update(paste("one"));
    assert_eq!(heard(&shell).len(), 2);
    let _ = apply(&mut shell, named(key::Named::Escape));
    assert!(heard(&shell).is_empty(), "it ends the broadcast and interrupts nobody");
    assert!(!shows(&shell, "Typing goes to 2 panes"));
    assert_eq!(to(&mut shell), [web]);
}

#[test]
fn a_paste_of_several_lines_is_asked_about_once_for_all() {
    let mut shell = shell("grid");
    command(&mut shell, Id::BroadcastAll);
    let terminal = shell.focused_terminal_for_tests().expect("a terminal");
    let _ = shell.link().sent();
    let _ = shell.update(Message::Pasted(terminal, Some("ls\nrm -rf x\n".to_owned())));
    assert!(heard(&shell).is_empty());
    assert!(shows(&shell, "Paste 2 lines into 4 panes?"));
    let _ = apply(&mut shell, named(key::Named::Escape));
    assert!(heard(&shell).is_empty());
    let _ = shell.update(Message::Pasted(terminal, Some("ls\nrm -rf x\n".to_owned())));
    let _ = shell.update(Message::AskSeen);
    let _ = apply(&mut shell, named(key::Named::Enter));
    assert_eq!(heard(&shell).len(), 4);
}

#[test]
fn a_small_window_shows_one_pane_that_can_be_read() {
    for (width, height) in [(400.0, 300.0), (520.0, 360.0), (640.0, 400.0)] {
        for id in [Id::LayoutAuto, Id::LayoutColumns, Id::LayoutMain, Id::LayoutFree] {
            let mut shell = shell("grid-many");
            let _ = shell.update(Message::Resized(Size::new(width, height)));
            command(&mut shell, id);
            let plan = shell.plan_for_tests();
            assert!(!plan.shown.is_empty(), "{width}×{height} {id}");
            for (_, place) in &plan.shown {
                assert!(place.width > 250.0 && place.height > 90.0, "{width}×{height} {place:?}");
            }
            let settings = Settings { default_font: font::REGULAR, ..Settings::default() };
            let size = Size::new(width, height);
            let mut simulator = Simulator::with_size(settings, size, shell.screen());
            let _ = simulator.simulate([named(key::Named::Escape)]);
        }
    }
}

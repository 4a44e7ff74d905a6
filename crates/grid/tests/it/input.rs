//! What the user does, and what the host hears of it.

use iced::advanced::input_method;
use iced::advanced::widget::{self, operation};
use iced::keyboard::{self, key};
use iced::{Point, Rectangle, mouse, window};
use maestro_core::input::{Action, Button, Code, Input, MouseKind, ScrollTo, Select, SelectBy};
use maestro_core::screen::{Cell, Extra, Modes};

use crate::stage::{Message, Script, Stage};

fn press(letter: &str, code: key::Code, modifiers: keyboard::Modifiers) -> keyboard::Event {
    keyboard::Event::KeyPressed {
        key: keyboard::Key::Character(letter.into()),
        modified_key: keyboard::Key::Character(letter.into()),
        physical_key: key::Physical::Code(code),
        location: keyboard::Location::Standard,
        modifiers,
        text: Some(letter.into()),
        repeat: false,
    }
}

fn release(letter: &str, code: key::Code) -> keyboard::Event {
    keyboard::Event::KeyReleased {
        key: keyboard::Key::Character(letter.into()),
        modified_key: keyboard::Key::Character(letter.into()),
        physical_key: key::Physical::Code(code),
        location: keyboard::Location::Standard,
        modifiers: keyboard::Modifiers::empty(),
    }
}

const NONE: keyboard::Modifiers = keyboard::Modifiers::empty();
const LEFT: mouse::Button = mouse::Button::Left;

/// A terminal that has drawn once and has the keyboard; nothing told yet.
fn ready(modes: Modes) -> Stage {
    let mut stage = Stage::software(400, 200);
    let mut script = Script::new(40, 8);
    let _ = script.put(0, 0, "hello world", Cell::BLANK);
    script.modes = modes;
    let _ = stage.surface.apply(script.frame());
    stage.focus();
    let _ = stage.frame();
    let _ = stage.told();
    stage
}

fn keys(stage: &Stage) -> Vec<(Code, Action)> {
    let keys = stage.told().into_iter().filter_map(|input| match input {
        Input::Key(key) => Some((key.code, key.action)),
        _ => None,
    });
    keys.collect()
}

#[test]
fn keys_go_to_the_terminal_that_has_the_keyboard() {
    let mut stage = ready(Modes::default());
    assert!(stage.event(press("a", key::Code::KeyA, NONE)).is_empty());
    assert_eq!(keys(&stage), [(Code::Char('a'), Action::Press)]);

    stage.operate(&mut operation::focusable::unfocus::<()>());
    let _ = stage.event(press("a", key::Code::KeyA, NONE));
    assert_eq!(keys(&stage), []);

    stage.focus();
    let _ = stage.event(window::Event::Unfocused);
    let _ = stage.event(press("a", key::Code::KeyA, NONE));
    assert_eq!(keys(&stage), []);
}

#[test]
fn commands_are_left_to_the_application() {
    let mut stage = ready(Modes { key_releases: true, ..Modes::default() });
    let _ = stage.event(press("k", key::Code::KeyK, keyboard::Modifiers::LOGO));
    let _ = stage.event(release("k", key::Code::KeyK));
    assert_eq!(keys(&stage), []);
}

#[test]
fn releases_are_told_only_to_who_wants_them() {
    for wanted in [false, true] {
        let mut stage = ready(Modes { key_releases: wanted, ..Modes::default() });
        let _ = stage.event(press("a", key::Code::KeyA, NONE));
        let _ = stage.event(release("a", key::Code::KeyA));
        let expected = if wanted { 2 } else { 1 };
        assert_eq!(keys(&stage).len(), expected, "wanted: {wanted}");
    }
}

#[test]
fn text_being_composed_swallows_keys() {
    let mut stage = ready(Modes::default());
    let preedit = |text: &str| input_method::Event::Preedit(text.to_owned(), None);
    let _ = stage.event(input_method::Event::Opened);
    let _ = stage.event(press("x", key::Code::KeyX, NONE));
    assert_eq!(keys(&stage).len(), 1);
    let _ = stage.event(preedit("に"));
    let _ = stage.event(press("x", key::Code::KeyX, NONE));
    assert_eq!(keys(&stage), []);
    let _ = stage.event(input_method::Event::Commit("日".to_owned()));
    assert_eq!(stage.told(), [Input::Text("日".to_owned())]);
    let _ = stage.event(press("x", key::Code::KeyX, NONE));
    assert_eq!(keys(&stage).len(), 1);
}

#[test]
fn the_size_and_the_focus_are_told_when_drawn() {
    let mut stage = Stage::software(400, 200);
    stage.focus();
    let _ = stage.frame();
    let told = stage.told();
    let [Input::Resize(size), Input::Focus(true)] = told[..] else { panic!("{told:?}") };
    let width = u32::from(size.cols) * u32::from(size.cell_width);
    let height = u32::from(size.rows) * u32::from(size.cell_height);
    assert!(width <= 388 && width + u32::from(size.cell_width) > 388, "{size:?}");
    assert!(height <= 188 && height + u32::from(size.cell_height) > 188, "{size:?}");
    let _ = stage.frame();
    assert_eq!(stage.told(), []);
    stage.operate(&mut operation::focusable::unfocus::<()>());
    let _ = stage.frame();
    assert_eq!(stage.told(), [Input::Focus(false)]);
}

#[test]
fn another_terminal_in_the_same_place_hears_its_size_and_focus() {
    let mut stage = ready(Modes::default());
    stage.surface = maestro_grid::Surface::new(&maestro_grid::Clock::new());
    let _ = stage.frame();
    let told = stage.told();
    assert!(matches!(told[..], [Input::Resize(_), Input::Focus(true)]), "{told:?}");
    stage.surface.reset();
    let _ = stage.frame();
    let told = stage.told();
    assert!(matches!(told[..], [Input::Resize(_), Input::Focus(true)]), "{told:?}");
}

#[test]
fn a_button_goes_down_where_the_pointer_was_then() {
    let mut stage = ready(Modes::default());
    let at = |col: f32| Point::new(6.0 + (col + 0.2) * 8.0, 12.0);
    stage.pointer = at(17.0);
    let _ = stage.event(mouse::Event::CursorMoved { position: stage.pointer });
    // Both are handed over at once, with the place where the motion led.
    stage.pointer = at(11.0);
    let moved = mouse::Event::CursorMoved { position: stage.pointer };
    let pressed = mouse::Event::ButtonPressed(LEFT);
    let _ = stage.events(&[iced::Event::Mouse(pressed), iced::Event::Mouse(moved)]);
    let begins = stage.told().into_iter().find_map(|input| match input {
        Input::Select(Select::Start { col, .. }) => Some(col),
        _ => None,
    });
    assert_eq!(begins, Some(17));
}

#[test]
fn a_click_takes_the_keyboard_and_a_drag_selects() {
    let mut stage = ready(Modes::default());
    stage.operate(&mut operation::focusable::unfocus::<()>());
    // Padding of 6, cells of 8 by 18 or 19: the third column of the first row.
    stage.pointer = Point::new(6.0 + 2.0 * 8.0 + 6.0, 12.0);
    let messages = stage.event(mouse::Event::ButtonPressed(LEFT));
    assert_eq!(messages, [Message::Focused]);
    stage.pointer = Point::new(6.0 + 7.0 * 8.0 + 1.0, 12.0);
    let _ = stage.event(mouse::Event::CursorMoved { position: stage.pointer });
    let _ = stage.event(mouse::Event::CursorMoved { position: stage.pointer });
    assert_eq!(stage.event(mouse::Event::ButtonReleased(LEFT)), [Message::Selected]);
    let selects: Vec<_> =
        stage.told().into_iter().filter(|input| matches!(input, Input::Select(_))).collect();
    assert_eq!(
        selects,
        [
            Input::Select(Select::Start { row: 0, col: 2, right_half: true, by: SelectBy::Cell }),
            Input::Select(Select::Update { row: 0, col: 7, right_half: false }),
        ]
    );
}

#[test]
fn clicks_in_a_row_select_words_and_lines() {
    let mut stage = ready(Modes::default());
    stage.pointer = Point::new(20.0, 12.0);
    let mut by = Vec::new();
    for _ in 0..3 {
        let _ = stage.event(mouse::Event::ButtonPressed(LEFT));
        let _ = stage.event(mouse::Event::ButtonReleased(LEFT));
        by.extend(stage.told().into_iter().filter_map(|input| match input {
            Input::Select(Select::Start { by, .. }) => Some(by),
            _ => None,
        }));
    }
    assert_eq!(by, [SelectBy::Cell, SelectBy::Word, SelectBy::Line]);

    for held in [keyboard::Modifiers::ALT, keyboard::Modifiers::CTRL] {
        let mut stage = ready(Modes::default());
        stage.pointer = Point::new(20.0, 12.0);
        let _ = stage.event(keyboard::Event::ModifiersChanged(held));
        let _ = stage.event(mouse::Event::ButtonPressed(LEFT));
        let told = stage.told();
        assert!(
            matches!(told[..], [Input::Select(Select::Start { by: SelectBy::Block, .. })]),
            "{told:?}"
        );
    }
}

#[test]
fn a_drag_beyond_an_edge_keeps_scrolling() {
    let mut stage = ready(Modes::default());
    stage.pointer = Point::new(20.0, 12.0);
    let _ = stage.event(mouse::Event::ButtonPressed(LEFT));
    let _ = stage.told();
    stage.pointer = Point::new(20.0, -40.0);
    let _ = stage.event(mouse::Event::CursorMoved { position: stage.pointer });
    let told = stage.told();
    let [Input::Select(Select::Update { row, .. })] = told[..] else { panic!("{told:?}") };
    assert!(row < 0, "{row}");
    // The pointer rests, time goes on: frame after frame until the next step is due.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while stage.inputs.borrow().is_empty() {
        assert!(std::time::Instant::now() < deadline, "nothing scrolled");
        std::thread::yield_now();
        let _ = stage.frame();
    }
}

#[test]
fn the_mouse_belongs_to_who_asked_for_it_unless_shift_is_held() {
    let mut stage = ready(Modes { mouse: true, mouse_motion: true, ..Modes::default() });
    stage.pointer = Point::new(20.0, 12.0);
    let kinds = |stage: &Stage| {
        let told = stage.told().into_iter();
        let kinds = told.filter_map(|input| match input {
            Input::Mouse(mouse) => Some((mouse.kind, mouse.row, mouse.col)),
            _ => None,
        });
        kinds.collect::<Vec<_>>()
    };
    let moved = mouse::Event::CursorMoved { position: stage.pointer };
    let _ = stage.event(moved);
    let _ = stage.event(moved);
    let _ = stage.event(mouse::Event::ButtonPressed(LEFT));
    let _ = stage.event(mouse::Event::ButtonReleased(LEFT));
    assert_eq!(
        kinds(&stage),
        [
            (MouseKind::Move(None), 0, 1),
            (MouseKind::Press(Button::Left), 0, 1),
            (MouseKind::Release(Button::Left), 0, 1),
        ]
    );
    let _ = stage.event(keyboard::Event::ModifiersChanged(keyboard::Modifiers::SHIFT));
    let _ = stage.event(mouse::Event::ButtonPressed(LEFT));
    assert!(matches!(stage.told()[..], [Input::Select(Select::Start { .. })]));
}

#[test]
fn the_wheel_scrolls_or_is_told() {
    let wheel = |y| mouse::Event::WheelScrolled { delta: mouse::ScrollDelta::Lines { x: 0.0, y } };
    let mut stage = ready(Modes::default());
    stage.pointer = Point::new(20.0, 12.0);
    let _ = stage.event(wheel(1.0));
    assert_eq!(stage.told(), [Input::Scroll(ScrollTo::Lines(3))]);
    let _ = stage.event(wheel(-0.2));
    assert_eq!(stage.told(), []);
    let _ = stage.event(wheel(-0.2));
    assert_eq!(stage.told(), [Input::Scroll(ScrollTo::Lines(-1))]);

    // A program that listens to the mouse counts notches itself; one that gets arrow keys does not.
    for (modes, lines) in [
        (Modes { mouse: true, ..Modes::default() }, 1),
        (Modes { alt_screen: true, ..Modes::default() }, 3),
    ] {
        let mut stage = ready(modes);
        stage.pointer = Point::new(20.0, 12.0);
        let _ = stage.event(wheel(1.0));
        let told = stage.told();
        let [Input::Mouse(mouse)] = told[..] else { panic!("{told:?}") };
        assert_eq!(mouse.kind, MouseKind::Wheel { lines, columns: 0 });
    }

    // A touchpad tells pixels: a row's height of them is a row, and sideways it is columns.
    let mut stage = ready(Modes { mouse: true, ..Modes::default() });
    stage.pointer = Point::new(20.0, 12.0);
    let pixels = mouse::ScrollDelta::Pixels { x: 17.0, y: 11.0 };
    let _ = stage.event(mouse::Event::WheelScrolled { delta: pixels });
    let _ = stage.event(mouse::Event::WheelScrolled { delta: pixels });
    let wheels: Vec<_> = stage
        .told()
        .into_iter()
        .map(|input| match input {
            Input::Mouse(mouse) => mouse.kind,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        wheels,
        [MouseKind::Wheel { lines: 0, columns: 2 }, MouseKind::Wheel { lines: 1, columns: 2 }]
    );
}

#[test]
fn the_child_hears_where_the_mouse_is_to_the_pixel() {
    for (mouse_pixels, told) in [(true, 3), (false, 1)] {
        let modes = Modes { mouse: true, mouse_motion: true, mouse_pixels, ..Modes::default() };
        let mut stage = ready(modes);
        for x in [6.0 + 8.0 * 2.0, 6.0 + 8.0 * 2.0 + 3.0, 6.0 + 8.0 * 2.0 + 4.0] {
            stage.pointer = Point::new(x, 6.0 + 5.0);
            let _ = stage.event(mouse::Event::CursorMoved { position: stage.pointer });
        }
        let places: Vec<_> = stage
            .told()
            .into_iter()
            .filter_map(|input| match input {
                Input::Mouse(mouse) => Some((mouse.col, mouse.x, mouse.y)),
                _ => None,
            })
            .collect();
        assert_eq!(places, [(2, 16, 5), (2, 19, 5), (2, 20, 5)][..told]);
    }
}

#[test]
fn every_button_that_went_down_goes_up() {
    let mut stage = ready(Modes { mouse: true, ..Modes::default() });
    stage.pointer = Point::new(20.0, 12.0);
    let right = mouse::Button::Right;
    let _ = stage.event(mouse::Event::ButtonPressed(LEFT));
    let _ = stage.event(mouse::Event::ButtonPressed(right));
    let _ = stage.event(mouse::Event::ButtonReleased(LEFT));
    // Shift makes the mouse the user's, but not what the child knows of already.
    let _ = stage.event(keyboard::Event::ModifiersChanged(keyboard::Modifiers::SHIFT));
    let _ = stage.event(mouse::Event::ButtonReleased(right));
    let kinds: Vec<_> = stage
        .told()
        .into_iter()
        .filter_map(|input| match input {
            Input::Mouse(mouse) => Some(mouse.kind),
            _ => None,
        })
        .collect();
    assert_eq!(
        kinds,
        [
            MouseKind::Press(Button::Left),
            MouseKind::Press(Button::Right),
            MouseKind::Release(Button::Left),
            MouseKind::Release(Button::Right),
        ]
    );
}

/// A terminal with a link of the program's own and an address.
fn linked(modes: Modes) -> Stage {
    let stage = ready(modes);
    let mut script = Script::new(40, 8);
    let link = Extra { underline: None, link: Some("https://example.org".to_owned()) };
    let extra = script.extra(0, link);
    let _ = script.put(0, 0, "link", Cell { extra, ..Cell::BLANK }).put(
        1,
        0,
        "https://a.b/c",
        Cell::BLANK,
    );
    script.modes = modes;
    let _ = stage.surface.apply(script.frame());
    stage
}

fn holds(stage: &mut Stage, modifiers: keyboard::Modifiers) {
    let _ = stage.event(keyboard::Event::ModifiersChanged(modifiers));
}

fn followed(messages: Vec<Message>) -> Vec<String> {
    let links = messages.into_iter().filter_map(|message| match message {
        Message::Link(link) => Some(link.target),
        _ => None,
    });
    links.collect()
}

#[test]
fn links_are_followed_with_ctrl_only() {
    use keyboard::Modifiers as Held;
    let mouse = Modes { mouse: true, ..Modes::default() };
    for (modes, held, expected) in [
        (Modes::default(), NONE, None),
        (Modes::default(), Held::CTRL, Some("https://example.org")),
        (mouse, Held::CTRL, None),
        (mouse, Held::CTRL | Held::SHIFT, Some("https://example.org")),
    ] {
        let mut stage = linked(modes);
        stage.pointer = Point::new(10.0, 12.0);
        holds(&mut stage, held);
        let _ = stage.event(mouse::Event::ButtonPressed(LEFT));
        let links = followed(stage.event(mouse::Event::ButtonReleased(LEFT)));
        assert_eq!(links.first().map(String::as_str), expected, "{modes:?} {held:?}");
        assert_eq!(stage.told().is_empty(), expected.is_some(), "{modes:?} {held:?}");
    }
    let mut stage = linked(Modes::default());
    stage.pointer = Point::new(30.0, 30.0);
    holds(&mut stage, Held::CTRL);
    let _ = stage.event(mouse::Event::ButtonPressed(LEFT));
    let links = followed(stage.event(mouse::Event::ButtonReleased(LEFT)));
    assert_eq!(links, ["https://a.b/c"]);
}

#[test]
fn a_link_that_is_dragged_is_selected_as_a_block() {
    let mut stage = linked(Modes::default());
    stage.pointer = Point::new(10.0, 12.0);
    holds(&mut stage, keyboard::Modifiers::CTRL);
    let _ = stage.event(mouse::Event::ButtonPressed(LEFT));
    stage.pointer = Point::new(50.0, 32.0);
    let _ = stage.event(mouse::Event::CursorMoved { position: stage.pointer });
    let messages = stage.event(mouse::Event::ButtonReleased(LEFT));
    assert!(messages.contains(&Message::Selected), "{messages:?}");
    let told = stage.told();
    let [
        Input::Select(Select::Start { row: 0, col: 0, by: SelectBy::Block, .. }),
        Input::Select(Select::Update { row: 1, col: 5, .. }),
    ] = told[..]
    else {
        panic!("{told:?}")
    };
}

#[test]
fn hovering_shows_where_a_link_leads() {
    let mut stage = linked(Modes::default());
    let moved = |stage: &mut Stage, x, y| {
        stage.pointer = Point::new(x, y);
        stage.event(mouse::Event::CursorMoved { position: stage.pointer })
    };
    // The program's own at once; an address in the text only while Ctrl is held.
    let [Message::Hovered(Some(link))] = &moved(&mut stage, 10.0, 12.0)[..] else {
        panic!("no link")
    };
    assert_eq!(link.target, "https://example.org");
    assert_eq!(moved(&mut stage, 14.0, 12.0), []);
    assert_eq!(moved(&mut stage, 14.0, 32.0), [Message::Hovered(None)]);
    let ctrl = keyboard::Event::ModifiersChanged(keyboard::Modifiers::CTRL);
    let [Message::Hovered(Some(link))] = &stage.event(ctrl)[..] else { panic!("no link") };
    assert_eq!(link.target, "https://a.b/c");
    assert_eq!(stage.interaction(), mouse::Interaction::Pointer);
    // What is under a pointer that rests may go away.
    let _ = stage.surface.apply(Script::new(40, 8).frame());
    assert_eq!(stage.frame(), [Message::Hovered(None)]);
}

#[test]
fn the_pointer_has_the_shape_the_child_asked_for() {
    use maestro_core::screen::Pointer;
    for (pointer, mouse, expected) in [
        (Pointer::Default, false, mouse::Interaction::Text),
        (Pointer::Default, true, mouse::Interaction::Idle),
        (Pointer::Hand, true, mouse::Interaction::Pointer),
        (Pointer::Wait, false, mouse::Interaction::Wait),
        (Pointer::ResizeColumns, true, mouse::Interaction::ResizingHorizontally),
    ] {
        let mut stage = ready(Modes::default());
        let mut script = Script::new(40, 8);
        script.pointer = pointer;
        script.modes.mouse = mouse;
        let _ = stage.surface.apply(script.frame());
        stage.pointer = Point::new(20.0, 12.0);
        assert_eq!(stage.interaction(), expected, "{pointer:?}");
        holds(&mut stage, keyboard::Modifiers::SHIFT);
        assert_eq!(stage.interaction(), mouse::Interaction::Text, "{pointer:?}");
    }
}

#[test]
fn the_middle_button_pastes_the_primary_selection() {
    let mut stage = ready(Modes::default());
    stage.pointer = Point::new(20.0, 12.0);
    let middle = mouse::Event::ButtonPressed(mouse::Button::Middle);
    assert_eq!(stage.event(middle), []);
    stage.primary = Some("ls\n".to_owned());
    assert_eq!(stage.event(middle), [Message::Pasted("ls\n".to_owned())]);
    let mut stage = ready(Modes { mouse: true, ..Modes::default() });
    stage.pointer = Point::new(20.0, 12.0);
    stage.primary = Some("ls".to_owned());
    assert_eq!(stage.event(middle), []);
    assert!(matches!(stage.told()[..], [Input::Mouse(_)]));
}

#[test]
fn the_right_button_extends_a_selection() {
    let mut stage = ready(Modes::default());
    stage.pointer = Point::new(50.0, 12.0);
    let _ = stage.event(mouse::Event::ButtonPressed(mouse::Button::Right));
    let messages = stage.event(mouse::Event::ButtonReleased(mouse::Button::Right));
    assert_eq!(messages, [Message::Selected]);
    assert!(matches!(
        stage.told()[..],
        [Input::Select(Select::Update { row: 0, col: 5, right_half: true })]
    ));
}

#[test]
fn a_key_without_a_name_types_its_text() {
    let unknown = |text: &str| keyboard::Event::KeyPressed {
        key: keyboard::Key::Unidentified,
        modified_key: keyboard::Key::Unidentified,
        physical_key: key::Physical::Unidentified(key::NativeCode::Xkb(249)),
        location: keyboard::Location::Standard,
        modifiers: NONE,
        text: Some(text.into()),
        repeat: false,
    };
    let mut stage = ready(Modes::default());
    let _ = stage.event(unknown("👍🏽"));
    assert_eq!(stage.told(), [Input::Text("👍🏽".to_owned())]);
    let _ = stage.event(unknown("👍"));
    let told = stage.told();
    let [Input::Key(key)] = &told[..] else { panic!("{told:?}") };
    assert_eq!((key.code, key.text.as_str()), (Code::Char('👍'), "👍"));
}

#[test]
fn keys_held_when_the_keyboard_leaves_are_released() {
    for wanted in [true, false] {
        let modes = Modes { key_releases: wanted, kitty_keyboard: wanted, ..Modes::default() };
        let mut stage = ready(modes);
        let _ = stage.event(press("a", key::Code::KeyA, NONE));
        let _ = stage.told();
        let _ = stage.event(window::Event::Unfocused);
        let _ = stage.frame();
        let told = stage.told();
        assert_eq!(told.last(), Some(&Input::Focus(false)));
        let released = matches!(&told[0], Input::Key(key) if key.action == Action::Release);
        assert_eq!(released, wanted, "{told:?}");
        let _ = stage.event(window::Event::Focused);
        let _ = stage.event(release("a", key::Code::KeyA));
        assert_eq!(keys(&stage), []);
    }
}

#[test]
fn in_vi_mode_the_child_hears_nothing() {
    let modes = Modes { vi: true, mouse: true, key_releases: true, ..Modes::default() };
    let mut stage = ready(modes);
    let _ = stage.event(press("x", key::Code::KeyX, NONE));
    let _ = stage.event(release("x", key::Code::KeyX));
    let _ = stage.event(input_method::Event::Commit("日".to_owned()));
    assert_eq!(stage.told(), []);
    stage.pointer = Point::new(20.0, 12.0);
    let _ = stage.event(mouse::Event::ButtonPressed(LEFT));
    assert!(matches!(stage.told()[..], [Input::Select(_)]));
}

#[test]
fn visible_text_is_told_row_by_row() {
    #[derive(Default)]
    struct Texts(Vec<String>);

    impl widget::Operation for Texts {
        fn traverse(&mut self, operate: &mut dyn FnMut(&mut dyn widget::Operation)) {
            operate(self);
        }

        fn text(&mut self, _id: Option<&widget::Id>, _bounds: Rectangle, text: &str) {
            self.0.push(text.to_owned());
        }
    }

    let mut stage = ready(Modes::default());
    let mut texts = Texts::default();
    stage.operate(&mut texts);
    assert_eq!(texts.0[0], "hello world");
    assert_eq!(texts.0.len(), 8);
}

#[test]
fn a_terminal_at_rest_asks_for_no_frame() {
    use iced::window::RedrawRequest;
    use maestro_core::screen::{Cursor, CursorShape};

    for (blinking, focused) in [(false, false), (false, true), (true, false), (true, true)] {
        let mut stage = ready(Modes::default());
        let mut script = Script::new(48, 9);
        script.cursor = Some(Cursor { row: 0, col: 0, shape: CursorShape::Block, blinking });
        let _ = stage.surface.apply(script.frame());
        if !focused {
            stage.operate(&mut operation::focusable::unfocus::<()>());
        }
        // The size was laid out and told; nothing else is waited for.
        let request = stage.redraw_request();
        if blinking && focused {
            assert!(matches!(request, RedrawRequest::At(_)), "{request:?}");
        } else {
            assert_eq!(request, RedrawRequest::Wait, "blinking {blinking}, focused {focused}");
        }
    }
}

#[test]
fn a_clock_asks_once_and_makes_no_message() {
    use iced::futures::StreamExt;

    let clock = maestro_grid::Clock::new();
    for _ in 0..5 {
        clock.request(maestro_grid::clock::Urgency::Paced);
    }
    let task = clock.task::<Message>();
    let mut actions = iced_runtime::task::into_stream(task).expect("a task with a stream");
    let action = futures::executor::block_on(actions.next());
    assert!(
        matches!(
            action,
            Some(iced_runtime::Action::Window(iced_runtime::window::Action::RedrawAll))
        ),
        "{action:?}"
    );
    for _ in 0..5 {
        clock.request(maestro_grid::clock::Urgency::Urgent);
    }
    assert_eq!(clock.counters().read().redraws, 1);
    clock.frame_begins(std::time::Instant::now());
    clock.request(maestro_grid::clock::Urgency::Urgent);
    assert_eq!(clock.counters().read().redraws, 2);
}

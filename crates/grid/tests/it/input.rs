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

    let mut stage = ready(Modes::default());
    stage.pointer = Point::new(20.0, 12.0);
    let _ = stage.event(keyboard::Event::ModifiersChanged(keyboard::Modifiers::ALT));
    let _ = stage.event(mouse::Event::ButtonPressed(LEFT));
    let told = stage.told();
    assert!(
        matches!(told[..], [Input::Select(Select::Start { by: SelectBy::Block, .. })]),
        "{told:?}"
    );
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

    for modes in
        [Modes { mouse: true, ..Modes::default() }, Modes { alt_screen: true, ..Modes::default() }]
    {
        let mut stage = ready(modes);
        stage.pointer = Point::new(20.0, 12.0);
        let _ = stage.event(wheel(1.0));
        let told = stage.told();
        let [Input::Mouse(mouse)] = told[..] else { panic!("{told:?}") };
        assert_eq!(mouse.kind, MouseKind::Wheel { lines: 3, columns: 0 });
    }
}

#[test]
fn links_are_followed_with_ctrl_only() {
    let mut stage = ready(Modes::default());
    let mut script = Script::new(40, 8);
    let link = Extra { underline: None, link: Some("https://example.org".to_owned()) };
    let extra = script.extra(0, link);
    let _ = script.put(0, 0, "link", Cell { extra, ..Cell::BLANK });
    let _ = stage.surface.apply(script.frame());
    stage.pointer = Point::new(10.0, 12.0);
    let _ = stage.event(keyboard::Event::ModifiersChanged(keyboard::Modifiers::CTRL));
    let messages = stage.event(mouse::Event::ButtonPressed(LEFT));
    assert_eq!(messages, [Message::Link("https://example.org".to_owned())]);
    assert_eq!(stage.told(), []);
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

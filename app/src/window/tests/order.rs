//! Keys that come in one batch of events, as on a machine with too much to do: each means what it would have
//! meant alone, after all before it.

use std::time::Instant;

use iced::advanced::renderer::Headless as _;
use iced::advanced::widget::Operation;
use iced::advanced::widget::operation::{Outcome, focusable};
use iced::advanced::{clipboard, mouse as pointer};
use iced::{Event, Task, window};
use iced_runtime::user_interface::{Cache, UserInterface};
use iced_runtime::{Action, task};
use maestro_ui::theme::type_scale;

use super::*;

/// A window that keeps its widgets' state from one view to the next, as the toolkit's own loop does.
pub(super) struct Live {
    pub(super) shell: Shell,
    cache: Option<Cache>,
    renderer: iced::Renderer,
    cursor: pointer::Cursor,
}

type Operations = Vec<Box<dyn Operation>>;

impl Live {
    pub(super) fn new(shell: Shell) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let renderer =
            iced::Renderer::new(font::REGULAR, type_scale::BASE.0.into(), Some("tiny-skia"));
        let renderer = runtime.block_on(renderer).expect("software draws");
        let cursor = pointer::Cursor::Unavailable;
        let mut live = Self { shell, cache: Some(Cache::default()), renderer, cursor };
        // A scene is there before its widgets are.
        let keyboard = live.shell.keyboard().to_owned();
        live.operate(vec![Box::new(focusable::focus::<()>(keyboard.into()))]);
        live.redraw();
        let _ = live.shell.link().sent();
        let _ = live.shell.link().asked();
        live
    }

    /// One batch of events, and what comes of it. The next view is not drawn yet.
    fn batch(&mut self, events: &[Event]) {
        let messages = self.handle(events);
        self.take_in(messages);
    }

    /// The window is drawn, until nothing happens any more.
    fn redraw(&mut self) {
        for _ in 0..8 {
            let now = Event::Window(window::Event::RedrawRequested(Instant::now()));
            let messages = self.handle(&[now]);
            if messages.is_empty() {
                return;
            }
            self.take_in(messages);
        }
        panic!("it goes on and on");
    }

    /// A place in a pane that does not have the keyboard, under its header.
    fn pane_beside(&self) -> Point {
        let mut simulator = simulator(&self.shell);
        let bounds = simulator.find("web").expect("another pane").bounds();
        Point::new(bounds.x + 100.0, bounds.y + 200.0)
    }

    pub(super) fn handle(&mut self, events: &[Event]) -> Vec<Message> {
        let mut messages = Vec::new();
        let cache = self.cache.take().expect("put back");
        let mut ui = UserInterface::build(self.shell.screen(), SIZE, cache, &mut self.renderer);
        let mut clipboard = clipboard::Null;
        let _ = ui.update(events, self.cursor, &mut self.renderer, &mut clipboard, &mut messages);
        self.cache = Some(ui.into_cache());
        messages
    }

    fn take_in(&mut self, messages: Vec<Message>) {
        // What waits for a time waits for ever here: nothing moves this runtime.
        let clock = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let clock = clock.expect("a runtime");
        let _entered = clock.enter();
        let mut operations = Operations::new();
        for message in messages {
            at_once(self.shell.update(message), &mut operations);
        }
        self.operate(operations);
    }

    fn operate(&mut self, operations: Operations) {
        let cache = self.cache.take().expect("put back");
        let mut ui = UserInterface::build(self.shell.screen(), SIZE, cache, &mut self.renderer);
        for operation in operations {
            let mut next = Some(operation);
            while let Some(mut operation) = next.take() {
                ui.operate(&self.renderer, operation.as_mut());
                if let Outcome::Chain(chained) = operation.finish() {
                    next = Some(chained);
                }
            }
        }
        self.cache = Some(ui.into_cache());
    }

    /// What was typed into the program.
    fn typed(&self) -> String {
        let keys = self.shell.link().sent().into_iter().filter_map(|(_, input)| match input {
            Input::Key(key) => Some(match key.code {
                Code::Enter => "\n".to_owned(),
                _ => key.text,
            }),
            Input::Text(text) | Input::Paste(text) => Some(text),
            _ => None,
        });
        keys.collect()
    }

    /// What was looked for, and whether one went on from there.
    fn searched(&self) -> Vec<String> {
        let asked = self.shell.link().asked().into_iter().filter_map(|command| match command {
            Command::Search { query, .. } => {
                Some(query.map_or_else(String::new, |query| query.text))
            }
            Command::SearchMove { forward, .. } => Some(format!("forward: {forward}")),
            _ => None,
        });
        asked.collect()
    }
}

/// Operations on widgets run before the next event, as they do in the toolkit; all else of a task takes
/// time.
fn at_once(task: Task<Message>, operations: &mut Operations) {
    use iced::futures::StreamExt as _;

    let Some(mut stream) = task::into_stream(task) else { return };
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    while let std::task::Poll::Ready(Some(action)) = stream.poll_next_unpin(&mut context) {
        if let Action::Widget(operation) = action {
            operations.push(operation);
        }
    }
}

fn letters(text: &str) -> Vec<Event> {
    text.chars().map(|c| typed(&c.to_string())).collect()
}

fn batch(parts: impl IntoIterator<Item = Vec<Event>>) -> Vec<Event> {
    parts.into_iter().flatten().collect()
}

fn enter() -> Vec<Event> {
    vec![named(key::Named::Enter)]
}

#[test]
fn what_is_typed_behind_the_chord_of_the_search_goes_into_the_search() {
    let mut live = Live::new(shell("grid"));
    live.batch(&batch([letters("ls"), vec![ctrl_shift("f")], letters("needle"), enter()]));
    assert_eq!(live.typed(), "ls", "and nothing of what came after the chord");
    live.redraw();
    assert_eq!(live.searched(), Vec::<String>::new(), "what was selected is not known yet");
    live.take_in(vec![Message::FindPrefilled(HERE, "selected".to_owned())]);
    live.redraw();
    assert_eq!(live.searched(), ["selected", "needle", "forward: false"]);
    assert_eq!(live.typed(), "");
}

#[test]
fn letters_and_enter_in_one_batch_search_for_the_letters_first() {
    let mut live = Live::new(shell("grid"));
    live.batch(&[ctrl_shift("f")]);
    live.take_in(vec![Message::FindPrefilled(HERE, String::new())]);
    live.redraw();
    let _ = live.searched();
    live.batch(&batch([letters("need")]));
    live.take_in(vec![Message::FindDue]);
    live.batch(&batch([letters("le"), enter(), enter()]));
    live.redraw();
    assert_eq!(live.searched(), ["need", "needle", "forward: false", "forward: false"]);
}

#[test]
fn what_is_typed_behind_a_paste_comes_after_it() {
    let mut live = Live::new(shell("grid"));
    live.batch(&batch([letters("a"), vec![ctrl_shift("v")], letters("c"), enter()]));
    live.redraw();
    assert_eq!(live.typed(), "a");
    live.take_in(vec![Message::Pasted(HERE, Some("b".to_owned()))]);
    live.redraw();
    assert_eq!(live.typed(), "bc\n");
}

#[test]
fn the_way_out_of_a_mode_and_what_follows_it_keep_their_order() {
    let mut live = Live::new(shell("grid"));
    live.batch(&batch([vec![ctrl_shift("x")], letters("jj"), letters("q"), letters("echo")]));
    live.redraw();
    let moves = live.shell.link().sent();
    let count = |wanted: &Input| moves.iter().filter(|(_, input)| input == wanted).count();
    assert_eq!(count(&Input::Vi(Vi::Move(Motion::Down))), 2);
    assert_eq!(count(&Input::Vi(Vi::Leave)), 1);
    let keys = moves.iter().filter_map(|(_, input)| match input {
        Input::Key(key) => Some(key.text.as_str()),
        _ => None,
    });
    assert_eq!(keys.collect::<String>(), "echo");
}

#[test]
fn what_is_typed_behind_a_copy_in_vi_mode_goes_to_the_program() {
    let mut live = Live::new(shell("grid"));
    live.batch(&batch([vec![ctrl_shift(" ")], letters("jy"), letters("echo"), enter()]));
    live.redraw();
    let sent = live.shell.link().sent();
    let place = |wanted: &Input| sent.iter().position(|(_, input)| input == wanted);
    let left = place(&Input::Vi(Vi::Leave)).expect("y leaves");
    assert!(place(&Input::Vi(Vi::Move(Motion::Down))).is_some_and(|moved| moved < left));
    let keys = sent.iter().skip(left).filter_map(|(_, input)| match input {
        Input::Key(key) => Some(key.text.as_str()),
        _ => None,
    });
    assert_eq!(keys.collect::<String>().trim_end(), "echo");
    let asked = live.shell.link().asked();
    assert_eq!(asked, [Command::CopySelection { terminal: HERE }]);
}

#[test]
fn what_is_typed_behind_a_click_goes_to_what_was_clicked() {
    let mut live = Live::new(shell("grid"));
    let pane = live.pane_beside();
    let press = |pressed| {
        let button = pointer::Button::Left;
        Event::Mouse(if pressed {
            pointer::Event::ButtonPressed(button)
        } else {
            pointer::Event::ButtonReleased(button)
        })
    };
    live.cursor = pointer::Cursor::Available(pane);
    live.batch(&batch([letters("ab"), vec![press(true), press(false)], letters("cd")]));
    live.redraw();
    let keys = live.shell.link().sent().into_iter().filter_map(|(to, input)| match input {
        Input::Key(key) => Some((to, key.text)),
        _ => None,
    });
    let keys: Vec<_> = keys.collect();
    let here: String =
        keys.iter().filter(|(to, _)| *to == HERE).map(|(_, text)| text.as_str()).collect();
    let there: String =
        keys.iter().filter(|(to, _)| *to != HERE).map(|(_, text)| text.as_str()).collect();
    assert_eq!((here.as_str(), there.as_str()), ("ab", "cd"), "{keys:?}");
}

#[test]
fn keys_that_wait_for_nothing_are_typed_after_a_while() {
    let mut live = Live::new(shell("grid"));
    live.batch(&batch([vec![ctrl_shift("v")], letters("c")]));
    live.redraw();
    assert_eq!(live.typed(), "");
    let limit = Instant::now() + std::time::Duration::from_secs(30);
    let mut all = String::new();
    while all.is_empty() {
        assert!(Instant::now() < limit, "the clipboard never answers");
        live.redraw();
        all = live.typed();
    }
    assert_eq!(all, "c");
}

//! A window with one empty terminal that prints what its host would hear, one line each: to see what a
//! keyboard, an input method or a mouse really sends.

use std::sync::Arc;

use iced::{Element, Subscription, Task, window};
use maestro_core::id::TerminalId;
use maestro_core::screen::{Cursor, CursorShape, Frame, Modes, Pointer, Scroll, Size};
use maestro_grid::{Clock, Faces, Look, Palette, Surface, terminal};

const REGULAR: &[u8] = include_bytes!("../../../resources/fonts/JetBrainsMono-Regular.ttf");

struct Keys {
    surface: Surface,
    look: Arc<Look>,
}

fn main() -> iced::Result {
    iced::application(boot, |_: &mut Keys, ()| {}, view)
        .subscription(|_| Subscription::none())
        .title("keys")
        .run()
}

fn boot() -> (Keys, Task<()>) {
    let clock = Clock::new();
    let surface = Surface::new(&clock);
    // Every argument is a mode that the child has asked for.
    let has = |mode: &str| std::env::args().any(|argument| argument == mode);
    let modes = Modes {
        mouse: has("mouse"),
        mouse_motion: has("motion"),
        mouse_pixels: has("pixels"),
        kitty_keyboard: has("kitty"),
        key_releases: has("kitty"),
        ..Modes::default()
    };
    let _ = surface.apply(Frame {
        terminal: TerminalId(1),
        generation: 1,
        size: Size::new(80, 24),
        full: true,
        rows: Vec::new(),
        cursor: Some(Cursor { row: 2, col: 4, shape: CursorShape::Block, blinking: false }),
        modes,
        scroll: Scroll::default(),
        colors: Vec::new(),
        pointer: Pointer::Default,
        flooding: false,
        input_seq: 0,
    });
    let look = Look::new(Faces::regular(REGULAR), 14.0, Palette::NOCTURNE);
    let focus = iced::advanced::widget::operate(
        iced::advanced::widget::operation::focusable::focus::<()>("keys".into()),
    );
    let ready = window::latest().discard();
    (Keys { surface, look }, Task::batch([clock.task(), ready.chain(focus)]))
}

fn view(keys: &Keys) -> Element<'_, ()> {
    let told = |event: &iced::keyboard::Event| {
        if std::env::args().any(|argument| argument == "raw") {
            println!("{event:?}");
        }
        false
    };
    terminal(&keys.surface, &keys.look)
        .id("keys")
        .is_command(told)
        .on_input(|input| println!("{input:?}"))
        .into()
}

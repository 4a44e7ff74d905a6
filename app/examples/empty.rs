//! A window of the toolkit with one line of text, as large as ours: what the benchmarks compare our own
//! window with. The text stands on a colour that a benchmark finds on the screen.
#![allow(missing_docs)]

use iced::widget::{container, text};
use iced::{Color, Element, Size};

fn main() -> iced::Result {
    iced::application(|| (), update, view)
        .title("Empty")
        .window_size(Size::new(1440.0, 900.0))
        .run()
}

fn update((): &mut (), (): ()) {}

fn view((): &()) -> Element<'_, ()> {
    container(text("An empty window.")).style(|_| Color::from_rgb8(255, 0, 255).into()).into()
}

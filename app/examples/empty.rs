//! A window of the toolkit with one line of text: what the benchmarks compare our own window with.
#![allow(missing_docs)]

use iced::Element;
use iced::widget::text;

fn main() -> iced::Result {
    iced::application(|| (), update, view).title("Empty").run()
}

fn update((): &mut (), (): ()) {}

fn view((): &()) -> Element<'_, ()> {
    text("An empty window.").into()
}

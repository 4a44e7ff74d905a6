//! Scrolling a bar of tabs so that one of them is in sight.

use iced::advanced::widget::operation::{Outcome, Scrollable, scrollable};
use iced::advanced::widget::{Id, Operation};
use iced::widget::scrollable::AbsoluteOffset;
use iced::{Rectangle, Vector};

/// So much of the tab beside it stays in sight, so that one sees that there are more.
const BESIDE: f32 = 24.0;

/// Finds where a tab is, and scrolls its bar there.
#[derive(Debug)]
pub struct Reveal {
    bar: Id,
    tab: Id,
    /// Where the bar is, and how far it is scrolled.
    seen: Option<(Rectangle, f32)>,
    place: Option<Rectangle>,
}

impl Reveal {
    /// Reveals the tab with an id in the bar with an id.
    pub fn new(bar: String, tab: String) -> Self {
        Self { bar: Id::from(bar), tab: Id::from(tab), seen: None, place: None }
    }
}

impl<T: 'static> Operation<T> for Reveal {
    fn traverse(&mut self, operate: &mut dyn FnMut(&mut dyn Operation<T>)) {
        operate(self);
    }

    fn scrollable(
        &mut self,
        id: Option<&Id>,
        bounds: Rectangle,
        _: Rectangle,
        translation: Vector,
        _: &mut dyn Scrollable,
    ) {
        if id == Some(&self.bar) {
            self.seen = Some((bounds, translation.x));
        }
    }

    fn container(&mut self, id: Option<&Id>, bounds: Rectangle) {
        if id == Some(&self.tab) {
            self.place = Some(bounds);
        }
    }

    fn finish(&self) -> Outcome<T> {
        let (Some((bar, scrolled)), Some(place)) = (self.seen, self.place) else {
            return Outcome::None;
        };
        match offset(place.x - bar.x, place.width, bar.width, scrolled) {
            Some(x) => {
                let to = AbsoluteOffset { x: Some(x), y: None };
                Outcome::Chain(Box::new(scrollable::scroll_to(self.bar.clone(), to)))
            }
            None => Outcome::None,
        }
    }
}

/// How far a bar is to be scrolled so that something in it is in sight; `None` when it is.
fn offset(x: f32, width: f32, bar: f32, scrolled: f32) -> Option<f32> {
    if x < scrolled || width > bar {
        Some((x - BESIDE).max(0.0))
    } else if x + width > scrolled + bar {
        Some(x + width - bar + BESIDE)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_moves_as_little_as_it_has_to() {
        for (x, scrolled, expected) in [
            (50.0, 0.0, None),
            (220.0, 0.0, Some(144.0)),
            (50.0, 100.0, Some(26.0)),
            (0.0, 100.0, Some(0.0)),
            (150.0, 100.0, None),
        ] {
            assert_eq!(offset(x, 100.0, 200.0, scrolled), expected, "{x} {scrolled}");
        }
    }
}

//! Screens with words as long as other languages have them.

use iced::Rectangle;
use iced::advanced::widget::{Id, Operation};
use iced_runtime::UserInterface;
use iced_runtime::user_interface::Cache;
use maestro_ui::pseudo;

use super::*;

/// Every text of a screen, in the order in which it is laid out, with what is seen of it.
#[derive(Default)]
struct Texts {
    clip: Vec<Rectangle>,
    next: Option<Rectangle>,
    all: Vec<(Rectangle, String)>,
}

impl Operation for Texts {
    fn traverse(&mut self, operate: &mut dyn FnMut(&mut dyn Operation)) {
        let inner = self.next.take();
        let pushed = inner.is_some();
        if let Some(inner) = inner {
            let outer = self.clip.last().copied();
            let seen = outer.map_or(Some(inner), |outer| outer.intersection(&inner));
            self.clip.push(seen.unwrap_or_default());
        }
        operate(self);
        if pushed {
            let _ = self.clip.pop();
        }
    }

    fn scrollable(
        &mut self,
        _: Option<&Id>,
        bounds: Rectangle,
        _: Rectangle,
        _: iced::Vector,
        _: &mut dyn iced::advanced::widget::operation::Scrollable,
    ) {
        self.next = Some(bounds);
    }

    fn text(&mut self, _: Option<&Id>, bounds: Rectangle, text: &str) {
        let seen = match self.clip.last() {
            Some(clip) => clip.intersection(&bounds).unwrap_or_default(),
            None => bounds,
        };
        self.all.push((seen, text.to_owned()));
    }
}

pub(super) fn texts(
    shell: &Shell,
    size: Size,
    renderer: &mut iced::Renderer,
) -> Vec<(Rectangle, String)> {
    let mut ui = UserInterface::build(shell.screen(), size, Cache::default(), renderer);
    let mut texts = Texts::default();
    ui.operate(renderer, &mut texts);
    texts.all
}

/// Words that have to be there: what one acts by. Chords beside them may make place.
const NEEDED: [&str; 12] = [
    "Cancel",
    "Create agent",
    "Rename",
    "Allow once",
    "Deny",
    "Paste",
    "Open",
    "Start run",
    "Undo",
    "History",
    "Merge train",
    "Back to the panes",
];

/// What is wrong with a screen of long words beside the same one with ours: words that leave the window, and
/// such as are needed and not there any more.
fn faults(short: &[(Rectangle, String)], long: &[(Rectangle, String)], size: Size) -> Vec<String> {
    let right = |place: Rectangle| place.x + place.width;
    let inside = |place: Rectangle| right(place) <= size.width + 1.0;
    let is_seen = |place: Rectangle| place.width > 0.5 && place.height > 0.5;
    let is_needed = |text: &str| size.width > 1000.0 && NEEDED.contains(&text);
    let pairs = short.iter().zip(long);
    pairs
        .filter(|((before, text), (after, _))| {
            is_seen(*before)
                && inside(*before)
                && (!inside(*after) || (is_needed(text) && after.width <= 0.5))
        })
        .map(|(_, (after, text))| format!("`{text}` at {after:?}"))
        .collect()
}

#[test]
fn long_words_break_no_screen() {
    font::load();
    let mut renderer = crate::window::bench::renderer().expect("software draws");
    let (mut wrong, mut shorter) = (Vec::new(), Vec::new());
    for size in [Size::new(1280.0, 800.0), Size::new(400.0, 300.0)] {
        for name in scene::NAMES {
            let shell = Shell::scene(name, size, 1.0, &theme::NOCTURNE).expect("a scene");
            let short = texts(&shell, size, &mut renderer);
            pseudo::lengthen(true);
            let long = texts(&shell, size, &mut renderer);
            pseudo::lengthen(false);
            assert!(!long.is_empty(), "{name}");
            if short.len() != long.len() {
                // Rows that are higher now, of which fewer are shown.
                shorter.push(name);
                continue;
            }
            let faults = faults(&short, &long, size);
            wrong.extend(
                faults.iter().take(4).map(|fault| format!("{name} {}: {fault}", size.width)),
            );
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(shorter.len() < 12, "{shorter:?} cannot be compared");
}

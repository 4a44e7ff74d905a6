//! Where a file is written: the toolkit's editor with the colours of code, and with what is looked for marked.

use std::ops::Range;

use iced::advanced::text::highlighter;
use iced::widget::{container, text_editor};
use iced::{Background, Border, Color, Element, Length};
use maestro_core::highlight::{self, Language};
use maestro_ui::font;
use maestro_ui::theme::{Tokens, space, type_scale};

use super::autorun::document;
use super::conversation::inks;

/// An editor that fills its place.
pub fn editor<'a, M: Clone + 'a>(
    tokens: &'static Tokens,
    id: &'static str,
    content: &'a text_editor::Content,
    needle: &str,
    language: Option<&'static Language>,
    on_action: impl Fn(text_editor::Action) -> M + 'a,
) -> Element<'a, M> {
    let (size, height) = type_scale::BASE;
    let settings = Settings { tokens, needle: needle.to_lowercase(), language };
    let editor = text_editor(content)
        .id(id)
        .on_action(on_action)
        .size(size)
        .line_height(iced::widget::text::LineHeight::Absolute(height.into()))
        .font(font::MONO)
        .padding([space::M, space::L])
        .height(Length::Fill)
        .highlight_with::<Colours>(settings, |ink, _| highlighter::Format {
            color: Some(*ink),
            font: None,
        })
        .style(move |_: &iced::Theme, _| text_editor::Style {
            background: Background::Color(tokens.terminal.background()),
            border: Border::default(),
            placeholder: tokens.faint,
            value: tokens.text,
            selection: Color { a: 0.35, ..tokens.accent },
        });
    container(maestro_ui::still(editor)).width(Length::Fill).height(Length::Fill).into()
}

/// What decides about colours.
#[derive(Debug, Clone)]
struct Settings {
    tokens: &'static Tokens,
    /// What is looked for, in small letters. The toolkit shows no selection while the keyboard is in the
    /// search bar.
    needle: String,
    language: Option<&'static Language>,
}

impl PartialEq for Settings {
    fn eq(&self, other: &Self) -> bool {
        let same = match (self.language, other.language) {
            (Some(this), Some(other)) => std::ptr::eq(this, other),
            (this, other) => this.is_none() && other.is_none(),
        };
        same && std::ptr::eq(self.tokens, other.tokens) && self.needle == other.needle
    }
}

/// The colours of each line.
struct Colours {
    settings: Settings,
    /// What is open at the beginning of each line that was coloured, and of the next one.
    states: Vec<highlight::State>,
}

impl highlighter::Highlighter for Colours {
    type Settings = Settings;
    type Highlight = Color;
    type Iterator<'a> = std::vec::IntoIter<(Range<usize>, Color)>;

    fn new(settings: &Settings) -> Self {
        Self { settings: settings.clone(), states: vec![highlight::State::default()] }
    }

    fn update(&mut self, settings: &Settings) {
        *self = Self::new(settings);
    }

    fn change_line(&mut self, line: usize) {
        self.states.truncate(line + 1);
    }

    fn highlight_line(&mut self, line: &str) -> Self::Iterator<'_> {
        let mut state = self.states.last().copied().unwrap_or_default();
        let pieces = self
            .settings
            .language
            .map_or_else(Vec::new, |language| inks(highlight::line(language, &mut state, line)));
        self.states.push(state);
        let found = document::all_found(line, &self.settings.needle);
        let tokens = self.settings.tokens;
        // What is found stands over what it is.
        let apart = |range: &Range<usize>| {
            found.iter().all(|found| found.end <= range.start || range.end <= found.start)
        };
        let mut all: Vec<_> = pieces
            .into_iter()
            .filter(|(range, _)| apart(range))
            .map(|(range, ink)| (range, ink.color(tokens)))
            .collect();
        all.extend(found.iter().map(|range| (range.clone(), tokens.accent)));
        all.sort_by_key(|(range, _)| range.start);
        all.into_iter()
    }

    fn current_line(&self) -> usize {
        self.states.len() - 1
    }
}

#[cfg(test)]
mod tests {
    use iced::advanced::text::highlighter::Highlighter as _;
    use maestro_ui::theme::NOCTURNE;

    use super::*;

    #[test]
    fn a_line_has_the_colours_of_what_was_begun_above_it() {
        let language = Language::of_path("a.rs");
        let settings = Settings { tokens: &NOCTURNE, needle: "now".to_owned(), language };
        let mut colours = Colours::new(&settings);
        let mut drawn = |line: &str| colours.highlight_line(line).collect::<Vec<_>>();
        assert_eq!(drawn("/* here"), [(0..7, NOCTURNE.faint)]);
        assert_eq!(drawn("now */ x"), [(0..3, NOCTURNE.accent)]);
        assert_eq!(colours.current_line(), 2);
        // Above, something was changed: what is below is coloured again.
        colours.change_line(0);
        let _ = colours.highlight_line("x").count();
        assert_eq!(colours.highlight_line("let x").next(), Some((0..3, NOCTURNE.purple)));
    }
}

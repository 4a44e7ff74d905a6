//! The colours of the last window. They are kept, so that a program in a terminal that asks for them
//! is told the truth also after the host was started anew and before any window is there.

use std::sync::Arc;

use maestro_protocol::message::Error;
use maestro_terminal::Palette;

use super::commands::store_error;
use super::tools::failed;
use super::{Shared, blocking};

/// Where they lie among the preferences. Clients neither see nor set it.
pub(crate) const KEY: &str = "host.palette";

/// Keeps the world's colours. Of two windows with different themes the later one's stay, here as in the
/// world, because they are read when it is this one's turn.
pub(crate) async fn keep(shared: &Arc<Shared>) -> Result<(), Error> {
    let _saving = shared.saving.lock().await;
    let (store, text) = (shared.store.clone(), to_text(&shared.world.palette()));
    blocking(move || store.set_preference(KEY, Some(&text)))
        .await
        .map_err(failed)?
        .map_err(store_error)
}

/// Takes the colours out of what the store has.
pub(crate) fn take(preferences: Vec<(String, String)>) -> (Palette, Vec<(String, String)>) {
    let (ours, others): (Vec<_>, _) = preferences.into_iter().partition(|(key, _)| key == KEY);
    let palette = ours.first().and_then(|(_, text)| from_text(text)).unwrap_or_default();
    (palette, others)
}

/// `dark` or `light`, then foreground, background, cursor and the sixteen, as hexadecimal numbers.
fn to_text(palette: &Palette) -> String {
    let Palette { foreground, background, cursor, ansi, dark } = palette;
    let mut text = String::from(if *dark { "dark" } else { "light" });
    for [red, green, blue] in [foreground, background, cursor].into_iter().chain(ansi) {
        text += &format!(" {red:02x}{green:02x}{blue:02x}");
    }
    text
}

fn from_text(text: &str) -> Option<Palette> {
    let mut words = text.split(' ');
    let dark = match words.next()? {
        "dark" => true,
        "light" => false,
        _ => return None,
    };
    let colours: Option<Vec<[u8; 3]>> = words
        .map(|word| {
            let [_, red, green, blue] = u32::from_str_radix(word, 16).ok()?.to_be_bytes();
            Some([red, green, blue])
        })
        .collect();
    let [foreground, background, cursor, ansi @ ..]: [[u8; 3]; 19] = colours?.try_into().ok()?;
    Some(Palette { foreground, background, cursor, ansi, dark })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_read_back_and_anything_else_is_no_palette() {
        let mut palette = Palette { dark: false, cursor: [0, 1, 255], ..Palette::default() };
        palette.ansi[15] = [7, 8, 9];
        assert_eq!(from_text(&to_text(&palette)), Some(palette));
        for text in ["", "dark", "dim 000000", "dark 000000", "dark 00000x"] {
            assert_eq!(from_text(text), None, "{text}");
        }
        let kept = vec![("a".to_owned(), "b".to_owned()), (KEY.to_owned(), to_text(&palette))];
        assert_eq!(take(kept), (palette, vec![("a".to_owned(), "b".to_owned())]));
        assert_eq!(take(vec![(KEY.to_owned(), "?".to_owned())]), (Palette::default(), vec![]));
    }
}

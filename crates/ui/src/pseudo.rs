//! Words as long as those of other languages, to see that no screen breaks by them: `Save` becomes
//! `Šävë~~`. Letters get marks, and every text grows by two fifths.

use std::borrow::Cow;
use std::cell::Cell;

thread_local! {
    static LONG: Cell<bool> = const { Cell::new(false) };
}

/// From now on every text that this thread lays out is long, or as it is written.
pub fn lengthen(on: bool) {
    LONG.set(on);
}

pub(crate) fn words(text: Cow<'_, str>) -> Cow<'_, str> {
    if LONG.get() { Cow::Owned(longer(&text)) } else { text }
}

fn longer(text: &str) -> String {
    let mut longer: String = text.chars().map(marked).collect();
    let more = text.chars().filter(|c| c.is_alphabetic()).count() * 2;
    longer.extend(std::iter::repeat_n('~', more.div_ceil(5)));
    longer
}

fn marked(c: char) -> char {
    match c {
        'a' => 'ä',
        'e' => 'ë',
        'i' => 'ï',
        'o' => 'ö',
        'u' => 'ü',
        'A' => 'Å',
        'S' => 'Š',
        'O' => 'Ö',
        'U' => 'Ü',
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_grow_and_numbers_do_not() {
        for (text, expected) in
            [("Save", "Šävë~~"), ("12", "12"), ("", ""), ("two words", "twö wörds~~~~")]
        {
            assert_eq!(longer(text), expected);
        }
        assert_eq!(words("Save".into()), "Save");
        lengthen(true);
        assert_eq!(words("Save".into()), "Šävë~~");
        lengthen(false);
        assert_eq!(words("Save".into()), "Save");
    }
}

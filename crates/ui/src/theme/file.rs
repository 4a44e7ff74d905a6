//! Theme files: the tokens of one theme, as a person writes them.
//!
//! What a file leaves out is as in the theme that it builds on, so three lines are a theme. A mistake is
//! told with its line and gives nothing.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use iced::Color;
use maestro_core::text;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{MATINEE, NOCTURNE, Terminal, Tokens};

/// A larger file is no theme, in bytes.
pub const LARGEST: u64 = 64 * 1024;

/// The longest name and the longest sentence about it, in characters.
const LONGEST: (usize, usize) = (40, 80);

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{why}", line.map(|line| format!("line {line}: ")).unwrap_or_default())]
pub struct Problem {
    /// The line, from 1, where it is about one.
    pub line: Option<usize>,
    /// What is wrong; a sentence without its full stop.
    pub why: String,
}

/// Reads a theme; `name` is what it is called where it does not say so itself.
///
/// # Errors
///
/// What is wrong with it, with the line.
pub fn parse(text: &str, name: &str) -> Result<Tokens, Problem> {
    read(text, name, |name| super::named(name).copied())
}

/// Reads a theme that came with the program, which builds on no other.
pub(super) fn built_in(text: &str) -> Tokens {
    // A test reads each of them.
    read(text, "", |_| None).expect("a theme that came with the program is right")
}

fn read(text: &str, name: &str, known: impl Fn(&str) -> Option<Tokens>) -> Result<Tokens, Problem> {
    let reader = Reader { text };
    let table = DeTable::parse(text).map_err(|error| Problem {
        line: error.span().map(|span| reader.line(span.start)),
        why: error.message().trim().trim_end_matches('.').replace('\n', "; "),
    })?;
    let table = table.get_ref();
    reader.only(table, &ROOT)?;
    let name = reader.word(table, "name", LONGEST.0)?.unwrap_or_else(|| text::clean(name, 40));
    let about = reader.word(table, "about", LONGEST.1)?;
    let from = match reader.word(table, "from", LONGEST.0)? {
        None => None,
        Some(from) => Some(known(&from).ok_or_else(|| {
            reader.wrong(at(table, "from"), format!("there is no theme `{from}` to build on"))
        })?),
    };
    let dark = reader.switch(table, "dark")?;
    let is_light = dark == Some(false);
    let begin = from.unwrap_or_else(|| match known(if is_light { "light" } else { "dark" }) {
        Some(tokens) => tokens,
        None => EMPTY,
    });
    let mut tokens = Tokens {
        name: kept(if name.is_empty() { "Theme" } else { &name }),
        about: kept(&about.unwrap_or_else(|| match from {
            Some(from) => format!("Built on {}", from.name),
            None => String::new(),
        })),
        dark: dark.unwrap_or(begin.dark),
        high_contrast: reader.switch(table, "high_contrast")?.unwrap_or_default(),
        color_blind_safe: reader.switch(table, "color_blind_safe")?.unwrap_or_default(),
        ..begin
    };
    if let Some(window) = reader.table(table, "window")? {
        reader.window(window, &mut tokens)?;
    }
    if let Some(terminal) = reader.table(table, "terminal")? {
        reader.terminal(terminal, &mut tokens.terminal)?;
    }
    Ok(tokens)
}

const ROOT: [&str; 8] =
    ["name", "about", "from", "dark", "high_contrast", "color_blind_safe", "window", "terminal"];

/// What a theme begins with that builds on none: a test sees to it that nothing of it is left.
const EMPTY: Tokens = Tokens {
    name: "",
    about: "",
    dark: true,
    high_contrast: false,
    color_blind_safe: false,
    base: Color::BLACK,
    panel: Color::BLACK,
    raised: Color::BLACK,
    hover: Color::BLACK,
    border: Color::BLACK,
    strong: Color::BLACK,
    text: Color::BLACK,
    dim: Color::BLACK,
    faint: Color::BLACK,
    accent: Color::BLACK,
    accent_background: Color::BLACK,
    on_accent: Color::BLACK,
    blue: Color::BLACK,
    green: Color::BLACK,
    red: Color::BLACK,
    purple: Color::BLACK,
    orange: Color::BLACK,
    backdrop: Color::BLACK,
    shadow: Color::BLACK,
    terminal: Terminal {
        foreground: [0; 3],
        background: [0; 3],
        cursor: [0; 3],
        selection: [0; 3],
        ansi: [[0; 3]; 16],
    },
};

/// Every colour of the window with its name in a file.
fn named_colors(tokens: &mut Tokens) -> [(&'static str, &mut Color); 19] {
    [
        ("base", &mut tokens.base),
        ("panel", &mut tokens.panel),
        ("raised", &mut tokens.raised),
        ("hover", &mut tokens.hover),
        ("border", &mut tokens.border),
        ("strong", &mut tokens.strong),
        ("text", &mut tokens.text),
        ("dim", &mut tokens.dim),
        ("faint", &mut tokens.faint),
        ("accent", &mut tokens.accent),
        ("accent_background", &mut tokens.accent_background),
        ("on_accent", &mut tokens.on_accent),
        ("blue", &mut tokens.blue),
        ("green", &mut tokens.green),
        ("red", &mut tokens.red),
        ("purple", &mut tokens.purple),
        ("orange", &mut tokens.orange),
        ("backdrop", &mut tokens.backdrop),
        ("shadow", &mut tokens.shadow),
    ]
}

/// Colours through which something else is seen; all others are solid.
const SEEN_THROUGH: [&str; 2] = ["backdrop", "shadow"];

fn at(table: &DeTable<'_>, key: &str) -> usize {
    let found = table.iter().find(|(name, _)| name.get_ref().as_ref() == key);
    found.map_or(0, |(name, _)| name.span().start)
}

struct Reader<'a> {
    text: &'a str,
}

impl Reader<'_> {
    fn line(&self, at: usize) -> usize {
        1 + self.text.bytes().take(at).filter(|byte| *byte == b'\n').count()
    }

    fn wrong(&self, at: usize, why: String) -> Problem {
        Problem { line: Some(self.line(at)), why }
    }

    /// Nothing but these keys stands in a table.
    fn only(&self, table: &DeTable<'_>, known: &[&str]) -> Result<(), Problem> {
        let unknown = table.iter().find(|(name, _)| !known.contains(&name.get_ref().as_ref()));
        match unknown {
            None => Ok(()),
            Some((name, _)) => {
                let word = text::clean(name.get_ref(), 40);
                Err(self.wrong(name.span().start, format!("a theme has no `{word}`")))
            }
        }
    }

    fn word(
        &self,
        table: &DeTable<'_>,
        key: &str,
        longest: usize,
    ) -> Result<Option<String>, Problem> {
        let Some(value) = table.get(key) else { return Ok(None) };
        match value.get_ref() {
            DeValue::String(word) if word.chars().count() <= longest => {
                Ok(Some(text::clean(word, longest)).filter(|word| !word.is_empty()))
            }
            _ => {
                let why = format!("{key} is a text of at most {longest} letters");
                Err(self.wrong(value.span().start, why))
            }
        }
    }

    fn switch(&self, table: &DeTable<'_>, key: &str) -> Result<Option<bool>, Problem> {
        let Some(value) = table.get(key) else { return Ok(None) };
        match value.get_ref() {
            DeValue::Boolean(on) => Ok(Some(*on)),
            _ => Err(self.wrong(value.span().start, format!("{key} is true or false"))),
        }
    }

    fn table<'a>(
        &self,
        table: &'a DeTable<'a>,
        key: &str,
    ) -> Result<Option<&'a DeTable<'a>>, Problem> {
        let Some(value) = table.get(key) else { return Ok(None) };
        match value.get_ref() {
            DeValue::Table(inner) => Ok(Some(inner)),
            _ => Err(self.wrong(value.span().start, format!("{key} is a table: [{key}]"))),
        }
    }

    fn window(&self, table: &DeTable<'_>, tokens: &mut Tokens) -> Result<(), Problem> {
        let colors = named_colors(tokens);
        self.only(table, &colors.each_ref().map(|(name, _)| *name))?;
        for (name, color) in colors {
            let Some(value) = table.get(name) else { continue };
            let [r, g, b, opacity] = self.color(value)?;
            if opacity != u8::MAX && !SEEN_THROUGH.contains(&name) {
                let why = format!("{name} is a solid colour, such as \"#1a1e25\"");
                return Err(self.wrong(value.span().start, why));
            }
            *color = Color::from_rgba8(r, g, b, f32::from(opacity) / 255.0);
        }
        Ok(())
    }

    fn terminal(&self, table: &DeTable<'_>, terminal: &mut Terminal) -> Result<(), Problem> {
        self.only(table, &["foreground", "background", "cursor", "selection", "ansi"])?;
        for (name, color) in [
            ("foreground", &mut terminal.foreground),
            ("background", &mut terminal.background),
            ("cursor", &mut terminal.cursor),
            ("selection", &mut terminal.selection),
        ] {
            if let Some(value) = table.get(name) {
                *color = self.solid(value)?;
            }
        }
        let Some(value) = table.get("ansi") else { return Ok(()) };
        match value.get_ref() {
            DeValue::Array(colors) if colors.len() == terminal.ansi.len() => {
                for (ansi, color) in terminal.ansi.iter_mut().zip(colors.iter()) {
                    *ansi = self.solid(color)?;
                }
                Ok(())
            }
            _ => {
                let why = "ansi is a list of sixteen colours, the bright ones last".to_owned();
                Err(self.wrong(value.span().start, why))
            }
        }
    }

    fn solid(&self, value: &Spanned<DeValue<'_>>) -> Result<[u8; 3], Problem> {
        match self.color(value)? {
            [r, g, b, u8::MAX] => Ok([r, g, b]),
            _ => Err(self.wrong(value.span().start, "a colour here is solid: \"#1a1e25\"".into())),
        }
    }

    fn color(&self, value: &Spanned<DeValue<'_>>) -> Result<[u8; 4], Problem> {
        let found = match value.get_ref() {
            DeValue::String(text) => color(text),
            _ => None,
        };
        found.ok_or_else(|| {
            self.wrong(value.span().start, "a colour is written as \"#1a1e25\"".to_owned())
        })
    }
}

/// A colour as files have it: `#rgb`, `#rrggbb`, `#rrggbbaa`, also with `0x` or with nothing in front.
#[must_use]
pub fn color(text: &str) -> Option<[u8; 4]> {
    let text = text.trim();
    let digits = text.strip_prefix('#').or_else(|| text.strip_prefix("0x")).unwrap_or(text);
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let byte = |range: Range<usize>| u8::from_str_radix(digits.get(range)?, 16).ok();
    match digits.len() {
        3 => {
            let doubled = |at: usize| byte(at..at + 1).map(|digit| digit * 17);
            Some([doubled(0)?, doubled(1)?, doubled(2)?, u8::MAX])
        }
        6 => Some([byte(0..2)?, byte(2..4)?, byte(4..6)?, u8::MAX]),
        8 => Some([byte(0..2)?, byte(2..4)?, byte(4..6)?, byte(6..8)?]),
        _ => None,
    }
}

/// A theme as a file, whole.
#[must_use]
pub fn written(tokens: &Tokens) -> String {
    use std::fmt::Write as _;

    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let mut out = format!("name = {}\n", quoted(tokens.name));
    let _ = writeln!(out, "about = {}\ndark = {}", quoted(tokens.about), tokens.dark);
    for (on, key) in
        [(tokens.high_contrast, "high_contrast"), (tokens.color_blind_safe, "color_blind_safe")]
    {
        if on {
            let _ = writeln!(out, "{key} = true");
        }
    }
    out.push_str("\n[window]\n");
    let mut copy = *tokens;
    for (name, color) in named_colors(&mut copy) {
        let _ = writeln!(out, "{name} = \"{}\"", hex(*color));
    }
    out.push('\n');
    out.push_str(&written_terminal(&tokens.terminal));
    out
}

/// A theme as a file that has colours of its own for terminals alone.
#[must_use]
pub fn written_over(from: &Tokens, name: &str, about: &str, terminal: &Terminal) -> String {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    format!(
        "name = {}\nabout = {}\nfrom = {}\n\n{}",
        quoted(&text::clean(name, LONGEST.0)),
        quoted(&text::clean(about, LONGEST.1)),
        quoted(from.name),
        written_terminal(terminal)
    )
}

fn written_terminal(terminal: &Terminal) -> String {
    let hex = |[r, g, b]: [u8; 3]| format!("\"#{r:02x}{g:02x}{b:02x}\"");
    let row = |colors: &[[u8; 3]]| {
        let colors: Vec<String> = colors.iter().map(|color| hex(*color)).collect();
        format!("    {},\n", colors.join(", "))
    };
    let (normal, bright) = terminal.ansi.split_at(8);
    format!(
        "[terminal]\nforeground = {}\nbackground = {}\ncursor = {}\nselection = {}\nansi = [\n{}{}]\n",
        hex(terminal.foreground),
        hex(terminal.background),
        hex(terminal.cursor),
        hex(terminal.selection),
        row(normal),
        row(bright),
    )
}

/// A colour as files have it.
#[must_use]
pub fn hex(color: Color) -> String {
    let [r, g, b, opacity] = color.into_rgba8();
    match opacity {
        u8::MAX => format!("#{r:02x}{g:02x}{b:02x}"),
        _ => format!("#{r:02x}{g:02x}{b:02x}{opacity:02x}"),
    }
}

/// A text that stays for as long as the program: there are as many as names were ever read from files.
fn kept(text: &str) -> &'static str {
    static KEPT: Mutex<Option<HashSet<&'static str>>> = Mutex::new(None);
    let mut all = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let all = all.get_or_insert_default();
    if let Some(known) = all.get(text) {
        return known;
    }
    let text: &'static str = Box::leak(text.to_owned().into_boxed_str());
    let _ = all.insert(text);
    text
}

/// Tokens that stay for as long as the program: every screen holds on to them. Those that were read
/// before are not kept twice, so there are as many as a person ever made.
#[must_use]
pub fn keep(tokens: Tokens) -> &'static Tokens {
    static KEPT: Mutex<Vec<&'static Tokens>> = Mutex::new(Vec::new());
    let mut all = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = all.iter().find(|known| ***known == tokens) {
        return known;
    }
    let tokens: &'static Tokens = Box::leak(Box::new(tokens));
    all.push(tokens);
    tokens
}

/// The theme that comes with the program which colours of a terminal belong to: dark or light.
#[must_use]
pub fn base_for(terminal: &Terminal) -> &'static Tokens {
    let [r, g, b] = terminal.background;
    let background = Color::from_rgb8(r, g, b);
    let dark =
        super::contrast(background, Color::WHITE) >= super::contrast(background, Color::BLACK);
    if dark { &NOCTURNE } else { &MATINEE }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_lines_are_a_theme() {
        let text = "from = \"Velvet\"\n[window]\naccent = \"#fff\"\n";
        let tokens = parse(text, "Mine").expect("right");
        let velvet = super::super::named("velvet").expect("there");
        assert_eq!((tokens.name, tokens.about), ("Mine", "Built on Velvet"));
        assert_eq!(tokens.accent, Color::WHITE);
        assert_eq!((tokens.base, tokens.terminal), (velvet.base, velvet.terminal));
        assert_eq!(parse("", "x").expect("right").base, NOCTURNE.base);
        assert_eq!(parse("dark = false", "x").expect("right").base, MATINEE.base);
    }

    #[test]
    fn what_is_written_is_read_again() {
        for tokens in super::super::ALL.iter() {
            assert_eq!(parse(&written(tokens), "x").as_ref(), Ok(*tokens), "{}", tokens.name);
        }
        let terminal = MATINEE.terminal;
        let text = written_over(&MATINEE, "A \"b\"\u{202e}", "from\na file", &terminal);
        let tokens = parse(&text, "x").expect("right");
        assert!(tokens.name.starts_with("A \"b\""), "{}", tokens.name);
        assert_eq!((tokens.base, tokens.terminal), (MATINEE.base, terminal));
        assert_eq!(base_for(&terminal).name, MATINEE.name);
        assert_eq!(base_for(&NOCTURNE.terminal).name, NOCTURNE.name);
    }

    #[test]
    fn a_mistake_is_told_with_its_line() {
        for (text, line, said) in [
            ("name = 3\n", Some(1), "name is a text"),
            ("\ncolour = \"red\"\n", Some(2), "a theme has no `colour`"),
            ("[window]\n\nbase = \"red\"\n", Some(3), "a colour is written as"),
            ("[window]\nbase = \"#11223344\"\n", Some(2), "base is a solid colour"),
            ("[window]\nbas = \"#112233\"\n", Some(2), "a theme has no `bas`"),
            ("window = 1\n", Some(1), "window is a table"),
            ("[terminal]\nansi = [\"#000\"]\n", Some(2), "sixteen colours"),
            ("[terminal]\ncursor = \"#00000000\"\n", Some(2), "solid"),
            ("from = \"nowhere\"\n", Some(1), "there is no theme `nowhere`"),
            ("dark = \"yes\"\n", Some(1), "dark is true or false"),
            ("name = \n", Some(1), ""),
        ] {
            let problem = parse(text, "x").expect_err(text);
            assert_eq!(problem.line, line, "{text}: {problem}");
            assert!(problem.why.contains(said), "{text}: {problem}");
        }
        let long = format!("name = \"{}\"", "x".repeat(10_000));
        assert!(parse(&long, "x").is_err());
    }

    #[test]
    fn colours_are_read_as_people_write_them() {
        for (text, expected) in [
            ("#fff", Some([255, 255, 255, 255])),
            ("#1a1E25", Some([0x1a, 0x1e, 0x25, 255])),
            ("0x1a1e25", Some([0x1a, 0x1e, 0x25, 255])),
            (" 1a1e25 ", Some([0x1a, 0x1e, 0x25, 255])),
            ("#1a1e2580", Some([0x1a, 0x1e, 0x25, 0x80])),
            ("#1a1e2", None),
            ("#ééé", None),
            ("+12", None),
            ("", None),
        ] {
            assert_eq!(color(text), expected, "{text}");
        }
    }

    #[test]
    fn the_same_theme_is_kept_once() {
        let tokens = parse("name = \"Kept\"", "x").expect("right");
        assert!(std::ptr::eq(keep(tokens), keep(tokens)));
    }
}

//! Colours of terminals as other programs keep them: Alacritty, iTerm2 and base16.

use super::Terminal;
use super::file::color;

/// What a file's colours are called where it says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The scheme's own name.
    pub name: Option<String>,
    /// Whose format it is.
    pub format: &'static str,
    /// The colours.
    pub terminal: Terminal,
}

/// Why a file's colours cannot be taken over; a sentence without its full stop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// None of the formats.
    #[error("these are no colours of Alacritty (TOML), iTerm2 (.itermcolors) or base16 (YAML)")]
    Unknown,
    /// One of them, but a colour is not there or is none.
    #[error("it looks like a scheme of {format}, but its {what} is not there or is no colour")]
    Missing {
        /// Whose format.
        format: &'static str,
        /// Which colour.
        what: String,
    },
}

/// The names of the eight colours, as Alacritty has them.
const NAMES: [&str; 8] = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];

/// Which of base16's sixteen a terminal's sixteen are, by the scheme's own convention.
const BASE16: [usize; 16] = [0, 8, 11, 10, 13, 14, 12, 5, 3, 8, 11, 10, 13, 14, 12, 7];

/// Reads the colours of a file, whichever of the formats it has.
///
/// # Errors
///
/// When it is none of them, or a colour is not there.
pub fn read(text: &str) -> Result<Imported, Error> {
    let text = text.trim_start_matches('\u{feff}');
    if text.contains("<plist") || text.contains("Ansi 0 Color") {
        iterm(text)
    } else if text.contains("base00") {
        base16(text)
    } else {
        alacritty(text)
    }
}

fn alacritty(text: &str) -> Result<Imported, Error> {
    let table: toml::Table = text.parse().map_err(|_| Error::Unknown)?;
    let colors = table.get("colors").and_then(toml::Value::as_table).ok_or(Error::Unknown)?;
    let missing = |what: &str| Error::Missing { format: "Alacritty", what: what.to_owned() };
    let find = |group: &str, name: &str| solid(colors.get(group)?.get(name)?.as_str()?);
    let named = |group: &str, name: &str| {
        find(group, name).ok_or_else(|| missing(&format!("{group} {name}")))
    };
    let foreground = named("primary", "foreground")?;
    let background = named("primary", "background")?;
    let mut ansi = [[0; 3]; 16];
    for (at, name) in NAMES.into_iter().enumerate() {
        ansi[at] = named("normal", name)?;
        // A scheme without bright colours has the normal ones for both.
        ansi[at + 8] = find("bright", name).unwrap_or(ansi[at]);
    }
    let cursor = find("cursor", "cursor").unwrap_or(foreground);
    let selection = find("selection", "background");
    let selection = selection.unwrap_or_else(|| between(background, foreground));
    let terminal = Terminal { foreground, background, cursor, selection, ansi };
    Ok(Imported { name: None, format: "Alacritty", terminal })
}

fn base16(text: &str) -> Result<Imported, Error> {
    let value = |key: &str| {
        text.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            (name.trim().trim_matches(['"', '\'']) == key).then(|| unquoted(value))
        })
    };
    let mut base = [[0; 3]; 16];
    for (at, color) in base.iter_mut().enumerate() {
        let key = format!("base{at:02X}");
        let found = value(&key).or_else(|| value(&key.to_lowercase()));
        *color = found.and_then(solid).ok_or(Error::Missing { format: "base16", what: key })?;
    }
    let terminal = Terminal {
        foreground: base[5],
        background: base[0],
        cursor: base[5],
        selection: base[2],
        ansi: BASE16.map(|at| base[at]),
    };
    let name = value("scheme").or_else(|| value("name")).filter(|name| !name.is_empty());
    Ok(Imported { name: name.map(str::to_owned), format: "base16", terminal })
}

/// What stands in quotation marks, or what stands there without a comment.
fn unquoted(value: &str) -> &str {
    let value = value.trim();
    for mark in ['"', '\''] {
        if let Some(rest) = value.strip_prefix(mark) {
            return rest.split(mark).next().unwrap_or_default();
        }
    }
    value.split(" #").next().unwrap_or_default().trim()
}

/// Reads the XML of a property list by its few words: keys, each with a dictionary of parts of a colour.
fn iterm(text: &str) -> Result<Imported, Error> {
    let find = |name: &str| {
        let (_, rest) = text.split_once(&format!("<key>{name}</key>"))?;
        let (dictionary, _) = rest.split_once("</dict>")?;
        let (between, dictionary) = dictionary.split_once("<dict>")?;
        between.trim().is_empty().then_some(())?;
        let part = |name: &str| {
            let (_, rest) = dictionary.split_once(&format!("<key>{name} Component</key>"))?;
            let (_, rest) = rest.split_once('>')?;
            let part: f64 = rest.split('<').next()?.trim().parse().ok()?;
            part.is_finite().then(|| (part.clamp(0.0, 1.0) * 255.0).round() as u8)
        };
        Some([part("Red")?, part("Green")?, part("Blue")?])
    };
    let named = |name: &str| {
        find(name).ok_or_else(|| Error::Missing { format: "iTerm2", what: name.to_owned() })
    };
    let mut ansi = [[0; 3]; 16];
    for (at, color) in ansi.iter_mut().enumerate() {
        *color = named(&format!("Ansi {at} Color"))?;
    }
    let (foreground, background) = (named("Foreground Color")?, named("Background Color")?);
    let terminal = Terminal {
        foreground,
        background,
        cursor: find("Cursor Color").unwrap_or(foreground),
        selection: find("Selection Color").unwrap_or_else(|| between(background, foreground)),
        ansi,
    };
    Ok(Imported { name: None, format: "iTerm2", terminal })
}

fn solid(text: &str) -> Option<[u8; 3]> {
    let [r, g, b, _] = color(text)?;
    Some([r, g, b])
}

/// A quarter of the way from one colour to another.
fn between(from: [u8; 3], to: [u8; 3]) -> [u8; 3] {
    [0, 1, 2].map(|at| ((u16::from(from[at]) * 3 + u16::from(to[at])) / 4) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alacritty_text() -> String {
        let colors = |from: usize| {
            let lines = NAMES.iter().enumerate();
            lines.map(|(at, name)| format!("{name} = '0x{0:02x}{0:02x}00'\n", at + from)).collect()
        };
        let (normal, bright): (String, String) = (colors(0x10), colors(0x20));
        format!(
            "[colors.primary]\nforeground = '#eeeeee'\nbackground = '#111111'\n\
             [colors.normal]\n{normal}[colors.bright]\n{bright}"
        )
    }

    fn base16_text() -> String {
        let lines = (0..16).map(|at| format!("base{at:02X}: \"{0:02x}{0:02x}{0:02x}\"\n", at * 16));
        format!("scheme: \"Grey\"\nauthor: 'x'\n{}", lines.collect::<String>())
    }

    fn iterm_text() -> String {
        let color = |name: &str, red: f64| {
            format!(
                "<key>{name}</key>\n<dict>\n<key>Color Space</key>\n<string>sRGB</string>\n\
                 <key>Blue Component</key>\n<real>0</real>\n<key>Green Component</key>\n\
                 <real>1</real>\n<key>Red Component</key>\n<real>{red}</real>\n</dict>\n"
            )
        };
        let ansi: String =
            (0..16).map(|at| color(&format!("Ansi {at} Color"), f64::from(at) / 255.0)).collect();
        let rest = color("Foreground Color", 1.0) + &color("Background Color", 0.0);
        format!(
            "<?xml version=\"1.0\"?>\n<plist version=\"1.0\">\n<dict>\n{ansi}{rest}</dict></plist>"
        )
    }

    #[test]
    fn three_formats_are_read() {
        let found = read(&alacritty_text()).expect("Alacritty");
        assert_eq!((found.format, found.terminal.ansi[1]), ("Alacritty", [0x11, 0x11, 0]));
        assert_eq!(found.terminal.ansi[9], [0x21, 0x21, 0]);
        assert_eq!(found.terminal.cursor, [0xee; 3]);
        let found = read(&base16_text()).expect("base16");
        assert_eq!((found.format, found.name.as_deref()), ("base16", Some("Grey")));
        assert_eq!((found.terminal.ansi[1], found.terminal.background), ([0x80; 3], [0; 3]));
        let found = read(&iterm_text()).expect("iTerm2");
        assert_eq!((found.format, found.terminal.ansi[15]), ("iTerm2", [15, 255, 0]));
    }

    #[test]
    fn what_is_missing_is_named() {
        for (text, said) in [
            (alacritty_text().replace("yellow", "yelow"), "normal yellow"),
            (base16_text().replace("base0A", "base0Z"), "base0A"),
            (base16_text().replace("a0a0a0", "zzzzzz"), "base0A"),
            (iterm_text().replace("Ansi 7 Color", "Ansi 99 Color"), "Ansi 7 Color"),
            (iterm_text().replace("Red Component", "Rot Component"), "Ansi 0 Color"),
            (String::new(), "no colours of"),
            ("<plist".to_owned(), "Ansi 0 Color"),
            ("x = [".to_owned(), "no colours of"),
            ("base00".to_owned(), "base00"),
        ] {
            let error = read(&text).expect_err(said).to_string();
            assert!(error.contains(said), "{error}");
        }
    }
}

//! `maestro theme`: the themes there are, looked at, and colours of other terminals taken over as one.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use maestro_core::{settings, text};
use maestro_engine::settings as settings_file;
use maestro_protocol::Home;
use maestro_ui::theme::{self, Tokens, file, import};
use serde_json::{Value, json};

use super::failure::{Code, Failure, Result};
use super::output::{self, Out};
use crate::window::themes::{self, Problem, SYSTEM, Themes};

/// A larger file has no colours for us, in bytes.
const LARGEST: u64 = 1024 * 1024;

/// The themes.
#[derive(Debug, Subcommand)]
pub enum Theme {
    /// Print every theme, your own ones last.
    List,
    /// Print one as a file: what a theme of your own can begin with.
    Show {
        /// Its name.
        name: String,
    },
    /// Take over a terminal's colours from a file of Alacritty (TOML), iTerm2 (.itermcolors) or base16
    /// (YAML): a theme of your own with them.
    Import {
        /// The file.
        file: PathBuf,
        /// What the theme is called; what the file says, or the file's name, when absent.
        #[arg(long)]
        name: Option<String>,
        /// The theme that the window's own colours are of; Nocturne or Matinee when absent.
        #[arg(long, value_name = "THEME")]
        from: Option<String>,
        /// Take the place of a theme of your own with this name.
        #[arg(long)]
        replace: bool,
    },
    /// Show windows in a theme, or follow the desktop with `system`.
    Set {
        /// Its name, or system.
        name: String,
    },
    /// Print the folder of your own themes.
    Path,
    /// Say what is wrong with your own themes, and what is hard to read in them.
    Check,
}

pub fn run(command: Theme, out: &mut Out) -> Result<()> {
    let home = Home::from_env()?;
    let folder = home.root().join(themes::FOLDER);
    let (known, problems) = Themes::read(&folder);
    match command {
        Theme::List => list(&known, &problems, out),
        Theme::Show { name } => {
            let tokens = find(&known, &name)?;
            if out.json {
                return out.value(&value(&known, tokens));
            }
            out.bytes(file::written(tokens).as_bytes())
        }
        Theme::Import { file, name, from, replace } => {
            let from = from.map(|name| find(&known, &name)).transpose()?;
            home.create()?;
            let order = Order { file: &file, name, from, replace };
            taken_over(&known, &folder, order, out)
        }
        Theme::Set { name } => set(&home, &known, &name, out),
        Theme::Path => {
            if out.json {
                return out.value(&json!(folder));
            }
            out.line(&folder.display().to_string())
        }
        Theme::Check => check(&known, &problems, out),
    }
}

fn find(known: &Themes, name: &str) -> Result<&'static Tokens> {
    known.named(name).ok_or_else(|| {
        let name = output::plain(name);
        let text = format!("There is no theme `{name}`: `maestro theme list` has all.");
        Failure::new(Code::Usage, text)
    })
}

fn value(known: &Themes, tokens: &Tokens) -> Value {
    let terminal = &tokens.terminal;
    json!({
        "name": tokens.name,
        "about": tokens.about,
        "dark": tokens.dark,
        "high_contrast": tokens.high_contrast,
        "color_blind_safe": tokens.color_blind_safe,
        "file": known.file_of(tokens),
        "base": file::hex(tokens.base),
        "accent": file::hex(tokens.accent),
        "terminal": {
            "foreground": rgb(terminal.foreground),
            "background": rgb(terminal.background),
            "cursor": rgb(terminal.cursor),
            "selection": rgb(terminal.selection),
            "ansi": terminal.ansi.map(rgb),
        },
    })
}

fn rgb([r, g, b]: [u8; 3]) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

fn list(known: &Themes, problems: &[Problem], out: &mut Out) -> Result<()> {
    if out.json {
        return out.value(&known.all().map(|tokens| value(known, tokens)).collect());
    }
    let kind = |tokens: &Tokens| {
        let kind = if tokens.dark { "dark" } else { "light" };
        let purpose = match (tokens.high_contrast, tokens.color_blind_safe) {
            (true, _) => ", high contrast",
            (_, true) => ", colour-blind safe",
            _ => "",
        };
        format!("{kind}{purpose}")
    };
    let rows: Vec<Vec<String>> = known
        .all()
        .map(|tokens| {
            let own = if known.file_of(tokens).is_some() { "*" } else { "" };
            vec![format!("{}{own}", tokens.name), kind(tokens), tokens.about.to_owned()]
        })
        .collect();
    out.table(&["THEME", "KIND", "ABOUT"], &rows, "")?;
    if known.all().any(|tokens| known.file_of(tokens).is_some()) {
        out.line("* your own")?;
    }
    for problem in problems {
        super::complain(&format!("{problem}."));
    }
    Ok(())
}

/// What is to be taken over.
struct Order<'a> {
    file: &'a Path,
    name: Option<String>,
    from: Option<&'static Tokens>,
    replace: bool,
}

fn taken_over(known: &Themes, folder: &Path, order: Order<'_>, out: &mut Out) -> Result<()> {
    let shown = order.file.display();
    let failed = |why: String| Failure::failed(output::plain(&why));
    let text = themes::text_of(order.file, LARGEST)
        .map_err(|error| failed(format!("{shown} cannot be read: {error}.")))?;
    let found = import::read(&text).map_err(|error| failed(format!("{shown}: {error}.")))?;
    let stem = order.file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let name = order.name.or(found.name).unwrap_or(stem);
    let name = text::clean(&name, 40);
    let slug = slug(&name);
    if slug.is_empty() {
        return Err(Failure::new(Code::Usage, "The theme needs a name: say it with --name."));
    }
    let path = folder.join(format!("{slug}.toml"));
    let own = known.named(&name).map(|tokens| known.file_of(tokens));
    if own == Some(None) {
        let text = format!("{name} came with the program: give yours another --name.");
        return Err(Failure::failed(text));
    }
    let path = own.flatten().map_or(path, Path::to_owned);
    if path.exists() && !order.replace {
        let text = format!("There is {} already: --replace takes its place.", path.display());
        return Err(failed(text));
    }
    let from = order.from.unwrap_or_else(|| file::base_for(&found.terminal));
    let about = format!("Terminal colours from {}", found.format);
    let text = file::written_over(from, &name, &about, &found.terminal);
    let tokens = file::parse(&text, &name).map_err(|error| failed(format!("{shown}: {error}.")))?;
    fs::create_dir_all(folder)
        .and_then(|()| write(&path, &text))
        .map_err(|error| failed(format!("{} cannot be written: {error}.", path.display())))?;
    if out.json {
        return out.value(&json!({ "name": tokens.name, "file": path }));
    }
    out.line(&format!("{} is in {}.", tokens.name, output::plain(&path.display().to_string())))?;
    unreadable(&tokens, out)
}

/// Writes it whole or not at all: windows read it as soon as it is there.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let beside = path.with_extension(format!("new-{}", std::process::id()));
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create_new(true).open(&beside)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        // What is half written is of no use; the error that is told is the first one.
        let _ = fs::remove_file(&beside);
    }
    written
}

/// A name as a file can have it.
fn slug(name: &str) -> String {
    let letters = name.to_lowercase();
    let words = letters.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-")
}

fn set(home: &Home, known: &Themes, name: &str, out: &mut Out) -> Result<()> {
    let name = match name.trim() {
        word if word.eq_ignore_ascii_case(SYSTEM) => SYSTEM,
        name => find(known, name)?.name,
    };
    home.create()?;
    let setting = settings::find("appearance.theme")
        .ok_or_else(|| Failure::failed("There is no such setting."))?;
    let value = settings::Value::Text(name.to_owned());
    let _ = settings_file::set(&settings_file::path(home), setting, None, Some(&value))
        .map_err(|problem| Failure::failed(format!("{problem}.")))?;
    if out.json {
        return out.value(&json!({ "theme": name }));
    }
    out.line(&match name {
        SYSTEM => "Windows follow the desktop.".to_owned(),
        name => format!("Windows are shown in {name}."),
    })
}

/// Says what is hard to read in a theme.
fn unreadable(tokens: &Tokens, out: &mut Out) -> Result<()> {
    let pairs = tokens.unreadable();
    if pairs.is_empty() {
        return Ok(());
    }
    let least = tokens.least_contrast();
    out.line(&format!(
        "{}: a contrast of {least} can be read by nearly everybody, but",
        tokens.name
    ))?;
    for pair in pairs {
        out.line(&format!("  {} on {} has {:.1}", pair.ink, pair.surface, pair.ratio))?;
    }
    Ok(())
}

fn check(known: &Themes, problems: &[Problem], out: &mut Out) -> Result<()> {
    let own: Vec<&Tokens> = known.all().filter(|tokens| known.file_of(tokens).is_some()).collect();
    if out.json {
        let problems = problems.iter().map(
            |problem| json!({ "file": problem.path, "line": problem.line, "why": problem.why }),
        );
        let pairs = own.iter().flat_map(|tokens| {
            tokens.unreadable().into_iter().map(|pair| {
                json!({
                    "theme": tokens.name,
                    "ink": pair.ink,
                    "surface": pair.surface,
                    "contrast": pair.ratio,
                })
            })
        });
        let pairs: Vec<Value> = pairs.collect();
        out.value(&json!({ "problems": problems.collect::<Vec<_>>(), "unreadable": pairs }))?;
    } else {
        for tokens in &own {
            unreadable(tokens, out)?;
        }
    }
    match problems {
        [] if out.json => Ok(()),
        [] => out.line(&format!(
            "{} of your own, and {} that came with the program.",
            own.len(),
            theme::ALL.len()
        )),
        problems => {
            let all: Vec<String> = problems.iter().map(|problem| format!("{problem}.")).collect();
            Err(Failure::failed(all.join("\n")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_becomes_a_file_that_stays_in_its_folder() {
        for (name, expected) in [
            ("Gruvbox Dark, hard", "gruvbox-dark-hard"),
            ("../../etc/passwd", "etc-passwd"),
            ("Größe", "größe"),
            ("..", ""),
        ] {
            assert_eq!(slug(name), expected);
        }
    }
}

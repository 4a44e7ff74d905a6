//! The themes there are: those that came with the program, and those of `themes` in the home folder, one
//! file each; and what the desktop prefers.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use iced::futures::Stream;
use maestro_ui::theme::{self, Tokens, file};

/// The folder's name in the home folder.
pub const FOLDER: &str = "themes";

/// The name under which the theme follows the desktop.
pub const SYSTEM: &str = "system";

/// More files than these are no collection of themes.
const MOST: usize = 200;

/// How often the folder is looked at.
const PERIOD: Duration = Duration::from_secs(1);

/// A file that is no theme.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{}: {why}", path.display(), line.map(|line| format!(":{line}")).unwrap_or_default())]
pub struct Problem {
    /// The file.
    pub path: PathBuf,
    /// The line, from 1, where it is about one.
    pub line: Option<usize>,
    /// What is wrong; a sentence without its full stop.
    pub why: String,
}

/// What a file of the folder is.
pub type Read = (PathBuf, Result<&'static Tokens, Problem>);

/// Every theme.
#[derive(Debug, Clone, Default)]
pub struct Themes {
    own: BTreeMap<PathBuf, &'static Tokens>,
}

impl Themes {
    /// Those of a folder, and what is wrong with its files. Blocks.
    #[must_use]
    pub fn read(folder: &Path) -> (Self, Vec<Problem>) {
        let mut themes = Self::default();
        let problems = themes.take(read(folder));
        (themes, problems)
    }

    /// Takes in what the files are now. One that is wrong leaves the theme that it was.
    pub fn take(&mut self, files: Vec<Read>) -> Vec<Problem> {
        let mut before = std::mem::take(&mut self.own);
        let mut problems = Vec::new();
        for (path, read) in files {
            let tokens = match read {
                Ok(tokens) if self.named(tokens.name).is_some() => {
                    let why = format!("there is a theme called {} already", tokens.name);
                    problems.push(Problem { path: path.clone(), line: None, why });
                    before.remove(&path)
                }
                Ok(tokens) => Some(tokens),
                Err(problem) => {
                    problems.push(problem);
                    before.remove(&path)
                }
            };
            if let Some(tokens) = tokens.filter(|tokens| self.named(tokens.name).is_none()) {
                let _ = self.own.insert(path, tokens);
            }
        }
        problems
    }

    /// All of them, the user's own last.
    pub fn all(&self) -> impl Iterator<Item = &'static Tokens> {
        theme::ALL.iter().copied().chain(self.own.values().copied())
    }

    /// The one with a name, in any case.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&'static Tokens> {
        let own = || self.own.values().copied().find(|tokens| tokens.is_called(name));
        theme::named(name).or_else(own)
    }

    /// The file of one of the user's own.
    #[must_use]
    pub fn file_of(&self, tokens: &Tokens) -> Option<&Path> {
        let mut own = self.own.iter();
        own.find(|(_, own)| **own == tokens).map(|(path, _)| path.as_path())
    }
}

/// The files of a folder, in the order of their names; a folder that is not there has none. Blocks.
pub fn read(folder: &Path) -> Vec<Read> {
    files(folder).into_iter().map(|path| (path.clone(), theme_of(&path))).collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let is_theme = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "toml");
    let mut paths: Vec<PathBuf> = paths.filter(is_theme).take(MOST).collect();
    paths.sort();
    paths
}

fn theme_of(path: &Path) -> Result<&'static Tokens, Problem> {
    let problem = |line, why| Problem { path: path.to_owned(), line, why };
    let text = text_of(path, file::LARGEST)
        .map_err(|error| problem(None, format!("it cannot be read: {error}")))?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    match file::parse(&text, &name) {
        Ok(tokens) => Ok(file::keep(tokens)),
        Err(wrong) => Err(problem(wrong.line, wrong.why)),
    }
}

/// The text of an ordinary file that is not larger than so many bytes. Blocks.
pub fn text_of(path: &Path, largest: u64) -> io::Result<String> {
    let refused = |why: String| io::Error::new(io::ErrorKind::InvalidData, why);
    // A pipe would be waited for.
    if !fs::metadata(path)?.is_file() {
        return Err(refused("it is no file".to_owned()));
    }
    let mut bytes = Vec::new();
    let _ = File::open(path)?.take(largest + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > largest {
        return Err(refused(format!("it has more than {} KiB", largest / 1024)));
    }
    String::from_utf8(bytes).map_err(|_| refused("it is no UTF-8".to_owned()))
}

/// What tells one state of the folder from another.
type Stamp = Vec<(PathBuf, Option<SystemTime>, u64)>;

fn stamp(folder: &Path) -> Stamp {
    let about = |path: PathBuf| {
        let about = fs::metadata(&path).ok();
        let written = about.as_ref().and_then(|about| about.modified().ok());
        (path, written, about.map_or(0, |about| about.len()))
    };
    files(folder).into_iter().map(about).collect()
}

/// What the files of a folder are, whenever one of them is another than before.
pub fn changes(folder: PathBuf) -> impl Stream<Item = Vec<Read>> + Send {
    let known = stamp(&folder);
    iced::futures::stream::unfold((folder, known), |(folder, known)| async move {
        loop {
            tokio::time::sleep(PERIOD).await;
            let now = stamp(&folder);
            if now != known {
                return Some((read(&folder), (folder, now)));
            }
        }
    })
}

/// Whether the desktop prefers dark, now and whenever it changes its mind; nothing where it does not say.
///
/// On Linux the desktop's portal is asked through `gdbus`, which comes with GLib: a client for D-Bus of
/// our own would be a lot of code in the way of the first frame.
#[cfg(target_os = "linux")]
pub fn desktop() -> impl Stream<Item = Option<bool>> + Send {
    use std::process::Stdio;

    use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
    use tokio::process::{Child, ChildStdout, Command};

    const NAME: &str = "org.freedesktop.portal.Desktop";
    const PATH: &str = "/org/freedesktop/portal/desktop";

    enum Step {
        Begin,
        Follow(Child, Lines<BufReader<ChildStdout>>),
        End,
    }

    fn gdbus(words: &[&str]) -> Command {
        let mut command = Command::new("gdbus");
        let _ = command.args(words).stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        command
    }

    async fn asked() -> Option<bool> {
        let method = "org.freedesktop.portal.Settings.Read";
        let words = ["call", "--session", "--timeout", "5", "--dest", NAME, "--object-path", PATH];
        let mut command = gdbus(&words);
        let _ = command.args(["--method", method, "org.freedesktop.appearance", "color-scheme"]);
        let output = command.output().await.ok()?;
        scheme(&String::from_utf8_lossy(&output.stdout))
    }

    fn followed() -> Step {
        let words = ["monitor", "--session", "--dest", NAME, "--object-path", PATH];
        let child = gdbus(&words).stdout(Stdio::piped()).spawn();
        let Ok(mut child) = child else { return Step::End };
        match child.stdout.take() {
            Some(stdout) => Step::Follow(child, BufReader::new(stdout).lines()),
            None => Step::End,
        }
    }

    iced::futures::stream::unfold(Step::Begin, |step| async move {
        match step {
            // Followed first: what changes while it is asked is not missed.
            Step::Begin => {
                let follow = followed();
                Some((asked().await, follow))
            }
            Step::Follow(child, mut lines) => loop {
                let line = lines.next_line().await.ok().flatten()?;
                if line.contains("SettingChanged") && line.contains("'color-scheme'") {
                    return Some((scheme(&line), Step::Follow(child, lines)));
                }
            },
            Step::End => None,
        }
    })
}

/// The desktop's preference in what `gdbus` prints: 1 is dark, 2 is light, 0 is none.
#[cfg(any(target_os = "linux", test))]
fn scheme(printed: &str) -> Option<bool> {
    let (_, number) = printed.rsplit_once("uint32 ")?;
    match number.trim_start().chars().next()? {
        '1' => Some(true),
        '2' => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_a_theme_and_a_mistake_leaves_what_was() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            fs::write(folder.path().join(name), text).expect("written");
        };
        write("dawn.toml", "dark = false\n[window]\naccent = \"#123456\"\n");
        write("notes.txt", "no theme");
        let (mut themes, problems) = Themes::read(folder.path());
        assert_eq!(problems, []);
        let dawn = themes.named("DAWN").expect("there");
        assert_eq!(themes.all().count(), theme::ALL.len() + 1);
        assert_eq!(themes.file_of(dawn), Some(folder.path().join("dawn.toml").as_path()));
        // Half saved.
        write("dawn.toml", "dark = false\n[window]\naccent = \"#12\n");
        let problems = themes.take(read(folder.path()));
        assert_eq!(problems[0].line, Some(3), "{problems:?}");
        assert!(problems[0].to_string().contains("dawn.toml:3: "), "{}", problems[0]);
        assert_eq!(themes.named("dawn"), Some(dawn));
        // Another file with the name of one that there is.
        write("dawn.toml", "name = \"Velvet\"\n");
        write("more.toml", "name = \"Dusk\"\n");
        let problems = themes.take(read(folder.path()));
        assert!(problems[0].why.contains("called Velvet already"), "{problems:?}");
        assert!(themes.named("Dusk").is_some() && themes.named("dawn") == Some(dawn));
        fs::remove_file(folder.path().join("dawn.toml")).expect("removed");
        assert_eq!(themes.take(read(folder.path())), []);
        assert_eq!(themes.named("dawn"), None);
    }

    #[test]
    fn what_is_no_file_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("a.toml")).expect("made");
        fs::write(folder.path().join("b.toml"), [0xff, 0xfe]).expect("written");
        let large = vec![b'#'; file::LARGEST as usize + 1];
        fs::write(folder.path().join("c.toml"), large).expect("written");
        let (_, problems) = Themes::read(folder.path());
        let said: Vec<&str> = problems.iter().map(|problem| problem.why.as_str()).collect();
        let expected = ["it is no file", "it is no UTF-8", "it has more than 64 KiB"];
        for (said, expected) in said.iter().zip(expected) {
            assert!(said.contains(expected), "{said}");
        }
        assert_eq!(said.len(), expected.len());
        assert!(Themes::read(&folder.path().join("gone")).1.is_empty());
    }

    #[test]
    fn the_desktop_says_dark_or_light() {
        let changed = "/org/freedesktop/portal/desktop: org.freedesktop.portal.Settings.SettingChanged \
                       ('org.freedesktop.appearance', 'color-scheme', <uint32 2>)";
        for (printed, expected) in [
            ("(<<uint32 1>>,)\n", Some(true)),
            ("(<<uint32 0>>,)\n", None),
            (changed, Some(false)),
            ("", None),
            ("uint32 ", None),
        ] {
            assert_eq!(scheme(printed), expected, "{printed}");
        }
    }
}

//! Where a link leads, and what may be done with it.
//!
//! Everything a terminal shows is foreign: nothing is opened unasked, and what would run a program is
//! not opened at all.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use maestro_core::link;
use maestro_core::text;

/// Endings of files that a desktop runs rather than shows.
const RUN: &[&str] = &[
    "desktop",
    "appimage",
    "sh",
    "bash",
    "zsh",
    "fish",
    "csh",
    "ksh",
    "run",
    "bin",
    "elf",
    "jar",
    "jnlp",
    "py",
    "pyw",
    "pyz",
    "pl",
    "rb",
    "php",
    "lua",
    "command",
    "app",
    "scpt",
    "applescript",
    "terminal",
    "tool",
    "workflow",
    "action",
    "prefpane",
    "pkg",
    "mpkg",
    "dmg",
    "deb",
    "rpm",
    "snap",
    "flatpakref",
    "flatpak",
    "exe",
    "com",
    "bat",
    "cmd",
    "ps1",
    "psm1",
    "msi",
    "msix",
    "msp",
    "vbs",
    "vbe",
    "js",
    "jse",
    "wsf",
    "wsh",
    "hta",
    "lnk",
    "url",
    "scr",
    "reg",
    "inf",
    "cpl",
    "msc",
    "application",
    "gadget",
    "pif",
];

/// Where a link leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A page in the browser.
    Web {
        /// The whole address.
        url: String,
        /// The host in it.
        host: String,
    },
    /// A letter to somebody.
    Mail {
        /// The whole address with its scheme.
        url: String,
    },
    /// A file or folder on this machine.
    File(File),
    /// Nowhere that may be gone to.
    Refused {
        /// Where it leads.
        target: String,
        /// Why not.
        why: String,
    },
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its absolute path.
    pub path: PathBuf,
    /// The line, from 1.
    pub line: Option<u32>,
    /// The column, from 1.
    pub column: Option<u32>,
    /// What is there.
    pub is: Is,
}

/// What is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Is {
    /// Nothing has been looked at yet.
    Unknown,
    /// Nothing.
    Missing,
    /// A folder.
    Folder,
    /// Something that a desktop would run.
    Program,
    /// Something that it would show.
    Document,
}

/// Reads where a link leads. Relative paths are the terminal's; nothing is looked at.
#[must_use]
pub fn read(target: &str, kind: link::Kind, directory: &Path, home: Option<&Path>) -> Target {
    if let link::Kind::Path { line, col } = kind {
        let line = (line > 0).then_some(line);
        let path = match (target.strip_prefix("~/"), home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => directory.join(target),
        };
        return Target::File(File { path, line, column: col, is: Is::Unknown });
    }
    let refused = |why: &str| Target::Refused { target: target.to_owned(), why: why.to_owned() };
    let Some(scheme) = link::scheme(target) else {
        return refused("It is no address.");
    };
    if scheme == "file" {
        return local(target).unwrap_or_else(refused);
    }
    if !link::may_open(target) {
        return match scheme.as_str() {
            "http" | "https" | "mailto" => refused(
                "It has characters that make it look other than it is, or it is too long to be checked.",
            ),
            _ => refused(
                "Addresses of this kind are not opened: only http, https, mailto and files are.",
            ),
        };
    }
    let url = target.to_owned();
    match (scheme.as_str(), host(target)) {
        ("mailto", _) => Target::Mail { url },
        (_, Some(host)) => Target::Web { url, host },
        _ => refused("It names no host."),
    }
}

/// The host in an address: what is between the slashes, without name, password and port.
fn host(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let place = rest.split(['/', '?', '#', '\\']).next()?;
    let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
    let host = match place.strip_prefix('[') {
        Some(six) => six.split_once(']').map(|(six, _)| format!("[{six}]"))?,
        None => place.split(':').next()?.to_owned(),
    };
    (!host.is_empty()).then(|| host.to_lowercase())
}

/// A `file:` address of this machine.
fn local(target: &str) -> Result<Target, &'static str> {
    let rest = target.get("file:".len()..).unwrap_or_default();
    let path = match rest.strip_prefix("//") {
        Some(rest) => {
            let slash = rest.find('/').ok_or("It names no file.")?;
            let (host, path) = rest.split_at(slash);
            if !is_here(host) {
                return Err("It is a file of another machine.");
            }
            path
        }
        None => rest,
    };
    let path = path.split(['#', '?']).next().unwrap_or_default();
    let path = unescaped(path).ok_or("It is no file name.")?;
    let path = PathBuf::from(path);
    if !path.is_absolute() {
        return Err("It is no absolute file name.");
    }
    Ok(Target::File(File { path, line: None, column: None, is: Is::Unknown }))
}

fn is_here(host: &str) -> bool {
    let name = rustix::system::uname();
    host.is_empty()
        || host.eq_ignore_ascii_case("localhost")
        || name.nodename().to_str().is_ok_and(|name| name.eq_ignore_ascii_case(host))
}

/// Takes the percent signs out.
fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        rest = more;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (digits, more) = rest.split_at_checked(2)?;
        let digits = std::str::from_utf8(digits).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = more;
    }
    String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))
}

/// Looks at what is there. Reads from the disk: not for the window's thread.
#[must_use]
pub fn examined(target: Target) -> Target {
    let Target::File(file) = target else { return target };
    // Dots and links are gone: what is looked at and asked about is what would be opened.
    let path = file.path.canonicalize().unwrap_or_else(|_| file.path.clone());
    let is = match std::fs::metadata(&path) {
        Err(_) => Is::Missing,
        Ok(_) if is_run(&path) => Is::Program,
        Ok(about) if about.is_dir() => Is::Folder,
        Ok(about) if is_executable(&about) => Is::Program,
        Ok(_) => Is::Document,
    };
    Target::File(File { path, is, ..file })
}

fn is_run(path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    ending.is_some_and(|ending| RUN.contains(&ending.as_str()))
}

#[cfg(unix)]
fn is_executable(about: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    about.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &std::fs::Metadata) -> bool {
    false
}

impl Target {
    /// The target as it is shown: nothing in it can make it look other than it is.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Web { url, .. } | Self::Mail { url } => visible(url),
            Self::Refused { target, .. } => visible(target),
            Self::File(file) => {
                let path = visible(&file.path.to_string_lossy());
                match (file.line, file.column) {
                    (Some(line), Some(column)) => format!("{path}:{line}:{column}"),
                    (Some(line), None) => format!("{path}:{line}"),
                    _ => path,
                }
            }
        }
    }
}

/// A text with what would do something written out, shortened in the middle.
#[must_use]
pub fn visible(target: &str) -> String {
    const LONGEST: usize = 600;
    let mut shown = String::new();
    for c in target.chars().take(link::LONGEST) {
        if text::is_harmful(c) {
            shown.push_str(&format!("<U+{:04X}>", c as u32));
        } else {
            shown.push(c);
        }
    }
    let count = shown.chars().count();
    if count <= LONGEST {
        return shown;
    }
    let begin: String = shown.chars().take(LONGEST / 2).collect();
    let end: String = shown.chars().skip(count - LONGEST / 2).collect();
    format!("{begin} … {end}")
}

/// The words of the command that opens a file in the user's editor.
#[must_use]
pub fn editor(template: &[String], file: &File) -> Vec<String> {
    let line = file.line.unwrap_or(1).to_string();
    let column = file.column.unwrap_or(1).to_string();
    // The file comes last: its name may look like another placeholder.
    let fill = |word: &String| {
        let word = word.replace("{line}", &line).replace("{column}", &column);
        word.replace("{file}", &file.path.to_string_lossy())
    };
    template.iter().map(fill).collect()
}

/// The words of the command by which the desktop opens something.
#[must_use]
pub fn desktop(what: &str) -> Vec<String> {
    let opener = if cfg!(target_os = "macos") {
        "open"
    } else if cfg!(windows) {
        "explorer"
    } else {
        "xdg-open"
    };
    vec![opener.to_owned(), what.to_owned()]
}

/// Opens a document with the desktop's program for it, unless it has become something else since it was
/// looked at.
pub async fn open(file: File) -> Result<(), String> {
    let again = move || examined(Target::File(file));
    match tokio::task::spawn_blocking(again).await {
        Ok(Target::File(File { path, is: Is::Document, .. })) => {
            start(desktop(&path.to_string_lossy())).await
        }
        Ok(Target::File(File { is: Is::Program, .. })) => {
            Err("it is a program, which the desktop would run: it was not opened".to_owned())
        }
        _ => Err("the file has changed since it was looked at, and was not opened".to_owned()),
    }
}

/// Starts a command and waits for its end; a sentence says what went wrong.
pub async fn start(command: Vec<String>) -> Result<(), String> {
    let Some((program, words)) = command.split_first() else { return Ok(()) };
    let mut child = tokio::process::Command::new(program)
        .args(words)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| {
            format!("`{program}` cannot be started: {error}; settings.toml can name another editor")
        })?;
    match child.wait().await {
        Ok(status) if !status.success() => Err(format!("`{program}` ended with {status}")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(target: &str, expected: Target) {
        let read = read(target, link::Kind::Url, Path::new("/shop"), None);
        assert_eq!(read, expected, "{target}");
    }

    fn is_refused(target: &str) {
        let read = read(target, link::Kind::Named, Path::new("/shop"), None);
        assert!(matches!(read, Target::Refused { .. }), "{target}: {read:?}");
    }

    #[test]
    fn addresses_are_read_with_their_hosts() {
        let web =
            |url: &str, host: &str| Target::Web { url: url.to_owned(), host: host.to_owned() };
        for (url, host) in [
            ("https://docs.rs/a?b#c", "docs.rs"),
            ("https://good.example@EVIL.example:8443/x", "evil.example"),
            ("http://[::1]:80/", "[::1]"),
            ("https://a.example\\@b.example/", "a.example"),
        ] {
            check(url, web(url, host));
        }
        check("mailto:a@b.example", Target::Mail { url: "mailto:a@b.example".to_owned() });
    }

    #[test]
    fn what_could_run_or_deceive_is_refused() {
        for target in [
            "javascript:alert(1)",
            "ssh://host",
            "vscode://x",
            "data:text/html,x",
            "https://",
            "https://a.example/\u{202e}gpj",
            "file://elsewhere.example/etc/passwd",
            "file:relative",
            "file:///a%00b",
            "file:///a%zz",
            "just text",
        ] {
            is_refused(target);
        }
    }

    #[test]
    fn paths_are_the_terminals() {
        let file = |path: &str, line, column| {
            let path = PathBuf::from(path);
            Target::File(File { path, line, column, is: Is::Unknown })
        };
        let at = |line, col| link::Kind::Path { line, col };
        let home = Some(Path::new("/home/ada"));
        let work = Path::new("/shop");
        assert_eq!(
            read("src/a.rs", at(3, Some(7)), work, home),
            file("/shop/src/a.rs", Some(3), Some(7))
        );
        assert_eq!(read("/a.rs", at(3, None), work, home), file("/a.rs", Some(3), None));
        assert_eq!(read("~/a.rs", at(1, None), work, home), file("/home/ada/a.rs", Some(1), None));
        check("file:///a%20b#L3", file("/a b", None, None));
        check("file://localhost/a", file("/a", None, None));
    }

    #[test]
    fn programs_are_told_from_documents() {
        let folder = tempfile::tempdir().expect("a folder");
        let is = |name: &str| {
            let path = folder.path().join(name);
            let file = File { path, line: None, column: None, is: Is::Unknown };
            match examined(Target::File(file)) {
                Target::File(file) => file.is,
                other => panic!("{other:?}"),
            }
        };
        for name in ["a.rs", "b.desktop", "c.SH"] {
            std::fs::write(folder.path().join(name), "x").expect("a file");
        }
        assert_eq!(is("a.rs"), Is::Document);
        assert_eq!(is("b.desktop"), Is::Program);
        assert_eq!(is("c.SH"), Is::Program);
        assert_eq!(is("none"), Is::Missing);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let link = folder.path().join("notes.txt");
            std::os::unix::fs::symlink(folder.path().join("b.desktop"), link).expect("a link");
            assert_eq!(is("notes.txt"), Is::Program, "what it leads to is what would be opened");
            let path = folder.path().join("tool");
            std::fs::write(&path, "x").expect("a file");
            let mode = std::fs::Permissions::from_mode(0o755);
            std::fs::set_permissions(&path, mode).expect("made executable");
            std::os::unix::fs::symlink(&path, folder.path().join("readme.txt")).expect("a link");
            assert_eq!(is("tool"), Is::Program);
            assert_eq!(is("readme.txt"), Is::Program, "a link hides nothing");
        }
        assert_eq!(is(""), Is::Folder);
    }

    #[test]
    fn an_editor_gets_the_file_as_one_word() {
        let template = ["code", "--goto", "{file}:{line}:{column}"].map(str::to_owned);
        let path = PathBuf::from("/a b/{line}.rs");
        let file = File { path, line: Some(7), column: None, is: Is::Document };
        assert_eq!(editor(&template, &file), ["code", "--goto", "/a b/{line}.rs:7:1"]);
    }

    #[test]
    fn what_is_shown_cannot_deceive() {
        assert_eq!(visible("https://a/\u{202e}x"), "https://a/<U+202E>x");
        let long = visible(&"x".repeat(5000));
        assert!(long.contains(" … ") && long.chars().count() < 700);
    }
}

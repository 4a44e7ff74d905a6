//! The user's own commands: markdown files in `commands` of the home folder, each named like its command.
//!
//! A file may begin with lines between two `---`: `description:` and `hint:`. The rest is what is said;
//! `$ARGUMENTS` in it is what was written after the command.

use std::path::Path;

use super::Facts;

/// Files beyond this are not looked at.
const MOST: usize = 200;

/// A larger file is no command.
const LARGEST: u64 = 64 * 1024;

/// A command of the user's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Own {
    /// Its name, without the slash.
    pub name: String,
    /// What it takes.
    pub hint: String,
    /// What it does.
    pub about: String,
    /// What is said.
    pub text: String,
}

/// Reads the commands in a folder; one that is not there has none.
#[must_use]
pub fn read(folder: &Path) -> Vec<Own> {
    let Ok(files) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut own: Vec<Own> =
        files.flatten().take(MOST).filter_map(|file| one(&file.path())).collect();
    own.sort_by(|a, b| a.name.cmp(&b.name));
    own
}

fn one(path: &Path) -> Option<Own> {
    let name = path.file_stem()?.to_str()?;
    let plain = |c: char| c.is_alphanumeric() || "-_.:".contains(c);
    if path.extension()? != "md" || name.is_empty() || !name.chars().all(plain) {
        return None;
    }
    let about = std::fs::metadata(path).ok()?;
    let text =
        (about.is_file() && about.len() <= LARGEST).then(|| std::fs::read_to_string(path))?;
    Some(parse(name, &text.ok()?))
}

fn parse(name: &str, text: &str) -> Own {
    let text = text.replace("\r\n", "\n");
    let mut own = Own {
        name: name.to_owned(),
        hint: String::new(),
        about: String::new(),
        text: String::new(),
    };
    let body = match text.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n")) {
        Some((head, body)) => {
            for line in head.lines() {
                let Some((key, value)) = line.split_once(':') else { continue };
                let value = value.trim().trim_matches('"').to_owned();
                match key.trim() {
                    "description" => own.about = value,
                    "hint" | "argument-hint" => own.hint = value,
                    _ => {}
                }
            }
            body
        }
        None => &text,
    };
    body.trim().clone_into(&mut own.text);
    if own.about.is_empty() {
        own.about = body.trim().lines().next().unwrap_or_default().chars().take(100).collect();
    }
    own
}

/// What is said for what was written: a command of the user's own becomes its text, everything else stays
/// what it is.
#[must_use]
pub fn expanded(written: &str, own: &[Own], facts: &Facts) -> Option<String> {
    let rest = written.trim_start().strip_prefix('/')?;
    let (name, arguments) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let own = own.iter().find(|own| own.name == name)?;
    let arguments = arguments.trim();
    // Facts first: what the user writes is never taken for one.
    let text = facts.fill(&own.text);
    Some(if text.contains("$ARGUMENTS") {
        text.replace("$ARGUMENTS", arguments)
    } else if arguments.is_empty() {
        text
    } else {
        format!("{text}\n\n{arguments}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_a_command_with_what_its_head_says() {
        let own = parse(
            "commit",
            "---\ndescription: Commit it\nhint: [scope]\n---\n\nCommit $ARGUMENTS.\n",
        );
        assert_eq!(
            (&*own.about, &*own.hint, &*own.text),
            ("Commit it", "[scope]", "Commit $ARGUMENTS.")
        );
        let bare = parse("x", "Look at this.\nThen that.");
        assert_eq!((&*bare.about, &*bare.text), ("Look at this.", "Look at this.\nThen that."));
    }

    #[test]
    fn commands_are_read_from_a_folder_and_nothing_else_is() {
        let folder = tempfile::tempdir().expect("a folder");
        for (file, text) in [("a.md", "A"), ("b.txt", "B"), ("c d.md", "C"), ("z.md", "Z")] {
            std::fs::write(folder.path().join(file), text).expect("written");
        }
        std::fs::write(folder.path().join("large.md"), "x".repeat(70_000)).expect("written");
        let names: Vec<String> = read(folder.path()).into_iter().map(|own| own.name).collect();
        assert_eq!(names, ["a", "z"]);
        assert!(read(&folder.path().join("nope")).is_empty());
    }

    #[test]
    fn arguments_are_put_in_or_added() {
        let own = [parse("fix", "Fix $ARGUMENTS on {{GIT_BRANCH}}."), parse("look", "Look.")];
        let facts = Facts::default().with(&["GIT_BRANCH"], "main");
        for (written, expected) in [
            ("/fix the bug", Some("Fix the bug on main.")),
            ("/fix {{GIT_BRANCH}}", Some("Fix {{GIT_BRANCH}} on main.")),
            ("/look", Some("Look.")),
            ("/look here\nand there", Some("Look.\n\nhere\nand there")),
            ("/compact", None),
            ("look", None),
            ("/", None),
        ] {
            assert_eq!(expanded(written, &own, &facts).as_deref(), expected, "{written}");
        }
    }
}

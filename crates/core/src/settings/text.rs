//! The settings as texts that people read: a new file, and a page of the documentation.

use super::{ALL, Kind, Setting};

/// How wide comments of the file are, in letters.
const WIDTH: usize = 100;

/// What a new `settings.toml` says: every setting with its default, as comments.
#[must_use]
pub fn template() -> String {
    let mut text = comment(
        "Settings of Maestro. What is saved here holds at once; a mistake is told with its line, and what \
         held before holds on. `maestro settings check` looks at it from a terminal, and `maestro \
         settings set` writes it.",
    );
    let mut section = "";
    for setting in ALL {
        if setting.section() != section {
            section = setting.section();
            text.push_str(&format!("\n[{section}]\n"));
        } else {
            text.push('\n');
        }
        text.push_str(&comment(&about(setting)));
        text.push_str(&format!("# {} = {}\n", setting.name(), shown(setting)));
    }
    text.push('\n');
    text.push_str(&comment(
        "What one agent has of its own, by its id (`maestro list` tells it), goes before that:",
    ));
    text.push_str("# [agents.a1.terminal]\n# scrollback = 50000\n");
    text
}

/// The default as the file has it, or an example where there is no default.
fn shown(setting: &Setting) -> String {
    match (setting.kind, setting.default.value()) {
        (_, None) => setting.example.to_owned(),
        (_, Some(super::Value::Text(text))) => format!("\"{text}\""),
        (_, Some(super::Value::Switch(on))) => on.to_string(),
        (Kind::Number { whole: false, .. }, Some(super::Value::Number(number))) => {
            format!("{number:?}")
        }
        (_, Some(value)) => value.to_string(),
    }
}

/// What it does, with what its words mean and what holds without it.
fn about(setting: &Setting) -> String {
    let mut text = setting.about.to_owned();
    if let Kind::Choice(words) = setting.kind {
        let words: Vec<String> =
            words.iter().map(|(word, means)| format!("\"{word}\": {means}")).collect();
        text.push_str(&format!(" {}.", words.join("; ")));
    }
    if let super::Preset::Nothing(what) = setting.default {
        text.push_str(&format!(" Without it: {what}."));
    }
    text
}

fn comment(text: &str) -> String {
    let mut lines = String::new();
    let mut line = String::from("#");
    for word in text.split_whitespace() {
        if line.len() + 1 + word.len() > WIDTH {
            lines.push_str(&line);
            lines.push('\n');
            line = String::from("#");
        }
        line.push(' ');
        line.push_str(word);
    }
    lines.push_str(&line);
    lines.push('\n');
    lines
}

/// `docs/settings.md`.
#[must_use]
pub fn docs() -> String {
    let mut text = String::from(
        "# Settings\n\n\
         `settings.toml` in Maestro's folder. It is read as it is saved; a file that cannot be read right \
         changes nothing, and the mistake is told\nwith its line. A key that this version does not know is \
         told, too, and the others hold. `maestro settings set KEY VALUE`, `reset KEY` and the\nsettings \
         page (Ctrl+,) write the same file and leave comments and order as they are.\n\n\
         What stands in `[agents.a1.SECTION]` is the agent's with this id alone, where the last column \
         says so.\n",
    );
    let mut section = "";
    for setting in ALL {
        if setting.section() != section {
            section = setting.section();
            text.push_str(&format!(
                "\n## `[{section}]`\n\n| key | what it does | can be | default | for one agent |\n\
                 | --- | --- | --- | --- | --- |\n"
            ));
        }
        let default = match setting.default {
            super::Preset::Nothing(what) => what.to_owned(),
            _ => format!("`{}`", shown(setting)),
        };
        let about = match setting.kind {
            Kind::Choice(words) => {
                let words: Vec<String> =
                    words.iter().map(|(word, means)| format!("`\"{word}\"`: {means}")).collect();
                format!("{} {}.", setting.about, words.join("; "))
            }
            _ => setting.about.to_owned(),
        };
        let allowed = match setting.kind {
            Kind::Switch => "`true` or `false`".to_owned(),
            _ => setting.allowed().into_owned(),
        };
        text.push_str(&format!(
            "| `{}` | {about} | {allowed} | {default} | {} |\n",
            setting.name(),
            if setting.per_agent { "yes" } else { "" },
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_names_every_setting_and_sets_none() {
        let text = template();
        for setting in ALL {
            assert!(text.contains(&format!("\n# {} = ", setting.name())), "{}", setting.key);
        }
        let lines = text.lines().filter(|line| !line.is_empty());
        assert!(lines.clone().all(|line| line.starts_with(['#', '['])), "{text}");
        assert!(lines.clone().all(|line| line.len() <= WIDTH), "{text}");
    }

    /// Run with `MAESTRO_WRITE_DOCS=1` to write the page anew.
    #[test]
    fn the_page_of_the_documentation_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/settings.md");
        if std::env::var_os("MAESTRO_WRITE_DOCS").is_some() {
            std::fs::write(path, docs()).expect("written");
        }
        let written = std::fs::read_to_string(path).expect("docs/settings.md");
        assert_eq!(written.replace("\r\n", "\n"), docs(), "MAESTRO_WRITE_DOCS=1 writes it anew");
    }
}

//! A diff, as it is shown: file by file, with numbers and marked words.

use maestro_ui::code;

use super::{CHANGES, Change};

/// A diff, file by file.
pub(super) fn changes(diff: &str) -> Vec<Change> {
    let mut files: Vec<(String, String)> = Vec::new();
    for line in diff.lines().take(CHANGES) {
        if let Some(names) = line.strip_prefix("diff --git ") {
            let name = names.rsplit_once(" b/").map_or(names, |(_, name)| name);
            files.push((name.to_owned(), String::new()));
        }
        if let Some((_, text)) = files.last_mut() {
            text.push_str(line);
            text.push('\n');
        }
    }
    files
        .into_iter()
        .map(|(path, text)| {
            use maestro_core::diff::Kind;
            let lines = maestro_core::diff::lines(&text);
            let count = |kind| lines.iter().filter(|line| line.kind == kind).count();
            let counts = (count(Kind::Added), count(Kind::Removed));
            let sign = |kind| match kind {
                Kind::Same => code::Sign::None,
                Kind::Added => code::Sign::Added,
                Kind::Removed => code::Sign::Removed,
                Kind::Gap => code::Sign::Gap,
            };
            let lines = lines
                .into_iter()
                .map(|line| code::Line {
                    sign: sign(line.kind),
                    number: line.number,
                    text: line.text,
                    marks: line.marks,
                    ..code::Line::default()
                })
                .collect();
            Change { path, counts, lines }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diff_is_shown_file_by_file() {
        let diff = "diff --git a/x.rs b/x.rs\nindex 1..2\n--- a/x.rs\n+++ b/x.rs\n@@ -1 +1,2 @@\n-a\n+b\n+c\n\
                    diff --git a/y b/y\nnew file mode 100644\n--- /dev/null\n+++ b/y\n@@ -0,0 +1 @@\n+d\n";
        let changes = changes(diff);
        let shown: Vec<_> =
            changes.iter().map(|change| (change.path.as_str(), change.counts)).collect();
        assert_eq!(shown, [("x.rs", (2, 1)), ("y", (1, 0))]);
    }
}

//! What the dialects have in common: tools as entries show them, changes of files as diffs, and texts
//! within bounds.

use maestro_core::conversation::{
    Change, ChangeKind, INPUT_LIMIT, OUTPUT_LIMIT, TEXT_LIMIT, Tool, ToolKind, ToolState,
};
use serde_json::Value;

use crate::stream::text;

/// A tool call that has just begun.
pub(super) fn tool(call: &str, name: &str, kind: ToolKind, input: &Value, now_ms: u64) -> Tool {
    Tool {
        call: call.to_owned(),
        name: text::sentence(name),
        kind,
        title: text::summary(input),
        input: self::input(input),
        output: String::new(),
        state: ToolState::Running,
        exit: None,
        changes: Vec::new(),
        started_ms: now_ms,
        ended_ms: None,
        parent: None,
    }
}

/// A tool's input: indented JSON within bounds; nothing for no input.
pub(super) fn input(input: &Value) -> String {
    match input {
        Value::Null => String::new(),
        Value::Object(fields) if fields.is_empty() => String::new(),
        input => {
            text::bounded(&serde_json::to_string_pretty(input).unwrap_or_default(), INPUT_LIMIT)
        }
    }
}

/// A tool's output within bounds: its beginning and its end.
pub(super) fn output(output: &str) -> String {
    ends(output, OUTPUT_LIMIT)
}

/// A text or a raw line within bounds.
pub(super) fn whole(text: &str) -> String {
    text::bounded(text, TEXT_LIMIT)
}

/// The beginning and the end of a text that is too long.
fn ends(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    const GAP: &str = "\n…\n";
    let room = most.saturating_sub(GAP.len());
    let mut head = room / 2;
    while !text.is_char_boundary(head) {
        head -= 1;
    }
    let mut tail = text.len() - room / 2;
    while !text.is_char_boundary(tail) {
        tail += 1;
    }
    format!("{}{GAP}{}", &text[..head], &text[tail..])
}

/// A change of a file with its hunks, whose added and removed lines are counted.
pub(super) fn change(path: &str, kind: ChangeKind, hunks: &str) -> Change {
    let (mut added, mut removed) = (0_u32, 0_u32);
    for line in hunks.lines() {
        match line.as_bytes().first() {
            Some(b'+') => added = added.saturating_add(1),
            Some(b'-') => removed = removed.saturating_add(1),
            _ => {}
        }
    }
    Change { path: path.to_owned(), kind, diff: text::bounded(hunks, OUTPUT_LIMIT), added, removed }
}

/// A file that is new, as a hunk.
pub(super) fn added(content: &str) -> String {
    one_sided('+', content)
}

/// A file that is gone, as a hunk.
pub(super) fn removed(content: &str) -> String {
    one_sided('-', content)
}

fn one_sided(sign: char, content: &str) -> String {
    let lines = content.lines().count();
    if lines == 0 {
        return String::new();
    }
    let mut hunk = match sign {
        '+' => format!("@@ -0,0 +1,{lines} @@\n"),
        _ => format!("@@ -1,{lines} +0,0 @@\n"),
    };
    push_lines(&mut hunk, sign, content);
    hunk
}

/// One text in place of another somewhere in a file: a hunk of which nobody knows the place.
pub(super) fn replaced(old: &str, new: &str) -> String {
    let mut hunk = "@@\n".to_owned();
    push_lines(&mut hunk, '-', old);
    push_lines(&mut hunk, '+', new);
    hunk
}

fn push_lines(hunk: &mut String, sign: char, text: &str) {
    for line in text.lines() {
        // What does not fit is cut anyway; a huge text need not be copied for that.
        if hunk.len() > OUTPUT_LIMIT {
            return;
        }
        hunk.push(sign);
        hunk.push_str(line);
        hunk.push('\n');
    }
}

/// What a tool of this name does, whoever's it is.
pub(super) fn kind_of(name: &str) -> ToolKind {
    match name.to_ascii_lowercase().as_str() {
        "bash" | "execute" | "shell" | "bashoutput" | "killshell" => ToolKind::Shell,
        "create" | "edit" | "write" | "multiedit" | "notebookedit" | "applypatch"
        | "apply_patch" => ToolKind::Edit,
        "read" | "ls" | "view" | "notebookread" => ToolKind::Read,
        "grep" | "glob" | "toolsearch" => ToolKind::Search,
        "fetchurl" | "webfetch" | "websearch" | "web_search" => ToolKind::Fetch,
        "task" | "agent" => ToolKind::Agent,
        name if name.starts_with("mcp") => ToolKind::Mcp,
        _ => ToolKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_outputs_keep_both_ends() {
        let text = format!("begin{}end", "ü".repeat(1000));
        let cut = ends(&text, 100);
        assert!(cut.len() <= 100 && cut.starts_with("begin") && cut.ends_with("end"), "{cut}");
        assert_eq!(ends("short", 100), "short");
    }

    #[test]
    fn changes_count_their_lines() {
        let check = |hunks: &str, added: u32, removed: u32| {
            let change = change("a", ChangeKind::Update, hunks);
            assert_eq!((change.added, change.removed), (added, removed), "{hunks}");
        };
        check(&added("one\ntwo\n"), 2, 0);
        check(&removed("one\n"), 0, 1);
        check(&replaced("a\nb", "c"), 1, 2);
        check("", 0, 0);
        assert_eq!(added("one\ntwo\n"), "@@ -0,0 +1,2 @@\n+one\n+two\n");
    }
}

//! The difference of one file, as git prints it: read once, shown a screen at a time, and applied in parts.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::ops::Range;

use super::{Body, Hunk, Line, LineEnd, MAX_HUNKS, MAX_LINE, MAX_LINES};
use crate::diff::{self, Kind};

/// The most bytes of what a hunk is in.
const MAX_ABOUT: usize = 200;

/// A unified diff of one file.
#[derive(Debug, Clone, Default)]
pub struct Patch {
    bytes: Vec<u8>,
    hunks: Vec<Hunk>,
    /// Where each line of the hunks begins, its sign included.
    starts: Vec<u32>,
    /// Lines after which the file ends without a line feed.
    open: HashSet<u32>,
    is_binary: bool,
    is_cut: bool,
}

impl Patch {
    /// Reads what git printed. `cut` says that it printed more than this. Nothing in it is an error: what is
    /// no hunk is passed over.
    #[must_use]
    pub fn read(bytes: Vec<u8>, cut: bool) -> Self {
        let mut patch = Self { is_cut: cut, ..Self::default() };
        let (mut old_left, mut new_left) = (0_u32, 0_u32);
        let mut at = 0;
        while at < bytes.len() {
            let length = bytes[at..].iter().position(|byte| *byte == b'\n');
            if length.is_none() && cut {
                break;
            }
            let end = length.map_or(bytes.len(), |length| at + length);
            let line = &bytes[at..end];
            let number = patch.starts.len() as u32;
            if old_left > 0 || new_left > 0 {
                let (old, new) = match line.first() {
                    Some(b'+') => (0, 1),
                    Some(b'-') => (1, 0),
                    Some(b'\\') => (0, 0),
                    _ => (1, 1),
                };
                if (old, new) == (0, 0) {
                    let _ = patch.open.insert(number.saturating_sub(1));
                } else {
                    patch.starts.push(at as u32);
                }
                (old_left, new_left) = (old_left.saturating_sub(old), new_left.saturating_sub(new));
            } else if let Some(mut hunk) = head(line) {
                if patch.hunks.len() == MAX_HUNKS {
                    patch.is_cut = true;
                    break;
                }
                hunk.at = number;
                (old_left, new_left) = (hunk.old_lines, hunk.new_lines);
                patch.hunks.push(hunk);
            } else if line.starts_with(b"\\ ") && number > 0 {
                let _ = patch.open.insert(number - 1);
            } else if line.starts_with(b"Binary files ") || line == b"GIT binary patch" {
                patch.is_binary = true;
            }
            at = end + 1;
        }
        let ends: Vec<u32> = patch.hunks.iter().skip(1).map(|hunk| hunk.at).collect();
        let all = patch.starts.len() as u32;
        for (hunk, end) in patch.hunks.iter_mut().zip(ends.into_iter().chain([all])) {
            hunk.len = end - hunk.at;
        }
        patch.bytes = bytes;
        for number in 0..patch.hunks.len() {
            patch.hunks[number].id = patch.id(&patch.hunks[number]);
        }
        patch
    }

    /// The difference between nothing and a file: all of its lines are new.
    #[must_use]
    pub fn of_new(content: &[u8], cut: bool) -> Self {
        let is_binary = content.iter().take(8000).any(|byte| *byte == 0);
        if is_binary {
            return Self { is_binary, is_cut: cut, ..Self::default() };
        }
        let lines: Vec<&[u8]> = content.split_inclusive(|byte| *byte == b'\n').collect();
        if lines.is_empty() {
            return Self { is_cut: cut, ..Self::default() };
        }
        let mut bytes = format!("@@ -0,0 +1,{} @@\n", lines.len()).into_bytes();
        for line in &lines {
            bytes.push(b'+');
            bytes.extend_from_slice(line);
        }
        if !cut && !bytes.ends_with(b"\n") {
            bytes.extend_from_slice(b"\n\\ No newline at end of file\n");
        }
        Self::read(bytes, cut)
    }

    /// What it consists of.
    #[must_use]
    pub fn body(&self) -> Body {
        match (self.is_binary, self.hunks.is_empty()) {
            (true, _) => Body::Binary,
            (false, true) => Body::Same,
            (false, false) => Body::Text,
        }
    }

    /// Its hunks.
    #[must_use]
    pub fn hunks(&self) -> &[Hunk] {
        &self.hunks
    }

    /// How many lines all hunks have together.
    #[must_use]
    pub fn total(&self) -> u32 {
        self.starts.len() as u32
    }

    /// Whether the end is missing.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// How many bytes it takes in memory, nearly.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.bytes.len() + self.starts.len() * 4 + self.hunks.len() * size_of::<Hunk>()
    }

    /// Some of its lines, at most [`MAX_LINES`].
    #[must_use]
    pub fn lines(&self, range: Range<u32>) -> Vec<Line> {
        let total = self.total();
        let start = range.start.min(total);
        let end = range.end.clamp(start, total.min(start.saturating_add(MAX_LINES)));
        let mut lines = Vec::with_capacity((end - start) as usize);
        let first = self.hunks.partition_point(|hunk| hunk.at + hunk.len <= start);
        for hunk in self.hunks.iter().skip(first).take_while(|hunk| hunk.at < end) {
            let (mut old, mut new) = (hunk.old, hunk.new);
            for number in hunk.at..(hunk.at + hunk.len).min(end) {
                let kind = self.kind(number);
                let is_shown = number >= start;
                if is_shown {
                    lines.push(self.line(number, kind, old, new));
                }
                if kind != Kind::Added {
                    old = old.saturating_add(1);
                }
                if kind != Kind::Removed {
                    new = new.saturating_add(1);
                }
            }
            self.mark(hunk, start, &mut lines);
        }
        lines
    }

    /// What becomes of a file when these hunks (by id) come to it; `None` where it is not the file that the
    /// difference is about. `backwards` takes them from the newer file instead.
    #[must_use]
    pub fn apply(&self, file: &[u8], hunks: &HashSet<u64>, backwards: bool) -> Option<Vec<u8>> {
        if self.is_cut || self.is_binary {
            return None;
        }
        let lines: Vec<&[u8]> = file.split_inclusive(|byte| *byte == b'\n').collect();
        let mut made = Vec::with_capacity(file.len());
        let mut at = 0;
        for hunk in self.hunks.iter().filter(|hunk| hunks.contains(&hunk.id)) {
            let (start, count) =
                if backwards { (hunk.new, hunk.new_lines) } else { (hunk.old, hunk.old_lines) };
            // Where there is no line, the number is of the one before.
            let start = if count == 0 { start } else { start.checked_sub(1)? } as usize;
            made.extend(lines.get(at..start)?.iter().copied().flatten());
            at = start;
            for number in hunk.at..hunk.at + hunk.len {
                let kind = match (self.kind(number), backwards) {
                    (Kind::Added, true) => Kind::Removed,
                    (Kind::Removed, true) => Kind::Added,
                    (kind, _) => kind,
                };
                let (text, has_end) = self.raw(number);
                if kind != Kind::Added {
                    let line = lines.get(at)?;
                    let (there, ends) = match line.strip_suffix(b"\n") {
                        Some(there) => (there, true),
                        None => (*line, false),
                    };
                    if there != text || ends != has_end {
                        return None;
                    }
                    at += 1;
                }
                if kind != Kind::Removed {
                    made.extend_from_slice(text);
                    if has_end {
                        made.push(b'\n');
                    }
                }
            }
        }
        made.extend(lines.get(at..)?.iter().copied().flatten());
        Some(made)
    }

    fn id(&self, hunk: &Hunk) -> u64 {
        let mut hasher = DefaultHasher::new();
        (hunk.old, hunk.old_lines, hunk.new, hunk.new_lines).hash(&mut hasher);
        for number in hunk.at..hunk.at + hunk.len {
            (self.kind(number) as u8, self.raw(number)).hash(&mut hasher);
        }
        hasher.finish()
    }

    fn kind(&self, number: u32) -> Kind {
        match self.starts.get(number as usize).and_then(|start| self.bytes.get(*start as usize)) {
            Some(b'+') => Kind::Added,
            Some(b'-') => Kind::Removed,
            _ => Kind::Same,
        }
    }

    /// A line without sign and end, and whether it ends with a line feed.
    fn raw(&self, number: u32) -> (&[u8], bool) {
        let start = self.starts.get(number as usize).map_or(self.bytes.len(), |at| *at as usize);
        let rest = self.bytes.get(start..).unwrap_or_default();
        let line = rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let text = match line.first() {
            Some(b'+' | b'-' | b' ') => &line[1..],
            _ => line,
        };
        (text, !self.open.contains(&number))
    }

    fn line(&self, number: u32, kind: Kind, old: u32, new: u32) -> Line {
        let (text, has_end) = self.raw(number);
        let (text, end) = if text.len() > MAX_LINE {
            (&text[..MAX_LINE], LineEnd::Cut)
        } else if !has_end {
            (text, LineEnd::Nothing)
        } else if let Some(text) = text.strip_suffix(b"\r") {
            (text, LineEnd::CrLf)
        } else {
            (text, LineEnd::Lf)
        };
        Line {
            kind,
            old: (kind != Kind::Added).then_some(old),
            new: (kind != Kind::Removed).then_some(new),
            text: String::from_utf8_lossy(text).into_owned(),
            marks: Vec::new(),
            end,
        }
    }

    /// Marks in the lines of a hunk (shown from the line `start` on) what differs from the line that each was
    /// or became.
    fn mark(&self, hunk: &Hunk, start: u32, shown: &mut [Line]) {
        let end = (hunk.at + hunk.len).min(start + shown.len() as u32);
        let run = |from: u32, kind| {
            (from..hunk.at + hunk.len).take_while(|at| self.kind(*at) == kind).count() as u32
        };
        // A run that began before what is shown may go on in it.
        let longest = diff::LONGEST_RUN as u32;
        let mut at = hunk.at.max(start.saturating_sub(2 * longest));
        while at > hunk.at && at <= start && self.kind(at - 1) != Kind::Same {
            if at + 4 * longest < start {
                break;
            }
            at -= 1;
        }
        while at < end {
            let removed = run(at, Kind::Removed);
            let added = run(at + removed, Kind::Added);
            if removed > 0 && added > 0 && removed.max(added) <= longest {
                for pair in 0..removed.min(added) {
                    let (before, after) = (at + pair, at + removed + pair);
                    let text = |number| String::from_utf8_lossy(self.raw(number).0);
                    let Some((gone, come)) = diff::difference(&text(before), &text(after)) else {
                        continue;
                    };
                    for (number, marks) in [(before, gone), (after, come)] {
                        let line =
                            number.checked_sub(start).and_then(|n| shown.get_mut(n as usize));
                        let Some(line) = line else { continue };
                        for mark in marks {
                            let end = mark.end.min(line.text.len());
                            if mark.start < end && line.text.is_char_boundary(end) {
                                line.marks.push(mark.start as u32..end as u32);
                            }
                        }
                    }
                }
            }
            at += (removed + added).max(1);
        }
    }
}

/// The head of a hunk: `@@ -12,3 +12,5 @@ fn main() {`.
fn head(line: &[u8]) -> Option<Hunk> {
    let rest = line.strip_prefix(b"@@ ")?;
    let end = rest.windows(3).position(|three| three == b" @@")?;
    let ranges = str::from_utf8(&rest[..end]).ok()?;
    let (old, new) = ranges.split_once(' ')?;
    let range = |text: &str, sign| {
        let text = text.strip_prefix(sign)?;
        let (start, count) = text.split_once(',').unwrap_or((text, "1"));
        Some((start.parse::<u32>().ok()?, count.parse::<u32>().ok()?))
    };
    let ((old, old_lines), (new, new_lines)) = (range(old, '-')?, range(new, '+')?);
    let about = &rest[end + 3..];
    let about = String::from_utf8_lossy(&about[..about.len().min(MAX_ABOUT)]);
    let about = about.trim().replace(char::is_control, " ");
    Some(Hunk { id: 0, old, old_lines, new, new_lines, about, at: 0, len: 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = "diff --git a/f b/f\nindex 1..2 100644\n--- a/f\n+++ b/f\n\
        @@ -1,3 +1,4 @@\n one\n-two\n+zwei\n+drei\n four\n\
        @@ -10,2 +11,1 @@ fn x() {\n ten\n-eleven\n\\ No newline at end of file\n";

    fn old() -> String {
        "one\ntwo\nfour\n4\n5\n6\n7\n8\n9\nten\neleven".into()
    }

    fn new() -> String {
        "one\nzwei\ndrei\nfour\n4\n5\n6\n7\n8\n9\nten\n".into()
    }

    fn ids(patch: &Patch, which: &[usize]) -> HashSet<u64> {
        which.iter().map(|at| patch.hunks()[*at].id).collect()
    }

    fn shown(lines: &[Line]) -> Vec<String> {
        let number = |n: Option<u32>| n.map(|n| n.to_string()).unwrap_or_default();
        let sign = |kind| match kind {
            Kind::Added => '+',
            Kind::Removed => '-',
            Kind::Same | Kind::Gap => ' ',
        };
        lines
            .iter()
            .map(|l| format!("{}:{}{}{}", number(l.old), number(l.new), sign(l.kind), l.text))
            .collect()
    }

    #[test]
    fn hunks_lie_one_after_the_other() {
        let patch = Patch::read(TWO.into(), false);
        let at: Vec<_> =
            patch.hunks().iter().map(|hunk| (hunk.at, hunk.len, &*hunk.about)).collect();
        assert_eq!(at, [(0, 5, ""), (5, 2, "fn x() {")]);
        assert_eq!((patch.total(), patch.body()), (7, Body::Text));
        let all =
            ["1:1 one", "2:-two", ":2+zwei", ":3+drei", "3:4 four", "10:11 ten", "11:-eleven"];
        let all = all.map(str::to_owned);
        assert_eq!(shown(&patch.lines(0..u32::MAX)), all);
        for start in 0..7 {
            for end in start..9 {
                let some = shown(&patch.lines(start..end));
                assert_eq!(some, all[start as usize..(end as usize).min(7)], "{start}..{end}");
            }
        }
        assert_eq!(patch.lines(6..7)[0].end, LineEnd::Nothing);
        let (start, end) = (9, 3);
        assert!(patch.lines(start..end).is_empty());
    }

    #[test]
    fn hunks_come_and_go_one_by_one() {
        let patch = Patch::read(TWO.into(), false);
        let apply = |file: String, which: &[usize], backwards| {
            let made = patch.apply(file.as_bytes(), &ids(&patch, which), backwards);
            made.and_then(|made| String::from_utf8(made).ok())
        };
        assert_eq!(apply(old(), &[0, 1], false), Some(new()));
        assert_eq!(apply(new(), &[0, 1], true), Some(old()));
        assert_eq!(apply(old(), &[], false), Some(old()));
        let first = old().replace("two", "zwei\ndrei");
        assert_eq!(apply(old(), &[0], false), Some(first.clone()));
        assert_eq!(apply(new(), &[1], true), Some(first));
        let second = new().replace("zwei\ndrei", "two");
        assert_eq!(apply(old(), &[1], false), Some(second.clone()));
        assert_eq!(apply(new(), &[0], true), Some(second));
        for other in ["", "one\nother\nfour\n", "one\ntwo\nfour"] {
            assert_eq!(apply(other.into(), &[0], false), None, "{other}");
        }
    }

    #[test]
    fn a_new_file_is_all_new() {
        for (text, lines, end) in [("a\nb\n", 2, LineEnd::Lf), ("a\nb", 2, LineEnd::Nothing)] {
            let patch = Patch::of_new(text.as_bytes(), false);
            assert_eq!((patch.total(), patch.body()), (lines, Body::Text));
            assert_eq!(patch.lines(1..2)[0].end, end);
            let made = patch.apply(b"", &ids(&patch, &[0]), false);
            assert_eq!(made.as_deref(), Some(text.as_bytes()));
        }
        assert_eq!(Patch::of_new(b"", false).body(), Body::Same);
        assert_eq!(Patch::of_new(b"a\0b", false).body(), Body::Binary);
        assert_eq!(Patch::of_new(b"a\nb\nhalf", true).total(), 2);
    }

    #[test]
    fn a_hunk_keeps_its_id_as_long_as_it_is_the_same() {
        let patch = Patch::read(TWO.into(), false);
        let again = Patch::read(TWO.replace("index 1..2", "index 1..3").into(), false);
        assert_eq!(patch.hunks(), again.hunks());
        let other = Patch::read(TWO.replace("+drei", "+vier").into(), false);
        assert_ne!(patch.hunks()[0].id, other.hunks()[0].id);
        assert_eq!(patch.hunks()[1].id, other.hunks()[1].id);
    }

    #[test]
    fn odd_lines_are_shown_and_break_nothing() {
        let long = "x".repeat(MAX_LINE + 9);
        let text = format!("@@ -0,0 +1,4 @@\n+a\r\n+\u{1b}[2J\n+{long}\n+--- a/x\n");
        let mut bytes = text.into_bytes();
        bytes.extend_from_slice(b"@@ -9 +13 @@\n-caf\xe9\n+cafe\n");
        let patch = Patch::read(bytes, false);
        let lines = patch.lines(0..9);
        let ends: Vec<_> = lines.iter().map(|line| line.end).collect();
        let lf = LineEnd::Lf;
        assert_eq!(ends, [LineEnd::CrLf, lf, LineEnd::Cut, lf, lf, lf]);
        assert_eq!(lines[3].text, "--- a/x");
        assert_eq!(lines[4].text, "caf\u{fffd}");
        for garbage in ["", "@@", "@@ -1 +1 @@", "@@ -x +1 @@\n+a", "Binary files a and b differ\n"]
        {
            let patch = Patch::read(garbage.into(), false);
            let _ = (patch.lines(0..9), patch.body(), patch.apply(b"", &HashSet::new(), false));
        }
    }

    #[test]
    fn words_that_differ_are_marked_wherever_the_window_begins() {
        let mut text = "@@ -1,10 +1,10 @@\n".to_owned();
        for sign in ['-', '+'] {
            for line in 0..10 {
                text += &format!(
                    "{sign}let line{line} = {}\n",
                    if sign == '-' { "old" } else { "new" }
                );
            }
        }
        let patch = Patch::read(text.into(), false);
        let all = patch.lines(0..20);
        assert!(all.iter().all(|line| line.marks.len() == 1), "{all:?}");
        for start in 0..20 {
            assert_eq!(patch.lines(start..20), all[start as usize..], "{start}");
        }
    }

    #[test]
    fn what_is_cut_is_told_and_not_applied() {
        let patch = Patch::read(b"@@ -1,2 +1,2 @@\n a\n-b\n+".to_vec(), true);
        assert!(patch.is_cut());
        assert_eq!(patch.total(), 2);
        assert_eq!(patch.apply(b"a\nb\n", &ids(&patch, &[0]), false), None);
    }
}

//! Differences of two texts as the hunks of a unified diff.

use std::time::Duration;

use maestro_core::conversation::{Change, ChangeKind};
use similar::TextDiff;

use super::parts;

/// Most bytes of both texts together that are compared. Beyond that only the file is told.
const COMPARED: usize = 4 << 20;

/// How long a comparison may take; what is not compared by then counts as replaced.
const LIMIT: Duration = Duration::from_millis(200);

/// How a file changed, from all it was (`None` when it was not there) to all it is (`None` when it is gone).
pub(super) fn change(path: &str, old: Option<&str>, new: Option<&str>) -> Change {
    let kind = match (old, new) {
        (None, _) => ChangeKind::Add,
        (Some(_), None) => ChangeKind::Delete,
        (Some(_), Some(_)) => ChangeKind::Update,
    };
    parts::change(path, kind, &hunks(old.unwrap_or_default(), new.unwrap_or_default()))
}

/// Without file headers; empty when there is no difference.
fn hunks(old: &str, new: &str) -> String {
    if old.len() + new.len() > COMPARED {
        return String::new();
    }
    let diff = TextDiff::configure().timeout(LIMIT).diff_lines(old, new);
    diff.unified_diff().context_radius(3).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_hunks_with_their_surroundings() {
        let check = |old: Option<&str>, new: Option<&str>, kind, counts, hunks: &str| {
            let change = change("a.txt", old, new);
            assert_eq!((change.kind, (change.added, change.removed)), (kind, counts), "{change:?}");
            assert_eq!(change.diff, hunks);
        };
        check(None, Some("a\nb\n"), ChangeKind::Add, (2, 0), "@@ -0,0 +1,2 @@\n+a\n+b\n");
        check(Some("a\n"), None, ChangeKind::Delete, (0, 1), "@@ -1 +0,0 @@\n-a\n");
        check(
            Some("1\n2\n3\n4\n5\n6\n"),
            Some("1\n2\n3\n4\nx\n6\n"),
            ChangeKind::Update,
            (1, 1),
            "@@ -2,5 +2,5 @@\n 2\n 3\n 4\n-5\n+x\n 6\n",
        );
        check(Some("a"), Some("a"), ChangeKind::Update, (0, 0), "");
        let huge = "x\n".repeat(COMPARED);
        check(None, Some(&huge), ChangeKind::Add, (0, 0), "");
    }
}

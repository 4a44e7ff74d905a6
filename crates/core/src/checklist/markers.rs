//! What a document says to the run that works through it, in comments that no reader sees.

/// A comment for the run. Those in fenced code are none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    /// Its line, from 1.
    pub line: u32,
    /// How many tasks stand above it.
    pub above: usize,
    /// What it says.
    pub kind: MarkerKind,
}

/// What a comment says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MarkerKind {
    /// `<!-- MAESTRO:HITL reason="…" artifact="…" -->`: a person has to tick a box below it before any
    /// other task below it is done.
    Gate {
        /// Why; empty when it does not say.
        reason: String,
        /// What to look at.
        artifact: Option<String>,
    },
    /// `<!-- maestro:halt reason -->`: the run is to end, when it was written during a turn.
    Halt {
        /// Why; empty when it does not say.
        reason: String,
    },
}

/// The markers of a line.
pub(super) fn read(line: &str, number: u32, above: usize) -> Vec<Marker> {
    let mut markers = Vec::new();
    let mut rest = line;
    while let Some((_, after)) = rest.split_once("<!--") {
        let Some((comment, behind)) = after.split_once("-->") else { break };
        if let Some(kind) = kind(comment.trim()) {
            markers.push(Marker { line: number, above, kind });
        }
        rest = behind;
    }
    markers
}

fn kind(comment: &str) -> Option<MarkerKind> {
    let (name, rest) = comment.split_once(char::is_whitespace).unwrap_or((comment, ""));
    let (name, begun) = match name.split_once(':') {
        // `maestro:halt: reason` is written, too.
        Some((maker, name)) if maker.eq_ignore_ascii_case("maestro") => {
            name.split_once(':').unwrap_or((name, ""))
        }
        _ => return None,
    };
    let rest = if begun.is_empty() { rest.trim().to_owned() } else { format!("{begun} {rest}") };
    if name.eq_ignore_ascii_case("hitl") {
        return Some(MarkerKind::Gate {
            reason: attribute(&rest, "reason").unwrap_or_default(),
            artifact: attribute(&rest, "artifact").filter(|value| !value.is_empty()),
        });
    }
    name.eq_ignore_ascii_case("halt").then(|| {
        let reason = attribute(&rest, "reason").unwrap_or_else(|| rest.trim().to_owned());
        MarkerKind::Halt { reason }
    })
}

/// The value of `name="value"`, in single or double quotes.
fn attribute(text: &str, name: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let at = lower
        .match_indices(name)
        .map(|(at, _)| at)
        .find(|at| *at == 0 || text[..*at].ends_with([' ', '\t', '"', '\'']))?;
    let value = text[at + name.len()..].trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    value[1..].split_once(quote).map(|(value, _)| value.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_for_the_run_are_read() {
        let gate = |reason: &str, artifact: Option<&str>| {
            let artifact = artifact.map(str::to_owned);
            Some(MarkerKind::Gate { reason: reason.to_owned(), artifact })
        };
        let halt = |reason: &str| Some(MarkerKind::Halt { reason: reason.to_owned() });
        for (line, expected) in [
            (
                "<!-- MAESTRO:HITL reason=\"Look at it\" artifact=\"a b.md\" -->",
                gate("Look at it", Some("a b.md")),
            ),
            ("text <!--maestro:hitl artifact='x'-->", gate("", Some("x"))),
            ("<!-- MAESTRO:HITL -->", gate("", None)),
            ("<!-- maestro:halt -->", halt("")),
            ("  <!-- maestro:halt no way on -->", halt("no way on")),
            ("<!-- maestro:halt: no way on -->", halt("no way on")),
            ("<!-- Maestro:Halt reason=\"no\" -->", halt("no")),
            ("<!-- maestro:halt", None),
            ("<!-- maestro:halted -->", None),
            ("<!-- other:halt -->", None),
            ("maestro:halt", None),
        ] {
            let found = read(line, 3, 1).pop().map(|marker| marker.kind);
            assert_eq!(found, expected, "{line}");
        }
        assert_eq!(read("<!-- a --><!-- maestro:halt x --><!-- maestro:hitl -->", 1, 0).len(), 2);
    }
}

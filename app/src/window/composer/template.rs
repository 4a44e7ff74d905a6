//! Words in a command of the user's that stand for facts: `{{GIT_BRANCH}}`, `{{DATE}}`.

/// What such words stand for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Names in capitals with what they stand for.
    known: Vec<(&'static str, String)>,
}

impl Facts {
    /// One more fact; a name may be given several.
    #[must_use]
    pub fn with(mut self, names: &[&'static str], value: impl Into<String>) -> Self {
        let value = value.into();
        self.known.extend(names.iter().map(|name| (*name, value.clone())));
        self
    }

    /// The text with known words replaced, whatever their case. Unknown ones stay as they are, and what was
    /// put in is not looked at again.
    #[must_use]
    pub fn fill(&self, text: &str) -> String {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(open) = rest.find("{{") {
            let Some(close) = rest[open..].find("}}").map(|close| open + close) else { break };
            let name = rest[open + 2..close].trim().to_uppercase();
            match self.known.iter().find(|(known, _)| *known == name) {
                Some((_, value)) => {
                    filled.push_str(&rest[..open]);
                    filled.push_str(value);
                    rest = &rest[close + 2..];
                }
                None => {
                    filled.push_str(&rest[..open + 2]);
                    rest = &rest[open + 2..];
                }
            }
        }
        filled.push_str(rest);
        filled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_words_are_replaced_once() {
        let facts = Facts::default()
            .with(&["GIT_BRANCH"], "feat/{{DATE}}")
            .with(&["DATE", "DAY"], "2026-01-02");
        for (text, expected) in [
            ("on {{GIT_BRANCH}}", "on feat/{{DATE}}"),
            ("{{ date }}/{{Day}}", "2026-01-02/2026-01-02"),
            ("{{NOPE}} {{DATE}}", "{{NOPE}} 2026-01-02"),
            ("{{ {{DATE}}", "{{ 2026-01-02"),
            ("{{open", "{{open"),
            ("", ""),
        ] {
            assert_eq!(facts.fill(text), expected, "{text}");
        }
    }
}

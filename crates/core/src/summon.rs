//! Bringing the window to its user: what can be asked of it from outside, and links that lead to agents.

use serde::{Deserialize, Serialize};

use crate::id::AgentId;

/// The longest name in a link, in bytes.
const LONGEST: usize = 200;

/// What a window is to do with itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Summon {
    /// Come to the front; where an agent is named, with that agent.
    Show(Option<AgentId>),
    /// Come to the front with the agent that waits longest for its user.
    Waiting,
    /// Go out of sight.
    Hide,
    /// Out of sight where it is looked at, to the front otherwise.
    Toggle,
}

/// Text that is no link to an agent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a link to an agent is written as maestro://agent/NAME")]
pub struct NoLink;

/// The agent that `maestro://agent/NAME` names: a name or an id. A link shows an agent and does nothing
/// else: what else stands in it (a query, further words of a path) makes it none. `None` for text that is
/// no link of ours.
///
/// # Errors
///
/// When it is a link of ours that does not name an agent.
pub fn agent_of(text: &str) -> Result<Option<String>, NoLink> {
    let scheme = "maestro:";
    if !text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)) {
        return Ok(None);
    }
    let name = text[scheme.len()..].strip_prefix("//agent/").ok_or(NoLink)?;
    let name = name.strip_suffix('/').unwrap_or(name);
    if name.is_empty() || name.len() > 3 * LONGEST || name.contains(['/', '?', '#']) {
        return Err(NoLink);
    }
    let name = decoded(name).ok_or(NoLink)?;
    let harmful = |c: char| c.is_control() || crate::text::is_harmful(c);
    if name.len() > LONGEST || name.starts_with('-') || name.contains(harmful) {
        return Err(NoLink);
    }
    Ok(Some(name))
}

/// Text with its `%20` put back; `None` where that is not text.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        bytes.push(u8::try_from(digit()? * 16 + digit()?).ok()?);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_names_an_agent_and_nothing_else() {
        let long = format!("maestro://agent/{}", "x".repeat(LONGEST + 1));
        for (text, expected) in [
            ("maestro://agent/api", Ok(Some("api"))),
            ("MAESTRO://agent/a3/", Ok(Some("a3"))),
            ("maestro://agent/night%20shift", Ok(Some("night shift"))),
            ("maestro://agent/%C3%A9dite", Ok(Some("\u{e9}dite"))),
            ("api", Ok(None)),
            ("https://example.org/", Ok(None)),
            ("m\u{e4}stro:", Ok(None)),
            ("maestro://agent/", Err(NoLink)),
            ("maestro://run/r3", Err(NoLink)),
            ("maestro:agent/api", Err(NoLink)),
            ("maestro://agent/api?prompt=rm%20-r", Err(NoLink)),
            ("maestro://agent/api/send", Err(NoLink)),
            ("maestro://agent/a%2Fb%2", Err(NoLink)),
            ("maestro://agent/%ff", Err(NoLink)),
            ("maestro://agent/%0aapi", Err(NoLink)),
            ("maestro://agent/%E2%80%AEapi", Err(NoLink)),
            ("maestro://agent/--json", Err(NoLink)),
            (&long, Err(NoLink)),
        ] {
            assert_eq!(agent_of(text), expected.map(|name| name.map(str::to_owned)), "{text}");
        }
    }
}

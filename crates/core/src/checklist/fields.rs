//! The fields of a task: ordinary indented markdown under it, `- verify: cargo test`.

/// What the lines under a task say about how to do it. A word that names no field is text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fields {
    /// Commands that must exit 0, in order, before the box is ticked.
    pub verify: Vec<String>,
    /// The provider or the agent that is to do it, by name.
    pub agent: Option<String>,
    /// The model that is to do it.
    pub model: Option<String>,
    /// Seconds its turn may take.
    pub timeout_s: Option<u64>,
    /// How often it is tried again: its session is told that the verification failed, or another one
    /// begins.
    pub retries: Option<u32>,
    /// Tasks that must be done before it: the id of a task of any document of the run, written `{#id}`
    /// at the end of its line; or its number in this document, or the beginning of its text.
    pub needs: Vec<String>,
    /// Globs of the files it will touch.
    pub files: Vec<String>,
    /// Fields that cannot be read, each in a sentence. A task with one is not worked on: what is
    /// written there was meant to hold.
    pub problems: Vec<String>,
}

impl Fields {
    /// The command line for `sh -c` that runs every `verify:` line until one fails.
    #[must_use]
    pub fn verify_command(&self) -> Option<String> {
        match self.verify.as_slice() {
            [] => None,
            [one] => Some(one.clone()),
            // Each in its own lines, so that a comment at the end of one does not eat the bracket.
            more => Some(
                more.iter().map(|line| format!("(\n{line}\n)")).collect::<Vec<_>>().join(" && "),
            ),
        }
    }

    /// Takes a line if it is a field.
    pub(super) fn read(&mut self, line: &str) -> bool {
        let Some((name, value)) = split(line) else { return false };
        match name.as_str() {
            "verify" => match value.as_str() {
                "" => self.problem("`verify:` names no command on its line"),
                command => self.verify.push(command.to_owned()),
            },
            "agent" => match value.as_str() {
                "" => self.problem("`agent:` names nobody"),
                agent => self.agent = Some(agent.to_owned()),
            },
            "model" => match value.as_str() {
                "" => self.problem("`model:` names no model"),
                model => self.model = Some(model.to_owned()),
            },
            "timeout" => match seconds(&value) {
                Some(timeout) => self.timeout_s = Some(timeout),
                None => self.problem(&format!(
                    "`timeout: {value}` is not a duration such as 90s, 20m or 1h30m"
                )),
            },
            "retries" => match value.parse() {
                Ok(retries) => self.retries = Some(retries),
                Err(_) => self.problem(&format!("`retries: {value}` is not a number")),
            },
            "needs" => self.needs.extend(list(&value)),
            "files" => self.files.extend(list(&value)),
            _ => return false,
        }
        true
    }

    fn problem(&mut self, sentence: &str) {
        self.problems.push(sentence.to_owned());
    }
}

/// Name and value of a line that looks like a field: `name: value` behind an optional bullet, each
/// part or the whole optionally in backticks, the name optionally in asterisks.
fn split(line: &str) -> Option<(String, String)> {
    let line = line.trim();
    let body = line
        .strip_prefix(['-', '*', '+'])
        .filter(|rest| rest.starts_with([' ', '\t']))
        .map_or(line, str::trim_start);
    let body = code(body).unwrap_or(body);
    let (name, value) = body.split_once(':')?;
    let (name, value) = unmarked(name, value)?;
    if !value.is_empty() && !value.starts_with([' ', '\t', '`']) {
        return None;
    }
    let value = value.trim();
    Some((name.to_ascii_lowercase(), code(value).unwrap_or(value).trim().to_owned()))
}

/// The inside of text that is one code span from end to end.
fn code(text: &str) -> Option<&str> {
    let ticks = text.bytes().take_while(|b| *b == b'`').count();
    if ticks == 0 || text.len() < 2 * ticks + 1 {
        return None;
    }
    let fence = &text[..ticks];
    let inner = text[ticks..].strip_suffix(fence)?;
    (!inner.contains(fence)).then_some(inner)
}

/// A name in asterisks or backticks, with the colon inside them or behind: `**verify:** command`,
/// `**verify**: command`.
fn unmarked<'a>(name: &'a str, value: &'a str) -> Option<(&'a str, &'a str)> {
    let Some((mark, inner)) =
        ["**", "`"].into_iter().find_map(|mark| Some((mark, name.strip_prefix(mark)?)))
    else {
        return Some((name, value));
    };
    match inner.strip_suffix(mark) {
        Some(inner) => Some((inner, value)),
        None => Some((inner, value.strip_prefix(mark)?)),
    }
}

/// A duration as people write it, in seconds: `90`, `90s`, `20m`, `1h30m`, `1h 30m`.
#[must_use]
pub fn seconds(text: &str) -> Option<u64> {
    let text: String = text.split_whitespace().collect();
    if let Ok(plain) = text.parse() {
        return Some(plain);
    }
    let mut total: u64 = 0;
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: u64 = rest[..digits].parse().ok()?;
        let unit = rest[digits..].bytes().take_while(u8::is_ascii_alphabetic).count();
        let factor = match &rest[digits..digits + unit] {
            "s" | "sec" | "seconds" => 1,
            "m" | "min" | "minutes" => 60,
            "h" | "hour" | "hours" => 3600,
            _ => return None,
        };
        total = total.checked_add(number.checked_mul(factor)?)?;
        rest = &rest[digits + unit..];
    }
    (!text.is_empty()).then_some(total)
}

/// Parts between commas, without backticks.
fn list(text: &str) -> Vec<String> {
    text.split(',')
        .map(str::trim)
        .map(|part| code(part).unwrap_or(part).trim())
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

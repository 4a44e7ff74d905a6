//! What the OSC strings say that the emulator does not know, and how foreign text is made harmless.

use std::path::PathBuf;

use maestro_core::text::{clean, is_harmful};

use crate::event::{Event, Progress, Prompt, Status, StatusState};

/// The most characters of a title, or of a notification's title.
pub(crate) const TITLE_LIMIT: usize = 256;

/// The most characters of a notification's body.
const BODY_LIMIT: usize = 2048;

/// The most bytes of a directory.
const PATH_LIMIT: usize = 4096;

/// Reads OSC strings. Keeps the pieces of a notification that comes in several (OSC 99).
#[derive(Debug, Default)]
pub(crate) struct Reader {
    pending: Pending,
}

/// A notification of which more is announced.
#[derive(Debug, Default)]
struct Pending {
    id: String,
    title: String,
    body: String,
}

impl Reader {
    /// What an OSC (without its opener and terminator) says, if it is one of those read here. With a
    /// `hostname`, directories on other hosts are not reported.
    pub(crate) fn read(&mut self, osc: &[u8], hostname: Option<&str>) -> Option<Event> {
        let text = String::from_utf8_lossy(osc);
        let (number, rest) = text.split_once(';').unwrap_or((&text, ""));
        match number {
            "7" => directory(rest, hostname),
            "9" => message_or_progress(rest),
            "99" => self.kitty_notification(rest),
            "133" => prompt(rest),
            "777" => {
                let mut parts = rest.splitn(3, ';');
                if parts.next() != Some("notify") {
                    return None;
                }
                notification(parts.next().unwrap_or(""), parts.next().unwrap_or(""))
            }
            "1337" => path(rest.strip_prefix("CurrentDir=")?),
            "7501" => status(rest),
            _ => None,
        }
    }

    /// `99 ; key=value[:key=value…] ; payload`.
    fn kitty_notification(&mut self, rest: &str) -> Option<Event> {
        let (keys, payload) = rest.split_once(';')?;
        let key = |name: &str| {
            keys.split(':').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name)
        };
        let value = |name| key(name).map_or("", |(_, value)| value);
        let payload = match value("e") {
            "1" => String::from_utf8_lossy(&base64(payload)).into_owned(),
            _ => payload.to_owned(),
        };
        let id = clean(value("i"), TITLE_LIMIT);
        if id != self.pending.id {
            self.pending = Pending { id, ..Pending::default() };
        }
        let (part, limit) = match value("p") {
            "" | "title" => (&mut self.pending.title, TITLE_LIMIT),
            "body" => (&mut self.pending.body, BODY_LIMIT),
            // Queries, buttons, icons and closing: nothing to show.
            _ => return None,
        };
        let room = limit.saturating_sub(part.chars().count());
        part.extend(payload.chars().take(room));
        if value("d") == "0" {
            return None;
        }
        let whole = std::mem::take(&mut self.pending);
        notification(&whole.title, &whole.body)
    }
}

/// The longest number that comes back as a query's identifier.
const ID_DIGITS: usize = 18;

/// Words that come back as a query's identifier, because a program known to ask waits for them.
const KNOWN_IDS: [&str; 1] = ["opentui-notifications"];

/// The answer to a question about notifications (OSC 99 with `p=?`), where a string is one.
///
/// The protocol wants the asker's identifier back. Only a number comes back, or a word of a table here:
/// nothing a child made up is given to whoever reads the terminal next.
pub(crate) fn notification_query(osc: &str) -> Option<String> {
    let (keys, _) = osc.strip_prefix("99;")?.split_once(';')?;
    let value = |name: &str| {
        keys.split(':').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name)
    };
    if value("p").is_none_or(|(_, kind)| kind != "?") {
        return None;
    }
    let id = value("i").map_or("0", |(_, id)| id);
    let is_number = id.len() <= ID_DIGITS && id.bytes().all(|byte| byte.is_ascii_digit());
    let id = match KNOWN_IDS.iter().find(|known| **known == id) {
        Some(known) => known,
        None if is_number && !id.is_empty() => id,
        None => "0",
    };
    Some(format!("\x1b]99;i={id}:p=?;o=always:p=title,body\x1b\\"))
}

/// `9 ; 4 ; state ; percent`, `9 ; 9 ; path`, or a message.
fn message_or_progress(rest: &str) -> Option<Event> {
    let (first, after) = rest.split_once(';').unwrap_or((rest, ""));
    match first {
        "4" => {
            let (state, percent) = after.split_once(';').unwrap_or((after, ""));
            let percent = percent.parse::<u32>().map_or(0, |n| n.min(100) as u8);
            Some(Event::Progress(match state {
                "0" | "" => Progress::None,
                "1" => Progress::Normal(percent),
                "2" => Progress::Error(percent),
                "3" => Progress::Busy,
                "4" => Progress::Paused(percent),
                _ => return None,
            }))
        }
        "9" => path(after.trim_matches('"')),
        // ConEmu's other commands (1 to 12) are no messages.
        _ if rest.contains(';') && first.parse::<u8>().is_ok_and(|n| (1..=12).contains(&n)) => None,
        _ => notification("", rest),
    }
}

fn notification(title: &str, body: &str) -> Option<Event> {
    let (title, body) = (clean(title, TITLE_LIMIT), clean(body, BODY_LIMIT));
    (!title.is_empty() || !body.is_empty()).then_some(Event::Notification { title, body })
}

/// `file://host/path` with escapes, or kitty's form without.
fn directory(url: &str, hostname: Option<&str>) -> Option<Event> {
    let (rest, escaped) = match url.strip_prefix("file://") {
        Some(rest) => (rest, true),
        None => (url.strip_prefix("kitty-shell-cwd://")?, false),
    };
    let slash = rest.find('/')?;
    let (host, place) = rest.split_at(slash);
    let local = host.is_empty()
        || host.eq_ignore_ascii_case("localhost")
        || hostname.is_none_or(|name| name.eq_ignore_ascii_case(host));
    if !local {
        return None;
    }
    if escaped { path(&unescape(place)?) } else { path(place) }
}

/// An absolute path without anything in it that a path for people cannot have.
fn path(text: &str) -> Option<Event> {
    let path = PathBuf::from(text);
    let absolute = path.has_root() || cfg!(windows) && path.is_absolute();
    let fine = absolute && text.len() <= PATH_LIMIT && !text.chars().any(is_harmful);
    fine.then_some(Event::Directory(path))
}

/// `%41` and the like; `None` when the result is no text.
fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let digit = |at: usize| tail.get(at).and_then(|b| (*b as char).to_digit(16));
        if let (b'%', Some(high), Some(low)) = (*first, digit(0), digit(1)) {
            bytes.push((high * 16 + low) as u8);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

fn prompt(rest: &str) -> Option<Event> {
    let mut parts = rest.split(';');
    Some(Event::Prompt(match parts.next()? {
        // Continuation lines and prompts at the right belong to the one that has begun.
        "A" | "N" | "P" if parts.clone().any(|it| matches!(it, "k=s" | "k=c" | "k=r")) => {
            return None;
        }
        "A" | "N" | "P" => Prompt::Start,
        "B" | "I" => Prompt::Command,
        "C" => Prompt::Output,
        "D" => Prompt::Done(parts.next().and_then(|code| code.parse().ok())),
        _ => return None,
    }))
}

/// `state=…:app=…:text=…`: see [`Status`].
fn status(rest: &str) -> Option<Event> {
    let value = |name: &str| {
        rest.split([':', ';'])
            .filter_map(|pair| pair.split_once('='))
            .find_map(|(key, value)| (key.trim() == name).then_some(value))
    };
    let state = match value("state")? {
        "idle" => StatusState::Idle,
        "working" => StatusState::Working,
        "waiting" => StatusState::Waiting,
        "done" => StatusState::Done,
        "failed" => StatusState::Failed,
        "clear" => return Some(Event::Status(None)),
        _ => return None,
    };
    let text = |name, limit| value(name).map(|v| clean(v, limit)).filter(|v| !v.is_empty());
    let status = Status { state, app: text("app", 64), text: text("text", TITLE_LIMIT) };
    Some(Event::Status(Some(status)))
}

/// Base64 as far as it is some; other characters are skipped.
fn base64(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0);
    for byte in text.bytes() {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => continue,
        };
        bits = bits << 6 | u32::from(six);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(osc: &str) -> Option<Event> {
        Reader::default().read(osc.as_bytes(), Some("devbox"))
    }

    #[track_caller]
    fn check(osc: &str, wanted: Event) {
        assert_eq!(read(osc), Some(wanted), "{osc}");
    }

    fn note(title: &str, body: &str) -> Event {
        Event::Notification { title: title.to_owned(), body: body.to_owned() }
    }

    #[test]
    fn directories() {
        check("7;file://devbox/home/u", Event::Directory("/home/u".into()));
        check("7;file:///a%20b%c3%bc%zz", Event::Directory("/a bü%zz".into()));
        check("7;kitty-shell-cwd://localhost/a%20b", Event::Directory("/a%20b".into()));
        check("1337;CurrentDir=/x;y", Event::Directory("/x;y".into()));
        check("9;9;\"/x\"", Event::Directory("/x".into()));
        for none in ["7;", "7;file://elsewhere/x", "7;file://devbox", "7;http://devbox/x"] {
            assert_eq!(read(none), None, "{none}");
        }
        // What would lie or act where it is shown.
        for none in
            ["7;file:///a%0ab", "7;file:///a%1b[2J", "7;file:///%e2%80%aeb", "7;file:///%ff"]
        {
            assert_eq!(read(none), None, "{none}");
        }
        assert_eq!(read(&format!("7;file:///{}", "x".repeat(5000))), None);
        assert_eq!(read("1337;CurrentDir=relative"), None);
    }

    #[test]
    fn notifications() {
        check("9;Done; really", note("", "Done; really"));
        check("777;notify;Title;Body; more", note("Title", "Body; more"));
        check("99;;Hello", note("Hello", ""));
        check("99;e=1;SGVsbG8=", note("Hello", ""));
        check("9;a\u{1b}[31mb\u{202e}c\nd", note("", "a[31mbc d"));
        for none in ["9;", "777;preexec;x", "9;1;50", "99;p=?;", "99;x", "777;notify;;"] {
            assert_eq!(read(none), None, "{none}");
        }
        let Some(Event::Notification { body, .. }) = read(&format!("9;{}", "x".repeat(9999)))
        else {
            panic!("a long message is still one");
        };
        assert_eq!(body.len(), BODY_LIMIT);
    }

    #[test]
    fn questions_about_notifications_are_answered_without_foreign_words() {
        let check = |osc: &str, id: Option<&str>| {
            let answer = id.map(|id| format!("\x1b]99;i={id}:p=?;o=always:p=title,body\x1b\\"));
            assert_eq!(notification_query(osc), answer, "{osc}");
        };
        check("99;i=17:p=?;", Some("17"));
        check("99;p=?;", Some("0"));
        check("99;i=opentui-notifications:p=?;", Some("opentui-notifications"));
        check("99;i=reboot:p=?;", Some("0"));
        check("99;i=1234567890123456789:p=?;", Some("0"));
        check("99;i=1;title", None);
        check("9;p=?;", None);
    }

    #[test]
    fn a_notification_in_pieces() {
        let mut reader = Reader::default();
        assert_eq!(reader.read(b"99;i=1:d=0;Hello ", None), None);
        assert_eq!(reader.read(b"99;i=1:d=0;world", None), None);
        assert_eq!(reader.read(b"99;i=1:p=body;text", None), Some(note("Hello world", "text")));
        // Pieces without end stay bounded.
        for _ in 0..1000 {
            assert_eq!(
                reader.read(format!("99;i=2:d=0;{}", "x".repeat(900)).as_bytes(), None),
                None
            );
        }
        assert!(reader.pending.title.len() <= TITLE_LIMIT);
    }

    #[test]
    fn progress() {
        check("9;4;1;42", Event::Progress(Progress::Normal(42)));
        check("9;4;1;4200", Event::Progress(Progress::Normal(100)));
        check("9;4;2;7", Event::Progress(Progress::Error(7)));
        check("9;4;3", Event::Progress(Progress::Busy));
        check("9;4;4;9", Event::Progress(Progress::Paused(9)));
        check("9;4;0;", Event::Progress(Progress::None));
        assert_eq!(read("9;4;9;9"), None);
    }

    #[test]
    fn prompts() {
        check("133;A", Event::Prompt(Prompt::Start));
        check("133;A;cl=m;aid=7", Event::Prompt(Prompt::Start));
        check("133;P;k=i", Event::Prompt(Prompt::Start));
        assert_eq!(read("133;P;k=r"), None);
        assert_eq!(read("133;A;cl=m;k=s"), None);
        check("133;B", Event::Prompt(Prompt::Command));
        check("133;C", Event::Prompt(Prompt::Output));
        check("133;D;1", Event::Prompt(Prompt::Done(Some(1))));
        check("133;D", Event::Prompt(Prompt::Done(None)));
        assert_eq!(read("133;Z"), None);
    }

    #[test]
    fn statuses() {
        check(
            "7501;state=working:app=codex",
            Event::Status(Some(Status {
                state: StatusState::Working,
                app: Some("codex".to_owned()),
                text: None,
            })),
        );
        check(
            "7501;text=approve?;state=waiting;other=1",
            Event::Status(Some(Status {
                state: StatusState::Waiting,
                app: None,
                text: Some("approve?".to_owned()),
            })),
        );
        check("7501;state=clear", Event::Status(None));
        check("7501;app=codex:state=clear", Event::Status(None));
        for none in ["7501", "7501;", "7501;state=dancing", "7501;app=x"] {
            assert_eq!(read(none), None, "{none}");
        }
    }

    #[test]
    fn base64_reads_what_there_is() {
        assert_eq!(base64("SGVsbG8="), b"Hello");
        assert_eq!(base64("SGVsbG8"), b"Hello");
        assert_eq!(base64("%%S G V s"), b"Hel");
    }
}

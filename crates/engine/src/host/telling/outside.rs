//! Telling something outside the windows: by the desktop's notifications, with a sound, and by a program
//! of the user's own.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use jiff::Zoned;
use maestro_agents::Environment;
use maestro_core::notice::{Loud, Notice, Rules};
use maestro_core::text;

use super::super::{Shared, blocking};

/// How long a program may take to tell something.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is to be told, and in which ways.
#[derive(Debug)]
pub(super) struct Plan {
    notice: Notice,
    /// How many notices were not told outside before this one.
    held: u32,
    desktop: bool,
    sound: bool,
    command: Option<Vec<String>>,
}

/// Why something was not told.
#[derive(Debug)]
pub(super) struct Missed {
    /// In sentences.
    pub(super) text: String,
    /// Whether the user has to hear of it: what they have asked for does not work.
    pub(super) matters: bool,
}

impl Plan {
    /// What the settings say about a notice; `None` when it is told in the windows alone. `held`: see
    /// [`maestro_core::notice::Gate::pass`].
    pub(super) fn new(
        shared: &Shared,
        notice: &Notice,
        held: impl FnOnce() -> Option<u32>,
    ) -> Option<Self> {
        let own = shared.settings.of(notice.agent).notices;
        let now = Zoned::now();
        let minute = now.hour() as u16 * 60 + now.minute() as u16;
        if own.quiet.is_some_and(|hours| hours.contain(minute)) {
            return None;
        }
        let looked_at = shared.is_looked_at();
        let mut plan = Self::of(own, notice.clone(), |loud| !looked_at && loud.tells(notice.kind));
        if plan.is_empty() {
            return None;
        }
        match held() {
            Some(held) => plan.held = held,
            // A program gets all of them.
            None => (plan.desktop, plan.sound) = (false, false),
        }
        Some(plan).filter(|plan| !plan.is_empty())
    }

    /// All that is set, whoever looks and whatever hour it is.
    pub(super) fn to_try(shared: &Shared, notice: Notice) -> Self {
        Self::of(shared.settings.of(None).notices, notice, |loud| loud != Loud::Never)
    }

    fn of(rules: Rules, notice: Notice, tells: impl Fn(Loud) -> bool) -> Self {
        let (desktop, sound) = (tells(rules.desktop), tells(rules.sound));
        Self { notice, held: 0, desktop, sound, command: rules.command }
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.desktop && !self.sound && self.command.is_none()
    }

    /// Tells it, and says how, or why not.
    pub(super) async fn carry_out(self, shared: &Arc<Shared>) -> Vec<Result<String, Missed>> {
        let host = Arc::clone(shared);
        let Ok(environment) = blocking(move || host.environment()).await else { return Vec::new() };
        let mut told = Vec::new();
        if self.desktop {
            told.push(self.show(&environment).await);
        }
        if self.sound {
            told.push(play(&environment).await);
        }
        if let Some(command) = &self.command {
            told.push(self.hand_over(command, &environment).await);
        }
        told
    }

    async fn show(&self, environment: &Environment) -> Result<String, Missed> {
        let missed = |text: String| Missed { text, matters: false };
        let Some((program, arguments)) = desktop(environment, &self.notice, self.held) else {
            let text = "The desktop was not told: there is no notify-send, or no desktop session.";
            return Err(missed(text.to_owned()));
        };
        let ended = run(&program, &arguments, &[], environment).await;
        let name = program.display();
        ended.map_err(|why| missed(format!("The desktop was not told: {name} {why}.")))?;
        Ok(format!("The desktop was told by {name}."))
    }

    /// The user's own program.
    async fn hand_over(
        &self,
        command: &[String],
        environment: &Environment,
    ) -> Result<String, Missed> {
        let (name, arguments) = command
            .split_first()
            .map_or(("", &[][..]), |(name, arguments)| (name.as_str(), arguments));
        let missed =
            |why: &str| Missed { text: format!("notices.command: {name} {why}."), matters: true };
        let program = environment.find(name).ok_or_else(|| missed("is not installed"))?;
        let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        let notice = &self.notice;
        let id = |id: Option<String>| id.unwrap_or_default();
        let vars = [
            ("MAESTRO_NOTICE", notice.kind.name().to_owned()),
            ("MAESTRO_NOTICE_TITLE", notice.title()),
            ("MAESTRO_NOTICE_TEXT", notice.text.clone()),
            ("MAESTRO_NOTICE_AGENT", id(notice.agent.map(|agent| agent.to_string()))),
            ("MAESTRO_NOTICE_RUN", id(notice.run.map(|run| run.to_string()))),
        ];
        run(&program, &arguments, &vars, environment).await.map_err(|why| missed(&why))?;
        Ok(format!("{name} was run."))
    }
}

/// The program that shows a notification on this desktop, with its arguments. What is shown are words: no
/// option and no markup can be in them.
fn desktop(
    environment: &Environment,
    notice: &Notice,
    held: u32,
) -> Option<(PathBuf, Vec<OsString>)> {
    let title = text::clean(&notice.title(), 120);
    let mut body = text::clean(&notice.text, 240);
    if held > 0 {
        let more = format!("{held} more in the window");
        body = if body.is_empty() { more } else { format!("{body} · {more}") };
    }
    if cfg!(target_os = "macos") {
        let script = [
            "on run argv",
            "display notification (item 2 of argv) with title (item 1 of argv)",
            "end run",
        ];
        let mut arguments: Vec<OsString> = Vec::new();
        for line in script {
            arguments.extend(["-e".into(), line.into()]);
        }
        arguments.extend([title.into(), body.into()]);
        return Some((PathBuf::from("/usr/bin/osascript"), arguments));
    }
    let bus = environment.get("DBUS_SESSION_BUS_ADDRESS").is_some()
        || environment
            .get("XDG_RUNTIME_DIR")
            .is_some_and(|folder| PathBuf::from(folder).join("bus").exists());
    let program = environment.find("notify-send").filter(|_| bus)?;
    let urgency = if notice.kind.is_urgent() { "critical" } else { "normal" };
    let body = body.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let arguments = ["--app-name=Maestro", "--urgency", urgency, "--"].map(OsString::from);
    Some((program, arguments.into_iter().chain([title.into(), body.into()]).collect()))
}

/// Programs that play the desktop's sound for messages, the best first.
const PLAYERS: [(&str, &[&str]); 4] = [
    ("canberra-gtk-play", &["-i", "message-new-instant"]),
    ("pw-play", &["/usr/share/sounds/freedesktop/stereo/message-new-instant.oga"]),
    ("paplay", &["/usr/share/sounds/freedesktop/stereo/message-new-instant.oga"]),
    ("afplay", &["/System/Library/Sounds/Glass.aiff"]),
];

async fn play(environment: &Environment) -> Result<String, Missed> {
    let missed = |text: String| Missed { text, matters: true };
    for (name, arguments) in PLAYERS {
        let Some(program) = environment.find(name) else { continue };
        let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        return match run(&program, &arguments, &[], environment).await {
            Ok(()) => Ok(format!("A sound was played by {name}.")),
            Err(why) => Err(missed(format!("No sound was played: {name} {why}."))),
        };
    }
    let names = PLAYERS.map(|(name, _)| name).join(", ");
    Err(missed(format!(
        "No sound was played: install one of {names}, or set notices.sound to never."
    )))
}

/// Runs a program; otherwise what became of it.
async fn run(
    program: &std::path::Path,
    arguments: &[OsString],
    vars: &[(&str, String)],
    environment: &Environment,
) -> Result<(), String> {
    let mut child = tokio::process::Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(environment.vars())
        .envs(vars.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("does not start: {error}"))?;
    match tokio::time::timeout(PATIENCE, child.wait()).await {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(format!("failed: {status}")),
        Ok(Err(error)) => Err(format!("was lost: {error}")),
        Err(_) => Err(format!("did not end within {} seconds", PATIENCE.as_secs())),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use maestro_core::notice::Kind;

    use super::*;

    fn notice(text: &str) -> Notice {
        Notice {
            id: 1,
            at_ms: 0,
            kind: Kind::NeedsYou,
            agent: None,
            run: None,
            who: "--icon=/etc".to_owned(),
            text: text.to_owned(),
            count: 1,
            read: false,
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_the_desktop_is_told_is_words_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let program = folder.path().join("notify-send");
        fs::write(&program, "#!/bin/sh\n").expect("written");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("allowed");
        let mut environment = Environment::from_vars([("PATH", folder.path())]);
        let asked = notice("<b>rm</b> & \u{1b}[31mmore\n");
        assert_eq!(desktop(&environment, &asked, 0), None, "no session");
        environment.set("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere");
        let (found, arguments) = desktop(&environment, &asked, 2).expect("a program");
        assert_eq!(found, program);
        let end = &arguments[arguments.len() - 3..];
        let expected = [
            "--",
            "--icon=/etc needs you",
            "&lt;b&gt;rm&lt;/b&gt; &amp; [31mmore · 2 more in the window",
        ];
        assert_eq!(end, expected.map(OsString::from));
    }

    #[tokio::test]
    async fn a_program_that_fails_says_how() {
        let environment = Environment::from_vars([("PATH", "/bin:/usr/bin")]);
        let shell = environment.find("sh").expect("a shell");
        let script = |text: &str| [OsString::from("-c"), OsString::from(text)];
        let vars = [("MAESTRO_NOTICE", "done".to_owned())];
        let told =
            run(&shell, &script("test \"$MAESTRO_NOTICE\" = done"), &vars, &environment).await;
        assert_eq!(told, Ok(()));
        let told = run(&shell, &script("exit 3"), &[], &environment).await;
        assert_eq!(told, Err("failed: exit status: 3".to_owned()));
        let told = run(&PathBuf::from("/nowhere/at/all"), &[], &[], &environment).await;
        assert!(told.is_err_and(|why| why.starts_with("does not start: ")));
    }
}

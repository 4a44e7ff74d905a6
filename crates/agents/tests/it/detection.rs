use maestro_agents::{Environment, detect, tui_command, turn_command};
use maestro_agents::{TuiOptions, TurnOptions};
use maestro_core::agent::Provider;
use maestro_core::turn::FailureKind;

use crate::script;

fn environment(path: &std::path::Path) -> Environment {
    Environment::from_vars([("PATH", path.as_os_str()), ("HOME", path.as_os_str())])
}

#[test]
fn a_program_in_the_path_is_asked_for_its_version() {
    let dir = tempfile::tempdir().expect("a folder for the test");
    let program =
        script(dir.path(), "claude", "[ \"$1\" = --version ] && echo '2.1.197 (Claude Code)'");
    let found = detect(Provider::Claude, &environment(dir.path()));
    assert_eq!(found.program, Some(program));
    assert_eq!(found.version.as_deref(), Some("2.1.197"));
    assert_eq!(found.unusable, None);
}

#[test]
fn a_program_outside_the_path_is_found_where_installers_put_it() {
    let home = tempfile::tempdir().expect("a folder for the test");
    for (version, place) in [
        ("1.0.2", ".nvm/versions/node/v9.1.0/bin"),
        ("1.0.3", ".nvm/versions/node/v20.0.0/bin"),
        ("1.0.4", ".opencode/bin"),
        ("1.0.5", ".local/bin"),
    ] {
        let dir = home.path().join(place);
        std::fs::create_dir_all(&dir).expect("a folder for the test");
        // The script beside it stands for `node`: it is only found through PATH.
        let _ = script(&dir, "helper", &format!("echo {version}"));
        let _ = script(&dir, "opencode", "exec helper");
        let env = Environment::from_vars([
            ("HOME", home.path().as_os_str()),
            ("PATH", "/usr/bin:/bin".as_ref()),
        ]);
        let found = detect(Provider::OpenCode, &env);
        assert_eq!(found.version.as_deref(), Some(version), "{place}: {found:?}");
    }
}

#[test]
fn what_cannot_be_used_says_what_to_do() {
    let dir = tempfile::tempdir().expect("a folder for the test");
    let check = |script_text: Option<&str>, expected: &str| {
        let _ = std::fs::remove_file(dir.path().join("droid"));
        if let Some(text) = script_text {
            let _ = script(dir.path(), "droid", text);
        }
        let found = detect(Provider::Droid, &environment(dir.path()));
        let reason = found.unusable.clone().unwrap_or_default();
        assert!(reason.contains(expected), "{reason}");
        let failure = turn_command(&found, &environment(dir.path()), &TurnOptions::default())
            .expect_err("it cannot be used");
        assert_eq!((failure.kind, failure.message), (FailureKind::Unusable, reason));
    };
    check(None, "npm install -g droid");
    check(Some("echo 'cannot find module' >&2; exit 1"), "printed no version");
    // Waits for an answer: its input is closed, so it gets none.
    check(Some("read answer && echo 1.2.3"), "printed no version");
}

#[test]
fn command_lines_are_as_each_provider_wants_them() {
    let dir = tempfile::tempdir().expect("a folder for the test");
    let env = environment(dir.path());
    let session = "6a8bc3ec-26ab-456c-8c0b-cdfafa0d0db5";
    let words = |args: &[std::ffi::OsString]| {
        args.iter().map(|arg| arg.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
    };
    for (provider, resumed, turn) in [
        (
            Provider::Claude,
            format!("--resume {session}"),
            format!(
                "-p --verbose --output-format stream-json --include-partial-messages --resume {session} --model m"
            ),
        ),
        (
            Provider::Codex,
            format!("--no-daemon resume {session}"),
            format!("exec --json --skip-git-repo-check -m m resume {session} -"),
        ),
        (
            Provider::OpenCode,
            format!("--session {session}"),
            format!("run --format json -m m --session {session}"),
        ),
        (
            Provider::Droid,
            format!("--resume {session}"),
            format!("exec -o stream-json -m m -s {session}"),
        ),
    ] {
        let _ = script(dir.path(), provider.name(), "echo 1.2.3");
        let found = detect(provider, &env);
        let tui = TuiOptions { resume: Some(session.to_owned()), ..TuiOptions::default() };
        let command = tui_command(&found, &env, &tui).expect("it can be used");
        assert_eq!(words(&command.args), resumed);
        assert_eq!(command.stdin, None);
        let get = |name: &str| {
            command
                .env
                .iter()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.to_string_lossy().into_owned())
        };
        assert_eq!(get("TERM").as_deref(), Some("xterm-256color"));
        assert_eq!(get("COLORTERM").as_deref(), Some("truecolor"));

        let options = TurnOptions {
            prompt: "-do this".to_owned(),
            resume: Some(session.to_owned()),
            model: Some("m".to_owned()),
            ..TurnOptions::default()
        };
        let command = turn_command(&found, &env, &options).expect("it can be used");
        assert_eq!(words(&command.args), turn);
        // On standard input a prompt that begins with a dash is no option.
        assert_eq!(command.stdin.as_deref(), Some(b"-do this".as_slice()));

        let hostile =
            TurnOptions { resume: Some("--dangerous".to_owned()), ..TurnOptions::default() };
        assert!(turn_command(&found, &env, &hostile).is_err(), "{provider}");
    }
}

fn said(args: &[std::ffi::OsString]) -> String {
    args.iter().map(|arg| arg.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

#[test]
fn copilot_and_gemini_have_their_interface_but_no_single_turns() {
    let dir = tempfile::tempdir().expect("a folder for the test");
    let env = environment(dir.path());
    let id = "6a8bc3ec-26ab-456c-8c0b-cdfafa0d0db5";
    for (provider, version, resumed) in [
        (Provider::Copilot, "GitHub Copilot CLI 1.0.102.", format!("--resume={id}")),
        (Provider::Gemini, "0.61.0", format!("--resume {id}")),
    ] {
        let _ = script(dir.path(), provider.name(), &format!("echo '{version}'"));
        let found = detect(provider, &env);
        assert!(found.unusable.is_none() && found.version.is_some(), "{found:?}");
        let words_of = |resume: Option<&str>, new: Option<&str>| {
            let options = TuiOptions {
                resume: resume.map(str::to_owned),
                new_session: new.map(str::to_owned),
                ..TuiOptions::default()
            };
            said(&tui_command(&found, &env, &options).expect("it can be used").args)
        };
        assert_eq!(words_of(Some(id), None), resumed);
        assert_eq!(words_of(None, Some(id)), format!("--session-id {id}"));
        let refused = turn_command(&found, &env, &TurnOptions::default()).expect_err("not yet");
        assert!(refused.message.contains("conversations"), "{refused}");
    }
}

#[test]
fn single_turns_are_held_to_reading() {
    let dir = tempfile::tempdir().expect("a folder for the test");
    let env = environment(dir.path());
    let command = |provider: Provider| {
        // One agent of the user's own may do everything.
        let mine = r#"{"agent":{"mine":{"permission":{"bash":"allow","x_*":"allow"}}}}"#;
        let says = format!("case \"$1\" in debug) echo '{mine}';; *) echo 1.2.3;; esac");
        let _ = script(dir.path(), provider.name(), &says);
        let options = TurnOptions {
            read_only: true,
            unattended: true,
            directory: dir.path().to_owned(),
            ..TurnOptions::default()
        };
        turn_command(&detect(provider, &env), &env, &options)
    };
    let refused = command(Provider::Codex).expect_err("its servers of tools could write");
    assert!(refused.message.contains("conversations"), "{refused}");
    let command = |provider| command(provider).expect("it can be used");
    let droid = command(Provider::Droid);
    assert_eq!(said(&droid.args), "exec -o stream-json --only-tools Read,LS,Grep,Glob");
    let opencode = command(Provider::OpenCode);
    assert_eq!(said(&opencode.args), "run --format json");
    let config = opencode.env.iter().find(|(name, _)| name == "OPENCODE_CONFIG_CONTENT");
    let config = config.map(|(_, config)| config.to_string_lossy().into_owned());
    let config: serde_json::Value =
        serde_json::from_str(&config.unwrap_or_default()).expect("it is JSON");
    for tool in ["*", "bash", "edit", "question"] {
        assert_eq!(config["permission"][tool], "deny", "{config}");
    }
    assert_eq!(config["permission"]["read"], "allow");
    for tool in ["*", "bash", "x_*"] {
        assert_eq!(config["agent"]["mine"]["permission"][tool], "deny", "{config}");
    }
}

#[test]
fn a_users_opencode_configuration_is_kept() {
    let dir = tempfile::tempdir().expect("a folder for the test");
    let mut env = environment(dir.path());
    let _ = script(dir.path(), "opencode", "echo 1.2.3");
    let found = detect(Provider::OpenCode, &env);
    let mut check = |users: &str, expected: &str| {
        env.set("OPENCODE_CONFIG_CONTENT", users);
        let command = turn_command(&found, &env, &TurnOptions::default()).expect("it can be used");
        let (_, value) = command
            .env
            .iter()
            .find(|(key, _)| key == "OPENCODE_CONFIG_CONTENT")
            .expect("it is set");
        assert_eq!(value.to_string_lossy(), expected);
    };
    check("", r#"{"permission":{"question":"deny"}}"#);
    check(
        r#"{"permission":"ask","model":"x"}"#,
        r#"{"permission":{"*":"ask","question":"deny"},"model":"x"}"#,
    );
    check(
        r#"{"permission":{"bash":"deny"}}"#,
        r#"{"permission":{"bash":"deny","question":"deny"}}"#,
    );
}

#[test]
fn claude_code_refuses_root_in_a_sentence() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED: this test is about root, and we are not");
        return;
    }
    let dir = tempfile::tempdir().expect("a folder for the test");
    let mut env = environment(dir.path());
    let _ = script(dir.path(), "claude", "echo 1.2.3");
    let found = detect(Provider::Claude, &env);
    let options = TurnOptions { unattended: true, ..TurnOptions::default() };
    let failure = turn_command(&found, &env, &options).expect_err("root is refused");
    assert_eq!(failure.kind, FailureKind::Unusable);
    assert!(failure.message.contains("ordinary user"), "{failure}");
    env.set("IS_SANDBOX", "1");
    assert!(turn_command(&found, &env, &options).is_ok());
}

use std::path::Path;
use std::time::{Duration, Instant};

use maestro_agents::Environment;

use crate::script;

const LIMIT: Duration = Duration::from_secs(30);

fn base() -> Environment {
    Environment::from_vars([("PATH", "/usr/bin:/bin"), ("HOME", "/nonexistent")])
}

fn get(environment: &Environment, name: &str) -> Option<String> {
    environment.get(name).map(|value| value.to_string_lossy().into_owned())
}

#[test]
fn a_login_shells_exports_are_taken_over() {
    let dir = tempfile::tempdir().expect("a folder for the test");
    // As a shell whose start-up files print, export odd values and were called with the options of an
    // interactive login shell.
    let shell = script(
        dir.path(),
        "shell",
        "[ \"$1 $2 $3\" = '-l -i -c' ] || exit 1\n\
         echo 'Welcome! PATH=/wrong'; printf '\\033[31mnews\\033[0m\\n'; echo noise >&2\n\
         export PATH=/from/the/shell:/usr/bin:/bin LINES_OF=\"$(printf 'a\\nb')\" EQUALS=a=b=c\n\
         eval \"$4\"; echo goodbye",
    );
    let found = Environment::of_shell(&shell, &base(), LIMIT).expect("the shell answers");
    assert_eq!(get(&found, "PATH").as_deref(), Some("/from/the/shell:/usr/bin:/bin"));
    assert_eq!(get(&found, "LINES_OF").as_deref(), Some("a\nb"));
    assert_eq!(get(&found, "EQUALS").as_deref(), Some("a=b=c"));
}

#[test]
fn real_shells_answer() {
    for shell in ["/bin/bash", "/bin/zsh", "/usr/bin/fish"] {
        if !Path::new(shell).exists() {
            eprintln!("SKIPPED: {shell} is not installed");
            continue;
        }
        let mut base = base();
        base.set("FROM_US", "yes");
        let found =
            Environment::of_shell(Path::new(shell), &base, LIMIT).expect("the shell answers");
        assert_eq!(get(&found, "FROM_US").as_deref(), Some("yes"), "{shell}");
    }
}

#[test]
fn a_shell_that_hangs_fails_or_talks_for_ever_is_given_up() {
    let dir = tempfile::tempdir().expect("a folder for the test");
    for (name, text) in [
        ("hangs", "sleep 600"),
        ("fails", "exit 1"),
        ("talks", "while :; do echo 'no end in sight'; done"),
        ("asks", "read answer; echo \"$answer\""),
    ] {
        let shell = script(dir.path(), name, text);
        let started = Instant::now();
        assert_eq!(
            Environment::of_shell(&shell, &base(), Duration::from_millis(500)),
            None,
            "{name}"
        );
        assert!(started.elapsed() < LIMIT, "{name}");
    }
    assert_eq!(Environment::of_shell(Path::new("/nonexistent"), &base(), LIMIT), None);
}

#[test]
fn something_left_running_by_a_start_up_file_holds_nobody_up() {
    let dir = tempfile::tempdir().expect("a folder for the test");
    let shell = script(dir.path(), "shell", "sleep 600 & eval \"$4\"");
    let started = Instant::now();
    assert!(Environment::of_shell(&shell, &base(), LIMIT).is_some());
    assert!(started.elapsed() < LIMIT);
}

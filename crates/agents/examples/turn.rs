//! Drives one provider from a terminal, the way the host does: for looking at what an adapter makes of
//! a new version, and for the tests that run the real programs in a network of their own.
//!
//! ```text
//! turn detect PROVIDER
//! turn run PROVIDER [--resume ID] [--model M] [--attended] [--read-only] [--cancel SECONDS] < PROMPT
//! turn tui PROVIDER [--resume ID]        becomes the provider's own interface
//! turn latest PROVIDER                   the session last written to here
//! ```
//!
//! Prints JSON, one object a line. Takes the environment it is started in, not the login shell's.

use std::io::Read;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use maestro_agents::{
    Cancel, CommandLine, Environment, Limits, TuiOptions, TurnOptions, detect, latest_session,
    tui_command, turn_command,
};
use maestro_core::agent::Provider;
use serde_json::json;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (Some(mode), Some(Ok(provider))) =
        (args.first(), args.get(1).map(|name| name.parse::<Provider>()))
    else {
        eprintln!("usage: turn detect|run|tui|latest PROVIDER [OPTIONS]");
        return ExitCode::from(2);
    };
    let option = |name: &str| {
        let at = args.iter().position(|arg| arg == name)?;
        args.get(at + 1).cloned()
    };
    let environment = Environment::own();
    let directory = std::env::current_dir().expect("the working directory exists");
    match mode.as_str() {
        "detect" => {
            let found = detect(provider, &environment);
            println!(
                "{}",
                json!({ "program": found.program, "version": found.version, "unusable": found.unusable })
            );
        }
        "latest" => {
            let session =
                latest_session(provider, &directory, SystemTime::UNIX_EPOCH, &environment);
            println!("{}", json!({ "session": session }));
        }
        "tui" => {
            let options = TuiOptions { directory, resume: option("--resume"), new_session: None };
            match tui_command(&detect(provider, &environment), &environment, &options) {
                Ok(command) => become_it(command),
                Err(failure) => println!("{}", json!({ "failure": failure })),
            }
        }
        _ => {
            let mut prompt = String::new();
            let _ = std::io::stdin().read_to_string(&mut prompt).expect("the prompt is text");
            let options = TurnOptions {
                directory,
                prompt,
                resume: option("--resume"),
                new_session: None,
                model: option("--model"),
                unattended: !args.iter().any(|arg| arg == "--attended"),
                read_only: args.iter().any(|arg| arg == "--read-only"),
            };
            match turn_command(&detect(provider, &environment), &environment, &options) {
                Ok(command) => run(command, option("--cancel").and_then(|text| text.parse().ok())),
                Err(failure) => println!("{}", json!({ "failure": failure })),
            }
        }
    }
    ExitCode::SUCCESS
}

fn run(command: CommandLine, cancel_after: Option<f64>) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime can be started");
    let outcome = runtime.block_on(async {
        let cancel = Cancel::new();
        if let Some(seconds) = cancel_after {
            let cancel = cancel.clone();
            drop(tokio::spawn(async move {
                tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
                cancel.cancel();
            }));
        }
        let limits = Limits { total: Some(Duration::from_secs(300)), ..Limits::default() };
        maestro_agents::turn::run(command, limits, &[], &cancel, |event| {
            println!("{}", json!({ "event": event }));
        })
        .await
    });
    println!("{}", json!({ "outcome": outcome, "left": left() }));
}

/// How many processes of any turn are still there.
fn left() -> usize {
    std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| std::fs::read(entry.path().join("environ")).ok())
        .filter(|environ| {
            environ.split(|&byte| byte == 0).any(|var| var.starts_with(b"MAESTRO_TURN="))
        })
        .count()
}

#[cfg(unix)]
fn become_it(command: CommandLine) {
    use std::os::unix::process::CommandExt;
    let error = std::process::Command::new(&command.program)
        .args(&command.args)
        .current_dir(&command.directory)
        .env_clear()
        .envs(command.env)
        .exec();
    println!("{}", json!({ "failure": error.to_string() }));
}

#[cfg(not(unix))]
fn become_it(command: CommandLine) {
    println!("{}", json!({ "program": command.program }));
}

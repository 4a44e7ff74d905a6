//! The demo agent: a coding agent that needs no account, no network and no model, for trying Maestro
//! and for testing it. It edits real files in its own directory, has a terminal interface and a JSON
//! stream, keeps its sessions and resumes them. What it does is written in the prompt: directives (see
//! [`script`]), or plain words from which it makes a small, plausible change.
//!
//! ```text
//! maestro demo-agent [--resume ID | --session-id ID]                    the terminal interface
//! maestro demo-agent acp [--session-id ID] [--model M]                  the Agent Client Protocol
//! maestro demo-agent exec --json [--resume ID] [--session-id ID] [--model M] < PROMPT
//! ```

mod acp;
mod exec;
mod keys;
mod play;
mod script;
mod store;
mod tui;

use std::path::PathBuf;

/// The model it says it is.
const MODEL: &str = "demo-1";

const USAGE: &str = "usage: maestro demo-agent [--resume ID | --session-id ID]\n       \
                     maestro demo-agent acp [--session-id ID] [--model M]\n       \
                     maestro demo-agent exec --json [--resume ID | --session-id ID] [--model M] < PROMPT";

/// What it was started for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Options {
    acp: bool,
    exec: bool,
    json: bool,
    resume: Option<String>,
    session: Option<String>,
    model: Option<String>,
}

/// Runs the demo agent with the arguments after `demo-agent`; gives back the exit code.
pub fn main(args: &[String]) -> i32 {
    if args.iter().any(|arg| arg == "--version") {
        println!("{} (Maestro demo agent)", env!("CARGO_PKG_VERSION"));
        return 0;
    }
    if args.iter().any(|arg| arg == "--help" || arg == "-h") {
        println!("{USAGE}");
        return 0;
    }
    let options = match Options::parse(args) {
        Ok(options) => options,
        Err(problem) => {
            eprintln!("error: {problem}\n{USAGE}");
            return 2;
        }
    };
    let directory = match std::env::current_dir().and_then(|dir| dir.canonicalize()) {
        Ok(directory) => directory,
        Err(error) => {
            eprintln!("error: the working directory cannot be read: {error}");
            return 1;
        }
    };
    match home() {
        Some(home) if options.acp => acp::run(&options, &directory, &home),
        Some(home) if options.exec => exec::run(&options, &directory, &home),
        Some(home) => tui::run(&options, &directory, &home),
        None => {
            eprintln!("error: there is no HOME to keep sessions in; set HOME or MAESTRO_DEMO_HOME");
            1
        }
    }
}

fn home() -> Option<PathBuf> {
    let environment = maestro_agents::Environment::from_vars(std::env::vars_os());
    maestro_agents::session::demo_home(&environment)
}

/// Dies the way a program does that is killed: at once, without a core file lying about.
fn crash() -> ! {
    #[cfg(unix)]
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    std::process::abort()
}

impl Options {
    fn parse(args: &[String]) -> Result<Self, String> {
        let mut options = Self::default();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let mut value = || args.next().cloned().ok_or_else(|| format!("{arg} needs a value"));
            match arg.as_str() {
                "acp" if !options.acp && !options.exec => options.acp = true,
                "exec" if !options.exec && !options.acp => options.exec = true,
                "--json" => options.json = true,
                "--resume" => options.resume = Some(value()?),
                "--session-id" => options.session = Some(value()?),
                "--model" | "-m" => options.model = Some(value()?),
                other => return Err(format!("`{other}` is not understood")),
            }
        }
        let ids = [&options.resume, &options.session];
        if let Some(id) = ids.into_iter().flatten().find(|id| !store::is_id(id)) {
            return Err(format!("`{id}` is not a session id"));
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_read() {
        let id = "6a8bc3ec-26ab-456c-8c0b-cdfafa0d0db5";
        let parse = |line: &str| {
            Options::parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
        };
        assert_eq!(parse(""), Ok(Options::default()));
        assert_eq!(
            parse(&format!("exec --json --resume {id} --model x")),
            Ok(Options {
                exec: true,
                json: true,
                resume: Some(id.to_owned()),
                model: Some("x".to_owned()),
                session: None,
                acp: false,
            })
        );
        assert_eq!(parse("acp"), Ok(Options { acp: true, ..Options::default() }));
        for bad in ["--resume", "--resume ../../etc/passwd", "--nonsense", "exec exec", "acp exec"]
        {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}

//! `maestro host`.

use std::time::{Duration, Instant};

use maestro_engine::host::{self, HostOptions};
use maestro_protocol::Home;
use maestro_protocol::client::{self, Start};
use maestro_protocol::message::{Command, HostStatus, Reply};
use serde_json::json;

use super::Host;
use super::args::{self, HostCommand};
use super::failure::{Code, Failure, Result, unexpected};
use super::output::{self, Out};

/// How long a host may take to end: it ends what runs in it, politely first.
const STOP: Duration = Duration::from_secs(30);

pub fn run(host: args::Host, out: &mut Out) -> Result<()> {
    match host.command {
        None => serve(&host),
        Some(HostCommand::Status) => status(out),
        Some(HostCommand::Stop) => stop(out),
    }
}

fn serve(arguments: &args::Host) -> Result<()> {
    if arguments.detached {
        leave_the_terminal();
    }
    let mut options = HostOptions::new(Home::from_env()?);
    options.idle = match arguments.idle {
        Some(0) => None,
        Some(seconds) => Some(Duration::from_secs(seconds)),
        // Watched by a person, it ends when they say so.
        None if !arguments.detached => None,
        None => options.idle,
    };
    host::run_foreground(options).map_err(|error| Failure::failed(error.to_string()))
}

/// Makes this process the leader of a session of its own, so that neither a closed terminal nor a
/// Ctrl+C in it reaches the host.
fn leave_the_terminal() {
    #[cfg(unix)]
    // Fails only for the leader of a process group, which a client's child never is.
    let _ = rustix::process::setsid();
}

fn status(out: &mut Out) -> Result<()> {
    let status = match Host::running()?.client.request(Command::HostStatus, super::QUICK)? {
        Reply::HostStatus(status) => status,
        other => return Err(unexpected(&other)),
    };
    if out.json {
        return out.value(&json!(status));
    }
    let HostStatus { version, pid, started_ms, home, socket, clients, agents, terminals, runs } =
        status;
    out.facts(&[
        ("version", version),
        ("process", pid.to_string()),
        ("started", output::ago(started_ms)),
        ("home", home.display().to_string()),
        ("socket", socket.display().to_string()),
        ("clients", clients.to_string()),
        ("agents", agents.to_string()),
        ("terminals", terminals.to_string()),
        ("runs", runs.to_string()),
    ])
}

fn stop(out: &mut Out) -> Result<()> {
    let home = Home::from_env()?;
    let pid = home.lock_holder();
    match Host::connect(&home, &Start::Never) {
        Ok(mut host) => match host.client.request(Command::StopHost, STOP) {
            // It may be gone before its answer is read.
            Ok(_) | Err(client::Error::Codec(_)) => {}
            Err(error) => return Err(error.into()),
        },
        // An older host that does not understand us can still be ended.
        Err(failure) => match pid {
            Some(pid) if failure.code == Code::Failed => terminate(pid, &failure)?,
            _ => return Err(failure),
        },
    }
    let deadline = Instant::now() + STOP;
    while home.is_held() {
        if Instant::now() > deadline {
            let pid = pid.map(|pid| format!(" (process {pid})")).unwrap_or_default();
            let sentence = format!(
                "the host{pid} still runs after {} s: see {}, or kill it",
                STOP.as_secs(),
                home.log().display()
            );
            return Err(Failure::new(Code::TimedOut, sentence));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    if out.json { out.value(&json!({ "stopped": true, "pid": pid })) } else { Ok(()) }
}

#[cfg(unix)]
fn terminate(pid: u32, failure: &Failure) -> Result<()> {
    use rustix::process::{Pid, Signal, kill_process};

    // The number was read from the lock while somebody held it: it is that process.
    i32::try_from(pid)
        .ok()
        .and_then(Pid::from_raw)
        .ok_or_else(|| Failure::failed(failure.message.clone()))
        .and_then(|pid| {
            kill_process(pid, Signal::TERM).map_err(|error| {
                Failure::failed(format!("{failure}; and it cannot be ended: {error}"))
            })
        })
}

#[cfg(not(unix))]
fn terminate(_: u32, failure: &Failure) -> Result<()> {
    Err(Failure::failed(failure.message.clone()))
}

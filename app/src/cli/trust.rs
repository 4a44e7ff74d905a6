//! `maestro trust`.

use std::io::{BufRead as _, IsTerminal as _, Write as _, stderr, stdin};
use std::path::Path;

use maestro_core::changes::{Answer, Ask, Programs};
use serde_json::json;

use super::Host;
use super::diff::{ask, place};
use super::failure::{Code, Failure, Result};
use super::output::{self, Out};

/// The arguments of `maestro trust`.
#[derive(Debug, clap::Args)]
pub struct Trust {
    /// An agent (by name or id) or a directory in the repository; where this is run when absent.
    #[arg(value_name = "NAME|DIR", default_value = ".", hide_default_value = true)]
    place: String,
    /// Agree to them without being asked.
    #[arg(long, conflicts_with = "not")]
    yes: bool,
    /// Do not agree any more.
    #[arg(long)]
    not: bool,
}

pub fn run(arguments: &Trust, out: &mut Out) -> Result<()> {
    let mut host = Host::on_demand()?;
    let directory = place(&mut host, &arguments.place)?;
    let mut programs = answer(ask(&mut host, Ask::Programs { directory: directory.clone() })?)?;
    if !out.json {
        show(&programs, out)?;
    }
    let is_new = !programs.programs.is_empty() && programs.is_trusted == arguments.not;
    let agrees = || arguments.yes || arguments.not || (!out.json && asked());
    if is_new && agrees() {
        let hash = programs.hash.clone();
        let asked = Ask::TrustPrograms { directory, hash, trust: !arguments.not };
        programs = answer(ask(&mut host, asked)?)?;
        if !out.json {
            let word =
                if programs.is_trusted { "they may run" } else { "they do not run any more" };
            out.line(word)?;
        }
    }
    if out.json {
        out.value(&json!(programs))?;
    }
    if programs.is_trusted || arguments.not {
        return Ok(());
    }
    Err(Failure::new(Code::Refused, String::new()))
}

fn answer(answer: Answer) -> Result<Programs> {
    match answer {
        Answer::Programs(programs) => Ok(programs),
        _ => Err(Failure::failed("the host answered something else")),
    }
}

fn show(programs: &Programs, out: &mut Out) -> Result<()> {
    if programs.programs.is_empty() {
        return out.line("this repository names no programs of its own");
    }
    for program in &programs.programs {
        out.line(&output::plain(&format!("{} = {}", program.key, program.command)))?;
        out.line(&output::plain(&format!("    in {}", shown(&program.file))))?;
    }
    out.line(if programs.is_trusted {
        "you agreed to these: they run where Maestro looks at files and merges"
    } else {
        "they do not run where Maestro looks: filters change nothing, merges that need them conflict"
    })
}

fn shown(file: &Path) -> String {
    file.display().to_string()
}

fn asked() -> bool {
    if !stdin().is_terminal() {
        return false;
    }
    let _ = write!(stderr(), "May they run? [y/N] ");
    let mut line = String::new();
    stdin().lock().read_line(&mut line).is_ok() && line.trim().eq_ignore_ascii_case("y")
}

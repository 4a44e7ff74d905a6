//! `maestro settings`: where the file is, and whether it can be read.

use maestro_protocol::Home;
use serde_json::json;

use super::args;
use super::failure::{Failure, Result};
use super::output::Out;
use crate::settings;

pub fn run(command: &args::Settings, out: &mut Out) -> Result<()> {
    let path = settings::path(&Home::from_env()?);
    match command {
        args::Settings::Path => {
            if out.json {
                return out.value(&json!(path));
            }
            out.line(&path.display().to_string())
        }
        args::Settings::Check => {
            let checked = settings::read(&path);
            if out.json {
                let (line, why) = match &checked {
                    Ok(_) => (None, None),
                    Err(problem) => (problem.line, Some(&problem.why)),
                };
                out.value(&json!({ "path": path, "line": line, "problem": why }))?;
                return checked.map(|_| ()).map_err(|_| Failure::silent());
            }
            match checked {
                Ok(_) if path.exists() => out.line("All is well."),
                Ok(_) => out.line("There is no such file: everything has its default."),
                Err(problem) => Err(Failure::failed(problem.to_string())),
            }
        }
    }
}

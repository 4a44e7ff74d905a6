//! Every chore of the project, so that a person and a machine that checks do the same thing the same
//! way.

mod agents;
mod bench;
mod cargo;
mod demo;
mod fuzz;
mod gallery;
mod packages;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "Every chore of the project")]
struct Xtask {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Install what is missing, build, and show the main job on a throwaway repository.
    Demo(demo::Options),
    /// Run every check: format, lints, documentation, tests.
    Test(test::Options),
    /// Measure against the budgets; one JSON object a line with --json.
    Bench(bench::Options),
    /// Make a home folder full of stored sessions of every provider, the same for the same seed.
    Sessions(bench::Sessions),
    /// What runs in a terminal that is measured.
    #[command(hide = true)]
    Payload(bench::Payload),
    /// Run the fuzz targets of tests/fuzz, each for a while.
    Fuzz(fuzz::Options),
    /// Render every scene in every theme and size to target/gallery.
    Gallery(gallery::Options),
    /// Install the real agent programs that tests drive, at pinned versions, into target/agents.
    #[command(disable_help_flag = true)]
    Agents {
        /// Names of agents; --list only shows them, --json as JSON.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
}

fn main() -> ExitCode {
    let result = match Xtask::parse().chore {
        Chore::Demo(options) => demo::run(options),
        Chore::Test(options) => test::run(&options),
        Chore::Bench(options) => bench::run(&options),
        Chore::Sessions(options) => bench::make_sessions(&options),
        Chore::Payload(options) => bench::payload(&options),
        Chore::Fuzz(options) => fuzz::run(&options),
        Chore::Gallery(options) => gallery::run(&options),
        Chore::Agents { args } => agents::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

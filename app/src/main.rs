//! Maestro: the window, the host and the command line in one program.
//!
//! This file declares the parts; what a command line means is in [`cli`].

mod cli;
mod demo_agent;
mod embed;
mod window;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}

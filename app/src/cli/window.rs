//! The commands that need the window's code.

use std::path::Path;

use maestro_protocol::client::Start;
use maestro_protocol::home::Home;

use super::args::{Renderer, Screenshot, Term, Theme};
use super::failure::{Code, Failure, Result};
use crate::window;

pub fn open(home: Option<&Path>) -> Result<()> {
    let home = home.map_or_else(Home::from_env, Home::at)?;
    window::run(window::Options { home, start: Start::ON_DEMAND }).map_err(failed)
}

pub fn term(term: Term) -> Result<()> {
    let options = window::TermOptions {
        home: Home::from_env()?,
        start: Start::ON_DEMAND,
        directory: term.dir,
        size: term.size,
    };
    match window::term(term.command, options).map_err(failed)? {
        0 => Ok(()),
        // The command's own code is ours; it has said itself what was wrong.
        code => std::process::exit(code),
    }
}

pub fn screenshot(screenshot: Screenshot) -> Result<()> {
    if screenshot.scene == "all" {
        println!("live\n{}", window::scenes().join("\n"));
        return Ok(());
    }
    let theme = match screenshot.theme {
        Theme::Dark => "dark",
        Theme::Light => "light",
    };
    let renderer = match screenshot.renderer {
        Renderer::Wgpu => window::Renderer::Wgpu,
        Renderer::Software => window::Renderer::Software,
    };
    let picture = window::Picture {
        home: if screenshot.scene == "live" { Some(Home::from_env()?) } else { None },
        scene: screenshot.scene,
        size: screenshot.size,
        scale: screenshot.scale,
        theme: Some(theme.to_owned()),
        renderer,
        out: screenshot.out,
    };
    window::screenshot(&picture).map_err(failed)
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that `map_err` wants")]
fn failed(error: anyhow::Error) -> Failure {
    Failure::new(Code::Failed, format!("{error:#}"))
}

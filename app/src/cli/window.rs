//! The commands that need the window's code.

use maestro_protocol::client::Start;
use maestro_protocol::home::Home;
use serde_json::json;

use super::args::{Renderer, Screenshot, Term};
use super::failure::{Code, Failure, Result};
use super::output::Out;
use crate::window;

/// The scene that shows what the host has now.
const LIVE: &str = "live";

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

pub fn screenshot(screenshot: Screenshot, out: &mut Out) -> Result<()> {
    let scenes = || std::iter::once(LIVE).chain(window::scenes().iter().copied());
    if screenshot.scene == "all" {
        if out.json {
            return out.value(&json!(scenes().collect::<Vec<_>>()));
        }
        return scenes().try_for_each(|scene| out.line(scene));
    }
    if scenes().all(|scene| scene != screenshot.scene) {
        let known = scenes().collect::<Vec<_>>().join(", ");
        let sentence = format!("there is no scene `{}`: there are {known}", screenshot.scene);
        return Err(Failure::new(Code::Usage, sentence));
    }
    let Some(file) = screenshot.out else {
        return Err(Failure::new(Code::Usage, "say where the picture goes, with --out FILE.png"));
    };
    let live = screenshot.scene == LIVE;
    // A live picture has the window's own.
    let theme = screenshot.theme.or_else(|| (!live).then(|| "dark".to_owned()));
    let renderer = match screenshot.renderer {
        Renderer::Wgpu => window::Renderer::Wgpu,
        Renderer::Software => window::Renderer::Software,
    };
    let picture = window::Picture {
        home: if live { Some(Home::from_env()?) } else { None },
        scene: screenshot.scene,
        size: screenshot.size,
        scale: screenshot.scale,
        theme,
        renderer,
        out: file,
    };
    window::screenshot(&picture).map_err(failed)
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that `map_err` wants")]
fn failed(error: anyhow::Error) -> Failure {
    Failure::new(Code::Failed, format!("{error:#}"))
}

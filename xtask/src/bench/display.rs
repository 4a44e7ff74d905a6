//! A virtual display, and looking at what is on it.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::cargo;

/// What measuring a real window needs.
const NEEDED: [&str; 3] = ["Xvfb", "xdotool", "import"];

/// A display of our own, ended with the value.
pub struct Display {
    name: String,
    server: Child,
}

impl Display {
    /// What is missing for one, if anything.
    pub fn missing() -> Option<String> {
        let missing = NEEDED.into_iter().find(|program| !cargo::has(program))?;
        Some(format!("{missing} is not installed"))
    }

    pub fn start() -> Result<Self> {
        let number = 100 + std::process::id() % 400;
        let name = format!(":{number}");
        let server = Command::new("Xvfb")
            .args([&name, "-screen", "0", "1920x1200x24"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("Xvfb")?;
        let display = Self { name, server };
        let socket = PathBuf::from(format!("/tmp/.X11-unix/X{number}"));
        let deadline = Instant::now() + Duration::from_secs(10);
        while !socket.exists() {
            if Instant::now() > deadline {
                bail!("Xvfb does not come up");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(display)
    }

    /// Puts a command on this display.
    pub fn show<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .env("DISPLAY", &self.name)
            .env_remove("WAYLAND_DISPLAY")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
    }

    /// Whether a window with this title shows more than one colour.
    pub fn shows(&self, title: &str) -> bool {
        let found = Command::new("xdotool")
            .args(["search", "--onlyvisible", "--name", &format!("^{title}")])
            .env("DISPLAY", &self.name)
            .stderr(Stdio::null())
            .output();
        let Ok(found) = found else { return false };
        let Some(window) = String::from_utf8_lossy(&found.stdout).lines().next().map(str::to_owned)
        else {
            return false;
        };
        let picture = Command::new("import")
            .args(["-silent", "-window", &window, "-depth", "8", "gray:-"])
            .env("DISPLAY", &self.name)
            .stderr(Stdio::null())
            .output();
        picture.is_ok_and(|picture| {
            picture.stdout.first().is_some_and(|first| picture.stdout.iter().any(|p| p != first))
        })
    }

    /// How long a program takes from its start until its window shows something, in milliseconds. It
    /// is ended afterwards by `after`.
    pub fn time_to_show<T>(
        &self,
        command: &mut Command,
        title: &str,
        after: impl FnOnce(&mut Child) -> Result<T>,
    ) -> Result<(f64, T)> {
        let begun = Instant::now();
        let mut child = self.show(command).spawn().context("the window's program")?;
        let deadline = begun + Duration::from_secs(60);
        while !self.shows(title) {
            if Instant::now() > deadline || child.try_wait()?.is_some() {
                let _ = child.kill();
                let _ = child.wait();
                bail!("no window `{title}` shows anything");
            }
        }
        let took = begun.elapsed().as_secs_f64() * 1e3;
        let result = after(&mut child);
        let _ = child.kill();
        let _ = child.wait();
        Ok((took, result?))
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

//! A virtual display whose pixels can be read without asking its server: looking costs the programs
//! that are measured nothing.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::cargo;

/// What measuring a real window needs.
const NEEDED: [&str; 2] = ["Xvfb", "xdotool"];

const WIDTH: u32 = 1920;
const HEIGHT: u32 = 1200;

/// The colour that is looked for, as the display keeps it.
const MARK: [u8; 3] = [255, 0, 255];

/// The same as a terminal is told it.
pub const MARK_BACKGROUND: &str = "\\033[48;2;255;0;255m";

/// So many pixels beside each other in that colour are the mark.
const MARK_WIDTH: usize = 12;

/// Between two rows of pixels that are looked at: less than a line of text is high.
const ROW_STEP: u32 = 8;

/// Where the errors of what is shown go.
const COMPLAINTS: &str = "stderr";

/// How long a window may take to show something.
const LIMIT: Duration = Duration::from_secs(60);

/// A display of our own, ended with the value.
pub struct Display {
    name: String,
    server: Child,
    folder: PathBuf,
    pixels: Pixels,
}

/// The display's pixels, in a file that its server maps.
struct Pixels {
    file: File,
    /// Where they begin.
    start: u64,
    /// Bytes of a row.
    stride: usize,
}

impl Display {
    /// What is missing for one, if anything.
    pub fn missing() -> Option<String> {
        let missing = NEEDED.into_iter().find(|program| !cargo::has(program))?;
        Some(format!("{missing} is not installed"))
    }

    pub fn start() -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("maestro-display-{}", std::process::id()));
        std::fs::create_dir_all(&folder).context("a folder for the display")?;
        // It takes a free number and tells it once it is ready. Without `-noreset` it begins anew whenever
        // the last program leaves, whoever is just coming.
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-nolisten", "tcp", "-noreset"])
            .args(["-screen", "0", &format!("{WIDTH}x{HEIGHT}x24"), "-fbdir"])
            .arg(&folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("Xvfb")?;
        let mut number = String::new();
        if let Some(told) = &mut server.stdout {
            let _ = BufReader::new(told).read_line(&mut number)?;
        }
        let pixels = match Pixels::open(&folder.join("Xvfb_screen0")) {
            Ok(pixels) => pixels,
            Err(error) => {
                end(&mut server);
                return Err(error.context("Xvfb does not come up"));
            }
        };
        let name = format!(":{}", number.trim());
        Ok(Self { name, server, folder, pixels })
    }

    /// Puts a command on this display.
    pub fn show<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        let complaints = File::create(self.folder.join(COMPLAINTS));
        command
            .env("DISPLAY", &self.name)
            .env_remove("WAYLAND_DISPLAY")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(complaints.map_or_else(|_| Stdio::null(), Stdio::from))
    }

    /// The last thing the program that was shown last has said.
    fn complaint(&self) -> String {
        let said = std::fs::read_to_string(self.folder.join(COMPLAINTS)).unwrap_or_default();
        said.lines().last().unwrap_or("it said nothing").to_owned()
    }

    /// Runs xdotool on this display and gives back what it prints.
    pub fn xdotool(&self, args: &[&str]) -> Result<String> {
        let mut command = Command::new("xdotool");
        let _ = command.args(args).env("DISPLAY", &self.name);
        let output = command.output().context("xdotool")?;
        if !output.status.success() {
            bail!("`{}` failed", cargo::shown(&command));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// The one window on the display, once its program has opened it.
    pub fn window(&self, child: &mut Child) -> Result<String> {
        let deadline = Instant::now() + LIMIT;
        loop {
            let found = self.xdotool(&["search", "--onlyvisible", "--name", "."]);
            if let Some(id) = found.ok().and_then(|ids| ids.lines().next().map(str::to_owned)) {
                return Ok(id);
            }
            if Instant::now() > deadline || child.try_wait()?.is_some() {
                bail!("no window comes up: {}", self.complaint());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// How long a program takes from its start until the mark is seen, in milliseconds. The program is
    /// ended then. `row` remembers where the mark was seen: the next time only that is looked at.
    pub fn time_to_mark(&self, command: &mut Command, row: &mut Option<u32>) -> Result<f64> {
        let gone = Instant::now() + LIMIT;
        while self.pixels.mark(None).is_some() {
            if Instant::now() > gone {
                bail!("the window of the run before does not go away");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let shown = cargo::shown(command);
        let begun = Instant::now();
        let mut child = self.show(command).spawn().with_context(|| shown.clone())?;
        let seen = loop {
            let seen = self.pixels.mark(*row);
            if seen.is_some() {
                break seen;
            }
            if begun.elapsed() > LIMIT || child.try_wait()?.is_some() {
                end(&mut child);
                bail!("`{shown}` shows nothing: {}", self.complaint());
            }
            std::thread::sleep(Duration::from_micros(500));
        };
        let took = begun.elapsed().as_secs_f64() * 1e3;
        *row = seen;
        end(&mut child);
        Ok(took)
    }
}

/// Ends a program.
pub fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

impl Drop for Display {
    fn drop(&mut self) {
        end(&mut self.server);
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Pixels {
    /// Reads the head of an X window dump.
    fn open(path: &Path) -> Result<Self> {
        let file = File::open(path)?;
        let mut head = [0; 100];
        file.read_exact_at(&mut head, 0)?;
        let field = |index: usize| {
            let bytes = head[index * 4..].first_chunk::<4>().copied().unwrap_or_default();
            u32::from_be_bytes(bytes)
        };
        let (size, bits, stride, colors) = (field(0), field(11), field(12), field(19));
        if bits != 32 || field(5) != HEIGHT {
            bail!("the display is not what was asked for");
        }
        let start = u64::from(size) + 12 * u64::from(colors);
        Ok(Self { file, start, stride: stride as usize })
    }

    /// The row of pixels with the mark: in this row, or in any.
    fn mark(&self, row: Option<u32>) -> Option<u32> {
        let mut pixels = vec![0; self.stride];
        let mut is_in = |row: u32| {
            let at = self.start + u64::from(row) * self.stride as u64;
            self.file.read_exact_at(&mut pixels, at).is_ok() && has_mark(&pixels)
        };
        match row {
            Some(row) => is_in(row).then_some(row),
            None => (0..HEIGHT / ROW_STEP).map(|step| step * ROW_STEP).find(|row| is_in(*row)),
        }
    }
}

fn has_mark(row: &[u8]) -> bool {
    let marked: Vec<bool> = row.chunks_exact(4).map(|pixel| pixel[..3] == MARK).collect();
    marked.windows(MARK_WIDTH).any(|pixels| pixels.iter().all(|marked| *marked))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_has_a_width() {
        let row = |width: usize| {
            let mut row = vec![7; 4 * 100];
            for pixel in row.chunks_exact_mut(4).skip(40).take(width) {
                pixel[..3].copy_from_slice(&MARK);
            }
            row
        };
        assert!(has_mark(&row(MARK_WIDTH)));
        assert!(!has_mark(&row(MARK_WIDTH - 1)));
    }
}

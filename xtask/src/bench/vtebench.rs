//! `maestro term -- CHILD` against `alacritty -e CHILD` on the same display with the same cells, in
//! alternating pairs, and against `kitty CHILD` where that is installed. The child writes the kinds of output
//! that vtebench is known for.

use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::display::{self, Display};
use super::payload::{COLS, ROWS};
use super::{Measure, Setup, median};
use crate::cargo;

/// Of the geometric mean over all kinds.
const BAR: f64 = 1.0;
/// Of each kind.
const WORST: f64 = 1.3;
const PAIRS: usize = 5;

/// Of kitty, for which there is no bar.
const PAIRS_OF_KITTY: usize = 3;

/// One run over all kinds, on a slow machine.
const LIMIT: Duration = Duration::from_secs(180);

/// What the two windows must agree on: the size in cells and in pixels.
const ALACRITTY: &str = r#"
[font]
size = 9.0
offset = { x = 0, y = -1 }
[font.normal]
family = "JetBrains Mono"
[window]
dimensions = { columns = 120, lines = 40 }
padding = { x = 6, y = 6 }
dynamic_padding = false
[scrolling]
history = 10000
"#;

/// The same for kitty, whose cells are a pixel narrower. It would otherwise wait for a display that refreshes.
const KITTY: &str = "
font_family JetBrains Mono
font_size 9.0
remember_window_size no
initial_window_width 120c
initial_window_height 40c
window_padding_width 4
scrollback_lines 10000
update_check_interval 0
confirm_os_window_close 0
enable_audio_bell no
sync_to_monitor no
";

/// One run of one terminal.
struct Run {
    /// Of the window, in pixels.
    geometry: String,
    /// Kind, median, mean.
    times: Vec<(String, f64, f64)>,
}

pub fn run(setup: &Setup) -> Result<Vec<Measure>> {
    let skip = |note: &str| Ok(vec![Measure::skipped("vtebench", BAR, "×", note)]);
    if !cargo::has("alacritty") {
        return skip("alacritty is not installed: `cargo install alacritty`");
    }
    if let Some(missing) = Display::missing() {
        return skip(&missing);
    }
    let maestro = setup.maestro()?;
    let display = Display::start()?;
    let folder = std::env::temp_dir().join(format!("maestro-vtebench-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let measured = measured(&maestro, &display, &folder);
    let mut stop = Command::new(&maestro);
    let _ = stop.args(["host", "stop"]).env("MAESTRO_HOME", folder.join("home")).output();
    let _ = std::fs::remove_dir_all(&folder);
    measured
}

fn measured(maestro: &Path, display: &Display, folder: &Path) -> Result<Vec<Measure>> {
    let fonts = cargo::root().join("resources").join("fonts");
    let fonts = format!(
        "<?xml version=\"1.0\"?><!DOCTYPE fontconfig SYSTEM \"fonts.dtd\"><fontconfig>\
         <include ignore_missing=\"yes\">/etc/fonts/fonts.conf</include><dir>{}</dir></fontconfig>",
        fonts.display()
    );
    std::fs::write(folder.join("fonts.conf"), fonts)?;
    std::fs::write(folder.join("alacritty.toml"), ALACRITTY)?;
    let size = format!("{COLS}x{ROWS}");
    let mut ours = || {
        let mut command = Command::new(maestro);
        let _ = command.args(["term", "--size", &size, "--"]);
        let _ = command.env("MAESTRO_HOME", folder.join("home")).env("HOME", folder);
        once(command.env("SHELL", "/bin/sh"), display, folder)
    };
    let mut theirs = || {
        let mut command = Command::new("alacritty");
        let _ = command.arg("--config-file").arg(folder.join("alacritty.toml")).arg("-e");
        let _ = command.env("FONTCONFIG_FILE", folder.join("fonts.conf")).env("HOME", folder);
        once(command.env("SHELL", "/bin/sh"), display, folder)
    };
    let mut measures = report(&super::pairs(PAIRS, &mut ours, &mut theirs)?);
    if !cargo::has("kitty") {
        let none = Measure { value: None, ..Measure::told("vtebench/beside kitty", 0.0, "×", 0) };
        measures.push(none.note("kitty is not installed"));
        return Ok(measures);
    }
    std::fs::write(folder.join("kitty.conf"), KITTY)?;
    let mut kitty = || {
        let mut command = Command::new("kitty");
        let _ = command.arg("--config").arg(folder.join("kitty.conf"));
        let _ = command.env("FONTCONFIG_FILE", folder.join("fonts.conf")).env("HOME", folder);
        let _ = command.env("LIBGL_ALWAYS_SOFTWARE", "1");
        once(command.env("SHELL", "/bin/sh"), display, folder)
    };
    measures.push(beside_kitty(&super::pairs(PAIRS_OF_KITTY, &mut ours, &mut kitty)?));
    Ok(measures)
}

/// All kinds in one number, which nothing depends on.
fn beside_kitty(pairs: &[(Run, Run)]) -> Measure {
    let measures = report(pairs);
    let told: Vec<String> = measures
        .iter()
        .filter_map(|measure| {
            let kind = measure.name.strip_prefix("vtebench/")?;
            Some(format!("{kind} {:.2}", measure.value?))
        })
        .collect();
    let all = measures.last().and_then(|measure| measure.value).unwrap_or(f64::NAN);
    Measure::told("vtebench/beside kitty", all, "×", PAIRS_OF_KITTY)
        .peer("kitty")
        .note(told.join(", "))
}

/// Runs the child in a terminal and reads what it measured.
fn once(terminal: &mut Command, display: &Display, folder: &Path) -> Result<Run> {
    let results = folder.join("times.json");
    let _ = std::fs::remove_file(&results);
    let child = std::env::current_exe().context("this program's own file")?;
    let _ = terminal.arg(child).args(["payload", "terminal", "--out"]).arg(&results);
    let shown = cargo::shown(terminal);
    let mut window = display.show(terminal).spawn().with_context(|| shown.clone())?;
    let geometry = geometry(display, &mut window).unwrap_or_default();
    let deadline = Instant::now() + LIMIT;
    while window.try_wait()?.is_none() {
        if Instant::now() > deadline {
            display::end(&mut window);
            bail!("`{shown}` did not end");
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let text =
        std::fs::read_to_string(&results).with_context(|| format!("`{shown}` left no results"))?;
    read(&text, geometry)
}

fn read(text: &str, geometry: String) -> Result<Run> {
    let results: Value = serde_json::from_str(text)?;
    let size = results["size"].as_str().unwrap_or_default();
    if size != format!("{ROWS} {COLS}") {
        bail!("the terminal has another size: {size}");
    }
    let times = results["times"].as_object().context("no times")?;
    let times = times.iter().map(|(name, time)| {
        let number = |field: &str| time[field].as_f64().unwrap_or(f64::NAN);
        (name.clone(), number("median"), number("mean"))
    });
    Ok(Run { geometry, times: times.collect() })
}

fn geometry(display: &Display, child: &mut Child) -> Result<String> {
    let window = display.window(child)?;
    let told = display.xdotool(&["getwindowgeometry", &window])?;
    let line = told.lines().find_map(|line| line.trim().strip_prefix("Geometry: "));
    Ok(line.context("no geometry")?.to_owned())
}

/// For each kind the median over the runs of each run's median; then the geometric mean.
fn report(pairs: &[(Run, Run)]) -> Vec<Measure> {
    let Some((first, other)) = pairs.first() else { return Vec::new() };
    let over_runs = |kind: usize, side: fn(&(Run, Run)) -> &Run, field: fn(&Times) -> f64| {
        let times = pairs.iter().filter_map(|pair| side(pair).times.get(kind).map(field));
        median(&mut times.collect::<Vec<_>>())
    };
    let mut kinds = Vec::new();
    let (mut of_medians, mut of_means) = (Vec::new(), Vec::new());
    for (kind, (name, ..)) in first.times.iter().enumerate() {
        let ours = over_runs(kind, |pair| &pair.0, |time| time.1);
        let theirs = over_runs(kind, |pair| &pair.1, |time| time.1);
        let means = over_runs(kind, |pair| &pair.0, |time| time.2)
            / over_runs(kind, |pair| &pair.1, |time| time.2);
        of_medians.push(ours / theirs);
        of_means.push(means);
        kinds.push(
            Measure::at_most(&format!("vtebench/{name}"), ours / theirs, "×", WORST, PAIRS)
                .peer("alacritty")
                .note(format!("{ours:.1} ms against {theirs:.1} ms")),
        );
    }
    let each: Vec<String> = pairs
        .iter()
        .map(|(ours, theirs)| {
            let ratios = ours.times.iter().zip(&theirs.times).map(|(a, b)| a.1 / b.1);
            format!("{:.2}", geometric_mean(&ratios.collect::<Vec<_>>()))
        })
        .collect();
    let mut note = format!(
        "geometric mean of medians; of means {:.2}; each pair {}; windows of {} and {}",
        geometric_mean(&of_means),
        each.join(", "),
        first.geometry,
        other.geometry
    );
    if first.geometry != other.geometry {
        note.push_str(": NOT the same");
    }
    kinds.push(
        Measure::at_most("vtebench", geometric_mean(&of_medians), "×", BAR, PAIRS)
            .peer("alacritty")
            .note(note),
    );
    kinds
}

type Times = (String, f64, f64);

fn geometric_mean(ratios: &[f64]) -> f64 {
    (ratios.iter().map(|ratio| ratio.ln()).sum::<f64>() / ratios.len() as f64).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_geometric_mean_of_a_number_and_its_inverse_is_one() {
        assert!((geometric_mean(&[2.0, 0.5]) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_run_of_another_size_is_refused() {
        let run = |size: &str| {
            let text = format!(
                r#"{{"size":"{size}","times":{{"scrolling":{{"median":2.0,"mean":3.0,"bytes":9}}}}}}"#
            );
            read(&text, String::new())
        };
        let good = run("40 120").expect("the right size");
        assert_eq!(good.times, [("scrolling".to_owned(), 2.0, 3.0)]);
        assert!(run("24 80").is_err());
    }
}

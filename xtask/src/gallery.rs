//! `cargo xtask gallery`: every scene of the window as pictures, for eyes.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};

use crate::cargo;

/// A laptop, a large screen, and the smallest window that has to work.
const SIZES: [&str; 3] = ["1280x800", "2560x1440", "900x600"];
/// The dark one, the light one, and one for eyes that need more contrast.
const THEMES: [&str; 3] = ["dark", "light", "blackout"];

/// How wide a picture is on the contact sheet, and how far it is from the next.
const THUMB: (u32, u32) = (400, 12);
/// How many there are in a row of it.
const COLUMNS: u32 = 6;

#[derive(Debug, Args)]
pub struct Options {
    /// Only these scenes; all when none is given.
    scenes: Vec<String>,
    /// Where the pictures go.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Only this size; three when none is given.
    #[arg(long = "size", value_name = "WxH")]
    sizes: Vec<String>,
    /// Only this theme; three when none is given.
    #[arg(long = "theme", value_name = "NAME")]
    themes: Vec<String>,
    /// Which renderer.
    #[arg(long, default_value = "software")]
    renderer: String,
}

pub fn run(options: &Options) -> Result<()> {
    let program = cargo::build_maestro()?;
    let folder = options.out.clone().unwrap_or_else(|| cargo::target().join("gallery"));
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("{} cannot be made", folder.display()))?;
    let scenes = if options.scenes.is_empty() { scenes(&program)? } else { options.scenes.clone() };
    let sizes = or(&options.sizes, &SIZES);
    let themes = or(&options.themes, &THEMES);
    for (done, scene) in scenes.iter().enumerate() {
        for size in &sizes {
            for theme in &themes {
                let picture = folder.join(name(scene, size, theme));
                let mut shot = Command::new(&program);
                let _ = shot
                    .args(["screenshot", "--scene", scene, "--size", size, "--theme", theme])
                    .args(["--renderer", &options.renderer, "--out"])
                    .arg(&picture);
                cargo::run(&mut shot)?;
            }
        }
        eprintln!("{} of {}: {scene}", done + 1, scenes.len());
    }
    let shown: Vec<String> = themes
        .iter()
        .flat_map(|theme| scenes.iter().map(|scene| name(scene, &sizes[0], theme)))
        .collect();
    contact_sheet(&folder, &shown)?;
    page(&folder, &scenes, &sizes, &themes)?;
    println!("{}", folder.display());
    Ok(())
}

fn or(given: &[String], preset: &[&str]) -> Vec<String> {
    if given.is_empty() {
        preset.iter().map(|word| (*word).to_owned()).collect()
    } else {
        given.to_vec()
    }
}

fn name(scene: &str, size: &str, theme: &str) -> String {
    format!("{scene}-{size}-{theme}.png")
}

/// One picture of all of them, small: what does not belong to the others is seen at a glance.
fn contact_sheet(folder: &Path, pictures: &[String]) -> Result<()> {
    let thumbs = pictures
        .iter()
        .map(|picture| {
            let path = folder.join(picture);
            let image = image::open(&path)
                .with_context(|| format!("{} cannot be read", path.display()))?
                .into_rgb8();
            let height = image.height() * THUMB.0 / image.width().max(1);
            Ok(imageops::resize(&image, THUMB.0, height, FilterType::Triangle))
        })
        .collect::<Result<Vec<RgbImage>>>()?;
    let count = u32::try_from(thumbs.len()).context("too many pictures")?;
    let height = thumbs.iter().map(RgbImage::height).max().unwrap_or(0);
    let (width, gap) = THUMB;
    let across = |number: u32, side: u32| gap + number * (side + gap);
    let rows = count.div_ceil(COLUMNS);
    let mut sheet = RgbImage::from_pixel(
        across(COLUMNS.min(count), width),
        across(rows, height),
        Rgb([0x80, 0x80, 0x80]),
    );
    for (place, thumb) in (0..count).zip(&thumbs) {
        let (x, y) = (across(place % COLUMNS, width), across(place / COLUMNS, height));
        imageops::replace(&mut sheet, thumb, x.into(), y.into());
    }
    let path = folder.join("contact.png");
    sheet.save(&path).with_context(|| format!("{} cannot be written", path.display()))
}

/// A page that shows each scene in every theme and size side by side, by its name.
fn page(folder: &Path, scenes: &[String], sizes: &[String], themes: &[String]) -> Result<()> {
    let mut html = String::from(
        "<!doctype html><meta charset=utf-8><title>Maestro</title>\n\
         <style>body{font:14px sans-serif;background:#888}img{width:32%;margin:.3%}</style>\n",
    );
    for scene in scenes {
        writeln!(html, "<h2>{scene}</h2>")?;
        for size in sizes {
            for theme in themes {
                let file = name(scene, size, theme);
                writeln!(
                    html,
                    "<a href={file}><img src={file} loading=lazy title='{size} {theme}'></a>"
                )?;
            }
        }
    }
    let path = folder.join("index.html");
    std::fs::write(&path, html).with_context(|| format!("{} cannot be written", path.display()))
}

fn scenes(program: &Path) -> Result<Vec<String>> {
    let output = Command::new(program)
        .args(["screenshot", "--scene", "all"])
        .output()
        .context("the scenes cannot be listed")?;
    if !output.status.success() {
        bail!("the scenes cannot be listed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    // What a host happens to have is no scene to look at side by side.
    let all = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(all.lines().filter(|scene| *scene != "live").map(str::to_owned).collect())
}

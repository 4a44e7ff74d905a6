//! `maestro man`: the manual pages, made of what the command line and the registry of commands say.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Command as Clap, CommandFactory as _};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};
use maestro_core::command::{ALL, Group};
use maestro_core::keymap::Platform;
use serde_json::json;

use super::args::Cli;
use super::failure::{Code, Failure, Result};
use super::output::Out;

/// Which pages.
#[derive(Debug, Args)]
pub struct Manual {
    /// A command, word by word, such as `worktree new`; the program itself when absent.
    words: Vec<String>,
    /// Write every page into this folder, one file for each command.
    #[arg(long, value_name = "FOLDER", conflicts_with = "words")]
    into: Option<PathBuf>,
}

pub fn run(manual: &Manual, out: &mut Out) -> Result<()> {
    let mut program = Cli::command().name("maestro");
    program.build();
    if let Some(folder) = &manual.into {
        let files = write_all(&program, folder)?;
        let many = files.len();
        if out.json {
            return out.value(&json!(files));
        }
        return out.line(&format!("{many} pages; man -l {} shows the first", files[0].display()));
    }
    let mut found = &program;
    for word in &manual.words {
        let below = found.get_subcommands().find(|below| below.get_name() == word.as_str());
        found = below.filter(|below| !below.is_hide_set()).ok_or_else(|| {
            Failure::new(Code::Usage, format!("`maestro {}` is no command", manual.words.join(" ")))
        })?;
    }
    out.bytes(&page(found))
}

/// The page of a command as its reader has it, and of the program also what its window can do.
fn page(command: &Clap) -> Vec<u8> {
    let name = command.get_display_name().unwrap_or(command.get_name()).to_owned();
    let is_program = !name.contains('-');
    let man = Man::new(command.clone()).title(name.to_uppercase()).manual("Maestro");
    let mut page = Vec::new();
    let mut parts = vec![
        man.render_title(&mut page),
        man.render_name_section(&mut page),
        man.render_synopsis_section(&mut page),
        man.render_description_section(&mut page),
    ];
    if command.get_arguments().any(|argument| !argument.is_hide_set()) {
        parts.push(man.render_options_section(&mut page));
    }
    if command.get_subcommands().next().is_some() {
        parts.push(man.render_subcommands_section(&mut page));
    }
    if is_program {
        parts.push(window_commands().to_writer(&mut page));
    }
    debug_assert!(parts.iter().all(std::result::Result::is_ok), "a vector takes every byte");
    page
}

/// What the window can be made to do, with the chords that hold where nobody has set others.
fn window_commands() -> Roff {
    let mut roff = Roff::new();
    let _ = roff.control("SH", ["IN THE WINDOW"]);
    let about = "Mod is Command on macOS and Ctrl elsewhere. Mod+K finds each by a few letters, \
                 keymap.toml gives it other chords, and `maestro do NAME` runs it from outside.";
    let _ = roff.text([roman(about)]);
    for group in Group::ALL {
        let _ = roff.control("SS", [group.title()]);
        for command in ALL.iter().filter(|command| command.group == group && command.listed) {
            let chords = command.default_chords(Platform::HERE).join(", ");
            let title = command.title.trim_end_matches('…');
            let _ = roff.control("TP", []);
            let _ = roff.text([bold(command.name), roman(format!("  {chords}"))]);
            let _ = roff.text([roman(format!("{title}. {}", command.description))]);
        }
    }
    roff
}

fn write_all(program: &Clap, folder: &Path) -> Result<Vec<PathBuf>> {
    let failed = |path: &Path, error: std::io::Error| {
        Failure::failed(format!("{}: {error}", path.display()))
    };
    fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    let (mut left, mut files) = (vec![program], Vec::new());
    while let Some(command) = left.pop() {
        let name = command.get_display_name().unwrap_or(command.get_name());
        let path = folder.join(format!("{name}.1"));
        fs::write(&path, page(command)).map_err(|error| failed(&path, error))?;
        files.push(path);
        left.extend(command.get_subcommands().filter(|below| !below.is_hide_set()));
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_of_the_window_and_of_the_command_line_has_its_place() {
        let mut program = Cli::command().name("maestro");
        program.build();
        let text = String::from_utf8(page(&program)).expect("text");
        for command in ALL.iter().filter(|command| command.listed) {
            let name = command.name.replace('-', "\\-");
            assert!(text.contains(&name), "{}", command.name);
        }
        let folder = tempfile::tempdir().expect("a folder");
        let files = write_all(&program, folder.path()).expect("written");
        assert!(files.len() > 100, "{}", files.len());
        for name in ["maestro.1", "maestro-worktree-new.1", "maestro-train-run.1"] {
            let page = fs::read_to_string(folder.path().join(name)).expect("written");
            assert!(page.contains(".SH SYNOPSIS") && page.contains(".TH"), "{name}");
        }
    }
}

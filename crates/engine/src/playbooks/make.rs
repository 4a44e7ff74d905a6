//! A new playbook: empty, or a copy of another one.

use std::fs;
use std::path::Path;

use maestro_core::playbook::Found;

use super::archive::{self, Error};
use super::{file, folder};

/// What a new playbook's file says: every key with its meaning, as comments.
const FILE: &str = "\
description = \"What it is for, in a sentence.\"
documents = [\"1-first.md\"]

# Work on a fresh copy of every document, so that the playbook can be run again.
# reset = true

# How often it goes through its documents: \"once\", a number, or \"forever\".
# loops = \"once\"

# What one session is given: one \"task\", or the tasks of one \"document\".
# mode = \"task\"

# The command that decides about tasks that name none with `verify:`.
# verify = \"make test\"

# What a failed task means: \"go-on\", \"stop\" or \"pause\".
# on-failure = \"go-on\"

# The agent and the model it was written for; those of the agent it is run on when absent.
# agent = \"claude\"
# model = \"opus\"

# A worktree of its own, on a new branch.
# worktree = \"auto/{{date}}\"

# [budgets]
# cost-usd = 5.0
# tokens = 2000000
# time = \"8h\"
# turns = 200
# tasks = 40
# then = \"pause\"

# [pull-request]
# target = \"main\"
# draft = true
";

const DOCUMENT: &str = "\
# What this is about

Say here what every session needs to know: the goal, what to leave alone, where to look.

- [ ] Write the first task as one sentence that can be checked.
  - verify: true
";

/// Makes a playbook in a folder that is not there yet, or empty.
pub(super) fn new(folder: &Path, from: Option<&Path>) -> Result<Found, Error> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    archive::check_name(&name).map_err(Error::Playbook)?;
    let is_empty = match fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    };
    if !is_empty {
        return Err(Error::Exists(folder.to_owned()));
    }
    match from {
        Some(from) => copy(folder, from, &name)?,
        None => {
            let text = format!("name = \"{}\"\n{FILE}", name.replace(['"', '\\'], "'"));
            archive::write(&folder.join(file::NAME), text.as_bytes())?;
            archive::write(&folder.join("1-first.md"), DOCUMENT.as_bytes())?;
        }
    }
    Ok(folder::open(folder))
}

/// Copies a playbook with its documents and what goes with them, under another name.
fn copy(folder: &Path, from: &Path, name: &str) -> Result<(), Error> {
    let (mut playbook, files) = archive::contents_of(from)?;
    playbook.name = name.to_owned();
    for (path, bytes) in files {
        archive::write(&archive::join(folder, &path), &bytes)?;
    }
    archive::write(&folder.join(file::NAME), file::write(&playbook).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_playbook_can_be_run_and_every_comment_in_it_holds() {
        let place = tempfile::tempdir().expect("a folder");
        let folder = place.path().join("mine");
        let found = new(&folder, None).expect("a playbook");
        assert_eq!((found.problem, found.playbook.name.as_str()), (None, "mine"));
        assert!(matches!(new(&folder, None), Err(Error::Exists(_))));
        // Without the marks of comments it is a whole file.
        let text: String = FILE
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(rest) if rest.contains(" = ") || rest.starts_with('[') => format!("{rest}\n"),
                _ => format!("{line}\n"),
            })
            .collect();
        let playbook = file::parse(&text).expect("a playbook");
        assert!(playbook.pull_request.is_some() && playbook.budgets.tasks == Some(40), "{text}");

        let copy = new(&place.path().join("yours"), Some(&folder)).expect("a copy");
        assert_eq!((copy.problem, copy.playbook.name.as_str()), (None, "yours"));
        assert_eq!(copy.playbook.documents, found.playbook.documents);
        assert!(new(&place.path().join(".hidden"), None).is_err());
    }
}

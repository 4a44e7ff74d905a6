//! The playbooks that come with Maestro. They are part of the program; so that they can be run and read,
//! they are laid into the home folder. Every document of theirs is run on a fresh copy.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use maestro_core::checklist::Document;
use maestro_core::playbook::{Commands, Found};

use super::{archive, file, folder, trust};

/// A playbook in the program: its folder's name, and its files.
struct Shipped {
    name: &'static str,
    files: &'static [(&'static str, &'static str)],
}

/// The files of a playbook, by their names in `playbooks/`.
macro_rules! shipped {
    ($($name:literal: $($path:literal)+;)+) => {
        &[$(Shipped {
            name: $name,
            files: &[$((
                $path,
                include_str!(concat!("../../../../playbooks/", $name, "/", $path)),
            )),+],
        }),+]
    };
}

const SHIPPED: &[Shipped] = shipped! {
    "bug-hunt": "playbook.toml" "1-find.md" "2-fix.md";
    "dependency-update": "playbook.toml" "1-survey.md" "2-update.md";
    "documentation": "playbook.toml" "1-check.md" "2-write.md";
    "feature": "playbook.toml" "1-plan.md" "2-build.md" "3-finish.md";
    "refactoring": "playbook.toml" "1-choose.md" "2-change.md";
    "security-review": "playbook.toml" "1-review.md" "2-fix.md";
    "test-coverage": "playbook.toml" "1-measure.md" "2-write.md";
};

/// The documents of the demo, which `maestro demo` writes.
const DEMO: [&str; 3] = [
    include_str!("../../../../playbooks/demo/1-temperature.md"),
    include_str!("../../../../playbooks/demo/2-length.md"),
    include_str!("../../../../playbooks/demo/3-command.md"),
];

/// Lays the playbooks into a folder and gives them. Files that are there and are as they should be are
/// left alone; others are replaced, for a newer program brings newer ones.
pub(super) fn lay_out(into: &Path) -> Vec<Found> {
    SHIPPED
        .iter()
        .map(|shipped| {
            let folder = into.join(shipped.name);
            let written = shipped.files.iter().try_for_each(|(path, text)| {
                let path = folder.join(path);
                if fs::read(&path).is_ok_and(|bytes| bytes == text.as_bytes()) {
                    return Ok(());
                }
                archive::write(&path, text.as_bytes())
            });
            let mut found = folder::open(&folder);
            found.shipped = true;
            if let Err(error) = written {
                found.problem = Some(error.to_string());
            }
            found
        })
        .collect()
}

/// The commands and documents of each, which need not be agreed to: who runs the program trusts it.
pub(super) fn commands() -> &'static [Commands] {
    static COMMANDS: OnceLock<Vec<Commands>> = OnceLock::new();
    COMMANDS.get_or_init(|| {
        let documents = |texts: &mut dyn Iterator<Item = &'static str>| -> Vec<Document> {
            texts.filter_map(|text| Document::parse(text.into()).ok()).collect()
        };
        let mut all: Vec<Commands> = SHIPPED
            .iter()
            .map(|shipped| {
                let texts = |wanted: fn(&str) -> bool| {
                    let files = shipped.files.iter();
                    files.filter(move |(path, _)| wanted(path)).map(|(_, text)| *text)
                };
                let file = texts(|path| path == file::NAME).find_map(|text| file::parse(text).ok());
                let options = file.unwrap_or_default().options(Path::new(shipped.name));
                let documents = documents(&mut texts(|path| path != file::NAME));
                let mut commands = Commands::of(&options, &documents);
                documents
                    .iter()
                    .map(trust::digest)
                    .for_each(|digest| commands.add_document(digest));
                commands
            })
            .collect();
        let demo = documents(&mut DEMO.into_iter());
        all.push(Commands::of(&Default::default(), &demo));
        all
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_a_whole_playbook_and_all_of_its_files_are_here() {
        let place = tempfile::tempdir().expect("a folder");
        let all = lay_out(place.path());
        assert_eq!(all.len(), SHIPPED.len());
        for (found, shipped) in all.iter().zip(SHIPPED) {
            assert_eq!(found.problem, None, "{}", shipped.name);
            assert!(!found.playbook.description.is_empty(), "{}", shipped.name);
            assert_eq!(found.playbook.documents.len() + 1, shipped.files.len(), "{}", shipped.name);
            assert!(found.playbook.documents.iter().all(|listed| listed.reset));
            for path in found.documents() {
                let document = Document::parse(fs::read(&path).expect("a document"));
                let document = document.expect("a checklist");
                assert!(document.open() > 0 && document.done() == 0, "{}", path.display());
                for task in document.tasks() {
                    assert!(task.fields.problems.is_empty(), "{}: {task:?}", path.display());
                }
            }
        }
        let here: Vec<_> = SHIPPED.iter().map(|shipped| shipped.name).collect();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../playbooks");
        let mut there: Vec<_> = fs::read_dir(source)
            .expect("the playbooks")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .filter(|name| name != "demo")
            .collect();
        there.sort();
        assert_eq!(there, here);
    }

    #[test]
    fn what_somebody_changed_is_replaced() {
        let place = tempfile::tempdir().expect("a folder");
        let _ = lay_out(place.path());
        let path = place.path().join("feature/1-plan.md");
        fs::write(&path, "- [ ] mine\n").expect("a change");
        let _ = lay_out(place.path());
        let text = fs::read_to_string(path).expect("a document");
        assert!(!text.contains("mine"));
    }

    #[test]
    fn their_commands_are_all_known() {
        assert_eq!(commands().len(), SHIPPED.len() + 1);
        assert!(commands().iter().all(|commands| commands.lines().len() > 0));
    }
}

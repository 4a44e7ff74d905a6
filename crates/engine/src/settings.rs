//! What the user has set, for the host and for its clients: `settings.toml` in the home folder.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use maestro_core::AgentId;
use maestro_core::settings::{Settings, Values};
use maestro_protocol::Home;

pub use maestro_store::settings::{Content, FILE, Problem, create, read, set, stamp, written};

/// The file of a home folder.
#[must_use]
pub fn path(home: &Home) -> PathBuf {
    home.root().join(FILE)
}

/// What is set now. The file is looked at whenever somebody asks, and read when it is another one than
/// before; one that is wrong changes nothing.
#[derive(Debug)]
pub(crate) struct Live {
    path: PathBuf,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    stamp: Option<(SystemTime, u64)>,
    values: Values,
}

impl Live {
    pub(crate) fn new(home: &Home) -> Self {
        Self { path: path(home), known: Mutex::default() }
    }

    /// What holds for an agent, or in general. One look at the file's date; blocks where it is another.
    pub(crate) fn of(&self, agent: Option<AgentId>) -> Settings {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let now = stamp(&self.path);
        if now != known.stamp {
            known.stamp = now;
            match read(&self.path) {
                Ok(content) => known.values = content.values,
                // The window says it to whoever can mend it, and so does `maestro settings check`.
                Err(problem) => {
                    tracing::warn!(%problem, "settings are not read; what held before holds");
                }
            }
        }
        Settings::of(&known.values, agent)
    }

    /// The folder of playbooks that the user has chosen for an agent of this directory.
    pub(crate) fn playbooks(&self, agent: AgentId, directory: &Path) -> Option<PathBuf> {
        self.of(Some(agent)).playbooks.map(|folder| directory.join(folder))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_saved_file_holds_at_once_and_a_wrong_one_changes_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join(FILE);
        let live = Live { path: file.clone(), known: Mutex::default() };
        let own = Some(AgentId(1));
        assert_eq!(live.of(None), Settings::default());
        fs::write(&file, "[terminal]\nscrollback = 5\n").expect("written");
        assert_eq!(live.of(own).scrollback, 5);
        fs::write(&file, "[terminal]\nscrollback = many\n").expect("written");
        assert_eq!(live.of(None).scrollback, 5);
        let text = "[terminal]\nscrollback = 7\n[agents.a1.terminal]\nscrollback = 70\n\
                    [agents.a1.autorun]\nplaybooks = \"books\"\n";
        fs::write(&file, text).expect("written");
        assert_eq!((live.of(None).scrollback, live.of(own).scrollback), (7, 70));
        assert_eq!(live.playbooks(AgentId(1), Path::new("/w")), Some(PathBuf::from("/w/books")));
        assert_eq!(live.playbooks(AgentId(2), Path::new("/w")), None);
        fs::remove_file(&file).expect("removed");
        assert_eq!(live.of(own), Settings::default());
    }
}

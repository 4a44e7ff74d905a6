//! Worktrees that are looked after. Each is one value, by its git directory, which stays the same when it
//! is moved.

use std::path::Path;

use maestro_core::worktree::Kept;
use rusqlite::OptionalExtension as _;

use crate::error::Error;
use crate::{Result, Store};

impl Store {
    /// Keeps a worktree as it is now.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub fn put_worktree(&self, kept: &Kept) -> Result<()> {
        let json = serde_json::to_string(kept).map_err(|source| {
            Error::unsaved(format!("worktree {}", kept.path.display()), source)
        })?;
        let (git_dir, common_dir) = (text(&kept.git_dir), text(&kept.common_dir));
        self.call(move |connection| {
            let _ = connection
                .prepare_cached(
                    "INSERT INTO worktrees (git_dir, common_dir, kept) VALUES (?1, ?2, ?3)
                     ON CONFLICT (git_dir) DO UPDATE SET common_dir = ?2, kept = ?3",
                )?
                .execute((git_dir, common_dir, json))?;
            Ok(())
        })
    }

    /// One worktree, by its git directory. One that cannot be read is none.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn worktree(&self, git_dir: &Path) -> Result<Option<Kept>> {
        let git_dir = text(git_dir);
        self.call(move |connection| {
            let json: Option<String> = connection
                .prepare_cached("SELECT kept FROM worktrees WHERE git_dir = ?1")?
                .query_row([git_dir], |row| row.get(0))
                .optional()?;
            Ok(json.and_then(|json| serde_json::from_str(&json).ok()))
        })
    }

    /// The worktrees of a repository (by the git directory that they share), or all of them. Those that
    /// cannot be read are left out.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn worktrees(&self, common_dir: Option<&Path>) -> Result<Vec<Kept>> {
        let common_dir = common_dir.map(text);
        self.call(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT kept FROM worktrees WHERE ?1 IS NULL OR common_dir = ?1 ORDER BY git_dir",
            )?;
            let rows = statement.query_map([common_dir], |row| row.get::<_, String>(0))?;
            let rows = rows.collect::<std::result::Result<Vec<_>, _>>()?;
            Ok(rows.iter().filter_map(|json| serde_json::from_str(json).ok()).collect())
        })
    }

    /// Keeps nothing about a worktree any more.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub fn forget_worktree(&self, git_dir: &Path) -> Result<()> {
        let git_dir = text(git_dir);
        self.call(move |connection| {
            let _ = connection.execute("DELETE FROM worktrees WHERE git_dir = ?1", [git_dir])?;
            Ok(())
        })
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use maestro_core::worktree::Origin;

    use super::*;

    #[test]
    fn worktrees_are_kept_by_their_git_directory() {
        let place = tempfile::tempdir().expect("a folder");
        let store = Store::open(place.path().join("db")).expect("a store");
        let kept = |name: &str, common: &str| Kept {
            git_dir: Path::new(common).join("worktrees").join(name),
            common_dir: common.into(),
            path: Path::new("/w").join(name),
            branch: Some(name.to_owned()),
            base: None,
            made_branch: true,
            origin: Origin::Made,
            is_filled: false,
            is_prepared: false,
            problem: None,
            agent: None,
            task: None,
            tab: None,
            ports: None,
            variables: Vec::new(),
            since_ms: 7,
        };
        let (mut one, other) = (kept("one", "/r/.git"), kept("other", "/s/.git"));
        for it in [&one, &other] {
            store.put_worktree(it).expect("kept");
        }
        one.path = "/moved".into();
        store.put_worktree(&one).expect("kept again");
        assert_eq!(store.worktree(&one.git_dir).expect("read"), Some(one.clone()));
        let here = store.worktrees(Some(Path::new("/r/.git"))).expect("read");
        assert_eq!(here, [one.clone()]);
        assert_eq!(store.worktrees(None).expect("read"), [one.clone(), other]);
        store.forget_worktree(&one.git_dir).expect("forgotten");
        assert_eq!(store.worktree(&one.git_dir).expect("read"), None);
    }
}

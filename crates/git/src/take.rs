//! Taking files and hunks of several lines of work into a checkout: what each of them changed since it parted
//! is brought together with what is there now.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use maestro_core::changes::{Discard, EntryKind, File, Listing, Look, Name, Source, Status};

use crate::changes::{Side, Sides};
use crate::commit::refuse_half_done;
use crate::error::Error;
use crate::tree::checkout;
use crate::{Git, Result};

/// Something that is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// A directory of the checkout it is taken from.
    pub directory: PathBuf,
    /// The file, under its new name.
    pub file: Name,
    /// Hunks of what it changed since it parted, by their ids; the whole file when absent.
    pub hunks: Option<Vec<u64>>,
}

/// A file: what it is, and its object.
type Known = Option<(EntryKind, String)>;

/// What one line of work has changed since it parted.
struct Work {
    sides: Sides,
    listing: Listing,
}

impl Git {
    /// Takes files and hunks of other checkouts, what is not committed there included, into the one that a
    /// directory is in. What they changed since they parted from `target` is brought together with what the
    /// files are here; nothing is staged or committed. What the files were is kept, as for a discard, and
    /// [`Git::undo_discard`] brings it back. Nothing is done unless all of it fits.
    ///
    /// # Errors
    ///
    /// [`Error::CannotChange`] when something does not fit, [`Error::ChangedMeanwhile`] when a file or hunk is
    /// not there any more, [`Error::UnderWay`].
    pub fn take(
        &self,
        directory: &Path,
        target: &str,
        pieces: &[Piece],
        look: Look,
        now_ms: u64,
    ) -> Result<Discard> {
        let repository = self.repository(directory)?;
        let into = checkout(&repository)?;
        refuse_half_done(&repository, into)?;
        self.needs_filters(into)?;
        let here = self.tree_of(into)?;
        let mut works: BTreeMap<&Path, Work> = BTreeMap::new();
        let mut made: BTreeMap<Name, Known> = BTreeMap::new();
        for piece in pieces {
            if !works.contains_key(piece.directory.as_path()) {
                let work = self.work_since(&piece.directory, target)?;
                let _ = works.insert(&piece.directory, work);
            }
            let Some(work) = works.get(piece.directory.as_path()) else { continue };
            let changed = || Error::ChangedMeanwhile { name: piece.file.to_string() };
            let files = &work.listing.files;
            let at = files.binary_search_by(|file| file.name.cmp(&piece.file));
            let file = at.ok().and_then(|at| files.get(at)).ok_or_else(changed)?;
            if file.before.kind == EntryKind::Submodule || file.after.kind == EntryKind::Submodule {
                return Err(cannot(&file.name, "is a submodule; take its commit by hand"));
            }
            let base = known(file.before.kind, file.before.id.as_ref());
            match &piece.hunks {
                None => {
                    let then = known(file.after.kind, file.after.id.as_ref());
                    if let Some(old) =
                        file.old_name.as_ref().filter(|_| file.status == Status::Renamed)
                    {
                        let now = self.at(into, &here, &made, old)?;
                        let _ = made.insert(old.clone(), self.fit(into, old, now, &base, None)?);
                        let now = self.at(into, &here, &made, &file.name)?;
                        let fitted = self.fit(into, &file.name, now, &None, then)?;
                        let _ = made.insert(file.name.clone(), fitted);
                        continue;
                    }
                    let base = if file.status == Status::Copied { None } else { base };
                    let now = self.at(into, &here, &made, &file.name)?;
                    let fitted = self.fit(into, &file.name, now, &base, then)?;
                    let _ = made.insert(file.name.clone(), fitted);
                }
                Some(hunks) => {
                    let (name, then) = self.with_hunks(work, file, hunks, look, into)?;
                    let now = self.at(into, &here, &made, &name)?;
                    let _ = made.insert(name.clone(), self.fit(into, &name, now, &base, then)?);
                }
            }
        }
        let names: Vec<Name> = made.keys().cloned().collect();
        let tree = self.tree_but(into, &here, &made)?;
        let before = self.raw(into, &names)?;
        let id = self.keep_discard(into, &names, &before, None, now_ms)?;
        let only: Vec<PathBuf> = names.iter().filter_map(Name::to_path).collect();
        let _ = self.restore(into, &tree, Some(&only), &format!("takes/{id}"))?;
        let after = self.raw(into, &names)?;
        self.name_discard(into, &id, &names, &before, Some(&after), now_ms)?;
        let _ = self.forget(into, &format!("takes/{id}"))?;
        Ok(Discard { id, at_ms: now_ms, files: names })
    }

    /// Everything that a checkout has changed since it parted from a branch, as trees.
    fn work_since(&self, directory: &Path, target: &str) -> Result<Work> {
        self.needs_filters(directory)?;
        let mut sides = self.sides(directory, &Source::Base(Some(target.to_owned())))?;
        sides.new = Side::Tree(self.tree_of(directory)?);
        let listing = self.changes(directory, &sides, &[])?;
        Ok(Work { sides, listing })
    }

    /// What becomes of the file from before with these hunks.
    fn with_hunks(
        &self,
        work: &Work,
        file: &File,
        hunks: &[u64],
        look: Look,
        into: &Path,
    ) -> Result<(Name, Known)> {
        let changed = || Error::ChangedMeanwhile { name: file.name.to_string() };
        let patch = self.patch(&work.listing.checkout, &work.sides, file, look)?;
        let wanted: HashSet<u64> = hunks.iter().copied().collect();
        let there: HashSet<u64> = patch.hunks().iter().map(|hunk| hunk.id).collect();
        if wanted.is_empty() || !wanted.is_subset(&there) || look.ignore_blanks {
            return Err(changed());
        }
        match file.status {
            Status::Modified => {
                let base = self.blob(into, file.before.id.as_deref().ok_or_else(changed)?)?;
                let then = patch.apply(&base, &wanted, false).ok_or_else(changed)?;
                Ok((file.name.clone(), Some((file.before.kind, self.put_blob(into, then)?))))
            }
            // Such a file has one hunk: all of it.
            Status::Added | Status::Deleted if wanted == there => {
                Ok((file.name.clone(), known(file.after.kind, file.after.id.as_ref())))
            }
            _ => Err(cannot(&file.name, "can only be taken as a whole")),
        }
    }

    /// A file here, as far as it was brought together already.
    fn at(
        &self,
        into: &Path,
        tree: &str,
        made: &BTreeMap<Name, Known>,
        name: &Name,
    ) -> Result<Known> {
        if let Some(known) = made.get(name) {
            return Ok(known.clone());
        }
        let output = self
            .reading(into, "ls-tree")
            .env("GIT_LITERAL_PATHSPECS", "1")
            .args(["-z", "--full-tree"])
            .arg(tree)
            .arg("--")
            .names(std::slice::from_ref(name))
            .output()?;
        let text = String::from_utf8_lossy(&output);
        let mut words = text.split([' ', '\t']);
        let (Some(mode), Some(kind), Some(id)) = (words.next(), words.next(), words.next()) else {
            return Ok(None);
        };
        if kind != "blob" {
            return Err(cannot(name, "is a folder or a repository here"));
        }
        let entry = crate::changes::entry(mode, id);
        Ok(known(entry.kind, entry.id.as_ref()))
    }

    /// Brings a change together with what a file is now.
    fn fit(
        &self,
        into: &Path,
        name: &Name,
        now: Known,
        base: &Known,
        then: Known,
    ) -> Result<Known> {
        if now == *base || now == then {
            return Ok(then);
        }
        let parts = now.as_ref().zip(base.as_ref()).zip(then.as_ref());
        let Some(((now, base), then)) = parts else {
            return Err(cannot(name, "was changed here, too, and the one side has no such file"));
        };
        let kind = if now.0 == base.0 { then.0 } else { now.0 };
        if now.1 == base.1 || base.1 == then.1 {
            let id = if now.1 == base.1 { &then.1 } else { &now.1 };
            return Ok(Some((kind, id.clone())));
        }
        let own =
            |source| Error::Process { command: "merge-file".into(), source: Arc::new(source) };
        let scratch = tempfile::Builder::new().prefix("maestro-merge-").tempdir().map_err(own)?;
        for (file, (_, id)) in [("now", now), ("base", base), ("then", then)] {
            fs::write(scratch.path().join(file), self.blob(into, id)?).map_err(own)?;
        }
        let output = self
            .reading(scratch.path(), "merge-file")
            .args(["-p", "-q", "now", "base", "then"])
            .run()?;
        if output.code != Some(0) || kind == EntryKind::Link {
            return Err(cannot(
                name,
                "was changed in the same places here or by what was taken before",
            ));
        }
        Ok(Some((kind, self.put_blob(into, output.stdout)?)))
    }

    fn put_blob(&self, into: &Path, content: Vec<u8>) -> Result<String> {
        let id = self
            .owning(into, "hash-object")
            .args(["-w", "--no-filters", "--stdin"])
            .stdin(content)
            .output()?;
        Ok(String::from_utf8_lossy(&id).trim().to_owned())
    }

    /// A tree with other files in it.
    fn tree_but(&self, into: &Path, tree: &str, made: &BTreeMap<Name, Known>) -> Result<String> {
        let own = |source| Error::Process { command: "read-tree".into(), source: Arc::new(source) };
        let scratch = tempfile::Builder::new().prefix("maestro-index-").tempdir().map_err(own)?;
        let index = scratch.path().join("index");
        let call = |name| {
            self.owning(into, name).config("core.splitIndex=false").env("GIT_INDEX_FILE", &index)
        };
        let _ = call("read-tree").arg(tree).output()?;
        let mut orders = Vec::new();
        for (name, known) in made {
            let order = match known {
                Some((kind, id)) => format!("{} {id}\t", mode(*kind)),
                None => format!("0 {}\t", "0".repeat(tree.len())),
            };
            orders.extend_from_slice(order.as_bytes());
            orders.extend_from_slice(name.as_bytes());
            orders.push(0);
        }
        let _ = call("update-index").args(["-z", "--index-info"]).stdin(orders).output()?;
        let tree = call("write-tree").output()?;
        Ok(String::from_utf8_lossy(&tree).trim().to_owned())
    }
}

fn known(kind: EntryKind, id: Option<&String>) -> Known {
    id.filter(|_| kind != EntryKind::Nothing).map(|id| (kind, id.clone()))
}

fn mode(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Executable => "100755",
        EntryKind::Link => "120000",
        _ => "100644",
    }
}

fn cannot(name: &Name, because: &str) -> Error {
    Error::CannotChange { name: name.to_string(), because: because.to_owned() }
}

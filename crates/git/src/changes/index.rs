//! Staging, unstaging and discarding: by file as the user's git does it, by hunk as exactly the lines that
//! were shown.
//!
//! Hunks are applied here, to the very bytes that the difference was made of, and the result is put into the
//! index: nothing has to be searched for, and what does not fit any more is refused.

use std::collections::HashSet;
use std::path::Path;

use maestro_core::changes::patch::Patch;
use maestro_core::changes::{Deed, Discard, EntryKind, File, Look, Name, Pick, Source, Status};

use super::discard::Discarding;
use super::{Sides, worktree_file};
use crate::error::Error;
use crate::process::Version;
use crate::tree::checkout;
use crate::{Git, Result};

/// The largest file of which hunks are taken, in bytes.
const LARGEST: usize = 64 << 20;
/// Since when `git add` must be told that files outside a sparse checkout are meant, too.
const ADDS_SPARSE: Version = Version { major: 2, minor: 34 };

/// What is to be done with one file.
struct Order {
    file: File,
    /// The difference and its hunks that are meant; all of the file when absent.
    hunks: Option<(Patch, HashSet<u64>)>,
}

impl Git {
    /// Stages, unstages or discards files and hunks; what is discarded is kept first, and told. `now_ms` is
    /// the time: milliseconds since the Unix epoch. Nothing is done unless all of it can be.
    ///
    /// # Errors
    ///
    /// [`Error::ChangedMeanwhile`] when a file or hunk is not there any more as it was shown,
    /// [`Error::CannotChange`] for files with which it cannot be done, and git's own refusals.
    pub fn change(
        &self,
        directory: &Path,
        deed: Deed,
        picks: &[Pick],
        look: Look,
        now_ms: u64,
    ) -> Result<Option<Discard>> {
        let repository = self.repository(directory)?;
        let checkout = checkout(&repository)?;
        let source = match deed {
            Deed::Stage | Deed::Discard => Source::WorkingTree,
            Deed::Unstage => Source::Staged,
        };
        let sides = self.sides(checkout, &source)?;
        let orders = self.orders(checkout, &sides, deed, picks, look)?;
        match deed {
            Deed::Stage | Deed::Unstage => {
                let mut entries = Vec::new();
                for order in &orders {
                    if let Some((patch, hunks)) = &order.hunks {
                        entries.extend(self.entry_with(
                            checkout,
                            deed,
                            &order.file,
                            patch,
                            hunks,
                        )?);
                    }
                }
                let whole = orders.iter().filter(|order| order.hunks.is_none());
                let names: Vec<&Name> = whole
                    .flat_map(|order| order.file.old_name.iter().chain([&order.file.name]))
                    .collect();
                if !names.is_empty() {
                    let is_born = repository.head.is_some();
                    self.whole(checkout, deed, is_born, &names)?;
                }
                if !entries.is_empty() {
                    let _ = self
                        .writing(checkout, "update-index")
                        .args(["-z", "--index-info"])
                        .stdin(entries)
                        .output()?;
                }
                Ok(None)
            }
            Deed::Discard => {
                let mut discarding = Discarding::default();
                for Order { file, hunks } in orders {
                    match hunks {
                        None => discarding.whole(file),
                        Some((patch, hunks)) => {
                            let (was, is) = self.without(checkout, &file, &patch, &hunks)?;
                            discarding.part(file, was, is);
                        }
                    }
                }
                self.discard(checkout, discarding, now_ms).map(Some)
            }
        }
    }

    /// Looks up what is meant, and refuses what cannot be done.
    fn orders(
        &self,
        checkout: &Path,
        sides: &Sides,
        deed: Deed,
        picks: &[Pick],
        look: Look,
    ) -> Result<Vec<Order>> {
        let listing = self.changes(checkout, sides, &[])?;
        let mut orders = Vec::new();
        for pick in picks {
            let changed = || Error::ChangedMeanwhile { name: pick.file.to_string() };
            let cannot = |because: &str| Error::CannotChange {
                name: pick.file.to_string(),
                because: because.to_owned(),
            };
            let at = listing.files.binary_search_by(|file| file.name.cmp(&pick.file));
            let file = at.ok().and_then(|at| listing.files.get(at)).ok_or_else(changed)?.clone();
            let is_submodule =
                file.before.kind == EntryKind::Submodule || file.after.kind == EntryKind::Submodule;
            if is_submodule && file.status == Status::Untracked {
                return Err(cannot(
                    "is a repository of its own; `git submodule add` takes it in, or leave it",
                ));
            }
            if is_submodule && deed == Deed::Discard {
                return Err(cannot("is a submodule; put its own changes back inside of it"));
            }
            if file.status == Status::Conflicted && deed == Deed::Discard {
                return Err(cannot(
                    "has conflicts; solve them and stage it, or abort what is under way",
                ));
            }
            let Some(wanted) = &pick.hunks else {
                orders.push(Order { file, hunks: None });
                continue;
            };
            // Lines that were not filtered are not what belongs into the index.
            self.needs_filters(checkout)?;
            if look.ignore_blanks {
                return Err(cannot("is shown without changes of white space; show those first"));
            }
            let patch = self.patch(checkout, sides, &file, look)?;
            let wanted: HashSet<u64> = wanted.iter().copied().collect();
            let there: HashSet<u64> = patch.hunks().iter().map(|hunk| hunk.id).collect();
            if wanted.is_empty() || !wanted.is_subset(&there) {
                return Err(changed());
            }
            let hunks = match file.status {
                Status::Modified | Status::Renamed | Status::Copied => Some((patch, wanted)),
                Status::Conflicted => {
                    return Err(cannot("has conflicts; only all of it can be staged"));
                }
                // Such a file has one hunk: all of it.
                _ if wanted == there => None,
                _ => return Err(cannot("can only be taken as a whole")),
            };
            orders.push(Order { file, hunks });
        }
        Ok(orders)
    }

    /// Whole files, as the user's own git does it.
    fn whole(&self, checkout: &Path, deed: Deed, is_born: bool, names: &[&Name]) -> Result<()> {
        let mut list = Vec::new();
        for name in names {
            list.extend_from_slice(name.as_bytes());
            list.push(0);
        }
        let call = match (deed, is_born) {
            (Deed::Stage, _) => {
                let sparse = (self.version()? >= ADDS_SPARSE).then_some("--sparse");
                self.writing(checkout, "add").arg("--all").args(sparse)
            }
            (_, true) => self.writing(checkout, "reset").arg("--quiet"),
            (_, false) => {
                self.writing(checkout, "rm").args(["--cached", "--quiet", "--force", "-r"])
            }
        };
        let _ = call
            .env("GIT_LITERAL_PATHSPECS", "1")
            .args(["--pathspec-from-file=-", "--pathspec-file-nul"])
            .stdin(list)
            .output()?;
        Ok(())
    }

    /// A file's new line of the index, with these hunks more or less.
    fn entry_with(
        &self,
        checkout: &Path,
        deed: Deed,
        file: &File,
        patch: &Patch,
        hunks: &HashSet<u64>,
    ) -> Result<Vec<u8>> {
        let changed = || Error::ChangedMeanwhile { name: file.name.to_string() };
        let entry = if deed == Deed::Stage { &file.before } else { &file.after };
        let mode = match entry.kind {
            EntryKind::File => "100644",
            EntryKind::Executable => "100755",
            EntryKind::Link => "120000",
            EntryKind::Nothing | EntryKind::Submodule => return Err(changed()),
        };
        let base = self.blob(checkout, entry.id.as_deref().ok_or_else(changed)?)?;
        let made = patch.apply(&base, hunks, deed == Deed::Unstage).ok_or_else(changed)?;
        let id = self
            .owning(checkout, "hash-object")
            .args(["-w", "--no-filters", "--stdin"])
            .stdin(made)
            .output()?;
        let mut line = format!("{mode} {}\t", String::from_utf8_lossy(&id).trim()).into_bytes();
        line.extend_from_slice(file.name.as_bytes());
        line.push(0);
        Ok(line)
    }

    /// What a file is on the disk, and what it is without these hunks.
    fn without(
        &self,
        checkout: &Path,
        file: &File,
        patch: &Patch,
        hunks: &HashSet<u64>,
    ) -> Result<(Vec<u8>, Vec<u8>)> {
        let changed = || Error::ChangedMeanwhile { name: file.name.to_string() };
        let base = self.blob(checkout, file.before.id.as_deref().ok_or_else(changed)?)?;
        let all: HashSet<u64> = patch.hunks().iter().map(|hunk| hunk.id).collect();
        let left: HashSet<u64> = all.difference(hunks).copied().collect();
        let is = patch.apply(&base, &all, false).ok_or_else(changed)?;
        let then = patch.apply(&base, &left, false).ok_or_else(changed)?;
        let (there, cut) = worktree_file(checkout, &file.name, LARGEST as u64)?;
        if cut {
            return Err(changed());
        }
        if there == is {
            return Ok((there, then));
        }
        // Git turned the ends of its lines for the index; they are turned back.
        if there == with_carriage_returns(&is) {
            let then = with_carriage_returns(&then);
            return Ok((there, then));
        }
        Err(Error::CannotChange {
            name: file.name.to_string(),
            because: "is changed by a filter on its way into the index, or was changed just now; \
                      discard all of it"
                .to_owned(),
        })
    }

    /// What an object has in it.
    pub(crate) fn blob(&self, checkout: &Path, id: &str) -> Result<Vec<u8>> {
        let output =
            self.reading(checkout, "cat-file").args(["blob"]).arg(id).enough(LARGEST).run()?;
        if output.cut {
            return Err(Error::TooMuch { command: "cat-file".into(), limit: LARGEST });
        }
        output.success()
    }
}

/// Every line feed with a carriage return before it.
fn with_carriage_returns(text: &[u8]) -> Vec<u8> {
    let mut made = Vec::with_capacity(text.len() + text.len() / 16);
    for byte in text {
        if *byte == b'\n' && made.last() != Some(&b'\r') {
            made.push(b'\r');
        }
        made.push(*byte);
    }
    made
}

//! Where it is not known what a file system's times are worth, git is asked each time.

use std::path::{Path, PathBuf};

use crate::Git;
use crate::repository::Repository;

/// What is known about a checkout since it was looked at last: nothing here.
#[derive(Debug, Default)]
pub struct Seen(());

impl Seen {
    /// Whether the next look may do without git.
    #[must_use]
    pub fn is_known(&self) -> bool {
        false
    }

    pub(crate) fn look(&mut self, _: &Path) -> Option<String> {
        None
    }

    pub(crate) fn look_at(&mut self, _: &Path, _: &[PathBuf]) -> Option<String> {
        None
    }

    pub(crate) fn learn(&mut self, _: Option<Before>, _: &str, _: &Path) {}
}

/// A checkout just before git looks at it.
#[derive(Debug)]
pub(crate) enum Before {}

impl Git {
    pub(crate) fn before(&self, _: &Repository, _: &Path) -> Option<Before> {
        None
    }
}

//! Finding a repository, and what its head is.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use git2::{ErrorCode, Reference};

use crate::error::Error;
use crate::{Git, Result};

/// A repository as seen from one of its directories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// Root of the main checkout, from whichever worktree it was asked; of a bare repository, the
    /// repository itself.
    pub root: PathBuf,
    /// Root of the checkout that the directory is in; `None` in a bare repository.
    pub checkout: Option<PathBuf>,
    /// The git directory of that checkout: where its index and head are.
    pub git_dir: PathBuf,
    /// The git directory that all worktrees share: two directories belong to the same repository when
    /// this is the same.
    pub common_dir: PathBuf,
    /// The branch checked out there; `None` when the head is detached.
    pub branch: Option<String>,
    /// The commit checked out there, in full; `None` when the branch has none yet.
    pub head: Option<String>,
    /// Whether the repository has any commit.
    pub has_commits: bool,
    /// Whether the repository has no main checkout.
    pub bare: bool,
}

impl Git {
    /// The repository that a directory is in.
    ///
    /// # Errors
    ///
    /// [`Error::NotARepository`], [`Error::NotOwned`], [`Error::NoDirectory`].
    pub fn repository(&self, directory: &Path) -> Result<Repository> {
        let directory = canonical(directory)?;
        match open(&directory) {
            Opened::Yes(repository) => read(&repository, &directory),
            Opened::Not => Err(Error::NotARepository { path: directory }),
            Opened::Unreadable => self.ask(&directory),
        }
    }

    /// The commit that is checked out in a directory, in full; `None` before the first one.
    ///
    /// # Errors
    ///
    /// When the directory is in no repository.
    pub fn head(&self, directory: &Path) -> Result<Option<String>> {
        Ok(self.repository(directory)?.head)
    }

    /// A file as the commit checked out in a directory has it, at most `most` bytes and one more of it; `None`
    /// when that commit has none, or there is no commit yet. `name` is from the root of the repository, with `/`.
    ///
    /// # Errors
    ///
    /// When git does not run.
    pub fn committed(&self, directory: &Path, name: &str, most: u64) -> Result<Option<Vec<u8>>> {
        let most = usize::try_from(most).unwrap_or(usize::MAX).saturating_add(1);
        let output = self
            .reading(directory, "cat-file")
            .arg("blob")
            .arg(format!("HEAD:{name}"))
            .enough(most)
            .run()?;
        Ok((output.cut || output.code == Some(0)).then_some(output.stdout))
    }

    /// The same facts from git itself, for repositories that libgit2 cannot read (partial clones,
    /// reftables) or does not trust.
    fn ask(&self, directory: &Path) -> Result<Repository> {
        let common_dir = self.ask_path(directory, "--git-common-dir")?;
        let git_dir = self.ask_path(directory, "--git-dir")?;
        let bare = self.ask_text(&common_dir, &["rev-parse", "--is-bare-repository"])?;
        let bare = bare.as_deref() == Some("true");
        let checkout = self.ask_path(directory, "--show-toplevel").ok();
        let root = if bare {
            common_dir.clone()
        } else if git_dir == common_dir {
            checkout.clone().unwrap_or_else(|| main_checkout(&common_dir))
        } else {
            main_checkout(&common_dir)
        };
        let head =
            self.ask_text(directory, &["rev-parse", "--verify", "--quiet", "HEAD^{commit}"])?;
        let branch = self.ask_text(directory, &["symbolic-ref", "--quiet", "--short", "HEAD"])?;
        let any =
            head.is_some() || self.ask_text(directory, &["for-each-ref", "--count=1"])?.is_some();
        Ok(Repository { root, checkout, git_dir, common_dir, branch, head, has_commits: any, bare })
    }

    fn ask_path(&self, directory: &Path, what: &str) -> Result<PathBuf> {
        let output =
            self.reading(directory, "rev-parse").args(["--path-format=absolute", what]).run()?;
        if output.code == Some(128) && what == "--git-common-dir" {
            let path = directory.to_owned();
            // The only words of git that are looked at: it has one exit code for both.
            return Err(if output.message().contains("dubious ownership") {
                Error::NotOwned { path }
            } else {
                Error::NotARepository { path }
            });
        }
        let mut bytes = output.success()?;
        if bytes.last() == Some(&b'\n') {
            let _ = bytes.pop();
        }
        path(&bytes)
    }

    /// A one-line answer; `None` when git says no or says nothing.
    fn ask_text(&self, directory: &Path, words: &[&'static str]) -> Result<Option<String>> {
        let Some((name, arguments)) = words.split_first() else { return Ok(None) };
        let output = self.reading(directory, name).args(arguments.iter().copied()).run()?;
        if output.code != Some(0) {
            return Ok(None);
        }
        let text = String::from_utf8_lossy(&output.stdout).trim_end().to_owned();
        Ok(Some(text).filter(|text| !text.is_empty()))
    }
}

/// What libgit2 makes of a directory.
pub(crate) enum Opened {
    Yes(Box<git2::Repository>),
    /// It is in no repository.
    Not,
    /// It is in one that only git itself can read, or that needs git's judgement.
    Unreadable,
}

pub(crate) fn open(directory: &Path) -> Opened {
    // Not `discover`: that forgets where the `.git` file lay that led to a git directory elsewhere.
    let flags = git2::RepositoryOpenFlags::empty();
    let none: [&std::ffi::OsStr; 0] = [];
    match git2::Repository::open_ext(directory, flags, none) {
        Ok(repository) => Opened::Yes(Box::new(repository)),
        Err(error) if error.code() == ErrorCode::NotFound => Opened::Not,
        Err(error) => {
            tracing::debug!(directory = %directory.display(), %error, "read by git instead");
            Opened::Unreadable
        }
    }
}

fn read(repository: &git2::Repository, directory: &Path) -> Result<Repository> {
    let bare_of = |repository: &git2::Repository| repository.workdir().is_none();
    let common_dir = tidy(repository.commondir());
    let checkout = repository.workdir().map(tidy);
    let (root, bare) = if !repository.is_worktree() {
        (checkout.clone().unwrap_or_else(|| common_dir.clone()), bare_of(repository))
    } else {
        match git2::Repository::open(&common_dir) {
            Ok(main) => {
                let root = main.workdir().map_or_else(|| common_dir.clone(), tidy);
                // Nothing leads from a git directory that lies elsewhere to its checkout.
                let is_guess = root == main_checkout(&common_dir) && !common_dir.ends_with(".git");
                (if is_guess { common_dir.clone() } else { root }, bare_of(&main))
            }
            Err(_) => (main_checkout(&common_dir), false),
        }
    };
    let (branch, head) = match repository.head() {
        Ok(head) => {
            let branch = head.is_branch().then(|| short(&head)).flatten();
            (branch, head.peel_to_commit().ok().map(|commit| commit.id().to_string()))
        }
        Err(error) if error.code() == ErrorCode::UnbornBranch => (unborn(repository), None),
        Err(error) => {
            tracing::debug!(directory = %directory.display(), %error, "the head cannot be read");
            (None, None)
        }
    };
    let has_commits = head.is_some()
        || repository.references().is_ok_and(|mut references| {
            references.any(|reference| reference.is_ok_and(|r| r.peel_to_commit().is_ok()))
        });
    Ok(Repository {
        root,
        checkout,
        git_dir: tidy(repository.path()),
        common_dir,
        branch,
        head,
        has_commits,
        bare,
    })
}

fn short(reference: &Reference<'_>) -> Option<String> {
    let name = String::from_utf8_lossy(reference.name_bytes()).into_owned();
    name.strip_prefix("refs/heads/").map(str::to_owned)
}

fn unborn(repository: &git2::Repository) -> Option<String> {
    let head = repository.find_reference("HEAD").ok()?;
    let target = String::from_utf8_lossy(head.symbolic_target_bytes()?).into_owned();
    target.strip_prefix("refs/heads/").map(str::to_owned)
}

/// The folder whose `.git` this is.
fn main_checkout(common_dir: &Path) -> PathBuf {
    common_dir.parent().unwrap_or(common_dir).to_owned()
}

/// libgit2 ends directories with a slash; as text they would compare unequal to everybody else's.
fn tidy(path: &Path) -> PathBuf {
    let tidied: PathBuf = path.components().collect();
    tidied.canonicalize().unwrap_or(tidied)
}

pub(crate) fn canonical(directory: &Path) -> Result<PathBuf> {
    let open = directory.canonicalize().and_then(|path| {
        if path.is_dir() { Ok(path) } else { Err(std::io::ErrorKind::NotADirectory.into()) }
    });
    open.map_err(|source| Error::NoDirectory {
        path: directory.to_owned(),
        source: Arc::new(source),
    })
}

/// A path as git printed it.
#[cfg(unix)]
pub(crate) fn path(bytes: &[u8]) -> Result<PathBuf> {
    use std::os::unix::ffi::OsStringExt as _;
    Ok(OsString::from_vec(bytes.to_vec()).into())
}

/// A path as git printed it.
#[cfg(not(unix))]
pub(crate) fn path(bytes: &[u8]) -> Result<PathBuf> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    Ok(OsString::from(text).into())
}

//! Programs that a repository's own configuration names, and keeping them from running where git only looks.
//!
//! A directory that came from elsewhere may carry a `.git/config` that names programs for filters, merges and
//! transports, and attributes that pick them. Git runs them when it merely compares files. What the user's
//! own configuration says is the user's; what the repository's says beyond that runs only after the user
//! agreed to exactly these lines. Until then they are overridden wherever Maestro looks by itself: filters
//! let everything through unchanged, merge drivers end in a conflict, and nothing is fetched on demand.
//!
//! What the configuration says is asked of git, with its includes and conditions, and remembered as long as
//! none of the files that had a say was written.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use maestro_core::changes::{Program, Programs};
use sha2::{Digest as _, Sha256};

use crate::error::Error;
use crate::{Git, Result};

/// Repositories that are remembered.
const REMEMBERED: usize = 256;
/// Repositories inside of one that are looked at, and how deep they lie in each other.
const INNER: usize = 400;
const DEPTH: usize = 8;
/// Bytes of a configuration that are read.
const CONFIG: usize = 4 << 20;

/// What git gets to know before it looks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Guard {
    /// Settings that take the place of the repository's.
    pub(crate) settings: Vec<(String, String)>,
    /// Whether it must not talk to anybody.
    pub(crate) is_offline: bool,
}

/// What is known about programs, and what the user agreed to.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// By git directory and checkout: from inside the former git looks into nothing else.
    repositories: Mutex<HashMap<(PathBuf, Option<PathBuf>), Remembered>>,
    agreed: Mutex<HashSet<String>>,
}

#[derive(Debug, Clone)]
struct Remembered {
    stamps: Vec<(PathBuf, Stamp)>,
    found: Arc<Found>,
}

/// By what it is seen that a file was not written.
type Stamp = Option<(Option<SystemTime>, u64, (u64, i64, i64))>;

/// What one repository says, with those inside of it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Found {
    programs: Vec<Program>,
    hash: String,
    /// Partial: what is missing is fetched when it is looked at.
    is_partial: bool,
}

/// Where a configuration lies.
#[derive(Debug, Clone)]
struct Place {
    /// The git directory of the checkout.
    git_dir: PathBuf,
    /// The one that all worktrees share.
    common_dir: PathBuf,
    /// The checkout, where there is one.
    checkout: Option<PathBuf>,
}

impl Git {
    /// The programs that the configuration of a repository names and the user's own does not, those of
    /// repositories inside of it included, and whether the user agreed to them.
    ///
    /// # Errors
    ///
    /// When the configuration cannot be read.
    pub fn programs(&self, directory: &Path) -> Result<Programs> {
        let found = self.found(directory)?;
        Ok(Programs {
            is_trusted: found.programs.is_empty() || self.agreed(&found.hash),
            programs: found.programs.clone(),
            hash: found.hash.clone(),
        })
    }

    /// From now on the programs with this hash ([`Programs::hash`]) may run, or not any more.
    pub fn agree(&self, hash: &str, may_run: bool) {
        let mut agreed = lock(&self.shared.programs.agreed);
        let _ = if may_run { agreed.insert(hash.to_owned()) } else { agreed.remove(hash) };
    }

    /// Refuses where files would be changed by a filter that the user has not agreed to.
    pub(crate) fn needs_filters(&self, directory: &Path) -> Result<()> {
        let found = self.found(directory)?;
        let filter = found.programs.iter().find(|program| program.key.starts_with("filter."));
        match filter {
            Some(filter) if !self.agreed(&found.hash) => {
                Err(Error::Untrusted { key: filter.key.clone(), directory: directory.to_owned() })
            }
            _ => Ok(()),
        }
    }

    /// Merge drivers that are not run where merges are only tried, by name.
    pub(crate) fn withheld_drivers(&self, directory: &Path) -> Vec<String> {
        let Ok(found) = self.found(directory) else { return Vec::new() };
        if self.agreed(&found.hash) {
            return Vec::new();
        }
        let names = found.programs.iter().filter_map(|program| {
            Some(program.key.strip_prefix("merge.")?.strip_suffix(".driver")?.to_owned())
        });
        names.collect()
    }

    /// What has to be said to git before it looks.
    pub(crate) fn guard(&self, directory: &Path) -> Result<Guard> {
        let found = self.found(directory)?;
        if found.programs.is_empty() || self.agreed(&found.hash) {
            return Ok(Guard::default());
        }
        Ok(guard(&found))
    }

    fn agreed(&self, hash: &str) -> bool {
        lock(&self.shared.programs.agreed).contains(hash)
    }

    fn found(&self, directory: &Path) -> Result<Arc<Found>> {
        // Where there is no repository, git says so itself.
        let Some(place) = discover(directory) else { return Ok(Arc::default()) };
        let key = (place.git_dir.clone(), place.checkout.clone());
        let known = lock(&self.shared.programs.repositories).get(&key).cloned();
        if let Some(known) = known
            && known.stamps.iter().all(|(path, seen)| stamp(path) == *seen)
        {
            return Ok(known.found);
        }
        let mut stamps = Vec::new();
        let mut found = Found::default();
        let mut left = INNER;
        self.read(&place, &mut found, &mut stamps, &mut left, 0)?;
        found
            .programs
            .sort_by(|a, b| (&a.key, &a.command, &a.file).cmp(&(&b.key, &b.command, &b.file)));
        found.programs.dedup();
        found.hash = hash(&found.programs);
        let found = Arc::new(found);
        let mut repositories = lock(&self.shared.programs.repositories);
        if repositories.len() >= REMEMBERED {
            repositories.clear();
        }
        let kept = Remembered { stamps, found: Arc::clone(&found) };
        let _ = repositories.insert(key, kept);
        Ok(found)
    }

    /// Reads the configuration of one repository, and of those inside of it.
    fn read(
        &self,
        place: &Place,
        found: &mut Found,
        stamps: &mut Vec<(PathBuf, Stamp)>,
        left: &mut usize,
        depth: usize,
    ) -> Result<()> {
        let mut files: HashSet<PathBuf> = [
            place.common_dir.join("config"),
            place.git_dir.join("config.worktree"),
            // Conditions ask for the branch.
            place.git_dir.join("HEAD"),
            place.git_dir.join("index"),
        ]
        .into();
        // Before it is read: what is written meanwhile is seen the next time.
        let before: Vec<(PathBuf, Stamp)> =
            files.iter().map(|path| (path.clone(), stamp(path))).collect();
        let output = self
            .reading(&place.git_dir, "config")
            .args(["--null", "--show-scope", "--show-origin", "--includes", "--list"])
            .enough(CONFIG)
            .run()?;
        if output.cut {
            return Err(Error::TooMuch { command: "config".into(), limit: CONFIG });
        }
        let entries = entries(&output.success()?, &place.git_dir);
        for entry in &entries {
            if let Some(file) = &entry.file {
                let _ = files.insert(file.clone());
                if is_include(&entry.key) {
                    let _ = files.insert(included(file, &entry.value, self.home().as_deref()));
                }
            }
        }
        stamps.extend(before);
        let known: HashSet<PathBuf> = stamps.iter().map(|(path, _)| path.clone()).collect();
        stamps.extend(files.into_iter().filter(|path| !known.contains(path)).map(|path| {
            let stamp = stamp(&path);
            (path, stamp)
        }));
        let (programs, is_partial) = programs(&entries);
        found.programs.extend(programs);
        found.is_partial |= is_partial;
        for inner in self.inner(place)? {
            if *left == 0 || depth >= DEPTH {
                return Err(Error::TooMuch { command: "config".into(), limit: INNER });
            }
            *left -= 1;
            self.read(&inner, found, stamps, left, depth + 1)?;
        }
        Ok(())
    }

    /// Repositories inside of a checkout that git looks into: those that its index names.
    fn inner(&self, place: &Place) -> Result<Vec<Place>> {
        let Some(checkout) = &place.checkout else { return Ok(Vec::new()) };
        if !may_have_inner(&place.git_dir) {
            return Ok(Vec::new());
        }
        let output = self
            .reading(checkout, "config")
            .instead("ls-files")
            .args(["--stage", "-z", "--full-name"])
            .output()?;
        let links = output.split(|byte| *byte == 0).filter_map(|record| {
            let tab = record.iter().position(|byte| *byte == b'\t')?;
            record
                .starts_with(b"160000 ")
                .then(|| crate::repository::path(&record[tab + 1..]).ok())?
        });
        let inner = links.filter_map(|path| {
            let folder = checkout.join(path);
            let _ = folder.join(".git").symlink_metadata().ok()?;
            discover(&folder)
        });
        Ok(inner.collect())
    }

    fn home(&self) -> Option<PathBuf> {
        let (_, home) = self.shared.environment.iter().find(|(name, _)| name == "HOME")?;
        Some(PathBuf::from(home))
    }
}

/// A line of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    /// Whether the repository says so, rather than the user or the system.
    is_own: bool,
    file: Option<PathBuf>,
    key: String,
    value: String,
}

/// Reads `git config --null --show-scope --show-origin --list`.
fn entries(output: &[u8], git_dir: &Path) -> Vec<Entry> {
    let mut words = output.split(|byte| *byte == 0);
    let mut entries = Vec::new();
    while let (Some(scope), Some(origin), Some(entry)) = (words.next(), words.next(), words.next())
    {
        let is_own = match scope {
            b"system" | b"global" => false,
            // Ours.
            b"command" => continue,
            _ => true,
        };
        let origin =
            origin.strip_prefix(b"file:").and_then(|path| crate::repository::path(path).ok());
        let entry = String::from_utf8_lossy(entry);
        let (key, value) = entry.split_once('\n').unwrap_or((&entry, ""));
        entries.push(Entry {
            is_own,
            // Git tells it as it was given: relative to where it is run.
            file: origin.map(|path| git_dir.join(path)),
            key: key.to_owned(),
            value: value.to_owned(),
        });
    }
    entries
}

fn is_include(key: &str) -> bool {
    key == "include.path" || (key.starts_with("includeif.") && key.ends_with(".path"))
}

/// Where an included file is (`git-config(1)`, *Includes*).
fn included(by: &Path, path: &str, home: Option<&Path>) -> PathBuf {
    match (path.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => by.parent().unwrap_or(by).join(path),
    }
}

/// A key's section, what is between, and its last word, as far as it can name a program.
fn parts(key: &str) -> Option<(&str, &str, &str)> {
    let (section, rest) = key.split_once('.')?;
    let (name, last) = rest.rsplit_once('.').unwrap_or(("", rest));
    Some((section, name, last))
}

/// Whether a setting names a program that git could run where it only looks, or changes how one is chosen.
fn names_program(key: &str) -> bool {
    match parts(key) {
        Some(("filter", _, "clean" | "smudge" | "process")) => true,
        Some(("merge", name, "driver")) => !name.is_empty(),
        Some(("lfs", name, "clean" | "smudge")) => name.starts_with("extension."),
        Some(("lfs", name, "path")) => name.starts_with("customtransfer."),
        _ => is_transport(key),
    }
}

/// Whether a setting names a program by which git talks to others, or lets it use one.
fn is_transport(key: &str) -> bool {
    matches!(
        parts(key),
        Some(
            ("core", "", "sshcommand" | "gitproxy" | "askpass")
                | ("credential", _, "helper")
                | ("remote", _, "uploadpack" | "vcs")
                | ("protocol", _, "allow")
        )
    )
}

/// What well-known programs write into a repository's configuration when they are set up for it alone: their
/// own names, which the user's `PATH` leads to.
fn is_standard(key: &str, command: &str) -> bool {
    let Some(("filter", name, last)) = parts(key) else { return false };
    let expected: &[&str] = match (name, last) {
        ("lfs", "clean") => &["git-lfs clean -- %f", "git-lfs clean %f"],
        ("lfs", "smudge") => {
            &["git-lfs smudge -- %f", "git-lfs smudge %f", "git-lfs smudge --skip -- %f"]
        }
        ("lfs", "process") => &["git-lfs filter-process", "git-lfs filter-process --skip"],
        ("git-crypt", "clean") => &["\"git-crypt\" clean", "git-crypt clean"],
        ("git-crypt", "smudge") => &["\"git-crypt\" smudge", "git-crypt smudge"],
        _ => &[],
    };
    expected.contains(&command)
}

/// The programs that a repository names by itself, and whether it fetches what is missing.
fn programs(entries: &[Entry]) -> (Vec<Program>, bool) {
    let users: HashMap<&str, &str> = entries
        .iter()
        .filter(|entry| !entry.is_own)
        .map(|entry| (entry.key.as_str(), entry.value.as_str()))
        .collect();
    let own = || entries.iter().filter(|entry| entry.is_own);
    // Programs that other programs of the repository's choice run in.
    let extends_lfs = own()
        .any(|entry| matches!(parts(&entry.key), Some(("lfs", ..))) && names_program(&entry.key));
    let mut programs = Vec::new();
    for entry in own().filter(|entry| names_program(&entry.key)) {
        let is_users = users.get(entry.key.as_str()) == Some(&entry.value.as_str());
        let is_known = is_users || is_standard(&entry.key, &entry.value);
        if entry.value.is_empty() || (is_known && !extends_lfs) {
            continue;
        }
        programs.push(Program {
            key: entry.key.clone(),
            command: entry.value.clone(),
            file: entry.file.clone().unwrap_or_default(),
        });
    }
    let is_partial = own().any(|entry| {
        entry.key == "extensions.partialclone"
            || matches!(parts(&entry.key), Some(("remote", _, "promisor" | "partialclonefilter")))
    });
    (programs, is_partial)
}

/// What is said to git so that none of these runs.
fn guard(found: &Found) -> Guard {
    let mut settings: BTreeMap<String, String> = BTreeMap::new();
    let mut is_offline = false;
    for program in &found.programs {
        match parts(&program.key) {
            Some(("filter", name, _)) => no_filter(&mut settings, name),
            Some(("lfs", ..)) => no_filter(&mut settings, "lfs"),
            Some(("merge", ..)) => {
                // An empty one would count as merged.
                let _ = settings.insert(program.key.clone(), "false".to_owned());
            }
            _ => is_offline |= found.is_partial,
        }
    }
    Guard { settings: settings.into_iter().collect(), is_offline }
}

fn no_filter(settings: &mut BTreeMap<String, String>, name: &str) {
    for last in ["clean", "smudge", "process"] {
        let _ = settings.insert(format!("filter.{name}.{last}"), String::new());
    }
    let _ = settings.insert(format!("filter.{name}.required"), "false".to_owned());
}

fn hash(programs: &[Program]) -> String {
    use std::fmt::Write as _;

    if programs.is_empty() {
        return String::new();
    }
    let mut hasher = Sha256::new();
    for program in programs {
        // The file is left out: the same lines in another worktree or clone are the same.
        for part in [&program.key, &program.command] {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
    }
    let mut hex = String::with_capacity(64);
    for byte in hasher.finalize() {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

/// The repository that git would find from a directory, looked for as git does it (`git(1)`,
/// *Discovery*); what git does not take for one costs only a look.
fn discover(directory: &Path) -> Option<Place> {
    let directory = directory.canonicalize().ok()?;
    for folder in directory.ancestors() {
        let inside = folder.join(".git");
        if let Ok(found) = fs::metadata(&inside) {
            let git_dir = if found.is_dir() {
                Some(inside)
            } else {
                let text = fs::read_to_string(&inside).ok();
                text.and_then(|text| Some(folder.join(text.strip_prefix("gitdir:")?.trim())))
            };
            if let Some(git_dir) = git_dir.and_then(|git_dir| git_dir.canonicalize().ok())
                && is_git_dir(&git_dir)
            {
                return Some(place(git_dir, Some(folder.to_owned())));
            }
        }
        if is_git_dir(folder) {
            return Some(place(folder.to_owned(), None));
        }
    }
    None
}

fn place(git_dir: PathBuf, checkout: Option<PathBuf>) -> Place {
    let common = fs::read_to_string(git_dir.join("commondir")).ok();
    let common_dir = common
        .map(|path| git_dir.join(path.trim()))
        .and_then(|path| path.canonicalize().ok())
        .unwrap_or_else(|| git_dir.clone());
    Place { git_dir, common_dir, checkout }
}

fn is_git_dir(folder: &Path) -> bool {
    let is_there = |name: &str| folder.join(name).symlink_metadata().is_ok();
    is_there("HEAD") && (is_there("commondir") || (is_there("objects") && is_there("refs")))
}

/// Whether an index can name repositories inside: a quick look that may be wrong in one direction only.
fn may_have_inner(git_dir: &Path) -> bool {
    // The mode of such an entry, as an index has it (`gitformat-index(5)`).
    const MODE: [u8; 4] = [0, 0, 0xe0, 0];
    let has =
        |path: &Path| fs::read(path).is_ok_and(|bytes| bytes.windows(4).any(|four| four == MODE));
    if has(&git_dir.join("index")) {
        return true;
    }
    let Ok(beside) = fs::read_dir(git_dir) else { return false };
    let shared = beside
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("sharedindex."));
    shared.into_iter().any(|entry| has(&entry.path()))
}

fn stamp(path: &Path) -> Stamp {
    let found = fs::metadata(path).ok()?;
    #[cfg(unix)]
    let inner = {
        use std::os::unix::fs::MetadataExt as _;
        (found.ino(), found.ctime(), found.ctime_nsec())
    };
    #[cfg(not(unix))]
    let inner = (0, 0, 0);
    Some((found.modified().ok(), found.len(), inner))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(lines: &[(&str, &str, &str)]) -> Vec<Entry> {
        let mut output = Vec::new();
        for (scope, key, value) in lines {
            output.extend_from_slice(
                format!("{scope}\0file:.git/config\0{key}\n{value}\0").as_bytes(),
            );
        }
        entries(&output, Path::new("/app"))
    }

    fn keys(lines: &[(&str, &str, &str)]) -> Vec<String> {
        programs(&config(lines)).0.into_iter().map(|program| program.key).collect()
    }

    #[test]
    fn only_what_the_repository_adds_to_the_users_own_counts() {
        let none: [&str; 0] = [];
        assert_eq!(keys(&[("local", "filter.x.clean", "evil")]), ["filter.x.clean"]);
        assert_eq!(keys(&[("worktree", "merge.a=b.c.driver", "evil")]), ["merge.a=b.c.driver"]);
        assert_eq!(keys(&[("global", "filter.x.clean", "mine")]), none);
        let same = [("global", "filter.x.clean", "mine"), ("local", "filter.x.clean", "mine")];
        assert_eq!(keys(&same), none);
        let other = [("global", "filter.x.clean", "mine"), ("local", "filter.x.clean", "mine ")];
        assert_eq!(keys(&other), ["filter.x.clean"]);
        assert_eq!(keys(&[("command", "filter.x.clean", "ours")]), none);
        for harmless in ["filter.x.required", "merge.driver", "merge.x.name", "user.name", "filter"]
        {
            assert_eq!(keys(&[("local", harmless, "x")]), none, "{harmless}");
        }
    }

    #[test]
    fn what_lfs_and_git_crypt_set_up_is_known_unless_they_are_extended() {
        let lfs = [
            ("local", "filter.lfs.clean", "git-lfs clean -- %f"),
            ("local", "filter.lfs.process", "git-lfs filter-process"),
            ("local", "filter.git-crypt.clean", "\"git-crypt\" clean"),
        ];
        assert!(keys(&lfs).is_empty());
        let extended = [lfs[0], ("local", "lfs.extension.x.clean", "evil")];
        assert_eq!(keys(&extended), ["filter.lfs.clean", "lfs.extension.x.clean"]);
        assert_eq!(keys(&[("local", "filter.lfs.clean", "git-lfs clean -- %f; evil")]).len(), 1);
    }

    #[test]
    fn filters_let_through_and_merges_end_in_a_conflict() {
        let lines = [
            ("local", "filter.a=b.process", "evil"),
            ("local", "merge.m.driver", "evil %A"),
            ("local", "core.sshcommand", "evil"),
            ("local", "remote.origin.promisor", "true"),
        ];
        let (programs, is_partial) = programs(&config(&lines));
        let made = guard(&Found { programs, hash: String::new(), is_partial });
        let settings: Vec<_> = made.settings.iter().map(|(k, v)| format!("{k} {v}")).collect();
        assert_eq!(
            settings,
            [
                "filter.a=b.clean ",
                "filter.a=b.process ",
                "filter.a=b.required false",
                "filter.a=b.smudge ",
                "merge.m.driver false"
            ]
        );
        assert!(made.is_offline);
    }

    #[test]
    fn other_lines_are_another_agreement() {
        let of = |command| hash(&programs(&config(&[("local", "filter.x.clean", command)])).0);
        assert_eq!(of("a").len(), 64);
        assert_ne!(of("a"), of("b"));
        assert_eq!(hash(&[]), "");
    }

    #[test]
    fn included_files_are_watched_where_they_would_be() {
        let home = Some(Path::new("/home/me"));
        for (path, expected) in [("~/x", "/home/me/x"), ("x", "/app/.git/x"), ("/etc/x", "/etc/x")]
        {
            assert_eq!(included(Path::new("/app/.git/config"), path, home), Path::new(expected));
        }
    }
}

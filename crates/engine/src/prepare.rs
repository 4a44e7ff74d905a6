//! What is done in a new worktree before somebody works in it: `.maestro/worktree.toml`, its ports and its
//! variables.
//!
//! ```toml
//! setup = "npm ci"             # runs in the worktree, by `sh -c`
//! setup_minutes = 10           # ended after that
//! setup_required = true        # without it nobody is told anything there
//! teardown = "docker compose down"
//! copy = [".env"]              # as in .worktreeinclude
//! ports = 10                   # so many, MAESTRO_PORT is the first
//!
//! [env]
//! DATABASE = "app_dev"
//! ```
//!
//! Whatever the file makes run or sets is used only after the user agreed to its very content.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io::Read as _;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

use maestro_core::worktree::Kept;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

/// Where the file is, below the worktree or the main checkout.
pub const FILE: &str = ".maestro/worktree.toml";

/// Bytes of the file.
pub const BYTES: u64 = 64 << 10;
/// Variables that it may set, patterns that it may name.
const MANY: usize = 100;
/// How long a command may take when nothing is said, and at most: minutes.
const MINUTES: u64 = 15;
const MOST_MINUTES: u64 = 240;
/// Ports of a worktree when nothing is said, and at most.
const PORTS: u16 = 10;
const MOST_PORTS: u16 = 100;
/// Where ports are taken from: below what systems give out by themselves.
const FIRST_PORT: u16 = 21_000;
const LAST_PORT: u16 = 31_999;

/// What the file says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recipe {
    /// Runs before somebody works there.
    pub setup: Option<String>,
    /// How long it may take: minutes.
    pub minutes: u64,
    /// Whether nobody is told anything when it fails.
    pub is_required: bool,
    /// Runs before the worktree is removed.
    pub teardown: Option<String>,
    /// Patterns of ignored files that are copied.
    pub copy: Vec<String>,
    /// How many ports it gets.
    pub ports: u16,
    /// Variables of everything that is started there.
    pub env: BTreeMap<String, String>,
    /// The hash of the content; empty when there is no file.
    pub hash: String,
}

impl Recipe {
    /// Whether it has something that needs the user's agreement.
    #[must_use]
    pub fn needs_trust(&self) -> bool {
        self.setup.is_some() || self.teardown.is_some() || !self.env.is_empty()
    }

    /// What is agreed to, line by line.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let named =
            |name: &str, line: &Option<String>| line.as_ref().map(|l| format!("{name}: {l}"));
        let commands = [named("setup", &self.setup), named("teardown", &self.teardown)];
        let env = self.env.iter().map(|(name, value)| format!("{name}={value}"));
        commands.into_iter().flatten().chain(env).collect()
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    setup: Option<String>,
    setup_minutes: Option<u64>,
    setup_required: Option<bool>,
    teardown: Option<String>,
    #[serde(default)]
    copy: Vec<String>,
    ports: Option<u16>,
    #[serde(default)]
    env: BTreeMap<String, String>,
}

/// Reads the file of a worktree, or as it was `committed` where its files are not there yet, or that of its main
/// checkout; what holds without any when there is none. Blocks.
///
/// # Errors
///
/// A sentence that says what is wrong with the file.
pub fn read(worktree: &Path, committed: Option<Vec<u8>>, main: &Path) -> Result<Recipe, String> {
    let found = match read_file(&worktree.join(FILE))? {
        Some(found) => Some(found),
        None => match committed {
            Some(bytes) => Some((worktree.join(FILE), bytes)),
            None => read_file(&main.join(FILE))?,
        },
    };
    let Some((path, bytes)) = found else {
        return Ok(Recipe {
            minutes: MINUTES,
            is_required: true,
            ports: PORTS,
            ..Recipe::default()
        });
    };
    if bytes.len() as u64 > BYTES {
        return Err(format!("{} is larger than 64 KiB.", path.display()));
    }
    String::from_utf8(bytes)
        .map_err(|_| "it is no UTF-8 text.".to_owned())
        .and_then(|text| parse(&text))
        .map_err(|why| format!("{} is wrong: {why}", path.display()))
}

/// The beginning of a file, a byte more than is taken of it. A link could name any file of the disk: it is
/// none.
fn read_file(path: &Path) -> Result<Option<(PathBuf, Vec<u8>)>, String> {
    if !fs::symlink_metadata(path).is_ok_and(|found| found.is_file()) {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    let _ = fs::File::open(path)
        .and_then(|file| file.take(BYTES + 1).read_to_end(&mut bytes))
        .map_err(|error| format!("{} cannot be read: {error}.", path.display()))?;
    Ok(Some((path.to_owned(), bytes)))
}

fn parse(text: &str) -> Result<Recipe, String> {
    let file: File = toml::from_str(text).map_err(|error| error.message().to_owned() + ".")?;
    let is_name = |name: &str| {
        !name.is_empty()
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    if file.env.len() > MANY || file.copy.len() > MANY {
        return Err(format!("at most {MANY} variables and {MANY} patterns are taken."));
    }
    if let Some(name) = file.env.keys().find(|name| !is_name(name) || name.starts_with("MAESTRO_"))
    {
        return Err(format!("`{name}` cannot be set as a variable."));
    }
    let texts = file.env.values().chain(&file.setup).chain(&file.teardown).chain(&file.copy);
    if texts.into_iter().any(|text| text.contains('\0')) {
        return Err("it holds a NUL.".to_owned());
    }
    let line = |line: Option<String>| line.filter(|line| !line.trim().is_empty());
    let mut hash = String::with_capacity(64);
    for byte in Sha256::new().chain_update("maestro worktree 1\n").chain_update(text).finalize() {
        use std::fmt::Write as _;
        let _ = write!(hash, "{byte:02x}");
    }
    Ok(Recipe {
        setup: line(file.setup),
        minutes: file.setup_minutes.unwrap_or(MINUTES).clamp(1, MOST_MINUTES),
        is_required: file.setup_required.unwrap_or(true),
        teardown: line(file.teardown),
        copy: file.copy,
        ports: file.ports.unwrap_or(PORTS).min(MOST_PORTS),
        env: file.env,
        hash,
    })
}

/// A block of ports that no other worktree has and on which nobody listens just now; `None` when there are
/// none left.
#[must_use]
pub fn free_ports(count: u16, kept: &[Kept]) -> Option<(u16, u16)> {
    if count == 0 {
        return None;
    }
    let taken: HashSet<u16> = kept
        .iter()
        .filter_map(|kept| kept.ports)
        .flat_map(|(first, count)| first..first.saturating_add(count))
        .collect();
    let step = usize::from(count.max(PORTS));
    (FIRST_PORT..=LAST_PORT - count)
        .step_by(step)
        .find(|first| {
            (*first..*first + count).all(|port| {
                !taken.contains(&port) && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
            })
        })
        .map(|first| (first, count))
}

/// The variables of everything that is started in a worktree.
#[must_use]
pub fn variables(kept: &Kept, main: &Path) -> Vec<(String, String)> {
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let mut all = vec![
        ("MAESTRO_WORKTREE".to_owned(), text(&kept.path)),
        ("MAESTRO_REPOSITORY".to_owned(), text(main)),
    ];
    all.extend(kept.branch.clone().map(|branch| ("MAESTRO_BRANCH".to_owned(), branch)));
    if let Some((first, count)) = kept.ports {
        all.push(("MAESTRO_PORT".to_owned(), first.to_string()));
        all.push(("MAESTRO_PORTS".to_owned(), count.to_string()));
    }
    all.extend(kept.variables.clone());
    all
}

/// The main checkout of a repository, by the git directory that all share.
#[must_use]
pub fn main_of(kept: &Kept) -> PathBuf {
    kept.common_dir.parent().unwrap_or(&kept.common_dir).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recipe_is_read_and_what_is_wrong_is_said() {
        let recipe = parse(
            "setup = \"npm ci\"\nsetup_minutes = 1000\nsetup_required = false\nteardown = \" \"\n\
             copy = [\".env\"]\nports = 3\n[env]\nA = \"1\"\n",
        )
        .expect("a recipe");
        assert_eq!((recipe.minutes, recipe.is_required, recipe.ports), (240, false, 3));
        assert_eq!((recipe.teardown.as_deref(), recipe.hash.len()), (None, 64));
        assert_eq!(recipe.lines(), ["setup: npm ci", "A=1"]);
        assert!(recipe.needs_trust() && !parse("ports = 3").expect("a recipe").needs_trust());
        assert_ne!(recipe.hash, parse("setup = \"npm ci\"").expect("a recipe").hash);
        for (wrong, words) in [
            ("setup = 3", "string"),
            ("set_up = \"x\"", "set_up"),
            ("[env]\n\"A B\" = \"x\"", "A B"),
            ("[env]\nMAESTRO_HOST = \"x\"", "MAESTRO_HOST"),
            ("[env]\nA = \"\\u0000\"", "NUL"),
        ] {
            let why = parse(wrong).expect_err(wrong);
            assert!(why.contains(words), "{wrong}: {why}");
        }
    }

    #[test]
    fn ports_are_nobody_elses() {
        let (first, count) = free_ports(10, &[]).expect("there are some");
        assert_eq!(count, 10);
        let mut kept = crate::prepare::tests::kept();
        kept.ports = Some((first, count));
        let (next, _) = free_ports(10, std::slice::from_ref(&kept)).expect("there are more");
        assert!(next >= first + count, "{next}");
        assert_eq!(free_ports(0, &[]), None);
        let listens = TcpListener::bind((Ipv4Addr::LOCALHOST, next));
        if listens.is_ok() {
            assert_ne!(free_ports(10, &[kept]), Some((next, 10)), "somebody listens there");
        }
    }

    fn kept() -> Kept {
        Kept {
            git_dir: "/r/.git/worktrees/a".into(),
            common_dir: "/r/.git".into(),
            path: "/w/a".into(),
            branch: Some("a".into()),
            base: None,
            made_branch: true,
            origin: maestro_core::worktree::Origin::Made,
            is_filled: true,
            is_prepared: false,
            problem: None,
            agent: None,
            task: None,
            tab: None,
            ports: None,
            variables: Vec::new(),
            since_ms: 0,
        }
    }

    #[test]
    fn everything_there_knows_where_it_is() {
        let kept = Kept {
            ports: Some((21_000, 10)),
            variables: vec![("A".to_owned(), "1".to_owned())],
            ..kept()
        };
        let all = variables(&kept, Path::new("/r"));
        let has = |name: &str, value: &str| {
            all.iter().any(|(known, held)| (known.as_str(), held.as_str()) == (name, value))
        };
        assert!(has("MAESTRO_WORKTREE", "/w/a") && has("MAESTRO_REPOSITORY", "/r"), "{all:?}");
        assert!(has("MAESTRO_BRANCH", "a") && has("MAESTRO_PORT", "21000"), "{all:?}");
        assert!(has("MAESTRO_PORTS", "10") && has("A", "1"), "{all:?}");
    }
}

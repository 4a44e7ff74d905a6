//! Session ids: making one, and finding the one a provider made, in its own store. The stores are
//! only read, and only as much of them as the question needs.

use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use maestro_core::agent::Provider;
use serde_json::Value;

use crate::command::{Tokens, can_choose_session};
use crate::detect::program_name;
use crate::environment::Environment;
use crate::probe::Probe;

/// Names the demo agent's folder; for tests and demonstrations that leave no trace.
pub const DEMO_HOME: &str = "MAESTRO_DEMO_HOME";

/// How much of a session file's beginning is read to learn its directory. Codex begins with one
/// record of some tens of kilobytes, Claude Code with several small ones.
const HEAD: u64 = 512 << 10;

/// How much of a session file's end is read to learn what it has consumed.
const TAIL: u64 = 512 << 10;

/// Session files looked into per question, the latest first. They changed after the question's
/// `since`, so there are never many.
const FILES: usize = 200;

/// Folders of days that are listed to find a Codex session.
const DAYS: usize = 400;

/// How long `opencode session list` may take.
const LIST_LIMIT: Duration = Duration::from_secs(10);

/// A fresh session id (a UUID) for the providers that let us choose one
/// (see [`crate::command::can_choose_session`]); `None` for the others.
#[must_use]
pub fn new_session_id(provider: Provider) -> Option<String> {
    can_choose_session(provider).then(uuid)
}

/// The session that a provider last wrote to in `directory`, if it did so after `since`. Blocks, for
/// OpenCode (which is asked itself) up to ten seconds; reads a bounded part of the provider's store.
/// `None` also when the store cannot tell.
#[must_use]
pub fn latest_session(
    provider: Provider,
    directory: &Path,
    since: SystemTime,
    environment: &Environment,
) -> Option<String> {
    // Programs call their working directory by its real name, users by the one they typed.
    let real = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
    let directories = [real.as_path(), directory];
    match provider {
        Provider::Claude => {
            let projects = claude_home(environment)?.join("projects");
            let files = directories.iter().flat_map(|dir| claude_files(&projects, dir)).collect();
            latest(files, since, &directories)
        }
        Provider::Droid => {
            let sessions = environment.home()?.join(".factory/sessions");
            let files = directories
                .iter()
                .flat_map(|dir| files_in(&sessions.join(dir.to_string_lossy().replace('/', "-"))))
                .collect();
            latest(files, since, &directories)
        }
        Provider::Codex => latest(codex_files(environment)?, since, &directories),
        Provider::Demo => {
            latest(files_in(&demo_home(environment)?.join("sessions")), since, &directories)
        }
        Provider::OpenCode => opencode_latest(&directories, since, environment),
        // Their sessions get the ids that we choose.
        Provider::Copilot | Provider::Gemini | Provider::Shell => None,
    }
}

/// The folder in which the demo agent keeps its sessions.
#[must_use]
pub fn demo_home(environment: &Environment) -> Option<PathBuf> {
    let named = environment.get(DEMO_HOME).map(PathBuf::from);
    // The login environment carries nothing of ours, so a wish set for the host is looked up there.
    named.or_else(|| std::env::var_os(DEMO_HOME).map(PathBuf::from)).or_else(|| {
        let data = if cfg!(target_os = "macos") {
            environment.home()?.join("Library/Application Support")
        } else if cfg!(windows) {
            PathBuf::from(environment.get("LOCALAPPDATA")?)
        } else {
            environment
                .get("XDG_DATA_HOME")
                .map(PathBuf::from)
                .filter(|path| path.is_absolute())
                .or_else(|| Some(environment.home()?.join(".local/share")))?
        };
        Some(data.join("maestro").join("demo-agent"))
    })
}

/// What a Codex thread has consumed so far, from its own record.
pub(crate) fn codex_total(thread: &str, environment: &Environment) -> Option<Tokens> {
    let ending = format!("-{thread}.jsonl");
    let file = codex_files(environment)?.into_iter().find(|file| {
        file.file_name().is_some_and(|name| name.to_string_lossy().ends_with(&ending))
    })?;
    let tail = end_of(&file)?;
    let total =
        tail.lines().rev().filter(|line| line.contains("token_count")).find_map(|line| {
            let record: Value = serde_json::from_str(line).ok()?;
            record.pointer("/payload/info/total_token_usage").cloned()
        })?;
    let number = |name: &str| total.get(name).and_then(Value::as_u64).unwrap_or_default();
    Some(Tokens {
        input: number("input_tokens"),
        cached: number("cached_input_tokens"),
        output: number("output_tokens"),
    })
}

fn claude_home(environment: &Environment) -> Option<PathBuf> {
    environment
        .get("CLAUDE_CONFIG_DIR")
        .filter(|dir| !dir.is_empty())
        .map(PathBuf::from)
        .or_else(|| Some(environment.home()?.join(".claude")))
}

/// The session files of a directory. Claude Code names the folder after the directory, each character
/// but ASCII letters and digits replaced, and cuts long names and adds a hash of its own.
fn claude_files(projects: &Path, directory: &Path) -> Vec<PathBuf> {
    const LONGEST: usize = 200;
    let name: String = directory
        .to_string_lossy()
        // It counts UTF-16 units, as its language does.
        .encode_utf16()
        .map(|unit| match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii_alphanumeric() => byte as char,
            _ => '-',
        })
        .collect();
    if name.len() <= LONGEST {
        return files_in(&projects.join(name));
    }
    let prefix = format!("{}-", &name[..LONGEST]);
    entries(projects)
        .filter(|folder| {
            folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&prefix))
        })
        .flat_map(|folder| files_in(&folder))
        .collect()
}

/// What Claude Code is told to resume a session in a directory. An id it looks for only among the sessions of
/// that directory and of other worktrees of its repository; the path of a session's file it takes from
/// everywhere, and goes on in that file under the same id (seen with 2.1.197).
pub(crate) fn claude_resume(
    session: &str,
    directory: &Path,
    environment: &Environment,
) -> OsString {
    let is_id = session.len() > 8 && session.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let Some(home) = claude_home(environment).filter(|_| is_id) else { return session.into() };
    let projects = home.join("projects");
    let name = format!("{session}.jsonl");
    let is_it = |file: &PathBuf| file.file_name().is_some_and(|found| *found == *name);
    let real = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
    if [real.as_path(), directory].iter().any(|dir| claude_files(&projects, dir).iter().any(is_it))
    {
        return session.into();
    }
    let written = |file: &PathBuf| {
        let about = std::fs::symlink_metadata(file).ok().filter(std::fs::Metadata::is_file)?;
        about.modified().ok()
    };
    entries(&projects)
        .map(|folder| folder.join(&name))
        .filter_map(|file| Some((written(&file)?, file)))
        .max()
        .map_or_else(|| session.into(), |(_, file)| file.into_os_string())
}

/// Codex files its sessions by day, `sessions/YYYY/MM/DD`; the latest days come first.
fn codex_files(environment: &Environment) -> Option<Vec<PathBuf>> {
    let home = environment
        .get("CODEX_HOME")
        .filter(|dir| !dir.is_empty())
        .map(PathBuf::from)
        .or_else(|| Some(environment.home()?.join(".codex")))?;
    let mut folders = vec![home.join("sessions")];
    for _ in ["years", "months", "days"] {
        let mut below: Vec<PathBuf> = folders.iter().flat_map(|folder| entries(folder)).collect();
        below.sort_by(|a, b| b.cmp(a));
        below.truncate(DAYS);
        folders = below;
    }
    Some(folders.iter().flat_map(|day| files_in(day)).collect())
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    entries(folder)
        .filter(|file| file.extension().is_some_and(|ending| ending == "jsonl"))
        .collect()
}

/// The session whose file changed last, among those of the directories.
fn latest(files: Vec<PathBuf>, since: SystemTime, directories: &[&Path]) -> Option<String> {
    let mut changed: Vec<(SystemTime, PathBuf)> = files
        .into_iter()
        .filter_map(|file| Some((file.metadata().ok()?.modified().ok()?, file)))
        .filter(|(modified, _)| *modified >= since)
        .collect();
    changed.sort_by(|a, b| b.cmp(a));
    changed.into_iter().take(FILES).find_map(|(_, file)| session_of(&file, directories))
}

/// The id of the session in a file, if it worked in one of the directories. The folder's name does not
/// prove that: different directories share one.
fn session_of(file: &Path, directories: &[&Path]) -> Option<String> {
    let stem = file.file_stem()?.to_str()?;
    // `rollout-2026-11-22T07-30-42-UUID` or `UUID`; other files (of subagents, say) are no sessions.
    let id = stem.get(stem.len().checked_sub(36)?..).filter(|id| is_uuid(id))?;
    if stem.len() != 36 && !stem.starts_with("rollout-") {
        return None;
    }
    for line in beginning_of(file)?.lines() {
        let Ok(record) = serde_json::from_str::<Value>(line) else { continue };
        let directory = ["/cwd", "/payload/cwd", "/directory"]
            .iter()
            .find_map(|field| record.pointer(field)?.as_str().map(PathBuf::from));
        if let Some(directory) = directory {
            return directories.contains(&directory.as_path()).then(|| id.to_owned());
        }
    }
    None
}

pub(crate) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.char_indices().all(|(at, c)| match at {
            8 | 13 | 18 | 23 => c == '-',
            _ => c.is_ascii_hexdigit(),
        })
}

fn beginning_of(file: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    let _ = File::open(file).ok()?.take(HEAD).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn end_of(file: &Path) -> Option<String> {
    let mut file = File::open(file).ok()?;
    let length = file.metadata().ok()?.len();
    let _ = file.seek(SeekFrom::Start(length.saturating_sub(TAIL))).ok()?;
    let mut bytes = Vec::new();
    let _ = file.take(TAIL).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// OpenCode keeps a database; its own program is asked instead of depending on its schema.
fn opencode_latest(
    directories: &[&Path],
    since: SystemTime,
    environment: &Environment,
) -> Option<String> {
    let program = environment.find(program_name(Provider::OpenCode))?;
    let answer = Probe {
        program: &program,
        args: &["session", "list", "--format", "json"],
        env: environment,
        directory: directories.first().copied(),
        limit: LIST_LIMIT,
        most: 4 << 20,
    }
    .whole();
    let since_ms =
        since.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_millis());
    opencode_pick(&answer.stdout, directories, since_ms)
}

fn opencode_pick(list: &[u8], directories: &[&Path], since_ms: u128) -> Option<String> {
    let sessions: Vec<Value> = serde_json::from_slice(list).ok()?;
    let updated = |session: &Value| session.get("updated").and_then(Value::as_u64).unwrap_or(0);
    sessions
        .iter()
        .filter(|session| u128::from(updated(session)) >= since_ms)
        // Every worktree of a repository is the same project there, so the directory decides.
        .filter(|session| {
            session
                .get("directory")
                .and_then(Value::as_str)
                .is_some_and(|directory| directories.contains(&Path::new(directory)))
        })
        .max_by_key(|session| updated(session))
        .and_then(|session| session.get("id")?.as_str().map(str::to_owned))
}

/// A random (version 4) UUID.
pub(crate) fn uuid() -> String {
    use std::hash::{BuildHasher, Hasher, RandomState};
    // The keys of a `RandomState` come from the operating system, once a thread, and differ each time
    // after that; 122 of these bits make an id that nobody else has. It is a name, not a secret.
    let random = || RandomState::new().build_hasher().finish();
    let high = (random() & 0xffff_ffff_ffff_0fff) | 0x4000;
    let low = (random() & 0x3fff_ffff_ffff_ffff) | 0x8000_0000_0000_0000;
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xffff,
        low >> 48,
        low & 0xffff_ffff_ffff
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_ids_are_uuids_and_differ() {
        let ids: Vec<String> = (0..100).filter_map(|_| new_session_id(Provider::Claude)).collect();
        assert!(ids.iter().all(|id| is_uuid(id) && id.as_bytes()[14] == b'4'), "{ids:?}");
        assert_eq!(ids.iter().collect::<std::collections::HashSet<_>>().len(), 100);
        assert_eq!(new_session_id(Provider::Codex), None);
    }

    #[test]
    fn claude_code_is_told_the_file_of_a_session_from_elsewhere() {
        let home = tempfile::tempdir().expect("a folder");

        let environment = Environment::from_vars([("HOME", home.path().as_os_str())]);
        let work = home.path().join("work.here");
        std::fs::create_dir(&work).expect("made");
        let projects = home.path().join(".claude/projects");
        let id = "11111111-2222-4333-8444-555555555555";
        let told = |dir: &Path| claude_resume(id, dir, &environment);
        assert_eq!(told(&work), id, "it is nowhere");
        let file = projects.join("-else-where").join(format!("{id}.jsonl"));
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("made");
        std::fs::write(&file, "{}").expect("written");
        assert_eq!(told(&work), file.as_os_str());
        let own: String = work
            .to_string_lossy()
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .collect();
        std::fs::create_dir(projects.join(&own)).expect("made");
        assert_eq!(told(&work), file.as_os_str());
        let _ =
            std::fs::copy(&file, projects.join(own).join(format!("{id}.jsonl"))).expect("copied");
        assert_eq!(told(&work), id);
        // A title, or what is no id at all, is passed on.
        assert_eq!(claude_resume("../../x", &work, &environment), "../../x");
    }

    #[test]
    fn opencode_sessions_are_picked_by_directory_and_time() {
        let list = br#"[{"id":"ses_other","updated":900,"directory":"/b"},
            {"id":"ses_old","updated":100,"directory":"/a"},
            {"id":"ses_new","updated":300,"directory":"/a"},{"odd":1}]"#;
        let pick = |dir: &str, since| opencode_pick(list, &[Path::new(dir)], since);
        assert_eq!(pick("/a", 0).as_deref(), Some("ses_new"));
        assert_eq!(pick("/a", 301), None);
        assert_eq!(pick("/c", 0), None);
        assert_eq!(opencode_pick(b"garbage", &[Path::new("/a")], 0), None);
    }
}

//! The files of the Electron Maestro, read and nothing else.
//!
//! `maestro-sessions.json` has its agents (`sessions`), `maestro-groups.json` the names of groups,
//! `playbooks/ID.json` the playbooks of an agent, `maestro-settings.json` what is set; where
//! `maestro-bootstrap.json` names another folder, all but the playbooks are there. None of them has to be
//! well formed: what is missing or strange is left out, by name.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use maestro_core::agent::Provider;
use maestro_core::settings::Value as Set;
use maestro_core::text;
use serde::Deserialize;
use serde_json::Value;

/// The largest file that is read: it keeps whole conversations in the list of its agents.
const MAX_FILE: u64 = 1 << 30;
/// The largest file of playbooks.
const MAX_PLAYBOOKS: u64 = 16 << 20;
/// The longest name that is taken over, in characters.
const LONGEST: usize = 120;

/// What is there.
#[derive(Debug, Default)]
pub struct Found {
    pub agents: Vec<Taken>,
    pub playbooks: Vec<Playbook>,
    /// By our keys.
    pub settings: Vec<(&'static str, Set)>,
    /// What could not be read, and why.
    pub unread: Vec<(String, String)>,
}

/// An agent of its.
#[derive(Debug, PartialEq, Eq)]
pub struct Taken {
    pub name: String,
    pub provider: Provider,
    pub directory: PathBuf,
    pub group: Option<String>,
    pub bookmarked: bool,
    /// Whether it works over SSH.
    pub remote: bool,
}

/// A playbook of one of its agents.
#[derive(Debug)]
pub struct Playbook {
    pub name: String,
    pub project: PathBuf,
    /// The folder of its checklists.
    pub documents: PathBuf,
    pub entry: Value,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Session {
    #[serde(default)]
    id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    tool_type: String,
    #[serde(default)]
    cwd: PathBuf,
    #[serde(default)]
    project_root: PathBuf,
    #[serde(default)]
    group_id: Option<String>,
    #[serde(default)]
    bookmarked: bool,
    #[serde(default)]
    auto_run_folder_path: Option<PathBuf>,
    #[serde(default)]
    session_ssh_remote_config: Option<Remote>,
}

#[derive(Debug, Deserialize)]
struct Remote {
    #[serde(default)]
    enabled: bool,
}

#[derive(Debug, Deserialize)]
struct Group {
    id: String,
    name: String,
}

/// Reads the folder of its data. Only when there is none at all, or it is somebody else's, it is an error.
pub fn read(folder: &Path) -> Result<Found, String> {
    let nothing = || {
        format!(
            "{} is not the folder of an Electron Maestro: it has no maestro-sessions.json and no \
             maestro-settings.json. Name its folder.",
            folder.display()
        )
    };
    let mut found = Found::default();
    let mut load = |path: &Path, most: u64| load(path, most, &mut found.unread);
    let elsewhere = load(&folder.join("maestro-bootstrap.json"), MAX_PLAYBOOKS)
        .and_then(|boot| boot["customSyncPath"].as_str().map(PathBuf::from))
        .filter(|path| path.is_absolute());
    let synced = elsewhere.as_deref().unwrap_or(folder);
    let sessions = load(&synced.join("maestro-sessions.json"), MAX_FILE);
    let groups = load(&synced.join("maestro-groups.json"), MAX_PLAYBOOKS);
    let set = load(&synced.join("maestro-settings.json"), MAX_PLAYBOOKS);
    if sessions.is_none() && set.is_none() && found.unread.is_empty() {
        return Err(nothing());
    }
    let groups: Vec<Group> = list(groups, "groups").filter_map(|it| typed(it).ok()).collect();
    for session in list(sessions, "sessions") {
        let shown = session["name"].as_str().unwrap_or("an agent without a name").to_owned();
        let shown = text::clean(&shown, LONGEST);
        match typed::<Session>(session) {
            Ok(session) => take(session, &groups, folder, &mut found),
            Err(error) => found.unread.push((shown, format!("it cannot be read ({error})"))),
        }
    }
    found.settings = set.as_ref().map(settings).unwrap_or_default();
    Ok(found)
}

fn take(session: Session, groups: &[Group], folder: &Path, found: &mut Found) {
    let name = text::clean(&session.name, LONGEST);
    let Some(provider) = provider(&session.tool_type) else {
        let tool = text::clean(&session.tool_type, LONGEST);
        found.unread.push((name, format!("there is no provider for `{tool}`")));
        return;
    };
    let roots = [&session.project_root, &session.cwd];
    let Some(directory) = roots.into_iter().find(|path| path.is_absolute()).cloned() else {
        found.unread.push((name, "its directory is not known".to_owned()));
        return;
    };
    let group = groups.iter().find(|group| Some(&group.id) == session.group_id.as_ref());
    let remote = session.session_ssh_remote_config.is_some_and(|remote| remote.enabled);
    // Its name is part of a path, and is only taken for one.
    if !remote && !session.id.is_empty() && session.id.chars().all(is_of_an_id) {
        let path = folder.join("playbooks").join(format!("{}.json", session.id));
        let kept = load(&path, MAX_PLAYBOOKS, &mut found.unread);
        let documents = session.auto_run_folder_path.filter(|path| path.is_absolute());
        let documents = documents.unwrap_or_else(|| directory.join(".maestro/playbooks"));
        found.playbooks.extend(list(kept, "playbooks").map(|entry| Playbook {
            name: text::clean(entry["name"].as_str().unwrap_or("Playbook"), LONGEST),
            project: directory.clone(),
            documents: documents.clone(),
            entry,
        }));
    }
    found.agents.push(Taken {
        name: if name.is_empty() { provider.title().to_owned() } else { name },
        provider,
        directory,
        group: group.map(|group| text::clean(&group.name, LONGEST)),
        bookmarked: session.bookmarked,
        remote,
    });
}

fn is_of_an_id(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-'
}

/// Its word for a program. Some of those it lists never worked there, and are not here.
fn provider(tool: &str) -> Option<Provider> {
    Some(match tool {
        "claude-code" | "claude" => Provider::Claude,
        "codex" => Provider::Codex,
        "opencode" => Provider::OpenCode,
        "factory-droid" => Provider::Droid,
        "gemini-cli" => Provider::Gemini,
        "copilot-cli" => Provider::Copilot,
        "terminal" => Provider::Shell,
        _ => return None,
    })
}

/// What it has in common with us, by our keys.
fn settings(set: &Value) -> Vec<(&'static str, Set)> {
    let mut ours = Vec::new();
    if let Some(sends) = set["enterToSendAI"].as_bool() {
        ours.push(("composer.enter_sends", Set::Switch(sends)));
    }
    if let Some(tells) = set["osNotificationsEnabled"].as_bool() {
        let word = if tells { "all" } else { "never" };
        ours.push(("notices.desktop", Set::Text(word.to_owned())));
    }
    if let Some(sounds) = set["audioFeedbackEnabled"].as_bool() {
        let word = if sounds { "all" } else { "never" };
        ours.push(("notices.sound", Set::Text(word.to_owned())));
    }
    ours
}

/// What a file says; nothing where there is none. What is wrong with it is told.
fn load(path: &Path, most: u64, unread: &mut Vec<(String, String)>) -> Option<Value> {
    let read = || -> Result<Value, String> {
        let file = File::open(path).map_err(|error| error.to_string())?;
        let about = file.metadata().map_err(|error| error.to_string())?;
        if !about.is_file() {
            return Err("it is no file".to_owned());
        }
        if about.len() > most {
            return Err(format!("it has more than {} MiB", most >> 20));
        }
        let mut bytes = Vec::new();
        let _ = file.take(most).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
        serde_json::from_slice(&bytes).map_err(|error| error.to_string())
    };
    if std::fs::symlink_metadata(path).is_err() {
        return None;
    }
    match read() {
        Ok(value) => Some(value),
        Err(why) => {
            unread.push((path.display().to_string(), why));
            None
        }
    }
}

/// The entries of a list in an object.
fn list(value: Option<Value>, key: &str) -> impl Iterator<Item = Value> {
    let entries = match value {
        Some(Value::Object(mut fields)) => fields.remove(key),
        _ => None,
    };
    let entries = match entries {
        Some(Value::Array(entries)) => entries,
        _ => Vec::new(),
    };
    entries.into_iter()
}

fn typed<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, String> {
    serde_json::from_value(value).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::*;

    fn put(folder: &Path, name: &str, value: &Value) {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, value.to_string()).expect("a file");
    }

    #[test]
    fn agents_groups_playbooks_and_settings_are_found() {
        let place = tempfile::tempdir().expect("a folder");
        let folder = place.path();
        let sessions = json!({"sessions": [
            {"id": "a-1", "name": "api", "toolType": "claude-code", "cwd": "/w/api", "projectRoot": "/w/api",
             "groupId": "g1", "bookmarked": true, "aiTabs": [{"logs": []}], "fullPath": "/w/api"},
            {"id": "../b", "name": "far", "toolType": "codex", "cwd": "/w/b",
             "sessionSshRemoteConfig": {"enabled": true, "remoteId": "r"}},
            {"id": "c", "name": "old", "toolType": "aider", "cwd": "/w/c"},
            {"id": "d", "name": 4},
            {"id": "e", "name": "here", "toolType": "terminal", "cwd": "relative"},
        ]});
        put(folder, "maestro-sessions.json", &sessions);
        put(
            folder,
            "maestro-groups.json",
            &json!({"groups": [{"id": "g1", "name": "Shop\u{7}", "emoji": ""}]}),
        );
        put(
            folder,
            "playbooks/a-1.json",
            &json!({"playbooks": [{"name": "Nightly", "documents": []}]}),
        );
        put(
            folder,
            "maestro-settings.json",
            &json!({"enterToSendAI": true, "audioFeedbackEnabled": "yes"}),
        );
        let found = read(folder).expect("its folder");
        let api = Taken {
            name: "api".to_owned(),
            provider: Provider::Claude,
            directory: "/w/api".into(),
            group: Some("Shop".to_owned()),
            bookmarked: true,
            remote: false,
        };
        assert_eq!(found.agents[0], api);
        assert_eq!(found.agents.len(), 2);
        assert!(found.agents[1].remote);
        let names: Vec<&str> = found.unread.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["old", "an agent without a name", "here"]);
        assert_eq!(found.playbooks[0].name, "Nightly");
        assert_eq!(found.playbooks[0].documents, Path::new("/w/api/.maestro/playbooks"));
        assert_eq!(found.settings, [("composer.enter_sends", Set::Switch(true))]);
    }

    #[test]
    fn a_folder_that_was_moved_is_followed() {
        let place = tempfile::tempdir().expect("a folder");
        let synced = place.path().join("synced");
        put(place.path(), "maestro-bootstrap.json", &json!({"customSyncPath": synced}));
        put(&synced, "maestro-settings.json", &json!({"osNotificationsEnabled": false}));
        let found = read(place.path()).expect("its folder");
        let never = Set::Text("never".to_owned());
        assert_eq!(found.settings, [("notices.desktop", never)]);
    }

    #[test]
    fn what_is_none_or_broken_is_said() {
        let place = tempfile::tempdir().expect("a folder");
        assert!(read(place.path()).expect_err("nothing").contains("not the folder"));
        fs::write(place.path().join("maestro-sessions.json"), "{\"sessions\": [").expect("a file");
        let found = read(place.path()).expect("its folder");
        assert_eq!((found.agents.len(), found.unread.len()), (0, 1));
        put(place.path(), "maestro-sessions.json", &json!([1, {"sessions": 4}]));
        let found = read(place.path()).expect("its folder");
        assert_eq!((found.agents.len(), found.unread.len()), (0, 0));
    }
}

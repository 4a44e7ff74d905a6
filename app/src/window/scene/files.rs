//! Made-up files of an agent's directory.

/// Every scene of files.
pub const FILES: [&str; 6] =
    ["files", "files-find", "files-words", "files-editing", "files-torn", "files-none"];

/// All files.
#[must_use]
pub fn paths() -> Vec<String> {
    let mut paths: Vec<String> = [
        ".github/workflows/ci.yml",
        "Cargo.lock",
        "Cargo.toml",
        "README.md",
        "assets/preferences.png",
        "docs/api/preferences.md",
        "docs/api/sessions.md",
        "docs/design.md",
        "migrations/0041_sessions.sql",
        "migrations/0042_preferences.sql",
        "src/api/mod.rs",
        "src/api/preferences.rs",
        "src/api/routes.rs",
        "src/api/session.rs",
        "src/lib.rs",
        "src/main.rs",
        "tests/preferences.rs",
    ]
    .map(str::to_owned)
    .into();
    paths.sort_unstable();
    paths
}

/// Those in which the letters `prefs` are, best first.
#[must_use]
pub fn found() -> Vec<String> {
    ["src/api/preferences.rs", "tests/preferences.rs", "docs/api/preferences.md"]
        .map(str::to_owned)
        .into()
}

/// A file of code.
pub const CODE: &str = r#"//! What a user prefers, kept on the server.

use axum::extract::{Path, State};
use axum::{Json, Router, routing};
use serde::{Deserialize, Serialize};

use crate::Store;

/// The most bytes of a value.
const LONGEST: usize = 4 << 10;

/// One preference of a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preference {
    /// Its name, such as `theme`.
    pub key: String,
    /// What was chosen; `None` is the default.
    pub value: Option<String>,
}

/// The routes of preferences.
pub fn routes() -> Router<Store> {
    Router::new()
        .route("/preferences", routing::get(list))
        .route("/preferences/{key}", routing::put(set).delete(reset))
}

async fn list(State(store): State<Store>) -> Json<Vec<Preference>> {
    Json(store.preferences().await)
}

async fn set(
    State(store): State<Store>,
    Path(key): Path<String>,
    Json(value): Json<String>,
) -> Result<(), Error> {
    // What is too long is refused before anything is written.
    if value.len() > LONGEST {
        return Err(Error::TooLong { most: LONGEST });
    }
    store.set_preference(&key, Some(value)).await
}

async fn reset(State(store): State<Store>, Path(key): Path<String>) -> Result<(), Error> {
    store.set_preference(&key, None).await
}
"#;

/// A file of words.
pub const WORDS: &str = "# Preferences\n\nWhat a user prefers is kept on the server, so that it is the \
same on every machine.\n\n## Routes\n\n| route | what it does |\n| --- | --- |\n| `GET /preferences` | lists \
all of them |\n| `PUT /preferences/{key}` | sets one |\n| `DELETE /preferences/{key}` | goes back to the \
default |\n\nA value has at most **4 KiB**. A longer one is refused:\n\n```http\nHTTP/1.1 413 Content Too \
Large\n\n{ \"most\": 4096 }\n```\n\n## To do\n\n- [x] routes and their tests\n- [ ] tell other windows of the \
same user\n- [ ] an export\n";

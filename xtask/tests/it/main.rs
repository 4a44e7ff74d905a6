//! The rules about who may depend on whom, as ARCHITECTURE.md tells them. They are checked here
//! because a table that nothing checks is a wish.

mod keys;

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// Each crate of ours with those of ours that it may use. `core` is allowed to all.
const ALLOWED: &[(&str, &[&str])] = &[
    ("maestro-core", &[]),
    ("maestro-protocol", &[]),
    ("maestro-pty", &[]),
    ("maestro-terminal", &[]),
    ("maestro-agents", &[]),
    ("maestro-git", &[]),
    ("maestro-store", &[]),
    ("maestro-glyph", &[]),
    ("maestro-ui", &[]),
    ("maestro-grid", &["maestro-glyph", "maestro-protocol"]),
    (
        "maestro-engine",
        &[
            "maestro-agents",
            "maestro-git",
            "maestro-protocol",
            "maestro-pty",
            "maestro-store",
            "maestro-terminal",
        ],
    ),
    (
        "maestro",
        &[
            "maestro-agents",
            "maestro-engine",
            "maestro-grid",
            "maestro-platform",
            "maestro-protocol",
            "maestro-ui",
        ],
    ),
    ("maestro-platform", &[]),
    ("xtask", &[]),
];

/// Each heavy dependency with the crates of ours in which it lives.
const HOMES: &[(&str, &[&str])] = &[
    ("alacritty_terminal", &["maestro-terminal"]),
    ("arboard", &["maestro"]),
    ("clap", &["maestro", "xtask"]),
    ("cosmic-text", &["maestro-glyph"]),
    ("git2", &["maestro-git"]),
    ("global-hotkey", &["maestro-platform"]),
    ("iced", &["maestro", "maestro-grid", "maestro-ui"]),
    ("iced_runtime", &["maestro", "maestro-grid", "maestro-ui"]),
    ("iced_test", &["maestro", "maestro-grid", "maestro-ui"]),
    ("iced_wgpu", &["maestro", "maestro-grid"]),
    ("interprocess", &["maestro-protocol"]),
    ("muda", &["maestro-platform"]),
    ("notify", &["maestro-engine"]),
    ("portable-pty", &["maestro-pty"]),
    ("postcard", &["maestro-protocol"]),
    ("pulldown-cmark", &["maestro-core"]),
    ("rusqlite", &["maestro-store"]),
    ("sha2", &["maestro-engine", "maestro-git"]),
    ("skrifa", &["maestro-glyph"]),
    ("swash", &["maestro-glyph"]),
    ("zip", &["maestro-engine"]),
    ("zstd", &["maestro-terminal"]),
];

/// All that `core` may use of the outside world: it has no I/O, no clock and no threads to begin with.
const CORE: &[&str] = &["pulldown-cmark", "serde", "similar", "thiserror"];

/// Crates that build and test where no window toolkit can.
const WITHOUT_WINDOW: &[&str] = &["maestro-core", "maestro-terminal", "maestro-glyph"];

/// Direct and transitive dependencies, without those of tests.
struct Graph {
    direct: BTreeMap<String, BTreeSet<String>>,
    all: BTreeMap<String, BTreeSet<String>>,
}

fn metadata(manifest: &str) -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--locked", "--all-features"])
        .args(["--manifest-path", manifest])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn graph() -> Graph {
    let metadata = metadata("Cargo.toml");
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let names: BTreeMap<String, String> = metadata["packages"]
        .as_array()
        .expect("packages")
        .iter()
        .map(|package| (text(&package["id"]), text(&package["name"])))
        .collect();
    let mut direct: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for node in metadata["resolve"]["nodes"].as_array().expect("nodes") {
        let used = node["deps"].as_array().expect("dependencies").iter().filter(|dependency| {
            dependency["dep_kinds"]
                .as_array()
                .is_some_and(|kinds| kinds.iter().any(|kind| kind["kind"].is_null()))
        });
        let used = used.map(|dependency| names[&text(&dependency["pkg"])].clone());
        direct.entry(names[&text(&node["id"])].clone()).or_default().extend(used);
    }
    let ours: Vec<String> = ALLOWED.iter().map(|(name, _)| (*name).to_owned()).collect();
    let all = ours.into_iter().map(|name| (name.clone(), reachable(&direct, &name))).collect();
    Graph { direct, all }
}

fn reachable(direct: &BTreeMap<String, BTreeSet<String>>, from: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![from.to_owned()];
    while let Some(name) = open.pop() {
        for next in direct.get(&name).into_iter().flatten() {
            if found.insert(next.clone()) {
                open.push(next.clone());
            }
        }
    }
    found
}

#[test]
fn dependencies_point_in_the_allowed_direction() {
    let graph = graph();
    let ours = |name: &str| name == "maestro" || name == "xtask" || name.starts_with("maestro-");
    let mut wrong = Vec::new();
    for (name, used) in graph.direct.iter().filter(|(name, _)| ours(name)) {
        let Some((_, allowed)) = ALLOWED.iter().find(|(known, _)| known == name) else {
            wrong.push(format!("{name} is not in the table"));
            continue;
        };
        for other in used.iter().filter(|other| ours(other)) {
            if other != "maestro-core" && !allowed.contains(&other.as_str()) {
                wrong.push(format!("{name} uses {other}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_crate_in_the_table_exists() {
    let graph = graph();
    for (name, _) in ALLOWED {
        assert!(graph.direct.contains_key(*name), "{name}");
    }
}

#[test]
fn heavy_dependencies_live_in_one_place() {
    let graph = graph();
    let mut wrong = Vec::new();
    for (heavy, homes) in HOMES {
        for (name, used) in
            graph.direct.iter().filter(|(name, _)| ALLOWED.iter().any(|(ours, _)| ours == name))
        {
            if used.contains(*heavy) && !homes.contains(&name.as_str()) {
                wrong.push(format!("{name} uses {heavy}, which lives in {}", homes.join(", ")));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn core_uses_nothing_that_could_touch_the_world() {
    let used = &graph().direct["maestro-core"];
    let others: Vec<_> = used.iter().filter(|name| !CORE.contains(&name.as_str())).collect();
    assert!(others.is_empty(), "{others:?}");
}

#[test]
fn what_must_build_without_a_window_does() {
    let graph = graph();
    for name in WITHOUT_WINDOW {
        let used = &graph.all[*name];
        let toolkit: Vec<_> =
            used.iter().filter(|used| used.starts_with("iced") || *used == "wgpu").collect();
        assert!(toolkit.is_empty(), "{name} uses {toolkit:?}");
    }
}

#[test]
fn the_host_needs_no_window() {
    let used = &graph().all["maestro-engine"];
    let toolkit: Vec<_> = used.iter().filter(|used| used.starts_with("iced")).collect();
    assert!(toolkit.is_empty(), "{toolkit:?}");
}

#[test]
fn what_is_fuzzed_has_a_lock_that_fits() {
    // A workspace of its own: a dependency that `core` or `protocol` gains has to get into its lock, too.
    let metadata = metadata("../tests/fuzz/Cargo.toml");
    let packages = metadata["packages"].as_array().expect("packages");
    assert!(packages.iter().any(|package| package["name"] == "maestro-fuzz"), "{packages:?}");
}

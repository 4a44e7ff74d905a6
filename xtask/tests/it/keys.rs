//! Every key of the window means what the registry of commands says. The few places that look at a key themselves
//! are named here, with why; another one fails.

use std::fs;
use std::path::{Path, PathBuf};

/// Where keys may come by.
const LOOKED_AT: &[&str] =
    &["app/src/window", "app/src/window.rs", "crates/ui/src", "crates/grid/src"];

/// Words by which a key is told from another one.
const WORDS: &[&str] = &["Code::", "KeyPressed", "KeyReleased", "Named::", "keyboard::Key::"];

/// Files that tell keys apart, in how many lines, and why no command could.
const ALLOWED: &[(&str, usize, &str)] = &[
    ("app/src/window/chords.rs", 6, "a chord is recorded: any key is one"),
    ("app/src/window/palette.rs", 1, "the sign of the digits that run rows, which are commands"),
    ("app/src/window/settings.rs", 2, "a chord is recorded"),
    (
        "app/src/window/shell/chords.rs",
        3,
        "Escape leaves what a first chord began; and a made-up window",
    ),
    (
        "app/src/window/shell/keys.rs",
        9,
        "Enter and arrows of inputs, which become commands, and the letters of labels",
    ),
    ("crates/grid/src/keyboard.rs", 0, "what the toolkit calls a key becomes ours"),
    ("crates/grid/src/terminal/typing.rs", 2, "what is typed goes to the program"),
    ("crates/ui/src/still.rs", 1, "a blinking cursor begins anew at any key"),
];

fn sources(path: &Path, found: &mut Vec<PathBuf>) {
    if path.is_dir() {
        let inside = fs::read_dir(path).expect("a folder").flatten();
        inside.for_each(|entry| sources(&entry.path(), found));
    } else if path.extension().is_some_and(|ending| ending == "rs") {
        found.push(path.to_owned());
    }
}

/// Lines of a file that tell keys apart, without its tests.
fn lines(path: &Path) -> usize {
    let text = fs::read_to_string(path).expect("readable");
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let tells = |line: &&str| {
        let code = line.split("//").next().unwrap_or_default();
        WORDS.iter().any(|word| {
            let mut after = code.match_indices(word).map(|(at, word)| &code[at + word.len()..]);
            after.any(|rest| !word.ends_with("::") || rest.starts_with(|c: char| c.is_uppercase()))
        })
    };
    text.lines().filter(tells).count()
}

#[test]
fn keys_are_told_apart_where_the_registry_is_asked() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = Vec::new();
    LOOKED_AT.iter().for_each(|path| sources(&root.join(path), &mut found));
    assert!(found.len() > 100, "{}", found.len());
    let mut wrong = Vec::new();
    for path in found {
        let name = path.strip_prefix(&root).expect("below").to_string_lossy().replace('\\', "/");
        let is_test =
            name.contains("/tests") || name.contains("/scene") || name.ends_with("bench.rs");
        let allowed = ALLOWED.iter().find(|(file, ..)| *file == name);
        let told = lines(&path);
        match allowed {
            _ if is_test => {}
            Some((_, 0, _)) => assert!(told > 0, "{name} is named for nothing"),
            Some((_, count, why)) if *count != told => {
                wrong.push(format!("{name}: {told} lines and not {count} ({why})"));
            }
            None if told > 0 => wrong.push(format!("{name}: {told} lines; is that a command?")),
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

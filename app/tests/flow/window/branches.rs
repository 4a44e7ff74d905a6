//! Changes, conflicts and a merge train in the real window, by keys alone, with the demo agent.

use std::path::PathBuf;
use std::thread;

use super::terminal::prepared;
use super::*;

/// How long a train may take; far more than it needs.
const TRAIN: Duration = Duration::from_secs(240);

/// A window whose repository has branches.
struct Yard<'a> {
    place: &'a Place,
    display: &'a Display,
    repository: PathBuf,
    _window: Window<'a>,
}

impl<'a> Yard<'a> {
    /// With an agent in the main checkout, which is the first one that is looked at.
    fn open(place: &'a Place, display: &'a Display) -> Self {
        let repository = place.repository("shop");
        let dir = repository.display().to_string();
        let _ = place.ok(&["agent", "new", "main", "-p", "demo", "-d", &dir, "--no-start"]);
        let window = Window::open(place, display, &repository);
        let _ = display.settled();
        Self { place, display, repository, _window: window }
    }

    /// Presses a key that changes what is to be seen, once.
    #[track_caller]
    fn changes(&self, key: &str) {
        let before = self.display.settled();
        self.display.key(key);
        until("the key shows something else", || {
            (different(&before, &self.display.picture()) > 0.0008).then_some(())
        });
        let _ = self.display.settled();
    }

    /// Presses a key, and waits until it has done what it is to do.
    #[track_caller]
    fn does(&self, key: &str, what: &str, is_done: impl Fn() -> bool) {
        let _ = self.display.settled();
        self.display.key(key);
        until(what, || {
            thread::sleep(Duration::from_millis(50));
            is_done().then_some(())
        });
    }

    fn git(&self, args: &[&str]) -> String {
        self.place.git(&self.repository, args)
    }

    /// Names of files that git tells.
    fn names(&self, args: &[&str]) -> Vec<String> {
        self.git(args).lines().map(str::to_owned).collect()
    }
}

#[test]
fn changes_are_staged_discarded_brought_back_and_commented_by_keys() {
    let Some((place, display)) = prepared() else { return };
    let yard = Yard::open(&place, &display);
    let readme = yard.repository.join("README.md");
    let before = place.read(&readme);
    let changed = format!("{before}A line of somebody's.\n");
    fs::write(&readme, &changed).expect("saved");
    fs::write(yard.repository.join("new.txt"), "new\n").expect("saved");
    yard.changes("ctrl+shift+d");

    // The first file is staged, and taken out of the index again.
    let staged = || yard.names(&["diff", "--cached", "--name-only"]);
    yard.does("s", "the file is staged", || staged() == ["README.md"]);
    yard.changes("i");
    yard.does("u", "the file is not staged any more", || staged().is_empty());
    assert_eq!(place.read(&readme), changed, "the file stayed as it is");

    // It is discarded once that was agreed to, and comes back.
    yard.changes("w");
    yard.changes("x");
    assert_eq!(place.read(&readme), changed, "it is asked first");
    yard.does("Return", "the change is discarded", || place.read(&readme) == before);
    yard.does("z", "it is back", || place.read(&readme) == changed);

    // A hunk of its lines is staged.
    yard.changes("Home");
    yard.changes("n");
    yard.does("s", "the hunk is staged", || staged() == ["README.md"]);
    yard.changes("i");
    yard.changes("Return");

    // Something is said about a line, and the agent gets it.
    yard.changes("c");
    display.types("Say whose line it is.");
    let _ = display.settled();
    yard.changes("Return");
    yard.does("g", "the agent is told", || {
        let tabs = place.json(&["agent", "tabs", "main"]);
        tabs[0]["turns"].as_u64().is_some_and(|turns| turns > 0)
    });
    let said = place.ok(&["agent", "show", "main", "--json"]);
    assert!(!said.is_empty());
    yard.changes("Escape");
}

#[test]
fn branches_that_collide_come_home_by_keys() {
    let Some((place, display)) = prepared() else { return };
    let yard = Yard::open(&place, &display);
    let dir = yard.repository.display().to_string();
    let mut worktrees = Vec::new();
    for name in ["a", "b", "c"] {
        let made = place.ok(&["worktree", "new", name, "-r", &dir]);
        // Agents that live beside each other are told apart without anybody asking.
        let _ = place.ok(&["agent", "new", name, "-p", "demo", "-d", &made]);
        let _ = place.shows(name, "emo");
        worktrees.push(PathBuf::from(made));
    }
    // What the agent does that is told of its conflict.
    let both = "git merge -q main; printf '# From a\\n# From b\\n' > README.md\n\
                git add -A; git commit -qm Both\n";
    let parent = worktrees[0].parent().expect("a folder");
    fs::write(parent.join("both"), both).expect("saved");
    fs::write(worktrees[2].join("other"), "From c\n").expect("saved");
    fs::write(worktrees[0].join("README.md"), "# From a\n").expect("saved");
    let quiet = display.settled();
    fs::write(worktrees[1].join("README.md"), "# From b\n").expect("saved");
    until("a mark says that they collide", || {
        (different(&quiet, &display.picture()) > 0.0005).then_some(())
    });

    // The matrix, where they conflict, and the train.
    yard.changes("ctrl+alt+c");
    // The mark may be there already.
    display.key("n");
    yard.changes("4");
    yard.changes("c");
    yard.changes("v");
    display.types("true # [[bash sh ../both]]");
    let _ = display.settled();
    yard.changes("Return");
    let trains = || place.json(&["train", "list"]).as_array().map_or(0, Vec::len);
    yard.does("g", "the train goes", || trains() == 1);
    let limit = Instant::now() + TRAIN;
    let train = loop {
        let train = place.json(&["train", "show", "m1"]);
        if !train["ended_ms"].is_null() || Instant::now() > limit {
            break train;
        }
        for agent in ["a", "b"] {
            let tabs = place.json(&["agent", "tabs", agent]);
            if !tabs[0]["requests"][0].is_null() {
                // It may have been answered a moment ago.
                let _ = place.run(&["agent", "approve", agent]);
            }
        }
        thread::sleep(Duration::from_millis(200));
    };
    let aboard = train["cars"].as_array().into_iter().flatten();
    let aboard = aboard.filter(|car| !car["state"]["aboard"].is_null() || car["state"] == "aboard");
    assert_eq!(aboard.count(), 3, "{train:#}");
    assert_eq!(place.read(yard.repository.join("README.md")), "# From a\n# From b\n");
    assert_eq!(place.read(yard.repository.join("other")), "From c\n");
    assert_eq!(yard.git(&["status", "--porcelain"]), "");

    // It is undone, after it was asked once more.
    let home = yard.git(&["rev-parse", "main"]);
    yard.changes("u");
    assert_eq!(yard.git(&["rev-parse", "main"]), home, "it is asked first");
    yard.does("Return", "main is where it was", || yard.git(&["rev-parse", "main"]) != home);
    yard.changes("Escape");
}

#[test]
fn a_worktree_goes_into_the_trash_and_comes_back_by_keys() {
    let Some((place, display)) = prepared() else { return };
    let yard = Yard::open(&place, &display);
    let dir = yard.repository.display().to_string();
    let tree = PathBuf::from(place.ok(&["worktree", "new", "side", "-r", &dir]));
    let made = tree.display().to_string();
    let _ = place.ok(&["agent", "new", "side", "-p", "demo", "-d", &made, "--no-start"]);
    fs::write(tree.join("draft"), "not committed\n").expect("saved");
    let foreign = place.path("theirs");
    let _ = yard.git(&["worktree", "add", "-q", &foreign.display().to_string()]);
    yard.changes("ctrl+shift+d");
    yard.changes("7");
    // The rows: the main checkout, ours, theirs.
    yard.changes("Down");
    yard.changes("x");
    assert!(tree.exists(), "it is asked first");
    yard.does("Return", "it is gone", || !tree.exists());
    assert_eq!(place.json(&["agent", "list"]).as_array().map(Vec::len), Some(1));
    yard.does("u", "it is back", || tree.join("draft").exists());
    until("its agent, too", || {
        (place.json(&["agent", "list"]).as_array().map(Vec::len) == Some(2)).then_some(())
    });

    // Theirs is not ours to remove, and is once it was adopted.
    let origin = || {
        let list = place.json(&["worktree", "list", &dir]);
        let all = list.as_array().cloned().unwrap_or_default();
        let one = all.into_iter().find(|one| one["path"] == json!(foreign));
        one.map(|one| one["origin"].clone()).unwrap_or_default()
    };
    let at = place.json(&["worktree", "list", &dir]);
    let at = at.as_array().and_then(|all| all.iter().position(|one| one["path"] == json!(foreign)));
    let _ = display.settled();
    display.key("Home");
    for _ in 0..at.expect("listed") {
        let _ = display.settled();
        display.key("Down");
    }
    yard.does("t", "it is ours now", || origin() == "adopted");
    let _ = display.settled();
    yard.does("t", "it is theirs again", || origin() == "foreign");
    assert!(foreign.join("README.md").exists());
}

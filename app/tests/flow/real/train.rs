//! Three agents in three worktrees, two of which write the same file, and a train that brings all of it
//! home: the agent that loses resolves its conflict itself.

use std::thread;

use super::*;
use crate::window::{Display, Window};

/// What the agent that loses is to do. Commands that check stand in its prompt, so this one tells the model.
const KEEP_BOTH: &str = "test -e list.txt # [[bash git merge -q main; \
    printf 'from a\\nfrom b\\n' > list.txt; git add -A; git commit -qm Both]]";

/// Lets an agent do what it asks for until a program of ours has ended.
fn approve(world: &World, what: &str, mut program: Child, agent: &str) -> Option<i32> {
    let limit = Instant::now() + LONG;
    loop {
        if let Some(status) = program.try_wait().expect("ours") {
            return status.code();
        }
        let tabs = world.json(&["agent", "tabs", agent]);
        assert!(Instant::now() < limit, "too late: {what}: {tabs:#}");
        if !tabs[0]["requests"][0].is_null() {
            let _ = end(world.maestro(&["agent", "approve", agent]), b"");
        }
        thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn claude_code_brings_three_branches_home() {
    let Some(world) = World::new("claude") else { return };
    let repository = world.repository();
    let dir = repository.display().to_string();
    let work = [
        ("a", "[[write list.txt from a\\n]] [[text Done.]]"),
        ("b", "[[write list.txt from b\\n]] [[text Done.]]"),
        ("c", "[[write other.txt from c\\n]] [[text Done.]]"),
    ];
    for (name, prompt) in work {
        let made = world.ok(&["worktree", "new", name, "-r", &dir]);
        let _ = world.ok(&["agent", "new", name, "-p", "claude", "-d", &made, "--no-start"]);
        let mut turn = world.maestro(&["agent", "send", name, "--wait", prompt]);
        let turn = turn.stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("it starts");
        assert_eq!(approve(&world, "it writes", turn, name), Some(0), "{name}");
    }
    // Nobody asked for it: two agents are at work beside each other, and it is told that they collide.
    let conflicts = world.ok(&["conflicts", "-r", &dir]);
    assert!(conflicts.contains("list.txt"), "{conflicts}");
    let args =
        ["train", "run", "-r", &dir, "--commit", "--verify", KEEP_BOTH, "--in-order", "--jsonl"];
    let mut train = world.maestro(&args);
    let train = train.stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("it starts");
    let code = approve(&world, "the train", train, "b");
    let shown = world.ok(&["train", "show", "m1"]);
    assert_eq!(code, Some(0), "{shown}");
    let read = |name: &str| fs::read_to_string(repository.join(name)).expect("it is there");
    assert_eq!(
        (read("list.txt").as_str(), read("other.txt").trim()),
        ("from a\nfrom b\n", "from c")
    );
    let requests = fs::read_to_string(world.place.path("requests.jsonl")).expect("kept");
    assert!(requests.contains("is to go into `main`, but it conflicts"), "the agent was told");
}

#[test]
fn in_the_window_what_claude_code_wrote_collides_and_comes_home() {
    let Some(world) = World::new("claude") else { return };
    let Some(display) = Display::new(&world.place) else { return };
    let repository = world.repository();
    let dir = repository.display().to_string();
    let _ = world.ok(&["agent", "new", "main", "-p", "claude", "-d", &dir, "--no-start"]);
    let _window = Window::of(&world.place, &display, world.maestro(&[]));
    let _ = display.settled();
    let work = [("a", "list.txt"), ("b", "list.txt"), ("c", "other.txt")];
    for (name, file) in work {
        // Made by keys, with a branch and a worktree of its own.
        display.key("ctrl+n");
        let _ = display.settled();
        display.types(name);
        let _ = display.settled();
        display.key("Return");
        let made = until("the agent is there", || {
            let all = world.json(&["agent", "list"]);
            let all = all.as_array().cloned().unwrap_or_default();
            all.into_iter().find(|agent| agent["name"] == name)
        });
        let worktree = PathBuf::from(made["directory"].as_str().expect("a path"));
        // Its own interface has the keyboard once it is drawn; what it asks first is answered.
        let mut since = Instant::now();
        let _ = answering(&world, name, "its interface is drawn", |screen| {
            if question(screen).is_some() || !screen.contains("❯") {
                since = Instant::now();
            }
            since.elapsed() > Duration::from_secs(2)
        });
        let prompt = format!("[[write {file} from {name}\\n]] [[text All of it is done.]]");
        display.types(&prompt);
        let _ = answering(&world, name, "the words are in its prompt", |screen| {
            told(screen, &prompt) > 0
        });
        display.key("Return");
        let _ = answering(&world, name, "it wrote", |_| worktree.join(file).exists());
        let _ =
            answering(&world, name, "it is done", |screen| told(screen, "All of it is done.") > 1);
    }
    // Nobody asked for it: two agents are at work beside each other, and it is told that they collide.
    let _ = display.settled();
    display.keep("collides");
    let conflicts = world.ok(&["conflicts", "-r", &dir]);
    assert!(conflicts.contains("list.txt"), "{conflicts}");

    for key in ["ctrl+alt+c", "4", "c", "v"] {
        display.key(key);
        let _ = display.settled();
    }
    // The one without a conflict goes first, and has no list.
    display.types(&KEEP_BOTH.replace("test -e list.txt", "true"));
    let _ = display.settled();
    display.key("Return");
    let _ = display.settled();
    display.key("g");
    let limit = Instant::now() + LONG;
    let train = loop {
        let trains = world.json(&["train", "list"]);
        if !trains[0]["ended_ms"].is_null() || Instant::now() > limit {
            break trains[0].clone();
        }
        for name in ["a", "b"] {
            let tabs = world.json(&["agent", "tabs", name]);
            let tabs = tabs.as_array().cloned().unwrap_or_default();
            if tabs.iter().any(|tab| !tab["requests"][0].is_null()) {
                // It may have been answered a moment ago.
                let _ = end(world.maestro(&["agent", "approve", name]), b"");
            }
        }
        thread::sleep(Duration::from_millis(200));
    };
    display.keep("home");
    let read = |name: &str| fs::read_to_string(repository.join(name)).unwrap_or_default();
    assert_eq!(read("list.txt"), "from a\nfrom b\n", "{train:#}");
    assert_eq!(read("other.txt").trim(), "from c", "{train:#}");
}

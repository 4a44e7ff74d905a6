//! Three agents in three worktrees, two of which write the same file, and a train that brings all of it
//! home: the agent that loses resolves its conflict itself.

use std::thread;

use super::*;

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

//! What is known of real programs in their own interfaces that tell a terminal nothing of what they do.

use super::*;

fn attention(world: &World) -> Value {
    world.json(&["agent", "show", "it"])["attention"].clone()
}

/// Waits for a state, and gives everything that was seen on the way there.
fn becomes(world: &World, state: &str) -> Value {
    let limit = Instant::now() + STEP;
    loop {
        let now = attention(world);
        if now["state"] == state {
            return now;
        }
        let why = || world.ok(&["agent", "why", "it"]);
        assert!(
            Instant::now() < limit,
            "it does not become {state}: {now:#}\n{}\n{}",
            why(),
            world.screen("it")
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn what_opencode_does_in_its_own_interface_is_known() {
    let Some(world) = World::new("opencode") else { return };
    let path = world.place.user().join(".config/opencode/opencode.json");
    let text = fs::read_to_string(&path).expect("its configuration");
    let mut config: Value = serde_json::from_str(&text).expect("JSON");
    config["permission"] = json!({ "bash": "ask" });
    fs::write(&path, config.to_string()).expect("written");
    let directory = world.repository();
    let dir = directory.display().to_string();
    let _ = world.ok(&["agent", "new", "it", "-p", "opencode", "-d", &dir, "--size", "120x40"]);
    let _ = answering(&world, "it", "its interface is drawn", |screen| {
        question(screen).is_none() && screen.contains("Ask anything")
    });
    assert_eq!(attention(&world)["state"], "unknown", "nothing was said, and nothing is guessed");

    type_in(&world, "it", "[[slow 6]] [[text The first answer.]]");
    let works = becomes(&world, "working");
    assert_eq!(works["source"], "transcript", "{works}");
    let done = becomes(&world, "done");
    assert_eq!(done["because"], "answered", "{done}");
    let why = world.ok(&["agent", "why", "it"]);
    assert!(why.contains("what its provider has stored"), "{why}");

    type_in(&world, "it", "[[bash echo x > made.txt]] [[text The second answer.]]");
    let asks = becomes(&world, "needs_you");
    let because = asks["because"].as_str().unwrap_or_default();
    assert!(because.contains("echo x > made.txt"), "{asks}");
    assert!(!directory.join("made.txt").exists(), "it was not allowed yet");
    // Once is what is chosen first.
    let _ = world.ok(&["terminal", "send", "it", "-e", r"\r"]);
    let _ = becomes(&world, "done");
    assert!(directory.join("made.txt").exists());
}

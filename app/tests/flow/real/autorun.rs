//! A whole playbook with the real programs: twelve tasks in a worktree, with everything in them that a
//! night can bring.

use super::*;

/// What decides about a task, as scripts: a command that had the fake model's directives in it would have
/// them carried out by the first turn, which is told the command.
const CHECK: &str = r#"#!/bin/sh
# check.sh FILE WORD [REPAIR]: whether a file has a word; says how to repair it.
grep -qx "$2" "$1" 2>/dev/null && exit 0
echo "$1 has no line $2."
[ -z "$3" ] || echo "Repair it: [[bash echo $2 > $1]] [[text Repaired.]]"
exit 3
"#;

/// Ticks another task's box.
const LIE: &str = "#!/bin/sh\nsed -i 's/- \\[ \\] Eight/- [x] Eight/' \"$1\"\n";

/// The playbook; `C` is where the scripts are, `D` the document itself.
const TASKS: &str = "\
# A night

- [ ] One [[write one.txt one]] [[text Wrote it.]]
  - verify: sh C/check.sh one.txt one
- [ ] Two [[bash echo wrong > two.txt]] [[text Wrote it.]] {#second}
  - verify: sh C/check.sh two.txt two repair
- [ ] Three [[bash echo three > three.txt]] [[text Ran it.]]
- [ ] Four [[bash echo wrong > four.txt]] [[text Wrote it.]]
  - verify: sh C/check.sh four.txt four repair
- [ ] Five [[bash echo wrong > five.txt]] [[text Wrote it.]]
  - verify: sh C/check.sh five.txt five
  - retries: 1
- [ ] Six [[error plan:15]] [[bash echo six > six.txt]] [[text At last.]]
  - verify: sh C/check.sh six.txt six
- [ ] Seven [[bash sh C/lie.sh D; echo seven > seven.txt]] [[text Seven and eight are done.]]
  - verify: sh C/check.sh seven.txt seven
- [ ] Eight [[bash echo eight > eight.txt]] [[text Ran it.]]
  - verify: sh C/check.sh eight.txt eight
- [ ] Nine [[bash cat two.txt > nine.txt]] [[text Copied it.]]
  - needs: second
  - verify: sh C/check.sh nine.txt two
- [ ] Ten [[write ten.txt ten]] [[text Wrote it.]]
  - verify: sh C/check.sh ten.txt ten
- [ ] Eleven [[bash mkdir -p deep/er; echo eleven > deep/er/eleven.txt]] [[text Ran it.]]
  - verify: sh C/check.sh deep/er/eleven.txt eleven
- [ ] Twelve [[bash cat ten.txt > twelve.txt]] [[text Ran it.]]
  - verify: sh C/check.sh twelve.txt ten
";

fn night(provider: &str) {
    let Some(world) = World::new(provider) else { return };
    if provider == "claude" {
        // Only accounts of Anthropic's have plans.
        let path = world.place.user().join(".profile");
        let profile = fs::read_to_string(&path).expect("the user's profile");
        let account = "unset ANTHROPIC_API_KEY\nexport CLAUDE_CODE_OAUTH_TOKEN=sk-ant-oat01-fake\n";
        fs::write(&path, format!("{profile}\n{account}")).expect("written");
    }
    let repository = world.repository();
    let before = contents(&repository);
    let dir = repository.display().to_string();
    let new = ["agent", "new", "it", "-p", provider, "-d", &dir, "-B", "night", "--no-start"];
    let _ = world.ok(&new);
    let worktree = world.json(&["agent", "show", "it"])["directory"].clone();
    let worktree = PathBuf::from(worktree.as_str().expect("a path"));

    let scripts = world.place.path("work").display().to_string();
    let _ = world.write("check.sh", CHECK);
    let _ = world.write("lie.sh", LIE);
    let folder = world.place.path("work/night");
    fs::create_dir(&folder).expect("a folder");
    give(&folder);
    let document = folder.join("tasks.md");
    let shown = document.display().to_string();
    let text = TASKS.replace(" C/", &format!(" {scripts}/")).replace(" D;", &format!(" {shown};"));
    let _ = world.write("night/tasks.md", &text);
    let _ = world.write(
        "night/playbook.toml",
        "name = \"Night\"\ndescription = \"Twelve tasks.\"\ndocuments = [\"tasks.md\"]\n",
    );
    let folder = folder.display().to_string();

    // Nobody has agreed to its commands: nothing runs.
    let refused = end(world.maestro(&["run", &folder, "-a", "it"]), b"");
    let _ = refused.fails(8, &["check.sh", "--trust"]);
    assert_eq!(world.json(&["run", "list"]), json!([]));

    let run = ["run", &folder, "-a", "it", "--attempts", "3", "--yes", "--jsonl"];
    let mut child =
        world.maestro(&run).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started");
    let out = collect(child.stdout.take().expect("piped"));
    let error = collect(child.stderr.take().expect("piped"));
    let code = wait(&mut child, LONG * 2);
    let read = |from: std::sync::mpsc::Receiver<Vec<u8>>| {
        String::from_utf8_lossy(&from.recv().unwrap_or_default()).into_owned()
    };
    let (out, error) = (read(out), read(error));
    let said = format!("{out}\n{error}");
    assert_eq!(code, Some(1), "one task is open: {said}");

    // What is ticked is true.
    let after = fs::read_to_string(&document).expect("there");
    assert_eq!(after, text.replace("[ ]", "[x]").replace("[x] Five", "[ ] Five"), "{said}");
    for (file, words) in [
        ("one.txt", "one"),
        ("two.txt", "two"),
        ("three.txt", "three"),
        ("four.txt", "four"),
        ("six.txt", "six"),
        ("seven.txt", "seven"),
        ("eight.txt", "eight"),
        ("nine.txt", "two"),
        ("ten.txt", "ten"),
        ("deep/er/eleven.txt", "eleven"),
    ] {
        let found = fs::read_to_string(worktree.join(file)).unwrap_or_default();
        assert_eq!(found.trim_end(), words, "{file}: {said}");
    }

    let run = world.json(&["run", "show", "r1"]);
    assert_eq!(run["state"], json!({ "ended": "with_failures" }), "{run:#}");
    let tasks = run["tasks"].as_array().expect("a list");
    assert_eq!(tasks.len(), 12, "{run:#}");
    let sessions: std::collections::BTreeSet<&str> =
        tasks.iter().filter_map(|task| task["session"].as_str()).collect();
    assert_eq!(sessions.len(), 12, "a fresh session for each: {run:#}");
    let number = |name: &str| {
        let is_it = |task: &Value| {
            task["text"].as_str().is_some_and(|text| text.split(' ').next() == Some(name))
        };
        tasks.iter().position(is_it).unwrap_or_else(|| panic!("no {name}: {run:#}"))
    };
    let of = |name: &str| &tasks[number(name)];
    let evidence =
        |name: &str| world.json(&["run", "evidence", "r1", &(number(name) + 1).to_string()]);
    // Two are sent back to their sessions and come out, one does not.
    for (name, state, codes) in
        [("Two", "done", vec![3, 0]), ("Four", "done", vec![3, 0]), ("Five", "failed", vec![3, 3])]
    {
        let evidence = evidence(name);
        let task = &evidence["task"];
        assert_eq!((&task["state"], &task["repairs"]), (&json!(state), &json!(1)), "{evidence:#}");
        let verified = evidence["verified"].as_array().expect("a list");
        let ended: Vec<i64> = verified.iter().filter_map(|v| v["exit_code"].as_i64()).collect();
        assert_eq!(ended, codes, "{evidence:#}");
        let turns = evidence["turns"].as_array().expect("a list");
        assert_eq!(turns.len(), 2, "{evidence:#}");
        assert_eq!(turns[0]["session"], turns[1]["session"], "the same session: {evidence:#}");
        assert!(turns[1]["prompt"].as_str().is_some_and(|text| text.contains("has no line")));
    }
    // The box that was ticked without evidence is said, and its task was done all the same.
    let flags = run["flags"].as_array().expect("a list");
    let lie = flags.iter().any(|flag| flag["text"].as_str().is_some_and(|t| t.contains("Eight")));
    assert!(lie, "{run:#}");
    assert_eq!(of("Eight")["verify"]["exit_code"], 0, "{run:#}");

    // Every step was told as it is described, the wait with its end.
    let events: Vec<Value> = out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    for event in &events {
        assert_eq!(crate::schema::flaw(event), None, "{event:#}");
    }
    let waits = events.iter().filter(|event| event["type"] == "waiting");
    let lasts: Vec<u64> = waits
        .filter_map(|event| event["until_ms"].as_u64()?.checked_sub(event["timestamp"].as_u64()?))
        .collect();
    if provider == "opencode" {
        // It waits and tries again by itself.
        assert_eq!(of("Six")["state"], "done", "{run:#}");
    } else {
        // A reset is told to the minute, and work goes on a little after it.
        assert!(!lasts.is_empty() && lasts.iter().all(|ms| *ms <= 90_000), "{lasts:?}: {said}");
    }
    let last = events.last().expect("some");
    assert_eq!((&last["type"], &last["failed"]), (&json!("complete"), &json!(1)), "{last:#}");
    assert_eq!(last["unverified"], 1, "Three names no command: {last:#}");

    // Each task that is done is a commit with what it changed.
    let git = |args: &[&str]| {
        let mut git = world.place.program("git");
        let _ = git.arg("-C").arg(&worktree).args(args);
        end(git, b"").ok()
    };
    let commits = git(&["rev-list", "--count", "main..HEAD"]);
    assert_eq!(commits.trim(), "11", "{}", git(&["log", "--stat"]));
    for (name, file) in
        [("Two", "two.txt"), ("Eight", "eight.txt"), ("Eleven", "deep/er/eleven.txt")]
    {
        let made = of(name)["commits"].as_array().expect("a list");
        assert_eq!(made.len(), 1, "{name}: {run:#}");
        let commit = made[0].as_str().expect("a name");
        let files = git(&["show", "--name-only", "--format=", commit]);
        assert_eq!(files.trim(), file, "{name}");
        let diff = evidence(name)["diff"].clone();
        assert!(diff.as_str().is_some_and(|diff| diff.contains(file)), "{name}: {diff}");
    }
    let report = world.ok(&["run", "report", "r1"]);
    assert!(report.contains("Five") && report.contains("11"), "{report}");
    assert_eq!(contents(&repository), before, "the main checkout is as it was");
    until("no process is left", || world.place.children().is_empty().then_some(()));
}

#[test]
fn claude_code_works_through_a_night() {
    night("claude");
}

#[test]
fn codex_works_through_a_night() {
    night("codex");
}

#[test]
fn opencode_works_through_a_night() {
    night("opencode");
}

//! The rules of a run as they are said on the command line: where it works, what it makes of changes,
//! passes, sessions, words and commits.

use std::fs;

use serde_json::{Value, json};

use crate::place::{Place, end, until};

const PATHS: &str = "/usr/local/bin:/usr/bin:/bin";

fn tasks_of(place: &Place, run: &str) -> Vec<Value> {
    place.json(&["run", "show", run])["tasks"].as_array().expect("tasks").clone()
}

#[test]
fn a_run_in_a_worktree_ends_with_a_pull_request() {
    let place = Place::new();
    let repository = place.repository("shop");
    let dir = repository.display().to_string();
    let remote = place.path("remote.git").display().to_string();
    let _ = place.git(place.root(), &["init", "-q", "--bare", "-b", "main", &remote]);
    let _ = place.git(&repository, &["remote", "add", "origin", &remote]);
    let _ = place.git(&repository, &["push", "-q", "-u", "origin", "main"]);
    let log = place.path("gh.log");
    let text = format!(
        "#!/bin/sh\n{{ echo \"$*\"; cat; }} >>'{}'\necho https://example.org/shop/pull/7\n",
        log.display()
    );
    let gh = place.script("bin/gh", &text);
    let bin = gh.parent().expect("a folder").display().to_string();
    place.profile(&format!("{bin}:{PATHS}"), &[]);

    let tasks = place.document(
        "tasks.md",
        "- [ ] Add one [[write one.txt 1]]\n- [ ] Add two [[write two.txt 2]]\n",
    );
    let run = ["run", &tasks, "-p", "demo", "-d", &dir, "--new-worktree", "night/one", "--pr"];
    let _ = place.ok(&[&run[..], &["--pr-target", "main", "--pr-draft"]].concat());

    let shown = place.json(&["run", "show", "r1"]);
    assert_eq!(shown["pull_request"], "https://example.org/shop/pull/7", "{shown:#}");
    let asked = place.read(&log);
    let line = asked.lines().next().expect("asked");
    for word in ["pr create", "--head night/one", "--base main", "--draft"] {
        assert!(line.contains(word), "{line}");
    }
    assert!(asked.contains("Add two"), "the report is its text: {asked}");
    // Each task is a commit, in the worktree and at the remote, and the main checkout is left alone.
    let subjects =
        |reference: &str| place.git(&repository, &["log", "--reverse", "--format=%s", reference]);
    let here = subjects("night/one");
    let lines: Vec<&str> = here.lines().collect();
    assert_eq!(lines.len(), 3, "{here}");
    assert!(lines[1].starts_with("Add one") && lines[2].starts_with("Add two"), "{here}");
    assert_eq!(subjects("origin/night/one"), here);
    assert!(!repository.join("one.txt").exists());
    assert_eq!(place.git(&repository, &["status", "--porcelain"]), "");
}

#[test]
fn changes_nobody_committed_are_refused_kept_or_accepted() {
    let place = Place::new();
    let repository = place.repository("shop");
    let dir = repository.display().to_string();
    fs::write(repository.join("README.md"), "# Mine\n").expect("written");
    let tasks = place.document("tasks.md", "- [ ] One [[write README.md theirs]]\n");
    let run = ["run", &tasks, "-p", "demo", "-d", &dir];
    let _ = place.fails(8, &["README.md"], &run);
    assert_eq!(place.read(repository.join("README.md")), "# Mine\n");
    let _ = place.ok(&[&run[..], &["--dirty", "snapshot"]].concat());
    let names = place.git(&repository, &["for-each-ref", "--format=%(refname)", "refs/maestro"]);
    let start = names.lines().find(|name| name.ends_with("/start"));
    let start = start.unwrap_or_else(|| panic!("no snapshot: {names}"));
    assert_eq!(place.git(&repository, &["show", &format!("{start}:README.md")]), "# Mine");
    assert_eq!(place.read(repository.join("README.md")).trim(), "theirs");

    let more = place.document("more.md", "- [ ] Two [[write two.txt 2]]\n");
    let _ = place.fails(8, &["README.md"], &["run", &more, "-p", "demo", "-d", &dir]);
    let _ = place.ok(&["run", &more, "-p", "demo", "-d", &dir, "--dirty", "accept"]);
    assert!(repository.join("two.txt").exists());
}

#[test]
fn documents_that_are_reset_are_worked_through_again_and_stay_as_they_are() {
    let place = Place::new();
    let repository = place.repository("shop");
    let dir = repository.display().to_string();
    let text = "- [x] Before [[append log.txt before]]\n- [ ] Again [[append log.txt again]]\n";
    let tasks = place.document("tasks.md", text);
    let run = ["run", &tasks, "-p", "demo", "-d", &dir, "--reset", "--loop", "2"];
    let _ = place.ok(&run);
    assert_eq!(place.read(&tasks), text, "only copies are ticked");
    let log = place.read(repository.join("log.txt"));
    assert_eq!((log.matches("before").count(), log.matches("again").count()), (2, 2), "{log}");
    let shown = place.json(&["run", "show", "r1"]);
    assert_eq!((&shown["pass"], &shown["state"]), (&json!(2), &json!({ "ended": "completed" })));
    let passes: Vec<u64> =
        tasks_of(&place, "r1").iter().filter_map(|task| task["pass"].as_u64()).collect();
    assert_eq!(passes, [1, 1, 2, 2]);
}

#[test]
fn one_session_does_one_task_or_a_whole_document() {
    let place = Place::new();
    let repository = place.repository("shop");
    let dir = repository.display().to_string();
    let mut sessions = Vec::new();
    for (number, mode) in ["task", "document"].into_iter().enumerate() {
        let tasks = place.document(
            &format!("{mode}.md"),
            &format!("- [ ] A [[write {mode}-a.txt a]]\n- [ ] B [[write {mode}-b.txt b]]\n"),
        );
        let args = ["run", &tasks, "-p", "demo", "-d", &dir, "--mode", mode, "--dirty", "accept"];
        let _ = place.ok(&args);
        let tasks = tasks_of(&place, &format!("r{}", number + 1));
        let of = |task: &Value| task["session"].as_str().expect("a session").to_owned();
        sessions.push((of(&tasks[0]), of(&tasks[1])));
        assert!(repository.join(format!("{mode}-b.txt")).exists());
    }
    assert_ne!(sessions[0].0, sessions[0].1, "a fresh one for each task");
    assert_eq!(sessions[1].0, sessions[1].1, "one goes on");
}

#[test]
fn sessions_are_told_the_users_own_words() {
    let place = Place::new();
    let dir = place.repository("shop").display().to_string();
    let tasks = place.document("tasks.md", "- [ ] Dance [[text x]]\n");
    let words = place.document(
        "words.txt",
        "Do as I say: {{task}}\nfrom {{document_name}}, pass {{loop_number}}.\n",
    );
    let run = ["run", &tasks, "-p", "demo", "-d", &dir, "--prompt-file"];
    let _ = place.ok(&[&run[..], &[&words]].concat());
    let told = |run: &str| {
        let evidence = place.json(&["run", "evidence", run, "1"]);
        evidence["turns"][0]["prompt"].as_str().expect("a prompt").to_owned()
    };
    let prompt = told("r1");
    assert!(prompt.contains("Do as I say: Dance"), "{prompt}");
    assert!(prompt.contains("from tasks") && prompt.contains("pass 00001"), "{prompt}");
    fs::write(&tasks, "- [ ] Sing [[text x]]\n").expect("written");
    let ended =
        end(place.command([&run[..], &["-", "--dirty", "accept"]].concat()), b"Now {{task}}!");
    let _ = ended.ok();
    assert!(told("r2").contains("Now Sing"), "{}", told("r2"));
    fs::write(&tasks, "- [ ] Rest [[text x]]\n").expect("written");
    fs::write(&words, " \n").expect("written");
    let _ = place.fails(2, &["empty"], &[&run[..], &[&words]].concat());
}

#[test]
fn the_machine_is_kept_awake_while_a_run_works() {
    let mut place = Place::new();
    let repository = place.repository("shop");
    let dir = repository.display().to_string();
    let (held, released) = (place.path("held"), place.path("released"));
    let text = format!(
        "#!/bin/sh\necho \"$*\" >'{}'\ncat\necho over >'{}'\n",
        held.display(),
        released.display()
    );
    let program = place.script("bin/systemd-inhibit", &text);
    let bin = program.parent().expect("a folder").display().to_string();
    place.set("PATH", format!("{bin}:{PATHS}"));
    let tasks = place.document(
        "tasks.md",
        "- [ ] One [[bash touch began; while [ ! -e go \\]; do sleep 0.05; done]] [[text x]]\n",
    );
    let run = ["run", &tasks, "-p", "demo", "-d", &dir, "--detach", "--keep-awake"];
    let _ = place.ok(&run);
    until("the task has begun", || repository.join("began").exists().then_some(()));
    let _ = until("the machine is held awake", || {
        fs::read_to_string(&held).ok().filter(|words| words.contains("--what=idle:sleep"))
    });
    assert!(!released.exists(), "and stays so");
    fs::write(repository.join("go"), "").expect("written");
    until("it is let go", || released.exists().then_some(()));
    until("it ends", || {
        let state = place.json(&["run", "show", "r1"])["state"].clone();
        (state == json!({ "ended": "completed" })).then_some(())
    });
}

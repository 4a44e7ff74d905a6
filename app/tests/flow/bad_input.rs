//! What is broken, hostile, full or gone: a clear sentence, nothing lost, nothing hung.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::place::{PROGRAM, Place, lives, until};

impl Place {
    /// A run's state once it says how it ended.
    #[track_caller]
    fn ended(&self, run: &str) -> Value {
        until("the run ends", || {
            let run = self.json(&["run", "show", run]);
            (run["state"]["ended"] != Value::Null).then_some(run)
        })
    }

    /// Why a run waits for its user.
    #[track_caller]
    fn needed(&self, run: &str) -> String {
        until("it waits for its user", || {
            let run = self.json(&["run", "show", run]);
            assert!(run["state"]["ended"].is_null(), "{run:#}");
            run["state"]["paused"]["needed"].as_str().map(str::to_owned)
        })
    }

    /// A program in the user's PATH that claims to be Codex and then does something else.
    fn codex(&self, does: &str) {
        let text = format!(
            "#!/bin/sh\n[ \"$1\" = --version ] && {{ echo codex-cli 0.169.0; exit; }}\n{does}\n"
        );
        let _ = self.script("bin/codex", &text);
        self.profile(&format!("{}:/usr/bin:/bin", self.path("bin").display()), &[]);
    }

    /// The most memory the host has had so far, in MiB.
    fn peak(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.host().expect("a host")));
        let status = status.expect("read");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("told");
        line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") / 1024
    }
}

// Documents.

#[test]
fn documents_that_are_none_are_refused_before_anything_begins() {
    let place = Place::new();
    let repository = place.repository("shop");
    let dir = repository.display().to_string();
    let refused = |words: &[&str], file: &Path| {
        let file = file.display().to_string();
        let ended = place.run(&["run", &file, "-p", "demo", "-d", &dir]);
        assert!(matches!(ended.code, Some(1 | 8)), "{ended}");
        let _ = ended.fails(ended.code.unwrap_or_default(), words);
    };
    refused(&["gone.md", "cannot be read"], &place.path("gone.md"));
    refused(&["shop"], &repository);
    let path = place.path("latin.md");
    fs::write(&path, b"- [ ] Fine\n- [ ] Caf\xe9\n").expect("written");
    refused(&["latin.md", "UTF-8", "line 2"], &path);
    let path = place.path("binary.md");
    fs::write(&path, fs::read(PROGRAM).map(|bytes| bytes[..100_000].to_vec()).expect("read"))
        .expect("written");
    refused(&["binary.md", "UTF-8"], &path);
    let path = place.path("huge.md");
    fs::write(&path, "- [ ] again and again\n".repeat(800_000)).expect("written");
    refused(&["huge.md", "split it"], &path);
    let path = place.path("empty.md");
    fs::write(&path, "").expect("written");
    refused(&["no task"], &path);
    let path = place.path("done.md");
    fs::write(&path, "- [x] Done\n").expect("written");
    refused(&["nothing to do"], &path);
    let path = place.path("pipe.md");
    let made = Command::new("mkfifo").arg(&path).status();
    assert!(made.is_ok_and(|status| status.success()));
    refused(&["pipe.md"], &path);
    refused(&["/dev/zero"], Path::new("/dev/zero"));
    assert_eq!(place.run(&["run", "list", "--json"]).ok(), "[]");
    assert_eq!(place.git(&repository, &["status", "--porcelain"]), "");
}

#[test]
fn a_document_that_may_not_be_read_is_said_in_a_sentence() {
    if !rustix::process::geteuid().is_root() {
        let place = Place::new();
        return unreadable(&place);
    }
    // Root may read everything; somebody else may not.
    let as_user = ["setpriv", "--reuid", "1000", "--regid", "1000", "--clear-groups", "--"];
    let works = Command::new(as_user[0]).args(&as_user[1..]).args([PROGRAM, "--version"]).output();
    if !works.is_ok_and(|output| output.status.success()) {
        eprintln!(
            "SKIPPED: an unreadable document: root reads everything, and nobody else can run {PROGRAM}"
        );
        return;
    }
    let mut place = Place::new();
    let given = Command::new("chown").args(["-R", "1000:1000"]).arg(place.root()).status();
    assert!(given.is_ok_and(|status| status.success()));
    place.enter(as_user.map(Into::into).to_vec());
    unreadable(&place);
}

fn unreadable(place: &Place) {
    use std::os::unix::fs::PermissionsExt;
    let file = place.document("secret.md", "- [ ] Task\n");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).expect("closed");
    let dir = place.user().display().to_string();
    let _ = place.fails(
        1,
        &["secret.md", "ermission denied"],
        &["run", &file, "-p", "demo", "-d", &dir],
    );
}

/// A repository, a document whose first task waits for the file `go`, and the run of it.
fn held(place: &Place, rest: &str) -> (PathBuf, String) {
    let repository = place.repository("shop");
    let wait = "touch started; while [ ! -e go \\]; do sleep 0.05; done";
    let document = place.document("tasks.md", &format!("- [ ] First [[bash {wait}]]\n{rest}"));
    let dir = repository.display().to_string();
    assert_eq!(place.ok(&["run", &document, "-p", "demo", "-d", &dir, "--detach"]), "r1");
    until("the task runs", || repository.join("started").exists().then_some(()));
    (repository, document)
}

#[test]
fn what_a_person_writes_into_a_document_meanwhile_is_kept_and_done() {
    let place = Place::new();
    let (repository, document) = held(&place, "- [ ] Second [[write second.txt 2]]\n");
    let text = place.read(&document);
    let edited = format!(
        "# A heading, by hand\r\n\n- [ ] New [[write new.txt n]]\n\nWords with ünïcode.\n\n\
         {text}\n\n  Trailing blanks   \n- [ ] Last [[write last.txt l]]"
    );
    fs::write(&document, &edited).expect("written");
    fs::write(repository.join("go"), "").expect("written");
    let run = place.ended("r1");
    assert_eq!(run["state"], json!({ "ended": "completed" }), "{run:#}");
    assert_eq!(place.read(&document), edited.replace("- [ ]", "- [x]"));
    for file in ["new.txt", "second.txt", "last.txt"] {
        assert!(repository.join(file).exists(), "{file}");
    }
}

#[test]
fn a_document_that_is_deleted_pauses_the_run_with_a_sentence() {
    let place = Place::new();
    let (repository, document) = held(&place, "- [ ] Second [[write second.txt 2]]\n");
    fs::remove_file(&document).expect("deleted");
    fs::write(repository.join("go"), "").expect("written");
    let because = place.needed("r1");
    assert!(because.contains("tasks.md"), "{because}");
    assert!(!Path::new(&document).exists(), "it is not made anew");
    assert!(!repository.join("second.txt").exists());
    // The directory is free when its user has given up.
    let _ = place.ok(&["run", "stop", "r1"]);
    let _ = place.ended("r1");
    let other = place.document("other.md", "- [ ] Other [[write other.txt o]]\n");
    let _ = place.ok(&["run", &other, "-p", "demo", "-d", &repository.display().to_string()]);
}

#[test]
fn a_document_that_becomes_something_else_is_left_alone() {
    let place = Place::new();
    let (repository, document) = held(&place, "- [ ] Second [[write second.txt 2]]\n");
    fs::write(&document, b"- [ ] First\n\xff\xfe\n").expect("written");
    fs::write(repository.join("go"), "").expect("written");
    let because = place.needed("r1");
    assert!(because.contains("UTF-8") && because.contains("tasks.md"), "{because}");
    assert_eq!(fs::read(&document).expect("there"), b"- [ ] First\n\xff\xfe\n");
}

#[test]
fn a_task_that_somebody_takes_out_is_not_ticked_elsewhere() {
    let place = Place::new();
    let (repository, document) = held(&place, "- [ ] Second [[write second.txt 2]]\n");
    fs::write(&document, "- [ ] Quite another thing [[write other.txt o]]\n").expect("written");
    fs::write(repository.join("go"), "").expect("written");
    let run = place.ended("r1");
    let text = place.read(&document);
    let first = run["tasks"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|task| task["text"].as_str().is_some_and(|text| text.starts_with("First")));
    assert_eq!(first.map(|task| &task["state"]), Some(&json!("failed")), "{run:#}\n{text}");
    let done = repository.join("other.txt").exists();
    assert_eq!(text.contains("[x]"), done, "ticked only for its own work: {text}");
    assert!(!repository.join("second.txt").exists());
}

// Repositories.

#[test]
fn a_repository_that_vanishes_is_said_everywhere_and_the_rest_goes_on() {
    let place = Place::new();
    let kept = place.repository("kept").display().to_string();
    let _ = place.ok(&["agent", "new", "kept", "-p", "demo", "-d", &kept]);
    let (repository, _) = held(&place, "- [ ] Second [[write second.txt 2]]\n");
    let dir = repository.display().to_string();
    let _ = place.ok(&["agent", "new", "lost", "-p", "demo", "-d", &dir, "--no-start"]);
    // Something writes into it until it is gone for good.
    until("it is deleted", || {
        fs::remove_dir_all(&repository).ok().or_else(|| (!repository.exists()).then_some(()))
    });
    let _ = place.ok(&["run", "stop", "r1"]);
    until("its processes see that there is nothing to wait for", || {
        if place.json(&["run", "show", "r1"])["state"]["ended"] != Value::Null {
            return Some(());
        }
        // The task waits for a file in a folder that is no more.
        place.run(&["run", "kill", "r1"]).code.map(drop)
    });
    let run = place.ended("r1");
    assert_ne!(run["state"]["ended"], "completed", "{run:#}");
    let _ = place.fails(1, &["shop"], &["agent", "open", "lost"]);
    let _ = place.fails(1, &["shop"], &["worktree", "list", &dir]);
    let _ = place.fails(1, &["shop"], &["terminal", "new", "-d", &dir, "--", "true"]);
    let _ = place.fails(1, &["shop"], &["agent", "new", "x", "-p", "demo", "-d", &dir]);
    let tasks = place.document("more.md", "- [ ] x\n");
    let _ = place.fails(1, &["shop"], &["run", &tasks, "-p", "demo", "-d", &dir]);
    assert_eq!(place.json(&["agent", "show", "lost"])["name"], "lost");
    let _ = place.ok(&["agent", "remove", "lost"]);
    assert!(place.json(&["agent", "show", "kept"])["ai_terminal"].is_string());
    let _ = place.shows("kept", "emo");
}

#[test]
fn a_repository_that_its_own_task_deletes_ends_the_run_with_a_sentence() {
    let place = Place::new();
    let repository = place.repository("shop");
    let dir = repository.display().to_string();
    let tasks = place.document(
        "tasks.md",
        "- [ ] Destroys [[bash rm -rf \"$PWD\"]]\n- [ ] Second [[write second.txt 2]]\n",
    );
    let ended = place.run(&["run", &tasks, "-p", "demo", "-d", &dir]);
    let _ = ended.code.filter(|code| *code == 1).unwrap_or_else(|| panic!("{ended}"));
    let run = place.ended("r1");
    let because = run["state"]["ended"]["failed"].as_str().unwrap_or_else(|| panic!("{run:#}"));
    assert!(because.contains("shop"), "{because}");
    assert!(place.read(&tasks).contains("- [ ] Second"));
    assert!(!repository.exists(), "it is not made anew");
}

// Disks.

/// Leaves no byte free.
fn fill(disk: &Path) {
    use std::io::Write as _;
    let mut file = fs::File::create(disk.join("fill")).expect("made");
    for size in [1 << 16, 4096, 1] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
}

fn free(disk: &Path) {
    fs::remove_file(disk.join("fill")).expect("removed");
}

#[test]
fn a_box_that_does_not_fit_on_the_disk_is_ticked_when_there_is_room() {
    let mut place = Place::new();
    let Some(disk) = place.disk("disk", 4) else { return };
    let repository = place.repository("shop");
    let dir = repository.display().to_string();
    let document = disk.join("tasks.md");
    let wait = "touch started; while [ ! -e go \\]; do sleep 0.05; done";
    let text = format!("- [ ] First [[bash {wait}]]\n- [ ] Second [[write second.txt 2]]\n");
    fs::write(&document, &text).expect("written");
    let file = document.display().to_string();
    let _ = place.ok(&["run", &file, "-p", "demo", "-d", &dir, "--detach"]);
    until("the task runs", || repository.join("started").exists().then_some(()));
    fill(&disk);
    fs::write(repository.join("go"), "").expect("written");
    let run = until("it waits, or did without room", || {
        let run = place.json(&["run", "show", "r1"]);
        (run["state"]["waiting"].is_object() || run["state"]["ended"] != Value::Null).then_some(run)
    });
    let now = fs::read_to_string(&document).expect("there");
    assert!(now == text || now == text.replace("[ ]", "[x]"), "nothing is lost: {now:?}");
    if run["state"]["waiting"].is_object() {
        let because = run["state"]["waiting"]["because"].as_str().unwrap_or_default();
        assert!(because.contains("space") && because.contains("tasks.md"), "{run:#}");
        free(&disk);
    }
    assert_eq!(place.ended("r1")["state"], json!({ "ended": "completed" }));
    assert_eq!(fs::read_to_string(&document).expect("there"), text.replace("[ ]", "[x]"));
}

#[test]
fn a_host_without_room_refuses_in_a_sentence_and_loses_nothing() {
    let mut place = Place::new();
    let Some(disk) = place.disk("disk", 8) else { return };
    place.lives_at(disk.join("maestro"));
    let dir = place.repository("shop").display().to_string();
    let _ = place.ok(&["agent", "new", "first", "-p", "demo", "-d", &dir]);
    let _ = place.shows("first", "emo");
    fill(&disk);
    // What fits into what is open already may still succeed; what does not has to say so.
    let mut refused = None;
    for number in 0..400 {
        let name = format!("{}{number}", "x".repeat(50));
        let ended = place.run(&["agent", "new", &name, "-p", "demo", "-d", &dir, "--no-start"]);
        if ended.code != Some(0) {
            refused = Some(ended);
            break;
        }
    }
    let refused = refused.expect("a full disk takes nothing for ever");
    let sentence = refused.fails(1, &[]);
    assert!(sentence.contains("full") || sentence.contains("space"), "{sentence}");
    let count = place.json(&["agent", "list"]).as_array().map(Vec::len);
    let _ = place.shows("first", "emo");
    free(&disk);
    let _ = place.ok(&["agent", "new", "after", "-p", "demo", "-d", &dir, "--no-start"]);
    let _ = place.ok(&["host", "stop"]);
    let _ = place.ok(&["agent", "open", "first"]);
    let now = place.json(&["agent", "list"]).as_array().map(Vec::len);
    assert_eq!(now, count.map(|count| count + 1), "what was said to be there is there");
    let _ = place.ok(&["host", "stop"]);
}

#[test]
fn a_host_that_cannot_start_says_why() {
    let place = Place::new();
    // A database that is none.
    place.home().create().expect("made");
    fs::write(
        place.home().database(),
        "this is not a database, and long enough to be one\n".repeat(100),
    )
    .expect("written");
    let before = fs::read(place.home().database()).expect("read");
    let _ = place.fails(1, &["maestro.db"], &["terminal", "new", "--", "true"]);
    assert_eq!(fs::read(place.home().database()).expect("read"), before, "nothing is thrown away");
    // A disk without a byte.
    let mut place = Place::new();
    let Some(disk) = place.disk("disk", 1) else { return };
    place.lives_at(disk.join("maestro"));
    fs::create_dir(disk.join("maestro")).expect("made");
    fill(&disk);
    let sentence = place.fails(1, &[], &["terminal", "new", "--", "true"]);
    assert!(sentence.contains("space") || sentence.contains("full"), "{sentence}");
}

// Providers.

#[test]
fn a_provider_that_is_not_there_is_refused_with_what_to_do() {
    let place = Place::new();
    let dir = place.repository("shop").display().to_string();
    let tasks = place.document("tasks.md", "- [ ] x\n");
    for provider in ["claude", "codex", "opencode", "droid"] {
        let _ = place.fails(4, &["install"], &["agent", "new", "-p", provider, "-d", &dir]);
        let _ = place.fails(4, &["install"], &["run", &tasks, "-p", provider, "-d", &dir]);
    }
    assert_eq!(place.json(&["agent", "list"]), json!([]));
    assert_eq!(place.json(&["worktree", "list", &dir]).as_array().map(Vec::len), Some(1));
    let _ =
        place.fails(4, &["install"], &["agent", "new", "-p", "codex", "-d", &dir, "-B", "left"]);
    assert_eq!(
        place.json(&["worktree", "list", &dir]).as_array().map(Vec::len),
        Some(1),
        "no folder is left behind"
    );
}

#[test]
fn a_provider_that_misbehaves_fails_its_task_and_nothing_else() {
    let wrongs = [
        ("says nothing and succeeds", "exit 0"),
        ("says nothing and fails", "exit 3"),
        ("dies", "kill -SEGV $$"),
        ("prints garbage", "head -c 300000 /dev/urandom; exit 0"),
        ("prints garbage on stderr", "head -c 300000 /dev/urandom >&2; exit 1"),
        (
            "prints what looks like events",
            "i=0; while [ $i -lt 200 ]; do echo '{\"type\":[{}],\"item\":null}'; echo '{\"type\":'; i=$((i+1)); done",
        ),
        ("closes everything and stays", "exec <&- >&- 2>&-; sleep 600"),
        ("never answers", "exec sleep 600"),
        ("never answers and will not go", "trap '' INT TERM HUP; while :; do sleep 1; done"),
        ("leaves something behind", "(trap '' HUP TERM; exec setsid sleep 600) & exit 0"),
    ];
    let place = Place::new();
    // All of them at once, each in a directory that says what it does, and a good one beside them.
    place.codex(". \"$PWD.sh\"");
    let before = "- [ ] It\n  - verify: true\n";
    let wrongs: Vec<_> = wrongs
        .into_iter()
        .enumerate()
        .map(|(number, (name, does))| {
            let dir = place.repository(&format!("shop{number}")).display().to_string();
            let _ = place.document(&format!("shop{number}.sh"), does);
            let tasks = place.document(&format!("tasks{number}.md"), before);
            let run = ["run", &tasks, "-p", "codex", "-d", &dir, "--attempts", "1", "--detach"];
            let limits = ["--yes", "--silence-timeout", "2", "--turn-timeout", "5"];
            let run = place.ok(&[&run[..], &limits].concat());
            (name, tasks, run)
        })
        .collect();
    let dir = place.repository("good").display().to_string();
    let good = place.document("good.md", "- [ ] Good [[write good.txt yes]]\n");
    let _ = place.ok(&["run", &good, "-p", "demo", "-d", &dir]);
    for (name, tasks, run) in wrongs {
        let run = place.ended(&run);
        assert_eq!(run["state"], json!({ "ended": "with_failures" }), "{name}: {run:#}");
        assert_eq!(place.read(&tasks), before, "{name}");
        let because = run["tasks"][0]["because"].as_str().unwrap_or_default();
        assert!(because.len() > 8 && because.len() < 2000, "{name}: {run:#}");
        assert!(!because.chars().any(char::is_control), "{name}: {because:?}");
    }
    until("no process is left", || place.children().is_empty().then_some(()));
}

#[test]
fn a_provider_that_floods_holds_up_nobody() {
    for does in [
        "exec yes '{\"type\":\"item.completed\",\"item\":{\"type\":\"agent_message\",\"text\":\"again\"}}'",
        "exec tr '\\0' x < /dev/zero",
        "exec yes error >&2",
    ] {
        let place = Place::new();
        let dir = place.repository("shop").display().to_string();
        place.codex(does);
        let tasks = place.document("tasks.md", "- [ ] It\n");
        let run = [
            "run",
            &tasks,
            "-p",
            "codex",
            "-d",
            &dir,
            "--attempts",
            "1",
            "--turn-timeout",
            "4",
            "--detach",
        ];
        let _ = place.ok(&run);
        until("it floods", || {
            place
                .children()
                .iter()
                .any(|(_, line)| line.starts_with("yes") || line.starts_with("tr"))
                .then_some(())
        });
        let asked = Instant::now();
        let id = place.ok(&["terminal", "new", "--", "sh", "-c", "echo here; sleep 600"]);
        let _ = place.shows(&id, "here");
        assert!(asked.elapsed() < Duration::from_secs(30), "{does}: {:?}", asked.elapsed());
        let run = place.ended("r1");
        assert_eq!(run["state"], json!({ "ended": "with_failures" }), "{run:#}");
        assert!(place.peak() < 700, "{does}: the host grew to {} MiB", place.peak());
    }
}

// Terminals.

#[test]
fn a_child_that_ignores_every_request_is_ended() {
    let place = Place::new();
    let stubborn = "trap '' HUP TERM INT; (trap '' HUP TERM; exec setsid sh -c 'echo \"child $$\"; while :; do sleep 1; done') & \
                    echo ready; while :; do sleep 1; done";
    let start = || {
        let id = place.ok(&["terminal", "new", "--", "sh", "-c", stubborn]);
        let _ = place.shows(&id, "ready");
        let _ = place.shows(&id, "child");
        id
    };
    let id = start();
    let all: Vec<i32> = place.children().into_iter().map(|(pid, _)| pid).collect();
    assert!(all.len() >= 2, "{all:?}");
    let _ = place.ok(&["terminal", "close", &id]);
    until("all of them are gone", || (!all.iter().any(|pid| lives(*pid))).then_some(()));
    assert_eq!(place.json(&["terminal", "list"]), json!([]));

    let _ = start();
    let all: Vec<i32> = place.children().into_iter().map(|(pid, _)| pid).collect();
    let _ = place.ok(&["host", "stop"]);
    assert!(
        !all.iter().any(|pid| lives(*pid)),
        "the host leaves nothing behind: {:?}",
        place.children()
    );
}

#[test]
fn a_terminal_that_floods_holds_up_nobody_and_is_bounded() {
    let place = Place::new();
    let loud: Vec<String> = (0..3)
        .map(|_| {
            place.ok(&[
                "terminal",
                "new",
                "--",
                "sh",
                "-c",
                "yes \"$(head -c 3000 /dev/zero | tr '\\0' x)\"",
            ])
        })
        .collect();
    let quiet = place.ok(&["terminal", "new", "--", "cat"]);
    let asked = Instant::now();
    let _ = place.ok(&["terminal", "send", &quiet, "are you there", "--enter"]);
    let _ = place.shows(&quiet, "are you there\nare you there");
    assert!(asked.elapsed() < Duration::from_secs(30));
    let _ = place.shows(&loud[0], "xxxx");
    // Control sequences that ask for the impossible, and half ones.
    let hostile = r"printf '\033[99999999999;99999999999H\033[4294967295b\033]0;'; head -c 3000000 /dev/zero | tr '\0' a; printf '\007\033P+q\033[?1049h\033[999999X\033[5;1r\033[99999L'; echo; echo survived; sleep 600";
    let id = place.ok(&["terminal", "new", "--", "sh", "-c", hostile]);
    let _ = place.shows(&id, "survived");
    assert!(place.peak() < 900, "the host grew to {} MiB", place.peak());
    for id in loud {
        let _ = place.ok(&["terminal", "close", &id]);
    }
    let _ = place.shows(&quiet, "are you there");
}

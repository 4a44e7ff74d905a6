//! Every command that there is, with `--json`: what it prints is JSON, or nothing.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::place::{Place, until};

/// Those whose output is another thing, or that end when somebody closes a window.
const OTHERS: [(&str, &str); 9] = [
    ("term", "a window"),
    ("show", "a window"),
    ("hide", "a window"),
    ("toggle", "a window"),
    ("prompt", "a window"),
    ("screenshot", "a picture"),
    ("completions", "a script for a shell"),
    ("man", "a page for `man`"),
    ("demo", "tried with runs, and made of their output"),
];

/// What is tried, one after another: what begins with `?` may be refused, depending on how far something
/// is. `$D` is a repository, `$F` a folder, `$S` a stored session.
const STEPS: &[&str] = &[
    "settings path",
    "settings check",
    "settings list",
    "settings set terminal.scrollback 5000",
    "settings set terminal.scrollback 6000 --agent a1",
    "settings get terminal.scrollback --agent a1",
    "settings list --changed paste",
    "settings reset terminal.scrollback",
    "settings reset --all --agent a1",
    "commands",
    "?do palette",
    "keymap path",
    "keymap check",
    "keymap set agent.stop F13",
    "keymap list",
    "keymap export",
    "keymap reset agent.stop",
    "?keymap import $F",
    "theme path",
    "theme list",
    "theme show Matinee",
    "theme check",
    "theme set system",
    "?theme import $F/list.md",
    "notices",
    "notices read",
    "notices clear",
    "?notices test",
    "doctor",
    "?import $F --dry-run",
    "worktree list $D",
    "worktree new side -r $D",
    "?worktree bases ma -r $D",
    "worktree du $D",
    "worktree prune $D",
    "worktree repair -r $D",
    "?worktree fill $D",
    "?worktree stop $D",
    "?worktree adopt $D",
    "?worktree ignore $D",
    "?worktree trust $D",
    "?worktree open $F",
    "worktree snapshot $D -m before",
    "worktree snapshots $D",
    "worktree restore s1",
    "?worktree remove $F",
    "worktree trash list",
    "?worktree trash restore s9",
    "?worktree trash purge s9 --yes",
    "?conflicts -r $D",
    "diff $D",
    "diff $D --stat",
    "diff $D --staged",
    "diff $D --discards",
    "?diff $D --undo",
    "trust $D",
    "log $D",
    "blame $D README.md 1",
    "branch list $D",
    "?branch switch $D side-2 --create",
    "?fetch $D",
    "?pull $D",
    "?push $D",
    "?train plan -r $D",
    "?train run -r $D",
    "train list",
    "?train show m1",
    "?train stop m1",
    "?train resume m1",
    "?train abort m1",
    "?train undo m1",
    "?race show side -r $D",
    "?race take side 1 -r $D",
    "?pr create $D",
    "?pr status $D",
    "agent new it -p demo -d $D --no-start",
    "agent list",
    "agent show it",
    "agent group it --to front",
    "agent bookmark it",
    "agent move it",
    "agent send it --wait [[text one]]",
    "agent send it --wait --jsonl [[text two]]",
    "agent tabs it",
    "agent why it",
    "agent clipboard it ask",
    "usage",
    "usage --by agent",
    "queue hold it",
    "agent send it [[text three]]",
    "agent send it [[text four]]",
    "queue list",
    "?queue edit q3 other words",
    "?queue move q4 --first",
    "?queue remove q3",
    "?queue restore q3",
    "?queue send q4",
    "queue release it",
    "agent send it [[slow 30]] [[text a long one]]",
    "?agent interrupt it",
    "?agent retry it",
    "?agent resume it --alone off",
    "?agent approve it",
    "?agent deny it",
    "?agent open it",
    "sessions index --wait",
    "sessions list",
    "sessions search one",
    "sessions search --tools one",
    "sessions show $S",
    "sessions export $S -o $F/export.md",
    "sessions star $S",
    "sessions tag $S some words",
    "sessions title $S name",
    "?sessions trash $S",
    "?sessions restore $S",
    "?sessions resume $S --conversation",
    "terminal new -d $D -- /bin/sh",
    "terminal list",
    "terminal show t1",
    "terminal send t1 ls",
    "terminal search t1 a",
    "terminal paste t1 $D/README.md",
    "?terminal copy-output t1",
    "terminal resize t1 90x30",
    "terminal clear t1",
    "terminal reset t1",
    "terminal export t1 $F/out.txt",
    "terminal stats",
    "terminal close t1",
    "playbook list $D",
    "playbook new tidy -d $D",
    "playbook show tidy -d $D",
    "?playbook check $F/list.md",
    "playbook export tidy -d $D -o $F/tidy.zip",
    "playbook import $F/tidy.zip -d $D --as again",
    "?run $F/list.md -d $D --agent it --detach",
    "run list",
    "?run show r1",
    "?run pause r1",
    "?run resume r1",
    "?run skip r1",
    "?run stop r1",
    "?run kill r1",
    "?run watch r1",
    "?run retry r1 1",
    "?run undo r1 1",
    "?run evidence r1 1",
    "?run report r1",
    "list",
    "host status",
    "agent stop it",
    "agent remove it",
    "host stop",
];

/// The commands below one, by its own help.
fn below(place: &Place, path: &[&str]) -> Vec<String> {
    let help = place.ok(&[path, &["--help"]].concat());
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let lines = lines.take_while(|line| !line.is_empty());
    let names =
        lines.filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')));
    names.filter_map(|line| Some(line.split_whitespace().next()?.to_owned())).collect()
}

/// Commands that do something themselves.
fn all(place: &Place) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for name in below(place, &[]) {
        let inner = below(place, &[&name]);
        for verb in &inner {
            let deeper = below(place, &[&name, verb]);
            for last in &deeper {
                let path = format!("{name} {verb} {last}");
                assert!(
                    below(place, &[&name, verb, last]).is_empty(),
                    "{path} has commands of its own"
                );
                let _ = all.insert(path);
            }
            if deeper.is_empty() {
                let _ = all.insert(format!("{name} {verb}"));
            }
        }
        if inner.is_empty() {
            let _ = all.insert(name);
        }
    }
    all
}

/// Whether something is one value, or one in each line.
fn is_json(text: &str) -> bool {
    let one = serde_json::from_str::<Value>(text).is_ok();
    one || text.lines().all(|line| serde_json::from_str::<Value>(line).is_ok())
}

#[test]
fn what_every_command_prints_as_json_is_json() {
    let mut place = Place::new();
    let kept = place.path("demo-agent");
    place.set("MAESTRO_DEMO_HOME", kept);
    let directory = place.repository("shop").display().to_string();
    let folder = place.path("files");
    std::fs::create_dir_all(&folder).expect("made");
    let folder = folder.display().to_string();
    std::fs::write(format!("{folder}/list.md"), "- [ ] One [[text one]]\n").expect("written");
    let mut left = all(&place);
    for (name, _) in OTHERS {
        assert!(left.remove(name), "there is no `{name}` any more");
    }
    let mut session = String::new();
    let mut wrong = Vec::new();
    for step in STEPS {
        if step.contains("$S") && session.is_empty() {
            session = until("the session is found", || {
                let found = place.json(&["sessions", "list"]);
                found["sessions"][0]["id"].as_str().map(str::to_owned)
            });
        }
        let (may_fail, step) = step.strip_prefix('?').map_or((false, *step), |step| (true, step));
        // What is said to an agent is one word.
        let (words, said) = step.split_once(" [[").map_or((step, None), |(a, b)| (a, Some(b)));
        let said = said.map(|said| format!("[[{said}"));
        let words: Vec<String> = words
            .split(' ')
            .map(|word| {
                word.replace("$D", &directory).replace("$F", &folder).replace("$S", &session)
            })
            .chain(said)
            .collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let ended = place.run(&[&["--json"], &words[..]].concat());
        // Whatever is refused is told in a sentence beside it.
        let done = ended.code == Some(0);
        let fits = if may_fail { done || !ended.stderr.is_empty() } else { done };
        let mistaken = ended.stderr.contains("Usage:");
        if mistaken || !is_json(&ended.stdout) || !fits {
            wrong.push(format!("{step}: {:?}\n{}\n{}", ended.code, ended.stdout, ended.stderr));
        }
        left.retain(|name| step != name && !step.starts_with(&format!("{name} ")));
    }
    assert!(wrong.is_empty(), "no JSON:\n{}", wrong.join("\n"));
    assert!(left.is_empty(), "commands without a step here: {left:?}");
}

#[test]
fn what_is_no_json_is_seen() {
    for (text, expected) in [
        ("", true),
        ("{\n \"a\": 1\n}", true),
        ("{\"a\":1}\n{\"b\":2}", true),
        ("a1", false),
        ("{\"a\":1}\nand more", false),
    ] {
        assert_eq!(is_json(text), expected, "{text}");
    }
}

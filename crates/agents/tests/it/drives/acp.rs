//! Conversations over the Agent Client Protocol with the real OpenCode, and what Factory Droid, of which
//! every turn is a program of its own, may do.

use super::*;

/// Tries every way to write that it has.
const WRITES: [&str; 4] = [
    "[[write planned.txt hi]] [[text No.]]",
    "[[bash echo hi > sneaky.txt]] [[text No.]]",
    "[[bash touch sneaky2.txt]] [[text No.]]",
    "[[edit README.md demo => changed]] [[text No.]]",
];

fn opencode() -> Option<Real> {
    Real::new(Provider::OpenCode)
}

fn tries() -> Vec<Value> {
    WRITES.iter().flat_map(|prompt| [say(prompt), ended()]).collect()
}

fn still_as_it_was(real: &Real) {
    nothing_was_written(real);
    assert_eq!(real.file("README.md").as_deref(), Some("# demo\n"), "{}", real.provider);
}

#[test]
fn opencode_does_what_is_allowed_and_nothing_else() {
    let Some(real) = opencode() else { return };
    let told = real.talk(
        &[],
        &[
            say("[[think Hm.]] [[write yes.txt allowed]] [[bash echo ran > ran.txt; exit 3]] [[text Done.]]"),
            ended(),
            answer("deny"),
            say("[[write no.txt refused]] [[text Done.]]"),
            ended(),
            say("[[bash echo ran > never.txt]] [[text Done.]]"),
            ended(),
        ],
    );
    assert_eq!(real.file("yes.txt").as_deref().map(str::trim), Some("allowed"));
    assert_eq!(real.file("ran.txt").as_deref(), Some("ran\n"));
    assert_eq!((real.file("no.txt"), real.file("never.txt")), (None, None));
    let asks: Vec<&str> = told
        .events("Request")
        .iter()
        .filter_map(|request| request["ask"].as_object()?.keys().next().map(String::as_str))
        .collect();
    assert_eq!(asks, ["edit", "command", "edit", "command"]);
    let change = &told.events("Request")[0]["ask"]["edit"][0];
    assert_eq!(
        (&change["path"], &change["kind"], &change["added"]),
        (&json!("yes.txt"), &json!("add"), &json!(1))
    );
    let last: std::collections::BTreeMap<&str, &str> = told
        .bodies("tool")
        .into_iter()
        .filter_map(|tool| Some((tool["title"].as_str()?, tool["state"].as_str()?)))
        .collect();
    assert_eq!(last.get("yes.txt"), Some(&"done"), "{last:?}");
    assert_eq!(last.get("echo ran > ran.txt; exit 3"), Some(&"failed"), "{last:?}");
    assert_eq!(last.get("no.txt"), Some(&"denied"), "{last:?}");
    assert_eq!(told.bodies("thinking"), [&json!("Hm.")]);
    // Why it was refused is said to the model in the same turn.
    assert_eq!(told.ends().len(), 3);
    assert!(told.ends()[1]["text"].as_str().is_some_and(|text| text.contains("The user said no.")));
    let usage = &told.ends()[0]["usage"];
    assert!(usage["input_tokens"].as_u64() > Some(0) && usage["cost_usd"].as_f64() > Some(0.0));
    assert!(!told.events("Context").is_empty());
}

#[test]
fn opencode_remembers_what_is_always_allowed() {
    let Some(real) = opencode() else { return };
    let told = real.talk(
        &[],
        &[
            answer("always"),
            say("[[bash touch again.txt]] [[text Done.]]"),
            ended(),
            say("[[bash touch again.txt]] [[text Done.]]"),
            ended(),
        ],
    );
    assert_eq!(told.events("Request").len(), 1, "{:#?}", told.events("Request"));
    assert!(told.events("Request")[0]["always"].is_string());
}

#[test]
fn opencode_that_may_only_read_does_not_write_through_the_shell() {
    for hostile in [false, true] {
        let Some(real) = opencode() else { return };
        if hostile {
            allow_everything(&real);
        }
        let mut orders = tries();
        orders.extend([say("[[read README.md]] [[text Read.]]"), ended()]);
        let told = real.talk(&["--policy", "read_only"], &orders);
        still_as_it_was(&real);
        assert!(told.events("Request").is_empty(), "nobody is to be asked: {:#?}", told.0);
        let read = told.bodies("tool").into_iter().any(|tool| {
            tool["state"] == "done"
                && tool["output"].as_str().is_some_and(|it| it.contains("# demo"))
        });
        assert!(read, "it may read: {:#?}", told.bodies("tool"));
    }
}

/// A user who allowed everything, in every place where that can be done.
fn allow_everything(real: &Real) {
    let all = json!({ "*": "allow", "bash": "allow", "edit": "allow" });
    let file = real.home.path().join(".config/opencode/opencode.json");
    let mut config: Value = serde_json::from_str(&text(&file)).expect("the home has one");
    config["permission"] = all.clone();
    config["default_agent"] = "mine".into();
    config["agent"] = json!({
        "mine": { "mode": "primary", "permission": all },
        "build": { "permission": all },
        "plan": { "permission": all },
    });
    fs::write(&file, config.to_string()).expect("written");
    let own = json!({ "permission": all, "agent": { "plan": { "permission": all } } });
    fs::write(real.project().join("opencode.json"), own.to_string()).expect("written");
}

/// Rules of an agent of the user's own win over those for all, and a command may choose it.
#[test]
fn opencode_that_may_only_read_does_not_write_as_an_agent_of_its_users() {
    let Some(real) = opencode() else { return };
    allow_everything(&real);
    let folder = real.project().join(".opencode");
    for (name, text) in [
        (
            "agent/scribe.md",
            "---\nmode: primary\npermission:\n  \"b*\": allow\n  edit: allow\n---\nWrite.\n",
        ),
        ("command/go.md", "---\nagent: mine\n---\n$ARGUMENTS\n"),
        ("command/scribe.md", "---\nagent: scribe\n---\n$ARGUMENTS\n"),
    ] {
        fs::create_dir_all(folder.join(name).parent().expect("a folder")).expect("made");
        fs::write(folder.join(name), text).expect("written");
    }
    let mut orders = Vec::new();
    for command in ["go", "scribe"] {
        for prompt in WRITES {
            orders.extend([say(&format!("/{command} {prompt}")), ended()]);
        }
    }
    let told = real.talk(&["--policy", "read_only"], &orders);
    still_as_it_was(&real);
    assert_eq!(told.ends().len(), orders.len() / 2, "{:#?}", told.0);
    assert!(told.events("Request").is_empty(), "nobody is to be asked: {:#?}", told.0);
    // They are the user's own where more is allowed.
    let told = real.talk(
        &["--policy", "bypass"],
        &[say("/scribe [[bash echo hi > loud.txt]] [[text Done.]]"), ended()],
    );
    assert_eq!(real.file("loud.txt").as_deref(), Some("hi\n"), "{:#?}", told.0);
}

#[test]
fn opencode_changes_its_policy_as_it_goes_or_starts_anew() {
    let Some(real) = opencode() else { return };
    let told = real.talk(
        &["--policy", "bypass"],
        &[
            say("[[write loud.txt yes]] [[bash touch ran.txt]] [[text Done.]]"),
            ended(),
            json!({ "policy": "accept_edits" }),
            answer("deny"),
            say("[[write unseen.txt yes]] [[bash touch seen.txt]] [[text Done.]]"),
            ended(),
            json!({ "policy": "read_only" }),
            json!({ "say": "[[write quiet.txt no]] [[text Done.]]", "read_only": true }),
        ],
    );
    assert!(real.file("loud.txt").is_some() && real.file("ran.txt").is_some(), "{:#?}", told.0);
    assert!(real.file("unseen.txt").is_some() && real.file("seen.txt").is_none());
    assert_eq!(told.events("Request").len(), 1);
    let taken: Vec<&str> = told.0.iter().filter_map(|line| line["taken"].as_str()).collect();
    // To only read it is started anew; a turn that would have needed that was not begun.
    assert_eq!(taken[taken.len() - 2..], ["Restart", "Restart"], "{taken:?}");
    assert_eq!((told.ends().len(), real.file("quiet.txt")), (2, None));
}

#[test]
fn opencode_is_stopped_and_goes_on() {
    let Some(real) = opencode() else { return };
    let told = real.talk(
        &[],
        &[
            say("[[slow 200]] [[text A long slow answer.]]"),
            json!({ "wait": "Delta" }),
            json!({ "interrupt": true }),
            ended(),
            say("[[text Still here.]]"),
            ended(),
        ],
    );
    assert_eq!(told.kind(0), "interrupted");
    assert_eq!(told.ends()[1]["text"], "Still here.");
}

#[test]
fn opencode_goes_on_with_a_session_and_tells_its_past_once() {
    let Some(real) = opencode() else { return };
    let told = real.talk(&[], &[say("[[text The first.]]"), ended()]);
    let session = told.ends()[0]["session"].as_str().expect("it is told").to_owned();
    let again = real.talk(&["--resume", &session], &[say("[[text The second.]]"), ended()]);
    assert_eq!(again.ends()[0]["session"], session.as_str());
    assert_eq!(again.bodies("text"), [&json!("The second.")]);

    let missing = real.talk_at_once(&["--resume", "ses_nothing"], &[say("hi"), ended()]);
    assert_eq!(missing.kind(0), "session_missing", "{:#?}", missing.0);
}

#[test]
fn two_conversations_with_opencode_go_on_at_once() {
    let Some(real) = opencode() else { return };
    for name in ["one", "two"] {
        let orders = [
            json!({ "wait": "Menu" }),
            say(&format!("[[slow 3]] [[write {name}.txt {name}]] [[text I am {name}.]]")),
            ended(),
        ];
        let orders: Vec<String> = orders.iter().map(Value::to_string).collect();
        fs::write(real.home.path().join(name), orders.join("\n")).expect("written");
    }
    let script = "for n in one two; do \
                  /home/user/drive opencode < /home/user/$n > /home/user/$n.out & done; wait";
    let _ = real.run("bash", &["-c", script], "");
    for name in ["one", "two"] {
        let out = text(&real.home.path().join(format!("{name}.out")));
        let told = Told(out.lines().filter_map(|line| serde_json::from_str(line).ok()).collect());
        assert_eq!(told.ends().len(), 1, "{name}: {out}");
        assert_eq!(told.ends()[0]["text"], format!("I am {name}."));
        assert_eq!(real.file(&format!("{name}.txt")).as_deref().map(str::trim), Some(name));
    }
}

#[test]
fn an_image_reaches_opencodes_model() {
    let Some(mut real) = opencode() else { return };
    fs::write(real.home.path().join("dot.png"), DOT).expect("written");
    real.log_requests();
    let image = json!({ "say": "[[text A dot.]]", "images": ["/home/user/dot.png"] });
    let told = real.talk(&[], &[image, ended()]);
    assert_eq!(told.kind(0), "");
    let requests = text(&real.home.path().join("requests"));
    assert!(requests.contains("iVBORw0KGgo"), "no picture in {} bytes", requests.len());
}

#[test]
fn opencodes_failures_have_their_kinds() {
    let Some(real) = opencode() else { return };
    let told = real.talk(
        &[],
        &[
            say("[[error 401]]"),
            ended(),
            json!({ "model": "fake/nothing" }),
            say("[[text On what?]]"),
            ended(),
            json!({ "model": "fake/fake-model" }),
            say("[[text On this.]]"),
            ended(),
        ],
    );
    assert_eq!(
        (told.kind(0), told.kind(1), told.kind(2)),
        ("auth".into(), "model_unknown".into(), String::new())
    );
    assert_eq!(told.ends()[2]["text"], "On this.");
    let menu = told.events("Menu")[0].as_str().unwrap_or_default();
    assert!(menu.contains("fake/fake-model"), "{menu}");
}

#[test]
fn droid_that_may_only_read_does_not_write_through_the_shell() {
    let Some(real) = Real::new(Provider::Droid) else { return };
    let read = say("[[read /home/user/project/README.md]] [[text Read.]]");
    // A session of its own for each: going on with one asks the vendor's service, which is not there.
    for order in WRITES.iter().map(|prompt| say(prompt)).chain([read]) {
        let told = real.talk_at_once(
            &["--policy", "read_only", "--model", "custom:fake-model"],
            &[order.clone(), ended()],
        );
        assert_eq!(told.kind(0), "", "{order}: {:#?}", told.0);
        still_as_it_was(&real);
        if order["say"].as_str().is_some_and(|words| words.contains("Read.")) {
            assert_eq!(told.states(), ["done"], "it may read: {:#?}", told.0);
        }
    }
    let told = real.talk_at_once(
        &["--policy", "bypass", "--model", "custom:fake-model"],
        &[say("[[bash echo hi > loud.txt]] [[text Done.]]"), ended()],
    );
    assert_eq!(real.file("loud.txt").as_deref(), Some("hi\n"), "{:#?}", told.0);
}

//! Every recorded stream, with the outcome it stands for.

use std::time::Duration;

use maestro_agents::stream::{Ended, Exit, Parser};
use maestro_core::agent::Provider;
use maestro_core::turn::{Event, FailureKind, Outcome};

use crate::root;

/// What a capture has to come out as.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Expected {
    Fine,
    Limit,
    LimitUntil(u64),
    /// At a time of day, which is soon or tomorrow.
    LimitLater,
    Kind(FailureKind),
}

use Expected::{Fine, Kind, Limit, LimitLater, LimitUntil};
use FailureKind::{
    Auth, Billing, Context, Crashed, Interrupted, ModelUnknown, Network, Other, Overload,
    Permission, SessionMissing, Torn, Unusable,
};

const CLAUDE: &[(&str, Expected)] = &[
    ("as-root", Kind(Unusable)),
    ("bad-flag", Kind(Unusable)),
    ("default-denied", Kind(Permission)),
    ("error-401", Kind(Auth)),
    ("error-403", Kind(Auth)),
    ("error-404-model", Kind(ModelUnknown)),
    ("error-429", Limit),
    ("error-429-then-ok", Fine),
    ("error-500", Kind(Overload)),
    ("error-529", Kind(Overload)),
    ("error-context", Kind(Context)),
    ("error-credit", Kind(Billing)),
    // The stream was cut in the middle, and the program calls that a success.
    ("error-drop", Kind(Torn)),
    ("error-midstream", Kind(Overload)),
    ("error-no-dns", Kind(Network)),
    ("error-no-server", Kind(Network)),
    ("error-not-logged-in", Kind(Auth)),
    ("hello", Fine),
    ("input-stream-json", Fine),
    ("input-stream-json-file-stdin", Kind(Crashed)),
    ("json-output", Fine),
    ("json-schema", Fine),
    // Exit code 0.
    ("killed-sigint", Kind(Interrupted)),
    ("killed-sigterm", Kind(Interrupted)),
    ("max-turns", Kind(Other)),
    ("mcp", Fine),
    ("no-verbose", Kind(Unusable)),
    ("options", Fine),
    ("partial", Fine),
    ("plan-limit", LimitUntil(1_795_336_135_000)),
    ("plan-mode", Kind(Permission)),
    ("resume", Fine),
    ("resume-bad", Kind(SessionMissing)),
    ("resume-fork", Fine),
    ("resume-notuuid", Kind(SessionMissing)),
    ("stdin-prompt", Fine),
    ("text-output", Kind(Crashed)),
    ("tools", Fine),
];

const CODEX: &[(&str, Expected)] = &[
    ("default-mode", Fine),
    ("error-401", Kind(Auth)),
    ("error-403", Kind(Auth)),
    ("error-429", Limit),
    ("error-429-then-ok", Fine),
    ("error-503", Kind(Overload)),
    ("error-529", Kind(Overload)),
    ("error-context", Kind(Context)),
    ("error-drop", Kind(Torn)),
    ("error-midstream", Limit),
    ("error-no-key", Kind(Auth)),
    ("error-plan", LimitLater),
    ("error-quota", Kind(Billing)),
    ("file-change", Fine),
    ("hello", Fine),
    ("image", Fine),
    // Stopped from outside it says nothing at all.
    ("killed-sigint", Kind(Crashed)),
    ("killed-sigterm", Kind(Interrupted)),
    ("mcp", Fine),
    ("not-a-repo", Kind(Permission)),
    // The program calls it a success although nothing could be written.
    ("read-only", Kind(Permission)),
    ("read-only-bypass", Fine),
    ("resume", Fine),
    ("resume-bad", Kind(SessionMissing)),
    ("stdin-prompt", Fine),
    ("text-output", Kind(Crashed)),
    ("tools", Fine),
];

const OPENCODE: &[(&str, Expected)] = &[
    ("anthropic-provider", Fine),
    ("bad-model", Kind(Other)),
    ("error-400-context", Kind(Context)),
    ("error-401", Kind(Auth)),
    ("error-403", Kind(Auth)),
    ("error-429", LimitUntil(1_795_333_041_762)),
    ("error-429-then-ok", Fine),
    ("error-no-server", Kind(Network)),
    ("file-arg", Fine),
    ("hello", Fine),
    ("killed-sigint", Kind(Interrupted)),
    ("killed-sigterm", Kind(Interrupted)),
    ("mcp", Fine),
    // Exit code 0.
    ("permission-ask", Kind(Permission)),
    ("plan-agent", Fine),
    ("resume", Fine),
    ("resume-bad", Kind(SessionMissing)),
    ("resume-fork", Fine),
    ("stdin-prompt", Fine),
    ("text-output", Kind(Crashed)),
    ("tools", Fine),
];

const DROID: &[(&str, Expected)] = &[
    ("auto-low", Fine),
    ("custom-model-no-key", Fine),
    ("error-401", Kind(Auth)),
    ("error-429", Limit),
    ("fake-key", Fine),
    ("input-stream-json", Kind(Other)),
    ("json-output", Kind(Crashed)),
    // Exit code 0, no `completion`.
    ("killed-sigint", Kind(Crashed)),
    ("killed-sigterm", Kind(Crashed)),
    ("no-login", Kind(Auth)),
    ("read-only-default", Fine),
    ("resume", Kind(Crashed)),
    ("resume-bad", Kind(Crashed)),
    ("tools", Fine),
];

/// Two-way protocols, which are not turns of this kind, and a turn that was still running.
const OTHERS: &[&str] = &[
    "control-protocol",
    "app-server",
    "app-server-commands",
    "acp",
    "serve-events",
    "stream-jsonrpc",
    "error-no-server",
];

struct Capture {
    lines: String,
    exit: Exit,
}

fn folder(provider: Provider) -> std::path::PathBuf {
    root().join("tests/fixtures").join(provider.name()).join("stream")
}

fn capture(provider: Provider, name: &str) -> Capture {
    let file = |ending: &str| {
        let path = folder(provider).join(format!("{name}{ending}"));
        std::fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).ok()
    };
    let meta: serde_json::Value =
        serde_json::from_str(&file(".meta.json").expect("the capture exists"))
            .expect("its facts are JSON");
    let code = meta["exit_code"].as_i64().and_then(|code| i32::try_from(code).ok());
    Capture {
        lines: file(".jsonl").or_else(|| file(".txt")).unwrap_or_default(),
        exit: Exit { code, stderr: file(".stderr").unwrap_or_default(), ..Exit::default() },
    }
}

fn play(provider: Provider, capture: &Capture) -> (Vec<Event>, Outcome) {
    let mut parser = Parser::new(provider);
    let events = capture.lines.lines().flat_map(|line| parser.line(line)).collect();
    (events, parser.finish(&capture.exit))
}

fn matches(outcome: &Outcome, expected: Expected) -> bool {
    match (&outcome.result, expected) {
        (Ok(()), Fine) => true,
        (Err(failure), Kind(kind)) => failure.kind == kind,
        (Err(failure), LimitLater) => {
            matches!(failure.kind, FailureKind::Limit { resets_ms: Some(_) })
        }
        (Err(failure), Limit) => failure.kind == FailureKind::Limit { resets_ms: None },
        (Err(failure), LimitUntil(at)) => {
            failure.kind == FailureKind::Limit { resets_ms: Some(at) }
        }
        _ => false,
    }
}

fn check_all(provider: Provider, table: &[(&str, Expected)]) {
    let mut wrong = Vec::new();
    for (name, expected) in table {
        let (events, outcome) = play(provider, &capture(provider, name));
        if !matches(&outcome, *expected) {
            wrong.push(format!("{name}: wanted {expected:?}, got {:?}", outcome.result));
        }
        if let Err(failure) = &outcome.result {
            let bad = failure.message.is_empty()
                || failure.message.chars().any(char::is_control)
                || failure.message.len() > 400;
            if bad {
                wrong.push(format!("{name}: message {:?}", failure.message));
            }
        }
        let raw: Vec<&Event> =
            events.iter().filter(|event| matches!(event, Event::Raw(_))).collect();
        let plain_text = ["text-output", "json-output", "input-stream-json"].contains(name);
        if !raw.is_empty() && !plain_text {
            wrong.push(format!("{name}: not understood: {raw:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", provider.title(), wrong.join("\n"));

    // A capture that is added has to get its line above.
    let known =
        |name: &str| table.iter().any(|(listed, _)| *listed == name) || OTHERS.contains(&name);
    for entry in std::fs::read_dir(folder(provider)).expect("the captures exist") {
        let name =
            entry.expect("the folder can be read").file_name().to_string_lossy().into_owned();
        if let Some(name) = name.strip_suffix(".meta.json") {
            assert!(known(name), "{} / {name} is not in the table", provider.name());
        }
    }
}

#[test]
fn every_claude_code_capture_ends_as_it_did() {
    check_all(Provider::Claude, CLAUDE);
}

#[test]
fn every_codex_capture_ends_as_it_did() {
    check_all(Provider::Codex, CODEX);
}

#[test]
fn every_opencode_capture_ends_as_it_did() {
    check_all(Provider::OpenCode, OPENCODE);
}

#[test]
fn every_droid_capture_ends_as_it_did() {
    check_all(Provider::Droid, DROID);
}

#[test]
fn a_turn_that_we_ended_says_who_ended_it() {
    let check = |provider, name, ended: Ended, kind| {
        let mut capture = capture(provider, name);
        capture.exit.ended = ended;
        let (_, outcome) = play(provider, &capture);
        assert_eq!(outcome.result.map_err(|failure| failure.kind), Err(kind), "{name}");
    };
    let minute = Duration::from_secs(60);
    check(Provider::Claude, "killed-sigint", Ended::Cancelled, Interrupted);
    check(Provider::Codex, "killed-sigint", Ended::Cancelled, Interrupted);
    check(Provider::Droid, "killed-sigterm", Ended::Cancelled, Interrupted);
    check(Provider::OpenCode, "killed-sigint", Ended::Silent(minute), FailureKind::Silent);
    check(Provider::Droid, "killed-sigint", Ended::TimedOut(minute), Interrupted);
    // It would have waited for the network for ever.
    check(Provider::Codex, "error-no-server", Ended::TimedOut(minute), Network);
    check(Provider::Droid, "killed-sigint", Ended::Flooded(1 << 30), Other);
}

#[test]
fn what_was_finished_before_we_ended_the_process_is_finished() {
    let mut capture = capture(Provider::Codex, "hello");
    capture.exit = Exit { signal: Some(9), ended: Ended::Cancelled, ..Exit::default() };
    assert_eq!(play(Provider::Codex, &capture).1.result, Ok(()));
}

#[test]
fn tools_are_told_with_their_results_and_files() {
    for (provider, session, files, calls, answer) in [
        (
            Provider::Claude,
            "6a8bc3ec-26ab-456c-8c0b-cdfafa0d0db5",
            vec!["notes.txt"; 2],
            4,
            "All done.",
        ),
        (Provider::Codex, "01a2022a-2d4d-7972-85fb-795b12d1b77a", vec![], 4, "All done."),
        (
            Provider::OpenCode,
            "ses_dfdd13345ffeD7IcTd2Pa3beLe",
            vec!["/home/user/project/notes.txt", "notes.txt"],
            4,
            "All done.",
        ),
        (
            Provider::Droid,
            "6206ebd7-734c-42f1-aec4-a9cb175070cd",
            vec!["notes.txt"; 2],
            4,
            "All done.",
        ),
    ] {
        let (events, outcome) = play(provider, &capture(provider, "tools"));
        assert_eq!(outcome.session.as_deref(), Some(session));
        assert_eq!(outcome.text, answer);
        let changed: Vec<&str> = events
            .iter()
            .filter_map(|event| match event {
                Event::FileChange(paths) => Some(paths[0].as_str()),
                _ => None,
            })
            .collect();
        assert_eq!(changed, files, "{provider}");
        let called =
            |wanted: fn(&Event) -> bool| events.iter().filter(|event| wanted(event)).count();
        assert_eq!(called(|event| matches!(event, Event::ToolCall { .. })), calls, "{provider}");
        assert_eq!(called(|event| matches!(event, Event::ToolResult { .. })), calls, "{provider}");
        assert!(
            called(
                |event| matches!(event, Event::Thinking(text) if text == "I will write a file.")
            ) == 1
        );
        // `exit 3` is a failed command for all but OpenCode, which reports it as done.
        let failed = called(|event| matches!(event, Event::ToolResult { is_error: true, .. }));
        assert!(provider == Provider::OpenCode || failed >= 1, "{provider}");
        let first = events.first();
        assert!(matches!(first, Some(Event::Session { .. })), "{provider}: {first:?}");
    }
}

#[test]
fn usage_is_counted_once() {
    let usage = |provider, name| play(provider, &capture(provider, name)).1.usage;
    let claude = usage(Provider::Claude, "tools");
    assert_eq!(
        (claude.input_tokens, claude.output_tokens, claude.cost_usd),
        (9625, 56, Some(0.050_315))
    );
    // OpenCode reports each model call; the turn is their sum.
    let opencode = usage(Provider::OpenCode, "tools");
    assert_eq!(opencode.input_tokens, 2491 + 2585 + 2669 + 2769 + 2845);
    let droid = usage(Provider::Droid, "tools");
    assert_eq!((droid.input_tokens, droid.output_tokens), (14_618, 56));
    // A cut stream reports nothing; what its messages told is kept.
    assert!(usage(Provider::Claude, "error-drop").input_tokens > 0);
}

#[test]
fn a_resumed_codex_thread_reports_its_total_from_which_the_turns_before_are_taken() {
    let before = maestro_agents::command::Tokens { input: 5253, cached: 0, output: 14 };
    let capture = capture(Provider::Codex, "resume");
    let mut parser = Parser::new(Provider::Codex).after(Some(before));
    for line in capture.lines.lines() {
        let _ = parser.line(line);
    }
    let usage = parser.finish(&capture.exit).usage;
    assert_eq!((usage.input_tokens, usage.output_tokens), (5336, 13));
}

#[test]
fn retries_are_told_and_are_not_the_end() {
    for provider in [Provider::Claude, Provider::Codex] {
        let (events, outcome) = play(provider, &capture(provider, "error-429-then-ok"));
        let retries = events.iter().filter(|event| matches!(event, Event::Retrying(_))).count();
        assert_eq!((retries, outcome.result), (2, Ok(())), "{provider}");
    }
}

#[test]
fn streams_torn_anywhere_are_never_a_success() {
    for (provider, name) in [
        (Provider::Claude, "partial"),
        (Provider::Claude, "tools"),
        (Provider::Codex, "tools"),
        (Provider::Droid, "tools"),
    ] {
        let whole = capture(provider, name);
        let lines: Vec<&str> = whole.lines.lines().collect();
        for kept in 0..lines.len() {
            for last in ["", &lines[kept][..lines[kept].len() / 2]] {
                let torn = format!("{}\n{last}", lines[..kept].join("\n"));
                let exit = Exit { code: Some(0), ..Exit::default() };
                let (_, outcome) = play(provider, &Capture { lines: torn, exit });
                let kind = outcome.result.map_err(|failure| failure.kind);
                assert_eq!(kind, Err(Crashed), "{provider} cut after {kept} lines");
            }
        }
    }
}

#[test]
fn garbage_is_kept_raw_and_bounded() {
    for provider in Provider::ALL {
        let mut parser = Parser::new(provider);
        for line in [
            "",
            "   ",
            "garbage",
            "{",
            "[1,2]",
            "42",
            "null",
            "{\"type\":5}",
            "{\"type\":\"new\"}",
            "\u{0}",
        ] {
            assert!(
                parser.line(line).iter().all(|event| matches!(event, Event::Raw(_))),
                "{provider} {line:?}"
            );
        }
        let long = "x".repeat(1 << 20);
        let kept: usize = parser
            .line(&long)
            .iter()
            .map(|event| match event {
                Event::Raw(text) => text.len(),
                _ => 0,
            })
            .sum();
        assert!(kept <= 4096, "{kept}");
        let told: usize = (0..10_000).map(|_| parser.line("garbage").len()).sum();
        assert!(told <= 500, "{told}");
        let outcome = parser.finish(&Exit { code: Some(0), ..Exit::default() });
        assert_eq!(outcome.result.map_err(|failure| failure.kind), Err(Crashed), "{provider}");
    }
}

#[test]
fn known_lines_with_missing_or_odd_fields_do_no_harm() {
    for provider in [Provider::Claude, Provider::Codex, Provider::OpenCode, Provider::Droid] {
        for (name, _) in [("tools", ()), ("hello", ()), ("fake-key", ()), ("error-401", ())] {
            if !folder(provider).join(format!("{name}.meta.json")).exists() {
                continue;
            }
            for line in capture(provider, name).lines.lines() {
                let Ok(serde_json::Value::Object(fields)) = serde_json::from_str(line) else {
                    continue;
                };
                for field in fields.keys().filter(|field| *field != "type") {
                    for odd in [
                        None,
                        Some(serde_json::json!(null)),
                        Some(serde_json::json!([1])),
                        Some(serde_json::json!({})),
                    ] {
                        let mut changed = fields.clone();
                        match odd {
                            None => drop(changed.remove(field)),
                            Some(odd) => drop(changed.insert(field.clone(), odd)),
                        }
                        let mut parser = Parser::new(provider);
                        let _ = parser.line(&serde_json::Value::Object(changed).to_string());
                        let _ = parser.finish(&Exit::default());
                    }
                }
            }
        }
    }
}

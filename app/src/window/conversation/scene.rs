//! Made-up conversations, for pictures, tests and measurements.

use std::fmt::Write as _;

use maestro_core::conversation::{
    Answer, Ask, Body, Change, ChangeKind, Context, Ended, Entry, Place, Policy, Prompt, Request,
    Tab, TabState, Todo, TodoState, Tool, ToolKind, ToolState, Transcript,
};
use maestro_core::turn::{Failure, FailureKind, Usage};
use maestro_core::{AgentId, TabId};

/// When a made-up conversation began.
const BEGAN_MS: u64 = crate::window::scene::NOW_MS - 9 * 60_000;

/// A prompt.
#[must_use]
pub fn prompt(text: &str) -> Body {
    Body::Prompt(Prompt { text: text.to_owned(), ..Prompt::default() })
}

/// Words of an answer.
#[must_use]
pub fn said(text: &str) -> Body {
    Body::Text(text.to_owned())
}

/// A call of a tool that took so many tenths of a second.
#[must_use]
pub fn call(kind: ToolKind, name: &str, title: &str, output: &str, tenths: u64) -> Tool {
    Tool {
        call: format!("call-{title}"),
        name: name.to_owned(),
        kind,
        title: title.to_owned(),
        input: String::new(),
        output: output.to_owned(),
        state: ToolState::Done,
        exit: None,
        changes: Vec::new(),
        started_ms: BEGAN_MS,
        ended_ms: Some(BEGAN_MS + tenths * 100),
        parent: None,
    }
}

/// A command that ended with an exit code.
#[must_use]
pub fn shell(command: &str, output: &str, exit: i32, tenths: u64) -> Body {
    let tool = call(ToolKind::Shell, "Bash", command, output, tenths);
    Body::Tool(Tool { exit: Some(exit), ..tool })
}

/// A change of a file.
#[must_use]
pub fn edit(path: &str, diff: &str) -> Body {
    let count = |sign| {
        let lines = diff.lines().filter(|line| line.starts_with(sign));
        u32::try_from(lines.count()).unwrap_or(u32::MAX)
    };
    let change = Change {
        path: path.to_owned(),
        kind: ChangeKind::Update,
        diff: diff.to_owned(),
        added: count('+'),
        removed: count('-'),
    };
    let tool = call(ToolKind::Edit, "Edit", path, "", 4);
    Body::Tool(Tool { changes: vec![change], ..tool })
}

/// The end of a turn.
#[must_use]
pub fn ended(seconds: u64, interrupted: bool) -> Body {
    let usage = Usage {
        input_tokens: 38_200,
        cached_tokens: 30_100,
        output_tokens: 6_100,
        cost_usd: Some(0.61),
    };
    Body::Ended(Ended { interrupted, usage, duration_ms: seconds * 1000 })
}

/// These entries, each prompt a turn.
#[must_use]
pub fn transcript_of(bodies: Vec<Body>) -> Transcript {
    let mut turn = 0;
    let entry = |(n, body): (usize, Body)| {
        turn += u64::from(matches!(body, Body::Prompt(_)));
        let n = n as u64;
        Entry { n, turn, at_ms: BEGAN_MS + n * 5000, open: false, body }
    };
    Transcript::new(bodies.into_iter().enumerate().map(entry).collect())
}

/// The tab of a made-up conversation.
#[must_use]
pub fn tab(transcript: &Transcript, state: TabState) -> Tab {
    Tab {
        id: TabId(1),
        agent: AgentId(1),
        title: "Preferences endpoint".to_owned(),
        named: false,
        session: Some("7f3c0001-8f20-4a59-b3f6-63da0b1b4e10".to_owned()),
        place: Place::Conversation,
        policy: Policy::Ask,
        model: Some("opus".to_owned()),
        effort: Some("high".to_owned()),
        starred: false,
        unread: false,
        closed: false,
        state,
        since_ms: BEGAN_MS,
        requests: Vec::new(),
        context: Some(Context { used: 122_000, window: Some(200_000) }),
        usage: Usage { cost_usd: Some(0.84), ..Usage::default() },
        entries: transcript.next().unwrap_or(0),
        turns: 1,
        created_ms: BEGAN_MS,
        used_ms: BEGAN_MS,
    }
}

const ROUTES: &str = "@@ -8,7 +8,9 @@ pub fn routes() -> Router<App> {\n     Router::new()\n         .route(\"/sessions\", get(sessions::list))\n-        .route(\"/users/:id\", get(users::get))\n+        .route(\"/users/{id}\", get(users::get))\n+        .route(\"/preferences\", get(preferences::get))\n+        .route(\"/preferences\", put(preferences::put))\n         .layer(trace())\n }\n";

const PREFERENCES: &str = "@@ -0,0 +1,14 @@\n+use crate::{App, error::Error};\n+\n+/// What a user prefers.\n+#[derive(Debug, Serialize, Deserialize)]\n+pub struct Prefs {\n+    pub theme: String,\n+    pub page_size: u32,\n+}\n+\n+pub async fn get(State(s): State<App>) -> Json<Prefs> {\n+    // Defaults where nothing was saved.\n+    Json(s.prefs.load(user).await.unwrap_or_default())\n+}\n+\n";

/// The conversation of the drawings: an endpoint is built.
#[must_use]
pub fn endpoint() -> Transcript {
    transcript_of(vec![
        prompt("add the preferences endpoint and its tests, see @src/api/routes.rs"),
        said(
            "I looked at how the other endpoints are wired. Preferences will follow **sessions**: a typed \
             extractor, a service call and one error mapping. Three files change.",
        ),
        edit("src/api/routes.rs", ROUTES),
        edit("src/api/preferences.rs", PREFERENCES),
        shell("cargo test -p api", "running 14 tests\ntest result: ok. 14 passed\n", 0, 310),
    ])
}

/// A conversation with one of everything.
#[must_use]
pub fn everything() -> Transcript {
    let ask = Ask::Command { command: "npm install zod".to_owned(), directory: None };
    let request = |ask| Request {
        id: "r1".to_owned(),
        call: None,
        ask,
        why: String::new(),
        always: None,
        asked_ms: BEGAN_MS,
    };
    let todo = |text: &str, state| Todo { text: text.to_owned(), state };
    let failing = "running 3 tests\ntest checkout::pays ... ok\ntest checkout::refunds ... FAILED\n\
        test checkout::ships ... ok\n\nfailures:\n\n---- checkout::refunds stdout ----\n\
        thread 'checkout::refunds' panicked at tests/checkout.rs:42:9:\nassertion failed: refund.is_ok()\n\n\
        failures:\n    checkout::refunds\n\ntest result: FAILED. 2 passed; 1 failed\n";
    transcript_of(vec![
        prompt(
            "/review the checkout and make it sturdy, then write down what you did in @docs/checkout.md",
        ),
        Body::Thinking(
            "The refund path has no test for a currency of zero decimals.\n\nI should look at the \
             rounding first, then at the retries."
                .to_owned(),
        ),
        Body::Todo(vec![
            todo("Read how refunds are rounded", TodoState::Done),
            todo("Retry a payment that timed out, once and with the same key", TodoState::Doing),
            todo("Write the page about checkout", TodoState::Open),
        ]),
        Body::Tool(call(
            ToolKind::Read,
            "Read",
            "src/checkout/refund.rs",
            "1 | fn refund() {}\n",
            1,
        )),
        Body::Tool(call(
            ToolKind::Search,
            "Grep",
            "round\\(.*, 2\\)",
            "src/checkout/refund.rs:42\n",
            2,
        )),
        said(
            "## What I found\n\nRefunds round **twice**, once to cents and once to the currency. For \
             `JPY` that loses money:\n\n1. `refund.rs` rounds to two places\n2. the ledger rounds again\n   - \
             only for currencies without decimals\n   - and only on *partial* refunds\n\n> The ledger's \
             rule is the right one, see [the decision](https://example.org/adr/14).\n\n| Currency | Before | \
             After |\n|:--|--:|--:|\n| EUR | 10.01 | 10.01 |\n| JPY | 1000 | 1001 |\n\n```rust\n// Rounded \
             once, where the currency is known.\nfn refund(amount: Money) -> Result<Money, Error> {\n    \
             let cents = amount.round(currency.decimals());\n    ledger.credit(cents, \"refund\")?;\n    \
             Ok(cents)\n}\n```\n\n- [x] rounding\n- [ ] retries\n",
        ),
        Body::Request { request: request(ask), answer: Some(Answer::Once) },
        Body::Request {
            request: request(Ask::Command { command: "rm -rf target".to_owned(), directory: None }),
            answer: Some(Answer::Deny("keep the cache".to_owned())),
        },
        shell("cargo test -p checkout", failing, 101, 84),
        Body::Notice("The service was overloaded; tried again after 4 s.".to_owned()),
        Body::Tool(Tool {
            state: ToolState::Denied,
            ..call(ToolKind::Mcp, "linear.create_issue", "Refunds round twice", "", 1)
        }),
        Body::Raw(
            "{\"type\":\"telemetry\",\"subtype\":\"beacon\",\"payload\":{\"n\":3}}".to_owned(),
        ),
        ended(130, false),
        prompt("and the retries?"),
        Body::Tool(Tool {
            state: ToolState::Running,
            ended_ms: None,
            started_ms: crate::window::scene::NOW_MS - 12_000,
            ..call(
                ToolKind::Shell,
                "Bash",
                "cargo test -p checkout -- --nocapture",
                "   Compiling checkout v0.3.1\n",
                0,
            )
        }),
    ])
}

/// A conversation whose last turn failed.
#[must_use]
pub fn failed() -> Transcript {
    transcript_of(vec![
        prompt("write the migration"),
        said("The column has to be filled before it can be required; I'll do it in two steps."),
        shell("sqlx migrate add currency", "Creating migrations/0042_currency.sql\n", 0, 6),
        Body::Failed(Failure {
            kind: FailureKind::Auth,
            message: "API Error: 401 authentication_error: invalid x-api-key".to_owned(),
        }),
    ])
}

/// An answer of so many lines: words, lists, code, tables.
#[must_use]
pub fn long_answer(lines: usize) -> String {
    let mut text = String::new();
    let mut count = 0;
    let mut section = 0;
    while count < lines {
        section += 1;
        let _ = write!(
            text,
            "## Part {section}\n\nEvery call goes through `dispatch_{section}`, which **checks** the \
             caller and looks at [the table](https://example.org/{section}) before it does anything else; \
             it is called about {section}00 times a second.\n\n- first the *cheap* checks\n- then what \
             needs the database\n- at last what needs a person\n\n```rust\nfn dispatch_{section}(call: \
             Call) -> Result<Answer, Error> {{\n    // Part {section} of many.\n    let entry = \
             TABLE.get(call.name()).ok_or(Error::Unknown)?;\n    entry.check(&call)?;\n    \
             entry.run(call, \"part {section}\")\n}}\n```\n\n"
        );
        count += 17;
    }
    text
}

/// A long answer while it is written, after so many bytes.
#[must_use]
pub fn streaming(lines: usize, bytes: usize) -> Transcript {
    let text = long_answer(lines);
    let end = (0..=bytes.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    let mut entries: Vec<Entry> = transcript_of(vec![
        prompt("explain how calls are dispatched, in full"),
        said(&text[..end.unwrap_or(0)]),
    ])
    .iter()
    .cloned()
    .collect();
    if let Some(last) = entries.last_mut() {
        last.open = true;
    }
    Transcript::new(entries)
}

/// A conversation of so many turns.
#[must_use]
pub fn turns(count: usize) -> Transcript {
    let mut bodies = Vec::with_capacity(count * 5);
    for turn in 0..count {
        bodies.push(prompt(&format!("do step {turn} of the plan in @docs/plan.md")));
        bodies.push(said(&long_answer(if turn % 10 == 0 { 60 } else { 4 })));
        bodies.push(edit("src/api/routes.rs", ROUTES));
        bodies.push(shell("cargo test -p api", "running 14 tests\n14 passed\n", 0, 310));
        bodies.push(ended(48, false));
    }
    transcript_of(bodies)
}

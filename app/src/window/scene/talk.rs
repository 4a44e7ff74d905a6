//! Made-up conversations.

use maestro_core::conversation::{
    Ask, Body, Change, ChangeKind, Context, Ended, Entry, Menu, Model, Place, Policy, Prompt,
    Question, Request, SlashCommand, Tab, TabState, Todo, TodoState, Tool, ToolKind, ToolState,
};
use maestro_core::queue::{Held, Item, Queue};
use maestro_core::turn::Usage;
use maestro_core::{AgentId, ItemId, TabId};

use super::NOW_MS;

fn tab(id: u64, agent: u64, title: &str, state: TabState) -> Tab {
    Tab {
        id: TabId(id),
        agent: AgentId(agent),
        title: title.to_owned(),
        named: false,
        session: Some(format!("7f3c{id:04}-8f20-4a59-b3f6-63da0b1b4e10")),
        place: Place::Conversation,
        policy: Policy::Ask,
        model: Some("claude-opus-4-1".to_owned()),
        effort: Some("high".to_owned()),
        starred: false,
        unread: false,
        closed: false,
        state,
        since_ms: NOW_MS - 120_000,
        requests: Vec::new(),
        context: Some(Context { used: 122_000, window: Some(200_000) }),
        usage: Usage {
            input_tokens: 214_000,
            cached_tokens: 190_000,
            output_tokens: 8_100,
            cost_usd: Some(0.84),
        },
        entries: 9,
        turns: 2,
        created_ms: NOW_MS - 3_600_000,
        used_ms: NOW_MS - 60_000,
    }
}

/// Scenes with a conversation, in the order in which they are listed.
pub const TALKS: [&str; 26] = [
    "conversation",
    "conversation-grid",
    "conversation-turns",
    "conversation-top",
    "conversation-streaming",
    "conversation-find",
    "conversation-filter",
    "conversation-selected",
    "conversation-told",
    "conversation-empty",
    "conversation-none",
    "conversation-taken",
    "approval",
    "approval-deny",
    "question",
    "failed",
    "limited",
    "retrying",
    "mentions",
    "commands",
    "policy",
    "models",
    "composer-full",
    "queue",
    "queue-empty",
    "why",
];

/// The tabs of the made-up agents.
#[must_use]
pub fn tabs() -> Vec<Tab> {
    let asking = Tab {
        requests: vec![Request {
            id: "r1".to_owned(),
            call: None,
            ask: Ask::Command {
                command: "sqlx migrate run --source migrations".to_owned(),
                directory: None,
            },
            why: "Writes to the database in DATABASE_URL (scratch)".to_owned(),
            always: Some("sqlx migrate in this tab".to_owned()),
            asked_ms: NOW_MS - 130_000,
        }],
        ..tab(1, 1, "Preferences endpoint", TabState::Asking)
    };
    let flaky = Tab { unread: true, ..tab(2, 1, "Flaky test hunt", TabState::Idle) };
    let docs = Tab { starred: true, ..tab(3, 1, "Docs", TabState::Idle) };
    let settings = Tab {
        requests: vec![Request {
            id: "q1".to_owned(),
            call: None,
            ask: Ask::Questions(vec![Question {
                header: "Validation".to_owned(),
                text: "Which library is the settings form to be validated with?".to_owned(),
                options: vec![
                    ("zod".to_owned(), "what the other forms use already".to_owned()),
                    ("valibot".to_owned(), "smaller, one more dependency".to_owned()),
                    ("by hand".to_owned(), "no dependency at all".to_owned()),
                ],
                several: false,
            }]),
            why: String::new(),
            always: None,
            asked_ms: NOW_MS - 65_000,
        }],
        ..tab(4, 2, "Settings page", TabState::Asking)
    };
    let until_ms = Some(NOW_MS + 6 * 3_600_000);
    let limited = tab(5, 3, "Migration", TabState::Limited { until_ms, resumes: true });
    let closed = Tab { closed: true, ..tab(6, 1, "First look", TabState::Idle) };
    vec![asking, flaky, docs, settings, limited, closed]
}

fn item(id: u64, tab: u64, text: &str, minutes: u64) -> Item {
    Item {
        id: ItemId(id),
        tab: TabId(tab),
        prompt: Prompt { text: text.to_owned(), ..Prompt::default() },
        held: false,
        unsure: false,
        added_ms: NOW_MS - minutes * 60_000,
    }
}

/// What waits for the made-up agents.
#[must_use]
pub fn queues() -> Vec<Queue> {
    let mut held = item(3, 2, "Then bisect the flaky checkout test over the last 40 commits", 9);
    held.held = true;
    vec![
        Queue {
            agent: AgentId(1),
            held: None,
            items: vec![
                item(1, 1, "Update the API documentation for the preferences endpoint", 14),
                item(2, 1, "Run the whole test suite and fix what it finds", 12),
                held,
            ],
        },
        Queue {
            agent: AgentId(3),
            held: Some(Held::AfterFailure("its limit is reached".to_owned())),
            items: vec![
                item(4, 5, "Backfill orders.currency in batches of 10 000", 31),
                item(5, 5, "Write down how to roll the migration back", 30),
            ],
        },
    ]
}

/// What can be chosen.
#[must_use]
pub fn menu() -> Menu {
    let model = |id: &str, name: &str| Model {
        id: id.to_owned(),
        name: name.to_owned(),
        efforts: ["low", "medium", "high"].map(str::to_owned).to_vec(),
    };
    let command = |name: &str, description: &str, hint: &str| SlashCommand {
        name: name.to_owned(),
        description: description.to_owned(),
        hint: hint.to_owned(),
    };
    Menu {
        models: vec![
            model("claude-opus-4-1", "Opus 4.1"),
            model("claude-sonnet-4-5", "Sonnet 4.5"),
            model("claude-haiku-4-5", "Haiku 4.5"),
        ],
        commands: vec![
            command("compact", "Sum up what was said so far", "[what to keep]"),
            command("review", "Review the changes of this branch", "[branch]"),
            command("cost", "What this session cost", ""),
        ],
        policies: Vec::new(),
    }
}

/// What was said in the first tab.
#[must_use]
pub fn said() -> Vec<Entry> {
    let diff = "@@ -10,2 +12,3 @@\n+pub async fn get(State(s): State<App>) -> Json<Prefs> {\n\
                +    Json(s.prefs.load(user).await)\n+}\n-// TODO\n-\n";
    let tool = |call: &str, name: &str, kind, title: &str, exit, changes| Tool {
        call: call.to_owned(),
        name: name.to_owned(),
        kind,
        title: title.to_owned(),
        input: String::new(),
        output: "running 14 tests\ntest result: ok. 14 passed; 0 failed\n".to_owned(),
        state: ToolState::Done,
        exit,
        changes,
        started_ms: NOW_MS - 190_000,
        ended_ms: Some(NOW_MS - 159_000),
        parent: None,
    };
    let change = Change {
        path: "src/api/preferences.rs".to_owned(),
        kind: ChangeKind::Update,
        diff: diff.to_owned(),
        added: 61,
        removed: 2,
    };
    let todo = |text: &str, state| Todo { text: text.to_owned(), state };
    let usage = Usage { cost_usd: Some(0.21), ..Usage::default() };
    let bodies = vec![
        (1, Body::Prompt(Prompt { text: "how are the other endpoints wired?".to_owned(), ..Prompt::default() })),
        (1, Body::Text("Each has a typed extractor, one service call and one error mapping. **Sessions** is the cleanest example.".to_owned())),
        (1, Body::Ended(Ended { interrupted: false, usage, duration_ms: 21_000 })),
        (2, Body::Prompt(Prompt {
            text: "add the preferences endpoint and its tests, see @src/api/routes.rs".to_owned(),
            ..Prompt::default()
        })),
        (2, Body::Text("I looked at how the other endpoints are wired. Preferences will follow **sessions**: a typed extractor, a service call and one error mapping. Three files change.".to_owned())),
        (2, Body::Todo(vec![
            todo("Endpoint and its route", TodoState::Done),
            todo("Integration tests", TodoState::Doing),
            todo("Migration", TodoState::Open),
        ])),
        (2, Body::Tool(tool("t1", "Update", ToolKind::Edit, "src/api/preferences.rs", None, vec![change]))),
        (2, Body::Tool(tool("t2", "Shell", ToolKind::Shell, "cargo test -p api", Some(0), Vec::new()))),
        (2, Body::Text("Now the migration has to run once.".to_owned())),
    ];
    let entries = bodies.into_iter().zip(0..);
    entries
        .map(|((turn, body), n)| Entry { n, turn, at_ms: NOW_MS - 200_000, open: false, body })
        .collect()
}

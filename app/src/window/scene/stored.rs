//! Stored sessions of a made-up machine.

use maestro_core::agent::Provider::{self, Claude, Codex, Droid, OpenCode};
use maestro_core::conversation::{Body, Entry, Prompt, Tool, ToolKind, ToolState};
use maestro_core::session::{Hit, Indexing, Session};
use maestro_core::{AgentId, TabId};

use maestro_core::turn::Usage;
use maestro_core::usage::Sum;

use super::NOW_MS;

/// An index of so many sessions.
pub fn indexed(sessions: u64) -> Indexing {
    Indexing { sessions, done_bytes: 1, total_bytes: 1, complete: true }
}

/// Provider, title, project, branch, minutes since it was used, prompts, and words with a hit in `«»`.
type Row = (Provider, &'static str, &'static str, &'static str, u64, u32, &'static str);

/// What was found for `currency`.
pub fn hits() -> Vec<Hit> {
    let rows: [Row; 9] = [
        (
            Claude,
            "Which currency comes first",
            "billing",
            "feat/currency",
            14,
            9,
            "prices are stored per «currency», so the checkout has to ask before the first item",
        ),
        (
            Codex,
            "Add the settings page",
            "shop",
            "feat/settings-page",
            95,
            31,
            "the «currency» select reads its options from the same list as billing does",
        ),
        (
            Claude,
            "Round totals as the bank does",
            "billing",
            "fix/rounding",
            1_500,
            12,
            "half a cent is rounded to even in every «currency» but one",
        ),
        (
            OpenCode,
            "Migrate orders to integer cents",
            "shop",
            "db/cents",
            2_900,
            44,
            "ADD COLUMN «currency» text NOT NULL DEFAULT 'EUR'",
        ),
        (
            Droid,
            "Explain the pricing module",
            "shop",
            "main",
            4_400,
            3,
            "a price is an amount and a «currency»; they are never added across",
        ),
        (
            Claude,
            "Flaky checkout test",
            "shop",
            "main",
            8_800,
            18,
            "the fixture picks a random «currency», and one of them has no decimals",
        ),
        (
            Codex,
            "Exchange rates once a day",
            "ledger",
            "feat/rates",
            12_000,
            27,
            "one table, one row for each «currency» and day, nothing in memory",
        ),
        (
            Claude,
            "Write the release notes",
            "shop",
            "release/4.2",
            16_000,
            6,
            "customers see the «currency» of their invoice address from now on",
        ),
        (
            OpenCode,
            "Port the importer",
            "ledger",
            "main",
            31_000,
            52,
            "the third column is the «currency», unless the file is from before 2019",
        ),
    ];
    let hit = |(at, row): (usize, Row)| {
        let (provider, title, project, branch, minutes, prompts, excerpt) = row;
        let from = excerpt.find('«').unwrap_or(0);
        let excerpt = excerpt.replace(['«', '»'], "");
        Hit {
            session: Session {
                provider,
                id: format!("7f3c{at}e21-5b0d-4a96-8c11-d2f0a94be60{at}"),
                title: title.to_owned(),
                directory: Some(format!("/home/ada/{project}").into()),
                branch: Some(branch.to_owned()),
                model: (provider == Claude).then(|| "claude-opus-4-8".to_owned()),
                started_ms: NOW_MS - (minutes + 40) * 60_000,
                used_ms: NOW_MS - minutes * 60_000,
                prompts,
                path: format!("/home/ada/.store/{at}.jsonl").into(),
                bytes: 210_000,
                starred: at == 2,
                tags: if at == 5 { vec!["flaky".to_owned()] } else { Vec::new() },
                trashed_ms: None,
                open_in: (at == 0).then_some((AgentId(6), None::<TabId>)),
            },
            marks: vec![(from as u32, (from + "currency".len()) as u32)],
            excerpt,
            entry: Some(5),
        }
    };
    rows.into_iter().enumerate().map(hit).collect()
}

/// What was said around the first match.
pub fn stored() -> Vec<Entry> {
    let prompt = |text: &str| Body::Prompt(Prompt { text: text.to_owned(), ..Prompt::default() });
    let text = |text: &str| Body::Text(text.to_owned());
    let tool = Body::Tool(Tool {
        call: "c1".to_owned(),
        name: "Grep".to_owned(),
        kind: ToolKind::Search,
        title: "price.*amount in crates/billing".to_owned(),
        input: String::new(),
        output: String::new(),
        state: ToolState::Done,
        exit: None,
        changes: Vec::new(),
        started_ms: 0,
        ended_ms: None,
        parent: None,
    });
    let bodies = [
        prompt("The checkout shows totals before anybody has chosen how to pay. Can it ask first?"),
        text(
            "It can. I looked at how an order is made: the total is computed when the first item is \
              added, from the price list of the shop.",
        ),
        tool,
        text(
            "Prices are stored per currency, so the checkout has to ask before the first item. Two \
              places read them today: the cart and the invoice.",
        ),
        prompt("Then which currency comes first for somebody who never chose one?"),
        text(
            "The one of the invoice address. Where there is none, the shop's own currency, and the \
              cart says so above the total.",
        ),
    ];
    bodies
        .into_iter()
        .enumerate()
        .map(|(n, body)| Entry { n: n as u64 + 2, turn: 2, at_ms: 0, open: false, body })
        .collect()
}

/// What a week has consumed.
pub fn sums() -> Vec<Sum> {
    let days = [
        ("2025-10-09", 41, 4_120, 3_630, 212, Some(4.12), None),
        ("2025-10-08", 88, 9_870, 8_900, 530, Some(9.03), Some(1.2)),
        ("2025-10-07", 12, 810, 640, 44, Some(0.84), None),
        ("2025-10-06", 63, 7_340, 6_500, 395, Some(6.71), Some(0.4)),
        ("2025-10-05", 5, 240, 130, 9, None, None),
        ("2025-10-04", 72, 6_990, 6_010, 401, Some(7.5), None),
    ];
    days.into_iter()
        .map(|(of, turns, input, cached, output, cost_usd, estimated_usd)| Sum {
            of: of.to_owned(),
            turns,
            usage: Usage {
                input_tokens: input * 1000,
                cached_tokens: cached * 1000,
                output_tokens: output * 1000,
                cost_usd,
            },
            estimated_usd,
        })
        .collect()
}

//! Made-up worlds and screens, for pictures and for tests.

mod changes;
mod dress;
pub mod files;
mod matrix;
mod notices;
mod runs;
mod stored;
mod talk;
mod trees;

use std::path::PathBuf;

pub use changes::{CHANGES, branches, lines, listing, log, pushed};
pub use dress::{NEEDLE, dress};
pub use files::paths;
use maestro_core::agent::{Agent, Attention, Provider, Source, State};
use maestro_core::conflict::{Collision, Collisions};
use maestro_core::run::{Run, Spec, Task, TaskState, Verify};
use maestro_core::screen::{
    Cell, Color, Cursor, CursorShape, Frame, Modes, Row, Scroll, Size, flags,
};
use maestro_core::turn::Usage;
use maestro_core::{AgentId, RunId, TerminalId};
use maestro_protocol::message::{ProviderInfo, Repository, TerminalInfo, TerminalStats, World};
pub use matrix::{
    REVIEW, ROOT, clashes, clean_matrix, large_matrix, matrix, past_train, race, race_matrix,
    returned, stopped_train, train, train_plan,
};
pub use notices::notices;
pub use runs::{
    DOCUMENT, RUNS, evidence, gated, heard, leaves, past_runs, plan, playbooks, running,
};
pub use stored::{hits, indexed, stored, sums};
pub use talk::{TALKS, menu, queues, said, tabs};
pub use trees::{bases, kept, prospect, worktrees};

/// The instant at which every made-up world is looked at.
pub const NOW_MS: u64 = 1_760_000_000_000;

/// Scenes without a conversation.
const OTHERS: [&str; 43] = [
    "empty",
    "grid",
    "grid-many",
    "strip",
    "tiles",
    "workspaces",
    "broadcast",
    "single",
    "palette",
    "palette-files",
    "palette-branches",
    "palette-sessions",
    "new-agent",
    "new-agent-base",
    "rename",
    "resume",
    "toasts",
    "collisions",
    "search",
    "vi",
    "hints",
    "hover",
    "output",
    "paste",
    "link",
    "clipboard",
    "export",
    "debug",
    "sessions",
    "sessions-empty",
    "usage",
    "notices",
    "notices-empty",
    "settings",
    "settings-found",
    "themes",
    "help",
    "help-found",
    "chords",
    "chords-taken",
    "prefix",
    "mastery",
    "tour",
];

/// Scenes by what they show.
const GROUPS: [&[&str]; 6] = [&OTHERS, &TALKS, &RUNS, &REVIEW, &CHANGES, &files::FILES];

/// How many there are.
const ALL: usize = {
    let (mut count, mut group) = (0, 0);
    while group < GROUPS.len() {
        count += GROUPS[group].len();
        group += 1;
    }
    count
};

/// Every scene, in the order in which they are listed.
pub const NAMES: [&str; ALL] = {
    let mut names = [""; ALL];
    let (mut at, mut group) = (0, 0);
    while group < GROUPS.len() {
        let mut within = 0;
        while within < GROUPS[group].len() {
            names[at] = GROUPS[group][within];
            (at, within) = (at + 1, within + 1);
        }
        group += 1;
    }
    names
};

fn agent(
    id: u64,
    name: &str,
    provider: Provider,
    repository: &str,
    branch: &str,
    (state, because, minutes): (State, &str, u64),
) -> Agent {
    let main = PathBuf::from("/home/ada").join(repository);
    let worktree = branch != "main" && name != "api";
    let directory = if worktree {
        PathBuf::from(format!("/home/ada/{repository}-worktrees/{name}"))
    } else {
        main.clone()
    };
    Agent {
        id: AgentId(id),
        name: name.to_owned(),
        provider,
        directory,
        repository: Some(main),
        branch: Some(branch.to_owned()),
        worktree,
        ai_terminal: Some(TerminalId(id)),
        shell_terminal: Some(TerminalId(100 + id)),
        session: Some(format!("7f3c{id:04}-8f20-4a59-b3f6-63da0b1b4e10")),
        attention: Attention {
            until_ms: None,
            state,
            since_ms: NOW_MS - minutes * 60_000,
            because: because.to_owned(),
            source: Source::Stream,
        },
        created_ms: NOW_MS - 3_600_000 * 20_u64.saturating_sub(id),
        clipboard: maestro_core::agent::Clipboard::Focused,
        group: None,
        bookmarked: false,
    }
}

/// Eight agents in three repositories, and a run.
#[must_use]
pub fn world() -> World {
    use Provider::{Claude, Codex, Droid, OpenCode};
    let agents = vec![
        agent(1, "api", Claude, "shop", "feat/preferences", (State::Working, "running tests", 1)),
        agent(
            2,
            "web",
            Codex,
            "shop",
            "feat/settings-page",
            (State::NeedsYou, "approve: npm install zod", 2),
        ),
        agent(
            3,
            "db",
            OpenCode,
            "shop",
            "feat/migration",
            (State::Limited, "limited until 05:00", 31),
        ),
        agent(4, "docs", Claude, "shop", "docs/preferences", (State::Done, "3 files changed", 8)),
        agent(
            5,
            "e2e",
            Droid,
            "shop",
            "fix/flaky-checkout",
            (State::Failed, "some tasks of its checklist failed", 12),
        ),
        agent(
            6,
            "billing",
            Claude,
            "ledger",
            "feat/rounding",
            (State::NeedsYou, "asks: which currency first?", 14),
        ),
        agent(7, "parser", Codex, "libraries", "main", (State::Idle, "", 50)),
        agent(
            8,
            "legacy",
            OpenCode,
            "libraries",
            "fix/encoding",
            (State::Unknown, "no signal for 3 min", 3),
        ),
    ];
    let terminals = agents.iter().flat_map(terminals_of).collect();
    World { seq: 7, agents, terminals, runs: vec![run()], ..World::default() }
}

fn terminals_of(agent: &Agent) -> [TerminalInfo; 2] {
    let info = |id: Option<TerminalId>, title: &str| TerminalInfo {
        id: id.unwrap_or(TerminalId(0)),
        agent: Some(agent.id),
        title: title.to_owned(),
        directory: agent.directory.clone(),
        size: Size::new(80, 24),
        pid: Some(4000),
        exit: None,
        progress: None,
        pasting: None,
    };
    [info(agent.ai_terminal, agent.provider.title()), info(agent.shell_terminal, "zsh")]
}

fn task(text: &str, line: u32, state: TaskState, verify: Option<&str>, seconds: u64) -> Task {
    Task {
        state,
        attempts: 1,
        repairs: u32::from(line == 9),
        // A fresh session for each task.
        session: Some(format!("7f3c{line:02}ae-8f20-4a59-b3f6-63da0b1b4e10")),
        tree_before: Some(tree(line)),
        tree_after: (state == TaskState::Done).then(|| tree(line + 2)),
        verify: verify.map(|command| Verify {
            command: command.to_owned(),
            exit_code: Some(0),
            output: "14 passed".to_owned(),
        }),
        duration_ms: seconds * 1000,
        because: (state == TaskState::Working).then(|| "running tests".to_owned()),
        ..Task::new(
            PathBuf::from("/home/ada/shop/preferences.md"),
            text.to_owned(),
            line,
            NOW_MS - 41 * 60_000,
        )
    }
}

/// A tree's hash that follows from the one before.
fn tree(line: u32) -> String {
    format!("{:07x}", 0x9f3_1c2a_u32.wrapping_mul(line) & 0x0fff_ffff)
}

fn run() -> Run {
    let spec = Spec {
        documents: vec![PathBuf::from("/home/ada/shop/preferences.md")],
        directory: PathBuf::from("/home/ada/shop"),
        provider: Provider::Claude,
        agent: Some(AgentId(1)),
        model: None,
        turn_timeout_s: 3600,
        silence_timeout_s: 600,
        verify_timeout_s: 600,
        attempts: 3,
        unattended: true,
        options: maestro_core::run::Options::default(),
    };
    Run {
        tasks: vec![
            task(
                "Create database migration for user preferences",
                5,
                TaskState::Done,
                Some("cargo test -p db"),
                374,
            ),
            task(
                "Implement PreferencesService with CRUD",
                7,
                TaskState::Done,
                Some("cargo test -p core"),
                671,
            ),
            task("Add API endpoints", 9, TaskState::Done, Some("cargo test -p api"), 1310),
            task("Write integration tests", 11, TaskState::Working, None, 48),
        ],
        usage: Usage { cost_usd: Some(1.9), ..Usage::default() },
        ..Run::new(RunId(2), spec, NOW_MS - 41 * 60_000, 2, 3)
    }
}

/// Two agents that changed the same files.
#[must_use]
pub fn collisions() -> [Collisions; 2] {
    let met = |agent, other, with: &str, directory: &str| Collisions {
        agent: AgentId(agent),
        with: vec![Collision {
            with: with.to_owned(),
            directory: Some(PathBuf::from(directory)),
            agents: vec![AgentId(other)],
            files: vec![PathBuf::from("docs/preferences.md"), PathBuf::from("src/preferences.rs")],
        }],
    };
    [
        met(4, 1, "feat/preferences", "/home/ada/shop"),
        met(1, 4, "docs/preferences", "/home/ada/shop-worktrees/docs"),
    ]
}

/// A world with more agents than most people have.
#[must_use]
pub fn crowded() -> World {
    use Provider::{Claude, Codex, OpenCode};
    let mut world = world();
    let more = [
        (9, "search", Claude, "shop", "feat/search", (State::Working, "reading 14 files", 3)),
        (10, "cache", Codex, "shop", "perf/cache", (State::Working, "editing cache.rs", 6)),
        (11, "i18n", OpenCode, "ledger", "feat/i18n", (State::Working, "writing tests", 9)),
        (12, "export", Claude, "ledger", "feat/export", (State::Idle, "", 44)),
    ];
    for (id, name, provider, repository, branch, attention) in more {
        let agent = agent(id, name, provider, repository, branch, attention);
        world.terminals.extend(terminals_of(&agent));
        world.agents.push(agent);
    }
    world
}

/// A world with so many agents, in a few repositories.
#[must_use]
pub fn fleet(count: u64) -> World {
    let mut world = world();
    let few: Vec<Agent> = world.agents.clone();
    for id in few.len() as u64 + 1..=count {
        let like = &few[(id % few.len() as u64) as usize];
        let (state, because) = (like.attention.state, like.attention.because.clone());
        let (repository, branch) = (["shop", "ledger", "atlas"][id as usize % 3], "feat/");
        let agent = agent(
            id,
            &format!("agent-{id}"),
            like.provider,
            repository,
            &format!("{branch}{id}"),
            (state, &because, id % 60),
        );
        world.terminals.extend(terminals_of(&agent));
        world.agents.push(agent);
    }
    world
}

/// The same world after the host was killed: nothing that ran in it runs.
#[must_use]
pub fn after_a_crash() -> World {
    let mut world = world();
    for agent in &mut world.agents {
        (agent.ai_terminal, agent.shell_terminal) = (None, None);
        agent.attention.state = State::Resumable;
        agent.attention.because = "the host ended; its session can be resumed".to_owned();
        agent.attention.since_ms = NOW_MS - 4_000;
    }
    world.terminals.clear();
    world.runs.clear();
    world
}

/// What terminals cost.
#[must_use]
pub fn stats() -> Vec<TerminalStats> {
    let stats = |(id, hot, cold, history): (u64, u64, u64, u64)| TerminalStats {
        terminal: TerminalId(id),
        hot_bytes: hot,
        cold_bytes: cold,
        history,
        printed: history * 90,
        waiting: 0,
        frames: history / 4,
        unwritten: 0,
    };
    let all = [(1, 612_000, 1_310_000, 104_220), (2, 540_000, 64_000, 4_100), (3, 221_000, 0, 210)];
    all.map(stats).to_vec()
}

/// Every provider, one of them missing.
#[must_use]
pub fn providers() -> Vec<ProviderInfo> {
    let versions = [
        Some("2.0.55"),
        Some("0.63.0"),
        Some("1.0.107"),
        None,
        Some("1.0.102"),
        Some("0.61.0"),
        Some("0.1.0"),
        Some("zsh 5.9"),
    ];
    let info = |(provider, version): (Provider, Option<&str>)| ProviderInfo {
        provider,
        program: version.map(|_| PathBuf::from("/usr/local/bin").join(provider.name())),
        version: version.map(str::to_owned),
        unusable: version.is_none().then(|| {
            format!(
                "{} is not installed: there is no `{}` on the PATH of your login shell.",
                provider.title(),
                provider.name()
            )
        }),
    };
    Provider::ALL.into_iter().zip(versions).map(info).collect()
}

/// What is seen of the made-up repository.
#[must_use]
pub fn repository() -> Repository {
    Repository {
        root: Some(PathBuf::from("/home/ada/shop")),
        branch: Some("main".to_owned()),
        branches: [
            "main",
            "feat/preferences",
            "feat/settings-page",
            "feat/migration",
            "fix/flaky-checkout",
        ]
        .map(str::to_owned)
        .to_vec(),
        has_commits: true,
    }
}

/// The screen of a terminal of a size, as a full frame.
#[must_use]
pub fn frame(terminal: TerminalId, size: Size) -> Frame {
    let lines = screen(terminal).iter().flat_map(|line| folded(line, usize::from(size.cols)));
    let lines: Vec<String> = lines.take(usize::from(size.rows)).collect();
    let cursor = lines.iter().enumerate().find_map(|(row, line)| {
        let before = line.split_once("§_")?.0;
        Some(Cursor {
            row: row as u16,
            col: paint(before).cells.len() as u16,
            shape: CursorShape::Block,
            blinking: false,
        })
    });
    let rows = lines.iter().enumerate().map(|(at, line)| (at as u16, paint(line))).collect();
    Frame {
        terminal,
        generation: 1,
        size,
        full: true,
        rows,
        cursor,
        modes: Modes::default(),
        scroll: Scroll::default(),
        colors: Vec::new(),
        pointer: maestro_core::screen::Pointer::Default,
        flooding: false,
        input_seq: 0,
    }
}

/// A line of markup as a program lays it out in so many columns: boxes get narrower, text is folded.
fn folded(line: &str, cols: usize) -> Vec<String> {
    if paint(line).cells.len() <= cols {
        return vec![line.to_owned()];
    }
    if let Some(edge) = line.chars().last().filter(|c| matches!(c, '╮' | '╯' | '│')) {
        let inside = line.trim_end_matches(edge);
        let ink = inside.rfind('§').map_or("", |at| &line[at..at + "§0".len()]);
        return vec![format!("{}{ink}{edge}", cut(inside, cols.saturating_sub(1)))];
    }
    let (mut folds, mut fold, mut ink) = (Vec::new(), String::new(), String::new());
    for word in line.split_inclusive(' ') {
        let more = format!("{fold}{word}");
        if paint(more.trim_end()).cells.len() > cols && !fold.trim().is_empty() {
            folds.push(std::mem::replace(&mut fold, format!("{ink}  {word}")));
        } else {
            fold = more;
        }
        if let Some(at) = word.rfind('§') {
            ink = word[at..].chars().take(2).collect();
        }
    }
    folds.push(fold);
    folds
}

/// The first cells of a line of markup.
fn cut(line: &str, cells: usize) -> String {
    let (mut kept, mut count) = (String::new(), 0);
    let mut characters = line.chars();
    while let Some(c) = characters.next() {
        match c {
            '§' => kept.extend([c].into_iter().chain(characters.next())),
            c if count < cells => {
                kept.push(c);
                count += 1;
            }
            _ => {}
        }
    }
    kept
}

/// A line of markup as a row: `§` and a letter change the ink.
fn paint(line: &str) -> Row {
    let mut cells = Vec::new();
    let (mut fg, mut style) = (Color::DEFAULT, 0);
    let mut characters = line.chars();
    while let Some(c) = characters.next() {
        if c != '§' {
            cells.push(Cell { glyph: c as u32, fg, flags: style, ..Cell::BLANK });
            continue;
        }
        (fg, style) = match characters.next() {
            Some('w') => (Color::DEFAULT, flags::BOLD),
            Some('r') => (Color::indexed(1), 0),
            Some('g') => (Color::indexed(2), 0),
            Some('y') => (Color::indexed(3), 0),
            Some('b') => (Color::indexed(4), 0),
            Some('p') => (Color::indexed(5), 0),
            Some('c') => (Color::indexed(6), 0),
            Some('d') => (Color::indexed(8), 0),
            _ => (Color::DEFAULT, 0),
        };
    }
    Row { cells, ..Row::default() }
}

const API: &[&str] = &[
    "§d❯§0 add the preferences endpoint and its tests",
    "",
    "§g●§0 First: how are the others wired?",
    "",
    "§g●§0 §wRead§0(src/api/routes.rs)",
    "  §d└ 142 lines",
    "",
    "§g●§0 §wUpdate§0(src/api/preferences.rs)",
    "  §d└ Added 61 lines",
    "    §d12§0 §g+ pub async fn get(s: State) -> Json<Prefs> {",
    "    §d13§0 §g+     Json(s.prefs.load(user).await)",
    "    §d14§0 §g+ }",
    "",
    "§b✢ Running tests…§0 §d(48s · ↓ 3.1k tokens)",
    "",
    "§d╭────────────────────────────────────────────────╮",
    "§d│§0 ❯ §_                                             §d│",
    "§d╰────────────────────────────────────────────────╯",
];

const WEB: &[&str] = &[
    "§g●§0 The form needs a schema library. May I run:",
    "",
    "§y╭─ Approve? ─────────────────────────────────────╮",
    "§y│§0 §wnpm install zod                                §y│",
    "§y│§0 §din worktrees/web · writes package.json         §y│",
    "§y│                                                §y│",
    "§y│§0 §y❯§0 §w1. Yes                                       §y│",
    "§y│§0   2. Yes, and don't ask again                  §y│",
    "§y│§0   3. No, and say what to do instead            §y│",
    "§y╰────────────────────────────────────────────────╯",
];

const DB: &[&str] = &[
    "§g●§0 Migration 0042 written and applied.",
    "",
    "§p■ You've hit your limit · resets 05:00",
    "",
    "  §dNothing is lost. Work goes on at 05:00.",
    "",
    "  §d[t]§0 try now   §d[s]§0 stop waiting",
];

const DOCS: &[&str] = &[
    "§g●§0 §wUpdate§0(docs/preferences.md)",
    "  §d└ Added 38 lines",
    "",
    "§g●§0 The page now covers defaults, scopes and errors.",
    "  Every example was run against the test server.",
    "",
    "§d❯§0 §_",
];

const E2E: &[&str] = &[
    "§g~/shop-worktrees/e2e§0 §bfix/flaky-checkout§0 §y±",
    "§d$§0 cargo test -p e2e",
    "   §gCompiling§0 e2e v0.3.1",
    "    §gFinished§0 test profile in 3.42s",
    "     §gRunning§0 tests/preferences.rs",
    "",
    "running 4 tests",
    "test get_returns_defaults ... §gok",
    "test put_rejects_unknown_keys ... §gok",
    "test put_is_idempotent ... §gok",
    "test concurrent_puts_last_wins ... §rFAILED",
    "",
    "§d$§0 §_",
];

const OTHER: &[&str] = &[
    "§d❯§0 keep the public interface as it is",
    "",
    "§g●§0 §wRead§0(src/lib.rs)",
    "  §d└ 388 lines",
    "",
    "§g●§0 §wSearch§0(\"fn round_half_even\")",
    "  §d└ 3 matches in 2 files",
    "",
    "§b✢ Thinking…§0 §d(12s)",
    "",
    "§d❯§0 §_",
];

const FAILED: &[&str] = &[
    "§d>§0 make the checkout test reliable",
    "",
    "§g●§0 §wEdit§0(tests/preferences.rs)",
    "  §d└ the two writers now wait for each other",
    "",
    "§r✗§0 cargo test -p e2e exited with 101",
    "  §dconcurrent_puts_last_wins still fails.",
    "",
    "§d>§0 §_",
];

const IDLE: &[&str] = &["§wWhat shall I do?", "", "  §d↵ send   ctrl+j new line", "", "§d❯§0 §_"];

fn screen(terminal: TerminalId) -> &'static [&'static str] {
    match terminal.0 {
        1 => API,
        2 => WEB,
        3 => DB,
        4 => DOCS,
        5 => FAILED,
        101..=199 => E2E,
        7 | 12 => IDLE,
        _ => OTHER,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_laid_out_in_the_columns_there_are() {
        for (line, cols, expected) in [
            ("§gone§0 two three", 8, &["§gone§0 two ", "§0  three"][..]),
            ("§d╭─────╮", 5, &["§d╭───§d╮"]),
            ("§d│§0 x   §d│", 5, &["§d│§0 x §d§d│"]),
            ("short", 80, &["short"]),
        ] {
            assert_eq!(folded(line, cols), expected, "{line} in {cols}");
        }
    }

    #[test]
    fn nothing_runs_after_a_crash() {
        let world = after_a_crash();
        assert!(world.terminals.is_empty());
        assert!(world.agents.iter().all(|agent| agent.ai_terminal.is_none()));
    }

    #[test]
    fn every_task_has_a_session_of_its_own() {
        let run = run();
        let sessions: std::collections::HashSet<_> =
            run.tasks.iter().map(|task| &task.session).collect();
        assert_eq!(sessions.len(), run.tasks.len());
        let worked: u64 = run.tasks.iter().map(|task| task.duration_ms).sum();
        assert!(worked <= NOW_MS - run.started_ms);
    }

    #[test]
    fn markup_becomes_cells() {
        let row = paint("§gok§0 §wbold");
        assert_eq!(row.text(), "ok bold");
        assert_eq!(row.cells[0].fg, Color::indexed(2));
        assert_eq!(row.cells[2].fg, Color::DEFAULT);
        assert!(row.cells[3].has(flags::BOLD));
    }
}

//! Made-up checklists, runs and what their ticks rest on.

use std::path::PathBuf;

use maestro_core::RunId;
use maestro_core::playbook::{Found, Heard, HeardKind, Leaf, Listed, Plan, Planned, Playbook};
use maestro_core::run::{
    Ahead, Ending, Evidence, Flag, Made, Pause, Run, State, TaskState, Verify,
};
use maestro_core::turn::Usage;

use super::{NOW_MS, world};

/// Every scene of Auto Run.
pub const RUNS: [&str; 17] = [
    "runs",
    "runs-document",
    "runs-editing",
    "runs-locked",
    "runs-conflict",
    "runs-none",
    "runs-live",
    "runs-evidence",
    "runs-changes",
    "runs-gate",
    "runs-nothing",
    "runs-undo",
    "runs-history",
    "runs-start",
    "runs-plan",
    "runs-trust",
    "runs-panel",
];

/// A checklist.
pub const DOCUMENT: &str = "# Preferences\n\nUsers keep **how they want things** per account. See \
`docs/preferences.md` for the words, and keep to the style of the *orders* service.\n\n## Storage\n\n\
- [x] Create database migration for user preferences\n  verify: cargo test -p db\n\
- [x] Implement `PreferencesService` with create, read, update and delete {#service}\n  verify: cargo test -p core\n\n\
## Interface\n\n- [x] Add API endpoints\n  needs: service\n  verify: cargo test -p api\n\
- [ ] Write integration tests\n  Cover concurrent writes: the last one wins.\n  verify: cargo test --test preferences\n\
\x20 - [ ] for the happy path\n\x20 - [ ] for what is refused\n- [ ] Update API documentation\n  needs: service\n\n\
```sh\n# Run it once by hand before the release\ncargo run -p api -- --seed demo\n```\n";

/// A folder of checklists.
#[must_use]
pub fn leaves() -> Vec<Leaf> {
    let leaf = |path: &str, is_folder: bool, open: u32, done: u32| Leaf {
        path: path.to_owned(),
        depth: path.matches('/').count() as u16,
        is_folder,
        is_playbook: path == "release",
        open,
        done,
        problem: (path == "old/notes.md")
            .then(|| "it is not UTF-8 text (byte 12, line 1)".to_owned()),
    };
    vec![
        leaf("old", true, 0, 14),
        leaf("old/checkout.md", false, 0, 14),
        leaf("old/notes.md", false, 0, 0),
        leaf("release", true, 11, 2),
        leaf("release/1-prepare.md", false, 4, 2),
        leaf("release/2-test.md", false, 5, 0),
        leaf("release/3-publish.md", false, 2, 0),
        leaf("flaky-tests.md", false, 7, 1),
        leaf("preferences.md", false, 4, 3),
    ]
}

/// Playbooks that came with Maestro.
#[must_use]
pub fn playbooks() -> Vec<Found> {
    let found = |name: &str, folder: &str, description: &str| Found {
        folder: PathBuf::from("/home/ada/.maestro/playbooks").join(folder),
        playbook: Playbook {
            name: name.to_owned(),
            description: description.to_owned(),
            documents: vec![Listed { path: "1-plan.md".to_owned(), reset: true }],
            ..Playbook::default()
        },
        has_file: true,
        shipped: true,
        problem: None,
    };
    vec![
        found("Feature", "feature", "From an idea in a paragraph to tested code"),
        found("Test coverage", "test-coverage", "Finds what is not tested, and tests it"),
        found("Dependency update", "dependency-update", "One dependency at a time, verified"),
        found("Security review", "security-review", "Looks for what others would look for"),
    ]
}

/// What a task's tick rests on.
#[must_use]
pub fn evidence(run: &Run, index: usize) -> Evidence {
    let task = run.tasks.get(index).cloned().unwrap_or_else(|| run.tasks[0].clone());
    let (session, tree_before, tree_after) =
        (task.session.clone(), task.tree_before.clone(), task.tree_after.clone());
    let made = |attempt, minutes: u64| Made {
        attempt,
        at_ms: NOW_MS - minutes * 60_000,
        prompt:
            "Do one task of a checklist, and nothing else.\n\nThe task: Add API endpoints\n\nWhen \
                 you are done, `cargo test -p api` has to pass. Do not tick the box."
                .to_owned(),
        session: session.clone(),
        model: Some("opus".to_owned()),
        tree_before: tree_before.clone(),
        tree_after: tree_after.clone(),
        answer: "The three endpoints are there: GET, PUT and DELETE /preferences. Errors use the \
                 mapping of sessions. I ran the tests of the crate: 14 pass."
            .to_owned(),
        failure: None,
        usage: Usage {
            input_tokens: 38_200,
            cached_tokens: 30_000,
            output_tokens: 6_100,
            cost_usd: Some(0.61),
        },
        duration_ms: 612_000,
    };
    let failed = Verify {
        command: "cargo test -p api".to_owned(),
        exit_code: Some(101),
        output: "running 14 tests\ntest put_is_idempotent ... FAILED\n\nfailures:\n\nthread \
                 'put_is_idempotent' panicked at crates/api/tests/preferences.rs:41:5:\nassertion `left == right` \
                 failed\n  left: 409\n right: 200\n\ntest result: FAILED. 13 passed; 1 failed"
            .to_owned(),
    };
    let passed = Verify {
        command: "cargo test -p api".to_owned(),
        exit_code: Some(0),
        output: "running 14 tests\n..............\ntest result: ok. 14 passed; 0 failed".to_owned(),
    };
    let mut task = task;
    task.commits = vec!["4be07d1c0a9d4a3f9d0fb27f2a50ee2fd3d6a9c1".to_owned()];
    task.model = Some("opus".to_owned());
    task.usage = made(1, 0).usage;
    Evidence {
        run: run.id,
        index: u32::try_from(index).unwrap_or(0),
        task,
        turns: vec![made(1, 24)],
        verified: vec![failed, passed],
        diff: Some(
            "diff --git a/crates/api/src/preferences.rs b/crates/api/src/preferences.rs\nnew file mode \
             100644\n--- /dev/null\n+++ b/crates/api/src/preferences.rs\n@@ -0,0 +1,5 @@\n+//! Preferences of a \
             user.\n+\n+pub async fn get(State(s): State<App>) -> Json<Prefs> {\n+    \
             Json(s.prefs.load(user).await)\n+}\ndiff --git a/crates/api/src/routes.rs \
             b/crates/api/src/routes.rs\n--- a/crates/api/src/routes.rs\n+++ b/crates/api/src/routes.rs\n@@ -12,3 \
             +12,4 @@ pub fn routes() -> Router<App> {\n     Router::new()\n-        .route(\"/session\", \
             get(session))\n+        .route(\"/session\", get(session::get))\n+        .route(\"/preferences\", \
             get(preferences::get))\n         .layer(trace())\n"
                .to_owned(),
        ),
        diff_cut: false,
        built_on_by: if index == 0 { vec![1, 2] } else { Vec::new() },
    }
}

/// What the run of the made-up world says.
#[must_use]
pub fn heard() -> Vec<Heard> {
    let line = |kind, text: &str| Heard { task: 3, kind, text: text.to_owned() };
    vec![
        line(HeardKind::Maestro, "Attempt 1 in a fresh session"),
        line(
            HeardKind::Thinking,
            "The endpoints have unit tests; what is missing are two writers at once.",
        ),
        line(HeardKind::Tool, "Read crates/api/tests/session.rs"),
        line(HeardKind::Tool, "Read crates/api/src/preferences.rs"),
        line(
            HeardKind::Text,
            "The session tests start the whole service with a scratch database. I'll do \
                               the same for preferences and cover the four cases of the document, concurrent \
                               writes among them.",
        ),
        line(HeardKind::Tool, "Write crates/api/tests/preferences.rs"),
        line(HeardKind::Tool, "Bash cargo test --test preferences"),
        line(HeardKind::Verify, "running 9 tests"),
        line(HeardKind::Verify, "test get_returns_defaults ... ok"),
        line(HeardKind::Verify, "test put_rejects_unknown_keys ... ok"),
        line(HeardKind::Verify, "test put_is_idempotent ... ok"),
    ]
}

/// The run of the made-up world with what is ahead of it.
#[must_use]
pub fn running() -> Run {
    let mut run = world().runs.remove(0);
    let document = run.spec.documents[0].clone();
    let ahead =
        |line, text: &str| Ahead { document: document.clone(), line, text: text.to_owned() };
    run.ahead = vec![ahead(27, "Update API documentation"), ahead(31, "Tell the changelog")];
    run.open = 3;
    for (task, cost) in run.tasks.iter_mut().zip([0.42, 0.51, 0.61, 0.36]) {
        task.usage.cost_usd = Some(cost);
    }
    if let Some(task) = run.tasks.get_mut(3) {
        task.started_ms = NOW_MS - 48_000;
    }
    run.flags = vec![Flag {
        at_ms: NOW_MS - 600_000,
        task: Some(2),
        text: "the agent ticked “Update API documentation” without evidence: it is open again"
            .to_owned(),
    }];
    run
}

/// A run that waits for a person.
#[must_use]
pub fn gated() -> Run {
    let mut run = running();
    run.tasks.truncate(3);
    run.flags.clear();
    run.state = State::Paused(Pause::Gate {
        document: run.spec.documents[0].clone(),
        line: 19,
        reason: "look at the new endpoints before tests are written for them".to_owned(),
        artifact: Some("docs/preferences.md".to_owned()),
    });
    run
}

/// Runs of the last weeks.
#[must_use]
pub fn past_runs() -> Vec<Run> {
    let names = ["release/2-test.md", "flaky-tests.md", "i18n.md", "docs.md", "coverage.md"];
    (0..24_u64)
        .map(|at| {
            let mut run = running();
            let ago = (at * at * 9 / 4 + 26 * at + 20) * 3_600_000 / 2;
            run.id = RunId(100 - at);
            run.spec.documents = vec![PathBuf::from("/home/ada/shop").join(names[at as usize % 5])];
            run.started_ms = NOW_MS - ago;
            run.ended_ms = Some(NOW_MS - ago + (20 + at * 7 % 90) * 60_000);
            run.worked_ms = (15 + at * 7 % 80) * 60_000;
            run.usage.cost_usd = Some(0.8 + (at * 37 % 50) as f64 / 10.0);
            run.ahead.clear();
            run.flags.clear();
            run.tasks.truncate(if at % 4 == 1 { 2 } else { 3 });
            let fails = at % 5 == 3;
            for (number, task) in run.tasks.iter_mut().enumerate() {
                task.started_ms = run.started_ms;
                task.ended_ms = run.ended_ms;
                if fails && number == 1 {
                    task.state = TaskState::Failed;
                    task.because = Some("cargo test exited with 101 three times".to_owned());
                }
                if at % 3 != 0 {
                    task.text = format!("Cover module {number} of the checkout");
                }
            }
            run.open = u32::from(fails);
            run.done = run.tasks.len() as u32 - run.open;
            run.state = State::Ended(match at {
                5 => Ending::Stopped,
                9 => Ending::Failed("the disk is full: nothing was ticked after that".to_owned()),
                _ if fails => Ending::WithFailures,
                _ => Ending::Completed,
            });
            run
        })
        .collect()
}

/// What a run would do.
#[must_use]
pub fn plan(trusted: bool) -> Plan {
    let run = running();
    let task = |line, text: &str, verify: Option<&str>| Planned {
        document: run.spec.documents[0].clone(),
        line,
        text: text.to_owned(),
        provider: run.spec.provider,
        model: None,
        verify: verify.map(str::to_owned),
        needs: Vec::new(),
        prompt: format!(
            "Do one task of a checklist, and nothing else.\n\nThe task: {text}\nIt stands in \
             preferences.md, line {line}, under “Interface”.\n\nWork in /home/ada/shop. Do not tick boxes: \
             Maestro does, when the task is verified."
        ),
    };
    Plan {
        tasks: vec![
            task(19, "Write integration tests", Some("cargo test --test preferences")),
            task(22, "for the happy path", None),
            task(23, "for what is refused", None),
            task(24, "Update API documentation", None),
        ],
        findings: vec![maestro_core::playbook::Finding {
            document: run.spec.documents[0].clone(),
            line: 24,
            kind: maestro_core::playbook::FindingKind::HumanOnly,
            text: "it has no verify command: nobody but the agent says that it is done".to_owned(),
        }],
        commands: vec!["cargo test --test preferences".to_owned()],
        unknown: if trusted { Vec::new() } else { vec![run.spec.documents[0].clone()] },
        hash: "9f31c2a".to_owned(),
        is_trusted: trusted,
        dirty: if trusted { 0 } else { 3 },
        obstacles: Vec::new(),
        in_use: Vec::new(),
    }
}

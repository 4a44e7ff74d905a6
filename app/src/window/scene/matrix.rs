//! Made-up branches: how they fit together, and how they come home.

use std::path::{Path, PathBuf};

use maestro_core::conflict::{Cell, Clash, Fit, Hunk, Matrix, Side};
use maestro_core::race::{Race, Runner};
use maestro_core::train::{
    Car, CarState, Check, End, How, Loss, Move, Plan, Prospect, Spec, Train,
};
use maestro_core::{AgentId, TabId, TrainId};

use super::NOW_MS;

/// Every scene of branches.
pub const REVIEW: [&str; 15] = [
    "conflicts",
    "conflicts-clean",
    "conflicts-many",
    "conflicts-none",
    "conflicts-error",
    "train",
    "train-target",
    "train-obstacle",
    "train-going",
    "train-stopped",
    "train-undo",
    "race",
    "worktrees",
    "worktrees-remove",
    "worktrees-busy",
];

/// The repository.
pub const ROOT: &str = "/home/ada/shop";

fn side(name: &str, branch: &str, is_dirty: bool, touched: u32) -> Side {
    let directory = match name {
        "" | "api" => PathBuf::from(ROOT),
        name => PathBuf::from(format!("{ROOT}-worktrees/{name}")),
    };
    Side {
        directory,
        branch: Some(branch.to_owned()),
        head: Some("4be07d1c0ffee".to_owned()),
        is_dirty,
        touched,
        problem: None,
    }
}

fn files(names: &[&str]) -> Vec<PathBuf> {
    names.iter().map(PathBuf::from).collect()
}

/// How five branches fit.
#[must_use]
pub fn matrix() -> Matrix {
    let sides = vec![
        side("api", "feat/preferences", true, 14),
        side("web", "feat/settings-page", true, 9),
        side("db", "feat/migration", false, 4),
        side("docs", "docs/preferences", false, 3),
        side("e2e", "fix/flaky-checkout", true, 6),
    ];
    let mut cells = Vec::new();
    let count = sides.len() as u32;
    for a in 0..count {
        for b in (a + 1..count).map(Some).chain([None]) {
            let fit = match (a, b) {
                (0, Some(1)) => Fit::Conflicts(files(&["src/api/routes.rs"])),
                (0, Some(2)) => Fit::SameFiles(files(&["Cargo.lock", "src/lib.rs"])),
                (0, Some(4)) => Fit::Conflicts(files(&[
                    "tests/preferences.rs",
                    "tests/checkout.rs",
                    "Cargo.toml",
                ])),
                (1, Some(3)) => Fit::SameFiles(files(&["docs/preferences.md"])),
                _ => Fit::Apart,
            };
            cells.push(Cell { a, b, fit });
        }
    }
    Matrix { target: Some("main".to_owned()), sides, cells, took_ms: 38, ..Matrix::default() }
}

/// The same, with nothing that conflicts.
#[must_use]
pub fn clean_matrix() -> Matrix {
    let mut matrix = matrix();
    for cell in &mut matrix.cells {
        if matches!(cell.fit, Fit::Conflicts(_)) {
            cell.fit = Fit::Apart;
        }
    }
    matrix
}

/// How twenty branches fit.
#[must_use]
pub fn large_matrix() -> Matrix {
    let topics = [
        "search", "cache", "i18n", "export", "billing", "invoices", "login", "sessions", "mail",
        "images", "checkout", "stock", "prices", "taxes", "returns", "reports", "admin", "audit",
        "limits", "webhooks",
    ];
    let sides: Vec<_> = topics
        .iter()
        .enumerate()
        .map(|(at, topic)| side(topic, &format!("feat/{topic}"), at % 3 == 0, at as u32 % 7 + 1))
        .collect();
    let mut cells = Vec::new();
    let count = sides.len() as u32;
    for a in 0..count {
        for b in (a + 1..count).map(Some).chain([None]) {
            let fit = match b {
                Some(b) if (a * 7 + b * 3) % 23 == 0 => Fit::Conflicts(files(&["src/routes.rs"])),
                Some(b) if (a + b * 5) % 11 == 0 => Fit::SameFiles(files(&["Cargo.lock"])),
                None if a == 6 => Fit::Conflicts(files(&["src/session.rs", "src/login.rs"])),
                None if a == 12 => {
                    Fit::Unknown("the worktree has more than 4 GiB of changes".into())
                }
                _ => Fit::Apart,
            };
            cells.push(Cell { a, b, fit });
        }
    }
    Matrix { target: Some("main".to_owned()), sides, cells, took_ms: 214, notes: Vec::new() }
}

/// Where two of them conflict.
#[must_use]
pub fn clashes() -> Vec<Clash> {
    let hunk = |line, ours: &str, theirs: &str| Hunk {
        line,
        ours: ours.to_owned(),
        theirs: theirs.to_owned(),
    };
    vec![
        Clash {
            path: "tests/preferences.rs".into(),
            kind: "CONFLICT (contents)".to_owned(),
            hunks: vec![
                hunk(
                    41,
                    "    assert_eq!(res.status(), 409);\n",
                    "    assert_eq!(res.status(), StatusCode::OK);\n    assert!(res.body().is_empty());\n",
                ),
                hunk(88, "", "    retry(3, || checkout(&shop)).await?;\n"),
            ],
            is_cut: false,
        },
        Clash {
            path: "Cargo.toml".into(),
            kind: "CONFLICT (contents)".to_owned(),
            hunks: vec![hunk(
                19,
                "tokio = \"1.47\"\n",
                "tokio = { version = \"1.48\", features = [\"rt\"] }\n",
            )],
            is_cut: false,
        },
        Clash {
            path: "tests/checkout.rs".into(),
            kind: "CONFLICT (modify/delete)".to_owned(),
            hunks: Vec::new(),
            is_cut: false,
        },
    ]
}

fn spec() -> Spec {
    Spec {
        repository: PathBuf::from(ROOT),
        target: "main".to_owned(),
        cars: ["docs/preferences", "feat/migration", "feat/settings-page", "feat/preferences"]
            .map(str::to_owned)
            .to_vec(),
        sorted: true,
        how: How::Merge,
        verify: vec!["cargo test --workspace".to_owned()],
        limit_s: 1800,
        commit: false,
        returns: 2,
    }
}

/// What a train would do.
#[must_use]
pub fn train_plan(obstacle: bool) -> Plan {
    let prospect = |branch: &str, agent, ahead, uncommitted, collides: &[&str]| Prospect {
        branch: branch.to_owned(),
        directory: None,
        agent: Some(AgentId(agent)),
        ahead,
        uncommitted,
        fit: Fit::Apart,
        collides: collides.iter().map(|name| (*name).to_owned()).collect(),
    };
    Plan {
        spec: spec(),
        target_at: "4be07d1c0ffee".to_owned(),
        checked_out: Some(PathBuf::from(ROOT)),
        cars: vec![
            prospect("docs/preferences", 4, 2, 0, &[]),
            prospect("feat/migration", 3, 1, 0, &[]),
            prospect("feat/settings-page", 2, 3, 2, &[]),
            prospect("feat/preferences", 1, 5, 1, &["feat/settings-page"]),
        ],
        obstacles: obstacle
            .then(|| {
                "main is checked out in /home/ada/shop and 2 files there are not committed: commit them \
                 or put them aside, and plan again"
                    .to_owned()
            })
            .into_iter()
            .collect(),
    }
}

fn car(branch: &str, agent: u64, state: CarState) -> Car {
    Car {
        branch: branch.to_owned(),
        directory: None,
        agent: Some(AgentId(agent)),
        state,
        returned: 0,
        overtaken: 0,
        checks: Vec::new(),
    }
}

fn passed(output: &str) -> Vec<Check> {
    vec![Check {
        command: "cargo test --workspace".to_owned(),
        code: Some(0),
        output: output.to_owned(),
    }]
}

/// A train that goes: two are aboard, one is checked, one goes back.
#[must_use]
pub fn train() -> Train {
    let aboard = |commit: &str| CarState::Aboard { commit: commit.repeat(5) };
    let mut cars = vec![
        car("docs/preferences", 4, aboard("9f31c2a0")),
        car("feat/migration", 3, aboard("4be07d1c")),
        car(
            "fix/flaky-checkout",
            5,
            CarState::Verifying { from: "4be07d1c".into(), to: "77aa01b2".into() },
        ),
        car(
            "feat/preferences",
            1,
            CarState::Lost(Loss::Conflict(clashes().into_iter().take(2).collect())),
        ),
    ];
    cars[0].checks = passed("running 214 tests\ntest result: ok. 214 passed; 0 failed");
    cars[1].checks = passed("running 219 tests\ntest result: ok. 219 passed; 0 failed");
    Train::new(TrainId(3), spec(), cars, NOW_MS - 138_000)
}

/// It stands, because the target was in the way.
#[must_use]
pub fn stopped_train() -> Train {
    let mut train = train();
    train.stop(
        "main is checked out in /home/ada/shop, where src/lib.rs is changed and not committed; commit it \
         there",
    );
    train
}

/// One that went, and one that stayed behind.
#[must_use]
pub fn past_train() -> Train {
    let mut train = train();
    train.cars.truncate(3);
    train.cars[2].state = CarState::Left(Loss::Check(Check {
        command: "cargo test --workspace".to_owned(),
        code: Some(101),
        output: String::new(),
    }));
    train.cars[2].returned = 2;
    train.cars[2].checks = vec![Check {
        command: "cargo test --workspace".to_owned(),
        code: Some(101),
        output: "running 219 tests\ntest checkout::retries ... FAILED\n\nfailures:\n\n---- checkout::retries \
                 stdout ----\nthread 'checkout::retries' panicked at tests/checkout.rs:88:5:\nassertion \
                 `left == right` failed\n  left: 3\n right: 4\n\ntest result: FAILED. 218 passed; 1 failed"
            .to_owned(),
    }];
    for (car, from, to) in [(0, "1111", "2222"), (1, "2222", "3333")] {
        let branch = train.cars[car].branch.clone();
        train.moves.push(Move { branch, from: from.into(), to: to.into() });
    }
    train.end(End::Partly, NOW_MS - 20_000);
    train
}

/// Three tries at one task.
#[must_use]
pub fn race() -> Race {
    let runner =
        |number: u32, agent, lines: (u32, u32, u32), cost, minutes: u64, code: Option<i32>| {
            Runner {
                branch: format!("fix/rounding-{number}"),
                directory: Path::new(ROOT).join(format!("rounding-{number}")),
                agent: Some(AgentId(agent)),
                is_busy: code == Some(2),
                commits: 1 + number % 2,
                files: lines.0,
                added: lines.1,
                removed: lines.2,
                cost,
                worked_ms: Some(minutes * 60_000),
                check: Some(Check {
                    command: "cargo test -p ledger".to_owned(),
                    code: code.filter(|code| *code != 2),
                    output: String::new(),
                })
                .filter(|_| code != Some(2)),
                problem: None,
            }
        };
    Race {
        name: "fix/rounding".to_owned(),
        target: "main".to_owned(),
        runners: vec![
            runner(1, 1, (6, 214, 31), Some(1.9), 12, Some(0)),
            runner(2, 2, (2, 48, 12), Some(0.61), 7, Some(0)),
            runner(3, 3, (4, 97, 80), None, 9, Some(101)),
            runner(4, 5, (1, 12, 3), Some(0.4), 3, Some(2)),
        ],
    }
}

/// The branches of that race.
#[must_use]
pub fn race_matrix() -> Matrix {
    let sides = (1..=4)
        .map(|number| side(&format!("r{number}"), &format!("fix/rounding-{number}"), true, 2))
        .collect();
    Matrix { sides, ..matrix() }
}

/// A turn in which an agent resolves.
#[must_use]
pub fn returned(mut train: Train) -> Train {
    let loss = Loss::Conflict(clashes());
    if let Some(car) = train.cars.last_mut() {
        (car.state, car.returned) = (CarState::Returned { tab: TabId(1), loss }, 1);
    }
    train
}

//! Random runs in a random world, against rules that are checked from outside.
//!
//! Every run is made of one seed: its documents, its options, what its agents do (succeed, lie, edit, add,
//! hang, crash, run into limits, break the tree), what the user does in between, and where the host dies.
//! A failure names its seed: `MAESTRO_MODEL_SEED=n` runs that one alone. `MAESTRO_MODEL_RUNS=10000` runs
//! more than the few hundred of every day.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::*;
use crate::id::RunId;
use crate::run::{Budgets, Loops, Mode, OnFailure, State, TaskState};
use crate::turn::FailureKind;

/// Runs on every day.
const RUNS: u64 = 1_000;
/// The user ends a run after so many turns, or some would go on for ever.
const MOST_TURNS: u32 = 60;
/// Effects of one run. One that needs more never ends.
const MOST_EFFECTS: u32 = 50_000;

/// Numbers that look random, the same for the same seed.
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n.max(1) as u64).expect("small")
    }

    /// True so many times in a hundred.
    fn percent(&mut self, n: usize) -> bool {
        self.below(100) < n
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

struct World {
    dice: Dice,
    documents: BTreeMap<PathBuf, String>,
    originals: BTreeMap<PathBuf, String>,
    files: BTreeSet<String>,
    /// Files when each commit was made.
    commits: Vec<BTreeSet<String>>,
    journal: Vec<(u64, Entry)>,
    now_ms: u64,
    names: usize,
    turns: u32,
    deaths: u32,
    orders: u32,
    resumes: u32,
    /// Boxes that were ticked at the beginning, or by the user.
    given: HashMap<(PathBuf, String), usize>,
    /// Commands that may run.
    commands: HashSet<String>,
    /// Whether the last attempt to write a document failed.
    is_faulty: bool,
    cancelled: bool,
    spec: Spec,
}

use crate::run::Spec;

impl World {
    fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let mut world_documents = BTreeMap::new();
        let mut names = 0;
        let listed: Vec<PathBuf> =
            (0..=dice.below(3)).map(|at| PathBuf::from(format!("/d/list{at}.md"))).collect();
        for path in &listed {
            let _ = world_documents.insert(path.clone(), document(&mut dice, &mut names));
        }
        let spec = spec(&mut dice, listed);
        let mut commands: HashSet<String> = spec.options.verify.iter().cloned().collect();
        let mut given = HashMap::new();
        for (path, text) in &world_documents {
            let document = parse(text);
            for task in document.tasks() {
                commands.extend(task.fields.verify_command());
                if task.checked {
                    *given.entry((path.clone(), task.text.clone())).or_default() += 1;
                }
            }
        }
        Self {
            dice,
            originals: world_documents.clone(),
            documents: world_documents,
            files: BTreeSet::new(),
            commits: vec![BTreeSet::new()],
            journal: vec![(0, Entry::Started)],
            now_ms: 1_000_000,
            names,
            turns: 0,
            deaths: 0,
            orders: 0,
            resumes: 0,
            given,
            commands,
            is_faulty: false,
            cancelled: false,
            spec,
        }
    }

    fn machine(&self) -> Machine {
        let run = Run::new(RunId(1), self.spec.clone(), 1000, 0, 0);
        match self.journal.len() {
            1 => Machine::new(run, Policy::default()),
            _ => Machine::resume(run, Policy::default(), &self.journal),
        }
    }

    fn live(&mut self) -> Machine {
        let mut machine = self.machine();
        let mut todo: VecDeque<Effect> = machine.step(Input::Begin, self.now_ms).into();
        let mut answer: Option<Input> = None;
        for _ in 0..MOST_EFFECTS {
            if self.deaths < 12 && self.dice.percent(2) {
                self.deaths += 1;
                (answer, self.cancelled) = (None, false);
                machine = self.machine();
                self.now_ms += 1;
                todo = machine.step(Input::Begin, self.now_ms).into();
                continue;
            }
            if let Some(effect) = todo.pop_front() {
                if let Some(came) = self.act(effect, &machine) {
                    answer = Some(came);
                }
                continue;
            }
            // All that follows from one input is written at one time.
            self.now_ms += 1;
            if let Some(order) = self.order(&machine) {
                self.agree(&machine);
                todo.extend(machine.step(order, self.now_ms));
                continue;
            }
            match answer.take() {
                Some(came) => {
                    let came = self.cut(came);
                    todo.extend(machine.step(came, self.now_ms));
                }
                None if machine.is_over() => return machine,
                None if machine.is_paused() => match self.look_after(&machine) {
                    Some(input) => {
                        self.agree(&machine);
                        todo.extend(machine.step(input, self.now_ms));
                    }
                    None => return machine,
                },
                None => panic!("it waits for something that never comes: {:?}", machine.phase),
            }
        }
        panic!("it never ends: {:?}", machine.run().state);
    }

    /// Who lets a run go on agrees to the command it asks about.
    fn agree(&mut self, machine: &Machine) {
        if let (true, (_, Some(asks))) = (machine.is_paused(), &machine.granted) {
            self.commands.extend(asks.command.clone());
        }
    }

    /// What is answered to something that was cancelled.
    fn cut(&mut self, answer: Input) -> Input {
        if !std::mem::take(&mut self.cancelled) {
            return answer;
        }
        match answer {
            Input::TurnEnded { mut outcome, duration_ms } => {
                outcome.result = Err(failure(FailureKind::Interrupted));
                Input::TurnEnded { outcome, duration_ms }
            }
            Input::Verified { mut verify, duration_ms } => {
                verify.exit_code = None;
                Input::Verified { verify, duration_ms }
            }
            other => other,
        }
    }

    /// What the user does out of the blue.
    fn order(&mut self, machine: &Machine) -> Option<Input> {
        if machine.is_over() {
            // One last thing may be taken back.
            let is_last = self.orders < 100 && self.dice.percent(20);
            self.orders = 100;
            let task = self.dice.below(machine.run.tasks.len());
            return is_last.then_some(Input::Undo { task, force: true });
        }
        if self.turns > MOST_TURNS && !machine.stop {
            return Some(if self.dice.percent(50) { Input::Stop } else { Input::Kill });
        }
        if self.orders > 12 || !self.dice.percent(2) {
            return None;
        }
        self.orders += 1;
        let task = self.dice.below(machine.known.len() + 1);
        Some(match self.dice.below(20) {
            0..=3 => Input::Pause,
            4..=6 => Input::Resume,
            7 | 8 => Input::Skip(None),
            9 => Input::Skip(Some(task)),
            10 => Input::SkipDocument,
            11..=13 => Input::Retry(task),
            14..=16 => Input::Undo { task, force: self.dice.percent(50) },
            17 => Input::Stop,
            18 => Input::Kill,
            _ => Input::Woken,
        })
    }

    /// What the user does about a run that is paused; `None`: it stays so.
    fn look_after(&mut self, machine: &Machine) -> Option<Input> {
        self.resumes += 1;
        if self.resumes > 15 {
            return None;
        }
        if let State::Paused(Pause::Gate { document, line, .. }) = &machine.run.state {
            let at = parse(&self.documents[document])
                .tasks()
                .iter()
                .position(|task| task.line > *line && !task.checked);
            if let Some(at) = at.filter(|_| self.resumes.is_multiple_of(2)) {
                let parsed = parse(&self.documents[document]);
                let text = parsed.tasks()[at].text.clone();
                let _ = self.documents.insert(document.clone(), parsed.with_mark(at, true));
                *self.given.entry((document.clone(), text)).or_default() += 1;
            }
        }
        Some(match self.dice.below(12) {
            0 => Input::Stop,
            1 => Input::SkipDocument,
            2 => Input::Kill,
            _ => Input::Resume,
        })
    }

    fn tree(&self) -> String {
        format!("{:?}", self.files)
    }

    fn act(&mut self, effect: Effect, machine: &Machine) -> Option<Input> {
        match effect {
            Effect::Journal(entry) => {
                let text = serde_json::to_string(&entry).expect("an entry is written");
                self.journal
                    .push((self.now_ms, serde_json::from_str(&text).expect("an entry is read")));
                None
            }
            Effect::Tell(_) => None,
            Effect::Cancel => {
                self.cancelled = true;
                None
            }
            Effect::Read(paths) => {
                let is_lost = self.dice.below(300) == 0;
                self.is_faulty |= is_lost;
                let read = |path: &PathBuf| match self.documents.get(path) {
                    Some(text) if !is_lost => Ok(parse(text)),
                    _ => Err("A checklist is not there".to_owned()),
                };
                Some(Input::Documents(paths.iter().map(read).collect()))
            }
            Effect::Look(_) => {
                self.cancelled = false;
                let head = Some(format!("c{}", self.commits.len()));
                Some(Input::Looked { tree: Some(self.tree()), head, new_session: None })
            }
            Effect::Turn(turn) => Some(self.turn(&turn, machine)),
            Effect::Verify { command } => {
                assert!(self.commands.contains(&command), "nobody agreed to `{command}`");
                let holds =
                    command == "true" || self.files.contains(command.trim_start_matches("test "));
                let exit_code = if self.dice.percent(1) { None } else { Some(i32::from(!holds)) };
                let verify = Verify { command, exit_code, output: "so it is".to_owned() };
                Some(Input::Verified { verify, duration_ms: 10 })
            }
            Effect::Rewrite { document, changes } => {
                Some(Input::Rewritten(self.rewrite(&document, &changes)))
            }
            Effect::Copy(copies) => {
                if self.dice.percent(10) {
                    let passing = self.dice.percent(80);
                    return Some(Input::Copied(Err(Fault { because: "Full".to_owned(), passing })));
                }
                for (from, to) in copies {
                    let text = parse(&self.documents[&from]).reset();
                    let _ = self.documents.insert(to, text);
                }
                Some(Input::Copied(Ok(())))
            }
            Effect::Commit(commit) => Some(self.commit(&commit)),
            Effect::Restore { task, .. } => Some(Input::Restored(if self.dice.percent(30) {
                Err("Later tasks build on it.".to_owned())
            } else {
                let later = (task + 1..machine.run.tasks.len())
                    .filter(|at| machine.run.tasks[*at].state == TaskState::Done);
                Ok(later.take(self.dice.below(2)).collect())
            })),
            Effect::Sleep { until_ms } => {
                self.now_ms = self.now_ms.max(until_ms);
                Some(Input::Woken)
            }
        }
    }

    fn rewrite(&mut self, path: &Path, changes: &[Change]) -> Result<Vec<Applied>, Fault> {
        self.is_faulty = self.dice.percent(3);
        if self.is_faulty {
            let passing = self.dice.percent(80);
            return Err(Fault { because: "The disk is full".to_owned(), passing });
        }
        assert!(!self.is_original(path), "{} is never changed", path.display());
        let (text, applied) = parse(&self.documents[path]).with_changes(changes);
        let _ = self.documents.insert(path.to_owned(), text);
        Ok(applied)
    }

    fn is_original(&self, path: &Path) -> bool {
        self.spec.options.reset.iter().any(|reset| reset == path)
    }

    fn commit(&mut self, commit: &Commit) -> Input {
        let answer = |result| Input::Committed { result, duration_ms: 3 };
        if commit.message.is_some() {
            match self.dice.below(100) {
                0..=7 => {
                    let verify = Verify {
                        command: "git commit".to_owned(),
                        exit_code: Some(1),
                        output: "the hook says no".to_owned(),
                    };
                    return answer(Err(Uncommitted::Refused(verify)));
                }
                8..=10 => return answer(Err(Uncommitted::Passing("Locked".to_owned()))),
                11 => return answer(Err(Uncommitted::Impossible("Who are you?".to_owned()))),
                _ if self.commits.last() != Some(&self.files) => {
                    self.commits.push(self.files.clone());
                }
                _ => {}
            }
        }
        let since: usize =
            commit.since.as_deref().map_or(1, |head| head[1..].parse().expect("a number"));
        answer(Ok((since + 1..=self.commits.len()).map(|at| format!("c{at}")).collect()))
    }

    /// What an agent does.
    fn turn(&mut self, turn: &Turn, machine: &Machine) -> Input {
        self.turns += 1;
        let known = &machine.known[machine.current];
        let path = machine.path(known.document);
        let task = known.anchor.text.clone();
        assert!(turn.prompt.contains(title_of(&task)), "no prompt leaves the task out");
        let wanted = machine.attempt.verify.clone();
        let mut result = Ok(());
        for _ in 0..=self.dice.below(2) {
            match self.dice.below(40) {
                0..=17 => self.do_it(wanted.as_deref()),
                // It lies.
                18 | 19 => self.set(&path, |text| text == task, true),
                20 => self.set(&path, |_| true, true),
                21 => self.set(&path, |_| true, false),
                // It does everything at once, and says so.
                22 | 23 => {
                    for wanted in parse(&self.documents[&path])
                        .tasks()
                        .iter()
                        .filter_map(|task| task.fields.verify_command())
                    {
                        self.do_it(Some(&wanted));
                    }
                    self.set(&path, |_| true, true);
                }
                24 => self.edit(&path, |text, n| format!("# New {n}\n\nsome prose\n{text}")),
                25 | 26 => self.edit(&path, |text, n| format!("{text}\n- [ ] added {n}\n")),
                27 => self.edit(&path, |text, n| {
                    format!("{text}\n- [x] added and ticked {n}\n  verify: test f{n}\n")
                }),
                28 => self.edit(&path, |text, n| {
                    format!("- [ ] first {n}\n  verify: curl {n}\n\n{text}")
                }),
                29 => {
                    self.edit(&path, |text, _| text.replacen("verify: test", "verify: true #", 1));
                }
                30 => self.edit(&path, |text, n| {
                    text.replacen("] task", &format!("] other {n} task"), 1)
                }),
                31 => self.edit(&path, |text, _| {
                    let lines: Vec<&str> = text.lines().collect();
                    lines[..lines.len() * 2 / 3].join("\n") + "\n"
                }),
                32 if self.dice.percent(30) => {
                    self.edit(&path, |text, _| {
                        format!("{text}\n<!-- maestro:halt no way on -->\n")
                    });
                }
                33 if self.dice.percent(30) => {
                    self.edit(&path, |text, _| text.replace("<!-- MAESTRO:HITL", "<!-- gone"));
                }
                34 => self.files.clear(),
                35 => self.commits.push(self.files.clone()),
                _ => {}
            }
        }
        if self.dice.percent(25) {
            let resets_ms = Some(self.now_ms + 60_000);
            let kind = match self.dice.below(16) {
                0 | 1 => FailureKind::Limit { resets_ms },
                2 => FailureKind::Limit { resets_ms: None },
                3 => FailureKind::Overload,
                4 => FailureKind::Network,
                5 | 6 => FailureKind::Silent,
                7 | 8 => FailureKind::Crashed,
                9 => FailureKind::Context,
                10 if turn.resume.is_some() => FailureKind::SessionMissing,
                11 => FailureKind::Permission,
                12 => FailureKind::Torn,
                13 => FailureKind::Auth,
                _ => FailureKind::Other,
            };
            result = Err(failure(kind));
        }
        let session = self.dice.percent(90).then(|| format!("s{}", self.turns));
        let usage = Usage { input_tokens: 100, cost_usd: Some(0.1), ..Usage::default() };
        let outcome = Outcome { session, text: "Done.".to_owned(), usage, result };
        Input::TurnEnded { outcome, duration_ms: 1000 }
    }

    fn do_it(&mut self, wanted: Option<&str>) {
        self.names += 1;
        let file = wanted.and_then(|command| command.strip_prefix("test "));
        let _ = self.files.insert(file.map_or_else(|| format!("x{}", self.names), str::to_owned));
    }

    fn set(&mut self, path: &Path, which: impl Fn(&str) -> bool, checked: bool) {
        let document = parse(&self.documents[path]);
        let changes: Vec<Change> = (0..document.tasks().len())
            .filter(|at| which(&document.tasks()[*at].text))
            .map(|at| Change { anchor: document.anchor(at), checked })
            .collect();
        let _ = self.documents.insert(path.to_owned(), document.with_changes(&changes).0);
    }

    fn edit(&mut self, path: &Path, how: impl Fn(&str, usize) -> String) {
        self.names += 1;
        let text = how(&self.documents[path], self.names);
        if text.len() < 20_000 {
            let _ = self.documents.insert(path.to_owned(), text);
        }
    }

    /// What has to be so in the end.
    fn check(&self, machine: &Machine) {
        let run = machine.run();
        match &run.state {
            State::Ended(Ending::Failed(why)) => assert!(!why.is_empty(), "it says why"),
            State::Ended(_) => {}
            State::Paused(why) => assert!(!why.sentence().is_empty(), "it says why"),
            other => panic!("it ended as {other:?}"),
        }
        for (path, text) in &self.originals {
            assert!(!self.is_original(path) || self.documents[path] == *text, "an original");
        }
        self.check_journal();
        self.check_budgets(run);
        let is_settled = machine.is_over() || machine.phase == Phase::Paused { then: Then::Pick };
        if is_settled && !self.is_faulty {
            self.check_boxes(run);
        }
        // Whoever reads the journal sees the same.
        let mut folded = self.machine();
        folded.run.ahead.clone_from(&run.ahead);
        (folded.run.open, folded.run.done) = (run.open, run.done);
        assert_eq!(folded.run(), run, "the journal tells the same");
        if run.state == State::Ended(Ending::Completed) {
            assert!(
                run.tasks
                    .iter()
                    .all(|task| task.state == TaskState::Done || task.state == TaskState::Undone),
                "complete"
            );
        }
    }

    /// No tick without its evidence, and nothing again that has it.
    fn check_journal(&self) {
        let (mut current, mut holds, mut wanted) = (0, false, None);
        let mut ticked = HashSet::new();
        for (_, entry) in &self.journal {
            match entry {
                Entry::Picked { task, verify, .. } => {
                    assert!(!ticked.contains(task), "task {task} is done again");
                    (current, holds, wanted) = (*task, false, verify.clone());
                }
                Entry::Claimed { task, claim } => {
                    assert!(!ticked.contains(task), "task {task} is done again");
                    (current, holds, wanted) = (*task, false, Some(claim.verify.clone()));
                }
                Entry::TurnEnded { result, .. } => holds = wanted.is_none() && result.is_ok(),
                Entry::Verified { verify, .. } => {
                    assert_eq!(Some(&verify.command), wanted.as_ref(), "its own command");
                    holds = verify.exit_code == Some(0);
                }
                Entry::CommitRefused { .. } => holds = false,
                Entry::Ticking | Entry::Ticked => assert!(holds, "task {current} has no evidence"),
                Entry::RetryAsked { task } => {
                    let _ = ticked.remove(task);
                }
                _ => {}
            }
            if *entry == Entry::Ticked {
                assert!(ticked.insert(current), "task {current} is ticked twice");
            }
        }
    }

    fn check_budgets(&self, run: &Run) {
        let budgets = self.spec.options.budgets;
        let granted = |which: Budget| {
            let paused = |(_, entry): &&(u64, Entry)| matches!(entry, Entry::Paused { budget: Some(budget), .. } if *budget == which);
            u32::try_from(self.journal.iter().filter(paused).count()).expect("few") + 1
        };
        if let Some(turns) = budgets.turns {
            assert!(run.turns <= turns * granted(Budget::Turns), "{} turns", run.turns);
        }
        if let Some(tokens) = budgets.tokens {
            // The turn that uses it up comes to its end.
            let most = (tokens + 100) * u64::from(granted(Budget::Tokens));
            assert!(run.usage.input_tokens <= most, "{} tokens", run.usage.input_tokens);
        }
        if let Some(time_s) = budgets.time_s {
            // So do what follows from it.
            let most = (time_s * 1000 + 5000) * u64::from(granted(Budget::Time));
            assert!(run.worked_ms <= most, "{} ms", run.worked_ms);
        }
    }

    fn check_boxes(&self, run: &Run) {
        let mut done: HashMap<(PathBuf, String), usize> = HashMap::new();
        for task in run.tasks.iter().filter(|task| task.state == TaskState::Done) {
            *done.entry((task.document.clone(), task.text.clone())).or_default() += 1;
        }
        let could_not = run.flags.iter().any(|flag| flag.text.contains("could not be opened"));
        for (path, text) in &self.documents {
            let mut ticked: HashMap<String, usize> = HashMap::new();
            for task in parse(text).tasks().iter().filter(|task| task.checked) {
                *ticked.entry(task.text.clone()).or_default() += 1;
            }
            for (text, count) in ticked {
                let key = (path.clone(), text);
                let may = done.get(&key).unwrap_or(&0) + self.given.get(&key).unwrap_or(&0);
                assert!(count <= may || could_not, "{key:?} is ticked without evidence");
            }
        }
    }
}

fn title_of(text: &str) -> &str {
    crate::checklist::title(text)
}

fn parse(text: &str) -> Document {
    Document::parse(text.as_bytes().to_vec()).expect("a checklist")
}

fn failure(kind: FailureKind) -> Failure {
    Failure { kind, message: "it says no".to_owned() }
}

fn spec(dice: &mut Dice, documents: Vec<PathBuf>) -> Spec {
    let reset = documents.iter().filter(|_| dice.percent(30)).cloned().collect();
    let mut documents = documents;
    if dice.percent(15) {
        documents.push(documents[0].clone());
    }
    let some = |dice: &mut Dice, most: usize| dice.percent(15).then(|| dice.below(most) + 1);
    let budgets = Budgets {
        cost_usd: some(dice, 20).map(|n| n as f64 / 10.0),
        tokens: some(dice, 20).map(|n| n as u64 * 100),
        time_s: some(dice, 20).map(|n| n as u64),
        turns: some(dice, 12).map(|n| u32::try_from(n).expect("small")),
        tasks: some(dice, 6).map(|n| u32::try_from(n).expect("small")),
        then: if dice.percent(50) { crate::run::Then::Pause } else { crate::run::Then::End },
    };
    let options = crate::run::Options {
        reset,
        loops: match dice.below(6) {
            0 => Loops::Forever,
            1 | 2 => Loops::Times(3),
            _ => Loops::Once,
        },
        mode: if dice.percent(30) { Mode::Document } else { Mode::Task },
        prompt: dice.percent(10).then(|| "Be brief. {{git_branch}}".to_owned()),
        verify: dice.percent(10).then(|| "true".to_owned()),
        on_failure: dice.one(&[
            OnFailure::GoOn,
            OnFailure::GoOn,
            OnFailure::Stop,
            OnFailure::Pause,
        ]),
        commit: dice.one(&[None, Some(true), Some(true), Some(false)]),
        budgets,
        ..crate::run::Options::default()
    };
    let mut run = super::tests::run(1).spec;
    (run.documents, run.options) = (documents, options);
    run
}

fn document(dice: &mut Dice, names: &mut usize) -> String {
    let mut text = String::new();
    if dice.percent(10) {
        text.push('\u{feff}');
    }
    text.push_str("# List\n\nProse.\n\n");
    for _ in 0..dice.below(7) {
        *names += 1;
        let n = *names;
        if dice.percent(8) {
            text.push_str("<!-- MAESTRO:HITL reason=\"Look at it\" -->\n- [ ] I have looked\n");
        }
        match dice.below(12) {
            0 => text.push_str("```\n- [ ] no task\n- [x] none either\n```\n"),
            1 => text.push_str("<!-- maestro:halt an old one -->\n"),
            2 => text.push_str("- [ ] the same\n"),
            _ => {}
        }
        let indent = if dice.percent(20) { "  " } else { "" };
        let bullet = dice.one(&["-", "*", "+"]);
        let mark = if dice.percent(10) { "x" } else { " " };
        let id = if dice.percent(20) { format!(" {{#id{n}}}") } else { String::new() };
        text.push_str(&format!("{indent}{bullet} [{mark}] task {n}{id}\n"));
        if dice.percent(50) {
            text.push_str(&format!("{indent}  verify: test f{n}\n"));
        }
        match dice.below(20) {
            0 | 1 => text.push_str(&format!("{indent}  needs: task {}\n", dice.below(n + 2))),
            2 => text.push_str(&format!("{indent}  needs: {}\n", dice.below(5))),
            3 => text.push_str(&format!("{indent}  needs: {{#id{}}}\n", dice.below(n + 2))),
            4 | 5 => text.push_str(&format!("{indent}  retries: {}\n", dice.below(5))),
            6 => text.push_str(&format!("{indent}  timeout: soon\n")),
            7 => text.push_str(&format!("{indent}  agent: nobody\n")),
            8 => text.push_str(&format!("{indent}  agent: codex\n{indent}  model: big\n")),
            _ => {}
        }
    }
    if dice.percent(20) { text.replace('\n', "\r\n") } else { text }
}

#[test]
fn whatever_happens_a_tick_is_true_and_the_run_comes_to_an_end() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let one = number("MAESTRO_MODEL_SEED");
    let seeds = match one {
        Some(seed) => seed..seed + 1,
        None => 0..number("MAESTRO_MODEL_RUNS").unwrap_or(RUNS),
    };
    let (mut turns, mut deaths) = (0_u64, 0_u64);
    let mut endings: BTreeMap<String, u32> = BTreeMap::new();
    let mut failed = Vec::new();
    for seed in seeds {
        let played = std::panic::catch_unwind(|| {
            let mut world = World::new(seed);
            let machine = world.live();
            if one.is_some() {
                for (_, entry) in &world.journal {
                    println!("{}", serde_json::to_string(entry).expect("an entry is written"));
                }
                for (path, text) in &world.documents {
                    println!("{}:\n{text}", path.display());
                }
            }
            world.check(&machine);
            (world.turns, world.deaths, machine.run().state.clone())
        });
        let Ok((made, died, state)) = played else {
            failed.push(seed);
            continue;
        };
        (turns, deaths) = (turns + u64::from(made), deaths + u64::from(died));
        let ending = format!("{state:?}");
        let name = ending.split(['(', '{']).take(2).collect::<Vec<_>>().join("(");
        *endings.entry(name).or_default() += 1;
    }
    println!("{turns} turns, {deaths} deaths of the host, {endings:?}");
    assert!(failed.is_empty(), "set MAESTRO_MODEL_SEED to one of these: {failed:?}");
}

//! A simulated world in which runs are worked off, and killed everywhere.

use std::path::PathBuf;

use super::*;
use crate::id::RunId;
use crate::run::{Options, Spec, State, TaskState};
use crate::turn::FailureKind;

/// What the agent of the simulated world does in a turn: changes the documents and the files.
type Agent = fn(&mut World, &Turn, u32) -> Result<(), Failure>;

struct World {
    /// Where the documents are, copies included.
    paths: Vec<PathBuf>,
    documents: Vec<String>,
    /// Files of the directory: their texts.
    files: Vec<String>,
    journal: Vec<(u64, Entry)>,
    agent: Agent,
    now_ms: u64,
    turns: Vec<Turn>,
    told: Vec<String>,
    slept: Vec<u64>,
    /// Faults of the next rewrites.
    faults: Vec<Fault>,
    /// What the user does, by the number of turns begun.
    user: Vec<(usize, Input)>,
    options: Options,
    /// Answers of the next commits that are not made.
    refusals: Vec<Uncommitted>,
    /// Commits: their messages.
    commits: Vec<Option<String>>,
    /// Whether what a task did can be taken back: the later ones that go with it.
    undone: Result<Vec<usize>, String>,
    agents: Vec<(String, AgentId, Provider)>,
    /// How long turns take.
    duration_ms: u64,
    /// What the first turn makes of the first document: this instead of that.
    edit: Option<(&'static str, &'static str)>,
    /// Commands that ran.
    verified: Vec<String>,
}

impl World {
    fn new(documents: &[&str], agent: Agent) -> Self {
        Self {
            paths: (0..documents.len()).map(|at| PathBuf::from(format!("/d/{at}.md"))).collect(),
            options: Options::default(),
            refusals: Vec::new(),
            commits: Vec::new(),
            undone: Ok(Vec::new()),
            agents: Vec::new(),
            duration_ms: 5,
            edit: None,
            verified: Vec::new(),
            documents: documents.iter().map(|text| (*text).to_owned()).collect(),
            files: Vec::new(),
            journal: vec![(0, Entry::Started)],
            agent,
            now_ms: 1_000_000,
            turns: Vec::new(),
            told: Vec::new(),
            slept: Vec::new(),
            faults: Vec::new(),
            user: Vec::new(),
        }
    }

    fn document(&self, at: usize) -> Document {
        Document::parse(self.documents[at].clone().into_bytes()).expect("a checklist")
    }

    /// Where a document is among the documents.
    fn number(&self, path: &std::path::Path) -> usize {
        self.paths.iter().position(|other| other == path).expect("a document")
    }

    fn tree(&self) -> String {
        format!("{:?}", self.files)
    }

    /// Sets a box as an agent would.
    fn set(&mut self, text: &str, checked: bool) {
        let document = self.document(0);
        let at = document.tasks().iter().position(|task| task.text == text).expect(text);
        self.documents[0] = document.with_mark(at, checked);
    }

    /// Does an effect and gives what follows from it.
    fn act(&mut self, effect: Effect) -> Option<Input> {
        match effect {
            Effect::Journal(entry) => {
                // What cannot be written as JSON cannot be journaled.
                let text = serde_json::to_string(&entry).expect("an entry is written");
                let entry = serde_json::from_str(&text).expect("an entry is read");
                self.journal.push((self.now_ms, entry));
                None
            }
            Effect::Read(paths) => {
                let documents = paths.iter().map(|path| Ok(self.document(self.number(path))));
                Some(Input::Documents(documents.collect()))
            }
            Effect::Look(_) => Some(Input::Looked {
                tree: Some(self.tree()),
                head: Some(format!("c{}", self.commits.len())),
                new_session: None,
            }),
            Effect::Turn(turn) => {
                self.turns.push(turn.clone());
                let number = self.turns.len();
                if let Some((old, new)) = self.edit.take() {
                    self.documents[0] = self.documents[0].replacen(old, new, 1);
                }
                let result = (self.agent)(self, &turn, u32::try_from(number).expect("few turns"));
                let session = Some(format!("s{number}"));
                let usage = Usage { input_tokens: 10, ..Usage::default() };
                let outcome = Outcome { session, text: String::new(), usage, result };
                Some(Input::TurnEnded { outcome, duration_ms: self.duration_ms })
            }
            // A command is the name of a file that has to be there.
            Effect::Verify { command } => {
                self.verified.push(command.clone());
                let exit_code = Some(i32::from(!self.files.contains(&command)));
                let verify = Verify { command, exit_code, output: "output".to_owned() };
                Some(Input::Verified { verify, duration_ms: 2 })
            }
            Effect::Rewrite { document, changes } => {
                let document = self.number(&document);
                if let Some(fault) = self.faults.pop() {
                    return Some(Input::Rewritten(Err(fault)));
                }
                let (text, applied) = self.document(document).with_changes(&changes);
                self.documents[document] = text;
                Some(Input::Rewritten(Ok(applied)))
            }
            Effect::Sleep { until_ms } => {
                self.slept.push(until_ms - self.now_ms);
                self.now_ms = until_ms;
                Some(Input::Woken)
            }
            Effect::Cancel => None,
            Effect::Copy(copies) => {
                for (document, copy) in copies {
                    let text = self.document(self.number(&document)).reset();
                    self.paths.push(copy);
                    self.documents.push(text);
                }
                Some(Input::Copied(Ok(())))
            }
            Effect::Commit(commit) => {
                let since: usize =
                    commit.since.expect("in a repository")[1..].parse().expect("a number");
                let result = match self.refusals.pop() {
                    Some(refusal) => Err(refusal),
                    None => {
                        self.commits.extend(commit.message.map(Some));
                        Ok((since + 1..=self.commits.len()).map(|at| format!("c{at}")).collect())
                    }
                };
                Some(Input::Committed { result, duration_ms: 1 })
            }
            Effect::Restore { .. } => Some(Input::Restored(self.undone.clone())),
            Effect::Tell(text) => {
                self.told.push(text);
                None
            }
        }
    }

    fn machine(&self) -> Machine {
        let listed = self.paths.iter().filter(|path| !path.starts_with("/d/runs"));
        let mut run = run(listed.count());
        run.spec.options = self.options.clone();
        let mut machine = if self.journal.len() > 1 {
            Machine::resume(run, Policy::default(), &self.journal)
        } else {
            Machine::new(run, Policy::default())
        };
        machine.know_agents(self.agents.clone());
        machine
    }

    /// Works the run off until it is over; with `dies_before`, only so many effects.
    fn live(&mut self, dies_before: Option<usize>) -> Option<Run> {
        let mut machine = self.machine();
        self.work(&mut machine, Input::Begin, dies_before)
    }

    /// The same from something that happened.
    fn work(
        &mut self,
        machine: &mut Machine,
        input: Input,
        dies_before: Option<usize>,
    ) -> Option<Run> {
        let mut todo: std::collections::VecDeque<Effect> = machine.step(input, self.now_ms).into();
        let mut done = 0;
        while let Some(effect) = todo.pop_front() {
            if Some(done) == dies_before {
                return None;
            }
            done += 1;
            assert!(done < 10_000, "the run never ends");
            let before = self.turns.len();
            let answer = self.act(effect);
            if self.turns.len() > before
                && let Some(at) = self.user.iter().position(|(turn, _)| *turn == self.turns.len())
            {
                let (_, input) = self.user.remove(at);
                todo.extend(machine.step(input, self.now_ms));
            }
            if let Some(answer) = answer {
                todo.extend(machine.step(answer, self.now_ms));
            }
        }
        assert!(
            machine.is_over() || machine.is_paused(),
            "it waits for something that never comes: {:?}",
            machine.phase
        );
        Some(machine.run().clone())
    }

    fn ticked(&self) -> Vec<String> {
        let documents = (0..self.documents.len()).map(|at| self.document(at));
        documents
            .flat_map(|document| {
                let ticked = document.tasks().iter().filter(|task| task.checked);
                ticked.map(|task| task.text.clone()).collect::<Vec<_>>()
            })
            .collect()
    }
}

pub(super) fn machine_over(documents: &[&str]) -> Machine {
    Machine::new(run(documents.len()), Policy::default())
}

pub(super) fn run(documents: usize) -> Run {
    let spec = Spec {
        documents: (0..documents).map(|at| PathBuf::from(format!("/d/{at}.md"))).collect(),
        directory: PathBuf::from("/d"),
        provider: Provider::Demo,
        agent: None,
        model: None,
        turn_timeout_s: 0,
        silence_timeout_s: 0,
        verify_timeout_s: 10,
        attempts: 3,
        unattended: true,
        options: Options::default(),
    };
    Run::new(RunId(1), spec, 0, 0, 0)
}

fn failure(kind: FailureKind) -> Failure {
    Failure { kind, message: "it says no".to_owned() }
}

/// The task a turn is about: its prompt's third line.
fn task_of(turn: &Turn) -> String {
    turn.prompt.lines().nth(2).expect("a task").to_owned()
}

/// Writes a file named after the task.
fn diligent(world: &mut World, turn: &Turn, _: u32) -> Result<(), Failure> {
    world.files.push(task_of(turn));
    Ok(())
}

fn lazy(_: &mut World, _: &Turn, _: u32) -> Result<(), Failure> {
    Ok(())
}

fn states(run: &Run) -> Vec<(&str, TaskState, u32)> {
    run.tasks.iter().map(|task| (task.text.as_str(), task.state, task.attempts)).collect()
}

use TaskState::{Done, Failed};

#[test]
fn every_task_is_done_once_in_order() {
    let mut world = World::new(
        &["# List\n- [ ] a\n  - [ ] b\n    - verify: b\n- [x] old\n", "none\n", "* [ ] c\r\n"],
        diligent,
    );
    let run = world.live(None).expect("it ends");
    assert_eq!(run.state, State::Ended(Ending::Completed));
    assert_eq!(states(&run), [("a", Done, 1), ("b", Done, 1), ("c", Done, 1)]);
    assert_eq!(
        world.documents,
        ["# List\n- [x] a\n  - [x] b\n    - verify: b\n- [x] old\n", "none\n", "* [x] c\r\n"]
    );
    assert_eq!(world.files, ["a", "b", "c"]);
    assert_eq!((run.open, run.done), (0, 4));
    assert_eq!(run.usage.input_tokens, 30);
    assert_eq!(run.tasks[1].verify.as_ref().map(|verify| verify.exit_code), Some(Some(0)));
    assert_eq!(run.tasks[1].tree_before.as_deref(), Some("[\"a\"]"));
    assert_eq!(run.tasks[1].tree_after.as_deref(), Some("[\"a\", \"b\"]"));
    assert!(world.turns.iter().all(|turn| turn.resume.is_none()));
}

#[test]
fn nothing_is_ticked_without_evidence() {
    // The agent ticks everything and does nothing.
    let mut world = World::new(&["- [ ] a\n  verify: a\n- [ ] b\n  verify: b\n"], |world, _, _| {
        world.set("a", true);
        world.set("b", true);
        Ok(())
    });
    let run = world.live(None).expect("it ends");
    assert_eq!(run.state, State::Ended(Ending::WithFailures));
    // One session each, told twice that it does not hold.
    assert_eq!(states(&run), [("a", Failed, 1), ("b", Failed, 1)]);
    assert_eq!(run.tasks.iter().map(|task| task.repairs).collect::<Vec<_>>(), [2, 2]);
    assert_eq!(world.turns[1].resume.as_deref(), Some("s1"));
    assert_eq!(world.documents, ["- [ ] a\n  verify: a\n- [ ] b\n  verify: b\n"]);
    assert!(world.told[0].contains("“b” was ticked, but it does not hold"), "{:?}", world.told);
    assert_eq!(run.tasks[0].because.as_deref(), Some("`a` exited with 1."));
    assert!(world.turns[1].prompt.contains("It printed:\noutput"));
}

#[test]
fn a_box_ticked_by_a_turn_that_failed_is_opened_again() {
    let mut world = World::new(&["- [ ] a\n- [ ] b\n"], |world, turn, number| {
        let task = task_of(turn);
        world.set(&task, true);
        if number == 1 { Err(failure(FailureKind::Crashed)) } else { diligent(world, turn, number) }
    });
    let run = world.live(None).expect("it ends");
    assert_eq!(states(&run), [("a", Done, 2), ("b", Done, 1)]);
    assert_eq!(run.tasks[0].because, None);
}

#[test]
fn a_task_without_progress_is_given_up_and_the_run_stalls() {
    let mut world = World::new(
        &[
            "- [ ] a\n  verify: a\n  retries: 20\n- [ ] b\n  verify: b\n- [ ] c\n  verify: c\n- [ ] d\n",
        ],
        lazy,
    );
    let run = world.live(None).expect("it ends");
    assert_eq!(states(&run), [("a", Failed, 1), ("b", Failed, 1), ("c", Failed, 1)]);
    assert_eq!(world.turns.len(), 9);
    assert!(
        matches!(&run.state, State::Ended(Ending::Failed(why)) if why.starts_with("It stalled"))
    );
}

#[test]
fn failures_decide_whether_and_when_it_goes_on() {
    fn limited(world: &mut World, turn: &Turn, number: u32) -> Result<(), Failure> {
        let resets_ms = Some(world.now_ms + 3_600_000);
        match number {
            1 => Err(failure(FailureKind::Limit { resets_ms })),
            2 | 3 => Err(failure(FailureKind::Limit { resets_ms: None })),
            4 => Err(failure(FailureKind::Overload)),
            _ => diligent(world, turn, number),
        }
    }
    let mut world = World::new(&["- [ ] a\n- [ ] b\n"], limited);
    let run = world.live(None).expect("it ends");
    // None of these used up an attempt.
    assert_eq!(states(&run), [("a", Done, 1), ("b", Done, 1)]);
    assert_eq!(world.slept, [3_605_000, 30_000, 60_000, 120_000]);
    assert_eq!(run.state, State::Ended(Ending::Completed));

    let mut world = World::new(&["- [ ] a\n"], |_, _, _| Err(failure(FailureKind::Network)));
    let run = world.live(None).expect("it ends");
    assert_eq!(world.turns.len(), Policy::default().waits_s.len() + 1);
    assert!(matches!(&run.state, State::Ended(Ending::Failed(why)) if why.contains("15 times")));

    for (kind, advice) in [
        (FailureKind::Auth, "Log in"),
        (FailureKind::Billing, "Add credit"),
        (FailureKind::ModelUnknown, "another model"),
        (FailureKind::Unusable, "settled"),
    ] {
        let mut world = World::new(&["- [ ] a\n"], lazy);
        world.agent = match kind {
            FailureKind::Auth => |_, _, _| Err(failure(FailureKind::Auth)),
            FailureKind::Billing => |_, _, _| Err(failure(FailureKind::Billing)),
            FailureKind::ModelUnknown => |_, _, _| Err(failure(FailureKind::ModelUnknown)),
            _ => |_, _, _| Err(failure(FailureKind::Unusable)),
        };
        let run = world.live(None).expect("it ends");
        assert_eq!(world.turns.len(), 1);
        let State::Paused(Pause::Needed(why)) = run.state else { panic!("{:?}", run.state) };
        assert!(why.starts_with("it says no. ") && why.contains(advice), "{why}");
    }
}

#[test]
fn stop_ends_after_the_task_and_kill_at_once() {
    let list = "- [ ] a\n- [ ] b\n- [ ] c\n";
    let mut world = World::new(&[list], diligent);
    world.user = vec![(2, Input::Stop)];
    let run = world.live(None).expect("it ends");
    assert_eq!(run.state, State::Ended(Ending::Stopped));
    assert_eq!(world.ticked(), ["a", "b"]);

    // Nothing left after the last one: it was not stopped, it is complete.
    let mut world = World::new(&[list], diligent);
    world.user = vec![(3, Input::Stop)];
    assert_eq!(world.live(None).expect("it ends").state, State::Ended(Ending::Completed));

    let mut world = World::new(&[list], |world, _, _| {
        world.set("a", true);
        Err(failure(FailureKind::Interrupted))
    });
    world.user = vec![(1, Input::Kill)];
    let run = world.live(None).expect("it ends");
    assert_eq!(run.state, State::Ended(Ending::Killed));
    assert_eq!(world.ticked(), [""; 0]);
    assert_eq!(states(&run), [("a", Failed, 1)]);
}

#[test]
fn what_the_agent_writes_into_the_document_stays() {
    let mut world = World::new(&["- [ ] a\n- [ ] b\n"], |world, turn, number| {
        if number == 1 {
            world.documents[0] = format!("# New\n\n{}  a note\n- [ ] c\n", world.documents[0]);
        }
        diligent(world, turn, number)
    });
    let run = world.live(None).expect("it ends");
    assert_eq!(world.documents, ["# New\n\n- [x] a\n- [x] b\n  a note\n- [x] c\n"]);
    assert_eq!(states(&run), [("a", Done, 1), ("b", Done, 1), ("c", Done, 1)]);
}

#[test]
fn a_reworded_task_is_attempted_again_and_a_dropped_one_is_told() {
    let mut world = World::new(&["- [ ] a\n- [ ] b\n"], |world, turn, number| {
        if number == 1 {
            world.documents[0] = "- [x] a (done!)\n- [ ] b\n".to_owned();
        }
        diligent(world, turn, number)
    });
    let run = world.live(None).expect("it ends");
    assert_eq!(states(&run), [("a (done!)", Done, 2), ("b", Done, 1)]);

    let mut world = World::new(&["- [ ] a\n- [ ] b\n- [ ] c\n"], |world, turn, number| {
        world.documents[0] =
            "- [ ] a\n- [ ] c\n".replace(if number == 2 { "- [ ] a" } else { "?" }, "- [x] a");
        diligent(world, turn, number)
    });
    let run = world.live(None).expect("it ends");
    assert_eq!(run.state, State::Ended(Ending::WithFailures));
    assert_eq!(states(&run)[1], ("b", Failed, 0));
    assert!(world.told[0].contains("“b”"), "{:?}", world.told);
}

#[test]
fn a_task_that_loses_its_command_with_its_words_is_told() {
    const LIST: &str = "- [ ] a\n- [ ] b\n  - verify: make b\n";
    fn check(agent: Agent, told: bool) {
        let mut world = World::new(&[LIST], agent);
        let _ = world.live(None).expect("it ends");
        let is_told = |text: &String| text.contains("“b”") && text.contains("`make b`");
        assert_eq!(world.told.iter().any(is_told), told, "{:?}", world.told);
    }
    let without: Agent = |world, turn, number| {
        if number == 1 {
            world.documents[0] = LIST.replace("b\n  - verify: make b", "b, well");
        }
        diligent(world, turn, number)
    };
    let with: Agent = |world, turn, number| {
        if number == 1 {
            world.documents[0] = LIST.replace("] b", "] b, well");
        }
        diligent(world, turn, number)
    };
    check(without, true);
    check(with, false);
}

#[test]
fn boxes_with_evidence_are_ticked_again_during_a_turn() {
    let mut world = World::new(&["- [ ] a\n- [ ] b\n"], |world, turn, number| {
        // The second session writes back a stale copy.
        world.documents[0] = "- [ ] a\n- [ ] b\n".to_owned();
        diligent(world, turn, number)
    });
    let run = world.live(None).expect("it ends");
    assert_eq!(world.ticked(), ["a", "b"]);
    assert_eq!(world.files, ["a", "b"]);
    assert_eq!(run.state, State::Ended(Ending::Completed));
}

#[test]
fn fields_decide_who_and_in_which_order() {
    let mut world = World::new(
        &["- [ ] a\n  needs: 2\n- [ ] b\n  agent: codex\n- [ ] c\n  needs: nothing\n- [ ] d\n  \
           timeout: soon\n- [ ] e\n  agent: nobody\n- [ ] f\n  needs: g\n- [ ] g\n  agent: shell\n"],
        diligent,
    );
    let run = world.live(None).expect("it ends");
    assert_eq!(world.files, ["b", "a"]);
    assert_eq!(world.turns[0].provider, Provider::Codex);
    let because = |text: &str| {
        let task = run.tasks.iter().find(|task| task.text == text).expect(text);
        task.because.clone().unwrap_or_default()
    };
    assert!(because("c").contains("names no task"), "{}", because("c"));
    assert!(because("d").contains("not a duration"), "{}", because("d"));
    assert!(because("e").contains("no provider"), "{}", because("e"));
    assert!(because("f").contains("“g”, which is not done"), "{}", because("f"));
    assert!(because("g").contains("name an agent"), "{}", because("g"));
    assert_eq!(run.state, State::Ended(Ending::WithFailures));
}

#[test]
fn a_full_disk_is_waited_for_and_a_lost_document_ends_the_run() {
    let mut world = World::new(&["- [ ] a\n"], diligent);
    world.faults = vec![Fault { because: "The disk is full".to_owned(), passing: true }; 2];
    let run = world.live(None).expect("it ends");
    assert_eq!(run.state, State::Ended(Ending::Completed));
    assert_eq!(world.turns.len(), 1);
    assert_eq!(world.slept.len(), 2);

    let mut world = World::new(&["- [ ] a\n"], diligent);
    world.faults = vec![Fault { because: "It is gone".to_owned(), passing: false }];
    let run = world.live(None).expect("it ends");
    assert_eq!(run.state, State::Paused(Pause::Needed("It is gone.".to_owned())));

    let mut machine = machine_over(&[""]);
    assert_eq!(machine.step(Input::Begin, 0), [Effect::Read(vec![PathBuf::from("/d/0.md")])]);
    let _ = machine.step(Input::Documents(vec![Err("It is gone.".to_owned())]), 0);
    assert_eq!(machine.run().state, State::Paused(Pause::Needed("It is gone.".to_owned())));
    assert_eq!(
        machine.step(Input::Resume, 0),
        [Effect::Journal(Entry::Resumed), Effect::Read(vec![PathBuf::from("/d/0.md")])]
    );
    let _ = machine.step(Input::Kill, 0);
    let _ = machine.step(Input::Documents(vec![Err("It is gone.".to_owned())]), 0);
    assert_eq!(machine.run().state, State::Ended(Ending::Killed));
    assert_eq!(machine.step(Input::Kill, 0), []);
}

/// Agents for the crash test; each leaves a mark in the files for everything it does.
fn agents() -> Vec<(&'static str, Agent)> {
    fn ticks_all(world: &mut World, turn: &Turn, number: u32) -> Result<(), Failure> {
        for text in ["a", "b", "c"] {
            world.set(text, true);
        }
        diligent(world, turn, number)
    }
    fn fails_first(world: &mut World, turn: &Turn, number: u32) -> Result<(), Failure> {
        if number % 2 == 1 {
            Err(failure(FailureKind::Overload))
        } else {
            diligent(world, turn, number)
        }
    }
    vec![("diligent", diligent), ("ticks all", ticks_all), ("fails first", fails_first)]
}

#[test]
fn a_death_before_any_effect_does_nothing_twice_and_ticks_nothing_undone() {
    // With a command that decides, not even a turn whose end nobody saw is repeated.
    let list = "- [ ] a\n  verify: a\n- [ ] b\n  verify: b\n- [ ] c\n  verify: c\n";
    for (name, agent) in agents() {
        let mut lived = 0;
        for dies_before in 0.. {
            let mut world = World::new(&[list], agent);
            if world.live(Some(dies_before)).is_some() {
                break;
            }
            lived = dies_before;
            let run = world.live(None).expect("it ends");
            let at = format!("{name}, death before effect {dies_before}: {:?}", world.journal);
            assert_eq!(run.state, State::Ended(Ending::Completed), "{at}");
            assert_eq!(world.files, ["a", "b", "c"], "done once each: {at}");
            assert_eq!(world.ticked(), ["a", "b", "c"], "{at}");
        }
        assert!(lived > 30, "{name}: only {lived} effects");
    }
}

#[test]
fn without_a_command_only_a_turn_whose_end_nobody_saw_is_made_again() {
    let list = "- [ ] a\n- [ ] b\n";
    for dies_before in 0.. {
        let mut world = World::new(&[list], diligent);
        if world.live(Some(dies_before)).is_some() {
            break;
        }
        let unseen = matches!(world.journal.last(), Some((_, Entry::Turn { .. })));
        let turns = world.turns.len();
        let run = world.live(None).expect("it ends");
        assert_eq!(run.state, State::Ended(Ending::Completed));
        assert_eq!(world.ticked(), ["a", "b"]);
        let again =
            world.turns[turns..].iter().filter(|turn| turn.prompt.contains("cut short")).count();
        assert_eq!(again, usize::from(unseen), "death before effect {dies_before}");
        world.files.dedup();
        assert_eq!(world.files, ["a", "b"], "death before effect {dies_before}");
        if !unseen {
            assert_eq!(world.turns.len(), 2, "death before effect {dies_before}");
        }
        assert!(run.tasks.iter().all(|task| task.attempts == 1), "the same attempt");
    }
}

#[test]
fn an_attempt_cut_short_goes_on_in_its_session() {
    let mut world = World::new(&["- [ ] a\n"], diligent);
    let mut machine = world.machine();
    let mut todo = machine.step(Input::Begin, 0);
    // Up to the turn, whose session is named before the host dies.
    let turn = loop {
        let effect = todo.remove(0);
        if let Effect::Turn(turn) = effect {
            break turn;
        }
        if let Some(input) = world.act(effect) {
            todo.extend(machine.step(input, 0));
        }
    };
    assert_eq!(turn.resume, None);
    for effect in machine.step(Input::Session { id: "here".to_owned(), model: None }, 0) {
        let _ = world.act(effect);
    }
    let run = world.live(None).expect("it ends");
    assert_eq!(world.turns.len(), 1);
    assert_eq!(world.turns[0].resume.as_deref(), Some("here"));
    assert!(world.turns[0].prompt.contains("cut short"));
    assert_eq!(states(&run), [("a", Done, 1)]);

    // A session that is gone is not asked for twice.
    let mut world = World::new(&["- [ ] a\n"], |world, turn, number| match &turn.resume {
        Some(_) => Err(failure(FailureKind::SessionMissing)),
        None => diligent(world, turn, number),
    });
    let journal = world.machine().step(Input::Begin, 0);
    assert_eq!(journal, [Effect::Read(vec![PathBuf::from("/d/0.md")])]);
    world.journal = {
        let mut other = World::new(&["- [ ] a\n"], diligent);
        let _ = other.live(Some(6));
        other.journal
    };
    world.journal.push((0, Entry::Session { id: "gone".to_owned(), model: None }));
    let run = world.live(None).expect("it ends");
    assert_eq!(states(&run), [("a", Done, 1)]);
    assert_eq!(world.turns.len(), 2);
}

#[test]
fn an_attempt_that_is_cut_short_over_and_over_counts_in_the_end() {
    let mut world = World::new(&["- [ ] a\n"], diligent);
    let mut deaths = 0;
    loop {
        // Each host lives until its turn runs.
        let mut machine = world.machine();
        let mut todo: std::collections::VecDeque<Effect> = machine.step(Input::Begin, 0).into();
        let mut died = false;
        while let Some(effect) = todo.pop_front() {
            if matches!(effect, Effect::Turn(_)) {
                died = true;
                break;
            }
            if let Some(input) = world.act(effect) {
                todo.extend(machine.step(input, 0));
            }
        }
        if !died {
            assert!(machine.is_over());
            break;
        }
        deaths += 1;
        assert!(deaths < 100, "it is tried for ever");
    }
    assert_eq!(deaths, 3 * (Policy::default().interruptions + 1));
}

#[test]
fn a_turn_that_changed_nothing_is_ticked_and_says_so() {
    let check = |list: &str, agent: Agent, expected: &[Option<&str>]| {
        let mut world = World::new(&[list], agent);
        world.files = vec!["old".to_owned()];
        let run = world.live(None).expect("it ends");
        assert_eq!(run.state, State::Ended(Ending::Completed), "{list}");
        let because: Vec<_> = run.tasks.iter().map(|task| task.because.as_deref()).collect();
        assert_eq!(because, expected, "{list}");
    };
    let nothing = "Its turn changed nothing in the directory, and no command says that it is done.";
    check("- [ ] a\n", lazy, &[Some(nothing)]);
    check("- [ ] a\n", diligent, &[None]);
    // A command is better evidence than a change.
    check("- [ ] a\n  verify: old\n", lazy, &[None]);
    // What an earlier attempt changed counts.
    check(
        "- [ ] a\n",
        |world, turn, number| match number {
            1 => diligent(world, turn, number).and(Err(failure(FailureKind::Crashed))),
            _ => Ok(()),
        },
        &[None],
    );
    let mut world = World::new(&["- [ ] a\n- [ ] b\n"], |world, _, _| {
        world.set("b", true);
        Ok(())
    });
    let run = world.live(None).expect("it ends");
    let because = run.tasks[0].because.clone().unwrap_or_default();
    assert!(because.contains("without evidence") && because.contains(nothing), "{because}");
}

#[test]
fn a_killed_run_starts_no_command_with_the_next_host() {
    let mut world = World::new(&["- [ ] a\n  verify: a\n"], diligent);
    let mut machine = world.machine();
    let mut todo: std::collections::VecDeque<Effect> = machine.step(Input::Begin, 0).into();
    while let Some(effect) = todo.pop_front() {
        if matches!(effect, Effect::Verify { .. }) {
            break;
        }
        if let Some(input) = world.act(effect) {
            todo.extend(machine.step(input, 0));
        }
    }
    for effect in machine.step(Input::Kill, 0) {
        let _ = world.act(effect);
    }
    let mut machine = world.machine();
    let effects = machine.step(Input::Begin, 0);
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Verify { .. })), "{effects:?}");
    assert_eq!(machine.run().state, State::Ended(Ending::Killed));
}

#[test]
fn a_reset_time_that_cannot_be_true_is_not_waited_for() {
    let mut world = World::new(&["- [ ] a\n"], |world, turn, number| match number {
        1 => Err(failure(FailureKind::Limit { resets_ms: Some(u64::MAX) })),
        _ => diligent(world, turn, number),
    });
    let run = world.live(None).expect("it ends");
    assert_eq!(world.slept, [15_000]);
    assert_eq!(run.state, State::Ended(Ending::Completed));
}

#[test]
fn what_a_document_says_is_harmless_where_it_is_shown() {
    let long = "x".repeat(5000);
    let list = format!("- [ ] a\u{1b}[2Jb\u{202e}c\n- [ ] {long}\n");
    let mut world = World::new(&[&list], diligent);
    let run = world.live(None).expect("it ends");
    assert_eq!(run.state, State::Ended(Ending::Completed));
    assert_eq!(run.tasks[0].text, "a[2Jbc");
    assert!(run.tasks[1].text.chars().count() <= 500, "{}", run.tasks[1].text.len());
    assert_eq!(world.document(0).open(), 0);
}

#[test]
fn many_boxes_ticked_without_evidence_are_told_in_few_words() {
    let list: String = (0..300).map(|n| format!("- [ ] task {n}\n")).collect();
    let mut world = World::new(&[&list], |world, _, number| {
        if number == 1 {
            world.documents[0] = world.documents[0].replace("[ ]", "[x]");
            Ok(())
        } else {
            Err(failure(FailureKind::Auth))
        }
    });
    let _ = world.live(None).expect("it ends");
    assert!(world.told[0].contains("and 293 more"), "{}", world.told[0]);
    assert!(world.told[0].len() < 500, "{}", world.told[0]);
}

#[test]
fn a_new_task_is_not_taken_for_one_that_disappeared() {
    let mut world = World::new(&["- [ ] a\n- [ ] b\n- [ ] c\n"], |world, turn, number| {
        match number {
            1 => world.documents[0] = "- [ ] a\n- [ ] c\n".to_owned(),
            2 => world.documents[0] = "- [ ] new\n".to_owned(),
            _ => {}
        }
        diligent(world, turn, number)
    });
    let run = world.live(None).expect("it ends");
    assert_eq!(
        states(&run),
        [("a", Done, 1), ("b", Failed, 0), ("c", Failed, 1), ("new", Done, 1)]
    );

    // Nor for one that is done.
    let mut world = World::new(&["- [ ] a\n- [ ] b\n"], |world, turn, number| {
        if number == 2 {
            world.documents[0] = "- [ ] follow up\n- [ ] b\n".to_owned();
        }
        diligent(world, turn, number)
    });
    let run = world.live(None).expect("it ends");
    assert_eq!(states(&run), [("a", Done, 1), ("b", Done, 1), ("follow up", Done, 1)]);
    assert_eq!(run.state, State::Ended(Ending::Completed));
}

mod orders;

//! What a run can be asked to do: by its options, its documents and the user.

use super::TaskState::{Skipped, Undone};
use super::*;
use crate::run::{Budgets, Loops, Mode, OnFailure};

fn world(documents: &[&str], agent: Agent, options: Options) -> World {
    let mut world = World::new(documents, agent);
    world.options = options;
    world
}

/// The machine of a world that has worked until nothing more happened.
fn worked(world: &mut World) -> Machine {
    let mut machine = world.machine();
    let _ = world.work(&mut machine, Input::Begin, None);
    machine
}

fn paused(machine: &Machine) -> String {
    match &machine.run().state {
        State::Paused(why) => why.sentence(),
        other => panic!("{other:?}"),
    }
}

fn texts(run: &Run) -> Vec<(&str, TaskState)> {
    run.tasks.iter().map(|task| (task.text.as_str(), task.state)).collect()
}

/// Writes the wanted file in its second turn only.
fn second_time(world: &mut World, turn: &Turn, number: u32) -> Result<(), Failure> {
    match turn.resume {
        Some(_) => {
            world.files.push("a".to_owned());
            Ok(())
        }
        None => {
            world.files.push(format!("try {number}"));
            Ok(())
        }
    }
}

#[test]
fn a_failed_verification_goes_back_to_the_same_session() {
    let mut world = World::new(&["- [ ] a\n  verify: a\n"], second_time);
    let run = world.live(None).expect("it ends");
    assert_eq!(states(&run), [("a", Done, 1)]);
    assert_eq!((run.tasks[0].repairs, run.turns, run.worked_ms), (1, 2, 14));
    assert_eq!(world.turns[1].resume.as_deref(), Some("s1"));
    let prompt = &world.turns[1].prompt;
    assert!(prompt.contains("not done yet") && prompt.contains("`a` exited with 1"), "{prompt}");
    assert!(prompt.contains("output") && !prompt.contains("cut short"), "{prompt}");

    // None are left, or none are wanted.
    let mut world = World::new(&["- [ ] a\n  verify: a\n  retries: 0\n"], second_time);
    let run = world.live(None).expect("it ends");
    assert_eq!((states(&run), run.turns), (vec![("a", Failed, 1)], 1));

    // A refusal in between loses neither session nor what was wrong.
    let mut world = World::new(&["- [ ] a\n  verify: a\n"], |world, turn, number| match number {
        2 => Err(failure(FailureKind::Overload)),
        _ => second_time(world, turn, number),
    });
    let run = world.live(None).expect("it ends");
    assert_eq!(states(&run), [("a", Done, 1)]);
    assert_eq!(run.tasks[0].repairs, 1);
    assert!(world.turns[2].resume.is_some() && world.turns[2].prompt.contains("not done yet"));

    // A crash takes a fresh one, which is told why.
    let mut world = World::new(&["- [ ] a\n  verify: a\n"], |world, turn, number| match number {
        1 => second_time(world, turn, number),
        2 => Err(failure(FailureKind::Crashed)),
        _ => diligent(world, turn, number),
    });
    let run = world.live(None).expect("it ends");
    assert_eq!(states(&run), [("a", Done, 2)]);
    assert_eq!(world.turns[2].resume, None);
}

#[test]
fn each_of_several_tasks_done_at_once_is_verified() {
    let list = "- [ ] a\n  verify: a\n- [ ] b\n  verify: b\n- [ ] c\n  verify: c\n- [ ] d\n";
    let mut world = World::new(&[list], |world, turn, number| {
        if number == 1 {
            for text in ["a", "b", "c", "d"] {
                world.set(text, true);
            }
            world.files.extend(["a".to_owned(), "b".to_owned()]);
        } else {
            return diligent(world, turn, number);
        }
        Ok(())
    });
    let run = world.live(None).expect("it ends");
    assert_eq!(texts(&run), [("a", Done), ("b", Done), ("c", Done), ("d", Done)]);
    // The second was done in the session of the first; the others had one of their own.
    let turns: Vec<u32> = run.tasks.iter().map(|task| task.attempts).collect();
    assert_eq!((turns, world.turns.len()), (vec![1, 0, 1, 1], 3));
    assert_eq!(run.tasks[1].session, run.tasks[0].session);
    assert_eq!(run.tasks[1].verify.as_ref().and_then(|verify| verify.exit_code), Some(0));
    let told: Vec<&str> = run.flags.iter().map(|flag| flag.text.as_str()).collect();
    assert!(told[0].contains("“d” was ticked without evidence"), "{told:?}");
    assert!(told[1].contains("“c” was ticked, but it does not hold"), "{told:?}");
    assert_eq!(told, world.told);
    assert!(world.turns[1].prompt.contains("`c` exited with 1"), "{}", world.turns[1].prompt);
}

#[test]
fn a_task_becomes_a_commit_and_a_hook_that_refuses_it_is_a_check() {
    let options = Options { commit: Some(true), ..Options::default() };
    let mut one = world(&["- [ ] a {#x}\n- [ ] b\n"], diligent, options.clone());
    let run = one.live(None).expect("it ends");
    assert_eq!(one.commits[0].as_deref(), Some("a\n\nA task of 0.md.\n"));
    assert_eq!(
        run.tasks.iter().map(|task| &task.commits[..]).collect::<Vec<_>>(),
        [["c1"], ["c2"]]
    );

    let refused = || {
        Uncommitted::Refused(Verify {
            command: "git commit".to_owned(),
            exit_code: Some(1),
            output: "no tabs, please".to_owned(),
        })
    };
    let mut one = world(&["- [ ] a\n"], diligent, options.clone());
    one.refusals = vec![refused()];
    let run = one.live(None).expect("it ends");
    assert_eq!((states(&run), run.tasks[0].repairs), (vec![("a", Done, 1)], 1));
    assert!(one.turns[1].prompt.contains("no tabs, please"), "{}", one.turns[1].prompt);
    assert_eq!(one.turns[1].resume.as_deref(), Some("s1"));

    let mut one = world(&["- [ ] a\n"], diligent, options.clone());
    one.refusals = vec![refused(), refused(), refused()];
    let run = one.live(None).expect("it ends");
    assert_eq!((states(&run), one.ticked()), (vec![("a", Failed, 1)], vec![]));

    // What only the user can settle is waited for; the turn is not made again.
    let mut one = world(&["- [ ] a\n"], diligent, options);
    one.refusals = vec![
        Uncommitted::Impossible("Git does not know who you are".to_owned()),
        Uncommitted::Passing("Another git is at work".to_owned()),
    ];
    let mut machine = worked(&mut one);
    assert_eq!(paused(&machine), "Git does not know who you are.");
    assert_eq!(one.slept, [15_000]);
    let run = one.work(&mut machine, Input::Resume, None).expect("it ends");
    assert_eq!((states(&run), one.turns.len()), (vec![("a", Done, 1)], 1));

    // Without that, what the agent has committed is found.
    let mut one = world(
        &["- [ ] a\n- [ ] b\n"],
        |world, turn, number| {
            if number == 2 {
                world.commits.push(None);
            }
            diligent(world, turn, number)
        },
        Options::default(),
    );
    let run = one.live(None).expect("it ends");
    let commits: Vec<_> = run.tasks.iter().map(|task| task.commits.clone()).collect();
    assert_eq!(commits, [vec![], vec!["c1".to_owned()]]);
}

#[test]
fn a_box_that_the_user_ticks_in_a_pause_stays_ticked() {
    let ticks_b = |world: &mut World, turn: &Turn, number: u32| {
        if number == 1 {
            world.set("b", true);
        }
        diligent(world, turn, number)
    };
    let mut one = World::new(&["- [ ] a\n- [ ] b\n- [ ] c\n"], ticks_b);
    one.user = vec![(1, Input::Pause)];
    let mut machine = worked(&mut one);
    // Whose tick it was cannot be known while an agent works.
    assert_eq!(one.ticked(), ["a"]);
    assert!(one.told[0].contains("If that was you, pause the run, tick it"), "{:?}", one.told);
    one.set("b", true);
    let run = one.work(&mut machine, Input::Resume, None).expect("it ends");
    assert_eq!(texts(&run), [("a", Done), ("c", Done)]);
    assert_eq!((one.ticked(), one.told.len()), (vec!["a".into(), "b".into(), "c".into()], 1));
}

#[test]
fn a_pause_comes_after_the_turn_and_ends_when_the_user_says_so() {
    let list = "- [ ] a\n- [ ] b\n";
    let mut one = World::new(&[list], diligent);
    one.user = vec![(1, Input::Pause)];
    let mut machine = worked(&mut one);
    assert_eq!((paused(&machine).as_str(), one.ticked()), ("You paused it.", vec!["a".to_owned()]));
    // The next host leaves it so.
    let mut machine_of_next = one.machine();
    assert_eq!(
        one.work(&mut machine_of_next, Input::Begin, None).map(|run| run.state),
        Some(machine.run().state.clone())
    );
    let run = one.work(&mut machine, Input::Resume, None).expect("it ends");
    assert_eq!((run.state, one.turns.len()), (State::Ended(Ending::Completed), 2));

    // Stop ends a paused run at once.
    let mut one = World::new(&[list], diligent);
    one.user = vec![(1, Input::Pause)];
    let mut machine = worked(&mut one);
    let run = one.work(&mut machine, Input::Stop, None).expect("it ends");
    assert_eq!(run.state, State::Ended(Ending::Stopped));

    // A wait is over when the user says so.
    let mut machine = machine_over(&[list]);
    let list = || Ok(Document::parse(b"- [ ] a\n".to_vec()).expect("a checklist"));
    let _ = machine.step(Input::Begin, 0);
    let _ = machine.step(Input::Documents(vec![list()]), 0);
    let looked = || Input::Looked { tree: None, head: None, new_session: None };
    let _ = machine.step(looked(), 0);
    let outcome = Outcome {
        session: None,
        text: String::new(),
        usage: Usage::default(),
        result: Err(failure(FailureKind::Overload)),
    };
    let _ = machine.step(Input::TurnEnded { outcome, duration_ms: 1 }, 0);
    let _ = machine.step(looked(), 0);
    let effects = machine.step(Input::Documents(vec![list()]), 0);
    assert_eq!(effects.last(), Some(&Effect::Sleep { until_ms: 15_000 }));
    let effects = machine.step(Input::Resume, 0);
    assert_eq!(effects.first(), Some(&Effect::Journal(Entry::Woken)));
}

#[test]
fn tasks_and_documents_are_passed_over_tried_again_and_taken_back() {
    let lists = ["- [ ] a\n- [ ] b\n", "- [ ] c\n"];
    let mut one = World::new(&lists, diligent);
    one.user = vec![(1, Input::Skip(None))];
    let run = one.live(None).expect("it ends");
    assert_eq!(texts(&run), [("a", Skipped), ("b", Done), ("c", Done)]);
    assert_eq!(run.state, State::Ended(Ending::WithFailures));
    assert_eq!(one.ticked(), ["b", "c"]);

    let mut one = World::new(&lists, diligent);
    one.user = vec![(1, Input::SkipDocument)];
    let run = one.live(None).expect("it ends");
    assert_eq!(texts(&run), [("a", Done), ("c", Done)]);

    // A task that failed is tried again while the run is at another one.
    let mut one =
        World::new(&["- [ ] a\n  verify: a\n  retries: 0\n- [ ] b\n"], |world, turn, number| {
            if number == 1 { Ok(()) } else { diligent(world, turn, number) }
        });
    one.user = vec![(2, Input::Retry(0))];
    let run = one.live(None).expect("it ends");
    assert_eq!((texts(&run), one.turns.len()), (vec![("a", Done), ("b", Done)], 3));

    // What is done is not tried again; what is taken back is open, and stays so.
    let mut one = World::new(&lists, diligent);
    one.user = vec![(2, Input::Retry(0)), (3, Input::Undo { task: 0, force: true })];
    one.undone = Ok(vec![1]);
    let run = one.live(None).expect("it ends");
    assert!(run.flags[0].text.contains("“a” is done"), "{:?}", run.flags);
    assert_eq!(texts(&run), [("a", Undone), ("b", Undone), ("c", Done)]);
    assert_eq!(one.ticked(), ["c"]);
    assert_eq!(run.tasks[1].because.as_deref(), Some("It was taken back together with “a”."));

    // Also after the run has ended, and not when the later ones are in the way.
    let mut one = World::new(&lists, diligent);
    let mut machine = worked(&mut one);
    one.undone = Err("“b” builds on it.".to_owned());
    let undo = || Input::Undo { task: 0, force: false };
    let run = one.work(&mut machine, undo(), None).expect("it ends");
    assert_eq!(texts(&run)[0], ("a", Done));
    assert!(one.told[0].contains("“a” was not undone. “b” builds on it."), "{:?}", one.told);
    one.undone = Ok(vec![]);
    let run = one.work(&mut machine, undo(), None).expect("it ends");
    assert_eq!(texts(&run)[0], ("a", Undone));
    assert_eq!(run.state, State::Ended(Ending::Completed));
    assert_eq!(one.ticked(), ["b", "c"]);
}

#[test]
fn a_gate_waits_for_a_person() {
    let list =
        "- [ ] a\n<!-- MAESTRO:HITL reason=\"Look\" artifact=\"a.png\" -->\n- [ ] seen\n- [ ] b\n";
    let mut one = World::new(&[list], diligent);
    let mut machine = worked(&mut one);
    let gate = Pause::Gate {
        document: PathBuf::from("/d/0.md"),
        line: 2,
        reason: "Look".to_owned(),
        artifact: Some("a.png".to_owned()),
    };
    assert_eq!(machine.run().state, State::Paused(gate.clone()));
    assert_eq!(one.ticked(), ["a"]);
    // Nobody has ticked it.
    let _ = one.work(&mut machine, Input::Resume, None);
    assert_eq!(machine.run().state, State::Paused(gate));
    one.set("seen", true);
    let run = one.work(&mut machine, Input::Resume, None).expect("it ends");
    assert_eq!((run.state, one.turns.len()), (State::Ended(Ending::Completed), 2));

    // The rest of the document can be passed over; no agent opens or removes it.
    let mut one = World::new(&[list, "- [ ] c\n"], |world, turn, number| {
        world.set("seen", true);
        diligent(world, turn, number)
    });
    let mut machine = worked(&mut one);
    assert_eq!(one.ticked(), ["a"]);
    let run = one.work(&mut machine, Input::SkipDocument, None).expect("it ends");
    assert_eq!(texts(&run), [("a", Done), ("c", Done)]);
    let mut one = World::new(&[list], |world, turn, number| {
        world.documents[0] = world.documents[0].replace("<!-- MAESTRO:HITL", "<!-- ");
        diligent(world, turn, number)
    });
    let machine = worked(&mut one);
    assert!(paused(&machine).contains("a gate disappeared from 0.md"), "{}", paused(&machine));
}

#[test]
fn an_agent_can_end_the_run_and_an_old_marker_cannot() {
    let mut one = World::new(
        &["<!-- maestro:halt old -->\n- [ ] a\n- [ ] b\n- [ ] c\n"],
        |world, turn, number| {
            if number == 2 {
                world.documents[0].push_str("<!-- maestro:halt no key -->\n");
            }
            diligent(world, turn, number)
        },
    );
    let run = one.live(None).expect("it ends");
    assert_eq!(one.ticked(), ["a", "b"]);
    let because = "The agent ended the run while “b” was worked on: no key.";
    assert_eq!(run.state, State::Ended(Ending::Failed(because.to_owned())));
}

#[test]
fn a_budget_ends_or_pauses_the_run() {
    let list = "- [ ] a\n- [ ] b\n- [ ] c\n";
    for (budgets, sentence, done) in [
        (Budgets { turns: Some(2), ..Budgets::default() }, "Its budget of 2 turns is used up.", 2),
        (Budgets { tasks: Some(1), ..Budgets::default() }, "Its budget of 1 task is used up.", 1),
        (
            Budgets { tokens: Some(15), ..Budgets::default() },
            "Its budget of 15 tokens is used up: it has used 20.",
            2,
        ),
    ] {
        for then in [crate::run::Then::Pause, crate::run::Then::End] {
            let options = Options { budgets: Budgets { then, ..budgets }, ..Options::default() };
            let mut one = world(&[list], diligent, options);
            let mut machine = worked(&mut one);
            assert_eq!(one.ticked().len(), done, "{sentence}");
            if then == crate::run::Then::End {
                let ended = State::Ended(Ending::Failed(sentence.to_owned()));
                assert_eq!(machine.run().state, ended);
                continue;
            }
            assert_eq!(paused(&machine), sentence);
            // The same once more.
            let run = one.work(&mut machine, Input::Resume, None).expect("it goes on");
            assert_eq!(one.ticked().len(), (2 * done).min(3), "{sentence} {:?}", run.state);
        }
    }
    // Nothing is left: it is complete.
    let budgets = Budgets { turns: Some(3), ..Budgets::default() };
    let mut one = world(&[list], diligent, Options { budgets, ..Options::default() });
    assert_eq!(one.live(None).expect("it ends").state, State::Ended(Ending::Completed));
    // Time bounds the turn itself, and does not use up an attempt.
    let budgets = Budgets { time_s: Some(1), ..Budgets::default() };
    let mut one = world(
        &[list],
        |_, turn, _| {
            assert_eq!(turn.timeout_s, 1);
            Err(failure(FailureKind::Interrupted))
        },
        Options { budgets, ..Options::default() },
    );
    one.duration_ms = 1000;
    let machine = worked(&mut one);
    assert_eq!(paused(&machine), "Its budget of 1 s of work is used up.");
    assert_eq!(one.turns.len(), 1);
    assert_eq!(machine.known[0].used, 0);
}

#[test]
fn a_turn_that_is_too_dear_is_ended() {
    let mut machine = machine_over(&["- [ ] a\n"]);
    machine.run.spec.options.budgets.cost_usd = Some(1.0);
    let list = || Ok(Document::parse(b"- [ ] a\n".to_vec()).expect("a checklist"));
    let _ = machine.step(Input::Begin, 0);
    let _ = machine.step(Input::Documents(vec![list()]), 0);
    let looked = || Input::Looked { tree: None, head: None, new_session: None };
    let _ = machine.step(looked(), 0);
    let used = |cost| Usage { cost_usd: Some(cost), ..Usage::default() };
    assert_eq!(machine.step(Input::Progress(used(0.5)), 0), []);
    assert_eq!(machine.step(Input::Progress(used(1.5)), 0), [Effect::Cancel]);
    assert_eq!(machine.step(Input::Progress(used(1.6)), 0), []);
    let outcome = Outcome {
        session: Some("s".to_owned()),
        text: String::new(),
        usage: used(1.6),
        result: Err(failure(FailureKind::Interrupted)),
    };
    let _ = machine.step(Input::TurnEnded { outcome, duration_ms: 1 }, 0);
    let _ = machine.step(looked(), 0);
    let _ = machine.step(Input::Documents(vec![list()]), 0);
    let _ = machine.step(Input::Documents(vec![list()]), 0);
    assert_eq!(paused(&machine), "Its budget of $1.00 is used up: it has cost $1.60.");
    // It goes on in its session.
    let _ = machine.step(Input::Resume, 0);
    let _ = machine.step(Input::Documents(vec![list()]), 0);
    let effects = machine.step(looked(), 0);
    let Some(Effect::Turn(turn)) = effects.last() else { panic!("{effects:?}") };
    assert_eq!(turn.resume.as_deref(), Some("s"));
}

#[test]
fn documents_that_are_reset_are_worked_through_as_copies_pass_after_pass() {
    let original = "- [x] old\n- [ ] a\n```\n- [x] no task\n```\n";
    let options = Options {
        reset: vec![PathBuf::from("/d/0.md")],
        loops: Loops::Times(2),
        ..Options::default()
    };
    let mut one = world(&[original], diligent, options.clone());
    let run = one.live(None).expect("it ends");
    assert_eq!(run.state, State::Ended(Ending::Completed));
    assert_eq!(one.documents[0], original);
    let copies: Vec<String> =
        one.paths[1..].iter().map(|path| path.display().to_string()).collect();
    assert_eq!(copies, ["/d/runs/0-0-loop-1.md", "/d/runs/0-0-loop-2.md"]);
    assert_eq!(one.documents[1], "- [x] old\n- [x] a\n```\n- [x] no task\n```\n");
    assert_eq!(run.tasks.iter().map(|task| task.pass).collect::<Vec<_>>(), [1, 1, 2, 2]);
    assert_eq!(run.pass, 2);

    // A pass in which nothing was done is the last.
    let options = Options { loops: Loops::Forever, ..options };
    let mut one = world(&[original], |_, _, _| Err(failure(FailureKind::Other)), options.clone());
    let run = one.live(None).expect("it ends");
    assert_eq!((run.pass, run.tasks.len()), (1, 2));

    // Copies find work for the documents before them: the next pass does it, then it is over.
    let mut one = world(
        &["- [ ] plan\n", "- [ ] b\n"],
        |world, turn, number| {
            if number == 2 {
                world.documents[1].push_str("- [ ] found\n");
            }
            diligent(world, turn, number)
        },
        Options { reset: vec![PathBuf::from("/d/0.md")], ..options },
    );
    one.paths.swap(0, 1);
    one.documents.swap(0, 1);
    let run = one.live(None).expect("it ends");
    assert_eq!(run.state, State::Ended(Ending::Completed), "{:?}", texts(&run));
}

#[test]
fn a_document_that_is_listed_twice_is_one_and_twice_a_copy() {
    let mut machine = machine_over(&["", ""]);
    let same = PathBuf::from("/d/a.md");
    machine.run.spec.documents = vec![same.clone(), same.clone()];
    let machine = Machine::new(machine.run, Policy::default());
    assert_eq!(machine.pass.len(), 1);
    let mut run = machine.run;
    run.spec.options.reset = vec![same];
    let mut machine = Machine::new(run, Policy::default());
    let effects = machine.step(Input::Begin, 0);
    let Some(Effect::Copy(copies)) = effects.last() else { panic!("{effects:?}") };
    let to: Vec<String> = copies.iter().map(|(_, to)| to.display().to_string()).collect();
    assert_eq!(to, ["/d/runs/a-0-loop-1.md", "/d/runs/a-0-loop-1-2.md"]);
}

#[test]
fn one_session_does_a_document_where_that_is_wanted() {
    let options = Options { mode: Mode::Document, ..Options::default() };
    let lists = ["- [ ] a\n- [ ] b\n- [ ] c\n  agent: codex\n- [ ] d\n", "- [ ] e\n"];
    let mut one = world(
        &lists,
        |world, turn, number| {
            let text = if turn.resume.is_some() { turn.prompt.lines().nth(2) } else { None };
            world.files.push(text.unwrap_or("fresh").to_owned());
            let _ = number;
            Ok(())
        },
        options,
    );
    let run = one.live(None).expect("it ends");
    assert_eq!(run.state, State::Ended(Ending::Completed));
    let sessions: Vec<_> = one.turns.iter().map(|turn| turn.resume.as_deref()).collect();
    assert_eq!(sessions, [None, Some("s1"), None, None, None]);
    assert!(one.turns[1].prompt.starts_with("That task is through"), "{}", one.turns[1].prompt);
}

#[test]
fn a_failed_task_ends_or_pauses_the_run_where_that_is_wanted() {
    let list = "- [ ] a\n  verify: a\n  retries: 0\n- [ ] b\n";
    let agent: Agent = |world, _, number| {
        world.files.push(format!("x{number}"));
        Ok(())
    };
    let stop = Options { on_failure: OnFailure::Stop, ..Options::default() };
    let run = world(&[list], agent, stop).live(None).expect("it ends");
    let because = "“a” failed: `a` exited with 1.";
    assert_eq!(run.state, State::Ended(Ending::Failed(because.to_owned())));
    let pause = Options { on_failure: OnFailure::Pause, ..Options::default() };
    let mut one = world(&[list], agent, pause);
    let mut machine = worked(&mut one);
    assert_eq!(paused(&machine), because);
    one.files.push("a".to_owned());
    // Trying it again lets the run go on.
    let run = one.work(&mut machine, Input::Retry(0), None).expect("it ends");
    assert_eq!(run.state, State::Ended(Ending::Completed));
}

#[test]
fn needs_reach_over_documents_and_name_agents_and_models() {
    let lists = ["- [ ] a\n  needs: #two\n  agent: Ann\n  model: big\n", "- [ ] b {#two}\n"];
    let mut one = World::new(&lists, diligent);
    one.agents = vec![("Ann".to_owned(), AgentId(7), Provider::Claude)];
    let run = one.live(None).expect("it ends");
    assert_eq!(run.state, State::Ended(Ending::Completed));
    assert_eq!(one.files, ["b", "a"]);
    let turn = &one.turns[1];
    assert_eq!((turn.provider, turn.agent), (Provider::Claude, Some(AgentId(7))));
    assert_eq!(turn.model.as_deref(), Some("big"));
}

#[test]
fn no_command_runs_that_nobody_agreed_to() {
    for (list, edit, asked) in [
        ("- [ ] a\n- [ ] b\n  verify: b\n", ("verify: b", "verify: curl x"), "`curl x`"),
        ("- [ ] a\n- [ ] b\n  verify: b\n", ("  verify: b\n", ""), "no longer checked"),
        ("- [ ] a\n- [ ] b\n", ("- [ ] b\n", "- [ ] b\n- [ ] c\n  verify: curl x\n"), "`curl x`"),
        ("- [ ] a\n- [ ] b\n  verify: b\n", ("- [ ] b", "- [ ] b, once more"), "no longer checked"),
    ] {
        let mut one = World::new(&[list], diligent);
        one.edit = Some(edit);
        let mut machine = worked(&mut one);
        if !matches!(machine.run().state, State::Paused(_)) {
            // Reworded before it was ever picked: a task of its own with a command that was agreed to.
            assert_eq!(edit.1, "- [ ] b, once more");
            continue;
        }
        assert!(paused(&machine).contains(asked), "{}", paused(&machine));
        assert!(one.verified.iter().all(|command| !command.contains("curl")), "{list}");
        one.files.push("curl x".to_owned());
        let run = one.work(&mut machine, Input::Resume, None).expect("it ends");
        assert_eq!(run.state, State::Ended(Ending::Completed), "{list}");
    }
}

#[test]
fn only_the_tasks_that_are_named_are_done() {
    let list = "- [ ] a\n- [ ] b\n";
    let anchor = Document::parse(list.as_bytes().to_vec()).expect("a checklist").anchor(1);
    let only = vec![(PathBuf::from("/d/0.md"), anchor)];
    let mut one = world(&[list], diligent, Options { only, ..Options::default() });
    let run = one.live(None).expect("it ends");
    assert_eq!((run.state, one.ticked()), (State::Ended(Ending::Completed), vec!["b".to_owned()]));
}

#[test]
fn what_is_ahead_is_shown() {
    let list: String = (0..600).map(|n| format!("- [ ] task {n} {{#t{n}}}\n")).collect();
    let mut machine = machine_over(&[&list]);
    let _ = machine.step(Input::Begin, 0);
    let document = Document::parse(list.into_bytes()).expect("a checklist");
    let _ = machine.step(Input::Documents(vec![Ok(document)]), 0);
    let ahead = &machine.run().ahead;
    assert_eq!((ahead.len(), ahead[0].text.as_str()), (500, "task 1"));
}

#[test]
fn the_journal_has_every_turn_of_a_task() {
    let mut one = World::new(&["- [ ] a\n  verify: a\n- [ ] b\n"], second_time);
    let _ = one.live(None).expect("it ends");
    let (turns, verified) = crate::run::journal::made(&one.journal, 0);
    assert_eq!((turns.len(), verified.len()), (2, 2));
    assert_eq!(turns[0].tree_before.as_deref(), Some("[]"));
    assert_eq!(turns[0].tree_after, turns[1].tree_before);
    assert_eq!((turns[1].attempt, turns[1].session.as_deref()), (1, Some("s2")));
    assert_eq!(crate::run::journal::made(&one.journal, 1).0.len(), 1);
    assert_eq!(crate::run::journal::made(&one.journal, 9), (vec![], vec![]));
}

#[test]
fn fifty_thousand_tasks_are_no_burden() {
    let list: String = (0..50_000).map(|n| format!("- [ ] task {}\n", n % 40_000)).collect();
    let mut one = World::new(&[&list], diligent);
    one.options.budgets.tasks = Some(5);
    let machine = worked(&mut one);
    assert_eq!(paused(&machine), "Its budget of 5 tasks is used up.");
    let sizes: Vec<usize> = one
        .journal
        .iter()
        .map(|(_, entry)| serde_json::to_string(entry).expect("an entry is written").len())
        .collect();
    let large = sizes.iter().filter(|size| **size > 20_000).count();
    assert_eq!(large, 1, "only the boxes at the beginning");
}

#[test]
fn a_cheat_takes_no_other_task_with_it() {
    let list = "- [ ] cheat\n  - verify: false\n- [ ] other\n";
    for dies_before in (0..120).map(Some).chain([None]) {
        let mut one = World::new(&[list], |world, turn, number| {
            if turn.prompt.contains("cheat") && !turn.prompt.contains("\nother\n") {
                world.documents[0] = world.documents[0].replace("[ ]", "[x]");
                return Ok(());
            }
            world.files.push(format!("x{number}"));
            Ok(())
        });
        let _ = one.live(dies_before);
        let run = one.live(None).expect("it ends");
        assert_eq!(texts(&run), [("cheat", Failed), ("other", Done)], "{dies_before:?}");
        assert_eq!(one.ticked(), ["other"], "{dies_before:?}");
    }
}

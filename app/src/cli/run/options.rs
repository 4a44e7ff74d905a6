//! What can be written after `maestro run`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use maestro_core::RunId;
use maestro_core::agent::Provider;
use maestro_core::run;

use super::super::args::provider;
use super::super::usage::since;

const CODES: &str = "Exit codes of a run that is followed:\n  \
    0    everything asked for is done, and verified wherever a command decides\n  \
    1    tasks stayed open, or the run could not go on\n  \
    6    it paused and waits for a person\n  \
    7    it was stopped or killed\n  \
    8    refused: nothing was started (commands nobody agreed to, a directory somebody else works in, \
         uncommitted changes)\n  \
    130  Ctrl+C ended the watching, not the run\n\
    Ctrl+C asks the run to stop after its task; twice stops it now.";

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true, after_help = CODES)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Option<Runs>,
    #[command(flatten)]
    pub start: Start,
}

#[derive(Debug, Args)]
pub struct Start {
    /// Documents, in order; or one playbook: its folder, or its name, of those in `.maestro/playbooks` and
    /// those that came with Maestro. (A file that is called `list` is written `./list`.)
    #[arg(required = true, value_name = "DOC|PLAYBOOK")]
    pub files: Vec<PathBuf>,
    /// The agent whose program and directory are used: its id or name; or a provider's name. A playbook may
    /// name a provider itself.
    #[arg(long, short, value_name = "AGENT")]
    pub agent: Option<String>,
    /// The program, without any agent.
    #[arg(long, short, value_parser = provider, conflicts_with = "agent")]
    pub provider: Option<Provider>,
    /// Where to work; the agent's directory, or the current one.
    #[arg(long, short)]
    pub dir: Option<PathBuf>,
    /// The model to ask for, where the provider takes one.
    #[arg(long, short)]
    pub model: Option<String>,
    /// Work in a worktree of this branch, which is made; each task becomes a commit there.
    #[arg(long, short = 'B', value_name = "BRANCH")]
    pub new_worktree: Option<String>,
    /// Where the new branch starts; the current commit when absent.
    #[arg(long, value_name = "COMMIT", requires = "new_worktree")]
    pub base: Option<String>,

    /// How often a task is tried before it is given up.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=20))]
    pub attempts: u32,
    /// How long a task's turn may take (30m, 2h); 0 for ever.
    #[arg(long, default_value = "3600", value_name = "TIME", value_parser = seconds)]
    pub turn_timeout: u64,
    /// How long a turn may print nothing before it counts as stuck; 0 for ever.
    #[arg(long, default_value = "600", value_name = "TIME", value_parser = seconds)]
    pub silence_timeout: u64,
    /// How long a command that verifies may take.
    #[arg(long, default_value = "600", value_name = "TIME", value_parser = seconds)]
    pub verify_timeout: u64,
    /// Keep the provider's permission prompts. Nobody is there to answer them, so most tasks fail.
    #[arg(long)]
    pub ask: bool,

    /// Agree to what these documents run and a playbook says, this time only.
    #[arg(long, short)]
    pub yes: bool,
    /// Agree to it from now on, until something of it changes.
    #[arg(long)]
    pub trust: bool,
    /// Refuse documents with tasks that no command verifies.
    #[arg(long)]
    pub require_verify: bool,
    /// Let it wait until the directory is free, when somebody else works in it. It waits in the host, and
    /// does so on without this command, too: `run list --state waiting`, `run stop`.
    #[arg(long)]
    pub queue: bool,
    /// Only say what would be done: every task, who does it, what decides, what stands in the way.
    #[arg(long, conflicts_with_all = ["detach", "queue"])]
    pub dry_run: bool,
    /// Start it and return; `run watch` follows it later.
    #[arg(long, conflicts_with_all = ["jsonl", "stay", "hear"])]
    pub detach: bool,
    #[command(flatten)]
    pub rules: Rules,
    #[command(flatten)]
    pub budgets: Budgets,
    #[command(flatten)]
    pub following: Following,
}

/// The rules of the run.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Rules")]
pub struct Rules {
    /// How often it goes through the documents: a number, or `forever` (until nothing is left to do).
    #[arg(long = "loop", value_name = "N|forever", value_parser = loops)]
    pub loops: Option<run::Loops>,
    /// Leave the documents as they are: every pass works on fresh copies with every box open.
    #[arg(long)]
    pub reset: bool,
    /// What one session is given: a task, or all tasks of a document one after the other.
    #[arg(long, value_enum)]
    pub mode: Option<Mode>,
    /// What sessions are told instead of Maestro's own words: a file; `-` for the standard input.
    #[arg(long, value_name = "FILE")]
    pub prompt_file: Option<PathBuf>,
    /// The command that decides about tasks that name none.
    #[arg(long, value_name = "COMMAND")]
    pub verify: Option<String>,
    /// What a failed task means: go on with the next, stop, or pause until somebody has looked.
    #[arg(long, value_enum)]
    pub on_failure: Option<OnFailure>,
    /// Make each task that is done a commit. (Without it: in worktrees, yes; elsewhere, no.)
    #[arg(long, overrides_with = "no_commit")]
    pub commit: bool,
    /// Make no commits, also in a worktree.
    #[arg(long)]
    pub no_commit: bool,
    /// Push the branch at the end and open a pull request.
    #[arg(long)]
    pub pr: bool,
    /// The branch that it is to go into.
    #[arg(long, value_name = "BRANCH", requires = "pr")]
    pub pr_target: Option<String>,
    /// Open it as a draft.
    #[arg(long, requires = "pr")]
    pub pr_draft: bool,
    /// Uncommitted changes at the start: refuse, keep a snapshot of them and go on, or just go on.
    #[arg(long, value_enum)]
    pub dirty: Option<Dirty>,
    /// Keep the machine from going to sleep while it works.
    #[arg(long)]
    pub keep_awake: bool,
}

/// How much it may use.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Budgets")]
pub struct Budgets {
    /// US dollars.
    #[arg(long, value_name = "USD", value_parser = dollars)]
    pub budget_usd: Option<f64>,
    /// Tokens in and out (500k, 2M).
    #[arg(long, value_name = "COUNT", value_parser = count)]
    pub budget_tokens: Option<u64>,
    /// Time of work: pauses, limits and sleep do not count (90m, 8h).
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    pub budget_time: Option<u64>,
    /// Turns.
    #[arg(long, value_name = "COUNT")]
    pub budget_turns: Option<u32>,
    /// Tasks that are done.
    #[arg(long, value_name = "COUNT")]
    pub budget_tasks: Option<u32>,
    /// What happens when one is used up.
    #[arg(long, value_enum)]
    pub on_budget: Option<OnBudget>,
}

/// How a run is told.
#[derive(Debug, Clone, Copy, Default, Args)]
#[command(next_help_heading = "Following it")]
pub struct Following {
    /// Print one JSON object a line: docs/run-events.md describes them.
    #[arg(long)]
    pub jsonl: bool,
    /// Print what its turns and its verifying commands say, too.
    #[arg(long)]
    pub hear: bool,
    /// Go on while it is paused. (On a terminal that is so anyway.)
    #[arg(long)]
    pub stay: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    Task,
    Document,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OnFailure {
    GoOn,
    Stop,
    Pause,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Dirty {
    Refuse,
    Snapshot,
    Accept,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OnBudget {
    Pause,
    End,
}

impl Rules {
    /// Puts what was said over what a playbook says. Documents and the prompt's words are left to the
    /// caller.
    pub fn apply(&self, options: &mut run::Options) {
        options.loops = self.loops.unwrap_or(options.loops);
        options.mode = match self.mode {
            None => options.mode,
            Some(Mode::Task) => run::Mode::Task,
            Some(Mode::Document) => run::Mode::Document,
        };
        if self.verify.is_some() {
            options.verify.clone_from(&self.verify);
        }
        options.on_failure = match self.on_failure {
            None => options.on_failure,
            Some(OnFailure::GoOn) => run::OnFailure::GoOn,
            Some(OnFailure::Stop) => run::OnFailure::Stop,
            Some(OnFailure::Pause) => run::OnFailure::Pause,
        };
        match (self.commit, self.no_commit) {
            (true, _) => options.commit = Some(true),
            (false, true) => options.commit = Some(false),
            (false, false) => {}
        }
        if self.pr {
            let given = run::PullRequest { target: self.pr_target.clone(), draft: self.pr_draft };
            options.pull_request = Some(given);
        }
        options.dirty = match self.dirty {
            None => options.dirty,
            Some(Dirty::Refuse) => run::Dirty::Refuse,
            Some(Dirty::Snapshot) => run::Dirty::Snapshot,
            Some(Dirty::Accept) => run::Dirty::Accept,
        };
        options.keep_awake |= self.keep_awake;
    }
}

impl Budgets {
    /// The same for what it may use.
    pub fn apply(&self, budgets: &mut run::Budgets) {
        budgets.cost_usd = self.budget_usd.or(budgets.cost_usd);
        budgets.tokens = self.budget_tokens.or(budgets.tokens);
        budgets.time_s = self.budget_time.or(budgets.time_s);
        budgets.turns = self.budget_turns.or(budgets.turns);
        budgets.tasks = self.budget_tasks.or(budgets.tasks);
        budgets.then = match self.on_budget {
            None => budgets.then,
            Some(OnBudget::Pause) => run::Then::Pause,
            Some(OnBudget::End) => run::Then::End,
        };
    }
}

#[derive(Debug, Subcommand)]
pub enum Runs {
    /// All runs, newest first.
    List(List),
    /// One run with its tasks and what they rest on.
    Show {
        /// Its id.
        run: RunId,
    },
    /// Follow a run, whoever started it. Ctrl+C ends the watching, not the run.
    Watch {
        /// Its id.
        run: RunId,
        #[command(flatten)]
        following: Following,
    },
    /// Let it do nothing more after the turn that runs, until it is resumed.
    Pause {
        /// Its id.
        run: RunId,
    },
    /// Let a paused run go on; one that waits for a time does not wait any longer.
    Resume {
        /// Its id.
        run: RunId,
    },
    /// End it after the current task.
    Stop {
        /// Its id.
        run: RunId,
    },
    /// End it now, with the processes of its agent.
    Kill {
        /// Its id.
        run: RunId,
    },
    /// Pass over the task it works on, another one, or the rest of the document.
    Skip {
        /// Its id.
        run: RunId,
        /// The task's number, as `run show` has it.
        #[arg(long, value_name = "N", value_parser = number())]
        task: Option<u32>,
        /// The rest of the document it is in.
        #[arg(long, conflicts_with = "task")]
        document: bool,
    },
    /// Try a task again that failed, was skipped or undone; of a run that has ended, as a new run.
    Retry {
        /// Its id.
        run: RunId,
        /// The task's number, as `run show` has it; not needed when only one can be meant.
        #[arg(value_parser = number())]
        task: Option<u32>,
    },
    /// Put the directory back to what it was before a task, and open its box again.
    Undo {
        /// Its id.
        run: RunId,
        /// The task's number, as `run show` has it.
        #[arg(value_parser = number())]
        task: u32,
        /// Also when later tasks build on it: what they changed goes, too.
        #[arg(long)]
        force: bool,
    },
    /// What the tick of a task rests on: prompts, sessions, verifications, commits, the diff.
    Evidence {
        /// Its id.
        run: RunId,
        /// The task's number, as `run show` has it.
        #[arg(value_parser = number())]
        task: u32,
    },
    /// The run's report, as markdown.
    Report {
        /// Its id.
        run: RunId,
        /// Write it into a new file instead.
        #[arg(long, short, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

/// Which runs.
#[derive(Debug, Args)]
pub struct List {
    /// Only those with this text in their documents, directory or tasks.
    #[arg(long, value_name = "TEXT")]
    pub filter: Option<String>,
    /// Only those that stand so.
    #[arg(long, value_enum)]
    pub state: Option<Standing>,
    /// Only those of this agent (id or name) or provider.
    #[arg(long, short, value_name = "AGENT")]
    pub agent: Option<String>,
    /// Only those started from then on: a day (2026-11-22, in your time zone) or how long ago (12h, 7d, 4w).
    #[arg(long, value_name = "WHEN", value_parser = since)]
    pub since: Option<u64>,
}

/// How a run stands, coarsely.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Standing {
    /// It has not ended.
    Open,
    Running,
    /// For a limit to be over.
    Waiting,
    /// Until somebody resumes it.
    Paused,
    /// However it ended.
    Ended,
    /// With everything done.
    Completed,
    /// With tasks open, or because it could not go on.
    Failed,
    /// Stopped or killed.
    Stopped,
}

/// Numbers of tasks begin with 1.
fn number() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..)
}

fn loops(text: &str) -> Result<run::Loops, String> {
    match text {
        "forever" => Ok(run::Loops::Forever),
        _ => match text.parse() {
            Ok(1) => Ok(run::Loops::Once),
            Ok(times @ 2..=10_000) => Ok(run::Loops::Times(times)),
            Ok(_) | Err(_) => Err("expected a number from 1 to 10000, or `forever`".to_owned()),
        },
    }
}

/// Seconds: a number of them, or a number with a unit.
fn seconds(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is no time: expected seconds, or 90s, 45m, 8h, 2d");
    let (digits, unit) = match text.char_indices().last() {
        Some((at, 's')) => (&text[..at], 1),
        Some((at, 'm')) => (&text[..at], 60),
        Some((at, 'h')) => (&text[..at], 3600),
        Some((at, 'd')) => (&text[..at], 86400),
        _ => (text, 1),
    };
    let number: u64 = whole(digits).ok_or_else(wrong)?;
    // A hundred years; beyond it sums of times could overflow.
    number.checked_mul(unit).filter(|seconds| *seconds <= 3_155_760_000).ok_or_else(wrong)
}

/// A number of tokens, as they are written: with `_` between thousands, or `k` or `M` behind.
fn count(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is no number: expected one such as 200000, 500k or 2M");
    let (digits, unit) = match text.char_indices().last() {
        Some((at, 'k' | 'K')) => (&text[..at], 1_000),
        Some((at, 'm' | 'M')) => (&text[..at], 1_000_000),
        _ => (text, 1),
    };
    whole(digits).and_then(|number| number.checked_mul(unit)).ok_or_else(wrong)
}

fn whole(digits: &str) -> Option<u64> {
    let digits: String = digits.chars().filter(|c| *c != '_').collect();
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

fn dollars(text: &str) -> Result<f64, String> {
    let number = text.strip_prefix('$').unwrap_or(text).parse::<f64>().ok();
    number
        .filter(|dollars| dollars.is_finite() && *dollars > 0.0)
        .ok_or_else(|| format!("`{text}` is no sum of money: expected one such as 5 or 2.50"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        for (text, expected) in [
            ("0", Some(0)),
            ("90", Some(90)),
            ("90s", Some(90)),
            ("45m", Some(2700)),
            ("8h", Some(28800)),
            ("2d", Some(172_800)),
            ("", None),
            ("h", None),
            ("-1", None),
            ("1.5h", None),
            ("99999999999999999999", None),
            ("9999999999999999d", None),
            ("5€", None),
        ] {
            assert_eq!(seconds(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn numbers_of_tokens_have_units() {
        for (text, expected) in [
            ("200000", Some(200_000)),
            ("200_000", Some(200_000)),
            ("500k", Some(500_000)),
            ("2M", Some(2_000_000)),
            ("k", None),
            ("+5", None),
            ("2G", None),
            ("99999999999999999M", None),
        ] {
            assert_eq!(count(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn money_is_a_positive_number() {
        assert_eq!(dollars("2.50"), Ok(2.5));
        assert_eq!(dollars("$5"), Ok(5.0));
        for text in ["0", "-1", "NaN", "inf", "much", ""] {
            assert!(dollars(text).is_err(), "{text}");
        }
    }

    #[test]
    fn loops_are_counted() {
        assert_eq!(loops("1"), Ok(run::Loops::Once));
        assert_eq!(loops("3"), Ok(run::Loops::Times(3)));
        assert_eq!(loops("forever"), Ok(run::Loops::Forever));
        for text in ["0", "-1", "ever", "", "99999"] {
            assert!(loops(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_said_goes_before_what_a_playbook_says() {
        let mut options = run::Options {
            verify: Some("make".to_owned()),
            on_failure: run::OnFailure::Pause,
            commit: Some(true),
            loops: run::Loops::Times(4),
            ..run::Options::default()
        };
        Rules::default().apply(&mut options);
        assert_eq!(options.verify.as_deref(), Some("make"));
        assert_eq!((options.loops, options.commit), (run::Loops::Times(4), Some(true)));
        let rules = Rules {
            verify: Some("just".to_owned()),
            on_failure: Some(OnFailure::Stop),
            no_commit: true,
            ..Rules::default()
        };
        rules.apply(&mut options);
        assert_eq!(options.verify.as_deref(), Some("just"));
        assert_eq!(options.on_failure, run::OnFailure::Stop);
        assert_eq!(options.commit, Some(false));
        let mut budgets = run::Budgets { tasks: Some(3), ..run::Budgets::default() };
        Budgets { budget_usd: Some(2.0), ..Budgets::default() }.apply(&mut budgets);
        assert_eq!((budgets.tasks, budgets.cost_usd), (Some(3), Some(2.0)));
    }
}

//! The command line: a client without rules of its own. Every command is one or two questions to the
//! host; what is allowed is decided there.

mod agent;
mod args;
mod bench;
mod branch;
mod conflicts;
mod demo;
mod diff;
mod doctor;
mod failure;
mod host;
mod import;
mod keymap;
mod list;
mod manual;
mod notices;
mod order;
mod output;
mod playbook;
mod pr;
mod queue;
mod race;
mod run;
mod sessions;
mod settings;
mod summon;
mod talk;
mod terminal;
mod theme;
mod train;
mod trust;
mod usage;
mod window;
mod worktree;

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use clap::{CommandFactory as _, Parser as _};
use maestro_core::AgentId;
use maestro_core::agent::Agent;
use maestro_protocol::Home;
use maestro_protocol::client::{self, Blocking, Incoming, Start};
use maestro_protocol::message::{Command, Event, Reply, World};

pub use self::args::Cli;
use self::failure::{Code, Failure, Result, unexpected};
use self::output::Out;

/// How long an ordinary question may take. Making a worktree of a huge repository is the slowest.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long a question may take that the host answers from memory.
const QUICK: Duration = Duration::from_secs(10);

/// What the program does: reads its arguments, runs the command, says what went wrong in one sentence
/// and turns it into an exit code.
pub fn main() -> ExitCode {
    if let Some(code) = inner_program() {
        return code;
    }
    let cli = Cli::try_parse().unwrap_or_else(|error| error.exit());
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read our output has seen enough; that is no failure of ours.
        Err(Failure { code: Code::Pipe, .. }) => ExitCode::SUCCESS,
        Err(failure) => {
            if !failure.message.is_empty() {
                complain(&failure.message);
            }
            ExitCode::from(failure.code as u8)
        }
    }
}

/// Says what is wrong. Where it goes may be full or closed; the exit code still tells.
fn complain(sentence: &str) {
    let _ = writeln!(std::io::stderr(), "maestro: {}", output::printable(sentence));
}

/// The demo agent lives in the same program and reads its own arguments, so that its command line can
/// look like any other agent's.
fn inner_program() -> Option<ExitCode> {
    let mut args = std::env::args_os().skip(1);
    if args.next()? != "demo-agent" {
        return None;
    }
    let args: Vec<String> = args.map(|arg| arg.to_string_lossy().into_owned()).collect();
    // What a process can end with.
    Some(ExitCode::from(crate::demo_agent::main(&args) as u8))
}

fn run(cli: Cli) -> Result<()> {
    if stays(cli.command.as_ref()) {
        client::shed_marks();
    }
    let mut out = Out::new(cli.json);
    let Some(command) = cli.command else { return summon::start(cli.new_window) };
    match command {
        args::Command::Host(host) => host::run(host, &mut out),
        args::Command::Agent(agent) => agent::run(agent, &mut out),
        args::Command::Run(arguments) => run::run(*arguments, &mut out),
        args::Command::Playbook(playbook) => playbook::run(playbook, &mut out),
        args::Command::Worktree(worktree) => worktree::run(worktree, &mut out),
        args::Command::Conflicts(arguments) => conflicts::run(&arguments, &mut out),
        args::Command::Diff(arguments) => diff::run(&arguments, &mut out),
        args::Command::Log(arguments) => branch::log(&arguments, &mut out),
        args::Command::Blame(arguments) => branch::blame(&arguments, &mut out),
        args::Command::Branch(command) => branch::branch(command, &mut out),
        args::Command::Fetch(arguments) => branch::fetch(&arguments, &mut out),
        args::Command::Pull(arguments) => branch::pull(&arguments, &mut out),
        args::Command::Push(arguments) => branch::push(&arguments, &mut out),
        args::Command::Trust(arguments) => trust::run(&arguments, &mut out),
        args::Command::Train(train) => train::run(train, &mut out),
        args::Command::Pr(pull) => pr::run(pull, &mut out),
        args::Command::Race(race) => race::run(race, &mut out),
        args::Command::Queue(queue) => queue::run(queue, &mut out),
        args::Command::Show(show) => summon::show(show, &mut out),
        args::Command::Do(order) => order::run(order, &mut out),
        args::Command::Hide => summon::hide(&mut out),
        args::Command::Toggle => summon::toggle(&mut out),
        args::Command::Prompt(quick) => summon::prompt(&quick),
        args::Command::Notices(notices) => notices::run(notices, &mut out),
        args::Command::Usage(usage) => usage::run(usage, &mut out),
        args::Command::Sessions(sessions) => sessions::run(sessions, &mut out),
        args::Command::List => list::run(&mut out),
        args::Command::Import(import) => import::run(&import, &mut out),
        args::Command::Doctor => doctor::run(&mut out),
        args::Command::Terminal(terminal) => terminal::run(terminal, &mut out),
        args::Command::Demo(demo) => demo::run(demo, &mut out),
        args::Command::Term(term) => window::term(term),
        args::Command::Screenshot(screenshot) => window::screenshot(screenshot, &mut out),
        args::Command::Bench(args::Bench::Grid(grid)) => bench::grid(&grid, &mut out),
        args::Command::Bench(args::Bench::Window(options)) => bench::window(&options, &mut out),
        args::Command::Bench(args::Bench::Conversation(options)) => {
            bench::conversation(&options, &mut out)
        }
        args::Command::Commands(arguments) => keymap::commands(&arguments, &mut out),
        args::Command::Keymap(command) => keymap::run(command, &mut out),
        args::Command::Settings(command) => settings::run(command, &mut out),
        args::Command::Theme(command) => theme::run(command, &mut out),
        args::Command::Man(pages) => manual::run(&pages, &mut out),
        args::Command::Completions { shell } => completions(shell, &mut out),
    }
}

/// Whether a command is a host or a window, which outlive what they were started from.
fn stays(command: Option<&args::Command>) -> bool {
    match command {
        None | Some(args::Command::Term(_)) => true,
        Some(args::Command::Host(host)) => host.command.is_none(),
        Some(_) => false,
    }
}

fn completions(shell: clap_complete::Shell, out: &mut Out) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "maestro", &mut script);
    out.bytes(&script)
}

/// A connection to the host, for commands that ask something.
struct Host {
    client: Blocking,
}

impl Host {
    /// The host that runs, and nobody's time is wasted starting one to ask it about nothing.
    fn running() -> Result<Self> {
        Self::connect(&Home::from_env()?, &Start::Never)
    }

    /// The host, started when it does not run.
    fn on_demand() -> Result<Self> {
        Self::connect(&Home::from_env()?, &Start::ON_DEMAND)
    }

    fn connect(home: &Home, start: &Start) -> Result<Self> {
        Ok(Self { client: Blocking::connect(home, start)? })
    }

    fn ask(&mut self, command: Command) -> Result<Reply> {
        Ok(self.client.request(command, PATIENCE)?)
    }

    /// The same for commands that can succeed and still have something to say (a hook that failed after
    /// a worktree was made, a run that ended with its agent): the host tells it to whoever follows, before
    /// it answers.
    fn ask_aloud(&mut self, command: Command) -> Result<Reply> {
        let concerns = match &command {
            Command::StopAgent { agent } => Some(*agent),
            _ => None,
        };
        let _ = self.world(true)?;
        let reply = self.ask(command)?;
        while let Ok(heard) = self.client.next(Some(Duration::ZERO)) {
            if let Incoming::Event { event: Event::Problem { agent, text }, .. } = heard
                && agent == concerns
            {
                complain(&text);
            }
        }
        Ok(reply)
    }

    /// For commands whose answer says nothing but that it is done.
    fn tell(&mut self, command: Command) -> Result<()> {
        let _ = self.ask(command)?;
        Ok(())
    }

    fn world(&mut self, follow: bool) -> Result<World> {
        match self.client.request(Command::World { follow }, QUICK)? {
            Reply::World(world) => Ok(*world),
            other => Err(unexpected(&other)),
        }
    }

    /// The agent that a user means by its id or its name.
    fn agent(&mut self, named: &str) -> Result<Agent> {
        find_agent(self.world(false)?, named)
    }
}

fn find_agent(world: World, named: &str) -> Result<Agent> {
    let id = named.parse::<AgentId>().ok();
    world.agents.into_iter().find(|agent| agent.name == named || Some(agent.id) == id).ok_or_else(
        || Failure::failed(format!("there is no agent `{named}`: `maestro agent list` shows them")),
    )
}

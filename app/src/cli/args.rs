//! What can be written on the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use maestro_core::TerminalId;
use maestro_core::agent::Provider;
use maestro_core::screen::Size;

/// Conduct many coding agents at once, each in its own git worktree.
///
/// Without a command the window opens, or the one there is comes to the front. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 no host runs,
/// 4 not supported here, 5 timed out; of runs and trains also 6 paused, 7 stopped, 8 refused.
#[derive(Debug, Parser)]
#[command(name = "maestro", version, disable_help_subcommand = true)]
pub struct Cli {
    /// Print JSON instead of text for people.
    #[arg(long, global = true)]
    pub json: bool,
    /// Open another window beside the one there is.
    #[arg(long)]
    pub new_window: bool,
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// The host, which owns everything that runs: watch it here, ask about it, or stop it.
    Host(Host),
    /// Agents: make, list, show, stop, remove, open again.
    #[command(subcommand)]
    Agent(Agent),
    /// Work through checklists: one fresh session per task, ticked by the host after its `verify:`.
    Run(Box<super::run::Arguments>),
    /// Playbooks: folders of checklists with how to run them. List, make, look over, import, export.
    #[command(subcommand)]
    Playbook(super::playbook::Playbooks),
    /// Worktrees of a repository.
    #[command(subcommand)]
    Worktree(Worktree),
    /// How the worktrees of a repository fit together, what is not committed included.
    Conflicts(super::conflicts::Conflicts),
    /// What differs in a checkout; stage, unstage or discard it, by file and hunk.
    Diff(Box<super::diff::Diff>),
    /// Commits, with their graph; searched by message, writer and id.
    Log(Box<super::branch::LogOf>),
    /// Where lines of a file come from.
    Blame(super::branch::BlameOf),
    /// Branches: list them, switch to one.
    #[command(subcommand)]
    Branch(super::branch::BranchOf),
    /// Fetch from the remote; what git prints is shown as it comes.
    Fetch(super::branch::FetchOf),
    /// Fetch, and bring the branch forward.
    Pull(super::branch::PullOf),
    /// Push the branch to the one it follows.
    Push(super::branch::PushOf),
    /// The programs that a repository's own configuration names, and whether they may run.
    Trust(super::trust::Trust),
    /// Merge trains: bring branches home one after the other, each checked before the target moves.
    #[command(subcommand)]
    Train(super::train::Trains),
    /// Pull requests: open one for a branch, and see how it and its checks are.
    #[command(subcommand)]
    Pr(super::pr::Pulls),
    /// Races: several branches for one task, side by side.
    #[command(subcommand)]
    Race(super::race::Races),
    /// What waits to be said to agents: list, edit, hold, release, move, remove, restore, send now.
    #[command(subcommand)]
    Queue(super::queue::Queues),
    /// Bring the window to the front, perhaps with an agent; one opens where none is.
    Show(super::summon::Show),
    /// Let the window go out of sight; agents and runs go on.
    Hide,
    /// Hide the window where it is looked at, bring it to the front otherwise: for a key of the desktop.
    Toggle,
    /// A small window that says one thing to one agent, and goes: for a key of the desktop.
    Prompt(super::summon::Quick),
    /// Let the open window run a command, as its palette would.
    Do(super::order::Do),
    /// What was told of agents and runs: list it, mark it as read, try how it is told.
    Notices(super::notices::Notices),
    /// What turns consumed: tokens and money by day, agent, conversation, model or provider.
    Usage(super::usage::Usage),
    /// Stored conversations of every provider, those from before Maestro included: find, read, resume.
    #[command(subcommand)]
    Sessions(super::sessions::Sessions),
    /// Everything at a glance: agents, terminals, runs.
    List,
    /// What is installed, what is missing, and what to do about it.
    Doctor,
    /// Take over agents, groups, playbooks and settings from the Maestro that is an Electron program.
    Import(super::import::Import),
    /// Terminals in the host: start, list, read, type and paste into, search, export, close.
    #[command(subcommand)]
    Terminal(Terminal),
    /// Three agents in three worktrees work through a bundled playbook in a throwaway repository.
    Demo(Demo),
    /// A window with just one command: search, links, copying and pasting, zoom; no agents, no vi mode.
    Term(Term),
    /// Render a scene of the window to a PNG, without a display.
    Screenshot(Screenshot),
    /// Measure what drawing costs on this machine, off the screen.
    #[command(subcommand, hide = true)]
    Bench(Bench),
    /// Settings: list, get, set, reset; the file and what is wrong with it.
    #[command(subcommand)]
    Settings(super::settings::Settings),
    /// Everything the window can be made to do, with its chords.
    Commands(super::keymap::Commands),
    /// Chords: list, set, reset, export, import; the file and what is wrong with it.
    #[command(subcommand)]
    Keymap(super::keymap::Keys),
    /// Themes: list, show, set, import colours of other terminals.
    #[command(subcommand)]
    Theme(super::theme::Theme),
    /// Print a manual page, or write all of them.
    Man(super::manual::Manual),
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Host {
    #[command(subcommand)]
    pub command: Option<HostCommand>,
    /// Leave the terminal it was started from: what a client does when it starts the host on demand.
    #[arg(long, hide = true)]
    pub detached: bool,
    /// Seconds of nothing to do after which the host ends by itself; 0 for never.
    #[arg(long, value_name = "SECONDS")]
    pub idle: Option<u64>,
}

#[derive(Debug, Subcommand)]
pub enum HostCommand {
    /// What it is and what runs in it.
    Status,
    /// End it: running turns and terminals are ended, within a bound.
    Stop,
}

#[derive(Debug, Subcommand)]
pub enum Agent {
    /// Make an agent; its own program starts in a terminal of the host.
    New(AgentNew),
    /// All agents.
    List,
    /// One agent.
    Show {
        /// Its id or name.
        agent: String,
    },
    /// End its processes, also those of its run; the agent stays.
    Stop {
        /// Its id or name.
        agent: String,
    },
    /// Forget it. Its directory and its branch are left alone.
    Remove {
        /// Its id or name.
        agent: String,
    },
    /// Put agents into a group of the list, or back to their repositories.
    Group {
        /// Their ids or names.
        #[arg(required = true)]
        agents: Vec<String>,
        /// The group; one that is not there is made.
        #[arg(long, required_unless_present = "none", conflicts_with = "none")]
        to: Option<String>,
        /// Into none.
        #[arg(long)]
        none: bool,
    },
    /// List agents at the top of the window's list, too.
    Bookmark {
        /// Their ids or names.
        #[arg(required = true)]
        agents: Vec<String>,
        /// Not any more.
        #[arg(long)]
        off: bool,
    },
    /// Move an agent in the list.
    Move {
        /// Its id or name.
        agent: String,
        /// Before this one; to the end when absent.
        #[arg(long, value_name = "AGENT")]
        before: Option<String>,
    },
    #[command(flatten)]
    Talk(super::talk::Talk),
    /// Whether the programs in its terminals may write to the clipboard.
    Clipboard {
        /// Its id or name.
        agent: String,
        /// While their pane has the keyboard, after asking each time, always, or never.
        #[arg(value_enum)]
        policy: Clipboard,
    },
    /// Start its program again, in the session it was in.
    Open {
        /// Its id or name.
        agent: String,
        /// Begin a new session instead.
        #[arg(long)]
        fresh: bool,
    },
}

/// Whether programs may write to the clipboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Clipboard {
    Focused,
    Ask,
    Allow,
    Deny,
}

#[derive(Debug, Args)]
pub struct AgentNew {
    /// Its name; made from the branch or the directory when absent.
    pub name: Option<String>,
    /// The program: claude, codex, opencode, droid, copilot, gemini, demo or shell.
    #[arg(long, short, value_parser = provider)]
    pub provider: Provider,
    /// A repository, a worktree or any other directory.
    #[arg(long, short, default_value = ".")]
    pub dir: PathBuf,
    /// Work in a worktree of this branch, which exists.
    #[arg(long, short, value_name = "BRANCH", conflicts_with = "new_branch")]
    pub branch: Option<String>,
    /// Work in a worktree of this branch, which is made.
    #[arg(long, short = 'B', value_name = "BRANCH")]
    pub new_branch: Option<String>,
    /// Where the new branch starts; the current commit when absent.
    #[arg(long, value_name = "COMMIT", requires = "new_branch")]
    pub from: Option<String>,
    /// Size of its terminal.
    #[arg(long, value_parser = size, default_value = "120x40", value_name = "COLSxROWS")]
    pub size: Size,
    /// Only make it; its program is started by `agent open`.
    #[arg(long)]
    pub no_start: bool,
}

#[derive(Debug, Subcommand)]
pub enum Worktree {
    /// The worktrees of a repository.
    List {
        /// Any directory in it.
        #[arg(default_value = ".")]
        repository: PathBuf,
    },
    /// Make a worktree, beside the repository unless told otherwise.
    New(WorktreeNew),
    /// What a new branch could start from, the current branch first.
    Bases {
        /// Only those with these letters in this order.
        #[arg(default_value = "")]
        like: String,
        /// Any directory in the repository.
        #[arg(long, short, default_value = ".")]
        repository: PathBuf,
    },
    /// Make an agent in a worktree that is there, or start the one it has.
    Open {
        /// Its directory.
        directory: PathBuf,
        /// The agent, where there is none yet.
        #[arg(long, short, value_parser = provider, default_value = "shell")]
        provider: Provider,
    },
    /// Write the files of a worktree that could not be written, and prepare it.
    Fill {
        /// Its directory.
        #[arg(default_value = ".")]
        directory: PathBuf,
    },
    /// What is run in new worktrees (`.maestro/worktree.toml`); with --yes it may from now on.
    Trust {
        /// A worktree, or the main checkout.
        #[arg(default_value = ".")]
        directory: PathBuf,
        /// Agree to exactly what is shown.
        #[arg(long)]
        yes: bool,
        /// Do not agree any more.
        #[arg(long, conflicts_with = "yes")]
        no: bool,
    },
    /// Remove a worktree that Maestro made. Everything in it is kept for 30 days: see `trash`.
    Remove {
        /// Its directory, or the name of an agent in it.
        worktree: String,
        /// Remove idle agents that work there, too.
        #[arg(long)]
        agents: bool,
        /// End the programs of these agents before; what is at work keeps the worktree.
        #[arg(long, requires = "agents")]
        stop: bool,
        /// Only say what would be kept, and what is in the way.
        #[arg(long, conflicts_with_all = ["agents", "stop"])]
        look: bool,
    },
    /// Keep a checkout as it is now, without touching it: files, index, ignored settings.
    Snapshot {
        /// Its directory, or the name of an agent in it.
        #[arg(default_value = ".")]
        worktree: String,
        /// What it is for.
        #[arg(long, short, default_value = "")]
        message: String,
    },
    /// The snapshots of checkouts that are there.
    Snapshots {
        /// Only of this repository: any directory in it.
        repository: Option<PathBuf>,
    },
    /// Bring a checkout's files back to a snapshot, or a removed worktree back as it was.
    Restore {
        /// Which, such as `s5`.
        id: maestro_core::SnapshotId,
        /// Where to, for a removed worktree; where it was, unless told otherwise.
        #[arg(long, value_name = "DIRECTORY")]
        to: Option<PathBuf>,
    },
    /// What was removed within the last 30 days: list, restore, purge.
    #[command(subcommand)]
    Trash(super::worktree::trash::Trash),
    /// Stop making a worktree. It goes away if nothing but the commit's files is in it.
    Stop {
        /// Its directory.
        directory: PathBuf,
    },
    /// Look after a worktree that somebody else made, as after one of Maestro's.
    Adopt {
        /// Its directory.
        directory: PathBuf,
        /// Not any more.
        #[arg(long)]
        undo: bool,
    },
    /// Do not offer a worktree that somebody else made.
    Ignore {
        /// Its directory.
        directory: PathBuf,
        /// Offer it again.
        #[arg(long)]
        undo: bool,
    },
    /// How much room the worktrees of a repository take.
    Du {
        /// Any directory in it.
        #[arg(default_value = ".")]
        repository: PathBuf,
    },
    /// Which worktrees have nothing that the main branch lacks. Nothing is removed without --yes.
    Prune {
        /// Any directory in the repository.
        #[arg(default_value = ".")]
        repository: PathBuf,
        /// Held against this branch; the main checkout's when absent.
        #[arg(long, value_name = "BRANCH")]
        target: Option<String>,
        /// Remove them, each with a snapshot in the trash.
        #[arg(long)]
        yes: bool,
    },
    /// Mend the links between a repository and its worktrees after something was moved.
    Repair {
        /// Any directory in the repository.
        #[arg(long, short, default_value = ".")]
        repository: PathBuf,
        /// Where moved worktrees are now.
        moved: Vec<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub struct WorktreeNew {
    /// The branch; made from the task when absent.
    #[arg(default_value = "", required_unless_present = "task")]
    pub branch: String,
    /// Any directory in the repository.
    #[arg(long, short, default_value = ".")]
    pub repository: PathBuf,
    /// Check out a branch that exists instead of making one.
    #[arg(long, short, conflicts_with_all = ["from", "race"])]
    pub existing: bool,
    /// Where the new branch starts; the current commit when absent.
    #[arg(long, alias = "base", value_name = "COMMIT")]
    pub from: Option<String>,
    /// Exactly where to put it.
    #[arg(long, short, conflicts_with_all = ["location", "race"])]
    pub path: Option<PathBuf>,
    /// The folder to put it into.
    #[arg(long, value_name = "FOLDER")]
    pub location: Option<PathBuf>,
    /// Make an agent there: claude, codex, opencode, droid, copilot, gemini, demo or shell.
    #[arg(long, short, value_parser = provider)]
    pub agent: Option<Provider>,
    /// The agent's name; made from the branch when absent.
    #[arg(long, requires = "agent")]
    pub name: Option<String>,
    /// What the agent is told once the worktree is ready.
    #[arg(long, requires = "agent")]
    pub task: Option<String>,
    /// So many at once, on the branches NAME-1, NAME-2 and so on.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=16))]
    pub race: Option<u32>,
    /// Only make the agent; its program is started by `agent open`.
    #[arg(long, requires = "agent")]
    pub no_start: bool,
    /// Answer as soon as the worktree is registered; its files come behind.
    #[arg(long)]
    pub no_wait: bool,
    /// Size of the agent's terminal.
    #[arg(long, value_parser = size, default_value = "120x40", value_name = "COLSxROWS")]
    pub size: Size,
}

#[derive(Debug, Subcommand)]
pub enum Terminal {
    /// Start a command (the shell when none is given) in a terminal of the host.
    New {
        /// Where; the current directory when absent.
        #[arg(long, short)]
        dir: Option<PathBuf>,
        /// Its size.
        #[arg(long, value_parser = size, default_value = "80x24", value_name = "COLSxROWS")]
        size: Size,
        /// A variable on top of the environment of the login shell; may be repeated.
        #[arg(long, short, value_parser = variable, value_name = "NAME=VALUE")]
        env: Vec<(String, String)>,
        /// The command and its arguments, after `--`.
        #[arg(last = true)]
        command: Vec<String>,
    },
    /// All terminals.
    List,
    /// Print the screen.
    Show {
        /// A terminal's id, or an agent's id or name for its program's terminal.
        terminal: String,
        /// The rows that scrolled away, too.
        #[arg(long)]
        history: bool,
        /// With colours and attributes, as escape sequences.
        #[arg(long, conflicts_with = "json")]
        ansi: bool,
    },
    /// Send text to the command exactly as given; `-` sends the standard input.
    Send {
        /// A terminal's id, or an agent's id or name for its program's terminal.
        terminal: String,
        /// The text; several are joined by blanks.
        #[arg(required = true)]
        text: Vec<String>,
        /// Press Enter after it.
        #[arg(long)]
        enter: bool,
        /// Read \n, \r, \t, \e, \\ and \xHH in the text as what they stand for.
        #[arg(long, short)]
        escapes: bool,
    },
    /// Give it another size.
    Resize {
        /// A terminal's id, or an agent's id or name for its program's terminal.
        terminal: String,
        /// The size.
        #[arg(value_parser = size, value_name = "COLSxROWS")]
        size: Size,
    },
    /// Count where a text is on the screen and in the history. What is found is highlighted in windows
    /// meanwhile. Refused while a window searches it.
    Search {
        /// A terminal's id, or an agent's id or name for its program's terminal.
        terminal: String,
        /// What to look for.
        text: String,
        /// It is a regular expression.
        #[arg(long, short = 'E')]
        regex: bool,
        /// Upper and lower case: `smart` tells them apart where the text has an upper-case letter.
        #[arg(long, value_enum, default_value_t = Case::Smart)]
        case: Case,
    },
    /// Print what the last command printed, by the marks of a shell that has them (OSC 133).
    CopyOutput {
        /// A terminal's id, or an agent's id or name for its program's terminal.
        terminal: String,
    },
    /// Empty the screen but for the line with the cursor.
    Clear {
        /// A terminal's id, or an agent's id or name for its program's terminal.
        terminal: String,
        /// Forget the rows that scrolled away, too.
        #[arg(long)]
        history: bool,
    },
    /// Set back the modes and colours that a program left behind.
    Reset {
        /// A terminal's id, or an agent's id or name for its program's terminal.
        terminal: String,
    },
    /// Write history and screen into a new file.
    Export {
        /// A terminal's id, or an agent's id or name for its program's terminal.
        terminal: String,
        /// The file, which is not there yet.
        file: PathBuf,
        /// With colours and attributes, as escape sequences.
        #[arg(long)]
        ansi: bool,
    },
    /// What the terminals cost: memory, history, output, what waits.
    Stats,
    /// Paste a text as the window does, safe from keys in it, and wait until the command has read it.
    Paste {
        /// A terminal's id, or an agent's id or name for its program's terminal.
        terminal: String,
        /// The file with the text, or the image; `-` for the standard input.
        #[arg(required_unless_present = "cancel")]
        file: Option<PathBuf>,
        /// It is an image as PNG: it is handed over the way the program takes images.
        #[arg(long)]
        image: bool,
        /// Leave out the rest of a paste that goes on.
        #[arg(long, conflicts_with_all = ["file", "image"])]
        cancel: bool,
    },
    /// End its processes and forget it.
    Close {
        /// Its id.
        terminal: TerminalId,
    },
}

/// Whether upper and lower case differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Case {
    Smart,
    Sensitive,
    Insensitive,
}

#[derive(Debug, Args)]
pub struct Demo {
    /// The agent to show: claude, codex, opencode, droid or demo. Without it, the demo agent.
    #[arg(long, short, value_parser = provider, default_value = "demo")]
    pub agent: Provider,
    /// The model to ask for, where the agent takes one.
    #[arg(long, short)]
    pub model: Option<String>,
    /// Open no window, also where there is a display.
    #[arg(long)]
    pub headless: bool,
    /// Where to put the repository and everything else; a new temporary folder when absent.
    #[arg(long)]
    pub dir: Option<PathBuf>,
    /// Where to put the picture of the window; in the demo's folder when absent.
    #[arg(long, value_name = "FILE")]
    pub picture: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Term {
    /// The command and its arguments; the shell when absent.
    #[arg(last = true)]
    pub command: Vec<String>,
    /// Where; the current directory when absent.
    #[arg(long, short)]
    pub dir: Option<PathBuf>,
    /// Size of the terminal in the window.
    #[arg(long, value_parser = size, value_name = "COLSxROWS")]
    pub size: Option<Size>,
}

#[derive(Debug, Args)]
pub struct Screenshot {
    /// Which scene: `live` for what the host has now, `all` to list them.
    #[arg(long)]
    pub scene: String,
    /// Size of the window.
    #[arg(long, value_parser = pixels, default_value = "1440x900", value_name = "WIDTHxHEIGHT")]
    pub size: (u32, u32),
    /// Physical pixels per logical one.
    #[arg(long, default_value_t = 1.0)]
    pub scale: f32,
    /// Which theme, by its name, or dark or light; dark, or in a live picture the window's own, when
    /// absent.
    #[arg(long, value_name = "THEME")]
    pub theme: Option<String>,
    /// Which renderer.
    #[arg(long, value_enum, default_value_t = Renderer::Software)]
    pub renderer: Renderer,
    /// The PNG to write.
    #[arg(long, short)]
    pub out: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum Bench {
    /// Terminals by the window's own pipeline, on any graphics adapter: processor and adapter time of a
    /// frame, bytes handed over, glyphs kept.
    Grid(BenchGrid),
    /// A long answer while it is written and a long conversation while it is scrolled: what each step costs
    /// the window's thread.
    Conversation(BenchConversation),
    /// A key's way through the palette and the lists, and the whole window's view.
    Window(BenchWindow),
}

#[derive(Debug, Args)]
pub struct BenchWindow {
    /// Agents in the window.
    #[arg(long, default_value_t = 30, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub agents: u32,
    /// What the palette and the session browser list.
    #[arg(long, default_value_t = 20_000, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub entries: u32,
    /// How often each is done.
    #[arg(long, default_value_t = 500, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub steps: u32,
}

#[derive(Debug, Args)]
pub struct BenchConversation {
    /// Lines of the answer.
    #[arg(long, default_value_t = 2000, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub lines: u32,
    /// Turns of the conversation.
    #[arg(long, default_value_t = 10_000, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub turns: u32,
    /// Steps of scrolling.
    #[arg(long, default_value_t = 1000, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub steps: u32,
}

#[derive(Debug, Args)]
pub struct BenchGrid {
    /// Draw into memory; the only way there is.
    #[arg(long, required = true)]
    pub headless: bool,
    /// How many terminals.
    #[arg(long, default_value_t = 16, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub panes: u16,
    /// How many frames count, after ten that do not.
    #[arg(long, default_value_t = 600, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub frames: u32,
    /// Size of each terminal in cells.
    #[arg(long, value_parser = size, default_value = "120x40", value_name = "COLUMNSxROWS")]
    pub size: Size,
    /// Size of the type in pixels; the default makes sixteen terminals as large as a window of 1920×1200.
    #[arg(long, default_value_t = 6.0, value_name = "PIXELS")]
    pub type_size: f32,
    /// Part of the name of the graphics adapter; the fastest kind when absent. `WGPU_ADAPTER_NAME` does
    /// the same, and `WGPU_BACKEND` limits the interfaces.
    #[arg(long, value_name = "NAME")]
    pub adapter: Option<String>,
    /// What changes from frame to frame.
    #[arg(long, value_enum, default_value_t = Change::Everything)]
    pub change: Change,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Change {
    /// Every cell of every terminal.
    Everything,
    /// One row of one terminal.
    Row,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Renderer {
    Wgpu,
    Software,
}

pub(super) fn provider(text: &str) -> Result<Provider, String> {
    text.parse().map_err(|error: maestro_core::agent::UnknownProvider| error.to_string())
}

pub(super) fn size(text: &str) -> Result<Size, String> {
    let (cols, rows) = pair::<u16>(text)?;
    let size = Size::new(cols, rows);
    if (size.cols, size.rows) == (cols, rows) {
        Ok(size)
    } else {
        Err(format!("a terminal has 2 to {max} columns and 1 to {max} rows", max = Size::MAX))
    }
}

fn pixels(text: &str) -> Result<(u32, u32), String> {
    let (width, height) = pair::<u32>(text)?;
    if (64..=8192).contains(&width) && (64..=8192).contains(&height) {
        Ok((width, height))
    } else {
        Err("a window has 64 to 8192 pixels each way".to_owned())
    }
}

fn pair<T: std::str::FromStr>(text: &str) -> Result<(T, T), String> {
    text.split_once(['x', '×'])
        .and_then(|(first, second)| Some((first.parse().ok()?, second.parse().ok()?)))
        .ok_or_else(|| "write it as two numbers with an x between them, such as 120x40".to_owned())
}

fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write it as NAME=VALUE".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(std::iter::once("maestro").chain(line.split_whitespace()))
    }

    #[test]
    fn the_definition_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn usual_lines_are_understood() {
        for line in [
            "",
            "--json list",
            "list --json",
            "host",
            "host --idle 5",
            "host status --json",
            "agent new api -p claude -d /r -B feat/x --from main",
            "agent new -p demo --size 100x30 --no-start",
            "run tasks.md more.md --agent api --jsonl",
            "run tasks.md --provider demo --dir /r --detach",
            "run list",
            "run show r3 --json",
            "worktree new feat/y -r /r -p /w",
            "worktree new -a demo --race 3 --task x --base main --location /w",
            "worktree prune --target main --yes",
            "worktree adopt /w --undo",
            "terminal new --size 80x24 -- sh -c true",
            "terminal show t1 --history --ansi",
            "terminal send t1 hello --enter",
            "terminal resize t1 100x30",
            "terminal search api -E --case sensitive ^error",
            "terminal copy-output t1",
            "terminal clear t1 --history",
            "terminal reset t1",
            "terminal export t1 out.txt --ansi",
            "terminal stats --json",
            "terminal paste t1 -",
            "terminal paste t1 --image a.png",
            "terminal paste t1 --cancel",
            "agent clipboard api deny",
            "term -- vtebench -x",
            "screenshot --scene grid --size 1440x900 --theme light --renderer wgpu --out a.png",
            "demo --agent codex --headless --json",
            "completions fish",
        ] {
            if let Err(error) = parse(line) {
                panic!("{line}: {error}");
            }
        }
    }

    #[test]
    fn wrong_lines_are_refused() {
        for line in [
            "nonsense",
            "worktree new",
            "worktree new x --race 1",
            "worktree new x --race 3 -e",
            "worktree new x --task y",
            "run",
            "run tasks.md --agent a --provider demo",
            "run show 3",
            "agent new",
            "agent new -p emacs",
            "agent new -p demo -b one -B two",
            "agent new -p demo --from main",
            "terminal new --size 0x0",
            "terminal new --size 80",
            "terminal new -e novalue",
            "terminal close api",
            "terminal search t1",
            "terminal search t1 a --case none",
            "terminal export t1",
            "terminal paste t1",
            "terminal paste t1 a --cancel",
            "agent clipboard api sometimes",
            "screenshot --scene grid --size 1x1 --out a.png",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}

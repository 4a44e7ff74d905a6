//! The messages. They are encoded by postcard, which is compact and not self-describing: no type here
//! may use `serde(untagged)`, `flatten`, `skip_serializing_if` or hold a `serde_json::Value`.

use std::path::PathBuf;

use maestro_core::agent::{Agent, Clipboard, Evidence, Provider};
use maestro_core::changes;
use maestro_core::conflict::{Clash, Collisions, Live, Matrix};
use maestro_core::conversation::{Answer, Entry, Image, Menu, Policy, Prompt, Tab, Update};
use maestro_core::group::Arrange;
use maestro_core::input::Input;
use maestro_core::notice::{self, Notice};
use maestro_core::order::{Obeyed, Order};
use maestro_core::playbook::{Finding, Found, Heard, Leaf, Plan};
use maestro_core::pull::{self, PullRequest, SentFailures};
use maestro_core::queue::Queue;
use maestro_core::race::{self, Race};
use maestro_core::run::{Run, Spec};
use maestro_core::screen::{Frame, Modes, Row, Scroll, Size};
use maestro_core::search::{Query, Search};
use maestro_core::session::{Filter, Hit, Indexing, Session, SessionKey};
use maestro_core::summon::Summon;
use maestro_core::train::{self, Train};
use maestro_core::trash;
use maestro_core::usage::{By, Sum};
use maestro_core::worktree;
use maestro_core::{AgentId, ItemId, RunId, TabId, TerminalId};
use serde::{Deserialize, Serialize};

/// Version of these types. A client and a host with different numbers refuse each other with a
/// sentence; every change of a type here raises it.
pub const VERSION: u32 = 10;

/// The most bytes of text in one paste; a larger one is refused.
pub const PASTE_LIMIT: usize = 64 << 20;

/// The most bytes of an image that is pasted.
pub const IMAGE_LIMIT: usize = 32 << 20;

/// What a client sends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum ToHost {
    /// A command; answered by exactly one [`ToClient::Reply`] with the same number.
    Request {
        /// Chosen by the client, unique on its connection.
        id: u64,
        /// What to do.
        command: Command,
    },
    /// Something a user did to a terminal. Not acknowledged: the next frame shows it. `seq` counts
    /// up per client and comes back as [`Frame::input_seq`].
    Input {
        /// Where.
        terminal: TerminalId,
        /// Counts up.
        seq: u64,
        /// What.
        input: Input,
    },
    /// The client has drawn (focused terminal: applied) the last frame of a terminal and wants the
    /// next.
    Credit {
        /// Whose frame.
        terminal: TerminalId,
    },
}

/// What the host sends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum ToClient {
    /// The answer to a [`ToHost::Request`].
    Reply {
        /// The request's number.
        id: u64,
        /// What came of it.
        result: Result<Reply, Error>,
    },
    /// Something happened. Sent to clients that asked for the world with `follow`.
    Event {
        /// One more than the event before; the world's number is where counting begins.
        seq: u64,
        /// What.
        event: Event,
    },
    /// A terminal's screen changed.
    Frame(Box<Frame>),
    /// Something was said in a tab that the client follows.
    Said {
        /// In which.
        tab: TabId,
        /// What, in order.
        updates: Vec<Update>,
    },
    /// What a run's turn says, for a client that hears it.
    Heard {
        /// The run.
        run: RunId,
        /// What was said, in order.
        lines: Vec<Heard>,
    },
    /// The window is to do something: it answers with [`Command::Obeyed`].
    Order {
        /// Counts up.
        number: u64,
        /// What.
        order: Order,
    },
    /// The client was too slow for its events; everything since `seq` is lost to it and it must ask
    /// for the world again.
    Lagged,
}

/// What a client can ask for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Command {
    /// The world; with `follow`, events from there on.
    World {
        /// Whether events follow.
        follow: bool,
    },
    /// What the host is and does.
    HostStatus,
    /// End the host: running turns and terminals are ended, within a bound.
    StopHost,
    /// Make an agent; its AI terminal is started.
    NewAgent(NewAgent),
    /// Start an agent's AI terminal again: resume its session where the provider can.
    OpenAgent {
        /// Which.
        agent: AgentId,
        /// Resume the known session; otherwise a new one.
        resume: bool,
    },
    /// End an agent's processes; the agent stays.
    StopAgent {
        /// Which.
        agent: AgentId,
    },
    /// Forget an agent. Its processes are ended; its directory and branch are left alone.
    RemoveAgent {
        /// Which.
        agent: AgentId,
    },
    /// Rename an agent.
    RenameAgent {
        /// Which.
        agent: AgentId,
        /// Its new name.
        name: String,
    },
    /// The agent's shell terminal, started if there is none.
    OpenShell {
        /// Which.
        agent: AgentId,
        /// Size to start it with.
        size: Size,
    },
    /// Start a terminal that belongs to no agent.
    NewTerminal(NewTerminal),
    /// A terminal's screen, for reading.
    ReadTerminal {
        /// Which.
        terminal: TerminalId,
        /// Whether the history above the screen is wanted, too.
        history: bool,
    },
    /// The text of the terminal's selection.
    CopySelection {
        /// Which.
        terminal: TerminalId,
    },
    /// The text that a terminal's last command printed, by its prompt marks (OSC 133).
    CopyOutput {
        /// Which.
        terminal: TerminalId,
    },
    /// Look for something in a terminal's screen and history, or end that. What is found shows in the
    /// frames, and [`Event::Search`] tells how far it is.
    Search {
        /// Where.
        terminal: TerminalId,
        /// What; `None` ends the search.
        query: Option<Query>,
    },
    /// Go to another match of a terminal's search; beyond the last one comes the first.
    SearchMove {
        /// Where.
        terminal: TerminalId,
        /// Towards newer rows.
        forward: bool,
    },
    /// Empty a terminal's screen but for the line with the cursor, as `clear` does.
    ClearTerminal {
        /// Which.
        terminal: TerminalId,
        /// Forget the history above, too.
        history: bool,
    },
    /// Set a terminal's modes, colours and character sets back, for what a dead program left behind. What
    /// it shows stays.
    ResetTerminal {
        /// Which.
        terminal: TerminalId,
    },
    /// Write a terminal's history and screen into a new file.
    ExportTerminal {
        /// Which.
        terminal: TerminalId,
        /// The file: absolute, and not there yet.
        path: PathBuf,
        /// With colours and attributes as escape sequences; otherwise plain text.
        ansi: bool,
    },
    /// Leave out what of a large paste has not been written yet.
    CancelPaste {
        /// Where.
        terminal: TerminalId,
    },
    /// Hand an image to a terminal's program the way it takes images.
    PasteImage {
        /// Where.
        terminal: TerminalId,
        /// The image as a PNG file.
        png: Vec<u8>,
    },
    /// Whether the programs in an agent's terminals may write to the clipboard.
    SetClipboard {
        /// Whose.
        agent: AgentId,
        /// Whether.
        clipboard: Clipboard,
    },
    /// What the terminals cost.
    TerminalStats,
    /// Bytes for a terminal's child exactly as given (the CLI's `terminal send`).
    SendBytes {
        /// Which.
        terminal: TerminalId,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// Another size for a terminal.
    ResizeTerminal {
        /// Which.
        terminal: TerminalId,
        /// The size.
        size: Size,
    },
    /// End a terminal's processes and forget it.
    CloseTerminal {
        /// Which.
        terminal: TerminalId,
    },
    /// Frames of a terminal from now on, the first one full. `focused` marks the one the user types
    /// in: its input is urgent.
    Subscribe {
        /// Which.
        terminal: TerminalId,
        /// Whether it has the keyboard.
        focused: bool,
    },
    /// No more frames of a terminal.
    Unsubscribe {
        /// Which.
        terminal: TerminalId,
    },
    /// Colours of the client's theme, so that terminals answer colour queries truthfully.
    SetTheme {
        /// Default foreground.
        foreground: [u8; 3],
        /// Default background.
        background: [u8; 3],
        /// Cursor.
        cursor: [u8; 3],
        /// The first 16 colours of the palette.
        ansi: [[u8; 3]; 16],
        /// Whether it is a dark theme.
        dark: bool,
    },
    /// Start a run.
    StartRun(Spec),
    /// Start a run as soon as what it needs is free.
    QueueRun(Spec),
    /// End a run after its current task.
    StopRun {
        /// Which.
        run: RunId,
    },
    /// End a run and its agent's processes now.
    KillRun {
        /// Which.
        run: RunId,
    },
    /// A run does nothing more until it is resumed. The turn that runs comes to its end first.
    PauseRun {
        /// Which.
        run: RunId,
    },
    /// A paused run goes on; one that waits for a time does not wait any longer.
    ResumeRun {
        /// Which.
        run: RunId,
    },
    /// A run passes over a task. The one it works on is ended and left as it is.
    SkipTask {
        /// Which run.
        run: RunId,
        /// The task, as an index into its tasks; the one it works on when absent.
        task: Option<u32>,
    },
    /// A run passes over the rest of the document it is in.
    SkipDocument {
        /// Which run.
        run: RunId,
    },
    /// A run tries a task again that failed, was skipped or undone, also after the run has ended: then it
    /// is a new run of that one task.
    RetryTask {
        /// Which run.
        run: RunId,
        /// The task, as an index into its tasks.
        task: u32,
    },
    /// Restore the directory to what it was before a task, and open its box again.
    UndoTask {
        /// Which run.
        run: RunId,
        /// The task, as an index into its tasks.
        task: u32,
        /// Also when later tasks build on it; without, they are named and nothing is done.
        force: bool,
    },
    /// What a task's tick rests on.
    ReadEvidence {
        /// Which run.
        run: RunId,
        /// The task, as an index into its tasks.
        task: u32,
    },
    /// The report of a run, as markdown.
    ReadReport {
        /// Which run.
        run: RunId,
    },
    /// What a run would do.
    PlanRun(Spec),
    /// Hear what a run's turns say: [`ToClient::Heard`]. The end of what was said already comes first.
    HearRun {
        /// Which run.
        run: RunId,
        /// From now on, or not any more.
        follow: bool,
    },
    /// The playbooks of a directory, and those that came with Maestro.
    ListPlaybooks {
        /// The project's directory.
        directory: PathBuf,
    },
    /// Make a playbook: a folder with a `playbook.toml` and a first document.
    NewPlaybook {
        /// Its folder, absolute, not there yet or empty.
        folder: PathBuf,
        /// A copy of this playbook (its folder, absolute) instead of an empty one.
        from: Option<PathBuf>,
    },
    /// Unpack a `*.maestro-playbook.zip`. Nothing of it is trusted by that.
    ImportPlaybook {
        /// The archive, absolute.
        archive: PathBuf,
        /// The folder of playbooks to put it into, absolute; made when it is not there.
        into: PathBuf,
        /// The name of its folder there; made from the playbook's name when absent.
        name: Option<String>,
        /// Replace files that are there already. Without it they are named and nothing is written.
        overwrite: bool,
    },
    /// Pack a playbook into a `*.maestro-playbook.zip`.
    ExportPlaybook {
        /// Its folder, absolute.
        folder: PathBuf,
        /// The archive, absolute.
        archive: PathBuf,
        /// Replace a file that is there already.
        overwrite: bool,
    },
    /// The checklists below a folder, as a tree.
    ListDocuments {
        /// The folder, absolute.
        folder: PathBuf,
        /// Tell when something changes there: [`Event::DocumentsChanged`]. Until the next call with
        /// `false`, or the connection's end.
        follow: bool,
    },
    /// What can be said about documents before they are run.
    CheckDocuments {
        /// Documents or folders, absolute.
        paths: Vec<PathBuf>,
    },
    /// Agree that the commands of this hash may run.
    TrustCommands {
        /// The hash, from [`Plan::hash`](maestro_core::playbook::Plan::hash).
        hash: String,
        /// Whether they may; `false` takes it back.
        trusted: bool,
    },
    /// Every run, newest first.
    ListRuns,
    /// One run.
    ShowRun {
        /// Which.
        run: RunId,
    },
    /// The worktrees of a repository.
    ListWorktrees {
        /// Any directory in it.
        repository: PathBuf,
    },
    /// How the worktrees of a repository fit together, what is not committed included.
    ReadConflicts {
        /// Any directory in it.
        repository: PathBuf,
        /// What every worktree is also held against; the main checkout's branch when absent.
        target: Option<String>,
    },
    /// Where a worktree conflicts with another, or with a revision.
    ReadClashes {
        /// The one's directory.
        one: PathBuf,
        /// The other.
        other: Against,
    },
    /// Make a worktree.
    NewWorktree {
        /// Any directory in the repository.
        repository: PathBuf,
        /// The branch.
        branch: Branch,
        /// Where to put it; beside the repository when absent.
        path: Option<PathBuf>,
    },
    /// What can be seen of a directory: repository, current branch, local branches.
    InspectRepository {
        /// The directory.
        directory: PathBuf,
    },
    /// Every provider with its program, version or the reason why it cannot be used.
    DetectProviders {
        /// Look again instead of answering from what is known.
        refresh: bool,
    },
    /// Make a tab of an agent: a conversation with a new session, or with one that is stored.
    NewTab {
        /// Whose.
        agent: AgentId,
        /// The session to go on with.
        session: Option<String>,
        /// What it is called; after its first prompt when absent.
        title: Option<String>,
    },
    /// Change something about a tab.
    ChangeTab {
        /// Which.
        tab: TabId,
        /// What.
        change: TabChange,
    },
    /// What was last said in a tab, and what is said from now on if it is followed.
    OpenTab {
        /// Which.
        tab: TabId,
        /// How many of its last entries.
        last: u32,
        /// Whether [`ToClient::Said`] is to tell what comes after.
        follow: bool,
    },
    /// No more of [`ToClient::Said`] about a tab.
    LeaveTab {
        /// Which.
        tab: TabId,
    },
    /// Older entries of a tab.
    ReadTab {
        /// Which.
        tab: TabId,
        /// Those with a smaller number than this.
        before: u64,
        /// How many of them, the last ones.
        most: u32,
    },
    /// Say something in a tab: at once where nothing is in the way, otherwise after what waits already.
    Send {
        /// Where.
        tab: TabId,
        /// What.
        prompt: Prompt,
        /// Chosen by the client: the same request again (after a lost connection) says it only once.
        token: String,
        /// Somebody wrote it in this tab's composer just now: what was kept as the tab's draft goes with it,
        /// and it does not wait behind what a failure, an interrupt or a restart holds.
        typed: bool,
    },
    /// Stop the turn of a tab. Done again while it is stopping, it ends the tab's processes.
    Interrupt {
        /// Which.
        tab: TabId,
    },
    /// Answer something that a tab asks.
    Answer {
        /// Which tab.
        tab: TabId,
        /// Which request.
        request: String,
        /// How.
        answer: Answer,
    },
    /// Try again now what failed or waits for a limit.
    TryAgain {
        /// In which tab.
        tab: TabId,
    },
    /// Show a tab's session in the provider's own interface, in its agent's terminal.
    ToTerminal {
        /// Which.
        tab: TabId,
        /// Size of the terminal.
        size: Size,
    },
    /// Take a session back from the provider's own interface into the conversation of its tab (one is made
    /// where there is none).
    ToConversation {
        /// The agent in whose terminal it is.
        agent: AgentId,
    },
    /// Start over from what was said, in a new session, where the provider has lost the old one.
    Rebuild {
        /// Which tab.
        tab: TabId,
    },
    /// Open the provider's own way to log in, in a terminal of the agent.
    Login {
        /// Whose.
        agent: AgentId,
        /// Size of the terminal.
        size: Size,
    },
    /// Keep what is being written in a tab.
    SetDraft {
        /// Which.
        tab: TabId,
        /// What.
        draft: Prompt,
    },
    /// Keep an image for a prompt.
    KeepImage {
        /// The image: PNG, JPEG, GIF or WebP.
        bytes: Vec<u8>,
    },
    /// What can be chosen in a tab: models, slash commands, policies.
    ReadMenu {
        /// Which.
        tab: TabId,
    },
    /// Files of an agent's directory whose path has these letters in it, best first; ignored ones are left
    /// out.
    FindFiles {
        /// Whose.
        agent: AgentId,
        /// The letters.
        letters: String,
        /// At most so many.
        most: u32,
    },
    /// Look for words in all tabs.
    SearchTabs {
        /// The words.
        words: String,
        /// Only of this agent.
        agent: Option<AgentId>,
        /// At most so many.
        most: u32,
    },
    /// Change something that waits in a queue.
    ChangeItem {
        /// Which.
        item: ItemId,
        /// What.
        change: ItemChange,
    },
    /// Hold an agent's queue, or let it go on.
    HoldQueue {
        /// Whose.
        agent: AgentId,
        /// Hold it.
        held: bool,
    },
    /// Stored sessions, best or newest first.
    FindSessions {
        /// Which.
        filter: Filter,
        /// At most so many.
        most: u32,
        /// After so many.
        skip: u32,
    },
    /// Entries of a stored session.
    ReadSession {
        /// Which.
        session: SessionKey,
        /// From this entry on.
        from: u64,
        /// At most so many.
        most: u32,
    },
    /// Look for words in what tools printed, too: a scan of the files, without an index.
    ScanSessions {
        /// Which, and for what.
        filter: Filter,
        /// At most so many.
        most: u32,
    },
    /// Change what we keep about a stored session. The provider's files are left alone.
    MarkSession {
        /// Which.
        session: SessionKey,
        /// What.
        mark: SessionMark,
    },
    /// Where sessions are stored is looked through again, and how far that is.
    IndexSessions,
    /// What turns consumed.
    ReadUsage {
        /// Added up by.
        by: By,
        /// Only from this time on: milliseconds since the Unix epoch.
        since_ms: Option<u64>,
    },
    /// Why an agent is thought to be in its state.
    Why {
        /// Which.
        agent: AgentId,
    },
    /// A setting of the window that outlives it (layout, last focus, theme): opaque text by key.
    SetPreference {
        /// Key, at most 64 bytes.
        key: String,
        /// Value, at most 64 KiB; `None` removes it.
        value: Option<String>,
    },
    /// The conflicts of a repository as [`Command::ReadConflicts`], and from then on
    /// [`Event::Conflicts`] whenever they are others; the answer is [`Reply::Conflicts`].
    WatchConflicts {
        /// Any directory in it.
        repository: PathBuf,
        /// From now on, or not any more. Ends with the connection.
        follow: bool,
    },
    /// Something about merge trains: [`Reply::Train`], [`Reply::Trains`] or [`Reply::TrainPlan`].
    Train(train::Ask),
    /// Something about pull requests: [`Reply::PullRequest`] or [`Reply::SentFailures`].
    PullRequest(pull::Ask),
    /// How the branches of a race stand: [`Reply::Race`].
    ReadRace {
        /// Any directory in the repository.
        repository: PathBuf,
        /// The race: its branches are this name, a dash and a number.
        name: String,
        /// What they are held against; the main checkout's branch when absent.
        target: Option<String>,
        /// A shell command that is run in each worktree, one after the other.
        verify: Option<String>,
    },
    /// The folder of a project's checklists, whether it is there yet or not: the one chosen for its agent,
    /// or its own, or in a worktree the main checkout's. Answered by [`Reply::Text`].
    FindPlaybooks {
        /// The project's directory, absolute.
        directory: PathBuf,
    },
    /// The next older runs, newest first: [`Reply::Runs`]. None is the end.
    ListOlderRuns {
        /// Those that began before this one.
        before: RunId,
    },
    /// Something about changes of files, branches and remotes: [`Reply::Changes`].
    Changes(changes::Ask),
    /// Something about worktrees: [`Reply::OfWorktrees`].
    Worktrees(worktree::Ask),
    /// Takes files and hunks of several runners of a race: [`Reply::Changes`], with what was there before
    /// ([`changes::Answer::Discarded`]), which [`changes::Ask::Undo`] puts back.
    TakeRace(race::Take),
    /// Something about snapshots of checkouts and removed worktrees: [`Reply::Trash`].
    Trash(trash::Ask),
    /// The files of an agent's directory by their paths, ignored ones left out: [`Reply::Files`].
    ListFiles {
        /// Whose.
        agent: AgentId,
    },
    /// Something about what the user is told of agents and runs: [`Reply::Notices`], or [`Reply::Text`] with
    /// what came of [`notice::Ask::Try`].
    Notices(notice::Ask),
    /// List agents otherwise: groups, bookmarks, order.
    ArrangeAgents(Arrange),
    /// Every window is to come to the front, or to go: [`Reply::Windows`].
    Summon(Summon),
    /// The window that is looked at is to do something: [`Reply::Obeyed`], or why it does not.
    Order(Order),
    /// What a window made of a [`ToClient::Order`], or why nothing.
    Obeyed {
        /// The order's number.
        number: u64,
        /// What came of it.
        result: Result<Obeyed, String>,
    },
}

/// What comes back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Reply {
    /// It is done.
    Done,
    /// Answer to [`Command::World`].
    World(Box<World>),
    /// Answer to [`Command::HostStatus`].
    HostStatus(HostStatus),
    /// The agent as it is now.
    Agent(Box<Agent>),
    /// The terminal as it is now.
    Terminal(TerminalInfo),
    /// Answer to [`Command::ReadTerminal`].
    Screen(Box<Screen>),
    /// Answer to [`Command::TerminalStats`].
    TerminalStats(Vec<TerminalStats>),
    /// Text, or `None` for an empty selection.
    Text(Option<String>),
    /// The run as it is now.
    Run(Box<Run>),
    /// Answer to [`Command::ListRuns`].
    Runs(Vec<Run>),
    /// Answer to [`Command::ReadEvidence`].
    TaskEvidence(Box<maestro_core::run::Evidence>),
    /// Answer to [`Command::PlanRun`].
    Plan(Box<Plan>),
    /// Answer to [`Command::ListPlaybooks`], [`Command::NewPlaybook`] and [`Command::ImportPlaybook`].
    Playbooks(Vec<Found>),
    /// Answer to [`Command::ListDocuments`].
    Documents(Vec<Leaf>),
    /// Answer to [`Command::CheckDocuments`].
    Findings(Vec<Finding>),
    /// Answer to [`Command::ListWorktrees`].
    Worktrees(Vec<Worktree>),
    /// Answer to [`Command::NewWorktree`].
    Worktree(Worktree),
    /// Answer to [`Command::ReadConflicts`].
    Conflicts(Box<Matrix>),
    /// Answer to [`Command::ReadClashes`]: none when they fit.
    Clashes(Vec<Clash>),
    /// Answer to [`Command::InspectRepository`].
    Repository(Repository),
    /// Answer to [`Command::DetectProviders`].
    Providers(Vec<ProviderInfo>),
    /// The tab as it is now.
    Tab(Box<Tab>),
    /// Answer to [`Command::OpenTab`], [`Command::ReadTab`] and [`Command::ReadSession`].
    Entries(Box<Page>),
    /// Answer to [`Command::Send`]: it is kept, and will be said once.
    Sent(ItemId),
    /// Answer to [`Command::KeepImage`].
    Image(Image),
    /// Answer to [`Command::ReadMenu`].
    Menu(Box<Menu>),
    /// Answer to [`Command::FindFiles`] and [`Command::ListFiles`]: paths below the agent's directory, with `/`.
    Files(Vec<String>),
    /// Answer to [`Command::SearchTabs`].
    TabHits(Vec<TabHit>),
    /// The queue as it is now.
    Queue(Box<Queue>),
    /// Answer to [`Command::FindSessions`] and [`Command::ScanSessions`].
    Sessions {
        /// What was found.
        hits: Vec<Hit>,
        /// Sessions that fit in all, where that is known.
        total: Option<u64>,
        /// How far the index is.
        indexing: Indexing,
    },
    /// The session as it is now.
    Session(Box<Session>),
    /// Answer to [`Command::IndexSessions`].
    Indexing(Indexing),
    /// Answer to [`Command::ReadUsage`].
    Usage(Vec<Sum>),
    /// Answer to [`Command::Why`]: what was seen, the newest first.
    Evidence(Vec<Evidence>),
    /// The train as it is now.
    Train(Box<Train>),
    /// Answer to [`train::Ask::List`], the newest first.
    Trains(Vec<Train>),
    /// Answer to [`train::Ask::Plan`].
    TrainPlan(Box<train::Plan>),
    /// The pull request as it is now.
    PullRequest(Box<PullRequest>),
    /// Answer to [`pull::Ask::SendFailures`].
    SentFailures(SentFailures),
    /// Answer to [`Command::ReadRace`].
    Race(Box<Race>),
    /// Answer to [`Command::Changes`].
    Changes(changes::Answer),
    /// Answer to [`Command::Worktrees`].
    OfWorktrees(worktree::Answer),
    /// Answer to [`Command::Trash`].
    Trash(trash::Answer),
    /// Answer to [`notice::Ask::List`], the newest first.
    Notices(Vec<Notice>),
    /// Answer to [`Command::Summon`]: how many windows there are.
    Windows(u32),
    /// Answer to [`Command::Order`].
    Obeyed(Obeyed),
}

/// What a worktree is held against.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Against {
    /// Another worktree of the same repository, with what is not committed in it.
    Worktree(PathBuf),
    /// A branch or another revision.
    Revision(String),
}

/// Entries of a tab or of a stored session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// The entries, in order.
    pub entries: Vec<Entry>,
    /// How many there are in all.
    pub total: u64,
    /// What is being written in the tab.
    pub draft: Option<Prompt>,
}

/// Words that were found in a tab.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TabHit {
    /// Where.
    pub tab: TabId,
    /// In which entry.
    pub entry: u64,
    /// Text around them, on one line.
    pub excerpt: String,
    /// Where they are in it: byte ranges.
    pub marks: Vec<(u32, u32)>,
}

/// A change of a tab.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum TabChange {
    /// Another title; `None` lets it be made from the conversation again.
    Title(Option<String>),
    /// Marked, or not any more.
    Starred(bool),
    /// Looked at, or not.
    Unread(bool),
    /// Closed, or opened again. What was said stays.
    Closed(bool),
    /// Moved before another tab of its agent, or to the end.
    Before(Option<TabId>),
    /// What its agent may do without asking.
    Policy(Policy),
    /// Another model; `None` for the provider's own choice.
    Model(Option<String>),
    /// Another effort; `None` for the provider's own choice.
    Effort(Option<String>),
    /// Whether it goes on by itself when the limit ends that it waits for now.
    Resumes(bool),
}

/// A change of something in a queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ItemChange {
    /// Other words.
    Prompt(Prompt),
    /// For another tab of the same agent.
    Tab(TabId),
    /// Before another item, or to the end.
    Before(Option<ItemId>),
    /// Passed over, or not any more.
    Held(bool),
    /// Said next, as soon as its tab is free, even if the queue is held.
    Now,
    /// Taken out.
    Remove,
    /// Put back where it was, after it was taken out.
    Restore,
}

/// A change of what we keep about a stored session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SessionMark {
    /// Our own name for it; `None` for the provider's.
    Title(Option<String>),
    /// Marked, or not any more.
    Starred(bool),
    /// The words it has.
    Tags(Vec<String>),
    /// Into the trash, or out of it. Its file is moved, never deleted.
    Trashed(bool),
}

/// Everything a client shows, at one instant.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct World {
    /// Events with a higher number come after this.
    pub seq: u64,
    /// All agents, in the order of the left panel.
    pub agents: Vec<Agent>,
    /// All terminals.
    pub terminals: Vec<TerminalInfo>,
    /// All tabs, by agent in the order in which they are shown.
    pub tabs: Vec<Tab>,
    /// Queues in which something waits, or that are held.
    pub queues: Vec<Queue>,
    /// How far the index of stored sessions is.
    pub indexing: Indexing,
    /// Runs that have not ended, and the latest ended ones.
    pub runs: Vec<Run>,
    /// The preferences.
    pub preferences: Vec<(String, String)>,
    /// Agents whose work conflicts with somebody's, as far as that is watched.
    pub collisions: Vec<Collisions>,
    /// Merge trains that are not over, and the latest ones that are.
    pub trains: Vec<Train>,
    /// Worktrees that are being made, or could not be.
    pub worktrees: Vec<worktree::Entry>,
    /// How the checkouts of agents stand, as far as somebody looked.
    pub standings: Vec<(AgentId, worktree::Standing)>,
    /// What the user was told of agents and runs, the newest first.
    pub notices: Vec<Notice>,
}

/// Something happened in the world. Applying an event twice changes nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// An agent is new or changed.
    Agent(Box<Agent>),
    /// An agent is gone.
    AgentRemoved(AgentId),
    /// All agents are listed in this order.
    AgentOrder(Vec<AgentId>),
    /// A terminal is new or changed (title, directory, exit): at most four times a second each.
    Terminal(TerminalInfo),
    /// A terminal is gone.
    TerminalClosed(TerminalId),
    /// A tab is new or changed: at most ten times a second each.
    Tab(Box<Tab>),
    /// A tab is gone: its agent was removed.
    TabRemoved(TabId),
    /// The tabs of an agent are shown in this order.
    TabOrder(AgentId, Vec<TabId>),
    /// A queue changed; one that is empty and not held is not shown.
    Queue(Box<Queue>),
    /// The index of stored sessions is further: at most twice a second.
    Indexing(Indexing),
    /// A run is new or changed.
    Run(Box<Run>),
    /// Checklists below a folder that a client follows were changed: at most five times a second.
    DocumentsChanged {
        /// The folder.
        folder: PathBuf,
    },
    /// A terminal's child asked for attention; text is stripped and length-limited.
    Notification {
        /// Which terminal.
        terminal: TerminalId,
        /// Title, may be empty.
        title: String,
        /// Body, may be empty.
        body: String,
    },
    /// A terminal rang its bell (at most once a second each).
    Bell(TerminalId),
    /// A terminal's child wants to write to the clipboard (OSC 52, capped). Not sent when its agent may
    /// not.
    Clipboard {
        /// Which terminal.
        terminal: TerminalId,
        /// The text.
        text: String,
        /// Under which condition it may.
        policy: Clipboard,
    },
    /// A terminal's search is at another point; `None` when it ended.
    Search {
        /// Which terminal.
        terminal: TerminalId,
        /// How far it is.
        search: Option<Search>,
    },
    /// A preference changed.
    Preference {
        /// Key.
        key: String,
        /// Value; `None` when removed.
        value: Option<String>,
    },
    /// Something went wrong that the user should read: one sentence.
    Problem {
        /// The agent it is about, if one.
        agent: Option<AgentId>,
        /// The sentence.
        text: String,
    },
    /// The host is about to stop.
    HostStopping,
    /// The conflicts of a repository are others: at most four times a second. For whoever sent
    /// [`Command::WatchConflicts`]; everybody gets it.
    Conflicts(Box<Live>),
    /// An agent's work begins to conflict with somebody's, with others, or with nobody any more.
    Collides(Collisions),
    /// A merge train is new or changed.
    Train(Box<Train>),
    /// Words that git printed while it fetches, pulls or pushes.
    SyncHeard(changes::Heard),
    /// A worktree that Maestro makes is further, or ready: at most three times a second each.
    Worktree(Box<worktree::Entry>),
    /// The checkout of an agent stands otherwise: at most twice a second each.
    Standing(AgentId, Box<worktree::Standing>),
    /// The user is told of something, or of the same thing once more.
    Notice(Box<Notice>),
    /// Notices were read, or count as unread again.
    NoticesMarked {
        /// Their numbers.
        ids: Vec<u64>,
        /// Whether they were read.
        read: bool,
    },
    /// All notices are forgotten.
    NoticesCleared,
    /// What every window is to do with itself.
    Summon(Summon),
}

/// Why a command was refused or failed: a sentence a user can act on, and a kind for programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// Kind.
    pub kind: ErrorKind,
    /// Sentence.
    pub message: String,
}

/// Kinds of [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// What it names does not exist.
    NotFound,
    /// The arguments do not fit.
    Invalid,
    /// Somebody else has it (branch in use, directory leased): the message says who.
    Busy,
    /// The provider or platform cannot do it.
    Unsupported,
    /// The disk, git or a process failed.
    Failed,
    /// It took too long.
    TimedOut,
    /// The host is stopping.
    Stopping,
    /// It would run commands that the user has not agreed to; the message shows them.
    Untrusted,
}

/// What an agent is made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewAgent {
    /// The program.
    pub provider: Provider,
    /// Its name; made from the branch or directory when absent.
    pub name: Option<String>,
    /// A directory: a repository, a worktree, or any other.
    pub directory: PathBuf,
    /// With a branch, the agent works in a worktree of that branch; without, in the directory itself.
    pub branch: Option<Branch>,
    /// Size of its AI terminal.
    pub size: Size,
    /// Start its AI terminal at once.
    pub start: bool,
}

/// A branch to check out in a worktree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Branch {
    /// A new one, from a base (the current commit when absent).
    New {
        /// Its name.
        name: String,
        /// Branch, tag or commit to start from.
        base: Option<String>,
    },
    /// An existing local branch, or one that a remote has.
    Existing(String),
}

/// What a terminal without an agent is made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewTerminal {
    /// Program and arguments; the user's shell when empty.
    pub command: Vec<String>,
    /// Directory; the user's home when absent.
    pub directory: Option<PathBuf>,
    /// Variables set on top of the user's own environment.
    pub env: Vec<(String, String)>,
    /// Size.
    pub size: Size,
}

/// A terminal as the world sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TerminalInfo {
    /// Its identity.
    pub id: TerminalId,
    /// The agent it belongs to.
    pub agent: Option<AgentId>,
    /// Title the child set, stripped and length-limited; otherwise the program's name.
    pub title: String,
    /// Directory the child reported (OSC 7), otherwise where it was started.
    pub directory: PathBuf,
    /// Size.
    pub size: Size,
    /// The child's process id while it lives.
    pub pid: Option<u32>,
    /// How it ended: exit code, or 128 + signal.
    pub exit: Option<i32>,
    /// Progress it reported (OSC 9;4): 0 to 100, `None` for none.
    pub progress: Option<u8>,
    /// A large paste that is being written to it.
    pub pasting: Option<Pasting>,
}

/// How far a large paste is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pasting {
    /// Bytes the child has taken.
    pub written: u64,
    /// Bytes in all.
    pub total: u64,
}

/// What a terminal costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TerminalStats {
    /// Which.
    pub terminal: TerminalId,
    /// Bytes of memory its emulator holds: screen and newest history.
    pub hot_bytes: u64,
    /// Bytes of memory its compressed history holds.
    pub cold_bytes: u64,
    /// Rows of history.
    pub history: u64,
    /// Bytes its child has printed.
    pub printed: u64,
    /// Bytes that were read and wait to be parsed.
    pub waiting: u64,
    /// Frames made for all clients.
    pub frames: u64,
    /// Bytes that wait to be written to its child.
    pub unwritten: u64,
}

/// A terminal's screen for reading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Screen {
    /// The terminal.
    pub info: TerminalInfo,
    /// History rows, oldest first; empty when not asked for.
    pub history: Vec<Row>,
    /// Rows of the screen (not of the viewport), from the top.
    pub rows: Vec<Row>,
    /// Cursor on the screen.
    pub cursor: Option<maestro_core::screen::Cursor>,
    /// Modes.
    pub modes: Modes,
    /// Where the viewport is.
    pub scroll: Scroll,
}

/// What the host is and does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostStatus {
    /// Version of the program.
    pub version: String,
    /// Its process id.
    pub pid: u32,
    /// When it started: milliseconds since the Unix epoch.
    pub started_ms: u64,
    /// Its home directory.
    pub home: PathBuf,
    /// Its socket.
    pub socket: PathBuf,
    /// Connected clients, this one included.
    pub clients: u32,
    /// Agents.
    pub agents: u32,
    /// Live terminals.
    pub terminals: u32,
    /// Runs that have not ended.
    pub runs: u32,
}

/// A worktree of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worktree {
    /// Its directory.
    pub path: PathBuf,
    /// Its branch; `None` when detached or bare.
    pub branch: Option<String>,
    /// The commit it is at, abbreviated.
    pub head: Option<String>,
    /// Whether it is the repository's main checkout.
    pub main: bool,
    /// Locked, with the reason.
    pub locked: Option<String>,
    /// Whether its directory is gone.
    pub missing: bool,
}

/// What can be seen of a directory that may be a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repository {
    /// Root of the main checkout; `None` when the directory is in no repository.
    pub root: Option<PathBuf>,
    /// Branch checked out in the directory.
    pub branch: Option<String>,
    /// Local branches, most recent commit first.
    pub branches: Vec<String>,
    /// Whether it has any commit.
    pub has_commits: bool,
}

/// A provider on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderInfo {
    /// Which.
    pub provider: Provider,
    /// Its program, where found.
    pub program: Option<PathBuf>,
    /// Its version, where told.
    pub version: Option<String>,
    /// Why it cannot be used, in a sentence that says what to do; `None` when it can.
    pub unusable: Option<String>,
}

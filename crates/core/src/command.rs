//! Commands: everything a user can make Maestro do, once, as data.
//!
//! One entry gives the palette its row, the keymap its chord, the help screen its line. No shortcut
//! exists outside this table. What a command does is written where its screen is.

use std::fmt;
use std::str::FromStr;

use crate::input::Motion;
use crate::keymap::Platform;
use crate::layout::Direction;

mod argument;
pub mod menu;
mod need;
mod table;
mod text;

pub use argument::Argument;
pub use need::{Need, Place};
pub use table::ALL;
pub use text::{docs, template};

/// A command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "titles and descriptions are in the table below")]
pub enum Id {
    AgentNew,
    AgentRename,
    AgentResume,
    AgentStop,
    AgentRemove,
    WorktreeNew,
    WorktreeRemove,
    WorktreeKeep,
    WorktreeUndo,
    ToggleShell,
    FocusNext,
    FocusPrevious,
    FocusLeft,
    FocusRight,
    FocusUp,
    FocusDown,
    /// The pane with this number, from 1 to 9.
    FocusNumber(u8),
    FocusAgents,
    RegionNext,
    RegionPrevious,
    PaneMaximise,
    PaneClose,
    LayoutNext,
    LayoutAuto,
    LayoutColumns,
    LayoutRows,
    LayoutGrid,
    LayoutMain,
    LayoutStrip,
    LayoutFocus,
    LayoutFree,
    LayoutEven,
    /// An edge of the pane goes this way.
    PaneResize(Direction),
    /// The pane changes places with its neighbour there.
    PaneSwap(Direction),
    /// The pane goes into the place of its neighbour there.
    PaneMove(Direction),
    PaneTurn,
    WorkspaceSave,
    WorkspacesGo,
    WorkspaceNext,
    /// The workspace with this number, from 1 to 9.
    WorkspaceNumber(u8),
    WorkspaceDelete,
    PanesAll,
    BroadcastPane,
    BroadcastAll,
    BroadcastEnd,
    TerminalNew,
    Copy,
    Paste,
    PasteImage,
    PasteCancel,
    SelectAll,
    SelectOutput,
    CopyOutput,
    Search,
    Hints,
    ViEnter,
    KeyboardSelect,
    ScrollLineUp,
    ScrollLineDown,
    ScrollPageUp,
    ScrollPageDown,
    ScrollTop,
    ScrollBottom,
    PromptPrevious,
    PromptNext,
    Clear,
    ClearHistory,
    Reset,
    Export,
    ClipboardAccess,
    ClipboardAnswer,
    LinksForget,
    PaneZoomIn,
    PaneZoomOut,
    PaneZoomReset,
    UsageOpen,
    NoticesOpen,
    NoticeRead,
    NoticesRead,
    NoticesForget,
    SessionsOpen,
    SessionConverse,
    SessionBranch,
    SessionStar,
    SessionTitle,
    SessionTags,
    SessionTrash,
    SessionUndo,
    SessionCopy,
    SessionOpen,
    SessionProvider,
    SessionHere,
    SessionStarred,
    SessionTrashed,
    SessionTools,
    SessionPageUp,
    SessionPageDown,
    SessionLeafUp,
    SessionLeafDown,
    /// The entries of a conversation get the keyboard.
    TurnsFocus,
    TurnsFind,
    TurnsFindOlder,
    TurnsFindNewer,
    TurnsFilter,
    TurnsThinking,
    TurnsPageUp,
    TurnsPageDown,
    TurnsTop,
    TurnsBottom,
    TurnsPromptPrevious,
    TurnsPromptNext,
    TurnsExpandAll,
    TurnsCopyAnswer,
    TurnsCopyCode,
    TurnsExportHtml,
    TurnsExportMarkdown,
    EntryNext,
    EntryPrevious,
    EntryFirst,
    EntryLast,
    EntryPromptPrevious,
    EntryPromptNext,
    EntryToggle,
    EntryCopy,
    EntryCopyText,
    /// Copies the code block of an entry with this number, from 1 to 9.
    EntryCode(u8),
    EntryFind,
    EntryFilter,
    EntryLeave,
    /// The filter of a conversation hides what fits, or what does not.
    FilterTurn,
    ConversationMove,
    ConversationShow,
    ConversationLeave,
    AttentionNext,
    AgentWhy,
    AgentLogin,
    TabNew,
    TabClose,
    TabsCloseOthers,
    TabsCloseLeft,
    TabsCloseRight,
    TabReopen,
    TabRename,
    TabStar,
    TabUnread,
    TabUnreadNext,
    TabNext,
    TabPrevious,
    /// The tab with this number, from 1 to 9.
    TabNumber(u8),
    TabLast,
    TabLeft,
    TabRight,
    TabToStart,
    TabToEnd,
    TabPolicy,
    TabModel,
    TabEffort,
    TabsSearch,
    TurnInterrupt,
    TurnRetry,
    /// Whether what waits for a limit goes on by itself.
    TurnResumes,
    TurnCompact,
    SessionRebuild,
    RequestFocus,
    ComposerFocus,
    ComposerFull,
    ComposerReadOnly,
    QueueShow,
    QueueHold,
    QueueEditLast,
    ComposerSend,
    ComposerUndo,
    ComposerRedo,
    ComposerOlder,
    ComposerNewer,
    ComposerPaste,
    ImageRemove,
    PopupUp,
    PopupDown,
    PopupAccept,
    PopupClose,
    RequestOnce,
    RequestAlways,
    RequestDeny,
    /// The answer with this number, from 1 to 9.
    RequestOption(u8),
    RequestSubmit,
    RequestLeave,
    RequestUp,
    RequestDown,
    RequestNext,
    RequestPrevious,
    RequestMark,
    RequestWrite,
    CardRetry,
    CardLogin,
    CardRebuild,
    CardModel,
    CardCompact,
    CardNewTab,
    CardRelease,
    CardTerminal,
    CardResumes,
    QueueUp,
    QueueDown,
    QueueRowHold,
    QueueRowNow,
    QueueRowRemove,
    QueueRowTab,
    QueueRowOpen,
    QueueUndo,
    QueueHoldAll,
    QueueAll,
    RunStart,
    RunStop,
    RunKill,
    RunsOpen,
    RunsFocus,
    RunsHistory,
    /// A page of the Auto Run view, from 1 to 3.
    RunsPage(u8),
    RunsUp,
    RunsDown,
    RunsPageUp,
    RunsPageDown,
    RunsFirst,
    RunsLast,
    RunsAccept,
    RunsPart,
    RunsStart,
    RunsLeave,
    DocumentMark,
    DocumentNew,
    DocumentEdit,
    DocumentFind,
    DocumentNext,
    DocumentUndo,
    EditorSave,
    EditorLeave,
    EditorTask,
    EditorTick,
    EditorFind,
    EditorUndo,
    EditorRedo,
    EditorPaste,
    RunPause,
    RunSkip,
    RunSkipDocument,
    RunRetry,
    RunUndo,
    RunEndTask,
    RunEndNow,
    RunEvidence,
    RunDiff,
    RunReport,
    RunPrevious,
    RunNext,
    RunFollow,
    HistoryFilter,
    StartUp,
    StartDown,
    StartLess,
    StartMore,
    StartToggle,
    StartRemove,
    ChangesOpen,
    LogOpen,
    FilesOpen,
    ConflictsOpen,
    TrainOpen,
    RaceOpen,
    WorktreesOpen,
    /// A page of the view of changes and branches, from 1 to 7.
    ReviewPage(u8),
    ReviewUp,
    ReviewDown,
    ReviewLeft,
    ReviewRight,
    ReviewPageUp,
    ReviewPageDown,
    ReviewFirst,
    ReviewLast,
    ReviewAccept,
    ReviewPart,
    ReviewRefresh,
    ReviewAgent,
    ReviewLeave,
    ChangesWorking,
    ChangesStaged,
    ChangesBase,
    ChangesNextSource,
    ChangesPreviousSource,
    ChangesStage,
    ChangesUnstage,
    ChangesDiscard,
    ChangesUndo,
    ChangesSeen,
    ChangesComment,
    ChangesUncomment,
    ChangesSend,
    ChangesSplit,
    ChangesNext,
    ChangesPrevious,
    ChangesNextFile,
    ChangesPreviousFile,
    ChangesContext,
    ChangesBlanks,
    ChangesChooseUp,
    ChangesChooseDown,
    ChangesBlame,
    LogFind,
    LogAll,
    LogBranches,
    LogFetch,
    LogPull,
    LogPush,
    LogWay,
    FilesFind,
    FilesSearch,
    FilesNext,
    FilesPrevious,
    FilesEdit,
    FilesPlain,
    FilesOpenElsewhere,
    FilesCopyPath,
    MatrixNext,
    MatrixPrevious,
    MatrixDiff,
    TrainMark,
    TrainEarlier,
    TrainLater,
    TrainSuggest,
    TrainTarget,
    TrainHow,
    TrainVerify,
    TrainCommit,
    TrainReturns,
    TrainStart,
    TrainStop,
    TrainResume,
    TrainAbort,
    TrainUndo,
    TrainNew,
    TrainPrevious,
    TrainNext,
    RaceNext,
    RaceVerify,
    RaceTake,
    RaceDiff,
    RaceOthers,
    TreesRemove,
    TreesEmpty,
    TreesKeep,
    TreesRestore,
    TreesUndo,
    TreesAdopt,
    TreesIgnore,
    TreesClean,
    TreesUsage,
    TreesMend,
    Palette,
    /// Runs the row of the palette with this number, from 1 to 9.
    PaletteRow(u8),
    /// The palette, with agents alone.
    AgentsSwitch,
    /// The palette, with tabs alone; and so on.
    TabsGo,
    FilesGo,
    BranchesGo,
    SessionsGo,
    PlaybooksGo,
    SettingsGo,
    /// How well one plays the keyboard.
    MasteryOpen,
    MasteryExport,
    /// Every command with its chords.
    HelpOpen,
    /// The tour begins, or ends.
    TourToggle,
    /// The tour goes on to its next step.
    TourSkip,
    /// The page on which commands get other chords.
    ChordsOpen,
    KeysAdd,
    KeysNone,
    KeysReset,
    KeysResetAll,
    KeysOwn,
    KeysHere,
    KeysExport,
    KeysImport,
    KeysFile,
    /// The palette, with themes alone.
    ThemeChoose,
    ToggleAgents,
    AgentsWider,
    AgentsNarrower,
    ToggleRuns,
    RunsWider,
    RunsNarrower,
    ZoomIn,
    ZoomOut,
    ZoomReset,
    ThemeToggle,
    SettingsOpen,
    SettingsPage,
    SettingLess,
    SettingMore,
    SettingReset,
    SettingsResetAll,
    SettingsScope,
    SettingsChanged,
    SettingsFile,
    DebugOverlay,
    QuickPrompt,
    Quit,
    ListUp,
    ListDown,
    ListAccept,
    ListRename,
    ListRemove,
    ListLeave,
    ListFind,
    ListNews,
    ListChoose,
    ListFold,
    ListUnfold,
    ListMenu,
    ListMoveUp,
    ListMoveDown,
    ListGroup,
    ListGroupRename,
    ListBookmark,
    /// The agent of the list with this number, from 1 to 9.
    ListNumber(u8),
    AgentGroup,
    AgentBookmark,
    AgentsRail,
    OverlayUp,
    OverlayDown,
    OverlayNext,
    OverlayPrevious,
    OverlayAccept,
    OverlayCancel,
    SearchOlder,
    SearchNewer,
    SearchRegex,
    SearchCase,
    SearchKeep,
    SearchClose,
    HintOpen,
    HintErase,
    HintLeave,
    /// Vi mode's cursor moves.
    Vi(Motion),
    ViSelectCells,
    ViSelectLines,
    ViSelectBlock,
    ViSwap,
    ViCopy,
    ViSearch,
    ViCancel,
    ViLeave,
    /// The first half of `gg` and `ge`.
    ViPrefix,
    /// A digit of how often the next motion is made, 1 to 9.
    ViCount(u8),
}

/// Where a command's chord holds. A narrower context is asked first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Context {
    /// Everywhere, over dialogs, too.
    Everywhere,
    /// Anywhere in the window while nothing lies over it.
    Main,
    /// A terminal has the keyboard.
    Terminal,
    /// The list of agents has the keyboard.
    Agents,
    /// The palette or a dialog is open.
    Overlay,
    /// The palette is open.
    Palette,
    /// The session browser is open.
    Sessions,
    /// A pane shows a conversation; what is said next has the keyboard.
    Conversation,
    /// The entries of a conversation have the keyboard.
    Entries,
    /// The search bar of a pane has the keyboard.
    Search,
    /// The links of a terminal have labels to type.
    Hints,
    /// A terminal has the keyboard, and is in vi mode.
    Vi,
    /// A terminal has the keyboard, and what is typed goes to others, too.
    Broadcast,
    /// What is written to an agent has the keyboard.
    Composer,
    /// Files or commands are offered for what is being written.
    Popup,
    /// What an agent asks has the keyboard.
    Request,
    /// The queue lies over the window.
    Queue,
    /// The settings lie over the window.
    Settings,
    /// The notices lie over the window.
    Notices,
    /// Help or the page of chords lies over the window.
    Chords,
    /// The page about one's keys lies over the window.
    Mastery,
    /// The Auto Run view, or its panel, has the keyboard.
    AutoRun,
    /// Checklists, or one of them as it reads.
    Documents,
    /// A document that is written in.
    Editor,
    /// The tasks of a run.
    Run,
    /// Every run that is known.
    History,
    /// How a run is to be started.
    RunDialog,
    /// Changes and branches have the window.
    Review,
    /// What is different in a checkout.
    Changes,
    /// The commits of a repository.
    Log,
    /// The files of a directory.
    Files,
    /// How branches fit together.
    Matrix,
    /// A merge train.
    Train,
    /// Branches of one task.
    Race,
    /// Worktrees, snapshots and the trash.
    Worktrees,
}

impl Context {
    /// The context and those it lies in, in the order in which they are asked.
    #[must_use]
    pub fn chain(self) -> &'static [Self] {
        match self {
            Self::Everywhere => &[Self::Everywhere],
            Self::Main => &[Self::Main, Self::Everywhere],
            Self::Terminal => &[Self::Terminal, Self::Main, Self::Everywhere],
            Self::Agents => &[Self::Agents, Self::Main, Self::Everywhere],
            Self::Overlay => &[Self::Overlay, Self::Everywhere],
            Self::Palette => &[Self::Palette, Self::Overlay, Self::Everywhere],
            Self::Sessions => &[Self::Sessions, Self::Overlay, Self::Everywhere],
            Self::Conversation => &[Self::Conversation, Self::Main, Self::Everywhere],
            Self::Entries => &[Self::Entries, Self::Conversation, Self::Main, Self::Everywhere],
            Self::Search => &[Self::Search, Self::Main, Self::Everywhere],
            Self::Hints => &[Self::Hints, Self::Everywhere],
            Self::Vi => &[Self::Vi, Self::Terminal, Self::Main, Self::Everywhere],
            Self::Broadcast => &[Self::Broadcast, Self::Terminal, Self::Main, Self::Everywhere],
            Self::Composer => &[Self::Composer, Self::Conversation, Self::Main, Self::Everywhere],
            Self::Popup => {
                &[Self::Popup, Self::Composer, Self::Conversation, Self::Main, Self::Everywhere]
            }
            Self::Request => &[Self::Request, Self::Conversation, Self::Main, Self::Everywhere],
            Self::Queue => &[Self::Queue, Self::Overlay, Self::Everywhere],
            Self::Settings => &[Self::Settings, Self::Overlay, Self::Everywhere],
            Self::Notices => &[Self::Notices, Self::Overlay, Self::Everywhere],
            Self::Chords => &[Self::Chords, Self::Overlay, Self::Everywhere],
            Self::Mastery => &[Self::Mastery, Self::Overlay, Self::Everywhere],
            Self::AutoRun => &[Self::AutoRun, Self::Main, Self::Everywhere],
            Self::Documents => &[Self::Documents, Self::AutoRun, Self::Main, Self::Everywhere],
            Self::Editor => &[Self::Editor, Self::Main, Self::Everywhere],
            Self::Run => &[Self::Run, Self::AutoRun, Self::Main, Self::Everywhere],
            Self::History => {
                &[Self::History, Self::Run, Self::AutoRun, Self::Main, Self::Everywhere]
            }
            Self::RunDialog => &[Self::RunDialog, Self::Overlay, Self::Everywhere],
            Self::Review => &[Self::Review, Self::Main, Self::Everywhere],
            Self::Changes => &[Self::Changes, Self::Review, Self::Main, Self::Everywhere],
            Self::Log => &[Self::Log, Self::Review, Self::Main, Self::Everywhere],
            Self::Files => &[Self::Files, Self::Review, Self::Main, Self::Everywhere],
            Self::Matrix => &[Self::Matrix, Self::Review, Self::Main, Self::Everywhere],
            Self::Train => &[Self::Train, Self::Review, Self::Main, Self::Everywhere],
            Self::Race => &[Self::Race, Self::Review, Self::Main, Self::Everywhere],
            Self::Worktrees => &[Self::Worktrees, Self::Review, Self::Main, Self::Everywhere],
        }
    }

    /// Every context.
    pub const ALL: [Self; 35] = [
        Self::Everywhere,
        Self::Main,
        Self::Terminal,
        Self::Agents,
        Self::Overlay,
        Self::Palette,
        Self::Sessions,
        Self::Conversation,
        Self::Entries,
        Self::Search,
        Self::Hints,
        Self::Vi,
        Self::Broadcast,
        Self::Composer,
        Self::Popup,
        Self::Request,
        Self::Queue,
        Self::Settings,
        Self::Notices,
        Self::Chords,
        Self::Mastery,
        Self::AutoRun,
        Self::Documents,
        Self::Editor,
        Self::Run,
        Self::History,
        Self::RunDialog,
        Self::Review,
        Self::Changes,
        Self::Log,
        Self::Files,
        Self::Matrix,
        Self::Train,
        Self::Race,
        Self::Worktrees,
    ];

    /// Whether a chord that holds here is taken from a terminal that has the keyboard.
    #[must_use]
    pub fn covers_terminal(self) -> bool {
        Self::Terminal.chain().contains(&self)
    }
}

/// What a command is about: the palette and the help screen group by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Group {
    Agents,
    Queue,
    Panes,
    Terminal,
    Conversation,
    Sessions,
    Runs,
    Changes,
    View,
    Window,
    Navigation,
    Vi,
}

impl Group {
    /// Its heading.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Agents => "Agents",
            Self::Queue => "Queue",
            Self::Panes => "Panes",
            Self::Terminal => "Terminal",
            Self::Conversation => "Conversation",
            Self::Sessions => "Stored conversations",
            Self::Runs => "Auto Run",
            Self::Changes => "Changes and branches",
            Self::View => "View",
            Self::Window => "Window",
            Self::Navigation => "Lists and dialogs",
            Self::Vi => "Vi mode",
        }
    }
}

/// A row of the registry.
#[derive(Debug, Clone, Copy)]
pub struct Command {
    /// Which.
    pub id: Id,
    /// Its name in the keymap file.
    pub name: &'static str,
    /// What it is called.
    pub title: &'static str,
    /// What it does, in one sentence.
    pub description: &'static str,
    /// What it is about.
    pub group: Group,
    /// Where its chords hold.
    pub context: Context,
    /// Whether the palette lists it. Moving in a list is not something one looks up.
    pub listed: bool,
    /// Default chords; the first one is shown.
    pub chords: &'static [&'static str],
    /// Default chords on macOS, where they are not the same.
    pub mac_chords: Option<&'static [&'static str]>,
}

impl Command {
    /// Its default chords, as text.
    #[must_use]
    pub fn default_chords(&self, platform: Platform) -> &'static [&'static str] {
        match (platform, self.mac_chords) {
            (Platform::Mac, Some(chords)) => chords,
            _ => self.chords,
        }
    }
}

const fn command(
    id: Id,
    name: &'static str,
    title: &'static str,
    chords: &'static [&'static str],
    description: &'static str,
) -> Command {
    Command {
        id,
        name,
        title,
        description,
        group: Group::Window,
        context: Context::Main,
        listed: true,
        chords,
        mac_chords: None,
    }
}

impl Command {
    const fn group(mut self, group: Group) -> Self {
        self.group = group;
        self
    }

    const fn at(mut self, context: Context) -> Self {
        self.context = context;
        self
    }

    const fn mac(mut self, chords: &'static [&'static str]) -> Self {
        self.mac_chords = Some(chords);
        self
    }

    const fn sessions(mut self) -> Self {
        self.listed = false;
        self.group = Group::Sessions;
        self.context = Context::Sessions;
        self
    }

    /// In a conversation.
    const fn turns(mut self) -> Self {
        self.group = Group::Conversation;
        self.context = Context::Conversation;
        self
    }

    /// While the entries of a conversation have the keyboard.
    const fn entries(mut self) -> Self {
        self.listed = false;
        self.group = Group::Conversation;
        self.context = Context::Entries;
        self
    }

    const fn vi(mut self) -> Self {
        self.listed = false;
        self.group = Group::Vi;
        self.context = Context::Vi;
        self
    }

    const fn unlisted(mut self) -> Self {
        self.listed = false;
        self.group = Group::Navigation;
        self
    }
}

impl Id {
    /// Its row.
    #[must_use]
    pub fn command(self) -> &'static Command {
        // Every id has a row: a test walks them. The first row stands in for a pane beyond nine.
        ALL.iter().find(|command| command.id == self).unwrap_or(&ALL[0])
    }

    /// Its name in the keymap file.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.command().name
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A word that names no command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no command `{0}`")]
pub struct Unknown(String);

impl FromStr for Id {
    type Err = Unknown;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        ALL.iter()
            .find(|command| command.name == text)
            .map(|command| command.id)
            .ok_or_else(|| Unknown(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_row_is_found_by_its_name_and_says_something() {
        let mut names = HashSet::new();
        for command in ALL {
            assert!(names.insert(command.name), "{} twice", command.name);
            assert_eq!(command.name.parse(), Ok(command.id));
            assert_eq!(command.id.command().name, command.name);
            assert!(command.description.ends_with('.'), "{}", command.name);
            assert!(!command.title.ends_with('.'), "{}", command.name);
        }
        assert!("pane.10".parse::<Id>().is_err());
    }
}

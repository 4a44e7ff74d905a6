//! Every setting there is.

use super::{Kind, Preset, Setting};

pub(super) const THEME: Setting = Setting {
    key: "appearance.theme",
    title: "Theme",
    about: "The colours of the window: the name of a theme, or system for the one of the two below that \
            fits what the desktop prefers. `maestro theme list` has all names.",
    kind: Kind::Name { what: "the name of a theme, or system" },
    default: Preset::Nothing("the one chosen in the window"),
    per_agent: false,
    example: "\"system\"",
};

pub(super) const DARK_THEME: Setting = Setting {
    key: "appearance.dark",
    title: "Dark theme",
    about: "The theme while the desktop is dark, where the theme follows it.",
    kind: Kind::Name { what: "the name of a theme" },
    default: Preset::Text("Nocturne"),
    per_agent: false,
    example: "\"Overture\"",
};

pub(super) const LIGHT_THEME: Setting = Setting {
    key: "appearance.light",
    title: "Light theme",
    about: "The theme while the desktop is light, where the theme follows it.",
    kind: Kind::Name { what: "the name of a theme" },
    default: Preset::Text("Matinee"),
    per_agent: false,
    example: "\"Libretto\"",
};

pub(super) const SCALE: Setting = Setting {
    key: "appearance.scale",
    title: "Size of everything",
    about: "How large the window draws everything, beside what the desktop asks for: 1 as it is, 1.5 half as \
            large again. The text of terminals alone has chords of its own.",
    kind: Kind::Number { least: 0.7, most: 2.5, whole: false, unit: "", step: 0.1 },
    default: Preset::Number(1.0),
    per_agent: false,
    example: "1.2",
};

pub(super) const MOTION: Setting = Setting {
    key: "appearance.motion",
    title: "Things that move",
    about: "Whether anything in the window moves by itself, such as the mark of an agent at work. What \
            programs do in their terminals is theirs.",
    kind: Kind::Switch,
    default: Preset::Switch(true),
    per_agent: false,
    example: "false",
};

pub(super) const COPY_ON_SELECT: Setting = Setting {
    key: "terminal.copy_on_select",
    title: "Copy what is selected",
    about: "Selecting text copies it to the clipboard, too, and not to the primary selection alone.",
    kind: Kind::Switch,
    default: Preset::Switch(false),
    per_agent: false,
    example: "true",
};

pub(super) const MINIMUM_CONTRAST: Setting = Setting {
    key: "terminal.minimum_contrast",
    title: "Least contrast of text",
    about: "The least contrast between text and what is behind it: 1 leaves colours as programs chose \
            them, 4.5 can be read by nearly everybody, 21 is black on white.",
    kind: Kind::Number { least: 1.0, most: 21.0, whole: false, unit: "", step: 0.5 },
    default: Preset::Number(1.0),
    per_agent: false,
    example: "4.5",
};

pub(super) const CONFIRM_PASTE: Setting = Setting {
    key: "terminal.confirm_paste",
    title: "Show pastes with line breaks first",
    about: "When a paste with line breaks is shown before it is typed.",
    kind: Kind::Choice(&[
        ("shell", "in shells, and in programs that cannot tell a paste from typing"),
        ("always", "everywhere"),
        ("never", "nowhere"),
    ]),
    default: Preset::Text("shell"),
    per_agent: false,
    example: "\"always\"",
};

pub(super) const SCROLLBACK: Setting = Setting {
    key: "terminal.scrollback",
    title: "Rows of history",
    about: "Rows of history that a new terminal keeps.",
    kind: Kind::Number { least: 0.0, most: 10_000_000.0, whole: true, unit: "rows", step: 1000.0 },
    default: Preset::Number(10_000.0),
    per_agent: true,
    example: "50000",
};

pub(super) const WHEEL_ROWS: Setting = Setting {
    key: "terminal.wheel_rows",
    title: "Rows of a wheel's notch",
    about: "Rows that a notch of the mouse wheel scrolls.",
    kind: Kind::Number { least: 0.1, most: 100.0, whole: false, unit: "rows", step: 1.0 },
    default: Preset::Number(3.0),
    per_agent: false,
    example: "5",
};

pub(super) const OPTION_IS_ALT: Setting = Setting {
    key: "terminal.option_is_alt",
    title: "Option is Alt",
    about: "On a Mac: Option is Alt for programs, and types no signs of its own.",
    kind: Kind::Switch,
    default: Preset::Switch(false),
    per_agent: false,
    example: "true",
};

pub(super) const ENTER_SENDS: Setting = Setting {
    key: "composer.enter_sends",
    title: "Enter sends",
    about: "Enter sends what is written, and Shift+Enter begins a new line. Otherwise Enter begins a new \
            line; Ctrl+Enter (on a Mac, Command+Enter) always sends.",
    kind: Kind::Switch,
    default: Preset::Switch(true),
    per_agent: false,
    example: "false",
};

pub(super) const SEND_AFTER_RESTART: Setting = Setting {
    key: "queue.send_after_restart",
    title: "Send what waits after a restart",
    about: "What waits is sent by itself after the host was started anew. Otherwise it waits until you \
            let it go on.",
    kind: Kind::Switch,
    default: Preset::Switch(false),
    per_agent: false,
    example: "true",
};

pub(super) const RESUME_AFTER_LIMIT: Setting = Setting {
    key: "queue.resume_after_limit",
    title: "Go on after a limit",
    about: "Agents that reached a limit go on by themselves when it is over.",
    kind: Kind::Switch,
    default: Preset::Switch(true),
    per_agent: false,
    example: "false",
};

pub(super) const SESSIONS: Setting = Setting {
    key: "autorun.sessions",
    title: "Sessions at once",
    about: "How many sessions of one provider runs may have at work at once; further ones wait.",
    kind: Kind::Number { least: 1.0, most: 64.0, whole: true, unit: "sessions", step: 1.0 },
    default: Preset::Number(4.0),
    per_agent: false,
    example: "8",
};

pub(super) const HISTORY_DAYS: Setting = Setting {
    key: "autorun.history_days",
    title: "Keep runs that are over",
    about: "How many days a run that is over is kept, with the trees by which its tasks can be undone. \
            The newest 200 are kept however old they are, and reports stay.",
    kind: Kind::Number { least: 1.0, most: 36_500.0, whole: true, unit: "days", step: 10.0 },
    default: Preset::Number(90.0),
    per_agent: false,
    example: "365",
};

pub(super) const PLAYBOOKS: Setting = Setting {
    key: "autorun.playbooks",
    title: "Folder of playbooks",
    about: "Where an agent's playbooks are, from its directory.",
    kind: Kind::Folder,
    default: Preset::Nothing(".maestro/playbooks, else Auto Run Docs, where the agent works"),
    per_agent: true,
    example: "\"docs/playbooks\"",
};

pub(super) const WORKTREES: Setting = Setting {
    key: "worktrees.location",
    title: "Folder of new worktrees",
    about: "Where new worktrees go: from the repository's main checkout, unless it is a whole path. On the \
            repository's own disk they are made fastest.",
    kind: Kind::Folder,
    default: Preset::Nothing("a folder NAME-worktrees beside the repository"),
    per_agent: false,
    example: "\"../trees\"",
};

pub(super) const EDITOR: Setting = Setting {
    key: "links.editor",
    title: "Editor for files",
    about: "The program that files are opened with. {file}, {line} and {column} are put in as single \
            words, no shell is asked.",
    kind: Kind::Command { holds: "{file}" },
    default: Preset::Nothing("the desktop's own"),
    per_agent: false,
    example: "\"code --goto {file}:{line}:{column}\"",
};

const LOUD: Kind = Kind::Choice(&[
    ("all", "everything"),
    ("urgent", "what stands still until you do something"),
    ("never", "nothing"),
]);

pub(super) const TOASTS: Setting = Setting {
    key: "notices.toasts",
    title: "Tell in the window",
    about: "What is told in the corner of the window of agents and runs that are not looked at. All of \
            it is in the list of notices, whatever is set.",
    kind: LOUD,
    default: Preset::Text("all"),
    per_agent: true,
    example: "\"urgent\"",
};

pub(super) const DESKTOP: Setting = Setting {
    key: "notices.desktop",
    title: "Tell on the desktop",
    about: "What the desktop's own notifications show while no window of Maestro is looked at, or none is \
            open.",
    kind: LOUD,
    default: Preset::Text("all"),
    per_agent: true,
    example: "\"urgent\"",
};

pub(super) const SOUND: Setting = Setting {
    key: "notices.sound",
    title: "Tell with a sound",
    about: "What the desktop's sound for messages is played for while no window of Maestro is looked at.",
    kind: LOUD,
    default: Preset::Text("never"),
    per_agent: true,
    example: "\"urgent\"",
};

pub(super) const NOTICE_COMMAND: Setting = Setting {
    key: "notices.command",
    title: "Command for notices",
    about: "A program that is run for every notice, with MAESTRO_NOTICE (such as needs_you or done), \
            MAESTRO_NOTICE_TITLE, MAESTRO_NOTICE_TEXT, MAESTRO_NOTICE_AGENT and MAESTRO_NOTICE_RUN in its \
            environment. No shell is asked, and a repository cannot set it.",
    kind: Kind::Command { holds: "" },
    default: Preset::Nothing("none is run"),
    per_agent: false,
    example: "\"push-to-phone --title Maestro\"",
};

pub(super) const QUIET: Setting = Setting {
    key: "notices.quiet",
    title: "Quiet hours",
    about: "When nothing is told outside the window: no notification, no sound, no command.",
    kind: Kind::Hours,
    default: Preset::Nothing("none"),
    per_agent: false,
    example: "\"22:00-07:00\"",
};

pub(super) const TEACH: Setting = Setting {
    key: "keyboard.teach",
    title: "Teach chords",
    about: "What the mouse or the palette did three times is told with its chord, once, and what was \
            learned is told, too.",
    kind: Kind::Switch,
    default: Preset::Switch(true),
    per_agent: false,
    example: "false",
};

pub(super) const HOTKEY: Setting = Setting {
    key: "summon.hotkey",
    title: "Chord that summons the window",
    about: "A chord that brings the window to the front wherever the keyboard is, and hides it when it is \
            there. On Wayland no program hears the keys of others: bind `maestro toggle` in the desktop's own \
            settings.",
    kind: Kind::Chord,
    default: Preset::Nothing("none"),
    per_agent: false,
    example: "\"Ctrl+Alt+Space\"",
};

pub(super) const PROMPT_HOTKEY: Setting = Setting {
    key: "summon.prompt",
    title: "Chord of the quick prompt",
    about: "A chord that opens a small window wherever the keyboard is: one thing said to one agent, and it is \
            gone. On Wayland bind `maestro prompt` in the desktop's own settings.",
    kind: Kind::Chord,
    default: Preset::Nothing("none"),
    per_agent: false,
    example: "\"Ctrl+Alt+Enter\"",
};

pub(super) const SUMMON_TO: Setting = Setting {
    key: "summon.to",
    title: "What is summoned",
    about: "What that chord leads to.",
    kind: Kind::Choice(&[
        ("window", "the window as it was left"),
        ("waiting", "the agent that waits longest for you"),
    ]),
    default: Preset::Text("window"),
    per_agent: false,
    example: "\"waiting\"",
};

/// Every setting, in the order of the file; those of a section stand together.
pub const ALL: &[Setting] = &[
    THEME,
    DARK_THEME,
    LIGHT_THEME,
    SCALE,
    MOTION,
    TEACH,
    HOTKEY,
    SUMMON_TO,
    PROMPT_HOTKEY,
    COPY_ON_SELECT,
    MINIMUM_CONTRAST,
    CONFIRM_PASTE,
    SCROLLBACK,
    WHEEL_ROWS,
    OPTION_IS_ALT,
    ENTER_SENDS,
    SEND_AFTER_RESTART,
    RESUME_AFTER_LIMIT,
    SESSIONS,
    HISTORY_DAYS,
    PLAYBOOKS,
    WORKTREES,
    EDITOR,
    TOASTS,
    DESKTOP,
    SOUND,
    NOTICE_COMMAND,
    QUIET,
];

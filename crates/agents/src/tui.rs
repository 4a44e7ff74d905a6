//! What each provider's TUI expects of the terminal around it, as data.

use maestro_core::agent::Provider;

/// How a provider's TUI is handed an image from the clipboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ImagePaste {
    /// The path of a file, pasted: the program attaches the file.
    Path,
    /// Ctrl+V: the program reads the clipboard of the desktop itself.
    ControlV,
    /// Not at all; the sentence says what to do instead.
    Unsupported(&'static str),
}

/// How a provider's TUI is handed an image. What is pasted is a whole path and nothing else, which is
/// also how terminals hand over a dropped file.
///
/// Claude Code 2.1, Codex 0.169 and OpenCode 1.18 attach the file then and show `[Image #1]` in its place
/// (tried, with blanks and apostrophes in the path, too); Droid shows nothing before a login, and Copilot
/// and Gemini take a path for a path. A shell, and
/// any program in it, gets the path as a word. Ctrl+V would depend on a clipboard that the host, which may
/// have no desktop at all, cannot see.
#[must_use]
pub fn image_paste(provider: Provider) -> ImagePaste {
    match provider {
        Provider::Claude
        | Provider::Codex
        | Provider::OpenCode
        | Provider::Droid
        | Provider::Copilot
        | Provider::Gemini
        | Provider::Demo
        | Provider::Shell => ImagePaste::Path,
    }
}

/// What Shift+Enter sends to a TUI that did not turn on the kitty keyboard protocol. With it the key has
/// a code of its own, and the agent programs turn it on in our terminals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NewLine {
    /// Escape, carriage return: Alt+Enter, which the agent programs take for a new line.
    EscapeReturn,
    /// A line feed, as Ctrl+J sends it.
    LineFeed,
    /// The same as Enter.
    Return,
}

/// What Shift+Enter sends to a provider's TUI.
#[must_use]
pub fn new_line(provider: Provider) -> NewLine {
    match provider {
        Provider::Claude
        | Provider::OpenCode
        | Provider::Droid
        | Provider::Copilot
        | Provider::Gemini
        | Provider::Demo => NewLine::EscapeReturn,
        // Its own help names Ctrl+J.
        Provider::Codex => NewLine::LineFeed,
        // A shell takes it for Enter, and an agent that a user starts in a shell for a new line. Escape
        // would be the beginning of a key of its own there.
        Provider::Shell => NewLine::LineFeed,
    }
}

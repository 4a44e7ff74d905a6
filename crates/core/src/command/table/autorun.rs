//! Commands of Auto Run: its panel, its full-size view, documents, running tasks, history.

use crate::command::{Command, Context, Group, Id, command};

const fn at(
    context: Context,
    id: Id,
    name: &'static str,
    title: &'static str,
    chords: &'static [&'static str],
    description: &'static str,
) -> Command {
    let mut row = command(id, name, title, chords, description).group(Group::Runs).at(context);
    row.listed = false;
    row
}

#[rustfmt::skip] // One line a command.
pub(super) const COMMANDS: &[Command] = &[
    command(Id::RunsOpen, "runs.open", "Auto Run", &["Mod+Shift+R"], "Shows checklists, runs and their history in the whole window, or the panes again.").group(Group::Runs),
    command(Id::RunsFocus, "runs.focus", "Go to the Auto Run panel", &["Alt+Mod+Shift+R"], "Gives the keyboard to the runs at the right.").group(Group::Runs),
    command(Id::RunsHistory, "runs.history", "History of all runs", &[], "Shows every run that is known, with what came of it.").group(Group::Runs),
    at(Context::AutoRun, Id::RunsPage(1), "runs.page-1", "Checklists", &["1"], "Shows the checklists of the project."),
    at(Context::AutoRun, Id::RunsPage(2), "runs.page-2", "Live", &["2"], "Shows a run with its tasks."),
    at(Context::AutoRun, Id::RunsPage(3), "runs.page-3", "History", &["3"], "Shows every run that is known."),
    at(Context::AutoRun, Id::RunsUp, "runs.up", "Up", &["Up", "k"], "Marks the row above."),
    at(Context::AutoRun, Id::RunsDown, "runs.down", "Down", &["Down", "j"], "Marks the row below."),
    at(Context::AutoRun, Id::RunsPageUp, "runs.page-up", "Page up", &["PageUp"], "Moves what is shown a page up."),
    at(Context::AutoRun, Id::RunsPageDown, "runs.page-down", "Page down", &["PageDown"], "Moves what is shown a page down."),
    at(Context::AutoRun, Id::RunsFirst, "runs.first", "First", &["Home"], "Marks the first row."),
    at(Context::AutoRun, Id::RunsLast, "runs.last", "Last", &["End"], "Marks the last row."),
    at(Context::AutoRun, Id::RunsAccept, "runs.accept", "Open", &["Enter"], "Opens the marked row: a document, a task's evidence, a run."),
    at(Context::AutoRun, Id::RunsPart, "runs.part", "Other half", &["Tab", "Shift+Tab"], "Goes from the list to what it shows, and back."),
    at(Context::AutoRun, Id::RunsStart, "runs.start", "Start a run…", &["g"], "Asks how the chosen documents are to be run, and shows what would be done."),
    at(Context::AutoRun, Id::RunsLeave, "runs.leave", "Back", &["Escape"], "Goes back, in the end to the panes."),
    at(Context::Documents, Id::DocumentMark, "document.mark", "Choose, or tick", &["Space"], "Chooses a document for a run; in a document, ticks the box or opens it again."),
    at(Context::Documents, Id::DocumentNew, "document.new", "New document, or task", &["n"], "Makes a document; in a document, inserts a task."),
    at(Context::Documents, Id::DocumentEdit, "document.edit", "Edit", &["e"], "Lets the document be written in."),
    at(Context::Documents, Id::DocumentFind, "document.find", "Find", &["/"], "Looks for text in the document."),
    at(Context::Documents, Id::DocumentNext, "document.next", "Next match", &["m"], "Goes to the next place where the text is."),
    at(Context::Documents, Id::DocumentUndo, "document.undo", "Undo", &["u"], "Takes back the last change of the document."),
    at(Context::Editor, Id::EditorSave, "editor.save", "Save", &["Mod+S"], "Writes the document; it is also saved by itself."),
    at(Context::Editor, Id::EditorLeave, "editor.leave", "Done", &["Escape"], "Saves, and shows the document as it reads."),
    at(Context::Editor, Id::EditorTask, "editor.task", "Insert a task", &["Mod+Enter"], "Begins a task below this line, as far in as this one."),
    at(Context::Editor, Id::EditorTick, "editor.tick", "Tick", &["Alt+Enter"], "Ticks the box of this line, or opens it again."),
    at(Context::Editor, Id::EditorFind, "editor.find", "Find", &["Mod+F"], "Looks for text in the document."),
    at(Context::Editor, Id::EditorUndo, "editor.undo", "Undo", &["Mod+Z"], "Takes back the last change."),
    at(Context::Editor, Id::EditorRedo, "editor.redo", "Redo", &["Mod+Shift+Z", "Mod+Y"], "Makes a change again that was taken back."),
    at(Context::Editor, Id::EditorPaste, "editor.paste", "Paste", &["Mod+V", "Mod+Shift+V", "Shift+Insert"], "Pastes text, or keeps an image beside the document and links it."),
    at(Context::Run, Id::RunPause, "run.pause", "Pause, or go on", &["p"], "Lets the run do nothing more until it is to go on, or lets it go on."),
    at(Context::Run, Id::RunSkip, "run.skip", "Skip the task", &["s"], "Passes over the marked task."),
    at(Context::Run, Id::RunSkipDocument, "run.skip-document", "Skip the document", &["Shift+S"], "Passes over the rest of the document the run is in."),
    at(Context::Run, Id::RunRetry, "run.retry", "Try again", &["r"], "Tries the marked task again."),
    at(Context::Run, Id::RunUndo, "run.undo", "Undo the task…", &["u"], "Restores the files to what they were before the marked task."),
    at(Context::Run, Id::RunEndTask, "run.end-task", "Stop after the task", &["x"], "Lets the current task finish, then ends the run."),
    at(Context::Run, Id::RunEndNow, "run.end-now", "Stop now…", &["Shift+X"], "Ends the run and its agent's processes at once."),
    at(Context::Run, Id::RunEvidence, "run.evidence", "Evidence, or what is said", &["e"], "Shows what the task's tick rests on, or what its turn says."),
    at(Context::Run, Id::RunDiff, "run.diff", "Changes", &["d"], "Shows what the task changed."),
    at(Context::Run, Id::RunReport, "run.report", "Report", &["o"], "Shows the report of the run."),
    at(Context::Run, Id::RunPrevious, "run.previous", "Previous run", &["["], "Shows the run that was started before."),
    at(Context::Run, Id::RunNext, "run.next", "Next run", &["]"], "Shows the run that was started after."),
    at(Context::Run, Id::RunFollow, "run.follow", "Follow", &["f"], "Marks the task the run works on, and stays with it."),
    at(Context::History, Id::HistoryFilter, "history.filter", "Filter", &["/"], "Shows only runs in which some words are."),
    at(Context::RunDialog, Id::StartUp, "start.up", "Move up", &["Shift+Up", "Alt+Up"], "Runs the document before the one above."),
    at(Context::RunDialog, Id::StartDown, "start.down", "Move down", &["Shift+Down", "Alt+Down"], "Runs the document after the one below."),
    at(Context::RunDialog, Id::StartLess, "start.less", "Choice before", &["Left"], "Takes the choice before."),
    at(Context::RunDialog, Id::StartMore, "start.more", "Next choice", &["Right"], "Takes the next choice."),
    at(Context::RunDialog, Id::StartToggle, "start.toggle", "Reset", &["Space"], "Works on a fresh copy of the document in every pass, or not."),
    at(Context::RunDialog, Id::StartRemove, "start.remove", "Leave out", &["Delete", "x"], "Leaves the document out."),
];

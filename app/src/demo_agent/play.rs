//! Doing what a script says, in one directory and nowhere else.

use std::io::Read;
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use maestro_core::conversation::Todo;
use maestro_core::turn::{Failure, FailureKind, Usage};

use super::script::{RELATIVE, Script, Step};
use super::store;

/// Most bytes of a command's output, a file or a diff that are shown.
const SHOWN: usize = 8 << 10;

/// Largest file that is edited.
const LARGEST: u64 = 8 << 20;

/// Bytes of a piece of an answer that is told in pieces.
const PIECE: usize = 24;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
    /// A piece of the text that the next [`Progress::Text`] tells whole.
    Piece(String),
    Text(String),
    Thinking(String),
    Call {
        id: String,
        name: &'static str,
        summary: String,
    },
    Result {
        id: String,
        is_error: bool,
        output: String,
        diff: Vec<Change>,
    },
    /// A file that is another one now: what it was (`None` when it was not) and what it is.
    Edited {
        id: String,
        edit: Edit,
    },
    Changed(String),
    Garbage(String),
    Usage(Usage),
    Todo(Vec<Todo>),
    Title(String),
    Context {
        used: u64,
        window: u64,
    },
    Limit {
        percent: u8,
        resets_ms: u64,
    },
    Retrying {
        because: String,
        until_ms: u64,
    },
}

/// A change of a file, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    pub path: String,
    pub old: Option<String>,
    /// `None` when it is removed.
    pub new: Option<String>,
}

/// What a player may not do without being allowed to, or wants to know.
#[derive(Debug)]
pub enum Asked<'a> {
    Edit { id: &'a str, name: &'a str, edit: &'a Edit },
    Command { id: &'a str, command: &'a str },
    Question { question: &'a str, answers: &'a [String] },
}

/// How that is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Allowed,
    /// With what is said about it.
    Denied(String),
    /// What was chosen.
    Chosen(String),
    /// The turn is over.
    Stopped,
}

/// One line of a diff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    Same(String),
    Removed(String),
    Added(String),
}

/// How a turn ends.
#[derive(Debug, Clone, PartialEq)]
pub enum End {
    Done,
    Failed(Failure),
    Interrupted,
    /// Without a word, with this exit code.
    Exit(i32),
    Crash,
    Torn,
}

/// Plays scripts in a directory.
pub struct Player<'a> {
    /// Absolute and real.
    pub directory: &'a Path,
    pub home: &'a Path,
    /// Set from elsewhere to end the turn.
    pub interrupt: &'a AtomicBool,
    /// Time given to each step, so that a person can follow.
    pub pace: Duration,
    /// Who is asked; `None` where everything is allowed and nobody can answer.
    pub ask: Option<&'a dyn Fn(Asked<'_>) -> Verdict>,
    /// Whether text is told in pieces first.
    pub pieces: bool,
}

impl Player<'_> {
    /// Does everything a script says.
    pub fn play(&self, script: &Script, mut tell: impl FnMut(Progress)) -> End {
        let slow = script.steps.iter().find_map(|step| match step {
            Step::Slow(seconds) => Some(Duration::from_secs_f64(*seconds)),
            _ => None,
        });
        let count = u32::try_from(script.steps.len()).unwrap_or(u32::MAX).max(1);
        let pace = slow.map_or(self.pace, |total| total / count);
        let mut usage = Usage { input_tokens: 400 + tokens(&script.task), ..Usage::default() };
        let mut said = false;
        for (number, step) in script.steps.iter().enumerate() {
            let in_pieces = self.pieces && matches!(step, Step::Say(_));
            if !in_pieces && !self.pause(pace) {
                return End::Interrupted;
            }
            usage.output_tokens += 12 + tokens(&format!("{step:?}")) / 2;
            let id = format!("call_{}", number + 1);
            match step {
                Step::Slow(_) => {}
                Step::Say(text) => {
                    said = true;
                    if in_pieces && !self.say(text, pace, &mut tell) {
                        return End::Interrupted;
                    }
                    tell(Progress::Text(text.clone()));
                }
                Step::Think(text) => tell(Progress::Thinking(text.clone())),
                Step::Garbage(lines) => {
                    (0..*lines).for_each(|line| {
                        tell(Progress::Garbage(format!("}}garbage {{ {line} \u{1}")));
                    });
                }
                Step::Hang => {
                    while self.pause(Duration::from_secs(3600)) {}
                    return End::Interrupted;
                }
                Step::Silent => return End::Exit(0),
                Step::Exit(code) => return End::Exit(*code),
                Step::Crash { times } if self.still(*times, script, "crash") => return End::Crash,
                Step::Fail { kind, message, times } if self.still(*times, script, message) => {
                    let kind = match kind {
                        FailureKind::Limit { resets_ms: Some(after) } => {
                            let resets_ms = store::now_ms() + after.saturating_sub(RELATIVE);
                            FailureKind::Limit { resets_ms: Some(resets_ms) }
                        }
                        kind => *kind,
                    };
                    tell(Progress::Usage(usage));
                    return End::Failed(Failure { kind, message: message.clone() });
                }
                Step::Torn { times } if self.still(*times, script, "torn") => return End::Torn,
                Step::Crash { .. } | Step::Fail { .. } | Step::Torn { .. } => {}
                Step::Todo(list) => tell(Progress::Todo(list.clone())),
                Step::Title(title) => tell(Progress::Title(title.clone())),
                Step::Usage(told) => usage = *told,
                Step::Context { used, window } => {
                    tell(Progress::Context { used: *used, window: *window });
                }
                Step::Limit { percent, seconds } => {
                    let resets_ms = store::now_ms() + seconds * 1000;
                    tell(Progress::Limit { percent: *percent, resets_ms });
                }
                Step::Retry { seconds, because } => {
                    let wait = Duration::from_secs_f64(*seconds);
                    let until_ms = store::now_ms() + u64::try_from(wait.as_millis()).unwrap_or(0);
                    tell(Progress::Retrying { because: because.clone(), until_ms });
                    if !self.pause(wait) {
                        return End::Interrupted;
                    }
                }
                Step::Ask { question, answers } => {
                    match self.ask(Asked::Question { question, answers }) {
                        Verdict::Stopped => return End::Interrupted,
                        Verdict::Chosen(answer) => {
                            said = true;
                            self.remark(format!("You chose: {answer}."), &mut tell);
                        }
                        Verdict::Denied(_) => {
                            said = true;
                            self.remark("You did not say.".to_owned(), &mut tell);
                        }
                        Verdict::Allowed => {}
                    }
                }
                Step::Shell(command) => {
                    tell(Progress::Call { id: id.clone(), name: "Bash", summary: command.clone() });
                    let done = match self.ask(Asked::Command { id: &id, command }) {
                        Verdict::Stopped => None,
                        Verdict::Denied(why) => Some((true, denied(&why))),
                        Verdict::Allowed | Verdict::Chosen(_) => self.shell(command),
                    };
                    let Some((is_error, output)) = done else { return End::Interrupted };
                    tell(Progress::Result { id, is_error, output, diff: Vec::new() });
                }
                _ => match self.file_step(step, id, script.again, &mut tell) {
                    Err(Refusal::Stopped) => return End::Interrupted,
                    Err(Refusal::Problem(message)) if script.plain => {
                        tell(Progress::Usage(usage));
                        return End::Failed(Failure { kind: FailureKind::Other, message });
                    }
                    Ok(()) | Err(_) => {}
                },
            }
        }
        if !said {
            self.remark("Done.".to_owned(), &mut tell);
        }
        tell(Progress::Usage(usage));
        End::Done
    }

    /// Says a text piece by piece within a time, and tells whether the turn goes on.
    fn say(&self, text: &str, time: Duration, tell: &mut impl FnMut(Progress)) -> bool {
        let pieces = pieces(text);
        let count = u32::try_from(pieces.len()).unwrap_or(u32::MAX).max(1);
        pieces.into_iter().all(|piece| {
            let goes_on = self.pause(time / count);
            if goes_on {
                tell(Progress::Piece(piece.to_owned()));
            }
            goes_on
        })
    }

    /// Says a few words at once.
    fn remark(&self, words: String, tell: &mut impl FnMut(Progress)) {
        if self.pieces {
            tell(Progress::Piece(words.clone()));
        }
        tell(Progress::Text(words));
    }

    fn ask(&self, asked: Asked<'_>) -> Verdict {
        self.ask.map_or(Verdict::Allowed, |ask| ask(asked))
    }

    /// Whether a failure that is limited to the first turns happens this time.
    fn still(&self, times: Option<u32>, script: &Script, what: &str) -> bool {
        let Some(times) = times else { return true };
        let key = format!("{}\0{}\0{what}", self.directory.display(), script.task);
        store::count(self.home, &key) < times
    }

    /// Waits, and tells whether the turn goes on.
    fn pause(&self, time: Duration) -> bool {
        let end = Instant::now() + time;
        loop {
            if self.interrupt.load(Ordering::Relaxed) {
                return false;
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            std::thread::sleep(left.min(Duration::from_millis(20)));
        }
    }

    /// Does a step about a file; what went wrong comes back after it was told.
    fn file_step(
        &self,
        step: &Step,
        id: String,
        again: bool,
        tell: &mut impl FnMut(Progress),
    ) -> Result<(), Refusal> {
        let (name, path) = match step {
            Step::Write { path, .. } => ("Write", path),
            Step::Append { path, .. } | Step::Edit { path, .. } => ("Edit", path),
            Step::Delete { path } => ("Delete", path),
            Step::Read { path } => ("Read", path),
            _ => return Ok(()),
        };
        tell(Progress::Call { id: id.clone(), name, summary: path.clone() });
        let real = self.resolve(path);
        let prepared = real.and_then(|real| Ok((prepare(step, path, &real, again)?, real)));
        let result = prepared.map_err(Refusal::Problem).and_then(|(prepared, real)| {
            if let Some(edit) = &prepared.edit {
                match self.ask(Asked::Edit { id: &id, name, edit }) {
                    Verdict::Stopped => return Err(Refusal::Stopped),
                    Verdict::Denied(why) => return Err(Refusal::Denied(denied(&why))),
                    Verdict::Allowed | Verdict::Chosen(_) => {}
                }
                commit(edit, &real).map_err(|error| Refusal::Problem(error.to_string()))?;
            }
            Ok(prepared)
        });
        match result {
            Ok(Prepared { output, edit }) => {
                let changed = edit.as_ref().is_some_and(|edit| edit.old != edit.new);
                let text = |text: &Option<String>| text.clone().unwrap_or_default();
                let diff = edit
                    .as_ref()
                    .map_or_else(Vec::new, |edit| diff(&text(&edit.old), &text(&edit.new)));
                if let Some(edit) = edit {
                    tell(Progress::Edited { id: id.clone(), edit });
                }
                tell(Progress::Result { id, is_error: false, output, diff });
                if changed {
                    tell(Progress::Changed(path.clone()));
                }
                Ok(())
            }
            Err(refusal) => {
                if let Refusal::Problem(output) | Refusal::Denied(output) = &refusal {
                    let output = output.clone();
                    tell(Progress::Result { id, is_error: true, output, diff: Vec::new() });
                }
                Err(refusal)
            }
        }
    }

    /// The real path of a file, refused when it is not inside the directory: by `..`, by an absolute
    /// path, or by a symbolic link.
    fn resolve(&self, path: &str) -> Result<PathBuf, String> {
        let outside = || format!("{path} is outside of {}.", self.directory.display());
        let mut inside = PathBuf::new();
        let given = Path::new(path);
        let given = given.strip_prefix(self.directory).unwrap_or(given);
        for part in given.components() {
            match part {
                Component::Normal(name) => inside.push(name),
                Component::CurDir => {}
                Component::ParentDir if inside.pop() => {}
                _ => return Err(outside()),
            }
        }
        if inside.as_os_str().is_empty() {
            return Err("There is no file name.".to_owned());
        }
        let full = self.directory.join(&inside);
        // The nearest part that exists decides; a link that leads nowhere yet exists, too.
        let existing = full.ancestors().find(|path| path.symlink_metadata().is_ok());
        let real = existing.and_then(|path| path.canonicalize().ok()).ok_or_else(outside)?;
        if real.starts_with(self.directory) { Ok(full) } else { Err(outside()) }
    }

    /// Runs a command; `None` when the turn was ended meanwhile.
    fn shell(&self, command: &str) -> Option<(bool, String)> {
        let (shell, option) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
        let child = Command::new(shell)
            .args([option, command])
            .current_dir(self.directory)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = match child {
            Ok(child) => child,
            Err(error) => return Some((true, error.to_string())),
        };
        let stdout = child.stdout.take().map(collect);
        let stderr = child.stderr.take().map(collect);
        let status = loop {
            match child.try_wait() {
                Ok(Some(status)) => break Some(status),
                Ok(None) if self.pause(Duration::from_millis(5)) => {}
                _ => break None,
            }
        };
        let Some(status) = status else {
            let _ = child.kill();
            let _ = child.wait();
            return None;
        };
        let mut output: String = [stdout, stderr]
            .into_iter()
            .flatten()
            .filter_map(|collector| collector.recv_timeout(Duration::from_secs(2)).ok())
            .collect();
        if !status.success() {
            output = format!("{}\n{status}", output.trim_end()).trim_start().to_owned();
        }
        Some((!status.success(), cut(&output)))
    }
}

/// Why a step about a file was not done.
enum Refusal {
    /// It cannot be.
    Problem(String),
    /// It may not be.
    Denied(String),
    /// The turn ended while it was asked about.
    Stopped,
}

/// A step about a file, ready to be done.
struct Prepared {
    output: String,
    edit: Option<Edit>,
}

/// What a model reads after a refusal.
fn denied(why: &str) -> String {
    match why.trim() {
        "" => "The user refused this.".to_owned(),
        why => format!("The user refused this: {why}"),
    }
}

fn prepare(step: &Step, name: &str, path: &Path, again: bool) -> Result<Prepared, String> {
    let before = contents(path)?;
    let missing = "There is no such file.";
    let edit = |old: Option<String>, new: Option<String>| Edit { path: name.to_owned(), old, new };
    let after = match step {
        Step::Read { .. } => {
            return Ok(Prepared { output: cut(&before.ok_or(missing)?), edit: None });
        }
        Step::Delete { .. } => {
            let text = before.ok_or(missing)?;
            let edit = Some(edit(Some(text), None));
            return Ok(Prepared { output: "Removed.".to_owned(), edit });
        }
        Step::Write { content, .. } => content.clone(),
        Step::Append { content, .. } => {
            let text = before.clone().unwrap_or_default();
            if again && text.contains(content.trim_end()) {
                return Ok(Prepared { output: "It is there already.".to_owned(), edit: None });
            }
            let gap = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
            let end = if content.ends_with('\n') { "" } else { "\n" };
            format!("{text}{gap}{content}{end}")
        }
        Step::Edit { old, new, .. } => {
            let text = before.clone().ok_or(missing)?;
            if !text.contains(old.as_str()) {
                return Err("The text to replace is not in the file.".to_owned());
            }
            text.replacen(old.as_str(), new, 1)
        }
        _ => return Err("This is not about a file.".to_owned()),
    };
    let output = if before.is_some() { "Updated." } else { "Created." };
    Ok(Prepared { output: output.to_owned(), edit: Some(edit(before, Some(after))) })
}

fn commit(edit: &Edit, path: &Path) -> std::io::Result<()> {
    let Some(text) = &edit.new else { return std::fs::remove_file(path) };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, text)
}

/// A text in pieces as a model's service sends them: of whole words where they are short.
fn pieces(text: &str) -> Vec<&str> {
    let (mut pieces, mut begin, mut word) = (Vec::new(), 0, 0);
    for (at, c) in text.char_indices() {
        if at - begin >= PIECE {
            let end = if word > begin { word } else { at };
            pieces.push(&text[begin..end]);
            begin = end;
        }
        if c.is_whitespace() {
            word = at + c.len_utf8();
        }
    }
    if begin < text.len() {
        pieces.push(&text[begin..]);
    }
    pieces
}

/// Reads to the end on a thread of its own and keeps the beginning. Something the command left running
/// may hold the pipe open, so the text is sent rather than joined for.
fn collect(from: impl Read + Send + 'static) -> std::sync::mpsc::Receiver<String> {
    let (sender, receiver) = std::sync::mpsc::sync_channel(1);
    let _ = std::thread::Builder::new().name("demo-output".into()).spawn(move || {
        let mut from = from;
        let (mut kept, mut chunk) = (Vec::new(), [0; 4096]);
        while let Ok(count) = from.read(&mut chunk) {
            if count == 0 {
                break;
            }
            let room = SHOWN.saturating_sub(kept.len());
            kept.extend_from_slice(&chunk[..count.min(room)]);
        }
        let _ = sender.send(String::from_utf8_lossy(&kept).into_owned());
    });
    receiver
}

fn contents(path: &Path) -> Result<Option<String>, String> {
    match path.metadata() {
        Ok(meta) if !meta.is_file() => Err("This is not a file.".to_owned()),
        Ok(meta) if meta.len() > LARGEST => Err("The file is too large.".to_owned()),
        Ok(_) => std::fs::read_to_string(path).map(Some).map_err(|error| error.to_string()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

fn cut(text: &str) -> String {
    let mut end = text.len().min(SHOWN);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

fn tokens(text: &str) -> u64 {
    text.len() as u64 / 4
}

/// What changed between two texts: the common beginning and end are left out but for two lines around.
pub fn diff(before: &str, after: &str) -> Vec<Change> {
    const AROUND: usize = 2;
    const MOST: usize = 60;
    if before == after {
        return Vec::new();
    }
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let head = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let tail =
        old[head..].iter().rev().zip(new[head..].iter().rev()).take_while(|(a, b)| a == b).count();
    let same = |lines: &[&str]| {
        lines.iter().map(|line| Change::Same((*line).to_owned())).collect::<Vec<_>>()
    };
    let mut changes = same(&old[head.saturating_sub(AROUND)..head]);
    changes
        .extend(old[head..old.len() - tail].iter().map(|line| Change::Removed((*line).to_owned())));
    changes
        .extend(new[head..new.len() - tail].iter().map(|line| Change::Added((*line).to_owned())));
    changes.extend(same(&old[old.len() - tail..old.len() - tail + tail.min(AROUND)]));
    changes.truncate(MOST);
    changes
}

#[cfg(test)]
mod tests {
    use super::super::script::read;
    use super::*;

    fn play(directory: &Path, prompt: &str) -> (Vec<Progress>, End) {
        let directory = directory.canonicalize().expect("the directory exists");
        let home = directory.join(".demo-home");
        let interrupt = AtomicBool::new(false);
        let player = Player {
            directory: &directory,
            home: &home,
            interrupt: &interrupt,
            pace: Duration::ZERO,
            ask: None,
            pieces: false,
        };
        let mut told = Vec::new();
        let end = player.play(&read(prompt), |progress| told.push(progress));
        (told, end)
    }

    #[test]
    fn files_are_really_written_edited_and_removed() {
        let dir = tempfile::tempdir().expect("a folder for the test");
        let (_, end) = play(
            dir.path(),
            r"[[write a/b.txt one\ntwo]] [[append a/b.txt three]] [[edit a/b.txt one => 1]]",
        );
        assert_eq!(end, End::Done);
        let text = std::fs::read_to_string(dir.path().join("a/b.txt")).expect("it was written");
        assert_eq!(text, "1\ntwo\nthree\n");
        let (_, end) = play(dir.path(), "[[delete a/b.txt]]");
        assert!(end == End::Done && !dir.path().join("a/b.txt").exists());
    }

    #[test]
    fn nothing_outside_the_directory_is_touched() {
        let outer = tempfile::tempdir().expect("a folder for the test");
        let dir = outer.path().join("inner");
        std::fs::create_dir(&dir).expect("a folder for the test");
        #[cfg(unix)]
        std::os::unix::fs::symlink("..", dir.join("up")).expect("a link for the test");
        let absolute = outer.path().join("x").display().to_string();
        for path in ["../x", "a/../../x", "up/x", absolute.as_str(), "/x", "."] {
            let (told, _) = play(&dir, &format!("[[write {path} bad]]"));
            let refused =
                told.iter().any(|told| matches!(told, Progress::Result { is_error: true, .. }));
            assert!(refused, "{path}: {told:?}");
            assert!(!outer.path().join("x").exists(), "{path}");
        }
    }

    #[test]
    fn limited_failures_stop_and_cut_short_work_is_not_repeated() {
        let dir = tempfile::tempdir().expect("a folder for the test");
        let prompt = "[[append log.txt once]] [[error 429 x1]]";
        assert!(matches!(play(dir.path(), prompt).1, End::Failed(_)));
        let again = format!("{prompt} An attempt before this one was cut short.");
        // The task differs by its words, so the failure is counted afresh.
        assert!(matches!(play(dir.path(), &again).1, End::Failed(_)));
        assert_eq!(play(dir.path(), &again).1, End::Done);
        let text = std::fs::read_to_string(dir.path().join("log.txt")).expect("it was written");
        assert_eq!(text, "once\n");
    }

    #[test]
    fn pieces_are_whole_words_and_nothing_is_lost() {
        for text in
            ["", "a", "one two three four five six seven eight", &"ü".repeat(100), "\n\n  x"]
        {
            assert_eq!(pieces(text).concat(), text);
            assert!(pieces(text).iter().all(|piece| piece.len() <= PIECE + 2), "{text}");
        }
        let said = pieces("Each of these pieces ends where a word ends.");
        assert!(said.len() > 1 && said[..said.len() - 1].iter().all(|piece| piece.ends_with(' ')));
    }

    #[test]
    fn what_is_refused_is_not_done() {
        let dir = tempfile::tempdir().expect("a folder for the test");
        let directory = dir.path().canonicalize().expect("the directory exists");
        std::fs::write(directory.join("kept.txt"), "kept").expect("a file for the test");
        let asked = std::cell::RefCell::new(Vec::new());
        let ask = |question: Asked<'_>| {
            asked.borrow_mut().push(format!("{question:?}"));
            match question {
                Asked::Edit { edit, .. } if edit.path == "yes.txt" => Verdict::Allowed,
                _ => Verdict::Denied("not today".to_owned()),
            }
        };
        let interrupt = AtomicBool::new(false);
        let player = Player {
            directory: &directory,
            home: &directory,
            interrupt: &interrupt,
            pace: Duration::ZERO,
            ask: Some(&ask),
            pieces: false,
        };
        let mut refused = 0;
        let script = read(
            "[[write yes.txt 1]] [[write no.txt 2]] [[delete kept.txt]] [[bash touch sneaky]] \
             [[read kept.txt]]",
        );
        let end = player.play(&script, |told| {
            if let Progress::Result { is_error: true, output, .. } = told {
                assert!(output.contains("not today"), "{output}");
                refused += 1;
            }
        });
        assert_eq!((end, refused, asked.borrow().len()), (End::Done, 3, 4));
        let there = |name: &str| directory.join(name).exists();
        assert!(there("yes.txt") && !there("no.txt") && there("kept.txt") && !there("sneaky"));
    }

    #[test]
    fn diffs_show_what_changed() {
        let check = |before: &str, after: &str, expected: &str| {
            let shown: Vec<String> = diff(before, after)
                .iter()
                .map(|change| match change {
                    Change::Same(line) => format!(" {line}"),
                    Change::Removed(line) => format!("-{line}"),
                    Change::Added(line) => format!("+{line}"),
                })
                .collect();
            assert_eq!(shown.join("|"), expected);
        };
        check("", "a\nb\n", "+a|+b");
        check("1\n2\n3\n4\n5\n", "1\n2\nx\n4\n5\n", " 1| 2|-3|+x| 4| 5");
        check("a\na\n", "a\n", " a|-a");
        check("same\n", "same\n", "");
    }
}

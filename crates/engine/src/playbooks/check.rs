//! What can be said about documents before they are run, with what is on this machine: whether they can be
//! read, and whether the programs of their commands are there.

use std::path::{Path, PathBuf};

use maestro_agents::Environment;
use maestro_core::checklist::{self, Document};
use maestro_core::playbook::{Finding, FindingKind, Listed};

use super::{file, folder};
use crate::autorun::read_document;

/// Documents that are looked at in one go.
const MAX_DOCUMENTS: usize = 2_000;
/// Findings that are told. Beyond it a person reads no further.
const MAX_FINDINGS: usize = 2_000;

/// Looks at documents, and at everything in folders. What is in one folder is looked at together, because
/// its tasks may need each other.
pub(super) fn check(paths: &[PathBuf], environment: &Environment) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut loose = Vec::new();
    let mut budget = MAX_DOCUMENTS;
    for path in paths {
        if path.is_dir() {
            let (documents, command) = in_folder(path, &mut findings);
            together(&documents, command, environment, &mut budget, &mut findings);
        } else {
            loose.push(path.clone());
        }
    }
    together(&loose, None, environment, &mut budget, &mut findings);
    findings.truncate(MAX_FINDINGS);
    findings
}

/// The documents of a playbook, or of any folder, and the command for tasks that name none.
fn in_folder(path: &Path, findings: &mut Vec<Finding>) -> (Vec<PathBuf>, Option<String>) {
    if !path.join(file::NAME).is_file() {
        let leaves = folder::tree(path).into_iter().filter(|leaf| !leaf.is_folder);
        let listed = leaves.map(|leaf| Listed { path: leaf.path, reset: false });
        let playbook =
            maestro_core::playbook::Playbook { documents: listed.collect(), ..Default::default() };
        return (playbook.documents_in(path), None);
    }
    let found = folder::open(path);
    if let Some(problem) = &found.problem {
        findings.push(Finding {
            document: path.join(file::NAME),
            line: line_of(problem),
            kind: FindingKind::Document,
            text: problem.clone(),
        });
    }
    (found.documents(), found.playbook.verify)
}

/// The line in a problem of a playbook's file; its first where it is about none.
fn line_of(problem: &str) -> u32 {
    problem
        .split_once(", line ")
        .and_then(|(_, rest)| rest.split(':').next()?.parse().ok())
        .unwrap_or(1)
}

fn together(
    paths: &[PathBuf],
    command: Option<String>,
    environment: &Environment,
    budget: &mut usize,
    findings: &mut Vec<Finding>,
) {
    let mut documents = Vec::new();
    for path in paths {
        if *budget == 0 {
            return;
        }
        *budget -= 1;
        match read_document(path) {
            Ok(document) => documents.push((path.clone(), document)),
            // A file that a playbook names and that is not there was told with its file.
            Err(_) if command.is_some() && !path.exists() => {}
            Err(text) => findings.push(Finding {
                document: path.clone(),
                line: 1,
                kind: FindingKind::Document,
                text,
            }),
        }
    }
    findings.extend(of_documents(&documents, environment));
    if let Some(program) = command.as_deref().and_then(|line| missing_program(line, environment)) {
        let folder = paths.first().and_then(|path| path.parent()).unwrap_or(Path::new(""));
        findings.push(Finding {
            document: folder.join(file::NAME),
            line: 1,
            kind: FindingKind::MissingCommand,
            text: not_there(&program),
        });
    }
}

/// The same for documents that were read.
pub(super) fn of_documents(
    documents: &[(PathBuf, Document)],
    environment: &Environment,
) -> Vec<Finding> {
    let borrowed: Vec<(PathBuf, &Document)> =
        documents.iter().map(|(path, document)| (path.clone(), document)).collect();
    let mut findings = checklist::check(&borrowed);
    for (path, document) in documents {
        for task in document.tasks().iter().filter(|task| !task.checked) {
            let missing =
                task.fields.verify.iter().filter_map(|line| missing_program(line, environment));
            findings.extend(missing.map(|program| Finding {
                document: path.clone(),
                line: task.line,
                kind: FindingKind::MissingCommand,
                text: not_there(&program),
            }));
        }
    }
    findings
}

fn not_there(program: &str) -> String {
    format!("`{program}` is not on this machine: it is not found in your PATH.")
}

/// The first program of a command line for `sh` that would certainly be run and that is not there.
///
/// A command line is a program of its own, so this does not try to understand it all: it looks at simple
/// commands from the left and stops where the shell begins to decide (`if`, `||`, a loop). Programs below
/// the directory that is worked in may be made by the tasks, and are not looked for.
fn missing_program(line: &str, environment: &Environment) -> Option<String> {
    let mut rest = line;
    loop {
        let (command, separator, after) = next_command(rest);
        match first_word(command) {
            Word::Stops => return None,
            Word::Program(program) if !is_there(&program, environment) => return Some(program),
            Word::Program(_) | Word::Nothing => {}
        }
        match separator {
            // What comes after it runs only when what was before failed.
            Some("||") | None => return None,
            Some(_) => rest = after,
        }
    }
}

/// A simple command, what separates it from the next, and the rest.
fn next_command(line: &str) -> (&str, Option<&str>, &str) {
    let bytes = line.as_bytes();
    let mut quote = None;
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        match (byte, quote) {
            (b'\\', None | Some(b'"')) => at += 1,
            (b'\'' | b'"', None) => quote = Some(byte),
            (byte, Some(open)) if byte == open => quote = None,
            (b'&', None) if at > 0 && bytes[at - 1] == b'>' => {}
            (b'|' | b'&', None) if bytes.get(at + 1) == Some(&byte) => {
                return (&line[..at], Some(&line[at..at + 2]), &line[at + 2..]);
            }
            (b';' | b'|' | b'&' | b'\n', None) => {
                return (&line[..at], Some(&line[at..=at]), &line[at + 1..]);
            }
            _ => {}
        }
        at += 1;
    }
    (line, None, "")
}

enum Word {
    Program(String),
    Nothing,
    /// The shell decides from here on.
    Stops,
}

/// The program of a simple command: the first word behind assignments, brackets and `!`.
fn first_word(command: &str) -> Word {
    const DECIDES: [&str; 16] = [
        "if", "then", "else", "elif", "fi", "for", "while", "until", "do", "done", "case", "esac",
        "function", "select", "eval", ".",
    ];
    const BUILT_IN: [&str; 26] = [
        ":", "[", "true", "false", "cd", "echo", "exit", "export", "set", "test", "unset",
        "printf", "read", "return", "shift", "trap", "umask", "wait", "command", "exec", "type",
        "ulimit", "hash", "pwd", "times", "alias",
    ];
    for word in command.split_whitespace() {
        let word = word.trim_start_matches(['(', '{', '!']);
        if word.starts_with('#') {
            return Word::Stops;
        }
        if word.is_empty() || is_assignment(word) {
            continue;
        }
        if DECIDES.contains(&word) {
            return Word::Stops;
        }
        // What is put together is not guessed at.
        if word.contains(['$', '`', '"', '\'', '*', '<', '>', '\\', '~', ')', '=']) {
            return Word::Nothing;
        }
        if BUILT_IN.contains(&word) || (word.contains('/') && !word.starts_with('/')) {
            return Word::Nothing;
        }
        return Word::Program(word.to_owned());
    }
    Word::Nothing
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}

fn is_there(program: &str, environment: &Environment) -> bool {
    if program.starts_with('/') {
        return is_program(Path::new(program));
    }
    let path = environment.get("PATH").unwrap_or_default();
    std::env::split_paths(path).any(|folder| is_program(&folder.join(program)))
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file() || path.with_extension("exe").is_file()
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;

    use super::*;

    fn environment() -> Environment {
        Environment::from_vars([("PATH", "/usr/bin:/bin")])
    }

    #[test]
    fn programs_that_would_certainly_run_are_looked_for() {
        for (line, expected) in [
            ("grep -q x y", None),
            ("nonesuch --x", Some("nonesuch")),
            ("grep x y && nonesuch", Some("nonesuch")),
            ("A=1 B=x nonesuch", Some("nonesuch")),
            ("B='x y' nonesuch", None),
            ("! nonesuch", Some("nonesuch")),
            ("(nonesuch)", None),
            ("( nonesuch )", Some("nonesuch")),
            ("cd sub && nonesuch", Some("nonesuch")),
            ("grep 'a; nonesuch' b", None),
            ("grep a b 2>&1 | nonesuch", Some("nonesuch")),
            ("nonesuch || true", Some("nonesuch")),
            ("true || nonesuch", None),
            ("if nonesuch; then true; fi", None),
            ("for a in b; do nonesuch; done", None),
            ("./check && ./other", None),
            ("/nowhere/program", Some("/nowhere/program")),
            ("\"$TOOL\" x; ${X}", None),
            ("# nonesuch", None),
            ("test -f a &&\n  nonesuch", Some("nonesuch")),
            ("", None),
        ] {
            assert_eq!(missing_program(line, &environment()).as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn documents_that_cannot_be_read_and_files_with_mistakes_are_told() {
        let place = tempfile::tempdir().expect("a folder");
        let root = place.path();
        fs::write(
            root.join("a.md"),
            "- [ ] a\r\n  - verify: nonesuch\r\n- [x] b\n  - verify: gone\n",
        )
        .expect("a document");
        fs::write(root.join("b.md"), b"\xff").expect("a document");
        let findings = check(&[root.to_owned(), root.join("none.md")], &environment());
        let told: Vec<_> = findings
            .iter()
            .map(|finding| {
                let name = finding.document.file_name().unwrap_or_default().to_string_lossy();
                (name.into_owned(), finding.line, finding.kind)
            })
            .collect();
        assert_eq!(
            told,
            [
                ("b.md".to_owned(), 1, FindingKind::Document),
                ("a.md".to_owned(), 1, FindingKind::MissingCommand),
                ("none.md".to_owned(), 1, FindingKind::Document),
            ]
        );
        fs::write(root.join(file::NAME), "documents = [\"a\"]\nverify = \"nonesuch\"\nlops = 1\n")
            .expect("a file");
        let findings = check(&[root.to_owned()], &environment());
        assert_eq!((findings[0].line, findings[0].kind), (3, FindingKind::Document));
    }

    #[test]
    fn odd_documents_are_looked_over_like_others() {
        let place = tempfile::tempdir().expect("a folder");
        let path = place.path().join("odd.md");
        let text = "\u{feff}- [ ] One\r\n\t- [ ] Twice\r\n\t\t- verify: nonesuch\r\n\t- [ ] Twice\r\n\
                    ```\n- [ ] no task\n  - verify: nonesuch\n```\n";
        fs::write(&path, text).expect("a document");
        let told: Vec<_> = check(std::slice::from_ref(&path), &environment())
            .into_iter()
            .map(|finding| (finding.line, finding.kind))
            .collect();
        assert!(told.contains(&(2, FindingKind::MissingCommand)), "{told:?}");
        assert!(told.iter().any(|(_, kind)| *kind == FindingKind::Duplicate), "{told:?}");
        assert!(told.iter().all(|(line, _)| *line <= 4), "{told:?}");

        let text: String = (0..50_000).map(|n| format!("- [ ] Task {n}\n")).collect();
        fs::write(&path, text).expect("a document");
        assert_eq!(check(&[path], &environment()), []);
    }
}

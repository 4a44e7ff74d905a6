//! A pull request at the end of a run: the branch is pushed by the user's git, the request opened by `gh`
//! where that is there.

use std::ffi::OsString;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use maestro_core::run::{Run, TaskState};
use maestro_git::{Git, Pushed};

/// How long `gh` may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// Bytes of what it prints that are read.
const PRINTED: u64 = 64 * 1024;
/// The longest text of a request, in bytes: the service takes no more.
const BODY: usize = 60_000;

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Opened {
    /// The address of the request, or of the page where it can be opened.
    pub(super) address: Option<String>,
    /// What the user has to do or know, in a sentence.
    pub(super) notice: Option<String>,
}

/// Pushes the branch and opens the request. `target`: what it is to go into. Blocks.
///
/// # Errors
///
/// When the branch cannot be pushed, in a sentence.
pub(super) fn open(
    git: &Git,
    environment: &[(OsString, OsString)],
    run: &Run,
    report: &str,
) -> Result<Opened, String> {
    let wanted = run.options().pull_request.clone().unwrap_or_default();
    let directory = &run.spec.directory;
    let pushed = git.push(directory).map_err(|error| {
        format!("The branch could not be pushed, so there is no pull request: {error}")
    })?;
    let target = wanted
        .target
        .or_else(|| run.options().worktree.as_ref().and_then(|worktree| worktree.base.clone()))
        .or_else(|| git.default_branch(directory, &pushed.remote));
    let page = compare_page(&pushed, target.as_deref());
    let Some(gh) = find("gh", environment) else {
        let notice =
            "The branch is pushed; `gh` is not installed, so open the pull request yourself.";
        return Ok(Opened { address: page, notice: Some(notice.to_owned()) });
    };
    let title = title(run);
    let mut arguments: Vec<String> =
        ["pr", "create", "--title", &title, "--body-file", "-", "--head", &pushed.branch]
            .map(str::to_owned)
            .to_vec();
    if let Some(target) = &target {
        arguments.extend(["--base".to_owned(), target.clone()]);
    }
    if wanted.draft {
        arguments.push("--draft".to_owned());
    }
    let cut = (0..=BODY.min(report.len())).rev().find(|at| report.is_char_boundary(*at));
    let body = report[..cut.unwrap_or(0)].to_owned();
    match ask(&gh, &arguments, directory, environment, body) {
        Ok(printed) => {
            let address = printed
                .split_whitespace()
                .rev()
                .find(|word| word.starts_with("https://") || word.starts_with("http://"))
                .map(str::to_owned);
            Ok(Opened { address, notice: None })
        }
        Err(because) => Ok(Opened {
            address: page,
            notice: Some(format!(
                "The branch is pushed, but `gh` opened no pull request: {because}"
            )),
        }),
    }
}

fn title(run: &Run) -> String {
    let name = run
        .options()
        .playbook
        .as_deref()
        .or_else(|| run.spec.documents.first().map(PathBuf::as_path))
        .and_then(|path| path.file_stem())
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let done = run.tasks.iter().filter(|task| task.state == TaskState::Done).count();
    match run.tasks.first() {
        Some(only) if run.tasks.len() == 1 => only.text.clone(),
        _ => format!("{name}: {done} tasks"),
    }
}

/// The page of a service on which a request for a branch is opened.
fn compare_page(pushed: &Pushed, target: Option<&str>) -> Option<String> {
    let address = pushed.address.trim_end_matches('/').trim_end_matches(".git");
    let (host, path) = match address.split_once("://") {
        Some((scheme, rest)) => {
            let (host, path) = rest.split_once('/')?;
            let host = host.rsplit('@').next()?;
            // A port of another protocol than the web's says nothing.
            let host = if scheme.starts_with("http") { host } else { host.split(':').next()? };
            (host, path)
        }
        None => {
            let (host, path) = address.split_once(':')?;
            (host.rsplit('@').next()?, path)
        }
    };
    if host.is_empty() || host.contains('/') || !host.contains('.') || path.is_empty() {
        return None;
    }
    let branch = &pushed.branch;
    Some(if host.contains("gitlab") {
        format!("https://{host}/{path}/-/merge_requests/new?merge_request[source_branch]={branch}")
    } else {
        let range = target.map_or_else(|| branch.clone(), |target| format!("{target}...{branch}"));
        format!("https://{host}/{path}/compare/{range}?expand=1")
    })
}

/// A program in the `PATH` of an environment.
fn find(name: &str, environment: &[(OsString, OsString)]) -> Option<PathBuf> {
    let (_, path) = environment.iter().find(|(name, _)| name.eq_ignore_ascii_case("PATH"))?;
    std::env::split_paths(path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(if cfg!(windows) { format!("{name}.exe") } else { name.into() }))
        .find(|program| program.is_file())
}

fn ask(
    program: &Path,
    arguments: &[String],
    directory: &Path,
    environment: &[(OsString, OsString)],
    body: String,
) -> Result<String, String> {
    use std::io::Write as _;

    let broken = |error: std::io::Error| format!("{error}.");
    let mut child = Command::new(program)
        .args(arguments)
        .current_dir(directory)
        .env_clear()
        .envs(environment.iter().map(|(name, value)| (name, value)))
        // Nobody is there to answer.
        .env("GH_PROMPT_DISABLED", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(broken)?;
    let (mut stdin, stdout, stderr) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let feed = std::thread::Builder::new().name("gh-write".into()).spawn(move || {
        if let Some(stdin) = &mut stdin {
            let _ = stdin.write_all(body.as_bytes());
        }
    });
    let read = |stream: Option<Box<dyn std::io::Read + Send>>, name: &str| {
        std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            let mut bytes = Vec::new();
            if let Some(mut stream) = stream {
                let _ = stream.by_ref().take(PRINTED).read_to_end(&mut bytes);
                // What is more is drained, so that nothing waits for us.
                let _ = std::io::copy(&mut stream, &mut std::io::sink());
            }
            String::from_utf8_lossy(&bytes).into_owned()
        })
    };
    let out = read(stdout.map(|stream| Box::new(stream) as _), "gh-out").map_err(broken)?;
    let err = read(stderr.map(|stream| Box::new(stream) as _), "gh-err").map_err(broken)?;
    let deadline = Instant::now() + PATIENCE;
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(50)),
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("it did not end within {} seconds.", PATIENCE.as_secs()));
            }
        }
    };
    drop(feed);
    let (out, err) = (out.join().unwrap_or_default(), err.join().unwrap_or_default());
    if status.success() {
        return Ok(out);
    }
    let words: Vec<&str> = err.split_whitespace().take(60).collect();
    Err(format!("{}.", words.join(" ").trim_end_matches('.')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_for_a_branch_follows_from_the_remote() {
        for (address, target, expected) in [
            (
                "git@github.com:a/b.git",
                Some("main"),
                Some("https://github.com/a/b/compare/main...x?expand=1"),
            ),
            ("https://github.com/a/b", None, Some("https://github.com/a/b/compare/x?expand=1")),
            (
                "ssh://git@host.org:2222/a/b.git",
                None,
                Some("https://host.org/a/b/compare/x?expand=1"),
            ),
            (
                "https://gitlab.com/a/b.git",
                Some("main"),
                Some("https://gitlab.com/a/b/-/merge_requests/new?merge_request[source_branch]=x"),
            ),
            ("/srv/git/a.git", None, None),
            ("file:///srv/a.git", None, None),
        ] {
            let pushed =
                Pushed { remote: "origin".into(), address: address.into(), branch: "x".into() };
            assert_eq!(compare_page(&pushed, target).as_deref(), expected, "{address}");
        }
    }
}

//! Pull requests: the branch is pushed by the user's git, the request opened and looked at by `gh` where
//! that is there. Without it there is the page on which a person opens it.

use std::ffi::OsString;
use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use maestro_core::pull::{Check, CheckState, Create, PullRequest, State};
use maestro_git::{Git, Pushed};
use serde_json::Value;

/// How long `gh` may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// Bytes of what it prints that are read.
const PRINTED: u64 = 256 * 1024;
/// Bytes of a log that are read, and of these that are passed on: the end.
const LOG: u64 = 16 << 20;
const LOG_SHOWN: usize = 6_000;
/// The longest title and text of a request, in bytes: the service takes no more.
const TITLE: usize = 250;
const BODY: usize = 60_000;
/// Commits that are named in a text, and checks that are told.
const COMMITS: usize = 50;
const CHECKS: usize = 200;
/// Failed checks whose logs are read.
const LOGS: usize = 5;
/// Reviewers that can be asked at once.
const REVIEWERS: usize = 20;

/// The environment in which `gh` runs.
pub(crate) type Environment = [(OsString, OsString)];

/// Pushes the branch that is checked out and opens a request for it. Blocks.
///
/// # Errors
///
/// When the branch cannot be pushed, in a sentence.
pub(crate) fn create(
    git: &Git,
    environment: &Environment,
    wanted: &Create,
) -> Result<PullRequest, String> {
    if wanted.reviewers.len() > REVIEWERS || wanted.reviewers.iter().any(|name| !is_plain(name)) {
        return Err("That is no list of reviewers.".to_owned());
    }
    let directory = &wanted.directory;
    let pushed = git.push(directory).map_err(|error| {
        format!("The branch could not be pushed, so there is no pull request: {error}")
    })?;
    let target = wanted.target.clone().or_else(|| git.default_branch(directory, &pushed.remote));
    let (title, body) = words(git, directory, &pushed, target.as_deref(), wanted);
    let page = compare_page(&pushed, target.as_deref());
    let without = |notice: String| PullRequest {
        branch: pushed.branch.clone(),
        address: page.clone(),
        title: title.clone(),
        notice: Some(notice),
        ..PullRequest::default()
    };
    let Some(gh) = find("gh", environment) else {
        let notice =
            "The branch is pushed; `gh` is not installed, so open the pull request yourself.";
        return Ok(without(notice.to_owned()));
    };
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
    for reviewer in &wanted.reviewers {
        arguments.extend(["--reviewer".to_owned(), reviewer.clone()]);
    }
    match ask(&gh, &arguments, directory, environment, body, PRINTED) {
        Ok(printed) => {
            let address = printed
                .split_whitespace()
                .rev()
                .find(|word| word.starts_with("https://") || word.starts_with("http://"))
                .map(str::to_owned);
            let number = address
                .as_deref()
                .and_then(|address| address.trim_end_matches('/').rsplit('/').next()?.parse().ok());
            let state = if wanted.draft { State::Draft } else { State::Open };
            let branch = pushed.branch.clone();
            Ok(PullRequest { branch, number, address, title, state, ..PullRequest::default() })
        }
        Err(because) => {
            // One that is there already is what was wanted.
            let known = view(&gh, environment, directory, &pushed.branch).ok().flatten();
            Ok(match known {
                Some(known) if matches!(known.state, State::Open | State::Draft) => {
                    let notice =
                        "There is a pull request for this branch already; it was pushed to.";
                    PullRequest { notice: Some(notice.to_owned()), ..known }
                }
                _ => without(format!(
                    "The branch is pushed, but `gh` opened no pull request: {because}"
                )),
            })
        }
    }
}

/// How the request of the branch is that is checked out. Blocks.
///
/// # Errors
///
/// When no branch is checked out, or the service cannot be asked, in a sentence.
pub(crate) fn status(
    git: &Git,
    environment: &Environment,
    directory: &Path,
) -> Result<PullRequest, String> {
    let branch = branch(git, directory)?;
    let none = |notice: &str| PullRequest {
        branch: branch.clone(),
        notice: Some(notice.to_owned()),
        ..PullRequest::default()
    };
    let Some(gh) = find("gh", environment) else {
        return Ok(none("`gh` is not installed, so nothing is known of pull requests."));
    };
    let found = view(&gh, environment, directory, &branch)?;
    Ok(found.unwrap_or_else(|| none("There is no pull request for this branch.")))
}

/// The ends of the logs of the checks that failed, with their names; the first of them. Blocks.
///
/// # Errors
///
/// When the service cannot be asked, in a sentence.
pub(crate) fn failures(
    git: &Git,
    environment: &Environment,
    directory: &Path,
) -> Result<(PullRequest, Vec<(String, String)>), String> {
    let request = status(git, environment, directory)?;
    let Some(gh) = find("gh", environment) else { return Ok((request, Vec::new())) };
    let failed = request.checks.iter().filter(|check| check.state == CheckState::Failed);
    let logs = failed
        .take(LOGS)
        .map(|check| {
            let job = check.address.as_deref().and_then(job);
            let log = job.map(|job| {
                let arguments = ["run", "view", "--job", &job, "--log-failed"].map(str::to_owned);
                ask(&gh, &arguments, directory, environment, String::new(), LOG)
            });
            let text = match (log, &check.address) {
                (Some(Ok(log)), _) if !log.trim().is_empty() => tail(&log, LOG_SHOWN).to_owned(),
                (_, Some(address)) => format!("Its log is at {address}"),
                (Some(Err(because)), None) => because,
                _ => "It has no log.".to_owned(),
            };
            (check.name.clone(), text)
        })
        .collect();
    Ok((request, logs))
}

fn branch(git: &Git, directory: &Path) -> Result<String, String> {
    let here = git.repository(directory).map_err(|error| error.to_string())?;
    here.branch.ok_or_else(|| "No branch is checked out, so it has no pull request.".to_owned())
}

/// The title and the text: what was given, or what the commits say.
fn words(
    git: &Git,
    directory: &Path,
    pushed: &Pushed,
    target: Option<&str>,
    wanted: &Create,
) -> (String, String) {
    let base = target.map(|target| format!("refs/remotes/{}/{target}", pushed.remote));
    let commits = base
        .and_then(|base| git.commits_between(directory, &base, "HEAD").ok())
        .unwrap_or_default();
    let title = wanted.title.clone().unwrap_or_else(|| match &commits[..] {
        [only] => only.subject.clone(),
        _ => spoken(&pushed.branch),
    });
    let body = wanted.body.clone().unwrap_or_else(|| {
        let mut text = String::new();
        for commit in commits.iter().rev().take(COMMITS) {
            text.push_str(&format!("- {}\n", commit.subject));
        }
        if commits.len() > COMMITS {
            text.push_str(&format!("- and {} more\n", commits.len() - COMMITS));
        }
        text
    });
    let title: String = head(&title, TITLE).chars().filter(|c| !c.is_control()).collect();
    let title = if title.trim().is_empty() { pushed.branch.clone() } else { title };
    (title, head(&body, BODY).to_owned())
}

/// A branch's name as a title: `fix/log-in` is *Fix log in*.
fn spoken(branch: &str) -> String {
    let text: String =
        branch.chars().map(|c| if matches!(c, '-' | '_' | '/') { ' ' } else { c }).collect();
    let mut rest = text.trim().chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}

/// What `gh pr view` knows; `None` where there is no request.
fn view(
    gh: &Path,
    environment: &Environment,
    directory: &Path,
    branch: &str,
) -> Result<Option<PullRequest>, String> {
    let arguments =
        ["pr", "view", branch, "--json", "number,url,title,state,isDraft,statusCheckRollup"]
            .map(str::to_owned);
    match ask(gh, &arguments, directory, environment, String::new(), PRINTED * 16) {
        Ok(printed) => read(&printed, branch).map(Some),
        Err(because) if because.contains("no pull requests found") => Ok(None),
        Err(because) => Err(format!("`gh` does not tell about the pull request: {because}")),
    }
}

/// The answer of `gh pr view --json` (`gh help pr view`). Checks are of two kinds: those of GitHub's own
/// runners have a `conclusion`, those of others a `state`.
fn read(printed: &str, branch: &str) -> Result<PullRequest, String> {
    let broken = |error: serde_json::Error| format!("`gh` gave an answer that is none: {error}.");
    let answer: Value = serde_json::from_str(printed).map_err(broken)?;
    let text = |value: &Value, name: &str| {
        value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let some = |text: String| Some(text).filter(|text| !text.is_empty());
    let state = match (text(&answer, "state").as_str(), answer.get("isDraft")) {
        ("OPEN", Some(Value::Bool(true))) => State::Draft,
        ("OPEN", _) => State::Open,
        ("MERGED", _) => State::Merged,
        ("CLOSED", _) => State::Closed,
        _ => State::None,
    };
    let checks = answer.get("statusCheckRollup").and_then(Value::as_array);
    let checks = checks.into_iter().flatten().take(CHECKS).map(|check| {
        let is_own = check.get("conclusion").is_some() || check.get("status").is_some();
        let verdict = match (is_own, text(check, "status").as_str()) {
            (true, "COMPLETED") => text(check, "conclusion"),
            (true, _) => "PENDING".to_owned(),
            (false, _) => text(check, "state"),
        };
        let state = match verdict.as_str() {
            "SUCCESS" => CheckState::Passed,
            "FAILURE" | "ERROR" | "TIMED_OUT" | "CANCELLED" | "STARTUP_FAILURE"
            | "ACTION_REQUIRED" => CheckState::Failed,
            "PENDING" | "EXPECTED" => CheckState::Pending,
            _ => CheckState::Neutral,
        };
        let name = some(text(check, "name")).unwrap_or_else(|| text(check, "context"));
        let address = some(text(check, "detailsUrl")).or_else(|| some(text(check, "targetUrl")));
        Check { name, state, address }
    });
    Ok(PullRequest {
        branch: branch.to_owned(),
        number: answer.get("number").and_then(Value::as_u64),
        address: some(text(&answer, "url")),
        title: text(&answer, "title"),
        state,
        checks: checks.collect(),
        notice: None,
    })
}

/// The job in the address of a check of GitHub's own runners: `…/actions/runs/1/job/2`.
fn job(address: &str) -> Option<String> {
    let (_, job) = address.split_once("/job/")?;
    let job = job.split(['?', '#', '/']).next()?;
    (!job.is_empty() && job.bytes().all(|byte| byte.is_ascii_digit())).then(|| job.to_owned())
}

/// The page of a service on which a request for a branch is opened.
pub(crate) fn compare_page(pushed: &Pushed, target: Option<&str>) -> Option<String> {
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
    let branch = escaped(&pushed.branch);
    let target = target.map(escaped);
    Some(if host.contains("gitlab") {
        let target = target
            .map_or_else(String::new, |target| format!("&merge_request[target_branch]={target}"));
        format!(
            "https://{host}/{path}/-/merge_requests/new?merge_request[source_branch]={branch}{target}"
        )
    } else if host.contains("bitbucket") {
        let target = target.map_or_else(String::new, |target| format!("&dest={target}"));
        format!("https://{host}/{path}/pull-requests/new?source={branch}{target}")
    } else {
        let range = target.map_or_else(|| branch.clone(), |target| format!("{target}...{branch}"));
        format!("https://{host}/{path}/compare/{range}?expand=1")
    })
}

/// A branch's name within an address: what git allows and addresses do not.
fn escaped(name: &str) -> String {
    let mut text = String::new();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'/' => {
                text.push(char::from(byte));
            }
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

/// Whether a reviewer's name is one: it must not look like an option.
fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 100
        && !name.starts_with('-')
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '/' | '.'))
}

/// A program in the `PATH` of an environment.
fn find(name: &str, environment: &Environment) -> Option<PathBuf> {
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
    environment: &Environment,
    body: String,
    printed: u64,
) -> Result<String, String> {
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
    let gather = |stream: Option<Box<dyn Read + Send>>, name: &str| {
        std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            let mut bytes = Vec::new();
            if let Some(mut stream) = stream {
                let _ = stream.by_ref().take(printed).read_to_end(&mut bytes);
                // What is more is drained, so that nothing waits for us.
                let _ = std::io::copy(&mut stream, &mut std::io::sink());
            }
            String::from_utf8_lossy(&bytes).into_owned()
        })
    };
    let out = gather(stdout.map(|stream| Box::new(stream) as _), "gh-out").map_err(broken)?;
    let err = gather(stderr.map(|stream| Box::new(stream) as _), "gh-err").map_err(broken)?;
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

fn head(text: &str, bytes: usize) -> &str {
    let cut = (0..=bytes.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    &text[..cut.unwrap_or(0)]
}

fn tail(text: &str, bytes: usize) -> &str {
    let from = text.len().saturating_sub(bytes);
    let from = (from..=text.len()).find(|at| text.is_char_boundary(*at));
    &text[from.unwrap_or(text.len())..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_for_a_branch_follows_from_the_remote() {
        for (address, branch, target, expected) in [
            (
                "git@github.com:a/b.git",
                "x",
                Some("main"),
                Some("https://github.com/a/b/compare/main...x?expand=1"),
            ),
            (
                "https://github.com/a/b",
                "x",
                None,
                Some("https://github.com/a/b/compare/x?expand=1"),
            ),
            (
                "https://github.com/a/b",
                "fix/é#1",
                None,
                Some("https://github.com/a/b/compare/fix/%C3%A9%231?expand=1"),
            ),
            (
                "ssh://git@host.org:2222/a/b.git",
                "x",
                None,
                Some("https://host.org/a/b/compare/x?expand=1"),
            ),
            (
                "https://gitlab.com/a/b.git",
                "x",
                Some("main"),
                Some(
                    "https://gitlab.com/a/b/-/merge_requests/new?merge_request[source_branch]=x\
                     &merge_request[target_branch]=main",
                ),
            ),
            (
                "git@bitbucket.org:a/b.git",
                "x",
                Some("main"),
                Some("https://bitbucket.org/a/b/pull-requests/new?source=x&dest=main"),
            ),
            ("/srv/git/a.git", "x", None, None),
            ("file:///srv/a.git", "x", None, None),
        ] {
            let pushed =
                Pushed { remote: "origin".into(), address: address.into(), branch: branch.into() };
            assert_eq!(compare_page(&pushed, target).as_deref(), expected, "{address}");
        }
    }

    #[test]
    fn what_gh_says_is_read() {
        let printed = r#"{"number": 7, "url": "https://github.com/a/b/pull/7", "title": "T",
            "state": "OPEN", "isDraft": true, "statusCheckRollup": [
            {"name": "test", "status": "COMPLETED", "conclusion": "FAILURE",
             "detailsUrl": "https://github.com/a/b/actions/runs/1/job/22?pr=7"},
            {"name": "lint", "status": "IN_PROGRESS", "conclusion": ""},
            {"name": "docs", "status": "COMPLETED", "conclusion": "SKIPPED"},
            {"context": "ci/other", "state": "SUCCESS", "targetUrl": "https://ci/1"}, 5]}"#;
        let request = read(printed, "x").expect("an answer");
        assert_eq!((request.number, request.state), (Some(7), State::Draft));
        let checks: Vec<_> =
            request.checks.iter().map(|check| (check.name.as_str(), check.state)).collect();
        assert_eq!(
            checks,
            [
                ("test", CheckState::Failed),
                ("lint", CheckState::Pending),
                ("docs", CheckState::Neutral),
                ("ci/other", CheckState::Passed),
                ("", CheckState::Neutral),
            ]
        );
        assert_eq!(request.checks[0].address.as_deref().and_then(job).as_deref(), Some("22"));
        assert_eq!(job("https://ci/job/x1"), None);
        assert!(read("not json", "x").is_err());
        assert_eq!(read("{}", "x").expect("an answer").state, State::None);
    }

    #[test]
    fn a_branch_is_spoken_as_a_title() {
        assert_eq!(spoken("fix/log-in"), "Fix log in");
        assert_eq!(spoken(""), "");
        assert!(is_plain("octo-cat") && is_plain("org/team") && !is_plain("--web"));
    }
}

//! The history: commits with their graph, where lines come from, branches.

use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;

use maestro_core::changes::{
    Branch, Branches, Commit, Log, LogQuery, MAX_BLAME, MAX_LOG, Name, Origin,
};
use maestro_core::log::Graph;

use crate::error::Error;
use crate::process::{Call, floor, is_bidi};
use crate::tree::checkout;
use crate::{Git, Result};

/// Bytes of a log that are read at most.
const LOG: usize = 32 << 20;
/// Bytes of a message beyond its first line.
const BODY: usize = 4 << 10;
/// Bytes of one line of a message, or of a name.
const TITLE: usize = 400;
/// Branches that are told.
const BRANCHES: usize = 2_000;
/// Commits that are passed over at most.
const SKIP: u32 = 10_000_000;
/// How commits are printed (`git-log(1)`, *Pretty formats*).
const FORMAT: &str = "--format=%H%x00%P%x00%an%x00%ae%x00%at%x00%D%x00%s%x00%b%x00";
/// Fields of it.
const FIELDS: usize = 8;

impl Git {
    /// Commits, the newest first, a parent never before its child.
    ///
    /// # Errors
    ///
    /// [`Error::BaseUnknown`] when a name is none.
    pub fn log(&self, directory: &Path, query: &LogQuery) -> Result<Log> {
        let repository = self.repository(directory)?;
        let place = repository.checkout.as_deref().unwrap_or(&repository.common_dir);
        if !repository.has_commits
            || (repository.head.is_none() && query.from.is_empty() && !query.all)
        {
            return Ok(Log::default());
        }
        let mut starts = Vec::new();
        for name in &query.from {
            starts.push(self.commit(place, name)?);
        }
        if let Some(odd) = query.paths.iter().find(|name| !name.is_inside()) {
            return Err(Error::NoSuchFile { name: odd.to_string() });
        }
        let count = (query.count as usize).clamp(1, MAX_LOG);
        let words: Vec<String> = query.words.split_whitespace().map(str::to_lowercase).collect();
        let mut call = self
            .reading(place, "log")
            .env("GIT_LITERAL_PATHSPECS", "1")
            .args([
                "--topo-order",
                "--no-show-signature",
                "--no-color",
                "--no-ext-diff",
                "--no-textconv",
            ])
            .args([
                "--no-notes",
                "--no-mailmap",
                "--decorate=short",
                "--encoding=UTF-8",
                "-z",
                FORMAT,
            ]);
        // What is searched for is found here: git has no search over message, writer and id at once.
        if words.is_empty() {
            call = call
                .arg(format!("--skip={}", query.skip.min(SKIP)))
                .arg(format!("--max-count={}", count + 1));
        }
        if query.all {
            // An exclusion holds for what comes after it. What is kept privately is nobody's history.
            call = call.args(["--exclude=refs/maestro/*", "--exclude=refs/stash", "--all"]);
        }
        call = match (starts.is_empty(), query.all) {
            (true, false) => call.arg("HEAD"),
            _ => starts.iter().fold(call, Call::arg),
        };
        let output = call.arg("--").names(&query.paths).enough(LOG).run()?;
        let cut = output.cut;
        let bytes = if cut { output.stdout } else { output.success()? };
        let fits = |commit: &Commit| {
            words.iter().all(|word| {
                let has = |text: &str| text.to_lowercase().contains(word);
                commit.id.starts_with(word)
                    || has(&commit.title)
                    || has(&commit.body)
                    || has(&commit.author)
                    || has(&commit.email)
            })
        };
        let skip = if words.is_empty() { 0 } else { query.skip as usize };
        let mut commits: Vec<Commit> =
            commits(&bytes).filter(fits).skip(skip).take(count + 1).collect();
        let more = commits.len() > count || (cut && commits.len() == count);
        commits.truncate(count);
        // Without what lies between, lines would lead nowhere.
        let graph = if words.is_empty() && query.paths.is_empty() {
            Graph::rows(commits.iter().map(|one| (one.id.as_str(), one.parents.as_slice())))
        } else {
            Vec::new()
        };
        Ok(Log { commits, more, graph })
    }

    /// Where lines of a file come from.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchFile`] when there is no such file, or it has no such lines.
    pub fn blame(
        &self,
        directory: &Path,
        file: &Name,
        at: Option<&str>,
        lines: Range<u32>,
    ) -> Result<Vec<Origin>> {
        let repository = self.repository(directory)?;
        let checkout = checkout(&repository)?;
        let first = lines.start.max(1);
        let count = lines.end.saturating_sub(first).clamp(1, MAX_BLAME);
        let missing = || Error::NoSuchFile { name: file.to_string() };
        if !file.is_inside() {
            return Err(missing());
        }
        let mut call = self
            .reading(checkout, "blame")
            .config("blame.ignoreRevsFile=")
            .args(["--porcelain", "--no-textconv"])
            .arg(format!("-L{first},+{count}"));
        if let Some(at) = at {
            call = call.arg(self.commit(checkout, at)?);
        }
        let output = call.arg("--").names(std::slice::from_ref(file)).enough(LOG).run()?;
        if output.code == Some(128) {
            return Err(missing());
        }
        Ok(origins(&output.success()?))
    }

    /// The branches, local ones first, the most recently committed first.
    ///
    /// # Errors
    ///
    /// When the repository cannot be read.
    pub fn all_branches(&self, directory: &Path) -> Result<Branches> {
        let repository = self.repository(directory)?;
        let place = repository.checkout.as_deref().unwrap_or(&repository.common_dir);
        let format = "--format=%(refname)%00%(objectname)%00%(contents:subject)%00%(committerdate:unix)%00\
                      %(upstream:short)%00%(upstream:track)%00%(worktreepath)%00%(symref)%00";
        let mut all = Vec::new();
        let mut more = false;
        for (folder, is_remote) in [("refs/heads/", false), ("refs/remotes/", true)] {
            let output = self
                .reading(place, "for-each-ref")
                .args(["--sort=-committerdate", format])
                .arg(format!("--count={}", BRANCHES + 1))
                .arg(folder)
                .output()?;
            let mut words = output.split(|byte| *byte == 0).map(text);
            let mut found = Vec::new();
            while let Some(name) = words.next() {
                let name = name.trim_start_matches('\n').to_owned();
                let mut next = || words.next().unwrap_or_default();
                let (commit, title, at, upstream, track) = (next(), next(), next(), next(), next());
                let (worktree, symref) = (next(), next());
                let Some(name) = name.strip_prefix(folder) else { break };
                if !symref.is_empty() {
                    continue;
                }
                found.push(Branch {
                    name: name.to_owned(),
                    is_remote,
                    commit,
                    title: clean(&title, TITLE),
                    at_ms: at.parse::<i64>().unwrap_or(0).saturating_mul(1000),
                    is_upstream_gone: track == "[gone]",
                    ahead_behind: (!upstream.is_empty() && track != "[gone]")
                        .then(|| tracked(&track)),
                    upstream: Some(upstream).filter(|name| !name.is_empty()),
                    worktree: Some(worktree).filter(|path| !path.is_empty()).map(Into::into),
                });
            }
            more |= found.len() > BRANCHES;
            found.truncate(BRANCHES);
            all.extend(found);
        }
        Ok(Branches { current: repository.branch, branches: all, more })
    }
}

/// `[ahead 2, behind 1]`.
fn tracked(track: &str) -> (u32, u32) {
    let number = |word: &str| {
        let (_, rest) = track.split_once(word)?;
        rest.trim_start().split([',', ']']).next()?.parse().ok()
    };
    (number("ahead").unwrap_or(0), number("behind").unwrap_or(0))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Text of a commit, on one line, without what moves the cursor or turns the direction of writing.
fn clean(text: &str, most: usize) -> String {
    let mut clean: String =
        text.chars().filter(|c| !c.is_control() && !is_bidi(*c)).take(most).collect();
    if text.len() > clean.len() && clean.chars().count() == most {
        clean.push('…');
    }
    clean
}

/// Reads what [`FORMAT`] makes git print; a zero byte also ends each commit.
fn commits(bytes: &[u8]) -> impl Iterator<Item = Commit> {
    let mut words = bytes.split(|byte| *byte == 0);
    std::iter::from_fn(move || {
        let mut fields: [&[u8]; FIELDS] = [&[]; FIELDS];
        for field in &mut fields {
            *field = words.next()?;
        }
        let _end = words.next();
        let [id, parents, author, email, at, names, title, body] = fields;
        let body: String =
            text(body).lines().map(|line| clean(line, TITLE)).collect::<Vec<_>>().join("\n");
        let end = floor(&body, BODY);
        let names = text(names);
        Some(Commit {
            id: text(id).trim().to_owned(),
            parents: text(parents).split_whitespace().map(str::to_owned).collect(),
            author: clean(&text(author), TITLE),
            email: clean(&text(email), TITLE),
            at_ms: text(at).parse::<i64>().unwrap_or(0).saturating_mul(1000),
            title: clean(&text(title), TITLE),
            body: body[..end].trim().to_owned(),
            names: names
                .split(", ")
                .flat_map(|name| match name.split_once(" -> ") {
                    Some((head, branch)) => vec![head, branch],
                    None => vec![name],
                })
                .filter(|name| !name.is_empty())
                .map(|name| clean(name, TITLE))
                .collect(),
        })
    })
}

/// Reads `git blame --porcelain`: what is said of a commit stands where it comes first.
fn origins(bytes: &[u8]) -> Vec<Origin> {
    let mut origins: Vec<Origin> = Vec::new();
    let mut said: HashMap<String, Origin> = HashMap::new();
    let mut now: Option<Origin> = None;
    for line in bytes.split(|byte| *byte == b'\n') {
        if line.starts_with(b"\t") {
            if let Some(origin) = now.take() {
                if let Some(id) = &origin.commit {
                    let _ = said.entry(id.clone()).or_insert_with(|| origin.clone());
                }
                match origins.last_mut() {
                    Some(last)
                        if last.commit == origin.commit
                            && last.file == origin.file
                            && last.line + last.count == origin.line
                            && last.was_line + last.count == origin.was_line =>
                    {
                        last.count += 1;
                    }
                    _ => origins.push(origin),
                }
            }
            continue;
        }
        let Some(origin) = &mut now else {
            let words = text(line);
            let mut words = words.split(' ');
            let (Some(id), Some(was), Some(is)) = (words.next(), words.next(), words.next()) else {
                continue;
            };
            let (Ok(was_line), Ok(line)) = (was.parse(), is.parse()) else { continue };
            let is_commit = !id.bytes().all(|byte| byte == b'0');
            let commit = is_commit.then(|| id.to_owned());
            let known = commit.as_ref().and_then(|id| said.get(id)).cloned();
            now = Some(match known {
                Some(known) => Origin { line, was_line, count: 1, ..known },
                None => Origin {
                    line,
                    count: 1,
                    commit,
                    author: String::new(),
                    at_ms: 0,
                    title: String::new(),
                    file: Name::default(),
                    was_line,
                    previous: None,
                },
            });
            continue;
        };
        let at = line.iter().position(|byte| *byte == b' ').unwrap_or(line.len());
        let value = line.get(at + 1..).unwrap_or_default();
        match &line[..at] {
            b"author" => origin.author = clean(&text(value), TITLE),
            b"author-time" => {
                origin.at_ms = text(value).parse::<i64>().unwrap_or(0).saturating_mul(1000);
            }
            b"summary" => origin.title = clean(&text(value), TITLE),
            b"filename" => origin.file = Name::from(value),
            b"previous" => origin.previous = text(value).split(' ').next().map(str::to_owned),
            _ => {}
        }
    }
    origins
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_are_read_with_everything_around_them() {
        let bytes = b"aa\0bb cc\0Ada\0a@x\x0010\0HEAD -> main, tag: v1, origin/main\0Title\x1b[2J\0Body\nmore\n\0\0\
            bb\0\0\0\0x\0\0\0\0\0half\0";
        let commits: Vec<Commit> = commits(bytes).collect();
        assert_eq!(commits.len(), 2);
        assert_eq!(commits[0].parents, ["bb", "cc"]);
        assert_eq!(commits[0].names, ["HEAD", "main", "tag: v1", "origin/main"]);
        assert_eq!((&*commits[0].title, &*commits[0].body), ("Title[2J", "Body\nmore"));
        assert_eq!((commits[0].at_ms, commits[1].at_ms), (10_000, 0));
        assert!(commits[1].parents.is_empty() && commits[1].names.is_empty());
    }

    #[test]
    fn lines_of_one_commit_are_told_together() {
        let a = "a".repeat(40);
        let none = "0".repeat(40);
        let text = format!(
            "{a} 5 1 2\nauthor Ada\nauthor-time 7\nsummary One\nprevious {none} old\nfilename f\n\tx\n\
             {a} 6 2\n\ty\n{none} 3 3 1\nauthor Not Committed Yet\nsummary Version\nfilename f\n\tz\n\
             {a} 9 4 1\n\tw\n"
        );
        let origins = origins(text.as_bytes());
        let shown: Vec<_> =
            origins.iter().map(|o| (o.line, o.count, o.was_line, o.commit.is_some())).collect();
        assert_eq!(shown, [(1, 2, 5, true), (3, 1, 3, false), (4, 1, 9, true)]);
        assert_eq!(
            (&*origins[2].author, &*origins[2].title, origins[2].at_ms),
            ("Ada", "One", 7000)
        );
    }

    #[test]
    fn distances_are_read() {
        for (text, expected) in [
            ("", (0, 0)),
            ("[ahead 2]", (2, 0)),
            ("[behind 3]", (0, 3)),
            ("[ahead 1, behind 9]", (1, 9)),
        ] {
            assert_eq!(tracked(text), expected, "{text}");
        }
    }
}

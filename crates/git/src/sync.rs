//! Fetching, pulling, pushing and switching, as the user's git does it, with a way out of each failure.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use maestro_core::changes::{Failure, FailureKind, Pull, Sync, Synced, Way};

use crate::changes::under_way;
use crate::error::Error;
use crate::process::{Call, floor};
use crate::repository::Repository;
use crate::tree::checkout;
use crate::{Git, Result};

/// The branch that another one follows.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Followed {
    remote: String,
    /// Its name there, without `refs/heads/`.
    branch: String,
    is_gone: bool,
}

impl Git {
    /// Fetches, pulls or pushes, and tells each line that git prints as it comes (the flag says that it takes
    /// the place of the one before). `stop` ends it.
    ///
    /// # Errors
    ///
    /// When git cannot be run at all; what it refuses is in the answer.
    pub fn sync(
        &self,
        directory: &Path,
        sync: &Sync,
        heard: &mut dyn FnMut(&str, bool),
        stop: &Arc<AtomicBool>,
    ) -> Result<Synced> {
        let repository = self.repository(directory)?;
        let place = repository.checkout.as_deref().unwrap_or(&repository.common_dir);
        let call = match self.prepared(place, &repository, sync)? {
            Ok(call) => call,
            Err(failure) => return Ok(Synced { output: String::new(), failure: Some(failure) }),
        };
        let within = self.shared.limits.write;
        let streamed = match call.streamed(heard, stop, within) {
            Err(Error::Stopped { .. }) => {
                let failure = told(FailureKind::Cancelled, "it was ended".to_owned(), &[]);
                return Ok(Synced { output: String::new(), failure: Some(failure) });
            }
            streamed => streamed?,
        };
        let failure = (streamed.code != Some(0)).then(|| failure(sync, &streamed.output));
        Ok(Synced { output: streamed.output, failure })
    }

    /// Checks a branch out; with `from`, one that is made there first (at the current commit when that is
    /// empty).
    ///
    /// # Errors
    ///
    /// [`Error::BranchUnknown`], [`Error::BaseUnknown`], [`Error::UnderWay`], and what is wrong with a new name.
    pub fn switch(&self, directory: &Path, branch: &str, from: Option<&str>) -> Result<Synced> {
        let repository = self.repository(directory)?;
        let checkout = checkout(&repository)?;
        crate::commit::refuse_half_done(&repository, checkout)?;
        let exists = |name: String| self.commit(checkout, &name).is_ok();
        let call = self.writing(checkout, "switch").arg("--no-guess");
        let call = match from {
            Some(from) => {
                self.check_new_branch(checkout, branch)?;
                let call = call.args(["--no-track", "--create"]).arg(branch);
                if from.is_empty() { call } else { call.arg(self.commit(checkout, from)?) }
            }
            None if exists(format!("refs/heads/{branch}")) => {
                call.arg("--end-of-options").arg(branch)
            }
            // The branch of a remote: one of the same name here follows it.
            None if exists(format!("refs/remotes/{branch}")) => {
                let own = branch.split_once('/').map_or(branch, |(_, own)| own);
                if exists(format!("refs/heads/{own}")) {
                    call.arg("--end-of-options").arg(own)
                } else {
                    call.args(["--create"]).arg(own).arg("--track").arg(branch)
                }
            }
            None => {
                return Err(Error::BranchUnknown { name: branch.to_owned(), near: Vec::new() });
            }
        };
        let output = call.run()?;
        let words = output.words();
        if output.code == Some(0) {
            return Ok(Synced { output: words, failure: None });
        }
        let has = |text: &str| words.contains(text);
        let failure = if has("would be overwritten") || has("Please commit your changes") {
            let text = format!(
                "files that are not committed would be lost by switching to {branch}; commit or discard them \
                 first:{}",
                files_of(&words)
            );
            told(FailureKind::InTheWay, text, &[])
        } else if has("already checked out at") || has("already used by worktree") {
            let text = format!(
                "{branch} is checked out in another worktree; work there, or take another name"
            );
            told(FailureKind::InTheWay, text, &[])
        } else {
            told(FailureKind::Other, last_words(&words), &[])
        };
        Ok(Synced { output: words, failure: Some(failure) })
    }

    fn check_new_branch(&self, checkout: &Path, branch: &str) -> Result<()> {
        let output =
            self.reading(checkout, "check-ref-format").arg("--branch").arg(branch).run()?;
        if output.code != Some(0) || branch.starts_with(['-', '@']) {
            return Err(Error::InvalidName {
                name: branch.to_owned(),
                reason: "git takes no branch of that name",
            });
        }
        Ok(())
    }

    /// The call, or why it would not be worth it.
    fn prepared(
        &self,
        place: &Path,
        repository: &Repository,
        sync: &Sync,
    ) -> Result<std::result::Result<Call<'_>, Failure>> {
        let remotes = self.reading(place, "remote").output()?;
        if remotes.iter().all(u8::is_ascii_whitespace) {
            let text = "the repository has no remote; add one with `git remote add origin ADDRESS`";
            return Ok(Err(told(FailureKind::NoRemote, text.to_owned(), &[])));
        }
        if let Sync::Fetch { all } = sync {
            let call = self.writing(place, "fetch").arg("--progress");
            return Ok(Ok(if *all { call.arg("--all") } else { call }));
        }
        let Some(branch) = &repository.branch else {
            let text = "no branch is checked out here; switch to one first";
            return Ok(Err(told(FailureKind::Detached, text.to_owned(), &[])));
        };
        let followed = self.followed(place, branch)?;
        match sync {
            Sync::Fetch { .. } => unreachable!("it was done above"),
            Sync::Pull { how } => {
                if let Some(what) = under_way(&repository.git_dir) {
                    let text = format!("a {what} is under way here; finish or abort it first");
                    return Ok(Err(told(FailureKind::UnderWay, text, &[])));
                }
                match followed {
                    None => {
                        let text = format!(
                            "{branch} follows no branch of a remote; push it and follow that, or set one with \
                             `git branch --set-upstream-to`"
                        );
                        let ways = [("Push it and follow that", push(true, false))];
                        return Ok(Err(told(FailureKind::NoUpstream, text, &ways)));
                    }
                    Some(followed) if followed.is_gone => return Ok(Err(gone(branch, &followed))),
                    Some(_) => {}
                }
                let how = match how {
                    Pull::FastForward => "--ff-only",
                    Pull::Merge => "--no-rebase",
                    Pull::Rebase => "--rebase=true",
                };
                let call = self.writing(place, "pull").args(["--progress", "--no-edit", how]);
                Ok(Ok(if how == "--ff-only" { call } else { call.arg("--ff") }))
            }
            Sync::Push { set_upstream, force } => {
                let (remote, name) = match (&followed, set_upstream) {
                    (Some(followed), false) if followed.remote == "." => {
                        let text = format!(
                            "{branch} follows {}, a branch of this repository; push it under its own name",
                            followed.branch
                        );
                        let ways = [("Push it under its own name", push(true, *force))];
                        return Ok(Err(told(FailureKind::NoUpstream, text, &ways)));
                    }
                    (Some(followed), false) => (followed.remote.clone(), followed.branch.clone()),
                    (_, true) => {
                        let Some(remote) = self.remote_for(place, branch)? else {
                            let text = "there are several remotes and none is called origin; say which with \
                                        `git push -u REMOTE`";
                            return Ok(Err(told(FailureKind::NoRemote, text.to_owned(), &[])));
                        };
                        (remote, branch.clone())
                    }
                    (None, false) => {
                        let text = format!("{branch} follows no branch of a remote yet");
                        let ways = [("Push it and follow that", push(true, false))];
                        return Ok(Err(told(FailureKind::NoUpstream, text, &ways)));
                    }
                };
                let mut call = self.writing(place, "push").arg("--progress");
                if *set_upstream {
                    call = call.arg("--set-upstream");
                }
                if *force {
                    // Never over something that was not seen.
                    call = call.args(["--force-with-lease", "--force-if-includes"]);
                }
                let call = call
                    .arg("--end-of-options")
                    .arg(remote)
                    .arg(format!("refs/heads/{branch}:refs/heads/{name}"));
                Ok(Ok(call))
            }
        }
    }

    /// What a branch follows.
    fn followed(&self, place: &Path, branch: &str) -> Result<Option<Followed>> {
        let output = self
            .reading(place, "for-each-ref")
            .arg("--format=%(upstream:remotename)%00%(upstream:remoteref)%00%(upstream:track)%00%(upstream)")
            .arg(format!("refs/heads/{branch}"))
            .output()?;
        let text = String::from_utf8_lossy(&output);
        let mut words = text.lines().next().unwrap_or_default().split('\0');
        let (Some(remote), Some(name), Some(track)) = (words.next(), words.next(), words.next())
        else {
            return Ok(None);
        };
        let name = name.strip_prefix("refs/heads/").unwrap_or(name);
        Ok((!remote.is_empty() && !name.is_empty()).then(|| Followed {
            remote: remote.to_owned(),
            branch: name.to_owned(),
            is_gone: track == "[gone]",
        }))
    }
}

fn push(set_upstream: bool, force: bool) -> Sync {
    Sync::Push { set_upstream, force }
}

fn gone(branch: &str, followed: &Followed) -> Failure {
    let Followed { remote, branch: name, .. } = followed;
    let text = format!(
        "{branch} follows {name} of {remote}, which is not there (any more); push it again, or follow another"
    );
    told(FailureKind::UpstreamGone, text, &[("Push it there again", push(true, false))])
}

fn told(kind: FailureKind, text: String, ways: &[(&str, Sync)]) -> Failure {
    let way = |(title, sync): &(&str, Sync)| Way { title: (*title).to_owned(), sync: sync.clone() };
    Failure { kind, text, ways: ways.iter().map(way).collect() }
}

/// What went wrong, by git's words in the C locale.
fn failure(sync: &Sync, words: &str) -> Failure {
    use FailureKind as Kind;

    let has = |some: &[&str]| some.iter().any(|text| words.contains(text));
    let is_push = matches!(sync, Sync::Push { .. });
    let merge = ("Pull with a merge", Sync::Pull { how: Pull::Merge });
    let rebase = ("Pull and put the own commits on top", Sync::Pull { how: Pull::Rebase });
    let fetch = ("Fetch", Sync::Fetch { all: false });
    let again = ("Try again", sync.clone());
    let last = || last_words(words);
    if has(&["CONFLICT (", "Automatic merge failed", "could not apply", "Resolve all conflicts"]) {
        let text = "what came does not fit what is here: solve the conflicts and commit, or go back with \
                    `git merge --abort` or `git rebase --abort`";
        return told(Kind::Conflicts, text.to_owned(), &[]);
    }
    if has(&[
        "would be overwritten by",
        "Please commit your changes or stash them",
        "You have unstaged changes",
        "Your index contains uncommitted changes",
    ]) {
        let text = format!(
            "files that are not committed are in the way; commit or discard them first:{}",
            files_of(words)
        );
        return told(Kind::InTheWay, text, &[]);
    }
    if has(&["Host key verification failed", "REMOTE HOST IDENTIFICATION HAS CHANGED"]) {
        let text = "the remote's host key is not known or is another than before; connect once with `ssh` in a \
                    terminal and look at it";
        return told(Kind::HostKey, text.to_owned(), &[]);
    }
    if has(&[
        "Permission denied (",
        "Authentication failed",
        "could not read Username",
        "could not read Password",
        "terminal prompts disabled",
        "Invalid username or",
        "The requested URL returned error: 401",
        "The requested URL returned error: 403",
        "Permission to ",
    ]) {
        let text = format!(
            "the remote does not let you in ({}); set up a key or a credential helper, for instance by the same \
             command once in a terminal",
            last()
        );
        return told(Kind::Auth, text, &[again]);
    }
    if is_push {
        if has(&["(stale info)", "(remote ref updated since checkout)"]) {
            let text =
                "the remote's branch is not what was last seen of it; fetch and look at it first";
            return told(Kind::Stale, text.to_owned(), &[fetch]);
        }
        if has(&["(fetch first)", "(non-fast-forward)", "tip of your current branch is behind"]) {
            let text = "the remote has commits that are not here; bring them in first";
            return told(Kind::NotFastForward, text.to_owned(), &[rebase, merge]);
        }
        if has(&["[remote rejected]", "pre-receive hook declined", "protected branch"]) {
            let text = format!("the remote refused it: {}", refusal(words));
            return told(Kind::Refused, text, &[]);
        }
    }
    if has(&[
        "Not possible to fast-forward",
        "Need to specify how to reconcile",
        "refusing to merge unrelated",
    ]) {
        let text = "both sides have commits of their own; say how they come together";
        return told(Kind::Diverged, text.to_owned(), &[rebase, merge]);
    }
    if has(&["couldn't find remote ref", "no such ref was fetched"]) {
        let text = "the branch that this one follows is not there (any more)";
        return told(
            Kind::UpstreamGone,
            text.to_owned(),
            &[("Push it there again", push(true, false))],
        );
    }
    if has(&[
        "There is no tracking information",
        "has no upstream branch",
        "no upstream configured",
    ]) {
        let text = "the branch follows none of a remote yet";
        return told(
            Kind::NoUpstream,
            text.to_owned(),
            &[("Push it and follow that", push(true, false))],
        );
    }
    if has(&[
        "Could not resolve host",
        "Could not resolve hostname",
        "Name or service not known",
        "Temporary failure in name resolution",
        "Connection refused",
        "Connection timed out",
        "Connection reset",
        "Network is unreachable",
        "No route to host",
        "Failed to connect",
        "Couldn't connect to server",
        "early EOF",
        "Operation timed out",
    ]) {
        let text = format!("the remote cannot be reached: {}", last());
        return told(Kind::Network, text, &[again]);
    }
    if has(&["does not appear to be a git repository", "Repository not found", "does not exist"])
        || (words.contains("repository '") && words.contains("not found"))
    {
        let text = "there is no such repository at the remote, or you may not see it; `git remote -v` shows the \
                    address";
        return told(Kind::NoRepository, text.to_owned(), &[]);
    }
    // What refuses and is neither the remote nor git itself is a hook of one's own.
    if is_push && words.contains("failed to push some refs") && !words.contains("[rejected]") {
        let text = format!("a hook refused it: {}", refusal(words));
        return told(Kind::Hook, text, &[]);
    }
    told(Kind::Other, last(), &[again])
}

/// The files that git names, each on a line of its own behind a tab.
fn files_of(words: &str) -> String {
    let names: Vec<&str> =
        words.lines().filter_map(|line| line.strip_prefix('\t')).take(10).collect();
    if names.is_empty() { String::new() } else { format!(" {}", names.join(", ")) }
}

/// What a hook or a remote said, in one line.
fn refusal(words: &str) -> String {
    let said: Vec<&str> = words
        .lines()
        .map(|line| line.trim_start_matches("remote:").trim())
        .filter(|line| {
            !line.is_empty()
                && !line.starts_with("To ")
                && !line.starts_with("hint:")
                && !line.contains("failed to push some refs")
        })
        .collect();
    let text = said.join(" ");
    let end = floor(&text, 600);
    text[..end].to_owned()
}

/// The last line that says something.
fn last_words(words: &str) -> String {
    let lines = words.lines().rev();
    let line = lines
        .map(|line| line.trim_start_matches("fatal:").trim_start_matches("error:").trim())
        .find(|line| {
            !line.is_empty()
                && !line.starts_with("hint:")
                && !line.starts_with("and the repository exists")
                && !line.starts_with("Please make sure you have")
                && !line.starts_with("Could not read from remote")
        });
    line.unwrap_or("git said nothing").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_has_its_kind_and_its_way_out() {
        use FailureKind as Kind;

        let (push, pull) = (push(false, false), Sync::Pull { how: Pull::FastForward });
        let fetch = Sync::Fetch { all: false };
        for (sync, words, kind, ways) in [
            (
                &push,
                "To x\n ! [rejected]        main -> main (fetch first)\nerror: failed to push some refs to 'x'\n",
                Kind::NotFastForward,
                2,
            ),
            (
                &push,
                " ! [rejected] main -> main (stale info)\nerror: failed to push some refs",
                Kind::Stale,
                1,
            ),
            (
                &push,
                "remote: error: GH006: Protected branch update failed\n ! [remote rejected] main -> main (protected branch hook declined)\nerror: failed to push some refs",
                Kind::Refused,
                0,
            ),
            (&push, "lint says no\nerror: failed to push some refs to 'x'", Kind::Hook, 0),
            (
                &fetch,
                "git@x: Permission denied (publickey).\nfatal: Could not read from remote repository.",
                Kind::Auth,
                1,
            ),
            (
                &fetch,
                "fatal: could not read Username for 'https://x': terminal prompts disabled",
                Kind::Auth,
                1,
            ),
            (
                &fetch,
                "Host key verification failed.\nfatal: Could not read from remote",
                Kind::HostKey,
                0,
            ),
            (
                &fetch,
                "ssh: Could not resolve hostname x: Name or service not known",
                Kind::Network,
                1,
            ),
            (
                &fetch,
                "fatal: unable to access 'https://x/': Failed to connect to x port 443",
                Kind::Network,
                1,
            ),
            (&fetch, "fatal: '/x' does not appear to be a git repository", Kind::NoRepository, 0),
            (&fetch, "fatal: repository 'https://x/y/' not found", Kind::NoRepository, 0),
            (&pull, "fatal: Not possible to fast-forward, aborting.", Kind::Diverged, 2),
            (
                &pull,
                "error: Your local changes to the following files would be overwritten by merge:\n\ta\n\tb\nPlease commit",
                Kind::InTheWay,
                0,
            ),
            (
                &pull,
                "CONFLICT (content): Merge conflict in f\nAutomatic merge failed; fix",
                Kind::Conflicts,
                0,
            ),
            (&pull, "fatal: couldn't find remote ref refs/heads/x", Kind::UpstreamGone, 1),
            (&pull, "fatal: something else", Kind::Other, 1),
        ] {
            let failure = failure(sync, words);
            assert_eq!((failure.kind, failure.ways.len()), (kind, ways), "{words}: {failure:?}");
            assert!(!failure.text.is_empty());
        }
        let in_the_way = failure(&pull, "would be overwritten by merge:\n\ta\n\tb\nx");
        assert!(in_the_way.text.ends_with(": a, b"), "{}", in_the_way.text);
    }
}

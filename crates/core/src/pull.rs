//! Pull requests as data: what is asked for, and what the service says.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::id::{AgentId, ItemId};
use crate::train::fenced;

/// What a client asks about the pull request of a branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ask {
    /// Push the branch that a directory has checked out, and open a request for it.
    Create(Create),
    /// How the request of a directory's branch is.
    Status {
        /// Any directory in the checkout.
        directory: PathBuf,
    },
    /// Send the logs of the checks that failed to the agent that works there.
    SendFailures {
        /// Any directory in the checkout.
        directory: PathBuf,
        /// To this agent; the one of the directory when absent.
        agent: Option<AgentId>,
    },
}

/// A request that is to be opened.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Create {
    /// Any directory in the checkout.
    pub directory: PathBuf,
    /// The branch it is to go into; the remote's usual one when absent.
    pub target: Option<String>,
    /// Its title; made from the commits when absent.
    pub title: Option<String>,
    /// Its text; made from the commits and the report of the last run there when absent.
    pub body: Option<String>,
    /// As a draft.
    pub draft: bool,
    /// Who is asked to look at it, as the service names them.
    pub reviewers: Vec<String>,
}

/// The pull request of a branch.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PullRequest {
    /// The branch.
    pub branch: String,
    /// Its number; absent where there is no request, or nobody who could tell.
    pub number: Option<u64>,
    /// The request's page, or the one where it can be opened.
    pub address: Option<String>,
    /// Its title.
    pub title: String,
    /// How it is.
    pub state: State,
    /// Its checks.
    pub checks: Vec<Check>,
    /// What its user has to do or know, in a sentence.
    pub notice: Option<String>,
}

/// How a pull request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// There is none, or nobody can tell.
    #[default]
    None,
    /// Open, as a draft.
    Draft,
    /// Open.
    Open,
    /// Merged.
    Merged,
    /// Closed without being merged.
    Closed,
}

/// A check of a pull request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What it is called.
    pub name: String,
    /// How it is.
    pub state: CheckState,
    /// Its page.
    pub address: Option<String>,
}

/// How a check is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    /// It has not ended.
    Pending,
    /// It succeeded.
    Passed,
    /// It failed, or was ended.
    Failed,
    /// It was passed over, or says neither.
    Neutral,
}

/// The answer to [`Ask::SendFailures`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentFailures {
    /// The checks whose logs were sent.
    pub checks: Vec<String>,
    /// What waits to be said now; absent when nothing failed.
    pub item: Option<ItemId>,
}

/// What an agent is told about checks that failed: their names with the ends of their logs.
#[must_use]
pub fn prompt(request: &PullRequest, logs: &[(String, String)]) -> String {
    let number = request.number.map_or_else(String::new, |number| format!(" #{number}"));
    let mut text = format!(
        "Checks of the pull request{number} of your branch `{}` fail. Find out why, mend it, and commit \
         the result; do not weaken the checks.\n",
        request.branch
    );
    for (name, log) in logs {
        text.push_str(&format!("\n{name}:\n\n"));
        fenced(log, &mut text);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_is_told_which_checks_fail() {
        let request = PullRequest { branch: "x".into(), number: Some(7), ..PullRequest::default() };
        let text = prompt(&request, &[("test".into(), "a ```\nb".into())]);
        assert!(text.starts_with("Checks of the pull request #7 of your branch `x` fail."));
        assert!(text.ends_with("\ntest:\n\n````\na ```\nb\n````\n"), "{text}");
    }
}

//! Bringing a branch to its remote.

use std::path::Path;

use crate::error::Error;
use crate::{Git, Result};

/// A branch that was pushed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// The remote's name.
    pub remote: String,
    /// Its address as the user has it, without a password.
    pub address: String,
    /// The branch.
    pub branch: String,
}

impl Git {
    /// Pushes the branch that is checked out, under its own name, to the remote that it follows (or
    /// `origin`, or the only one there is), and makes it follow that. As the user's git does it: hooks,
    /// credential helpers and keys are the user's; nothing is asked.
    ///
    /// # Errors
    ///
    /// When no branch is checked out, there is no remote, or the remote refuses.
    pub fn push(&self, directory: &Path) -> Result<Pushed> {
        let repository = self.repository(directory)?;
        let refusal = |message: &str| Error::Git {
            command: "push".into(),
            code: None,
            message: message.to_owned(),
        };
        let branch = repository
            .branch
            .ok_or_else(|| refusal("no branch is checked out, so there is none to push."))?;
        let remote = self.remote_for(directory, &branch)?.ok_or_else(|| {
            refusal("the repository has no remote to push to; add one with `git remote add origin URL`.")
        })?;
        let address =
            self.reading(directory, "remote").args(["get-url", "--push"]).arg(&remote).output()?;
        let _ = self
            .writing(directory, "push")
            .args(["--quiet", "--set-upstream", "--end-of-options"])
            .arg(&remote)
            .arg(format!("refs/heads/{branch}:refs/heads/{branch}"))
            .output()?;
        let address = without_password(String::from_utf8_lossy(&address).trim());
        Ok(Pushed { remote, address, branch })
    }

    /// The branch that a remote's repository is usually at, as far as this one knows.
    #[must_use]
    pub fn default_branch(&self, directory: &Path, remote: &str) -> Option<String> {
        let output = self
            .reading(directory, "symbolic-ref")
            .args(["--quiet", "--short"])
            .arg(format!("refs/remotes/{remote}/HEAD"))
            .output()
            .ok()?;
        let name = String::from_utf8_lossy(&output).trim().to_owned();
        name.strip_prefix(&format!("{remote}/")).map(str::to_owned)
    }

    pub(crate) fn remote_for(&self, directory: &Path, branch: &str) -> Result<Option<String>> {
        let followed =
            self.reading(directory, "config").arg(format!("branch.{branch}.remote")).run();
        let output = self.reading(directory, "remote").output()?;
        let text = String::from_utf8_lossy(&output);
        let remotes: Vec<&str> =
            text.lines().map(str::trim).filter(|name| !name.is_empty()).collect();
        let followed = followed.ok().filter(|output| output.code == Some(0));
        let followed =
            followed.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
        let found = followed
            .filter(|name| remotes.contains(&name.as_str()))
            .or_else(|| remotes.contains(&"origin").then(|| "origin".to_owned()))
            .or_else(|| match remotes[..] {
                [only] => Some(only.to_owned()),
                _ => None,
            });
        Ok(found)
    }
}

/// An address that may be shown.
fn without_password(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let host_ends = rest.find('/').unwrap_or(rest.len());
    match rest[..host_ends].rfind('@') {
        Some(at) if rest[..at].contains(':') || scheme.starts_with("http") => {
            format!("{scheme}://{}", &rest[at + 1..])
        }
        _ => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_shown_without_passwords() {
        for (address, expected) in [
            ("https://user:secret@host.org/a.git", "https://host.org/a.git"),
            ("https://token@host.org/a@b.git", "https://host.org/a@b.git"),
            ("ssh://git@host.org/a.git", "ssh://git@host.org/a.git"),
            ("git@host.org:a/b.git", "git@host.org:a/b.git"),
            ("/srv/a.git", "/srv/a.git"),
        ] {
            assert_eq!(without_password(address), expected);
        }
    }
}

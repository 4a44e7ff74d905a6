//! Worktrees and repositories: git2 reads, the user's git writes.

//! How agents are listed: in groups, in an order, and some of them marked.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::agent::Agent;
use crate::id::AgentId;
use crate::text;

/// The longest name of a group, in characters.
pub const LONGEST: usize = 60;

/// A change of how agents are listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Arrange {
    /// Into the group with this name, or back to those of their repository.
    Group {
        /// Which.
        agents: Vec<AgentId>,
        /// The group.
        name: Option<String>,
    },
    /// Bookmarked, or not any more.
    Bookmark {
        /// Which.
        agents: Vec<AgentId>,
        /// Whether they are.
        bookmarked: bool,
    },
    /// In this order; those that are not named come after them, as they were.
    Order(Vec<AgentId>),
}

/// A group's name as it is kept; `None` for no group.
#[must_use]
pub fn name(text: &str) -> Option<String> {
    Some(text::clean(text, LONGEST)).filter(|name| !name.is_empty())
}

/// Agents that are listed together: those the user has put into a group, or those of one repository.
#[derive(Debug, Clone, PartialEq)]
pub struct Group<'a> {
    /// The name the user gave it.
    pub name: Option<&'a str>,
    /// Without a name: the repository's main checkout.
    pub repository: Option<&'a Path>,
    /// The agents.
    pub agents: Vec<&'a Agent>,
}

impl Group<'_> {
    /// What the group is called.
    #[must_use]
    pub fn title(&self) -> String {
        if let Some(name) = self.name {
            return name.to_owned();
        }
        self.repository
            .and_then(Path::file_name)
            .map_or_else(|| "No repository".to_owned(), |name| name.to_string_lossy().into_owned())
    }

    /// What tells it from every other group.
    #[must_use]
    pub fn key(&self) -> String {
        match (self.name, self.repository) {
            (Some(name), _) => format!("group {name}"),
            (None, Some(path)) => format!("repository {}", path.display()),
            (None, None) => "none".to_owned(),
        }
    }

    /// Whether an agent of the group is shown as the child of the one in the main checkout.
    #[must_use]
    pub fn is_child(&self, agent: &Agent) -> bool {
        self.name.is_none() && agent.worktree && self.agents.iter().any(|other| !other.worktree)
    }
}

/// Agents by group, in the order of their first agents. In the group of a repository the main checkout
/// comes first, its worktrees after it.
#[must_use]
pub fn groups(agents: &[Agent]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for agent in agents {
        let name = agent.group.as_deref();
        let repository = agent.repository.as_deref().filter(|_| name.is_none());
        match groups.iter_mut().find(|known| (known.name, known.repository) == (name, repository)) {
            Some(group) => group.agents.push(agent),
            None => groups.push(Group { name, repository, agents: vec![agent] }),
        }
    }
    for group in groups.iter_mut().filter(|group| group.name.is_none()) {
        group.agents.sort_by_key(|agent| agent.worktree);
    }
    groups
}

/// The order of all agents after these have moved up or down by one place: within their group, and from
/// its edge together with all of it. `None` where nothing moves.
#[must_use]
pub fn moved(agents: &[Agent], chosen: &[AgentId], down: bool) -> Option<Vec<AgentId>> {
    let mut groups = groups(agents);
    let is_chosen = |agent: &Agent| chosen.contains(&agent.id);
    let at = groups.iter().position(|group| group.agents.iter().any(|one| is_chosen(one)))?;
    let named = groups[at].name.is_some();
    // A worktree stays below its checkout.
    let may = |one: &Agent, other: &Agent| named || one.worktree == other.worktree;
    if !step(&mut groups[at].agents, is_chosen, may, down) {
        let other = if down { at + 1 } else { at.checked_sub(1)? };
        if other >= groups.len() {
            return None;
        }
        groups.swap(at, other);
    }
    Some(groups.iter().flat_map(|group| group.agents.iter().map(|agent| agent.id)).collect())
}

fn step(
    agents: &mut [&Agent],
    is_chosen: impl Fn(&Agent) -> bool,
    may: impl Fn(&Agent, &Agent) -> bool,
    down: bool,
) -> bool {
    let mut stepped = false;
    let mut pairs: Vec<usize> = (1..agents.len()).collect();
    if down {
        pairs.reverse();
    }
    for at in pairs {
        let (from, to) = if down { (at - 1, at) } else { (at, at - 1) };
        if is_chosen(agents[from]) && !is_chosen(agents[to]) && may(agents[from], agents[to]) {
            agents.swap(from, to);
            stepped = true;
        }
    }
    stepped
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::agent::{Attention, Clipboard, Provider, Source, State};

    fn agent(id: u64, repository: &str, group: Option<&str>, worktree: bool) -> Agent {
        Agent {
            id: AgentId(id),
            name: format!("a{id}"),
            provider: Provider::Demo,
            directory: PathBuf::from("/w"),
            repository: Some(PathBuf::from(repository)),
            branch: None,
            worktree,
            ai_terminal: None,
            shell_terminal: None,
            session: None,
            attention: Attention {
                state: State::Idle,
                since_ms: 0,
                because: String::new(),
                source: Source::None,
                until_ms: None,
            },
            created_ms: 0,
            clipboard: Clipboard::default(),
            group: group.map(str::to_owned),
            bookmarked: false,
        }
    }

    fn agents() -> Vec<Agent> {
        vec![
            agent(1, "/shop", None, true),
            agent(2, "/shop", None, false),
            agent(3, "/ledger", None, false),
            agent(4, "/shop", Some("night"), true),
            agent(5, "/ledger", Some("night"), false),
            agent(6, "/shop", None, true),
        ]
    }

    fn ids(order: &[AgentId]) -> Vec<u64> {
        order.iter().map(|id| id.0).collect()
    }

    #[test]
    fn what_the_user_has_put_together_is_together() {
        let agents = agents();
        let groups = groups(&agents);
        let shown: Vec<(String, Vec<u64>)> = groups
            .iter()
            .map(|group| (group.title(), group.agents.iter().map(|one| one.id.0).collect()))
            .collect();
        let expected = [("shop", vec![2, 1, 6]), ("ledger", vec![3]), ("night", vec![4, 5])];
        assert_eq!(shown, expected.map(|(title, ids)| (title.to_owned(), ids)));
        assert!(groups[0].is_child(&agents[0]) && !groups[2].is_child(&agents[3]));
        let keys: Vec<String> = groups.iter().map(Group::key).collect();
        assert_eq!(keys, ["repository /shop", "repository /ledger", "group night"]);
    }

    #[test]
    fn agents_move_in_their_group_and_at_its_edge_with_it() {
        let agents = agents();
        for (chosen, down, expected) in [
            (&[6][..], false, Some(vec![2, 6, 1, 3, 4, 5])),
            (&[1], true, Some(vec![2, 6, 1, 3, 4, 5])),
            // The first worktree stays below its checkout, so the group moves, and it is the first.
            (&[1], false, None),
            (&[6], true, Some(vec![3, 2, 1, 6, 4, 5])),
            (&[3], false, Some(vec![3, 2, 1, 6, 4, 5])),
            (&[4, 5], false, Some(vec![2, 1, 6, 4, 5, 3])),
            (&[4, 5], true, None),
            (&[5], false, Some(vec![2, 1, 6, 3, 5, 4])),
            (&[99], false, None),
            (&[], true, None),
        ] {
            let chosen: Vec<AgentId> = chosen.iter().map(|id| AgentId(*id)).collect();
            let order = moved(&agents, &chosen, down);
            assert_eq!(order.as_deref().map(ids), expected, "{chosen:?} {down}");
        }
    }

    #[test]
    fn a_name_is_words() {
        assert_eq!(name("  night\u{202e} shift\n").as_deref(), Some("night shift"));
        assert_eq!(name(" \u{1b} "), None);
        assert!(name(&"x".repeat(10_000)).is_some_and(|name| name.chars().count() <= LONGEST));
    }
}

//! What the palette lists: commands, agents, tabs, and what the host is asked for.

use std::path::Path;

use maestro_core::agent::{Agent, State};
use maestro_core::changes::Branches;
use maestro_core::command;
use maestro_core::conversation::Tab;
use maestro_core::layout::Kind;
use maestro_core::playbook::Found;
use maestro_core::session::Hit;
use maestro_core::{settings, text};
use maestro_ui::theme::Tokens;

use super::{About, Row, Target};
use crate::window::panes::Pane;
use crate::window::workspaces::{Workspace, Workspaces};
use crate::window::{ago, tabs};

/// The longest title of a row, in characters.
const LONGEST: usize = 200;

pub(super) fn waiting_first(agents: &[Agent]) -> (Vec<&Agent>, Vec<&Agent>) {
    agents.iter().partition(|agent| agent.attention.state == State::NeedsYou)
}

pub(super) fn everything(agents: &[Agent], tabs: &[Tab], about: About<'_>) -> Vec<Row> {
    let (waiting, others) = waiting_first(agents);
    let commands = command::ALL.iter().filter(|command| command.listed);
    waiting
        .into_iter()
        .map(agent_row)
        .chain(commands.map(|command| command_row(command, about)))
        .chain(others.into_iter().map(agent_row))
        .chain(of_workspaces(about.workspaces, agents))
        .chain(tabs.iter().filter(|tab| !tab.closed).map(|tab| tab_row(tab, agents)))
        .collect()
}

pub(super) fn row_of(target: Target, title: String, about: String) -> Row {
    let title = if text::is_plain(&title) { title } else { text::clean(&title, LONGEST) };
    let sought = about.to_lowercase();
    Row { target, title, about, sought, live: None, chord: None, reason: None, used: 0.0 }
}

fn command_row(command: &command::Command, about: About<'_>) -> Row {
    let prefix = command.group.title();
    let words = format!("{prefix} · {}", command.description.trim_end_matches('.'));
    Row {
        chord: about.keymap.title(command.id),
        reason: command.unavailable(about.place).map(str::to_owned),
        ..row_of(Target::Command(command.id), command.title.to_owned(), words)
    }
}

pub(super) fn theme_row(tokens: &'static Tokens) -> Row {
    let kind = if tokens.dark { "dark" } else { "light" };
    let about = match tokens.about {
        "" => kind.to_owned(),
        about => format!("{kind} · {about}"),
    };
    row_of(Target::Theme(tokens), tokens.name.to_owned(), about)
}

pub(super) fn agent_row(agent: &Agent) -> Row {
    let place = agent.branch.clone().unwrap_or_else(|| agent.directory.display().to_string());
    let title = format!("Go to agent: {}", agent.name);
    let about = format!("{} · {place}", agent.provider.title());
    let live = Some((agent.attention.state, agent.attention.because.clone()));
    Row { live, ..row_of(Target::Agent(agent.id), title, about) }
}

pub(super) fn tab_row(tab: &Tab, agents: &[Agent]) -> Row {
    let agent = agents.iter().find(|agent| agent.id == tab.agent);
    let agent = agent.map(|agent| agent.name.clone()).unwrap_or_default();
    let title = format!("Go to tab: {}", tabs::title(tab));
    row_of(Target::Tab(tab.id), title, format!("{agent} · {} turns", tab.turns))
}

/// The tabs that are open, those that one has not seen yet first.
pub(super) fn of_tabs(tabs: &[Tab], agents: &[Agent]) -> Vec<Row> {
    let (unread, seen): (Vec<_>, Vec<_>) =
        tabs.iter().filter(|tab| !tab.closed).partition(|tab| tab.unread);
    unread.into_iter().chain(seen).map(|tab| tab_row(tab, agents)).collect()
}

/// Everything that can be set.
pub(super) fn of_settings() -> Vec<Row> {
    let row = |setting: &settings::Setting| {
        let about = format!("{} · {}", setting.key, setting.about.trim_end_matches('.'));
        row_of(Target::Setting(setting.key), setting.title.to_owned(), about)
    };
    settings::ALL.iter().map(row).collect()
}

/// Workspaces, with what they show.
pub(super) fn of_workspaces(workspaces: &Workspaces, agents: &[Agent]) -> Vec<Row> {
    let row = |workspace: &Workspace| {
        let shown = |pane: &Pane| match pane {
            Pane::Agent(id) => agents.iter().find(|agent| agent.id == *id),
            Pane::Terminal(_) => None,
        };
        let names: Vec<&str> =
            workspace.panes.iter().filter_map(shown).map(|agent| agent.name.as_str()).collect();
        let layout = workspace.layout.parse::<Kind>().unwrap_or_default().title();
        let about = format!("{layout} · {}", text::clean(&names.join(", "), LONGEST));
        let title = format!("Go to workspace: {}", workspace.name);
        row_of(Target::Workspace(workspace.name.clone()), title, about)
    };
    workspaces.all().map(row).collect()
}

/// Workspaces, to delete one.
pub(super) fn of_workspaces_deleted(workspaces: &Workspaces) -> Vec<Row> {
    let row = |workspace: &Workspace| {
        let title = format!("Delete workspace: {}", workspace.name);
        let about = "its agents stay as they are".to_owned();
        row_of(Target::WorkspaceDelete(workspace.name.clone()), title, about)
    };
    workspaces.all().map(row).collect()
}

/// Files of an agent's directory.
#[must_use]
pub fn of_files(files: Vec<String>) -> Vec<Row> {
    let row = |path: String| {
        let title = text::clean(&path, LONGEST);
        row_of(Target::File(path), title, String::new())
    };
    files.into_iter().map(row).collect()
}

/// The branches of a repository: one that an agent works on leads to it.
#[must_use]
pub fn of_branches(branches: &Branches, agents: &[Agent]) -> Vec<Row> {
    let is_local = |name: &str| branches.branches.iter().any(|it| !it.is_remote && it.name == name);
    let row = |branch: &maestro_core::changes::Branch| {
        let title = text::clean(&branch.name, LONGEST);
        let about = text::clean(&branch.title, LONGEST);
        if branches.current.as_ref() == Some(&branch.name) {
            let reason = Some("it is checked out here".to_owned());
            let target = Target::Branch { name: branch.name.clone(), from: None };
            return Some(Row { reason, ..row_of(target, title, about) });
        }
        if let Some(worktree) = &branch.worktree {
            let works = agents.iter().find(|agent| agent.directory == *worktree);
            return Some(match works {
                Some(agent) => {
                    let about = format!("goes to {}, who has it checked out", agent.name);
                    row_of(Target::Agent(agent.id), title, about)
                }
                None => {
                    let target = Target::Branch { name: branch.name.clone(), from: None };
                    let reason = Some(format!("checked out in {}", last(worktree)));
                    Row { reason, ..row_of(target, title, about) }
                }
            });
        }
        // A remote's branch gets a local one of its name.
        let target = match branch.name.split_once('/').filter(|_| branch.is_remote) {
            Some((_, local)) if is_local(local) => return None,
            Some((_, local)) => {
                Target::Branch { name: local.to_owned(), from: Some(branch.name.clone()) }
            }
            None => Target::Branch { name: branch.name.clone(), from: None },
        };
        Some(row_of(target, title, about))
    };
    branches.branches.iter().filter_map(row).collect()
}

/// Stored conversations.
#[must_use]
pub fn of_sessions(hits: Vec<Hit>, now_ms: u64) -> Vec<Row> {
    let row = |hit: Hit| {
        let session = hit.session;
        let title = match text::clean(&session.title, LONGEST) {
            title if title.is_empty() => session.id.clone(),
            title => title,
        };
        let place = session.directory.as_deref().map(last).unwrap_or_default();
        let used = ago::since(session.used_ms, now_ms);
        let about = format!("{} · {place} · {used}", session.provider.title());
        let is_lost = session.directory.is_none() && session.open_in.is_none();
        let reason = is_lost.then(|| "its provider did not store where it worked".to_owned());
        Row { reason, ..row_of(Target::Session(Box::new(session)), title, about) }
    };
    hits.into_iter().map(row).collect()
}

/// Playbooks of a project, and those that came with Maestro.
#[must_use]
pub fn of_playbooks(found: Vec<Found>) -> Vec<Row> {
    let row = |found: Found| {
        let title = text::clean(&found.playbook.name, LONGEST);
        let whose = if found.shipped { "came with Maestro" } else { "of this project" };
        let about = match text::clean(&found.playbook.description, LONGEST) {
            about if about.is_empty() => whose.to_owned(),
            about => format!("{whose} · {about}"),
        };
        let reason = found.problem.as_deref().map(|problem| text::clean(problem, 80));
        Row { reason, ..row_of(Target::Playbook(Box::new(found)), title, about) }
    };
    found.into_iter().map(row).collect()
}

fn last(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    text::clean(&name.to_string_lossy(), 60)
}

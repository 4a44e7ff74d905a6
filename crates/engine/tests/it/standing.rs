//! How the checkouts of agents stand is told when it changes, without anybody asking.

use std::path::Path;

use maestro_core::agent::Provider;
use maestro_core::worktree::{Answer, Ask, OperationKind, Standing};
use maestro_protocol::message::{Command, Event, Reply};

use crate::harness::{Place, State, User, stop};

fn git(directory: &Path, arguments: &[&str]) {
    let done = std::process::Command::new("git")
        .args(["-c", "user.name=T", "-c", "user.email=t@example.org"])
        .args(arguments)
        .current_dir(directory)
        .output();
    assert!(done.is_ok_and(|output| output.status.success()), "git {arguments:?}");
}

#[tokio::test]
async fn what_is_changed_switched_and_half_done_is_told() {
    let place = Place::new();
    let app = place.folder("app").canonicalize().expect("it is there");
    git(&app, &["init", "--quiet", "-b", "main"]);
    std::fs::create_dir(app.join("deep")).expect("a folder");
    std::fs::write(app.join("deep/file"), "one\n").expect("a file");
    git(&app, &["add", "."]);
    git(&app, &["commit", "--quiet", "-m", "First"]);
    let tree = app.with_file_name("tree");
    git(&app, &["worktree", "add", "--quiet", "-b", "topic", tree.to_str().expect("text")]);
    let host = place.host().await;
    let user = User::of(&host).await;
    let one = user.new_agent(Provider::Shell, &tree, "one").await.id;
    let two = user.new_agent(Provider::Shell, &app, "two").await.id;
    let last = |seen: &State, id| -> Option<Standing> {
        seen.events.iter().rev().find_map(|event| match event {
            Event::Standing(agent, standing) if *agent == id => Some((**standing).clone()),
            _ => None,
        })
    };
    let until = async |what: &str, id, is: &dyn Fn(&Standing) -> bool| {
        user.until(what, |seen| last(seen, id).filter(|standing| is(standing))).await
    };
    let clean = until("it is clean", one, &|standing| standing.words().is_empty()).await;
    assert_eq!(clean.branch.as_deref(), Some("topic"));
    let _ = until("so is the main checkout", two, &|standing| standing.words().is_empty()).await;

    std::fs::write(tree.join("deep/file"), "two\n").expect("saved");
    std::fs::write(tree.join("new"), "").expect("saved");
    let _ = until("a save is seen", one, &|s| (s.changed, s.untracked) == (1, 1)).await;
    std::fs::write(app.join("more"), "").expect("saved");
    let _ = until("one in the main checkout, too", two, &|s| s.untracked == 1).await;
    git(&tree, &["add", "."]);
    git(&tree, &["commit", "--quiet", "-m", "Second"]);
    git(&tree, &["branch", "--quiet", "--set-upstream-to=main"]);
    std::fs::write(tree.join("new"), "x").expect("saved");
    let _ = until("what it is ahead", one, &|s| s.ahead_behind == Some((1, 0))).await;
    // Another worktree moves what it follows.
    std::fs::write(app.join("deep/file"), "three\n").expect("saved");
    git(&app, &["commit", "--quiet", "-a", "-m", "Third"]);
    let _ = until("what it is behind", one, &|s| s.ahead_behind == Some((1, 1))).await;
    git(&tree, &["checkout", "--quiet", "-b", "other"]);
    let _ = user
        .until_agent(one, "the branch it switched to", |agent| {
            agent.branch.as_deref() == Some("other")
        })
        .await;
    git(&tree, &["checkout", "--quiet", "--", "."]);
    let merge = std::process::Command::new("git")
        .args(["merge", "--quiet", "main"])
        .current_dir(&tree)
        .output();
    assert!(merge.is_ok_and(|output| !output.status.success()), "it conflicts");
    let is_merge = |s: &Standing| {
        s.unmerged == 1 && s.operation.is_some_and(|half| half.kind == OperationKind::Merge)
    };
    let _ = until("a merge that is half done", one, &is_merge).await;

    let moved = app.with_file_name("moved");
    let path = |path: &Path| path.to_str().expect("text").to_owned();
    let is_at = async |place: &Path| {
        let last = |seen: &State| {
            let directories = seen.events.iter().rev().filter_map(|event| match event {
                Event::Agent(agent) if agent.id == one => Some(agent.directory.clone()),
                _ => None,
            });
            directories.take(1).find(|directory| directory == place)
        };
        let _ = user.until("the agent goes with its worktree", last).await;
    };
    git(&app, &["worktree", "move", &path(&tree), &path(&moved)]);
    is_at(&moved).await;
    // Back at once, before anything is watched there.
    git(&app, &["worktree", "move", &path(&moved), &path(&tree)]);
    is_at(&tree).await;

    // Whoever comes later is told as well, and who does not follow is told how it is now.
    let world = user.world(false).await;
    assert_eq!(world.standings.len(), 2);
    let asked = Command::Worktrees(Ask::Standings { agents: vec![one] });
    let Ok(Reply::OfWorktrees(Answer::Standings(found))) = user.ask(asked).await else {
        panic!("no standings");
    };
    assert_eq!((found.len(), found[0].0), (1, one));
    assert!(is_merge(&found[0].1), "{found:?}");
    user.done(Command::RemoveAgent { agent: one }).await;
    assert_eq!(user.world(false).await.standings.len(), 1);
    stop(&host).await;
}

//! Agents that work beside each other are told apart from those that collide, without anybody asking.

use std::path::Path;

use maestro_core::agent::Provider;
use maestro_core::conflict::Collisions;
use maestro_protocol::message::{Command, Event};

use crate::harness::{Place, User, stop};

fn git(directory: &Path, arguments: &[&str]) {
    let done = std::process::Command::new("git")
        .args(["-c", "user.name=T", "-c", "user.email=t@example.org"])
        .args(arguments)
        .current_dir(directory)
        .status();
    assert!(done.is_ok_and(|status| status.success()), "git {arguments:?}");
}

#[tokio::test]
async fn agents_that_begin_to_collide_are_told_and_so_is_the_end() {
    let place = Place::new();
    let app = place.folder("app").canonicalize().expect("it is there");
    git(&app, &["init", "--quiet", "-b", "main"]);
    std::fs::write(app.join("file"), "one\n").expect("a file");
    git(&app, &["add", "."]);
    git(&app, &["commit", "--quiet", "-m", "First"]);
    let host = place.host().await;
    let user = User::of(&host).await;
    let mut agents = Vec::new();
    for name in ["a", "b"] {
        let tree = app.with_file_name(name);
        git(&app, &["worktree", "add", "--quiet", "-b", name, tree.to_str().expect("text")]);
        agents.push(user.new_agent(Provider::Shell, &tree, name).await);
        std::fs::write(tree.join("file"), format!("from {name}\n")).expect("saved");
    }
    let with = |events: &[Event], agent| -> Option<Collisions> {
        events.iter().rev().find_map(|event| match event {
            Event::Collides(told) if told.agent == agent => Some(told.clone()),
            _ => None,
        })
    };
    let (a, b) = (agents[0].id, agents[1].id);
    let told = user
        .until("they collide", |seen| with(&seen.events, a).filter(|told| !told.with.is_empty()))
        .await;
    assert_eq!(told.with[0].with, "b");
    assert_eq!(
        (&told.with[0].agents[..], &told.with[0].files[..]),
        (&[b][..], &["file".into()][..])
    );
    assert_eq!(user.world(false).await.collisions.len(), 2, "whoever comes later is told as well");
    std::fs::write(app.with_file_name("b").join("file"), "one\n").expect("saved");
    let over = |seen: &crate::harness::State| {
        let is_over = |agent| with(&seen.events, agent).is_some_and(|told| told.with.is_empty());
        (is_over(a) && is_over(b)).then_some(())
    };
    user.until("they do not any more", over).await;
    // Who is gone collides with nobody.
    std::fs::write(app.with_file_name("b").join("file"), "from b\n").expect("saved");
    let again = |seen: &crate::harness::State| {
        with(&seen.events, b).filter(|told| !told.with.is_empty()).map(|_| ())
    };
    user.until("they collide again", again).await;
    user.done(Command::RemoveAgent { agent: b }).await;
    user.until("its partner is free", |seen| {
        with(&seen.events, a).filter(|told| told.with.is_empty()).map(|_| ())
    })
    .await;
    stop(&host).await;
}

//! Agents: made, opened, resumed, stopped, and what is known about whether they need their user.

use std::process::Command as Process;

use maestro_core::AgentId;
use maestro_core::agent::{Agent, Clipboard, Provider, State};
use maestro_core::group::Arrange;
use maestro_core::run::Spec;
use maestro_core::screen::Size;
use maestro_protocol::Incoming;
use maestro_protocol::message::{Branch, Command, ErrorKind, Event, NewAgent, Reply};
use maestro_pty::Marker;

use crate::harness::{Place, User, provider, stop, wait};

/// Prints how it was started and waits.
const TUI: &str = "echo \"args: $*\"; echo \"in: $(pwd)\"; echo \"agent: $MAESTRO_AGENT\"; \
                   while read -r line; do eval \"$line\"; done";

fn git(directory: &std::path::Path, args: &[&str]) {
    let output = Process::new("git")
        .args(["-c", "user.name=t", "-c", "user.email=t@t", "-c", "init.defaultBranch=main"])
        .args(args)
        .current_dir(directory)
        .output()
        .expect("git runs");
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn new(provider: Provider, directory: &std::path::Path, branch: Option<&str>) -> NewAgent {
    NewAgent {
        provider,
        name: None,
        directory: directory.to_owned(),
        branch: branch.map(|name| Branch::New { name: name.into(), base: None }),
        size: Size::new(90, 30),
        start: true,
    }
}

async fn screen_text(user: &User, agent: &Agent) -> String {
    let terminal = agent.ai_terminal.expect("it has one");
    user.until_read(terminal, "agent:").await;
    user.read(terminal)
        .await
        .rows
        .iter()
        .map(|row| row.text().trim_end().to_owned() + "\n")
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_works_in_a_worktree_of_its_own() {
    let place = Place::new();
    let repository = place.folder("shop");
    git(&repository, &["init", "-q"]);
    git(&repository, &["commit", "-q", "--allow-empty", "-m", "first"]);
    let program = place.script("claude", TUI);
    let host = place
        .host_with(|options| options.detected = vec![provider(Provider::Claude, program)])
        .await;
    let user = User::of(&host).await;
    let command = Command::NewAgent(new(Provider::Claude, &repository, Some("feat/cart")));
    let agent = user.agent(command).await.expect("made");
    assert_eq!(agent.name, "cart");
    assert_eq!(agent.branch.as_deref(), Some("feat/cart"));
    assert!(agent.worktree);
    assert_ne!(agent.directory, repository);
    assert_eq!(
        agent.repository.as_ref().map(|path| path.canonicalize().expect("there")),
        Some(repository.canonicalize().expect("there"))
    );
    let session = agent.session.clone().expect("chosen by us");
    let text = screen_text(&user, &agent).await;
    assert!(text.contains("--session-id"), "{text}");
    assert!(text.contains(&session[..8]), "{text}");
    assert!(text.contains(&format!("agent: {}", agent.id)), "{text}");
    assert_eq!(user.world(false).await.agents, std::slice::from_ref(&agent));

    // The branch is taken now, and the sentence says where.
    let again = Command::NewAgent(NewAgent {
        branch: Some(Branch::Existing("feat/cart".into())),
        ..new(Provider::Claude, &repository, None)
    });
    let refused = user.agent(again).await.expect_err("in use");
    assert_eq!(refused.kind, ErrorKind::Busy);
    assert!(refused.message.contains(&agent.directory.display().to_string()), "{refused}");
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shell_beside_the_agent_and_both_ended_by_stop() {
    let place = Place::new();
    let folder = place.folder("work");
    let program = place.script("codex", TUI);
    let host = place
        .host_with(|options| options.detected = vec![provider(Provider::Codex, program)])
        .await;
    let user = User::of(&host).await;
    let agent = user.new_agent(Provider::Codex, &folder, "one").await;
    let open = Command::OpenShell { agent: agent.id, size: Size::new(70, 20) };
    let Ok(Reply::Terminal(shell)) = user.ask(open.clone()).await else { panic!("no shell") };
    let Ok(Reply::Terminal(same)) = user.ask(open).await else { panic!("no shell") };
    assert_eq!(shell.id, same.id);
    assert_eq!(shell.directory, folder.canonicalize().expect("there"));
    let opened = user.until_agent(agent.id, "shell", |agent| agent.shell_terminal.is_some()).await;
    assert_eq!(opened.shell_terminal, Some(shell.id));

    let again = user.agent(Command::OpenAgent { agent: agent.id, resume: true }).await;
    assert_eq!(again.expect("it runs").ai_terminal, agent.ai_terminal);

    let stopped = user.agent(Command::StopAgent { agent: agent.id }).await.expect("stopped");
    assert_eq!((stopped.ai_terminal, stopped.shell_terminal), (None, None));
    let marker = Marker::new([("MAESTRO_HOST".to_owned(), host.instance().to_owned())]);
    assert_eq!(marker.processes(), []);
    assert!(user.world(false).await.terminals.is_empty());

    user.done(Command::RemoveAgent { agent: agent.id }).await;
    assert!(user.world(false).await.agents.is_empty());
    assert!(folder.is_dir());
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_unique_and_follow_the_rules() {
    let place = Place::new();
    let folder = place.folder("work");
    let host = place.host().await;
    let user = User::of(&host).await;
    let one = user.new_agent(Provider::Shell, &folder, "one").await;
    let two =
        user.agent(Command::NewAgent(new(Provider::Shell, &folder, None))).await.expect("made");
    assert_eq!(two.name, "work");
    let three =
        user.agent(Command::NewAgent(new(Provider::Shell, &folder, None))).await.expect("made");
    assert_eq!(three.name, "work-2");
    let rename = |name: &str| Command::RenameAgent { agent: two.id, name: name.to_owned() };
    let taken = user.agent(rename("one")).await.expect_err("taken");
    assert_eq!(taken.kind, ErrorKind::Busy);
    assert!(taken.message.contains(&one.id.to_string()), "{taken}");
    for name in ["", "a7", "-v"] {
        assert_eq!(user.agent(rename(name)).await.expect_err(name).kind, ErrorKind::Invalid);
    }
    assert_eq!(user.agent(rename("api")).await.expect("free").name, "api");
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_used_is_refused_before_anything_is_made() {
    let place = Place::new();
    let folder = place.folder("work");
    let mut missing = provider(Provider::Droid, "/nowhere".into());
    missing.unusable = Some("Factory Droid is not installed; install it.".into());
    let host = place.host_with(|options| options.detected = vec![missing]).await;
    let user = User::of(&host).await;
    let refused =
        user.agent(Command::NewAgent(new(Provider::Droid, &folder, None))).await.expect_err("no");
    assert_eq!(refused.kind, ErrorKind::Unsupported);
    assert!(refused.message.contains("install"), "{refused}");
    let nowhere = place.path("nowhere");
    let refused =
        user.agent(Command::NewAgent(new(Provider::Shell, &nowhere, None))).await.expect_err("no");
    assert_eq!(refused.kind, ErrorKind::NotFound);
    let no_repository = new(Provider::Shell, &folder, Some("x"));
    let refused = user.agent(Command::NewAgent(no_repository)).await.expect_err("no");
    assert_eq!(refused.kind, ErrorKind::Invalid);
    assert!(user.world(false).await.agents.is_empty());
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_vanished_is_named() {
    let place = Place::new();
    let folder = place.folder("work");
    let host = place.host().await;
    let user = User::of(&host).await;
    let agent = user.new_agent(Provider::Shell, &folder, "one").await;
    let _ = user.agent(Command::StopAgent { agent: agent.id }).await.expect("stopped");
    std::fs::remove_dir_all(&folder).expect("removed");
    let open = Command::OpenAgent { agent: agent.id, resume: true };
    let refused = user.agent(open).await.expect_err("gone");
    assert_eq!(refused.kind, ErrorKind::NotFound);
    assert!(refused.message.contains("does not exist"), "{refused}");
    let failed = user.until_agent(agent.id, "failed", |a| a.attention.state == State::Failed).await;
    assert!(failed.attention.because.contains("does not exist"));
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_its_terminal_says_decides_about_attention() {
    let place = Place::new();
    let folder = place.folder("work");
    let program = place.script("codex", TUI);
    let host = place
        .host_with(|options| options.detected = vec![provider(Provider::Codex, program)])
        .await;
    let user = User::of(&host).await;
    let agent = user.new_agent(Provider::Codex, &folder, "one").await;
    assert_eq!(agent.attention.state, State::Unknown);
    let terminal = agent.ai_terminal.expect("it has one");
    let say = |line: &str| Command::SendBytes { terminal, bytes: format!("{line}\n").into_bytes() };
    let steps = [
        ("printf '\\033]7501;state=working;app=x;text=tests\\007'", State::Working),
        ("printf '\\033]7501;state=waiting\\007'", State::NeedsYou),
        ("printf '\\033]7501;state=idle\\007'", State::Idle),
        ("exit 3", State::Failed),
    ];
    for (line, state) in steps {
        user.done(say(line)).await;
        let _ = user.until_agent(agent.id, line, |agent| agent.attention.state == state).await;
    }
    stop(&host).await;
}

#[tokio::test]
async fn agents_are_listed_as_their_user_wants_it() {
    let place = Place::new();
    let folder = place.folder("work");
    let host = place.host().await;
    let user = User::of(&host).await;
    let mut ids = Vec::new();
    for name in ["one", "two", "three"] {
        let start = NewAgent {
            start: false,
            name: Some(name.into()),
            ..new(Provider::Shell, &folder, None)
        };
        ids.push(user.agent(Command::NewAgent(start)).await.expect("made").id);
    }
    let arrange = |change| user.ask(Command::ArrangeAgents(change));
    let group =
        Arrange::Group { agents: vec![ids[0], ids[2]], name: Some(" night\u{202e} ".into()) };
    assert_eq!(arrange(group).await, Ok(Reply::Done));
    let mark = Arrange::Bookmark { agents: vec![ids[1]], bookmarked: true };
    assert_eq!(arrange(mark).await, Ok(Reply::Done));
    assert_eq!(arrange(Arrange::Order(vec![ids[2], ids[0]])).await, Ok(Reply::Done));
    let missing = arrange(Arrange::Order(vec![ids[1], AgentId(99)])).await;
    assert_eq!(missing.map_err(|error| error.kind), Err(ErrorKind::NotFound));
    let ordered = |event: &Event| match event {
        Event::AgentOrder(order) => Some(order.clone()),
        _ => None,
    };
    let told = user.until("the order", |seen| seen.events.iter().find_map(ordered)).await;
    assert_eq!(told, [ids[2], ids[0], ids[1]]);
    stop(&host).await;

    let host = place.host().await;
    let agents = User::of(&host).await.world(false).await.agents;
    let listed: Vec<_> =
        agents.iter().map(|agent| (agent.id, agent.group.as_deref(), agent.bookmarked)).collect();
    let night = Some("night");
    assert_eq!(listed, [(ids[2], night, false), (ids[0], night, false), (ids[1], None, true)]);
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_crash_every_agent_is_offered_back_and_nothing_is_left_running() {
    let place = Place::new();
    let folder = place.folder("work");
    let program = place.script("claude", &format!("trap '' HUP TERM; {TUI}"));
    let claude = || vec![provider(Provider::Claude, program.clone())];
    let host = place.host_with(|options| options.detected = claude()).await;
    let user = User::of(&host).await;
    let agent = user.new_agent(Provider::Claude, &folder, "one").await;
    let idle = user
        .agent(Command::NewAgent(NewAgent { start: false, ..new(Provider::Shell, &folder, None) }))
        .await
        .expect("made");
    user.done(Command::SetPreference { key: "layout".into(), value: Some("2x2".into()) }).await;
    let _ = screen_text(&user, &agent).await;

    // What a crash leaves: the database as it is, and processes that carry the mark of a host whose
    // process is gone. A copy of the home folder is that, while the first host cannot know of it.
    let after = Place::new();
    let home = after.home();
    home.create().expect("made");
    for name in ["maestro.db", "maestro.db-wal"] {
        let _ = std::fs::copy(place.home().root().join(name), home.root().join(name));
    }
    let marker = Marker::new([("MAESTRO_HOST".to_owned(), host.instance().to_owned())]);
    assert!(!marker.processes().is_empty());
    rewrite_host_process(&home);

    let next = after.host_with(|options| options.detected = claude()).await;
    let survivor = User::of(&next).await;
    let world = survivor.world(true).await;
    let offered = world.agents.iter().find(|known| known.id == agent.id).expect("not lost");
    assert_eq!(offered.attention.state, State::Resumable);
    assert_eq!(offered.session, agent.session);
    assert_eq!((offered.ai_terminal, world.terminals.len()), (None, 0));
    let other = world.agents.iter().find(|known| known.id == idle.id).expect("not lost");
    assert_eq!(other.attention.state, State::Unknown);
    assert_eq!(world.preferences, [("layout".to_owned(), "2x2".to_owned())]);

    let opened = survivor
        .agent(Command::OpenAgent { agent: agent.id, resume: true })
        .await
        .expect("it opens");
    // By then nothing of the dead host may touch the session any more.
    assert_eq!(marker.processes(), []);
    assert_ne!(opened.ai_terminal, agent.ai_terminal, "ids are never given out twice");
    let text = screen_text(&survivor, &opened).await;
    assert!(text.contains(&agent.session.expect("chosen by us")[..8]), "{text}");
    stop(&next).await;
    stop(&host).await;
}

/// The first host still lives, in this very process; its note is changed to a process that does not.
fn rewrite_host_process(home: &maestro_protocol::Home) {
    let store = maestro_store::Store::open(home.database()).expect("opened");
    for host in store.hosts().expect("read") {
        store.host_started(&maestro_store::Host { process_start: 1, ..host }).expect("written");
    }
    store.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_orderly_stop_agents_are_offered_back_too() {
    let place = Place::new();
    let folder = place.folder("work");
    let host = place.host().await;
    let user = User::of(&host).await;
    let agent = user.new_agent(Provider::Shell, &folder, "one").await;
    let user_was_told = user.clone();
    stop(&host).await;
    user_was_told
        .until("the goodbye", |state| state.events.contains(&Event::HostStopping).then_some(()))
        .await;
    let _ = user_was_told.until("the end", |state| state.closed.clone()).await;

    let host = place.host().await;
    let user = User::of(&host).await;
    let offered = user.world(true).await.agents;
    assert_eq!(offered.len(), 1);
    assert_eq!(offered[0].attention.state, State::Resumable);
    let open = Command::OpenAgent { agent: agent.id, resume: true };
    let opened = user.agent(open).await.expect("it opens");
    wait("it runs", || opened.ai_terminal.is_some()).await;
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_an_agent_ends_its_run_and_says_so() {
    let place = Place::new();
    let folder = place.folder("work");
    let document = folder.join("tasks.md");
    std::fs::write(&document, "- [ ] something that takes long\n").expect("written");
    let program = place.script("claude", "echo begun > begun; exec sleep 600");
    let host = place
        .host_with(|options| options.detected = vec![provider(Provider::Claude, program)])
        .await;
    let user = User::of(&host).await;
    let agent = user
        .agent(Command::NewAgent(NewAgent { start: false, ..new(Provider::Claude, &folder, None) }))
        .await
        .expect("made");
    let spec = Spec {
        documents: vec![document],
        directory: folder.clone(),
        provider: Provider::Claude,
        agent: Some(agent.id),
        model: None,
        turn_timeout_s: 0,
        silence_timeout_s: 0,
        verify_timeout_s: 60,
        attempts: 3,
        unattended: false,
        options: maestro_core::run::Options::default(),
    };
    let Ok(Reply::Run(run)) = user.ask(Command::StartRun(spec)).await else { panic!("no run") };
    wait("the turn has begun", || folder.join("begun").exists()).await;
    let stopped = user.agent(Command::StopAgent { agent: agent.id }).await.expect("stopped");
    assert_eq!(stopped.id, agent.id);
    let Ok(Reply::Run(ended)) = user.ask(Command::ShowRun { run: run.id }).await else {
        panic!("no run")
    };
    assert!(matches!(ended.state, maestro_core::run::State::Ended(_)), "{:?}", ended.state);
    user.until("the sentence", |state| {
        state.events.iter().find_map(|event| match event {
            Event::Problem { agent: Some(of), text } if *of == agent.id => {
                text.contains(&format!("its run {} with it", run.id)).then_some(())
            }
            _ => None,
        })
    })
    .await;
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_s_terminals_write_to_the_clipboard_as_it_is_allowed() {
    let place = Place::new();
    let folder = place.folder("work");
    let host = place.host().await;
    let user = User::of(&host).await;
    let agent = user.new_agent(Provider::Shell, &folder, "one").await;
    let terminal = agent.ai_terminal.expect("it has one");
    // "one" and "two" in base64.
    let copy = |text: &str| {
        let line = format!("printf '\\033]52;c;{text}\\007'\n");
        Command::SendBytes { terminal, bytes: line.into_bytes() }
    };
    let told = |text: &'static str| {
        let user = user.clone();
        async move {
            user.until(text, |state| {
                state.events.iter().find_map(|event| match event {
                    Event::Clipboard { text: of, policy, .. } if of == text => Some(*policy),
                    _ => None,
                })
            })
            .await
        }
    };
    user.done(copy("b25l")).await;
    assert_eq!(told("one").await, Clipboard::Focused);
    for (policy, text, words) in
        [(Clipboard::Ask, "dHdv", "two"), (Clipboard::Allow, "dGhyZWU=", "three")]
    {
        let set = Command::SetClipboard { agent: agent.id, clipboard: policy };
        assert_eq!(user.agent(set).await.expect("set").clipboard, policy);
        user.done(copy(text)).await;
        assert_eq!(told(words).await, policy);
    }
    let set = Command::SetClipboard { agent: agent.id, clipboard: Clipboard::Deny };
    assert_eq!(user.agent(set).await.expect("set").clipboard, Clipboard::Deny);
    user.done(copy("Zm91cg==")).await;
    let bell = "printf '\\007'\n".as_bytes().to_vec();
    user.done(Command::SendBytes { terminal, bytes: bell }).await;
    user.until("the bell after it", |state| {
        state.events.contains(&Event::Bell(terminal)).then_some(())
    })
    .await;
    let denied = user.look(|state| {
        state
            .events
            .iter()
            .any(|event| matches!(event, Event::Clipboard { text, .. } if text == "four"))
    });
    assert!(!denied, "it was told all the same");
    stop(&host).await;

    // It is kept with the agent.
    let host = place.host().await;
    let user = User::of(&host).await;
    assert_eq!(user.world(false).await.agents[0].clipboard, Clipboard::Deny);
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_changes_at_once_the_store_keeps_both() {
    let place = Place::new();
    let folder = place.folder("work");
    let program = place.script("codex", TUI);
    let options = |options: &mut maestro_engine::host::HostOptions| {
        options.detected = vec![provider(Provider::Codex, program.clone())];
    };
    let host = place.host_with(options).await;
    let user = User::of(&host).await;
    let mut agents = Vec::new();
    for number in 0..6 {
        let new = NewAgent {
            name: Some(format!("before-{number}")),
            start: false,
            ..new(Provider::Codex, &folder, None)
        };
        agents.push(user.agent(Command::NewAgent(new)).await.expect("made").id);
    }
    let mut work = tokio::task::JoinSet::new();
    for agent in agents {
        // Each writes the whole agent, one with another name, one without terminals.
        let name = format!("after-{agent}");
        let stop = Command::StopAgent { agent };
        for command in [stop.clone(), Command::RenameAgent { agent, name }, stop] {
            let client = user.client.clone();
            let _ = work.spawn(async move { client.request(command).await });
        }
    }
    while let Some(done) = work.join_next().await {
        let _ = done.expect("no panic").expect("done");
    }
    let names = |agents: Vec<Agent>| agents.into_iter().map(|agent| agent.name).collect::<Vec<_>>();
    let known = names(user.world(false).await.agents);
    stop(&host).await;
    let host = place.host_with(options).await;
    let user = User::of(&host).await;
    assert_eq!(names(user.world(false).await.agents), known);
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_was_removed_does_not_come_back() {
    let place = Place::new();
    let folder = place.folder("work");
    let host = place
        .host_with(|options| {
            options.detected = vec![provider(Provider::Codex, place.script("codex", TUI))];
        })
        .await;
    let user = User::of(&host).await;
    let mut work = tokio::task::JoinSet::new();
    for number in 0..12 {
        let new = NewAgent {
            name: Some(format!("n{number}")),
            start: false,
            ..new(Provider::Codex, &folder, None)
        };
        let agent = user.agent(Command::NewAgent(new)).await.expect("made").id;
        let name = format!("renamed-{number}");
        for command in [Command::RenameAgent { agent, name }, Command::RemoveAgent { agent }] {
            let client = user.client.clone();
            let _ = work.spawn(async move { client.request(command).await });
        }
    }
    while let Some(done) = work.join_next().await {
        // The name may come too late, which is no failure here.
        let _ = done.expect("no panic");
    }
    assert_eq!(user.world(false).await.agents, []);
    stop(&host).await;
    let host = place.host().await;
    assert_eq!(User::of(&host).await.world(false).await.agents, []);
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_that_fails_is_told_before_the_answer() {
    let place = Place::new();
    let repository = place.folder("shop");
    git(&repository, &["init", "-q"]);
    git(&repository, &["commit", "-q", "--allow-empty", "-m", "first"]);
    let hook = repository.join(".git/hooks/post-checkout");
    std::fs::rename(place.script("hook", "echo no luck >&2; exit 1"), &hook).expect("moved");
    let host = place.host().await;
    let (client, mut incoming) = host.connect().await.expect("connected");
    assert!(client.request(Command::World { follow: true }).await.is_ok());
    let branch = Branch::New { name: "x".into(), base: None };
    let made = client.request(Command::NewWorktree { repository, branch, path: None }).await;
    assert!(matches!(made, Ok(Reply::Worktree(_))), "{made:?}");
    // Only what came before the answer.
    let mut told = false;
    while let Ok(heard) = incoming.try_recv() {
        told |= matches!(heard, Incoming::Event { event: Event::Problem { agent: None, text }, .. }
            if text.contains("no luck"));
    }
    assert!(told, "the answer came first");
    stop(&host).await;
}

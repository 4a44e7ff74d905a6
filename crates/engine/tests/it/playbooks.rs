//! Playbooks as clients see them.

use std::fs;
use std::path::PathBuf;

use maestro_core::agent::Provider;
use maestro_core::playbook::{FindingKind, Plan};
use maestro_core::run::{Options, Spec};
use maestro_protocol::message::{Command, ErrorKind, Event, Reply};

use crate::harness::{Place, User, provider, stop};

fn spec(place: &Place, document: &str) -> Spec {
    Spec {
        documents: vec![place.path(document)],
        directory: place.folder("work"),
        provider: Provider::Demo,
        agent: None,
        model: None,
        turn_timeout_s: 60,
        silence_timeout_s: 0,
        verify_timeout_s: 60,
        attempts: 1,
        unattended: true,
        options: Options::default(),
    }
}

async fn plan(user: &User, spec: &Spec) -> Plan {
    match user.ask(Command::PlanRun(spec.clone())).await {
        Ok(Reply::Plan(plan)) => *plan,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_run_only_after_they_were_agreed_to() {
    let place = Place::new();
    let work = place.folder("work");
    fs::write(work.join("a.md"), "- [ ] one\n  - verify: touch ran\n").expect("a document");
    let program = place.script("demo", "exit 1");
    let detected = vec![provider(Provider::Demo, program)];
    let host = place.host_with(|options| options.detected = detected).await;
    let user = User::of(&host).await;
    let mut spec = spec(&place, "work/a.md");

    let unknown = Command::TrustCommands { hash: "00".to_owned(), trusted: true };
    assert_eq!(user.ask(unknown).await.expect_err("unknown").kind, ErrorKind::NotFound);
    let before = plan(&user, &spec).await;
    assert!(!before.is_trusted, "{before:?}");
    assert_eq!(
        (before.commands.as_slice(), before.tasks.len()),
        (["touch ran".to_owned()].as_slice(), 1)
    );
    assert!(!work.join("ran").exists() && before.tasks[0].prompt.contains("touch ran"));

    for agreed in [None, Some("00".to_owned())] {
        spec.options.trusted = agreed;
        let refused = user.ask(Command::StartRun(spec.clone())).await.expect_err("a refusal");
        assert_eq!(refused.kind, ErrorKind::Untrusted);
        assert!(refused.message.contains("\n  touch ran"), "{refused}");
    }
    assert_eq!(user.ask(Command::ListRuns).await, Ok(Reply::Runs(Vec::new())), "no run was begun");
    user.done(Command::TrustCommands { hash: before.hash.clone(), trusted: true }).await;
    spec.options.trusted = None;
    assert!(plan(&user, &spec).await.is_trusted);
    // Another command is another set.
    fs::write(work.join("a.md"), "- [ ] one\n  - verify: touch ran\n  - verify: touch other\n")
        .expect("a document");
    let refused = user.ask(Command::StartRun(spec.clone())).await.expect_err("a refusal");
    assert_eq!(refused.kind, ErrorKind::Untrusted);
    fs::write(work.join("a.md"), "- [ ] one\n  - verify: touch ran\n").expect("a document");
    user.done(Command::TrustCommands { hash: before.hash.clone(), trusted: false }).await;
    assert!(!plan(&user, &spec).await.is_trusted);
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn playbooks_are_made_listed_and_looked_over() {
    let place = Place::new();
    let work = place.folder("work");
    let books = work.join(".maestro/playbooks");
    let host = place.host().await;
    let user = User::of(&host).await;
    let new = Command::NewPlaybook { folder: books.join("mine"), from: None };
    assert!(matches!(user.ask(new.clone()).await, Ok(Reply::Playbooks(found)) if found.len() == 1));
    assert_eq!(user.ask(new).await.expect_err("it is there").kind, ErrorKind::Busy);

    let list = Command::ListPlaybooks { directory: work.clone() };
    let Ok(Reply::Playbooks(found)) = user.ask(list).await else { panic!("no list") };
    assert_eq!((found[0].playbook.name.as_str(), found[0].shipped), ("mine", false));
    let find = |directory| user.ask(Command::FindPlaybooks { directory });
    let folder = |path: PathBuf| Ok(Reply::Text(Some(path.display().to_string())));
    assert_eq!(find(work.clone()).await, folder(books.clone()));
    // Where there are none yet, they will be where most have them.
    let other = place.folder("other");
    assert_eq!(find(other.clone()).await, folder(other.join(".maestro/playbooks")));
    let former = other.join("Auto Run Docs");
    fs::create_dir_all(&former).expect("a folder");
    assert_eq!(find(other).await, folder(former));
    let older = Command::ListOlderRuns { before: maestro_core::RunId(7) };
    assert_eq!(user.ask(older).await, Ok(Reply::Runs(Vec::new())));
    let shipped: Vec<_> = found.iter().filter(|found| found.shipped).collect();
    assert!(shipped.len() >= 6 && shipped.iter().all(|found| found.problem.is_none()));

    // A copy of one that came with Maestro is one's own.
    let from = Some(shipped[0].folder.clone());
    let copy = Command::NewPlaybook { folder: books.join("copy"), from };
    let Ok(Reply::Playbooks(copy)) = user.ask(copy).await else { panic!("no copy") };
    assert_eq!((copy[0].playbook.name.as_str(), &copy[0].problem), ("copy", &None));

    fs::write(books.join("mine/1-first.md"), b"- [ ] caf\xe9\n").expect("a document");
    let check = Command::CheckDocuments { paths: vec![books.join("mine")] };
    let Ok(Reply::Findings(findings)) = user.ask(check).await else { panic!("no findings") };
    assert_eq!(findings[0].kind, FindingKind::Document);
    assert!(findings[0].text.contains("1-first.md") && findings[0].text.contains("UTF-8"));
    for command in [
        Command::ListPlaybooks { directory: "relative".into() },
        Command::CheckDocuments { paths: vec!["relative".into()] },
        Command::NewPlaybook { folder: "relative".into(), from: None },
    ] {
        assert_eq!(user.ask(command).await.expect_err("no").kind, ErrorKind::Invalid);
    }
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_follows_a_folder_is_told_what_changes_in_it() {
    let place = Place::new();
    let work = place.folder("work").canonicalize().expect("a path");
    fs::write(work.join("a.md"), "- [ ] one\n- [x] two\n").expect("a document");
    let host = place.host().await;
    let user = User::of(&host).await;
    let _ = user.world(true).await;
    let list = Command::ListDocuments { folder: work.clone(), follow: true };
    let Ok(Reply::Documents(leaves)) = user.ask(list.clone()).await else { panic!("no list") };
    assert_eq!((leaves[0].path.as_str(), leaves[0].open, leaves[0].done), ("a.md", 1, 1));
    // A watch begins some time after it was asked for, and what comes before is in the list.
    let writer = std::thread::spawn({
        let work = work.clone();
        move || {
            for number in 0..20 {
                let _ = fs::write(work.join("b.md"), format!("- [ ] {number}\n"));
                std::thread::sleep(std::time::Duration::from_millis(500));
            }
        }
    });
    user.until("the change is told", |state| {
        let told =
            |event: &&Event| matches!(event, Event::DocumentsChanged { folder } if *folder == work);
        state.events.iter().find(told).map(drop)
    })
    .await;
    let Ok(Reply::Documents(leaves)) = user.ask(list).await else { panic!("no list") };
    assert_eq!(leaves.len(), 2);
    stop(&host).await;
    let _ = writer.join();
}

//! What becomes a file: exports and images.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use maestro_core::TerminalId;
use maestro_core::agent::Provider;
use maestro_protocol::message::{Command, ErrorKind};

use crate::harness::{Place, User, provider, stop, wait};

fn export(terminal: TerminalId, path: impl Into<PathBuf>) -> Command {
    Command::ExportTerminal { terminal, path: path.into(), ansi: false }
}

/// The smallest bytes that begin like a PNG file.
fn png() -> Vec<u8> {
    b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR and the rest".to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn history_and_screen_are_exported_into_a_new_private_file() {
    let place = Place::new();
    let host = place.host().await;
    let user = User::of(&host).await;
    let terminal = user.sh("seq 1 6000; printf '\\033[31mred\\033[0m'").await.id;
    let _ = user.until_exit(terminal).await;
    let plain = place.path("plain.txt");
    user.done(export(terminal, &plain)).await;
    let lines: String = (1..=6000).map(|n| format!("{n}\n")).collect();
    let text = fs::read_to_string(&plain).expect("written");
    assert_eq!(text.trim_end(), lines + "red");
    let mode = fs::metadata(&plain).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let coloured = place.path("coloured.txt");
    let command = Command::ExportTerminal { terminal, path: coloured.clone(), ansi: true };
    user.done(command).await;
    let text = fs::read_to_string(&coloured).expect("written");
    assert!(text.starts_with("1\n2\n") && text.contains("\x1b["), "{:?}", text.get(..40));
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_there_is_left_alone_and_what_cannot_be_written_is_told() {
    let place = Place::new();
    let host = place.host().await;
    let user = User::of(&host).await;
    let terminal = user.sh("echo here; read x").await.id;
    user.until_read(terminal, "here").await;
    let taken = place.path("taken");
    fs::write(&taken, "mine").expect("written");
    let refused = |path: PathBuf| user.ask(export(terminal, path));
    let there = refused(taken.clone()).await.expect_err("it is there");
    assert_eq!(there.kind, ErrorKind::Invalid);
    assert!(there.message.contains("is there already"), "{there}");
    assert_eq!(fs::read_to_string(&taken).expect("read"), "mine");
    let link = place.path("link");
    std::os::unix::fs::symlink(place.path("nowhere"), &link).expect("made");
    assert_eq!(refused(link).await.expect_err("a link is there").kind, ErrorKind::Invalid);
    assert!(!place.path("nowhere").exists());
    let gone = refused(place.path("no/folder/file")).await.expect_err("no folder");
    assert_eq!(gone.kind, ErrorKind::NotFound);
    assert!(gone.message.contains("no/folder"), "{gone}");
    let relative = refused("file".into()).await.expect_err("relative");
    assert_eq!(relative.kind, ErrorKind::Invalid);
    let missing = user.ask(export(TerminalId(99), place.path("x"))).await.expect_err("none");
    assert_eq!(missing.kind, ErrorKind::NotFound);
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_leaves_no_half_of_an_export() {
    let place = Place::new();
    let Some(disk) = place.small_home("2m") else {
        eprintln!("SKIPPED: no small disk can be mounted here");
        return;
    };
    // The host lives elsewhere: only the export is to find no room.
    let host = place
        .host_with(|options| {
            options.home = maestro_protocol::Home::at(place.path("elsewhere")).expect("absolute");
        })
        .await;
    let user = User::of(&host).await;
    let terminal = user.sh("seq 1 9000").await.id;
    let _ = user.until_exit(terminal).await;
    disk.fill();
    let path = place.path("home").join("export.txt");
    let full = user.ask(export(terminal, &path)).await.expect_err("no room");
    assert_eq!(full.kind, ErrorKind::Failed);
    assert!(full.message.contains("export.txt cannot be written"), "{full}");
    assert!(!path.exists());
    disk.free();
    user.done(export(terminal, &path)).await;
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_of_what_never_ends_ends() {
    let place = Place::new();
    let host = place.host().await;
    let user = User::of(&host).await;
    let terminal = user.sh("yes it goes on and on").await.id;
    user.until_read(terminal, "it goes on").await;
    let path = place.path("flood.txt");
    user.done(export(terminal, &path)).await;
    let text = fs::read_to_string(&path).expect("written");
    assert!(text.lines().all(|line| line == "it goes on and on" || line.len() < 18));
    user.done(Command::CloseTerminal { terminal }).await;
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_stops_leaves_no_half_of_an_export_and_writes_nothing_more() {
    let place = Place::new();
    for round in 0..5 {
        let host = place.host().await;
        let user = User::of(&host).await;
        let terminal = user.sh("seq 1 9000").await.id;
        let _ = user.until_exit(terminal).await;
        let path = place.path(&format!("export-{round}"));
        let asking = {
            let (user, command) = (user.clone(), export(terminal, &path));
            tokio::spawn(async move { user.client.request(command).await })
        };
        // Now the file is there and not whole, or it is not even begun, or already whole.
        if round > 0 {
            wait("it is begun", || path.exists()).await;
        }
        stop(&host).await;
        let after = fs::read_to_string(&path).ok();
        let told = asking.await.expect("no panic");
        match &after {
            Some(text) => assert!(text.trim_end().ends_with("9000"), "half of it is there"),
            None => assert!(told.is_err(), "it was told to be there"),
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        assert_eq!(fs::read_to_string(&path).ok(), after, "it was written to after the end");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_is_saved_privately_and_its_path_is_pasted() {
    let place = Place::new();
    let host = place.host().await;
    let user = User::of(&host).await;
    let file = place.path("got");
    let script =
        format!("stty raw -echo; printf '\\033[?2004hready'; exec cat > {}", file.display());
    let terminal = user.sh(&script).await.id;
    user.until_read(terminal, "ready").await;
    user.done(Command::PasteImage { terminal, png: png() }).await;
    wait("the path comes", || fs::read(&file).is_ok_and(|got| got.ends_with(b"\x1b[201~"))).await;
    let got = fs::read_to_string(&file).expect("text");
    let path = got.strip_prefix("\x1b[200~").and_then(|got| got.strip_suffix("\x1b[201~"));
    let path = PathBuf::from(path.expect("in brackets"));
    assert_eq!(fs::read(&path).expect("saved"), png());
    let mode = fs::metadata(&path).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(path.starts_with(place.home().root()), "{}", path.display());
    for wrong in [b"".to_vec(), b"GIF89a".to_vec(), png()[..12].to_vec()] {
        let refused = user.ask(Command::PasteImage { terminal, png: wrong }).await;
        assert_eq!(refused.expect_err("no image").kind, ErrorKind::Invalid);
    }
    user.done(Command::CloseTerminal { terminal }).await;
    stop(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_is_handed_an_image_as_its_provider_takes_it() {
    let place = Place::new();
    let file = place.path("got");
    let script = format!("stty raw -echo; printf 'ready\\r\\n'; exec cat > {}", file.display());
    let program = place.script("claude", &script);
    let host = place
        .host_with(|options| options.detected = vec![provider(Provider::Claude, program)])
        .await;
    let user = User::of(&host).await;
    let agent = user.new_agent(Provider::Claude, &place.folder("work"), "one").await;
    let terminal = agent.ai_terminal.expect("it runs");
    user.until_read(terminal, "ready").await;
    user.done(Command::PasteImage { terminal, png: png() }).await;
    wait("the path comes", || fs::read(&file).is_ok_and(|got| got.ends_with(b".png"))).await;
    let _ = user.agent(Command::StopAgent { agent: agent.id }).await.expect("stopped");
    stop(&host).await;
}

//! What the user is told of agents, inside and outside the windows.

use maestro_core::conversation::Answer;
use maestro_core::notice::{Ask, Kind, Notice, Which};
use maestro_protocol::message::{Command, ErrorKind, Reply};

use crate::driver::Theatre;
use crate::harness::{User, stop, wait};

async fn listed(user: &User) -> Vec<Notice> {
    match user.ask(Command::Notices(Ask::List)).await {
        Ok(Reply::Notices(notices)) => notices,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_agent_that_asks_and_is_done_is_told_kept_and_handed_to_the_users_program() {
    let mut theatre = Theatre::new().await;
    let told = theatre.place.path("told");
    let lines = || std::fs::read_to_string(&told).unwrap_or_default();
    let tell = theatre.place.script(
        "tell",
        &format!(
            "echo \"$MAESTRO_NOTICE|$MAESTRO_NOTICE_TITLE|$MAESTRO_NOTICE_TEXT\" >> '{}'",
            told.display()
        ),
    );
    theatre.place.set("notices.command", &tell.display().to_string());
    let tab = theatre.new_tab().await;
    let _ = theatre.send(tab, "go").await.expect("kept");
    let mut player = theatre.player().await;
    let _ = player.hears().await;
    player.asks("r1", None).await;
    let asks = "needs_you|api needs you|may it run rm -r build?\n";
    wait("the program was told", || lines() == asks).await;
    let notices = listed(&theatre.user).await;
    let [asked] = &notices[..] else { panic!("{notices:?}") };
    assert_eq!((asked.kind, asked.agent, asked.read), (Kind::NeedsYou, Some(theatre.agent), false));
    assert_eq!(theatre.user.world(false).await.notices, notices);
    // It is answered, so nobody has to look any more.
    let answer = Command::Answer { tab, request: "r1".into(), answer: Answer::Once };
    let (reply, _) = tokio::join!(theatre.tab_reply(answer), player.takes());
    assert!(reply.is_ok());
    player.ends(Ok(())).await;
    wait("that it is done was told", || lines().contains("done|api is done|")).await;
    let notices = listed(&theatre.user).await;
    let kinds: Vec<_> = notices.iter().map(|notice| (notice.kind, notice.read)).collect();
    assert_eq!(kinds, [(Kind::Done, false), (Kind::NeedsYou, true)]);
    // In quiet hours nothing is told outside, and everything is kept.
    theatre.place.set("notices.quiet", "00:00-24:00");
    let _ = theatre.send(tab, "again").await.expect("kept");
    let _ = player.hears().await;
    player.asks("r2", None).await;
    let again = |notice: &Notice| notice.kind == Kind::NeedsYou && !notice.read;
    while !listed(&theatre.user).await.iter().any(again) {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let unread = Which::Agent(theatre.agent);
    theatre.user.done(Command::Notices(Ask::Mark { which: unread, read: true })).await;
    let before = listed(&theatre.user).await;
    assert!(before.len() == 3 && before.iter().all(|notice| notice.read), "{before:?}");
    assert_eq!(lines().lines().count(), 2);
    stop(&theatre.host).await;

    let host = theatre.place.host().await;
    let user = User::of(&host).await;
    assert_eq!(listed(&user).await, before, "they outlive a host");
    let none = user.ask(Command::Notices(Ask::Mark { which: Which::One(99), read: true })).await;
    assert_eq!(none.map_err(|error| error.kind), Err(ErrorKind::NotFound));
    user.done(Command::Notices(Ask::Clear)).await;
    assert_eq!(listed(&user).await, []);
    stop(&host).await;
}

#[tokio::test]
async fn what_is_set_can_be_tried_and_says_what_is_wrong() {
    let theatre = Theatre::new().await;
    let user = &theatre.user;
    theatre.place.set("notices.desktop", "never");
    let attempt = || user.ask(Command::Notices(Ask::Try));
    let nothing = attempt().await.expect_err("nothing is set");
    assert_eq!(nothing.kind, ErrorKind::Invalid);
    theatre.place.set("notices.command", "/nowhere/at/all --really");
    let missing = attempt().await.expect_err("there is no such program");
    assert_eq!(missing.to_string(), "notices.command: /nowhere/at/all is not installed");
    let good = theatre.place.script("tell", "exit 0");
    theatre.place.set("notices.command", &good.display().to_string());
    let told = format!("{} was run.", good.display());
    assert_eq!(attempt().await, Ok(Reply::Text(Some(told))));
    let bad = theatre.place.script("fail", "exit 3");
    theatre.place.set("notices.command", &bad.display().to_string());
    let failed = attempt().await.expect_err("it fails");
    assert!(failed.to_string().ends_with("fail failed: exit status: 3"), "{failed}");
    stop(&theatre.host).await;
}

//! Conversations with the real programs, as a user has them: from the command line, over a host that
//! dies, next to each other, and in the program's own interface and back.

use std::thread;

use maestro_core::AgentId;
use maestro_core::TabId;
use maestro_protocol::message::{Command as Order, Reply};

use super::composer::{connect, picture};
use super::*;

/// An agent that is only talked to, in its repository.
fn talker(provider: &str) -> Option<(World, PathBuf)> {
    talker_with(provider, "")
}

/// The same with more lines in the profile of its user, which is read when the host starts.
fn talker_with(provider: &str, more: &str) -> Option<(World, PathBuf)> {
    let world = World::new(provider)?;
    let path = world.place.user().join(".profile");
    let profile = fs::read_to_string(&path).expect("the user's profile");
    fs::write(&path, format!("{profile}\n{more}\n")).expect("written");
    let directory = world.repository();
    let dir = directory.display().to_string();
    let _ = world.ok(&["agent", "new", "it", "-p", provider, "-d", &dir, "--no-start"]);
    Some((world, directory))
}

impl World {
    /// Somebody says something and waits for the answer.
    fn says(&self, words: &str, more: &[&str]) -> Child {
        let mut command =
            self.maestro(&[&["agent", "send", "it", "--wait", words][..], more].concat());
        let _ = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("it starts")
    }

    fn tabs(&self) -> Value {
        self.json(&["agent", "tabs", "it"])
    }

    /// Waits until something is true of the first tab.
    fn tab(&self, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        self.tab_within(STEP, what, holds)
    }

    fn tab_within(&self, time: Duration, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let limit = Instant::now() + time;
        loop {
            let tab = self.tabs()[0].clone();
            if holds(&tab) {
                return tab;
            }
            assert!(Instant::now() < limit, "too late: {what}: {tab:#}");
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// Answers what is asked until the turn is over, and gives how it ended and how often it asked.
    fn answers(&self, mut turn: Child, answer: &[&str]) -> (Option<i32>, u32) {
        let limit = Instant::now() + STEP;
        let mut asked: Vec<Value> = Vec::new();
        let code = loop {
            if let Some(status) = turn.try_wait().expect("ours") {
                break status.code();
            }
            assert!(Instant::now() < limit, "the turn has no end: {:#}", self.tabs());
            let request = self.tabs()[0]["requests"][0]["id"].clone();
            if !request.is_null() && !asked.contains(&request) {
                let _ = self.ok(answer);
                asked.push(request);
            }
            thread::sleep(Duration::from_millis(100));
        };
        (code, asked.len() as u32)
    }

    fn requests(&self) -> String {
        fs::read_to_string(self.place.path("requests.jsonl")).unwrap_or_default()
    }

    /// What a failed step lets go on.
    fn released(&self) {
        let _ = end(self.maestro(&["queue", "release", "it"]), b"");
    }
}

fn is(tab: &Value, state: &str) -> bool {
    tab["state"] == state || tab["state"].get(state).is_some()
}

/// Asked and answered, stopped, gone on with in the next host, held to reading, two at once, a picture.
fn conversation(provider: &str) {
    let Some((world, directory)) = talker(provider) else { return };
    let there = |name: &str| directory.join(name).exists();

    let one = world.says("[[bash echo first > one.txt]] [[text Done with one.]]", &[]);
    let (code, asked) = world.answers(one, &["agent", "approve", "it"]);
    assert_eq!(code, Some(0), "{:#}", world.tabs());
    assert!(asked > 0, "it asks before it does it");
    let text = fs::read_to_string(directory.join("one.txt")).expect("allowed");
    assert_eq!(text.trim(), "first");
    let two = world.says("[[bash echo second > two.txt]] [[text Done with two.]]", &[]);
    let (_, asked) = world.answers(two, &["agent", "deny", "it", "--reason", "not that file"]);
    assert!(asked > 0 && !there("two.txt"), "{:#}", world.tabs());
    world.released();

    // A slow answer is stopped, in far less time than it would take.
    let mut slow =
        world.says("[[slow 80]] [[text A long answer, word by word, for a while.]]", &[]);
    let _ = world.tab("it works", |tab| is(tab, "working"));
    let began = Instant::now();
    let _ = world.ok(&["agent", "interrupt", "it"]);
    assert_eq!(wait(&mut slow, STEP), Some(1));
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
    let session = world.tab("it is over", |tab| !is(tab, "interrupting"))["session"].clone();
    assert!(session.is_string());

    // The next host goes on in the same session: the model is sent what was said before.
    let _ = world.ok(&["host", "stop"]);
    until("the host is gone", || world.place.host().is_none().then_some(()));
    until("its processes are gone", || world.place.children().is_empty().then_some(()));
    world.released();
    let before = world.requests().len();
    let said = world.ok(&["agent", "send", "it", "--wait", "[[text And the rest.]]"]);
    assert!(said.contains("And the rest."), "{said}");
    assert_eq!(world.tabs()[0]["session"], session);
    assert!(world.requests()[before..].contains("Done with one"), "the session is the old one");

    let sneaky = "[[bash echo x > sneaky.txt]] [[bash touch sneaky2.txt]] [[write sneaky3.txt x]] \
                  [[text Looked.]]";
    let (_, asked) =
        world.answers(world.says(sneaky, &["--read-only"]), &["agent", "approve", "it"]);
    let wrote = ["sneaky.txt", "sneaky2.txt", "sneaky3.txt"].map(there);
    assert_eq!(wrote, [false; 3], "read-only holds; it asked {asked} times");
    world.released();

    let picture = picture();
    let file = world.place.path("work/red.png");
    fs::write(&file, &picture).expect("written");
    give(&file);
    let before = world.requests().len();
    let file = file.display().to_string();
    let seen = world.ok(&["agent", "send", "it", "--wait", "[[text Seen.]]", "--image", &file]);
    assert!(seen.contains("Seen."), "{seen}");
    let sent = world.requests()[before..].to_owned();
    assert!(sent.contains("image/png") || sent.contains("data:image"), "the model gets the image");

    // Two tabs at once, each with its own answer: one writes at a time, and others may read beside it.
    let slow = |name: &str| format!("[[slow 4]] [[text I am {name} and nobody else.]]");
    let new = world.says(&slow("Berta"), &["--new-tab"]);
    let old = world.says(&slow("Anna"), &["--tab", "c1", "--read-only"]);
    let at_once = until("both work", || {
        let tabs = world.tabs();
        (is(&tabs[0], "working") && is(&tabs[1], "working")).then_some(tabs)
    });
    assert_ne!(at_once[0]["id"], at_once[1]["id"]);
    for (child, name, other) in [(new, "Berta", "Anna"), (old, "Anna", "Berta")] {
        let output = child.wait_with_output().expect("ours");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains(name) && !said.contains(other), "{said}");
    }
    let _ = world.ok(&["agent", "stop", "it"]);
    until("no process is left", || world.place.children().is_empty().then_some(()));
}

#[test]
fn claude_code_is_talked_to() {
    conversation("claude");
}

#[test]
fn codex_is_talked_to() {
    conversation("codex");
}

#[test]
fn opencode_is_talked_to() {
    conversation("opencode");
}

/// A plan that is used up: until when is known, and what is said meanwhile waits.
fn limited(provider: &str) {
    // Only accounts of Anthropic's have plans.
    let account = match provider {
        "claude" => "unset ANTHROPIC_API_KEY\nexport CLAUDE_CODE_OAUTH_TOKEN=sk-ant-oat01-fake",
        _ => "",
    };
    let Some((world, _)) = talker_with(provider, account) else { return };
    let turn = world.says("[[error plan]]", &[]);
    let tab = world.tab("it is limited", |tab| is(tab, "limited"));
    let until_ms = tab["state"]["limited"]["until_ms"].as_u64().expect("until when");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = u64::try_from(now.expect("after 1970").as_millis()).expect("fits");
    let minutes = until_ms.saturating_sub(now) / 60_000;
    assert!((50..=70).contains(&minutes), "in an hour, not in {minutes} minutes");
    let agent = world.json(&["agent", "show", "it"]);
    assert_eq!(agent["attention"]["state"], "limited", "{agent:#}");
    let why = world.ok(&["agent", "why", "it"]);
    assert!(why.contains("limit"), "{why}");
    let _ = world.ok(&["agent", "send", "it", "[[text Later.]]"]);
    let queue = world.ok(&["queue", "list"]);
    assert!(queue.contains("Later."), "it waits: {queue}");
    assert!(!world.requests().contains("Later."), "nothing is sent into a limit");
    drop(turn);
    let _ = world.ok(&["agent", "interrupt", "it"]);
    until("it waits no more", || (!is(&world.tabs()[0], "limited")).then_some(()));
    assert!(!world.requests().contains("Later."), "nor when the waiting is stopped");
}

/// A limit that ends while somebody watches: the turn goes on by itself, also in another host, once; and
/// not where its user said so.
fn resumes(provider: &str) {
    let account = match provider {
        "claude" => "unset ANTHROPIC_API_KEY\nexport CLAUDE_CODE_OAUTH_TOKEN=sk-ant-oat01-fake",
        _ => "",
    };
    let Some((world, _)) = talker_with(provider, account) else { return };
    let _ = world.ok(&["agent", "send", "it", "[[error plan:15]] [[text Went on by itself.]]"]);
    let _ = world.tab("it is limited", |tab| is(tab, "limited"));
    let _ = world.ok(&["agent", "send", "it", "[[text Then this.]]"]);
    // Switched off and on again, and then another host waits.
    let _ = world.ok(&["agent", "resume", "it", "--alone", "off"]);
    let tab = world.tab("it waits for its user", |tab| is(tab, "limited"));
    assert_eq!(tab["state"]["limited"]["resumes"], false, "{tab:#}");
    let queue = world.ok(&["queue", "list"]);
    assert!(queue.contains("does not go on by itself"), "{queue}");
    let _ = world.ok(&["agent", "resume", "it", "--alone", "on"]);
    let _ = world.ok(&["host", "stop"]);
    until("the host is gone", || world.place.host().is_none().then_some(()));
    let before = world.requests().matches("Went on by itself").count();
    let queue = world.ok(&["queue", "list"]);
    assert!(queue.contains("Then this."), "it waits: {queue}");
    assert!(!queue.contains("is held"), "for the limit, and for nobody: {queue}");
    // Codex names whole minutes, and work goes on up to 75 s after the end of a limit: see `limits`.
    let time = Duration::from_secs(60 + 75) + STEP;
    let over = |tab: &Value| tab["turns"].as_u64() >= Some(3) && is(tab, "idle");
    let _ = world.tab_within(time, "it is over", over);
    let sent = world.requests();
    assert!(sent.matches("Went on by itself").count() > before, "it was said again");
    let (first, then) = (sent.find("Went on by itself"), sent.find("Then this."));
    assert!(first < then, "and then what waited");
    let _ = world.ok(&["agent", "stop", "it"]);
}

#[test]
fn claude_code_goes_on_when_its_limit_ends() {
    resumes("claude");
}

#[test]
fn codex_goes_on_when_its_limit_ends() {
    resumes("codex");
}

#[test]
fn claude_code_waits_for_its_plan() {
    limited("claude");
}

#[test]
fn codex_waits_for_its_plan() {
    limited("codex");
}

/// The same session as a conversation, in the program's own interface, and as a conversation again.
fn moves(provider: &str, ready: &str) {
    let Some((world, _)) = talker(provider) else { return };
    let _ = world.ok(&["agent", "send", "it", "--wait", "[[text Said in the tab.]]"]);
    let tab = world.tabs()[0].clone();
    let id: TabId = tab["id"].as_str().expect("an id").parse().expect("an id");
    let agent = world.json(&["agent", "show", "it"]);
    let agent: AgentId = agent["id"].as_str().expect("an id").parse().expect("an id");
    let (mut link, relay) = connect(&world);
    let size = maestro_core::screen::Size { cols: 120, rows: 40, cell_width: 8, cell_height: 16 };
    let reply = link.request(Order::ToTerminal { tab: id, size }, STEP).expect("it moves");
    drop(reply);
    let _ = answering(&world, "it", "its interface shows the conversation", |screen| {
        question(screen).is_none()
            && screen.contains("Said in the tab.")
            && ready.split('|').any(|words| screen.contains(words))
    });
    let _ = world.ok(&["agent", "send", "it", "[[text Not here.]]"]);
    let queue = world.ok(&["queue", "list"]);
    assert!(queue.contains("Not here."), "it waits: {queue}");
    assert!(queue.contains("waits for terminal t"), "it says for what: {queue}");
    assert!(world.tabs()[0]["place"]["terminal"].is_string(), "it says where: {:#}", world.tabs());
    let _ = world.ok(&["queue", "remove", "q2"]);
    assert!(!world.requests().contains("Not here."));
    type_in(&world, "it", "[[text Said in the interface.]]");
    let _ = answering(&world, "it", "it answers", |screen| {
        told(screen, "Said in the interface.") > told(screen, "Said in the interface.]]")
    });
    // While it works there it stays there.
    let reply = until("it moves back", || link.request(Order::ToConversation { agent }, STEP).ok());
    assert!(matches!(reply, Reply::Tab(_)), "{reply:?}");
    world.released();
    let said = world.ok(&["agent", "send", "it", "--wait", "--tab", "c1", "[[text Back again.]]"]);
    assert!(said.contains("Back again."), "{said}");
    let now = world.tabs()[0].clone();
    assert_eq!(now["session"], tab["session"], "one session all along");
    let reply = link.request(Order::OpenTab { tab: id, last: 100, follow: false }, STEP);
    let Ok(Reply::Entries(page)) = reply else { panic!("no entries: {reply:?}") };
    let text = format!("{page:?}");
    let places: Vec<Option<usize>> = ["Said in the tab.", "Said in the interface.", "Back again."]
        .map(|words| text.find(words))
        .into();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?}: {text}");
    let mut relay = relay;
    let _ = relay.kill();
    let _ = relay.wait();
}

/// A session goes on in a worktree, as a conversation: it knows what was said, and works there.
fn goes_on_elsewhere(provider: &str, same: bool) {
    let Some((world, directory)) = talker(provider) else { return };
    let _ = world.ok(&["agent", "send", "it", "--wait", "[[text Said in the first place.]]"]);
    let session = world.tabs()[0]["session"].as_str().expect("a session").to_owned();
    let _ = world.ok(&["agent", "remove", "it"]);
    until("its processes are gone", || world.place.children().is_empty().then_some(()));
    until("it is found", || {
        let found = world.json(&["sessions", "search", "first", "place"]);
        found.to_string().contains(&session).then_some(())
    });
    let resume = ["sessions", "resume", &session, "--conversation", "--worktree", "elsewhere"];
    let _ = world.ok(&[&resume[..], &["--name", "it"]].concat());
    let agent = world.json(&["agent", "show", "it"]);
    let there = PathBuf::from(agent["directory"].as_str().expect("a directory"));
    assert!(there != directory && there.join(".git").exists(), "{agent:#}");
    let before = world.requests().len();
    let turn = world.says("[[bash echo here > here.txt]] [[text Said elsewhere.]]", &[]);
    let (code, _) = world.answers(turn, &["agent", "approve", "it"]);
    assert_eq!(code, Some(0), "{:#}", world.tabs());
    assert!(there.join("here.txt").exists(), "it works there");
    assert!(!directory.join("here.txt").exists(), "and not where it was");
    let sent = world.requests()[before..].to_owned();
    assert!(sent.contains("Said in the first place."), "it knows what was said");
    // Where a session cannot leave its directory, a new one is told what was said.
    assert_eq!(world.tabs()[0]["session"] == session, same);
    let _ = world.ok(&["agent", "stop", "it"]);
}

#[test]
fn a_session_of_claude_code_goes_on_in_a_worktree() {
    goes_on_elsewhere("claude", true);
}

#[test]
fn a_session_of_codex_goes_on_in_a_worktree() {
    goes_on_elsewhere("codex", true);
}

#[test]
fn a_session_of_opencode_goes_on_in_a_worktree() {
    goes_on_elsewhere("opencode", false);
}

#[test]
fn a_session_of_codex_moves_to_its_interface_and_back() {
    moves("codex", "›|context left");
}

#[test]
fn a_session_of_opencode_moves_to_its_interface_and_back() {
    moves("opencode", "ctrl+p|commands|Ask anything");
}

#[test]
fn a_session_of_claude_code_moves_to_its_interface_and_back() {
    moves("claude", "? for shortcuts|❯");
}

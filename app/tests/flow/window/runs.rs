//! Auto Run in the real window, from the first checklist to the history: by keys alone, with the demo
//! agent.

use std::thread;

use super::terminal::prepared;
use super::*;

const FIRST: &str = "# First things\n\nWords about them.\n\n\
    - [ ] Greet [[write greeting.txt hello]]\n  - verify: grep -q hello greeting.txt\n\
    - [ ] Wrong [[text Nothing was done.]]\n  - verify: test -f never.txt\n\
    - [ ] Hangs [[lines 40]] [[hang]]\n\
    - [ ] Nobody's\n";

const TAG: &str = "# Release\n\n- [ ] Tag it [[append tag.txt once]]\n";

/// A window that shows the checklists of a project.
struct Night<'a> {
    place: &'a Place,
    display: &'a Display,
    directory: std::path::PathBuf,
    _window: Window<'a>,
}

impl<'a> Night<'a> {
    fn open(place: &'a Place, display: &'a Display) -> Self {
        let directory = place.repository("shop");
        let folder = directory.join(".maestro/playbooks");
        fs::create_dir_all(folder.join("release")).expect("made");
        fs::write(folder.join("first.md"), FIRST).expect("written");
        fs::write(folder.join("release/tag.md"), TAG).expect("written");
        fs::write(directory.join(".git/info/exclude"), ".maestro/\n").expect("written");
        let dir = directory.display().to_string();
        let _ = place.ok(&["agent", "new", "api", "-p", "demo", "-d", &dir]);
        let _ = place.shows("api", "emo");
        let window = Window::open(place, display, &directory);
        let night = Self { place, display, directory, _window: window };
        night.changes("ctrl+shift+r");
        night
    }

    /// Presses keys one after the other; each is seen before the next.
    fn keys(&self, keys: &[&str]) {
        for key in keys {
            self.display.key(key);
            thread::sleep(Duration::from_millis(60));
        }
        let _ = self.display.settled();
    }

    /// Presses a key that changes what is to be seen, once.
    #[track_caller]
    fn changes(&self, key: &str) {
        let before = self.display.settled();
        self.display.key(key);
        until("the key shows something else", || {
            (different(&before, &self.display.picture()) > 0.005).then_some(())
        });
        let _ = self.display.settled();
    }

    fn document(&self, name: &str) -> String {
        self.place.read(self.directory.join(".maestro/playbooks").join(name))
    }

    /// Waits until a checklist on the disk is so.
    #[track_caller]
    fn written(&self, what: &str, holds: impl Fn(&str) -> bool) {
        until(what, || {
            thread::sleep(Duration::from_millis(50));
            holds(&self.document("first.md")).then_some(())
        });
    }

    /// Does a key again until a checklist on the disk is so.
    #[track_caller]
    fn until_written(&self, keys: &[&str], what: &str, holds: impl Fn(&str) -> bool) {
        until(what, || {
            self.keys(keys);
            holds(&self.document("first.md")).then_some(())
        });
    }

    fn runs(&self) -> usize {
        self.place.json(&["run", "list"]).as_array().map_or(0, Vec::len)
    }

    #[track_caller]
    fn becomes(&self, run: &str, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        until(what, || {
            thread::sleep(Duration::from_millis(50));
            Some(self.place.json(&["run", "show", run])).filter(|run| holds(run))
        })
    }
}

fn task<'v>(run: &'v Value, begins: &str) -> &'v Value {
    let tasks = run["tasks"].as_array().into_iter().flatten();
    let is = |task: &&Value| task["text"].as_str().is_some_and(|text| text.starts_with(begins));
    tasks.rev().find(is).unwrap_or(&Value::Null)
}

#[test]
fn a_night_is_prepared_watched_and_looked_over_without_the_mouse() {
    let Some((place, display)) = prepared() else { return };
    let night = Night::open(&place, &display);

    // The list: release, tag.md, first.md. The document opens, and its last box is ticked.
    night.keys(&["Home", "Down", "Down", "Return"]);
    night.keys(&["Down", "Down", "Down"]);
    night.keys(&["space"]);
    night.written("the box is ticked", |text| text.contains("- [x] Nobody's"));
    night.keys(&["u"]);
    night.written("the tick is taken back", |text| text == FIRST);
    night.keys(&["space"]);
    night.written("the box is ticked again", |text| text.contains("- [x] Nobody's"));

    // A task is inserted, found, ticked and opened again, taken back and made again.
    night.changes("n");
    display.types("Added [[write added.txt y]]");
    let added = "- [ ] Added [[write added.txt y]]";
    night.until_written(&["ctrl+s"], "the task is inserted", |text| text.contains(added));
    night.keys(&["alt+Return", "ctrl+s"]);
    night.written("its box is ticked", |text| text.contains("- [x] Added"));
    night.until_written(&["ctrl+z", "ctrl+s"], "it is taken back", |text| !text.contains("Added"));
    night.until_written(&["ctrl+y", "ctrl+s"], "it is made again", |text| {
        text.contains("- [x] Added [[write added.txt y]]")
    });
    night.until_written(&["alt+Return", "ctrl+s"], "the box is open", |text| text.contains(added));
    night.changes("ctrl+f");
    display.types("greet");
    night.keys(&["Return", "Escape"]);
    // What was found is selected: what is typed now replaces it.
    display.types("Hail");
    night.until_written(&["ctrl+s"], "the found word", |text| text.contains("- [ ] Hail [["));
    night.until_written(&["ctrl+z", "ctrl+s"], "as it was", |text| text.contains("- [ ] Greet [["));
    night.changes("Escape");

    // Two documents are chosen, put into another order, one of them as a fresh copy in two passes.
    night.keys(&["Tab", "Home", "Down", "space", "Down", "space"]);
    night.changes("g");
    night.keys(&["shift+Down", "space", "Down", "Down", "Down", "Right"]);
    night.keys(&["Down"; 8]);
    display.types("25");
    let _ = display.settled();
    let form = display.settled();
    display.key("Return");
    until("the dry run is shown", || (different(&form, &display.picture()) > 0.01).then_some(()));
    let _ = display.settled();
    assert_eq!(night.runs(), 0, "a dry run starts nothing");
    night.changes("Down");
    until("the commands are agreed to, and it begins", || {
        if night.runs() == 0 {
            display.key("Return");
            thread::sleep(Duration::from_secs(1));
        }
        (night.runs() == 1).then_some(())
    });

    // Its turn is to be seen as it comes.
    let run = night.becomes("r1", "the third task hangs", |run| {
        task(run, "Hangs")["state"] == "working" && task(run, "Wrong")["state"] == "failed"
    });
    let options = &run["spec"]["options"];
    let documents = run["spec"]["documents"].as_array().expect("documents");
    let last = |at: usize| documents[at].as_str().expect("a path").rsplit('/').next();
    assert_eq!((last(0), last(1)), (Some("first.md"), Some("tag.md")));
    assert_eq!(options["reset"], json!([documents[1]]));
    assert_eq!(options["loops"], json!({ "times": 2 }));
    assert_eq!(options["budgets"]["cost_usd"], 25.0);
    assert!(options["trusted"].is_string(), "{options}");
    night.keys(&["f"]);
    let shown = until("forty lines are to be seen", || {
        let talks = display.settled();
        display.key("Home");
        thread::sleep(Duration::from_millis(300));
        let quiet = display.settled();
        display.key("f");
        (different(&talks, &quiet) > 0.02).then_some(talks)
    });
    assert!(!shown.is_empty());
    // Somebody else cannot write in its document.
    assert!(night.document("first.md").contains("- [x] Greet"), "{}", night.document("first.md"));

    // It pauses when the task is settled, and the task is passed over.
    night.keys(&["f", "p"]);
    display.key("s");
    let run = night.becomes("r1", "it is paused", |run| run["state"].get("paused").is_some());
    assert_eq!(task(&run, "Hangs")["state"], "skipped");
    let _ = display.settled();
    assert_eq!(task(&night.place.json(&["run", "show", "r1"]), "Tag it"), &Value::Null);
    night.changes("p");
    let run = night.becomes("r1", "it has ended", |run| run["state"].get("ended").is_some());
    assert_eq!(task(&run, "Added")["state"], "done");
    assert_eq!(place.read(night.directory.join("tag.txt")), "once\n");
    assert_eq!(night.document("release/tag.md"), TAG, "it was worked on as a copy");
    let _ = display.settled();

    // Evidence, changes, the report.
    night.keys(&["Home", "f", "Home"]);
    night.changes("e");
    night.changes("d");
    night.changes("o");
    let report = run["report"].as_str().expect("a report");
    assert!(place.read(report).contains("Greet"));

    // What failed is tried again, now that it can be done.
    fs::write(night.directory.join("never.txt"), "there").expect("written");
    night.keys(&["Home", "Down", "r"]);
    let again =
        night.becomes("r2", "the task is tried again", |run| run["state"].get("ended").is_some());
    assert_eq!(task(&again, "Wrong")["state"], "done");
    assert!(night.document("first.md").contains("- [x] Wrong"));
    let _ = display.settled();

    // The run before it is shown, and what it did first is taken back.
    night.changes("bracketleft");
    night.keys(&["Home"]);
    until("it is undone", || {
        let before = display.settled();
        display.key("u");
        let asked = |_: &()| different(&before, &display.picture()) > 0.05;
        until("it is asked once more", || Some(()).filter(asked));
        let _ = display.settled();
        display.key("Return");
        let _ = display.settled();
        (!night.directory.join("greeting.txt").exists()).then_some(())
    });
    let run = night.becomes("r1", "it says so", |run| task(run, "Greet")["state"] == "undone");
    assert_eq!(task(&run, "Added")["state"], "done", "the others stay");
    night.written("its box is open", |text| text.contains("- [ ] Greet"));

    // Every run, found by words; the marked one opens, and the keyboard goes back to the agent.
    night.changes("3");
    night.keys(&["slash"]);
    let all = display.settled();
    display.types("Tag");
    until("one run is left", || (different(&all, &display.picture()) > 0.002).then_some(()));
    night.keys(&["Return"]);
    night.changes("Return");
    night.changes("ctrl+shift+r");
    display.types("hello again");
    let _ = place.shows("api", "hello again");
}

#[test]
fn an_image_is_kept_beside_its_checklist() {
    let Some((place, display)) = prepared() else { return };
    let night = Night::open(&place, &display);
    let picture = place.user().join("picture.png");
    let made = Command::new("convert").args(["-size", "64x48", "xc:teal"]).arg(&picture).status();
    assert!(made.expect("imagemagick is there").success());
    let mut holder = place.program("xclip");
    let _ = holder.env("DISPLAY", &display.name);
    let _ = holder.args(["-quiet", "-selection", "clipboard", "-t", "image/png", "-i"]);
    let mut holder = holder.arg(&picture).spawn().expect("it runs");
    until("the image can be had", || {
        let mut xclip = place.program("xclip");
        let _ = xclip.env("DISPLAY", &display.name);
        let _ = xclip.args(["-o", "-selection", "clipboard", "-t", "TARGETS"]);
        let targets = xclip.output().ok()?.stdout;
        String::from_utf8_lossy(&targets).contains("image/png").then_some(())
    });
    night.keys(&["Home", "Down", "Down", "Return"]);
    night.changes("e");
    display.key("ctrl+v");
    let images = night.directory.join(".maestro/playbooks/images");
    let kept = until("the image is kept", || {
        thread::sleep(Duration::from_millis(50));
        fs::read_dir(&images).ok()?.flatten().next()
    });
    let link = format!("![](images/{})", kept.file_name().to_string_lossy());
    night.until_written(&["ctrl+s"], "it is linked", |text| text.contains(&link));
    let size = fs::metadata(kept.path()).expect("a file").len();
    assert!(size > 0, "the image is empty");
    let _ = holder.kill();
    let _ = holder.wait();
}

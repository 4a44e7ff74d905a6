//! The window on Wayland: it starts, draws, does what it is told and ends, under a compositor without a screen.

use std::path::PathBuf;

use super::*;

/// A compositor that nobody sees; it ends with the test.
struct Compositor {
    child: Child,
    folder: PathBuf,
}

impl Compositor {
    /// Nothing, said loudly, where there is none.
    fn new(place: &Place) -> Option<Self> {
        let missing = ["weston", "weston-screenshooter", "convert"]
            .into_iter()
            .find(|tool| !Path::new("/usr/bin").join(tool).exists());
        if let Some(missing) = missing {
            eprintln!("SKIPPED: Wayland: there is no `{missing}` (apt install weston imagemagick)");
            return None;
        }
        let folder = place.user();
        let log = fs::File::create(place.path("weston.log")).expect("made");
        let child = place
            .program("weston")
            .args(["--backend=headless-backend.so", "--socket=wayland-flow", "--use-pixman"])
            .args(["--width=1280", "--height=800", "--idle-time=0", "--debug"])
            .env("XDG_RUNTIME_DIR", &folder)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("started");
        let socket = folder.join("wayland-flow");
        until("the compositor is there", || socket.exists().then_some(()));
        Some(Self { child, folder })
    }

    /// What is to be seen, as bytes of red, green and blue.
    fn picture(&self, place: &Place) -> Vec<u8> {
        let shots = place.path("shots");
        let _ = fs::remove_dir_all(&shots);
        fs::create_dir(&shots).expect("a folder");
        let mut shooter = place.program("weston-screenshooter");
        let _ = shooter
            .env("XDG_RUNTIME_DIR", &self.folder)
            .env("WAYLAND_DISPLAY", "wayland-flow")
            .current_dir(&shots)
            .status();
        let Some(shot) = fs::read_dir(&shots).expect("a folder").flatten().next() else {
            return Vec::new();
        };
        let bytes =
            Command::new("convert").arg(shot.path()).args(["-depth", "8", "rgb:-"]).output();
        bytes.map(|output| output.stdout).unwrap_or_default()
    }
}

impl Drop for Compositor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_window_starts_draws_and_ends_on_wayland() {
    let mut place = Place::new();
    let Some(compositor) = Compositor::new(&place) else { return };
    place.set("XDG_RUNTIME_DIR", &compositor.folder);
    let repository = place.repository("shop");
    let dir = repository.display().to_string();
    let _ = place.ok(&["agent", "new", "sh", "-p", "shell", "-d", &dir]);
    let empty = until("there is something to be seen", || {
        let picture = compositor.picture(&place);
        (!picture.is_empty()).then_some(picture)
    });
    let log = fs::File::create(place.path("window.log")).expect("made");
    let mut window = place
        .command(Vec::<&str>::new())
        .env("WAYLAND_DISPLAY", "wayland-flow")
        .env_remove("DISPLAY")
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("started");
    until("the window is drawn", || {
        assert!(matches!(window.try_wait(), Ok(None)), "{}", place.read("window.log"));
        (different(&empty, &compositor.picture(&place)) > 0.5).then_some(())
    });
    // It does what it is told, and shows it.
    let before = compositor.picture(&place);
    // It is drawn before the host knows it.
    until("it does what it is told", || {
        (place.run(&["do", "settings.page"]).code == Some(0)).then_some(())
    });
    until("the settings are shown", || {
        (different(&before, &compositor.picture(&place)) > 0.01).then_some(())
    });
    let _ = place.ok(&["do", "window.quit"]);
    assert_eq!(wait(&mut window, DEADLINE), Some(0), "{}", place.read("window.log"));
    assert_eq!(place.json(&["agent", "list"])[0]["name"], json!("sh"), "its agents go on");
}

//! A graphics device that goes away while the window draws.

use super::terminal::prepared;
use super::*;

#[test]
fn a_window_outlives_its_graphics_devices() {
    let drivers = fs::read_dir("/usr/share/vulkan/icd.d").is_ok_and(|mut dir| dir.next().is_some());
    if !drivers || !cfg!(debug_assertions) {
        eprintln!("SKIPPED: a device that is lost: there is none, or this is a release build");
        return;
    }
    let Some((mut place, display)) = prepared() else { return };
    let repository = place.repository("shop");
    let dir = repository.display().to_string();
    let _ = place.ok(&["agent", "new", "desk", "-p", "shell", "-d", &dir]);
    let _ = place.shows("desk", "ready>");
    place.set("MAESTRO_LOSE_DEVICE_AFTER", "25");
    let window = Window::open(&place, &display, &repository);
    let environment = format!("/proc/{}/environ", window.child.id());
    let mut known = String::new();
    // Drawn again with every key, and lost: first a new device is looked for, then none any more.
    for word in ["MAESTRO_DEVICE_LOST_AT=", "ICED_BACKEND=tiny-skia"] {
        known = until("the window begins anew", || {
            display.key("ctrl+alt+1");
            display.types("x");
            let bytes = fs::read(&environment).unwrap_or_default();
            let text = String::from_utf8_lossy(&bytes).into_owned();
            text.contains(word).then_some(text)
        });
    }
    assert!(known.contains("MAESTRO_SOFTWARE_BECAUSE="), "{known}");
    until("the window is there", || {
        let found = display.xdotool(&["search", "--onlyvisible", "--class", "maestro"]);
        (!found.is_empty()).then_some(())
    });
    let _ = display.settled();
    // It shows the same shell, which has noticed nothing, and takes keys to it.
    display.key("ctrl+alt+1");
    display.key("ctrl+c");
    until("keys arrive", || {
        display.types("echo still-$((40+2))");
        display.key("Return");
        place.ok(&["terminal", "show", "desk"]).contains("still-42").then_some(())
    });
}

//! Names as nobody should give them.

use super::long::texts;
use super::*;

#[test]
fn no_name_breaks_a_screen_or_gets_through_as_it_is() {
    font::load();
    let mut renderer = crate::window::bench::renderer().expect("software draws");
    let long = "w".repeat(10_000);
    let many = "many words ".repeat(1_000);
    for name in [
        "👩‍👩‍👧‍👦🏳️‍🌈 night",
        "שלום עולם",
        "مرحبا bidi 123",
        "e\u{301}\u{302}\u{303}\u{304}\u{305}",
        "a\u{202e}gpj.exe",
        "bell\u{7} and \u{1b}[31mred\u{1b}]0;title\u{7}",
        "two\nlines\r\n\tand a tab",
        "\u{0}\u{fffd}\u{feff}\u{200b}",
        "",
        "   ",
        long.as_str(),
        many.as_str(),
    ] {
        let mut world = scene::world();
        for agent in &mut world.agents {
            agent.name = name.to_owned();
            agent.branch = Some(name.to_owned());
            agent.group = Some(name.to_owned());
            agent.attention.because = name.to_owned();
        }
        world.tabs = scene::tabs();
        world.tabs.iter_mut().for_each(|tab| tab.title = name.to_owned());
        for size in [Size::new(1280.0, 800.0), Size::new(400.0, 300.0)] {
            let mut shell = Shell::of(world.clone(), size, &theme::NOCTURNE);
            for id in [Id::Palette, Id::OverlayCancel, Id::AgentRename, Id::OverlayCancel] {
                let _ = shell.update(Message::Command(id));
                let shown: Vec<char> = name.chars().take(12).collect();
                for (place, text) in texts(&shell, size, &mut renderer) {
                    assert!(place.x + place.width <= size.width + 1.0, "{shown:?}: {place:?}");
                    let hostile = |c: char| {
                        c.is_control()
                            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
                    };
                    assert!(!text.contains(hostile), "{shown:?} {id:?}: {text:?}");
                }
            }
        }
    }
}

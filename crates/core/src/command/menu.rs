//! The menus of the system, for platforms that have them, made from the registry.

use super::{ALL, Group, Id, Place};
use crate::keymap::Keymap;

/// A menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Menu {
    /// Its title.
    pub title: &'static str,
    /// Its sections, with a line between them.
    pub sections: Vec<Vec<Item>>,
}

/// A command in a menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Which.
    pub id: Id,
    /// What it is called, with its chord.
    pub title: String,
    /// Whether it can be run now.
    pub enabled: bool,
}

/// What each menu has, section by section. What moves in lists, in dialogs and in vi mode is in none.
const MENUS: [(&str, &[Group]); 6] = [
    ("Agents", &[Group::Agents, Group::Queue]),
    ("Panes", &[Group::Panes, Group::Terminal]),
    ("Conversation", &[Group::Conversation, Group::Sessions]),
    ("Auto Run", &[Group::Runs]),
    ("Changes", &[Group::Changes]),
    ("View", &[Group::View, Group::Window]),
];

/// All menus. A chord stands in the title, as text: as an accelerator the system would take the key before
/// the window could tell what it means where the keyboard is, and could not take two chords at all.
#[must_use]
pub fn menus(place: Place, keymap: &Keymap) -> Vec<Menu> {
    let item = |command: &super::Command| Item {
        id: command.id,
        title: match keymap.title(command.id) {
            Some(chord) => format!("{}\u{2003}{chord}", command.title),
            None => command.title.to_owned(),
        },
        enabled: command.unavailable(place).is_none(),
    };
    let section = |group: &Group| {
        let own = ALL.iter().filter(|command| command.listed && command.group == *group);
        own.map(item).collect::<Vec<_>>()
    };
    let menu = |(title, groups): (&'static str, &[Group])| Menu {
        title,
        sections: groups.iter().map(section).filter(|section| !section.is_empty()).collect(),
    };
    MENUS.map(menu).into()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::keymap::Platform;

    #[test]
    fn every_command_of_the_palette_is_in_one_menu() {
        let menus = menus(Place::FULL, &Keymap::new(Platform::Mac));
        let items = || menus.iter().flat_map(|menu| menu.sections.iter().flatten());
        let found: BTreeSet<&str> = items().map(|item| item.id.name()).collect();
        assert_eq!(items().count(), found.len(), "none is there twice");
        for command in ALL {
            let aside = matches!(command.group, Group::Navigation | Group::Vi);
            assert_eq!(found.contains(command.name), command.listed && !aside, "{}", command.name);
        }
        for menu in &menus {
            assert!(!menu.sections.is_empty(), "{}", menu.title);
        }
    }

    #[test]
    fn chords_and_what_is_possible_are_the_windows_own() {
        let of = |menus: &[Menu], id: Id| {
            let mut items = menus.iter().flat_map(|menu| menu.sections.iter().flatten());
            items.find(|item| item.id == id).cloned().expect("an item")
        };
        let mac = menus(Place::default(), &Keymap::new(Platform::Mac));
        let other = menus(Place::FULL, &Keymap::new(Platform::Other));
        for (id, in_mac, in_other) in [
            (Id::AgentNew, ("⌘N", true), ("Ctrl+N", true)),
            (Id::Quit, ("⌘Q", true), ("Ctrl+Shift+Q", true)),
            (Id::Clear, ("", false), ("", true)),
        ] {
            for (menus, (chord, enabled)) in [(&mac, in_mac), (&other, in_other)] {
                let item = of(menus, id);
                assert!(item.title.ends_with(chord), "{item:?}");
                assert_eq!(item.enabled, enabled, "{item:?}");
            }
        }
    }
}

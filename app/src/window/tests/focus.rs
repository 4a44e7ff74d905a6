//! Where the keyboard is: always somewhere, and with Escape always one step further back.

use super::*;

/// Contexts in which nothing lies over the window.
fn is_home(context: Context) -> bool {
    matches!(
        context,
        Context::Main
            | Context::Terminal
            | Context::Broadcast
            | Context::Composer
            | Context::Conversation
            | Context::Entries
            | Context::Request
            | Context::Agents
    )
}

#[test]
fn escape_leads_back_from_everywhere() {
    let mut stuck = Vec::new();
    for name in scene::NAMES {
        let mut shell = shell(name);
        let mut seen = vec![shell.context_for_tests()];
        while !is_home(seen[seen.len() - 1]) && seen.len() < 8 {
            let _ = apply(&mut shell, named(key::Named::Escape));
            seen.push(shell.context_for_tests());
        }
        if !is_home(seen[seen.len() - 1]) {
            stuck.push((name, seen));
        }
    }
    assert!(stuck.is_empty(), "{stuck:#?}");
}

#[test]
fn regions_come_round_in_both_directions() {
    for name in ["grid", "conversation", "single", "strip"] {
        let round = |id: Id| {
            let mut shell = shell(name);
            let mut seen = vec![shell.context_for_tests()];
            for _ in 0..6 {
                let _ = shell.update(Message::Command(id));
                seen.push(shell.context_for_tests());
                if seen[0] == seen[seen.len() - 1] {
                    break;
                }
            }
            assert_eq!(seen[0], seen[seen.len() - 1], "{name}: {seen:?}");
            assert!(seen.contains(&Context::Agents), "{name}: {seen:?}");
            seen
        };
        let (mut forward, back) = (round(Id::RegionNext), round(Id::RegionPrevious));
        forward.reverse();
        assert_eq!(forward, back, "{name}");
    }
}

use super::*;

fn composer(text: &str) -> Composer {
    let mut composer = Composer::default();
    for c in text.chars() {
        let _ = composer.update(Message::Acted(Act::Edit(Edit::Insert(c))));
    }
    composer
}

fn type_into(composer: &mut Composer, text: &str) -> Action {
    let mut action = Action::None;
    for c in text.chars() {
        action = composer.update(Message::Acted(Act::Edit(Edit::Insert(c))));
    }
    action
}

#[test]
fn undo_goes_word_by_word_and_redo_comes_back() {
    let mut composer = composer("one two");
    assert_eq!(composer.undo(), Action::Changed);
    assert_eq!(composer.text(), "one ");
    let _ = composer.undo();
    let _ = composer.undo();
    assert_eq!(composer.text(), "");
    assert_eq!(composer.undo(), Action::None);
    let _ = composer.redo();
    let _ = composer.redo();
    let _ = composer.redo();
    assert_eq!(composer.text(), "one two");
    assert_eq!(composer.redo(), Action::None);
    let _ = composer.undo();
    let _ = type_into(&mut composer, "x");
    assert_eq!(composer.redo(), Action::None, "what was written since is not lost");
}

#[test]
fn a_mention_is_offered_at_the_beginning_of_a_word() {
    for (before, first, expected) in [
        ("@", true, Some((Kind::Files, 0))),
        ("see @src/ap", false, Some((Kind::Files, 4))),
        ("mail@example", true, None),
        ("/com", true, Some((Kind::Commands, 0))),
        ("/com arg", true, None),
        ("/usr/bin", true, None),
        ("x /com", true, None),
        ("/com", false, None),
        ("ü @", true, Some((Kind::Files, 3))),
        ("", true, None),
    ] {
        assert_eq!(begun(before, first), expected, "{before}");
    }
}

#[test]
fn a_file_is_inserted_in_place_of_its_letters() {
    let mut composer = composer("see ");
    assert_eq!(type_into(&mut composer, "@ro"), Action::Find("ro".to_owned()));
    assert!(!composer.has_popup(), "nothing was found yet");
    composer.found("r", vec!["README.md".to_owned()]);
    assert!(!composer.has_popup(), "what was found for other letters");
    composer.found("ro", vec!["src/routes.rs".to_owned(), "src/root.rs".to_owned()]);
    assert!(composer.has_popup());
    composer.step_row(1);
    assert_eq!(composer.accept_row(), Action::Changed);
    assert_eq!(composer.text(), "see @src/root.rs ");
    assert!(!composer.has_popup());
    let _ = composer.undo();
    assert_eq!(composer.text(), "see @ro");
}

#[test]
fn commands_of_the_user_hide_the_providers_of_the_same_name() {
    let mut composer = Composer::default();
    assert_eq!(type_into(&mut composer, "/c"), Action::Menu);
    let command = |name: &str| maestro_core::conversation::SlashCommand {
        name: name.to_owned(),
        description: "theirs".to_owned(),
        hint: String::new(),
    };
    let menu = Menu {
        commands: vec![command("commit"), command("compact"), command("help")],
        ..Menu::default()
    };
    let own =
        Own { name: "commit".into(), hint: String::new(), about: "mine".into(), text: "x".into() };
    composer.offered(Some(&menu), &[own]);
    let rows: Vec<_> = composer
        .popup
        .iter()
        .flat_map(|popup| popup.rows.iter().map(|row| (row.insert.as_str(), row.about.as_str())))
        .collect();
    assert_eq!(rows, [("/commit", "mine"), ("/compact", "theirs")]);
    let _ = composer.accept_row();
    assert_eq!(composer.text(), "/commit ");
}

#[test]
fn older_prompts_come_and_what_was_written_comes_back() {
    let said = ["second".to_owned(), "first".to_owned()];
    let mut composer = Composer::default();
    assert!(composer.is_at_edge(true) && !composer.is_at_edge(false));
    let _ = type_into(&mut composer, "own");
    assert!(!composer.is_at_edge(true), "an arrow moves the cursor first");
    assert!(composer.is_at_edge(false));
    for (older, expected) in
        [(true, "second"), (true, "first"), (true, "first"), (false, "second"), (false, "own")]
    {
        let _ = composer.step_past(older, &said);
        assert_eq!(composer.text(), expected);
    }
}

#[test]
fn the_same_that_could_not_be_sent_has_the_same_token() {
    let mut composer = composer("hello");
    let (token, prompt) = composer.take("one".to_owned());
    assert_eq!((token.as_str(), prompt.text.as_str()), ("one", "hello"));
    assert!(composer.is_empty());
    assert!(composer.refuse(token, prompt, "no host".to_owned()));
    assert_eq!(composer.text(), "hello");
    assert_eq!(composer.take("two".to_owned()).0, "one", "it could be said twice");
    let _ = type_into(&mut composer, "other");
    assert_eq!(composer.take("three".to_owned()).0, "three");
}

#[test]
fn a_draft_is_what_the_host_does_not_have() {
    let mut composer = Composer::default();
    assert_eq!(composer.unsaved(), None);
    let draft = Prompt { text: "kept".to_owned(), ..Prompt::default() };
    composer.restore(draft.clone());
    assert_eq!((composer.text().as_str(), composer.unsaved()), ("kept", None));
    let _ = type_into(&mut composer, "!");
    let changed = composer.unsaved().expect("a change");
    assert_eq!(changed.text, "kept!");
    composer.saved(changed);
    assert_eq!(composer.unsaved(), None);
    composer.restore(draft);
    assert_eq!(composer.text(), "kept!", "what is written is never replaced");
}

#[test]
fn what_is_too_long_is_refused_with_a_sentence() {
    let mut composer = Composer::default();
    assert_eq!(composer.paste("x".repeat(TEXT_LIMIT + 1)), Action::None);
    assert!(composer.is_empty() && composer.problem.is_some());
    assert_eq!(composer.paste("a\r\nb\rc".to_owned()), Action::Changed);
    assert_eq!(composer.text(), "a\nb\nc");
}

#[test]
fn mentions_have_a_place() {
    for (line, first, expected) in [
        ("see @a/b and @c", false, vec![4..8, 13..15]),
        ("/fix @x", true, vec![0..4, 5..7]),
        ("/fix", false, vec![]),
        ("a@b @", true, vec![]),
    ] {
        assert_eq!(mention::ranges(line, first), expected, "{line}");
    }
}

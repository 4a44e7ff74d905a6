use proptest::prelude::*;

use super::*;

fn document(text: &str) -> Document {
    Document::parse(text.as_bytes().to_vec()).expect("a checklist")
}

#[test]
fn a_line_is_a_task_by_the_rules() {
    for (line, expected) in [
        ("- [ ] do it", Some((false, "do it"))),
        ("* [ ] do it", Some((false, "do it"))),
        ("+ [ ] do it", Some((false, "do it"))),
        ("-   [ ]   do it  ", Some((false, "do it"))),
        ("-\t[ ]\tdo it", Some((false, "do it"))),
        ("      - [ ] deep", Some((false, "deep"))),
        ("\t\t- [ ] tabs", Some((false, "tabs"))),
        ("- [\t] tab inside", Some((false, "tab inside"))),
        ("- [  ] two blanks", Some((false, "two blanks"))),
        ("- [\u{a0}] no-break blank", Some((false, "no-break blank"))),
        ("- [x] done", Some((true, "done"))),
        ("- [X] done", Some((true, "done"))),
        ("- [✓] done", Some((true, "done"))),
        ("- [✔] done", Some((true, "done"))),
        ("- [ ] [link](target) text", Some((false, "[link](target) text"))),
        ("- [ ]do it", Some((false, "do it"))),
        ("- [] nothing inside", None),
        ("- [-] struck", None),
        ("- [xx] two", None),
        ("- [ x ] blanks round it", None),
        ("- [ ]", None),
        ("- [ ]   ", None),
        ("-[ ] no blank", None),
        ("1. [ ] numbered", None),
        ("[ ] no bullet", None),
        ("> - [ ] quoted", None),
        ("- [x](http://example.com) a link", None),
        ("- [x]: http://example.com", None),
        ("text - [ ] later", None),
    ] {
        let document = document(line);
        let found = document.tasks().first().map(|task| (task.checked, task.text.as_str()));
        assert_eq!(found, expected, "{line:?}");
    }
}

#[test]
fn boxes_inside_fences_do_not_count() {
    for (text, expected) in [
        ("```\n- [ ] in\n```\n- [ ] out\n", vec!["out"]),
        ("~~~\n- [ ] in\n~~~\n- [ ] out\n", vec!["out"]),
        ("````md\n```\n- [ ] in\n```\n- [ ] in\n````\n- [ ] out\n", vec!["out"]),
        ("```\n- [ ] in\n`````\n- [ ] out\n", vec!["out"]),
        ("~~~\n```\n- [ ] in\n~~~\n- [ ] out\n", vec!["out"]),
        ("```\n- [ ] in\n``` no end\n- [ ] in\n", vec![]),
        ("  ```\n- [ ] in\n      ```\n- [ ] out\n", vec!["out"]),
        ("- [ ] a\n  ```\n  - [ ] in\n  ```\n  - [ ] b\n", vec!["a", "b"]),
        ("- ```\n  - [ ] in\n  ```\n- [ ] out\n", vec!["out"]),
        ("``` not`a fence\n- [ ] out\n", vec!["out"]),
        ("``\n- [ ] out\n``\n", vec!["out"]),
        ("```\r\n- [ ] in\r\n```\r\n- [ ] out\r\n", vec!["out"]),
    ] {
        let document = document(text);
        let found: Vec<&str> = document.tasks().iter().map(|task| task.text.as_str()).collect();
        assert_eq!(found, expected, "{text:?}");
    }
}

#[test]
fn nested_tasks_count_and_know_their_parent() {
    let document =
        document("# One\n- [ ] a\n  - [x] b\n    - [ ] c\n  - [ ] d\n## Two ##\n* [ ] e\n");
    let seen: Vec<_> = document
        .tasks()
        .iter()
        .map(|t| (t.text.as_str(), t.line, t.indent, t.parent, t.section.as_deref()))
        .collect();
    assert_eq!(
        seen,
        [
            ("a", 2, 0, None, Some("One")),
            ("b", 3, 2, Some(0), Some("One")),
            ("c", 4, 4, Some(1), Some("One")),
            ("d", 5, 2, Some(0), Some("One")),
            ("e", 7, 0, None, Some("Two")),
        ]
    );
    assert_eq!((document.open(), document.done()), (4, 1));
}

#[test]
fn setting_a_box_changes_only_what_is_between_its_brackets() {
    for (text, index, checked, expected) in [
        ("- [ ] a\n- [ ] b", 1, true, "- [ ] a\n- [x] b"),
        ("- [ ] a\r\n- [ ] b\r\n", 0, true, "- [x] a\r\n- [ ] b\r\n"),
        ("\u{feff}- [ ] a\n", 0, true, "\u{feff}- [x] a\n"),
        ("\t-\t[\t]\ta  \n", 0, true, "\t-\t[x]\ta  \n"),
        ("- [   ] a", 0, true, "- [x] a"),
        ("- [✔] ä\n- [ ] b", 0, false, "- [ ] ä\n- [ ] b"),
        ("- [X] a", 0, true, "- [X] a"),
        ("- [ ] a\r- [ ] b\r", 1, true, "- [ ] a\r- [x] b\r"),
        ("- [ ] a", 7, true, "- [ ] a"),
    ] {
        assert_eq!(document(text).with_mark(index, checked), expected, "{text:?}");
    }
}

#[test]
fn several_boxes_are_set_in_one_go() {
    let before = document("- [x] a\n- [ ] b\n- [ ] c\n");
    let changes = [
        Change { anchor: before.anchor(0), checked: false },
        Change { anchor: before.anchor(2), checked: true },
        Change { anchor: before.anchor(1), checked: false },
        Change { anchor: before.anchor(2), checked: true },
    ];
    let (text, applied) = before.with_changes(&changes);
    assert_eq!(text, "- [ ] a\n- [ ] b\n- [x] c\n");
    assert_eq!(applied, [Applied::Changed, Applied::Changed, Applied::Already, Applied::Changed]);
}

#[test]
fn text_that_is_not_utf8_is_refused_with_its_place() {
    assert_eq!(
        Document::parse(b"a\n- [ ] \xff\n".to_vec()),
        Err(Error::NotUtf8 { offset: 8, line: 2 })
    );
    assert_eq!(
        Document::parse(vec![b' '; MAX_BYTES + 1]),
        Err(Error::TooLarge { bytes: MAX_BYTES + 1 })
    );
}

#[test]
fn fields_are_indented_lines_under_a_task() {
    let text = "\
- [ ] a
  - verify: cargo test --all
  - needs: 2, `b c`
  * **timeout:** 1h30m
  retries: 2
  `agent: codex`
  model: big
  - Files: `src/**`, docs/*.md
  - Note: this is text
  see http://example.com
  - [ ] b
    - verify: `true`
- [ ] c

  verify: make check
- verify: not indented
";
    let document = document(text);
    let fields = |at: usize| &document.tasks()[at].fields;
    assert_eq!(
        fields(0),
        &Fields {
            verify: vec!["cargo test --all".into()],
            agent: Some("codex".into()),
            model: Some("big".into()),
            timeout_s: Some(5400),
            retries: Some(2),
            needs: vec!["2".into(), "b c".into()],
            files: vec!["src/**".into(), "docs/*.md".into()],
            problems: vec![],
        }
    );
    assert_eq!(document.tasks()[0].details, "- Note: this is text\nsee http://example.com");
    assert_eq!(fields(1).verify, ["true"]);
    assert_eq!(fields(2).verify, ["make check"]);
}

#[test]
fn a_verify_line_is_read_as_a_person_means_it() {
    for (line, expected) in [
        ("  - verify: a", Some("a")),
        ("  - verify:a", None),
        ("  - `verify: a && b`", Some("a && b")),
        ("  - `verify:` a", Some("a")),
        ("  - `verify`: a", Some("a")),
        ("  - verify: `a`", Some("a")),
        ("  - verify:`a`", Some("a")),
        ("  - verify: `a` `b`", Some("`a` `b`")),
        ("  - verify: echo \"`date`\"", Some("echo \"`date`\"")),
        ("  - **verify**: a", Some("a")),
        ("  - **Verify:** `a`", Some("a")),
        ("\tverify: a: b", Some("a: b")),
        ("  ```\n  verify: a\n  ```", None),
        ("verify: not indented", None),
    ] {
        let document = document(&format!("- [ ] task\n{line}\n"));
        let found = document.tasks()[0].fields.verify.first().map(String::as_str);
        assert_eq!(found, expected, "{line:?}");
    }
}

#[test]
fn several_verify_lines_must_all_hold() {
    let document = document("- [ ] task\n  verify: a || b # why\n  verify: c\n");
    assert_eq!(
        document.tasks()[0].fields.verify_command().as_deref(),
        Some("(\na || b # why\n) && (\nc\n)")
    );
}

#[test]
fn a_field_that_cannot_be_read_is_a_problem() {
    for line in ["verify:", "timeout: soon", "retries: many", "agent:", "timeout: 5 parsecs"] {
        let document = document(&format!("- [ ] task\n  {line}\n"));
        assert_eq!(document.tasks()[0].fields.problems.len(), 1, "{line}");
    }
}

#[test]
fn prose_leaves_tasks_out() {
    let document =
        document("# Plan\n\nUse tabs.\n\n- [ ] a\n  verify: x\n\n- [x] b\n\n## Notes\nText\n");
    assert_eq!(document.prose(), "# Plan\n\nUse tabs.\n\n## Notes\nText");
}

/// Where a task of one document is in another, by its number.
fn found(before: &str, index: usize, after: &str) -> Found {
    document(after).find(&document(before).anchor(index))
}

#[test]
fn a_task_is_found_again_after_edits() {
    let list = "# A\n- [ ] one\n- [ ] same\n- [ ] two\n# B\n- [ ] same\n- [ ] three\n";
    for (index, after, expected) in [
        (0, list, Found::At(0)),
        (1, list, Found::At(1)),
        (3, list, Found::At(3)),
        // Lines above, other marks, other bullets, other indent.
        (
            1,
            "new\n\n# A\n* [x] one\n  * [x] same\n* [ ] two\n# B\n* [ ] same\n* [ ] three\n",
            Found::At(1),
        ),
        // One of the two is gone; the other stands exactly where it stood.
        (3, "# A\n- [ ] one\n- [ ] two\n# B\n- [ ] same\n- [ ] three\n", Found::At(2)),
        // The other one is left: not this one.
        (1, "# A\n- [ ] one\n- [ ] two\n# B\n- [ ] same\n- [ ] three\n", Found::Ambiguous),
        // A third one appears elsewhere.
        (
            1,
            "# A\n- [ ] one\n- [ ] same\n- [ ] two\n# B\n- [ ] same\n- [ ] three\n# C\n- [ ] same\n",
            Found::At(1),
        ),
        // Moved.
        (4, "# B\n- [ ] three\n# A\n- [ ] one\n", Found::At(0)),
        // Reworded in place.
        (
            0,
            "# A\n- [ ] one, done\n- [ ] same\n- [ ] two\n# B\n- [ ] same\n- [ ] three\n",
            Found::Reworded(0),
        ),
        // Gone.
        (0, "# A\n- [ ] same\n- [ ] two\n# B\n- [ ] same\n- [ ] three\n", Found::Gone),
        (2, "", Found::Gone),
    ] {
        assert_eq!(found(list, index, after), expected, "{index} in {after:?}");
    }
}

#[test]
fn the_same_text_over_and_over_is_told_apart_by_place() {
    let list = "- [ ] a\n- [ ] a\n- [ ] a\n";
    for index in 0..3 {
        assert_eq!(found(list, index, "- [x] a\n- [ ] a\n- [ ] a\n"), Found::At(index));
    }
    assert_eq!(found(list, 1, "- [ ] a\n- [ ] a\n"), Found::Ambiguous);
    assert_eq!(found(list, 1, "- [ ] a\n- [ ] a\n- [ ] a\n- [ ] a\n- [ ] a\n"), Found::Ambiguous);
}

proptest! {
    #[test]
    fn any_text_is_read_and_a_set_box_reads_back(text in "([-*+ \\t\\[\\]xX✓`~#\\r\\n]|verify:|[a-c]){0,80}") {
        let document = document(&text);
        for (index, task) in document.tasks().iter().enumerate() {
            prop_assert_eq!(document.find(&document.anchor(index)), Found::At(index));
            let set = document.with_mark(index, !task.checked);
            prop_assert_eq!(&set[..task.mark.start], &text[..task.mark.start]);
            prop_assert_eq!(&set[task.mark.start + 1..], &text[task.mark.end..]);
            let again = super::Document::parse(set.into_bytes()).expect("a checklist");
            prop_assert_eq!(again.tasks().len(), document.tasks().len());
            for (other, (a, b)) in again.tasks().iter().zip(document.tasks()).enumerate() {
                prop_assert_eq!(a.checked == b.checked, other != index);
                prop_assert_eq!(&a.text, &b.text);
            }
        }
    }
}

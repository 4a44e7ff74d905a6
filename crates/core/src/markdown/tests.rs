use proptest::prelude::*;

use super::*;

/// A block in one line: what it is inside of, what stands before it, what it is.
fn show(block: &Block) -> String {
    let inside = block.inside.iter().map(|inside| match inside {
        Inside::Quote => ">",
        Inside::Item(_) => " ",
    });
    let marker = match block.marker {
        None => String::new(),
        Some(Marker::Bullet) => "• ".to_owned(),
        Some(Marker::Number(number)) => format!("{number}. "),
        Some(Marker::Task(done)) => format!("[{}] ", if done { 'x' } else { ' ' }),
    };
    let body = match &block.body {
        Body::Paragraph(spans) => words(spans),
        Body::Heading(level, spans) => format!("h{level} {}", words(spans)),
        Body::Code { language, text } => format!("code {language}: {text:?}"),
        Body::Table(table) => {
            let row = |row: &Vec<Vec<Span>>| {
                row.iter().map(|cell| words(cell)).collect::<Vec<_>>().join("|")
            };
            let rows: Vec<String> = table.rows.iter().map(row).collect();
            format!("table {} / {}", row(&table.head), rows.join(" / "))
        }
        Body::Rule => "rule".to_owned(),
    };
    format!("{}{marker}{body}", inside.collect::<String>())
}

fn words(spans: &[Span]) -> String {
    let show = |span: &Span| {
        let Style { bold, italic, struck, code } = span.style;
        let mut text = span.text.clone();
        for (on, mark) in [(bold, "**"), (italic, "*"), (struck, "~~"), (code, "`")] {
            if on {
                text = format!("{mark}{text}{mark}");
            }
        }
        match &span.link {
            Some(link) => format!("[{text}]({link})"),
            None => text,
        }
    };
    spans.iter().map(show).collect()
}

fn shown(text: &str) -> Vec<String> {
    Document::new(text).blocks().iter().map(|block| show(block)).collect()
}

#[test]
fn blocks_are_read() {
    for (text, expected) in [
        ("a **b** *c* ~~d~~ `e`", vec!["a **b** *c* ~~d~~ `e`"]),
        ("# One\n\n###### Six", vec!["h1 One", "h6 Six"]),
        ("one\ntwo  \nthree", vec!["one two\nthree"]),
        ("```rust\nfn a() {}\n\n```", vec!["code rust: \"fn a() {}\\n\""]),
        ("```ts,ignore\nx", vec!["code ts: \"x\""]),
        ("    four\n", vec!["code : \"four\""]),
        ("- a\n- b\n  - c\n- d", vec![" • a", " • b", "  • c", " • d"]),
        ("3. a\n4. b", vec![" 3. a", " 4. b"]),
        ("- [ ] a\n- [x] b", vec![" [ ] a", " [x] b"]),
        ("- a\n\n  b\n- ```\n  c\n  ```", vec![" • a", " b", " • code : \"c\""]),
        ("- - a", vec!["  • a"]),
        ("-\n- a", vec![" • ", " • a"]),
        ("> a\n> - b\n>\n> c", vec![">a", "> • b", ">c"]),
        ("- > a", vec![" >• a"]),
        ("a\n\n---\n\nb", vec!["a", "rule", "b"]),
        ("|a|b|\n|-|:-:|\n|1|`2`|\n|3|", vec!["table a|b / 1|`2` / 3|"]),
        ("[a](https://x.y) ![b](c.png)", vec!["[a](https://x.y) [b](c.png)"]),
        ("<b>x</b><br>y", vec!["<b>x</b>\ny"]),
        ("<details>\n<script>x</script>\n", vec!["<details>\n<script>x</script>"]),
        ("a\u{202e}b\u{200b}c `\u{1b}[1m`", vec!["abc `[1m`"]),
        ("", vec![]),
    ] {
        assert_eq!(shown(text), expected, "{text}");
    }
}

#[test]
fn addresses_are_links() {
    for (text, expected) in [
        ("see https://a.b/c?d=e.", "see [https://a.b/c?d=e](https://a.b/c?d=e)."),
        ("(http://a.b/x_(y))", "([http://a.b/x_(y)](http://a.b/x_(y)))"),
        ("`https://a.b`", "`https://a.b`"),
        ("xhttp://a https://", "xhttp://a https://"),
    ] {
        assert_eq!(shown(text), [expected], "{text}");
    }
}

#[test]
fn items_of_narrow_lists_stand_together() {
    let apart = |text: &str| -> Vec<bool> {
        Document::new(text).blocks().iter().map(|block| block.apart).collect()
    };
    assert_eq!(apart("a\n- b\n- c\n  - d\n\ne"), [true, true, false, false, true]);
    assert_eq!(apart("- b\n\n- c"), [true, true]);
}

#[test]
fn deep_nesting_is_cut() {
    let text = format!("{}a", "> ".repeat(40));
    let document = Document::new(&text);
    assert_eq!(document.blocks()[0].inside.len(), DEPTH);
}

#[test]
fn what_is_settled_is_not_made_again() {
    let mut document = Document::default();
    let _ = document.update("# One\n\npara\n\nlast", true);
    let first = Arc::clone(&document.blocks()[0]);
    assert_eq!(document.update("# One\n\npara\n\nlast words", true), 2);
    assert!(Arc::ptr_eq(&first, &document.blocks()[0]));
    assert_eq!(document.update("# One\n\npara\n\nlast words", true), 3, "nothing is new");
}

#[test]
fn another_text_is_read_from_its_beginning() {
    let mut document = Document::default();
    let _ = document.update("# One\n\npara\n\nlast", true);
    assert_eq!(document.update("# Two\n\npara\n\nlast words", true), 0);
    assert_eq!(document.blocks().len(), 3);
}

#[test]
fn a_line_that_is_not_complete_may_still_belong_to_the_list_above() {
    let text = "- a\n**bold** b\n";
    let mut document = Document::default();
    for end in 0..=text.len() {
        let _ = document.update(&text[..end], true);
    }
    let shown: Vec<String> = document.blocks().iter().map(|block| show(block)).collect();
    assert_eq!(shown, [" • a **bold** b"]);
}

#[test]
fn a_table_grows_row_by_row() {
    let text = "para\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n| 3 | 4 |\n\nend\n";
    let mut document = Document::default();
    for end in 0..=text.len() {
        let _ = document.update(&text[..end], true);
    }
    let shown: Vec<String> = document.blocks().iter().map(|block| show(block)).collect();
    assert_eq!(shown, ["para", "table a|b / 1|2 / 3|4", "end"]);
}

// Without tables: whether a line begins one is only known after two more, and until then the parser may
// see two paragraphs. When an answer is complete it is read at once.
proptest! {
    #[test]
    fn growing_ends_where_reading_at_once_does(
        parts in proptest::collection::vec(
            prop::sample::select(vec![
                "a", "- ", "* ", "1. ", "> ", "`", "```\n", "\n", "\n\n", "  ", "    ", "# ", "**",
                "~~", "---\n", "[x](", ")", "<b>", "é", "=\n", "[ ] ", "word ",
            ]),
            0..40,
        ),
    ) {
        let mut text = String::new();
        let mut document = Document::default();
        for part in parts {
            text.push_str(part);
            let _ = document.update(&text, true);
            let at_once = Document::new(&text);
            prop_assert_eq!(document.blocks(), at_once.blocks(), "{:?}", text);
        }
    }
}

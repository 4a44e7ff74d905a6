use std::path::PathBuf;

use proptest::prelude::*;

use super::*;
use crate::conversation::{Image, Prompt, Request, ToolKind};
use crate::turn::{Failure, FailureKind};

fn entry(body: Body) -> Entry {
    Entry { n: 0, turn: 1, at_ms: 0, open: false, body }
}

fn tool(output: &str, diff: &str) -> Tool {
    Tool {
        call: "c1".to_owned(),
        name: "Bash".to_owned(),
        kind: ToolKind::Shell,
        title: "cargo test".to_owned(),
        input: "{}".to_owned(),
        output: output.to_owned(),
        state: ToolState::Done,
        exit: Some(0),
        changes: vec![Change {
            path: "src/a.rs".to_owned(),
            kind: ChangeKind::Update,
            diff: diff.to_owned(),
            added: 1,
            removed: 1,
        }],
        started_ms: 1000,
        ended_ms: Some(1400),
        parent: None,
    }
}

/// One of each kind, with these words wherever there are words.
fn all(words: &str) -> Vec<Entry> {
    let text = words.to_owned();
    let mut call = tool(words, &format!("@@ -1 +1 @@\n-{words}\n+{words}\n"));
    (call.name, call.title, call.changes[0].path) = (text.clone(), text.clone(), text.clone());
    let image = Image { path: PathBuf::from(format!("/x/{words}")), media: text.clone() };
    let ask = Ask::Command { command: text.clone(), directory: None };
    let request =
        Request { id: text.clone(), call: None, ask, why: text.clone(), always: None, asked_ms: 0 };
    [
        Body::Prompt(Prompt { text: text.clone(), images: vec![image], read_only: false }),
        Body::Text(text.clone()),
        Body::Thinking(text.clone()),
        Body::Tool(call),
        Body::Todo(vec![Todo { text: text.clone(), state: TodoState::Doing }]),
        Body::Request { request, answer: Some(Answer::Deny(text.clone())) },
        Body::Notice(text.clone()),
        Body::Failed(Failure { kind: FailureKind::Other, message: text.clone() }),
        Body::Ended(Ended { interrupted: false, usage: Usage::default(), duration_ms: 0 }),
        Body::Raw(text),
    ]
    .map(entry)
    .to_vec()
}

fn page(words: &str) -> String {
    let facts = vec![(words.to_owned(), words.to_owned())];
    html(&Head { title: words.to_owned(), facts }, &all(words), |_| None)
}

/// The tags of a page, in small letters, without what is between them.
fn tags(page: &str) -> Vec<String> {
    let tag = |part: &str| part.split('>').next().unwrap_or_default().to_lowercase();
    page.split('<').skip(1).map(tag).collect()
}

/// What a tag of a foreign text would be: none of these is ever written by us.
fn is_foreign(tag: &str) -> bool {
    let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default();
    let ours = [
        "!doctype",
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "header",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "dl",
        "dt",
        "dd",
        "main",
        "section",
        "p",
        "details",
        "summary",
        "pre",
        "span",
        "code",
        "b",
        "i",
        "ul",
        "ol",
        "li",
        "a",
        "em",
        "strong",
        "del",
        "hr",
        "br",
        "blockquote",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "input",
    ];
    let handler = tag.split_whitespace().skip(1).any(|word| word.starts_with("on"));
    let leads = tag.contains("href=")
        && !["href=\"http://", "href=\"https://", "href=\"mailto:"].iter().any(|s| tag.contains(s));
    !ours.contains(&name) || handler || leads || tag.contains("src=")
}

#[test]
fn nothing_foreign_becomes_markup() {
    for words in [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "\"><svg onload=alert(1)>",
        "[x](javascript:alert(1)) [y](JaVaScRiPt:alert(1)) [z](data:text/html,x)",
        "[x](  java\tscript:alert(1)) <javascript:alert(1)> ![p](http://evil/x.png)",
        "[a](https://ok \"onclick=1\") <a href=\"javascript:1\">x</a>",
        "```html\n</pre><script>x</script>\n```",
        "```\"><script>x\n</code></pre><iframe>\n```",
        "</style><script>x</script>",
        "`</code><script>x</script>`",
        "| <b onclick=x> | b |\n|---|---|\n| <style>x | y |",
        "<!-- --><![CDATA[x]]><?php x ?>",
        "&lt;script&gt; &#60;script&#62;",
    ] {
        let foreign: Vec<_> =
            tags(&page(words)).into_iter().filter(|tag| is_foreign(tag)).collect();
        assert!(foreign.is_empty(), "{words}: {foreign:?}");
    }
}

proptest! {
    #[test]
    fn no_words_become_markup(
        parts in proptest::collection::vec(
            prop::sample::select(vec![
                "<", ">", "\"", "'", "script", "img", " onerror=", "src=x", "[", "](", ")", "javascript:",
                "`", "```\n", "\n", "&lt;", "</", "svg", "a ", "|", "|-|\n", "<!--", "-->", "**", "http://",
            ]),
            0..30,
        ),
    ) {
        let words = parts.concat();
        let foreign: Vec<_> = tags(&page(&words)).into_iter().filter(|tag| is_foreign(tag)).collect();
        prop_assert!(foreign.is_empty(), "{:?}: {:?}", words, foreign);
    }
}

#[test]
fn a_page_needs_nothing_and_runs_nothing() {
    let page = page("see [docs](https://a.b) and `code`");
    assert!(page.contains("default-src 'none'"));
    assert!(page.contains("<a href=\"https://a.b\">docs</a>"));
    assert!(page.contains("prefers-color-scheme: dark"));
    assert!(!page.contains("url("), "something is loaded");
    assert!(!page.contains('\u{202e}'));
}

#[test]
fn a_page_shows_code_and_diffs_in_colour() {
    let page =
        html(&Head::default(), &[entry(Body::Text("```rust\nlet a = 1;\n```".to_owned()))], |_| {
            None
        });
    assert!(
        page.contains("<span class=\"k\">let</span> a = <span class=\"n\">1</span>;"),
        "{page}"
    );
    let page =
        html(&Head::default(), &[entry(Body::Tool(tool("", "@@ -4 +4 @@\n-a\n+b\n")))], |_| None);
    assert!(page.contains("<span class=\"removed\"><i>    4</i> − a"), "{page}");
}

#[test]
fn a_conversation_is_markdown() {
    let prompt = Prompt { text: "do\n\nit".to_owned(), ..Prompt::default() };
    let usage = Usage {
        input_tokens: 38_200,
        output_tokens: 6100,
        cost_usd: Some(0.611),
        ..Usage::default()
    };
    let entries = [
        entry(Body::Prompt(prompt)),
        entry(Body::Text("# Done\n".to_owned())),
        entry(Body::Tool(tool("a `b`\n```\n", ""))),
        entry(Body::Ended(Ended { interrupted: true, usage, duration_ms: 48_000 })),
    ];
    let head = Head { title: "T".to_owned(), facts: vec![("Agent".to_owned(), "api".to_owned())] };
    let expected = "# T\n\n- Agent: api\n\n---\n\n> do\n>\n> it\n\n# Done\n\n\
        **Bash** `cargo test` (+1 −1, exit 0, 0.4 s)\n\nUpdated `src/a.rs`\n\n````\na `b`\n```\n````\n\n\
        *Interrupted after 48 s · 38.2k in · 6.1k out · $0.61*\n";
    assert_eq!(markdown(&head, &entries), expected);
}

#[test]
fn words_are_copied_without_signs() {
    let text = "# One\n\n**a** [b](c)\n\n- x\n  - y\n\n```sh\nls\n```";
    assert_eq!(entry_text(&entry(Body::Text(text.to_owned()))), "One\n\na b\n\n- x\n  - y\n\nls");
}

#[test]
fn numbers_are_short() {
    for (count, expected) in [(0, "0"), (999, "999"), (38_249, "38.2k"), (1_234_567, "1.2M")] {
        assert_eq!(tokens(count), expected);
    }
    for (ms, expected) in
        [(420, "0.4 s"), (31_000, "31 s"), (130_000, "2 min 10 s"), (3_900_000, "1 h 5 min")]
    {
        assert_eq!(duration(ms), expected);
    }
}

#[test]
fn images_are_in_the_page_where_they_can_be_read() {
    let image = |name: &str, media: &str| Image {
        path: PathBuf::from(format!("/x/{name}")),
        media: media.to_owned(),
    };
    let images = vec![
        image("here\".png", "image/png"),
        image("gone.png", "image/png"),
        image("odd.svg", "image/svg+xml"),
    ];
    let prompt = Body::Prompt(Prompt { images, ..Prompt::default() });
    let read = |image: &Image| (!image.path.ends_with("gone.png")).then(|| "QUJD".to_owned());
    let page = html(&Head::default(), &[entry(prompt)], read);
    let shown = "<img src=\"data:image/png;base64,QUJD\" alt=\"here&quot;.png\">";
    assert!(page.contains(shown), "{page}");
    assert!(page.contains("image: gone.png") && page.contains("image: odd.svg"), "{page}");
    assert_eq!(page.matches("<img").count(), 1);
}

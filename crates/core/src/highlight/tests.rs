use proptest::prelude::*;

use super::*;

fn shown(language: &str, text: &str) -> Vec<String> {
    let language = Language::named(language).expect("a language");
    let all = lines(language, text);
    let pieces = text.split('\n').zip(&all);
    let show = |(line, pieces): (&str, &Vec<Piece>)| {
        let show = |(range, kind): &Piece| format!("{kind:?} {}", &line[range.clone()]);
        pieces.iter().map(show).collect::<Vec<_>>()
    };
    pieces.flat_map(show).collect()
}

#[test]
fn code_is_told_from_what_stands_in_it() {
    for (language, text, expected) in [
        ("rust", "let x: u8 = 0x1f; // n", "Keyword let|Type u8|Number 0x1f|Comment // n"),
        (
            "rust",
            "fn get<'a>(s: &'a str) -> Vec<char>",
            "Keyword fn|Name 'a|Name 'a|Type str|Type Vec|Type char",
        ),
        (
            "rs",
            "println!(\"a \\\" b\", '\\n', 'x')",
            "Function println|String \"a \\\" b\"|String '\\n'|String 'x'",
        ),
        ("rust", "#[derive(Debug)]", "Name #[derive(Debug)]"),
        ("rust", "/* a /* b */\nc */ if", "Comment /* a /* b */|Comment c */|Keyword if"),
        ("rust", "r#\"a\nb\"# 1.5e-3", "String r#\"a|String b\"#|Number 1.5e-3"),
        ("ts", "const f = async () => `a\nb`", "Keyword const|Keyword async|String `a|String b`"),
        (
            "python",
            "@cache\ndef f(x): return None # x",
            "Name @cache|Keyword def|Function f|Keyword return|Constant None|Comment # x",
        ),
        ("bash", "echo \"$HOME\" $# ${x}", "String \"$HOME\"|Name ${x}"),
        ("json", "{\"a\" : \"b\", \"c\": 1}", "Name \"a\"|String \"b\"|Name \"c\"|Number 1"),
        ("toml", "name = \"x\" # y", "Name name|String \"x\"|Comment # y"),
        ("sql", "select ID from t -- x", "Keyword select|Keyword from|Comment -- x"),
        ("diff", "+a\n-b\n c", "Added +a|Removed -b"),
        ("html", "<div class=\"a\">x</div>", "Name <div|Name class|String \"a\"|Name </div"),
        ("go", "a := []int{1}", "Type int|Number 1"),
    ] {
        let expected: Vec<&str> = expected.split('|').collect();
        assert_eq!(shown(language, text), expected, "{text}");
    }
}

#[test]
fn languages_are_found_by_their_names_and_files() {
    assert_eq!(Language::named("TSX").map(Language::name), Some("typescript"));
    assert_eq!(Language::of_path("src/api/routes.rs").map(Language::name), Some("rust"));
    assert_eq!(Language::of_path("Dockerfile").map(Language::name), Some("shell"));
    assert_eq!(Language::named("brainfuck"), None);
}

#[test]
fn no_name_belongs_to_two_languages() {
    let mut seen = std::collections::HashSet::new();
    for language in language::all() {
        for name in language.names() {
            assert!(seen.insert(*name), "{name}");
        }
    }
}

#[test]
fn what_is_too_long_is_left_alone() {
    let language = Language::named("rust").expect("a language");
    assert!(lines(language, &"let ".repeat(LIMIT)).iter().all(Vec::is_empty));
    assert!(line(language, &mut State::default(), &"a ".repeat(LINE_LIMIT)).is_empty());
}

proptest! {
    #[test]
    fn pieces_lie_between_characters_one_after_the_other(
        text in "([a-zA-Z0-9_ä#@$<>/*'\"`\\\\(){}:=.!-]|\n| |\u{1F600}){0,80}",
        which in 0_usize..language::all().len(),
    ) {
        let language = &language::all()[which];
        for (line, pieces) in text.split('\n').zip(lines(language, &text)) {
            let mut end = 0;
            for (range, _) in pieces {
                prop_assert!(range.start >= end && range.start < range.end);
                prop_assert!(line.get(range.clone()).is_some());
                end = range.end;
            }
        }
    }
}

//! What an agent asks for: whether its user has to be bothered with it, and how an answer is said.

use std::path::{Component, Path};

use maestro_core::conversation::{Answer, Ask, Policy, Question};
use serde_json::{Map, Value, json};

use super::calls;
use crate::drive::parts;
use crate::stream::{array, string, text};

/// Most questions of one form, and most answers to choose from.
const MOST: usize = 50;

/// A request that waits for its answer.
#[derive(Debug)]
pub(super) struct Pending {
    /// The protocol's own name for it.
    pub id: Value,
    pub what: What,
}

#[derive(Debug)]
pub(super) enum What {
    /// May a call be made?
    Permission { call: String, options: Options, need: Need },
    /// A form to be filled in.
    Form(Vec<Field>),
}

/// The answers that an agent accepts, by their ids.
#[derive(Debug, Default)]
pub(super) struct Options {
    once: Option<String>,
    always: Option<(String, String)>,
    reject: Option<String>,
}

impl Options {
    pub fn read(params: &Value) -> Self {
        let mut options = Self::default();
        for option in array(params, "/options") {
            let id = string(option, "/optionId");
            if id.is_empty() {
                continue;
            }
            let name = || text::sentence(string(option, "/name"));
            match string(option, "/kind") {
                "allow_once" => options.once = options.once.or_else(|| Some(id.to_owned())),
                "allow_always" => {
                    options.always = options.always.or_else(|| Some((id.to_owned(), name())));
                }
                "reject_once" => options.reject = Some(id.to_owned()),
                "reject_always" => options.reject = options.reject.or_else(|| Some(id.to_owned())),
                _ => {}
            }
        }
        options
    }

    /// What *always* allows, as far as the agent's name for that answer says more than the word itself.
    pub fn always(&self) -> Option<String> {
        let (_, name) = self.always.as_ref()?;
        let mut words = name.as_str();
        for word in ["Always ", "Allow ", "always", "allow", "Always", "Allow"] {
            words = words.strip_prefix(word).unwrap_or(words).trim();
        }
        Some(if words.is_empty() { "the like in this session" } else { words }.to_owned())
    }

    /// The id for an answer; `None` where the agent offers none that says this.
    pub fn of(&self, answer: &Answer) -> Option<&str> {
        let always = self.always.as_ref().map(|(id, _)| id.as_str());
        match answer {
            Answer::Once => self.once.as_deref().or(always),
            Answer::Always => always.or(self.once.as_deref()),
            Answer::Deny(_) | Answer::Choices(_) => self.reject.as_deref(),
        }
    }
}

/// What a call needs to be allowed to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// To look at something.
    Read,
    /// To change files in the directory.
    Edit,
    /// Anything else.
    More,
}

impl Need {
    /// By what the agent says about the call. What runs a command is never harmless, whatever it is
    /// called.
    pub fn of(call: &Value, directory: &Path) -> Self {
        let runs = !string(call, "/rawInput/command").is_empty();
        match string(call, "/kind") {
            "read" | "search" | "think" | "fetch" if !runs => Self::Read,
            "edit" | "delete" | "move" if !runs && is_inside(call, directory) => Self::Edit,
            _ => Self::More,
        }
    }
}

/// What a policy says about a need; `None` when its user has to.
pub(super) fn decided(policy: Policy, need: Need) -> Option<bool> {
    match (policy, need) {
        (Policy::Bypass, _) | (Policy::AcceptEdits, Need::Edit) => Some(true),
        (Policy::ReadOnly, Need::Edit | Need::More) => Some(false),
        (Policy::Ask, _) | (Policy::AcceptEdits, Need::Read | Need::More) => None,
        (Policy::ReadOnly, Need::Read) => None,
    }
}

/// Whether all files a call names are in the directory, and it names one.
fn is_inside(call: &Value, directory: &Path) -> bool {
    let places = array(call, "/locations").iter().map(|place| string(place, "/path"));
    let differences = array(call, "/content")
        .iter()
        .filter(|part| string(part, "/type") == "diff")
        .map(|part| string(part, "/path"));
    let mut paths = places.chain(differences).peekable();
    paths.peek().is_some() && paths.all(|path| inside(Path::new(path), directory))
}

fn inside(path: &Path, directory: &Path) -> bool {
    let relative = if path.is_absolute() {
        let Ok(relative) = path.strip_prefix(directory) else { return false };
        relative
    } else {
        path
    };
    let mut parts = relative.components();
    let named = parts.clone().any(|part| matches!(part, Component::Normal(_)));
    named && parts.all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

/// What is asked, and what is said about it. `known` are changes that the call told before.
pub(super) fn ask(
    call: &Value,
    known: Vec<maestro_core::conversation::Change>,
    name: &str,
    directory: &Path,
) -> (Ask, String) {
    let title = text::sentence(string(call, "/title"));
    let input = call.get("rawInput").unwrap_or(&Value::Null);
    let kind = string(call, "/kind");
    let command = string(input, "/command");
    let ask = if kind == "execute" || !command.is_empty() {
        let command = if command.is_empty() { title.clone() } else { parts::whole(command) };
        let place = ["/cwd", "/workdir", "/directory"].into_iter().map(|at| string(input, at));
        let place = place
            .map(str::to_owned)
            .find(|place| !place.is_empty() && Path::new(place) != directory);
        Ask::Command { command, directory: place }
    } else if kind == "switch_mode" {
        Ask::Plan(parts::whole(&plan(call)))
    } else if matches!(kind, "edit" | "delete" | "move") {
        Ask::Edit(edits(call, known, directory))
    } else {
        Ask::Tool { name: text::sentence(name), input: parts::input(input) }
    };
    let description = text::sentence(string(input, "/description"));
    let why = match &ask {
        Ask::Command { command, .. } if !description.is_empty() && description != *command => {
            description
        }
        Ask::Command { command, .. } if *command == title => String::new(),
        Ask::Edit(changes)
            if changes.iter().any(|change| string(call, "/title").ends_with(&change.path)) =>
        {
            String::new()
        }
        _ => title,
    };
    (ask, why)
}

fn edits(
    call: &Value,
    known: Vec<maestro_core::conversation::Change>,
    directory: &Path,
) -> Vec<maestro_core::conversation::Change> {
    let told = calls::changes(call, directory);
    if !told.is_empty() {
        return told;
    }
    if known.iter().any(|change| !change.diff.is_empty()) {
        return known;
    }
    let place = array(call, "/locations").first().map(|place| string(place, "/path"));
    let path =
        [place.unwrap_or_default(), string(call, "/rawInput/fileName"), string(call, "/title")]
            .into_iter()
            .find(|path| !path.is_empty())
            .unwrap_or("?");
    vec![calls::from_unified(&calls::within(path, directory), string(call, "/rawInput/diff"))]
}

/// The text of a plan that is to be agreed to.
fn plan(call: &Value) -> String {
    let said = string(call, "/rawInput/plan");
    if !said.is_empty() {
        return said.to_owned();
    }
    let texts: Vec<&str> = array(call, "/content")
        .iter()
        .map(|part| string(part, "/content/text"))
        .filter(|text| !text.is_empty())
        .collect();
    if texts.is_empty() { string(call, "/title").to_owned() } else { texts.join("\n\n") }
}

/// A question of a form: how its answer goes back.
#[derive(Debug)]
pub(super) struct Field {
    name: String,
    shape: Shape,
    /// What is shown, and what it stands for.
    choices: Vec<(String, Value)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Text,
    Number,
    Truth,
    List,
}

/// Reads a form; `None` when it is none that can be shown.
pub(super) fn form(params: &Value) -> Option<(Vec<Field>, Vec<Question>)> {
    let mode = string(params, "/mode");
    let properties = params.pointer("/requestedSchema/properties")?.as_object()?;
    if !matches!(mode, "" | "form") || properties.is_empty() {
        return None;
    }
    let message = text::bounded(string(params, "/message"), 4 << 10);
    let (mut fields, mut questions) = (Vec::new(), Vec::new());
    for (name, schema) in properties.iter().take(MOST) {
        let (shape, choices) = match string(schema, "/type") {
            "boolean" => {
                let yes_or_no =
                    [("Yes", true), ("No", false)].map(|(word, value)| (word, "", value.into()));
                (Shape::Truth, yes_or_no.map(owned).to_vec())
            }
            "array" => (Shape::List, choices(schema.get("items").unwrap_or(&Value::Null))),
            "number" | "integer" => (Shape::Number, choices(schema)),
            _ => (Shape::Text, choices(schema)),
        };
        let title = text::sentence(string(schema, "/title"));
        let about = text::sentence(string(schema, "/description"));
        let words = [message.as_str(), about.as_str()];
        let said = words.into_iter().filter(|words| !words.is_empty()).collect::<Vec<_>>();
        questions.push(Question {
            header: if title.is_empty() { text::sentence(name) } else { title },
            text: said.join("\n"),
            options: choices
                .iter()
                .map(|(shown, about, _)| (shown.clone(), about.clone()))
                .collect(),
            several: shape == Shape::List,
        });
        let choices = choices.into_iter().map(|(shown, _, value)| (shown, value)).collect();
        fields.push(Field { name: name.clone(), shape, choices });
    }
    Some((fields, questions))
}

fn owned((shown, about, value): (&str, &str, Value)) -> (String, String, Value) {
    (text::sentence(shown), text::sentence(about), value)
}

/// The values a property may have: what is shown, what is said about it, and the value.
fn choices(schema: &Value) -> Vec<(String, String, Value)> {
    let named = ["/oneOf", "/anyOf"].into_iter().map(|at| array(schema, at));
    let named = named.flatten().filter_map(|choice| {
        let value = choice.get("const")?;
        let shown = match string(choice, "/title") {
            "" => value.as_str().unwrap_or_default(),
            title => title,
        };
        Some(owned((shown, string(choice, "/description"), value.clone())))
    });
    let names = array(schema, "/enumNames");
    let plain = array(schema, "/enum").iter().enumerate().map(|(at, value)| {
        let shown = names.get(at).or(Some(value)).and_then(Value::as_str).unwrap_or_default();
        owned((shown, "", value.clone()))
    });
    named.chain(plain).filter(|(shown, ..)| !shown.is_empty()).take(MOST).collect()
}

/// What a form is answered with.
pub(super) fn filled_in(fields: &[Field], answer: &Answer) -> Value {
    let Answer::Choices(given) = answer else { return json!({ "action": "decline" }) };
    let mut content = Map::new();
    for (field, given) in fields.iter().zip(given) {
        let mut values = given.iter().map(|shown| field.value(shown));
        let value = match field.shape {
            Shape::List => Some(Value::Array(values.collect())),
            _ => values.next(),
        };
        if let Some(value) = value {
            let _ = content.insert(field.name.clone(), value);
        }
    }
    json!({ "action": "accept", "content": content })
}

impl Field {
    fn value(&self, shown: &str) -> Value {
        if let Some((_, value)) = self.choices.iter().find(|(known, _)| known == shown) {
            return value.clone();
        }
        let number = (self.shape == Shape::Number)
            .then(|| serde_json::from_str::<Value>(shown.trim()).ok().filter(Value::is_number));
        number.flatten().unwrap_or_else(|| Value::String(shown.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_decide_what_they_can() {
        let directory = Path::new("/home/ada/shop");
        let check = |call: Value, decisions: [Option<bool>; 4]| {
            let need = Need::of(&call, directory);
            assert_eq!(Policy::ALL.map(|policy| decided(policy, need)), decisions, "{call}");
        };
        let at = |kind: &str, path: &str| json!({ "kind": kind, "locations": [{ "path": path }] });
        let (yes, no) = (Some(true), Some(false));
        check(at("edit", "/home/ada/shop/a.rs"), [None, yes, no, yes]);
        check(at("delete", "src/a.rs"), [None, yes, no, yes]);
        for outside in ["/etc/passwd", "../x", "/home/ada/shop/../x", "/home/ada/shop", ""] {
            check(at("edit", outside), [None, None, no, yes]);
        }
        check(json!({ "kind": "edit" }), [None, None, no, yes]);
        check(at("read", "/etc/passwd"), [None, None, None, yes]);
        check(json!({ "kind": "execute", "rawInput": { "command": "ls" } }), [None, None, no, yes]);
        check(
            json!({ "kind": "read", "rawInput": { "command": "rm -r ." } }),
            [None, None, no, yes],
        );
        check(json!({ "kind": "switch_mode" }), [None, None, no, yes]);
        check(json!({}), [None, None, no, yes]);
    }

    #[test]
    fn answers_are_said_with_the_options_there_are() {
        let options = Options::read(&json!({ "options": [
            { "optionId": "r", "kind": "reject_always" }, { "optionId": "a", "kind": "allow_always",
            "name": "For this session" }, { "optionId": "o", "kind": "allow_once" }, { "kind": "odd" },
        ] }));
        assert_eq!(options.of(&Answer::Once), Some("o"));
        assert_eq!(options.of(&Answer::Always), Some("a"));
        assert_eq!(options.of(&Answer::Deny(String::new())), Some("r"));
        let always = |name: &str| {
            let option = json!({ "optionId": "a", "kind": "allow_always", "name": name });
            Options::read(&json!({ "options": [option] })).always()
        };
        assert_eq!(always("Always allow").as_deref(), Some("the like in this session"));
        assert_eq!(always("Allow for this session").as_deref(), Some("for this session"));
        assert_eq!(always("Everything like `ls`").as_deref(), Some("Everything like `ls`"));
        assert_eq!(Options::default().always(), None);
        assert_eq!(Options::read(&json!({})).of(&Answer::Once), None);
    }

    #[test]
    fn forms_are_questions_and_go_back_as_values() {
        let (fields, questions) = form(&json!({
            "mode": "form",
            "message": "How?",
            "requestedSchema": { "properties": {
                "way": { "type": "string", "title": "Way", "oneOf": [
                    { "const": "l", "title": "Left" }, { "const": "r", "title": "Right" } ] },
                "sure": { "type": "boolean" },
                "count": { "type": "integer" },
                "some": { "type": "array", "items": { "enum": ["a", "b"] } },
            } },
        }))
        .expect("it is a form");
        assert_eq!(questions[0].options[1].0, "Right");
        assert!(questions[3].several && questions[2].options.is_empty());
        let given = [&["Right"][..], &["Yes"], &["7"], &["a", "b"]];
        let given = given.map(|words| words.iter().map(|&word| word.to_owned()).collect());
        assert_eq!(
            filled_in(&fields, &Answer::Choices(given.to_vec())),
            json!({ "action": "accept", "content":
                { "way": "r", "sure": true, "count": 7, "some": ["a", "b"] } })
        );
        assert_eq!(
            filled_in(&fields, &Answer::Deny(String::new())),
            json!({ "action": "decline" })
        );
        assert!(form(&json!({ "mode": "url", "message": "x" })).is_none());
    }

    #[test]
    fn what_is_asked_is_shown_as_what_it_is() {
        let directory = Path::new("/w");
        let (asked, why) = ask(
            &json!({ "kind": "execute", "title": "bash", "rawInput": { "command": "ls", "cwd": "/x" } }),
            Vec::new(),
            "bash",
            directory,
        );
        let command = Ask::Command { command: "ls".to_owned(), directory: Some("/x".to_owned()) };
        assert_eq!((asked, why.as_str()), (command, "bash"));
        let (asked, _) = ask(
            &json!({ "kind": "edit", "title": "Create file", "locations": [{ "path": "/w/a" }],
                "rawInput": { "diff": "\ndiff --git a/a b/a\ncreate file mode 100644\n@@ -1,0 +1,1 @@\n+yes\n" } }),
            Vec::new(),
            "create",
            directory,
        );
        let Ask::Edit(changes) = asked else { panic!("{asked:?} is no edit") };
        assert_eq!((changes[0].path.as_str(), changes[0].added), ("a", 1));
        assert_eq!(changes[0].diff, "@@ -1,0 +1,1 @@\n+yes\n");
    }
}

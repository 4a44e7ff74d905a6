//! What Claude Code asks its host, and how the answers are told to it.

use maestro_core::conversation::{Answer, Ask, Change, ChangeKind, Question, Request};
use maestro_core::turn::{Failure, FailureKind};
use serde_json::{Map, Value, json};

use super::super::parts;
use crate::stream::{array, fail, string, text};

/// What is said to the model when its user gave no reason.
const DENIED: &str =
    "The user does not want this. Stop and ask what to do instead, or go on without it.";

/// A question that waits for its answer.
#[derive(Debug)]
pub(super) struct Asked {
    tool: String,
    input: Value,
    /// What *always* sends back, in the protocol's words.
    always: Vec<Value>,
    /// The tool call it is about.
    pub call: String,
}

impl Asked {
    pub fn new(tool: &str, input: &Value, request: &Value) -> Self {
        let always = if tool == "ExitPlanMode" {
            vec![json!({ "type": "setMode", "mode": "acceptEdits", "destination": "session" })]
        } else {
            suggestions(array(request, "/permission_suggestions"))
        };
        Self {
            tool: tool.to_owned(),
            input: input.clone(),
            always,
            call: string(request, "/tool_use_id").to_owned(),
        }
    }

    /// Whether it is about leaving planning.
    pub fn is_plan(&self) -> bool {
        self.tool == "ExitPlanMode"
    }

    /// The question as it is shown.
    pub fn request(&self, id: &str, request: &Value, now_ms: u64) -> Request {
        let why = ["/decision_reason", "/title"]
            .map(|field| text::sentence(string(request, field)))
            .into_iter()
            .find(|why| !why.is_empty());
        // A command says itself what it is for.
        let why = why.unwrap_or_else(|| text::sentence(string(&self.input, "/description")));
        Request {
            id: id.to_owned(),
            call: Some(self.call.clone()).filter(|call| !call.is_empty()),
            ask: self.ask(),
            why,
            always: self.meaning_of_always(),
            asked_ms: now_ms,
        }
    }

    fn ask(&self) -> Ask {
        match self.tool.as_str() {
            "Bash" => Ask::Command {
                command: parts::whole(string(&self.input, "/command")),
                directory: None,
            },
            "ExitPlanMode" => Ask::Plan(parts::whole(string(&self.input, "/plan"))),
            "AskUserQuestion" => Ask::Questions(questions(&self.input)),
            tool => match changes(tool, &self.input) {
                changes if changes.is_empty() => {
                    Ask::Tool { name: text::sentence(tool), input: parts::input(&self.input) }
                }
                changes => Ask::Edit(changes),
            },
        }
    }

    fn meaning_of_always(&self) -> Option<String> {
        match self.tool.as_str() {
            "ExitPlanMode" => Some("and change files without asking".to_owned()),
            "AskUserQuestion" => None,
            _ => {
                let words: Vec<String> = self.always.iter().filter_map(meaning).collect();
                (!words.is_empty()).then(|| text::sentence(&words.join(", ")))
            }
        }
    }

    /// What is sent for an answer.
    pub fn answer(&self, answer: &Answer) -> Result<Value, Failure> {
        match answer {
            Answer::Deny(reason) => {
                let reason = if reason.trim().is_empty() { DENIED } else { reason };
                Ok(json!({ "behavior": "deny", "message": reason }))
            }
            Answer::Choices(choices) if self.tool == "AskUserQuestion" => Ok(self.chosen(choices)),
            // Without answers it would go on as if nothing was chosen.
            Answer::Once | Answer::Always if self.tool == "AskUserQuestion" => {
                Err(fail(FailureKind::Other, "Choose an answer to the question, or deny it."))
            }
            Answer::Choices(_) => Err(fail(
                FailureKind::Other,
                "There is nothing to choose here: allow it or deny it.",
            )),
            Answer::Once => Ok(json!({ "behavior": "allow", "updatedInput": self.input })),
            Answer::Always if self.meaning_of_always().is_none() => Err(fail(
                FailureKind::Other,
                "Claude Code offers no lasting permission for this; allow it once.",
            )),
            Answer::Always => Ok(json!({
                "behavior": "allow", "updatedInput": self.input, "updatedPermissions": self.always,
            })),
        }
    }

    fn chosen(&self, choices: &[Vec<String>]) -> Value {
        let mut answers = Map::new();
        for (question, chosen) in array(&self.input, "/questions").iter().zip(choices) {
            let question = string(question, "/question").to_owned();
            let _ = answers.insert(question, chosen.join(", ").into());
        }
        let mut input = self.input.clone();
        if let Some(input) = input.as_object_mut() {
            let _ = input.insert("answers".to_owned(), Value::Object(answers));
        }
        json!({ "behavior": "allow", "updatedInput": input })
    }
}

/// What *always* takes of what is suggested: rules and folders; another mode only when there is nothing
/// else, because it allows far more than what was asked.
fn suggestions(suggested: &[Value]) -> Vec<Value> {
    let is_mode = |update: &&Value| string(update, "/type") == "setMode";
    let narrow: Vec<Value> = suggested.iter().filter(|update| !is_mode(update)).cloned().collect();
    let has_rules = narrow.iter().any(|update| string(update, "/type") == "addRules");
    if has_rules || !suggested.iter().any(|update| is_mode(&update)) {
        narrow
    } else {
        suggested.iter().filter(is_mode).cloned().collect()
    }
}

/// What an update of the permissions means, for people.
fn meaning(update: &Value) -> Option<String> {
    let place = match string(update, "/destination") {
        "session" => "in this session",
        "localSettings" | "projectSettings" => "in this project",
        "userSettings" => "everywhere",
        _ => "",
    };
    let what = match string(update, "/type") {
        "setMode" if string(update, "/mode") == "acceptEdits" => "all changes of files".to_owned(),
        "setMode" => format!("the mode {}", string(update, "/mode")),
        "addRules" => {
            let rules =
                array(update, "/rules").iter().map(|rule| match string(rule, "/ruleContent") {
                    "" => string(rule, "/toolName").to_owned(),
                    content => format!("`{content}`"),
                });
            rules.collect::<Vec<_>>().join(", ")
        }
        // Part of what its rules need.
        _ => return None,
    };
    Some(format!("{what} {place}").trim_end().to_owned())
}

/// What a tool that changes a file is about to do.
pub(super) fn changes(tool: &str, input: &Value) -> Vec<Change> {
    let path = ["/file_path", "/notebook_path"].map(|field| string(input, field)).concat();
    let edit =
        |edit: &Value| parts::replaced(string(edit, "/old_string"), string(edit, "/new_string"));
    let (kind, hunks) = match tool {
        "Write" => (ChangeKind::Add, parts::added(string(input, "/content"))),
        "Edit" => (ChangeKind::Update, edit(input)),
        "MultiEdit" => (ChangeKind::Update, array(input, "/edits").iter().map(edit).collect()),
        "NotebookEdit" => (ChangeKind::Update, parts::replaced("", string(input, "/new_source"))),
        _ => return Vec::new(),
    };
    vec![parts::change(&path, kind, &hunks)]
}

fn questions(input: &Value) -> Vec<Question> {
    let option = |option: &Value| {
        let field = |field| text::sentence(string(option, field));
        (field("/label"), field("/description"))
    };
    let question = |question: &Value| Question {
        header: text::sentence(string(question, "/header")),
        // As it came: the answers are told by it.
        text: parts::whole(string(question, "/question")),
        options: array(question, "/options").iter().take(50).map(option).collect(),
        several: question.get("multiSelect").and_then(Value::as_bool).unwrap_or(false),
    };
    array(input, "/questions").iter().take(20).map(question).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn always_takes_no_more_than_it_must() {
        let rules = json!({ "type": "addRules", "behavior": "allow", "destination": "localSettings",
            "rules": [{ "toolName": "Bash", "ruleContent": "touch *" }] });
        let folder =
            json!({ "type": "addDirectories", "directories": ["/a"], "destination": "session" });
        let mode = json!({ "type": "setMode", "mode": "acceptEdits", "destination": "session" });
        let check = |suggested: &[&Value], kept: &[&Value], words: Option<&str>| {
            let request = json!({ "permission_suggestions": suggested });
            let asked = Asked::new("Bash", &json!({ "command": "touch a" }), &request);
            assert_eq!(asked.always.iter().collect::<Vec<_>>(), kept);
            assert_eq!(asked.meaning_of_always().as_deref(), words);
        };
        check(&[&rules, &folder, &mode], &[&rules, &folder], Some("`touch *` in this project"));
        check(&[&mode], &[&mode], Some("all changes of files in this session"));
        check(&[], &[], None);
    }

    #[test]
    fn questions_are_answered_by_their_words() {
        let input = json!({ "questions": [
            { "header": "Color", "question": "Which?", "multiSelect": true,
              "options": [{ "label": "red", "description": "warm" }, { "label": "blue" }] },
        ] });
        let asked = Asked::new("AskUserQuestion", &input, &json!({}));
        let Ask::Questions(questions) = asked.ask() else { panic!("these are questions") };
        assert_eq!(questions[0].options[0], ("red".to_owned(), "warm".to_owned()));
        let answer = Answer::Choices(vec![vec!["red".to_owned(), "green".to_owned()]]);
        let told = asked.answer(&answer).expect("it can be answered");
        assert_eq!(told["updatedInput"]["answers"]["Which?"], "red, green");
        assert_eq!(told["updatedInput"]["questions"], input["questions"]);
        assert!(asked.answer(&Answer::Once).is_err(), "nothing was chosen");
    }
}

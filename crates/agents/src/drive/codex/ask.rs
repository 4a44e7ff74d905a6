//! What Codex asks its client, and how the answers are told to it.

use std::path::Path;

use maestro_core::conversation::{Answer, Ask, Change, Question, Request};
use maestro_core::turn::{Failure, FailureKind};
use serde_json::{Map, Value, json};

use super::super::parts;
use super::items::bare_command;
use crate::stream::{array, fail, string, text};

/// A question that waits for its answer.
#[derive(Debug)]
pub(super) struct Asked {
    /// The program's number for it.
    id: Value,
    /// The item it is about.
    item: String,
    about: About,
}

#[derive(Debug)]
enum About {
    /// A command; with the answer that holds for later, and what that means.
    Command {
        always: Option<(Value, String)>,
    },
    Edit {
        changes: Vec<Change>,
    },
    Questions {
        ids: Vec<String>,
    },
    /// More rights for a while: what is asked for.
    Permissions(Value),
    /// An MCP server wants something confirmed.
    Confirmation,
}

impl Asked {
    /// A question of this method; `None` when it is none that a person can answer here.
    pub fn new(method: &str, id: &Value, params: &Value, changes: &[Change]) -> Option<Self> {
        let about = match method {
            "item/commandExecution/requestApproval" => About::Command { always: lasting(params) },
            "item/fileChange/requestApproval" => About::Edit { changes: changes.to_vec() },
            "item/tool/requestUserInput" => {
                let ids = array(params, "/questions").iter().map(|one| string(one, "/id"));
                About::Questions { ids: ids.map(str::to_owned).collect() }
            }
            "item/permissions/requestApproval" => {
                About::Permissions(params.get("permissions").cloned().unwrap_or_default())
            }
            // Only a yes or a no: forms and addresses to visit need more than a card.
            "mcpServer/elicitation/request"
                if string(params, "/mode") != "url"
                    && array(params, "/requestedSchema/required").is_empty() =>
            {
                About::Confirmation
            }
            _ => return None,
        };
        Some(Self { id: id.clone(), item: string(params, "/itemId").to_owned(), about })
    }

    /// The item it is about.
    pub fn call(&self) -> &str {
        &self.item
    }

    /// Whether it only wants to know something.
    pub fn is_question(&self) -> bool {
        matches!(self.about, About::Questions { .. })
    }

    /// Whether it is about changes of files, all of them within this directory.
    pub fn changes_only_within(&self, directory: &Path) -> bool {
        let within = |change: &Change| {
            let path = directory.join(&change.path);
            let climbs = path.components().any(|part| part == std::path::Component::ParentDir);
            path.starts_with(directory) && !climbs
        };
        matches!(&self.about, About::Edit { changes } if !changes.is_empty() && changes.iter().all(within))
    }

    /// The question as it is shown.
    pub fn request(&self, params: &Value, directory: &Path, now_ms: u64) -> Request {
        let (ask, always) = match &self.about {
            About::Command { always } => {
                let cwd = Path::new(string(params, "/cwd"));
                let elsewhere = !cwd.as_os_str().is_empty() && cwd != directory;
                let ask = Ask::Command {
                    command: parts::whole(&bare_command(params)),
                    directory: elsewhere.then(|| cwd.display().to_string()),
                };
                (ask, always.as_ref().map(|(_, meaning)| meaning.clone()))
            }
            About::Edit { changes } => {
                let always = "changes of these files in this session".to_owned();
                (Ask::Edit(changes.clone()), Some(always))
            }
            About::Questions { .. } => (Ask::Questions(questions(params)), None),
            About::Permissions(wanted) => {
                let name = "more permissions".to_owned();
                let always = "for the whole session".to_owned();
                (Ask::Tool { name, input: parts::input(wanted) }, Some(always))
            }
            About::Confirmation => {
                let name = text::sentence(string(params, "/serverName"));
                (Ask::Tool { name, input: parts::whole(string(params, "/message")) }, None)
            }
        };
        Request {
            id: self.id.to_string(),
            call: Some(self.item.clone()).filter(|item| !item.is_empty()),
            ask,
            why: text::sentence(string(params, "/reason")),
            always,
            asked_ms: now_ms,
        }
    }

    /// The line that says no.
    pub fn decline(&self) -> String {
        self.line(&match &self.about {
            About::Command { .. } | About::Edit { .. } => json!({ "decision": "decline" }),
            About::Questions { .. } => json!({ "answers": {} }),
            About::Permissions(_) => json!({ "permissions": {}, "scope": "turn" }),
            About::Confirmation => json!({ "action": "decline", "content": null, "_meta": null }),
        })
    }

    /// The line that says yes, this once.
    pub fn accept(&self) -> String {
        self.line(&match &self.about {
            About::Command { .. } | About::Edit { .. } => json!({ "decision": "accept" }),
            About::Questions { .. } => json!({ "answers": {} }),
            About::Permissions(wanted) => {
                json!({ "permissions": granted(wanted), "scope": "turn" })
            }
            About::Confirmation => json!({ "action": "accept", "content": {}, "_meta": null }),
        })
    }

    /// The line for an answer, and what is to be said to the model with it.
    pub fn answer(&self, answer: &Answer) -> Result<(String, Option<String>), Failure> {
        let refuse = |why: &str| Err(fail(FailureKind::Other, why));
        let line = match (answer, &self.about) {
            (Answer::Deny(reason), _) => {
                let reason = reason.trim();
                return Ok((self.decline(), (!reason.is_empty()).then(|| reason.to_owned())));
            }
            (Answer::Choices(choices), About::Questions { ids }) => {
                let mut answers = Map::new();
                for (id, chosen) in ids.iter().zip(choices) {
                    let _ = answers.insert(id.clone(), json!({ "answers": chosen }));
                }
                self.line(&json!({ "answers": answers }))
            }
            (_, About::Questions { .. }) => {
                return refuse("Choose an answer to the question, or deny it.");
            }
            (Answer::Choices(_), _) => {
                return refuse("There is nothing to choose here: allow it or deny it.");
            }
            (Answer::Once, _) => self.accept(),
            (Answer::Always, About::Command { always: Some((decision, _)) }) => {
                self.line(&json!({ "decision": decision }))
            }
            (Answer::Always, About::Edit { .. }) => {
                self.line(&json!({ "decision": "acceptForSession" }))
            }
            (Answer::Always, About::Permissions(wanted)) => {
                self.line(&json!({ "permissions": granted(wanted), "scope": "session" }))
            }
            (Answer::Always, About::Command { always: None } | About::Confirmation) => {
                return refuse("Codex offers no lasting permission for this; allow it once.");
            }
        };
        Ok((line, None))
    }

    fn line(&self, result: &Value) -> String {
        json!({ "id": self.id, "result": result }).to_string()
    }
}

/// What is granted of what is asked for: all of it, without the fields that ask for nothing.
fn granted(wanted: &Value) -> Value {
    let fields = wanted.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    Value::Object(fields.map(|(name, value)| (name.clone(), value.clone())).collect())
}

/// The decision about a command that holds for later, of those it offers.
fn lasting(params: &Value) -> Option<(Value, String)> {
    let offered = array(params, "/availableDecisions");
    if offered.iter().any(|decision| decision == "acceptForSession") {
        return Some(("acceptForSession".into(), "this command in this session".to_owned()));
    }
    let rule =
        offered.iter().find(|decision| decision.get("acceptWithExecpolicyAmendment").is_some())?;
    let words = array(rule, "/acceptWithExecpolicyAmendment/execpolicy_amendment").iter();
    let words: Vec<&str> = words.filter_map(Value::as_str).collect();
    let meaning = format!("`{} …` from now on", words.join(" "));
    Some((rule.clone(), text::sentence(&meaning)))
}

fn questions(params: &Value) -> Vec<Question> {
    let option = |option: &Value| {
        let field = |field| text::sentence(string(option, field));
        (field("/label"), field("/description"))
    };
    let question = |question: &Value| Question {
        header: text::sentence(string(question, "/header")),
        text: parts::whole(string(question, "/question")),
        options: array(question, "/options").iter().take(50).map(option).collect(),
        several: false,
    };
    array(params, "/questions").iter().take(20).map(question).collect()
}

#[cfg(test)]
mod tests {
    use maestro_core::conversation::ChangeKind;

    use super::*;

    fn asked(method: &str, params: Value, changes: &[Change]) -> Asked {
        Asked::new(method, &json!(7), &params, changes).expect("it can be answered")
    }

    fn told(line: &str) -> Value {
        serde_json::from_str(line).expect("it is JSON")
    }

    #[test]
    fn a_command_is_allowed_for_later_by_the_rule_it_offers() {
        let rule =
            json!({ "acceptWithExecpolicyAmendment": { "execpolicy_amendment": ["touch", "a"] } });
        let params = json!({ "command": "/bin/bash -lc 'touch a'", "cwd": "/p",
            "availableDecisions": ["accept", rule, "cancel"] });
        let asked = asked("item/commandExecution/requestApproval", params.clone(), &[]);
        let shown = asked.request(&params, Path::new("/p"), 1);
        assert_eq!(shown.ask, Ask::Command { command: "touch a".to_owned(), directory: None });
        assert_eq!(shown.always.as_deref(), Some("`touch a …` from now on"));
        let (line, _) = asked.answer(&Answer::Always).expect("it is offered");
        assert_eq!(told(&line), json!({ "id": 7, "result": { "decision": rule } }));
        let (line, said) = asked.answer(&Answer::Deny("use make".to_owned())).expect("always");
        assert_eq!(told(&line)["result"]["decision"], "decline");
        assert_eq!(said.as_deref(), Some("use make"));
        assert!(asked.answer(&Answer::Choices(Vec::new())).is_err());
    }

    #[test]
    fn changes_are_within_the_directory_or_not() {
        let check = |path: &str, within: bool| {
            let change = parts::change(path, ChangeKind::Add, "");
            let asked = asked("item/fileChange/requestApproval", json!({}), &[change]);
            assert_eq!(asked.changes_only_within(Path::new("/p")), within, "{path}");
        };
        check("/p/a", true);
        check("a/b", true);
        check("/q/a", false);
        check("/p/../q/a", false);
        let nothing = asked("item/fileChange/requestApproval", json!({}), &[]);
        assert!(!nothing.changes_only_within(Path::new("/p")), "who knows what");
    }

    #[test]
    fn forms_are_not_for_us() {
        let form = json!({ "mode": "form", "message": "Who?", "requestedSchema": { "required": ["name"] } });
        assert!(Asked::new("mcpServer/elicitation/request", &json!(1), &form, &[]).is_none());
        assert!(
            Asked::new("account/chatgptAuthTokens/refresh", &json!(1), &json!({}), &[]).is_none()
        );
    }
}

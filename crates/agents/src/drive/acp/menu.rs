//! What can be chosen in a session. There are three ways in which agents tell: configuration options (the
//! protocol's present way), and before that modes and models of their own.

use maestro_core::agent::Provider;
use maestro_core::conversation::{Menu, Model, Policy, SlashCommand};
use serde_json::Value;

use crate::stream::{array, string, text};

/// Most models, and most commands, that are kept.
const MOST: usize = 2000;

/// What is known of a session's choices.
#[derive(Debug, Default)]
pub(super) struct Choices {
    models: Vec<(String, String)>,
    efforts: Vec<String>,
    commands: Vec<SlashCommand>,
    modes: Vec<String>,
    /// How a model and an effort are chosen.
    pub model_by: Option<By>,
    pub effort_by: Option<By>,
    /// What is chosen.
    pub model: Option<String>,
    pub effort: Option<String>,
    pub mode: Option<String>,
    /// What was chosen before we chose.
    pub first_model: Option<String>,
    pub first_effort: Option<String>,
}

/// How something is chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum By {
    /// By `session/set_config_option` with this id.
    Option(String),
    /// By `session/set_model`.
    Model,
}

impl Choices {
    /// Reads the answer to the opening of a session, or any other message that has the same fields.
    pub fn read(&mut self, value: &Value) {
        let models = array(value, "/models/availableModels");
        if !models.is_empty() {
            self.models = pairs(models, "modelId");
            self.model_by = Some(By::Model);
            self.model = chosen(value, "/models/currentModelId").or_else(|| self.model.take());
        }
        let modes = array(value, "/modes/availableModes");
        if !modes.is_empty() {
            self.modes = pairs(modes, "id").into_iter().map(|(id, _)| id).collect();
            self.mode = chosen(value, "/modes/currentModeId");
        }
        // After the older fields: what is told both ways is chosen this way.
        for option in array(value, "/configOptions") {
            self.option(option);
        }
        self.first_model = self.first_model.take().or_else(|| self.model.clone());
        self.first_effort = self.first_effort.take().or_else(|| self.effort.clone());
    }

    fn option(&mut self, option: &Value) {
        let by = Some(By::Option(string(option, "/id").to_owned()));
        let choices = || pairs(&flat(array(option, "/options")), "value");
        match string(option, "/category") {
            "model" => {
                self.models = choices();
                self.model_by = by;
                self.model = chosen(option, "/currentValue");
            }
            "thought_level" => {
                self.efforts = choices().into_iter().map(|(id, _)| id).collect();
                self.effort_by = by;
                self.effort = chosen(option, "/currentValue");
            }
            _ => {}
        }
    }

    /// Reads an `available_commands_update`.
    pub fn read_commands(&mut self, value: &Value) {
        self.commands = array(value, "/availableCommands")
            .iter()
            .take(MOST)
            .map(|command| SlashCommand {
                name: text::sentence(string(command, "/name").trim_start_matches('/')),
                description: text::sentence(string(command, "/description")),
                hint: text::sentence(string(command, "/input/hint")),
            })
            .filter(|command| !command.name.is_empty())
            .collect();
    }

    pub fn has_mode(&self, mode: &str) -> bool {
        self.modes.iter().any(|known| known == mode)
    }

    pub fn menu(&self) -> Menu {
        let model = |(id, name): &(String, String)| Model {
            id: id.clone(),
            name: name.clone(),
            efforts: self.efforts.clone(),
        };
        Menu {
            models: self.models.iter().map(model).collect(),
            commands: self.commands.clone(),
            policies: Policy::ALL.to_vec(),
        }
    }
}

/// Choices may be in groups.
fn flat(options: &[Value]) -> Vec<Value> {
    options
        .iter()
        .flat_map(|option| match option.get("options").and_then(Value::as_array) {
            Some(group) => group.clone(),
            None => vec![option.clone()],
        })
        .collect()
}

fn pairs(choices: &[Value], id: &str) -> Vec<(String, String)> {
    choices
        .iter()
        .take(MOST)
        .filter_map(|choice| {
            let id = choice.get(id)?.as_str()?;
            let name = text::sentence(string(choice, "/name"));
            let name = if name.is_empty() { text::sentence(id) } else { name };
            (id.len() < 1000).then(|| (id.to_owned(), name))
        })
        .collect()
}

fn chosen(value: &Value, pointer: &str) -> Option<String> {
    Some(string(value, pointer)).filter(|id| !id.is_empty() && id.len() < 1000).map(str::to_owned)
}

/// The mode in which a provider does what a policy says, where it has modes for that. Gemini CLI's freer
/// modes are refused in folders that it does not trust, and are not needed: what it asks is answered by the
/// policy.
pub(super) fn mode_of(provider: Provider, policy: Policy) -> Option<&'static str> {
    match (provider, policy) {
        (Provider::Demo, policy) => Some(policy.name()),
        (Provider::Gemini, Policy::ReadOnly) => Some("plan"),
        (Provider::Gemini, Policy::Ask | Policy::AcceptEdits | Policy::Bypass) => Some("default"),
        _ => None,
    }
}

/// The policy that a provider's mode is.
pub(super) fn policy_of(provider: Provider, mode: &str) -> Option<Policy> {
    match (provider, mode) {
        (Provider::Gemini, "default") => Some(Policy::Ask),
        (Provider::Gemini, "autoEdit") => Some(Policy::AcceptEdits),
        (Provider::Gemini, "plan") => Some(Policy::ReadOnly),
        (Provider::Gemini, "yolo") => Some(Policy::Bypass),
        (Provider::Demo, mode) => Policy::ALL.into_iter().find(|policy| policy.name() == mode),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn choices_are_read_from_all_three_ways() {
        let mut choices = Choices::default();
        choices.read(&json!({
            "modes": { "availableModes": [{ "id": "plan" }, { "odd": 1 }], "currentModeId": "plan" },
            "models": { "availableModels": [{ "modelId": "old", "name": "Old" }], "currentModelId": "old" },
        }));
        assert!(choices.has_mode("plan") && !choices.has_mode("odd"));
        assert_eq!(
            (choices.model_by.clone(), choices.model.as_deref()),
            (Some(By::Model), Some("old"))
        );
        choices.read(&json!({ "configOptions": [
            { "id": "m", "category": "model", "currentValue": "a/b", "options": [
                { "group": "a", "name": "A", "options": [{ "value": "a/b", "name": "B" }] },
                { "value": "c" },
            ] },
            { "id": "e", "category": "thought_level", "currentValue": "low", "options": [{ "value": "low" }] },
            { "id": "x", "category": "other" }, null,
        ] }));
        assert_eq!(choices.model_by, Some(By::Option("m".to_owned())));
        let menu = choices.menu();
        let models: Vec<_> = menu.models.iter().map(|model| (&*model.id, &*model.name)).collect();
        assert_eq!(models, [("a/b", "B"), ("c", "c")]);
        assert_eq!(menu.models[0].efforts, ["low"]);
        assert_eq!(choices.first_model.as_deref(), Some("old"));
        choices.read(&json!({ "models": 7, "configOptions": "no" }));
        assert_eq!(choices.menu(), menu);
    }

    #[test]
    fn modes_and_policies_belong_together() {
        for policy in Policy::ALL {
            let mode = mode_of(Provider::Demo, policy).expect("it has one");
            assert_eq!(policy_of(Provider::Demo, mode), Some(policy));
            let reads = mode_of(Provider::Gemini, policy) == Some("plan");
            assert_eq!(reads, policy == Policy::ReadOnly);
        }
        assert_eq!(policy_of(Provider::Gemini, "yolo"), Some(Policy::Bypass));
        assert_eq!(policy_of(Provider::OpenCode, "plan"), None);
    }
}

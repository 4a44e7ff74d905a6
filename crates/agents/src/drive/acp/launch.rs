//! How an agent is started that speaks the Agent Client Protocol, and what its start decides about what
//! it may do.
//!
//! OpenCode and Copilot are told at their start to ask about everything that does more than read, and
//! what a policy allows is then allowed by us: so that policies change in the middle of a session. To only
//! read they are forbidden everything else at their start instead, which no answer given earlier in the
//! session can weaken. Gemini has a mode for that, and the demo agent one for each policy.

use std::path::Path;
use std::time::Duration;

use maestro_core::agent::Provider;
use maestro_core::conversation::Policy;
use maestro_core::turn::Failure;

use serde_json::{Value, json};

use super::menu;
use crate::command::{Args, CommandLine, checked, child_environment, program, unusable};
use crate::detect::Detected;
use crate::drive::Launch;
use crate::environment::Environment;
use crate::probe::Probe;

/// OpenCode's tools that only look.
const LOOKING: [&str; 7] = ["read", "grep", "glob", "list", "lsp", "todoread", "todowrite"];

/// OpenCode's own agents: what is configured for one of them would win over what is for all.
const AGENTS: [&str; 4] = ["build", "general", "plan", "explore"];

/// How long OpenCode may take to tell what is configured, and in how many bytes. It takes three seconds.
const CONFIGURED: (Duration, usize) = (Duration::from_secs(40), 16 << 20);

/// How many of them may do more than look by themselves. The others must not be allowed more here.
const WORKERS: usize = 2;

/// Whether only a new start makes a provider obey another policy.
pub(in crate::drive) fn is_decided_at_start(provider: Provider, from: Policy, to: Policy) -> bool {
    let reads = |policy| policy == Policy::ReadOnly;
    matches!(provider, Provider::OpenCode | Provider::Copilot) && reads(from) != reads(to)
}

/// The command line. Fails when the program cannot be used.
pub(in crate::drive) fn command(launch: &Launch) -> Result<CommandLine, Failure> {
    let provider = launch.detected.provider;
    let mut env = child_environment(&launch.detected, &launch.environment)?;
    env.set("TERM", "dumb");
    env.set("NO_COLOR", "1");
    let _ = checked(launch.resume.as_deref())?;
    let new = checked(launch.new_session.as_deref())?.filter(|_| launch.resume.is_none());
    let model = checked(launch.model.as_deref())?;
    let mut args = Args::default();
    match provider {
        Provider::OpenCode => {
            args.word("acp");
            let users = env.get("OPENCODE_CONFIG_CONTENT").and_then(|text| text.to_str());
            let configured = match launch.policy {
                Policy::ReadOnly => configured(&launch.detected, &launch.directory, &env)?,
                _ => Value::Null,
            };
            let config = opencode_config(users, launch.policy, &configured);
            env.set("OPENCODE_CONFIG_CONTENT", config);
        }
        Provider::Copilot => {
            args.words(&["--acp", "--no-auto-update"]);
            args.option("--model", model);
            if launch.policy == Policy::ReadOnly {
                // Deny rules win over whatever is allowed.
                args.words(&["--deny-tool=write", "--deny-tool=shell"]);
            }
        }
        Provider::Gemini => {
            let mode = menu::mode_of(provider, launch.policy).unwrap_or("default");
            args.words(&["--acp", "--approval-mode", mode]);
            args.option("-m", model);
        }
        Provider::Demo => {
            args.words(&["demo-agent", "acp"]);
            args.option("--session-id", new);
        }
        _ => {
            return Err(unusable(format!(
                "{} does not speak the Agent Client Protocol.",
                provider.title()
            )));
        }
    }
    Ok(CommandLine {
        provider,
        program: program(&launch.detected)?,
        args: args.0,
        directory: launch.directory.clone(),
        env: env.to_vec(),
        stdin: None,
        before: None,
    })
}

/// Everything that is configured for OpenCode in this directory, by all of its files: rules of a user's own
/// agent win over those for all, so that one that is not known could write. A command of the user's may
/// choose any of them.
pub(crate) fn configured(
    detected: &Detected,
    directory: &Path,
    env: &Environment,
) -> Result<Value, Failure> {
    let probe = Probe {
        program: &program(detected)?,
        args: &["debug", "config"],
        env,
        directory: Some(directory),
        limit: CONFIGURED.0,
        most: CONFIGURED.1,
    };
    // Two that start at once may keep each other from it.
    let answers = (0..3).map(|_| probe.whole());
    let told = answers
        .filter(|answer| answer.success)
        .find_map(|answer| serde_json::from_slice::<Value>(&answer.stdout).ok());
    told.filter(Value::is_object).ok_or_else(|| {
        unusable(
            "OpenCode does not tell what is configured for it (`opencode debug config`), so it cannot be \
             held to reading; see what that command says, or choose another policy."
                .to_owned(),
        )
    })
}

/// What the user configured for OpenCode by the environment, with what a policy needs. To only read it needs
/// to know everything that is configured: the agents by their names, and what is allowed by patterns.
pub(crate) fn opencode_config(users: Option<&str>, policy: Policy, configured: &Value) -> String {
    let mut config = users
        .and_then(|text| serde_json::from_str::<Value>(text).ok())
        .filter(Value::is_object)
        .unwrap_or_else(|| json!({}));
    let read_only = policy == Policy::ReadOnly;
    // Rules are read in order, and the last that fits holds.
    let rules = if read_only {
        let mut rules = json!({ "*": "deny" });
        for tool in LOOKING {
            rules[tool] = "allow".into();
        }
        // By name, too: what a user allows by name would hold otherwise.
        for tool in ["edit", "bash", "task", "webfetch", "external_directory"] {
            rules[tool] = "deny".into();
        }
        rules
    } else {
        json!({ "edit": "ask", "bash": "ask", "webfetch": "ask" })
    };
    config["permission"] = match config["permission"].take() {
        // The user may have one word there for all tools.
        Value::String(word) if !read_only => merged(json!({ "*": word }), &rules),
        Value::Object(users) if !read_only => merged(Value::Object(users), &rules),
        _ => rules.clone(),
    };
    if !config["agent"].is_object() {
        config["agent"] = json!({});
    }
    let mut agents: Vec<&str> = AGENTS[..if read_only { AGENTS.len() } else { WORKERS }].to_vec();
    if read_only {
        // Modes are what agents were called before.
        let named = ["agent", "mode"].into_iter().filter_map(|field| configured[field].as_object());
        agents.extend(named.flat_map(|named| named.keys().map(String::as_str)));
        deny_what_is_named(&mut config["permission"], &configured["permission"]);
    }
    for agent in agents {
        let own = config["agent"][agent].take();
        let mut own = if own.is_object() { own } else { json!({}) };
        own["permission"] = match own["permission"].take() {
            Value::Object(users) if !read_only => merged(Value::Object(users), &rules),
            _ => rules.clone(),
        };
        if read_only {
            for field in ["agent", "mode"] {
                deny_what_is_named(&mut own["permission"], &configured[field][agent]["permission"]);
            }
        }
        config["agent"][agent] = own;
    }
    if read_only {
        config["default_agent"] = "plan".into();
    }
    config.to_string()
}

/// Denies what a user's rules name besides: they stay where they stand when the two are put together, and a
/// pattern among them may fit what is denied before it.
fn deny_what_is_named(rules: &mut Value, users: &Value) {
    for name in users.as_object().into_iter().flatten().map(|(name, _)| name) {
        if !LOOKING.contains(&name.as_str()) {
            rules[name] = "deny".into();
        }
    }
}

/// One object with the fields of another over its own, and after them.
fn merged(mut under: Value, over: &Value) -> Value {
    if let (Some(under), Some(over)) = (under.as_object_mut(), over.as_object()) {
        for (name, value) in over {
            let _ = under.shift_remove(name);
            let _ = under.insert(name.clone(), value.clone());
        }
    }
    under
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opencode_asks_or_may_not() {
        let config = |users: Option<&str>, policy| -> Value {
            serde_json::from_str(&opencode_config(users, policy, &Value::Null)).expect("it is JSON")
        };
        let asks = config(Some(r#"{"model":"a/b","permission":"allow"}"#), Policy::Bypass);
        assert_eq!(asks["model"], "a/b");
        assert_eq!(
            asks["permission"],
            json!({ "*": "allow", "edit": "ask", "bash": "ask", "webfetch": "ask" })
        );
        let users = r#"{"permission":{"bash":"allow","x_*":"allow"},
            "agent":{"build":{"permission":{"bash":"allow"}},"mine":{"mode":"primary"}}}"#;
        let reads = config(Some(users), Policy::ReadOnly);
        for rules in [&reads["permission"], &reads["agent"]["build"]["permission"]] {
            assert_eq!(
                (&rules["*"], &rules["bash"], &rules["edit"]),
                (&json!("deny"), &json!("deny"), &json!("deny"))
            );
            assert_eq!((&rules["read"], &rules["x_*"]), (&json!("allow"), &Value::Null));
        }
        assert_eq!(reads["agent"]["mine"]["mode"], "primary");
        assert!(config(Some("nonsense"), Policy::Ask)["permission"]["bash"] == "ask");
    }

    #[test]
    fn every_agent_that_is_configured_may_only_look() {
        let configured = json!({
            "permission": { "x_*": "allow" },
            "agent": { "mine": { "permission": { "*": "allow", "b*": "allow", "read": "ask" } } },
            "mode": { "old": {} },
        });
        let config = opencode_config(None, Policy::ReadOnly, &configured);
        let config: Value = serde_json::from_str(&config).expect("it is JSON");
        let mine = &config["agent"]["mine"]["permission"];
        assert_eq!(
            (&mine["*"], &mine["b*"], &mine["bash"]),
            (&json!("deny"), &json!("deny"), &json!("deny"))
        );
        assert_eq!(mine["read"], "allow");
        assert_eq!(config["agent"]["old"]["permission"]["edit"], "deny");
        assert_eq!(config["permission"]["x_*"], "deny");
        // Otherwise they are the user's.
        let config = opencode_config(None, Policy::Ask, &configured);
        let config: Value = serde_json::from_str(&config).expect("it is JSON");
        assert_eq!(config["agent"]["mine"], Value::Null);
    }

    #[test]
    fn only_reading_is_decided_at_the_start() {
        let check = |provider, from, to, expected| {
            assert_eq!(
                is_decided_at_start(provider, from, to),
                expected,
                "{provider} {from:?} {to:?}"
            );
        };
        check(Provider::OpenCode, Policy::Ask, Policy::ReadOnly, true);
        check(Provider::OpenCode, Policy::ReadOnly, Policy::Bypass, true);
        check(Provider::OpenCode, Policy::Ask, Policy::Bypass, false);
        check(Provider::Copilot, Policy::Ask, Policy::ReadOnly, true);
        check(Provider::Gemini, Policy::Ask, Policy::ReadOnly, false);
        check(Provider::Demo, Policy::Bypass, Policy::ReadOnly, false);
    }
}

//! What keeps Codex from writing past its sandbox while it may only read: the servers of tools (MCP) that its
//! user configured are no part of the sandbox, and one whose tools say of themselves that they only read is not
//! asked about either (seen with 0.169.0). A thread that may only read is begun without any of them, which
//! cannot be changed while it is loaded.

use std::path::Path;

use serde_json::{Map, Value, json};

/// The number of the call that asks for them: outside the row of the others, whose recordings count from 1.
pub(super) const CALL: u64 = 0;

/// Servers that are switched off by their names. With more of them nothing is begun at all.
const SERVERS: usize = 1000;

/// Asks for everything that is configured for work in this directory.
pub(super) fn question(directory: &Path) -> String {
    let params = json!({ "cwd": directory, "includeLayers": false });
    json!({ "id": CALL, "method": "config/read", "params": params }).to_string()
}

/// What is known of the servers, and whether they are off.
#[derive(Debug, Default)]
pub(super) struct Fence {
    /// Their names; `None` while they are not known.
    servers: Option<Vec<String>>,
    /// Whether plugins are installed, which bring servers of their own.
    plugins: bool,
    /// Whether it has no apps: they come with an account of Codex's own maker, and have tools that write.
    no_apps: bool,
    /// Whether the thread was begun without them; `None` before it is begun.
    up: Option<bool>,
}

impl Fence {
    /// Takes what the program says is configured.
    pub fn configured(&mut self, config: &Value) {
        let named = |field: &str| config.get(field).and_then(Value::as_object);
        let on = |server: &Value| server.get("enabled").and_then(Value::as_bool) != Some(false);
        let servers = named("mcp_servers").into_iter().flatten();
        let servers = servers.filter(|(_, server)| on(server)).map(|(name, _)| name.clone());
        self.servers = Some(servers.take(SERVERS).collect());
        self.plugins = named("plugins").is_some_and(|plugins| !plugins.is_empty());
        let off = config.pointer("/features/apps").and_then(Value::as_bool) == Some(false);
        let provider = config.get("model_provider").and_then(Value::as_str);
        let own = provider.and_then(|name| named("model_providers")?.get(name));
        let account = own.and_then(|own| own.get("requires_openai_auth")).and_then(Value::as_bool);
        self.no_apps = off || account == Some(false);
    }

    /// Whether the thread is begun.
    pub fn is_decided(&self) -> bool {
        self.up.is_some()
    }

    /// The thread is begun: what it is to be told about its configuration, if anything.
    pub fn put_up(&mut self, reads_only: bool) -> Option<Value> {
        self.up = Some(reads_only);
        if !reads_only {
            return None;
        }
        let off = |name: &String| (name.clone(), json!({ "enabled": false }));
        let servers: Map<String, Value> = self.servers.iter().flatten().map(off).collect();
        Some(json!({
            "mcp_servers": servers,
            // What comes with an account, and with plugins.
            "features": { "apps": false, "plugins": false },
        }))
    }

    /// Whether a thread that is begun was begun with servers that it must not have to read only, or without
    /// ones that it may have otherwise.
    pub fn is_crossed(&self, reads_only: bool) -> bool {
        self.up.is_some_and(|up| up != reads_only)
            && (self.plugins
                || !self.no_apps
                || self.servers.as_ref().is_none_or(|servers| !servers.is_empty()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_off_where_only_reading_is_allowed() {
        let config = json!({ "mcp_servers": {
            "a.b": { "command": "x", "enabled": true }, "off": { "enabled": false }, "odd": 3,
        }, "plugins": {} });
        let mut fence = Fence::default();
        fence.configured(&config);
        assert!(!fence.is_crossed(true), "nothing is begun yet");
        assert_eq!(fence.put_up(false), None);
        assert!(fence.is_crossed(true) && !fence.is_crossed(false));
        let told = fence.put_up(true).expect("they are switched off");
        assert_eq!(
            told["mcp_servers"],
            json!({ "a.b": { "enabled": false }, "odd": { "enabled": false } })
        );
        assert!(fence.is_crossed(false) && !fence.is_crossed(true));

        let local = |auth: bool| {
            let own = json!({ "x": { "requires_openai_auth": auth } });
            json!({ "model_provider": "x", "model_providers": own })
        };
        let no_apps = |mut config: Value| {
            config["features"] = json!({ "apps": false });
            config
        };
        for (config, crossed) in [
            (no_apps(json!({})), false),
            (no_apps(json!({ "mcp_servers": null, "plugins": [] })), false),
            (no_apps(json!({ "plugins": { "p": {} } })), true),
            // An account may have apps, unless nobody asks for one.
            (json!({}), true),
            (json!({ "features": { "apps": true } }), true),
            (json!({ "model_provider": "openai", "model_providers": {} }), true),
            (local(true), true),
            (local(false), false),
        ] {
            let mut fence = Fence::default();
            fence.configured(&config);
            let _ = fence.put_up(false);
            assert_eq!(fence.is_crossed(true), crossed, "{config}");
        }
        let mut unknown = Fence::default();
        let _ = unknown.put_up(false);
        assert!(unknown.is_crossed(true), "what is not known may be there");
    }
}

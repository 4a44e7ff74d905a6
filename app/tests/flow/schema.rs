//! A reader of the part of JSON Schema that `docs/run-events.schema.json` uses. A word that it does not
//! know fails, so that nothing in the schema is passed over in silence.

use serde_json::{Map, Value};

/// The schema of the events of a run.
const EVENTS: &str = include_str!("../../../docs/run-events.schema.json");

/// What is wrong with an event, if anything is.
pub fn flaw(event: &Value) -> Option<String> {
    let schema: Value = serde_json::from_str(EVENTS).expect("the schema is JSON");
    let kind = event["type"].as_str().unwrap_or_default();
    let one = &schema["$defs"][kind];
    let listed = schema["oneOf"].as_array().is_some_and(|all| {
        all.iter().any(|one| one["$ref"].as_str() == Some(&format!("#/$defs/{kind}")))
    });
    if !listed {
        return Some(format!("there is no event `{kind}`"));
    }
    check(&schema, one, event, kind).err()
}

/// The types of events that the schema has.
pub fn types() -> Vec<String> {
    let schema: Value = serde_json::from_str(EVENTS).expect("the schema is JSON");
    let all = schema["oneOf"].as_array().expect("a list");
    let name = |one: &Value| one["$ref"].as_str()?.rsplit('/').next().map(str::to_owned);
    all.iter().filter_map(name).collect()
}

fn check(root: &Value, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    let schema = schema.as_object().ok_or_else(|| format!("{at}: no schema"))?;
    for (word, rule) in schema {
        let holds = match word.as_str() {
            "description" | "required" | "additionalProperties" => true,
            "$ref" => {
                let name = rule.as_str().and_then(|path| path.strip_prefix("#/$defs/"));
                let name = name.ok_or_else(|| format!("{at}: {rule} leads nowhere"))?;
                check(root, &root["$defs"][name], value, at)?;
                true
            }
            "const" => value == rule,
            "enum" => rule.as_array().is_some_and(|all| all.contains(value)),
            "type" => match rule {
                Value::Array(all) => all.iter().any(|one| is_a(value, one)),
                one => is_a(value, one),
            },
            "minimum" => value.as_f64().is_none_or(|value| Some(value) >= rule.as_f64()),
            "pattern" => match rule.as_str() {
                Some("^r[0-9]+$") => value.as_str().is_some_and(|text| {
                    text.strip_prefix('r').is_some_and(|digits| {
                        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
                    })
                }),
                _ => return Err(format!("{at}: the pattern {rule} is not known")),
            },
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(root, rule, item, &format!("{at}[{index}]"))?;
                }
                true
            }
            "anyOf" => {
                let all = rule.as_array().ok_or_else(|| format!("{at}: no list"))?;
                all.iter().any(|one| check(root, one, value, at).is_ok())
            }
            "properties" => {
                members(root, schema, value, at)?;
                true
            }
            _ => return Err(format!("{at}: the word `{word}` is not known")),
        };
        if !holds {
            return Err(format!("{at}: {value} is not as `{word}` says: {rule}"));
        }
    }
    Ok(())
}

fn members(
    root: &Value,
    schema: &Map<String, Value>,
    value: &Value,
    at: &str,
) -> Result<(), String> {
    let Some(object) = value.as_object() else { return Ok(()) };
    for name in schema["required"].as_array().into_iter().flatten() {
        let name = name.as_str().unwrap_or_default();
        if !object.contains_key(name) {
            return Err(format!("{at}: `{name}` is missing in {value}"));
        }
    }
    for (name, member) in object {
        let rule = schema["properties"].get(name);
        let rule = rule.ok_or_else(|| format!("{at}: `{name}` is not described"))?;
        check(root, rule, member, &format!("{at}.{name}"))?;
    }
    Ok(())
}

fn is_a(value: &Value, name: &Value) -> bool {
    match name.as_str() {
        Some("null") => value.is_null(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("string") => value.is_string(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => false,
    }
}

#[test]
fn events_that_are_not_as_described_are_found() {
    let good =
        serde_json::json!({ "type": "pass", "run": "r1", "timestamp": 1, "pass": 2, "open": 0 });
    assert_eq!(flaw(&good), None);
    for (member, value) in [
        ("type", serde_json::json!("passed")),
        ("run", serde_json::json!("x1")),
        ("timestamp", serde_json::json!(-1)),
        ("timestamp", serde_json::json!("now")),
        ("pass", serde_json::json!(0)),
        ("open", Value::Null),
        ("more", serde_json::json!(1)),
    ] {
        let mut bad = good.clone();
        bad[member] = value;
        assert!(flaw(&bad).is_some(), "{bad}");
    }
    let mut bad = good;
    let _ = bad.as_object_mut().expect("an object").remove("open");
    assert!(flaw(&bad).is_some());
}

#[test]
fn every_event_and_each_of_its_members_is_described() {
    let text = include_str!("../../../docs/run-events.md");
    let schema: Value = serde_json::from_str(EVENTS).expect("the schema is JSON");
    for kind in types() {
        let section = text.split(&format!("## `{kind}`\n")).nth(1);
        let section = section.unwrap_or_else(|| panic!("`{kind}` has no section"));
        let section = section.split("\n## ").next().unwrap_or_default();
        let members = schema["$defs"][&kind]["properties"].as_object().expect("members");
        for name in members.keys().filter(|n| !["type", "run", "timestamp"].contains(&n.as_str())) {
            assert!(section.contains(&format!("| `{name}` |")), "{kind}: {name}");
        }
    }
}

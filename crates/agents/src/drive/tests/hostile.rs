//! Programs that print what no program should: every field of every recorded line with every odd value,
//! nesting without end, and lines of megabytes.

use maestro_core::conversation::TEXT_LIMIT;

use super::super::acp::Acp;
use super::*;

/// What may be in the place of anything.
fn odd() -> [Value; 9] {
    [
        Value::Null,
        json!(true),
        json!(-1),
        json!(u64::MAX),
        json!(1e308),
        json!("--output=\u{1b}[2J\u{202e}../../etc/passwd\n"),
        json!([[], {}, null, "x"]),
        json!({ "type": "x", "id": {}, "text": [1] }),
        json!(""),
    ]
}

/// Every place in a value.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let name = name.replace('~', "~0").replace('/', "~1");
                places(value, &format!("{at}/{name}"), found);
            }
        }
        Value::Array(values) => {
            for (n, value) in values.iter().enumerate().take(3) {
                places(value, &format!("{at}/{n}"), found);
            }
        }
        _ => {}
    }
}

fn three() -> [Play; 3] {
    let acp = Acp::new(&launch(Provider::OpenCode, Policy::Ask));
    [Play::new(Provider::Claude), Play::new(Provider::Codex), Play::with(Box::new(acp))]
}

/// Lines of one session of an agent that speaks the Agent Client Protocol.
fn acp_lines() -> Vec<String> {
    let file = folder(Provider::OpenCode).join("acp.jsonl");
    let text = std::fs::read_to_string(file).expect("a recording");
    text.lines().filter(|line| line.len() < 20_000).map(str::to_owned).collect()
}

#[test]
fn any_field_may_be_anything() {
    let lines = [real_lines(), acp_lines()].concat();
    let mut plays = three();
    let mut fed = 0_u32;
    for line in lines.iter().filter(|line| line.len() < 4_000) {
        let Ok(whole) = serde_json::from_str::<Value>(line) else { continue };
        let mut all = Vec::new();
        places(&whole, "", &mut all);
        for (n, place) in all.iter().enumerate() {
            // Each place with some of the values; another line has the same place with others.
            for odd in odd().iter().skip(n % 3).step_by(3) {
                let mut value = whole.clone();
                if let Some(part) = value.pointer_mut(place) {
                    *part = odd.clone();
                }
                let text = value.to_string();
                for play in &mut plays {
                    if !play.open {
                        let _ = play.order(Order::Say(prompt("hi")));
                    }
                    play.line(&text);
                    fed += 1;
                    assert!(play.out.lines.iter().all(|line| !line.contains('\n')), "{text}");
                    play.out = Out::default();
                }
            }
        }
    }
    assert!(fed > 10_000, "{fed}");
    for mut play in plays {
        let was_open = play.open;
        play.gone(&Exit::default());
        assert_eq!(was_open, play.outcomes().len() == 1);
    }
}

#[test]
fn nesting_and_length_have_an_end() {
    let deep = |open: &str, shut: &str| open.repeat(200_000) + &shut.repeat(200_000);
    let in_a_line = |inner: &str| {
        format!(
            r#"{{"type":"assistant","jsonrpc":"2.0","method":"item/completed","params":{inner},"message":{inner}}}"#
        )
    };
    let long = "x".repeat(8 << 20);
    let lines = [
        deep("[", "]"),
        deep(r#"{"a":"#, ""),
        in_a_line(&deep("[", "]")),
        in_a_line(&deep("[", "")),
        in_a_line(r#"1e999999999"#),
        in_a_line(&"9".repeat(100_000)),
        json!({ "type": "assistant", "message": { "id": long, "content": [{ "type": "text", "text": long }] } }).to_string(),
        json!({ "method": "item/completed", "params": { "threadId": long, "item": { "id": "a", "type": "agentMessage", "text": long } } }).to_string(),
        json!({ "method": "session/update", "params": { "sessionId": "s", "update": { "sessionUpdate": "agent_message_chunk", "content": { "type": "text", "text": long } } } }).to_string(),
        long,
    ];
    for mut play in three() {
        let _ = play.order(Order::Say(prompt("hi")));
        for line in &lines {
            play.line(line);
        }
        for (_, _, body) in play.entries() {
            if let Body::Raw(text) = body {
                assert!(text.len() <= TEXT_LIMIT, "{}", text.len());
            }
        }
        play.gone(&Exit::default());
    }
}

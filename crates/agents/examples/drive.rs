//! Drives one conversation from a terminal, the way the host does: for looking at what a dialect makes
//! of a new version, and for the tests that run the real programs in a network of their own.
//!
//! ```text
//! drive PROVIDER [--resume ID] [--model M] [--policy P] [--effort E]
//! ```
//!
//! Reads orders from standard input, one JSON object a line, and prints what is reported, as JSON:
//!
//! ```text
//! {"say": "…", "images": ["/a.png"], "read_only": true}    {"interrupt": true}
//! {"policy": "read_only"}   {"model": "m"}   {"effort": "low"}   {"kill": true}   {"close": true}
//! {"answer": "once" | "always" | "deny" | [["a"]]}   the next question is answered so, and all after it
//! {"wait": "Ended"}         goes on when an event of this name has come; its name is the first word
//! ```
//!
//! At the end of its input it closes the conversation.

use std::collections::HashMap;
use std::io::{BufRead as _, Write as _};
use std::process::ExitCode;

use maestro_agents::drive::{Driver, Launch, Order};
use maestro_agents::{Environment, detect};
use maestro_core::agent::Provider;
use maestro_core::conversation::{Answer, Body, Event, Image, Policy, Prompt};
use serde_json::{Value, json};

#[tokio::main]
async fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let Some(Ok(provider)) = args.first().map(|name| name.parse::<Provider>()) else {
        eprintln!("usage: drive PROVIDER [OPTIONS] < ORDERS");
        return ExitCode::from(2);
    };
    let option = |name: &str| {
        let at = args.iter().position(|arg| arg == name)?;
        args.get(at + 1).cloned()
    };
    let environment = Environment::own();
    let launch = Launch {
        detected: detect(provider, &environment),
        environment,
        directory: std::env::current_dir().expect("the working directory exists"),
        resume: option("--resume"),
        new_session: None,
        policy: policy(option("--policy").as_deref().unwrap_or("ask")),
        model: option("--model"),
        effort: option("--effort"),
    };
    let (sender, mut events) = tokio::sync::mpsc::channel(64);
    let driver = match Driver::start(launch, &[], sender).await {
        Ok(driver) => driver,
        Err(failure) => {
            print(&json!({ "failed": failure }));
            return ExitCode::FAILURE;
        }
    };
    let orders: Vec<Value> = std::io::stdin()
        .lock()
        .lines()
        .map_while(Result::ok)
        .filter_map(|line| serde_json::from_str(&line).ok())
        .collect();
    let mut orders = orders.into_iter();
    let mut answer = Answer::Once;
    let mut seen: HashMap<String, u64> = HashMap::new();
    let mut driver = Some(driver);
    'orders: loop {
        let Some(order) = orders.next() else { break };
        if let Some(name) = order["wait"].as_str() {
            while seen.get(name).is_none_or(|count| *count == 0) {
                let Some(event) = events.recv().await else { break 'orders };
                see(&event, &mut seen);
                if let (Event::Request(request), Some(driver)) = (&event, &driver) {
                    let order =
                        Order::Answer { request: request.id.clone(), answer: answer.clone() };
                    report(driver.order(order).await);
                }
            }
            if let Some(count) = seen.get_mut(name) {
                *count -= 1;
            }
        } else if let Some(how) = order.get("answer") {
            answer = match how {
                Value::String(word) if word == "always" => Answer::Always,
                Value::String(word) if word == "once" => Answer::Once,
                Value::Array(_) => {
                    Answer::Choices(serde_json::from_value(how.clone()).unwrap_or_default())
                }
                _ => Answer::Deny("The user said no.".to_owned()),
            };
        } else if order.get("kill").is_some() {
            driver.iter().for_each(Driver::kill);
        } else if order.get("close").is_some() {
            if let Some(driver) = driver.take() {
                driver.close().await;
            }
        } else if let (Some(driver), Some(order)) = (&driver, self::order(&order)) {
            report(driver.order(order).await);
        }
    }
    if let Some(driver) = driver {
        driver.close().await;
    }
    while let Some(event) = events.recv().await {
        see(&event, &mut seen);
    }
    ExitCode::SUCCESS
}

fn policy(name: &str) -> Policy {
    Policy::ALL.into_iter().find(|policy| policy.name() == name).unwrap_or_default()
}

fn order(order: &Value) -> Option<Order> {
    let word = |name: &str| order.get(name).map(|value| value.as_str().map(str::to_owned));
    if let Some(text) = order["say"].as_str() {
        let images = order["images"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let images =
            images.map(|path| Image { path: path.into(), media: "image/png".to_owned() }).collect();
        let read_only = order["read_only"].as_bool().unwrap_or(false);
        return Some(Order::Say(Prompt { text: text.to_owned(), images, read_only }));
    }
    if order.get("interrupt").is_some() {
        return Some(Order::Interrupt);
    }
    if let Some(Some(name)) = word("policy") {
        return Some(Order::Policy(policy(&name)));
    }
    word("model").map(Order::Model).or_else(|| word("effort").map(Order::Effort))
}

fn report(taken: Result<maestro_agents::drive::Taken, maestro_core::turn::Failure>) {
    print(&match taken {
        Ok(taken) => json!({ "taken": format!("{taken:?}") }),
        Err(failure) => json!({ "refused": failure }),
    });
}

fn see(event: &Event, seen: &mut HashMap<String, u64>) {
    let text = format!("{event:?}");
    let name: String = text.chars().take_while(|c| c.is_alphanumeric()).collect();
    let body = match event {
        Event::Item { key, open, body } => {
            let open = *open && matches!(body, Body::Tool(_));
            json!({ "key": key, "open": open, "body": body })
        }
        Event::Request(request) => json!(request),
        Event::Ended(outcome) => json!(outcome),
        Event::Usage(usage) => json!(usage),
        Event::Context(context) => json!(context),
        Event::Session { id, model } => json!({ "id": id, "model": model }),
        Event::Policy(policy) => json!(policy),
        Event::Limit { resets_ms, percent, name } => {
            json!({ "resets_ms": resets_ms, "percent": percent, "name": name })
        }
        _ => Value::String(text),
    };
    print(&json!({ "event": name, "told": body }));
    *seen.entry(name).or_default() += 1;
}

fn print(value: &Value) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{value}");
    let _ = out.flush();
}

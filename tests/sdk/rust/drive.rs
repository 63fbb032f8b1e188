//! Starts one of the Rust SDKs as a customer would, with only the host changed.
//!
//! drive SDK HOST WRITE_KEY PREFIX story|many COUNT: tells the story of tests/sdk/story.rs, or sends
//! COUNT events. Prints a line of JSON: how many errors the SDK reported.

use serde_json::{Value, from_value, json};

type Call = (&'static str, Value);

fn calls(prefix: &str, task: &str, count: usize) -> Vec<Call> {
    let [user, other, visitor, workspace] =
        ["u1", "u2", "visitor", "ws1"].map(|name| format!("{prefix}-{name}"));
    let second = format!("{visitor}-2");
    let here = json!({"groupId": workspace});
    let used = json!({"userId": user, "event": "core_feature_used", "properties": {"feature": "export"}, "context": here});
    if task == "many" {
        return vec![("track", used); count];
    }
    let mut all = vec![
        (
            "page",
            json!({"anonymousId": visitor, "name": "Pricing", "properties": {"path": "/pricing"}}),
        ),
        (
            "identify",
            json!({"userId": user, "anonymousId": visitor, "traits":
            {"email": format!("dana@{prefix}.example"), "name": "Dana Öps 🚀", "title": "VP Engineering"}}),
        ),
        (
            "group",
            json!({"userId": user, "groupId": workspace, "traits":
            {"name": format!("Acme {prefix}"), "plan": "trial", "role": "admin"}}),
        ),
    ];
    all.extend(vec![("track", used); count]);
    all.extend([
        (
            "track",
            json!({"userId": user, "event": "automation_run", "properties": {"feature": "export"}}),
        ),
        (
            "screen",
            json!({"userId": user, "name": "Mobile Home", "properties": {}, "context": here}),
        ),
        ("page", json!({"anonymousId": second, "name": "Docs", "properties": {}})),
        (
            "identify",
            json!({"userId": other, "traits": {"email": format!("otto@{prefix}.example")}}),
        ),
        ("alias", json!({"userId": other, "previousId": second})),
    ]);
    all
}

/// Each call by itself, but the tracks in one batch with the context around it.
async fn segment(host: &str, key: &str, calls: Vec<Call>) -> Vec<String> {
    use segment::{Batcher, Client, HttpClient, Message};
    let client = HttpClient::new(reqwest::Client::new(), host.to_owned());
    let mut batcher = Batcher::new(Some(json!({"library": {"name": "drive", "version": "1"}})));
    let mut messages = Vec::new();
    for (kind, mut call) in calls {
        // Its own reader of JSON wants the field; what it sends is the same without.
        call["timestamp"] = Value::Null;
        messages.push(match kind {
            "track" => {
                batcher.push(from_value::<segment::message::Track>(call).unwrap()).unwrap();
                continue;
            }
            "page" => Message::Page(from_value(call).unwrap()),
            "screen" => Message::Screen(from_value(call).unwrap()),
            "identify" => Message::Identify(from_value(call).unwrap()),
            "group" => Message::Group(from_value(call).unwrap()),
            _ => Message::Alias(from_value(call).unwrap()),
        });
    }
    messages.push(batcher.into_message());
    let mut errors = Vec::new();
    for message in messages {
        errors.extend(client.send(key.to_owned(), message).await.err().map(|e| e.to_string()));
    }
    errors
}

fn rudder(host: &str, key: &str, calls: Vec<Call>) -> Vec<String> {
    use rudderanalytics::client::RudderAnalytics;
    use rudderanalytics::message::Message;
    let client = RudderAnalytics::load(key.to_owned(), host.to_owned());
    let mut errors = Vec::new();
    for (kind, call) in calls {
        let message = match kind {
            "track" => Message::Track(from_value(call).unwrap()),
            "page" => Message::Page(from_value(call).unwrap()),
            "screen" => Message::Screen(from_value(call).unwrap()),
            "identify" => Message::Identify(from_value(call).unwrap()),
            "group" => Message::Group(from_value(call).unwrap()),
            _ => Message::Alias(from_value(call).unwrap()),
        };
        errors.extend(client.send(&message).err().map(|error| error.to_string()));
    }
    errors
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [sdk, host, key, prefix, task, count] = arguments.as_slice() else {
        panic!("drive SDK HOST WRITE_KEY PREFIX story|many COUNT");
    };
    let calls = calls(prefix, task, count.parse().unwrap());
    let errors = if sdk == "segment" {
        tokio::runtime::Runtime::new().unwrap().block_on(segment(host, key, calls))
    } else {
        rudder(host, key, calls)
    };
    println!("{}", json!({"errors": errors.len(), "first": errors.first()}));
}

//! Webhooks signed by the published packages of Stripe and Standard Webhooks are believed, over a
//! real connection; the same with one byte changed are not.

use std::path::Path;
use std::process::Command;

use ripen::clock::Clock;
use ripen::db::Pool;
use ripen::sources::ops;
use ripen::sources::ops_webhooks::{self, Wanted};
use ripen::sources::signature::Secret;
use ripen::team::audit::Actor;
use serde_json::{Value, json};

use crate::house::House;
use crate::packages::{home, node};

const STRIPE_SECRET: &str = "whsec_of_the_dashboard";

/// The headers that a package makes.
fn sign(mut command: Command, kind: &str, secret: &str, body: &str) -> Vec<(String, String)> {
    let time = Clock::system().now().timestamp().to_string();
    let run = command.args([kind, secret, "msg_1", &time, body]).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let headers: Value = serde_json::from_slice(&run.stdout).unwrap();
    let headers = headers.as_object().unwrap();
    headers.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect()
}

fn python() -> Command {
    let mut command = Command::new(home("python-webhooks").join("bin/python"));
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sdk/python/sign.py"));
    command
}

fn javascript() -> Command {
    let mut command = Command::new(node());
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sdk/webhooks/sign.js"));
    command.env("RIPEN_SDKS", home("webhooks"));
    command
}

fn post(house: &House, path: &str, headers: &[(String, String)], body: &str) -> (u16, String) {
    let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
    let mut request = agent.post(format!("{}{path}", house.url));
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let mut answer = request.send(body).unwrap();
    (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
}

fn believed(command: fn() -> Command) {
    let house = House::open();
    let (by, now) = (Actor::system(), Clock::system().now());
    let (stripe, events, secret) = house
        .db()
        .tx(Pool::Work, |conn| {
            let wanted = Wanted::Stripe { secret: STRIPE_SECRET.to_owned(), livemode: true };
            let (stripe, _) = ops_webhooks::create(conn, &by, "Stripe", &wanted, now)?;
            let source = ops::create_source(conn, &by, "Backend", "", now)?.id;
            let (events, secret) =
                ops_webhooks::create(conn, &by, "Backend", &Wanted::Events(source), now)?;
            Ok((stripe.id, events.id, secret.unwrap_or(Secret::new(""))))
        })
        .unwrap();
    let event = json!({"id": "evt_1", "object": "event", "type": "customer.created", "livemode": true,
        "created": now.timestamp(), "data": {"object": {"id": "cus_1", "name": "Zoë & Søn"}}});
    let call = json!({"type": "invite.sent", "timestamp": now.to_rfc3339(),
        "data": {"workspace_id": "w1", "user_id": "u1"}});
    for (path, kind, secret, body) in [
        (format!("/webhooks/stripe/{stripe}"), "stripe", STRIPE_SECRET, event.to_string()),
        (format!("/webhooks/events/{events}"), "standard", secret.reveal(), call.to_string()),
    ] {
        let headers = sign(command(), kind, secret, &body);
        let (status, said) = post(&house, &path, &headers, &body);
        assert_eq!(status, 200, "{said}");
        let (status, said) = post(&house, &path, &headers, &body.replace("1", "2"));
        assert_eq!(status, 400, "{said}");
        assert!(said.contains("wrong_signature"), "{said}");
    }
}

#[test]
#[ignore = "needs bin/setup sdk: bin/test sdk"]
fn signed_by_the_python_packages() {
    believed(python);
}

#[test]
#[ignore = "needs bin/setup sdk: bin/test sdk"]
fn signed_by_the_node_packages() {
    believed(javascript);
}

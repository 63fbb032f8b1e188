//! An admin connects Stripe; a customer whom nobody knows finds its workspace, which then shows what it
//! pays.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::chromium::Browser;
use crate::house::{House, hot_trial};

const SECRET: &str = "whsec_of_the_dashboard";

/// Delivers an event as Stripe does; the status and what became of it.
fn deliver(address: &str, secret: &str, event: &Value) -> (u16, String) {
    let (body, time) = (event.to_string(), ripen::clock::Clock::system().now().timestamp());
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{time}.{body}").as_bytes());
    let signature = hex::encode(mac.finalize().into_bytes());
    let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
    let mut answer = agent
        .post(address)
        .header("stripe-signature", format!("t={time},v1={signature}"))
        .send(body)
        .unwrap();
    (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
}

fn event(id: &str, kind: &str, object: &Value) -> Value {
    let now = ripen::clock::Clock::system().now().timestamp();
    json!({"id": id, "object": "event", "created": now, "livemode": true, "type": kind, "data": {"object": object}})
}

/// Four seats at 15 dollars, of a customer whose name is that of the workspace.
fn told() -> [Value; 2] {
    let begun = ripen::clock::Clock::system().now().timestamp() - 86_400 * 3;
    let customer =
        json!({"id": "cus_1", "name": "acme Engineering", "email": "pay@elsewhere.example"});
    let subscription = json!({
        "id": "sub_1", "customer": "cus_1", "status": "active", "currency": "usd", "created": begun,
        "start_date": begun, "metadata": {}, "items": {"has_more": false, "data": [{
            "id": "si_1", "quantity": 4, "current_period_end": begun + 86_400 * 30,
            "price": {"id": "price_1", "nickname": "Team", "unit_amount": 1500, "billing_scheme": "per_unit",
                      "recurring": {"interval": "month", "interval_count": 1, "usage_type": "licensed"}}}]}});
    [
        event("evt_0", "customer.created", &customer),
        event("evt_1", "customer.subscription.created", &subscription),
    ]
}

fn from_the_secret_to_the_revenue(scripts: bool) {
    let house = House::open();
    let key = house.write_key();
    house.send(&key, &hot_trial("acme-eng", "acme"));
    house.member("ada@ripen.test", "Ada Admin", "admin", None);
    let browser = Browser::launch();
    let page = browser.page();
    if !scripts {
        page.disable_javascript();
    }
    house.sign_in(&page, "ada@ripen.test");
    page.goto(&format!("{}/settings/webhooks", house.url));
    page.fill("#stripe-name", "Stripe");
    page.fill("#secret", "not a secret");
    page.click("#add-stripe-button");
    page.wait_for_text("it begins with whsec_");
    assert_eq!(
        page.eval("document.querySelector('#name').value"),
        "Stripe",
        "what was typed stays"
    );
    page.fill("#secret", SECRET);
    page.click("#add-stripe-button");
    page.wait_for("#address");
    let address = page.text("#address");
    assert!(!page.text("body").contains(SECRET), "a pasted secret is not shown again");

    let (status, said) = deliver(&address, "whsec_guess", &told()[0]);
    assert!(status == 400 && said.contains("wrong_signature"), "{status} {said}");
    for (event, outcome) in told().iter().zip(["noted", "unmapped"]) {
        let (status, said) = deliver(&address, SECRET, event);
        assert!(status == 200 && said.contains(outcome), "{status} {said}");
    }
    page.eval("location.reload()");
    page.wait_for_text("customer.subscription.created");
    page.wait_for_text("No signature fits the secrets of this endpoint");

    // Nothing says whose it is but its name; the admin does.
    page.goto(&format!("{}/ingest/unmapped", house.url));
    page.wait_for_text("$60");
    page.click("tr[data-row] [data-row-link]");
    page.wait_for_text("It has the same name");
    page.click("[id^=map-]");
    page.wait_for_text("Every subscription has its workspace");
    page.wait_for_text("Mapped by people");
    page.click("[href$='/billing']");
    page.wait_for_text("Monthly recurring revenue");
    let shown = page.text("main");
    assert!(shown.contains("$60") && shown.contains("Team"), "{shown}");
    let complaints: Vec<String> = browser.take_complaints();
    assert!(complaints.iter().all(|one| one.contains("422")), "pages complained: {complaints:?}");
}

#[test]
fn stripe_is_connected_and_an_unknown_customer_finds_its_workspace() {
    from_the_secret_to_the_revenue(true);
}

#[test]
fn stripe_is_connected_without_scripts() {
    from_the_secret_to_the_revenue(false);
}

/// A secret that Ripen makes is shown once, on the page that answers the form.
#[test]
fn the_secret_of_ones_own_system_is_shown_once() {
    let house = House::open();
    house.write_key();
    house.member("ada@ripen.test", "Ada Admin", "admin", None);
    let browser = Browser::launch();
    let page = browser.page();
    house.sign_in(&page, "ada@ripen.test");
    page.goto(&format!("{}/settings/webhooks", house.url));
    page.fill("#events-name", "Our backend");
    page.click("#add-events-button");
    let secret = page.text("#new-secret");
    assert!(secret.starts_with("whsec_"), "{secret}");
    page.goto(&format!("{}/settings/webhooks", house.url));
    page.click("tbody a");
    page.wait_for("#address");
    assert!(!page.text("body").contains(&secret));
    assert!(browser.take_complaints().is_empty());
}

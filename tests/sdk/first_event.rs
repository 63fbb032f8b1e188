//! Somebody connects a product: the page that listens shows its first event, and what is wrong with what
//! does not arrive, without being reloaded.

use crate::chromium::{Browser, Page};
use crate::house::House;
use crate::packages::Sdk;

/// Signed in as an admin, on the page that shows a new source's write key and listens.
fn add_source(house: &House, page: &Page<'_>) -> String {
    house.member("ada@ripen.test", "Ada Admin", "admin", None);
    house.sign_in(page, "ada@ripen.test");
    page.goto(&format!("{}/settings/keys", house.url));
    page.fill("#name", "Web app");
    page.click("#add-source-button");
    page.wait_for("#new-key");
    page.eval("window.stayed = true");
    let shown = page.text("#new-key");
    shown.split_whitespace().find(|word| word.starts_with("wk_")).unwrap().to_owned()
}

/// Sends what no SDK sends; the status.
fn send(house: &House, headers: &[(&str, &str)], body: &str) -> u16 {
    let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
    let mut request = agent.post(format!("{}/v1/batch", house.url));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send(body).unwrap().status().as_u16()
}

#[test]
fn the_first_event_appears_by_itself() {
    let house = House::open();
    let browser = Browser::launch();
    let page = browser.page();
    let key = add_source(&house, &page);
    page.wait_for_text("Listening");
    Sdk::Python("segment").run(&house.url, &key, "p", "story", 2);
    let looks = page.looks_until("/settings/keys/sources/", "is heard");
    // The page asks once a second; the look under way when the event was acknowledged may miss it.
    assert!(looks <= 2, "{looks} looks");
    page.wait_for_text("alias");
    page.wait_for_text("p-u2");
    page.wait_for_text("analytics-python/2.4.0");
    page.wait_for_text("p-ws1");
    assert_eq!(page.eval("window.stayed"), true, "without a reload");
    assert!(browser.take_complaints().is_empty());
}

#[test]
fn what_is_wrong_is_said_on_the_page() {
    let house = House::open();
    let browser = Browser::launch();
    let page = browser.page();
    let key = add_source(&house, &page);
    page.wait_for_text("Listening");

    let other = "from_somewhere_else_entirely";
    Sdk::Node("segment").run(&house.url, other, "p", "many", 1);
    page.wait_for_text("keys of Ripen begin with wk_");
    page.wait_for_text("from…");
    page.wait_for_text("analytics-node");
    assert!(!page.eval("document.body.innerText").to_string().contains(other), "no whole key");

    let behind_a_path = format!("{}/crm", house.url);
    Sdk::Python("segment").run(&behind_a_path, &key, "p", "many", 1);
    page.wait_for_text("SDKs are answered at the root of the address");
    page.wait_for_text("POST /crm/v1/batch");

    let basic = {
        use base64::Engine;
        let pair = base64::engine::general_purpose::STANDARD.encode(format!("{key}:"));
        format!("Basic {pair}")
    };
    let authorized = ("Authorization", &*basic);
    assert_eq!(send(&house, &[authorized, ("Content-Encoding", "br")], "x"), 415);
    page.wait_for_text("packed as \"br\"");
    assert_eq!(send(&house, &[authorized], r#"{"batch":[{"type":"track","event":"E"}]}"#), 200);
    page.wait_for_text("Neither userId nor anonymousId is set");

    let off = r#"{"batch":[{"type":"track","event":"From tomorrow","userId":"u","messageId":"m","timestamp":"2999-01-01T00:00:00Z"}]}"#;
    assert_eq!(send(&house, &[authorized], off), 200);
    page.wait_for_text("more than 5 minutes ahead of the receipt");
    page.wait_for_text("It names no workspace");
    assert_eq!(page.eval("window.stayed"), true, "all of it without a reload");
}

//! A dead letter is mended where it stands, replayed, and counts.

use base64::Engine;
use serde_json::json;

use crate::chromium::Browser;
use crate::house::{House, hot_trial};

fn mended_and_replayed(scripts: bool) {
    let house = House::open();
    let key = house.write_key();
    house.send(&key, &hot_trial("acme-eng", "acme"));
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("{key}:"));
    let broken = json!({"type": "track", "event": "Upgrade Clicked", "messageId": "lost"});
    let mut answer = ureq::post(format!("{}/v1/batch", house.url))
        .header("authorization", format!("Basic {basic}"))
        .send(json!({ "batch": [broken] }).to_string())
        .unwrap();
    assert!(answer.body_mut().read_to_string().unwrap().contains("missing_identity"));
    house.member("rolf@ripen.test", "Rolf Revops", "revops", None);
    let browser = Browser::launch();
    let page = browser.page();
    if !scripts {
        page.disable_javascript();
    }
    house.sign_in(&page, "rolf@ripen.test");
    page.goto(&format!("{}/ingest/dead-letters", house.url));
    page.reload_until("the letter", "document.querySelector('#letters [data-row-link]')");
    page.click("#letters [data-row-link]");
    page.wait_for_text("Neither userId nor anonymousId is set");
    // The page says that a replay alone is in vain, and has the text open to be mended.
    page.wait_for_text("mend its text below");
    page.fill("#text", "{\"type\": \"track\", ");
    page.click("#mend-go");
    page.wait_for("#error-summary");
    assert_eq!(page.eval("document.querySelector('#text').value"), "{\"type\": \"track\", ");
    let mended = json!({"type": "track", "event": "Upgrade Clicked", "messageId": "lost",
                        "userId": "acme-eng-u0", "context": {"groupId": "acme-eng"}});
    page.fill("#text", &json!({ "batch": [mended] }).to_string());
    page.click("#mend-go");
    page.wait_for_path("/ingest/dead-letters/replays/");
    let over = "document.body && document.body.innerText.includes('1 stored')";
    if scripts {
        page.wait_until("the result", over);
    } else {
        page.reload_until("the result", over);
    }
    page.goto(&format!("{}/ingest/dead-letters", house.url));
    page.wait_for_text("No dead letters");
    let acme = ripen::ids::WorkspaceId::of("acme-eng");
    page.goto(&format!("{}/workspaces/{acme}/events?event=upgrade_click", house.url));
    page.wait_for_text("u0@acme.example");
    let complaints: Vec<String> = browser.take_complaints();
    assert!(complaints.iter().all(|one| one.contains("422")), "pages complained: {complaints:?}");
}

#[test]
fn a_dead_letter_is_mended_and_replayed() {
    mended_and_replayed(true);
}

#[test]
fn mending_needs_no_scripts() {
    mended_and_replayed(false);
}

//! RevOps says what an event means, from one click on its name to the past counted anew.

use serde_json::json;

use crate::chromium::Browser;
use crate::house::{House, hot_trial};

/// Three events that nobody has defined; two of them are public.
fn shared(number: u8, audience: &str) -> serde_json::Value {
    json!({"type": "track", "event": "Board Shared", "userId": "acme-eng-admin", "messageId": format!("shared-{number}"),
           "properties": {"audience": audience}, "context": {"groupId": "acme-eng"}})
}

fn a_name_becomes_a_key_event(scripts: bool) {
    let house = House::open();
    let key = house.write_key();
    let mut events = hot_trial("acme-eng", "acme");
    events.extend([shared(1, "public"), shared(2, "private"), shared(3, "public")]);
    house.send(&key, &events);
    house.member("rolf@ripen.test", "Rolf Revops", "revops", None);
    let browser = Browser::launch();
    let page = browser.page();
    if !scripts {
        page.disable_javascript();
    }
    house.sign_in(&page, "rolf@ripen.test");
    page.goto(&format!("{}/settings/events", house.url));
    page.reload_until("the name", "document.querySelector('#define-board_shared')");

    page.click("#define-board_shared");
    page.wait_for_path("/settings/events/new");
    page.fill("#label", "Shared a board in public");
    page.fill("[id='conditions.0'] [name=path]", "audience");
    page.fill("[id='conditions.0'] [name=value]", "public");
    page.click("#look");
    page.wait_for("#save");
    let forecast = page.text("#forecast");
    assert!(
        forecast.contains("2 events in the last 7 days would count as this event"),
        "{forecast}"
    );
    // Looking saves nothing, and without a reason nothing can be saved.
    page.click("#save");
    page.wait_for("#error-summary");
    assert_eq!(page.eval("document.querySelector('[name=path]').value"), "audience");
    page.fill("#reason", "Public boards bring new users");
    page.click("#look");
    page.wait_for("#save");
    page.click("#save");
    page.wait_for_text("version 2 of the catalog is in force");
    assert!(page.text("#e-board_shared").contains("Shared a board in public"));

    // What came before counts once it is counted again; the page says how far that is, and stops.
    page.click("#start-rebuild");
    page.wait_for_text("The rebuild has begun");
    let over = "document.querySelector('#rebuild') && !document.querySelector('#rebuild form')";
    if scripts {
        page.wait_until("the rebuild to end by itself", over);
    } else {
        page.reload_until("the end of the rebuild", over);
    }
    let acme = ripen::ids::WorkspaceId::of("acme-eng");
    page.goto(&format!("{}/workspaces/{acme}/events?event=board_shared", house.url));
    let said = page.text("main");
    assert_eq!(
        said.matches("Shared a board in public").count(),
        2 + 1,
        "and in the filter: {said}"
    );
    let complaints: Vec<String> = browser.take_complaints();
    assert!(complaints.iter().all(|one| one.contains("422")), "pages complained: {complaints:?}");
}

#[test]
fn revops_makes_a_key_event_of_a_name_and_counts_the_past_again() {
    a_name_becomes_a_key_event(true);
}

#[test]
fn the_catalog_is_edited_without_scripts() {
    a_name_becomes_a_key_event(false);
}

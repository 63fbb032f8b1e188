//! Somebody connects a product and watches the page: its first event is there with the next look.

use serde_json::json;

use crate::chromium::Browser;
use crate::house::House;

#[test]
fn the_first_event_is_on_the_page_within_two_looks_of_a_second_each() {
    let house = House::open();
    house.member("ada@ripen.test", "Ada Admin", "admin", None);
    let browser = Browser::launch();
    let page = browser.page();
    house.sign_in(&page, "ada@ripen.test");
    page.goto(&format!("{}/settings/keys", house.url));
    page.fill("#name", "Web app");
    page.click("#add-source-button");
    let key = page.text("#new-key");
    let key = key.split_whitespace().find(|word| word.starts_with("wk_")).unwrap().to_owned();
    page.wait_for_text("Listening for the first event");
    house.send(&key, &[json!({"type": "track", "event": "Signed Up", "userId": "u1"})]);
    let looks = page.looks_until("/settings/keys/sources/", "is heard");
    // The one under way when the event was acknowledged may miss it, the next one may not.
    assert!(looks <= 2, "{looks} looks");
    assert_eq!(
        page.eval("document.querySelector('#listening').getAttribute('hx-trigger')"),
        "every 1s"
    );
    page.wait_for_text("Signed Up");
    page.wait_for_text("It names no workspace");
    // The key's first use is noted without a second request.
    page.goto(&format!("{}/settings/keys", house.url));
    page.reload_until(
        "the use of the key",
        "!document.querySelector('main').innerText.includes('never')",
    );
    assert!(browser.take_complaints().is_empty());
}

//! A manager judges whether two users are one person, and takes it back.

use serde_json::{Value, json};

use crate::chromium::Browser;
use crate::house::{House, hot_trial};

/// Dana signed up a second time, with the same confirmed address.
fn twice() -> Vec<Value> {
    let verified = json!({"email": "dana@acme.example", "email_verified": true});
    let mut events = hot_trial("acme-eng", "acme");
    for (number, user) in ["acme-eng-admin", "acme-eng-again"].into_iter().enumerate() {
        events.push(json!({"type": "identify", "userId": user, "traits": verified, "messageId": format!("i{number}")}));
        events.push(json!({"type": "group", "userId": user, "groupId": "acme-eng", "messageId": format!("g{number}")}));
    }
    events
}

fn judged_and_taken_back(scripts: bool) {
    let house = House::open();
    let key = house.write_key();
    house.send(&key, &twice());
    house.member("mona@ripen.test", "Mona Manager", "manager", None);
    let browser = Browser::launch();
    let page = browser.page();
    if !scripts {
        page.disable_javascript();
    }
    house.sign_in(&page, "mona@ripen.test");
    page.goto(&format!("{}/contacts", house.url));
    page.reload_until("the pair", "document.body.innerText.includes('may be one person')");
    page.click(".banner a");
    page.wait_for_path("/contacts/merges");
    page.wait_for_text("The same verified e-mail, dana@acme.example");
    // Who was there first is proposed as the one that stays.
    let kept =
        page.eval("document.querySelector('[name=keep]:checked').closest('label').innerText");
    assert!(kept.as_str().unwrap().contains("acme-eng-admin"), "{kept}");
    page.fill("[name=reason]", "Same signature");
    page.click("[id^=merge-]");
    page.wait_for_path("/users/");
    page.wait_for_text("User acme-eng-again was merged into acme-eng-admin");
    page.wait_for_text("“Same signature”");

    page.click("[id^=undo-]");
    page.wait_for_text("taken back");
    // Who takes a merge back says that they are two; nobody is asked again until somebody asks to be.
    page.goto(&format!("{}/contacts/merges", house.url));
    page.wait_for_text("Nothing to decide");
    page.click("nav.tabs a[href$='show=kept']");
    page.click("[id^=reopen-]");
    page.wait_until(
        "the answer",
        "document.readyState === 'complete' && !document.querySelector('[id^=reopen-]')",
    );
    page.goto(&format!("{}/contacts/merges", house.url));
    page.click("[id^=apart-]");
    page.wait_for_text("Nothing to decide");
    let complaints = browser.take_complaints();
    assert!(complaints.is_empty(), "pages complained: {complaints:?}");
}

#[test]
fn a_manager_merges_two_users_and_takes_it_back() {
    judged_and_taken_back(true);
}

#[test]
fn merging_needs_no_scripts() {
    judged_and_taken_back(false);
}

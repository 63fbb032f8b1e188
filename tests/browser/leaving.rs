//! An admin leaves: what they made is asked about, with JavaScript and without.

use crate::chromium::Browser;
use crate::house::House;

fn keys_are_asked_about(script: bool) {
    let house = House::open();
    for (email, name) in [("ada@ripen.test", "Ada Admin"), ("mara@ripen.test", "Mara Maker")] {
        house.member(email, name, "admin", None);
    }
    let browser = Browser::launch();
    let mara = browser.page();
    house.sign_in(&mara, "mara@ripen.test");
    mara.goto(&format!("{}/settings/keys", house.url));
    mara.fill("#name", "Web app");
    mara.click("#add-source-button");
    mara.wait_for("#new-key");
    mara.fill("#key_name", "nightly");
    mara.click("#add-api-key-button");
    mara.wait_for_text("The API key “nightly”");

    let ada = browser.page();
    if !script {
        ada.disable_javascript();
    }
    house.sign_in(&ada, "ada@ripen.test");
    ada.goto(&format!("{}/settings/team", house.url));
    let row = "[...document.querySelectorAll('tr[id^=m-]')].find(r => r.textContent.includes('Mara')).id.slice(2)";
    let id = ada.eval(row).as_str().expect("Mara's row").to_owned();
    // A lesser role: all that she made waits for a decision.
    ada.choose(&format!("#role-{id}"), "manager");
    ada.click(&format!("#save-role-{id}"));
    ada.wait_for_path(&format!("/settings/team/{id}/keys"));
    ada.wait_for_text("Mara Maker is Manager and may make no keys any more.");
    ada.goto(&format!("{}/settings/team", house.url));
    ada.wait_for_text("Keys that they made still work: 2");
    // Leaving: the API key goes unless somebody keeps it; the write key needs a choice.
    let panel = format!("#deactivate-{id}");
    ada.click(&format!("{panel} summary"));
    let chosen =
        format!("[...document.querySelectorAll('{panel} input:checked')].map(i => i.value).join()");
    assert_eq!(ada.eval(&chosen), "revoke", "of the API key alone");
    ada.click(&format!("{panel} fieldset:last-of-type input[value=keep]"));
    ada.click(&format!("#sure-{id}"));
    ada.wait_for_path("/settings/team");
    ada.wait_for_text("1 key was revoked.");
    assert!(!ada.text("body").contains("still work:"), "nothing waits");
    assert!(browser.take_complaints().is_empty());
}

#[test]
fn keys_of_somebody_who_leaves_are_asked_about() {
    keys_are_asked_about(true);
}

#[test]
fn keys_of_somebody_who_leaves_are_asked_about_without_javascript() {
    keys_are_asked_about(false);
}

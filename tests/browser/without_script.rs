//! The same work with JavaScript off: links and forms carry it.

use crate::chromium::Browser;
use crate::house::{House, PASSWORD, hot_trial};

#[test]
fn assigning_and_finishing_a_task_needs_no_javascript() {
    let house = House::open();
    let key = house.write_key();
    house.send(&key, &hot_trial("acme-eng", "acme"));
    house.member("mona@ripen.test", "Mona Manager", "manager", None);
    let browser = Browser::launch();

    let manager = browser.page();
    manager.disable_javascript();
    house.sign_in(&manager, "mona@ripen.test");
    while !manager.text("body").contains("acme Engineering") {
        manager.goto(&format!("{}/workspaces?stage=hot_pql", house.url));
    }
    house.member("rita@ripen.test", "Rita Rep", "rep", Some("sdr"));
    manager.goto(&format!("{}/assign", house.url));
    manager.click("tr[data-row] input[type=checkbox]");
    let rita = manager.eval("[...document.querySelectorAll('#member option')].find(o => o.textContent.includes('Rita'))?.value");
    manager.choose("#member", rita.as_str().expect("Rita can be chosen"));
    manager.click("#assign-chosen");
    manager.wait_for_text("Everything is assigned");

    let rep = browser.page();
    rep.disable_javascript();
    house.sign_in(&rep, "rita@ripen.test");
    rep.click("tr[data-row] [data-row-link]");
    rep.wait_for_text("Whom to call");
    rep.fill("#note", "Called");
    rep.click("#contacted");
    rep.wait_for_path("/inbox");
    rep.wait_for_text("Contacted");

    // A wrong password says so and keeps the address.
    let stranger = browser.page();
    stranger.disable_javascript();
    stranger.goto(&format!("{}/login", house.url));
    stranger.fill("#email", "rita@ripen.test");
    stranger.fill("#password", &PASSWORD.to_uppercase());
    stranger.press("Enter");
    stranger.wait_until(
        "the error with the address still there",
        "document.title.startsWith('Error: ') && document.querySelector('#email')?.value === 'rita@ripen.test'",
    );
}

//! The main job: events in, an explained and owned PQL out.

use crate::chromium::Browser;
use crate::house::{House, PASSWORD, hot_trial};

#[test]
fn from_the_first_link_to_a_task_that_is_done() {
    let house = House::open();
    let browser = Browser::launch();

    // The first admin, by the link in the log.
    let admin = browser.page();
    admin.goto(&house.setup_link());
    admin.fill("#name", "Ada Admin");
    admin.fill("#email", "ada@ripen.test");
    admin.fill("#password", PASSWORD);
    admin.press("Enter");
    admin.wait_for_path("/ingest");
    // An empty house says what to do.
    admin.wait_for_text("first event");

    // A source with a write key, made in the page and shown once.
    admin.goto(&format!("{}/settings/keys", house.url));
    admin.fill("#name", "Web app");
    admin.click("#add-source-button");
    admin.wait_for("#new-key");
    let key = admin.text("#new-key");
    let key = key.split_whitespace().find(|word| word.starts_with("wk_")).unwrap().to_owned();
    house.send(&key, &hot_trial("acme-eng", "acme"));
    admin.wait_for_text("is heard");

    // Nobody could take the PQL when it was routed, so it waits for a manager.
    admin.goto(&format!("{}/workspaces", house.url));
    admin.reload_until("the score", "document.body.innerText.includes('Hot PQL')");
    house.member("mona@ripen.test", "Mona Manager", "manager", None);
    house.member("rita@ripen.test", "Rita Rep", "rep", Some("sdr"));

    // The manager lands on the PQL that nobody owns, with its reasons.
    let manager = browser.page();
    house.sign_in(&manager, "mona@ripen.test");
    assert_eq!(manager.path(), "/assign");
    manager.wait_for_text("acme Engineering");
    manager.click("tr[data-row] [data-row-link]");
    manager.wait_for_text("Hit a usage limit");
    manager.wait_for_text("Hot PQL");

    // Finds it in the list as well: filter, search, and what is typed stays.
    manager.goto(&format!("{}/workspaces", house.url));
    manager.fill("input[type=search]", "acme");
    manager.wait_until("the search to be in the address", "location.search.includes('q=acme')");
    manager.wait_for_text("acme Engineering");

    // Assigns it; the row leaves.
    manager.goto(&format!("{}/assign", house.url));
    manager.click("tr[data-row] input[type=checkbox]");
    let rita = manager.eval("[...document.querySelectorAll('#member option')].find(o => o.textContent.includes('Rita'))?.value");
    manager.choose("#member", rita.as_str().expect("Rita can be chosen"));
    manager.click("#assign-chosen");
    manager.wait_for_text("Everything is assigned");

    // The rep finds the task: whom to call and why.
    let rep = browser.page();
    house.sign_in(&rep, "rita@ripen.test");
    assert_eq!(rep.path(), "/inbox");
    rep.click("tr[data-row] [data-row-link]");
    rep.wait_for_text("Whom to call");
    rep.wait_for_text("dana@acme.example");
    rep.wait_for_text("Suggested opener");
    rep.fill("#note", "Dana asks for 20 seats");
    rep.click("#contacted");
    rep.wait_for_text("Done today");
    rep.wait_until("the inbox to be empty", "!document.querySelector('#head-now + * tr[data-row], [aria-labelledby=head-now] tr[data-row]')");

    let complaints = browser.take_complaints();
    assert!(complaints.is_empty(), "pages complained: {complaints:?}");
}

#[test]
fn a_rep_works_with_the_keyboard_alone() {
    let house = House::open();
    let key = house.write_key();
    house.send(&key, &hot_trial("acme-eng", "acme"));
    house.member("rita@ripen.test", "Rita Rep", "rep", Some("sdr"));
    let browser = Browser::launch();
    let rep = browser.page();
    rep.goto(&format!("{}/login", house.url));
    // Tab to the first field from the top of the page, as somebody without a mouse does.
    let mut steps = 0;
    while rep.eval("document.activeElement.id") != "email" {
        rep.press("Tab");
        steps += 1;
        assert!(steps < 20, "the e-mail field can't be reached by Tab");
    }
    rep.fill("#email", "rita@ripen.test");
    rep.press("Tab");
    rep.fill("#password", PASSWORD);
    rep.press("Enter");
    rep.wait_for_path("/inbox");
    // g then w: to the workspaces; / to the search.
    rep.press("g");
    rep.press("w");
    rep.wait_for_path("/workspaces");
    rep.wait_for_text("acme Engineering");
    rep.press("/");
    rep.wait_until("the search to have the focus", "document.activeElement.type === 'search'");
    rep.press("Escape");
    // j marks the first row, Enter opens it.
    rep.eval("document.activeElement.blur()");
    rep.press("j");
    rep.press("Enter");
    rep.wait_for_path("/workspaces/");
    // Every control that Tab reaches shows where it is.
    let invisible = rep.eval(
        "[...document.querySelectorAll('a[href], button, input, select, textarea, summary')]\
         .filter(e => e.offsetParent && (e.getBoundingClientRect().width < 1)).length",
    );
    assert_eq!(invisible, 0);
    assert!(browser.take_complaints().is_empty());
}

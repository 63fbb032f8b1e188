//! A rep is told of a new task, reads it by opening it, and puts the rest away.

use crate::chromium::Browser;
use crate::house::{House, hot_trial};

#[test]
fn what_a_rep_is_told_is_read_by_opening_it() {
    let house = House::open();
    let key = house.write_key();
    house.member("mona@ripen.test", "Mona Manager", "manager", None);
    house.send(&key, &hot_trial("acme-eng", "acme"));
    house.send(&key, &hot_trial("globex-eng", "globex"));
    let browser = Browser::launch();
    let page = browser.page();
    // Nobody could take the two PQLs, so a manager gives them away.
    let manager = browser.page();
    house.sign_in(&manager, "mona@ripen.test");
    let waiting = "document.querySelectorAll('tr[data-row] input[type=checkbox]').length === 2";
    manager.reload_until("both PQLs", waiting);
    house.member("rita@ripen.test", "Rita Rep", "rep", Some("sdr"));
    manager.goto(&format!("{}/assign", house.url));
    for row in ["first", "last"] {
        manager.click(&format!("tr[data-row]:{row}-of-type input[type=checkbox]"));
    }
    let rita = manager.eval("[...document.querySelectorAll('#member option')].find(o => o.textContent.includes('Rita'))?.value");
    manager.choose("#member", rita.as_str().expect("Rita can be chosen"));
    manager.click("#assign-chosen");
    manager.wait_for_text("Everything is assigned");

    house.sign_in(&page, "rita@ripen.test");
    assert_eq!(page.text("#count-Notifications"), "2");
    page.click("#nav a[href='/notifications']");
    page.wait_for_path("/notifications");
    page.click("tr[data-row] [data-row-link]");
    page.wait_for_text("Whom to call");
    page.goto(&format!("{}/notifications", house.url));
    assert_eq!(page.eval("document.querySelector('#count-Notifications').textContent"), "1");
    page.click("#read-all");
    page.wait_for_text("Everything is read");
    page.click("nav.tabs a[href$='show=all']");
    page.wait_until("both", "document.querySelectorAll('tr.is-read').length === 2");
    assert!(browser.take_complaints().is_empty());
}

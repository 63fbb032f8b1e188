//! What a person lives through, in a real browser.

mod chromium;

#[test]
fn chromium_opens_a_page_and_types() {
    let browser = chromium::Browser::launch();
    let page = browser.page();
    page.goto("data:text/html,<title>t</title><input id=a><p id=b>hello</p>");
    assert_eq!(page.text("#b"), "hello");
    page.fill("#a", "typed");
    assert_eq!(page.eval("document.querySelector('#a').value"), "typed");
    page.disable_javascript();
    page.goto("data:text/html,<p id=c>still asked</p><script>document.title='ran'</script>");
    assert_eq!(page.text("#c"), "still asked");
    assert_eq!(page.eval("document.title"), "");
    assert!(browser.take_complaints().is_empty());
}

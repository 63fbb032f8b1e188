//! Pictures of every page of a running Ripen, to look at: light, dark, and as wide as a phone.
//!
//! `RIPEN_PICTURES=folder RIPEN_URL=http://localhost:8080 RIPEN_SIGN_IN="email password" cargo test
//! --test browser pictures -- --ignored`

use std::path::PathBuf;

use crate::chromium::Browser;

#[test]
#[ignore = "needs a running server, see above"]
fn pictures_of_every_page() {
    let folder = PathBuf::from(std::env::var("RIPEN_PICTURES").expect("a folder"));
    let url = std::env::var("RIPEN_URL").expect("a server");
    let sign_in = std::env::var("RIPEN_SIGN_IN").expect("an address and a password");
    let (email, password) = sign_in.split_once(' ').expect("an address and a password");
    let paths = std::env::var("RIPEN_PATHS").unwrap_or_else(|_| {
        "/inbox /assign /workspaces /accounts /scoring /routing /routing/log /ingest /ingest/dead-letters \
         /settings/keys /settings/team /me".to_owned()
    });
    std::fs::create_dir_all(&folder).unwrap();
    let browser = Browser::launch();
    let page = browser.page();
    page.goto(&format!("{url}/login"));
    page.fill("#email", email);
    page.fill("#password", password);
    page.press("Enter");
    page.wait_until(
        "to be signed in",
        "location.pathname !== '/login' && document.readyState === 'complete'",
    );
    let mut paths: Vec<String> = paths.split_whitespace().map(str::to_owned).collect();
    page.goto(&format!("{url}/workspaces"));
    let first = page.eval("document.querySelector('[data-row-link]')?.getAttribute('href')");
    if let Some(workspace) = first.as_str() {
        let tabs = ["", "/events", "/members", "/billing", "/tasks", "/history"];
        paths.extend(tabs.iter().map(|tab| format!("{workspace}{tab}")));
    }
    let mut sideways = Vec::new();
    for path in paths {
        page.goto(&format!("{url}{path}"));
        let tab = path.split('/').skip(1).map(|part| if part.len() > 30 { "id" } else { part });
        let name: Vec<&str> = tab.collect();
        for (kind, width, scheme) in
            [("light", 1320, "light"), ("dark", 1320, "dark"), ("phone", 390, "light")]
        {
            page.resize(width, 860);
            page.prefer(&[("prefers-color-scheme", scheme), ("prefers-reduced-motion", "reduce")]);
            // Two frames later everything is painted in the new width and colours.
            page.eval(
                "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))",
            );
            page.screenshot(&folder.join(format!("{}-{kind}.png", name.join("-"))));
        }
        let wide = page
            .eval("document.documentElement.scrollWidth - document.documentElement.clientWidth");
        if wide != 0 {
            sideways.push(path);
        }
        page.resize(1320, 860);
    }
    assert!(sideways.is_empty(), "these scroll sideways on a phone: {sideways:?}");
    assert!(browser.take_complaints().is_empty());
}

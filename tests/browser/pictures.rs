//! Pictures of every page of a running Ripen, to look at: light, dark, and as wide as two phones.
//!
//! `RIPEN_PICTURES=folder RIPEN_URL=http://localhost:8080 RIPEN_SIGN_IN="email password" cargo test
//! --test browser pictures -- --ignored`
//!
//! `RIPEN_PATHS` names pages; `/contacts>/contacts/` is the first page below `/contacts/` to which the
//! page `/contacts` leads. Pages that the role may not see are left out.

use std::path::PathBuf;

use serde_json::json;

use crate::chromium::{Browser, Page};

#[test]
#[ignore = "needs a running server, see above"]
fn pictures_of_every_page() {
    let folder = PathBuf::from(std::env::var("RIPEN_PICTURES").expect("a folder"));
    let url = std::env::var("RIPEN_URL").expect("a server");
    let sign_in = std::env::var("RIPEN_SIGN_IN").expect("an address and a password");
    let (email, password) = sign_in.split_once(' ').expect("an address and a password");
    let paths = std::env::var("RIPEN_PATHS").unwrap_or_else(|_| {
        "/inbox /inbox>/tasks/ /notifications /notifications?show=all /assign /workspaces /accounts \
         /accounts/links /accounts>/accounts/ /contacts /contacts/merges /contacts>/contacts/ \
         /contacts/merges>/users/ /scoring /routing /routing/log /ingest /ingest>/ingest/sources/ \
         /ingest>/ingest/alerts/ /ingest/dead-letters /ingest/dead-letters?code=missing_identity \
         /ingest/dead-letters?code=missing_identity>/ingest/dead-letters/ /ingest/unmapped \
         /ingest/unmapped>/ingest/unmapped/ /imports /imports/new /settings/events /settings/events/new \
         /settings/events>/settings/events/ /settings/events/mapping /settings/events/rebuild \
         /settings/keys /settings/keys>/settings/keys/sources/ /settings/webhooks \
         /settings/webhooks>/settings/webhooks/ /settings/data /settings/team /me /api/docs".to_owned()
    });
    std::fs::create_dir_all(&folder).unwrap();
    let browser = Browser::launch();
    let mut sideways = Vec::new();
    for (kind, width, scheme) in [
        ("light", 1320, "light"),
        ("dark", 1320, "dark"),
        ("phone", 390, "light"),
        ("narrow", 320, "dark"),
    ] {
        let page = browser.page();
        page.resize(width, 860);
        page.prefer(&[("prefers-color-scheme", scheme), ("prefers-reduced-motion", "reduce")]);
        enter(&page, &url, (email, password));
        let wide =
            take(&page, &url, &paths, width, &|name| folder.join(format!("{name}-{kind}.png")));
        sideways.extend(wide.into_iter().map(|path| format!("{path} at {width} px")));
    }
    assert!(sideways.is_empty(), "these scroll sideways: {sideways:?}");
    let complaints = browser.take_complaints();
    let complaints: Vec<&String> = complaints.iter().filter(|one| !one.contains("404")).collect();
    assert!(complaints.is_empty(), "pages complained: {complaints:?}");
}

fn enter(page: &Page<'_>, url: &str, (email, password): (&str, &str)) {
    page.goto(&format!("{url}/login"));
    page.fill("#email", email);
    page.fill("#password", password);
    page.press("Enter");
    page.wait_until(
        "to be signed in",
        "location.pathname !== '/login' && document.readyState === 'complete'",
    );
}

/// Takes a picture of each page; those that scroll sideways.
fn take(
    page: &Page<'_>,
    url: &str,
    paths: &str,
    width: u32,
    file: &dyn Fn(&str) -> PathBuf,
) -> Vec<String> {
    let mut paths: Vec<String> = paths.split_whitespace().map(str::to_owned).collect();
    page.goto(&format!("{url}/workspaces"));
    let first = page.eval("document.querySelector('[data-row-link]')?.getAttribute('href')");
    if let Some(workspace) = first.as_str() {
        let tabs = ["", "/events", "/members", "/billing", "/tasks", "/history"];
        paths.extend(tabs.iter().map(|tab| format!("{workspace}{tab}")));
    }
    let named = paths.clone();
    let mut sideways = Vec::new();
    for asked in paths {
        let path = match asked.split_once('>') {
            Some((list, below)) => {
                page.goto(&format!("{url}{list}"));
                let links =
                    "[...document.querySelectorAll('main a')].map(a => a.getAttribute('href'))";
                let first = page.eval(&format!(
                    "{links}.find(href => href?.startsWith({}) && href.length > {} && !{}.includes(href))",
                    json!(below),
                    below.len() + 3,
                    json!(named)
                ));
                let Some(first) = first.as_str() else { continue };
                first.to_owned()
            }
            None => asked.clone(),
        };
        page.goto(&format!("{url}{path}"));
        let status = page.eval("performance.getEntriesByType('navigation')[0].responseStatus");
        if status == 404 {
            continue;
        }
        assert_eq!(status, 200, "{path}");
        let place = if asked.contains('>') { &asked } else { &path };
        let tab = place.split('/').skip(1).map(|part| if part.len() > 36 { "id" } else { part });
        let name: Vec<&str> = tab.map(|part| part.trim_end_matches('>')).collect();
        // As high as the page: pictures beyond the window show styles of another width at times. Two
        // frames later everything is painted.
        let high = page.eval("document.documentElement.scrollHeight").as_u64().unwrap_or(860);
        page.resize(width, u32::try_from(high.max(860)).unwrap_or(860));
        page.eval(
            "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))",
        );
        page.screenshot(&file(&name.join("-")));
        page.resize(width, 860);
        let wide = page
            .eval("document.documentElement.scrollWidth - document.documentElement.clientWidth");
        if wide != 0 {
            sideways.push(path);
        }
    }
    sideways
}

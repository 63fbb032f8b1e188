//! The browser SDKs in Chromium, on a page of another origin: the story told, and what each does about a
//! wrong key, 429 and a server that dies.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use crate::chromium::Browser;
use crate::house::House;
use crate::packages;
use crate::server::{KEY, Server, Setup};
use crate::story;
use crate::test_db::{TestDb, eventually};
use crate::wire::Wire;
use ripen::ingest::writer::Limits;

/// Events of a story: the browser SDKs send each by itself.
const COUNT: usize = 4;

/// A way to set a browser SDK up.
#[derive(Clone, Copy, Debug)]
pub enum Sdk {
    Segment,
    SegmentBatching,
    Rudder,
    RudderBeacon,
}

impl Sdk {
    /// The script of the package.
    fn script(self) -> Vec<u8> {
        let path = match self {
            Self::Segment | Self::SegmentBatching => "@segment/analytics-next/dist/umd/index.js",
            _ => "@rudderstack/analytics-js/dist/npm/modern/bundled/umd/index.js",
        };
        std::fs::read(packages::home("browser").join("node_modules").join(path)).unwrap()
    }

    /// Makes `analytics` of the package, with only the host changed.
    fn load(self, host: &str, key: &str) -> String {
        match self {
            Self::Segment => format!(
                "const [analytics] = await AnalyticsNext.AnalyticsBrowser.load({{ writeKey: '{key}', cdnURL: '{host}' }});"
            ),
            Self::SegmentBatching => format!(
                "const [analytics] = await AnalyticsNext.AnalyticsBrowser.load({{ writeKey: '{key}', cdnURL: '{host}' }}, \
                 {{ integrations: {{ 'Segment.io': {{ deliveryStrategy: {{ strategy: 'batching', config: {{ size: 10, timeout: 300 }} }} }} }} }});"
            ),
            Self::Rudder | Self::RudderBeacon => {
                let beacon = if matches!(self, Self::RudderBeacon) {
                    "useBeacon: true, beaconQueueOptions: { flushQueueInterval: 300 },"
                } else {
                    ""
                };
                format!(
                    "const analytics = new rudderanalytics.RudderAnalytics();
                     analytics.load('{key}', '{host}', {{ configUrl: '{host}', {beacon} logLevel: 'NONE' }});
                     await new Promise((resolve) => analytics.ready(resolve));"
                )
            }
        }
    }
}

/// What the page does with `analytics`: the story of [`story`].
fn tale(prefix: &str, count: usize) -> String {
    format!(
        "analytics.setAnonymousId('{prefix}-visitor');
         await analytics.page('Pricing');
         await analytics.identify('{prefix}-u1', {{ email: 'dana@{prefix}.example', name: 'Dana Öps 🚀', title: 'VP Engineering' }});
         await analytics.group('{prefix}-ws1', {{ name: 'Acme {prefix}', plan: 'trial', role: 'admin' }});
         for (let n = 0; n < {count}; n += 1) await analytics.track('core_feature_used', {{ feature: 'export' }});
         await analytics.track('automation_run', {{ feature: 'export' }});
         await analytics.reset(true);
         analytics.setAnonymousId('{prefix}-visitor-2');
         await analytics.page('Docs');
         await analytics.identify('{prefix}-u2', {{ email: 'otto@{prefix}.example' }});"
    )
}

fn many(prefix: &str, count: usize) -> String {
    format!(
        "await analytics.identify('{prefix}-u1');
         await analytics.group('{prefix}-ws1');
         for (let n = 0; n < {count}; n += 1) analytics.track('core_feature_used', {{ number: n }});"
    )
}

/// A shop of another origin whose page runs this script; it serves until the test ends.
fn shop(sdk: Sdk, load: &str, act: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/pricing", listener.local_addr().unwrap());
    let page = "<!doctype html><meta charset=utf-8><title>Shop</title>\
                <script src=/sdk.js></script><script src=/shop.js></script>";
    let script =
        format!("(async () => {{ {load} {act} }})().finally(() => {{ window.told = true; }});");
    let sdk = sdk.script();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut line = String::new();
            if BufReader::new(&stream).read_line(&mut line).is_err() {
                continue;
            }
            let (kind, body): (&str, &[u8]) = match line.split(' ').nth(1) {
                Some("/sdk.js") => ("text/javascript", &sdk),
                Some("/shop.js") => ("text/javascript; charset=utf-8", script.as_bytes()),
                Some("/pricing") => ("text/html", page.as_bytes()),
                _ => ("text/plain", b""),
            };
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            let _gone = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
        }
    });
    url
}

fn visit(browser: &Browser, shop: &str) {
    let page = browser.page();
    page.goto(shop);
    page.wait_until("the shop's script to end", "window.told === true");
}

fn tells_the_story(sdk: Sdk) {
    let house = House::open();
    let key = house.write_key();
    let browser = Browser::launch();
    let shop = shop(sdk, &sdk.load(&house.url, &key), &tale("p", COUNT));
    let page = browser.page();
    page.goto(&shop);
    page.wait_until("the shop's script to end", "window.told === true");
    story::assert_told(house.db(), "p", COUNT);
    assert_eq!(browser.take_complaints(), Vec::<String>::new(), "no request of the page fails");

    // And on the pages of Ripen.
    house.member("ada@ripen.test", "Ada Admin", "admin", None);
    let admin = browser.page();
    house.sign_in(&admin, "ada@ripen.test");
    admin.goto(&format!("{}/workspaces", house.url));
    admin.wait_for_text("Acme p");
}

fn sends_nothing_under_a_wrong_key(sdk: Sdk) {
    let house = House::open();
    let to = house.address();
    let wire = Wire::new(to, move |_, request| Some(request.forward(to)));
    let browser = Browser::launch();
    let load = sdk
        .load(&wire.url(), "wk_not_a_key_of_ours")
        .replace("await new Promise", "void new Promise");
    visit(&browser, &shop(sdk, &load, &many("p", 2)));
    let accepted = wire.posts().iter().filter(|post| post.status == Some(200)).count();
    assert_eq!(accepted, 0);
    assert!(wire.posts().len() <= 2 + COUNT, "no storm: {}", wire.posts().len());
}

fn comes_back_after_429(sdk: Sdk) {
    let house = House::open();
    let key = house.write_key();
    let full_db = TestDb::new();
    crate::server::source(&full_db);
    let limits = Limits { requests: 0, bytes: 0 };
    let full = Server::start_with(&full_db, &Setup { limits, ..Setup::default() });
    let (to, refuse) = (house.address(), full.address);
    let wire = Wire::new(to, move |number, request| {
        Some(if number == 0 { request.with_key(KEY).forward(refuse) } else { request.forward(to) })
    });
    let browser = Browser::launch();
    let page = browser.page();
    let act = format!("{} await new Promise(() => {{}});", many("p", COUNT));
    page.goto(&shop(sdk, &sdk.load(&wire.url(), &key), &act));
    let used = || story::used(house.db(), "p");
    assert_eq!(eventually(|| (used() == COUNT).then_some(())), Some(()), "{} used", used());
    assert_eq!(wire.posts()[0].status, Some(429));
}

fn survives_a_restart(sdk: Sdk) {
    let house = Arc::new(Mutex::new(House::open()));
    let key = house.lock().unwrap().write_key();
    let to = house.lock().unwrap().address();
    let wire = Wire::new(to, {
        let house = Arc::clone(&house);
        move |number, request| {
            let answer = request.forward(to);
            if number == 2 {
                house.lock().unwrap().kill_and_restart();
                return None;
            }
            Some(answer)
        }
    });
    let browser = Browser::launch();
    let page = browser.page();
    let act = format!("{} await new Promise(() => {{}});", many("p", COUNT));
    page.goto(&shop(sdk, &sdk.load(&wire.url(), &key), &act));
    let used = || story::used(house.lock().unwrap().db(), "p");
    assert_eq!(eventually(|| (used() == COUNT).then_some(())), Some(()), "{} used", used());
    assert_eq!(wire.posts()[2].status, None);
}

#[test]
#[ignore = "bin/test sdk"]
fn analytics_next() {
    tells_the_story(Sdk::Segment);
    sends_nothing_under_a_wrong_key(Sdk::Segment);
    comes_back_after_429(Sdk::Segment);
    survives_a_restart(Sdk::Segment);
}

#[test]
#[ignore = "bin/test sdk"]
fn analytics_next_batching() {
    tells_the_story(Sdk::SegmentBatching);
}

#[test]
#[ignore = "bin/test sdk"]
fn rudder() {
    tells_the_story(Sdk::Rudder);
    sends_nothing_under_a_wrong_key(Sdk::Rudder);
    comes_back_after_429(Sdk::Rudder);
    survives_a_restart(Sdk::Rudder);
}

#[test]
#[ignore = "bin/test sdk"]
fn rudder_beacon() {
    tells_the_story(Sdk::RudderBeacon);
}

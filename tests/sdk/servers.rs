//! The server SDKs: the story told, and what each does about 401, 429 and a server that dies.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ripen::ingest::writer::Limits;

use crate::house::House;
use crate::packages::Sdk;
use crate::server::{KEY, Server, Setup};
use crate::story;
use crate::test_db::{TestDb, eventually};
use crate::wire::Wire;

/// Events of a story, and of a batch that goes wrong: more than one request of each SDK.
const COUNT: usize = 30;

fn tells_the_story(sdk: Sdk) {
    let house = House::open();
    let key = house.write_key();
    let report = sdk.run(&house.url, &key, "p", "story", COUNT);
    assert_eq!(report.errors, 0, "{}", report.first);
    story::assert_told(house.db(), "p", COUNT);
}

/// Values of one trait in several requests, some of which may be under way at once: the last one stands,
/// run after run.
fn stores_the_last_value(sdk: Sdk) {
    let house = House::open();
    let key = house.write_key();
    for run in 0..6 {
        let prefix = format!("last{run}");
        let report = sdk.run(&house.url, &key, &prefix, "last", COUNT);
        assert_eq!(report.errors, 0, "{}", report.first);
        let expected = format!("plan-{0} {0}", COUNT - 1);
        let told = || story::last_traits(house.db(), &prefix).filter(|told| *told == expected);
        assert!(eventually(told).is_some(), "{:?}", story::last_traits(house.db(), &prefix));
    }
}

/// 401 with code and message: the SDK gives up at once and tells its customer.
fn gives_up_on_a_wrong_key(sdk: Sdk) {
    let house = House::open();
    let to = house.address();
    let wire = Wire::new(to, move |_, request| Some(request.forward(to)));
    let report = sdk.run(&wire.url(), "wk_not_a_key_of_ours", "p", "many", 3);
    let answers: Vec<_> = wire.posts().iter().map(|post| post.status).collect();
    assert!((1..=3).contains(&answers.len()), "no request is repeated: {answers:?}");
    assert!(answers.iter().all(|status| *status == Some(401)), "{answers:?}");
    assert!(report.errors >= 1, "its customer is told");
}

/// 429 with Retry-After: the SDK comes back, and everything is stored once.
fn comes_back_after_429(sdk: Sdk, honours_retry_after: bool) {
    let house = House::open();
    let key = house.write_key();
    // The real answer of a server whose queue is full.
    let full_db = TestDb::new();
    crate::server::source(&full_db);
    let limits = Limits { requests: 0, bytes: 0 };
    let full = Server::start_with(&full_db, &Setup { limits, ..Setup::default() });
    let (to, refuse) = (house.address(), full.address);
    let wire = Wire::new(to, move |number, request| {
        Some(if number == 0 { request.with_key(KEY).forward(refuse) } else { request.forward(to) })
    });
    let report = sdk.run(&wire.url(), &key, "p", "many", COUNT);
    assert_eq!(report.errors, 0, "{}", report.first);
    let posts = wire.posts();
    assert_eq!(posts[0].status, Some(429));
    assert!(posts[1..].iter().all(|post| post.status == Some(200)));
    if honours_retry_after {
        let again = posts[1..].iter().map(|post| post.at - posts[0].at).max().unwrap();
        assert!(again >= Duration::from_millis(990), "it waited only {again:?}");
    }
    assert_eq!(story::used(house.db(), "p"), COUNT);
}

/// The first answer gets lost although its events were committed, and the server is killed; the SDK
/// sends them again to the next one: nothing is lost, nothing is there twice.
fn survives_a_restart(sdk: Sdk) {
    let house = Arc::new(Mutex::new(House::open()));
    let key = house.lock().unwrap().write_key();
    let to = house.lock().unwrap().address();
    let wire = Wire::new(to, {
        let house = Arc::clone(&house);
        move |number, request| {
            let answer = request.forward(to);
            if number == 0 {
                house.lock().unwrap().kill_and_restart();
                return None;
            }
            Some(answer)
        }
    });
    let report = sdk.run(&wire.url(), &key, "p", "many", COUNT);
    assert_eq!(report.errors, 0, "{}", report.first);
    let posts = wire.posts();
    assert_eq!(posts[0].status, None);
    assert!(posts.len() >= 2 && posts[1..].iter().all(|post| post.status == Some(200)));
    assert_eq!(story::used(house.lock().unwrap().db(), "p"), COUNT);
}

/// The tests of one SDK; `quick` ones run in every `bin/test`.
macro_rules! sdk {
    ($name:ident, $sdk:expr, honours_retry_after: $honours:expr, $(#[$slow:meta])?) => {
        mod $name {
            use super::*;

            #[test]
            $(#[$slow])?
            fn tells_the_story() {
                super::tells_the_story($sdk);
            }

            #[test]
            $(#[$slow])?
            fn gives_up_on_a_wrong_key() {
                super::gives_up_on_a_wrong_key($sdk);
            }

            #[test]
            #[ignore = "bin/test sdk"]
            fn comes_back_after_429() {
                super::comes_back_after_429($sdk, $honours);
            }

            #[test]
            $(#[$slow])?
            fn survives_a_restart() {
                super::survives_a_restart($sdk);
            }
        }
    };
}

sdk!(python_segment_2, Sdk::Python("segment"), honours_retry_after: true,);
sdk!(python_segment_1, Sdk::Python("segment-1"), honours_retry_after: false, #[ignore = "bin/test sdk"]);
sdk!(python_rudder, Sdk::Python("rudder"), honours_retry_after: false, #[ignore = "bin/test sdk"]);
sdk!(node_segment_3, Sdk::Node("segment"), honours_retry_after: true,);
sdk!(node_segment_6, Sdk::Node("segment-6"), honours_retry_after: false, #[ignore = "bin/test sdk"]);
sdk!(node_rudder, Sdk::Node("rudder"), honours_retry_after: true, #[ignore = "bin/test sdk"]);

#[test]
fn node_segment_3_stores_the_last_value_six_times() {
    stores_the_last_value(Sdk::Node("segment"));
}

#[test]
#[ignore = "bin/test sdk"]
fn other_node_sdks_store_the_last_value_six_times() {
    stores_the_last_value(Sdk::Node("segment-6"));
    stores_the_last_value(Sdk::Node("rudder"));
}

/// Both send no messageId: what they send again cannot be recognised, so there is no test of a lost answer.
mod rust {
    use super::*;

    #[test]
    #[ignore = "bin/test sdk"]
    fn segment_tells_the_story_and_gives_up_on_a_wrong_key() {
        tells_the_story(Sdk::Rust("segment"));
        gives_up_on_a_wrong_key(Sdk::Rust("segment"));
    }

    #[test]
    #[ignore = "bin/test sdk"]
    fn rudder_tells_the_story_gives_up_on_a_wrong_key_and_comes_back_after_429() {
        tells_the_story(Sdk::Rust("rudder"));
        gives_up_on_a_wrong_key(Sdk::Rust("rudder"));
        comes_back_after_429(Sdk::Rust("rudder"), true);
    }
}

//! The generator: the same every time, everything in it, and readable by the real parser.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::call::{Calendar, Call};
use super::company::{self, Workspace};
use super::story::Story;
use super::trouble::{self, Delivery, REFUSED};
use super::{billing, doubles};
use crate::ingest::endpoint::Endpoint;
use crate::ingest::parse;
use crate::subscriptions::stripe::event::{self, About};

const SEED: u64 = 2026;

fn end() -> DateTime<Utc> {
    "2026-11-20T15:00:00Z".parse().unwrap()
}

fn whole() -> (Vec<Workspace>, Delivery) {
    let workspaces = company::workspaces(SEED);
    let delivery = trouble::delivery(SEED, &workspaces, Calendar { end: end() }, true);
    (workspaces, delivery)
}

fn parsed(calls: &[Call]) -> (usize, BTreeMap<&'static str, usize>) {
    let (mut accepted, mut refused) = (0, BTreeMap::new());
    for batch in calls.chunks(100) {
        let items: Vec<&str> = batch.iter().map(|call| call.text.as_str()).collect();
        let body =
            format!("{{\"batch\":[{}],\"sentAt\":\"{}\"}}", items.join(","), end().to_rfc3339());
        let parsed = parse::body(&body, Endpoint::Batch, end(), Uuid::nil()).unwrap();
        accepted += parsed.accepted.len();
        for rejected in &parsed.rejected {
            *refused.entry(rejected.code.as_str()).or_default() += 1;
        }
    }
    (accepted, refused)
}

#[test]
fn the_same_seed_and_end_give_the_same_calls() {
    let (one, other) = (whole().1, whole().1);
    assert_eq!(one.history, other.history);
    assert_eq!(one.late, other.late);
    let elsewhere = company::workspaces(SEED + 1);
    assert_ne!(elsewhere[0].people[0].name, whole().0[0].people[0].name);
}

#[test]
fn sixty_accounts_a_hundred_and_twenty_workspaces_every_story() {
    let (workspaces, _) = whole();
    assert_eq!(workspaces.len(), 120);
    let ids: BTreeSet<&str> = workspaces.iter().map(|workspace| workspace.id.as_str()).collect();
    assert_eq!(ids.len(), 120, "every workspace has an id of its own");
    let domains: BTreeSet<&str> = workspaces
        .iter()
        .filter_map(|workspace| Some(workspace.company.as_ref()?.domain.as_str()))
        .collect();
    assert_eq!(domains.len(), 60);
    let of = |story: Story| workspaces.iter().filter(|workspace| workspace.story == story).count();
    assert_eq!(of(Story::Fragment), 5);
    let pilots = workspaces.iter().filter(|workspace| workspace.story == Story::Fragment);
    assert_eq!(
        pilots.map(|w| &w.company.as_ref().unwrap().domain).collect::<BTreeSet<_>>().len(),
        1
    );
    for story in
        [Story::Hot, Story::Climber, Story::Sandbox, Story::Loop, Story::Flapping, Story::Expanding]
    {
        assert!(of(story) > 0, "{story:?}");
    }
    let free_mail = workspaces.iter().filter(|workspace| workspace.company.is_none()).count();
    assert_eq!(free_mail, 24);
    let contractor = workspaces
        .iter()
        .filter(|w| w.people.iter().any(|person| person.id == "u_contractor"))
        .count();
    assert_eq!(contractor, 2);
}

#[test]
fn the_real_parser_takes_all_but_the_calls_that_are_meant_to_be_broken() {
    let (_, delivery) = whole();
    let all: Vec<Call> = [delivery.history, delivery.late].concat();
    assert!((35_000..70_000).contains(&all.len()), "{} calls", all.len());
    let (accepted, refused) = parsed(&all);
    let expected: BTreeMap<&str, usize> = BTreeMap::from([
        ("missing_identity", 6),
        ("missing_event", 4),
        ("bad_timestamp", 3),
        ("invalid_type", 2),
        ("event_too_large", 2),
    ]);
    assert_eq!(refused.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (code, at_least) in expected {
        assert!(refused[code] >= at_least && REFUSED.contains(&code), "{code}");
    }
    assert_eq!(accepted + refused.values().sum::<usize>(), all.len());
}

#[test]
fn a_later_run_sends_the_same_messages_without_the_broken_ones() {
    let (workspaces, first) = whole();
    let again = trouble::delivery(SEED, &workspaces, Calendar { end: end() }, false);
    let known: BTreeSet<String> =
        first.history.into_iter().chain(first.late).map(|call| call.text).collect();
    assert!(again.history.iter().chain(&again.late).all(|call| known.contains(&call.text)));
    assert!(parsed(&again.history).1.is_empty());
}

#[test]
fn nothing_happens_after_the_end_or_before_ninety_days() {
    let (_, delivery) = whole();
    let first = end() - chrono::TimeDelta::days(91);
    for call in delivery.history.iter().chain(&delivery.late) {
        assert!(call.at <= end() && call.at > first, "{}", call.text);
    }
    assert!(delivery.history.windows(2).all(|two| two[0].at <= two[1].at));
}

#[test]
fn retries_late_devices_and_loops_are_in_it() {
    let (_, delivery) = whole();
    let distinct: BTreeSet<&str> = delivery.history.iter().map(|call| call.text.as_str()).collect();
    assert!(delivery.history.len() - distinct.len() > 100, "retries");
    assert!(delivery.late.len() > 30, "late");
    let looping = delivery.history.iter().filter(|call| call.text.contains("\"run\":")).count();
    assert!(looping >= 150, "{looping} in one hour");
}

#[test]
fn a_product_that_was_released_too_early_sends_enough_broken_calls_for_an_alert() {
    let (workspaces, _) = whole();
    let calendar = Calendar { end: end() };
    let calls = trouble::mobile(SEED, &workspaces, calendar);
    assert_eq!(calls, trouble::mobile(SEED, &workspaces, calendar));
    let (accepted, refused) = parsed(&calls);
    assert_eq!(accepted, 48);
    assert!(refused.values().sum::<usize>() >= 20, "{refused:?}");
    assert!(refused.contains_key("too_deep"), "{refused:?}");
    assert!(refused.keys().all(|code| REFUSED.contains(code)), "{refused:?}");
}

#[test]
fn four_pairs_of_users_wait_for_a_judgement_each_for_another_reason() {
    let (workspaces, delivery) = whole();
    let calls = doubles::calls(SEED, &workspaces, Calendar { end: end() });
    let groups = calls.iter().filter(|call| call.text.contains("\"type\":\"group\""));
    assert_eq!(groups.count(), 4);
    let said = |what: &str| calls.iter().filter(|call| call.text.contains(what)).count();
    assert_eq!(said("\"type\":\"alias\""), 2);
    assert_eq!(said("\"email_verified\":true"), 2);
    assert_eq!(said("\"sso_subject\""), 2);
    assert!(
        calls.iter().all(|call| delivery.history.contains(call) || delivery.late.contains(call))
    );
}

#[test]
fn stripe_tells_who_pays_and_leaves_some_without_a_workspace() {
    let (workspaces, _) = whole();
    let calendar = Calendar { end: end() };
    let notices = billing::notices(&workspaces, calendar);
    assert_eq!(notices, billing::notices(&workspaces, calendar));
    assert!(notices.windows(2).all(|two| two[0].at <= two[1].at));
    let ids: BTreeSet<&str> = notices.iter().filter_map(|one| one.body["id"].as_str()).collect();
    assert_eq!(ids.len(), notices.len(), "every event has an id of its own");
    let (mut named, mut lost, mut revenue) = (0, BTreeSet::new(), 0);
    for notice in &notices {
        let read = event::read(notice.body.to_string().as_bytes()).unwrap();
        assert_eq!(read.created, notice.at, "Stripe counts in seconds");
        match read.about {
            About::Subscription(told) => {
                revenue += told.snapshot.terms.mrr_cents;
                match told.snapshot.workspace {
                    Some(id) => {
                        assert!(workspaces.iter().any(|workspace| workspace.id == id));
                        named += 1;
                    }
                    None => drop(lost.insert(told.snapshot.customer)),
                }
            }
            About::Customer(_) => {}
            other => panic!("the demo sends no {other:?}"),
        }
    }
    assert!(named > 10 && (2..=6).contains(&lost.len()) && revenue > 0, "{named}, {lost:?}");
}

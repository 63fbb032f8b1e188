//! Which of the events of one second came last: Stripe dates to the second and keeps no order.
//!
//! A function of the set, so that the order of arrival does not matter. An event whose
//! `previous_attributes` fit what another one shows came after that; where that says nothing, what
//! is further along in a subscription's life came later, and what is final came last.

use serde_json::Value;

use super::snapshot::is_final;

/// An event as far as its place is concerned.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// The event's type.
    pub kind: &'a str,
    /// The subscription's status after it.
    pub status: &'a str,
    /// The subscription after it.
    pub object: &'a Value,
    /// What it changed, as it was before.
    pub previous: Option<&'a Value>,
    /// Tells events apart that are alike in all else.
    pub key: &'a str,
}

/// The places of events of one second, first to last. Those of the same key are one.
#[must_use]
pub fn in_order(events: &[Shown<'_>]) -> Vec<usize> {
    let mut rest: Vec<(usize, &Shown<'_>)> = events.iter().enumerate().collect();
    rest.sort_by_key(|(_, event)| rank(event));
    rest.dedup_by_key(|(_, event)| event.key);
    let mut order = Vec::with_capacity(rest.len());
    let mut last: Option<&Shown<'_>> = None;
    while !rest.is_empty() {
        let may_go =
            |event: &Shown<'_>| !is_last(event) || rest.iter().all(|(_, one)| is_last(one));
        let follows_last = |(_, event): &&(usize, &Shown<'_>)| {
            may_go(event) && last.is_some_and(|last| follows(event, last))
        };
        let has_none_before = |(at, event): &&(usize, &Shown<'_>)| {
            may_go(event)
                && !rest.iter().any(|(other, before)| other != at && follows(event, before))
        };
        let next = rest
            .iter()
            .find(follows_last)
            .or_else(|| rest.iter().find(has_none_before))
            .or(rest.first())
            .copied();
        let Some((at, event)) = next else { break };
        rest.retain(|(other, _)| *other != at);
        order.push(at);
        last = Some(event);
    }
    order
}

fn is_last(event: &Shown<'_>) -> bool {
    is_final(event.status)
}

/// A subscription begins by being created and ends by being deleted; in between it gets better
/// before it gets worse.
fn rank<'a>(event: &Shown<'a>) -> (bool, u8, u8, &'a str) {
    let kind = match event.kind {
        "customer.subscription.created" => 0,
        "customer.subscription.deleted" => 2,
        _ => 1,
    };
    let status = match event.status {
        "incomplete" => 0,
        "trialing" => 1,
        "active" => 2,
        "past_due" => 3,
        "unpaid" => 4,
        "paused" => 5,
        _ => 6,
    };
    (is_last(event), kind, status, event.key)
}

/// Whether `event` says that just before it the subscription was what `before` shows.
fn follows(event: &Shown<'_>, before: &Shown<'_>) -> bool {
    let Some(previous @ Value::Object(members)) = event.previous else { return false };
    !members.is_empty() && fits(before.object, previous) && !fits(event.object, previous)
}

/// Whether `part` is how `whole` looks, as far as it goes.
fn fits(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => part.iter().all(|(name, value)| {
            whole.get(name).map_or(value.is_null(), |known| fits(known, value))
        }),
        (whole, part) => whole == part,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    struct Case {
        kind: &'static str,
        status: &'static str,
        object: Value,
        previous: Option<Value>,
        key: String,
    }

    fn case(kind: &'static str, status: &'static str, seats: i64, previous: Option<Value>) -> Case {
        let object = json!({"status": status, "quantity": seats});
        let key = format!("{kind}{object}");
        Case { kind, status, object, previous, key }
    }

    fn names(cases: &[Case]) -> Vec<String> {
        let shown: Vec<Shown<'_>> = cases
            .iter()
            .map(|case| Shown {
                kind: case.kind,
                status: case.status,
                object: &case.object,
                previous: case.previous.as_ref(),
                key: &case.key,
            })
            .collect();
        in_order(&shown).into_iter().map(|at| cases[at].key.clone()).collect()
    }

    const CREATED: &str = "customer.subscription.created";
    const UPDATED: &str = "customer.subscription.updated";
    const DELETED: &str = "customer.subscription.deleted";

    fn life() -> Vec<Case> {
        vec![
            case(CREATED, "incomplete", 1, None),
            case(UPDATED, "active", 1, Some(json!({"status": "incomplete"}))),
            case(UPDATED, "active", 5, Some(json!({"quantity": 1}))),
            case(UPDATED, "active", 2, Some(json!({"quantity": 5}))),
            case(DELETED, "canceled", 2, None),
        ]
    }

    #[test]
    fn previous_attributes_chain_what_happened_within_a_second() {
        let expected: Vec<String> = life().iter().map(|case| case.key.clone()).collect();
        let mut reversed = life();
        reversed.reverse();
        assert_eq!(names(&reversed), expected);
    }

    proptest! {
        #[test]
        fn any_order_and_duplication_gives_the_same(picks in proptest::collection::vec(0..5_usize, 0..12)) {
            let all = life();
            let order: Vec<usize> = picks.into_iter().chain(0..5).collect();
            let shuffled: Vec<Case> = order
                .iter()
                .map(|at| {
                    let one = &all[*at];
                    Case { object: one.object.clone(), previous: one.previous.clone(), key: one.key.clone(), ..*one }
                })
                .collect();
            prop_assert_eq!(names(&shuffled), names(&all));
        }
    }
}

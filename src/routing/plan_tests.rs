use uuid::Uuid;

use super::*;
use crate::routing::defaults::rule_set;
use crate::routing::engine::route;
use crate::usage::signal::Fields;

fn member(number: u128) -> MemberId {
    MemberId(Uuid::from_u128(number))
}

fn now() -> DateTime<Utc> {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

fn days_ago(days: i64) -> DateTime<Utc> {
    now() - TimeDelta::days(days)
}

fn seller(number: u128, function: Function) -> Candidate {
    Candidate {
        id: member(number),
        name: format!("Rep {number}"),
        active: true,
        function: Some(function),
        territories: vec![],
        pools: vec![function.key().to_owned()],
        away_until: None,
        open_pqls: 0,
        capacity: 20,
        last_assigned_at: None,
        at_sweep_limit: false,
    }
}

fn team() -> Vec<Candidate> {
    vec![seller(1, Function::Sdr), seller(2, Function::Sdr), seller(7, Function::Csm)]
}

fn decision(score: i64, paid: &str) -> Decision {
    let mut fields = Fields::new();
    for (key, value) in [
        ("workspace_status", "active"),
        ("workspace_type", "prod"),
        ("paid_status", paid),
        ("icp_fit_tier", "A"),
    ] {
        fields.set(key, value);
    }
    fields.set("pql_score", score);
    fields.set("high_intent_events_14d", 1);
    fields.set("admin_present", true);
    fields.set("no_buyer_coverage", false);
    route(&rule_set(), &fields)
}

fn hot() -> Decision {
    decision(85, "trial")
}

fn cold() -> Decision {
    decision(20, "trial")
}

fn last(destination: Destination, owner: Option<MemberId>, since: DateTime<Utc>) -> Option<Last> {
    let id = DecisionId(Uuid::from_u128(9));
    // As the default rules have it: the rule that leads to this destination.
    let of = match destination {
        Destination::Sdr => hot(),
        Destination::Csm => decision(85, "paid"),
        _ => cold(),
    };
    Some(Last {
        id,
        destination,
        owner,
        rule: of.rule_key,
        rule_name: of.rule_name,
        overlays: of.overlays,
        entered_at: since,
        side_since: since,
    })
}

fn held(number: u128, since: DateTime<Utc>) -> Option<Held> {
    Some(Held { member: member(number), assigned_at: since, accepted: false, by_person: false })
}

/// How things stand after a plan for this decision was carried out.
fn after(decision: &Decision, before: &Standing, done: &Plan) -> Standing {
    let mut standing = before.clone();
    if done.withdraw {
        standing.held = None;
        standing.open_task = None;
        standing.closed.insert("sdr".to_owned(), now());
    }
    if done.give {
        let member = done.choice.owner.unwrap();
        standing.held =
            Some(Held { member, assigned_at: now(), accepted: false, by_person: false });
    }
    if done.task {
        standing.open_task = done.choice.owner;
    }
    if done.record {
        let changed = before.last.as_ref().is_none_or(|l| l.destination != decision.destination);
        let crossed = before
            .last
            .as_ref()
            .is_none_or(|l| l.destination.is_human() != decision.destination.is_human());
        let old = before.last.as_ref();
        standing.last = Some(Last {
            id: DecisionId(Uuid::from_u128(10)),
            destination: decision.destination,
            owner: done.choice.owner,
            rule: decision.rule_key.clone(),
            rule_name: decision.rule_name.clone(),
            overlays: decision.overlays.clone(),
            entered_at: if changed { now() } else { old.unwrap().entered_at },
            side_since: if crossed { now() } else { old.unwrap().side_since },
        });
    }
    standing
}

#[test]
fn a_new_lead_is_given_once() {
    let fresh = Standing::default();
    let first = plan(&hot(), &fresh, &team(), now());
    assert!(first.record && first.give && first.task && !first.withdraw);
    assert_eq!(first.choice.owner, Some(member(1)));
    let standing = after(&hot(), &fresh, &first);
    assert!(plan(&hot(), &standing, &team(), now()).is_idle());
}

#[test]
fn an_accepted_workspace_stays_when_it_falls_out() {
    let mut standing = Standing {
        last: last(Destination::Sdr, Some(member(1)), days_ago(9)),
        held: held(1, days_ago(9)),
        open_task: Some(member(1)),
        ..Standing::default()
    };
    standing.held.as_mut().unwrap().accepted = true;
    let fallen = plan(&cold(), &standing, &team(), now());
    assert!(fallen.record && !fallen.withdraw && fallen.choice.owner == Some(member(1)));
    let later = after(&cold(), &standing, &fallen);
    assert!(plan(&cold(), &later, &team(), now() + TimeDelta::days(30)).is_idle());
}

#[test]
fn an_unaccepted_task_is_withdrawn_after_72_hours_below() {
    let standing = Standing {
        last: last(Destination::Sdr, Some(member(1)), days_ago(1)),
        held: held(1, days_ago(1)),
        open_task: Some(member(1)),
        ..Standing::default()
    };
    let fallen = plan(&cold(), &standing, &team(), now());
    assert!(fallen.record && !fallen.withdraw);
    let waiting = after(&cold(), &standing, &fallen);
    let hours = |hours| plan(&cold(), &waiting, &team(), now() + TimeDelta::hours(hours));
    assert!(hours(71).is_idle());
    let gone = hours(72);
    assert!(gone.withdraw && gone.record && gone.choice.owner.is_none());
    let done = after(&cold(), &waiting, &gone);
    assert!(plan(&cold(), &done, &team(), now() + TimeDelta::days(9)).is_idle());
}

#[test]
fn what_a_manager_gave_below_is_not_withdrawn() {
    let standing = Standing {
        last: last(Destination::Nurture, Some(member(1)), days_ago(9)),
        held: Some(Held { by_person: true, ..held(1, days_ago(1)).unwrap() }),
        open_task: Some(member(1)),
        ..Standing::default()
    };
    assert!(plan(&cold(), &standing, &team(), now() + TimeDelta::days(30)).is_idle());
}

#[test]
fn re_entering_within_14_days_needs_new_evidence() {
    let came_back = |closed: i64, intent: Option<i64>| Standing {
        last: last(Destination::Nurture, None, days_ago(closed - 1)),
        closed: BTreeMap::from([("sdr".to_owned(), days_ago(closed))]),
        last_intent_at: intent.map(days_ago),
        ..Standing::default()
    };
    let cool = plan(&hot(), &came_back(5, Some(6)), &team(), now());
    assert!(cool.record && !cool.give && cool.choice.unowned_reason.is_some());
    assert!(plan(&hot(), &came_back(5, Some(4)), &team(), now()).give);
    assert!(plan(&hot(), &came_back(14, None), &team(), now()).give);
    // And when the evidence comes only after the re-entry, the next run acts on it.
    let standing = after(&hot(), &came_back(5, None), &cool);
    assert!(plan(&hot(), &standing, &team(), now()).is_idle());
    let standing = Standing { last_intent_at: Some(now()), ..standing };
    assert!(plan(&hot(), &standing, &team(), now()).give);
}

#[test]
fn what_was_given_back_waits_for_a_manager() {
    let standing = Standing {
        last: last(Destination::Sdr, Some(member(1)), days_ago(2)),
        closed: BTreeMap::from([("sdr".to_owned(), days_ago(1))]),
        last_intent_at: Some(now()),
        ..Standing::default()
    };
    let back = plan(&hot(), &standing, &team(), now());
    assert!(back.record && !back.give && back.choice.owner.is_none());
}

#[test]
fn a_customer_passes_from_sdr_to_csm_once_the_work_is_done() {
    let mut standing = Standing {
        last: last(Destination::Sdr, Some(member(1)), days_ago(20)),
        held: Some(Held { accepted: true, ..held(1, days_ago(20)).unwrap() }),
        open_task: Some(member(1)),
        ..Standing::default()
    };
    let paid = decision(85, "paid");
    let busy = plan(&paid, &standing, &team(), now());
    assert_eq!((busy.give, busy.choice.owner), (false, Some(member(1))));
    standing.open_task = None;
    standing.closed.insert("sdr".to_owned(), days_ago(1));
    let passed = plan(&paid, &standing, &team(), now());
    assert_eq!((passed.give, passed.choice.owner), (true, Some(member(7))));
}

#[test]
fn nobody_eligible_is_said_and_tried_again() {
    let mut team = team();
    for one in &mut team {
        one.capacity = 0;
    }
    let fresh = Standing::default();
    let none = plan(&hot(), &fresh, &team, now());
    assert!(none.record && !none.give);
    assert!(none.choice.unowned_reason.as_ref().unwrap().contains("at capacity: 0 of 0"));
    let standing = after(&hot(), &fresh, &none);
    assert!(plan(&hot(), &standing, &team, now()).is_idle());
    team[0].capacity = 1;
    assert!(plan(&hot(), &standing, &team, now()).give);
}

#[test]
fn whom_the_rule_names_gets_it_once_whatever_their_function() {
    let named = Decision { owners: vec![Strategy::Person(member(7))], ..hot() };
    let first = plan(&named, &Standing::default(), &team(), now());
    assert_eq!((first.choice.owner, first.give), (Some(member(7)), true));
    let standing = after(&named, &Standing::default(), &first);
    assert!(plan(&named, &standing, &team(), now()).is_idle());
}

#[test]
fn a_change_of_rule_or_overlay_alone_is_recorded() {
    let standing = Standing {
        last: last(Destination::Sdr, Some(member(1)), days_ago(1)),
        held: held(1, days_ago(1)),
        open_task: Some(member(1)),
        ..Standing::default()
    };
    assert!(plan(&hot(), &standing, &team(), now()).is_idle());
    let changes: [fn(&mut Decision); 3] = [
        |one| one.rule_key = "light_touch".to_owned(),
        |one| one.rule_name = "Hot lead".to_owned(),
        |one| one.overlays = vec![Channel::AeAssist],
    ];
    for change in changes {
        let mut other = hot();
        change(&mut other);
        let done = plan(&other, &standing, &team(), now());
        assert!(done.record && !done.give && !done.task && !done.withdraw, "{other:?}");
        assert_eq!(done.choice.owner, Some(member(1)));
        let later = after(&other, &standing, &done);
        assert!(plan(&other, &later, &team(), now()).is_idle());
        assert_eq!(later.last.unwrap().side_since, days_ago(1), "the wait is not begun anew");
    }
}

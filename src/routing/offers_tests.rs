use chrono::TimeDelta;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::ownership::strategy::Strategy;
use crate::routing::defaults::rule_set;
use crate::routing::engine::route;
use crate::team::member::Function;
use crate::usage::signal::Fields;

fn member(number: u128) -> MemberId {
    MemberId(Uuid::from_u128(number))
}

fn now() -> DateTime<Utc> {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

fn sdr(number: u128, open: u32, capacity: u32) -> Candidate {
    Candidate {
        id: member(number),
        name: format!("Rep {number}"),
        active: true,
        function: Some(Function::Sdr),
        territories: vec![],
        pools: vec!["sdr".to_owned()],
        away_until: None,
        open_pqls: open,
        capacity,
        last_assigned_at: None,
        at_sweep_limit: false,
    }
}

fn hot() -> Decision {
    let mut fields = Fields::new();
    for (key, value) in [
        ("workspace_status", "active"),
        ("workspace_type", "prod"),
        ("paid_status", "trial"),
        ("icp_fit_tier", "A"),
    ] {
        fields.set(key, value);
    }
    fields.set("pql_score", 85);
    fields.set("high_intent_events_14d", 1);
    fields.set("admin_present", true);
    fields.set("no_buyer_coverage", false);
    route(&rule_set(), &fields)
}

/// A workspace without an owner, of this territory and account owner.
fn of(territory: Option<&str>, account_owner: Option<u128>) -> Standing {
    Standing {
        territory: territory.map(ToOwned::to_owned),
        account_owner: account_owner.map(member),
        ..Standing::default()
    }
}

fn owner(plan: &Plan) -> Option<MemberId> {
    plan.choice.owner.filter(|_| plan.give)
}

#[test]
fn one_person_gets_five_in_a_sweep_and_newcomers_wait_behind_the_rest() {
    let mut offers = Offers::new(vec![sdr(1, 0, 20), sdr(2, 20, 20)], now());
    let line: Vec<_> =
        (0..8).map(|_| owner(&offers.offer_waiting(&hot(), &of(None, None)))).collect();
    assert_eq!(line[..5], [Some(member(1)); 5]);
    assert_eq!(line[5..], [None; 3]);
    assert!(!offers.anybody_has_room());
    offers.newcomers_follow(true);
    let newcomer = offers.offer(&hot(), &of(None, None));
    assert_eq!(owner(&newcomer), None);
    assert!(newcomer.choice.unowned_reason.unwrap().contains("the next sweep follows"));
    assert!(offers.is_put_off());
}

#[test]
fn newcomers_follow_when_nothing_is_left_in_line() {
    let mut offers = Offers::new(vec![sdr(1, 0, 20)], now());
    for _ in 0..5 {
        assert!(offers.offer_waiting(&hot(), &of(None, None)).give);
    }
    offers.newcomers_follow(true);
    assert!(!offers.is_put_off());
    assert_eq!(owner(&offers.offer(&hot(), &of(None, None))), Some(member(1)));
}

#[test]
fn a_line_that_was_not_read_to_its_end_keeps_the_limit() {
    let mut offers = Offers::new(vec![sdr(1, 0, 20)], now());
    for _ in 0..5 {
        offers.offer_waiting(&hot(), &of(None, None));
    }
    offers.newcomers_follow(false);
    assert!(offers.is_put_off());
    assert!(!offers.offer(&hot(), &of(None, None)).give);
}

#[test]
fn the_limit_does_not_send_an_account_to_somebody_else() {
    let mut offers = Offers::new(vec![sdr(1, 0, 20), sdr(2, 0, 20)], now());
    for _ in 0..5 {
        assert_eq!(owner(&offers.offer_waiting(&hot(), &of(None, Some(2)))), Some(member(2)));
    }
    assert_eq!(owner(&offers.offer_waiting(&hot(), &of(None, Some(2)))), None);
    assert_eq!(owner(&offers.offer_waiting(&hot(), &of(None, None))), Some(member(1)));
    offers.newcomers_follow(true);
    assert_eq!(owner(&offers.offer(&hot(), &of(None, Some(2)))), None);
    assert_eq!(owner(&offers.offer(&hot(), &of(None, None))), Some(member(1)));
}

#[test]
fn only_those_are_asked_for_whom_there_is_room() {
    let mut team = vec![sdr(1, 0, 1), sdr(2, 1, 1)];
    team.push(Candidate { function: Some(Function::Ae), ..sdr(3, 4, 4) });
    let asked = |team: &[Candidate]| Offers::new(team.to_vec(), now()).whom_to_ask(&rule_set());
    assert_eq!(
        asked(&team),
        Askable { destinations: vec!["sdr".to_owned()], members: vec![member(1)] }
    );
    team[0].active = false;
    assert_eq!(asked(&team), Askable::default());
    team[2].open_pqls = 3;
    assert_eq!(asked(&team).destinations, ["ae"]);
    // A rule may name somebody of another function.
    let mut rules = rule_set();
    for rule in rules.rules.iter_mut().filter(|rule| rule.key == "expansion") {
        rule.owners = vec![Strategy::Person(member(3))];
    }
    let found = Offers::new(team, now()).whom_to_ask(&rules);
    assert_eq!(found.destinations, ["ae", "csm"]);
}

prop_compose! {
    fn any_rep()(
        id in 1_u128..40, open in 0_u32..9, capacity in 0_u32..9, emea in any::<bool>(),
        active in any::<bool>(), away in any::<bool>(), last in proptest::option::of(0_i64..50),
    ) -> Candidate {
        Candidate {
            active,
            away_until: away.then_some(now().date_naive()),
            territories: if emea { vec!["emea".to_owned()] } else { vec![] },
            last_assigned_at: last.map(|hours| now() - TimeDelta::hours(hours)),
            ..sdr(id, open, capacity)
        }
    }
}

prop_compose! {
    fn any_standing()(emea in any::<bool>(), account in proptest::option::of(1_u128..40)) -> Standing {
        of(emea.then_some("emea"), account)
    }
}

proptest! {
    /// Whatever the team: nobody gets more than five of those that wait, nor more than they have room
    /// for; who comes later gets nobody whom an earlier one that is left could have had.
    #[test]
    fn nobody_is_overtaken(
        mut team in proptest::collection::vec(any_rep(), 0..6),
        line in proptest::collection::vec(any_standing(), 0..30),
        newcomers in proptest::collection::vec(any_standing(), 0..10),
    ) {
        team.sort_by_key(|one| one.id);
        team.dedup_by_key(|one| one.id);
        let decision = hot();
        let mut offers = Offers::new(team.clone(), now());
        let mut counts: BTreeMap<MemberId, u32> = BTreeMap::new();
        // Whether this member could take it at this moment, were there no limit of the sweep.
        let could = |offers: &Offers, standing: &Standing, wanted: MemberId| {
            let mut only = offers.team.clone();
            for one in &mut only {
                one.at_sweep_limit = false;
                one.active &= one.id == wanted;
            }
            plan(&decision, standing, &only, now()).choice.owner == Some(wanted)
        };
        // Who is left, and for whom they were put off.
        let mut left: Vec<(&Standing, Vec<MemberId>)> = Vec::new();
        let overtakes = |before: &Offers, left: &[(&Standing, Vec<MemberId>)], to: MemberId| {
            left.iter().any(|(earlier, put_off)| {
                let is_plain = earlier.account_owner.is_none() && earlier.territory.is_none();
                put_off.contains(&to) || is_plain && could(before, earlier, to)
            })
        };
        for standing in &line {
            let before = offers.clone();
            let plan = offers.offer_waiting(&decision, standing);
            match owner(&plan) {
                Some(to) => {
                    *counts.entry(to).or_default() += 1;
                    prop_assert!(!overtakes(&before, &left, to));
                }
                None => {
                    let considered = plan.choice.steps.iter().flat_map(|step| &step.candidates);
                    let put_off = considered
                        .filter(|one| matches!(one.excluded, Some(Excluded::SweepLimit { .. })));
                    left.push((standing, put_off.map(|one| one.member).collect()));
                }
            }
        }
        prop_assert!(counts.values().all(|given| *given <= MOST_IN_A_SWEEP));
        offers.newcomers_follow(true);
        for standing in &newcomers {
            let before = offers.clone();
            if let Some(to) = owner(&offers.offer(&decision, standing)) {
                *counts.entry(to).or_default() += 1;
                prop_assert!(!overtakes(&before, &left, to));
            }
        }
        for one in &team {
            let got = counts.get(&one.id).copied().unwrap_or(0);
            prop_assert!(got == 0 || one.open_pqls + got <= one.capacity);
            prop_assert!(got == 0 || (one.active && one.away_until.is_none()));
        }
    }
}

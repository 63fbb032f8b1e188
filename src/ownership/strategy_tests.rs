use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use proptest::prelude::*;
use uuid::Uuid;

use super::Strategy;
use super::*;
use crate::ownership::round_robin::stamp;

fn member(number: u128) -> MemberId {
    MemberId(Uuid::from_u128(number))
}

fn now() -> DateTime<Utc> {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

fn sdr(number: u128) -> Candidate {
    Candidate {
        id: member(number),
        name: format!("Rep {number}"),
        active: true,
        function: Some(Function::Sdr),
        territories: vec![],
        pools: vec!["sdr".to_owned()],
        away_until: None,
        open_pqls: 0,
        capacity: 20,
        last_assigned_at: None,
        at_sweep_limit: false,
    }
}

fn pool() -> Strategy {
    Strategy::PoolRoundRobin("sdr".to_owned())
}

#[test]
fn every_reason_is_told() {
    let day = NaiveDate::from_ymd_opt(2026, 11, 24).unwrap();
    let team = vec![
        Candidate { active: false, ..sdr(1) },
        Candidate { function: Some(Function::Ae), ..sdr(2) },
        Candidate { pools: vec![], ..sdr(3) },
        Candidate { away_until: Some(day), ..sdr(4) },
        Candidate { open_pqls: 20, ..sdr(5) },
    ];
    let choice = choose(&[pool()], Function::Sdr, &Subject::default(), &team);
    let why: Vec<String> = choice.steps[0]
        .candidates
        .iter()
        .map(|one| one.excluded.as_ref().unwrap().words())
        .collect();
    assert_eq!(
        why,
        [
            "deactivated",
            "is AE, this needs SDR",
            "not in the pool sdr",
            "out of office until 2026-11-24",
            "at capacity: 20 of 20 open PQLs"
        ]
    );
    assert_eq!(
        choice.unowned_reason.unwrap(),
        "Nobody is eligible (SDR pool in turn): Rep 4 out of office until 2026-11-24; \
         Rep 5 at capacity: 20 of 20 open PQLs."
    );
}

#[test]
fn strategies_are_tried_in_order() {
    let ways = [Strategy::KeepCurrent, Strategy::AccountOwner, Strategy::Territory, pool()];
    let mut team = vec![sdr(1), sdr(2), Candidate { function: Some(Function::Ae), ..sdr(3) }];
    team[1].territories = vec!["emea".to_owned()];
    let mut subject = Subject::default();
    let who =
        |subject: &Subject, team: &[Candidate]| choose(&ways, Function::Sdr, subject, team).owner;
    assert_eq!(who(&subject, &team), Some(member(1)));
    subject.territory = Some("emea".to_owned());
    assert_eq!(who(&subject, &team), Some(member(2)));
    subject.territory = Some(" EMEA".to_owned());
    assert_eq!(who(&subject, &team), Some(member(2)), "in whatever case a CRM writes it");
    subject.account_owner = Some(member(3));
    assert_eq!(who(&subject, &team), Some(member(3)), "an account follows its AE");
    subject.current_owner = Some(member(1));
    assert_eq!(who(&subject, &team), Some(member(1)));
    team[0].open_pqls = 50;
    assert_eq!(who(&subject, &team), Some(member(1)), "what one holds is not new work");
    team[0].active = false;
    assert_eq!(who(&subject, &team), Some(member(3)));
}

#[test]
fn leaving_it_is_a_decision_too() {
    let choice =
        choose(&[Strategy::LeaveUnowned, pool()], Function::Sdr, &Subject::default(), &[sdr(1)]);
    assert_eq!((choice.owner, choice.steps.len()), (None, 1));
    assert!(choice.unowned_reason.unwrap().contains("assignment view"));
}

#[test]
fn a_row_says_in_a_few_words_why_nobody_is_chosen() {
    let brief =
        |team: &[Candidate]| choose(&[pool()], Function::Sdr, &Subject::default(), team).brief();
    let full = |id| Candidate { open_pqls: 3, capacity: 3, ..sdr(id) };
    let away = Candidate { away_until: NaiveDate::from_ymd_opt(2026, 12, 1), ..sdr(9) };
    assert_eq!(brief(&[sdr(1), full(2)]), "SDR pool in turn");
    assert_eq!(brief(&[full(1), full(2)]), "Nobody eligible: 2 at capacity");
    assert_eq!(brief(&[full(1), away.clone()]), "Nobody eligible: 1 at capacity, 1 away");
    assert_eq!(brief(&[away]), "Nobody eligible: 1 away");
    assert_eq!(brief(&[]), "Nobody eligible");
    let left = choose(&[Strategy::LeaveUnowned], Function::Sdr, &Subject::default(), &[sdr(1)]);
    assert_eq!(left.brief(), "Left to this view");
}

prop_compose! {
    fn any_candidate()(
        id in 1_u128..30, active in any::<bool>(), function in 0_usize..4, pooled in any::<bool>(),
        territory in any::<bool>(), away in any::<bool>(), open in 0_u32..4, last in proptest::option::of(0_i64..50),
    ) -> Candidate {
        Candidate {
            active,
            function: Function::ALL.get(function).copied(),
            pools: if pooled { vec!["sdr".to_owned()] } else { vec![] },
            territories: if territory { vec!["emea".to_owned()] } else { vec![] },
            away_until: away.then(|| NaiveDate::from_ymd_opt(2026, 12, 1).unwrap()),
            open_pqls: open,
            capacity: 3,
            last_assigned_at: last.map(|last| now() - TimeDelta::hours(last)),
            ..sdr(id)
        }
    }
}

proptest! {
    #[test]
    fn nobody_ineligible_is_ever_chosen(
        team in proptest::collection::vec(any_candidate(), 0..12), territory in any::<bool>(),
    ) {
        let subject = Subject { territory: territory.then(|| "emea".to_owned()), ..Subject::default() };
        let ways = [Strategy::Territory, pool()];
        let choice = choose(&ways, Function::Sdr, &subject, &team);
        prop_assert_eq!(&choice, &choose(&ways, Function::Sdr, &subject, &team));
        prop_assert_eq!(choice.owner.is_none(), choice.unowned_reason.is_some());
        let eligible = |demand| team.iter().any(|one| exclusion(one, demand).is_none());
        let somebody = eligible(Demand::Territory(Function::Sdr, subject.territory.as_deref()))
            || eligible(Demand::Pool(Function::Sdr, "sdr"));
        prop_assert_eq!(choice.owner.is_some(), somebody);
        for step in &choice.steps {
            if let Some(chosen) = step.chosen {
                let it = step.candidates.iter().find(|one| one.member == chosen && one.excluded.is_none());
                prop_assert!(it.is_some());
            }
        }
    }

    #[test]
    fn turns_are_fair_within_one(size in 1_u128..8, rounds in 0_usize..60) {
        let mut team: Vec<Candidate> =
            (1..=size).map(|id| Candidate { capacity: 1000, ..sdr(id) }).collect();
        let mut turns: BTreeMap<MemberId, usize> = team.iter().map(|one| (one.id, 0)).collect();
        for _ in 0..rounds {
            // One transaction: the clock does not move between the turns.
            let owner = choose(&[pool()], Function::Sdr, &Subject::default(), &team).owner.unwrap();
            let at = stamp(now(), &team);
            team.iter_mut().find(|one| one.id == owner).unwrap().last_assigned_at = Some(at);
            *turns.get_mut(&owner).unwrap() += 1;
        }
        let (most, least) = (turns.values().max().unwrap(), turns.values().min().unwrap());
        prop_assert!(most - least <= 1);
    }
}

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Deserialize;
use uuid::Uuid;

use super::worlds::{Owned, user};
use crate::scoring::card::Scorecard;
use crate::scoring::engine::score;
use crate::scoring::model::Model;
use crate::usage::day::UsageDay;
use crate::usage::facts::Member;
use crate::usage::signal::Fields;

#[derive(Deserialize)]
struct Vector {
    as_of: NaiveDate,
    model: Model,
    members: Vec<VectorMember>,
    usage_days: Vec<VectorDay>,
    fields: Fields,
    expect: Expected,
}

#[derive(Deserialize)]
struct VectorMember {
    id: String,
    role: Option<String>,
    persona: Option<String>,
    seniority: Option<String>,
    department: Option<String>,
    email_kind: Option<String>,
    joined_on: Option<NaiveDate>,
}

#[derive(Deserialize)]
struct VectorDay {
    user: String,
    event: String,
    day: NaiveDate,
    count: i64,
}

#[derive(Deserialize)]
struct Expected {
    score: i64,
    stage: String,
    lead: String,
    flags: Vec<String>,
    categories: BTreeMap<String, i64>,
    ledger: Vec<ExpectedRow>,
}

#[derive(Deserialize)]
struct ExpectedRow {
    rule: Option<String>,
    category: String,
    net: i64,
}

/// "u07" is member 7, so that ids sort as the vector's do.
fn number(id: &str) -> u128 {
    id.trim_start_matches('u').parse().unwrap()
}

fn scored(vector: &Vector) -> Scorecard {
    let mut world = Owned::new();
    world.fields = vector.fields.clone();
    for one in &vector.members {
        world.members.push(Member {
            role: one.role.clone(),
            persona: one.persona.clone(),
            seniority: one.seniority.clone(),
            department: one.department.clone(),
            email_kind: one.email_kind.clone(),
            joined_on: one.joined_on,
            ..Member::new(user(number(&one.id)))
        });
    }
    for one in &vector.usage_days {
        let event = world.names.intern(&one.event);
        let (user, day, count) = (user(number(&one.user)), one.day, one.count);
        world.usage.push(UsageDay { user, event, feature: None, day, count, value: 0.0 });
    }
    let model = world.compile(&vector.model);
    score(&model, &world.world(), vector.as_of)
}

#[test]
fn another_implementation_agrees() {
    let vectors = include_str!("../../../tests/fixtures/scoring_vectors.json");
    let vectors: Vec<Vector> = serde_json::from_str(vectors).unwrap();
    assert_eq!(vectors.len(), 24);
    for (at, vector) in vectors.iter().enumerate() {
        let card = scored(vector);
        let expect = &vector.expect;
        let mut wanted: BTreeMap<(String, Option<String>), i64> = BTreeMap::new();
        for row in &expect.ledger {
            *wanted.entry((row.category.clone(), row.rule.clone())).or_default() += row.net;
        }
        let mut got: BTreeMap<(String, Option<String>), i64> = BTreeMap::new();
        for row in card.ledger.iter().filter(|row| row.net != 0) {
            *got.entry((row.category.clone().unwrap(), row.rule.clone())).or_default() += row.net;
        }
        let rows = i64::try_from(wanted.len()).unwrap();
        for key in wanted.keys().chain(got.keys()) {
            let (wanted, got) = (wanted.get(key).unwrap_or(&0), got.get(key).unwrap_or(&0));
            let leeway = if key.1.is_some() { 1 } else { rows };
            assert!((wanted - got).abs() <= leeway, "world {at}, {key:?}: {got}, not {wanted}");
        }
        for category in &card.categories {
            let wanted = expect.categories[&category.key];
            assert!((category.points - wanted).abs() <= rows, "world {at}, {}", category.key);
        }
        assert!(
            (card.score - expect.score).abs() <= rows,
            "world {at}: {}, not {}",
            card.score,
            expect.score
        );
        assert_eq!(card.stage, expect.stage, "world {at}");
        assert_eq!(card.flags, expect.flags, "world {at}");
        let lead = card.lead_user.unwrap().user_id;
        assert_eq!(lead.0, Uuid::from_u128(number(&expect.lead)), "world {at}");
    }
}

#[test]
fn most_worlds_agree_to_the_hundredth() {
    let vectors = include_str!("../../../tests/fixtures/scoring_vectors.json");
    let vectors: Vec<Vector> = serde_json::from_str(vectors).unwrap();
    let exact = vectors.iter().filter(|vector| scored(vector).score == vector.expect.score);
    assert_eq!(exact.count(), vectors.len());
}

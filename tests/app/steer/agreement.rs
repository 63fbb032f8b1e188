//! A field means the same in a filter of the list and in a condition of a rule.

use std::collections::BTreeSet;

use diesel::connection::SimpleConnection;
use ripen::catalog::operator::Op;
use ripen::db::Pool;
use ripen::sources::key::Scope;
use ripen::usage::condition::Condition;
use ripen::usage::dictionary::{self, FIELDS, Field, FieldLevel, FieldType};
use ripen::usage::signal::{Fields, Value};
use serde_json::{Value as Json, json};

use crate::api_client::Script;
use crate::house::House;
use crate::scored;

/// Numbers that repeat themselves: any of `0..below`.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u32) -> u32 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(self.0 >> 33).unwrap() % below
    }

    fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        let at = self.roll(u32::try_from(all.len()).unwrap());
        &all[usize::try_from(at).unwrap()]
    }
}

fn random(field: &Field, dice: &mut Dice) -> Json {
    if dice.roll(3) == 0 {
        return Json::Null;
    }
    if !field.values.is_empty() {
        return json!(dice.pick(field.values));
    }
    match field.kind {
        FieldType::Text => json!(dice.pick(&["acme", "Acme", "ACME Ü", "o'brien, %_", ""])),
        FieldType::Bool => json!(dice.roll(2) == 0),
        FieldType::Int | FieldType::Money => json!(i64::from(dice.roll(5)) - 1),
        FieldType::Number => json!(dice.pick(&[0.0, 0.5, 1.0, 33.33, -12.5])),
        FieldType::Date => json!(format!("2026-11-{:02}", 18 + dice.roll(4))),
        FieldType::Time => {
            json!(format!("2026-11-{:02}T{:02}:30:00Z", 18 + dice.roll(3), 23 * dice.roll(2)))
        }
        FieldType::List => json!(dice.pick(&[vec!["aws"], vec!["aws", "Rust"], vec!["gcp"]])),
    }
}

/// Workspaces more, whose signals are anything; some have an owner, a task, a decision.
fn fill(house: &House) {
    let mut dice = Dice(7);
    let mut conn = house.db.checkout(Pool::Work).unwrap();
    for n in 0..24 {
        let stored: Fields = FIELDS
            .iter()
            .filter(|field| field.level != FieldLevel::User)
            .filter(|field| !matches!(field.key, "workspace_id" | "pql_score" | "score_change_7d"))
            .map(|field| (field.key, Value::from(random(field, &mut dice))))
            .collect();
        let mut stored = serde_json::to_value(stored).unwrap();
        let before = (dice.roll(2) == 0).then(|| 4000 + 100 * dice.roll(3));
        stored["workspace_id"] = json!(format!("r{n}"));
        // The list asks the account for it, and these have none.
        stored["territory"] = Json::Null;
        stored["pql_score"] = json!(41.0);
        stored["score_change_7d"] =
            json!(before.map(|before| (4100.0 - f64::from(before)) / 100.0));
        let text = stored.to_string().replace('\'', "''");
        let before = before.map_or("null".to_owned(), |before| before.to_string());
        conn.batch_execute(&format!(
            "insert into workspaces (id, external_id, name, created_at, first_seen_at)
               values (md5('r{n}')::uuid, 'r{n}', 'R {n}', '2026-11-01Z', '2026-11-01Z');
             insert into workspace_scores (workspace_id, as_of, model_version, score, stage, stage_since, score_7d,
                 flags, reasons, card, signals, sparkline, plan_tier, paid_status, trial_end_on, icp_fit_tier, wau,
                 member_count, seats, high_intent_14d, last_active_at, scored_at)
             select md5('r{n}')::uuid, '2026-11-20', 1, 4100, 'not_pql', '2026-11-01Z', {before},
                 '{{}}', '{{}}', '{{}}', j, '{{}}', j ->> 'plan_tier', j ->> 'paid_status',
                 (j ->> 'trial_end_date')::date, j ->> 'icp_fit_tier', coalesce((j ->> 'wau')::integer, 0),
                 coalesce((j ->> 'member_count')::integer, 0), 0, 0, (j ->> 'last_active_at')::timestamptz, now()
             from (select '{text}'::jsonb as j) t;"
        ))
        .unwrap();
    }
    conn.batch_execute(
        "update workspace_scores set signals = signals || jsonb_build_object('wau', wau, 'member_count', member_count)
           where workspace_id in (select id from workspaces where external_id like 'r%');
         insert into team_members (id, name, email, role, team, created_at)
           select md5('m' || n)::uuid, 'Rep ' || n, 'rep' || n || '@ripen.example', 'rep', 'Team ' || n, now()
           from generate_series(1, 2) n
           on conflict do nothing;
         insert into assignments (id, workspace_id, member_id, source, assigned_at)
           select gen_random_uuid(), md5('r' || n)::uuid, md5('m' || 1 + n % 2)::uuid, 'routing', now()
           from generate_series(0, 20) n;",
    )
    .unwrap();
}

async fn everything(script: &Script) -> Vec<(String, Fields)> {
    let list = script.json("/api/v1/workspaces?limit=500").await;
    let rows = list["data"].as_array().unwrap();
    let read = |row: &Json| {
        let id = row["workspace_id"].as_str().unwrap().to_owned();
        (id, dictionary::restore(row["signals"].clone()).unwrap())
    };
    rows.iter().map(read).collect()
}

/// Values to compare with: some that occur, and some that do not.
fn operands(field: &Field, all: &[(String, Fields)]) -> Vec<Value> {
    let mut seen: Vec<Value> = Vec::new();
    for (_, fields) in all {
        let value = fields.get(field.key).clone();
        let value = match value {
            Value::List(items) => items.first().cloned().unwrap_or_default(),
            Value::Number(number) if field.kind == FieldType::Number => Value::Number(number),
            other => other,
        };
        if value.is_set() && !seen.contains(&value) && value.as_text() != Some("") {
            seen.push(value);
        }
    }
    seen.truncate(1);
    let other = match field.kind {
        FieldType::Text | FieldType::List => vec![Value::from("AC")],
        FieldType::Bool => vec![Value::from(true), Value::from(false)],
        FieldType::Int | FieldType::Money => vec![Value::from(1_i64)],
        FieldType::Number => vec![Value::from(0.25)],
        FieldType::Date | FieldType::Time => vec![Value::Date("2026-11-19".parse().unwrap())],
    };
    seen.extend(other);
    seen
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[actix_web::test]
async fn every_filter_agrees_with_its_condition() {
    let house = scored::house().await;
    fill(&house);
    let script = Script::new(&house, Scope::Read);
    let all = everything(&script).await;
    assert!(all.len() > 30);
    let mut compared = 0;
    for field in FIELDS.iter().filter(|field| field.level != FieldLevel::User) {
        // The list asks for owners by e-mail, which is no field; its change of score is in hundredths.
        if field.key == "owner" {
            continue;
        }
        let scale = if field.key == "score_change_7d" { 100.0 } else { 1.0 };
        for (op, key, _) in Op::ALL {
            let values = if op.takes_value() { operands(field, &all) } else { vec![Value::Null] };
            for value in values {
                let (value, asked) = match (op, &value) {
                    (Op::In | Op::NotIn, single) if single.to_words().contains(',') => continue,
                    (Op::In | Op::NotIn, single) => {
                        (Value::List(vec![single.clone()]), single.to_words())
                    }
                    (_, Value::Null) => (Value::Null, String::new()),
                    (_, Value::Bool(flag)) => (value.clone(), flag.to_string()),
                    (_, single) => (value.clone(), single.to_words()),
                };
                let asked = match asked.parse::<f64>() {
                    Ok(number) if scale > 1.0 => format!("{:.0}", number * scale),
                    _ => asked,
                };
                let path = format!(
                    "/api/v1/workspaces?limit=500&filter[{}][{}]={}",
                    field.key,
                    encoded(key),
                    encoded(&asked)
                );
                let answer = script.get(&path).await;
                if answer.status == 400 {
                    assert!(answer.body.contains("be compared by"), "{path}: {}", answer.body);
                    continue;
                }
                assert_eq!(answer.status, 200, "{path}: {}", answer.body);
                let list: Json = serde_json::from_str(&answer.body).unwrap();
                let found: BTreeSet<String> = list["data"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|row| row["workspace_id"].as_str().unwrap().to_owned())
                    .collect();
                let condition = Condition { field: field.key.to_owned(), op, value };
                let holds: BTreeSet<String> = all
                    .iter()
                    .filter(|(_, fields)| condition.holds(fields.get(field.key)))
                    .map(|(id, _)| id.clone())
                    .collect();
                assert_eq!(found, holds, "{path}");
                compared += 1;
            }
        }
    }
    assert!(compared > 500, "{compared}");
}

#[actix_web::test]
async fn every_field_is_among_the_signals_and_ownership_is_as_of_now() {
    let house = scored::house().await;
    let script = Script::new(&house, Scope::Read);
    for path in ["/api/v1/workspaces/ws2", "/api/v1/workspaces/ws14"] {
        let signals = script.json(path).await["signals"].clone();
        for field in FIELDS.iter().filter(|field| field.level != FieldLevel::User) {
            assert!(signals.get(field.key).is_some(), "{} is missing", field.key);
        }
        assert_eq!(
            (
                &signals["is_unowned"],
                &signals["owner"],
                &signals["open_tasks"],
                &signals["has_open_anomaly"]
            ),
            (&json!(true), &Json::Null, &json!(0), &json!(false))
        );
    }
    fill(&house);
    let signals = script.json("/api/v1/workspaces/r1").await["signals"].clone();
    assert_eq!(
        (&signals["is_unowned"], &signals["owner"], &signals["owner_team"]),
        (&json!(false), &json!("Rep 2"), &json!("Team 2"))
    );
    let unknown = script.json("/api/v1/workspaces?filter[score_change_7d][=]=0&limit=500").await;
    let rows = unknown["data"].as_array().unwrap();
    assert!(rows.iter().all(|row| row["score_change_7d"] == 0), "nothing known is not 0");
}

//! The scorer against a real database: what was touched gets a score, a history, a stage.

use chrono::{DateTime, Utc};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use ripen::clock::Clock;
use ripen::db::{Database, Pool};
use ripen::error::Result;
use ripen::ids::WorkspaceId;
use ripen::schema::{
    account_scores, score_history, stage_changes, touched_workspaces, workspace_scores,
};
use ripen::scoring::{store_scores, worker};
use uuid::Uuid;

use crate::test_db::TestDb;

const WORKSPACE: WorkspaceId = WorkspaceId(Uuid::from_u128(1));

fn clock() -> Clock {
    Clock::frozen("2026-11-20T10:00:00Z".parse().unwrap())
}

/// One workspace of account Acme, an admin and ten days of use, all written by hand.
fn world(db: &Database) {
    let model = serde_json::to_string(&ripen::scoring::presets::published_recipe()).unwrap();
    let mut conn = db.checkout(Pool::Work).unwrap();
    conn.batch_execute(&format!(
        "insert into scoring_models (version, name, document, created_by, created_at, published_by, published_at)
           values (1, 'recipe', '{model}', 'system', '2026-01-01Z', 'system', '2026-01-01Z');
         insert into event_definitions (key, label, category, milestone) values
           ('key_action_completed', 'Key action', 'activation', 'primary'),
           ('core_feature_used', 'Core feature', 'depth', null),
           ('usage_limit_hit', 'Usage limit hit', 'intent', null);
         insert into accounts (id, name, primary_domain, icp_fit_tier, icp_fit_score, created_at)
           values ('00000000-0000-0000-0000-00000000000a', 'Acme', 'acme.example', 'A', 90, '2026-11-01Z');
         insert into workspaces (id, external_id, name, created_at, first_seen_at)
           values ('{0}', 'ws1', 'Engineering', '2026-11-01Z', '2026-11-01Z');
         insert into account_links (workspace_id, account_id, confidence, evidence, decided_at)
           values ('{0}', '00000000-0000-0000-0000-00000000000a', 95, '[]', '2026-11-01Z');
         insert into product_users (id, kind, external_id, canonical_id, email_kind, first_seen_at, last_seen_at) values
           ('00000000-0000-0000-0000-0000000000b1', 'known', 'u1', '00000000-0000-0000-0000-0000000000b1', 'corporate', '2026-11-01Z', '2026-11-20Z'),
           ('00000000-0000-0000-0000-0000000000b2', 'anonymous', 'a1', '00000000-0000-0000-0000-0000000000b1', 'unknown', '2026-11-01Z', '2026-11-20Z');
         insert into memberships (workspace_id, user_id, role, joined_at, last_active_at)
           values ('{0}', '00000000-0000-0000-0000-0000000000b1', 'admin', '2026-11-01Z', '2026-11-20T09:00Z');
         insert into subscriptions (id, workspace_id, status, trial_start_on, trial_end_on, origin, updated_at)
           values ('s1', '{0}', 'trialing', '2026-11-08', '2026-11-22', 'api', '2026-11-08Z');
         insert into usage_days (workspace_id, user_id, event_key, day, events) values
           ('{0}', '00000000-0000-0000-0000-0000000000b1', 'key_action_completed', '2026-11-11', 1),
           ('{0}', '00000000-0000-0000-0000-0000000000b2', 'usage_limit_hit', '2026-11-20', 1);
         insert into usage_days (workspace_id, user_id, event_key, day, events)
           select '{0}', '00000000-0000-0000-0000-0000000000b1', 'core_feature_used', d, 3
           from generate_series('2026-11-11'::date, '2026-11-20', '1 day') d;",
        WORKSPACE
    ))
    .unwrap();
}

fn touch(db: &Database, since: &str) {
    let now: DateTime<Utc> = clock().now();
    db.tx(Pool::Work, |conn| store_scores::touch(conn, &[WORKSPACE], since.parse().unwrap(), now))
        .unwrap();
}

fn nothing(_: &mut PgConnection, _: &[WorkspaceId], _: DateTime<Utc>) -> Result<()> {
    Ok(())
}

fn scalar<T>(
    db: &Database,
    question: impl FnOnce(&mut PgConnection) -> diesel::QueryResult<T>,
) -> T {
    db.read(Pool::Work, |conn| Ok(question(conn)?)).unwrap()
}

#[test]
fn a_touched_workspace_gets_a_score_a_history_and_a_stage() {
    let db = TestDb::new();
    world(&db);
    touch(&db, "2026-11-11");
    assert_eq!(worker::drain(&db, &clock(), nothing).unwrap(), 1);

    // Activation: 15 points, 9 days old, decay 30 days: 15 * e^(-9/30) = 11.11.
    // Depth: 2 a day capped at 10 in 7 days, so the days of age 0..4 and of age 7..9 count:
    //   2 * 1.3 * (sum of e^(-a/14) for a in 0,1,2,3,4 and 7,8,9) = 16.05.
    // Intent: the admin's limit hit of today, sent before the sign-in stitched: 10 * 1.3 = 13,
    //   and the trial ends within 3 days: 5. Fit: tier A, 10. Sum 55.16, warm.
    let (score, stage, sparkline): (i32, String, Vec<Option<i32>>) = scalar(&db, |conn| {
        workspace_scores::table
            .select((workspace_scores::score, workspace_scores::stage, workspace_scores::sparkline))
            .first(conn)
    });
    let decayed: f64 =
        [0, 1, 2, 3, 4, 7, 8, 9].iter().map(|age| (-f64::from(*age) / 14.0).exp()).sum();
    let expected = 1500.0 * (-0.3_f64).exp() + 260.0 * decayed + 1300.0 + 500.0 + 1000.0;
    assert!((f64::from(score) - expected).abs() <= 1.5, "{score} is not {expected}");
    assert_eq!(stage, "warm");
    // From the day the workspace was created to today, one value a day.
    assert_eq!(sparkline.len(), 20);
    let changes: Vec<(String, String)> = scalar(&db, |conn| {
        stage_changes::table.select((stage_changes::from_stage, stage_changes::to_stage)).load(conn)
    });
    assert_eq!(changes, [("not_pql".to_owned(), "warm".to_owned())]);
    let account: (i32, i32) = scalar(&db, |conn| {
        account_scores::table
            .select((account_scores::score, account_scores::workspaces))
            .first(conn)
    });
    assert_eq!(account, (score, 1), "an account of one workspace scores like it");
    assert_eq!(scalar(&db, |conn| touched_workspaces::table.count().get_result::<i64>(conn)), 0);
}

#[test]
fn scoring_again_changes_nothing() {
    let db = TestDb::new();
    world(&db);
    touch(&db, "2026-11-01");
    worker::drain(&db, &clock(), nothing).unwrap();
    let dump = |db: &Database| -> Vec<(chrono::NaiveDate, i32, serde_json::Value)> {
        scalar(db, |conn| {
            score_history::table
                .order(score_history::day)
                .select((score_history::day, score_history::score, score_history::categories))
                .load(conn)
        })
    };
    let before = dump(&db);
    touch(&db, "2026-11-01");
    touch(&db, "2026-11-15");
    assert_eq!(worker::drain(&db, &clock(), nothing).unwrap(), 1, "two touches of one workspace");
    assert_eq!(dump(&db), before);
    assert_eq!(scalar(&db, |conn| stage_changes::table.count().get_result::<i64>(conn)), 1);
}

#[test]
fn the_card_explains_the_change_since_yesterday() {
    let db = TestDb::new();
    world(&db);
    touch(&db, "2026-11-11");
    worker::drain(&db, &clock(), nothing).unwrap();
    let (score, yesterday, card): (i32, Option<i32>, serde_json::Value) = scalar(&db, |conn| {
        workspace_scores::table
            .select((workspace_scores::score, workspace_scores::score_1d, workspace_scores::card))
            .first(conn)
    });
    let parts = card["change"]["parts"].as_array().unwrap();
    let sum: i64 = parts.iter().map(|part| part["net"].as_i64().unwrap()).sum();
    assert_eq!(sum, i64::from(score - yesterday.unwrap()));
    assert!(parts.iter().any(|part| part["rule"] == "usage_limit_hit" && part["net"] == 1300));
    let rows: i64 =
        card["ledger"].as_array().unwrap().iter().map(|row| row["net"].as_i64().unwrap()).sum();
    assert_eq!(rows, i64::from(score), "the rows add up to the score");
}

const POISON: WorkspaceId = WorkspaceId(Uuid::from_u128(2));

fn choke(_: &mut PgConnection, workspaces: &[WorkspaceId], _: DateTime<Utc>) -> Result<()> {
    assert!(!workspaces.contains(&POISON), "a mistake of ours");
    Ok(())
}

fn choke_always(_: &mut PgConnection, _: &[WorkspaceId], _: DateTime<Utc>) -> Result<()> {
    Err(ripen::error::Error::internal("nothing works"))
}

#[test]
fn a_workspace_that_cannot_be_scored_stops_no_other() {
    let db = TestDb::new();
    world(&db);
    db.checkout(Pool::Work)
        .unwrap()
        .batch_execute(&format!(
            "insert into workspaces (id, external_id, name, created_at, first_seen_at)
               values ('{POISON}', 'ws2', 'Poison', '2026-11-01Z', '2026-11-01Z')"
        ))
        .unwrap();
    let now = clock().now();
    let both = [WORKSPACE, POISON];
    db.tx(Pool::Work, |conn| store_scores::touch(conn, &both, now.date_naive(), now)).unwrap();

    let systemic = worker::drain(&db, &clock(), choke_always);
    assert!(systemic.is_err(), "what fails for all is nobody's own fault");
    assert_eq!(scalar(&db, |conn| touched_workspaces::table.count().get_result::<i64>(conn)), 2);

    worker::drain(&db, &clock(), choke).unwrap();
    let scored: Vec<WorkspaceId> = scalar(&db, |conn| {
        workspace_scores::table.select(workspace_scores::workspace_id).load(conn)
    });
    assert_eq!(scored, [WORKSPACE]);
    assert_eq!(scalar(&db, |conn| touched_workspaces::table.count().get_result::<i64>(conn)), 0);
}

#[test]
fn an_account_without_production_workspaces_has_no_score() {
    let db = TestDb::new();
    world(&db);
    touch(&db, "2026-11-11");
    worker::drain(&db, &clock(), nothing).unwrap();
    assert_eq!(scalar(&db, |conn| account_scores::table.count().get_result::<i64>(conn)), 1);
    db.checkout(Pool::Work)
        .unwrap()
        .batch_execute("update workspaces set type = 'sandbox'")
        .unwrap();
    touch(&db, "2026-11-20");
    worker::drain(&db, &clock(), nothing).unwrap();
    assert_eq!(scalar(&db, |conn| account_scores::table.count().get_result::<i64>(conn)), 0);
}

//! Every route that changes something leaves an entry in the audit log, or is listed with the reason
//! why not. And the log itself: what it holds, and that nobody changes it.

use std::path::Path;

use actix_web::http::Method;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use ripen::db::Pool;
use ripen::db::local::Server;
use ripen::db::local::role::ROLE;
use ripen::routing::ops::route_workspaces;
use ripen::schema::audit_entries;
use ripen::team::member::{Function, Role};
use ripen::team::password;
use serde_json::Value;

use super::every_route;
use crate::house::House;
use crate::leads::{friday, hot, seed, seller};
use crate::test_db::{TestDb, disposable_server, scratch_dir};

enum Entry {
    /// The actions, one of which it writes.
    Writes(&'static [&'static str]),
    /// Why there is none.
    Without(&'static str),
}
use Entry::{Without, Writes};

const RECORDS: Entry = Without("data by key: the journal keeps it with its source and time");
const READ_MARK: Entry = Without("what somebody has read concerns nobody else");

const ENTRIES: &[(&str, Entry)] = &[
    ("POST /webhooks/stripe/{id}", RECORDS),
    ("POST /webhooks/events/{id}", RECORDS),
    ("PUT /api/v1/catalog", Writes(&["catalog.changed"])),
    ("PUT /api/v1/scoring/model", Writes(&["scoring_model.draft_saved"])),
    ("POST /api/v1/scoring/model/publish", Writes(&["scoring_model.published"])),
    ("PUT /api/v1/workspaces/{workspace_id}", RECORDS),
    ("PUT /api/v1/accounts/{account_id}", RECORDS),
    ("PUT /api/v1/users/{user_id}", RECORDS),
    ("PUT /api/v1/subscriptions/{id}", RECORDS),
    ("PUT /api/v1/memberships", RECORDS),
    ("POST /api/v1/bulk/{kind}", RECORDS),
    ("POST /v1/workspaces", RECORDS),
    ("POST /v1/accounts", RECORDS),
    ("POST /v1/users", RECORDS),
    ("POST /v1/memberships", RECORDS),
    ("POST /v1/subscriptions", RECORDS),
    ("POST /login", Writes(&["member.signed_in", "member.sign_in_failed"])),
    ("POST /logout", Writes(&["member.signed_out"])),
    ("POST /setup/{token}", Writes(&["member.set_up"])),
    ("POST /invite/{token}", Writes(&["member.joined"])),
    ("POST /notifications/readings", READ_MARK),
    ("POST /notifications/{id}/reading", READ_MARK),
    ("POST /tasks/{id}/completion", Writes(&["task.completed"])),
    ("POST /tasks/{id}/snooze", Writes(&["task.snoozed"])),
    ("POST /tasks/{id}/acceptance", Writes(&["task.accepted"])),
    ("POST /tasks/{id}/rejection", Writes(&["workspace.rejected"])),
    ("POST /assign", Writes(&["workspace.assigned"])),
    ("POST /workspaces/{id}/assignment", Writes(&["workspace.assigned", "workspace.unassigned"])),
    ("POST /me", Writes(&["member.profile_changed"])),
    ("POST /me/password", Writes(&["member.password_changed"])),
    ("POST /me/theme", Without("colours of one's own pages")),
    ("POST /me/sessions/{id}/revocation", Writes(&["member.session_ended"])),
    ("POST /settings/team/invites", Writes(&["invite.sent"])),
    ("POST /settings/team/invites/{id}/revocation", Writes(&["invite.revoked"])),
    ("POST /settings/team/{id}/role", Writes(&["member.role_changed"])),
    ("POST /settings/team/{id}/work", Writes(&["member.work_changed"])),
    ("POST /settings/team/{id}/deactivation", Writes(&["member.deactivated"])),
    ("POST /settings/team/{id}/reactivation", Writes(&["member.reactivated"])),
    (
        "POST /settings/team/{id}/keys",
        Writes(&["api_key.revoked", "write_key.revoked", "member.keys_to_review"]),
    ),
    ("POST /settings/events", Writes(&["catalog.changed"])),
    ("POST /settings/plans", Writes(&["plans.changed"])),
    ("POST /settings/events/rebuild", Writes(&["catalog.rebuild_started"])),
    ("POST /settings/events/rebuild/cancellation", Writes(&["catalog.rebuild_cancelled"])),
    ("POST /settings/events/versions/{n}/restoration", Writes(&["catalog.changed"])),
    ("POST /settings/events/{key}", Writes(&["catalog.changed"])),
    ("POST /settings/events/{key}/removal", Writes(&["catalog.changed"])),
    ("POST /settings/webhooks", Writes(&["webhook.created"])),
    ("POST /settings/webhooks/{id}/secrets", Writes(&["webhook.rotated"])),
    ("POST /settings/webhooks/{id}/revocation", Writes(&["webhook.revoked"])),
    ("POST /settings/data", Writes(&["retention.changed"])),
    ("POST /settings/keys/sources", Writes(&["source.created"])),
    ("POST /settings/keys/sources/{id}/write-keys", Writes(&["write_key.created"])),
    ("POST /settings/keys/write-keys/{id}/revocation", Writes(&["write_key.revoked"])),
    ("POST /settings/keys/write-keys/{id}/rotation", Writes(&["write_key.ending"])),
    ("POST /settings/keys/api-keys", Writes(&["api_key.created"])),
    ("POST /settings/keys/api-keys/{id}/revocation", Writes(&["api_key.revoked"])),
    ("POST /ingest/unmapped/{id}/mapping", Writes(&["stripe_customer.mapped"])),
    ("POST /ingest/unmapped/{id}/mapping/removal", Writes(&["stripe_customer.unmapped"])),
    ("POST /ingest/alerts/{id}/acknowledgement", Writes(&["ingest_alert.acknowledged"])),
    ("POST /ingest/dead-letters/{id}/text", Writes(&["dead_letter.mended"])),
    ("POST /ingest/dead-letters/replays", Writes(&["dead_letters.replayed"])),
    ("POST /ingest/dead-letters/discards", Writes(&["dead_letters.discarded"])),
    ("POST /imports", Writes(&["import.uploaded"])),
    ("POST /imports/{id}/mapping", Writes(&["import.mapped"])),
    ("POST /imports/{id}/run", Writes(&["import.started"])),
    ("POST /imports/{id}/cancellation", Writes(&["import.cancelled"])),
    ("POST /workspaces/{id}/account", Writes(&["workspace.linked"])),
    ("POST /accounts/{id}/owner", Writes(&["account.owner_changed"])),
    ("POST /contacts/merges", Writes(&["user.merged", "user.kept_apart"])),
    ("POST /contacts/merges/reopenings", Writes(&["user.asked_again"])),
    ("POST /users/changes/{id}/undoing", Writes(&["user.change_undone"])),
    ("POST /users/{id}/splits", Writes(&["user.split"])),
    ("POST /scoring/draft", Writes(&["scoring_model.draft_saved"])),
    ("POST /scoring/draft/removal", Writes(&["scoring_model.draft_discarded"])),
    ("POST /scoring/draft/document", Writes(&["scoring_model.draft_saved"])),
    ("POST /scoring/preview", Without("computes and stores nothing")),
    ("POST /scoring/publication", Writes(&["scoring_model.published"])),
    ("POST /scoring/versions/{n}/restoration", Writes(&["scoring_model.published"])),
];

fn sources(folder: &Path, into: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn every_route_that_writes_is_audited_or_says_why_not() {
    let mut code = String::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut code);
    let mut writing = 0;
    for route in every_route::all().iter().filter(|route| route.method != Method::GET) {
        writing += 1;
        let wanted = format!("{} {}", route.method, route.pattern);
        let entry = ENTRIES.iter().find(|(route, _)| *route == wanted);
        match entry.unwrap_or_else(|| panic!("say what {wanted} leaves in the audit log")) {
            (_, Without(reason)) => assert!(!reason.is_empty()),
            (_, Writes(actions)) => {
                for action in *actions {
                    assert!(code.contains(&format!("\"{action}\"")), "nobody writes {action}");
                }
            }
        }
    }
    assert_eq!(writing, ENTRIES.len(), "an entry names a route that is gone");
}

/// The newest entries, oldest first: actor, action, detail.
fn newest(house: &House, count: i64) -> Vec<(String, String, Value)> {
    let mut found: Vec<(String, String, Value)> = house.tx(|conn| {
        Ok(audit_entries::table
            .order(audit_entries::id.desc())
            .limit(count)
            .select((audit_entries::actor, audit_entries::action, audit_entries::detail))
            .load(conn)?)
    });
    found.reverse();
    found
}

type Case = (&'static str, &'static [(&'static str, &'static str)], &'static str);

#[actix_web::test]
async fn what_a_rep_does_with_tasks_is_written() {
    let house = House::open().await;
    let mia = house.tx(|conn| {
        seed(conn)?;
        seller(conn, "Mia", Function::Sdr)
    });
    let rep = house.signed_in(mia);
    // What is done, the fields of its form, and the entry it leaves.
    let cases: [Case; 5] = [
        ("acceptance", &[], "task.accepted"),
        ("snooze", &[("days", "3")], "task.snoozed"),
        ("completion", &[("outcome", "contacted"), ("note", "spoke to Sam")], "task.completed"),
        ("completion", &[("outcome", "not_now"), ("until", "2026-12-15")], "task.completed"),
        ("rejection", &[("reason", "not my region")], "workspace.rejected"),
    ];
    for (at, (what, form, action)) in cases.into_iter().enumerate() {
        let task = house.tx(|conn| {
            let id = hot(conn, &format!("w{at}"))?;
            route_workspaces(conn, &[id], friday())?;
            Ok(ripen::tasks::store::open_task(conn, id)?.unwrap())
        });
        rep.post(&format!("/tasks/{}/{what}", task.id), form).await.leads_to("/inbox");
        let (actor, written, detail) = newest(&house, 1).remove(0);
        assert_eq!((actor.as_str(), written.as_str()), ("Mia", action));
        if what != "rejection" {
            assert_eq!(detail["task"], task.id.to_string());
            assert_eq!(detail["assignee"], mia.to_string());
        }
        if what == "completion" {
            assert_eq!(detail["outcome"], form[0].1);
        }
    }
}

#[actix_web::test]
async fn signing_out_sessions_profiles_and_taken_models_are_written() {
    let house = House::open().await;
    let now = house.clock.now();
    house.tx(|conn| ripen::scoring::ops_models::ensure_model(conn, now));
    let here = house.as_revops();
    let there = house.signed_in(here.id());
    let id = hex::encode(ripen::web::token::hash(&there.session_token().unwrap()));
    here.post(&format!("/me/sessions/{id}/revocation"), &[]).await.leads_to("/me/sessions");
    let profile = [("name", "Rolf R"), ("time_zone", "Europe/Berlin")];
    here.post("/me", &profile).await.leads_to("/me");
    assert_eq!(here.get("/scoring/versions/1/document").await.status, 200);
    assert_eq!(here.get("/scoring/versions/99/document").await.status, 404);
    here.post("/logout", &[]).await.leads_to("/login");
    here.post("/logout", &[]).await;
    let actions: Vec<String> = newest(&house, 4).into_iter().map(|(_, action, _)| action).collect();
    assert_eq!(
        actions,
        [
            "member.session_ended",
            "member.profile_changed",
            "scoring_model.exported",
            "member.signed_out"
        ]
    );
}

#[actix_web::test]
async fn failed_sign_ins_are_written_without_what_was_typed_and_never_fill_the_log() {
    let house = House::open().await;
    let phc = password::hash("correct horse battery staple").unwrap();
    house.member_with_password("Rita", Role::Rep, &phc);
    let failures = |house: &House| -> Vec<(String, Value)> {
        house.tx(|conn| {
            Ok(audit_entries::table
                .filter(audit_entries::action.eq("member.sign_in_failed"))
                .order(audit_entries::id)
                .select((audit_entries::subject_id, audit_entries::detail))
                .load(conn)?)
        })
    };
    let fail = async |email: &str, address: &str| {
        let browser = house.stranger().at(address);
        browser.get("/login").await;
        let form = [("email", email), ("password", "my secret words")];
        browser.post("/login", &form).await.status
    };
    assert_eq!(fail("rita@ripen.test", "192.0.2.7").await, 422);
    assert_eq!(fail("my-password-by-mistake", "192.0.2.8").await, 422);
    let first = failures(&house);
    assert_eq!(first[0].1, serde_json::json!({ "address": "192.0.2.7" }));
    assert_eq!(first[1].0, "unknown account");
    let text = format!("{first:?}");
    assert!(!text.contains("secret") && !text.contains("by-mistake") && !text.contains("rita"));

    // From many addresses, so that no throttle stops them.
    for at in 0..22 {
        fail(&format!("nobody{at}@ripen.test"), &format!("198.51.100.{at}")).await;
    }
    let strangers = failures(&house).into_iter().filter(|(id, _)| id == "unknown account");
    let strangers: Vec<Value> = strangers.map(|(_, detail)| detail).collect();
    assert_eq!(strangers.len(), 20);
    assert_eq!(strangers[19]["more_within_the_hour"], "not written");
    house.clock.advance(chrono::TimeDelta::minutes(61));
    fail("nobody@ripen.test", "198.51.100.99").await;
    assert_eq!(failures(&house).len(), 22);
}

#[test]
fn the_log_can_only_grow() {
    let db = TestDb::new();
    let run =
        |sql: &str| db.checkout(Pool::Work).unwrap().batch_execute(sql).map_err(|e| e.to_string());
    run("insert into audit_entries (at, actor, action, subject_kind, subject_id) \
         values (now(), 'a', 'b', 'c', 'd')")
    .unwrap();
    for sql in [
        "update audit_entries set actor = 'x'",
        "delete from audit_entries",
        "truncate audit_entries",
        "truncate audit_entries, jobs cascade",
    ] {
        let refused = run(sql).expect_err(sql);
        assert!(refused.contains("never changed or deleted"), "{sql}: {refused}");
    }
}

#[test]
fn the_program_is_no_superuser_and_cannot_get_round_the_log() {
    let dir = scratch_dir("role");
    let server = disposable_server(&dir);
    assert!(!server.migrate().unwrap().is_empty());
    is_held_back(&server);
    // A data directory of an earlier version: everything is the superuser's, and there is no role.
    let mut elsewhere = PgConnection::establish(server.admin_url("postgres").expose()).unwrap();
    for sql in ["drop database ripen with (force)", "create database ripen"] {
        elsewhere.batch_execute(sql).unwrap();
    }
    elsewhere.batch_execute(&format!("drop role {ROLE}")).unwrap();
    drop(elsewhere);
    ripen::db::migrate::run(&server.admin_url("ripen")).unwrap();
    drop(server);

    let server = disposable_server(&dir);
    assert!(server.migrate().unwrap().is_empty());
    is_held_back(&server);
    drop(server);
    std::fs::remove_dir_all(dir).unwrap();
}

fn is_held_back(server: &Server) {
    let mut conn = PgConnection::establish(server.url("ripen").expose()).unwrap();
    conn.batch_execute(
        "insert into audit_entries (at, actor, action, subject_kind, subject_id) \
         values (now(), 'a', 'b', 'c', 'd'); select count(*) from audit_entries",
    )
    .unwrap();
    for sql in [
        "set session_replication_role = replica",
        "alter table audit_entries disable trigger all",
        "drop trigger audit_entries_insert_only on audit_entries",
        "drop table audit_entries",
        "drop schema public cascade",
        "drop function refuse_audit_change() cascade",
        "alter table audit_entries rename to other",
        "update audit_entries set actor = 'x'",
        "delete from audit_entries",
        "truncate audit_entries",
        "create role another superuser",
        "alter role current_user superuser",
        "copy jobs to '/tmp/ripen-stolen'",
        "copy jobs to program 'true'",
    ] {
        let refused = conn.batch_execute(sql).expect_err(sql).to_string();
        let is_refused = ["permission denied", "must be", "only roles"];
        assert!(is_refused.iter().any(|word| refused.contains(word)), "{sql}: {refused}");
    }
    // All else is its own: it makes, changes and drops tables, as migrations and partitions need.
    conn.batch_execute(
        "create table own (); drop table own; \
         alter table jobs add column c int; alter table jobs drop column c",
    )
    .unwrap();
    let left: i64 = diesel::select(diesel::dsl::sql::<diesel::sql_types::BigInt>(&format!(
        "(select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace \
          where n.nspname = 'public' and c.relkind in ('r', 'p', 'v', 'S') \
            and c.relname not like 'audit_entries%' and pg_get_userbyid(c.relowner) <> '{ROLE}')"
    )))
    .get_result(&mut conn)
    .unwrap();
    assert_eq!(left, 0, "nothing but the audit log is left to the superuser");
}

//! The story that every SDK tells, and where it has to be found.
//!
//! A visitor looks at the pricing page, turns out to be Dana, creates a workspace, uses it `count` times
//! and once more without naming it; a second visitor turns out to be Otto, by an alias.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use ripen::db::{Database, Pool};
use ripen::ingest::store_status;

use crate::test_db::eventually;

/// The values of two traits of the first user.
pub fn last_traits(db: &Database, prefix: &str) -> Option<String> {
    #[derive(QueryableByName)]
    struct Traits {
        #[diesel(sql_type = Nullable<Text>)]
        told: Option<String>,
    }
    let told: Option<Traits> = db
        .read(Pool::Work, |conn| {
            Ok(diesel::sql_query(
                "select (traits ->> 'plan') || ' ' || (traits ->> 'seats') as told
                 from product_users where external_id = $1 || '-u1'",
            )
            .bind::<Text, _>(prefix)
            .get_result(conn)
            .optional()?)
        })
        .unwrap();
    told?.told
}

/// What the tables say about the story.
#[derive(Debug, PartialEq, Eq, QueryableByName)]
pub struct Told {
    /// Who the first visitor turned out to be.
    #[diesel(sql_type = Nullable<Text>)]
    visitor_is: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    second_visitor_is: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    email: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    workspace: Option<String>,
    /// Dana's role in it.
    #[diesel(sql_type = Nullable<Text>)]
    role: Option<String>,
    /// Usage of the core feature, by whoever Dana is.
    #[diesel(sql_type = BigInt)]
    used: i64,
    /// The event without a workspace, which went to Dana's only one.
    #[diesel(sql_type = BigInt)]
    automated: i64,
    #[diesel(sql_type = BigInt)]
    dead_letters: i64,
}

const TOLD: &str = "
with person as (select kind, external_id, id, canonical_id, name, email from product_users),
     usage as (select w.external_id as workspace, c.external_id as person, d.event_key, sum(d.events)::bigint as events
               from usage_days d join workspaces w on w.id = d.workspace_id
               join product_users u on u.id = d.user_id join product_users c on c.id = u.canonical_id
               group by 1, 2, 3)
select (select k.external_id from person p join person k on k.id = p.canonical_id
        where p.kind = 'anonymous' and p.external_id = $1 || '-visitor') as visitor_is,
       (select k.external_id from person p join person k on k.id = p.canonical_id
        where p.kind = 'anonymous' and p.external_id = $1 || '-visitor-2') as second_visitor_is,
       (select name from person where external_id = $1 || '-u1') as name,
       (select email from person where external_id = $1 || '-u1') as email,
       (select name from workspaces where external_id = $1 || '-ws1') as workspace,
       (select role from memberships m join workspaces w on w.id = m.workspace_id join person p on p.id = m.user_id
        where w.external_id = $1 || '-ws1' and p.external_id = $1 || '-u1') as role,
       coalesce((select events from usage where workspace = $1 || '-ws1' and person = $1 || '-u1'
                 and event_key = 'core_feature_used'), 0) as used,
       coalesce((select events from usage where workspace = $1 || '-ws1' and person = $1 || '-u1'
                 and event_key = 'automation_run'), 0) as automated,
       (select count(*) from dead_letters) as dead_letters";

/// What the tables say once everything acknowledged is projected.
pub fn told(db: &Database, prefix: &str) -> Told {
    let drained =
        eventually(|| (db.read(Pool::Work, store_status::pending).unwrap() == 0).then_some(()));
    assert_eq!(drained, Some(()), "everything acknowledged is projected");
    db.read(Pool::Work, |conn| {
        Ok(diesel::sql_query(TOLD).bind::<Text, _>(prefix).get_result(conn)?)
    })
    .unwrap()
}

/// Asserts that the whole story is there, as soon as the last of it has arrived.
#[track_caller]
pub fn assert_told(db: &Database, prefix: &str, count: usize) {
    let text = |name: &str| Some(name.replace('~', prefix));
    let wanted = Told {
        visitor_is: text("~-u1"),
        second_visitor_is: text("~-u2"),
        name: text("Dana Öps 🚀"),
        email: text("dana@~.example"),
        workspace: text("Acme ~"),
        role: text("admin"),
        used: i64::try_from(count).unwrap(),
        automated: 1,
        dead_letters: 0,
    };
    let arrived = eventually(|| (told(db, prefix) == wanted).then_some(()));
    assert!(arrived.is_some(), "{:?} instead of {wanted:?}", told(db, prefix));
}

/// How often the core feature was used, once everything acknowledged is projected.
pub fn used(db: &Database, prefix: &str) -> usize {
    usize::try_from(told(db, prefix).used).unwrap()
}

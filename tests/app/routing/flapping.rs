//! Nobody's work is pulled from under them.

use chrono::TimeDelta;
use diesel::PgConnection;
use ripen::db::Pool;
use ripen::error::Result;
use ripen::ids::{MemberId, WorkspaceId};
use ripen::ownership::{ops, store};
use ripen::routing::ops::route_workspaces;
use ripen::tasks::ops::{Disposition, Doer, complete};
use ripen::tasks::store::open_task;
use ripen::team::audit::Actor;
use ripen::team::member::Function;
use serde_json::json;

use crate::leads::{
    account_of, admin_of, friday, hot, limit_hit, number, score, seed, seller, word,
};
use crate::test_db::TestDb;

fn tx<T>(db: &TestDb, work: impl FnMut(&mut PgConnection) -> Result<T>) -> T {
    db.tx(Pool::Work, work).unwrap()
}

/// A routed hot PQL with its owner.
fn routed() -> (TestDb, WorkspaceId, MemberId) {
    let db = TestDb::new();
    let (id, mia) = tx(&db, |conn| {
        seed(conn)?;
        let mia = seller(conn, "Mia", Function::Sdr)?;
        let id = hot(conn, "Acme")?;
        route_workspaces(conn, &[id], friday())?;
        Ok((id, mia))
    });
    (db, id, mia)
}

fn rescored(db: &TestDb, id: WorkspaceId, points: i32, days: i64) {
    tx(db, |conn| {
        score(conn, id, points, json!({}))?;
        route_workspaces(conn, &[id], friday() + TimeDelta::days(days))
    });
}

fn owner(db: &TestDb, id: WorkspaceId) -> Option<MemberId> {
    tx(db, |conn| store::owner(conn, id)).map(|(member, _)| member)
}

fn decisions(db: &TestDb) -> i64 {
    tx(db, |conn| number(conn, "select count(*) as n from routing_decisions"))
}

#[test]
fn an_accepted_workspace_stays_with_its_owner() {
    let (db, id, mia) = routed();
    tx(&db, |conn| ops::accept(conn, id, mia, friday()));
    for days in 1..20 {
        rescored(&db, id, 20, days);
    }
    assert_eq!(owner(&db, id), Some(mia));
    assert_eq!(decisions(&db), 2);
    let note = tx(&db, |conn| {
        word(
            conn,
            "select trace->'notes'->>0 as word from routing_decisions order by decided_at desc limit 1",
        )
    });
    assert_eq!(note.as_deref(), Some("Now nurture; stays with Mia."));
}

#[test]
fn an_unaccepted_task_is_withdrawn_after_72_hours() {
    let (db, id, mia) = routed();
    rescored(&db, id, 20, 1);
    rescored(&db, id, 20, 3);
    assert_eq!(owner(&db, id), Some(mia));
    rescored(&db, id, 20, 4);
    assert_eq!(owner(&db, id), None);
    assert!(tx(&db, |conn| open_task(conn, id)).is_none());
    assert_eq!(decisions(&db), 3);
    rescored(&db, id, 20, 5);
    assert_eq!(decisions(&db), 3);
}

#[test]
fn coming_back_within_14_days_needs_new_intent() {
    let (db, id, mia) = routed();
    rescored(&db, id, 20, 1);
    rescored(&db, id, 20, 4);
    rescored(&db, id, 85, 6);
    assert_eq!(owner(&db, id), None);
    tx(&db, |conn| {
        let sam = admin_of(conn, id, "Sam")?;
        limit_hit(conn, id, sam, friday() + TimeDelta::days(7))
    });
    rescored(&db, id, 85, 8);
    assert_eq!(owner(&db, id), Some(mia));
    assert!(tx(&db, |conn| open_task(conn, id)).is_some());
}

#[test]
fn a_done_task_is_not_made_again_while_it_stays_hot() {
    let (db, id, mia) = routed();
    tx(&db, |conn| {
        let task = open_task(conn, id)?.unwrap();
        let doer = Doer { member: mia, anybodys: false };
        complete(conn, task.id, doer, &Disposition::Contacted, "", friday() + TimeDelta::hours(1))?;
        ops::accept(conn, id, mia, friday() + TimeDelta::hours(1))
    });
    for days in 1..40 {
        rescored(&db, id, 85, days);
    }
    assert_eq!((decisions(&db), owner(&db, id)), (1, Some(mia)));
    assert!(tx(&db, |conn| open_task(conn, id)).is_none());
}

#[test]
fn a_rejected_workspace_waits_for_a_manager() {
    let (db, id, mia) = routed();
    let bob = tx(&db, |conn| seller(conn, "Bob", Function::Sdr));
    tx(&db, |conn| {
        let actor = Actor { id: Some(mia), name: "Mia".to_owned() };
        ops::reject(conn, id, mia, "knows them from before", &actor, friday())
    });
    for days in 1..20 {
        rescored(&db, id, 85, days);
    }
    assert_eq!(owner(&db, id), None);
    tx(&db, |conn| {
        let ana = Actor { id: None, name: "Ana".to_owned() };
        let wish = ops::Wish { workspace: id, to: bob, seen_owner: None };
        ops::assign(conn, &wish, &ana, friday() + TimeDelta::days(20))
    });
    rescored(&db, id, 85, 21);
    assert_eq!(owner(&db, id), Some(bob));
}

#[test]
fn an_account_follows_its_ae() {
    let db = TestDb::new();
    let (id, ae) = tx(&db, |conn| {
        seed(conn)?;
        seller(conn, "Mia", Function::Sdr)?;
        let ae = seller(conn, "Abe", Function::Ae)?;
        let id = hot(conn, "Acme")?;
        account_of(conn, id, Some(ae))?;
        route_workspaces(conn, &[id], friday())?;
        Ok((id, ae))
    });
    assert_eq!(owner(&db, id), Some(ae));
    rescored(&db, id, 85, 1);
    assert_eq!((owner(&db, id), decisions(&db)), (Some(ae), 1));
}

#[test]
fn a_new_customer_passes_on_once_the_work_is_done() {
    let (db, id, mia) = routed();
    let csm = tx(&db, |conn| seller(conn, "Cleo", Function::Csm));
    let paid = |hours: i64| {
        tx(&db, |conn| {
            score(conn, id, 85, json!({ "paid_status": "paid" }))?;
            route_workspaces(conn, &[id], friday() + TimeDelta::hours(hours))
        })
    };
    tx(&db, |conn| ops::accept(conn, id, mia, friday()));
    paid(1);
    assert_eq!(owner(&db, id), Some(mia));
    tx(&db, |conn| {
        let task = open_task(conn, id)?.unwrap();
        let doer = Doer { member: mia, anybodys: false };
        complete(conn, task.id, doer, &Disposition::Qualified, "", friday() + TimeDelta::hours(2))
    });
    paid(3);
    assert_eq!(owner(&db, id), Some(csm));
    let task = tx(&db, |conn| open_task(conn, id)).unwrap();
    assert_eq!((task.title.as_str(), task.payload.play.as_str()), ("Expansion play: Acme", "csm"));
}

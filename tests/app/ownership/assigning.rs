//! Assigning: whole, once, and never to somebody who is not there.

use std::sync::Barrier;

use diesel::sql_types::Uuid as SqlUuid;
use diesel::{PgConnection, RunQueryDsl, sql_query};
use ripen::db::Pool;
use ripen::error::{Error, Result};
use ripen::ownership::ops::{self, Wish};
use ripen::ownership::store;
use ripen::routing::ops::route_workspaces;
use ripen::tasks::store::{open_task, tasks_of};
use ripen::team::audit::Actor;
use ripen::team::member::{Function, Role};
use ripen::team::store::{NewMember, insert, set_deactivated};

use crate::leads::{account_of, friday, hot, number, seed, seller, written};
use crate::test_db::TestDb;

fn tx<T>(db: &TestDb, work: impl FnMut(&mut PgConnection) -> Result<T>) -> T {
    db.tx(Pool::Work, work).unwrap()
}

fn manager(conn: &mut PgConnection, name: &str) -> Result<Actor> {
    let new = NewMember {
        email: format!("{}@ripen.test", name.to_lowercase()),
        name: name.to_owned(),
        role: Role::Manager,
        function: None,
        password_hash: "none".to_owned(),
        time_zone: "UTC".to_owned(),
    };
    Ok(Actor { id: Some(insert(conn, &new, friday())?), name: name.to_owned() })
}

#[test]
fn reassigning_moves_the_task_with_its_handoff() {
    let db = TestDb::new();
    let (id, ann, ben, boss) = tx(&db, |conn| {
        seed(conn)?;
        let ann = seller(conn, "Ann", Function::Sdr)?;
        let ben = seller(conn, "Ben", Function::Sdr)?;
        let id = hot(conn, "Acme")?;
        Ok((id, ann, ben, manager(conn, "Ana")?))
    });
    let give = |to, seen_owner| {
        let wish = Wish { workspace: id, to, seen_owner };
        db.tx(Pool::Work, |conn| ops::assign(conn, &wish, &boss, friday()))
    };
    let first = give(ann, None).unwrap();
    assert_eq!((first.to.as_str(), first.open, first.capacity), ("Ann", 1, 20));
    give(ben, Some(ann)).unwrap();
    let (open, all) = tx(&db, |conn| Ok((open_task(conn, id)?.unwrap(), tasks_of(conn, id)?)));
    assert_eq!((open.assignee, open.payload.because.as_str()), (ben, "Assigned by Ana"));
    assert_eq!(all.len(), 2);
    assert_eq!(tx(&db, written), [0, 2, 2, 2, 2]);
    match give(ann, None) {
        Err(Error::Conflict(text)) => assert_eq!(text, "Ben has it already."),
        other => panic!("{other:?}"),
    }
    assert_eq!(tx(&db, written), [0, 2, 2, 2, 2]);
}

#[test]
fn of_two_managers_one_wins_and_the_other_hears_who_has_it() {
    let db = TestDb::new();
    let (ids, reps, bosses) = tx(&db, |conn| {
        seed(conn)?;
        let reps = [seller(conn, "Ann", Function::Sdr)?, seller(conn, "Ben", Function::Sdr)?];
        let ids: Vec<_> = (0..8).map(|at| hot(conn, &format!("w{at}"))).collect::<Result<_>>()?;
        Ok((ids, reps, [manager(conn, "Ana")?, manager(conn, "Bob")?]))
    });
    let start = Barrier::new(2);
    let results: Vec<Vec<Result<ops::Assigned>>> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..2)
            .map(|who| {
                let (db, start, ids, boss, to) = (&db, &start, &ids, &bosses[who], reps[who]);
                scope.spawn(move || {
                    start.wait();
                    ids.iter()
                        .map(|id| {
                            let wish = Wish { workspace: *id, to, seen_owner: None };
                            db.tx(Pool::Work, |conn| ops::assign(conn, &wish, boss, friday()))
                        })
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        handles.into_iter().map(|handle| handle.join().unwrap()).collect()
    });
    for (at, id) in ids.iter().enumerate() {
        let owner = tx(&db, |conn| store::owner(conn, *id)).unwrap().1;
        let (won, lost): (Vec<_>, Vec<_>) =
            results.iter().map(|one| &one[at]).partition(|one| one.is_ok());
        assert_eq!(won.len(), 1);
        match lost[0] {
            Err(Error::Conflict(text)) => assert_eq!(*text, format!("{owner} has it already.")),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(tx(&db, written), [0, 8, 8, 8, 8]);
}

#[test]
fn a_manager_and_a_rule_at_once_make_one_owner() {
    for _ in 0..5 {
        let db = TestDb::new();
        let (id, ben, boss) = tx(&db, |conn| {
            seed(conn)?;
            seller(conn, "Ann", Function::Sdr)?;
            let ben = seller(conn, "Ben", Function::Ae)?;
            Ok((hot(conn, "Acme")?, ben, manager(conn, "Ana")?))
        });
        let start = Barrier::new(2);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                start.wait();
                let wish = Wish { workspace: id, to: ben, seen_owner: None };
                let _ = db.tx(Pool::Work, |conn| ops::assign(conn, &wish, &boss, friday()));
            });
            start.wait();
            tx(&db, |conn| route_workspaces(conn, &[id], friday()));
        });
        let [_, assignments, tasks, ..] = tx(&db, written);
        assert_eq!((assignments, tasks), (1, 1));
        let after = tx(&db, |conn| {
            route_workspaces(conn, &[id], friday())?;
            let owner = store::owner(conn, id)?.unwrap().0;
            assert_eq!(open_task(conn, id)?.unwrap().assignee, owner);
            written(conn)
        });
        assert_eq!((after[1], after[2]), (1, 1));
    }
}

#[test]
fn nothing_stays_with_a_departed_owner() {
    let db = TestDb::new();
    let (ids, ann, boss) = tx(&db, |conn| {
        seed(conn)?;
        let ann = seller(conn, "Ann", Function::Sdr)?;
        let ids: Vec<_> = (0..3).map(|at| hot(conn, &format!("w{at}"))).collect::<Result<_>>()?;
        account_of(conn, ids[0], Some(ann))?;
        route_workspaces(conn, &ids, friday())?;
        Ok((ids, ann, manager(conn, "Ana")?))
    });
    let returned = tx(&db, |conn| {
        set_deactivated(conn, ann, Some(friday()))?;
        ops::return_everything(conn, ann, &boss, friday())
    });
    assert_eq!(returned, 3);
    tx(&db, |conn| {
        assert_eq!(
            number(conn, "select count(*) as n from assignments where ended_at is null")?,
            0
        );
        assert_eq!(number(conn, "select count(*) as n from tasks where completed_at is null")?, 0);
        assert_eq!(number(conn, "select count(*) as n from account_owners")?, 0);
        Ok(())
    });
    // And none comes back to them: not by a rule, not by a manager.
    tx(&db, |conn| route_workspaces(conn, &ids, friday()));
    let wish = Wish { workspace: ids[0], to: ann, seen_owner: None };
    let refused = db.tx(Pool::Work, |conn| ops::assign(conn, &wish, &boss, friday()));
    assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
}

#[test]
fn nobody_absent_is_given_work() {
    let db = TestDb::new();
    let (id, ann, boss) = tx(&db, |conn| {
        seed(conn)?;
        let ann = seller(conn, "Ann", Function::Sdr)?;
        sql_query("insert into absences (member_id, from_on, to_on) values ($1, '2026-11-19', '2026-11-24')")
            .bind::<SqlUuid, _>(ann)
            .execute(conn)?;
        Ok((hot(conn, "Acme")?, ann, manager(conn, "Ana")?))
    });
    tx(&db, |conn| route_workspaces(conn, &[id], friday()));
    assert!(tx(&db, |conn| store::owner(conn, id)).is_none());
    let wish = Wish { workspace: id, to: ann, seen_owner: None };
    match db.tx(Pool::Work, |conn| ops::assign(conn, &wish, &boss, friday())) {
        Err(Error::Invalid(errors)) => {
            assert_eq!(errors["member"], ["Ann is out of office until 24 November."]);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_pool_follows_the_function() {
    let db = TestDb::new();
    tx(&db, |conn| {
        seed(conn)?;
        let ann = seller(conn, "Ann", Function::Sdr)?;
        ripen::team::store::set_work(conn, ann, Some(Function::Csm), 20, &[])?;
        ops::function_changed(conn, ann)?;
        let team = store::candidates(conn, friday())?;
        assert_eq!(team[0].pools, ["csm"]);
        Ok(())
    });
}

//! Who waits is offered first, in the order of the wait, whichever way somebody gets room.

use std::sync::Barrier;
use std::sync::atomic::AtomicBool;

use chrono::TimeDelta;
use diesel::sql_types::{Date, Uuid as SqlUuid};
use diesel::{RunQueryDsl, sql_query};
use ripen::db::Pool;
use ripen::ids::{MemberId, WorkspaceId};
use ripen::jobs::{HANDLERS, SCHEDULES};
use ripen::ownership::store::owner;
use ripen::queue::engine;
use ripen::routing::ops::{route_workspaces, sweep};
use ripen::tasks::store::open_task;
use ripen::team::member::Function;
use ripen::team::store::set_work;
use serde_json::json;

use crate::house::{Client, House};
use crate::leads::{account_of, hot, number, score, seed, seller, word};
use crate::test_db::TestDb;

/// Mia has as many as she can hold; eight more came one after the other and wait.
struct Scene {
    house: House,
    admin: Client,
    mia: MemberId,
    has: Vec<WorkspaceId>,
    line: Vec<WorkspaceId>,
}

impl Scene {
    async fn set() -> Self {
        let house = House::open().await;
        let admin = house.as_admin();
        let mia = house.tx(|conn| {
            seed(conn)?;
            let mia = seller(conn, "Mia", Function::Sdr)?;
            set_work(conn, mia, Some(Function::Sdr), 3, &[])?;
            Ok(mia)
        });
        let mut scene = Self { house, admin, mia, has: Vec::new(), line: Vec::new() };
        scene.has = (0..3).map(|at| scene.arrives(&format!("has {at}"))).collect();
        // Neither by name nor by id nor by score in the order in which they come.
        let names = ["H", "C", "F", "A", "G", "B", "E", "D"];
        scene.line = names.into_iter().map(|name| scene.arrives(name)).collect();
        assert_eq!(scene.got(), 0);
        scene
    }

    /// A hot workspace is scored and routed; the clock goes on by a minute.
    fn arrives(&self, name: &str) -> WorkspaceId {
        self.house.clock.advance(TimeDelta::minutes(1));
        let now = self.house.clock.now();
        self.house.tx(|conn| {
            let id = hot(conn, name)?;
            let points = if name == "D" { 99 } else { 85 };
            score(conn, id, points, json!({}))?;
            route_workspaces(conn, &[id], now)?;
            Ok(id)
        })
    }

    fn owner(&self, id: WorkspaceId) -> Option<MemberId> {
        self.house.tx(|conn| owner(conn, id)).map(|(member, _)| member)
    }

    /// How many of the line are taken; they must be its first ones.
    fn got(&self) -> usize {
        let taken: Vec<bool> = self.line.iter().map(|id| self.owner(*id).is_some()).collect();
        let count = taken.iter().take_while(|taken| **taken).count();
        assert!(taken.iter().skip(count).all(|taken| !taken), "overtaken: {taken:?}");
        count
    }

    fn jobs(&self) {
        let stop = AtomicBool::new(false);
        engine::drain(&self.house.db, &self.house.clock, &HANDLERS, &stop).unwrap();
    }

    /// Room for `room` more has appeared: the first in line get it, a newcomer waits behind the rest,
    /// whether it comes before the sweep or after.
    fn first_come(&self, room: usize) {
        let newcomer = self.arrives("newcomer");
        assert_eq!(self.owner(newcomer), None, "before the sweep");
        self.jobs();
        assert_eq!(self.got(), room);
        let latest = self.arrives("the latest");
        self.jobs();
        assert_eq!((self.got(), self.owner(newcomer), self.owner(latest)), (room, None, None));
        let twice = "select count(*) as n from assignments where ended_at is null group by workspace_id \
                     having count(*) > 1 union all select 0";
        assert_eq!(self.house.tx(|conn| number(conn, twice)), 0);
    }

    fn task(&self, id: WorkspaceId) -> String {
        self.house.tx(|conn| open_task(conn, id)).unwrap().id.to_string()
    }

    async fn work(&self, member: MemberId, function: &str, capacity: &str, territories: &str) {
        let form = [("function", function), ("capacity", capacity), ("territories", territories)];
        let path = format!("/settings/team/{member}/work");
        self.admin.post(&path, &form).await.leads_to("/settings/team");
    }

    async fn does(&self, what: &str, form: &[(&str, &str)]) {
        let mia = self.house.signed_in(self.mia);
        let path = format!("/tasks/{}/{what}", self.task(self.has[0]));
        mia.post(&path, form).await.leads_to("/inbox");
    }
}

#[actix_web::test]
async fn by_a_higher_limit() {
    let scene = Scene::set().await;
    scene.work(scene.mia, "sdr", "5", "").await;
    scene.first_come(2);
}

#[actix_web::test]
async fn all_of_them_in_sweeps_of_five() {
    let scene = Scene::set().await;
    scene.work(scene.mia, "sdr", "11", "").await;
    let now = scene.house.clock.now();
    let first = scene.house.tx(|conn| sweep(conn, now));
    assert_eq!((first.given, scene.got()), (5, 5));
    let newcomer = scene.arrives("newcomer");
    assert_eq!(scene.owner(newcomer), None);
    scene.jobs();
    assert_eq!((scene.got(), scene.owner(newcomer)), (8, None), "8 of 8 and nobody more");
    scene.work(scene.mia, "sdr", "12", "").await;
    scene.jobs();
    assert_eq!(scene.owner(newcomer), Some(scene.mia));
}

#[actix_web::test]
async fn by_a_task_that_is_done() {
    let scene = Scene::set().await;
    scene.does("completion", &[("outcome", "contacted")]).await;
    scene.first_come(1);
}

#[actix_web::test]
async fn by_a_workspace_that_does_not_fit() {
    let scene = Scene::set().await;
    scene.does("completion", &[("outcome", "wrong_fit"), ("note", "a school")]).await;
    scene.first_come(1);
}

#[actix_web::test]
async fn by_not_now() {
    let scene = Scene::set().await;
    scene.does("completion", &[("outcome", "not_now"), ("until", "2026-12-15")]).await;
    scene.first_come(1);
}

#[actix_web::test]
async fn by_a_rejection() {
    let scene = Scene::set().await;
    scene.does("rejection", &[("reason", "not my region")]).await;
    scene.first_come(1);
    assert_eq!(scene.owner(scene.has[0]), None, "what was given back waits for a manager");
}

#[actix_web::test]
async fn by_a_snoozed_task() {
    let scene = Scene::set().await;
    scene.does("snooze", &[("days", "7")]).await;
    scene.first_come(1);
}

#[actix_web::test]
async fn by_a_manager_who_takes_one_back_or_gives_it_to_another() {
    let scene = Scene::set().await;
    let ben = scene.house.tx(|conn| seller(conn, "Ben", Function::Ae)).to_string();
    let mia = scene.mia.to_string();
    let path = |at: usize| format!("/workspaces/{}/assignment", scene.has[at]);
    let form = [("to", "nobody"), ("owner", mia.as_str())];
    assert_eq!(scene.admin.post(&path(0), &form).await.status, 303);
    scene.first_come(1);
    let form = [("to", ben.as_str()), ("owner", mia.as_str())];
    assert_eq!(scene.admin.post(&path(1), &form).await.status, 303);
    scene.jobs();
    assert_eq!(scene.got(), 2);
}

#[actix_web::test]
async fn by_a_rule_that_withdraws_one() {
    let scene = Scene::set().await;
    let id = scene.has[0];
    let fall = |days| {
        scene.house.clock.advance(TimeDelta::days(days));
        let now = scene.house.clock.now();
        scene.house.tx(|conn| {
            score(conn, id, 20, json!({}))?;
            route_workspaces(conn, &[id], now)
        })
    };
    fall(0);
    assert_eq!(fall(3).withdrawn, 1);
    scene.first_come(1);
}

#[actix_web::test]
async fn by_time_when_an_absence_ends_at_midnight_where_the_member_is() {
    let scene = Scene::set().await;
    // A second SDR, away to the end of the 24th, in a zone that is 5 h 45 min ahead.
    let ann = scene.house.tx(|conn| {
        let ann = seller(conn, "Ann", Function::Sdr)?;
        set_work(conn, ann, Some(Function::Sdr), 2, &[])?;
        sql_query("update team_members set time_zone = 'Asia/Kathmandu' where id = $1")
            .bind::<SqlUuid, _>(ann)
            .execute(conn)?;
        sql_query("insert into absences (member_id, from_on, to_on) values ($1, '2026-11-19', $2)")
            .bind::<SqlUuid, _>(ann)
            .bind::<Date, _>("2026-11-24".parse::<chrono::NaiveDate>().unwrap())
            .execute(conn)?;
        Ok(ann)
    });
    let until = |time: &str| {
        let wanted: chrono::DateTime<chrono::Utc> = time.parse().unwrap();
        scene.house.clock.advance(wanted - scene.house.clock.now());
        engine::fire(&scene.house.db, wanted, &SCHEDULES[..1]).unwrap();
        scene.jobs();
    };
    until("2026-11-24T18:10:00Z");
    assert_eq!(scene.got(), 0);
    until("2026-11-24T18:15:00Z");
    assert_eq!(scene.got(), 2);
    assert_eq!(scene.owner(scene.line[0]), Some(ann));
}

#[actix_web::test]
async fn by_an_absence_that_is_removed() {
    let scene = Scene::set().await;
    let ann = scene.house.tx(|conn| {
        let ann = seller(conn, "Ann", Function::Sdr)?;
        set_work(conn, ann, Some(Function::Sdr), 2, &[])?;
        sql_query("insert into absences (member_id, from_on, to_on) values ($1, '2026-11-19', '2027-11-19')")
            .bind::<SqlUuid, _>(ann)
            .execute(conn)?;
        Ok(ann)
    });
    let now = scene.house.clock.now();
    scene.house.tx(|conn| sweep(conn, now));
    assert_eq!(scene.got(), 0);
    scene.house.tx(|conn| {
        sql_query("delete from absences where member_id = $1")
            .bind::<SqlUuid, _>(ann)
            .execute(conn)?;
        Ok(())
    });
    scene.first_come(2);
}

#[actix_web::test]
async fn by_the_reactivation_of_a_member_whose_function_changed_meanwhile() {
    let scene = Scene::set().await;
    let ann = scene.house.tx(|conn| seller(conn, "Ann", Function::Ae));
    let path = |what| format!("/settings/team/{ann}/{what}");
    scene.admin.post(&path("deactivation"), &[]).await.leads_to("/settings/team");
    scene.work(ann, "sdr", "4", "").await;
    scene.jobs();
    assert_eq!(scene.got(), 0);
    scene.admin.post(&path("reactivation"), &[]).await.leads_to("/settings/team");
    scene.first_come(4);
}

#[actix_web::test]
async fn by_a_new_function_and_by_a_territory() {
    let scene = Scene::set().await;
    let ann = scene.house.tx(|conn| seller(conn, "Ann", Function::Csm));
    scene.work(ann, "sdr", "1", "").await;
    scene.first_come(1);
    // Ben works EMEA: whoever waits there goes to him before others in the pool do.
    let ben = scene.house.tx(|conn| {
        score(conn, scene.line[4], 85, json!({ "territory": "emea" }))?;
        seller(conn, "Ben", Function::Csm)
    });
    scene.work(ben, "sdr", "2", "emea").await;
    scene.jobs();
    let taken: Vec<_> = scene.line.iter().map(|id| scene.owner(*id) == Some(ben)).collect();
    assert_eq!(taken, [false, true, true, false, false, false, false, false], "the wait decides");
}

#[actix_web::test]
async fn by_somebody_who_joins() {
    let scene = Scene::set().await;
    let invited =
        [("email", "ann@ripen.test"), ("name", "Ann"), ("role", "rep"), ("function", "sdr")];
    let page = scene.admin.post("/settings/team/invites", &invited).await;
    let (_, rest) = page.body.split_once("http://ripen.test/invite/").expect("a link");
    let token: String =
        rest.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect();
    let stranger = scene.house.stranger();
    stranger.get(&format!("/invite/{token}")).await;
    let form = [("name", "Ann"), ("password", "a walrus on the quay at noon")];
    assert_eq!(stranger.post(&format!("/invite/{token}"), &form).await.status, 303);
    // She has room for all of them, five in a sweep.
    scene.jobs();
    assert_eq!(scene.got(), 8);
}

#[actix_web::test]
async fn by_an_account_that_gets_an_owner() {
    let scene = Scene::set().await;
    let abe = scene.house.tx(|conn| seller(conn, "Abe", Function::Ae)).to_string();
    let account = scene.house.tx(|conn| account_of(conn, scene.line[2], None));
    let path = format!("/accounts/{account}/owner");
    assert_eq!(scene.admin.post(&path, &[("to", abe.as_str())]).await.status, 303);
    scene.jobs();
    assert_eq!(scene.owner(scene.line[2]).map(|id| id.to_string()), Some(abe));
    assert_eq!(scene.owner(scene.line[0]), None);
}

#[actix_web::test]
async fn the_record_says_that_a_newcomer_waits_behind_them() {
    let scene = Scene::set().await;
    scene.work(scene.mia, "sdr", "4", "").await;
    scene.arrives("newcomer");
    let reason = "select unowned_reason as word from routing_decisions d join workspaces w \
                  on w.id = d.workspace_id and w.name = 'newcomer'";
    assert_eq!(
        scene.house.tx(|conn| word(conn, reason)).as_deref(),
        Some("Nobody is eligible (SDR pool in turn): Mia at capacity: 4 of 4 open PQLs.")
    );
}

#[test]
fn two_sweeps_at_once_and_newcomers_beside_them_give_each_to_one_in_order() {
    for _ in 0..4 {
        let db = TestDb::new();
        let friday = crate::leads::friday();
        let tx = |work: &mut dyn FnMut(&mut diesel::PgConnection) -> ripen::error::Result<()>| {
            db.tx(Pool::Work, |conn| work(conn)).unwrap();
        };
        let (mut line, mut newcomers) = (Vec::new(), Vec::new());
        let mut reps = Vec::new();
        tx(&mut |conn| {
            seed(conn)?;
            reps = ["Ann", "Ben"]
                .into_iter()
                .map(|name| seller(conn, name, Function::Sdr))
                .collect::<ripen::error::Result<_>>()?;
            for rep in &reps {
                set_work(conn, *rep, Some(Function::Sdr), 0, &[])?;
            }
            line = (0..12)
                .map(|at| hot(conn, &format!("w{at}")))
                .collect::<ripen::error::Result<_>>()?;
            for (id, minutes) in line.iter().zip(0..) {
                route_workspaces(conn, &[*id], friday + TimeDelta::minutes(minutes))?;
            }
            newcomers = (0..4)
                .map(|at| hot(conn, &format!("n{at}")))
                .collect::<ripen::error::Result<_>>()?;
            for rep in &reps {
                set_work(conn, *rep, Some(Function::Sdr), 4, &[])?;
            }
            Ok(())
        });
        let now = friday + TimeDelta::hours(1);
        let start = Barrier::new(3);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    start.wait();
                    db.tx(Pool::Work, |conn| sweep(conn, now)).unwrap();
                });
            }
            scope.spawn(|| {
                start.wait();
                for id in &newcomers {
                    db.tx(Pool::Work, |conn| route_workspaces(conn, &[*id], now)).unwrap();
                }
            });
        });
        tx(&mut |conn| {
            for (at, id) in line.iter().enumerate() {
                assert_eq!(owner(conn, *id)?.is_some(), at < 8, "the {at}th");
            }
            for id in &newcomers {
                assert_eq!(owner(conn, *id)?, None);
            }
            for rep in &reps {
                let own = format!("select count(*) as n from tasks where assignee_id = '{rep}'");
                assert_eq!(number(conn, &own)?, 4);
            }
            Ok(())
        });
    }
}

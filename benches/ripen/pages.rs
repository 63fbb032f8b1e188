//! Pages over HTTP, beside their own queries alone.

use std::time::{Duration, Instant};

use ripen::db::Pool;
use ripen::team::member::Role;
use ripen::team::store::NewMember;
use ripen::team::{ops, password};
use ripen::web::{store as sessions, token};

use crate::client::Client;
use crate::place::{Place, Process};
use crate::table::{Table, millis, percentile, ratio, thousands};
use crate::{fill, score};

const ASKS: usize = 200;

/// The list with filters and sorts, and what PostgreSQL is asked for it at the least.
const LISTS: &[(&str, &str)] = &[
    ("/workspaces", "order by s.score desc, s.workspace_id limit 51"),
    (
        "/workspaces?stage=hot_pql",
        "where s.stage = 'hot_pql' order by s.score desc, s.workspace_id limit 51",
    ),
    (
        "/workspaces?stage=pql&sort=-score",
        "where s.stage = 'pql' order by s.score desc, s.workspace_id limit 51",
    ),
    (
        "/workspaces?sort=-change",
        "order by s.score - coalesce(s.score_7d, s.score) desc, s.workspace_id limit 51",
    ),
    (
        "/workspaces?sort=-active",
        "order by s.last_active_at desc nulls last, s.workspace_id limit 51",
    ),
    (
        "/workspaces?plan=trial",
        "where s.plan_tier = 'trial' order by s.score desc, s.workspace_id limit 51",
    ),
    (
        "/workspaces?q=workspace+77",
        "where w.name ilike '%workspace 77%' order by s.score desc, s.workspace_id limit 51",
    ),
];

pub fn run(workspaces: i64) {
    let place = Place::new();
    fill::workspaces(&place, workspaces);
    let ids = score::ids(&place, workspaces);
    score::rescore(&place, &ids, place.clock.now());
    place.execute("vacuum analyze");
    let cookie = signed_in(&place);
    let server = Process::start(&place);
    let mut client = Client::new(server.address, &format!("Cookie: {cookie}\r\n"));
    let mut table = Table::new();
    for (path, rest) in LISTS {
        let sql = format!(
            "select s.workspace_id, s.score, s.stage, s.reasons, w.name from workspace_scores s
             join workspaces w on w.id = s.workspace_id {rest}"
        );
        let alone = query(&place, &sql);
        measure(&mut client, &mut table, path, Some(alone));
    }
    let middle = ids.get(ids.len() / 2).expect("a workspace");
    for tab in ["", "/events", "/members", "/history"] {
        measure(&mut client, &mut table, &format!("/workspaces/{middle}{tab}"), None);
    }
    measure(&mut client, &mut table, "/assign", None);
    let title = format!(
        "Pages with {} workspaces, one request at a time",
        thousands(u64::try_from(workspaces).unwrap_or(0))
    );
    table.print(&title, &place.machine());
}

fn measure(client: &mut Client, table: &mut Table, path: &str, alone: Option<Duration>) {
    let name = path
        .split('/')
        .map(|part| if part.len() == 36 { "{id}" } else { part })
        .collect::<Vec<_>>()
        .join("/");
    let (status, length) = client.send("GET", path, b"");
    if status != 200 {
        table.row(&name, format!("answered {status}"), "");
        return;
    }
    let mut times: Vec<Duration> = (0..ASKS)
        .map(|_| {
            let asked = Instant::now();
            client.send("GET", path, b"");
            asked.elapsed()
        })
        .collect();
    times.sort_unstable();
    let p50 = percentile(&times, 50);
    let beside = alone.map_or_else(String::new, |alone| {
        format!(
            " · query alone {}, ratio {}",
            millis(alone),
            ratio(p50.as_secs_f64(), alone.as_secs_f64())
        )
    });
    table.row(
        &name,
        format!("p50 {}, p95 {}", millis(p50), millis(percentile(&times, 95))),
        format!("{} KB{beside}", length / 1000),
    );
}

/// The median time of a query over a warm connection.
fn query(place: &Place, sql: &str) -> Duration {
    use diesel::connection::SimpleConnection;
    let mut conn = place.db.checkout(Pool::Work).expect("a connection");
    let mut times: Vec<Duration> = (0..ASKS)
        .map(|_| {
            let asked = Instant::now();
            conn.batch_execute(sql).expect(sql);
            asked.elapsed()
        })
        .collect();
    times.sort_unstable();
    percentile(&times, 50)
}

/// The cookie of a manager's session.
pub fn signed_in(place: &Place) -> String {
    let now = place.clock.now();
    let member = NewMember {
        email: "manager@bench.example".to_owned(),
        name: "Bench".to_owned(),
        role: Role::Manager,
        function: None,
        password_hash: password::hash(&token::random()).expect("a hash"),
        time_zone: "UTC".to_owned(),
    };
    let secret = token::random();
    place
        .db
        .tx(Pool::Work, |conn| {
            let id = ops::create(conn, &member, now)?;
            sessions::open_session(conn, &token::hash(&secret), id, "bench", "127.0.0.1", now)
        })
        .expect("a session");
    format!("ripen={secret}")
}

//! Workspaces with people, usage and accounts, made by a few statements and scored by the scorer.
//!
//! Everything follows from numbers, so that two worlds of the same size are the same world.

use chrono::{DateTime, Utc};
use diesel::PgConnection;
use diesel::connection::SimpleConnection;
use ripen::clock::Clock;
use ripen::db::{Database, Pool};
use ripen::error::Result;
use ripen::ids::{AccountId, WorkspaceId};
use ripen::scoring::{presets, worker};
use ripen::workspaces::store_page;

/// The key events of the recipe: key, label, category.
const EVENTS: [(&str, &str, &str); 14] = [
    ("workspace_created", "Workspace created", "activation"),
    ("key_action_completed", "Key action completed", "activation"),
    ("first_value_delivered", "First value delivered", "activation"),
    ("core_feature_used", "Core feature used", "depth"),
    ("automation_run", "Automation run", "depth"),
    ("invite_sent", "Invite sent", "expansion"),
    ("invite_accepted", "Invite accepted", "expansion"),
    ("integration_installed", "Integration installed", "expansion"),
    ("pricing_page_view", "Pricing page viewed", "intent"),
    ("upgrade_click", "Upgrade clicked", "intent"),
    ("usage_limit_hit", "Usage limit hit", "intent"),
    ("workspace_downgraded", "Workspace downgraded", "negative"),
    ("uninstall_integration", "Integration removed", "negative"),
    ("login", "Signed in", "none"),
];

/// The workspace with this number, from 1.
pub fn workspace(db: &Database, number: u32) -> WorkspaceId {
    db.read(Pool::Work, |conn| store_page::by_external_id(conn, &format!("ws-{number}"))).unwrap()
}

/// The account to which the workspace with this number belongs.
pub fn account_of(db: &Database, number: u32) -> AccountId {
    let id = workspace(db, number);
    let account = db.read(Pool::Work, |conn| Ok(store_page::head(conn, id)?.account_id)).unwrap();
    account.expect("it is linked")
}

/// So many workspaces with their scores, as of the clock.
pub fn populate(db: &Database, clock: &Clock, workspaces: u32) {
    raw(db, clock.now(), workspaces);
    worker::drain(db, clock, nothing_after).unwrap();
}

/// The same without scores: the scorer has them on its list.
pub fn raw(db: &Database, now: DateTime<Utc>, workspaces: u32) {
    let model = serde_json::to_string(&presets::published_recipe()).unwrap();
    let events: Vec<String> = EVENTS
        .iter()
        .enumerate()
        .map(|(place, (key, label, category))| {
            let milestone = if *key == "key_action_completed" { "'primary'" } else { "null" };
            format!("('{key}', '{label}', '{category}', {milestone}, {place})")
        })
        .collect();
    let sql = include_str!("world.sql")
        .replace(":model", &format!("'{}'", model.replace('\'', "''")))
        .replace(":events", &events.join(", "))
        .replace(":now", &format!("'{}'", now.to_rfc3339()))
        .replace(":count", &workspaces.to_string())
        .replace(":accounts", &(workspaces / 3).max(1).to_string());
    let mut conn = db.checkout(Pool::Work).unwrap();
    conn.batch_execute(&sql).unwrap();
}

fn nothing_after(_: &mut PgConnection, _: &[WorkspaceId], _: DateTime<Utc>) -> Result<()> {
    Ok(())
}

/// Rows that only a list needs: workspaces with made-up scores, many and quickly.
pub fn listed(db: &Database, now: DateTime<Utc>, workspaces: u32) {
    let sql = include_str!("listed.sql")
        .replace(":now", &format!("'{}'", now.to_rfc3339()))
        .replace(":count", &workspaces.to_string());
    let mut conn = db.checkout(Pool::Work).unwrap();
    conn.batch_execute(&sql).unwrap();
}

/// So many accounts that nobody has scored.
pub fn listed_accounts(db: &Database, accounts: u32) {
    let sql = format!(
        "insert into accounts (id, name, primary_domain, created_at)
         select md5('x' || i)::uuid, 'Company ' || i % 40, 'company' || i || '.example', now()
         from generate_series(1, {accounts}) i"
    );
    db.checkout(Pool::Work).unwrap().batch_execute(&sql).unwrap();
}

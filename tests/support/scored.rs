//! Fourteen workspaces of use, scored by the recipe: what the scoring form and the API look at.

use std::sync::atomic::AtomicBool;

use chrono::{DateTime, Utc};
use diesel::PgConnection;
use diesel::connection::SimpleConnection;
use ripen::db::Pool;
use ripen::error::Result;
use ripen::ids::WorkspaceId;
use ripen::queue::engine::{self, Handler, Lane, Running};
use ripen::scoring::{jobs, ops_models, store_scores, worker};

use crate::house::House;

/// The product's id of the first workspace: whatever a product likes to use.
pub const ODD: &str = "acme/eng 1 ü%?";

fn nothing(_: &mut PgConnection, _: &[WorkspaceId], _: DateTime<Utc>) -> Result<()> {
    Ok(())
}

/// A house with the recipe as version 1 and fourteen workspaces, the later the busier.
pub async fn house() -> House {
    let house = House::open().await;
    let now = house.clock.now();
    house.tx(|conn| ops_models::ensure_model(conn, now));
    house.db.checkout(Pool::Work).unwrap().batch_execute(WORLD).unwrap();
    let ids: Vec<WorkspaceId> = house.tx(|conn| {
        use diesel::prelude::*;
        use ripen::schema::workspaces as w;
        Ok(w::table.select(w::id).load(conn)?)
    });
    house.tx(|conn| store_scores::touch(conn, &ids, "2026-11-10".parse().unwrap(), now));
    worker::drain(&house.db, &house.clock, nothing).unwrap();
    house
}

/// Runs the jobs that wait.
pub fn rescore(house: &House) {
    let run = |running: &Running<'_>| jobs::rescore(running, nothing);
    let handler = Handler { kind: jobs::RESCORE, lane: Lane::Quick, run };
    let stop = AtomicBool::new(false);
    engine::drain(&house.db, &house.clock, &[handler], &stop).unwrap();
}

const WORLD: &str = "
insert into event_definitions (key, label, category, milestone) values
  ('key_action_completed', 'Key action', 'activation', 'primary'),
  ('core_feature_used', 'Core feature', 'depth', null),
  ('usage_limit_hit', 'Usage limit hit', 'intent', null),
  ('invite_accepted', 'Invite accepted', 'expansion', null);
insert into accounts (id, name, primary_domain, icp_fit_tier, icp_fit_score, territory, created_at)
  values ('00000000-0000-0000-0000-00000000000a', 'Acme', 'acme.example', 'A', 90, 'emea', '2026-11-01Z');
insert into workspaces (id, external_id, name, created_at, first_seen_at)
  select ('00000000-0000-0000-0001-' || lpad(n::text, 12, '0'))::uuid,
         case when n = 1 then 'acme/eng 1 ü%?' else 'ws' || n end, 'Workspace ' || n,
         '2026-11-01Z', '2026-11-01Z'
  from generate_series(1, 14) n;
insert into account_links (workspace_id, account_id, confidence, evidence, decided_at)
  select id, '00000000-0000-0000-0000-00000000000a', 95, '[]', '2026-11-01Z' from workspaces where external_id = 'ws14';
insert into product_users (id, kind, external_id, canonical_id, email, email_kind, first_seen_at, last_seen_at)
  select id, 'known', 'u' || n, id, 'u' || n || '@acme.example', 'corporate', '2026-11-01Z', '2026-11-20Z'
  from (select n, ('00000000-0000-0000-0002-' || lpad(n::text, 12, '0'))::uuid as id
        from generate_series(1, 14) n) people;
insert into memberships (workspace_id, user_id, role, joined_at, last_active_at, invitation_source)
  select ('00000000-0000-0000-0001-' || lpad(n::text, 12, '0'))::uuid,
         ('00000000-0000-0000-0002-' || lpad(n::text, 12, '0'))::uuid, 'admin', '2026-11-01Z', '2026-11-20T09:00Z', 'founder'
  from generate_series(1, 14) n;
insert into usage_days (workspace_id, user_id, event_key, day, events)
  select ('00000000-0000-0000-0001-' || lpad(n::text, 12, '0'))::uuid,
         ('00000000-0000-0000-0002-' || lpad(n::text, 12, '0'))::uuid, event, day, events
  from generate_series(1, 14) n cross join lateral (
    select 'key_action_completed' as event, '2026-11-18'::date as day, 1 + n / 7 as events
    union all select 'core_feature_used', '2026-11-20'::date - d, 3 from generate_series(0, n) d
    union all select 'invite_accepted', '2026-11-19'::date, 1 + n / 4
    union all select 'usage_limit_hit', '2026-11-20'::date, 1 where n > 9) use;
insert into key_events (workspace_id, occurred_at, id, user_id, event_key, name, properties, source_id)
  select '00000000-0000-0000-0001-000000000001', '2026-11-20T08:00Z'::timestamptz - d * interval '1 hour',
         gen_random_uuid(), '00000000-0000-0000-0002-000000000001', 'core_feature_used', 'Core Feature Used',
         '{\"plan\": \"pro\"}', gen_random_uuid()
  from generate_series(0, 4) d;
";

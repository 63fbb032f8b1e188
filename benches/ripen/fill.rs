//! Many workspaces, made by PostgreSQL itself.

use crate::place::Place;

/// `workspaces` workspaces, four members each, twenty usage days each, an account for every second one.
pub fn workspaces(place: &Place, workspaces: i64) {
    place.execute(&format!(
        "create function pg_temp.id(kind text, n bigint) returns uuid immutable language sql as
             $$ select md5(kind || n)::uuid $$;
         insert into workspaces (id, external_id, name, plan_tier, created_at, first_seen_at)
             select pg_temp.id('w', n), 'w' || n, 'Workspace ' || n, (array['free', 'trial', 'pro', 'enterprise'])[1 + n % 4],
                    now() - (n % 90) * interval '1 day', now() - (n % 90) * interval '1 day'
             from generate_series(1, {workspaces}) n;
         insert into product_users (id, kind, external_id, canonical_id, email, email_kind, domain, name, seniority,
                                    department, first_seen_at, last_seen_at)
             select pg_temp.id('u', n), 'known', 'u' || n, pg_temp.id('u', n), 'u' || n || '@c' || n / 8 || '.example',
                    'corporate', 'c' || n / 8 || '.example', 'User ' || n, (array['ic', 'manager', 'vp'])[1 + n % 3],
                    (array['engineering', 'product', 'sales'])[1 + n % 3], now() - interval '80 days', now()
             from generate_series(1, {workspaces} * 4) n;
         insert into memberships (workspace_id, user_id, role, joined_at, last_active_at)
             select pg_temp.id('w', 1 + (n - 1) / 4), pg_temp.id('u', n), case when n % 4 = 1 then 'admin' else 'member' end,
                    now() - (n % 60) * interval '1 day', now() - (n % 9) * interval '1 day'
             from generate_series(1, {workspaces} * 4) n;
         insert into usage_days (workspace_id, user_id, event_key, feature, day, events, value)
             select pg_temp.id('w', w), pg_temp.id('u', (w - 1) * 4 + 1 + d % 4),
                    (array['core_feature_used', 'login', 'automation_run', 'invite_sent', 'pricing_page_view',
                           'key_action_completed', 'upgrade_click', 'usage_limit_hit'])[1 + (w * 7 + d) % 8],
                    case when (w * 7 + d) % 8 = 0 then 'boards' else '' end,
                    current_date - ((d * (1 + w % 4))::int), 1 + (w + d) % 9, 0
             from generate_series(1, {workspaces}) w, generate_series(0, 19) d
             on conflict do nothing;
         insert into accounts (id, name, primary_domain, industry, employee_count, icp_fit_score, icp_fit_tier, created_at)
             select pg_temp.id('a', n), 'Company ' || n, 'c' || n || '.example', 'Software', n % 900, n % 101,
                    (array['A', 'B', 'C'])[1 + n % 3], now()
             from generate_series(1, {workspaces} / 2) n;
         insert into account_links (workspace_id, account_id, confidence, evidence, decided_at)
             select pg_temp.id('w', n), pg_temp.id('a', n), 90, '[]', now() from generate_series(1, {workspaces} / 2) n;
         analyze"
    ));
}

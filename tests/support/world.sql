-- A small world. Numbers decide everything; hash(x, n) is 0 to n - 1.
create function pg_temp.hash(x text, n int) returns int language sql immutable as
    $$ select ((('x' || substr(md5(x), 1, 7))::bit(28)::int) % n) $$;

insert into scoring_models (version, name, document, created_by, created_at, published_by, published_at)
values (1, 'Published recipe', :model, 'system', :now::timestamptz - interval '200 days', 'system', :now::timestamptz - interval '200 days');
insert into event_definitions (key, label, category, milestone, position) values :events
on conflict (key) do nothing;

insert into accounts (id, name, primary_domain, industry, employee_count, country, segment, icp_fit_tier, icp_fit_score, created_at)
select md5('a' || i)::uuid,
    (array['Northwind', 'Initech', 'Globex', 'Umbrella', 'Hooli', 'Vandelay', 'Stark', 'Wayne', 'Acme', 'Soylent'])[i % 10 + 1]
        || ' ' || (array['Traders', 'Systems', 'Labs', 'Group'])[i % 4 + 1] || case when i > 10 then ' ' || i else '' end,
    'account' || i || '.example', (array['software', 'finance', 'retail', null])[i % 4 + 1],
    40 + pg_temp.hash('e' || i, 2000), (array['DE', 'US', 'FR', 'JP'])[i % 4 + 1],
    (array['smb', 'mid_market', 'enterprise', null])[i % 4 + 1],
    (array['A', 'B', 'C', null])[i % 4 + 1], (array[85, 64, 40, null])[i % 4 + 1],
    :now::timestamptz - interval '100 days'
from generate_series(1, :accounts) i;
insert into account_domains (domain, account_id)
select 'account' || i || '.example', md5('a' || i)::uuid from generate_series(1, :accounts) i;

insert into workspaces (id, external_id, name, type, plan_tier, created_at, first_seen_at)
select md5('w' || i)::uuid, 'ws-' || i,
    (array['Engineering', 'Growth', 'Support', 'Data Platform', 'Design Studio', 'مساحة العمل', 'Operations', 'Research & <b>Development</b>', '営業チーム', 'Marketing'])[i % 10 + 1]
        || case when i > 10 then ' ' || i else '' end,
    case when i % 17 = 0 then 'sandbox' else 'prod' end,
    (array['trial', 'free', 'pro', 'trial', 'enterprise'])[i % 5 + 1],
    :now::timestamptz - make_interval(days => 15 + pg_temp.hash('c' || i, 70)),
    :now::timestamptz - make_interval(days => 15 + pg_temp.hash('c' || i, 70))
from generate_series(1, :count) i;

insert into account_links (workspace_id, account_id, confidence, evidence, decided_at)
select md5('w' || i)::uuid,
    case when i % 11 = 0 then null else md5('a' || ((i - 1) % :accounts + 1))::uuid end,
    case when i % 11 = 0 then 60 else 96 end,
    jsonb_build_array(jsonb_build_object('account_id', md5('a' || ((i - 1) % :accounts + 1))::uuid,
        'confidence', case when i % 11 = 0 then 60 else 96 end,
        'evidence', case when i % 11 = 0 then
            jsonb_build_array(jsonb_build_object('kind', 'website', 'value', 'account' || ((i - 1) % :accounts + 1) || '.example', 'weight', 60))
        else jsonb_build_array(
            jsonb_build_object('kind', 'billing_domain', 'value', 'account' || ((i - 1) % :accounts + 1) || '.example', 'weight', 90),
            jsonb_build_object('kind', 'member_domain', 'value', 'account' || ((i - 1) % :accounts + 1) || '.example', 'weight', 70)) end)),
    :now::timestamptz - interval '3 days'
from generate_series(1, :count) i;

insert into product_users (id, kind, external_id, canonical_id, email, email_kind, domain, name, job_title, seniority, department, first_seen_at, last_seen_at)
select md5('u' || i || '.' || p)::uuid, 'known', 'u_' || i || '_' || p, md5('u' || i || '.' || p)::uuid,
    lower(n.first) || '.' || lower(n.last) || '@account' || ((i - 1) % :accounts + 1) || '.example', 'corporate',
    'account' || ((i - 1) % :accounts + 1) || '.example', n.first || ' ' || n.last,
    (array['VP Engineering', 'Product manager', 'Engineer', 'Head of Operations', null])[p % 5 + 1],
    (array['vp', 'manager', 'ic', 'director', null])[p % 5 + 1],
    (array['engineering', 'product', 'engineering', 'operations', null])[p % 5 + 1],
    :now::timestamptz - interval '60 days', :now::timestamptz - make_interval(hours => 2 + p * 7)
from generate_series(1, :count) i, generate_series(1, 2 + pg_temp.hash('m' || i, 5)) p,
    lateral (select (array['Maya', 'Jonas', 'Aiko', 'Samir', 'Lena', 'Tomás', 'Ngozi', 'Ines'])[pg_temp.hash('f' || i || p, 8) + 1] as first,
                    (array['Okafor', 'Lindqvist', 'Tanaka', 'Haddad', 'Weber', 'Silva', 'Adeyemi', 'Moreau'])[pg_temp.hash('l' || i || p, 8) + 1] as last) n;

insert into memberships (workspace_id, user_id, role, persona, persona_source, joined_at, last_active_at, invitation_source)
select md5('w' || i)::uuid, md5('u' || i || '.' || p)::uuid,
    case when p = 1 and i % 6 > 0 then 'admin' when p % 4 = 0 then 'viewer' else 'member' end,
    case when p = 2 and i % 3 = 0 then 'champion' end, case when p = 2 and i % 3 = 0 then 'trait' end,
    :now::timestamptz - make_interval(days => 14 - p),
    :now::timestamptz - make_interval(hours => pg_temp.hash('h' || i || p, 90)),
    case when p > 1 then 'teammate' end
from generate_series(1, :count) i, generate_series(1, 2 + pg_temp.hash('m' || i, 5)) p;

insert into subscriptions (id, workspace_id, status, plan, billing_period, currency, mrr_cents, seats_purchased, trial_start_on, trial_end_on, started_at, renewal_on, origin, updated_at)
select 'sub_' || i, md5('w' || i)::uuid, case when i % 5 in (0, 3) then 'trialing' else 'active' end,
    (array['trial', 'free', 'pro', 'trial', 'enterprise'])[i % 5 + 1], 'month', (array['USD', 'EUR'])[i % 2 + 1],
    case when i % 5 in (0, 3, 1) then 0 else 9900 * (1 + i % 7) end, 5 + i % 9,
    case when i % 5 in (0, 3) then :now::date - 12 end, case when i % 5 in (0, 3) then :now::date + (i % 14) end,
    :now::timestamptz - interval '12 days', :now::date + 18, 'api', :now::timestamptz
from generate_series(1, :count) i where i % 5 <> 1;

-- Usage: every workspace has its own pace; the first ones are busy.
insert into usage_days (workspace_id, user_id, event_key, feature, day, events)
select md5('w' || i)::uuid, md5('u' || i || '.' || p)::uuid, e.key, e.feature, :now::date - back,
    1 + pg_temp.hash('n' || i || p || e.key || back, e.most)
from generate_series(1, :count) i, generate_series(1, 2 + pg_temp.hash('m' || i, 5)) p,
    generate_series(0, 60) back,
    (values ('core_feature_used', 'reports', 9, 22), ('automation_run', '', 5, 6), ('login', '', 2, 70),
            ('invite_sent', '', 2, 6), ('invite_accepted', '', 1, 5), ('pricing_page_view', '', 2, 5),
            ('upgrade_click', '', 1, 2), ('usage_limit_hit', 'seats', 1, 2), ('key_action_completed', '', 1, 1),
            ('first_value_delivered', '', 1, 1), ('integration_installed', 'slack', 1, 1),
            ('uninstall_integration', 'slack', 1, 1)) e (key, feature, most, chance)
where pg_temp.hash(i || '.' || p || e.key || back, 100) < e.chance * (6 - i % 6) / 6 * case when back > 25 then 0.3 else 1 end
  and back < 14 + pg_temp.hash('c' || i, 70);

insert into key_events (workspace_id, occurred_at, id, user_id, event_key, name, feature, value, properties, source_id, inferred)
select workspace_id, day + make_interval(hours => pg_temp.hash(user_id::text || event_key || day, 10), mins => pg_temp.hash(event_key || day, 60)),
    md5(workspace_id::text || user_id || event_key || day || n)::uuid, user_id, event_key, event_key, feature, null,
    '{"plan": "pro"}', md5('source')::uuid, case when event_key = 'pricing_page_view' then 'membership' end
from usage_days, generate_series(1, least(events, 2)) n
where event_key <> 'login' and day > :now::date - 30;

insert into touched_workspaces (workspace_id, since_on, touched_at)
select id, :now::date - 80, :now from workspaces order by id;

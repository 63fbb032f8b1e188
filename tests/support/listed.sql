insert into workspaces (id, external_id, name, created_at, first_seen_at)
select md5('w' || i)::uuid, 'ws-' || i, 'Workspace ' || (i * 7919 % :count), :now, :now
from generate_series(1, :count) i;
insert into accounts (id, name, primary_domain, created_at)
select md5('a' || i)::uuid, 'Account ' || i, 'account' || i || '.example', :now from generate_series(1, :count / 10 + 1) i;
insert into account_links (workspace_id, account_id, confidence, evidence, decided_at)
select md5('w' || i)::uuid, md5('a' || (i / 10 + 1))::uuid, 95, '[]', :now from generate_series(1, :count) i where i % 3 > 0;
insert into workspace_scores (workspace_id, as_of, model_version, score, stage, stage_since, score_7d, card, signals,
    sparkline, plan_tier, trial_end_on, icp_fit_tier, wau, member_count, seats, high_intent_14d, last_active_at, scored_at)
select md5('w' || i)::uuid, :now::date, 1, score,
    case when score >= 8000 then 'hot_pql' when score >= 6500 then 'pql' when score >= 5000 then 'warm' else 'not_pql' end,
    :now, case when i % 9 > 0 then least(10000, i * 15485863::bigint % 97 * 100)::int end, '{}', '{}',
    array[score, score, score], (array['free', 'trial', 'pro', 'enterprise', null])[i % 5 + 1],
    case when i % 4 = 0 then :now::date + i % 20 end, (array['A', 'B', 'C', null])[i % 4 + 1],
    i % 12, i % 8, i % 8, i % 5, case when i % 10 > 0 then :now::timestamptz - make_interval(hours => i % 300) end, :now
from generate_series(1, :count) i, lateral (select (i * 104729::bigint % 101 * 99)::int as score) s;
analyze workspaces; analyze workspace_scores; analyze account_links; analyze accounts; analyze assignments;

-- E-mail addresses, domains, titles and names of traits are read more strictly than what is stored was: the job
-- reads the stored traits again. An installation without data needs none.
insert into jobs (kind, payload, dedupe_key, run_at, created_at)
select 'reread', '{}', 'reread', now(), now()
where exists (select from product_users) or exists (select from workspaces) or exists (select from accounts)
on conflict do nothing;

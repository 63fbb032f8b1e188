alter table workspace_scores add column account_id uuid;
comment on column workspace_scores.account_id is 'The account at the last scoring: when the workspace has gone to another, this one''s score is made anew, too.';

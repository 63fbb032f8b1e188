drop table stage_changes;
drop table account_scores;
drop table score_history;
drop table workspace_scores;
drop table touched_workspaces;
drop table scoring_models;

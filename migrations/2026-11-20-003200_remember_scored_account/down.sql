alter table workspace_scores drop column account_id;

alter table score_history drop column scored_on;

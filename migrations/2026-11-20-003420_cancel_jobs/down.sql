alter table jobs drop column cancelled_at;

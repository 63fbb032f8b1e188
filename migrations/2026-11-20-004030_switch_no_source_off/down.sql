comment on column sources.disabled_at is null;

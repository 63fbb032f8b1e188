alter table catalog_versions add column undefined_apart boolean not null default false;
comment on column catalog_versions.undefined_apart is 'Whether undefined names count beside the definitions. The first versions counted them under a definition''s key when they spelled it; a rebuild has to know.';

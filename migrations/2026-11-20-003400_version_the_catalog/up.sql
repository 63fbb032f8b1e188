alter table event_definitions add column conditions jsonb not null default '[]';
comment on column event_definitions.conditions is 'What must hold of the event besides its name: [{path, op, value}], all of them.';

create table catalog_versions (
    version     integer primary key constraint catalog_versions_counts_from_one check (version >= 1),
    document    jsonb not null,
    reason      text not null,
    actor_id    uuid,
    actor       text not null,
    created_at  timestamptz not null
);
comment on table catalog_versions is 'The whole catalog after every change; the newest is in force and event_definitions is its copy for joins. Never deleted: rebuilding asks what an event meant when it was counted.';
comment on column catalog_versions.actor is 'The name at that time.';

create table event_definitions (
    key               text primary key constraint event_definitions_key_form check (key ~ '^[a-z][a-z0-9_]{0,99}$'),
    label             text not null,
    category          text not null constraint event_definitions_category check (category in ('activation', 'depth', 'expansion', 'intent', 'negative', 'none')),
    is_key            boolean not null default true,
    names             text[] not null default '{}',
    value_property    text,
    feature_property  text,
    milestone         text constraint event_definitions_milestone check (milestone in ('primary', 'secondary')),
    muted_at          timestamptz,
    position          integer not null default 0
);
comment on table event_definitions is 'The taxonomy: what an event name means. Key events are stored whole, the rest counts into usage days.';
comment on column event_definitions.names is 'Other names that mean this event; case, space, underscore and dash do not matter.';
comment on column event_definitions.value_property is 'The property that carries the numeric value, summed per day.';
comment on column event_definitions.feature_property is 'The property that names the feature.';

create table unknown_event_names (
    source_id      uuid not null,
    name           text not null,
    first_seen_at  timestamptz not null,
    last_seen_at   timestamptz not null,
    events         bigint not null,
    primary key (source_id, name)
);
comment on table unknown_event_names is 'Names that nobody has defined, with their volume; after 500 a source the rest is counted as other.';

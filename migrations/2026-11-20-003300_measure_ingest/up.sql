create table ingest_measures (
    source_id  uuid not null,
    measure    text not null constraint ingest_measures_measure check (measure in ('accept', 'skew', 'lag')),
    minute     timestamptz not null,
    bucket     smallint not null,
    times      bigint not null,
    highest    bigint not null,
    primary key (source_id, measure, minute, bucket)
);
-- Forgetting by age: the minutes lie on disk in the order in which they came.
create index ingest_measures_age on ingest_measures using brin (minute);
comment on table ingest_measures is 'Histograms a source and minute of receipt: how long requests waited for their commit (accept), how far senders'' clocks are off (skew), how long events waited for their projection (lag).';
comment on column ingest_measures.bucket is 'Which of the bounds of ingest/measure.rs, from 0; one more for values beyond the last.';
comment on column ingest_measures.times is 'Requests for accept and skew, events for lag.';
comment on column ingest_measures.highest is 'The greatest value in this bucket, in milliseconds.';

create table event_names (
    source_id          uuid not null,
    name               text not null,
    first_received_at  timestamptz not null,
    last_received_at   timestamptz not null,
    events             bigint not null,
    primary key (source_id, name)
);
comment on table event_names is 'Every event name that a source sent, defined or not, under the key it counts by; bounded as unknown_event_names is. Retries are counted once.';

create table event_name_days (
    source_id          uuid not null,
    name               text not null,
    received_on        date not null,
    first_received_at  timestamptz not null,
    last_received_at   timestamptz not null,
    events             bigint not null,
    primary key (source_id, name, received_on)
);
create index event_name_days_age on event_name_days using brin (received_on);
comment on table event_name_days is 'The same by day of receipt: the rhythm of a name, by which its silence is told.';

insert into event_names (source_id, name, first_received_at, last_received_at, events)
select source_id, name, first_seen_at, last_seen_at, events from unknown_event_names;

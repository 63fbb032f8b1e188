create table ingest_alerts (
    id                 uuid primary key,
    kind               text not null constraint ingest_alerts_kind check (kind in ('silent', 'refused', 'lag')),
    source_id          uuid,
    opened_at          timestamptz not null,
    closed_at          timestamptz,
    facts              jsonb not null,
    acknowledged_at    timestamptz,
    acknowledged_by    uuid,
    acknowledged_name  text,
    note               text,
    constraint ingest_alerts_source check ((source_id is null) = (kind = 'lag')),
    constraint ingest_alerts_acknowledged check ((acknowledged_at is null) = (note is null))
);
create unique index ingest_alerts_open on ingest_alerts (kind, coalesce(source_id, '00000000-0000-0000-0000-000000000000')) where closed_at is null;
comment on table ingest_alerts is 'What was not as usual with ingestion: opened and closed by the watch, acknowledged by a person. Of a kind and source at most one is open.';
comment on column ingest_alerts.facts is 'Why it was opened, in numbers: see ingest/alert.rs.';
comment on column ingest_alerts.source_id is 'Whose; the lag is that of all.';

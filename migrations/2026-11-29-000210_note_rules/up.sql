alter table journal_chunks add column rules integer not null default 0;
comment on column journal_chunks.rules is 'The version of the rules of identity, membership and attribution by which these rows were projected; an update that changes them projects older ones again.';

create table rules_updates (
    version     integer primary key,
    noted_at    timestamptz not null,
    rebuild_job bigint,
    rescore_job bigint
);
comment on table rules_updates is 'Versions of the projection rules that this installation has reached, each once. A version that found stored data enqueued the two jobs that bring the data up to it; a new installation enqueues none.';

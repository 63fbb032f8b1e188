create table retention (
    single                     boolean primary key default true constraint retention_single check (single),
    journal_days               integer not null default 90 constraint retention_journal_days check (journal_days between 7 and 800),
    key_event_days             integer not null default 400 constraint retention_key_event_days check (key_event_days between 30 and 800),
    key_events_from            date not null default '1970-01-01',
    key_events_complete_from   date not null default '1970-01-01',
    forgotten_at               timestamptz
);
insert into retention default values;
comment on table retention is 'How long what was sent is kept: one row.';
comment on column retention.key_events_from is 'Key events of earlier days are not kept; set by the job that drops them.';
comment on column retention.key_events_complete_from is 'Key events of earlier days may have been dropped, whatever is kept now: nothing is counted anew from them.';
comment on column retention.forgotten_at is 'When the job that forgets last came to its end.';

create table membership_events (
    workspace_id       uuid not null,
    user_id            uuid not null,
    event_key          text not null,
    occurred_at        timestamptz not null,
    id                 uuid not null,
    invitation_source  text,
    invited_by         text,
    primary key (workspace_id, user_id, event_key, occurred_at, id)
);
comment on table membership_events is 'Who created a workspace and who accepted an invitation to it: what stays of such key events when their days are dropped.';
insert into membership_events
select workspace_id, user_id, event_key, occurred_at, id,
    case when event_key = 'invite_accepted'
        then coalesce(properties ->> 'invitation_source', properties ->> 'source', 'invite') end,
    case when event_key = 'invite_accepted'
        then coalesce(properties ->> 'invited_by', properties ->> 'inviter_id',
                      properties ->> 'inviter', properties ->> 'invitedBy') end
from key_events where event_key in ('workspace_created', 'invite_accepted');

alter table key_events rename to key_events_before;
alter table key_events_before rename constraint key_events_pkey to key_events_before_pkey;
alter index key_events_by_event rename to key_events_before_by_event;
create table key_events (
    workspace_id  uuid not null,
    occurred_at   timestamptz not null,
    id            uuid not null,
    user_id       uuid not null,
    event_key     text not null,
    name          text not null,
    feature       text not null default '',
    value         double precision,
    properties    jsonb not null,
    source_id     uuid not null,
    inferred      text,
    primary key (workspace_id, occurred_at, id)
) partition by range (occurred_at);
create index key_events_by_event on key_events (workspace_id, event_key, occurred_at);
comment on table key_events is 'The curated stream: key events stored whole, for timelines and evidence, in partitions of a UTC day.';
comment on column key_events.inferred is 'How the workspace was found when the call did not name it: membership or last_group.';
create table key_events_default partition of key_events default;
comment on table key_events_default is 'Key events of days without a partition: nothing is refused for want of one.';

-- Days that are kept get their partition; what is older waits in the default one for the job that forgets.
do $$
declare
    day date;
begin
    for day in
        select distinct (occurred_at at time zone 'UTC')::date from key_events_before
        where occurred_at >= (current_date - 400)::timestamp at time zone 'UTC'
          and occurred_at < (current_date + 3)::timestamp at time zone 'UTC'
    loop
        execute format(
            'create table %I partition of key_events for values from (%L) to (%L)',
            'key_events_' || to_char(day, 'YYYYMMDD'),
            day::timestamp at time zone 'UTC', (day + 1)::timestamp at time zone 'UTC'
        );
    end loop;
end $$;
insert into key_events select * from key_events_before;
drop table key_events_before;

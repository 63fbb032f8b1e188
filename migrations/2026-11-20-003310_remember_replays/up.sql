alter table dead_letters add column mended text;
comment on column dead_letters.mended is 'The text as a person mended it; raw stays as it came. Replays send this one.';

create table ingest_replays (
    id           uuid primary key,
    actor_id     uuid,
    actor        text not null,
    chosen       jsonb not null,
    letters      bigint not null,
    started_at   timestamptz not null,
    beyond       uuid,
    finished_at  timestamptz
);
comment on table ingest_replays is 'Replays of dead letters: who, which, how far. What came of each letter stands in dead_letter_attempts.';
comment on column ingest_replays.chosen is 'Which letters: id, code, source, event, since; each may be missing.';
comment on column ingest_replays.letters is 'How many were open at the start, as far as they were counted.';
comment on column ingest_replays.beyond is 'The last letter that was tried: a job that was interrupted goes on behind it.';

create table dead_letter_attempts (
    replay_id     uuid not null references ingest_replays (id) on delete cascade,
    letter_id     uuid not null references dead_letters (id) on delete cascade,
    attempted_at  timestamptz not null,
    event_id      uuid,
    code          text,
    message       text,
    primary key (replay_id, letter_id),
    constraint dead_letter_attempts_outcome check ((event_id is null) = (code is not null))
);
create index dead_letter_attempts_letter on dead_letter_attempts (letter_id, attempted_at desc);
comment on table dead_letter_attempts is 'What came of a dead letter each time it was replayed: into the journal again, or refused by the parser.';
comment on column dead_letter_attempts.event_id is 'Under which id the drainer knows the event: if there is an open dead letter of this id, it was refused there.';

-- Grouping, and counting by source, read the index alone; the list is walked from its newest end.
create index dead_letters_groups on dead_letters (source_id, code, event_name, received_at) where replayed_at is null and discarded_at is null;
create index dead_letters_newest on dead_letters (received_at desc, id desc) where replayed_at is null and discarded_at is null;
drop index dead_letters_open;

create table imports (
    id             uuid primary key,
    kind           text not null,
    file_name      text not null,
    made_by        uuid not null references team_members (id),
    created_at     timestamptz not null,
    status         text not null constraint imports_status check (status in ('uploading', 'mapping', 'checking', 'checked', 'importing', 'done', 'cancelled')),
    size_bytes     bigint not null default 0,
    encoding       text not null default 'utf-8' constraint imports_encoding check (encoding in ('utf-8', 'utf-16le', 'utf-16be', 'windows-1252')),
    delimiter      text not null default ',' constraint imports_delimiter check (length(delimiter) = 1),
    header         text[] not null default '{}',
    mapping        text[] not null default '{}',
    clears_blanks  boolean not null default false,
    as_of          timestamptz,
    total_rows     bigint,
    done_rows      bigint not null default 0,
    created        bigint not null default 0,
    updated        bigint not null default 0,
    unchanged      bigint not null default 0,
    rejected       bigint not null default 0,
    job_id         bigint,
    finished_at    timestamptz
);
create index imports_newest on imports (created_at desc, id);
comment on table imports is 'CSV files of records: what they are, how far they are checked or written, what came of it.';
comment on column imports.mapping is 'For each column a field, trait:<name> for a trait of one''s own, or nothing.';
comment on column imports.clears_blanks is 'An empty cell clears the field; otherwise it says nothing.';
comment on column imports.as_of is 'The time of rows that say none: the same for the check and the import, and after a restart.';
comment on column imports.done_rows is 'Rows checked, or committed, so far: where the job goes on after it was cut off.';
comment on column imports.created is 'What the check foresees, then what the import did; so updated, unchanged, rejected.';

create table import_parts (
    import_id  uuid not null references imports (id) on delete cascade,
    part       integer not null,
    content    bytea not null,
    primary key (import_id, part)
);
alter table import_parts alter column content set storage external;
comment on table import_parts is 'The uploaded file as it came, deflated, in parts of a megabyte; kept for 30 days.';

create table import_faults (
    import_id  uuid not null references imports (id) on delete cascade,
    line       bigint not null,
    message    text not null,
    cells      text[] not null,
    primary key (import_id, line)
);
comment on table import_faults is 'Rows that were refused, with their text, for the file of errors.';

create table import_mappings (
    kind         text not null,
    header_hash  text not null,
    mapping      text[] not null,
    used_at      timestamptz not null,
    primary key (kind, header_hash)
);
comment on column import_mappings.header_hash is 'MD5 of the header''s names: a wide header is too long for a key.';
comment on table import_mappings is 'How a file with these columns was mapped the last time: the suggestion for the next one.';

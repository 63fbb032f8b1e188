comment on column journal.payload is 'The messages that one source sent in one or several requests, compressed with Zstandard; their format is described in ingest/journal.rs.';

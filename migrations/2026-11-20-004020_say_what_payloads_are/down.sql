comment on column journal.payload is 'Deflated messages of one request; the format is described in ingest/message.rs.';

create table webhook_ids (
    id           uuid primary key,
    received_at  timestamptz not null
);
create index webhook_ids_received on webhook_ids (received_at);
comment on table webhook_ids is 'Deliveries of Standard Webhooks that said something of a subscription: one that comes again says nothing new, even if it bears no date. Events go through the journal, which knows its own.';
comment on column webhook_ids.id is 'Made of the endpoint and the sender''s webhook-id.';
comment on column webhook_deliveries.times is 'At least so many of this kind in that minute: what is refused while another of its kind is being written is not counted.';

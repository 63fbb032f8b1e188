comment on column webhook_deliveries.times is null;
drop table webhook_ids;

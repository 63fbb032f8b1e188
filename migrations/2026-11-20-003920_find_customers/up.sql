create index subscriptions_customer on subscriptions (customer_id) where customer_id is not null;

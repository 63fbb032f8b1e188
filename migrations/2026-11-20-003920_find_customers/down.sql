drop index subscriptions_customer;

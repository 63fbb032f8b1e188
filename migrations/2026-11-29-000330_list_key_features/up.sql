create table key_features (
    feature        text primary key,
    first_seen_on  date not null
);
comment on table key_features is 'The features of the product that events of category depth have named: what key_feature_adoption_ratio is a share of. At most 500.';
insert into key_features (feature, first_seen_on)
select u.feature, min(u.day) from usage_days u join event_definitions d on d.key = u.event_key and d.category = 'depth'
where u.feature <> '' group by 1 order by 2, 1 limit 500;

alter table usage_days add column hours numeric not null default 0;
alter table usage_days add column first_at timestamptz;
comment on column usage_days.hours is 'Events by UTC hour as one number: eight decimal digits an hour, hour 0 last. Numeric, so that any order of additions gives the same hours.';
comment on column usage_days.first_at is 'When the first key event of this row happened; null when none is a key event, or when key events of the day were dropped before this was kept.';

-- What the key events that are kept say of the days before. The hours of other events come with a recount of the journal.
update usage_days u set hours = k.hours, first_at = k.first_at
from (
    select workspace_id, user_id, event_key, feature, day, min(first_at) as first_at,
           sum(events * ('1e' || (8 * hour))::numeric) as hours
    from (
        select workspace_id, user_id, event_key, feature, (occurred_at at time zone 'UTC')::date as day,
               extract(hour from occurred_at at time zone 'UTC')::integer as hour,
               count(*) as events, min(occurred_at) as first_at
        from key_events group by 1, 2, 3, 4, 5, 6
    ) by_hour group by 1, 2, 3, 4, 5
) k
where u.workspace_id = k.workspace_id and u.day = k.day and u.user_id = k.user_id
  and u.event_key = k.event_key and u.feature = k.feature;

-- Loops are found by the hours from now on. Those of days whose key events were dropped stay as they were found.
delete from usage_days where event_key = 'event_loop'
  and day >= (select key_events_complete_from from retention);

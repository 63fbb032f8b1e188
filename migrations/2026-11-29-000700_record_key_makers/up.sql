-- Who made a key or a secret, and since when it waits for a decision whether to keep it: its maker was
-- deactivated or got a lesser role.
alter table write_keys
    add column created_by    uuid references team_members (id),
    add column review_since  timestamptz;
alter table api_keys
    add column created_by    uuid references team_members (id),
    add column review_since  timestamptz;
alter table webhook_secrets
    add column created_by    uuid references team_members (id),
    add column review_since  timestamptz;

comment on column write_keys.created_by is 'The member who made it; null for a command, and for keys of before this was recorded that the audit log does not tell.';
comment on column api_keys.created_by is 'The member who made it; null for a command, and for keys of before this was recorded that the audit log does not tell.';
comment on column webhook_secrets.created_by is 'The member who made or pasted it; null where the audit log does not tell.';
comment on column write_keys.review_since is 'Since when somebody has to decide whether it is kept, because its maker may make no keys any more; null when nothing is to be decided.';
comment on column api_keys.review_since is 'As write_keys.review_since.';
comment on column webhook_secrets.review_since is 'As write_keys.review_since.';

-- What the audit log knows of those that are there.
update write_keys k set created_by = a.actor_id
from audit_entries a
where a.subject_kind = 'write_key' and a.subject_id = k.id::text and a.action = 'write_key.created'
  and exists (select from team_members m where m.id = a.actor_id);
update api_keys k set created_by = a.actor_id
from audit_entries a
where a.subject_kind = 'api_key' and a.subject_id = k.id::text and a.action = 'api_key.created'
  and exists (select from team_members m where m.id = a.actor_id);
update webhook_secrets s set created_by = a.actor_id
from audit_entries a
where a.subject_kind = 'webhook' and a.subject_id = s.endpoint_id::text
  and a.action in ('webhook.created', 'webhook.rotated') and a.at = s.created_at
  and exists (select from team_members m where m.id = a.actor_id);

-- Whoever was deactivated or demoted before: their keys wait for a decision, their invites end.
update write_keys k set review_since = now()
from team_members m
where m.id = k.created_by and (m.deactivated_at is not null or m.role <> 'admin') and k.revoked_at is null
  and (k.expires_at is null or k.expires_at > now());
update api_keys k set review_since = now()
from team_members m
where m.id = k.created_by and (m.deactivated_at is not null or m.role <> 'admin') and k.revoked_at is null
  and (k.expires_at is null or k.expires_at > now());
update webhook_secrets s set review_since = now()
from team_members m
where m.id = s.created_by and (m.deactivated_at is not null or m.role <> 'admin') and s.secret <> ''
  and (s.expires_at is null or s.expires_at > now());
with ended as (
    update invites i set revoked_at = now()
    from team_members m
    where m.id = i.invited_by and (m.deactivated_at is not null or m.role <> 'admin')
      and i.accepted_at is null and i.revoked_at is null
    returning i.email)
insert into audit_entries (at, actor, action, subject_kind, subject_id, detail)
select now(), 'system', 'invite.revoked', 'invite', email, '{"because": "the inviter is no longer an admin"}'
from ended;

create table contacts (
    id          uuid primary key,
    email       text not null constraint contacts_email_key unique,
    email_kind  text not null constraint contacts_email_kind check (email_kind in ('corporate', 'personal')),
    domain      text not null
);
create index contacts_domain on contacts (domain) where email_kind = 'corporate';
comment on table contacts is 'The people of the CRM: one for each address of a person. Shared inboxes and throw-away addresses are nobody. Follows from product_users: no order of events matters.';
comment on column contacts.id is 'md5 of contact: and the address, so that the same address is always the same contact.';
comment on column contacts.email is 'Lower case; plus-tags stay, they may be different people.';
comment on column contacts.domain is 'The registrable one. That of a corporate address leads to the account; that of a private one leads nowhere.';

create table contact_users (
    user_id     uuid primary key,
    contact_id  uuid not null
);
create index contact_users_contact on contact_users (contact_id);
comment on table contact_users is 'Users of the product by contact: by their current e-mail. One contact may be several users.';

insert into contacts (id, email, email_kind, domain)
select distinct md5('contact:' || email)::uuid, email, email_kind, domain from product_users
where kind = 'known' and email is not null and domain is not null and email_kind in ('corporate', 'personal');
insert into contact_users (user_id, contact_id)
select id, md5('contact:' || email)::uuid from product_users
where kind = 'known' and email is not null and domain is not null and email_kind in ('corporate', 'personal');

//! The SQL of the pages of contacts.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use uuid::Uuid;

use crate::error::Result;
use crate::ids::{AccountId, UserId};

/// So many rows a page.
pub const PAGE: usize = 50;

/// A contact with what its users say.
#[derive(Clone, Debug, QueryableByName)]
#[allow(missing_docs, reason = "columns of contacts, accounts and product_users")]
pub struct Row {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = Text)]
    pub email: String,
    #[diesel(sql_type = Text)]
    pub email_kind: String,
    #[diesel(sql_type = Text)]
    pub domain: String,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub account_id: Option<AccountId>,
    #[diesel(sql_type = Nullable<Text>)]
    pub account: Option<String>,
    /// The account's domain by which it was found.
    #[diesel(sql_type = Nullable<Text>)]
    pub account_domain: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub job_title: Option<String>,
    #[diesel(sql_type = BigInt)]
    pub users: i64,
    #[diesel(sql_type = Timestamptz)]
    pub first_seen_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub last_seen_at: DateTime<Utc>,
}

impl Row {
    /// The name, else the address.
    #[must_use]
    pub fn title(&self) -> &str {
        self.name.as_deref().filter(|name| !name.is_empty()).unwrap_or(&self.email)
    }
}

/// What stands beside a contact `c`: its account, and its users in one line; of several names the one
/// of the user seen last.
const BESIDE: &str = "left join account_domains ad on ad.domain = c.domain and c.email_kind = 'corporate'
    left join accounts a on a.id = ad.account_id
    cross join lateral (
        select count(*) as users, min(u.first_seen_at) as first_seen_at, max(u.last_seen_at) as last_seen_at,
               (array_agg(u.name order by u.name is null, u.last_seen_at desc, u.id))[1] as name,
               (array_agg(u.job_title order by u.job_title is null, u.last_seen_at desc, u.id))[1] as job_title
        from contact_users cu join product_users u on u.id = cu.user_id where cu.contact_id = c.id) p";
const COLUMNS: &str = "c.id, c.email, c.email_kind, c.domain, a.id as account_id, a.name as account, ad.domain as account_domain, p.*";

/// One row more than a page of contacts by address, after the address `after`, whose address or
/// whose users' name holds the text; an empty text holds everywhere.
///
/// # Errors
/// When the database fails.
pub fn page(conn: &mut PgConnection, search: &str, after: &str, limit: i64) -> Result<Vec<Row>> {
    // First the keys, by the index of addresses; what stands beside them only for those shown.
    Ok(diesel::sql_query(format!(
        "with page as materialized (
             select c.* from contacts c
             where c.email > $2 and ($1 = '' or c.email ilike $3 or exists (
                 select 1 from contact_users cu join product_users u on u.id = cu.user_id
                 where cu.contact_id = c.id and u.name ilike $3))
             order by c.email limit $4)
         select {COLUMNS} from page c {BESIDE} order by c.email"
    ))
    .bind::<Text, _>(search)
    .bind::<Text, _>(after)
    .bind::<Text, _>(holds(search))
    .bind::<BigInt, _>(limit)
    .load(conn)?)
}

/// A pattern for texts that hold this one.
fn holds(text: &str) -> String {
    let plain = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{plain}%")
}

/// One contact.
///
/// # Errors
/// `NotFound` where there is none; when the database fails.
pub fn one(conn: &mut PgConnection, id: Uuid) -> Result<Row> {
    Ok(diesel::sql_query(format!("select {COLUMNS} from contacts c {BESIDE} where c.id = $1"))
        .bind::<SqlUuid, _>(id)
        .get_result(conn)?)
}

/// The contact with this address.
///
/// # Errors
/// `NotFound` where there is none; when the database fails.
pub fn by_email(conn: &mut PgConnection, email: &str) -> Result<Row> {
    Ok(diesel::sql_query(format!("select {COLUMNS} from contacts c {BESIDE} where c.email = $1"))
        .bind::<Text, _>(email)
        .get_result(conn)?)
}

/// A user of the product who is this contact.
#[derive(Clone, Debug, QueryableByName)]
#[allow(missing_docs, reason = "columns of product_users")]
pub struct User {
    #[diesel(sql_type = SqlUuid)]
    pub id: UserId,
    #[diesel(sql_type = SqlUuid)]
    pub canonical_id: UserId,
    #[diesel(sql_type = Text)]
    pub external_id: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub name: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    pub last_seen_at: DateTime<Utc>,
}

/// The users of a contact, the one seen last first.
///
/// # Errors
/// When the database fails.
pub fn users(conn: &mut PgConnection, id: Uuid) -> Result<Vec<User>> {
    Ok(diesel::sql_query(
        "select u.id, u.canonical_id, u.external_id, u.name, u.last_seen_at
         from contact_users cu join product_users u on u.id = cu.user_id
         where cu.contact_id = $1 order by u.last_seen_at desc, u.id limit 100",
    )
    .bind::<SqlUuid, _>(id)
    .load(conn)?)
}

#[derive(QueryableByName)]
struct Of {
    #[diesel(sql_type = SqlUuid)]
    contact_id: Uuid,
}

/// The contacts of whoever is this person today.
///
/// # Errors
/// When the database fails.
pub fn of_person(conn: &mut PgConnection, canonical: UserId) -> Result<Vec<Row>> {
    let ids: Vec<Of> = diesel::sql_query(
        "select distinct cu.contact_id from product_users u join contact_users cu on cu.user_id = u.id
         where u.canonical_id = $1 order by cu.contact_id limit 10",
    )
    .bind::<SqlUuid, _>(canonical)
    .load(conn)?;
    ids.into_iter().map(|of| one(conn, of.contact_id)).collect()
}

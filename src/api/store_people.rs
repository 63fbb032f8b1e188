//! The SQL of users and contacts in the API.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use serde_json::Value;
use uuid::Uuid;

use crate::contacts::store_pages;
pub use crate::contacts::store_pages::Row as Contact;
use crate::error::{Error, Result};
use crate::identity::store_people::{self, Named};
use crate::ids::UserId;

/// Identifiers of one user at the most.
const MOST: i64 = 1000;

/// A user of the product.
#[derive(Clone, Debug, QueryableByName)]
#[allow(missing_docs, reason = "columns of product_users")]
pub struct User {
    #[diesel(sql_type = SqlUuid)]
    pub canonical_id: UserId,
    #[diesel(sql_type = Text)]
    pub external_id: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub merged_into: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub email: Option<String>,
    #[diesel(sql_type = Text)]
    pub email_kind: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub job_title: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub seniority: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub department: Option<String>,
    #[diesel(sql_type = Jsonb)]
    pub traits: Value,
    #[diesel(sql_type = Timestamptz)]
    pub first_seen_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub last_seen_at: DateTime<Utc>,
}

const USER: &str =
    "select u.canonical_id, u.external_id, c.external_id as merged_into, u.email, u.email_kind,
        u.name, u.job_title, u.seniority, u.department, u.traits, u.first_seen_at, u.last_seen_at
    from product_users u left join product_users c on c.id = u.canonical_id and c.id <> u.id";

/// Known users after this id, by id.
///
/// # Errors
/// When the database fails.
pub fn users(conn: &mut PgConnection, after: &str, limit: i64) -> Result<Vec<User>> {
    Ok(diesel::sql_query(format!(
        "{USER} where u.kind = 'known' and u.external_id > $1 order by u.external_id limit $2"
    ))
    .bind::<Text, _>(after)
    .bind::<BigInt, _>(limit)
    .load(conn)?)
}

/// The known user with the product's id.
///
/// # Errors
/// `NotFound` where there is none; when the database fails.
pub fn user(conn: &mut PgConnection, external_id: &str) -> Result<User> {
    // PostgreSQL refuses NUL in a text, and no user can have one.
    if external_id.contains('\0') {
        return Err(Error::NotFound);
    }
    Ok(diesel::sql_query(format!("{USER} where u.kind = 'known' and u.external_id = $1"))
        .bind::<Text, _>(external_id)
        .get_result(conn)?)
}

/// Every name of whoever this is, in rank order.
///
/// # Errors
/// When the database fails.
pub fn identifiers(conn: &mut PgConnection, canonical: UserId) -> Result<Vec<Named>> {
    store_people::names(conn, &[canonical], MOST)
}

/// Contacts after this address, by address.
///
/// # Errors
/// When the database fails.
pub fn contacts(conn: &mut PgConnection, after: &str, limit: i64) -> Result<Vec<Contact>> {
    store_pages::page(conn, "", after, limit)
}

/// The contact with the address, in whatever case.
///
/// # Errors
/// `NotFound` where there is none; when the database fails.
pub fn contact(conn: &mut PgConnection, email: &str) -> Result<Contact> {
    let email = email.trim().to_lowercase();
    if email.contains('\0') {
        return Err(Error::NotFound);
    }
    store_pages::by_email(conn, &email)
}

#[derive(QueryableByName)]
struct Of {
    #[diesel(sql_type = SqlUuid)]
    contact_id: Uuid,
    #[diesel(sql_type = Text)]
    external_id: String,
}

/// The product's ids of the users of these contacts.
///
/// # Errors
/// When the database fails.
pub fn users_of(
    conn: &mut PgConnection,
    contacts: &[Contact],
) -> Result<BTreeMap<Uuid, Vec<String>>> {
    let rows: Vec<Of> = diesel::sql_query(
        "select cu.contact_id, u.external_id from contact_users cu join product_users u on u.id = cu.user_id
         where cu.contact_id = any($1) order by u.external_id",
    )
    .bind::<Array<SqlUuid>, _>(contacts.iter().map(|contact| contact.id).collect::<Vec<_>>())
    .load(conn)?;
    let mut users: BTreeMap<Uuid, Vec<String>> = BTreeMap::new();
    for row in rows {
        users.entry(row.contact_id).or_default().push(row.external_id);
    }
    Ok(users)
}

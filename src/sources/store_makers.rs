//! The SQL of who made which key and secret, and of those that wait for a decision.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use uuid::Uuid;

use super::key::Scope;
use super::makers::{Held, Kind};
use crate::error::{Error, Result};
use crate::ids::MemberId;
use crate::schema::{api_keys, webhook_secrets, write_keys};

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    mark: String,
    #[diesel(sql_type = Array<Nullable<Text>>)]
    scopes: Vec<Option<String>>,
    #[diesel(sql_type = SqlUuid)]
    created_by: MemberId,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    last_used_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    review_since: Option<DateTime<Utc>>,
}

const VALID: &str = "
select * from (
    select 'api_key' as kind, k.id, k.name, k.prefix as mark, k.scopes, k.created_by, k.created_at,
           k.last_used_at, k.review_since
    from api_keys k
    where k.created_by is not null and k.revoked_at is null and (k.expires_at is null or k.expires_at > $1)
    union all
    select case when k.for_servers then 'server_key' else 'write_key' end, k.id, s.name, k.prefix, '{}',
           k.created_by, k.created_at, k.last_used_at, k.review_since
    from write_keys k join sources s on s.id = k.source_id
    where k.created_by is not null and k.revoked_at is null and (k.expires_at is null or k.expires_at > $1)
    union all
    select 'webhook_secret', w.id, e.name, w.hint, '{}', w.created_by, w.created_at, w.last_used_at,
           w.review_since
    from webhook_secrets w join webhook_endpoints e on e.id = w.endpoint_id
    where w.created_by is not null and w.secret <> '' and e.revoked_at is null
      and (w.expires_at is null or w.expires_at > $1)) held
where $2 is null or created_by = $2
order by kind, name, created_at, id";

/// The keys and secrets that are valid now and were made by this member, or by any.
///
/// # Errors
/// The database's.
pub fn held(
    conn: &mut PgConnection,
    member: Option<MemberId>,
    now: DateTime<Utc>,
) -> Result<Vec<Held>> {
    let rows: Vec<Row> = diesel::sql_query(VALID)
        .bind::<Timestamptz, _>(now)
        .bind::<Nullable<SqlUuid>, _>(member)
        .load(conn)?;
    rows.into_iter()
        .map(|row| {
            let words: Vec<String> = row.scopes.into_iter().flatten().collect();
            let scopes = if words.is_empty() {
                Vec::new()
            } else {
                Scope::parse_list(&words.join(",")).map_err(Error::internal)?
            };
            Ok(Held {
                kind: row.kind.parse::<Kind>().map_err(Error::internal)?,
                id: row.id,
                name: row.name,
                mark: row.mark,
                scopes,
                maker: row.created_by,
                made_at: row.created_at,
                used_at: row.last_used_at,
                waits_since: row.review_since,
            })
        })
        .collect()
}

/// Notes that somebody has to decide about these, or with `None` that somebody did.
///
/// # Errors
/// The database's.
pub fn set_review(
    conn: &mut PgConnection,
    held: &[Held],
    since: Option<DateTime<Utc>>,
) -> Result<()> {
    let of = |kinds: &[Kind]| -> Vec<Uuid> {
        held.iter().filter(|one| kinds.contains(&one.kind)).map(|one| one.id).collect()
    };
    diesel::update(api_keys::table.filter(api_keys::id.eq_any(of(&[Kind::ApiKey]))))
        .set(api_keys::review_since.eq(since))
        .execute(conn)?;
    let sending = of(&[Kind::WriteKey, Kind::ServerKey]);
    diesel::update(write_keys::table.filter(write_keys::id.eq_any(sending)))
        .set(write_keys::review_since.eq(since))
        .execute(conn)?;
    let secrets = of(&[Kind::WebhookSecret]);
    diesel::update(webhook_secrets::table.filter(webhook_secrets::id.eq_any(secrets)))
        .set(webhook_secrets::review_since.eq(since))
        .execute(conn)?;
    Ok(())
}

/// Gives an API key other scopes.
///
/// # Errors
/// The database's.
pub fn set_scopes(conn: &mut PgConnection, id: Uuid, scopes: &[Scope]) -> Result<()> {
    let scopes: Vec<&str> = scopes.iter().map(|scope| scope.name()).collect();
    diesel::update(api_keys::table.find(id)).set(api_keys::scopes.eq(scopes)).execute(conn)?;
    Ok(())
}

/// Ends a secret and empties it; deliveries that are signed with it are refused from now on.
///
/// # Errors
/// The database's.
pub fn end_secret(conn: &mut PgConnection, id: Uuid, at: DateTime<Utc>) -> Result<()> {
    diesel::update(webhook_secrets::table.find(id))
        .set((webhook_secrets::secret.eq(""), webhook_secrets::expires_at.eq(at)))
        .execute(conn)?;
    Ok(())
}

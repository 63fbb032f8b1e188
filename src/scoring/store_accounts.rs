//! The SQL of accounts' scores.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, Date, Timestamptz, Uuid as SqlUuid};
use serde_json::Value;

use crate::error::Result;
use crate::ids::{AccountId, WorkspaceId};
use crate::schema::account_scores;

/// The serving copy of an account's score.
#[derive(Clone, Debug, Insertable, AsChangeset)]
#[diesel(table_name = account_scores)]
pub(super) struct AccountServing {
    pub account_id: AccountId,
    pub as_of: NaiveDate,
    pub score: i32,
    pub stage: String,
    pub workspaces: i32,
    pub best_workspace_score: i32,
    pub card: Value,
    pub scored_at: DateTime<Utc>,
}

pub(super) fn write_account(conn: &mut PgConnection, row: &AccountServing) -> Result<()> {
    diesel::insert_into(account_scores::table)
        .values(row)
        .on_conflict(account_scores::account_id)
        .do_update()
        .set(row)
        .execute(conn)?;
    Ok(())
}

/// The stored scores of accounts, in hundredths.
pub(super) fn account_scores_of(
    conn: &mut PgConnection,
    ids: &[AccountId],
) -> Result<Vec<(AccountId, i32)>> {
    Ok(account_scores::table
        .filter(account_scores::account_id.eq_any(ids))
        .select((account_scores::account_id, account_scores::score))
        .load(conn)?)
}

/// Notes that the workspaces of these accounts, without those that are `done`, ask for a score that
/// changed.
pub(super) fn touch_siblings(
    conn: &mut PgConnection,
    accounts: &[AccountId],
    done: &[WorkspaceId],
    now: DateTime<Utc>,
) -> Result<()> {
    if accounts.is_empty() {
        return Ok(());
    }
    diesel::sql_query(
        "insert into touched_workspaces (workspace_id, since_on, touched_at)
         select workspace_id, $3, $4 from account_links
         where account_id = any($1) and workspace_id <> all($2)",
    )
    .bind::<Array<SqlUuid>, _>(accounts)
    .bind::<Array<SqlUuid>, _>(done)
    .bind::<Date, _>(now.date_naive())
    .bind::<Timestamptz, _>(now)
    .execute(conn)?;
    Ok(())
}

/// Forgets the scores of accounts that have no production workspace any more.
pub(super) fn forget_accounts(conn: &mut PgConnection, accounts: &[AccountId]) -> Result<()> {
    if !accounts.is_empty() {
        let gone = account_scores::table.filter(account_scores::account_id.eq_any(accounts));
        diesel::delete(gone).execute(conn)?;
    }
    Ok(())
}

/// Scored accounts whose last production workspace went elsewhere.
pub(super) fn deserted_accounts(conn: &mut PgConnection) -> Result<Vec<AccountId>> {
    use crate::schema::{account_links as l, workspaces as w};
    let linked = l::table
        .inner_join(w::table.on(w::id.eq(l::workspace_id)))
        .filter(w::type_.eq("prod"))
        .filter(w::status.ne("deleted"))
        .filter(l::account_id.eq(account_scores::account_id.nullable()));
    Ok(account_scores::table
        .filter(diesel::dsl::not(diesel::dsl::exists(linked)))
        .select(account_scores::account_id)
        .load(conn)?)
}

//! The SQL of members.

use chrono::{DateTime, NaiveTime, Utc};
use diesel::prelude::*;

use super::member::{Function, Member, Role, Theme};
use crate::error::{Error, Result};
use crate::ids::MemberId;
use crate::schema::team_members;

#[derive(Queryable, Selectable)]
#[diesel(table_name = team_members)]
struct Row {
    id: MemberId,
    email: String,
    name: String,
    role: String,
    function: Option<String>,
    territories: Vec<Option<String>>,
    capacity: i32,
    time_zone: String,
    work_starts: NaiveTime,
    work_ends: NaiveTime,
    work_days: Vec<Option<i32>>,
    theme: String,
    shortcuts: bool,
    created_at: DateTime<Utc>,
    deactivated_at: Option<DateTime<Utc>>,
}

impl Row {
    fn member(self) -> Result<Member> {
        Ok(Member {
            id: self.id,
            email: self.email,
            name: self.name,
            role: self.role.parse().map_err(Error::internal)?,
            function: self.function.map(|key| key.parse()).transpose().map_err(Error::internal)?,
            territories: self.territories.into_iter().flatten().collect(),
            capacity: self.capacity,
            time_zone: self.time_zone,
            work_starts: self.work_starts,
            work_ends: self.work_ends,
            work_days: self.work_days.into_iter().flatten().collect(),
            theme: self.theme.parse().map_err(Error::internal)?,
            shortcuts: self.shortcuts,
            created_at: self.created_at,
            deactivated_at: self.deactivated_at,
        })
    }
}

/// Somebody who joins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMember {
    /// Lower case.
    pub email: String,
    /// As they wrote it.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// What routing may give them.
    pub function: Option<Function>,
    /// argon2id, PHC string.
    pub password_hash: String,
    /// IANA name.
    pub time_zone: String,
}

/// Everybody, active ones first, by name.
///
/// # Errors
/// The database's.
pub fn members(conn: &mut PgConnection) -> Result<Vec<Member>> {
    team_members::table
        .order((team_members::deactivated_at.is_not_null(), team_members::name, team_members::id))
        .select(Row::as_select())
        .load(conn)?
        .into_iter()
        .map(Row::member)
        .collect()
}

/// One member, active or not.
///
/// # Errors
/// Not found, or the database's.
pub fn member(conn: &mut PgConnection, id: MemberId) -> Result<Member> {
    team_members::table.find(id).select(Row::as_select()).first(conn)?.member()
}

/// The member of an e-mail address in lower case, with the password hash.
///
/// # Errors
/// The database's.
pub fn by_email(conn: &mut PgConnection, email: &str) -> Result<Option<(Member, Option<String>)>> {
    let found: Option<(Row, Option<String>)> = team_members::table
        .filter(team_members::email.eq(email))
        .select((Row::as_select(), team_members::password_hash))
        .first(conn)
        .optional()?;
    found.map(|(row, hash)| Ok((row.member()?, hash))).transpose()
}

/// Adds a member.
///
/// # Errors
/// Invalid at `email` when somebody has that address already, or the database's.
pub fn insert(conn: &mut PgConnection, new: &NewMember, now: DateTime<Utc>) -> Result<MemberId> {
    let id = MemberId::new();
    let added = diesel::insert_into(team_members::table)
        .values((
            team_members::id.eq(id),
            team_members::email.eq(&new.email),
            team_members::name.eq(&new.name),
            team_members::role.eq(new.role.key()),
            team_members::function.eq(new.function.map(Function::key)),
            team_members::password_hash.eq(&new.password_hash),
            team_members::time_zone.eq(&new.time_zone),
            team_members::created_at.eq(now),
        ))
        .on_conflict(team_members::email)
        .do_nothing()
        .execute(conn)?;
    if added == 0 {
        return Err(Error::invalid("email", "Somebody with this address is in the team already."));
    }
    Ok(id)
}

/// The active admins, locked until the transaction ends, so that two of them can't step down at once.
///
/// # Errors
/// The database's.
pub fn lock_admins(conn: &mut PgConnection) -> Result<Vec<MemberId>> {
    Ok(team_members::table
        .filter(team_members::role.eq(Role::Admin.key()))
        .filter(team_members::deactivated_at.is_null())
        .order(team_members::id)
        .select(team_members::id)
        .for_update()
        .load(conn)?)
}

/// The role of an active member, which can't be changed by others until the transaction ends.
///
/// # Errors
/// The database's.
pub fn hold_role(conn: &mut PgConnection, id: MemberId) -> Result<Option<Role>> {
    let role: Option<String> = team_members::table
        .find(id)
        .filter(team_members::deactivated_at.is_null())
        .select(team_members::role)
        .for_share()
        .first(conn)
        .optional()?;
    role.map(|role| role.parse().map_err(Error::internal)).transpose()
}

/// Whether there is an active admin.
///
/// # Errors
/// The database's.
pub fn has_admin(conn: &mut PgConnection) -> Result<bool> {
    Ok(diesel::select(diesel::dsl::exists(
        team_members::table
            .filter(team_members::role.eq(Role::Admin.key()))
            .filter(team_members::deactivated_at.is_null()),
    ))
    .get_result(conn)?)
}

/// Sets the role.
///
/// # Errors
/// The database's.
pub fn set_role(conn: &mut PgConnection, id: MemberId, role: Role) -> Result<()> {
    diesel::update(team_members::table.find(id))
        .set(team_members::role.eq(role.key()))
        .execute(conn)?;
    Ok(())
}

/// Sets or clears when the member left.
///
/// # Errors
/// The database's.
pub fn set_deactivated(
    conn: &mut PgConnection,
    id: MemberId,
    at: Option<DateTime<Utc>>,
) -> Result<()> {
    diesel::update(team_members::table.find(id))
        .set(team_members::deactivated_at.eq(at))
        .execute(conn)?;
    Ok(())
}

/// Sets what routing looks at.
///
/// # Errors
/// The database's.
pub fn set_work(
    conn: &mut PgConnection,
    id: MemberId,
    function: Option<Function>,
    capacity: i32,
    territories: &[String],
) -> Result<()> {
    diesel::update(team_members::table.find(id))
        .set((
            team_members::function.eq(function.map(Function::key)),
            team_members::capacity.eq(capacity),
            team_members::territories.eq(territories),
        ))
        .execute(conn)?;
    Ok(())
}

/// Sets what people set about themselves.
///
/// # Errors
/// The database's.
pub fn set_profile(
    conn: &mut PgConnection,
    id: MemberId,
    name: &str,
    time_zone: &str,
    shortcuts: bool,
) -> Result<()> {
    diesel::update(team_members::table.find(id))
        .set((
            team_members::name.eq(name),
            team_members::time_zone.eq(time_zone),
            team_members::shortcuts.eq(shortcuts),
        ))
        .execute(conn)?;
    Ok(())
}

/// Sets the theme.
///
/// # Errors
/// The database's.
pub fn set_theme(conn: &mut PgConnection, id: MemberId, theme: Theme) -> Result<()> {
    diesel::update(team_members::table.find(id))
        .set(team_members::theme.eq(theme.key()))
        .execute(conn)?;
    Ok(())
}

/// Sets the password's hash.
///
/// # Errors
/// The database's.
pub fn set_password(conn: &mut PgConnection, id: MemberId, phc: &str) -> Result<()> {
    diesel::update(team_members::table.find(id))
        .set(team_members::password_hash.eq(phc))
        .execute(conn)?;
    Ok(())
}

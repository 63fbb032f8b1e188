//! The newest events of a source, as far as reading them costs little.

use chrono::{DateTime, Days, Utc};
use diesel::PgConnection;
use uuid::Uuid;

use super::message::{Kind, is_junk_id};
use super::{journal, payload, store_tail};
use crate::error::Result;
use crate::ids::{SourceId, UserId, WorkspaceId};

/// So many events are shown.
const SHOWN: usize = 20;

/// An event on its way or there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Latest {
    pub kind: Kind,
    /// Its name, if it has one.
    pub event: Option<String>,
    /// The product's id of whoever it is about.
    pub person: String,
    /// The product's id of the workspace, if the call names it.
    pub named: Option<String>,
    /// The workspace and its name, once there is one.
    pub workspace: Option<(WorkspaceId, String)>,
    pub received_at: DateTime<Utc>,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// Whether it waits for its projection.
    pub waits: bool,
    person_id: UserId,
    id: Uuid,
}

/// The newest events of a source since yesterday, newest first, from as few requests as hold them.
///
/// # Errors
/// When the database fails.
pub fn newest(
    conn: &mut PgConnection,
    source: SourceId,
    now: DateTime<Utc>,
) -> Result<Vec<Latest>> {
    let today = now.date_naive();
    let since = today.checked_sub_days(Days::new(1)).unwrap_or(today);
    let limit = i64::try_from(SHOWN).unwrap_or(20);
    let mut newest = Vec::with_capacity(SHOWN);
    for request in store_tail::requests(conn, source, since, limit)? {
        if newest.len() >= SHOWN {
            break;
        }
        // Damaged bytes are a dead letter; the others are shown.
        let Ok(lines) = payload::inflate(&store_tail::payload(conn, &request)?) else { continue };
        let Ok(messages) = journal::read(&lines) else { continue };
        for message in messages.into_iter().rev().take(SHOWN - newest.len()) {
            let text = |text: &Option<std::borrow::Cow<'_, str>>| {
                text.as_deref().filter(|id| !is_junk_id(id)).map(str::to_owned)
            };
            let (user, visitor) = (text(&message.user_id), text(&message.anonymous_id));
            let person_id = match (&user, &visitor) {
                (Some(user), _) => UserId::known(user),
                (None, visitor) => UserId::anonymous(visitor.as_deref().unwrap_or_default()),
            };
            newest.push(Latest {
                kind: message.kind,
                id: Uuid::new_v5(&source.0, message.message_id.as_bytes()),
                person: user.or(visitor).unwrap_or_default(),
                person_id,
                named: message.workspace().map(str::to_owned),
                workspace: None,
                received_at: request.received_at,
                at: message.at,
                waits: request.waits,
                event: message.event.map(std::borrow::Cow::into_owned),
            });
        }
    }
    place(conn, &mut newest)?;
    Ok(newest)
}

/// Says where each event counts.
fn place(conn: &mut PgConnection, newest: &mut [Latest]) -> Result<()> {
    let people: Vec<UserId> = newest.iter().map(|event| event.person_id).collect();
    let ids: Vec<Uuid> = newest.iter().map(|event| event.id).collect();
    let placed = store_tail::placed(conn, &people, &ids)?;
    let of = |event: &Latest| {
        let named = event.named.as_deref().map(WorkspaceId::of);
        named.or_else(|| placed.iter().find(|(id, _)| *id == event.id).map(|(_, place)| *place))
    };
    let wanted: Vec<WorkspaceId> = newest.iter().filter_map(of).collect();
    let names = store_tail::workspaces(conn, &wanted)?;
    for event in newest.iter_mut() {
        let place = of(event);
        event.workspace = names.iter().find(|(id, _)| Some(*id) == place).cloned();
    }
    Ok(())
}

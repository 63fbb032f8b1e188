//! The first event of a source: how to send it, what has arrived, and what was wrong with what has not.

use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use diesel::PgConnection;
use serde::Deserialize;
use uuid::Uuid;

use super::samples::{PLACEHOLDER, Sample, samples};
use super::store::{self, Source, WriteKey};
use crate::app::App;
use crate::error::Result;
use crate::ids::{SourceId, UserId, WorkspaceId};
use crate::ingest::arrivals::Arrived;
use crate::ingest::failure::BodyError;
use crate::ingest::store_dead_letters::{self as letters, Group};
use crate::ingest::store_refusals::{self, Entry};
use crate::ingest::{journal, payload, store_status, store_tail as tail};
use crate::web::answer::{self, Htmx};
use crate::web::format::{self, Moment};
use crate::web::permit::{ManageKeys, Permit, Viewer};
use crate::web::shell::{NavItem, Shell};

/// Events, and kinds of refused requests, that are shown.
const SHOWN: usize = 10;
/// Kinds of refused requests that are read: many of them may have one fault.
const READ: i64 = 500;
/// How long a refused request concerns somebody whose source is in use.
const WHILE_IN_USE: TimeDelta = TimeDelta::minutes(5);
/// How far back refused requests concern somebody who is setting a product up.
const LATELY: TimeDelta = TimeDelta::hours(1);

struct EventLine {
    event: Arrived,
    at: Moment,
}

struct RefusedLine {
    /// The newest of those with this advice; `requests` are all of them.
    entry: Entry,
    advice: String,
    last: Moment,
    /// Further paths and senders with the same fault.
    more: usize,
}

struct LetterLine {
    group: Group,
    last: Moment,
}

/// `GET /settings/keys/sources/{id}`.
#[derive(Template)]
#[template(path = "sources/first_event.html", blocks = ["listening"])]
struct FirstEventPage {
    shell: Shell,
    source: Source,
    heard: Option<Moment>,
    events: Vec<EventLine>,
    refused: Vec<RefusedLine>,
    letters: Vec<LetterLine>,
    /// What the block shows, so that a poll that would show the same changes nothing.
    seen: Uuid,
    samples: Vec<Sample>,
}

/// What the page shows, as it stands in the database.
struct Heard {
    source: Source,
    minute: Option<DateTime<Utc>>,
    events: Vec<Arrived>,
    refused: Vec<Entry>,
    letters: Vec<Group>,
    keys: Vec<WriteKey>,
    success: Success,
}

/// When events of the source were accepted.
#[derive(Clone, Copy, Debug, Default)]
struct Success {
    /// The minute of the first ones.
    first: Option<DateTime<Utc>>,
    /// The receipt of the newest.
    last: Option<DateTime<Utc>>,
}

impl Heard {
    fn load(conn: &mut PgConnection, id: SourceId, now: DateTime<Utc>) -> Result<Self> {
        let source = store::find(conn, id)?;
        let heard = store_status::last_heard(conn)?;
        let minute = heard.into_iter().find(|last| last.source_id == id).map(|last| last.minute);
        let mut events = Vec::new();
        if let Some(minute) = minute {
            let most = i64::try_from(SHOWN).unwrap_or(i64::MAX);
            for stored in store_status::last_stored(conn, id, minute, most)? {
                // Damaged bytes are a dead letter; the others are shown.
                let Ok(lines) = payload::inflate(&stored.payload) else { continue };
                let Ok(messages) = journal::read(&lines) else { continue };
                events.extend(
                    messages
                        .iter()
                        .rev()
                        .map(|one| (Arrived::of(one, id, stored.received_at), stored.waits)),
                );
            }
            events.truncate(SHOWN);
        }
        let events = placed(conn, events)?;
        let last = events.iter().map(|event| event.received_at).max();
        let first = store_status::first_accepted(conn, id)?;
        Ok(Self {
            success: Success { first, last },
            refused: store_refusals::of_source(conn, id, now - LATELY, READ)?,
            letters: letters::groups_of(conn, id, now - TimeDelta::days(1))?,
            keys: store::list_write_keys(conn)?,
            source,
            minute,
            events,
        })
    }

    /// A hash of what is shown; times are shown to the minute.
    fn seen(&self, now: DateTime<Utc>) -> Uuid {
        let minute = now.duration_trunc(TimeDelta::minutes(1)).unwrap_or(now);
        let shown = format!(
            "{minute} {:?} {:?} {:?} {:?}",
            self.minute, self.events, self.refused, self.letters
        );
        Uuid::new_v5(&Uuid::NAMESPACE_OID, shown.as_bytes())
    }

    fn page(self, app: &App, me: &Viewer) -> FirstEventPage {
        let moment = |at| format::moment(at, me.now, me.zone);
        let current = self
            .refused
            .iter()
            .filter(|entry| !is_over(entry, &self.keys, self.success, me.now))
            .map(|entry| (entry.clone(), advice(entry, &self.keys, self.source.id)));
        let refused = by_fault(current).into_iter().take(SHOWN).map(|(entry, advice, more)| {
            RefusedLine { last: moment(entry.last_at), entry, advice, more }
        });
        FirstEventPage {
            seen: self.seen(me.now),
            shell: me.shell(format!("First event of {}", self.source.name)).at(NavItem::Keys),
            heard: self.events.first().map(|event| event.received_at).or(self.minute).map(moment),
            refused: refused.collect(),
            events: self
                .events
                .into_iter()
                .map(|event| EventLine { at: moment(event.at), event })
                .collect(),
            letters: self
                .letters
                .into_iter()
                .map(|group| LetterLine { last: moment(group.last_at), group })
                .collect(),
            source: self.source,
            samples: samples(&app.link(""), PLACEHOLDER),
        }
    }
}

/// Where the events count that name no workspace themselves, each with whether it waits.
fn placed(conn: &mut PgConnection, events: Vec<(Arrived, bool)>) -> Result<Vec<Arrived>> {
    let keys: Vec<(UserId, Uuid)> =
        events.iter().filter(|(event, _)| event.needs_place).map(|(event, _)| event.key).collect();
    let (people, ids): (Vec<_>, Vec<_>) = keys.into_iter().unzip();
    let places = if ids.is_empty() { Vec::new() } else { tail::placed(conn, &people, &ids)? };
    let wanted: Vec<WorkspaceId> = places.iter().map(|(_, place)| *place).collect();
    let names = if wanted.is_empty() { Vec::new() } else { tail::workspaces(conn, &wanted)? };
    let name_of = |event: &Arrived| {
        let (_, place) = places.iter().find(|(id, _)| *id == event.key.1)?;
        names.iter().find(|(id, _)| id == place).map(|(_, name)| name.clone())
    };
    Ok(events
        .into_iter()
        .map(|(mut event, waits)| {
            let found = name_of(&event);
            event.place(found, waits);
            event
        })
        .collect())
}

/// Whether a refused request concerns nobody any more: a key that begins like the refused one has
/// opened since, so the sender mended it or was faster than the server that it asked; or events of
/// the source were accepted since. A source that was in use before has other senders that succeed
/// meanwhile, so there it is shown for a while after the last one.
fn is_over(entry: &Entry, keys: &[WriteKey], success: Success, now: DateTime<Utc>) -> bool {
    let mended = entry.code == "invalid_write_key"
        && keys.iter().any(|key| {
            entry.key_start.as_ref() == Some(&key.prefix)
                && key.last_used_at.is_some_and(|used| used >= entry.last_at)
        });
    let minute = entry.first_at.duration_trunc(TimeDelta::minutes(1)).unwrap_or(entry.first_at);
    let is_first_try = success.first.is_none_or(|first| first >= minute);
    let accepted_since = success.last.is_some_and(|last| last >= entry.last_at);
    mended || (accepted_since && (is_first_try || now - entry.last_at > WHILE_IN_USE))
}

/// One line for each fault, whatever paths and senders it came by: the newest entry with all requests,
/// the advice, and how many further kinds there are. The newest fault first, as the entries are.
fn by_fault(entries: impl IntoIterator<Item = (Entry, String)>) -> Vec<(Entry, String, usize)> {
    let mut faults: Vec<(Entry, String, usize)> = Vec::new();
    for (entry, advice) in entries {
        let same =
            |fault: &&mut (Entry, String, usize)| fault.0.code == entry.code && fault.1 == advice;
        match faults.iter_mut().find(same) {
            Some((newest, _, more)) => {
                newest.requests += entry.requests;
                newest.first_at = newest.first_at.min(entry.first_at);
                *more += 1;
            }
            None => faults.push((entry, advice, 0)),
        }
    }
    faults
}

/// What to do about a refused request, in words; what the sender heard says the rest.
fn advice(entry: &Entry, keys: &[WriteKey], source: SourceId) -> String {
    let Some(start) = entry.key_start.as_deref().filter(|_| entry.code == "invalid_write_key")
    else {
        return entry.message.clone();
    };
    if start == PLACEHOLDER {
        return format!(
            "The sample was sent as it is: put a write key in the place of {PLACEHOLDER}."
        );
    }
    if start.starts_with("rk_") {
        return format!(
            "{start}… is an API key. Events need a write key of this source, which begins with wk_."
        );
    }
    if entry.message != BodyError::UnknownWriteKey.to_string() {
        return format!("{} It begins with {start}….", entry.message);
    }
    match keys.iter().find(|key| key.prefix == start) {
        Some(key)
            if key.revoked_at.is_some() || key.expires_at.is_some_and(|at| at <= entry.last_at) =>
        {
            let whose = if key.source_id == source { "this source" } else { "another source" };
            format!(
                "{start}… is a key of {whose} that was revoked or has run out. Give the sender a current one."
            )
        }
        Some(_) => {
            format!("{start}… begins like a current key, but the rest differs: copy it whole.")
        }
        None if start.starts_with("wk_") || start.starts_with("sk_") => {
            format!("No key here begins with {start}…: it is from another Ripen, or mistyped.")
        }
        None => format!(
            "The key begins with {start}…, keys of Ripen begin with wk_, those for servers with sk_. Put a key of \
             this source in its place."
        ),
    }
}

/// What the poll says it shows.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Query {
    seen: Option<String>,
}

/// The page, or the listening box alone for whoever polls; nothing (204) when it would be the same.
pub async fn first_event(
    app: web::Data<App>,
    me: Permit<ManageKeys>,
    htmx: Htmx,
    id: web::Path<SourceId>,
    query: web::Query<Query>,
) -> Result<HttpResponse> {
    let (id, now) = (id.into_inner(), me.now);
    let heard = app.db.read_web(move |conn| Heard::load(conn, id, now)).await?;
    let page = heard.page(&app, &me);
    if !htmx.wants("listening") {
        return answer::page(&page);
    }
    if query.seen.as_deref() == Some(&*page.seen.to_string()) {
        return Ok(HttpResponse::NoContent().finish());
    }
    answer::page(&page.as_listening())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_key_is_told_apart() {
        let now = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let (mine, other) = (SourceId::new(), SourceId::new());
        let key = |source_id, prefix: &str, revoked_at| WriteKey {
            id: Uuid::nil(),
            source_id,
            prefix: prefix.to_owned(),
            created_at: now,
            revoked_at,
            last_used_at: None,
            expires_at: None,
            for_servers: false,
            created_by: None,
            review_since: None,
        };
        let keys = [
            key(mine, "wk_00000001", None),
            key(mine, "wk_00000002", Some(now)),
            key(other, "wk_00000003", Some(now)),
        ];
        let entry = |code: &str, start: Option<&str>| Entry {
            source_id: None,
            code: code.to_owned(),
            message: match code {
                "invalid_write_key" => BodyError::UnknownWriteKey.to_string(),
                _ => "what the sender heard".to_owned(),
            },
            method: "POST".to_owned(),
            path: "/v1/batch".to_owned(),
            key_start: start.map(str::to_owned),
            sender: None,
            requests: 1,
            first_at: now,
            last_at: now,
        };
        for (start, said) in [
            (PLACEHOLDER, "sent as it is"),
            ("rk_00000001", "is an API key"),
            ("wk_00000001", "copy it whole"),
            ("wk_00000002", "of this source that was revoked or has run out"),
            ("wk_00000003", "of another source that was revoked"),
            ("wk_00000004", "another Ripen"),
            ("sk_00000004", "another Ripen"),
            ("AbCd", "begins with AbCd…"),
        ] {
            let advice = advice(&entry("invalid_write_key", Some(start)), &keys, mine);
            assert!(advice.contains(said), "{start}: {advice}");
        }
        assert_eq!(advice(&entry("not_found", None), &keys, mine), "what the sender heard");
        let cut = Entry {
            message: BodyError::unknown_key("wk_00000001aabbccdd0").to_string(),
            ..entry("invalid_write_key", Some("wk_00000001"))
        };
        let said = advice(&cut, &keys, mine);
        assert!(said.contains("cut off: 20 of 43 characters"), "{said}");
        assert!(!said.contains("another Ripen"), "{said}");
    }

    fn refused(path: &str, at: DateTime<Utc>) -> Entry {
        Entry {
            source_id: None,
            code: "invalid_write_key".to_owned(),
            message: String::new(),
            method: "POST".to_owned(),
            path: path.to_owned(),
            key_start: Some("wk_00000009".to_owned()),
            sender: None,
            requests: 2,
            first_at: at,
            last_at: at,
        }
    }

    #[test]
    fn one_fault_is_one_line_whatever_paths_it_came_by() {
        let now = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let paths = ["/v1/batch", "/v1/projects/…/settings", "/v1/t"];
        let entries = paths.map(|path| (refused(path, now), "copy it".to_owned()));
        let other = (refused("/v1/m", now), "another".to_owned());
        let faults = by_fault(entries.into_iter().chain([other]));
        assert_eq!(faults.len(), 2);
        let (entry, advice, more) = &faults[0];
        assert_eq!(
            (&*entry.path, entry.requests, &**advice, *more),
            ("/v1/batch", 6, "copy it", 2)
        );
    }

    #[test]
    fn what_was_refused_is_over_once_events_are_accepted() {
        let at = |second: i64| DateTime::from_timestamp(1_790_000_000 + second, 0).unwrap();
        let entry = refused("/v1/batch", at(50));
        let over = |first: Option<i64>, last: Option<i64>, now: i64| {
            let success = Success { first: first.map(at), last: last.map(at) };
            is_over(&entry, &[], success, at(now))
        };
        assert!(!over(None, None, 60), "nothing was accepted");
        assert!(over(Some(60), Some(70), 71), "the first events came after it");
        assert!(over(Some(40), Some(55), 60), "within the same minute");
        assert!(!over(Some(-86_400), Some(55), 60), "others of a source in use");
        assert!(over(Some(-86_400), Some(55), 400), "but not for long");
        assert!(!over(Some(-86_400), Some(45), 3_000), "and not before any success");
    }
}

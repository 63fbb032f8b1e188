//! `GET /workspaces/{id}/members`: who is in the workspace, what they are and how active.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::NaiveDate;

use super::record::{self, Record, Tab};
use super::score::{name_of, part};
use crate::app::App;
use crate::error::Result;
use crate::ids::{MemberId, UserId, WorkspaceId};
use crate::scoring::card::MemberScore;
use crate::scoring::explain::small;
use crate::scoring::ops;
use crate::usage::dictionary::in_words;
use crate::web::answer;
use crate::web::charts::Heat;
use crate::web::format::{self, Moment};
use crate::web::permit::{Permit, View, Viewer};
use crate::web::shell::Shell;
use crate::workspaces::store_list;
use crate::workspaces::store_page::{self, Head, PEOPLE, Person};

/// Days of the heat row.
const DAYS: usize = 14;

/// Somebody as the table shows them.
struct Line {
    id: UserId,
    name: String,
    external_id: String,
    email: Option<String>,
    /// A remark on the address: private, disposable, shared.
    email_note: &'static str,
    part: String,
    title: String,
    score: Option<i32>,
    factor: String,
    leads: bool,
    heat: Heat,
    active: Option<Moment>,
    joined: Moment,
    left: Option<Moment>,
    invited: String,
}

#[derive(Template)]
#[template(path = "workspaces/members.html")]
struct MembersPage {
    shell: Shell,
    record: Record,
    lines: Vec<Line>,
    no_buyer: bool,
    truncated: Option<String>,
}

struct Found {
    head: Head,
    members: Vec<(MemberId, String)>,
    people: Vec<Person>,
    activity: BTreeMap<UserId, Vec<(NaiveDate, i64)>>,
    scores: Vec<MemberScore>,
}

/// `GET /workspaces/{id}/members`
///
/// # Errors
/// `NotFound` where there is no such workspace; when the database fails.
pub async fn members(
    app: web::Data<App>,
    me: Permit<View>,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    let id = record::id(&path)?;
    let today = app.clock.today();
    let found = app.db.read_web(move |conn| read(conn, id, today)).await?;
    answer::page(&show(&me, found, today))
}

fn read(conn: &mut diesel::PgConnection, id: WorkspaceId, today: NaiveDate) -> Result<Found> {
    let head = store_page::head(conn, id)?;
    let (ground, case) = ops::open(conn, id)?;
    let scores = ground
        .model_on(today)
        .map(|model| case.members_on(&ground, model, today))
        .unwrap_or_default();
    Ok(Found {
        head,
        members: store_list::owners(conn)?,
        people: store_page::people(conn, id)?,
        activity: store_page::activity(conn, id, today)?,
        scores,
    })
}

fn show(me: &Viewer, found: Found, today: NaiveDate) -> MembersPage {
    let Found { head, members, people, activity, scores } = found;
    let shown = i64::try_from(people.len()).unwrap_or(i64::MAX);
    MembersPage {
        shell: record::shell(me, &head, Tab::Members),
        record: Record::new(&head, me, members, Tab::Members),
        no_buyer: !scores.iter().any(|score| score.part.is_buyer()),
        truncated: (shown >= PEOPLE).then(|| {
            format!(
                "The first {} are shown, admins and the most active ones first.",
                format::grouped(PEOPLE)
            )
        }),
        lines: people
            .into_iter()
            .map(|person| {
                let days = activity.get(&person.id).map(Vec::as_slice).unwrap_or_default();
                let score = scores.iter().find(|score| score.user_id == person.id);
                line(&person, days, score, me, today)
            })
            .collect(),
    }
}

fn line(
    person: &Person,
    days: &[(NaiveDate, i64)],
    score: Option<&MemberScore>,
    me: &Viewer,
    today: NaiveDate,
) -> Line {
    let mut counts = [0_u32; DAYS];
    for (day, events) in days {
        let back = today.signed_duration_since(*day).num_days();
        let place = usize::try_from(back).ok().and_then(|back| DAYS.checked_sub(back + 1));
        if let Some(count) = place.and_then(|place| counts.get_mut(place)) {
            *count = u32::try_from(*events).unwrap_or(u32::MAX);
        }
    }
    let moment = |at| format::moment(at, me.now, me.zone);
    let place = [person.seniority.as_deref(), person.department.as_deref()].into_iter().flatten();
    Line {
        id: person.id,
        name: name_of(person),
        external_id: person.external_id.clone(),
        email: person.email.clone(),
        email_note: match person.email_kind.as_str() {
            "personal" => "private address",
            "disposable" => "disposable address",
            "role" => "shared address",
            _ => "",
        },
        part: part(person, score.map(|score| score.part)),
        title: person
            .job_title
            .clone()
            .unwrap_or_else(|| place.map(in_words).collect::<Vec<_>>().join(", ")),
        score: score.map(|score| small(score.score)),
        factor: score
            .filter(|score| !score.factor_label.is_empty())
            .map(|score| format!("× {} {}", score.factor, score.factor_label))
            .unwrap_or_default(),
        leads: score.is_some_and(|score| score.leads),
        heat: Heat::new(&counts, today),
        active: person.last_active_at.map(moment),
        joined: moment(person.joined_at),
        left: person.left_at.map(moment),
        invited: match (&person.invitation_source, &person.invited_by) {
            (Some(source), Some(by)) => format!("{}, by {by}", in_words(source)),
            (Some(source), None) => in_words(source),
            (None, Some(by)) => format!("by {by}"),
            (None, None) => String::new(),
        },
    }
}

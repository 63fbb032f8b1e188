//! `GET /workspaces`: the list, or only its rows for htmx.

use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::NaiveDate;

use crate::app::App;
use crate::error::Result;
use crate::ids::{MemberId, WorkspaceId};
use crate::web::answer::{self, Htmx};
use crate::web::charts::Sparkline;
use crate::web::format::{self, Moment};
use crate::web::permit::{Permit, View, Viewer};
use crate::web::role::May;
use crate::web::shell::{NavItem, Shell};
use crate::workspaces::filter::{
    ADMINS, Filter, Ignored, KINDS, Owner, PLANS, Param, Query, STAGES, TIERS,
};
use crate::workspaces::store_list::{self, COUNTED, Page, Row, StageCount};

/// A stage with its box in the filter.
struct StageChoice {
    key: &'static str,
    label: &'static str,
    chosen: bool,
    count: String,
}

/// A demand of the filter that one click takes away.
struct Demand {
    label: &'static str,
    value: String,
    href: String,
}

/// A row as the list shows it.
struct Line {
    id: WorkspaceId,
    name: String,
    account: Option<(String, String)>,
    tag: Option<&'static str>,
    stage: String,
    score: i32,
    change: Option<i32>,
    spark: Sparkline,
    wau: i32,
    seats: String,
    plan: String,
    trial: Option<Trial>,
    intent: i32,
    tier: Option<String>,
    owner: Option<String>,
    active: Option<Moment>,
    /// The first row of a page that was appended takes the focus.
    first: bool,
}

/// How long a trial lasts, in words, and whether that is urgent.
pub(super) struct Trial {
    pub text: String,
    pub urgent: bool,
}

/// What to say when no row is left.
enum Nothing {
    /// There are rows.
    No,
    /// Nothing was ever sent.
    NeverSent,
    /// Something was sent and waits for its first score.
    NeverScored,
    /// The filter leaves nothing: what to drop, and which unscored workspaces a search finds.
    Filtered { drop: Option<Drop>, unscored: Vec<(WorkspaceId, String)> },
}

/// The demand that excludes most.
struct Drop {
    label: String,
    count: String,
    href: String,
}

#[derive(Template)]
#[template(path = "workspaces/index.html", blocks = ["list", "more"])]
struct Index {
    shell: Shell,
    filter: Filter,
    stages: Vec<StageChoice>,
    owners: Vec<(String, String)>,
    owner: String,
    trial: String,
    admin: &'static str,
    demands: Vec<Demand>,
    ignored: Vec<Ignored>,
    is_filtered: bool,
    sort: String,
    /// Ends in `sort=`.
    sort_base: String,
    said: String,
    lines: Vec<Line>,
    next: Option<String>,
    /// Of a page that is not the first.
    start: Option<String>,
    nothing: Nothing,
    members: Vec<(MemberId, String)>,
    may_assign: bool,
    /// Whether a block for htmx is written, with what changes elsewhere on the page.
    fragment: bool,
}

/// Everything read for one answer.
struct Found {
    page: Page,
    counts: Vec<StageCount>,
    members: Vec<(MemberId, String)>,
    names: (Option<String>, Option<String>),
    nothing: Nothing,
}

/// `GET /workspaces`
///
/// # Errors
/// When the database fails.
pub async fn index(
    request: HttpRequest,
    app: web::Data<App>,
    me: Permit<View>,
    htmx: Htmx,
) -> Result<HttpResponse> {
    let (query, ignored) = Query::parse(request.query_string());
    let (wanted, member, today) = (query.clone(), me.member, app.clock.today());
    let appends = htmx.wants("more");
    let found = app
        .db
        .read_web(move |conn| {
            let page = store_list::page(conn, &wanted, member, today)?;
            let counts = if appends {
                Vec::new()
            } else {
                store_list::stage_counts(conn, &wanted.filter, member, today)?
            };
            let nothing = if page.rows.is_empty() {
                nothing(conn, &wanted, member, today)?
            } else {
                Nothing::No
            };
            Ok(Found {
                page,
                counts,
                members: store_list::owners(conn)?,
                names: store_list::names(conn, &wanted.filter)?,
                nothing,
            })
        })
        .await?;
    let mut page = show(&me, &query, ignored, found, today);
    if htmx.wants("rows") {
        page.fragment = true;
        let mut response = answer::page(&page.as_list())?;
        // The form sends its empty fields too; the address keeps what was asked.
        if let Ok(href) = HeaderValue::from_str(&query.href()) {
            response.headers_mut().insert(HeaderName::from_static("hx-push-url"), href);
        }
        return Ok(response);
    }
    if appends {
        page.fragment = true;
        if let Some(line) = page.lines.first_mut() {
            line.first = true;
        }
        return answer::page(&page.as_more());
    }
    answer::page(&page)
}

/// Why there is no row.
fn nothing(
    conn: &mut diesel::PgConnection,
    query: &Query,
    me: MemberId,
    today: NaiveDate,
) -> Result<Nothing> {
    let (scored, seen) = store_list::any(conn)?;
    if !seen {
        return Ok(Nothing::NeverSent);
    }
    if !scored {
        return Ok(Nothing::NeverScored);
    }
    let mut best: Option<(i64, Param)> = None;
    for param in query.filter.asks() {
        let count = store_list::count(conn, &query.filter.without(param), me, today)?;
        if best.is_none_or(|(most, _)| count > most) {
            best = Some((count, param));
        }
    }
    let drop = best.filter(|(count, _)| *count > 0).map(|(count, param)| Drop {
        label: format!("{}: {}", param.label(), value_words(&query.filter, param, &(None, None))),
        count: counted(count),
        href: query.with(query.filter.without(param)).href(),
    });
    let unscored = if query.filter.search.is_empty() {
        Vec::new()
    } else {
        store_list::unscored(conn, &query.filter.search)?
    };
    Ok(Nothing::Filtered { drop, unscored })
}

fn show(
    me: &Viewer,
    query: &Query,
    ignored: Vec<Ignored>,
    found: Found,
    today: NaiveDate,
) -> Index {
    let filter = &query.filter;
    let total = store_list::total(&found.counts, filter);
    let demands = filter
        .asks()
        .filter(|param| !matches!(param, Param::Search | Param::Stage))
        .map(|param| Demand {
            label: param.label(),
            value: value_words(filter, param, &found.names),
            href: query.with(filter.without(param)).href(),
        })
        .collect();
    let owners = [("", "Anyone"), ("none", "Nobody"), ("me", "Me")]
        .map(|(key, label)| (key.to_owned(), label.to_owned()))
        .into_iter()
        .chain(found.members.iter().map(|(id, name)| (id.to_string(), name.clone())));
    let unsorted =
        Query { sort: crate::workspaces::sort::Sort::default(), ..query.with(filter.clone()) };
    let base = unsorted.to_query_string();
    Index {
        shell: me.shell("Workspaces").at(NavItem::Workspaces),
        stages: STAGES
            .iter()
            .map(|(key, label)| StageChoice {
                key,
                label,
                chosen: filter.stages.contains(key),
                count: found
                    .counts
                    .iter()
                    .find(|one| one.stage == *key)
                    .map(|one| number(one.workspaces))
                    .unwrap_or_default(),
            })
            .collect(),
        owners: owners.collect(),
        owner: filter.owner.map_or_else(String::new, |owner| match owner {
            Owner::Nobody => "none".to_owned(),
            Owner::Me => "me".to_owned(),
            Owner::Member(id) => id.to_string(),
        }),
        trial: filter.trial.map(|days| days.to_string()).unwrap_or_default(),
        admin: match filter.admin {
            Some(true) => "yes",
            Some(false) => "no",
            None => "",
        },
        demands,
        ignored,
        is_filtered: filter.asks().next().is_some(),
        sort: query.sort.to_string(),
        sort_base: if base.is_empty() {
            "/workspaces?sort=".to_owned()
        } else {
            format!("/workspaces?{base}&sort=")
        },
        said: format!("{}, sorted by {}", counted(total), query.sort.words()),
        lines: found.page.rows.into_iter().map(|row| line(row, me, today)).collect(),
        next: found.page.next.map(|after| Query { after: Some(after), ..query.clone() }.href()),
        start: query.after.map(|_| query.with(filter.clone()).href()),
        nothing: found.nothing,
        members: found.members,
        may_assign: me.may(May::Assign),
        filter: filter.clone(),
        fragment: false,
    }
}

/// "248 workspaces"; beyond what is counted, "more than 10,000 workspaces".
pub(super) fn counted(count: i64) -> String {
    if count > COUNTED {
        format!("more than {} workspaces", format::grouped(COUNTED))
    } else {
        format::count(count, "workspace", "workspaces")
    }
}

fn number(count: i64) -> String {
    if count > COUNTED { format!("{}+", format::grouped(COUNTED)) } else { format::grouped(count) }
}

fn value_words(filter: &Filter, param: Param, names: &(Option<String>, Option<String>)) -> String {
    let word = |list: &[(&str, &str)], key: Option<&str>| {
        let label = list.iter().find(|(one, _)| Some(*one) == key).map(|(_, label)| *label);
        label.unwrap_or_default().to_owned()
    };
    match param {
        Param::Search => filter.search.clone(),
        Param::Stage => filter
            .stages
            .iter()
            .map(|stage| word(&STAGES, Some(stage)))
            .collect::<Vec<_>>()
            .join(", "),
        Param::Owner => match filter.owner {
            Some(Owner::Nobody) => "nobody".to_owned(),
            Some(Owner::Me) => "me".to_owned(),
            Some(Owner::Member(_)) => {
                names.1.clone().unwrap_or_else(|| "somebody unknown".to_owned())
            }
            None => String::new(),
        },
        Param::Plan => word(&PLANS, filter.plan),
        Param::Tier => word(&TIERS, filter.tier),
        Param::Account => names.0.clone().unwrap_or_else(|| "one account".to_owned()),
        Param::Trial => match filter.trial {
            Some(0) => "ends today".to_owned(),
            days => format!(
                "ends within {}",
                format::count(i64::from(days.unwrap_or(0)), "day", "days")
            ),
        },
        Param::Admin => word(&ADMINS, filter.admin.map(|seen| if seen { "yes" } else { "no" })),
        Param::Kind => word(&KINDS, filter.kind),
    }
}

fn line(row: Row, me: &Viewer, today: NaiveDate) -> Line {
    let days: Vec<i32> = row.sparkline.iter().flatten().copied().collect();
    Line {
        id: row.id,
        tag: tag(&row.kind, &row.status),
        account: row.account_id.map(|id| id.to_string()).zip(row.account_name),
        change: row.score_7d.map(|before| row.score - before),
        spark: Sparkline::new(&days),
        wau: row.wau,
        seats: format::grouped(i64::from(row.seats)),
        plan: plan_label(row.plan_tier.as_deref()),
        trial: row.trial_end_on.and_then(|end| trial(end, today)),
        intent: row.high_intent_14d,
        tier: row.icp_fit_tier,
        owner: row.owner_name,
        active: row.last_active_at.map(|at| short(format::moment(at, me.now, me.zone))),
        name: row.name,
        stage: row.stage,
        score: row.score,
        first: false,
    }
}

/// Without the hour of yesterday: columns are narrow, the title has it.
pub(super) fn short(mut moment: Moment) -> Moment {
    if let Some((day, _)) = moment.text.split_once(' ').filter(|(day, _)| *day == "yesterday") {
        moment.text = day.to_owned();
    }
    moment
}

/// A word for workspaces that are not plain ones.
pub(super) fn tag(kind: &str, status: &str) -> Option<&'static str> {
    match (kind, status) {
        (_, "suspended") => Some("Suspended"),
        (_, "deleted") => Some("Deleted"),
        ("sandbox", _) => Some("Sandbox"),
        ("dev", _) => Some("Development"),
        _ => None,
    }
}

/// A plan for people; empty where none is known.
pub(super) fn plan_label(plan: Option<&str>) -> String {
    let found = PLANS.iter().find(|(key, _)| Some(*key) == plan);
    found.map(|(_, label)| (*label).to_owned()).unwrap_or_default()
}

/// What is left of a trial; nothing once it is over.
pub(super) fn trial(end: NaiveDate, today: NaiveDate) -> Option<Trial> {
    let left = end.signed_duration_since(today).num_days();
    let text = match left {
        ..0 => return None,
        0 => "ends today".to_owned(),
        1 => "1 day left".to_owned(),
        days => format!("{days} days left"),
    };
    Some(Trial { text, urgent: left <= 3 })
}

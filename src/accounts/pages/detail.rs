//! `GET /accounts/{id}`: an account's score with its rule, its workspaces with the evidence, its people.

use actix_web::{HttpResponse, web};
use askama::Template;

use crate::accounts::evidence::{Piece, proposals};
use crate::accounts::icp::{Company, Criterion, IcpDefinition};
use crate::accounts::store_pages::{self, Detail, Person, Workspace};
use crate::app::App;
use crate::error::{Error, Result};
use crate::ids::{AccountId, MemberId, UserId, WorkspaceId};
use crate::scoring::card::Scorecard;
use crate::scoring::explain::{self, Reason};
use crate::scoring::model::Model;
use crate::scoring::store_models;
use crate::team;
use crate::usage::dictionary::in_words;
use crate::web::answer;
use crate::web::charts::{Bar, Bars};
use crate::web::format::{self, Moment};
use crate::web::permit::{Permit, View, Viewer};
use crate::web::role::May;
use crate::web::shell::{NavItem, Shell};
use crate::workspaces;

/// A workspace as an account's page shows it.
struct Line {
    id: WorkspaceId,
    name: String,
    tag: Option<String>,
    stage: Option<String>,
    score: Option<i32>,
    change: Option<i32>,
    wau: i32,
    plan: String,
    owner: Option<String>,
    active: Option<Moment>,
    /// Why it belongs to the account.
    link: String,
}

/// Somebody of the account.
struct Who {
    name: String,
    email: Option<String>,
    part: String,
    title: String,
    href: String,
    active: Option<Moment>,
}

/// The account's score.
struct Score {
    points: i32,
    rule: String,
    bars: Bars,
    reasons: Vec<Reason>,
}

#[derive(Template)]
#[template(path = "accounts/detail.html")]
struct DetailPage {
    shell: Shell,
    account: Detail,
    score: Option<Score>,
    domains: Vec<String>,
    lines: Vec<Line>,
    people: Vec<Who>,
    /// Words and, where known, their value.
    facts: Vec<(&'static str, String)>,
    fit: Option<Bars>,
    members: Vec<(MemberId, String)>,
    may_assign: bool,
}

/// `GET /accounts/{id}`
///
/// # Errors
/// `NotFound` where there is no such account; when the database fails.
pub async fn detail(
    app: web::Data<App>,
    me: Permit<View>,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    let id: AccountId = path.parse().map_err(|_| Error::NotFound)?;
    let (account, domains, workspaces, people, names, model, members) = app
        .db
        .read_web(move |conn| {
            let model = match store_models::current(conn) {
                Ok(version) => Some(version.model),
                Err(Error::NotFound) => None,
                Err(error) => return Err(error),
            };
            let account = store_pages::detail(conn, id)?;
            let users = lead(&account);
            let names = workspaces::store_page::names(conn, &users)?;
            Ok((
                account,
                store_pages::domains(conn, id)?,
                store_pages::workspaces(conn, id)?,
                store_pages::people(conn, id)?,
                names,
                model,
                team::store::members(conn)?,
            ))
        })
        .await?;
    let page = DetailPage {
        shell: me.shell(account.name.clone()).at(NavItem::Accounts),
        score: model.as_ref().and_then(|model| score(&account, model, &names)),
        domains,
        lines: workspaces.into_iter().map(|one| line(one, &me)).collect(),
        people: people.into_iter().map(|one| who(one, &me)).collect(),
        facts: facts(&account),
        fit: fit(&account),
        members: members
            .into_iter()
            .filter(|member| member.deactivated_at.is_none())
            .map(|member| (member.id, member.name))
            .collect(),
        may_assign: me.may(May::Assign),
        account,
    };
    answer::page(&page)
}

fn score(account: &Detail, model: &Model, names: &explain::Names) -> Option<Score> {
    let card: Scorecard = serde_json::from_value(account.card.clone()?).ok()?;
    let workspaces = i64::from(account.scored_workspaces.unwrap_or(0));
    let best = account.best.unwrap_or(0);
    let rule = if workspaces == 1 {
        "The score of its one production workspace.".to_owned()
    } else {
        format!(
            "All {} scored as one: their usage added up, each person counted once. \
             The best of them alone has {}.",
            format::count(workspaces, "production workspace", "production workspaces"),
            format::score(best)
        )
    };
    Some(Score {
        points: account.score?,
        rule,
        bars: Bars::new("bars", unlinked(explain::bars(&card, model))),
        reasons: explain::reasons(&card, model, names, 4),
    })
}

/// The one whose points count, if anybody's do.
fn lead(account: &Detail) -> Vec<UserId> {
    let user =
        account.card.as_ref().and_then(|card| card.get("lead_user")?.get("user_id")?.as_str());
    user.and_then(|id| id.parse().ok()).into_iter().collect()
}

/// Why a workspace belongs to its account: by whose word, or by which evidence.
fn why(one: &Workspace) -> String {
    if let Some(by) = &one.pinned_by {
        return format!("linked by {by}");
    }
    let pieces: Vec<String> = proposals(&one.evidence)
        .first()
        .map(|best| best.evidence.iter().map(Piece::words).collect())
        .unwrap_or_default();
    if pieces.is_empty() {
        format!("{} % sure", one.confidence)
    } else {
        format!("{} % sure: {}", one.confidence, pieces.join(", "))
    }
}

/// The ledger that bars lead to stands on the pages of workspaces.
fn unlinked(bars: Vec<Bar>) -> Vec<Bar> {
    bars.into_iter().map(|bar| Bar { href: String::new(), ..bar }).collect()
}

fn line(one: Workspace, me: &Viewer) -> Line {
    let tag = match (one.kind.as_str(), one.status.as_str()) {
        ("prod", "active") => None,
        ("prod", status) => Some(in_words(status)),
        (kind, _) => Some(in_words(kind)),
    };
    let today = me.now.date_naive();
    let trial = one.trial_end_on.filter(|end| *end >= today);
    Line {
        id: one.id,
        tag,
        change: one.score.zip(one.score_7d).map(|(now, before)| now - before),
        plan: match (trial, one.plan_tier.as_deref()) {
            (Some(end), _) => format!("Trial to {}", format::day(end, today)),
            (None, Some(plan)) => in_words(plan),
            (None, None) => String::new(),
        },
        wau: one.wau.unwrap_or(0),
        active: one.last_active_at.map(|at| format::moment(at, me.now, me.zone)),
        link: why(&one),
        name: one.name,
        stage: one.stage,
        score: one.score,
        owner: one.owner,
    }
}

fn who(one: Person, me: &Viewer) -> Who {
    let parts = [one.is_admin.then_some("admin"), one.is_champion.then_some("champion")];
    let mut part = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
    if one.workspaces > 1 {
        let many = format::count(one.workspaces, "workspace", "workspaces");
        part = if part.is_empty() { format!("in {many}") } else { format!("{part}, in {many}") };
    }
    Who {
        name: one.name,
        email: one.email,
        part,
        title: one.job_title.unwrap_or_default(),
        href: format!("/workspaces/{}/events?person={}", one.workspace, one.id),
        active: one.last_active_at.map(|at| format::moment(at, me.now, me.zone)),
    }
}

fn facts(account: &Detail) -> Vec<(&'static str, String)> {
    let stack: Vec<&str> = account.tech_stack.iter().flatten().map(String::as_str).collect();
    let place: Vec<&str> =
        [account.country.as_deref(), account.region.as_deref()].into_iter().flatten().collect();
    let all = [
        ("Industry", account.industry.clone().unwrap_or_default()),
        (
            "Employees",
            account
                .employee_count
                .map(|count| format::grouped(i64::from(count)))
                .unwrap_or_default(),
        ),
        ("Place", place.join(", ")),
        ("Segment", segment(account.segment.as_deref())),
        ("Territory", account.territory.clone().unwrap_or_default()),
        ("Uses", stack.join(", ")),
        ("Lifecycle", in_words(&account.lifecycle_stage)),
    ];
    all.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

fn segment(key: Option<&str>) -> String {
    let words = match key {
        Some("smb") => "Small and medium",
        Some("mid_market") => "Mid-market",
        Some("enterprise") => "Enterprise",
        Some("self_serve") => "Self-serve",
        _ => "",
    };
    words.to_owned()
}

/// What each criterion of the ICP gives this account; nothing where nothing is known.
fn fit(account: &Detail) -> Option<Bars> {
    let company = Company {
        employees: account.employee_count,
        industry: account.industry.clone(),
        country: account.country.clone(),
        region: account.region.clone(),
        tech_stack: account.tech_stack.iter().flatten().cloned().collect(),
    };
    let bars: Vec<Bar> = IcpDefinition::default()
        .criteria
        .into_iter()
        .map(|(weight, criterion)| {
            let label = match criterion {
                Criterion::Employees(_) => "Employees",
                Criterion::Industry(_) => "Industry",
                Criterion::Country(_) => "Country",
                Criterion::Region(_) => "Region",
                Criterion::TechStack(_) => "Technologies",
            };
            let reached = IcpDefinition { criteria: vec![(weight, criterion)] }.fit(&company);
            let weight = i32::try_from(weight).unwrap_or(0);
            Bar {
                label: label.to_owned(),
                points: reached.map_or(0, |fit| fit.score * weight),
                limit: weight * 100,
                note: if reached.is_none() {
                    "not known, counts neither way".to_owned()
                } else {
                    String::new()
                },
                href: String::new(),
            }
        })
        .collect();
    account.icp_fit_score.map(|_| Bars::new("fit", bars))
}

//! `/settings/data`: what is kept, for how long, and what a change of it would drop.

use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::NaiveDate;
use diesel::PgConnection;

use super::policy::{self, Finding, Policy};
use super::store::{self, Kept, Stock, Table};
use crate::app::App;
use crate::error::{Error, FieldErrors, Result};
use crate::scoring;
use crate::web::answer;
use crate::web::format::{self, Moment};
use crate::web::permit::{Permit, SeeData, Viewer};
use crate::web::role::May;
use crate::web::shell::{NavItem, Shell};

/// What was typed, as typed.
#[derive(Clone, Debug, Default)]
pub(super) struct Typed {
    pub journal: String,
    pub key_events: String,
}

impl Typed {
    /// As the policy says it.
    pub fn of(policy: Policy) -> Self {
        Self {
            journal: policy.journal_days.to_string(),
            key_events: policy.key_event_days.to_string(),
        }
    }

    /// The policy that it spells.
    ///
    /// # Errors
    /// Messages at the fields that are no whole numbers.
    pub fn policy(&self) -> Result<Policy, FieldErrors> {
        let mut errors = FieldErrors::new();
        let mut days = |field: &str, text: &str| {
            text.trim().parse::<i32>().unwrap_or_else(|_| {
                errors.insert(field.to_owned(), vec!["A whole number of days.".to_owned()]);
                0
            })
        };
        let journal_days = days("journal_days", &self.journal);
        let key_event_days = days("key_event_days", &self.key_events);
        if errors.is_empty() { Ok(Policy { journal_days, key_event_days }) } else { Err(errors) }
    }
}

/// One kind of data.
struct Line {
    what: &'static str,
    why: &'static str,
    kept: String,
    size: String,
    rows: String,
    days: String,
    oldest: String,
}

/// Everything that the page shows, read at once.
pub(super) struct Read {
    pub kept: Kept,
    lookback_days: i64,
    stocks: Vec<(Table, Stock)>,
}

const TABLES: [Table; 5] = [
    Table::Journal,
    Table::KeyEvents,
    Table::SeenMessages,
    Table::DeadLetters,
    Table::IngestMeasures,
];

/// Reads what the page shows.
pub(super) fn read(conn: &mut PgConnection) -> Result<Read> {
    let stocks = TABLES
        .into_iter()
        .map(|table| Ok((table, store::stock(conn, table, None)?)))
        .collect::<Result<_>>()?;
    Ok(Read { kept: store::load(conn)?, lookback_days: lookback(conn)?, stocks })
}

/// How far the published scoring model looks back; 0 before there is one.
pub(super) fn lookback(conn: &mut PgConnection) -> Result<i64> {
    match scoring::store_models::current(conn) {
        Ok(version) => Ok(version.model.lookback_days),
        Err(Error::NotFound) => Ok(0),
        Err(other) => Err(other),
    }
}

/// What a policy would drop that stands on disk today, in sentences.
pub(super) fn forecast(
    conn: &mut PgConnection,
    policy: Policy,
    today: NaiveDate,
) -> Result<Vec<String>> {
    let parts = [
        ("the journal", Table::Journal, policy.journal_from(today)),
        ("key events", Table::KeyEvents, policy.key_events_from(today)),
    ];
    parts
        .into_iter()
        .map(|(what, table, from)| {
            let stock = store::stock(conn, table, Some(from))?;
            Ok(if stock.rows == 0 && stock.days == 0 {
                format!("Drops nothing of {what}.")
            } else {
                format!(
                    "Drops {} of {what}: everything before {}, {}, {}.",
                    format::count(stock.days, "day", "days"),
                    format::day(from, today),
                    format::count(stock.rows, "row", "rows"),
                    format::bytes(stock.bytes),
                )
            })
        })
        .collect()
}

/// `GET /settings/data` and what its form answers with.
#[derive(Template)]
#[template(path = "retention/data.html")]
pub(super) struct Page {
    shell: Shell,
    may_edit: bool,
    seen: Policy,
    typed: Typed,
    /// What was looked at, as the form carries it; empty before.
    looked: String,
    errors: FieldErrors,
    warnings: Vec<Finding>,
    /// What it would drop, once asked.
    forecast: Option<Vec<String>>,
    /// Why the preview is there again, or what somebody else did.
    notice: String,
    lines: Vec<Line>,
    forgotten: Option<Moment>,
}

impl Page {
    /// As things stand.
    pub fn new(me: &Viewer, read: &Read) -> Self {
        let policy = read.kept.policy;
        let today = me.now.date_naive();
        Self {
            shell: me.shell("Data retention").at(NavItem::Data),
            may_edit: me.may(May::EditData),
            seen: policy,
            typed: Typed::of(policy),
            looked: String::new(),
            errors: FieldErrors::new(),
            warnings: policy::lint(policy, read.lookback_days),
            forecast: None,
            notice: String::new(),
            lines: read
                .stocks
                .iter()
                .map(|(table, stock)| line(*table, stock, policy, today))
                .collect(),
            forgotten: read.kept.forgotten_at.map(|at| format::moment(at, me.now, me.zone)),
        }
    }

    /// With what was typed and what is wrong with it.
    pub fn with_typed(mut self, typed: Typed, errors: FieldErrors) -> Self {
        self.typed = typed;
        self.errors = errors;
        self
    }

    /// With what it would do.
    pub fn with_forecast(
        mut self,
        policy: Policy,
        warnings: Vec<Finding>,
        forecast: Vec<String>,
    ) -> Self {
        self.looked = looked(policy);
        self.warnings = warnings;
        self.forecast = Some(forecast);
        self
    }

    /// With a sentence above the form.
    pub fn with_notice(mut self, notice: impl Into<String>) -> Self {
        self.notice = notice.into();
        self
    }
}

/// What the form carries of a policy that was looked at.
pub(super) fn looked(policy: Policy) -> String {
    format!("{}/{}", policy.journal_days, policy.key_event_days)
}

fn line(table: Table, stock: &Stock, policy: Policy, today: NaiveDate) -> Line {
    let days = |days: String| format!("{days} days");
    let (what, why, kept) = match table {
        Table::Journal => (
            "Journal",
            "What was sent, as it came. A rebuild after a change of the catalog reaches as far back.",
            days(policy.journal_days.to_string()),
        ),
        Table::KeyEvents => (
            "Key events",
            "Timelines and the evidence behind scores. Counts per day stay for ever.",
            days(policy.key_event_days.to_string()),
        ),
        Table::SeenMessages => (
            "Known messages",
            "What is sent twice counts once. Not less than the 30 days that SDKs rely on.",
            days(policy::KNOWN_MESSAGES.to_string()),
        ),
        Table::DeadLetters => (
            "Dead letters",
            "Open ones wait for somebody; settled ones go.",
            format!("{} once settled", days(policy::DEAD_LETTERS.to_string())),
        ),
        Table::IngestMeasures => (
            "Measurements",
            "How fast and how much, by the minute.",
            days(policy::MEASURES.to_string()),
        ),
    };
    Line {
        what,
        why,
        kept,
        size: format::bytes(stock.bytes),
        rows: format::grouped(stock.rows),
        days: if stock.days > 0 { format::grouped(stock.days) } else { String::new() },
        oldest: stock.oldest.map(|day| format::day(day, today)).unwrap_or_default(),
    }
}

/// `GET /settings/data`.
pub async fn data(app: web::Data<App>, me: Permit<SeeData>) -> Result<HttpResponse> {
    let read = app.db.read_web(read).await?;
    answer::page(&Page::new(&me, &read))
}

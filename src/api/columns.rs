//! What lists can be filtered and sorted by: columns of serving tables and of what stands beside
//! them, and of workspaces every field of the signal dictionary. Every piece of SQL of a query comes from
//! here, never from a caller.

use std::sync::LazyLock;

use crate::usage::dictionary::{FIELDS, Field, FieldLevel, FieldType};

/// How values of a column are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// A whole number; scores in hundredths.
    Number,
    /// A number with a fraction.
    Decimal,
    /// `true` or `false`.
    Bool,
    /// Several texts.
    List,
    /// `YYYY-MM-DD`.
    Day,
    /// RFC 3339.
    Time,
}

/// A column.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its name in `?filter[..]` and `?sort=`.
    pub key: &'static str,
    /// How its values are read.
    pub kind: Kind,
    /// The expression; aliases as in the list's store.
    pub sql: &'static str,
    /// Whether it can be missing.
    pub is_nullable: bool,
    /// Whether `?sort=` takes it.
    pub sorts: bool,
    /// The expression of an index that `?sort=` uses instead, never missing.
    order: Option<&'static str>,
}

impl Column {
    /// The expression by which a list is sorted, and whether it can be missing.
    #[must_use]
    pub fn order(&self) -> (&'static str, bool) {
        self.order.map_or((self.sql, self.is_nullable), |sql| (sql, false))
    }
}

const fn column(key: &'static str, kind: Kind, sql: &'static str) -> Column {
    Column { key, kind, sql, is_nullable: false, sorts: false, order: None }
}

const fn optional(key: &'static str, kind: Kind, sql: &'static str) -> Column {
    Column { is_nullable: true, ..column(key, kind, sql) }
}

const fn sorting(column: Column) -> Column {
    Column { sorts: true, ..column }
}

/// A list that can be asked for page by page.
#[derive(Debug)]
pub struct Listing {
    /// What it can be filtered by and, where they say so, sorted by.
    pub columns: &'static [Column],
    /// Its order, unless another is asked for.
    pub sort: &'static str,
    /// The column that tells rows of the same place apart.
    pub id: &'static str,
}

impl Listing {
    /// The column of a name.
    #[must_use]
    pub fn find(&self, key: &str) -> Option<&'static Column> {
        self.columns.iter().find(|column| column.key == key)
    }
}

/// Workspaces; aliases as in `store_workspaces`.
pub static WORKSPACES: LazyLock<Listing> = LazyLock::new(|| {
    let served = WORKSPACE_COLUMNS.iter().copied();
    let is_served = |key: &str| WORKSPACE_COLUMNS.iter().any(|column| column.key == key);
    let fields = FIELDS.iter().filter(|field| field.level != FieldLevel::User);
    let signals = fields.filter(|field| !is_served(field.key)).map(signal);
    let columns: Vec<Column> = served.chain(signals).collect();
    // Made once, for as long as the program runs.
    Listing { columns: Box::leak(columns.into_boxed_slice()), sort: "-score", id: "w.id" }
});

/// A field of the dictionary as a column: of the stored signals, or of what stands beside them.
fn signal(field: &'static Field) -> Column {
    let kind = match field.kind {
        FieldType::Text => Kind::Text,
        FieldType::Bool => Kind::Bool,
        FieldType::Int | FieldType::Money => Kind::Number,
        FieldType::Number => Kind::Decimal,
        FieldType::Date => Kind::Day,
        FieldType::Time => Kind::Time,
        FieldType::List => Kind::List,
    };
    let key = field.key;
    let stored = || -> &'static str {
        let text = match kind {
            Kind::Text => format!("(s.signals ->> '{key}')"),
            Kind::Bool => format!("(s.signals ->> '{key}')::boolean"),
            Kind::Number => format!("(s.signals ->> '{key}')::bigint"),
            Kind::Decimal => format!("(s.signals ->> '{key}')::float8"),
            Kind::Day => format!("(s.signals ->> '{key}')::date"),
            Kind::Time => format!("(s.signals ->> '{key}')::timestamptz"),
            Kind::List => format!("nullif(s.signals -> '{key}', 'null')"),
        };
        Box::leak(text.into_boxed_str())
    };
    let beside = BESIDE.iter().find(|(own, _)| *own == key).map(|(_, sql)| *sql);
    optional(key, kind, beside.unwrap_or_else(stored))
}

/// Fields that are not stored with the score, since they change without it.
const BESIDE: &[(&str, &str)] = &[
    ("owner_team", "t.team"),
    ("is_unowned", "(g.id is null)"),
    (
        "account_owner",
        "(select om.name from account_links ol join account_owners oo on oo.account_id = ol.account_id
          join team_members om on om.id = oo.member_id
          where ol.workspace_id = w.id and (ol.confidence >= 80 or ol.pinned_by is not null))",
    ),
    (
        "routing_destination",
        "(select od.destination from routing_decisions od where od.workspace_id = w.id
          order by od.decided_at desc, od.id desc limit 1)",
    ),
    (
        "last_routed_at",
        "(select od.decided_at from routing_decisions od where od.workspace_id = w.id
          order by od.decided_at desc, od.id desc limit 1)",
    ),
    (
        "open_tasks",
        "(select count(*) from tasks ot where ot.workspace_id = w.id and ot.completed_at is null)",
    ),
];

/// Accounts; aliases as in `store_accounts`.
pub static ACCOUNTS: Listing = Listing { columns: ACCOUNT_COLUMNS, sort: "name", id: "a.id" };

static WORKSPACE_COLUMNS: &[Column] = &[
    column("workspace_id", Kind::Text, "w.external_id"),
    sorting(column("name", Kind::Text, "lower(w.name)")),
    column("type", Kind::Text, "w.type"),
    column("status", Kind::Text, "w.status"),
    sorting(column("created_at", Kind::Time, "w.created_at")),
    column("stage", Kind::Text, "s.stage"),
    sorting(column("score", Kind::Number, "s.score")),
    Column {
        sorts: true,
        order: Some("(s.score - coalesce(s.score_7d, s.score))"),
        ..optional("score_change_7d", Kind::Number, "(s.score - s.score_7d)")
    },
    optional("plan_tier", Kind::Text, "s.plan_tier"),
    optional("paid_status", Kind::Text, "s.paid_status"),
    optional("trial_end_on", Kind::Day, "s.trial_end_on"),
    optional("icp_fit_tier", Kind::Text, "s.icp_fit_tier"),
    sorting(column("wau", Kind::Number, "s.wau")),
    sorting(column("member_count", Kind::Number, "s.member_count")),
    column("seats", Kind::Number, "s.seats"),
    column("high_intent_14d", Kind::Number, "s.high_intent_14d"),
    sorting(optional("last_active_at", Kind::Time, "s.last_active_at")),
    optional("owner", Kind::Text, "t.email"),
    optional("account", Kind::Text, "a.primary_domain"),
    optional("territory", Kind::Text, "a.territory"),
];

static ACCOUNT_COLUMNS: &[Column] = &[
    optional("domain", Kind::Text, "a.primary_domain"),
    optional("account_id", Kind::Text, "(a.traits ->> 'account_id')"),
    sorting(column("name", Kind::Text, "lower(a.name)")),
    sorting(column("created_at", Kind::Time, "a.created_at")),
    optional("industry", Kind::Text, "a.industry"),
    sorting(optional("employee_count", Kind::Number, "a.employee_count")),
    optional("country", Kind::Text, "a.country"),
    optional("region", Kind::Text, "a.region"),
    optional("segment", Kind::Text, "a.segment"),
    optional("territory", Kind::Text, "a.territory"),
    column("is_strategic", Kind::Text, "a.is_strategic::text"),
    column("lifecycle_stage", Kind::Text, "a.lifecycle_stage"),
    optional("icp_fit_tier", Kind::Text, "a.icp_fit_tier"),
    // Sorted by it, the list has only accounts with a score.
    sorting(column("score", Kind::Number, "s.score")),
    optional("stage", Kind::Text, "s.stage"),
    optional("owner", Kind::Text, "t.email"),
];

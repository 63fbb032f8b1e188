//! What lists can be filtered and sorted by: columns of serving tables and of what stands beside
//! them. Every piece of SQL of a query comes from here, never from a caller.

/// How values of a column are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// A whole number; scores in hundredths.
    Number,
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
}

const fn column(key: &'static str, kind: Kind, sql: &'static str) -> Column {
    Column { key, kind, sql, is_nullable: false, sorts: false }
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
pub static WORKSPACES: Listing = Listing { columns: WORKSPACE_COLUMNS, sort: "-score", id: "w.id" };

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
    sorting(column("score_change_7d", Kind::Number, "(s.score - coalesce(s.score_7d, s.score))")),
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

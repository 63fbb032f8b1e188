//! What the list of workspaces can be filtered and sorted by: the columns of the serving table and
//! of what stands beside it. Every piece of SQL of a query comes from here, never from a caller.

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
    /// The expression; aliases as in `store_workspaces`.
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

/// All of them.
pub static COLUMNS: &[Column] = &[
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

/// The column of a name.
#[must_use]
pub fn find(key: &str) -> Option<&'static Column> {
    COLUMNS.iter().find(|column| column.key == key)
}

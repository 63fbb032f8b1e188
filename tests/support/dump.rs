//! Everything that the events made, as text to compare: two databases that heard the same must say
//! the same.
//!
//! Left out: places among statements of one time (`seq`), which say in which request something came;
//! columns that say when Ripen noticed (`seen_at`, `decided_at`, `scored_at`), which differ
//! between any two runs; and `visits`, which may name more places than a visitor still has usage in.

use diesel::prelude::*;
use diesel::sql_types::Text;
use ripen::db::{Database, Pool};

/// A row with traits, their times without the places among statements of one time.
const TRAITS: &str = "to_jsonb(t) || jsonb_build_object('trait_times', (select jsonb_object_agg(key, \
    case jsonb_typeof(value) when 'array' then value -> 0 else value end) from jsonb_each(t.trait_times)))";
const MEMBERSHIP: &str = "to_jsonb(t) - 'role_seq' - 'persona_seq' - 'group_seq' - 'left_seq'";

/// What the drainer makes of the events.
pub const PROJECTED: [(&str, &str); 24] = [
    ("product_users", TRAITS),
    ("identifiers", "to_jsonb(t)"),
    ("identity_claims", "to_jsonb(t)"),
    ("contacts", "to_jsonb(t)"),
    ("contact_users", "to_jsonb(t)"),
    ("merge_evidence", "to_jsonb(t)"),
    ("merge_candidates", "to_jsonb(t) - 'seen_at'"),
    ("accounts", TRAITS),
    ("account_domains", "to_jsonb(t)"),
    ("account_links", "to_jsonb(t) - 'decided_at'"),
    ("workspaces", TRAITS),
    ("memberships", MEMBERSHIP),
    ("visitor_memberships", MEMBERSHIP),
    ("membership_changes", "to_jsonb(t) - 'seq'"),
    ("membership_days", "to_jsonb(t) - 'role_seq' - 'persona_seq' - 'group_seq' - 'left_seq'"),
    ("trait_days", TRAITS),
    ("subscriptions", "to_jsonb(t)"),
    ("(select distinct user_id, at, workspace_id from group_calls)", "to_jsonb(t)"),
    ("usage_days", "to_jsonb(t)"),
    ("key_events", "to_jsonb(t)"),
    ("membership_events", "to_jsonb(t)"),
    ("inferred_events", "to_jsonb(t) - 'seq'"),
    ("unknown_event_names", "to_jsonb(t) - 'first_seen_at' - 'last_seen_at'"),
    // A letter that found its workspace was a letter in one order and never in another.
    ("(select * from dead_letters where replayed_at is null)", "to_jsonb(t) - 'received_at'"),
];

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// These tables, row by row, sorted.
pub fn dump(db: &Database, tables: &[(&str, &str)]) -> Vec<String> {
    let mut all = Vec::new();
    for (table, row) in tables {
        let query = format!("select ({row})::text as line from {table} t order by 1");
        let lines: Vec<Line> =
            db.read(Pool::Work, |conn| Ok(diesel::sql_query(&query).load(conn)?)).unwrap();
        all.extend(lines.into_iter().map(|line| format!("{table} {}", line.line)));
    }
    all
}

/// What one has and the other has not; empty when both say the same. Lines that differ in a part are
/// shown around the first difference.
pub fn difference(expected: &[String], got: &[String]) -> String {
    use std::collections::BTreeSet;
    let (expected, got): (BTreeSet<&String>, BTreeSet<&String>) =
        (expected.iter().collect(), got.iter().collect());
    let mut surplus: Vec<&String> = got.difference(&expected).copied().collect();
    let mut all = String::new();
    for line in expected.difference(&got) {
        let like = surplus.iter().enumerate().map(|(at, other)| (common(line, other), at)).max();
        match like.filter(|(same, _)| *same > line.find('{').unwrap_or(0) + 10) {
            Some((same, at)) => {
                let other = surplus.remove(at);
                all.push_str(&format!("- {}\n+ {}\n", around(line, same), around(other, same)));
            }
            None => all.push_str(&format!("- {}\n", around(line, 0))),
        }
    }
    surplus.iter().for_each(|line| all.push_str(&format!("+ {}\n", around(line, 0))));
    all
}

fn common(one: &str, other: &str) -> usize {
    one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count()
}

fn around(line: &str, place: usize) -> String {
    let bytes = line.as_bytes();
    let text = |from: usize, to: usize| {
        String::from_utf8_lossy(&bytes[from..to.min(bytes.len())]).into_owned()
    };
    if place < 300 {
        return text(0, 600);
    }
    format!("{}… {}", text(0, 60), text(place - 160, place + 240))
}

/// What the scorer makes of that, as far as it is a function of the facts and the day. Left out:
/// since when a stage holds, and all of [`ACTED`], which tell of the path.
pub const SCORED: [(&str, &str); 3] = [
    ("workspace_scores", "to_jsonb(t) - 'scored_at' - 'stage_since'"),
    ("account_scores", "to_jsonb(t) - 'scored_at'"),
    ("score_history", "to_jsonb(t)"),
];

/// What people see happen: a function of the events and of the moments at which they were scored. Ids
/// are made anew in each run; colleagues are known by their address.
pub const ACTED: [(&str, &str); 5] = [
    ("stage_changes", "to_jsonb(t) - 'id'"),
    (
        "(select d.*, m.email from routing_decisions d left join team_members m on m.id = d.owner_id)",
        "to_jsonb(t) - 'id' - 'owner_id'",
    ),
    (
        "(select a.*, m.email from assignments a join team_members m on m.id = a.member_id)",
        "to_jsonb(t) - 'id' - 'member_id' - 'decision_id'",
    ),
    (
        "(select k.*, m.email from tasks k join team_members m on m.id = k.assignee_id)",
        "to_jsonb(t) - 'id' - 'assignee_id' - 'decision_id'",
    ),
    (
        "(select n.*, m.email from notifications n join team_members m on m.id = n.member_id)",
        "to_jsonb(t) - 'id' - 'member_id' - 'url'",
    ),
];

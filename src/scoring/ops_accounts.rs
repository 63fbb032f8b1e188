//! Accounts are scored with their workspaces: first the account as the union of its production
//! workspaces, which no score enters, then each workspace, which may ask for its account's score. So
//! the scores are the same in whatever order the facts arrived.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use diesel::PgConnection;

use super::case::{Case, Ground};
use super::evaluate::Evaluation;
use super::{batch, serving, store_accounts, store_facts, store_scores, union};
use crate::error::Result;
use crate::ids::{AccountId, WorkspaceId};

/// Accounts as they score now; nothing of it is written yet.
pub(super) struct Accounts {
    scored: Vec<Scored>,
    /// Without a production workspace.
    empty: Vec<AccountId>,
}

struct Scored {
    id: AccountId,
    workspaces: Vec<WorkspaceId>,
    evaluation: Evaluation,
}

impl Accounts {
    /// Evaluates accounts. `loaded`: cases that are at hand already, in the order of their ids.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) fn evaluate(
        conn: &mut PgConnection,
        ground: &mut Ground,
        loaded: &[Case],
        accounts: &BTreeSet<AccountId>,
        today: NaiveDate,
    ) -> Result<Self> {
        let accounts: Vec<AccountId> = accounts.iter().copied().collect();
        let links = store_facts::workspaces_of(conn, &accounts)?;
        let linked = |account: &AccountId| links.binary_search_by_key(account, |l| l.0).is_ok();
        let empty = accounts.iter().copied().filter(|one| !linked(one)).collect();
        let is_loaded = |id: &WorkspaceId| loaded.binary_search_by_key(id, |case| case.id).is_ok();
        let missing: Vec<WorkspaceId> =
            links.iter().map(|(_, workspace)| *workspace).filter(|id| !is_loaded(id)).collect();
        let others = batch::cases(conn, ground, &missing)?;
        let by_id: BTreeMap<WorkspaceId, &Case> =
            loaded.iter().chain(&others).map(|case| (case.id, case)).collect();
        let mut scored = Vec::new();
        for group in links.chunk_by(|a, b| a.0 == b.0) {
            let cases: Vec<&Case> =
                group.iter().filter_map(|(_, workspace)| by_id.get(workspace).copied()).collect();
            let Some((id, _)) = group.first() else { continue };
            let (Some(mut union), Some(model)) =
                (union::of_account(*id, &cases, today), ground.model_on(today))
            else {
                continue;
            };
            union.account_score = None;
            scored.push(Scored {
                id: *id,
                workspaces: cases.iter().map(|case| case.id).collect(),
                evaluation: union.on(ground, model, today),
            });
        }
        Ok(Self { scored, empty })
    }

    /// Tells the workspaces what their accounts score.
    pub(super) fn tell(&self, cases: &mut [Case]) {
        for case in cases {
            let scored = self.scored.iter().find(|one| Some(one.id) == case.account_id);
            case.account_score =
                scored.map(|one| super::points::as_points(one.evaluation.card.score));
        }
    }

    /// Writes the accounts' scores, once those of their workspaces are written, and has the other
    /// workspaces of an account scored anew when its score changed: `done` are those of this batch.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) fn write(
        &self,
        conn: &mut PgConnection,
        done: &[WorkspaceId],
        now: DateTime<Utc>,
    ) -> Result<()> {
        store_accounts::forget_accounts(conn, &self.empty)?;
        let ids: Vec<AccountId> = self.scored.iter().map(|one| one.id).collect();
        let before: BTreeMap<AccountId, i32> =
            store_accounts::account_scores_of(conn, &ids)?.into_iter().collect();
        let all: Vec<WorkspaceId> =
            self.scored.iter().flat_map(|one| one.workspaces.iter().copied()).collect();
        let best: BTreeMap<WorkspaceId, i32> =
            store_scores::scores_of(conn, &all)?.into_iter().collect();
        let mut siblings = Vec::new();
        for one in &self.scored {
            let top = one.workspaces.iter().filter_map(|workspace| best.get(workspace)).max();
            let top = top.copied().unwrap_or(0);
            let row =
                serving::account_row(one.id, &one.evaluation, one.workspaces.len(), top, now)?;
            if before.get(&one.id) != Some(&row.score) {
                siblings.push(one.id);
            }
            store_accounts::write_account(conn, &row)?;
        }
        store_accounts::touch_siblings(conn, &siblings, done, now)
    }
}

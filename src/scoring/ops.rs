//! Scoring workspaces: facts in, scores, history, stage changes and what follows from them out, in
//! one transaction.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use diesel::{Connection, PgConnection};
use serde_json::Value as Json;
use uuid::Uuid;

use super::batch;
use super::case::{Case, Ground};
use super::change::Stored;
use super::evaluate::Evaluation;
use super::history::DayScore;
use super::model::NOT_PQL;
use super::ops_accounts::Accounts;
use super::serving;
use super::store_accounts;
use super::store_scores::{self, HistoryDay, PastDay, Previous, StageChange, Touched};
use crate::error::{Error, Result, caught};
use crate::ids::WorkspaceId;

/// So many days of history are kept up to date; older ones are computed when asked for.
pub const HISTORY_DAYS: u64 = 90;

/// What happens in the scorer's transaction after scores were written: routing, in the order of the
/// house a later feature, is handed in by the table of jobs.
pub type AfterScoring = fn(&mut PgConnection, &[WorkspaceId], DateTime<Utc>) -> Result<()>;

/// Scores up to `rows` of what was touched. How many workspaces were scored; 0: nothing waits.
///
/// # Errors
/// When the database fails; then nothing is written and what was touched stays touched.
pub fn score_touched(
    conn: &mut PgConnection,
    rows: i64,
    now: DateTime<Utc>,
    after: AfterScoring,
) -> Result<usize> {
    if !store_scores::try_lock_scorer(conn)? {
        return Ok(0);
    }
    let touched = store_scores::take_touched(conn, rows)?;
    score_all(conn, &touched, now, after)?;
    Ok(touched.len())
}

/// Scores workspaces because time passed or the model changed: today, and days of history that are
/// missing. Past days stay as they were scored.
///
/// # Errors
/// When the database fails; then nothing is written.
pub fn rescore(
    conn: &mut PgConnection,
    ids: &[WorkspaceId],
    now: DateTime<Utc>,
    after: AfterScoring,
) -> Result<()> {
    store_scores::lock_scorer(conn)?;
    let touched: Vec<Touched> =
        ids.iter().map(|id| Touched { workspace_id: *id, since_on: now.date_naive() }).collect();
    score_all(conn, &touched, now, after)
}

/// Scores a batch. A workspace that cannot be scored keeps its old score and harms no other; when
/// several are due and none succeeds, the cause is not one of them and the batch fails.
fn score_all(
    conn: &mut PgConnection,
    touched: &[Touched],
    now: DateTime<Utc>,
    after: AfterScoring,
) -> Result<()> {
    if touched.is_empty() {
        return Ok(());
    }
    let mut ground = batch::ground(conn)?;
    if ground.models.is_empty() {
        return Err(Error::internal("no scoring model was published"));
    }
    let failed = by_halves(conn, &mut ground, touched, now, after)?;
    if touched.len() > 1 && failed == touched.len() {
        return Err(Error::internal(format!("none of {failed} workspaces could be scored")));
    }
    Ok(())
}

/// How many could not be scored.
fn by_halves(
    conn: &mut PgConnection,
    ground: &mut Ground,
    touched: &[Touched],
    now: DateTime<Utc>,
    after: AfterScoring,
) -> Result<usize> {
    let outcome =
        conn.transaction(|conn| caught(|| score(&mut *conn, ground, touched, now, after)));
    match outcome {
        Ok(()) => Ok(0),
        Err(error) if error.passes() => Err(error),
        Err(error) => match touched {
            [] => Err(error),
            [alone] => {
                let workspace = alone.workspace_id;
                tracing::error!(%workspace, %error, "a workspace cannot be scored; the others go on");
                Ok(1)
            }
            several => {
                let (first, second) = several.split_at(several.len() / 2);
                let failed = by_halves(conn, ground, first, now, after)?;
                Ok(failed + by_halves(conn, ground, second, now, after)?)
            }
        },
    }
}

fn score(
    conn: &mut PgConnection,
    ground: &mut Ground,
    touched: &[Touched],
    now: DateTime<Utc>,
    after: AfterScoring,
) -> Result<()> {
    let today = now.date_naive();
    let ids: Vec<WorkspaceId> = touched.iter().map(|one| one.workspace_id).collect();
    let mut cases = batch::cases(conn, ground, &ids)?;
    let previous: BTreeMap<WorkspaceId, Previous> =
        store_scores::previous(conn, &ids)?.into_iter().map(|p| (p.workspace_id, p)).collect();
    // Also those that lost a workspace since.
    let left = previous.values().filter_map(|previous| previous.account_id);
    let accounts = cases.iter().filter_map(|case| case.account_id).chain(left).collect();
    let accounts = Accounts::evaluate(conn, ground, &cases, &accounts, today)?;
    accounts.tell(&mut cases);
    let oldest = today.checked_sub_days(Days::new(HISTORY_DAYS)).unwrap_or(today);
    let stored = store_scores::history_since(conn, &ids, oldest)?;
    let mut written = Written::default();
    for case in &cases {
        let since = touched.iter().find(|one| one.workspace_id == case.id);
        let past = Past {
            previous: previous.get(&case.id),
            stored: stored_of(&stored, case.id),
            since: since.map_or(today, |one| one.since_on).max(oldest),
            oldest,
        };
        written.add(ground, case, &past, now)?;
    }
    store_scores::write_history(conn, &written.history)?;
    store_scores::write_serving(conn, &written.serving)?;
    store_scores::write_stage_changes(conn, &written.stage_changes)?;
    accounts.write(conn, &ids, now)?;
    after(conn, &ids, now)
}

fn stored_of(stored: &[PastDay], id: WorkspaceId) -> &[PastDay] {
    let start = stored.partition_point(|day| day.workspace_id < id);
    let end = stored.partition_point(|day| day.workspace_id <= id);
    stored.get(start..end).unwrap_or_default()
}

/// What was known of a workspace's scores before this run.
struct Past<'a> {
    previous: Option<&'a Previous>,
    stored: &'a [PastDay],
    /// The first day on which something new happened.
    since: NaiveDate,
    /// History begins here.
    oldest: NaiveDate,
}

impl Past<'_> {
    fn on(&self, day: NaiveDate) -> Option<&PastDay> {
        let at = self.stored.binary_search_by_key(&day, |one| one.day).ok()?;
        self.stored.get(at)
    }

    /// The days to score: those since something new happened, those that nobody scored yet, and those
    /// that were looked back on today: until today is over, what becomes known of a workspace holds for
    /// them, too, in whatever order it becomes known. Older looks stay.
    fn days(&self, case: &Case, today: NaiveDate) -> Vec<NaiveDate> {
        let first = case.first_day().unwrap_or(today).max(self.oldest).min(today);
        first
            .iter_days()
            .take_while(|day| *day <= today)
            .filter(|day| {
                *day >= self.since
                    || *day == today
                    || self.on(*day).is_none_or(|one| one.scored_on == today)
            })
            .collect()
    }
}

/// What a batch writes.
#[derive(Default)]
struct Written {
    history: Vec<HistoryDay>,
    serving: Vec<store_scores::Serving>,
    stage_changes: Vec<StageChange>,
}

impl Written {
    fn add(
        &mut self,
        ground: &Ground,
        case: &Case,
        past: &Past<'_>,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let today = now.date_naive();
        let Some(model) = ground.model_on(today) else {
            return Err(Error::internal("no scoring model was published"));
        };
        let days = past.days(case, today);
        let (fresh, _) = days.split_at(days.len().saturating_sub(1));
        let mut line: BTreeMap<NaiveDate, PastDay> =
            past.stored.iter().map(|day| (day.day, day.clone())).collect();
        let replayed = runs(fresh).flat_map(|run| case.history(ground, run));
        for day in
            replayed.map(|(version, score)| history_day(ground, case.id, version, score, today))
        {
            let day = day?;
            line.insert(day.day, PastDay::from(&day));
            self.history.push(day);
        }
        let yesterday = today.pred_opt().and_then(|day| line.get(&day));
        let stored = yesterday.map(|day| Stored {
            score: i64::from(day.score),
            model_version: i64::from(day.model_version),
        });
        let evaluation = case.on_with_change(ground, model, today, stored);
        let entry = today_entry(case.id, &evaluation)?;
        line.insert(today, PastDay::from(&entry));
        let stage_since = stage_since(past.previous, &evaluation.card.stage, &line, now);
        self.note_stage_change(past.previous, case.id, &evaluation, now)?;
        self.serving.push(serving::row(case, &evaluation, &line, stage_since, now)?);
        self.history.push(entry);
        Ok(())
    }

    fn note_stage_change(
        &mut self,
        previous: Option<&Previous>,
        workspace_id: WorkspaceId,
        evaluation: &Evaluation,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let from = previous.map_or(NOT_PQL, |previous| &previous.stage);
        if from == evaluation.card.stage {
            return Ok(());
        }
        self.stage_changes.push(StageChange {
            id: Uuid::now_v7(),
            workspace_id,
            from_stage: from.to_owned(),
            to_stage: evaluation.card.stage.clone(),
            score: serving::int(evaluation.card.score)?,
            model_version: serving::int(evaluation.card.model.version)?,
            changed_at: now,
        });
        Ok(())
    }
}

/// Consecutive days, run by run.
fn runs(days: &[NaiveDate]) -> impl Iterator<Item = &[NaiveDate]> {
    days.chunk_by(|a, b| a.succ_opt() == Some(*b))
}

fn history_day(
    ground: &Ground,
    workspace_id: WorkspaceId,
    version: i64,
    score: DayScore,
    scored_on: NaiveDate,
) -> Result<HistoryDay> {
    let keys = ground.version(version).map(|model| model.model().categories.as_slice());
    let points = keys.unwrap_or_default().iter().zip(&score.categories);
    let categories =
        points.map(|(category, points)| (category.key.clone(), Json::from(*points))).collect();
    Ok(HistoryDay {
        workspace_id,
        day: score.day,
        score: serving::int(score.score)?,
        stage: score.stage,
        categories: Json::Object(categories),
        model_version: serving::int(version)?,
        scored_on,
    })
}

fn today_entry(workspace_id: WorkspaceId, evaluation: &Evaluation) -> Result<HistoryDay> {
    let card = &evaluation.card;
    let categories =
        card.categories.iter().map(|one| (one.key.clone(), Json::from(one.points))).collect();
    Ok(HistoryDay {
        workspace_id,
        day: card.as_of,
        score: serving::int(card.score)?,
        stage: card.stage.clone(),
        categories: Json::Object(categories),
        model_version: serving::int(card.model.version)?,
        scored_on: card.as_of,
    })
}

/// Since when the workspace is in its stage: as noted, else now; on the first scoring the start of
/// the unbroken run of days that ends today.
fn stage_since(
    previous: Option<&Previous>,
    stage: &str,
    line: &BTreeMap<NaiveDate, PastDay>,
    now: DateTime<Utc>,
) -> DateTime<Utc> {
    match previous {
        Some(previous) if previous.stage == stage => previous.stage_since,
        Some(_) => now,
        None => {
            let run = line.values().rev().take_while(|day| day.stage == stage);
            let first = run.last().map(|day| day.day.and_time(NaiveTime::MIN).and_utc());
            first.filter(|first| first.date_naive() < now.date_naive()).unwrap_or(now)
        }
    }
}

/// Forgets the scores of accounts whose last production workspace went to another account: nothing
/// touches them any more.
///
/// # Errors
/// When the database fails.
pub fn forget_deserted_accounts(conn: &mut PgConnection) -> Result<()> {
    store_scores::lock_scorer(conn)?;
    let deserted = store_accounts::deserted_accounts(conn)?;
    store_accounts::forget_accounts(conn, &deserted)
}

/// A case ready for questions about one workspace: any day, any published version.
///
/// # Errors
/// `NotFound` when there is no such workspace.
pub fn open(conn: &mut PgConnection, id: WorkspaceId) -> Result<(Ground, Case)> {
    let mut ground = batch::ground(conn)?;
    let case = batch::cases(conn, &mut ground, &[id])?.pop().ok_or(Error::NotFound)?;
    Ok((ground, case))
}

/// One workspace's scores of days, both ends included, oldest first: as they are stored, and computed
/// where they are not. None before anything is known of the workspace.
///
/// # Errors
/// `NotFound` when there is no such workspace; when the database fails.
pub fn history(
    conn: &mut PgConnection,
    id: WorkspaceId,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<HistoryDay>> {
    let mut days = store_scores::history(conn, id, from, to)?;
    let asked = usize::try_from((to - from).num_days() + 1).unwrap_or(0);
    if days.len() >= asked {
        return Ok(days);
    }
    let (ground, case) = open(conn, id)?;
    let Some(first) = case.first_day() else { return Ok(days) };
    let is_missing = |day: &NaiveDate| days.binary_search_by_key(day, |one| one.day).is_err();
    let missing: Vec<NaiveDate> =
        first.max(from).iter_days().take_while(|day| *day <= to).filter(is_missing).collect();
    for (version, score) in case.history(&ground, &missing) {
        let day = score.day;
        days.push(history_day(&ground, id, version, score, day)?);
    }
    days.sort_by_key(|one| one.day);
    Ok(days)
}

//! Scoring: a workspace's score with its exact ledger, as a pure function of model, facts and day.
//!
//! The pure half: `model` (the document), `validate` and `lint` (what an editor must mend, and what
//! is only odd), `presets`, `compiled` (a model made ready for many worlds), `grants` (usage days to
//! points per rule and subject, with `caps` and `decay`), `lead` (from users to the workspace),
//! `engine` (the whole), `card` (the result as JSON), `reasons`, `change`, `advice` (the result in
//! words), `evaluate` (from facts to all of these), `history` (a line of history), `points` (the
//! arithmetic of hundredths). Facts with their past: `dated` (a value that changes on days), `people`,
//! `histories` (out of what was said on which day), `case` (a workspace on any day).
//!
//! The other half: `store_*` (SQL), `batch` (loads workspaces as `case`s, an account as their `union`),
//! `ops` (facts in, scores and what follows out, one transaction; `ops_accounts`: those of accounts), `serving` (the rows that pages
//! read), `worker` (scores what was touched), `jobs` (scores everything again).
//!
//! The editor: `settings` (the numbers that a form tunes), `difference` (what changed between two
//! documents), `impact` (what a draft would do), `ops_models` and `ops_preview` (its use cases).
//!
//! Owns `scoring_models`, `touched_workspaces` (written by whoever changes what a score depends on),
//! `workspace_scores`, `score_history`, `account_scores`, `stage_changes`.
//!
//! Invariants (docs/scoring.md): the same inputs give the same ledger to the hundredth of a point;
//! the rows add up to the score, always; `raw + capped + role + decay = net` on every event row; no
//! event counts twice; a usage day after `as_of` does not exist.

pub mod actions;
pub mod advice;
pub mod batch;
pub mod caps;
pub mod card;
pub mod case;
pub mod change;
pub mod compiled;
pub mod dated;
pub mod decay;
pub mod difference;
pub mod engine;
pub mod evaluate;
pub mod explain;
pub mod grants;
pub mod histories;
pub mod history;
pub mod impact;
pub mod jobs;
pub mod lead;
pub mod lint;
pub mod model;
pub mod ops;
pub mod ops_accounts;
pub mod ops_models;
pub mod ops_preview;
pub mod pages;
pub mod pages_editor;
mod pages_impact;
pub mod people;
pub mod points;
pub mod presets;
pub mod reasons;
pub mod serving;
pub mod settings;
pub mod store_accounts;
pub mod store_facts;
pub mod store_hold;
pub mod store_models;
pub mod store_scores;
pub mod union;
pub mod validate;
pub mod worker;

#[cfg(test)]
mod tests;

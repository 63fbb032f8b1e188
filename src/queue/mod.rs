//! The job engine: work that outlives a request. It knows no job.
//!
//! Owns `jobs` and `schedules`. A job is enqueued in its caller's transaction, claimed with
//! `SKIP LOCKED` in a short one, leased while it runs and fenced by its attempt number, so that a
//! worker whose lease ran out can no longer write. Jobs of a lane are done one after the other, those
//! of another lane beside them, by a worker each: a long one delays no quick one. A job is tried at most [`engine::MAX_ATTEMPTS`]
//! times with growing pauses, then it is dead and says why. Two servers never do one job twice,
//! and no schedule fires twice.

pub mod backoff;
pub mod engine;
pub mod store;

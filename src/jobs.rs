//! Every piece of work that goes on behind the pages.

use crate::ingest::drain::Projection;
use crate::{accounts, identity, usage, workspaces};

/// What the drainer makes of events, in the order in which each needs the one before: who, where,
/// what, whose.
pub const PROJECTIONS: [Projection; 4] = [
    identity::project::project,
    workspaces::project::project,
    usage::project::project,
    accounts::project::project,
];

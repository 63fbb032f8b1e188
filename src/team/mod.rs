//! People who sign in: roles, invites, passwords, capacity, working hours, and the audit log.
//!
//! Owns `team_members`, `absences`, `invites`, `setup_links`, `sign_in_attempts`, `audit_entries`.
//! (`sessions` belong to the door, `web::store`.)
//!
//! Invariants: there is always an active admin once there was one; members are deactivated, never
//! deleted; of a one-time link only the SHA-256 is kept; a role change or deactivation ends the
//! member's sessions; every change writes its audit entry in the same transaction.

pub mod actions;
pub mod actions_members;
pub mod audit;
pub mod forms;
pub mod hashing;
pub mod member;
pub mod ops;
pub mod ops_invites;
pub mod ops_passwords;
pub mod ops_sign_in;
pub mod pages;
pub mod password;
pub mod store;
pub mod store_attempts;
pub mod store_audit;
pub mod store_door;
pub mod throttle;

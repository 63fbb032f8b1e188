//! Who is who: the people of the product, their identifiers, stitching.
//!
//! Owns `product_users`, `identifiers`, `identity_claims`, `identity_changes`, `merge_evidence` and
//! `merge_candidates`. The pure half: [`person`] is the noun, [`heard`] what events say about people,
//! [`stitch`] who is who after that, [`evidence`] which users may be one person; [`address`]
//! reads e-mail addresses and websites, [`host`] host names, [`domain`] says which of them are a company's,
//! [`title`] reads job titles. [`project`] is the drainer's part,
//! [`ops`] what people decide.
//!
//! Identifiers in rank order: user id, SSO subject (trait `sso_subject` or `sso_id` of an identify),
//! e-mail, anonymous id. An e-mail is verified when the user's current traits say so
//! (`email_verified`), unverified when they deny it; saying nothing is neither.
//!
//! Invariants: ids are hashes of kind and external id, so nobody is ever looked up; calls stitch
//! only an anonymous visitor, and only to a known user; two known users are never merged without a
//! person's judgement, and what a person decided overrules every call, in any order. Usage keeps the
//! id it came with: readers ask `canonical_id`.

pub mod actions;
pub mod address;
mod department;
pub mod domain;
pub mod evidence;
pub mod heard;
pub mod host;
pub mod ops;
pub mod pages;
pub mod person;
pub mod project;
pub mod reread;
mod script;
mod seniority;
pub mod stitch;
pub mod store;
pub mod store_candidates;
pub mod store_changes;
pub mod store_claims;
pub mod store_decisions;
pub mod store_merges;
pub mod store_people;
pub mod store_reread;
#[cfg(test)]
mod tests;
pub mod title;

//! Who is who: the people of the product, their identifiers, stitching.
//!
//! Owns `product_users`, `identifiers` and `merge_candidates`. [`person`] is the noun, [`domain`] reads
//! e-mail addresses, [`title`] job titles, [`project`] is the drainer's part.
//!
//! Invariants: ids are hashes of kind and external id, so nobody is ever looked up; only an anonymous
//! visitor is stitched, and only to a known user, so chains and cycles cannot be; two known users are
//! never merged without a person's judgement. Usage keeps the id it came with: readers ask
//! `canonical_id`.

pub mod domain;
pub mod person;
pub mod project;
pub mod store;
pub mod title;

//! Contacts: the people of the CRM, as their addresses tell them apart.
//!
//! Owns `contacts` and `contact_users`. [`project`] is the drainer's part, [`store`] its SQL,
//! [`store_pages`] that of the pages.
//!
//! A contact is an address of a person: the current e-mail of a known user, in lower case, plus-tags
//! kept. One contact may be several users. Addresses of role and throw-away kind are nobody's. A
//! contact belongs to the account of its corporate domain; a private address never leads to one.
//!
//! Invariants: both tables follow from `product_users` alone, so no order of events matters.

pub mod pages;
pub mod project;
pub mod store;
pub mod store_pages;

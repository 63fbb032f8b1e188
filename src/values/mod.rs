//! Values as other programs write them: numbers, times, booleans, ids, currencies and texts.
//!
//! Every way in (SDK events, records, CSV files, signed webhooks, forms, conditions) reads a kind of
//! value by the one function for it here, so that the same text means the same everywhere. Pure; knows
//! no feature. What is taken and what is refused stands in `docs/values.md`.

pub mod boolean;
pub mod currency;
pub mod head_count;
pub mod id;
pub mod number;
pub mod text;
pub mod time;

#[cfg(test)]
mod tests;

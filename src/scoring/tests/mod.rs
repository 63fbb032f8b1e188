//! The engine against the vectors of another implementation, against sums done by hand, and against
//! what scoring.md claims for all inputs.

mod changes;
mod editing;
mod golden;
mod properties;
mod vectors;
mod worlds;

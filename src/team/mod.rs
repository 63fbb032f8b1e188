//! team

pub mod audit;

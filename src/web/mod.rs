//! web

pub mod assets;
pub mod charts;
pub mod format;
pub mod shell;

#[cfg(test)]
mod gallery;

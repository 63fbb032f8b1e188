//! web

pub mod assets;
pub mod format;
pub mod shell;

#[cfg(test)]
mod gallery;

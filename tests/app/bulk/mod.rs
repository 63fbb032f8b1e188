//! Records: reverse ETL, the API, files.

pub mod ask;
mod endpoints;
mod foreign_values;
mod foreseen;
mod imports;
mod odd_files;
mod order;
mod speed;
mod values;

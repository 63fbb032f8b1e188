//! Records: reverse ETL, the API, files.

pub mod ask;
mod endpoints;
mod imports;
mod order;
mod speed;

//! Records: reverse ETL, the API, files.

mod ask;
mod endpoints;
mod imports;
mod order;
mod speed;

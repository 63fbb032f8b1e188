//! Benchmarks that print ratios: the product beside the raw limit of the same machine, measured in the
//! same run. `bin/bench ingest`, `bin/bench score [workspaces]`, `bin/bench pages [workspaces]`.
//!
//! Nothing here fails on a clock. The database is a private PostgreSQL with fsync on, in a folder of
//! its own below `RIPEN_BENCH_DIR` (default: the temporary folder), removed at the end.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::print_stdout,
    reason = "a benchmark that panics says so, and prints by trade"
)]

mod client;
mod drain;
mod fill;
mod ingest;
mod load;
mod pages;
mod place;
mod raw;
mod score;
mod table;

fn main() {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let size =
        arguments.get(1).map(|text| text.replace('_', "").parse().expect("a number of workspaces"));
    match arguments.first().map(String::as_str) {
        Some("ingest") => ingest::run(),
        Some("drain") => drain::run(size.map_or(300_000, |size| u64::try_from(size).unwrap_or(0))),
        Some("score") => score::run(size.unwrap_or(10_000)),
        Some("pages") => pages::run(size.unwrap_or(10_000)),
        None => {
            ingest::run();
            score::run(10_000);
            pages::run(10_000);
        }
        Some(other) => {
            println!(
                "There is no benchmark {other:?}: ingest, drain [events], score [workspaces], pages [workspaces]."
            );
            std::process::exit(2);
        }
    }
}

//! The log: lines on standard error, written by a thread of its own.
//!
//! Losing standard error never stops work. A pipe whose reader is gone, a lost terminal and a log
//! collector that reads no more are alike: lines are dropped once the buffer is full, and whoever
//! logs neither waits nor hears of an error. Panics go the same way, by a hook.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::PanicHookInfo;

use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

/// Lines that wait while standard error takes none; further ones are dropped.
const BUFFERED_LINES: usize = 10_000;

/// Starts to log as much as `RUST_LOG` asks for (`info` by default). Dropping the guard writes what is
/// buffered, for at most a second.
pub fn start() -> WorkerGuard {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let (writer, guard) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(BUFFERED_LINES)
        .thread_name("log writer")
        .finish(std::io::stderr());
    // Reporting a failed write would mean to print, which panics where nothing can be written.
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer)
        .log_internal_errors(false)
        .init();
    std::panic::set_hook(Box::new(log_panic));
    guard
}

/// Logs a panic with its thread and place. The default hook would write to standard error itself, and
/// wait there for as long as nobody reads.
fn log_panic(info: &PanicHookInfo<'_>) {
    let thread = std::thread::current();
    let thread = thread.name().unwrap_or("unnamed");
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    let payload = info.payload();
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let message = text.unwrap_or("without a message");
    let backtrace = Backtrace::capture();
    if backtrace.status() == BacktraceStatus::Captured {
        tracing::error!(thread, place, "panic: {message}\n{backtrace}");
    } else {
        tracing::error!(thread, place, "panic: {message}");
    }
}

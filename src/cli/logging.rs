//! The log: one line on standard error per event, without bodies or secrets.

use std::io::Write as _;
use std::panic::PanicHookInfo;

use log::LevelFilter;

use super::terminal::escape_controls;
use crate::domain::Clock;

/// Crates that log their own work or what strangers send: off unless `RUST_LOG` names them.
const SILENT: [&str; 6] = ["actix_http", "actix_web", "hyper", "hyper_util", "r2d2", "reqwest"];

/// Crates that log their progress: warnings and errors only.
const BRIEF: [&str; 2] = ["actix_server", "rusqlite_migration"];

/// Starts the log at `level` unless `RUST_LOG` says otherwise. Lines are `TIME LEVEL MESSAGE`, with the module before
/// the message if another crate wrote it. Under journald, which adds the time, there is no time. Later calls change
/// nothing.
pub fn start(level: LevelFilter) {
    let is_journal = std::env::var_os("JOURNAL_STREAM").is_some();
    let mut builder = env_logger::Builder::new();
    builder.filter_level(level);
    for name in BRIEF {
        builder.filter_module(name, LevelFilter::Warn);
    }
    for name in SILENT {
        builder.filter_module(name, LevelFilter::Off);
    }
    if level == LevelFilter::Error {
        // A short command reports the store's errors itself, in its one line.
        builder.filter_module("countersign::store", LevelFilter::Off);
    }
    builder.parse_default_env();
    builder.format(move |line, record| {
        if !is_journal {
            let now = Clock::system().now().to_string();
            write!(line, "{}Z ", now.get(..19).unwrap_or(&now))?;
        }
        write!(line, "{} ", record.level())?;
        if !record.target().starts_with(env!("CARGO_PKG_NAME")) {
            write!(line, "{} ", record.target())?;
        }
        writeln!(line, "{}", escape_controls(&record.args().to_string()))
    });
    // This fails only if a logger is already set.
    drop(builder.try_init());
    std::panic::set_hook(Box::new(log_panic));
}

/// Logs a panic in one line. Its consequence is logged where it is contained.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
    let why = panic.payload_as_str().unwrap_or("no message");
    let thread = std::thread::current();
    log::error!(
        "panicked at {place} thread={}: {why}; please report this",
        thread.name().unwrap_or("unnamed")
    );
}

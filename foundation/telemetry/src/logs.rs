//! Structured log lines on standard error, written by a thread of their own.

use std::io;
use tracing::{Level, Metadata};
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::filter::{EnvFilter, FilterExt, filter_fn};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{fmt, registry};

/// Lines waiting to be written; more are dropped.
const LINES_WAITING_MAX: usize = 8_192;

/// How a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for machines.
    Json,
}

/// Writes what is left when it is dropped.
#[must_use = "without it the last lines are lost"]
#[derive(Debug)]
pub struct Guard(#[expect(dead_code, reason = "held for its drop alone")] WorkerGuard);

/// A filter that can't be read, or logs that were set up before.
#[derive(Debug, thiserror::Error)]
pub enum FilterError {
    /// The filter's text is wrong.
    #[error("the log filter {filter:?} can't be read")]
    Unreadable {
        /// What was given.
        filter: String,
        /// What is wrong with it.
        source: tracing_subscriber::filter::ParseError,
    },
    /// Somebody else collects this process's logs.
    #[error("logs are collected already")]
    Taken(#[from] tracing_subscriber::util::TryInitError),
}

/// Collects the process's logs from here on. `filter` is written as for `RUST_LOG` (`info`, `pando_db=debug,warn`).
///
/// Crates that are not ours are never shown below `info`, whatever the filter says: some of them print whole headers,
/// tokens included, when asked for more.
pub fn init_logs(format: LogFormat, filter: &str) -> Result<Guard, FilterError> {
    let read = EnvFilter::builder().parse(filter);
    let filter = read.map_err(|source| FilterError::Unreadable {
        filter: filter.to_owned(),
        source,
    })?;
    let filter = filter.and(filter_fn(is_fit_to_show));
    let (writer, guard) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(LINES_WAITING_MAX)
        .finish(io::stderr());
    let layer = fmt::layer().with_writer(writer).with_target(false);
    let layer = match format {
        LogFormat::Text => layer
            .with_ansi(io::IsTerminal::is_terminal(&io::stderr()))
            .boxed(),
        LogFormat::Json => layer.json().flatten_event(true).boxed(),
    };
    registry().with(layer.with_filter(filter)).try_init()?;
    Ok(Guard(guard))
}

fn is_fit_to_show(line: &Metadata<'_>) -> bool {
    line.target().starts_with("pando") || *line.level() <= Level::INFO
}

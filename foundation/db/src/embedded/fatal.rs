//! A sync that failed ends the process.
//!
//! After it nobody knows which of the pages written before are on disk, and the system may say of the next sync that all is well
//! (Rebello et al., "Can Applications Recover from fsync Failures?", ATC 2020). So nothing is tried again and nothing more is answered:
//! the process ends, and the next one reads back what was acknowledged from the log.

use crate::planted::planted;
use rusqlite::ffi;
use std::path::{Path, PathBuf};
use std::process::exit;
use std::sync::OnceLock;

/// The exit status: `EX_IOERR` of sysexits.h.
pub(super) const STATUS: i32 = 74;

/// The database of this process; it has one.
static FILE: OnceLock<PathBuf> = OnceLock::new();

/// What is named when it ends.
pub(crate) fn name(file: &Path) {
    // A test may open several; the first is as good as any.
    let _named = FILE.set(file.to_owned());
}

/// Ends the process if this is a sync that failed.
pub(crate) fn check(error: &rusqlite::Error) {
    let code = error.sqlite_error().map(|failure| failure.extended_code);
    if planted("ignored-fsync-error") {
        return;
    }
    if matches!(
        code,
        Some(ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC)
    ) {
        stop(error);
    }
}

fn stop(error: &rusqlite::Error) -> ! {
    let file = FILE
        .get()
        .map_or_else(String::new, |file| format!(" {}", file.display()));
    let text = format!(
        "the system could not put the database{file} on disk (fsync failed: {error}). Nothing more is answered, since what was written last may \
         be lost; everything acknowledged before is safe. Look for the disk's errors in the system's log and for room, then start again"
    );
    tracing::error!("{text}");
    // The log is written by a thread that does not survive this.
    eprintln!("pando: {text}");
    exit(STATUS)
}

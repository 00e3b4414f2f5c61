//! The disk under the data directory.

use super::finding::{Finding, Level};
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

/// Less room than this is told.
const ROOM: u64 = 1 << 30;
/// A sync that is quicker reached no disk.
const INSTANT: Duration = Duration::from_micros(5);
/// A sync that takes longer makes every lone write slow.
const SLOW: Duration = Duration::from_millis(20);
/// How many syncs are timed.
const SYNCS: usize = 21;

/// Looks at room and syncs.
pub fn look(directory: &Path) -> Vec<Finding> {
    vec![room(directory), sync(directory)]
}

fn room(directory: &Path) -> Finding {
    let found = match rustix::fs::statvfs(directory) {
        Ok(found) => found,
        Err(error) => {
            return Finding::new(
                Level::Error,
                "disk",
                format!(
                    "the room in {} can't be asked: {error}",
                    directory.display()
                ),
                "see that the data directory is on a disk that is there",
            );
        }
    };
    let (free, all) = (
        found.f_bavail * found.f_frsize,
        (found.f_blocks * found.f_frsize).max(1),
    );
    let message = format!(
        "{:.1} GiB free of {:.1} GiB",
        free as f64 / (1 << 30) as f64,
        all as f64 / (1 << 30) as f64
    );
    if free < ROOM || free < all / 50 {
        return Finding::new(
            Level::Warning,
            "disk",
            message,
            "make room: when the disk is full, reads go on and writes are refused",
        );
    }
    Finding::ok("disk", message)
}

fn sync(directory: &Path) -> Finding {
    let mut times = match timed(directory) {
        Ok(times) => times,
        Err(error) => {
            return Finding::new(
                Level::Error,
                "sync",
                format!(
                    "a file in {} can't be written and synced: {error}",
                    directory.display()
                ),
                "see that the disk is in order and that the directory is this user's",
            );
        }
    };
    times.sort();
    let median = times[times.len() / 2];
    let message = format!("a sync takes {:.2} ms", median.as_secs_f64() * 1_000.0);
    if median < INSTANT {
        return Finding::new(
            Level::Warning,
            "sync",
            format!("{message}, so nothing is put on a disk"),
            "this is memory, or a disk that does not do what it says: after a power cut writes are missing",
        );
    }
    if median > SLOW {
        return Finding::new(
            Level::Note,
            "sync",
            message,
            "each lone write waits for one; many at once share it",
        );
    }
    Finding::ok("sync", message)
}

fn timed(directory: &Path) -> std::io::Result<Vec<Duration>> {
    let mut file = tempfile::tempfile_in(directory)?;
    (0..SYNCS)
        .map(|_| {
            file.write_all(&[0; 4_096])?;
            let start = Instant::now();
            file.sync_data()?;
            Ok(start.elapsed())
        })
        .collect()
}

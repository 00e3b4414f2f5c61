//! Follows the log without missing a commit of it.
//!
//! Invariant: unless the log is with the writer (see `copy`), a read transaction is held that began before the last time everything
//! committed was taken. SQLite does not let the log begin anew while a transaction reads it; and a transaction that needs nothing of the log,
//! because all was written back, keeps SQLite from writing back what comes after. So when the log has begun anew, all of the one
//! before was taken, and the first salt is greater by one. Anything else is a [`TailError::Gap`].

use super::backup::{Progress, copy};
use super::connection::{Mode, open};
use super::copy::CopySeam;
use super::directory;
use super::wal::{Pages, Read, Wal, WalPosition};
use crate::error::{BackupError, OpenError};
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Why the log can't be followed.
#[derive(Debug, thiserror::Error)]
pub enum TailError {
    /// Commits may have passed that were not seen.
    #[error("the log began anew before all of it was read")]
    Gap,
    /// The log can't be read.
    #[error("the log can't be read: {0}")]
    Io(#[from] std::io::Error),
    /// SQLite refused to hold it.
    #[error("the log can't be held: {0}")]
    Hold(String),
}

/// What was committed since the last time.
#[derive(Debug)]
pub struct Taken {
    /// The pages it left.
    pub pages: Pages,
    /// Where the log stands after it.
    pub to: WalPosition,
    /// Whether there may be more already.
    pub more: bool,
}

/// Follows one log.
pub struct Tail {
    file: PathBuf,
    log: Wal,
    seam: CopySeam,
    /// Two, so that one begins before the other ends.
    holds: [Connection; 2],
    held: Option<usize>,
    position: Option<WalPosition>,
    /// Whether all that was committed when the transaction that is held began has been taken.
    proven: bool,
}

impl Tail {
    /// Gets ready to follow the log of a data directory. From here on it does not begin anew without us.
    pub fn attach(directory: &Path, seam: CopySeam) -> Result<Tail, TailError> {
        let file = directory::database_file(directory);
        let hold = |error: OpenError| TailError::Hold(error.to_string());
        let (a, _) = open(&file, Mode::Read).map_err(hold)?;
        let (b, _) = open(&file, Mode::Read).map_err(hold)?;
        seam.attach();
        let mut tail = Tail {
            log: Wal::of(&file),
            file,
            seam,
            holds: [a, b],
            held: None,
            position: None,
            proven: false,
        };
        tail.hold()?;
        Ok(tail)
    }

    /// The same before the database is opened, which writes back what an earlier process left in the log: from then on the log could begin
    /// anew. None if there is nothing in it.
    pub fn attach_before_open(directory: &Path, seam: CopySeam) -> Result<Option<Tail>, TailError> {
        let file = directory::database_file(directory);
        if Wal::of(&file).bytes() == 0 || !file.is_file() {
            return Ok(None);
        }
        Tail::attach(directory, seam).map(Some)
    }

    /// Bytes of the log's file.
    pub fn log_bytes(&self) -> u64 {
        self.log.bytes()
    }

    /// Where the next commits are taken from; none at the start of a log that nothing was written to.
    pub fn position(&self) -> Option<WalPosition> {
        self.position
    }

    /// Goes on from a place of an earlier run. False if the log is not the one of that place, or no longer holds what was before it.
    pub fn resume(&mut self, position: WalPosition) -> Result<bool, TailError> {
        let continues = self.log.continues(&position)?;
        if continues {
            self.position = Some(position);
        }
        Ok(continues)
    }

    /// Goes on from the start of whatever log there is: for a database that is known to have nothing unseen in it.
    pub fn resume_at_start(&mut self) -> Result<(), TailError> {
        self.position = self.log.start()?;
        Ok(())
    }

    /// Begins with what is committed next; what is there already is left to a snapshot.
    pub fn skip(&mut self) -> Result<(), TailError> {
        match self.log.read(None, usize::MAX)? {
            Read::Commits { to, .. } => self.took(to, true),
            _ => {
                self.position = None;
                self.proven = true;
            }
        }
        Ok(())
    }

    /// A copy of the whole database as it is after what was taken so far, or later. Blocks.
    pub fn snapshot(
        directory: &Path,
        to: &Path,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(), BackupError> {
        copy(&directory::database_file(directory), to, progress)
    }

    /// What was committed since the last time, if anything was: all of it, or, of very much, pages of `bytes_max` bytes and the rest
    /// with the next call.
    pub fn take(&mut self, bytes_max: usize) -> Result<Option<Taken>, TailError> {
        let next = self.held.map_or(0, |held| 1 - held);
        self.begin(next)?;
        let read = self.read(bytes_max);
        let all = matches!(read, Ok((_, true)));
        // Of two that are held, the older one must stay until everything is taken.
        let end = if all || self.held.is_none() {
            let older = self.held;
            self.held = Some(next);
            older
        } else {
            Some(next)
        };
        if let Some(end) = end {
            self.end(end)?;
        }
        Ok(read?.0)
    }

    fn read(&mut self, bytes_max: usize) -> Result<(Option<Taken>, bool), TailError> {
        let mut from = self.position;
        let mut read = self.log.read(from, bytes_max)?;
        if let Read::Other(header) = &read {
            let follows = from.is_some_and(|from| from.salts[0].wrapping_add(1) == header.salts[0]);
            if !self.proven || !follows {
                return Err(TailError::Gap);
            }
            from = Some(header.start());
            read = self.log.read(from, bytes_max)?;
        }
        match read {
            Read::Other(_) => Err(TailError::Gap),
            // A header that is being written.
            Read::Empty => Ok((None, true)),
            Read::Commits { pages, to, more } => {
                let anything = !pages.pages.is_empty();
                self.took(to, !more);
                Ok((anything.then_some(Taken { pages, to, more }), !more))
            }
        }
    }

    fn took(&mut self, to: WalPosition, all: bool) {
        self.position = Some(to);
        self.proven = all;
        self.seam.publish(to);
    }

    /// Waits for the next look, or for the writer to ask for the log. True if it asks: take everything, then call [`Tail::hand_over`], or
    /// [`Tail::keep`] if that can't be done now.
    pub fn wait(&self, wait: Duration) -> bool {
        self.seam.wait_asked(wait)
    }

    /// Refuses the log to the writer, for now.
    pub fn keep(&self) {
        self.seam.deny();
    }

    /// Lets the writer have the log, of which everything was taken, until it gives it back.
    pub fn hand_over(&mut self) -> Result<(), TailError> {
        if !self.proven {
            self.seam.deny();
            return Ok(());
        }
        self.release()?;
        let ended_at = self.seam.hand_over();
        self.hold()?;
        self.proven = match (ended_at, self.position) {
            (Some(frames), Some(position)) => frames == position.frame,
            (Some(frames), None) => frames == 0,
            // Nobody said how it ended, so commits may have passed that only a log that is still the same can show.
            (None, _) => false,
        };
        Ok(())
    }

    fn hold(&mut self) -> Result<(), TailError> {
        self.begin(0)?;
        self.held = Some(0);
        Ok(())
    }

    fn release(&mut self) -> Result<(), TailError> {
        match self.held.take() {
            Some(held) => self.end(held),
            None => Ok(()),
        }
    }

    /// A transaction reads nothing until it reads something.
    fn begin(&self, at: usize) -> Result<(), TailError> {
        self.holds[at]
            .execute_batch("BEGIN; SELECT 1 FROM sqlite_schema LIMIT 1;")
            .map_err(|error| TailError::Hold(format!("{}: {error}", self.file.display())))
    }

    fn end(&self, at: usize) -> Result<(), TailError> {
        self.holds[at]
            .execute_batch("ROLLBACK")
            .map_err(|error| TailError::Hold(format!("{}: {error}", self.file.display())))
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        // The connections end their transactions when they close; the writer is told after that.
        let _ended = self.release();
        self.seam.detach();
    }
}

#[cfg(test)]
mod tests;

//! A copy becomes the database of a data directory: whole, or not at all.

use super::backup::Draft;
use super::directory;
use super::inspect::{Contents, inspect};
use crate::error::BackupError;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// A data directory that is ours and holds no database yet, with a file beside its place to be filled. Dropped, it leaves nothing behind.
pub struct Restoring {
    draft: Draft,
    file: PathBuf,
    /// Held for its lock.
    _lock: File,
}

impl Restoring {
    /// Takes the directory, making it if it is not there. One that a server runs on, or that holds a database, is refused.
    pub fn begin(directory: &Path) -> Result<Restoring, BackupError> {
        let lock = directory::hold(directory)?;
        let file = directory::database_file(directory);
        let log = beside(&file, "-wal");
        // A server that was killed at its first start may have left an empty file.
        if [&file, &log]
            .iter()
            .any(|path| fs::metadata(path).is_ok_and(|found| found.len() > 0))
        {
            return Err(BackupError::Occupied(directory.to_owned()));
        }
        Ok(Restoring {
            draft: Draft::begin(&file)?,
            file,
            _lock: lock,
        })
    }

    /// The file to fill. It is empty, and no server looks at it.
    pub fn file(&self) -> &Path {
        &self.draft.path
    }

    /// Looks at the file from end to end, and makes it the database. Blocks.
    pub fn finish(self) -> Result<Contents, BackupError> {
        let contents = inspect(&self.draft.path)?;
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| BackupError::Io { path, source }
        };
        File::open(&self.draft.path)
            .and_then(|file| file.sync_all())
            .map_err(io(&self.draft.path))?;
        // The index of an older log has nothing to say about this file.
        for end in ["-wal", "-shm"] {
            let _absent = fs::remove_file(beside(&self.file, end));
        }
        self.draft.publish(&self.file).map_err(io(&self.file))?;
        Ok(contents)
    }
}

fn beside(file: &Path, end: &str) -> PathBuf {
    let mut path = file.to_owned().into_os_string();
    path.push(end);
    path.into()
}

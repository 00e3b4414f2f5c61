//! The data directory: ours alone while we run.

use crate::error::OpenError;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// The database's file in its directory.
pub fn database_file(directory: &Path) -> PathBuf {
    directory.join("pando.db")
}

/// Makes a directory and those it is in, for their owner only. Their names are on disk when this returns.
fn make(directory: &Path) -> std::io::Result<()> {
    let absolute = std::path::absolute(directory)?;
    // Whoever made one that is there may not have put its name on disk.
    let missing = absolute
        .ancestors()
        .take_while(|folder| !folder.exists())
        .count();
    let unsure = absolute.ancestors().take(missing.max(1));
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&absolute)?;
    for parent in unsure.filter_map(Path::parent) {
        match File::open(parent) {
            Ok(parent) => parent.sync_all()?,
            // Of a directory that others made and that we may not read, they have to know.
            Err(error) if missing == 0 && error.kind() == std::io::ErrorKind::PermissionDenied => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Puts the names of a directory's files on disk.
pub(crate) fn sync_names(directory: &Path) -> std::io::Result<()> {
    File::open(directory)?.sync_all()
}

/// The same, said as whoever opens a database is told.
pub(crate) fn sync(directory: &Path) -> Result<(), OpenError> {
    sync_names(directory).map_err(|source| OpenError::Io {
        path: directory.to_owned(),
        source,
    })
}

/// Makes the directory, for its owner only, and takes its lock. The lock is given back when the file is closed, also by a kill.
pub(crate) fn lock(directory: &Path) -> Result<File, OpenError> {
    let file = hold(directory)?;
    // SQLite would let the group and others read what it makes, in a directory that was there before and open to them. Its
    // log and index take after this file.
    private(&database_file(directory))?;
    Ok(file)
}

/// The lock alone, with no database made.
pub(crate) fn hold(directory: &Path) -> Result<File, OpenError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| OpenError::Io { path, source }
    };
    make(directory).map_err(io(directory))?;
    let path = directory.join("lock");
    let mut file = private(&path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(OpenError::Locked(directory.to_owned())),
        Err(TryLockError::Error(source)) => return Err(OpenError::Io { path, source }),
    }
    // For people who look; the lock itself is the system's.
    let _ = file
        .set_len(0)
        .and_then(|()| writeln!(file, "{}", std::process::id()));
    Ok(file)
}

fn private(path: &Path) -> Result<File, OpenError> {
    OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(|source| OpenError::Io {
            path: path.to_owned(),
            source,
        })
}

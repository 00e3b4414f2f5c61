//! A copy of the file while others write it.
//!
//! A read transaction is held on a connection of its own for as long as the copy takes. SQLite's backup reads through that
//! transaction, so all pages are of one moment, and no writer makes it begin again; all it costs them is that the log can't begin
//! anew before the copy is done. The copy is whole under its name, or not there at all.

use super::connection::{Mode, open};
use super::directory;
use super::inspect::{Contents, inspect};
use crate::error::BackupError;
use crate::planted::planted;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Pages copied between two reports of progress.
const STEP_PAGES: i32 = 2_048;
/// How often a step that finds the file locked is tried again, 20 ms apart.
const BUSY_MAX: u32 = 500;

/// How far a copy has come.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Pages copied.
    pub pages_done: u64,
    /// Pages there are.
    pub pages: u64,
}

/// Copies the database of a data directory to a file that is not there yet, whether a server runs on it or not, and looks at the copy
/// from end to end. The file is one of its own, for its owner only: it needs no log beside it. Blocks.
pub fn back_up(
    directory: &Path,
    to: &Path,
    replace: bool,
    progress: &mut dyn FnMut(Progress),
) -> Result<Contents, BackupError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| BackupError::Io { path, source }
    };
    let file = directory::database_file(directory);
    if !file.is_file() {
        return Err(BackupError::Absent(directory.to_owned()));
    }
    if !replace && to.symlink_metadata().is_ok() {
        return Err(BackupError::Exists(to.to_owned()));
    }
    let draft = Draft::begin(to)?;
    copy(&file, &draft.path, progress)?;
    let contents = inspect(&draft.path)?;
    File::open(&draft.path)
        .and_then(|copy| copy.sync_all())
        .map_err(io(&draft.path))?;
    draft.publish(to).map_err(io(to))?;
    Ok(contents)
}

/// Copies all pages as they are. What is at `to` must be empty.
pub(crate) fn copy(
    file: &Path,
    to: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), BackupError> {
    if planted("backup-without-log") {
        let copied = fs::copy(file, to).map(|_| ());
        let path = to.to_owned();
        return copied.map_err(|source| BackupError::Io { path, source });
    }
    let (source, _) = open(file, Mode::Read).map_err(BackupError::Open)?;
    let refused = |path: &Path| {
        let path = path.to_owned();
        move |error: rusqlite::Error| BackupError::Copy {
            path,
            reason: error.to_string(),
        }
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut target = Connection::open_with_flags(to, flags).map_err(refused(to))?;
    // What is under this name counts for nothing until it is whole, so it needs no journal; the fsync is at the end.
    target
        .execute_batch(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE;",
        )
        .map_err(refused(to))?;
    source
        .execute_batch("BEGIN; SELECT 1 FROM sqlite_schema LIMIT 1;")
        .map_err(refused(file))?;
    {
        let backup = Backup::new(&source, &mut target).map_err(refused(to))?;
        let mut busy = 0;
        loop {
            let step = backup.step(STEP_PAGES).map_err(refused(to))?;
            let now = backup.progress();
            let pages = u64::try_from(now.pagecount).unwrap_or_default();
            progress(Progress {
                pages_done: pages.saturating_sub(u64::try_from(now.remaining).unwrap_or_default()),
                pages,
            });
            match step {
                StepResult::Done => break,
                StepResult::More => busy = 0,
                _ if busy >= BUSY_MAX => {
                    return Err(BackupError::Copy {
                        path: to.to_owned(),
                        reason: "it stays locked".to_owned(),
                    });
                }
                _ => {
                    busy += 1;
                    std::thread::sleep(Duration::from_millis(20));
                }
            }
        }
    }
    source.execute_batch("COMMIT").map_err(refused(file))?;
    // A file that says it has a log can't be read where none can be made beside it. The server turns its log on again.
    target
        .execute_batch("PRAGMA locking_mode = NORMAL; PRAGMA journal_mode = DELETE;")
        .map_err(refused(to))?;
    target.close().map_err(|(_, error)| refused(to)(error))
}

/// A file that is being made under another name. Whoever is killed leaves it, and the next one with the same aim takes it over.
pub(crate) struct Draft {
    pub(crate) path: PathBuf,
    /// Held for its lock: SQLite's own locks are of another kind.
    _lock: File,
    lock_path: PathBuf,
}

impl Draft {
    /// An empty file beside `to`, for its owner only.
    pub(crate) fn begin(to: &Path) -> Result<Draft, BackupError> {
        let name = to
            .file_name()
            .ok_or_else(|| BackupError::Io {
                path: to.to_owned(),
                source: io::Error::new(io::ErrorKind::InvalidInput, "this names no file"),
            })?
            .to_string_lossy()
            .into_owned();
        let lock_path = to.with_file_name(format!(".{name}.partial-lock"));
        let path = to.with_file_name(format!(".{name}.partial"));
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| BackupError::Io { path, source }
        };
        let lock = private().open(&lock_path).map_err(io(&lock_path))?;
        match lock.try_lock() {
            // Whoever held it before may have taken the name away between our opening and locking it.
            Ok(()) if same_file(&lock, &lock_path) => {}
            Ok(()) => return Err(BackupError::Running(to.to_owned())),
            Err(TryLockError::WouldBlock) => return Err(BackupError::Running(to.to_owned())),
            Err(TryLockError::Error(source)) => return Err(io(&lock_path)(source)),
        }
        let draft = Draft {
            path,
            _lock: lock,
            lock_path,
        };
        draft.remove();
        private()
            .create_new(true)
            .open(&draft.path)
            .map_err(io(&draft.path))?;
        Ok(draft)
    }

    /// Gives the file its name, for good once this returns.
    pub(crate) fn publish(self, to: &Path) -> io::Result<()> {
        fs::rename(&self.path, to)?;
        sync_directory(to)
    }

    fn remove(&self) {
        for end in ["", "-journal", "-wal", "-shm"] {
            let mut path = self.path.clone().into_os_string();
            path.push(end);
            // Most often there is none.
            let _absent = fs::remove_file(path);
        }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        self.remove();
        let _gone = fs::remove_file(&self.lock_path);
    }
}

fn same_file(open: &File, path: &Path) -> bool {
    let (open, named) = (open.metadata(), fs::metadata(path));
    match (open, named) {
        (Ok(open), Ok(named)) => (open.dev(), open.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    options
}

/// Makes the name of a file that was just made or renamed last.
pub(crate) fn sync_directory(file: &Path) -> io::Result<()> {
    let parent = match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    directory::sync_names(parent)
}

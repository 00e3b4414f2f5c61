//! Why something was not restored.

use pando_blob::StoreError;
use pando_db::BackupError;
use pando_kernel::Timestamp;

/// A restore that did not happen. The data directory is as it was.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The directory can't take it, or what was restored is not whole.
    #[error(transparent)]
    Database(#[from] BackupError),
    /// There is nothing.
    #[error("there is no copy and no backup in {0}")]
    Nothing(String),
    /// There is nothing that old.
    #[error("the earliest moment that can be restored from {place} is {earliest}")]
    TooEarly {
        /// The store.
        place: String,
        /// Its first moment.
        earliest: Timestamp,
    },
    /// An object that is not what was put.
    #[error("{key} is damaged: {reason}{}", before(.good))]
    Damaged {
        /// The object.
        key: String,
        /// What is wrong with it.
        reason: String,
        /// The last moment before it.
        good: Option<Timestamp>,
    },
    /// The scratch file can't be written.
    #[error("cannot write what is restored: {0}")]
    Io(#[from] std::io::Error),
}

fn before(good: &Option<Timestamp>) -> String {
    good.map_or_else(String::new, |good| {
        format!("; what was before it can be restored with --at {good}")
    })
}
